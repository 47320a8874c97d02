r"""The master problem of the L-shaped method (Benders decomposition): builds against cuts of the operations.

.. math::
    \min\ (1-\omega) \Bigl(c e + \frac1S \sum_s \bigl(m_s n + \sum_b \theta_{sb}\bigr)\Bigr)
    + \omega \Bigl(\eta + \frac{1}{(1-\alpha) S} \sum_s u_s\Bigr), \qquad
    u_s \ge c e + m_s n + \sum_b \theta_{sb} - \eta

.. math::
    \theta_{sb} \ge \hat Q_{bk} + \hat\pi_{bk} \bigl(K + T_s (n, e) - \hat\kappa_{bk}\bigr) \qquad \forall k

over the builds n and closures e that the rules on investment and funding allow, with

==================  =========================================================================================
symbol              meaning
==================  =========================================================================================
s of S, b           outcomes of the sample, equally likely; parts of the operations (see `Recourse`)
c, m_s              present cost of closures, and of modules in outcome s, MUSD
theta_sb            lower estimate of the cost of the operations of part b in outcome s, MUSD
omega, alpha        weight of the worst 1 - alpha of the outcomes (the conditional value at risk)
eta, u_s            value at risk, and what outcome s costs beyond it, MUSD
K, T_s              own capacities, kt/yr, and what one module or closure adds to them in outcome s
Q_bk, pi_bk         solve k of part b: its cost, MUSD, and the shadow price of each capacity, at kappa_bk
==================  =========================================================================================

The cost of the operations of a part is one convex function of the capacities of that part, the same in all outcomes.
Each solve gives an optimality cut: a plane below this function, which holds for every outcome.
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

NEARLY = 0.1  # a decision at most so far from a whole number is fixed there when a solution is rounded
LOOSE = 6  # a cut that has not been binding for more solves than this is removed


@dataclass(frozen=True, slots=True)
class Weights:
    """The objective: (1 - weight) x mean cost + weight x mean of the worst 1 - alpha of the outcomes (CVaR).

    weight  0 to 1
    alpha   0 to below 1
    """

    weight: float = 0.0
    alpha: float = 0.9

    def of(self, costs: np.ndarray) -> float:
        """Return the objective for the costs of equally likely outcomes, MUSD."""
        from ...solving.outcomes import mean_of_worst

        worst = mean_of_worst(costs.tolist(), [1.0 / len(costs)] * len(costs), self.alpha) if self.weight else 0.0
        return float((1.0 - self.weight) * costs.mean() + self.weight * worst)


class Master:
    """The master problem of a sample.

    `relaxed`, `planned` and `rounded` return decisions; `cut` adds an optimality cut per outcome and part.

    first    number of first-stage columns, which are builds, closures and what goes with them
    parts    number of parts of the operations
    theta    columns of the estimates, shape (outcomes, parts)
    closing  cost of the first-stage columns other than builds, MUSD per unit
    whole    first-stage columns that must be whole numbers
    rules    number of rows that are not cuts
    """

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
        closing[sample.at_money] = 0.0
        money = np.tile(closing, (outcomes, 1))
        money[:, sample.at_money] += sample.money
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
            # the offset is left out of these rows, as it is the same in all outcomes
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
        self._loose = np.zeros(0, dtype=int)  # for each cut: solves since it was last binding

    def forbid(self, columns: np.ndarray, forbidden: bool = True) -> None:
        """Keep first-stage columns at 0 from now on, or no longer."""
        upper = np.zeros(len(columns)) if forbidden else self.arrays.col_upper[columns]
        self.programme.bound(columns, self.arrays.col_lower[columns], upper)
        self._upper[columns] = upper

    # --- cuts -------------------------------------------------------------------------------------------

    def cut(self, capacities: list[np.ndarray], answers: list[list[Any]], theta: np.ndarray | None) -> int:
        """Add the optimality cuts of an evaluation, and return how many were added.

        capacities  one vector of capacities per outcome, kt/yr
        answers     per outcome the answer of each part
        theta       estimates of the master, shape (outcomes, parts): cuts that do not exceed them are left out; None:
                    all cuts are added
        """
        added = 0
        for s, (capacity, of_parts) in enumerate(zip(capacities, answers, strict=True)):
            for b, (part, answer) in enumerate(zip(self.operations.recourse.parts, of_parts, strict=True)):
                if theta is not None and answer.value <= theta[s, b] + 1e-9 * max(1.0, abs(answer.value)):
                    continue
                self._add_cut(s, b, part, answer, capacity)
                added += 1
        self._loose = np.append(self._loose, np.zeros(added, dtype=int))
        return added

    def _add_cut(self, s: int, b: int, part: Any, answer: Any, capacity: np.ndarray) -> None:
        """Add the cut of part ``b`` in outcome ``s``, whose answer was found at ``capacity``."""
        slope = answer.price @ self.sample.added[s][part.limits]
        columns = np.flatnonzero(np.abs(slope) > 1e-10)
        level = answer.value + float(answer.price @ (self.sample.own - capacity)[part.limits])
        entries = np.append(-slope[columns], 1.0)
        self.programme.add_row(np.append(columns, self.theta[s, b]), entries, lower=level)

    def _drop_loose(self, duals: np.ndarray) -> None:
        """Remove the cuts that have not been binding for some solves; ``duals`` are those of all rows."""
        binding = np.abs(duals[self.rules :]) > 1e-12
        self._loose = np.where(binding, 0, self._loose + 1)
        gone = np.flatnonzero(self._loose > LOOSE)
        if len(gone):
            self.programme.drop_rows(gone + self.rules)
            self._loose = np.delete(self._loose, gone)

    # --- solves -------------------------------------------------------------------------------------------

    def relaxed(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Solve the relaxation, without whole numbers.

        Returns the first-stage decisions, theta of shape (outcomes, parts), and the bound, MUSD.
        """
        found = self._ended(self.programme.find())
        x, bound = found.x, self.programme.cost(found.x)
        self._drop_loose(found.duals)
        return np.clip(x[: self.first], 0.0, None), x[self.theta], bound

    def planned(
        self, gap: float, seconds: float, start: np.ndarray | None
    ) -> tuple[np.ndarray | None, np.ndarray, float]:
        """Solve with whole numbers, to a relative gap or for at most some seconds.

        start  decisions that the search starts from
        Returns the decisions (None: none were found), theta of shape (outcomes, parts), and the bound, MUSD.
        """
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

    def rounded(self, x: np.ndarray) -> np.ndarray | None:
        """Return whole decisions near the relaxed ones ``x`` (by diving); None if none are found.

        In each turn the decisions that are nearly whole are fixed, at least one, and the rest is solved again.
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
                if found.stopped == "infeasible":  # round down instead of up
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
        """Return a solution that is optimal. Raises Infeasible or SolverFailed for any other."""
        if found.stopped == "infeasible":
            raise Infeasible("no builds fit the rules on investment and funding")
        if not found.optimal:
            raise SolverFailed(f"the builds could not be chosen ({found.stopped})")
        return found
