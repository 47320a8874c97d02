"""The fact tables and their sources.

A fact is one row of a CSV file in ``facts/``. Nothing is typed in twice: a number that a fact holds is read from it, and the row that uses it
carries the fact's sources and its id, so that a reader goes from a table of an instance to the fact and from there to the page it came from.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FACTS = Path(__file__).resolve().parent.parent / "facts"
SOURCE_FILES = ("sources_upstream", "sources_downstream", "sources_demand")
NO_SOURCE = frozenset({"estimate", "S_MEM"})  # ids in the facts that say that nothing published was seen


@dataclass(frozen=True)
class Fact:
    """One row of a fact table; ``fact["capacity_t"]`` is text, ``fact.number("capacity_t")`` a number."""

    file: str
    id: str
    row: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.row[column]

    def number(self, column: str) -> float:
        """The number in ``column``; an empty cell is an error, because no default may hide a gap."""
        text = self.row[column]
        if not text:
            raise ValueError(f"{self.file}.csv {self.id}: {column} is empty")
        return float(text)

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the sources, without the markers of estimates and of what is known from memory only."""
        return tuple(s for s in self.row["sources"].split(";") if s and s not in NO_SOURCE)

    @property
    def estimated(self) -> bool:
        """True where the compiler of the facts marked the row as (partly) estimated, or remembered."""
        return not NO_SOURCE.isdisjoint(self.row["sources"].split(";")) or not self.sources

    @property
    def estimated_columns(self) -> str:
        """The columns that the row's own notes list as estimated (after ``EST_FIELDS:``), or blank."""
        return self.row.get("notes", "").partition("EST_FIELDS:")[2].strip()

    @property
    def label(self) -> str:
        return f"{self.file}.csv {self.id}"


@cache
def read(file: str) -> tuple[dict[str, str], ...]:
    """All rows of ``facts/FILE.csv`` as text."""
    with (FACTS / f"{file}.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))


@cache
def table(file: str, key: str = "id") -> dict[str, Fact]:
    """The facts of one file by id (or by another column that is unique)."""
    rows = {row[key]: Fact(file, row[key], row) for row in read(file)}
    if len(rows) != len(read(file)):
        raise ValueError(f"{file}.csv: {key} is not unique")
    return rows


def find(file: str, **where: str) -> Fact:
    """The only row of ``file`` with these values; its id is made of them."""
    matching = [row for row in read(file) if all(row[column] == value for column, value in where.items())]
    if len(matching) != 1:
        raise ValueError(f"{file}.csv: {len(matching)} rows with {where}")
    return Fact(file, " ".join(where.values()), matching[0])


@cache
def sources() -> dict[str, dict[str, str]]:
    """All sources by id (columns id, title, publisher, url, date)."""
    merged: dict[str, dict[str, str]] = {}
    for file in SOURCE_FILES:
        for row in read(file):
            if row["id"] not in NO_SOURCE:
                if row["id"] in merged:
                    raise ValueError(f"{file}.csv: {row['id']} stands twice")
                merged[row["id"]] = row
    return merged


def cite(*facts: Fact, assumed: str = "", remark: str = "") -> dict[str, str]:
    """Columns ``source`` and ``note`` of a row that rests on ``facts``.

    assumed   what is judgement and why; the note then begins with ``assumption:``. Facts marked as estimates are assumptions too, and say so.
    remark    what else a reader should know
    """
    ids: list[str] = []
    for fact in facts:
        ids += [s for s in fact.sources if s not in ids]
    reasons = [assumed] if assumed else []
    guesses = [
        f.label + (f" ({f.estimated_columns.replace(' ', ', ')})" if f.estimated_columns else "")
        for f in facts
        if f.estimated
    ]
    if guesses:
        reasons.append("estimates in " + ", ".join(guesses))
    sure = [fact.label for fact in facts if not fact.estimated]
    parts = []
    if reasons:
        parts.append("assumption: " + "; ".join(reasons))
    if sure:
        parts.append("fact: " + ", ".join(sure))
    if remark:
        parts.append(remark)
    return {"source": ";".join(ids), "note": ". ".join(parts)}


def assume(reason: str) -> dict[str, str]:
    """Columns ``source`` and ``note`` of a row without any source."""
    return {"source": "", "note": f"assumption: {reason}"}
