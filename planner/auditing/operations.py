r"""Checks operations of the plan or of a branch: activity, movements, purchases, balances, stocks and deliveries.

For every material m, country c, provenance q and period t:

.. math::
    made + arriving + bought + collected + drawn \;(+ downgrade \text{ if exposed})
    = used + leaving + delivered + sold + put + surplus \;(+ downgrade \text{ if clean})

    leaving \le made - surplus + bought + collected \;(+ downgrade \text{ if exposed}), \qquad
    \textstyle\sum_q leaving \le \sum_q (made - surplus + bought + collected)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .book import Book
from .disturbance import Disturbance
from .facts import CLEAN, EXPOSED, PROVENANCES, Facts, interpolated
from .investment import Investment
from .layouts import (
    ACTIVITY,
    ADJUSTMENTS,
    CAPACITY,
    FLOWS,
    PRICES,
    PURCHASES,
    RETURNED,
    SALES,
    SERVICE,
    STOCKS,
    SUBSTITUTION,
    WORKING_STOCKS,
    ActivityRow,
    AdjustmentRow,
    FlowRow,
    PurchaseRow,
    ReturnedRow,
    SaleRow,
    ServiceRow,
    StockRow,
    SubstitutionRow,
    WorkingStockRow,
)
from .reading import Tables

Where = tuple[str, str, str, int]  # material, country, provenance, year
Totals = dict[Where, float]
Stocks = dict[tuple[str, str], float]  # stockpile, provenance -> t

NEGLIGIBLE = 1e-6  # tonnes up to which rows may be left out


class Operations:
    """Sums of the tables of one undisturbed plan, or of one branch or a part of it, t/yr.

    Rows that the instance does not allow (no such operation, say) are summed too: each is reported once by itself, and
    leaving out its tonnes would violate every balance it is part of.

    Most sums have the key (material, country, provenance, year); ``capacity_used`` has (facility, year).
    """

    def __init__(self, facts: Facts, tables: Tables, investment: Investment, disturbance: Disturbance) -> None:
        self.facts = facts
        self.investment = investment
        self.disturbance = disturbance
        self.activities: list[ActivityRow] = tables.rows(ACTIVITY)
        flows: list[FlowRow] = tables.rows(FLOWS)
        self.flows = flows if facts.instance.has_transit else [row._replace(arrived_t=row.t) for row in flows]
        self.purchases: list[PurchaseRow] = tables.rows(PURCHASES)
        self.service: list[ServiceRow] = tables.rows(SERVICE)
        self.stocks: list[StockRow] = tables.rows(STOCKS)
        self.sales: list[SaleRow] = tables.rows(SALES) if facts.buyers else []
        self.returned: list[ReturnedRow] = tables.rows(RETURNED) if facts.returns else []
        self.swaps: list[SubstitutionRow] = tables.rows(SUBSTITUTION) if facts.substitutes else []
        self.run_down: list[WorkingStockRow] = tables.rows(WORKING_STOCKS) if facts.working_stocks else []
        self.adjustments: list[AdjustmentRow] = tables.rows(ADJUSTMENTS)

        self.made: Totals = defaultdict(float)
        self.made_tied: dict[tuple[str, str, int], float] = defaultdict(float)  # by tied plants
        self.recycled: dict[tuple[str, str, int], float] = defaultdict(float)  # by restoring processes
        self.made_by: dict[tuple[str, str, int], float] = defaultdict(float)  # facility, material, year
        self.used: Totals = defaultdict(float)
        self.arriving: Totals = defaultdict(float)
        self.leaving: Totals = defaultdict(float)
        self.moved: Totals = defaultdict(float)  # material, origin, destination, year
        self.bought: Totals = defaultdict(float)
        self.collected: Totals = defaultdict(float)
        self.delivered: Totals = defaultdict(float)
        self.sold: Totals = defaultdict(float)
        self.put: Totals = defaultdict(float)
        self.drawn: Totals = defaultdict(float)
        self.surplus: Totals = defaultdict(float)
        self.downgrade: dict[tuple[str, str, int], float] = defaultdict(float)
        self.capacity_used: dict[tuple[str, int], float] = defaultdict(float)

        for a in self.activities:
            operation = facts.operations.get((a.facility, a.process))
            per_t = operation.capacity_per_t if operation else 1.0
            self.capacity_used[a.facility, a.year] += per_t * a.activity_t
            for material, t_per_t in facts.recipe(a.process, "input", a.year):
                self.used[material, a.country, a.input_provenance, a.year] += t_per_t * a.activity_t
            tied = facts.facilities[a.facility].concern_tie
            for material, t_per_t in facts.recipe(a.process, "output", a.year):
                self.made[material, a.country, a.output_provenance, a.year] += t_per_t * a.activity_t
                self.made_by[a.facility, material, a.year] += t_per_t * a.activity_t
                if facts.processes[a.process].restores_provenance:
                    self.recycled[material, a.country, a.year] += t_per_t * a.activity_t
                if tied:
                    self.made_tied[material, a.country, a.year] += t_per_t * a.activity_t
        for flow in self.flows:
            self.moved[flow.material, flow.origin, flow.destination, flow.year] += flow.t
            self.leaving[flow.material, flow.origin, flow.provenance, flow.year] += flow.t
            self.arriving[flow.material, flow.destination, flow.provenance, flow.year] += flow.arrived_t
        for purchase in self.purchases:
            self.bought[purchase.material, purchase.country, purchase.provenance, purchase.year] += purchase.t
        for sale in self.sales:
            self.sold[sale.material, sale.country, sale.provenance, sale.year] += sale.t
        for s in self.service:
            self.delivered[s.material, s.country, CLEAN, s.year] += s.clean_t
            self.delivered[s.material, s.country, EXPOSED, s.year] += s.exposed_t
        for swap in self.swaps:
            if swap.replaced_by and swap.provenance:
                taken = facts.taken(swap.substitute, swap.t)
                self.delivered[swap.replaced_by, swap.country, swap.provenance, swap.year] += taken
        for back in self.returned:
            self.collected[back.material, back.country, back.provenance, back.year] += back.t
        for stock in self.stocks:
            where = (stock.material, stock.country, stock.provenance, stock.year)
            self.put[where] += stock.put_t
            self.drawn[where] += stock.draw_t
        for w in self.run_down:
            self.drawn[w.material, w.country, w.provenance, w.year] += w.t
        for row in self.adjustments:
            if row.kind == "surplus":
                self.surplus[row.material, row.country, row.provenance, row.year] += row.t
            else:
                self.downgrade[row.material, row.country, row.year] += row.t

    def own(self, material: str, country: str, year: int) -> float:
        """Made, less what is thrown away, and bought in a country: its part of a stage's supply, t a year."""
        return sum(
            self.made.get((material, country, q, year), 0.0)
            - self.surplus.get((material, country, q, year), 0.0)
            + self.bought.get((material, country, q, year), 0.0)
            for q in PROVENANCES
        )


def check_activities(operations: Operations, book: Book) -> None:
    """Check that operations exist, have the right provenance, keep capacity and, if nothing strikes, min_use."""
    facts, disturbance = operations.facts, operations.disturbance
    for row in operations.activities:
        place = ("activity.csv", row.facility, row.process, row.input_provenance, row.year)
        if (row.facility, row.process) not in facts.operations:
            book.fault("operations", place, "is no operation of the instance")
            continue
        pair = (row.input_provenance, row.output_provenance)
        if pair not in facts.provenances(row.facility, row.process):
            book.fault("operations", place, f"cannot turn {pair[0]} into {pair[1]}")
        else:
            book.passed("operations")

    for name, facility in facts.facilities.items():
        for year in disturbance.years:
            used = operations.capacity_used.get((name, year), 0.0)
            own = facts.own(facility, year)
            if used:
                available = operations.investment.capacity(name, year, disturbance)
                book.at_most("capacity_limit", used, available, available, ("facility", name, year))
            until = facility.min_use_until
            if facility.min_use and disturbance.undisturbed and (until is None or year <= until):
                book.at_least("min_use", used, facility.min_use * own, own, ("facility", name, year))


def check_used(operations: Operations, tables: Tables, book: Book) -> None:
    """Check ``used_t`` of capacity.csv; a missing row means no use."""
    written = {(row.facility, row.year): row.used_t for row in tables.rows(CAPACITY)}
    for key in sorted(set(written) | set(operations.capacity_used)):
        used, value = operations.capacity_used.get(key, 0.0), written.get(key, 0.0)
        book.equal("used", value, used, max(used, value), ("capacity.csv", *key, "used_t"))


def check_prices(operations: Operations, tables: Tables, book: Book) -> None:
    """Check that prices.csv has a price where a material comes in, and none where nothing of it passes.

    Only the plan has prices; one that claims none at all passes. Up to a millionth of the largest demand both will do:
    the least exposure is sought within 1e-7 of the least cost, to which the prices belong.
    """
    o = operations
    sliver = max(NEGLIGIBLE, 1e-6 * max((row.demand_t for row in o.facts.instance.demand), default=0.0))
    incoming = (o.made, o.arriving, o.bought, o.drawn, o.collected)
    passing = (*incoming, o.used, o.leaving, o.delivered, o.sold)
    prices = {(r.material, r.country, r.provenance, r.year): r.usd_per_t for r in tables.rows(PRICES)}
    for where in sorted({*prices, *(where for totals in incoming for where in totals)}):
        there = not math.isnan(prices.get(where, math.nan))
        if there and not any(totals.get(where, 0.0) for totals in passing):
            book.fault("prices", ("prices.csv", *where), "has a price, but nothing passes there")
        elif prices and not there and sum(totals.get(where, 0.0) for totals in incoming) > sliver:
            book.fault("prices", ("prices.csv", *where), "has no price, but something passes there")
        else:
            book.passed("prices")


def check_flows(operations: Operations, book: Book) -> None:
    """Check that shipments have a valid lane, and keep its max_t and min_t and the limits of export stops."""
    facts, disturbance = operations.facts, operations.disturbance
    for (material, origin, destination, year), t in operations.moved.items():
        if t == 0.0:  # nothing leaves, but something arrives
            continue
        place = ("flows.csv", material, origin, "to", destination, year)
        lane = facts.lane(material, origin, destination, year)
        if origin == destination:
            book.fault("lanes", place, "stays in its country")
        elif lane is None:
            book.fault("lanes", place, "no lane is valid")
        else:
            book.passed("lanes")
            if lane.max_t is not None:
                book.at_most("lane_limit", t, lane.max_t, lane.max_t, place)
            if lane.min_t and facts.whole:
                book.at_least("least_lot", t, lane.min_t, lane.min_t, place)

    for year in disturbance.years:
        for (material, country), limit in disturbance.export_limits(year).items():
            leaving = sum(operations.leaving.get((material, country, q, year), 0.0) for q in PROVENANCES)
            book.at_most("export_stop", leaving, limit, limit, ("exports of", material, "from", country, year))


def check_purchases(operations: Operations, book: Book) -> None:
    """Check that purchases keep max_t, have the market's provenance, and that the market has a price."""
    facts = operations.facts
    bought: dict[tuple[str, int], float] = defaultdict(float)
    for row in operations.purchases:
        place = ("purchases.csv", row.market, row.provenance, row.year)
        expected = facts.market_provenance(facts.markets[row.market])
        if row.provenance != expected:
            book.fault("provenance", place, f"the market sells {expected}")
        elif facts.price(row.market, row.year) is None:
            book.fault("provenance", place, "the market has no price")
        else:
            book.passed("provenance")
        bought[row.market, row.year] += row.t
    for (market, year), t in bought.items():
        limit = facts.market_limit(market, year)
        if limit is not None:
            book.at_most("market_limit", t, limit, limit, ("purchases.csv", market, year))


def check_balances(operations: Operations, book: Book) -> None:
    """Check balances, that only what is made is thrown away, and that nothing is sent out that came from elsewhere."""
    o, facts = operations, operations.facts
    for row in o.adjustments:
        if row.kind == "downgrade" and row.provenance != CLEAN:
            where = ("adjustments.csv", row.kind, row.material, row.country, row.provenance, row.year)
            book.fault("provenance", where, "only clean material is downgraded")

    touched = {
        (material, country, year)
        for totals in (
            o.made,
            o.used,
            o.arriving,
            o.leaving,
            o.bought,
            o.collected,
            o.delivered,
            o.sold,
            o.put,
            o.drawn,
            o.surplus,
        )
        for material, country, _, year in totals
    } | set(o.downgrade)
    nothing = 0.0
    for material, country, year in sorted(touched):
        downgrade = o.downgrade.get((material, country, year), nothing)
        all_leaving = all_own = 0.0
        for q in PROVENANCES:
            key = (material, country, q, year)
            made, bought = o.made.get(key, nothing), o.bought.get(key, nothing)
            surplus, leaving = o.surplus.get(key, nothing), o.leaving.get(key, nothing)
            collected = o.collected.get(key, nothing)
            into = made + o.arriving.get(key, nothing) + bought + collected + o.drawn.get(key, nothing)
            out = o.used.get(key, nothing) + leaving + o.delivered.get(key, nothing)
            out += o.put.get(key, nothing) + surplus + o.sold.get(key, nothing)
            degraded = downgrade if q == EXPOSED else nothing
            into += degraded
            if q == CLEAN:
                out += downgrade
            place = (material, q, "in", country, year)
            book.equal("balance", into, out, max(into, out), place)

            own = made - surplus + bought + collected
            if leaving:
                book.at_most("transit", leaving, own + degraded, leaving, place)
            if surplus:
                allowed = made if facts.materials[material].surplus else nothing
                book.at_most("surplus", surplus, allowed, surplus, place)
            all_leaving += leaving
            all_own += own
        if all_leaving:
            book.at_most("transit", all_leaving, all_own, all_leaving, (material, "in", country, year))


class Stretch(NamedTuple):
    """A period or a month of a course, or what it has of one before a branch leaves; January of y is the month 12 y.

    year              first year of the period
    first, stop       the first month, and the one after the last
    end               the month after the end of the period or month itself
    stocks, service   the rows of the tables
    operations        all sums; None: not needed
    """

    year: int
    first: int
    stop: int
    end: int
    stocks: list[StockRow]
    service: list[ServiceRow]
    operations: Operations | None = None

    @property
    def share(self) -> float:
        """The part of the period or month that is there, 0 to 1."""
        return (self.stop - self.first) / (self.end - self.first)


def stretches(
    disturbance: Disturbance, stocks: list[StockRow], service: list[ServiceRow], operations: Operations | None = None
) -> list[Stretch]:
    """Return the plan, or a part of a branch, by its periods and months."""
    result = []
    for year in disturbance.years:
        first = 12 * year + max(0, disturbance.month - 1)
        end = first + round(12 * disturbance.length(year))
        of_year = [row for row in stocks if row.year == year], [row for row in service if row.year == year]
        result.append(Stretch(year, first, end, end, *of_year, operations))
    return result


def cut_at(course: Iterable[Stretch], month: int) -> list[Stretch]:
    """Return what a course has before a month."""
    return [part._replace(stop=min(part.stop, month)) for part in course if part.first < month]


def opening_stocks(facts: Facts, before: Sequence[Stretch]) -> Stocks:
    """Return what is in stock when the plan or a branch begins.

    before  what the course had that a branch leaves: of a branch that begins within a year, the stocks lie between
            those at the ends of this year and of the one before; empty: this is the beginning of the horizon
    """
    stocks: Stocks = {}
    for name, stockpile in facts.stockpiles.items():
        for q in PROVENANCES:
            stocks[name, q] = stockpile.initial_t if (q == EXPOSED) == stockpile.initial_exposed else 0.0
    for part in before:
        if part.share == 1.0 or part is before[-1]:
            ends = {(row.stockpile, row.provenance): row.stock_t for row in part.stocks}
            for key, held in stocks.items():
                stocks[key] = held + part.share * (ends.get(key, 0.0) - held)
    return stocks


def check_stocks(operations: Operations, stocks: Stocks, book: Book) -> Stocks:
    """Check stocks from period to period, draws and limits; return what is in stock at the end.

    stocks  what is in stock at the beginning
    """
    disturbance, stocks = operations.disturbance, dict(stocks)
    rows = {(row.stockpile, row.provenance, row.year): row for row in operations.stocks}
    for name in operations.facts.stockpiles:
        for year in disturbance.years:
            length = disturbance.length(year)
            for q in PROVENANCES:
                row, held = rows.get((name, q, year)), stocks[name, q]
                put, draw, end = (row.put_t, row.draw_t, row.stock_t) if row else (0.0, 0.0, 0.0)
                place = ("stocks.csv", name, q, year)
                expected = held + length * (put - draw)
                scale = max(held, length * put, length * draw)
                book.equal("stock", end, expected, scale, place)
                book.at_most("stock_draw", length * draw, held, held, place)
                stocks[name, q] = end
            _check_release(
                operations, name, year, sum(r.draw_t for q in PROVENANCES if (r := rows.get((name, q, year)))), book
            )
            total = sum(stocks[name, q] for q in PROVENANCES)
            room = operations.investment.room(name, year, disturbance)
            book.at_most("stock_limit", total, room, room, ("stocks.csv", name, year))
    return stocks


def _check_release(operations: Operations, name: str, year: int, draw: float, book: Book) -> None:
    """Check that a branch releases no more of a stockpile, t a year, and no earlier, than its rules allow."""
    disturbance, row = operations.disturbance, operations.facts.stockpiles[name]
    if disturbance.undisturbed:
        return
    now = 12 * year + disturbance.month - 1
    if disturbance.month and now < disturbance.blow + row.release_after_months:
        book.at_most("stock_draw", draw, 0.0, draw, ("stocks.csv", name, year, "before release_after_months"))
    elif row.release_max_t is not None:
        most = 12 * row.release_max_t
        book.at_most("stock_draw", draw, most, most, ("stocks.csv", name, year, "above release_max_t"))


def check_final_stocks(disturbance: Disturbance, stocks: Stocks, book: Book) -> float:
    """Check the final minimum of the plan's stocks.

    stocks  what is in stock at the end
    Returns the present value, MUSD, of what a branch lacks below final_min_t, which it pays for.
    """
    facts, missing_musd = disturbance.facts, 0.0
    for name, stockpile in facts.stockpiles.items() if disturbance.years else ():
        total, floor = sum(stocks[name, q] for q in PROVENANCES), stockpile.final_min_t
        if disturbance.undisturbed:
            book.at_least("stock_final", total, floor, floor, ("stocks.csv", name, facts.years[-1]))
        else:
            value = facts.materials[stockpile.material].value_usd_per_t
            missing_musd += max(0.0, floor - total) * value / 1e6 * facts.discount(facts.last + 1)
    return missing_musd


def check_service(operations: Operations, book: Book) -> None:
    """Check that every demand is delivered or short, and that service floors and clean-only rules hold."""
    facts, disturbance = operations.facts, operations.disturbance
    rows = {(row.country, row.sector, row.material, row.year): row for row in operations.service}
    for (country, sector, material), points in facts.demands.items():
        rules = facts.sectors[sector]
        for year in disturbance.years:
            demand = interpolated(points, year) * disturbance.demand_factor(country, material, year)
            place = ("service.csv", country, sector, material, year)
            row = rows.get((country, sector, material, year))
            if row is None:
                book.at_most("demand", demand, 0.0, demand, (*place, "is missing, demand_t"))
                continue
            book.equal("demand", row.demand_t, demand, demand, (*place, "demand_t"))
            total = row.clean_t + row.exposed_t + row.short_t + row.replaced_t
            parts = ("clean_t", "exposed_t", "short_t", *(["replaced_t"] if facts.substitutes else ()))
            book.equal("demand", total, demand, demand, (*place, " + ".join(parts)))
            floor = max(rules.min_service if disturbance.undisturbed else 0.0, _branch_floor(operations, sector, year))
            if floor:
                allowed = (1.0 - floor) * demand
                book.at_most("min_service", row.short_t, allowed, demand, (*place, "short_t"))
            clean_only = rules.clean_from_year is not None and year >= rules.clean_from_year
            if clean_only and not disturbance.lifted(year):
                book.at_most("clean_only", row.exposed_t, 0.0, demand, (*place, "exposed_t"))


def _branch_floor(operations: Operations, sector: str, year: int) -> float:
    """Return the share of its demand that a sector must be served in a branch, 0 if no floor holds in the period."""
    facts, row = operations.facts, operations.disturbance.floors.get(sector)
    if row is None:
        return 0.0
    first = facts.first if row.first_year is None else row.first_year
    last = facts.last if row.last_year is None else row.last_year
    return row.min_service if any(first <= y <= last for y in facts.calendar(year)) else 0.0
