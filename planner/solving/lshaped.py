r"""The L-shaped method (Benders decomposition) for one plan: investment against cuts of its operations.

Once the investment :math:`x` is held, the operations fall into parts :math:`b` that no row connects (see `blocks`). The
least cost of a part, :math:`Q_b(z) = \min \{c_b y : W_b y \in h_b - z\}`, is convex in what investment gives to it,
:math:`z_b = T_b x`, and its shadow prices :math:`\pi_b` at a trial :math:`\hat z` give a plane below it. So the master
problem

.. math::
    \min\ c x + \sum_b \theta_b \qquad z_b = T_b x, \quad
    \theta_b \ge Q_b(\hat z_b) - \pi_b (z_b - \hat z_b) \quad \forall \hat z

over the investment alone has no plan above it: its bound is one of the whole model. With z eliminated a plane would
have an entry for each earlier start of a project, and a search would take several times as long.

The master is solved without whole numbers first, at trials between its own proposal and the best ones known (which
need fewer rounds), then with them. For that the planes that do not hold its solution are put aside, and taken back as
soon as a solution lies below them.

A part that is infeasible at a trial may break its rows with x at a high price from then on. Its planes still lie below
its cost; a trial at which a row is broken is no plan.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ..errors import SolverFailed, Unbounded
from .compiling import Arrays
from .dive import WHOLE, dive
from .parts import BROKEN, Part, Parts, Trial, solve_with_builds_held
from .programme import Programme
from .solver import Found, Progress, Settings, Standing

SLACK = 1e-9  # relative: by so much the planes are lowered, for the tolerance of the shadow prices
TOWARDS, LEAST_TOWARDS = 0.3, 0.1  # a trial lies this far on the way from the best one known to the master's
AWAY = 1e-6  # MUSD: a plane further than this from a solution of the master does not hold it
RELAXED = 0.1  # the relaxation is solved until its own gap is this part of the gap asked for
MASTER = 0.25
KNOWN = 0.3  # or to this part of the gap that is known, if that is more
ENOUGH = 0.999  # of the gap: where no plan is cheaper by so much, the search ends
WORTH_FREEING = 1e-3  # relative: a trial this much dearer than the best plan may still be better with fractions free
WITHOUT = {  # heuristics of HiGHS that take two fifths of a search of the master, and find plans only of the master
    f"mip_heuristic_run_{name}": False for name in ("feasibility_jump", "rens", "rins")
}
MOST_ROUNDS = 200
MOST_DIVES = 8
MOST_NEAR = 8  # searches near the best plan, before each of all of the master
MANY_ROUNDS = 20  # a relaxation that takes more answers to investment in many ways: dives in planes say little of it


@dataclass(frozen=True)
class Plane:
    """A plane below the cost of a part: ``theta + prices given >= level``.

    part    number of the part
    linked  numbers of its linked rows with a price
    prices  shadow prices of these rows, MUSD per unit
    level   MUSD
    """

    part: int
    linked: np.ndarray
    prices: np.ndarray
    level: float


class Planes(NamedTuple):
    """Planes of a master, and the rows of its parts, one part after the other, int, shape (rows of parts,)."""

    rows: np.ndarray
    planes: tuple[Plane, ...]


@dataclass
class Best:
    """The best plan and bound known, MUSD.

    plan    values of all columns of the model; None: no plan is known
    proposed  the investment that the master proposed last; None: none yet
    why     how the search ended: as `Found.stopped`, or ``stalled`` where the method does not help
    rounds  how often the master was solved
    """

    value: float = math.inf
    bound: float = -math.inf
    plan: np.ndarray | None = None
    proposed: np.ndarray | None = None
    why: str = ""
    rounds: int = 0

    @property
    def gap(self) -> float:
        """The relative gap between the two."""
        return (self.value - self.bound) / max(abs(self.value), 1e-9)


class LShaped(Parts):
    """The method on one model. `of` tells whether it has parts at all.

    theta  columns of the master that stand for the costs of the parts
    given  by part: columns of the master that stand for what the investment gives to its linked rows
    planes  those that the master has as rows, after the rows of ``master_arrays`` and in this order
    asleep  those that it has not, see `_let_sleep`
    nothing  the investment of someone who starts as little as he may
    """

    def __init__(
        self, arrays: Arrays, settings: Settings, parts: list[Part], first: np.ndarray, own: np.ndarray
    ) -> None:
        super().__init__(arrays, settings, parts, first, own)
        count, widths = len(first), [len(part.linked) for part in parts]
        self.theta = np.arange(count, count + len(parts))
        self.given = np.split(np.arange(sum(widths)) + count + len(parts), np.cumsum(widths)[:-1])
        self.rules = sparse.csr_array(sparse.csr_array(arrays.matrix)[own][:, first])
        zero, free = np.zeros(sum(widths)), np.full(len(parts) + sum(widths), np.inf)
        links = sparse.vstack([part.links for part in parts])
        self.master_arrays = Arrays(
            cost=np.concatenate([arrays.cost[first], np.ones(len(parts)), zero]),
            offset=arrays.offset,
            matrix=sparse.csc_array(
                sparse.block_array(
                    [
                        [self.rules, sparse.csr_array((len(own), len(parts))), None],
                        [links, None, -sparse.eye_array(sum(widths))],
                    ]
                )
            ),
            row_lower=np.append(arrays.row_lower[own], zero),
            row_upper=np.append(arrays.row_upper[own], zero),
            col_lower=np.append(arrays.col_lower[first], -free),
            col_upper=np.append(arrays.col_upper[first], free),
            integer=np.zeros(count + len(free), dtype=bool),
            columns={},
            rows={},
        )
        self.whole = np.flatnonzero(arrays.integer[first])
        self.master = Programme(self.master_arrays, settings)
        self.master.option(**WITHOUT)
        self.planes: list[Plane] = []
        self.asleep: list[Plane] = []
        lower, upper = self.master_arrays.col_lower[:count], self.master_arrays.col_upper[:count]
        self.nothing = np.clip(np.zeros(count), lower, upper)  # what a size costs beyond its part has no lower bound

    # --- the master -------------------------------------------------------------------------------------------

    def cut(self, trial: Trial, theta: np.ndarray | None = None) -> int:
        """Add the planes of a trial to the master; return how many.

        theta  costs of the parts as the master has them: planes that do not exceed them are left out
        """
        added = 0
        for k, (value, given, prices) in enumerate(zip(trial.values.tolist(), trial.given, trial.prices, strict=True)):
            tolerance = SLACK * max(1.0, abs(value))
            if theta is not None and value <= theta[k] + 10.0 * tolerance:
                continue
            linked = np.flatnonzero(np.abs(prices) > 1e-9)
            level = value - tolerance + float(prices[linked] @ given[linked])
            self._add(Plane(k, linked, prices[linked], level))
            added += 1
        return added

    def _below(self, trial: Trial) -> np.ndarray:
        """Return the least that all planes leave for the costs of the parts at a trial, MUSD, shape (parts,)."""
        theta = np.full(len(self.parts), -np.inf)
        for plane in [*self.planes, *self.asleep]:
            least = plane.level - plane.prices @ trial.given[plane.part][plane.linked]
            theta[plane.part] = max(theta[plane.part], least)
        return theta

    def _add(self, plane: Plane) -> None:
        """Add a plane to the master."""
        columns = np.append(self.given[plane.part][plane.linked], self.theta[plane.part])
        self.master.add_row(columns, np.append(plane.prices, 1.0), lower=plane.level)
        self.planes.append(plane)

    def _over(self, plane: Plane, master: np.ndarray) -> float:
        """Return by how much a solution of the master, shape (its columns,), lies above a plane, MUSD."""
        given = master[self.given[plane.part][plane.linked]]
        return float(master[self.theta[plane.part]] + plane.prices @ given - plane.level)

    def _let_sleep(self, master: np.ndarray) -> None:
        """Take out the planes that do not hold a solution of the master: with fewer rows a search is much shorter."""
        over = np.array([self._over(plane, master) for plane in self.planes])
        away = np.flatnonzero(over > AWAY)
        self.master.drop_rows(self.master_arrays.matrix.shape[0] + away)
        self.asleep += [self.planes[k] for k in away.tolist()]
        self.planes = [plane for plane, far in zip(self.planes, over > AWAY, strict=True) if not far]

    def _wake(self, master: np.ndarray) -> int:
        """Take back the planes that a solution of the master lies below; return how many."""
        below = [self._over(plane, master) < -AWAY for plane in self.asleep]
        for plane, woken in zip(self.asleep, below, strict=True):
            if woken:
                self._add(plane)
        self.asleep = [plane for plane, woken in zip(self.asleep, below, strict=True) if not woken]
        return sum(below)

    def _permitted(self, x: np.ndarray) -> bool:
        """Whether the rules on investment alone allow an investment."""
        held, whole = self.rules @ x, x[self.whole]
        lower, upper = self.arrays.row_lower[self.own], self.arrays.row_upper[self.own]
        kept = (held >= lower - BROKEN).all() and (held <= upper + BROKEN).all()
        return bool(kept and (np.abs(whole - np.round(whole)) <= BROKEN).all())

    def _proposed(self, found: Found) -> tuple[np.ndarray, np.ndarray]:
        """Return the investment and the costs of the parts in a solution of the master."""
        count = len(self.first)
        x = np.clip(found.x[:count], self.arrays.col_lower[self.first], self.arrays.col_upper[self.first])
        return x, found.x[self.theta]

    # --- the search -------------------------------------------------------------------------------------------

    @property
    def kept(self) -> Planes:
        """The planes that the master has, for a model whose rows are tighter; see `adopt`."""
        return Planes(np.concatenate([part.rows for part in self.parts]), tuple(self.planes))

    def adopt(self, kept: Planes) -> None:
        """Take planes of a model that differs from this one by rows that are looser, if it has the same parts.

        A looser row cannot make a part dearer, so what lies below its cost there lies below its cost here too.
        """
        if np.array_equal(kept.rows, np.concatenate([part.rows for part in self.parts])):
            for plane in kept.planes:
                self._add(plane)

    def search(
        self,
        gap: float,
        seconds: float | None,
        start: np.ndarray | None,
        progress: Progress | None,
        relaxed: Found | None = None,
    ) -> Best:
        """Return the best plan; `Best.why` is ``optimal`` if it is within the relative gap.

        seconds  how long it may take; None: no limit
        start    values of all columns of a plan that is known, or was one before the model changed; None: none is
        relaxed  solution of the model without whole numbers, from which dives have been made; None: none is known
        """
        ends = self.ends = math.inf if seconds is None else time.perf_counter() + seconds
        best = Best()
        try:
            lower, upper = self.arrays.col_lower[self.first], self.arrays.col_upper[self.first]
            first = self.tried(self.nothing if start is None else np.clip(start[self.first], lower, upper))
            if first is None:
                best.why = "stalled" if time.perf_counter() < ends else "time_limit"
                return best
            self.cut(first)
            if first.plan is not None and self._permitted(first.x):  # to build nothing is a plan too, if a dear one
                best.value, best.plan = first.value, first.plan
            if relaxed is not None:
                best.bound = relaxed.value
                known = self.tried(relaxed.x[self.first])
                first = known if known is not None and known.value < first.value else first
                self.cut(first)
            self._relax(best, first, gap, progress)
            if not best.why:
                self._decide(best, gap, progress)
        except KeyboardInterrupt:
            best.why = "interrupted"
            if best.plan is not None and best.bound == -math.inf:  # the first planes are there already
                found = self.master.find(sure=False, watched=False)
                best.bound, best.plan = (found.value, best.plan) if found.optimal else (best.bound, None)
        except (SolverFailed, Unbounded):  # of the master or a part; the whole model may still be solved
            best.why = "stalled"
        finally:
            self.ends = math.inf
        if best.why == "stalled" and time.perf_counter() > ends:
            best.why = "time_limit"
        return best

    def _relax(self, best: Best, known: Trial, gap: float, progress: Progress | None) -> None:
        """Raise the bound by the relaxation, at trials between ``known``, the best one yet, and what it proposes."""
        towards = TOWARDS
        for _ in range(MOST_ROUNDS):
            if time.perf_counter() > self.ends:
                best.why = "time_limit"
                return
            found = self.master.find(watched=False)
            if not found.optimal:
                best.why = "stalled"
                return
            best.bound, best.rounds = max(best.bound, found.value), best.rounds + 1
            if known.value - found.value <= RELAXED * gap * abs(known.value):
                return
            proposed, theta = self._proposed(found)
            trial = self.tried(known.x + towards * (proposed - known.x))
            if trial is None:
                best.why = "stalled"
                return
            added = self.cut(trial, None if towards < 1.0 else theta)
            if trial.value < known.value:
                known, towards = trial, min(1.0, 1.3 * towards)
            elif not added:
                return
            else:
                towards = max(LEAST_TOWARDS, 0.7 * towards)
            if progress and best.rounds % 10 == 0:
                progress(f"round {best.rounds}: relaxation {known.value:,.1f} million, bound {best.bound:,.1f}")

    def _round(self, best: Best, gap: float, most: int) -> None:
        """Look for a first plan by at most ``most`` dives in the master."""
        found: Trial | None = None
        for _ in range(most):
            if time.perf_counter() > self.ends:
                break
            proposed = self.master.find(watched=False)
            dived = dive(self.master, self.whole, proposed, watched=False) if proposed.optimal else None
            if dived is None:
                break
            x, theta = self._proposed(dived)
            x[self.whole] = np.round(x[self.whole])
            trial = self.tried(x)
            if trial is None:
                break
            if trial.plan is not None and trial.value < best.value:
                best.value, best.plan, found = trial.value, trial.plan, trial
            if not self.cut(trial, theta) or best.gap <= gap:
                break
        if found is not None:
            self._better(best, found)

    @cached_property
    def _model(self) -> Programme:
        """The whole model without whole numbers."""
        return Programme(self.arrays.relaxed, self.settings)

    def _better(self, best: Best, trial: Trial) -> None:
        """Take a trial as the best plan if it is, with its builds in fractions free.

        Planes say little of fractions, so what they cost is settled in the whole model with the whole numbers held.
        """
        if trial.plan is None or trial.value >= best.value + WORTH_FREEING * abs(trial.value):
            return
        model, whole = self._model, self.arrays.whole
        values = np.round(trial.plan[whole])
        with model.bounded(whole, values, values):
            solve_with_builds_held(model, whole, trial.plan, self.basis(trial.x))
            found = model.find(sure=False, watched=False)
        plan, value = (found.x, found.value) if found.optimal else (trial.plan, trial.value)
        if value < best.value:
            best.value, best.plan = value, plan

    def _decide(self, best: Best, gap: float, progress: Progress | None) -> None:
        """Solve the master with whole numbers, in turn with the operations, until the gap is reached.

        Before each search of all of it a few look near the best plan known: they take a moment, and leave planes where
        the next ones are wanted.
        """
        self._round(best, gap, 1 if best.rounds > MANY_ROUNDS else MOST_DIVES)
        if progress:
            progress(Standing.of("dives: ", best.value, best.bound))
        if best.gap <= gap:
            best.why = "optimal"
            return
        relaxed = self.master.find(watched=False)
        if relaxed.optimal:
            self._let_sleep(relaxed.x)
        self.master.integers(self.whole, True)
        try:
            for _ in range(MOST_ROUNDS):
                if best.plan is not None:
                    whole = self.whole[self._settled(best)]
                    values = np.round(best.plan[self.first][whole])
                    with self.master.bounded(whole, values, values):
                        for _ in range(MOST_NEAR):
                            if not self._step(best, gap, progress, near=True):
                                break
                if best.why or not self._step(best, gap, progress):
                    break
            best.why = best.why or "stalled"
        finally:
            self.master.integers(self.whole, False)

    def _settled(self, best: Best) -> np.ndarray:
        """Return which whole numbers the best plan, the relaxation and the last proposal agree on.

        They are bool, shape of ``whole``.
        """
        assert best.plan is not None
        self.master.integers(self.whole, False)
        relaxed = self.master.find(watched=False)
        self.master.integers(self.whole, True)
        known = np.round(best.plan[self.first][self.whole])
        same = np.abs(relaxed.x[self.whole] - known) <= WHOLE if relaxed.optimal else np.ones(len(known), dtype=bool)
        return same if best.proposed is None else same & (best.proposed[self.whole] == known)

    def _step(self, best: Best, gap: float, progress: Progress | None, near: bool = False) -> bool:
        """Search the master once and solve the operations at what it proposes; return whether that told anything new.

        The master is asked only for what costs less than the gap leaves open: if there is nothing, the gap is reached.

        near  some whole numbers are held: what is found is no bound, and to find nothing is no end
        """
        if best.gap <= gap:
            best.why = "optimal"
            return False
        left = self.ends - time.perf_counter()
        if left <= 0.0:
            best.why = "time_limit"
            return False
        enough = best.value - ENOUGH * gap * abs(best.value) if best.plan is not None else math.inf
        with self.master.reported(progress, partial(_told, best, near)):
            found = self.master.find(
                gap=max(MASTER * gap, KNOWN * min(1.0, best.gap)),
                cutoff=math.inf if near else enough,  # near it, a proof that there is nothing cheaper is worth little
                seconds=None if left == math.inf else left,
                sure=not near,
                keep=True,
            )
        if found.stopped == "interrupted":
            best.why = "interrupted"
            return False
        if near and not (found.held and found.value < enough):
            return False
        if found.stopped == "infeasible" and best.plan is not None:
            best.bound, best.why = max(best.bound, enough), "optimal"
            return False
        if not found.held:
            best.why = "time_limit" if found.stopped == "time_limit" else "stalled"
            return False
        before = best.value, best.bound
        if not near:
            best.bound, best.rounds = max(best.bound, min(found.bound, best.value)), best.rounds + 1
        x, theta = self._proposed(found)
        x[self.whole] = np.round(x[self.whole])
        trial = self.tried(x)
        if trial is None:
            best.why = "stalled"
            return False
        best.proposed = x
        self._better(best, trial)
        added = self.cut(trial, theta) + self._wake(found.x)
        between = None if best.plan is None else self.tried(0.5 * (x + best.plan[self.first]))
        if between is not None:
            self.cut(between, self._below(between))
        if progress and not near:
            progress(Standing.of(f"round {best.rounds}: ", best.value, best.bound))
        if best.gap <= gap:
            best.why = "optimal"
        return added > 0 or (best.value, best.bound) != before


def _told(best: Best, near: bool, seconds: str, _: float, bound: float) -> Standing:
    """Return how a search stands within a round: the bound of the master is one of the model, unless ``near``."""
    bound = best.bound if near else max(best.bound, min(bound, best.value))
    return Standing.of(f"round {best.rounds + 1}, {seconds}", best.value, bound)
