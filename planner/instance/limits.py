"""What caps limit, in words: shares, or amounts of an impact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..language import number
from ..words import figure_of

if TYPE_CHECKING:
    from .instance import Instance


def unit_of(instance: Instance, cap: str) -> str:
    """Return the unit a year of what a cap limits, "" if it is a share."""
    impact = next((row.impact for row in instance.caps if row.cap == cap), "")
    return next((row.unit for row in instance.impacts if impact and row.impact == impact), "")


def limit_in_words(instance: Instance, cap: str, limit: float, digits: int = 6) -> str:
    """Return a limit, or what a plan reaches of what a cap limits: a percentage, or an amount with its unit."""
    unit = unit_of(instance, cap)
    return f"{figure_of(limit, digits)} {unit}" if unit else number(f"{limit * 100:.{digits}g}%")
