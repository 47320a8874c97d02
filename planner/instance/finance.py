"""Discounting and annuities: what money of one year is worth in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tables import Option


def discount_factor(rate: float, years: float) -> float:
    """Present value of 1 paid after ``years`` at the discount ``rate`` (0.05 means 5 %).

    >>> round(discount_factor(0.1, 1), 6)
    0.909091
    """
    return float((1.0 + rate) ** -years)


def spending_years(option: Option, start_year: int) -> range:
    """Calendar years over which the capex of a module started in ``start_year`` is spread evenly."""
    return range(start_year, start_year + max(1, option.lead_years))


def capital_recovery_factor(wacc: float, life_years: int) -> float:
    """Yearly payment that repays 1 over ``life_years`` at the cost of capital ``wacc``.

    >>> round(capital_recovery_factor(0.07, 20), 6)
    0.094393
    >>> capital_recovery_factor(0.0, 4)
    0.25
    """
    if wacc == 0.0:
        return 1.0 / life_years
    return wacc / (1.0 - (1.0 + wacc) ** -life_years)


def annuity_years(option: Option, start_year: int, last_calendar_year: int) -> range:
    """Calendar years within the horizon in which a module is online, and its annuity is paid."""
    online = start_year + option.lead_years
    return range(online, min(online + option.life_years, last_calendar_year + 1))
