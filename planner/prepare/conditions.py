"""Nodes of the plan and of the branches, and what a disruption changes in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..instance.timeline import Period, overlap_share
from ..instance.wildcards import hit_facilities, matches_material, members
from ..models.data import PLAN, ModelData, Node

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Disruption, Option, Scenario

KILO = 1e-3  # t -> kt, USD/t -> MUSD/kt


@dataclass(slots=True)
class Conditions:
    """What differs from the undisturbed plan at a node; empty for the plan.

    capacity        facility -> factor on all its capacity
    failures        (facilities, first calendar year of being online, factor on such modules)
    demand, price   (country, material) or market -> factor
    export_limit    (material, country) -> kt/yr that may leave
    """

    capacity: dict[str, float] = field(default_factory=dict)
    failures: list[tuple[frozenset[str], int, float]] = field(default_factory=list)
    demand: dict[tuple[str, str], float] = field(default_factory=dict)
    price: dict[str, float] = field(default_factory=dict)
    export_limit: dict[tuple[str, str], float] = field(default_factory=dict)

    def module_factor(self, option: Option, start_year: int) -> float:
        """Share of the option's modules started in ``start_year`` that is delivered, 0..1."""
        factor = 1.0
        for facilities, first_year, delivered in self.failures:
            if option.facility in facilities and start_year + option.lead_years >= first_year:
                factor *= delivered
        return factor


def first_period(scenario: Scenario, span: Sequence[Period]) -> int:
    """Position of the period in which a scenario's branch begins."""
    return next(i for i, p in enumerate(span) if p.last_year >= scenario.first_year)


def lay_out_nodes(
    instance: Instance, span: Sequence[Period], data: ModelData, until: Mapping[str, int] | None = None
) -> list[Conditions]:
    """Fill ``data.nodes``: the plan's periods first, then each branch from its beginning to the horizon's end.

    until  scenario -> last calendar year of its branch that matters, for branches that need not be followed further
    """
    beginnings = {s.scenario: first_period(s, span) for s in instance.scenarios}
    conditions: list[Conditions] = []
    for t, period in enumerate(span):
        undisturbed = 1.0 - sum(s.probability for s in instance.scenarios if beginnings[s.scenario] <= t)
        data.nodes.append(
            Node(
                branch=PLAN,
                period=t,
                year=period.first_year,
                length=period.length,
                weight=period.discount * undisturbed,
                present=period.discount,
                previous=t - 1 if t else None,
                rules_hold=True,
            )
        )
        conditions.append(Conditions())
    for scenario in instance.scenarios:
        rows = [d for d in instance.disruptions if d.scenario == scenario.scenario]
        fails = any(d.kind == "project_failure" for d in rows)
        begin = beginnings[scenario.scenario]
        previous = begin - 1 if begin else None
        for t in range(begin, len(span)):
            period = span[t]
            if until is not None and period.first_year > until.get(scenario.scenario, period.last_year):
                break
            share = overlap_share(period, scenario.first_year, scenario.last_year)
            data.nodes.append(
                Node(
                    branch=scenario.scenario,
                    period=t,
                    year=period.first_year,
                    length=period.length,
                    weight=period.discount * scenario.probability,
                    present=period.discount,
                    previous=previous,
                    rules_hold=share == 0.0 and not fails,
                )
            )
            previous = len(data.nodes) - 1
            conditions.append(conditions_of(instance, scenario, rows, share))
    return conditions


def conditions_of(instance: Instance, scenario: Scenario, rows: Sequence[Disruption], share: float) -> Conditions:
    """What the disruptions of a scenario do in a period of which ``share`` lies in the scenario's years."""
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
    """The yearly exports left, kt per material and country: the least reference, cut by every matching row."""
    limits: dict[tuple[str, str], float] = {}
    places = {row: members(instance, row.country) for row in stops}
    for material in instance.materials:
        for country in instance.countries:
            matching = [r for r in stops if country.country in places[r] and matches_material(r, material)]
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
