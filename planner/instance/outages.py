"""The outages that a plan must survive (``[security] survive``): which they are, and what each of them takes away.

An outage takes away everything of its target for whole periods. So it can be described in two ways that must agree: as
a scenario of probability 0 with service floors, and as plants that cannot run and exports that stop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from .tables import Disruption
from .timeline import YEAR, calendar_months, periods, undivided, year_and_month
from .wildcards import hit_facilities, hits, matches_material, members

if TYPE_CHECKING:
    from .instance import Instance
    from .settings import SurvivalRule

Floors = tuple[tuple[str, float], ...]  # (sector, share of its demand that must be served)


class Target(NamedTuple):
    """What is lost: a country or bloc, one stage in it, or a facility; blank fields do not restrict it."""

    country: str = ""
    stage: str = ""
    facility: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage that must be survived.

    kind         ``country``, ``stage``, ``facility`` or ``export_stop``
    name         of what is lost, as it is written in ``of``
    first, last  calendar years, both inclusive; whole periods
    window       calendar months in which it lasts; None: by the clock of years, all of them
    floors       the sectors that it must not hit, with the share of their demand that must be served
    rows         what it takes away, as rows of disruptions.csv
    """

    kind: str
    name: str
    first: int
    last: int
    window: range | None
    floors: Floors
    rows: tuple[Disruption, ...]

    def __str__(self) -> str:
        if self.window and len(self.window) != len(calendar_months(self.first, self.last)):
            when = f"{year_and_month(self.window.start)} to {year_and_month(self.window.stop - 1)}"
        else:
            when = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.kind} {self.name} {when}"

    @property
    def when(self) -> tuple[int, int, range | None]:
        """The years, and the months; outages of the same time share a model."""
        return self.first, self.last, self.window

    @property
    def timed(self) -> dict[str, int]:
        """The columns of scenarios.csv that say when it is."""
        if self.window is None:
            return {"first_year": self.first, "last_year": self.last}
        return {"first_year": self.first, "first_month": self.window.start % YEAR + 1, "months": len(self.window)}


class Lost(NamedTuple):
    """What an outage takes away: facilities that cannot run, and (material, country) whose exports stop."""

    facilities: frozenset[str]
    exports: frozenset[tuple[str, str]]


def targets(instance: Instance, kind: str) -> dict[str, Target]:
    """Return name -> target, for every name that ``of`` can have for a kind; a bloc is lost as a whole."""
    if kind == "facility":
        return {f.facility: Target(facility=f.facility) for f in instance.facilities}
    places = sorted({c.country for c in instance.countries} | {c.bloc for c in instance.countries if c.bloc})
    if kind == "stage":
        return {f"{place} {stage}": Target(place, stage) for place in places for stage in instance.stages}
    return {place: Target(place) for place in places}


def family(instance: Instance, kind: str) -> list[str]:
    """Return the names of a kind that are tried if ``of`` gives none.

    They are single countries (or stages in them) that make or sell something, or facilities that make something.
    """
    stage_of = {m.material: m.stage for m in instance.materials}
    facilities = {f.facility: f.country for f in instance.facilities}
    made = [(facilities[o.facility], r.material) for o in instance.operations for r in instance.recipes
            if r.process == o.process and r.role == "output"]  # fmt: skip
    sources = {*made, *((m.country, m.material) for m in instance.markets)}
    if kind == "facility":
        names = set(facilities)
    elif kind == "stage":
        names = {f"{country} {stage_of[material]}" for country, material in sources if stage_of[material]}
    else:
        names = {country for country, _ in sources}
    known = targets(instance, kind)
    return [name for name in sorted(names) if losses(instance, kind, known[name])]


def losses(instance: Instance, kind: str, target: Target) -> tuple[Disruption, ...]:
    """Return what is lost with a target as rows of disruptions.csv; empty if the target has nothing to lose."""
    kinds: tuple[Literal["outage", "export_stop"], ...] = ("outage", "export_stop")
    if kind in ("facility", "export_stop"):
        kinds = ("outage",) if kind == "facility" else ("export_stop",)
    rows = (
        Disruption(
            scenario="", kind=of_row, country=target.country, stage=target.stage, material="", facility=target.facility,
            fraction=1.0, note="",
        )
        for of_row in kinds
    )  # fmt: skip
    return tuple(row for row in rows if hits(instance, row))


def outages(instance: Instance) -> tuple[Outage, ...]:
    """Return all outages that must be survived; if several rules name the same one, the floors of all hold."""
    everyone = sorted({d.sector for d in instance.demand})
    floors: dict[tuple[str, str, int, int, range | None], dict[str, float]] = {}
    for rule in instance.survive:
        for name in rule.of or family(instance, rule.outage):
            asked = floors.setdefault((rule.outage, name, *rule.years, window_of(instance, rule)), {})
            for sector in rule.sectors or everyone:
                asked[sector] = max(rule.level, asked.get(sector, 0.0))
    known = {str(rule.outage): targets(instance, rule.outage) for rule in instance.survive}
    return tuple(
        Outage(*what, tuple(sorted(asked.items())), losses(instance, what[0], known[what[0]][what[1]]))
        for what, asked in floors.items()
    )


def window_of(instance: Instance, rule: SurvivalRule) -> range | None:
    """Return the calendar months of an outage, or None by the clock of years."""
    if rule.clock == "year" or undivided(periods(instance), *rule.years):
        return None
    whole = calendar_months(*rule.years)
    begin = whole.start + (rule.from_month or 1) - 1
    return range(begin, whole.stop if rule.months is None else begin + rule.months)


def lost(instance: Instance, outage: Outage) -> Lost:
    """Return what an outage takes away, from its rows alone (not through the conditions of a branch)."""
    facilities: frozenset[str] = frozenset()
    exports: set[tuple[str, str]] = set()
    for row in outage.rows:
        if row.kind == "outage":
            facilities |= hit_facilities(instance, row)
        else:
            places = members(instance, row.country)
            exports.update((m.material, c) for m in instance.materials if matches_material(row, m) for c in places)
    return Lost(facilities, frozenset(exports))


def as_scenarios(instance: Instance, chosen: Sequence[Outage], floors: bool = True) -> tuple[Instance, dict[str, int]]:
    """Return the instance with outages as scenarios of probability 0, and scenario -> position in ``chosen``.

    floors  whether the service floors must hold in these scenarios; False: they only show what happens
    """
    prefix = "outage"
    while any(s.scenario.startswith(prefix) for s in instance.scenarios):
        prefix += "_"
    names = {f"{prefix}-{k + 1:03d}": k for k in range(len(chosen))}
    rows: dict[str, list[Mapping[str, object]]] = {"scenarios": [], "disruptions": [], "branch_service": []}
    for scenario, k in names.items():
        outage = chosen[k]
        years = {"first_year": outage.first, "last_year": outage.last}
        rows["scenarios"].append({"scenario": scenario, "name": str(outage), "probability": 0.0, **outage.timed})
        for row in outage.rows:
            where = {"country": row.country, "stage": row.stage, "facility": row.facility}
            rows["disruptions"].append({"scenario": scenario, "kind": row.kind, **where, "fraction": row.fraction})
        for sector, level in outage.floors if floors else ():
            rows["branch_service"].append({"scenario": scenario, "sector": sector, "min_service": level, **years})
    filled = {table: listed for table, listed in rows.items() if listed}
    return instance.changed(rows=filled, settings={"survive": []}), names
