"""The cost of security: least cost against a limit on a dependence metric, point by point.

One model is built once. Its metric rows read ``A0 x + limit (A1 x - b) <= 0``, so another limit changes few
coefficients, and HiGHS goes on from the last basis. The end points are exact: least cost, and the least limit that
any plan can keep. Points between are placed where the curve may bend most: without whole numbers where the tangents
of two neighbours meet, with whole numbers in the middle of the largest step.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import Infeasible, InstanceError, NoPlan, SolverFailed, Unbounded, UsageError, did_you_mean
from .folders import write_folder

if TYPE_CHECKING:
    import pandas as pd

    from .instance import Instance
    from .plan import Plan
    from .prepare import Prepared
    from .solving import Arrays, Progress, Settings

METRICS = ("exposed_share", "stage_share", "single_country_share", "unserved")
COLUMNS = (
    "point metric limit share objective_musd bound_musd gap marginal_musd_per_point usd_per_kg_clean "
    "exposed_share short_t capex_musd status"
).split()
SWITCHES = ["point", "option", "start_year", "modules", "change"]
MANIFEST = "frontier.json"

SAME_COST = 1e-8  # relative: two costs this close are one
EXACT = 1e-8  # share: how narrowly the ends of the curve are bracketed
NARROW = 1e-5  # share: no point is placed in a narrower segment


@dataclass(frozen=True)
class Frontier:
    """Cost against a dependence metric; point 1 is the least cost, the last one the least dependence.

    table     columns of frontier.csv. limit and share are fractions (for ``unserved``: of the demand in the years);
              objective_musd is the least present cost at the limit, marginal_musd_per_point what one point more limit
              saves (from the duals, whole numbers fixed; either side's at a bend), usd_per_kg_clean the extra cost
              per extra kg of clean deliveries (both present values) over point 1, exposed_share and short_t of the
              years asked for
    switches  what is built otherwise than at the point before
    knee      point farthest from the chord between the ends; None for a straight curve
    lp_table  cost of the relaxation without whole numbers at each point's limit, a bound (empty without any)
    complete  False if it was interrupted
    """

    instance: Instance
    metric: str
    years: int | None
    table: pd.DataFrame
    switches: pd.DataFrame
    knee: int | None
    lp_table: pd.DataFrame
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def instance_at(self, point: int) -> Instance:
        """The instance with the limit of a point as a cap."""
        row = self._row(point)
        if self.metric == "unserved":
            raise UsageError("unserved demand is not a metric of caps.csv, so a point of it is not an instance")
        return _with_cap(self.instance, self.metric, self.years, float(row["limit"]))[0]

    def plan(self, point: int, **options: Any) -> Plan:
        """The plan of a point, solved afresh (options as in `solve`), to look at or to write as a run."""
        from .plan import solve

        return solve(self.instance_at(point), **options)

    def _row(self, point: int) -> Any:
        rows = self.table[self.table["point"] == point]
        if rows.empty:
            raise UsageError(f"point {point}: expected 1 to {len(self.table)}")
        return rows.iloc[0]

    def to_dict(self) -> dict[str, Any]:
        """What frontier.json holds."""
        return {
            "schema": 1,
            "instance": {
                "name": self.instance.name,
                "title": self.instance.title,
                "sha256": self.instance.sha256,
            },
            "metric": self.metric,
            "years": self.years,
            "settings": self.settings,
            "complete": self.complete,
            "knee": self.knee,
            "points": [
                {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
                for row in self.table.to_dict("records")
            ],
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write frontier.csv, switches.csv, lp_bound.csv and frontier.json, all or nothing."""
        from .tables import to_csv

        files = {
            "frontier.csv": to_csv(self.table),
            "switches.csv": to_csv(self.switches),
            "lp_bound.csv": to_csv(self.lp_table),
        }
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        return write_folder(Path(folder), files, MANIFEST, lambda: text, overwrite)

    def __str__(self) -> str:
        when = "every year" if self.years is None else f"from {self.years} on"
        lines = [
            f"{self.instance.title or self.instance.name}: cost against {self.metric}, {when}",
            f"{'':1}{'point':>5} {'limit':>8} {'MUSD':>14} {'gap':>7} {'MUSD/point':>11} {'USD/kg clean':>12} "
            f"{'exposed':>8} {'short t':>9} {'capex MUSD':>11}",
        ]
        for r in self.table.itertuples():
            mark = "*" if r.point == self.knee else " "
            premium = "-" if math.isnan(r.usd_per_kg_clean) else f"{r.usd_per_kg_clean:,.4g}"
            marginal = "-" if math.isnan(r.marginal_musd_per_point) else f"{r.marginal_musd_per_point:,.4g}"
            exposed = "-" if math.isnan(r.exposed_share) else f"{r.exposed_share:.1%}"
            lines.append(
                f"{mark}{r.point:>5} {r.limit:>8.2%} {r.objective_musd:>14,.6g} {r.gap:>7.2%} {marginal:>11} "
                f"{premium:>12} {exposed:>8} {r.short_t:>9,.4g} {r.capex_musd:>11,.5g}"
            )
        if self.knee is not None:
            lines.append(f"* knee: point {self.knee}, beyond it a point less dependence costs much more")
        changes: dict[int, list[str]] = defaultdict(list)
        for s in self.switches.itertuples():
            changes[s.point].append(f"{s.change} {s.option} {s.start_year} ({s.modules:.4g})")
        for point, what in changes.items():
            lines.append(f"point {point}: " + ", ".join(what))
        if not self.complete:
            lines.append("Interrupted: the points found so far.")
        return "\n".join(lines + [f"Note: {n}" for n in self.notes])


@dataclass(slots=True)
class _Point:
    """A solved limit: cost and bound in MUSD, slope in MUSD per unit of share, clean in kt (present value).

    share  kept by the plan reported, ``first_share`` by that of the least-cost step
    """

    limit: float
    share: float
    first_share: float
    cost: float
    bound: float
    slope: float
    status: str
    whole: np.ndarray
    builds: dict[tuple[str, int], float]
    clean: float
    exposed_share: float
    short_t: float
    capex: float


def frontier(
    instance: Instance,
    *,
    metric: str = "exposed_share",
    years: int | None = None,
    points: int = 11,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Frontier:
    """Least cost against a limit on a dependence metric, from least cost to least dependence at any cost.

    metric      ``exposed_share``, ``stage_share:STAGE`` or ``single_country_share:STAGE`` (a material may stand for
                the stage) or ``unserved``; one common limit holds in all the years (``unserved``: in their sum)
    years       first calendar year from which the limit holds; None: all years
    points      most points of the curve, 2 or more
    gap         relative MIP gap of each point, as in `solve`
    time_limit  seconds of search for each point
    progress    called with a line of text per point

    Caps of the instance stay in force. Raises UsageError, and what `solve` raises.
    """
    if points < 2:
        raise UsageError(f"points = {points}: expected 2 or more")
    from .formulation import check_own_models

    check_own_models()
    import scipy.sparse  # noqa: F401  (before Pyomo, which otherwise loads all of scipy with it: a second)

    from .solving import Settings

    settings = Settings(gap=gap, time_limit=time_limit, threads=threads, seed=seed)
    started = time.perf_counter()
    curve = _Curve(instance, metric, years, settings, progress)
    found = curve.trace(points)
    return _results(curve, found, time.perf_counter() - started)


def _with_cap(instance: Instance, metric: str, years: int | None, limit: float) -> tuple[Instance, str]:
    """The instance with one more cap of the metric; and the cap's name."""
    kind, _, of = metric.partition(":")
    if years is not None and years > instance.years[-1]:
        raise UsageError(f"years = {years}: expected a year up to {instance.years[-1]}, the last period's first")
    if kind not in METRICS:
        raise UsageError(
            f"metric {kind}: expected one of {', '.join(METRICS)}; {did_you_mean(kind, METRICS)}".rstrip("; ")
        )
    name = "frontier"
    while any(cap.cap == name for cap in instance.caps):
        name += "_"
    row: dict[str, Any] = {"cap": name, "metric": kind, "limit": limit}
    if years is not None:
        row["first_year"] = years
    if kind in ("exposed_share", "unserved"):
        if of:
            raise UsageError(f"metric {metric}: {kind} is of the whole chain; leave :{of} out")
        if kind == "unserved":
            return instance, name
    else:
        materials = {m.material for m in instance.materials}
        known = [*instance.stages, *sorted(materials)]
        if of not in known:
            raise UsageError(
                f"metric {metric}: expected {kind}: and a stage ({', '.join(instance.stages)}) or material; "
                f"{did_you_mean(of, known)}".rstrip("; ")
            )
        row["stage" if of in instance.stages else "material"] = of
    try:
        return instance.with_rows("caps", row), name
    except InstanceError as error:
        raise UsageError(f"metric {metric} cannot be limited in this instance\n{error}") from error


class _Curve:
    """One model, re-solved with other limits."""

    def __init__(
        self, instance: Instance, metric: str, years: int | None, settings: Settings, progress: Progress | None
    ) -> None:
        import models

        from .prepare import prepare
        from .solving import Solver, compile_model, paused_garbage_collector

        self.instance, self.metric, self.years, self.settings = instance, metric, years, settings
        self.progress = progress
        placeholder = 0.5  # every coefficient that depends on the limit is there, and none cancels
        capped, cap = _with_cap(instance, metric, years, placeholder)
        prepared: Prepared = prepare(capped)
        self.data = prepared.data
        with paused_garbage_collector():
            arrays = compile_model(models.build(self.data))
        self.rows = self._unserved(arrays) if metric == "unserved" else self._share_rows(arrays, cap, placeholder)
        self.arrays = arrays
        self.whole = np.flatnonzero(arrays.integer)
        self.solver = Solver(arrays, settings)
        self.relaxed: Solver | None = None
        if len(self.whole):
            from dataclasses import replace

            self.relaxed = Solver(replace(arrays, integer=np.zeros_like(arrays.integer)), settings)
        self.integers_fixed = False
        self.interrupted = False
        self.notes: list[str] = []

    # --- the metric's rows --------------------------------------------------------------------------------

    def _share_rows(self, arrays: Arrays, cap: str, placeholder: float) -> list[_Row]:
        """Rows of the cap, split into what depends on the limit and what does not."""
        family = self.metric.partition(":")[0]
        limits = getattr(self.data, family)
        activity, buy, surplus = (arrays.columns.get(name, {}) for name in ("activity", "buy", "surplus"))
        short = arrays.columns.get("short", {})
        by_row = arrays.matrix.tocsr()
        rows = []
        for i, row in arrays.rows.get(family, {}).items():
            limit = limits[i]
            if limit.cap != cap:
                continue
            varying: dict[int, float] = defaultdict(float)
            if family == "exposed_share":
                for d in limit.total:
                    varying[short[d]] += 1.0
            else:
                for p in limit.total:
                    pool = self.data.pools[p]
                    for a, tonnes in pool.made:
                        varying[activity[a]] -= tonnes
                    for k in pool.bought:
                        varying[buy[k]] -= 1.0
                    if pool.surplus is not None:
                        varying[surplus[pool.surplus]] += 1.0
            span = slice(by_row.indptr[row], by_row.indptr[row + 1])
            fixed = dict(zip(by_row.indices[span].tolist(), by_row.data[span].tolist(), strict=True))
            for column, value in varying.items():
                fixed[column] = fixed.get(column, 0.0) - placeholder * value
                if abs(fixed[column]) < 1e-12:
                    fixed[column] = 0.0
            rows.append(_Row(row, fixed, dict(varying), limit.demand))
        return rows

    def _unserved(self, arrays: Arrays) -> list[_Row]:
        """One more row: the tonnes short in the years <= limit times their demand."""
        from scipy import sparse

        fixed, demand = {}, 0.0
        for d, column in arrays.columns.get("short", {}).items():
            need = self.data.need[d]
            if self._counted(need.node):
                length = self.data.nodes[need.node].length
                fixed[column] = float(length)
                demand += length * need.demand
        row, columns = arrays.matrix.shape
        added = sparse.coo_array(
            (list(fixed.values()), (np.zeros(len(fixed), dtype=np.int64), list(fixed))), shape=(1, columns)
        )
        arrays.matrix = sparse.vstack([arrays.matrix, added]).tocsc()
        arrays.matrix.sort_indices()
        arrays.row_lower = np.append(arrays.row_lower, -np.inf)
        arrays.row_upper = np.append(arrays.row_upper, demand)
        return [_Row(row, fixed, {}, demand)]

    def _counted(self, node: int) -> bool:
        """Whether a node belongs to the plan and the years asked for."""
        n = self.data.nodes[node]
        return n.branch == "" and (self.years is None or n.year >= self.years)

    def share(self, x: np.ndarray) -> float:
        """The least limit that a solution keeps."""
        worst = 0.0
        for row in self.rows:
            over = sum(value * x[column] for column, value in row.fixed.items())
            total = row.demand - sum(value * x[column] for column, value in row.varying.items())
            if total > 1e-9:
                worst = max(worst, over / total)
        return float(worst)

    def _set_limit(self, solver: Any, limit: float) -> None:
        for row in self.rows:
            entries = {c: row.fixed.get(c, 0.0) + limit * value for c, value in row.varying.items()}
            entries = {c: value if abs(value) > 1e-11 else 0.0 for c, value in entries.items()}
            solver.change_row(row.position, entries, limit * row.demand)

    # --- solves -------------------------------------------------------------------------------------------

    def _run(self, solver: Any) -> str:
        """Run; infeasible is believed only without presolve."""
        stopped = str(solver.run())
        if stopped in ("infeasible", "failed", "unbounded"):
            solver.check(solver.highs.clearSolver(), "clearing")
            solver.option("presolve", "off")
            stopped = solver.run()
            solver.option("presolve", "choose")
        if stopped == "unbounded":
            raise Unbounded("the cost has no lower bound: an activity, perhaps one of negative cost, pays without end")
        if stopped == "failed":
            raise SolverFailed("HiGHS stopped without a result")
        return stopped

    def _relaxation(self, limit: float) -> tuple[np.ndarray, float, float] | None:
        """Values, cost and slope without whole numbers (or with those that are held); None: infeasible."""
        solver = self.solver if self.relaxed is None or self.integers_fixed else self.relaxed
        self._set_limit(solver, limit)
        stopped = self._run(solver)
        if stopped == "infeasible":
            return None
        if stopped != "optimal":
            raise NoPlan("interrupted before the ends of the curve were known")
        x, duals, _ = solver.solution()
        return x, float(self.arrays.cost @ x) + self.arrays.offset, self._slope(x, duals)

    def _slope(self, x: np.ndarray, duals: np.ndarray) -> float:
        """Change of cost with the limit, MUSD per unit of share, not above 0."""
        slope = 0.0
        for row in self.rows:
            room = row.demand - sum(value * x[column] for column, value in row.varying.items())
            slope += min(0.0, float(duals[row.position])) * room
        return slope

    def solve(self, limit: float, start: _Point | None = None) -> _Point | None:
        """The least-cost plan that keeps a limit; None: there is none."""
        from .solving import Outcome, fix_columns, inside_bounds, least_exposure

        solver, arrays = self.solver, self.arrays
        self._set_limit(solver, limit)
        if self.settings.time_limit is not None:
            solver.option("time_limit", solver.highs.getRunTime() + self.settings.time_limit)
        if start is not None and len(self.whole):
            solver.start_from(self.whole, start.whole)
        stopped = self._run(solver)
        if self.settings.time_limit is not None:
            solver.option("time_limit", math.inf)
        self.interrupted |= stopped == "interrupted"
        if stopped == "infeasible":
            return None
        if not solver.has_plan or (stopped != "optimal" and not len(self.whole)):
            raise NoPlan(f"no plan was found at the limit {limit:.4%} before the search ended ({stopped})")
        x = solver.solution()[0]
        bound = float(solver.highs.getInfo().mip_dual_bound) if len(self.whole) else math.nan
        whole = np.round(x[self.whole])
        if len(self.whole):
            fix_columns(solver, self.whole, whole)
            if solver.run_lp() != "optimal":
                raise SolverFailed("the plan found is not feasible once its whole numbers are exactly whole")
        x, duals, _ = solver.solution()
        x = inside_bounds(x, arrays)
        cost = float(arrays.cost @ x) + arrays.offset
        slope = self._slope(x, duals)
        first_share = self.share(x)
        basis = solver.highs.getBasis()
        outcome = Outcome("optimal", True)
        x = least_exposure(solver, self.data, x, cost, outcome)
        self.notes += [f"limit {limit:.4%}: {note}" for note in outcome.notes]
        solver.restore()
        if not len(self.whole):
            solver.check(solver.highs.setBasis(basis), "the basis")
        bound = min(bound, cost) if len(self.whole) else cost
        gap = abs(cost - bound) / max(abs(cost), 1e-9)
        proven = stopped == "optimal" or gap <= self.settings.gap_for(len(self.whole))
        shares, status = (self.share(x), first_share), "optimal" if proven else "feasible"
        return self._describe(limit, x, shares, cost, bound, slope, status, whole)

    def _describe(
        self,
        limit: float,
        x: np.ndarray,
        shares: tuple[float, float],
        cost: float,
        bound: float,
        slope: float,
        status: str,
        whole: np.ndarray,
    ) -> _Point:
        data, columns = self.data, self.arrays.columns
        clean = exposed = delivered = short = capex = 0.0
        for i, k in columns.get("deliver", {}).items():
            delivery = data.deliver[i]
            node = data.nodes[delivery.node]
            if node.branch == "" and delivery.provenance == "clean":
                clean += node.present * x[k]
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
        return _Point(limit, *shares, cost, bound, slope, status, whole, builds, clean, traced, tonnes, float(capex))

    # --- the ends -----------------------------------------------------------------------------------------

    def _least_limit(self, known: float) -> float:
        """The least limit that the relaxation can keep, to 1e-8, given one that it can."""
        if self._relaxation(0.0) is not None:
            return 0.0
        low, high = 0.0, known
        while high - low > EXACT:
            middle = (low + high) / 2
            found = self._relaxation(middle)
            if found is None:
                low = middle
            else:
                high = max(low, min(middle, self.share(found[0]) + 1e-12))
        return high

    def _cheap_limit(self, cheapest: _Point, low: float) -> float:
        """The least limit that costs no more than the least cost, with the whole numbers of the cheapest plan.

        From a dearer limit, where the tangent reaches the least cost: exact, since the curve is convex.
        """
        from .solving import fix_columns

        room = SAME_COST * max(abs(cheapest.cost), 1e-6)
        # the reported plan may spend 1e-7 of the cost to be less exposed, so its share is a little too low
        high, step = cheapest.first_share, max((cheapest.share - low) / 64, NARROW)
        if len(self.whole):
            fix_columns(self.solver, self.whole, cheapest.whole)
            self.integers_fixed = True
        try:
            guess, by_tangent = max(low, cheapest.share - step), False
            while high - low > EXACT:
                found = self._relaxation(guess)
                if found is not None and found[1] <= cheapest.cost + room:
                    high = min(guess, self.share(found[0])) if not by_tangent else guess
                    if by_tangent or high <= low:
                        break
                    step *= 4
                    guess = max(low, high - step)
                    if guess == low and high - low > EXACT:
                        guess = (low + high) / 2
                    continue
                low = guess
                guess, by_tangent = (low + high) / 2, False
                if found is not None and found[2] < 0.0:
                    reach = low + (found[1] - cheapest.cost) / -found[2]
                    if reach >= high - EXACT:
                        break
                    guess, by_tangent = reach, reach > low + EXACT
                    if not by_tangent:
                        high = reach
        finally:
            if self.integers_fixed:
                self.solver.restore()
                self.integers_fixed = False
        return high

    def tell(self, point: _Point, started: float) -> None:
        """One line of progress."""
        if self.progress:
            gap = abs(point.cost - point.bound) / max(abs(point.cost), 1e-9)
            self.progress(
                f"limit {point.limit:7.2%}: {point.cost:,.6g} MUSD, gap {gap:.2%}, "
                f"{time.perf_counter() - started:.1f} s"
            )

    def trace(self, points: int) -> list[_Point]:
        """Points of the curve, the tightest limit first."""
        started = time.perf_counter()
        cheapest = self.solve(1.0)
        if cheapest is None:
            raise Infeasible("no plan can satisfy the instance, whatever the limit; planner diagnose tells why")
        self.tell(cheapest, started)
        least = self._least_limit(cheapest.share) if self.rows else 0.0
        tightest = None
        if cheapest.share - least > EXACT and not self.interrupted:
            tightest = self._tightest(cheapest, least, started)
        if tightest is None:
            return [self._as_cheapest(cheapest, cheapest.share)]
        if tightest.cost - cheapest.cost <= SAME_COST * max(abs(cheapest.cost), 1e-6):
            return [self._as_cheapest(tightest, tightest.limit)]
        cheap_limit = self._cheap_limit(cheapest, tightest.limit)
        found = [tightest, self._as_cheapest(cheapest, cheap_limit)]
        barred: set[float] = set()
        while len(found) < points and not self.interrupted:
            place = self._next(found, barred)
            if place is None:
                break
            at, limit = place
            started = time.perf_counter()
            try:
                point = self.solve(limit, found[at])
            except NoPlan:
                point = None
            if point is None:
                self.notes.append(f"limit {limit:.4%}: no plan was found in time")
                barred.add(found[at].limit)
                continue
            self.tell(point, started)
            if len(self.whole):
                # the limit may leave room: the plan then is the cheapest at the share it has
                point.limit = max(found[at].limit, min(limit, point.share))
            found.insert(at + 1, point)
        return found

    def _tightest(self, cheapest: _Point, least: float, started: float) -> _Point | None:
        """The cheapest plan at the least limit; with whole numbers that limit may be above the relaxation's."""
        point = self.solve(least, cheapest)
        if point is None and len(self.whole):
            low, high = least, cheapest.share
            while high - low > EXACT:
                tried = self.solve((low + high) / 2)
                if tried is None:
                    low = (low + high) / 2
                else:
                    point, high = tried, min((low + high) / 2, tried.share)
            point = point and self.solve(high, point)
        if point is not None:
            self.tell(point, started)
        return point

    def _as_cheapest(self, point: _Point, limit: float) -> _Point:
        """The least-cost point, at the least limit that costs no more: beyond it nothing is saved."""
        point.limit = point.share = limit
        point.slope = 0.0
        if not self.rows:
            return point
        if self.metric == "exposed_share" and self.years is not None:
            point.exposed_share = min(point.exposed_share, limit)
        return point

    def _next(self, found: list[_Point], barred: set[float]) -> tuple[int, float] | None:
        """Where the curve may bend most: position of the tighter neighbour, and the limit to try."""
        wide = max(found[-1].limit - found[0].limit, 1e-12)
        high = max(found[0].cost - found[-1].cost, 1e-12)
        best: tuple[float, float, int, float] | None = None
        for i, (a, b) in enumerate(pairwise(found)):
            dx, dy = b.limit - a.limit, a.cost - b.cost
            if dx < 2 * NARROW or a.limit in barred:
                continue
            place, error = (a.limit + b.limit) / 2, 0.0
            length = math.hypot(dx / wide, dy / high)
            if np.array_equal(a.whole, b.whole) and b.slope - a.slope > 1e-9 * high / wide:
                meet = a.limit + (dy + b.slope * dx) / (b.slope - a.slope)
                below = a.cost - dy * (meet - a.limit) / dx - (a.cost + a.slope * (meet - a.limit))
                if a.limit + NARROW < meet < b.limit - NARROW and below > 1e-7 * high:
                    place, error = meet, below / high * dx / wide
            if len(self.whole):  # other whole numbers may undercut both: the curve may lie anywhere in between
                error = dx / wide * max(dy, 0.0) / high
            if best is None or (error, length) > best[:2]:
                best = (error, length, i, place)
        return None if best is None else best[2:]

    def bounds(self, limits: list[float]) -> list[float]:
        """Cost of the relaxation at each limit, MUSD."""
        if self.relaxed is None:
            return []
        found = (self._relaxation(limit) for limit in limits)
        return [math.nan if f is None else f[1] for f in found]


@dataclass(frozen=True, slots=True)
class _Row:
    """A metric row: fixed x + limit varying x <= limit demand, by columns (kt/yr)."""

    position: int
    fixed: dict[int, float]
    varying: dict[int, float]
    demand: float


def _nondominated(found: list[_Point]) -> list[_Point]:
    """Points from least cost to least dependence; dearer ones at looser limits (a gap's play) are dropped."""
    kept: list[_Point] = []
    for point in found:
        if not kept or point.cost < kept[-1].cost - 1e-9 * max(abs(point.cost), 1e-6):
            kept.append(point)
        else:
            kept[-1].bound = max(kept[-1].bound, min(point.bound, kept[-1].cost))
    kept.reverse()
    for looser, tighter in pairwise(kept):  # what no looser plan can undercut, no tighter one can
        tighter.bound = max(tighter.bound, min(looser.bound, tighter.cost))
    return kept


def _knee(points: list[_Point]) -> int | None:
    """Number of the point farthest from the chord, both axes scaled to 1."""
    if len(points) < 3:
        return None
    a, b = points[0], points[-1]
    wide, high = a.limit - b.limit, b.cost - a.cost
    if wide <= 0.0 or high <= 0.0:
        return None
    away = [(a.limit - p.limit) / wide - (p.cost - a.cost) / high for p in points]
    best = max(range(len(points)), key=lambda i: away[i])
    return best + 1 if away[best] > 1e-6 else None


def _results(curve: _Curve, found: list[_Point], seconds: float) -> Frontier:
    import pandas as pd

    points = _nondominated(found)
    first = points[0]
    rows, switches = [], []
    for number, p in enumerate(points, start=1):
        extra = p.clean - first.clean
        premium = (p.cost - first.cost) / extra if extra > 1e-9 else math.nan
        gap = abs(p.cost - p.bound) / max(abs(p.cost), 1e-9)
        marginal = -p.slope * 0.01 + 0.0
        rows.append(
            (number, curve.metric, p.limit, p.share, p.cost, p.bound, gap, marginal, premium)  # noqa: RUF005
            + (p.exposed_share, p.short_t, p.capex, p.status)
        )
        before = points[number - 2].builds if number > 1 else p.builds
        for key in sorted({*before, *p.builds}):
            old, new = before.get(key, 0.0), p.builds.get(key, 0.0)
            if abs(new - old) > 1e-6:
                change = "on" if not old else "off" if not new else "more" if new > old else "less"
                switches.append((number, *key, abs(new - old), change))
    limits = [p.limit for p in points]
    bounds = curve.bounds(limits)
    lp_rows = [(i + 1, limits[i], bound) for i, bound in enumerate(bounds)]
    settings = curve.settings
    return Frontier(
        curve.instance,
        curve.metric,
        curve.years,
        pd.DataFrame(rows, columns=COLUMNS),
        pd.DataFrame(switches, columns=SWITCHES),
        _knee(points),
        pd.DataFrame(lp_rows, columns=["point", "limit", "bound_musd"]),
        not curve.interrupted,
        {
            "gap": settings.gap_for(len(curve.whole)),
            "time_limit": settings.time_limit,
            "threads": settings.threads,
            "seed": settings.seed,
        },
        seconds,
        curve.notes,
    )
