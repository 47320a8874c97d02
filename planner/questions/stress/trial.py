"""One case of a stress study: its operations are solved, compared with the plan, and audited.

The comparison is with the plan itself and with the undisturbed branch, which are the operations after a shock in which
nothing is lost.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ...instance.timeline import YEAR, horizon_end, months_of, overlap_share
from ...prepare import Node
from ...runs.run import PLANNED
from ...runs.tables import by_column
from ..many import Result, Worker
from .answered import answer, each_month
from .cases import NOTHING, OUTAGE, Case, disruption, with_case
from .disrupted_operations import Branch, CaseSolution, Shape
from .planned import Planned, Tabled

if TYPE_CHECKING:
    import pandas as pd

    from ...auditing import BranchAudit
    from ...instance.instance import Instance
    from ...solving.solver import Settings

Consumer = tuple[str, str, str, int]  # country, sector, material, node

FULL = 1e-6  # share of demand that may be short where service still counts as full
KEPT = 2  # compiled branches kept in memory, since cases with the same years come after each other
CRITICAL = 5  # facilities named, of each kind, that the operations of a case lean on most


class Service(NamedTuple):
    """What a consumer gets in a period, or in months that are alike.

    demand   t/yr
    short    t/yr that are not served
    months   months of the disruption that fall into it
    years    its length in years
    planned  t/yr that the plan does not serve
    """

    demand: float
    short: float
    months: float
    years: float
    planned: float = 0.0

    @property
    def lost(self) -> float:
        """The shortage beyond that of the plan, t/yr; 0 where service counts as full."""
        lost = self.short - self.planned
        return lost if lost > FULL * self.demand else 0.0


@dataclass(frozen=True)
class Trying:
    """What a process needs to try the cases of a plan; it is sent to each process and called there.

    tables    result tables of the plan
    audited   whether every case is audited
    survival  whether to search how long each consumer could be served
    level     share of what the plan serves that counts as served then, by the clock of months
    The call returns the function that tries one case.
    """

    instance: Instance
    tables: dict[str, pd.DataFrame]
    settings: Settings
    audited: bool
    survival: bool
    level: float = 1.0

    @classmethod
    def of(
        cls, instance: Instance, run: Tabled, settings: Settings, audited: bool, survival: bool, level: float = 1.0
    ) -> Trying:
        """Make it from a run; keep of the run and the instance only what trying cases needs."""
        slim = replace(instance, _content=None, _suspicions=None)
        needed: Iterable[str] = (*PLANNED, "closures", "sales", "substitution", "impact_totals")
        if instance.working_stocks or instance.has_transit:  # the audit needs all that says what is used
            needed = run.tables
        tables = {name: run.tables[name] for name in needed if name in run.tables}
        return cls(slim, tables, settings, audited, survival, level)

    def __call__(self) -> Worker:
        return Trials(self.instance, self, self.settings, self.audited, self.survival, self.level).run_case


class Trials:
    """Tries cases on one plan. The compiled model of the last branches is kept, since the next case may share it."""

    def __init__(
        self,
        instance: Instance,
        run: Tabled,
        settings: Settings,
        audited: bool,
        survival: bool,
        level: float = 1.0,
    ) -> None:
        self.instance, self.run, self.settings = instance, run, settings
        self.audited, self.survival, self.level = audited, survival, level
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
        """Solve a case and return all that is reported of it; see `Stress` for the columns.

        Of one that may be answered only what the answer saves is returned, see `answered.answer`.
        """
        if case.after is not None:
            auditor = self._auditor if self.audited else None
            return answer(self.instance, self.planned, case, case.after, self.settings, auditor)
        branch = self.branch(case)
        solution = branch.solve(case)
        described: Result = {
            "case": case.name, "kind": case.kind, "family": case.family, "country": case.country, "stage": case.stage,
            "material": case.material, "facility": case.facility, "severity": case.severity, "year": case.first,
            "from_month": case.from_month or None, "months": case.months, "last_year": case.last,
        }  # fmt: skip
        if solution is None:
            return {**described, "status": "infeasible", "consumers": [], "critical": [], "audit": ""}
        service = self._service(branch, solution, case)
        unserved = sum(s.short * s.years for s in service.values())
        planned = sum(s.planned * s.years for s in service.values())
        lost = {c: s.lost for c, s in service.items()}
        survived = self._survived(branch, case, solution, service)
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
            "over_plan_musd": solution.cost - self.planned.cost(_years(branch)),
            "decisive": decisive,
            "decisive_usd_per_kg": usd_per_kg,
            "months_survived": survived.get((), self._all_months(case)),
            "consumers": self._consumers(case, service, survived),
            "critical": self._critical(branch, solution),
            "audit": self._audit(branch, solution, case) if self.audited else "",
        }

    # --- service ------------------------------------------------------------------------------------------

    def _service(self, branch: Branch, solution: CaseSolution, case: Case) -> dict[Consumer, Service]:
        """Return what each consumer gets at each node."""
        data, span = branch.surged(solution), branch.prepared.periods
        columns = branch.arrays.columns.get("short", {})
        per_year = case.months * YEAR / len(case.window)  # by the clock of years the months may be a part of the window
        months = [
            per_year * node.length * overlap_share(months_of(span[node.period], node.month), case.window)
            for node in data.nodes
        ]
        services = {}
        for d, need in enumerate(data.need):
            node = data.nodes[need.node]
            consumer = need.country, need.sector, need.material
            short = float(solution.x[columns[d]]) * 1e3
            planned = self.planned.short.get((*consumer, node.year), 0.0)
            services[*consumer, need.node] = Service(need.demand * 1e3, short, months[need.node], node.length, planned)
        return services

    def _consumers(
        self, case: Case, service: dict[Consumer, Service], survived: Mapping[tuple[str, ...], float | None]
    ) -> list[Result]:
        """Return what each consumer gets and loses in a case: the rows of the table ``by_sector``.

        survived  consumers that lose service, and their sectors -> months, see `_survived`; None: not searched
        """
        by_consumer: dict[tuple[str, str, str], list[Service]] = defaultdict(list)
        for key in sorted(service):
            by_consumer[key[:3]].append(service[key])
        all_months = self._all_months(case)
        return [
            {
                "country": consumer[0],
                "sector": consumer[1],
                "material": consumer[2],
                "demand_t": sum(s.demand * s.years for s in of if s.months > 0.0),
                "unserved_t": sum(s.short * s.years for s in of),
                "lost_t": sum(s.lost * s.years for s in of),
                "months_served": months_served(_apart(of) if case.from_month else of),
                "months_survived": survived.get(consumer, all_months),
                "sector_months_survived": survived.get((consumer[1],), all_months),
            }
            for consumer, of in by_consumer.items()
        ]

    def _all_months(self, case: Case) -> int:
        """Return the months survived of a consumer that loses nothing: by the clock of months all that are left."""
        if not case.from_month:
            return case.months
        return YEAR * (horizon_end(self.instance) + 1) - case.window.start

    def _kept(
        self, branch: Branch, case: Case, solution: CaseSolution, service: dict[Consumer, Service]
    ) -> dict[tuple[str, ...], float | None]:
        """Return for how many months consumers can be kept at their level, from the blow on, the last in part.

        The keys are () for all of them at once, (sector,) for those of a sector, if they come before all others, and
        (country, sector, material) for one that does. The level is a share of what the plan serves. Whoever is part of
        a group that can be kept to the end, can be kept so too. None: a single consumer of a slow branch, where that is
        not searched.
        """
        of: dict[tuple[str, ...], list[Consumer]] = defaultdict(list)
        for key in service:
            of[()].append(key)
            of[key[1],].append(key)
            of[key[:3]].append(key)
        losing = {group for group, keys in of.items() if any(service[key].lost > 0.0 for key in keys)}
        place = {(n.country, n.sector, n.material, n.node): d for d, n in enumerate(branch.data.need)}
        nodes = range(len(branch.data.nodes))
        kept: dict[tuple[str, ...], float | None] = dict.fromkeys(of, float(self._all_months(case)))
        for group in sorted(losing, key=len):
            wider = () if len(group) == 1 else (group[1],) if group else None
            if wider is not None and kept[wider] == self._all_months(case):
                continue
            if wider and branch.slow:
                kept[group] = None
                continue
            keys = [[key for key in of[group] if key[3] == n] for n in nodes]
            allowed = [[self._may_lack(service[key]) for key in of_node] for of_node in keys]
            served = branch.longest(solution, [[place[key] for key in of_node] for of_node in keys], allowed, FULL)
            kept[group] = self._months(branch, served, case)
        return kept

    def _may_lack(self, service: Service) -> float:
        """Return what a consumer who is kept at its level may lack, kt/yr."""
        return (service.demand - self.level * max(0.0, service.demand - service.planned)) * 1e-3

    def _months(self, branch: Branch, served: list[float], case: Case) -> float:
        """Return how many months from the blow on are served.

        served  share of each node that can be served when all nodes before it are served in full
        """
        total = 0.0
        for node, share in zip(branch.data.nodes, served, strict=True):
            months = YEAR * node.length
            if share < 1.0:  # months that are alike are served one after the other
                return total + share * (1.0 if node.month else months)
            total += months
        return float(self._all_months(case))

    def _survived(
        self, branch: Branch, case: Case, solution: CaseSolution, service: dict[Consumer, Service]
    ) -> dict[tuple[str, ...], float | None]:
        """Return how many months are survived by all (the key is ()), by sectors and by consumers; see `_kept`.

        Whoever is not in it loses nothing. None: it is not searched, since that was not asked for, or by the clock of
        years where projects fail, which no end of the disruption brings back.
        """
        short = sorted({c[:3] for c, s in service.items() if s.lost > 0.0})
        if not self.survival or case.kind == NOTHING or (case.fails and not case.from_month):
            return dict.fromkeys(((), *((c[1],) for c in short), *short) if short else ())
        if case.from_month:
            return {**self._kept(branch, case, solution, service)}
        lasts = self._could_last(branch, case, short)
        groups: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for consumer, months in lasts.items():
            for group in ((), consumer[1:2], consumer):
                groups[group].append(months)
        return {group: min(of_group) for group, of_group in groups.items()}

    def _could_last(
        self, branch: Branch, case: Case, short: Sequence[tuple[str, str, str]]
    ) -> dict[tuple[str, ...], float]:
        """Return the whole months that a case could last before each consumer loses service, by the clock of years.

        short  the consumers (country, sector, material) that lose service in it
        """
        tried: dict[int, set[tuple[str, str, str]]] = {case.months: {*short}}

        def loses(consumer: tuple[str, str, str], months: int) -> bool:
            """Whether a consumer loses service if the case lasts for ``months`` only."""
            if months not in tried:
                solution = branch.solve(case, months)
                now = {} if solution is None else self._service(branch, solution, case)
                tried[months] = {c[:3] for c, s in now.items() if s.lost > 0.0} if solution else {*short}
            return consumer in tried[months]

        lasts: dict[tuple[str, ...], float] = {}
        for consumer in short:
            served, unserved = 0, case.months
            while unserved - served > 1:
                middle = (served + unserved) // 2
                served, unserved = (served, middle) if loses(consumer, middle) else (middle, unserved)
            lasts[consumer] = served
        return lasts

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
        months = bool(case.from_month)
        tables = {
            table: by_column(
                table,
                each_month(branch.data.nodes, self.instance, table, rows) if months else rows,
                self.instance,
                months,
            )
            for table, rows in reader.operations()[branch.name].items()
        }
        # where nothing is lost the same is lifted all the same, floors too: a disruption of nothing says so
        told = case if case.rows else replace(case, rows=(disruption(OUTAGE, 0.0, ""),))
        of_case, until = with_case(self.instance, told), branch.data.nodes[-1].year
        report = self._auditor.audit(of_case, of_case.scenarios[0].scenario, tables, solution.cost, until)
        return "; ".join(str(violation) for violation in report.violations[:3])


def _years(branch: Branch) -> dict[int, float]:
    """Return first year of a period -> the share of it that a branch has."""
    shares: dict[int, float] = defaultdict(float)
    for node in branch.data.nodes:
        shares[node.year] += node.length / branch.prepared.periods[node.period].length
    return shares


def _apart(services: list[Service]) -> list[Service]:
    """Return what a consumer gets month by month, where some months that are alike stand together."""
    return [
        service._replace(months=service.months / count, years=service.years / count)
        for service in services
        for count in [round(YEAR * service.years) if service.months > 0.0 else 1]  # whole periods come after the blow
        for _ in range(count)
    ]


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
