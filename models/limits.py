"""Rows of operations: balances, limits and duties, one record each; part of ``data.py``.

A field that names a decision, such as ``activity`` or ``ship``, holds positions in the list of that name in
``ModelData``, with a coefficient where it is ``Terms``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .investments import Terms


@dataclass(slots=True)
class Pool:
    """A material of one provenance in a country at a node: the place of one balance.

    Every other field holds positions of decisions that add to the pool or take from it.
    """

    material: str
    country: str
    provenance: str
    node: int
    made: Terms = field(default_factory=list)  # activity, kt made per kt of activity
    used: Terms = field(default_factory=list)  # activity, kt used per kt of activity
    arriving: Terms = field(default_factory=list)  # ship, kt/yr that arrive at the node per kt/yr shipped
    landed: list[int] = field(default_factory=list)  # land
    leaving: list[int] = field(default_factory=list)  # ship
    bought: list[int] = field(default_factory=list)  # buy
    delivered: Terms = field(default_factory=list)  # deliver, kt taken per kt of the demand that is served
    sold: list[int] = field(default_factory=list)  # sell
    collected: list[int] = field(default_factory=list)  # collect
    held: list[int] = field(default_factory=list)  # stock: its put and draw
    run_down: int | None = None  # None: there is no working stock of it
    surplus: int | None = None  # None: nothing may be thrown away
    downgrade: int | None = None  # takes from the clean pool, adds to the exposed one; None: not possible


@dataclass(slots=True)
class CapacityLimit:
    """Capacity of a facility at a node: its own, less what is closed of it, plus what its modules add.

    Outages and project failures of the node's branch are taken off; ``least_use`` is above 0 only in the plan.
    """

    facility: str
    node: int
    own: float  # kt/yr
    modules: Terms  # build, kt/yr per module
    closed: Terms = field(default_factory=list)  # close, kt/yr if the whole plant is closed
    use: Terms = field(default_factory=list)  # activity, kt of capacity per kt of activity
    least_use: float = 0.0  # kt/yr of capacity that must be used; 0: no such duty


class OfftakeLimit(NamedTuple):
    """What a facility must make of a material at a node of the plan, because buyers have promised to take it."""

    facility: str
    material: str
    node: int
    least: float  # kt/yr to be made by own capacity
    modules: Terms  # build, kt/yr to be made per module
    made: Terms  # activity, kt made per kt of activity


class TransitLimit(NamedTuple):
    """A country where a material arrives or is drawn from stock, so that re-export has to be ruled out."""

    material: str
    country: str
    node: int
    pools: tuple[int, ...]  # one: the rule for one provenance; two: for the sum of both (downgrade cancels)


class BlendLimit(NamedTuple):
    """The least and the most of a property in what a facility makes of a material.

    least, most  per kt made, in the unit of the property; None: no limit
    content      activity, property that the inputs bring per kt of activity
    made         activity, kt made per kt of activity
    """

    property: str
    material: str
    facility: str
    node: int
    least: float | None
    most: float | None
    content: tuple[tuple[int, float], ...]
    made: tuple[tuple[int, float], ...]


class LaneLimit(NamedTuple):
    """The most that may move of a material between two countries, and the least if anything does.

    used  position in ``ModelData.used``; None: the lane has neither a fixed cost nor a least lot
    """

    material: str
    origin: str
    destination: str
    node: int
    limit: float  # kt/yr
    ship: tuple[int, ...]
    least: float = 0.0  # kt/yr
    used: int | None = None


class ExportLimit(NamedTuple):
    """What an export stop of a scenario still lets out of a country."""

    scenario: str
    material: str
    country: str
    node: int
    limit: float  # kt/yr
    leaving: tuple[int, ...]  # ship


class Refill(NamedTuple):
    """What arrives at a place in the period after the months of a branch, which may not be more than leaves for it.

    arriving  ship, kt/yr that arrive per kt/yr shipped
    landed    land
    leaving   ship: what leaves for the place in the period
    """

    material: str
    country: str
    provenance: str
    node: int
    arriving: Terms
    landed: tuple[int, ...]
    leaving: tuple[int, ...]


class StockLimit(NamedTuple):
    """The room of a stockpile at a node."""

    stockpile: str
    node: int
    limit: float  # kt
    parts: tuple[int, ...]  # stock
    modules: Terms  # build, kt per module


class StockRelease(NamedTuple):
    """The most that may be released from a stockpile at a node of a branch; 0 while it may not be released yet."""

    stockpile: str
    node: int
    limit: float  # kt/yr
    parts: tuple[int, ...]  # stock: draw


class StockFloor(NamedTuple):
    """The least stock at the end of the horizon; in a branch some of it may be missing, at a price."""

    stockpile: str
    node: int
    floor: float  # kt
    parts: tuple[int, ...]  # stock
    missing: int | None  # missing; None: the plan, where nothing may be missing
    missing_cost: float  # MUSD/kt, present value times probability


class WorkingStock(NamedTuple):
    """A working stock in one course: all draws together are at most so many years of a use.

    use     of the node with which the course begins to be disturbed: activity and deliver of it, kt of stock per kt/yr
    full    kt: the same if that node is not decided here
    drawn   run_down: years of each node of the course
    """

    country: str
    material: str
    provenance: str
    node: int  # the last one at which something can be drawn
    activity: Terms
    deliver: Terms
    full: float
    drawn: Terms


class SaleLimit(NamedTuple):
    """The least and the most that a buyer is sold at a node."""

    buyer: str
    country: str
    material: str
    node: int
    least: float  # kt/yr
    most: float | None  # kt/yr; None: no limit
    sell: tuple[int, ...]


class SwapLimit(NamedTuple):
    """The most that a substitute can replace of a demand."""

    substitute: str
    country: str
    sector: str
    material: str
    node: int
    need: int  # position in ``ModelData.need``
    limit: float  # kt/yr
    swaps: tuple[int, ...]  # deliver: one for each provenance


class Footprint(NamedTuple):
    """What operations and builds cause of an impact at a node, in thousand units a year.

    price      MUSD per thousand units
    operation  activity, thousand units per kt
    lane       ship, likewise
    purchase   buy, likewise
    build      build, thousand units a year per module, in the period in which it is started
    """

    impact: str
    node: int
    price: float
    operation: Terms
    lane: Terms
    purchase: Terms
    build: Terms

    @property
    def operations(self) -> tuple[tuple[str, Terms], ...]:
        """The families of operations, each with what they cause."""
        return ("activity", self.operation), ("ship", self.lane), ("buy", self.purchase)


class ShareLimit(NamedTuple):
    """A cap at one node: a share, over / total, may not exceed ``limit``. The metric says what the fields hold.

    A floor (a cap of the sense ``min``) is the other way round: the share may not be below ``limit``. In a year in
    months ``over`` and ``total`` are means over the year: one record speaks of the last month, and holds those of the
    other months.

    limit    share, 0 to 1
    country  single_country_share: the country whose share is meant
    over     positions of what the numerator adds up: exposed deliveries (exposed_share), pools in countries of concern
             (stage_share), pools of the country (single_country_share); of own_share what it takes off: surplus in
             the country or bloc
    total    positions of what the denominator adds up: needs (exposed_share), pools (the others)
    made     activities whose products the numerator adds up, and kt made per kt of activity: of tied plants outside the
             countries of concern (stage_share), in the country or bloc (own_share)
    demand   exposed_share: demand of all needs in ``total``, kt/yr
    thrift   exposed_share: swaps of these needs that need no material, and are in neither sum
    landed   import_share: land, what was under way into the importer when the branch began
    shipped  import_share: ship, into the importer, and what arrives of it; impact: ship, thousand units per kt. Of an
             impact ``bought`` and ``started`` (per module) are alike; ``made`` are then activities, and ``limit`` is in
             thousand units a year
    largest  largest_share: how many countries count; ``over`` are then positions of ``above``
    floor    whether it is a floor; its row is multiplied by -1, so that all rows are ``<=`` and their duals 0 or less
    share    what the record counts in the mean over the year, 0 to 1: a month 1/12
    others   the other nodes of the year, of which only what the limit counts is read
    """

    cap: str
    node: int
    limit: float
    country: str = ""
    over: tuple[int, ...] = ()
    total: tuple[int, ...] = ()
    made: tuple[tuple[int, float], ...] = ()
    demand: float = 0.0
    thrift: tuple[int, ...] = ()
    shipped: tuple[tuple[int, float], ...] = ()
    bought: tuple[tuple[int, float], ...] = ()
    started: tuple[tuple[int, float], ...] = ()
    landed: tuple[int, ...] = ()
    floor: bool = False
    largest: int = 0
    share: float = 1.0
    others: tuple[ShareLimit, ...] = ()

    @property
    def parts(self) -> tuple[ShareLimit, ...]:
        """The record itself, and those of the other nodes of its year."""
        return (self, *self.others)

    @property
    def sign(self) -> float:
        """What the row is multiplied by: 1 of a cap, -1 of a floor."""
        return -1.0 if self.floor else 1.0


class Above(NamedTuple):
    """What a country supplies above the level of a cap on the largest suppliers: for the metric largest_share.

    cap    position in ``ModelData.caps["largest_share"]``, and of its decision ``level``
    pools  its pools where something is made or bought, and what each counts in the mean over the year
    """

    cap: int
    country: str
    node: int
    pools: tuple[tuple[int, float], ...]
