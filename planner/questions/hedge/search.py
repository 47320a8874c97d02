"""The L-shaped method on one sample: master and operations in turn, until the best builds are known to a gap."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...solving.lshaped import ENOUGH, KNOWN
from .master import Master, Weights

if TYPE_CHECKING:
    from ...solving.solver import Progress, Settings
    from ..delivery.operations import Operations
    from .sample import Sample

TOWARDS = 0.5  # in the relaxation a trial lies this far on the way from the best known decisions to the master's
NEARLY_FULL = 1e-9  # share of a step of a size up to which it counts as whole
RELAXING = 0.7  # of the time of a search, after which a relaxation that is not done makes way for whole numbers
PART = 0.2  # of the gap, to which the plan is searched where outcomes decide by themselves, and their answers
MOST_ANSWERS = 6  # searches of the answers to one plan
STALLED = 3  # the search ends after so many trials with whole numbers without progress
LEAST = 1e-7  # smallest relative gap asked for; less is rounding


@dataclass
class Best:
    """The best builds known for a sample.

    x       decisions, in the order of ``Sample`` (the incumbent)
    value   their objective on the sample, MUSD
    bound   lower bound: no builds have a lower objective, MUSD
    costs   cost of each outcome, MUSD
    rounds  how often the master was solved
    why     why the search ended: ``optimal`` (to the gap), ``time_limit``, ``interrupted``, ``stalled``
    """

    x: np.ndarray
    value: float
    bound: float
    costs: np.ndarray
    rounds: int = 0
    why: str = ""

    @property
    def gap(self) -> float:
        """The relative gap between value and bound."""
        return max(0.0, self.value - self.bound) / max(abs(self.value), 1e-9)


class Search:
    """The search on one sample. It can be asked again, with some projects forbidden; the cuts found before are kept."""

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
        """Solve the operations for decisions ``x`` in every outcome, and add the cuts that follow.

        theta  the master's estimates for ``x``, if it proposed them: see `Master.cut`
        Returns the objective (MUSD), the cost of each outcome (MUSD), and how many cuts were added.
        """
        capacities = [self.sample.capacity(s, x) for s in range(len(self.sample))]
        answers = self.operations.recourse.answers(capacities)
        value = np.array([sum(a.value for a in of_parts) for of_parts in answers])
        costs = value + self.sample.spent(x) + float(self.master.closing @ x) + self.operations.offset
        return self.weights.of(costs), costs, self.master.cut(capacities, answers, theta)

    def best(self, start: np.ndarray, gap: float, time_limit: float | None) -> Best:
        """Return the best builds; Ctrl-C or the time limit end the search with the best so far.

        start       decisions to start from
        gap         relative
        time_limit  seconds; None: no limit
        """
        began, limit = time.perf_counter(), math.inf if time_limit is None else time_limit
        ends = began + limit
        gap = max(gap, LEAST)
        value, costs, _ = self.evaluate(start)
        best = Best(start, value, -math.inf, costs)
        relaxed = Best(start, value, -math.inf, costs)
        try:
            self._relax(relaxed, best, gap, began + RELAXING * limit)
        except KeyboardInterrupt:
            best.why = "interrupted"
        best.bound = relaxed.bound
        try:
            self._round(relaxed.x, best, gap, ends)
            if not best.why:
                self._decide(best, gap, ends)
        except KeyboardInterrupt:
            best.why = "interrupted"
        return best

    def held(self, x: np.ndarray, gap: float, time_limit: float | None) -> Best:
        """Return the best that can be done with the starts and closures of a plan ``x``, shape (first-stage columns,).

        gap, time_limit  as in `best`
        """
        start = self.sample.spread(x)
        if self.sample.width == len(x):  # nothing is left to decide
            value, costs, _ = self.evaluate(start)
            return Best(start, value, value, costs, why="optimal")
        columns, values = self.sample.held(start)
        self.master.hold(columns, values)
        try:
            return self.best(start, gap, time_limit)
        finally:
            self.master.release(columns)

    def _relax(self, relaxed: Best, best: Best, gap: float, ends: float) -> None:
        """Raise the bound by solving the relaxation, until its own gap is at most half of ``gap`` or no cut is left.

        relaxed  best relaxed decisions; changed here
        ends     when to end, as `time.perf_counter` counts
        """
        towards = TOWARDS
        while time.perf_counter() < ends:
            proposed, theta, bound = self.master.relaxed()
            best.rounds += 1
            raised = bound > relaxed.bound
            relaxed.bound = max(relaxed.bound, bound)
            if relaxed.gap <= 0.5 * gap:
                return
            if self.master.hear(proposed):
                continue
            trial = relaxed.x + towards * (proposed - relaxed.x)
            value, costs, added = self.evaluate(trial, theta)
            if value < relaxed.value:
                relaxed.x, relaxed.value, relaxed.costs = trial, value, costs
            if not added and towards == 1.0:
                return
            # a trial in between may add no cut that helps: the next trial is then the master's own proposal
            towards = TOWARDS if added and raised else 1.0
            self._tell(best.rounds, "relaxed", relaxed)

    def _round(self, x: np.ndarray, best: Best, gap: float, ends: float) -> None:
        """Round relaxed decisions ``x`` to whole ones, and take these if they are better than the best known."""
        decided = self.master.rounded(x)
        if decided is None:
            return
        if self.master.of_plan.all():
            self._better(best, decided)
        else:
            self._answer(best, decided, gap, ends)
        self._tell(best.rounds, "rounded", best)

    def _better(self, best: Best, x: np.ndarray, theta: np.ndarray | None = None) -> tuple[float, int]:
        """Evaluate decisions, and take them if they are better than the best known.

        Returns their objective, MUSD, and how many cuts were added; ``theta`` is as in `evaluate`.
        """
        value, costs, added = self.evaluate(x, theta)
        if value < best.value:
            best.x, best.value, best.costs = x, value, costs
        return value, added

    def _answer(self, best: Best, x: np.ndarray, gap: float, ends: float) -> None:
        """Search the best answers to the plan of decisions ``x``, with the cuts of the last until these help little.

        Once a plan is held this takes a moment, where a search of the whole master takes a minute. After Ctrl-C
        they are searched once, so that there is a plan with answers.
        """
        least = math.inf
        for _ in range(MOST_ANSWERS):
            answered = self.master.answered(x, PART * gap, max(0.0, ends - time.perf_counter()))
            if answered is None:
                return
            value, _ = self._better(best, answered)
            self._tell(best.rounds, "answers", best)
            if best.why or best.gap <= gap or value > least - PART * gap * abs(value):
                return
            least, x = value, answered

    def _decide(self, best: Best, gap: float, ends: float) -> None:
        """Solve the master with whole numbers, until the gap or the end of the time is reached.

        Where outcomes decide by themselves, the plan's whole numbers come first, with the best answers to each plan
        that is proposed: that is much faster, and leaves little of the gap. The rest is closed with all of them.
        """
        stalled, plan = 0, self.master.whole[self.master.of_plan]
        first = len(plan) < len(self.master.whole)
        while best.gap > gap:
            left = ends - time.perf_counter()
            if left <= 0.0:
                best.why = "time_limit"
                return
            enough = best.value - ENOUGH * gap * abs(best.value)
            asked = max((PART if first else 0.4) * gap, KNOWN * min(1.0, best.gap))
            x, theta, bound = self.master.planned(asked, left, enough, plan if first else None)
            best.rounds += 1
            before = best.value, best.bound
            best.bound = max(best.bound, min(bound, best.value))
            added = 0
            if x is not None:
                added = self.master.hear(x)
                if first or self.sample.started_unheard(x):
                    self._answer(best, x, gap, ends)
                else:
                    added += self._better(best, x, theta)[1]
            self._tell(best.rounds, "plan whole" if first else "whole", best)
            moved = before[0] - best.value + best.bound - before[1]
            first = first and moved > PART * gap * abs(best.value)
            stalled = stalled + 1 if moved == 0.0 and not added else 0
            if stalled >= STALLED:
                best.why = "stalled"
                return
        best.why = "optimal"

    def _tell(self, rounds: int, what: str, known: Best) -> None:
        """Print a line of progress."""
        if self.progress:
            self.progress(
                f"round {rounds} ({what}): {known.value:,.6g} million, none below {known.bound:,.6g} ({known.gap:.2%})"
            )


def decisions(operations: Operations, sample: Sample, run: Any) -> np.ndarray:
    """Return the first-stage decisions of a run: its builds, the options that they choose, and its closures."""
    data, columns = operations.data, operations.model.columns
    x = np.zeros(len(sample.first))
    place_of = {column: k for k, column in enumerate(sample.first.tolist())}
    if "closures" in run.tables:
        year_of = {node.period: node.year for node in data.nodes}
        closed = {
            (str(r.facility), str(r.kind), int(r.year)): float(r.share) for r in run.tables["closures"].itertuples()
        }
        for j, closing in enumerate(data.close):
            share = closed.get((closing.facility, closing.kind, year_of[closing.first]), 0.0)
            if closing.kind == "retire" and closing.first > 0:  # the table holds the total retired until then
                share -= closed.get((closing.facility, closing.kind, year_of[closing.first - 1]), 0.0)
            x[place_of[columns["close"][j]]] = max(0.0, share)
    built = run.builds
    for i, start in enumerate(data.build):
        x[sample.at_build[i]] = built.get((start.option, start.year), 0.0)
    for j, sized in enumerate(data.excess):
        left = x[sample.at_build[sized.start]]
        for step in sized.steps:
            part = data.fill[step]
            filled = min(1.0, max(0.0, left / part.share))
            x[place_of[columns["fill"][step]]] = filled
            x[place_of[columns["excess"][j]]] += filled * part.capex
            if step in columns.get("full", {}):
                x[place_of[columns["full"][step]]] = float(filled > 1.0 - NEARLY_FULL)
            left -= part.share
    for j, k in columns.get("chosen", {}).items():
        starts = (data.build[i] for i in data.chosen[j].starts)
        x[place_of[k]] = float(any(built.get((start.option, start.year), 0.0) > 0.0 for start in starts))
    return x
