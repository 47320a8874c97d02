"""Master and operations in turn, until the best builds for a sample are known to a gap."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .master import Master, Weights

if TYPE_CHECKING:
    from ...solving.solver import Progress, Settings
    from ..delivery.operations import Operations
    from .sample import Sample

TOWARDS = 0.5  # how far from the best decisions known to the master's a trial lies, while no whole numbers are asked
STALLED = 3  # trials with whole numbers without progress after which the search ends
LEAST = 1e-7  # smallest gap that is told apart from rounding


@dataclass
class Best:
    """The best builds known for a sample.

    x          first-stage decisions, in the order of ``Sample.first``
    value      MUSD, the objective of the sample with these
    bound      MUSD: no builds are better
    costs      MUSD of each outcome
    why        ``optimal`` (to the gap), ``time_limit``, ``interrupted`` or ``stalled`` (the search found no more)
    """

    x: np.ndarray
    value: float
    bound: float
    costs: np.ndarray
    rounds: int = 0
    why: str = ""

    @property
    def gap(self) -> float:
        """Relative distance of value and bound."""
        return max(0.0, self.value - self.bound) / max(abs(self.value), 1e-9)


class Search:
    """The search on one sample; it can be asked again with projects forbidden, and knows what it learned."""

    def __init__(
        self,
        operations: Operations,
        sample: Sample,
        weights: Weights,
        settings: Settings,
        progress: Progress | None = None,
    ) -> None:
        self.operations, self.sample, self.weights, self.progress = operations, sample, weights, progress
        self.master = Master(operations, sample, weights, settings, progress)

    def evaluate(self, x: np.ndarray, theta: np.ndarray | None = None) -> tuple[float, np.ndarray, int]:
        """The objective with some decisions, the cost of each outcome, and how many planes the master gained."""
        capacities = [self.sample.capacity(s, x) for s in range(len(self.sample))]
        answers = self.operations.recourse.answers(capacities)
        value = np.array([sum(a.value for a in of) for of in answers])
        costs = value + self.sample.spent(x) + float(self.master.closing @ x) + self.operations.offset
        return self.weights.of(costs), costs, self.master.cut(capacities, answers, theta)

    def best(self, start: np.ndarray, gap: float, time_limit: float | None) -> Best:
        """The best builds from a plan to start with. Ctrl-C or the time limit end it with the best so far."""
        ends = math.inf if time_limit is None else time.perf_counter() + time_limit
        gap = max(gap, LEAST)
        value, costs, _ = self.evaluate(start)
        best = Best(start, value, -math.inf, costs)
        relaxed = Best(start, value, -math.inf, costs)
        try:
            self._relax(relaxed, best, gap, ends)
        except KeyboardInterrupt:
            best.why = "interrupted"
        best.bound = relaxed.bound
        try:
            self._round(relaxed.x, best)
            if not best.why:
                self._decide(best, gap, ends)
        except KeyboardInterrupt:
            best.why = "interrupted"
        return best

    def _relax(self, relaxed: Best, best: Best, gap: float, ends: float) -> None:
        """Raise the bound without whole numbers, as far as these are not what keeps it down."""
        towards = TOWARDS
        while time.perf_counter() < ends:
            found, theta, bound = self.master.relaxed()
            best.rounds += 1
            raised = bound > relaxed.bound
            relaxed.bound = max(relaxed.bound, bound)
            if relaxed.gap <= 0.5 * gap:
                return
            trial = relaxed.x + towards * (found - relaxed.x)
            value, costs, added = self.evaluate(trial, theta)
            if value < relaxed.value:
                relaxed.x, relaxed.value, relaxed.costs = trial, value, costs
            if not added and towards == 1.0:
                return
            # a trial between may tell the master nothing that it does not know: then the next is its own
            towards = TOWARDS if added and raised else 1.0
            self._tell(best.rounds, "relaxed", relaxed)

    def _round(self, x: np.ndarray, best: Best) -> None:
        """Take whole decisions next to relaxed ones, if they are better than the best known."""
        decided = self.master.beside(x)
        if decided is None:
            return
        value, costs, _ = self.evaluate(decided)
        if value < best.value:
            best.x, best.value, best.costs = decided, value, costs
        self._tell(best.rounds, "rounded", best)

    def _decide(self, best: Best, gap: float, ends: float) -> None:
        stalled = 0
        while best.gap > gap:
            left = ends - time.perf_counter()
            if left <= 0.0:
                best.why = "time_limit"
                return
            x, theta, bound = self.master.planned(0.4 * gap, left, best.x)
            best.rounds += 1
            before = best.value, best.bound
            best.bound = max(best.bound, min(bound, best.value))
            added = 0
            if x is not None:
                value, costs, added = self.evaluate(x, theta)
                if value < best.value:
                    best.x, best.value, best.costs = x, value, costs
            self._tell(best.rounds, "whole", best)
            stalled = stalled + 1 if (best.value, best.bound) == before and not added else 0
            if stalled >= STALLED:
                best.why = "stalled"
                return
        best.why = "optimal"

    def _tell(self, rounds: int, what: str, known: Best) -> None:
        if self.progress:
            self.progress(
                f"round {rounds} ({what}): {known.value:,.6g} MUSD, none below {known.bound:,.6g} ({known.gap:.2%})"
            )


def decisions(operations: Operations, sample: Sample, run: Any) -> np.ndarray:
    """First-stage decisions that a run holds: its builds, the groups they choose, its closures."""

    data, columns = operations.data, operations.model.columns
    x = np.zeros(len(sample.first))
    among = {column: k for k, column in enumerate(sample.first.tolist())}
    if "closures" in run.tables:
        year_of = {node.period: node.year for node in data.nodes}
        held = {
            (str(r.facility), str(r.kind), int(r.year)): float(r.share) for r in run.tables["closures"].itertuples()
        }
        for j, closing in enumerate(data.close):
            share = held.get((closing.facility, closing.kind, year_of[closing.first]), 0.0)
            if closing.kind == "retire" and closing.first > 0:  # told in sum over all that retired until then
                share -= held.get((closing.facility, closing.kind, year_of[closing.first - 1]), 0.0)
            x[among[columns["close"][j]]] = max(0.0, share)
    built = run.builds
    for i, start in enumerate(data.build):
        x[sample.at_build[i]] = built.get((start.option, start.year), 0.0)
    options = {option for (option, _), n in built.items() if n > 0.0}
    for j, k in columns.get("chosen", {}).items():
        x[among[k]] = float(data.chosen[j] in options)
    return x
