"""The least relaxation: which cells to relax, and by how much exactly.

An elastic model tells which cells are to be relaxed. The limit of a share multiplies what is delivered, made or used,
so that its row is not linear in it; the row is linearised around the last answer until the answers agree. Then each
cell in turn is brought to its exact least amount while the others stay (for a share by Dinkelbach's method), so that no
single one could be relaxed any less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from ...errors import SolveError
from ...solving.compiling import Arrays
from ...solving.measures import deliveries, shortages
from ...solving.programme import Programme, Ticker
from ...solving.solver import Progress, Settings
from ..many import Cluster, Processes
from .system import ZERO, System

ROUNDS = 12  # linearisations at most
NOTHING = 1e-9  # amounts and hardships below this are rounding
SMALL = 20_000  # columns up to which several starts are tried, and answers must agree exactly
NEARLY = 5e-3  # relative change of the hardship at which the answers of a large system agree
EXACT = 1e-10  # change of a share's limit at which Dinkelbach's steps end


class Clock(Ticker):
    """The time limit of single solves, and the lines of progress.

    each       seconds that each solve may take
    cut_short  whether a solve was ended by this limit
    """

    def __init__(self, each: float, settings: Settings, progress: Progress | None = None) -> None:
        super().__init__(progress)
        self.each = each
        self.settings = settings
        self.cut_short = False

    def __reduce__(self) -> tuple[Any, ...]:
        return Clock, (self.each, self.settings)  # in another process nothing is told

    def tell(self, phase: str) -> None:
        """Print a line of progress: what is looked for from now on."""
        self.phase = phase
        self.told = time.perf_counter()
        if self.progress:
            self.progress(phase)


class Shared:
    """Work on a system that is done in any process: each piece is a call with the system, a clock and an argument.

    pool  what does it, made with ``begin`` for the same system and clock
    """

    def __init__(self, pool: Processes | Cluster, clock: Clock) -> None:
        self.pool, self.clock = pool, clock

    @staticmethod
    def begin(system: System, clock: Clock) -> Callable[[Any], Any]:
        """Return what does a piece of work: it gives the result, and whether a solve was cut short."""

        def done(piece: tuple[Any, Callable[..., Any]]) -> tuple[Any, bool]:
            argument, call = piece  # in this order, since Dask may run a tuple that begins with something to call
            before, clock.cut_short = clock.cut_short, False
            try:
                return call(system, clock, argument), clock.cut_short
            finally:
                clock.cut_short |= before

        return done

    def results(self, call: Callable[[System, Clock, Any], Any], arguments: Iterable[Any]) -> list[Any]:
        """Return the results of a call for several arguments, in their order."""
        todo = {k: (argument, call) for k, argument in enumerate(arguments)}
        found = dict(self.pool.results(todo))
        self.clock.cut_short |= any(cut for _, cut in found.values())
        return [found[k][0] for k in todo]


def solve(arrays: Arrays, clock: Clock) -> np.ndarray | None:
    """Return the best point found within the time (one value per column), or None if there is none.

    Where the solver fails, a second model decides: the point that violates the rows least.
    """
    try:
        return _point(arrays, clock)
    except SolveError:
        return _nearest(arrays, clock)


def _point(arrays: Arrays, clock: Clock) -> np.ndarray | None:
    """Return the best point, with integers rounded; None without one. Raises SolveError if the solver fails."""
    programme = Programme(arrays, Settings(gap=0.0, threads=clock.settings.threads, seed=clock.settings.seed))
    programme.watch(clock.tick)
    clock.tick()
    found = programme.find(seconds=clock.each)
    clock.cut_short |= found.stopped == "time_limit"
    return np.where(arrays.integer, np.round(found.x), found.x) if found.held else None


def _nearest(arrays: Arrays, clock: Clock) -> np.ndarray | None:
    """Return the point that violates the rows least, in total; None if even this one violates them."""
    rows, columns = arrays.matrix.shape
    identity = sparse.eye_array(rows, format="csc")
    bare = replace(arrays, cost=np.zeros(columns), offset=0.0)
    elastic = bare.with_columns(sparse.hstack([identity, -identity]), 1.0, 0.0, np.inf)
    x = _point(elastic, clock)
    return None if x is None or float(elastic.cost @ x) > NOTHING else x[:columns]


def feasible(system: System, amounts: np.ndarray, clock: Clock, without: Sequence[int] = ()) -> bool:
    """Whether a plan exists with the relaxables at ``amounts`` and without the rows ``without``."""
    return solve(system.relaxed(amounts, without=without), clock) is not None


def least_relaxation(system: System, clock: Clock, shared: Shared) -> np.ndarray | None:
    """Return the amounts of least total hardship at which a plan exists; no single one of them could be less.

    shared  does the work from each start
    None if no plan was found with everything relaxed either.

    With several shares to relax, the problem is not convex; small systems are therefore searched from several starts.
    """
    if not feasible(system, system.everything, clock):
        return None
    starts = open_gains(system, clock)
    best: np.ndarray | None = None
    for amounts in shared.results(relaxation_from, starts if len(system.cost) <= SMALL else starts[-1:]):
        if best is None or hardship(system, amounts) < hardship(system, best) - NOTHING:
            best = amounts
    return system.everything if best is None else best


def relaxation_from(system: System, clock: Clock, gains: Mapping[int, float]) -> np.ndarray:
    """Return the amounts found from a start (see `open_gains`) at which a plan exists, each as small as it can be."""
    return _sharpen(system, _opened(system, _linear_rounds(system, gains, clock), clock), clock)


def hardship(system: System, amounts: np.ndarray) -> float:
    """Return the total hardship of these amounts, in points."""
    return float(np.array([k.weight for k in system.relaxables]) @ amounts)


def _linear_rounds(system: System, gains: Mapping[int, float], clock: Clock) -> np.ndarray:
    """Solve elastic models, each linearised around the answer of the last, until the answers agree; return the amounts.

    gains  for the first model: see `System.relaxed`
    """
    free = list(range(len(system.relaxables)))
    amounts = system.nothing
    for _ in range(ROUNDS):
        x = solve(system.relaxed(amounts, free, gains), clock)
        if x is None:
            break
        answer = np.maximum(0.0, x[-len(free) :])
        answer[answer < NOTHING] = 0.0
        settled = bool(np.allclose(answer, amounts, rtol=0.0, atol=EXACT))
        if len(system.cost) > SMALL:  # some of many integers may change for ever; `_sharpen` follows anyhow
            before, now = hardship(system, amounts), hardship(system, answer)
            settled |= before > 0.0 and abs(now - before) <= NEARLY * before
        amounts = answer
        if settled or not _relaxed_shares(system, amounts):
            break
        gains = _gains(system, x, gains)
    return amounts


def open_gains(system: System, clock: Clock) -> list[dict[int, float]]:
    """Return three starts for `least_relaxation`: what each share's row gains per unit of its limit, with all relaxed.

    They are the gains in the cheapest plan, those in the plan with the fewest tonnes short or exposed, and the greater
    of the two. Without shares there is only one start, which is empty.
    """
    starts = [_gains(system, _open_plan(system, cost, clock), {}) for cost in (system.cost, _unclean(system))]
    greater = {row: max(gains[row] for gains in starts) for row in system.slopes}
    return [*starts, greater] if system.slopes else [greater]


def _unclean(system: System) -> np.ndarray:
    """A cost vector (one number per column): 1 for each kt/yr that is short or exposed, in whichever node."""

    def one(_: object) -> float:
        return 1.0

    return shortages(system.data, system.arrays, one) + deliveries(system.data, system.arrays, one)


def _open_plan(system: System, cost: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the point of least ``cost`` with everything relaxed and modules divisible; zeros if none was found."""
    arrays = system.relaxed(system.everything)
    arrays.cost = cost
    arrays.integer = np.zeros_like(arrays.integer)
    x = solve(arrays, clock)
    return np.zeros(len(system.cost)) if x is None else x


def _gains(system: System, x: np.ndarray, before: Mapping[int, float]) -> dict[int, float]:
    """Return what each share's row gains per unit of its limit at ``x``, kt (a fund: MUSD).

    Where nothing is delivered or made at ``x``, the gain is that of ``before`` or else a small positive number.
    """
    own = x[: system.arrays.matrix.shape[1]]
    gains = {row: system.gain_at(row, own) for row in system.slopes}
    usual = max(gains.values(), default=1.0)
    return {row: g if g > 1e-6 * usual else before.get(row, max(1e-3 * usual, 1e-9)) for row, g in gains.items()}


def _relaxed_shares(system: System, amounts: np.ndarray) -> set[int]:
    return {e.relaxable for e in system.effects if e.share and amounts[e.relaxable] > 0.0}


def _opened(system: System, amounts: np.ndarray, clock: Clock) -> np.ndarray:
    """Return ``amounts`` at which a plan exists.

    The linearised rows may have promised too much; then what is relaxed is relaxed further, in growing steps.
    """
    room = system.everything
    for further in (1e-8, 1e-6, 1e-4, 1e-2, 0.1, 0.5, 1.0, 4.0):
        if feasible(system, amounts, clock):
            return amounts
        amounts = np.where(amounts > 0.0, np.minimum(room, amounts * (1.0 + further) + further * 1e-3), 0.0)
        for k, relaxable in enumerate(system.relaxables):
            if relaxable.switch:
                amounts[k] = round(amounts[k])
    return room if not feasible(system, amounts, clock) else amounts


def _sharpen(system: System, amounts: np.ndarray, clock: Clock) -> np.ndarray:
    """Bring each relaxable in turn to its least amount while the others stay; those that cost most hardship go first.

    Switches are tried first, and the steps of a date from the last one back.
    """
    shares = {e.relaxable for e in system.effects if e.share}
    turned = [k for k in np.flatnonzero(amounts > 0.0) if not system.relaxables[k].switch]
    switches = [k for k in np.flatnonzero(amounts > 0.0) if system.relaxables[k].switch]
    for k in sorted(switches, key=lambda k: (-(system.relaxables[k].to or 9999), -system.relaxables[k].weight)):
        if any(amounts[later] > 0.0 for later, earlier in system.after if earlier == k):
            continue
        without = amounts.copy()
        without[k] = 0.0
        if feasible(system, without, clock):
            amounts = without
    exact = not shares & set(turned) and not clock.cut_short
    if exact and len(turned) + len(switches) == 1:
        return amounts
    for k in sorted(turned, key=lambda k: -system.relaxables[k].weight * amounts[k]):
        amounts = amounts.copy()
        amounts[k] = least(system, amounts, int(k), clock)
    return amounts


def least(system: System, amounts: np.ndarray, relaxable: int, clock: Clock, lowest: float = 0.0) -> float:
    """Return the least amount of one relaxable while the others stay; a plan must exist at ``amounts``.

    lowest  lower end of the search, in the unit of the cell; below 0 the wish becomes stricter than in the instance
    """
    rows = {e.row: e.factor for e in system.effects if e.relaxable == relaxable and e.share}
    if rows:
        return _least_share(system, amounts, relaxable, rows, clock, lowest)
    others = amounts.copy()
    others[relaxable] = 0.0
    arrays = system.relaxed(others, [relaxable])
    arrays.col_lower[-1] = lowest
    x = solve(arrays, clock)
    return float(amounts[relaxable]) if x is None else min(float(amounts[relaxable]), max(lowest, float(x[-1])))


def _least_share(
    system: System, amounts: np.ndarray, relaxable: int, rows: Mapping[int, float], clock: Clock, lowest: float
) -> float:
    """Return the least amount of a relaxable that is a share, by Dinkelbach's method for ratios.

    At an amount for which a plan exists, the plan that exceeds the limits least is sought; the amount that this plan
    needs is the next one. The method ends when the amount no longer falls.

    rows    row of the share -> factor of the relaxable's effect on it
    lowest  as in `least`
    """
    amounts, bottom = amounts.copy(), amounts.copy()
    bottom[relaxable] = lowest
    if feasible(system, bottom, clock):
        return lowest
    base = amounts.copy()
    base[relaxable] = 0.0
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
        better = min(float(amounts[relaxable]), max(lowest, _least_amount(system, base, own, rows)))
        if amounts[relaxable] - better < EXACT:
            return better
        amounts[relaxable] = better
        gains = _gains(system, own, gains)
    return float(amounts[relaxable])


def _worst_excess(arrays: Arrays, scales: Mapping[int, float]) -> Arrays:
    """Return the same rows with one more column, which is minimised: the largest excess over the limits of some rows.

    scales  these rows -> number by which the excess of the row is divided
    """
    rows = [row for row, scale in scales.items() if scale > ZERO]
    column = sparse.csc_array(([-scales[r] for r in rows], (rows, [0] * len(rows))), shape=(arrays.matrix.shape[0], 1))
    return replace(arrays, cost=np.zeros(len(arrays.cost)), offset=0.0).with_columns(column, 1.0, -1e3, 1e3)


def _least_amount(system: System, base: np.ndarray, x: np.ndarray, rows: Mapping[int, float]) -> float:
    """Return the least amount of a relaxable at which the point ``x`` keeps all its rows; infinite if none does.

    base  amounts of the others; that of the relaxable itself is 0
    rows  row of a share -> factor of the relaxable's effect on it
    """
    worst = -np.inf
    shifts: dict[int, float] = {}
    for e in system.effects:
        if e.share and e.row in rows:
            shifts[e.row] = shifts.get(e.row, 0.0) + e.factor * float(base[e.relaxable])
    for row, factor in rows.items():
        gain = system.gain_at(row, x)
        excess = system.excess_at(row, x) - shifts.get(row, 0.0) * gain
        if gain * factor > 1e-12:
            worst = max(worst, excess / (gain * factor))
        elif excess > 1e-9:
            worst = np.inf
    return float(worst)
