"""Writes the model as a file that other solvers can read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..writing import whole_file
from .programme import Programme
from .solver import Settings

if TYPE_CHECKING:
    from ..instance.instance import Instance

ENDINGS = (".mps", ".lp")


def write_model(instance: Instance, file: Path, overwrite: bool = False) -> None:
    """Write the least-cost model of ``instance`` as MPS or LP (by the file's ending), in kt and MUSD.

    Rows and columns are named family_position, as listed in the formulation. The file is written whole or not at all.
    Raises UsageError on another ending, OutputError if the file exists or cannot be written.
    """
    with whole_file(file, overwrite, ENDINGS) as made:
        Programme.of(instance, Settings()).write_model(made)
