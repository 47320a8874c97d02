"""Rules on returns: what comes back should be of use, and be no more than there was."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from .registry import Draft, check


@check("W572", "returns", "materials")
def returned_counts_nowhere(draft: Draft) -> Iterable[Issue]:
    """What comes back is not made, so a strategic material would count in no stage share when it comes back."""
    strategic = {m.material for m in draft.instance.materials if m.strategic}
    for row in draft.instance.returns:
        if row.returned in strategic:
            yield draft.at(row, "returned", "a strategic material, but what comes back counts in no share as made")


@check("W573", "returns")
def no_more_than_was_delivered(draft: Draft) -> Iterable[Issue]:
    """Of a tonne that was delivered no more than a tonne should come back."""
    for row in draft.instance.returns:
        if row.t_per_t * row.collected > 1.0:
            expected = f"{row.t_per_t * row.collected:g} t come back of a tonne delivered"
            yield draft.at(row, "t_per_t", expected, "is the unit right?")
