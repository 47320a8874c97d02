r"""Looks up what the instance says about a facility, movement, price or year.

.. math::
    D_t = \sum_{k=0}^{w_t-1} (1+r)^{-(y_t+k-y_0)}
    \qquad share(y) = \min\Bigl(1, \frac{y-a+1}{\max(1, ramp)}\Bigr), \; a \le y < a + life
    \qquad CRF(w, n) = \frac{w}{1-(1+w)^{-n}}

Here D_t is the present value of 1 a year in period t, share the part of a capacity that is there in calendar year y
after it came online in year a, and CRF the capital recovery factor. The preparation of the model (``planner/prepare``)
is not used: an audit that shares code with what it audits would share its mistakes.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TypeVar

from ..instance.instance import Instance
from ..instance.tables import Facility, Lane, Market, Option, Tariff

CLEAN, EXPOSED = "clean", "exposed"
PROVENANCES = (CLEAN, EXPOSED)
ANY = "*"

Points = list[tuple[int, float]]
Route = TypeVar("Route", Lane, Tariff)


def interpolated(points: Points, year: int) -> float:
    """Return a series' value in ``year``: linear between listed years, constant before the first and after the last.

    >>> interpolated([(2026, 10.0), (2030, 20.0)], 2029)
    17.5
    """
    if year <= points[0][0]:
        return points[0][1]
    for (before, low), (after, high) in itertools.pairwise(points):
        if year <= after:
            return low + (high - low) * (year - before) / (after - before)
    return points[-1][1]


def ramped(year: int, online: int, ramp: int) -> float:
    """Return the share, 0 to 1, of a capacity online since ``online`` that is there in ``year``; its end is ignored.

    >>> [ramped(y, 2027, 2) for y in (2026, 2027, 2028, 2029)]
    [0.0, 0.5, 1.0, 1.0]
    """
    if year < online:
        return 0.0
    return min(1.0, (year - online + 1) / max(1, ramp))


def recovery(rate: float, years: int) -> float:
    """Return the capital recovery factor: the yearly payment that repays 1 over ``years`` at ``rate``.

    >>> round(recovery(0.08, 3), 9), recovery(0.0, 4)
    (0.388033514, 0.25)
    """
    return float(1.0 / sum((1.0 + rate) ** -year for year in range(1, years + 1)))


class Facts:
    """Look-ups on one instance, in t/yr, USD/t, MUSD and calendar years; a period is named by its first year.

    Its scenarios are left to `Disturbance`, so that all branches of a plan share what is looked up here.

    length  first year of a period -> its number of calendar years
    factor  first year of a period -> D_t, the present value of 1 a year, in years
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.years = tuple(instance.years)
        ends = (*self.years[1:], self.years[-1] + instance.last_period_years)
        self.length = {year: end - year for year, end in zip(self.years, ends, strict=True)}
        self.first, self.last = self.years[0], ends[-1] - 1  # first and last calendar year of the horizon
        self.factor = {year: sum(self.discount(year + k) for k in range(self.length[year])) for year in self.years}

        self.countries = {row.country: row for row in instance.countries}
        self.materials = {row.material: row for row in instance.materials}
        self.processes = {row.process: row for row in instance.processes}
        self.facilities = {row.facility: row for row in instance.facilities}
        self.operations = {(row.facility, row.process): row for row in instance.operations}
        self.options = {row.option: row for row in instance.options}
        self.sectors = {row.sector: row for row in instance.sectors}
        self.markets = {row.market: row for row in instance.markets}
        self.buyers = {row.buyer: row for row in instance.buyers}
        self.stockpiles = {row.stockpile: row for row in instance.stockpiles}
        self.working_stocks = {(row.material, row.country): row for row in instance.working_stocks}
        self.caps = {row.cap: row for row in instance.caps}
        self.funds = {row.fund: row for row in instance.funds}
        self.returns = {row.called: row for row in instance.returns}
        self.impacts = {row.impact: row for row in instance.impacts}
        self.substitutes = {row.substitute: row for row in instance.substitutes}
        self.whole = True
        self.stages = tuple(instance.stages)
        self.concern = frozenset(instance.countries_of_concern)

        self._members: dict[str, frozenset[str]] = {}
        self._recipes: dict[tuple[str, str, int], tuple[tuple[str, float], ...]] = {}
        self._lanes = _by_route(instance.lanes)
        self._tariffs = _by_route(instance.tariffs)
        self._own_shares: dict[tuple[str, int], float] = {}
        self._moves: dict[tuple[str, str, str, int], tuple[Lane | None, float]] = {}

    # --- time and money

    def calendar(self, year: int) -> range:
        """The calendar years of the period that begins in ``year``."""
        return range(year, year + self.length[year])

    def discount(self, year: int) -> float:
        """Present value, at the first year, of 1 paid in calendar year ``year``."""
        return float((1.0 + self.instance.discount_rate) ** -(year - self.years[0]))

    def recovered(self, option: Option) -> float:
        """Return the part of the capex of an option that is paid in each year in which it is online."""
        wacc = self.instance.wacc if option.wacc is None else option.wacc
        return recovery(wacc, option.life_years)

    def capex(self, option: Option, modules: float) -> float:
        """Return the overnight cost, MUSD, of modules that are started at once; with sizes, by their size."""
        points = self._sizes.get(option.option)
        if not points:
            return option.capex_musd * modules
        size = modules * option.module_t
        for (small, cheap), (large, dear) in itertools.pairwise([(0.0, 0.0), *points]):
            if size <= large:
                return cheap + (dear - cheap) * (size - small) / (large - small)
        return option.capex_musd * modules

    def least_size(self, option: Option) -> float:
        """Return the least modules of an option that can be started at once; 0 without sizes."""
        points = self._sizes.get(option.option)
        return points[0][0] / option.module_t if points else 0.0

    @cached_property
    def _sizes(self) -> dict[str, list[tuple[float, float]]]:
        points: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for row in self.instance.option_sizes:
            points[row.option].append((row.capacity_t, row.capex_musd))
        own = {name: (row.module_t, row.capex_musd) for name, row in self.options.items()}
        return {name: [*sorted(smaller), own[name]] for name, smaller in points.items()}

    # --- capacity

    def own_share(self, facility: Facility, year: int) -> float:
        """Mean share of the facility's nameplate over the period that begins in ``year``, by its years and ramp."""
        key = (facility.facility, year)
        if key not in self._own_shares:
            self._own_shares[key] = self._mean(
                0.0
                if facility.last_year is not None and y > facility.last_year
                else 1.0
                if facility.first_year is None
                else ramped(y, facility.first_year, facility.ramp_years)
                for y in self.calendar(year)
            )
        return self._own_shares[key]

    def nameplate(self, facility: Facility, year: int) -> float:
        """Own capacity at nameplate, t/yr, in the period that begins in ``year``: capacity_t, or its series."""
        points = self._capacities.get((facility.facility,))
        return interpolated(points, year) if points else facility.capacity_t

    def own(self, facility: Facility, year: int) -> float:
        """Own capacity, t/yr, in the period that begins in ``year``: mean of its years."""
        return self.nameplate(facility, year) * self.own_share(facility, year)

    @cached_property
    def _capacities(self) -> dict[tuple[str, ...], Points]:
        rows = self.instance.facility_capacity
        return _series(((row.facility,), row.year, row.capacity_t) for row in rows)

    def full(self, facility: Facility) -> float:
        """The largest own capacity at nameplate, t/yr, whatever the year."""
        points = self._capacities.get((facility.facility,))
        return max(t for _, t in points) if points else facility.capacity_t

    def module_share(self, option: Option, start: int, year: int) -> float:
        """Mean share of a module started in ``start`` over the period that begins in ``year``."""
        online = start + option.lead_years
        gone = online + option.life_years
        return self._mean(0.0 if y >= gone else ramped(y, online, option.ramp_years) for y in self.calendar(year))

    @staticmethod
    def _mean(shares: Iterable[float]) -> float:
        values = list(shares)
        return sum(values) / len(values)

    # --- making

    def of_concern(self, facility: str) -> bool:
        """Return whether all that the facility makes is exposed, by its country or by its ties."""
        row = self.facilities[facility]
        return row.concern_tie or row.country in self.concern

    def recipe(self, process: str, role: str, year: int) -> tuple[tuple[str, float], ...]:
        """Materials and tonnes per tonne of activity, of a role, in the period that begins in ``year``."""
        key = (process, role, year)
        if key not in self._recipes:
            self._recipes[key] = tuple(
                (material, self._yield(process, material, role, t_per_t, year))
                for material, t_per_t in self._recipe_rows.get((process, role), ())
            )
        return self._recipes[key]

    def provenances(self, facility: str, process: str) -> tuple[tuple[str, str], ...]:
        """The (input, output) provenances an operation can have."""
        if self.of_concern(facility):
            return ((EXPOSED, EXPOSED),)
        if (process, "input") not in self._recipe_rows:
            return ((CLEAN, CLEAN),)
        if self.processes[process].restores_provenance:
            return ((CLEAN, CLEAN), (EXPOSED, CLEAN))
        return ((CLEAN, CLEAN), (EXPOSED, EXPOSED))

    def outputs(self, facility: str) -> frozenset[str]:
        """Every material the facility can make."""
        return self._outputs.get(facility, frozenset())

    def opex(self, facility: str, process: str, year: int) -> float:
        """USD per tonne of activity in the period that begins in ``year``."""
        points = self._opex.get((facility, process))
        return interpolated(points, year) if points else self.operations[facility, process].opex_usd_per_t

    @cached_property
    def _recipe_rows(self) -> dict[tuple[str, str], list[tuple[str, float]]]:
        rows: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
        for row in self.instance.recipes:
            rows[row.process, row.role].append((row.material, row.t_per_t))
        return dict(rows)

    @cached_property
    def _outputs(self) -> dict[str, frozenset[str]]:
        made: dict[str, set[str]] = defaultdict(set)
        for facility, process in self.operations:
            made[facility].update(material for material, _ in self._recipe_rows.get((process, "output"), ()))
        return {facility: frozenset(materials) for facility, materials in made.items()}

    @cached_property
    def _yields(self) -> dict[tuple[str, ...], Points]:
        rows = self.instance.recipe_yields
        return _series(((row.process, row.material, row.role), row.year, row.t_per_t) for row in rows)

    @cached_property
    def _opex(self) -> dict[tuple[str, ...], Points]:
        rows = self.instance.operation_costs
        return _series(((row.facility, row.process), row.year, row.opex_usd_per_t) for row in rows)

    def _yield(self, process: str, material: str, role: str, t_per_t: float, year: int) -> float:
        points = self._yields.get((process, material, role))
        return interpolated(points, year) if points else t_per_t

    # --- moving

    def lane(self, material: str, origin: str, destination: str, year: int) -> Lane | None:
        """Return the lane of a movement in the period that begins in ``year``; None: no movement is allowed."""
        return self._move(material, origin, destination, year)[0]

    def duty(self, material: str, origin: str, destination: str, year: int) -> float:
        """Tariff in USD per tonne."""
        return self._move(material, origin, destination, year)[1]

    def _move(self, material: str, origin: str, destination: str, year: int) -> tuple[Lane | None, float]:
        key = (material, origin, destination, year)
        if key not in self._moves:
            lane = _most_specific(self._lanes, *key)
            tariff = _most_specific(self._tariffs, *key)
            value = self.materials[material].value_usd_per_t
            self._moves[key] = (lane, tariff.rate * value if tariff else 0.0)
        return self._moves[key]

    # --- buying and selling

    def market_provenance(self, market: Market) -> str:
        """Provenance of all that the market sells."""
        exposed = market.country in self.concern if market.exposed is None else market.exposed
        return EXPOSED if exposed else CLEAN

    def price(self, market: str, year: int) -> float | None:
        """USD per tonne in the period that begins in ``year``; None if the market names no price."""
        points = self._prices.get((market,))
        return interpolated(points, year) if points else None

    def market_limit(self, market: str, year: int) -> float | None:
        """Return the most that the market sells, t/yr; None: any amount."""
        points = self._limits.get((market,))
        return interpolated(points, year) if points else None

    def paid(self, buyer: str, column: str, year: int) -> float | None:
        """Return a figure of buyer_prices.csv in the period that begins in ``year``; None if it is blank."""
        points = self._buyer_prices.get((buyer, column))
        return interpolated(points, year) if points else None

    @cached_property
    def _buyer_prices(self) -> dict[tuple[str, ...], Points]:
        columns = ("price_usd_per_t", "min_t", "max_t")
        cells = ((row, column, getattr(row, column)) for row in self.instance.buyer_prices for column in columns)
        return _series(((row.buyer, column), row.year, value) for row, column, value in cells if value is not None)

    @cached_property
    def demands(self) -> dict[tuple[str, ...], Points]:
        """Tonnes a year by country, sector and material."""
        rows = self.instance.demand
        return _series(((row.country, row.sector, row.material), row.year, row.demand_t) for row in rows)

    @cached_property
    def _prices(self) -> dict[tuple[str, ...], Points]:
        rows = self.instance.market_prices
        return _series(((row.market,), row.year, row.price_usd_per_t) for row in rows)

    @cached_property
    def _limits(self) -> dict[tuple[str, ...], Points]:
        rows = self.instance.market_prices
        return _series(((row.market,), row.year, row.max_t) for row in rows if row.max_t is not None)

    def demand_share(self, substitute: str, year: int) -> float:
        """Return the largest share of a demand that a substitute can replace in the period that begins in ``year``."""
        points = self._demand_shares.get((substitute,))
        return interpolated(points, year) if points else 0.0

    def taken(self, substitute: str, t: float) -> float:
        """Return the tonnes of the other material that a substitute takes to replace ``t``."""
        t_per_t = self.substitutes[substitute].t_per_t
        return t if t_per_t is None else t * t_per_t

    @cached_property
    def _demand_shares(self) -> dict[tuple[str, ...], Points]:
        rows = self.instance.substitute_shares
        return _series(((row.substitute,), row.year, row.max_share) for row in rows)

    # --- groups

    def members(self, name: str) -> frozenset[str]:
        """The countries meant by a country, a bloc or, blank, all of them."""
        if name not in self._members:
            self._members[name] = frozenset(
                country for country, row in self.countries.items() if name in ("", country, row.bloc)
            )
        return self._members[name]

    def strategic(self, stage: str) -> tuple[str, ...]:
        """The strategic materials of a stage."""
        return tuple(m for m, row in self.materials.items() if row.strategic and row.stage == stage)

    @cached_property
    def names(self) -> dict[str, frozenset[str]]:
        """Column of a run's tables -> the names that may stand in it."""
        countries, provenances = frozenset(self.countries), frozenset(PROVENANCES)
        return {
            "option": frozenset(self.options),
            "facility": frozenset(self.facilities),
            "process": frozenset(self.processes),
            "material": frozenset(self.materials),
            "country": countries,
            "origin": countries,
            "destination": countries,
            "market": frozenset(self.markets),
            "buyer": frozenset(self.buyers),
            "stockpile": frozenset(self.stockpiles),
            "sector": frozenset(self.sectors),
            "return": frozenset(self.returns),
            "impact": frozenset(self.impacts),
            "substitute": frozenset(self.substitutes),
            "replaced_by": frozenset(self.materials),
            "provenance": provenances,
            "input_provenance": provenances,
            "output_provenance": provenances,
        }

    @cached_property
    def blocs(self) -> frozenset[str]:
        return frozenset(row.bloc for row in self.countries.values() if row.bloc)

    @cached_property
    def funds_of(self) -> dict[str, tuple[str, ...]]:
        """The funds an option may draw on."""
        funds: dict[str, list[str]] = defaultdict(list)
        for row in self.instance.fund_options:
            funds[row.option].append(row.fund)
        return {option: tuple(names) for option, names in funds.items()}


def _series(rows: Iterable[tuple[tuple[str, ...], int | None, float]]) -> dict[tuple[str, ...], Points]:
    """Return key -> points of a series, sorted by year; a point without a year (year 0) is for every year."""
    points: dict[tuple[str, ...], Points] = defaultdict(list)
    for key, year, value in rows:
        points[key].append((0 if year is None else year, value))
    return {key: sorted(values) for key, values in points.items()}


def _by_route(rows: Sequence[Route]) -> dict[tuple[str, str, str], list[Route]]:
    routes: dict[tuple[str, str, str], list[Route]] = defaultdict(list)
    for row in rows:
        routes[row.material, row.origin, row.destination].append(row)
    return dict(routes)


def _most_specific(
    routes: dict[tuple[str, str, str], list[Route]], material: str, origin: str, destination: str, year: int
) -> Route | None:
    """Of the rows valid in ``year``: exact material beats exact origin beats exact destination."""
    for m in (material, ANY):
        for i in (origin, ANY):
            for j in (destination, ANY):
                for row in routes.get((m, i, j), ()):
                    begun = row.first_year is None or row.first_year <= year
                    if begun and (row.last_year is None or year <= row.last_year):
                        return row
    return None
