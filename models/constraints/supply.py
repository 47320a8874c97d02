"""What pools add to the totals of caps on shares: made, less surplus, plus bought; and what is used or sold."""

from __future__ import annotations

from collections.abc import Iterable

from pyomo.core import ConcreteModel

from ..data import Pool
from ..terms import Sum


def add_supply(row: Sum, m: ConcreteModel, pool: Pool, factor: float) -> None:
    """Add ``factor`` times (made - surplus + bought) of ``pool`` to ``row``, in kt/yr."""
    row.add_terms(m.activity, pool.made, factor).add(m.buy, pool.bought, factor)
    if pool.surplus is not None:
        row.add(m.surplus, (pool.surplus,), -factor)


def add_use(row: Sum, m: ConcreteModel, pools: Iterable[Pool], factor: float) -> None:
    """Add ``factor`` times (used + delivered + sold) of all ``pools`` to ``row``, in kt/yr."""
    for pool in pools:
        row.add_terms(m.activity, pool.used, factor).add_terms(m.deliver, pool.delivered, factor)
        row.add(m.sell, pool.sold, factor)
