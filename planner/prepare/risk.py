"""Fills the outcomes (undisturbed, and one for each scenario) and how much the worst of them count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..instance.courses import left, lines
from ..models.data import ModelData, Outcome, Risk
from .conditions import KILO, course_of

if TYPE_CHECKING:
    from ..instance.instance import Instance


def add(instance: Instance, data: ModelData) -> None:
    """Fill ``data.outcomes``, and ``data.risk`` if the instance has a risk weight; nodes and builds must be there."""
    for branch, line in lines(instance.scenarios).items():
        taken = sum(s.probability for s in instance.scenarios if s.parent == branch)
        probability = left(line[0].probability if line else 1.0, taken)
        data.outcomes.append(Outcome(branch, probability, course_of(data.nodes, branch), data.starts[branch]))
    if instance.risk_weight > 0.0:
        per_unit = KILO if instance.risk_measure == "unserved" else 1.0  # USD/t -> MUSD/kt
        data.risk = Risk(instance.risk_measure, instance.risk_weight * per_unit, instance.risk_alpha)
