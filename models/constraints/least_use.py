r"""Least use: contracts and policies keep a plant running.

.. math:: \sum_p \kappa_{fp} x_{fpqt} \ge \mu_f K_{ft} \qquad \forall (f, t \le \text{min\_use\_until})

==============  ====================  =======  ==========================================
symbol          code                  unit     comes from
==============  ====================  =======  ==========================================
x               ``m.activity``        kt/yr    decided
kappa           ``limit.use``         kt/kt    operations.csv ``capacity_per_t``
mu K            ``limit.least_use``   kt/yr    facilities.csv ``min_use`` times own available capacity
==============  ====================  =======  ==========================================

Only the plan is bound; branches are free of it.

Dual: what the obligation costs, in MUSD per kt of use.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.least_use[i]``, for the capacity limits that carry an obligation."""
    bound = [i for i, limit in enumerate(data.capacity) if limit.least_use > 0.0]

    def rule(m: ConcreteModel, i: int) -> Any:
        limit = data.capacity[i]
        row = Sum().add(m.nothing, (0,)).add_terms(m.activity, limit.use)
        return row >= limit.least_use

    m.least_use = Constraint(bound, rule=rule, doc="minimum use of own capacity")
