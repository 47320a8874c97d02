"""Every table of an instance: columns, units, ranges, keys, references, defaults and meanings.

One frozen row class per table; its attributes are the columns, in the order of the documentation. The page
on the instance format is generated from here (`describe`), and so are the checks of cells and references.
Units: t are metric tonnes (per year for rates), USD and MUSD (million USD) are in constant prices.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..errors import Issue, did_you_mean
from .reading import MULTILINE_COLUMN, SETTINGS_FILE, Place, RawTable, Written

ANY = "*"
LARGEST_NUMBER = 1e15  # solvers take larger figures for infinite, and lose the row that holds them
LARGEST_YIELD = 1e6  # t per t: of more, a plan could not tell the activity from nothing
LARGEST_WHOLE = 9999  # years, lead, ramp and life

STAGES = "stages"  # what a column may refer to besides tables: the stages of instance.toml
BLOCS = "blocs"  # and the blocs named in countries.csv

Key = tuple[str | int | None, ...]


# --- columns ---


def _column(kind: str, meaning: str, default: Any, unit: str, blank: str, more: dict[str, Any]) -> Any:
    bounds = {name: more.pop(name) for name in ("ge", "gt", "le") if name in more}
    extra = {"kind": kind, "unit": unit, "blank": blank, **more}
    return Field(default, description=meaning, json_schema_extra=extra, **bounds)


def key(meaning: str, **more: Any) -> Any:
    """The name of a thing, by which other rows refer to it."""
    return _column("key", meaning, ..., "", "", more)


def reference(to: str | tuple[str, ...], meaning: str, blank: str | None = None, **more: Any) -> Any:
    """The key of a row of another table; required unless it is said what blank means."""
    refers = (to,) if isinstance(to, str) else to
    default = ... if blank is None else ""
    return _column("reference", meaning, default, "", blank or "", {"refers": refers, **more})


def text(meaning: str, blank: str | None = None, **more: Any) -> Any:
    """Free text; required unless it is said what blank means."""
    return _column("text", meaning, ... if blank is None else "", "", blank or "", more)


def number(meaning: str, unit: str, default: Any = ..., blank: str = "", **more: Any) -> Any:
    """A finite number, by default not negative."""
    return _column("number", meaning, default, unit, blank, {"ge": None if "gt" in more else 0.0, **more})


def fraction(meaning: str, default: Any = ..., blank: str = "", **more: Any) -> Any:
    """A number between 0 and 1."""
    return _column("number", meaning, default, "fraction", blank, {"ge": 0.0, "le": 1.0, **more})


def year(meaning: str, blank: str = "", default: Any = None) -> Any:
    """A calendar year; blank means what ``blank`` says, unless the year is required."""
    return _column("whole", meaning, default, "year", blank, {"ge": 1, "le": LARGEST_WHOLE})


def whole_years(meaning: str, default: Any = ..., least: int = 0) -> Any:
    """A length of time in whole years."""
    return _column("whole", meaning, default, "years", "", {"ge": least, "le": LARGEST_WHOLE})


def flag(meaning: str, default: Any = False, blank: str = "") -> Any:
    """``yes`` or ``no``."""
    return _column("flag", meaning, default, "", blank, {})


def choice(meaning: str) -> Any:
    """One of the words in the annotation."""
    return _column("choice", meaning, ..., "", "", {})


class Row(BaseModel):
    """A row of any table."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    TABLE: ClassVar[str] = ""
    KEY: ClassVar[tuple[str, ...]] = ()
    REQUIRED: ClassVar[bool] = False
    TOGETHER: ClassVar[Mapping[tuple[str, ...], str]] = {}  # columns that together name a row of a table

    note: str = text("a remark", "none")
    active: bool = flag("an inactive row is as if it were not there, but is still checked", True)

    @property
    def identity(self) -> Key:
        """The values of the key columns."""
        return tuple(getattr(self, name) for name in self.KEY)


class CitedRow(Row):
    """A row that can name its sources: any but a source itself."""

    source: tuple[str, ...] = _column(
        "sources", "where the figures come from: ids of sources.csv, separated by ;", (), "", "not said",
        {"refers": ("sources",)},
    )  # fmt: skip


class Country(CitedRow):
    """The countries of the instance, and the blocs they belong to."""

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
    """What is made, moved, stored and delivered."""

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
    """Recipes by name: what a plant can do."""

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
    """What goes into and comes out of a process."""

    TABLE = "recipes"
    KEY = ("process", "material", "role")
    REQUIRED = True

    process: str = reference("processes", "the process")
    material: str = reference("materials", "what goes in or comes out")
    role: Literal["input", "output"] = choice("which of the two")
    t_per_t: float = number("tonnes per tonne of activity", "t/t", gt=0.0, le=LARGEST_YIELD)


class RecipeYield(CitedRow):
    """Yields that change with time; a series that replaces the recipe row's own figure."""

    TABLE = "recipe_yields"
    KEY = ("process", "material", "role", "year")
    TOGETHER = {("process", "material", "role"): "recipes"}

    process: str = reference("processes", "the process")
    material: str = reference("materials", "what goes in or comes out")
    role: Literal["input", "output"] = choice("which of the two")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    t_per_t: float = number("tonnes per tonne of activity", "t/t", gt=0.0, le=LARGEST_YIELD)


class Facility(CitedRow):
    """Plants, mines and projects: each has a capacity in one country."""

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


class Operation(CitedRow):
    """Which facility can run which process, and at what cost."""

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
    """Running costs that change with time; a series that replaces the operation's own figure."""

    TABLE = "operation_costs"
    KEY = ("facility", "process", "year")
    TOGETHER = {("facility", "process"): "operations"}

    facility: str = reference("facilities", "the facility")
    process: str = reference("processes", "the process")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    opex_usd_per_t: float = number("running cost per tonne of activity", "USD/t", ge=None)


class Option(CitedRow):
    """Investments that add capacity to a facility, or room to a store."""

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
    """Permitted movements: exact material beats exact origin beats exact destination; no row, no movement."""

    TABLE = "lanes"
    KEY = ("material", "origin", "destination", "first_year", "last_year")

    material: str = reference("materials", "what moves, * for anything", wildcard=True)
    origin: str = reference("countries", "from where, * for anywhere", wildcard=True)
    destination: str = reference("countries", "to where, * for anywhere", wildcard=True)
    cost_usd_per_t: float = number("freight, insurance and handling", "USD/t")
    max_t: float | None = number("most for each matching movement", "t/year", None, "no limit")
    first_year: int | None = year("first year", "no beginning")
    last_year: int | None = year("last year", "no end")


class Tariff(CitedRow):
    """Duties on movements, matched as lanes are; no row: none."""

    TABLE = "tariffs"
    KEY = ("material", "origin", "destination", "first_year", "last_year")

    material: str = reference("materials", "what moves, * for anything", wildcard=True)
    origin: str = reference("countries", "from where, * for anywhere", wildcard=True)
    destination: str = reference("countries", "to where, * for anywhere", wildcard=True)
    first_year: int | None = year("first year", "no beginning")
    last_year: int | None = year("last year", "no end")
    rate: float = number("part of the material's value_usd_per_t; may exceed 1", "fraction")


class Sector(CitedRow):
    """Groups of buyers, and what a missing tonne costs them."""

    TABLE = "sectors"
    KEY = ("sector",)
    REQUIRED = True

    sector: str = key("short name")
    name: str = text("name in full")
    shortage_usd_per_t: float = number("cost of a tonne not delivered", "USD/t")
    min_service: float = fraction("part of its demand that must be served", 0.0)
    clean_from_year: int | None = year("from then on only clean material serves it", "never")


class Demand(CitedRow):
    """What is needed, where and when; a series."""

    TABLE = "demand"
    KEY = ("country", "sector", "material", "year")
    REQUIRED = True

    country: str = reference("countries", "where it is used")
    sector: str = reference("sectors", "by whom")
    material: str = reference("materials", "what is needed")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    demand_t: float = number("need", "t/year")


class Market(CitedRow):
    """Outside sellers of a material."""

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
    """Prices and volumes of markets; a series."""

    TABLE = "market_prices"
    KEY = ("market", "year")

    market: str = reference("markets", "the market")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    price_usd_per_t: float = number("price", "USD/t")
    max_t: float | None = number(
        "most that can be bought; for one market always blank or never", "t/year", None, "no limit"
    )


class Stockpile(CitedRow):
    """Stores of a material that serve their own country."""

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


class Cap(CitedRow):
    """Upper limits on dependence."""

    TABLE = "caps"
    KEY = ("cap",)

    cap: str = key("short name")
    metric: Literal["exposed_share", "stage_share", "single_country_share", "import_share"] = choice("what is limited")
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
        "country or bloc: consumers for exposed_share, importers for import_share; not for the others",
        "all; for import_share every country outside origin",
    )
    sector: str = reference("sectors", "consumers; for exposed_share only", "all")
    origin: str = reference(
        ("countries", BLOCS), "country or bloc of origin; for import_share only", "anywhere outside"
    )
    first_year: int | None = year("first year", "first year of the horizon")
    last_year: int | None = year("last year", "last calendar year of the horizon")
    limit: float = fraction("largest share allowed in first_year")
    limit_end: float | None = fraction("largest share allowed in last_year, linear in between", None, "as limit")


class Fund(CitedRow):
    """Public or other money that options may draw on."""

    TABLE = "funds"
    KEY = ("fund",)

    fund: str = key("short name")
    provider: str = text("who pays")
    instrument: Literal["grant", "loan", "equity"] = choice("in what form")
    budget_musd: float = number("money in all", "MUSD")
    first_year: int | None = year("first calendar year in which it pays", "first year of the horizon")
    last_year: int | None = year("last calendar year in which it pays", "last calendar year of the horizon")
    max_share: float = fraction("largest part of an option's capex", 1.0)


class FundOption(CitedRow):
    """Which option may draw on which fund."""

    TABLE = "fund_options"
    KEY = ("fund", "option")

    fund: str = reference("funds", "the fund")
    option: str = reference("options", "the option")


class Scenario(CitedRow):
    """Disruptions that come together, and their probability."""

    TABLE = "scenarios"
    KEY = ("scenario",)

    scenario: str = key("short name; also the name of the branch's folder", folder=True)
    name: str = text("name in full")
    probability: float = fraction("probability; all together below 1")
    first_year: int = year("first calendar year of the disruption", default=...)
    last_year: int = year("last calendar year of the disruption", default=...)


class Disruption(CitedRow):
    """What a scenario does."""

    TABLE = "disruptions"
    KEY = ("scenario", "kind", "country", "stage", "material", "facility")

    scenario: str = reference("scenarios", "the scenario")
    kind: Literal["export_stop", "outage", "project_failure", "demand_surge", "price_surge"] = choice("what happens")
    country: str = reference(("countries", BLOCS), "country or bloc that is hit", "any")
    stage: str = reference(STAGES, "stage of the materials that are hit; not for demand_surge", "any")
    material: str = reference("materials", "material that is hit", "any")
    facility: str = reference("facilities", "facility that is hit; for outage and project_failure only", "any")
    fraction: float = number("part that is lost, or by which demand or price rises (may then exceed 1)", "fraction")
    reference_t: float | None = number(
        "undisturbed yearly exports of the material from the country; for export_stop only",
        "t/year",
        None,
        "none",
    )


class BranchService(CitedRow):
    """Service that must hold even in the branch of a scenario, in the periods that the years overlap."""

    TABLE = "branch_service"
    KEY = ("scenario", "sector")

    scenario: str = reference("scenarios", "the scenario")
    sector: str = reference("sectors", "the sector")
    min_service: float = fraction("part of its demand that must be served in the branch, in every country and year")
    first_year: int | None = year("first calendar year in which it must hold", "the branch's beginning")
    last_year: int | None = year("last calendar year in which it must hold", "the end of the horizon")


class DeliveryRisk(CitedRow):
    """How late, how dear and how small projects may come; used by risk analyses only.

    Delay, cost and size are drawn from triangular distributions; a project's chance to come at all is
    ``success_probability`` of options. A row for an option goes before one for its kind, and that before ``all``.
    """

    TABLE = "delivery_risk"
    KEY = ("option", "projects")

    option: str = reference("options", "the option", "every option of the projects named")
    projects: Literal["one", "startup", "established", "all"] = choice(
        "`one` with an option; else whose options: of startups, of established owners, of all"
    )
    delay_low: float = number("shortest delay", "years", 0.0)
    delay_mode: float = number("most likely delay", "years", 0.0)
    delay_high: float = number("longest delay", "years", 0.0)
    capex_low: float = number("least cost, as a factor on capex_musd", "factor", 1.0)
    capex_mode: float = number("most likely cost", "factor", 1.0)
    capex_high: float = number("highest cost", "factor", 1.0)
    share_low: float = fraction("smallest part of nameplate that is reached", 1.0)
    share_mode: float = fraction("most likely part of nameplate", 1.0)
    share_high: float = fraction("largest part of nameplate", 1.0)


class Closure(CitedRow):
    """Own capacity that may be given up, so that its fixed cost is avoided; a plan decides how much of it, and when.

    ``idle``: for any periods, and it comes back. ``retire``: from a period on for good, at a cost. Contracts (min_use)
    still hold for the whole plant. Capacity of options does not close.
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


class PriceFloor(CitedRow):
    """Prices guaranteed to a plant: what the payer would owe is a result of its own, and no cost of the plan."""

    TABLE = "price_floors"
    KEY = ("facility", "option", "material")

    facility: str = reference("facilities", "the plant")
    option: str = reference("options", "only what modules of this option of it make", "all that the plant makes")
    material: str = reference("materials", "what it sells")
    floor_usd_per_t: float = number("guaranteed price", "USD/t")
    first_year: int | None = year("first calendar year", "first year of the horizon")
    last_year: int | None = year("last calendar year", "last year of the horizon")
    payer: str = text("who pays the difference")
    market: str = reference("markets", "the market whose price counts", "the plan's own price in the plant's country")


class Offtake(CitedRow):
    """Take-or-pay: a buyer commits to take so much of what a plant makes, so the plan must make at least that.

    Offtakes of one plant and material add up. Only the plan is bound; branches are free of it. What the payer loses
    or gains against the price of the day is a result of its own (offtakes.csv of a run), and no cost of the plan.
    """

    TABLE = "offtakes"
    KEY = ("offtake",)

    offtake: str = key("short name")
    facility: str = reference("facilities", "the plant")
    option: str = reference(
        "options",
        "an option of the plant: take_t is then per module of it, and nothing is taken if it is not built",
        "of the plant's own capacity",
    )
    material: str = reference("materials", "what is taken")
    take_t: float = number("taken at full capacity; during a ramp, or before and after, in proportion", "t/year")
    agreed_usd_per_t: float = number("price paid", "USD/t")
    first_year: int | None = year("first calendar year", "first year of the horizon")
    last_year: int | None = year("last calendar year", "last year of the horizon")
    payer: str = text("who takes and pays")
    market: str = reference("markets", "the market whose price counts", "the plan's own price in the plant's country")


class Evidence(CitedRow):
    """How far numbers of other tables may be off, and how sure they are; used by `evidence` and `sensitivity`."""

    TABLE = "evidence"
    KEY = ("table", "key", "column")

    table: str = text("the table in which the number stands")
    key: str = text("the row's key columns, joined by /")
    column: str = text("the column of the number")
    low: float | None = number("what it may be at the least", "as the column", None, "not known", ge=None)
    high: float | None = number("what it may be at the most", "as the column", None, "not known", ge=None)
    confidence: Literal["high", "medium", "low"] = choice("how sure the number is")
    kind: Literal["fact", "estimate", "assumption"] = choice("published, estimated from what is published, or assumed")


class Source(Row):
    """Where figures come from."""

    TABLE = "sources"
    KEY = ("source",)

    source: str = key("short name")
    title: str = text("title")
    publisher: str = text("who published it")
    url: str = text("address")
    date: str = text("date of publication")


ROWS: tuple[type[Row], ...] = (
    Country, Material, Process, Recipe, RecipeYield, Facility, Operation, OperationCost, Option, Lane, Tariff,
    Sector, Demand, Market, MarketPrice, Stockpile, Cap, Fund, FundOption, Scenario, Disruption, BranchService,
    DeliveryRisk, Closure, PriceFloor, Offtake, Evidence,
    Source,
)  # fmt: skip
TABLES: dict[str, type[Row]] = {row.TABLE: row for row in ROWS}


# --- settings ---


class SurvivalRule(BaseModel):
    """Outages that the plan must survive: an entry of ``survive`` under ``[security]``.

    outage   what is lost: a country (its plants, and all that it exports), a stage of a country, a plant, or only what
             a country exports
    of       which: countries or blocs, ``COUNTRY STAGE``, facilities; empty: each of the kind, one at a time
    years    first and last calendar year
    sectors  whom it must not hit; empty: everyone
    level    part of demand that must be served in every country and year of the outage
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    outage: Literal["country", "stage", "facility", "export_stop"]
    years: tuple[int, int]
    level: float = Field(gt=0.0, le=1.0)
    of: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()


def _setting(section: str, meaning: str, default: Any = ..., unit: str = "", **bounds: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"section": section, "unit": unit}, **bounds)


class Settings(BaseModel):
    """The keys of instance.toml; ``section`` tells where each stands."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    schema_version: int = _setting("", "version of this format: 1", ge=1, le=1, alias="schema")
    name: str = _setting("", "short name of the instance", min_length=1)
    title: str = _setting("", "title of reports; the name if not given", "")
    description: str = _setting("", "what the instance is about", "")
    stages: tuple[str, ...] = _setting("", "the stages, in the order of the chain", min_length=1)
    years: tuple[int, ...] = _setting("time", "first calendar year of each period, increasing", min_length=1)
    last_period_years: int = _setting("time", "length of the last period", unit="years", ge=1, le=1000)
    currency: str = _setting("finance", "currency of all money", min_length=1)
    price_year: int = _setting("finance", "year of the prices", unit="year", ge=1, le=LARGEST_WHOLE)
    discount_rate: float = _setting("finance", "discount rate, real, per year", unit="fraction", ge=0.0, le=1.0)
    wacc: float = _setting(
        "finance", "default cost of capital of an option, real, per year", unit="fraction", ge=0.0, le=1.0
    )
    countries_of_concern: tuple[str, ...] = _setting("security", "countries on which dependence is measured")
    survive: tuple[SurvivalRule, ...] = _setting(
        "security",
        "outages in which the plan must go on serving, a list of tables with the keys `outage` (`country`: its plants "
        "and its exports are lost; `stage`: the same of one stage, written `COUNTRY STAGE`; `facility`; `export_stop` "
        "of a country), `of` (a list of names; if not given, each of the kind in turn), `years` (first and last "
        "calendar year, whole periods), `sectors` (if not given, all), `level` (part of demand to be served, in every "
        "country and year of the outage)",
        (),
    )
    risk_measure: Literal["cost", "unserved"] = _setting(
        "risk", "what must not go badly: `cost` or `unserved` demand", "cost", alias="measure"
    )
    risk_weight: float = _setting(
        "risk",
        "weight of the mean of the worst outcomes: for `cost` the part (below 1) of the objective that it makes, "
        "for `unserved` a price of its tonnes",
        0.0,
        "fraction, or USD/t",
        ge=0.0,
        le=LARGEST_NUMBER,
        alias="weight",
    )
    risk_alpha: float = _setting(
        "risk", "the worst outcomes are those beyond this probability", 0.95, "fraction", ge=0.0, lt=1.0, alias="alpha"
    )

    @field_validator("years")
    @classmethod
    def _increasing(cls, years: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= y <= LARGEST_WHOLE for y in years):
            raise ValueError(f"years between 1 and {LARGEST_WHOLE}")
        if any(later <= earlier for earlier, later in pairwise(years)):
            raise ValueError("years that increase from one to the next")
        return years

    @field_validator("name", "title", "currency")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if problem := text_problem(value, multiline=False):
            raise ValueError(problem)
        return value

    @field_validator("stages")
    @classmethod
    def _stage_names(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        for stage in stages:
            if problem := key_problem(stage):
                raise ValueError(f'{problem}, unlike "{stage}"' if stage else "names that are not empty")
        if len(set(stages)) < len(stages):
            raise ValueError("each stage once")
        return stages

    @field_validator("countries_of_concern")
    @classmethod
    def _each_once(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(countries)) < len(countries):
            raise ValueError("each country once")
        return countries


BASE = "base"  # the key of instance.toml that names the instance an overlay starts from


@cache
def setting_sections() -> dict[str, str]:
    """The section of each key of instance.toml, as it is written there ("" for keys before any section)."""
    sections = {BASE: ""}
    for name, info in Settings.model_fields.items():
        extra = info.json_schema_extra
        sections[info.alias or name] = str(extra["section"]) if isinstance(extra, dict) else ""
    return sections


def parse_settings(written: Mapping[tuple[str, str], Written], issues: list[Issue]) -> Settings | None:
    """Typed settings out of the merged keys of instance.toml; None, with issues, if anything is wrong."""
    sections = setting_sections()
    before = len(issues)
    values: dict[str, Any] = {}
    for (section, name), item in written.items():
        if section not in sections.values():
            if not name:
                hint = did_you_mean(section, set(sections.values()) - {""})
                issues.append(Issue(item.file, item.line, section, None, "unknown section", hint, "E113"))
            continue
        if section and not name:
            continue
        if name in sections.values() and not section:
            expected = f"a section; write [{name}] on a line of its own"
            issues.append(Issue(item.file, item.line, name, _toml(item.value), expected, "", "E113"))
            continue
        if sections.get(name) != section:
            issues.append(_unknown_setting(section, name, item, sections))
            continue
        if name == "survive":
            values[name] = _survival_rules(item, issues)
        elif name != BASE:
            values[name] = tuple(item.value) if isinstance(item.value, list) else item.value
    settings = None
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        issues.extend(_setting_issue(detail, written, sections) for detail in error.errors())
    return settings if len(issues) == before else None


def _survival_rules(item: Written, issues: list[Issue]) -> tuple[SurvivalRule, ...]:
    """The entries of ``survive``; issues name the line of the entry."""
    if not isinstance(item.value, list) or not all(isinstance(entry, (dict, SurvivalRule)) for entry in item.value):
        expected = 'expected a list of tables, such as [{ outage = "country", of = ["CHN"], years = [2030, 2031], ...}]'
        issues.append(Issue(item.file, item.line, "survive", _toml(item.value), expected, "", "E113"))
        return ()
    rules = []
    for number, entry in enumerate(item.value):
        if isinstance(entry, SurvivalRule):
            rules.append(entry)
            continue
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
        try:
            rules.append(SurvivalRule.model_validate(values))
        except ValidationError as error:
            names = sorted({str(detail["loc"][0]) for detail in error.errors(include_url=False)})
            issues += [_survival_issue(item, number, name, entry) for name in names]
    return tuple(rules)


def _survival_issue(item: Written, number: int, name: str, entry: Mapping[str, Any]) -> Issue:
    line = item.line_of(number)
    if name not in entry:
        return Issue(item.file, line, f"survive.{name}", None, "required key is missing", _SURVIVAL[name], "E106")
    if name not in SurvivalRule.model_fields:
        hint = did_you_mean(name, SurvivalRule.model_fields)
        return Issue(item.file, line, f"survive.{name}", _toml(entry[name]), "unknown key", hint, "E113")
    choices = ("country", "stage", "facility", "export_stop")
    hint = did_you_mean(str(entry[name]), choices) if name == "outage" else ""
    return Issue(item.file, line, f"survive.{name}", _toml(entry[name]), _SURVIVAL[name], hint, "E113")


_SURVIVAL = {
    "outage": "expected one of country, stage, facility, export_stop",
    "of": 'expected a list of names, such as ["CHN"]; without it, each of the kind in turn',
    "years": "expected the first and the last calendar year, such as [2030, 2031]",
    "sectors": 'expected a list of sectors, such as ["defence"]; without it, all',
    "level": "expected a number above 0, up to 1, such as 0.9 for 90 % of demand",
}


def _unknown_setting(section: str, name: str, item: Written, sections: Mapping[str, str]) -> Issue:
    home = sections.get(name)
    if home is None:
        hint = did_you_mean(name, sections)
    else:
        hint = f"it belongs under [{home}]" if home else "it belongs before the first section"
    return Issue(item.file, item.line, name, _toml(item.value), "unknown key", hint, "E113")


def _setting_issue(detail: Any, written: Mapping[tuple[str, str], Written], sections: Mapping[str, str]) -> Issue:
    name = str(detail["loc"][0])
    section = sections[name]
    item = written.get((section, name))
    if item is None:
        where = f" under [{section}]" if section else ""
        return Issue(SETTINGS_FILE, None, name, None, f"required key{where} is missing", "", "E106")
    if detail["type"] == "value_error":
        expected = f"expected {detail['ctx']['error']}"
    else:
        expected = _SETTING_EXPECTED.get(name, "another kind of value is expected")
    return Issue(item.file, item.line, name, _toml(item.value), expected, "", "E113")


_SETTING_EXPECTED = {
    "schema": "expected 1, the version of the format",
    "name": "expected a text in quotes",
    "title": "expected a text in quotes",
    "description": "expected a text in quotes",
    "stages": 'expected a list of names, such as ["mining", "separation"]',
    "years": "expected a list of whole numbers, such as [2026, 2028]",
    "last_period_years": "expected a whole number, 1 to 1000",
    "currency": 'expected a text in quotes, such as "USD"',
    "price_year": "expected a year, a whole number without quotes",
    "discount_rate": "expected a number between 0 and 1, such as 0.05 for 5 %",
    "wacc": "expected a number between 0 and 1, such as 0.08 for 8 %",
    "countries_of_concern": 'expected a list of countries, such as ["CHN"]',
}


def _toml(value: Any) -> str | None:
    """A value as it would stand in TOML, near enough for a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


# --- cells ---


class BadCellError(ValueError):
    """A cell that does not follow the grammar of its column."""

    def __init__(self, expected: str, hint: str = "", code: str = "E104") -> None:
        super().__init__(expected)
        self.expected, self.hint, self.code = expected, hint, code


_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_FOLDER_FORBIDDEN = set('/\\:*?"<>|')
_FOLDER_RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}


def parse_number(cell: str) -> float:
    """A finite decimal number, in ASCII digits with a dot and perhaps an exponent.

    >>> parse_number("1.5e3")
    1500.0
    """
    if not _NUMBER.fullmatch(cell):
        raise BadCellError("not a number", _number_cure(cell))
    value = float(cell)
    if not math.isfinite(value) or abs(value) >= LARGEST_NUMBER:
        raise BadCellError("too large a number, it must be below 1e15")
    if value == 0.0:
        if any(c in "123456789" for c in re.split("[eE]", cell)[0]):
            raise BadCellError("too small a number, it would be read as 0")
        return 0.0
    return value


def parse_whole(cell: str) -> int:
    """A whole number.

    >>> parse_whole("2026")
    2026
    """
    if _WHOLE.fullmatch(cell):
        if len(cell) > 16:
            raise BadCellError("too large a number, it must be below 1e15")
        return int(cell)
    try:
        value = parse_number(cell)
    except BadCellError as bad:
        raise BadCellError("not a whole number", bad.hint or "") from None
    raise BadCellError("not a whole number", f"write {value:.0f}" if value.is_integer() else "")


def _number_cure(cell: str) -> str:
    """What to write instead of a text that is no number, "" if that is not plain."""
    bare = cell.replace("\u2212", "-")
    if any(c.isdigit() and not c.isascii() for c in bare):
        bare = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in bare)
        return f"write {bare}, in ASCII digits" if _NUMBER.fullmatch(bare) else "write ASCII digits"
    if bare != cell and _NUMBER.fullmatch(bare):
        return f"write {bare}, with an ASCII minus sign"
    if re.fullmatch(r"[+-]?\d{1,3}([,_' \u00a0\u202f]\d{3})+(\.\d+)?", bare):
        return f"write {re.sub(r'[^0-9.+-]', '', bare)} (no thousands separator)"
    if re.fullmatch(r"[+-]?\d+(_\d+)+(\.\d+)?", bare):
        return f"write {bare.replace('_', '')} (no thousands separator)"
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?", bare):
        return f"write {bare.replace('.', '').replace(',', '.')} (no thousands separator, a decimal point)"
    if re.fullmatch(r"[+-]?\d*,\d+", bare):
        return f"write {bare.replace(',', '.')} (a decimal point)"
    if percent := re.fullmatch(r"([+-]?\d+(?:\.\d+)?) ?%", bare):
        return f"write {float(percent.group(1)) / 100:.10g}"
    if unit := re.fullmatch(r"[$€£]? ?([+-]?\d+(?:\.\d+)?) ?(?![eE]$)[A-Za-z$€£/]*", bare):
        return f"write {unit.group(1)}, the unit is in the column's name"
    if bare.lower() in {"nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "?", "tbd"}:
        return "leave the cell blank if nothing is known and the column has a default"
    if bare.lower().lstrip("+-") in {"inf", "infinity", "∞"}:
        return "leave the cell blank for no limit, where the column allows it"
    return ""


def text_problem(cell: str, multiline: bool) -> str:
    """What is wrong with a text, "" if nothing."""
    if cell != cell.strip():
        return "text without blanks around it"
    if cell.isprintable():
        return ""
    allowed = "\n\t\r" if multiline else ""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in cell):
        return "text without control characters or line breaks"
    return ""


def key_problem(cell: str) -> str:
    """What is wrong with a key, "" if nothing."""
    if not cell.isprintable():
        return "a key of printable characters, without line breaks or invisible ones"
    if cell == ANY:
        return "a key, not *, which means anything"
    if ";" in cell:
        return "a key without ; which separates keys"
    if cell[:1] in ("=", "+", "-", "@"):
        return "a key that does not begin with = + - or @, which a spreadsheet takes for a formula"
    if not cell.isascii() and not unicodedata.is_normalized("NFC", cell):
        return "a key in composed (NFC) Unicode"
    return ""


def folder_problem(cell: str) -> str:
    """What is wrong with a key that also names a folder, "" if nothing."""
    if _FOLDER_FORBIDDEN & set(cell) or cell.endswith(".") or cell.split(".")[0].lower() in _FOLDER_RESERVED:
        return "a key that can name a folder, without / \\ : and the like"
    if len(cell.encode()) > 100:
        return "a key that can name a folder, at most 100 bytes long"
    return ""


@dataclass(frozen=True)
class Column:
    """What the schema says of one column."""

    name: str
    kind: str
    required: bool
    default: Any
    blank: str
    unit: str
    range: str
    refers: tuple[str, ...]
    wildcard: bool
    choices: tuple[str, ...]
    meaning: str
    is_name: bool
    is_folder: bool

    @property
    def default_text(self) -> str:
        """The default as documentation shows it; "" for a required column."""
        if self.required:
            return ""
        if self.blank:
            return self.blank
        return cell_of(self.default)

    @cached_property
    def parse(self) -> Callable[[str], Any]:
        """The function that turns a cell that is not blank into a value, or raises BadCellError."""
        return {
            "number": parse_number,
            "whole": parse_whole,
            "flag": self._flag,
            "choice": self._text,
            "sources": self._sources,
        }.get(self.kind, self._text)

    def _flag(self, cell: str) -> bool:
        if cell not in ("yes", "no"):
            hint = {"true": "write yes", "1": "write yes", "y": "write yes", "yes": "write yes"}.get(cell.lower(), "")
            hint = hint or {"false": "write no", "0": "write no", "n": "write no", "no": "write no"}.get(
                cell.lower(), ""
            )
            raise BadCellError("expected yes or no", hint, "E110")
        return cell == "yes"

    def _text(self, cell: str) -> str:
        problem = text_problem(cell, multiline=self.name == MULTILINE_COLUMN)
        if not problem and (self.kind == "key" or self.is_name):
            problem = key_problem(cell)
        if not problem and self.is_folder:
            problem = folder_problem(cell)
        if problem:
            stripped = cell.strip()
            hint = f'write "{stripped}"' if stripped != cell else ""
            raise BadCellError(f"expected {problem}", hint, "E111")
        return cell

    def _sources(self, cell: str) -> tuple[str, ...]:
        self._text(cell)
        ids = tuple(part.strip() for part in cell.split(";"))
        if not all(ids):
            raise BadCellError("expected ids of sources.csv, separated by ;", "an id is missing between two ;", "E111")
        if len(set(ids)) < len(ids):
            raise BadCellError("expected each source once", "", "E111")
        return ids


def joined_key(row: Row) -> str:
    """The key of a row as evidence.csv writes it: its parts joined by ``/``; blank parts stay empty."""
    return "/".join("" if part is None else str(part) for part in row.identity)


@cache
def columns(table: str) -> dict[str, Column]:
    """The columns of a table by name, in the order of the documentation."""
    row = TABLES[table]
    fields = row.model_fields
    common = [name for name in ("source", "note", "active") if name in fields and name not in row.KEY]
    own = [name for name in fields if name not in common]
    return {name: _describe_column(row, name) for name in (*own, *common)}


def _describe_column(row: type[Row], name: str) -> Column:
    info = row.model_fields[name]
    extra: dict[str, Any] = dict(info.json_schema_extra) if isinstance(info.json_schema_extra, dict) else {}
    choices = getattr(info.annotation, "__args__", ()) if extra["kind"] == "choice" else ()
    return Column(
        name=name,
        kind=extra["kind"],
        required=info.is_required(),
        default=None if info.is_required() else info.default,
        blank=extra["blank"],
        unit=extra["unit"],
        range=_range(extra["kind"], extra["unit"], info.metadata),
        refers=tuple(extra.get("refers", ())),
        wildcard=bool(extra.get("wildcard", False)),
        choices=tuple(choices),
        meaning=info.description or "",
        is_name=bool(extra.get("name", False)),
        is_folder=bool(extra.get("folder", False)),
    )


def _range(kind: str, unit: str, metadata: Iterable[Any]) -> str:
    """The range of a number in words, "" for any other column."""
    bounds = {b: getattr(m, b) for m in metadata for b in ("ge", "gt", "le") if getattr(m, b, None) is not None}
    if kind not in ("number", "whole"):
        return ""
    if "ge" in bounds and "le" in bounds:
        return f"{bounds['ge']:g} to {bounds['le']:g}"
    if "gt" in bounds:
        most = f", at most {bounds['le']:,.0f}" if "le" in bounds else ""
        return f"above {bounds['gt']:g}{most}"
    if "ge" in bounds:
        return f"{bounds['ge']:g} or more"
    return "any"


def cell_of(value: Any) -> str:
    """A value as the text of a cell that reads back as exactly that value; "" for None.

    >>> cell_of(1200.0), cell_of(True), cell_of(("a", "b"))
    ('1200', 'yes', 'a;b')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        return ";".join(str(part) for part in value)
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_NUMBER:
        return str(int(value))
    return str(value)


def cells(row: Row) -> dict[str, str]:
    """All columns of a row as the texts of cells."""
    return {name: cell_of(getattr(row, name)) for name in columns(row.TABLE)}


# --- rows ---


@dataclass(frozen=True, slots=True)
class Entry:
    """A row and the place where it is written."""

    row: Row
    place: Place


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row with an issue, and those of its cells that could be read."""

    place: Place
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParsedTable:
    """The rows of a file.

    entries  good rows by key
    bad      the other rows, but for those with too few or too many cells
    failed   keys of rows that are not good, as far as their keys could be read
    sound    False if the rows are not all in ``entries``
    named    False if there are rows whose keys could not be read
    """

    entries: Mapping[Key, Entry]
    bad: tuple[BadRow, ...]
    failed: frozenset[Key]
    sound: bool
    named: bool


def parse_table(table: str, raw: RawTable, issues: list[Issue]) -> ParsedTable:
    """Typed rows of one file; problems of cells, keys and headers go to ``issues``."""
    row_type = TABLES[table]
    known = columns(table)
    before = len(issues)
    for name in raw.header:
        if name not in known:
            hint = did_you_mean(name, known)
            issues.append(Issue(raw.file, raw.line, name, None, f"unknown column of {table}.csv", hint, "E107"))
    missing = [c for c in known.values() if c.required and c.name not in raw.header]
    for column in missing:
        issues.append(
            Issue(raw.file, raw.line, column.name, None, "required column is missing", column.meaning, "E106")
        )

    records = (*raw.rows, *raw.ragged)
    parsed = [_parse_column(known.get(name), [r.cells[i] for r in records]) for i, name in enumerate(raw.header)]
    entries: dict[Key, Entry] = {}
    seen: dict[Key, Place] = {}
    bad_rows: list[BadRow] = []
    failed: set[Key] = set()
    named = raw.sound
    for place, found in zip(raw.rows, zip(*parsed, strict=True), strict=False):
        values = {name: value for name, value in zip(raw.header, found, strict=True) if value is not None}
        bad = {name: value for name, value in values.items() if isinstance(value, BadCellError)}
        if not values and not any(place.cells):
            expected = "a row of blank cells"
            issues.append(Issue(place.file, place.line, "", None, expected, "delete the line", "E106"))
            continue
        row_key = _key_of(row_type, values, place, known)
        for name, problem in bad.items():
            cell = place.written(name)
            issues.append(Issue(place.file, place.line, name, cell, problem.expected, problem.hint, problem.code))
            del values[name]
        row = _build(row_type, values, place, known, bad, issues)
        if row is None:
            bad_rows.append(BadRow(place, values))
        if row_key is None:
            named = False
            continue
        if row_key in seen:
            issues.append(_duplicate(row_type, place, seen[row_key]))
            continue
        seen[row_key] = place
        if row is None:
            failed.add(row_key)
        else:
            entries[row_key] = Entry(row, place)
    for number, place in enumerate(raw.ragged, start=len(raw.rows)):  # reported; here only their keys matter
        found = tuple(column[number] for column in parsed)
        values = {name: value for name, value in zip(raw.header, found, strict=True) if value is not None}
        row_key = _key_of(row_type, values, place, known)
        if row_key is None:
            named = False
        elif row_key not in entries:
            failed.add(row_key)
    sound = raw.sound and not raw.ragged and len(issues) == before
    return ParsedTable(entries, tuple(bad_rows), frozenset(failed), sound, named)


def _parse_column(column: Column | None, written: list[str]) -> list[Any]:
    """The values of a column: None for a blank cell, the BadCellError for one that cannot be parsed."""
    if column is None:  # unknown, and reported
        return [None] * len(written)
    values: dict[str, Any] = {"": None}
    for cell in set(written):
        try:
            if cell != cell.strip():
                raise BadCellError("expected no blanks around the value", f'write "{cell.strip()}"', "E111")
            if cell:
                values[cell] = column.parse(cell)
        except BadCellError as bad:
            values[cell] = bad
    return [values[cell] for cell in written]


def _key_of(row_type: type[Row], values: Mapping[str, Any], place: Place, known: Mapping[str, Column]) -> Key | None:
    """The key out of the parsed cells, None if a part of it is missing or cannot be guessed."""
    parts: list[Any] = []
    for name in row_type.KEY:
        value = values.get(name)
        if isinstance(value, BadCellError):
            if known[name].kind == "whole":
                return None
            value = (place.written(name) or "").strip()  # so that references to what is meant do not dangle
        elif value is None:
            if known[name].required:
                return None
            value = known[name].default
        parts.append(value)
    return tuple(parts)


def _build(
    row_type: type[Row],
    values: dict[str, Any],
    place: Place,
    known: Mapping[str, Column],
    bad: Collection[str],
    issues: list[Issue],
) -> Row | None:
    """The row; None if a cell is bad, missing or out of range, the latter two being reported here."""
    try:
        row = row_type.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0])
            if detail["type"] == "missing" and (name in bad or name not in place.header):
                continue  # reported already: the cell, or the column once for the whole file
            issues.append(_row_issue(detail["type"], known[name], place))
        return None
    if bad:
        return None
    problem = _disruption_problem(row) if isinstance(row, Disruption) else ""
    if problem:
        issues.append(Issue(place.file, place.line, "fraction", place.written("fraction"), problem, "", "E105"))
        return None
    return row


def _row_issue(kind: str, column: Column, place: Place) -> Issue:
    written = place.written(column.name)
    if kind == "missing":
        expected, hint, code = "a value is required", column.meaning, "E106"
    elif kind == "literal_error":
        expected = f"expected one of {', '.join(column.choices)}"
        hint, code = did_you_mean(written or "", column.choices), "E110"
    else:
        expected, hint, code = f"out of range, expected {column.range}", "", "E105"
        if column.unit == "fraction" and written and 1 < parse_number(written) <= 100:
            hint = f"write {parse_number(written) / 100:g} for {written} %"
        elif column.unit and column.unit != "fraction":
            expected += f" ({column.unit})"
    return Issue(place.file, place.line, column.name, written or None, expected, hint, code)


def _disruption_problem(row: Disruption) -> str:
    """A loss cannot exceed everything; a surge can."""
    if row.kind in ("export_stop", "outage", "project_failure") and row.fraction > 1.0:
        return f"out of range, expected 0 to 1 for {row.kind}"
    return ""


def _duplicate(row_type: type[Row], place: Place, first: Place) -> Issue:
    written = [f"{name} {cell}" for name in row_type.KEY if (cell := place.written(name))]
    expected = f"duplicate key ({', '.join(written)}), the same as in line {first.line}"
    return Issue(place.file, place.line, row_type.KEY[0], place.written(row_type.KEY[0]), expected, "", "E109")


# --- documentation ---


@dataclass(frozen=True)
class TableDescription:
    """What the schema says of one table."""

    name: str
    meaning: str
    key: tuple[str, ...]
    required: bool
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class SettingDescription:
    """What the schema says of one key of instance.toml."""

    section: str
    name: str
    required: bool
    unit: str
    meaning: str


def describe() -> tuple[TableDescription, ...]:
    """Every table with its columns, for the page on the instance format."""
    return tuple(
        TableDescription(name, row.__doc__ or "", row.KEY, row.REQUIRED, tuple(columns(name).values()))
        for name, row in TABLES.items()
    )


def describe_settings() -> tuple[SettingDescription, ...]:
    """Every key of instance.toml, for the page on the instance format."""
    result = [
        SettingDescription("", BASE, False, "", "another instance this one starts from; its folder, relative to this")
    ]
    for name, info in Settings.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        result.append(
            SettingDescription(
                str(extra["section"]),
                info.alias or name,
                info.is_required(),
                str(extra["unit"]),
                info.description or "",
            )
        )
    return tuple(result)
