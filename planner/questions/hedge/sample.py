"""The sample of a stochastic programme: what each module would add and cost in each of its outcomes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..delivery.answer import STARTED
from ..delivery.draws import fate

if TYPE_CHECKING:
    from ...prepare import ModelData
    from ..delivery.draws import Draws
    from ..delivery.modules import Modules
    from ..delivery.operations import Operations


class Sample:
    """A sample of S outcomes, which are equally likely.

    Decisions are one vector of ``width`` columns: first those of the plan (the first-stage columns), then what each
    outcome decides by itself once the news may have come. All limits hold for each outcome's course as a whole.

    money     shape (S, starts of modules, and then those with sizes): MUSD of present value per module, and per MUSD
              overnight that a size costs beyond its part of the largest
    added     S sparse matrices of shape (capacities, first-stage columns): kt/yr that one module adds to a capacity, or
              that closing takes away (negative)
    own       capacities without any module, kt/yr
    columns   int, shape (S, first-stage columns): where the decisions of an outcome stand in the vector; those that
              are the plan's stand below ``len(first)``
    due       shape (S, starts): the year from which on something else may be started if the outcome hits what is
              started there, else infinite
    first     positions of the first-stage columns in the model
    at_build  positions of the starts of modules among the first-stage columns
    at_close  the same of closures
    at_money  the same, and then of what sizes cost beyond

    used   (argument) the options that will be started at all; the others are left out of the matrices. None: all are in
    after  (argument) years after the news from which on something else may be started; None: never
    """

    def __init__(
        self,
        operations: Operations,
        modules: Modules,
        draws: Draws,
        used: Collection[str] | None = None,
        after: int | None = None,
    ) -> None:
        from scipy import sparse

        data, arrays = operations.data, operations.model
        self.first = np.flatnonzero(operations.recourse.first)
        place_of = {column: k for k, column in enumerate(self.first.tolist())}
        self.at_build = np.array([place_of[arrays.columns["build"][i]] for i in range(len(data.build))], dtype=int)
        at_excess = [place_of[arrays.columns["excess"][i]] for i in range(len(data.excess))]
        self.at_money = np.append(self.at_build, np.array(at_excess, dtype=int))
        self.at_close = np.array([place_of[k] for k in arrays.columns.get("close", {}).values()], dtype=int)
        self.own = operations.own
        self.years = np.array([start.year for start in data.build])
        count = len(draws)
        self.due = np.full((count, len(data.build)), math.inf)
        self.money = np.zeros((count, len(self.at_money)))
        closing = _closing(operations, place_of)
        shape = (len(self.own), len(self.first))
        self.added: list[Any] = []
        starts = [(i, start) for i, start in enumerate(data.build) if used is None or start.option in used]
        for s in range(count):
            outcome = draws.outcome(s)
            rows, columns, values = [list(part) for part in closing]
            for i, start in starts:
                own = fate(outcome, start.option, start.year)
                if after is not None:
                    self.due[s, i] = modules.news(start.option, start.year, own) + after
                self.money[s, i] = modules.cost(start.option, start.year, own)
                for position, kt in operations.capacity_effects(modules, i, own):
                    rows.append(position)
                    columns.append(int(self.at_build[i]))
                    values.append(kt)
            for i, sized in enumerate(data.excess, start=len(data.build)):
                own = fate(outcome, sized.option, sized.year)
                self.money[s, i] = modules.repaid(sized.option, sized.year, own)
            self.added.append(sparse.csr_array((values, (rows, columns)), shape=shape))
        self.columns, self.width = self._courses(_begins(operations, place_of))

    def _courses(self, begins: np.ndarray) -> tuple[np.ndarray, int]:
        """Return ``columns`` and ``width``: an outcome decides by itself what begins once the news may have come.

        begins  see `_begins`
        """
        earliest = self.due.min(axis=1, initial=math.inf)
        may = np.isfinite(earliest)[:, np.newaxis]
        own = may & (begins < math.inf) & ((begins == -math.inf) | (begins >= earliest[:, np.newaxis]))
        columns = np.tile(np.arange(len(begins)), (len(earliest), 1))
        columns[own] = len(begins) + np.arange(np.count_nonzero(own))
        return columns, len(begins) + int(np.count_nonzero(own))

    def __len__(self) -> int:
        return len(self.added)

    def spread(self, x: np.ndarray) -> np.ndarray:
        """Return the decisions, shape (width,), where every outcome is held to those of a plan, shape (first,)."""
        decisions = np.zeros(self.width)
        decisions[: len(x)] = x
        decisions[self.columns] = x
        return decisions

    def capacity(self, s: int, x: np.ndarray) -> np.ndarray:
        """Return the capacities in outcome ``s`` with decisions ``x``, kt/yr."""
        return np.asarray(self.own + self.added[s] @ x[self.columns[s]])

    def spent(self, x: np.ndarray) -> np.ndarray:
        """Return what the modules cost in each outcome, shape (S,), MUSD of present value."""
        places = self.columns[:, self.at_money]
        return np.array([money @ x[of] for money, of in zip(self.money, places, strict=True)])

    def begun(self, x: np.ndarray) -> np.ndarray:
        """Return the year from which on each outcome may be answered with a plan ``x``, shape (S,); infinite: never."""
        started = x[self.at_build] > STARTED
        return np.asarray(np.where(started, self.due, math.inf).min(axis=1, initial=math.inf))

    def held(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns of starts and closures that a plan ``x`` leaves no outcome to decide, and their values.

        These are the plan's, and the starts of each outcome that begin before something else may be started.
        """
        plan = np.append(self.at_build, self.at_close)
        own = self.columns[:, self.at_build]
        early = (self.years < self.begun(x)[:, np.newaxis]) & (own >= len(self.first))
        values = np.broadcast_to(x[self.at_build], own.shape)
        return np.append(plan, own[early]), np.append(x[plan], values[early])

    def started_unheard(self, x: np.ndarray) -> bool:
        """Whether in decisions ``x`` an outcome starts something otherwise before it may."""
        columns, values = self.held(x)
        return bool((np.abs(x[columns] - values) > STARTED).any())


def _closing(operations: Operations, place_of: dict[int, int]) -> tuple[list[int], list[int], list[float]]:
    """Return what closures take from capacities, as rows, columns and (negative) values, kt/yr, of a sparse matrix.

    place_of  column of the model -> position among the first-stage columns
    """
    data: ModelData = operations.data
    rows, columns, values = [], [], []
    position = operations.model.columns.get("close", {})
    for limit in data.capacity:
        for j, kt in limit.closed:
            rows.append(operations.place[limit.facility, data.nodes[limit.node].period])
            columns.append(place_of[position[j]])
            values.append(-kt)
    return rows, columns, values


def _begins(operations: Operations, place_of: dict[int, int]) -> np.ndarray:
    """Return the year in which each first-stage column begins, shape (first-stage columns,).

    Infinite: it is the plan's in any outcome, as closures are; minus infinite: it belongs to no year, as who pays, and
    is an outcome's own wherever it may decide anything.
    """
    data, columns = operations.data, operations.model.columns
    begins = np.full(len(place_of), -math.inf)
    for family in ("close", "nothing"):
        begins[[place_of[k] for k in columns.get(family, {}).values()]] = math.inf
    of_year: dict[str, Sequence[Any]] = {
        "build": data.build,
        "excess": data.excess,
        "fill": data.fill,
        "full": data.fill,
    }
    for family, listed in of_year.items():
        for i, k in columns.get(family, {}).items():
            begins[place_of[k]] = listed[i].year
    return begins
