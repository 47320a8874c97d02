r"""Capacity: what a facility runs fits into its own capacity and that of the modules online.

.. math::
    \sum_p \kappa_{fp} x_{fpqt} \le \phi_{ft} \Bigl(K_{ft} \bigl(1 - \sum_c e_c\bigr)
    + \sum_{o, \tau} k_o \sigma_{o \tau t} n_{o\tau}\Bigr) \qquad \forall (f, t)

==============  ======================  ========  =====================================================
symbol          code                    unit      comes from
==============  ======================  ========  =====================================================
x               ``m.activity``          kt/yr     decided
n               ``m.build``             modules   decided
e               ``m.close``             share     decided; what is idle then, or retired until then
kappa           ``limit.use``           kt/kt     operations.csv ``capacity_per_t``
K               ``limit.own``           kt/yr     facilities.csv ``capacity_t`` times its share of the period
k sigma         ``limit.modules``       kt/yr     options.csv ``module_t`` times the ramp's share
phi             in both                 share     1; less in a branch with an outage or failed projects
==============  ======================  ========  =====================================================

The share is the mean over the period's years of min(1, (y - a + 1) / max(1, ramp)) from the online year a on.

Dual: the saving, in MUSD (present value times probability), of one more kt of capacity in that period.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.capacity_limit[i]``, one row per facility and node in which it can run."""

    def rule(m: ConcreteModel, i: int) -> Any:
        limit = data.capacity[i]
        row = Sum().add_terms(m.activity, limit.use).add_terms(m.build, limit.modules, -1.0)
        row.add_terms(m.close, limit.closed)
        return row <= limit.own

    m.capacity_limit = Constraint(range(len(data.capacity)), rule=rule, doc="capacity online")
