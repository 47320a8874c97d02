"""Rules on price floors: the plant must make the material, and the years must be years of the plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...errors import Issue
from ..timeline import promised
from .registry import SETTINGS, Draft, check
from .windows import at_fault

if TYPE_CHECKING:
    from ..tables import Offtake, PriceFloor


@check("E344", "price_floors", "operations", "recipes", "options")
def of_what_it_makes(draft: Draft) -> Iterable[Issue]:
    """A price floor must be of a material that the plant makes, and of an option that is its own."""
    for row in draft.instance.price_floors:
        yield from other_product(draft, row)


@check("E345", "price_floors", "markets")
def of_the_same_market(draft: Draft) -> Iterable[Issue]:
    """The market of a price floor must sell the same material."""
    for row in draft.instance.price_floors:
        yield from other_market(draft, row)


@check("E364", "price_floors", SETTINGS)
def in_some_period(draft: Draft) -> Iterable[Issue]:
    """The first year of some period must lie in the years of a price floor."""
    for row in draft.instance.price_floors:
        yield from in_no_period(draft, row)


@check("E365", "price_floors")
def upside_above_the_floor(draft: Draft) -> Iterable[Issue]:
    """The upside of a price floor must not begin below the floor, and its columns need an upside_share above 0."""
    for row in draft.instance.price_floors:
        for column in ("upside_from_usd_per_t", "upside_max_musd"):
            if getattr(row, column) is not None and not row.upside_share:
                yield draft.at(row, column, "means nothing: upside_share is 0, so nothing is returned")
        if row.upside_from_usd_per_t is not None and row.upside_from_usd_per_t < row.floor_usd_per_t:
            yield draft.at(row, "upside_from_usd_per_t", f"is below the floor of {row.floor_usd_per_t:g} USD/t")


def in_no_period(draft: Draft, row: PriceFloor | Offtake) -> Iterable[Issue]:
    """Yield an issue if no period begins in the years of a row, so that what it promises is never asked for."""
    if not any(promised(row, p.first_year) for p in draft.periods):
        first = ", ".join(str(p.first_year) for p in draft.periods)
        column = at_fault(row, draft.instance.years)
        expected = "means nothing: no period begins in its years"
        yield draft.at(row, column, expected, f"periods begin in {first}")


def other_product(draft: Draft, row: PriceFloor | Offtake) -> Iterable[Issue]:
    """Yield an issue if the plant does not make the material, or the option is not its own."""
    owner = next((o.facility for o in draft.instance.options if o.option == row.option), row.facility)
    if row.material not in draft.products_of_facilities.get(row.facility, frozenset()):
        yield draft.at(row, "material", f"{row.facility} does not make it")
    elif row.option and owner != row.facility:
        yield draft.at(row, "option", f"belongs to {owner}, not to {row.facility}")


def other_market(draft: Draft, row: PriceFloor | Offtake) -> Iterable[Issue]:
    """Yield an issue if the market sells another material."""
    sold = draft.materials_of_markets.get(row.market, row.material)
    if row.market and sold != row.material:
        yield draft.at(row, "market", f"sells {sold}, not {row.material}")
