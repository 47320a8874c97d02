"""Other objectives than the least cost: least public money or least exposure, under a ceiling on cost.

Solved one after the other, each exactly (to the gap asked): least cost, which sets the ceiling; the aim under the
ceiling; least cost among the plans that reach the aim. Then, as always, the least exposure at that cost.

Public money is what funds draw, whoever provides them. What price floors and offtakes cost follows from prices, which
are a result: it is told, not minimised. A tonne that is short is not exposed, but it is no better served: both count.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Infeasible, NoPlan, SolverFailed, UsageError

if TYPE_CHECKING:
    from ..models.data import ModelData
    from .pins import Pins
    from .solver import Arrays, Outcome, Progress, Settings, Solver

AIMS = {
    "public": "money drawn from funds, MUSD undiscounted",
    "exposure": "demand of the plan that is not served clean, present value, kt",
}
KEPT = 1e-7  # relative: how far an aim that was reached may slip in the next step


@dataclass(frozen=True, slots=True)
class Aim:
    """What is made least instead of the cost.

    name     one of AIMS
    slack    how much dearer than the least cost the plan may be, a fraction
    ceiling  or the most it may cost, MUSD present value
    """

    name: str
    slack: float | None = None
    ceiling: float | None = None

    def __post_init__(self) -> None:
        if self.name not in AIMS:
            raise UsageError(f"objective {self.name}: expected cost, {' or '.join(AIMS)}")
        if (self.slack is None) == (self.ceiling is None):
            raise UsageError(f"objective {self.name}: expected a slack over the least cost, or a cost ceiling")
        if self.slack is not None and not 0.0 <= self.slack < math.inf:
            raise UsageError(f"slack = {self.slack}: expected a fraction of 0 or more, 0.03 means 3 %")


def optimise_for(
    aim: Aim, data: ModelData, settings: Settings, progress: Progress | None = None, pins: Pins | None = None
) -> tuple[Outcome, list[dict[str, Any]]]:
    """Solve in the stated order; the last outcome, and what each step reached.

    Raises Infeasible if no plan keeps the ceiling, NoPlan if a search ended before any plan was found.
    """
    from .. import models
    from .solver import Outcome, Solver, compile_model, optimise_arrays, paused_garbage_collector

    started = time.perf_counter()
    with paused_garbage_collector():
        arrays = compile_model(models.build(data))
    if pins:
        pins.hold(data, arrays)
    weights = _weights(aim, data, arrays)
    solver = Solver(arrays, settings)
    gap = settings.gap_for(int(arrays.integer.sum()))
    steps = []
    reached, bound, x = _least(solver, arrays.cost, arrays.offset, settings)
    if x is None:
        return Outcome("infeasible", False), []
    steps.append({"objective": "cost_musd", "value": reached, "bound": bound})
    if progress:
        progress(f"least cost {reached:,.6g} MUSD")
    ceiling = reached + (aim.slack or 0.0) * abs(reached) if aim.ceiling is None else aim.ceiling
    if ceiling < bound - KEPT * abs(bound):
        raise Infeasible(f"no plan costs {ceiling:,.6g} MUSD or less: the least is {reached:,.6g}")
    limited = _with_row(arrays, arrays.cost, ceiling - arrays.offset + KEPT * abs(ceiling))
    solver = Solver(replace(limited, cost=weights, offset=0.0), settings)
    value, value_bound, x = _least(solver, weights, 0.0, settings, x)
    if x is None:
        raise Infeasible(f"no plan costs {ceiling:,.6g} MUSD or less; the least is {reached:,.6g}")
    steps.append({"objective": aim.name, "value": value, "bound": value_bound, "ceiling_musd": ceiling})
    if progress:
        progress(f"least {aim.name} {value:,.6g} ({AIMS[aim.name]}) within {ceiling:,.6g} MUSD")
    final = _with_row(limited, weights, value + KEPT * abs(value) + 1e-9)
    outcome = optimise_arrays(data, final, settings, progress, start=x)
    outcome.seconds["solve"] = time.perf_counter() - started - outcome.seconds["build"]
    if outcome.held:
        steps.append({"objective": "cost_musd", "value": outcome.objective, "bound": outcome.bound})
    outcome.gap_asked = gap
    return outcome, steps


def _weights(aim: Aim, data: ModelData, arrays: Arrays) -> np.ndarray:
    weights = np.zeros(len(arrays.cost))
    if aim.name == "public":
        for k in arrays.columns.get("fund_draw", {}).values():
            weights[k] = 1.0
        if not weights.any():
            raise UsageError("objective public: the instance has no funds that an option may draw on")
        return weights
    for i, k in arrays.columns.get("deliver", {}).items():
        delivery = data.deliver[i]
        node = data.nodes[delivery.node]
        if delivery.provenance == "exposed" and node.branch == "":
            weights[k] = node.present
    for d, k in arrays.columns.get("short", {}).items():
        node = data.nodes[data.need[d].node]
        if node.branch == "":
            weights[k] = node.present
    return weights


def _with_row(arrays: Arrays, weights: np.ndarray, most: float) -> Arrays:
    """The model with one row more: ``weights x <= most``, scaled so that no coefficient exceeds 1."""
    from scipy import sparse

    scale = 1.0 / max(1.0, float(np.abs(weights).max(initial=0.0)))
    row = sparse.csr_array((weights * scale).reshape(1, -1))
    matrix = sparse.vstack([arrays.matrix, row]).tocsc()
    matrix.sort_indices()
    return replace(
        arrays,
        matrix=matrix,
        row_lower=np.append(arrays.row_lower, -np.inf),
        row_upper=np.append(arrays.row_upper, most * scale),
    )


def _least(
    solver: Solver, weights: np.ndarray, offset: float, settings: Settings, start: np.ndarray | None = None
) -> tuple[float, float, np.ndarray | None]:
    """Value, bound and solution of one step; no solution if there is none."""
    whole = np.flatnonzero(solver.arrays.integer)
    solver.allow(settings.time_limit)
    if start is not None and len(whole):
        solver.start_from(whole, np.round(start[whole]))
    stopped = solver.run()
    if stopped in ("infeasible", "failed"):
        solver.check(solver.highs.clearSolver(), "clearing")
        solver.option("presolve", "off")
        stopped = solver.run()
    if stopped == "infeasible":
        return math.nan, math.nan, None
    if stopped == "interrupted":
        raise KeyboardInterrupt
    if not solver.has_plan:
        if stopped == "time_limit":
            raise NoPlan("no plan was found before the search ended; allow more time")
        raise SolverFailed(f"a step of the objective ended with {stopped}")
    x = solver.solution()[0]
    value = float(weights @ x) + offset
    bound = float(solver.highs.getInfo().mip_dual_bound) if len(whole) else value
    return value, min(bound, value), x
