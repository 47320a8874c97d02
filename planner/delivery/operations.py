"""The operations of a plan with its builds held, re-solved for other capacities: one model, one solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import NoPlan, SolverFailed, UsageError

if TYPE_CHECKING:
    from models.data import ModelData

    from ..instance import Instance
    from ..solving import Arrays, Settings

CALLED_EXPOSED = 1e-3  # MUSD/kt: the least exposed of equally cheap operations; taken out of the cost again
KEPT_BEFORE = 10.0  # a promise of the plan counts so many times the dearest shortage; taken out of the cost again
BROKEN = 1e-6  # kt: less is rounding


@dataclass(frozen=True, slots=True)
class Operated:
    """One re-solve. cost in MUSD without capex and fixed O&M of modules; the others t/yr by period.

    value   MUSD of present cost that one more kt/yr of capacity would save, by row of capacity
    unkept  whether a service floor, a least use or a final stock could not be kept
    """

    cost: float
    short: np.ndarray
    exposed: np.ndarray
    delivered: np.ndarray
    value: np.ndarray
    unkept: bool


class HeldOperations:
    """Operations of the undisturbed plan with builds held. Caps and clean-only rules hold and shortage pays.

    The plan's promises (service floors, least use, offtakes, final stocks) are kept before all else and broken only
    where an outcome makes them impossible, so that every outcome can be lived with and the planned one is the plan.
    ``rows`` maps (facility, period) to the row of its capacity, ``starts`` (option, year) to the place of a build.
    """

    def __init__(self, instance: Instance, builds: Mapping[tuple[str, int], float], settings: Settings) -> None:
        import models

        from ..prepare import prepare
        from ..solving import Solver, compile_model, paused_garbage_collector

        if instance.scenarios:
            tables = ("branch_service", "disruptions", "scenarios")
            instance = instance.changed(without={name: {} for name in tables if instance.rows(name)})
        with paused_garbage_collector():
            data = prepare(instance).data
            arrays = _with_breakable_promises(data, compile_model(models.build(data)))
        self.data, self.arrays = data, arrays
        self.starts = {(s.option, s.year): i for i, s in enumerate(data.build)}
        unknown = sorted(set(builds) - set(self.starts))
        if unknown:
            option, year = unknown[0]
            raise UsageError(f"the run starts {option} in {year}, which the instance does not allow")
        self.modules = np.zeros(len(data.build))
        for key, count in builds.items():
            self.modules[self.starts[key]] = count
        columns = np.array([arrays.columns["build"][i] for i in range(len(data.build))], dtype=int)
        arrays.integer[:] = False
        arrays.cost = arrays.cost.copy()
        arrays.cost[columns] = 0.0
        arrays.col_lower[columns] = arrays.col_upper[columns] = self.modules
        self._penalty = np.zeros(len(arrays.cost))
        for i, k in arrays.columns.get("deliver", {}).items():
            delivery = data.deliver[i]
            if delivery.provenance == "exposed":
                self._penalty[k] = CALLED_EXPOSED * data.nodes[delivery.node].present
        self._breaking = np.array(list(arrays.columns["broken"].values()), dtype=int)
        self._penalty[self._breaking] = KEPT_BEFORE * max((need.shortage_cost for need in data.need), default=1.0)
        arrays.cost += self._penalty
        self._free_investment()
        positions = arrays.rows.get("capacity_limit", {})
        self.rows = {(c.facility, data.nodes[c.node].period): positions[i] for i, c in enumerate(data.capacity)}
        self.own = {row: arrays.row_upper[row] for row in self.rows.values()}
        self.solver = Solver(arrays, settings)

    def _free_investment(self) -> None:
        """Rows on builds alone say nothing once these are held, and must not contradict their rounding."""
        alone = ("modules_least", "modules_most", "exclusive_group", "requires", "spending", "private_limit")
        for family in alone:
            for row in self.arrays.rows.get(family, {}).values():
                self.arrays.row_lower[row], self.arrays.row_upper[row] = -np.inf, np.inf

    def solve(self, more: Mapping[tuple[str, int], float]) -> Operated:
        """Operations with ``more`` (or less) capacity than planned: (facility, period) -> kt/yr."""
        highs = self.solver.highs
        for key, row in self.rows.items():
            upper = self.own[row] + more.get(key, 0.0)
            self.solver.check(highs.changeRowBounds(row, -np.inf, upper), "a capacity")
        stopped = self.solver.run_lp()
        if stopped == "interrupted":
            raise KeyboardInterrupt
        if stopped == "time_limit":
            raise NoPlan("an outcome of the projects was not solved in time")
        if stopped != "optimal":
            raise SolverFailed(f"an outcome of the projects could not be solved ({stopped})")
        x, duals, _ = self.solver.solution()
        cost = float((self.arrays.cost - self._penalty) @ x) + self.arrays.offset
        return Operated(cost, *self._service(x), -duals, bool((x[self._breaking] > BROKEN).any()))

    def _service(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        data = self.data
        periods = max(node.period for node in data.nodes) + 1
        short, exposed, delivered = np.zeros(periods), np.zeros(periods), np.zeros(periods)
        for family in ("short", "broken"):  # a broken service floor is a shortage too
            for d, k in self.arrays.columns.get(family, {}).items():
                if isinstance(d, int):
                    short[data.nodes[data.need[d].node].period] += x[k] * 1e3
        for i, k in self.arrays.columns.get("deliver", {}).items():
            period = data.nodes[data.deliver[i].node].period
            delivered[period] += x[k] * 1e3
            if data.deliver[i].provenance == "exposed":
                exposed[period] += x[k] * 1e3
        return short, exposed, delivered


def _with_breakable_promises(data: ModelData, arrays: Arrays) -> Arrays:
    """The model with a column ``broken`` for each promise: of service by position of the need, of others by row.

    Shortage beyond a service floor costs what shortage costs, and counts in all that the shortage below it counts in.
    """
    from scipy import sparse

    rows, columns = arrays.matrix.shape
    keys: list[Any] = []
    blocks, cost, upper = [arrays.matrix], [arrays.cost], [arrays.col_upper]
    floors = [d for d, need in enumerate(data.need) if need.max_short < need.demand]
    if floors:
        places = np.array([arrays.columns["short"][d] for d in floors])
        keys += floors
        blocks.append(arrays.matrix[:, places])
        cost.append(arrays.cost[places])
        upper.append(np.array([data.need[d].demand - data.need[d].max_short for d in floors]))
    for family in ("least_use", "offtake", "stock_floor"):
        for i, row in arrays.rows.get(family, {}).items():
            keys.append((family, i))
            blocks.append(sparse.csc_array(([1.0], ([row], [0])), shape=(rows, 1)))
            cost.append(np.zeros(1))
            upper.append(np.array([np.inf]))
    more = len(keys)
    return replace(
        arrays,
        cost=np.concatenate(cost),
        matrix=sparse.csc_array(sparse.hstack(blocks)),
        col_lower=np.concatenate([arrays.col_lower, np.zeros(more)]),
        col_upper=np.concatenate(upper),
        integer=np.concatenate([arrays.integer, np.zeros(more, dtype=bool)]),
        columns=arrays.columns | {"broken": {key: columns + j for j, key in enumerate(keys)}},
    )


def builds_of(run: Any) -> dict[tuple[str, int], float]:
    """(option, start year) -> modules, of a run or a plan."""
    return {(str(r.option), int(r.start_year)): float(r.modules) for r in run.tables["builds"].itertuples()}
