"""The relaxation of one model after another, each from the basis of the one before.

A model is prepared and compiled anew for each, so that whatever a what-if changes is right; only the basis is kept, by
the names of columns and rows. That takes a fraction of the steps of a first solve.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..errors import SolverFailed
from .compiling import Arrays, compiled
from .programme import carried
from .search import Outcome, optimise_arrays, relaxation
from .solver import Settings

if TYPE_CHECKING:
    from ..models.data import ModelData


class Warm:
    """Solves relaxations one after another; see `search.optimise` with ``relax``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last: tuple[Arrays, Any] | None = None

    def relaxed(self, data: ModelData) -> Outcome:
        """Return the relaxation of a model. Raises Unbounded and SolverFailed; without a plan the outcome says so."""
        started = time.perf_counter()
        arrays = compiled(data).relaxed
        basis = None if self._last is None else carried(self._last[1], self._last[0], arrays)
        built = time.perf_counter() - started
        try:
            outcome = optimise_arrays(data, arrays, self._settings, basis=basis)
        except SolverFailed:
            if basis is None:
                raise
            outcome = optimise_arrays(data, arrays, self._settings)
        if outcome.basis is not None:
            self._last = arrays, outcome.basis
        outcome.seconds["build"] += built
        return relaxation(outcome)
