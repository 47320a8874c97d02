"""The relaxation of one model after another, each from the basis of the one before.

A model is prepared and compiled anew for each, so that whatever a what-if changes is right; only the basis is kept, by
the names of columns and rows. That takes a fraction of the steps of a first solve.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..errors import SolverFailed
from .compiling import Arrays, compiled
from .programme import Programme, carried
from .search import Outcome, least_cost, optimise_arrays, relaxation
from .solver import Progress, Settings

if TYPE_CHECKING:
    from ..models.data import ModelData


class Warm:
    """Solves relaxations one after another; see `search.optimise` with ``relax``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last: tuple[Arrays, Any] | None = None

    def relaxed(self, data: ModelData, progress: Progress | None = None) -> Outcome:
        """Return the relaxation of a model; its cost is told to ``progress`` as soon as it is known.

        Raises Unbounded and SolverFailed; without a plan the outcome says so.
        """
        started = time.perf_counter()
        arrays, basis = self.begun(data)
        built = time.perf_counter() - started
        try:
            outcome = optimise_arrays(data, arrays, self._settings, progress, basis=basis)
        except SolverFailed:
            if basis is None:
                raise
            outcome = optimise_arrays(data, arrays, self._settings, progress)
        if outcome.basis is not None:
            self._last = arrays, outcome.basis
        outcome.seconds["build"] += built
        return relaxation(outcome)

    def cost(self, data: ModelData) -> float | None:
        """Return the least cost of the relaxation alone, MUSD; None if it has no plan. Raises as `relaxed`."""
        arrays, basis = self.begun(data)
        programme = Programme(arrays, self._settings)
        if basis is not None:
            programme.basis = basis
        try:
            found = least_cost(programme, None, None, None, None)
        except SolverFailed:
            if basis is None:
                raise
            programme = Programme(arrays, self._settings)  # as `relaxed`: from nothing it may well be solved
            found = least_cost(programme, None, None, None, None)
        if found.optimal:
            self._last = arrays, programme.basis
        return found.value if found.optimal else None

    def begun(self, data: ModelData) -> tuple[Arrays, Any]:
        """Return a compiled model, and the basis from which it is solved; None: none is known."""
        arrays = compiled(data).relaxed
        return arrays, None if self._last is None else carried(self._last[1], self._last[0], arrays)
