r"""Risk: the mean of the worst outcomes, by their cost or by the tonnes that they leave unserved.

.. math::
    \mathit{CVaR}_\alpha = \min_\eta\ \eta + \frac{1}{1-\alpha} \sum_s p_s u_s, \qquad
    u_s \ge V_s - \eta, \quad u_s \ge 0 \qquad \forall s

with, for the measure ``cost`` and ``unserved``

.. math::
    V_s = \sum_{n \in s} C_n + \sum_{o\tau} (A_{o\tau} + F_{o\tau}) n_{o\tau} + F_0 + \psi_s v_s, \qquad
    V_s = \sum_{n \in s} w_n \sum_d s_{dn}

==============  ======================  ==========  ====================================================
symbol          code                    unit        meaning
==============  ======================  ==========  ====================================================
s               ``data.outcomes``                   undisturbed, or a scenario; p_s its probability
eta             ``m.tail``              MUSD, kt    decided: the value at risk
u               ``m.beyond``            MUSD, kt    decided: how far an outcome goes beyond it
C_n             ``m.node_cost``         MUSD        decided: present value of the operations of a node
alpha           ``risk.alpha``          fraction    instance.toml ``[risk] alpha``
==============  ======================  ==========  ====================================================

Only with a weight above 0 (``[risk] weight``). The definition is that of Rockafellar and Uryasev, Optimization of
conditional value-at-risk, Journal of Risk 2 (2000).

Dual of ``beyond``: minus the probability with which the outcome counts among the worst, times the weight.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..objective import operations_cost
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.node_cost_is`` and ``m.beyond_tail``; nothing without a risk."""
    if data.risk is None:
        return
    by_cost = data.risk.measure == "cost"
    costs = operations_cost(m, data) if by_cost else []
    short: list[list[tuple[int, float]]] = [[] for _ in data.nodes]
    for d, need in enumerate(data.need):
        short[need.node].append((d, float(data.nodes[need.node].length)))

    def node_cost(m: ConcreteModel, n: int) -> Any:
        return costs[n].add(m.node_cost, (n,), -1.0) == 0.0

    def beyond(m: ConcreteModel, s: int) -> Any:
        outcome = data.outcomes[s]
        row = Sum().add(m.beyond, (s,)).add(m.tail, (0,))
        if not by_cost:
            for n in outcome.nodes:
                row.add_terms(m.short, short[n], -1.0)
            return row >= 0.0
        row.add(m.node_cost, outcome.nodes, -1.0)
        row.add_terms(m.build, [(i, b.annuity + b.fixed_om) for i, b in enumerate(data.build)], -1.0)
        row.add_terms(m.close, [(i, c.cost) for i, c in enumerate(data.close)], -1.0)
        for floor in data.stock_floor:
            node = data.nodes[floor.node]
            if floor.missing is not None and node.branch == outcome.scenario and node.weight > 0.0:
                row.add(m.missing, (floor.missing,), -floor.missing_cost * node.present / node.weight)
        return row >= data.own_fixed_om

    m.node_cost_is = Constraint(range(len(costs)), rule=node_cost, doc="cost of the operations of a node")
    m.beyond_tail = Constraint(range(len(data.outcomes)), rule=beyond, doc="how far an outcome goes beyond the tail")
