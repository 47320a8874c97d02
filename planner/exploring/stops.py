"""What a stop would do to a plan: what the page lets a reader ask, and its answer as a section.

The question is `planner stress` with one disruption: the builds of the plan of whole projects are held, and its
operations are solved again, by months where periods are of one year.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..questions.stress.cases import OUTAGE, STOP
from ..questions.stress.stress import stress
from ..reporting import charts
from ..reporting.looks import BLUE, VERMILLION, Look
from ..reporting.parts import Column, Figure, Section, Table
from ..reporting.ranked import Bar, ranked
from ..reporting.view import Names
from ..words import capital, figure_of, share_of, tonnes_of
from .words import WORDS

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..questions.stress.result import Stress
    from ..runs.run import Run

KINDS = (STOP, OUTAGE)
USUAL, MOST = 6, 24  # months
SOME = 1e-3  # t: less is nothing


def choices(instance: Instance) -> dict[str, Any]:
    """Return what can be asked: ``lost`` (the name of a case and its words), ``years``, ``months``, ``most`` months.

    The countries of concern come first.
    """
    plants = {f.country for f in instance.facilities}
    has = {STOP: plants | {m.country for m in instance.markets}, OUTAGE: plants}
    order = sorted(instance.countries, key=lambda c: (c.country not in instance.countries_of_concern, c.name))
    lost = [
        {"case": f"{kind}:{c.country}", "label": WORDS[f"lost {kind}"].format(country=c.name)}
        for concern in (True, False)
        for kind in KINDS
        for c in order
        if c.country in has[kind] and (c.country in instance.countries_of_concern) == concern
    ]
    return {"lost": lost, "years": list(instance.years), "months": USUAL, "most": MOST}


def tried(run: Run, lost: str, year: int, months: int) -> Section:
    """Return what a disruption does to a plan: to all, and to each sector.

    lost    name of a case of `choices`
    year    in whose January it begins
    months  for which it lasts
    Raises UsageError if the plan has nothing of that then, and KeyboardInterrupt if it was stopped.
    """
    names = Names(run.instance)
    try:
        found = stress(run, year=year, months=months, families=["country"], only=[lost], rebuild_after=None, workers=1)
    except UsageError:  # that it names other cases is of no use here
        raise UsageError(WORDS["stop nothing"]) from None
    if not found.complete:  # a stopped study keeps the cases that it ended, but a part of them answers nothing here
        raise KeyboardInterrupt
    case = next(row for row in found.cases.to_dict("records") if row["kind"] in KINDS)
    country = names.countries.get(case["country"], str(case["country"]))
    lost = WORDS[f"lost {case['kind']}"].format(country=country)
    title = capital(WORDS["stop of"].format(lost=lost, months=case["months"], year=case["year"]))
    rows = _by_sector(names, found)
    demand = sum(row["demand_t"] for row in rows)
    if case["lost_t"] > SOME:
        said = WORDS["stop short"].format(tonnes=tonnes_of(case["lost_t"]), money=names.money(case["lost_musd"]))
    else:
        said = WORDS["stop nothing short"]
    lead = [said, WORDS["stop cost"].format(money=names.money(case["extra_cost_musd"]))]
    if case["lost_t"] > SOME:
        lead.append(WORDS["stop survived"].format(months=figure_of(case["months_survived"], 2)))
        if case["decisive"]:
            lead.append(WORDS["stop decisive"].format(lost=_named(names, str(case["decisive"]))))
    lead += found.notes  # such as that it goes by the clock of years
    hurt = [row for row in rows if row["lost_t"] > SOME]
    parts = _chart(hurt, demand) if hurt else None, _table(rows)
    return Section("stop", title, lead, parts, warnings=list(found.faults.values()))


def _named(names: Names, decisive: str) -> str:
    """Return a loss, such as ``mag_sh from CHN`` or a facility, with the names of what it is."""
    material, _, country = decisive.partition(" from ")
    if country:
        return WORDS["stop from"].format(
            material=names.materials.get(material, material), country=names.countries.get(country, country)
        )
    facility = names.facilities.get(decisive)
    return facility.name if facility else decisive


def _by_sector(names: Names, found: Stress) -> list[dict[str, Any]]:
    """Return sector, demand_t, lost_t and months of each sector of the case, the worst first."""
    sectors: dict[str, dict[str, Any]] = defaultdict(lambda: {"demand_t": 0.0, "lost_t": 0.0, "months": None})
    cases = {row["case"] for row in found.cases.to_dict("records") if row["kind"] in KINDS}
    for row in found.by_sector.to_dict("records"):
        if row["case"] in cases:
            of = sectors[row["sector"]]
            of["demand_t"] += row["demand_t"]
            of["lost_t"] += row["lost_t"]
            of["months"] = _kept(row)
    told = [{"sector": names.sectors.get(sector, sector), **of} for sector, of in sectors.items()]
    return sorted(told, key=lambda row: -row["lost_t"])


def _kept(row: Mapping[str, Any]) -> str:
    """Return for how many months of a stop a sector can be served in full; "" where that was not searched."""
    months = row["sector_months_survived"]
    if months is None or math.isnan(months):
        return ""
    return WORDS["stop throughout"] if months >= row["months"] else figure_of(months, 2)


def _chart(rows: list[dict[str, Any]], demand: float) -> Figure:
    """The tonnes that each sector lacks beside what it wants while the disruption lasts."""
    bars = [
        Bar("demand_t", WORDS["stop wanted"], look=Look(BLUE)),
        Bar("lost_t", WORDS["stop lacking"], look=Look(VERMILLION), text=figure_of),
    ]
    lacking = sum(row["lost_t"] for row in rows)
    title = WORDS["stop title"].format(share=share_of(lacking / max(demand, SOME)))
    chart = ranked(rows, "sector", bars, charts.amounts("t", [row["demand_t"] for row in rows]))
    return Figure("stop-sectors", title, title, chart, columns="sector demand_t lost_t", caption=WORDS["stop caption"])


def _table(rows: list[dict[str, Any]]) -> Table:
    columns = (
        Column(WORDS["stop sector"], "sector"),
        Column(WORDS["stop wanted"] + ", t", "demand_t", "number"),
        Column(WORDS["stop lacking"] + ", t", "lost_t", "number"),
        Column(WORDS["stop months"], "months"),
    )
    return Table("stop-table", WORDS["stop table"], rows, columns)
