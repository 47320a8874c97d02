r"""Substitution: another material, or thrift, replaces part of a demand, up to a share of it.

.. math:: \sum_q z_{dkq} \le \mathit{share}_k\, D_d \qquad \forall (k, d, t)

==============  ====================  =======  =====================================================
symbol          code                  unit     comes from
==============  ====================  =======  =====================================================
k               ``limit.substitute``  --       a substitute: another material, or thrift without one
z_{dkq}         ``limit.swaps``       kt/yr    ``m.deliver``, decided: what it replaces of the demand
share D         ``limit.limit``       kt/yr    substitute_shares.csv ``max_share`` times the demand, as
                                               raised by the surge in a branch
==============  ====================  =======  =====================================================

What is replaced counts in the demand like a delivery. The material that replaces it, ``t_per_t`` of it per tonne,
leaves the pool of the consumer's country (see balance).

Row: one per substitute and demand that it matches, at each node. ``data.swap_limit`` is filled by
prepare/substitutes.py.

Dual, MUSD per kt/yr, 0 or less: what could be saved if one kt/yr more could be replaced.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.swap_limit[i]``; entry ``i`` of ``data.swap_limit`` names substitute, demand and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        limit = data.swap_limit[i]
        return Sum().add(m.deliver, limit.swaps) <= limit.limit

    m.swap_limit = Constraint(range(len(data.swap_limit)), rule=rule, doc="part of a demand that can be replaced")
