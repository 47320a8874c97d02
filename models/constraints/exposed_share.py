r"""Exposed-share cap: how much of what is delivered is exposed, traced through all stages.

.. math::
    \sum_d z_{d,\text{exposed}} \le \ell_t \sum_d \sum_q z_{dq}
    \quad\Longleftrightarrow\quad
    \sum_d z_{d,\text{exposed}} + \ell_t \sum_d (\mathit{short}_d + \mathit{thrift}_d) \le \ell_t \sum_d D_d
    \qquad \forall t

summed over the needs d in the country (or bloc) and sector of the cap. A swap with a material is a delivery, in tonnes
replaced; thrift, which needs no material, is in neither sum.

==============  ==================  =======  =======================================================
symbol          code                unit     comes from
==============  ==================  =======  =======================================================
z exposed       ``cap.over``        kt/yr    ``m.deliver``, decided: exposed deliveries and swaps of these needs
short           ``cap.total``       kt/yr    ``m.short``, decided: what these needs lack
thrift          ``cap.thrift``      kt/yr    ``m.deliver``, decided: swaps of these needs without a material
D, summed       ``cap.demand``      kt/yr    demand.csv ``demand_t`` of these needs
l               ``cap.limit``       share    caps.csv, going linearly from ``limit`` to ``limit_end``
==============  ==================  =======  =======================================================

The second form is used, since another limit then changes few coefficients.

Row: one per cap and node in which it holds and something exposed can be delivered.
``data.caps["exposed_share"]`` is filled by prepare/caps.py.

Dual, MUSD per kt/yr, 0 or less: minus the dual, times the kt/yr that are delivered, is what raising the limit would
save, in MUSD per unit of share; a percentage point is a hundredth of it.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.exposed_share[i]``; entry ``i`` of ``data.caps["exposed_share"]`` names cap and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["exposed_share"][i]
        row, demand = Sum(), 0.0
        for part in cap.parts:
            limited = part.share * cap.limit
            row.add(m.deliver, part.over, part.share)
            row.add(m.short, part.total, limited).add(m.deliver, part.thrift, limited)
            demand += part.share * part.demand
        return row <= cap.limit * demand

    m.exposed_share = Constraint(range(len(data.caps["exposed_share"])), rule=rule, doc="traced dependence")
