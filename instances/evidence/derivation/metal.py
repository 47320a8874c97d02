"""Metal makers outside China. Strip casting is part of magnet making, so alloy tonnage counts with its rare-earth content."""

from __future__ import annotations

from collections.abc import Collection

from .book import Book
from .facts import Number, named, parameter, table
from .plants import add, committed, country, name, of_stage, shared_loan

NDPR, DY, TB = "metal-ndpr", "metal-dy", "metal-tb"
HEAVIES = (DY, TB)


def opex(where: str, process: str) -> Number:
    """Conversion cost in USD per tonne of metal."""
    return 1000 * table("countries")[where].number(
        "ndpr_metal_usd_per_kg" if process == NDPR else "heavy_metal_usd_per_kg"
    )


def metal_plants(book: Book, year: int | None = None, skip: Collection[str] = ()) -> None:
    """Facilities, operations and options of all metal makers outside China; with ``year`` only those that ran then."""
    for m in of_stage("metal", year):
        if m.id in skip:
            continue
        fact = named(m["fact"])
        alloy, own, capacity = m["basis"] == "alloy", m.optional("capex_musd"), m.optional("tonnes")
        if capacity is None:
            content = parameter("rare_earth_in_alloy") if alloy else 1
            capacity = fact.number("capacity_t_per_year") * content
        capex = None if committed(m) else fact.number("capex_musd") if own is None else own
        add(
            book, m, {p: opex(country(fact), p) for p in m.words("processes")}, capacity, name=name(fact) + m["suffix"], capex=capex,
            loan=shared_loan(m, capex), also=f"alloy tonnes x {parameter('rare_earth_in_alloy')}" if alloy else "",
        )  # fmt: skip
