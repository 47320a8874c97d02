"""The least-cost relaxation: which knobs to turn, and how far exactly.

An elastic model gives what is to be turned. A share's limit multiplies what is delivered, made or used, so its row is
taken as linear around the last answer until the answers agree; then each knob in turn is brought to its exact least
with the others held (for a share by Dinkelbach's steps), so that no one of them could give way any less.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from ...errors import SolveError
from ...solving.compiling import Arrays
from ...solving.measures import deliveries, shortages
from ...solving.programme import Programme, Ticker
from ...solving.solver import Progress, Settings
from .system import ZERO, System

ROUNDS = 12  # of linearisation
NOTHING = 1e-9
SMALL = 20_000  # columns up to which several starts are tried, and answers must agree exactly
NEARLY = 5e-3  # relative change of the hardship at which the answers of a large system agree
EXACT = 1e-10  # change of a share's limit at which Dinkelbach's steps end


class Clock(Ticker):
    """How long single solves may take, whether one was cut short, and the lines of progress."""

    def __init__(self, each: float, settings: Settings, progress: Progress | None = None) -> None:
        super().__init__(progress)
        self.each = each
        self.settings = settings
        self.cut_short = False

    def tell(self, phase: str) -> None:
        """A line of progress: what is looked for from now on."""
        self.phase = phase
        self.told = time.perf_counter()
        if self.progress:
            self.progress(phase)


def solve(arrays: Arrays, clock: Clock) -> np.ndarray | None:
    """The best point within the time, None if there is none; infeasible is believed only without presolve."""
    try:
        return _point(arrays, clock)
    except SolveError:
        return _nearest(arrays, clock)


def _point(arrays: Arrays, clock: Clock) -> np.ndarray | None:
    programme = Programme(arrays, Settings(gap=0.0, threads=clock.settings.threads, seed=clock.settings.seed))
    programme.watch(clock.tick)
    clock.tick()
    found = programme.find(seconds=clock.each)
    clock.cut_short |= found.stopped == "time_limit"
    return np.where(arrays.integer, np.round(found.x), found.x) if found.held else None


def _nearest(arrays: Arrays, clock: Clock) -> np.ndarray | None:
    """For where the solver cannot tell: the point that violates the rows least, None if it violates them."""
    rows, columns = arrays.matrix.shape
    identity = sparse.eye_array(rows, format="csc")
    bare = replace(arrays, cost=np.zeros(columns), offset=0.0)
    elastic = bare.with_columns(sparse.hstack([identity, -identity]), 1.0, 0.0, np.inf)
    x = _point(elastic, clock)
    return None if x is None or float(elastic.cost @ x) > NOTHING else x[:columns]


def feasible(system: System, amounts: np.ndarray, clock: Clock, without: Sequence[int] = ()) -> bool:
    """Whether a plan exists with the knobs at ``amounts`` and without some rows."""
    return solve(system.relaxed(amounts, without=without), clock) is not None


def least_relaxation(system: System, clock: Clock) -> np.ndarray:
    """The knobs' amounts of least total hardship at which a plan exists; no single one could be less.

    With several shares to turn the rows are not convex, so small systems are searched from several starts.
    """
    starts = open_gains(system, clock)
    best: np.ndarray | None = None
    for gains in starts if len(system.cost) <= SMALL else starts[-1:]:
        amounts = _sharpen(system, _opened(system, _linear_rounds(system, gains, clock), clock), clock)
        if best is None or hardship(system, amounts) < hardship(system, best) - NOTHING:
            best = amounts
    return system.everything if best is None else best


def hardship(system: System, amounts: np.ndarray) -> float:
    """Points of hardship of all knobs together, at these amounts."""
    return float(np.array([k.weight for k in system.knobs]) @ amounts)


def _linear_rounds(system: System, gains: Mapping[int, float], clock: Clock) -> np.ndarray:
    """Elastic models whose shares are linear around the last answer, until the answers agree."""
    free = list(range(len(system.knobs)))
    amounts = system.nothing
    for _ in range(ROUNDS):
        x = solve(system.relaxed(amounts, free, gains), clock)
        if x is None:
            break
        found = np.maximum(0.0, x[-len(free) :])
        found[found < NOTHING] = 0.0
        settled = bool(np.allclose(found, amounts, rtol=0.0, atol=EXACT))
        if len(system.cost) > SMALL:  # one of many whole numbers may change for ever; each knob is sharpened anyhow
            before, now = hardship(system, amounts), hardship(system, found)
            settled |= before > 0.0 and abs(now - before) <= NEARLY * before
        amounts = found
        if settled or not _turned_shares(system, amounts):
            break
        gains = _gains(system, x, gains)
    return amounts


def open_gains(system: System, clock: Clock) -> list[dict[int, float]]:
    """What each share's row gains per unit of its limit in the cheapest plan with every knob turned, in the one with
    the fewest tonnes short or exposed, and the greater of the two."""
    found = [_gains(system, _open_plan(system, cost, clock), {}) for cost in (system.cost, _unclean(system))]
    greater = {row: max(gains[row] for gains in found) for row in system.slopes}
    return [*found, greater] if system.slopes else [greater]


def _unclean(system: System) -> np.ndarray:
    """A cost vector (one number per column): 1 for each kt/yr that is short or exposed, in whichever node."""

    def one(_: object) -> float:
        return 1.0

    return shortages(system.data, system.arrays, one) + deliveries(system.data, system.arrays, one)


def _open_plan(system: System, cost: np.ndarray, clock: Clock) -> np.ndarray:
    """The best operations, in fractions of modules, with every knob turned as far as it goes."""
    arrays = system.relaxed(system.everything)
    arrays.cost = cost
    arrays.integer = np.zeros_like(arrays.integer)
    x = solve(arrays, clock)
    return np.zeros(len(system.cost)) if x is None else x


def _gains(system: System, x: np.ndarray, before: Mapping[int, float]) -> dict[int, float]:
    """What each share's row gains per unit of its limit at ``x``; where nothing is delivered or made, as before."""
    own = x[: system.arrays.matrix.shape[1]]
    found = {row: system.gain_at(row, own) for row in system.slopes}
    usual = max(found.values(), default=1.0)
    return {row: g if g > 1e-6 * usual else before.get(row, max(1e-3 * usual, 1e-9)) for row, g in found.items()}


def _turned_shares(system: System, amounts: np.ndarray) -> set[int]:
    return {e.knob for e in system.effects if e.share and amounts[e.knob] > 0.0}


def _opened(system: System, amounts: np.ndarray, clock: Clock) -> np.ndarray:
    """``amounts``, turned further where the linear rows promised too much, until a plan exists."""
    room = system.everything
    for further in (1e-8, 1e-6, 1e-4, 1e-2, 0.1, 0.5, 1.0, 4.0):
        if feasible(system, amounts, clock):
            return amounts
        amounts = np.where(amounts > 0.0, np.minimum(room, amounts * (1.0 + further) + further * 1e-3), 0.0)
        for k, knob in enumerate(system.knobs):
            if knob.switch:
                amounts[k] = round(amounts[k])
    return room if not feasible(system, amounts, clock) else amounts


def _sharpen(system: System, amounts: np.ndarray, clock: Clock) -> np.ndarray:
    """Each knob in turn at its least, the others held; the hardest first, steps in time from the last one back."""
    shares = {e.knob for e in system.effects if e.share}
    turned = [k for k in np.flatnonzero(amounts > 0.0) if not system.knobs[k].switch]
    switches = [k for k in np.flatnonzero(amounts > 0.0) if system.knobs[k].switch]
    for k in sorted(switches, key=lambda k: (-(system.knobs[k].to or 9999), -system.knobs[k].weight)):
        if any(amounts[later] > 0.0 for later, earlier in system.after if earlier == k):
            continue
        without = amounts.copy()
        without[k] = 0.0
        if feasible(system, without, clock):
            amounts = without
    exact = not shares & set(turned) and not clock.cut_short
    if exact and len(turned) + len(switches) == 1:
        return amounts
    for k in sorted(turned, key=lambda k: -system.knobs[k].weight * amounts[k]):
        amounts = amounts.copy()
        amounts[k] = least(system, amounts, int(k), clock)
    return amounts


def least(system: System, amounts: np.ndarray, knob: int, clock: Clock, lowest: float = 0.0) -> float:
    """The least amount of one knob with the others held; a plan must exist at ``amounts``.

    lowest  where to end; below 0 a wish becomes stricter than the instance's
    """
    rows = {e.row: e.factor for e in system.effects if e.knob == knob and e.share}
    if rows:
        return _least_share(system, amounts, knob, rows, clock, lowest)
    held = amounts.copy()
    held[knob] = 0.0
    arrays = system.relaxed(held, [knob])
    arrays.col_lower[-1] = lowest
    x = solve(arrays, clock)
    return float(amounts[knob]) if x is None else min(float(amounts[knob]), max(lowest, float(x[-1])))


def _least_share(
    system: System, amounts: np.ndarray, knob: int, rows: Mapping[int, float], clock: Clock, lowest: float
) -> float:
    """Dinkelbach's steps: from a limit that holds down to the greatest ratio at the best point, again and again."""
    amounts, bottom = amounts.copy(), amounts.copy()
    bottom[knob] = lowest
    if feasible(system, bottom, clock):
        return lowest
    base = amounts.copy()
    base[knob] = 0.0
    gains = dict.fromkeys(rows, 1.0)
    start = solve(system.relaxed(amounts), clock)
    if start is not None:
        gains = _gains(system, start, gains)
    for _ in range(60):
        arrays = _worst_excess(system.relaxed(amounts), {r: f * gains[r] for r, f in rows.items()})
        x = solve(arrays, clock)
        if x is None:
            break
        own = x[: len(system.cost)]
        better = min(float(amounts[knob]), max(lowest, _least_amount(system, base, own, rows)))
        if amounts[knob] - better < EXACT:
            return better
        amounts[knob] = better
        gains = _gains(system, own, gains)
    return float(amounts[knob])


def _worst_excess(arrays: Arrays, scales: Mapping[int, float]) -> Arrays:
    """The same rows with one more column, to be minimised: how far the rows of ``scales`` are beyond their limits."""
    rows = [row for row, scale in scales.items() if scale > ZERO]
    column = sparse.csc_array(([-scales[r] for r in rows], (rows, [0] * len(rows))), shape=(arrays.matrix.shape[0], 1))
    return replace(arrays, cost=np.zeros(len(arrays.cost)), offset=0.0).with_columns(column, 1.0, -1e3, 1e3)


def _least_amount(system: System, base: np.ndarray, x: np.ndarray, rows: Mapping[int, float]) -> float:
    """The least amount of the knob at which ``x`` keeps all its rows, the others being at ``base``."""
    worst = -np.inf
    shifts: dict[int, float] = {}
    for e in system.effects:
        if e.share and e.row in rows:
            shifts[e.row] = shifts.get(e.row, 0.0) + e.factor * float(base[e.knob])
    for row, factor in rows.items():
        gain = system.gain_at(row, x)
        excess = system.excess_at(row, x) - shifts.get(row, 0.0) * gain
        if gain * factor > 1e-12:
            worst = max(worst, excess / (gain * factor))
        elif excess > 1e-9:
            worst = np.inf
    return float(worst)
