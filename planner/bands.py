"""The band in which the difference between two least costs lies, given the optimality gaps of both searches.

A search ends with an incumbent (the best plan found) and a lower bound; the least cost of its instance lies between
them. The difference between two least costs therefore lies between (bound - other incumbent) and (incumbent - other
bound). Which of the two instances costs more is known only if zero lies outside this band.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .language import _, p_
from .words import figure_of

ROUNDING = 1e-7  # relative to the cost; the least-exposure step of a solve may raise the cost by this part
WIDE = 0.01  # relative to the difference; a band that is narrower than this part is left out of the text


class Searched(NamedTuple):
    """The result of a search: the cost of its incumbent and its lower bound.

    cost   present value of the best plan found, MUSD
    bound  no plan of the same instance costs less, MUSD; at most ``cost``
    """

    cost: float
    bound: float


class Band(NamedTuple):
    """The difference between two least costs, and the range in which it lies; all fields in MUSD.

    found        difference between the costs of the two incumbents
    least, most  ends of the range in which the difference between the two least costs lies, given both bounds
    rounding     a difference up to this size is within numerical tolerance
    """

    found: float
    least: float
    most: float
    rounding: float

    @property
    def sign(self) -> int:
        """Return 1 if the least cost is certainly higher, -1 if it is certainly lower, 0 if the gaps leave it open."""
        return (self.least > self.rounding) - (self.most < -self.rounding)

    @property
    def same(self) -> bool:
        """Return whether the two least costs are certainly equal within rounding; ``sign`` is then 0 too."""
        return max(abs(self.least), abs(self.most)) <= self.rounding

    def at_least_nothing(self) -> Band:
        """Return the band without its negative part, for a change that cannot lower the cost, such as a tighter cap."""
        return self._replace(found=max(0.0, self.found), least=max(0.0, self.least), most=max(0.0, self.most))

    def told(self, money: Callable[[float], str] = lambda musd: _("{amount} MUSD", amount=figure_of(musd, 4))) -> str:
        """Return the difference in words, such as ``119 MUSD less (101 MUSD to 132 MUSD)``.

        If the gaps leave open which least cost is higher, the text names both ends of the band instead.

        money  formats an amount in MUSD, 0 or more

        >>> difference(Searched(110.0, 110.0), Searched(100.0, 100.0)).told()
        '10 MUSD more'
        >>> difference(Searched(110.0, 108.0), Searched(100.0, 99.0)).told()
        '10 MUSD more (8 MUSD to 11 MUSD)'
        >>> difference(Searched(110.0, 90.0), Searched(100.0, 99.0)).told()
        'between 10 MUSD less and 11 MUSD more'
        """
        if self.same:
            return _("the same")
        if not self.sign:
            low = (
                _("{amount} less", amount=money(-self.least))
                if self.least < -self.rounding
                else p_("change", "nothing")
            )
            high = _("{amount} more", amount=money(self.most)) if self.most > self.rounding else p_("change", "nothing")
            return _("between {low} and {high}", low=low, high=high)
        amount = money(abs(self.found))
        text = _("{amount} more", amount=amount) if self.sign > 0 else _("{amount} less", amount=amount)
        if self.most - self.least <= WIDE * abs(self.found):
            return text
        ends = sorted((abs(self.least), abs(self.most)))
        return _("{change} ({least} to {most})", change=text, least=money(ends[0]), most=money(ends[1]))


def difference(of: Searched, base: Searched) -> Band:
    """Return by how much the least cost of the search ``of`` exceeds the least cost of the search ``base``.

    >>> difference(Searched(110.0, 108.0), Searched(100.0, 99.0))[:3]
    (10.0, 8.0, 11.0)
    """
    rounding = ROUNDING * max(abs(of.cost), abs(base.cost))
    return Band(of.cost - base.cost, of.bound - base.cost, of.cost - base.bound, rounding)


def span_of(found: float, least: float, most: float) -> str:
    """Return a difference as the short text of a table cell: one number, or both ends of its band if that is wide.

    found        difference between the plans that were found
    least, most  ends of the band, in the unit of ``found``

    >>> span_of(2000.0, 2000.0, 2000.0), span_of(2000.0, 1700.0, 2350.0)
    ('2,000', '1,700 to 2,350')
    """
    if most - least <= WIDE * abs(found):
        return figure_of(found, 4)
    return _("{least} to {most}", least=figure_of(least), most=figure_of(most))
