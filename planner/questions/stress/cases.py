"""The cases to try on a plan: disruptions of every country, stage of a country, plant and traded material.

A case is written as rows of disruptions.csv, so that the format of that table alone defines what it means. The
scenarios of the instance are cases too. A *shock* says when a disruption comes, how long it lasts and how hard it is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...errors import UsageError, hinted, idle
from ...instance.tables import Disruption, Scenario
from ...instance.timeline import YEAR, calendar_months, disrupted_months, horizon_end, overlap_share, periods, undivided
from ...instance.wildcards import MovementTable, hit_facilities, members

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from .planned import Planned

FAMILIES = ("country", "stage", "facility", "material", "scenario")
OWNER = "owner"  # tried if it is asked for, or if an owner is among the names asked for
SCENARIO = "stress"  # the name under which a case becomes a scenario of an instance
STOP, OUTAGE, OWN, TOGETHER, NOTHING = "export_stop", "outage", "scenario", "together", "none"


@dataclass(frozen=True, slots=True)
class Shock:
    """When a disruption begins, how long it lasts and how hard it is.

    severity    share that is lost while it lasts, above 0, up to 1
    year        first calendar year
    years       how many whole calendar years it lasts
    months      it lasts so many months instead; None: it lasts ``years``
    from_month  month of ``year`` in which it begins, 1 to 12: its clock is the month; 0: the year, and m months are a
                part m / 12 of ``year``
    wait        weeks at its beginning in which all is lost, until licences are given; by the clock of months only
    """

    severity: float
    year: int
    years: int = 1
    months: int | None = None
    from_month: int = 0
    wait: float = 0.0

    @property
    def last(self) -> int:
        """Last calendar year."""
        if self.from_month:
            return self.year + (self.from_month + self.lasts - 2) // 12
        return self.year + self.years - 1

    @property
    def lasts(self) -> int:
        """The length of the disruption in months."""
        return 12 * self.years if self.months is None else self.months

    @property
    def fraction(self) -> float:
        """The share lost while it acts: by the clock of years the mean over its calendar years."""
        return self.severity * (1.0 if self.months is None or self.from_month else self.months / 12.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One disruption to try on a plan.

    name     what is lost, such as ``export_stop:CHN``, ``export_stop:CHN/separation`` (a stage),
             ``export_stop:CHN:mag_sh`` (a material), ``outage:mountain-pass``, ``scenario:embargo``
    kind     ``export_stop``, ``outage``, ``scenario``, ``together`` (several at once) or ``none``
    family   one of FAMILIES, or OWNER; blank for ``together`` and ``none``
    severity  share that is lost while it lasts, above 0, up to 1
    first, last  calendar years, both inclusive
    months   how long it lasts
    from_month  month of ``first`` in which it begins, 1 to 12; 0: its clock is the year
    rows     the case as rows of disruptions.csv
    country, stage, material, facility  what the case is about; blank where it is about no single one
    wait     weeks at its beginning in which all is lost
    after    years from the blow on after which something else may be started, if the best answer is asked for; None:
             all starts are held to the plan
    """

    name: str
    kind: str
    family: str
    severity: float
    first: int
    last: int
    months: int
    from_month: int
    rows: tuple[Disruption, ...]
    country: str = ""
    stage: str = ""
    material: str = ""
    facility: str = ""
    wait: float = 0.0
    after: int | None = None

    @property
    def key(self) -> tuple[str, str, int, int, int, int, float]:
        """Identifies the case within a study."""
        return self.family, self.name, *self.when

    @property
    def when(self) -> tuple[int, int, int, int, float]:
        """First and last calendar year, months, first month and severity: the same for all cases of one shock."""
        return self.first, self.last, self.months, self.from_month, self.severity

    @property
    def window(self) -> range:
        """The calendar months in which it acts; see `planner.instance.timeline.calendar_months`."""
        if not self.from_month:
            return calendar_months(self.first, self.last)
        begin = YEAR * self.first + self.from_month - 1
        return range(begin, begin + self.months)

    @property
    def names(self) -> set[str]:
        """The names by which a user may ask for this case."""
        owner = self.name.partition(":")[2] if self.family == OWNER else ""
        return {self.name, self.country, self.stage, self.material, self.facility, self.own_scenario, owner} - {""}

    @property
    def own_scenario(self) -> str:
        """The name of the instance's scenario that this case stands for; "" for any other case."""
        return self.name.partition(":")[2] if self.kind == OWN else ""

    @property
    def fails(self) -> bool:
        """Whether the case makes projects fail; such a failure lasts to the end of the horizon."""
        return any(row.kind == "project_failure" for row in self.rows)


def with_case(instance: Instance, case: Case, probability: float = 1.0) -> Instance:
    """Return the instance with the case as its only scenario; its rows are known to be valid and not checked again.

    A wait makes further scenarios, from whose branch that of the case descends: the whole months of it, and the month
    in which it ends, as far as it reaches.

    probability  of the scenario. The value 1 is not allowed in an instance for which a plan is made; here only the
                 operations after the shock (the branch of the scenario) are solved, for which it is correct
    """
    name = case.own_scenario or SCENARIO
    scenario = Scenario(
        scenario=name, name=name, probability=probability, first_year=case.first, note="",
        last_year=None if case.from_month else case.last, first_month=case.from_month or None,
        months=case.months if case.from_month else None,
    )  # fmt: skip
    rows = [row.model_copy(update={"scenario": name}) for row in case.rows]
    scenarios = [scenario]
    months = min(case.wait * 7 * YEAR / 365, case.months)
    for first, lasts, part in ((0, int(months), 1.0), (int(months), 1, months % 1.0)):
        if lasts and part > 0.0:
            begin, before = case.window.start + first, f"{name}-wait-{first}"
            when = {"first_year": begin // YEAR, "first_month": begin % YEAR + 1, "months": lasts}
            scenarios[-1] = scenarios[-1].model_copy(update={"parent": before})
            scenarios.append(scenario.model_copy(update={**when, "scenario": before, "name": before}))
            rows += [row.model_copy(update={"scenario": before, "fraction": part}) for row in case.rows]
    return replace(
        instance,
        scenarios=tuple(scenarios),
        disruptions=tuple(rows),
        branch_service=tuple(row for row in instance.branch_service if row.scenario == case.own_scenario),
        _suspicions=None,
        path=None,
        _content=None,
    )


def cases(
    instance: Instance, planned: Planned, families: Collection[str], shocks: Sequence[Shock], only: Collection[str] = ()
) -> list[Case]:
    """Return every case of the families for each shock, and for each shock the case ``none``, which disrupts nothing.

    The scenarios of the instance have years of their own, so each of them is returned once.

    planned   the plan that is disrupted: only what it runs, sells or exports can be lost
    families  some of FAMILIES, or OWNER: all plants of an owner
    only  names of cases, countries, blocs, stages, materials, facilities, owners or scenarios; empty: all

    Raises UsageError on unknown families and names, and on shocks outside the horizon.
    """
    for family in families:
        if family not in (known := (*FAMILIES, OWNER)):
            raise UsageError(hinted(f'unknown family "{family}": expected some of {", ".join(known)}', family, known))
    listed: list[Case] = []
    if OWNER not in families and not set(only).isdisjoint(_owners(instance)):
        families = (*families, OWNER)
    all_blocs = {c.bloc for c in instance.countries if c.bloc}
    blocs = [name for name in dict.fromkeys(only) if name in all_blocs]
    for shock in shocks:
        _check_shock(instance, shock)
        listed.append(_nothing(shock))
        case_list = _CaseList(instance, planned, shock)
        for family in families:
            if family != "scenario":
                listed += case_list.of_family(family, blocs)
    if "scenario" in families:
        listed += _scenarios(instance)
    _check_names(listed, only)
    wanted = set(only)
    return [c for c in listed if not wanted or c.kind == NOTHING or wanted & c.names]


def together(parts: Sequence[Case]) -> Case:
    """Return the case in which several cases of the same shock happen at once."""
    one = parts[0]
    return Case(
        name=" + ".join(sorted(p.name for p in parts)),
        kind=TOGETHER,
        family="",
        severity=one.severity,
        first=one.first,
        last=one.last,
        months=one.months,
        from_month=one.from_month,
        rows=tuple(row for p in parts for row in p.rows),
        wait=one.wait,
    )


def _check_shock(instance: Instance, shock: Shock) -> None:
    """Raise UsageError if a shock lies outside the horizon or has an impossible length or severity."""
    first, last = instance.years[0], horizon_end(instance)
    if not 0.0 < shock.severity <= 1.0:
        raise UsageError(f"severity = {shock.severity:g}: expected a part above 0, up to 1")
    if not first <= shock.year <= last:
        raise UsageError(f"year = {shock.year}: expected a year of the horizon, {first} to {last}")
    if shock.years < 1:
        raise UsageError(f"years = {shock.years}: expected 1 or more")
    if not 0.0 <= shock.wait < math.inf:
        raise UsageError(f"wait = {shock.wait:g}: expected weeks, 0 or more")
    if shock.wait and not shock.from_month:
        raise UsageError("a wait of some weeks needs the clock of months")
    if shock.months is None:
        return
    if shock.from_month and not (shock.months >= 1 and shock.years == 1):
        raise UsageError(f"months = {shock.months}: expected 1 or more, instead of years")
    if not shock.from_month and not (1 <= shock.months <= 12 and shock.years == 1):
        raise UsageError(
            f"months = {shock.months}: expected 1 to 12 in one year; by the clock of years longer disruptions take "
            f"whole years"
        )


def clock_of(instance: Instance, clock: str | None, from_month: int | None, shocks: Sequence[Shock]) -> list[Shock]:
    """Return the shocks by the clock that is asked for: of months where periods allow it, or of years.

    clock       ``month``, ``year``, or None: months if all periods that a shock touches, and the one after, are of one
                year
    from_month  month in which they begin, 1 to 12; None: January

    Raises UsageError if the clock or the month cannot be.
    """
    if clock not in (None, "month", "year"):
        raise UsageError(hinted(f'unknown clock "{clock}": expected month or year', str(clock), ("month", "year")))
    if from_month is not None and not 1 <= from_month <= YEAR:
        raise UsageError(f"from_month = {from_month}: expected 1 to 12")
    if clock == "year":
        if from_month is not None:
            raise idle(["from_month"], "by the clock of years")
        return list(shocks)
    timed = [replace(shock, from_month=from_month or 1) for shock in shocks]
    for shock in timed:
        long = undivided(periods(instance), shock.year, shock.last)
        if long and (clock or from_month):
            raise UsageError(
                f"the clock of months needs periods of one year until the year after a disruption, but the period "
                f"{long.first_year} to {long.last_year} is longer"
            )
        if long:
            return list(shocks)
    return timed


def _check_names(listed: Sequence[Case], only: Collection[str]) -> None:
    """Raise UsageError if a name that the user asks for belongs to no case."""
    known = set().union(*(case.names for case in listed))
    for name in only:
        if name not in known:
            what = f'no case "{name}": nothing of that name is run, sold or exported then'
            raise UsageError(hinted(what, name, known))


class _CaseList:
    """Makes the cases of one shock, from what the plan runs, sells and exports in the periods of the shock.

    years    first years of the periods that the shock overlaps
    running  facilities that have capacity in one of these periods
    sold     country -> materials that are made or sold there
    leaving  (material, country) with a lane out of the country in one of these periods
    """

    def __init__(self, instance: Instance, planned: Planned, shock: Shock) -> None:
        self.instance, self.planned, self.shock = instance, planned, shock
        hit = _nothing(shock).window
        self.years = [p.first_year for p in periods(instance) if overlap_share(p.months, hit) > 0.0]
        self.running = {
            f.facility for f in instance.facilities if any(planned.capacity(f.facility, y) > 0.0 for y in self.years)
        }
        self.sold = self._sold()
        self.leaving = self._leaving()

    def of_family(self, family: str, blocs: Sequence[str]) -> Iterator[Case]:
        """Yield the cases of a family other than ``scenario``; ``blocs`` are tried like countries."""
        places = [*sorted(self.sold), *blocs]
        if family == "facility":
            for facility in sorted(self.running):
                yield from self._outage(facility, facility=facility)
        elif family == OWNER:
            for owner, plants in sorted(_owners(self.instance).items()):
                if lost := sorted(plants & self.running):
                    rows = [disruption(OUTAGE, self.shock.fraction, facility=facility) for facility in lost]
                    yield self._case(OUTAGE, owner, rows, family=OWNER)
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
        """Map each country to the materials that are made or sold there."""
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
        """Return the (material, country) pairs that have a lane out of the country in some period of the shock."""
        materials = [m.material for m in self.instance.materials]
        countries = [c.country for c in self.instance.countries]
        return {
            (material, origin)
            for year in self.years
            for material, origin, _ in MovementTable(self.instance.lanes, year).movements(materials, countries)
        }

    def _case(self, kind: str, target: str, rows: Sequence[Disruption], family: str = "", **where: Any) -> Case:
        shock = self.shock
        family = family or next((f for f in ("facility", "material", "stage") if where.get(f)), "country")
        return Case(
            f"{kind}:{target}", kind, family, shock.severity, shock.year, shock.last, shock.lasts, shock.from_month,
            tuple(rows), **where, wait=shock.wait,
        )  # fmt: skip

    def _outage(self, target: str, country: str = "", stage: str = "", facility: str = "") -> Iterator[Case]:
        """Yield an outage of the plants named, if it hits a plant that runs."""
        where = {"country": country, "stage": stage, "facility": facility}
        outage = disruption(OUTAGE, self.shock.fraction, **where)
        if hit_facilities(self.instance, outage) & self.running:
            yield self._case(OUTAGE, target, [outage], **where)

    def _stop(self, target: str, place: str, stage: str = "", material: str = "") -> Iterator[Case]:
        """Yield a stop of exports from a country or bloc, if it has such exports.

        Each material and country gets a row of its own: a partial stop is measured on its own undisturbed exports.
        """
        rows = []
        for country in sorted(members(self.instance, place)):
            for m in self.instance.materials:
                if (m.material, country) not in self.leaving or m.material not in self.sold.get(country, ()):
                    continue
                if stage in ("", m.stage) and material in ("", m.material):
                    exports = self.planned.exports(m.material, country, self.years[0])
                    stop = disruption(
                        STOP, self.shock.fraction, country=country, material=m.material, reference_t=exports
                    )
                    rows.append(stop)
        if rows:
            yield self._case(STOP, target, rows, country=place, stage=stage, material=material)


def _owners(instance: Instance) -> dict[str, set[str]]:
    """Return each owner and its plants."""
    plants: dict[str, set[str]] = defaultdict(set)
    for row in instance.facilities:
        if row.owner:
            plants[row.owner].add(row.facility)
    return plants


def _nothing(shock: Shock) -> Case:
    """Return the case in which nothing is lost: the reference for the other cases of the shock."""
    when = shock.severity, shock.year, shock.last, shock.lasts, shock.from_month
    return Case(NOTHING, NOTHING, "", *when, ())


def _scenarios(instance: Instance) -> Iterator[Case]:
    """Yield each scenario of the instance as a case, if it disrupts anything."""
    for s in instance.scenarios:
        rows = tuple(d for d in instance.disruptions if d.scenario == s.scenario)
        if not rows:  # good news, or a date at which one learns: it lifts nothing
            continue
        when = s.first_year, s.last_disrupted_year, len(disrupted_months(s)), s.first_month or 0
        yield Case(f"{OWN}:{s.scenario}", OWN, "scenario", 1.0, *when, rows)


def disruption(kind: Any, fraction: float, scenario: str = SCENARIO, **what: Any) -> Disruption:
    """Return a row of disruptions.csv; ``what`` holds the columns that say what it hits, such as ``country``."""
    return Disruption(scenario=scenario, kind=kind, fraction=fraction, note="", **what)
