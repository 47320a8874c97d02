r"""Lane limits: at most so much moves between two countries.

.. math:: \sum_q y_{mijqt} \le M_{mijt} \qquad \forall (m, i, j, t)

==============  ================  =======  ===============================
symbol          code              unit     comes from
==============  ================  =======  ===============================
y               ``m.ship``        kt/yr    decided
M               ``limit.limit``   kt/yr    lanes.csv ``max_t``, for each matching movement
==============  ================  =======  ===============================

Dual: the saving of one more kt on that lane, in MUSD.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.lane_limit[i]``, for lanes with a maximum."""

    def rule(m: ConcreteModel, i: int) -> Any:
        lane = data.lane_limit[i]
        return Sum().add(m.ship, lane.ship) <= lane.limit

    m.lane_limit = Constraint(range(len(data.lane_limit)), rule=rule, doc="lane maximum")
