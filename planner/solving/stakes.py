"""What all optional investment is worth: the least cost without any of it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SolverFailed
from .programme import Programme
from .solver import Found

if TYPE_CHECKING:
    from ..models.data import ModelData
    from .lshaped import LShaped

NEARLY = 1e-6  # modules


def cost_without_projects(
    programme: Programme, data: ModelData, method: LShaped | None, seconds: float | None = None
) -> float:
    """Return the least cost without any optional project, MUSD; NaN if there is no such plan or it was not found.

    method   the L-shaped method on this model, whose parts are solved sooner than the whole; None: it has none
    seconds  how long it may take; None: no limit
    """
    if method is not None and not data.close and not any(limit.least > 0.0 for limit in data.modules):
        method.ends = math.inf if seconds is None else time.perf_counter() + seconds
        nothing = method.tried(method.arrays.col_lower[method.first])
        method.ends = math.inf
        if nothing is not None and nothing.plan is not None:
            return nothing.value
        seconds = None if seconds is None else 0.5 * seconds
    try:
        found = without_projects(programme, data, seconds)
    except SolverFailed:  # the search for the plan does without this number
        programme.forget()
        return math.nan
    programme.forget()  # a search that is stopped at once must not take this plan for its own
    return programme.cost(found.x) if found.optimal else math.nan


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
    try:
        with programme.bounded([columns[i] for i in np.flatnonzero(optional).tolist()], 0.0, 0.0):
            return programme.find(gap=0.0, seconds=seconds)
    finally:
        for row, limit in committed:
            programme.side(row, limit.least, math.inf)
