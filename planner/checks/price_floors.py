"""Price floors: that the plant makes what is guaranteed, and in years that there are."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Issue
from .registry import Draft, check


@check("E344", "price_floors", "operations", "recipes", "options")
def of_what_it_makes(draft: Draft) -> Iterable[Issue]:
    """A price floor must be of a material that the plant makes, and of an option that is its own."""
    facility_of = {o.option: o.facility for o in draft.instance.options}
    for row in draft.instance.price_floors:
        if row.material not in draft.products_of_facilities.get(row.facility, frozenset()):
            yield draft.at(row, "material", f"{row.facility} does not make it")
        elif row.option and facility_of.get(row.option, row.facility) != row.facility:
            yield draft.at(row, "option", f"belongs to {facility_of[row.option]}, not to {row.facility}")


@check("E345", "price_floors", "markets")
def of_the_same_market(draft: Draft) -> Iterable[Issue]:
    """The market of a price floor must sell the same material."""
    for row in draft.instance.price_floors:
        if row.market and draft.materials_of_markets.get(row.market, row.material) != row.material:
            yield draft.at(row, "market", f"sells {draft.materials_of_markets[row.market]}, not {row.material}")
