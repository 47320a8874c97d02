"""Operations of the plan and of every branch: the decisions of each node, and the places they meet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..instance.finance import discount_factor
from ..instance.metrics import METRICS
from ..instance.timeline import Period, module_share, overlaps
from ..instance.wildcards import members
from ..models.data import (
    CLEAN,
    EXPOSED,
    PLAN,
    Activity,
    CapacityLimit,
    Delivery,
    ExportLimit,
    Holding,
    LaneLimit,
    ModelData,
    Need,
    Node,
    Pool,
    Purchase,
    Shipment,
    StockFloor,
    StockLimit,
    Terms,
    TransitLimit,
)
from .caps import cap_materials, importers
from .conditions import KILO, Conditions
from .facts import FactSource, PeriodFacts
from .offtakes import obliged
from .reach import Reach, Spot, explore, made_provenance

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Stockpile


Openings = Mapping[tuple[str, str], float]  # (stockpile, provenance) -> t
STORE = "store"  # what grows is a store, not a plant
Closed = Mapping[tuple[str, int], float]  # (facility, first year of a period) -> share of own capacity


def add(
    instance: Instance,
    span: Sequence[Period],
    conditions: Sequence[Conditions],
    data: ModelData,
    openings: Openings | None = None,
    closed: Closed | None = None,
) -> None:
    """Fill everything of ``data`` that happens at nodes, and the fixed O&M of own capacity in their periods.

    openings  stocks from which nodes without a previous one start; None: the initial stocks
    closed    own capacity that is given up for certain; None: none, or by ``data.close``
    """
    source = FactSource(instance)
    facts = {t: source.facts(span[t]) for t in sorted({node.period for node in data.nodes})}
    fixed_om = {f.facility: f.fixed_om_usd_per_t * KILO for f in instance.facilities}
    data.own_fixed_om = sum(
        span[t].discount * fixed_om[name] * capacity
        for t, of_period in facts.items()
        for name, capacity in of_period.own_capacity.items()
    )
    if openings is None:
        openings = {(s.stockpile, _opening_provenance(s)): s.initial_t for s in instance.stockpiles if s.initial_t}
    builder = _NodeBuilder(instance, span, data, openings, closed or {})
    for n, node in enumerate(data.nodes):
        builder.add(n, facts[node.period], conditions[n])


class _NodeBuilder:
    """Adds one node after the other; keeps what a later node needs of an earlier one (stocks)."""

    def __init__(
        self, instance: Instance, span: Sequence[Period], data: ModelData, openings: Openings, closed: Closed
    ) -> None:
        self.instance = instance
        self.openings = openings
        self.span = span
        self.data = data
        self.wasteable = {m.material for m in instance.materials if m.surplus}
        self.values = {m.material: m.value_usd_per_t * KILO for m in instance.materials}
        self.probability = {s.scenario: s.probability for s in instance.scenarios}
        self.parts: list[dict[tuple[str, str], int]] = []  # node -> (stockpile, provenance) -> position
        self.counted = _counted(instance)
        self.options = {o.option: o for o in instance.options}
        self.modules = self._module_terms()
        self.closed = closed
        self.closing = self._closing_terms()
        self.branch_service = {(r.scenario, r.sector): r for r in instance.branch_service}
        self.missing = 0
        self.reaches: dict[Hashable, Reach] = {}

    def add(self, n: int, facts: PeriodFacts, conditions: Conditions) -> None:
        """Add node ``n``."""
        node = self.data.nodes[n]
        limits = self._capacities(node, facts, conditions)
        reach = self._reach(node, facts, limits)
        pools = {spot: len(self.data.pools) + i for i, spot in enumerate(reach.spots)}
        self.data.pools += [Pool(*spot, n) for spot in pools]
        self._run(n, facts, reach, limits, pools)
        self._trade(n, facts, reach, conditions, pools)
        self._serve(n, facts, reach, conditions, pools)
        self._store(n, reach, conditions, pools)
        self._adjust(n, reach, pools)
        self._limit_transit(n, pools)

    def _reach(self, node: Node, facts: PeriodFacts, limits: dict[str, CapacityLimit]) -> Reach:
        """What can matter at the node: worked out once for all nodes at which the same can run, come and be wanted."""
        able = frozenset(name for name, limit in limits.items() if limit.own > 0.0 or limit.modules)
        stocked = tuple(self._stocked(node))
        forced = frozenset(self._forced(node, facts, limits))
        offers = tuple((o.material, o.country, o.exposed) for o in facts.offers if o.limit != 0.0)
        wishes = frozenset((w.material, w.country, w.clean_only) for w in facts.wishes)
        # operations differ between periods only in their numbers; ``facts`` outlives the builder, so the id is its own
        situation = (id(facts.lanes), able, stocked, forced, offers, wishes, node.rules_hold)
        if situation not in self.reaches:
            stockpiles = [(s.material, s.country) for s in self.instance.stockpiles]
            self.reaches[situation] = explore(facts, able, stocked, stockpiles, forced, clean_only=node.rules_hold)
        return self.reaches[situation]

    # --- capacity -----------------------------------------------------------------------------------------

    def _module_terms(self) -> dict[tuple[str, str, int], list[tuple[int, float]]]:
        """(STORE or blank, stockpile or facility, period) -> (build, kt or kt/yr per module), undisturbed."""
        terms: dict[tuple[str, str, int], list[tuple[int, float]]] = defaultdict(list)
        for i, start in enumerate(self.data.build):
            option = self.options[start.option]
            grown = (STORE, start.stockpile) if start.stockpile else ("", start.facility)
            for t in range(start.period, len(self.span)):
                capacity = option.module_t * KILO * module_share(option, start.year, self.span[t])
                if capacity > 0.0:
                    terms[*grown, t].append((i, capacity))
        return terms

    def _delivered(self, modules: Terms, conditions: Conditions) -> Terms:
        """What failing projects leave of ``modules``."""
        if not conditions.failures:
            return modules
        starts = self.data.build
        left = ((i, k * conditions.module_factor(self.options[starts[i].option], starts[i].year)) for i, k in modules)
        return [(i, k) for i, k in left if k > 0.0]

    def _closing_terms(self) -> dict[tuple[str, int], list[int]]:
        """(facility, period) -> close, of what is closed then."""
        terms: dict[tuple[str, int], list[int]] = defaultdict(list)
        for i, closing in enumerate(self.data.close):
            for t in range(closing.first, closing.last + 1):
                terms[closing.facility, t].append(i)
        return terms

    def _capacities(self, node: Node, facts: PeriodFacts, conditions: Conditions) -> dict[str, CapacityLimit]:
        result = {}
        n = len(self.parts)
        for facility in self.instance.facilities:
            name = facility.facility
            factor = conditions.capacity.get(name, 1.0)
            modules = self._delivered(self.modules.get(("", name, node.period), []), conditions)
            if factor != 1.0:
                modules = [(i, k * factor) for i, k in modules if k * factor > 0.0]
            own = facts.own_capacity[name]
            obliged = node.branch == PLAN and (facility.min_use_until is None or node.year <= facility.min_use_until)
            left = own * factor * (1.0 - self.closed.get((name, node.year), 0.0))
            closed = [(i, own * factor) for i in self.closing.get((name, node.period), ()) if own * factor > 0.0]
            result[name] = CapacityLimit(
                name, n, left, modules, closed, least_use=facility.min_use * own if obliged else 0.0
            )
        return result

    def _forced(self, node: Node, facts: PeriodFacts, limits: dict[str, CapacityLimit]) -> set[int]:
        """Operations that may run though nothing needs their products.

        They are obliged to, or paid for it; or they use up what may not be thrown away, or what a cap counts (the more
        there is of it in all, the smaller the share of the rest).
        """
        counted = self.counted if node.rules_hold else {}
        taken = obliged(self.instance, node.year) if node.branch == PLAN else {}
        return {
            i
            for i, o in enumerate(facts.operations)
            if limits[o.facility].least_use > 0.0
            or o.opex < 0.0
            or any((o.facility, material) in taken for material, _ in o.outputs)
            or any(m not in self.wasteable or o.country in counted.get(m, ()) for m, _ in o.inputs)
        }

    # --- flows --------------------------------------------------------------------------------------------

    def _run(
        self,
        n: int,
        facts: PeriodFacts,
        reach: Reach,
        limits: dict[str, CapacityLimit],
        pools: dict[Spot, int],
    ) -> None:
        data = self.data
        for i, provenance in reach.variants:
            operation = facts.operations[i]
            made = made_provenance(operation, provenance)
            a = len(data.activity)
            data.activity.append(Activity(operation.facility, operation.process, provenance, made, n, operation.opex))
            for material, tonnes in operation.inputs:
                data.pools[pools[material, operation.country, provenance]].used.append((a, tonnes))
            for material, tonnes in operation.outputs:
                data.pools[pools[material, operation.country, made]].made.append((a, tonnes))
            limits[operation.facility].use.append((a, operation.capacity_per_t))
        data.capacity += [limit for limit in limits.values() if limit.use or limit.least_use > 0.0]

    def _trade(
        self,
        n: int,
        facts: PeriodFacts,
        reach: Reach,
        conditions: Conditions,
        pools: dict[Spot, int],
    ) -> None:
        data = self.data
        places = sorted({(material, country) for material, country, _ in reach.sourced})
        into = {spot: data.pools[p].arriving for spot, p in pools.items() if spot in reach.needed}
        for material, origin in places:
            leaving: list[int] = []
            spots = [(material, origin, q) for q in (CLEAN, EXPOSED)]
            sources = [(s[2], data.pools[pools[s]].leaving) for s in spots if s in reach.sourced and s in pools]
            for lane in facts.lanes.get((material, origin), ()):
                moved: list[int] = []
                destination = lane.destination
                for provenance, leaving_it in sources:
                    arriving = into.get((material, destination, provenance))
                    if arriving is None:
                        continue
                    s = len(data.ship)
                    data.ship.append(Shipment(material, origin, destination, provenance, n, lane.freight, lane.tariff))
                    leaving_it.append(s)
                    arriving.append(s)
                    moved.append(s)
                if moved and lane.limit is not None:
                    data.lane_limit.append(LaneLimit(material, origin, lane.destination, n, lane.limit, tuple(moved)))
                leaving += moved
            stopped = conditions.export_limit.get((material, origin))
            if leaving and stopped is not None:
                data.export_stop.append(ExportLimit(data.nodes[n].branch, material, origin, n, stopped, tuple(leaving)))
        for offer in facts.offers:
            provenance = EXPOSED if offer.exposed else CLEAN
            pool = pools.get((offer.material, offer.country, provenance))
            if pool is None or (offer.material, offer.country, provenance) not in reach.needed:
                continue
            if offer.limit == 0.0:
                continue
            data.pools[pool].bought.append(len(data.buy))
            price = offer.price * conditions.price.get(offer.market, 1.0)
            data.buy.append(Purchase(offer.market, offer.country, offer.material, provenance, n, price, offer.limit))

    def _serve(
        self,
        n: int,
        facts: PeriodFacts,
        reach: Reach,
        conditions: Conditions,
        pools: dict[Spot, int],
    ) -> None:
        data = self.data
        node = data.nodes[n]
        for wish in facts.wishes:
            demand = wish.demand * conditions.demand.get((wish.country, wish.material), 1.0)
            floor = wish.min_service if node.branch == PLAN else self._branch_floor(node, wish.sector)
            most = demand * (1.0 - floor)
            d = len(data.need)
            data.need.append(Need(wish.country, wish.sector, wish.material, n, demand, most, wish.shortage_cost))
            for provenance in (CLEAN, EXPOSED):
                if provenance == EXPOSED and wish.clean_only and node.rules_hold:
                    continue
                spot = (wish.material, wish.country, provenance)
                if spot in reach.available:
                    data.pools[pools[spot]].delivered.append(len(data.deliver))
                    data.deliver.append(Delivery(d, provenance, n))

    def _branch_floor(self, node: Node, sector: str) -> float:
        row = self.branch_service.get((node.branch, sector))
        return row.min_service if row is not None and overlaps(row, self.span[node.period]) else 0.0

    # --- stocks -------------------------------------------------------------------------------------------

    def _stocked(self, node: Node) -> list[Spot]:
        """What may be in stock when the node begins."""
        if node.previous is None:
            return [
                (s.material, s.country, provenance)
                for s in self.instance.stockpiles
                for provenance in (CLEAN, EXPOSED)
                if self.openings.get((s.stockpile, provenance), 0.0) > 0.0
            ]
        held = self.parts[node.previous]
        return [
            (s.material, s.country, provenance)
            for s in self.instance.stockpiles
            for provenance in (CLEAN, EXPOSED)
            if (s.stockpile, provenance) in held
        ]

    def _store(self, n: int, reach: Reach, conditions: Conditions, pools: dict[Spot, int]) -> None:
        data = self.data
        node = data.nodes[n]
        before = self.parts[node.previous] if node.previous is not None else {}
        now: dict[tuple[str, str], int] = {}
        for s in self.instance.stockpiles:
            positions = []
            for provenance in (CLEAN, EXPOSED):
                opening = self.openings.get((s.stockpile, provenance), 0.0) * KILO if node.previous is None else 0.0
                previous = before.get((s.stockpile, provenance))
                can_put = (s.material, s.country, provenance) in reach.available
                can_draw = previous is not None or opening > 0.0
                if not (can_put or can_draw):
                    continue
                position = len(data.stock)
                now[s.stockpile, provenance] = position
                positions.append(position)
                data.pools[pools[s.material, s.country, provenance]].held.append(position)
                data.stock.append(
                    Holding(
                        stockpile=s.stockpile,
                        country=s.country,
                        material=s.material,
                        provenance=provenance,
                        node=n,
                        previous=previous,
                        opening=opening,
                        cost=s.holding_usd_per_t * KILO,
                        can_put=can_put,
                        can_draw=can_draw,
                    )
                )
            if positions:
                modules = self._delivered(self.modules.get((STORE, s.stockpile, node.period), []), conditions)
                data.stock_limit.append(StockLimit(s.stockpile, n, s.max_t * KILO, tuple(positions), modules))
            if node.period == len(self.span) - 1 and s.final_min_t > 0.0:
                self._floor(n, s, positions)
        self.parts.append(now)

    def _floor(self, n: int, s: Stockpile, positions: list[int]) -> None:
        node = self.data.nodes[n]
        missing, cost = None, 0.0
        if node.branch != PLAN:
            missing = self.missing
            self.missing += 1
            end = self.span[-1].last_year + 1 - self.span[0].first_year
            late = discount_factor(self.instance.discount_rate, end)
            cost = self.values[s.material] * self.probability[node.branch] * late
        self.data.stock_floor.append(StockFloor(s.stockpile, n, s.final_min_t * KILO, tuple(positions), missing, cost))

    # --- surplus, downgrade, transit ----------------------------------------------------------------------

    def _adjust(self, n: int, reach: Reach, pools: dict[Spot, int]) -> None:
        data = self.data
        for (material, country, provenance), p in pools.items():
            pool = data.pools[p]
            if pool.made and material in self.wasteable:
                pool.surplus = len(data.surplus)
                data.surplus.append(p)
            if provenance == EXPOSED and (material, country, EXPOSED) in reach.needed:
                clean = pools.get((material, country, CLEAN))
                if clean is not None and (material, country, CLEAN) in reach.available:
                    pool.downgrade = data.pools[clean].downgrade = len(data.downgrade)
                    data.downgrade.append((clean, p))
        for p in pools.values():
            pool = data.pools[p]
            if pool.surplus is None:
                continue
            enters = pool.arriving or pool.bought or pool.held
            if enters or (pool.provenance == EXPOSED and pool.downgrade is not None):
                data.surplus_limit.append(p)

    def _limit_transit(self, n: int, pools: dict[Spot, int]) -> None:
        """No-transit rows where the balance does not imply them: something arrives or is drawn, something leaves."""
        data = self.data
        for material, country in sorted({(m, c) for m, c, _ in pools}):
            here = [p for q in (CLEAN, EXPOSED) if (p := pools.get((material, country, q))) is not None]
            enters = any(data.pools[p].arriving or data.pools[p].held for p in here)
            if not enters or not any(data.pools[p].leaving for p in here):
                continue
            for p in here:
                if data.pools[p].leaving:
                    data.transit.append(TransitLimit(material, country, n, (p,)))
            if len(here) == 2 and data.pools[here[0]].downgrade is not None:
                data.transit.append(TransitLimit(material, country, n, tuple(here)))


def _opening_provenance(stockpile: Stockpile) -> str:
    return EXPOSED if stockpile.initial_exposed else CLEAN


def _counted(instance: Instance) -> dict[str, frozenset[str]]:
    """Material -> countries in which the use of it can make room under a cap on shares of it."""
    result: dict[str, frozenset[str]] = {}
    for cap in instance.caps:
        metric = METRICS[cap.metric]
        if not metric.of:
            continue
        places = importers(instance, cap) if metric.needs else members(instance, "")
        for material in cap_materials(instance, cap):
            result[material] = result.get(material, frozenset()) | places
    return result
