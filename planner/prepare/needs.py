"""Fills the needs: what sectors ask for at a node, and how much of it may be short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..instance.timeline import Period, overlaps
from ..models.data import Need, Node

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from .conditions import Conditions
    from .facts import PeriodFacts


class Needs:
    """The needs of an instance in its periods."""

    def __init__(self, instance: Instance, span: Sequence[Period]) -> None:
        self._span = span
        self._branch_service = {(row.scenario, row.sector): row for row in instance.branch_service}

    def at(self, n: int, node: Node, facts: PeriodFacts, conditions: Conditions) -> list[Need]:
        """Return the needs of node ``n``, parallel to ``facts.demands``."""
        result = []
        for of in facts.demands:
            demand = of.demand * conditions.demand.get((of.country, of.material), 1.0)
            floor = self._branch_floor(node, of.sector)
            if node.floors_hold:
                floor = max(floor, of.min_service)
            most = demand * (1.0 - floor)
            result.append(Need(of.country, of.sector, of.material, n, demand, most, of.shortage_cost))
        return result

    def _branch_floor(self, node: Node, sector: str) -> float:
        """Return the share of its demand that a sector must be served in a branch, 0 without a row for it."""
        row = self._branch_service.get((node.branch, sector))
        return row.min_service if row is not None and overlaps(row, self._span[node.period]) else 0.0
