"""Fills the nodes of the plan and of the branches, and works out what disruptions change at each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..instance.courses import branch_begin, branch_times, left, lines, rebuilds
from ..instance.timeline import Period, disrupted_months, months_of, overlap_share
from ..instance.wildcards import hit_facilities, matches_material, members
from ..models.data import ModelData, Node

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
    return left(
        probability,
        sum(p * overlap_share(months, range(begin, max(begin, months.stop))) for p, begin in leaving),
    )


class Strike(NamedTuple):
    """What a scenario does at one node.

    scenario  it
    rows      its rows of disruptions.csv
    share     share of the node's time in which the scenario disrupts, 0 to 1; project failures last beyond it
    year      the same of the node's whole period
    """

    scenario: Scenario
    rows: Sequence[Disruption]
    share: float
    year: float

    def lifts(self, rebuilds: bool, caps: bool) -> bool:
        """Return whether caps, or else clean-only rules, do not hold at the node.

        Caps are of the whole year, clean-only rules of the month. ``rebuilds``: the course may build.
        """
        fails = any(row.kind == "project_failure" for row in self.rows)
        return bool(self.rows) and ((self.year if caps else self.share) > 0.0 or (fails and not rebuilds))


def lay_out_nodes(
    instance: Instance, span: Sequence[Period], data: ModelData, until: Mapping[str, int] | None = None
) -> list[Conditions]:
    """Fill ``data.nodes`` and ``data.endings``: first the plan's periods, then each branch from its beginning on.

    until  scenario -> last calendar year of its branch that matters; a scenario that is absent (or None for all) has a
           branch to the horizon's end
    Returns the conditions of each node, parallel to ``data.nodes``.
    """
    scenarios = {s.scenario: s for s in instance.scenarios}
    begins = {name: branch_begin(s, span) for name, s in scenarios.items()}
    rows = {name: [d for d in instance.disruptions if d.scenario == name] for name in scenarios}
    at: dict[tuple[str, int, int | None], int] = {}  # course, position of a period, month -> node
    conditions: list[Conditions] = []
    for branch, line in lines(instance.scenarios).items():
        own = scenarios[branch].probability if branch else 1.0
        leaving = [(s.probability, begins[s.scenario]) for s in instance.scenarios if s.parent == branch]
        data.endings[branch] = left(own, sum(p for p, _ in leaving))
        followed = (branch, *(s.parent for s in line))
        for t, month in branch_times(line, span):
            period = span[t]
            if until is not None and period.first_year > until.get(branch, period.last_year):
                break
            months = months_of(period, month)
            part = len(months) / len(period.months)
            strikes = [
                Strike(s, rows[s.scenario], *(overlap_share(of, disrupted_months(s)) for of in (months, period.months)))
                for s in line
            ]
            previous, leaves = _before(at, followed, t, month)
            at[branch, t, month] = len(data.nodes)
            data.nodes.append(
                Node(
                    branch=branch,
                    period=t,
                    year=period.first_year,
                    length=period.length * part,
                    weight=period.discount * part * staying(own, leaving, months),
                    present=period.discount * part,
                    previous=previous,
                    rules_hold=not any(strike.lifts(rebuilds(line), caps=False) for strike in strikes),
                    caps_hold=not any(strike.lifts(rebuilds(line), caps=True) for strike in strikes),
                    floors_hold=not any(strike.rows for strike in strikes),
                    month=month,
                    leaves=leaves,
                )
            )
            conditions.append(conditions_of(instance, strikes))
    return conditions


def _before(
    at: Mapping[tuple[str, int, int | None], int], followed: Sequence[str], t: int, month: int | None
) -> tuple[int | None, int | None]:
    """Return the positions of the node before a new one, and of the one of its year that it leaves half-way.

    at        course, position of a period, month -> node, of those laid out so far
    followed  the course of the new node, the one which that leaves, and so on to the plan
    t, month  time of the new node
    """
    ends = (at.get((course, t - 1, last)) for course in followed for last in (12, None))
    end = next((n for n in ends if n is not None), None)
    if month in (None, 1):
        return end, None
    for course in followed:
        if (course, t, month - 1) in at:
            return at[course, t, month - 1], None
        if (course, t, None) in at:
            return end, at[course, t, None]
    return None, None


def conditions_of(instance: Instance, strikes: Sequence[Strike]) -> Conditions:
    """Return what the scenarios of a course do at one node, all together."""
    result = Conditions()
    for scenario, rows, share, _ in strikes:
        _strike(instance, scenario, rows, share, result)
    stops = [(row, strike.share) for strike in strikes for row in strike.rows if row.kind == "export_stop"]
    result.export_limit = _export_limits(instance, [(row, share) for row, share in stops if share > 0.0])
    return result


def _strike(
    instance: Instance, scenario: Scenario, rows: Sequence[Disruption], share: float, result: Conditions
) -> None:
    """Add to ``result`` what one scenario does, but for export stops; see `Strike`."""
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


def _export_limits(instance: Instance, stops: Sequence[tuple[Disruption, float]]) -> dict[tuple[str, str], float]:
    """Return (material, country) -> exports left, kt/yr: the least reference, cut by every row that matches.

    stops  rows of the kind export_stop, each with the share of the period in which it acts, above 0 to 1
    """
    limits: dict[tuple[str, str], float] = {}
    places = [(row, share, members(instance, row.country)) for row, share in stops]
    for material in instance.materials if stops else ():
        of_material = [(row, share, inside) for row, share, inside in places if matches_material(row, material)]
        for country in instance.countries:
            matching = [(row, share) for row, share, inside in of_material if country.country in inside]
            if not matching:
                continue
            passes = 1.0
            for row, share in matching:
                passes *= 1.0 - row.fraction * share
            references = [r.reference_t for r, _ in matching if r.reference_t is not None]
            # without a reference the fraction is 1 throughout (checked on reading), so nothing is left
            reference = min(references) if references else 0.0
            limits[material.material, country.country] = passes * reference * KILO
    return limits
