r"""The formulation: a linear or mixed-integer model of sourcing and investment, written in Pyomo.

``FAMILIES`` is the table of contents: each family of constraints is one file, whose docstring has the formula, a table
of every symbol with its unit and its origin, what one row stands for, and what its dual means.

The letters of all formulas
---------------------------

Index letters; a sum over a letter runs over all that the row's own indices allow:

==========  ====================  ==========================================================================
letter      list in ModelData     one of these is
==========  ====================  ==========================================================================
t           ``nodes``             a node: a period of the plan, or of a branch (the plan under a scenario)
t - 1       ``previous``          the node whose stocks at the end are those with which t starts
m           --                    a material
c           --                    a country; (m, c, q, t) is a pool, an entry of ``pools``
q           --                    a provenance: clean or exposed (some input is tied to a country of concern)
a           ``activity``          an activity: a process run at a facility with inputs of one provenance
s           ``ship``              a shipment of a material from country i to country j
k           ``buy``               a purchase of a material in a market
d           ``need``              a need: the demand of a sector in a country for a material
g           --                    a stockpile
h           ``stock``             the clean or the exposed part of a stockpile
f           --                    a facility
o           --                    an option: a project that can be built, in modules
tau         --                    the period in which modules of an option are started; (o, tau) is in ``build``
e           ``close``             a closure: part of a facility idle for one period, or retired from it on
r           --                    an offtake: what buyers have promised to take
G           ``groups``            a group of options that exclude each other
R           ``group_limit``       a limit on what is started of a group of options
u           --                    a fund of public money
v           --                    a calendar year
omega       ``outcomes``          an outcome: what happens, undisturbed or with one of the scenarios
==========  ====================  ==========================================================================

Decisions with a letter of their own; every other decision stands in the formulas with its name (see Decisions):

==========  ====================  ========  ================================================================
letter      code                  unit      meaning
==========  ====================  ========  ================================================================
x_a         ``m.activity``        kt/yr     how much a process runs
y_s         ``m.ship``            kt/yr     what is shipped
b_k         ``m.buy``             kt/yr     what is bought
z_{dq}      ``m.deliver``         kt/yr     what a sector receives, or has replaced by a substitute
S_h         ``m.stock``           kt        what is in stock at the period's end
n_{o tau}   ``m.build``           modules   modules started
==========  ====================  ========  ================================================================

Parameters that several files use:

==========  ====================  ========  ================================================================
letter      code                  unit      meaning
==========  ====================  ========  ================================================================
w_t         ``node.length``       years     calendar years of the node's period; of a month 1/12
D_t         ``node.present``      years     present value of 1 a year, paid in every year of the period; of a month,
                                            paid during it
pi_t        ``node.weight``       years     D_t times the probability that the node is the one that happens
l_t         ``cap.limit``         share     the limit of a cap at the node, 0 to 1
M           ``modules``           kt/yr     what one module adds at the node (to a stockpile: kt)
==========  ====================  ========  ================================================================

A year in which a scenario of calendar months acts, and the year after it, are divided into months in its branch: each
is a node, with w = 1/12 and D a twelfth of the year's. Flows stay kt/yr. A cap or floor holds in such a year as the
mean of its months: its sums run over all of them, each with the share 1/12 (``part.share``), and if the branch begins
within the year over the plan's year too, with the share that has gone by then. The plan's node counts with the
probability that no branch has left it, as the mean over its period. Where lanes have ``transit_weeks`` goods arrive
later than they leave, in the months of a branch that something disturbs and in the period after them (under_way).

The plan and the branches are courses of events. A branch leaves the plan or, as a scenario with a ``parent`` says,
another branch, whose disruptions go on acting in it; what came before is that of the course it leaves. A branch with
``rebuild_after`` has starts of its own from a year on (``start.branch``), and shares the earlier ones. All limits on
starts, groups, funds and private money hold for each course as a whole; what a start costs counts with the probability
of all courses that share it. A node counts with the probability of its course less that of the branches that have left
it. In a course that nothing disturbs floors and duties hold as in the plan.

Units: quantities are kilotonnes (kt), flows kilotonnes a year (kt/yr), money is million USD of the price year (MUSD).
Each file ``prepare/NAME.py`` named in a table is ``planner/prepare/NAME.py``; it alone converts tonnes and USD.

Duals: the dual of a row (its shadow price) is the change of the objective, MUSD, per unit by which the row's right-hand
side grows, with whole numbers held at those of the plan. It is 0 or less for a row with ``<=`` (more room saves money),
0 or more for a row with ``>=``. The objective counts present value times probability over all years of a period. So the
dual of a row in kt/yr is MUSD for one kt/yr more in every year of the period; divided by pi_t it is MUSD/kt, that is
1,000 USD/t.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from pyomo.core import ConcreteModel, NonNegativeReals, Objective, Var

from . import objective, variables
from .constraints import (
    balance,
    blends,
    capacity,
    closing,
    demand,
    export_stop,
    exposed_share,
    funding,
    groups,
    impact,
    import_share,
    investment,
    lanes,
    largest_share,
    least_use,
    offtake,
    own_share,
    returns,
    risk,
    sales,
    single_country_share,
    sizes,
    stage_share,
    stocks,
    substitution,
    surplus,
    transit,
    under_way,
    working_stocks,
)
from .data import ModelData
from .terms import Sum

FAMILIES = (
    balance,
    surplus,
    transit,
    under_way,
    blends,
    capacity,
    least_use,
    offtake,
    lanes,
    demand,
    sales,
    substitution,
    returns,
    stocks,
    working_stocks,
    exposed_share,
    stage_share,
    single_country_share,
    largest_share,
    import_share,
    own_share,
    impact,
    export_stop,
    investment,
    sizes,
    groups,
    closing,
    funding,
    risk,
)

__all__ = ["FAMILIES", "ModelData", "build", "build_funding_split"]


def build(data: ModelData, families: Sequence[ModuleType] | None = None) -> ConcreteModel:
    """Return the model of ``data``: every decision, the constraints, and the cost to be minimised.

    families  modules of ``FAMILIES`` whose constraints are wanted; None: all
    """
    m = ConcreteModel()
    variables.add(m, data)
    for family in FAMILIES if families is None else families:
        family.add(m, data)
    objective.add(m, data)
    return m


def build_funding_split(data: ModelData, modules: dict[int, float], excess: dict[int, float]) -> ConcreteModel:
    """Return a model of the funding family alone: who pays for the given builds, with the least public money (MUSD).

    modules  position in ``data.build`` -> modules started; builds that are absent are held at 0
    excess   position in ``data.excess`` -> MUSD that their sizes cost beyond the part of the largest size
    """
    m = ConcreteModel()
    m.build = Var(
        range(len(data.build)), bounds={i: (modules.get(i, 0.0), modules.get(i, 0.0)) for i in range(len(data.build))}
    )
    m.excess = Var(range(len(data.excess)), bounds={i: (excess[i], excess[i]) for i in range(len(data.excess))})
    m.private = Var(range(len(data.private)), domain=NonNegativeReals)
    m.fund_draw = Var(range(len(data.fund_draw)), domain=NonNegativeReals)
    funding.add(m, data)
    m.public = Objective(expr=Sum().add(m.fund_draw, range(len(data.fund_draw))))
    return m
