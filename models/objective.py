r"""The objective: the expected present value of all cost, or with a risk weight a mix of it and of the worst outcomes.

.. math::
    \min\ \sum_t \pi_t \Bigl( \sum_a \mathit{opex}_a x_a + \sum_s (\mathit{freight}_s + \mathit{tariff}_s) y_s
    + \sum_l \mathit{fixed}_l\, \mathit{used}_l
    + \sum_k \mathit{price}_k b_k - \sum_k \mathit{price}_k\, \mathit{sell}_k
    + \sum_h \mathit{holding}_h S_h + \sum_d \mathit{shortage}_d\, \mathit{short}_d
    + \sum_z \mathit{swap}_z\, z + \sum \mathit{replace}\, \mathit{run\_down} + \sum_k p_k\, \mathit{impact}_k \Bigr) \\
    + \sum_{o, \tau} p_{o\tau} (A_{o\tau} + F_{o\tau} + E_{o\tau})\, n_{o\tau}
    + \sum_{o, \tau} p_{o\tau} K_{o\tau}\, \mathit{excess}_{o\tau} + F_0
    + \sum_e C_e\, \mathit{close}_e
    + \sum_g \mathit{value}_g\, \mathit{missing}_g

==============  ==========================  ========  ========================================================
symbol          code                        unit      meaning
==============  ==========================  ========  ========================================================
pi_t            ``node.weight``             years     weight of a node; prepare/conditions.py
opex            ``activity.opex``           MUSD/kt   operating cost; prepare/operations.py
freight         ``ship.freight``            MUSD/kt   cost of the lane; prepare/operations.py
tariff          ``ship.tariff``             MUSD/kt   tariff rate times value of the material; the same
fixed           ``used.fixed``              MUSD/yr   cost of a year in which anything moves on a lane; the same
price           ``buy.price``               MUSD/kt   market price, raised by the surge in a branch; the same
sell            ``m.sell``                  kt/yr     decided: what is sold; its price is minus ``sale.cost``
                                                      in MUSD/kt; prepare/sales.py
holding         ``stock.cost``              MUSD/kt   cost of a year in stock, of the period's end; the same
shortage        ``need.shortage_cost``      MUSD/kt   cost of demand that is not served; the same
swap            ``delivery.cost``           MUSD/kt   cost of a substitute per kt replaced, 0 of other deliveries; the
                                                      same
replace         ``run_down.cost``           MUSD/kt   what it takes to replace what is drawn from working stocks;
                                                      prepare/working_stocks.py
p               ``footprint.price``         MUSD      per thousand units of an impact, see impact for what operations
                                                      cause of it; prepare/impacts.py
E               ``start.impact``            MUSD      per module: present value of the priced impacts of building;
                                                      prepare/impacts.py
A               ``start.annuity``           MUSD      per module: present value of capex times the capital
                                                      recovery factor, in the horizon; prepare/investment.py
K               ``sized.annuity``           MUSD/MUSD present value of annuities per MUSD overnight, times what
                                                      a size costs beyond its part of the largest (see sizes);
                                                      prepare/sizes.py
F               ``start.fixed_om``          MUSD      per module: present value of fixed O&M; the same
p_{o tau}       ``start.probability``       fraction  that of all courses which share the start; 1 where no branch may
                                                      build; prepare/investment.py
F_0             ``data.own_fixed_om``       MUSD      present value of fixed O&M of own capacity;
                                                      prepare/operations.py
C               ``closing.cost``            MUSD      for the whole plant: present value of closing it less the
                                                      fixed O&M that this avoids; prepare/closing.py
value           ``floor.missing_cost``      MUSD/kt   value of the material, present value times probability;
                                                      prepare/operations.py
==============  ==========================  ========  ========================================================

Here opex to replace are per kt (fixed: per lane used), paid in each year of the period. With a risk weight W
(``risk.weight``, prepare/risk.py) and the risk term of the family risk:

.. math::
    (1 - W) \cdot \text{cost} + W \cdot \mathit{CVaR}_\alpha(\text{cost}) \quad\text{for the measure cost}, \qquad
    \text{cost} + W \cdot \mathit{CVaR}_\alpha(\text{kt short}) \quad\text{for the measure unserved}

Two further steps after the least cost (the least exposure at that cost, then the least public money) are taken in
``planner/solving/search.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from pyomo.core import ConcreteModel, Objective

from .data import ModelData, Terms
from .terms import Sum

# decisions -> their list in ModelData, and component of the cost -> attribute with its rate there, MUSD/kt and year; of
# a lane used MUSD a year
RATES: dict[str, tuple[str, dict[str, str]]] = {
    "activity": ("activity", {"opex": "opex"}),
    "ship": ("ship", {"freight": "freight", "tariff": "tariff"}),
    "used": ("used", {"lane_use": "fixed"}),
    "buy": ("buy", {"purchase": "price"}),
    "sell": ("sell", {"sales": "cost"}),
    "stock": ("stock", {"holding": "cost"}),
    "short": ("need", {"shortage": "shortage_cost"}),
    "deliver": ("deliver", {"substitution": "cost"}),
    "run_down": ("run_down", {"working_stock": "cost"}),
}


def unit_costs(data: ModelData, weight: Sequence[float]) -> Iterator[tuple[str, list[Any], Terms]]:
    """Yield families of decisions at nodes, the list that describes each, and the terms of their cost, MUSD per kt/yr.

    weight  of each node, years: by how much 1 MUSD a year at it counts
    """
    for family, (rows, components) in RATES.items():
        listed = getattr(data, rows)
        rates: Iterable[Any] = map(attrgetter(*components.values()), listed)
        if len(components) > 1:
            rates = map(sum, rates)
        terms = [(i, weight[row.node] * rate) for i, (row, rate) in enumerate(zip(listed, rates, strict=True)) if rate]
        yield family, listed, terms
    for of in data.impacts:
        for family, terms in of.operations if of.price else ():
            yield family, getattr(data, RATES[family][0]), [(i, weight[of.node] * of.price * k) for i, k in terms]


def operations_cost(m: ConcreteModel, data: ModelData) -> list[Sum]:
    """Return for each node the present value of its operations, MUSD, as if the node were certain to happen.

    The list is parallel to ``data.nodes``.
    """
    costs = [Sum() for _ in data.nodes]
    for family, listed, terms in unit_costs(data, [node.present for node in data.nodes]):
        for i, cost in terms:
            costs[listed[i].node].add(getattr(m, family), (i,), cost)
    return costs


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.cost``, the objective in MUSD, to be minimised; with ``data.risk`` it holds the risk term too."""
    mean = 1.0 if data.risk is None or data.risk.measure == "unserved" else 1.0 - data.risk.weight
    weight = [mean * node.weight for node in data.nodes]
    cost = Sum(mean * data.own_fixed_om)
    for family, _, terms in unit_costs(data, weight):
        cost.add_terms(getattr(m, family), terms)
    cost.add_terms(m.build, [(i, mean * b.expected_cost) for i, b in enumerate(data.build)])
    cost.add_terms(m.excess, [(i, mean * of.annuity * of.probability) for i, of in enumerate(data.excess)])
    cost.add_terms(m.close, [(i, mean * c.cost) for i, c in enumerate(data.close)])
    cost.add_terms(m.missing, [(f.missing, mean * f.missing_cost) for f in data.stock_floor if f.missing is not None])
    if data.risk is not None:
        cost.add(m.tail, (0,), data.risk.weight)
        share = data.risk.weight / (1.0 - data.risk.alpha)
        cost.add_terms(m.beyond, [(i, share * s.probability) for i, s in enumerate(data.outcomes)])
    m.cost = Objective(expr=cost)
