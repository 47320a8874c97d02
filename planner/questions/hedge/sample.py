"""The sample of a stochastic programme: what each module would add and cost in each of its outcomes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from ..delivery.draws import AS_PLANNED

if TYPE_CHECKING:
    from ...prepare import ModelData
    from ..delivery.draws import Draws
    from ..delivery.modules import Modules
    from ..delivery.operations import Operations


class Sample:
    """A sample of S outcomes, which are equally likely.

    money     shape (S, starts of modules, and then those with sizes): MUSD of present value per module, and per MUSD
              overnight that a size costs beyond its part of the largest
    added     S sparse matrices of shape (capacities, first-stage columns): kt/yr that one module adds to a capacity, or
              that closing takes away (negative)
    own       capacities without any module, kt/yr
    first     positions of the first-stage columns in the model
    at_build  positions of the starts of modules among the first-stage columns
    at_money  the same, and then of what sizes cost beyond

    used  (argument) the options that will be started at all; the others are left out of the matrices. None: all are in
    """

    def __init__(
        self, operations: Operations, modules: Modules, draws: Draws, used: Collection[str] | None = None
    ) -> None:
        from scipy import sparse

        data, arrays = operations.data, operations.model
        self.first = np.flatnonzero(operations.recourse.first)
        place_of = {column: k for k, column in enumerate(self.first.tolist())}
        self.at_build = np.array([place_of[arrays.columns["build"][i]] for i in range(len(data.build))], dtype=int)
        at_excess = [place_of[arrays.columns["excess"][i]] for i in range(len(data.excess))]
        self.at_money = np.append(self.at_build, np.array(at_excess, dtype=int))
        self.own = operations.own
        count = len(draws)
        self.money = np.zeros((count, len(self.at_money)))
        closing = _closing(operations, place_of)
        shape = (len(self.own), len(self.first))
        self.added: list[Any] = []
        starts = [(i, start) for i, start in enumerate(data.build) if used is None or start.option in used]
        for s in range(count):
            outcome = draws.outcome(s)
            rows, columns, values = [list(part) for part in closing]
            for i, start in starts:
                own = outcome.get(start.option, AS_PLANNED)
                self.money[s, i] = modules.cost(start.option, start.year, own)
                for position, kt in operations.capacity_effects(modules, i, own):
                    rows.append(position)
                    columns.append(int(self.at_build[i]))
                    values.append(kt)
            for i, sized in enumerate(data.excess, start=len(data.build)):
                own = outcome.get(sized.option, AS_PLANNED)
                self.money[s, i] = modules.repaid(sized.option, sized.year, own)
            self.added.append(sparse.csr_array((values, (rows, columns)), shape=shape))

    def __len__(self) -> int:
        return len(self.added)

    def capacity(self, s: int, x: np.ndarray) -> np.ndarray:
        """Return the capacities in outcome ``s`` with first-stage decisions ``x``, kt/yr."""
        return np.asarray(self.own + self.added[s] @ x)

    def spent(self, x: np.ndarray) -> np.ndarray:
        """Return what the modules cost in each outcome, shape (S,), MUSD of present value."""
        return np.asarray(self.money @ x[self.at_money])


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
