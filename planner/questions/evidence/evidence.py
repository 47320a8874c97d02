"""Where the numbers of an instance come from, how sure they are, and which weigh most in a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...arguments import checked
from ...errors import UsageError
from ...instance.checks.evidence import is_date
from ...instance.declare import joined_key
from ...instance.loading import given_instance
from ...instance.tables import TABLES, columns
from ...language import N_, _, n_, number, p_, translated
from ...runs.run import given_run
from ...words import commas
from ..study import Study, Table, Value, text_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run

# what a number can rest on, the surest first
BACKINGS = (N_("published"), N_("derived"), N_("cited"), N_("judgement"), N_("neither"))
COUNTS = (N_("numbers"), *BACKINGS, N_("ranged"))  # columns of the table ``coverage``
OLDER = {"fact": "published", "estimate": "judgement", "assumption": "judgement"}  # words that evidence.csv may use too
ASSUMED = "assumption"
NO_FIGURES = ("latitude", "longitude")  # places on the map are no numbers of the model
OLD_YEARS = 3


@dataclass(frozen=True, repr=False)
class Evidence(Study):
    """How the numbers of an instance are backed.

    ages        numbers that cite no source younger than 3 years before the newest one, and all that cite a dated one
    confidence  how many numbers have a range, by the confidence in it
    The frames are the tables of the same names, see HOLDS; ``weights`` is None without a run, ``stale`` without a date.
    """

    COMMAND, MANIFEST, OF = "evidence", "evidence.json", "instance"
    HOLDS = (
        Table(
            "coverage",
            "Each table of the instance, and its numbers: cells that differ from the column's default. What a number "
            "rests on, evidence.csv tells for the cell; for a cell that it does not tell of, its row does.",
            """
            table     | text    | | the table
            numbers   | integer | | how many numbers it has
            published | integer | | those that a source holds
            derived   | integer | | those that follow from published ones by a stated formula
            cited     | integer | | those whose row cites a source, which nobody verified for the number
            judgement | integer | | those that were judged, or whose row cites nothing and says that it assumes them
            neither   | integer | | those whose row neither cites nor says that it assumes
            ranged    | integer | | those that have a range in evidence.csv
            """,
        ),
        Table(
            "sources",
            "The sources, those that carry most numbers first.",
            """
            source  | text    | | the source
            numbers | integer | | how many numbers cite it
            date    | text    | | when it was published
            title   | text    | | its title
            """,
        ),
        Value("old_numbers", "numbers that cite no source younger than 3 years before the newest one"),
        Value("dated_numbers", "numbers that cite a dated source"),
        Value("confidence", "how many numbers have a range, by the confidence in it"),
        Table(
            "unbacked",
            "Rows with numbers that neither cite a source nor say `assumption:`.",
            """
            table | text | | the table
            key   | text | | key of the row
            place | text | | file and line
            """,
        ),
        Table(
            "stale",
            "With a date: cells of evidence.csv that were to be looked at again before it, the longest overdue first.",
            """
            table     | text   |        | table of the number
            key       | text   |        | key of its row
            column    | text   |        | its column
            value     | number | column | the number
            kind      | text   |        | what it rests on
            as_of     | text   |        | when it held
            review_by | text   |        | by when it was to be looked at again
            note      | text   |        | what evidence.csv says of it
            """,
        ),
        Table(
            "weights",
            "With a run: ranges of evidence.csv, those that weigh most in the plan first.",
            """
            table      | text   |        | table of the number
            key        | text   |        | key of its row
            column     | text   |        | its column
            value      | number | column | the number
            low        | number | column | low end of its range
            high       | number | column | high end of its range
            confidence | text   |        | confidence in it
            kind       | text   |        | what the number rests on
            musd       | number | MUSD   | change of present cost from the low to the high end: marginal value in the
                plan times the range, which may be wider than the marginal value holds for; blank where a number has no
                marginal value, such as a lead; these rows stand last
            """,
        ),
    )  # fmt: skip

    coverage: pd.DataFrame
    sources: pd.DataFrame
    ages: tuple[int, int]
    confidence: Mapping[str, int]
    unbacked: pd.DataFrame
    stale: pd.DataFrame | None
    weights: pd.DataFrame | None

    @property
    def old_numbers(self) -> int:
        """How many numbers cite no source younger than 3 years before the newest one."""
        return self.ages[0]

    @property
    def dated_numbers(self) -> int:
        """How many numbers cite a dated source."""
        return self.ages[1]

    def __str__(self) -> str:
        total = self.coverage.drop(columns="table").sum()
        lines = [
            _(
                "{numbers} numbers: {published} are published, {derived} derived from published ones, {cited} cite a "
                "source that was not verified, {judgement} are judged, {neither} say nothing",
                **{name: number(f"{total[name]:,}") for name in COUNTS[:-1]},
            )
        ]
        columns = [("  " + _("table"), "<20"), *((translated(name), ">9") for name in COUNTS)]
        counts = self.coverage.itertuples(index=False)
        lines += text_table(columns, [(f"  {of}", *(number(f"{n:,}") for n in numbers)) for of, *numbers in counts])
        if self.confidence:
            words = commas(
                _("{n} of {confidence} confidence", n=number(f"{n:,}"), confidence=confidence_of(c))
                for c, n in self.confidence.items()
            )
            lines.append(_("Ranges: {n} numbers have one; {parts}", n=number(f"{total['ranged']:,}"), parts=words))
        if self.ages[1]:
            lines.append(
                _(
                    "Age: {old} of {dated} dated numbers rest on sources older than {years} years before the newest",
                    old=number(f"{self.ages[0]:,}"),
                    dated=number(f"{self.ages[1]:,}"),
                    years=OLD_YEARS,
                )
            )
        lines.append(_("Sources that carry most numbers:"))
        lines += [f"  {r.numbers:>6,}  {r.source}  {r.title} ({r.date})" for r in self.sources.head(8).itertuples()]
        if len(self.unbacked):
            lines.append(
                _("{n} rows with numbers neither cite a source nor say that they assume:", n=len(self.unbacked))
            )
            lines += [f"  {r.place}  {r.table} {r.key}" for r in self.unbacked.head(10).itertuples()]
        if self.stale is not None:
            lines.append(n_("To be looked at again: {n} number", "To be looked at again: {n} numbers", len(self.stale)))
            for r in self.stale.head(20).itertuples():
                told = _(
                    "{cell} = {value} ({kind}, as of {date}): {note}",
                    cell=f"{r.table} {r.key} {r.column}",
                    value=number(f"{r.value:,.6g}"),
                    kind=translated(r.kind),
                    date=r.as_of or _("no date"),
                    note=r.note,
                )
                lines.append(f"  {r.review_by:<10}  {told}")
        if self.weights is not None:
            known = self.weights[self.weights["musd"].notna()]
            lines.append(
                _(
                    "Ranges that weigh most in the plan (present cost from the low to the high end, by the rate in the "
                    "plan, which may hold for less; sensitivity solves the ends):"
                )
            )
            for r in known.head(15).itertuples():
                told = _(
                    "{cell}: {low} to {high} ({value}; {kind}, {confidence} confidence)",
                    cell=f"{r.table} {r.key} {r.column}",
                    **{end: number(f"{getattr(r, end):,.6g}") for end in ("low", "high", "value")},
                    kind=translated(r.kind),
                    confidence=confidence_of(r.confidence),
                )
                lines.append(f"  {number(f'{r.musd:>+11,.4g}')} MUSD  {told}")
            without = Counter(f"{r.table}.{r.column}" for r in self.weights.itertuples() if r.musd != r.musd)
            if without:
                told = commas(f"{name} {number(f'{count:,}')}" for name, count in without.most_common())
                lines.append(_("Ranges without a rate, whose ends only sensitivity can solve: {parts}", parts=told))
        return "\n".join(lines)


def confidence_of(word: str) -> str:
    """Return a confidence of evidence.csv in the present language."""
    return {"high": p_("confidence", "high"), "medium": p_("confidence", "medium"), "low": p_("confidence", "low")}[
        word
    ]


@checked
def evidence(
    instance: Instance | str | Path, run: Run | str | Path | None = None, stale: str | None = None
) -> Evidence:
    """How the numbers of an instance are backed; with a run also which ranges of evidence.csv weigh most in it.

    The weights come from one more solve of the operations with the builds of the run held (none without a run).
    ``stale``, a date such as 2026-11-25, lists what was to be looked at again before it. Raises UsageError if it is
    no date.
    """
    if stale is not None and not is_date(stale):
        raise UsageError(f"{stale!r} is no date; write 2026-11-26, 2026-11 or 2026")
    instance = given_instance(instance)
    run = None if run is None else given_run(run)
    import pandas as pd

    told = {(e.table, e.key, e.column): e for e in instance.evidence}
    ranged = Counter(e.table for e in instance.evidence if e.low is not None and e.high is not None)
    dates = {s.source: s.date for s in instance.sources}
    years = {source: year for source, date in dates.items() if (year := _year(date)) is not None}
    newest = max(years.values(), default=0)
    carried: Counter[str] = Counter()
    old = dated = 0
    unbacked = []
    for table in TABLES:
        for row, kinds, place in _numbers(instance, table, told):
            numbers = len(kinds)
            for source in row.source:
                carried[source] += numbers
            known = [years[s] for s in row.source if s in years]
            if known:
                dated += numbers
                old += numbers if max(known) < newest - OLD_YEARS else 0
            if "neither" in kinds.values():
                unbacked.append((table, joined_key(row), place))
    rows = [
        (table, sum(counts.values()), *(counts[kind] for kind in BACKINGS), ranged[table])
        for table, counts in backing(instance).items()
    ]
    titles = {s.source: s.title for s in instance.sources}
    by_source = sorted(carried.items(), key=lambda item: (-item[1], item[0]))
    return Evidence(
        pd.DataFrame(rows, columns=Evidence.columns("coverage")),
        pd.DataFrame(
            [(s, n, dates.get(s, ""), titles.get(s, "")) for s, n in by_source],
            columns=Evidence.columns("sources"),
        ),
        (old, dated),
        dict(Counter(e.confidence for e in told.values() if e.low is not None and e.high is not None).most_common()),
        pd.DataFrame(unbacked, columns=Evidence.columns("unbacked")),
        None if stale is None else _stale(instance, stale),
        None if run is None else _weights(instance, run),
    )


def backing(instance: Instance) -> dict[str, dict[str, int]]:
    """Return table -> kind of `BACKINGS` -> how many of its numbers are of this kind; no table without any."""
    told = {(e.table, e.key, e.column): e for e in instance.evidence}
    found: dict[str, dict[str, int]] = {}
    for table in TABLES:
        counts = dict.fromkeys(BACKINGS, 0)
        for _row, kinds, _place in _numbers(instance, table, told):
            for kind in kinds.values():
                counts[kind] += 1
        if any(counts.values()):
            found[table] = counts
    return found


def _year(date: str) -> int | None:
    """The first year named in a date of publication."""
    import re

    found = re.search(r"\b(19|20)\d{2}\b", date)
    return int(found[0]) if found else None


def _numbers(
    instance: Instance, table: str, told: Mapping[tuple[str, str, str], Any]
) -> Iterator[tuple[Any, dict[str, str], str]]:
    """Active rows that hold numbers other than a column's default: row, column -> what it rests on, file and line.

    told    (table, key, column) -> row of evidence.csv
    """
    if table in ("sources", "evidence"):
        return
    of_table = TABLES[table]
    names = [
        name
        for name, c in columns(table).items()
        if c.kind in ("number", "whole") and name not in of_table.KEY and name not in NO_FIGURES
    ]
    defaults = {name: of_table.model_fields[name].default for name in names}
    for entry in instance.entries(table):
        if not entry.row.active:
            continue
        key, by_row = joined_key(entry.row), _of_row(entry.row)
        kinds = {}
        for name in names:
            if getattr(entry.row, name) not in (None, defaults[name]):
                cell = told.get((table, key, name))
                kinds[name] = by_row if cell is None else OLDER.get(cell.kind, cell.kind)
        if kinds:
            place = entry.place
            yield entry.row, kinds, place.file if place.line is None else f"{place.file}:{place.line}"


def _of_row(row: Any) -> str:
    """What a number rests on of which only its row tells."""
    if getattr(row, "source", ()):
        return "cited"
    return "judgement" if row.note.strip().lower().startswith(ASSUMED) else "neither"


def _stale(instance: Instance, day: str) -> pd.DataFrame:
    """Cells that were to be looked at again before ``day``; a month or a year ends with its last day."""
    import pandas as pd

    found = rows_told_of(instance)
    rows = [
        (e.table, e.key, e.column, getattr(row, e.column), OLDER.get(e.kind, e.kind), e.as_of, e.review_by, e.note)
        for e in instance.evidence
        if e.review_by and day[: len(e.review_by)] > e.review_by and (row := found.get((e.table, e.key))) is not None
    ]
    table = pd.DataFrame(rows, columns=Evidence.columns("stale"))
    return table.sort_values(["review_by", "table", "key", "column"], kind="stable").reset_index(drop=True)


def rows_told_of(instance: Instance) -> dict[tuple[str, str], Any]:
    """Return (table, key) -> active row, of all tables of which evidence.csv speaks."""
    tables = {e.table for e in instance.evidence}
    return {(table, joined_key(row)): row for table in tables for row in instance.rows(table)}


def _weights(instance: Instance, run: Run) -> pd.DataFrame:
    """Ranges by what their span is worth in the plan."""
    import pandas as pd

    from .marginals import marginal_values

    value_of = marginal_values(instance, run)
    found = rows_told_of(instance)
    rows = []
    for e in instance.evidence:
        row = found.get((e.table, e.key))
        if row is None or e.low is None or e.high is None:
            continue
        worth = value_of(e.table, row, e.column)
        musd = None if worth is None else worth * (e.high - e.low)
        kind = OLDER.get(e.kind, e.kind)
        rows.append((e.table, e.key, e.column, getattr(row, e.column), e.low, e.high, e.confidence, kind, musd))
    table = pd.DataFrame(rows, columns=Evidence.columns("weights"))
    table["musd"] = table["musd"].astype(float)
    order = table["musd"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
