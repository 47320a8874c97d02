"""Fills the impacts: what operations and builds cause of each, and which operations are worth running for that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ..instance.timeline import Period, cap_limits
from ..models.data import Footprint, ModelData, Node, Terms
from .conditions import KILO
from .facts import PeriodFacts

if TYPE_CHECKING:
    from ..instance.impact_tables import ImpactFactor
    from ..instance.instance import Instance

Per = dict[str, float]  # impact -> units per t


class Impacts:
    """The impact factors of an instance; all rows that match something add up."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.price = {i.impact: i.price_usd_per_unit * KILO for i in instance.impacts}  # MUSD per thousand units
        self.factors: dict[str, list[ImpactFactor]] = defaultdict(list)
        for row in instance.impact_factors:
            self.factors[row.kind].append(row)
        self.limits = [(cap, cap_limits(instance, cap)) for cap in instance.caps if cap.impact]
        # many decisions are of the same plant or lane
        self.of_operation, self.of_lane = cache(self._of_operation), cache(self._of_lane)
        self.of_market, self.of_option = cache(self._of_market), cache(self._of_option)

    def _of_operation(self, facility: str, process: str) -> Per:
        rows = self.factors["operation"]
        return _summed(r for r in rows if r.facility in ("", facility) and r.process in ("", process))

    def _of_lane(self, material: str, origin: str, destination: str) -> Per:
        return _summed(
            r
            for r in self.factors["lane"]
            if r.material in ("", material) and r.origin in ("", origin) and r.destination in ("", destination)
        )

    def _of_market(self, market: str) -> Per:
        return _summed(r for r in self.factors["purchase"] if r.market in ("", market))

    def _of_option(self, option: str) -> Per:
        return _summed(r for r in self.factors["build"] if r.option in ("", option))

    def kept(self, node: Node, facts: PeriodFacts) -> set[int]:
        """Return the positions of operations that may be worth running for an impact alone, whatever they make.

        Some earn more by a credit than they cost, or loosen a cap or floor on an impact. If a lane or a purchase does
        so, all operations are kept, since any of them may use up what is moved or bought.
        """
        if not self.price:
            return set()
        wanted: dict[str, set[int]] = defaultdict(set)  # impact -> signs of factors that loosen a cap or floor
        for cap, limits in self.limits:
            floor = cap.sense == "min"
            if node.year in limits and (node.floors_hold if floor else node.caps_hold):
                wanted[cap.impact].add(1 if floor else -1)

        def helps(per: Per, cost: float = 0.0) -> bool:
            earns = cost + sum(self.price[impact] * units for impact, units in per.items()) < 0.0
            return earns or any(sign * units > 0.0 for i, units in per.items() for sign in wanted.get(i, ()))

        moved = (
            helps(self.of_lane(material, origin, lane.destination))
            for (material, origin), lanes in facts.lanes.items()
            for lane in lanes
        )
        rows = facts.operations
        if (self.factors["lane"] and any(moved)) or any(helps(self.of_market(o.market)) for o in facts.offers):
            return set(range(len(rows)))
        return {i for i, o in enumerate(rows) if helps(self.of_operation(o.facility, o.process), o.opex)}

    def add(self, span: Sequence[Period], data: ModelData) -> None:
        """Fill ``data.impacts``, and the priced impacts of ``data.build``; the operations of ``data`` must be there."""
        if not self.price:
            return
        terms: dict[tuple[str, int], list[Terms]] = {
            (impact, n): [[], [], [], []] for impact in self.price for n in range(len(data.nodes))
        }

        def count(kind: int, i: int, n: int, per: Per, tonnes: float = 1.0) -> None:
            for impact, units in per.items():
                terms[impact, n][kind].append((i, units * tonnes))

        for i, a in enumerate(data.activity):
            count(0, i, a.node, self.of_operation(a.facility, a.process))
        for i, s in enumerate(data.ship):
            count(1, i, s.node, self.of_lane(s.material, s.origin, s.destination))
        for i, k in enumerate(data.buy):
            count(2, i, k.node, self.of_market(k.market))
        size = {o.option: o.module_t * KILO for o in self.instance.options}
        for n, node in enumerate(data.nodes):
            for i in data.starts[node.branch]:
                start = data.build[i]
                if start.period == node.period:
                    count(3, i, n, self.of_option(start.option), size[start.option] / span[node.period].length)
        for i, start in enumerate(data.build):
            per, period = self.of_option(start.option), span[start.period]
            money = sum(self.price[impact] * units for impact, units in per.items()) * size[start.option]
            if money:
                data.build[i] = start._replace(impact=money / period.length * period.discount)
        data.impacts = [Footprint(impact, n, self.price[impact], *of) for (impact, n), of in terms.items()]


def _summed(rows: Iterable[ImpactFactor]) -> Per:
    per: Per = defaultdict(float)
    for row in rows:
        per[row.impact] += row.per_t
    return {impact: units for impact, units in per.items() if units}
