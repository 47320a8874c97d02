"""Rules on keys: names used twice, rows of series, two rows for one movement, and tables without rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from ...errors import Issue
from ..declare import Row
from ..rows import Entry
from ..tables import TABLES, columns
from .registry import Draft, check

TOLD_ROW_BY_ROW = 5  # most rows of a table with a warning each; more rows are reported in one warning
BLANK_MEANT = "write these cells too; if they are meant to be blank, leave the row as it is"
SERIES = (
    *("recipe_yields", "facility_capacity", "operation_costs", "demand", "market_prices"),
    *("substitute_shares", "buyer_prices", "blends"),
)


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
                expected = f"a blank year means every year, but {draft.named(group[1])} gives a year of the same series"
                yield draft.at(blank, "year", expected, "give the year, or remove one of the rows")


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
    """There must be an active country and material, and a sector and a row of demand, unless there are buyers."""
    asked = () if draft.instance.buyers or "buyers" in draft.broken else ("sectors", "demand")
    for table in ("countries", "materials", *asked):
        if not draft.instance.rows(table) and table not in draft.broken:
            yield Issue(f"{table}.csv", None, "", None, "no active row, so there is nothing to plan")


@check("W501", "tables")
def required_but_empty(draft: Draft) -> Iterable[Issue]:
    """A required table without an active row is suspicious."""
    for table, row_type in TABLES.items():
        if row_type.REQUIRED and not draft.instance.rows(table) and not (row_type.UNLESS and draft.instance.buyers):
            yield Issue(f"{table}.csv", None, "", None, "no active row")


@check("W502", "overlays")
def removes_nothing(draft: Draft) -> Iterable[Issue]:
    """A row of an overlay with active = no should remove a row of its base."""
    for entry in draft.overlays:
        expected = f"removes nothing, its base has no such active row of {entry.row.TABLE}.csv"
        yield draft.at(entry.row, "active", expected)


@check("W503", "tables")
def differ_in_case(draft: Draft) -> Iterable[Issue]:
    """Names of one column should not differ only in the case of letters: perhaps both mean the same."""
    for table in TABLES:
        for name in (column.name for column in columns(table).values() if column.kind == "key" or column.is_name):
            seen: dict[str, Row] = {}
            told: set[str] = set()
            for row in draft.instance.rows(table):
                written = getattr(row, name)
                other = seen.setdefault(written.casefold(), row)
                if getattr(other, name) != written and written not in told:
                    told.add(written)
                    expected = f'differs from "{getattr(other, name)}" ({draft.named(other)}) only in case'
                    yield draft.at(row, name, expected, "write both the same way if they mean the same, or rename one")


@check("W504", "materials")
def strategic_without_stage(draft: Draft) -> Iterable[Issue]:
    """A strategic material counts in the share of its stage, so it should have one."""
    for row in draft.instance.materials:
        if row.strategic and not row.stage:
            yield draft.at(row, "strategic", "the material has no stage, so it counts in no stage share")


@check("W505", "options")
def group_of_one(draft: Draft) -> Iterable[Issue]:
    """An exclusive group should have at least two options; perhaps the name of the group is misspelt."""
    members = defaultdict(list)
    for row in draft.instance.options:
        if row.exclusive_group:
            members[row.exclusive_group].append(row)
    for group in members.values():
        if len(group) == 1:
            yield draft.at(group[0], "exclusive_group", "no other option is in this group")


@check("W538", "overlays")
def blank_in_an_overlay(draft: Draft) -> Iterable[Issue]:
    """A row of an overlay replaces the whole row, so it should not leave blank by oversight what its base fills."""
    blanks = defaultdict(list)
    for before, after in draft.replaced:
        if lost := _left_blank(before, after):
            blanks[after.row.TABLE].append((before, after, lost))
    for group in blanks.values():
        if len(group) <= TOLD_ROW_BY_ROW:
            for before, after, lost in group:
                cells = ", ".join(f"{name} ({before.place.written(name)})" for name in lost)
                expected = f"replaces the whole row of {before.place.name}, and leaves blank {cells}"
                yield draft.at(after.row, "", expected, BLANK_MEANT)
            continue
        rows = Counter(name for _, _, lost in group for name in lost)
        cells = ", ".join(f"{name} ({count} rows)" for name, count in sorted(rows.items()))
        expected = f"{len(group)} rows from here on replace whole rows of the base, and leave blank {cells}"
        first = min((after for _, after, _ in group), key=lambda entry: entry.place.line or 0)
        yield draft.at(first.row, "", expected, BLANK_MEANT)


def _left_blank(before: Entry, after: Entry) -> list[str]:
    """Return the columns that a row of a base fills and the row that replaces it leaves blank, with another meaning."""
    return [
        name
        for name in columns(after.row.TABLE)
        if name not in ("source", "note", "active")
        and not after.place.written(name)
        and getattr(before.row, name) != getattr(after.row, name)
    ]
