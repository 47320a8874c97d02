r"""Stage-share cap: how much of a stage is made or bought in countries of concern, or made by plants tied to them.

.. math::
    \sum_{c \in CC} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mct}
    + \sum_{f\,\text{tied},\ c(f) \notin CC} \mathit{made}_{mft}
    \le \ell_t \sum_{c} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mct} \qquad \forall t

summed over the stage's strategic materials m, or over one material.

==============  ====================================  =======  ====================================
symbol          code                                  unit     comes from
==============  ====================================  =======  ====================================
made            ``pool.made``, ``m.activity``         kt/yr    recipes times activity
surplus         ``m.surplus``                         kt/yr    decided
bought          ``m.buy``                             kt/yr    decided
CC              ``cap.over``                          --       instance.toml ``countries_of_concern``
l               ``cap.limit``                         share    caps.csv
==============  ====================================  =======  ====================================

Dual times the total: the saving, in MUSD, per unit of share. A stage cap can hold while nearly everything upstream
comes from a country of concern; the exposed share shows it.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum
from .supply import add_supply


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.stage_share[i]``, one row per cap and node in which it holds."""

    def rule(m: ConcreteModel, i: int) -> Any:
        cap = data.caps["stage_share"][i]
        row = Sum()
        of_concern = set(cap.over)
        for p in cap.total:
            add_supply(row, m, data.pools[p], (1.0 if p in of_concern else 0.0) - cap.limit)
        row.add_terms(m.activity, cap.tied)
        return row <= 0.0

    m.stage_share = Constraint(range(len(data.caps["stage_share"])), rule=rule, doc="dependence of a stage")
