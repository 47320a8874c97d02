"""The disruptions to try on a plan: every country, every stage of every country, every plant, the scenarios."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from ..instance import Instance

FAMILIES = ("country", "stage", "facility", "scenario")
SCENARIO = "stress"  # the name under which a case becomes a scenario of an instance


@dataclass(frozen=True, slots=True)
class Case:
    """One disruption.

    name      what is lost, such as ``CHN``, ``CHN separation``, ``mountain-pass``; for a scenario its name
    family    one of FAMILIES
    severity  fraction that is lost (ignored for scenarios)
    first, last  calendar years, both inclusive
    """

    name: str
    family: str
    severity: float
    first: int
    last: int
    country: str = ""
    stage: str = ""
    facility: str = ""

    @property
    def key(self) -> str:
        """Tells cases of one study apart."""
        return f"{self.family} {self.name} {self.severity:g} {self.first}-{self.last}"

    @property
    def outage(self) -> dict[str, Any]:
        """The row of disruptions.csv, but its scenario, by which plants stop."""
        where = {"country": self.country, "stage": self.stage, "facility": self.facility}
        return {"kind": "outage", **where, "fraction": self.severity}


def cases(
    instance: Instance,
    families: Collection[str],
    years: Sequence[tuple[int, int]],
    severity: float,
    only: Collection[str] = (),
) -> list[Case]:
    """Every case of the families, for each span of years.

    only  names of cases; empty: all
    Raises UsageError on unknown families and names, and on years outside the horizon.
    """
    for family in families:
        if family not in FAMILIES:
            hint = did_you_mean(family, FAMILIES)
            raise UsageError(f"unknown family {family}: expected one of {', '.join(FAMILIES)}; {hint}".rstrip("; "))
    if not 0.0 < severity <= 1.0:
        raise UsageError(f"severity = {severity}: expected a fraction above 0, up to 1")
    last = instance.years[-1] + instance.last_period_years - 1
    found: list[Case] = []
    for first, end in years:
        if not instance.years[0] <= first <= end <= last:
            raise UsageError(f"years {first}-{end}: expected years within {instance.years[0]}-{last}")
        for family in families:
            if family != "scenario":
                found += _of_family(instance, family, severity, first, end)
    if "scenario" in families:
        found += [Case(s.scenario, "scenario", 1.0, s.first_year, s.last_year) for s in instance.scenarios]
    names = {case.name for case in found}
    for name in only:
        if name not in names:
            raise UsageError(f"no case {name}; {did_you_mean(name, names)}".rstrip("; "))
    return [case for case in found if not only or case.name in only]


def _of_family(instance: Instance, family: str, severity: float, first: int, last: int) -> Iterable[Case]:
    stage_of = {m.material: m.stage for m in instance.materials}
    outputs: dict[str, set[str]] = {}
    for recipe in instance.recipes:
        if recipe.role == "output":
            outputs.setdefault(recipe.process, set()).add(recipe.material)
    makes: dict[str, set[str]] = {}
    for operation in instance.operations:
        makes.setdefault(operation.facility, set()).update(outputs.get(operation.process, ()))
    sold: dict[str, set[str]] = {}
    for facility in instance.facilities:
        sold.setdefault(facility.country, set()).update(makes.get(facility.facility, ()))
    for market in instance.markets:
        sold.setdefault(market.country, set()).add(market.material)
    if family == "country":
        return [Case(c, family, severity, first, last, country=c) for c, m in sorted(sold.items()) if m]
    if family == "stage":
        return [
            Case(f"{country} {stage}", family, severity, first, last, country=country, stage=stage)
            for country, materials in sorted(sold.items())
            for stage in instance.stages
            if any(stage_of[m] == stage for m in materials)
        ]
    return [
        Case(f.facility, family, severity, first, last, facility=f.facility)
        for f in instance.facilities
        if makes.get(f.facility)
    ]
