"""Marginal prices of every material, clean and exposed, and what clean costs more."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ...words import figure_of, share_of
from ..parts import CLEAN, CONCERN, Column, Control, Data, Figure, Section, Table, layout, plain, year_axis

if TYPE_CHECKING:
    from ..view import View

Means = dict[tuple[str, int], tuple[float | None, float | None, float | None]]


def section(view: View) -> Section:
    """Mean prices by material and year, and the premium."""
    means = mean_prices(view)
    used = [m for m in view.materials if any(key[0] == m for key in means)]
    if not used:
        return Section("prices", "Prices and the clean premium", ["No material is used outside countries of concern."])
    currency = view.instance.currency
    lead = [
        "What one more tonne is worth to the plan, from the duals of the linear programme with the builds fixed: "
        "a marginal value, not a market price. Means over the countries outside "
        f"{view.concern_name} that use the material, weighted by their use. The clean premium is the mean difference "
        "where both clean and exposed material can be had; it is zero where clean material is no scarcer."
    ]
    return Section(
        "prices",
        "Prices and the clean premium",
        lead,
        [_figure(view, means, used), _table(view, means, used, currency)],
    )


def mean_prices(view: View) -> Means:
    """(material, year) -> clean price, exposed price, premium, currency per tonne; None where there is none."""
    found: dict[tuple[str, int], dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for r in view.tables["prices"].itertuples():
        if r.country not in view.concern:
            found[r.material, r.year][r.country][r.provenance] = r.usd_per_t
    means: Means = {}
    for (material, year), by_country in found.items():
        weights = {c: view.consumed(material, c, year) for c in by_country}

        def mean(
            values: dict[str, float], weights: dict[str, float] = weights
        ) -> float | None:  # over the countries that have a value
            total = sum(weights[c] for c in values)
            return sum(weights[c] * v for c, v in values.items()) / total if total > 1e-6 else None

        clean = mean({c: p["clean"] for c, p in by_country.items() if "clean" in p})
        exposed = mean({c: p["exposed"] for c, p in by_country.items() if "exposed" in p})
        premium = mean({c: p["clean"] - p["exposed"] for c, p in by_country.items() if len(p) == 2})
        if clean is not None or exposed is not None:
            means[material, year] = (clean, exposed, premium)
    return means


def _figure(view: View, means: Means, used: list[str]) -> Figure:
    views = {}
    for n, material in enumerate(used):
        traces = []
        for position, (name, colour, dash, symbol) in enumerate(
            (("clean", CLEAN, "solid", "circle"), ("exposed", CONCERN, "dash", "diamond"))
        ):
            values = [means.get((material, y), (None, None, None))[position] for y in view.years]
            if any(v is not None for v in values):
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "lines+markers",
                        "name": name,
                        "x": list(view.years),
                        "y": values,
                        "line": {"color": colour, "width": 3, "dash": dash},
                        "marker": {"symbol": symbol, "size": 8},
                        "hovertemplate": f"%{{y:,.5~g}} {plain(view.instance.currency)}/t",
                    }
                )
        views[str(n)] = traces
    finished = [m for m in used if view.stage_of.get(m) == view.instance.stages[-1]] or used
    premiums = []
    for m in finished:
        known = [(y, means[m, y][2]) for y in view.years if (m, y) in means and means[m, y][2] is not None]
        if known:
            year, value = known[-1]
            premiums.append(f"{view.materials[m]} {figure_of(value or 0.0)} {view.instance.currency}/t in {year}")
    return Figure(
        "prices-lines",
        "What a tonne is worth, clean and exposed",
        f"Clean premium: {'; '.join(premiums)}." if premiums else "No material has both a clean and an exposed price.",
        views,
        layout(
            xaxis=year_axis(view.years),
            yaxis={
                "title": {"text": f"{plain(view.instance.currency)} per t"},
                "tickformat": ",~s",
                "rangemode": "tozero",
            },
            hovermode="x unified",
            showlegend=True,
        ),
        Data(
            ("material", "name", "year", "clean_usd_per_t", "exposed_usd_per_t", "premium_usd_per_t"),
            [(m, view.materials[m], y, *means[m, y]) for m in used for y in view.years if (m, y) in means],
        ),
        (Control("Material", "select", tuple(view.materials[m] for m in used), used.index(finished[0])),),
        height=360,
    )


def _table(view: View, means: Means, used: list[str], currency: str) -> Table:
    rows = []
    for material in used:
        for year in sorted({view.years[0], view.years[len(view.years) // 2], view.years[-1]}):
            if (material, year) in means:
                clean, exposed, premium = means[material, year]
                relative = premium / exposed if premium is not None and exposed and exposed > 0 else None
                rows.append(
                    (view.materials[material], view.stage_of.get(material, ""), year, clean, exposed, premium, relative)
                )
    return Table(
        "table-prices",
        "Clean premium by material",
        (
            Column("Material"),
            Column("Stage"),
            Column("Year", "year"),
            Column(f"Clean, {currency}/t", "number"),
            Column(f"Exposed, {currency}/t", "number"),
            Column(f"Premium, {currency}/t", "number"),
            Column("Premium", "share"),
        ),
        rows,
        folded=len(rows) > 12,
    )


def premium_in_words(view: View, means: Means) -> str:
    """The premium of finished goods in the last year it is known, as a sentence; "" if there is none."""
    finished = [m for m, s in view.stage_of.items() if s == view.instance.stages[-1]]
    year = next((y for y in reversed(view.years) if any(means.get((m, y), (0, 0, None))[2] for m in finished)), None)
    if year is None:
        return ""
    use = {m: sum(view.consumed(m, c, year) for c in view.countries) for m in finished}
    known = [(m, means[m, year]) for m in finished if (m, year) in means and means[m, year][2] is not None]
    total = sum(use[m] for m, _ in known)
    if total <= 0:
        return ""
    premium = sum(use[m] * (p[2] or 0.0) for m, p in known) / total
    base = sum(use[m] * (p[1] or 0.0) for m, p in known) / total
    relative = f" ({share_of(premium / base)} on top of the exposed price)" if base > 0 else ""
    if premium < 0.005:
        return ""
    return (
        f"In {year} a kilogram of clean finished material is worth {figure_of(premium / 1000)} "
        f"{view.instance.currency} more than an exposed one{relative}."
    )
