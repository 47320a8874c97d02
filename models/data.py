"""The data of the formulation: what each decision and each row stands for, with its numbers.

Inside the model quantities are kilotonnes (kt), money is million USD of the price year (MUSD), unit costs are MUSD per
kt (1 USD/t = 0.001 MUSD/kt), years are integers. A list of ``ModelData`` that has the name of a decision describes it:
entry ``i`` tells what decision ``i`` is. The other lists describe rows: entry ``i`` has the numbers of row ``i`` and
the positions of the decisions in it. ``planner/prepare`` fills all of them.

Operations happen at nodes. A node is a period of the plan (undisturbed), or a period of a branch: the same operations
under the disruptions of a scenario, with other data. The plan and the branches are courses; each has starts of its own
or shares those of the course that it leaves.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from .investments import (
    PLAN,
    Choice,
    Closing,
    ExclusiveGroup,
    FundLimit,
    FundShare,
    GroupLimit,
    ModuleLimit,
    Payment,
    PrivateLimit,
    Requirement,
    Sized,
    SizeStep,
    Spending,
    Start,
    Terms,
)
from .limits import (
    Above,
    BlendLimit,
    CapacityLimit,
    ExportLimit,
    Footprint,
    LaneLimit,
    OfftakeLimit,
    Pool,
    Refill,
    SaleLimit,
    ShareLimit,
    StockFloor,
    StockLimit,
    StockRelease,
    SwapLimit,
    TransitLimit,
    WorkingStock,
)

CLEAN = "clean"
EXPOSED = "exposed"


class Node(NamedTuple):
    """A period of the plan or of a branch, or a month of a year that a branch divides into months.

    branch       scenario name; blank for the plan
    period       position of the period in the instance
    year         its first calendar year
    length       its number of calendar years, w_t; a month is a twelfth. A node can stand for several months that are
                 alike
    weight       D_t times the probability that this node is the one that happens, years: that of its course, less that
                 of the branches that have left it by then
    present      D_t: the present value of 1 a year, paid in each year of the period, years
    previous     position of the node whose stocks at the end this one starts with; None: the initial stocks
    rules_hold   whether clean-only rules hold at this node
    caps_hold    whether caps hold at this node; in a year in months they hold as means over its twelve months
    floors_hold  whether floors and duties (on shares, of service, of use, of the last stock) hold at this node: in the
                 plan, and in a branch that nothing disturbs
    month        1 to 12; None: the node is a whole period
    leaves       position of the node of the same year on the course that a branch leaves within a year; the stocks with
                 which the branch begins lie between those at the ends of ``previous`` and of this one. None: the
                 branch goes on from ``previous`` itself
    """

    branch: str
    period: int
    year: int
    length: float
    weight: float
    present: float
    previous: int | None
    rules_hold: bool
    caps_hold: bool
    floors_hold: bool
    month: int | None = None
    leaves: int | None = None

    @property
    def gone(self) -> float:
        """Share of the year that has gone by when the node begins, 0 to 1; 0 for whole periods."""
        return 0.0 if self.month is None else (self.month - 1) / 12.0

    @property
    def last(self) -> bool:
        """Whether the node is the last one of its period."""
        return self.month is None or self.gone + self.length > 1.0 - 1e-9

    @property
    def when(self) -> str:
        """The node's time in words: its first year, or year and month such as ``2027-08``."""
        return f"{self.year}" if self.month is None else f"{self.year}-{self.month:02d}"


class Activity(NamedTuple):
    """A process run at a facility; ``provenance`` is that of its inputs, ``made`` that of its outputs.

    In all records ``node`` is the position of a node in ``ModelData.nodes``.
    """

    facility: str
    process: str
    provenance: str
    made: str
    node: int
    opex: float  # MUSD/kt


class Shipment(NamedTuple):
    """A movement of a material from one country to another."""

    material: str
    origin: str
    destination: str
    provenance: str
    node: int
    freight: float  # MUSD/kt
    tariff: float  # MUSD/kt


class Purchase(NamedTuple):
    """What a market sells of a material in its country; ``limit`` None: any amount."""

    market: str
    country: str
    material: str
    provenance: str
    node: int
    price: float  # MUSD/kt
    limit: float | None  # kt/yr


class Sale(NamedTuple):
    """What is sold to a buyer of a material of one provenance, in its country."""

    buyer: str
    country: str
    material: str
    provenance: str
    node: int
    cost: float  # MUSD/kt: the price, below 0 where it earns


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
    """Material of one provenance that goes to a sector, or a swap: what a substitute replaces of its demand.

    provenance  that of the material, or of the one that replaces it; blank: thrift, which needs no material
    substitute  name of the substitute; blank: the material asked for
    cost        MUSD per kt replaced
    """

    need: int  # position in ``ModelData.need``
    provenance: str
    node: int
    substitute: str = ""
    cost: float = 0.0


class Holding(NamedTuple):
    """The clean or the exposed part of a stockpile at a node.

    before    positions in ``ModelData.stock`` of the same part at the node before, with the share of each that makes up
              the stock at the beginning: one, or two of a branch that begins within a year; or none
    opening   what more there is at the beginning, kt: initial stock
    can_put   whether material of this provenance can reach the stockpile
    can_draw  whether there can be anything in it at the beginning
    """

    stockpile: str
    country: str
    material: str
    provenance: str
    node: int
    before: tuple[tuple[int, float], ...]
    opening: float  # kt
    cost: float  # MUSD per kt and year
    can_put: bool
    can_draw: bool


class RunDown(NamedTuple):
    """What is drawn from the working stocks of firms in a country, of a material of one provenance, at a node."""

    country: str
    material: str
    provenance: str
    node: int
    cost: float  # MUSD/kt: what it takes to replace it later


class Landing(NamedTuple):
    """What is taken in at a node of goods that were under way on a lane when the branch began.

    given  what can arrive of shipments that are given, not decided, kt/yr
    sent   ship, of nodes before the branch: what can arrive at this node per kt/yr shipped, kt/yr
    """

    material: str
    origin: str
    destination: str
    provenance: str
    node: int
    given: float
    sent: Terms


class Outcome(NamedTuple):
    """One way in which the future can go: undisturbed, or with one scenario and those whose branches it descends from.

    nodes   its nodes, those of the course it leaves before the scenario begins and then those of its branch, each with
            the share of it that happens: below 1 only of a year during which a branch leaves
    starts  positions in ``ModelData.build`` of what its course can start
    """

    scenario: str  # blank: undisturbed
    probability: float
    nodes: Terms
    starts: tuple[int, ...]


class Risk(NamedTuple):
    """How much the worst outcomes count beyond the mean.

    measure   ``cost``: the objective is (1 - weight) mean + weight CVaR of the cost of an outcome;
              ``unserved``: mean cost + weight CVaR of the kilotonnes that an outcome leaves short
    weight    share, 0 to 1, for ``cost``; MUSD/kt for ``unserved``
    alpha     the conditional value at risk (CVaR) is the mean of the worst 1 - alpha of the outcomes by probability
    """

    measure: str
    weight: float
    alpha: float


class Collection(NamedTuple):
    """What is collected of a material, after its use in a country, at a node.

    ret        name of the row of returns.csv
    given      what can be collected of deliveries that are given, not decided, kt/yr
    delivered  deliver: kt/yr that can be collected per kt/yr delivered, at this node or one before it
    """

    ret: str
    country: str
    material: str
    provenance: str
    node: int
    given: float
    delivered: Terms


class LaneUse(NamedTuple):
    """Whether a material moves between two countries at a node, on a lane with a fixed cost or a least lot."""

    material: str
    origin: str
    destination: str
    node: int
    fixed: float  # MUSD a year in which anything moves


@dataclass(slots=True)
class ModelData:
    """Everything that :func:`models.build` reads; ``planner.prepare.prepare`` fills it.

    The lists up to ``fund_draw`` describe decisions, those from ``pools`` on describe rows.
    """

    nodes: list[Node] = field(default_factory=list)
    activity: list[Activity] = field(default_factory=list)
    ship: list[Shipment] = field(default_factory=list)
    used: list[LaneUse] = field(default_factory=list)
    buy: list[Purchase] = field(default_factory=list)
    sell: list[Sale] = field(default_factory=list)
    need: list[Need] = field(default_factory=list)
    deliver: list[Delivery] = field(default_factory=list)
    collect: list[Collection] = field(default_factory=list)  # also describes the rows of its limits
    stock: list[Holding] = field(default_factory=list)
    run_down: list[RunDown] = field(default_factory=list)
    land: list[Landing] = field(default_factory=list)  # also describes the rows of its limits
    surplus: list[int] = field(default_factory=list)  # position of its pool
    downgrade: list[tuple[int, int]] = field(default_factory=list)  # positions of its clean and its exposed pool
    build: list[Start] = field(default_factory=list)
    fill: list[SizeStep] = field(default_factory=list)
    excess: list[Sized] = field(default_factory=list)  # also describes the rows that define it
    chosen: list[Choice] = field(default_factory=list)
    close: list[Closing] = field(default_factory=list)
    private: list[Payment] = field(default_factory=list)
    fund_draw: list[Payment] = field(default_factory=list)

    starts: dict[str, tuple[int, ...]] = field(default_factory=dict)  # course -> build: all that it can start

    pools: list[Pool] = field(default_factory=list)
    capacity: list[CapacityLimit] = field(default_factory=list)
    offtake: list[OfftakeLimit] = field(default_factory=list)
    transit: list[TransitLimit] = field(default_factory=list)
    surplus_limit: list[int] = field(default_factory=list)  # positions of pools where surplus could exceed what is made
    lane_limit: list[LaneLimit] = field(default_factory=list)
    stock_limit: list[StockLimit] = field(default_factory=list)
    stock_floor: list[StockFloor] = field(default_factory=list)
    stock_release: list[StockRelease] = field(default_factory=list)
    refill: list[Refill] = field(default_factory=list)
    working_stock: list[WorkingStock] = field(default_factory=list)
    sale_limit: list[SaleLimit] = field(default_factory=list)
    swap_limit: list[SwapLimit] = field(default_factory=list)
    impacts: list[Footprint] = field(default_factory=list)
    caps: dict[str, list[ShareLimit]] = field(default_factory=lambda: defaultdict(list))  # by metric
    above: list[Above] = field(default_factory=list)  # also describes the rows that define it
    blend: list[BlendLimit] = field(default_factory=list)
    export_stop: list[ExportLimit] = field(default_factory=list)
    closed: list[tuple[int, ...]] = field(default_factory=list)  # close: closures of one plant that hold at one time
    modules: list[ModuleLimit] = field(default_factory=list)
    groups: list[ExclusiveGroup] = field(default_factory=list)
    group_limit: list[GroupLimit] = field(default_factory=list)
    requires: list[Requirement] = field(default_factory=list)
    spending: list[Spending] = field(default_factory=list)
    private_limit: list[PrivateLimit] = field(default_factory=list)
    fund_limit: list[FundLimit] = field(default_factory=list)
    fund_share: list[FundShare] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    risk: Risk | None = None
    own_fixed_om: float = 0.0  # MUSD, present value of the fixed O&M of own capacity
    negligible: float = 0.0  # kt/yr that count as nothing

    @property
    def courses(self) -> list[str]:
        """The courses that start something of their own: the plan, and branches that may build after the blow."""
        own = {start.branch for start in self.build}
        return [branch for branch in self.starts if branch == PLAN or branch in own]
