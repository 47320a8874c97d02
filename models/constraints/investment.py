r"""Investment: how many modules of an option are built, one option of a group at most, and what has to come first.

.. math::
    \sum_\tau n_{o\tau} \le \mathit{most}_o \cdot \mathit{chosen}_o \qquad \forall o \quad \text{(modules_most)} \\
    \sum_\tau n_{o\tau} \ge \mathit{least}_o \qquad \forall o \quad \text{(modules_least)} \\
    \sum_{o \in G} \mathit{chosen}_o \le 1 \qquad \forall G \quad \text{(exclusive_group)} \\
    n_{o\tau} \le \mathit{most}_o \sum_{\tau' \le \tau} n_{o'\tau'} \qquad \forall (o, \tau) \text{ if } o
    \text{ requires } o' \quad \text{(requires)}

==============  ======================  =========  ===================================================
symbol          code                    unit       comes from
==============  ======================  =========  ===================================================
n               ``m.build``             modules    decided; at most ``max_per_year`` times w_t a period
tau             ``limit.starts``        --         the starts of the option in all periods
chosen          ``limit.chosen``        yes/no     ``m.chosen``, decided; None: 1, it is in no group
most            ``limit.most``          modules    options.csv ``max_modules`` (``need.max_modules`` in requires)
least           ``limit.least``         modules    options.csv ``min_modules``; no row if it is 0
o in G          ``data.groups``         --         options.csv ``exclusive_group``: positions in ``m.chosen``
n_{o tau}       ``need.start``          modules    the start that needs another option (options.csv ``requires``)
n_{o' tau'}     ``need.earlier``        modules    starts of the required option in that period or before
==============  ======================  =========  ===================================================

``m.nothing``, always 0, stands in the rows in case that an option can be started in no period.

Row: one per option; per exclusive group; per option with ``requires`` and start. A branch that starts some of these by
itself has further rows, over all starts of its course (``limit.branch``).
``data.modules``, ``data.groups`` and ``data.requires`` are filled by prepare/investment.py.

Duals, MUSD per module, with whole numbers held at those of the plan: they say little here. What a project is worth is
found by solving again without it.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.modules_most``, ``m.modules_least``, ``m.exclusive_group`` and ``m.requires``.

    Entry ``i`` of ``data.modules`` (for the last: of ``data.requires``) names the option of row ``i``.
    """

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

    def exclusive(m: ConcreteModel, i: int) -> Any:
        return Sum().add(m.chosen, data.groups[i].chosen) <= 1.0

    def requires(m: ConcreteModel, i: int) -> Any:
        need = data.requires[i]
        row = Sum().add(m.build, (need.start,)).add(m.build, need.earlier, -need.max_modules)
        return row <= 0.0

    committed = [i for i, limit in enumerate(data.modules) if limit.least > 0.0]
    m.modules_most = Constraint(range(len(data.modules)), rule=most, doc="modules over the horizon")
    m.modules_least = Constraint(committed, rule=least, doc="committed modules")
    m.exclusive_group = Constraint(range(len(data.groups)), rule=exclusive, doc="one option of a group")
    m.requires = Constraint(range(len(data.requires)), rule=requires, doc="what has to be started first")
