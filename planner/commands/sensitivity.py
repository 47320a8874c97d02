"""``planner sensitivity``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from .common import AsJson, Overwrite, Scheduler, Workers, check_output, deliver, progress, speaks, tell


@speaks
def sensitivity(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="file that describes the study")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for tables and chart; resumable")
    ] = None,
    overwrite: Overwrite = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Vary numbers of an instance: elasticities, decisions that flip, a tornado; or many at once by samples.

    Examples:

    - `planner sensitivity studies/allied-2040.toml -o runs/tornado`
    """
    from ..questions.many import partial_file

    check_output(planner.Sensitivity, output, overwrite)
    partial = None if output is None else partial_file(output)
    found = planner.sensitivity(study, workers=workers, scheduler=scheduler, partial=partial, **progress())
    if output is not None and found.complete:
        from ..reporting import sensitivity_page

        found.write(output, overwrite, {"chart.html": sensitivity_page(found)})
    deliver(found, None, overwrite, as_json)
    if not found.complete and output is not None:
        tell("the same command goes on from here")
