"""The plan that is best against outcomes of its projects, beside the plan that trusts that all of them come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...language import N_, _, n_, translated
from ...questions.hedge.result import ANSWERED
from ...questions.hedge.verdict import Estimate
from ...words import figure_of, full_stop, listed, percent_of, rate_of, semicolons, shortened, tonnes_of
from ..charts import amounts, lines
from ..looks import BLUE, ORANGE, Look
from ..parts import Column, Figure, Section, Table
from ..ranked import Bar, ranked

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import View

MOST = 15  # bars of a chart; the table holds the rest
SOME = 1e-6  # modules


def section(view: View, study: Shown) -> Section:
    """Both plans on the same outcomes, what is built otherwise, and what each project is worth as insurance."""
    about = study.about
    asked = about["settings"]
    aim = _("on average")
    if asked["weight"]:
        aim = _(
            "by {weight} in the worst {rate} and by the rest on average",
            weight=rate_of(asked["weight"]),
            rate=rate_of(1.0 - asked["alpha"]),
        )
    lead = [
        _(
            "The hedged plan is the best {aim} against {outcomes} of the projects, drawn from their "
            "chance of success, delay, overrun and reached size; the trusting one is the best if all "
            "come as planned. Builds are decided before the outcome is known, operations after it.",
            aim=aim,
            outcomes=n_("{n} outcome", "{n} outcomes", int(asked["outcomes"])),
        )
    ]
    if (year := about["design"].get("answers_from")) is not None:
        lead = [
            _(
                "The hedged plan is the best {aim} against {outcomes} of the projects, drawn from their chance of "
                "success, delay, overrun and reached size, if each may be answered; the trusting one is the best if "
                "all come as planned. What starts before {year} is decided before the outcome is known; what starts "
                "{years} after the news, or later, is decided for each outcome, and so are operations. The news comes "
                "when the first project that an outcome hits should have come online.",
                aim=aim,
                outcomes=n_("{n} outcome", "{n} outcomes", int(asked["outcomes"])),
                year=year,
                years=n_("{n} year", "{n} years", int(asked["rebuild_after"])),
            )
        ]
    lead += _how_sure(view, about)
    outcomes, builds, insurance = (study.tables[name] for name in ("outcomes", "builds", "insurance"))
    parts: list[Figure | Table | None] = [_outcomes(view, study), _plans(view, study)] if outcomes else []
    changed = [b for b in builds if abs(b["change"]) > SOME]
    if changed:
        parts += [_otherwise(view, changed), _build_table(view, changed)]
    else:
        lead.append(_("Nothing is built otherwise than in the trusting plan."))
    if insurance:
        parts.append(_insurance(view, insurance))
    return Section("hedge", _("If the plan does not trust in its projects"), lead, parts, _("Hedge"), study.warnings)


def _how_sure(view: View, about: Row) -> list[str]:
    if about["gap_musd"] is None:
        return []
    text = _(
        "The hedged plan is about {amount} from the best plan over all outcomes", amount=view.money(about["gap_musd"])
    )
    if about["gap_at_most_musd"] is not None:
        text = _("{sentence}, with 95% at most {amount}", sentence=text, amount=view.money(about["gap_at_most_musd"]))
    return [full_stop(text)]


def _outcomes(view: View, study: Shown) -> Figure:
    """Cost and shortage of both plans, their outcomes from the best to the worst."""
    outcomes = study.tables["outcomes"]
    plans = (N_("trusting"), N_("hedged"))
    charts = {}
    for unit, title in (
        ("musd", _("Cost, million {currency} present value", currency=view.instance.currency)),
        ("short_t", _("Demand short over the horizon, t")),
    ):
        each = {plan: sorted(float(o[f"{plan}_{unit}"]) for o in outcomes) for plan in plans}
        count = len(outcomes)
        rows = [{"part": (n + 0.5) / count, **{plan: each[plan][n] for plan in plans}} for n in range(count)]
        charts[title] = lines(
            rows, "part", {plan: translated(plan) for plan in plans},
            hover="%{fullData.name}, %{x:.0%}: %{y:,.4~g}<extra></extra>",
            xaxis={"title": {"text": _("outcomes, from the best to the worst"), "standoff": 12}, "tickformat": ".0%"},
            yaxis=amounts(title, [v for values in each.values() for v in values]),
            looks={_("trusting"): Look(ORANGE, dash="dash", size=0), _("hedged"): Look(BLUE, size=0)},
        )  # fmt: skip
    saved, sure = _saved(view, study)
    better = sum(o["hedged_musd"] < o["trusting_musd"] for o in outcomes)
    trusting, hedged = (_plan(study, name) for name in plans)
    title = n_(
        "On {n} other outcome the hedged plan {saved}",
        "On {n} other outcomes the hedged plan {saved}",
        len(outcomes),
        saved=saved,
    )
    if hedged.get("answered_musd") is not None:
        title = n_(
            "Free to answer, the hedged plan {saved} on {n} other outcome",
            "Free to answer, the hedged plan {saved} on {n} other outcomes",
            min(ANSWERED, len(outcomes)),
            saved=saved,
        )
        sure += _(" In the chart nobody answers: each plan is held to all that it starts.")
    return Figure(
        "hedge-outcomes",
        title,
        _(
            "Mean cost {trusting} trusting, {hedged} hedged; short on average {trusting_t} and "
            "{hedged_t}; the hedged plan is the cheaper one in {better} of {n}.",
            trusting=view.money(trusting["mean_musd"], 4),
            hedged=view.money(hedged["mean_musd"], 4),
            trusting_t=tonnes_of(trusting["short_t"]),
            hedged_t=tonnes_of(hedged["short_t"]),
            better=better,
            n=len(outcomes),
        ),
        charts,
        rows=outcomes,
        caption=_("The same outcomes for both; each line has its own order.{sure}", sure=sure),
    )


def _saved(view: View, study: Shown) -> tuple[str, str]:
    """What the hedged plan saves on average, and the sentence on how sure that is."""
    mean, low, high = (math.nan if x is None else x for x in study.about["saving_musd"])
    sure = ""
    if low == low:
        sure = _(
            " The saving lies with 95% between {low} and {high} million {currency}.",
            low=figure_of(low),
            high=figure_of(high),
            currency=view.instance.currency,
        )
    sign = Estimate(mean, low, high).sign
    if not sign:
        return _("does not differ from the trusting one by more than chance"), sure
    amount = view.money(abs(mean))
    saved = (
        _("saves {amount} on average", amount=amount)
        if sign > 0
        else _("costs {amount} more on average", amount=amount)
    )
    return saved, sure


def _plan(study: Shown, name: str) -> Row:
    return next(p for p in study.tables["plans"] if p["plan"] == name)


def _plans(view: View, study: Shown) -> Table:
    worst = rate_of(1.0 - study.about["settings"]["alpha"])
    answered: list[Column] = []
    if any(p.get("answered_musd") is not None for p in study.tables["plans"]):
        answered = [
            Column(_("Mean of those answered, held to the plan, {unit}", unit=view.musd), "held_musd", "number"),
            Column(_("The same, free to answer, {unit}", unit=view.musd), "answered_musd", "number"),
        ]
    return Table(
        "table-hedge-plans",
        _("Both plans"),
        study.tables["plans"],
        (
            Column(_("Plan"), lambda p: translated(p["plan"])),
            Column(_("If all comes as planned, {unit}", unit=view.musd), "planned_musd", "number"),
            Column(_("Mean, {unit}", unit=view.musd), "mean_musd", "number"),
            Column(_("Mean of the worst {worst}, {unit}", worst=worst, unit=view.musd), "mean_of_worst_musd", "number"),
            Column(_("Short on average, t"), "short_t", "number"),
            Column(_("A promise is broken in"), "promise_broken", "share"),
            Column(_("Overnight capex, {unit}", unit=view.musd), "capex_musd", "number"),
            *answered,
        ),
        folded=False,
    )


def _by_size(changed: Sequence[Row]) -> list[Row]:
    return sorted(changed, key=lambda b: (-abs(b["capex_change_musd"]), b["option"]))


def _otherwise(view: View, changed: Sequence[Row]) -> Figure:
    """Overnight capex of what is built otherwise than in the trusting plan, by option."""
    ordered, currency = _by_size(changed), view.instance.currency

    bars = [Bar("gained", _("more"), Look(BLUE), text=_signed), Bar("lost", _("less"), Look(ORANGE, "/"), text=_signed)]
    rows = [{**b, ("gained" if b["capex_change_musd"] >= 0 else "lost"): b["capex_change_musd"]} for b in ordered]
    more = sum(b["change"] > 0 for b in changed)
    extra = sum(b["capex_change_musd"] for b in changed)
    return Figure(
        "hedge-builds",
        (
            _("{options} built more, {less} less, for {amount} more")
            if extra >= 0
            else _("{options} built more, {less} less, for {amount} less")
        ).format(
            options=n_("{n} option", "{n} options", more), less=len(changed) - more, amount=view.money(abs(extra))
        ),
        _(
            "Overnight capex against the trusting plan: {parts}, million {currency}.",
            parts=semicolons(f"{view.project(b['option'])} {_signed(b['capex_change_musd'])}" for b in ordered[:8]),
            currency=currency,
        ),
        ranked(
            rows,
            lambda b: _(
                "{project} · comes with {share}",
                project=shortened(view.project(b["option"]), 36),
                share=percent_of(b["success_probability"]),
            ),
            bars,
            amounts(
                _("Overnight capex more, million {currency}", currency=currency),
                [b["capex_change_musd"] for b in ordered[:MOST]],
            ),
            most=MOST,
        ),
        rows=ordered,
        caption=_("Against the trusting plan; hatched is less. Comes with: its chance of success."),
    )


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{figure_of(value)}"


def _build_table(view: View, changed: Sequence[Row]) -> Table:
    return Table(
        "table-hedge-builds",
        _("Built otherwise"),
        _by_size(changed),
        (
            Column(_("Project"), lambda b: view.project(b["option"])),
            Column(_("Comes with"), "success_probability", "share"),
            Column(_("Modules, trusting"), "trusting", "number"),
            Column(_("Modules, hedged"), "hedged", "number"),
            Column(_("Capex beyond the trusting plan's, {unit}", unit=view.musd), "capex_change_musd", "number"),
        ),
    )


def _insurance(view: View, insurance: Sequence[Row]) -> Table:
    return Table(
        "table-insurance",
        _("Worth as insurance: by how much the best plan without it is dearer"),
        insurance,
        (
            Column(_("Project"), "project"),
            Column(_("Worth, {unit}", unit=view.musd), "worth_musd", "number"),
            Column(_("At least, {unit}", unit=view.musd), "at_least_musd", "number"),
            Column(_("At most, {unit}", unit=view.musd), "at_most_musd", "number"),
            Column(_("Overnight capex more, {unit}", unit=view.musd), "extra_capex_musd", "number"),
        ),
        folded=False,
    )


def in_words(view: View, study: Shown) -> str:
    """What the hedged plan saves, and what it builds more."""
    if not study.tables["outcomes"]:
        return ""
    saved, _sure = _saved(view, study)
    text = _(
        "Beside a plan that trusts that all comes as planned, one made against outcomes of its projects {saved}",
        saved=saved,
    )
    more = _by_size([b for b in study.tables["builds"] if b["change"] > SOME])
    if more:
        text = _(
            "{sentence}; it builds more of {names}",
            sentence=text,
            names=listed([view.project(b["option"]) for b in more[:3]]),
        )
    return full_stop(text)
