"""Fills the stockpiles at the nodes of the plan and of all branches: what they hold, their room, release and floors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..instance.courses import lines
from ..instance.finance import discount_factor
from ..instance.timeline import YEAR, Period, branch_begin
from ..models.data import CLEAN, EXPOSED, Holding, ModelData, Node, StockFloor, StockLimit, StockRelease, Terms
from .conditions import KILO
from .reach import PoolKey, Reach

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Stockpile

Openings = Mapping[tuple[str, str], float]  # (stockpile, provenance) -> t


class Stocks:
    """The stockpiles of an instance, node after node.

    openings  stocks of nodes before which no node comes; None: the initial stocks of the instance
    """

    def __init__(self, instance: Instance, span: Sequence[Period], data: ModelData, openings: Openings | None) -> None:
        self.instance, self.span, self.data = instance, span, data
        if openings is None:
            openings = {
                (s.stockpile, EXPOSED if s.initial_exposed else CLEAN): s.initial_t
                for s in instance.stockpiles
                if s.initial_t
            }
        self.openings = openings
        self.values = {m.material: m.value_usd_per_t * KILO for m in instance.materials}  # MUSD/kt
        self.parts: list[dict[tuple[str, str], int]] = []  # node -> (stockpile, provenance) -> position in data.stock
        self.blows = _blows(instance, span)
        self.missing = 0  # how many decisions ``missing`` there are so far

    def possible(self, n: int) -> list[PoolKey]:
        """Return the pools that may have something in stock when node ``n`` begins."""
        return [
            (s.material, s.country, provenance)
            for s in self.instance.stockpiles
            for provenance in (CLEAN, EXPOSED)
            if any(self._before(self.data.nodes[n], (s.stockpile, provenance)))
        ]

    def _before(self, node: Node, part: tuple[str, str]) -> tuple[Terms, float]:
        """Return what a part of a stockpile holds when the node begins: terms in ``data.stock``, and kt besides.

        A branch that begins within a year begins with the stock between those at the ends of this year and the one
        before, on the course that it leaves.
        """
        gone = node.gone if node.leaves is not None else 0.0
        before: Terms = []
        opening = 0.0
        if node.previous is None:
            opening = self.openings.get(part, 0.0) * KILO * (1.0 - gone)
        elif part in self.parts[node.previous]:
            before.append((self.parts[node.previous][part], 1.0 - gone))
        if node.leaves is not None and part in self.parts[node.leaves]:
            before.append((self.parts[node.leaves][part], gone))
        return before, opening

    def add(self, n: int, reach: Reach, pools: Mapping[PoolKey, int], modules: Mapping[str, Terms]) -> None:
        """Add the parts of all stockpiles at node ``n``, with the limits on them.

        pools    key -> position in ``data.pools``
        modules  stockpile -> what modules add to it, build, kt per module
        """
        data = self.data
        node = data.nodes[n]
        now: dict[tuple[str, str], int] = {}
        for s in self.instance.stockpiles:
            positions = []
            for provenance in (CLEAN, EXPOSED):
                before, opening = self._before(node, (s.stockpile, provenance))
                can_put = (s.material, s.country, provenance) in reach.available
                can_draw = bool(before) or opening > 0.0
                if not (can_put or can_draw):
                    continue
                position = len(data.stock)
                now[s.stockpile, provenance] = position
                positions.append(position)
                data.pools[pools[s.material, s.country, provenance]].held.append(position)
                data.stock.append(
                    Holding(
                        stockpile=s.stockpile,
                        country=s.country,
                        material=s.material,
                        provenance=provenance,
                        node=n,
                        before=tuple(before),
                        opening=opening,
                        cost=s.holding_usd_per_t * KILO,
                        can_put=can_put,
                        can_draw=can_draw,
                    )
                )
            if positions:
                self._release(n, s, positions)
                room = StockLimit(s.stockpile, n, s.max_t * KILO, tuple(positions), modules[s.stockpile])
                data.stock_limit.append(room)
            if node.period == len(self.span) - 1 and node.last and s.final_min_t > 0.0:
                self._floor(n, s, positions)
        self.parts.append(now)

    def _release(self, n: int, s: Stockpile, positions: list[int]) -> None:
        """Limit what is released from a stockpile in a disturbed branch; ``positions`` are its parts at the node."""
        node = self.data.nodes[n]
        if node.floors_hold:
            return
        begin, now = self.blows.get(node.branch, math.inf), self.span[node.period].months.start
        waits = node.month is not None and now + node.month - 1 < begin + s.release_after_months
        drawn = tuple(i for i in positions if self.data.stock[i].can_draw)
        if drawn and (waits or s.release_max_t is not None):
            limit = 0.0 if waits or s.release_max_t is None else s.release_max_t * YEAR * KILO
            self.data.stock_release.append(StockRelease(s.stockpile, n, limit, drawn))

    def _floor(self, n: int, s: Stockpile, positions: list[int]) -> None:
        """Add the final minimum of a stockpile; ``positions`` are its parts at the node."""
        node = self.data.nodes[n]
        missing, cost = None, 0.0
        if not node.floors_hold:
            missing = self.missing
            self.missing += 1
            end = self.span[-1].last_year + 1 - self.span[0].first_year
            late = discount_factor(self.instance.discount_rate, end)
            cost = self.values[s.material] * node.weight / node.present * late
        self.data.stock_floor.append(StockFloor(s.stockpile, n, s.final_min_t * KILO, tuple(positions), missing, cost))


def _blows(instance: Instance, span: Sequence[Period]) -> dict[str, int]:
    """Return branch -> calendar month in which the first disruption on its course begins to act.

    That of a course without any is its own beginning: the caller disturbs it.
    """
    disrupted = {row.scenario for row in instance.disruptions}
    begins = {}
    for branch, line in lines(instance.scenarios).items():
        if line:
            first = [s for s in line if s.scenario in disrupted] or line[:1]
            begins[branch] = branch_begin(first[-1], span)
    return begins
