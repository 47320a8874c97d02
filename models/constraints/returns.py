r"""Returns: what is collected after its use is no more than comes back of what was delivered.

.. math::
    \mathit{collect}_{rcqt} \le \frac{1}{w_t} \sum_{\tau \le t} \sum_d
    \mathit{per}_r\, \mathit{collected}_r\, S_{r \tau t}\, z_{dq\tau},
    \qquad S_{r \tau t} = \sum_{a \in \tau} \sum_{b \in t} s_r(b - a)
    \qquad \forall (r, c, q, t)

over the calendar years a of the periods up to t, and b of t; the needs d are those in the country c that the row r
matches. Swaps do not come back.

==============  ======================  =======  =====================================================
symbol          code                    unit     comes from
==============  ======================  =======  =====================================================
r               ``row.ret``             --       returns.csv
collect         ``m.collect``           kt/yr    decided
z_{dq tau}      ``row.delivered``       kt/yr    ``m.deliver``, decided: in the node's period, or at the nodes
                                                 before it: in a branch those of the plan before it begins
per             ``row.delivered``       kt/kt    returns.csv ``t_per_t``
collected       ``row.delivered``       share    returns.csv ``collected``
s(n)            ``row.delivered``       share    what comes back after n years: returns.csv
                                                 ``mean_life_years``, ``shape``; instance/lives.py
==============  ======================  =======  =====================================================

Of deliveries that are given and not decided (before a branch that is solved alone) the sum is ``row.given``. Nobody has
to collect anything, so what cannot be used is left where it is.

Row: one per row of returns.csv, country, provenance and node in which something can come back and be of use.
``data.collect`` is filled by prepare/returns.py.

Dual, MUSD per kt/yr, 0 or less: what could be saved if one kt/yr more came back.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.collect_limit[i]``; entry ``i`` of ``data.collect`` names return, country and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        row = data.collect[i]
        return Sum().add(m.collect, (i,)).add_terms(m.deliver, row.delivered, -1.0) <= row.given

    m.collect_limit = Constraint(range(len(data.collect)), rule=rule, doc="no more than comes back")
