"""Recyclers outside China, and the old magnets they can get."""

from __future__ import annotations

from .book import Book
from .chain import LONG_LOOP, down, oxide_per_feed
from .facts import Number, assume, cite, named, parameter, read
from .plants import Loan, add, name, of_stage


def recycling_plants(book: Book, year: int | None = None) -> None:
    """Facilities, operations and options of all recyclers outside China; with ``year`` only those that ran then."""
    for r in of_stage("recycling", year):
        own, public = r.optional("opex_usd_per_kg"), r.optional("public_musd")
        per_oxide = down(LONG_LOOP).number("value") if own is None else own
        opex = {p: 1000 * per_oxide * oxide_per_feed(p) for p in r.words("processes")}
        for p in r.words("concentrates"):
            opex[p] = 1000 * parameter("heavy_novel" if p == "sep-heavy" else "light_novel")
        add(
            book, r, opex, r.number("tonnes"), name=r["name"] or name(named(r["fact"])), capex=r.optional("capex_musd"),
            loan=None if public is None else Loan(public, public),
            capacity_per_t={p: oxide_per_feed(p) for p in r.words("processes")} if r["basis"] == "oxide" else None,
        )  # fmt: skip


def collectors() -> dict[str, Number]:
    """Country -> its share of the old magnets that allied recyclers can get."""
    return {row.id: row.number("share") for row in read("collectors")}


def old_magnets(book: Book) -> None:
    """Markets of old magnets: clean wherever they are collected, limited by what can be collected."""
    facts = (
        down("syc-rec-eol-global"),
        down("syc-rec-eol-rate"),
        down("syc-rec-eol-rate-2035"),
        down("syc-rec-feed-price"),
    )
    price = parameter("old_magnet_price")
    reason = (
        "rising from about 1 per cent of what is discarded to a quarter of what the allied countries discard; split by the stock of cars and electronics; "
        f"{price} USD per kg lies in the 8-20 of the fact"
    )
    for where, share in collectors().items():
        market = f"eol-{where.lower()}"
        book.add(
            "markets", market=market, country=where, material="eol_magnet", exposed=False,
            **assume("an old magnet is scrap of the country that collects it, whoever made it"),
        )  # fmt: skip
        for row in read("old_magnets"):
            book.add(
                "market_prices", market=market, year=int(row.id), price_usd_per_t=1000 * price, max_t=row.number("collected_t") * share,
                **cite(*facts, assumed=reason),
            )  # fmt: skip
