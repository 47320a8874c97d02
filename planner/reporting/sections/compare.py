"""This plan beside others: cost by part, dependence by year, and what is built, paid and short otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...bands import Band, Searched, difference
from ...language import N_, _, p_, translated
from ...questions.compare.result import NOTHING, figures_of, quantity_in_words
from ...runs.tables import component_in_words
from ...words import (
    capital,
    commas,
    figure_of,
    full_stop,
    listed,
    points_of,
    semicolons,
    share_of,
    shortened,
    spans_of,
    told,
    written,
)
from ..charts import SHARES, amounts, columns, lines, positions
from ..diagrams import heat, heat_width
from ..looks import look
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import Names, View

SOME_T, SOME_MUSD, SOME_SHARE = 0.5, 1e-6, 1e-6
MOST, MOST_PROJECTS = 200, 30  # rows of a table, and of a heat map
MOST_STARTS = 3  # plans whose start years fit into one cell


def section(view: View, study: Shown) -> Section:
    """This plan beside the others."""
    return beside(view, study, _mine(view, study))


def beside(view: Names, study: Shown, mine: str = "") -> Section:
    """All that differs, in one section; ``mine`` is the name of the page's own plan, if any."""
    names = _names(study)
    parts = [part for *_title, some in _chapters(view, study, mine) for part in some]
    lead = [
        _(
            "{plans}, over {years}. {base}",
            plans=_all(names, mine),
            years=spans_of(_years(study)),
            base=_against(names),
        ),
        *_notes(study),
    ]
    return Section("rivals", _("Beside other plans"), lead, parts, _("Compared"), study.warnings)


def sections(view: Names, study: Shown) -> list[Section]:
    """The same as sections of a page of its own; what does not differ is left out."""
    names, notes = _names(study), list(map(capital, study.about.get("notes", ())))
    leads = {
        "Figures": [
            _(
                "{plans}, over {years}. {base}",
                plans=_all(names, ""),
                years=spans_of(_years(study)),
                base=_against(names),
            ),
            _(
                "The least cost of each instance differs from that of the base by an amount in the range that is "
                "given. It follows from the gaps of the searches. Where it leaves open which costs more, no change is "
                "told."
            ),
        ],
        "Builds": [
            _("Capacity that is started over the whole horizon; only projects that some plan builds otherwise.")
        ],
        "Who pays": [_("Capital of projects that have a fund or a limit on their private capital, by its source.")],
    }
    chapters = [
        (brief, title, [p for p in parts if p is not None]) for brief, title, parts in _chapters(view, study, "")
    ]
    return [
        Section(f"plans-{brief.lower().replace(' ', '-')}", title, leads.get(brief, ()), parts, translated(brief))
        for brief, title, parts in chapters
        if parts
    ] + ([Section("plans-notes", _("What to know when reading this"), notes, (), _("Notes"))] if notes else [])


Parts = list[Figure | Table | None]


def _chapters(view: Names, study: Shown, mine: str) -> list[tuple[str, str, Parts]]:
    """Return what is shown, in reading order: short name, title and parts of each chapter."""
    names, same = _names(study), _same_money(study)
    rows = figures_of(names, study.about["of"], study.about["money"], study.about["bounds"], study.tables["totals"])

    def differing(table: str, title: str, least: float) -> Table | None:
        return _differences(view, study, mine, table, title, least)

    return [
        (
            N_("Figures"),
            _("The plans side by side"),
            [_figures(view, rows, mine), _positions(view, rows, mine) if same else None],
        ),
        (
            N_("Cost"),
            _("What they cost"),
            [_cost_chart(view, study, names, mine) if same else None, _totals(study, names, mine)],
        ),
        (N_("Dependence"), _("How dependent they leave us"), [_dependence(view, study, names, mine)]),
        (
            N_("Builds"),
            _("What they build otherwise"),
            [_build_chart(view, study, mine), differing("builds", _("Built otherwise, t a year"), SOME_MUSD)],
        ),
        (
            N_("Who pays"),
            _("Who pays for what is built"),
            [_payers(view, study, mine), differing("funding", _("Paid otherwise, {unit}", unit=view.musd), SOME_MUSD)],
        ),
        (
            N_("Shortage"),
            _("What is short"),
            [differing("shortages", _("Short otherwise, t over the years in common"), SOME_T)],
        ),
        (
            N_("Flows"),
            _("What moves otherwise"),
            [differing("flows", _("Moved otherwise, t over the years in common"), SOME_T)],
        ),
    ]


def _all(names: Sequence[str], mine: str) -> str:
    return capital(listed([_quoted(n, mine) for n in names], 12))


def _against(names: Sequence[str]) -> str:
    return _("The base, against which the others are set, is {name}.", name=_quoted(names[0]))


def _notes(study: Shown) -> list[str]:
    return [_("Note: {note}", note=note) for note in study.about.get("notes", ())]


def _years(study: Shown) -> list[int]:
    return [int(year) for year in study.about["years"]]


def _figures(view: Names, rows: Sequence[Row], mine: str) -> Table:
    """The key figures: a line for each plan; a column that is 0 in all plans is left out.

    The change of the cost against the base is blank where the gaps of the searches leave open which plan costs more.
    """

    def settled(row: Row) -> float | None:
        band = row["band"]
        return None if band is None or not (band.sign or band.same) else row["change_musd"]

    columns = [
        Column(_("Plan"), lambda r: _called(r["plan"], mine)),
        Column(_("Cost, {unit}", unit=view.musd), "cost_musd", "number"),
        Column(_("Change"), settled, "number"),
        Column(p_("amount", "from"), "least_musd", "number"),
        Column(p_("amount", "to"), "most_musd", "number"),
        Column(_("Exposed share"), "exposed_share", "share"),
        Column(_("Points"), lambda r: "" if r["plan"] == rows[0]["plan"] else points_of(r["exposed_change"])),
        Column(_("Capital, {unit}", unit=view.musd), "capex_musd", "number"),
        Column(_("Public money, {unit}", unit=view.musd), "public_musd", "number"),
        Column(_("Short, t"), "short_t", "number"),
    ]
    shown = [c for c in columns if not c.numeric or any(abs(c.cell(r) or 0.0) > NOTHING for r in rows)]
    return Table("table-rival-figures", _("Key figures"), list(rows), shown, folded=False)


def _positions(view: Names, rows: Sequence[Row], mine: str) -> Figure | None:
    """Where each plan stands between cost and dependence, as on the curve of the cost of security."""
    placed = []
    for r in rows:
        band = r["band"]
        extra, least = (0.0, 0.0) if band is None else (band.found, min(band.least, band.found))
        says = [
            r["plan"],
            _("exposed {share}", share=share_of(r["exposed_share"])),
            "" if band is None else band.told(view.money),
        ]
        if r["exposed_share"] == r["exposed_share"]:  # something is delivered
            numbers = {"exposed_share": r["exposed_share"], "extra_musd": extra, "least_musd": least}
            placed.append({"plan": _called(r["plan"], mine), **numbers, "says": says})
    if len(placed) < 2:
        return None
    ends = [end for r in placed for end in (r["extra_musd"], r["least_musd"])]
    said = [
        commas([f"{r['plan']} {share_of(r['exposed_share'])}", f"{figure_of(r['extra_musd'])} {view.musd}"])
        for r in placed
    ]
    return Figure(
        "rivals-positions",
        _("Cost against dependence: where each plan stands"),
        told(_("Exposed share and extra cost against the base"), said),
        positions(
            placed,
            "exposed_share",
            "extra_musd",
            "least_musd",
            "plan",
            {"title": {"text": _("exposed share of deliveries")}, "tickformat": ".0%", "autorange": "reversed"},
            {**amounts(_("extra cost, {unit} present value", unit=view.musd), ends), "rangemode": "normal"},
            says="says",
        ),
        columns="plan exposed_share extra_musd least_musd",
        caption=_(
            "To the right a plan depends less, higher up it costs more. A line reaches down to the least that the "
            "difference may be, by the gaps of the searches."
        ),
    )


def _build_chart(view: Names, study: Shown, mine: str) -> Figure | None:
    """Capacity of each project that is built otherwise, plan by plan, as part of the most that a plan builds of it."""
    names = _names(study)
    rows = _apart(study, "builds", SOME_MUSD)[:MOST_PROJECTS]
    if not rows:
        return None
    cells = [{"option": r["option"], "plan": n, "t": r[n]} for r in rows for n in names if r[n]]
    known = {
        r["option"]: commas([view.project(r["option"]), view.countries.get(r["country"]) or str(r["country"])])
        for r in rows
    }
    title = _("Capacity started of what differs, t a year")
    if len(_apart(study, "builds", SOME_MUSD)) > len(rows):
        title = _("{text} (the {n} that differ most)", text=title, n=len(rows))
    each = [
        _("{head}: {parts}", head=known[r["option"]], parts=commas(f"{n} {figure_of(r[n])} t" for n in names))
        for r in rows[:12]
    ]
    return Figure(
        "rivals-builds",
        title,
        full_stop(semicolons(each)),
        heat(cells, "plan", "option", "t", _("t a year"), {n: _called(n, mine) for n in names}, known),
        least=heat_width(len(names)),
        caption=_("A blank cell: the plan does not build it. The stronger the colour, the more."),
    )


def _payers(view: Names, study: Shown, mine: str) -> Figure | None:
    """Capital by its source, plan by plan."""
    names = _names(study)
    rows = [r for r in study.tables["funding"] if any(abs(r[n] or 0.0) > SOME_MUSD for n in names)]
    if not rows:
        return None
    rows.sort(key=lambda r: -max(abs(r[n] or 0.0) for n in names))
    total = {n: sum(r[n] or 0.0 for r in rows) for n in names}
    public = {n: sum(r[n] or 0.0 for r in rows if r["source"] != "private") for n in names}
    said = [
        _("{name} {amount} of {whole}", name=_called(n, mine), amount=view.money(public[n]), whole=view.money(total[n]))
        for n in names
    ]
    return Figure(
        "rivals-payers",
        _("Who pays the capital"),
        _("Public money: {parts}.", parts=semicolons(said)),
        columns(
            rows[:12],
            {n: _called(n, mine) for n in names},
            {n: figure_of(total[n], 4) for n in names},
            amounts(view.musd, total.values()),
            called=lambda r: shortened(_source(view, str(r["source"])), 40),
        ),
        rows=rows,
    )


def _names(study: Shown) -> list[str]:
    return [str(n) for n in study.about["names"]]


def _same_money(study: Shown) -> bool:
    """Whether costs of the plans can be set side by side: all in one currency, price year and discount rate."""
    return len(set(study.about.get("money", ()))) <= 1


def _mine(view: View, study: Shown) -> str:
    """The name of this page's plan among those compared."""
    this = view.run.digest
    return _names(study)[list(study.about["of"]).index(this)]


def _called(name: str, mine: str) -> str:
    return _("{name} (this plan)", name=name) if name == mine else name


def _quoted(name: str, mine: str = "") -> str:
    return _("“{name}” (this plan)", name=name) if name == mine else _("“{name}”", name=name)


def _cost_chart(view: Names, study: Shown, names: Sequence[str], mine: str) -> Figure:
    parts = [r for r in study.tables["totals"] if str(r["quantity"]).startswith("of which ")]
    total = _cost(study)
    shown = [r for r in parts if any(abs(r[n] or 0.0) > SOME_MUSD for n in names)]
    ends = [view.money(amount, 4) for amount in (min(total[n] for n in names), max(total[n] for n in names))]
    title = _("Costs from {least} to {most}", least=ends[0], most=ends[1])
    if len(names) == 2:
        title = _dearer(view, _band(study, names[-1], names[0]), _quoted(names[-1]), _quoted(names[0]))
    return Figure(
        "rivals-cost",
        title,
        told(_("Cost"), [f"{_called(n, mine)} {view.money(total[n], 4)}" for n in names]),
        columns(
            shown,
            {n: _called(n, mine) for n in names},
            {n: figure_of(total[n], 4) for n in names},
            amounts(_("{unit} present value", unit=view.musd), [total[n] or 0.0 for n in names]),
            called=lambda r: component_in_words(str(r["quantity"]).removeprefix("of which ")),
        ),
        rows=[{k: r[k] for k in ("quantity", *names)} for r in (total, *shown)],
    )


def _dependence(view: Names, study: Shown, names: Sequence[str], mine: str) -> Figure | None:
    """Share by year of each plan: traced, or of one stage."""
    by: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for r in study.tables["dependence"]:
        if r["metric"] in ("exposed_share", "stage_share"):
            kept = {n: r[n] for n in names}
            by[r["metric"], r["stage"] or ""].append({k: r[k] or "" for k in ("metric", "stage", "year")} | kept)
    keys = [k for k in (("exposed_share", ""), *(("stage_share", s) for s in view.instance.stages)) if k in by]
    if not keys:
        return None
    looks = {_called(name, mine): look(n) for n, name in enumerate(names)}
    if mine:
        looks[_called(mine, mine)] = looks[_called(mine, mine)]._replace(dash="solid", width=4)
    charts = {
        _("traced, end to end") if not stage else _("stage {stage}", stage=stage): lines(
            by[metric, stage], "year", {n: _called(n, mine) for n in names}, yaxis=SHARES, looks=looks,
            xs=[int(y) for y in study.about["years"]],
        )
        for metric, stage in keys
    }  # fmt: skip
    last = max(by[keys[0]], key=lambda r: r["year"])
    said = [f"{_called(n, mine)} {share_of(last[n])}" for n in names if last[n] is not None]
    kind = _("Traced dependence") if keys[0][0] == "exposed_share" else _("Dependence of {stage}", stage=keys[0][1])
    return Figure(
        "rivals-dependence",
        _("{metric} in {year}: {names}", metric=kind, year=last["year"], names=listed(said, 4)),
        _("In {year}: {parts}.", year=last["year"], parts=commas(said)),
        charts,
    )


def _columns(names: Sequence[str], mine: str) -> tuple[Column, ...]:
    """A column for each plan; between two plans the change too."""
    change = (Column(_("Change"), "change", "number"),) if len(names) == 2 else ()
    return (*(Column(_called(n, mine), n, "number") for n in names), *change)


def _totals(study: Shown, names: Sequence[str], mine: str) -> Table:
    """What is not among the key figures; without lines of zeros."""
    rows = [r for r in study.tables["totals"] if r["quantity"] != "exposed share"]
    rows = [r for r in rows if any(abs(r[n] or 0.0) > NOTHING for n in names)]
    keys = (
        Column(_("What"), lambda r: quantity_in_words(r["quantity"])),
        Column(_("Unit"), lambda r: translated(r["unit"])),
    )
    return Table("table-rivals", _("In all"), rows, (*keys, *_columns(names, mine)), folded=False)


def _apart(study: Shown, table: str, least: float) -> list[Row]:
    """The rows in which the plans differ, the largest first."""
    names = _names(study)

    def spread(row: Row) -> float:
        values = [row[n] or 0.0 for n in names]
        return max(values) - min(values)

    rows = [r for r in study.tables[table] if spread(r) > least or " / " in str(r.get("when", ""))]
    return sorted(rows, key=spread, reverse=True)


COLUMNS = (N_("Option"), N_("Facility"), N_("Country"), N_("Source"), N_("Sector"), N_("Material"), N_("Origin"),
           N_("Destination"))  # fmt: skip


def _differences(view: Names, study: Shown, mine: str, table: str, title: str, least: float) -> Table | None:
    """The rows in which the plans differ, the largest first; None if there are none."""
    names, rows = _names(study), _apart(study, table, least)
    if not rows:
        return None
    if len(rows) > MOST:
        title = _("{text} (the largest {most} of {n})", text=title, most=MOST, n=written(len(rows), "count"))
    keys = [
        Column(translated({"when": N_("Starts")}.get(k, k.capitalize())), lambda r, k=k: _word(view, k, r[k]))  # type: ignore[misc]
        for k in rows[0]
        if k not in (*names, "change", "facility") and (k != "when" or len(names) <= MOST_STARTS)
    ]
    shown = (*keys, *_columns(names, mine))
    return Table(f"table-rival-{table}", title, rows[:MOST], shown, folded=len(rows) > 12)


def _source(view: Names, source: str) -> str:
    """Who a source of capital is, such as a fund by its provider."""
    provider = next((f.provider for f in view.instance.funds if f.fund == source), "")
    return _("private capital") if source == "private" else f"{provider} ({source})" if provider else source


def _word(view: Names, key: str, value: Any) -> str:
    text = str(value or "")
    if key == "source":
        return _source(view, text)
    if key == "option":
        return view.project(text)
    known = {"country": view.countries, "origin": view.countries, "destination": view.countries,
             "sector": view.sectors, "material": view.materials}  # fmt: skip
    return known[key].get(text, text) if key in known else text


def in_words(view: View, study: Shown) -> str:
    """What this plan costs against the first of the others."""
    names, mine = _names(study), _mine(view, study)
    other = next((n for n in names if n != mine), None)
    if other is None or not _same_money(study):
        return ""
    name = _("the plan {name}", name=_quoted(other))
    return full_stop(_dearer(view, _band(study, mine, other), _("This plan"), name))


def _cost(study: Shown) -> Row:
    return next(r for r in study.tables["totals"] if r["quantity"] == "cost")


def _band(study: Shown, name: str, base: str) -> Band:
    """By how much the least cost of one plan's instance is above that of another."""
    cost, names, of = _cost(study), _names(study), study.about["of"]
    one, other = (Searched(cost[n], study.about["bounds"][names.index(n)]) for n in (name, base))
    if of[names.index(name)] == of[names.index(base)]:  # one and the same plan
        one = other = Searched(one.cost, one.cost)
    return difference(one, other)


def _dearer(view: Names, band: Band, this: str, other: str) -> str:
    """Which of two plans costs more, if the gaps of their searches do not leave it open."""
    if band.same:
        return _("{this} costs the same as {other}", this=this, other=other)
    if not band.sign:
        return _(
            "{this} and {other} cannot be told apart by cost: {change}, by the gaps of the searches",
            this=this,
            other=other,
            change=band.told(view.money),
        )
    return _("{this} costs {change} than {other}", this=this, change=band.told(view.money), other=other)
