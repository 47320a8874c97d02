r"""Investment: how often an option is built, one of a group at most, and what has to come first.

.. math::
    \underline{n}_o \le \sum_\tau n_{o\tau} \le \overline{n}_o \cdot h_o, \qquad
    \sum_{o \in G} h_o \le 1, \qquad
    n_{o\tau} \le \overline{n}_o \sum_{\tau' \le \tau} n_{o'\tau'} \quad \text{if } o \text{ requires } o'

==============  =================  =========  ==============================================
symbol          code               unit       comes from
==============  =================  =========  ==============================================
n               ``m.build``        modules    decided; its bound is ``max_per_year`` times w
h               ``m.chosen``       yes/no     decided; 1 for options in no ``exclusive_group``
lower, upper    ``limit``          modules    options.csv ``min_modules``, ``max_modules``
==============  =================  =========  ==============================================

Duals (integers fixed) say little here; the worth of a project is found by solving without it.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.modules_most``, ``m.modules_least``, ``m.exclusive_group`` and ``m.requires``."""

    def most(m: ConcreteModel, i: int) -> Any:
        limit = data.modules[i]
        row = Sum().add(m.nothing, (0,)).add(m.build, limit.starts)
        if limit.chosen is None:
            return row <= limit.most
        row.add(m.chosen, (limit.chosen,), -limit.most)
        return row <= 0.0

    def least(m: ConcreteModel, i: int) -> Any:
        limit = data.modules[i]
        return Sum().add(m.nothing, (0,)).add(m.build, limit.starts) >= limit.least

    def exclusive(m: ConcreteModel, group: str) -> Any:
        return Sum().add(m.chosen, data.groups[group]) <= 1.0

    def requires(m: ConcreteModel, i: int) -> Any:
        need = data.requires[i]
        row = Sum().add(m.build, (need.start,)).add(m.build, need.earlier, -need.max_modules)
        return row <= 0.0

    committed = [i for i, limit in enumerate(data.modules) if limit.least > 0.0]
    m.modules_most = Constraint(range(len(data.modules)), rule=most, doc="modules over the horizon")
    m.modules_least = Constraint(committed, rule=least, doc="committed modules")
    m.exclusive_group = Constraint(sorted(data.groups), rule=exclusive, doc="one option of a group")
    m.requires = Constraint(range(len(data.requires)), rule=requires, doc="what has to be started first")
