"""Computes what price floors and offtakes cost their payers in a plan.

These outlays are transfers, not part of the cost of the plan. All amounts are t/yr, USD/t and MUSD/yr.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..instance.timeline import largest_capacity, module_share, own_capacity_share, periods, promised, series_value
from .tables import Tables, table

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Offtake, PriceFloor
    from .tables import Cells


def outlays(instance: Instance, tables: Tables) -> dict[str, Cells]:
    """Return the tables ``price_floors`` and ``offtakes`` of a plan, each if the instance has such rows."""
    owed = {}
    if instance.price_floors:
        owed["price_floors"] = _price_floors(instance, tables)
    if instance.offtakes:
        owed["offtakes"] = _offtakes(instance, tables)
    return owed


def by_payer(tables: Tables) -> dict[str, dict[int, float]]:
    """Return payer -> first year of a period -> outlay, MUSD a year; below 0 the payer gains.

    Price floors and offtakes are added up; those without a known price, and so without a known outlay, are left out.
    """
    owed: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for row in (*tables.rows("price_floors"), *tables.rows("offtakes")):
        if row.outlay_musd == row.outlay_musd:
            owed[row.payer][row.year] += row.outlay_musd
    return {payer: dict(years) for payer, years in sorted(owed.items())}


def settled_against(tables: Tables, payer: str) -> set[str]:
    """Return the markets whose prices a payer's outlays are settled against; "" is the plan's own price."""
    return {r.price_of for r in (*tables.rows("price_floors"), *tables.rows("offtakes")) if r.payer == payer}


def _price_floors(instance: Instance, tables: Tables) -> Cells:
    made, prices, builds = _made(instance, tables), _plan_prices(tables), tables.rows("builds")
    capacity = {(r.facility, r.year): r.capacity_t for r in tables.rows("capacity")}
    rows = []
    for floor in instance.price_floors:
        for year in (y for y in instance.years if promised(floor, y)):
            tonnes = made.get((floor.facility, floor.material, year), 0.0) * _part(
                instance, capacity, builds, floor, year
            )
            tonnes = min(tonnes, math.inf if floor.max_t is None else floor.max_t)
            if tonnes <= instance.negligible_t:
                continue
            price = _price(instance, floor, year, prices)
            upside = owed = None
            if price is not None:
                upside = _upside(floor, price) * tonnes / 1e6
                upside = min(upside, math.inf if floor.upside_max_musd is None else floor.upside_max_musd)
                owed = max(0.0, floor.floor_usd_per_t - price) * tonnes / 1e6 - upside
            key = (floor.facility, floor.option, floor.material, floor.payer, year)
            rows.append((*key, tonnes, floor.floor_usd_per_t, price, floor.market, upside, owed))
    return table("price_floors", rows)


def _upside(floor: PriceFloor, price: float) -> float:
    """Return what the plant returns of the price of a tonne, USD/t, before the limit on its amount."""
    begins = floor.floor_usd_per_t if floor.upside_from_usd_per_t is None else floor.upside_from_usd_per_t
    return floor.upside_share * max(0.0, price - begins)


def _offtakes(instance: Instance, tables: Tables) -> Cells:
    prices, builds = _plan_prices(tables), tables.rows("builds")
    rows = []
    for row in instance.offtakes:
        for year in (y for y in instance.years if promised(row, y)):
            tonnes = row.take_t * _online(instance, builds, row, year)
            if tonnes <= instance.negligible_t:
                continue
            price = _price(instance, row, year, prices)
            owed = None if price is None else (row.agreed_usd_per_t - price) * tonnes / 1e6
            key = (row.offtake, row.facility, row.option, row.material, row.payer, year)
            rows.append((*key, tonnes, row.agreed_usd_per_t, price, row.market, owed))
    return table("offtakes", rows)


def _online(instance: Instance, builds: list[Any], row: Offtake, year: int) -> float:
    """Return by how much take_t is multiplied in a period.

    With an option these are its modules online (a count), without one the share of own capacity that is there, 0 to 1.
    """
    if row.option:
        return _modules(instance, builds, row.option, year)
    period = next(p for p in periods(instance) if p.first_year == year)
    facility = next(f for f in instance.facilities if f.facility == row.facility)
    return own_capacity_share(instance, facility, period) if largest_capacity(instance, facility) > 0.0 else 0.0


def _made(instance: Instance, tables: Tables) -> dict[tuple[str, str, int], float]:
    """Return (facility, material, year) -> what the facility makes of the material, t/yr."""
    yields: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)
    for y in instance.recipe_yields:
        if y.role == "output":
            yields[y.process, y.material][y.year] = y.t_per_t
    outputs: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for r in instance.recipes:
        if r.role == "output":
            outputs[r.process].append((r.material, r.t_per_t))
    made: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in tables.rows("activity"):
        for material, per_tonne in outputs[row.process]:
            series = yields.get((row.process, material))
            factor = series_value(series, row.year) if series else per_tonne
            made[row.facility, material, row.year] += factor * row.activity_t
    return made


def _part(
    instance: Instance, capacity: Mapping[tuple[str, int], float], builds: list[Any], floor: PriceFloor, year: int
) -> float:
    """Return the share of the plant's capacity, 0 to 1, that is modules of the floor's option; 1 without one.

    capacity  (facility, year) -> t/yr
    builds    rows of builds.csv
    """
    if not floor.option:
        return 1.0
    option = next(o for o in instance.options if o.option == floor.option)
    whole = capacity.get((floor.facility, year), 0.0)
    return option.module_t * _modules(instance, builds, floor.option, year) / whole if whole > 0.0 else 0.0


def _modules(instance: Instance, builds: list[Any], name: str, year: int) -> float:
    """Return the modules of an option that are online in a period: a count, with fractions during a ramp."""
    period = next(p for p in periods(instance) if p.first_year == year)
    option = next(o for o in instance.options if o.option == name)
    return sum(b.modules * module_share(option, b.start_year, period) for b in builds if b.option == name)


def _plan_prices(tables: Tables) -> dict[tuple[str, str, str, int], float]:
    return {
        (r.material, r.country, r.provenance, r.year): r.usd_per_t
        for r in tables.rows("prices")
        if r.usd_per_t == r.usd_per_t  # where nothing passes, no price is determined
    }


def _price(instance: Instance, row: PriceFloor | Offtake, year: int, prices: Mapping[Any, float]) -> float | None:
    """Return the price of the day, USD/t: of the market named, else the plan's own; None if there is none.

    prices  (material, country, provenance, year) -> USD/t of the plan; clean before exposed
    """
    if row.market:
        points = {p.year: p.price_usd_per_t for p in instance.market_prices if p.market == row.market}
        return series_value(points, year)
    country = next(f.country for f in instance.facilities if f.facility == row.facility)
    for provenance in ("clean", "exposed"):
        price = prices.get((row.material, country, provenance, year))
        if price is not None:
            return price
    return None
