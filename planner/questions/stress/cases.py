"""The disruptions to try on a plan: every country, stage of a country, plant and traded material, the scenarios.

A case is written as rows of disruptions.csv, so that what it means is said by the contract and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...errors import UsageError, hinted
from ...instance.tables import Disruption, Scenario
from ...instance.timeline import horizon_end, overlap_share, periods
from ...instance.wildcards import MovementTable, hit_facilities, members

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from .planned import Planned

FAMILIES = ("country", "stage", "facility", "material", "scenario")
SCENARIO = "stress"  # the name under which a case becomes a scenario of an instance
STOP, OUTAGE, OWN, TOGETHER, NOTHING = "export_stop", "outage", "scenario", "together", "none"


@dataclass(frozen=True, slots=True)
class Blow:
    """When a disruption comes and how hard: ``months`` in one year, or whole ``years``.

    severity  part that is lost while it lasts, above 0, up to 1
    year      first calendar year
    """

    severity: float
    year: int
    years: int = 1
    months: int | None = None

    @property
    def last(self) -> int:
        """Last calendar year."""
        return self.year + self.years - 1

    @property
    def lasts(self) -> int:
        """Its length in months."""
        return 12 * self.years if self.months is None else self.months

    @property
    def fraction(self) -> float:
        """Part lost over its calendar years: m months of a year count as m / 12 of it."""
        return self.severity * (1.0 if self.months is None else self.months / 12.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One disruption.

    name     what is lost, such as ``export_stop:CHN``, ``export_stop:CHN/separation`` (a stage),
             ``export_stop:CHN:mag_sh`` (a material), ``outage:mountain-pass``, ``scenario:embargo``
    kind     ``export_stop``, ``outage``, ``scenario``, ``together`` (several at once) or ``none``
    family   one of FAMILIES; blank for ``together`` and ``none``
    first, last  calendar years, both inclusive
    months   how long it lasts
    rows     the case as rows of disruptions.csv
    """

    name: str
    kind: str
    family: str
    severity: float
    first: int
    last: int
    months: int
    rows: tuple[Disruption, ...]
    country: str = ""
    stage: str = ""
    material: str = ""
    facility: str = ""

    @property
    def key(self) -> tuple[str, str, int, int, int, float]:
        """Tells the cases of a study apart."""
        return self.family, self.name, self.first, self.last, self.months, self.severity

    @property
    def when(self) -> tuple[int, int, int, float]:
        """When it comes and how hard: the same for all cases of a blow."""
        return self.first, self.last, self.months, self.severity

    @property
    def names(self) -> set[str]:
        """By which a user may ask for it."""
        return {self.name, self.country, self.stage, self.material, self.facility, self.own_scenario} - {""}

    @property
    def own_scenario(self) -> str:
        """The scenario of the instance that the case is, if it is one."""
        return self.name.partition(":")[2] if self.kind == OWN else ""

    @property
    def fails(self) -> bool:
        """Whether projects fail, which lasts to the end of the horizon."""
        return any(row.kind == "project_failure" for row in self.rows)


def with_case(instance: Instance, case: Case, probability: float = 1.0) -> Instance:
    """The instance with the case as its only scenario. Its rows are known to be good, so they are not checked again.

    probability  of the scenario; 1: as if it were certain, which a plan cannot be made for, but a branch can
    """
    name = case.own_scenario or SCENARIO
    scenario = Scenario(
        scenario=name, name=name, probability=probability, first_year=case.first, last_year=case.last, note=""
    )
    return replace(
        instance,
        scenarios=(scenario,),
        disruptions=tuple(row.model_copy(update={"scenario": name}) for row in case.rows),
        branch_service=tuple(row for row in instance.branch_service if row.scenario == case.own_scenario),
        warnings=(),
        path=None,
        _content=None,
    )


def cases(
    instance: Instance, planned: Planned, families: Collection[str], blows: Sequence[Blow], only: Collection[str] = ()
) -> list[Case]:
    """Every case of the families for each blow, and ``none``, in which nothing is lost; scenarios come once.

    only  names of cases, countries, blocs, stages, materials, facilities or scenarios; empty: all
    Raises UsageError on unknown families and names, and on blows outside the horizon.
    """
    for family in families:
        if family not in FAMILIES:
            raise UsageError(
                hinted(f'unknown family "{family}": expected some of {", ".join(FAMILIES)}', family, FAMILIES)
            )
    found: list[Case] = []
    all_blocs = {c.bloc for c in instance.countries if c.bloc}
    blocs = [name for name in dict.fromkeys(only) if name in all_blocs]
    for blow in blows:
        _check_blow(instance, blow)
        found.append(_nothing(blow))
        lister = _Lister(instance, planned, blow)
        for family in families:
            if family != "scenario":
                found += lister.of_family(family, blocs)
    if "scenario" in families:
        found += _scenarios(instance)
    _check_names(found, only)
    wanted = set(only)
    return [c for c in found if not wanted or c.kind == NOTHING or wanted & c.names]


def together(parts: Sequence[Case]) -> Case:
    """Several cases of one blow at once."""
    one = parts[0]
    return Case(
        name=" + ".join(sorted(p.name for p in parts)),
        kind=TOGETHER,
        family="",
        severity=one.severity,
        first=one.first,
        last=one.last,
        months=one.months,
        rows=tuple(row for p in parts for row in p.rows),
    )


def _check_blow(instance: Instance, blow: Blow) -> None:
    first, last = instance.years[0], horizon_end(instance)
    if not 0.0 < blow.severity <= 1.0:
        raise UsageError(f"severity = {blow.severity:g}: expected a part above 0, up to 1")
    if not first <= blow.year <= last:
        raise UsageError(f"year = {blow.year}: expected a year of the horizon, {first} to {last}")
    if blow.years < 1:
        raise UsageError(f"years = {blow.years}: expected 1 or more")
    if blow.months is not None and not (1 <= blow.months <= 12 and blow.years == 1):
        raise UsageError(f"months = {blow.months}: expected 1 to 12 in one year; longer disruptions take whole years")


def _check_names(found: Sequence[Case], only: Collection[str]) -> None:
    known = set().union(*(case.names for case in found))
    for name in only:
        if name not in known:
            what = f'no case "{name}": nothing of that name is run, sold or exported then'
            raise UsageError(hinted(what, name, known))


class _Lister:
    """Lists the cases of one blow, from what the plan runs, sells and exports in the periods of the blow."""

    def __init__(self, instance: Instance, planned: Planned, blow: Blow) -> None:
        self.instance, self.planned, self.blow = instance, planned, blow
        self.years = [p.first_year for p in periods(instance) if overlap_share(p, blow.year, blow.last) > 0.0]
        self.running = {
            f.facility for f in instance.facilities if any(planned.capacity(f.facility, y) > 0.0 for y in self.years)
        }
        self.sold = self._sold()
        self.leaving = self._leaving()

    def of_family(self, family: str, blocs: Sequence[str]) -> Iterator[Case]:
        places = [*sorted(self.sold), *blocs]
        if family == "facility":
            for facility in sorted(self.running):
                yield from self._outage(facility, facility=facility)
        elif family == "material":
            for material, country in sorted(self.planned.exporting(self.years)):
                yield from self._stop(f"{country}:{material}", country, material=material)
        elif family == "country":
            for place in places:
                yield from self._stop(place, place)
                yield from self._outage(place, country=place)
        else:
            for place in places:
                for stage in self.instance.stages:
                    yield from self._stop(f"{place}/{stage}", place, stage=stage)
                    yield from self._outage(f"{place}/{stage}", country=place, stage=stage)

    def _sold(self) -> dict[str, set[str]]:
        """Country -> materials that are made or sold there."""
        made: dict[str, set[str]] = defaultdict(set)
        for r in self.instance.recipes:
            if r.role == "output":
                made[r.process].add(r.material)
        country_of = {f.facility: f.country for f in self.instance.facilities}
        sold: dict[str, set[str]] = defaultdict(set)
        for o in self.instance.operations:
            if o.facility in self.running:
                sold[country_of[o.facility]] |= made[o.process]
        for market in self.instance.markets:
            sold[market.country].add(market.material)
        return sold

    def _leaving(self) -> set[tuple[str, str]]:
        """(material, country) with a lane out in some period of the blow."""
        materials = [m.material for m in self.instance.materials]
        countries = [c.country for c in self.instance.countries]
        return {
            (material, origin)
            for year in self.years
            for material, origin, _ in MovementTable(self.instance.lanes, year).movements(materials, countries)
        }

    def _case(self, kind: str, target: str, rows: Sequence[Disruption], **where: str) -> Case:
        blow = self.blow
        family = next((f for f in ("facility", "material", "stage") if where.get(f)), "country")
        return Case(
            f"{kind}:{target}", kind, family, blow.severity, blow.year, blow.last, blow.lasts, tuple(rows), **where
        )

    def _outage(self, target: str, country: str = "", stage: str = "", facility: str = "") -> Iterator[Case]:
        where = {"country": country, "stage": stage, "facility": facility}
        outage = disruption(OUTAGE, self.blow.fraction, **where)
        if hit_facilities(self.instance, outage) & self.running:
            yield self._case(OUTAGE, target, [outage], **where)

    def _stop(self, target: str, place: str, stage: str = "", material: str = "") -> Iterator[Case]:
        """One row for each material and country, since each has its own undisturbed exports to be measured on."""
        rows = []
        for country in sorted(members(self.instance, place)):
            for m in self.instance.materials:
                if (m.material, country) not in self.leaving or m.material not in self.sold.get(country, ()):
                    continue
                if stage in ("", m.stage) and material in ("", m.material):
                    exports = self.planned.exports(m.material, country, self.years[0])
                    stop = disruption(
                        STOP, self.blow.fraction, country=country, material=m.material, reference_t=exports
                    )
                    rows.append(stop)
        if rows:
            yield self._case(STOP, target, rows, country=place, stage=stage, material=material)


def _nothing(blow: Blow) -> Case:
    return Case(NOTHING, NOTHING, "", blow.severity, blow.year, blow.last, blow.lasts, ())


def _scenarios(instance: Instance) -> Iterator[Case]:
    for s in instance.scenarios:
        rows = tuple(d for d in instance.disruptions if d.scenario == s.scenario)
        months = 12 * (s.last_year - s.first_year + 1)
        yield Case(f"{OWN}:{s.scenario}", OWN, "scenario", 1.0, s.first_year, s.last_year, months, rows)


def disruption(kind: Any, fraction: float, scenario: str = SCENARIO, **what: Any) -> Disruption:
    """A row of disruptions.csv; ``what`` it hits are further columns of it."""
    return Disruption(scenario=scenario, kind=kind, fraction=fraction, note="", **what)
