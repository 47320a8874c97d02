"""A plan in an outcome that is answered: what it has not started yet when the news comes may be built otherwise.

Held to the plan, an outcome costs at most so much; free to answer, it costs what a government would face that learns
of it when the project should have come online, and may start something else from some years later on. All limits on
starts, groups, funds and private money hold for the answer together with what the plan has started by then.

Who answers knows the outcome as a whole from its first news on: `Answer.to` starts only what will come. Of many plants
that come or fail by themselves it starts those that come, so that its cost is a lower end of what answering costs.
`Answer.followed` knows no more than the year tells, and counts on the average of such plants: an upper end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from ...solving.lshaped import LShaped
from ...solving.programme import Programme
from ...solving.search import by_parts, least_cost
from ...solving.solver import Found, Settings
from .draws import AS_PLANNED, JointOutcome, Project, fate, on_average, project_of

if TYPE_CHECKING:
    from ..many import Result
    from .modules import Modules
    from .operations import Operations

STARTED = 1e-6  # modules

Builds = Mapping[tuple[str, int], float]  # (option, start year) -> modules started


def _gap(found: Found) -> float:
    """Return the relative gap of a search."""
    return max(0.0, found.value - found.bound) / max(abs(found.value), 1e-9)


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

    def news(self, outcome: JointOutcome) -> int | None:
        """Return the year in which one learns of an outcome: when a project that is hit should have come online.

        None: the outcome hits nothing that the plan starts.
        """
        return min(self._due(outcome, self.builds).values(), default=None)

    def _due(self, outcome: JointOutcome, builds: Builds) -> dict[Project, int]:
        """Return project -> year in which its first module should have come online, of those started that are hit."""
        due: dict[Project, int] = {}
        for option, year in builds:
            project = project_of(outcome, option, year)
            news = self.modules.news(option, year, outcome.get(project, AS_PLANNED))
            if news < math.inf:
                due[project] = min(int(news), due.get(project, int(news)))
        return due

    def _shared(self, project: Project) -> tuple[str, int]:
        """Return what shares the fate of a project: its exclusive group or option, and its year if it is one start."""
        name, year = (project, 0) if isinstance(project, str) else project
        return self.modules.options[name].exclusive_group or name, year

    def followed(
        self,
        outcome: JointOutcome,
        events: Mapping[str, int],
        within: Callable[[frozenset[str]], Answer],
    ) -> tuple[Builds, float, int]:
        """Return what is started by someone who plans anew at each piece of news, as if the rest came as planned.

        An outcome shows bit by bit: what becomes of a project is known from the year in which it should have come
        online, a scenario from its first year on. What may begin by then, and in the years of ``after`` that follow,
        stays as it was decided before. Starts that are projects of their own tell nothing of each other, and those
        that are not known yet count as they come on average (`on_average`), as nobody trusts that each of many comes.

        events  the scenarios that happen, and that year of each
        within  the answers where some of them happen

        With the builds come the largest relative gap of the searches, and how many there were.
        """
        average = {project: of for project, of in on_average(self.modules.instance).items() if project in outcome}
        builds, widest, searches = dict(self.builds), 0.0, 0
        known: JointOutcome = {}
        happened: frozenset[str] = frozenset()
        while True:
            due = self._due({p: of for p, of in outcome.items() if p not in known}, builds)
            news = min([*due.values(), *(year for name, year in events.items() if name not in happened)], default=None)
            if news is None:
                break
            heard = {self._shared(p) for p, year in due.items() if year == news}
            known = {p: of for p, of in outcome.items() if p in known or self._shared(p) in heard}
            online = {(o, y) for o, y in builds if y + self.modules.options[o].lead_years <= news}
            unknown = {p: of for p, of in average.items() if p not in known and p not in online}
            happened |= {name for name, year in events.items() if year == news}
            found, _, _ = within(happened)._best({**known, **unknown}, news + self.after, builds)
            searches += 1
            if not found.held:
                break  # a promise of funds or groups leaves nothing to change
            widest = max(widest, _gap(found))
            builds = self._started(found.x)
        return builds, widest, searches

    def to(self, outcome: JointOutcome) -> Result | None:
        """Return the best answer to an outcome, as values that JSON can hold; None if nothing is hit, or nothing found.

        ``cost`` is in MUSD of present value, ``short``, ``exposed`` and ``delivered`` are lists of t/yr by period,
        ``gap`` is the relative gap of the search and ``starts`` lists option, year and modules that the plan has not.
        """
        news = self.news(outcome)
        if news is None:
            return None
        found, cost, offset = self._best(outcome, news + self.after, self.builds)
        if not found.held:
            return None
        x = found.x
        measured = self.operations.recourse_measures @ x
        short, exposed, delivered = measured[2:].reshape(3, self.operations.periods).tolist()
        more = {key: n - self.builds.get(key, 0.0) for key, n in self._started(x).items()}
        started = [[option, year, round(n, 6)] for (option, year), n in more.items() if n > STARTED]
        return {
            "cost": float(cost @ x) + offset + self.closing,
            "short": short,
            "exposed": exposed,
            "delivered": delivered,
            "gap": _gap(found),
            "starts": started,
            "news": news,
        }

    def known(self, outcome: JointOutcome) -> float:
        """Return a present cost, MUSD, below which no plan is in an outcome, whatever it starts, answers and knows.

        It is the least cost of someone who knows the outcome beforehand, may build in fractions, and need keep no
        promise that can be broken.
        """
        arrays, cost = self._with(outcome, min(p.first_year for p in self.modules.span), {})
        found = Programme(replace(arrays.relaxed, cost=cost), Settings()).find()
        return found.value + self.closing if found.held else -math.inf

    def _best(self, outcome: JointOutcome, begin: int, builds: Builds) -> tuple[Found, np.ndarray, float]:
        """Return the best plan in an outcome, the true costs (columns,) of the model, MUSD, and its constant."""
        arrays, cost = self._with(outcome, begin, builds)
        programme = Programme(arrays, Settings())
        found = least_cost(programme, by_parts(programme, LShaped), self._begun(arrays, builds), None, None)
        return found, cost, arrays.offset

    def _started(self, x: np.ndarray) -> dict[tuple[str, int], float]:
        """Return (option, start year) -> modules of a solution of shape (columns,)."""
        built = self.operations.data.build
        columns = self.arrays.columns.get("build", {})
        return {(built[i].option, built[i].year): float(x[k]) for i, k in columns.items() if x[k] > STARTED}

    def _with(self, outcome: JointOutcome, begin: int, builds: Builds) -> tuple[Any, np.ndarray]:
        """Return the model in an outcome, and its true costs (columns,), MUSD; the first also weighs broken promises.

        begin   first year of a period from which starts are free
        builds  (option, start year) -> modules started before
        """
        data, limited = self.operations.data, self.operations.recourse.limited
        arrays, cost = self.arrays, self.operations.model.cost.copy()
        matrix = sparse.lil_array(arrays.matrix) if outcome else arrays.matrix
        lower, upper, weighed = arrays.col_lower.copy(), arrays.col_upper.copy(), arrays.cost.copy()
        for i, k in arrays.columns.get("build", {}).items():
            start = data.build[i]
            own = fate(outcome, start.option, start.year)
            if own != AS_PLANNED:
                for position, _ in self.operations.capacity_effects(self.modules, i, AS_PLANNED):
                    matrix[limited[position], k] = 0.0
                for position, amount in self.operations.capacity_effects(self.modules, i, own):
                    matrix[limited[position], k] = -amount
                change = self.modules.cost(start.option, start.year, own) - self.modules.cost(start.option, start.year)
                cost[k] += change
                weighed[k] += change
            if start.year < begin:
                lower[k] = upper[k] = builds.get((start.option, start.year), 0.0)
        for i, k in arrays.columns.get("excess", {}).items():
            start = data.build[data.excess[i].start]
            own = fate(outcome, start.option, start.year)
            change = self.modules.repaid(*start.key[:2], own) - self.modules.repaid(*start.key[:2])
            cost[k] += change
            weighed[k] += change
        matrix = sparse.csc_array(matrix)
        matrix.eliminate_zeros()
        return replace(arrays, matrix=matrix, cost=weighed, col_lower=lower, col_upper=upper), cost

    def _begun(self, arrays: Any, builds: Builds) -> np.ndarray:
        """Return builds from which the search begins, shape (columns,)."""
        data, x = self.operations.data, np.zeros(len(arrays.cost))
        for i, k in arrays.columns.get("build", {}).items():
            x[k] = builds.get((data.build[i].option, data.build[i].year), 0.0)
        for i, k in arrays.columns.get("chosen", {}).items():
            columns = [arrays.columns["build"][s] for s in data.chosen[i].starts if s in arrays.columns["build"]]
            x[k] = float(bool(x[columns].max(initial=0.0) > STARTED))
        return x
