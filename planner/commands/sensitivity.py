"""``planner sensitivity``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .common import AsJson, Overwrite, tell


def sensitivity(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="file that describes the study")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for tables and chart; resumable")
    ] = None,
    overwrite: Overwrite = False,
    workers: Annotated[int | None, typer.Option(help="processes [one per core]")] = None,
    as_json: AsJson = False,
) -> None:
    """Vary numbers of an instance: elasticities, decisions that flip, a tornado; or many at once by samples."""
    from ..questions.sensitivity.result import MANIFEST
    from ..questions.sensitivity.sensitivity import sensitivity as carry_out
    from ..runs.folder import check_folder

    if output is not None:
        check_folder(output, MANIFEST, overwrite)
    partial = None if output is None else output.with_name(f".{output.name}.partial.jsonl")
    found = carry_out(study, workers=workers, partial=partial, progress=tell)
    if output is not None and found.complete:
        from ..reporting import sensitivity_page

        found.write(output, overwrite, {"chart.html": sensitivity_page(found)})
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
    if not found.complete and output is not None:
        tell("the same command goes on from here")
