"""Fills the nodes of the plan and of the branches, and works out what disruptions change at each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..instance.timeline import Period, branch_begin, branch_times, disrupted_months, overlap_share
from ..instance.wildcards import hit_facilities, matches_material, members
from ..models.data import PLAN, ModelData, Node

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Disruption, Option, Scenario

KILO = 1e-3  # t -> kt, USD/t -> MUSD/kt


@dataclass(slots=True)
class Conditions:
    """How a node differs from the undisturbed plan; empty at the nodes of the plan. Absent keys: nothing changes.

    capacity      facility -> factor on all its capacity, 0 to 1
    failures      project failures: (facilities that are hit, first year online from which modules are hit, share of
                  such modules that is delivered)
    demand        (country, material) -> factor, 1 or more
    price         market -> factor, 1 or more
    export_limit  (material, country) -> kt/yr that may leave
    """

    capacity: dict[str, float] = field(default_factory=dict)
    failures: list[tuple[frozenset[str], int, float]] = field(default_factory=list)
    demand: dict[tuple[str, str], float] = field(default_factory=dict)
    price: dict[str, float] = field(default_factory=dict)
    export_limit: dict[tuple[str, str], float] = field(default_factory=dict)

    def module_factor(self, option: Option, start_year: int) -> float:
        """Return the share, 0 to 1, of the option's modules started in ``start_year`` that is delivered."""
        factor = 1.0
        for facilities, first_year, delivered in self.failures:
            if option.facility in facilities and start_year + option.lead_years >= first_year:
                factor *= delivered
        return factor


def staying(probability: float, leaving: Iterable[tuple[float, int]], months: range) -> float:
    """Return the probability that a course of events is still followed, as the mean over some months.

    probability  of the course, 0 to 1
    leaving      the branches that leave it: their probability, and the calendar month in which each begins
    months       the calendar months that are meant

    >>> staying(1.0, [(0.2, 12 * 2027 + 6)], range(12 * 2027, 12 * 2028))
    0.9
    """
    return probability - sum(p * overlap_share(months, range(begin, max(begin, months.stop))) for p, begin in leaving)


def lay_out_nodes(
    instance: Instance, span: Sequence[Period], data: ModelData, until: Mapping[str, int] | None = None
) -> list[Conditions]:
    """Fill ``data.nodes``: first the plan's periods, then each branch from its beginning to the horizon's end.

    until  scenario -> last calendar year of its branch that matters; a scenario that is absent (or None for all) has a
           branch to the horizon's end
    Returns the conditions of each node, parallel to ``data.nodes``.
    """
    leaving = [(s.probability, branch_begin(s, span)) for s in instance.scenarios]
    conditions: list[Conditions] = []
    for t, period in enumerate(span):
        data.nodes.append(
            Node(
                branch=PLAN,
                period=t,
                year=period.first_year,
                length=period.length,
                weight=period.discount * staying(1.0, leaving, period.months),
                present=period.discount,
                previous=t - 1 if t else None,
                rules_hold=True,
                caps_hold=True,
                floors_hold=True,
            )
        )
        conditions.append(Conditions())
    for scenario in instance.scenarios:
        rows = [d for d in instance.disruptions if d.scenario == scenario.scenario]
        fails = any(d.kind == "project_failure" for d in rows)
        window = disrupted_months(scenario)
        previous: int | None = None
        for place, (t, month) in enumerate(branch_times(scenario, span)):
            period = span[t]
            if until is not None and period.first_year > until.get(scenario.scenario, period.last_year):
                break
            months = period.months if month is None else period.months[month - 1 : month]
            part = len(months) / len(period.months)
            share = overlap_share(months, window)
            first = place == 0
            data.nodes.append(
                Node(
                    branch=scenario.scenario,
                    period=t,
                    year=period.first_year,
                    length=period.length * part,
                    weight=period.discount * part * staying(scenario.probability, (), months),
                    present=period.discount * part,
                    previous=previous if not first else t - 1 if t else None,
                    rules_hold=share == 0.0 and not fails,
                    caps_hold=overlap_share(period.months, window) == 0.0 and not fails,
                    floors_hold=not rows,
                    month=month,
                    leaves=t if first and month not in (None, 1) else None,
                )
            )
            previous = len(data.nodes) - 1
            conditions.append(conditions_of(instance, scenario, rows, share))
    return conditions


def conditions_of(instance: Instance, scenario: Scenario, rows: Sequence[Disruption], share: float) -> Conditions:
    """Return what the disruptions of a scenario do at one node.

    rows   the scenario's rows of disruptions.csv
    share  share of the node's time in which the scenario disrupts, 0 to 1; project failures last beyond them
    """
    result = Conditions()
    for row in rows:
        if row.kind == "project_failure":
            result.failures.append((hit_facilities(instance, row), scenario.first_year, 1.0 - row.fraction))
        elif share == 0.0:
            continue
        elif row.kind == "outage":
            for facility in hit_facilities(instance, row):
                result.capacity[facility] = result.capacity.get(facility, 1.0) * (1.0 - row.fraction * share)
        elif row.kind == "demand_surge":
            places = members(instance, row.country)
            for place, material in {(d.country, d.material) for d in instance.demand}:
                if place in places and row.material in ("", material):
                    key = (place, material)
                    result.demand[key] = result.demand.get(key, 1.0) * (1.0 + row.fraction * share)
        elif row.kind == "price_surge":
            places = members(instance, row.country)
            hit = {m.material for m in instance.materials if matches_material(row, m)}
            for market in instance.markets:
                if market.country in places and market.material in hit:
                    factor = result.price.get(market.market, 1.0) * (1.0 + row.fraction * share)
                    result.price[market.market] = factor
    stops = [row for row in rows if row.kind == "export_stop"]
    if share > 0.0 and stops:
        result.export_limit = _export_limits(instance, stops, share)
    return result


def _export_limits(instance: Instance, stops: Sequence[Disruption], share: float) -> dict[tuple[str, str], float]:
    """Return (material, country) -> exports left, kt/yr: the least reference, cut by every row that matches.

    stops  rows of the kind export_stop
    """
    limits: dict[tuple[str, str], float] = {}
    places = [(row, members(instance, row.country)) for row in stops]
    for material in instance.materials:
        of_material = [(row, inside) for row, inside in places if matches_material(row, material)]
        for country in instance.countries:
            matching = [row for row, inside in of_material if country.country in inside]
            if not matching:
                continue
            left = 1.0
            for row in matching:
                left *= 1.0 - row.fraction * share
            references = [r.reference_t for r in matching if r.reference_t is not None]
            # without a reference the fraction is 1 throughout (checked on reading), so nothing is left
            reference = min(references) if references else 0.0
            limits[material.material, country.country] = left * reference * KILO
    return limits
