"""``planner rerun``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from .common import Overwrite, RunFolder, line, tell


def rerun(
    context: typer.Context,
    run: RunFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder to write the run to [RUN, with --overwrite]")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Give the command again that made a run, as its plan.json records it, such as after a change of the instance.

    Paths in the command count from the current folder.

    Examples:

    - `planner rerun runs/tiny --overwrite`
    - `planner rerun runs/tiny -o runs/tiny-again`
    """
    from ..runs.run import check_target, read_run

    words = read_run(run).plan.get("command")
    if not words:
        raise UsageError(f"{run} does not record a command: it was made in Python, by another command, or long ago")
    target = output or run
    check_target(target, overwrite)
    again = [*words, "-o", str(target), *(["--overwrite"] if overwrite else [])]
    tell(shlex.join(["planner", *again]))
    line.set(tuple(again))
    context.find_root().command.main(again, "planner", standalone_mode=False)
