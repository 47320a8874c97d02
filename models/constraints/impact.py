r"""Impact cap or floor: how much of an impact operations and builds cause in a year, over the whole plan or branch.

.. math::
    \sum_a e_a x_a + \sum_s e_s y_s + \sum_k e_k b_k + \sum_o e_{o t}\, n_{o t} \le \ell_t \qquad \forall t

For a floor (caps.csv ``sense``) it is :math:`\ge`, and the row is multiplied by -1.

==============  ====================  ========  =======================================================
symbol          code                  unit      comes from
==============  ====================  ========  =======================================================
x_a, e_a        ``cap.made``          k/kt      ``m.activity``, decided; impact_factors.csv operation
y_s, e_s        ``cap.shipped``       k/kt      ``m.ship``, decided; impact_factors.csv lane
b_k, e_k        ``cap.bought``        k/kt      ``m.buy``, decided; impact_factors.csv purchase
n_o, e_o        ``cap.started``       k/module  ``m.build``, decided, of those started in the period;
                                                impact_factors.csv build times module_t, over w_t
l               ``cap.limit``         k/yr      caps.csv, going linearly from ``limit`` to ``limit_end``
==============  ====================  ========  =======================================================

with k for a thousand units of the impact. All factors that match add up, and may be negative.

Row: one per cap and node in which it holds and something can add to it; one per floor and node in which it holds.
``data.caps["impact"]`` is filled by prepare/caps.py, from ``data.impacts``, which prepare/impacts.py fills.

Dual, MUSD per thousand units a year, 0 or less: minus the dual is what a limit higher (a floor: lower) by a thousand
units would save.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.impact[i]``; entry ``i`` of ``data.caps["impact"]`` names cap and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["impact"][i]
        row = Sum()
        for part in cap.parts:
            factor = cap.sign * part.share
            row.add_terms(m.activity, part.made, factor).add_terms(m.ship, part.shipped, factor)
            row.add_terms(m.buy, part.bought, factor).add_terms(m.build, part.started, factor)
        if not row.families:
            row.add(m.nothing, (0,))
        return row <= cap.sign * cap.limit

    m.impact = Constraint(range(len(data.caps["impact"])), rule=rule, doc="impact over the whole plan")
