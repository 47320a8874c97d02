"""The model as a file that other solvers read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError

if TYPE_CHECKING:
    from ..instance.instance import Instance


def write_model(instance: Instance, file: Path) -> None:
    """Write the least-cost model of ``instance`` as MPS or LP (by the file's ending), in kt and MUSD.

    Rows and columns are named family_position, as listed in the formulation.
    """
    from .. import models
    from ..prepare import prepare
    from .solver import Settings, Solver, compile_model

    arrays = compile_model(models.build(prepare(instance).data))
    solver = Solver(arrays, Settings())
    for family, of in arrays.columns.items():
        for index, k in of.items():
            solver.highs.passColName(k, f"{family}_{index}".replace(" ", "_"))
    for family, of in arrays.rows.items():
        for index, k in of.items():
            solver.highs.passRowName(k, f"{family}_{index}".replace(" ", "_"))
    file.parent.mkdir(parents=True, exist_ok=True)
    if "kError" in str(solver.highs.writeModel(str(file))):
        raise OutputError(f"{file} cannot be written")
