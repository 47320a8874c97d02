"""``planner new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    folder: Annotated[Path, typer.Argument(help="folder to write the instance to")],
    base: Annotated[Path | None, typer.Option(help="make an overlay of this instance instead")] = None,
) -> None:
    """Write a small, valid instance with every table, to start from; or an overlay of another."""
    from ..instance.scaffold import new as write

    print(f"{write(folder, base)}: written; planner validate {folder} checks it, planner solve {folder} solves it")
