"""The plan that is best against outcomes of its projects, beside the plan that trusts that all of them come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...words import counted, figure_of, listed, rate_of, shortened, tonnes_of
from ..parts import (
    BAR,
    BLUE,
    ORANGE,
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
)
from .builds import name_of

if TYPE_CHECKING:
    from ..studies import Row, Study
    from ..view import View

MOST = 15  # bars of a chart; the table holds the rest
SOME = 1e-6  # modules


def section(view: View, study: Study) -> Section:
    """Both plans on the same luck, what is built otherwise, and what each project is worth as insurance."""
    about = study.about
    asked = about["settings"]
    aim = "on average"
    if asked["weight"]:
        aim = f"by {rate_of(asked['weight'])} in the worst {rate_of(1.0 - asked['alpha'])} and by the rest on average"
    lead = [
        f"The hedged plan is the best {aim} against {counted(int(asked['outcomes']), 'outcome')} of the projects, "
        "drawn from their chance of success, delay, overrun and reached size; the trusting one is the best if all come "
        "as planned. Builds are decided before the luck is known, operations after it."
    ]
    lead += _how_sure(view, about)
    outcomes, builds, insurance = (study.tables[name] for name in ("outcomes", "builds", "insurance"))
    parts: list[Figure | Table] = []
    if outcomes:
        parts += [_luck(view, study), _plans(view, study)]
    changed = [b for b in builds if abs(b["change"]) > SOME]
    if changed:
        parts += [_otherwise(view, changed), _build_table(view, changed)]
    else:
        lead.append("Nothing is built otherwise than in the trusting plan.")
    if insurance:
        parts.append(_insurance(view, insurance))
    return Section("hedge", "If the plan does not trust in its projects", lead, parts, "Hedge", study.warnings)


def _how_sure(view: View, about: Row) -> list[str]:
    if about["gap_musd"] is None:
        return []
    text = f"The hedged plan is about {view.money(about['gap_musd'])} from the best plan over all outcomes"
    if about["gap_at_most_musd"] is not None:
        text += f", with 95% at most {view.money(about['gap_at_most_musd'])}"
    return [f"{text}."]


def _luck(view: View, study: Study) -> Figure:
    """Cost and shortage of both plans, their outcomes from the best to the worst."""
    outcomes = study.tables["outcomes"]
    views: dict[str, Any] = {}
    choices: list[str] = []
    for unit, title in (
        ("musd", f"Cost, million {view.instance.currency} present value"),
        ("short_t", "Demand short over the horizon, t"),
    ):
        traces: list[dict[str, Any]] = []
        for plan, colour, dash in (("trusting", ORANGE, "dash"), ("hedged", BLUE, "solid")):
            values = sorted(float(o[f"{plan}_{unit}"]) for o in outcomes)
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": plan,
                    "x": [(n + 0.5) / len(values) for n in range(len(values))],
                    "y": values,
                    "line": {"color": colour, "width": 3, "dash": dash},
                    "hovertemplate": f"{plan}, %{{x:.0%}}: %{{y:,.4~g}}<extra></extra>",
                }
            )
        views[str(len(choices))] = {
            "data": traces,
            "layout": layout(
                xaxis={"title": {"text": "outcomes, from the best to the worst", "standoff": 12}, "tickformat": ".0%"},
                yaxis=amounts(title, [y for t in traces for y in t["y"]]),
                showlegend=True,
            ),
        }
        choices.append(title)
    mean, low, high = study.about["saving_musd"]
    sure = (
        f" With 95% it saves {view.money(low)} to {view.money(high)}." if low is not None and high is not None else ""
    )
    better = sum(o["hedged_musd"] < o["trusting_musd"] for o in outcomes)
    trusting, hedged = (_plan(study, name) for name in ("trusting", "hedged"))
    return Figure(
        "hedge-luck",
        f"On {counted(len(outcomes), 'outcome')} of other luck the hedged plan "
        f"{'saves' if mean >= 0 else 'costs'} {view.money(abs(mean))} {'' if mean >= 0 else 'more '}on average",
        f"Mean cost {view.money(trusting['mean_musd'], 4)} trusting, {view.money(hedged['mean_musd'], 4)} hedged; "
        f"short on average {tonnes_of(trusting['short_t'])} and {tonnes_of(hedged['short_t'])}; the hedged plan is the "
        f"cheaper one in {better} of {len(outcomes)}.",
        views,
        layout(),
        Data(tuple(outcomes[0]), [tuple(o.values()) for o in outcomes]),
        (Control("Show", "select", tuple(choices)),),
        height=380,
        caption=f"The same luck for both; each line has its own order.{sure}",
    )


def _plan(study: Study, name: str) -> Row:
    return next(p for p in study.tables["plans"] if p["plan"] == name)


def _plans(view: View, study: Study) -> Table:
    money = f"M{view.instance.currency}"
    return Table(
        "table-hedge-plans",
        "Both plans",
        (
            Column("Plan"),
            Column(f"If all comes as planned, {money}", "number"),
            Column(f"Mean, {money}", "number"),
            Column(f"Mean of the worst {rate_of(1.0 - study.about['settings']['alpha'])}, {money}", "number"),
            Column("Short on average, t", "number"),
            Column("A promise is broken in", "share"),
            Column(f"Overnight capex, {money}", "number"),
        ),
        [
            (
                p["plan"],
                p["planned_musd"],
                p["mean_musd"],
                p["mean_of_worst_musd"],
                p["short_t"],
                p["promise_broken"],
                p["capex_musd"],
            )
            for p in study.tables["plans"]
        ],
    )


def _by_size(changed: Sequence[Row]) -> list[Row]:
    return sorted(changed, key=lambda b: (-abs(b["capex_change_musd"]), b["option"]))


def _otherwise(view: View, changed: Sequence[Row]) -> Figure:
    shown = _by_size(changed)[:MOST]
    currency = view.instance.currency
    values = [b["capex_change_musd"] for b in shown]
    trace = {
        **BAR,
        "y": list(range(len(shown))),
        "x": values,
        "text": [_signed(v) for v in values],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {
            "color": [BLUE if v >= 0 else ORANGE for v in values],
            "pattern": {**pattern(1), "shape": ["" if v >= 0 else "/" for v in values]},
        },
        "hovertemplate": f"%{{x:+,.4~g}} M{plain(currency)}<extra></extra>",
    }
    names = [f"{shortened(name_of(view, b['option']), 36)} · comes with {b['success_probability']:.0%}" for b in shown]
    more = sum(b["change"] > 0 for b in changed)
    extra = sum(b["capex_change_musd"] for b in changed)
    drawn = rungs(names, amounts(f"Overnight capex more, million {currency}", values))
    return Figure(
        "hedge-builds",
        f"{counted(more, 'option')} built more, {len(changed) - more} less, for {view.money(abs(extra))} "
        f"{'more' if extra >= 0 else 'less'}",
        "Overnight capex against the trusting plan: "
        + "; ".join(f"{name_of(view, b['option'])} {_signed(b['capex_change_musd'])}" for b in shown[:8])
        + f", million {currency}.",
        {"": [trace]},
        drawn,
        Data(tuple(changed[0]), [tuple(b.values()) for b in _by_size(changed)]),
        height=drawn["height"],
        caption="Against the trusting plan; hatched is less. Comes with: its chance of success.",
    )


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{figure_of(value)}"


def _build_table(view: View, changed: Sequence[Row]) -> Table:
    return Table(
        "table-hedge-builds",
        "Built otherwise",
        (
            Column("Project"),
            Column("Comes with", "share"),
            Column("Modules, trusting", "number"),
            Column("Modules, hedged", "number"),
            Column(f"Capex beyond the trusting plan's, M{view.instance.currency}", "number"),
        ),
        [
            (name_of(view, b["option"]), b["success_probability"], b["trusting"], b["hedged"], b["capex_change_musd"])
            for b in _by_size(changed)
        ],
        folded=len(changed) > 12,
    )


def _insurance(view: View, insurance: Sequence[Row]) -> Table:
    money = f"M{view.instance.currency}"
    return Table(
        "table-insurance",
        "Worth as insurance: by how much the best plan without it is dearer",
        (
            Column("Project"),
            Column(f"Worth, {money}", "number"),
            Column(f"At least, {money}", "number"),
            Column(f"At most, {money}", "number"),
            Column(f"Overnight capex more, {money}", "number"),
        ),
        [
            (str(i["project"]), i["worth_musd"], i["at_least_musd"], i["at_most_musd"], i["extra_capex_musd"])
            for i in insurance
        ],
    )


def in_words(view: View, study: Study) -> str:
    """What the hedged plan saves, and what it builds more."""
    if not study.tables["outcomes"]:
        return ""
    mean = study.about["saving_musd"][0]
    text = (
        f"A plan made against outcomes of its projects costs {view.money(abs(mean))} {'less' if mean >= 0 else 'more'} "
        "on average than one that trusts that all come as planned"
    )
    more = _by_size([b for b in study.tables["builds"] if b["change"] > SOME])
    if more:
        text += f"; it builds more of {listed([name_of(view, b['option']) for b in more[:3]])}"
    return f"{text}."
