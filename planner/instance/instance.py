"""The class `Instance`: all tables and settings, checked, sorted and frozen; a change gives a new instance.

Every `Instance` has passed all checks, so no code that gets one checks it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Issue, UsageError, did_you_mean
from ..words import paragraphs
from .blend_tables import Content as ContentRow
from .cells import cell_of
from .changes import Applied, Change, Draft, other_choices
from .declare import Key, Row
from .group_tables import Group, GroupLimit
from .impact_tables import Impact, ImpactFactor
from .reading import Place, Written
from .rows import BadRow, Entry, ParsedTable, rows_given
from .settings import BASE, CHANGE, SurvivalRule, setting_sections
from .tables import (
    TABLES,
    Blend,
    BranchService,
    Buyer,
    BuyerPrice,
    Cap,
    Closure,
    Country,
    DeliveryRisk,
    Demand,
    Disruption,
    Evidence,
    Facility,
    FacilityCapacity,
    Fund,
    FundOption,
    Lane,
    Market,
    MarketPrice,
    Material,
    Offtake,
    Operation,
    OperationCost,
    Option,
    OptionSize,
    PriceFloor,
    Process,
    Recipe,
    RecipeYield,
    Scenario,
    Sector,
    Source,
    Stockpile,
    Substitute,
    SubstituteShare,
    Tariff,
    WorkingStock,
    cells,
    columns,
)
from .use_tables import ReturnRow
from .which_rows import conditions, selected

if TYPE_CHECKING:
    import pandas as pd

CHANGED = "(changed)"  # shown instead of a file name for rows that a script changed


@dataclass(frozen=True, repr=False)
class Instance:
    """A checked instance. Every table is a tuple of its active rows, sorted by key.

    sha256    digest of all files read, those of its base included, and of later changes
    path      the folder it was loaded from; None after a change that is no what-if
    changes   the what-ifs that were made, those of its instance.toml first
    warnings  what is suspicious but possible; it is looked for when it is first asked for

    The settings (``years``, ``discount_rate`` ...) have the meanings and units of instance.toml.
    """

    name: str
    title: str
    description: str
    stages: tuple[str, ...]
    years: tuple[int, ...]
    last_period_years: int
    currency: str
    price_year: int
    discount_rate: float
    wacc: float
    countries_of_concern: tuple[str, ...]
    survive: tuple[SurvivalRule, ...]
    risk_measure: str
    risk_weight: float
    risk_alpha: float
    sha256: str
    path: Path | None
    changes: tuple[Applied, ...] = ()

    countries: tuple[Country, ...] = field(default=(), repr=False)
    materials: tuple[Material, ...] = field(default=(), repr=False)
    processes: tuple[Process, ...] = field(default=(), repr=False)
    recipes: tuple[Recipe, ...] = field(default=(), repr=False)
    recipe_yields: tuple[RecipeYield, ...] = field(default=(), repr=False)
    facilities: tuple[Facility, ...] = field(default=(), repr=False)
    facility_capacity: tuple[FacilityCapacity, ...] = field(default=(), repr=False)
    operations: tuple[Operation, ...] = field(default=(), repr=False)
    operation_costs: tuple[OperationCost, ...] = field(default=(), repr=False)
    options: tuple[Option, ...] = field(default=(), repr=False)
    option_sizes: tuple[OptionSize, ...] = field(default=(), repr=False)
    lanes: tuple[Lane, ...] = field(default=(), repr=False)
    tariffs: tuple[Tariff, ...] = field(default=(), repr=False)
    sectors: tuple[Sector, ...] = field(default=(), repr=False)
    demand: tuple[Demand, ...] = field(default=(), repr=False)
    markets: tuple[Market, ...] = field(default=(), repr=False)
    market_prices: tuple[MarketPrice, ...] = field(default=(), repr=False)
    stockpiles: tuple[Stockpile, ...] = field(default=(), repr=False)
    working_stocks: tuple[WorkingStock, ...] = field(default=(), repr=False)
    caps: tuple[Cap, ...] = field(default=(), repr=False)
    groups: tuple[Group, ...] = field(default=(), repr=False)
    group_limits: tuple[GroupLimit, ...] = field(default=(), repr=False)
    funds: tuple[Fund, ...] = field(default=(), repr=False)
    fund_options: tuple[FundOption, ...] = field(default=(), repr=False)
    scenarios: tuple[Scenario, ...] = field(default=(), repr=False)
    disruptions: tuple[Disruption, ...] = field(default=(), repr=False)
    branch_service: tuple[BranchService, ...] = field(default=(), repr=False)
    delivery_risk: tuple[DeliveryRisk, ...] = field(default=(), repr=False)
    closures: tuple[Closure, ...] = field(default=(), repr=False)
    price_floors: tuple[PriceFloor, ...] = field(default=(), repr=False)
    offtakes: tuple[Offtake, ...] = field(default=(), repr=False)
    buyers: tuple[Buyer, ...] = field(default=(), repr=False)
    buyer_prices: tuple[BuyerPrice, ...] = field(default=(), repr=False)
    substitutes: tuple[Substitute, ...] = field(default=(), repr=False)
    substitute_shares: tuple[SubstituteShare, ...] = field(default=(), repr=False)
    returns: tuple[ReturnRow, ...] = field(default=(), repr=False)
    impacts: tuple[Impact, ...] = field(default=(), repr=False)
    impact_factors: tuple[ImpactFactor, ...] = field(default=(), repr=False)
    contents: tuple[ContentRow, ...] = field(default=(), repr=False)
    blends: tuple[Blend, ...] = field(default=(), repr=False)
    evidence: tuple[Evidence, ...] = field(default=(), repr=False)
    sources: tuple[Source, ...] = field(default=(), repr=False)

    _content: Content | None = field(default=None, repr=False, compare=False)
    _suspicions: Callable[[], tuple[Issue, ...]] | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "warnings": self.warnings, "_suspicions": None}

    @cached_property
    def warnings(self) -> tuple[Issue, ...]:
        """What is suspicious but possible; to look for it takes as long as all other rules."""
        return () if self._suspicions is None else self._suspicions()

    def __repr__(self) -> str:
        return f"<Instance {self.name}: {self.title}, {self.years[0]}-{self.years[-1]}>"

    def __str__(self) -> str:
        counts = ", ".join(f"{len(self.rows(table)):,} {table}" for table in TABLES if self.rows(table))
        lines = [self.title, self.description, f"Years: {', '.join(map(str, self.years))}", f"Rows: {counts}"]
        lines += [f"What if: {made.change} ({made.did})" for made in self.changes]
        if self.warnings:
            lines.append(f"Warnings: {len(self.warnings)}, in the field warnings")
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        return paragraphs(str(self))

    @cached_property
    def tables(self) -> Frames:
        """The tables as frames of pandas, such as ``instance.tables["demand"]``: active rows, sorted by key."""
        return Frames(self)

    def rows(self, table: str) -> tuple[Any, ...]:
        """Return the active rows of a table, sorted by key. Raises UsageError if no table has this name."""
        rows: tuple[Any, ...] = getattr(self, _known_table(table))
        return rows

    def all_rows(self, table: str) -> tuple[Any, ...]:
        """Return all rows of a table, inactive ones too, sorted by key."""
        return tuple(entry.row for entry in self._held.entries[_known_table(table)].values())

    def place(self, table: str, key: Key) -> Place:
        """Return where a row is written: file (relative to the instance), line, and the cells as text."""
        return self._held.entries[_known_table(table)][key].place

    def entries(self, table: str) -> tuple[Entry, ...]:
        """Return all rows of a table, inactive ones too, with the places where they are written, sorted by key."""
        return tuple(self._held.entries[_known_table(table)].values())

    @cached_property
    def capacity_series(self) -> dict[str, dict[int | None, float]]:
        """Facility -> year -> own capacity, t/yr, of facilities whose capacity is a series; see `timeline`."""
        series: dict[str, dict[int | None, float]] = {}
        for row in self.facility_capacity:
            series.setdefault(row.facility, {})[row.year] = row.capacity_t
        return series

    @cached_property
    def has_transit(self) -> bool:
        """Whether goods are under way for some time on a lane, which counts in the months of branches."""
        return any(row.transit_weeks > 0.0 for row in self.lanes)

    @cached_property
    def sizes(self) -> dict[str, list[tuple[float, float]]]:
        """Option with sizes -> (capacity, t/yr; overnight capex, MUSD) of each, the smallest first, then its own."""
        found: dict[str, list[tuple[float, float]]] = {}
        for row in self.option_sizes:
            found.setdefault(row.option, []).append((row.capacity_t, row.capex_musd))
        own = {o.option: (o.module_t, o.capex_musd) for o in self.options}
        return {option: [*sorted(smaller), own[option]] for option, smaller in found.items()}

    @property
    def floors(self) -> frozenset[str]:
        """The names of the caps that are floors: those of the sense ``min``."""
        return frozenset(cap.cap for cap in self.caps if cap.sense == "min")

    def market_exposed(self, market: Market | str) -> bool:
        """Return whether what a market (row or name) sells is exposed: as its row says, else by its country."""
        row = market if isinstance(market, Market) else next(m for m in self.markets if m.market == market)
        return row.country in self.countries_of_concern if row.exposed is None else row.exposed

    @property
    def negligible_t(self) -> float:
        """Tonnes a year below which an amount is nothing and its row is left out: 1e-6, less if demand is small."""
        return min(1e-6, 1e-8 * max((row.demand_t for row in self.demand), default=1.0) or 1e-6)

    @property
    def priced_t(self) -> float:
        """Tonnes a year that must pass for a price: a millionth of the largest demand.

        Less may pass only because the plan of least exposure is sought within 1e-7 of the least cost, and the shadow
        prices are those of the least cost.
        """
        return max(self.negligible_t, 1e-6 * max((row.demand_t for row in self.demand), default=0.0))

    # --- changes ---

    def changed(
        self,
        rows: Mapping[str, Iterable[Mapping[str, Any]]] | None = None,
        without: Mapping[str, Mapping[str, Any]] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Instance:
        """Return a new instance after several changes that are checked together, such as a new market and its price.

        rows      table -> rows to add, or to put in place of those with the same key; see `with_rows`
        without   table -> column -> value: rows to remove first; see `without`
        settings  key of instance.toml -> value
        Raises UsageError if a table, column or setting is unknown, InstanceError if the new instance has problems.
        """
        for name, asked in (("rows", rows), ("without", without), ("settings", settings)):
            if asked is not None and not isinstance(asked, Mapping):
                raise UsageError(f"{name}: expected a mapping, not {type(asked).__name__}")
        tables: dict[str, Mapping[Key, Entry]] = {}
        parsed: dict[str, ParsedTable] = {}
        issues: list[Issue] = []
        for table, where in (without or {}).items():
            gone = {entry.row.identity for entry in self._matching(table, where)}
            tables[table] = {k: entry for k, entry in self._held.entries[table].items() if k not in gone}
        for table, given in (rows or {}).items():
            parsed[table] = rows_given(_known_table(table), _mappings(table, given), issues, CHANGED)
            tables[table] = {**tables.get(table, self._held.entries[table]), **parsed[table].entries}
        return self._changed(tables, parsed, issues, self._merged(settings) if settings else None)

    def with_rows(self, table: str, *rows: Mapping[str, Any]) -> Instance:
        """Return a new instance with rows added, or put in place of those with the same key.

        rows  column -> value, as in a row object or as the text of a cell; all of the old row is replaced
        """
        return self.changed(rows={table: rows}) if rows else self

    def matching(self, table: str, where: str) -> tuple[Any, ...]:
        """Return the rows of a table that meet conditions such as ``owner="MP Materials" and country=USA``.

        A condition may name a column of the option or the plant that a row belongs to. Raises UsageError if the
        conditions cannot be read or no row meets them.
        """
        return tuple(entry.row for entry in selected(self._held.entries, table, conditions(where)))

    def other_choices(self, options: Iterable[str]) -> str:
        """Return in words which options can be built in place of these, which exclude them; "" if none can."""
        names = set(options)
        return other_choices(self._held.entries, [row for row in self.options if row.option in names])

    def without(self, table: str, **where: Any) -> Instance:
        """Return a new instance without the rows of a table whose columns have the given values.

        At least one row must match. Rows that refer to it have to be removed before, or together with it (`changed`).
        """
        return self.changed(without={table: where})

    def scaled(self, table: str, column: str, factor: float, **where: Any) -> Instance:
        """Return a new instance with a column of numbers multiplied by ``factor`` in the rows that match ``where``.

        Blank cells (no limit) stay blank. Years and other whole numbers cannot be scaled.
        """
        spec = columns(_known_table(table)).get(column)
        if spec is None or spec.kind != "number":
            raise UsageError(f"{table}.{column} is not a column of numbers")
        if not isinstance(factor, Real):
            raise UsageError(f"factor = {factor!r}: expected a number")
        rows = []
        for entry in self._matching(table, where):
            value = getattr(entry.row, column)
            if value is not None:
                rows.append({**cells(entry.row), column: cell_of(value * float(factor))})
        return self.with_rows(table, *rows)

    def with_settings(self, **settings: Any) -> Instance:
        """Return a new instance with other values of keys of instance.toml, such as ``discount_rate=0.07``."""
        return self.changed(settings=settings)

    def what_if(self, *changes: str, name: str | None = None) -> Instance:
        """Return a new instance after what-ifs, such as ``"scale demand=1.3"`` or ``"cap exposed_share=10%@2032"``.

        changes  in the language of docs/what-if.md, made one after the other and checked together
        name     of the new instance; None: that of this one, with ``-what-if`` behind it
        The field ``changes`` of the new instance tells what each one matched. Raises UsageError for a change that
        cannot be read or matches nothing, InstanceError if the new instance has problems.
        """
        if wrong := next((change for change in changes if not isinstance(change, str)), None):
            raise UsageError(f'what-if {wrong!r}: expected a text such as "scale demand=1.3"')
        draft = Draft({t: dict(rows) for t, rows in self._held.entries.items()}, dict(self._held.settings), [], set())
        applied = tuple(Change.parse(change).apply(draft) for change in changes)
        name = f"{self.name}-what-if" if name is None else name
        title = f"{self.title}; what if: {'; '.join(one.change for one in applied)}"
        for key, value in (("name", name), ("title", title)):
            draft.settings["", key] = Written(value, CHANGED, None)
        content = replace(
            self._held,
            entries=draft.entries,
            settings=draft.settings,
            broken=frozenset(draft.broken),
            unnamed=frozenset(draft.broken),
            overlays=(),
            replaced=(),
            applied=(*self._held.applied, *applied),
        )
        digest = hashlib.sha256(json.dumps([self.sha256, name, [one.change for one in applied]]).encode())
        return self._held.freeze(content, draft.issues, digest.hexdigest(), self.path, self.name)

    def _merged(self, settings: Mapping[str, Any]) -> dict[tuple[str, str], Written]:
        sections = setting_sections()
        merged = dict(self._held.settings)
        for name, value in settings.items():
            if name not in sections or name in (BASE, CHANGE, "schema"):
                raise UsageError(f"unknown setting {name}; {did_you_mean(name, sections)}".rstrip("; "))
            given = list(value) if isinstance(value, tuple) else value
            if isinstance(value, (set, frozenset)):
                given = sorted(value)
            merged[sections[name], name] = Written(given, CHANGED, None)
        return merged

    @property
    def identity(self) -> dict[str, str]:
        """Name, title and digest, by which results name their instance."""
        return {"name": self.name, "title": self.title, "sha256": self.sha256}

    @property
    def _held(self) -> Content:
        if self._content is None:
            raise UsageError("an Instance comes from planner.load, or from a change of one")
        return self._content

    def _matching(self, table: str, where: Mapping[str, Any]) -> list[Entry]:
        known = columns(_known_table(table))
        for name in where:
            if name not in known:
                raise UsageError(f"unknown column {name} of {table}; {did_you_mean(name, known)}".rstrip("; "))
        found = [
            entry
            for entry in self._held.entries[table].values()
            if all(getattr(entry.row, name) == value for name, value in where.items())
        ]
        if not found:
            wanted = ", ".join(f"{name} = {value}" for name, value in where.items())
            raise UsageError(f"no row of {table} with {wanted}" if wanted else f"{table} has no rows")
        return found

    def _changed(
        self,
        tables: Mapping[str, Mapping[Key, Entry]],
        parsed: Mapping[str, ParsedTable],
        issues: list[Issue],
        settings: Mapping[tuple[str, str], Written] | None,
    ) -> Instance:
        """Check changed tables and settings, and freeze them as a new instance.

        tables    table -> key -> row, of the tables that change
        parsed    what was read of the rows given
        issues    problems found so far
        settings  all settings, or None if they stay
        """
        content = replace(
            self._held,
            entries={**self._held.entries, **tables},
            settings=self._held.settings if settings is None else settings,
            failed={table: p.failed for table, p in parsed.items()},
            bad={table: p.bad for table, p in parsed.items()},
            broken=frozenset(table for table, p in parsed.items() if not p.sound),
            unnamed=frozenset(table for table, p in parsed.items() if not p.named),
            overlays=(),
            replaced=(),
        )
        digest = hashlib.sha256(self.sha256.encode())
        for table in sorted(tables):
            rows = sorted((entry.row for entry in tables[table].values()), key=_sort_key)
            digest.update(json.dumps([table, [cells(row) for row in rows]]).encode())
        if settings is not None:
            values = [[section, name, w.value] for (section, name), w in sorted(settings.items())]
            digest.update(json.dumps(values, default=str).encode())
        return self._held.freeze(content, issues, digest.hexdigest(), None, self.name)


class Frames(Mapping[str, "pd.DataFrame"]):
    """Table -> frame of an instance, made when it is asked for; only tables with rows are listed.

    A blank cell is missing (NaN, None), several sources are joined by ``;``.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def __getitem__(self, table: str) -> pd.DataFrame:
        import pandas as pd

        names = [name for name in columns(_known_table(table)) if name != "active"]
        rows = self._instance.rows(table)
        cell = {name: ";".join if columns(table)[name].kind == "sources" else _as_is for name in names}
        return pd.DataFrame({name: [cell[name](getattr(row, name)) for row in rows] for name in names})

    def __iter__(self) -> Iterator[str]:
        return (table for table in TABLES if self._instance.rows(table))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return f"<Tables of {self._instance.name}: {', '.join(self)}>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


def _as_is(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Content:
    """The content of an instance before it is checked; see `checks.registry.Draft` for the parts.

    freeze   function that checks such content and makes an instance of it; it is a field, since the module with the
             checks imports this one
    applied  the what-ifs that were made
    """

    settings: Mapping[tuple[str, str], Written]
    entries: Mapping[str, Mapping[Key, Entry]]
    bad: Mapping[str, tuple[BadRow, ...]]
    failed: Mapping[str, frozenset[Key]]
    broken: frozenset[str]
    unnamed: frozenset[str]
    overlays: tuple[Entry, ...]
    replaced: tuple[tuple[Entry, Entry], ...]
    freeze: Callable[[Content, list[Issue], str, Path | None, str], Instance]
    applied: tuple[Applied, ...] = ()


def _mappings(table: str, rows: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Return rows given in a script as mappings of column to value. Raises UsageError for anything else."""
    found: list[Mapping[str, Any]] = []
    for row in [rows] if isinstance(rows, (str, Mapping)) or not isinstance(rows, Iterable) else rows:
        given = cells(row) if isinstance(row, TABLES[table]) else row
        if isinstance(rows, Mapping) or not isinstance(given, Mapping) or not all(isinstance(n, str) for n in given):
            raise UsageError(
                f"rows of {table}: expected for each row a mapping of column to value, not {type(row).__name__}; "
                f"with_rows takes them one after another: with_rows({table!r}, row, row)"
            )
        found.append(given)
    return found


def sortable(row_key: Key) -> tuple[tuple[bool, Any], ...]:
    """Return a key in a form that can be sorted, with blank parts first."""
    return tuple((part is not None, part) for part in row_key)


def _sort_key(row: Row) -> tuple[tuple[bool, Any], ...]:
    return sortable(row.identity)


def _known_table(table: str) -> str:
    if table not in TABLES:
        raise UsageError(f"unknown table {table}; {did_you_mean(table, TABLES)}".rstrip("; "))
    return table
