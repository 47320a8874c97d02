r"""Demand: all that a sector asks for is delivered, replaced by a substitute, or counted as short.

.. math::
    \sum_q z_{dq} + \mathit{short}_d = D_d, \qquad \mathit{short}_d \le (1 - \mathit{floor}_d)\, D_d \qquad \forall d

==============  ====================  =======  =====================================================
symbol          code                  unit     comes from
==============  ====================  =======  =====================================================
z_{dq}          ``m.deliver``         kt/yr    decided, swaps among them; none exposed from ``clean_from_year`` on
short           ``m.short``           kt/yr    decided
D               ``need.demand``       kt/yr    demand.csv ``demand_t``, raised by the surge in a branch
(1 - floor) D   ``need.max_short``    kt/yr    sectors.csv ``min_service``; in a branch branch_service.csv
==============  ====================  =======  =====================================================

The second rule is the upper bound of ``m.short``, not a row.

Row: one per country, sector, material and node with a demand. ``data.need`` is filled by prepare/operations.py.

Dual, MUSD per kt/yr: what one kt/yr more demand would cost. Where no floor binds it is at most the sector's shortage
cost.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.demand[d]``; entry ``d`` of ``data.need`` names country, sector and node of the row."""
    served: list[list[int]] = [[] for _ in data.need]
    for i, delivery in enumerate(data.deliver):
        served[delivery.need].append(i)

    def rule(m: ConcreteModel, d: int) -> Any:
        demand = data.need[d].demand
        return Sum().add(m.deliver, served[d]).add(m.short, (d,)) == demand

    m.demand = Constraint(range(len(data.need)), rule=rule, doc="delivered or short")
