"""One case of a stress study: its operations are solved, compared with the plan, and audited.

The comparison is with the plan itself and with the undisturbed branch, which are the operations after a shock in which
nothing is lost.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ...instance.timeline import calendar_months, overlap_share
from ...prepare import Node
from ...runs.run import PLANNED
from ...runs.tables import by_column
from ..many import Result, Worker
from .cases import NOTHING, OUTAGE, Case, disruption, with_case
from .disrupted_operations import Branch, CaseSolution, Shape
from .planned import Consumer, Planned, Tabled

if TYPE_CHECKING:
    import pandas as pd

    from ...auditing import BranchAudit
    from ...instance.instance import Instance
    from ...solving.solver import Settings

FULL = 1e-6  # share of demand that may be short where service still counts as full
KEPT = 2  # compiled branches kept in memory, since cases with the same years come after each other
CRITICAL = 5  # facilities named, of each kind, that the operations of a case lean on most


class Service(NamedTuple):
    """What a consumer gets in a period.

    demand  t/yr
    short   t/yr that are not served
    months  months of the disruption that fall into the period
    years   length of the period in years
    """

    demand: float
    short: float
    months: float
    years: float


@dataclass(frozen=True)
class Trying:
    """What a process needs to try the cases of a plan; it is sent to each process and called there.

    tables    result tables of the plan
    audited   whether every case is audited
    survival  whether to search how long each consumer could be served
    The call returns the function that tries one case.
    """

    instance: Instance
    tables: dict[str, pd.DataFrame]
    settings: Settings
    audited: bool
    survival: bool

    @classmethod
    def of(cls, instance: Instance, run: Tabled, settings: Settings, audited: bool, survival: bool) -> Trying:
        """Make it from a run; keep of the run and the instance only what trying cases needs."""
        slim = replace(instance, _content=None, warnings=())
        tables = {
            name: run.tables[name]
            for name in (*PLANNED, "closures", "sales", "substitution", "impact_totals")
            if name in run.tables
        }
        return cls(slim, tables, settings, audited, survival)

    def __call__(self) -> Worker:
        return Trials(self.instance, self, self.settings, self.audited, self.survival).run_case


class Trials:
    """Tries cases on one plan. The compiled model of the last branches is kept, since the next case may share it."""

    def __init__(self, instance: Instance, run: Tabled, settings: Settings, audited: bool, survival: bool) -> None:
        self.instance, self.run, self.settings = instance, run, settings
        self.audited, self.survival = audited, survival
        self.planned = Planned(instance, run)
        self.shortage = {s.sector: s.shortage_usd_per_t / 1e6 for s in instance.sectors}
        self._branches: OrderedDict[Shape, Branch] = OrderedDict()

    def branch(self, case: Case) -> Branch:
        """Return the compiled branch of a case."""
        shape = Shape.of(self.instance, case)
        if shape not in self._branches:
            self._branches[shape] = Branch(self.instance, self.planned, shape, self.settings)
            if len(self._branches) > KEPT:
                self._branches.popitem(last=False)
        self._branches.move_to_end(shape)
        return self._branches[shape]

    def run_case(self, case: Case) -> Result:
        """Solve a case and return all that is reported of it; see `Stress` for the columns."""
        branch = self.branch(case)
        solution = branch.solve(case)
        described: Result = {
            "case": case.name, "kind": case.kind, "family": case.family, "country": case.country, "stage": case.stage,
            "material": case.material, "facility": case.facility, "severity": case.severity, "year": case.first,
            "months": case.months, "last_year": case.last,
        }  # fmt: skip
        if solution is None:
            return {**described, "status": "infeasible", "consumers": [], "critical": [], "audit": ""}
        service = self._service(branch, solution, case)
        years = sorted({node.year for node in branch.data.nodes})
        length = {node.year: node.length for node in branch.data.nodes}
        unserved = sum(s.short * s.years for s in service.values())
        planned = sum(self.planned.short.get(c, 0.0) * length[c[3]] for c in service)
        lost = {c: self._lost(c, s) for c, s in service.items()}
        survived = self._survived(branch, case, lost, service)
        decisive, usd_per_kg = self._decisive(branch, solution)
        return {
            **described,
            "status": "optimal",
            "until_year": branch.prepared.periods[branch.data.nodes[-1].period].last_year,
            "unserved_t": unserved,
            "planned_unserved_t": planned,
            "lost_t": sum(t * service[c].years for c, t in lost.items()),
            "lost_musd": sum(t * service[c].years * self.shortage[c[1]] for c, t in lost.items()),
            "cost_musd": solution.cost,
            "extra_cost_musd": solution.cost - branch.undisturbed.cost,
            "over_plan_musd": solution.cost - self.planned.cost(years),
            "decisive": decisive,
            "decisive_usd_per_kg": usd_per_kg,
            "consumers": self._consumers(case, service, lost, survived),
            "critical": self._critical(branch, solution),
            "audit": self._audit(branch, solution, case) if self.audited else "",
        }

    # --- service ------------------------------------------------------------------------------------------

    def _service(self, branch: Branch, solution: CaseSolution, case: Case) -> dict[Consumer, Service]:
        """Return what each consumer gets in each period."""
        data, span = branch.surged(solution), branch.prepared.periods
        columns = branch.arrays.columns.get("short", {})
        window = calendar_months(case.first, case.last)
        hit = [overlap_share(span[node.period].months, window) * node.length for node in data.nodes]
        months = [case.months * years / (case.last - case.first + 1) for years in hit]
        services = {}
        for d, need in enumerate(data.need):
            node = data.nodes[need.node]
            services[need.country, need.sector, need.material, node.year] = Service(
                need.demand * 1e3, float(solution.x[columns[d]]) * 1e3, months[need.node], node.length
            )
        return services

    def _lost(self, consumer: Consumer, service: Service) -> float:
        """Return the shortage of a consumer beyond that of the plan, t/yr; 0 where service counts as full."""
        lost = service.short - self.planned.short.get(consumer, 0.0)
        return lost if lost > FULL * service.demand else 0.0

    def _consumers(
        self, case: Case, service: dict[Consumer, Service], lost: dict[Consumer, float], survived: dict[Any, int | None]
    ) -> list[Result]:
        """Return what each consumer gets and loses in a case: the rows of the table ``by_sector``.

        lost      t/yr beyond the plan, by consumer and period
        survived  (country, sector, material) -> months for which the case could last without any service lost; None:
                  not searched
        """
        by_consumer: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for country, sector, material, year in sorted(service):
            by_consumer[country, sector, material].append(year)
        rows = []
        for consumer, years in by_consumer.items():
            of_years = [service[*consumer, year] for year in years]
            rows.append(
                {
                    "country": consumer[0],
                    "sector": consumer[1],
                    "material": consumer[2],
                    "demand_t": sum(s.demand * s.years for s in of_years if s.months > 0.0),
                    "unserved_t": sum(s.short * s.years for s in of_years),
                    "lost_t": sum(lost[*consumer, year] * service[*consumer, year].years for year in years),
                    "months_served": months_served(of_years),
                    "months_survived": survived.get(consumer, case.months),
                }
            )
        return rows

    def _survived(
        self, branch: Branch, case: Case, lost: dict[Consumer, float], service: dict[Consumer, Service]
    ) -> dict[tuple[str, str, str], int | None]:
        """Return for each consumer that loses service the whole months the case could last without that loss.

        The months are found by bisection. The value is None where they are not searched: it was not asked for, or
        projects fail, which no end of the disruption brings back.
        """
        short = {c[:3] for c, t in lost.items() if t > 0.0}
        if not self.survival or case.fails or case.kind == NOTHING:
            return dict.fromkeys(short)
        tried: dict[int, set[tuple[str, str, str]]] = {case.months: short}

        def loses(consumer: tuple[str, str, str], months: int) -> bool:
            """Whether a consumer loses service if the case lasts for ``months`` only."""
            if months not in tried:
                solution = branch.solve(case, months)
                now = {} if solution is None else self._service(branch, solution, case)
                tried[months] = {c[:3] for c, s in now.items() if self._lost(c, s) > 0.0}
                if solution is None:
                    tried[months] = short
            return consumer in tried[months]

        survived: dict[tuple[str, str, str], int | None] = {}
        for consumer in sorted(short):
            served, unserved = 0, case.months
            while unserved - served > 1:
                middle = (served + unserved) // 2
                served, unserved = (served, middle) if loses(consumer, middle) else (middle, unserved)
            survived[consumer] = served
        return survived

    # --- what the case depends on -----------------------------------------------------------------------------

    def _decisive(self, branch: Branch, solution: CaseSolution) -> tuple[str, float]:
        """Return the name of the loss that costs most ("" if none costs anything), and its shadow price, USD/kg.

        The cost of a loss is the amount lost times its shadow price: what one more unit would save.
        """
        best, name, usd_per_kg = 1e-9, "", 0.0
        data, planned = branch.data, self.planned
        lost: list[tuple[int, Node, str, float]] = []  # row, node, what is lost of it, what the plan has of that, t/yr
        for i, row in branch.capacity_rows.items():
            limit, node = data.capacity[i], data.nodes[data.capacity[i].node]
            lost.append((row, node, limit.facility, planned.used(limit.facility, node.year)))
        for i, row in branch.stop_rows.items():
            stop, node = data.export_stop[i], data.nodes[data.export_stop[i].node]
            exports = planned.exports(stop.material, stop.country, node.year)
            lost.append((row, node, f"{stop.material} from {stop.country}", exports))
        for row, node, called, t in lost:
            value = -float(solution.duals[row])
            if row in solution.changed and (t * 1e-3 - solution.changed[row]) * value > best:
                best, name = (t * 1e-3 - solution.changed[row]) * value, called
                usd_per_kg = value / node.present
        return name, usd_per_kg

    def _critical(self, branch: Branch, solution: CaseSolution) -> list[str]:
        """Return the facilities whose loss on top of the case may be worst.

        First those whose capacity in use has the highest value at its shadow price, then those that the case runs most
        above the plan; at most ``CRITICAL`` of each.
        """
        worth: dict[str, float] = defaultdict(float)
        more: dict[str, float] = defaultdict(float)
        run = branch.arrays.matrix @ solution.x
        for i, row in branch.capacity_rows.items():
            limit = branch.data.capacity[i]
            year = branch.data.nodes[limit.node].year
            worth[limit.facility] -= float(solution.duals[row]) * solution.changed.get(row, limit.own)
            more[limit.facility] += float(run[row]) - self.planned.used(limit.facility, year) * 1e-3
        named: list[str] = []
        for measure in (worth, more):
            ranked = sorted((f for f in measure if measure[f] > 1e-9), key=lambda f: (-measure[f], f))
            named += ranked[:CRITICAL]
        return list(dict.fromkeys(named))

    # --- audit --------------------------------------------------------------------------------------------

    @cached_property
    def _auditor(self) -> BranchAudit:
        from ...auditing import BranchAudit

        return BranchAudit(self.instance, self.run.tables)

    def _audit(self, branch: Branch, solution: CaseSolution, case: Case) -> str:
        """Return what the independent audit of the branch finds wrong, at most three violations; "" if nothing."""
        from ...solving.programme import by_family
        from ...solving.search import Outcome
        from ...solving.solution import Reader

        outcome = Outcome("optimal", True, values=by_family(branch.arrays.columns, solution.x))
        reader = Reader(replace(branch.prepared, data=branch.surged(solution)), outcome)
        tables = {
            table: by_column(table, rows, self.instance) for table, rows in reader.operations()[branch.name].items()
        }
        # where nothing is lost the same is lifted all the same, floors too: a disruption of nothing says so
        told = case if case.rows else replace(case, rows=(disruption(OUTAGE, 0.0, ""),))
        of_case, until = with_case(self.instance, told), branch.data.nodes[-1].year
        report = self._auditor.audit(of_case, of_case.scenarios[0].scenario, tables, solution.cost, until)
        return "; ".join(str(violation) for violation in report.violations[:3])


def months_served(periods: list[Service]) -> float:
    """Return the months from the shock on for which what a consumer gets covers its full demand.

    In a period in which the disruption takes m months, what is short makes 12 x years x short / demand months
    unserved, and all of them count as months of the disruption; the rest of the m months is served. Counting ends with
    the first period that is not served in full.

    >>> months_served([Service(demand=100.0, short=40.0, months=12.0, years=1)])
    7.2
    >>> months_served([Service(100.0, 0.0, 12.0, 1), Service(100.0, 70.0, 12.0, 1), Service(100.0, 0.0, 0.0, 1)])
    15.6
    """
    total = 0.0
    for service in periods:
        if service.months <= 0.0:
            continue
        missing = 12.0 * service.years * service.short / service.demand if service.demand > 0.0 else 0.0
        total += max(0.0, service.months - missing)
        if service.short > FULL * service.demand:
            break
    return total
