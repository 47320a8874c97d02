"""What guaranteed prices cost those who guarantee them, in a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .tables import NOTHING, frame
from .timeline import module_share, own_capacity_share, periods, series_value

if TYPE_CHECKING:
    import pandas as pd

    from .instance import Instance
    from .schema import PriceFloor


def outlays(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """price_floors.csv of a plan: t a year, floor, price, MUSD a year by plant, option, material, payer and period."""
    made = _made(instance, tables)
    prices = {
        (r.material, r.country, r.provenance, int(r.year)): float(r.usd_per_t) for r in tables["prices"].itertuples()
    }
    country = {f.facility: f.country for f in instance.facilities}
    rows = []
    for floor in instance.price_floors:
        for year in instance.years:
            if not (floor.first_year or year) <= year <= (floor.last_year or year):
                continue
            tonnes = made.get((floor.facility, floor.material, year), 0.0) * _part(instance, tables, floor, year)
            if tonnes <= NOTHING:
                continue
            price = _price(instance, floor, year, prices, country[floor.facility])
            owed = max(0.0, floor.floor_usd_per_t - price) * tonnes / 1e6 if price is not None else 0.0
            of = (floor.facility, floor.option, floor.material, floor.payer, year)
            rows.append((*of, tonnes, floor.floor_usd_per_t, price, owed))
    return frame("price_floors", rows)


def _made(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str, int], float]:
    """t a year of each material that each plant makes."""
    yields: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)
    for y in instance.recipe_yields:
        if y.role == "output":
            yields[y.process, y.material][y.year] = y.t_per_t
    outputs: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for r in instance.recipes:
        if r.role == "output":
            outputs[r.process].append((r.material, r.t_per_t))
    made: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in tables["activity"].itertuples():
        for material, per_tonne in outputs[str(row.process)]:
            series = yields.get((str(row.process), material))
            factor = series_value(series, int(row.year)) if series else per_tonne
            made[str(row.facility), material, int(row.year)] += factor * float(row.activity_t)
    return made


def _part(instance: Instance, tables: Mapping[str, pd.DataFrame], floor: PriceFloor, year: int) -> float:
    """The part of the plant's capacity that the option's modules make up."""
    if not floor.option:
        return 1.0
    period = next(p for p in periods(instance) if p.first_year == year)
    options = {o.option: o for o in instance.options}
    facility = next(f for f in instance.facilities if f.facility == floor.facility)
    total = facility.capacity_t * own_capacity_share(facility, period)
    mine = 0.0
    for row in tables["builds"].itertuples():
        if row.facility == floor.facility:
            option = options[str(row.option)]
            capacity = float(row.modules) * option.module_t * module_share(option, int(row.start_year), period)
            total += capacity
            mine += capacity if row.option == floor.option else 0.0
    return mine / total if total > 0.0 else 0.0


def _price(instance: Instance, floor: PriceFloor, year: int, prices: Mapping[Any, float], country: str) -> float | None:
    """USD/t; None where the plan has no price of the material there."""
    if floor.market:
        points = {p.year: p.price_usd_per_t for p in instance.market_prices if p.market == floor.market}
        return series_value(points, year)
    for provenance in ("clean", "exposed"):
        price = prices.get((floor.material, country, provenance, year))
        if price is not None:
            return price
    return None
