"""The formulation: a linear or mixed-integer model of sourcing and investment, written in Pyomo.

``build`` walks the registry of families: that is the table of contents. Each family is one file whose docstring
has its formula, its symbols with units, and what its dual means.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from pyomo.core import ConcreteModel, NonNegativeReals, Objective, Var

from . import objective, variables
from .constraints import (
    balance,
    capacity,
    closing,
    demand,
    export_stop,
    exposed_share,
    funding,
    import_share,
    investment,
    lanes,
    least_use,
    offtake,
    risk,
    single_country_share,
    stage_share,
    stocks,
    surplus,
    transit,
)
from .data import ModelData
from .terms import Sum

FAMILIES = (
    balance,
    surplus,
    transit,
    capacity,
    least_use,
    offtake,
    lanes,
    demand,
    stocks,
    exposed_share,
    stage_share,
    single_country_share,
    import_share,
    export_stop,
    investment,
    closing,
    funding,
    risk,
)

__all__ = ["FAMILIES", "ModelData", "build", "build_funding_split"]


def build(data: ModelData, families: Sequence[ModuleType] | None = None) -> ConcreteModel:
    """The model of ``data``: every decision, every family (or only some ``families``), the cost to be minimised."""
    m = ConcreteModel()
    variables.add(m, data)
    for family in FAMILIES if families is None else families:
        family.add(m, data)
    objective.add(m, data)
    return m


def build_funding_split(data: ModelData, modules: dict[int, float]) -> ConcreteModel:
    """The funding family alone, with the builds given: who pays, with the least public money.

    modules  position of a build -> modules started
    """
    m = ConcreteModel()
    m.build = Var(
        range(len(data.build)), bounds={i: (modules.get(i, 0.0), modules.get(i, 0.0)) for i in range(len(data.build))}
    )
    m.private = Var(range(len(data.private)), domain=NonNegativeReals)
    m.fund_draw = Var(range(len(data.fund_draw)), domain=NonNegativeReals)
    funding.add(m, data)
    m.public = Objective(expr=Sum().add(m.fund_draw, range(len(data.fund_draw))))
    return m
