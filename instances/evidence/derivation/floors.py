"""Prices that governments have guaranteed to producers of Nd-Pr oxide."""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .facts import cite, find


@dataclass(frozen=True)
class Floor:
    """A row of prices.csv (its market) and the plant whose output it covers."""

    facility: str
    fact: str
    payer: str
    last_year: int
    why: str


FLOORS: tuple[Floor, ...] = (
    Floor("mp-mountain-pass-light", "price floor USA (MP-DoD)", "US Department of War", 2035,
          "ten years from October 2025, so 2035 counts whole; the 30 per cent of the upside is left out"),
    Floor("lynas-kuantan-light", "price floor Japan (JARE-Lynas)", "Japan (JARE)", 2038,
          "5,000 t a year are covered; the plant has to make 5,202, about what the letter of intent of the US Department of War (96 MUSD over four years at 110) adds, which is not split off"),
)  # fmt: skip


def price_floors(book: Book) -> None:
    """``price_floors.csv``: what a payer would owe is a result of a plan, and no cost of it. Floors without a published price (Serra Verde) are left out."""
    for floor in FLOORS:
        fact = find("prices", item="NdPr oxide", market=floor.fact)
        book.add(
            "price_floors", facility=floor.facility, material="ndpr_oxide", floor_usd_per_t=1000 * fact.number("price"), last_year=floor.last_year,
            payer=floor.payer, **cite(fact, assumed=f"{floor.why}; measured against the plan's own price in the plant's country"),
        )  # fmt: skip
