"""The tree with less freedom, or with more: what answering, knowing beforehand and waiting for news are worth."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from ...bands import Searched
from ...prepare import PLAN, prepare, prepare_course
from ...solving.compiling import Arrays, compiled
from ...solving.lshaped import LShaped, Planes
from ...solving.programme import Programme
from ...solving.search import by_parts, least_cost
from ...solving.solver import PROVEN_UP_TO

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Progress, Settings

NONE = Searched(math.inf, math.inf)  # no plan
GAP = 0.005  # relative, of a tree with many whole numbers: it is several times as large as the plan of one course


class Worths:
    """Least costs of a tree of scenarios, under less freedom than the roadmap has, or with more.

    data      of the model of the tree, whose starts have the rules and the probabilities of each course
    settings  with the gap of a tree, where none was asked for
    large     whether it has so many whole numbers that an optimum is not proven unasked
    """

    def __init__(self, tree: Instance, settings: Settings, progress: Progress | None) -> None:
        self.tree, self.progress = tree, progress
        self.data = prepare(tree).data
        self.arrays = compiled(self.data)
        self._planes: Planes | None = None
        self._first: np.ndarray | None = None
        self.large = len(self.arrays.whole) > PROVEN_UP_TO
        self.settings = replace(settings, gap=GAP) if self.large and settings.gap is None else settings

    def held(self, builds: Mapping[tuple[str, int], float]) -> Searched:
        """Return the expected cost of building, whatever happens, what a plan builds: (option, start year) -> modules.

        It is infinite if that is not possible.
        """
        lower, upper = self.arrays.col_lower.copy(), self.arrays.col_upper.copy()
        for i, k in self.arrays.columns.get("build", {}).items():
            start = self.data.build[i]
            lower[k] = upper[k] = builds.get((start.option, start.year), 0.0)
        return self._least(replace(self.arrays, col_lower=lower, col_upper=upper), "today's plan, whatever happens")

    def decided_today(self, option: str | None = None) -> Searched:
        """Return the least expected cost if all starts (or those of one option) are decided before any news.

        A plan in which all are is one in which those of one option are, so later searches start from the first one.
        """
        columns = self.arrays.columns.get("build", {})
        of: dict[tuple[str, int], list[int]] = defaultdict(list)
        for i, start in enumerate(self.data.build):
            if i in columns and option in (None, start.option):
                of[start.option, start.year].append(columns[i])
        pairs = [(k, first) for first, *others in of.values() for k in others]
        if not pairs:
            return self._least(self.arrays, "decided today")
        entries = sparse.csr_array(
            (
                np.tile([1.0, -1.0], len(pairs)),
                (np.repeat(np.arange(len(pairs)), 2), np.array(pairs).ravel()),
            ),
            shape=(len(pairs), len(self.arrays.cost)),
        )
        return self._least(self.arrays.with_rows(entries, np.zeros(len(pairs)), np.zeros(len(pairs))), option or "all")

    def foreseen(self) -> Searched:
        """Return the expected cost if one knew beforehand what will happen: the mean over all courses."""
        cost = bound = 0.0
        for outcome in self.data.outcomes:
            if outcome.probability > 0.0:
                known = compiled(prepare_course(self.tree, outcome.scenario).data)
                found = self._least(known, f"knowing beforehand: {outcome.scenario or 'nothing happens'}", whole=False)
                cost += outcome.probability * found.cost
                bound += outcome.probability * found.bound
        return Searched(cost, bound)

    def differing(self) -> list[str]:
        """Return the options that some branch can start by itself, sorted."""
        return sorted({start.option for start in self.data.build if start.branch != PLAN})

    def _least(self, arrays: Arrays, what: str, whole: bool = True) -> Searched:
        """Return the least cost of a model, infinite if it has no plan. Raises KeyboardInterrupt if it is stopped.

        whole  it is the tree, with other rules on what is built: the planes below its operations hold for the next one
        """
        if self.progress:
            self.progress(f"roadmap: {what}")
        programme = Programme(arrays, self.settings)
        method: Any = by_parts(programme, LShaped)
        if whole and method is not None and self._planes is not None:
            method.adopt(self._planes)
        start = self._first if whole else None
        found = least_cost(programme, method, start, self.settings.time_limit, self.progress)
        if whole and found.held:
            self._first = found.x if self._first is None else self._first
        if whole and method is not None:
            self._planes = method.kept
        return Searched(found.value, found.bound) if found.held else NONE
