"""``planner new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import asked, asks_what_if


@asks_what_if
def new(
    folder: Annotated[Path, typer.Argument(help="folder to write the instance to")],
    base: Annotated[
        Path | None, typer.Option(metavar="INSTANCE", help="make an overlay of this instance or example instead")
    ] = None,
    copy: Annotated[
        Path | None, typer.Option("--from", metavar="INSTANCE", help="copy this instance or example instead")
    ] = None,
) -> None:
    """Write a small, valid instance with every table, to start from; or an overlay, or a copy, of another.

    An overlay holds the what-ifs that are given, and is solved as the base is with these options.

    Examples:

    - `planner new mine`
    - `planner new dear --base allied-2040 --scale demand=1.3`
    - `planner new copy --from tiny`
    """
    from ..instance.scaffold import new as write

    written = write(folder, base, copy=copy, changes=asked())
    print(f"{written}: written; planner validate {folder} checks it, planner solve {folder} solves it")
