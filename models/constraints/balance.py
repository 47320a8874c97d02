r"""Balance: nothing appears or vanishes.

.. math::
    \sum_a o_{a} x_a + \sum_{s \to c} y_s + \sum_k b_k + \mathit{draw} + [q = e]\, g
    = \sum_a u_{a} x_a + \sum_{s \leftarrow c} y_s + \sum_d z_d + \mathit{put} + \mathit{surplus} + [q = c]\, g
    \qquad \forall (m, c, q, t)

==============  ===================  =======  =====================================================
symbol          code                 unit     meaning
==============  ===================  =======  =====================================================
x_a             ``m.activity``       kt/yr    processes run
o_a, u_a        ``pool.made, used``  kt/kt    tonnes made and used per tonne of activity (recipes)
y_s             ``m.ship``           kt/yr    shipments arriving at and leaving the country
b_k             ``m.buy``            kt/yr    purchases from markets in the country
z_d             ``m.deliver``        kt/yr    deliveries to sectors
draw, put       ``m.draw, m.put``    kt/yr    out of and into stockpiles of the country
surplus         ``m.surplus``        kt/yr    thrown away
g               ``m.downgrade``      kt/yr    clean material used as exposed (leaves clean, enters exposed)
==============  ===================  =======  =====================================================

Dual: the value of one more tonne of the material there, by provenance, in MUSD/kt (present value times
probability); the clean price less the exposed price is the premium of clean material.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import CLEAN, ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.balance[pool]``, one row per material, country, provenance and node."""

    def rule(m: ConcreteModel, p: int) -> Any:
        pool = data.pools[p]
        supply = Sum()
        supply.add_terms(m.activity, pool.made)
        supply.add(m.ship, pool.arriving)
        supply.add(m.buy, pool.bought)
        supply.add(m.draw, [i for i in pool.held if data.stock[i].can_draw])
        supply.add_terms(m.activity, pool.used, -1.0)
        supply.add(m.ship, pool.leaving, -1.0)
        supply.add(m.deliver, pool.delivered, -1.0)
        supply.add(m.put, [i for i in pool.held if data.stock[i].can_put], -1.0)
        if pool.surplus is not None:
            supply.add(m.surplus, (pool.surplus,), -1.0)
        if pool.downgrade is not None:
            supply.add(m.downgrade, (pool.downgrade,), -1.0 if pool.provenance == CLEAN else 1.0)
        return supply == 0.0

    m.balance = Constraint(range(len(data.pools)), rule=rule, doc="supply equals use")
