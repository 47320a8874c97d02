r"""Checks money: freight, tariff and purchase of each row, costs.csv, objective, bound and totals of plan.json.

.. math::
    \sum_t D_t (fixed\ O\&M + opex + freight + tariff + purchase + holding + shortage - sales + substitution + impact
    + lane\ use + working\ stock)
    + \sum_{modules} \sum_y capex \cdot CRF(wacc, life) \, (1+r)^{-(y-y_0)}

Costs are expected values: in a period, each branch that has begun counts with its probability, less that of the
branches that have left it, and the plan with the remaining probability.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from .book import Book
from .dependence import metric
from .disturbance import Disturbance
from .facts import Facts
from .impacts import building_impacts, operating_impacts
from .investment import Investment
from .layouts import COSTS, components
from .operations import Operations
from .reading import LARGEST, Tables
from .working_stocks import replacing

Costs = dict[tuple[str, int], float]  # MUSD a year, by component and period

USD_PER_MUSD = 1e6


def check_row_money(operations: Operations, book: Book) -> None:
    """Check the money columns of flows.csv and purchases.csv."""
    facts = operations.facts
    for flow in operations.flows:
        freight, duty = _freight(facts, operations, flow.material, flow.origin, flow.destination, flow.year)
        place = ("flows.csv", flow.material, flow.origin, "to", flow.destination, flow.provenance, flow.year)
        musd = freight * flow.t / USD_PER_MUSD
        book.equal("freight", flow.freight_musd, musd, musd, place)
        musd = duty * flow.t / USD_PER_MUSD
        book.equal("tariff", flow.tariff_musd, musd, musd, place)
    for purchase in operations.purchases:
        musd = _price(operations, purchase.market, purchase.year) * purchase.t / USD_PER_MUSD
        where = ("purchases.csv", purchase.market, purchase.provenance, purchase.year)
        book.equal("purchase", purchase.cost_musd, musd, musd, where)


def operating_costs(operations: Operations) -> Costs:
    """Return (component, year) -> cost of operations, MUSD a year: all components but capex and fixed O&M."""
    facts = operations.facts
    usd: Costs = defaultdict(float)
    for a in operations.activities:
        if (a.facility, a.process) in facts.operations:
            usd["opex", a.year] += facts.opex(a.facility, a.process, a.year) * a.activity_t
    for f in operations.flows:
        freight, duty = _freight(facts, operations, f.material, f.origin, f.destination, f.year)
        usd["freight", f.year] += freight * f.t
        usd["tariff", f.year] += duty * f.t
    for p in operations.purchases:
        usd["purchase", p.year] += _price(operations, p.market, p.year) * p.t
    for s in operations.stocks:
        usd["holding", s.year] += facts.stockpiles[s.stockpile].holding_usd_per_t * s.stock_t
    for d in operations.service:
        usd["shortage", d.year] += facts.sectors[d.sector].shortage_usd_per_t * d.short_t
    for sale in operations.sales:
        usd["sales", sale.year] -= (facts.paid(sale.buyer, "price_usd_per_t", sale.year) or 0.0) * sale.t
    for swap in operations.swaps:
        usd["substitution", swap.year] += facts.substitutes[swap.substitute].cost_usd_per_t * swap.t
    for (material, origin, destination, year), t in operations.moved.items():
        lane = facts.lane(material, origin, destination, year)
        if lane is not None and lane.fixed_musd:
            used = float(t > 0.0) if facts.whole or not lane.max_t else t / lane.max_t
            usd["lane_use", year] += used * lane.fixed_musd * USD_PER_MUSD
    for drawn in operations.run_down:
        usd["working_stock", drawn.year] += replacing(facts, drawn.material, drawn.country) * drawn.t
    for year, amount in operating_impacts(operations).items():
        usd["impact", year] += amount
    return {key: value / USD_PER_MUSD for key, value in usd.items()}


def _freight(
    facts: Facts, operations: Operations, material: str, origin: str, destination: str, year: int
) -> tuple[float, float]:
    lane = facts.lane(material, origin, destination, year)
    return (lane.cost_usd_per_t if lane else 0.0), facts.duty(material, origin, destination, year)


def _price(operations: Operations, market: str, year: int) -> float:
    row = operations.facts.markets[market]
    price = operations.facts.price(market, year) or 0.0
    return price * operations.disturbance.price_factor(row.country, row.material, year)


def check_costs(
    courses: Mapping[str, Sequence[Operations]], missing_musd: Mapping[str, float], tables: Tables, book: Book
) -> None:
    """Check costs.csv, every component and period, as expected values over plan and branches.

    courses       the plan ("") and the branch of each scenario, in parts
    missing_musd  scenario -> present value of what its branch lacks below final_min_t
    """
    plan = courses[""][0]
    facts, last = plan.facts, plan.facts.years[-1]
    musd: Costs = defaultdict(float)
    present: Costs = defaultdict(float)
    for name, parts in courses.items():
        for part in parts:
            shares = {}  # of a period, in which this part is the one that happens
            for year in part.disturbance.years:
                first = 12 * year + max(0, part.disturbance.month - 1)
                months = range(first, first + round(12 * part.disturbance.length(year)))
                shares[year] = sum(_probability(courses, name, month) for month in months) / (12 * facts.length[year])
            for (component, year), value in operating_costs(part).items():
                musd[component, year] += shares[year] * value
            for year, usd in building_impacts(part).items():
                musd["impact", year] += shares[year] * usd / USD_PER_MUSD
        investment = parts[0].investment
        fixed_om, annuities = _fixed_om(facts, investment), _annuities(facts, investment)
        for year in facts.years:
            months = range(12 * year, 12 * (year + facts.length[year]))
            share = sum(_probability(courses, name, month) for month in months) / len(months)
            musd["fixed_om", year] += share * fixed_om.get(("fixed_om", year), 0.0)
            yearly, discounted = annuities[year]
            musd["capex", year] += share * yearly
            present["capex", year] += share * discounted
        # discounted again below, like a cost of operations, which gives back its present value
        at_the_end = _probability(courses, name, 12 * (facts.last + 1) - 1)
        musd["shortage", last] += at_the_end * missing_musd.get(name, 0.0) / facts.factor[last]
    for (component, year), value in musd.items():
        if component != "capex":
            present[component, year] += facts.factor[year] * value
    for (_, _, year), paid in plan.investment.closures.paid().items():  # in the period's first year
        musd["fixed_om", year] += paid / facts.length[year]
        present["fixed_om", year] += paid * facts.discount(year)

    rows = {(row.component, row.year): row for row in tables.rows(COSTS)}
    for component in components(facts.instance):
        for year in facts.years:
            key = (component, year)
            row = rows.get(key)
            value, discounted = (row.musd, row.present_musd) if row else (0.0, 0.0)
            expected, expected_present = musd.get(key, 0.0), present.get(key, 0.0)
            place = ("costs.csv", component, year)
            book.equal("costs", value, expected, abs(expected), (*place, "musd"))
            book.equal("present", discounted, expected_present, abs(expected_present), (*place, "present_musd"))


def _probability(courses: Mapping[str, Sequence[Operations]], name: str, month: int) -> float:
    """Return how probable it is that a course is the one that happens in a calendar month; January of y is 12 y."""
    probability = 0.0
    for other, parts in courses.items():
        disturbance = parts[0].disturbance
        if month < disturbance.first_month:
            continue
        if other == name:
            probability += 1.0 if disturbance.scenario is None else disturbance.scenario.probability
        elif disturbance.scenario is not None and disturbance.scenario.parent == name:
            probability -= disturbance.scenario.probability
    return probability


def invested(investment: Investment) -> float:
    """Return the present value, MUSD, of what the starts of a course cost, and its capacity every year."""
    facts = investment.facts
    paid = [facts.factor[year] * musd for (_, year), musd in _fixed_om(facts, investment).items()]
    paid += [discounted for _, discounted in _annuities(facts, investment).values()]
    for row in facts.instance.impact_factors:
        for name, option in facts.options.items() if row.kind == "build" else ():
            usd = row.per_t * option.module_t * facts.impacts[row.impact].price_usd_per_unit
            for start, modules in investment.modules[name].items() if row.option in ("", name) else ():
                paid.append(facts.factor[start] * usd * modules / facts.length[start] / USD_PER_MUSD)
    return math.fsum(paid)


def _fixed_om(facts: Facts, investment: Investment) -> Costs:
    """Return fixed O&M, MUSD a year, of the capacity that a course pays for, and what closures do not avoid of it.

    What failed or is out goes on costing.
    """
    undisturbed, closures = Disturbance(facts), investment.closures
    musd: Costs = defaultdict(float)
    for name, row in facts.facilities.items():
        if not row.fixed_om_usd_per_t:
            continue
        for year in facts.years:
            closed_t = facts.own(row, year) * closures.share(name, year)
            kept_up = investment.capacity(name, year, undisturbed) + closed_t
            musd["fixed_om", year] += row.fixed_om_usd_per_t * kept_up / USD_PER_MUSD - closures.avoided(name, year)
    return musd


def _annuities(facts: Facts, investment: Investment) -> dict[int, tuple[float, float]]:
    """Return first year of a period -> yearly mean of the annuities, MUSD a year, and their present value, MUSD."""
    paid: dict[int, float] = defaultdict(float)  # by calendar year
    for name, option in facts.options.items():
        for start, modules in investment.modules[name].items():
            online = start + option.lead_years
            for year in range(max(online, facts.first), min(online + option.life_years - 1, facts.last) + 1):
                paid[year] += facts.capex(option, modules) * facts.recovered(option)
    return {
        year: (
            sum(paid.get(y, 0.0) for y in facts.calendar(year)) / facts.length[year],
            sum(paid.get(y, 0.0) * facts.discount(y) for y in facts.calendar(year)),
        )
        for year in facts.years
    }


def check_objective(plan: Mapping[str, Any], tables: Tables, book: Book) -> None:
    """Check objective_musd, bound_musd and gap of plan.json."""
    objective, bound = _number(plan.get("objective_musd")), _number(plan.get("bound_musd"))
    gap = _number(plan.get("gap"))
    if math.isnan(objective):
        book.fault("objective", ("plan.json objective_musd",), "is not a number")
        return
    total = math.fsum(row.present_musd for row in tables.rows(COSTS))
    scale = math.fsum(abs(row.present_musd) for row in tables.rows(COSTS))
    book.equal("objective", objective, total, max(abs(objective), scale), ("plan.json objective_musd",))
    if math.isnan(bound) or math.isnan(gap):
        book.fault("gap", ("plan.json",), "bound_musd or gap is not a number")
        return
    expected = abs(objective - bound) / max(abs(objective), 1e-9)
    book.equal("gap", gap, expected, 1.0, ("plan.json gap",))
    book.at_most("gap", bound, objective, abs(objective), ("plan.json bound_musd",))


def check_totals(plan: Operations, tables: Tables, metrics: Mapping[str, Any], book: Book) -> None:
    """Check short_t, demand_t, capex_musd and cost_musd of plan.json."""
    facts = plan.facts
    for name, column in (("short_t", "short_t"), ("demand_t", "demand_t")):
        by_year: dict[int, float] = defaultdict(float)
        for row in plan.service:
            by_year[row.year] += getattr(row, column)
        for year in facts.years:
            place = (f"plan.json metrics {name}", year)
            expected = by_year.get(year, 0.0)
            _check_total(metric(metrics.get(name), year), expected, place, book)
    capex = math.fsum(plan.investment.capex(option) for option in facts.options)
    _check_total(_number(metrics.get("capex_musd")), capex, ("plan.json metrics capex_musd",), book)
    costs = metrics.get("cost_musd")
    for component in components(facts.instance):
        expected = math.fsum(row.present_musd for row in tables.rows(COSTS) if row.component == component)
        value = _number(costs.get(component, 0.0)) if isinstance(costs, Mapping) else math.nan
        _check_total(value, expected, ("plan.json metrics cost_musd", component), book)


def _check_total(value: float, expected: float, place: tuple[object, ...], book: Book) -> None:
    if not math.isfinite(value):
        book.fault("metrics", place, "is not there, or not a number")
        return
    book.equal("metrics", value, expected, abs(expected), place)


def _number(value: object) -> float:
    """Return a number of plan.json, NaN for anything that is not a finite number below the largest allowed."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST:
        return math.nan
    return float(value)
