"""``planner frontier``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from ..errors import UsageError
from ..language import _
from ..questions.many import partial_file
from . import common
from .common import (
    AsJson,
    Gap,
    InstanceFolder,
    Overwrite,
    Scheduler,
    Seed,
    Threads,
    TimeLimit,
    Workers,
    asks_what_if,
    refuse,
    speaks,
)


@speaks
@asks_what_if
def frontier(
    context: typer.Context,
    instance: InstanceFolder,
    metric: Annotated[
        str,
        typer.Option(
            help="exposed_share, stage_share:STAGE, single_country_share:STAGE, import_share:STAGE:COUNTRY, "
            "own_share:STAGE:COUNTRY[:recycled] (a floor), impact:NAME or unserved; :MATERIAL for :STAGE, a bloc for a "
            "country"
        ),
    ] = "exposed_share",
    second: Annotated[
        str | None, typer.Option(help="instead: limits on this metric too, so that each point has two")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="with --second: all plans that no other dominates, not a covering")
    ] = False,
    from_year: Annotated[int | None, typer.Option(help="first year in which the limit holds [every year]")] = None,
    glide: Annotated[
        bool, typer.Option("--glide", help="from the first year's level down to the limit in --from-year")
    ] = False,
    points: Annotated[
        int | None, typer.Option(help="most points of the curve [11]; with --second searches of the covering [30]")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder to write the curve to")] = None,
    runs: Annotated[bool, typer.Option("--runs", help="solve each point afresh and write it as a run too")] = False,
    report: Annotated[Path | None, typer.Option(help="page to write: the plan at the knee, with the curve")] = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Trace the cost of security: least cost against a limit on a dependence metric.

    Examples:

    - `planner frontier allied-2040 --from-year 2032 --points 9 -o runs/curve`
    - `planner frontier mine --metric stage_share:magnet`
    - `planner frontier mine --second impact:co2 -o runs/surface`
    """
    from .. import reporting

    partial = None if output is None else partial_file(output)
    if second is not None:
        refuse(context, ["glide", "runs", "report"], "with --second")
        common.check_output(planner.Surface, output, overwrite)
        found = planner.surface(
            common.load_instance(instance),
            metric,
            second,
            from_year=from_year,
            exact=exact,
            points=30 if points is None else points,
            workers=workers,
            scheduler=scheduler,
            partial=partial,
            **common.search(gap, time_limit, threads, seed),
        )
        common.deliver(found, output, overwrite, as_json)
        return
    refuse(context, ["exact"], "without --second")
    if runs and output is None:
        raise UsageError("--runs writes into the folder of the curve: name it with -o FOLDER")
    common.check_output(planner.Frontier, output, overwrite, report)
    if report is not None:
        reporting.check_page(report, overwrite)
    curve = planner.frontier(
        common.load_instance(instance),
        metric=metric,
        from_year=from_year,
        glide=glide,
        points=11 if points is None else points,
        workers=workers,
        scheduler=scheduler,
        partial=partial,
        **common.search(gap, time_limit, threads, seed),
    )
    common.deliver(curve, output, overwrite, as_json)
    if output is not None and runs:
        for point in curve.table["point"]:
            common.tell(f"point {point} as a run")
            plan = curve.plan(int(point), gap=gap, time_limit=time_limit, threads=threads, seed=seed)
            plan.write(output / "runs" / f"point-{point:02d}")
    if report is not None:
        point = curve.knee or 1
        common.tell(f"point {point} as a page")
        solved = curve.instance if curve.metric.family == "unserved" else curve.instance_at(point)
        plan = planner.solve(solved, gap=gap, time_limit=time_limit, threads=threads, seed=seed)
        reporting.write_page(planner.report(plan, [curve]), report, overwrite)
    if output is not None and not as_json:
        print(_("Curve: {folder}", folder=output))
