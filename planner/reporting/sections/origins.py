"""Where the delivered tonnes truly come from, stage by stage, from the origin ledger of the run."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...words import counted, share_of
from ..parts import CONCERN, SERIES, Column, Control, Data, Figure, Section, Table, layout, pattern, plain

if TYPE_CHECKING:
    from ..view import View

COLUMNS = ("country", "sector", "material", "stage", "origin", "year", "t", "share")
MOST = 6  # origins shown by name besides countries of concern

Tonnes = dict[tuple[str, str, str, int], float]  # consumer ("" all), stage, origin, year


def section(view: View) -> Section | None:
    """Origins by stage, for all consumers and for each; None if the run has no origin ledger."""
    table = view.tables.get("origin")
    if table is None or table.empty or not set(COLUMNS) <= set(table.columns):
        return None
    tonnes = _tonnes(view)
    if not tonnes:
        return None
    lead = [
        "For every tonne delivered: in which country each stage of it was done, traced in proportion through each "
        "country's pool; what was recycled is an origin of its own. This shows what the shares by stage hide.",
    ]
    return Section("origins", "Where it truly comes from", lead, [_figure(view, tonnes), _table(view, tonnes)])


def _tonnes(view: View) -> Tonnes:
    """Delivered tonnes a year by origin."""
    found: Tonnes = defaultdict(float)
    for r in view.tables["origin"].itertuples():
        found["", r.stage, r.origin, r.year] += r.t
        found[r.country, r.stage, r.origin, r.year] += r.t
    return dict(found)


def _name(view: View, origin: str) -> str:
    return view.countries.get(origin, origin)


def _stages(view: View, tonnes: Tonnes) -> list[str]:
    there = {stage for _, stage, _, _ in tonnes}
    return [s for s in view.instance.stages if s in there] + sorted(there - set(view.instance.stages))


def _shares(tonnes: Tonnes, consumer: str, stage: str, year: int) -> dict[str, float]:
    mine = {o: t for (c, s, o, y), t in tonnes.items() if (c, s, y) == (consumer, stage, year)}
    total = sum(mine.values())
    return {o: t / total for o, t in mine.items()} if total > 0 else {}


def _figure(view: View, tonnes: Tonnes) -> Figure:
    stages = _stages(view, tonnes)
    total: dict[str, float] = defaultdict(float)
    for (consumer, _, origin, _), t in tonnes.items():
        if consumer == "":
            total[origin] += t
    others = sorted((o for o in total if o not in view.concern), key=lambda o: (-total[o], o))
    named, rest = others[:MOST], others[MOST:]
    groups: list[tuple[str, list[str], dict[str, Any]]] = [
        (view.countries[c], [c], {"color": CONCERN}) for c in sorted(view.concern) if c in total
    ]
    groups += [(_name(view, o), [o], {"color": SERIES[look], "pattern": pattern(look)}) for look, o in enumerate(named)]
    if rest:
        groups.append((counted(len(rest), "other", "others"), rest, {"color": "#c3c8cf"}))
    used = {consumer for consumer, *_ in tonnes if consumer}
    consumers = ["", *(c for c in view.countries if c in used)]
    by_place = {
        (c, s, y): _shares(tonnes, c, s, y) for c in consumers for s in stages for y in view.years
    }  # once, not for every group
    views = {
        f"{i},{j}": [
            {
                "type": "bar",
                "orientation": "h",
                "name": plain(name),
                "y": [plain(s) for s in stages],
                "x": [sum(by_place[consumer, s, year].get(o, 0.0) for o in members) for s in stages],
                "marker": marker,
                "hovertemplate": "%{x:.1%}",
            }
            for name, members, marker in groups
        ]
        for i, consumer in enumerate(consumers)
        for j, year in enumerate(view.years)
    }
    captions = {}
    for i, consumer in enumerate(consumers):
        for j, year in enumerate(view.years):
            told = [
                f"{stage} {share_of(sum(x for o, x in by_place[consumer, stage, year].items() if o in view.concern))}"
                for stage in stages
            ]
            whom = f"what {view.countries[consumer]} gets" if consumer else "all that is delivered"
            captions[f"{i},{j}"] = f"Through {view.concern_name} in {year}, of {whom}: {', '.join(told)}."
    return Figure(
        "origins-stages",
        f"Of what is delivered, how much went through {view.concern_name} at each stage",
        captions[f"0,{len(view.years) - 1}"],
        views,
        layout(
            barmode="stack",
            xaxis={"tickformat": ".0%", "range": [0, 1.001]},
            yaxis={"autorange": "reversed", "type": "category", "ticklabelstandoff": 4},
            legend={"traceorder": "normal"},
            hovermode="y unified",
            showlegend=True,
        ),
        Data(COLUMNS, view.tables["origin"][list(COLUMNS)].to_numpy().tolist()),
        (
            Control("Delivered to", "select", ("All users", *(view.countries[c] for c in consumers[1:]))),
            Control("Year", "range", tuple(str(y) for y in view.years), len(view.years) - 1),
        ),
        height=120 + 62 * len(stages),
        captions=captions,
    )


def _table(view: View, tonnes: Tonnes) -> Table:
    stages = _stages(view, tonnes)
    last = view.years[-1]
    rows = []
    for consumer in sorted({c for c, *_ in tonnes}, key=lambda c: (c != "", view.countries.get(c, ""))):
        shares = [_shares(tonnes, consumer, s, last) for s in stages]
        if any(shares):
            concern = [sum(x for o, x in by.items() if o in view.concern) if by else None for by in shares]
            rows.append((view.countries[consumer] if consumer else "all users", *concern))
    return Table(
        "table-origins",
        f"Share that went through {view.concern_name}, by user, in {last}",
        (Column("Delivered to"), *(Column(s, "share") for s in stages)),
        rows,
    )
