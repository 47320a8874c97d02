"""Why this plan: what binds, what each project is worth or lacks, the bottlenecks, premiums, and price support."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...questions.explain.text import UNITS
from ...words import capital, counted, figure_of, shortened
from ..parts import (
    BAR,
    BLUE,
    DASHES,
    LOWER,
    MARKERS,
    ORANGE,
    RUNG,
    SERIES,
    SKY,
    UPPER,
    Column,
    Control,
    Data,
    Figure,
    Section,
    Table,
    amounts,
    bars,
    grid,
    grid_width,
    layout,
    pattern,
    plain,
    rungs,
    year_axis,
)
from .builds import name_of

if TYPE_CHECKING:
    from ..studies import Row, Study
    from ..view import View

MOST = 15  # bars of a chart; the tables hold the rest
TINY = 1e-9


def section(view: View, study: Study) -> Section:
    """What binds, projects built and not built, bottlenecks, premiums, price support."""
    lead = [
        "Two kinds of numbers, each named beside it: a dual is a rate at the margin, with the builds held; a re-solve "
        "is the difference of two whole solves. Rates say nothing of large changes. Money is present value, "
        f"million {view.instance.currency}, unless a year is named."
    ]
    parts: list[Figure | Table] = []
    limits = _limits(view, study)
    if limits:
        parts += [_limit_chart(view, limits), _limit_table(view, limits)]
    else:
        lead.append("No cap, capacity, budget or lead time binds: none of them makes the plan dearer.")
    built = [p for p in study.tables["projects"] if p["built"] == "yes"]
    others = [p for p in study.tables["projects"] if p["built"] != "yes"]
    if built:
        parts += [_built_chart(view, built), _built_table(view, built)]
    if others:
        entries = _entries(study)
        chart = _entry_chart(view, others, entries)
        parts += [chart] if chart else []
        parts.append(_lacks_table(view, others, entries))
    parts += _bottlenecks(view, study)
    premiums = _premiums(view, study)
    parts += [premiums] if premiums else []
    parts += _support(view, study)
    lead += [f"Note: {note}" for note in study.about.get("notes", ())]
    return Section("reasons", "Why this plan", lead, parts, "Why", study.warnings)


# --- what binds ---


def _limits(view: View, study: Study) -> list[Row]:
    """Limits that bind, all years of one together, the most valuable first."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in study.tables["binding"]:
        groups[tuple(str(row[k]) for k in ("kind", "name", "country", "unit", "how"))].append(row)
    found = []
    for (kind, name, country, unit, how), rows in groups.items():
        top = max(rows, key=lambda r: (r["worth_musd"], -r["year"]))
        years = sorted(r["year"] for r in rows if r["year"])
        found.append(
            {
                "kind": kind.replace("_", " "),
                "name": _called(view, name),
                "country": view.countries.get(country, country),
                "unit": UNITS.get(kind, f"a {unit} more"),
                "worth": sum(r["worth_musd"] for r in rows),
                "first": years[0] if years else None,
                "last": years[-1] if years else None,
                "most": top["year"] or None,
                "says": top["says"],
                "how": how,
            }
        )
    return sorted(found, key=lambda r: (-r["worth"], r["kind"], r["name"], r["country"]))


def _called(view: View, key: str) -> str:
    """A row of the instance by its name, if it is a plant, a project or a sector; else by its key."""
    if key in view.facilities:
        return view.facilities[key].name
    return name_of(view, key) if key in view.options else view.sectors.get(key, key)


def _said(limit: Row) -> str:
    where = f" ({limit['country']})" if limit["country"] else ""
    return f"{limit['kind']} {limit['name']}{where}"


def _label(limit: Row) -> str:
    kind = "" if limit["kind"] == "capacity" else f"{limit['kind']} "
    where = f" · {limit['country']}" if limit["country"] else ""
    return f"{kind}{shortened(limit['name'], 36)}{where}"


def _limit_chart(view: View, limits: Sequence[Row]) -> Figure:
    units = list(dict.fromkeys(r["unit"] for r in limits))
    views: dict[str, Any] = {}
    for n, unit in enumerate(units):
        rows = [r for r in limits if r["unit"] == unit][:MOST]
        trace = {
            **BAR,
            "y": list(range(len(rows))),
            "x": [r["worth"] for r in rows],
            "text": [figure_of(r["worth"]) for r in rows],
            "textposition": "auto",
            "marker": {"color": BLUE},
            "customdata": [f"<b>{plain(_said(r))}</b><br>{plain(str(r['says']))}<br>{plain(r['how'])}" for r in rows],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        axis = amounts(f"million {view.instance.currency}", [r["worth"] for r in rows])
        views[str(n)] = {"data": [trace], "layout": rungs([_label(r) for r in rows], axis)}
    first = limits[0]
    return Figure(
        "reasons-limits",
        f"{capital(_said(first))}: {first['unit']} would save {view.money(first['worth'])}",
        "What one unit more of each limit would save, in all its years: "
        + "; ".join(f"{_said(r)}, {r['unit']}: {view.money(r['worth'])}" for r in limits[:6])
        + ".",
        views,
        layout(),
        Data(
            ("kind", "name", "country", "first_year", "last_year", "unit", "saves_musd", "says", "how"),
            [
                tuple(r[k] for k in ("kind", "name", "country", "first", "last", "unit", "worth", "says", "how"))
                for r in limits
            ],
        ),
        (Control("What one more of it would save", "select", tuple(units)),),
        height=views["0"]["layout"]["height"],
        caption="Saving in present value, all years of the limit together. Limits in other units are not comparable, "
        "so each unit has a chart of its own.",
    )


def _limit_table(view: View, limits: Sequence[Row]) -> Table:
    return Table(
        "table-limits",
        "Every limit that binds",
        (
            Column("Limit"),
            Column("Kind"),
            Column("Country"),
            Column("From", "year"),
            Column("To", "year"),
            Column("One unit"),
            Column(f"Saves, M{view.instance.currency}", "number"),
            Column("Most in", "year"),
            Column("In words"),
            Column("How"),
        ),
        [
            tuple(r[k] for k in ("name", "kind", "country", "first", "last", "unit", "worth", "most", "says", "how"))
            for r in limits
        ],
        folded=len(limits) > 12,
    )


# --- projects ---


def _built_chart(view: View, built: Sequence[Row]) -> Figure:
    known = [p for p in built if p["value_musd"] is not None]
    views: dict[str, Any] = {}
    choices = []
    if known:
        shown = sorted(known, key=lambda p: (-p["value_musd"], p["option"]))[:MOST]
        trace = {
            **BAR,
            "y": list(range(len(shown))),
            "x": [p["value_musd"] for p in shown],
            "marker": {"color": BLUE},
            "error_x": {
                "symmetric": False,
                "array": [max(0.0, _end(p, "most") - p["value_musd"]) for p in shown],
                "arrayminus": [max(0.0, p["value_musd"] - _end(p, "least")) for p in shown],
                "color": "#1b1f24",
                "thickness": 1.5,
            },
            "hovertemplate": "%{x:,.4~g}<extra></extra>",
        }
        ends = [_end(p, end) for p in shown for end in ("least", "most")]
        views["0"] = {
            "data": [trace],
            "layout": rungs(
                [f"{_place(view, p)} · {figure_of(p['value_musd'])}" for p in shown],
                amounts(f"million {view.instance.currency}", ends),
            ),
        }
        choices.append("The plan without it: how much dearer (re-solve)")
    shown = sorted(built, key=lambda p: (-(p["annuity_musd"] + p["fixed_om_musd"]), p["option"]))[:MOST]
    rows = list(range(len(shown)))
    money = [x for p in shown for x in (p["earns_musd"], p["annuity_musd"] + p["fixed_om_musd"])]
    views[str(len(choices))] = {
        "data": [
            {
                **UPPER,
                "y": rows,
                "x": [p["earns_musd"] for p in shown],
                "name": "earns",
                "marker": {"color": BLUE},
                "hovertemplate": "%{x:,.4~g}",
            },
            {
                **LOWER,
                "y": rows,
                "x": [p["annuity_musd"] + p["fixed_om_musd"] for p in shown],
                "name": "costs (annuities and upkeep)",
                "marker": {"color": ORANGE, "pattern": pattern(1)},
                "hovertemplate": "%{x:,.4~g}",
            },
        ],
        "layout": rungs(
            [_place(view, p) for p in shown], amounts(f"million {view.instance.currency}", money), legend=True
        ),
    }
    choices.append("What its capacity earns at the margin, and what it costs (dual)")
    best = max(known, key=lambda p: p["value_musd"], default=None)
    title = f"What the {counted(len(built), 'project')} built {'is' if len(built) == 1 else 'are'} worth"
    if best is not None:
        title = _without(view, best)
    none = [name_of(view, p["option"]) for p in built if "no plan" in str(p.get("value_how", ""))]
    left = len(built) - len(known) - len(none)
    said = [f"{name_of(view, p['option'])} {view.money(p['value_musd'])}" for p in known[:8]]
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
        layout(),
        Data(
            ("option", "value_musd", "value_how", "earns_musd", "annuity_musd", "fixed_om_musd"),
            [
                (
                    p["option"],
                    p["value_musd"],
                    p.get("value_how", ""),
                    p["earns_musd"],
                    p["annuity_musd"],
                    p["fixed_om_musd"],
                )
                for p in built
            ],
        ),
        (Control("Show", "select", tuple(choices)),),
        height=views["0"]["layout"]["height"],
        caption=caption,
    )


def _end(project: Row, end: str) -> float:
    """The least or the most that a project may be worth, by what the solver's gap leaves."""
    value = project.get(f"value_{end}_musd")
    return float(project["value_musd"] if value is None else value)


def _without(view: View, project: Row) -> str:
    """What the plan costs more without a project, with the range that the gap leaves if there is one."""
    value, least, most = project["value_musd"], _end(project, "least"), _end(project, "most")
    name = name_of(view, project["option"])
    if most - least <= 1e-6 * max(1.0, abs(value)):
        return f"Without {name} the plan costs {view.money(abs(value))} {'more' if value >= 0 else 'less'}"
    span = f"{figure_of(least)} to {figure_of(most)} million {view.instance.currency}"
    if least <= 0.0 <= most:
        return f"What {name} is worth drowns in the gap of the solves: {span}"
    return f"Without {name} the plan costs {span} more"


def _place(view: View, project: Row) -> str:
    country = _country(view, project["option"])
    return f"{shortened(name_of(view, project['option']), 32)}{f' · {country}' if country else ''}"


def _country(view: View, option: str) -> str:
    row = view.options.get(option)
    return view.countries[view.facilities[row.facility].country] if row else ""


def _stage(view: View, option: str) -> str:
    row = view.options.get(option)
    return view.stage_of_facility.get(row.facility, "") if row else ""


def _built_table(view: View, built: Sequence[Row]) -> Table:
    currency = view.instance.currency
    return Table(
        "table-worth",
        "What each project built is worth",
        (
            Column("Project"),
            Column("Country"),
            Column("Stage"),
            Column(f"Plan without it, M{currency} more", "number"),
            Column("At least", "number"),
            Column("At most", "number"),
            Column("How"),
            Column("Without its other options too", "number"),
            Column(f"Earns at the margin, M{currency}", "number"),
            Column(f"Costs, M{currency}", "number"),
        ),
        [
            (
                name_of(view, p["option"]),
                _country(view, p["option"]),
                _stage(view, p["option"]),
                p["value_musd"],
                p.get("value_least_musd"),
                p.get("value_most_musd"),
                str(p.get("value_how") or "not solved again"),
                p.get("project_value_musd") if p.get("also_without") else None,
                p["earns_musd"],
                p["annuity_musd"] + p["fixed_om_musd"],
            )
            for p in built
        ],
        folded=len(built) > 12,
    )


def _entries(study: Study) -> dict[str, list[Row]]:
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
                found.append((p["option"], float(row["threshold"]), str(row["how"]).startswith("re-solve")))
    if not found:
        return None
    shown = sorted(found, key=lambda f: (-f[1], f[0]))[:MOST]
    traces = []
    for solved, name, colour, look in (
        (True, "enters below (re-solve)", BLUE, 0),
        (False, "does not enter above (dual; others as built)", SKY, 1),
    ):
        mine = [(row, share) for row, (_, share, how) in enumerate(shown) if how == solved]
        if mine:
            traces.append(
                {
                    **BAR,
                    "y": [row for row, _ in mine],
                    "x": [share for _, share in mine],
                    "text": [f"{share:.0%}" for _, share in mine],
                    "name": name,
                    "marker": {"color": colour, "pattern": pattern(look)},
                    "hovertemplate": "%{x:.1%}",
                }
            )
    nearest = shown[0]
    return Figure(
        "reasons-entry",
        f"Of what is not built, {name_of(view, nearest[0])} is nearest to being built: "
        f"at {nearest[1]:.0%} of its capex" + ("" if nearest[2] else " or less"),
        "Share of its capex at which a project enters: "
        + "; ".join(f"{name_of(view, o)} {x:.0%}" for o, x, _ in shown[:8])
        + ".",
        {"": traces},
        rungs(
            [_place(view, {"option": o}) for o, _, _ in shown],
            {
                "title": {"text": "share of its own capex", "standoff": 12},
                "tickformat": ".0%",
                "range": [0, max(1.0, shown[0][1]) * 1.04],
            },
            legend=True,
        ),
        Data(("option", "capex_share", "re_solved"), [(o, x, "yes" if how else "no") for o, x, how in found]),
        height=120 + RUNG * len(shown),
        caption="Projects that would not enter even free of capex, and all other ways to enter, stand in the table.",
    )


def _lacks_table(view: View, others: Sequence[Row], entries: dict[str, list[Row]]) -> Table:
    rows = []
    for p in others:
        mine = [r for r in entries.get(p["option"], ()) if r["says"]]
        rows.append(
            (
                name_of(view, p["option"]),
                _country(view, p["option"]),
                _stage(view, p["option"]),
                p.get("cost_if_built_musd"),
                "; ".join(str(r["says"]) for r in mine),
                "; ".join(dict.fromkeys(str(r["how"]) for r in mine)),
            )
        )
    return Table(
        "table-lacks",
        "What is not built, and what it lacks",
        (
            Column("Project"),
            Column("Country"),
            Column("Stage"),
            Column(f"Plan with it, M{view.instance.currency} more", "number"),
            Column("It would enter with"),
            Column("How"),
        ),
        rows,
        folded=len(rows) > 8,
    )


# --- bottlenecks and premiums ---


def _bottlenecks(view: View, study: Study) -> list[Figure | Table]:
    rows = [r for r in study.tables["bottlenecks"] if (r["worth_musd_per_percent"] or 0.0) > TINY]
    first = [r for r in rows if r["rank"] == 1]
    if not first:
        return []
    total: dict[tuple[str, str], float] = defaultdict(float)
    for r in first:
        total[r["provenance"], r["material"]] += r["worth_musd_per_percent"]
    keys = sorted(total, key=lambda k: (-total[k], k))[: len(SERIES)]
    traces = []
    for n, (provenance, material) in enumerate(keys):
        mine = [r for r in rows if (r["provenance"], r["material"]) == (provenance, material)]
        by_year = {r["year"]: r["worth_musd_per_percent"] for r in mine}
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": plain(shortened(f"{provenance} {view.materials.get(material, material)}", 42)),
                "x": list(view.years),
                "y": [by_year.get(y) for y in view.years],
                "line": {"color": SERIES[n], "width": 2, "dash": DASHES[n % 5]},
                "marker": {"symbol": MARKERS[n % len(MARKERS)], "size": 8},
                "hovertemplate": "%{y:,.3~g}",
            }
        )
    worst = max(first, key=lambda r: (r["worth_musd_per_percent"], -r["year"]))
    name = f"{worst['provenance']} {view.materials.get(worst['material'], worst['material'])}"
    by_year_words = defaultdict(list)
    for r in first:
        by_year_words[r["year"]].append(f"{r['provenance']} {view.materials.get(r['material'], r['material'])}")
    figure = Figure(
        "reasons-bottlenecks",
        f"The tightest point is {name} in {worst['year']}",
        "What 1% more capacity or supply of it would save in that year; the tightest: "
        + "; ".join(f"{y} {', '.join(names)}" for y, names in sorted(by_year_words.items()))
        + ".",
        {"": traces},
        layout(
            xaxis=year_axis(view.years),
            yaxis={"title": {"text": f"M{plain(view.instance.currency)} for 1% more"}, "rangemode": "tozero"},
            hovermode="x unified",
            showlegend=True,
        ),
        Data(
            ("year", "provenance", "rank", "material", "worth_musd_per_percent", "worth_usd_per_kg"),
            [
                tuple(
                    r.get(k)
                    for k in ("year", "provenance", "rank", "material", "worth_musd_per_percent", "worth_usd_per_kg")
                )
                for r in rows
            ],
        ),
        height=380,
        caption="What 1% more of all that makes or sells a material would save in that year (dual), for the materials "
        "that are the tightest of some year.",
    )
    return [figure]


def _premiums(view: View, study: Study) -> Figure | None:
    """Premium by country and year, one material at a time."""
    known: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    for r in study.tables["premiums"]:
        if r["premium_usd_per_kg"] is not None:
            known[r["material"]][r["country"], r["year"]] = r["premium_usd_per_kg"]
    known = {m: by for m, by in known.items() if any(abs(v) > 1e-6 for v in by.values())}
    if not known:
        return None
    materials = [m for m in view.materials if m in known]
    views = {}
    unit = f"{view.instance.currency}/kg"
    for n, material in enumerate(materials):
        cells = known[material]
        places = [c for c in view.countries if any(key[0] == c for key in cells)]
        names = [view.countries[c] for c in places]
        years = [str(y) for y in view.years]
        values = [[cells.get((c, y)) for y in view.years] for c in places]
        views[str(n)] = grid(years, names, values, unit)
    final = [m for m in materials if view.stage_of.get(m) == view.instance.stages[-1]] or materials
    start = materials.index(max(final, key=lambda m: max(known[m].values())))
    shown = materials[start]
    (country, year), most = max(known[shown].items(), key=lambda item: item[1])
    return Figure(
        "reasons-premiums",
        f"Clean {view.materials[shown]} is worth up to {figure_of(most)} {unit} more than exposed "
        f"({view.countries[country]}, {year})",
        "Largest clean premium of each material: "
        + "; ".join(f"{view.materials[m]} {figure_of(max(known[m].values()))} {unit}" for m in materials)
        + ".",
        views,
        layout(),
        Data(
            ("material", "country", "year", "premium_usd_per_kg"),
            [(m, c, y, v) for m in materials for (c, y), v in known[m].items()],
        ),
        (Control("Material", "select", tuple(view.materials[m] for m in materials), start),),
        height=views[str(start)]["layout"]["height"],
        least=grid_width(len(view.years)),
        caption=f"{unit} that a clean kilogram is worth above an exposed one, by country and year (dual). Empty where "
        "one of the two cannot be had.",
    )


# --- price support ---


def _support(view: View, study: Study) -> list[Figure | Table]:
    rows = study.tables["price_support"]
    if not rows:
        return []
    options = sorted({str(r["option"]) for r in rows})
    outlay = {o: sum(r["support_musd"] or 0.0 for r in rows if r["option"] == o) for o in options}
    parts: list[Figure | Table] = []
    paid = sorted((o for o in options if outlay[o] > 1e-6), key=lambda o: (-outlay[o], o))
    if paid:
        shown, rest = paid[:7], paid[7:]
        groups = [(name_of(view, o), [o]) for o in shown]
        groups += [(counted(len(rest), "other project"), rest)] if rest else []
        traces = []
        yearly: dict[int, float] = defaultdict(float)
        for n, (name, members) in enumerate(groups):
            by_year: dict[int, float] = defaultdict(float)
            for r in rows:
                if r["option"] in members:
                    by_year[r["year"]] += r["support_musd"] or 0.0
                    yearly[r["year"]] += r["support_musd"] or 0.0
            values = [by_year.get(y, 0.0) for y in view.years]
            traces.append(bars(name, view.years, view.lengths, values, n, f"M{view.instance.currency}"))
        worst = max(yearly, key=lambda y: (yearly[y], -y))
        parts.append(
            Figure(
                "reasons-support",
                f"At market prices the projects need up to {view.money(yearly[worst])} a year of support ({worst})",
                "Support a year at the market price given: "
                + "; ".join(f"{y} {view.money(x)}" for y, x in sorted(yearly.items()) if x > 1e-6)
                + ".",
                {"": traces},
                layout(
                    barmode="stack",
                    xaxis=year_axis(view.years, view.lengths),
                    yaxis=amounts(f"M{view.instance.currency} a year", list(yearly.values())),
                    hovermode="x unified",
                    showlegend=True,
                ),
                Data(
                    tuple(rows[0]),
                    [tuple(r.get(k) for k in rows[0]) for r in rows],
                ),
                height=380,
                caption="Levelised cost less the market price, times what is made: what a price floor or an offtake "
                "contract at cost would pay each year.",
            )
        )
    parts.append(_support_table(view, rows, options))
    return parts


def _support_table(view: View, rows: Sequence[Row], options: Sequence[str]) -> Table:
    lines = []
    for option in options:
        mine = [r for r in rows if r["option"] == option]
        priced = [r for r in mine if r.get("market_usd_per_kg") is not None]
        made = sum(r["output_t"] for r in priced)
        busy = sum(r["output_t"] > 0 for r in priced)
        paid = sum(r["support_musd"] or 0.0 for r in priced)
        lines.append(
            (
                name_of(view, option),
                _country(view, option),
                view.materials.get(mine[0]["material"], str(mine[0]["material"])),
                mine[0]["cost_usd_per_kg"],
                sum(r["market_usd_per_kg"] * r["output_t"] for r in priced) / made if made else None,
                ", ".join(sorted({str(r.get("market_price") or "") for r in priced} - {""})) or "none known",
                paid * 1e3 / made if made else None,
                paid / busy if busy else None,
            )
        )
    unit = f"{view.instance.currency}/kg"
    return Table(
        "table-support",
        "Levelised cost against the market price, and the support it takes",
        (
            Column("Project"),
            Column("Country"),
            Column("Material"),
            Column(f"Costs, {unit}", "number"),
            Column(f"Market pays, {unit}", "number"),
            Column("By"),
            Column(f"Support, {unit}", "number"),
            Column(f"Support a year, M{view.instance.currency}", "number"),
        ),
        lines,
        folded=len(lines) > 12,
    )


def in_words(view: View, study: Study) -> str:
    """What binds most, and the project worth most, in a sentence."""
    limits = _limits(view, study)
    said = []
    if limits:
        top = limits[0]
        said.append(f"Of what binds, {_said(top)} saves most: {view.money(top['worth'])} for {top['unit']}.")
    built = [p for p in study.tables["projects"] if p["built"] == "yes" and p["value_musd"] is not None]
    best = max(built, key=lambda p: p["value_musd"], default=None)
    if best is not None and _end(best, "least") > 0.0:
        said.append(f"{_without(view, best)}.")
    return " ".join(said)
