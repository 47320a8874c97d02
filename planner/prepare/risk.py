"""Fills the outcomes (undisturbed, and one for each scenario) and how much the worst of them count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models.data import PLAN, ModelData, Outcome, Risk
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance


def add(instance: Instance, data: ModelData) -> None:
    """Fill ``data.outcomes``, and ``data.risk`` if the instance has a risk weight; the nodes must be there."""
    plan = [(n, 1.0) for n, node in enumerate(data.nodes) if node.branch == PLAN]
    undisturbed = 1.0 - sum(s.probability for s in instance.scenarios)
    data.outcomes.append(Outcome(PLAN, undisturbed, plan))
    for scenario in instance.scenarios:
        branch = [(n, 1.0) for n, node in enumerate(data.nodes) if node.branch == scenario.scenario]
        first = data.nodes[branch[0][0]]
        left = [(first.leaves, first.gone)] if first.leaves is not None else []
        nodes = [*plan[: first.period], *left, *branch]
        data.outcomes.append(Outcome(scenario.scenario, scenario.probability, nodes))
    if instance.risk_weight > 0.0:
        per_unit = KILO if instance.risk_measure == "unserved" else 1.0  # USD/t -> MUSD/kt
        data.risk = Risk(instance.risk_measure, instance.risk_weight * per_unit, instance.risk_alpha)
