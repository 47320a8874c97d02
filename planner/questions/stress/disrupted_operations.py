"""Operations after a shock, solved for many cases with one compiled model.

The builds, and the stocks when the shock begins, are those of the plan. The model is compiled once, for the undisturbed
branch, in which nothing is lost. A case then only changes limits of rows, bounds of columns and prices in it; what a
disruption does is computed where every branch gets it from (``prepare.conditions``). HiGHS starts each case from the
basis of the undisturbed branch, so that its result does not depend on which case was solved before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import SolverFailed
from ...instance.timeline import YEAR, calendar_months, disrupted_months, months_of, overlap_share, periods
from ...prepare import CapacityLimit, ModelData, ShareLimit, Terms, prepare_branch
from ...prepare.conditions import Conditions, Strike, conditions_of
from ...prepare.under_way import sent_before
from ...prepare.working_stocks import used_before
from ...runs.served import served
from ...solving.compiling import compiled
from ...solving.programme import Programme
from .cases import NOTHING, OWN, Case, disruption, with_case
from .planned import Planned

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...prepare import Prepared
    from ...solving.solver import Settings

QUICK = 10_000  # columns up to which a solve takes milliseconds, so that Ctrl-C need not end it


class Shape(NamedTuple):
    """What the compiled model of a branch depends on: cases of the same shape share it.

    first, last  calendar years of the disruption
    window       calendar months of the disruption, if its clock is the month; None: the year
    waits        whether its first months differ from the others, since nothing leaves yet
    fails        whether projects fail, which lifts caps and clean-only rules to the end of the horizon
    scenario     the scenario of the instance whose service floors must hold in the branch; blank: none
    """

    first: int
    last: int
    window: range | None
    waits: bool
    fails: bool
    scenario: str

    @classmethod
    def of(cls, instance: Instance, case: Case) -> Shape:
        """Return the shape of a case."""
        floors = any(row.scenario == case.own_scenario for row in instance.branch_service)
        window = case.window if case.from_month else None
        return cls(case.first, case.last, window, case.wait > 0.0, case.fails, case.own_scenario if floors else "")


@dataclass(frozen=True, slots=True)
class CaseSolution:
    """Least-cost operations of a case.

    x        value of each column, in kt/yr or kt
    duals    shadow price of each row, MUSD (present value) per unit of the row
    changed  row -> its upper limit in this case, kt/yr or kt, for rows that the case limits
    surges   factors on demands and prices, see `Branch._surges`
    cost     present value, MUSD
    basis    of the solver at the end
    """

    x: np.ndarray
    duals: np.ndarray
    changed: dict[int, float]
    surges: dict[str, dict[int, float]]
    cost: float
    basis: Any


class Branch:
    """The model of the operations from the first period of a disruption on.

    undisturbed  its solution if nothing is lost
    slow         whether it takes seconds to solve it again

    Without stockpiles, returns and failing projects nothing connects the periods, so those after the disruption are
    left out (but for the year in months and the period after it, where goods are under way); with them the branch runs
    to the end of the horizon. Without stockpiles, working stocks, goods under way and returns months that are alike are
    solved as one.
    """

    def __init__(self, instance: Instance, planned: Planned, shape: Shape, settings: Settings) -> None:
        self.instance, self.planned, self.shape = instance, planned, shape
        quiet = self._quiet()
        self.name = quiet.scenarios[0].scenario
        span = periods(instance)
        window = shape.window or calendar_months(shape.first, shape.last)
        hit = [t for t, p in enumerate(span) if overlap_share(p.months, window) > 0.0]
        tied = bool(instance.stockpiles or instance.returns)
        under_way = bool(instance.has_transit and shape.window)
        shared = tied or under_way or bool(instance.working_stocks and shape.window)
        last = len(span) - 1 if tied or shape.fails else min(hit[-1] + (2 if under_way else 0), len(span) - 1)
        gone = max(0, window.start - span[hit[0]].months.start) / YEAR if shape.window else 0.0
        openings = planned.openings(span[hit[0]].first_year, gone)
        prepared = prepare_branch(
            quiet,
            self.name,
            planned.builds,
            openings,
            last,
            planned.closed,
            served(planned.tables),
            used_before(instance, planned.tables, window.start),
            sent_before(instance, planned.tables, window.start),
            together=not shared and not shape.waits,
        )
        self.limits, self.starts = prepared.data.capacity, prepared.data.build
        self.rooms = prepared.data.stock_limit
        self.options = {o.option: o for o in instance.options}
        rooms = [r._replace(limit=r.limit + self._added(r.modules, Conditions()), modules=[]) for r in self.rooms]
        held = [self._held(limit) for limit in self.limits]
        caps = defaultdict(list, {m: [self._capped(c) for c in of] for m, of in prepared.data.caps.items()})
        impacts = [of._replace(build=[]) for of in prepared.data.impacts]
        data = replace(prepared.data, capacity=held, stock_limit=rooms, build=[], caps=caps, impacts=impacts)
        arrays = compiled(data)
        self.prepared: Prepared = replace(prepared, data=data)
        self.data: ModelData = data
        self.arrays = arrays
        self.capacity_rows = arrays.rows.get("capacity_limit", {})
        self.room_rows = arrays.rows.get("stock_limit", {})
        self.stop_rows = arrays.rows.get("export_stop", {})
        self.swap_rows: dict[int, list[int]] = defaultdict(list)  # position of a need -> rows of its substitutes
        for i, row in arrays.rows.get("swap_limit", {}).items():
            self.swap_rows[data.swap_limit[i].need].append(row)
        for row in self.stop_rows.values():
            arrays.row_upper[row] = np.inf
        self.programme = Programme(arrays, settings)
        self.slow = under_way and len(arrays.cost) > QUICK
        if (
            self.slow
        ):  # months that hang together: the simplex takes the square of their columns in steps, from any basis
            self.programme.option(solver="ipm")
        self.basis: Any = None
        self._moved: tuple[int, ...] = ()  # rows with other sides than compiled
        self.undisturbed = self._first()

    def _quiet(self) -> Instance:
        """Return the instance with a scenario that loses nothing, but every export has a row that can limit it."""
        shape = self.shape
        rows = [disruption("export_stop", 1.0, "")]
        if shape.fails:
            rows.append(disruption("project_failure", 0.0, ""))
        name, kind = (f"{OWN}:{shape.scenario}", OWN) if shape.scenario else (NOTHING, NOTHING)
        months, month = (len(shape.window), shape.window.start % YEAR + 1) if shape.window else (0, 0)
        case = Case(name, kind, "", 1.0, shape.first, shape.last, months, month, tuple(rows))
        return with_case(self.instance, case)

    def _held(self, limit: CapacityLimit) -> CapacityLimit:
        """Return a limit in which the modules of the plan are part of own capacity: builds are not decided here."""
        return CapacityLimit(limit.facility, limit.node, self._capacity(limit, Conditions()), [], use=limit.use)

    def _capped(self, cap: ShareLimit) -> ShareLimit:
        """Return a cap from whose limit is taken what the builds of the plan cause of an impact."""
        starts = ((self.starts[i], part.share * units) for part in cap.parts for i, units in part.started)
        return cap._replace(
            limit=cap.limit - sum(units * self.planned.builds[s.option, s.year] for s, units in starts),
            started=(),
            others=tuple(part._replace(started=()) for part in cap.others),
        )

    def _capacity(self, limit: CapacityLimit, conditions: Conditions) -> float:
        """Return what the conditions leave of a facility's capacity, kt/yr."""
        total = limit.own + self._added(limit.modules, conditions)
        return total * conditions.capacity.get(limit.facility, 1.0)

    def _added(self, modules: Terms, conditions: Conditions) -> float:
        """Return what modules of the plan add to a capacity (kt/yr) or to a store (kt)."""
        added = 0.0
        for i, per_module in modules:
            start = self.starts[i]
            delivered = conditions.module_factor(self.options[start.option], start.year)
            added += per_module * delivered * self.planned.builds[start.option, start.year]
        return added

    def _first(self) -> CaseSolution:
        """Solve the undisturbed branch and keep its basis, from which every case starts."""
        solution = self._run({}, {})
        if solution is None:
            raise SolverFailed("the operations after the shock have no solution even if nothing is lost")
        self.basis = self.programme.basis
        return solution

    # --- cases --------------------------------------------------------------------------------------------

    def conditions(self, case: Case, months: int | None = None) -> list[Conditions]:
        """Return what a case does at each node, in the order of ``data.nodes``.

        months  by the clock of years: the case ends after so many months; None: it lasts as long as it says
        """
        of_case = with_case(self.instance, case)
        span = self.prepared.periods
        rows = {s.scenario: [r for r in of_case.disruptions if r.scenario == s.scenario] for s in of_case.scenarios}
        result, before = [], 0.0
        for node in self.data.nodes:
            of_node = months_of(span[node.period], node.month)
            strikes = []
            for scenario in of_case.scenarios:
                share = overlap_share(of_node, disrupted_months(scenario))
                if months is not None and share > 0.0:
                    whole = (
                        case.months * share * node.length / (case.last - case.first + 1)
                    )  # of its months in the period
                    share *= min(1.0, max(0.0, (months - before) / whole))
                    before += whole
                strikes.append(Strike(scenario, rows[scenario.scenario], share, share > 0.0))
            result.append(conditions_of(of_case, strikes))
        return result

    def solve(self, case: Case, months: int | None = None) -> CaseSolution | None:
        """Return the least-cost operations in a case; None if no operations keep its service floors.

        months  as in `conditions`
        """
        conditions = self.conditions(case, months)
        changed = self._changed_rows(conditions)
        surges = self._surges(conditions)
        if not changed and not surges:
            return self.undisturbed
        return self._run(changed, surges)

    def longest(
        self, solution: CaseSolution, needs: Sequence[Sequence[int]], allowed: Sequence[Sequence[float]], full: float
    ) -> list[float]:
        """Return how well some consumers can be served from the blow on, if they come before all others.

        solution  of the case
        needs     their positions in ``data.need``, for each node in order of time
        allowed   what each may lack, kt/yr, likewise
        full      share of its demand up to which less than that counts as served
        Returns for each node the share of what they must get, when all before it are served; after the first below 1
        nothing counts.
        """
        sides, col_upper, _ = self._case(solution.changed, solution.surges)
        lower, short = self.arrays.col_lower.copy(), self.arrays.columns["short"]
        columns = [np.array([short[d] for d in of_node]) for of_node in needs]
        demand = [col_upper[k] for k in columns]
        for k, may, most in zip(columns, allowed, demand, strict=True):
            lower[k] = np.minimum(may, most)  # more never lacks than may
        served = [1.0] * len(needs)

        def lack(weights: Sequence[float]) -> list[np.ndarray]:
            """What lacks below the level at each node, kt/yr, where its sum with weights is least."""
            cost = np.zeros(len(col_upper))
            for k, weight in zip(columns, weights, strict=True):
                cost[k] = weight
            self._put(sides, col_upper, cost, lower)
            self.programme.forget()
            self.programme.basis = solution.basis
            found = self.programme.find(watched=len(cost) > QUICK)
            if not found.optimal:
                raise SolverFailed(f"how long consumers can be served could not be found ({found.stopped})")
            return [np.maximum(0.0, found.x[k] - lower[k]) for k in columns]

        def kept(lacks: list[np.ndarray], n: int) -> bool:
            """Whether all are served at a node; if so, they are held to it from now on."""
            if (lacks[n] > full * demand[n]).any():
                return False
            col_upper[columns[n]] = lower[columns[n]] + full * demand[n]
            return True

        at = 0
        while at < len(needs):
            lacks = lack([float(n == at) for n in range(len(needs))])
            if not kept(lacks, at):
                must = float((demand[at] - lower[columns[at]]).sum())
                served[at] = 1.0 - float(lacks[at].sum()) / must
                break
            at += 1
            if at < len(needs):  # what is served in full before the first node that is not can be served so
                lacks = lack([10.0 ** max(at - n, -6) if n >= at else 0.0 for n in range(len(needs))])
                while at < len(needs) and kept(lacks, at):
                    at += 1
        return served

    def _changed_rows(self, conditions: Sequence[Conditions]) -> dict[int, float]:
        """Return the new upper limits of the capacities, stores and exports that a case limits: row -> kt/yr or kt."""
        changed = {}
        for i, limit in enumerate(self.limits):
            of_node = conditions[limit.node]
            if limit.facility in of_node.capacity or of_node.failures:
                left = self._capacity(limit, of_node)
                if left != self.data.capacity[i].own:
                    changed[self.capacity_rows[i]] = left
        for i, room in enumerate(self.rooms):
            of_node = conditions[room.node]
            if room.modules and of_node.failures:
                changed[self.room_rows[i]] = room.limit + self._added(room.modules, of_node)
        for i, stop in enumerate(self.data.export_stop):
            most = conditions[stop.node].export_limit.get((stop.material, stop.country))
            if most is not None:
                changed[self.stop_rows[i]] = most
        return changed

    def _surges(self, conditions: Sequence[Conditions]) -> dict[str, dict[int, float]]:
        """Return the factors on what a case raises: ``need`` (demands) or ``buy`` (prices) -> position -> factor."""
        surges: dict[str, dict[int, float]] = {}
        for d, need in enumerate(self.data.need):
            factor = conditions[need.node].demand.get((need.country, need.material), 1.0)
            if factor != 1.0:
                surges.setdefault("need", {})[d] = factor
        for k, purchase in enumerate(self.data.buy):
            factor = conditions[purchase.node].price.get(purchase.market, 1.0)
            if factor != 1.0:
                surges.setdefault("buy", {})[k] = factor
        return surges

    def _run(self, changed: dict[int, float], surges: dict[str, dict[int, float]]) -> CaseSolution | None:
        """Solve with other upper limits of rows and with surges; None if there is no solution.

        changed  row -> upper limit, kt/yr or kt
        surges   factors on demands and prices, see `_surges`
        Raises SolverFailed if the solver ends without an answer.
        """
        arrays = self.arrays
        sides, col_upper, cost = self._case(changed, surges)
        self._put(sides, col_upper, cost, arrays.col_lower)
        if len(lanes := arrays.whole):  # first which lanes are used, then the rest, which has shadow prices
            self.programme.integers(lanes, True)
            self.programme.forget()
            chosen = self.programme.find(gap=0.0, watched=len(cost) > QUICK)
            if chosen.stopped == "infeasible":
                return None
            self.programme.hold(lanes, np.round(chosen.x[lanes]))
        if self.basis is not None:
            self.programme.forget()
            self.programme.basis = self.basis
        found = self.programme.find(watched=len(cost) > QUICK)
        if found.stopped == "infeasible":
            return None
        if not found.optimal:
            raise SolverFailed(f"the operations after a disruption could not be solved ({found.stopped})")
        x = np.clip(found.x, arrays.col_lower, col_upper)
        return CaseSolution(x, found.duals, changed, surges, float(cost @ x) + arrays.offset, self.programme.basis)

    def _case(
        self, changed: dict[int, float], surges: dict[str, dict[int, float]]
    ) -> tuple[dict[int, tuple[float, float]], np.ndarray, np.ndarray]:
        """Return what a case changes: row -> its lower and upper limit; the upper bounds and the costs of all columns.

        See `_run` for the arguments.
        """
        arrays = self.arrays
        sides = {row: (-np.inf, upper) for row, upper in changed.items()}
        col_upper, cost = arrays.col_upper.copy(), arrays.cost.copy()
        for d, factor in surges.get("need", {}).items():
            row = arrays.rows["demand"][d]
            sides[row] = (factor * arrays.row_lower[row], factor * arrays.row_upper[row])
            col_upper[arrays.columns["short"][d]] *= factor
            for swapped in self.swap_rows.get(d, ()):
                sides[swapped] = (-np.inf, factor * arrays.row_upper[swapped])
        for k, factor in surges.get("buy", {}).items():
            cost[arrays.columns["buy"][k]] *= factor
        return sides, col_upper, cost

    def _put(
        self, sides: dict[int, tuple[float, float]], col_upper: np.ndarray, cost: np.ndarray, col_lower: np.ndarray
    ) -> None:
        """Write the limits, bounds and prices of a case into the solver, and take back those of the case before.

        sides  row -> its lower and upper limit
        """
        arrays = self.arrays
        before = {row: (arrays.row_lower[row], arrays.row_upper[row]) for row in self._moved}
        moved = {**before, **sides}
        self.programme.side(list(moved), [lower for lower, _ in moved.values()], [upper for _, upper in moved.values()])
        self._moved = tuple(sides)
        self.programme.bound(np.arange(len(cost)), col_lower, col_upper)
        self.programme.objective(cost)

    def surged(self, solution: CaseSolution) -> ModelData:
        """Return the model data with the demands and prices of a case, from its solution."""
        if not solution.surges:
            return self.data
        needs, offers = solution.surges.get("need", {}), solution.surges.get("buy", {})
        return replace(
            self.data,
            need=[n._replace(demand=n.demand * needs.get(d, 1.0)) for d, n in enumerate(self.data.need)],
            buy=[b._replace(price=b.price * offers.get(k, 1.0)) for k, b in enumerate(self.data.buy)],
        )
