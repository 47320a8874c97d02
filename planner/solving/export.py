"""Writes the model as a file that means the same to every solver that reads it.

HiGHS's own files leave three things to the reader. The constant of the objective is read with either sign; so it is the
cost of a column that is fixed at 1. The short names of sections of an LP file are not known everywhere: CBC passes over
``bin`` and ``gen``, so that fractions will do where whole numbers are meant. And glpsol refuses empty sections, and
whole numbers whose bounds are not whole.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from ..writing import whole_file
from .compiling import Arrays
from .programme import Programme
from .solver import Settings
from .units import Units

if TYPE_CHECKING:
    from ..instance.instance import Instance

ENDINGS = (".mps", ".lp")
ROUNDING = 1e-9  # of a bound that is meant to be a whole number
SECTIONS = {"bin": "binary", "gen": "general"}  # as HiGHS calls them -> as every reader knows them


def write_model(instance: Instance, file: Path, overwrite: bool = False) -> None:
    """Write the least-cost model of ``instance`` as MPS or LP (by the file's ending), in kt and MUSD.

    Rows and columns are named family_position, as listed in the formulation; ``constant_0`` is 1 and costs what no
    decision changes. The file is written whole or not at all. Raises UsageError on another ending, OutputError if the
    file exists or cannot be written.
    """
    arrays = _plainly(Programme.of(instance, Settings()).arrays)
    with whole_file(file, overwrite, ENDINGS) as made:
        Programme(arrays, Settings(), Units.same(arrays)).write_model(made)
        if made.suffix == ".lp":
            made.write_text(_with_known_sections(made.read_text(encoding="utf-8")), encoding="utf-8")


def _plainly(arrays: Arrays) -> Arrays:
    """Return the same model with whole bounds of whole numbers, and its constant as the cost of a column that is 1."""
    lower, upper = arrays.col_lower, arrays.col_upper
    arrays = replace(
        arrays,
        col_lower=np.where(arrays.integer, np.ceil(lower - ROUNDING), lower),
        col_upper=np.where(arrays.integer, np.floor(upper + ROUNDING), upper),
    )
    if not arrays.offset:
        return arrays
    wider = arrays.with_columns(sparse.csc_array((len(arrays.row_lower), 1)), arrays.offset, 1.0, 1.0)
    return replace(wider, offset=0.0, columns={**arrays.columns, "constant": {0: len(arrays.cost)}})


def _with_known_sections(text: str) -> str:
    r"""Return the text of an LP file with names of sections that all readers know, and without empty sections.

    >>> _with_known_sections("bounds\n x <= 1\nbin\n x\ngen\nsemi\nend\n")
    'bounds\n x <= 1\nbinary\n x\nend\n'
    """
    for written in (*SECTIONS, "semi"):
        text = re.sub(rf"^{written}\n(?! )", "", text, flags=re.MULTILINE)
    for written, known in SECTIONS.items():
        text = re.sub(rf"^{written}$", known, text, flags=re.MULTILINE)
    return text
