r"""Under way: what left before a branch began still arrives, and after its months as much is under way again.

.. math::
    \mathit{land}_{mijq,t} \le \mathit{given} + \sum_{s \text{ before the branch}} \mathit{part}_s y_s
    \qquad \forall (m, i, j, q, t) \text{ of a branch in months} \quad \text{(under_way)} \\
    \sum_{s \to j} \mathit{part}_s y_s + \sum_i \mathit{land}_{mijq,t} \le \sum_{s \to j,\ \text{at } t} y_s
    \qquad \forall (m, j, q),\ t \text{ the period after the months} \quad \text{(refill)}

==============  ======================  =======  =====================================================
symbol          code                    unit     comes from
==============  ======================  =======  =====================================================
land            ``m.land``              kt/yr    decided: what the destination j takes in
y_s             ``landing.sent``        kt/yr    ``m.ship``, decided: shipments of the course that the branch leaves
part            ``landing.sent``        kt/kt    the share of t at which arrives what left at the node of
                                                 s: that node's time, later by 12/52 months times
                                                 lanes.csv ``transit_weeks``
given           ``landing.given``       kt/yr    the same where that course is not part of the model, as
                                                 when a run is tried; else 0
s to j          ``refill.arriving``     --       shipments of which something arrives at t, as in balance
s to j, at t    ``refill.leaving``      --       shipments that leave at t
==============  ======================  =======  =====================================================

What leaves within the branch arrives in the same way, with ``part`` in the balance: it is all taken in, since it left
knowing what would be needed. Of what was under way nobody knew, so what nobody can use is lost. The course that the
branch leaves counts with what it ships in the year of the beginning, held for as long before as goods are under way; if
it is in months itself, with each of its months. So an export stop, or an outage of a plant, is felt only when what left
before has arrived, and supply is back only when what leaves afterwards has.

After the period that follows the months goods arrive when they leave again. So in that period no more arrives than
leaves: else a plan would save what is under way at its end, by sending in the last month what the whole period needs.
Where the months reach the end of the horizon nothing says so: what would arrive after it does not leave.

Row: ``under_way`` one per material, origin, destination, provenance and node, in the months of a branch that something
disturbs and in the period after them, where something can be under way from before (``data.land``); ``refill`` one per
material, destination and provenance in that period, where goods can be under way (``data.refill``). Both are filled by
prepare/under_way.py.

Dual, MUSD per kt/yr, 0 or less: minus that of ``under_way`` is what one kt/yr more under way would save, minus that of
``refill`` what letting one kt/yr less be under way after the period would.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.under_way[i]`` and ``m.refill[i]``; entry ``i`` of ``data.land`` and ``data.refill`` names the row's."""

    def rule(m: ConcreteModel, i: int) -> Any:
        landing = data.land[i]
        return Sum().add(m.land, (i,)).add_terms(m.ship, landing.sent, -1.0) <= landing.given

    def refill(m: ConcreteModel, i: int) -> Any:
        filled = data.refill[i]
        row = Sum().add_terms(m.ship, filled.arriving).add(m.land, filled.landed)
        return row.add(m.ship, filled.leaving, -1.0) <= 0.0

    m.refill = Constraint(range(len(data.refill)), rule=refill, doc="no less is under way afterwards")
    m.under_way = Constraint(range(len(data.land)), rule=rule, doc="what was sent arrives")
