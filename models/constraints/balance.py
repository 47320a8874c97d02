r"""Balance: what comes into a pool of material goes out of it; nothing appears or vanishes.

.. math::
    \sum_a \mathit{made}_a x_a + \sum_{s \to c} \mathit{part}_s y_s + \sum \mathit{land} + \sum_k b_k
    + \sum_r \mathit{collect}_r
    + \sum_h \mathit{draw}_h + \mathit{run\_down} + [q = \text{exposed}]\, \mathit{downgrade} \\
    = \sum_a \mathit{used}_a x_a + \sum_{s \leftarrow c} y_s + \sum_d \mathit{taken}_d z_{dq} + \sum_k \mathit{sell}_k
    + \sum_h \mathit{put}_h + \mathit{surplus} + [q = \text{clean}]\, \mathit{downgrade}
    \qquad \forall (m, c, q, t)

==============  ======================  =======  =====================================================
symbol          code                    unit     comes from
==============  ======================  =======  =====================================================
x_a             ``m.activity``          kt/yr    decided: processes run in the country
made, used      ``pool.made, used``     kt/kt    recipes.csv, recipe_yields.csv: outputs and inputs
y_s arriving    ``pool.arriving``       kt/yr    ``m.ship``, decided: shipments into the country
part            ``pool.arriving``       kt/kt    what arrives of it at t: 1; in months lanes.csv
                                                 ``transit_weeks`` part it among nodes, see under_way
land            ``pool.landed``         kt/yr    ``m.land``, decided: of what was under way when the branch began
y_s leaving     ``pool.leaving``        kt/yr    ``m.ship``, decided: shipments out of it
b_k             ``pool.bought``         kt/yr    ``m.buy``, decided: purchases in its markets
collect         ``pool.collected``      kt/yr    ``m.collect``, decided: what comes back after its use
z_{dq}          ``pool.delivered``      kt/yr    ``m.deliver``, decided: deliveries to its sectors
taken           ``pool.delivered``      kt/kt    1; of a swap ``t_per_t`` of substitutes.csv
sell            ``pool.sold``           kt/yr    ``m.sell``, decided: sold to buyers in the country
draw, put       ``pool.held``           kt/yr    ``m.draw, m.put``, decided: out of and into its stockpiles
run_down        ``pool.run_down``       kt/yr    ``m.run_down``, decided: from working stocks; None: there are none
surplus         ``pool.surplus``        kt/yr    ``m.surplus``, decided: thrown away; None: not allowed
downgrade       ``pool.downgrade``      kt/yr    ``m.downgrade``, decided: clean material used as exposed
==============  ======================  =======  =====================================================

Row: one per pool (material, country, provenance and node). ``data.pools`` is filled by prepare/operations.py.

Dual, MUSD per kt/yr: the price of the material there. It is what taking out one kt/yr more would cost. The clean price
less the exposed price is the premium of clean material.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import CLEAN, ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.balance[p]``, one row per pool; ``p`` is its position in ``data.pools``."""

    def rule(m: ConcreteModel, p: int) -> Any:
        pool = data.pools[p]
        supply = Sum()
        supply.add_terms(m.activity, pool.made)
        supply.add_terms(m.ship, pool.arriving).add(m.land, pool.landed)
        supply.add(m.buy, pool.bought).add(m.collect, pool.collected)
        supply.add(m.draw, [i for i in pool.held if data.stock[i].can_draw])
        supply.add_terms(m.activity, pool.used, -1.0)
        supply.add(m.ship, pool.leaving, -1.0)
        supply.add_terms(m.deliver, pool.delivered, -1.0).add(m.sell, pool.sold, -1.0)
        supply.add(m.put, [i for i in pool.held if data.stock[i].can_put], -1.0)
        if pool.run_down is not None:
            supply.add(m.run_down, (pool.run_down,))
        if pool.surplus is not None:
            supply.add(m.surplus, (pool.surplus,), -1.0)
        if pool.downgrade is not None:
            supply.add(m.downgrade, (pool.downgrade,), -1.0 if pool.provenance == CLEAN else 1.0)
        return supply == 0.0

    m.balance = Constraint(range(len(data.pools)), rule=rule, doc="supply equals use")
