r"""Funding: what is started has to be paid for, by private money and by funds.

.. math::
    \sum_\tau \frac{C_o}{\max(1, L_o)} [\tau \le y < \tau + \max(1, L_o)]\, n_{o\tau}
    = \mathit{private}_{oy} + \sum_{f} d_{foy}, \qquad
    \sum_y \mathit{private}_{oy} \le P_o, \qquad
    \sum_{o, y} d_{foy} \le B_f, \qquad
    \sum_y d_{foy} \le \gamma_f \sum_\tau C_o n_{o\tau}

==============  ==================  ==========  ==========================================
symbol          code                unit        comes from
==============  ==================  ==========  ==========================================
n               ``m.build``         modules     decided
private         ``m.private``       MUSD/yr     decided, by calendar year
d               ``m.fund_draw``     MUSD/yr     decided, in the fund's years
C, L            ``capex``           MUSD, yr    options.csv ``capex_musd``, ``lead_years``
P               ``limit``           MUSD        options.csv ``private_musd``
B, gamma        ``budget, share``   MUSD, 1     funds.csv ``budget_musd``, ``max_share``
==============  ==================  ==========  ==========================================

Only options with a limit on private money are bound; all others can pay for themselves. Funds are transfers and
cost nothing in the objective.

Dual of ``fund_budget``: the saving, in MUSD, of one more MUSD in the fund.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.spending``, ``m.private_limit``, ``m.fund_budget`` and ``m.fund_share``."""

    def spending(m: ConcreteModel, i: int) -> Any:
        bill = data.spending[i]
        row = Sum().add_terms(m.build, bill.capex)
        row.add(m.private, (bill.private,), -1.0).add(m.fund_draw, bill.draws, -1.0)
        return row == 0.0

    def private(m: ConcreteModel, i: int) -> Any:
        limit = data.private_limit[i]
        return Sum().add(m.private, limit.private) <= limit.limit

    def budget(m: ConcreteModel, i: int) -> Any:
        fund = data.fund_limit[i]
        return Sum().add(m.fund_draw, fund.draws) <= fund.budget

    def share(m: ConcreteModel, i: int) -> Any:
        part = data.fund_share[i]
        row = Sum().add(m.fund_draw, part.draws).add_terms(m.build, part.capex, -part.max_share)
        return row <= 0.0

    m.spending = Constraint(range(len(data.spending)), rule=spending, doc="capex is paid for")
    m.private_limit = Constraint(range(len(data.private_limit)), rule=private, doc="private money")
    m.fund_budget = Constraint(range(len(data.fund_limit)), rule=budget, doc="budget of a fund")
    m.fund_share = Constraint(range(len(data.fund_share)), rule=share, doc="a fund's share of an option")
