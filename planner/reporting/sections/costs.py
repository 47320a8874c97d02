"""What the plan costs, by component over time and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...runs.tables import COMPONENTS
from ...words import rate_of, share_of
from ..parts import Column, Control, Data, Figure, Section, Table, bars, layout, plain, year_axis

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
}


def section(view: View) -> Section:
    """Stacked bars by year; present value by component."""
    costs = view.tables["costs"]
    currency = view.instance.currency
    total = float(view.plan["objective_musd"])
    least = max(1e-9, 1e-5 * float(costs["musd"].abs().max()))  # what is smaller is the solver's tolerance
    used = [c for c in COMPONENTS if (costs.loc[costs["component"] == c, "musd"].abs() > least).any()]
    lead = [
        f"Prices of {view.instance.price_year}. The chart shows each year's own money; the present value discounts it "
        f"at {rate_of(view.instance.discount_rate)} to {view.years[0]}. Capital is paid as annuities while a plant is "
        "online. Public funds are transfers and are not a cost here."
    ]
    if not used:
        return Section("costs", "What it costs", [*lead, "The plan costs nothing."])
    traces = []
    for component in used:
        rows = costs[costs["component"] == component]
        by_year = dict(zip(rows["year"].tolist(), rows["musd"].tolist(), strict=True))
        values = [by_year.get(y, 0.0) for y in view.years]
        look = COMPONENTS.index(component)
        traces.append(bars(NAMES[component], view.years, view.lengths, values, look, f"M{currency}"))
    present = [(c, float(costs.loc[costs["component"] == c, "present_musd"].sum())) for c in used]
    present.sort(key=lambda p: -p[1])
    biggest = present[0]
    share = biggest[1] / total if total else 0.0
    views = {"": traces}
    controls: tuple[Control, ...] = ()
    if len(used) > 1 and share > 0.7:  # it hides the others
        views = {"0": traces, "1": [t for t, c in zip(traces, used, strict=True) if c != biggest[0]]}
        controls = (Control("Show", "select", ("Everything", f"Without {NAMES[biggest[0]]}")),)
    figure = Figure(
        "costs-components",
        f"{NAMES[biggest[0]].capitalize()}: {share_of(share)} of the present value of {view.money(total)}",
        "Present value by component: " + ", ".join(f"{NAMES[c]} {view.money(x)}" for c, x in present) + ".",
        views,
        layout(
            barmode="relative",
            xaxis=year_axis(view.years, view.lengths),
            yaxis={"title": {"text": f"M{plain(currency)} a year"}, "tickformat": ",~s"},
            hovermode="x unified",
            showlegend=True,
        ),
        Data(tuple(costs.columns), costs.to_numpy().tolist()),
        controls,
        height=400,
    )
    table = Table(
        "table-costs",
        "Present value by component",
        (Column("Component"), Column(f"Present value, M{currency}", "number"), Column("Share", "share")),
        [(NAMES[c], x, x / total if total else None) for c, x in present],
    )
    return Section("costs", "What it costs", lead, [figure, table])
