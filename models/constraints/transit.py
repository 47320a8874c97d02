r"""No transit: a country sends out only what it makes or buys, not what it brought in or drew from stock.

.. math::
    \sum_s y_s \le \sum_a o_a x_a - \mathit{surplus} + \sum_k b_k + [q = e]\, g \qquad \forall (m, c, q, t)
    \qquad\text{and}\qquad
    \sum_q \sum_s y_s \le \sum_q \Bigl(\sum_a o_a x_a - \mathit{surplus} + \sum_k b_k\Bigr)
    \qquad \forall (m, c, t)

==============  =================  =======  ===========================================
symbol          code               unit     meaning
==============  =================  =======  ===========================================
y_s             ``m.ship``         kt/yr    shipments leaving the country
x_a             ``m.activity``     kt/yr    processes run
o_a             ``pool.made``      kt/kt    tonnes made per tonne of activity
surplus         ``m.surplus``      kt/yr    thrown away
b_k             ``m.buy``          kt/yr    purchases from markets in the country
g               ``m.downgrade``    kt/yr    clean material used as exposed
==============  =================  =======  ===========================================

So a tariff, a stop or a share cannot be dodged by re-export or by waste. Rows exist only where goods arrive or
are drawn from stock; elsewhere the balance implies them.

Dual: what re-exporting one more tonne would save, in MUSD/kt: the worth of a loophole.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import EXPOSED, ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.transit_limit[i]``: per provenance, and in sum over both where material can be downgraded."""

    def rule(m: ConcreteModel, i: int) -> Any:
        row = Sum()
        limit = data.transit[i]
        for p in limit.pools:
            pool = data.pools[p]
            row.add(m.ship, pool.leaving).add_terms(m.activity, pool.made, -1.0).add(m.buy, pool.bought, -1.0)
            if pool.surplus is not None:
                row.add(m.surplus, (pool.surplus,))
            if pool.downgrade is not None and len(limit.pools) == 1 and pool.provenance == EXPOSED:
                row.add(m.downgrade, (pool.downgrade,), -1.0)
        return row <= 0.0

    m.transit_limit = Constraint(range(len(data.transit)), rule=rule, doc="no re-export")
