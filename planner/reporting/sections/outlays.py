"""What price floors and offtakes cost those who give them, beside the plan's own cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...language import _
from ...runs.outlays import by_payer
from ...words import commas
from ..charts import records, stacked
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ..view import View

AGREED = {"price_floors": "floor_usd_per_t", "offtakes": "agreed_usd_per_t"}


def section(view: View) -> Section | None:
    """Bars by payer and year, and every row; None if the instance has neither floors nor offtakes."""
    if not view.instance.price_floors and not view.instance.offtakes:
        return None
    rows: list[dict[str, Any]] = []
    for name, column in AGREED.items():
        for r in records(view.tables.get(name, ())):
            kind = _("price floor") if name == "price_floors" else _("offtake {offtake}", offtake=r["offtake"])
            rows.append({"upside_musd": None, **r, "kind": kind, "agreed": r[column]})
    lead = [
        _(
            "A price floor pays what the price of the day lacks, and may have a part of the upside returned; who "
            "takes by an offtake pays what was agreed and gains or loses against that price. Both are transfers: they "
            "are no part of what the plan costs. The price of the day is that of the market named."
        )
    ]
    if any(not r["price_of"] for r in rows):
        lead.append(
            _(
                "Where no market is named it is the plan's own marginal price in the plant's country: what a tonne "
                "more is worth to this plan, which may be far from what a contract would be settled against."
            )
        )
    if not rows:
        return Section(
            "outlays", _("Price floors and offtakes"), [*lead, _("This plan makes nothing that they cover.")]
        )
    currency, payers = view.instance.currency, by_payer(view.tables)
    total = {p: sum(musd * view.lengths[y] for y, musd in years.items()) for p, years in payers.items()}
    paid = [{"payer": p, "year": y, "musd": musd} for p, years in payers.items() for y, musd in years.items()]
    figure = Figure(
        "outlays-payers",
        _(
            "Over the horizon, undiscounted: {parts}",
            parts=commas(f"{p} {view.money(musd)}" for p, musd in total.items()),
        ),
        _("Below zero a payer gains: what it agreed to pay is less than the price of the day."),
        stacked(paid, "year", "musd", "payer", view.musd, years=view.years, lengths=view.lengths, height=320),
    )
    listing = Table(
        "table-outlays",
        _("Every floor and offtake by year"),
        rows,
        (
            Column(_("Kind"), "kind"),
            Column(_("Plant"), lambda r: view.facilities[r["facility"]].name),
            Column(_("Material"), "material"),
            Column(_("Payer"), "payer"),
            Column(_("Year"), "year", "year"),
            Column(_("t a year"), "t", "number"),
            Column(_("Floor or agreed, {currency}/t", currency=currency), "agreed", "number"),
            Column(_("Price of the day, {currency}/t", currency=currency), "price_usd_per_t", "number"),
            Column(_("Price of"), lambda r: r["price_of"] or _("the plan's own")),
            Column(_("Upside returned, {unit} a year", unit=view.musd), "upside_musd", "number"),
            Column(_("Outlay, {unit} a year", unit=view.musd), "outlay_musd", "number"),
        ),
        folded=True,
    )
    return Section("outlays", _("Price floors and offtakes"), lead, [figure, listing])
