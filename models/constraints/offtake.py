r"""Offtake: what buyers are to take is made.

.. math:: \sum_p g_{pm} x_{fpqt} \ge \sum_c a_c \Bigl(\sigma_{ft} \;\text{or}\;
    \sum_\tau \sigma_{o_c \tau t} n_{o_c \tau}\Bigr) \qquad \forall (f, m, t)

==============  ====================  ========  =====================================================
symbol          code                  unit      comes from
==============  ====================  ========  =====================================================
x               ``m.activity``        kt/yr     decided
n               ``m.build``           modules   decided
g               ``limit.made``        kt/kt     recipes.csv ``t_per_t``, outputs
a sigma         ``limit.least``       kt/yr     offtakes.csv ``take_t`` times the share of own capacity online
a sigma         ``limit.modules``     kt/yr     the same of an option, per module
==============  ====================  ========  =====================================================

Only the plan is bound; branches are free of it.

Dual: what the obligation costs, in MUSD per kt taken.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.offtake[i]``, one row per plant, material and node of the plan with an offtake."""

    def rule(m: ConcreteModel, i: int) -> Any:
        limit = data.offtake[i]
        row = Sum().add(m.nothing, (0,)).add_terms(m.activity, limit.made).add_terms(m.build, limit.modules, -1.0)
        return row >= limit.least

    m.offtake = Constraint(range(len(data.offtake)), rule=rule, doc="offtakes are made")
