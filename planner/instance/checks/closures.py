"""Rules on closures: there must be own capacity to close, and closing it should avoid some cost."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from .registry import SETTINGS, Draft, check
from .windows import at_fault


@check("E346", "closures", "facilities", "facility_capacity", SETTINGS)
def of_own_capacity(draft: Draft) -> Iterable[Issue]:
    """A plant that may close must have own capacity in a period that begins in the years of the closure."""
    facilities = {f.facility: f for f in draft.instance.facilities}
    for row in draft.instance.closures:
        plant = facilities.get(row.facility)
        if plant is None:
            continue
        there = [p.first_year for p in draft.periods if draft.has_capacity(plant, p)]
        if not there:
            expected = (
                "the facility has no capacity of its own in the horizon, and capacity of options cannot be closed"
            )
            yield draft.at(row, "facility", expected)
        elif not any((row.first_year or year) <= year <= (row.last_year or year) for year in there):
            column = at_fault(row, there)
            window = f"{there[0]} to {there[-1]}"
            yield draft.at(row, column, f"no period begins in these years while it has capacity ({window})")


@check("E347", "closures")
def idling_is_free(draft: Draft) -> Iterable[Issue]:
    """To idle a plant costs nothing once; the fixed cost that remains is stated by avoided_share."""
    for row in draft.instance.closures:
        if row.kind == "idle" and row.closing_usd_per_t > 0:
            expected = "means nothing for idle, only for retire"
            yield draft.at(row, "closing_usd_per_t", expected, "leave it blank, or lower avoided_share")


@check("W535", "closures", "facilities")
def closing_can_pay(draft: Draft) -> Iterable[Issue]:
    """Closing should avoid some fixed cost, or else no plan has a reason to close anything."""
    facilities = {f.facility: f for f in draft.instance.facilities}
    for row in draft.instance.closures:
        plant = facilities.get(row.facility)
        if plant is None:
            continue
        if plant.fixed_om_usd_per_t * row.avoided_share == 0:
            yield draft.at(row, "facility", "no fixed_om_usd_per_t is avoided, so no plan has a reason to close it")
