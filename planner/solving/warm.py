"""The relaxation of one model after another, each from the optimum of the one before.

A model is prepared anew for each, so that whatever a what-if changes is right. Only rows that do not change are those of
the model before, and the basis and the values, by the names of columns and rows, are where the next solve starts. That
takes a fraction of the steps of a first one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .compiling import Arrays
from .programme import Programme, carried, carried_values
from .race import Arrived, Start, raced
from .recompiling import Recompiler
from .search import Outcome, least_cost, optimise_arrays, relaxation
from .solver import Progress, Settings, Standing

if TYPE_CHECKING:
    from ..models.data import ModelData


class Warm:
    """Solves relaxations one after another; see `search.optimise` with ``relax``.

    alone  whether one core is all that each may keep busy
    """

    def __init__(self, settings: Settings, alone: bool) -> None:
        self._settings, self._alone = settings, alone
        self._recompiler = Recompiler()
        self._last: tuple[Arrays, Arrived] | None = None

    def relaxed(self, data: ModelData, progress: Progress | None = None) -> Outcome:
        """Return the relaxation of a model; its cost is told to ``progress`` as soon as it is known.

        Raises Unbounded and SolverFailed; without a plan the outcome says so.
        """
        began = time.perf_counter()
        arrays = self._recompiler.compiled(data).relaxed
        built = time.perf_counter()
        least = self._least(arrays)
        if not least.found.optimal:
            return Outcome(least.found.stopped, False)
        if progress:
            cost = least.found.value
            progress(Standing(f"least cost {cost:,.1f} million", cost, cost))
        solved = time.perf_counter()
        outcome = optimise_arrays(data, arrays, self._settings, basis=least.basis)
        outcome.seconds["build"] += built - began
        outcome.seconds["solve"] += solved - built
        return relaxation(outcome)

    def cost(self, data: ModelData) -> float | None:
        """Return the least cost of the relaxation alone, MUSD; None if it has no plan. Raises as `relaxed`."""
        found = self._least(self._recompiler.compiled(data).relaxed).found
        return found.value if found.optimal else None

    def begun(self, data: ModelData) -> tuple[Arrays, Any]:
        """Return a compiled model, and the basis from which it is solved; None: none is known."""
        arrays = self._recompiler.compiled(data).relaxed
        start = self._start(arrays)
        return arrays, None if start is None else start.basis

    def _start(self, arrays: Arrays) -> Start | None:
        if self._last is None:
            return None
        last, (found, basis) = self._last
        return Start(carried(basis, last, arrays), carried_values(found.x, last, arrays))

    def _least(self, arrays: Arrays) -> Arrived:
        """Return the plan of least cost from the optimum of the model before; if that fails, from nothing."""
        start = self._start(arrays)
        least = None if start is None else raced(arrays, self._settings, start, self._alone)
        if least is None:
            programme = Programme(arrays, self._settings)
            programme.option(dual_simplex_cost_perturbation_multiplier=0.0)  # the next one is then nearer too
            least = Arrived(least_cost(programme, None, None, None, None), programme.basis)
        if least.found.optimal:
            self._last = arrays, least
        return least
