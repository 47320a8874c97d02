"""The tables of a run: their names, columns and kinds, and how they are written and read as CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, hinted
from ..instance.courses import lines, rebuilds
from ..language import N_, translated

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance


Cells = dict[str, list[Any]]  # a table: column -> its cells, from the first row to the last

# "text", "year" (whole number), "month" (whole number or blank) or "number", which every column not named here is
TEXT = frozenset(
    (
        *("option", "facility", "country", "process", "input_provenance", "output_provenance", "material"),
        *("origin", "destination", "provenance", "market", "sector", "stockpile", "kind", "cap", "metric"),
        *(
            "stage",
            "component",
            "source",
            "payer",
            "offtake",
            "price_of",
            "substitute",
            "replaced_by",
            "return",
            "impact",
            "buyer",
        ),
    )
)
YEARS = frozenset(("start_year", "online_year", "year"))
MONTH = "month"  # a column after ``year`` of branches in months, blank for whole years

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
# further tables; a run that was written before one of them existed lacks it
OTHER_COLUMNS: dict[str, tuple[str, ...]] = {
    "origin": ("country", "sector", "material", "stage", "origin", "year", "t", "share"),
    "closures": ("facility", "kind", "country", "year", "share", "closed_t", "avoided_musd", "closing_musd"),
    "price_floors": (
        *("facility", "option", "material", "payer", "year", "t"),
        *("floor_usd_per_t", "price_usd_per_t", "price_of", "upside_musd", "outlay_musd"),
    ),
    "offtakes": (
        *("offtake", "facility", "option", "material", "payer", "year", "t"),
        *("agreed_usd_per_t", "price_usd_per_t", "price_of", "outlay_musd"),
    ),
    "sales": ("buyer", "country", "material", "provenance", "year", "t", "revenue_musd"),
    "substitution": (
        *("substitute", "country", "sector", "material", "replaced_by", "provenance", "year"),
        *("t", "cost_musd"),
    ),
    "impact_totals": ("impact", "kind", "country", "year", "units", "cost_musd"),
    "returned": ("return", "country", "material", "provenance", "year", "t"),
    "working_stocks": ("country", "material", "provenance", "year", "t", "cost_musd"),
}
# table -> its last column, and whether an instance has it
LAST_COLUMNS: dict[str, tuple[str, Callable[[Instance], bool]]] = {
    "service": ("replaced_t", lambda instance: bool(instance.substitutes)),
    "flows": ("arrived_t", lambda instance: instance.has_transit),
}
MEANINGS = {
    "builds": (
        "What is started, in the plan and in each branch whose scenario, or one that it descends from, has "
        "`rebuild_after`: there all starts of its course, those that it shares with the course it leaves too."
    ),
    "prices": (
        "What one tonne more of a material is worth in the plan, clean and exposed apart: the shadow price of its "
        "balance, undiscounted, with the builds held. It can be negative where nothing may be thrown away. It is blank "
        "where nothing of that material and provenance (at most a millionth of the largest demand) is made, moved, "
        "bought, used or delivered in the country and period, since there it is not determined; what rests on prices "
        "(premiums, price support, outlays) then does without, and says so."
    ),
    "closures": (
        "Own capacity that the plan gives up, by period; only for instances with closures.csv. `share` of it is closed "
        "(for `retire` all that was retired until then), `closed_t` in t/year (already left out of `capacity.csv`), "
        "`avoided_musd` the fixed O&M a year that is avoided, `closing_musd` what is paid in the period's first year "
        "for what closes then. Both are part of the component `fixed_om` of `costs.csv`."
    ),
    "price_floors": (
        "What the payers of price floors owe in this plan, by period; only for instances with price_floors.csv. `t` is "
        "what is covered: what the plant makes of the material a year (for an option, its part by capacity), at most "
        "`max_t`. `price_usd_per_t` is the price of the market `price_of`; where that is blank, the plan's own "
        "marginal price in the plant's country (of clean material, or else of exposed; blank where neither passes "
        "there), which is no market price. `upside_musd` is what the plant returns a year, `outlay_musd` the "
        "difference to the floor, where the price is below it, times `t`, less that: below 0 the payer gains (both "
        "blank without a price). A floor is a transfer and not part of the plan's cost."
    ),
    "offtakes": (
        "What the payers of offtakes lose, by period; only for instances with offtakes.csv. `t` a year is what they "
        "are to take (`take_t` times what is online of the own capacity, or of the option's modules), "
        "`price_usd_per_t` and `price_of` the price of the day as in `price_floors.csv`, `outlay_musd` a year what was "
        "agreed less that price, times `t`: below 0 the payer gains. A transfer and not part of the plan's cost; what "
        "the duty to produce costs is in it."
    ),
    "flows": (
        "What moves between countries. The last column `arrived_t`, what arrives at that time on that lane, is there "
        "only for instances with `transit_weeks` in lanes.csv; it differs from `t`, what leaves, in branches in months."
    ),
    "service": (
        "What each consumer receives, lacks and, as the last column `replaced_t`, replaces by substitutes; that column "
        "is there only for instances with substitutes.csv. The four parts make up `demand_t`."
    ),
    "sales": (
        "What is sold to buyers, in the plan and in each branch; only for instances with buyers.csv. `revenue_musd` a "
        "year is what they pay, below 0 where they are paid for taking it; the component `sales` of `costs.csv` is "
        "minus that."
    ),
    "substitution": (
        "What substitutes replace, in the plan and in each branch; only for instances with substitutes.csv. `t` are "
        "the tonnes a year of the demand for `material` that are replaced, `provenance` is that of `replaced_by`, of "
        "which `t_per_t` times `t` are delivered; both are blank for thrift. `cost_musd` a year is without the other "
        "material, and part of the component `substitution` of `costs.csv`."
    ),
    "returned": (
        "What is collected after its use, in the plan and in each branch; only for instances with returns.csv. "
        "`return` is the row there, `material` what it comes back as, and `t` are tonnes a year. It counts in no share "
        "as made, and in `origin.csv` as `recycled`."
    ),
    "working_stocks": (
        "What is drawn from the working stocks of firms, in each branch (nothing in the plan); only for instances with "
        "working_stocks.csv. `t` are tonnes a year, so that a month has a twelfth of it; `cost_musd` a year is what it "
        "takes to replace them, the component `working_stock` of `costs.csv`."
    ),
    "impact_totals": (
        "What the plan causes of each impact, by what causes it and where; only for instances with impacts.csv. "
        "`kind` is `operation`, `lane`, `purchase` or `build`, `country` that of the plant, the destination, the "
        "market or the option's plant. `units` and `cost_musd` are a year; what building causes counts in the period "
        "of the start, divided by its years."
    ),
    "origin": (
        "For what each consumer received in a year: in which country each stage of it was done. `country` and `sector` "
        "are the consumer's; `origin` is a country, or `recycled`, `unknown` (the stages before something was bought), "
        "`initial stock`. `t` are the delivered tonnes a year of `material` of which `stage` was done in `origin`; "
        "`share` is their part of all that the consumer received of it, so that the shares of a stage sum to 1. "
        "Traced in proportion through each country's pool, clean and exposed apart; runs written before there was such "
        "a table lack it. The exact rules stand in `planner/runs/origin.py`."
    ),
}
# tables that a run has only if its instance has rows of another table: the name of that one
ONLY_WITH = {
    "closures": "closures",
    "price_floors": "price_floors",
    "offtakes": "offtakes",
    "sales": "buyers",
    "substitution": "substitutes",
    "returned": "returns",
    "working_stocks": "working_stocks",
    "impact_totals": "impacts",
}
PROVENANCES = ("clean", "exposed")
# what the columns named ``kind`` may hold
KINDS_OF = {
    ("adjustments", "kind"): frozenset(("surplus", "downgrade")),
    ("closures", "kind"): frozenset(("idle", "retire")),
    ("impact_totals", "kind"): frozenset(("operation", "lane", "purchase", "build")),
}
# columns of numbers that may be blank, and of names that may be
BLANK = frozenset(
    (
        *(("dependence", column) for column in ("share", "limit", "marginal_musd_per_point")),
        ("prices", "usd_per_t"),
        *((table, column) for table in ("price_floors", "offtakes") for column in ("price_usd_per_t", "outlay_musd")),
    )
)
BLANK_NAMES = frozenset(
    (
        *(("dependence", column) for column in ("cap", "stage", "material", "country", "sector")),
        *((table, "option") for table in ("price_floors", "offtakes")),
        *(("substitution", column) for column in ("replaced_by", "provenance")),
    )
)
# columns that hold more than the names or years that their name says: calendar years, and origins such as recycled
EVERYWHERE = frozenset((("funding", "year"), ("origin", "origin")))
BRANCH_TABLES = ("activity", "flows", "purchases", "service", "stocks", "adjustments")
BRANCH_TABLES_ONLY_WITH = (
    "sales",
    "substitution",
    "returned",
    "working_stocks",
)  # of ONLY_WITH, those that a branch has too
BRANCH_BUILDS = ("builds",)  # of a branch whose scenario, or one that it descends from, has rebuild_after
COMPONENTS = ("capex", "fixed_om", "opex", "freight", "tariff", "purchase", "holding", "shortage")
# further components of cost, as in ONLY_WITH
COMPONENTS_ONLY_WITH = {
    "sales": "buyers", "substitution": "substitutes", "impact": "impacts", "working_stock": "working_stocks",
}  # fmt: skip

# how they are told
COMPONENT_WORDS = (
    N_("capex"), N_("fixed om"), N_("opex"), N_("freight"), N_("tariff"), N_("purchase"), N_("holding"), N_("shortage"),
    N_("sales"), N_("substitution"), N_("impact"), N_("lane use"),
)  # fmt: skip


class Tables(MutableMapping[str, "pd.DataFrame"]):
    """Table -> frame; a name that is not there is refused with the nearest one that is.

    A table is held as its cells until its frame is asked for, so that a small plan is told without loading pandas.

    tables  table -> a frame, or its cells as `table` returns them
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame | Cells]) -> None:
        held: Mapping[str, pd.DataFrame | Cells] = tables._held if isinstance(tables, Tables) else tables
        self._held: dict[str, pd.DataFrame | Cells] = dict(held)

    def __getitem__(self, name: str) -> pd.DataFrame:
        held = self._found(name)
        if isinstance(held, dict):
            held = self._held[name] = _frame(held)
        return held

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._held else default

    def __setitem__(self, name: str, table: pd.DataFrame | Cells) -> None:
        self._held[name] = table

    def __delitem__(self, name: str) -> None:
        del self._held[name]

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return f"<Tables: {', '.join(self)}>"

    def cells(self, name: str) -> Cells:
        """Return a table as column -> cells; a blank number is NaN, a blank month None."""
        held = self._found(name)
        return held if isinstance(held, dict) else cells_of(held)

    def rows(self, name: str) -> list[Any]:
        """Return the rows of a table as named tuples of its cells; none if the run has no such table."""
        if name not in self._held:
            return []
        cells = self.cells(name)
        row: Callable[..., Any] = namedtuple("Row", [*cells], rename=True)  # type: ignore[misc]
        return [row(*values) for values in zip(*cells.values(), strict=True)]

    def _found(self, name: str) -> pd.DataFrame | Cells:
        try:
            return self._held[name]
        except KeyError:
            raise UsageError(hinted(f"this run has no table {name}", str(name), self)) from None


def kind(column: str) -> str:
    """Return the kind of a column: ``text``, ``year``, ``month`` or ``number``."""
    if column == MONTH:
        return MONTH
    return "text" if column in TEXT else "year" if column in YEARS else "number"


def branch_tables(instance: Instance, scenario: str) -> tuple[str, ...]:
    """Return the names of the tables that the branch of a scenario has in a run: ``builds`` if it may build."""
    more = [name for name in BRANCH_TABLES_ONLY_WITH if instance.rows(ONLY_WITH[name])]
    return (*BRANCH_TABLES, *more, *(BRANCH_BUILDS if rebuilds(lines(instance.scenarios)[scenario]) else ()))


def component_in_words(component: str) -> str:
    """Return a component of the cost in words."""
    return translated(component.replace("_", " "))


def components(instance: Instance) -> tuple[str, ...]:
    """Return the components of the cost of a run, in their order."""
    more = (name for name, table in COMPONENTS_ONLY_WITH.items() if instance.rows(table))
    return (*COMPONENTS, *more, *(("lane_use",) if any(lane.fixed_musd for lane in instance.lanes) else ()))


def _columns(name: str, instance: Instance | None = None, months: bool = False) -> tuple[str, ...]:
    columns = COLUMNS[name] if name in COLUMNS else OTHER_COLUMNS[name]
    last, has = LAST_COLUMNS.get(name, ("", bool))
    columns = (*columns, last) if last and instance is not None and has(instance) else columns
    return with_month(columns) if months and "year" in columns else columns


def with_month(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of a table of operations as they are in a branch in months."""
    after = columns.index("year") + 1
    return (*columns[:after], MONTH, *columns[after:])


def by_column(
    name: str, rows: Iterable[Sequence[Any]], instance: Instance | None = None, months: bool = False
) -> dict[str, list[Any]]:
    """Return column -> cells of rows, sorted by the columns from left to right.

    name      of the table, which says what the columns are
    rows      one value for each column; None is a blank number or month
    instance  whose tables say whether a table of operations has a further last column
    months    whether the table is of a branch in months, and so has the column ``month``
    """
    return _sorted(_columns(name, instance, months), rows)


def _sorted(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    listed: list[Any] = list(rows)
    try:
        ordered = sorted(listed)
    except TypeError:  # None cannot be compared with a number: blanks come first
        ordered = sorted(listed, key=lambda row: tuple((v is not None, v) for v in row))
    return {column: [row[position] for row in ordered] for position, column in enumerate(columns)}


def table(name: str, rows: Iterable[Sequence[Any]], instance: Instance | None = None, months: bool = False) -> Cells:
    """Return rows as the cells of a table, as `Tables` holds them; arguments and order are those of `by_column`."""
    return {column: _READ[kind(column)](cells) for column, cells in by_column(name, rows, instance, months).items()}


_READ: dict[str, Callable[[list[Any]], list[Any]]] = {
    "text": lambda cells: cells,
    "year": lambda cells: list(map(int, cells)),
    MONTH: lambda cells: [None if cell is None else int(cell) for cell in cells],
    "number": lambda cells: [math.nan if cell is None else float(cell) for cell in cells],
}


def _frame(cells: Cells) -> pd.DataFrame:
    import pandas as pd

    dtypes = {"text": "object", "year": "int64", MONTH: "Int64", "number": "float64"}
    return pd.DataFrame({column: pd.Series(values, dtype=dtypes[kind(column)]) for column, values in cells.items()})


def cells_of(frame: pd.DataFrame) -> Cells:
    """Return a frame as column -> cells; NA becomes None."""
    from pandas import NA

    return {str(column): [None if cell is NA else cell for cell in frame[column].tolist()] for column in frame.columns}


def to_csv(cells: Cells) -> str:
    """Return a table, by column, as CSV text; numbers read back exactly, NaN and None are blanks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(cells)
    for row in zip(*cells.values(), strict=True):
        writer.writerow(["" if v is None or v != v else repr(v) if isinstance(v, float) else v for v in row])
    return out.getvalue()


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: frames become lists of rows, tuples lists, numbers that are not finite None.

    An object with a method ``to_dict`` becomes what that returns.

    >>> plain({"share": float("nan"), "years": (2030, 2035)})
    {'share': None, 'years': [2030, 2035]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if hasattr(value, "to_dict"):
        return plain(value.to_dict("records") if hasattr(value, "columns") else value.to_dict())
    return value


def from_csv(name: str, text: str) -> Cells:
    """Read the cells of a table from CSV text as written by :func:`to_csv`.

    Raises ValueError, with the line, on other columns, cells that are no year or finite number, and rows given twice.
    """
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(f"{name}.csv is not CSV: {error}") from None
    columns = _columns(name)  # whether the last column, or the month, must be there is for the audit to say
    if rows and name in LAST_COLUMNS and rows[0][-1:] == [LAST_COLUMNS[name][0]]:
        columns = (*columns, LAST_COLUMNS[name][0])
    if rows and name in (*BRANCH_TABLES, *BRANCH_TABLES_ONLY_WITH) and MONTH in rows[0]:
        columns = with_month(columns)
    if not rows or tuple(rows[0]) != columns:
        raise ValueError(f"{name}.csv: expected the columns {', '.join(columns)}")
    readers = [_reader(name, column) for column in columns]
    keys = [position for position, column in enumerate(columns) if kind(column) != "number"]
    parsed = []
    lines: dict[tuple[Any, ...], int] = {}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(readers):
            raise ValueError(f"{name}.csv:{line}: expected {len(readers)} cells, found {len(row)}")
        try:
            cells = [read(cell) for read, cell in zip(readers, row, strict=True)]
        except ValueError as error:
            raise ValueError(f"{name}.csv:{line}: {error}") from None
        first = lines.setdefault(tuple(cells[position] for position in keys), line)
        if first != line:
            raise ValueError(f"{name}.csv:{line}: the same row as in line {first}")
        parsed.append(cells)
    return {column: _READ[kind(column)](cells) for column, cells in _sorted(columns, parsed).items()}


def _reader(table: str, column: str) -> Callable[[str], Any]:
    """Return what reads a cell of a column; it raises ValueError with column and cell."""

    def year(cell: str) -> int:
        if not re.fullmatch(r"[0-9]{1,4}", cell):
            raise ValueError(f'{column} = "{cell[:40]}" is not a year')
        return int(cell)

    def month(cell: str) -> int | None:
        if cell and not re.fullmatch(r"[1-9]|1[0-2]", cell):
            raise ValueError(f'{column} = "{cell[:40]}" is not a month, 1 to 12')
        return int(cell) if cell else None

    def number(cell: str) -> float | None:
        if not cell and (table, column) in BLANK:
            return None
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f'{column} = "{cell[:40]}" is not a number')
        return value

    readers: dict[str, Callable[[str], Any]] = {"text": str, "year": year, MONTH: month, "number": number}
    return readers[kind(column)]
