r"""Import-share cap: how much of what an importer uses comes from outside, or from a named origin.

.. math::
    \sum_{s:\, i \in O \setminus I,\ j \in I} y_s
    \le \ell_t \sum_{c \in I} \Bigl(\sum_a u_a x_a + \sum_d z_d\Bigr) \qquad \forall t

==============  ================================  =======  =====================================
symbol          code                              unit     meaning
==============  ================================  =======  =====================================
y_s             ``m.ship``                        kt/yr    shipments into the importer I from the origin O
u_a x_a         ``pool.used``, ``m.activity``     kt/yr    used by processes inside
z_d             ``m.deliver``                     kt/yr    delivered inside
l               ``cap.limit``                     share    caps.csv
==============  ================================  =======  =====================================

Movements inside the importer do not count, and what is put into stock is not use.

Dual times use: the saving, in MUSD, per unit of share.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.import_share[i]``, one row per cap and node in which it holds."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["import_share"][i]
        row = Sum().add(m.ship, cap.over)
        for p in cap.total:
            pool = data.pools[p]
            row.add_terms(m.activity, pool.used, -cap.limit).add(m.deliver, pool.delivered, -cap.limit)
        return row <= 0.0

    m.import_share = Constraint(range(len(data.caps["import_share"])), rule=rule, doc="dependence on imports")
