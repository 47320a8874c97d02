r"""Stage-share cap: how much of a stage is made or bought in countries of concern, or made by plants tied to them.

.. math::
    \sum_{m, c \in CC, q} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mcqt}
    + \sum_{a\,\text{tied}} \mathit{made}_a x_a
    \le \ell_t \sum_{m, c, q} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mcqt} \qquad \forall t

summed over the strategic materials m of the stage, or over the one material of the cap.

==============  =======================  =======  ========================================================
symbol          code                     unit     comes from
==============  =======================  =======  ========================================================
made            ``pool.made``            kt/yr    ``m.activity``, decided, times the recipes' outputs
surplus         ``pool.surplus``         kt/yr    ``m.surplus``, decided: thrown away
bought          ``pool.bought``          kt/yr    ``m.buy``, decided
made, tied      ``cap.made``             kt/yr    ``m.activity``, decided, times kt made per kt: plants with
                                                  facilities.csv ``concern_tie`` outside CC
all pools       ``cap.total``            --       pools (m, c, q, t) where something is made or bought
pools in CC     ``cap.over``             --       those in instance.toml ``countries_of_concern``
l               ``cap.limit``            share    caps.csv, going linearly from ``limit`` to ``limit_end``
==============  =======================  =======  ========================================================

Row: one per cap and node in which it holds and something can count against it. ``data.caps["stage_share"]`` is filled
by prepare/caps.py.

Dual, MUSD per kt/yr, 0 or less: minus the dual, times the stage's total in kt/yr, is what raising the limit would save,
in MUSD per unit of share. A stage can keep its cap while nearly everything before it comes from a country of concern;
the exposed share shows that.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum
from .supply import add_supply


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.stage_share[i]``; entry ``i`` of ``data.caps["stage_share"]`` names cap and node of the row."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["stage_share"][i]
        row = Sum()
        for part in cap.parts:
            of_concern = set(part.over)
            for p in part.total:
                add_supply(row, m, data.pools[p], part.share * ((1.0 if p in of_concern else 0.0) - cap.limit))
            row.add_terms(m.activity, part.made, part.share)
        return row <= 0.0

    m.stage_share = Constraint(range(len(data.caps["stage_share"])), rule=rule, doc="dependence of a stage")
