"""What one unit more of a number of the instance changes the present cost of a plan by, to first order.

Derivatives of the Lagrangian of the linear programme with the builds held: a cost counts with the quantity it is paid
on, a limit with its dual. Numbers of which this is not asked give None.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...instance.finance import annuity_years, capital_recovery_factor, discount_factor
from ...instance.timeline import horizon_end, ramped_share
from ...instance.wildcards import MovementTable

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...runs.run import Run

KILO = 1e-3
STEP = 1e-6  # relative step for numbers that enter a closed formula, such as the cost of capital


def marginal_values(instance: Instance, run: Run) -> Callable[[str, Any, str], float | None]:
    """A function (table, row, column) -> MUSD of present cost per unit of the cell; None where it is not known.

    Solves once with the builds of the run held.
    """
    from ...prepare import prepare
    from ...solving.pins import Pins
    from ...solving.search import optimise
    from ...solving.solver import Settings

    prepared = prepare(instance)
    outcome = optimise(prepared.data, Settings(), None, Pins.of(instance, run))
    return _Marginals(instance, prepared, outcome).of


class _Marginals:
    """Quantities and shadow prices of a solved plan, added up by what a cell of the instance touches.

    Keys end with the position of the period; quantities are kt, weighted by present value where a cost is paid on
    them; shadow prices are MUSD per kt/yr.
    """

    def __init__(self, instance: Instance, prepared: Any, outcome: Any) -> None:
        self.instance, self.data, self.span = instance, prepared.data, prepared.periods
        data, values, duals = self.data, outcome.first, outcome.duals
        self.opex: dict[tuple[str, str, int], float] = defaultdict(float)  # weight x kt
        self.buy: dict[tuple[str, int], float] = defaultdict(float)
        self.sold: dict[tuple[str, int], float] = defaultdict(float)
        self.capacity: dict[tuple[str, int], float] = defaultdict(float)  # MUSD per kt/yr more
        self.demand: dict[tuple[str, str, str, int], float] = defaultdict(float)
        self.recipe: dict[tuple[str, str], dict[int, float]] = defaultdict(lambda: defaultdict(float))
        self.short: dict[str, float] = defaultdict(float)
        price = duals.get("balance", {})
        pools = {(p.material, p.country, p.provenance, p.node): i for i, p in enumerate(data.pools)}
        country = {f.facility: f.country for f in instance.facilities}
        recipes: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for r in instance.recipes:
            recipes[r.process].append((r.material, r.role))
        for i, a in enumerate(data.activity):
            x = values.get("activity", {}).get(i, 0.0)
            if not x:
                continue
            node = data.nodes[a.node]
            self.opex[a.facility, a.process, node.period] += node.weight * x
            for material, role in recipes[a.process]:
                provenance = a.provenance if role == "input" else a.made
                p = pools.get((material, country[a.facility], provenance, a.node))
                worth = price.get(p, 0.0) if p is not None else 0.0
                # using a unit more takes it out of the pool, making one more puts it in
                self.recipe[a.process, f"{material}/{role}"][node.period] += (x if role == "input" else -x) * worth
        for i, taken in enumerate(data.offtake):  # a better yield helps to make what is to be taken
            duty = duals.get("offtake", {}).get(i, 0.0)
            for made, _ in taken.made:
                of = (data.activity[made].process, f"{taken.material}/output")
                x = values.get("activity", {}).get(made, 0.0)
                self.recipe[of][data.nodes[taken.node].period] -= x * duty
        for i, k in enumerate(data.buy):
            node = data.nodes[k.node]
            self.buy[k.market, node.period] += node.weight * values.get("buy", {}).get(i, 0.0)
        self.moved: dict[tuple[str, Any], float] = defaultdict(float)  # row of lanes or tariffs -> MUSD per unit of it
        value = {m.material: m.value_usd_per_t for m in instance.materials}
        years = {period.first_year for period in self.span}
        rows_of = {
            (table, year): MovementTable(instance.rows(table), year) for table in ("lanes", "tariffs") for year in years
        }
        for i, s in enumerate(data.ship):
            node = data.nodes[s.node]
            paid = KILO * node.weight * values.get("ship", {}).get(i, 0.0)
            for table, unit in (("lanes", 1.0), ("tariffs", value[s.material])):
                found = rows_of[table, self.span[node.period].first_year].find(s.material, s.origin, s.destination)
                if found is not None:
                    self.moved[table, found.identity] += paid * unit
        self.lanes_used: dict[Any, float] = defaultdict(float)  # row of lanes -> MUSD per MUSD of its fixed cost
        for i, of in enumerate(data.used):
            node = data.nodes[of.node]
            row = rows_of["lanes", self.span[node.period].first_year].find(of.material, of.origin, of.destination)
            if row is not None:
                self.lanes_used[row.identity] += node.weight * values.get("used", {}).get(i, 0.0)
        for i, sale in enumerate(data.sell):
            sold = data.nodes[sale.node].weight * values.get("sell", {}).get(i, 0.0)
            self.sold[sale.buyer, data.nodes[sale.node].period] -= sold
        closed = values.get("close", {})
        self.closing: dict[str, float] = defaultdict(float)  # MUSD for the whole plant
        for i, closing in enumerate(data.close):
            self.closing[closing.facility] += closed.get(i, 0.0) * closing.cost
        rows = duals.get("capacity_limit", {})
        for i, limit in enumerate(data.capacity):
            worth = min(0.0, rows.get(i, 0.0))
            if limit.own:  # of a larger plant the same part is closed
                worth *= 1.0 - sum(closed.get(c, 0.0) * own for c, own in limit.closed) / limit.own
            if limit.least_use > 0.0:  # a larger plant must be used more
                worth += duals.get("least_use", {}).get(i, 0.0) * limit.least_use / limit.own
            self.capacity[limit.facility, data.nodes[limit.node].period] += worth
        for d, need in enumerate(data.need):
            period = data.nodes[need.node].period
            self.demand[need.country, need.sector, need.material, period] += duals.get("demand", {}).get(d, 0.0)
            short = values.get("short", {}).get(d, 0.0)
            self.short[need.sector] += data.nodes[need.node].weight * short
        for i, swap in enumerate(data.swap_limit):  # of a larger demand the same share can be replaced
            share = swap.limit / data.need[swap.need].demand
            key = (swap.country, swap.sector, swap.material, data.nodes[swap.node].period)
            self.demand[key] += duals.get("swap_limit", {}).get(i, 0.0) * share
        self.paid: dict[tuple[str, str], float] = defaultdict(float)  # (table, key) -> weight x kt or thousand units
        for i, z in enumerate(data.deliver):
            if z.substitute:
                replaced = values.get("deliver", {}).get(i, 0.0)
                self.paid["substitutes", z.substitute] += data.nodes[z.node].weight * replaced
        for of in data.impacts:
            for family, terms in (*of.operations, ("build", of.build)):
                caused = sum(units * values.get(family, {}).get(i, 0.0) for i, units in terms)
                self.paid["impacts", of.impact] += data.nodes[of.node].weight * caused
        for i, cap in enumerate(data.caps["exposed_share"]):  # more demand leaves more room under a share of it
            room = duals.get("exposed_share", {}).get(i, 0.0) * cap.limit
            for part in cap.parts:
                for d in part.total:
                    need = data.need[d]
                    period = data.nodes[need.node].period
                    self.demand[need.country, need.sector, need.material, period] += part.share * room
        self.modules: dict[tuple[str, int], float] = defaultdict(float)  # option, year -> expected over all courses
        for i, start in enumerate(data.build):
            self.modules[start.option, start.year] += start.probability * values.get("build", {}).get(i, 0.0)
        self.options = {o.option: o for o in instance.options}
        self.end = horizon_end(instance)

    def of(self, table: str, row: Any, column: str) -> float | None:
        """MUSD of present cost per unit of a cell; None if that is not known for its column."""
        known = {
            ("operations", "opex_usd_per_t"): self._opex,
            ("options", "capex_musd"): self._capex,
            ("options", "wacc"): self._wacc,
            ("facilities", "capacity_t"): self._capacity,
            ("facility_capacity", "capacity_t"): self._capacity_point,
            ("demand", "demand_t"): self._demand,
            ("market_prices", "price_usd_per_t"): self._price,
            ("buyer_prices", "price_usd_per_t"): self._revenue,
            ("recipes", "t_per_t"): self._recipe,
            ("lanes", "cost_usd_per_t"): self._moved,
            ("lanes", "fixed_musd"): lambda row: self.lanes_used[row.identity],
            ("tariffs", "rate"): self._moved,
            ("sectors", "shortage_usd_per_t"): self._shortage,
            ("substitutes", "cost_usd_per_t"): self._paid,
            ("impacts", "price_usd_per_unit"): self._paid,
        }
        ask = known.get((table, column))
        return None if ask is None else ask(row)

    def _opex(self, row: Any) -> float | None:
        if any((c.facility, c.process) == (row.facility, row.process) for c in self.instance.operation_costs):
            return 0.0  # a series stands in its place
        return KILO * sum(self.opex.get((row.facility, row.process, t), 0.0) for t in range(len(self.span)))

    def _annuity(self, row: Any, wacc: float) -> float:
        """Present annuities of the modules built, per MUSD of capex of a module."""
        yearly = capital_recovery_factor(wacc, row.life_years)
        rate, first = self.instance.discount_rate, self.instance.years[0]
        return sum(
            count * yearly * sum(discount_factor(rate, y - first) for y in annuity_years(row, start, self.end))
            for (option, start), count in self.modules.items()
            if option == row.option
        )

    def _wacc_of(self, row: Any) -> float:
        return float(self.instance.wacc if row.wacc is None else row.wacc)

    def _capex(self, row: Any) -> float | None:
        if row.option in self.instance.sizes:
            return None  # of the largest size, of which the plan may have only a part
        return self._annuity(row, self._wacc_of(row))

    def _wacc(self, row: Any) -> float | None:
        if row.option in self.instance.sizes:
            return None
        wacc = self._wacc_of(row)
        step = max(wacc, 0.01) * STEP
        return float(row.capex_musd) * (self._annuity(row, wacc + step) - self._annuity(row, wacc)) / step

    def _capacity(self, row: Any) -> float:
        if row.facility in self.instance.capacity_series:
            return 0.0  # a series stands in its place
        closing = self.closing.get(row.facility, 0.0) / row.capacity_t if row.capacity_t else 0.0
        return closing + self._own_capacity(row, [1.0] * len(self.span))

    def _own_capacity(self, row: Any, weights: list[float]) -> float:
        """MUSD per t/yr of own capacity of a facility that counts with a weight in each period."""
        upkeep = row.fixed_om_usd_per_t * 1e-6
        return sum(
            weight * ramped_share(row, p) * (KILO * self.capacity.get((row.facility, t), 0.0) + upkeep * p.discount)
            for t, (weight, p) in enumerate(zip(weights, self.span, strict=True))
        )

    def _capacity_point(self, row: Any) -> float | None:
        """MUSD per t/yr of a cell of facility_capacity.csv; not known where the plant may close."""
        if any(c.facility == row.facility for c in self.instance.closures):
            return None
        facility = next(f for f in self.instance.facilities if f.facility == row.facility)
        points = list(self.instance.capacity_series[row.facility])
        return self._own_capacity(facility, self._weights(points, row.year))

    def _demand(self, row: Any) -> float:
        """MUSD per t/yr of a cell of demand.csv: shadow prices of the periods, weighted by how far the point counts."""
        points = [
            d.year
            for d in self.instance.demand
            if (d.country, d.sector, d.material) == (row.country, row.sector, row.material)
        ]
        return KILO * sum(
            weight * self.demand.get((row.country, row.sector, row.material, t), 0.0)
            for t, weight in enumerate(self._weights(points, row.year))
        )

    def _price(self, row: Any) -> float:
        points = [p.year for p in self.instance.market_prices if p.market == row.market]
        weights = self._weights(points, row.year)
        return KILO * sum(weight * self.buy.get((row.market, t), 0.0) for t, weight in enumerate(weights))

    def _revenue(self, row: Any) -> float:
        points = [p.year for p in self.instance.buyer_prices if p.buyer == row.buyer]
        weights = self._weights(points, row.year)
        return KILO * sum(weight * self.sold.get((row.buyer, t), 0.0) for t, weight in enumerate(weights))

    def _weights(self, points: list[int | None], year: int | None) -> list[float]:
        """How much a point of a series counts in each period."""
        from ...instance.timeline import series_value

        hat = {point: 1.0 if point == year else 0.0 for point in points}
        return [series_value(hat, p.first_year) for p in self.span]

    def _recipe(self, row: Any) -> float | None:
        if any(
            (y.process, y.material, y.role) == (row.process, row.material, row.role)
            for y in self.instance.recipe_yields
        ):
            return 0.0
        return sum(self.recipe.get((row.process, f"{row.material}/{row.role}"), {}).values())

    def _moved(self, row: Any) -> float:
        return self.moved.get((row.TABLE, row.identity), 0.0)

    def _paid(self, row: Any) -> float:
        return KILO * self.paid.get((row.TABLE, str(row.identity[0])), 0.0)

    def _shortage(self, row: Any) -> float:
        return KILO * self.short.get(row.sector, 0.0)
