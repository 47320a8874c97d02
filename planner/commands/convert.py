"""``planner convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import Overwrite


def convert(
    source: Annotated[Path, typer.Argument(help="folder of an instance, or an .xlsx workbook")],
    target: Annotated[Path, typer.Argument(help="workbook or folder to write, or datapackage.json in the folder")],
    overwrite: Overwrite = False,
) -> None:
    """Convert an instance between folder and Excel workbook, both ways without loss, or describe its tables.

    datapackage.json in the instance's folder describes the tables for other programs (a data package of Frictionless).
    """
    from ..instance.workbook import convert as convert_instance

    print(f"{convert_instance(source, target, overwrite)}: written")
