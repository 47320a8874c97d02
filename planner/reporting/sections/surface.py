"""Cost against two metrics: the plans that no other plan dominates, by both metrics and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...words import counted, figure_of, listed, share_of
from .. import charts
from ..charts import Chart, layout, plain
from ..looks import INK, SHADES
from ..parts import Column, Figure, Section, Table
from .frontier import METRICS

if TYPE_CHECKING:
    from ..studies import Shown
    from ..view import View

AXES = ("first", "second")


def section(view: View, study: Shown) -> Section:
    """The plans, and how good they cover what is possible."""
    points = sorted(study.tables["points"], key=lambda row: row["point"])
    names = {axis: _name(str(study.about[axis])) for axis in AXES}
    when = "in every year" if study.about["from_year"] is None else f"from {study.about['from_year']} on"
    lead = [
        f"Each point is the cheapest plan under a limit on {names['first']} and one on {names['second']}, {when}; the "
        f"caps of the instance stay in force. {_quality(view, study)}"
    ]
    table = Table(
        "table-surface",
        "Every plan",
        points,
        (
            Column("Point", "point", "count"),
            *(Column(names[axis], axis, "number" if _amount(study, axis) else "share") for axis in AXES),
            Column(f"Extra cost, {view.musd}", "extra_musd", "number"),
            Column("Short, t", "short_t", "number"),
            Column(f"Capex, {view.musd}", "capex_musd", "number"),
            Column("Gap", "gap", "share"),
        ),
    )
    return Section(
        "surface", "What two wishes cost together", lead, [_figure(view, study, points), table], "Two wishes",
        study.warnings,
    )  # fmt: skip


def _name(metric: str) -> str:
    """A metric in words."""
    kind, *of = metric.split(":")
    return " ".join([METRICS.get(kind, kind), *of])


def _amount(study: Shown, axis: str) -> bool:
    return str(study.about[axis]).startswith("impact:")


def _quality(view: View, study: Shown) -> str:
    about = study.about
    if about["exact"]:
        return "These are all plans that no other plan dominates." if about["complete"] else ""
    return (
        f"On average over all pairs of limits the least cost lies at most {view.money(about['mean_open_musd'])} below "
        "that of the cheapest plan here that keeps them."
    )


def _told(study: Shown, point: dict[str, Any], axis: str) -> str:
    return figure_of(point[axis]) if _amount(study, axis) else share_of(point[axis])


def _figure(view: View, study: Shown, points: Sequence[dict[str, Any]]) -> Figure:
    """The plans by both metrics; the stronger the colour, the dearer."""
    names = {axis: _name(str(study.about[axis])) for axis in AXES}
    says = [
        f"<b>point {p['point']}</b>: {_told(study, p, 'first')}, {_told(study, p, 'second')}, "
        f"{figure_of(p['extra_musd'])} {plain(view.musd)} more"
        for p in points
    ]
    marker = {
        "size": 14,
        "color": [p["extra_musd"] for p in points],
        "colorscale": SHADES,
        "line": {"color": INK, "width": 1},
        "showscale": True,
        "colorbar": {"title": {"text": plain(f"extra cost, {view.musd}"), "side": "right"}},
    }
    x, y = ([p[axis] for p in points] for axis in AXES)
    trace = charts.points(x, y, "markers", says, name="plans", marker=marker)
    formats = {axis: ",.4~g" if _amount(study, axis) else ".0%" for axis in AXES}
    drawn = layout(
        xaxis={"title": {"text": plain(names["first"])}, "tickformat": formats["first"]},
        yaxis={"title": {"text": plain(names["second"])}, "tickformat": formats["second"]},
        hovermode="closest",
        height=460,
    )
    some = points[:: max(1, len(points) // 6)]
    summary = listed(
        [f"{_told(study, p, 'first')} and {_told(study, p, 'second')} for {view.money(p['extra_musd'])}" for p in some]
    )
    return Figure(
        "surface-cost",
        f"{counted(len(points), 'plan')}, from no extra cost to {view.money(points[-1]['extra_musd'])}",
        f"{names['first']} and {names['second']}: {summary}.",
        Chart([trace], drawn, points),
        columns="point first second extra_musd short_t capex_musd",
    )


def in_words(view: View, study: Shown) -> str:
    """The plans in a sentence; "" if there is one."""
    points = study.tables["points"]
    if len(points) < 2:
        return ""
    last = max(points, key=lambda p: p["extra_musd"])
    return (
        f"Of {counted(len(points), 'plan')} that no other dominates by cost, {_name(str(study.about['first']))} and "
        f"{_name(str(study.about['second']))}, the dearest costs {view.money(last['extra_musd'])} more."
    )
