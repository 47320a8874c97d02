"""Rules on markets and buyers, and on their prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ...errors import Issue
from ..declare import Row
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
    return _unpriced(draft, "market")


@check("E391", "buyers", "buyer_prices")
def buyer_has_a_price(draft: Draft) -> Iterable[Issue]:
    """Every buyer must have a price."""
    return _unpriced(draft, "buyer")


def _unpriced(draft: Draft, who: str) -> Iterable[Issue]:
    """Yield the markets or buyers (``who``) without a price."""
    priced = {getattr(p, who) for p in draft.instance.rows(f"{who}_prices")}
    for row in draft.instance.rows(f"{who}s"):
        if getattr(row, who) not in priced:
            yield draft.at(row, who, f"the {who} has no price", f"add a row to {who}_prices.csv")


@check("E325", "market_prices")
def limit_always_or_never(draft: Draft) -> Iterable[Issue]:
    """The limit max_t of a market must be given in all of its rows or in none."""
    return _sometimes_limited(draft, "market")


@check("E392", "buyer_prices")
def buyer_limit_always_or_never(draft: Draft) -> Iterable[Issue]:
    """The limit max_t of a buyer must be given in all of its rows or in none."""
    return _sometimes_limited(draft, "buyer")


def _sometimes_limited(draft: Draft, who: str) -> Iterable[Issue]:
    """Yield the prices of a market or buyer (``who``) of which some have a max_t and some have none."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in draft.instance.rows(f"{who}_prices"):
        rows[getattr(row, who)].append(row)
    for group in rows.values():
        for row in group[1:]:
            if (row.max_t is None) != (group[0].max_t is None):  # type: ignore[attr-defined]
                given, blank = ("given", "blank") if group[0].max_t is None else ("blank", "given")  # type: ignore[attr-defined]
                expected = f"{given} here but {blank} in {draft.named(group[0])}"
                yield draft.at(row, "max_t", expected, f"fill it in every row of the {who}, or in none")


@check("E393", "buyer_prices")
def least_below_most(draft: Draft) -> Iterable[Issue]:
    """The least that a buyer must be sold must not exceed the most that it buys."""
    for row in draft.instance.buyer_prices:
        if row.max_t is not None and row.min_t > row.max_t:
            yield draft.at(row, "min_t", f"more than max_t = {row.max_t:g}", "lower it, or raise max_t")
