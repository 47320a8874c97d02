"""Rules on caps and floors: they must limit something that exists, in years of the horizon."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from ..metrics import METRICS
from ..tables import Cap
from ..timeline import cap_limits
from ..wildcards import members, strategic_materials
from .registry import SETTINGS, Draft, check
from .windows import at_fault


@check("E306", "caps", SETTINGS)
def some_period(draft: Draft) -> Iterable[Issue]:
    """A cap must hold for the first year of some period."""
    for row in draft.instance.caps:
        first = draft.first if row.first_year is None else row.first_year
        last = draft.last if row.last_year is None else row.last_year
        if not any(first <= year <= last for year in draft.instance.years):
            column = at_fault(row, draft.instance.years)
            years = ", ".join(str(year) for year in draft.instance.years)
            yield draft.at(row, column, f"the cap holds for no period; they begin in {years}")


@check("E307", "caps")
def stage_or_material(draft: Draft) -> Iterable[Issue]:
    """A cap names a stage or a material, one of the two; a cap on the exposed share names neither."""
    for row in draft.instance.caps:
        if not METRICS[row.metric].of:
            for column in ("stage", "material"):
                if getattr(row, column):
                    yield draft.at(row, column, f"means nothing for {row.metric}, it must be blank")
        elif row.stage and row.material:
            yield draft.at(row, "material", f"expected a stage or a material, not both (stage = {row.stage})")
        elif not row.stage and not row.material:
            yield draft.at(row, "stage", f"{row.metric} needs a stage or a material")


@check("E308", "caps")
def meaningful_columns(draft: Draft) -> Iterable[Issue]:
    """A column of a cap that means nothing for its metric must be blank."""
    for row in draft.instance.caps:
        for column in ("country", "sector", "origin", "recycled", "impact", "largest"):
            if getattr(row, column) and column not in METRICS[row.metric].columns:
                yield draft.at(row, column, f"means nothing for {row.metric}, it must be blank")


@check("E309", "caps")
def whose_share(draft: Draft) -> Iterable[Issue]:
    """A cap on an own share names its country; one on imports its origin, if it is on all countries outside of that."""
    for row in draft.instance.caps:
        needs = METRICS[row.metric].needs
        if needs and not any(getattr(row, column) for column in needs):
            of: dict[tuple[str, ...], str] = {
                ("impact",): "an impact",
                ("largest",): "how many suppliers count together",
                ("country",): "a country or bloc",
            }
            asked = of.get(needs, "a country, an origin, or both")
            yield draft.at(row, needs[0], f"{row.metric} needs {asked}")


@check("E371", "caps")
def floor_of_its_metric(draft: Draft) -> Iterable[Issue]:
    """Only some metrics can have a floor (a cap of the sense ``min``)."""
    able = [name for name, metric in METRICS.items() if metric.floor]
    for row in draft.instance.caps:
        if row.sense == "min" and not METRICS[row.metric].floor:
            yield draft.at(row, "sense", f"{row.metric} can only be capped; min is for {', '.join(able)}", "write max")


@check("E310", "caps", "materials")
def strategic_stage(draft: Draft) -> Iterable[Issue]:
    """A cap on a stage must find strategic materials there."""
    for row in draft.instance.caps:
        if row.stage and METRICS[row.metric].of and not strategic_materials(draft.instance, row.stage):
            yield draft.at(row, "stage", "no material of this stage is strategic, so the cap limits nothing")


@check("E311", "caps", "countries", "sectors", "demand")
def some_demand(draft: Draft) -> Iterable[Issue]:
    """A cap on the exposed share must find demand of its country and sector."""
    for row in draft.instance.caps:
        if row.metric != "exposed_share":
            continue
        places = members(draft.instance, row.country)
        if not any(d.country in places and row.sector in ("", d.sector) for d in draft.instance.demand):
            column = "sector" if row.sector else "country"
            yield draft.at(row, column, "there is no such demand, so the cap limits nothing")


@check("W509", "caps")
def origin_outside(draft: Draft) -> Iterable[Issue]:
    """Imports come from outside the importer; an origin inside it does not count."""
    for row in draft.instance.caps:
        if row.metric == "import_share" and row.sense == "max" and row.country and row.origin:  # W552 tells of floors
            inside = members(draft.instance, row.origin) <= members(draft.instance, row.country)
            if inside:
                yield draft.at(row, "origin", f"lies inside the importer {row.country}, so the cap limits nothing")


@check("W510", "caps")
def something_supplied(draft: Draft) -> Iterable[Issue]:
    """A cap on a stage or material should find somebody who makes or sells it."""
    instance = draft.instance
    run = {o.process for o in instance.operations}
    supplied = {r.material for r in instance.recipes if r.role == "output" and r.process in run}
    supplied |= {m.material for m in instance.markets}
    for row in instance.caps:
        if METRICS[row.metric].of and not supplied.intersection(_limited(draft, row)):
            column = "stage" if row.stage else "material"
            yield draft.at(row, column, "nobody makes or sells it, so the cap limits nothing")


@check("W551", "caps", SETTINGS)
def floor_below_cap(draft: Draft) -> Iterable[Issue]:
    """A floor should not be above a cap on the same share in the same year: nothing could be used then."""

    def share(row: Cap) -> dict[str, object]:
        return row.model_dump(exclude={"cap", "sense", "first_year", "last_year", "limit", "limit_end", *UNREAD})

    for floor in (row for row in draft.instance.caps if row.sense == "min"):
        for cap in (row for row in draft.instance.caps if row.sense == "max" and share(row) == share(floor)):
            least, most = cap_limits(draft.instance, floor), cap_limits(draft.instance, cap)
            year = next((y for y in least if y in most and least[y] > most[y]), None)
            if year is not None:
                expected = f"is {least[year]:.4g} in {year}, above the {most[year]:.4g} that {draft.named(cap)} allows"
                yield draft.at(floor, "limit", f"{expected}, so nothing may be used then")


UNREAD = ("source", "note", "active")  # columns without a meaning for the model


def _limited(draft: Draft, row: Cap) -> tuple[str, ...]:
    """Return the materials that a cap on a stage or a material limits."""
    return (row.material,) if row.material else strategic_materials(draft.instance, row.stage)
