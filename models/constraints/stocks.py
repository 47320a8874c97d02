r"""Stocks: what is held at a period's end, clean and exposed apart.

.. math::
    S_{sqt} = S_{sq,t-1} + w_t (\mathit{put}_{sqt} - \mathit{draw}_{sqt}), \qquad
    w_t\, \mathit{draw}_{sqt} \le S_{sq,t-1}, \qquad
    \sum_q S_{sqt} \le \overline{S}_s + \sum_{o, \tau} k_o \sigma_{o \tau t} n_{o\tau}, \qquad
    \sum_q S_{sqT} + v_s \ge \underline{S}_s

==============  ===================  =======  ==================================================
symbol          code                 unit     comes from
==============  ===================  =======  ==================================================
S               ``m.stock``          kt       decided; before the first period stockpiles.csv ``initial_t``
put, draw       ``m.put, m.draw``    kt/yr    decided
w_t             ``node.length``      years    instance.toml ``years``
n               ``m.build``          modules  decided; of options that add to the store
upper limit     ``limit.limit``      kt       stockpiles.csv ``max_t``
k sigma         ``limit.modules``    kt       options.csv ``module_t`` times the ramp's share
lower limit     ``floor.floor``      kt       stockpiles.csv ``final_min_t``
v               ``m.missing``        kt       decided; branches only, paid at the material's value
==============  ===================  =======  ==================================================

A branch starts from the plan's stocks.

Duals: ``stock_balance``: the value of a tonne in stock, in MUSD/kt; ``stock_limit``: of a tonne more room;
``stock_floor``: what the final minimum costs.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.stock_balance``, ``m.stock_draw``, ``m.stock_limit`` and ``m.stock_floor``."""

    def balance(m: ConcreteModel, i: int) -> Any:
        part = data.stock[i]
        length = float(data.nodes[part.node].length)
        row = Sum().add(m.stock, (i,))
        if part.previous is not None:
            row.add(m.stock, (part.previous,), -1.0)
        if part.can_put:
            row.add(m.put, (i,), -length)
        if part.can_draw:
            row.add(m.draw, (i,), length)
        return row == part.opening

    def draw(m: ConcreteModel, i: int) -> Any:
        part = data.stock[i]
        row = Sum().add(m.draw, (i,), float(data.nodes[part.node].length))
        if part.previous is not None:
            row.add(m.stock, (part.previous,), -1.0)
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

    drawable = [i for i, part in enumerate(data.stock) if part.can_draw]
    m.stock_balance = Constraint(range(len(data.stock)), rule=balance, doc="stock at the period's end")
    m.stock_draw = Constraint(drawable, rule=draw, doc="only what was held is drawn")
    m.stock_limit = Constraint(range(len(data.stock_limit)), rule=limit, doc="room")
    m.stock_floor = Constraint(range(len(data.stock_floor)), rule=floor, doc="final minimum")
