"""What the plan costs, by component over time and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tables import COMPONENTS
from .parts import PATTERNS, SERIES, Column, Data, Figure, Section, Table, layout, plain, share_of, year_axis

if TYPE_CHECKING:
    from .view import View

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
    used = [c for c in COMPONENTS if (costs.loc[costs["component"] == c, "musd"].abs() > 1e-9).any()]
    lead = [
        f"Prices of {view.instance.price_year}. The chart shows each year's own money; the present value discounts it "
        f"at {share_of(view.instance.discount_rate)} to {view.years[0]}. Capital is paid as annuities while a plant is "
        "online. Public funds are transfers and are not a cost here."
    ]
    if not used:
        return Section("costs", "What it costs", [*lead, "The plan costs nothing."])
    wide = max(view.lengths.values()) > 1
    traces = []
    for component in used:
        n = COMPONENTS.index(component)
        rows = costs[costs["component"] == component]
        by_year = dict(zip(rows["year"].tolist(), rows["musd"].tolist(), strict=True))
        traces.append(
            {
                "type": "bar",
                "name": NAMES[component],
                "x": list(view.years),
                "y": [by_year.get(y, 0.0) for y in view.years],
                "width": [0.86 * view.lengths[y] for y in view.years],
                "offset": 0 if wide else -0.43,
                "marker": {
                    "color": SERIES[n],
                    "pattern": {"shape": PATTERNS[n], "fgcolor": "#ffffff", "size": 6, "solidity": 0.2},
                },
                "hovertemplate": f"%{{y:,.4~g}} M{plain(currency)}",
            }
        )
    present = [(c, float(costs.loc[costs["component"] == c, "present_musd"].sum())) for c in used]
    present.sort(key=lambda p: -p[1])
    biggest = present[0]
    share = biggest[1] / total if total else 0.0
    figure = Figure(
        "costs-components",
        f"{NAMES[biggest[0]].capitalize()}: {share_of(share)} of the present value of {view.money(total)}",
        "Present value by component: " + ", ".join(f"{NAMES[c]} {view.money(x)}" for c, x in present) + ".",
        {"": traces},
        layout(
            barmode="relative",
            xaxis=year_axis(view.years, view.end + 1) if wide else year_axis(view.years),
            yaxis={"title": {"text": f"M{plain(currency)} a year"}, "tickformat": ",~s"},
            hovermode="x unified",
            showlegend=True,
        ),
        Data(tuple(costs.columns), costs.to_numpy().tolist()),
        height=400,
        note="Press a name in the legend to leave it out, twice to see it alone.",
    )
    table = Table(
        "table-costs",
        "Present value by component",
        (Column("Component"), Column(f"Present value, M{currency}", "number"), Column("Share", "share")),
        [(NAMES[c], x, x / total if total else None) for c, x in present],
    )
    return Section("costs", "What it costs", lead, [figure, table])
