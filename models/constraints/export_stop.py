r"""Export stop: in a branch, all that leaves a country is limited.

.. math:: \sum_{q, j} y_{mijqt} \le \rho\, R_{mi} \qquad \forall (m, i, t)\ \text{hit}

==============  =================  =======  ==========================================================
symbol          code               unit     comes from
==============  =================  =======  ==========================================================
y               ``m.ship``         kt/yr    decided
R               ``stop.limit``     kt/yr    disruptions.csv, the least ``reference_t`` of the matching rows
rho             ``stop.limit``     share    product over those rows of 1 - fraction times share of years
==============  =================  =======  ==========================================================

The reference is a figure from outside, so that the plan cannot raise its own quota.

Dual: the saving, in MUSD, of one more kt let out.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.export_stop[i]``, per scenario, material, country and node."""

    def rule(m: ConcreteModel, i: int) -> Any:
        stop = data.export_stop[i]
        return Sum().add(m.ship, stop.leaving) <= stop.limit

    m.export_stop = Constraint(range(len(data.export_stop)), rule=rule, doc="exports under a stop")
