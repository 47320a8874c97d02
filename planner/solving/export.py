"""Writes the model as a file that other solvers can read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .programme import Programme
from .solver import Settings

if TYPE_CHECKING:
    from ..instance.instance import Instance


def write_model(instance: Instance, file: Path) -> None:
    """Write the least-cost model of ``instance`` as MPS or LP (by the file's ending), in kt and MUSD.

    Rows and columns are named family_position, as listed in the formulation. Raises OutputError.
    """
    Programme.of(instance, Settings()).write_model(file)
