r"""Import-share cap: how much of what an importer uses comes from outside, or from a named origin.

.. math::
    \sum_{s:\ i \in O \setminus I,\ j \in I} \mathit{part}_s y_s + \sum_{i \in O \setminus I,\ j \in I} \mathit{land}
    \le \ell_t \sum_{m, c \in I, q} \Bigl(\sum_a \mathit{used}_a x_a + \sum_d \mathit{taken}_d z_{dq}
    + \sum_k \mathit{sell}_k\Bigr)
    \qquad \forall t

with the countries I of the importer and O of the origin, over the strategic materials m of the stage, or one material.
For a floor (caps.csv ``sense``) it is :math:`\ge`, and the row is multiplied by -1.

==============  =======================  =======  ========================================================
symbol          code                     unit     comes from
==============  =======================  =======  ========================================================
y_s             ``cap.shipped``          kt/yr    ``m.ship``, decided: shipments from O into I
part            ``cap.shipped``          kt/kt    what arrives of them at t, as in balance
land            ``cap.landed``           kt/yr    ``m.land``, decided: from O into I, under way when the branch began
pools in I      ``cap.total``            --       pools (m, c, q, t) of the importer: caps.csv ``country``
used x_a        ``pool.used``            kt/yr    ``m.activity``, decided, times the recipes' inputs
z_{dq}          ``pool.delivered``       kt/yr    ``m.deliver``, decided: delivered to the importer's sectors
sell            ``pool.sold``            kt/yr    ``m.sell``, decided: sold to buyers in I
taken           ``pool.delivered``       kt/kt    1; of a swap ``t_per_t`` of substitutes.csv
l               ``cap.limit``            share    caps.csv, going linearly from ``limit`` to ``limit_end``
==============  =======================  =======  ========================================================

Shipments from one country of the importer to another do not count, and what is put into stock is not use.

Row: one per cap and node in which it holds and something can be imported; one per floor and node in which it holds and
something can be used. ``data.caps["import_share"]`` is filled by prepare/caps.py.

Dual, MUSD per kt/yr, 0 or less: minus the dual, times the importer's use in kt/yr, is what raising the limit would
save, or lowering the floor, in MUSD per unit of share.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum
from .supply import add_use


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.import_share[i]``; entry ``i`` of ``data.caps["import_share"]`` names cap and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["import_share"][i]
        row = Sum()
        for part in cap.parts:
            factor = cap.sign * part.share
            row.add_terms(m.ship, part.shipped, factor).add(m.land, part.landed, factor)
            add_use(row, m, (data.pools[p] for p in part.total), -factor * cap.limit)
        return row <= 0.0

    m.import_share = Constraint(range(len(data.caps["import_share"])), rule=rule, doc="dependence on imports")
