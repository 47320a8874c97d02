"""A linear programme of near-optimal plans, which is asked again and again from the same plan."""

from __future__ import annotations

import math

import numpy as np

from ...solving.compiling import Arrays
from ...solving.programme import Programme
from ...solving.solver import Found, Settings


class Near(Programme):
    """Near-optimal plans, with no whole number left to decide.

    Every question starts from the basis of one plan, so that its answer does not depend on what was asked before. The
    plan of least cost keeps the ceiling, so its basis is feasible whatever the aim is, and the primal simplex goes on
    from there; the dual simplex would have to find its way from a basis that is of no use for another aim.

    most     the ceiling, MUSD, without the constant of the model
    scale    factor on the row of the ceiling
    seconds  for each question; None: no limit
    """

    def __init__(self, arrays: Arrays, settings: Settings, most: float, scale: float, seconds: float | None) -> None:
        super().__init__(arrays, settings)
        self.seconds, self.scale = seconds, scale
        self.start, self.begun = None, False
        self.ceiling = most * scale
        self.row = self.add_limit(arrays.cost, most, scale)

    def cheapest(self) -> Found:
        """Return the plan of least cost within the bounds that hold now; it may cost more than the ceiling.

        A ceiling would be a row equal to the objective, at which the simplex was seen to stall.
        """
        self.side(self.row, -math.inf, math.inf)
        self.objective(self.arrays.cost)
        self.start_from(self.start)
        return self.find(sure=False, seconds=self.seconds)

    def begin(self) -> Found:
        """Start from the plan of least cost within the bounds that hold now, from now on; return it.

        If the time does not suffice, the next attempt goes on from there.
        """
        found = self.cheapest()
        self.start, self.begun = self.basis, found.optimal
        return found

    def dearer(self, found: Found) -> bool:
        """Whether a plan costs more than the ceiling."""
        return float(self.arrays.cost @ found.x) * self.scale > self.ceiling

    def least(self, aim: np.ndarray) -> Found:
        """Return the plan with the least ``aim x`` within the ceiling and the bounds that hold now.

        If no plan within them costs as little as the ceiling, the cheapest one is returned.
        """
        if not self.begun and (not (found := self.begin()).optimal or self.dearer(found)):
            return found
        self.side(self.row, -math.inf, self.ceiling)
        self.objective(aim)
        self.start_from(self.start)
        with self.going_on():
            return self.find(sure=False, seconds=self.seconds)
