"""A card for each project that may be built: who, where, what it costs, when, how sure, who pays, and the sources."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...words import counted, figure_of, rate_of, share_of
from ..parts import Card, Cards, Section

if TYPE_CHECKING:
    from ...instance.tables import Facility, Option
    from ..view import View


def section(view: View) -> Section | None:
    """Cards, those of what the plan builds first; None if the instance has no projects."""
    if not view.instance.options:
        return None
    starts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for r in view.tables["builds"].to_dict("records"):
        starts[r["option"]].append(r)
    paid: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for r in view.tables["funding"].itertuples():
        paid[r.option][r.source] += r.musd
    stages = [*view.instance.stages, ""]

    def place(option: Option) -> tuple[int, str]:
        return stages.index(view.stage_of_project(option.option)), option.name

    built: list[Card] = []
    others: list[Card] = []
    for option in sorted(view.instance.options, key=place):
        mine = starts.get(option.option, [])
        (built if mine else others).append(_card(view, option, mine, paid.get(option.option, {})))
    lead = (
        "What the instance says of each project. A range is what evidence.csv gives; the chance of success does not "
        "change a plan of least cost, only the studies of risk."
    )
    parts = [
        Cards("cards-built", f"{counted(len(built), 'project')} that the plan builds", built) if built else None,
        Cards("cards-others", f"{counted(len(others), 'project')} that it does not build", others) if others else None,
    ]
    return Section("projects", "The projects one by one", [lead], parts)


def _card(view: View, option: Option, starts: list[dict[str, Any]], paid: dict[str, float]) -> Card:
    facility = view.facilities[option.facility]
    facts = [
        ("In this plan", _built(view, option, starts)),
        ("Owner", facility.owner),
        ("At the start", facility.status),
        ("Size", _size(option)),
        ("Capex", _capex(view, option)),
        ("Cost of capital", f"{rate_of(view.instance.wacc if option.wacc is None else option.wacc)} a year"),
        ("Time", _time(option)),
        ("Running costs", _opex(view, facility)),
        ("Chance of success", _chance(view, option)),
        ("Public money", _funds(view, option, paid)),
        ("Price floor", _floor(view, option)),
        ("Tie", "tied to a country of concern" if facility.concern_tie else ""),
    ]
    place = " · ".join(filter(None, (view.countries[facility.country], view.stage_of_project(option.option))))
    sources = {s.source: s for s in view.instance.sources}
    cited = [sources[s] for s in dict.fromkeys((*option.source, *facility.source)) if s in sources]
    return Card(
        f"card-{option.option}",
        view.project(option.option),
        place,
        [fact for fact in facts if fact[1]],
        option.note or facility.note,
        [(f"{s.title}{f', {s.publisher}' if s.publisher else ''}{f' ({s.date})' if s.date else ''}", s.url)
         for s in cited],
    )  # fmt: skip


def _built(view: View, option: Option, starts: list[dict[str, Any]]) -> str:
    if not starts:
        return "not built"
    tonnes, money = sum(r["capacity_t"] for r in starts), sum(r["capex_musd"] for r in starts)
    first, final = min(r["start_year"] for r in starts), max(r["start_year"] for r in starts)
    text = f"{figure_of(tonnes)} t a year for {view.money(money)}, started "
    text += f"in {first}" if first == final else f"from {first} to {final}"
    text += f"{', ' if first == final else ', the first '}online in {min(r['online_year'] for r in starts)}"
    last = view.years[-1]
    rows = view.tables["capacity"]
    rows = rows[(rows["facility"] == option.facility) & (rows["year"] == last)]
    if len(rows) and rows["capacity_t"].iloc[0] > 1e-6:
        text += f"; its plant is used to {share_of(rows['used_t'].iloc[0] / rows['capacity_t'].iloc[0])} in {last}"
    return text


def _size(option: Option) -> str:
    step = f"{figure_of(option.module_t)} t a year"
    if option.max_modules == 1:
        text = step if option.integer else f"up to {step}"
    else:
        text = f"up to {figure_of(option.max_modules)} modules of {step}"
    return f"{text}; committed" if option.min_modules else text


def _capex(view: View, option: Option) -> str:
    sizes = [s for s in view.instance.option_sizes if s.option == option.option]
    text = f"{view.money(option.capex_musd)}"
    if option.max_modules != 1:
        text += " a module"
    if option.module_t > 0:
        per_t = option.capex_musd * 1e6 / option.module_t
        text += f", {figure_of(per_t)} {view.instance.currency} per t a year"
    text += _range(view, option, "capex_musd", view.money)
    if sizes:
        least = min(sizes, key=lambda s: s.capacity_t)
        text += f"; smaller ones from {figure_of(least.capacity_t)} t a year for {view.money(least.capex_musd)}"
    return text


def _range(view: View, option: Option, column: str, words: Any) -> str:
    """What evidence.csv says of a number of an option: its range and how sure it is."""
    told = view.ranges.get(("options", option.option, column))
    if told is None:
        return ""
    if told.low is None or told.high is None:
        return f" ({told.confidence} confidence)"
    return f" ({words(told.low)} to {words(told.high)}, {told.confidence} confidence)"


def _time(option: Option) -> str:
    begins = [str(y) for y in (option.first_start, option.last_start) if y is not None]
    if option.first_start is not None and option.last_start is not None and option.first_start != option.last_start:
        text = f"may start from {begins[0]} to {begins[1]}"
    elif option.first_start is not None:
        text = f"may start {'in' if option.last_start is not None else 'from'} {begins[0]}"
    else:
        text = f"may start until {begins[0]}" if begins else "may start in any year"
    text += f", {counted(option.lead_years, 'year')} to build"
    if option.ramp_years:
        text += f", {counted(option.ramp_years, 'year')} to full output"
    return f"{text}, lives {counted(option.life_years, 'year')}"


def _opex(view: View, facility: Facility) -> str:
    costs = sorted({o.opex_usd_per_t for o in view.operations_of.get(facility.facility, ()) if o.opex_usd_per_t})
    if not costs:
        return ""
    span = figure_of(costs[0]) if len(costs) == 1 else f"{figure_of(costs[0])} to {figure_of(costs[-1])}"
    return f"{span} {view.instance.currency} per t, without what goes in"


def _chance(view: View, option: Option) -> str:
    if option.success_probability >= 1.0:
        return ""
    return f"{share_of(option.success_probability)}" + _range(view, option, "success_probability", share_of)


def _funds(view: View, option: Option, paid: dict[str, float]) -> str:
    """What funds pay in this plan, and those that could."""
    funds = {f.fund: f for f in view.instance.funds}
    said = []
    for row in view.instance.fund_options:
        if row.option != option.option:
            continue
        fund = funds[row.fund]
        text = f"{fund.instrument} of {fund.provider}, up to {view.money(min(fund.budget_musd, _most(option, fund)))}"
        if paid.get(row.fund, 0.0) > 1e-6:
            text += f" (in this plan {view.money(paid[row.fund])})"
        said.append(text)
    return "; ".join(said)


def _most(option: Option, fund: Any) -> float:
    return float(option.capex_musd * option.max_modules * fund.max_share)


def _floor(view: View, option: Option) -> str:
    said = []
    for row in view.instance.price_floors:
        if row.facility == option.facility and row.option in ("", option.option):
            text = f"{figure_of(row.floor_usd_per_t)} {view.instance.currency} per t of {view.materials[row.material]}"
            said.append(f"{text} by {row.payer}{f' until {row.last_year}' if row.last_year else ''}")
    return "; ".join(said)
