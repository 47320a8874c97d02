"""``planner convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import Overwrite, tell


def convert(
    source: Annotated[
        Path, typer.Argument(help="folder of an instance, its .xlsx or .ods workbook, or the folder of a run")
    ],
    target: Annotated[
        Path, typer.Argument(help="workbook to write (.xlsx), or folder; or datapackage.json in the instance's folder")
    ],
    overwrite: Overwrite = False,
) -> None:
    """Convert an instance between folder and workbook, both ways without loss; or a run to a workbook of results.

    datapackage.json in the instance's folder describes the tables for other programs (a data package of Frictionless).

    Examples:

    - `planner convert allied-2040 supply.xlsx`
    - `planner convert supply.xlsx supply`
    - `planner convert runs/base results.xlsx`
    - `planner convert magnets magnets/datapackage.json`
    """
    import planner

    from ..errors import InstanceError
    from ..instance.sheets import is_book

    print(f"{planner.convert(source, target, overwrite, tell)}: written")
    if is_book(source):
        try:
            planner.load(source)
        except InstanceError as error:
            count = len(error.issues)
            tell(f"{count} problem{'s' if count > 1 else ''} to mend; planner validate {source} names each cell")
