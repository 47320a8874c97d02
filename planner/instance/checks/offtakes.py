"""Rules on offtakes: a plant must make the material that is taken, and have capacity in the years of the offtake."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import Issue
from ..timeline import Period, largest_capacity, module_share, promised, start_years
from .price_floors import in_no_period, other_market, other_product
from .registry import SETTINGS, Draft, check


@check("E348", "offtakes", "operations", "recipes", "options")
def of_what_it_makes(draft: Draft) -> Iterable[Issue]:
    """An offtake must be of a material that the plant makes, and of an option that is its own."""
    for row in draft.instance.offtakes:
        yield from other_product(draft, row)


@check("E349", "offtakes", "markets")
def of_the_same_market(draft: Draft) -> Iterable[Issue]:
    """The market of an offtake must sell the same material."""
    for row in draft.instance.offtakes:
        yield from other_market(draft, row)


@check("E350", "offtakes", "facilities", "facility_capacity", "options", SETTINGS)
def from_a_plant_that_is_there(draft: Draft) -> Iterable[Issue]:
    """The plant or the option of an offtake must have capacity in some period of the offtake's years."""
    facilities = {f.facility: f for f in draft.instance.facilities}
    options = {o.option: o for o in draft.instance.options}
    for row in draft.instance.offtakes:
        years = [p for p in draft.periods if promised(row, p.first_year)]
        plant = facilities.get(row.facility)
        if not years:
            yield from in_no_period(draft, row)
        elif plant is not None and not row.option and not any(draft.has_capacity(plant, period) for period in years):
            cure = "name the option that is to build it" if largest_capacity(draft.instance, plant) == 0 else ""
            yield draft.at(row, "facility", "the plant has no capacity of its own in these years", cure)
        elif row.option in options and not _online(draft, options[row.option], years):
            yield draft.at(row, "option", "the option is never online in these years")


def _online(draft: Draft, option: Any, years: list[Period]) -> bool:
    """Whether a module of an option can be online in one of the periods."""
    starts = start_years(option, draft.instance.years, draft.last)
    return not starts or any(module_share(option, start, period) > 0 for start in starts for period in years)


@check("W536", "offtakes", "materials")
def of_what_is_used(draft: Draft) -> Iterable[Issue]:
    """The material of an offtake should not be one that may be thrown away, since nobody would have to use it."""
    wasteable = {m.material for m in draft.instance.materials if m.surplus}
    for row in draft.instance.offtakes:
        if row.material in wasteable:
            expected = "the material may be thrown away (surplus), so the plant could make it without any use"
            yield draft.at(row, "material", expected)
