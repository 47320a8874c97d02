"""A card for each project that may be built: who, where, what it costs, when, how sure, who pays, and the sources."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...language import _, n_
from ...questions.evidence.evidence import confidence_of
from ...words import commas, figure_of, rate_of, semicolons, share_of
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
    lead = _(
        "What the instance says of each project. A range is what evidence.csv gives; the chance of success does not "
        "change a plan of least cost, only the studies of risk."
    )
    parts = [
        Cards(
            "cards-built",
            n_("{n} project that the plan builds", "{n} projects that the plan builds", len(built)),
            built,
        )
        if built
        else None,
        Cards(
            "cards-others",
            n_("{n} project that it does not build", "{n} projects that it does not build", len(others)),
            others,
        )
        if others
        else None,
    ]
    return Section("projects", _("The projects one by one"), [lead], parts)


def _card(view: View, option: Option, starts: list[dict[str, Any]], paid: dict[str, float]) -> Card:
    facility = view.facilities[option.facility]
    facts = [
        (_("In this plan"), _built(view, option, starts)),
        (_("Owner"), facility.owner),
        (_("At the start"), facility.status),
        (_("Size"), _size(option)),
        (_("Capex"), _capex(view, option)),
        (
            _("Cost of capital"),
            _("{rate} a year", rate=rate_of(view.instance.wacc if option.wacc is None else option.wacc)),
        ),
        (_("Time"), _time(option)),
        (_("Running costs"), "" if option.stockpile else _opex(view, facility)),
        (_("Chance of success"), _chance(view, option)),
        (_("Public money"), _funds(view, option, paid)),
        (_("Price floor"), _floor(view, option)),
        (_("Tie"), _("tied to a country of concern") if facility.concern_tie else ""),
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
        return _("not built")
    tonnes, money = sum(r["capacity_t"] for r in starts), sum(r["capex_musd"] for r in starts)
    first, final = min(r["start_year"] for r in starts), max(r["start_year"] for r in starts)
    said = {"tonnes": figure_of(tonnes), "unit": _unit(option), "cost": view.money(money), "first": first,
            "online": min(r["online_year"] for r in starts)}  # fmt: skip
    if first == final:
        text = _("{tonnes} {unit} for {cost}, started in {first}, online in {online}", **said)
    else:
        text = _(
            "{tonnes} {unit} for {cost}, started from {first} to {final}, the first online in {online}",
            **said, final=final,
        )  # fmt: skip
    last = view.years[-1]
    rows = view.tables["capacity"]
    rows = rows[(rows["facility"] == option.facility) & (rows["year"] == last)]
    if not option.stockpile and len(rows) and rows["capacity_t"].iloc[0] > 1e-6:
        used = share_of(rows["used_t"].iloc[0] / rows["capacity_t"].iloc[0])
        text = semicolons([text, _("its plant is used to {share} in {year}", share=used, year=last)])
    return text


def _unit(option: Option) -> str:
    """What an option adds: capacity of a plant, or room of a store."""
    return _("t of room") if option.stockpile else _("t a year")


def _size(option: Option) -> str:
    said = {"tonnes": figure_of(option.module_t), "unit": _unit(option)}
    if option.max_modules != 1:
        text = _("up to {modules} modules of {tonnes} {unit}", modules=figure_of(option.max_modules), **said)
    elif option.integer:
        text = _("{tonnes} {unit}", **said)
    else:
        text = _("up to {tonnes} {unit}", **said)
    return semicolons([text, _("committed")]) if option.min_modules else text


def _capex(view: View, option: Option) -> str:
    sizes = [s for s in view.instance.option_sizes if s.option == option.option]
    said = {"cost": view.money(option.capex_musd), "currency": view.instance.currency, "unit": _unit(option),
            "per_t": figure_of(option.capex_musd * 1e6 / option.module_t)}  # fmt: skip
    if option.max_modules == 1:
        text = _("{cost}, {per_t} {currency} per {unit}", **said)
    else:
        text = _("{cost} a module, {per_t} {currency} per {unit}", **said)
    text += _range(view, option, "capex_musd", view.money)
    if sizes:
        least = min(sizes, key=lambda s: s.capacity_t)
        smaller = _("smaller ones from {tonnes} t a year for {cost}", tonnes=figure_of(least.capacity_t),
                    cost=view.money(least.capex_musd))  # fmt: skip
        text = semicolons([text, smaller])
    return text


def _range(view: View, option: Option, column: str, words: Any) -> str:
    """What evidence.csv says of a number of an option: its range and how sure it is."""
    told = view.ranges.get(("options", option.option, column))
    if told is None:
        return ""
    if told.low is None or told.high is None:
        return _(" ({confidence} confidence)", confidence=confidence_of(told.confidence))
    return _(
        " ({low} to {high}, {confidence} confidence)",
        low=words(told.low), high=words(told.high), confidence=confidence_of(told.confidence),
    )  # fmt: skip


def _time(option: Option) -> str:
    first, last = option.first_start, option.last_start
    if first is None and last is None:
        begins = _("may start in any year")
    elif first is None:
        begins = _("may start until {year}", year=last)
    elif last is None:
        begins = _("may start from {year}", year=first)
    elif first == last:
        begins = _("may start in {year}", year=first)
    else:
        begins = _("may start from {first} to {last}", first=first, last=last)
    parts = [begins, n_("{n} year to build", "{n} years to build", option.lead_years)]
    if option.ramp_years:
        parts.append(n_("{n} year to full output", "{n} years to full output", option.ramp_years))
    return commas([*parts, n_("lives {n} year", "lives {n} years", option.life_years)])


def _opex(view: View, facility: Facility) -> str:
    costs = sorted({o.opex_usd_per_t for o in view.operations_of.get(facility.facility, ()) if o.opex_usd_per_t})
    if not costs:
        return ""
    span = figure_of(costs[0])
    if len(costs) > 1:
        span = _("{low} to {high}", low=span, high=figure_of(costs[-1]))
    return _("{span} {currency} per t, without what goes in", span=span, currency=view.instance.currency)


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
        about = {"instrument": _instrument(fund.instrument), "provider": fund.provider,
                 "most": view.money(min(fund.budget_musd, _most(option, fund)))}  # fmt: skip
        if paid.get(row.fund, 0.0) > 1e-6:
            about["paid"] = view.money(paid[row.fund])
            said.append(_("{instrument} of {provider}, up to {most} (in this plan {paid})", **about))
        else:
            said.append(_("{instrument} of {provider}, up to {most}", **about))
    return semicolons(said)


def _instrument(word: str) -> str:
    return {"grant": _("grant"), "loan": _("loan"), "equity": _("equity")}[word]


def _most(option: Option, fund: Any) -> float:
    return float(option.capex_musd * option.max_modules * fund.max_share)


def _floor(view: View, option: Option) -> str:
    said = []
    for row in view.instance.price_floors:
        if row.facility == option.facility and row.option in ("", option.option):
            about = {"price": figure_of(row.floor_usd_per_t), "currency": view.instance.currency,
                     "material": view.materials[row.material], "payer": row.payer}  # fmt: skip
            if row.last_year is None:
                said.append(_("{price} {currency} per t of {material} by {payer}", **about))
            else:
                about["year"] = str(row.last_year)
                said.append(_("{price} {currency} per t of {material} by {payer} until {year}", **about))
    return semicolons(said)
