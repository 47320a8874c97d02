"""Finds what a row applies to: wildcards of lanes and tariffs, blocs of countries, targets of disruptions, groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from .instance import Instance
    from .tables import Disruption, Lane, Material

ANY = "*"


class Movement(Protocol):
    """A row of lanes.csv or tariffs.csv."""

    material: str
    origin: str
    destination: str
    first_year: int | None
    last_year: int | None


M = TypeVar("M", bound=Movement)


def valid_in(row: Movement, year: int) -> bool:
    """Return whether a lane or tariff holds in ``year`` (the first year of a period)."""
    return (row.first_year is None or row.first_year <= year) and (row.last_year is None or year <= row.last_year)


class MovementTable(Generic[M]):
    """The rows of lanes.csv or tariffs.csv that hold in one year; finds the row that applies to a movement.

    ``*`` matches anything. Among rows that match, an exact material counts first, then an exact origin, then an exact
    destination.
    """

    def __init__(self, rows: Iterable[M], year: int) -> None:
        self._rows = {(r.material, r.origin, r.destination): r for r in rows if valid_in(r, year)}

    def find(self, material: str, origin: str, destination: str) -> M | None:
        """Return the row that applies to a movement; None: no movement is allowed, or there is no tariff."""
        rows = self._rows
        for m in (material, ANY):
            for o in (origin, ANY):
                for d in (destination, ANY):
                    row = rows.get((m, o, d))
                    if row is not None:
                        return row
        return None

    def movements(self, materials: Iterable[str], countries: Iterable[str]) -> dict[tuple[str, str, str], M]:
        """Return (material, origin, destination) -> row that applies, for two different countries and all such rows."""
        # from the least to the most exact pattern, so that later rows overwrite earlier ones
        order = sorted(
            self._rows.values(),
            key=lambda r: (r.material != ANY, r.origin != ANY, r.destination != ANY),
        )
        all_materials, all_countries = list(materials), list(countries)
        known_materials, known_countries = set(all_materials), set(all_countries)
        result: dict[tuple[str, str, str], M] = {}
        for row in order:
            ms = all_materials if row.material == ANY else [row.material]
            origins = all_countries if row.origin == ANY else [row.origin]
            destinations = all_countries if row.destination == ANY else [row.destination]
            for m in ms:
                if m not in known_materials:
                    continue
                for o in origins:
                    if o not in known_countries:
                        continue
                    for d in destinations:
                        if d != o and d in known_countries:
                            result[m, o, d] = row
        return result


def members(instance: Instance, country_or_bloc: str) -> frozenset[str]:
    """Return the countries that the name of a country or bloc means; blank means every country."""
    if not country_or_bloc:
        return frozenset(c.country for c in instance.countries)
    return frozenset(c.country for c in instance.countries if c.country == country_or_bloc or c.bloc == country_or_bloc)


def strategic_materials(instance: Instance, stage: str) -> tuple[str, ...]:
    """Return the strategic materials of a stage: those that count in its shares."""
    return tuple(m.material for m in instance.materials if m.stage == stage and m.strategic)


def matches_material(row: Disruption, material: Material) -> bool:
    """Return whether a disruption's stage and material (blank: any) include ``material``."""
    return (not row.stage or row.stage == material.stage) and (not row.material or row.material == material.material)


def hit_facilities(instance: Instance, row: Disruption) -> frozenset[str]:
    """Return the facilities of the disruption's country and name that can make a material which it hits."""
    wanted = {m.material for m in instance.materials if matches_material(row, m)}
    makers = {r.process for r in instance.recipes if r.role == "output" and r.material in wanted}
    able = {o.facility for o in instance.operations if o.process in makers}
    places, named = members(instance, row.country), plants_of(instance, row.facility)
    return frozenset(f.facility for f in instance.facilities if f.facility in able & named and f.country in places)


def plants_of(instance: Instance, name: str) -> frozenset[str]:
    """Return the facilities that a name means: the one with that key, or else all of that owner; blank means all."""
    known = {f.facility: f.owner for f in instance.facilities}
    return frozenset({name} if name in known else (f for f, owner in known.items() if name in ("", owner)))


def options_of(instance: Instance, group: str) -> frozenset[str]:
    """Return the options of a group of groups.csv: those it names by key, and else all of the owners it names."""
    named = {row.option for row in instance.groups if row.group == group}
    owners = named - {o.option for o in instance.options}
    owned = {f.facility for f in instance.facilities if f.owner in owners}
    return frozenset(o.option for o in instance.options if o.option in named or o.facility in owned)


def hits(instance: Instance, row: Disruption) -> bool:
    """Return whether a disruption hits anything: a facility, option, demand, market or, as an export stop, a lane."""
    if row.kind in ("outage", "project_failure"):
        hit = hit_facilities(instance, row)
        return bool(hit) if row.kind == "outage" else any(o.facility in hit for o in instance.options)
    places = members(instance, row.country)
    materials = {m.material for m in instance.materials if matches_material(row, m)}
    if row.kind == "demand_surge":
        return any(d.country in places and row.material in ("", d.material) for d in instance.demand)
    if row.kind == "price_surge":
        return any(m.country in places and m.material in materials for m in instance.markets)
    wanted = {ANY, *materials}
    return any(
        lane.material in wanted
        and leads_out(instance, lane, places)
        and any(valid_in(lane, year) for year in instance.years)
        for lane in instance.lanes
    )


def leads_out(instance: Instance, lane: Lane, places: frozenset[str]) -> bool:
    """Return whether a lane allows a movement from one of the countries ``places`` to another country."""
    everywhere = members(instance, "")
    origins = places if lane.origin == ANY else places & {lane.origin}
    destinations = everywhere if lane.destination == ANY else {lane.destination}
    return bool(origins) and len(origins | destinations) > 1
