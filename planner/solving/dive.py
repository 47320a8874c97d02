"""Diving: whole numbers near a relaxation, found by fixing some, solving again, and so on."""

from __future__ import annotations

import numpy as np

from .programme import Programme
from .solver import Found

WHOLE = 1e-6  # a number this close to a whole one counts as whole
ROUND_UP, ROUND_DOWN = 0.7, 0.1  # all numbers are rounded at once whose fraction is at least, or at most, this


def dive(programme: Programme, whole: np.ndarray, found: Found, watched: bool = True) -> Found | None:
    """Return a solution of a relaxation in which some columns are whole; None if the dive failed.

    whole    positions of these columns; their bounds are those of ``programme.arrays`` afterwards
    found    solution of the relaxation
    watched  see `Solver.find`

    At each step those that are nearly whole are fixed. If no plan is left then, only the one nearest to a whole number
    is fixed; if there still is none, this one is rounded to its other side.
    """
    arrays = programme.arrays
    low, high = arrays.col_lower[whole].copy(), arrays.col_upper[whole].copy()
    try:
        while True:
            x = found.x[whole]
            away = np.abs(x - np.round(x))
            open_ = np.flatnonzero(away > WHOLE)
            if not len(open_):
                return found
            part = x - np.floor(x)
            near = open_[(part[open_] >= ROUND_UP) | (part[open_] <= ROUND_DOWN)]
            nearest = open_[[np.argmin(away[open_])]]
            other = np.floor(x[nearest]) + np.ceil(x[nearest]) - np.round(x[nearest])
            for fixed, values in ((near, np.round(x[near])), (nearest, np.round(x[nearest])), (nearest, other)):
                if not len(fixed):
                    continue
                lower, upper = low.copy(), high.copy()
                lower[fixed] = upper[fixed] = values
                programme.bound(whole, lower, upper)
                found = programme.find(sure=False, keep=True, watched=watched)
                if found.optimal:
                    break
                if found.stopped != "infeasible":
                    return None
            else:
                return None
            low, high = lower, upper
    finally:
        programme.bound(whole, arrays.col_lower[whole], arrays.col_upper[whole])
