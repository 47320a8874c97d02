r"""Lane limits: at most so much of a material moves from one country to another.

.. math:: \sum_{q} y_s \le \mathit{max}_{mijt} \qquad \forall (m, i, j, t)

==============  ================  =======  ==========================================================
symbol          code              unit     comes from
==============  ================  =======  ==========================================================
y_s             ``lane.ship``     kt/yr    ``m.ship``, decided: clean and exposed shipments on the lane
max             ``lane.limit``    kt/yr    lanes.csv ``max_t``, for each movement that the row matches
==============  ================  =======  ==========================================================

Row: one per material, origin, destination and node whose lane has a maximum. ``data.lane_limit`` is filled by
prepare/operations.py.

Dual, MUSD per kt/yr, 0 or less: minus the dual is what one kt/yr more on that lane would save.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.lane_limit[i]``; entry ``i`` of ``data.lane_limit`` names material, origin, destination and node."""

    def rule(m: ConcreteModel, i: int) -> Any:
        lane = data.lane_limit[i]
        return Sum().add(m.ship, lane.ship) <= lane.limit

    m.lane_limit = Constraint(range(len(data.lane_limit)), rule=rule, doc="lane maximum")
