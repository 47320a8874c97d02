r"""Single-country cap: no country, friend or foe, makes or sells more than a share of a stage.

.. math::
    \sum_{m, q} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mcqt}
    \le \ell_t \sum_{m, c', q} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mc'qt} \qquad \forall (c, t)

summed over the strategic materials m of the stage, or over the one material of the cap.

==============  =======================  =======  ========================================================
symbol          code                     unit     comes from
==============  =======================  =======  ========================================================
made            ``pool.made``            kt/yr    ``m.activity``, decided, times the recipes' outputs
surplus         ``pool.surplus``         kt/yr    ``m.surplus``, decided: thrown away
bought          ``pool.bought``          kt/yr    ``m.buy``, decided
all pools       ``cap.total``            --       pools (m, c', q, t) where something is made or bought
pools in c      ``cap.over``             --       those in the country ``cap.country``
l               ``cap.limit``            share    caps.csv, going linearly from ``limit`` to ``limit_end``
==============  =======================  =======  ========================================================

Row: one per cap, country that can supply, and node in which the cap holds. ``data.caps["single_country_share"]`` is
filled by prepare/caps.py.

Dual, MUSD per kt/yr, 0 or less: minus the dual, times the stage's total in kt/yr, is what raising the limit for that
country would save, in MUSD per unit of share.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum
from .supply import add_supply


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.single_country_share[i]``; entry ``i`` of its list in ``data.caps`` names cap, country and node."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["single_country_share"][i]
        row = Sum()
        for part in cap.parts:
            measured = set(part.over)
            for p in part.total:
                add_supply(row, m, data.pools[p], part.share * ((1.0 if p in measured else 0.0) - cap.limit))
        return row <= 0.0

    m.single_country_share = Constraint(
        range(len(data.caps["single_country_share"])), rule=rule, doc="concentration on one country"
    )
