"""Rules on references: a name in a cell must be known, and active if the row is active."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import Issue, did_you_mean
from ..cells import ANY
from ..declare import BLOCS, NAMED_IN, OWNERS, STAGES, Column, Key, Row
from ..reading import Place
from ..rows import Entry
from ..tables import TABLES, columns
from .registry import SETTINGS, Draft, check

ACTIVATE = "write active = yes there, or active = no here"
_SINGULAR = {
    "countries": "country",
    "materials": "material",
    "processes": "process",
    "recipes": "recipe",
    "facilities": "facility",
    "operations": "operation",
    "options": "option",
    "sectors": "sector",
    "markets": "market",
    "buyers": "buyer",
    "funds": "fund",
    "groups": "group",
    "scenarios": "scenario",
    "stockpiles": "stockpile",
    "substitutes": "substitute",
    "returns": "return",
    "impacts": "impact",
    "contents": "property",
    "sources": "source",
    STAGES: "stage",
    BLOCS: "bloc",
    OWNERS: "owner",
}


@dataclass(frozen=True)
class _Names:
    """The names that a column may hold.

    what    what they are names of, such as ``country``
    known   all names that exist, also those of rows that could not be read
    active  the names of active rows
    sure    False if there may be more names than could be read; a name is not reported as unknown then
    """

    what: str
    known: frozenset[str]
    active: frozenset[str]
    sure: bool


def _names(draft: Draft, targets: tuple[str, ...]) -> _Names:
    """Return the names that a column may have which refers to ``targets``: tables, stages, blocs or owners."""
    known: set[str] = set()
    active: set[str] = set()
    sure = True
    for target in targets:
        if target == STAGES:
            known.update(draft.instance.stages)
            active.update(draft.instance.stages)
            sure = sure and SETTINGS not in draft.broken
            continue
        if target in NAMED_IN:
            table, column = NAMED_IN[target]
            known.update(getattr(entry.row, column) for entry in draft.entries[table].values())
            active.update(getattr(row, column) for row in draft.instance.rows(table))
            sure = sure and table not in draft.broken
            continue
        table, rows = target, draft.entries[target]
        known.update(str(row_key[0]) for row_key in rows)
        active.update(str(row_key[0]) for row_key, entry in rows.items() if entry.row.active)
        failed = {str(row_key[0]) for row_key in draft.failed.get(table, ())}
        known |= failed
        active |= failed
        sure = sure and table not in draft.unnamed
    what = " or ".join(_SINGULAR[target] for target in targets)
    return _Names(what, frozenset(known), frozenset(active), sure)


def _uses(draft: Draft) -> Iterator[tuple[str, Column, _Names]]:
    """Yield every table and column that holds names, and the names that it may hold."""
    names: dict[tuple[str, ...], _Names] = {}  # many columns name the same things
    for table in TABLES:
        for column in columns(table).values():
            if column.refers:
                if column.refers not in names:
                    names[column.refers] = _names(draft, column.refers)
                yield table, column, names[column.refers]


def _named(value: Any, column: Column) -> tuple[str, ...]:
    """Return the names in a cell: none if it is blank or a wildcard."""
    if column.kind == "sources":
        return tuple(value or ())
    return () if not value or (column.wildcard and value == ANY) else (value,)


@check("E201", "references")
def known(draft: Draft) -> Iterable[Issue]:
    """Every name of a country, material, stage, facility and so on must be a known one."""
    for table, column, names in _uses(draft):
        if not names.sure:
            continue
        for entry in draft.entries[table].values():
            value = getattr(entry.row, column.name)
            if value not in names.known:  # nearly always it is; the rest is looked at closely
                yield from _unknown(entry.place, column, value, names)
        for bad in draft.bad.get(table, ()):
            yield from _unknown(bad.place, column, bad.values.get(column.name), names)


def _unknown(place: Place, column: Column, value: Any, names: _Names) -> Iterator[Issue]:
    """Yield an issue for each name in a cell that is not known."""
    for name in _named(value, column):
        if name not in names.known:
            shown = f" {name}" if column.kind == "sources" else ""
            expected = f"unknown {names.what}{shown}"
            written = place.written(column.name)
            yield Issue(place.file, place.line, column.name, written, expected, near=(name, names.known))


@check("E202", "references")
def known_together(draft: Draft) -> Iterable[Issue]:
    """A yield must belong to a row of recipes.csv, and a cost by year to one of operations.csv."""
    for table, row_type in TABLES.items():
        for names, target in row_type.TOGETHER.items():
            if target in draft.unnamed:
                continue
            rows = {*draft.entries[target], *draft.failed.get(target, ())}
            parts = [{str(row_key[i]) for row_key in rows} for i in range(len(names))]
            for entry in draft.entries[table].values():
                wanted = tuple(getattr(entry.row, name) for name in names)
                if wanted not in rows and all(_is_known(draft, entry.row, name) for name in names):
                    position = next((i for i, name in enumerate(wanted) if name not in parts[i]), len(names) - 1)
                    expected = f"no row of {target}.csv with {_pairs(names, wanted)}"
                    yield draft.at(entry.row, names[position], expected)


def _is_known(draft: Draft, row: Row, name: str) -> bool:
    """Return whether a cell holds a known name; if it does not, the rule E201 reports it."""
    targets = columns(row.TABLE)[name].refers
    return not targets or getattr(row, name) in _names(draft, targets).known


def _pairs(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Return column names and their values in words."""
    return ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))


@check("E203", "references")
def active(draft: Draft) -> Iterable[Issue]:
    """An active row must not refer to an inactive one."""
    for table, column, names in _uses(draft):
        for entry in draft.entries[table].values() if names.known != names.active else ():
            if not entry.row.active:
                continue
            for name in _named(getattr(entry.row, column.name), column):
                if name in names.known and name not in names.active:
                    expected = f"the {names.what} {name} is not active{_where(draft, column, name)}"
                    yield draft.at(entry.row, column.name, expected, ACTIVATE)
    for table, row_type in TABLES.items():
        for names_together, target in row_type.TOGETHER.items():
            yield from _active_together(draft, table, names_together, draft.entries[target], target)


def _active_together(
    draft: Draft, table: str, names: tuple[str, ...], rows: Mapping[Key, Entry], target: str
) -> Iterable[Issue]:
    """Yield an issue for each active row whose row in ``target``, named by several columns, is not active.

    names  the columns that name it together
    rows   the rows of ``target`` by key
    """
    for entry in draft.entries[table].values():
        wanted = tuple(getattr(entry.row, name) for name in names)
        found = rows.get(wanted)
        if entry.row.active and found is not None and not found.row.active:
            expected = f"the row of {target}.csv for it is not active ({draft.named(found.row)})"
            yield draft.at(entry.row, names[0], expected, ACTIVATE)


def _where(draft: Draft, column: Column, name: str) -> str:
    """Return file and line of the row that has a name, in brackets; "" if there is none."""
    for target in column.refers:
        found = draft.entries[target].get((name,)) if target in TABLES else None
        if found is not None:
            return f" ({draft.named(found.row)})"
    return ""


@check("E204", "settings", SETTINGS)
def countries_of_concern(draft: Draft) -> Iterable[Issue]:
    """The countries of concern must be known, active countries."""
    names = _names(draft, ("countries",))
    for country in draft.instance.countries_of_concern:
        if country not in names.known and names.sure:
            hint = did_you_mean(country, names.known)
            yield draft.at_setting("security", "countries_of_concern", country, "unknown country", hint)
        elif country in names.known and country not in names.active:
            expected = "the country is not active"
            yield draft.at_setting("security", "countries_of_concern", country, expected)
