"""Price support: the levelised cost of a project's main product against its market price, and the gap between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import UsageError, hinted, idle
from ...instance.timeline import series_value
from ...prepare import CLEAN, EXPOSED, PLAN
from .bench import Bench
from .model import BUILT
from .result import Explanation

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance

PricePath = float | Mapping[int, float]  # USD/kg, in every year or by year (linear between, constant outside)
Paths = dict[str, dict[int | None, float]]  # material -> year (None: every year) -> USD/kg


def checked_paths(instance: Instance, prices: Mapping[str, PricePath] | None) -> Paths:
    """Return the market prices given by the caller, USD/kg, by material and year.

    prices  material -> USD/kg, or material -> year -> USD/kg; None: no prices

    Raises UsageError on an unknown material, on one that no plant with options makes or uses, and on a bad price.
    """
    growing = {o.facility for o in instance.options if not o.stockpile}
    processes = {o.process for o in instance.operations if o.facility in growing}
    traded = {r.material for r in instance.recipes if r.process in processes}
    known = [m.material for m in instance.materials]
    result: Paths = {}
    for material, path in (prices or {}).items():
        if material not in known:
            raise UsageError(hinted(f"prices: unknown material {material}", material, known))
        if material not in traded:
            raise idle([f"a price of {material}"], "here: no plant that an option enlarges makes or uses it")
        points: dict[int | None, float] = {}
        points.update(path.items() if isinstance(path, Mapping) else [(None, path)])
        if not points or not all(0.0 <= p < 1e12 for p in points.values()):
            raise UsageError(f"prices of {material}: expected USD per kg, 0 or more")
        result[material] = points
    return result


@dataclass
class _Year:
    """What the modules of an option make and spend in a period.

    made   material -> output, kt/yr
    worth  material -> value of the output, MUSD/yr
    spent  annuities, fixed O&M, running cost, inputs and priced impacts, MUSD/yr
    """

    made: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    worth: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    spent: float = 0.0


def price_support(bench: Bench, earnings: pd.DataFrame, paths: Paths) -> pd.DataFrame:
    """Return the table ``price_support`` of `Explanation`: cost of each option's main product against its price.

    earnings  the table ``earnings``
    paths     market prices given by the caller, USD/kg

    The levelised cost is the present value of annuities, fixed O&M, running cost, inputs and priced impacts, less by-
    products, divided by the discounted tonnes made; it is the same in all years. An option has the part of its
    plant's activity that it has of the plant's capacity. Inputs and by-products are valued at ``paths``, or else at
    the plan's prices in the country of the plant. The main product is the one of the highest total value. Its market
    price is that of ``paths``, or else of the cheapest market of the instance that sells it, or else the plan's price
    of exposed material in the country of the plant, or else the lowest such price of all countries.
    """
    import pandas as pd

    plants = {f.facility: f for f in bench.instance.facilities}
    prices = _Prices(bench, paths)
    present = {p.first_year: p.discount for p in bench.prepared.periods}
    rows = []
    for option in bench.instance.options:
        if not any(bench.builds[i] > BUILT for i in bench.planned(option.option)):
            continue
        country = plants[option.facility].country
        years = _years(bench, option.option, option.facility, earnings, prices)
        total: dict[str, float] = defaultdict(float)
        for year, of in years.items():
            for material, value in of.worth.items():
                total[material] += present[year] * value
        if not total:
            continue
        main = max(sorted(total), key=lambda m: total[m])
        tonnes = sum(present[y] * of.made[main] for y, of in years.items())
        if tonnes <= 1e-9:
            continue
        credit = sum(value for material, value in total.items() if material != main)
        cost = (sum(present[y] * of.spent for y, of in years.items()) - credit) / tonnes  # MUSD/kt = USD/kg
        for year, of in sorted(years.items()):
            price, where = prices.market(main, country, year)
            support = None if price is None else max(0.0, cost - price)
            amount = None if support is None else support * of.made[main]
            at = (option.option, option.facility, country, main, year, of.made[main] * 1e3, cost)
            rows.append((*at, price, where, support, amount))
    frame = pd.DataFrame(rows, columns=Explanation.columns("price_support"))
    numbers = ["market_usd_per_kg", "support_usd_per_kg", "support_musd"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


class _Prices:
    """Prices of materials in USD/kg: those given by the caller, those of markets, and those of the plan."""

    def __init__(self, bench: Bench, paths: Paths) -> None:
        self.paths = paths
        self.plan: dict[tuple[str, str, str, int], float] = {}
        self.lowest: dict[tuple[str, int], float] = {}
        for r in bench.run.tables["prices"].dropna(subset="usd_per_t").itertuples():
            price = float(r.usd_per_t) / 1e3
            self.plan[r.material, r.country, r.provenance, int(r.year)] = price
            if r.provenance == EXPOSED:
                key = (r.material, int(r.year))
                self.lowest[key] = min(price, self.lowest.get(key, price))
        series: dict[str, dict[int | None, float]] = defaultdict(dict)
        for row in bench.instance.market_prices:
            series[row.market][row.year] = row.price_usd_per_t / 1e3
        self.markets: dict[str, list[tuple[str, dict[int | None, float]]]] = defaultdict(list)
        for market in bench.instance.markets:
            self.markets[market.material].append((market.market, series[market.market]))

    def of_plan(self, material: str, country: str, provenance: str, year: int) -> float:
        """Return the price of an input or a by-product, USD/kg.

        It is the price given by the caller, or else the plan's price of this provenance, or else of the other one; 0
        if there is none.
        """
        if material in self.paths:
            return series_value(self.paths[material], year)
        other = EXPOSED if provenance == CLEAN else CLEAN
        for q in (provenance, other):
            if (found := self.plan.get((material, country, q, year))) is not None:
                return found
        return 0.0

    def market(self, material: str, country: str, year: int) -> tuple[float | None, str]:
        """Return the market price of a material, USD/kg, and its source; None if no price is known."""
        if material in self.paths:
            return series_value(self.paths[material], year), "given"
        offers = [(series_value(points, year), name) for name, points in self.markets.get(material, ())]
        if offers:
            price, name = min(offers)
            return price, f"market {name}"
        if (found := self.plan.get((material, country, EXPOSED, year))) is not None:
            return found, "plan's exposed price"
        if (material, year) in self.lowest:
            return self.lowest[material, year], "plan's lowest exposed price"
        return None, "none known; give one"


def _years(bench: Bench, option: str, facility: str, earnings: pd.DataFrame, prices: _Prices) -> dict[int, _Year]:
    """Return what the modules of an option make and spend, by first year of the period.

    earnings  the table ``earnings``, with capacity, annuity and fixed O&M of the option
    prices    prices at which inputs and outputs are valued
    """
    run, data = bench.run, bench.data
    there = run.tables["capacity"]
    whole = {int(r.year): float(r.capacity_t) for r in there[there["facility"] == facility].itertuples()}
    part: dict[int, float] = {}
    years: dict[int, _Year] = {}
    for r in earnings[earnings["option"] == option].itertuples():
        years[int(r.year)] = _Year(spent=float(r.annuity_musd) + float(r.fixed_om_musd))
        part[int(r.year)] = float(r.capacity_t) / whole[int(r.year)] if whole.get(int(r.year)) else 0.0
    activity = run.tables["activity"]
    ran = {
        (r.process, r.input_provenance, int(r.year)): float(r.activity_t) * 1e-3
        for r in activity[activity["facility"] == facility].itertuples()
    }
    mine: dict[int, tuple[int, float]] = {}  # activity -> year, kt of it that is the option's
    for i, a in enumerate(data.activity):
        node = data.nodes[a.node]
        if a.facility != facility or node.branch != PLAN or node.year not in years:
            continue
        amount = ran.get((a.process, a.provenance, node.year), 0.0) * part[node.year]
        if amount > 0.0:
            mine[i] = (node.year, amount)
            years[node.year].spent += amount * a.opex
    for pool in data.pools:
        for place, tonnes in pool.used:
            if place in mine:
                year, amount = mine[place]
                price = prices.of_plan(pool.material, pool.country, pool.provenance, year)
                years[year].spent += amount * tonnes * price
        for place, tonnes in pool.made:
            if place in mine:
                year, amount = mine[place]
                price = prices.of_plan(pool.material, pool.country, pool.provenance, year)
                years[year].made[pool.material] += amount * tonnes
                years[year].worth[pool.material] += amount * tonnes * price
    for of in data.impacts:  # priced ones are paid like inputs
        for i, units in of.operation if of.price else ():
            if i in mine:
                year, amount = mine[i]
                years[year].spent += amount * units * of.price
    building = sum(data.build[i].impact * bench.builds[i] for i in bench.planned(option))  # present value
    for period in bench.prepared.periods:
        if building and period.first_year in years:
            years[period.first_year].spent += building / period.discount
            break
    return years
