"""Fills the outcomes (undisturbed, and one for each scenario) and how much the worst of them count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..instance.courses import lines
from ..models.data import ModelData, Outcome, Risk, Terms
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance


def add(instance: Instance, data: ModelData) -> None:
    """Fill ``data.outcomes``, and ``data.risk`` if the instance has a risk weight; nodes and builds must be there."""
    ends = {node.branch: n for n, node in enumerate(data.nodes)}  # course -> its last node
    for branch in lines(instance.scenarios):
        path: Terms = []
        n: int | None = ends[branch]
        while n is not None:
            node = data.nodes[n]
            path.append((n, 1.0))
            if node.leaves is not None:
                path.append((node.leaves, node.gone))
            n = node.previous
        data.outcomes.append(Outcome(branch, data.endings[branch], path[::-1], data.starts[branch]))
    if instance.risk_weight > 0.0:
        per_unit = KILO if instance.risk_measure == "unserved" else 1.0  # USD/t -> MUSD/kt
        data.risk = Risk(instance.risk_measure, instance.risk_weight * per_unit, instance.risk_alpha)
