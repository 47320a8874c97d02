"""Instance -> :class:`models.ModelData`: time, disruptions, reachability, sparse index lists; kt and MUSD.

This is the only place where units are converted and where it is decided which decisions exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..instance.timeline import Period, horizon_end, periods
from ..models.data import CLEAN, EXPOSED, PLAN, CapacityLimit, ModelData, Node, Pool, ShareLimit, Terms
from . import caps, closing, funding, investment, offtakes, operations, risk
from .conditions import Conditions, lay_out_nodes
from .memory import paused_garbage_collector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..instance.instance import Instance


__all__ = [
    "CLEAN", "EXPOSED", "PLAN", "CapacityLimit", "ModelData", "Node", "Pool", "Prepared", "ShareLimit", "Terms",
    "prepare", "prepare_branch",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prepared:
    """The model's data with what is needed to read a solution back.

    periods     the periods of the instance
    conditions  what a disruption changes, for every node of ``data.nodes``
    """

    instance: Instance
    periods: tuple[Period, ...]
    data: ModelData
    conditions: tuple[Conditions, ...]


@paused_garbage_collector()
def prepare_branch(
    instance: Instance,
    scenario: str,
    builds: Mapping[tuple[str, int], float],
    openings: operations.Openings,
    last: int | None = None,
    closed: operations.Closed | None = None,
) -> Prepared:
    """The data of one branch alone, as if it were certain, from given stocks; builds and closures are to be held.

    builds    (option, start year) -> modules; ``data.build`` describes only these
    openings  (stockpile, provenance) -> t at its beginning
    last      position of the last period wanted; None: to the end of the horizon
    closed    (facility, first year of a period) -> share of own capacity that is closed
    """
    span = periods(instance)
    whole = ModelData()
    of_whole = lay_out_nodes(instance, span, whole)
    end = len(span) - 1 if last is None else last
    places = [n for n, node in enumerate(whole.nodes) if node.branch == scenario and node.period <= end]
    data = ModelData()
    for n in places:
        node = whole.nodes[n]
        previous = n - 1 - places[0] if n > places[0] else None
        data.nodes.append(node._replace(weight=node.present, previous=previous))
    conditions = [of_whole[n] for n in places]
    investment.add(instance, span, horizon_end(instance), data)
    data.build = [start for start in data.build if builds.get((start.option, start.year), 0.0) > 0.0]
    data.chosen, data.modules, data.groups, data.requires = [], [], {}, []
    operations.add(instance, span, conditions, data, openings, closed or {})
    data.own_fixed_om = 0.0
    caps.add(instance, span, data)
    probability = next(s.probability for s in instance.scenarios if s.scenario == scenario)
    certain = 1.0 / probability if probability > 0.0 else 0.0
    data.stock_floor = [f._replace(missing_cost=f.missing_cost * certain) for f in data.stock_floor]
    return Prepared(instance, span, data, tuple(conditions))


@paused_garbage_collector()
def prepare(
    instance: Instance, until: Mapping[str, int] | None = None, closed: operations.Closed | None = None
) -> Prepared:
    """The data of the model of a checked instance.

    until   scenario -> last calendar year of its branch that matters; None: all branches run to the horizon's end
    closed  the closures of a plan, to be held (their costs are then left out); None: they are decided
    """
    span = periods(instance)
    data = ModelData()
    conditions = lay_out_nodes(instance, span, data, until)
    investment.add(instance, span, horizon_end(instance), data)
    if closed is None:
        closing.add(instance, span, data)
    operations.add(instance, span, conditions, data, closed=closed)
    offtakes.add(instance, span, data)
    caps.add(instance, span, data)
    funding.add(instance, data)
    risk.add(instance, data)
    return Prepared(instance, span, data, tuple(conditions))
