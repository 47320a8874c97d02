"""What the plan costs, by component over time and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...language import N_, _, translated
from ...runs.tables import components
from ...words import capital, commas, rate_of, share_of
from ..charts import stacked
from ..looks import look
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ..view import View

NAMES = {
    "capex": N_("capital (annuities)"),
    "fixed_om": N_("fixed operation"),
    "opex": N_("running costs"),
    "freight": N_("freight"),
    "tariff": N_("tariffs"),
    "purchase": N_("purchases"),
    "holding": N_("stock holding"),
    "shortage": N_("shortage"),
    "sales": N_("sales"),
    "substitution": N_("substitutes"),
    "impact": N_("priced impacts"),
    "lane_use": N_("use of lanes"),
    "working_stock": N_("working stocks replaced"),
}


def section(view: View) -> Section:
    """Stacked bars by year; present value by component."""
    costs = view.tables["costs"]
    total = float(view.plan["objective_musd"])
    least = max(1e-9, 1e-5 * float(costs["musd"].abs().max()))  # what is smaller is the solver's tolerance
    named = components(view.instance)
    used = [c for c in named if (costs.loc[costs["component"] == c, "musd"].abs() > least).any()]
    lead = [
        _(
            "Prices of {price_year}. The chart shows each year's own money; the present value "
            "discounts it at {rate} to {year}. Capital is paid as annuities while a plant is "
            "online. Public funds are transfers and are not a cost here.",
            price_year=view.instance.price_year,
            rate=rate_of(view.instance.discount_rate),
            year=view.years[0],
        )
    ]
    if not used:
        return Section("costs", _("What it costs"), [*lead, _("The plan costs nothing.")])
    sums = costs.groupby("component")["present_musd"].sum()
    present = sorted(((c, float(sums[c])) for c in used), key=lambda p: -p[1])
    biggest, most = present[0]
    share = most / total if total else 0.0
    shown = {_("Everything"): used}
    if len(used) > 1 and share > 0.7:  # it hides the others
        shown[_("Without {component}", component=translated(NAMES[biggest]))] = [c for c in used if c != biggest]
    charts = {
        choice: stacked(
            costs, "year", "musd", "component", view.musd, groups=[(translated(NAMES[c]), [c]) for c in some],
            years=view.years, lengths=view.lengths, looks={translated(NAMES[c]): look(n) for n, c in enumerate(named)},
            height=400,
        )
        for choice, some in shown.items()
    }  # fmt: skip
    figure = Figure(
        "costs-components",
        _(
            "{component}: {share} of the present value of {amount}",
            component=capital(translated(NAMES[biggest])),
            share=share_of(share),
            amount=view.money(total),
        ),
        _(
            "Present value by component: {parts}.",
            parts=commas(f"{translated(NAMES[c])} {view.money(x)}" for c, x in present),
        ),
        charts if len(charts) > 1 else charts[_("Everything")],
        rows=costs,
    )
    table = Table(
        "table-costs",
        _("Present value by component"),
        present,
        (
            Column(_("Component"), lambda p: translated(NAMES[p[0]])),
            Column(_("Present value, {unit}", unit=view.musd), 1, "number"),
            Column(_("Share"), lambda p: p[1] / total if total else None, "share"),
        ),
    )
    return Section("costs", _("What it costs"), lead, [figure, table])
