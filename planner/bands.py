"""How sure the difference of two least costs is: the band that the gaps of both searches leave.

A search ends with a plan and a bound, between which the least cost of its instance lies. The difference of two least
costs therefore lies in a band; which of them is dearer is known only if zero lies outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .words import figure_of

ROUNDING = 1e-7  # relative: the least-exposure step of a solve may spend as much of the cost
WIDE = 0.01  # a band narrower than this part of the difference is not told with it


class Searched(NamedTuple):
    """The end of a search, MUSD: what its plan costs, and a bound that no plan of the same instance undercuts."""

    cost: float
    bound: float


class Band(NamedTuple):
    """The difference between two least costs, MUSD.

    found        between the plans that were found
    least, most  between the least costs, given both bounds
    rounding     differences of this size mean nothing
    """

    found: float
    least: float
    most: float
    rounding: float

    @property
    def sign(self) -> int:
        """1: certainly dearer, -1: certainly cheaper, 0: cannot be told apart."""
        return (self.least > self.rounding) - (self.most < -self.rounding)

    @property
    def same(self) -> bool:
        """Whether the two are the same but for rounding, which is more than that they cannot be told apart."""
        return max(abs(self.least), abs(self.most)) <= self.rounding

    def at_least_nothing(self) -> Band:
        """Return the band where it is known that what is compared cannot cost less, such as under a tighter limit."""
        return self._replace(found=max(0.0, self.found), least=max(0.0, self.least), most=max(0.0, self.most))

    def told(self, money: Callable[[float], str] = lambda musd: f"{figure_of(musd, 4)} MUSD") -> str:
        """Return the difference in words, such as ``119 MUSD less (101 MUSD to 132 MUSD)``; no sign inside the band.

        money  formats an amount in MUSD

        >>> difference(Searched(110.0, 110.0), Searched(100.0, 100.0)).told()
        '10 MUSD more'
        >>> difference(Searched(110.0, 108.0), Searched(100.0, 99.0)).told()
        '10 MUSD more (8 MUSD to 11 MUSD)'
        >>> difference(Searched(110.0, 90.0), Searched(100.0, 99.0)).told()
        'between 10 MUSD less and 11 MUSD more'
        """
        if self.same:
            return "the same"
        if not self.sign:
            low = money(-self.least) + " less" if self.least < -self.rounding else "nothing"
            high = money(self.most) + " more" if self.most > self.rounding else "nothing"
            return f"between {low} and {high}"
        text = f"{money(abs(self.found))} {'more' if self.sign > 0 else 'less'}"
        if self.most - self.least <= WIDE * abs(self.found):
            return text
        ends = sorted((abs(self.least), abs(self.most)))
        return f"{text} ({money(ends[0])} to {money(ends[1])})"


def difference(of: Searched, base: Searched) -> Band:
    """Return by how much the least cost of one search is above that of another, MUSD."""
    rounding = ROUNDING * max(abs(of.cost), abs(base.cost))
    return Band(of.cost - base.cost, of.bound - base.cost, of.cost - base.bound, rounding)


def span_of(found: float, least: float, most: float) -> str:
    """Return a difference as a short text for a cell: one number, or both ends where its band is wide.

    >>> span_of(2000.0, 2000.0, 2000.0), span_of(2000.0, 1700.0, 2350.0)
    ('2,000', '1,700 to 2,350')
    """
    return figure_of(found, 4) if most - least <= WIDE * abs(found) else f"{figure_of(least)} to {figure_of(most)}"
