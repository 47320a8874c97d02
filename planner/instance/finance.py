"""Discounting and annuities: converts money between years."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tables import Option


def discount_factor(rate: float, years: float) -> float:
    """Return the present value of 1 that is paid after ``years``, at the discount ``rate`` (0.05 means 5 %).

    >>> round(discount_factor(0.1, 1), 6)
    0.909091
    """
    return float((1.0 + rate) ** -years)


def spending_years(option: Option, start_year: int) -> range:
    """Return the calendar years over which the capex of a module started in ``start_year`` is spread evenly."""
    return range(start_year, start_year + max(1, option.lead_years))


def capital_recovery_factor(wacc: float, life_years: int) -> float:
    """Return the yearly payment that repays 1 over ``life_years`` at the cost of capital ``wacc`` (0.07 means 7 %).

    >>> round(capital_recovery_factor(0.07, 20), 6)
    0.094393
    >>> capital_recovery_factor(0.0, 4), capital_recovery_factor(1e-17, 4)
    (0.25, 0.25)
    """
    if wacc == 0.0:
        return 1.0 / life_years
    return wacc / -math.expm1(-life_years * math.log1p(wacc))  # near 0, 1 - (1 + wacc)^-n has no digits left


def annuity_years(option: Option, start_year: int, last_calendar_year: int) -> range:
    """Return the calendar years up to ``last_calendar_year`` in which a module is online and its annuity is paid."""
    online = start_year + option.lead_years
    return range(online, min(online + option.life_years, last_calendar_year + 1))
