"""A plan in an outcome that is answered: what it has not started yet when the news comes may be built otherwise.

Held to the plan, an outcome costs at most so much; free to answer, it costs what a government would face that learns
of it when the project should have come online, and may start something else from some years later on. All limits on
starts, groups, funds and private money hold for the answer together with what the plan has started by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from ...solving.lshaped import LShaped
from ...solving.programme import Programme
from ...solving.search import by_parts, least_cost
from ...solving.solver import Settings
from .draws import AS_PLANNED, ProjectOutcome

if TYPE_CHECKING:
    from ..many import Result
    from .modules import Modules
    from .operations import Operations

STARTED = 1e-6  # modules


class Answer:
    """Answers of one plan to outcomes of its projects.

    builds   (option, start year) -> modules of the plan
    own      vector of capacities that the closures of the plan leave, in the order of ``operations.own``
    closing  what these closures cost, MUSD of present value
    after    years from the news on after which something may be started
    """

    def __init__(
        self,
        operations: Operations,
        modules: Modules,
        builds: Mapping[tuple[str, int], float],
        own: np.ndarray,
        closing: float,
        after: int,
    ) -> None:
        self.operations, self.modules, self.builds, self.after = operations, modules, builds, after
        self.closing = closing
        arrays, limited, least = operations.recourse.arrays, operations.recourse.limited, operations.recourse.least
        lower, upper = arrays.row_lower.copy(), arrays.row_upper.copy()
        lower[limited[least]], upper[limited[~least]] = own[least], own[~least]
        col_upper = arrays.col_upper.copy()
        col_upper[list(arrays.columns.get("close", {}).values())] = 0.0  # what the plan closes is taken off already
        self.arrays = replace(arrays, row_lower=lower, row_upper=upper, col_upper=col_upper)

    def news(self, outcome: Mapping[str, ProjectOutcome]) -> int | None:
        """Return the year in which one learns of an outcome: when a project that is hit should have come online.

        None: the outcome hits nothing that the plan starts.
        """
        options = self.modules.options
        hit = (o for o, _ in self.builds if outcome.get(o, AS_PLANNED) != AS_PLANNED)
        first = {o: min(year for name, year in self.builds if name == o) for o in hit}
        return min((year + options[o].lead_years for o, year in first.items()), default=None)

    def to(self, outcome: Mapping[str, ProjectOutcome]) -> Result | None:
        """Return the best answer to an outcome, as values that JSON can hold; None if nothing is hit, or nothing found.

        ``cost`` is in MUSD of present value, ``short``, ``exposed`` and ``delivered`` are lists of t/yr by period,
        ``gap`` is the relative gap of the search and ``starts`` lists option, year and modules that the plan has not.
        """
        news = self.news(outcome)
        if news is None:
            return None
        arrays, cost = self._with(outcome, news + self.after)
        programme = Programme(arrays, Settings())
        found = least_cost(programme, by_parts(programme, LShaped), self._as_planned(arrays), None, None)
        if not found.held:
            return None
        x = found.x
        measured = self.operations.recourse_measures @ x
        short, exposed, delivered = measured[2:].reshape(3, self.operations.periods).tolist()
        started = []
        for i, k in arrays.columns.get("build", {}).items():
            start = self.operations.data.build[i]
            more = float(x[k]) - self.builds.get((start.option, start.year), 0.0)
            if more > STARTED:
                started.append([start.option, start.year, round(more, 6)])
        return {
            "cost": float(cost @ x) + arrays.offset + self.closing,
            "short": short,
            "exposed": exposed,
            "delivered": delivered,
            "gap": max(0.0, found.value - found.bound) / max(abs(found.value), 1e-9),
            "starts": started,
            "news": news,
        }

    def _with(self, outcome: Mapping[str, ProjectOutcome], begin: int) -> tuple[Any, np.ndarray]:
        """Return the model in an outcome, and its true costs (columns,), MUSD; the first also weighs broken promises.

        begin  first year of a period from which starts are free
        """
        data, limited = self.operations.data, self.operations.recourse.limited
        arrays, cost = self.arrays, self.operations.model.cost.copy()
        matrix = sparse.lil_array(arrays.matrix) if outcome else arrays.matrix
        lower, upper, weighed = arrays.col_lower.copy(), arrays.col_upper.copy(), arrays.cost.copy()
        for i, k in arrays.columns.get("build", {}).items():
            start = data.build[i]
            own = outcome.get(start.option, AS_PLANNED)
            if own != AS_PLANNED:
                for position, _ in self.operations.capacity_effects(self.modules, i, AS_PLANNED):
                    matrix[limited[position], k] = 0.0
                for position, amount in self.operations.capacity_effects(self.modules, i, own):
                    matrix[limited[position], k] = -amount
                change = self.modules.cost(start.option, start.year, own) - self.modules.cost(start.option, start.year)
                cost[k] += change
                weighed[k] += change
            if start.year < begin:
                lower[k] = upper[k] = self.builds.get((start.option, start.year), 0.0)
        matrix = sparse.csc_array(matrix)
        matrix.eliminate_zeros()
        return replace(arrays, matrix=matrix, cost=weighed, col_lower=lower, col_upper=upper), cost

    def _as_planned(self, arrays: Any) -> np.ndarray:
        """Return the plan's builds, from which the search begins, shape (columns,)."""
        data, x = self.operations.data, np.zeros(len(arrays.cost))
        for i, k in arrays.columns.get("build", {}).items():
            x[k] = self.builds.get((data.build[i].option, data.build[i].year), 0.0)
        for i, k in arrays.columns.get("chosen", {}).items():
            columns = [arrays.columns["build"][s] for s in data.chosen[i].starts if s in arrays.columns["build"]]
            x[k] = float(bool(x[columns].max(initial=0.0) > STARTED))
        return x
