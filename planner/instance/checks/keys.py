"""Names used twice, series, movements with two rows, and tables without rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from ...errors import Issue
from ..declare import Row
from ..tables import TABLES
from .registry import Draft, check

SERIES = ("recipe_yields", "operation_costs", "demand", "market_prices")


@check("E301", "countries")
def country_or_bloc(draft: Draft) -> Iterable[Issue]:
    """A name must not be used both as a country and as a bloc."""
    countries = {c.country: c for c in draft.instance.countries}
    for row in draft.instance.countries:
        if row.bloc in countries:
            expected = f"also the name of a country ({draft.named(countries[row.bloc])})"
            yield draft.at(row, "bloc", expected, "give the bloc another name")


@check("E302", "series")
def blank_year_alone(draft: Draft) -> Iterable[Issue]:
    """A row of a series with a blank year holds in every year, so it must be the only row of its series."""
    for table in SERIES:
        rows: defaultdict[tuple[object, ...], list[Row]] = defaultdict(list)
        for row in draft.instance.rows(table):
            rows[row.identity[:-1]].append(row)
        for group in rows.values():
            blank = group[0]  # blank years come first
            if len(group) > 1 and blank.identity[-1] is None:
                expected = f"a blank year means every year, but {draft.named(group[1])} gives another"
                yield draft.at(blank, "year", expected, "give the year, or drop one of the rows")


@check("E303", "movements")
def one_row_per_movement(draft: Draft) -> Iterable[Issue]:
    """Two lanes or tariffs of the same material, origin and destination must not hold in the same year."""
    for table in ("lanes", "tariffs"):
        rows = defaultdict(list)
        for row in draft.instance.rows(table):
            rows[row.identity[:3]].append(row)
        for group in rows.values():
            for earlier, later in pairwise(group):  # by first year, blank ones first
                if earlier.last_year is None or (later.first_year or 0) <= earlier.last_year:
                    expected = f"holds in years in which {draft.named(earlier)} holds for the same movement"
                    yield draft.at(later, "first_year", expected, "end one before the other begins")


@check("E304", "tables", "settings")
def something_to_plan(draft: Draft) -> Iterable[Issue]:
    """There must be an active country, material, sector and row of demand."""
    for table in ("countries", "materials", "sectors", "demand"):
        if not draft.instance.rows(table) and table not in draft.broken:
            yield Issue(f"{table}.csv", None, "", None, "no active row, so there is nothing to plan")


@check("W501", "tables")
def required_but_empty(draft: Draft) -> Iterable[Issue]:
    """A required table without an active row is suspicious."""
    for table, row_type in TABLES.items():
        if row_type.REQUIRED and not draft.instance.rows(table):
            yield Issue(f"{table}.csv", None, "", None, "no active row")


@check("W502", "overlays")
def removes_nothing(draft: Draft) -> Iterable[Issue]:
    """A row of an overlay with active = no should remove a row of its base."""
    for entry in draft.overlays:
        expected = f"removes nothing, its base has no such active row of {entry.row.TABLE}.csv"
        yield draft.at(entry.row, "active", expected)


@check("W503", "scenarios")
def folders_differ(draft: Draft) -> Iterable[Issue]:
    """Names of scenarios become folders, which on some computers cannot differ in case only."""
    seen: dict[str, Row] = {}
    for row in draft.instance.scenarios:
        other = seen.setdefault(row.scenario.lower(), row)
        if other is not row:
            yield draft.at(row, "scenario", f"differs from {draft.named(other)} in case only")


@check("W504", "materials")
def strategic_without_stage(draft: Draft) -> Iterable[Issue]:
    """A strategic material counts in the share of its stage, so it should have one."""
    for row in draft.instance.materials:
        if row.strategic and not row.stage:
            yield draft.at(row, "strategic", "counts in no stage share, as it has no stage")


@check("W505", "options")
def group_of_one(draft: Draft) -> Iterable[Issue]:
    """An exclusive group of one option excludes nothing; perhaps its name is misspelt."""
    members = defaultdict(list)
    for row in draft.instance.options:
        if row.exclusive_group:
            members[row.exclusive_group].append(row)
    for group in members.values():
        if len(group) == 1:
            yield draft.at(group[0], "exclusive_group", "no other option is in this group")
