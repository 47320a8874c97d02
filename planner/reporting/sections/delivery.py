"""A plan in many outcomes of its projects: what it costs, how exposed it is, and which projects it hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...language import _, n_
from ...words import commas, figure_of, full_stop, listed, percent_of, rate_of, share_of, shortened, told, tonnes_of
from ..charts import Chart, amounts, fan, plain, spread
from ..looks import ORANGE, Look
from ..parts import Column, Figure, Section, Table
from ..ranked import Bar, ranked

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import View

STAKE = 1e-6  # MUSD


def section(view: View, study: Shown) -> Section:
    """Distribution of the cost, exposure by year, and what the plan hangs on."""
    about = study.about
    lead = [
        _(
            "{outcomes} of the projects, drawn from their chance of success, delay, overrun and "
            "reached size; the builds are the plan's, and only operations answer. It costs {amount} "
            "on average, {worst} in the worst {rate}, {planned} if all goes to plan. Caps hold "
            "in every outcome, and shortage pays.",
            outcomes=n_("{n} outcome", "{n} outcomes", int(about["samples"])),
            amount=view.money(about["mean_musd"], 4),
            worst=view.money(about["mean_of_worst_musd"], 4),
            rate=rate_of(1.0 - about["alpha"]),
            planned=view.money(about["planned_musd"], 4),
        )
    ]
    broken = [s.get("promise_broken") for s in study.tables["samples"]]
    if any(broken):
        share = share_of(sum(map(bool, broken)) / len(broken))
        lead.append(
            _("In {share} of the outcomes a service floor, least use or final stock cannot be kept.", share=share)
        )
    parts = [
        _cost_chart(view, study) if study.tables["samples"] else None,
        _fan(study),
        _hangs(view, study),
        _project_table(view, study.tables["projects"]),
    ]
    title = _("If projects come late, dear, small or never")
    return Section("delivery", title, lead, parts, _("Delivery risk"), study.warnings)


def _cost_chart(view: View, study: Shown) -> Figure:
    """How often the outcomes reach which cost, shortage and exposed share."""
    about, samples = study.about, study.tables["samples"]
    worst = _("mean of the worst {rate}", rate=rate_of(1.0 - about["alpha"]))
    marks = [(_("as planned"), "planned_musd"), (_("mean"), "mean_musd"), (worst, "mean_of_worst_musd")]
    title = _("Cost, million {currency} present value", currency=view.instance.currency)
    charts = {
        title: spread(
            samples, "cost_musd", title, [(name, float(about[key]), figure_of(about[key], 4)) for name, key in marks]
        )
    }
    for column, title, form in (
        ("short_t", _("Demand short over the horizon, t"), ",~s"),
        ("exposed_share", _("Exposed share of all deliveries"), ".1%"),
    ):
        known = [float(s[column]) for s in samples if s[column] is not None]
        if known and max(known) - min(known) > 1e-9:
            mean = sum(known) / len(known)
            said = share_of(mean) if "%" in form else figure_of(mean, 4)
            charts[title] = spread(samples, column, title, [(_("mean"), mean, said)], form=form)
    over = sum(s["cost_musd"] > about["planned_musd"] for s in samples)
    more = about["mean_musd"] - about["planned_musd"]
    told_mean = {"share": share_of(over / len(samples)), "amount": view.money(abs(more))}
    costs = [s["cost_musd"] for s in samples]
    summary = _(
        "Cost: {least} to {most}; mean {mean}, {worst} {amount}.",
        least=view.money(min(costs), 4),
        most=view.money(max(costs), 4),
        mean=view.money(about["mean_musd"], 4),
        worst=worst,
        amount=view.money(about["mean_of_worst_musd"], 4),
    )
    answered = [s["answered_musd"] for s in samples if s.get("answered_musd") is not None]
    if answered:
        amount = view.money(sum(answered) / len(answered), 4)
        summary = _(
            "{text} All this is held to the plan; free to answer the mean is {amount}.", text=summary, amount=amount
        )
    return Figure(
        "delivery-cost",
        _("{share} of the outcomes cost more than planned; the mean is {amount} dearer", **told_mean)
        if more >= 0
        else _("{share} of the outcomes cost more than planned; the mean is {amount} cheaper", **told_mean),
        summary,
        charts,
    )


def _fan(study: Shown) -> Figure:
    """Exposure and shortage by year: the middle four fifths of the outcomes, the mean, the plan."""
    rows = study.tables["years"]
    measures = [("exposed_share", _("Exposed share"), ".0%", "%{y:.1%}")]
    if any((r.get("short_t_p90") or r["short_t_mean"]) > 1e-3 for r in rows):
        measures.append(("short_t", _("Demand short, t a year"), ",~g", "%{y:,.4~g}"))
    charts = {}
    for name, title, form, hover in measures:
        axis = {"title": {"text": title}, "tickformat": form, "rangemode": "tozero"}
        low, high, mean, planned = (f"{name}_{part}" for part in ("p10", "p90", "mean", "planned"))
        charts[title] = fan(rows, "year", low, high, mean, planned, axis, hover=hover)
    last = rows[-1]
    title = _("Nothing is delivered in the last year")
    if last["exposed_share_mean"] is not None:
        title = _(
            "In {year} {share} of what is delivered is exposed on average",
            year=last["year"],
            share=share_of(last["exposed_share_mean"]),
        )
        if last.get("exposed_share_planned") is not None:
            title = _("{text}, {share} as planned", text=title, share=share_of(last["exposed_share_planned"]))
    each = [
        f"{r['year']} {commas(share_of(r[f'exposed_share_{part}']) for part in ('p10', 'mean', 'p90'))}"
        for r in rows
        if r["exposed_share_mean"] is not None
    ]
    return Figure(
        "delivery-fan",
        title,
        told(_("Exposed share, a tenth below, mean, a tenth above"), each),
        charts,
        caption=_("Of what is delivered. The band leaves out the lowest and the highest tenth of the outcomes."),
    )


def _hangs(view: View, study: Shown) -> Figure | None:
    """What a bad outcome of each project costs against a good one."""
    charts: dict[str, Chart] = {}
    for column, title, unit, least in (
        ("cost_at_stake_musd", _("Cost, million {currency}", currency=view.instance.currency), view.musd, STAKE),
        ("short_at_stake_t", _("Demand short over the horizon, t"), "t", 1e-3),
    ):
        found = [p for p in study.tables["projects"] if p[column] > least]
        found.sort(key=lambda p: (-p[column], p["option"]))
        bar = Bar(column, look=Look(ORANGE, "/"), text=figure_of, says=f"%{{x:,.4~g}} {plain(unit)}")
        if found:
            charts[title] = ranked(
                found,
                lambda p: _(
                    "{project} · fails in {share}",
                    project=shortened(view.project(p["option"]), 36),
                    share=percent_of(p["fails"]),
                ),
                [bar],
                amounts(title, [p[column] for p in found[:15]]),
            )
    if not charts:
        return None
    top = next(iter(charts.values())).rows
    each = [
        _(
            "{project} {amount}, {tonnes} short",
            project=view.project(p["option"]),
            amount=view.money(p["cost_at_stake_musd"]),
            tonnes=tonnes_of(max(0.0, p["short_at_stake_t"])),
        )
        for p in top[:8]
    ]
    return Figure(
        "delivery-stakes",
        _("The plan hangs on {names}", names=listed([view.project(p["option"]) for p in top[:3]])),
        told(_("Bad outcomes of a project against good ones, means"), each),
        charts,
        columns="option cost_at_stake_musd short_at_stake_t",
        rows=study.tables["projects"],
        caption=_(
            "Mean of the outcomes in which a project does worse than its median, less the mean of the others. "
            "With few outcomes these differences are rough."
        ),
    )


def _project_table(view: View, projects: Sequence[Row]) -> Table:
    return Table(
        "table-delivered",
        _("Every project built, and its outcomes"),
        projects,
        (
            Column(_("Project"), lambda p: view.project(p["option"])),
            Column(_("Fails in"), "fails", "share"),
            Column(_("Late, years"), "delay_years", "number"),
            Column(_("Capex, times"), "capex_factor", "number"),
            Column(_("Cost at stake, {unit}", unit=view.musd), "cost_at_stake_musd", "number"),
            Column(_("Short at stake, t"), "short_at_stake_t", "number"),
        ),
    )


def in_words(view: View, study: Shown) -> str:
    """The mean against the plan, and what it hangs on most."""
    about = study.about
    more = about["mean_musd"] - about["planned_musd"]
    text = _(
        "With projects that come late, dear, small or never the plan costs {amount} more on average than if all goes "
        "to plan"
    )
    if more < 0:
        text = _(
            "With projects that come late, dear, small or never the plan costs {amount} less on average than if all "
            "goes to plan"
        )
    text = text.format(amount=view.money(abs(more)))
    stakes = [p for p in study.tables["projects"] if p["cost_at_stake_musd"] > STAKE]
    if stakes:
        top = max(stakes, key=lambda p: p["cost_at_stake_musd"])
        text = _("{sentence}; it hangs most on {project}", sentence=text, project=view.project(top["option"]))
    return full_stop(text)
