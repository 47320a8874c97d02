"""Every decision, with its unit, its domain, and the reason for its bounds.

================  ========  ==========================================================================
name              unit      meaning (index: position in the list of the same name in ModelData)
================  ========  ==========================================================================
``activity``      kt/yr     how much a process runs at a facility, by provenance of its inputs
``ship``          kt/yr     what is moved of a material from one country to another, by provenance
``used``          yes/no    whether anything moves on a lane with a fixed cost or a least lot
``buy``           kt/yr     what is bought in a market; at most its ``max_t``
``sell``          kt/yr     what is sold to a buyer, by provenance
``deliver``       kt/yr     what a sector in a country receives, by provenance; or of its demand what a
                            substitute replaces (a swap), by provenance of the material that it needs
``short``         kt/yr     what a need lacks (index: ``need``); at most (1 - min_service) of its demand
``collect``       kt/yr     what is collected after its use, as the material that it comes back as
``put, draw``     kt/yr     what goes into and out of a part of a stockpile (index: ``stock``)
``stock``         kt        what is in stock at the period's end, by provenance
``run_down``      kt/yr     what is drawn from the working stocks of firms, in disrupted months only
``land``          kt/yr     what is taken in of goods that were under way when a branch in months began
``surplus``       kt/yr     what is thrown away in the country in which it is made
``downgrade``     kt/yr     clean material that is used as exposed
``missing``       kt        what a stockpile lacks of its final minimum, in a branch only
``build``         modules   modules of an option started in a period; whole if the option says so
``fill``          share     how far the step to the next size of an option is taken, of what is started
``full``          yes/no    whether a step is taken whole, so that the next may begin
``excess``        MUSD      overnight cost of a start beyond that part of the option's largest size
``level``         kt/yr     what each of the largest suppliers of a cap on them counts with at least
``above``         kt/yr     what a country supplies above this level
``close``         share     share of a facility's own capacity closed: for a period, or from it on
``chosen``        yes/no    whether an option of a group is started at all, in some periods
``nothing``       --        always 0; it gives a variable to rows that may have no other
``private``       MUSD/yr   private money spent on an option in a calendar year
``fund_draw``     MUSD/yr   money of a fund spent on an option in a calendar year
``tail``          MUSD, kt  value at risk; may be negative (only with a risk weight)
``beyond``        MUSD, kt  by how much an outcome exceeds the value at risk (index: ``outcomes``)
``node_cost``     MUSD      present value of the operations of a node; may be negative (index: ``nodes``)
================  ========  ==========================================================================

All others are 0 or more. A decision exists only if it can be other than zero: material can reach it from a source and
go on from it to a use, over lanes that exist, in years in which a facility can run (``planner/prepare/reach.py``).
"""

from __future__ import annotations

from pyomo.core import Binary, ConcreteModel, NonNegativeIntegers, NonNegativeReals, Reals, Var

from .data import ModelData


def add(m: ConcreteModel, data: ModelData) -> None:
    """Declare every decision on ``m``."""
    m.activity = _amounts(len(data.activity))
    m.ship = _amounts(len(data.ship))
    m.used = Var(range(len(data.used)), domain=Binary)
    m.buy = Var(range(len(data.buy)), domain=NonNegativeReals, bounds={i: (0, k.limit) for i, k in enumerate(data.buy)})
    m.sell = _amounts(len(data.sell))
    m.deliver = _amounts(len(data.deliver))
    m.short = Var(
        range(len(data.need)),
        domain=NonNegativeReals,
        bounds={i: (0, need.max_short) for i, need in enumerate(data.need)},
    )
    m.collect = _amounts(len(data.collect))
    m.put = Var([i for i, part in enumerate(data.stock) if part.can_put], domain=NonNegativeReals)
    m.draw = Var([i for i, part in enumerate(data.stock) if part.can_draw], domain=NonNegativeReals)
    m.stock = _amounts(len(data.stock))
    m.run_down = _amounts(len(data.run_down))
    m.land = _amounts(len(data.land))
    m.surplus = _amounts(len(data.surplus))
    m.downgrade = _amounts(len(data.downgrade))
    m.missing = Var([f.missing for f in data.stock_floor if f.missing is not None], domain=NonNegativeReals)
    # a domain for each index is slow in Pyomo, but there are few builds
    m.build = Var(
        range(len(data.build)),
        domain={i: NonNegativeIntegers if start.integer else NonNegativeReals for i, start in enumerate(data.build)},
        bounds={i: (0, start.max_modules) for i, start in enumerate(data.build)},
    )
    m.fill = Var(range(len(data.fill)), domain=NonNegativeReals, bounds=(0, 1))
    m.full = Var([i for i, step in enumerate(data.fill) if not step.last], domain=Binary)
    m.excess = Var(range(len(data.excess)), domain=Reals)
    m.close = _amounts(len(data.close))
    m.level = _amounts(len(data.caps["largest_share"]))
    m.above = _amounts(len(data.above))
    m.chosen = Var(range(len(data.chosen)), domain=Binary)
    # Pyomo refuses a row without a variable; with this one in it, the solver finds that nothing can fulfil the row
    m.nothing = Var((0,), domain=NonNegativeReals, bounds=(0, 0))
    m.private = _amounts(len(data.private))
    m.fund_draw = _amounts(len(data.fund_draw))
    if data.risk is not None:
        m.tail = Var((0,), domain=Reals)
        m.beyond = _amounts(len(data.outcomes))
        m.node_cost = Var(range(len(data.nodes) if data.risk.measure == "cost" else 0), domain=Reals)


def _amounts(count: int) -> Var:
    """Return ``count`` decisions that are 0 or more, without an upper bound."""
    return Var(range(count), domain=NonNegativeReals)
