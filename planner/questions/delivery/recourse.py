"""The operations that are left to decide once builds and closures are: programmes that capacity alone ties to these.

What no row connects is solved apart: without stockpiles each period is a programme of its own. Every part stays in a
solver of its own and starts from a basis that it is given, and the same capacities are solved once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from ...errors import SolverFailed
from ...solving.compiling import Arrays
from ...solving.programme import Programme
from ..many import Processes, pool

if TYPE_CHECKING:
    from ...solving.solver import Settings
    from ..many import Cluster, Worker

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


class Piece(NamedTuple):
    """A part to be solved for vectors of its capacities, from a basis (None: from nothing); picklable."""

    part: int
    start: Any
    capacities: list[np.ndarray]


@dataclass
class Part:
    """A programme that no row ties to another.

    limits  positions of its capacities among those of :class:`Recourse`
    rows    the rows of these in its programme; ``least``: which of them are a least amount, not a most

    It can be pickled; each process makes a solver of its own.
    """

    limits: np.ndarray
    rows: np.ndarray
    least: np.ndarray
    arrays: Arrays
    measures: Any
    settings: Settings

    def __getstate__(self) -> dict[str, Any]:
        return {name: held for name, held in self.__dict__.items() if name != "programme"}

    @cached_property
    def programme(self) -> Programme:
        """What solves it here."""
        return Programme(self.arrays, self.settings)

    def answers(self, capacities: list[np.ndarray], start: Any) -> tuple[list[Answer], Any]:
        """The part with other capacities (kt/yr, in the order of ``limits``), and the basis in the end."""
        self.programme.start_from(start)
        known: dict[bytes, Answer] = {}
        for capacity in capacities:
            if capacity.tobytes() not in known:
                known[capacity.tobytes()] = self._solved(capacity)
        return [known[capacity.tobytes()] for capacity in capacities], self.programme.basis

    def _solved(self, capacity: np.ndarray) -> Answer:
        for row, limit, least in zip(self.rows.tolist(), capacity.tolist(), self.least.tolist(), strict=True):
            self.programme.side(row, *((limit, math.inf) if least else (-math.inf, limit)))
        found = self.programme.find(watched=False)
        if not found.optimal:
            raise SolverFailed(f"an outcome of the projects could not be solved ({found.stopped})")
        price = found.duals[self.rows]
        price = np.where(self.least, np.maximum(price, 0.0), np.minimum(price, 0.0))
        return Answer(float(self.arrays.cost @ found.x), price, self.measures @ found.x)


@dataclass(frozen=True)
class Parts:
    """The parts as they are sent to each process; called there, it gives what solves a piece."""

    parts: list[Part]

    def __call__(self) -> Worker:
        return lambda piece: self.parts[piece.part].answers(piece.capacities, piece.start)


class Recourse:
    """All parts of the operations of a model.

    arrays    the whole model as a linear programme
    limited   rows of ``arrays`` whose upper side is a capacity, kt/yr, or whose lower side is what must be made
    measures  rows of what is to be measured in each solution, by columns of ``arrays``

    ``first`` tells which columns are decided before. Raises SolverFailed if another row ties the operations to them.
    """

    def __init__(self, arrays: Arrays, limited: np.ndarray, measures: Any, settings: Settings) -> None:
        self.arrays = arrays
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
        self.starts: list[Any] = [None] * len(self.parts)  # bases
        self._known: dict[tuple[int, bytes], Answer] = {}
        self.pool: Processes | Cluster | None = None  # of `answers`, see `shared`

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
        return Part(mine, there, self.least[mine], own, sparse.csr_array(measures)[:, columns], settings)

    @property
    def own(self) -> np.ndarray:
        """Capacities, and what must be made, without any module, kt/yr."""
        a = self.arrays
        return np.where(self.least, a.row_lower[self.limited], a.row_upper[self.limited])

    def answer(self, capacity: np.ndarray) -> list[Answer]:
        """For one vector of capacities (in the order of ``limited``) the answer of each part, in this process.

        Every vector but the first starts from the basis of the first, so that its answer does not depend on those
        asked between.
        """
        found = []
        for k, (part, own) in enumerate(zip(self.parts, self._of_parts(capacity), strict=True)):
            key = k, own.tobytes()
            if key not in self._known:
                [self._known[key]], basis = part.answers([own], self.starts[k])
                if self.starts[k] is None:
                    self.starts[k] = basis
            found.append(self._known[key])
        return found

    @contextmanager
    def shared(self, workers: int | None, scheduler: str | None) -> Iterator[None]:
        """Share the work of `answers` for a while, see `many.pool`."""
        with closing(pool(Parts(self.parts), workers, scheduler, again=True)) as self.pool:
            try:
                yield
            finally:
                self.pool = None

    def answers(self, capacities: Sequence[np.ndarray]) -> list[list[Answer]]:
        """For each vector of capacities the answer of each part.

        A part starts from its basis in ``starts`` and meets the vectors in their order, so that what it answers does
        not depend on where it is solved, nor on what was solved there before. The bases in the end are the next
        ``starts``.
        """
        of_parts = zip(*map(self._of_parts, capacities), strict=True)
        todo = {k: Piece(k, self.starts[k], list(own)) for k, own in enumerate(of_parts)}
        found = dict((self.pool or Processes(Parts(self.parts))).results(todo))
        by_part = [found[k][0] for k in todo]
        self.starts = [found[k][1] for k in todo]
        return [list(of) for of in zip(*by_part, strict=True)]

    def _of_parts(self, capacity: np.ndarray) -> list[np.ndarray]:
        """The capacities of each part."""
        return [np.maximum(capacity[part.limits], 0.0) for part in self.parts]
