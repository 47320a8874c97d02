"""The relaxation of one model after another, each from the optimum of one before.

Rows that do not change are those of the model before; basis and values are where the next solve starts, by the names of
columns and rows. That takes a fraction of the steps of a first one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from math import inf
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .compiling import Arrays, Names
from .programme import Programme, carried, carried_values
from .race import Arrived, Start, raced
from .recompiling import Recompiler
from .search import Outcome, least_cost, optimise_arrays, relaxation
from .solver import Progress, Settings, Standing

if TYPE_CHECKING:
    from ..models.data import ModelData

KEPT = 32  # optima
NEARER = 0.3  # of the distance of the last optimum: an earlier one that is nearer is started from too


class Kept(NamedTuple):
    """An optimum from which another model may start; ``prices`` are the shadow prices of its rows, shape (rows,)."""

    names: Names
    start: Start
    prices: np.ndarray

    def of(self, names: Names) -> Kept:
        """Return it for a model with other columns and rows."""
        if self.names is names:
            return self
        basis, parts = (of and carried(of, self.names, names) for of in (self.start.basis, self.start.parts))
        x = carried_values(self.start.x, self.names.columns, names.columns)
        return Kept(names, Start(basis, x, parts), carried_values(self.prices, self.names.rows, names.rows))


def apart(kept: Kept, arrays: Arrays) -> float:
    """Return how far the plan and the prices of an optimum are from being one of a model with the same names, MUSD.

    Counted are what the prices give for room that the plan leaves, and for what it has beyond a bound, as in the
    difference of a primal and a dual objective; and what it breaks of rows, at 1 MUSD per unit.
    """
    x, prices = kept.start.x, kept.prices
    activity, reduced = arrays.matrix @ x, arrays.cost - arrays.matrix.T @ prices
    broken = np.maximum(arrays.row_lower - activity, 0.0) + np.maximum(activity - arrays.row_upper, 0.0)
    side = np.where(prices > 0.0, arrays.row_lower, arrays.row_upper)
    bound = np.where((reduced < 0.0) & np.isfinite(arrays.col_upper), arrays.col_upper, arrays.col_lower)
    room = activity - np.where(np.isfinite(side), side, activity)
    beyond = x - np.where(np.isfinite(bound), bound, x)
    return float(broken.sum() + np.abs(prices * room).sum() + np.abs(reduced * beyond).sum())


def nearer(last: Kept, others: Sequence[Kept], arrays: Arrays) -> Start | None:
    """Return the one of other optima that is nearest to a model, if it is much nearer than the last one."""
    distance, nearest = min(((apart(kept, arrays), kept) for kept in others), key=itemgetter(0), default=(inf, last))
    return nearest.start if distance < NEARER * apart(last, arrays) else None


class Warm:
    """Solves relaxations one after another; see `search.optimise` with ``relax``.

    alone  whether one core is all that each may keep busy
    """

    def __init__(self, settings: Settings, alone: bool) -> None:
        self._settings, self._alone = settings, alone
        self._recompiler = Recompiler()
        self._kept: deque[Kept] = deque(maxlen=KEPT)

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
        if not self._kept:
            return arrays, None
        last, others = self._known(self._named(arrays))
        return arrays, (nearer(last, others, arrays) or last.start).basis

    def _known(self, names: Names) -> tuple[Kept, list[Kept]]:
        """Return the last optimum, for a model with these names, and others of such models."""
        last = self._kept[-1].of(names)
        return last, [kept for kept in self._kept if kept.names is names and kept is not last]

    def _named(self, arrays: Arrays) -> Names:
        """Return the names of a model, in those very objects in which they are kept if they are."""
        known = {id(kept.names): kept.names for kept in self._kept}.values()
        return next((names for names in known if names == arrays.names), arrays.names)

    def _least(self, arrays: Arrays) -> Arrived:
        """Return the plan of least cost from optima of models before; if that fails, from nothing."""
        names = self._named(arrays)
        least = None
        if self._kept:
            last, others = self._known(names)
            least = raced(arrays, self._settings, last.start, partial(nearer, last, others, arrays), self._alone)
        if least is None:
            programme = Programme(arrays, self._settings)
            programme.option(dual_simplex_cost_perturbation_multiplier=0.0)  # the next one is then nearer too
            least = Arrived(least_cost(programme, None, None, None, None), programme.basis)
        if least.found.optimal:
            self._kept.append(Kept(names, Start(least.basis, least.found.x, least.parts), least.found.duals))
        return least
