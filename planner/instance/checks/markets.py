"""Rules on markets and their prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ...errors import Issue
from .registry import SETTINGS, Draft, check


@check("E323", "markets", SETTINGS)
def exposed_in_a_country_of_concern(draft: Draft) -> Iterable[Issue]:
    """What is bought in a country of concern is exposed."""
    for row in draft.instance.markets:
        if row.exposed is False and row.country in draft.instance.countries_of_concern:
            expected = f"what is bought in {row.country}, a country of concern, is exposed"
            yield draft.at(row, "exposed", expected, "write yes, or leave it blank")


@check("E324", "markets", "market_prices")
def has_a_price(draft: Draft) -> Iterable[Issue]:
    """Every market must have a price."""
    priced = {p.market for p in draft.instance.market_prices}
    for row in draft.instance.markets:
        if row.market not in priced:
            yield draft.at(row, "market", "the market has no price", "add a row to market_prices.csv")


@check("E325", "market_prices")
def limit_always_or_never(draft: Draft) -> Iterable[Issue]:
    """The limit max_t of a market must be given in all of its rows or in none."""
    rows = defaultdict(list)
    for row in draft.instance.market_prices:
        rows[row.market].append(row)
    for group in rows.values():
        for row in group[1:]:
            if (row.max_t is None) != (group[0].max_t is None):
                given, blank = ("given", "blank") if group[0].max_t is None else ("blank", "given")
                expected = f"{given} here but {blank} in {draft.named(group[0])}"
                yield draft.at(row, "max_t", expected, "fill it in every row of the market, or in none")
