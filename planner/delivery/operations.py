"""The operations of a plan with its builds held, re-solved for other capacities: one model, one solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import NoPlan, SolverFailed, UsageError

if TYPE_CHECKING:
    from ..instance import Instance
    from ..solving import Settings

CALLED_EXPOSED = 1e-3  # MUSD/kt: clean must not be called exposed for nothing; taken out of the cost again


@dataclass(frozen=True, slots=True)
class Operated:
    """One re-solve. cost in MUSD without capex and fixed O&M of modules; the others t/yr by period.

    value  MUSD of present cost that one more kt/yr of capacity would save, by row of capacity
    """

    cost: float
    short: np.ndarray
    exposed: np.ndarray
    delivered: np.ndarray
    value: np.ndarray


class HeldOperations:
    """Operations of the undisturbed plan with builds held. Caps and clean-only rules hold and shortage pays.

    Service floors, least use and final stocks are lifted, as in branches, so that every outcome can be lived with.
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
            data.need = [need._replace(max_short=need.demand) for need in data.need]
            for limit in data.capacity:
                limit.least_use = 0.0
            data.stock_floor = []
            arrays = compile_model(models.build(data))
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
        return Operated(cost, *self._service(x), -duals)

    def _service(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        data = self.data
        periods = max(node.period for node in data.nodes) + 1
        short, exposed, delivered = np.zeros(periods), np.zeros(periods), np.zeros(periods)
        for d, k in self.arrays.columns.get("short", {}).items():
            short[data.nodes[data.need[d].node].period] += x[k] * 1e3
        for i, k in self.arrays.columns.get("deliver", {}).items():
            period = data.nodes[data.deliver[i].node].period
            delivered[period] += x[k] * 1e3
            if data.deliver[i].provenance == "exposed":
                exposed[period] += x[k] * 1e3
        return short, exposed, delivered


def builds_of(run: Any) -> dict[tuple[str, int], float]:
    """(option, start year) -> modules, of a run or a plan."""
    return {(str(r.option), int(r.start_year)): float(r.modules) for r in run.tables["builds"].itertuples()}
