"""Tables of what numbers rest on; part of the schema in ``tables.py``."""

from typing import Literal

from .declare import CitedRow, Row, choice, key, number, text


class Evidence(CitedRow):
    """What a number in another table rests on, and its range; used by `evidence` and `sensitivity`."""

    TABLE = "evidence"
    KEY = ("table", "key", "column")

    table: str = text("the table in which the number stands")
    key: str = text("the row's key columns, joined by /")
    column: str = text("the column of the number")
    low: float | None = number("what it may be at the least", "as the column", None, "not known", ge=None)
    high: float | None = number("what it may be at the most", "as the column", None, "not known", ge=None)
    confidence: Literal["high", "medium", "low"] = choice("how sure the number is")
    kind: Literal["published", "derived", "cited", "judgement", "fact", "estimate", "assumption"] = choice(
        "`published`: a source holds this figure; `derived`: it follows from published ones by the formula in the "
        "note; `cited`: sources are cited, and whether they hold this figure was not verified; `judgement`: it was "
        "judged. Older words: `fact` is published, `estimate` and `assumption` are judgement"
    )
    as_of: str = text("day, month or year for which it held (2026-11-26, 2026-11 or 2026)", blank="not said")
    review_by: str = text("day, month or year by which it is to be looked at again", blank="never")


class Source(Row):
    """A source of figures."""

    TABLE = "sources"
    KEY = ("source",)

    source: str = key("short name")
    title: str = text("title")
    publisher: str = text("who published it")
    url: str = text("address")
    date: str = text("date of publication")
