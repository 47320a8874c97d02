r"""Builds against what is known of the operations: the master of the L-shaped method.

.. math::
    \min\ (1-\omega) \Bigl(c e + \frac1S \sum_s \bigl(m_s n + \sum_b \theta_{sb}\bigr)\Bigr)
    + \omega \Bigl(\eta + \frac{1}{(1-\alpha) S} \sum_s u_s\Bigr), \qquad
    u_s \ge c e + m_s n + \sum_b \theta_{sb} - \eta

.. math::
    \theta_{sb} \ge \hat Q_{bk} + \hat\pi_{bk} \bigl(K + T_s (n, e) - \hat\kappa_{bk}\bigr) \qquad \forall k

over the builds n and closures e that the rules on investment and funding allow. The cost of operations of a part b is
one convex function of the capacities of that part, the same in all outcomes; each solve gives a plane below it
(value Q, price pi of each capacity at the capacities kappa), which holds for every outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from ...errors import Infeasible, SolverFailed
from ...solving.programme import Programme
from ...solving.solver import Found

if TYPE_CHECKING:
    from ...solving.solver import Progress, Settings
    from ..delivery.operations import Operations
    from .sample import Sample

NEARLY = 0.1  # from a whole number, so that a decision is held there in rounding
LOOSE = 6  # solves for which a plane that does not bind is kept


@dataclass(frozen=True, slots=True)
class Weights:
    """The objective: (1 - weight) mean + weight mean of the worst 1 - alpha of the outcomes by cost."""

    weight: float = 0.0
    alpha: float = 0.9

    def of(self, costs: np.ndarray) -> float:
        """The objective of equally likely outcomes, MUSD."""
        from ...solving.outcomes import mean_of_worst

        worst = mean_of_worst(costs.tolist(), [1.0 / len(costs)] * len(costs), self.alpha) if self.weight else 0.0
        return float((1.0 - self.weight) * costs.mean() + self.weight * worst)


class Master:
    """The master of a sample. ``solve`` gives decisions and a bound; ``cut`` adds what the operations tell."""

    def __init__(
        self, operations: Operations, sample: Sample, weights: Weights, settings: Settings, progress: Progress | None
    ) -> None:
        from ...solving.solver import Arrays

        model = operations.model
        self.operations, self.sample, self.weights = operations, sample, weights
        self.first, self.parts = len(sample.first), len(operations.recourse.parts)
        outcomes = len(sample)
        tail = 1 + outcomes if weights.weight else 0
        self.theta = self.first + np.arange(outcomes * self.parts).reshape(outcomes, self.parts)
        width = self.first + outcomes * self.parts + tail
        closing = model.cost[sample.first].copy()
        closing[sample.at_build] = 0.0
        money = np.tile(closing, (outcomes, 1))
        money[:, sample.at_build] += sample.money
        self.closing = closing
        mean = 1.0 - weights.weight
        cost = np.zeros(width)
        cost[: self.first] = mean * money.mean(axis=0)
        cost[self.theta] = mean / outcomes
        by_row = sparse.csr_array(model.matrix)
        kept = np.flatnonzero(~operations.recourse.operating)
        rules = sparse.hstack(
            [by_row[kept][:, sample.first], sparse.csr_array((len(kept), width - self.first))], format="csr"
        )
        lower, upper = model.row_lower[kept], model.row_upper[kept]
        low, high = np.full(width, -np.inf), np.full(width, np.inf)
        low[: self.first], high[: self.first] = model.col_lower[sample.first], model.col_upper[sample.first]
        if weights.weight:
            eta = width - tail
            cost[eta] = weights.weight
            cost[eta + 1 :] = weights.weight / ((1.0 - weights.alpha) * outcomes)
            low[eta + 1 :] = 0.0
            beyond = sparse.lil_array((outcomes, width))
            for s in range(outcomes):
                beyond[s, np.arange(self.first)] = -money[s]
                beyond[s, self.theta[s]] = -1.0
                beyond[s, eta] = beyond[s, eta + 1 + s] = 1.0
            rules = sparse.vstack([rules, beyond], format="csr")
            # the offset stands outside, as it is the same in all outcomes
            lower, upper = np.append(lower, np.zeros(outcomes)), np.append(upper, np.full(outcomes, np.inf))
        whole = np.zeros(width, dtype=bool)
        whole[: self.first] = model.integer[sample.first]
        self.whole = np.flatnonzero(whole)
        arrays = Arrays(cost, operations.offset, sparse.csc_array(rules), lower, upper, low, high,
                        np.zeros(width, dtype=bool), {}, {})  # fmt: skip
        self.arrays = arrays
        self.rules = len(lower)
        self.programme = Programme(arrays, settings)
        if progress:
            self.programme.report_search(progress)
        self._upper = high.copy()
        self._loose = np.zeros(0, dtype=int)  # solves since a plane was last binding

    def forbid(self, columns: np.ndarray, forbidden: bool = True) -> None:
        """Keep first-stage columns at 0 from now on, or no longer."""
        upper = np.zeros(len(columns)) if forbidden else self.arrays.col_upper[columns]
        self.programme.bound(columns, self.arrays.col_lower[columns], upper)
        self._upper[columns] = upper

    # --- planes -------------------------------------------------------------------------------------------

    def cut(self, capacities: list[np.ndarray], answers: list[list[Any]], theta: np.ndarray | None) -> int:
        """Add the planes of an evaluation where they say more than ``theta`` (outcomes x parts), and how many."""
        added = 0
        for s, (capacity, of) in enumerate(zip(capacities, answers, strict=True)):
            for b, (part, answer) in enumerate(zip(self.operations.recourse.parts, of, strict=True)):
                if theta is not None and answer.value <= theta[s, b] + 1e-9 * max(1.0, abs(answer.value)):
                    continue
                self._plane(s, b, part, answer, capacity)
                added += 1
        self._loose = np.append(self._loose, np.zeros(added, dtype=int))
        return added

    def _plane(self, s: int, b: int, part: Any, answer: Any, capacity: np.ndarray) -> None:
        slope = answer.price @ self.sample.added[s][part.limits]
        columns = np.flatnonzero(np.abs(slope) > 1e-10)
        level = answer.value + float(answer.price @ (self.sample.own - capacity)[part.limits])
        entries = np.append(-slope[columns], 1.0)
        self.programme.add_row(np.append(columns, self.theta[s, b]), entries, lower=level)

    def _drop_loose(self, duals: np.ndarray) -> None:
        """Remove planes that have not been binding for some solves."""
        binding = np.abs(duals[self.rules :]) > 1e-12
        self._loose = np.where(binding, 0, self._loose + 1)
        gone = np.flatnonzero(self._loose > LOOSE)
        if len(gone):
            self.programme.drop_rows(gone + self.rules)
            self._loose = np.delete(self._loose, gone)

    # --- solves -------------------------------------------------------------------------------------------

    def relaxed(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Without whole numbers: decisions, theta (outcomes x parts), and the bound, MUSD."""
        found = self._ended(self.programme.find())
        x, bound = found.x, self.programme.cost(found.x)
        self._drop_loose(found.duals)
        return np.clip(x[: self.first], 0.0, None), x[self.theta], bound

    def planned(
        self, gap: float, seconds: float, start: np.ndarray | None
    ) -> tuple[np.ndarray | None, np.ndarray, float]:
        """With whole numbers, to a gap or until the seconds are over: decisions (None: none found), theta, bound."""
        self.programme.integers(self.whole, True)
        if start is not None:
            self.programme.offer(self.whole, start[self.whole])
        try:
            found = self.programme.find(gap=gap, seconds=seconds)
            if found.stopped != "time_limit":
                self._ended(found)
        finally:
            self.programme.integers(self.whole, False)
        if not found.held:
            return None, np.zeros(self.theta.shape), found.bound
        x, bound = found.x, found.bound
        decided = np.clip(x[: self.first], 0.0, None)
        decided[self.whole] = np.round(decided[self.whole])
        return decided, x[self.theta], bound

    def beside(self, x: np.ndarray) -> np.ndarray | None:
        """Whole decisions next to others that are not; None if none are found.

        What is nearly whole is held at that, at least one decision a turn, and the rest is chosen anew.
        """
        lower, upper = self.arrays.col_lower[self.whole], self._upper[self.whole]
        low, high = lower.copy(), upper.copy()
        try:
            while (free := low < high).any():
                near = np.clip(np.round(x[self.whole]), lower, upper)
                off = np.abs(x[self.whole] - near)
                taken = free & (off <= max(NEARLY, off[free].min()))
                low[taken] = high[taken] = near[taken]
                self.programme.bound(self.whole, low, high)
                found = self.programme.find()
                if found.stopped == "infeasible":  # less of what was rounded up
                    low[taken] = high[taken] = np.clip(np.floor(x[self.whole] + 1e-9), lower, upper)[taken]
                    self.programme.bound(self.whole, low, high)
                    found = self.programme.find()
                if found.stopped == "infeasible":
                    return None
                x = self._ended(found).x
            decided = np.clip(x[: self.first], 0.0, None)
            decided[self.whole] = low
            return decided
        finally:
            self.programme.bound(self.whole, lower, upper)

    @staticmethod
    def _ended(found: Found) -> Found:
        if found.stopped == "infeasible":
            raise Infeasible("no builds fit the rules on investment and funding")
        if not found.optimal:
            raise SolverFailed(f"the builds could not be chosen ({found.stopped})")
        return found
