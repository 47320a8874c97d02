"""The tables of a run as rows: exactly the contract's columns, known names, whole years, no negative quantities.

Nothing here raises on what a run contains. What is wrong is booked, and the row is read as far as it can be.
"""

from __future__ import annotations

import copy
import itertools
import math
import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..instance.metrics import METRICS
from .book import Book
from .facts import Facts
from .layouts import (
    INITIAL_STOCK,
    MONTH,
    PRIVATE,
    RECYCLED,
    UNKNOWN,
    ActivityRow,
    BuildRow,
    CapacityRow,
    Layout,
    PurchaseRow,
    R,
    ServiceRow,
    StockRow,
    components,
)

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1e15  # tonnes or MUSD; more is no quantity, and sums of it would overflow


Given: TypeAlias = "pd.DataFrame | Mapping[str, list[Any]]"  # a table: a frame, or column -> cells


class Tables:
    """The tables of a run or a branch as rows; what cannot be read is reported as a violation and left out.

    given  table -> a frame, or column -> cells
    years  first years of the periods that may be in the tables
    times  of a branch in months: the first years with their months, 0 for whole periods, that may be in the tables
    """

    def __init__(
        self,
        given: Mapping[str, Given],
        layouts: tuple[Layout[Any], ...],
        facts: Facts,
        years: tuple[int, ...],
        book: Book,
        times: Collection[tuple[int, int]] = (),
    ) -> None:
        self._facts = facts
        self._years = frozenset(years)
        self._times = frozenset(times)
        self._book = book
        known = {layout.name for layout in layouts}
        for name in sorted(set(map(str, given)) - known):
            book.fault("tables", (f"{name}.csv",), "is no table of a run")
        self._rows = {layout.name: self._read(layout, given.get(layout.name)) for layout in layouts}

    def rows(self, layout: Layout[R]) -> list[R]:
        """The rows of one table."""
        return self._rows[layout.name]

    def of(self, year: int, month: int) -> Tables:
        """Return the tables with the rows of one month only, of a branch in months; month 0: of a whole period."""
        if not hasattr(self, "_by_month"):
            self._by_month: dict[tuple[int, int], dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
            for name, rows in self._rows.items():
                for row in rows:
                    self._by_month[row.year, row.month][name].append(row)
        part = copy.copy(self)
        found = self._by_month[year, month]
        part._rows = {name: found[name] for name in self._rows}
        return part

    def _read(self, layout: Layout[R], table: Any) -> list[R]:
        """Return the usable rows of a table; report columns, cells, keys, duplicates and order that are wrong."""
        file = f"{layout.name}.csv"
        if not hasattr(table, "columns") and not isinstance(table, Mapping):
            self._book.fault("tables", (file,), "is missing")
            return []
        columns, written = layout.columns, tuple(map(str, table))
        if written != columns:
            self._book.fault("tables", (file,), f"has columns {', '.join(written)}; wanted {', '.join(columns)}")
            if len(set(written)) != len(written) or not set(columns) <= set(written):
                return []
        self._book.passed("tables")
        plain = [_cells(table[c]) for c in columns]
        if len({len(raw) for raw in plain}) > 1:
            self._book.fault("tables", (file,), "has columns of different lengths")
            return []
        if not plain[0]:
            return []

        cells, usable = [], [True] * len(plain[0])
        readers = {str: self._texts, int: self._whole, float: self._numbers}
        for (column, type_), raw in zip(layout.types.items(), plain, strict=True):
            cells.append(readers[type_](raw, layout, column, usable))
        rows = [layout.row(*values) for values in zip(*cells, strict=True)]
        self._known(rows, layout, usable)
        self._unique_and_sorted(rows, layout)
        return [row for row, good in zip(rows, usable, strict=True) if good]

    # --- cells

    def _texts(self, raw: list[Any], layout: Layout[Any], column: str, usable: list[bool]) -> list[str]:
        self._book.passed("values", len(raw))
        return [cell if isinstance(cell, str) else "" if _is_blank(cell) else str(cell) for cell in raw]

    def _whole(self, raw: list[Any], layout: Layout[Any], column: str, usable: list[bool]) -> list[int]:
        result = []
        for index, cell in enumerate(raw):
            number = cell if type(cell) is int else 0 if column == MONTH and _is_blank(cell) else _number(cell)
            if abs(number) < LARGEST and number == int(number):
                result.append(int(number))
                continue
            place = (f"{layout.name}.csv", f"row {index + 1}", column)
            self._book.fault("values", place, f"{str(cell)[:40]!r} is not a {'month' if column == MONTH else 'year'}")
            usable[index] = False
            result.append(0)
        self._book.passed("values", len(raw))
        return result

    def _numbers(self, raw: list[Any], layout: Layout[Any], column: str, usable: list[bool]) -> list[float]:
        """Read a column of numbers; a cell that is not a number is reported and read as 0, or NaN if blanks may be."""
        blank, quantity = column in layout.blank, column in layout.quantities
        result = []
        for index, cell in enumerate(raw):
            number = cell if type(cell) is float else _number(cell)
            if abs(number) < LARGEST:
                result.append(number)
                if quantity and number < 0:
                    place = (f"{layout.name}.csv", f"row {index + 1}", column)
                    self._book.at_least("negative", number, 0.0, 0.0, place)
            elif blank and _is_blank(cell):
                result.append(math.nan)
            else:
                place = (f"{layout.name}.csv", f"row {index + 1}", column)
                self._book.fault("values", place, f"{str(cell)[:40]!r} is not a number, or beyond measure")
                result.append(math.nan if blank else 0.0)
        self._book.passed("values", len(raw))
        if quantity:
            self._book.passed("negative", len(raw))
        return result

    # --- rows

    def _known(self, rows: list[R], layout: Layout[R], usable: list[bool]) -> None:
        """Check that names, countries and years are those of the instance; mark other rows as not usable."""
        self._book.passed("keys", len(rows))
        for index, column in enumerate(layout.columns):
            domain = self._domain(layout.name, column)
            if domain is None:
                continue
            if column in layout.blank_names:
                domain |= {""}
            column_values = [row[index] for row in rows]
            if set(column_values) <= domain:
                continue
            for number, value in enumerate(column_values):
                if value in domain or not usable[number]:
                    continue
                place = (f"{layout.name}.csv", f"row {number + 1}", column)
                self._book.fault("keys", place, f"{value!r} is not known here")
                usable[number] = False
        self._timely(rows, layout, usable)
        same = _AGREES.get(layout.name)
        if same is None:
            return
        for number, row in enumerate(rows):
            if usable[number] and (wrong := same(self._facts, row)):
                self._book.fault("keys", (f"{layout.name}.csv", f"row {number + 1}"), wrong)

    def _timely(self, rows: list[Any], layout: Layout[Any], usable: list[bool]) -> None:
        """Check that a branch in months has months in the years that it divides, and no others."""
        for number, row in enumerate(rows) if self._times else ():
            if usable[number] and (row.year, row.month) not in self._times:
                place = (f"{layout.name}.csv", f"row {number + 1}", MONTH)
                self._book.fault("keys", place, f"{row.month or 'blank'} is no part of {row.year} in this branch")
                usable[number] = False

    def _domain(self, table: str, column: str) -> frozenset[Any] | None:
        """Return the values that a column of a table may have; None: any."""
        facts = self._facts
        if column == MONTH:
            return frozenset(range(13))
        if column in ("year", "start_year"):
            if table == "funding":
                return frozenset(range(facts.first, facts.last + 1))
            return self._years
        if table == "dependence":
            dependence: dict[str, frozenset[Any]] = {
                "cap": frozenset(("", *facts.caps)),
                "metric": frozenset(METRICS),
                "stage": frozenset(("", *facts.stages)),
                "material": frozenset(("", *facts.materials)),
                "country": frozenset(("", *facts.countries)) | facts.blocs,
                "sector": frozenset(("", *facts.sectors)),
            }
            return dependence.get(column)
        if table in ("price_floors", "offtakes") and column in ("option", "price_of"):
            return frozenset(("", *(facts.options if column == "option" else facts.markets)))
        if table == "origin" and column in ("stage", "origin"):
            places = frozenset((*facts.countries, RECYCLED, UNKNOWN, INITIAL_STOCK))
            return places if column == "origin" else frozenset(facts.stages)
        if column == "kind":
            return _KINDS[table]
        if column == "component":
            return frozenset(components(facts.instance))
        if column == "source":
            return frozenset((PRIVATE, *facts.funds))
        return facts.names.get(column)

    def _unique_and_sorted(self, rows: list[R], layout: Layout[R]) -> None:
        file = f"{layout.name}.csv"
        keys = list(map(operator.itemgetter(*(layout.columns.index(column) for column in layout.key)), rows))
        self._book.passed("duplicates", len(keys))
        if len(set(keys)) < len(keys):
            for key, times in Counter(keys).items():
                if times > 1:
                    self._book.fault("duplicates", (file, *key), f"there {times} times")
        self._book.passed("order", len(rows))
        if not any(map(operator.lt, rows[1:], rows)):
            return
        for number, (row, following) in enumerate(itertools.pairwise(rows), start=2):
            if following < row:
                self._book.fault("order", (file, f"row {number}"), "comes before the row above it")


def _cells(column: Any) -> list[Any]:
    """Return the cells of a column of a frame, or of a table given by column; NA becomes None."""
    if isinstance(column, list):
        return column
    from pandas import NA

    return [None if cell is NA else cell for cell in column.tolist()]


def _number(cell: Any) -> float:
    if isinstance(cell, bool):
        return math.nan
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _is_blank(cell: Any) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def _build_agrees(facts: Facts, row: BuildRow) -> str:
    facility = facts.options[row.option].facility
    return _agree(row.facility, facility) or _agree(row.country, facts.facilities[facility].country)


def _facility_agrees(facts: Facts, row: CapacityRow | ActivityRow) -> str:
    return _agree(row.country, facts.facilities[row.facility].country)


def _purchase_agrees(facts: Facts, row: PurchaseRow) -> str:
    market = facts.markets[row.market]
    return _agree(row.country, market.country) or _agree(row.material, market.material)


def _stock_agrees(facts: Facts, row: StockRow) -> str:
    stockpile = facts.stockpiles[row.stockpile]
    return _agree(row.country, stockpile.country) or _agree(row.material, stockpile.material)


def _service_agrees(facts: Facts, row: ServiceRow) -> str:
    demand = (row.country, row.sector, row.material)
    return "" if demand in facts.demands else f"{', '.join(demand)} is no demand of the instance"


def _agree(value: str, expected: str) -> str:
    return "" if value == expected else f"names {value}, but it is {expected}"


_KINDS = {
    "closures": frozenset(("idle", "retire")),
    "adjustments": frozenset(("surplus", "downgrade")),
    "impact_totals": frozenset(("operation", "lane", "purchase", "build")),
}
# further columns that must agree with the instance; each function returns what is wrong, "" if nothing
_AGREES: dict[str, Callable[[Facts, Any], str]] = {
    "builds": _build_agrees,
    "capacity": _facility_agrees,
    "activity": _facility_agrees,
    "purchases": _purchase_agrees,
    "stocks": _stock_agrees,
    "service": _service_agrees,
}
