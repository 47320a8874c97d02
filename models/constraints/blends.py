r"""Blends: what is made of several inputs has a property between two limits, on average over all that is made.

.. math::
    \mathit{min}_b \sum_a \mathit{made}_a x_a \le \sum_a \mathit{content}_a x_a
    \le \mathit{max}_b \sum_a \mathit{made}_a x_a
    \qquad \forall (b, t) \quad \text{(blend_least, blend_most)}

==============  ======================  =========  ===================================================
symbol          code                    unit       comes from
==============  ======================  =========  ===================================================
x_a             ``m.activity``          kt/yr      decided: processes of the plant that make the material
made            ``limit.made``          kt/kt      recipes.csv, recipe_yields.csv: outputs of the material
content         ``limit.content``       per kt     contents.csv, times the inputs of the recipes
min, max        ``limit.least, most``   per kt     blends.csv
==============  ======================  =========  ===================================================

Clean and exposed material is blended together. It is physics, and holds in the plan and in all branches.

Row: one per blend, plant and node with a limit. ``data.blend`` is filled by prepare/blends.py.

Dual, MUSD per unit of the property a year (in thousands): of ``blend_most``, 0 or less, minus the dual is what one
unit more of the property in all that is made would save; that of ``blend_least``, 0 or more, likewise of one unit less.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.blend_least[i]`` and ``m.blend_most[i]``; entry ``i`` of ``data.blend`` names plant and material."""
    limits = data.blend

    def beyond(i: int, limit: float) -> Sum:
        return Sum().add_terms(m.activity, limits[i].content).add_terms(m.activity, limits[i].made, -limit)

    def least(m: ConcreteModel, i: int) -> Any:
        return beyond(i, limits[i].least or 0.0) >= 0.0

    def most(m: ConcreteModel, i: int) -> Any:
        return beyond(i, limits[i].most or 0.0) <= 0.0

    asked = [i for i, limit in enumerate(limits) if limit.least is not None]
    capped = [i for i, limit in enumerate(limits) if limit.most is not None]
    m.blend_least = Constraint(asked, rule=least, doc="least of a property")
    m.blend_most = Constraint(capped, rule=most, doc="most of a property")
