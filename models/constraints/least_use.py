r"""Least use: contracts and policies keep a facility running.

.. math:: \sum_a \kappa_a x_a \ge \mu_f K_{ft} \qquad \forall (f, t)

==============  ====================  =======  =======================================================
symbol          code                  unit     comes from
==============  ====================  =======  =======================================================
x_a             ``m.activity``        kt/yr    decided: processes run at the facility
kappa           ``limit.use``         kt/kt    operations.csv ``capacity_per_t``
mu K            ``limit.least_use``   kt/yr    facilities.csv ``min_use`` times own capacity in the period
==============  ====================  =======  =======================================================

``m.nothing``, always 0, stands in the row in case that the facility cannot run at all.

Row: one per facility and node of the plan up to ``min_use_until``; branches are free of the duty. The entries of
``data.capacity`` whose ``least_use`` is above 0 are meant; prepare/operations.py fills them.

Dual, MUSD per kt/yr, 0 or more: what one kt/yr more of capacity that must be used would cost.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.least_use[i]``; entry ``i`` of ``data.capacity`` names facility and node of the row."""
    bound = [i for i, limit in enumerate(data.capacity) if limit.least_use > 0.0]

    def rule(m: ConcreteModel, i: int) -> Any:
        limit = data.capacity[i]
        row = Sum().add(m.nothing, (0,)).add_terms(m.activity, limit.use)
        return row >= limit.least_use

    m.least_use = Constraint(bound, rule=rule, doc="minimum use of own capacity")
