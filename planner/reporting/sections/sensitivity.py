"""How the plan answers to other numbers: a tornado for each metric, decisions that flip, indices of many samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...language import N_, _, number, translated
from ...words import capital, commas, figure_of, full_stop, listed, semicolons, share_of, shortened, told
from ..charts import Chart, Value, amounts
from ..looks import BLUE, ORANGE, Look
from ..parts import Column, Control, Figure, Section, Table
from ..ranked import Bar, ranked

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import Names

MOST = 20  # bars of a chart; the table holds the rest
METHODS = {
    "one-at-a-time": N_("one number at a time, from its low to its high end"),
    "lhs": N_("by Latin hypercube samples"),
    "sobol": N_("by Sobol samples"),
}
NOWHERE = N_("no plan at the low and high end")
ENDS = {"low": N_("low end"), "high": N_("high end")}
SIZED = 1e-12
PROVEN = 1e-6  # a relative gap up to this is rounding


def section(view: Names, study: Shown) -> Section:
    """A tornado (or the indices), every change in a table, the decisions that flip."""
    about = study.about
    method = str(about.get("method", ""))
    title = str(about.get("title") or "")
    lead = [_("Solved again with other numbers, {method}; each solve finds its own least-cost plan.")]
    if title:
        lead = [_("{title}: solved again with other numbers, {method}; each solve finds its own least-cost plan.")]
    lead = [lead[0].format(title=title, method=translated(METHODS.get(method, method)))]
    base = about.get("base", {})
    if base:
        said = [f"{_words(view, m)[0]} {_said(m, v)} {_words(view, m)[1]}".strip() for m, v in base.items()]
        lead.append(_("As it is: {parts}.", parts=semicolons(said)))
    tornado, indices, flips = (study.tables[name] for name in ("tornado", "indices", "flips"))
    if tornado and not flips:
        lead.append(_("No decision flips: the same projects are built at every end."))
    gap = about.get("gap") or 0.0
    if gap > PROVEN:
        lead.append(
            _(
                "The plans are within {share} of the least cost: what differs by less may be play of the searches.",
                share=share_of(gap),
            )
        )
    parts = [
        *([_tornado(view, tornado), _table(view, tornado)] if tornado else []),
        *([_indices(view, indices), _index_table(view, indices)] if indices else []),
        _flips(view, flips) if flips else None,
    ]
    return Section("sensitivity", _("What if the numbers are otherwise"), lead, parts, _("Sensitivity"), study.warnings)


def _split(metric: str) -> tuple[str, str, str]:
    rest, _at, year = metric.partition("@")
    name, _colon, of = rest.partition(":")
    return name, of, year


def _words(view: Names, metric: str) -> tuple[str, str]:
    """A metric in words, and its unit."""
    name, of, year = _split(metric)
    money = view.musd
    words, unit = {
        "objective_musd": (_("cost"), _("{unit} present value", unit=money)),
        "capex_musd": (_("capex"), _("{unit} overnight", unit=money)),
        "public_musd": (_("public money"), money),
        "short_t": (_("demand short"), _("t a year") if year else "t"),
        "exposed_share": (_("exposed share"), ""),
        "stage_share": (_("share of the stage {stage}", stage=of), ""),
        "built": (_("size of {project}", project=view.project(of)), _("modules")),
    }.get(name, (metric, ""))
    return (_("{metric} in {year}", metric=words, year=year) if year else words), unit


def _metric(view: Names, metric: str) -> str:
    """A metric with its unit, as a heading."""
    words, unit = _words(view, metric)
    return commas([words, unit]) if unit else words


def _is_share(metric: str) -> bool:
    return _split(metric)[0] in ("exposed_share", "stage_share")


def _said(metric: str, value: float | None) -> str:
    if value is None:
        return _("no plan")
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
    each = [f"{r['change']} {commas(_said(first, r[end]) for end in ('at_low', 'at_high'))}" for r in chart.rows[:8]]
    title = _(
        "{change} moves the {metric} most: {ends} {unit}",
        change=top["change"],
        metric=words,
        ends=_ends(top),
        unit=unit,
    ).strip()
    if _open(top):
        title = _("The gaps of the solves leave open what moves the {metric} most", metric=words)
    return Figure(
        "sensitivity-tornado",
        capital(title),
        told(_("At the low and the high end"), each),
        charts,
        (Control(_("Show"), {m: _metric(view, m) for m in charts}),),
        columns="change metric at_low at_base at_high swing elasticity",
        rows=rows,
        caption=_(
            "The line is the value as it is; each bar reaches to the value at one end of the change. Where there "
            "is no plan at an end, the name says so and the bar is missing."
        ),
    )


def _open(row: Mapping[str, Any]) -> bool:
    """Whether the gaps of the solves leave open if the metric rises or falls from the low to the high end."""
    return row["swing_least"] is not None and row["swing_least"] < 0.0 < row["swing_most"]


def _ends(row: Mapping[str, Any]) -> str:
    metric = str(row["metric"])
    return _("{low} to {high}", low=_said(metric, row["at_low"]), high=_said(metric, row["at_high"]))


def _reach(row: Mapping[str, Any]) -> float:
    ends = [row[e] for e in ("at_low", "at_high")]
    if None in ends:
        return float("inf")
    return max(abs(e - row["at_base"]) for e in ends)


def _bars(view: Names, metric: str, shown: Sequence[Row]) -> Chart:
    def told(end: str) -> Callable[[Row], list[str]]:
        return lambda r: [_("{head}: {parts}", head=translated(ENDS[end]), parts=_said(metric, r[f"at_{end}"]))]

    bars = [
        Bar(f"at_{end}", translated(ENDS[end]), look, "at_base", says=told(end))
        for end, look in (("low", Look(BLUE)), ("high", Look(ORANGE, "/")))
    ]

    def name(row: Row) -> str:
        missing = [end for end in ENDS if row[f"at_{end}"] is None]
        words = _ends(row)
        if missing:
            words = (
                _("no plan at the {end}", end=translated(ENDS[missing[0]]))
                if len(missing) == 1
                else translated(NOWHERE)
            )
        return f"{shortened(str(row['change']), 50 - min(24, len(words)))} · {words}"

    ends = [r[e] or 0.0 for r in shown for e in ("at_low", "at_base", "at_high")]
    axis = {**amounts(_metric(view, metric), ends), "rangemode": "normal", "nticks": 6}
    if _is_share(metric):
        axis["tickformat"] = ".0%"
    return ranked(shown, name, bars, axis, most=MOST, line=shown[0]["at_base"])


def _table(view: Names, rows: Sequence[Row]) -> Table:
    return Table(
        "table-tornado",
        _("Every change and metric"),
        rows,
        (
            Column(_("Change"), "change"),
            Column(_("Metric"), lambda r: _metric(view, str(r["metric"]))),
            Column(_("At the low end"), "at_low", "number"),
            Column(_("As it is"), "at_base", "number"),
            Column(_("At the high end"), "at_high", "number"),
            Column(_("Swing"), "swing", "number"),
            Column(_("At least"), "swing_least", "number"),
            Column(_("At most"), "swing_most", "number"),
            Column(_("Elasticity"), "elasticity", "number"),
        ),
    )


def _indices(view: Names, rows: Sequence[Row]) -> Figure | None:
    """How much each change weighs among all of them: rank correlation, or the shares of the variance."""
    sobol = any(r.get("total") is not None for r in rows)
    key, title = ("total", _("share of the variance")) if sobol else ("rank_correlation", _("rank correlation"))
    first = Bar("first", _("first order"), Look(ORANGE, "/"), says="%{x:.2f}")
    half = "total_half_width"
    ends: tuple[Value, Value] = (lambda r: r[key] - (r.get(half) or 0.0), lambda r: r[key] + (r.get(half) or 0.0))
    bars = [
        Bar(key, translated(key.replace("_", " ")), ends=ends if sobol else None, says="%{x:.2f}"),
        *([first] if sobol else []),
    ]
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
    each = [f"{r['change']} {number(f'{r[key]:.2f}')}" for r in chart.rows[:8]]
    return Figure(
        "sensitivity-indices",
        capital(
            _("{change} weighs most in the {metric}", change=chart.rows[0]["change"], metric=_words(view, metric)[0])
        ),
        told(_("Total-order index") if sobol else _("Rank correlation"), each),
        charts,
        (Control(_("Show"), {m: _metric(view, m) for m in charts}),),
        rows=rows,
    )


def _index_table(view: Names, rows: Sequence[Row]) -> Table:
    keys = [k for k in rows[0] if k not in ("change", "metric")]
    numbers = [Column(capital(translated(k.replace("_", " "))), k, "number") for k in keys]
    metric = Column(_("Metric"), lambda r: _metric(view, str(r["metric"])))
    return Table("table-indices", _("Every index"), rows, (Column(_("Change"), "change"), metric, *numbers))


def _flips(view: Names, rows: Sequence[Row]) -> Table:
    return Table(
        "table-flips",
        _("Decisions that flip: built at an end and not as it is, or the other way round"),
        rows,
        (
            Column(_("Change"), "change"),
            Column(_("End"), lambda r: translated(r["end"])),
            Column(_("Project"), lambda r: view.project(str(r["option"]))),
            Column(_("Modules as it is"), "modules_base", "number"),
            Column(_("Modules then"), "modules", "number"),
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
    text = _(
        "Of the assumptions varied, {change} moves the {metric} most, from {ends} {unit}",
        change=top["change"],
        metric=words,
        ends=_ends(top),
        unit=unit,
    ).strip()
    if _open(top):
        text = _("No assumption varied moves the {metric} by more than the gaps of the solves", metric=words)
    flips: dict[str, set[str]] = defaultdict(set)
    for r in study.tables["flips"]:
        flips[str(r["change"])].add(str(r["option"]))
    if flips:
        order = sorted(flips, key=lambda c: (-len(flips[c]), c))
        text = _("{sentence}; decisions flip with {names}", sentence=text, names=listed(order, 3))
    return full_stop(text)
