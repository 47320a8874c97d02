"""``planner batch``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from .common import AsJson, Overwrite, Scheduler, Workers, check_output, deliver, progress, speaks, tell


@speaks
def batch(
    scenarios: Annotated[Path, typer.Argument(metavar="SCENARIOS.toml", help="file with named what-ifs")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for the table and the runs; resumable")
    ] = None,
    overwrite: Overwrite = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Solve named what-ifs of one or several instances, and set their numbers side by side.

    Examples:

    - `planner batch scenarios.toml -o runs/batch`
    """
    from ..questions.many import partial_file

    check_output(planner.Batch, output, overwrite)
    partial = None if output is None else partial_file(output)
    found = planner.batch(scenarios, workers=workers, scheduler=scheduler, partial=partial, **progress())
    deliver(found, output if found.complete else None, overwrite, as_json)
    if not found.complete and output is not None:
        tell("the same command goes on from here")
