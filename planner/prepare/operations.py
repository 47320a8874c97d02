"""Fills what happens at the nodes of the plan and of all branches: activities, trade, deliveries and stocks.

For each node it adds the decisions that can matter there, the pools in which they meet, and the limits on them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..instance.metrics import METRICS
from ..instance.timeline import Period, module_share
from ..instance.wildcards import members
from ..models.data import (
    CLEAN,
    EXPOSED,
    Activity,
    CapacityLimit,
    Delivery,
    ExportLimit,
    LaneLimit,
    LaneUse,
    ModelData,
    Node,
    Pool,
    Purchase,
    Shipment,
    Terms,
    TransitLimit,
)
from . import sales, substitutes
from .caps import cap_materials, importers
from .conditions import KILO, Conditions
from .facts import FactSource, PeriodFacts
from .impacts import Impacts
from .needs import Needs
from .offtakes import obliged
from .reach import PoolKey, Reach, explore, made_provenance
from .returns import Returns, Served
from .stocks import Openings, Stocks
from .under_way import Sent, UnderWay
from .working_stocks import WorkingStocks

if TYPE_CHECKING:
    from ..instance.instance import Instance


STORE = "store"  # marks modules that enlarge a stockpile, not a facility
Closed = Mapping[tuple[str, int], float]  # (facility, first year of a period) -> share of own capacity closed


def add(
    instance: Instance,
    span: Sequence[Period],
    conditions: Sequence[Conditions],
    data: ModelData,
    openings: Openings | None = None,
    closed: Closed | None = None,
    served: Served | None = None,
    used: Mapping[PoolKey, float] | None = None,
    sent: Sent | None = None,
) -> None:
    """Fill all of ``data`` that happens at nodes, and ``own_fixed_om`` (MUSD) for their periods.

    The nodes, builds and closures of ``data`` must be there.

    conditions  what disruptions change, parallel to ``data.nodes``
    openings    stocks of nodes before which no node comes; None: the initial stocks of the instance
    closed      own capacity that is closed, as given; None: ``data.close`` decides
    served      what is delivered before the first node, if that does not begin the horizon
    used        (material, country, provenance) -> t/yr used and delivered before the first node, which fills working
                stocks, if ``data`` is of one branch alone; None: the nodes of the plan are there
    sent        what is under way when such a branch begins; None: the nodes of the plan are there
    """
    data.negligible = instance.negligible_t * KILO
    source = FactSource(instance)
    facts = {t: source.facts(span[t]) for t in sorted({node.period for node in data.nodes})}
    fixed_om = {f.facility: f.fixed_om_usd_per_t * KILO for f in instance.facilities}
    data.own_fixed_om = sum(
        span[t].discount * fixed_om[name] * capacity
        for t, of_period in facts.items()
        for name, capacity in of_period.own_capacity.items()
    )
    builder = _NodeBuilder(
        instance,
        span,
        data,
        closed or {},
        Stocks(instance, span, data, openings),
        Returns(instance, span, data, served),
        WorkingStocks(instance, data, used),
        UnderWay(instance, span, data, sent),
    )
    for n, node in enumerate(data.nodes):
        builder.add(n, facts[node.period], conditions[n])
    builder.working_stocks.close()
    builder.impacts.add(span, data)


class _NodeBuilder:
    """Adds one node after the other, and keeps what a later node needs of an earlier one.

    modules   see ``_module_terms``
    courses   course -> positions in ``data.build`` of what it can start
    closing   see ``_closing_terms``
    counted   material -> countries where using it makes room under a cap, or helps to keep a floor
    recycled  (material, country) that a floor on recycling counts
    reaches   situation -> what can matter in it
    """

    def __init__(
        self,
        instance: Instance,
        span: Sequence[Period],
        data: ModelData,
        closed: Closed,
        stocks: Stocks,
        returns: Returns,
        working_stocks: WorkingStocks,
        under_way: UnderWay,
    ) -> None:
        self.instance, self.working_stocks, self.under_way = instance, working_stocks, under_way
        self.stocks, self.returns, self.impacts = stocks, returns, Impacts(instance)
        self.span = span
        self.data = data
        self.wasteable = {m.material for m in instance.materials if m.surplus}
        self.counted, self.recycled = counted(instance), recycled(instance)
        self.options = {o.option: o for o in instance.options}
        self.modules = self._module_terms()
        self.courses = {branch: frozenset(starts) for branch, starts in data.starts.items()}
        self.closed = closed
        self.closing = self._closing_terms()
        self.needs = Needs(instance, span)
        self.reaches: dict[Hashable, Reach] = {}

    def add(self, n: int, facts: PeriodFacts, conditions: Conditions) -> None:
        """Add node ``n``; nodes are added in the order of ``data.nodes``."""
        node = self.data.nodes[n]
        limits = self._capacities(n, facts, conditions)
        reach = self._reach(n, facts, limits)
        pools = {key: len(self.data.pools) + i for i, key in enumerate(reach.pools)}
        self.data.pools += [Pool(*key, n) for key in pools]
        self._run(n, facts, reach, limits, pools)
        self._trade(n, facts, reach, conditions, pools)
        self._serve(n, facts, reach, conditions, pools)
        sales.add(self.data, n, facts.purchasers, reach, pools)
        self.returns.add(n, reach, pools)
        stores = {s.stockpile: self._delivered(STORE, s.stockpile, node, conditions) for s in self.instance.stockpiles}
        self.stocks.add(n, reach, pools, stores)
        self.working_stocks.add(n, pools)
        self.under_way.add(n, pools)
        self._adjust(n, reach, pools)
        self._limit_transit(n, pools)

    def _reach(self, n: int, facts: PeriodFacts, limits: dict[str, CapacityLimit]) -> Reach:
        """Return what can matter at the node.

        It is worked out once for all nodes with the same facilities able to run, the same supply and the same demand.
        """
        node = self.data.nodes[n]
        back = self.returns.sources(n, facts, clean_only=node.rules_hold)
        able = frozenset(name for name, limit in limits.items() if limit.own > 0.0 or limit.modules)
        arriving = self.under_way.possible(n)
        stocked = (*self.stocks.possible(n), *self.working_stocks.possible(n), *sorted(arriving))
        later = self.under_way.wanted(n, facts) | {key[:2] for key in arriving}
        forced = frozenset(self._forced(node, facts, limits))
        offers = tuple((o.material, o.country, o.exposed) for o in facts.offers if o.limit != 0.0)
        demands = frozenset(
            (w.material, w.country, w.clean_only, *(s.replaced_by for s in w.swaps)) for w in facts.demands
        )
        # operations differ between periods only in their numbers; ``facts`` outlives the builder, so the id is its own
        buyers = tuple((b.buyer, b.most != 0.0) for b in facts.purchasers)
        situation = (id(facts.lanes), able, stocked, forced, offers, demands, buyers, node.rules_hold, back, later)
        if situation not in self.reaches:
            taking = [*((s.material, s.country) for s in self.instance.stockpiles), *sorted(later)]
            self.reaches[situation] = explore(
                facts, able, stocked, taking, forced, clean_only=node.rules_hold, back=sorted(back)
            )
        return self.reaches[situation]

    # --- capacity -----------------------------------------------------------------------------------------

    def _module_terms(self) -> dict[tuple[str, str, int], list[tuple[int, float]]]:
        """Return what modules add when nothing is disturbed.

        (STORE or blank, stockpile or facility, position of period) -> pairs of build and kt (stockpile) or kt/yr
        (facility) per module.
        """
        terms: dict[tuple[str, str, int], list[tuple[int, float]]] = defaultdict(list)
        for i, start in enumerate(self.data.build):
            option = self.options[start.option]
            grown = (STORE, start.stockpile) if start.stockpile else ("", start.facility)
            for t in range(start.period, len(self.span)):
                capacity = option.module_t * KILO * module_share(option, start.year, self.span[t])
                if capacity > 0.0:
                    terms[*grown, t].append((i, capacity))
        return terms

    def _delivered(self, kind: str, name: str, node: Node, conditions: Conditions) -> Terms:
        """Return what modules add to a facility or, of the kind STORE, a stockpile at a node.

        These are the modules of the node's course, less what failing projects take; terms that become 0 are left out.
        """
        course = self.courses[node.branch]
        modules = [(i, k) for i, k in self.modules.get((kind, name, node.period), ()) if i in course]
        if not conditions.failures:
            return modules
        starts = self.data.build
        left = ((i, k * conditions.module_factor(self.options[starts[i].option], starts[i].year)) for i, k in modules)
        return [(i, k) for i, k in left if k > 0.0]

    def _closing_terms(self) -> dict[tuple[str, int], list[int]]:
        """Return (facility, position of period) -> closures in force."""
        terms: dict[tuple[str, int], list[int]] = defaultdict(list)
        for i, closing in enumerate(self.data.close):
            for t in range(closing.first, closing.last + 1):
                terms[closing.facility, t].append(i)
        return terms

    def _capacities(self, n: int, facts: PeriodFacts, conditions: Conditions) -> dict[str, CapacityLimit]:
        """Return facility -> its capacity at node ``n``."""
        result = {}
        node = self.data.nodes[n]
        for facility in self.instance.facilities:
            name = facility.facility
            factor = conditions.capacity.get(name, 1.0)
            modules = self._delivered("", name, node, conditions)
            if factor != 1.0:
                modules = [(i, k * factor) for i, k in modules if k * factor > 0.0]
            own = facts.own_capacity[name]
            obliged = node.floors_hold and (facility.min_use_until is None or node.year <= facility.min_use_until)
            left = own * factor * (1.0 - self.closed.get((name, node.year), 0.0))
            closed = [(i, own * factor) for i in self.closing.get((name, node.period), ()) if own * factor > 0.0]
            result[name] = CapacityLimit(
                name, n, left, modules, closed, least_use=facility.min_use * own if obliged else 0.0
            )
        return result

    def _forced(self, node: Node, facts: PeriodFacts, limits: dict[str, CapacityLimit]) -> set[int]:
        """Return the positions of operations that are kept even if nothing needs their products.

        They have a duty to run (least use, offtake) or earn money by running; or they use up material that may not be
        thrown away, or that a cap counts in its total (a larger total allows more of what the cap limits), or that a
        floor counts where it is made; or they recycle what a floor on recycling counts, if only to throw it away.
        """
        counted = self.counted if node.caps_hold or node.floors_hold else {}
        taken = obliged(self.instance, node.year) if node.floors_hold else {}
        return self.impacts.kept(node, facts) | {
            i
            for i, o in enumerate(facts.operations)
            if limits[o.facility].least_use > 0.0
            or o.opex < 0.0
            or any((o.facility, material) in taken for material, _ in o.outputs)
            or any(m not in self.wasteable or o.country in counted.get(m, ()) for m, _ in o.inputs)
            or (o.restores and any((m, o.country) in self.recycled for m, _ in o.outputs))
        }

    # --- flows --------------------------------------------------------------------------------------------

    def _run(
        self,
        n: int,
        facts: PeriodFacts,
        reach: Reach,
        limits: dict[str, CapacityLimit],
        pools: dict[PoolKey, int],
    ) -> None:
        """Add the activities of node ``n``: their inputs and outputs in the pools, their use of capacity.

        limits  facility -> its capacity at the node
        pools   key -> position in ``data.pools``, here and in the methods below
        """
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
        pools: dict[PoolKey, int],
    ) -> None:
        """Add shipments and purchases of node ``n``, with the limits of lanes and of export stops."""
        data = self.data
        places = sorted({(material, country) for material, country, _ in reach.sourced})
        into = {key: data.pools[p].arriving for key, p in pools.items() if key in reach.needed}
        at_once = not self.under_way.delays(n)
        for material, origin in places:
            leaving: list[int] = []
            keys = [(material, origin, q) for q in (CLEAN, EXPOSED)]
            sources = [(s[2], data.pools[pools[s]].leaving) for s in keys if s in reach.sourced and s in pools]
            for lane in facts.lanes.get((material, origin), ()):
                moved: list[int] = []
                destination = lane.destination
                if self.under_way.comes_too_late(n, lane.transit):
                    continue
                for provenance, leaving_it in sources:
                    arriving = into.get((material, destination, provenance))
                    if arriving is None:
                        continue
                    s = len(data.ship)
                    data.ship.append(Shipment(material, origin, destination, provenance, n, lane.freight, lane.tariff))
                    leaving_it.append(s)
                    moved.append(s)
                    if lane.transit:
                        self.under_way.send(n, s, lane.transit)
                    if at_once or not lane.transit:
                        arriving.append((s, 1.0))
                if moved and lane.limit is not None:
                    movement = (material, origin, destination, n)
                    limit = LaneLimit(*movement, lane.limit, tuple(moved))
                    if lane.least or lane.fixed:
                        limit = limit._replace(least=lane.least, used=len(data.used))
                        data.used.append(LaneUse(*movement, lane.fixed))
                    data.lane_limit.append(limit)
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
        pools: dict[PoolKey, int],
    ) -> None:
        """Add the needs of node ``n`` and the deliveries to them."""
        data = self.data
        node = data.nodes[n]
        first = len(data.need)
        data.need += self.needs.at(n, node, facts, conditions)
        for d, sector_demand in enumerate(facts.demands, start=first):
            clean_only = sector_demand.clean_only and node.rules_hold
            for provenance in (CLEAN, EXPOSED):
                if provenance == EXPOSED and clean_only:
                    continue
                key = (sector_demand.material, sector_demand.country, provenance)
                if key in reach.available:
                    data.pools[pools[key]].delivered.append((len(data.deliver), 1.0))
                    data.deliver.append(Delivery(d, provenance, n))
            substitutes.add(data, d, sector_demand, reach, pools, clean_only)

    # --- surplus, downgrade, transit ----------------------------------------------------------------------

    def _adjust(self, n: int, reach: Reach, pools: dict[PoolKey, int]) -> None:
        """Add surplus and downgrade where they are possible, and rows that limit surplus where the balance does not."""
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
            enters = _stays(pool) or pool.bought or pool.collected
            if enters or (pool.provenance == EXPOSED and pool.downgrade is not None):
                data.surplus_limit.append(p)

    def _limit_transit(self, n: int, pools: dict[PoolKey, int]) -> None:
        """Add the rows against re-export where something arrives or is drawn from stock, and something leaves.

        Elsewhere the balance implies them.
        """
        data = self.data
        for material, country in sorted({(m, c) for m, c, _ in pools}):
            here = [p for q in (CLEAN, EXPOSED) if (p := pools.get((material, country, q))) is not None]
            enters = any(_stays(data.pools[p]) for p in here)
            if not enters or not any(data.pools[p].leaving for p in here):
                continue
            for p in here:
                if data.pools[p].leaving:
                    data.transit.append(TransitLimit(material, country, n, (p,)))
            if len(here) == 2 and data.pools[here[0]].downgrade is not None:
                data.transit.append(TransitLimit(material, country, n, tuple(here)))


def _stays(pool: Pool) -> bool:
    """Return whether something comes into a pool that may not leave its country again."""
    return bool(pool.arriving or pool.landed or pool.held or pool.run_down is not None)


def counted(instance: Instance) -> dict[str, frozenset[str]]:
    """Return material -> countries in which using it adds to the total of a cap on shares of it.

    Of a floor on the own share these are all countries: what is made for any of them counts.
    """
    result: dict[str, frozenset[str]] = {}
    for cap in instance.caps:
        metric = METRICS[cap.metric]
        if not metric.of:
            continue
        everywhere = not metric.needs or (cap.metric == "own_share" and cap.sense == "min")
        places = members(instance, "") if everywhere else importers(instance, cap)
        for material in cap_materials(instance, cap):
            result[material] = result.get(material, frozenset()) | places
    return result


def recycled(instance: Instance) -> set[tuple[str, str]]:
    """Return material and country of what a floor on recycling counts."""
    return {
        (material, country)
        for cap in instance.caps
        if cap.recycled and cap.sense == "min"
        for material in cap_materials(instance, cap)
        for country in members(instance, cap.country)
    }
