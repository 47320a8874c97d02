"""How the plan answers to other numbers: a tornado for each metric, decisions that flip, indices of many samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...words import capital, figure_of, listed, share_of, shortened, told
from ..charts import Bar, Chart, Value, amounts, ranked
from ..looks import BLUE, ORANGE, Look
from ..parts import Column, Control, Figure, Section, Table

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import Names

MOST = 20  # bars of a chart; the table holds the rest
METHODS = {"one-at-a-time": "one number at a time, from its low to its high end", "lhs": "by Latin hypercube samples",
           "sobol": "by Sobol samples"}  # fmt: skip
SIZED = 1e-12
PROVEN = 1e-6  # a relative gap up to this is rounding


def section(view: Names, study: Shown) -> Section:
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
    tornado, indices, flips = (study.tables[name] for name in ("tornado", "indices", "flips"))
    if tornado and not flips:
        lead.append("No decision flips: the same projects are built at every end.")
    gap = about.get("gap") or 0.0
    if gap > PROVEN:
        lead.append(
            f"The plans are within {share_of(gap)} of the least cost: what differs by less may be play of the searches."
        )
    parts = [
        *([_tornado(view, tornado), _table(view, tornado)] if tornado else []),
        *([_indices(view, indices), _index_table(view, indices)] if indices else []),
        _flips(view, flips) if flips else None,
    ]
    return Section("sensitivity", "What if the numbers are otherwise", lead, parts, "Sensitivity", study.warnings)


def _split(metric: str) -> tuple[str, str, str]:
    rest, _, year = metric.partition("@")
    name, _, of = rest.partition(":")
    return name, of, year


def _words(view: Names, metric: str) -> tuple[str, str]:
    """A metric in words, and its unit."""
    name, of, year = _split(metric)
    money = f"M{view.instance.currency}"
    words, unit = {
        "objective_musd": ("cost", f"{money} present value"),
        "capex_musd": ("capex", f"{money} overnight"),
        "public_musd": ("public money", money),
        "short_t": ("demand short", "t a year" if year else "t"),
        "exposed_share": ("exposed share", ""),
        "stage_share": (f"share of the stage {of}", ""),
        "built": (f"size of {view.project(of)}", "modules"),
    }.get(name, (metric, ""))
    return (f"{words} in {year}" if year else words), unit


def _metric(view: Names, metric: str) -> str:
    """A metric with its unit, as a heading."""
    words, unit = _words(view, metric)
    return f"{words}, {unit}" if unit else words


def _is_share(metric: str) -> bool:
    return _split(metric)[0] in ("exposed_share", "stage_share")


def _said(metric: str, value: float | None) -> str:
    if value is None:
        return "no plan"
    return share_of(value) if _is_share(metric) else figure_of(value, 5)


def _tornado(view: Names, rows: Sequence[Row]) -> Figure | None:
    """The changes that move each metric most, from its low to its high end; None if nothing moves."""
    charts: dict[str, Chart] = {}
    for metric in dict.fromkeys(str(r["metric"]) for r in rows):
        mine = [r for r in rows if r["metric"] == metric and r["at_base"] is not None]
        moving = sorted((r for r in mine if _reach(r) > SIZED), key=lambda r: (-_reach(r), str(r["change"])))
        if moving:
            charts[metric] = _bars(view, metric, moving[:MOST])
    if not charts:
        return None
    first, chart = next(iter(charts.items()))
    top = chart.rows[0]
    words, unit = _words(view, first)
    each = [f"{r['change']} {_said(first, r['at_low'])}, {_said(first, r['at_high'])}" for r in chart.rows[:8]]
    title = f"{top['change']} moves the {words} most: {_ends(top)} {unit}".strip()
    if _open(top):
        title = f"The gaps of the solves leave open what moves the {words} most"
    return Figure(
        "sensitivity-tornado",
        capital(title),
        told("At the low and the high end", each),
        charts,
        (Control("Show", {m: _metric(view, m) for m in charts}),),
        columns="change metric at_low at_base at_high swing elasticity",
        rows=rows,
        caption="The line is the value as it is; each bar reaches to the value at one end of the change. Where there "
        "is no plan at an end, the name says so and the bar is missing.",
    )


def _open(row: Mapping[str, Any]) -> bool:
    """Whether the gaps of the solves leave open if the metric rises or falls from the low to the high end."""
    return row["swing_least"] is not None and row["swing_least"] < 0.0 < row["swing_most"]


def _ends(row: Mapping[str, Any]) -> str:
    metric = str(row["metric"])
    return f"{_said(metric, row['at_low'])} to {_said(metric, row['at_high'])}"


def _reach(row: Mapping[str, Any]) -> float:
    ends = [row[e] for e in ("at_low", "at_high")]
    if None in ends:
        return float("inf")
    return max(abs(e - row["at_base"]) for e in ends)


def _bars(view: Names, metric: str, shown: Sequence[Row]) -> Chart:
    def told(end: str) -> Callable[[Row], list[str]]:
        return lambda r: [f"{end} end: {_said(metric, r[f'at_{end}'])}"]

    bars = [
        Bar(f"at_{end}", f"{end} end", look, "at_base", says=told(end))
        for end, look in (("low", Look(BLUE)), ("high", Look(ORANGE, "/")))
    ]

    def name(row: Row) -> str:
        missing = [word for word in ("low", "high") if row[f"at_{word}"] is None]
        words = f"no plan at the {' and '.join(missing)} end" if missing else _ends(row)
        return f"{shortened(str(row['change']), 50 - min(24, len(words)))} · {words}"

    ends = [r[e] or 0.0 for r in shown for e in ("at_low", "at_base", "at_high")]
    axis = {**amounts(_metric(view, metric), ends), "rangemode": "normal", "nticks": 6}
    if _is_share(metric):
        axis["tickformat"] = ".0%"
    return ranked(shown, name, bars, axis, most=MOST, line=shown[0]["at_base"])


def _table(view: Names, rows: Sequence[Row]) -> Table:
    return Table(
        "table-tornado",
        "Every change and metric",
        rows,
        (
            Column("Change", "change"),
            Column("Metric", lambda r: _metric(view, str(r["metric"]))),
            Column("At the low end", "at_low", "number"),
            Column("As it is", "at_base", "number"),
            Column("At the high end", "at_high", "number"),
            Column("Swing", "swing", "number"),
            Column("At least", "swing_least", "number"),
            Column("At most", "swing_most", "number"),
            Column("Elasticity", "elasticity", "number"),
        ),
    )


def _indices(view: Names, rows: Sequence[Row]) -> Figure | None:
    """How much each change weighs among all of them: rank correlation, or the shares of the variance."""
    sobol = any(r.get("total") is not None for r in rows)
    key, title = ("total", "share of the variance") if sobol else ("rank_correlation", "rank correlation")
    first = Bar("first", "first order", Look(ORANGE, "/"), says="%{x:.2f}")
    half = "total_half_width"
    ends: tuple[Value, Value] = (lambda r: r[key] - (r.get(half) or 0.0), lambda r: r[key] + (r.get(half) or 0.0))
    bars = [Bar(key, key.replace("_", " "), ends=ends if sobol else None, says="%{x:.2f}"), *([first] if sobol else [])]
    axis = {"title": {"text": title, "standoff": 12}, "tickformat": ".1f"}
    charts: dict[str, Chart] = {}
    for metric in dict.fromkeys(str(r["metric"]) for r in rows):
        mine = [r for r in rows if r["metric"] == metric and r.get(key) is not None]
        mine.sort(key=lambda r: (-abs(r[key]), str(r["change"])))
        if any(r[key] for r in mine):
            charts[metric] = ranked(mine, lambda r: str(r["change"]), bars, axis, most=MOST, beside=sobol)
    if not charts:
        return None
    metric, chart = next(iter(charts.items()))
    each = [f"{r['change']} {r[key]:.2f}" for r in chart.rows[:8]]
    return Figure(
        "sensitivity-indices",
        capital(f"{chart.rows[0]['change']} weighs most in the {_words(view, metric)[0]}"),
        told("Total-order index" if sobol else "Rank correlation", each),
        charts,
        (Control("Show", {m: _metric(view, m) for m in charts}),),
        rows=rows,
    )


def _index_table(view: Names, rows: Sequence[Row]) -> Table:
    keys = [k for k in rows[0] if k not in ("change", "metric")]
    numbers = [Column(k.replace("_", " ").capitalize(), k, "number") for k in keys]
    metric = Column("Metric", lambda r: _metric(view, str(r["metric"])))
    return Table("table-indices", "Every index", rows, (Column("Change", "change"), metric, *numbers))


def _flips(view: Names, rows: Sequence[Row]) -> Table:
    return Table(
        "table-flips",
        "Decisions that flip: built at an end and not as it is, or the other way round",
        rows,
        (
            Column("Change", "change"),
            Column("End", "end"),
            Column("Project", lambda r: view.project(str(r["option"]))),
            Column("Modules as it is", "modules_base", "number"),
            Column("Modules then", "modules", "number"),
        ),
    )


def in_words(view: Names, study: Shown) -> str:
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
    if _open(top):
        text = f"No assumption varied moves the {words} by more than the gaps of the solves"
    flips: dict[str, set[str]] = defaultdict(set)
    for r in study.tables["flips"]:
        flips[str(r["change"])].add(str(r["option"]))
    if flips:
        order = sorted(flips, key=lambda c: (-len(flips[c]), c))
        text += f"; decisions flip with {listed(order, 3)}"
    return f"{text}."
