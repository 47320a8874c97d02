"""``planner alternatives``."""

from __future__ import annotations

from typing import Annotated

import typer

import planner

from ..errors import UsageError
from ..questions.many import partial_file
from . import common
from .common import (
    AsJson,
    Gap,
    InstanceFolder,
    Output,
    Overwrite,
    Scheduler,
    Seed,
    Threads,
    TimeLimit,
    Workers,
    asks_what_if,
    share,
    speaks,
)


@speaks
@asks_what_if
def alternatives(
    instance: InstanceFolder,
    slack: Annotated[float, share("how much dearer a plan may be, such as 3%")] = 0.03,
    plans: Annotated[int, typer.Option(help="how many plans to look for that differ as much as possible")] = 3,
    group: Annotated[
        list[str] | None,
        typer.Option(help="country=, owner=, startup=, stage= or option=: least and most of it; repeatable"),
    ] = None,
    latest: Annotated[bool, typer.Option("--latest/--no-latest", help="latest start of what is always built")] = True,
    pairs: Annotated[
        int, typer.Option(help="how many projects that are built in some plans are looked at in pairs")
    ] = 8,
    output: Output = None,
    runs: Annotated[bool, typer.Option("--runs", help="write each plan as an audited run too")] = False,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Find what near-optimal plans have in common: no-regret projects, ranges, and plans that differ most.

    Examples:

    - `planner alternatives allied-2040 --slack 3% --plans 5 -o runs/near`
    """
    if runs and output is None:
        raise UsageError("--runs writes into the folder of the tables: name it with -o FOLDER")
    common.check_output(planner.Alternatives, output, overwrite)
    near_optimal = planner.alternatives(
        common.load_instance(instance),
        slack=slack,
        plans=plans,
        groups=group or (),
        latest=latest,
        pairs=pairs,
        workers=workers,
        scheduler=scheduler,
        partial=None if output is None else partial_file(output),
        **common.search(gap, time_limit, threads, seed),
    )
    common.deliver(near_optimal, output, overwrite, as_json)
    if not near_optimal.complete and output is not None:
        common.tell("the same command with --overwrite goes on from here")
    if output is not None and runs:
        for number, name in enumerate(near_optimal.names):
            common.tell(f"writing {name} as a run")
            near_optimal.plan(name, threads=threads, seed=seed).write(output / "runs" / f"plan-{number}")
