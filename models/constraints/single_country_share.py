r"""Single-country cap: no country, friend or foe, makes or sells more than a share of a stage.

.. math::
    \sum_m (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mct}
    \le \ell_t \sum_{m, c'} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mc't} \qquad \forall (c, t)

==============  ====================================  =======  ====================================
symbol          code                                  unit     comes from
==============  ====================================  =======  ====================================
made            ``pool.made``, ``m.activity``         kt/yr    recipes times activity
surplus         ``m.surplus``                         kt/yr    decided
bought          ``m.buy``                             kt/yr    decided
l               ``cap.limit``                         share    caps.csv
==============  ====================================  =======  ====================================

Dual times the total: the saving, in MUSD, per unit of share for that country.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum
from .supply import add_supply


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.single_country_share[i]``, one row per cap, country that can supply, and node."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["single_country_share"][i]
        row = Sum()
        measured = set(cap.over)
        for p in cap.total:
            add_supply(row, m, data.pools[p], (1.0 if p in measured else 0.0) - cap.limit)
        return row <= 0.0

    m.single_country_share = Constraint(
        range(len(data.caps["single_country_share"])), rule=rule, doc="concentration on one country"
    )
