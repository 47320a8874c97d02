"""The curve of cost against dependence: its knee, its bound, and what is built at every step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...bands import ROUNDING, WIDE, Band
from ...instance.metrics import METRICS as SHARES
from ...words import counted, figure_of, listed, share_of, tonnes_of
from .. import charts
from ..charts import Chart, amounts, layout, plain
from ..looks import BLUE, GREY, INK, ORANGE
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ..studies import Shown
    from ..view import View

METRICS = {
    "exposed_share": "traced dependence",
    "stage_share": "dependence of the stage",
    "single_country_share": "largest share of one country,",
    "import_share": "import share of",
    "own_share": "own production of",
    "impact": "impact",
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
    knee_among: Sequence[int]
    metric: str
    years: str

    @property
    def name(self) -> str:
        """The metric in words."""
        kind, *of = self.metric.split(":")
        return " ".join([METRICS.get(kind, kind), *of])

    @property
    def amount(self) -> bool:
        """Whether the metric is an amount of units a year, and no share."""
        return self.metric.startswith("impact:")

    @property
    def floor(self) -> bool:
        """Whether the limit is a floor, which rises from point to point."""
        kind = self.metric.partition(":")[0]
        return kind in SHARES and SHARES[kind].own


def curve_of(study: Shown) -> Curve:
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
    return Curve(
        points,
        study.tables["switches"],
        bound,
        about.get("knee"),
        about.get("knee_among") or (),
        str(about.get("metric", "")),
        when,
    )


def section(view: View, study: Shown) -> Section:
    """The curve and its steps."""
    curve = curve_of(study)
    title = "What less dependence costs"
    if not any(p["share"] is not None for p in curve.points):
        return Section("curve", title, ["The curve holds no point."], (), "Trade-off", study.warnings)
    changes = _changes(curve)
    steps = _steps(view, changes, 6)
    way = "more" if curve.floor else "less"
    lead = [
        f"Each point is the cheapest plan at a {'floor under' if curve.floor else 'limit on'} {curve.name}, "
        f"{curve.years}; the caps of the instance stay in force. The first is the least cost, the last the "
        f"{'most' if curve.floor else 'least dependence'} that any plan can keep."
    ]
    table = Table(
        "table-curve",
        "Every point",
        curve.points,
        (
            Column("Point", "point", "count"),
            Column("Share kept", "share", "share"),
            Column(f"Extra cost, {view.musd}", "extra_musd", "number"),
            Column("At least", "extra_least_musd", "number"),
            Column("At most", "extra_most_musd", "number"),
            Column(f"One point {way} costs, {view.musd}", "marginal_musd_per_point", "number"),
            Column(f"{view.instance.currency}/kg clean", "usd_per_kg_clean", "number"),
            Column("Short, t", "short_t", "number"),
            Column("Gap", "gap", "share"),
        ),
        folded=False,
    )
    parts: list[Figure | Table | None] = [_figure(view, curve, steps), table]
    if changes:
        told = (
            Column("Point", "point", "count"),
            Column("Share kept", "share", "share"),
            Column("Projects", lambda p: "; ".join(steps[p["point"]])),
        )
        title_of = "The largest projects built otherwise than at the point before: + more, - less"
        shown = [p for p in curve.points if p["point"] in steps]
        parts += [Table("table-steps", title_of, shown, told, folded=False), _change_table(view, changes)]
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
    def startup(change: _Change) -> str:
        option = view.options.get(change.option)
        return "yes" if option and view.facilities[option.facility].startup else ""

    def of(change: _Change, column: str) -> float | None:
        option = view.options.get(change.option)
        return change.modules * getattr(option, column) if option else None

    return Table(
        "table-switches",
        "Every project that changes between neighbouring points",
        [(point, change) for point, mine in sorted(changes.items()) for change in mine],
        (
            Column("Point", 0, "count"),
            Column("Project", lambda r: _name(view, r[1].option)),
            Column("Country", lambda r: view.home(r[1].option)),
            Column("Startup", lambda r: startup(r[1])),
            Column("Stage", lambda r: view.stage_of_project(r[1].option)),
            Column("Change", lambda r: r[1].kind),
            Column("Capacity, t a year", lambda r: of(r[1], "module_t"), "number"),
            Column(f"Capex, {view.musd}", lambda r: of(r[1], "capex_musd"), "number"),
        ),
        folded=True,
    )


def _figure(view: View, curve: Curve, steps: dict[int, list[str]]) -> Figure:
    """Extra cost against the share kept: the curve, its bound without whole numbers, and the knee."""
    points = [p for p in curve.points if p["share"] is not None]
    last, least = points[-1], points[0]["objective_musd"]
    way = -1 if curve.floor else 1  # in which direction of the share a limit is looser
    loosest = way * points[0]["share"] + 1e-9
    bound = [(limit, cost - least) for limit, cost in curve.bound if way * limit <= loosest]
    corners = [  # up to same_until nothing is cheaper: the curve is level
        (at, p["objective_musd"] - least, size, _said(view, p, least, steps))
        for p in points
        for at, size in ((p.get("same_until"), 0), (p["share"], 9))
        if size or (at is not None and way * at > way * p["share"] + LEVEL)
    ]
    x, y, sizes, says = (list(values) for values in zip(*corners, strict=True))
    marker = {"size": sizes, "symbol": "circle"}
    thick, dashed = {"color": BLUE, "width": 3}, {"color": GREY, "width": 2, "dash": "dash"}
    below = [p["objective_musd"] - p["bound_musd"] for p in points]
    traces = [charts.points(x, y, "lines+markers", says, name="least cost", line=thick, marker=marker)]
    if any(p["extra_most_musd"] - p["extra_least_musd"] > WIDE * p["extra_musd"] for p in points):
        traces.append(
            charts.points(
                [p["share"] for p in points], [p["extra_musd"] for p in points], "markers", name="range by the gaps",
                marker={"size": 1, "color": BLUE},
                error_y={"type": "data", "symmetric": False, "array": [0.0] * len(points), "arrayminus": below},
            )
        )  # fmt: skip
    if len(curve.bound) > 1:
        x, y = [limit for limit, _ in bound], [cost for _, cost in bound]
        traces.insert(0, charts.points(x, y, "lines", name="bound without whole numbers", line=dashed))
    knee = next((p for p in points if p["point"] == curve.knee), None)
    if knee is not None:
        x, y, said = [knee["share"]], [knee["objective_musd"] - least], [f"knee, {_told(knee)}"]
        star = {"symbol": "star", "size": 18, "color": ORANGE, "line": {"color": INK, "width": 1}}
        words = charts.points(x, y, "markers+text", name="knee", marker=star, text=said, textposition="top left")
        traces.append(words)
    summary = "; ".join(f"{_told(p)} costs {extra_of(view, p)}" for p in points[1 :: max(1, len(points) // 6)])
    drawn = layout(
        xaxis={
            "title": {"text": plain(curve.name)},
            "tickformat": ",.4~g" if curve.amount else ".0%",
            "autorange": True if curve.floor else "reversed",
        },
        yaxis=amounts(f"extra cost, {view.musd} present value", [p["objective_musd"] - least for p in points]),
        hovermode="closest",
        showlegend=True,
        height=430,
    )
    return Figure(
        "curve-cost",
        f"From {_told(points[0])} to {_told(last)} {curve.name} for {extra_of(view, last)}",
        f"{summary}." + (f" The knee is at {_knee_at(curve, knee)}." if knee else ""),
        Chart(traces, drawn, curve.points),
    )


def _said(view: View, point: dict[str, Any], least: float, steps: dict[int, list[str]]) -> str:
    more = figure_of(point["objective_musd"] - least)
    head = f"<b>point {point['point']}</b>: {_told(point)}, {more} {plain(view.musd)} more"
    return "<br>".join([head, *(plain(words) for words in steps.get(point["point"], []))])


def _told(point: dict[str, Any]) -> str:
    """Return the share that a point keeps in words; of an impact the units a year."""
    return figure_of(point["share"]) if str(point["metric"]).startswith("impact:") else share_of(point["share"])


def extra_of(view: View, point: dict[str, Any]) -> str:
    """What a point costs beyond the first, in words, as sure as the gaps allow."""
    band = Band(
        point["extra_musd"], point["extra_least_musd"], point["extra_most_musd"], ROUNDING * point["bound_musd"]
    )
    return band.told(view.money)


def _knee_at(curve: Curve, knee: dict[str, Any]) -> str:
    others = [p for p in curve.points if p["point"] in curve.knee_among and p["point"] != curve.knee]
    also = f", or by the gaps at {listed([_told(p) for p in others])}" if others else ""
    return _told(knee) + also


def in_words(view: View, study: Shown) -> str:
    """The curve in a sentence; "" if it has one point."""
    curve = curve_of(study)
    points = [p for p in curve.points if p["share"] is not None]
    if len(points) < 2:
        return ""
    last = points[-1]
    knee = next((p for p in points if p["point"] == curve.knee), None)
    text = (
        f"Bringing {curve.name} from {_told(points[0])} to {_told(last)}, the "
        f"{'most' if curve.floor else 'least'} that any plan can keep, costs {extra_of(view, last)}"
    )
    if (last.get("short_t") or 0.0) > 1e-3:
        text += f" and leaves {tonnes_of(last['short_t'])} undelivered"
    if knee is not None and knee is not last:
        text += f"; getting to {_told(knee)} costs {extra_of(view, knee)}, and beyond that each point costs much more"
    return text + "."
