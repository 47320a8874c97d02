"""Measures of a plan (cost, exposure, public money ...), for objectives, for limits, and to evaluate a plan.

A measure is an array with one weight for each column of a compiled model, in the measure's unit per unit of the column;
its product with a solution is the measure of that plan.

==============  ========  ==============================================================================
name            unit      meaning
==============  ========  ==============================================================================
``cost``        MUSD      present value of all cost, without the constant that no decision changes
``exposed``     kt        exposed deliveries of the plan, present value
``unserved``    kt        demand of the plan that is not served, present value
``unclean``     kt        both: demand of the plan that is not served by clean deliveries
``public``      MUSD      money drawn from funds, undiscounted
``capex``       MUSD      overnight capital expenditure of the options
==============  ========  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..models.data import EXPOSED, PLAN, ModelData
from .compiling import Arrays

Weight = Callable[[Any], float]  # node -> by how much 1 kt/yr at this node counts, years


def present(node: Any) -> float:
    """Return the years of the node's period in present value; 0 in the branches of scenarios."""
    return float(node.present) if node.branch == PLAN else 0.0


def deliveries(data: ModelData, arrays: Arrays, weight: Weight = present, provenance: str = EXPOSED) -> np.ndarray:
    """Return the weights of deliveries, kt per kt/yr, shape (columns,).

    weight      by how much a delivery at a node counts
    provenance  ``clean`` or ``exposed``; "" for both
    Swaps with a material count too, in kt replaced; thrift, which has no provenance, does not.
    """
    weights = np.zeros(len(arrays.cost))
    for i, k in arrays.columns.get("deliver", {}).items():
        delivery = data.deliver[i]
        if delivery.provenance and provenance in ("", delivery.provenance):
            weights[k] = weight(data.nodes[delivery.node])
    return weights


def shortages(data: ModelData, arrays: Arrays, weight: Weight = present) -> np.ndarray:
    """Return the weights of demand not served, kt per kt/yr, shape (columns,); ``weight`` as in `deliveries`."""
    weights = np.zeros(len(arrays.cost))
    for d, k in arrays.columns.get("short", {}).items():
        weights[k] = weight(data.nodes[data.need[d].node])
    return weights


def public_money(data: ModelData, arrays: Arrays) -> np.ndarray:
    """Return the weights of draws on funds for what the plan starts, MUSD per MUSD, shape (columns,)."""
    weights = np.zeros(len(arrays.cost))
    weights[[k for i, k in arrays.columns.get("fund_draw", {}).items() if data.fund_draw[i].branch == PLAN]] = 1.0
    return weights


def capex(data: ModelData, arrays: Arrays, overnight: Callable[[str], float]) -> np.ndarray:
    """Return the weights of the plan's capital expenditure, MUSD per module, shape (columns,).

    overnight  option -> MUSD per module
    """
    weights = np.zeros(len(arrays.cost))
    for i, k in arrays.columns.get("build", {}).items():
        weights[k] = overnight(data.build[i].option) if data.build[i].branch == PLAN else 0.0
    for i, k in arrays.columns.get("excess", {}).items():
        of = data.excess[i]
        weights[k] = 1.0 if overnight(of.option) and data.build[of.start].branch == PLAN else 0.0
    return weights
