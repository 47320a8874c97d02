"""One case: solved, measured against the plan and the undisturbed branch, and audited."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...instance.timeline import overlap_share
from ...prepare import Node
from ...runs.run import PLANNED
from ..many import Result, Worker
from .cases import NOTHING, Case, with_case
from .disrupted_operations import Branch, Operated, Shape
from .planned import Consumer, Planned, Tabled

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...solving.solver import Settings

FULL = 1e-6  # part of demand that may be missing from what counts as full service
KEPT = 2  # compiled branches kept, since cases of one moment come after each other
CRITICAL = 5  # facilities named, of each kind, that the operations of a case lean on most


class Service(NamedTuple):
    """What a consumer gets in a period: t/yr, months of the disruption in the period, years of the period."""

    demand: float
    short: float
    months: float
    years: int


@dataclass(frozen=True)
class Trying:
    """How the cases of a plan are tried, as it is sent to each process; called there, it gives what tries a case."""

    instance: Instance
    tables: dict[str, pd.DataFrame]
    settings: Settings
    audited: bool
    survival: bool

    @classmethod
    def of(cls, instance: Instance, run: Tabled, settings: Settings, audited: bool, survival: bool) -> Trying:
        """For the tables of a run; the instance without what only changes of an instance need."""
        slim = replace(instance, _content=None, warnings=())
        tables = {name: run.tables[name] for name in (*PLANNED, "closures") if name in run.tables}
        return cls(slim, tables, settings, audited, survival)

    def __call__(self) -> Worker:
        return Trials(self.instance, self, self.settings, self.audited, self.survival).run_case


class Trials:
    """Tries cases on one plan; what is compiled for a moment of the blow is kept for the next case."""

    def __init__(self, instance: Instance, run: Tabled, settings: Settings, audited: bool, survival: bool) -> None:
        self.instance, self.run, self.settings = instance, run, settings
        self.audited, self.survival = audited, survival
        self.planned = Planned(instance, run)
        self.shortage = {s.sector: s.shortage_usd_per_t / 1e6 for s in instance.sectors}
        self._branches: OrderedDict[Shape, Branch] = OrderedDict()

    def branch(self, case: Case) -> Branch:
        """The compiled branch of a case."""
        shape = Shape.of(self.instance, case)
        if shape not in self._branches:
            self._branches[shape] = Branch(self.instance, self.planned, shape, self.settings)
            if len(self._branches) > KEPT:
                self._branches.popitem(last=False)
        self._branches.move_to_end(shape)
        return self._branches[shape]

    def run_case(self, case: Case) -> Result:
        """Everything that is said of a case; see `Stress` for the columns."""
        branch = self.branch(case)
        operated = branch.solve(case)
        said: Result = {
            "case": case.name, "kind": case.kind, "family": case.family, "country": case.country, "stage": case.stage,
            "material": case.material, "facility": case.facility, "severity": case.severity, "year": case.first,
            "months": case.months, "last_year": case.last,
        }  # fmt: skip
        if operated is None:
            return {**said, "status": "infeasible", "consumers": [], "critical": [], "audit": ""}
        service = self._service(branch, operated.x, case)
        years = sorted({node.year for node in branch.data.nodes})
        length = {node.year: node.length for node in branch.data.nodes}
        unserved = sum(s.short * s.years for s in service.values())
        planned = sum(self.planned.short.get(c, 0.0) * length[c[3]] for c in service)
        lost = {c: self._lost(c, s) for c, s in service.items()}
        reached = self._reached(branch, case, lost, service)
        decisive, usd_per_kg = self._decisive(branch, operated)
        return {
            **said,
            "status": "optimal",
            "until_year": branch.prepared.periods[branch.data.nodes[-1].period].last_year,
            "unserved_t": unserved,
            "planned_unserved_t": planned,
            "lost_t": sum(t * service[c].years for c, t in lost.items()),
            "lost_musd": sum(t * service[c].years * self.shortage[c[1]] for c, t in lost.items()),
            "cost_musd": operated.cost,
            "extra_cost_musd": operated.cost - branch.undisturbed.cost,
            "over_plan_musd": operated.cost - self.planned.cost(years),
            "decisive": decisive,
            "decisive_usd_per_kg": usd_per_kg,
            "consumers": self._consumers(case, service, lost, reached),
            "critical": self._critical(branch, operated),
            "audit": self._audit(branch, operated, case) if self.audited else "",
        }

    # --- service ------------------------------------------------------------------------------------------

    def _service(self, branch: Branch, x: np.ndarray, case: Case) -> dict[Consumer, Service]:
        data, span = branch.surged(case), branch.prepared.periods
        columns = branch.arrays.columns.get("short", {})
        found = {}
        for d, need in enumerate(data.need):
            node = data.nodes[need.node]
            share = overlap_share(span[node.period], case.first, case.last) * node.length
            months = case.months * share / (case.last - case.first + 1)
            found[need.country, need.sector, need.material, node.year] = Service(
                need.demand * 1e3, float(x[columns[d]]) * 1e3, months, node.length
            )
        return found

    def _lost(self, consumer: Consumer, service: Service) -> float:
        """Short beyond the plan, t/yr."""
        lost = service.short - self.planned.short.get(consumer, 0.0)
        return lost if lost > FULL * service.demand else 0.0

    def _consumers(
        self, case: Case, service: dict[Consumer, Service], lost: dict[Consumer, float], reached: dict[Any, int | None]
    ) -> list[Result]:
        """What each consumer gets and loses in a case: the rows of the table ``by_sector``.

        lost     t/yr beyond the plan, by consumer and period
        reached  consumer -> months for which the case could last with none lost; None: not searched
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
                    "months_survived": reached.get(consumer, case.months),
                }
            )
        return rows

    def _reached(
        self, branch: Branch, case: Case, lost: dict[Consumer, float], service: dict[Consumer, Service]
    ) -> dict[tuple[str, str, str], int | None]:
        """For each consumer that loses service: whole months for which the case could last with none lost.

        None where it is not searched: failed projects do not come back.
        """
        short = {c[:3] for c, t in lost.items() if t > 0.0}
        if not self.survival or case.fails or case.kind == NOTHING:
            return dict.fromkeys(short)
        tried: dict[int, set[tuple[str, str, str]]] = {case.months: short}

        def loses(consumer: tuple[str, str, str], months: int) -> bool:
            if months not in tried:
                operated = branch.solve(case, months)
                now = {} if operated is None else self._service(branch, operated.x, case)
                tried[months] = {c[:3] for c, s in now.items() if self._lost(c, s) > 0.0}
                if operated is None:
                    tried[months] = short
            return consumer in tried[months]

        found: dict[tuple[str, str, str], int | None] = {}
        for consumer in sorted(short):
            served, unserved = 0, case.months
            while unserved - served > 1:
                middle = (served + unserved) // 2
                served, unserved = (served, middle) if loses(consumer, middle) else (middle, unserved)
            found[consumer] = served
        return found

    # --- what it hangs on ---------------------------------------------------------------------------------

    def _decisive(self, branch: Branch, operated: Operated) -> tuple[str, float]:
        """The loss that is missed most: what was lost of it times its worth at the margin; and that worth, USD/kg."""
        best, name, worth = 1e-9, "", 0.0
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
            value = -float(operated.duals[row])
            if row in operated.changed and (t * 1e-3 - operated.changed[row]) * value > best:
                best, name, worth = (t * 1e-3 - operated.changed[row]) * value, called, value / node.present
        return name, worth

    def _critical(self, branch: Branch, operated: Operated) -> list[str]:
        """Facilities whose further loss may be worst: those that are worth most, and those that step in most."""
        worth: dict[str, float] = defaultdict(float)
        more: dict[str, float] = defaultdict(float)
        run = branch.arrays.matrix @ operated.x
        for i, row in branch.capacity_rows.items():
            limit = branch.data.capacity[i]
            year = branch.data.nodes[limit.node].year
            worth[limit.facility] -= float(operated.duals[row]) * operated.changed.get(row, limit.own)
            more[limit.facility] += float(run[row]) - self.planned.used(limit.facility, year) * 1e-3
        named: list[str] = []
        for measure in (worth, more):
            ranked = sorted((f for f in measure if measure[f] > 1e-9), key=lambda f: (-measure[f], f))
            named += ranked[:CRITICAL]
        return list(dict.fromkeys(named))

    # --- audit --------------------------------------------------------------------------------------------

    def _audit(self, branch: Branch, operated: Operated, case: Case) -> str:
        """What the independent audit of the branch finds wrong; blank if nothing."""
        from ...auditing import audit_branch
        from ...runs.tables import frame
        from ...solving.programme import by_family
        from ...solving.search import Outcome
        from ...solving.solution import Reader

        of_case = with_case(self.instance, case)
        name = of_case.scenarios[0].scenario
        data = branch.surged(case)
        data = replace(data, nodes=[node._replace(branch=name) for node in data.nodes])
        outcome = Outcome("optimal", True, values=by_family(branch.arrays.columns, operated.x))
        reader = Reader(replace(branch.prepared, instance=of_case, data=data), outcome)
        tables = {table: frame(table, rows) for table, rows in reader.operations()[name].items()}
        until = branch.data.nodes[-1].year
        report = audit_branch(of_case, name, self.run.tables, tables, operated.cost, until)
        return "; ".join(str(violation) for violation in report.violations[:3])


def months_served(periods: list[Service]) -> float:
    """Months from the blow on for which a consumer's full demand is met by what it gets.

    In a period in which the disruption takes m months, what is short makes 12 x years x short / demand months
    unserved, all of them of the disruption; the rest of the m months is served. Counting ends in the first period
    that is not served in full.

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
