"""What differs between two states of the derived tables, and which facts it follows from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from .book import COLUMNS, KEYS

Rows = dict[tuple[str, ...], dict[str, str]]


def rows(table: str, text: str) -> Rows:
    """The rows of a table's CSV text by key; a row holds the cells that are not blank."""
    keys = COLUMNS[table][: KEYS.get(table, 1)]
    found = csv.DictReader(io.StringIO(text))
    return {tuple(row[c] for c in keys): {c: cell for c, cell in row.items() if cell} for row in found}


def facts(note: str) -> set[str]:
    """The cells of the facts, with their values, that a note of evidence.csv names."""
    return set(note.rpartition("from ")[2].split(" + "))


def told(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Lines that tell the facts that changed, and the rows that followed; both map ``instance/table.csv`` to its text.

    Notes and rows of evidence.csv change with their numbers and are counted, not listed.
    """
    changed: set[str] = set()
    lines, silent = [], 0
    for path in sorted({*old, *new}):
        if old.get(path) == new.get(path):
            continue
        table = path.rpartition("/")[2].removesuffix(".csv")
        before, after = rows(table, old.get(path, "")), rows(table, new.get(path, ""))
        if table == "evidence":
            known = {cell for row in before.values() for cell in facts(row["note"])}
            changed |= {cell for row in after.values() for cell in facts(row["note"])} - known
        for key in dict.fromkeys((*before, *after)):
            a, b = before.get(key), after.get(key)
            if a == b:
                continue
            cells = _cells(a, b)
            if table in ("evidence", "sources") or not cells:
                silent += 1
            else:
                lines.append(f"  {path} {'/'.join(key)}: {cells}")
    yield f"facts changed: {len(changed) or 'none'}"
    yield from (f"  {cell}" for cell in sorted(changed))
    yield f"rows changed: {len(lines) or 'none'}"
    yield from lines
    if silent:
        yield f"  and {silent} rows of which only the note, the evidence or the source changed"


def _cells(a: dict[str, str] | None, b: dict[str, str] | None) -> str:
    """What is otherwise in a row; blank if only its note or source is."""
    if a is None or b is None:
        return "new" if a is None else "gone"
    names = [c for c in dict.fromkeys((*a, *b)) if c not in ("note", "source") and a.get(c, "") != b.get(c, "")]
    return ", ".join(f"{c} {a.get(c) or 'blank'} -> {b.get(c) or 'blank'}" for c in names)
