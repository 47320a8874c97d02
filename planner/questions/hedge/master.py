r"""The master problem of the L-shaped method (Benders decomposition): builds against cuts of the operations.

.. math::
    \min\ (1-\omega) \Bigl(c e + \frac1S \sum_s \bigl(m_s n + \sum_b \theta_{sb}\bigr)\Bigr)
    + \omega \Bigl(\eta + \frac{1}{(1-\alpha) S} \sum_s u_s\Bigr), \qquad
    u_s \ge c e + m_s n + \sum_b \theta_{sb} - \eta

.. math::
    \theta_{sb} \ge \hat Q_{bk} + \hat\pi_{bk} \bigl(K + T_s (n, e) - \hat\kappa_{bk}\bigr) \qquad \forall k

over the closures e and the builds n of the plan and n_s of each outcome that the rules on investment and funding allow
(in the formulas n stands for n_s where an outcome has its own), with

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

What starts before the earliest news that any plan can have of an outcome is one column for the plan and the outcome, so
:math:`n_s = n`. What starts later is its own, but :math:`|n_{s\tau} - n_\tau| \le M \sum_{i \in H_{s\tau}} n_i`, where
:math:`H_{s\tau}` is what the outcome hits among all starts of which one knows in time. Only such rows are there as a
solution has broken (see `Master.hear`). With the whole numbers of the plan alone the master gives a plan and a bound,
and with this plan held the best whole answers to it. With all whole numbers its bound is exact.
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from ...cores import free_cores
from ...errors import Infeasible, SolverFailed
from ...solving.compiling import Arrays
from ...solving.lshaped import WITHOUT
from ...solving.programme import Programme
from ...solving.solver import Found
from ..delivery.answer import STARTED

if TYPE_CHECKING:
    from ...solving.solver import Progress, Settings
    from ..delivery.operations import Operations
    from .sample import Sample

NEARLY = 0.1  # a decision at most so far from a whole number is fixed there when a solution is rounded
HELD = 1e-7  # modules by which a start that is held may differ
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
    whole    columns that must be whole numbers
    of_plan  bool for each of these: it is the plan's, not an outcome's own
    rules    number of rows that are not cuts
    """

    def __init__(
        self, operations: Operations, sample: Sample, weights: Weights, settings: Settings, progress: Progress | None
    ) -> None:
        model = operations.model
        self.operations, self.sample, self.weights = operations, sample, weights
        self.first, self.parts = sample.width, len(operations.recourse.parts)
        outcomes = len(sample)
        tail = 1 + outcomes if weights.weight else 0
        self.theta = self.first + np.arange(outcomes * self.parts).reshape(outcomes, self.parts)
        width = self.first + outcomes * self.parts + tail
        closing = model.cost[sample.first].copy()
        closing[sample.at_money] = 0.0
        money = np.tile(closing, (outcomes, 1))
        money[:, sample.at_money] += sample.money
        self._money, self.settings = money, settings
        self.closing = np.zeros(self.first)
        self.closing[: len(closing)] = closing
        mean = 1.0 - weights.weight
        cost = np.zeros(width)
        own = sample.columns >= len(sample.first)
        cost[: len(sample.first)] = mean * np.where(own, 0.0, money).mean(axis=0)
        cost[sample.columns[own]] = mean / outcomes * money[own]
        cost[self.theta] = mean / outcomes
        by_row = sparse.csr_array(model.matrix)
        kept = np.flatnonzero(~operations.recourse.operating)
        rules, lower, upper = self._rules(
            by_row[kept][:, sample.first], model.row_lower[kept], model.row_upper[kept], width
        )
        low, high = np.full(width, -np.inf), np.full(width, np.inf)
        low[: self.first], high[: self.first] = (
            sample.spread(side[sample.first]) for side in (model.col_lower, model.col_upper)
        )
        if weights.weight:
            eta = width - tail
            cost[eta] = weights.weight
            cost[eta + 1 :] = weights.weight / ((1.0 - weights.alpha) * outcomes)
            low[eta + 1 :] = 0.0
            beyond = sparse.lil_array((outcomes, width))
            for s in range(outcomes):
                beyond[s, sample.columns[s]] = -money[s]
                beyond[s, self.theta[s]] = -1.0
                beyond[s, eta] = beyond[s, eta + 1 + s] = 1.0
            rules = sparse.vstack([rules, beyond], format="csr")
            # the offset is left out of these rows, as it is the same in all outcomes
            lower, upper = np.append(lower, np.zeros(outcomes)), np.append(upper, np.full(outcomes, np.inf))
        whole = np.zeros(width, dtype=bool)
        whole[: self.first] = sample.spread(model.integer[sample.first]) > 0.0
        self.whole = np.flatnonzero(whole)
        self.of_plan = self.whole < len(sample.first)
        arrays = Arrays(cost, operations.offset, sparse.csc_array(rules), lower, upper, low, high,
                        np.zeros(width, dtype=bool), {}, {})  # fmt: skip
        self.arrays = arrays
        self.rules = len(lower)
        self.programme = Programme(arrays, settings)
        self.programme.option(**WITHOUT)
        self.progress = progress
        self._lower, self._upper = low[: self.first].copy(), high[: self.first].copy()
        self._loose = np.zeros(0)  # for each cut: solves since it was last binding; minus infinite: it stays

    def _rules(
        self, rules: Any, lower: np.ndarray, upper: np.ndarray, width: int
    ) -> tuple[Any, np.ndarray, np.ndarray]:
        """Return the rules on investment of the plan, and of each outcome that decides by itself, with their sides.

        rules, lower, upper  those of one course: a sparse matrix of shape (rules, first-stage columns), and its sides
        width                columns of the master problem
        """
        count = rules.shape[1]
        matrices, sides = [sparse.hstack([rules, sparse.csr_array((len(lower), width - count))])], [(lower, upper)]
        for columns in self.sample.columns:
            mine = np.flatnonzero(np.diff(rules[:, columns >= count].indptr) > 0)
            place = sparse.csr_array((np.ones(count), (np.arange(count), columns)), shape=(count, width))
            matrices.append(rules[mine] @ place)
            sides.append((lower[mine], upper[mine]))
        lower, upper = (np.concatenate(side) for side in zip(*sides, strict=True))
        return sparse.vstack(matrices, format="csr"), lower, upper

    def hold(self, columns: np.ndarray, values: np.ndarray | float) -> None:
        """Keep decisions at these values from now on, until `release`."""
        self._lower[columns], self._upper[columns] = self._around(columns, values)
        self.programme.bound(columns, self._lower[columns], self._upper[columns])

    def _around(self, columns: np.ndarray, values: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds that hold decisions at these values, with room for the tolerance to which rules were kept."""
        room = HELD * (np.broadcast_to(values, len(columns)) > 0.0)
        return (np.maximum(values - room, self.arrays.col_lower[columns]),
                np.minimum(values + room, self.arrays.col_upper[columns]))  # fmt: skip

    def release(self, columns: np.ndarray) -> None:
        """Let decisions be chosen again that were held."""
        for side, all_of in ((self._lower, self.arrays.col_lower), (self._upper, self.arrays.col_upper)):
            side[columns] = all_of[columns]
        self.programme.bound(columns, self._lower[columns], self._upper[columns])

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
        self._loose = np.append(self._loose, np.zeros(added))
        return added

    def _add_cut(self, s: int, b: int, part: Any, answer: Any, capacity: np.ndarray) -> None:
        """Add the cut of part ``b`` in outcome ``s``, whose answer was found at ``capacity``."""
        slope = answer.price @ self.sample.added[s][part.limits]
        columns = np.flatnonzero(np.abs(slope) > 1e-10)
        level = answer.value + float(answer.price @ (self.sample.own - capacity)[part.limits])
        entries = np.append(-slope[columns], 1.0)
        columns = np.append(self.sample.columns[s][columns], self.theta[s, b])
        self.programme.add_row(columns, entries, lower=level)

    def hear(self, x: np.ndarray) -> int:
        """Add the rows by which no outcome starts anything otherwise before its news, as far as ``x`` breaks them.

        A start of an outcome differs from the plan's by no more than the plan has started, early enough, of what the
        outcome hits. There is no row where that need not be whole, as a trace of it is news enough.
        Returns how many were added.
        """
        sample, added = self.sample, 0
        plan = x[sample.at_build]
        for due, columns in zip(sample.due, sample.columns[:, sample.at_build], strict=True):
            off = np.abs(x[columns] - plan)
            for i in np.flatnonzero(off > STARTED).tolist():
                news = np.flatnonzero(due <= sample.years[i])
                most = self.arrays.col_upper[sample.at_build[i]]
                if not np.isin(sample.at_build[news], self.whole).all() or off[i] <= most * plan[news].sum() + STARTED:
                    continue
                entries = np.zeros((2, self.first))
                entries[:, sample.at_build[news]] = -most
                for row, sign in zip(entries, (1.0, -1.0), strict=True):
                    row[columns[i]] += sign
                    row[sample.at_build[i]] -= sign
                    places = np.flatnonzero(row)
                    self.programme.add_row(places, row[places], upper=0.0)
                added += 2
        self._loose = np.append(self._loose, np.full(added, -np.inf))
        return added

    def _drop_loose(self, duals: np.ndarray) -> None:
        """Remove the cuts that have not been binding for some solves; ``duals`` are those of all rows."""
        binding = np.abs(duals[self.rules :]) > 1e-12
        self._loose = np.where(binding & np.isfinite(self._loose), 0.0, self._loose + 1.0)
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
        return self._permitted(x), x[self.theta], bound

    def planned(
        self, gap: float, seconds: float, cutoff: float = math.inf, whole: np.ndarray | None = None
    ) -> tuple[np.ndarray | None, np.ndarray, float]:
        """Solve with whole numbers, to a relative gap or for at most some seconds.

        cutoff  MUSD: what costs more is not looked for
        whole   columns that must be whole; None: all of ``whole``
        Returns the decisions (None: none were found), theta of shape (outcomes, parts), and the bound, MUSD.
        """
        whole = self.whole if whole is None else whole
        self.programme.integers(whole, True)
        try:
            with self.programme.reported(self.progress):
                found = self.programme.find(gap=gap, seconds=seconds, cutoff=cutoff)
            if found.stopped != "time_limit" and not (found.stopped == "infeasible" and cutoff < math.inf):
                self._ended(found)
        finally:
            self.programme.integers(whole, False)
        if not found.held:
            return None, np.zeros(self.theta.shape), found.bound
        x, bound = found.x, found.bound
        decided = self._permitted(x)
        decided[whole] = np.round(decided[whole])
        return decided, x[self.theta], bound

    def answered(self, x: np.ndarray, gap: float, seconds: float) -> np.ndarray | None:
        """Return the plan of decisions ``x``, with what each outcome does best by itself; None if nothing is found.

        Once the plan is held nothing connects the outcomes, and what is least in each has the least mean of all and of
        the worst. So there is one small search for each.

        gap, seconds  as in `planned`, of each search
        """
        plan = np.arange(len(self.sample.first))
        lower, upper = self._lower.copy(), self._upper.copy()
        for columns, values in ((plan, x[plan]), self.sample.held(x)):
            lower[columns], upper[columns] = self._around(columns, values)
        now = self.programme.now
        by_row = sparse.csr_array(now.matrix)
        decided, ends = x.copy(), time.perf_counter() + seconds
        own = [of[of >= len(plan)] for of in self.sample.columns]
        deciding = [s for s, columns in enumerate(own) if len(columns)]

        stopped = threading.Event()  # by Ctrl-C, in one of the searches: no thread begins another

        def find(s: int) -> tuple[np.ndarray, Found]:
            if stopped.is_set():
                raise KeyboardInterrupt
            columns, arrays = self._outcome(s, now, by_row, own[s], lower, upper)
            left = max(0.0, ends - time.perf_counter())
            try:
                return columns, Programme(arrays, self.settings).find(gap=gap, seconds=left, watched=False)
            except KeyboardInterrupt:
                stopped.set()
                raise

        with ThreadPoolExecutor(free_cores()) as threads:
            solved = [threads.submit(find, s) for s in deciding]
            try:
                results = [of.result() for of in solved]
            finally:
                threads.shutdown(cancel_futures=True)
        for columns, found in results:
            if not found.held:  # such as by the tolerance to which the plan keeps its rules
                return None
            mine = np.flatnonzero((columns >= len(plan)) & (columns < self.first))
            decided[columns[mine]] = np.maximum(found.x[mine], lower[columns[mine]])
        answers = self.whole[~self.of_plan]
        decided[answers] = np.round(decided[answers])
        return decided

    def _outcome(
        self, s: int, now: Arrays, by_row: Any, own: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> tuple[np.ndarray, Arrays]:
        """Return the columns that the rows of an outcome hold, and what it decides by itself as a model of these.

        now, by_row   the master problem and its matrix by rows
        own           the outcome's own decisions
        lower, upper  bounds of all decisions, the plan held
        """
        block = np.append(own, self.theta[s])
        rows = np.flatnonzero(np.diff(sparse.csr_array(sparse.csc_array(now.matrix)[:, block]).indptr) > 0)
        held = by_row[rows]
        mine = np.zeros(held.shape[1], dtype=bool)
        mine[: len(self.sample.first)] = mine[block] = True
        of_others = sparse.csr_array(sparse.csc_array(held)[:, np.flatnonzero(~mine)])
        rows, held = rows[np.diff(of_others.indptr) == 0], held[np.diff(of_others.indptr) == 0]
        columns = np.union1d(block, held.indices)
        cost = np.zeros(held.shape[1])
        cost[self.theta[s]] = 1.0
        cost[self.sample.columns[s]] = self._money[s]
        low, high = np.append(lower, now.col_lower[self.first :]), np.append(upper, now.col_upper[self.first :])
        whole = np.zeros(held.shape[1], dtype=bool)
        whole[np.intersect1d(self.whole, own)] = True
        return columns, Arrays(
            cost=cost[columns], offset=0.0, matrix=sparse.csc_array(held)[:, columns],
            row_lower=now.row_lower[rows], row_upper=now.row_upper[rows], col_lower=low[columns],
            col_upper=high[columns], integer=whole[columns], columns={}, rows={},
        )  # fmt: skip

    def rounded(self, x: np.ndarray) -> np.ndarray | None:
        """Return decisions near the relaxed ones ``x`` in which the plan is whole (by diving); None if none are found.

        In each turn the decisions that are nearly whole are fixed, at least one, and the rest is solved again.
        """
        whole = self.whole[self.of_plan]
        lower, upper = self._lower[whole], self._upper[whole]
        low, high = lower.copy(), upper.copy()
        try:
            while (free := low < high).any():
                near = np.clip(np.round(x[whole]), lower, upper)
                off = np.abs(x[whole] - near)
                taken = free & (off <= max(NEARLY, off[free].min()))
                low[taken] = high[taken] = near[taken]
                self.programme.bound(whole, low, high)
                found = self.programme.find()
                if found.stopped == "infeasible":  # round down instead of up
                    low[taken] = high[taken] = np.clip(np.floor(x[whole] + 1e-9), lower, upper)[taken]
                    self.programme.bound(whole, low, high)
                    found = self.programme.find()
                if found.stopped == "infeasible":
                    return None
                x = self._ended(found).x
            decided = self._permitted(x)
            decided[whole] = low
            return decided
        finally:
            self.programme.bound(whole, lower, upper)

    def _permitted(self, x: np.ndarray) -> np.ndarray:
        """Return the decisions of a solution, none below its lower bound: the solver may exceed it by its tolerance."""
        return np.maximum(x[: self.first], self.arrays.col_lower[: self.first])

    @staticmethod
    def _ended(found: Found) -> Found:
        """Return a solution that is optimal. Raises Infeasible or SolverFailed for any other."""
        if found.stopped == "infeasible":
            raise Infeasible("no builds fit the rules on investment and funding")
        if not found.optimal:
            raise SolverFailed(f"the builds could not be chosen ({found.stopped})")
        return found
