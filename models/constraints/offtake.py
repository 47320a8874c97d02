r"""Offtake: what buyers have promised to take is made.

.. math::
    \sum_a \mathit{made}_a x_a \ge \mathit{least}_{fmt} + \sum_{o, \tau} \mathit{take}_{o\tau t}\, n_{o\tau}
    \qquad \forall (f, m, t)

==============  ====================  ========  =====================================================
symbol          code                  unit      comes from
==============  ====================  ========  =====================================================
x_a             ``m.activity``        kt/yr     decided: processes run at the facility
n               ``m.build``           modules   decided: modules started
made            ``limit.made``        kt/kt     recipes.csv, recipe_yields.csv: outputs
least           ``limit.least``       kt/yr     offtakes.csv ``take_t`` without an ``option``, times the share of the
                                                period in which own capacity is there; sum over the offtakes r
take            ``limit.modules``     kt/yr     the same with an ``option``, times the ramp's share; per module
==============  ====================  ========  =====================================================

``m.nothing``, always 0, stands in the row in case that nothing can make the material.

Row: one per facility, material and node of the plan with an offtake; branches are free of the duty. ``data.offtake`` is
filled by prepare/offtakes.py.

Dual, MUSD per kt/yr, 0 or more: what one kt/yr more that must be made would cost.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.offtake[i]``; entry ``i`` of ``data.offtake`` names facility, material and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        limit = data.offtake[i]
        row = Sum().add(m.nothing, (0,)).add_terms(m.activity, limit.made).add_terms(m.build, limit.modules, -1.0)
        return row >= limit.least

    m.offtake = Constraint(range(len(data.offtake)), rule=rule, doc="offtakes are made")
