"""Lives in use: when what was delivered comes back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol


class Life(Protocol):
    """How long something is in use; see returns.csv."""

    @property
    def mean_life_years(self) -> float: ...
    @property
    def shape(self) -> float | None: ...


def life_share(life: Life, years: int) -> float:
    """Return the share, 0 to 1, of what was delivered in a year that comes back ``years`` later.

    >>> from types import SimpleNamespace as Row
    >>> [life_share(Row(mean_life_years=1.5, shape=None), n) for n in (0, 1, 2)]
    [0.0, 0.0, 1.0]
    >>> [round(life_share(Row(mean_life_years=2.0, shape=2.0), n), 6) for n in (0, 1, 2, 3)]
    [0.047902, 0.309211, 0.34977, 0.202877]
    """
    if years < 0:
        return 0.0
    if life.shape is None:
        return 1.0 if years == math.floor(life.mean_life_years + 0.5) else 0.0
    return _worn_out(life.mean_life_years, life.shape, years + 0.5) - _worn_out(
        life.mean_life_years, life.shape, years - 0.5
    )


def _worn_out(mean: float, shape: float, age: float) -> float:
    """Return the Weibull distribution: the share that is no longer in use at an age in years, 0 to 1."""
    if age <= 0.0:
        return 0.0
    # in logarithms, since for a small shape the scale itself may be too small or too large a number
    scale = math.log(mean) - math.lgamma(1.0 + 1.0 / shape)
    return -math.expm1(-math.exp(min(700.0, shape * (math.log(age) - scale))))


def back_from(life: Life, delivered: Iterable[int], back: Iterable[int]) -> float:
    """Return the sum of the shares of all calendar years of delivery and of return, years."""
    later = list(back)
    return sum(life_share(life, b - a) for a in delivered for b in later)
