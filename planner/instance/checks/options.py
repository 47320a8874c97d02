"""Rules on options: an option must be able to start, and so must the options that it requires."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest

from ...errors import Issue
from ..tables import Option
from ..timeline import start_years
from .registry import SETTINGS, Draft, check
from .windows import at_fault


def possible_starts(draft: Draft, option: Option) -> tuple[int, ...]:
    """Return the first years of periods in which modules can be started, without regard to required options."""
    years = start_years(option, draft.instance.years, draft.last)
    return tuple(p.first_year for p in draft.periods if p.first_year in years and most_started(option, p.length) > 0)


def most_started(option: Option, length: int) -> float:
    """Return the most modules that can be started in a period of ``length`` years."""
    most = option.max_modules
    if option.max_per_year is not None:
        most = min(most, option.max_per_year * length)
    return float(math.floor(most + 1e-9)) if option.integer else most


@check("E312", "options", SETTINGS)
def can_start(draft: Draft) -> Iterable[Issue]:
    """An option must be able to start in some period, and come online within the horizon."""
    for row in draft.instance.options:
        if possible_starts(draft, row):
            continue
        most = max(most_started(row, period.length) for period in draft.periods)
        whole = " whole" if row.integer else ""
        if row.max_modules == 0 or (row.integer and row.max_modules < 1):
            yield draft.at(row, "max_modules", f"no{whole} module can ever be started")
        elif most == 0:
            yield draft.at(row, "max_per_year", f"no{whole} module can be started in any period")
        else:
            yield _out_of_time(draft, row)


def _out_of_time(draft: Draft, row: Option) -> Issue:
    """Return the issue of an option that cannot start in any period, or would come online after the horizon."""
    open_years = [
        year
        for year in draft.instance.years
        if (row.first_start is None or year >= row.first_start) and (row.last_start is None or year <= row.last_start)
    ]
    if open_years:
        expected = f"started in {open_years[0]}, it is online only after the horizon's last year {draft.last}"
        return draft.at(row, "lead_years", f"no possible start: {expected}")
    column = at_fault(row, draft.instance.years, ("first_start", "last_start"))
    years = ", ".join(str(year) for year in draft.instance.years)
    return draft.at(row, column, f"no possible start: no period begins in these years (they begin in {years})")


@check("E313", "options")
def requires_whole_modules(draft: Draft) -> Iterable[Issue]:
    """An option must require another option than itself, and one that is built in whole modules."""
    by_name = {o.option: o for o in draft.instance.options}
    for row in draft.instance.options:
        required = by_name.get(row.requires)
        if row.requires == row.option:
            yield draft.at(row, "requires", "an option cannot require itself")
        elif required is not None and not required.integer:
            expected = f"must be an option of whole modules, but {draft.named(required)} has integer = no"
            yield draft.at(row, "requires", expected)


@check("E314", "options", SETTINGS)
def required_in_time(draft: Draft) -> Iterable[Issue]:
    """A required option must be able to start no later than the option that requires it, in another exclusive group."""
    by_name = {o.option: o for o in draft.instance.options}
    for row in draft.instance.options:
        required = by_name.get(row.requires)
        if required is None or required is row:
            continue
        if row.exclusive_group and row.exclusive_group == required.exclusive_group:
            expected = f"no possible start: {row.requires} excludes it (exclusive_group {row.exclusive_group})"
            yield draft.at(row, "requires", expected)
            continue
        starts, earlier = possible_starts(draft, row), possible_starts(draft, required)
        if starts and earlier and max(starts) < min(earlier):
            expected = f"no possible start: {row.requires} cannot be started before {min(earlier)}"
            yield draft.at(row, "requires", f"{expected}, {row.option} cannot be started after {max(starts)}")


@check("E315", "options")
def fewest_below_most(draft: Draft) -> Iterable[Issue]:
    """The number of committed modules (min_modules) must not exceed max_modules."""
    for row in draft.instance.options:
        if row.min_modules > row.max_modules:
            yield draft.at(row, "min_modules", f"more than max_modules = {row.max_modules:g}")


@check("E356", "options", "facilities", "stockpiles")
def store_in_the_same_country(draft: Draft) -> Iterable[Issue]:
    """An option that adds to a store must belong to a facility of the store's country."""
    facility = {f.facility: f.country for f in draft.instance.facilities}
    store = {s.stockpile: s.country for s in draft.instance.stockpiles}
    for row in draft.instance.options:
        there = store.get(row.stockpile)
        if there is not None and facility.get(row.facility, there) != there:
            yield draft.at(row, "stockpile", f"lies in {there}, but {row.facility} in {facility[row.facility]}")


@check("W511", "options")
def requires_in_a_circle(draft: Draft) -> Iterable[Issue]:
    """Options that require each other can only be started in the same period."""
    by_name = {o.option: o for o in draft.instance.options}
    for row in draft.instance.options:
        chain = [row.option]
        while (follower := by_name.get(chain[-1])) is not None and follower.requires:
            if follower.requires == row.option:
                if row.option == min(chain):
                    yield draft.at(row, "requires", f"options that require each other: {' -> '.join(chain)}")
                break
            if follower.requires in chain:
                break
            chain.append(follower.requires)


@check("W512", "options", SETTINGS)
def commitment_possible(draft: Draft) -> Iterable[Issue]:
    """The modules an option is committed to should be possible within its yearly limit and its group."""
    committed = defaultdict(list)
    for row in draft.instance.options:
        starts = possible_starts(draft, row)
        possible = sum(most_started(row, p.length) for p in draft.periods if p.first_year in starts)
        if row.min_modules > possible + 1e-9:
            yield draft.at(row, "min_modules", f"at most {possible:g} can be started, so there is no plan")
        if row.min_modules > 0 and row.exclusive_group:
            committed[row.exclusive_group].append(row)
    for group, rows in committed.items():
        for row in rows[1:]:
            expected = f"{rows[0].option} is committed too, and group {group} allows one: there is no plan"
            yield draft.at(row, "min_modules", expected)


@check("W513", "options")
def whole_modules(draft: Draft) -> Iterable[Issue]:
    """An integer option is built in whole modules, so its limits should be whole numbers."""
    for row in draft.instance.options:
        for column in ("max_modules", "min_modules"):
            value = getattr(row, column)
            if row.integer and not float(value).is_integer():
                yield draft.at(row, column, "not a whole number, but the option is built in whole modules")


@check("W514", "options")
def can_be_paid(draft: Draft) -> Iterable[Issue]:
    """An option with a capex should have private money or a fund that can pay for it."""
    funded = {f.option for f in draft.instance.fund_options}
    for row in draft.instance.options:
        if row.private_musd == 0 and row.capex_musd > 0 and row.option not in funded:
            yield draft.at(row, "private_musd", "there is neither private money nor a fund, so it cannot be built")


@check("E331", "option_sizes", "options")
def sizes_are_of_divisible_modules(draft: Draft) -> Iterable[Issue]:
    """An option with sizes is not of whole modules: its size is any part of its largest one."""
    options = {o.option: o for o in draft.instance.options}
    for row in draft.instance.option_sizes:
        option = options.get(row.option)
        if option is not None and option.integer:
            expected = f"the option is of whole modules ({draft.named(option)})"
            yield draft.at(row, "option", expected, "write integer = no there")


@check("E332", "option_sizes", "options")
def sizes_in_order(draft: Draft) -> Iterable[Issue]:
    """A size must be smaller than the next, and last than module_t of its option, and must not cost more than that."""
    options = {o.option: o for o in draft.instance.options}
    rows = sorted(draft.instance.option_sizes, key=lambda r: (r.option, r.capacity_t))
    for row, after in zip_longest(rows, rows[1:]):
        option = options.get(row.option)
        if option is None:
            continue
        last = after is None or after.option != row.option
        larger, name = (option, "module_t") if last else (after, "capacity_t")
        of = f"{name} = {getattr(larger, name):g} of {draft.named(larger)}"
        if row.capacity_t >= getattr(larger, name):
            yield draft.at(row, "capacity_t", f"must be below {of}", "the option's own row is its largest size")
        elif row.capex_musd > larger.capex_musd:
            yield draft.at(row, "capex_musd", f"costs more than the larger size with {of}")
