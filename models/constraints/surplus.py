r"""Surplus: a joint product may be thrown away, but only as much as is made of it there.

.. math:: \mathit{surplus}_{mcqt} \le \sum_a \mathit{made}_a x_a \qquad \forall (m, c, q, t)

==============  ====================  =======  =====================================================
symbol          code                  unit     comes from
==============  ====================  =======  =====================================================
surplus         ``pool.surplus``      kt/yr    ``m.surplus``, decided; materials.csv ``surplus`` allows it
x_a             ``m.activity``        kt/yr    decided: processes run in the country
made            ``pool.made``         kt/kt    recipes.csv, recipe_yields.csv: outputs
==============  ====================  =======  =====================================================

Row: one per pool (material, country, provenance and node) where something else than what is made could be thrown away:
arrivals, purchases, stock, what comes back after its use, downgraded material. Elsewhere the balance implies the row.
``data.surplus_limit`` holds the positions of these pools; prepare/operations.py fills it.

Dual, MUSD per kt/yr, 0 or less: what could be saved by throwing away one kt/yr that was bought or brought in. It is not
zero only if waste would loosen a cap.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.surplus_limit[p]``, for the pools in ``data.surplus_limit``; ``p`` is a position in ``data.pools``."""

    def rule(m: ConcreteModel, p: int) -> Any:
        pool = data.pools[p]
        row = Sum().add(m.surplus, (pool.surplus,)).add_terms(m.activity, pool.made, -1.0)
        return row <= 0.0

    m.surplus_limit = Constraint(data.surplus_limit, rule=rule, doc="only what is made is thrown away")
