"""Plans that cost at most a ceiling, found or ruled out by the L-shaped method.

The planes that the search for the least cost has left hold for every question. A question only adds limits on what is
built, which the master problem takes. So it takes few rounds, and the bound of the master is above the ceiling soon
where there is no plan.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...errors import SolverFailed
from ...solving.lshaped import Best, LShaped, Trial
from ...solving.solver import Found

ROUNDS = 30  # of one question; then it stays open
EQUAL = 1e-8  # relative: by so much a plan at the ceiling may exceed it, as planes are exact to little more
ROOM = 0.25  # the master is searched to this part of the room between its bound and the ceiling


class Limit(NamedTuple):
    """A limit on builds: the modules of all these columns together are at least ``least`` and at most ``most``."""

    columns: tuple[int, ...]
    least: float
    most: float

    def kept(self, x: np.ndarray, tolerance: float = 1e-6) -> bool:
        """Whether a plan ``x``, shape (columns,), keeps the limit."""
        return bool(self.least - tolerance <= x[list(self.columns)].sum() <= self.most + tolerance)


class Ceiling(LShaped):
    """The method on a model whose least cost it has found; then it is asked again and again.

    Every question starts from the planes and bases that there were after the search, so that its answer does not depend
    on what was asked before.

    stalled  whether the search for the least cost had to be left to another method
    """

    stalled = True

    def search(self, *how: Any) -> Best:
        """As `LShaped.search`."""
        best = super().search(*how)
        self.stalled = best.plan is None or best.why == "stalled"
        self._keep()
        return best

    def _keep(self) -> None:
        """Start every question from what there is now."""
        self._planes, self._asleep = list(self.planes), list(self.asleep)
        self._parts = [(p.arrays, p.programme, p.breakable, p.programme.basis) for p in self.parts]

    @property
    def state(self) -> tuple[Any, ...]:
        """What another process needs, besides the model, to answer in the same way; see `resume`."""
        return self._planes, self._asleep, [(breakable, basis) for *_, breakable, basis in self._parts]

    def resume(self, state: tuple[Any, ...]) -> None:
        """Take over the ``state`` of the same method in another process."""
        planes, self.asleep, parts = state
        for plane in planes:
            self._add(plane)
        for part, (breakable, basis) in zip(self.parts, parts, strict=True):
            if breakable:
                self._make_breakable(part)
            part.programme.basis = basis
        self._keep()

    def begin(self, seconds: float | None) -> None:
        """Go back to the planes and bases that were kept; a question may take so many ``seconds``, None: no limit."""
        self.ends = math.inf if seconds is None else time.perf_counter() + seconds
        self.master.integers(self.whole, False)
        kept = self.master_arrays.matrix.shape[0] + len(self._planes)
        self.master.drop_rows(np.arange(kept, len(self.master.units.rows)))
        self.master.objective(self.master_arrays.cost)
        self.master.start_from(None)
        self.planes, self.asleep = list(self._planes), list(self._asleep)
        for part, (arrays, programme, breakable, basis) in zip(self.parts, self._parts, strict=True):
            part.arrays, part.programme, part.breakable = arrays, programme, breakable
            programme.start_from(basis)

    def _relaxed(self) -> Found:
        """Solve the master without whole numbers, with all planes that it needs."""
        while True:
            found = self._found(self.master.find)
            if not found.optimal or not self._wake(found.x):
                return found

    def _found(self, solve: Callable[..., Found]) -> Found:
        """Return what the master has in the time that is left; one that HiGHS cannot solve leaves the question open.

        A linear programme of the master was seen to take twenty minutes without an end.
        """
        left = self.ends - time.perf_counter()
        nothing = np.zeros(0)
        try:
            if left > 0.0:
                return solve(seconds=None if left == math.inf else left)
        except SolverFailed:
            return Found("failed", nothing, math.nan, -math.inf, nothing, nothing)
        return Found("time_limit", nothing, math.nan, -math.inf, nothing, nothing)

    def tried(self, x: np.ndarray) -> Trial | None:
        """As `Parts.tried`; None too if a part cannot be solved."""
        try:
            return super().tried(x)
        except SolverFailed:
            return None

    def invests(self, columns: Collection[int]) -> bool:
        """Whether all these columns are decided before the operations."""
        return bool(np.isin(list(columns), self.first).all())

    def possible(
        self, limits: Sequence[Limit], ceiling: float, seconds: float | None
    ) -> tuple[np.ndarray | None, bool]:
        """Return a plan that costs at most ``ceiling`` (MUSD) and keeps the limits, and whether the answer is proven.

        seconds  for the question; None: no limit
        The plan is None if there is none, or (then it is not proven) if none was found.
        """
        self.begin(seconds)
        for limit in limits:
            places = np.searchsorted(self.first, np.array(limit.columns, dtype=int))
            self.master.add_row(places, 1.0, limit.least, limit.most)
        relaxed = self._relaxed()
        if relaxed.stopped == "infeasible" or (relaxed.optimal and relaxed.value > ceiling):
            return None, True
        if not relaxed.optimal:
            return None, False
        room = ROOM * (ceiling - relaxed.value) / max(abs(ceiling), 1e-9)

        for trial, found in self._rounds(partial(self.master.find, gap=room, cutoff=ceiling)):
            if found.stopped == "infeasible" or found.bound >= ceiling:
                return None, True
            within = None if trial is None else self._within(trial, ceiling)
            if within is not None and within.plan is not None and all(limit.kept(within.plan) for limit in limits):
                return within.plan, True
        return None, False

    def least(
        self, aim: np.ndarray, ceiling: float, best: np.ndarray, near: float, seconds: float | None
    ) -> tuple[np.ndarray, bool]:
        """Return the plan with the least ``aim x`` that costs at most ``ceiling`` (MUSD), and whether that is proven.

        aim      shape (columns,); of columns of investment only
        best     a plan that is known
        near     how far from the least it may be, in units of the aim
        seconds  for the question; None: no limit
        """
        self._turn_to(aim, ceiling, seconds)
        tried: set[tuple[float, ...]] = set()

        for trial, found in self._rounds(partial(self.master.find, gap=0.0, absolute_gap=0.5 * near)):
            if found.stopped == "infeasible":
                return best, True
            if trial is not None and (whole := tuple(trial.x[self.whole].tolist())) not in tried:
                tried.add(whole)
                plan = self._completed(trial, aim, ceiling, 0.5 * near)
                if plan is not None and aim @ plan < aim @ best:
                    best = plan
            if float(aim @ best) - (found.bound - self.arrays.offset) <= near:
                return best, True
        return best, False

    def least_with(
        self, known: np.ndarray, aim: np.ndarray, ceiling: float, near: float, seconds: float | None
    ) -> tuple[np.ndarray | None, float]:
        """Return the plan with the least ``aim x`` that has the whole numbers of a known one, and a bound of the aim.

        known  a plan that costs at most ``ceiling`` (MUSD), shape (columns,)
        aim    shape (columns,); of columns of investment only
        near   how far from the least it may be, in units of the aim
        seconds  for the question; None: no limit
        The plan is None if none was found. The bound holds for other whole numbers too.
        """
        self._turn_to(aim, ceiling, seconds)
        trial = self.tried(known[self.first])
        plan = None if trial is None else self._completed(trial, aim, ceiling, near)
        self.master.integers(self.whole, False)
        found = self._relaxed()
        return plan, found.value - self.arrays.offset if found.optimal else -math.inf

    def _turn_to(self, aim: np.ndarray, ceiling: float, seconds: float | None) -> None:
        """Let the master minimise an aim within the ceiling."""
        self.begin(seconds)
        scale = 1.0 / max(1.0, float(np.abs(self.master_arrays.cost).max()))
        self.master.add_limit(self.master_arrays.cost, ceiling - self.arrays.offset, scale)
        self._aim_at(aim)

    def _aim_at(self, aim: np.ndarray) -> None:
        """Let the master minimise an aim of investment, shape (columns,)."""
        weights = np.zeros(len(self.master_arrays.cost))
        weights[: len(self.first)] = aim[self.first]
        self.master.objective(weights)

    # --- plans with given whole numbers -------------------------------------------------------------------

    @contextmanager
    def _held(self, trial: Trial) -> Iterator[None]:
        """Hold the whole numbers of a trial in the master inside the block."""
        values = np.round(trial.x[self.whole])
        self.master.integers(self.whole, False)
        try:
            with self.master.bounded(self.whole, values, values):
                yield
        finally:
            self.master.integers(self.whole, True)

    @staticmethod
    def _fits(trial: Trial, ceiling: float) -> bool:
        """Whether a trial is a plan that costs at most the ceiling (MUSD)."""
        return trial.plan is not None and trial.value <= ceiling + EQUAL * max(1.0, abs(ceiling))

    def _within(self, trial: Trial, ceiling: float) -> Trial | None:
        """Return a trial that costs at most the ceiling (MUSD) with the whole numbers of one; None: none was found."""
        if self._fits(trial, ceiling):
            return trial
        with self._held(trial):
            self.master.objective(self.master_arrays.cost)
            for _ in range(ROUNDS):
                found = self._relaxed()
                if not found.optimal or found.value > ceiling:
                    return None
                x, theta = self._proposed(found)
                next_ = self.tried(x)
                if next_ is None or self._fits(next_, ceiling):
                    return next_
                if not self.cut(next_, theta):
                    return None
        return None

    def _completed(self, trial: Trial, aim: np.ndarray, ceiling: float, near: float) -> np.ndarray | None:
        """Return the plan with the least ``aim x`` within the ceiling and with the whole numbers of a trial.

        None if no plan within the ceiling was found. With the same whole numbers the cost is convex in what is built,
        so between a plan within the ceiling and a proposal above it there is one that costs as much as the ceiling.
        """
        best = self._within(trial, ceiling)
        self._aim_at(aim)
        if best is None:
            return None
        with self._held(trial):
            for _ in range(ROUNDS):
                found = self._relaxed()
                if not found.optimal or aim[self.first] @ best.x <= found.value - self.arrays.offset + near:
                    break
                x, theta = self._proposed(found)
                next_ = self.tried(x)
                if next_ is None:
                    break
                if self._fits(next_, ceiling):
                    best = next_
                    break
                added = self.cut(next_, theta)
                part = max(0.0, ceiling - best.value) / (next_.value - best.value)
                between = self.tried(best.x + part * (x - best.x))
                if between is None:
                    break
                if self._fits(between, ceiling):
                    best = between
                added += self.cut(between, None)
                middle = self.tried(0.5 * (best.x + x))  # planes of either end alone move it by little at a time
                if middle is None:
                    break
                if self._fits(middle, ceiling):
                    best = middle
                if not added + self.cut(middle, None):
                    break
        return best.plan

    def _rounds(self, solve: Callable[..., Found]) -> Iterator[tuple[Trial | None, Found]]:
        """Yield what the master proposes, tried, and its search, and add planes, in turn.

        The trial is None if nothing was proposed, or if it could not be tried.
        """
        self.master.integers(self.whole, True)
        for _ in range(ROUNDS):
            found = self._found(solve)
            if not found.held:
                yield None, found
                return
            x, theta = self._proposed(found)
            x[self.whole] = np.round(x[self.whole])
            trial = self.tried(x)
            before = len(self.planes)
            if trial is not None:
                self.cut(trial, theta)
            yield trial, found
            if trial is None or not len(self.planes) - before + self._wake(found.x):
                return
