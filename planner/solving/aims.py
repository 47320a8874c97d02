"""Solves for another objective than the least cost: least public money or least exposure, under a ceiling on cost.

The steps follow each other (lexicographic optimisation), each to the gap asked: the least cost, which sets the ceiling;
the aim under the ceiling; the least cost among the plans that reach the aim; then, as always, the least exposure.

Public money is what is drawn from funds, whoever provides them. What price floors and offtakes cost depends on prices,
which are a result of the solve, so it is reported but not minimised. The aim exposure also counts what is short, as a
sector that receives nothing is served no better.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from ..errors import Infeasible, NoPlan, UsageError
from .compiling import Arrays, compiled
from .measures import deliveries, public_money, shortages
from .programme import Programme
from .search import Outcome, optimise_arrays

if TYPE_CHECKING:
    from ..models.data import ModelData
    from .pins import Pins
    from .solver import Progress, Settings

AIMS = {
    "public": "money drawn from funds, MUSD undiscounted",
    "exposure": "demand of the plan that is not served clean, present value, kt",
}
KEPT = 1e-7  # relative: by how much the next step may worsen what a step has reached


@dataclass(frozen=True, slots=True)
class Aim:
    """What is minimised instead of the cost; exactly one of slack and ceiling is given.

    name     one of AIMS
    slack    by how much the plan may exceed the least cost, a fraction
    ceiling  the most that the plan may cost, MUSD present value
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
        if self.ceiling is not None and not math.isfinite(self.ceiling):
            raise UsageError(f"cost ceiling = {self.ceiling}: expected MUSD")


def optimise_for(
    aim: Aim, data: ModelData, settings: Settings, progress: Progress | None = None, pins: Pins | None = None
) -> tuple[Outcome, list[dict[str, Any]]]:
    """Solve the steps in their order.

    Returns the outcome of the last step, and for each step a dict: ``objective``, the ``value`` reached and its lower
    ``bound`` in the unit of the objective, for the aim also ``ceiling_musd``.
    Raises Infeasible if no plan keeps the ceiling, NoPlan if a search ended before any plan was found, UsageError if
    the instance has no funds to minimise.
    """
    started = time.perf_counter()
    arrays = compiled(data)
    if pins:
        pins.hold(data, arrays)
    weights = _weights(aim, data, arrays)
    gap = settings.gap_for(len(arrays.whole))
    steps = []
    reached, bound, x = _least(arrays, settings)
    if x is None:
        return Outcome("infeasible", False), []
    steps.append({"objective": "cost_musd", "value": reached, "bound": bound})
    if progress:
        progress(f"least cost {reached:,.6g} MUSD")
    ceiling = reached + (aim.slack or 0.0) * abs(reached) if aim.ceiling is None else aim.ceiling
    if ceiling < bound - KEPT * abs(bound):
        raise Infeasible(f"no plan costs {ceiling:,.6g} MUSD or less: the least is {reached:,.6g}")
    limited = _with_row(arrays, arrays.cost, ceiling - arrays.offset + KEPT * abs(ceiling))
    value, value_bound, x = _least(replace(limited, cost=weights, offset=0.0), settings, x)
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
    """Return the weights of the aim, shape (columns,), in its unit per unit of a column."""
    if aim.name == "exposure":
        return deliveries(data, arrays) + shortages(data, arrays)
    weights = public_money(data, arrays)
    if not weights.any():
        raise UsageError("objective public: the instance has no funds that an option may draw on")
    return weights


def _with_row(arrays: Arrays, weights: np.ndarray, most: float) -> Arrays:
    """Return the model with the further row ``weights x <= most``, scaled so that no coefficient exceeds 1."""
    scale = 1.0 / max(1.0, float(np.abs(weights).max(initial=0.0)))
    return arrays.with_rows(sparse.csr_array((weights * scale).reshape(1, -1)), -np.inf, most * scale)


def _least(
    arrays: Arrays, settings: Settings, start: np.ndarray | None = None
) -> tuple[float, float, np.ndarray | None]:
    """Solve one step, from the plan ``start`` if one is known.

    Returns value and lower bound in the unit of the objective, and the solution, shape (columns,); NaN, NaN and None if
    there is none.
    """
    programme = Programme(arrays, settings)
    if start is not None and len(arrays.whole):
        programme.offer(arrays.whole, start[arrays.whole])
    found = programme.find(seconds=settings.time_limit)
    if not found.held:
        if found.stopped == "time_limit":
            raise NoPlan("no plan was found before the search ended; allow more time")
        return math.nan, math.nan, None
    value = programme.cost(found.x)
    return value, min(found.bound, value) if len(arrays.whole) else value, found.x
