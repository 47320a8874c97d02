"""Prepares what-ifs one after another: where only prices, demand and caps differ, all else is that of the one before.

Costs of operations, tariffs and prices of markets change what decisions cost, not which of them exist, nor any row; how
much is asked for changes needs and caps. Where an operation earns money by running, an impact has a price, or something
can replace a material, more depends on them; there all is prepared anew.
"""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..garbage import paused_garbage_collector
from ..instance.tables import TABLES
from ..models.data import ModelData, Need
from . import Prepared, caps, prepare
from .conditions import KILO
from .facts import FactSource
from .needs import Needs
from .operations import counted, recycled

if TYPE_CHECKING:
    from ..instance.instance import Instance

NUMBERS = {
    "operations": "opex_usd_per_t",
    "operation_costs": "opex_usd_per_t",
    "market_prices": "price_usd_per_t",
    "tariffs": "rate",
    "demand": "demand_t",
}
OTHER_COLUMNS = {
    table: attrgetter(*(name for name in TABLES[table].model_fields if name != number))
    for table, number in NUMBERS.items()
}
NOT_PREPARED = ("name", "title", "description", "sha256", "path", "changes", "caps")


class Repricer:
    """Prepares instances one after another."""

    def __init__(self) -> None:
        self._last: Prepared | None = None

    def prepared(self, instance: Instance) -> Prepared:
        """Return what `prepare` returns."""
        last, self._last = self._last, None
        again = None if last is None else _repriced(last, instance)
        self._last = prepare(instance) if again is None else again
        return self._last


@paused_garbage_collector()
def _repriced(last: Prepared, instance: Instance) -> Prepared | None:
    """Return an instance prepared that has the decisions of another one; None: it may have others."""
    before = last.instance
    if not _same_decisions(before, instance):
        return None
    differ = {table for table in (*NUMBERS, "caps") if getattr(before, table) != getattr(instance, table)}
    data = replace(last.data, negligible=instance.negligible_t * KILO)
    at = [node.period for node in data.nodes]
    source = FactSource(instance)
    facts = [source.facts(period) for period in last.periods] if differ - {"caps"} else []
    if differ & {"operations", "operation_costs"}:
        opex = [{(o.facility, o.process): o.opex for o in of.operations} for of in facts]
        data.activity = [a._replace(opex=opex[at[a.node]][a.facility, a.process]) for a in data.activity]
    if "tariffs" in differ:
        rates = [
            {(*place, to.destination): to.tariff for place, lanes in of.lanes.items() for to in lanes} for of in facts
        ]
        data.ship = [s._replace(tariff=rates[at[s.node]][s.material, s.origin, s.destination]) for s in data.ship]
    if "market_prices" in differ:
        prices = [{offer.market: offer.price for offer in of.offers} for of in facts]
        data.buy = [
            k._replace(price=prices[at[k.node]][k.market] * last.conditions[k.node].price.get(k.market, 1.0))
            for k in data.buy
        ]
    if "demand" in differ:
        needs = Needs(instance, last.periods)
        asked = (needs.at(n, node, facts[at[n]], last.conditions[n]) for n, node in enumerate(data.nodes))
        data.need = list(chain.from_iterable(asked))
        if [_whose(need) for need in data.need] != [_whose(need) for need in last.data.need]:
            return None  # of something nothing is asked for, or no longer nothing
    if differ & {"demand", "caps"}:
        none = ModelData()
        data.caps, data.above = none.caps, none.above
        caps.add(instance, last.periods, data)
    return Prepared(instance, last.periods, data, last.conditions)


def _whose(need: Need) -> tuple[str, str, str, int]:
    return need.country, need.sector, need.material, need.node


def _same_decisions(before: Instance, now: Instance) -> bool:
    """Whether two instances have the same decisions, if both ask for the same things: of these in other amounts."""
    for of in fields(now):
        old, new = getattr(before, of.name), getattr(now, of.name)
        if old is new or not of.compare or of.name in NOT_PREPARED:
            continue
        if of.name in NUMBERS:
            if len(old) != len(new) or not all(map(_same_but_for_its_number, old, new)):
                return False
        elif old != new:
            return False
    if now.impacts or (now.substitutes and before.demand != now.demand):
        return False
    if any(row.opex_usd_per_t < 0.0 for i in (before, now) for of in (i.operations, i.operation_costs) for row in of):
        return False
    return before.caps == now.caps or (counted(before), recycled(before)) == (counted(now), recycled(now))


def _same_but_for_its_number(old: Any, new: Any) -> bool:
    of = OTHER_COLUMNS[new.TABLE]
    return old is new or bool(of(old) == of(new))
