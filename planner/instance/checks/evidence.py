"""Rules on evidence: a range must be of a number that the instance has, and its ends must be in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ...errors import Issue, did_you_mean
from ..declare import joined_key
from ..tables import TABLES, columns
from .registry import Draft, check


@check("E361", "evidence")
def numbers_there_are(draft: Draft) -> Iterable[Issue]:
    """Evidence must speak of a table, of one of its rows, active or not, and of a column of numbers."""
    known: dict[str, frozenset[str]] = {}
    for row in draft.instance.evidence:
        if row.table not in TABLES:
            yield draft.at(row, "table", "unknown table", did_you_mean(row.table, TABLES))
            continue
        if row.table not in known:
            known[row.table] = frozenset(joined_key(e.row) for e in draft.entries[row.table].values())
        column = columns(row.table).get(row.column)
        if column is None or column.kind not in ("number", "whole"):
            numbers = [name for name, c in columns(row.table).items() if c.kind in ("number", "whole")]
            expected = f"{row.table}.csv has no such column of numbers"
            yield draft.at(row, "column", expected, did_you_mean(row.column, numbers))
        elif row.key not in known[row.table]:
            expected = f"{row.table}.csv has no row with this key; expected the key columns joined by /"
            yield draft.at(row, "key", expected, did_you_mean(row.key, known[row.table]))


@check("E362", "evidence")
def ordered_range(draft: Draft) -> Iterable[Issue]:
    """The low end of a range must not lie above its high end."""
    for row in draft.instance.evidence:
        if row.low is not None and row.high is not None and row.low > row.high:
            yield draft.at(row, "high", f"lies below low = {row.low:g}")


@check("E366", "evidence")
def dates(draft: Draft) -> Iterable[Issue]:
    """A date must be a day, a month or a year."""
    for row in draft.instance.evidence:
        for column in ("as_of", "review_by"):
            if getattr(row, column) and not is_date(getattr(row, column)):
                yield draft.at(row, column, "no date", "write 2026-11-26, 2026-11 or 2026")


def is_date(text: str) -> bool:
    """True for a day, a month or a year of the calendar, as 2026-11-26, 2026-11 and 2026."""
    try:
        return len(text) in (4, 7, 10) and bool(date.fromisoformat(text + "2000-01-01"[len(text) :]))
    except ValueError:
        return False
