"""Rules on impacts: a factor must say what it is of."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from ..impact_tables import MEANT
from .registry import Draft, check


@check("E383", "impact_factors")
def columns_of_its_kind(draft: Draft) -> Iterable[Issue]:
    """A column of an impact factor that means nothing for its kind must be blank."""
    for row in draft.instance.impact_factors:
        for kind, columns in MEANT.items():
            for column in columns:
                if kind != row.kind and getattr(row, column):
                    yield draft.at(row, column, f"means nothing for {row.kind}, it must be blank")


@check("W574", "impacts", "impact_factors", "caps")
def of_some_consequence(draft: Draft) -> Iterable[Issue]:
    """An impact should be caused by something."""
    caused = {row.impact for row in draft.instance.impact_factors}
    for row in draft.instance.impacts:
        if row.impact not in caused:
            yield draft.at(row, "impact", "nothing causes it", "add a row to impact_factors.csv")
