"""The flows of one stage on a map, one year at a time."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ...language import _, translated
from ...words import figure_of, listed, semicolons
from ..charts import Chart, Trace, layout, legend_only, plain, points
from ..looks import CLEAN, CONCERN, HALO, INK, LAND, PAPER, SEA, SLATE
from ..parts import Control, Figure, Section, years

if TYPE_CHECKING:
    from ..view import View

STRETCH = 1.25  # height of a degree of latitude to one of longitude: shapes are right near 37 degrees
CLASSES = ((0.02, 1.0), (0.1, 2.0), (0.3, 3.5), (0.6, 5.5), (1.0, 8.0))  # of the largest flow, line width in px
ATLANTIC, PACIFIC = -30.0, -169.0  # longitude of the left and right edge of the map, in either ocean
STEPS = 14  # straight pieces of a curve
LINES = {"clean": {"color": CLEAN, "dash": "solid"}, "exposed": {"color": CONCERN, "dash": "6px,2px"}}
SMALLEST = 0.002  # flows below this share of the largest are left out


def section(view: View) -> Section:
    """Map of shipments of strategic materials by stage and year."""
    places = {c.country: (c.longitude, c.latitude) for c in view.instance.countries}
    known = {c: (x, y) for c, (x, y) in places.items() if x is not None and y is not None}
    flows = _flows(view)
    edge = _edge(flows, known)
    known = {c: (_inside(x, edge), y) for c, (x, y) in known.items()}
    title = _("Where it moves")
    if not flows:
        return Section("map", title, [_("Nothing crosses a border.")])
    missing = sorted(
        {c for _m, o, d, _q, _year in flows for c in (o, d) if c not in known} | _makers(view) - set(known)
    )
    lead = [
        _(
            "Shipments of the strategic materials of a stage between countries, one year at a time; the wider the "
            "line, the more tonnes. Discs are what a country makes itself, in its colour on this page."
        )
    ]
    if missing:
        names = listed([view.countries[c] for c in missing])
        lead.append(_("Without latitude and longitude in countries.csv, and so not on the map: {names}.", names=names))
    if not any(o in known and d in known for _m, o, d, _q, _year in flows):
        why = _("No two countries that trade have a latitude and longitude, so there is no map.")
        return Section("map", title, [why, *lead[1:]])
    return Section("map", title, lead, [_figure(view, flows, known, edge)])


Flows = dict[tuple[str, str, str, str, int], float]  # stage, origin, destination, provenance, year -> t
Shipments = dict[tuple[str, str, str], float]  # origin, destination, provenance -> t
Places = dict[str, tuple[float, float]]  # country -> longitude and latitude


def _flows(view: View) -> Flows:
    found: Flows = defaultdict(float)
    for r in view.tables["flows"].itertuples():
        stage = view.stage_of.get(r.material)
        if stage and r.t > 1e-6:
            found[stage, r.origin, r.destination, r.provenance, r.year] += r.t
    return dict(found)


def _makers(view: View) -> set[str]:
    return {c for (m, c, _q, _year), t in view.made.items() if m in view.stage_of and t > 1e-6}


def _edge(flows: Flows, known: Places) -> float:
    """Return the edge over which fewer tonnes go, so that the ocean with more traffic lies within the map."""

    def over(edge: float) -> float:
        inside = {c: _inside(x, edge) for c, (x, __) in known.items()}
        legs = [(o, d, t) for (_m, o, d, _q, _year), t in flows.items() if o in known and d in known]
        return sum(t for o, d, t in legs if abs(inside[o] - inside[d]) > 180)

    return min(ATLANTIC, PACIFIC, key=over)


def _figure(view: View, flows: Flows, known: Places, edge: float) -> Figure:
    """Shipments between the countries whose places are ``known``, by stage and year; ``edge``: that of the map."""
    stages = [s for s in view.instance.stages if any(key[0] == s for key in flows)]
    made: dict[tuple[str, str, int], float] = defaultdict(float)
    for (material, country, _q, year), tonnes in view.made.items():
        if material in view.stage_of:
            made[view.stage_of[material], country, year] += tonnes
    seen = {c for _m, o, d, _q, _year in flows for c in (o, d) if c in known} | (_makers(view) & set(known))
    crossing = any(abs(known[o][0] - known[d][0]) > 180 for _m, o, d, _q, _year in flows if o in known and d in known)
    across = _range([known[c][0] for c in seen], 24, edge, edge + 360, crossing)
    down = _range([known[c][1] for c in seen], 18, -58, 84, False)
    drawn = layout(
        xaxis={"visible": False, "range": across},
        yaxis={"visible": False, "range": down, "scaleanchor": "x", "scaleratio": STRETCH},
        showlegend=True,
        hovermode="closest",
        margin=dict.fromkeys("lrtb", 0),
        plot_bgcolor=SEA,
        height=540,
    )
    charts = {}
    for stage in stages:
        for year in view.years:
            mine = {(o, d, q): t for (s, o, d, q, y), t in flows.items() if (s, y) == (stage, year)}
            here = {(o, d, q): t for (o, d, q), t in mine.items() if o in known and d in known}
            output = {c: t for (s, c, y), t in made.items() if (s, y) == (stage, year) and c in known and t > 1e-6}
            charts[stage, year] = Chart(
                [*_lines(view, here, known), _discs(view, here, output, known), *_legend(view, here)],
                drawn,
                caption=_summary(view, mine, stage, year),
            )
    columns = ("stage", "origin", "destination", "provenance", "year", "t")
    return Figure(
        "map-flows",
        _("Flows between countries"),
        charts[stages[-1], view.years[-1]].caption or "",
        charts,
        (Control(_("Stage"), stages, stages[-1]), years(view.years)),
        rows=[dict(zip(columns, (*key, t), strict=True)) for key, t in sorted(flows.items())],
        least=640,
        aspect=0.5,
    )


def _summary(view: View, flows: Shipments, stage: str, year: int) -> str:
    total: dict[tuple[str, str], float] = defaultdict(float)
    for (o, d, _q), t in flows.items():
        total[o, d] += t
    top = sorted(total.items(), key=lambda p: (-p[1], p[0]))[:4]
    if not top:
        return _("Nothing of the stage {stage} crosses a border in {year}.", stage=stage, year=year)
    flows_in_words = semicolons(
        _("{origin} to {destination} {amount} t", origin=view.countries[o], destination=view.countries[d],
          amount=figure_of(t)) for (o, d), t in top
    )  # fmt: skip
    return _("Largest flows of the stage {stage} in {year}: {flows}.", stage=stage, year=year, flows=flows_in_words)


def _lines(view: View, flows: Shipments, known: Places) -> list[Trace]:
    """One trace per provenance and class of width, and one of invisible points that answer the pointer."""
    largest = max(flows.values(), default=0.0)
    groups: dict[tuple[str, int], list[tuple[str, str, float]]] = defaultdict(list)
    for (origin, destination, q), tonnes in sorted(flows.items()):
        if tonnes >= SMALLEST * largest:
            n = next(i for i, (most, __) in enumerate(CLASSES) if tonnes <= most * largest * (1 + 1e-9))
            groups[q, n].append((origin, destination, tonnes))
    traces: list[Trace] = []
    middles: list[tuple[float, float, str]] = []
    for q, n in sorted(groups, key=lambda g: (g[0] == "clean", -g[1])):
        xs: list[float | None] = []
        ys: list[float | None] = []
        sizes: list[int] = []
        width = CLASSES[n][1]
        for origin, destination, tonnes in groups[q, n]:
            head = round(0.6 * STEPS)
            text = _(
                "{origin} to {destination}",
                origin=plain(view.countries[origin]),
                destination=plain(view.countries[destination]),
            )
            for curve in _curves(known[origin], known[destination]):
                xs += [round(px, 1) for px, __ in curve] + [None]
                ys += [round(py, 1) for __, py in curve] + [None]
                sizes += [int(9 + 1.6 * width) if k == head else 0 for k in range(len(curve))] + [0]
                x, y = curve[head]
                middles.append(
                    (
                        round(x, 1),
                        round(y, 1),
                        text
                        + "<br>"
                        + _("{amount} t, {provenance}", amount=figure_of(tonnes), provenance=translated(q)),
                    )
                )
        line = {**LINES[q], "width": width, "backoff": 0}
        heads = {"symbol": "arrow", "angleref": "previous", "size": sizes, "opacity": 1}
        traces.append(points(xs, ys, "lines+markers", line=line, marker=heads, opacity=0.75, showlegend=False))
    xs, ys = [x for x, _y, _t in middles], [y for _x, y, _t in middles]
    says = [text for *__, text in middles]
    return [*traces, points(xs, ys, "markers", says, marker={"size": 16, "opacity": 0}, showlegend=False)]


def _legend(view: View, flows: Shipments) -> list[Trace]:
    """What the looks mean: provenance, widths (of the thinnest and the widest class), discs and squares."""
    drawn = [
        legend_only(translated(q), line={**LINES[q], "width": 4}) for q in LINES if any(key[2] == q for key in flows)
    ]
    if flows:
        for share, width in (CLASSES[1], CLASSES[-1]):
            tonnes = figure_of(share * max(flows.values()))
            drawn.append(legend_only(_("up to {tonnes} t", tonnes=tonnes), line={"color": SLATE, "width": width}))
    marker = {"color": SLATE, "size": 12}
    drawn.append(legend_only(_("made there"), marker={**marker, "symbol": "circle"}))
    square = {**marker, "color": CONCERN, "symbol": "square"}
    return [*drawn, legend_only(_("made in {concern}", concern=view.concern_name), marker=square)]


def _inside(longitude: float, edge: float) -> float:
    return longitude + 360 if longitude < edge else longitude - 360 if longitude > edge + 360 else longitude


def _range(values: list[float], margin: float, least: float, most: float, whole: bool) -> list[float]:
    """What an axis shows: the places and a margin, within the world; all of it if lines cross its edge."""
    return [least, most] if whole else [max(least, min(values) - margin), min(most, max(values) + margin)]


def _curves(a: tuple[float, float], b: tuple[float, float]) -> list[list[tuple[float, float]]]:
    """The way from a to b, the short way round: a line over the edge of the map is drawn at both edges."""
    if abs(a[0] - b[0]) <= 180:
        return [_curve(a, b)]
    turn = 360 if a[0] > b[0] else -360
    return [_curve(a, (b[0] + turn, b[1])), _curve((a[0] - turn, a[1]), b)]


def _curve(a: tuple[float, float], b: tuple[float, float]) -> list[tuple[float, float]]:
    """A bow to the left of the straight line, so that the two directions of a pair lie apart."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    middle = ((a[0] + b[0]) / 2 - 0.16 * dy, (a[1] + b[1]) / 2 + 0.16 * dx / STRETCH)
    found = []
    for k in range(STEPS + 1):
        t = k / STEPS
        u = 1 - t
        x, y = (u * u * p + 2 * u * t * m + t * t * q for p, m, q in zip(a, middle, b, strict=True))
        found.append((x, y))
    return found


def _discs(view: View, flows: Shipments, output: dict[str, float], known: Places) -> Trace:
    countries = sorted({c for o, d, __ in flows for c in (o, d)} | set(output), key=lambda c: (-output.get(c, 0.0), c))
    largest = max(output.values(), default=1.0)
    sizes = [7 + 27 * math.sqrt(output.get(c, 0.0) / largest) for c in countries]
    texts, places = [view.countries[c] for c in countries], [known[c] for c in countries]
    marker = {
        "size": [round(s, 1) for s in sizes],
        "symbol": ["square" if c in view.concern else "circle" for c in countries],
        "color": [view.country_looks[view.countries[c]].colour for c in countries],
        "line": {"color": PAPER, "width": 1.5},
        "opacity": 0.95,
    }
    font = {"size": 12, "color": INK, "shadow": HALO}
    named = {"text": [plain(t) for t in texts], "textposition": _sides(places, texts), "textfont": font}
    says = [
        f"<b>{plain(view.countries[c])}</b><br>" + _("makes {amount} t", amount=figure_of(output.get(c, 0.0)))
        for c in countries
    ]
    x, y = ([place[k] for place in places] for k in range(2))
    return points(x, y, "markers+text", says, marker=marker, showlegend=False, **named)


def _sides(places: list[tuple[float, float]], texts: list[str]) -> list[str]:
    """Where each name goes so that names do not lie on each other or on other discs; the first have first choice."""
    per_letter, line = 2.1, 6.5  # degrees that a letter takes, and a line, on a wide screen
    sides = {"middle right": (1, 0), "top center": (0, 1), "bottom center": (0, -1), "middle left": (-1, 0)}
    boxes: list[tuple[float, float, float, float]] = [(x - 2, y - 2, x + 2, y + 2) for x, y in places]
    chosen = []
    for n, ((x, y), text) in enumerate(zip(places, texts, strict=True)):
        width = per_letter * len(text)

        def box(side: str, x: float = x, y: float = y, width: float = width) -> tuple[float, float, float, float]:
            right, up = sides[side]
            left = x + 4 if right > 0 else x - 4 - width if right < 0 else x - width / 2
            bottom = y + 3 if up > 0 else y - 3 - line if up < 0 else y - line / 2
            return left, bottom, left + width, bottom + line

        def crowding(side: str, n: int = n) -> float:
            mine = box(side)
            return sum(_overlap(mine, other) for i, other in enumerate(boxes) if i != n)

        best = min(sides, key=crowding)
        chosen.append(best)
        boxes.append(box(best))
    return chosen


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


@cache
def outlines() -> Trace:
    """The trace of the countries' outlines (data/README.md says where they come from)."""
    rings = json.loads(files("planner.reporting").joinpath("data", "outlines.json").read_text(encoding="utf-8"))
    xs: list[float | None] = []
    ys: list[float | None] = []
    for ring in rings:
        # what lies left of an edge belongs to the right
        for turn in (0, 360) if min(ring[0::2]) < 10 * ATLANTIC else (0,):
            xs += [round(v / 10 + turn, 1) for v in ring[0::2]] + [None]
            ys += [v / 10 for v in ring[1::2]] + [None]
    return points(xs, ys, "lines", fill="toself", fillcolor=LAND, line={"color": PAPER, "width": 0.7}, showlegend=False)
