"""What went in: money and years, what was changed, demand, prices, limits, and the ranges of what is not sure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any

from ...instance.limits import limit_in_words
from ...instance.metrics import METRICS
from ...instance.timeline import cap_limits, series_value
from ...language import _, n_, p_, translated
from ...questions.evidence.evidence import rows_told_of
from ...words import figure_of, listed, rate_of, tonnes_of
from ..charts import amounts, largest, lines, stacked
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ...instance.tables import Cap
    from ..view import View


def section(view: View) -> Section:
    """Sentences on the frame and the changes; figures of demand and prices; tables of caps, duties and ranges."""
    instance = view.instance
    demand = _demand(view)
    lead = [_frame(view), _plants(view)]
    lead += [_("Changed from the files: {change} ({did}).", change=a.change, did=a.did) for a in instance.changes]
    parts = [
        _demand_figure(view, demand) if demand else None,
        _price_figure(view),
        _cap_table(view),
        _tariff_table(view),
        _range_table(view),
    ]
    return Section("inputs", _("What went in"), lead, parts)


def _frame(view: View) -> str:
    instance = view.instance
    return _(
        "Money is {currency} of {price_year}, years are {span}, and money of later years is discounted by {rate} a "
        "year; a project pays {wacc} a year for its capital where its row says nothing else.",
        currency=instance.currency,
        price_year=instance.price_year,
        span=view.span,
        rate=rate_of(instance.discount_rate),
        wacc=rate_of(instance.wacc),
    )


def _plants(view: View) -> str:
    instance = view.instance
    ready = [f for f in instance.facilities if f.capacity_t or f.facility in instance.capacity_series]
    inside = sum(f.country in view.concern for f in ready)
    return " ".join(
        [
            n_("{n} plant has capacity of its own, {inside} in {concern}.",
               "{n} plants have capacity of their own, {inside} of them in {concern}.", len(ready), inside=inside,
               concern=view.concern_name),
            n_("{n} project may be built.", "{n} projects may be built.", len(instance.options)),
        ]
    )  # fmt: skip


def _demand(view: View) -> list[dict[str, Any]]:
    """Rows of sector, country, material, year and t/yr, for the first year of each period."""
    points: dict[tuple[str, str, str], dict[int | None, float]] = defaultdict(dict)
    for row in view.instance.demand:
        points[row.sector, row.country, row.material][row.year] = row.demand_t
    return [
        {"sector": sector, "country": country, "material": material, "year": year, "t": series_value(series, year)}
        for (sector, country, material), series in points.items()
        for year in view.years
    ]


def _demand_figure(view: View, rows: list[dict[str, Any]]) -> Figure:
    first, last = view.years[0], view.years[-1]
    asked = {year: sum(r["t"] for r in rows if r["year"] == year) for year in (first, last)}
    charts = {}
    for by, title, names in (
        ("sector", _("By sector"), view.sectors),
        ("country", _("By country"), view.countries),
    ):
        totals: dict[str, float] = defaultdict(float)
        for r in rows:
            totals[r[by]] += r["t"]
        groups = largest(totals, names.__getitem__, 7, lambda n: n_("{n} other", "{n} others", n))
        charts[title] = stacked(
            rows, "year", "t", by, "t", groups=groups, years=view.years, lengths=view.lengths, height=360
        )
    of = {s: sum(r["t"] for r in rows if r["sector"] == s and r["year"] == last) for s in view.sectors}
    said = [
        _("{name} {tonnes} t", name=view.sectors[s], tonnes=figure_of(of[s])) for s in sorted(of, key=lambda s: -of[s])
    ]
    title = _("{tonnes} are asked for in {year}", tonnes=tonnes_of(asked[last]), year=last)
    if first != last:
        title = _(
            "{tonnes} are asked for in {year}, {later} in {end}",
            tonnes=tonnes_of(asked[first]), year=first, later=tonnes_of(asked[last]), end=last,
        )  # fmt: skip
    summary = _("In {year}: {said}.", year=last, said=listed(said))
    return Figure("inputs-demand", title, summary, charts, rows=rows)


def _price_figure(view: View) -> Figure | None:
    """Prices of markets by material; None if the instance has none."""
    points: dict[str, dict[int | None, float]] = defaultdict(dict)
    for row in view.instance.market_prices:
        points[row.market][row.year] = row.price_usd_per_t
    if not points:
        return None
    markets = {m.market: m for m in view.instance.markets}
    by_material: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for market, series in points.items():
        of = markets[market]
        by_material[of.material] += [
            {"market": market, "country": of.country, "material": of.material, "year": year,
             "price_usd_per_t": series_value(series, year)}
            for year in view.years
        ]  # fmt: skip
    unit = _("{currency} per t", currency=view.instance.currency)
    charts = {
        view.materials[material]: lines(
            rows, "year", "price_usd_per_t", lambda r: f"{r['market']} ({view.countries[r['country']]})", xs=view.years,
            yaxis=amounts(unit, [r["price_usd_per_t"] for r in rows]), hover="%{y:,.4~g}", height=340,
        )
        for material, rows in sorted(by_material.items(), key=lambda item: view.materials[item[0]])
    }  # fmt: skip
    last = view.years[-1]
    said = [
        _(
            "{name} from {price} {unit}",
            name=view.materials[m],
            price=figure_of(min(r["price_usd_per_t"] for r in rows if r["year"] == last)),
            unit=unit,
        )
        for m, rows in sorted(by_material.items())
    ]
    title = n_("The price of {n} market is given", "The prices of {n} markets are given", len(points))
    rows = [row for some in by_material.values() for row in some]
    summary = _("In {year}: {said}.", year=last, said=listed(said))
    return Figure("inputs-prices", title, summary, charts, rows=rows)


def _cap_table(view: View) -> Table | None:
    instance = view.instance
    if not instance.caps:
        return None

    def what(cap: Cap) -> str:
        origin = view.countries.get(cap.origin, cap.origin)
        words = [translated(METRICS[cap.metric].short), cap.impact, cap.stage or view.materials.get(cap.material, ""),
                 view.countries.get(cap.country, cap.country), view.sectors.get(cap.sector, ""),
                 _("from {country}", country=origin) if origin else ""]  # fmt: skip
        return " ".join(filter(None, words))

    def end(cap: Cap, position: int) -> str:
        limits = cap_limits(instance, cap)
        if not limits:
            return ""
        year = list(limits)[position]
        return _("{limit} in {year}", limit=limit_in_words(instance, cap.cap, limits[year], 4), year=year)

    return Table(
        "table-inputs-limits",
        _("What dependence and impacts must keep to"),
        instance.caps,
        (
            Column(_("Cap"), lambda c: c.cap),
            Column(p_("a cap", "Of"), what),
            Column(_("Sense"), lambda c: _("at least") if c.sense == "min" else _("at most")),
            Column(_("At first"), lambda c: end(c, 0)),
            Column(_("At last"), lambda c: end(c, -1)),
            Column(_("Why"), lambda c: c.note),
        ),
    )


def _tariff_table(view: View) -> Table | None:
    if not view.instance.tariffs:
        return None
    every = {"*": _("any")}
    return Table(
        "table-inputs-duties",
        _("Duties"),
        view.instance.tariffs,
        (
            Column(_("Material"), lambda t: {**view.materials, **every}.get(t.material, t.material)),
            Column(p_("place", "From"), lambda t: {**view.countries, **every}.get(t.origin, t.origin)),
            Column(p_("place", "To"), lambda t: {**view.countries, **every}.get(t.destination, t.destination)),
            Column(_("First year"), lambda t: t.first_year, "year"),
            Column(_("Last year"), lambda t: t.last_year, "year"),
            Column(_("Rate"), lambda t: t.rate, "share"),
            Column(_("Sources"), lambda t: ", ".join(t.source)),
        ),
        folded=True,
    )


def _range_table(view: View) -> Table | None:
    """How far numbers with a range may lie from their value, by column; None if evidence.csv has no ranges."""
    told = rows_told_of(view.instance)
    parts: dict[tuple[str, str, str, str], list[tuple[float, float]]] = defaultdict(list)
    for e in view.instance.evidence:
        value = getattr(told.get((e.table, e.key)), e.column, None)
        if value and e.low is not None and e.high is not None:
            parts[e.table, e.column, e.kind, e.confidence].append((e.low / value, e.high / value))
    if not parts:
        return None

    def middle(end: int) -> Callable[[Any], float]:
        return lambda r: median(ends[end] for ends in r[1]) - 1.0

    return Table(
        "table-inputs-ranges",
        _("How far numbers may lie from what was taken"),
        list(parts.items()),
        (
            Column(_("Table"), lambda r: f"{r[0][0]}.csv"),
            Column(_("Column"), lambda r: r[0][1]),
            Column(_("Rests on"), lambda r: r[0][2]),
            Column(_("Confidence"), lambda r: r[0][3]),
            Column(_("Numbers"), lambda r: len(r[1]), "count"),
            Column(_("Low end, median"), middle(0), "share"),
            Column(_("High end, median"), middle(1), "share"),
        ),
        folded=True,
    )
