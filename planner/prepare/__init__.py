"""Turns an instance into the data of the model: periods and branches, what disruptions change, which decisions exist.

Only here are tonnes and USD converted to kilotonnes and million USD, and only here is it decided which decisions exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..instance.timeline import Period, disrupted_months, horizon_end, months_of, overlap_share, periods
from ..models.data import CLEAN, EXPOSED, PLAN, CapacityLimit, GroupLimit, ModelData, Node, Pool, ShareLimit, Terms
from . import blends, caps, closing, funding, groups, investment, offtakes, operations, risk, sizes
from .conditions import Conditions, lay_out_nodes
from .memory import paused_garbage_collector
from .returns import Served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..instance.instance import Instance


__all__ = [
    "CLEAN", "EXPOSED", "PLAN", "CapacityLimit", "GroupLimit", "ModelData", "Node", "Pool", "Prepared", "ShareLimit",
    "Terms", "prepare", "prepare_branch",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of the model, with what is needed to read a solution back.

    periods     the periods of the instance
    conditions  what disruptions change at each node, parallel to ``data.nodes``
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
    served: Served | None = None,
) -> Prepared:
    """Return the data of one branch alone, with probability 1, that begins with given stocks.

    The caller disturbs it, whatever the scenario's own rows do, so floors and duties do not hold in it, nor caps and
    clean-only rules in the scenario's years.

    scenario  whose branch it is
    builds    (option, start year) -> modules of a plan; ``data.build`` describes only these, the caller fixes them
    openings  (stockpile, provenance) -> t in stock when the branch begins, of one that begins within a year too
    last      position of the last period wanted; None: to the end of the horizon
    closed    (facility, first year of a period) -> share of own capacity that is closed; None: nothing is
    served    (country, sector, material, provenance, first year of a period) -> t/yr that the plan delivers, of which
              something may come back in the branch; only the periods before it count
    """
    span = periods(instance)
    whole = ModelData()
    of_whole = lay_out_nodes(instance, span, whole)
    end = len(span) - 1 if last is None else last
    places = [n for n, node in enumerate(whole.nodes) if node.branch == scenario and node.period <= end]
    data = ModelData()
    row = next(s for s in instance.scenarios if s.scenario == scenario)
    for n in places:
        node = whole.nodes[n]
        previous = n - 1 - places[0] if n > places[0] else None
        struck = (
            overlap_share(of, disrupted_months(row)) > 0.0
            for of in (months_of(span[node.period], node.month), span[node.period].months)
        )
        data.nodes.append(
            node._replace(
                weight=node.present,
                previous=previous,
                leaves=None,
                rules_hold=node.rules_hold and not next(struck),
                caps_hold=node.caps_hold and not next(struck),
                floors_hold=False,
            )
        )
    conditions = [of_whole[n] for n in places]
    investment.add(instance, span, horizon_end(instance), data)
    held = (start for start in data.build if start.branch == PLAN and builds.get((start.option, start.year), 0.0) > 0.0)
    data.build = list(held)
    data.endings = {scenario: 1.0}
    data.starts = {scenario: tuple(range(len(data.build)))}
    data.chosen, data.modules, data.groups, data.requires = [], [], [], []
    operations.add(instance, span, conditions, data, openings, closed or {}, served)
    blends.add(instance, data)
    data.own_fixed_om = 0.0
    caps.add(instance, span, data)
    return Prepared(instance, span, data, tuple(conditions))


@paused_garbage_collector()
def prepare(
    instance: Instance, until: Mapping[str, int] | None = None, closed: operations.Closed | None = None
) -> Prepared:
    """Return the data of the model of an instance that passed its checks.

    until   scenario -> last calendar year of its branch that matters; None: all branches run to the horizon's end
    closed  the closures of a plan, (facility, first year of a period) -> share of own capacity; they are taken as given
            and their costs are left out; None: the model decides on closures
    """
    span = periods(instance)
    data = ModelData()
    conditions = lay_out_nodes(instance, span, data, until)
    investment.add(instance, span, horizon_end(instance), data)
    sizes.add(instance, horizon_end(instance), data)
    groups.add(instance, data)
    if closed is None:
        closing.add(instance, span, data)
    operations.add(instance, span, conditions, data, closed=closed)
    blends.add(instance, data)
    offtakes.add(instance, span, data)
    caps.add(instance, span, data)
    funding.add(instance, data)
    risk.add(instance, data)
    return Prepared(instance, span, data, tuple(conditions))
