"""What the plan costs, by component over time and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...runs.tables import components
from ...words import rate_of, share_of
from ..charts import stacked
from ..looks import look
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ..view import View

NAMES = {
    "capex": "capital (annuities)",
    "fixed_om": "fixed operation",
    "opex": "running costs",
    "freight": "freight",
    "tariff": "tariffs",
    "purchase": "purchases",
    "holding": "stock holding",
    "shortage": "shortage",
    "sales": "sales",
    "substitution": "substitutes",
    "impact": "priced impacts",
    "lane_use": "use of lanes",
    "working_stock": "working stocks replaced",
}


def section(view: View) -> Section:
    """Stacked bars by year; present value by component."""
    costs = view.tables["costs"]
    total = float(view.plan["objective_musd"])
    least = max(1e-9, 1e-5 * float(costs["musd"].abs().max()))  # what is smaller is the solver's tolerance
    named = components(view.instance)
    used = [c for c in named if (costs.loc[costs["component"] == c, "musd"].abs() > least).any()]
    lead = [
        f"Prices of {view.instance.price_year}. The chart shows each year's own money; the present value discounts it "
        f"at {rate_of(view.instance.discount_rate)} to {view.years[0]}. Capital is paid as annuities while a plant is "
        "online. Public funds are transfers and are not a cost here."
    ]
    if not used:
        return Section("costs", "What it costs", [*lead, "The plan costs nothing."])
    sums = costs.groupby("component")["present_musd"].sum()
    present = sorted(((c, float(sums[c])) for c in used), key=lambda p: -p[1])
    biggest, most = present[0]
    share = most / total if total else 0.0
    shown = {"Everything": used}
    if len(used) > 1 and share > 0.7:  # it hides the others
        shown[f"Without {NAMES[biggest]}"] = [c for c in used if c != biggest]
    charts = {
        choice: stacked(
            costs, "year", "musd", "component", view.musd, groups=[(NAMES[c], [c]) for c in some], years=view.years,
            lengths=view.lengths, looks={NAMES[c]: look(n) for n, c in enumerate(named)}, height=400,
        )
        for choice, some in shown.items()
    }  # fmt: skip
    figure = Figure(
        "costs-components",
        f"{NAMES[biggest].capitalize()}: {share_of(share)} of the present value of {view.money(total)}",
        "Present value by component: " + ", ".join(f"{NAMES[c]} {view.money(x)}" for c, x in present) + ".",
        charts if len(charts) > 1 else charts["Everything"],
        rows=costs,
    )
    table = Table(
        "table-costs",
        "Present value by component",
        present,
        (
            Column("Component", lambda p: NAMES[p[0]]),
            Column(f"Present value, {view.musd}", 1, "number"),
            Column("Share", lambda p: p[1] / total if total else None, "share"),
        ),
    )
    return Section("costs", "What it costs", lead, [figure, table])
