"""The operations of a model in parts that no row connects, once its investment is held."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from ..cores import free_cores
from ..errors import SolverFailed
from .blocks import connected, first_stage, part_of
from .compiling import Arrays
from .programme import AT_LOWER, AT_UPPER, BASIC, Programme, basis_of, statuses
from .solver import Found, Settings

LARGEST_PART = 0.6  # of the columns of the operations; with a larger one the method has nothing to split
FEWEST_COLUMNS = 3000  # smaller models are solved as fast as a whole
BROKEN = 1e-7  # kt, kt/yr: rows broken by less are kept
PENALTY = 100.0  # price of breaking a row by a unit, times the dearest column of the part


@dataclass
class Part:
    """Operations that no row connects with others.

    rows, columns  positions in the whole model
    linked         positions in ``rows`` of those that hold investment too
    links          entries of these rows in the investment, sparse, shape (linked rows, columns of investment)
    breakable      whether its linked rows can be broken, by further columns
    """

    rows: np.ndarray
    columns: np.ndarray
    linked: np.ndarray
    links: Any
    arrays: Arrays
    programme: Programme
    breakable: bool = False


@dataclass
class Trial:
    """What the operations cost at an investment.

    x       the investment, in the order of ``LShaped.first``
    value   cost of both, MUSD
    plan    values of all columns of the model; None: a row had to be broken, so that it is no plan
    values  cost of each part, MUSD
    given   by part: what the investment gives to its linked rows
    prices  by part: shadow prices of these rows, MUSD per unit
    """

    x: np.ndarray
    value: float
    plan: np.ndarray | None
    values: np.ndarray
    given: list[np.ndarray]
    prices: list[np.ndarray]


class Parts:
    """The parts of one model, each with a solver of its own. `of` tells whether it has any.

    first  positions of the columns of investment
    own    positions of the rows that hold investment only
    ends   when, by the clock, parts are solved no further
    """

    def __init__(
        self, arrays: Arrays, settings: Settings, parts: list[Part], first: np.ndarray, own: np.ndarray
    ) -> None:
        self.arrays, self.settings, self.parts, self.first, self.own = arrays, settings, parts, first, own
        # each part has a solver of its own, so they are solved at the same time; the result is the same
        self.threads = ThreadPoolExecutor(free_cores())
        self.ends = math.inf

    @classmethod
    def of(cls, arrays: Arrays, settings: Settings) -> Self | None:
        """Return the parts of a model; None if the model is small, or if nothing much of it falls apart."""
        if len(arrays.cost) < FEWEST_COLUMNS or arrays.integer[~(first := first_stage(arrays))].any():
            return None
        by_row = sparse.csr_array(arrays.matrix)
        invested, operated = np.flatnonzero(first), np.flatnonzero(~first)
        after = by_row[:, operated]
        operating = np.diff(after.indptr) > 0
        rows = np.flatnonzero(operating)
        fixed = (arrays.col_lower == arrays.col_upper)[operated]  # always at one value, so they connect nothing
        free = np.flatnonzero(~fixed)
        of_row, of_column = connected(after[rows][:, free])
        sizes = np.bincount(of_column, minlength=int(max(of_row.max(), of_column.max())) + 1)
        if sizes.max() > LARGEST_PART * len(free):
            return None
        label_of_row = np.full(after.shape[0], -1)
        label_of_row[rows] = of_row
        if not np.isin(of_row, of_column).all():  # a row of nothing but fixed columns would be in no part
            return None
        # a fixed column belongs to the part of its rows; one in several parts, or in none, must be 0 to be left out
        label = np.full(len(operated), -1)
        label[free] = of_column
        by_column = sparse.csc_array(after)
        for k in np.flatnonzero(fixed).tolist():
            parts_of = np.unique(label_of_row[by_column.indices[by_column.indptr[k] : by_column.indptr[k + 1]]])
            if len(parts_of) == 1:
                label[k] = parts_of[0]
            elif arrays.col_lower[operated[k]] != 0.0:
                return None
        links = by_row[:, invested]
        parts = []
        for name in np.unique(of_column).tolist():
            mine, columns = np.flatnonzero(label_of_row == name), operated[label == name]
            own = part_of(arrays, mine, columns)
            linked = np.flatnonzero(np.diff(links[mine].indptr) > 0)
            parts.append(Part(mine, columns, linked, links[mine[linked]], own, Programme(own, settings)))
        return cls(arrays, settings, parts, invested, np.flatnonzero(~operating))

    def tried(self, x: np.ndarray) -> Trial | None:
        """Solve the operations at an investment; None if a part is infeasible whatever is invested."""
        plan = np.zeros(len(self.arrays.cost))
        plan[self.first] = x
        values, prices, whole = np.zeros(len(self.parts)), [], True
        given = [part.links @ x for part in self.parts]
        solved = [self.threads.submit(self._solved, *of) for of in zip(self.parts, given, strict=True)]
        try:
            wait(solved)
        finally:  # after Ctrl-C too: a part that still ran would be changed while it is solved, which ends the process
            wait(solved)
        for k, (part, result) in enumerate(zip(self.parts, solved, strict=True)):
            found = result.result()
            if not found.optimal:
                return None
            count = len(part.columns)
            whole = whole and not (part.breakable and found.x[count:].max(initial=0.0) > BROKEN)
            plan[part.columns] = found.x[:count]
            values[k] = found.value
            prices.append(found.duals[part.linked])
        cost = float(self.arrays.cost[self.first] @ x) + self.arrays.offset + float(values.sum())
        return Trial(x, cost, plan if whole else None, values, given, prices)

    def _solved(self, part: Part, taken: np.ndarray) -> Found:
        """Solve a part at what the investment gives to its linked rows, from the basis that it has."""
        if not part.breakable:
            try:
                found = self._once(part, taken)
            except SolverFailed:  # what is infeasible by little has been seen to be neither solved nor refuted
                found = None
            if found is not None and found.stopped != "infeasible":
                return found
            self._make_breakable(part)
        return self._once(part, taken)

    @staticmethod
    def hold(part: Part, taken: np.ndarray) -> None:
        """Hold the investment in a part: ``taken`` is what it gives to the linked rows."""
        linked = part.linked
        part.programme.side(linked, part.arrays.row_lower[linked] - taken, part.arrays.row_upper[linked] - taken)

    def _once(self, part: Part, taken: np.ndarray) -> Found:
        self.hold(part, taken)
        left = self.ends - time.perf_counter()
        if left == math.inf:
            return part.programme.find(watched=False)
        return part.programme.find(seconds=max(0.0, left), watched=False)

    def _make_breakable(self, part: Part) -> None:
        """Add columns by which the rows with investment can be broken, at a high price."""
        count = len(part.linked)
        price = PENALTY * max(float(np.abs(part.arrays.cost).max(initial=0.0)), 1.0)
        for sign in (1.0, -1.0):
            entries = sparse.csc_array(
                (np.full(count, sign), (part.linked, np.arange(count))), shape=(len(part.rows), count)
            )
            part.arrays = part.arrays.with_columns(entries, price, 0.0, np.inf)
        part.programme, part.breakable = Programme(part.arrays, self.settings), True

    def basis(self, x: np.ndarray) -> Any:
        """Return a basis of the whole model from those of its parts at an investment; None if rows had to be broken.

        Columns of investment lie at the nearer one of their bounds.
        """
        if self.tried(x) is None or any(part.breakable for part in self.parts):
            return None
        return self.put_together(x > 0.5 * self.arrays.col_upper[self.first])

    def put_together(self, most: np.ndarray) -> Any:
        """Return a basis of the whole model from those that its parts have now.

        most  which columns of investment lie at their upper bound, and not at their lower one: bool, shape of ``first``
        """
        columns = np.full(len(self.arrays.cost), AT_LOWER, np.uint8)
        rows = np.full(len(self.arrays.row_lower), BASIC, np.uint8)
        columns[self.first] = np.where(most, AT_UPPER, AT_LOWER)
        for part in self.parts:
            of_columns, of_rows = statuses(part.programme.basis)
            columns[part.columns] = np.frombuffer(of_columns, np.uint8)
            rows[part.rows] = np.frombuffer(of_rows, np.uint8)
        return basis_of(columns, rows)


def solve_with_builds_held(programme: Programme, whole: np.ndarray, x: np.ndarray, basis: Any) -> None:
    """Solve with all builds of a plan held, so that the next search, with builds in fractions free, has little to do.

    whole  positions of the columns with whole numbers, which are held already
    x      the plan, shape (columns,)
    basis  a basis to start from, see `Parts.basis`; None: none
    """
    arrays = programme.arrays
    decided = [k for family in ("build", "close") for k in arrays.columns.get(family, {}).values()]
    rest = np.setdiff1d(np.array(decided, dtype=int), whole)
    if basis is not None:
        programme.basis = basis
    with programme.bounded(rest, x[rest], x[rest]):
        programme.find(sure=False, keep=True)
