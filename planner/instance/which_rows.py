"""Which rows a change or a question is about: conditions such as ``owner = "Lynas Rare Earths" and modules >= 2``.

A condition may name a column of the table, or one of the option or the plant that a row belongs to, such as its owner.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError, did_you_mean, hinted
from .cells import BadCellError, cell_of, parse_number
from .declare import Column, Key
from .rows import Entry
from .tables import TABLES, columns

VIA = {"option": "options", "facility": "facilities"}  # column through which a row belongs to a row of a table
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_SIGN = "|".join(_COMPARED)
_CONDITION = re.compile(
    rf"\s*(?P<column>\w+)\s*(?P<sign>{_SIGN})\s*"
    rf"(?P<value>\"[^\"]*\"|'[^']*'|.*?)\s*(?:\band\b(?=\s+\w+\s*(?:{_SIGN}))|$)"
)


@dataclass(frozen=True)
class Condition:
    """``column sign value``, such as ``origin = CHN``; a blank value matches blank cells."""

    column: str
    sign: str
    value: str

    def __str__(self) -> str:
        return f"{self.column} {self.sign} {self.value}"


def conditions(text: str) -> list[Condition]:
    """Read ``COLUMN=VALUE and COLUMN>=VALUE ...``; a value with quotes is taken as it stands between them."""
    found, at = [], 0
    while at < len(text):
        match = _CONDITION.match(text, at)
        if match is None or match.end() == at:
            raise UsageError(f'"{text[at:].strip()}": expected COLUMN=VALUE, with "and" between several')
        found.append(Condition(match["column"], match["sign"], unquoted(match["value"])))
        at = match.end()
    return found


def selected(entries: Mapping[str, Mapping[Key, Entry]], table: str, asked: Sequence[Condition]) -> list[Entry]:
    """Return the active rows of a table that meet all conditions.

    Raises UsageError if the table or a column is unknown, if a value cannot be compared, or if no row matches.
    """
    if table not in TABLES:
        raise UsageError(hinted(f"unknown table {table}", table, TABLES))
    tests = [_test(entries, table, condition) for condition in asked]
    active = [entry for entry in entries[table].values() if entry.row.active]
    found = [entry for entry in active if all(test(entry.row) for test in tests)]
    if found:
        return found
    if not active:
        raise UsageError(f"{table} has no rows")
    hint = ""
    for condition in asked:
        known = {cell_of(_value(entries, entry.row, condition.column)) for entry in active}
        if condition.sign == "=" and condition.value not in known:
            hint = hint or did_you_mean(condition.value, known - {""}) or _that_hold(condition.value, known)
    said = f"no row of {table} with {' and '.join(map(str, asked))}"
    raise UsageError(f"{said}; {hint}" if hint else said)


def _that_hold(text: str, known: set[str]) -> str:
    """Return the hint which values hold a text, "" if none does or many do."""
    holding = sorted(f'"{value}"' for value in known if text and text.lower() in value.lower())
    return f"did you mean {' or '.join(holding)}?" if 0 < len(holding) < 4 else ""


def _test(entries: Mapping[str, Mapping[Key, Entry]], table: str, condition: Condition) -> Callable[[Any], bool]:
    known = _reachable(table)
    if condition.column not in known:
        raise UsageError(hinted(f"unknown column {condition.column} of {table}", condition.column, known))
    kind, compare = known[condition.column].kind, _COMPARED[condition.sign]
    if kind in ("number", "whole") and condition.value:
        wanted = read_number(condition.value, condition.column)

        def test(row: Any) -> bool:
            value = _value(entries, row, condition.column)
            return condition.sign == "!=" if value is None else compare(value, wanted)

    else:
        if condition.sign not in ("=", "!="):
            raise UsageError(f"{condition}: {condition.column} is no number, so only = and != compare it")

        def test(row: Any) -> bool:
            return compare(cell_of(_value(entries, row, condition.column)), condition.value)

    return test


def _reachable(table: str) -> dict[str, Column]:
    """Return the columns that a condition may name: those of the table, of its rows' options, and of their plants."""
    known = dict(columns(table))
    for via, of in VIA.items():
        if via in known:
            known = {**columns(of), **known}
    return known


def _value(entries: Mapping[str, Mapping[Key, Entry]], row: Any, column: str) -> Any:
    """Return what a row holds in a column, or the option or the plant that it belongs to; None: neither has it."""
    if column in columns(row.TABLE):
        return getattr(row, column)
    for via, table in VIA.items():
        of = entries[table].get((getattr(row, via, ""),)) if table != row.TABLE else None
        if of is not None and column in _reachable(table):
            return _value(entries, of.row, column)
    return None


def unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def read_number(text: str, what: str) -> float:
    """Read a number; ``10%`` is read as 0.1."""
    try:
        return parse_number(text.removesuffix("%").strip()) / (100.0 if text.endswith("%") else 1.0)
    except BadCellError as error:
        raise UsageError(f'{what} "{text}": expected a number, such as 0.1 or 10%') from error
