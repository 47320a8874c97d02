"""Estimates over all outcomes, from samples: confidence intervals, and how far a plan is from the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A mean over independent groups of outcomes, and its 95 % confidence interval, ``low`` to ``high`` (or nan)."""

    mean: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1: certainly above or below 0, with 95 %; 0: the interval holds 0, or is not known."""
        return (self.low > 0.0) - (self.high < 0.0)


def estimate(groups: Sequence[float]) -> Estimate:
    """Return the mean of the means of independent groups, with Student's confidence interval.

    >>> estimate([1.0, 2.0, 3.0]).mean
    2.0
    >>> [round(v, 3) for v in (estimate([1.0, 2.0, 3.0]).low, estimate([1.0, 2.0, 3.0]).high)]
    [-0.484, 4.484]
    """
    mean, half = float(np.mean(groups)), _half(groups, 0.5 + CONFIDENCE / 2.0)
    return Estimate(mean, mean - half, mean + half)


def at_most(groups: Sequence[float]) -> float:
    """Return the one-sided upper 95 % confidence limit of the mean, at least 0 (nan: one group)."""
    return max(0.0, float(np.mean(groups)) + _half(groups, CONFIDENCE))


def _half(groups: Sequence[float], quantile: float) -> float:
    """Return the distance from the mean to a quantile of Student's distribution; nan for one group."""
    from scipy.special import stdtrit

    count = len(groups)
    if count < 2:
        return math.nan
    return float(stdtrit(count - 1, quantile) * np.std(groups, ddof=1) / math.sqrt(count))


def beyond(costs: np.ndarray, level: float, weight: float, alpha: float) -> float:
    """Return the objective of equally likely outcomes, with the value at risk given instead of chosen, MUSD.

    costs          of the outcomes, MUSD
    level          value at risk, MUSD
    weight, alpha  as in `Weights`

    The mean over samples of this number is unbiased, while the mean of the worst of a sample is on average too small.
    """
    tail = level + np.maximum(costs - level, 0.0).mean() / (1.0 - alpha) if weight else 0.0
    return float((1.0 - weight) * costs.mean() + weight * tail)
