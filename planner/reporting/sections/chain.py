"""The chain as a flow diagram: who makes what at every stage, from what, for whom, one year at a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...language import _, translated
from ...words import commas, figure_of, rate_of, semicolons, share_of
from ..charts import Chart, plain
from ..diagrams import flows
from ..looks import BANDS, GREEN, GREY, Look
from ..parts import Figure, Section, years
from ..view import PROVENANCES

if TYPE_CHECKING:
    from ..view import View

USERS = "users"
RECYCLED, STOCK, OTHERS = "(recycled)", "(stock)", "(others)"  # no key of an instance has brackets
SMALL = 0.02  # countries below this share of a stage in a year are drawn together

PAD, HEIGHT = 16, 640  # px between countries of a column, so that their names do not touch; of the chart

NOTHING = 1e-5  # of a stage: what the solver's tolerance leaves

Node = tuple[str, str]  # column: stage or USERS; country, RECYCLED, STOCK or OTHERS
Links = dict[tuple[Node, Node, str], float]


def section(view: View) -> Section:
    """Flow diagram by year."""
    lead = [
        _(
            "Every column is 100% of what that stage supplies to the next, in tonnes of its "
            "strategic materials; the last column is who uses the finished goods. Bands say whether "
            "the material depends on {concern} somewhere or is clean from the first step on; a "
            "country has one colour on this page.",
            concern=view.concern_name,
        ),
    ]
    figure = _figure(view)
    if figure is None:
        return Section("chain", _("The chain by country"), [_("Nothing moves through the chain in any year.")])
    return Section("chain", _("The chain by country"), lead, [figure])


def links(view: View, year: int) -> Links:
    """(from, to, provenance) -> tonnes a year between neighbouring makers and users of strategic materials.

    What a country uses beyond what arrives comes from its stock, as far as that is drawn, or is its own; several
    users of one pool share it in proportion.
    """
    found: Links = defaultdict(float)
    for material, stage in view.stage_of.items():
        for country in view.countries:
            for q in PROVENANCES:
                sinks = _sinks(view, material, country, q, year)
                need = sum(sinks.values())
                if need <= 1e-6:
                    continue
                for origin, tonnes in _sources(view, material, country, q, year, need).items():
                    for sink, used in sinks.items():
                        found[(stage, origin), sink, q] += tonnes * used / need
    for r in view.tables["activity"].itertuples():
        if r.year == year and view.recycles(r.process):
            stage = view.stage_of_process(r.process)
            for m in view.recipes[r.process, "output"]:
                if view.stage_of.get(m) == stage:
                    tonnes = r.activity_t * view.t_per_t(r.process, m, "output", year)
                    found[(stage, RECYCLED), (stage, r.country), r.output_provenance] += tonnes
    for r in view.tables["returned"].itertuples(index=False) if view.instance.returns else ():
        if r.year == year and r.material in view.stage_of:
            stage = view.stage_of[r.material]
            found[(stage, RECYCLED), (stage, r.country), r.provenance] += r.t
    return dict(found)


def _sinks(view: View, material: str, country: str, q: str, year: int) -> dict[Node, float]:
    sinks: dict[Node, float] = defaultdict(float)
    for process, tonnes in view.used_by_process.get((material, country, q, year), {}).items():
        stage = view.stage_of_process(process)
        if stage and stage != view.stage_of[material]:
            sinks[stage, country] += tonnes
    delivered = view.delivered.get((material, country, q, year), 0.0)
    delivered += view.sold.get((material, country, q, year), 0.0)  # buyers outside are users too
    if delivered > 0:
        sinks[USERS, country] += delivered
    return sinks


def _sources(view: View, material: str, country: str, q: str, year: int, need: float) -> dict[str, float]:
    """Where the ``need`` tonnes come from. Clean material used as exposed keeps its origins."""
    sources = dict(view.arrived.get((material, country, q, year), {}))
    if q == "exposed":
        clean = view.arrived.get((material, country, "clean", year), {})
        arriving = sum(clean.values())
        lowered = min(arriving, view.downgraded.get((material, country, year), 0.0))
        for origin, tonnes in clean.items():
            sources[origin] = sources.get(origin, 0.0) + tonnes * lowered / arriving
    total = sum(sources.values())
    if total > need:
        return {origin: tonnes * need / total for origin, tonnes in sources.items()}
    rest = need - total
    drawn = min(rest, view.drawn.get((material, country, q, year), 0.0))
    if drawn > 1e-9 * need:
        sources[STOCK] = drawn
    if rest - drawn > 1e-9 * need:
        sources[country] = sources.get(country, 0.0) + rest - drawn
    return sources


def _figure(view: View) -> Figure | None:
    """A flow diagram for each year in which anything moves; None if nothing ever does."""
    charts: dict[int, Chart] = {}
    columns = [*view.instance.stages, USERS]
    anchors = ["left", *["center"] * (len(columns) - 2), "right"]
    place = {"y": 1.0, "xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False}
    headings = [
        {**place, "text": f"<b>{plain(_column((name, '')))}</b>", "x": n / (len(columns) - 1), "xanchor": anchor}
        for n, (name, anchor) in enumerate(zip(columns, anchors, strict=True))
    ]
    for year in view.years:
        found = links(view, year)
        if all(source[1] == RECYCLED for source, *__ in found):  # or nothing at all
            continue
        rows = [
            {"year": year, "from_stage": source[0], "from_country": source[1], "to_stage": target[0],
             "to_country": target[1], "provenance": q, "t": tonnes}
            for (source, target, q), tonnes in sorted(found.items())
        ]  # fmt: skip
        nodes, bands = _drawn(view, found)
        used = {
            BANDS["exposed"]: _("depends on {concern}", concern=view.concern_name),
            BANDS["clean"]: _("clean"),
            GREEN: _("recycled"),
        }
        seen = {item["color"] for item in (*nodes, *bands)}
        legend = {name: colour for colour, name in used.items() if colour in seen}
        drawn = flows(nodes, bands, rows, pad=PAD, legend=legend, annotations=headings,
                      margin={"l": 4, "r": 4, "t": 34}, height=HEIGHT)  # fmt: skip
        charts[year] = replace(drawn, caption=_summary(view, found, year))
    if not charts:
        return None
    return Figure(
        "chain-flows",
        _("From {stage} to users, by country", stage=view.instance.stages[0]),
        charts[max(charts)].caption or "",
        charts,
        (years(list(charts)),),
        least=680,
        note=_(
            "Countries with less than {rate} of a stage are drawn together as others, and so little "
            "that is recycled is left out; the data list all. Bands of a stage differ a little from "
            "what it takes in, because material is lost or kept in stock.",
            rate=rate_of(SMALL),
        ),
    )


def _summary(view: View, found: Links, year: int) -> str:
    parts = []
    for stage in view.instance.stages:
        made: dict[str, float] = defaultdict(float)
        for (source, *_to), tonnes in found.items():
            if source[0] == stage and source[1] in view.countries:
                made[source[1]] += tonnes
        total = sum(made.values())
        if total:
            top = sorted(made.items(), key=lambda p: (-p[1], p[0]))[:3]
            top = [(c, t) for c, t in top if t > NOTHING * total]
            makers = commas(f"{view.countries[c]} {share_of(t / total)}" for c, t in top)
            parts.append(_("{head}: {parts}", head=stage, parts=makers))
    return _("Largest makers in {year}. {parts}.", year=year, parts=semicolons(parts))


def _drawn(view: View, found: Links) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Nodes and links as they are drawn, each link as a percentage of what its stage supplies."""
    totals: dict[str, float] = defaultdict(float)
    recycled: dict[Node, float] = defaultdict(float)
    for (source, *_to), tonnes in found.items():
        if source[1] == RECYCLED:
            recycled[source] += tonnes
        else:
            totals[source[0]] += tonnes
    total_used = sum(t for (_source, target, _q), t in found.items() if target[0] == USERS)
    weight: dict[Node, float] = defaultdict(float)  # share of its column
    for (source, target, _q), tonnes in found.items():
        if source[1] != RECYCLED:
            weight[source] += tonnes / totals[source[0]]
        if target[0] == USERS:
            weight[target] += tonnes / total_used
    merged: Links = defaultdict(float)
    for (source, target, q), tonnes in found.items():
        if totals[source[0]] <= 0 or tonnes <= NOTHING * totals[source[0]]:
            continue
        if source[1] != RECYCLED or recycled[source] >= SMALL * totals[source[0]]:
            merged[_merge(view, source, weight), _merge(view, target, weight), q] += tonnes
    nodes = sorted({n for s, t, __ in merged for n in (s, t)}, key=lambda n: _rank(view, n, weight))
    index = {node: i for i, node in enumerate(nodes)}
    heights = _heights(merged, totals, nodes)
    places = _places(view, nodes, heights)
    shares = {link: tonnes / totals[link[0][0]] for link, tonnes in merged.items()}
    return [
        {
            "label": _label(view, n),
            "x": min(0.999, max(0.001, places[n][0])),
            "y": min(0.999, max(0.001, places[n][1])),
            "color": GREEN if n[1] == RECYCLED else view.country_looks.get(_label(view, n), Look(GREY)).colour,
            "says": [
                _("{maker}, {stage}: {share}", maker=_label(view, n), stage=_column(n), share=share_of(heights[n]))
            ],
        }
        for n in nodes
    ], [
        {
            "source": index[s],
            "target": index[t],
            "value": round(100 * shares[s, t, q], 6),
            "color": BANDS[q],
            "says": [
                _(
                    "{maker} ({stage}) to {user} ({next})",
                    maker=_label(view, s),
                    stage=_column(s),
                    user=_label(view, t),
                    next=_column(t),
                ),
                _(
                    "{amount} t, {share} of the stage, {provenance}",
                    amount=figure_of(merged[s, t, q]),
                    share=share_of(shares[s, t, q]),
                    provenance=translated(q),
                ),
            ],
        }
        for s, t, q in sorted(merged, key=lambda link: (index[link[0]], index[link[1]], link[2]))
    ]


def _merge(view: View, node: Node, weight: dict[Node, float]) -> Node:
    """Small countries become one node of their column."""
    column, country = node
    if country in (RECYCLED, STOCK) or country in view.concern or weight.get(node, 0.0) >= SMALL:
        return node
    return column, OTHERS


def _rank(view: View, node: Node, weight: dict[Node, float]) -> tuple[Any, ...]:
    columns = [*view.instance.stages, USERS]
    concern = node[1] in view.concern
    place = (columns.index(node[0]), not concern, node[1] == OTHERS, node[1] in (RECYCLED, STOCK))
    return (*place, -weight.get(node, 0.0), node[1])


def _heights(merged: Links, totals: dict[str, float], nodes: list[Node]) -> dict[Node, float]:
    """Height of each node as the library draws it: the larger of what goes in and what goes out."""
    come: dict[Node, float] = defaultdict(float)
    go: dict[Node, float] = defaultdict(float)
    for (source, target, _q), tonnes in merged.items():
        go[source] += tonnes / totals[source[0]]
        come[target] += tonnes / totals[source[0]]
    return {n: max(come[n], go[n]) for n in nodes}


def _places(view: View, nodes: list[Node], heights: dict[Node, float]) -> dict[Node, tuple[float, float]]:
    """Middle of each node, from 0 to 1 across and down."""
    columns = [*view.instance.stages, USERS]
    by_column: dict[float, list[Node]] = defaultdict(list)
    for node in nodes:
        by_column[columns.index(node[0]) - (0.5 if node[1] == RECYCLED else 0)].append(node)
    place: dict[Node, tuple[float, float]] = {}
    gap = PAD / (HEIGHT - 46)
    tallest = max(sum(heights[n] for n in group) + gap * len(group) for group in by_column.values())
    for column, group in by_column.items():
        at = 1.0 - sum(heights[n] for n in group) / tallest - gap * len(group) if column % 1 else 0.0
        for node in group:
            height = heights[node] / tallest
            place[node] = (column / (len(columns) - 1), at + height / 2)
            at += height + gap
    return place


def _column(node: Node) -> str:
    return _("users") if node[0] == USERS else node[0]


def _label(view: View, node: Node) -> str:
    named = {RECYCLED: _("recycled"), STOCK: _("from stock"), OTHERS: _("others")}
    return named.get(node[1]) or view.countries[node[1]]
