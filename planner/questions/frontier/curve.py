"""The search for the points of a frontier: one compiled model, solved again for each limit on a dependence metric.

Both ends of the curve are exact: the least cost, and the least limit that any plan can keep.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import Infeasible, NoPlan
from ...prepare import prepare
from ...solving.cap_rows import PLACEHOLDER, MetricRows
from ...solving.compiling import compiled
from ...solving.dive import dive
from ...solving.lshaped import Best, LShaped
from ...solving.measures import deliveries
from ...solving.programme import Programme, inside_bounds
from ...solving.search import COST_SLACK, TIE, finished
from ...solving.solver import Found
from ...words import figure_of

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Progress, Settings
    from .axis import Axis

SAME_COST = 1e-8  # relative: two costs this close count as equal
EXACT = 1e-8  # share: tolerance of the limits at the ends of the curve
NARROW = 1e-5  # share: no point is placed in a narrower segment
TRIES = 60  # most steps towards the least limit; each comes much closer than the one before


@dataclass(slots=True)
class Point:
    """The least-cost plan at one limit.

    limit          limit on the metric, a share; of a metric with a floor what is lacking of 1 (see `Axis`), as below
    share          value of the metric in the plan, a share
    cost, bound    present value of the cost of the plan (the incumbent), and its lower bound, MUSD
    slope          shadow price of the limit with the integers fixed: MUSD per unit of share, 0 or less
    status         ``optimal`` (proven within the gap) or ``feasible``
    same_until     no limit between ``limit`` and this share gives a lower cost
    x              the solution; float array, one value for each column of the model
    whole          values of the integer columns; float array, one value for each of `Curve.whole`
    basis          basis of the linear relaxation at this limit
    builds         (option, start year) -> modules
    clean, exposed  deliveries of clean and of exposed material, kt, discounted like costs
    exposed_share  exposed deliveries as a part of all, in the years in which the limit holds; nan: nothing is delivered
    short_t        demand not served in these years, t
    capex          overnight cost of all builds, MUSD
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
    """The model of an instance with a limit on a metric, solved again for each limit.

    rows         rows of the limit, and how it enters their coefficients
    arrays       the compiled model with these rows
    lp, mip      programmes of the linear relaxation, and of the model with integers (None if it has no integers)
    whole        positions of the integer columns; integer array
    tie_cost     cost of each column, MUSD per unit, with a little added to exposed deliveries, so that the least
                 exposed of equally cheap plans is found; float array, one value for each column
    methods      limit -> the L-shaped method by which it was searched
    relaxed      limit -> least cost of the linear relaxation, MUSD
    today        share from which a glide begins; 1 without a glide
    interrupted  whether an interrupt (Ctrl-C) ended the search
    notes        sentences that a reader of the curve should know
    """

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
        self.tie_cost = arrays.cost + TIE * deliveries(self.data, arrays)
        self.lp = Programme(arrays.relaxed, settings)
        self.mip = Programme(arrays, settings) if len(self.whole) else None
        self.methods: dict[float, LShaped] = {}
        self.relaxed: dict[float, float] = {}
        self.interrupted = False
        self.today = 1.0  # where a glide begins
        self.notes: list[str] = []

    def _counted(self, node: int) -> bool:
        """Return whether a node (a period of a branch) is of the plan itself and of a year in which the limit holds."""
        n = self.data.nodes[node]
        return n.branch == "" and (self.metric.first is None or n.year >= self.metric.first)

    # --- solves -------------------------------------------------------------------------------------------

    def _at(self, limit: float) -> str:
        """Return a limit of the search in words."""
        return f"{self.metric.shown(limit):.4%}"

    def _find(self, programme: Programme, seconds: float | None = None) -> Found:
        """Solve a programme; after an interrupt, return what was found and trace no further points.

        seconds  time limit; None: no limit
        """
        found = programme.find(seconds=seconds, keep=True)
        self.interrupted |= found.stopped == "interrupted"
        return found

    def solve(self, limit: float, start: Point | None = None) -> Point | None:
        """Return the least-cost plan that keeps a limit; None if no plan keeps it.

        limit  share
        start  point to start from: its basis serves the relaxation (if that is None, presolve is used instead), and
               its integers are tried as an incumbent

        The linear relaxation is solved first and rounded by diving. Branch and bound follows only if the incumbent
        found in this way is not within the gap. Raises NoPlan if the search ends without a plan.
        """
        lp, arrays, seconds = self.lp, self.arrays, self.settings.time_limit
        self.rows.set_limit(lp, limit)
        if start is not None and start.basis is not None:
            lp.basis = start.basis
        else:
            lp.forget()
            # without a basis, to solve for the cost first and break ties then takes half as long as both at once
            lp.objective(arrays.cost)
            found = self._find(lp, seconds)
        if (start is not None and start.basis is not None) or found.optimal:
            lp.objective(self.tie_cost)
            found = self._find(lp, seconds)
        if found.stopped == "infeasible":
            return None
        if not found.optimal:
            raise NoPlan(f"no plan was found at the limit {self._at(limit)} before the search ended ({found.stopped})")
        relaxed, x, stopped = lp.basis, found.x, found.stopped
        found = self._at_cost()
        bound = self.relaxed[limit] = found.value
        whole = np.zeros(0)
        if self.mip is not None:
            searched = self._whole_numbers(self.mip, limit, found, start)
            if searched is None:
                return None
            whole, stopped, bound = searched
            lp.bound(self.whole, whole, whole)
            lp.objective(self.tie_cost)
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
        """Solve for the cost alone, starting from the solution in which ties were broken.

        That solution most often is optimal already. This solve gives the shadow prices, and the cost without the small
        extra cost of ``tie_cost``.
        """
        self.lp.objective(self.arrays.cost)
        with self.lp.going_on():
            return self._finished()

    def _finished(self) -> Found:
        """Solve a short step to its end; a first interrupt ends the search after it, a second one at once."""
        found = finished(self.lp)
        self.interrupted |= self.lp.interrupted
        return found

    def _not_dearer(self, x: np.ndarray, cheapest: np.ndarray, cost: float) -> np.ndarray:
        """Return ``x``, the least exposed plan, or ``cheapest`` if ``x`` costs more than ``cost``.

        x, cheapest  solutions; float arrays, one value for each column
        cost         least cost, MUSD
        """
        spent = self.lp.cost(x) - cost
        return x if spent <= COST_SLACK * abs(cost) + 1e-12 else cheapest

    def _whole_numbers(
        self, mip: Programme, limit: float, relaxed: Found, start: Point | None
    ) -> tuple[np.ndarray, str, float] | None:
        """Find the integers of a least-cost plan at a limit.

        limit    share
        relaxed  solution of the linear relaxation at this limit
        start    point whose integers are tried first

        Returns the integers (one value for each of ``whole``), why the search ended, and a lower bound of the cost
        (MUSD); None if no plan keeps the limit. Raises NoPlan if the search ends without a plan.
        """
        gap, bound = self.settings.gap_for(len(self.whole)), relaxed.value
        known = self._rounded(relaxed, start)
        if known is not None and known.value - bound <= gap * abs(known.value):
            return np.round(known.x[self.whole]), "optimal", bound
        plan = None if known is None else known.x
        method = LShaped.of(self.rows.at(limit), self.settings)
        if method is not None:
            best = self._by_parts(method, limit, gap, relaxed, plan)
            plan, bound = best.plan if best.plan is not None else plan, max(bound, best.bound)
            if best.plan is not None and best.why != "stalled":
                return np.round(best.plan[self.whole]), best.why, bound
        if plan is not None:
            mip.offer(self.whole, plan[self.whole])
        self.rows.set_limit(mip, limit)
        found = self._find(mip, self.settings.time_limit)
        if found.stopped == "infeasible":
            return None
        if found.held:
            plan = found.x
        if plan is None:
            raise NoPlan(f"no plan was found at the limit {self._at(limit)} before the search ended ({found.stopped})")
        return np.round(plan[self.whole]), found.stopped, max(bound, found.bound)

    def _by_parts(self, method: LShaped, limit: float, gap: float, relaxed: Found, plan: np.ndarray | None) -> Best:
        """Search by the L-shaped method at a limit, with the planes of the nearest looser one.

        gap      relative gap at which the search may stop
        relaxed  solution of the linear relaxation at the limit
        plan     values of all columns of a plan that keeps the limit; None: none is known
        """
        looser = min((known for known in self.methods if known >= limit), default=None)
        if looser is not None:
            method.adopt(self.methods[looser])
        best = method.search(gap, self.settings.time_limit, plan, self.progress, relaxed)
        self.methods[limit] = method
        self.interrupted |= best.why == "interrupted"
        return best

    def _rounded(self, relaxed: Found, start: Point | None) -> Found | None:
        """Return the cheaper of two simple plans; None if neither exists.

        One is found by diving from the linear relaxation, the other has the integers of ``start``.
        """
        plans = [dive(self.lp, self.whole, relaxed)]
        self.interrupted |= self.lp.interrupted
        if start is not None:
            with self.lp.bounded(self.whole, start.whole, start.whole):
                found = self.lp.find(sure=False, keep=True)
            plans.append(found if found.optimal else None)
        return min((plan for plan in plans if plan is not None), key=lambda plan: plan.value, default=None)

    def _facts(self, x: np.ndarray) -> dict[str, Any]:
        """Return builds, deliveries, shortage and capex of a solution, under the names and in the units of `Point`."""
        data, columns = self.data, self.arrays.columns
        clean = tainted = exposed = delivered = short = capex = 0.0
        for i, k in columns.get("deliver", {}).items():
            delivery = data.deliver[i]
            node = data.nodes[delivery.node]
            if node.branch == "":
                clean += node.present * x[k] if delivery.provenance == "clean" else 0.0
                tainted += node.present * x[k] if delivery.provenance == "exposed" else 0.0
            if self._counted(delivery.node) and delivery.provenance:  # thrift needs no material
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
        """Return the least limit that the linear relaxation can keep, a share; ``known`` is a limit that it keeps."""
        self.lp.forget()  # presolve finds it sooner than any basis for the cost
        limit, exact = self._narrowed(self.lp, known, self._excess(1.0))
        if not exact:
            self.notes.append("the least dependence is not exact: the search for it was stopped")
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
        the excess 0 then at any limit. So a slightly lower limit is tried: the least excess is concave in the limit,
        and if it is positive there, it is so at all lower ones. If it is not, the least limit is found by bisection.
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
                limit, exact = min(limit, share), True
                if limit > EXACT and self._keeps(programme, max(0.0, limit - NARROW), most):
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

    def _keeps(self, programme: Programme, limit: float, most: float) -> bool:
        """Return whether a limit, a share, can be kept at a cost of at most ``most``, MUSD."""
        programme.bound([self.rows.excess], 0.0, 0.0)
        self.rows.set_limit(programme, limit)
        found = self._find(programme, self.settings.time_limit)
        return found.optimal and programme.cost(found.x) <= most

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
                f"limit {self.metric.shown(point.limit):7.2%}: {figure_of(point.cost, 6)} MUSD, gap {gap:.2%}, "
                f"{time.perf_counter() - started:.1f} s"
            )

    def trace(self, points: int) -> list[Point]:
        """Return at most ``points`` points of the curve, the tightest limit first.

        The two ends are solved first. Each further point is placed where the curve may bend most. After an interrupt
        the points solved until then are returned. Raises Infeasible if there is no plan at any limit.
        """
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
                self.notes.append(f"limit {self._at(limit)}: no plan was found in time")
                barred.add(found[at].limit)
                continue
            self.tell(point, started)
            if len(self.whole):
                # the share of the plan may be below the limit; it then is a cheapest plan at that share too
                point.limit, point.same_until = max(found[at].limit, min(limit, point.share)), limit
            found.insert(at + 1, point)
        return found

    def _cheapest(self) -> Point:
        """Return the least-cost plan without a limit; with a glide, without a rise above its share in the first year.

        Raises Infeasible if the instance has no plan.
        """
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
        """Return the cheapest plan at the least limit; None if no plan was found there.

        cheapest  the point of least cost, from which the search starts
        least     least limit of the linear relaxation, a share; with integers the least limit may be higher
        started   when the solve began, by `time.perf_counter`
        """
        room = EXACT / 10  # the least limit is known only up to the solver's tolerance
        start = replace(cheapest, basis=None)  # so far from the least cost presolve helps more than its basis
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

    def _next(self, found: list[Point], barred: set[float]) -> tuple[int, float] | None:
        """Return where the curve may bend most, as the position of the tighter neighbour and the limit to solve.

        found   points, the tightest limit first
        barred  limits of points above which no plan was found in time; no further point is placed there

        Returns None if no segment is wide enough for a further point.
        """
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
            if len(self.whole):  # other integers may cost less than both neighbours: the curve may lie anywhere between
                error = dx / wide * max(dy, 0.0) / high
            if best is None or (error, length) > best[:2]:
                best = (error, length, i, place)
        return None if best is None else best[2:]

    def bounds(self, limits: list[float]) -> list[float]:
        """Return the least cost of the linear relaxation at each limit, MUSD; an empty list if there are no integers.

        limits  shares

        A cost is nan if its relaxation was not solved.
        """
        if self.mip is None:
            return []
        self.lp.objective(self.arrays.cost)
        for limit in limits:
            if limit not in self.relaxed:
                self.rows.set_limit(self.lp, limit + EXACT / 10)
                relaxed = self.lp.find(keep=True)
                self.relaxed[limit] = relaxed.value if relaxed.optimal else math.nan
        return [self.relaxed[limit] for limit in limits]
