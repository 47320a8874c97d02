"""The recourse problem: the operations that are left to decide once builds and closures are fixed.

Builds and closures enter the operations only through capacities. Parts of the operations that no row connects are
solved apart: without stockpiles each period is a linear programme of its own. Each part keeps a solver of its own and
starts from a basis that it is given; equal capacities are solved only once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from ...errors import SolverFailed
from ...solving.blocks import connected, first_stage, part_of
from ...solving.compiling import Arrays
from ...solving.programme import Programme
from ..many import Processes, pool

if TYPE_CHECKING:
    from ...solving.solver import Settings
    from ..many import Cluster, Worker


class Answer(NamedTuple):
    """The solution of one part.

    value     objective of its programme, MUSD of present value
    price     shadow price of each capacity of the part, MUSD per kt/yr: 0 or less; of what must be made 0 or more
    measured  one number per measure, see `Recourse`
    """

    value: float
    price: np.ndarray
    measured: np.ndarray


class Piece(NamedTuple):
    """A piece of work: one part, to be solved for several vectors of its capacities. It can be pickled.

    part        number of the part
    start       basis from which the first solve starts; None: from none
    capacities  vectors in the order of `Part.limits`, kt/yr
    """

    part: int
    start: Any
    capacities: list[np.ndarray]


@dataclass
class Part:
    """A linear programme that no row connects with another part. It can be pickled; each process makes its own solver.

    limits    positions of its capacities in the vector of all capacities
    rows      rows of these in its programme
    least     bool for each of these rows: the capacity is a lower limit (what must be made), not an upper one
    measures  sparse matrix of shape (measures, columns of the part)
    """

    limits: np.ndarray
    rows: np.ndarray
    least: np.ndarray
    arrays: Arrays
    measures: Any
    settings: Settings

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "programme"}

    @cached_property
    def programme(self) -> Programme:
        """The solver of the part in this process."""
        return Programme(self.arrays, self.settings)

    def answers(self, capacities: list[np.ndarray], start: Any) -> tuple[list[Answer], Any]:
        """Solve the part for vectors of capacities (kt/yr, in the order of ``limits``), one after the other.

        Returns the answers in the same order, and the basis of the last solve.
        """
        self.programme.start_from(start)
        known: dict[bytes, Answer] = {}
        for capacity in capacities:
            if capacity.tobytes() not in known:
                known[capacity.tobytes()] = self._solved(capacity)
        return [known[capacity.tobytes()] for capacity in capacities], self.programme.basis

    def _solved(self, capacity: np.ndarray) -> Answer:
        """Solve the part for one vector of capacities, from the basis that the solver has."""
        least, most = np.where(self.least, capacity, -math.inf), np.where(self.least, math.inf, capacity)
        self.programme.side(self.rows, least, most)
        solution = self.programme.find(watched=False)
        if not solution.optimal:
            raise SolverFailed(f"an outcome of the projects could not be solved ({solution.stopped})")
        price = solution.duals[self.rows]
        price = np.where(self.least, np.maximum(price, 0.0), np.minimum(price, 0.0))
        return Answer(float(self.arrays.cost @ solution.x), price, self.measures @ solution.x)


@dataclass(frozen=True)
class Parts:
    """All parts, as they are sent to each process; the call there returns the function that solves a piece of work."""

    parts: list[Part]

    def __call__(self) -> Worker:
        return lambda piece: self.parts[piece.part].answers(piece.capacities, piece.start)


class Recourse:
    """The recourse problem of a model, in parts.

    arrays     the whole model as a linear programme
    limited    rows of ``arrays`` whose upper limit is a capacity (kt/yr), or whose lower limit is what must be made
    measures   sparse matrix of shape (measures, columns): what is measured in each solution
    first      bool for each column: it is decided before the operations (a first-stage column)
    operating  bool for each row: it has columns of the operations
    signed     how many of the last ``limited`` may be below 0: limits of another kind than a capacity

    Raises SolverFailed if a row not in ``limited`` connects the operations with first-stage columns.
    """

    def __init__(self, arrays: Arrays, limited: np.ndarray, measures: Any, settings: Settings, signed: int = 0) -> None:
        self.arrays = arrays
        self.least_value = np.where(np.arange(len(limited)) < len(limited) - signed, 0.0, -np.inf)
        self.first = first_stage(arrays)
        self.limited = limited
        self.least = np.isfinite(arrays.row_lower[limited])
        by_row = sparse.csr_array(arrays.matrix)
        decided = self.first.copy()
        decided[list(arrays.columns.get("nothing", {}).values())] = False  # always 0, so it connects nothing
        before, after = by_row[:, decided], by_row[:, ~self.first]
        self.operating = np.diff(after.indptr) > 0
        connected = self.operating & (np.diff(before.indptr) > 0)
        connected[limited] = False
        if connected.any():
            raise SolverFailed("a row that is neither a capacity nor an offtake ties operations to builds")
        self.parts = self._split(after, limited, measures, settings)
        self.starts: list[Any] = [None] * len(self.parts)  # bases
        self._known: dict[tuple[int, bytes], Answer] = {}
        self.pool: Processes | Cluster | None = None  # of `answers`, see `shared`

    def _split(self, after: Any, limited: np.ndarray, measures: Any, settings: Settings) -> list[Part]:
        """Return the parts: the connected components of the operations' rows and columns.

        after  the rows of the model, with the columns of the operations only
        Components without any capacity are put together in one part.
        """
        columns, rows = np.flatnonzero(~self.first), np.flatnonzero(self.operating)
        of_row, of_column = connected(after[rows])
        place = np.full(self.arrays.matrix.shape[0], -1)
        place[rows] = np.arange(len(rows))
        limits = place[limited]  # -1: nothing can run there
        bound = np.full(max(of_row.max(initial=-1), of_column.max(initial=-1)) + 1, False)
        bound[of_row[limits[limits >= 0]]] = True
        of_row, of_column = (
            np.where(bound[labels], labels, -1) for labels in (of_row, of_column)
        )  # -1: without any capacity
        return [
            self._part(columns[of_column == k], rows[of_row == k], limited, measures, settings)
            for k in sorted(set(of_column.tolist()))
        ]

    def _part(
        self, columns: np.ndarray, rows: np.ndarray, limited: np.ndarray, measures: Any, settings: Settings
    ) -> Part:
        """Return the part of some columns and rows of the model."""
        own = part_of(self.arrays, rows, columns)
        place = {row: k for k, row in enumerate(rows.tolist())}
        limits = np.array([k for k, row in enumerate(limited.tolist()) if row in place], dtype=int)
        there = np.array([place[row] for row in limited[limits].tolist()], dtype=np.int32)
        return Part(limits, there, self.least[limits], own, sparse.csr_array(measures)[:, columns], settings)

    @property
    def own(self) -> np.ndarray:
        """The vector of capacities, and of what must be made, without any module, kt/yr."""
        a = self.arrays
        return np.where(self.least, a.row_lower[self.limited], a.row_upper[self.limited])

    def answer(self, capacity: np.ndarray) -> list[Answer]:
        """Return the answer of each part for one vector of capacities (in the order of ``limited``), in this process.

        Every vector but the first starts from the basis of the first, so that its answer does not depend on those
        solved in between.
        """
        answers = []
        for k, (part, own) in enumerate(zip(self.parts, self._of_parts(capacity), strict=True)):
            key = k, own.tobytes()
            if key not in self._known:
                [self._known[key]], basis = part.answers([own], self.starts[k])
                if self.starts[k] is None:
                    self.starts[k] = basis
            answers.append(self._known[key])
        return answers

    @contextmanager
    def shared(self, workers: int | None, scheduler: str | None) -> Iterator[None]:
        """Share the work of `answers` among processes or a cluster within a ``with`` block, see `many.pool`."""
        with closing(pool(Parts(self.parts), workers, scheduler, again=True)) as self.pool:
            try:
                yield
            finally:
                self.pool = None

    def answers(self, capacities: Sequence[np.ndarray]) -> list[list[Answer]]:
        """Return the answers for several vectors of capacities: a list by vector of lists by part.

        A part starts from its basis in ``starts`` and is solved for the vectors in their order, so that its answers do
        not depend on where it is solved, nor on what was solved there before. The bases at the end are the ``starts``
        of the next call.
        """
        of_parts = zip(*map(self._of_parts, capacities), strict=True)
        todo = {k: Piece(k, self.starts[k], list(own)) for k, own in enumerate(of_parts)}
        solved = dict((self.pool or Processes(Parts(self.parts))).results(todo))
        by_part = [solved[k][0] for k in todo]
        self.starts = [solved[k][1] for k in todo]
        return [list(answers) for answers in zip(*by_part, strict=True)]

    def _of_parts(self, capacity: np.ndarray) -> list[np.ndarray]:
        """Return the capacities of each part, none below 0 that is one, kt/yr."""
        capacity = np.maximum(capacity, self.least_value)
        return [capacity[part.limits] for part in self.parts]
