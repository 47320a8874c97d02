"""The fact tables, the choices, and the claims on their cells.

A fact is one row of a CSV file in ``facts/`` (what the world says) or ``choices/`` (what this project decides about it: one form for both). Nothing is
typed in twice and no number of the world stands in the code: a number is read from its row, and remembers the cells that it rests on, so that every
cell of an instance tells from which cells of the facts it follows, and how sure these are.
"""

from __future__ import annotations

import csv
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

EVIDENCE = Path(__file__).resolve().parent.parent
FOLDERS = ("facts", "choices", ".")
SOURCE_FILES = ("sources_upstream", "sources_downstream", "sources_demand", "sources_samarium")
NO_SOURCE = frozenset({"estimate", "S_MEM"})  # ids in the facts that say that nothing published was seen
NAMED = ("mines", "separation", "metal_alloy", "magnets", "recycling", "startup_funding", "disruptions", "samarium",
         "stage_yields_costs_upstream", "stage_yields_costs_downstream")  # fmt: skip  # tables whose rows have an id of their own
KEYS: dict[str, tuple[str, ...]] = {  # the columns that name a row, joined by / ; elsewhere the first column
    "demand": ("region", "sector", "year", "method"), "grade_mix": ("sector", "grade"), "prices": ("item", "market", "date", "unit"),
    "trade_costs": ("item", "origin", "destination", "year"), "policy_events": ("date", "country", "event", "parameter"),
    "policy_events_upstream": ("date", "country", "event"), "stage_shares": ("year", "stage", "element_group", "country"),
    "recipes": ("process", "material", "role"), "unnamed_countries": ("kind", "country"), "lanes": ("group", "origin", "destination", "materials"),
    "near": ("origin", "destination"), "suppliers": ("origin", "destination"), "left_out": ("table", "fact"), "price_floors": ("facility", "market"), "overlay_caps": ("overlay", "cap"),
    "smco_lanes": ("material", "origin", "destination"), "stocks": ("overlay", "prefix", "material"),
    "substitute_shares": ("substitute", "year"),
    "claims": ("table", "fact", "column"), "states": ("project", "part", "state", "as_of"),
}  # fmt: skip


class FactError(Exception):
    """Something is wrong in a table of facts or choices; the text names file, line, column and cure."""


class Number(float):
    """A number that remembers ``cells``: (table, row, column) of all that it was computed from."""

    cells: tuple[tuple[str, str, str], ...]

    def __new__(cls, value: float, cells: Iterable[tuple[str, str, str]] = ()) -> Number:
        number = super().__new__(cls, value)
        number.cells = tuple(dict.fromkeys(cells))
        return number

    def __str__(self) -> str:
        return f"{float(self):.10g}"

    def __round__(self, digits: int | None = None) -> Number:  # type: ignore[override]
        return Number(round(float(self), digits), self.cells)

    def __neg__(self) -> Number:
        return Number(-float(self), self.cells)


def _remembering(of: Callable[[float, float], float], turned: bool) -> Callable[[Number, Any], Any]:
    def operate(self: Number, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        mine, its = float(self), float(other)
        others = other.cells if isinstance(other, Number) else ()
        if turned:
            return Number(of(its, mine), (*others, *self.cells))
        return Number(of(mine, its), (*self.cells, *others))

    return operate


for _name in ("add", "sub", "mul", "truediv"):
    setattr(Number, f"__{_name}__", _remembering(getattr(operator, _name), turned=False))
    setattr(Number, f"__r{_name}__", _remembering(getattr(operator, _name), turned=True))


@dataclass(frozen=True)
class Fact:
    """One row of a table; ``fact["capacity_t"]`` is text, ``fact.number("capacity_t")`` a number."""

    file: str
    id: str
    row: dict[str, str]
    line: int = 0
    name: str = ""  # in notes, where the id is long

    def __getitem__(self, column: str) -> str:
        if column not in self.row:
            self.refuse(column, f"is missing; {path(self.file).name} needs a column of that name")
        return self.row[column]

    def number(self, column: str) -> Number:
        """The number in ``column``; an empty cell is an error, because no default may hide a gap."""
        found = self.optional(column)
        if found is None:
            self.refuse(column, "is empty; a number is needed")
        return found

    def optional(self, column: str) -> Number | None:
        """The number in ``column``, or None where the cell is empty."""
        text = self[column]
        if not text:
            return None
        try:
            return Number(float(text), [(self.file, self.id, column)])
        except ValueError:
            self.refuse(column, f"{text!r} is no number; write digits, with a point before decimals")

    def flag(self, column: str) -> bool:
        """True for yes, False for a blank or no."""
        if self[column] not in ("", "yes", "no"):
            self.refuse(column, f"{self[column]!r} is neither yes nor no")
        return self[column] == "yes"

    def words(self, column: str) -> tuple[str, ...]:
        """What stands between semicolons in ``column``."""
        return tuple(word for word in self[column].split(";") if word)

    def refuse(self, column: str, reason: str) -> NoReturn:
        """Raise FactError on the cell in ``column``."""
        raise FactError(f"{path(self.file)}:{self.line}: {column} of {self.id} {reason}")

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the sources, without the markers of estimates and of what is known from memory only."""
        return tuple(s for s in self.row.get("sources", "").split(";") if s and s not in NO_SOURCE)

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
        return f"{self.file}.csv {self.name or self.id}"


def path(file: str) -> Path:
    """Where the table ``file`` stands."""
    return next(p for folder in FOLDERS if (p := EVIDENCE / folder / f"{file}.csv").exists())


@cache
def read(file: str) -> tuple[Fact, ...]:
    """All rows of one table."""
    with path(file).open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        header = tuple(reader.fieldnames or ())
        columns = KEYS.get(file, header[:1])
        rows = []
        for cells in reader:
            if None in cells or None in cells.values():
                raise FactError(
                    f"{path(file)}:{reader.line_num}: not as many cells as the {len(header)} of the header; quote text with commas"
                )
            rows.append(Fact(file, "/".join(cells[c] for c in columns), cells, reader.line_num))
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            row.refuse(", ".join(columns), "stands in two rows; each row needs a name of its own")
        seen.add(row.id)
    return tuple(rows)


class Rows(dict[str, Fact]):
    """Rows by id; one that is not there is an error with place and cure."""

    def __init__(self, file: str) -> None:
        super().__init__((fact.id, fact) for fact in read(file))
        self.file = file

    def __missing__(self, id_: str) -> NoReturn:
        raise FactError(
            f"{path(self.file)}: no row {id_!r}, which another table names; add it, or correct the name there"
        )


@cache
def table(file: str) -> Rows:
    """The rows of one table by id."""
    return Rows(file)


def find(file: str, **where: str) -> Fact:
    """The only row of ``file`` with these values; its name in notes is made of them."""
    matching = [fact for fact in read(file) if all(fact[column] == value for column, value in where.items())]
    if len(matching) != 1:
        raise FactError(f"{path(file)}: {len(matching)} rows with {where}; there must be one")
    return replace(matching[0], name=" ".join(where.values()))


def named(fact: str) -> Fact:
    """The fact with this id, in whichever table it stands."""
    for file in NAMED:
        if fact in table(file):
            return table(file)[fact]
    raise FactError(f"{EVIDENCE / 'facts'}: no table has a row with the id {fact}")


def reference(text: str) -> Fact:
    """The row that is named as ``table|column=value|column=value``."""
    file, *where = text.split("|")
    return find(file, **dict(part.split("=", 1) for part in where))


def parameter(name: str) -> Number:
    """A number of choices/parameters.csv."""
    return table("parameters")[name].number("value")


@cache
def source(id_: str) -> dict[str, str]:
    """A source by its id: columns id, title, publisher, url, date, what_it_supports."""
    found = [table(file)[id_] for file in SOURCE_FILES if id_ in table(file)]
    if len(found) != 1:
        raise FactError(
            f"{EVIDENCE / 'facts'}: {len(found)} rows of sources_*.csv have the id {id_}, which a fact cites; there must be one"
        )
    return found[0].row


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
