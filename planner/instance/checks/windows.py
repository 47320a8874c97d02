"""Rules on years: windows must be in order, years near the horizon, and ramps need a first year."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...errors import Issue
from ..tables import TABLES, Facility, columns
from .registry import SETTINGS, Draft, check

FAR = 100  # years from the horizon beyond which a year is probably misspelt


def at_fault(row: Any, years: Sequence[int], names: tuple[str, str] = ("first_year", "last_year")) -> str:
    """Return the column to report if none of ``years`` lies in the window of a row.

    years  years of which at least one should lie in the window
    names  columns of the first and the last year of the window

    It is the column that lies beyond all the years. If the window lies between two of them, it is the first column
    that is filled.
    """
    first, last = (getattr(row, name) for name in names)
    if first is not None and first > max(years):
        return names[0]
    if last is not None and last < min(years):
        return names[1]
    return names[0] if first is not None else names[1]


@check("E205", "windows")
def in_order(draft: Draft) -> Iterable[Issue]:
    """A first year must not come after its last year."""
    for table in TABLES:
        for first, last in (("first_year", "last_year"), ("first_start", "last_start")):
            if first not in columns(table):
                continue
            for row in draft.instance.rows(table):
                begin, end = getattr(row, first), getattr(row, last)
                if begin is not None and end is not None and begin > end:
                    yield draft.at(row, last, f"before {first} = {begin}")


@check("W506", "windows", SETTINGS)
def near_the_horizon(draft: Draft) -> Iterable[Issue]:
    """A year more than a century from the horizon is probably misspelt."""
    for table in TABLES:
        names = [c.name for c in columns(table).values() if c.unit == "year"]
        for row in draft.instance.rows(table) if names else ():
            for name in names:
                year = getattr(row, name)
                if year is not None and not draft.first - FAR <= year <= draft.last + FAR:
                    yield draft.at(row, name, f"far from the horizon {draft.first} to {draft.last}")


@check("W507", "facilities")
def ramp_without_beginning(draft: Draft) -> Iterable[Issue]:
    """A facility ramps up from its first year; without one, ramp_years means nothing."""
    for row in draft.instance.facilities:
        if row.ramp_years and row.first_year is None:
            yield draft.at(row, "ramp_years", "means nothing without first_year, the capacity is full from the start")


@check("W508", "facilities", "facility_capacity", SETTINGS)
def min_use_means_something(draft: Draft) -> Iterable[Issue]:
    """A minimum use should bind own capacity in some period."""
    for row in draft.instance.facilities:
        if row.min_use_until is not None and not row.min_use:
            yield draft.at(row, "min_use_until", "means nothing without min_use")
        if row.min_use and not _must_be_used(draft, row):
            yield draft.at(row, "min_use", "means nothing: in the periods in which it holds there is no own capacity")


def _must_be_used(draft: Draft, row: Facility) -> bool:
    """Return whether the minimum use of a facility holds in a period in which it has capacity of its own."""
    until = draft.last if row.min_use_until is None else row.min_use_until
    return any(period.first_year <= until and draft.has_capacity(row, period) for period in draft.periods)
