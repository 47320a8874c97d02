r"""Objectives: the present value of all cost, then the exposure left at that cost, then the public money it takes.

.. math::
    \min\ \sum_n \pi_n \Bigl( \sum_a \omega_a x_a + \sum_s (\phi_s + \theta_s) y_s + \sum_k p_k b_k
    + \sum_s h_s S_s + \sum_d \psi_d s_d \Bigr)
    + \sum_{o\tau} (A_{o\tau} + F_{o\tau})\, n_{o\tau} + F_0 + \sum_c (C_c - F_c)\, e_c + \sum_s \psi_s v_s

==============  ==========================  ==========  ====================================================
symbol          code                        unit        meaning
==============  ==========================  ==========  ====================================================
pi_n            ``node.weight``             years       D_t times the probability of the node
omega           ``activity.opex``           MUSD/kt     operating cost
phi, theta      ``ship.freight, tariff``    MUSD/kt     freight; tariff rate times value
p               ``buy.price``               MUSD/kt     market price, times the surge in a branch
h               ``stock.cost``              MUSD/kt     holding, of the stock at the period's end
psi             ``need.shortage_cost``      MUSD/kt     shortage
A               ``start.annuity``           MUSD        capex times CRF(wacc, life), present value within the horizon
F, F_0          ``start.fixed_om``          MUSD        fixed O&M of modules and of own capacity, present value
C - F_c         ``closing.cost``            MUSD        closing a plant, less the fixed O&M that this avoids
e               ``m.close``                 share       of the plant's own capacity that is closed
v               ``m.missing``               kt          stock missing at a branch's end, at the material's value
==============  ==========================  ==========  ====================================================
"""

from __future__ import annotations

from pyomo.core import ConcreteModel, Objective

from .data import ModelData
from .terms import Sum


def operations_cost(m: ConcreteModel, data: ModelData) -> list[Sum]:
    """The present value of the cost of operations of each node, MUSD, as if it were certain."""
    present = [node.present for node in data.nodes]
    costs = [Sum() for _ in data.nodes]
    for i, a in enumerate(data.activity):
        if a.opex:
            costs[a.node].add(m.activity, (i,), present[a.node] * a.opex)
    for i, s in enumerate(data.ship):
        if s.freight + s.tariff:
            costs[s.node].add(m.ship, (i,), present[s.node] * (s.freight + s.tariff))
    for i, k in enumerate(data.buy):
        if k.price:
            costs[k.node].add(m.buy, (i,), present[k.node] * k.price)
    for i, h in enumerate(data.stock):
        if h.cost:
            costs[h.node].add(m.stock, (i,), present[h.node] * h.cost)
    for i, d in enumerate(data.need):
        if d.shortage_cost:
            costs[d.node].add(m.short, (i,), present[d.node] * d.shortage_cost)
    return costs


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.cost``, the present value of cost in MUSD."""
    mean = 1.0 if data.risk is None or data.risk.measure == "unserved" else 1.0 - data.risk.weight
    weight = [mean * node.weight for node in data.nodes]
    cost = Sum(mean * data.own_fixed_om)
    cost.add_terms(m.activity, [(i, weight[a.node] * a.opex) for i, a in enumerate(data.activity) if a.opex])
    cost.add_terms(
        m.ship,
        [(i, weight[s.node] * (s.freight + s.tariff)) for i, s in enumerate(data.ship) if s.freight + s.tariff],
    )
    cost.add_terms(m.buy, [(i, weight[k.node] * k.price) for i, k in enumerate(data.buy) if k.price])
    cost.add_terms(m.stock, [(i, weight[h.node] * h.cost) for i, h in enumerate(data.stock) if h.cost])
    cost.add_terms(
        m.short,
        [(i, weight[d.node] * d.shortage_cost) for i, d in enumerate(data.need) if d.shortage_cost],
    )
    cost.add_terms(m.build, [(i, mean * (b.annuity + b.fixed_om)) for i, b in enumerate(data.build)])
    cost.add_terms(m.close, [(i, mean * c.cost) for i, c in enumerate(data.close)])
    cost.add_terms(m.missing, [(f.missing, mean * f.missing_cost) for f in data.stock_floor if f.missing is not None])
    if data.risk is not None:
        cost.add(m.tail, (0,), data.risk.weight)
        share = data.risk.weight / (1.0 - data.risk.alpha)
        cost.add_terms(m.beyond, [(i, share * s.probability) for i, s in enumerate(data.outcomes)])
    m.cost = Objective(expr=cost)
