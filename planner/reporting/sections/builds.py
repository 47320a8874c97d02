"""What is built and when, what is made where, and how far every plant is used."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...words import counted, figure_of, share_of, shortened
from ..parts import CONCERN, GREY, STAGES, Column, Control, Data, Figure, Section, Table, bars, layout, plain, year_axis

if TYPE_CHECKING:
    from ..view import View

STARTUP = "★"
ROW = 40  # px for each project


def section(view: View) -> Section:
    """Timeline of builds, output by country, tables of projects and plants."""
    parts: list[Figure | Table] = []
    if view.tables["builds"].empty:
        lead = ["The plan builds nothing."]
    else:
        lead = [
            "A hollow bar is under construction, a full bar is online; diamonds are the years in which modules start. "
            f"{STARTUP} marks a startup. Capex is overnight, undiscounted."
        ]
        parts += [_timeline(view), _build_table(view)]
    output = _output(view)
    if output is not None:
        parts.append(output)
    parts.append(_plants(view))
    return Section("builds", "What is built, and what it makes", lead, parts)


def name_of(view: View, option: str) -> str:
    """Name of an option's project, with a star for a startup; its key, if a study knows it from another instance."""
    row = view.options.get(option)
    if row is None:
        return option
    star = f" {STARTUP}" if view.facilities[row.facility].startup else ""
    return f"{row.name}{star}"


def _timeline(view: View) -> Figure:
    starts: dict[str, list[Any]] = defaultdict(list)
    for r in view.tables["builds"].itertuples():
        starts[r.option].append(r)
    order = {s: i for i, s in enumerate(view.instance.stages)}
    stage_of = {o: view.stage_of_facility.get(view.options[o].facility, "") for o in starts}
    options = sorted(starts, key=lambda o: (order.get(stage_of[o], 99), starts[o][0].start_year, o))
    end = view.end + 1
    traces: list[dict[str, Any]] = []
    annotations = []
    colours = {s: STAGES[i % len(STAGES)] for i, s in enumerate(view.instance.stages)}
    for stage in [*view.instance.stages, ""]:
        mine = [o for o in options if stage_of[o] == stage]
        if not mine:
            continue
        colour = colours.get(stage, GREY)
        rows = [options.index(o) for o in mine]
        first = [min(r.start_year for r in starts[o]) for o in mine]
        online = [min(min(r.online_year for r in starts[o]), end) for o in mine]
        stop = [
            min(end, max(r.online_year + view.options[o].life_years for r in starts[o])) for o in mine
        ]  # the last module to go
        shared = {"type": "bar", "orientation": "h", "y": rows, "width": 0.34, "legendgroup": stage, "offset": 0.06}
        traces.append(
            {
                **shared,
                "base": first,
                "x": [b - a for a, b in zip(first, online, strict=True)],
                "marker": {"color": "rgba(255,255,255,0)", "line": {"color": colour, "width": 2}},
                "showlegend": False,
                "hoverinfo": "skip",
            }
        )
        traces.append(
            {
                **shared,
                "base": online,
                "x": [max(0, b - a) for a, b in zip(online, stop, strict=True)],
                "marker": {"color": colour, "line": {"color": colour, "width": 2}},
                "name": plain(stage or "no stage"),
                "hoverinfo": "skip",
            }
        )
        points = [(r, options.index(o)) for o in mine for r in starts[o]]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [r.start_year for r, _ in points],
                "y": [row + 0.23 for _, row in points],
                "marker": {"symbol": "diamond", "size": 9, "color": "#1b1f24", "line": {"color": "#fff", "width": 1}},
                "customdata": [
                    f"<b>{plain(name_of(view, r.option))}</b><br>start {r.start_year}, online {r.online_year}<br>"
                    f"{figure_of(r.capacity_t)} t a year, {figure_of(r.capex_musd)} M{plain(view.instance.currency)}"
                    for r, _ in points
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
                "showlegend": False,
                "legendgroup": stage,
            }
        )
    for row, option in enumerate(options):
        tonnes = sum(r.capacity_t for r in starts[option])
        facility = view.facilities[view.options[option].facility]
        annotations.append(
            {
                "x": 0,
                "xref": "paper",
                "y": row - 0.22,
                "yref": "y",
                "xanchor": "left",
                "showarrow": False,
                "align": "left",
                "font": {"size": 12},
                "text": f"{plain(shortened(name_of(view, option), 34))} · {plain(view.countries[facility.country])} · "
                f"{figure_of(tonnes)} t",
            }
        )
    builds = view.tables["builds"]
    countries = {r.country for r in builds.itertuples()}
    stage_names = [s for s in view.instance.stages if s in stage_of.values()]
    return Figure(
        "builds-timeline",
        f"{counted(len(options), 'project')} in {counted(len(countries), 'country', 'countries')} for "
        f"{view.money(float(builds['capex_musd'].sum()))}",
        "Projects by stage and start: "
        + "; ".join(
            f"{view.options[o].name}, {view.countries[view.facilities[view.options[o].facility].country]}, "
            f"start {min(r.start_year for r in starts[o])}"
            for o in options
        )
        + ".",
        {"": traces},
        layout(
            barmode="overlay",
            xaxis={**year_axis(view.years), "side": "top", "range": [view.years[0] - 0.3, end + 0.1]},
            yaxis={"visible": False, "range": [len(options) - 0.4, -0.5], "fixedrange": True},
            annotations=annotations,
            margin={"l": 8, "r": 12, "t": 30, "b": 8},
            showlegend=bool(stage_names),
        ),
        Data(
            ("option", "name", "facility", "country", "startup", "stage", *builds.columns[3:]),
            [
                (
                    r.option,
                    view.options[r.option].name,
                    r.facility,
                    r.country,
                    "yes" if view.facilities[r.facility].startup else "no",
                    stage_of[r.option],
                    r.start_year,
                    r.online_year,
                    r.modules,
                    r.capacity_t,
                    r.capex_musd,
                )
                for r in builds.itertuples()
            ],
        ),
        height=70 + ROW * len(options) + 40,
        caption="Tonnes are nameplate capacity a year of all modules, in terms of what the plant counts "
        "(a recycler: what goes in).",
    )


def _build_table(view: View) -> Table:
    currency = view.instance.currency
    rows = []
    for r in view.tables["builds"].itertuples():
        facility = view.facilities[r.facility]
        rows.append(
            (
                view.options[r.option].name,
                facility.owner,
                view.countries[r.country],
                "yes" if facility.startup else "",
                view.stage_of_facility.get(r.facility, ""),
                r.start_year,
                r.online_year,
                r.modules,
                r.capacity_t,
                r.capex_musd,
            )
        )
    return Table(
        "table-builds",
        "Every start of modules",
        (
            Column("Project"),
            Column("Owner"),
            Column("Country"),
            Column("Startup"),
            Column("Stage"),
            Column("Start", "year"),
            Column("Online", "year"),
            Column("Modules", "number"),
            Column("Capacity, t a year", "number"),
            Column(f"Capex, M{currency}", "number"),
        ),
        rows,
        folded=len(rows) > 12,
    )


def _output(view: View) -> Figure | None:
    """Tonnes of strategic materials made, by stage and country."""
    made: dict[tuple[str, str, int], float] = defaultdict(float)
    for (material, country, _, year), tonnes in view.made.items():
        if material in view.stage_of and tonnes > 1e-3:
            made[view.stage_of[material], country, year] += tonnes
    stages = [s for s in view.instance.stages if any(key[0] == s for key in made)]
    if not stages:
        return None
    views = {}
    for n, stage in enumerate(stages):
        total: dict[str, float] = defaultdict(float)
        for (s, country, _), tonnes in made.items():
            if s == stage:
                total[country] += tonnes
        own = sorted((c for c in total if c not in view.concern), key=lambda c: (-total[c], c))
        shown, rest = own[:6], own[6:]
        groups = [(view.countries[c], [c]) for c in shown]
        if rest:
            groups.append((counted(len(rest), "other country", "other countries"), rest))
        traces = [
            bars(name, view.years, view.lengths, _sums(made, stage, members, view.years), look, "t")
            for look, (name, members) in enumerate(groups)
        ]
        for country in sorted(c for c in total if c in view.concern):
            values = _sums(made, stage, [country], view.years)
            trace = bars(view.countries[country], view.years, view.lengths, values, len(groups), "t")
            traces.append({**trace, "marker": {"color": CONCERN}})
        views[str(n)] = traces
    last = view.years[-1]
    shares = []
    for stage in stages:
        share = view.stage_share.get(stage, {}).get(last)
        if share is not None:
            shares.append(f"{stage} {share_of(1 - share)}")
    return Figure(
        "builds-output",
        "What is made, by stage and country",
        f"Share made outside {view.concern_name} in {last}: {', '.join(shares)}." if shares else "Tonnes made.",
        views,
        layout(
            barmode="stack",
            xaxis=year_axis(view.years, view.lengths),
            yaxis={"title": {"text": "t a year"}, "tickformat": ",~s"},
            hovermode="x unified",
        ),
        Data(("stage", "country", "year", "made_t"), [(*key, t) for key, t in sorted(made.items())]),
        (Control("Stage", "select", tuple(stages), len(stages) - 1),),
        height=400,
    )


def _sums(
    made: dict[tuple[str, str, int], float], stage: str, countries: list[str], years: tuple[int, ...]
) -> list[float]:
    return [sum(made.get((stage, c, y), 0.0) for c in countries) for y in years]


def _plants(view: View) -> Table:
    capacity: dict[tuple[str, int], tuple[float, float]] = {
        (r.facility, r.year): (r.capacity_t, r.used_t) for r in view.tables["capacity"].itertuples()
    }
    first, last = view.years[0], view.years[-1]
    rows = []
    for key, f in view.facilities.items():
        start, end = capacity.get((key, first), (0.0, 0.0)), capacity.get((key, last), (0.0, 0.0))
        if not any(capacity.get((key, y), (0.0, 0.0))[0] > 1e-6 for y in view.years):
            continue
        rows.append(
            (
                f.name,
                view.countries[f.country],
                "yes" if f.startup else "",
                view.stage_of_facility.get(key, ""),
                f.status,
                start[0],
                start[1] / start[0] if start[0] > 1e-6 else None,
                end[0],
                end[1] / end[0] if end[0] > 1e-6 else None,
            )
        )
    return Table(
        "table-plants",
        "Every plant with capacity, and how far it is used",
        (
            Column("Plant"),
            Column("Country"),
            Column("Startup"),
            Column("Stage"),
            Column("Status at the start"),
            Column(f"Capacity {first}, t", "number"),
            Column(f"Used {first}", "share"),
            Column(f"Capacity {last}, t", "number"),
            Column(f"Used {last}", "share"),
        ),
        rows,
        folded=len(rows) > 12,
    )
