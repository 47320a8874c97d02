"""The operations that are left to decide once builds and closures are: programmes that capacity alone ties to these.

What no row connects is solved apart: without stockpiles each period is a programme of its own. Every part stays in a
solver of its own and starts from its last basis, and the same capacities are solved once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from ...errors import SolverFailed
from ...solving.compiling import Arrays
from ...solving.programme import Programme

if TYPE_CHECKING:
    from ...solving.solver import Arrays, Settings

FIRST = ("build", "chosen", "close", "nothing", "private", "fund_draw")  # families decided before the operations


class Answer(NamedTuple):
    """One part solved.

    value     MUSD, of the programme's own objective
    price     MUSD by which it changes for one more kt/yr of each capacity of the part: 0 or less; of what must be
              made 0 or more
    measured  the measures asked for
    """

    value: float
    price: np.ndarray
    measured: np.ndarray


@dataclass(slots=True)
class Part:
    """A programme that no row ties to another.

    limits  positions of its capacities among those of :class:`Recourse`
    rows    the rows of these in its programme; ``least``: which of them are a least amount, not a most
    """

    limits: np.ndarray
    rows: np.ndarray
    least: np.ndarray
    cost: np.ndarray
    measures: Any
    programme: Programme
    known: dict[bytes, Answer]

    def answer(self, capacity: np.ndarray) -> Answer:
        """The part with other capacities (kt/yr, in the order of ``limits``)."""
        key = np.ascontiguousarray(capacity).tobytes()
        if key not in self.known:
            self.known[key] = self._solved(capacity)
        return self.known[key]

    def _solved(self, capacity: np.ndarray) -> Answer:
        for row, limit, least in zip(self.rows.tolist(), capacity.tolist(), self.least.tolist(), strict=True):
            self.programme.side(row, *((limit, math.inf) if least else (-math.inf, limit)))
        found = self.programme.find(watched=False)
        if not found.optimal:
            raise SolverFailed(f"an outcome of the projects could not be solved ({found.stopped})")
        price = found.duals[self.rows]
        price = np.where(self.least, np.maximum(price, 0.0), np.minimum(price, 0.0))
        return Answer(float(self.cost @ found.x), price, self.measures @ found.x)


class Recourse:
    """All parts of the operations of a model.

    arrays    the whole model as a linear programme
    limited   rows of ``arrays`` whose upper side is a capacity, kt/yr, or whose lower side is what must be made
    measures  rows of what is to be measured in each solution, by columns of ``arrays``

    ``first`` tells which columns are decided before. Raises SolverFailed if another row ties the operations to them.
    """

    def __init__(
        self, arrays: Arrays, limited: np.ndarray, measures: Any, settings: Settings, threads: int = 1
    ) -> None:
        self.arrays, self.threads = arrays, threads
        self.first = np.zeros(len(arrays.cost), dtype=bool)
        for family in FIRST:
            self.first[list(arrays.columns.get(family, {}).values())] = True
        self.limited = limited
        self.least = np.isfinite(arrays.row_lower[limited])
        by_row = sparse.csr_array(arrays.matrix)
        decided = self.first.copy()
        decided[list(arrays.columns.get("nothing", {}).values())] = False  # always 0: it ties nothing
        before, after = by_row[:, decided], by_row[:, ~self.first]
        self.operating = np.diff(after.indptr) > 0
        tied = self.operating & (np.diff(before.indptr) > 0)
        tied[limited] = False
        if tied.any():
            raise SolverFailed("a row that is neither a capacity nor an offtake ties operations to builds")
        self.parts = self._split(after, limited, measures, settings)

    def _split(self, after: Any, limited: np.ndarray, measures: Any, settings: Settings) -> list[Part]:
        from scipy.sparse.csgraph import connected_components

        columns, rows = np.flatnonzero(~self.first), np.flatnonzero(self.operating)
        links = after[rows]
        graph = sparse.block_array([[None, links], [links.T, None]])
        _, label = connected_components(graph, directed=False)
        of_row, of_column = label[: len(rows)], label[len(rows) :]
        place = np.full(self.arrays.matrix.shape[0], -1)
        place[rows] = np.arange(len(rows))
        limits = place[limited]  # -1: nothing can run there
        bound = np.full(label.max(initial=-1) + 1, False)
        bound[of_row[limits[limits >= 0]]] = True
        of_row, of_column = (np.where(bound[of], of, -1) for of in (of_row, of_column))  # all that no capacity binds
        return [
            self._part(columns[of_column == k], rows[of_row == k], limited, measures, settings)
            for k in sorted(set(of_column.tolist()))
        ]

    def _part(
        self, columns: np.ndarray, rows: np.ndarray, limited: np.ndarray, measures: Any, settings: Settings
    ) -> Part:
        a = self.arrays
        own = replace(
            a,
            cost=a.cost[columns],
            offset=0.0,
            matrix=sparse.csc_array(sparse.csr_array(a.matrix)[rows][:, columns]),
            row_lower=a.row_lower[rows],
            row_upper=a.row_upper[rows],
            col_lower=a.col_lower[columns],
            col_upper=a.col_upper[columns],
            integer=np.zeros(len(columns), dtype=bool),
            columns={},
            rows={},
        )
        place = {row: k for k, row in enumerate(rows.tolist())}
        mine = np.array([k for k, row in enumerate(limited.tolist()) if row in place], dtype=int)
        there = np.array([place[row] for row in limited[mine].tolist()], dtype=np.int32)
        return Part(
            mine,
            there,
            self.least[mine],
            own.cost,
            sparse.csr_array(measures)[:, columns],
            Programme(own, settings),
            {},
        )

    @property
    def own(self) -> np.ndarray:
        """Capacities, and what must be made, without any module, kt/yr."""
        a = self.arrays
        return np.where(self.least, a.row_lower[self.limited], a.row_upper[self.limited])

    def answers(self, capacities: Sequence[np.ndarray]) -> list[list[Answer]]:
        """For each vector of capacities (in the order of ``limited``) the answer of each part.

        A part meets the vectors in their order, whatever the number of threads, so that the results do not depend
        on it. Stops at a Ctrl-C with KeyboardInterrupt.
        """

        stop = Event()

        def all_of(part: Part) -> list[Answer]:
            found = []
            for c in capacities:
                if stop.is_set():
                    break
                found.append(part.answer(np.maximum(c[part.limits], 0.0)))
            return found

        if self.threads == 1:
            by_part = [all_of(part) for part in self.parts]
        else:
            pool = ThreadPoolExecutor(self.threads)
            try:
                by_part = [future.result() for future in [pool.submit(all_of, part) for part in self.parts]]
            finally:
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
        return [list(of) for of in zip(*by_part, strict=True)]

    def forget(self) -> None:
        """Drop what is known of capacities tried before."""
        for part in self.parts:
            part.known.clear()
