"""A plan in many outcomes of its projects: what it costs, how exposed it is, and which projects it hangs on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...words import counted, figure_of, listed, rate_of, share_of, shortened, tonnes_of
from ..parts import (
    BAR,
    BLACK,
    BLUE,
    ORANGE,
    SKY,
    VERMILLION,
    Column,
    Control,
    Data,
    Figure,
    Section,
    Table,
    amounts,
    layout,
    pattern,
    plain,
    rungs,
    year_axis,
)
from .builds import name_of

if TYPE_CHECKING:
    from ..studies import Row, Study
    from ..view import View

CLASSES = 24  # bars of a distribution at most
STAKE = 1e-6  # MUSD


def section(view: View, study: Study) -> Section:
    """Distribution of the cost, exposure by year, and what the plan hangs on."""
    about = study.about
    lead = [
        f"{counted(int(about['samples']), 'outcome')} of the projects, drawn from their chance of success, delay, "
        "overrun and reached size; the builds are the plan's, and only operations answer. "
        f"It costs {view.money(about['mean_musd'], 4)} on average, {view.money(about['mean_of_worst_musd'], 4)} in the "
        f"worst {rate_of(1.0 - about['alpha'])}, {view.money(about['planned_musd'], 4)} if all goes to plan. "
        "Caps hold in every outcome, and shortage pays."
    ]
    broken = [s.get("promise_broken") for s in study.tables["samples"]]
    if any(broken):
        share = share_of(sum(map(bool, broken)) / len(broken))
        lead.append(f"In {share} of the outcomes a service floor, least use or final stock cannot be kept.")
    parts: list[Figure | Table] = []
    if study.tables["samples"]:
        parts.append(_cost_chart(view, study))
    parts.append(_fan(view, study))
    hangs = _hangs(view, study)
    parts += [hangs] if hangs else []
    parts.append(_project_table(view, study.tables["projects"]))
    return Section(
        "delivery", "If projects come late, dear, small or never", lead, parts, "Delivery risk", study.warnings
    )


def _classes(values: Sequence[float]) -> tuple[list[float], list[int], float]:
    """Left ends of equal classes, how many values are in each, and their width."""
    low, high = min(values), max(values)
    number = min(CLASSES, max(1, round(math.sqrt(len(values)) * 1.5)))
    width = (high - low) / number
    if width <= 1e-9 * max(1.0, abs(high)):
        return [low], [len(values)], 0.0
    counts = [0] * number
    for v in values:
        counts[min(number - 1, int((v - low) / width))] += 1
    return [low + n * width for n in range(number)], counts, width


def _cost_chart(view: View, study: Study) -> Figure:
    about, samples = study.about, study.tables["samples"]
    currency = view.instance.currency
    measures: list[tuple[str, str, str, list[tuple[str, float, str]]]] = [
        (
            "cost_musd",
            f"Cost, million {currency} present value",
            ",~s",
            [
                ("as planned", float(about["planned_musd"]), "solid"),
                ("mean", float(about["mean_musd"]), "dash"),
                (f"mean of the worst {rate_of(1.0 - about['alpha'])}", float(about["mean_of_worst_musd"]), "dot"),
            ],
        )
    ]
    for column, title, form in (
        ("short_t", "Demand short over the horizon, t", ",~s"),
        ("exposed_share", "Exposed share of all deliveries", ".1%"),
    ):
        known = [float(s[column]) for s in samples if s[column] is not None]
        if known and max(known) - min(known) > 1e-9:
            measures.append((column, title, form, [("mean", sum(known) / len(known), "dash")]))
    views = {}
    for n, (column, title, form, marks) in enumerate(measures):
        values = [float(s[column]) for s in samples if s[column] is not None]
        left, counts, width = _classes(values)
        traces: list[dict[str, Any]] = [
            {
                "type": "bar",
                "x": [a + width / 2 for a in left],
                "y": counts,
                "width": [width * 0.96 if width else max(1.0, abs(left[0])) * 0.01] * len(left),
                "marker": {"color": SKY},
                "name": "outcomes",
                "hovertemplate": "%{y} outcomes<extra></extra>",
            }
        ]
        colours = (BLACK, BLUE, VERMILLION)
        for k, (name, value, dash) in enumerate(marks):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": plain(name),
                    "x": [value, value],
                    "y": [0, max(counts) * 1.05],
                    "line": {"color": colours[k], "width": 3, "dash": dash},
                    "hovertemplate": f"{plain(name)}: {_figure(value, form)}<extra></extra>",
                }
            )
        axis = {"title": {"text": plain(title), "standoff": 12}, "tickformat": form, "nticks": 7}
        views[str(n)] = {
            "data": traces,
            "layout": layout(xaxis=axis, yaxis={"title": {"text": "outcomes"}}, showlegend=True),
        }
    over = sum(s["cost_musd"] > about["planned_musd"] for s in samples)
    more = about["mean_musd"] - about["planned_musd"]
    costs = [s["cost_musd"] for s in samples]
    return Figure(
        "delivery-cost",
        f"{share_of(over / len(samples))} of the outcomes cost more than planned; the mean is "
        f"{view.money(abs(more))} {'dearer' if more >= 0 else 'cheaper'}",
        f"Cost: {view.money(min(costs), 4)} to {view.money(max(costs), 4)}; mean {view.money(about['mean_musd'], 4)}, "
        f"mean of the worst {rate_of(1.0 - about['alpha'])} {view.money(about['mean_of_worst_musd'], 4)}.",
        views,
        layout(),
        Data(tuple(samples[0]), [tuple(s.get(k) for k in samples[0]) for s in samples]),
        (Control("Show", "select", tuple(title for _, title, _, _ in measures)),),
        height=380,
    )


def _figure(value: float, form: str) -> str:
    return share_of(value) if "%" in form else figure_of(value, 4)


def _fan(view: View, study: Study) -> Figure:
    """Exposure and shortage by year: the middle four fifths of the outcomes, the mean, the plan."""
    rows = study.tables["years"]
    years = [r["year"] for r in rows]
    measures = [("exposed_share", "Exposed share", ".0%")]
    if any((r.get("short_t_p90") or r["short_t_mean"]) > 1e-3 for r in rows):
        measures.append(("short_t", "Demand short, t a year", ",~g"))
    views = {}
    for n, (name, title, form) in enumerate(measures):
        shape = "%{y:.1%}" if "%" in form else "%{y:,.4~g}"
        low, high = ([r.get(f"{name}_{q}") for r in rows] for q in ("p10", "p90"))
        planned = [r.get(f"{name}_planned") for r in rows]
        line = {"type": "scatter", "x": years, "hovertemplate": shape}
        views[str(n)] = {
            "data": [
                {**line, "mode": "lines", "y": low, "line": {"width": 0}, "showlegend": False, "name": "a tenth below"},
                {
                    **line,
                    "mode": "lines",
                    "y": high,
                    "line": {"width": 0},
                    "fill": "tonexty",
                    "fillcolor": "rgba(86,180,233,0.35)",
                    "name": "four fifths of the outcomes",
                },
                {
                    **line,
                    "mode": "lines+markers",
                    "y": [r[f"{name}_mean"] for r in rows],
                    "name": "mean",
                    "line": {"color": BLUE, "width": 3},
                },
                *(
                    [
                        {
                            **line,
                            "mode": "lines+markers",
                            "y": planned,
                            "name": "as planned",
                            "line": {"color": BLACK, "width": 2, "dash": "dash"},
                            "marker": {"symbol": "diamond", "size": 7},
                        },
                    ]
                    if any(v is not None for v in planned)
                    else []
                ),
            ],
            "layout": layout(
                xaxis=year_axis(years),
                yaxis={"title": {"text": plain(title)}, "tickformat": form, "rangemode": "tozero"},
                hovermode="x unified",
                showlegend=True,
            ),
        }
    last = rows[-1]
    title = "Nothing is delivered in the last year"
    if last["exposed_share_mean"] is not None:
        title = f"In {last['year']} {share_of(last['exposed_share_mean'])} of what is delivered is exposed on average"
        if last.get("exposed_share_planned") is not None:
            title += f", {share_of(last['exposed_share_planned'])} as planned"
    return Figure(
        "delivery-fan",
        title,
        "Exposed share, a tenth below, mean, a tenth above: "
        + "; ".join(
            f"{r['year']} {share_of(r['exposed_share_p10'])}, {share_of(r['exposed_share_mean'])}, "
            f"{share_of(r['exposed_share_p90'])}"
            for r in rows
            if r["exposed_share_mean"] is not None
        )
        + ".",
        views,
        layout(),
        Data(tuple(rows[0]), [tuple(r.get(k) for k in rows[0]) for r in rows]),
        (Control("Show", "select", tuple(title for _, title, _ in measures)),),
        height=400,
        caption="Of what is delivered. The band leaves out the lowest and the highest tenth of the outcomes.",
    )


def _hangs(view: View, study: Study) -> Figure | None:
    """What bad luck of each project costs against good luck."""
    measures = [
        ("cost_at_stake_musd", f"Cost, million {view.instance.currency}", f"M{view.instance.currency}", STAKE),
        ("short_at_stake_t", "Demand short over the horizon, t", "t", 1e-3),
    ]
    views: dict[str, Any] = {}
    choices: list[str] = []
    top: list[Row] = []
    for column, title, unit, least in measures:
        found = [p for p in study.tables["projects"] if p[column] > least]
        shown = sorted(found, key=lambda p: (-p[column], p["option"]))[:15]
        if not shown:
            continue
        top = top or shown
        trace = {
            **BAR,
            "y": list(range(len(shown))),
            "x": [p[column] for p in shown],
            "text": [figure_of(p[column]) for p in shown],
            "marker": {"color": ORANGE, "pattern": pattern(1)},
            "hovertemplate": f"%{{x:,.4~g}} {plain(unit)}<extra></extra>",
        }
        names = [f"{shortened(name_of(view, p['option']), 36)} · fails in {p['fails']:.0%}" for p in shown]
        axis = amounts(title, [p[column] for p in shown])
        views[str(len(choices))] = {"data": [trace], "layout": rungs(names, axis)}
        choices.append(title)
    if not views:
        return None
    return Figure(
        "delivery-stakes",
        f"The plan hangs on {listed([name_of(view, p['option']) for p in top[:3]])}",
        "Bad luck of a project against good luck, means: "
        + "; ".join(
            f"{name_of(view, p['option'])} {view.money(p['cost_at_stake_musd'])}, "
            f"{tonnes_of(max(0.0, p['short_at_stake_t']))} short"
            for p in top[:8]
        )
        + ".",
        views,
        layout(),
        Data(
            ("option", "cost_at_stake_musd", "short_at_stake_t"),
            [(p["option"], p["cost_at_stake_musd"], p["short_at_stake_t"]) for p in study.tables["projects"]],
        ),
        (Control("Show", "select", tuple(choices)),),
        height=views["0"]["layout"]["height"],
        caption="Mean of the outcomes in which a project has worse luck than its median, less the mean of the others. "
        "With few outcomes these differences are rough.",
    )


def _project_table(view: View, projects: Sequence[Row]) -> Table:
    return Table(
        "table-luck",
        "Every project built, and its luck",
        (
            Column("Project"),
            Column("Fails in", "share"),
            Column("Late, years", "number"),
            Column("Capex, times", "number"),
            Column(f"Cost at stake, M{view.instance.currency}", "number"),
            Column("Short at stake, t", "number"),
        ),
        [
            (
                name_of(view, p["option"]),
                p["fails"],
                p["delay_years"],
                p.get("capex_factor"),
                p["cost_at_stake_musd"],
                p["short_at_stake_t"],
            )
            for p in projects
        ],
        folded=len(projects) > 12,
    )


def in_words(view: View, study: Study) -> str:
    """The mean against the plan, and what it hangs on most."""
    about = study.about
    more = about["mean_musd"] - about["planned_musd"]
    text = (
        f"With projects that come late, dear, small or never the plan costs {view.money(abs(more))} "
        f"{'more' if more >= 0 else 'less'} on average than if all goes to plan"
    )
    stakes = [p for p in study.tables["projects"] if p["cost_at_stake_musd"] > STAKE]
    if stakes:
        top = max(stakes, key=lambda p: p["cost_at_stake_musd"])
        text += f"; it hangs most on {name_of(view, top['option'])}"
    return f"{text}."
