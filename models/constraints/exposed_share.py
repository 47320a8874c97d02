r"""Exposed-share cap: traced, end-to-end dependence of what is delivered.

.. math::
    \sum_{d} z_{d,e,t} \le \ell_t \sum_d \sum_q z_{dqt}
    \quad\Longleftrightarrow\quad
    \sum_{d} z_{d,e,t} + \ell_t \sum_d s_{dt} \le \ell_t \sum_d D_{dt}
    \qquad \forall t

==============  ==================  =======  ==================================================
symbol          code                unit     comes from
==============  ==================  =======  ==================================================
z_{d,e}         ``m.deliver``       kt/yr    exposed deliveries of the demands the cap speaks of
s               ``m.short``         kt/yr    decided
D               ``cap.demand``      kt/yr    demand.csv
l               ``cap.limit``       share    caps.csv, gliding from ``limit`` to ``limit_end``
==============  ==================  =======  ==================================================

The second form is used: a change of the limit then changes few coefficients.

Dual times delivered tonnes: the saving, in MUSD, per unit of share; one point is a hundredth of it.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.exposed_share[i]``, one row per cap and node in which it holds."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["exposed_share"][i]
        row = Sum().add(m.deliver, cap.over).add(m.short, cap.total, cap.limit)
        return row <= cap.limit * cap.demand

    m.exposed_share = Constraint(range(len(data.caps["exposed_share"])), rule=rule, doc="traced dependence")
