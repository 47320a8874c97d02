"""Collect the rows of one instance and write its tables."""

from __future__ import annotations

import csv
import io
from typing import Any

from . import facts
from .facts import Number

COLUMNS: dict[str, tuple[str, ...]] = {
    "countries": ("country", "name", "bloc", "latitude", "longitude"),
    "materials": ("material", "name", "stage", "strategic", "value_usd_per_t", "surplus"),
    "processes": ("process", "name", "restores_provenance"),
    "recipes": ("process", "material", "role", "t_per_t"),
    "facilities": (
        *(
            "facility",
            "name",
            "owner",
            "country",
            "status",
            "startup",
            "capacity_t",
            "first_year",
            "last_year",
            "ramp_years",
        ),
        *("min_use", "fixed_om_usd_per_t", "concern_tie"),
    ),
    "operations": ("facility", "process", "opex_usd_per_t", "capacity_per_t"),
    "operation_costs": ("facility", "process", "year", "opex_usd_per_t"),
    "options": (
        *(
            "option",
            "facility",
            "name",
            "module_t",
            "max_modules",
            "min_modules",
            "max_per_year",
            "integer",
            "capex_musd",
        ),
        *("lead_years", "ramp_years", "life_years", "first_start", "last_start", "wacc", "exclusive_group", "requires"),
        *("private_musd", "success_probability"),
    ),
    "lanes": (
        "material",
        "origin",
        "destination",
        "first_year",
        "last_year",
        "cost_usd_per_t",
        "max_t",
        "transit_weeks",
    ),
    "tariffs": ("material", "origin", "destination", "first_year", "last_year", "rate"),
    "sectors": ("sector", "name", "shortage_usd_per_t", "min_service", "clean_from_year"),
    "demand": ("country", "sector", "material", "year", "demand_t"),
    "markets": ("market", "country", "material", "exposed"),
    "market_prices": ("market", "year", "price_usd_per_t", "max_t"),
    "stockpiles": (
        *(
            "stockpile",
            "country",
            "material",
            "initial_t",
            "initial_exposed",
            "max_t",
            "holding_usd_per_t",
            "final_min_t",
        ),
    ),
    "caps": (
        "cap",
        "metric",
        "stage",
        "material",
        "country",
        "sector",
        "origin",
        "first_year",
        "last_year",
        "limit",
        "limit_end",
    ),
    "funds": ("fund", "provider", "instrument", "budget_musd", "first_year", "last_year", "max_share"),
    "fund_options": ("fund", "option"),
    "price_floors": (
        *("facility", "option", "material", "floor_usd_per_t", "first_year", "last_year", "payer", "market", "max_t"),
        *("upside_share", "upside_from_usd_per_t", "upside_max_musd"),
    ),
    "substitutes": (
        *("substitute", "name", "material", "country", "sector", "replaced_by", "t_per_t", "cost_usd_per_t"),
    ),
    "substitute_shares": ("substitute", "year", "max_share"),
    "returns": ("return", "material", "sector", "returned", "collected", "mean_life_years"),
    "working_stocks": ("material", "country", "weeks", "replace_usd_per_t"),
    "scenarios": (
        "scenario",
        "name",
        "probability",
        "first_year",
        "last_year",
        "first_month",
        "months",
        "rebuild_after",
    ),
    "disruptions": ("scenario", "kind", "country", "stage", "material", "facility", "fraction", "reference_t"),
    "delivery_risk": ("option", "projects", "apart"),
    "evidence": ("table", "key", "column", "low", "high", "confidence", "kind", "as_of", "review_by"),
    "sources": ("source", "title", "publisher", "url", "date"),
}
KEYS: dict[str, int] = {
    "recipes": 3, "operations": 2, "operation_costs": 3, "lanes": 5, "tariffs": 5, "demand": 4, "market_prices": 2, "working_stocks": 2, "substitute_shares": 2, "fund_options": 2, "price_floors": 3, "disruptions": 6, "delivery_risk": 2, "evidence": 3,
}  # fmt: skip


def number(value: float) -> str:
    """Text of a number to six significant digits, without a needless decimal point.

    >>> number(0.1 + 0.2), number(1200.0), number(1234567.8)
    ('0.3', '1200', '1234570')
    """
    rounded = float(f"{value:.6g}")
    return str(int(rounded)) if rounded == int(rounded) else repr(rounded)


def cell(value: Any) -> str:
    """Text of one cell: yes/no for flags, blank for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, int | float) else str(value)


class Book:
    """The tables of one instance while they are being written."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, str]]] = {}
        self.keys: set[tuple[str, ...]] = set()
        self.numbers: dict[tuple[str, str, str], Number] = {}  # (table, key, column) -> the number as it was computed

    def add(self, table: str, /, **values: Any) -> None:
        """Append a row. Columns left out are blank; ``source``, ``note`` and ``active`` are allowed everywhere."""
        known = (*COLUMNS[table], "source", "note", "active")
        unknown = [column for column in values if column not in known]
        if unknown:
            raise ValueError(f"{table}: unknown columns {unknown}")
        row = {column: cell(values.get(column)) for column in known}
        if table != "sources" and not row["source"] and not row["note"].startswith("assumption:"):
            raise ValueError(f"{table}: a row without source must say assumption: {row}")
        key = (table, *self.key(table, row))
        if key in self.keys:
            raise ValueError(f"{key} stands twice")
        self.keys.add(key)
        self.rows.setdefault(table, []).append(row)
        for column, value in values.items():
            if column not in COLUMNS[table][: KEYS.get(table, 1)] and isinstance(value, Number):
                self.numbers[table, "/".join(key[1:]), column] = value

    def number(self, table: str, row: dict[str, str], column: str) -> Number | None:
        """The number of a row in ``column``, with what it rests on; None where the cell is blank."""
        if not row[column]:
            return None
        known = self.numbers.get((table, "/".join(self.key(table, row)), column))
        return Number(float(row[column]), known.cells if known is not None else ())

    @staticmethod
    def key(table: str, row: dict[str, str]) -> tuple[str, ...]:
        return tuple(row[column] for column in COLUMNS[table][: KEYS.get(table, 1)])

    def cited(self) -> list[str]:
        """Ids of all sources that some row cites, sorted."""
        return sorted({s for rows in self.rows.values() for row in rows for s in row["source"].split(";") if s})

    def add_sources(self, known: frozenset[str] = frozenset()) -> None:
        """Add a row for each cited source that is not already in ``known`` (the base's)."""
        for source in self.cited():
            if source not in known:
                row = facts.source(source)
                self.add(
                    "sources", source=source, **{c: row[c].strip() or "not recorded" for c in COLUMNS["sources"][1:]}
                )

    def text(self, table: str) -> str:
        """The CSV text of ``table``; optional columns that are blank in every row are left out."""
        rows = self.rows[table]
        columns = [
            *COLUMNS[table],
            *(("source", "note", "active") if table != "sources" else ()),
        ]
        keys = COLUMNS[table][: KEYS.get(table, 1)]
        columns = [c for c in columns if c in keys or any(row[c] for row in rows)]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([row[c] for c in columns] for row in rows)
        return out.getvalue()

    def files(self) -> dict[str, str]:
        """File name -> text of all tables."""
        return {f"{table}.csv": self.text(table) for table in COLUMNS if table in self.rows}
