r"""Risk: the conditional value at risk (CVaR), the mean of the worst outcomes by cost or by what they leave unserved.

.. math::
    \mathit{CVaR}_\alpha = \min\ \mathit{tail} + \frac{1}{1-\alpha} \sum_\omega p_\omega\, \mathit{beyond}_\omega,
    \qquad
    \mathit{beyond}_\omega \ge V_\omega - \mathit{tail} \qquad \forall \omega \quad \text{(beyond_tail)}

The value V of an outcome is, for the measure ``cost`` and for the measure ``unserved``,

.. math::
    V_\omega = \sum_{t \in \omega} \gamma_t\, \mathit{node\_cost}_t
    + \sum_{o, \tau} (A_{o\tau} + F_{o\tau})\, n_{o\tau} + F_0
    + \sum_{o, \tau} K_{o\tau}\, \mathit{excess}_{o\tau} + \sum_e C_e\, \mathit{close}_e
    + \sum_g \mathit{value}_g\, \mathit{missing}_g, \qquad
    V_\omega = \sum_{t \in \omega} \gamma_t w_t \sum_d \mathit{short}_d

where node_cost is the part of the objective that is paid at the node, with D_t instead of pi_t (node_cost_is).

==============  ======================  ==========  ======================================================
symbol          code                    unit        comes from
==============  ======================  ==========  ======================================================
tail            ``m.tail``              MUSD or kt  decided: the value at risk
beyond          ``m.beyond``            MUSD or kt  decided: by how much an outcome exceeds it
node_cost       ``m.node_cost``         MUSD        decided: present value of operations (measure cost only)
t in omega      ``outcome.nodes``       --          nodes of the plan, then of the branch; prepare/risk.py
gamma           ``outcome.nodes``       share       1; less for the plan's year during which the branch begins
p               ``probability``         fraction    ``outcome.probability``: scenarios.csv; undisturbed: the rest
alpha           ``risk.alpha``          fraction    instance.toml ``[risk] alpha``
w_t             ``node.length``         years       instance.toml ``years``
short           ``m.short``             kt/yr       decided: demand not served
A, F, F_0, C, K see the objective       MUSD        ``cost``, ``own_fixed_om``, ``closing.cost``,
                                                    ``sized.annuity``
value           ``floor.missing_cost``  MUSD/kt     here without the probability: times D_t / pi_t of its node
==============  ======================  ==========  ======================================================

There are rows only with a weight above 0 (``[risk] weight``). The definition is that of Rockafellar and Uryasev,
Optimization of conditional value-at-risk, Journal of Risk 2 (2000).

Row: ``beyond_tail`` one per outcome (``data.outcomes``), ``node_cost_is`` one per node; prepare/risk.py fills the
outcomes and ``data.risk``.

Dual of ``beyond_tail``, MUSD per unit of V, 0 or more: the risk weight times the probability of the outcome among the
worst. Over all outcomes the duals add up to the risk weight.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..objective import operations_cost
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.node_cost_is`` and ``m.beyond_tail``; nothing if ``data.risk`` is None.

    Row ``n`` of the first is of node ``data.nodes[n]``, row ``s`` of the second of outcome ``data.outcomes[s]``.
    """
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
            for n, share in outcome.nodes:
                row.add_terms(m.short, short[n], -share)
            return row >= 0.0
        row.add_terms(m.node_cost, outcome.nodes, -1.0)
        row.add_terms(m.build, [(i, data.build[i].cost) for i in outcome.starts], -1.0)
        begun = set(outcome.starts)
        row.add_terms(m.excess, [(i, of.annuity) for i, of in enumerate(data.excess) if of.start in begun], -1.0)
        row.add_terms(m.close, [(i, c.cost) for i, c in enumerate(data.close)], -1.0)
        for floor in data.stock_floor:
            node = data.nodes[floor.node]
            if floor.missing is not None and node.branch == outcome.scenario and node.weight > 0.0:
                row.add(m.missing, (floor.missing,), -floor.missing_cost * node.present / node.weight)
        return row >= data.own_fixed_om

    m.node_cost_is = Constraint(range(len(costs)), rule=node_cost, doc="cost of the operations of a node")
    m.beyond_tail = Constraint(range(len(data.outcomes)), rule=beyond, doc="how far an outcome goes beyond the tail")
