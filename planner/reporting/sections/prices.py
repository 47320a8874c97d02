"""Marginal prices of every material, clean and exposed, and what clean costs more."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...language import _, translated
from ...words import figure_of, full_stop, semicolons, share_of
from ..charts import amounts, lines, plain
from ..looks import CLEAN, CONCERN, Look
from ..parts import Column, Control, Figure, Section, Table

if TYPE_CHECKING:
    from ..view import View

Means = dict[tuple[str, int], tuple[float | None, float | None, float | None]]


def section(view: View) -> Section:
    """Mean prices by material and year, and the premium."""
    means = mean_prices(view)
    used = [m for m in view.materials if any(key[0] == m for key in means)]
    if not used:
        return Section(
            "prices", _("Prices and the clean premium"), [_("No material is used outside countries of concern.")]
        )
    lead = [
        _(
            "What one more tonne is worth to the plan, from the duals of the linear programme with "
            "the builds fixed: a marginal value, not a market price. Means over the countries "
            "outside {concern} that use the material, weighted by their use. The clean premium is "
            "the mean difference where both clean and exposed material can be had; it is zero where "
            "clean material is no scarcer.",
            concern=view.concern_name,
        )
    ]
    return Section(
        "prices", _("Prices and the clean premium"), lead, [_figure(view, means, used), _table(view, means, used)]
    )


def mean_prices(view: View) -> Means:
    """(material, year) -> clean price, exposed price, premium, currency per tonne; None where there is none."""
    found: dict[tuple[str, int], dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for r in view.tables["prices"].dropna(subset="usd_per_t").itertuples():
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
    """Clean and exposed price by year, one material at a time."""
    currency = view.instance.currency
    charts, premiums = {}, []
    for m in used:
        rows: list[dict[str, Any]] = [
            {"material": m, "name": view.materials[m], "year": y,
             **dict(zip(("clean_usd_per_t", "exposed_usd_per_t", "premium_usd_per_t"), means[m, y], strict=True))}
            for y in view.years
            if (m, y) in means
        ]  # fmt: skip
        shown = {
            f"{q}_usd_per_t": translated(q)
            for q in ("clean", "exposed")
            if any(r[f"{q}_usd_per_t"] is not None for r in rows)
        }
        prices = [abs(r[column]) for r in rows for column in shown if r[column] is not None]
        charts[m] = lines(
            rows, "year", shown, xs=view.years, hover=f"%{{y:,.5~g}} {plain(currency)}/t", height=360,
            yaxis=amounts(_("{currency} per t", currency=currency), prices),
            looks={_("clean"): Look(CLEAN), _("exposed"): Look(CONCERN, dash="dash", symbol="diamond")},
        )  # fmt: skip
    finished = [m for m in used if view.stage_of.get(m) == view.instance.stages[-1]] or used
    for m in finished:
        known = [r for r in charts[m].rows if r["premium_usd_per_t"] is not None]
        if known:
            value, year = known[-1]["premium_usd_per_t"], known[-1]["year"]
            premiums.append(
                _(
                    "{material} {amount} {currency}/t in {year}",
                    material=view.materials[m],
                    amount=figure_of(value),
                    currency=currency,
                    year=year,
                )
            )
    return Figure(
        "prices-lines",
        _("What a tonne is worth, clean and exposed"),
        _("Clean premium: {parts}.", parts=semicolons(premiums))
        if premiums
        else _("No material has both a clean and an exposed price."),
        charts,
        (Control(_("Material"), {m: view.materials[m] for m in used}, finished[0]),),
    )


def _table(view: View, means: Means, used: list[str]) -> Table:
    currency = view.instance.currency
    some = sorted({view.years[0], view.years[len(view.years) // 2], view.years[-1]})
    rows = [(m, y, *means[m, y]) for m in used for y in some if (m, y) in means]
    return Table(
        "table-prices",
        _("Clean premium by material"),
        rows,
        (
            Column(_("Material"), lambda r: view.materials[r[0]]),
            Column(_("Stage"), lambda r: view.stage_of.get(r[0], "")),
            Column(_("Year"), 1, "year"),
            Column(_("Clean, {currency}/t", currency=currency), 2, "number"),
            Column(_("Exposed, {currency}/t", currency=currency), 3, "number"),
            Column(_("Premium, {currency}/t", currency=currency), 4, "number"),
            Column(_("Premium"), lambda r: r[4] / r[3] if r[4] is not None and r[3] and r[3] > 0 else None, "share"),
        ),
    )


def premium_in_words(view: View, means: Means) -> str:
    """The premium of finished goods in the last year it is known, as a sentence; "" if there is none."""
    finished = [m for m, s in view.stage_of.items() if s == view.instance.stages[-1]]
    year = next((y for y in reversed(view.years) if any(means.get((m, y), (0, 0, None))[2] for m in finished)), None)
    if year is None:
        return ""
    use = {m: sum(view.consumed(m, c, year) for c in view.countries) for m in finished}
    known = [(m, means[m, year]) for m in finished if (m, year) in means and means[m, year][2] is not None]
    total = sum(use[m] for m, __ in known)
    if total <= 0:
        return ""
    premium = sum(use[m] * (p[2] or 0.0) for m, p in known) / total
    base = sum(use[m] * (p[1] or 0.0) for m, p in known) / total
    if premium < 0.005:
        return ""
    text = _(
        "In {year} a kilogram of clean finished material is worth {amount} {currency} more than an exposed one",
        year=year,
        amount=figure_of(premium / 1000),
        currency=view.instance.currency,
    )
    if base > 0:
        share = share_of(premium / base)
        text = _("{sentence} ({share} on top of the exposed price)", sentence=text, share=share)
    return full_stop(text)
