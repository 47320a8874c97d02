r"""Stocks: what is in stock at a period's end, clean and exposed apart.

.. math::
    S_{h,t} - w_t (\mathit{put}_h - \mathit{draw}_h) - \sum_b \gamma_b S_{h,b} = \mathit{opening}_h
    \qquad \forall h \quad \text{(stock_balance)} \\
    w_t\, \mathit{draw}_h - \sum_b \gamma_b S_{h,b} \le \mathit{opening}_h
    \qquad \forall h \quad \text{(stock_draw)} \\
    \sum_q S_h \le \mathit{room}_g + \sum_{o, \tau} M_{o \tau t}\, n_{o\tau}
    \qquad \forall (g, t) \quad \text{(stock_limit)} \\
    \sum_q S_h + \mathit{missing}_g \ge \mathit{floor}_g \qquad \forall g,\ t \text{ the last}
    \quad \text{(stock_floor)} \\
    \sum_q \mathit{draw}_h \le \mathit{release}_g \qquad \forall (g, t) \text{ of branches}
    \quad \text{(stock_release)}

==============  ========================  ========  =====================================================
symbol          code                      unit      comes from
==============  ========================  ========  =====================================================
S               ``m.stock``               kt        decided
b, gamma        ``part.before``           share     the node before, with the share 1; absent at the beginning. Of a
                                                    branch that begins in the month k of a year: the year before with
                                                    1 - (k - 1)/12, and this year of the plan with (k - 1)/12
put, draw       ``m.put, m.draw``         kt/yr     decided; where ``part.can_put``, ``part.can_draw``
opening         ``part.opening``          kt        stockpiles.csv ``initial_t`` where no year comes before, else 0
w_t             ``node.length``           years     instance.toml ``years``; of a month 1/12
n               ``m.build``               modules   decided: modules of options that enlarge the stockpile
q               ``room.parts``            --        the clean and the exposed part (also ``least.parts``)
room            ``room.limit``            kt        stockpiles.csv ``max_t``
M               ``room.modules``          kt        options.csv ``module_t`` times the ramp's share; per module
release         ``most.limit``            kt/yr     stockpiles.csv ``release_max_t`` times 12; 0 in months before
                                                    ``release_after_months``; no row without a limit
floor           ``least.floor``           kt        stockpiles.csv ``final_min_t``
missing         ``least.missing``         kt        ``m.missing``, decided, at the material's value; None in the plan
==============  ========================  ========  =====================================================

A branch begins with the plan's stocks at that time; in it M is less by what project failures take. ``m.nothing``,
always 0, stands in the floors in case that nothing can be in stock.

Row: ``stock_balance`` and ``stock_draw`` one per stockpile, provenance and node (``data.stock``), ``stock_limit`` one
per stockpile and node, ``stock_floor`` one per stockpile and last node, ``stock_release`` one per stockpile and node of
a disturbed branch where a rule limits what is released. All are filled by prepare/operations.py.

Duals, MUSD per kt: minus that of ``stock_balance`` is the value of one kt more in stock; minus that of ``stock_limit``
is what room for one kt more would save; that of ``stock_floor``, 0 or more, is what one kt more of final minimum would
cost; minus that of ``stock_release``, MUSD per kt/yr, is what a faster release would save. The dual of ``stock_draw``
is not zero where a stock is drawn down to nothing within one period.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.stock_balance``, ``m.stock_draw``, ``m.stock_limit``, ``m.stock_floor`` and ``m.stock_release``.

    Entry ``i`` of ``data.stock`` (for the last three: of the list with the name of the rows) names stockpile and node
    of row ``i``.
    """

    def balance(m: ConcreteModel, i: int) -> Any:
        part = data.stock[i]
        length = float(data.nodes[part.node].length)
        row = Sum().add(m.stock, (i,))
        row.add_terms(m.stock, part.before, -1.0)
        if part.can_put:
            row.add(m.put, (i,), -length)
        if part.can_draw:
            row.add(m.draw, (i,), length)
        return row == part.opening

    def draw(m: ConcreteModel, i: int) -> Any:
        part = data.stock[i]
        row = Sum().add(m.draw, (i,), float(data.nodes[part.node].length))
        row.add_terms(m.stock, part.before, -1.0)
        return row <= part.opening

    def limit(m: ConcreteModel, i: int) -> Any:
        room = data.stock_limit[i]
        return Sum().add(m.stock, room.parts).add_terms(m.build, room.modules, -1.0) <= room.limit

    def floor(m: ConcreteModel, i: int) -> Any:
        least = data.stock_floor[i]
        row = Sum().add(m.nothing, (0,)).add(m.stock, least.parts)
        if least.missing is not None:
            row.add(m.missing, (least.missing,))
        return row >= least.floor

    def release(m: ConcreteModel, i: int) -> Any:
        most = data.stock_release[i]
        return Sum().add(m.draw, most.parts) <= most.limit

    drawable = [i for i, part in enumerate(data.stock) if part.can_draw]
    m.stock_balance = Constraint(range(len(data.stock)), rule=balance, doc="stock at the period's end")
    m.stock_draw = Constraint(drawable, rule=draw, doc="only what was held is drawn")
    m.stock_limit = Constraint(range(len(data.stock_limit)), rule=limit, doc="room")
    m.stock_floor = Constraint(range(len(data.stock_floor)), rule=floor, doc="final minimum")
    m.stock_release = Constraint(range(len(data.stock_release)), rule=release, doc="what may be released")
