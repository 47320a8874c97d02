"""Why this plan: what binds, what each project is worth or lacks, the bottlenecks, premiums, and price support."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...bands import ROUNDING, Band
from ...questions.explain.result import STEPS, step_of
from ...words import capital, counted, figure_of, shortened, told
from .. import charts
from ..charts import Bar, Value, amounts
from ..looks import BLUE, ORANGE, SERIES, SKY, Look
from ..parts import Column, Control, Figure, Section, Table, project_columns

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import View

MOST = 15  # bars of a chart; the tables hold the rest
TINY = 1e-9


def section(view: View, study: Shown) -> Section:
    """What binds, projects built and not built, bottlenecks, premiums, price support."""
    lead = [
        "Two kinds of numbers, each named beside it: a dual is a rate at the margin, with the builds held; a re-solve "
        "is the difference of two whole solves. Rates say nothing of large changes. Money is present value, "
        f"million {view.instance.currency}, unless a year is named."
    ]
    limits = _limits(view, study)
    if not limits:
        lead.append("No cap, capacity, budget or lead time binds: none of them makes the plan dearer.")
    built = [p for p in study.tables["projects"] if p["built"] == "yes"]
    others = [p for p in study.tables["projects"] if p["built"] != "yes"]
    entries = _entries(study)
    parts = [
        _limit_chart(view, limits) if limits else None,
        _limit_table(view, limits) if limits else None,
        _built_chart(view, built) if built else None,
        _built_table(view, built) if built else None,
        *([_entry_chart(view, others, entries), _lacks_table(view, others, entries)] if others else []),
        _bottlenecks(view, study),
        _premiums(view, study),
        *_support(view, study),
    ]
    lead += [f"Note: {note}" for note in study.about.get("notes", ())]
    return Section("reasons", "Why this plan", lead, parts, "Why", study.warnings)


# --- what binds ---


def _limits(view: View, study: Shown) -> list[Row]:
    """Limits that bind, all years of one together, the most valuable first."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in study.tables["binding"]:
        groups[tuple(str(row[k]) for k in ("kind", "name", "country", "unit", "how"))].append(row)
    found = []
    for (kind, name, country, unit, how), rows in groups.items():
        top = max(rows, key=lambda r: (r["saves_musd"], -r["year"]))
        years = sorted(r["year"] for r in rows if r["year"])
        found.append(
            {
                "kind": kind.replace("_", " "),
                "name": _called(view, name),
                "country": view.countries.get(country, country),
                "unit": STEPS[kind],
                "step": step_of(kind, unit, [r["step"] for r in rows]),
                "saves_musd": sum(r["saves_musd"] for r in rows),
                "rate": f"{figure_of(sum(r['worth_musd'] for r in rows), 4)} a {unit}",
                "holds": "no" if any(r["holds"] == "no" for r in rows) else rows[0]["holds"],
                "first_year": years[0] if years else None,
                "last_year": years[-1] if years else None,
                "most": top["year"] or None,
                "says": top["says"],
                "how": how,
            }
        )
    return sorted(found, key=lambda r: (-r["saves_musd"], r["kind"], r["name"], r["country"]))


def _called(view: View, key: str) -> str:
    """A row of the instance by its name, if it is a plant, a project or a sector; else by its key."""
    if key in view.facilities:
        return view.facilities[key].name
    return view.project(key) if key in view.options else view.sectors.get(key, key)


def _said(limit: Row) -> str:
    where = f" ({limit['country']})" if limit["country"] else ""
    return f"{limit['kind']} {limit['name']}{where}"


def _label(limit: Row) -> str:
    kind = "" if limit["kind"] == "capacity" else f"{limit['kind']} "
    where = f" · {limit['country']}" if limit["country"] else ""
    return f"{kind}{shortened(limit['name'], 36)}{where}"


def _limit_chart(view: View, limits: Sequence[Row]) -> Figure:
    """What a step of each limit would save; limits with one kind of step share a chart."""
    views = {}
    bar = Bar("saves_musd", text=figure_of, says=lambda r: [_said(r), r["step"], r["says"], r["how"]])
    for unit in dict.fromkeys(r["unit"] for r in limits):
        rows = [r for r in limits if r["unit"] == unit]
        axis = amounts(f"million {view.instance.currency}", [r["saves_musd"] for r in rows[:MOST]])
        views[unit] = charts.ranked(rows, _label, [bar], axis, most=MOST)
    first = limits[0]
    each = [f"{_said(r)}, {r['step']}: {view.money(r['saves_musd'])}" for r in limits[:6]]
    return Figure(
        "reasons-limits",
        f"{capital(_said(first))}: {first['step']} would save {view.money(first['saves_musd'])}",
        told("What easing each limit by a tenth, a point or a year would save, in all its years", each),
        views,
        (Control("What it would save", list(views)),),
        columns="kind name country first_year last_year step saves_musd rate holds says how",
        rows=limits,
        caption="Saving in present value, all years of the limit together. Points and years are not comparable with "
        "tenths, so each kind of step has a chart of its own.",
    )


def _limit_table(view: View, limits: Sequence[Row]) -> Table:
    return Table(
        "table-limits",
        "Every limit that binds",
        limits,
        (
            Column("Limit", "name"),
            Column("Kind", "kind"),
            Column("Country", "country"),
            Column("From", "first_year", "year"),
            Column("To", "last_year", "year"),
            Column("Step", "step"),
            Column(f"Saves, {view.musd}", "saves_musd", "number"),
            Column(f"At the margin, {view.musd}", "rate"),
            Column("Holds over the step", "holds"),
            Column("Most in", "most", "year"),
            Column("In words", "says"),
            Column("How", "how"),
        ),
    )


# --- projects ---


def _built_chart(view: View, built: Sequence[Row]) -> Figure:
    """What each built project is worth: the plan without it, and its earnings at the margin."""
    known = [p for p in built if p["value_musd"] is not None]
    million = f"million {view.instance.currency}"
    views = {}
    if known:
        shown = sorted(known, key=lambda p: (-p["value_musd"], p["option"]))[:MOST]
        ends: tuple[Value, Value] = (lambda p: _end(p, "least"), lambda p: _end(p, "most"))
        views["The plan without it: how much dearer (re-solve)"] = charts.ranked(
            shown,
            lambda p: f"{_place(view, p['option'])} · {figure_of(p['value_musd'])}",
            [Bar("value_musd", ends=ends, says="%{x:,.4~g}")],
            amounts(million, [_end(p, end) for p in shown for end in ("least", "most")]),
        )
    shown = sorted(built, key=lambda p: (-_costs(p), p["option"]))[:MOST]
    views["What its capacity earns at the margin, and what it costs (dual)"] = charts.ranked(
        shown,
        lambda p: _place(view, p["option"]),
        [Bar("earns_musd", "earns"), Bar(_costs, "costs (annuities and upkeep)", Look(ORANGE, "/"))],
        amounts(million, [x for p in shown for x in (p["earns_musd"], _costs(p))]),
        beside=True,
    )
    best = max(known, key=lambda p: (_end(p, "least"), p["value_musd"]), default=None)
    title = f"What the {counted(len(built), 'project')} built {'is' if len(built) == 1 else 'are'} worth"
    if best is not None:
        title = _without(view, best)
    none = [view.project(p["option"]) for p in built if "no plan" in str(p.get("value_how", ""))]
    left = len(built) - len(known) - len(none)
    said = [f"{view.project(p['option'])} {view.money(p['value_musd'])}" for p in known[:8]]
    caption = (
        "A project can be worth more than it earns at the margin: the last tonne of it is worth little, all of it much."
    )
    if none:
        caption += f" Without it there is no plan at all: {', '.join(none)}."
    if any(_end(p, "most") - _end(p, "least") > 1e-6 * max(1.0, abs(p["value_musd"])) for p in known):
        caption += " The thin line is the range that the gap of the solves leaves."
    if left:
        caption += f" {counted(left, 'project was', 'projects were')} not solved again."
    return Figure(
        "reasons-built",
        title,
        "The plan without each project is dearer by: " + ("; ".join(said) or "not solved again") + ".",
        views,
        columns="option value_musd value_how earns_musd annuity_musd fixed_om_musd",
        rows=[{"value_how": "", **p} for p in built],
        caption=caption,
    )


def _costs(project: Row) -> float:
    return float(project["annuity_musd"] + project["fixed_om_musd"])


def _end(project: Row, end: str) -> float:
    """The least or the most that a project may be worth, by what the solver's gap leaves."""
    value = project.get(f"value_{end}_musd")
    return float(project["value_musd"] if value is None else value)


def _without(view: View, project: Row) -> str:
    """What the plan costs more without a project, as sure as the gaps of the solves allow."""
    ends = (project["value_musd"], _end(project, "least"), _end(project, "most"))
    band = Band(*ends, ROUNDING * abs(view.plan["objective_musd"]))
    name = view.project(project["option"])
    if not band.sign and not band.same:
        return f"What {name} is worth drowns in the gap of the solves: {band.told(view.money)}"
    return f"Without {name} the plan costs {band.told(view.money)}"


def _place(view: View, option: str) -> str:
    country = view.home(option)
    return f"{shortened(view.project(option), 32)}{f' · {country}' if country else ''}"


def _built_table(view: View, built: Sequence[Row]) -> Table:
    return Table(
        "table-worth",
        "What each project built is worth",
        built,
        (
            *project_columns(view),
            Column(f"Plan without it, {view.musd} more", "value_musd", "number"),
            Column("At least", "value_least_musd", "number"),
            Column("At most", "value_most_musd", "number"),
            Column("How", lambda p: p.get("value_how") or "not solved again"),
            Column(
                "Without its other options too",
                lambda p: p.get("project_value_musd") if p.get("also_without") else None,
                "number",
            ),
            Column(f"Earns at the margin, {view.musd}", "earns_musd", "number"),
            Column(f"Costs, {view.musd}", _costs, "number"),
        ),
    )


def _entries(study: Shown) -> dict[str, list[Row]]:
    """Option -> what it lacks; what was solved again goes before what the duals say."""
    every: dict[str, list[Row]] = defaultdict(list)
    for row in study.tables["entry"]:
        every[str(row["option"])].append(row)
    best = {}
    for option, rows in every.items():
        solved = [r for r in rows if str(r["how"]).startswith("re-solve")]
        best[option] = solved or [r for r in rows if not str(r["how"]).startswith("not ")]
    return best


def _entry_chart(view: View, others: Sequence[Row], entries: dict[str, list[Row]]) -> Figure | None:
    """The part of its capex at which each project that is not built enters."""
    found = []
    for p in others:
        for row in entries.get(p["option"], ()):
            if row["change"] == "capex" and row["threshold"] is not None:
                solved = "yes" if str(row["how"]).startswith("re-solve") else "no"
                found.append({"option": p["option"], "capex_share": float(row["threshold"]), "re_solved": solved})
    if not found:
        return None
    order = sorted(found, key=lambda f: (-f["capex_share"], f["option"]))
    nearest, name = order[0], view.project
    bars = [
        Bar("capex_share", words, look, text="{:.0%}".format, says="%{x:.1%}", where=of)
        for words, look, of in (
            ("enters below (re-solve)", Look(BLUE), ("re_solved", "yes")),
            ("does not enter above (dual; others as built)", Look(SKY, "/"), ("re_solved", "no")),
        )
    ]
    title = {"text": "share of its own capex", "standoff": 12}
    axis = {"title": title, "tickformat": ".0%", "range": [0, max(1.0, nearest["capex_share"]) * 1.04]}
    each = [f"{name(f['option'])} {f['capex_share']:.0%}" for f in order[:8]]
    return Figure(
        "reasons-entry",
        f"Of what is not built, {name(nearest['option'])} is nearest to being built: "
        f"at {nearest['capex_share']:.0%} of its capex" + ("" if nearest["re_solved"] == "yes" else " or less"),
        told("Share of its capex at which a project enters", each),
        charts.ranked(order, lambda f: _place(view, f["option"]), bars, axis, most=MOST),
        rows=found,
        caption="Projects that would not enter even free of capex, and all other ways to enter, stand in the table.",
    )


def _lacks_table(view: View, others: Sequence[Row], entries: dict[str, list[Row]]) -> Table:
    def lacks(project: Row, column: str) -> list[str]:
        return [str(r[column]) for r in entries.get(project["option"], ()) if r["says"]]

    return Table(
        "table-lacks",
        "What is not built, and what it lacks",
        others,
        (
            *project_columns(view),
            Column(f"Plan with it, {view.musd} more", "cost_if_built_musd", "number"),
            Column("It would enter with", lambda p: "; ".join(lacks(p, "says"))),
            Column("How", lambda p: "; ".join(dict.fromkeys(lacks(p, "how")))),
        ),
        folded=len(others) > 8,
    )


# --- bottlenecks and premiums ---


def _bottlenecks(view: View, study: Shown) -> Figure | None:
    """What 1 % more supply of the tightest materials would save, by year; None if nothing is scarce."""
    rows = [r for r in study.tables["bottlenecks"] if (r["worth_musd_per_percent"] or 0.0) > TINY]
    rows = [{**r, "name": f"{r['provenance']} {view.materials.get(r['material'], r['material'])}"} for r in rows]
    first = [r for r in rows if r["rank"] == 1]
    if not first:
        return None
    total: dict[str, float] = defaultdict(float)
    tightest: dict[int, list[str]] = defaultdict(list)
    for r in first:
        total[r["name"]] += r["worth_musd_per_percent"]
        tightest[r["year"]].append(r["name"])
    keys = sorted(total, key=lambda k: (-total[k], k))[: len(SERIES)]
    worst = max(first, key=lambda r: (r["worth_musd_per_percent"], -r["year"]))
    most = [r["worth_musd_per_percent"] for r in rows if r["name"] in keys]
    said = [f"{y} {', '.join(names)}" for y, names in sorted(tightest.items())]
    return Figure(
        "reasons-bottlenecks",
        f"The tightest point is {worst['name']} in {worst['year']}",
        told("What 1% more capacity or supply of it would save in that year; the tightest", said),
        charts.lines(
            rows, "year", "worth_musd_per_percent", "name", groups=[(shortened(k, 42), [k]) for k in keys],
            xs=view.years, yaxis=amounts(f"{view.musd} for 1% more", most), hover="%{y:,.3~g}",
        ),
        columns="year provenance rank material worth_musd_per_percent worth_usd_per_kg",
        caption="What 1% more of all that makes or sells a material would save in that year (for the tightest the "
        "operations are solved again), for the materials that are the tightest of some year.",
    )  # fmt: skip


def _premiums(view: View, study: Shown) -> Figure | None:
    """Premium by country and year, one material at a time."""
    by_material: dict[str, list[Row]] = defaultdict(list)
    for r in study.tables["premiums"]:
        if r["premium_usd_per_kg"] is not None:
            by_material[r["material"]].append(r)
    known = {m: rows for m in view.materials if (rows := by_material[m])}
    known = {m: rows for m, rows in known.items() if any(abs(r["premium_usd_per_kg"]) > 1e-6 for r in rows)}
    if not known:
        return None
    unit, years, views = f"{view.instance.currency}/kg", {y: str(y) for y in view.years}, {}
    for material, rows in known.items():
        here = {r["country"] for r in rows}
        places = {c: name for c, name in view.countries.items() if c in here}
        views[material] = charts.heat(rows, "year", "country", "premium_usd_per_kg", unit, years, places)
    top = {m: max(rows, key=lambda r: r["premium_usd_per_kg"]) for m, rows in known.items()}
    final = [m for m in known if view.stage_of.get(m) == view.instance.stages[-1]] or list(known)
    start = max(final, key=lambda m: top[m]["premium_usd_per_kg"])
    each = [f"{view.materials[m]} {figure_of(r['premium_usd_per_kg'])} {unit}" for m, r in top.items()]
    return Figure(
        "reasons-premiums",
        f"Clean {view.materials[start]} is worth up to {figure_of(top[start]['premium_usd_per_kg'])} {unit} more than "
        f"exposed ({view.countries[top[start]['country']]}, {top[start]['year']})",
        told("Largest clean premium of each material", each),
        views,
        (Control("Material", {m: view.materials[m] for m in known}, start),),
        columns="material country year premium_usd_per_kg",
        least=charts.heat_width(len(years)),
        caption=f"{unit} that a clean kilogram is worth above an exposed one, by country and year (dual). Empty where "
        "one of the two cannot be had.",
    )


# --- price support ---


def _support(view: View, study: Shown) -> list[Figure | Table]:
    """Support at market prices by year and project, and its table; only the table if none is needed."""
    rows = study.tables["price_support"]
    if not rows:
        return []
    outlay: dict[str, float] = defaultdict(float)
    yearly: dict[int, float] = defaultdict(float)
    for r in rows:
        outlay[r["option"]] += (r["support_musd"] or 0.0) * view.lengths[r["year"]]
        yearly[r["year"]] += r["support_musd"] or 0.0
    paid = {o: x for o, x in outlay.items() if x > 1e-6}
    if not paid:
        return [_support_table(view, rows)]
    worst = max(yearly, key=lambda y: (yearly[y], -y))
    said = [f"{y} {view.money(x)}" for y, x in sorted(yearly.items()) if x > 1e-6]
    figure = Figure(
        "reasons-support",
        f"At market prices the projects need up to {view.money(yearly[worst])} a year of support ({worst})",
        told("Support a year at the market price given", said),
        charts.stacked(
            rows, "year", "support_musd", "option", view.musd, years=view.years, lengths=view.lengths,
            groups=charts.largest(paid, view.project, 7, lambda n: counted(n, "other project")),
        ),
        caption="Levelised cost less the market price, times what is made: what a price floor or an offtake "
        "contract at cost would pay each year.",
    )  # fmt: skip
    return [figure, _support_table(view, rows)]


def _support_table(view: View, rows: Sequence[Row]) -> Table:
    """Each project: what its product costs, what the market pays, and the difference. Means are by tonnes made."""
    found = []
    for option in sorted({str(r["option"]) for r in rows}):
        mine = [r for r in rows if r["option"] == option]
        priced = [r for r in mine if r.get("market_usd_per_kg") is not None]
        made = sum(r["output_t"] * view.lengths[r["year"]] for r in priced)
        busy = sum(view.lengths[r["year"]] for r in priced if r["output_t"] > 0)
        paid = sum((r["support_musd"] or 0.0) * view.lengths[r["year"]] for r in priced)
        valued = sum(r["market_usd_per_kg"] * r["output_t"] * view.lengths[r["year"]] for r in priced)
        market = valued / made if made else None
        by = ", ".join(sorted({str(r.get("market_price") or "") for r in priced} - {""})) or "none known"
        each = paid * 1e3 / made if made else None
        found.append({**mine[0], "market": market, "by": by, "each": each, "yearly": paid / busy if busy else None})
    unit = f"{view.instance.currency}/kg"
    return Table(
        "table-support",
        "Levelised cost against the market price, and the support it takes",
        found,
        (
            Column("Project", lambda r: view.project(str(r["option"]))),
            Column("Country", lambda r: view.home(str(r["option"]))),
            Column("Material", lambda r: view.materials.get(r["material"], r["material"])),
            Column(f"Costs, {unit}", "cost_usd_per_kg", "number"),
            Column(f"Market pays, {unit}", "market", "number"),
            Column("By", "by"),
            Column(f"Support, {unit}", "each", "number"),
            Column(f"Support a year, {view.musd}", "yearly", "number"),
        ),
    )


def in_words(view: View, study: Shown) -> str:
    """What binds most, and the project worth most, in a sentence."""
    limits = _limits(view, study)
    said = []
    if limits:
        top = limits[0]
        said.append(f"Of what binds, {_said(top)} saves most: {view.money(top['saves_musd'])} for {top['step']}.")
    built = [p for p in study.tables["projects"] if p["built"] == "yes" and p["value_musd"] is not None]
    best = max(built, key=lambda p: (_end(p, "least"), p["value_musd"]), default=None)
    if best is not None and _end(best, "least") > 0.0:
        said.append(f"{_without(view, best)}.")
    return " ".join(said)
