"""How the plan answers to other numbers: a tornado for each metric, decisions that flip, indices of many samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...words import capital, figure_of, listed, share_of, shortened
from ..parts import (
    BAR,
    BLACK,
    BLUE,
    LOWER,
    ORANGE,
    UPPER,
    Column,
    Control,
    Data,
    Figure,
    Section,
    Table,
    layout,
    pattern,
    plain,
    rungs,
)
from .builds import name_of

if TYPE_CHECKING:
    from ..studies import Row, Study
    from ..view import View

MOST = 20  # bars of a chart; the table holds the rest
METHODS = {"one-at-a-time": "one number at a time, from its low to its high end", "lhs": "by Latin hypercube samples",
           "sobol": "by Sobol samples"}  # fmt: skip
SIZED = 1e-12


def section(view: View, study: Study) -> Section:
    """A tornado (or the indices), every change in a table, the decisions that flip."""
    about = study.about
    method = str(about.get("method", ""))
    title = str(about.get("title") or "")
    lead = [
        f"{f'{title}: solved' if title else 'Solved'} again with other numbers, {METHODS.get(method, method)}; each "
        "solve finds its own least-cost plan."
    ]
    base = about.get("base", {})
    if base:
        said = [f"{_words(view, m)[0]} {_said(m, v)} {_words(view, m)[1]}".strip() for m, v in base.items()]
        lead.append(f"As it is: {'; '.join(said)}.")
    parts: list[Figure | Table] = []
    tornado, indices = study.tables["tornado"], study.tables["indices"]
    if tornado:
        chart = _tornado(view, tornado)
        parts += [chart] if chart else []
        parts.append(_table(view, tornado))
    if indices:
        chart = _indices(view, indices)
        parts += [chart] if chart else []
        parts.append(_index_table(view, indices))
    if study.tables["flips"]:
        parts.append(_flips(view, study.tables["flips"]))
    elif tornado:
        lead.append("No decision flips: the same projects are built at every end.")
    return Section("sensitivity", "What if the numbers are otherwise", lead, parts, "Sensitivity", study.warnings)


def _split(metric: str) -> tuple[str, str, str]:
    rest, _, year = metric.partition("@")
    name, _, of = rest.partition(":")
    return name, of, year


def _words(view: View, metric: str) -> tuple[str, str]:
    """A metric in words, and its unit."""
    name, of, year = _split(metric)
    money = f"M{view.instance.currency}"
    words, unit = {
        "objective_musd": ("cost", f"{money} present value"),
        "capex_musd": ("capex", f"{money} overnight"),
        "public_musd": ("public money", money),
        "short_t": ("demand short", "t a year" if year else "t a year summed over periods"),
        "exposed_share": ("exposed share", ""),
        "stage_share": (f"share of the stage {of}", ""),
        "built": (f"size of {name_of(view, of)}", "modules"),
    }.get(name, (metric, ""))
    return (f"{words} in {year}" if year else words), unit


def _metric(view: View, metric: str) -> str:
    """A metric with its unit, as a heading."""
    words, unit = _words(view, metric)
    return f"{words}, {unit}" if unit else words


def _is_share(metric: str) -> bool:
    return _split(metric)[0] in ("exposed_share", "stage_share")


def _said(metric: str, value: float | None) -> str:
    if value is None:
        return "no plan"
    return share_of(value) if _is_share(metric) else figure_of(value, 5)


def _tornado(view: View, rows: Sequence[Row]) -> Figure | None:
    views: dict[str, Any] = {}
    shown_metrics: list[str] = []
    leading: dict[str, list[Row]] = {}
    for metric in dict.fromkeys(str(r["metric"]) for r in rows):
        mine = [r for r in rows if r["metric"] == metric and r["at_base"] is not None]
        moving = [r for r in mine if _reach(r) > SIZED]
        if not moving:
            continue
        shown = sorted(moving, key=lambda r: (-_reach(r), str(r["change"])))[:MOST]
        views[str(len(shown_metrics))] = _bars(view, metric, shown)
        leading[metric] = shown
        shown_metrics.append(metric)
    if not views:
        return None
    first = shown_metrics[0]
    top = leading[first][0]
    words, unit = _words(view, first)
    return Figure(
        "sensitivity-tornado",
        capital(f"{top['change']} moves the {words} most: {_ends(top)} {unit}".strip()),
        "At the low and the high end: "
        + "; ".join(
            f"{r['change']} {_said(first, r['at_low'])}, {_said(first, r['at_high'])}" for r in leading[first][:8]
        )
        + ".",
        views,
        layout(),
        Data(
            ("change", "metric", "at_low", "at_base", "at_high", "swing", "elasticity"),
            [
                tuple(r.get(k) for k in ("change", "metric", "at_low", "at_base", "at_high", "swing", "elasticity"))
                for r in rows
            ],
        ),
        (Control("Show", "select", tuple(_metric(view, m) for m in shown_metrics)),),
        height=views["0"]["layout"]["height"],
        caption="The line is the value as it is; each bar reaches to the value at one end of the change. Where there "
        "is no plan at an end, the name says so and the bar is missing.",
    )


def _ends(row: Row) -> str:
    metric = str(row["metric"])
    return f"{_said(metric, row['at_low'])} to {_said(metric, row['at_high'])}"


def _reach(row: Row) -> float:
    ends = [row[e] for e in ("at_low", "at_high")]
    if None in ends:
        return float("inf")
    return max(abs(e - row["at_base"]) for e in ends)


def _bars(view: View, metric: str, shown: Sequence[Row]) -> dict[str, Any]:
    base = shown[0]["at_base"]
    traces = []
    for end, name, colour, look in (("at_low", "low end", BLUE, 0), ("at_high", "high end", ORANGE, 1)):
        known = [(n, r[end]) for n, r in enumerate(shown) if r[end] is not None]
        traces.append(
            {
                **BAR,
                "y": [n for n, _ in known],
                "base": base,
                "x": [v - base for _, v in known],
                "name": name,
                "marker": {"color": colour, "pattern": pattern(look)},
                "customdata": [_said(metric, v) for _, v in known],
                "hovertemplate": "%{customdata}",
            }
        )
    names = []
    for r in shown:
        missing = [word for end, word in (("at_low", "low"), ("at_high", "high")) if r[end] is None]
        words = f"no plan at the {' and '.join(missing)} end" if missing else _ends(r)
        names.append(f"{shortened(str(r['change']), 50 - min(24, len(words)))} · {words}")
    large = max(abs(r[e] or 0.0) for r in shown for e in ("at_low", "at_base", "at_high")) >= 1e4
    form = ".0%" if _is_share(metric) else ",~s" if large else ",~g"
    line = {
        "type": "line",
        "x0": base,
        "x1": base,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": BLACK},
    }
    axis = {"title": {"text": plain(_metric(view, metric)), "standoff": 12}, "tickformat": form, "nticks": 6}
    return {"data": traces, "layout": rungs(names, axis, legend=True, shapes=[line])}


def _table(view: View, rows: Sequence[Row]) -> Table:
    return Table(
        "table-tornado",
        "Every change and metric",
        (
            Column("Change"),
            Column("Metric"),
            Column("At the low end", "number"),
            Column("As it is", "number"),
            Column("At the high end", "number"),
            Column("Swing", "number"),
            Column("Elasticity", "number"),
        ),
        [
            (
                r["change"],
                _metric(view, str(r["metric"])),
                *(r[k] for k in ("at_low", "at_base", "at_high", "swing")),
                r.get("elasticity"),
            )
            for r in rows
        ],
        folded=len(rows) > 12,
    )


def _indices(view: View, rows: Sequence[Row]) -> Figure | None:
    """How much each change weighs among all of them: rank correlation, or the shares of the variance."""
    sobol = any(r.get("total") is not None for r in rows)
    key = "total" if sobol else "rank_correlation"
    metrics = [m for m in dict.fromkeys(str(r["metric"]) for r in rows)
               if any(r["metric"] == m and r.get(key) for r in rows)]  # fmt: skip
    if not metrics:
        return None
    chosen = {
        m: sorted(
            (r for r in rows if r["metric"] == m and r.get(key) is not None),
            key=lambda r: (-abs(r[key]), str(r["change"])),
        )[:MOST]
        for m in metrics
    }
    views: dict[str, Any] = {}
    for n, metric in enumerate(metrics):
        mine = chosen[metric]
        at = list(range(len(mine)))
        total = {**(UPPER if sobol else BAR), "y": at, "x": [r[key] for r in mine], "name": key.replace("_", " "),
                 "marker": {"color": BLUE}, "hovertemplate": "%{x:.2f}"}  # fmt: skip
        if sobol:
            total["error_x"] = {"array": [r.get("total_half_width") or 0.0 for r in mine]}
        traces = [total]
        if sobol:
            traces.append(
                {
                    **LOWER,
                    "y": at,
                    "x": [r.get("first") for r in mine],
                    "name": "first order",
                    "marker": {"color": ORANGE, "pattern": pattern(1)},
                    "hovertemplate": "%{x:.2f}",
                }
            )
        title = "share of the variance" if sobol else "rank correlation"
        axis = {"title": {"text": title, "standoff": 12}, "tickformat": ".1f"}
        views[str(n)] = {
            "data": traces,
            "layout": rungs([str(r["change"]) for r in mine], axis, legend=sobol),
        }
    top = chosen[metrics[0]]
    return Figure(
        "sensitivity-indices",
        capital(f"{top[0]['change']} weighs most in the {_words(view, metrics[0])[0]}"),
        ("Total-order index: " if sobol else "Rank correlation: ")
        + "; ".join(f"{r['change']} {r[key]:.2f}" for r in top[:8])
        + ".",
        views,
        layout(),
        Data(tuple(rows[0]), [tuple(r.get(k) for k in rows[0]) for r in rows]),
        (Control("Show", "select", tuple(_metric(view, m) for m in metrics)),),
        height=views["0"]["layout"]["height"],
    )


def _index_table(view: View, rows: Sequence[Row]) -> Table:
    keys = [k for k in rows[0] if k not in ("change", "metric")]
    return Table(
        "table-indices",
        "Every index",
        (Column("Change"), Column("Metric"), *(Column(k.replace("_", " ").capitalize(), "number") for k in keys)),
        [(r["change"], _metric(view, str(r["metric"])), *(r.get(k) for k in keys)) for r in rows],
        folded=len(rows) > 12,
    )


def _flips(view: View, rows: Sequence[Row]) -> Table:
    return Table(
        "table-flips",
        "Decisions that flip: built at an end and not as it is, or the other way round",
        (
            Column("Change"),
            Column("End"),
            Column("Project"),
            Column("Modules as it is", "number"),
            Column("Modules then", "number"),
        ),
        [(r["change"], r["end"], name_of(view, str(r["option"])), r["modules_base"], r["modules"]) for r in rows],
        folded=len(rows) > 12,
    )


def in_words(view: View, study: Study) -> str:
    """What moves the first metric most, and how many decisions flip."""
    rows = [
        r
        for r in study.tables["tornado"]
        if r["at_base"] is not None and r["at_low"] is not None and r["at_high"] is not None
    ]
    if not rows:
        return ""
    metric = str(rows[0]["metric"])
    top = max((r for r in rows if r["metric"] == metric), key=_reach)
    words, unit = _words(view, metric)
    text = f"Of the assumptions varied, {top['change']} moves the {words} most, from {_ends(top)} {unit}".strip()
    flips: dict[str, set[str]] = defaultdict(set)
    for r in study.tables["flips"]:
        flips[str(r["change"])].add(str(r["option"]))
    if flips:
        order = sorted(flips, key=lambda c: (-len(flips[c]), c))
        text += f"; decisions flip with {listed(order, 3)}"
    return f"{text}."
