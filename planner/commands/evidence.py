"""``planner evidence``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from .common import AsJson, InstanceFolder, Output, Overwrite, check_output, deliver, load_instance, speaks


@speaks
def evidence(
    instance: InstanceFolder,
    run: Annotated[Path | None, typer.Option(help="a run of it: which ranges weigh most in that plan")] = None,
    stale: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="list what was to be looked at again before this day (2026-11-25)"),
    ] = None,
    output: Output = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Tell how many numbers are published, derived or judged, how sure and old they are, and which weigh most.

    Examples:

    - `planner evidence allied-2040 --run runs/base`
    - `planner evidence allied-2040 --stale 2026-11-26`
    """
    check_output(planner.Evidence, output, overwrite)
    plan = None if run is None else planner.read_run(run)
    deliver(planner.evidence(load_instance(instance), plan, stale), output, overwrite, as_json)
