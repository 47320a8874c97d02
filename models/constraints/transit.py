r"""No transit: a country sends out only what it makes, buys or collects, not what it brought in or drew from stock.

.. math::
    \sum_{s \leftarrow c} y_s \le \sum_a \mathit{made}_a x_a - \mathit{surplus} + \sum_k b_k
    + \sum_r \mathit{collect}_r + [q = \text{exposed}]\, \mathit{downgrade} \qquad \forall (m, c, q, t) \\
    \sum_q \sum_{s \leftarrow c} y_s \le \sum_q \Bigl(\sum_a \mathit{made}_a x_a - \mathit{surplus} + \sum_k b_k
    + \sum_r \mathit{collect}_r\Bigr) \qquad \forall (m, c, t)

==============  ====================  =======  =====================================================
symbol          code                  unit     comes from
==============  ====================  =======  =====================================================
q               ``limit.pools``       --       one pool: the first formula; clean and exposed: the second
y_s leaving     ``pool.leaving``      kt/yr    ``m.ship``, decided: shipments out of the country
x_a             ``m.activity``        kt/yr    decided: processes run in the country
made            ``pool.made``         kt/kt    recipes.csv, recipe_yields.csv: outputs
surplus         ``pool.surplus``      kt/yr    ``m.surplus``, decided: thrown away; None: not allowed
b_k             ``pool.bought``       kt/yr    ``m.buy``, decided: purchases in the country's markets
collect         ``pool.collected``    kt/yr    ``m.collect``, decided: what comes back after its use
downgrade       ``pool.downgrade``    kt/yr    ``m.downgrade``, decided: clean material used as exposed
==============  ====================  =======  =====================================================

So nobody can avoid a tariff, an export stop or a share by re-export or by waste. In the sum over both provenances the
downgrade cancels.

Row: one per material, country, provenance and node where goods arrive or are drawn from stock, and one more for both
provenances where material can be downgraded. Elsewhere the balance implies the row. ``data.transit`` is filled by
prepare/operations.py.

Dual, MUSD per kt/yr, 0 or less: what could be saved by re-exporting one kt/yr.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import EXPOSED, ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.transit_limit[i]``; entry ``i`` of ``data.transit`` names material, country and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        row = Sum()
        limit = data.transit[i]
        for p in limit.pools:
            pool = data.pools[p]
            row.add(m.ship, pool.leaving).add_terms(m.activity, pool.made, -1.0).add(m.buy, pool.bought, -1.0)
            row.add(m.collect, pool.collected, -1.0)
            if pool.surplus is not None:
                row.add(m.surplus, (pool.surplus,))
            if pool.downgrade is not None and len(limit.pools) == 1 and pool.provenance == EXPOSED:
                row.add(m.downgrade, (pool.downgrade,), -1.0)
        return row <= 0.0

    m.transit_limit = Constraint(range(len(data.transit)), rule=rule, doc="no re-export")
