"""Checks that offtakes are made, and that what payers of price floors and offtakes owe follows from plan and prices."""

from __future__ import annotations

import math
from collections import defaultdict

from ..instance.tables import Offtake, PriceFloor
from .book import Book
from .layouts import OFFTAKES, PRICE_FLOORS, PRICES, OfftakeRow, PriceFloorRow
from .operations import Operations
from .reading import Tables

USD_PER_MUSD = 1e6
LEFT_OUT = 1e-6  # t; up to which a row may be missing


def check_offtakes(plan: Operations, book: Book) -> None:
    """Check that each facility makes at least what its buyers of a material have promised to take.

    plan  the plan, or a branch in which nothing strikes
    """
    for year in plan.disturbance.years:
        due: dict[tuple[str, str], float] = defaultdict(float)
        for row in plan.facts.instance.offtakes:
            due[row.facility, row.material] += _taken(plan, row, year)
        for (facility, material), tonnes in due.items():
            made = plan.made_by.get((facility, material, year), 0.0)
            book.at_least("offtake", made, tonnes, tonnes, ("facility", facility, material, year))


def check_outlays(plan: Operations, tables: Tables, book: Book) -> None:
    """Check every row of price_floors.csv and offtakes.csv, and that none is missing."""
    if plan.facts.instance.price_floors:
        _check_price_floors(plan, tables, book)
    if plan.facts.instance.offtakes:
        _check_offtake_rows(plan, tables, book)


def _check_price_floors(plan: Operations, tables: Tables, book: Book) -> None:
    prices = _prices(tables)
    rows = {(r.facility, r.option, r.material, r.year): r for r in tables.rows(PRICE_FLOORS)}
    for floor in plan.facts.instance.price_floors:
        of = (floor.facility, floor.option, floor.material)
        for year in plan.disturbance.years:
            made = plan.made_by.get((floor.facility, floor.material, year), 0.0)
            due = made * _part(plan, floor, year) if _holds(floor, year) else 0.0
            due = due if floor.max_t is None else min(due, floor.max_t)
            price, place = _price(plan, floor, year, prices), ("price_floors.csv", *of, year)
            returned = _returned(floor, price, due)
            owed = math.nan if math.isnan(price) else max(0.0, floor.floor_usd_per_t - price) * due / USD_PER_MUSD
            row = rows.pop((*of, year), None)
            _compare(book, place, row, due, floor.floor_usd_per_t, price, owed - returned)
            if row is not None:
                _say(book, place, (row.payer, row.price_of), (floor.payer, floor.market))
                _same(book, row.upside_musd, returned, abs(price) * due / USD_PER_MUSD, (*place, "upside_musd"))
                promised = floor.floor_usd_per_t
                book.equal("outlays", row.floor_usd_per_t, promised, promised, (*place, "floor_usd_per_t"))
    for key in rows:
        book.fault("outlays", ("price_floors.csv", *key), "is no price floor of the instance")


def _returned(floor: PriceFloor, price: float, tonnes: float) -> float:
    """Return the part of the upside that the plant returns, MUSD a year; NaN without a price."""
    if math.isnan(price):
        return math.nan
    begin = floor.floor_usd_per_t if floor.upside_from_usd_per_t is None else floor.upside_from_usd_per_t
    amount = floor.upside_share * max(0.0, price - begin) * tonnes / USD_PER_MUSD
    return amount if floor.upside_max_musd is None else min(amount, floor.upside_max_musd)


def _check_offtake_rows(plan: Operations, tables: Tables, book: Book) -> None:
    prices = _prices(tables)
    rows = {(r.offtake, r.year): r for r in tables.rows(OFFTAKES)}
    for offtake in plan.facts.instance.offtakes:
        for year in plan.disturbance.years:
            due, price = _taken(plan, offtake, year), _price(plan, offtake, year, prices)
            place, row = ("offtakes.csv", offtake.offtake, year), rows.pop((offtake.offtake, year), None)
            owed = (offtake.agreed_usd_per_t - price) * due / USD_PER_MUSD
            _compare(book, place, row, due, offtake.agreed_usd_per_t, price, owed)
            if row is not None:
                wanted = (offtake.facility, offtake.option, offtake.material, offtake.payer, offtake.market)
                _say(book, place, (row.facility, row.option, row.material, row.payer, row.price_of), wanted)
                promised = offtake.agreed_usd_per_t
                book.equal("outlays", row.agreed_usd_per_t, promised, promised, (*place, "agreed_usd_per_t"))
    for key in rows:
        book.fault("outlays", ("offtakes.csv", *key), "is no offtake of the instance")


def _compare(
    book: Book,
    place: tuple[object, ...],
    row: PriceFloorRow | OfftakeRow | None,
    due: float,
    promised: float,
    price: float,
    owed: float,
) -> None:
    """Check a row of either table; it may be missing if nothing is made or taken.

    due       amount, t/yr
    promised  price promised, USD/t
    price     price of the day, USD/t; NaN if there is none
    owed      what the payer loses, MUSD a year; NaN without a price
    """
    if row is None:
        book.at_most("outlays", due, LEFT_OUT, 1.0, (*place, "is missing"))
        return
    book.equal("outlays", row.t, due, due, (*place, "t"))
    scale = (promised + abs(price)) * due / USD_PER_MUSD
    _same(book, row.price_usd_per_t, price, abs(price), (*place, "price_usd_per_t"))
    _same(book, row.outlay_musd, owed, scale, (*place, "outlay_musd"))


def _same(book: Book, written: float, wanted: float, scale: float, place: tuple[object, ...]) -> None:
    """Compare two numbers, of which each may be blank (NaN)."""
    if not math.isnan(wanted) and not math.isnan(written):
        book.equal("outlays", written, wanted, scale, place)
    elif math.isnan(wanted) and math.isnan(written):
        book.passed("outlays")
    else:
        book.fault("outlays", place, "is blank" if math.isnan(written) else f"is {written:g}, but no price is known")


def _say(book: Book, place: tuple[object, ...], written: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    """Compare the texts of a row with those of the instance."""
    if written == wanted:
        book.passed("outlays")
    else:
        book.fault("outlays", place, f"says {written}, but the instance says {wanted}")


def _holds(row: PriceFloor | Offtake, year: int) -> bool:
    return (row.first_year is None or year >= row.first_year) and (row.last_year is None or year <= row.last_year)


def _taken(plan: Operations, row: Offtake, year: int) -> float:
    """Return the amount to be taken in the period that begins in ``year``, t/yr."""
    if not _holds(row, year):
        return 0.0
    if row.option:
        return row.take_t * plan.investment.online(row.option, year)
    facility = plan.facts.facilities[row.facility]
    full = plan.facts.full(facility)
    return row.take_t * plan.facts.own(facility, year) / full if full else 0.0


def _part(plan: Operations, floor: PriceFloor, year: int) -> float:
    """Return the share of a plant's output that a floor covers: that of its option in the capacity; 1 without one."""
    if not floor.option:
        return 1.0
    whole = plan.investment.capacity(floor.facility, year, plan.disturbance)
    of_option = plan.facts.options[floor.option].module_t * plan.investment.online(floor.option, year)
    return of_option / whole if whole > 0.0 else 0.0


def _prices(tables: Tables) -> dict[tuple[str, str, int], float]:
    """Return (material, country, year) -> the plan's own price, USD/t: that of clean material if there is one."""
    prices: dict[tuple[str, str, int], float] = {}
    for row in sorted(tables.rows(PRICES), key=lambda row: row.provenance, reverse=True):  # clean comes last
        if not math.isnan(row.usd_per_t):
            prices[row.material, row.country, row.year] = row.usd_per_t
    return prices


def _price(plan: Operations, row: PriceFloor | Offtake, year: int, prices: dict[tuple[str, str, int], float]) -> float:
    """Return the price of the market named, else of the plan, USD/t; NaN if there is none."""
    if row.market:
        price = plan.facts.price(row.market, year)
        return math.nan if price is None else price
    return prices.get((row.material, plan.facts.facilities[row.facility].country, year), math.nan)
