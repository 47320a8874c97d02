"""Why this plan: what binds, what each project is worth or lacks, the bottlenecks, premiums, and price support."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...bands import ROUNDING, Band
from ...language import _, n_, p_, translated
from ...questions.explain.result import how_in_words, price_in_words
from ...words import commas, figure_of, full_stop, percent_of, semicolons, shortened, told
from .. import charts
from ..charts import Value, amounts
from ..diagrams import heat, heat_width
from ..looks import BLUE, ORANGE, SERIES, SKY, Look
from ..parts import Column, Control, Figure, Section, Table, project_columns
from ..ranked import Bar, ranked
from . import binding
from .binding import MOST, said_of

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import View

TINY = 1e-9
NOT_AGAIN = "not solved again"


def section(view: View, study: Shown) -> Section:
    """What binds, projects built and not built, bottlenecks, premiums, price support."""
    lead = [
        _(
            "Two kinds of numbers, each named beside it: a dual is a rate at the margin, with the "
            "builds held; a re-solve is the difference of two whole solves. Rates say nothing of "
            "large changes. Money is present value, million {currency}, unless a year is named.",
            currency=view.instance.currency,
        )
    ]
    limits = binding.limits_of(view, study)
    if not limits:
        lead.append(_("No cap, capacity, budget or lead time binds: none of them makes the plan dearer."))
    built = [p for p in study.tables["projects"] if p["built"] == "yes"]
    others = [p for p in study.tables["projects"] if p["built"] != "yes"]
    entries = _entries(study)
    parts = [
        binding.chart(view, limits) if limits else None,
        binding.table(view, limits) if limits else None,
        _built_chart(view, built) if built else None,
        _built_table(view, built) if built else None,
        *([_entry_chart(view, others, entries), _lacks_table(view, others, entries)] if others else []),
        _bottlenecks(view, study),
        _premiums(view, study),
        *_support(view, study),
    ]
    lead += [_("Note: {note}", note=note) for note in study.about.get("notes", ())]
    return Section("reasons", _("Why this plan"), lead, parts, _("Why"), study.warnings)


# --- projects ---


def _built_chart(view: View, built: Sequence[Row]) -> Figure:
    """What each built project is worth: the plan without it, and its earnings at the margin."""
    known = [p for p in built if p["value_musd"] is not None]
    million = _("million {currency}", currency=view.instance.currency)
    views = {}
    if known:
        shown = sorted(known, key=lambda p: (-p["value_musd"], p["option"]))[:MOST]
        ends: tuple[Value, Value] = (lambda p: _end(p, "least"), lambda p: _end(p, "most"))
        views[_("The plan without it: how much dearer (re-solve)")] = ranked(
            shown,
            lambda p: f"{_place(view, p['option'])} · {figure_of(p['value_musd'])}",
            [Bar("value_musd", ends=ends, says="%{x:,.4~g}")],
            amounts(million, [_end(p, end) for p in shown for end in ("least", "most")]),
        )
    shown = sorted(built, key=lambda p: (-_costs(p), p["option"]))[:MOST]
    views[_("What its capacity earns at the margin, and what it costs (dual)")] = ranked(
        shown,
        lambda p: _place(view, p["option"]),
        [Bar("earns_musd", _("earns")), Bar(_costs, _("costs (annuities and upkeep)"), Look(ORANGE, "/"))],
        amounts(million, [x for p in shown for x in (p["earns_musd"], _costs(p))]),
        beside=True,
    )
    best = max(known, key=lambda p: (_end(p, "least"), p["value_musd"]), default=None)
    title = n_("What the {n} project built is worth", "What the {n} projects built are worth", len(built))
    if best is not None:
        title = _without(view, best)
    none = [view.project(p["option"]) for p in built if "no plan" in str(p.get("value_how", ""))]
    left = len(built) - len(known) - len(none)
    said = [f"{view.project(p['option'])} {view.money(p['value_musd'])}" for p in known[:8]]
    caption = _(
        "A project can be worth more than it earns at the margin: the last tonne of it is worth little, all of it much."
    )
    if none:
        caption = _("{text} Without it there is no plan at all: {names}.", text=caption, names=commas(none))
    if any(_end(p, "most") - _end(p, "least") > 1e-6 * max(1.0, abs(p["value_musd"])) for p in known):
        caption = _("{text} The thin line is the range that the gap of the solves leaves.", text=caption)
    if left:
        caption = n_(
            "{text} {n} project was not solved again.", "{text} {n} projects were not solved again.", left, text=caption
        )
    return Figure(
        "reasons-built",
        title,
        told(_("The plan without each project is dearer by"), said or [_("not solved again")]),
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
        return _(
            "What {project} is worth drowns in the gap of the solves: {change}",
            project=name,
            change=band.told(view.money),
        )
    return _("Without {project} the plan costs {change}", project=name, change=band.told(view.money))


def _place(view: View, option: str) -> str:
    country = view.home(option)
    return f"{shortened(view.project(option), 32)}{f' · {country}' if country else ''}"


def _built_table(view: View, built: Sequence[Row]) -> Table:
    return Table(
        "table-worth",
        _("What each project built is worth"),
        built,
        (
            *project_columns(view),
            Column(_("Plan without it, {unit} more", unit=view.musd), "value_musd", "number"),
            Column(_("At least"), "value_least_musd", "number"),
            Column(_("At most"), "value_most_musd", "number"),
            Column(_("How"), lambda p: how_in_words(p.get("value_how") or NOT_AGAIN)),
            Column(
                _("Without its other options too"),
                lambda p: p.get("project_value_musd") if p.get("also_without") else None,
                "number",
            ),
            Column(_("Earns at the margin, {unit}", unit=view.musd), "earns_musd", "number"),
            Column(_("Costs, {unit}", unit=view.musd), _costs, "number"),
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
        Bar("capex_share", words, look, text=percent_of, says="%{x:.1%}", where=of)
        for words, look, of in (
            (_("enters below (re-solve)"), Look(BLUE), ("re_solved", "yes")),
            (_("does not enter above (dual; others as built)"), Look(SKY, "/"), ("re_solved", "no")),
        )
    ]
    title = {"text": _("share of its own capex"), "standoff": 12}
    axis = {"title": title, "tickformat": ".0%", "range": [0, max(1.0, nearest["capex_share"]) * 1.04]}
    each = [f"{name(f['option'])} {percent_of(f['capex_share'])}" for f in order[:8]]
    said = {"project": name(nearest["option"]), "share": percent_of(nearest["capex_share"])}
    return Figure(
        "reasons-entry",
        _("Of what is not built, {project} is nearest to being built: at {share} of its capex", **said)
        if nearest["re_solved"] == "yes"
        else _("Of what is not built, {project} is nearest to being built: at {share} of its capex or less", **said),
        told(_("Share of its capex at which a project enters"), each),
        ranked(order, lambda f: _place(view, f["option"]), bars, axis, most=MOST),
        rows=found,
        caption=_("Projects that would not enter even free of capex, and all other ways to enter, stand in the table."),
    )


def _lacks_table(view: View, others: Sequence[Row], entries: dict[str, list[Row]]) -> Table:
    def lacks(project: Row, column: str) -> list[str]:
        return [str(r[column]) for r in entries.get(project["option"], ()) if r["says"]]

    return Table(
        "table-lacks",
        _("What is not built, and what it lacks"),
        others,
        (
            *project_columns(view),
            Column(_("Plan with it, {unit} more", unit=view.musd), "cost_if_built_musd", "number"),
            Column(_("It would enter with"), lambda p: semicolons(lacks(p, "says"))),
            Column(_("How"), lambda p: semicolons(how_in_words(how) for how in dict.fromkeys(lacks(p, "how")))),
        ),
        folded=len(others) > 8,
    )


# --- bottlenecks and premiums ---


def _clean_or_exposed(view: View, row: Row) -> str:
    material = view.materials.get(row["material"], row["material"])
    return _("{provenance} {material}", provenance=translated(row["provenance"]), material=material)


def _bottlenecks(view: View, study: Shown) -> Figure | None:
    """What 1 % more supply of the tightest materials would save, by year; None if nothing is scarce."""
    rows = [r for r in study.tables["bottlenecks"] if (r["worth_musd_per_percent"] or 0.0) > TINY]
    rows = [{**r, "name": _clean_or_exposed(view, r)} for r in rows]
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
    said = [f"{y} {commas(names)}" for y, names in sorted(tightest.items())]
    return Figure(
        "reasons-bottlenecks",
        _("The tightest point is {name} in {year}", name=worst['name'], year=worst['year']),
        told(_("What 1% more capacity or supply of it would save in that year; the tightest"), said),
        charts.lines(
            rows, "year", "worth_musd_per_percent", "name", groups=[(shortened(k, 42), [k]) for k in keys],
            xs=view.years, yaxis=amounts(_("{unit} for 1% more", unit=view.musd), most), hover="%{y:,.3~g}",
        ),
        columns="year provenance rank material worth_musd_per_percent worth_usd_per_kg",
        caption=_("What 1% more of all that makes or sells a material would save in that year (for the tightest the "
        "operations are solved again), for the materials that are the tightest of some year."),
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
        views[material] = heat(rows, "year", "country", "premium_usd_per_kg", unit, years, places)
    top = {m: max(rows, key=lambda r: r["premium_usd_per_kg"]) for m, rows in known.items()}
    final = [m for m in known if view.stage_of.get(m) == view.instance.stages[-1]] or list(known)
    start = max(final, key=lambda m: top[m]["premium_usd_per_kg"])
    each = [f"{view.materials[m]} {figure_of(r['premium_usd_per_kg'])} {unit}" for m, r in top.items()]
    return Figure(
        "reasons-premiums",
        _(
            "Clean {material} is worth up to {amount} {unit} more than exposed ({country}, {year})",
            material=view.materials[start],
            amount=figure_of(top[start]["premium_usd_per_kg"]),
            unit=unit,
            country=view.countries[top[start]["country"]],
            year=top[start]["year"],
        ),
        told(_("Largest clean premium of each material"), each),
        views,
        (Control(_("Material"), {m: view.materials[m] for m in known}, start),),
        columns="material country year premium_usd_per_kg",
        least=heat_width(len(years)),
        caption=_(
            "{unit} that a clean kilogram is worth above an exposed one, by country and year (dual). "
            "Empty where one of the two cannot be had.",
            unit=unit,
        ),
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
        _("At market prices the projects need up to {amount} a year of support ({year})",
          amount=view.money(yearly[worst]), year=worst),
        told(_("Support a year at the market price given"), said),
        charts.stacked(
            rows, "year", "support_musd", "option", view.musd, years=view.years, lengths=view.lengths,
            groups=charts.largest(paid, view.project, 7, lambda n: n_('{n} other project', '{n} other projects', n)),
        ),
        caption=_("Levelised cost less the market price, times what is made: what a price floor or an offtake "
        "contract at cost would pay each year."),
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
        by = commas(
            price_in_words(of) for of in sorted({str(r.get("market_price") or "") for r in priced} - {""})
        ) or _("none known")
        each = paid * 1e3 / made if made else None
        found.append({**mine[0], "market": market, "by": by, "each": each, "yearly": paid / busy if busy else None})
    unit = f"{view.instance.currency}/kg"
    return Table(
        "table-support",
        _("Levelised cost against the market price, and the support it takes"),
        found,
        (
            Column(_("Project"), lambda r: view.project(str(r["option"]))),
            Column(_("Country"), lambda r: view.home(str(r["option"]))),
            Column(_("Material"), lambda r: view.materials.get(r["material"], r["material"])),
            Column(_("Costs, {unit}", unit=unit), "cost_usd_per_kg", "number"),
            Column(_("Market pays, {unit}", unit=unit), "market", "number"),
            Column(p_("who pays", "By"), "by"),
            Column(_("Support, {unit}", unit=unit), "each", "number"),
            Column(_("Support a year, {unit}", unit=view.musd), "yearly", "number"),
        ),
    )


def in_words(view: View, study: Shown) -> str:
    """What binds most, and the project worth most, in a sentence."""
    limits = binding.limits_of(view, study)
    said = []
    if limits:
        top = limits[0]
        said.append(
            _(
                "Of what binds, {limit} saves most: {amount} for {step}.",
                limit=said_of(top),
                amount=view.money(top["saves_musd"]),
                step=top["step"],
            )
        )
    built = [p for p in study.tables["projects"] if p["built"] == "yes" and p["value_musd"] is not None]
    best = max(built, key=lambda p: (_end(p, "least"), p["value_musd"]), default=None)
    if best is not None and _end(best, "least") > 0.0:
        said.append(full_stop(_without(view, best)))
    return _("{sentence} {next}", sentence=said[0], next=said[1]) if len(said) > 1 else "".join(said)
