"""``planner roadmap``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from . import common
from .common import AsJson, InstanceFolder, Output, Overwrite, Seed, Threads, TimeLimit, asks_what_if, share, speaks


@speaks
@asks_what_if
def roadmap(
    instance: InstanceFolder,
    leaves: Annotated[int, typer.Option(help="courses of events, at most; the most probable ones")] = 8,
    rebuild_after: Annotated[
        int, typer.Option(metavar="YEARS", help="something else may be started so long after the news")
    ] = 1,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="RUN", help="today's plan [the best one if nothing happens]")
    ] = None,
    values: Annotated[
        bool, typer.Option("--values/--no-values", help="find what answering, knowing and waiting are worth")
    ] = True,
    waiting: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="for so many projects, those of most capex at gates first, find what waiting is worth "
            "[all up to 200 integer decisions, else 5]",
        ),
    ] = None,
    output: Output = None,
    overwrite: Overwrite = False,
    gap: Annotated[
        float | None, share("relative gap of each search of the tree [proven up to 200 integer decisions, else 0.5%]")
    ] = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find what to sign now, and what to decide at which news.

    Examples:

    - `planner roadmap mine -o runs/roadmap`
    """
    common.check_output(planner.Roadmap, output, overwrite)
    found = planner.roadmap(
        common.load_instance(instance),
        leaves=leaves,
        rebuild_after=rebuild_after,
        plan=plan,
        values=values,
        waiting=waiting,
        **common.search(gap, time_limit, threads, seed),
    )
    common.deliver(found, output, overwrite, as_json)
