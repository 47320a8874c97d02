"""What a pool adds to the total of a stage, for the caps on shares of a stage: made, less surplus, plus bought."""

from __future__ import annotations

from pyomo.core import ConcreteModel

from ..data import Pool
from ..terms import Sum


def add_supply(row: Sum, m: ConcreteModel, pool: Pool, factor: float) -> None:
    """Add ``factor`` times (made - surplus + bought) of ``pool`` to ``row``, in kt/yr."""
    row.add_terms(m.activity, pool.made, factor).add(m.buy, pool.bought, factor)
    if pool.surplus is not None:
        row.add(m.surplus, (pool.surplus,), -factor)
