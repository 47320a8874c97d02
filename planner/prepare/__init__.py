"""Turns an instance into the data of the model: periods and branches, what disruptions change, which decisions exist.

Only here are tonnes and USD converted to kilotonnes and million USD, and only here is it decided which decisions exist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..garbage import paused_garbage_collector
from ..instance.timeline import Period, disrupted_months, horizon_end, months_of, overlap_share, periods
from ..models.data import (
    CLEAN,
    EXPOSED,
    PLAN,
    CapacityLimit,
    GroupLimit,
    ModelData,
    Need,
    Node,
    Pool,
    ShareLimit,
    Terms,
)
from . import blends, caps, closing, funding, groups, investment, offtakes, operations, risk, sizes
from .conditions import Conditions, Strike, conditions_of, course_of, lay_out_nodes, left_node
from .returns import Served
from .stocks import Openings
from .under_way import Sent

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..instance.instance import Instance


__all__ = [
    "CLEAN", "EXPOSED", "PLAN", "CapacityLimit", "GroupLimit", "ModelData", "Need", "Node", "Pool", "Prepared",
    "ShareLimit", "Terms", "prepare", "prepare_branch", "prepare_course", "prepare_events",
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
    openings: Openings,
    last: int | None = None,
    closed: operations.Closed | None = None,
    served: Served | None = None,
    used: Mapping[tuple[str, str, str], float] | None = None,
    sent: Sent | None = None,
    together: bool = False,
    free: bool = False,
) -> Prepared:
    """Return the data of one branch alone, with probability 1, that begins with given stocks.

    The caller disturbs it, whatever the scenario's own rows do, so floors and duties do not hold in it, nor caps and
    clean-only rules in the scenario's years.

    scenario  whose branch it is
    builds    (option, start year) -> modules of a plan; unless ``free``, ``data.build`` describes only these, and the
              caller fixes them
    openings  (stockpile, provenance) -> t in stock when the branch begins, of one that begins within a year too
    last      position of the last period wanted; None: to the end of the horizon
    closed    (facility, first year of a period) -> share of own capacity that is closed; None: nothing is
    served    (country, sector, material, provenance, first year of a period) -> t/yr that the plan delivers, of which
              something may come back in the branch; only the periods before it count
    used      (material, country, provenance) -> t/yr that the plan uses and delivers when the branch begins, of which
              working stocks hold some weeks; None: nothing
    sent      (material, origin, destination, provenance) -> t/yr that the plan ships when the branch begins, and months
              under way; None: nothing is under way
    together  months of a year that are alike make one node, which stands for each of them: where no stock and nothing
              that comes back ties one month to another
    free      ``data`` has all starts of the horizon, with the limits on them; the caller fixes those that are decided
    """
    span = periods(instance)
    whole = ModelData()
    of_whole = lay_out_nodes(instance, span, whole)
    end = len(span) - 1 if last is None else last
    data = ModelData()
    window = disrupted_months(next(s for s in instance.scenarios if s.scenario == scenario))
    conditions: list[Conditions] = []
    was_struck = False
    for node, of_node in zip(whole.nodes, of_whole, strict=True):
        if node.branch != scenario or node.period > end:
            continue
        struck = overlap_share(months_of(span[node.period], node.month), window) > 0.0
        of_year = overlap_share(span[node.period].months, window) > 0.0
        before = data.nodes[-1] if data.nodes else None
        rules_hold, caps_hold = node.rules_hold and not struck, node.caps_hold and not of_year
        if together and before and node.month and (before.period, was_struck) == (node.period, struck):
            data.nodes[-1] = before._replace(
                length=before.length + node.length,
                weight=before.weight + node.present,
                present=before.present + node.present,
            )
            continue
        was_struck = struck
        data.nodes.append(
            node._replace(
                weight=node.present,
                previous=len(data.nodes) - 1 if data.nodes else None,
                leaves=None,
                rules_hold=rules_hold,
                caps_hold=caps_hold,
                floors_hold=False,
            )
        )
        conditions.append(of_node)
    decided = replace(instance, scenarios=())  # all courses share what is started
    investment.add(decided, span, horizon_end(instance), data)
    if free:
        data.starts |= {scenario: data.starts[PLAN]}
        sizes.add(decided, horizon_end(instance), data)
        groups.add(decided, data)
        funding.add(decided, data)
    else:
        data.build = [start for start in data.build if builds.get((start.option, start.year), 0.0) > 0.0]
        data.starts = {scenario: tuple(range(len(data.build)))}
        data.chosen, data.modules, data.groups, data.requires = [], [], [], []
    operations.add(instance, span, conditions, data, openings, closed or {}, served, used or {}, sent or {})
    blends.add(instance, data)
    data.own_fixed_om = 0.0
    caps.add(instance, span, data)
    return Prepared(instance, span, data, tuple(conditions))


@paused_garbage_collector()
def prepare_events(instance: Instance, events: Collection[str]) -> Prepared:
    """Return the data of the plan in a future in which scenarios happen, by the clock of years: one node per period.

    What a scenario disrupts acts for the share of the period in which it lasts, and lifts caps and clean-only rules in
    the periods that it touches. Floors and duties stay: the caller may let them be broken.

    events  the scenarios that happen; all others do not
    """
    span = periods(instance)
    certain = replace(instance, scenarios=())
    data = ModelData()
    lay_out_nodes(certain, span, data)
    conditions = []
    for n, node in enumerate(data.nodes):
        strikes = [
            Strike(s, rows, share := overlap_share(span[node.period].months, disrupted_months(s)), share > 0.0)
            for s in instance.scenarios
            if s.scenario in events
            if (rows := [row for row in instance.disruptions if row.scenario == s.scenario])
        ]
        struck = any(strike.over_period for strike in strikes)
        data.nodes[n] = node._replace(rules_hold=not struck, caps_hold=not struck)
        conditions.append(conditions_of(instance, strikes))
    investment.add(certain, span, horizon_end(instance), data)
    prepared = _completed(instance, certain, span, data, conditions)
    risk.add(certain, data)
    return prepared


@paused_garbage_collector()
def prepare_course(instance: Instance, scenario: str) -> Prepared:
    """Return the data of one course as if it were certain and known beforehand: with probability 1, all starts free.

    scenario  whose branch the course ends in; blank: nothing happens
    """
    span = periods(instance)
    whole = ModelData()
    of_whole = lay_out_nodes(instance, span, whole)
    path = course_of(whole.nodes, scenario)
    if instance.has_transit:  # what the course that is left ships goes on arriving: its node, which does not happen
        parents = {s.scenario: s.parent for s in instance.scenarios}
        sources = {left_node(whole.nodes, n, parents) for n, _ in path if whole.nodes[n].month is not None}
        path = sorted([*path, *((n, 0.0) for n in sources - {n for n, _ in path} if n is not None)])
    place = {n: k for k, (n, _) in enumerate(path)}
    data = ModelData()
    for n, share in path:
        node = whole.nodes[n]
        previous = None if node.previous is None else place[node.previous]
        leaves = None if node.leaves is None else place[node.leaves]
        data.nodes.append(node._replace(weight=node.present * share, previous=previous, leaves=leaves))
    conditions = [of_whole[n] for n, _ in path]
    certain = replace(instance, scenarios=())
    investment.add(certain, span, horizon_end(instance), data)
    data.starts |= dict.fromkeys((node.branch for node in data.nodes), data.starts[PLAN])
    return _completed(instance, certain, span, data, conditions)


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
    prepared = _completed(instance, instance, span, data, conditions, closed)
    risk.add(instance, data)
    return prepared


def _completed(
    instance: Instance,
    building: Instance,
    span: tuple[Period, ...],
    data: ModelData,
    conditions: Sequence[Conditions],
    closed: operations.Closed | None = None,
) -> Prepared:
    """Fill all but the nodes, the builds and the outcomes of ``data``; the arguments are as in `prepare`.

    building  the instance with the scenarios whose branches have starts of their own
    """
    sizes.add(building, horizon_end(building), data)
    groups.add(building, data)
    if closed is None:
        closing.add(instance, span, data)
    operations.add(instance, span, conditions, data, closed=closed)
    blends.add(instance, data)
    offtakes.add(instance, span, data)
    caps.add(instance, span, data)
    funding.add(building, data)
    return Prepared(instance, span, data, tuple(conditions))
