"""What price floors and offtakes cost those who give them, beside the plan's own cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...runs.outlays import by_payer
from ..parts import Column, Data, Figure, Section, Table, bars, layout, plain, year_axis

if TYPE_CHECKING:
    from ..view import View


def section(view: View) -> list[Section]:
    """Bars by payer and year, and every row; nothing if the instance has neither floors nor offtakes."""
    rows = [row for name in ("price_floors", "offtakes") for row in _rows(view, name)]
    if not view.instance.price_floors and not view.instance.offtakes:
        return []
    lead = [
        "A price floor pays what the price of the day lacks; who takes by an offtake pays what was agreed and gains or "
        "loses against that price. Both are transfers: they are no part of what the plan costs. The price of the day "
        "is that of the market named, else the plan's own marginal price in the plant's country."
    ]
    if not rows:
        return [Section("outlays", "Price floors and offtakes", [*lead, "This plan makes nothing that they cover."])]
    currency = view.instance.currency
    payers = by_payer(view.tables)
    total = {p: sum(musd * view.lengths[y] for y, musd in years.items()) for p, years in payers.items()}
    traces = [
        bars(payer, view.years, view.lengths, [years.get(y, 0.0) for y in view.years], n, f"M{currency}")
        for n, (payer, years) in enumerate(payers.items())
    ]
    figure = Figure(
        "outlays-payers",
        "Over the horizon, undiscounted: " + ", ".join(f"{payer} {view.money(musd)}" for payer, musd in total.items()),
        "Below zero a payer gains: what it agreed to pay is less than the price of the day.",
        {"": traces},
        layout(
            barmode="relative",
            xaxis=year_axis(view.years, view.lengths),
            yaxis={"title": {"text": f"M{plain(currency)} a year"}, "tickformat": ",~s"},
            hovermode="x unified",
            showlegend=True,
        ),
        Data(("payer", "year", "musd"), [(p, y, musd) for p, years in payers.items() for y, musd in years.items()]),
        height=320,
    )
    listing = Table(
        "table-outlays",
        "Every floor and offtake by year",
        (
            Column("Kind"),
            Column("Plant"),
            Column("Material"),
            Column("Payer"),
            Column("Year", "year"),
            Column("t a year", "number"),
            Column(f"Floor or agreed, {currency}/t", "number"),
            Column(f"Price of the day, {currency}/t", "number"),
            Column(f"Outlay, M{currency} a year", "number"),
        ),
        rows,
        folded=True,
    )
    return [Section("outlays", "Price floors and offtakes", lead, [figure, listing])]


def _rows(view: View, name: str) -> list[tuple[Any, ...]]:
    if name not in view.tables:
        return []
    price = {"price_floors": "floor_usd_per_t", "offtakes": "agreed_usd_per_t"}[name]
    found = []
    for r in view.tables[name].to_dict("records"):
        kind = "price floor" if name == "price_floors" else f"offtake {r['offtake']}"
        plant = view.facilities[r["facility"]].name
        numbers = [None if r[c] != r[c] else r[c] for c in (price, "price_usd_per_t", "outlay_musd")]
        found.append((kind, plant, r["material"], r["payer"], r["year"], r["t"], *numbers))
    return found
