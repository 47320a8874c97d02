"""What is known about a cell of the facts or choices: what kind of number it is, when it held, when to look again, how sure it is.

``claims.csv`` says it, for one cell, for a row (blank ``column``), for a column (blank ``fact``) or for a whole table; the narrowest row that
fills a column counts. Where it is silent, a cell of a row that cites sources is ``cited``, and any other is ``judgement``. The value itself stands
in its table only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .facts import NO_SOURCE, Fact, path, read, source, table

KINDS = ("judgement", "cited", "derived", "published")  # the weakest first
CONFIDENCES = ("low", "medium", "high")
DATE = re.compile(r"\b(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-[0-3]\d)?)?\b")
Cell = tuple[str, str, str]  # table, row, column


@dataclass(frozen=True)
class Claim:
    """What is known about one cell, or about a number computed from several."""

    kind: str
    as_of: str
    review_by: str
    confidence: str
    sources: tuple[str, ...]


@cache
def _rows() -> dict[Cell, Fact]:
    """The rows of claims.csv by what they speak of; raises FactError where that does not exist."""
    found = {}
    for row in read("claims"):
        of, fact, column = row["table"], row["fact"], row["column"]
        if fact and fact not in table(of):
            row.refuse("fact", f"is no row of {path(of).name}; write the columns that name the row, joined by /")
        if column and column not in read(of)[0].row:
            row.refuse("column", f"is no column of {path(of).name}")
        if row["kind"] not in ("", *KINDS):
            row.refuse("kind", f"{row['kind']!r} is none of {', '.join(KINDS)}")
        if row["kind"] == "derived" and not row["why"]:
            row.refuse("why", "is blank; a derived number needs its formula")
        for date in ("as_of", "review_by"):
            if row[date] and not DATE.fullmatch(row[date]):
                row.refuse(date, f"{row[date]!r} is no date; write 2026-11-26, 2026-11 or 2026")
        if row["confidence"] not in ("", *CONFIDENCES):
            row.refuse("confidence", f"{row['confidence']!r} is none of {', '.join(CONFIDENCES)}")
        found[of, fact, column] = row
    return found


@cache
def of_cell(cell: Cell) -> Claim:
    """What is known about one cell."""
    of, id_, column = cell
    fact = table(of)[id_]
    rows = [
        row for key in (cell, (of, id_, ""), (of, "", column), (of, "", "")) if (row := _rows().get(key)) is not None
    ]

    def said(what: str) -> str:
        return next((row[what] for row in rows if row[what]), "")

    cites = bool(fact.sources) and NO_SOURCE.isdisjoint(fact["sources"].split(";"))
    given = said("source")
    cited = tuple(given.split(";")) if given else fact.sources
    dates = [found[0] for s in cited if (found := DATE.search(source(s)["date"]))]
    own = DATE.search(fact.row.get("as_of") or fact.row.get("date", ""))
    return Claim(
        kind=said("kind") or ("cited" if cites else "judgement"),
        as_of=said("as_of") or (own[0] if own else max(dates, default="")),
        review_by=said("review_by"),
        confidence=said("confidence") or fact.row.get("confidence", "") or "low",
        sources=cited,
    )


def of_number(cells: Iterable[Cell]) -> Claim:
    """What is known about a number that was computed from ``cells``: as weak and as old as the weakest and oldest of them.

    A number that follows from several published or derived ones is derived.
    """
    claims = [of_cell(cell) for cell in cells]
    weakest = min((c.kind for c in claims), key=KINDS.index)
    return Claim(
        kind="derived" if weakest == "published" and len(claims) > 1 else weakest,
        as_of=min((c.as_of for c in claims if c.as_of), default=""),
        review_by=min((c.review_by for c in claims if c.review_by), default=""),
        confidence=min((c.confidence for c in claims), key=CONFIDENCES.index),
        sources=tuple(dict.fromkeys(s for c in claims for s in c.sources)),
    )


def told(cell: Cell) -> str:
    """A cell with its value and kind, for a note."""
    of, id_, column = cell
    return f"{of} {id_} {column} {table(of)[id_][column]} {of_cell(cell).kind}"
