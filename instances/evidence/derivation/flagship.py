"""The instance allied-2040."""

from __future__ import annotations

from . import chain, china, demand, floors, generic, magnets, metal, mining, money, recycling, separation, trade
from .book import Book


def book() -> Book:
    """All tables of allied-2040."""
    b = Book()
    chain.countries(b)
    chain.materials(b)
    chain.process_recipes(b)
    chain.magnet_recipes(b)
    mining.mines(b)
    separation.circuits(b)
    metal.metal_plants(b)
    magnets.makers(b)
    recycling.recycling_plants(b)
    china.china(b)
    generic.generics(b)
    money.production_credit(b)
    trade.lanes(b)
    trade.tariffs(b)
    chain.sectors(b)
    demand.demand(b)
    recycling.old_magnets(b)
    trade.kept_suppliers(b)
    money.funds(b)
    floors.price_floors(b)
    b.add_sources()
    return b
