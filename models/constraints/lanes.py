r"""Lane limits: at most so much of a material moves from one country to another; if anything does, at least so much.

.. math::
    \sum_{q} y_s \le \mathit{max}_{mijt} \qquad \text{or} \qquad
    \sum_{q} y_s \le \mathit{max}_{mijt}\, \mathit{used}_{mijt}
    \qquad \forall (m, i, j, t) \quad \text{(lane_limit)} \\
    \sum_{q} y_s \ge \mathit{min}_{mijt}\, \mathit{used}_{mijt} \qquad \forall (m, i, j, t) \quad \text{(lane_least)}

==============  ==================  =======  ========================================================
symbol          code                unit     comes from
==============  ==================  =======  ========================================================
y_s             ``lane.ship``       kt/yr    ``m.ship``, decided: clean and exposed shipments on the lane
used            ``lane.used``       yes/no   ``m.used``, decided, of a lane with a fixed cost or a least lot; None: it
                                             has neither, and the first formula holds
max             ``lane.limit``      kt/yr    lanes.csv ``max_t``, for each movement that the row matches
min             ``lane.least``      kt/yr    lanes.csv ``min_t``; no row if it is 0
==============  ==================  =======  ========================================================

What it costs to use a lane stands in the objective (``used.fixed``, lanes.csv ``fixed_musd``). It is a fact about
ships and contracts, not a duty, so it holds in all branches. In a month a twelfth of the year's cost is paid, and a
twelfth of the year's least lot moves.

Row: ``lane_limit`` one per material, origin, destination and node whose lane has a maximum, ``lane_least`` one of
these with a least lot. ``data.lane_limit`` is filled by prepare/operations.py.

Duals, MUSD per kt/yr, with whole numbers held at those of the plan: minus that of ``lane_limit``, 0 or less, is what
one kt/yr more on that lane would save; that of ``lane_least``, 0 or more, is what a least lot smaller by one kt/yr
would save.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.lane_limit[i]`` and ``m.lane_least[i]``; entry ``i`` of ``data.lane_limit`` names movement and node."""

    def most(m: ConcreteModel, i: int) -> Any:
        lane = data.lane_limit[i]
        moved = Sum().add(m.ship, lane.ship)
        return moved <= lane.limit if lane.used is None else moved.add(m.used, (lane.used,), -lane.limit) <= 0.0

    def least(m: ConcreteModel, i: int) -> Any:
        lane = data.lane_limit[i]
        return Sum().add(m.ship, lane.ship).add(m.used, (lane.used,), -lane.least) >= 0.0

    m.lane_limit = Constraint(range(len(data.lane_limit)), rule=most, doc="lane maximum")
    lots = [i for i, lane in enumerate(data.lane_limit) if lane.least > 0.0]
    m.lane_least = Constraint(lots, rule=least, doc="least lot of a lane")
