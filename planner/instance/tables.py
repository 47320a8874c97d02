"""Every table of an instance: its columns with unit, range, default and meaning, its key, and its references.

There is one frozen row class for each table; its attributes are the columns, in the order of the documentation. The
page on the instance format is generated from these classes (`describe`), and so are the checks of cells and references.
Units: t are metric tonnes (per year for rates); USD and MUSD (million USD) are in constant prices of the price year.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from .blend_tables import Blend, Content
from .cells import cell_of
from .declare import (
    BLOCS,
    LARGEST_YIELD,
    STAGES,
    CitedRow,
    Column,
    Row,
    _describe_column,
    choice,
    flag,
    fraction,
    key,
    number,
    reference,
    text,
    whole_number,
    whole_years,
    year,
)
from .evidence_tables import Evidence, Source
from .group_tables import Group, GroupLimit, OptionSize
from .impact_tables import Impact, ImpactFactor
from .metrics import METRICS
from .money_tables import Fund, FundOption, Offtake, PriceFloor
from .scenario_tables import BranchService, DeliveryRisk, Disruption, Scenario
from .use_tables import Buyer, BuyerPrice, Return, Substitute, SubstituteShare


class Country(CitedRow):
    """A country, and the bloc to which it belongs."""

    TABLE = "countries"
    KEY = ("country",)
    REQUIRED = True

    country: str = key("short name, such as an ISO code")
    name: str = text("name in full")
    bloc: str = text(
        "a group of countries; caps and disruptions take it wherever they take a country", "none", name=True
    )
    latitude: float | None = number("for maps", "degrees", None, "not on maps", ge=-90.0, le=90.0)
    longitude: float | None = number("for maps", "degrees", None, "not on maps", ge=-180.0, le=180.0)


class Material(CitedRow):
    """A material that is made, moved, stored or delivered."""

    TABLE = "materials"
    KEY = ("material",)
    REQUIRED = True

    material: str = key("short name")
    name: str = text("name in full")
    stage: str = reference(STAGES, "the stage of the chain that makes it", "none")
    strategic: bool = flag("whether it counts in stage shares; choose one material per link of the chain")
    value_usd_per_t: float = number("base of ad-valorem tariffs", "USD/t", 0.0)
    surplus: bool = flag("whether it may be thrown away where it is made; no for finished goods", True)


class Process(CitedRow):
    """A process that a plant can run; its inputs and outputs stand in recipes."""

    TABLE = "processes"
    KEY = ("process",)
    REQUIRED = True

    process: str = key("short name")
    name: str = text("name in full")
    restores_provenance: bool = flag(
        "a recycling step: what it makes is clean whatever went in, "
        "unless it is made in, or by a plant tied to, a country of concern"
    )


class Recipe(CitedRow):
    """An input or output of a process, in tonnes per tonne of activity."""

    TABLE = "recipes"
    KEY = ("process", "material", "role")
    REQUIRED = True

    process: str = reference("processes", "the process")
    material: str = reference("materials", "what goes in or comes out")
    role: Literal["input", "output"] = choice("which of the two")
    t_per_t: float = number("tonnes per tonne of activity", "t/t", gt=0.0, le=LARGEST_YIELD)


class RecipeYield(CitedRow):
    """An input or output that changes with time: a series that replaces the figure of the row in recipes."""

    TABLE = "recipe_yields"
    KEY = ("process", "material", "role", "year")
    TOGETHER: ClassVar[Mapping[tuple[str, ...], str]] = {("process", "material", "role"): "recipes"}

    process: str = reference("processes", "the process")
    material: str = reference("materials", "what goes in or comes out")
    role: Literal["input", "output"] = choice("which of the two")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    t_per_t: float = number("tonnes per tonne of activity", "t/t", gt=0.0, le=LARGEST_YIELD)


class Facility(CitedRow):
    """A mine, plant or project, with a capacity in one country."""

    TABLE = "facilities"
    KEY = ("facility",)
    REQUIRED = True

    facility: str = key("short name")
    name: str = text("name in full")
    owner: str = text("who owns it", "not said")
    country: str = reference("countries", "where it stands")
    status: Literal["operating", "construction", "candidate"] = choice("how far it is")
    startup: bool = flag("whether the owner is a startup")
    capacity_t: float = number("own capacity at nameplate, without options", "t/year", 0.0)
    first_year: int | None = year("first year of the own capacity; may lie before the horizon", "there from the start")
    last_year: int | None = year("last year of the own capacity; options go on", "no end")
    ramp_years: int = whole_years("years from first_year to full own capacity, linear", 0)
    min_use: float = fraction("part of its own available capacity that must be used", 0.0)
    min_use_until: int | None = year("last period start for which min_use holds", "to the end")
    fixed_om_usd_per_t: float = number("fixed cost per tonne of available capacity and year", "USD/t", 0.0)
    concern_tie: bool = flag("ownership, technology or equipment makes all it produces exposed")


class FacilityCapacity(CitedRow):
    """A capacity that changes with time: a series that replaces capacity_t of the row in facilities, which stays blank.

    The first and last year and the ramp of the facility still multiply it, and min_use refers to it.
    """

    TABLE = "facility_capacity"
    KEY = ("facility", "year")

    facility: str = reference("facilities", "the facility")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    capacity_t: float = number("own capacity at nameplate, without options", "t/year")


class Operation(CitedRow):
    """A process that a facility can run, and its running cost."""

    TABLE = "operations"
    KEY = ("facility", "process")
    REQUIRED = True

    facility: str = reference("facilities", "the facility")
    process: str = reference("processes", "the process it can run")
    opex_usd_per_t: float = number(
        "running cost per tonne of activity; negative for a by-product credit", "USD/t", 0.0, ge=None
    )
    capacity_per_t: float = number("capacity used per tonne of activity", "t/t", 1.0, gt=0.0)


class OperationCost(CitedRow):
    """A running cost that changes with time: a series that replaces the figure of the row in operations."""

    TABLE = "operation_costs"
    KEY = ("facility", "process", "year")
    TOGETHER: ClassVar[Mapping[tuple[str, ...], str]] = {("facility", "process"): "operations"}

    facility: str = reference("facilities", "the facility")
    process: str = reference("processes", "the process")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    opex_usd_per_t: float = number("running cost per tonne of activity", "USD/t", ge=None)


class Option(CitedRow):
    """An investment that adds capacity to a facility, or room to a stockpile, in modules."""

    TABLE = "options"
    KEY = ("option",)

    option: str = key("short name")
    facility: str = reference("facilities", "the facility that grows")
    name: str = text("name in full")
    module_t: float = number("capacity of a module", "t/year", gt=0.0)
    max_modules: float = number("most modules over the whole horizon", "modules", 1.0)
    min_modules: float = number("fewest modules; above 0 for a committed project", "modules", 0.0)
    max_per_year: float | None = number("most modules started per calendar year", "modules/year", None, "no limit")
    integer: bool = flag("whether only whole modules can be built", True)
    capex_musd: float = number("overnight cost of a module", "MUSD")
    lead_years: int = whole_years("years from the start to the first output", 0)
    ramp_years: int = whole_years("years from the first output to full output, linear", 0)
    life_years: int = whole_years("years online", least=1)
    first_start: int | None = year("first year in which modules may start", "first year of the horizon")
    last_start: int | None = year("last year in which modules may start", "last year of the horizon")
    wacc: float | None = fraction("cost of capital, real, per year", None, "wacc of instance.toml")
    exclusive_group: str = text("at most one option of a group is built at all", "none", name=True)
    requires: str = reference("options", "an integer option that must be started in the same period or before", "none")
    private_musd: float | None = number("private capital it can raise in all", "MUSD", None, "no limit")
    success_probability: float = fraction("chance of success; used by risk analyses only", 1.0)
    stockpile: str = reference(
        "stockpiles",
        "the store that grows instead of the facility, in the same country: module_t is added to its max_t, and costs "
        "no fixed O&M",
        "none, the facility grows",
    )


class Lane(CitedRow):
    """A permitted movement between two countries; a movement without a row is not possible.

    Of several rows that match a movement, one with an exact material goes before one with `*`, then one with an exact
    origin, then one with an exact destination.

    With min_t or fixed_musd a movement takes place in a period or not at all, a decision of yes or no; clean and
    exposed tonnes count together. It is so in the plan and in every branch. In a branch in months each month decides
    for itself, and pays, and moves at least, a twelfth of a year's.

    With transit_weeks goods arrive so much later than they leave, in the months of a branch that something disturbs and
    in the period after them. What is under way when the branch begins is what the course that it leaves ships in that
    year; it still arrives, and what nobody can use of it then is lost. Freight and tariffs are paid when goods leave;
    goods cost nothing while they are under way. In the plan, and by the clock of years, goods arrive when they leave.
    """

    TABLE = "lanes"
    KEY = ("material", "origin", "destination", "first_year", "last_year")

    material: str = reference("materials", "what moves, * for anything", wildcard=True)
    origin: str = reference("countries", "from where, * for anywhere", wildcard=True)
    destination: str = reference("countries", "to where, * for anywhere", wildcard=True)
    cost_usd_per_t: float = number("freight, insurance and handling", "USD/t")
    max_t: float | None = number("most for each matching movement", "t/year", None, "no limit")
    first_year: int | None = year("first year", "no beginning")
    last_year: int | None = year("last year", "no end")
    min_t: float = number("least that moves if anything does, for each matching movement; needs max_t", "t/year", 0.0)
    fixed_musd: float = number(
        "cost of a year in which anything moves, whatever the tonnes, for each matching movement; needs max_t",
        "MUSD/year",
        0.0,
    )
    transit_weeks: float = number(
        "weeks under way, less than a year, of which 52 make its twelve months; they count in branches in months alone",
        "weeks",
        0.0,
        le=51.0,
    )


class Tariff(CitedRow):
    """A duty on a movement, matched as lanes are; a movement without a row pays no duty."""

    TABLE = "tariffs"
    KEY = ("material", "origin", "destination", "first_year", "last_year")

    material: str = reference("materials", "what moves, * for anything", wildcard=True)
    origin: str = reference("countries", "from where, * for anywhere", wildcard=True)
    destination: str = reference("countries", "to where, * for anywhere", wildcard=True)
    first_year: int | None = year("first year", "no beginning")
    last_year: int | None = year("last year", "no end")
    rate: float = number("part of the material's value_usd_per_t; may exceed 1", "fraction")


class Sector(CitedRow):
    """A group of buyers, and the cost of a tonne that it does not get."""

    TABLE = "sectors"
    KEY = ("sector",)
    REQUIRED = True
    UNLESS = "buyers"

    sector: str = key("short name")
    name: str = text("name in full")
    shortage_usd_per_t: float = number("cost of a tonne not delivered", "USD/t")
    min_service: float = fraction("part of its demand that must be served", 0.0)
    clean_from_year: int | None = year("from then on only clean material serves it", "never")


class Demand(CitedRow):
    """A demand of a sector for a material in a country; a series."""

    TABLE = "demand"
    KEY = ("country", "sector", "material", "year")
    REQUIRED = True
    UNLESS = "buyers"

    country: str = reference("countries", "where it is used")
    sector: str = reference("sectors", "by whom")
    material: str = reference("materials", "what is needed")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    demand_t: float = number("need", "t/year")


class Market(CitedRow):
    """A seller of a material outside the modelled chain."""

    TABLE = "markets"
    KEY = ("market",)

    market: str = key("short name")
    country: str = reference("countries", "where it sells")
    material: str = reference("materials", "what it sells")
    exposed: bool | None = flag(
        "whether what is bought is exposed; no is an error in a country of concern",
        None,
        "yes in a country of concern, else no",
    )


class MarketPrice(CitedRow):
    """The price of a market and the most that it sells; a series."""

    TABLE = "market_prices"
    KEY = ("market", "year")

    market: str = reference("markets", "the market")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    price_usd_per_t: float = number("price", "USD/t")
    max_t: float | None = number(
        "most that can be bought; for one market always blank or never", "t/year", None, "no limit"
    )


class Stockpile(CitedRow):
    """A store of a material that serves its own country."""

    TABLE = "stockpiles"
    KEY = ("stockpile",)

    stockpile: str = key("short name")
    country: str = reference("countries", "where it lies")
    material: str = reference("materials", "what is stored")
    initial_t: float = number("content before the first period", "t", 0.0)
    initial_exposed: bool = flag("whether that content is exposed")
    max_t: float = number("most it can hold", "t")
    holding_usd_per_t: float = number("cost per tonne held at a period's end, and year", "USD/t", 0.0)
    final_min_t: float = number("least content after the last period", "t", 0.0)
    release_after_months: int = whole_years(
        "months after a disruption begins until something may be released; counts where a branch is in months", 0
    )
    release_max_t: float | None = number(
        "most that may be released in a month while a branch lasts; the plan is not held to it",
        "t/month",
        None,
        "no limit",
    )


class WorkingStock(CitedRow):
    """What firms hold of a material in a country to work with, beside any stockpile: so many weeks of their use.

    It is full when a disruption that is counted in months begins: it then holds these weeks of what the course that
    the branch leaves uses and delivers there, clean and exposed apart, in that year (if the branch begins with
    January, in the year before). It can be drawn in the disrupted months, by its own country. It is filled again
    later: a tonne drawn costs what it takes to replace it. If that is less than supply costs in the disrupted months,
    it is drawn though nothing lacks: nobody can tell need from price, so the cost must be that of normal supply. By the
    clock of years it does nothing.
    """

    TABLE = "working_stocks"
    KEY = ("material", "country")

    material: str = reference("materials", "what is held")
    country: str = reference("countries", "where it lies")
    weeks: float = number("weeks of use that are held", "weeks", gt=0.0, le=520.0)
    replace_usd_per_t: float | None = number(
        "cost of replacing a tonne drawn, no less than a tonne costs in normal times, delivered",
        "USD/t",
        None,
        "value_usd_per_t of the material",
    )


class Cap(CitedRow):
    """A limit on a metric of dependence: an upper one, or with the sense ``min`` a floor.

    A floor holds in the plan, and in branches that nothing disturbs; where nothing is used it is met.
    """

    TABLE = "caps"
    KEY = ("cap",)

    cap: str = key("short name")
    metric: Literal[*METRICS] = choice("what is limited")  # type: ignore[valid-type]
    stage: str = reference(
        STAGES,
        "the stage whose strategic materials count; this or material, not for exposed_share",
        "see material",
    )
    material: str = reference(
        "materials", "the one material that counts; this or stage, not for exposed_share", "see stage"
    )
    country: str = reference(
        ("countries", BLOCS),
        "country or bloc: consumers for exposed_share, importers for import_share, the one that makes and uses for "
        "own_share (required); not for the others",
        "all; for import_share every country outside origin",
    )
    sector: str = reference("sectors", "consumers; for exposed_share only", "all")
    origin: str = reference(
        ("countries", BLOCS), "country or bloc of origin; for import_share only", "anywhere outside"
    )
    first_year: int | None = year("first year", "first year of the horizon")
    last_year: int | None = year("last year", "last calendar year of the horizon")
    limit: float = number(
        "largest share allowed in first_year, 0 to 1; with the sense min the least; of an impact units a year over "
        "all, which may exceed 1",
        "fraction",
    )
    limit_end: float | None = number("the same in last_year, linear in between", "fraction", None, "as limit")
    sense: Literal["max", "min"] = choice("whether limit is the most or the least; min for some metrics only", "max")
    recycled: bool = flag("own_share of what restoring processes make only, surplus not deducted")
    impact: str = reference("impacts", "the impact that is limited; for the metric impact only, required", "none")
    largest: int | None = whole_number(
        "how many countries, those with the largest shares, count together; for largest_share only, required", "none"
    )


class Closure(CitedRow):
    """Own capacity of a plant that may be closed to avoid its fixed cost; the plan decides how much closes, and when.

    ``idle`` capacity is closed in any periods and can return. ``retire`` closes capacity for good, at a cost. A minimum
    use (min_use) still holds for the whole plant. Capacity of options cannot be closed.
    """

    TABLE = "closures"
    KEY = ("facility", "kind")

    facility: str = reference("facilities", "the plant")
    kind: Literal["idle", "retire"] = choice("for a period, or for good")
    first_year: int | None = year("first period start in which it may begin", "first year of the horizon")
    last_year: int | None = year("last period start in which it may begin", "last year of the horizon")
    avoided_share: float = fraction("part of fixed_om_usd_per_t of the closed capacity that is avoided", 1.0)
    closing_usd_per_t: float = number(
        "cost of closing a tonne a year of capacity_t, once, in the first year of the period; not for `idle`",
        "USD/t",
        0.0,
    )


ROWS: tuple[type[Row], ...] = (
    Country, Material, Process, Recipe, RecipeYield, Facility, FacilityCapacity, Operation, OperationCost, Option,
    OptionSize, Lane, Tariff, Sector, Demand, Market, MarketPrice, Stockpile, WorkingStock, Cap, Group, GroupLimit,
    Fund, FundOption, Scenario, Disruption, BranchService, DeliveryRisk, Closure, PriceFloor, Offtake, Buyer,
    BuyerPrice, Substitute, SubstituteShare, Return, Impact, ImpactFactor, Content, Blend, Evidence, Source,
)  # fmt: skip


TABLES: dict[str, type[Row]] = {row.TABLE: row for row in ROWS}


@cache
def columns(table: str) -> dict[str, Column]:
    """Return the columns of a table by name, in the order of the documentation."""
    row = TABLES[table]
    fields = row.model_fields
    common = [name for name in ("source", "note", "active") if name in fields and name not in row.KEY]
    own = sorted((name for name in fields if name not in common), key=lambda name: name != row.KEY[0])
    return {name: _describe_column(row, name) for name in (*own, *common)}


def cells(row: Row) -> dict[str, str]:
    """Return all columns of a row by name, as the texts of cells."""
    return {name: cell_of(getattr(row, name)) for name in columns(row.TABLE)}


@dataclass(frozen=True)
class TableDescription:
    """A table as the schema declares it; ``required`` states whether an instance must have it, "" for no."""

    name: str
    meaning: str
    key: tuple[str, ...]
    required: str
    columns: tuple[Column, ...]


def _need(row: type[Row]) -> str:
    """Return when an instance must have the table of a row, in words; "" for never."""
    return f"required, unless there are {row.UNLESS}" if row.UNLESS else "required" if row.REQUIRED else ""


def describe() -> tuple[TableDescription, ...]:
    """Return every table with its columns, for the page on the instance format."""
    return tuple(
        TableDescription(name, inspect.cleandoc(row.__doc__ or ""), row.KEY, _need(row), tuple(columns(name).values()))
        for name, row in TABLES.items()
    )
