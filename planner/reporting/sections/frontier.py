"""The curve of cost against dependence: its knee, its bound, and what is built at every step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...bands import ROUNDING, WIDE, Band
from ...instance.metrics import METRICS as SHARES
from ...language import N_, _, n_, translated
from ...words import figure_of, full_stop, listed, semicolons, share_of, tonnes_of
from .. import charts
from ..charts import Chart, amounts, layout, plain
from ..looks import BLUE, GREY, INK, ORANGE
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ..studies import Shown
    from ..view import View

METRICS = {
    "exposed_share": N_("traced dependence"),
    "stage_share": N_("dependence of the stage {of}"),
    "single_country_share": N_("largest share of one country, {of}"),
    "import_share": N_("import share of {of}"),
    "own_share": N_("own production of {of}"),
    "impact": N_("impact {of}"),
    "unserved": N_("unserved demand"),
}

LEVEL = 1e-4  # share: shorter level parts of the curve are not drawn


def metric_in_words(metric: str) -> str:
    """Return a metric in words."""
    kind, *of = metric.split(":")
    return translated(METRICS.get(kind, f"{kind} {{of}}")).format(of=" ".join(of)).strip()


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
        return metric_in_words(self.metric)

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
    when = _("in every year") if first is None else _("from {year} on", year=first)
    if about.get("glide"):
        when = _("{years}, gliding down to it from the first year's level", years=when)
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
    title = _("What less dependence costs")
    if not any(p["share"] is not None for p in curve.points):
        return Section("curve", title, [_("The curve holds no point.")], (), _("Trade-off"), study.warnings)
    changes = _changes(curve)
    steps = _steps(view, changes, 6)
    if curve.floor:
        lead = _(
            "Each point is the cheapest plan at a floor under {metric}, {years}; the caps of the instance stay in "
            "force. The first is the least cost, the last the most that any plan can keep.",
            metric=curve.name,
            years=curve.years,
        )
        one_point = _("One point more costs, {unit}", unit=view.musd)
    else:
        lead = _(
            "Each point is the cheapest plan at a limit on {metric}, {years}; the caps of the instance stay in "
            "force. The first is the least cost, the last the least dependence that any plan can keep.",
            metric=curve.name,
            years=curve.years,
        )
        one_point = _("One point less costs, {unit}", unit=view.musd)
    table = Table(
        "table-curve",
        _("Every point"),
        curve.points,
        (
            Column(_("Point"), "point", "count"),
            Column(_("Share kept"), "share", "share"),
            Column(_("Extra cost, {unit}", unit=view.musd), "extra_musd", "number"),
            Column(_("At least"), "extra_least_musd", "number"),
            Column(_("At most"), "extra_most_musd", "number"),
            Column(one_point, "marginal_musd_per_point", "number"),
            Column(_("{currency}/kg clean", currency=view.instance.currency), "usd_per_kg_clean", "number"),
            Column(_("Short, t"), "short_t", "number"),
            Column(_("Gap"), "gap", "share"),
        ),
        folded=False,
    )
    parts: list[Figure | Table | None] = [_figure(view, curve, steps), table]
    if changes:
        told = (
            Column(_("Point"), "point", "count"),
            Column(_("Share kept"), "share", "share"),
            Column(_("Projects"), lambda p: semicolons(steps[p["point"]])),
        )
        title_of = _("The largest projects built otherwise than at the point before: + more, - less")
        shown = [p for p in curve.points if p["point"] in steps]
        parts += [Table("table-steps", title_of, shown, told, folded=False), _change_table(view, changes)]
    return Section("curve", title, [lead], parts, _("Trade-off"), study.warnings)


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


SIGNS = {N_("added"): "+", N_("dropped"): "-", N_("more"): "+", N_("less"): "-", N_("moved"): "~"}


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
            [
                n_("and {n} smaller change", "and {n} smaller changes", rest)
                if words
                else n_("{n} change", "{n} changes", rest)
            ]
            if rest
            else []
        )
    return found


def _change_table(view: View, changes: dict[int, list[_Change]]) -> Table:
    def startup(change: _Change) -> str:
        option = view.options.get(change.option)
        return _("yes") if option and view.facilities[option.facility].startup else ""

    def of(change: _Change, column: str) -> float | None:
        option = view.options.get(change.option)
        return change.modules * getattr(option, column) if option else None

    return Table(
        "table-switches",
        _("Every project that changes between neighbouring points"),
        [(point, change) for point, mine in sorted(changes.items()) for change in mine],
        (
            Column(_("Point"), 0, "count"),
            Column(_("Project"), lambda r: _name(view, r[1].option)),
            Column(_("Country"), lambda r: view.home(r[1].option)),
            Column(_("Startup"), lambda r: startup(r[1])),
            Column(_("Stage"), lambda r: view.stage_of_project(r[1].option)),
            Column(_("Change"), lambda r: translated(r[1].kind)),
            Column(_("Capacity, t a year"), lambda r: of(r[1], "module_t"), "number"),
            Column(_("Capex, {unit}", unit=view.musd), lambda r: of(r[1], "capex_musd"), "number"),
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
    traces = [charts.points(x, y, "lines+markers", says, name=_("least cost"), line=thick, marker=marker)]
    if any(p["extra_most_musd"] - p["extra_least_musd"] > WIDE * p["extra_musd"] for p in points):
        traces.append(
            charts.points(
                [p["share"] for p in points], [p["extra_musd"] for p in points], "markers", name=_("range by the gaps"),
                marker={"size": 1, "color": BLUE},
                error_y={"type": "data", "symmetric": False, "array": [0.0] * len(points), "arrayminus": below},
            )
        )  # fmt: skip
    if len(curve.bound) > 1:
        x, y = [limit for limit, __ in bound], [cost for __, cost in bound]
        traces.insert(0, charts.points(x, y, "lines", name=_("bound without whole numbers"), line=dashed))
    knee = next((p for p in points if p["point"] == curve.knee), None)
    if knee is not None:
        x, y, said = [knee["share"]], [knee["objective_musd"] - least], [_("knee, {share}", share=_told(knee))]
        star = {"symbol": "star", "size": 18, "color": ORANGE, "line": {"color": INK, "width": 1}}
        words = charts.points(x, y, "markers+text", name=_("knee"), marker=star, text=said, textposition="top left")
        traces.append(words)
    summary = semicolons(
        _("{share} costs {amount}", share=_told(p), amount=extra_of(view, p))
        for p in points[1 :: max(1, len(points) // 6)]
    )
    drawn = layout(
        xaxis={
            "title": {"text": plain(curve.name)},
            "tickformat": ",.4~g" if curve.amount else ".0%",
            "autorange": True if curve.floor else "reversed",
        },
        yaxis=amounts(
            _("extra cost, {unit} present value", unit=view.musd), [p["objective_musd"] - least for p in points]
        ),
        hovermode="closest",
        showlegend=True,
        height=430,
    )
    return Figure(
        "curve-cost",
        _(
            "From {first} to {last} {metric} for {amount}",
            first=_told(points[0]),
            last=_told(last),
            metric=curve.name,
            amount=extra_of(view, last),
        ),
        _("{parts}. The knee is at {share}.", parts=summary, share=_knee_at(curve, knee))
        if knee
        else full_stop(summary),
        Chart(traces, drawn, curve.points),
    )


def _said(view: View, point: dict[str, Any], least: float, steps: dict[int, list[str]]) -> str:
    more = figure_of(point["objective_musd"] - least)
    head = _(
        "<b>point {n}</b>: {share}, {amount} {unit} more",
        n=point["point"],
        share=_told(point),
        amount=more,
        unit=plain(view.musd),
    )
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
    if not others:
        return _told(knee)
    names = listed([_told(p) for p in others])
    return _("{share}, or by the gaps at {others}", share=_told(knee), others=names)


def in_words(view: View, study: Shown) -> str:
    """The curve in a sentence; "" if it has one point."""
    curve = curve_of(study)
    points = [p for p in curve.points if p["share"] is not None]
    if len(points) < 2:
        return ""
    last = points[-1]
    knee = next((p for p in points if p["point"] == curve.knee), None)
    said = {
        "metric": curve.name,
        "first": _told(points[0]),
        "last": _told(last),
        "amount": extra_of(view, last),
    }
    if curve.floor:
        text = _("Bringing {metric} from {first} to {last}, the most that any plan can keep, costs {amount}", **said)
    else:
        text = _("Bringing {metric} from {first} to {last}, the least that any plan can keep, costs {amount}", **said)
    if (last.get("short_t") or 0.0) > 1e-3:
        text = _("{sentence} and leaves {tonnes} undelivered", sentence=text, tonnes=tonnes_of(last["short_t"]))
    if knee is not None and knee is not last:
        text = _(
            "{sentence}; getting to {share} costs {amount}, and beyond that each point costs much more",
            sentence=text,
            share=_told(knee),
            amount=extra_of(view, knee),
        )
    return full_stop(text)
