"""Rules on reachability: what is needed must be obtainable and transportable, in whatever quantity and year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ...errors import Issue
from ..tables import Operation
from ..timeline import start_years
from ..wildcards import ANY, members, valid_in
from .registry import SETTINGS, Draft, check

Place = tuple[str, str]  # material, country


class _Reach:
    """The places where materials can ever be, and the operations that can ever run.

    inputs, outputs  process -> its materials
    present          (material, country) pairs: the material can be in the country
    usable           facilities that can have capacity in some period
    running          (facility, process) of the operations whose inputs can all be present
    """

    def __init__(self, draft: Draft) -> None:
        instance = draft.instance
        self._country = {f.facility: f.country for f in instance.facilities}
        self.inputs: defaultdict[str, list[str]] = defaultdict(list)
        self.outputs: defaultdict[str, list[str]] = defaultdict(list)
        for recipe in instance.recipes:
            (self.inputs if recipe.role == "input" else self.outputs)[recipe.process].append(recipe.material)
        self._all = [c.country for c in instance.countries]
        self._lanes = _destinations(draft)
        self.present: set[Place] = {(s.material, s.country) for s in instance.stockpiles if s.initial_t > 0}
        self._sent: set[Place] = set()
        for market in instance.markets:
            self._supply(market.material, market.country)
        self.usable = _usable(draft)
        self.running: set[tuple[str, str]] = set()
        waiting = [o for o in instance.operations if o.facility in self.usable]
        back = _come_back(draft)
        while True:
            fed = [o for o in waiting if not self.lacking(o)]
            came = [(delivered, returned) for delivered, returned in back if delivered in self.present]
            back = [pair for pair in back if pair not in came]
            if not fed and not came:
                break
            for _, returned in came:
                self._supply(*returned)
            for operation in fed:
                self.running.add((operation.facility, operation.process))
                for material in self.outputs[operation.process]:
                    self._supply(material, self._country[operation.facility])
            waiting = [o for o in waiting if (o.facility, o.process) not in self.running]

    def lacking(self, operation: Operation) -> list[str]:
        """Return the inputs of an operation that can never be where it runs."""
        country = self._country[operation.facility]
        return [m for m in self.inputs[operation.process] if (m, country) not in self.present]

    def _supply(self, material: str, country: str) -> None:
        """Add a material that is made or sold in a country, and all countries to which it can be sent from there."""
        if (material, country) in self._sent:
            return
        self._sent.add((material, country))
        self.present.add((material, country))
        for m in (material, ANY):
            for origin in (country, ANY):
                for destination in self._lanes.get((m, origin), ()):
                    for place in self._all if destination == ANY else (destination,):
                        self.present.add((material, place))


def _come_back(draft: Draft) -> list[tuple[Place, Place]]:
    """Return where something is asked for that comes back, and what it comes back as there."""
    instance = draft.instance
    asked = {(d.country, d.sector, d.material) for d in instance.demand if d.demand_t > 0}
    return sorted(
        {
            ((material, country), (row.returned, country))
            for row in instance.returns
            for country, sector, material in asked
            if material == row.material and row.sector in ("", sector) and country in members(instance, row.country)
        }
    )


def _destinations(draft: Draft) -> dict[tuple[str, str], set[str]]:
    """Map (material, origin), as written, to the destinations of the lanes that hold in some period."""
    lanes: dict[tuple[str, str], set[str]] = {}
    for lane in draft.instance.lanes:
        windowed = lane.first_year is not None or lane.last_year is not None
        if lane.max_t == 0 or (windowed and not any(valid_in(lane, y) for y in draft.instance.years)):
            continue
        lanes.setdefault((lane.material, lane.origin), set()).add(lane.destination)
    return lanes


def _usable(draft: Draft) -> set[str]:
    """Return the facilities that can have capacity in some period."""
    instance = draft.instance
    usable = {f.facility for f in instance.facilities if any(draft.has_capacity(f, period) for period in draft.periods)}
    usable |= {o.facility for o in instance.options if not o.stockpile and start_years(o, instance.years, draft.last)}
    return usable


@check("W526", "processes", SETTINGS)
def somebody_can_feed_it(draft: Draft) -> Iterable[Issue]:
    """The inputs of a process should be obtainable in the country where it is run."""
    reach = _Reach(draft)
    running = {process for _, process in reach.running}
    processes = {p.process: p for p in draft.instance.processes}
    reported = set()
    for row in draft.instance.operations:
        if row.facility not in reach.usable or (row.facility, row.process) in reach.running:
            continue
        lacking = ", ".join(reach.lacking(row))
        if row.process in running:
            yield draft.at(row, "process", f"can never be fed here: no {lacking}")
        elif row.process not in reported:
            reported.add(row.process)
            yield draft.at(processes[row.process], "process", f"nobody can ever feed it: no {lacking}")


@check("W527", "demand", SETTINGS)
def can_be_reached(draft: Draft) -> Iterable[Issue]:
    """The material of a demand should be obtainable in the country of the demand."""
    reach = _Reach(draft)
    reported = set()
    for row in draft.instance.demand:
        place = (row.material, row.country)
        if row.demand_t > 0 and place not in reach.present and place not in reported:
            reported.add(place)
            expected = f"can never be made in, bought in or brought to {row.country}, so the demand is always short"
            yield draft.at(row, "material", expected)


@check("W591", "buyers", SETTINGS)
def can_be_sold(draft: Draft) -> Iterable[Issue]:
    """What a buyer buys should be obtainable in its country."""
    reach = _Reach(draft)
    for row in draft.instance.buyers:
        if (row.material, row.country) not in reach.present:
            yield draft.at(row, "material", f"can never be made in, bought in or brought to {row.country}")


@check("W571", "substitutes", "demand", SETTINGS)
def can_be_replaced(draft: Draft) -> Iterable[Issue]:
    """The material of a substitute should be obtainable in a country where it can replace something."""
    reach = _Reach(draft)
    for row in draft.instance.substitutes:
        places = members(draft.instance, row.country)
        asked = {d.country for d in draft.instance.demand if d.material == row.material and d.country in places}
        if row.replaced_by and asked and not any((row.replaced_by, country) in reach.present for country in asked):
            yield draft.at(row, "replaced_by", "can never be made in, bought in or brought to where it is asked for")
