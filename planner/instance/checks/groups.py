"""Rules on groups of options: a limit must be possible, and should limit something."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...errors import Issue
from ..group_tables import GroupLimit
from ..tables import Option
from ..timeline import promised
from ..wildcards import options_of
from .options import most_started, possible_starts
from .registry import SETTINGS, Draft, check


@check("E373", "group_limits", "groups", "options")
def whole_options(draft: Draft) -> Iterable[Issue]:
    """A limit on the number of different options needs options that are built in whole modules."""
    for row in draft.instance.group_limits:
        for option in _members(draft, row) if row.measure == "options" else ():
            if not option.integer:
                expected = f"needs options of whole modules, but {draft.named(option)} has integer = no"
                yield draft.at(row, "measure", expected, "use another measure, or whole modules")
                break


@check("E374", "group_limits")
def least_below_most(draft: Draft) -> Iterable[Issue]:
    """The least of a group must not exceed the most."""
    for row in draft.instance.group_limits:
        if row.max is not None and row.min > row.max:
            yield draft.at(row, "min", f"more than max = {row.max:g}")


@check("W553", "groups", "group_limits")
def limited_somewhere(draft: Draft) -> Iterable[Issue]:
    """A group should have a limit; without one it means nothing."""
    limited = {row.group for row in draft.instance.group_limits}
    for group in dict.fromkeys(row.group for row in draft.instance.groups):
        if group not in limited:
            first = next(row for row in draft.instance.groups if row.group == group)
            yield draft.at(first, "group", "no row of group_limits.csv limits this group, so it means nothing")


@check("W555", "groups", "options", "facilities")
def owns_a_project(draft: Draft) -> Iterable[Issue]:
    """An owner in a group should have an option; without one it adds nothing to the group."""
    owner = {facility.facility: facility.owner for facility in draft.instance.facilities}
    found = {name for option in draft.instance.options for name in (option.option, owner.get(option.facility))}
    for row in draft.instance.groups:
        if row.option not in found:
            yield draft.at(row, "option", "no facility of this owner has an option, so it adds nothing")


@check("W554", "group_limits", "groups", "options", SETTINGS)
def something_to_limit(draft: Draft) -> Iterable[Issue]:
    """A limit on a group should be one that its options can break, and keep."""
    for row in draft.instance.group_limits:
        most = sum(_most(draft, row, option) for option in _members(draft, row))
        least = sum(_committed(draft, row, option) for option in _members(draft, row))
        if row.min == 0 and row.max is None:
            yield draft.at(row, "max", "means nothing: neither a least nor a most is asked for")
        elif row.min > most + 1e-9:
            yield draft.at(row, "min", f"at most {most:g} can be started in these years, so there is no plan")
        elif row.max is not None and row.max < least - 1e-9:
            yield draft.at(row, "max", f"{least:g} are committed (min_modules), so there is no plan")
        elif row.min == 0 and row.max is not None and row.max >= most - 1e-9:
            yield draft.at(row, "max", f"means nothing: at most {most:g} can be started in these years anyhow")


def _members(draft: Draft, row: GroupLimit) -> list[Option]:
    """Return the options of the group of a limit."""
    names = options_of(draft.instance, row.group)
    return [option for option in draft.instance.options if option.option in names]


def _each(row: GroupLimit, option: Option) -> float:
    """Return what a module of an option counts, in the measure of a limit other than ``options``."""
    return {"modules": 1.0, "capacity_t": option.module_t, "capex_musd": option.capex_musd}[row.measure]


def _most(draft: Draft, row: GroupLimit, option: Option) -> float:
    """Return the most that an option can count in the years of a limit."""
    possible = possible_starts(draft, option)
    lengths = [p.length for p in draft.periods if p.first_year in possible and promised(row, p.first_year)]
    modules = min(option.max_modules, sum(most_started(option, length) for length in lengths))
    if option.integer:
        modules = math.floor(modules + 1e-9)
    return float(modules > 0) if row.measure == "options" else modules * _each(row, option)


def _committed(draft: Draft, row: GroupLimit, option: Option) -> float:
    """Return what an option counts at least, because it is committed and can only be started in the limit's years."""
    if option.min_modules == 0 or not all(promised(row, year) for year in possible_starts(draft, option)):
        return 0.0
    return 1.0 if row.measure == "options" else option.min_modules * _each(row, option)
