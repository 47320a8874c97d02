"""Turns the outcome of a solve into the tables of a run, in tonnes, USD/t and million USD."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..instance.finance import annuity_years, capital_recovery_factor, discount_factor, spending_years
from ..instance.timeline import capacity_part, horizon_end, largest_capacity, module_share, own_capacity_share
from ..models.data import CLEAN, PLAN
from ..models.objective import RATES
from ..runs.tables import Tables, branch_tables, components, table
from .search import Outcome, least_public_money

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Recipe, RecipeYield
    from ..models.data import Landing, Pool, Shipment
    from ..prepare import Prepared

REPLACED = "replaced"  # beside the provenances of what is delivered: what substitutes replace
CLOSED = 1e-9  # share of a plant up to which a closure is rounding
KILO = 1e3  # kt -> t, MUSD/kt -> USD/t

Rows = dict[str, list[tuple[Any, ...]]]  # table -> rows, with the columns that planner/runs/tables.py names


class Reader:
    """Makes the rows of the tables from one outcome; quantities in t, money in MUSD, prices in USD/t.

    least    (facility, process) -> t/yr of activity up to which it counts as nothing
    modules  position in ``data.build`` -> modules started; whole numbers exactly so
    """

    def __init__(self, prepared: Prepared, outcome: Outcome) -> None:
        self.prepared = prepared
        self.instance = prepared.instance
        self.data = prepared.data
        self.outcome = outcome
        self.country = {f.facility: f.country for f in self.instance.facilities}
        self.options = {o.option: o for o in self.instance.options}
        self.nothing, self.priced = self.instance.negligible_t, self.instance.priced_t
        self.least = _least_activity(self.instance)
        self.modules = {
            i: round(value) * 1.0 if self.data.build[i].integer and not outcome.relaxed else value
            for i, value in outcome.values.get("build", {}).items()
            if value > 1e-9
        }

    def excess(self, build: int) -> float:
        """Return what a start costs overnight beyond ``capex_musd`` times its modules, by its size, MUSD."""
        value = self.amount("excess")
        return sum(value(i) for i, of in enumerate(self.data.excess) if of.start == build)

    def amount(self, family: str) -> Callable[[Any], float]:
        """Return index -> value of a decision of ``family``, in kt or kt/yr; 0 if the model does not have it."""
        values = self.outcome.values.get(family, {})
        return lambda i: values.get(i, 0.0)

    def nonzero(self, family: str) -> list[tuple[int, float]]:
        """Return index and value, kt or kt/yr, of the decisions of ``family`` above ``negligible_t``."""
        return [(i, x) for i, x in self.outcome.values.get(family, {}).items() if x * KILO > self.nothing]

    @property
    def divided(self) -> frozenset[str]:
        """The branches of which some years are divided into months."""
        return frozenset(node.branch for node in self.data.nodes if node.month is not None)

    # --- operations ---------------------------------------------------------------------------------------

    def operations(self) -> dict[str, Rows]:
        """Return branch ("" for the plan) -> table -> rows, for the tables of operations."""
        data = self.data
        branches = [PLAN, *(s.scenario for s in self.instance.scenarios)]
        rows: dict[str, Rows] = {b: {name: [] for name in branch_tables(self.instance, b)} for b in branches}

        def table(node: int, name: str) -> list[tuple[Any, ...]]:
            return rows[data.nodes[node].branch][name]

        divided = self.divided

        def when(node: int) -> tuple[int, ...] | tuple[int, int | None]:
            """Return the year, and in a branch in months the month."""
            n = data.nodes[node]
            return (n.year, n.month) if n.branch in divided else (n.year,)

        for i, x in self.outcome.values.get("activity", {}).items():
            a = data.activity[i]
            if x * KILO > self.least[a.facility, a.process]:
                table(a.node, "activity").append(
                    (a.facility, a.process, self.country[a.facility], a.provenance, a.made, *when(a.node), x * KILO)
                )
        arrived = self._arrived() if self.instance.has_transit else {}
        for i, x in self.nonzero("ship"):
            s = data.ship[i]
            came = (arrived.pop((s.node, *route_of(s)), 0.0) * KILO,) if self.instance.has_transit else ()
            amounts = x * KILO, x * s.freight, x * s.tariff, *came
            table(s.node, "flows").append((*route_of(s), *when(s.node), *amounts))
        for (node, *route), x in arrived.items():
            if x * KILO > self.nothing:
                table(node, "flows").append((*route, *when(node), 0.0, 0.0, 0.0, x * KILO))
        for i, x in self.nonzero("buy"):
            k = data.buy[i]
            table(k.node, "purchases").append(
                (k.market, k.country, k.material, k.provenance, *when(k.node), x * KILO, x * k.price)
            )
        for i, x in self.nonzero("sell"):
            b = data.sell[i]
            table(b.node, "sales").append(
                (b.buyer, b.country, b.material, b.provenance, *when(b.node), x * KILO, -x * b.cost)
            )
        delivered: dict[tuple[int, str], float] = defaultdict(float)
        replaced_by = {s.substitute: s.replaced_by for s in self.instance.substitutes}
        for i, x in self.outcome.values.get("deliver", {}).items():
            z = data.deliver[i]
            delivered[z.need, REPLACED if z.substitute else z.provenance] += x * KILO
            if z.substitute and x * KILO > self.nothing:
                need = data.need[z.need]
                other, paid = (replaced_by[z.substitute], z.provenance), (x * KILO, x * z.cost)
                table(z.node, "substitution").append(
                    (z.substitute, need.country, need.sector, need.material, *other, *when(z.node), *paid)
                )
        value = self.amount("short")
        for d, need in enumerate(data.need):
            served = delivered[d, CLEAN], delivered[d, "exposed"]
            replaced = (delivered[d, REPLACED],) if replaced_by else ()
            table(need.node, "service").append(
                (
                    need.country,
                    need.sector,
                    need.material,
                    *when(need.node),
                    need.demand * KILO,
                    *served,
                    value(d) * KILO,
                    *replaced,
                )
            )
        for i, x in self.nonzero("collect"):
            r = data.collect[i]
            table(r.node, "returned").append((r.ret, r.country, r.material, r.provenance, *when(r.node), x * KILO))
        put, draw, stock = self.amount("put"), self.amount("draw"), self.amount("stock")
        for i, h in enumerate(data.stock):
            amounts = (put(i) * KILO, draw(i) * KILO, stock(i) * KILO)
            if max(amounts) > self.nothing:
                table(h.node, "stocks").append(
                    (h.stockpile, h.country, h.material, h.provenance, *when(h.node), *amounts)
                )
        for i, x in self.nonzero("run_down"):
            w = data.run_down[i]
            table(w.node, "working_stocks").append(
                (w.country, w.material, w.provenance, *when(w.node), x * KILO, x * w.cost)
            )
        for i, x in self.nonzero("surplus"):
            pool = data.pools[data.surplus[i]]
            table(pool.node, "adjustments").append(
                ("surplus", pool.material, pool.country, pool.provenance, *when(pool.node), x * KILO)
            )
        for i, x in self.nonzero("downgrade"):
            pool = data.pools[data.downgrade[i][0]]
            table(pool.node, "adjustments").append(
                ("downgrade", pool.material, pool.country, CLEAN, *when(pool.node), x * KILO)
            )
        for branch, of_branch in rows.items():
            if "builds" in of_branch:
                of_branch["builds"] = self.builds(branch)
        return rows

    def _arrived(self) -> dict[tuple[int, str, str, str, str], float]:
        """Return (node, material, origin, destination, provenance) -> what arrives there on that lane, kt/yr."""
        ships, lands = self.amount("ship"), self.amount("land")
        arrived: dict[tuple[int, str, str, str, str], float] = defaultdict(float)
        for pool in self.data.pools:
            for i, part in pool.arriving:
                arrived[pool.node, *route_of(self.data.ship[i])] += part * ships(i)
            for i in pool.landed:
                arrived[pool.node, *route_of(self.data.land[i])] += lands(i)
        return arrived

    # --- investment ---------------------------------------------------------------------------------------

    def started(self, branch: str = PLAN) -> list[tuple[int, float]]:
        """Return position in ``data.build`` and modules of all that a course starts."""
        return [(i, self.modules[i]) for i in self.data.starts[branch] if i in self.modules]

    def builds(self, branch: str = PLAN) -> list[tuple[Any, ...]]:
        """Return the rows of builds.csv of a course."""
        rows = []
        for i, count in self.started(branch):
            start = self.data.build[i]
            option = self.options[start.option]
            rows.append(
                (
                    option.option,
                    option.facility,
                    self.country[option.facility],
                    start.year,
                    start.year + option.lead_years,
                    count,
                    option.module_t * count,
                    option.capex_musd * count + self.excess(i),
                )
            )
        return rows

    def closed(self) -> dict[tuple[str, str, int], tuple[float, float]]:
        """Return (facility, kind, position of period) -> two shares of own capacity.

        The first is closed in the period, the second closes at its beginning.
        """
        shares: dict[tuple[str, str, int], tuple[float, float]] = {}
        value = self.amount("close")
        for i, closing in enumerate(self.data.close):
            part = value(i)
            if part <= CLOSED:
                continue
            for t in range(closing.first, closing.last + 1):
                there, new = shares.get((closing.facility, closing.kind, t), (0.0, 0.0))
                now = part if t == closing.first else 0.0
                shares[closing.facility, closing.kind, t] = (min(1.0, there + part), min(1.0, new + now))
        return shares

    def closures(self) -> list[tuple[Any, ...]]:
        """Return the rows of closures.csv."""
        facilities = {f.facility: f for f in self.instance.facilities}
        terms = {(c.facility, str(c.kind)): c for c in self.instance.closures}
        rows = []
        for (name, kind, t), (share, new) in self.closed().items():
            facility, period = facilities[name], self.prepared.periods[t]
            largest = largest_capacity(self.instance, facility)
            closed_t = share * largest * own_capacity_share(self.instance, facility, period)
            term = terms[name, kind]
            avoided = term.avoided_share * facility.fixed_om_usd_per_t * closed_t / 1e6
            part = capacity_part(self.instance, facility, period.first_year)
            paid = term.closing_usd_per_t * largest * part * new / 1e6
            if closed_t > self.nothing:
                rows.append((name, kind, self.country[name], period.first_year, share, closed_t, avoided, paid))
        return rows

    def capacity(self) -> list[tuple[Any, ...]]:
        """Return the rows of capacity.csv: what is available and what the plan uses, t/yr."""
        available: dict[tuple[str, int], float] = {}
        for t, period in enumerate(self.prepared.periods):
            for f in self.instance.facilities:
                largest = largest_capacity(self.instance, f)
                available[f.facility, t] = largest * own_capacity_share(self.instance, f, period)
        position = {p.first_year: t for t, p in enumerate(self.prepared.periods)}
        for facility, _, _, year, _, closed_t, _, _ in self.closures():
            left = available[facility, position[year]] - closed_t
            available[facility, position[year]] = max(0.0, left)
        for i, count in self.started():
            start = self.data.build[i]
            option = self.options[start.option]
            for t in range(start.period, len(self.prepared.periods)):
                if start.stockpile:
                    break  # a stockpile grows, not a plant
                share = module_share(option, start.year, self.prepared.periods[t])
                available[start.facility, t] += option.module_t * count * share
        used: dict[tuple[str, int], float] = defaultdict(float)
        value = self.amount("activity")
        for limit in self.data.capacity:
            node = self.data.nodes[limit.node]
            if node.branch == PLAN:
                used[limit.facility, node.period] = sum(k * value(a) for a, k in limit.use) * KILO
        return [
            (name, self.country[name], self.prepared.periods[t].first_year, capacity, used[name, t])
            for (name, t), capacity in available.items()
            if capacity > self.nothing or used[name, t] > self.nothing
        ]

    def funding(self) -> list[tuple[Any, ...]]:
        """Return the rows of funding.csv: who pays, by calendar year, with the least public money for these builds."""
        instance = self.instance
        may_draw = {row.option for row in instance.fund_options}
        rows: dict[tuple[str, str, int], float] = defaultdict(float)
        for i, count in self.started():
            option = self.options[self.data.build[i].option]
            if option.private_musd is None and option.option in may_draw:
                years = spending_years(option, self.data.build[i].year)
                for year in years:
                    rows[option.option, "private", year] += (option.capex_musd * count + self.excess(i)) / len(years)
        if self.data.private:
            excess = {i: self.amount("excess")(i) for i in range(len(self.data.excess))}
            split = least_public_money(self.data, self.modules, excess)
            for family, payments in (("private", self.data.private), ("fund_draw", self.data.fund_draw)):
                for p, amount in split.get(family, {}).items():
                    if payments[p].branch == PLAN:
                        rows[payments[p].option, payments[p].fund or "private", payments[p].year] += amount
        return [(*key, amount) for key, amount in rows.items() if amount > 1e-9]

    # --- money --------------------------------------------------------------------------------------------

    def costs(self) -> list[tuple[Any, ...]]:
        """Return the rows of costs.csv: component, year, yearly mean and present value, MUSD.

        Both are expected values over the plan and the branches.
        """
        data, periods = self.data, self.prepared.periods
        yearly: dict[tuple[str, int], float] = defaultdict(float)
        present: dict[tuple[str, int], float] = defaultdict(float)

        def pay(component: str, node: int, amount: float) -> None:
            n = data.nodes[node]
            present[component, n.period] += n.weight * amount
            yearly[component, n.period] += n.weight / periods[n.period].discount * amount

        for family, (listed, of_components) in RATES.items():
            rows = getattr(data, listed)
            for component, rate in of_components.items():
                for i, x in self.outcome.values.get(family, {}).items():
                    if x:
                        pay(component, rows[i].node, x * getattr(rows[i], rate))
        for of in data.impacts:
            for family, terms in of.operations if of.price else ():
                made = self.amount(family)
                for i, units in terms:
                    pay("impact", of.node, made(i) * units * of.price)
        missing = self.amount("missing")
        last = len(periods) - 1
        for floor in data.stock_floor:
            if floor.missing is not None:
                paid = missing(floor.missing) * floor.missing_cost
                present["shortage", last] += paid
                yearly["shortage", last] += paid / periods[last].discount
        for t, period in enumerate(periods):
            own = sum(
                f.fixed_om_usd_per_t * largest_capacity(self.instance, f) * own_capacity_share(self.instance, f, period)
                for f in self.instance.facilities
            )
            yearly["fixed_om", t] += own / 1e6
            present["fixed_om", t] += own / 1e6 * period.discount
        position = {p.first_year: t for t, p in enumerate(periods)}
        for *_, year, _, _, avoided, paid in self.closures():
            t = position[year]
            yearly["fixed_om", t] += paid / periods[t].length - avoided
            present["fixed_om", t] += paid * discount_factor(self.instance.discount_rate, year - self.instance.years[0])
            present["fixed_om", t] -= avoided * periods[t].discount
        self._pay_for_modules(yearly, present)
        return [
            (component, periods[t].first_year, yearly[component, t], present[component, t])
            for component in components(self.instance)
            for t in range(len(periods))
        ]

    def _pay_for_modules(self, yearly: dict[tuple[str, int], float], present: dict[tuple[str, int], float]) -> None:
        """Add annuities and fixed O&M of the modules built, expected over all courses, to ``yearly`` and ``present``.

        Both are MUSD.
        """
        instance, periods = self.instance, self.prepared.periods
        fixed_om = {f.facility: f.fixed_om_usd_per_t for f in instance.facilities}
        end = horizon_end(instance)
        for i, modules in self.modules.items():
            start = self.data.build[i]
            count = modules * start.probability
            option = self.options[start.option]
            wacc = instance.wacc if option.wacc is None else option.wacc
            capex = (modules * option.capex_musd + self.excess(i)) * start.probability
            annuity = capex * capital_recovery_factor(wacc, option.life_years)
            paid = annuity_years(option, start.year, end)
            if start.impact:
                present["impact", start.period] += count * start.impact
                yearly["impact", start.period] += count * start.impact / periods[start.period].discount
            for t in range(start.period, len(periods)):
                period = periods[t]
                upkeep = 0.0 if option.stockpile else fixed_om[option.facility]
                kept = count * option.module_t * module_share(option, start.year, period) * upkeep / 1e6
                yearly["fixed_om", t] += kept
                present["fixed_om", t] += kept * period.discount
                years = [y for y in period.calendar if y in paid]
                yearly["capex", t] += annuity * len(years) / period.length
                present["capex", t] += annuity * sum(
                    discount_factor(instance.discount_rate, y - instance.years[0]) for y in years
                )

    def impact_totals(self) -> list[tuple[Any, ...]]:
        """Return the rows of impact_totals.csv: what the plan causes of each impact, by kind and country."""
        data = self.data
        country = {k.market: k.country for k in self.instance.markets}
        home = {o.option: self.country.get(o.facility, "") for o in self.instance.options}
        places: dict[str, tuple[str, Callable[[int], str]]] = {
            "activity": ("operation", lambda i: self.country[data.activity[i].facility]),
            "ship": ("lane", lambda i: data.ship[i].destination),
            "buy": ("purchase", lambda i: country[data.buy[i].market]),
            "build": ("build", lambda i: home[data.build[i].option]),
        }
        totals: dict[tuple[str, str, str, int], float] = defaultdict(float)
        for of in data.impacts:
            node = data.nodes[of.node]
            for family, terms in (*of.operations, ("build", of.build)) if node.branch == PLAN else ():
                kind, place = places[family]
                value = self.amount(family) if family != "build" else lambda i: self.modules.get(i, 0.0)
                for i, units in terms:
                    totals[of.impact, kind, place(i), node.year] += units * value(i) * KILO
        price = {i.impact: i.price_usd_per_unit for i in self.instance.impacts}
        return [(*key, units, units * price[key[0]] / 1e6) for key, units in totals.items() if abs(units) > 1e-9]

    def prices(self) -> list[tuple[Any, ...]]:
        """Return the rows of prices.csv: the shadow price of a material where the plan can have it, USD/t undiscounted.

        A pool through which nothing passes has a blank: its dual is not determined, many would do as well. A pool of
        exposed material that nothing but downgraded clean material can enter has no row: the model leaves out the
        operations that would use it, so its dual says nothing about its value.
        """
        duals = self.outcome.duals.get("balance", {})
        rows: list[tuple[Any, ...]] = []
        for p, pool in enumerate(self.data.pools):
            node = self.data.nodes[pool.node]
            there = pool.made or pool.arriving or pool.landed or pool.bought or pool.held or pool.collected
            if node.branch == PLAN and there and p in duals:
                # the dual is what taking one kt/yr more out of the pool costs, over the period: MUSD per kt/yr
                price = duals[p] / node.weight * KILO + 0.0 if self._passed(pool) else None
                rows.append((pool.material, pool.country, pool.provenance, node.year, price))
        return rows

    def _passed(self, pool: Pool) -> bool:
        """Whether enough of a material comes into a pool, or is used, sent or delivered from it, to have a price."""
        runs, ships, delivers = self.amount("activity"), self.amount("ship"), self.amount("deliver")
        buys, draws, collects = self.amount("buy"), self.amount("draw"), self.amount("collect")
        coming = sum(runs(a) * t for a, t in pool.made) + sum(k * ships(i) for i, k in pool.arriving)
        coming += sum(buys(i) for i in pool.bought) + sum(draws(i) for i in pool.held)
        coming += sum(collects(i) for i in pool.collected)
        going = sum(runs(a) * t for a, t in pool.used) + sum(ships(i) for i in pool.leaving)
        going += sum(k * delivers(i) for i, k in pool.delivered) + sum(map(self.amount("sell"), pool.sold))
        return max(coming, going) * KILO > self.priced


def route_of(moved: Shipment | Landing) -> tuple[str, str, str, str]:
    """Return what is moved, from where, to where, and its provenance."""
    return moved.material, moved.origin, moved.destination, moved.provenance


def _least_activity(instance: Instance) -> dict[tuple[str, str], float]:
    """Return (facility, process) -> activity, t/yr, that counts as nothing.

    Up to it no input, output or use of capacity exceeds ``negligible_t``.
    """
    largest: dict[str, float] = defaultdict(lambda: 1.0)
    rows: tuple[Recipe | RecipeYield, ...] = (*instance.recipes, *instance.recipe_yields)
    for row in rows:
        largest[row.process] = max(largest[row.process], row.t_per_t)
    nothing = instance.negligible_t
    return {(o.facility, o.process): nothing / max(largest[o.process], o.capacity_per_t) for o in instance.operations}


def tables(prepared: Prepared, outcome: Outcome) -> tuple[Tables, dict[str, Tables]]:
    """Return the tables of the plan, and branch -> its tables."""
    from .dependence import dependence

    reader = Reader(prepared, outcome)
    operations = reader.operations()
    plan: Rows = operations.pop(PLAN)
    plan["builds"] = reader.builds()
    plan["capacity"] = reader.capacity()
    if reader.instance.closures:
        plan["closures"] = reader.closures()
    plan["dependence"] = dependence(prepared, outcome)
    if reader.instance.impacts:
        plan["impact_totals"] = reader.impact_totals()
    plan["prices"] = reader.prices()
    plan["costs"] = reader.costs()
    plan["funding"] = reader.funding()
    held = {branch: _tables(of, reader.instance, branch in reader.divided) for branch, of in operations.items()}
    return _tables(plan, reader.instance), held


def _tables(rows: Rows, instance: Instance, months: bool = False) -> Tables:
    return Tables({name: table(name, of, instance, months) for name, of in rows.items()})
