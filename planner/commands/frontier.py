"""``planner frontier``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .common import AsJson, Gap, InstanceFolder, Overwrite, Seed, Threads, TimeLimit, load_instance, tell


def frontier(
    instance: InstanceFolder,
    metric: Annotated[
        str,
        typer.Option(help="exposed_share, stage_share:STAGE, single_country_share:STAGE (or :MATERIAL) or unserved"),
    ] = "exposed_share",
    from_year: Annotated[int | None, typer.Option(help="first year in which the limit holds [every year]")] = None,
    glide: Annotated[
        bool, typer.Option("--glide", help="from the first year's level down to the limit in --from-year")
    ] = False,
    points: Annotated[int, typer.Option(help="most points of the curve")] = 11,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder to write the curve to")] = None,
    runs: Annotated[bool, typer.Option("--runs", help="solve each point afresh and write it as a run too")] = False,
    report: Annotated[Path | None, typer.Option(help="page to write: the plan at the knee, with the curve")] = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Trace the cost of security: least cost against a limit on a dependence metric."""
    from ..errors import UsageError
    from ..questions.frontier.frontier import frontier as trace
    from ..questions.frontier.result import MANIFEST
    from ..questions.solve import solve as solve_instance
    from ..reporting import check_file, write_report
    from ..reporting import report as report_on
    from ..runs.folder import check_folder

    if runs and output is None:
        raise UsageError("--runs writes into the folder of the curve: name it with -o FOLDER")
    if output is not None:
        check_folder(output, MANIFEST, overwrite)
    if report is not None:
        check_file(report, overwrite)
    found = trace(
        load_instance(instance),
        metric=metric,
        from_year=from_year,
        glide=glide,
        points=points,
        gap=gap,
        time_limit=time_limit,
        threads=threads,
        seed=seed,
        progress=tell,
    )
    if output is not None:
        found.write(output, overwrite)
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
    if output is not None and runs:
        for point in found.table["point"]:
            tell(f"point {point} as a run")
            plan = found.plan(int(point), gap=gap, time_limit=time_limit, threads=threads, seed=seed)
            plan.write(output / "runs" / f"point-{point:02d}")
    if report is not None:
        point = found.knee or 1
        tell(f"point {point} as a page")
        of = found.instance if found.metric.family == "unserved" else found.instance_at(point)
        plan = solve_instance(of, gap=gap, time_limit=time_limit, threads=threads, seed=seed)
        write_report(report_on(plan, [found]), report, overwrite)
    if output is not None and not as_json:
        print(f"Curve: {output}")
