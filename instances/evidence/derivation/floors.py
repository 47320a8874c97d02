"""Prices that governments have guaranteed to producers of Nd-Pr oxide."""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .facts import cite, find

INDEX = "ndpr-index"


@dataclass(frozen=True)
class Floor:
    """A row of prices.csv (its market) and the plant whose output it covers.

    max_t            t a year that are covered; None: all that the plant makes
    upside_share     part of the upside that the payer gets, from upside_from USD/kg on (None: the floor), at most
                     upside_max MUSD a year (None: no limit)
    """

    facility: str
    fact: str
    payer: str
    last_year: int
    why: str
    max_t: float | None = None
    upside_share: float = 0.0
    upside_from: float | None = None
    upside_max: float | None = None


FLOORS: tuple[Floor, ...] = (
    Floor("mp-mountain-pass-light", "price floor USA (MP-DoD)", "US Department of War", 2035,
          "ten years from October 2025, so 2035 counts whole; the payer gets its part of the upside from the first year, though by contract only once the magnet plant is at full output; what is stockpiled is not covered",
          upside_share=0.3),
    Floor("lynas-kuantan-light", "price floor Japan (JARE-Lynas)", "Japan (JARE)", 2038,
          "the whole difference counts as a cost of the payer, which is right if it sells again at the index",
          max_t=5000.0, upside_share=0.3, upside_from=150.0, upside_max=10.0),
)  # fmt: skip


def price_floors(book: Book) -> None:
    """``price_floors.csv``: what a payer would owe is a result of a plan, and no cost of it. Floors without a published price (Serra Verde) are left out.

    They are settled against an index: a market in China that sells nothing, at the last price that the facts give.
    """
    price = find("prices", item="NdPr oxide", market="China domestic", date="2026-09")
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
    for floor in FLOORS:
        fact = find("prices", item="NdPr oxide", market=floor.fact)
        upside = (
            {}
            if floor.upside_from is None
            else {"upside_from_usd_per_t": 1000 * floor.upside_from, "upside_max_musd": floor.upside_max}
        )
        book.add(
            "price_floors", facility=floor.facility, material="ndpr_oxide", floor_usd_per_t=1000 * fact.number("price"), last_year=floor.last_year,
            payer=floor.payer, market=INDEX, **({} if floor.max_t is None else {"max_t": floor.max_t}), upside_share=floor.upside_share, **upside,
            **cite(fact, assumed=floor.why),
        )  # fmt: skip
