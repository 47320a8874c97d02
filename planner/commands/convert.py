"""``planner convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import Overwrite


def convert(
    source: Annotated[Path, typer.Argument(help="folder of an instance, or an .xlsx workbook")],
    target: Annotated[Path, typer.Argument(help="workbook to write, or folder")],
    overwrite: Overwrite = False,
) -> None:
    """Convert an instance between folder and Excel workbook, both ways without loss."""
    from ..instance.workbook import convert as convert_instance

    print(f"{convert_instance(source, target, overwrite)}: written")
