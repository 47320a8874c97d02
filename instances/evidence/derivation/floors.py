"""Prices that governments have guaranteed to producers of Nd-Pr oxide."""

from __future__ import annotations

from .book import Book
from .china import prices
from .facts import cite, find, read, reference

INDEX = "ndpr-index"


def price_floors(book: Book) -> None:
    """``price_floors.csv``: what a payer would owe is a result of a plan, and no cost of it. Floors without a published price (Serra Verde) are left out.

    They are settled against an index: a market in China that sells nothing, at the last price that the facts give.
    """
    price = max(prices(), key=lambda fact: fact["date"])
    held = "the last price that was found, held for all years; contracts settle against a published index, taken to be the Chinese price"
    book.add(
        "markets",
        market=INDEX,
        country="CHN",
        material="ndpr_oxide",
        exposed=True,
        **cite(price, assumed="an index: nothing is sold"),
    )
    book.add(
        "market_prices",
        market=INDEX,
        price_usd_per_t=1000 * price.number("price"),
        max_t=0,
        **cite(price, assumed=held),
    )
    there = {row["facility"] for row in book.rows["facilities"]}
    for floor in read("price_floors"):
        if floor["facility"] not in there:
            continue
        fact = find("prices", item="NdPr oxide", market=floor["market"])
        upside = reference(floor["upside"])
        covered = reference(floor["covered"]) if floor["covered"] else None
        upside_from = floor.optional("upside_from_usd_per_kg")
        book.add(
            "price_floors", facility=floor["facility"], material="ndpr_oxide", floor_usd_per_t=1000 * fact.number("price"),
            last_year=floor.number("last_year"), payer=floor["payer"], market=INDEX, max_t=None if covered is None else covered.number("value"), upside_share=upside.number("value") / 100,
            upside_from_usd_per_t=None if upside_from is None else 1000 * upside_from, upside_max_musd=floor.optional("upside_max_musd"),
            **cite(fact, *(f for f in (covered, upside) if f), assumed=floor["why"]),
        )  # fmt: skip
