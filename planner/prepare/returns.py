"""Fills the returns: what can come back of what was delivered, at a node or at the nodes before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ..instance.lives import back_from
from ..instance.timeline import Period
from ..instance.wildcards import members
from ..models.data import CLEAN, EXPOSED, Collection, ModelData
from .conditions import KILO
from .facts import PeriodFacts
from .reach import PoolKey, Reach

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.use_tables import ReturnRow

Consumer = tuple[str, str, str, str]  # country, sector, material, provenance
Served = Mapping[tuple[str, str, str, str, int], float]  # consumer, first year of a period -> t/yr delivered

LEAST = 1e-12  # kt/yr per kt/yr: the solver would drop a smaller coefficient


class Returns:
    """What can come back, node after node; the needs and deliveries of earlier nodes must be in ``data``.

    served  what is delivered in the periods before the first node; None: nothing, the horizon begins with it
    """

    def __init__(self, instance: Instance, span: Sequence[Period], data: ModelData, served: Served | None) -> None:
        self.rows = instance.returns
        self.span, self.data = span, data
        self.places = {row.called: members(instance, row.country) for row in self.rows}
        self.served: dict[int, dict[Consumer, float]] = defaultdict(dict)  # position of a period -> consumer -> kt/yr
        position = {p.first_year: t for t, p in enumerate(span)}
        for (*consumer, year), t in (served or {}).items():
            self.served[position[year]][tuple(consumer)] = t * KILO  # type: ignore[index]
        self.delivered: list[dict[Consumer, int]] = []  # node -> consumer -> position in ``data.deliver``
        self.part = cache(self._part)

    def sources(self, n: int, facts: PeriodFacts, clean_only: bool) -> frozenset[PoolKey]:
        """Return the pools into which something can come back at node ``n``.

        Of what is delivered in the period itself it may come back at once, and make up for itself what is delivered: so
        whether anything else can be delivered does not matter.

        clean_only  whether sectors that take clean material only are held to it
        """
        t = self.data.nodes[n].period
        now = {
            (w.country, w.sector, w.material, provenance): 0.0
            for w in (facts.demands if self.rows else ())
            for provenance in (CLEAN, EXPOSED)
            if not (provenance == EXPOSED and w.clean_only and clean_only)
        }
        return frozenset(
            (row.returned, consumer[0], consumer[3])
            for i, row in enumerate(self.rows)
            for earlier, _, consumers in (*self._before(n), (t, 1.0, now))
            if self.part(i, earlier, t) > LEAST
            for consumer in consumers
            if self._matches(row, consumer)
        )

    def add(self, n: int, reach: Reach, pools: Mapping[PoolKey, int]) -> None:
        """Add what is collected at node ``n``, whose deliveries must be there.

        pools  key -> position in ``data.pools``, at the node
        """
        if not self.rows:
            return
        data, node = self.data, self.data.nodes[n]
        first = next((i for i in range(len(data.deliver) - 1, -1, -1) if data.deliver[i].node != n), -1) + 1
        here: dict[Consumer, int] = {}
        for i in range(first, len(data.deliver)):
            need, delivery = data.need[data.deliver[i].need], data.deliver[i]
            if not delivery.substitute:
                here[need.country, need.sector, need.material, delivery.provenance] = i
        self.delivered.append(here)
        for r, row in enumerate(self.rows):
            terms: dict[PoolKey, list[tuple[int, float]]] = defaultdict(list)
            given: dict[PoolKey, float] = defaultdict(float)
            for earlier, share, consumers in (*self._before(n), (node.period, 1.0, here)):
                part = share * self.part(r, earlier, node.period)
                for consumer, amount in consumers.items() if part > LEAST else ():
                    if not self._matches(row, consumer):
                        continue
                    key = (row.returned, consumer[0], consumer[3])
                    if isinstance(amount, int):
                        terms[key].append((amount, part))
                    else:
                        given[key] += part * amount
            for key in sorted({*terms, *given}):
                if key in reach.needed and key in pools:
                    data.pools[pools[key]].collected.append(len(data.collect))
                    data.collect.append(Collection(row.called, key[1], key[0], key[2], n, given[key], terms[key]))

    def _before(self, n: int) -> Iterator[tuple[int, float, Mapping[Consumer, float]]]:
        """Yield the periods before that of node ``n`` on its course.

        Each comes with the share of it that is meant (of a year in months it comes once for each month), and by
        consumer with a position of a delivery, or kt/yr. What comes back in the year of its delivery does so in its
        month.
        """
        nodes, now = self.data.nodes, self.data.nodes[n].period
        while True:
            node = nodes[n]
            if node.period < now:
                yield node.period, 1.0 if node.month is None else node.length, self.delivered[n]
                if node.leaves is not None:
                    yield node.period, node.gone, self.delivered[node.leaves]
                elif node.previous is None:
                    yield node.period, node.gone, self.served.get(node.period, {})
            if node.previous is None:
                break
            n = node.previous
        for t in range(node.period):
            yield t, 1.0, self.served.get(t, {})

    def _matches(self, row: ReturnRow, consumer: Consumer) -> bool:
        country, sector, material, _ = consumer
        return material == row.material and row.sector in ("", sector) and country in self.places[row.called]

    def _part(self, r: int, earlier: int, later: int) -> float:
        """Return what can be collected in a period per unit delivered in another, kt/yr per kt/yr.

        r               position of the row in ``rows``
        earlier, later  positions of the periods of delivery and of return
        """
        row, span = self.rows[r], self.span
        back = back_from(row, span[earlier].calendar, span[later].calendar)
        return row.t_per_t * row.collected * back / span[later].length
