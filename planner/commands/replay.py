"""``planner replay``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from ..questions.many import partial_file
from . import common
from .common import AsJson, Output, Overwrite, RunInstance, Scheduler, Workers, speaks


@speaks
def replay(
    runs: Annotated[list[Path], typer.Argument(help="folders of plans, and of roadmaps (planner roadmap -o)")],
    samples: Annotated[int, typer.Option(help="futures to draw; a power of 2 serves best")] = 32,
    rebuild_after: Annotated[
        str, typer.Option(metavar="YEARS", help="something else may be started so long after the news; or never")
    ] = "1",
    seed: Annotated[int, typer.Option(help="of the futures")] = 0,
    instance: RunInstance = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    output: Output = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Follow plans and roadmaps through the same drawn futures, each with only what is known by then.

    Examples:

    - `planner replay runs/base runs/hedged -o runs/replay`
    - `planner replay runs/base runs/roadmap --samples 64`
    """
    common.check_output(planner.Replay, output, overwrite)
    found = planner.replay(
        *runs,
        instance=instance,
        samples=samples,
        seed=seed,
        rebuild_after=common.years_after(rebuild_after),
        workers=workers,
        scheduler=scheduler,
        partial=None if output is None else partial_file(output),
        **common.progress(),
    )
    common.deliver(found, output, overwrite, as_json)
    if not found.complete and output is not None:
        common.tell("the same command with --overwrite goes on from here")
