"""What holds in a period, the same in all branches: recipes, lanes, tariffs, prices, demand, own capacity."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..instance.timeline import Period, largest_capacity, own_capacity_share, series_value
from ..instance.wildcards import MovementTable, members, valid_in
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Operation as OperationRow
    from ..instance.tables import Recipe

MONTHS_PER_WEEK = 12.0 / 52.0


class Operation(NamedTuple):
    """A process at a facility in a period.

    concern   the facility is in a country of concern or tied to one, so all that it makes is exposed
    restores  what the process makes is clean whatever its inputs (if the facility is not of concern)
    """

    facility: str
    process: str
    country: str
    concern: bool
    restores: bool
    inputs: tuple[tuple[str, float], ...]  # material, t per t of activity
    outputs: tuple[tuple[str, float], ...]  # material, t per t of activity
    opex: float  # MUSD/kt
    capacity_per_t: float  # t of capacity per t of activity


class Lane(NamedTuple):
    """A way for a material from its origin to another country; ``limit`` None: any amount."""

    destination: str
    freight: float  # MUSD/kt
    tariff: float  # MUSD/kt
    limit: float | None  # kt/yr
    least: float  # kt/yr, if anything moves
    fixed: float  # MUSD a year in which anything moves
    transit: float  # months under way


class Offer(NamedTuple):
    """What a market sells in a period; ``limit`` None: any amount."""

    market: str
    country: str
    material: str
    exposed: bool
    price: float  # MUSD/kt
    limit: float | None  # kt/yr


class Purchaser(NamedTuple):
    """What a buyer pays, and the least and the most that it is sold; ``most`` None: any amount."""

    buyer: str
    country: str
    material: str
    clean_only: bool
    price: float  # MUSD/kt
    least: float  # kt/yr
    most: float | None  # kt/yr


class Swap(NamedTuple):
    """A substitute for part of a demand; ``replaced_by`` blank: thrift, which needs no material."""

    substitute: str
    replaced_by: str
    t_per_t: float  # of replaced_by per tonne replaced
    cost: float  # MUSD/kt replaced
    share: float  # most that it can replace, as a share of the demand


class SectorDemand(NamedTuple):
    """A sector's demand in a period; ``clean_only``: it takes no exposed material."""

    country: str
    sector: str
    material: str
    demand: float  # kt/yr
    shortage_cost: float  # MUSD/kt
    min_service: float  # share of the demand that must be served
    clean_only: bool
    swaps: tuple[Swap, ...] = ()


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """The facts of a period.

    lanes         (material, origin) -> lanes
    own_capacity  facility -> kt/yr, mean of the period
    """

    operations: tuple[Operation, ...]
    lanes: dict[tuple[str, str], list[Lane]]
    offers: tuple[Offer, ...]
    demands: tuple[SectorDemand, ...]
    own_capacity: dict[str, float]
    purchasers: tuple[Purchaser, ...] = ()


class FactSource:
    """The tables of an instance that vary by year, grouped once; ``facts`` gives those of a period."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._yields: dict[tuple[str, str, str], dict[int | None, float]] = defaultdict(dict)
        for r in instance.recipe_yields:
            self._yields[r.process, r.material, r.role][r.year] = r.t_per_t
        self._recipes: dict[tuple[str, str], list[Recipe]] = defaultdict(list)
        for recipe in instance.recipes:
            self._recipes[recipe.process, recipe.role].append(recipe)
        self._facilities = {f.facility: f for f in instance.facilities}
        self._restoring = {p.process for p in instance.processes if p.restores_provenance}
        self._steady: dict[int, Operation] = {}
        self._opex: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)
        for c in instance.operation_costs:
            self._opex[c.facility, c.process][c.year] = c.opex_usd_per_t
        self._prices: dict[str, dict[int | None, float]] = defaultdict(dict)
        self._limits: dict[str, dict[int | None, float]] = defaultdict(dict)
        for p in instance.market_prices:
            self._prices[p.market][p.year] = p.price_usd_per_t
            if p.max_t is not None:
                self._limits[p.market][p.year] = p.max_t
        self._paid: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)  # buyer, column
        for b in instance.buyer_prices:
            self._paid[b.buyer, "price"][b.year] = b.price_usd_per_t
            self._paid[b.buyer, "least"][b.year] = b.min_t
            if b.max_t is not None:
                self._paid[b.buyer, "most"][b.year] = b.max_t
        self._lanes_of: dict[tuple[int, ...], dict[tuple[str, str], list[Lane]]] = {}
        self._demand: dict[tuple[str, str, str], dict[int | None, float]] = defaultdict(dict)
        for d in instance.demand:
            self._demand[d.country, d.sector, d.material][d.year] = d.demand_t
        self._shares: dict[str, dict[int | None, float]] = defaultdict(dict)
        for s in instance.substitute_shares:
            self._shares[s.substitute][s.year] = s.max_share

    def facts(self, period: Period) -> PeriodFacts:
        """Return the facts of ``period``; series, lanes and tariffs are those of its first year."""
        year, instance = period.first_year, self._instance
        return PeriodFacts(
            operations=self._operations(year),
            lanes=self._lanes(year),
            offers=self._offers(year),
            demands=self._demands(year),
            purchasers=self._purchasers(year),
            own_capacity={
                f.facility: largest_capacity(instance, f) * KILO * own_capacity_share(instance, f, period)
                for f in instance.facilities
            },
        )

    def _operations(self, year: int) -> tuple[Operation, ...]:
        """Return all operations, with the yields and operating costs of a year."""
        varying = {process for process, _, _ in self._yields}
        result = []
        for i, row in enumerate(self._instance.operations):
            if (found := self._steady.get(i)) is None:
                found = self._operation(row, year)
                if row.process not in varying and (row.facility, row.process) not in self._opex:
                    self._steady[i] = found  # it is the same in all years
            result.append(found)
        return tuple(result)

    def _operation(self, row: OperationRow, year: int) -> Operation:
        facility = self._facilities[row.facility]
        costs = self._opex.get((row.facility, row.process))
        return Operation(
            facility=row.facility,
            process=row.process,
            country=facility.country,
            concern=facility.concern_tie or facility.country in self._instance.countries_of_concern,
            restores=row.process in self._restoring,
            inputs=self._per_tonne(row.process, "input", year),
            outputs=self._per_tonne(row.process, "output", year),
            opex=(series_value(costs, year) if costs else row.opex_usd_per_t) * KILO,
            capacity_per_t=row.capacity_per_t,
        )

    def _per_tonne(self, process: str, role: str, year: int) -> tuple[tuple[str, float], ...]:
        """Return what a process takes in or makes, and tonnes of it per tonne of activity in a year."""
        return tuple(
            (r.material, series_value(series, year) if series else r.t_per_t)
            for r in self._recipes.get((process, role), ())
            for series in [self._yields.get((process, r.material, role))]
        )

    def _lanes(self, year: int) -> dict[tuple[str, str], list[Lane]]:
        """Return (material, origin) -> lanes with their tariffs, worked out once for all years with the same rows."""
        lanes = (i for i, row in enumerate(self._instance.lanes) if valid_in(row, year))
        tariffs = (-1 - i for i, row in enumerate(self._instance.tariffs) if valid_in(row, year))
        holding = (*lanes, *tariffs)
        if holding not in self._lanes_of:
            self._lanes_of[holding] = self._lanes_in(year)
        return self._lanes_of[holding]

    def _lanes_in(self, year: int) -> dict[tuple[str, str], list[Lane]]:
        instance = self._instance
        materials = [m.material for m in instance.materials]
        countries = [c.country for c in instance.countries]
        value = {m.material: m.value_usd_per_t for m in instance.materials}
        tariffs = MovementTable(instance.tariffs, year)
        lanes: dict[tuple[str, str], list[Lane]] = defaultdict(list)
        moves = MovementTable(instance.lanes, year).movements(materials, countries)
        for (material, origin, destination), row in sorted(moves.items(), key=lambda move: move[0]):
            tariff = tariffs.find(material, origin, destination)
            lanes[material, origin].append(
                Lane(
                    destination=destination,
                    freight=row.cost_usd_per_t * KILO,
                    tariff=tariff.rate * value[material] * KILO if tariff else 0.0,
                    limit=None if row.max_t is None else row.max_t * KILO,
                    least=row.min_t * KILO,
                    fixed=row.fixed_musd,
                    transit=row.transit_weeks * MONTHS_PER_WEEK,
                )
            )
        return lanes

    def _offers(self, year: int) -> tuple[Offer, ...]:
        result = []
        for market in self._instance.markets:
            limits = self._limits.get(market.market)
            result.append(
                Offer(
                    market=market.market,
                    country=market.country,
                    material=market.material,
                    exposed=self._instance.market_exposed(market),
                    price=series_value(self._prices[market.market], year) * KILO,
                    limit=series_value(limits, year) * KILO if limits else None,
                )
            )
        return tuple(result)

    def _purchasers(self, year: int) -> tuple[Purchaser, ...]:
        result = []
        for b in self._instance.buyers:
            price, least = (series_value(self._paid[b.buyer, name], year) * KILO for name in ("price", "least"))
            limits = self._paid.get((b.buyer, "most"))
            most = series_value(limits, year) * KILO if limits else None
            result.append(Purchaser(b.buyer, b.country, b.material, b.clean_only, price, least, most))
        return tuple(result)

    def _demands(self, year: int) -> tuple[SectorDemand, ...]:
        """Return the demands of a year that are above 0, sorted by country, sector and material."""
        sectors = {s.sector: s for s in self._instance.sectors}
        result = []
        for (country, name, material), points in sorted(self._demand.items()):
            demand = series_value(points, year) * KILO
            if demand == 0.0:
                continue
            sector = sectors[name]
            result.append(
                SectorDemand(
                    country=country,
                    sector=name,
                    material=material,
                    demand=demand,
                    shortage_cost=sector.shortage_usd_per_t * KILO,
                    min_service=sector.min_service,
                    clean_only=sector.clean_from_year is not None and year >= sector.clean_from_year,
                    swaps=self._swaps(country, name, material, year),
                )
            )
        return tuple(result)

    def _swaps(self, country: str, sector: str, material: str, year: int) -> tuple[Swap, ...]:
        """Return the substitutes for a demand that can replace something in a year."""
        return tuple(
            Swap(row.substitute, row.replaced_by, row.t_per_t or 1.0, row.cost_usd_per_t * KILO, share)
            for row in self._instance.substitutes
            if row.material == material
            and row.sector in ("", sector)
            and country in members(self._instance, row.country)
            and (share := series_value(self._shares[row.substitute], year)) > 0.0
        )
