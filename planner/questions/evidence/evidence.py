"""Where the numbers of an instance come from, how sure they are, and which weigh most in a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...arguments import checked
from ...instance.declare import joined_key
from ...instance.loading import given_instance
from ...instance.tables import TABLES, columns
from ...runs.run import given_run
from ..study import Study, Table, Value, text_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run

BACKINGS = ("sourced", "both", "assumed", "neither")  # what a number can rest on, as in the columns of ``coverage``
ASSUMED = "assumption"
OLD_YEARS = 3


@dataclass(frozen=True, repr=False)
class Evidence(Study):
    """How the numbers of an instance are backed.

    ages        numbers that cite no source younger than 3 years before the newest one, and all that cite a dated one
    confidence  how many numbers have a range, by the confidence in it
    The frames are the tables of the same names, see HOLDS; ``weights`` is None without a run.
    """

    COMMAND, MANIFEST, OF = "evidence", "evidence.json", "instance"
    HOLDS = (
        Table(
            "coverage",
            "Each table of the instance, and its numbers: cells that differ from the column's default.",
            """
            table   | text    | | the table
            numbers | integer | | how many numbers it has
            sourced | integer | | those whose row cites a source
            both    | integer | | those whose row cites a source and says what it assumes beyond it
            assumed | integer | | those whose row says that it assumes them
            neither | integer | | those whose row does neither
            ranged  | integer | | those that have a range in evidence.csv
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
            kind       | text   |        | what the range is
            musd       | number | MUSD   | change of present cost from the low to the high end: marginal value in the
                plan times the range, which may be wider than the marginal value holds for
            """,
        ),
    )  # fmt: skip

    coverage: pd.DataFrame
    sources: pd.DataFrame
    ages: tuple[int, int]
    confidence: Mapping[str, int]
    unbacked: pd.DataFrame
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
        total = self.coverage[["numbers", "sourced", "assumed", "both", "neither", "ranged"]].sum()
        lines = [
            f"{total['numbers']:,} numbers: {total['sourced'] + total['both']:,} cite a source "
            f"({total['both']:,} of them say what they assume beyond it), "
            f"{total['assumed']:,} are declared assumptions, {total['neither']:,} neither"
        ]
        columns = [("  table", "<20"), *((name, ">8") for name in self.coverage.columns[1:])]
        counts = self.coverage.itertuples(index=False)
        lines += text_table(columns, [(f"  {table}", *(f"{n:,}" for n in numbers)) for table, *numbers in counts])
        if self.confidence:
            words = ", ".join(f"{n:,} of {c} confidence" for c, n in self.confidence.items())
            lines.append(f"Ranges: {total['ranged']:,} numbers have one; {words}")
        if self.ages[1]:
            lines.append(
                f"Age: {self.ages[0]:,} of {self.ages[1]:,} dated numbers rest on sources older than "
                f"{OLD_YEARS} years before the newest"
            )
        lines.append("Sources that carry most numbers:")
        lines += [f"  {r.numbers:>6,}  {r.source}  {r.title} ({r.date})" for r in self.sources.head(8).itertuples()]
        if len(self.unbacked):
            lines.append(f"{len(self.unbacked)} rows with numbers neither cite a source nor say that they assume:")
            lines += [f"  {r.place}  {r.table} {r.key}" for r in self.unbacked.head(10).itertuples()]
        if self.weights is not None:
            lines.append(
                "Ranges that weigh most in the plan (present cost from the low to the high end, by the rate in the "
                "plan, which may hold for less; sensitivity solves the ends):"
            )
            for r in self.weights.head(15).itertuples():
                lines.append(
                    f"  {r.musd:>+11,.4g} MUSD  {r.table} {r.key} {r.column}: {r.low:,.6g} to {r.high:,.6g} "
                    f"({r.value:,.6g}; {r.kind}, {r.confidence} confidence)"
                )
        return "\n".join(lines)


@checked
def evidence(instance: Instance | str | Path, run: Run | str | Path | None = None) -> Evidence:
    """How the numbers of an instance are backed; with a run also which ranges of evidence.csv weigh most in it.

    The weights come from one more solve of the operations with the builds of the run held (none without a run).
    """
    instance = given_instance(instance)
    run = None if run is None else given_run(run)
    import pandas as pd

    ranged = Counter(e.table for e in instance.evidence)
    dates = {s.source: s.date for s in instance.sources}
    years = {source: year for source, date in dates.items() if (year := _year(date)) is not None}
    newest = max(years.values(), default=0)
    carried: Counter[str] = Counter()
    old = dated = 0
    unbacked = []
    for table in TABLES:
        for row, numbers, kind, place in _numbers(instance, table):
            for source in row.source:
                carried[source] += numbers
            known = [years[s] for s in row.source if s in years]
            if known:
                dated += numbers
                old += numbers if max(known) < newest - OLD_YEARS else 0
            if kind == "neither":
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
        dict(Counter(e.confidence for e in instance.evidence).most_common()),
        pd.DataFrame(unbacked, columns=Evidence.columns("unbacked")),
        None if run is None else _weights(instance, run),
    )


def backing(instance: Instance) -> dict[str, dict[str, int]]:
    """Return table -> kind of `BACKINGS` -> how many of its numbers are of this kind; no table without any."""
    found: dict[str, dict[str, int]] = {}
    for table in TABLES:
        counts = dict.fromkeys(BACKINGS, 0)
        for _, numbers, kind, _ in _numbers(instance, table):
            counts[kind] += numbers
        if any(counts.values()):
            found[table] = counts
    return found


def _year(date: str) -> int | None:
    """The first year named in a date of publication."""
    import re

    found = re.search(r"\b(19|20)\d{2}\b", date)
    return int(found[0]) if found else None


def _numbers(instance: Instance, table: str) -> Iterator[tuple[Any, int, str, str]]:
    """Active rows that hold numbers other than a column's default: row, how many, what they rest on, file and line.

    Places on the map and ranges of numbers are no numbers of the model, and left out.
    """
    if table in ("sources", "evidence"):
        return
    of_table = [
        (name, c) for name, c in columns(table).items() if c.kind == "number" and name not in ("latitude", "longitude")
    ]
    defaults = {name: TABLES[table].model_fields[name].default for name, _ in of_table}
    for entry in instance.entries(table):
        if not entry.row.active:
            continue
        count = sum(getattr(entry.row, name) not in (None, defaults[name]) for name, _ in of_table)
        if count:
            assumed = entry.row.note.strip().lower().startswith(ASSUMED)
            cited, alone = ("both", "assumed") if assumed else ("sourced", "neither")
            kind = cited if getattr(entry.row, "source", ()) else alone
            place = entry.place
            yield entry.row, count, kind, place.file if place.line is None else f"{place.file}:{place.line}"


def _weights(instance: Instance, run: Run) -> pd.DataFrame:
    """Ranges by what their span is worth in the plan."""
    import pandas as pd

    from .marginals import marginal_values

    value_of = marginal_values(instance, run)
    found: dict[tuple[str, str], Any] = {}
    for table in {e.table for e in instance.evidence}:
        found.update({(table, joined_key(row)): row for row in instance.rows(table)})
    rows = []
    for e in instance.evidence:
        row = found.get((e.table, e.key))
        if row is None or e.low is None or e.high is None:
            continue
        worth = value_of(e.table, row, e.column)
        if worth is None:
            continue
        value = getattr(row, e.column)
        rows.append((e.table, e.key, e.column, value, e.low, e.high, e.confidence, e.kind, worth * (e.high - e.low)))
    table = pd.DataFrame(rows, columns=Evidence.columns("weights"))
    order = table["musd"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
