"""``planner solve``."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from . import common
from .common import (
    AsJson,
    FixFrom,
    Forbid,
    Force,
    Gap,
    InstanceFolder,
    Overwrite,
    Seed,
    Threads,
    TimeLimit,
    asks_what_if,
    share,
    speaks,
)

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..solving.pins import Pins


@speaks
@asks_what_if
def solve(
    instance: InstanceFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder to write the run to [runs/NAME]")
    ] = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    objective: Annotated[str, typer.Option(help="cost; or under a ceiling on cost: public (money), exposure")] = "cost",
    slack: Annotated[float | None, share("ceiling over the least cost, such as 3%")] = None,
    cost_ceiling: Annotated[float | None, typer.Option(metavar="MUSD", help="or the most the plan may cost")] = None,
    fix_from: FixFrom = None,
    fix_options: Annotated[
        str | None, typer.Option("--fix-options", metavar="A,B", help="with --fix-from: of these options only")
    ] = None,
    fix_years: Annotated[
        str | None,
        typer.Option("--fix-years", metavar="FIRST-LAST", help="with --fix-from: only starts in these years"),
    ] = None,
    force: Force = None,
    forbid: Forbid = None,
    start: Annotated[
        Path | None, typer.Option("--start", metavar="RUN", help="begin the search with the builds of a run")
    ] = None,
    relax: Annotated[
        bool, typer.Option("--relax", help="only the linear relaxation: a bound in a moment, and no plan")
    ] = False,
    report: Annotated[bool, typer.Option("--report", help="write report.html into the run's folder too")] = False,
    as_json: AsJson = False,
) -> None:
    """Solve an instance, audit the plan and write the run's folder.

    Examples:

    - `planner solve allied-2040 --gap 0.5% -o runs/base`
    - `planner solve mine.xlsx --cap exposed_share=10%@2032 --report`
    - `planner solve allied-2040 --objective public --slack 3%`
    """
    from ..errors import Infeasible
    from ..instance.cells import folder_problem
    from ..questions.solve import solve as solve_instance
    from ..runs.run import check_target, read_run

    started = time.perf_counter()
    loaded = common.load_instance(instance)
    load_seconds = time.perf_counter() - started
    problem = folder_problem(loaded.name)
    if output is None and (problem or not loaded.name.strip(".")):
        raise UsageError(
            f'name = "{loaded.name}" in instance.toml cannot name the folder of the run; say where it goes with -o RUN'
        )
    folder = output or Path("runs") / loaded.name
    check_target(folder, overwrite)
    pins = _pins(loaded, fix_from, fix_options, fix_years, force or [], forbid or [])
    try:
        plan = solve_instance(
            loaded,
            **common.search(gap, time_limit, threads, seed),
            pins=pins,
            start=None if start is None else read_run(start),
            objective=objective,
            slack=slack,
            ceiling=cost_ceiling,
            relax=relax,
            load_seconds=load_seconds,
        )
    except Infeasible as error:
        if as_json:
            found = error.diagnosis.to_dict() if error.diagnosis else {}
            print(json.dumps({**found, "status": "infeasible", "objective_musd": None, "reasons": str(error)}))
        raise
    plan.plan["command"] = common.command()
    plan.write(folder, overwrite=overwrite)
    if report:
        from ..reporting import REPORT, write_page
        from ..reporting import report as report_on

        write_page(report_on(plan), folder / REPORT)
    if as_json:
        print(plan.to_json(), end="")
        return
    from ..questions.summary import show

    show(loaded, plan, folder)


def _pins(
    instance: Instance, run: Path | None, options: str | None, years: str | None, force: list[str], forbid: list[str]
) -> Pins:
    from ..runs.run import read_run
    from ..solving.pins import Pins

    pins = Pins.parse(instance, force, forbid)
    if run is None:
        if options or years:
            raise UsageError("--fix-options and --fix-years choose from a run: name it with --fix-from RUN")
        return pins
    span = None
    if years is not None:
        match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", years)
        if match is None:
            raise UsageError(f'--fix-years "{years}": expected FIRST-LAST, such as 2026-2030')
        span = int(match[1]), int(match[2] or match[1])
    chosen = [o.strip() for o in options.split(",")] if options else None
    return Pins.of(instance, read_run(run), chosen, span) | pins
