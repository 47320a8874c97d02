r"""Demand: every tonne asked for is delivered or counted as short.

.. math:: \sum_q z_{dqt} + s_{dt} = D_{dt}, \qquad s_{dt} \le (1 - \mathit{floor}_d)\, D_{dt} \qquad \forall (d, t)

==============  ==================  =======  ===============================================
symbol          code                unit     comes from
==============  ==================  =======  ===============================================
z               ``m.deliver``       kt/yr    decided; no exposed delivery from clean_from_year on
s               ``m.short``         kt/yr    decided; its upper bound is the service floor
D               ``need.demand``     kt/yr    demand.csv, times the surge in a branch
floor           ``need.max_short``  share    sectors.csv ``min_service``; lifted in branches
==============  ==================  =======  ===============================================

Dual: what one more tonne of demand costs, in MUSD/kt; never above the sector's shortage cost where no floor binds.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.demand[need]``."""
    served: list[list[int]] = [[] for _ in data.need]
    for i, delivery in enumerate(data.deliver):
        served[delivery.need].append(i)

    def rule(m: ConcreteModel, d: int) -> Any:
        demand = data.need[d].demand
        return Sum().add(m.deliver, served[d]).add(m.short, (d,)) == demand

    m.demand = Constraint(range(len(data.need)), rule=rule, doc="delivered or short")
