r"""Cap on the largest suppliers: the k countries that supply most supply together at most a share of a stage.

.. math::
    k\, \mathit{level} + \sum_c \mathit{above}_c
    \le \ell_t \sum_{m, c, q} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mcqt}
    \qquad \forall t \quad \text{(largest_share)} \\
    \sum_{m, q} (\mathit{made} - \mathit{surplus} + \mathit{bought})_{mcqt} \le \mathit{level} + \mathit{above}_c
    \qquad \forall (c, t) \quad \text{(above_level)}

summed over the strategic materials m of the stage, or over the one material of the cap.

==============  =======================  =======  ========================================================
symbol          code                     unit     comes from
==============  =======================  =======  ========================================================
k               ``cap.largest``          --       caps.csv ``largest``
level           ``m.level``              kt/yr    decided
above           ``m.above``, cap.over    kt/yr    decided: one of each country that can supply
made            ``pool.made``            kt/yr    ``m.activity``, decided, times the recipes' outputs
surplus         ``pool.surplus``         kt/yr    ``m.surplus``, decided: thrown away
bought          ``pool.bought``          kt/yr    ``m.buy``, decided
all pools       ``cap.total``            --       pools (m, c, q, t) where something is made or bought
pools of c      ``above.pools``          --       those in the country
l               ``cap.limit``            share    caps.csv, going linearly from ``limit`` to ``limit_end``
==============  =======================  =======  ========================================================

The sum of the k largest is the largest of all sums of k; the left side of the first row is at least that, by duality,
and equals it for a level at the k-th largest. So the cap is exact and linear.
In a year in months what a country supplies is its mean over the year.

Row: ``largest_share`` one per cap and node in which it holds, ``above_level`` one per cap, node and country that can
supply. ``data.caps["largest_share"]`` and ``data.above`` are filled by prepare/caps.py.

Dual of ``largest_share``, MUSD per kt/yr, 0 or less: minus the dual, times the stage's total in kt/yr, is what raising
the limit would save, in MUSD per unit of share.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum
from .supply import add_supply


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.largest_share[i]`` (its list in ``data.caps``) and ``m.above_level[j]`` (``data.above``)."""
    caps = data.caps["largest_share"]

    def largest(m: ConcreteModel, i: int) -> Any:
        row = Sum().add(m.level, (i,), float(caps[i].largest)).add(m.above, caps[i].over)
        for part in caps[i].parts:
            for p in part.total:
                add_supply(row, m, data.pools[p], -part.share * caps[i].limit)
        return row <= 0.0

    def above(m: ConcreteModel, j: int) -> Any:
        row = Sum().add(m.level, (data.above[j].cap,), -1.0).add(m.above, (j,), -1.0)
        for p, share in data.above[j].pools:
            add_supply(row, m, data.pools[p], share)
        return row <= 0.0

    m.largest_share = Constraint(range(len(caps)), rule=largest, doc="concentration on the largest suppliers")
    m.above_level = Constraint(range(len(data.above)), rule=above, doc="what a country supplies above the level")
