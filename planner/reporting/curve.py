"""The curve of cost against dependence: its knee, its bound, and what is built at every step."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OutputError
from .parts import BLUE, GREY, ORANGE, Column, Data, Figure, Section, Table, blank, figure_of, layout, plain, share_of

if TYPE_CHECKING:
    from ..tradeoff import Frontier
    from .view import View

NEEDED = ("point", "limit", "share", "objective_musd", "gap", "marginal_musd_per_point")
METRICS = {
    "exposed_share": "traced dependence",
    "stage_share": "dependence of the stage",
    "single_country_share": "largest share of one country,",
    "unserved": "unserved demand",
}


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
    sha256: str

    @property
    def name(self) -> str:
        """The metric in words."""
        kind, _, of = self.metric.partition(":")
        return f"{METRICS.get(kind, kind)} {of}".strip()


def read_curve(source: str | Path | Frontier) -> Curve:
    """A curve from a folder written by ``planner frontier``, or from what `planner.frontier` gave."""
    if not isinstance(source, (str, Path)):
        about = source.to_dict()
        points = source.table.to_dict("records")
        switches = source.switches.to_dict("records")
        lp = source.lp_table.to_dict("records")
        return _curve(about, points, switches, lp)
    folder = Path(source)
    try:
        about = json.loads((folder / "frontier.json").read_text(encoding="utf-8"))
        points = _rows(folder / "frontier.csv")
        switches = _rows(folder / "switches.csv")
        lp = _rows(folder / "lp_bound.csv") if (folder / "lp_bound.csv").is_file() else []
        return _curve(about, points, switches, lp)
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise OutputError(f"{folder} is not a folder of planner frontier: it has no {name}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{folder} cannot be read as a folder of planner frontier: {error}") from error


def _curve(
    about: dict[str, Any], points: list[dict[str, Any]], switches: list[dict[str, Any]], lp: list[dict[str, Any]]
) -> Curve:
    for column in NEEDED:
        if any(column not in row for row in points):
            raise KeyError(f"frontier.csv has no column {column}")
    ordered = sorted(({k: blank(v) for k, v in row.items()} for row in points), key=lambda row: row["point"])
    years = about.get("years")
    when = "every year" if not years else f"from {years} on" if isinstance(years, int) else str(years)
    bound = sorted((row["limit"], row["bound_musd"]) for row in lp if row.get("bound_musd") is not None)
    sha = str(about.get("instance", {}).get("sha256", ""))
    return Curve(ordered, switches, bound, about.get("knee"), str(about.get("metric", "")), when, sha)


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: _value(v) for k, v in row.items()} for row in csv.DictReader(io.StringIO(file.read(), newline=""))]


def _value(cell: str) -> Any:
    if cell == "":
        return None
    try:
        return int(cell)
    except ValueError:
        pass
    try:
        return float(cell)
    except ValueError:
        return cell


def section(view: View) -> Section | None:
    """The curve and its steps; None without one."""
    curve = view.curve
    if curve is None or not curve.points:
        return None
    currency = view.instance.currency
    least = curve.points[0]["objective_musd"]
    steps = _steps(view, curve)
    lead = [
        f"Each point is the cheapest plan at a limit on {curve.name}, {curve.years}; the caps of the instance stay in "
        "force. The first is the least cost, the last the least dependence that any plan can keep."
    ]
    if curve.sha256 and curve.sha256 != view.plan["instance"]["sha256"]:
        lead.append("This curve was computed from other data than this run: the instance's digests differ.")
    table = Table(
        "table-curve",
        "Every point, and what is built otherwise than at the one before",
        (
            Column("Point", "count"),
            Column("Share kept", "share"),
            Column(f"Extra cost, M{currency}", "number"),
            Column(f"One point less costs, M{currency}", "number"),
            Column(f"{currency}/kg clean", "number"),
            Column("Short, t", "number"),
            Column("Gap", "share"),
            Column("Projects: + in, - out, ± changed"),
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
                steps.get(p["point"], ""),
            )
            for p in curve.points
        ],
    )
    return Section("curve", "What less dependence costs", lead, [_figure(view, curve, steps), table])


def _steps(view: View, curve: Curve) -> dict[int, str]:
    """Point -> projects that switch, in words."""
    changes: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in curve.switches:
        option = str(row["option"])
        name = view.options[option].name if option in view.options else option
        changes[int(row["point"])][name].append(str(row["change"]))
    signs = {"on": "+", "off": "-", "added": "+", "dropped": "-", "in": "+", "out": "-"}
    found = {}
    for point, by_name in changes.items():
        marked = [f"{signs.get(c[0], '±') if len(set(c)) == 1 else '±'} {name}" for name, c in by_name.items()]
        found[point] = "; ".join(sorted(marked, key=lambda m: ("+-±".index(m[0]), m)))
    return found


def _figure(view: View, curve: Curve, steps: dict[int, str]) -> Figure:
    currency = plain(view.instance.currency)
    points = [p for p in curve.points if p["share"] is not None]
    least = points[0]["objective_musd"]
    about = [
        f"<b>point {p['point']}</b>: {share_of(p['share'])}, {figure_of(p['objective_musd'] - least)} M{currency} more"
        + _wrapped(steps.get(p["point"], ""))
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
    traces.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "least cost",
            "x": [p["share"] for p in points],
            "y": [p["objective_musd"] - least for p in points],
            "line": {"color": BLUE, "width": 3},
            "marker": {"size": 9, "symbol": "circle"},
            "customdata": about,
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
                "textposition": "top right",
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


def _wrapped(text: str, most: int = 8) -> str:
    names = [plain(n) for n in text.split("; ")] if text else []
    more = f"<br>and {len(names) - most} more" if len(names) > most else ""
    return "".join(f"<br>{n}" for n in names[:most]) + more


def in_words(view: View) -> str:
    """The curve in a sentence; "" without one."""
    curve = view.curve
    points = [] if curve is None else [p for p in curve.points if p["share"] is not None]
    if curve is None or len(points) < 2:
        return ""
    least = points[0]["objective_musd"]
    last = points[-1]
    knee = next((p for p in points if p["point"] == curve.knee), None)
    text = (
        f"Bringing {curve.name} from {share_of(points[0]['share'])} to {share_of(last['share'])}, the least that any "
        f"plan can keep, costs {view.money(last['objective_musd'] - least)} more"
    )
    if knee is not None and knee is not last:
        text += (
            f"; getting to {share_of(knee['share'])} costs {view.money(knee['objective_musd'] - least)}, "
            "and beyond that each point costs much more"
        )
    return text + "."
