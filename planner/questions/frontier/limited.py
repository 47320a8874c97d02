"""One compiled model of an instance with a limit on a metric, and its least-cost plan at any limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import NoPlan
from ...prepare import PLAN, prepare
from ...solving.cap_rows import PLACEHOLDER, MetricRows
from ...solving.compiling import compiled
from ...solving.dive import dive
from ...solving.lshaped import LShaped, Plane, Planes
from ...solving.measures import deliveries
from ...solving.programme import Programme, basis_of, inside_bounds, statuses
from ...solving.search import COST_SLACK, TIE, by_parts, finished
from ...solving.solver import Found

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Progress, Settings
    from ..many import Result
    from .axis import Axis


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
    whole          values of the integer columns; float array, one value for each of `Limited.whole`
    basis          basis of the linear relaxation
    solved_at      limit at which the plan was sought, a share
    relaxed        least cost of the relaxation there, MUSD
    planes         planes of the L-shaped method that hold here and at tighter limits; None: it was not used
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
    solved_at: float
    relaxed: float
    planes: Planes | None
    builds: dict[tuple[str, int], float]
    clean: float
    exposed: float
    exposed_share: float
    short_t: float
    capex: float


class Limited:
    """The model of an instance with a limit on a metric, solved again for each limit.

    rows         rows of the limit, and how it enters their coefficients
    arrays       the compiled model with these rows
    lp, mip      programmes of the linear relaxation, and of the model with integers (None if it has no integers)
    whole        positions of the integer columns; integer array
    tie_cost     cost of each column, MUSD per unit, with a little added to exposed deliveries, so that the least
                 exposed of equally cheap plans is found; float array, one value for each column
    today        share from which a glide begins; 1 without a glide
    interrupted  whether an interrupt (Ctrl-C) ended the search
    """

    def __init__(self, instance: Instance, metric: Axis, settings: Settings, progress: Progress | None) -> None:
        metric.check(instance)
        self.instance, self.metric, self.settings = instance, metric, settings
        self.progress = progress
        capped, caps = metric.capped(instance, PLACEHOLDER, PLACEHOLDER)
        self.data = prepare(capped).data
        nodes = {n for n in range(len(self.data.nodes)) if self._counted(n)}
        self.rows = MetricRows(self.data, compiled(self.data), metric.family, caps, nodes)
        if metric.amount:
            most = self.rows.most(settings)
            self.metric = replace(metric, scale=1e3 * most)  # the rows are in thousand units
        self.arrays = arrays = self.rows.arrays
        self.whole = arrays.whole
        self.tie_cost = arrays.cost + TIE * deliveries(self.data, arrays)
        self.lp = Programme(arrays.relaxed, settings)
        self.mip = Programme(arrays, settings) if len(self.whole) else None
        self.interrupted = False
        self.today = 1.0  # where a glide begins

    def _counted(self, node: int) -> bool:
        """Return whether a node (a period of a branch) is of the plan itself and of a year in which the limit holds."""
        n = self.data.nodes[node]
        return n.branch == "" and (self.metric.first is None or n.year >= self.metric.first)

    def glide_from(self, today: float) -> None:
        """Let the limit glide from ``today`` (share) in the first year to the one asked for."""
        assert self.metric.first is not None
        self.today = today
        self.rows.glide(self.instance.years[0], self.metric.first, today)

    def _at(self, limit: float) -> str:
        """Return a limit of the search in words."""
        at = self.metric.shown(limit)
        return f"{at:,.6g} units" if self.metric.amount else f"{at:.4%}"

    def _find(self, programme: Programme, seconds: float | None = None) -> Found:
        """Solve a programme; after an interrupt, return what was found and trace no further points.

        seconds  time limit; None: no limit
        """
        found = programme.find(seconds=seconds, keep=True)
        self.interrupted |= found.stopped == "interrupted"
        return found

    def solve(self, limit: float, start: Point | None = None, looser: Point | None = None) -> Point | None:
        """Return the least-cost plan that keeps a limit; None if no plan keeps it.

        limit   share
        start   point to start from: its basis serves the relaxation (if that is None, presolve is used instead), and
                its integers are tried as an incumbent
        looser  point at a looser limit, whose planes hold here too

        The linear relaxation is solved first and rounded by diving. Branch and bound follows only if the incumbent
        found in this way is not within the gap. Raises NoPlan if the search ends without a plan.
        """
        if self.mip is None:
            self.rows.set_limit(self.lp, limit)
        else:  # points are solved in several processes: what was solved before in this one must not matter
            self.lp = Programme(self.rows.at(limit).relaxed, self.settings)
        lp, arrays, seconds = self.lp, self.arrays, self.settings.time_limit
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
        least = bound = found.value
        whole, planes = np.zeros(0), None if looser is None else looser.planes
        if self.mip is not None:
            searched = self._whole_numbers(limit, found, start, planes)
            if searched is None:
                return None
            whole, stopped, bound, planes = searched
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
            solved_at=limit,
            relaxed=least,
            planes=planes,
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
        self, limit: float, relaxed: Found, start: Point | None, planes: Planes | None
    ) -> tuple[np.ndarray, str, float, Planes | None] | None:
        """Find the integers of a least-cost plan at a limit.

        limit    share
        relaxed  solution of the linear relaxation at this limit
        start    point whose integers are tried first
        planes   planes that hold at this limit

        Returns the integers (one value for each of ``whole``), why the search ended, a lower bound of the cost (MUSD)
        and the planes that hold at tighter limits; None if no plan keeps the limit. Raises NoPlan if the search ends
        without a plan.
        """
        gap, bound, seconds = self.settings.gap_for(len(self.whole)), relaxed.value, self.settings.time_limit
        known = self._rounded(relaxed, start)
        if known is not None and known.value - bound <= gap * abs(known.value):
            return np.round(known.x[self.whole]), "optimal", bound, planes
        plan = None if known is None else known.x
        mip = Programme(self.rows.at(limit), self.settings)
        method = by_parts(mip, LShaped)
        if method is not None:
            if planes is not None:
                method.adopt(planes)
            best = method.search(gap, seconds, plan, self.progress, relaxed)
            self.interrupted |= best.why == "interrupted"
            planes, bound = method.kept, max(bound, best.bound)
            if best.plan is not None:
                plan = best.plan
                if best.why != "stalled":
                    return np.round(plan[self.whole]), best.why, bound, planes
        if plan is not None:
            mip.offer(self.whole, plan[self.whole])
        found = self._find(mip, seconds)
        if found.stopped == "infeasible":
            return None
        if found.held:
            plan = found.x
        if plan is None:
            raise NoPlan(f"no plan was found at the limit {self._at(limit)} before the search ended ({found.stopped})")
        return np.round(plan[self.whole]), found.stopped, max(bound, found.bound), planes

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

    # --- points in a file ---------------------------------------------------------------------------------

    def packed(self, point: Point | None) -> Result | None:
        """Return a point as JSON can hold it, without what follows from its solution; see `unpacked`."""
        if point is None:
            return None
        filled = np.flatnonzero(point.x)
        numbers = ("limit", "share", "cost", "bound", "slope", "status", "same_until", "solved_at", "relaxed")
        of = point.planes
        planes = None if of is None else [(p.part, p.linked.tolist(), p.prices.tolist(), p.level) for p in of.planes]
        return {name: getattr(point, name) for name in numbers} | {
            "x": [filled.tolist(), point.x[filled].tolist()],
            "whole": point.whole.tolist(),
            "basis": [status.hex() for status in statuses(point.basis)],
            "planes": None if of is None else [of.rows.tolist(), planes],
        }

    def unpacked(self, packed: Result | None) -> Point | None:
        """Return the point that was packed."""
        if packed is None:
            return None
        x = np.zeros(len(self.arrays.cost))
        x[packed["x"][0]] = packed["x"][1]
        planes = packed["planes"] and Planes(
            np.array(packed["planes"][0], dtype=int),
            tuple(
                Plane(part, np.array(linked, dtype=int), np.array(prices), level)
                for part, linked, prices, level in packed["planes"][1]
            ),
        )
        basis = basis_of(*(bytes.fromhex(of) for of in packed["basis"]))
        whole = np.array(packed["whole"])
        return Point(**{**packed, "x": x, "whole": whole, "basis": basis, "planes": planes}, **self._facts(x))

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
            if count > 1e-6 and begun.branch == PLAN:
                builds[begun.option, begun.year] = count
                capex += count * overnight[begun.option]
        sized = columns.get("excess", {}).items()
        capex += sum(x[k] for i, k in sized if data.build[data.excess[i].start].branch == PLAN)
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
