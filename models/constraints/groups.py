r"""Groups of options: how many of them, or how much of their modules, capacity or capex, is started in some years.

.. math::
    \mathit{min}_R \le \sum_{(o, \tau) \in R} a_{o\tau}\, n_{o\tau} \le \mathit{max}_R
    \qquad \text{or} \qquad \mathit{min}_R \le \sum_{o \in R} \mathit{started}_{oR} \le \mathit{max}_R
    \qquad \forall R \quad \text{(group_least, group_most)} \\
    \mathit{started}_{oR} \le \sum_{\tau \in R} n_{o\tau} \le \mathit{most}_o \cdot \mathit{started}_{oR}
    \qquad \forall (o, R) \quad \text{(started_least, started_most)}

==============  ======================  ===========  ==================================================
symbol          code                    unit         comes from
==============  ======================  ===========  ==================================================
R               ``data.group_limit``    --           a row of group_limits.csv
n               ``m.build``             modules      decided: modules of the group's options, groups.csv,
                                                     started in periods whose first year lies in R's years
a               ``limit.modules``       of measure   per module: 1, module_t in kt, or capex_musd
started         ``limit.options``       yes/no       ``m.chosen``, decided; for the measure ``options``
min, max        ``limit.least, most``   of measure   group_limits.csv: a count, modules, kt (capacity_t) or MUSD
excess          ``limit.excess``        MUSD         ``m.excess``, for the measure capex_musd: what sizes of
                                                     options cost beyond n times ``capex_musd``
most            ``choice.most``         modules      options.csv ``max_modules``
==============  ======================  ===========  ==================================================

``m.nothing``, always 0, stands in the rows in case that nothing can be started in these years.

Row: ``group_least`` one per row of group_limits.csv with a ``min``, ``group_most`` one per row with a ``max`` that
something can count against; the other two one per option and row with the measure ``options``. They hold for the builds
as a whole, and so in all branches; a branch that may build has rows of its own for all starts of its course
(``limit.branch``). prepare/groups.py fills them.

Dual of a group's row, MUSD per unit of the measure: with whole numbers held at those of the plan it says little. In the
linear relaxation it is what one unit more, or of ``min`` one less, would save at the margin.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.group_most`` and ``m.group_least`` (entry ``i`` of ``data.group_limit``), and what counts options.

    Entry ``i`` of ``data.chosen`` names the option and the starts of ``m.started_most`` and ``m.started_least``.
    """
    limits, choices = data.group_limit, data.chosen

    def total(i: int) -> Sum:
        row = Sum().add(m.nothing, (0,)).add_terms(m.build, limits[i].modules)
        return row.add(m.chosen, limits[i].options).add(m.excess, limits[i].excess)

    def most(m: ConcreteModel, i: int) -> Any:
        return total(i) <= limits[i].most

    def least(m: ConcreteModel, i: int) -> Any:
        return total(i) >= limits[i].least

    def started_most(m: ConcreteModel, i: int) -> Any:
        return Sum().add(m.build, choices[i].starts).add(m.chosen, (i,), -choices[i].most) <= 0.0

    def started_least(m: ConcreteModel, i: int) -> Any:
        return Sum().add(m.chosen, (i,)).add(m.build, choices[i].starts, -1.0) <= 0.0

    capped = [i for i, limit in enumerate(limits) if limit.most is not None]
    asked = [i for i, limit in enumerate(limits) if limit.least > 0.0]
    counted = [i for i, choice in enumerate(choices) if choice.counted]
    m.group_most = Constraint(capped, rule=most, doc="at most so much of a group")
    m.group_least = Constraint(asked, rule=least, doc="at least so much of a group")
    m.started_most = Constraint(counted, rule=started_most, doc="an option that is started counts")
    m.started_least = Constraint(counted, rule=started_least, doc="an option that is not started does not count")
