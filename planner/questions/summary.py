"""A plan in a page of text: cost, builds, dependence, shortages, what binds."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..bands import ROUNDING
from ..instance.limits import limit_in_words, unit_of
from ..words import figure_of, share_of

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..runs.run import Run


WORTH_SHOWING = 1e-6  # of the whole cost; the least-exposure step may leave less than that in any component


def summary(plan: Run) -> str:
    """Return the summary of a plan as text."""
    text = io.StringIO()
    plain = Console(file=text, highlight=False, soft_wrap=True, width=120, color_system=None, force_jupyter=False)
    show(plan.instance, plan, plan.path, plain)
    return text.getvalue().rstrip("\n")


def show(instance: Instance, plan: Run, folder: Path | None, console: Console | None = None) -> None:
    """Print the summary of a plan and, if it has a folder, where its run lies."""
    out = console or Console(highlight=False, soft_wrap=True)
    gap = plan.plan["gap"]
    stopped = "" if plan.status == "optimal" else "not proven optimal, "
    above = f"{share_of(gap, 2)} ({figure_of(plan.objective_musd - plan.searched.bound)} MUSD)"
    proven = "proven optimal" if gap < 5e-7 else f"{stopped}at most {above} above the optimum"
    if plan.plan["settings"].get("relaxed"):
        proven = "the linear relaxation: a lower bound, no plan"
    out.print(f"[bold]{escape(instance.title or instance.name)}[/bold]")
    out.print(
        f"{figure_of(plan.objective_musd, 6)} MUSD present value ({proven}; "
        f"{instance.currency} of {instance.price_year}, {instance.discount_rate:.3g} discount rate)"
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
        out.print("Audit: recomputed from the raw tables, no violation.")
    for note in plan.plan["notes"]:
        out.print(f"Note: {escape(note)}")
    if folder is not None:
        out.print(f"Run: {escape(str(folder))}")


def _stakes(plan: Run, out: Console) -> None:
    """What all optional projects save together, beside which a gap is to be read."""
    without = plan.plan.get("without_projects_musd")
    if without is None:
        return
    saved, open_ = without - plan.objective_musd, plan.objective_musd - plan.searched.bound
    if saved <= ROUNDING * abs(without):
        may = f", but by the gap up to {figure_of(open_)} MUSD may be saved" if open_ > ROUNDING * abs(without) else ""
        out.print(f"No optional project pays in this plan: without any the cost is {figure_of(without, 6)} MUSD{may}")
        return
    text = f"All optional projects together save {figure_of(saved, 4)} MUSD (without them {figure_of(without, 6)})"
    if open_ > 0.01 * saved:
        text += f"; the gap is {share_of(open_ / saved)} of that"
    out.print(text)


def _terms(plan: Run, out: Console) -> None:
    """What the plan was made for and what was held, where that is not the least cost of all plans."""
    from ..solving.aims import AIMS
    from ..solving.pins import in_words

    if asked := plan.plan["settings"].get("objective"):
        least, aim = plan.plan["stages"][:2]
        out.print(
            f"Not the cheapest plan ({least['value']:,.6g} MUSD): the one with the least {asked['name']} for at most "
            f"{aim['ceiling_musd']:,.6g} MUSD: {aim['value']:,.6g} ({AIMS[asked['name']]})"
            + (f"; no plan has less than {max(0.0, aim['bound']):,.6g}" if aim["bound"] < 0.999 * aim["value"] else "")
        )
    if held := in_words(plan.plan["settings"].get("pins")):
        out.print(f"Not all builds were free; the best plan with {escape(held)}")


def _costs(plan: Run, out: Console) -> None:
    costs = plan.metrics["cost_musd"]
    whole = sum(x for x in costs.values() if x > 0.0)  # without credits, which can leave next to nothing of the whole
    parts = sorted(((c, x) for c, x in costs.items() if abs(x) > WORTH_SHOWING * whole), key=lambda part: -part[1])
    if parts:
        told = (f"{c.replace('_', ' ')} {figure_of(x, 4)}{f' ({x / whole:.0%})' if x > 0.0 else ''}" for c, x in parts)
        out.print(f"Cost: {', '.join(told)}")


def _builds(plan: Run, out: Console) -> None:
    builds = plan.tables["builds"]
    if builds.empty:
        out.print("Builds: none")
        return
    out.print(f"Builds ({figure_of(plan.metrics['capex_musd'], 6)} MUSD overnight):")
    for year, rows in builds.groupby("start_year", sort=True):
        names = ", ".join(f"{r.option} {figure_of(r.capacity_t, 4)} t" for r in rows.itertuples())
        out.print(f"  {year}: {escape(names)}", soft_wrap=True)


def _answers(plan: Run, out: Console) -> None:
    """What branches that may build start otherwise than the course that they leave."""
    answers = {scenario: more for scenario, more in plan.answers.items() if more}
    if answers:
        out.print("Built otherwise in branches (modules):")
    for scenario, more in answers.items():
        told = ", ".join(f"{option}@{year} {n:+g}" for (option, year), n in more.items())
        out.print(f"  {escape(scenario)}: {escape(told)}", soft_wrap=True)


def _closures(plan: Run, out: Console) -> None:
    """What is given up of plants' own capacity; nothing unless closures.csv allows it."""
    closures = plan.tables.get("closures")
    if closures is None or closures.empty:
        return
    out.print("Closed (own capacity, idle or retired until then):")
    for year, rows in closures.groupby("year", sort=True):
        names = ", ".join(f"{r.facility} {figure_of(r.closed_t, 4)} t {r.kind}" for r in rows.itertuples())
        out.print(f"  {year}: {escape(names)}", soft_wrap=True)


def _dependence(instance: Instance, plan: Run, out: Console) -> None:

    out.print("Dependence on countries of concern, of this chain")
    table = Table(box=None)
    table.add_column("year")
    table.add_column("traced", justify="right")
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
        out.print("Shortages: none")
        return
    demand = plan.metrics["demand_t"]
    told = (f"{y} {figure_of(t, 4)} t ({share_of(t / demand[y])})" for y, t in short.items())
    out.print(f"Shortages: {', '.join(told)}")


def _impacts(instance: Instance, plan: Run, out: Console) -> None:
    """What the plan causes of each impact, by year; nothing unless the instance has some."""
    for impact in instance.impacts:
        rows = plan.tables["impact_totals"]
        by_year = rows[rows["impact"] == impact.impact].groupby("year")["units"].sum()
        told = ", ".join(f"{year} {figure_of(units, 4)}" for year, units in by_year.items())
        out.print(escape(f"{impact.name}, {impact.unit} a year: {told or 'none'}"), soft_wrap=True)


def _sold(plan: Run, out: Console) -> None:
    """What is sold to buyers, and what that earns, by year; nothing unless the instance has some."""
    if "sales" not in plan.tables:
        return
    by_year = plan.tables["sales"].groupby("year")[["t", "revenue_musd"]].sum()
    told = (f"{r.Index} {figure_of(r.t, 4)} t for {figure_of(r.revenue_musd, 4)} MUSD" for r in by_year.itertuples())
    out.print(f"Sold a year: {', '.join(told) or 'nothing'}")


def _replaced(plan: Run, out: Console) -> None:
    """What substitutes replace, by year; nothing unless the instance has some."""
    if "substitution" not in plan.tables:
        return
    by_year = plan.tables["substitution"].groupby(["year", "substitute"])["t"].sum()
    told = (f"{year} {name} {figure_of(t, 4)} t" for (year, name), t in by_year.items() if t > 0.5e-3)
    out.print(escape(f"Replaced by substitutes: {', '.join(told) or 'nothing'}"), soft_wrap=True)


def _outlays(plan: Run, out: Console) -> None:
    from ..runs.outlays import by_payer, settled_against

    payers = by_payer(plan.tables)
    if not payers:
        return
    out.print("Outlays beside the cost, MUSD (price floors, offtakes; below 0 the payer gains):")
    for payer, years in payers.items():
        total = sum(musd * plan.lengths[year] for year, musd in years.items())
        least, most = figure_of(min(years.values()), 4), figure_of(max(years.values()), 4)
        span = f"{min(years)}-{max(years)}" if len(years) > 1 else f"{min(years)}"
        yearly = least if least == most else f"{least} to {most}"
        against = " and ".join(
            f"the price of {market}" if market else "the plan's own marginal price (no market is named)"
            for market in sorted(settled_against(plan.tables, payer))
        )
        told = f"  {payer}: {yearly} a year in {span}, {figure_of(total, 4)} in all, against {against}"
        out.print(escape(told), soft_wrap=True)


def _binding(instance: Instance, plan: Run, out: Console) -> None:
    dependence = plan.tables["dependence"]
    caps = dependence[(dependence["cap"] != "") & (dependence["marginal_musd_per_point"] > 1e-9)]
    if caps.empty:
        if (dependence["cap"] != "").any():
            out.print("Caps: none binds")
        return
    less = ", of a floor (>=) one point less" if instance.floors.intersection(caps["cap"]) else ""
    units = "one point more" if all(not unit_of(instance, cap) for cap in caps["cap"]) else "one point or unit more"
    out.print(f"Binding caps (saving of {units}{less}, MUSD present value):")
    for row in caps.sort_values("marginal_musd_per_point", ascending=False).head(8).itertuples():
        where = f" {row.country}" if row.country else ""
        at = f"{row.limit:.1%}" if not unit_of(instance, row.cap) else limit_in_words(instance, row.cap, row.limit)
        limit = f"{'>= ' if row.cap in instance.floors else ''}{at}"
        out.print(f"  {escape(row.cap + where)} {row.year}: {limit} -> {figure_of(row.marginal_musd_per_point, 4)}")
