"""The model of an instance that is compiled once, and solved again with other bounds, sides and costs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from ...errors import SolverFailed, UsageError
from ...prepare import PLAN
from ...solving.blocks import first_stage
from ...solving.lshaped import LShaped, Planes
from ...solving.parts import FEWEST_COLUMNS
from ...solving.programme import Programme
from ...solving.search import by_parts, least_cost
from ...solving.solver import Found, Settings

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import Option

BUILT = 1e-9  # modules; a smaller number counts as none
SLIVER = 1e-7  # modules by which a size may lie below another and count as it
SAME = 1e-9  # relative; two costs that differ by less count as equal
Builds = dict[tuple[str, int] | tuple[str, int, str], float]  # option, start year, scenario of a branch -> modules


@dataclass(frozen=True, eq=False)
class Step:
    """A change that eases one limit: of a row, or of the upper bound of a column.

    row, column  position of the row, or else of the column
    more         rise of the upper side of the row, or of the upper bound of the column, in the unit of the model
    less         fall of the lower side of the row, in the unit of the model
    entries      column -> change of its coefficient in the row; a cap on a share has its limit in the coefficients
    """

    row: int | None = None
    column: int | None = None
    more: float = 0.0
    less: float = 0.0
    entries: Mapping[int, float] = field(default_factory=dict)


class Model:
    """The model of an instance, compiled once and then solved under one change at a time.

    programme  the compiled model and its solver
    prepared   the instance as model data, ``data``
    arrays     matrix, sides, bounds and costs of the compiled model
    columns    position in ``data.build`` -> column of its modules
    starts     option -> its positions in ``data.build``
    whole      positions of the integer columns; integer array
    lanes      those of them that tell whether a lane is used, and ``used`` their values when builds were held last
    basis      basis from which every linear programme of this model starts; None: from nothing. So no answer depends
               on what was solved before
    proven     whether optima are proven, so that differences between costs are exact
    """

    basis: Any = None

    def __init__(self, instance: Instance, settings: Settings) -> None:
        self.instance = instance
        self.settings = settings
        self.programme = Programme.of(instance, settings)
        self.prepared = self.programme.prepared
        self.data, self.arrays = self.prepared.data, self.programme.arrays
        self.whole = self.arrays.whole
        self.columns = self.arrays.columns.get("build", {})
        self.starts: dict[str, list[int]] = defaultdict(list)
        for i, start in enumerate(self.data.build):
            self.starts[start.option].append(i)
        self.lanes = np.array(sorted(self.arrays.columns.get("used", {}).values()), dtype=int)
        self.used = np.zeros(len(self.lanes))
        self.proven = settings.gap_for(len(self.whole)) <= SAME

    def planned(self, option: str) -> list[int]:
        """Return those of an option's ``starts`` that are the plan's, not those that a branch decides on."""
        return [i for i in self.starts[option] if self.data.build[i].branch == PLAN]

    def modules(self, builds: Builds) -> np.ndarray:
        """Return the modules of builds by position in ``data.build``; float array of its length.

        Raises UsageError on a start that the model does not permit.
        """
        counts = np.zeros(len(self.data.build))
        position = {start.key: i for i, start in enumerate(self.data.build)}
        for key, modules in builds.items():
            if key in position:
                counts[position[key]] = modules
            elif len(key) == 2 and modules > BUILT:  # a branch has in its table what it shares too
                raise UsageError(f"the run starts {key[0]} in {key[1]}, which the instance does not permit")
        return counts

    def modules_of(self, values: np.ndarray) -> np.ndarray:
        """Return the modules of a solution by position in ``data.build``; float array of its length.

        values  one value for each column
        """
        return np.array([values[self.columns[i]] for i in range(len(self.data.build))])

    def whole_numbers(self, modules: np.ndarray) -> np.ndarray:
        """Return the values of the integer columns that belong to given modules.

        modules  by position in ``data.build``

        Returns a float array of the length of ``whole``.
        """
        values = np.zeros(len(self.arrays.cost))
        for i, k in self.columns.items():
            values[k] = modules[i]
        chosen = self.arrays.columns.get("chosen", {})
        for i, choice in enumerate(self.data.chosen):
            values[chosen[i]] = 1.0 if any(modules[start] > BUILT for start in choice.starts) else 0.0
        full = self.arrays.columns.get("full", {})
        for of in self.data.excess:
            reached = 0.0
            for k in of.steps:
                reached += self.data.fill[k].share
                if k in full:
                    values[full[k]] = 1.0 if modules[of.start] > reached - SLIVER else 0.0
        values[self.lanes] = self.used
        return np.round(values[self.whole])

    def capital(self, option: str) -> dict[int, float]:
        """Return column -> present value of the capital cost of an option, MUSD per unit of the column."""
        starts = ((self.columns[i], self.data.build[i]) for i in self.starts[option])
        cost = {column: start.annuity * start.probability for column, start in starts}
        sized = ((i, of) for i, of in enumerate(self.data.excess) if of.option == option)
        return cost | {self.arrays.columns["excess"][i]: of.annuity * of.probability for i, of in sized}

    def most_capital(self, option: Option) -> float:
        """Return a present value of capital cost that no plan's modules of an option exceed, MUSD.

        A start of an option with sizes costs at most what its largest size costs, but several small ones together may
        cost more than as many modules would.
        """
        starts = self.starts[option.option]
        dearest = max((self.data.build[i].annuity * self.data.build[i].probability for i in starts), default=0.0)
        return dearest * (len(starts) if option.option in self.instance.sizes else option.max_modules)

    def least_modules(self, option: Option) -> float:
        """Return the least of an option that is built, modules: one, or of an option with sizes its smallest size."""
        sizes = self.instance.sizes.get(option.option)
        return min(sizes[0][0] / option.module_t if sizes else 1.0, option.max_modules)

    def hold(self, modules: np.ndarray, all_builds: bool, raised: Mapping[int, float] | None = None) -> Found | None:
        """Solve for the operations with the builds held; None if there is no plan with these builds.

        modules     by position in ``data.build``
        all_builds  whether modules of divisible options are held too, and not only the integer columns
        raised      column -> rise of its upper bound, in the unit of the column

        Raises SolverFailed if the solve ends neither with an optimum nor with a proof that there is no plan.
        """
        self.programme.restore()
        if all_builds:
            self.programme.hold([self.columns[i] for i in range(len(modules))], modules)
        built = np.setdiff1d(self.whole, self.lanes)
        self.programme.hold(built, self.whole_numbers(modules)[np.isin(self.whole, built)])
        for k, more in (raised or {}).items():
            self.programme.bound([k], self.arrays.col_lower[k], self.arrays.col_upper[k] + more)
        if len(self.lanes):  # first which of them are used, then the rest, whose shadow prices are asked for
            chosen = self.programme.find(seconds=self.settings.time_limit)
            if not chosen.held:
                return None
            self.used = np.round(chosen.x[self.lanes])
            self.programme.hold(self.lanes, self.used)
        self.programme.start_from(self.basis)
        if self.basis is None and not all_builds and len(self.arrays.cost) >= FEWEST_COLUMNS:
            rest = [k for i, k in self.columns.items() if not self.arrays.integer[k]]
            values = [modules[i] for i, k in self.columns.items() if not self.arrays.integer[k]]
            with self.programme.bounded(rest, values, values):  # from there the rest takes few steps
                self.programme.find(sure=False, seconds=self.settings.time_limit)
        found = self.programme.find(seconds=self.settings.time_limit)
        if found.stopped == "infeasible":
            return None
        if not found.optimal:
            raise SolverFailed(f"the plan could not be solved again with its builds held: {found.stopped}")
        return found

    def objective(self, values: np.ndarray, cheaper: Mapping[int, float] | None = None) -> float:
        """Return the present value of the cost of a solution, MUSD.

        values   one value for each column
        cheaper  column -> amount that is taken off its unit cost, MUSD per unit
        """
        cost = float(self.arrays.cost @ values) + self.arrays.offset
        return cost - sum(values[k] * amount for k, amount in (cheaper or {}).items())

    def solve(
        self,
        *,
        close: Collection[str] = (),
        lift: Collection[str] = (),
        least: tuple[str, float] | None = None,
        cheaper: Mapping[int, float] | None = None,
        start: np.ndarray | None = None,
    ) -> Found:
        """Find the least-cost plan under a change, and return it with its cost and lower bound, MUSD.

        close    options that must not be built
        lift     options whose committed modules (``min_modules``) are waived
        least    an option, and the least number of its modules that must be built over all its starts
        cheaper  column -> amount by which its unit cost falls, MUSD per unit
        start    modules by position in ``data.build``, tried as an incumbent

        Returns what the search found; ``held`` of it is False if it ended without a plan.
        """
        programme = self.programme
        programme.restore()
        programme.start_from(None if len(self.whole) else self.basis)
        closed = [self.columns[i] for option in close for i in self.starts[option]]
        programme.bound(closed, self.arrays.col_lower[closed], 0.0)
        cost = self.arrays.cost.copy()
        for k, amount in (cheaper or {}).items():
            cost[k] -= amount
        if cheaper:
            programme.objective(cost)
        built = None if least is None else [self.columns[i] for i in self.planned(least[0])]
        if least is not None and built is not None:
            programme.add_row(built, 1.0, lower=least[1])
        waived = self._committed(lift)
        for row in waived:
            programme.side(row, 0.0, math.inf)
        method = self._by_parts(cost, closed, waived, built, 0.0 if least is None else least[1])
        known = None
        if start is not None and len(self.whole):
            known = np.zeros(len(cost))
            known[list(self.columns.values())] = start
            known[self.whole] = self.whole_numbers(start)
        try:
            found = least_cost(programme, method, known, self.settings.time_limit, None)
        finally:
            for row in waived:
                programme.side(row, self.arrays.row_lower[row], self.arrays.row_upper[row])
        if not found.held:
            return found
        objective = self.objective(found.x, cheaper)
        bound = found.bound if len(self.whole) or not found.optimal else objective
        return replace(found, value=objective, bound=min(bound, objective))

    @cached_property
    def _planes(self) -> Planes | None:
        """Planes of the L-shaped method from a search of this model; None if it does not fall apart into parts."""
        method = by_parts(self.programme, LShaped)
        if method is not None:
            best = method.search(self.programme.gap, self.settings.time_limit, None, None)
            if best.why == "interrupted":
                raise KeyboardInterrupt
        return None if method is None else method.kept

    def _by_parts(
        self, cost: np.ndarray, closed: list[int], waived: list[int], built: list[int] | None, least: float
    ) -> LShaped | None:
        """Return the L-shaped method for the model under a change, with the planes of the model as it is.

        cost    of each column, MUSD per unit
        closed  columns that are held at 0
        waived  rows that need no longer be kept
        built   columns of which ``least`` must be built together; None: there is no such rule

        A change of investment alone leaves the operations, and so the planes below their costs, as they are. None if
        the model does not fall apart, or if costs of operations change.
        """
        arrays = self.arrays
        if not closed and not waived and built is None and (cost == arrays.cost).all():
            return by_parts(self.programme, LShaped)
        if not len(self.whole) or self._planes is None:
            return None
        if (cost != arrays.cost)[~first_stage(arrays)].any():
            return None
        upper, row_lower, row_upper = arrays.col_upper.copy(), arrays.row_lower.copy(), arrays.row_upper.copy()
        upper[closed] = np.minimum(upper[closed], 0.0)
        row_lower[waived], row_upper[waived] = 0.0, math.inf
        changed = replace(arrays, cost=cost, col_upper=upper, row_lower=row_lower, row_upper=row_upper)
        if built is not None:
            row = sparse.coo_array((np.ones(len(built)), (np.zeros(len(built), dtype=int), built)), (1, len(cost)))
            changed = changed.with_rows(row, least, math.inf)
        method = LShaped.of(changed, self.settings)
        if method is not None:
            method.adopt(self._planes)
        return method

    def _committed(self, options: Collection[str]) -> list[int]:
        """Return the positions of the rows that require committed modules (``min_modules``) of some options."""
        rows = self.arrays.rows.get("modules_least", {})
        return [row for i, row in rows.items() if self.data.modules[i].option in options]

    def scaled(self, option: str, factor: float) -> Model:
        """Return the model in which modules of an option are ``factor`` times as large at the same capex.

        factor  on capacity and fixed O&M of a module, above 0
        """
        arrays = self.arrays
        matrix = arrays.matrix.copy()
        cost = arrays.cost.copy()
        capacity_rows = np.array(sorted(arrays.rows.get("capacity_limit", {}).values()))
        for i in self.starts[option]:
            k = self.columns[i]
            span = slice(matrix.indptr[k], matrix.indptr[k + 1])
            matrix.data[span] *= np.where(np.isin(matrix.indices[span], capacity_rows), factor, 1.0)
            cost[k] += self.data.build[i].probability * self.data.build[i].fixed_om * (factor - 1.0)
        other = copy(self)
        vars(other).pop("_planes", None)  # they are of modules as they were
        other.arrays = replace(arrays, matrix=matrix, cost=cost)
        other.programme = Programme(other.arrays, self.settings)
        return other
