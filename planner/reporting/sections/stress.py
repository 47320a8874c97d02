"""What a plan suffers when a country, a stage, a plant or a material is lost: the worst cases, and who holds out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...words import capital, counted, figure_of, rate_of, tonnes_of
from ..parts import (
    BAR,
    VERMILLION,
    Column,
    Control,
    Data,
    Figure,
    Section,
    Table,
    amounts,
    grid,
    grid_width,
    layout,
    plain,
    rungs,
)

if TYPE_CHECKING:
    from ..studies import Row, Study
    from ..view import View

MOST = 15  # cases in the charts; the table holds all
HURTS = 1e-3  # t
COSTS = 1e-6  # MUSD
NONE = "none"  # the case in which nothing is lost
SHADES_OF_TIME = ((0.0, "#7a2e00"), (0.35, "#d55e00"), (0.65, "#f5c69f"), (0.99, "#e3eef6"), (1.0, "#e3eef6"))
MEASURES = (("lost_t", "Demand lost, t", "t"), ("extra_cost_musd", "Extra cost, M{}", "M{}"))


def section(view: View, study: Study) -> Section:
    """The worst cases, service by sector, the heat map, single losses and losses together."""
    cases = [c for c in study.tables["cases"] if c["kind"] != NONE]
    names = _names(view, study.tables["cases"])
    hurting = [c for c in cases if _hurts(c)]
    about = study.about
    lead = [
        f"{counted(len(cases), 'disruption')} tried one by one{_when(cases)}: the builds, and the stocks when it "
        "comes, are the plan's; nobody foresaw it; what is left serves whom it can, and shortage pays. "
        f"{_hurt_words(cases)}"
    ]
    checked = about.get("audited") and not about.get("faults")
    if checked:
        lead.append("Each case was recomputed from the raw tables, without the model: no violation.")
    warnings = [
        *study.warnings,
        *(f"the audit found fault with {case}: {f}" for case, f in about.get("faults", {}).items()),
    ]
    lead += [f"Note: {note}" for note in about.get("notes", ())]
    parts: list[Figure | Table] = []
    if hurting:
        parts.append(_worst_chart(view, hurting, names))
        served = _served_chart(view, study, hurting, names)
        parts += [served] if served else []
    heat = _heat(view, cases)
    parts += [heat] if heat else []
    parts += [_case_table(view, cases, names)] if cases else []
    if study.tables["n_minus_1"]:
        parts.append(_single_table(view, study, names))
    if study.tables["worst_of_k"]:
        parts.append(_together_table(view, study, names))
    return Section("losses", "What a stop would do", lead, parts, "Stress", warnings)


def _hurts(case: Row) -> bool:
    return bool(case["lost_t"] > HURTS or case["extra_cost_musd"] > COSTS)


def _hurt_words(cases: Sequence[Row]) -> str:
    short = sum(c["lost_t"] > HURTS for c in cases)
    dear = sum(c["lost_t"] <= HURTS and c["extra_cost_musd"] > COSTS for c in cases)
    rest = len(cases) - short - dear
    return f"{short} leave demand undelivered that the plan serves, {dear} only cost more, {rest} cost nothing."


def _when(cases: Sequence[Row]) -> str:
    """When they come and how long they last, if that is the same for all of them."""
    years, months, parts = ({c[k] for c in cases} for k in ("year", "months", "severity"))
    said = [f"in {min(years)}"] if len(years) == 1 else [f"in each of {len(years)} years"] if years else []
    if len(months) == 1:
        said.append(f"for {counted(next(iter(months)), 'month')}")
    if parts == {1.0}:
        said.append("all of it lost")
    elif len(parts) == 1:
        said.append(f"{rate_of(next(iter(parts)))} of it lost")
    return f" ({', '.join(said)})" if said else ""


Key = tuple[str, int, int, float]


def _key(row: Row) -> Key:
    return str(row["case"]), int(row["year"]), int(row["months"]), float(row["severity"])


def _names(view: View, cases: Sequence[Row]) -> Callable[[Row], str]:
    """A case in words, with year, length and severity where the cases of the study differ in them."""
    by_name = {str(c["case"]): c for c in cases}
    blows = [c for c in cases if c["kind"] != NONE]
    differ = {k: len({c[k] for c in blows}) > 1 for k in ("year", "months", "severity")}

    def one(name: str) -> str:
        return _loss(view, by_name[name]) if name in by_name else name

    def words(row: Row) -> str:
        said = " and ".join(one(part) for part in str(row["case"]).split(" + "))
        more = [str(row["year"])] if differ["year"] else []
        more += [counted(row["months"], "month")] if differ["months"] else []
        more += [rate_of(row["severity"])] if differ["severity"] and row["severity"] != 1.0 else []
        return capital(f"{said}, {', '.join(more)}" if more else said)

    return words


def _loss(view: View, case: Row) -> str:
    country = view.countries.get(case["country"], str(case["country"] or ""))
    family = case["family"]
    if case["kind"] == "scenario":
        key = str(case["case"]).partition(":")[2]
        return next((s.name for s in view.instance.scenarios if s.scenario == key), key)
    if case["kind"] == "export_stop":
        material = view.materials.get(case["material"], str(case["material"]))
        what = {"stage": f"nothing of the {case['stage']} stage", "material": f"no {material}"}.get(family, "nothing")
        return f"{country} exports {what}"
    if family == "facility":
        plant = view.facilities.get(case["facility"])
        return f"stop of {plant.name if plant else case['facility']}"
    return (
        f"stop of the {case['stage']} stage in {country}" if family == "stage" else f"stop of all plants of {country}"
    )


def _worst_chart(view: View, hurting: Sequence[Row], names: Callable[[Row], str]) -> Figure:
    currency = view.instance.currency
    measures = [
        ("lost_t", "Demand lost, tonnes", "t"),
        ("lost_musd", f"Demand lost at its shortage cost, million {currency}", f"M{currency}"),
        ("extra_cost_musd", f"Extra cost with shortage, million {currency} present value", f"M{currency}"),
    ]
    measures = [m for m in measures if any(c[m[0]] > COSTS for c in hurting)]
    views: dict[str, Any] = {}
    for n, (column, title, unit) in enumerate(measures):
        shown = [c for c in _worst(hurting, column) if c[column] > COSTS]
        trace = {
            **BAR,
            "y": list(range(len(shown))),
            "x": [c[column] for c in shown],
            "text": [figure_of(c[column]) for c in shown],
            "marker": {"color": VERMILLION},
            "customdata": [_spoken(c, names(c), unit, column) for c in shown],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        axis = amounts(title, [c[column] for c in shown])
        views[str(n)] = {"data": [trace], "layout": rungs([names(c) for c in shown], axis)}
    worst = max(hurting, key=lambda c: (c["lost_t"], c["extra_cost_musd"]))
    title = f"{names(worst)}: {tonnes_of(worst['lost_t'])} less are delivered"
    if worst["lost_t"] <= HURTS:
        title = f"No tonne is lost; {names(worst)}: {view.money(worst['extra_cost_musd'])} more"
    return Figure(
        "losses-worst",
        title,
        "The worst: "
        + "; ".join(
            f"{names(c)} {figure_of(c['lost_t'])} t, {view.money(c['extra_cost_musd'])}"
            for c in _worst(hurting, "lost_t")[:8]
        )
        + ".",
        views,
        layout(),
        Data(
            ("case", "year", "months", "severity", "lost_t", "lost_musd", "extra_cost_musd"),
            [
                tuple(c[k] for k in ("case", "year", "months", "severity", "lost_t", "lost_musd", "extra_cost_musd"))
                for c in hurting
            ],
        ),
        (Control("Show", "select", tuple(title for _, title, _ in measures)),),
        height=views["0"]["layout"]["height"],
        caption=f"At most the {MOST} worst of {counted(len(hurting), 'disruption')} that cost something."
        if len(hurting) > MOST
        else None,
    )


def _worst(cases: Sequence[Row], column: str) -> list[Row]:
    return sorted(cases, key=lambda c: (-c[column], -c["extra_cost_musd"], c["year"], str(c["case"])))[:MOST]


def _spoken(case: Row, name: str, unit: str, column: str) -> str:
    missed = f"<br>missed most: {plain(str(case['decisive']))}" if case.get("decisive") else ""
    return f"<b>{plain(name)}</b><br>{figure_of(case[column])} {plain(unit)}{missed}"


# --- how long each sector is served ---


def _served_chart(view: View, study: Study, hurting: Sequence[Row], names: Callable[[Row], str]) -> Figure | None:
    """Months served by case and sector: of what is delivered, and until the first tonne is lost."""
    consumers: dict[Key, list[Row]] = defaultdict(list)
    for r in study.tables["by_sector"]:
        consumers[_key(r)].append(r)
    shown = [c for c in _worst(hurting, "lost_t") if c["lost_t"] > HURTS and consumers.get(_key(c))]
    if not shown:
        return None
    present = {str(r["sector"]) for c in shown for r in consumers[_key(c)]}
    sectors = [s for s in [*view.sectors, *sorted(present - set(view.sectors))] if s in present]
    across, down = [view.sectors.get(s, s) for s in sectors], [names(c) for c in shown]
    served = [[_served(consumers[_key(c)], s) for s in sectors] for c in shown]
    held = [[_held(consumers[_key(c)], s) for s in sectors] for c in shown]
    top = float(max(c["months"] for c in shown))
    scale = {"zmin": 0.0, "zmax": top, "colorscale": SHADES_OF_TIME}
    views: dict[str, Any] = {"0": grid(across, down, served, "months", **scale)}
    choices = ["Months of demand served from the blow on"]
    if any(v is not None for line in held for v in line):
        views["1"] = grid(across, down, held, "months", **scale)
        choices.append("Months it could last with nobody short")
    worst = shown[0]
    known = [(s, v) for s, v in zip(across, served[0], strict=True) if v is not None]
    return Figure(
        "losses-served",
        f"How long each sector is served, of {counted(worst['months'], 'month')}",
        f"{names(worst)}: " + ", ".join(f"{s} {figure_of(v, 2)} months" for s, v in known) + ".",
        views,
        layout(),
        Data(
            ("case", "year", "months", "severity", "sector", "months_served", "months_survived"),
            [
                (*_key(c), sector, served[i][j], held[i][j])
                for i, c in enumerate(shown)
                for j, sector in enumerate(sectors)
            ],
        ),
        (Control("Show", "select", tuple(choices)),),
        height=views["0"]["layout"]["height"],
        least=grid_width(len(across)),
        caption="Months of each sector's demand that are served while the disruption lasts, its consumers weighted by "
        "demand; and for how many whole months it could last before its first consumer loses a tonne. Darker is worse.",
    )


def _served(rows: Sequence[Row], sector: str) -> float | None:
    mine = [r for r in rows if r["sector"] == sector and r["months_served"] is not None and r["demand_t"] > 0]
    demand = sum(r["demand_t"] for r in mine)
    return sum(r["months_served"] * r["demand_t"] for r in mine) / demand if demand else None


def _held(rows: Sequence[Row], sector: str) -> float | None:
    known = [r.get("months_survived") for r in rows if r["sector"] == sector]
    return min((k for k in known if k is not None), default=None)


# --- the heat map ---


def _heat(view: View, cases: Sequence[Row]) -> Figure | None:
    """What is lost, by what stops and where, year by year."""
    kinds = (
        ("No exports of a material", [c for c in cases if c["family"] == "material"]),
        (
            "No exports of a stage",
            [c for c in cases if c["kind"] == "export_stop" and c["family"] in ("stage", "country")],
        ),
        (
            "No plant of a stage works",
            [c for c in cases if c["kind"] == "outage" and c["family"] in ("stage", "country")],
        ),
    )
    known = [(title, rows) for title, rows in kinds if any(_hurts(r) for r in rows)]
    if not known:
        return None
    currency = view.instance.currency
    years = sorted({c["year"] for _, rows in known for c in rows})
    measures = [m for m in MEASURES if any(c[m[0]] > COSTS for _, rows in known for c in rows)]
    views: dict[str, Any] = {}
    widest = 0
    for k, (_, rows) in enumerate(known):
        down, across = _axes(view, rows)
        columns, lines = ([name for _, name in axis] for axis in (across, down))
        widest = max(widest, len(columns))
        for m, (column, _, unit) in enumerate(measures):
            top = max(c[column] for c in rows)
            for y, year in enumerate(years):
                cells: dict[tuple[str, str], float] = {}
                for c in rows:
                    if c["year"] == year:
                        place = (_element(c), str(c["country"]))
                        cells[place] = max(c[column], cells.get(place, 0.0))
                values = [[cells.get((e, p)) for p, _ in across] for e, _ in down]
                views[f"{k},{m},{y}"] = grid(
                    columns, lines, values, unit.format(currency), zmin=0.0, zmax=max(top, COSTS)
                )
    every = [c for _, rows in known for c in rows]
    column = measures[0][0]
    worst = max(every, key=lambda c: c[column])
    first = next(n for n, (_, rows) in enumerate(known) if any(c[column] >= worst[column] for c in rows))
    names_of = _names(view, cases)
    return Figure(
        "losses-heat",
        f"Where it hurts: {len([c for c in every if _hurts(c)])} of {counted(len(every), 'stop')} cost something",
        "The worst: "
        + "; ".join(
            f"{names_of(c)} {figure_of(c['lost_t'])} t, {view.money(c['extra_cost_musd'])}"
            for c in _worst(every, column)[:6]
        )
        + ".",
        views,
        layout(),
        Data(
            ("family", "kind", "element", "country", "year", "lost_t", "extra_cost_musd"),
            [
                (
                    c["family"],
                    c["kind"],
                    _element(c) or "all",
                    c["country"],
                    c["year"],
                    c["lost_t"],
                    c["extra_cost_musd"],
                )
                for c in every
            ],
        ),
        (
            Control("What stops", "select", tuple(title for title, _ in known), first),
            Control("Show", "select", tuple(title.format(currency) for _, title, _ in measures)),
            Control("Year", "range", tuple(str(y) for y in years), years.index(worst["year"])),
        ),
        height=views[f"{first},0,{years.index(worst['year'])}"]["layout"]["height"],
        least=grid_width(widest),
        caption="Rows: what stops; columns: where. Empty: the plan has nothing there to lose. Rows and columns in "
        "which nothing costs anything are left out. One colour scale for all years.",
    )


def _element(case: Row) -> str:
    """Key of the material or stage; "" for all of a country."""
    return str(case["material"] if case["family"] == "material" else case["stage"] if case["family"] == "stage" else "")


Axis = list[tuple[str, str]]  # keys and names


def _axes(view: View, rows: Sequence[Row]) -> tuple[Axis, Axis]:
    """Elements along the chain, and countries by what their stops cost; only those where something costs."""
    costly = [c for c in rows if _hurts(c)]
    elements = {_element(c) for c in costly}
    if rows[0]["family"] == "material":
        down = [(m, name) for m, name in view.materials.items() if m in elements]
    else:
        down = [(s, s or "everything") for s in (*view.instance.stages, "") if s in elements]
    cost: dict[str, float] = defaultdict(float)
    for c in costly:
        cost[str(c["country"])] += c["extra_cost_musd"]
    across = [(p, view.countries.get(p, p)) for p in sorted(cost, key=lambda p: (-cost[p], p))]
    return down, across


# --- tables ---


def _case_table(view: View, cases: Sequence[Row], names: Callable[[Row], str]) -> Table:
    currency = view.instance.currency
    return Table(
        "table-cases",
        "Every disruption, the worst first",
        (
            Column("What is lost"),
            Column("Year", "year"),
            Column("Months", "count"),
            Column("Part lost", "share"),
            Column("Demand lost, t", "number"),
            Column(f"At shortage cost, M{currency}", "number"),
            Column(f"Extra cost, M{currency}", "number"),
            Column("Least months served", "number"),
            Column("Could last, months", "number"),
            Column("Missed most"),
            Column(f"Worth, {currency}/kg", "number"),
        ),
        [
            (
                names(c),
                c["year"],
                c["months"],
                c["severity"],
                c["lost_t"],
                c["lost_musd"],
                c["extra_cost_musd"],
                c.get("least_months_served"),
                c.get("least_months_survived"),
                str(c.get("decisive") or ""),
                c.get("decisive_usd_per_kg") if c.get("decisive") else None,
            )
            for c in cases
        ],
        folded=len(cases) > 12,
    )


def _single_table(view: View, study: Study, names: Callable[[Row], str]) -> Table:
    currency = view.instance.currency
    rows = study.tables["n_minus_1"]
    return Table(
        "table-single",
        "N-1: the loss of any one country or plant, ranked",
        (
            Column("Rank", "count"),
            Column("What is lost"),
            Column("Year", "year"),
            Column("Demand lost, t", "number"),
            Column(f"Extra cost, M{currency}", "number"),
            Column("Could last, months", "number"),
            Column("Missed most"),
        ),
        [
            (
                r["rank"],
                names(r),
                r["year"],
                r["lost_t"],
                r["extra_cost_musd"],
                r.get("least_months_survived"),
                str(r.get("decisive") or ""),
            )
            for r in rows
        ],
        folded=len(rows) > 12,
    )


def _together_table(view: View, study: Study, names: Callable[[Row], str]) -> Table:
    currency = view.instance.currency
    rows = study.tables["worst_of_k"]
    return Table(
        "table-together",
        "Several losses at once, the worst first",
        (
            Column("At once", "count"),
            Column("Of"),
            Column("What is lost"),
            Column("Year", "year"),
            Column("Demand lost, t", "number"),
            Column(f"Extra cost, M{currency}", "number"),
            Column("All tried"),
        ),
        [
            (
                r["k"],
                r["group"],
                names(r),
                r["year"],
                r["lost_t"],
                r.get("extra_cost_musd"),
                "yes" if r["exhaustive"] else "no",
            )
            for r in rows
        ],
        folded=len(rows) > 12,
    )


def in_words(view: View, study: Study) -> str:
    """The worst case, and how many cost nothing."""
    cases = [c for c in study.tables["cases"] if c["kind"] != NONE]
    if not cases:
        return ""
    names = _names(view, study.tables["cases"])
    worst = max(cases, key=lambda c: (c["lost_t"], c["extra_cost_musd"]))
    short = sum(c["lost_t"] > HURTS for c in cases)
    tried = counted(len(cases), "disruption")
    if not short:
        return f"None of {tried} tried leaves demand undelivered that the plan serves."
    leave = "leaves" if short == 1 else "leave"
    return (
        f"Of {tried} tried{_when(cases)}, {short} {leave} demand undelivered. The worst: {names(worst)}, "
        f"{tonnes_of(worst['lost_t'])}."
    )
