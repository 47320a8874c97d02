r"""Surplus: a joint product may be thrown away, but only where it is made.

.. math:: \mathit{surplus}_{mcqt} \le \sum_a o_a x_a \qquad \forall (m, c, q, t)

==============  =================  =======  ===========================================
symbol          code               unit     meaning
==============  =================  =======  ===========================================
surplus         ``m.surplus``      kt/yr    thrown away
o_a             ``pool.made``      kt/kt    tonnes made per tonne of activity
x_a             ``m.activity``     kt/yr    processes run
==============  =================  =======  ===========================================

Rows exist only where something else than making could be thrown away (arrivals, purchases, stock,
downgraded material); elsewhere the balance implies them.

Dual: what it would be worth to throw away a tonne that was bought or brought in, in MUSD/kt; nonzero only if
waste would loosen a cap.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.surplus_limit[pool]``."""

    def rule(m: ConcreteModel, p: int) -> Any:
        pool = data.pools[p]
        row = Sum().add(m.surplus, (pool.surplus,)).add_terms(m.activity, pool.made, -1.0)
        return row <= 0.0

    m.surplus_limit = Constraint(data.surplus_limit, rule=rule, doc="only what is made is thrown away")
