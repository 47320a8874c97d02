"""Fills what is under way: in the months of a branch goods arrive some weeks after they left.

What left before the branch began still arrives, as it was sent by the course that the branch leaves.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..instance.timeline import YEAR, Period, periods
from ..models.data import Landing, ModelData, Refill, Terms
from .conditions import KILO, left_node
from .facts import FactSource, PeriodFacts
from .reach import Place, PoolKey

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance

Route = tuple[str, str, str, str]  # material, origin, destination, provenance
Sent = Mapping[Route, tuple[float, float]]  # t/yr that the plan ships when a branch begins, and months under way

LEAST = 1e-9  # a share of a node's time that is rounding


def sent_before(instance: Instance, tables: Mapping[str, pd.DataFrame], begin: int) -> Sent:
    """Return what a plan ships in the period in which a branch begins, over lanes on which goods are under way.

    tables  of the plan
    begin   calendar month in which the branch begins, see `timeline.calendar_months`
    """
    if not instance.has_transit:
        return {}
    period = next(period for period in periods(instance) if begin < period.months.stop)
    lanes = FactSource(instance).facts(period).lanes
    transit = {(*place, lane.destination): lane.transit for place, of in lanes.items() for lane in of}
    flows = tables["flows"]
    return {
        (str(row.material), str(row.origin), str(row.destination), str(row.provenance)): (float(row.t), months)
        for row in flows[flows["year"] == period.first_year].itertuples()
        if (months := transit.get((row.material, row.origin, row.destination), 0.0))
    }


class UnderWay:
    """What is under way over the lanes of an instance, node after node.

    given  of a branch whose model has no plan: what is under way when it begins; None: the model has the plan
    """

    def __init__(self, instance: Instance, span: Sequence[Period], data: ModelData, given: Sent | None) -> None:
        self.instance, self.span, self.data, self.given = instance, span, data, given
        self._sent: dict[int, Terms] = defaultdict(list)  # node -> ship, months under way
        self._wanted: frozenset[Place] | None = None
        self._ends: dict[str, float] = {}  # branch -> calendar month after its last

    def delays(self, n: int) -> bool:
        """Return whether goods arrive at node ``n`` later than they leave.

        They do in the months of a branch that something disturbs, and in the period after them, in which the last
        of what left in these months arrives.
        """
        nodes = self.data.nodes
        node = nodes[n]
        if not self.instance.has_transit or node.floors_hold:
            return False
        before = None if node.previous is None else nodes[node.previous]
        return node.month is not None or (before is not None and before.month is not None and not before.floors_hold)

    def comes_too_late(self, n: int, months: float) -> bool:
        """Return whether nothing of what leaves at node ``n`` arrives before the end of its branch."""
        if not months or not self.delays(n):
            return False
        branch = self.data.nodes[n].branch
        if branch not in self._ends:
            last = max(k for k, node in enumerate(self.data.nodes) if node.branch == branch)
            self._ends[branch] = self._begin(last) + self._months(last)
        return self._begin(n) + months >= self._ends[branch]

    def send(self, n: int, ship: int, months: float) -> None:
        """Note a shipment that leaves at node ``n``: its position in ``data.ship``, and its months under way."""
        self._sent[n].append((ship, months))

    def possible(self, n: int) -> set[PoolKey]:
        """Return the pools in which something can arrive at node ``n`` that left before it."""
        found: set[PoolKey] = set()
        for ship, _ in self._arriving(n, self._before(n)):
            sent = self.data.ship[ship]
            found.add((sent.material, sent.destination, sent.provenance))
        for (material, _, destination, provenance), _, _ in self._arriving_given(n):
            found.add((material, destination, provenance))
        return found

    def wanted(self, n: int, facts: PeriodFacts) -> frozenset[Place]:
        """Return where what leaves at node ``n`` may be of use when it arrives: wherever there ever is a use.

        Only destinations of lanes on which goods are under way are told.
        """
        if not self.delays(n):
            return frozenset()
        if self._wanted is None:
            self._wanted = frozenset(self._uses(facts))
        into = {(m, lane.destination) for (m, _), of in facts.lanes.items() for lane in of if lane.transit}
        return self._wanted & into

    def _uses(self, facts: PeriodFacts) -> Iterator[Place]:
        """Yield the materials and countries with a use in some period."""
        grown = {start.facility for start in self.data.build}
        able = {f.facility for f in self.instance.facilities if f.capacity_t or f.facility in grown}
        able |= {row.facility for row in self.instance.facility_capacity}
        for operation in facts.operations:
            if operation.facility in able:
                yield from ((material, operation.country) for material, _ in operation.inputs)
        for need in self.instance.demand:
            yield need.material, need.country
            yield from ((s.replaced_by, need.country) for s in self.instance.substitutes if s.replaced_by)
        yield from ((buyer.material, buyer.country) for buyer in self.instance.buyers)

    def add(self, n: int, pools: Mapping[PoolKey, int]) -> None:
        """Add what arrives at node ``n``, whose shipments must be there; ``pools`` are its pools by key."""
        if not self.delays(n):
            return
        data, own = self.data, self.data.nodes[n].branch
        coming: dict[Route, Terms] = defaultdict(list)
        given: dict[Route, float] = defaultdict(float)
        now = (n, float(self._begin(n)), float(self._begin(n) + self._months(n)))
        for ship, share in self._arriving(n, [now, *self._before(n)]):
            sent = data.ship[ship]
            if data.nodes[sent.node].branch == own:
                data.pools[pools[sent.material, sent.destination, sent.provenance]].arriving.append((ship, share))
            else:
                coming[sent.material, sent.origin, sent.destination, sent.provenance].append((ship, share))
        for route, t, share in self._arriving_given(n):
            given[route] += share * t * KILO
        for route in sorted({*coming, *given}):
            material, _, destination, provenance = route
            data.pools[pools[material, destination, provenance]].landed.append(len(data.land))
            data.land.append(Landing(*route, n, given[route], coming[route]))
        if self.data.nodes[n].month is None:
            self._refill(n, pools)

    def _refill(self, n: int, pools: Mapping[PoolKey, int]) -> None:
        """Add that no more arrives in the period after the months than leaves, where goods are under way."""
        data = self.data
        leaving: dict[PoolKey, list[int]] = defaultdict(list)
        for ship, _ in self._sent[n]:
            sent = data.ship[ship]
            leaving[sent.material, sent.destination, sent.provenance].append(ship)
        late = set(leaving) | self.possible(n)
        for key in sorted(late):
            pool = data.pools[pools[key]]
            arriving = [(i, part) for i, part in pool.arriving if i in leaving[key] or data.ship[i].node != n]
            data.refill.append(Refill(*key, n, arriving, tuple(pool.landed), tuple(leaving[key])))

    def _arriving(self, n: int, left: Sequence[tuple[int | None, float, float]]) -> Iterator[tuple[int, float]]:
        """Yield the shipments of which something arrives at node ``n``, and its share of their rate.

        left  nodes at which they may have left, see `_before`
        """
        for node, since, until in left:
            for ship, months in self._sent[node] if node is not None else ():
                if (share := self._share(n, since + months, until + months)) > LEAST:
                    yield ship, share

    def _arriving_given(self, n: int) -> Iterator[tuple[Route, float, float]]:
        """Yield what arrives at node ``n`` of what is given: route, rate in t/yr, and the share that arrives."""
        if not self.given or not self.delays(n):
            return
        begin = self._begin(0)
        for route, (t, months) in self.given.items():
            if (share := self._share(n, -math.inf, begin + months)) > LEAST:
                yield route, t, share

    def _share(self, n: int, first: float, stop: float) -> float:
        """Return the share of node ``n`` that lies in a span of calendar months."""
        begin, months = self._begin(n), self._months(n)
        return (min(stop, begin + months) - max(first, begin)) / months

    def _before(self, n: int) -> list[tuple[int | None, float, float]]:
        """Return the nodes before ``n`` on its course at which may have left what arrives at it.

        Each comes with the calendar months in which it leaves there. What a whole period ships is held for as long
        before as it takes; None stands for what is given.
        """
        if not self.delays(n):
            return []
        nodes, at = self.data.nodes, n
        found: list[tuple[int | None, float, float]] = []
        while self._begin(at) > self._begin(n) - YEAR:
            before = nodes[at].previous
            if nodes[at].leaves is not None or before is None or nodes[before].month is None:
                parents = {s.scenario: s.parent for s in self.instance.scenarios}
                found.append((left_node(nodes, at, parents), -math.inf, self._begin(at)))
                break
            found.append((before, self._begin(before), self._begin(at)))
            at = before
        return found

    def _begin(self, n: int) -> int:
        """Return the calendar month with which a node begins."""
        node = self.data.nodes[n]
        return self.span[node.period].months.start + (0 if node.month is None else node.month - 1)

    def _months(self, n: int) -> float:
        return YEAR * self.data.nodes[n].length
