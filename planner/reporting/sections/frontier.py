"""The curve of cost against dependence: its knee, its bound, and what is built at every step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...words import counted, figure_of, share_of, tonnes_of
from ..parts import BLUE, GREY, ORANGE, Column, Data, Figure, Section, Table, layout, plain

if TYPE_CHECKING:
    from ..studies import Study
    from ..view import View

METRICS = {
    "exposed_share": "traced dependence",
    "stage_share": "dependence of the stage",
    "single_country_share": "largest share of one country,",
    "unserved": "unserved demand",
}

LEVEL = 1e-4  # share: shorter level parts of the curve are not drawn


@dataclass(frozen=True)
class Curve:
    """A cost curve.

    points    rows of frontier.csv, the least cost first
    switches  rows of switches.csv
    bound     (limit, MUSD) of the relaxation, if there is one
    """

    points: Sequence[dict[str, Any]]
    switches: Sequence[dict[str, Any]]
    bound: Sequence[tuple[float, float]]
    knee: int | None
    metric: str
    years: str

    @property
    def name(self) -> str:
        """The metric in words."""
        kind, _, of = self.metric.partition(":")
        return f"{METRICS.get(kind, kind)} {of}".strip()


def curve_of(study: Study) -> Curve:
    """What ``planner frontier`` wrote, as a curve."""
    about = study.about
    points = sorted(study.tables["points"], key=lambda row: row["point"])
    first = about.get("from_year")
    when = "in every year" if first is None else f"from {first} on"
    if about.get("glide"):
        when += ", gliding down to it from the first year's level"
    bound = sorted(
        (row["limit"], row["bound_musd"]) for row in study.tables["bound"] if row.get("bound_musd") is not None
    )
    return Curve(points, study.tables["switches"], bound, about.get("knee"), str(about.get("metric", "")), when)


def section(view: View, study: Study) -> Section:
    """The curve and its steps."""
    curve = curve_of(study)
    title = "What less dependence costs"
    if not any(p["share"] is not None for p in curve.points):
        return Section("curve", title, ["The curve holds no point."], (), "Trade-off", study.warnings)
    currency = view.instance.currency
    least = curve.points[0]["objective_musd"]
    changes = _changes(curve)
    steps = _steps(view, changes, 6)
    lead = [
        f"Each point is the cheapest plan at a limit on {curve.name}, {curve.years}; the caps of the instance stay in "
        "force. The first is the least cost, the last the least dependence that any plan can keep."
    ]
    table = Table(
        "table-curve",
        "Every point",
        (
            Column("Point", "count"),
            Column("Share kept", "share"),
            Column(f"Extra cost, M{currency}", "number"),
            Column(f"One point less costs, M{currency}", "number"),
            Column(f"{currency}/kg clean", "number"),
            Column("Short, t", "number"),
            Column("Gap", "share"),
        ),
        [
            (
                p["point"],
                p["share"],
                p["objective_musd"] - least,
                p["marginal_musd_per_point"],
                p.get("usd_per_kg_clean"),
                p.get("short_t"),
                p["gap"],
            )
            for p in curve.points
        ],
    )
    parts: list[Figure | Table] = [_figure(view, curve, steps), table]
    if changes:
        parts.append(
            Table(
                "table-steps",
                "The largest projects built otherwise than at the point before: + more, - less",
                (Column("Point", "count"), Column("Share kept", "share"), Column("Projects")),
                [(p["point"], p["share"], "; ".join(steps[p["point"]])) for p in curve.points if p["point"] in steps],
            )
        )
        parts.append(_change_table(view, changes))
    return Section("curve", title, lead, parts, "Trade-off", study.warnings)


@dataclass(frozen=True)
class _Change:
    """How the builds of a project differ from the point before. ``modules`` is the net change, all starts together."""

    option: str
    kind: str  # added, dropped, more, less or moved; added and dropped are of starts, the project may have others
    modules: float


def _changes(curve: Curve) -> dict[int, list[_Change]]:
    """Point -> changes of its projects."""
    net: dict[tuple[int, str], float] = defaultdict(float)
    seen: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in curve.switches:
        key = int(row["point"]), str(row["option"])
        gained = row["change"] in ("on", "more")
        net[key] += float(row["modules"]) * (1 if gained else -1)
        seen[key].add(str(row["change"]))
    found: dict[int, list[_Change]] = defaultdict(list)
    for (point, option), words in seen.items():
        modules = net[point, option]
        if abs(modules) <= 1e-6:
            kind = "moved"
        elif words == {"on"}:
            kind = "added"
        elif words == {"off"}:
            kind = "dropped"
        else:
            kind = "more" if modules > 0 else "less"
        found[point].append(_Change(option, kind, modules))
    return found


SIGNS = {"added": "+", "dropped": "-", "more": "+", "less": "-", "moved": "~"}


def _name(view: View, option: str) -> str:
    return view.options[option].name if option in view.options else option


def _money(view: View, change: _Change) -> float:
    """Capex that a change brings or saves; what moves in time counts nothing."""
    return change.modules * view.options[change.option].capex_musd if change.option in view.options else 0.0


def _steps(view: View, changes: dict[int, list[_Change]], most: int) -> dict[int, list[str]]:
    """Point -> its largest changes by capex, in words."""
    found = {}
    for point, mine in changes.items():
        order = sorted(mine, key=lambda c: (-abs(_money(view, c)), c.option))
        words = [f"{SIGNS[c.kind]} {_name(view, c.option)}" for c in order if c.kind != "moved"][:most]
        rest = len(mine) - len(words)
        found[point] = words + (
            [f"and {counted(rest, 'smaller change')}" if words else counted(rest, "change")] if rest else []
        )
    return found


def _change_table(view: View, changes: dict[int, list[_Change]]) -> Table:
    rows = []
    for point, mine in sorted(changes.items()):
        for change in mine:
            option = view.options.get(change.option)
            facility = view.facilities[option.facility] if option else None
            rows.append(
                (
                    point,
                    _name(view, change.option),
                    view.countries[facility.country] if facility else "",
                    "yes" if facility and facility.startup else "",
                    view.stage_of_facility.get(option.facility, "") if option else "",
                    change.kind,
                    change.modules * option.module_t if option else None,
                    _money(view, change) if option else None,
                )
            )
    return Table(
        "table-switches",
        "Every project that changes between neighbouring points",
        (
            Column("Point", "count"),
            Column("Project"),
            Column("Country"),
            Column("Startup"),
            Column("Stage"),
            Column("Change"),
            Column("Capacity, t a year", "number"),
            Column(f"Capex, M{view.instance.currency}", "number"),
        ),
        rows,
        folded=True,
    )


def _figure(view: View, curve: Curve, steps: dict[int, list[str]]) -> Figure:
    currency = plain(view.instance.currency)
    points = [p for p in curve.points if p["share"] is not None]
    least = points[0]["objective_musd"]
    about = [
        f"<b>point {p['point']}</b>: {share_of(p['share'])}, {figure_of(p['objective_musd'] - least)} M{currency} more"
        + "".join(f"<br>{plain(words)}" for words in steps.get(p["point"], []))
        for p in points
    ]
    traces: list[dict[str, Any]] = []
    if len(curve.bound) > 1:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "bound without whole numbers",
                "x": [limit for limit, _ in curve.bound if limit <= points[0]["share"] + 1e-9],
                "y": [cost - least for limit, cost in curve.bound if limit <= points[0]["share"] + 1e-9],
                "line": {"color": GREY, "width": 2, "dash": "dash"},
                "hoverinfo": "skip",
            }
        )
    corners = [
        (at, p["objective_musd"] - least, size, said)
        for p, said in zip(points, about, strict=True)
        for at, size in ((p.get("same_until"), 0), (p["share"], 9))
        if size or (at is not None and at > p["share"] + LEVEL)  # up to there nothing is cheaper: the curve is level
    ]
    x, y, size, said = (list(values) for values in zip(*corners, strict=True))
    traces.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "least cost",
            "x": x,
            "y": y,
            "line": {"color": BLUE, "width": 3},
            "marker": {"size": size, "symbol": "circle"},
            "customdata": said,
            "hovertemplate": "%{customdata}<extra></extra>",
        }
    )
    knee = next((p for p in points if p["point"] == curve.knee), None)
    if knee is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": "knee",
                "x": [knee["share"]],
                "y": [knee["objective_musd"] - least],
                "text": [f"knee, {share_of(knee['share'])}"],
                "textposition": "top left",
                "marker": {"symbol": "star", "size": 18, "color": ORANGE, "line": {"color": "#1b1f24", "width": 1}},
                "hoverinfo": "skip",
            }
        )
    last = points[-1]
    title = (
        f"From {share_of(points[0]['share'])} to {share_of(last['share'])} {curve.name} for "
        f"{view.money(last['objective_musd'] - least)} more"
    )
    summary = "; ".join(
        f"{share_of(p['share'])} costs {view.money(p['objective_musd'] - least)} more"
        for p in points[1 :: max(1, len(points) // 6)]
    )
    columns = list(dict.fromkeys(k for p in curve.points for k in p))
    return Figure(
        "curve-cost",
        title,
        f"{summary}." + (f" The knee is at {share_of(knee['share'])}." if knee else ""),
        {"": traces},
        layout(
            xaxis={"title": {"text": plain(curve.name)}, "tickformat": ".0%", "autorange": "reversed"},
            yaxis={
                "title": {"text": f"extra cost, M{currency} present value"},
                "tickformat": ",~s",
                "rangemode": "tozero",
            },
            hovermode="closest",
            showlegend=True,
        ),
        Data(tuple(columns), [[p.get(c) for c in columns] for p in curve.points]),
        height=430,
    )


def in_words(view: View, study: Study) -> str:
    """The curve in a sentence; "" if it has one point."""
    curve = curve_of(study)
    points = [p for p in curve.points if p["share"] is not None]
    if len(points) < 2:
        return ""
    least = points[0]["objective_musd"]
    last = points[-1]
    knee = next((p for p in points if p["point"] == curve.knee), None)
    text = (
        f"Bringing {curve.name} from {share_of(points[0]['share'])} to {share_of(last['share'])}, the least that any "
        f"plan can keep, costs {view.money(last['objective_musd'] - least)} more"
    )
    if (last.get("short_t") or 0.0) > 1e-3:
        text += f" and leaves {tonnes_of(last['short_t'])} undelivered"
    if knee is not None and knee is not last:
        text += (
            f"; getting to {share_of(knee['share'])} costs {view.money(knee['objective_musd'] - least)}, "
            "and beyond that each point costs much more"
        )
    return text + "."
