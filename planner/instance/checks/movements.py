"""Rules on lanes and tariffs: a row should govern some movement, and not be overruled by more specific rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...errors import Issue
from ..tables import Lane, Tariff
from ..wildcards import ANY, MovementTable, valid_in
from .registry import SETTINGS, Draft, check
from .windows import at_fault


@check("W525", "movements", SETTINGS)
def governs_something(draft: Draft) -> Iterable[Issue]:
    """A lane or tariff should govern some movement in some period."""
    for rows in (draft.instance.lanes, draft.instance.tariffs):
        patterns: list[Lane | Tariff] = []
        for row in rows:
            if row.origin == row.destination != ANY:
                expected = "movements inside a country are free, so the row means nothing"
                yield draft.at(row, "destination", expected)
            elif not any(valid_in(row, year) for year in draft.instance.years):
                column = at_fault(row, draft.instance.years)
                yield draft.at(row, column, "no period begins in the years of this row, so it never holds")
            elif ANY in (row.material, row.origin, row.destination):
                patterns.append(row)
        if patterns:
            governing = _governing(draft, rows, patterns)
            for row in patterns:
                if id(row) not in governing:
                    yield draft.at(
                        row, "material", "more specific rows govern every movement, so this row means nothing"
                    )


@check("E358", "lanes")
def least_lots_and_charges(draft: Draft) -> Iterable[Issue]:
    """A lane with a least lot or a fixed cost needs the most that it carries, which is not below the least lot."""
    for row in draft.instance.lanes:
        column = "min_t" if row.min_t else "fixed_musd"
        if row.max_t is None and (row.min_t or row.fixed_musd):
            yield draft.at(row, column, "needs max_t, the most that moves", "write in max_t what the lane can carry")
        elif row.max_t is not None and row.min_t > row.max_t:
            yield draft.at(row, "min_t", f"exceeds max_t = {row.max_t:g}, so nothing could move")


def _governing(draft: Draft, rows: Sequence[Lane | Tariff], patterns: Sequence[Lane | Tariff]) -> set[int]:
    """Return the ids of those ``patterns`` (rows with wildcards) that govern a movement in some period."""
    windowed = [row for row in rows if row.first_year is not None or row.last_year is not None]
    tables: dict[tuple[bool, ...], MovementTable[Lane | Tariff]] = {}
    governing: set[int] = set()
    for year in draft.instance.years:
        valid = tuple(valid_in(row, year) for row in windowed)
        if valid in tables:  # the same rows as in an earlier period
            continue
        table = tables[valid] = MovementTable(rows, year)
        for row in patterns:
            if id(row) not in governing and valid_in(row, year):
                movements = _movements(draft, row)
                if any(table.find(*movement) is row for movement in movements):
                    governing.add(id(row))
    return governing


def _movements(draft: Draft, row: Lane | Tariff) -> Iterator[tuple[str, str, str]]:
    """Yield the movements (material, origin, destination) that a row with wildcards matches."""
    countries = [c.country for c in draft.instance.countries]
    materials = [m.material for m in draft.instance.materials] if row.material == ANY else [row.material]
    for origin in countries if row.origin == ANY else [row.origin]:
        for destination in countries if row.destination == ANY else [row.destination]:
            if origin != destination:
                for material in materials:
                    yield material, origin, destination
