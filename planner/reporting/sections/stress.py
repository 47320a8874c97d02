"""What a plan suffers when a country, a stage, a plant or a material is lost: the worst cases, and who holds out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...language import N_, _, n_, p_, translated
from ...words import capital, commas, figure_of, rate_of, told, tonnes_of
from ..charts import amounts
from ..diagrams import heat, heat_width
from ..looks import SHADES_OF_TIME, VERMILLION, Look
from ..parts import Column, Control, Figure, Section, Table
from ..ranked import Bar, ranked

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import View

MOST = 15  # cases in the charts; the table holds all
HURTS = 1e-3  # t
COSTS = 1e-6  # MUSD
NONE = "none"  # the case in which nothing is lost
MEASURES = (("lost_t", N_("Demand lost, t"), "t"), ("extra_cost_musd", N_("Extra cost, M{currency}"), "M{currency}"))


def section(view: View, study: Shown) -> Section:
    """The worst cases, service by sector, the heat map, single losses and losses together."""
    cases = [c for c in study.tables["cases"] if c["kind"] != NONE]
    names = _names(view, study.tables["cases"])
    hurting = [c for c in cases if _hurts(c)]
    about = study.about
    lead = [
        _(
            "{tried} tried one by one{when}: the builds, and the stocks when it comes, are the "
            "plan's; nobody foresaw it; what is left serves whom it can, and shortage pays. {hurt}",
            tried=n_("{n} disruption", "{n} disruptions", len(cases)),
            when=_when(cases),
            hurt=_hurt_words(cases),
        )
    ]
    checked = about.get("audited") and not about.get("faults")
    if checked:
        lead.append(_("Each case was recomputed from the raw tables, without the model: no violation."))
    warnings = [
        *study.warnings,
        *(
            _("the audit found fault with {case}: {fault}", case=case, fault=f)
            for case, f in about.get("faults", {}).items()
        ),
    ]
    lead += [_("Note: {note}", note=note) for note in about.get("notes", ())]
    parts = [
        _worst_chart(view, hurting, names) if hurting else None,
        _served_chart(view, study, hurting, names),
        _heat(view, cases),
        _case_table(view, cases, names) if cases else None,
        _single_table(view, study, names) if study.tables["n_minus_1"] else None,
        _together_table(view, study, names) if study.tables["worst_of_k"] else None,
    ]
    return Section("losses", _("What a stop would do"), lead, parts, _("Stress"), warnings)


def _hurts(case: Row) -> bool:
    return bool(case["lost_t"] > HURTS or case["extra_cost_musd"] > COSTS)


def _hurt_words(cases: Sequence[Row]) -> str:
    short = sum(c["lost_t"] > HURTS for c in cases)
    dear = sum(c["lost_t"] <= HURTS and c["extra_cost_musd"] > COSTS for c in cases)
    rest = len(cases) - short - dear
    return _(
        "{short} leave demand undelivered that the plan serves, {dear} only cost more, {rest} cost nothing.",
        short=short,
        dear=dear,
        rest=rest,
    )


def _when(cases: Sequence[Row]) -> str:
    """When they come and how long they last, if that is the same for all of them."""
    years, months, parts = ({c[k] for c in cases} for k in ("year", "months", "severity"))
    said = (
        [_("in {year}", year=min(years))]
        if len(years) == 1
        else [_("in each of {n} years", n=len(years))]
        if years
        else []
    )
    if len(months) == 1:
        said.append(n_("for {n} month", "for {n} months", next(iter(months))))
    if parts == {1.0}:
        said.append(_("all of it lost"))
    elif len(parts) == 1:
        said.append(_("{rate} of it lost", rate=rate_of(next(iter(parts)))))
    return _(" ({parts})", parts=commas(said)) if said else ""


Key = tuple[str, int, int, float]


def _key(row: Row) -> Key:
    return str(row["case"]), int(row["year"]), int(row["months"]), float(row["severity"])


def _names(view: View, cases: Sequence[Row]) -> Callable[[Row], str]:
    """A case in words, with year, length and severity where the cases of the study differ in them."""
    by_name = {str(c["case"]): c for c in cases}
    shocks = [c for c in cases if c["kind"] != NONE]
    differ = {k: len({c[k] for c in shocks}) > 1 for k in ("year", "months", "severity")}

    def one(name: str) -> str:
        return _loss(view, by_name[name]) if name in by_name else name

    def words(row: Row) -> str:
        said = p_("between losses", " and ").join(one(part) for part in str(row["case"]).split(" + "))
        more = [str(row["year"])] if differ["year"] else []
        more += [n_("{n} month", "{n} months", row["months"])] if differ["months"] else []
        more += [rate_of(row["severity"])] if differ["severity"] and row["severity"] != 1.0 else []
        return capital(_("{loss}, {more}", loss=said, more=commas(more)) if more else said)

    return words


def _loss(view: View, case: Row) -> str:
    country = view.countries.get(case["country"], str(case["country"] or ""))
    family = case["family"]
    if case["kind"] == "scenario":
        key = str(case["case"]).partition(":")[2]
        return next((s.name for s in view.instance.scenarios if s.scenario == key), key)
    if case["kind"] == "export_stop":
        material = view.materials.get(case["material"], str(case["material"]))
        if family == "stage":
            return _("{country} exports nothing of the {stage} stage", country=country, stage=case["stage"])
        if family == "material":
            return _("{country} exports no {material}", country=country, material=material)
        return _("{country} exports nothing", country=country)
    if family == "facility":
        plant = view.facilities.get(case["facility"])
        return _("stop of {plant}", plant=plant.name if plant else case["facility"])
    if family == "owner":
        return _("stop of all plants of {country}", country=str(case["case"]).partition(":")[2])
    return (
        _("stop of the {stage} stage in {country}", stage=case["stage"], country=country)
        if family == "stage"
        else _("stop of all plants of {country}", country=country)
    )


def _worst_chart(view: View, hurting: Sequence[Row], names: Callable[[Row], str]) -> Figure:
    """The worst cases by tonnes lost, by their shortage cost, and by extra cost."""
    currency = view.instance.currency
    charts = {}
    for column, title, unit in (
        ("lost_t", _("Demand lost, tonnes"), "t"),
        ("lost_musd", _("Demand lost at its shortage cost, million {currency}", currency=currency), view.musd),
        (
            "extra_cost_musd",
            _("Extra cost with shortage, million {currency} present value", currency=currency),
            view.musd,
        ),
    ):
        shown = [c for c in _worst(hurting, column) if c[column] > COSTS]

        def said(case: Row, column: str = column, unit: str = unit) -> list[str]:
            missed = _("missed most: {material}", material=case["decisive"]) if case.get("decisive") else ""
            return [names(case), f"{figure_of(case[column])} {unit}", missed]

        bar = Bar(column, look=Look(VERMILLION), text=figure_of, says=said)
        if shown:
            charts[title] = ranked(shown, names, [bar], amounts(title, [c[column] for c in shown]))
    worst = max(hurting, key=lambda c: (c["lost_t"], c["extra_cost_musd"]))
    title = _("{loss}: {tonnes} less are delivered", loss=names(worst), tonnes=tonnes_of(worst["lost_t"]))
    if worst["lost_t"] <= HURTS:
        title = _(
            "No tonne is lost; {loss}: {amount} more", loss=names(worst), amount=view.money(worst["extra_cost_musd"])
        )
    each = [_lost(view, names(c), c) for c in _worst(hurting, "lost_t")[:8]]
    return Figure(
        "losses-worst",
        title,
        told(_("The worst"), each),
        charts,
        columns="case year months severity lost_t lost_musd extra_cost_musd answered_musd",
        rows=hurting,
        caption=_(
            "At most the {most} worst of {n} disruptions that cost something.",
            most=MOST,
            n=len(hurting),
        )
        if len(hurting) > MOST
        else None,
    )


def _lost(view: View, name: str, case: Row) -> str:
    return _(
        "{loss} {tonnes} t, {amount}",
        loss=name,
        tonnes=figure_of(case["lost_t"]),
        amount=view.money(case["extra_cost_musd"]),
    )


def _worst(cases: Sequence[Row], column: str) -> list[Row]:
    return sorted(cases, key=lambda c: (-c[column], -c["extra_cost_musd"], c["year"], str(c["case"])))[:MOST]


# --- how long each sector is served ---


def _served_chart(view: View, study: Shown, hurting: Sequence[Row], names: Callable[[Row], str]) -> Figure | None:
    """Months served by case and sector: of what is delivered, and until the first tonne is lost."""
    consumers: dict[Key, list[Row]] = defaultdict(list)
    for r in study.tables["by_sector"]:
        consumers[_key(r)].append(r)
    shown = [c for c in _worst(hurting, "lost_t") if c["lost_t"] > HURTS and consumers.get(_key(c))]
    if not shown:
        return None
    present = {str(r["sector"]) for c in shown for r in consumers[_key(c)]}
    sectors = [s for s in [*view.sectors, *sorted(present - set(view.sectors))] if s in present]
    across, down = {s: view.sectors.get(s, s) for s in sectors}, {_key(c): names(c) for c in shown}
    rows = [
        {**c, "key": _key(c), "sector": s, "months_served": _served(consumers[_key(c)], s),
         "months_survived": _held(consumers[_key(c)], s, c["months"])}
        for c in shown
        for s in sectors
    ]  # fmt: skip
    scale = {"zmin": 0.0, "zmax": float(max(c["months"] for c in shown)), "colorscale": SHADES_OF_TIME}
    charts = {
        title: heat(rows, "sector", "key", column, _("months"), across, down, **scale)
        for title, column in (
            (_("Months of demand served from the shock on"), "months_served"),
            (_("Months for which it can be kept whole"), "months_survived"),
        )
        if column == "months_served" or any(r[column] is not None for r in rows)
    }
    worst = shown[0]
    known = [r for r in rows[: len(sectors)] if r["months_served"] is not None]
    return Figure(
        "losses-served",
        n_(
            "How long each sector is served, of {n} month",
            "How long each sector is served, of {n} months",
            worst["months"],
        ),
        told(names(worst), [commas(_served_words(across[r["sector"]], r["months_served"]) for r in known)]),
        charts,
        columns="case year months severity sector months_served months_survived",
        least=heat_width(len(across)),
        caption=_(
            "Months of each sector's demand that are served while the disruption lasts, its consumers weighted by "
            "demand; and for how many months from the shock on all of them can be kept whole, if the sector comes "
            "first (by the clock of years: how many the disruption could last before one of them loses a tonne). The "
            "stronger the colour, the worse."
        ),
    )


def _served_words(sector: str, months: float) -> str:
    return _("{sector} {months} months", sector=sector, months=figure_of(months, 2))


def _served(rows: Sequence[Row], sector: str) -> float | None:
    mine = [r for r in rows if r["sector"] == sector and r["months_served"] is not None and r["demand_t"] > 0]
    demand = sum(r["demand_t"] for r in mine)
    return sum(r["months_served"] * r["demand_t"] for r in mine) / demand if demand else None


def _held(rows: Sequence[Row], sector: str, months: float) -> float | None:
    """Months for which all of a sector can be kept, at most those of the disruption; None: not searched."""
    known = [r.get("sector_months_survived") for r in rows if r["sector"] == sector]
    return min((min(k, months) for k in known if k is not None), default=None)


# --- the heat map ---


def _heat(view: View, cases: Sequence[Row]) -> Figure | None:
    """What is lost, by what stops and where, year by year."""
    wide = ("stage", "country")
    kinds = {
        _("No exports of a material"): [c for c in cases if c["family"] == "material"],
        _("No exports of a stage"): [c for c in cases if c["kind"] == "export_stop" and c["family"] in wide],
        _("No plant of a stage works"): [c for c in cases if c["kind"] == "outage" and c["family"] in wide],
    }
    known = {
        title: [{**c, "element": _element(c), "country": str(c["country"])} for c in rows]
        for title, rows in kinds.items()
        if any(_hurts(c) for c in rows)
    }
    if not known:
        return None
    every = [c for rows in known.values() for c in rows]
    years = sorted({c["year"] for c in every})
    measures = {m: (title, unit) for m, title, unit in MEASURES if any(c[m] > COSTS for c in every)}
    charts, widest = {}, 0
    for kind, rows in known.items():
        down, across = _axes(view, rows)
        widest = max(widest, len(across))
        for column, (_title, unit) in measures.items():
            top = max(COSTS, *(c[column] for c in rows))
            for year in years:
                here = [{**c, column: max(0.0, c[column])} for c in rows if c["year"] == year]
                words = translated(unit).format(currency=view.instance.currency)
                charts[kind, column, year] = heat(
                    here, "country", "element", column, words, across, down, zmin=0.0, zmax=top
                )
    column = next(iter(measures))
    worst = max(every, key=lambda c: c[column])
    first = next(kind for kind, rows in known.items() if any(c[column] >= worst[column] for c in rows))
    names_of = _names(view, cases)
    each = [_lost(view, names_of(c), c) for c in _worst(every, column)[:6]]
    return Figure(
        "losses-heat",
        n_(
            "Where it hurts: {hurting} of {n} stop cost something",
            "Where it hurts: {hurting} of {n} stops cost something",
            len(every),
            hurting=len([c for c in every if _hurts(c)]),
        ),
        told(_("The worst"), each),
        charts,
        (
            Control(_("What stops"), list(known), first),
            Control(
                _("Show"),
                {
                    m: translated(title).format(currency=view.instance.currency)
                    for m, (title, _unit) in measures.items()
                },
            ),
            Control(_("Year"), {y: str(y) for y in years}, worst["year"], "range"),
        ),
        columns="family kind element country year lost_t extra_cost_musd",
        rows=[{**c, "element": c["element"] or "all"} for c in every],
        least=heat_width(widest),
        caption=_(
            "Rows: what stops; columns: where. Empty: the plan has nothing there to lose. Rows and columns in "
            "which nothing costs anything are left out. One colour scale for all years."
        ),
    )


def _element(case: Row) -> str:
    """Key of the material or stage; "" for all of a country."""
    return str(case["material"] if case["family"] == "material" else case["stage"] if case["family"] == "stage" else "")


def _axes(view: View, rows: Sequence[Row]) -> tuple[dict[str, str], dict[str, str]]:
    """Elements along the chain, and countries by what their stops cost; only those where something costs."""
    costly = [c for c in rows if _hurts(c)]
    elements = {c["element"] for c in costly}
    if rows[0]["family"] == "material":
        down = {m: name for m, name in view.materials.items() if m in elements}
    else:
        down = {s: s or _("everything") for s in (*view.instance.stages, "") if s in elements}
    cost: dict[str, float] = defaultdict(float)
    for c in costly:
        cost[c["country"]] += c["extra_cost_musd"]
    return down, {p: view.countries.get(p, p) for p in sorted(cost, key=lambda p: (-cost[p], p))}


# --- tables ---


def _case_table(view: View, cases: Sequence[Row], names: Callable[[Row], str]) -> Table:
    return Table(
        "table-cases",
        _("Every disruption, the worst first"),
        cases,
        (
            Column(_("What is lost"), names),
            Column(_("Year"), "year", "year"),
            Column(_("Months"), "months", "count"),
            Column(_("Part lost"), "severity", "share"),
            Column(_("Demand lost, t"), "lost_t", "number"),
            Column(_("At shortage cost, {unit}", unit=view.musd), "lost_musd", "number"),
            Column(_("Extra cost, {unit}", unit=view.musd), "extra_cost_musd", "number"),
            Column(_("Least months served"), "least_months_served", "number"),
            Column(_("All are kept, months"), "months_survived", "number"),
            Column(_("Missed most"), "decisive"),
            Column(
                _("Worth, {currency}/kg", currency=view.instance.currency),
                lambda c: c.get("decisive_usd_per_kg") if c.get("decisive") else None,
                "number",
            ),
        ),
    )


def _single_table(view: View, study: Shown, names: Callable[[Row], str]) -> Table:
    return Table(
        "table-single",
        _("N-1: the loss of any one country or plant, ranked"),
        study.tables["n_minus_1"],
        (
            Column(_("Rank"), "rank", "count"),
            Column(_("What is lost"), names),
            Column(_("Year"), "year", "year"),
            Column(_("Demand lost, t"), "lost_t", "number"),
            Column(_("Extra cost, {unit}", unit=view.musd), "extra_cost_musd", "number"),
            Column(_("All are kept, months"), "months_survived", "number"),
            Column(_("Missed most"), "decisive"),
        ),
    )


def _together_table(view: View, study: Shown, names: Callable[[Row], str]) -> Table:
    return Table(
        "table-together",
        _("Several losses at once, the worst first"),
        study.tables["worst_of_k"],
        (
            Column(_("At once"), "k", "count"),
            Column(p_("group", "Of"), "group"),
            Column(_("What is lost"), names),
            Column(_("Year"), "year", "year"),
            Column(_("Demand lost, t"), "lost_t", "number"),
            Column(_("Extra cost, {unit}", unit=view.musd), "extra_cost_musd", "number"),
            Column(_("All tried"), lambda r: _("yes") if r["exhaustive"] else _("no")),
        ),
    )


def in_words(view: View, study: Shown) -> str:
    """The worst case, and how many cost nothing."""
    cases = [c for c in study.tables["cases"] if c["kind"] != NONE]
    if not cases:
        return ""
    names = _names(view, study.tables["cases"])
    worst = max(cases, key=lambda c: (c["lost_t"], c["extra_cost_musd"]))
    short = sum(c["lost_t"] > HURTS for c in cases)
    tried = n_("{n} disruption", "{n} disruptions", len(cases))
    if not short:
        return _("None of {tried} tried leaves demand undelivered that the plan serves.", tried=tried)
    return n_(
        "Of {tried} tried{when}, {n} leaves demand undelivered. The worst: {loss}, {tonnes}.",
        "Of {tried} tried{when}, {n} leave demand undelivered. The worst: {loss}, {tonnes}.",
        short,
        tried=tried,
        when=_when(cases),
        loss=names(worst),
        tonnes=tonnes_of(worst["lost_t"]),
    )
