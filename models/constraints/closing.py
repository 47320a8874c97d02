r"""Closing: no more of a facility's own capacity can be idle or retired than there is of it.

.. math:: \sum_{e \text{ in force at } t} \mathit{close}_e \le 1 \qquad \forall (f, t)

==============  ==================  =======  =====================================================
symbol          code                unit     comes from
==============  ==================  =======  =====================================================
close           ``m.close``         share    decided: share of the own capacity that is closed
e in force      ``data.closed[i]``  --       closures.csv: idle in the period, or retired in it or before
==============  ==================  =======  =====================================================

Row: one per facility that may close and period; it holds in the plan and in all branches. ``data.closed`` is filled by
prepare/closing.py.

Dual, MUSD for the whole plant, 0 or less: minus the dual is what closing the plant once more would save, beyond what
the lost capacity is worth.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.closing[i]``; entry ``i`` of ``data.closed`` has the closures of one facility in one period."""

    def rule(m: ConcreteModel, i: int) -> Any:
        return Sum().add(m.close, data.closed[i]) <= 1.0

    m.closing = Constraint(range(len(data.closed)), rule=rule, doc="closed at most once")
