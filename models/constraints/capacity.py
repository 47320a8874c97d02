r"""Capacity: what a facility runs fits into its own capacity and that of its modules online.

.. math::
    \sum_a \kappa_a x_a \le K_{ft} - \sum_e \mathit{closed}_{et}\, \mathit{close}_e
    + \sum_{o, \tau} M_{o \tau t}\, n_{o\tau} \qquad \forall (f, t)

==============  ======================  ========  =====================================================
symbol          code                    unit      comes from
==============  ======================  ========  =====================================================
x_a             ``m.activity``          kt/yr     decided: processes run at the facility
n               ``m.build``             modules   decided: modules started
close           ``m.close``             share     decided: share of the own capacity that is closed
kappa           ``limit.use``           kt/kt     operations.csv ``capacity_per_t``
K               ``limit.own``           kt/yr     facilities.csv ``capacity_t`` times phi and the share of the
                                                  period in which the facility is there
closed          ``limit.closed``        kt/yr     K, of closures in force: idle in this period, or retired by then
M               ``limit.modules``       kt/yr     options.csv ``module_t`` times phi and the ramp's share; per module
==============  ======================  ========  =====================================================

The factor phi is 1 in the plan. In a branch it is what outages leave of the facility's capacity, and for modules what
project failures leave of them. The ramp's share is the mean over the period's years v of
min(1, (v - first + 1) / max(1, ramp)), with ``first`` the first year online.

Row: one per facility and node in which it can or must run. ``data.capacity`` is filled by prepare/operations.py.

Dual, MUSD per kt/yr, 0 or less: minus the dual is what one kt/yr more capacity at this node would save.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.capacity_limit[i]``; entry ``i`` of ``data.capacity`` names facility and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        limit = data.capacity[i]
        row = Sum().add_terms(m.activity, limit.use).add_terms(m.build, limit.modules, -1.0)
        row.add_terms(m.close, limit.closed)
        return row <= limit.own

    m.capacity_limit = Constraint(range(len(data.capacity)), rule=rule, doc="capacity online")
