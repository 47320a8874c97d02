"""Where the numbers of an instance come from, how sure they are, and which weigh most in a plan."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...instance.columns import joined_key
from ...instance.tables import TABLES, columns

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run

ASSUMED = "assumption"
OLD_YEARS = 3


@dataclass(frozen=True)
class Evidence:
    """How the numbers of an instance are backed.

    coverage  by table: numbers (cells that differ from the column's default), sourced, assumed, both, neither, ranged
    sources   by source: numbers that cite it, its date, title
    ages      numbers that cite no source younger than 3 years before the newest source, and all that cite a dated one
    unbacked  rows with numbers that neither cite a source nor say ``assumption:`` (table, key, file and line)
    weights   with a run: numbers whose range weighs most: table, key, column, value, low, high, confidence, kind, and
              musd, the change of present cost from the low to the high end, first-order (marginal value in the plan
              times the range)
    """

    coverage: pd.DataFrame
    sources: pd.DataFrame
    ages: tuple[int, int]
    confidence: Mapping[str, int]
    unbacked: pd.DataFrame
    weights: pd.DataFrame | None

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "schema": 1,
            "coverage": self.coverage.to_dict("records"),
            "sources": self.sources.to_dict("records"),
            "old_numbers": self.ages[0],
            "dated_numbers": self.ages[1],
            "confidence": dict(self.confidence),
            "unbacked": self.unbacked.to_dict("records"),
            "weights": None if self.weights is None else self.weights.to_dict("records"),
        }

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write coverage.csv, sources.csv, unbacked.csv, weights.csv and evidence.json."""
        from ...runs.folder import write_folder
        from ...runs.tables import to_csv

        tables = {"coverage": self.coverage, "sources": self.sources, "unbacked": self.unbacked}
        if self.weights is not None:
            tables["weights"] = self.weights
        files = {f"{name}.csv": to_csv(table) for name, table in tables.items()}
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        return write_folder(Path(folder), files, "evidence.json", lambda: text, overwrite)

    def __str__(self) -> str:
        total = self.coverage[["numbers", "sourced", "assumed", "both", "neither", "ranged"]].sum()
        lines = [
            f"{total['numbers']:,} numbers: {total['sourced'] + total['both']:,} cite a source "
            f"({total['both']:,} of them say what they assume beyond it), "
            f"{total['assumed']:,} are declared assumptions, {total['neither']:,} neither"
        ]
        head = ("table", "numbers", "sourced", "both", "assumed", "neither", "ranged")
        lines.append("  " + f"{head[0]:<18}" + "".join(f"{h:>9}" for h in head[1:]))
        for r in self.coverage.to_dict("records"):
            lines.append("  " + f"{r['table']:<18}" + "".join(f"{r[h]:>9,}" for h in head[1:]))
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
            lines.append("Ranges that weigh most in the plan (present cost from the low to the high end, first-order):")
            for r in self.weights.head(15).itertuples():
                lines.append(
                    f"  {r.musd:>+11,.4g} MUSD  {r.table} {r.key} {r.column}: {r.low:,.6g} to {r.high:,.6g} "
                    f"({r.value:,.6g}; {r.kind}, {r.confidence} confidence)"
                )
        return "\n".join(lines)


def evidence(instance: Instance, run: Run | None = None) -> Evidence:
    """How the numbers of an instance are backed; with a run also which ranges of evidence.csv weigh most in it.

    The weights come from one more solve of the operations with the builds of the run held (none without a run).
    """
    import pandas as pd

    ranged = Counter(e.table for e in instance.evidence)
    dates = {s.source: s.date for s in instance.sources}
    years = {source: year for source, date in dates.items() if (year := _year(date)) is not None}
    newest = max(years.values(), default=0)
    carried: Counter[str] = Counter()
    old = dated = 0
    rows, unbacked = [], []
    for table in TABLES:
        if table in ("sources", "evidence"):
            continue
        counts = Counter[str]()
        for row, numbers, place in _numbers(instance, table):
            cites = tuple(getattr(row, "source", ()))
            assumed = row.note.strip().lower().startswith(ASSUMED)
            kind = "both" if cites and assumed else "sourced" if cites else "assumed" if assumed else "neither"
            counts[kind] += numbers
            counts["numbers"] += numbers
            for source in cites:
                carried[source] += numbers
            known = [years[s] for s in cites if s in years]
            if known:
                dated += numbers
                old += numbers if max(known) < newest - OLD_YEARS else 0
            if kind == "neither":
                unbacked.append((table, joined_key(row), place))
        if counts["numbers"]:
            kinds = [counts[k] for k in ("numbers", "sourced", "both", "assumed", "neither")]
            rows.append((table, *kinds, ranged[table]))
    titles = {s.source: s.title for s in instance.sources}
    by_source = sorted(carried.items(), key=lambda item: (-item[1], item[0]))
    return Evidence(
        pd.DataFrame(rows, columns=["table", "numbers", "sourced", "both", "assumed", "neither", "ranged"]),
        pd.DataFrame(
            [(s, n, dates.get(s, ""), titles.get(s, "")) for s, n in by_source],
            columns=["source", "numbers", "date", "title"],
        ),
        (old, dated),
        dict(Counter(e.confidence for e in instance.evidence).most_common()),
        pd.DataFrame(unbacked, columns=["table", "key", "place"]),
        None if run is None else _weights(instance, run),
    )


def _year(date: str) -> int | None:
    """The first year named in a date of publication."""
    import re

    found = re.search(r"\b(19|20)\d{2}\b", date)
    return int(found[0]) if found else None


def _numbers(instance: Instance, table: str) -> Iterator[tuple[Any, int, str]]:
    """Active rows that hold numbers other than a column's default: row, how many, file and line."""
    of_table = [
        (name, c) for name, c in columns(table).items() if c.kind == "number" and name not in ("latitude", "longitude")
    ]
    defaults = {name: TABLES[table].model_fields[name].default for name, _ in of_table}
    for entry in instance.entries(table):
        if not entry.row.active:
            continue
        count = sum(getattr(entry.row, name) not in (None, defaults[name]) for name, _ in of_table)
        if count:
            place = entry.place
            yield entry.row, count, place.file if place.line is None else f"{place.file}:{place.line}"


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
    names = ["table", "key", "column", "value", "low", "high", "confidence", "kind", "musd"]
    table = pd.DataFrame(rows, columns=names)
    order = table["musd"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
