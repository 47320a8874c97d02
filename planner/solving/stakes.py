"""What all optional investment is worth: the least cost without any of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .programme import Programme
from .solver import Found

if TYPE_CHECKING:
    from ..models.data import ModelData

NEARLY = 1e-6  # modules


def without_projects(programme: Programme, data: ModelData, seconds: float | None = None) -> Found:
    """Return the plan of least cost that builds nothing but committed projects, and of these the least allowed.

    programme  has the model as it was compiled, and has it again afterwards
    seconds    how long it may take; None: no limit
    """
    rows = programme.arrays.rows.get("modules_least", {})
    columns = programme.arrays.columns.get("build", {})
    optional = np.ones(len(data.build), dtype=bool)
    committed = [(rows[i], limit) for i, limit in enumerate(data.modules) if limit.least > 0.0 and i in rows]
    for row, limit in committed:
        optional[list(limit.starts)] = False
        integer = all(data.build[start].integer for start in limit.starts)
        programme.side(row, limit.least, math.ceil(limit.least - NEARLY) if integer else limit.least)
    with programme.bounded([columns[i] for i in np.flatnonzero(optional).tolist()], 0.0, 0.0):
        found = programme.find(gap=0.0, seconds=seconds)
    for row, limit in committed:
        programme.side(row, limit.least, math.inf)
    return found
