r"""Own-share cap or floor: how much of what a country or bloc uses it makes itself, or gets back by recycling.

.. math::
    \sum_{a\,\text{in}\,I} \mathit{made}_a x_a - \sum_{m, c \in I, q} \mathit{surplus}_{mcqt}
    \ge \ell_t \sum_{m, c \in I, q} \Bigl(\sum_a \mathit{used}_a x_a + \sum_d \mathit{taken}_d z_{dq}
    + \sum_k \mathit{sell}_k\Bigr)
    \qquad \forall t

with the countries I of the cap, over the strategic materials m of the stage, or one material. With ``recycled`` only
what restoring processes make counts, and surplus is not taken off. This is the floor, whose row is multiplied by -1;
for a cap it is :math:`\le`.

==============  =======================  =======  ========================================================
symbol          code                     unit     comes from
==============  =======================  =======  ========================================================
made x_a        ``cap.made``             kt/yr    ``m.activity``, decided, times the recipes' outputs, of plants
                                                  in I; of processes.csv ``restores_provenance`` if recycled
surplus         ``cap.over``             kt/yr    ``m.surplus``, decided: thrown away in I; none if recycled
pools in I      ``cap.total``            --       pools (m, c, q, t) of the country or bloc: caps.csv ``country``
used x_a        ``pool.used``            kt/yr    ``m.activity``, decided, times the recipes' inputs
z_{dq}          ``pool.delivered``       kt/yr    ``m.deliver``, decided: delivered to sectors in I
sell            ``pool.sold``            kt/yr    ``m.sell``, decided: sold to buyers in I
taken           ``pool.delivered``       kt/kt    1; of a swap ``t_per_t`` of substitutes.csv
l               ``cap.limit``            share    caps.csv, going linearly from ``limit`` to ``limit_end``
==============  =======================  =======  ========================================================

What is made for others counts, what is put into stock is not use.

Row: one per cap and node in which it holds and something can be made; one per floor and node in which it holds and
something can be used. ``data.caps["own_share"]`` is filled by prepare/caps.py.

Dual, MUSD per kt/yr, 0 or less: minus the dual, times the use in kt/yr, is what lowering the floor, or raising the
limit, would save, in MUSD per unit of share.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum
from .supply import add_use


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.own_share[i]``; entry ``i`` of ``data.caps["own_share"]`` names cap and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["own_share"][i]
        row = Sum()
        for part in cap.parts:
            factor = cap.sign * part.share
            row.add_terms(m.activity, part.made, factor).add(m.surplus, part.over, -factor)
            add_use(row, m, (data.pools[p] for p in part.total), -factor * cap.limit)
        return row <= 0.0

    m.own_share = Constraint(range(len(data.caps["own_share"])), rule=rule, doc="own production")
