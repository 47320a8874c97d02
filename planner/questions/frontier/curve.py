"""The search for the points of a frontier: one compiled model, solved again for each limit on a dependence metric.

Both ends of the curve are exact: the least cost, and the least limit that any plan can keep.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import Infeasible, NoPlan, SolverFailed
from ...language import _
from ...solving.search import TIE
from ...words import figure_of
from ..many import Finished, Many, Result
from .limited import Limited, Point

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.programme import Programme
    from ...solving.solver import Progress, Settings
    from .axis import Axis

SAME_COST = 1e-8  # relative: two costs this close count as equal
EXACT = 1e-8  # share: tolerance of the limits at the ends of the curve
NARROW = 1e-5  # share: no point is placed in a narrower segment
TRIES = 60  # most steps towards the least limit; each comes much closer than the one before
BETWEEN = (1 / 2, 1 / 4, 3 / 4)  # of the way from the tightest to the cheapest limit: first points with whole numbers
AT_ONCE = 4  # most points placed at a time, if they have whole numbers; the same however many workers there are


class Curve(Limited):
    """The model with a limit on a metric, and the points of its curve.

    finished  points that are known already, and where new ones are kept
    notes     sentences that a reader of the curve should know
    """

    def __init__(
        self,
        instance: Instance,
        metric: Axis,
        settings: Settings,
        progress: Progress | None,
        finished: Finished | None = None,
    ) -> None:
        super().__init__(instance, metric, settings, progress)
        self.finished = Finished([], None) if finished is None else finished
        self.notes: list[str] = []

    def _once(self, what: str, find: Callable[[], Result]) -> Result:
        """Return what was found of an end of the curve: what is kept, or what ``find`` finds, which is then kept."""
        key = self.finished.key(what)
        found = self.finished.results.get(key)
        if found is None:
            before = len(self.notes)
            found = find() | {"today": self.today, "notes": self.notes[before:]}
            if not self.interrupted:
                self.finished.add(key, found)
            return found
        self.notes += found["notes"]
        if self.metric.glide:
            self.glide_from(found["today"])
        return found

    # --- the ends -----------------------------------------------------------------------------------------

    def _least_limit(self, known: float) -> float:
        """Return the least limit that the linear relaxation can keep, a share; ``known`` is a limit that it keeps."""
        self.lp.forget()  # presolve finds it sooner than any basis for the cost
        limit, exact = self._narrowed(self.lp, known, self._excess(1.0))
        if not exact:
            self.notes.append(_("the least dependence is not exact: the search for it was stopped"))
        return limit

    def _excess(self, weight: float) -> np.ndarray:
        """Return an objective with ``weight`` on the excess over the limit, and 0 on all other columns."""
        cost = np.zeros(len(self.arrays.cost))
        cost[self.rows.excess] = weight
        return cost

    def _narrowed(
        self,
        programme: Programme,
        limit: float,
        objective: np.ndarray,
        start: np.ndarray | None = None,
        most: float = math.inf,
    ) -> tuple[float, bool]:
        """Return the least limit that can be kept, a share, and whether it is proven to be the least.

        limit      a limit that can be kept, a share
        objective  one value for each column; the column of the excess over the limit has a positive weight
        start      integers to start from, one value for each of ``whole``
        most       the most that the plan may cost, MUSD, if the objective contains the cost

        Dinkelbach's method for ratios: at a limit that can be kept, the least excess over it is found, and the share of
        that solution is the next limit. If the least excess is not negative, the limit is the least one. There is one
        exception: a row whose denominator can be zero, such as that of a year in which nothing need be delivered, has
        the excess 0 then at any limit (see `_lower_too`). The least limit is then found by bisection.
        """
        exact = False
        programme.objective(objective)
        programme.bound([self.rows.excess], -np.inf, np.inf)
        for _try in range(TRIES):
            self.rows.set_limit(programme, limit)
            if start is not None:
                programme.offer(self.whole, start)
            found = self._find(programme, self.settings.time_limit)
            if not found.held:
                break
            share = self.rows.share(found.x)
            if found.optimal and share >= limit - EXACT:
                limit, exact = min(limit, share), True
                if limit > EXACT and self._lower_too(programme, limit, found.x, most):
                    limit, exact = self._halved(programme, limit, most)
                break
            if share >= limit - EXACT or found.stopped == "interrupted":
                break
            limit = share
            if limit <= EXACT:
                limit, exact = 0.0 if limit < 1e-12 else limit, True
                break
        programme.restore()
        return limit, exact

    def _lower_too(self, programme: Programme, limit: float, x: np.ndarray, most: float) -> bool:
        """Return whether a lower limit could be kept too, though the least excess over ``limit`` is 0.

        x     a solution with that excess; float array, one value for each column
        most  the most that the plan may cost, MUSD

        A slightly lower limit is tried: the least excess is concave in the limit, and if it is positive there, it is so
        at all lower ones. With a ceiling on the cost any limit a little lower costs as good as nothing, so it is asked
        whether a denominator is 0.
        """
        if not math.isinf(most):
            return not self.rows.filled(x)
        programme.bound([self.rows.excess], 0.0, 0.0)
        self.rows.set_limit(programme, max(0.0, limit - NARROW))
        try:
            return self._find(programme, self.settings.time_limit).optimal
        except SolverFailed:  # a limit that is missed by a hair may be neither kept nor refuted
            return not self.rows.filled(x)

    def _halved(self, programme: Programme, limit: float, most: float) -> tuple[float, bool]:
        """Return the least limit that can be kept, found by bisection, and whether it is proven to be the least.

        limit  a limit that can be kept, a share
        most   the most that the plan may cost, MUSD
        """
        low = at = 0.0  # the first trial is no dependence at all
        programme.bound([self.rows.excess], 0.0, 0.0)
        while limit - low > EXACT:
            self.rows.set_limit(programme, at)
            found = self._find(programme, self.settings.time_limit)
            if found.stopped != "infeasible" and not found.optimal:
                return limit, False
            if found.optimal and programme.cost(found.x) <= most:
                limit = min(at, self.rows.share(found.x))
            else:
                low = at
            at = (low + limit) / 2
        return limit, True

    def _cheap_limit(self, cheapest: Point) -> float:
        """Return the least limit that can be kept at the least cost with the integers of the cheapest plan, a share."""
        self.lp.bound(self.whole, cheapest.whole, cheapest.whole)
        with self.lp.going_on():
            most = cheapest.cost + SAME_COST * abs(cheapest.cost)
            return self._narrowed(self.lp, cheapest.share, self.arrays.cost + self._excess(TIE), most=most)[0]

    def tell(self, point: Point, started: float) -> None:
        """Report a point as a line of progress; ``started`` is when its solve began, by `time.perf_counter`."""
        if self.progress:
            gap = abs(point.cost - point.bound) / max(abs(point.cost), 1e-9)
            self.progress(
                f"limit {self.metric.shown(point.limit):7.2%}: {figure_of(point.cost, 6)} million, gap {gap:.2%}, "
                f"{time.perf_counter() - started:.1f} s"
            )

    def trace(self, points: int, workers: int | None = 1, scheduler: str | None = None) -> list[Point]:
        """Return at most ``points`` points of the curve, the tightest limit first.

        workers, scheduler  see `Many`

        The two ends are solved first. Each further point is placed where the curve may bend most. After an interrupt
        the points solved until then are returned. Raises Infeasible if there is no plan at any limit.
        """
        started = time.perf_counter()
        cheapest = self.unpacked(self._once("cheapest", lambda: {"point": self.packed(self._cheapest())})["point"])
        assert cheapest is not None
        self.tell(cheapest, started)
        limits = self._once("limits", lambda: self._limits(cheapest))
        if cheapest.share - limits["least"] <= EXACT or self.interrupted:
            return [self._as_cheapest(cheapest, cheapest.share)]
        # without whole numbers each point takes a moment from the basis of its neighbour, so they stay in this process
        if not len(self.whole):
            workers, scheduler = 1, None
        begin = Solving(self)
        with Many(begin, self.finished, "points", workers=workers, scheduler=scheduler, again=True) as many:
            found = self._first(cheapest, limits, points, many)
            if len(found) > 1:
                self._fill(found, points, many)
        return found

    def _first(self, cheapest: Point, limits: Result, points: int, many: Many) -> list[Point]:
        """Return the cheapest point and the tightest one, with whole numbers also points between them.

        limits  see `_limits`

        The middle, and if there may be so many also the quarters, can be placed before the curve is known, as it may
        bend anywhere. So no process waits while the tightest point is sought.
        """
        cheap, least = limits["cheap"], limits["least"]
        room = points - 2 if len(self.whole) else 0
        between = BETWEEN if room >= len(BETWEEN) else BETWEEN[: min(room, 1)]
        places = {least + part * (cheap - least): None for part in between if cheap - least > NARROW}
        key = self.finished.key("tightest")
        work: dict[str, Tightest | Piece] = {key: Tightest(least, cheapest)}
        of_limit = {self.finished.key(["point", limit, "first"]): limit for limit in places}
        start = replace(cheapest, basis=None)  # so far from the least cost presolve helps more than its basis
        work |= {k: Piece(limit, start, cheapest) for k, limit in of_limit.items()}
        results = self._asked(work, many)
        if key in results and results[key]["why"] and not self.interrupted:
            raise NoPlan(results[key]["why"])
        self.notes += results[key]["notes"] if key in results else []
        tightest = self.unpacked(results[key]["point"]) if key in results else None
        if tightest is None:
            return [self._as_cheapest(cheapest, cheapest.share)]
        if tightest.cost - cheapest.cost <= SAME_COST * max(abs(cheapest.cost), 1e-6):
            return [self._as_cheapest(tightest, tightest.limit)]
        found = [tightest, self._as_cheapest(cheapest, max(tightest.limit, cheap))]
        for k, limit in sorted(of_limit.items(), key=lambda item: item[1]):
            point = self.unpacked(results[k]["point"]) if k in results else None
            if point is not None and tightest.limit < limit < cheapest.limit:
                self._put(found, point, limit)
        return found

    def _asked(self, work: Mapping[str, Tightest | Piece], many: Many) -> dict[str, Result]:
        """Return the results of pieces of work by their keys; after an interrupt those that there are."""
        started, results = time.perf_counter(), {}
        try:
            for key, result in many.results(work):
                results[key] = result
                point = self.unpacked(result["point"])
                if point is not None:
                    self.tell(point, started)
                if self.interrupted:
                    break
        except KeyboardInterrupt:
            self.interrupted = True
        return results

    def _put(self, found: list[Point], point: Point, limit: float) -> None:
        """Put a point at its place among those found, the tightest limit first; ``limit`` is where it was sought."""
        at = max(i for i, other in enumerate(found) if other.limit < limit)
        if len(self.whole):
            # the share of the plan may be below the limit; it then is a cheapest plan at that share too
            point.limit, point.same_until = max(found[at].limit, min(limit, point.share)), limit
        found.insert(at + 1, point)

    def _limits(self, cheapest: Point) -> Result:
        """Return the least limit at the ``cheap``est cost and the ``least`` of all, shares."""
        cheap = self._cheap_limit(cheapest) if self.rows.rows and not self.interrupted else 0.0
        least = self._least_limit(cheapest.share) if self.rows.rows and not self.interrupted else 0.0
        return {"cheap": cheap, "least": least}

    def _fill(self, found: list[Point], points: int, many: Many) -> None:
        """Add further points to ``found`` until there are ``points``, several at a time if they have whole numbers."""
        barred: set[float] = set()
        while len(found) < points and not self.interrupted:
            places = self._places(found, barred, min(points - len(found), AT_ONCE if len(self.whole) else 1))
            if not places:
                break
            work: dict[str, Tightest | Piece] = {}
            of_limit = {}
            for at, limit in places:
                start, looser = self._near(found, at), found[at + 1]
                key = self.finished.key(["point", limit, start.solved_at, looser.solved_at])
                work[key], of_limit[key] = Piece(limit, start, looser), (limit, found[at].limit)
            results = self._asked(work, many)
            for key, (limit, tighter) in sorted(of_limit.items(), key=lambda item: item[1]):
                point = self.unpacked(results[key]["point"]) if key in results else None
                if point is not None:
                    self._put(found, point, limit)
                elif key in results:
                    self.notes.append(_("limit {limit}: no plan was found in time", limit=self._at(limit)))
                    barred.add(tighter)

    def _cheapest(self) -> Point:
        """Return the least-cost plan without a limit; with a glide, without a rise above its share in the first year.

        Raises Infeasible if the instance has no plan.
        """
        point = self.solve(1.0)
        if point is not None and self.metric.glide and self.metric.first is not None:
            free = point.cost
            self.glide_from(min(1.0, self.rows.level(point.x, self.instance.years[0])))
            point = self.solve(1.0, point, point)
            if point is not None and point.cost > free * (1 + SAME_COST):
                self.notes.append(
                    _(
                        "without any limit the cost is {amount} MUSD: dependence would rise on the way",
                        amount=figure_of(free, 6),
                    )
                )
        if point is None:
            raise Infeasible("no plan can satisfy the instance, whatever the limit; planner diagnose tells why")
        return point

    def tightest(self, least: float, cheapest: Point) -> Point | None:
        """Return the cheapest plan at the least limit; None if no plan was found there.

        least     least limit of the linear relaxation, a share; with integers the least limit may be higher
        cheapest  the point of least cost, from which the search starts
        """
        room = EXACT / 10  # the least limit is known only up to the solver's tolerance
        start = replace(cheapest, basis=None)  # so far from the least cost presolve helps more than its basis
        point = self.solve(least + room, start, cheapest)
        if point is None and self.mip is not None:
            least, exact = self._narrowed(self.mip, cheapest.share, self._excess(1.0), cheapest.whole)
            if not exact:
                self.notes.append(_("the least dependence is not proven: the search for it was stopped"))
            point = self.solve(least + room, start, cheapest)
        if point is not None:
            point.limit = point.same_until = least
            point.slope = self._slope_above(point)
        return point

    def _slope_above(self, point: Point) -> float:
        """Return the shadow price just above the limit of a point, MUSD per unit of share.

        At the least limit itself the shadow price is not unique.
        """
        self.rows.set_limit(self.lp, point.limit + 10 * EXACT)
        self.lp.bound(self.whole, point.whole, point.whole)
        found = self.lp.find(sure=False, keep=True)
        self.lp.restore()
        return self.rows.slope(found.x, found.duals) if found.optimal else point.slope

    def _as_cheapest(self, point: Point, limit: float) -> Point:
        """Place the least-cost point at the least limit that costs no more, and return it.

        limit  that limit, a share; a looser limit saves nothing, so the slope there is 0
        """
        point.limit = point.share = point.same_until = limit
        point.slope = 0.0
        if not self.rows.rows:
            return point
        if self.metric.name == "exposed_share" and self.metric.first is not None:
            point.exposed_share = min(point.exposed_share, limit)
        return point

    def _near(self, found: list[Point], at: int) -> Point:
        """Return the neighbour to start from: the tighter one, since its integers keep the looser limit too.

        found  points, the tightest limit first
        at     position of the tighter neighbour

        Without integers the tightest point of all is avoided. The solution at the least limit is degenerate, and the
        simplex method takes twice as many steps from its basis as from that of the looser neighbour.
        """
        return found[1] if at == 0 and len(found) > 2 and not len(self.whole) else found[at]

    def _places(self, found: list[Point], barred: set[float], most: int) -> list[tuple[int, float]]:
        """Return where the curve may bend most: positions of tighter neighbours, and limits to solve.

        found   points, the tightest limit first
        barred  limits of points above which no plan was found in time; no further point is placed there
        most    most places; the curve may bend at each of them at least a quarter as much as at the first: so much is
                left on either side of a point put there

        Returns an empty list if no segment is wide enough for a further point.
        """
        wide = max(found[-1].limit - found[0].limit, 1e-12)
        high = max(found[0].cost - found[-1].cost, 1e-12)
        places: list[tuple[float, float, int, float]] = []
        for i, (a, b) in enumerate(pairwise(found)):
            left = max(a.limit, a.same_until)
            dx, dy = b.limit - left, a.cost - b.cost
            if dx < 2 * NARROW or a.limit in barred:
                continue
            place, error = (left + b.limit) / 2, 0.0
            length = math.hypot(dx / wide, dy / high)
            if np.array_equal(a.whole, b.whole) and b.slope - a.slope > 1e-9 * high / wide:
                meet = left + (dy + b.slope * dx) / (b.slope - a.slope)
                below = a.cost - dy * (meet - left) / dx - (a.cost + a.slope * (meet - left))
                if left + NARROW < meet < b.limit - NARROW and below > 1e-7 * high:
                    place, error = meet, below / high * dx / wide
            if len(self.whole):  # other integers may cost less than both neighbours: the curve may lie anywhere between
                error = dx / wide * max(dy, 0.0) / high
            places.append((error, length, i, place))
        places.sort(key=lambda p: (-p[0], -p[1], p[2]))
        return [(i, place) for error, __, i, place in places[:most] if error >= places[0][0] / 4]

    def bounds(self, points: list[Point]) -> list[float]:
        """Return the least cost of the linear relaxation at the limit of each point, MUSD; [] if there are no integers.

        A cost is nan if its relaxation was not solved.
        """
        if self.mip is None:
            return []
        costs = []
        self.lp.objective(self.arrays.cost)
        for point in points:
            costs.append(point.relaxed)
            if abs(point.limit - point.solved_at) > EXACT:  # its plan keeps a tighter limit too
                self.rows.set_limit(self.lp, point.limit + EXACT / 10)
                relaxed = self.lp.find(keep=True)
                costs[-1] = relaxed.value if relaxed.optimal else math.nan
        return costs


class Piece(NamedTuple):
    """A point to be solved: its limit, and the points from which its search starts (see `Limited.solve`)."""

    limit: float
    start: Point
    looser: Point


class Tightest(NamedTuple):
    """The point at the least limit, to be solved (see `Curve.tightest`)."""

    least: float
    cheapest: Point


class Solving:
    """Makes what solves points in this process, with the curve that is there, or in another one, with its own."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve

    def __getstate__(self) -> Any:
        """Return what another process needs to build the same model."""
        return self.curve.instance, self.curve.metric, self.curve.settings, self.curve.today

    def __setstate__(self, state: Any) -> None:
        instance, metric, settings, today = state
        self.curve = Curve(instance, metric, settings, None)
        if metric.glide:
            self.curve.glide_from(today)

    def __call__(self) -> Callable[[Tightest | Piece], Result]:
        """Return the worker.

        It solves a ``point``, as `Limited.packed` tells it; None if no plan keeps its limit, or if none was found, with
        ``why``. Its ``notes`` are for the reader of the curve.
        """

        def solve(piece: Tightest | Piece) -> Result:
            curve, before, found, why = self.curve, len(self.curve.notes), None, ""
            try:
                found = curve.tightest(*piece) if isinstance(piece, Tightest) else curve.solve(*piece)
            except NoPlan as error:
                why = str(error)
            notes = curve.notes[before:]
            del curve.notes[before:]
            return {"point": curve.packed(found), "why": why, "notes": notes, "unfinished": curve.interrupted}

        return solve
