"""The output tables of the contract (its §5): names, columns, kinds, and how they are written as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NOTHING = 1e-6  # t; smaller rows are left out

# "text", "year" (whole number) or "number"; every column that is not named here is a number
TEXT = frozenset(
    (
        *("option", "facility", "country", "process", "input_provenance", "output_provenance", "material"),
        *("origin", "destination", "provenance", "market", "sector", "stockpile", "kind", "cap", "metric"),
        *("stage", "component", "source"),
    )
)
YEARS = frozenset(("start_year", "online_year", "year"))

COLUMNS: dict[str, tuple[str, ...]] = {
    name: tuple(columns.split())
    for name, columns in {
        "builds": "option facility country start_year online_year modules capacity_t capex_musd",
        "capacity": "facility country year capacity_t used_t",
        "activity": "facility process country input_provenance output_provenance year activity_t",
        "flows": "material origin destination provenance year t freight_musd tariff_musd",
        "purchases": "market country material provenance year t cost_musd",
        "service": "country sector material year demand_t clean_t exposed_t short_t",
        "stocks": "stockpile country material provenance year put_t draw_t stock_t",
        "adjustments": "kind material country provenance year t",
        "dependence": "cap metric stage material country sector year share limit marginal_musd_per_point",
        "prices": "material country provenance year usd_per_t",
        "costs": "component year musd present_musd",
        "funding": "option source year musd",
    }.items()
}
BRANCH_TABLES = ("activity", "flows", "purchases", "service", "stocks", "adjustments")
COMPONENTS = ("capex", "fixed_om", "opex", "freight", "tariff", "purchase", "holding", "shortage")


def kind(column: str) -> str:
    """``text``, ``year`` or ``number``."""
    return "text" if column in TEXT else "year" if column in YEARS else "number"


def frame(name: str, rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """A table as a frame, sorted by its columns from left to right; None is a blank number (NaN)."""
    import pandas as pd

    columns = COLUMNS[name]
    ordered = sorted(rows, key=lambda row: tuple((v is not None, v) for v in row))
    data: dict[str, Any] = {}
    for position, column in enumerate(columns):
        values = [row[position] for row in ordered]
        dtype = {"text": "object", "year": "int64", "number": "float64"}[kind(column)]
        data[column] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(data, columns=list(columns))


def to_csv(table: pd.DataFrame) -> str:
    """A frame as CSV text; numbers read back exactly, NaN is a blank."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in zip(*(table[c].tolist() for c in table.columns), strict=True):
        writer.writerow(["" if v != v else repr(v) if isinstance(v, float) else v for v in row])
    return out.getvalue()


def from_csv(name: str, text: str) -> pd.DataFrame:
    """A frame from CSV text as written by :func:`to_csv`. Raises ValueError on other columns or bad numbers."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if not rows or tuple(rows[0]) != COLUMNS[name]:
        raise ValueError(f"{name}.csv: expected the columns {', '.join(COLUMNS[name])}")
    converters: dict[str, Callable[[str], Any]] = {
        "text": str,
        "year": int,
        "number": lambda cell: float(cell) if cell else None,
    }
    readers = [converters[kind(column)] for column in COLUMNS[name]]
    parsed = []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(readers):
            raise ValueError(f"{name}.csv:{line}: expected {len(readers)} cells, found {len(row)}")
        try:
            parsed.append([read(cell) for read, cell in zip(readers, row, strict=True)])
        except ValueError as error:
            raise ValueError(f"{name}.csv:{line}: {error}") from None
    return frame(name, parsed)
