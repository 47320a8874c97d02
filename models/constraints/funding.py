r"""Funding: what is started has to be paid for, by private money and by funds.

.. math::
    \sum_\tau \mathit{capex}_{o \tau v}\, n_{o\tau} = \mathit{private}_{ov} + \sum_u \mathit{fund\_draw}_{uov}
    \qquad \forall (o, v) \quad \text{(spending)} \\
    \sum_v \mathit{private}_{ov} \le P_o \qquad \forall o \quad \text{(private_limit)} \\
    \sum_{o, v} \mathit{fund\_draw}_{uov} \le B_u \qquad \forall u \quad \text{(fund_budget)} \\
    \sum_v \mathit{fund\_draw}_{uov} \le \gamma_u \sum_\tau \mathit{capex}_o\, n_{o\tau}
    \qquad \forall (u, o) \quad \text{(fund_share)}

==============  ======================  =========  ===================================================
symbol          code                    unit       comes from
==============  ======================  =========  ===================================================
n               ``m.build``             modules    decided: modules started
private         ``bill.private``        MUSD/yr    ``m.private``, decided, by option and calendar year; also
                                                   ``limit.private``, all years
fund_draw       ``bill.draws``          MUSD/yr    ``m.fund_draw``, decided, in the fund's years; also
                                                   ``fund.draws``, all of the fund, ``part.draws``, for the option
capex, by year  ``bill.capex``          MUSD       per module: options.csv ``capex_musd``, spread evenly over
                                                   ``lead_years`` (at least one year) from the start on
capex           ``part.capex``          MUSD       per module: options.csv ``capex_musd``
P               ``limit.limit``         MUSD       options.csv ``private_musd``
B               ``fund.budget``         MUSD       funds.csv ``budget_musd``
gamma           ``part.max_share``      share      funds.csv ``max_share``; no row if it is 1
==============  ======================  =========  ===================================================

Of an option with sizes the capex of a start is ``capex_musd`` times its modules, plus its ``m.excess``, spread alike.
Only options with a limit on private money have rows; all others can pay for themselves. Funds are transfers and cost
nothing in the objective. A branch that starts such options by itself has a split of its own for all starts of its
course.

Row: one per option and calendar year (``data.spending``), per option (``data.private_limit``), per fund
(``data.fund_limit``), per fund and option (``data.fund_share``); prepare/funding.py fills all four.

Duals: minus that of ``fund_budget``, MUSD per MUSD, is what one MUSD more in the fund would save; minus that of
``private_limit`` is the same for private money.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.spending``, ``m.private_limit``, ``m.fund_budget`` and ``m.fund_share``.

    Entry ``i`` of ``data.spending``, ``data.private_limit``, ``data.fund_limit`` and ``data.fund_share`` names option,
    year or fund of row ``i``.
    """

    def spending(m: ConcreteModel, i: int) -> Any:
        bill = data.spending[i]
        row = Sum().add_terms(m.build, bill.capex).add_terms(m.excess, bill.excess)
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
        row.add(m.excess, part.excess, -part.max_share)
        return row <= 0.0

    m.spending = Constraint(range(len(data.spending)), rule=spending, doc="capex is paid for")
    m.private_limit = Constraint(range(len(data.private_limit)), rule=private, doc="private money")
    m.fund_budget = Constraint(range(len(data.fund_limit)), rule=budget, doc="budget of a fund")
    m.fund_share = Constraint(range(len(data.fund_share)), rule=share, doc="a fund's share of an option")
