"""``planner evidence``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .common import AsJson, InstanceFolder, Overwrite, load_instance


def evidence(
    instance: InstanceFolder,
    run: Annotated[Path | None, typer.Option(help="a run of it: which ranges weigh most in that plan")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder to write the tables to")] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Tell how many numbers are sourced or assumed, how sure and old they are, and which weigh most in a plan."""
    from ..questions.evidence.evidence import evidence as gather
    from ..runs.folder import check_folder

    if output is not None:
        check_folder(output, "evidence.json", overwrite)
    held = None
    if run is not None:
        from ..runs.run import read_run

        held = read_run(run)
    found = gather(load_instance(instance), held)
    if output is not None:
        found.write(output, overwrite)
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
