"""The plan that is best against outcomes of its projects, beside the plan that trusts that all of them come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...questions.hedge.verdict import Estimate
from ...words import counted, figure_of, listed, rate_of, shortened, tonnes_of
from ..charts import Bar, amounts, lines, ranked
from ..looks import BLUE, ORANGE, Look
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import View

MOST = 15  # bars of a chart; the table holds the rest
SOME = 1e-6  # modules


def section(view: View, study: Shown) -> Section:
    """Both plans on the same outcomes, what is built otherwise, and what each project is worth as insurance."""
    about = study.about
    asked = about["settings"]
    aim = "on average"
    if asked["weight"]:
        aim = f"by {rate_of(asked['weight'])} in the worst {rate_of(1.0 - asked['alpha'])} and by the rest on average"
    lead = [
        f"The hedged plan is the best {aim} against {counted(int(asked['outcomes']), 'outcome')} of the projects, "
        "drawn from their chance of success, delay, overrun and reached size; the trusting one is the best if all come "
        "as planned. Builds are decided before the outcome is known, operations after it."
    ]
    lead += _how_sure(view, about)
    outcomes, builds, insurance = (study.tables[name] for name in ("outcomes", "builds", "insurance"))
    parts: list[Figure | Table | None] = [_outcomes(view, study), _plans(view, study)] if outcomes else []
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


def _outcomes(view: View, study: Shown) -> Figure:
    """Cost and shortage of both plans, their outcomes from the best to the worst."""
    outcomes = study.tables["outcomes"]
    plans = ("trusting", "hedged")
    charts = {}
    for unit, title in (
        ("musd", f"Cost, million {view.instance.currency} present value"),
        ("short_t", "Demand short over the horizon, t"),
    ):
        each = {plan: sorted(float(o[f"{plan}_{unit}"]) for o in outcomes) for plan in plans}
        count = len(outcomes)
        rows = [{"part": (n + 0.5) / count, **{plan: each[plan][n] for plan in plans}} for n in range(count)]
        charts[title] = lines(
            rows, "part", {plan: plan for plan in plans}, hover="%{fullData.name}, %{x:.0%}: %{y:,.4~g}<extra></extra>",
            xaxis={"title": {"text": "outcomes, from the best to the worst", "standoff": 12}, "tickformat": ".0%"},
            yaxis=amounts(title, [v for values in each.values() for v in values]),
            looks={"trusting": Look(ORANGE, dash="dash", size=0), "hedged": Look(BLUE, size=0)},
        )  # fmt: skip
    saved, sure = _saved(view, study)
    better = sum(o["hedged_musd"] < o["trusting_musd"] for o in outcomes)
    trusting, hedged = (_plan(study, name) for name in plans)
    return Figure(
        "hedge-outcomes",
        f"On {counted(len(outcomes), 'other outcome')} the hedged plan {saved}",
        f"Mean cost {view.money(trusting['mean_musd'], 4)} trusting, {view.money(hedged['mean_musd'], 4)} hedged; "
        f"short on average {tonnes_of(trusting['short_t'])} and {tonnes_of(hedged['short_t'])}; the hedged plan is the "
        f"cheaper one in {better} of {len(outcomes)}.",
        charts,
        rows=outcomes,
        caption=f"The same outcomes for both; each line has its own order.{sure}",
    )


def _saved(view: View, study: Shown) -> tuple[str, str]:
    """What the hedged plan saves on average, and the sentence on how sure that is."""
    mean, low, high = (math.nan if x is None else x for x in study.about["saving_musd"])
    sure = ""
    if low == low:
        span = f"{figure_of(low)} and {figure_of(high)} million {view.instance.currency}"
        sure = f" The saving lies with 95% between {span}."
    sign = Estimate(mean, low, high).sign
    if not sign:
        return "does not differ from the trusting one by more than chance", sure
    return f"{'saves' if sign > 0 else 'costs'} {view.money(abs(mean))} {'' if sign > 0 else 'more '}on average", sure


def _plan(study: Shown, name: str) -> Row:
    return next(p for p in study.tables["plans"] if p["plan"] == name)


def _plans(view: View, study: Shown) -> Table:
    worst = rate_of(1.0 - study.about["settings"]["alpha"])
    answered: list[Column] = []
    if any(p.get("answered_musd") is not None for p in study.tables["plans"]):
        answered = [
            Column(f"Mean of the first outcomes, held to the plan, {view.musd}", "held_musd", "number"),
            Column(f"The same, free to answer, {view.musd}", "answered_musd", "number"),
        ]
    return Table(
        "table-hedge-plans",
        "Both plans",
        study.tables["plans"],
        (
            Column("Plan", "plan"),
            Column(f"If all comes as planned, {view.musd}", "planned_musd", "number"),
            Column(f"Mean, {view.musd}", "mean_musd", "number"),
            Column(f"Mean of the worst {worst}, {view.musd}", "mean_of_worst_musd", "number"),
            Column("Short on average, t", "short_t", "number"),
            Column("A promise is broken in", "promise_broken", "share"),
            Column(f"Overnight capex, {view.musd}", "capex_musd", "number"),
            *answered,
        ),
        folded=False,
    )


def _by_size(changed: Sequence[Row]) -> list[Row]:
    return sorted(changed, key=lambda b: (-abs(b["capex_change_musd"]), b["option"]))


def _otherwise(view: View, changed: Sequence[Row]) -> Figure:
    """Overnight capex of what is built otherwise than in the trusting plan, by option."""
    ordered, currency = _by_size(changed), view.instance.currency

    bars = [Bar("gained", "more", Look(BLUE), text=_signed), Bar("lost", "less", Look(ORANGE, "/"), text=_signed)]
    rows = [{**b, ("gained" if b["capex_change_musd"] >= 0 else "lost"): b["capex_change_musd"]} for b in ordered]
    more = sum(b["change"] > 0 for b in changed)
    extra = sum(b["capex_change_musd"] for b in changed)
    return Figure(
        "hedge-builds",
        f"{counted(more, 'option')} built more, {len(changed) - more} less, for {view.money(abs(extra))} "
        f"{'more' if extra >= 0 else 'less'}",
        "Overnight capex against the trusting plan: "
        + "; ".join(f"{view.project(b['option'])} {_signed(b['capex_change_musd'])}" for b in ordered[:8])
        + f", million {currency}.",
        ranked(
            rows,
            lambda b: f"{shortened(view.project(b['option']), 36)} · comes with {b['success_probability']:.0%}",
            bars,
            amounts(f"Overnight capex more, million {currency}", [b["capex_change_musd"] for b in ordered[:MOST]]),
            most=MOST,
        ),
        rows=ordered,
        caption="Against the trusting plan; hatched is less. Comes with: its chance of success.",
    )


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{figure_of(value)}"


def _build_table(view: View, changed: Sequence[Row]) -> Table:
    return Table(
        "table-hedge-builds",
        "Built otherwise",
        _by_size(changed),
        (
            Column("Project", lambda b: view.project(b["option"])),
            Column("Comes with", "success_probability", "share"),
            Column("Modules, trusting", "trusting", "number"),
            Column("Modules, hedged", "hedged", "number"),
            Column(f"Capex beyond the trusting plan's, {view.musd}", "capex_change_musd", "number"),
        ),
    )


def _insurance(view: View, insurance: Sequence[Row]) -> Table:
    return Table(
        "table-insurance",
        "Worth as insurance: by how much the best plan without it is dearer",
        insurance,
        (
            Column("Project", "project"),
            Column(f"Worth, {view.musd}", "worth_musd", "number"),
            Column(f"At least, {view.musd}", "at_least_musd", "number"),
            Column(f"At most, {view.musd}", "at_most_musd", "number"),
            Column(f"Overnight capex more, {view.musd}", "extra_capex_musd", "number"),
        ),
        folded=False,
    )


def in_words(view: View, study: Shown) -> str:
    """What the hedged plan saves, and what it builds more."""
    if not study.tables["outcomes"]:
        return ""
    saved, _ = _saved(view, study)
    text = f"Beside a plan that trusts that all comes as planned, one made against outcomes of its projects {saved}"
    more = _by_size([b for b in study.tables["builds"] if b["change"] > SOME])
    if more:
        text += f"; it builds more of {listed([view.project(b['option']) for b in more[:3]])}"
    return f"{text}."
