"""What a plan adds up to, as weights of the columns of a compiled model: for objectives, limits and reading off.

A measure is a vector of one weight a column; its product with a solution is what the plan has of it.

==============  ========  ==============================================================================
name            unit      what it adds up
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

Weight = Callable[[Any], float]  # node -> what a kt a year in it counts


def present(node: Any) -> float:
    """Years of the node's period in present value; 0 outside the plan, in the branches of scenarios."""
    return float(node.present) if node.branch == PLAN else 0.0


def deliveries(data: ModelData, arrays: Arrays, weight: Weight = present, provenance: str = EXPOSED) -> np.ndarray:
    """Deliveries of a provenance (``clean``, ``exposed``; "" for both): each kt/yr counts ``weight`` of its node."""
    weights = np.zeros(len(arrays.cost))
    for i, k in arrays.columns.get("deliver", {}).items():
        delivery = data.deliver[i]
        if provenance in ("", delivery.provenance):
            weights[k] = weight(data.nodes[delivery.node])
    return weights


def shortages(data: ModelData, arrays: Arrays, weight: Weight = present) -> np.ndarray:
    """Demand that is not served, each kt/yr counted by ``weight`` of its node."""
    weights = np.zeros(len(arrays.cost))
    for d, k in arrays.columns.get("short", {}).items():
        weights[k] = weight(data.nodes[data.need[d].node])
    return weights


def public_money(arrays: Arrays) -> np.ndarray:
    """Draws on funds, MUSD."""
    weights = np.zeros(len(arrays.cost))
    weights[list(arrays.columns.get("fund_draw", {}).values())] = 1.0
    return weights


def capex(data: ModelData, arrays: Arrays, overnight: Callable[[str], float]) -> np.ndarray:
    """Capital expenditure on what is built; ``overnight`` gives MUSD per module of an option."""
    weights = np.zeros(len(arrays.cost))
    for i, k in arrays.columns.get("build", {}).items():
        weights[k] = overnight(data.build[i].option)
    return weights
