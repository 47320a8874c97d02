"""What the plan causes beside costs and dependence: emissions, water, jobs, by year and by what causes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...language import N_, _, translated
from ...words import figure_of, full_stop, semicolons
from ..charts import Chart, stacked
from ..parts import Column, Control, Figure, Section, Table

if TYPE_CHECKING:
    from ..view import View

KINDS = {"operation": N_("operations"), "lane": N_("transport"), "purchase": N_("purchases"), "build": N_("building")}


def section(view: View) -> Section | None:
    """Stacked bars by year for each impact, and the limits on impacts; None if the instance has no impacts."""
    if "impact_totals" not in view.tables:
        return None
    rows = view.tables["impact_totals"]
    lead = [
        _(
            "All that operations, transport, purchases and building cause, by impact_factors.csv; negative amounts are "
            "credits. What building causes is spread over the years of the period in which it is started."
        )
    ]
    caused = [i for i in view.instance.impacts if (rows["impact"] == i.impact).any()]
    if not caused:
        return Section("impacts", _("Impacts"), [*lead, _("The plan causes nothing.")])
    charts: dict[str, Chart] = {
        i.impact: stacked(
            rows[rows["impact"] == i.impact], "year", "units", "kind", i.unit,
            groups=[(translated(name), [kind]) for kind, name in KINDS.items()], years=view.years,
            lengths=view.lengths, height=360,
        )
        for i in caused
    }  # fmt: skip
    last = view.years[-1]
    said = []
    for i in caused:
        units = float(rows[(rows["impact"] == i.impact) & (rows["year"] == last)]["units"].sum())
        said.append(
            _("{name}: {amount} {unit} in {year}", name=i.name, amount=figure_of(units), unit=i.unit, year=last)
        )
    figure = Figure(
        "impacts-years",
        said[0],
        full_stop(semicolons(said)),
        charts if len(charts) > 1 else charts[caused[0].impact],
        (Control(_("Impact"), {i.impact: i.name for i in caused}),) if len(charts) > 1 else (),
        rows=rows,
    )
    caps = view.tables["dependence"]
    caps = caps[caps["metric"] == "impact"]
    of = {c.cap: c.impact for c in view.instance.caps}
    names = {i.impact: f"{i.name}, {i.unit}" for i in view.instance.impacts}
    floors = view.instance.floors
    table = Table(
        "table-impact-caps",
        _("Every limit on an impact, with what one unit more (of a floor one unit less) would save"),
        caps,
        (
            Column(_("Cap"), lambda r: _("{cap} (floor)", cap=r["cap"]) if r["cap"] in floors else r["cap"]),
            Column(_("Of"), lambda r: names[of[r["cap"]]]),
            Column(_("Year"), "year", "year"),
            Column(_("Units a year"), "share", "number"),
            Column(_("Limit"), "limit", "number"),
            Column(_("Saving per unit, {unit}", unit=view.musd), "marginal_musd_per_point", "number"),
        ),
    )
    return Section("impacts", _("Impacts"), lead, [figure, *([table] if len(caps) else [])])
