r"""Checks builds, and the capacity that they and the own capacity of facilities add up to.

.. math::
    cap_{ft} = capacity_f \, share_{ft} \, (1 - closed_{ft})
    + \sum_{o \in f} \sum_\tau module_o \, share_{o \tau t} \, build_{o \tau}
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from ..instance.tables import Scenario
from .book import Book
from .closures import Closures
from .disturbance import Disturbance
from .facts import Facts
from .layouts import BUILDS, CAPACITY
from .reading import Tables

BUILT = 1e-6  # modules up to which an option counts as not built


class Investment:
    """The builds of a course (``modules``: option -> start year -> modules), and the closures of the plan.

    tables  of the plan, or of a branch with builds of its own
    left    the builds of the course that the branch leaves; None: this is the plan
    """

    def __init__(self, facts: Facts, tables: Tables, left: Investment | None = None) -> None:
        self.facts = facts
        self.closures: Closures = left.closures if left else Closures(facts, tables)
        self.modules: dict[str, dict[int, float]] = {option: {} for option in facts.options}
        for row in tables.rows(BUILDS):
            started = self.modules[row.option]
            started[row.start_year] = started.get(row.start_year, 0.0) + row.modules
        self._options: dict[str, list[str]] = defaultdict(list)
        self._stores: dict[str, list[str]] = defaultdict(list)
        for name, option in facts.options.items():
            if self.modules[name]:
                grown = self._stores[option.stockpile] if option.stockpile else self._options[option.facility]
                grown.append(name)

    def total(self, option: str) -> float:
        """Return the modules started over the whole horizon."""
        return sum(self.modules[option].values())

    def capex(self, option: str) -> float:
        """Return the overnight capex of all modules of an option, MUSD."""
        row = self.facts.options[option]
        return sum(self.facts.capex(row, modules) for modules in self.modules[option].values())

    def online(self, option: str, year: int) -> float:
        """Return the modules online in the period that begins in ``year``: a count, with fractions during a ramp."""
        row = self.facts.options[option]
        return sum(n * self.facts.module_share(row, start, year) for start, n in self.modules[option].items())

    def capacity(self, facility: str, year: int, disturbance: Disturbance) -> float:
        """Return the capacity, t/yr, in the period that begins in ``year``, after disruptions."""
        row = self.facts.facilities[facility]
        available = self.facts.own(row, year)
        available *= 1.0 - self.closures.share(facility, year)
        available += self._added(self._options.get(facility, ()), year, disturbance)
        return available * disturbance.capacity_left(facility, year)

    def room(self, stockpile: str, year: int, disturbance: Disturbance) -> float:
        """Return the room of a stockpile, t, in the period that begins in ``year``, after disruptions."""
        return self.facts.stockpiles[stockpile].max_t + self._added(self._stores.get(stockpile, ()), year, disturbance)

    def _added(self, options: Iterable[str], year: int, disturbance: Disturbance) -> float:
        added = 0.0
        for name in options:
            option = self.facts.options[name]
            for start, modules in self.modules[name].items():
                share = self.facts.module_share(option, start, year)
                added += option.module_t * share * modules * disturbance.module_left(option, start)
        return added


def check_builds(facts: Facts, tables: Tables, investment: Investment, book: Book, whole: bool = True) -> None:
    """Check start years, whole modules, least and most, pace, exclusive groups, requirements, and other columns.

    whole  False: a linear relaxation, in which modules and choices may be fractions
    """
    for row in tables.rows(BUILDS):
        option, place = facts.options[row.option], ("builds.csv", row.option, row.start_year)
        first = facts.first if option.first_start is None else option.first_start
        last = facts.last if option.last_start is None else option.last_start
        online = row.start_year + option.lead_years
        if not first <= row.start_year <= last:
            book.fault("build_start", place, f"starts outside {first} to {last}")
        elif online > facts.last:
            book.fault("build_start", place, f"would come online in {online}, after the horizon")
        else:
            book.passed("build_start")
        if option.integer and whole:
            book.equal("build_modules", row.modules, round(row.modules), row.modules, (*place, "modules"))
        if option.max_per_year is not None:
            pace = option.max_per_year * facts.length[row.start_year]
            book.at_most("build_pace", row.modules, pace, pace, place)
        least = facts.least_size(option)
        if least and row.modules > BUILT:
            book.at_least("build_modules", row.modules, least, least, (*place, "size"))
        capacity, capex = option.module_t * row.modules, facts.capex(option, row.modules)
        book.equal("build_columns", row.online_year, online, 1.0, (*place, "online_year"))
        book.equal("build_columns", row.capacity_t, capacity, capacity, (*place, "capacity_t"))
        book.equal("build_columns", row.capex_musd, capex, capex, (*place, "capex_musd"))

    groups: dict[str, list[str]] = defaultdict(list)
    for name, option in facts.options.items():
        total = investment.total(name)
        book.at_least("build_modules", total, option.min_modules, total, ("option", name, "min_modules"))
        book.at_most("build_modules", total, option.max_modules, total, ("option", name, "max_modules"))
        if option.exclusive_group:
            groups[option.exclusive_group].append(name)
        if option.requires:
            _check_requires(investment, name, option.requires, book)
    for group, names in groups.items():
        built = [name for name in names if investment.total(name) > BUILT] if whole else []
        book.at_most("exclusive", len(built), 1.0, 1.0, ("exclusive_group", group, *built))


def check_shared(builds: Investment, left: Investment, scenario: Scenario, book: Book) -> None:
    """Check that a branch has the starts of the course it leaves, up to the year from which it may build."""
    begin = math.inf if scenario.rebuild_after is None else scenario.first_year + scenario.rebuild_after
    for option in builds.facts.options:
        mine, theirs = builds.modules[option], left.modules[option]
        for year in sorted({*mine, *theirs}):
            if year < begin:
                started, shared = mine.get(year, 0.0), theirs.get(year, 0.0)
                book.equal("build_shared", started, shared, max(started, shared), ("builds.csv", option, year))


def check_groups(facts: Facts, tables: Tables, book: Book, whole: bool = True) -> None:
    """Check every limit on a group of options, by the starts of builds.csv in its years; see `check_builds`."""
    members: dict[str, set[str]] = defaultdict(set)
    for member in facts.instance.groups:
        if member.option in facts.options:
            members[member.group].add(member.option)
        else:  # an owner: all that can be built at its plants
            owned = {name for name, plant in facts.facilities.items() if plant.owner == member.option}
            members[member.group] |= {name for name, option in facts.options.items() if option.facility in owned}
    for limit in facts.instance.group_limits:
        first = facts.first if limit.first_year is None else limit.first_year
        last = facts.last if limit.last_year is None else limit.last_year
        starts = [r for r in tables.rows(BUILDS) if r.option in members[limit.group] and first <= r.start_year <= last]
        if limit.measure == "options" and not whole:
            continue
        if limit.measure == "options":
            total = float(len({row.option for row in starts if row.modules > BUILT}))
        else:
            total = sum(_counted(facts, limit.measure, row.option, row.modules) for row in starts)
        place = ("group", limit.group, limit.measure, first, last)
        book.at_least("groups", total, limit.min, max(total, limit.min), (*place, "min"))
        if limit.max is not None:
            book.at_most("groups", total, limit.max, max(total, limit.max), (*place, "max"))


def _counted(facts: Facts, measure: str, option: str, modules: float) -> float:
    """Return what a start counts by a measure of group_limits.csv: modules, t/yr or MUSD."""
    row = facts.options[option]
    if measure == "capex_musd":
        return facts.capex(row, modules)
    return modules * (row.module_t if measure == "capacity_t" else 1.0)


def _check_requires(investment: Investment, name: str, required: str, book: Book) -> None:
    limit = investment.facts.options[name].max_modules
    before = investment.modules.get(required, {})
    for start, modules in investment.modules[name].items():
        ready = sum(built for year, built in before.items() if year <= start)
        allowed = limit * ready
        book.at_most("requires", modules, allowed, modules, ("option", name, start, "requires", required))


def check_capacity(facts: Facts, tables: Tables, investment: Investment, book: Book) -> None:
    """Check ``capacity_t`` of every facility and period; a missing row means no capacity."""
    undisturbed = Disturbance(facts)
    written = {(row.facility, row.year): row.capacity_t for row in tables.rows(CAPACITY)}
    for facility in facts.facilities:
        for year in facts.years:
            available = investment.capacity(facility, year, undisturbed)
            value = written.get((facility, year), 0.0)
            place = ("capacity.csv", facility, year, "capacity_t")
            book.equal("capacity", value, available, max(value, available), place)
