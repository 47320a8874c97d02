"""Closures: that there is something to close, and that closing can pay."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from ..timeline import own_capacity_share
from .registry import SETTINGS, Draft, check
from .windows import at_fault


@check("E346", "closures", "facilities", SETTINGS)
def of_own_capacity(draft: Draft) -> Iterable[Issue]:
    """What may close must have capacity of its own in a period that begins in its years."""
    facilities = {f.facility: f for f in draft.instance.facilities}
    for row in draft.instance.closures:
        plant = facilities.get(row.facility)
        if plant is None:
            continue
        there = [p.first_year for p in draft.periods if plant.capacity_t > 0 and own_capacity_share(plant, p) > 0]
        if not there:
            yield draft.at(row, "facility", "has no capacity of its own in the horizon; options do not close")
        elif not any((row.first_year or year) <= year <= (row.last_year or year) for year in there):
            column = at_fault(row, there)
            window = f"{there[0]} to {there[-1]}"
            yield draft.at(row, column, f"no period of {window}, when it has capacity, begins in its years")


@check("E347", "closures")
def idling_is_free(draft: Draft) -> Iterable[Issue]:
    """A plant that is idle for a while costs nothing to close; what it still costs is given by avoided_share."""
    for row in draft.instance.closures:
        if row.kind == "idle" and row.closing_usd_per_t > 0:
            yield draft.at(row, "closing_usd_per_t", "only for kind retire", "leave it blank, or lower avoided_share")


@check("W535", "closures", "facilities")
def closing_can_pay(draft: Draft) -> Iterable[Issue]:
    """Closing should avoid some fixed cost; else a plan has no reason to."""
    facilities = {f.facility: f for f in draft.instance.facilities}
    for row in draft.instance.closures:
        plant = facilities.get(row.facility)
        if plant is None:
            continue
        if plant.fixed_om_usd_per_t * row.avoided_share == 0:
            yield draft.at(row, "facility", "no fixed_om_usd_per_t is avoided, so it will never close")
