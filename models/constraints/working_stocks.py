r"""Working stocks: what firms hold to work with bridges the first months of a disruption, and no more than that.

.. math::
    \sum_{t \in \text{course}} w_t\, \mathit{run\_down}_{mcq,t}
    \le \gamma \Bigl( \sum_a \mathit{used}_a x_a + \sum_d \mathit{taken}_d z_{dq} \Bigr)_{s} + \mathit{full}
    \qquad \forall (m, c, q) \text{ of a working stock, each course}

==============  ==========================  =======  =====================================================
symbol          code                        unit     comes from
==============  ==========================  =======  =====================================================
run_down        ``held.drawn``              kt/yr    ``m.run_down``, decided: what is drawn, in months in which
                                                     clean-only rules are lifted
w_t             ``held.drawn``              years    length of the node, a twelfth
s               --                          --       the node that the first branch in months of the course leaves: the
                                                     year of its beginning or, if that is January, the year before
gamma           ``held.activity, deliver``  years    working_stocks.csv ``weeks`` times 7/365
used, taken     ``held.activity, deliver``  kt/kt    what goes from the pool (m, c, q) into processes and deliveries, as
                                                     in balance
full            ``held.full``               kt       the same product where s is not part of the model, as when a run is
                                                     tried; else 0
==============  ==========================  =======  =====================================================

What is drawn enters the pool of its country (see balance), does not leave the country (see transit), and costs what it
takes to replace it (see the objective): it is filled again later, which is not modelled. The plan itself leaves
working stocks as they are, and that they grow with its use costs nothing.

Row: one per working stock, provenance and course in which something can be drawn. ``data.working_stock`` is filled by
prepare/working_stocks.py.

Dual, MUSD per kt, 0 or less: minus the dual is what one kt more in the working stock would save.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.working_stock[i]``; entry ``i`` of ``data.working_stock`` names country, material and provenance."""

    def rule(m: ConcreteModel, i: int) -> Any:
        held = data.working_stock[i]
        row = Sum().add_terms(m.run_down, held.drawn)
        row.add_terms(m.activity, held.activity, -1.0).add_terms(m.deliver, held.deliver, -1.0)
        return row <= held.full

    m.working_stock = Constraint(range(len(data.working_stock)), rule=rule, doc="only what firms hold is drawn")
