"""Cost against two metrics: the plans that no other plan dominates, by both metrics and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...language import _, n_
from ...words import figure_of, listed, share_of
from .. import charts
from ..charts import Chart, layout, plain
from ..looks import INK, SHADES
from ..parts import Column, Figure, Section, Table
from .frontier import metric_in_words

if TYPE_CHECKING:
    from ..studies import Shown
    from ..view import View

AXES = ("first", "second")


def section(view: View, study: Shown) -> Section:
    """The plans, and how good they cover what is possible."""
    points = sorted(study.tables["points"], key=lambda row: row["point"])
    names = {axis: metric_in_words(str(study.about[axis])) for axis in AXES}
    since = study.about["from_year"]
    when = _("in every year") if since is None else _("from {year} on", year=since)
    lead = [
        _(
            "Each point is the cheapest plan under a limit on {first} and one on {second}, {when}; the caps of the "
            "instance stay in force.",
            **names, when=when,
        ),
        _quality(view, study),
    ]  # fmt: skip
    lead = [sentence for sentence in lead if sentence]
    table = Table(
        "table-surface",
        _("Every plan"),
        points,
        (
            Column(_("Point"), "point", "count"),
            *(Column(names[axis], axis, "number" if _amount(study, axis) else "share") for axis in AXES),
            Column(_("Extra cost, {unit}", unit=view.musd), "extra_musd", "number"),
            Column(_("Short, t"), "short_t", "number"),
            Column(_("Capex, {unit}", unit=view.musd), "capex_musd", "number"),
            Column(_("Gap"), "gap", "share"),
        ),
    )
    return Section(
        "surface", _("What two wishes cost together"), lead, [_figure(view, study, points), table], _("Two wishes"),
        study.warnings,
    )  # fmt: skip


def _amount(study: Shown, axis: str) -> bool:
    return str(study.about[axis]).startswith("impact:")


def _quality(view: View, study: Shown) -> str:
    about = study.about
    if about["exact"]:
        return _("These are all plans that no other plan dominates.") if about["complete"] else ""
    return _(
        "On average over all pairs of limits the least cost lies at most {cost} below that of the cheapest plan here "
        "that keeps them.",
        cost=view.money(about["mean_open_musd"]),
    )


def _told(study: Shown, point: dict[str, Any], axis: str) -> str:
    return figure_of(point[axis]) if _amount(study, axis) else share_of(point[axis])


def _figure(view: View, study: Shown, points: Sequence[dict[str, Any]]) -> Figure:
    """The plans by both metrics; the stronger the colour, the dearer."""
    names = {axis: metric_in_words(str(study.about[axis])) for axis in AXES}
    says = [
        _(
            "<b>point {point}</b>: {first}, {second}, {extra} {unit} more",
            point=p["point"],
            first=_told(study, p, "first"),
            second=_told(study, p, "second"),
            extra=figure_of(p["extra_musd"]),
            unit=plain(view.musd),
        )
        for p in points
    ]
    marker = {
        "size": 14,
        "color": [p["extra_musd"] for p in points],
        "colorscale": SHADES,
        "line": {"color": INK, "width": 1},
        "showscale": True,
        "colorbar": {"title": {"text": plain(_("extra cost, {unit}", unit=view.musd)), "side": "right"}},
    }
    x, y = ([p[axis] for p in points] for axis in AXES)
    trace = charts.points(x, y, "markers", says, name=_("plans"), marker=marker)
    formats = {axis: ",.4~g" if _amount(study, axis) else ".0%" for axis in AXES}
    drawn = layout(
        xaxis={"title": {"text": plain(names["first"])}, "tickformat": formats["first"]},
        yaxis={"title": {"text": plain(names["second"])}, "tickformat": formats["second"]},
        hovermode="closest",
        height=460,
    )
    some = points[:: max(1, len(points) // 6)]
    summary = listed(
        [
            _(
                "{first} and {second} for {cost}",
                first=_told(study, p, "first"),
                second=_told(study, p, "second"),
                cost=view.money(p["extra_musd"]),
            )
            for p in some
        ]
    )
    return Figure(
        "surface-cost",
        n_(
            "{n} plan, from no extra cost to {cost}",
            "{n} plans, from no extra cost to {cost}",
            len(points),
            cost=view.money(points[-1]["extra_musd"]),
        ),
        _("{first} and {second}: {summary}.", **names, summary=summary),
        Chart([trace], drawn, points),
        columns="point first second extra_musd short_t capex_musd",
    )


def in_words(view: View, study: Shown) -> str:
    """The plans in a sentence; "" if there is one."""
    points = study.tables["points"]
    if len(points) < 2:
        return ""
    last = max(points, key=lambda p: p["extra_musd"])
    return n_(
        "Of {n} plan that no other dominates by cost, {first} and {second}, the dearest costs {cost} more.",
        "Of {n} plans that no other dominates by cost, {first} and {second}, the dearest costs {cost} more.",
        len(points), first=metric_in_words(str(study.about["first"])),
        second=metric_in_words(str(study.about["second"])), cost=view.money(last["extra_musd"]),
    )  # fmt: skip
