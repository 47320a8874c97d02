"""Turns the text rows of a file into typed rows that know where they are written; problems are collected."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ..errors import Issue, did_you_mean
from .cells import BadCellError, cell_of, parse_number
from .declare import Column, Key, Row
from .metrics import METRICS
from .reading import Place, RawTable
from .tables import TABLES, Cap, Disruption, columns


@dataclass(frozen=True, slots=True)
class Entry:
    """A row and the place where it is written."""

    row: Row
    place: Place


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row with a problem, and the values of those of its cells that could be read."""

    place: Place
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParsedTable:
    """The rows of a file.

    entries  key -> row, of the rows without a problem
    bad      rows with a problem, except those with too few or too many cells
    failed   keys of rows with a problem, as far as their keys could be read
    sound    whether all rows are in ``entries``
    named    whether the keys of all rows could be read
    """

    entries: Mapping[Key, Entry]
    bad: tuple[BadRow, ...]
    failed: frozenset[Key]
    sound: bool
    named: bool


def parse_table(table: str, raw: RawTable, issues: list[Issue]) -> ParsedTable:
    """Read the rows of one file; problems of cells, keys and headers go to ``issues``."""
    row_type = TABLES[table]
    known = columns(table)
    before = len(issues)
    for name in raw.header:
        if name not in known:
            hint = did_you_mean(name, known)
            issues.append(Issue(raw.file, raw.line, name, None, f"unknown column of {table}.csv", hint, "E107"))
    missing = [c for c in known.values() if c.required and c.name not in raw.header]
    for column in missing:
        issues.append(
            Issue(raw.file, raw.line, column.name, None, "required column is missing", column.meaning, "E106")
        )

    records = (*raw.rows, *raw.ragged)
    parsed = [_parse_column(known.get(name), [r.cells[i] for r in records]) for i, name in enumerate(raw.header)]
    entries: dict[Key, Entry] = {}
    seen: dict[Key, Place] = {}
    bad_rows: list[BadRow] = []
    failed: set[Key] = set()
    named = raw.sound
    for place, row_values in zip(raw.rows, zip(*parsed, strict=True), strict=False):
        values = {name: value for name, value in zip(raw.header, row_values, strict=True) if value is not None}
        bad = {name: value for name, value in values.items() if isinstance(value, BadCellError)}
        if not values and not any(place.cells):
            expected = "a row of blank cells"
            issues.append(Issue(place.file, place.line, "", None, expected, "delete the line", "E106"))
            continue
        row_key = _key_of(row_type, values, place, known)
        for name, problem in bad.items():
            cell = place.written(name)
            issues.append(Issue(place.file, place.line, name, cell, problem.expected, problem.hint, problem.code))
            del values[name]
        row = _build(row_type, values, place, known, bad, issues)
        if row is None:
            bad_rows.append(BadRow(place, values))
        if row_key is None:
            named = False
            continue
        if row_key in seen:
            issues.append(_duplicate(row_type, place, seen[row_key]))
            continue
        seen[row_key] = place
        if row is None:
            failed.add(row_key)
        else:
            entries[row_key] = Entry(row, place)
    for number, place in enumerate(raw.ragged, start=len(raw.rows)):  # reported already; their keys matter
        row_values = tuple(column[number] for column in parsed)
        values = {name: value for name, value in zip(raw.header, row_values, strict=True) if value is not None}
        row_key = _key_of(row_type, values, place, known)
        if row_key is None:
            named = False
        elif row_key not in entries:
            failed.add(row_key)
    sound = raw.sound and not raw.ragged and len(issues) == before
    return ParsedTable(entries, tuple(bad_rows), frozenset(failed), sound, named)


def rows_given(table: str, rows: Sequence[Mapping[str, Any]], issues: list[Issue], label: str) -> ParsedTable:
    """Read rows given in a script or by a change as if they were in a file; problems go to ``issues``.

    rows   column -> value, or the text of a cell
    label  what gave them, which messages name in place of a file
    """
    header = tuple(dict.fromkeys(name for row in rows for name in row))
    places = []
    for row in rows:
        texts = {name: value if isinstance(value, str) else cell_of(value) for name, value in row.items()}
        named = ",".join(texts.get(name, "") for name in TABLES[table].KEY)
        written = tuple(texts.get(name, "") for name in header)
        places.append(Place(f"{table} {named} {label}", None, header, written))
    return parse_table(table, RawTable(f"{table} {label}", None, header, tuple(places)), issues)


def _parse_column(column: Column | None, written: list[str]) -> list[Any]:
    """Return the values of a column: None for a blank cell, a BadCellError for one that cannot be read."""
    if column is None:  # unknown, and reported
        return [None] * len(written)
    values: dict[str, Any] = {"": None}
    for cell in set(written):
        try:
            if cell != cell.strip():
                raise BadCellError("expected no blanks around the value", f'write "{cell.strip()}"', "E111")
            if cell:
                values[cell] = column.parse(cell)
        except BadCellError as bad:
            values[cell] = bad
    return [values[cell] for cell in written]


def _key_of(row_type: type[Row], values: Mapping[str, Any], place: Place, known: Mapping[str, Column]) -> Key | None:
    """Return the key of a row from its parsed cells; None if a part of it is missing or cannot be guessed."""
    parts: list[Any] = []
    for name in row_type.KEY:
        value = values.get(name)
        if isinstance(value, BadCellError):
            if known[name].kind == "whole":
                return None
            value = (place.written(name) or "").strip()  # so that references to this row are not reported too
        elif value is None:
            if known[name].required:
                return None
            value = known[name].default
        parts.append(value)
    return tuple(parts)


def _build(
    row_type: type[Row],
    values: dict[str, Any],
    place: Place,
    known: Mapping[str, Column],
    bad: Collection[str],
    issues: list[Issue],
) -> Row | None:
    """Return the row; None if a cell is bad, missing or out of range.

    bad  names of the columns whose cells are bad, which is reported already; the other problems go to ``issues``
    """
    try:
        row = row_type.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0])
            if detail["type"] == "missing" and (name in bad or name not in place.header):
                continue  # reported already: the cell, or the column once for the whole file
            issues.append(_row_issue(detail["type"], known[name], place))
        return None
    if bad:
        return None
    column, problem = _range_problem(row)
    if problem:
        issues.append(Issue(place.file, place.line, column, place.written(column), problem, "", "E105"))
        return None
    return row


def _row_issue(kind: str, column: Column, place: Place) -> Issue:
    written = place.written(column.name)
    if kind == "missing":
        expected, hint, code = "a value is required", column.meaning, "E106"
    elif kind == "literal_error":
        expected = f"expected one of {', '.join(column.choices)}"
        hint, code = did_you_mean(written or "", column.choices), "E110"
    else:
        expected, hint, code = f"out of range, expected {column.range}", "", "E105"
        if column.unit == "fraction" and written and 1 < parse_number(written) <= 100:
            hint = f"write {parse_number(written) / 100:g} for {written} %"
        elif column.unit and column.unit != "fraction":
            expected += f" ({column.unit})"
    return Issue(place.file, place.line, column.name, written or None, expected, hint, code)


def _range_problem(row: Row) -> tuple[str, str]:
    """Return a column whose range depends on another column, and what is wrong with it; "" and "" if nothing is.

    A loss is at most 1, a surge can be more; the limit of a share is at most 1, that of an impact can be more.
    """
    if isinstance(row, Disruption) and row.kind in ("export_stop", "outage", "project_failure") and row.fraction > 1.0:
        return "fraction", f"out of range, expected 0 to 1 for {row.kind}"
    if isinstance(row, Cap) and not METRICS[row.metric].amount:
        for column in ("limit", "limit_end"):
            if (getattr(row, column) or 0.0) > 1.0:
                return column, f"out of range, expected 0 to 1 for {row.metric}"
    return "", ""


def _duplicate(row_type: type[Row], place: Place, first: Place) -> Issue:
    written = [f"{name} {cell}" for name in row_type.KEY if (cell := place.written(name))]
    expected = f"duplicate key ({', '.join(written)}), the same as in line {first.line}"
    return Issue(place.file, place.line, row_type.KEY[0], place.written(row_type.KEY[0]), expected, "", "E109")
