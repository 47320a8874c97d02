"""Fills the nodes of the plan and of the branches, and works out what disruptions change at each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..instance.courses import left, lines, rebuilds
from ..instance.timeline import Period, branch_begin, branch_times, disrupted_months, months_of, overlap_share
from ..instance.wildcards import hit_facilities, matches_material, members
from ..models.data import ModelData, Node, Terms

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
    gone = sum(p * overlap_share(months, range(begin, max(begin, months.stop))) for p, begin in leaving)
    return left(probability, gone)


class Strike(NamedTuple):
    """What a scenario does at one node.

    scenario     it
    rows         its rows of disruptions.csv
    share        share of the node's time in which it disrupts, 0 to 1; project failures last beyond that
    over_period  whether it disrupts in some month of the node's period
    """

    scenario: Scenario
    rows: Sequence[Disruption]
    share: float
    over_period: bool

    def fails(self, rebuilds: bool) -> bool:
        """Return whether a project failure lifts rules for good: it does where the course may not build."""
        return not rebuilds and any(row.kind == "project_failure" for row in self.rows)


class _Stretch(NamedTuple):
    """A node on a course, and the calendar months for which the course runs through it.

    cut  whether the course leaves it before its end
    """

    node: int
    months: range
    cut: bool

    def until(self, month: int) -> _Stretch:
        """Return the part of it before a calendar month."""
        cut = self.cut or month < self.months.stop
        return self._replace(months=range(self.months.start, min(month, self.months.stop)), cut=cut)


def lay_out_nodes(
    instance: Instance, span: Sequence[Period], data: ModelData, until: Mapping[str, int] | None = None
) -> list[Conditions]:
    """Fill ``data.nodes``: first the plan's periods, then each branch from its beginning to the horizon's end.

    until  scenario -> last calendar year of its branch that matters; a scenario that is absent (or None for all) has a
           branch to the horizon's end
    Returns the conditions of each node, parallel to ``data.nodes``.
    """
    begins = {s.scenario: branch_begin(s, span) for s in instance.scenarios}
    rows = {s.scenario: [d for d in instance.disruptions if d.scenario == s.scenario] for s in instance.scenarios}
    windows = {s.scenario: disrupted_months(s) for s in instance.scenarios}
    paths: dict[str, list[_Stretch]] = {}
    conditions: list[Conditions] = []
    for branch, line in lines(instance.scenarios).items():
        probability = line[0].probability if line else 1.0
        leaving = [(s.probability, begins[s.scenario]) for s in instance.scenarios if s.parent == branch]
        before = paths[line[0].parent] if line else []
        path = [s.until(begins[branch]) for s in before if s.months.start < begins[branch]]
        for t, month in branch_times(line, span):
            period = span[t]
            if until is not None and period.first_year > until.get(branch, period.last_year):
                break
            months = months_of(period, month)
            part = len(months) / len(period.months)
            strikes = [
                Strike(
                    scenario,
                    rows[scenario.scenario],
                    overlap_share(months, windows[scenario.scenario]),
                    overlap_share(period.months, windows[scenario.scenario]) > 0.0,
                )
                for scenario in line
                if rows[scenario.scenario]
            ]
            fails = any(strike.fails(rebuilds(line)) for strike in strikes)
            whole = [stretch.node for stretch in path if not stretch.cut]
            data.nodes.append(
                Node(
                    branch=branch,
                    period=t,
                    year=period.first_year,
                    length=period.length * part,
                    weight=period.discount * part * staying(probability, leaving, months),
                    present=period.discount * part,
                    previous=whole[-1] if whole else None,
                    rules_hold=not fails and all(strike.share == 0.0 for strike in strikes),
                    caps_hold=not fails and not any(strike.over_period for strike in strikes),
                    floors_hold=not strikes,
                    month=month,
                    leaves=path[-1].node if path and path[-1].cut else None,
                )
            )
            path.append(_Stretch(len(data.nodes) - 1, months, cut=False))
            conditions.append(conditions_of(instance, strikes))
        paths[branch] = path
    return conditions


def course_of(nodes: Sequence[Node], branch: str) -> Terms:
    """Return the nodes of a course in order of time, each with the share of it that the course runs through."""
    at: int | None = max(n for n, node in enumerate(nodes) if node.branch == branch)
    path: Terms = []
    while at is not None:
        node = nodes[at]
        path.append((at, 1.0))
        if node.leaves is not None:
            path.append((node.leaves, node.gone))
        at = node.previous
    return path[::-1]


def left_node(nodes: Sequence[Node], n: int, parents: Mapping[str, str]) -> int | None:
    """Return the whole period, of the course that a branch leaves, in whose time the branch begins with node ``n``.

    parents  scenario -> the scenario whose branch it leaves; blank: the plan
    If that period is not among the nodes it is the one before; None: there is none.
    """
    node = nodes[n]
    if node.leaves is not None:
        return node.leaves
    course = parents.get(node.branch)
    while course is not None:
        of_course = [k for k, other in enumerate(nodes) if other.branch == course]
        if not course or (of_course and nodes[of_course[0]].period != node.period):
            return next((k for k in of_course if nodes[k].period == node.period), node.previous)
        course = parents.get(course)  # it begins together with the one that it leaves
    return node.previous


def conditions_of(instance: Instance, strikes: Sequence[Strike]) -> Conditions:
    """Return what the scenarios of a course do at one node, all together."""
    result = Conditions()
    for strike in strikes:
        _strike(instance, strike, result)
    stops = [(row, strike.share) for strike in strikes for row in strike.rows if row.kind == "export_stop"]
    result.export_limit = _export_limits(instance, [(row, share) for row, share in stops if share > 0.0])
    return result


def _strike(instance: Instance, strike: Strike, result: Conditions) -> None:
    """Add to ``result`` what one scenario does, but for export stops."""
    share = strike.share
    for row in strike.rows:
        if row.kind == "project_failure":
            result.failures.append((hit_facilities(instance, row), strike.scenario.first_year, 1.0 - row.fraction))
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
