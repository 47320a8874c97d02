"""Fills the working stocks of firms: what can be drawn in the months of branches, and what each stock holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..instance.courses import lines
from ..instance.timeline import periods
from ..models.data import CLEAN, EXPOSED, ModelData, Pool, RunDown, Terms, WorkingStock
from .conditions import KILO, course_of
from .facts import FactSource
from .reach import PoolKey

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance

YEARS_PER_WEEK = 7.0 / 365.0


def used_before(instance: Instance, tables: Mapping[str, pd.DataFrame], begin: int) -> dict[PoolKey, float]:
    """Return (material, country, provenance) -> t/yr that a plan uses and delivers when a branch begins.

    tables  of the plan
    begin   calendar month in which the branch begins, see `timeline.calendar_months`
    Only materials and countries with a working stock are told.
    """
    span = periods(instance)
    at = next(t for t, period in enumerate(span) if begin < period.months.stop)
    period = span[max(0, at - (begin <= span[at].months.start))]
    held = {(row.material, row.country) for row in instance.working_stocks}
    used: dict[PoolKey, float] = defaultdict(float)
    if not held:
        return used
    operations = {(o.facility, o.process): o for o in FactSource(instance).facts(period).operations}
    for row in _of(tables["activity"], period.first_year):
        for material, per_t in operations[row.facility, row.process].inputs:
            used[material, row.country, row.input_provenance] += per_t * row.activity_t
    for row in _of(tables["service"], period.first_year):
        used[row.material, row.country, CLEAN] += row.clean_t
        used[row.material, row.country, EXPOSED] += row.exposed_t
    taken = {s.substitute: 1.0 if s.t_per_t is None else s.t_per_t for s in instance.substitutes}
    for row in _of(tables["substitution"], period.first_year) if taken else ():
        if row.replaced_by:
            used[row.replaced_by, row.country, row.provenance] += taken[row.substitute] * row.t
    return {key: t for key, t in used.items() if key[:2] in held}


def _of(table: pd.DataFrame, year: int) -> Iterator[Any]:
    """Yield the rows of a table of one year."""
    return table[table["year"] == year].itertuples()


class WorkingStocks:
    """The working stocks of an instance, added to ``data`` node by node.

    held  (material, country) -> years of use that are held, and MUSD per kt that replacing it costs
    used  (material, country, provenance) -> t/yr that the plan uses and delivers when the branch begins, of a branch
          whose model has no plan; None: the model has it
    """

    def __init__(self, instance: Instance, data: ModelData, used: Mapping[PoolKey, float] | None) -> None:
        value = {m.material: m.value_usd_per_t for m in instance.materials}
        self.held: dict[tuple[str, str], tuple[float, float]] = {}
        for row in instance.working_stocks:
            usd = value[row.material] if row.replace_usd_per_t is None else row.replace_usd_per_t
            self.held[row.material, row.country] = row.weeks * YEARS_PER_WEEK, usd * KILO
        self.data, self.used = data, used
        self._pools: dict[tuple[int, PoolKey], Pool] = {}
        self._before: dict[str, int | None] = {}
        if self.held and used is None:
            disrupted = {row.scenario for row in instance.disruptions}
            for branch, line in lines(instance.scenarios).items():
                timed = [s for s in line if s.months is not None and s.scenario in disrupted]
                if timed:
                    self._before[branch] = self._node_before(timed[-1].scenario, timed[-1].parent)

    def _node_before(self, branch: str, parent: str) -> int | None:
        """Return the node whose use fills the stocks: the one that a branch leaves, see `models.data.Node`."""
        nodes = self.data.nodes
        first = next((node for node in nodes if node.branch == branch), None)
        if first is None:
            return None
        if first.leaves is not None or first.previous is not None:
            return first.previous if first.leaves is None else first.leaves
        # it begins with the horizon: the course that it leaves has the same time
        same = (n for n, node in enumerate(nodes) if node.branch == parent and node.period == first.period)
        return next(same, None)

    def possible(self, n: int) -> Iterator[PoolKey]:
        """Yield the pools into which something can be drawn at node ``n``."""
        node = self.data.nodes[n]
        if not self.held or node.month is None or node.rules_hold:
            return
        for material, country in self.held:
            for provenance in (CLEAN, EXPOSED):
                key = material, country, provenance
                if self.used is not None:
                    there = self.used.get(key, 0.0) > 0.0
                else:
                    before = self._before.get(node.branch)
                    pool = None if before is None else self._pools.get((before, key))
                    there = pool is not None and bool(pool.used or pool.delivered)
                if there:
                    yield key

    def add(self, n: int, pools: Mapping[PoolKey, int]) -> None:
        """Add what can be drawn at node ``n``; ``pools`` are its pools by key."""
        if not self.held:
            return
        for key, p in pools.items():
            if key[:2] in self.held:
                self._pools[n, key] = self.data.pools[p]
        for key in self.possible(n):
            if key in pools:
                material, country, provenance = key
                self.data.pools[pools[key]].run_down = len(self.data.run_down)
                cost = self.held[material, country][1]
                self.data.run_down.append(RunDown(country, material, provenance, n, cost))

    def close(self) -> None:
        """Add what each working stock holds in each course, when all nodes are there."""
        data = self.data
        branches = dict.fromkeys(data.nodes[draw.node].branch for draw in data.run_down)
        for branch in branches:
            path = [n for n, _ in course_of(data.nodes, branch)]
            for key, drawn in self._drawn(path).items():
                material, country, provenance = key
                years = self.held[material, country][0]
                activity: Terms = []
                deliver: Terms = []
                full = 0.0
                if self.used is not None:
                    full = years * self.used[key] * KILO
                elif (before := self._before[branch]) is not None:
                    pool = self._pools[before, key]
                    activity = [(i, years * used) for i, used in pool.used]
                    deliver = [(i, years * taken) for i, taken in pool.delivered]
                last = data.run_down[drawn[-1][0]].node
                data.working_stock.append(
                    WorkingStock(country, material, provenance, last, activity, deliver, full, drawn)
                )

    def _drawn(self, path: Sequence[int]) -> dict[PoolKey, Terms]:
        """Return what can be drawn on a path of nodes: pool -> pairs of a draw and the years that it lasts."""
        drawn: dict[PoolKey, Terms] = {}
        place = {n: k for k, n in enumerate(path)}
        for i, draw in enumerate(self.data.run_down):
            if draw.node in place:
                key = draw.material, draw.country, draw.provenance
                drawn.setdefault(key, []).append((i, self.data.nodes[draw.node].length))
        return drawn
