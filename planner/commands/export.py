"""``planner export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import OutputError
from .common import InstanceFolder, Overwrite, load_instance


def export(
    instance: InstanceFolder,
    file: Annotated[Path, typer.Argument(help="file to write: .mps or .lp")],
    overwrite: Overwrite = False,
) -> None:
    """Write the model as an MPS or LP file, for another solver."""
    from ..errors import UsageError
    from ..solving.export import write_model

    if file.suffix not in (".mps", ".lp"):
        raise UsageError(f"{file}: expected a name that ends in .mps or .lp")
    if file.exists() and not overwrite:
        raise OutputError(f"{file} exists; choose another name, or --overwrite to replace it")
    write_model(load_instance(instance), file)
    print(f"{file}: written")
