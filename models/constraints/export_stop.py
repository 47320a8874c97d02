r"""Export stop: in a branch, all that leaves a country of a material is limited.

.. math:: \sum_{s \leftarrow c} y_s \le \rho\, R_{mc} \qquad \forall (m, c, t)\ \text{that are hit}

==============  =================  =======  ==========================================================
symbol          code               unit     comes from
==============  =================  =======  ==========================================================
y_s leaving     ``stop.leaving``   kt/yr    ``m.ship``, decided: shipments out of the country
rho R           ``stop.limit``     kt/yr    disruptions.csv: R is the least ``reference_t`` of the rows that match;
                                            rho the product over them of 1 - ``fraction`` times share of years
==============  =================  =======  ==========================================================

The reference is a figure from outside, so that the plan cannot raise its own quota.

Row: one per scenario, material, country and node under a stop. ``data.export_stop`` is filled by prepare/operations.py
(the limits by prepare/conditions.py).

Dual, MUSD per kt/yr, 0 or less: minus the dual is what one kt/yr more let out of the country would save.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.export_stop[i]``; entry ``i`` of ``data.export_stop`` names scenario, material, country and node."""

    def rule(m: ConcreteModel, i: int) -> Any:
        stop = data.export_stop[i]
        return Sum().add(m.ship, stop.leaving) <= stop.limit

    m.export_stop = Constraint(range(len(data.export_stop)), rule=rule, doc="exports under a stop")
