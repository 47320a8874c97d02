"""One model, re-solved with other limits on a dependence metric: the points of a frontier, and its exact ends."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import Infeasible, InstanceError, NoPlan, UsageError, hinted
from ...instance.metrics import METRICS
from ...prepare import prepare
from ...solving.cap_rows import PLACEHOLDER, MetricRows
from ...solving.compiling import compiled
from ...solving.measures import deliveries
from ...solving.programme import Programme, inside_bounds
from ...solving.search import COST_SLACK, TIE, finished
from ...solving.solver import Found
from ...words import figure_of

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Progress, Settings

KINDS = (*(name for name, metric in METRICS.items() if not metric.needs), "unserved")

SAME_COST = 1e-8  # relative: two costs this close are one
EXACT = 1e-8  # share: how narrowly the ends of the curve are bracketed
NARROW = 1e-5  # share: no point is placed in a narrower segment
WHOLE = 1e-6  # how far from whole a number may be that counts as whole
ROUND_UP, ROUND_DOWN = 0.7, 0.1  # part above the whole number beyond which a dive rounds many at once
TRIES = 60  # steps towards the least limit, each much closer than the one before


@dataclass(frozen=True)
class Axis:
    """What the curve limits: a dependence metric, and the years in which one common limit holds.

    name   ``exposed_share``, ``stage_share:STAGE``, ``single_country_share:STAGE`` or ``unserved``
    first  calendar year from which the limit holds; None: all years
    glide  the limit goes linearly from the level of the first year in the least-cost plan to the one asked for in
           ``first``, and stays there
    """

    name: str
    first: int | None = None
    glide: bool = False

    @property
    def family(self) -> str:
        """The metric without its stage or material."""
        return self.name.partition(":")[0]

    def check(self, instance: Instance) -> None:
        """Raise UsageError if the instance has no such metric or years."""
        kind, _, of = self.name.partition(":")
        if kind not in KINDS:
            raise UsageError(hinted(f"metric {kind}: expected one of {', '.join(KINDS)}", kind, KINDS))
        if self.first is not None and self.first > instance.years[-1]:
            raise UsageError(
                f"from year {self.first}: expected a year up to {instance.years[-1]}, the last period's first"
            )
        if self.glide and (self.first is None or self.first <= instance.years[0] or kind == "unserved"):
            raise UsageError(f"a glide needs a share and a year after {instance.years[0]} in which it ends")
        if kind == "unserved" or not METRICS[kind].of:
            if of:
                raise UsageError(f"metric {self.name}: {kind} is of the whole chain; leave :{of} out")
            return
        known = [*instance.stages, *sorted(m.material for m in instance.materials)]
        if of not in known:
            expected = f"{kind}: and a stage ({', '.join(instance.stages)}) or material"
            raise UsageError(hinted(f"metric {self.name}: expected {expected}", of, known))

    def capped(self, instance: Instance, limit: float, today: float) -> tuple[Instance, set[str]]:
        """The instance with the limit as caps more, and their names; ``today`` is where a glide begins."""
        if self.family == "unserved":
            return instance, set()
        of = self.name.partition(":")[2]
        row: dict[str, Any] = {"metric": self.family, "limit": limit}
        if of:
            row["stage" if of in instance.stages else "material"] = of
        rows: list[Mapping[str, Any]] = []
        if self.glide:
            assert self.first is not None
            first = {"first_year": instance.years[0], "last_year": self.first, "limit": today, "limit_end": limit}
            rows.append({**row, **first, "cap": _free_name(instance, "glide")})
            if instance.years[-1] > self.first:
                rows.append({**row, "cap": _free_name(instance, "frontier"), "first_year": self.first + 1})
        else:
            rows.append({**row, "cap": _free_name(instance, "frontier"), **_from(self.first)})
        try:
            return instance.with_rows("caps", *rows), {str(r["cap"]) for r in rows}
        except InstanceError as error:
            raise UsageError(f"metric {self.name} cannot be limited in this instance\n{error}") from error


def _from(first: int | None) -> dict[str, int]:
    return {} if first is None else {"first_year": first}


def _free_name(instance: Instance, name: str) -> str:
    while any(cap.cap == name for cap in instance.caps):
        name += "_"
    return name


@dataclass(slots=True)
class Point:
    """A solved limit: cost and bound in MUSD, slope in MUSD per unit of share, deliveries in kt (present value).

    share       kept by the plan
    same_until  limit up to which nothing cheaper than this plan was found
    """

    limit: float
    share: float
    cost: float
    bound: float
    slope: float
    status: str
    same_until: float
    x: np.ndarray
    whole: np.ndarray
    basis: Any
    builds: dict[tuple[str, int], float]
    clean: float
    exposed: float
    exposed_share: float
    short_t: float
    capex: float


class Curve:
    """One model, re-solved with other limits."""

    def __init__(self, instance: Instance, metric: Axis, settings: Settings, progress: Progress | None) -> None:
        metric.check(instance)
        self.instance, self.metric, self.settings = instance, metric, settings
        self.progress = progress
        capped, caps = metric.capped(instance, PLACEHOLDER, PLACEHOLDER)
        self.data = prepare(capped).data
        nodes = {n for n in range(len(self.data.nodes)) if self._counted(n)}
        self.rows = MetricRows(self.data, compiled(self.data), metric.family, caps, nodes)
        self.arrays = arrays = self.rows.arrays
        self.whole = arrays.whole
        self.tied = arrays.cost + TIE * deliveries(self.data, arrays)
        self.lp = Programme(arrays.relaxed, settings)
        self.mip = Programme(arrays, settings) if len(self.whole) else None
        self.interrupted = False
        self.today = 1.0  # where a glide begins
        self.notes: list[str] = []

    def _counted(self, node: int) -> bool:
        """Whether a node belongs to the plan and the years asked for."""
        n = self.data.nodes[node]
        return n.branch == "" and (self.metric.first is None or n.year >= self.metric.first)

    # --- solves -------------------------------------------------------------------------------------------

    def _find(self, programme: Programme, seconds: float | None = None) -> Found:
        """Solve; an interrupt ends the curve after it, with what was found."""
        found = programme.find(seconds=seconds, keep=True)
        self.interrupted |= found.stopped == "interrupted"
        return found

    def solve(self, limit: float, start: Point | None = None) -> Point | None:
        """The least-cost plan that keeps a limit; None: there is none.

        The relaxation goes on from the basis of the last limit. Whole numbers are sought with it first, and by branch
        and bound only where those found that way are not within the gap.
        """
        lp, arrays, seconds = self.lp, self.arrays, self.settings.time_limit
        self.rows.set_limit(lp, limit)
        if start is not None and start.basis is not None:
            lp.basis = start.basis
        else:
            lp.forget()
            lp.objective(arrays.cost)  # from nothing, first the cost and then the tie take half as long as both at once
            found = self._find(lp, seconds)
        if (start is not None and start.basis is not None) or found.optimal:
            lp.objective(self.tied)
            found = self._find(lp, seconds)
        if found.stopped == "infeasible":
            return None
        if not found.optimal:
            raise NoPlan(f"no plan was found at the limit {limit:.4%} before the search ended ({found.stopped})")
        relaxed, x, stopped = lp.basis, found.x, found.stopped
        found = self._at_cost()
        bound = found.value
        whole = np.zeros(0)
        if self.mip is not None:
            searched = self._whole_numbers(self.mip, limit, found, start)
            if searched is None:
                return None
            whole, stopped, bound = searched
            lp.bound(self.whole, whole, whole)
            lp.objective(self.tied)
            x = self._finished().x
            found = self._at_cost()
        cost = found.value
        x = self._not_dearer(inside_bounds(x, arrays), inside_bounds(found.x, arrays), cost)
        slope = self.rows.slope(x, found.duals)
        lp.restore()
        lp.basis = relaxed
        bound = min(bound, cost)
        gap = abs(cost - bound) / max(abs(cost), 1e-9)
        proven = stopped == "optimal" or gap <= self.settings.gap_for(len(self.whole))
        return Point(
            limit=limit,
            share=self.rows.share(x),
            cost=cost,
            bound=bound,
            slope=slope,
            status="optimal" if proven else "feasible",
            same_until=limit,
            x=x,
            whole=whole,
            basis=relaxed,
            **self._facts(x),
        )

    def _at_cost(self) -> Found:
        """Go on from a solution with ties decided to one of least cost, most often the same."""
        self.lp.objective(self.arrays.cost)
        with self.lp.going_on():
            return self._finished()

    def _finished(self) -> Found:
        """Solve what takes a moment: an interrupt ends the curve after it, a second one at once."""
        found = finished(self.lp)
        self.interrupted |= self.lp.interrupted
        return found

    def _not_dearer(self, x: np.ndarray, cheapest: np.ndarray, cost: float) -> np.ndarray:
        """The plan ``x`` with the least exposed deliveries, or the cheapest one if that costs too much."""
        spent = self.lp.cost(x) - cost
        return x if spent <= COST_SLACK * abs(cost) + 1e-12 else cheapest

    def _whole_numbers(
        self, mip: Programme, limit: float, relaxed: Found, start: Point | None
    ) -> tuple[np.ndarray, str, float] | None:
        """Whole numbers of a plan at a limit whose relaxation is solved, why the search ended, and a bound (MUSD).

        None: there is no plan. Raises NoPlan if the search ended without one.
        """
        bound = relaxed.value
        tried = self._rounded(relaxed, start)
        if tried is not None:
            cost, whole = tried
            if cost - bound <= self.settings.gap_for(len(self.whole)) * abs(cost):
                return whole, "optimal", bound
            mip.offer(self.whole, whole)
        self.rows.set_limit(mip, limit)
        found = self._find(mip, self.settings.time_limit)
        if found.stopped == "infeasible":
            return None
        if found.held:
            whole = np.round(found.x[self.whole])
        elif tried is None:
            raise NoPlan(f"no plan was found at the limit {limit:.4%} before the search ended ({found.stopped})")
        return whole, found.stopped, max(bound, found.bound)

    def _rounded(self, relaxed: Found, start: Point | None) -> tuple[float, np.ndarray] | None:
        """Cost (MUSD) and whole numbers of the best of two plans: the relaxation rounded, and those of ``start``."""
        plans = [self._dive(relaxed)]
        if start is not None:
            self.lp.bound(self.whole, start.whole, start.whole)
            found = self.lp.find(sure=False, keep=True)
            plans.append((found.value, start.whole) if found.optimal else None)
        self.lp.bound(self.whole, self.arrays.col_lower[self.whole], self.arrays.col_upper[self.whole])
        return min((plan for plan in plans if plan is not None), key=lambda plan: plan[0], default=None)

    def _dive(self, found: Found) -> tuple[float, np.ndarray] | None:
        """Whole numbers near those of the relaxation, a few more held at each step, and what they cost, MUSD.

        Held are those nearly whole, or the one nearest to it. Where no plan is left, only that one is held, and at
        last on its other side.
        """
        low, high = self.arrays.col_lower[self.whole].copy(), self.arrays.col_upper[self.whole].copy()
        while True:
            x = found.x[self.whole]
            away = np.abs(x - np.round(x))
            open_ = np.flatnonzero(away > WHOLE)
            if not len(open_):
                return found.value, np.round(x)
            part = x - np.floor(x)
            near = open_[(part[open_] >= ROUND_UP) | (part[open_] <= ROUND_DOWN)]
            nearest = open_[[np.argmin(away[open_])]]
            other = np.floor(x[nearest]) + np.ceil(x[nearest]) - np.round(x[nearest])
            for held, values in ((near, np.round(x[near])), (nearest, np.round(x[nearest])), (nearest, other)):
                if not len(held):
                    continue
                lower, upper = low.copy(), high.copy()
                lower[held] = upper[held] = values
                self.lp.bound(self.whole, lower, upper)
                found = self.lp.find(sure=False, keep=True)
                if found.optimal:
                    break
                if found.stopped != "infeasible":
                    self.interrupted |= found.stopped == "interrupted"
                    return None
            else:
                return None
            low, high = lower, upper

    def _facts(self, x: np.ndarray) -> dict[str, Any]:
        """Builds, deliveries, shortage and capex of a solution."""
        data, columns = self.data, self.arrays.columns
        clean = tainted = exposed = delivered = short = capex = 0.0
        for i, k in columns.get("deliver", {}).items():
            delivery = data.deliver[i]
            node = data.nodes[delivery.node]
            if node.branch == "":
                clean += node.present * x[k] if delivery.provenance == "clean" else 0.0
                tainted += node.present * x[k] if delivery.provenance == "exposed" else 0.0
            if self._counted(delivery.node):
                delivered += node.length * x[k]
                exposed += node.length * x[k] if delivery.provenance == "exposed" else 0.0
        for d, k in columns.get("short", {}).items():
            if self._counted(data.need[d].node):
                short += data.nodes[data.need[d].node].length * x[k] * 1e3
        overnight = {o.option: o.capex_musd for o in self.instance.options}
        builds = {}
        for i, k in columns.get("build", {}).items():
            begun = data.build[i]
            count = float(round(x[k])) if begun.integer else float(x[k])
            if count > 1e-6:
                builds[begun.option, begun.year] = count
                capex += count * overnight[begun.option]
        traced = exposed / delivered if delivered > 1e-9 else math.nan
        tonnes = float(short) if short > 1e-6 else 0.0
        return {
            "builds": builds,
            "clean": clean,
            "exposed": tainted,
            "exposed_share": traced,
            "short_t": tonnes,
            "capex": float(capex),
        }

    # --- the ends -----------------------------------------------------------------------------------------

    def _least_limit(self, known: float) -> float:
        """The least limit that the relaxation can keep, given one that it can."""
        self.lp.forget()  # presolve finds it sooner than any basis for the cost
        limit, exact = self._narrowed(self.lp, known, self._excess(1.0))
        if not exact:
            self.notes.append("the least dependence is not exact: the search for it was stopped")
        return limit

    def _excess(self, weight: float) -> np.ndarray:
        """The excess over a limit as objective."""
        cost = np.zeros(len(self.arrays.cost))
        cost[self.rows.excess] = weight
        return cost

    def _narrowed(
        self, programme: Programme, limit: float, objective: np.ndarray, start: np.ndarray | None = None
    ) -> tuple[float, bool]:
        """The least limit that can be kept, and whether that is proven; ``objective`` holds the excess over it.

        At a limit that can be kept, the least excess over it is sought; the share of that solution is the next limit
        (Dinkelbach's method for ratios). When no excess is below zero, the limit is the least.
        """
        exact = False
        programme.objective(objective)
        programme.bound([self.rows.excess], -np.inf, np.inf)
        for _ in range(TRIES):
            self.rows.set_limit(programme, limit)
            if start is not None:
                programme.offer(self.whole, start)
            found = self._find(programme, self.settings.time_limit)
            if not found.held:
                break
            share = self.rows.share(found.x)
            if found.optimal and share >= limit - EXACT:
                exact = True
                limit = min(limit, share)
                break
            if share >= limit - EXACT or found.stopped == "interrupted":
                break
            limit = share
            if limit <= EXACT:
                limit, exact = 0.0 if limit < 1e-12 else limit, True
                break
        programme.restore()
        return limit, exact

    def _cheap_limit(self, cheapest: Point) -> float:
        """The least limit that costs no more than the least cost, with the whole numbers of the cheapest plan."""
        self.lp.bound(self.whole, cheapest.whole, cheapest.whole)
        with self.lp.going_on():
            return self._narrowed(self.lp, cheapest.share, self.arrays.cost + self._excess(TIE))[0]

    def tell(self, point: Point, started: float) -> None:
        """One line of progress."""
        if self.progress:
            gap = abs(point.cost - point.bound) / max(abs(point.cost), 1e-9)
            self.progress(
                f"limit {point.limit:7.2%}: {figure_of(point.cost, 6)} MUSD, gap {gap:.2%}, "
                f"{time.perf_counter() - started:.1f} s"
            )

    def trace(self, points: int) -> list[Point]:
        """Points of the curve, the tightest limit first."""
        started = time.perf_counter()
        cheapest = self._cheapest()
        self.tell(cheapest, started)
        cheap_limit = self._cheap_limit(cheapest) if self.rows.rows and not self.interrupted else 0.0
        least = self._least_limit(cheapest.share) if self.rows.rows and not self.interrupted else 0.0
        tightest = None
        if cheapest.share - least > EXACT and not self.interrupted:
            try:
                tightest = self._tightest(cheapest, least, started)
            except NoPlan:
                if not self.interrupted:
                    raise
        if tightest is None:
            return [self._as_cheapest(cheapest, cheapest.share)]
        if tightest.cost - cheapest.cost <= SAME_COST * max(abs(cheapest.cost), 1e-6):
            return [self._as_cheapest(tightest, tightest.limit)]
        found = [tightest, self._as_cheapest(cheapest, max(tightest.limit, cheap_limit))]
        barred: set[float] = set()
        while len(found) < points and not self.interrupted:
            place = self._next(found, barred)
            if place is None:
                break
            at, limit = place
            started = time.perf_counter()
            try:
                point = self.solve(limit, self._near(found, at))
            except NoPlan:
                point = None
            if point is None:
                self.notes.append(f"limit {limit:.4%}: no plan was found in time")
                barred.add(found[at].limit)
                continue
            self.tell(point, started)
            if len(self.whole):
                # the limit may leave room: the plan then is the cheapest at the share it has
                point.limit, point.same_until = max(found[at].limit, min(limit, point.share)), limit
            found.insert(at + 1, point)
        return found

    def _cheapest(self) -> Point:
        point = self.solve(1.0)
        if point is not None and self.metric.glide and self.metric.first is not None:
            free = point.cost
            self.today = min(1.0, self.rows.level(point.x, self.instance.years[0]))
            self.rows.glide(self.instance.years[0], self.metric.first, self.today)
            point = self.solve(1.0, point)
            if point is not None and point.cost > free * (1 + SAME_COST):
                self.notes.append(
                    f"without any limit the cost is {figure_of(free, 6)} MUSD: dependence would rise on the way"
                )
        if point is None:
            raise Infeasible("no plan can satisfy the instance, whatever the limit; planner diagnose tells why")
        return point

    def _tightest(self, cheapest: Point, least: float, started: float) -> Point | None:
        """The cheapest plan at the least limit; with whole numbers that limit may be above the relaxation's."""
        room = EXACT / 10  # the least limit is known to the solver's tolerance only
        start = replace(cheapest, basis=None)  # far away, presolve helps more than the basis of the least cost
        point = self.solve(least + room, start)
        if point is None and self.mip is not None:
            least, exact = self._narrowed(self.mip, cheapest.share, self._excess(1.0), cheapest.whole)
            if not exact:
                self.notes.append("the least dependence is not proven: the search for it was stopped")
            point = self.solve(least + room, start)
        if point is not None:
            point.limit = point.same_until = least
            point.slope = self._slope_above(point)
            self.tell(point, started)
        return point

    def _slope_above(self, point: Point) -> float:
        """What a little more than the limit of a point saves: at the least limit any larger dual would do as well."""
        self.rows.set_limit(self.lp, point.limit + 10 * EXACT)
        self.lp.bound(self.whole, point.whole, point.whole)
        found = self.lp.find(sure=False, keep=True)
        self.lp.restore()
        return self.rows.slope(found.x, found.duals) if found.optimal else point.slope

    def _as_cheapest(self, point: Point, limit: float) -> Point:
        """The least-cost point, at the least limit that costs no more: beyond it nothing is saved."""
        point.limit = point.share = point.same_until = limit
        point.slope = 0.0
        if not self.rows.rows:
            return point
        if self.metric.name == "exposed_share" and self.metric.first is not None:
            point.exposed_share = min(point.exposed_share, limit)
        return point

    def _near(self, found: list[Point], at: int) -> Point:
        """The neighbour to go on from: the tighter one, whose whole numbers keep the limit too.

        Without whole numbers the tightest of all is left alone: at the least limit many bases are one solution, and
        the way from it takes twice the steps of the way from the looser neighbour.
        """
        return found[1] if at == 0 and len(found) > 2 and not len(self.whole) else found[at]

    def _next(self, found: list[Point], barred: set[float]) -> tuple[int, float] | None:
        """Where the curve may bend most: position of the tighter neighbour, and the limit to try."""
        wide = max(found[-1].limit - found[0].limit, 1e-12)
        high = max(found[0].cost - found[-1].cost, 1e-12)
        best: tuple[float, float, int, float] | None = None
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
            if len(self.whole):  # other whole numbers may undercut both: the curve may lie anywhere in between
                error = dx / wide * max(dy, 0.0) / high
            if best is None or (error, length) > best[:2]:
                best = (error, length, i, place)
        return None if best is None else best[2:]

    def bounds(self, limits: list[float]) -> list[float]:
        """Cost of the relaxation at each limit, MUSD; none without whole numbers."""
        if self.mip is None:
            return []
        found = []
        self.lp.objective(self.arrays.cost)
        for limit in limits:
            self.rows.set_limit(self.lp, limit + EXACT / 10)
            relaxed = self.lp.find(keep=True)
            found.append(relaxed.value if relaxed.optimal else math.nan)
        return found
