"""Every decision, with its unit, domain, bounds and the reason for them.

================  ========  ==========================================================================
name              unit      meaning (index: position in the list of the same name in ModelData)
================  ========  ==========================================================================
``activity``      kt/yr     a process run at a facility, by provenance of its inputs
``ship``          kt/yr     a movement of a material between two countries, by provenance
``buy``           kt/yr     a purchase from a market, at most its ``max_t``
``deliver``       kt/yr     what a sector in a country receives, by provenance
``short``         kt/yr     what it does not; at most (1 - min_service) of demand where the floor holds
``put, draw``     kt/yr     into and out of a stockpile, by provenance
``stock``         kt        held at the period's end, by provenance
``surplus``       kt/yr     thrown away where it is made
``downgrade``     kt/yr     clean material used as exposed
``missing``       kt        stock missing below the final minimum in a branch
``build``         modules   started at a period's first year; integer where the option says so
``close``         share     of own capacity given up: for a period, or from a period on
``chosen``        yes/no    an option of an exclusive group is built at all
``nothing``       --        always 0: the use of a plant that cannot run
``private``       MUSD/yr   private money spent on an option in a calendar year
``fund_draw``     MUSD/yr   a fund's money spent on an option in a calendar year
``tail``          MUSD, kt  value at risk; free (with a risk weight only)
``beyond``        MUSD, kt  how far an outcome goes beyond it
``node_cost``     MUSD      present value of the operations of a node; free
================  ========  ==========================================================================

All are nonnegative but those called free. Only decisions that can be nonzero exist: reachable from sources and
towards demands, over lanes that exist, in years in which a facility can run.
"""

from __future__ import annotations

from pyomo.core import Binary, ConcreteModel, NonNegativeIntegers, NonNegativeReals, Reals, Var

from .data import ModelData


def add(m: ConcreteModel, data: ModelData) -> None:
    """Declare every decision on ``m``."""
    m.activity = _amounts(len(data.activity))
    m.ship = _amounts(len(data.ship))
    m.buy = Var(range(len(data.buy)), domain=NonNegativeReals, bounds={i: (0, k.limit) for i, k in enumerate(data.buy)})
    m.deliver = _amounts(len(data.deliver))
    m.short = Var(
        range(len(data.need)),
        domain=NonNegativeReals,
        bounds={i: (0, need.max_short) for i, need in enumerate(data.need)},
    )
    m.put = Var([i for i, part in enumerate(data.stock) if part.can_put], domain=NonNegativeReals)
    m.draw = Var([i for i, part in enumerate(data.stock) if part.can_draw], domain=NonNegativeReals)
    m.stock = _amounts(len(data.stock))
    m.surplus = _amounts(len(data.surplus))
    m.downgrade = _amounts(len(data.downgrade))
    m.missing = Var([f.missing for f in data.stock_floor if f.missing is not None], domain=NonNegativeReals)
    # a domain per index makes Pyomo slow only in proportion to the few builds there are
    m.build = Var(
        range(len(data.build)),
        domain={i: NonNegativeIntegers if start.integer else NonNegativeReals for i, start in enumerate(data.build)},
        bounds={i: (0, start.max_modules) for i, start in enumerate(data.build)},
    )
    m.close = _amounts(len(data.close))
    m.chosen = Var(range(len(data.chosen)), domain=Binary)
    # stands in rows that nothing can fulfil, so that the solver, not the builder, finds them infeasible
    m.nothing = Var((0,), domain=NonNegativeReals, bounds=(0, 0))
    m.private = _amounts(len(data.private))
    m.fund_draw = _amounts(len(data.fund_draw))
    if data.risk is not None:
        m.tail = Var((0,), domain=Reals)
        m.beyond = _amounts(len(data.outcomes))
        m.node_cost = Var(range(len(data.nodes) if data.risk.measure == "cost" else 0), domain=Reals)


def _amounts(count: int) -> Var:
    return Var(range(count), domain=NonNegativeReals)
