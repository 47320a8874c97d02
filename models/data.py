"""What the formulation needs to know, and nothing else: sets, parameters and neighbourhoods, ready to sum over.

Inside the model quantities are kilotonnes (kt), money is million USD of the price year (MUSD), unit costs
are MUSD per kt (1 USD/t = 0.001 MUSD/kt), years are integers. Every list of keys gives one family of
decisions its index: decision ``i`` of a family is described by entry ``i``.

Operations happen at *nodes*: a period of the plan (undisturbed), or a period of a branch (under a scenario's
disruption). A branch is one more copy of the operations; only its data differ.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

CLEAN = "clean"
EXPOSED = "exposed"
PLAN = ""  # the branch name of undisturbed operations

Terms = list[tuple[int, float]]  # (index of a decision, coefficient)


class Node(NamedTuple):
    """A period of the plan or of a branch.

    branch       scenario name; blank for the plan
    period       position of the period
    year         its first calendar year
    length       its number of calendar years w_t
    weight       D_t times the probability that this node is the one that happens
    present      D_t, the present value of 1 a year
    previous     the node whose end stocks this one starts from; None: the initial stocks
    rules_hold   whether caps and clean-only rules hold here
    """

    branch: str
    period: int
    year: int
    length: int
    weight: float
    present: float
    previous: int | None
    rules_hold: bool


class Activity(NamedTuple):
    """A process run at a facility; ``provenance`` is that of its inputs, ``made`` that of its outputs."""

    facility: str
    process: str
    provenance: str
    made: str
    node: int
    opex: float  # MUSD/kt


class Shipment(NamedTuple):
    material: str
    origin: str
    destination: str
    provenance: str
    node: int
    freight: float  # MUSD/kt
    tariff: float  # MUSD/kt


class Purchase(NamedTuple):
    market: str
    country: str
    material: str
    provenance: str
    node: int
    price: float  # MUSD/kt
    limit: float | None  # kt/yr


class Need(NamedTuple):
    """Demand of a sector in a country at a node."""

    country: str
    sector: str
    material: str
    node: int
    demand: float  # kt/yr
    max_short: float  # kt/yr
    shortage_cost: float  # MUSD/kt


class Delivery(NamedTuple):
    need: int
    provenance: str
    node: int


class Holding(NamedTuple):
    """The clean or exposed part of a stockpile at a node; ``opening`` is its initial stock if it starts there."""

    stockpile: str
    country: str
    material: str
    provenance: str
    node: int
    previous: int | None  # position of the part it starts from
    opening: float  # kt
    cost: float  # MUSD/kt and year
    can_put: bool
    can_draw: bool


class Outcome(NamedTuple):
    """One course of events: undisturbed, or with a scenario; ``nodes`` are the periods in which it lives."""

    scenario: str  # blank: undisturbed
    probability: float
    nodes: tuple[int, ...]


class Risk(NamedTuple):
    """How much the worst outcomes count beyond the mean.

    measure   ``cost``: the objective is (1 - weight) mean + weight CVaR of the cost of an outcome;
              ``unserved``: mean cost + weight CVaR of an outcome's tonnes short, weight in MUSD/kt
    alpha     CVaR is the mean of the worst 1 - alpha of the outcomes by probability
    """

    measure: str
    weight: float
    alpha: float


class Start(NamedTuple):
    """Modules of an option started in a period."""

    option: str
    facility: str
    period: int
    year: int
    max_modules: float
    integer: bool
    annuity: float  # MUSD per module, present value over the horizon
    fixed_om: float  # MUSD per module, present value over the horizon
    stockpile: str = ""  # the store that grows instead of the facility


class Closing(NamedTuple):
    """A part of a facility's own capacity that is given up: for one period (``idle``), or from it on (``retire``)."""

    facility: str
    kind: str
    first: int  # position of the period it begins in
    last: int  # position of the last period it holds in
    cost: float  # MUSD for all of it, present value: closing it less the fixed O&M avoided


@dataclass(slots=True)
class Pool:
    """What is at hand of a material in a country, by provenance, at a node: the place of one balance."""

    material: str
    country: str
    provenance: str
    node: int
    made: Terms = field(default_factory=list)  # activity, kt per kt
    used: Terms = field(default_factory=list)  # activity, kt per kt
    arriving: list[int] = field(default_factory=list)  # ship
    leaving: list[int] = field(default_factory=list)  # ship
    bought: list[int] = field(default_factory=list)  # buy
    delivered: list[int] = field(default_factory=list)  # deliver
    held: list[int] = field(default_factory=list)  # put and draw
    surplus: int | None = None  # surplus
    downgrade: int | None = None  # downgrade: leaves a clean pool, enters the exposed one


@dataclass(slots=True)
class CapacityLimit:
    """Capacity of a facility at a node: own, less what is closed of it, plus what its modules add."""

    facility: str
    node: int
    own: float  # kt/yr
    modules: Terms  # build, kt/yr per module
    closed: Terms = field(default_factory=list)  # close, kt/yr for all of it
    use: Terms = field(default_factory=list)  # activity, kt of capacity per kt
    least_use: float = 0.0  # kt/yr


class OfftakeLimit(NamedTuple):
    """What a plant must make of a material at a node, because buyers are to take it."""

    facility: str
    material: str
    node: int
    least: float  # kt/yr, of own capacity
    modules: Terms  # build, kt/yr per module
    made: Terms  # activity, kt per kt


class TransitLimit(NamedTuple):
    """A place where goods arrive or are drawn, so that re-export has to be ruled out."""

    material: str
    country: str
    node: int
    pools: tuple[int, ...]  # one pool: that provenance alone; two: both in sum, without downgrade


class ShareLimit(NamedTuple):
    """A cap in one node: its limit and the places it speaks of (which fields are used depends on the metric)."""

    cap: str
    node: int
    limit: float
    country: str = ""  # single_country_share: the country measured
    over: tuple[int, ...] = ()  # exposed deliveries, pools in countries of concern, arriving shipments, ...
    total: tuple[int, ...] = ()  # pools or needs of the denominator
    tied: tuple[tuple[int, float], ...] = ()  # activity of tied plants outside countries of concern
    demand: float = 0.0  # kt/yr, exposed_share only


class ExportLimit(NamedTuple):
    scenario: str
    material: str
    country: str
    node: int
    limit: float  # kt/yr
    leaving: tuple[int, ...]


class LaneLimit(NamedTuple):
    material: str
    origin: str
    destination: str
    node: int
    limit: float  # kt/yr
    ship: tuple[int, ...]


class StockLimit(NamedTuple):
    stockpile: str
    node: int
    limit: float  # kt
    parts: tuple[int, ...]  # stock
    modules: Terms  # build, kt per module


class StockFloor(NamedTuple):
    """The least stock at the end; in a branch tonnes may be missing at a price."""

    stockpile: str
    node: int
    floor: float  # kt
    parts: tuple[int, ...]  # stock
    missing: int | None  # missing
    missing_cost: float  # MUSD/kt, present value times probability


class ModuleLimit(NamedTuple):
    option: str
    starts: tuple[int, ...]
    least: float
    most: float
    chosen: int | None  # the yes/no decision of an option in an exclusive group


class Requirement(NamedTuple):
    option: str
    required: str
    start: int
    max_modules: float
    earlier: tuple[int, ...]


class Spending(NamedTuple):
    """Capex of an option in a calendar year, to be paid by private money and funds."""

    option: str
    year: int
    capex: Terms  # build, MUSD per module
    private: int
    draws: tuple[int, ...]


class PrivateLimit(NamedTuple):
    option: str
    limit: float  # MUSD
    private: tuple[int, ...]


class FundLimit(NamedTuple):
    fund: str
    budget: float  # MUSD
    draws: tuple[int, ...]


class FundShare(NamedTuple):
    fund: str
    option: str
    max_share: float
    draws: tuple[int, ...]
    capex: Terms  # build, MUSD per module


@dataclass(slots=True)
class ModelData:
    """Everything that :func:`models.build` reads. Filled by the caller; see the module's docstring for units."""

    nodes: list[Node] = field(default_factory=list)
    activity: list[Activity] = field(default_factory=list)
    ship: list[Shipment] = field(default_factory=list)
    buy: list[Purchase] = field(default_factory=list)
    need: list[Need] = field(default_factory=list)
    deliver: list[Delivery] = field(default_factory=list)
    stock: list[Holding] = field(default_factory=list)
    surplus: list[int] = field(default_factory=list)  # pool of each surplus
    downgrade: list[tuple[int, int]] = field(default_factory=list)  # clean pool, exposed pool
    build: list[Start] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)  # option
    close: list[Closing] = field(default_factory=list)
    private: list[tuple[str, int]] = field(default_factory=list)  # option, calendar year
    fund_draw: list[tuple[str, str, int]] = field(default_factory=list)  # fund, option, calendar year

    pools: list[Pool] = field(default_factory=list)
    capacity: list[CapacityLimit] = field(default_factory=list)
    offtake: list[OfftakeLimit] = field(default_factory=list)
    transit: list[TransitLimit] = field(default_factory=list)
    surplus_limit: list[int] = field(default_factory=list)  # pools where surplus could exceed what is made
    lane_limit: list[LaneLimit] = field(default_factory=list)
    stock_limit: list[StockLimit] = field(default_factory=list)
    stock_floor: list[StockFloor] = field(default_factory=list)
    caps: dict[str, list[ShareLimit]] = field(default_factory=lambda: defaultdict(list))  # by metric
    export_stop: list[ExportLimit] = field(default_factory=list)
    closed: list[tuple[int, ...]] = field(default_factory=list)  # close: together at most the whole of a plant
    modules: list[ModuleLimit] = field(default_factory=list)
    groups: dict[str, tuple[int, ...]] = field(default_factory=dict)  # exclusive group -> chosen
    requires: list[Requirement] = field(default_factory=list)
    spending: list[Spending] = field(default_factory=list)
    private_limit: list[PrivateLimit] = field(default_factory=list)
    fund_limit: list[FundLimit] = field(default_factory=list)
    fund_share: list[FundShare] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    risk: Risk | None = None
    own_fixed_om: float = 0.0  # MUSD, present value of the fixed O&M of own capacity
