"""A plan in a page of text: cost, builds, dependence, shortages, what binds."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..bands import ROUNDING
from ..instance.limits import limit_in_words, unit_of
from ..language import N_, _, number, p_, translated
from ..runs.tables import component_in_words
from ..words import commas, figure_of, in_currency, percent_of, share_of
from .legend import plain

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..runs.run import Run


CLOSED = (N_("idle"), N_("retire"))  # kinds of closures
WORTH_SHOWING = 1e-6  # of the whole cost; the least-exposure step may leave less than that in any component


class Teller(Console):
    """A terminal, or a file, on which money has the name of the currency of an instance."""

    def __init__(self, currency: str, **look: Any) -> None:
        super().__init__(highlight=False, soft_wrap=True, **look)
        self.currency = currency

    def print(self, *told: Any, **more: Any) -> None:
        super().print(*(in_currency(t, self.currency) if isinstance(t, str) else t for t in told), **more)


def summary(plan: Run) -> str:
    """Return the summary of a plan as text."""
    text = io.StringIO()
    show(plan.instance, plan, plan.path, file=text, width=120, color_system=None, force_jupyter=False)
    return text.getvalue().rstrip("\n")


def show(instance: Instance, plan: Run, folder: Path | None, **look: Any) -> None:
    """Print the summary of a plan and, if it has a folder, where its run lies; ``look`` is that of `rich.Console`."""
    out = Teller(instance.currency, **look)
    out.print(f"[bold]{escape(instance.title or instance.name)}[/bold]")
    out.print(
        _(
            "{amount} MUSD present value ({proven}; {currency} of {price_year}, {rate} discount rate)",
            amount=figure_of(plan.objective_musd, 6),
            proven=_proven(plan),
            currency=instance.currency,
            price_year=instance.price_year,
            rate=number(f"{instance.discount_rate:.3g}"),
        )
    )
    _stakes(plan, out)
    _terms(plan, out)
    _costs(plan, out)
    _builds(plan, out)
    _answers(plan, out)
    _closures(plan, out)
    _dependence(instance, plan, out)
    _shortages(plan, out)
    _replaced(plan, out)
    _sold(plan, out)
    _impacts(instance, plan, out)
    _outlays(plan, out)
    _binding(instance, plan, out)
    if "audit" in plan.plan:
        out.print(_("Audit: recomputed from the raw tables, no violation."))
    for note in plan.plan["notes"]:
        out.print(_("Note: {note}", note=escape(note)))
    if folder is not None:
        out.print(_("Run: {folder}", folder=escape(str(folder))))


def _proven(plan: Run) -> str:
    """How near to the best plan it is."""
    gap = plan.plan["gap"]
    if plan.plan["settings"].get("relaxed"):
        return _("the linear relaxation: a lower bound, no plan")
    if gap < 5e-7:
        return _("proven optimal")
    above = {"share": share_of(gap, 2), "amount": figure_of(plan.objective_musd - plan.searched.bound)}
    if plan.status == "optimal":
        return _("at most {share} ({amount} MUSD) above the optimum", **above)
    return _("not proven optimal, at most {share} ({amount} MUSD) above the optimum", **above)


def _stakes(plan: Run, out: Console) -> None:
    """What all optional projects save together, beside which a gap is to be read."""
    without = plan.plan.get("without_projects_musd")
    if without is None:
        return
    saved, open_ = without - plan.objective_musd, plan.objective_musd - plan.searched.bound
    if saved <= ROUNDING * abs(without):
        text = _(
            "No optional project pays in this plan: without any the cost is {amount} MUSD", amount=figure_of(without, 6)
        )
        if open_ > ROUNDING * abs(without):
            may = figure_of(open_)
            text = _("{sentence}, but by the gap up to {amount} MUSD may be saved", sentence=text, amount=may)
        out.print(text)
        return
    text = _(
        "All optional projects together save {amount} MUSD (without them {without})",
        amount=figure_of(saved, 4),
        without=figure_of(without, 6),
    )
    if open_ > 0.01 * saved:
        text = _("{sentence}; the gap is {share} of that", sentence=text, share=share_of(open_ / saved))
    out.print(text)


def _terms(plan: Run, out: Console) -> None:
    """What the plan was made for and what was held, where that is not the least cost of all plans."""
    from ..solving.aims import AIMS
    from ..solving.pins import in_words

    if asked := plan.plan["settings"].get("objective"):
        least, aim = plan.plan["stages"][:2]
        text = _(
            "Not the cheapest plan ({least} MUSD): the one with the least {aim} for at most {ceiling} MUSD: {value} "
            "({measured})",
            least=number(f"{least['value']:,.6g}"),
            aim=translated(asked["name"]),
            ceiling=number(f"{aim['ceiling_musd']:,.6g}"),
            value=number(f"{aim['value']:,.6g}"),
            measured=translated(AIMS[asked["name"]]),
        )
        if aim["bound"] < 0.999 * aim["value"]:
            bound = number(f"{max(0.0, aim['bound']):,.6g}")
            text = _("{sentence}; no plan has less than {bound}", sentence=text, bound=bound)
        out.print(text)
    if held := in_words(plan.plan["settings"].get("pins")):
        out.print(_("Not all builds were free; the best plan with {held}", held=escape(held)))


def _costs(plan: Run, out: Console) -> None:
    costs = plan.metrics["cost_musd"]
    whole = sum(x for x in costs.values() if x > 0.0)  # without credits, which can leave next to nothing of the whole
    parts = sorted(((c, x) for c, x in costs.items() if abs(x) > WORTH_SHOWING * whole), key=lambda part: -part[1])
    if parts:
        told = []
        for component, musd in parts:
            said = f"{component_in_words(component)} {figure_of(musd, 4)}"
            told.append(f"{said} ({percent_of(musd / whole)})" if musd > 0.0 else said)
        out.print(_("{head}: {parts}", head=_("Cost"), parts=commas(told)))


def _builds(plan: Run, out: Console) -> None:
    builds: dict[str, list[Any]] = defaultdict(list)  # option -> its starts, the earliest first
    for row in plan.tables.rows("builds"):
        builds[row.option].append(row)
    if not builds:
        out.print(_("Builds: none"))
        return
    out.print(_("Builds ({amount} MUSD overnight):", amount=figure_of(plan.metrics["capex_musd"], 6)))
    named = {o.option: o.name for o in plan.instance.options}
    for option, rows in sorted(builds.items(), key=lambda of: min(row.start_year for row in of[1])):
        starts = commas(_("{year} {tonnes} t", year=r.start_year, tonnes=figure_of(r.capacity_t, 4)) for r in rows)
        called = option if plain(option) == plain(named[option]) else f"{named[option]} ({option})"
        out.print(escape(f"  {called}: {starts}"), soft_wrap=True)


def _answers(plan: Run, out: Console) -> None:
    """What branches that may build start otherwise than the course that they leave."""
    answers = {scenario: more for scenario, more in plan.answers.items() if more}
    if answers:
        out.print(_("Built otherwise in branches (modules):"))
    for scenario, more in answers.items():
        told = commas(f"{option}@{year} {n:+g}" for (option, year), n in more.items())
        out.print(f"  {escape(scenario)}: {escape(told)}", soft_wrap=True)


def _closures(plan: Run, out: Console) -> None:
    """What is given up of plants' own capacity; nothing unless closures.csv allows it."""
    closures: dict[int, list[Any]] = defaultdict(list)
    for row in plan.tables.rows("closures"):
        closures[row.year].append(row)
    if not closures:
        return
    out.print(_("Closed (own capacity, idle or retired until then):"))
    for year, rows in sorted(closures.items()):
        names = commas(
            _("{name} {tonnes} t {kind}", name=r.facility, tonnes=figure_of(r.closed_t, 4), kind=translated(r.kind))
            for r in rows
        )
        out.print(f"  {year}: {escape(names)}", soft_wrap=True)


def _dependence(instance: Instance, plan: Run, out: Console) -> None:
    out.print(_("Dependence on countries of concern, of this chain"))
    table = Table(box=None)
    table.add_column(_("year"))
    table.add_column(_("traced"), justify="right")
    for stage in instance.stages:
        table.add_column(escape(stage), justify="right")
    for year in (str(y) for y in instance.years):
        shares = [plan.metrics["exposed_share"][year]]
        shares += [plan.metrics["stage_share"][stage][year] for stage in instance.stages]
        table.add_row(year, *("-" if s is None else share_of(s) for s in shares))
    out.print(table)


def _shortages(plan: Run, out: Console) -> None:
    short = {y: t for y, t in plan.metrics["short_t"].items() if t > 0.5e-3}
    if not short:
        out.print(_("Shortages: none"))
        return
    demand = plan.metrics["demand_t"]
    told = (
        _("{year} {tonnes} t ({share})", year=y, tonnes=figure_of(t, 4), share=share_of(t / demand[y]))
        for y, t in short.items()
    )
    out.print(_("{head}: {parts}", head=_("Shortages"), parts=commas(told)))


def _impacts(instance: Instance, plan: Run, out: Console) -> None:
    """What the plan causes of each impact, by year; nothing unless the instance has some."""
    for impact in instance.impacts:
        by_year: Counter[int] = Counter()
        for row in plan.tables.rows("impact_totals"):
            if row.impact == impact.impact:
                by_year[row.year] += row.units
        told = commas(f"{year} {figure_of(units, 4)}" for year, units in sorted(by_year.items()))
        text = _("{impact}, {unit} a year: {parts}", impact=impact.name, unit=impact.unit, parts=told or _("none"))
        out.print(escape(text), soft_wrap=True)


def _sold(plan: Run, out: Console) -> None:
    """What is sold to buyers, and what that earns, by year; nothing unless the instance has some."""
    if "sales" not in plan.tables:
        return
    sold: Counter[int] = Counter()
    earned: Counter[int] = Counter()
    for row in plan.tables.rows("sales"):
        sold[row.year] += row.t
        earned[row.year] += row.revenue_musd
    told = commas(
        _(
            "{year} {tonnes} t for {amount} MUSD",
            year=year,
            tonnes=figure_of(t, 4),
            amount=figure_of(earned[year], 4),
        )
        for year, t in sorted(sold.items())
    )
    out.print(_("Sold a year: {parts}", parts=told or _("nothing")))


def _replaced(plan: Run, out: Console) -> None:
    """What substitutes replace, by year; nothing unless the instance has some."""
    if "substitution" not in plan.tables:
        return
    replaced: Counter[tuple[int, str]] = Counter()
    for row in plan.tables.rows("substitution"):
        replaced[row.year, row.substitute] += row.t
    told = commas(
        _("{year} {name} {tonnes} t", year=year, name=name, tonnes=figure_of(t, 4))
        for (year, name), t in sorted(replaced.items())
        if t > 0.5e-3
    )
    out.print(escape(_("Replaced by substitutes: {parts}", parts=told or _("nothing"))), soft_wrap=True)


def _outlays(plan: Run, out: Console) -> None:
    from ..runs.outlays import by_payer, settled_against

    payers = by_payer(plan.tables)
    if not payers:
        return
    out.print(_("Outlays beside the cost, MUSD (price floors, offtakes; below 0 the payer gains):"))
    for payer, years in payers.items():
        total = sum(musd * plan.lengths[year] for year, musd in years.items())
        least, most = figure_of(min(years.values()), 4), figure_of(max(years.values()), 4)
        span = f"{min(years)}-{max(years)}" if len(years) > 1 else f"{min(years)}"
        yearly = least if least == most else _("{least} to {most}", least=least, most=most)
        against = p_("between conditions", " and ").join(
            _("the price of {market}", market=market)
            if market
            else _("the plan's own marginal price (no market is named)")
            for market in sorted(settled_against(plan.tables, payer))
        )
        told = _(
            "{payer}: {amount} a year in {span}, {total} in all, against {against}",
            payer=payer,
            amount=yearly,
            span=span,
            total=figure_of(total, 4),
            against=against,
        )
        out.print(escape(f"  {told}"), soft_wrap=True)


def _binding(instance: Instance, plan: Run, out: Console) -> None:
    rows = [row for row in plan.tables.rows("dependence") if row.cap]
    binding = [row for row in rows if row.marginal_musd_per_point > 1e-9]
    if not binding:
        if rows:
            out.print(_("Caps: none binds"))
        return
    units = any(unit_of(instance, row.cap) for row in binding)
    if instance.floors.intersection(row.cap for row in binding):
        text = _("Binding caps (saving of one point more, of a floor (>=) one point less, MUSD present value):")
        if units:
            text = _(
                "Binding caps (saving of one point or unit more, of a floor (>=) one point less, MUSD present value):"
            )
    elif units:
        text = _("Binding caps (saving of one point or unit more, MUSD present value):")
    else:
        text = _("Binding caps (saving of one point more, MUSD present value):")
    out.print(text)
    for row in sorted(binding, key=lambda row: -row.marginal_musd_per_point)[:8]:
        where = f" {row.country}" if row.country else ""
        at = (
            number(f"{row.limit:.1%}")
            if not unit_of(instance, row.cap)
            else limit_in_words(instance, row.cap, row.limit)
        )
        limit = f"{'>= ' if row.cap in instance.floors else ''}{at}"
        out.print(f"  {escape(row.cap + where)} {row.year}: {limit} -> {figure_of(row.marginal_musd_per_point, 4)}")
