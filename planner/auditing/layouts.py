"""How the tables of a run must look, by the text of the contract: their columns, keys and quantities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

from ..instance.instance import Instance

MONTH = "month"  # a column after ``year`` in the tables of a branch in months: 1 to 12, blank for whole years
COMPONENTS = ("capex", "fixed_om", "opex", "freight", "tariff", "purchase", "holding", "shortage")
# a further component, and the table without which it is not there
COMPONENTS_ONLY_WITH = {
    "sales": "buyers", "substitution": "substitutes", "impact": "impacts", "working_stock": "working_stocks",
}  # fmt: skip
PRIVATE = "private"
RECYCLED, UNKNOWN, INITIAL_STOCK = "recycled", "unknown", "initial stock"  # origins that are no country


class BuildRow(NamedTuple):
    option: str
    facility: str
    country: str
    start_year: int
    online_year: int
    modules: float
    capacity_t: float
    capex_musd: float


class CapacityRow(NamedTuple):
    facility: str
    country: str
    year: int
    capacity_t: float
    used_t: float


class ActivityRow(NamedTuple):
    facility: str
    process: str
    country: str
    input_provenance: str
    output_provenance: str
    year: int
    activity_t: float


class FlowRow(NamedTuple):
    material: str
    origin: str
    destination: str
    provenance: str
    year: int
    t: float
    freight_musd: float
    tariff_musd: float
    arrived_t: float = 0.0


class PurchaseRow(NamedTuple):
    market: str
    country: str
    material: str
    provenance: str
    year: int
    t: float
    cost_musd: float


class SaleRow(NamedTuple):
    buyer: str
    country: str
    material: str
    provenance: str
    year: int
    t: float
    revenue_musd: float


class ServiceRow(NamedTuple):
    country: str
    sector: str
    material: str
    year: int
    demand_t: float
    clean_t: float
    exposed_t: float
    short_t: float
    replaced_t: float = 0.0


class SubstitutionRow(NamedTuple):
    substitute: str
    country: str
    sector: str
    material: str
    replaced_by: str
    provenance: str
    year: int
    t: float
    cost_musd: float


class ReturnedRow(NamedTuple):
    return_: str
    country: str
    material: str
    provenance: str
    year: int
    t: float


class WorkingStockRow(NamedTuple):
    country: str
    material: str
    provenance: str
    year: int
    t: float
    cost_musd: float


class ImpactRow(NamedTuple):
    impact: str
    kind: str
    country: str
    year: int
    units: float
    cost_musd: float


class StockRow(NamedTuple):
    stockpile: str
    country: str
    material: str
    provenance: str
    year: int
    put_t: float
    draw_t: float
    stock_t: float


class AdjustmentRow(NamedTuple):
    kind: str
    material: str
    country: str
    provenance: str
    year: int
    t: float


class DependenceRow(NamedTuple):
    cap: str
    metric: str
    stage: str
    material: str
    country: str
    sector: str
    year: int
    share: float
    limit: float
    marginal_musd_per_point: float


class PriceRow(NamedTuple):
    material: str
    country: str
    provenance: str
    year: int
    usd_per_t: float


class CostRow(NamedTuple):
    component: str
    year: int
    musd: float
    present_musd: float


class FundingRow(NamedTuple):
    option: str
    source: str
    year: int
    musd: float


class ClosureRow(NamedTuple):
    facility: str
    kind: str
    country: str
    year: int
    share: float
    closed_t: float
    avoided_musd: float
    closing_musd: float


class PriceFloorRow(NamedTuple):
    facility: str
    option: str
    material: str
    payer: str
    year: int
    t: float
    floor_usd_per_t: float
    price_usd_per_t: float
    price_of: str
    upside_musd: float
    outlay_musd: float


class OfftakeRow(NamedTuple):
    offtake: str
    facility: str
    option: str
    material: str
    payer: str
    year: int
    t: float
    agreed_usd_per_t: float
    price_usd_per_t: float
    price_of: str
    outlay_musd: float


class OriginRow(NamedTuple):
    country: str
    sector: str
    material: str
    stage: str
    origin: str
    year: int
    t: float
    share: float


R = TypeVar("R", bound=tuple[Any, ...])


@dataclass(frozen=True)
class Layout(Generic[R]):
    """How a table must look.

    row         class of its rows, whose fields are its columns (with a line below, where Python has the word itself)
    key         columns that make up its key
    quantities  columns of numbers that may not be negative
    blank       columns of numbers that may be blank
    blank_names columns of names that may be blank
    without     fields of its rows that are no columns, since the instance gives no reason for them
    """

    name: str
    row: type[R]
    key: tuple[str, ...]
    quantities: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()
    blank_names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @cached_property
    def types(self) -> dict[str, type]:
        """Column -> type of its cells."""
        fields = get_type_hints(self.row).items()
        return {name.rstrip("_"): of for name, of in fields if name not in self.without}

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.types)


BUILDS = Layout("builds", BuildRow, ("option", "start_year"), ("modules", "capacity_t", "capex_musd"))
CAPACITY = Layout("capacity", CapacityRow, ("facility", "year"), ("capacity_t", "used_t"))
ACTIVITY = Layout(
    "activity",
    ActivityRow,
    ("facility", "process", "input_provenance", "output_provenance", "year"),
    ("activity_t",),
)
FLOWS = Layout("flows", FlowRow, ("material", "origin", "destination", "provenance", "year"), ("t", "arrived_t"))
FLOWS_ALONE = replace(FLOWS, quantities=("t",), without=("arrived_t",))  # of an instance where goods arrive at once
PURCHASES = Layout("purchases", PurchaseRow, ("market", "provenance", "year"), ("t",))
SALES = Layout("sales", SaleRow, ("buyer", "provenance", "year"), ("t",))
SERVICE = Layout(
    "service",
    ServiceRow,
    ("country", "sector", "material", "year"),
    ("demand_t", "clean_t", "exposed_t", "short_t", "replaced_t"),
)
SERVICE_ALONE = replace(SERVICE, without=("replaced_t",))  # of an instance without substitutes
SUBSTITUTION = Layout(
    "substitution",
    SubstitutionRow,
    ("substitute", "country", "sector", "material", "provenance", "year"),
    ("t", "cost_musd"),
    blank_names=("replaced_by", "provenance"),
)
IMPACT_TOTALS = Layout("impact_totals", ImpactRow, ("impact", "kind", "country", "year"))
RETURNED = Layout("returned", ReturnedRow, ("return", "country", "provenance", "year"), ("t",))
WORKING_STOCKS = Layout("working_stocks", WorkingStockRow, ("country", "material", "provenance", "year"), ("t",))
STOCKS = Layout("stocks", StockRow, ("stockpile", "provenance", "year"), ("put_t", "draw_t", "stock_t"))
ADJUSTMENTS = Layout("adjustments", AdjustmentRow, ("kind", "material", "country", "provenance", "year"), ("t",))
DEPENDENCE = Layout(
    "dependence",
    DependenceRow,
    ("cap", "metric", "stage", "material", "country", "sector", "year"),
    ("share", "limit"),
    ("share", "limit", "marginal_musd_per_point"),
)
PRICES = Layout("prices", PriceRow, ("material", "country", "provenance", "year"), blank=("usd_per_t",))
COSTS = Layout("costs", CostRow, ("component", "year"))
FUNDING = Layout("funding", FundingRow, ("option", "source", "year"), ("musd",))

PLAN_TABLES: tuple[Layout[Any], ...] = (
    BUILDS,
    CAPACITY,
    ACTIVITY,
    FLOWS,
    PURCHASES,
    SERVICE,
    STOCKS,
    ADJUSTMENTS,
    DEPENDENCE,
    PRICES,
    COSTS,
    FUNDING,
)
CLOSURES = Layout(
    "closures",
    ClosureRow,
    ("facility", "kind", "year"),
    ("share", "closed_t", "avoided_musd"),
)
PRICE_FLOORS = Layout(
    "price_floors",
    PriceFloorRow,
    ("facility", "option", "material", "year"),
    ("t", "floor_usd_per_t", "upside_musd"),
    ("price_usd_per_t", "upside_musd", "outlay_musd"),
)
OFFTAKES = Layout(
    "offtakes",
    OfftakeRow,
    ("offtake", "year"),
    ("t", "agreed_usd_per_t"),
    ("price_usd_per_t", "outlay_musd"),
)
# layouts of tables that are there only if the instance has rows of another table, and that one
ONLY_WITH: tuple[tuple[Layout[Any], str], ...] = (
    (CLOSURES, "closures"),
    (PRICE_FLOORS, "price_floors"),
    (OFFTAKES, "offtakes"),
    (SALES, "buyers"),
    (SUBSTITUTION, "substitutes"),
    (RETURNED, "returns"),
    (IMPACT_TOTALS, "impacts"),
    (WORKING_STOCKS, "working_stocks"),
)
BRANCHED = (SALES, SUBSTITUTION, RETURNED, WORKING_STOCKS)  # of these, the ones that a branch has too
ORIGIN = Layout(
    "origin", OriginRow, ("country", "sector", "material", "stage", "origin", "year"), ("t", "share")
)  # runs written before there was such a table lack it
BRANCH_TABLES: tuple[Layout[Any], ...] = (ACTIVITY, FLOWS, PURCHASES, SERVICE, STOCKS, ADJUSTMENTS)


def components(instance: Instance) -> tuple[str, ...]:
    """Return the components of the cost."""
    more = [name for name, table in COMPONENTS_ONLY_WITH.items() if instance.rows(table)]
    if any(lane.fixed_musd > 0.0 for lane in instance.lanes):
        more.append("lane_use")
    return (*COMPONENTS, *more)


def plan_layouts(instance: Instance) -> tuple[Layout[Any], ...]:
    """Return the layouts of the tables of a plan of an instance, without origin.csv."""
    return (*_fitted(instance, PLAN_TABLES), *(layout for layout, table in ONLY_WITH if instance.rows(table)))


def branch_layouts(instance: Instance, months: bool = False) -> tuple[Layout[Any], ...]:
    """Return the layouts of the tables of a branch.

    months  whether it is in months; its rows then have a field ``month``, 0 for whole years
    """
    more = (layout for layout, table in ONLY_WITH if layout in BRANCHED and instance.rows(table))
    layouts = (*_fitted(instance, BRANCH_TABLES), *more)
    return tuple(map(_in_months, layouts)) if months else layouts


@cache
def _in_months(layout: Layout[Any]) -> Layout[Any]:
    """Return a layout with the column ``month``, which is part of the key."""
    fields: list[tuple[str, Any]] = []
    for name, of in get_type_hints(layout.row).items():
        fields += [(name, of), (MONTH, int)] if name == "year" else [(name, of)]
    made: Any = NamedTuple  # of a class whose fields are known only here
    row = made(f"{layout.row.__name__}InMonths", fields)
    row.__new__.__defaults__ = layout.row.__new__.__defaults__
    return replace(layout, row=row, key=(*layout.key, MONTH))


def _fitted(instance: Instance, layouts: tuple[Layout[Any], ...]) -> tuple[Layout[Any], ...]:
    """Return layouts with what the tables of the instance change of them."""
    changed: dict[str, Layout[Any]] = {}
    if not instance.substitutes:
        changed[SERVICE.name] = SERVICE_ALONE
    if not any(lane.transit_weeks > 0.0 for lane in instance.lanes):
        changed[FLOWS.name] = FLOWS_ALONE
    if instance.impacts:  # of which a plan may have less than nothing, by credits
        changed[DEPENDENCE.name] = replace(DEPENDENCE, quantities=("limit",))
    return tuple(changed.get(of.name, of) for of in layouts)
