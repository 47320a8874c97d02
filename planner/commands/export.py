"""``planner export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import InstanceFolder, Overwrite, asks_what_if, load_instance


@asks_what_if
def export(
    instance: InstanceFolder,
    file: Annotated[Path, typer.Argument(help="file to write: .mps or .lp")],
    overwrite: Overwrite = False,
) -> None:
    """Write the model as an MPS or LP file, for another solver.

    Examples:

    - `planner export allied-2040 allied.mps`
    """
    from ..solving.export import ENDINGS, write_model
    from ..writing import check_file

    check_file(file, overwrite, ENDINGS)
    write_model(load_instance(instance), file, overwrite)
    print(f"{file}: written")
