r"""Sizes: the size of a plant is decided, and what it costs depends on it, along a line between given sizes.

.. math::
    n_{o\tau} = \sum_k \mathit{share}_k\, \mathit{fill}_k, \qquad
    \mathit{excess}_{o\tau} = \sum_k \mathit{more}_k\, \mathit{fill}_k
    \qquad \forall (o, \tau) \quad \text{(size_is, excess_is)} \\
    \mathit{full}_k \le \mathit{fill}_k \qquad \forall k \text{ but the last} \quad \text{(step_whole)} \\
    \mathit{fill}_k \le \mathit{full}_{k-1} \quad (k > 1), \qquad \mathit{fill}_1 \le \mathit{full}_1
    \qquad \forall k \quad \text{(step_next)}

==============  ======================  =========  ==================================================
symbol          code                    unit       comes from
==============  ======================  =========  ==================================================
n               ``m.build``             modules    decided; a module is the option's largest size, options.csv
fill            ``m.fill``              share      decided: how far step k is taken; k = 1 leads from nothing to
                                                   the smallest size, and is taken wholly or not at all
full            ``m.full``              yes/no     decided: whether step k is taken wholly
excess          ``m.excess``            MUSD       decided: overnight cost beyond n times ``capex_musd``
share           ``step.share``          modules    option_sizes.csv ``capacity_t``, over ``module_t``: difference
                                                   of the sizes at both ends of the step
more            ``step.capex``          MUSD       option_sizes.csv ``capex_musd``: the same difference of cost,
                                                   less share times ``capex_musd`` of options.csv
==============  ======================  =========  ==================================================

This is the incremental formulation of a piecewise linear cost; with economies of scale the cost is concave, so that
whole numbers are needed. All other families count modules, and the excess where capex counts: the objective, funding,
and limits on the capex of groups.

Row: the first two one per option with sizes and start, the others one per step. ``data.excess`` and ``data.fill`` are
filled by prepare/sizes.py.

Dual: with whole numbers held at those of the plan they say little. What a project is worth is found by solving again.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.size_is[i]`` and ``m.excess_is[i]`` (``data.excess``), ``m.step_whole[k]`` and ``m.step_next[k]``."""
    steps = data.fill

    def size_is(m: ConcreteModel, i: int) -> Any:
        of = data.excess[i]
        row = Sum().add(m.build, (of.start,), -1.0)
        return row.add_terms(m.fill, [(k, steps[k].share) for k in of.steps]) == 0.0

    def excess_is(m: ConcreteModel, i: int) -> Any:
        row = Sum().add(m.excess, (i,), -1.0)
        return row.add_terms(m.fill, [(k, steps[k].capex) for k in data.excess[i].steps]) == 0.0

    def step_whole(m: ConcreteModel, k: int) -> Any:
        return Sum().add(m.full, (k,)).add(m.fill, (k,), -1.0) <= 0.0

    def step_next(m: ConcreteModel, k: int) -> Any:
        before = steps[k].before
        return Sum().add(m.fill, (k,)).add(m.full, (k if before is None else before,), -1.0) <= 0.0

    m.size_is = Constraint(range(len(data.excess)), rule=size_is, doc="the size that is started")
    m.excess_is = Constraint(range(len(data.excess)), rule=excess_is, doc="what it costs beyond its part")
    m.step_whole = Constraint(
        [k for k, step in enumerate(steps) if not step.last], rule=step_whole, doc="a step counts as whole if it is"
    )
    m.step_next = Constraint(range(len(steps)), rule=step_next, doc="a step begins after the one before it")
