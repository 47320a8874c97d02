"""Checks a run against its instance, without the model.

    report = planner.audit(instance, run)
    report.ok, report.worst, print(report)

All that a plan claims is recomputed from the tables of the instance and of the run: capacities, balances, deliveries,
stocks, caps, builds, funding, disruptions, every money column and the objective. The audit shares no code with what
made the plan (the model, its preparation, the writer of the tables), so a mistake there is not made again here. It
tells whether a plan keeps all rules and costs what it says. That no cheaper plan exists is not checked: that is the
claim of the solver, within its gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..errors import UsageError
from ..instance.instance import Instance
from ..instance.loading import given_instance
from ..instance.tables import Scenario
from .blends import check_blends
from .book import KINDS, TOLERANCE, AuditReport, Book, Check, Violation
from .closures import check_closures
from .dependence import check_caps, check_dependence
from .disturbance import Disturbance
from .facts import Facts
from .funding import check_affordable, check_funding
from .impacts import check_impacts
from .investment import Investment, check_builds, check_capacity, check_groups, check_shared
from .layouts import BUILDS, ORIGIN, SERVICE, STOCKS, branch_layouts, plan_layouts
from .money import check_costs, check_objective, check_row_money, check_totals, invested, operating_costs
from .operations import (
    Operations,
    Stretch,
    check_activities,
    check_balances,
    check_final_stocks,
    check_flows,
    check_prices,
    check_purchases,
    check_service,
    check_stocks,
    check_used,
    cut_at,
    opening_stocks,
    stretches,
)
from .origin import check_origin
from .outlays import check_offtakes, check_outlays
from .reading import Given, Tables
from .returns import check_returns
from .sales import check_sales
from .substitutes import check_substitution
from .under_way import check_under_way
from .working_stocks import check_working_stocks

__all__ = ["KINDS", "TOLERANCE", "AuditReport", "BranchAudit", "Check", "Violation", "audit"]

STATUSES = ("optimal", "feasible")
MANIFEST = (
    "schema",
    "instance",
    "versions",
    "settings",
    "status",
    "objective_musd",
    "bound_musd",
    "gap",
    "seconds",
    "size",
    "metrics",
)


class Audited(Protocol):
    """What can be audited: a run read from a folder, or a plan not yet written."""

    @property
    def plan(self) -> Mapping[str, Any]: ...
    @property
    def tables(self) -> Mapping[str, Given]: ...
    @property
    def branches(self) -> Mapping[str, Mapping[str, Given]]: ...


def audit(instance: Instance | str | Path, run: Audited, tolerance: float = TOLERANCE) -> AuditReport:
    """Recompute all that a run claims, and report every kind of check.

    instance   the instance the run was made from, or its folder
    run        a run read from a folder, or a plan
    tolerance  largest violation that passes, relative to the quantities of the row (small quantities count as the
               ``grain`` of the kind, so that the grams and cents of rounding pass)

    No content of a run raises an error: what is missing or malformed is a violation.
    """
    instance = given_instance(instance)
    if not hasattr(run, "plan"):
        raise UsageError(f"{type(run).__name__}: expected a run; planner.read_run(folder) reads one")
    book, facts = Book(tolerance), Facts(instance)
    _check_manifest(instance, run.plan, book)
    metrics = run.plan.get("metrics")
    metrics = metrics if isinstance(metrics, Mapping) else {}

    layouts = plan_layouts(instance)
    given = _as_held(run.tables)
    traced = ORIGIN.name in given
    tables = Tables(given, (*layouts, ORIGIN) if traced else layouts, facts, facts.years, book)
    investment = Investment(facts, tables)
    settings = run.plan.get("settings")
    whole = facts.whole = not (isinstance(settings, Mapping) and settings.get("relaxed"))  # else a bound, no plan
    check_builds(facts, tables, investment, book, whole)
    check_groups(facts, tables, book, whole)
    check_closures(facts, investment.closures, book)
    check_capacity(facts, tables, investment, book)
    plan = Operations(facts, tables, investment, Disturbance(facts))
    check_used(plan, tables, book)
    check_offtakes(plan, book)
    check_outlays(plan, tables, book)
    check_prices(plan, tables, book)
    check_impacts(plan, tables, book)
    _check_operations([plan], [], [], None, book)

    courses, followed = {"": [plan]}, {"": _stretches([plan])}
    missing_musd: dict[str, float] = {}
    for name in sorted(set(run.branches) - {scenario.scenario for scenario in instance.scenarios}):
        book.fault("branches", ("branches", name), "is no scenario of the instance")
    for scenario in _after_those_they_leave(instance.scenarios):
        book.branch = name = scenario.scenario
        if name not in run.branches:
            book.fault("branches", (), "is missing")
            continue
        if scenario.parent not in courses:
            book.fault("branches", (), f"leaves the branch {scenario.parent}, which is missing")
            continue
        book.passed("branches")
        disturbance, given = Disturbance(facts, scenario), _as_held(run.branches[name])
        builds = courses[scenario.parent][0].investment
        if disturbance.rebuilds:
            started = {BUILDS.name: given.pop(BUILDS.name)} if BUILDS.name in given else {}
            builds = _check_branch_builds(facts, scenario, started, builds, book, whole)
        parts = courses[name] = _parts(facts, given, builds, disturbance, book)
        for part in parts if disturbance.undisturbed else ():
            check_offtakes(part, book)
        before = cut_at(followed[scenario.parent], disturbance.first_month)
        followed[name] = [*before, *_stretches(parts)]
        left = scenario.parent
        while left and courses[left][0].disturbance.first_month == disturbance.first_month:
            left = next(row.parent for row in instance.scenarios if row.scenario == left)
        missing_musd[name] = _check_operations(parts, before, followed[left], plan, book)
    book.branch = ""

    check_funding(facts, tables, investment, book)
    check_dependence(plan, tables, metrics, book)
    if traced:
        check_origin(plan, tables, book)
    check_costs(courses, missing_musd, tables, book)
    check_objective(run.plan, tables, book)
    check_totals(plan, tables, metrics, book)
    return book.report()


class BranchAudit:
    """Recomputes branches of one plan, each alone, with stocks, and builds but for its own, that were audited before.

    What all branches share is read once: the instance, and the plan's builds, stocks and closures. The comparisons made
    then are part of every report.

    instance   the plan's instance
    plan       the plan's tables
    tolerance  see `audit`
    """

    def __init__(self, instance: Instance, plan: Mapping[str, Given], tolerance: float = TOLERANCE) -> None:
        self._book, self._facts = Book(tolerance), Facts(instance)
        needed = ("builds", "stocks", *(["closures"] if instance.closures else ()))
        needed = (*needed, *(["service"] if instance.returns else ()))  # what it delivered before may come back
        whole = bool(instance.working_stocks) or instance.has_transit  # what it used, and what was under way
        if whole:
            needed = (*needed, *(layout.name for layout in branch_layouts(instance)))
        layouts = tuple(layout for layout in plan_layouts(instance) if layout.name in needed)
        given = _as_held(plan, [layout.name for layout in layouts])
        tables = Tables(given, layouts, self._facts, self._facts.years, self._book)
        self._investment = Investment(self._facts, tables)
        service = tables.rows(SERVICE) if SERVICE.name in needed else []
        undisturbed = Disturbance(self._facts)
        self._first = Operations(self._facts, tables, self._investment, undisturbed) if whole else None
        self._plan = stretches(undisturbed, tables.rows(STOCKS), service, self._first)

    def audit(
        self,
        disrupted: Instance,
        scenario: str,
        tables: Mapping[str, Given],
        cost_musd: float,
        until: int | None = None,
        more_musd: float | None = None,
    ) -> AuditReport:
        """Recompute the branch of one scenario.

        disrupted  an instance with the scenario in it. Of it only the tables of scenarios are read, all else is taken
                   from the plan's instance
        scenario   whose branch it is
        tables     the branch's tables
        cost_musd  present value of its operations as claimed, which the audit must find too
        until      first year of the last period covered; None: the end of the horizon, where final_min_t counts
        more_musd  of a branch that may start something itself, whose tables have all its starts: present value by which
                   these cost more than the plan's, as claimed; None: its starts are the plan's
        """
        book, facts, builds = self._book.copy(), self._facts, self._investment
        row = next(s for s in disrupted.scenarios if s.scenario == scenario)
        disturbance = Disturbance(facts, row, disrupted)
        if until is not None:
            disturbance.years = tuple(year for year in disturbance.years if year <= until)
        book.branch = scenario
        if more_musd is not None:
            given = {BUILDS.name: tables[BUILDS.name]}
            tables = {name: table for name, table in tables.items() if name != BUILDS.name}
            builds = _check_branch_builds(facts, row, given, builds, book, whole=True)
            asked, planned = invested(builds), invested(self._investment)
            book.equal("objective", more_musd, asked - planned, max(asked, planned), ("cost of what is started",))
        parts = _parts(facts, tables, builds, disturbance, book)
        before = cut_at(self._plan, disturbance.first_month)
        missing_musd = _check_operations(parts, before, self._plan, self._first, book)
        costs = [
            part.disturbance.factor(year) * musd for part in parts for (_, year), musd in operating_costs(part).items()
        ]
        expected = sum(costs)
        if until is None or until == facts.years[-1]:
            expected += missing_musd
        scale = sum(map(abs, costs))
        book.equal("objective", cost_musd, expected, scale, ("cost of the branch",))
        return book.report()


def _as_held(tables: Mapping[str, Given], names: Iterable[str] | None = None) -> dict[str, Given]:
    """Return the tables of a run (or some) by column, if it can give them so: no frame is made only for the audit."""
    cells = getattr(tables, "cells", None)
    return {name: cells(name) if cells else tables[name] for name in (tables if names is None else names)}


def _parts(
    facts: Facts, given: Mapping[str, Given], investment: Investment, disturbance: Disturbance, book: Book
) -> list[Operations]:
    """Return the operations of a branch in its parts: of one in months each month and period, else all together."""
    parts = disturbance.parts()
    layouts = branch_layouts(facts.instance, disturbance.in_months)
    if not disturbance.in_months:
        return [Operations(facts, Tables(given, layouts, facts, disturbance.years, book), investment, disturbance)]
    times = [(year, part.month) for part in parts for year in part.years]
    tables = Tables(given, layouts, facts, disturbance.years, book, times)
    return [Operations(facts, tables.of(part.years[0], part.month), investment, part) for part in parts]


def _stretches(parts: Sequence[Operations]) -> list[Stretch]:
    """Return the plan, or a branch in its parts, by its periods and months."""
    return [s for part in parts for s in stretches(part.disturbance, part.stocks, part.service, part)]


def _after_those_they_leave(scenarios: Iterable[Scenario]) -> list[Scenario]:
    """Return scenarios in an order in which each comes after the one whose branch it leaves."""
    ordered: dict[str, Scenario] = {}
    waiting = list(scenarios)
    while waiting:
        ready = [row for row in waiting if row.parent == "" or row.parent in ordered]
        ordered |= {row.scenario: row for row in ready}
        waiting = [row for row in waiting if row.scenario not in ordered]
    return list(ordered.values())


def _check_branch_builds(
    facts: Facts, scenario: Scenario, given: Mapping[str, Given], left: Investment, book: Book, whole: bool
) -> Investment:
    """Check and return the builds of a branch that may start something itself.

    given  its table of builds
    left   the builds of the course that it leaves
    whole  see `check_builds`
    """
    tables = Tables(given, (BUILDS,), facts, facts.years, book)
    builds = Investment(facts, tables, left)
    check_builds(facts, tables, builds, book, whole)
    check_groups(facts, tables, book, whole)
    check_shared(builds, left, scenario, book)
    check_affordable(builds, book)
    return builds


def _check_operations(
    parts: Sequence[Operations],
    before: Sequence[Stretch],
    left: Sequence[Stretch],
    plan: Operations | None,
    book: Book,
) -> float:
    """Run all checks of operations on one plan or branch.

    parts   the plan, or the branch in its parts
    before  what the course had that a branch leaves; empty: this is the plan, or the horizon begins
    left    the whole of the course that it leaves
    plan    of a branch: the plan
    Returns the value, MUSD present value, of what a branch lacks below final_min_t.
    """
    stocks = opening_stocks(parts[0].facts, before)
    for part in parts:
        book.month = part.disturbance.month
        check_activities(part, book)
        check_flows(part, book)
        check_purchases(part, book)
        check_balances(part, book)
        stocks = check_stocks(part, stocks, book)
        check_service(part, book)
        check_blends(part, book)
        check_sales(part, book)
        check_substitution(part, book)
        check_row_money(part, book)
    book.month = 0
    check_returns(parts, before, book)
    check_working_stocks(parts, before, plan, book)
    check_under_way(parts, left, book)
    check_caps(parts, before, book)
    return check_final_stocks(parts[-1].disturbance, stocks, book)


def _check_manifest(instance: Instance, plan: Mapping[str, Any], book: Book) -> None:
    """Check that plan.json is complete and names this instance."""
    for name in MANIFEST:
        if name in plan:
            book.passed("plan")
        else:
            book.fault("plan", ("plan.json", name), "is missing")
    if plan.get("status") not in STATUSES:
        book.fault("plan", ("plan.json status",), f"{plan.get('status')!r} is not one of {', '.join(STATUSES)}")
    named = plan.get("instance")
    described = named if isinstance(named, Mapping) else {}
    for name, value in (("name", instance.name), ("title", instance.title), ("sha256", instance.sha256)):
        if described.get(name) == value:
            book.passed("plan")
        else:
            what = f"is {described.get(name)!r}, but the instance has {value!r}"
            book.fault("plan", ("plan.json instance", name), what)
