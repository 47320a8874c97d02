"""What is built and when, what is made where, and how far every plant is used."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...instance.timeline import promised
from ...instance.wildcards import options_of
from ...language import N_, _, n_, translated
from ...words import commas, figure_of, share_of, shortened, told
from ..charts import largest, records, stacked, year_axis
from ..looks import GREY, PALE, STAGES, Look
from ..parts import Column, Control, Figure, Section, Table, project_columns
from ..ranked import NAMED, Bar, Mark, ranked
from ..view import STARTUP

if TYPE_CHECKING:
    from ...instance.group_tables import GroupLimit
    from ..view import View

LARGEST = 10  # projects in the table of those that cost most


def section(view: View) -> Section:
    """Timeline of builds, output by country, tables of projects and plants."""
    builds = records(view.tables["builds"])
    lead = _("The plan builds nothing.")
    if builds:
        lead = _(
            "A hollow bar is under construction, a full bar is online; diamonds are the years in "
            "which modules start. {star} marks a startup. Capex is overnight, undiscounted.",
            star=STARTUP,
        )
    parts: list[Figure | Table | None] = []
    if builds:
        parts += [_timeline(view, builds), _largest(view, builds), _build_table(view, builds)]
    parts += [_group_table(view, builds), _output(view), _plants(view)]
    return Section("builds", _("What is built, and what it makes"), [lead], parts)


def _timeline(view: View, builds: list[dict[str, Any]]) -> Figure:
    """Each project as a bar from its start to its end of life, stage by stage."""
    starts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for r in builds:
        r |= {"name": view.options[r["option"]].name, "stage": view.stage_of_project(r["option"]),
              "startup": "yes" if view.facilities[r["facility"]].startup else "no"}  # fmt: skip
        starts[r["option"]].append(r)
    end, stages = view.end + 1, [*view.instance.stages, ""]
    projects = [
        {
            "option": option,
            "stage": mine[0]["stage"],
            "start": min(r["start_year"] for r in mine),
            "online": min(end, *(r["online_year"] for r in mine)),
            "stop": min(end, max(r["online_year"] for r in mine) + view.options[option].life_years),  # the last module
        }
        for option, mine in starts.items()
    ]
    projects.sort(key=lambda p: (stages.index(p["stage"]), starts[p["option"]][0]["start_year"], p["option"]))
    bars = []
    for n, stage in enumerate(stages):
        colour = STAGES[n % len(STAGES)] if stage else GREY
        of = ("stage", stage)
        bars += [
            Bar("online", "", Look(colour, hollow=True), "start", says="", where=of),
            Bar(
                lambda p: max(p["online"], p["stop"]), stage or _("no stage"), Look(colour), "online", says="", where=of
            ),
        ]

    def name(project: dict[str, Any]) -> str:
        tonnes = figure_of(sum(r["capacity_t"] for r in starts[project["option"]]))
        place = _(" · {country} · {tonnes} t", country=view.home(project["option"]), tonnes=tonnes)
        return shortened(view.project(project["option"]), NAMED - len(place)) + place

    def says(r: dict[str, Any]) -> list[str]:
        tonnes, capex = figure_of(r["capacity_t"]), figure_of(r["capex_musd"])
        return [
            view.project(r["option"]),
            _("start {start}, online {online}", start=r["start_year"], online=r["online_year"]),
            _("{tonnes} t a year, {capex} {unit}", tonnes=tonnes, capex=capex, unit=view.musd),
        ]

    marks = Mark(lambda p: [(r["start_year"], says(r)) for r in starts[p["option"]]])
    said = [
        _(
            "{name}, {country}, start {start}",
            name=view.options[p["option"]].name,
            country=view.home(p["option"]),
            start=p["start"],
        )
        for p in projects
    ]
    places = n_("{n} country", "{n} countries", len({r["country"] for r in builds}))
    axis = {**year_axis(view.years), "side": "top", "range": [view.years[0] - 0.3, end + 0.1]}
    return Figure(
        "builds-timeline",
        _(
            "{projects} in {places} for {amount}",
            projects=n_("{n} project", "{n} projects", len(projects)),
            places=places,
            amount=view.money(sum(r["capex_musd"] for r in builds)),
        ),
        told(_("Projects by stage and start"), said),
        ranked(projects, name, bars, axis, most=len(projects), marks=marks, margin={"t": 30}),
        columns="option name facility country startup stage start_year online_year modules capacity_t capex_musd",
        rows=builds,
        caption=_(
            "Tonnes are nameplate capacity a year of all modules, in terms of what the plant counts "
            "(a recycler: what goes in)."
        ),
    )


def _largest(view: View, builds: list[dict[str, Any]]) -> Table:
    """The projects that cost most, one row each."""
    starts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for r in builds:
        starts[r["option"]].append(r)
    rows = [
        {
            "option": option,
            "first": min(r["start_year"] for r in mine),
            "online": min(r["online_year"] for r in mine),
            "capacity_t": sum(r["capacity_t"] for r in mine),
            "capex_musd": sum(r["capex_musd"] for r in mine),
            "chance": view.options[option].success_probability,
        }
        for option, mine in starts.items()
    ]
    rows.sort(key=lambda r: (-r["capex_musd"], r["option"]))
    shown = rows[:LARGEST]
    cost = view.money(sum(r["capex_musd"] for r in shown))
    title = _("The projects by capex: {cost}", cost=cost)
    if len(rows) > len(shown):
        title = _("The {some} largest of {all} projects: {cost}", some=len(shown), all=len(rows), cost=cost)
    return Table(
        "table-largest",
        title,
        shown,
        (
            *project_columns(view),
            Column(_("First start"), "first", "year"),
            Column(_("First online"), "online", "year"),
            Column(_("Capacity, t a year"), "capacity_t", "number"),
            Column(_("Capex, {unit}", unit=view.musd), "capex_musd", "number"),
            Column(_("Chance of success"), "chance", "share"),
        ),
    )


def _build_table(view: View, builds: list[dict[str, Any]]) -> Table:
    return Table(
        "table-builds",
        _("Every start of modules"),
        builds,
        (
            Column(_("Project"), "name"),
            Column(_("Owner"), lambda r: view.facilities[r["facility"]].owner),
            Column(_("Country"), lambda r: view.countries[r["country"]]),
            Column(_("Startup"), lambda r: _("yes") if r["startup"] == "yes" else ""),
            Column(_("Stage"), "stage"),
            Column(_("Start"), "start_year", "year"),
            Column(_("Online"), "online_year", "year"),
            Column(_("Modules"), "modules", "number"),
            Column(_("Capacity, t a year"), "capacity_t", "number"),
            Column(_("Capex, {unit}", unit=view.musd), "capex_musd", "number"),
        ),
    )


def _group_table(view: View, builds: list[dict[str, Any]]) -> Table | None:
    """The limits on groups of options, and what the plan starts of each; None if the instance has none."""

    def started(limit: GroupLimit) -> float:
        members = options_of(view.instance, limit.group)
        counted = [r for r in builds if r["option"] in members and promised(limit, r["start_year"])]
        if limit.measure == "options":
            return float(len({r["option"] for r in counted}))
        return float(sum(r[limit.measure] for r in counted))

    def years(limit: GroupLimit) -> str:
        first, last = limit.first_year or view.years[0], limit.last_year or view.end
        return str(first) if first == last else _("{first} to {last}", first=first, last=last)

    if not view.instance.group_limits:
        return None
    return Table(
        "table-groups",
        _("Limits on groups of projects, and what is started of each"),
        view.instance.group_limits,
        (
            Column(_("Group"), lambda limit: limit.group),
            Column(_("Counted"), lambda limit: translated(COUNTED[limit.measure]).format(unit=view.musd)),
            Column(_("Started in"), years),
            Column(_("At least"), lambda limit: limit.min or None, "number"),
            Column(_("Plan"), started, "number"),
            Column(_("At most"), lambda limit: limit.max, "number"),
        ),
    )


STATUS = (N_("operating"), N_("construction"), N_("candidate"))  # of a plant
COUNTED = {
    "options": N_("different projects"),
    "modules": N_("modules"),
    "capacity_t": N_("capacity, t a year"),
    "capex_musd": N_("capex, {unit}"),
}


def _output(view: View) -> Figure | None:
    """Tonnes of strategic materials made, by stage and country."""
    made: dict[tuple[str, str, int], float] = defaultdict(float)
    for (material, country, _q, year), tonnes in view.made.items():
        if material in view.stage_of and tonnes > 1e-3:
            made[view.stage_of[material], country, year] += tonnes
    rows: list[dict[str, Any]] = [
        {"stage": s, "country": c, "year": y, "made_t": t} for (s, c, y), t in sorted(made.items())
    ]
    stages = [s for s in view.instance.stages if any(r["stage"] == s for r in rows)]
    if not rows:
        return None
    last, charts = view.years[-1], {}
    for stage in stages:
        mine = [r for r in rows if r["stage"] == stage]
        total: dict[str, float] = defaultdict(float)
        for r in mine:
            total[r["country"]] += r["made_t"]
        own = {c: t for c, t in total.items() if c not in view.concern}
        groups = largest(
            own, view.countries.__getitem__, 6, lambda n: n_("{n} other country", "{n} other countries", n)
        )
        concern = [(view.countries[c], [c]) for c in sorted(set(total) & view.concern)]
        looks = {name: view.country_looks.get(name, Look(PALE)) for name, *_keys in [*groups, *concern]}
        charts[stage] = stacked(
            mine, "year", "made_t", "country", "t", groups=[*groups, *concern], years=view.years,
            lengths=view.lengths, looks=looks, height=400,
        )  # fmt: skip
    shares = [f"{s} {share_of(1 - view.stage_share[s][last])}" for s in stages if last in view.stage_share.get(s, {})]
    return Figure(
        "builds-output",
        _("What is made, by stage and country"),
        _(
            "Share made outside {concern} in {year}: {parts}.",
            concern=view.concern_name,
            year=last,
            parts=commas(shares),
        )
        if shares
        else _("Tonnes made."),
        charts,
        (Control(_("Stage"), stages, stages[-1]),),
    )


def _plants(view: View) -> Table:
    """Each plant with capacity: what it has and uses in the first and in the last period."""
    capacity = {(r.facility, r.year): (r.capacity_t, r.used_t) for r in view.tables["capacity"].itertuples()}
    first, last = view.years[0], view.years[-1]
    plants = {f for (f, __), (size, __) in capacity.items() if size > 1e-6}

    def used(plant: str, year: int) -> float | None:
        size, use = capacity.get((plant, year), (0.0, 0.0))
        return use / size if size > 1e-6 else None

    return Table(
        "table-plants",
        _("Every plant with capacity, and how far it is used"),
        [f for f in view.instance.facilities if f.facility in plants],
        (
            Column(_("Plant"), lambda f: f.name),
            Column(_("Country"), lambda f: view.countries[f.country]),
            Column(_("Startup"), lambda f: _("yes") if f.startup else ""),
            Column(_("Stage"), lambda f: view.stage_of_facility.get(f.facility, "")),
            Column(_("Status at the start"), lambda f: translated(f.status)),
            Column(
                _("Capacity {year}, t", year=first), lambda f: capacity.get((f.facility, first), (0.0,))[0], "number"
            ),
            Column(_("Used {year}", year=first), lambda f: used(f.facility, first), "share"),
            Column(_("Capacity {year}, t", year=last), lambda f: capacity.get((f.facility, last), (0.0,))[0], "number"),
            Column(_("Used {year}", year=last), lambda f: used(f.facility, last), "share"),
        ),
    )
