"""Solves for another objective than the least cost: least public money or least exposure, under a ceiling on cost.

The steps follow each other (lexicographic optimisation), each to the gap asked: the least cost, which sets the ceiling;
the aim under the ceiling; the least cost among the plans that reach the aim; then, as always, the least exposure. In a
large model that falls apart by years the aim under the ceiling is sought by prices, see `_weighed`: its plan and its
bound then stay apart, and plan.json tells both.

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
from ..language import N_
from .compiling import Arrays, compiled
from .lshaped import LShaped
from .measures import deliveries, public_money, shortages
from .programme import Programme
from .search import LEAST_GAP, Outcome, by_parts, least_cost, optimise_arrays

if TYPE_CHECKING:
    from ..models.data import ModelData
    from .pins import Pins
    from .solver import Progress, Settings

AIMS = {
    N_("public"): N_("money drawn from funds, MUSD undiscounted"),
    N_("exposure"): N_("demand of the plan that is not served clean, present value, kt"),
}
PRICES = (1.0, 0.5, 0.25)  # of the aim, that are tried in a large model
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
    programme = Programme(arrays, settings)
    method = by_parts(programme, LShaped)
    found = least_cost(programme, method, None, settings.time_limit, progress)
    if not found.held:
        if found.stopped == "time_limit":
            raise NoPlan("no plan was found before the search ended; allow more time")
        return Outcome("infeasible", False), []
    reached, bound = found.value, min(found.bound, found.value)
    steps: list[dict[str, Any]] = [{"objective": "cost_musd", "value": reached, "bound": bound}]
    if progress:
        progress(f"least cost {reached:,.6g} million")
    ceiling = reached + (aim.slack or 0.0) * abs(reached) if aim.ceiling is None else aim.ceiling
    if ceiling < bound - KEPT * abs(bound):
        raise Infeasible(f"no plan costs {ceiling:,.6g} million or less: the least is {reached:,.6g}")
    within = ceiling + KEPT * abs(ceiling)
    x: np.ndarray | None
    if method is not None and reached <= within and not np.delete(weights, method.first).any():
        x, value_bound = _weighed(method, weights, within, found.x, progress)
    else:
        limited = _with_row(arrays, arrays.cost, within - arrays.offset)
        x, value_bound = _least(replace(limited, cost=weights, offset=0.0), settings, found.x)
    if x is None:
        raise Infeasible(f"no plan costs {ceiling:,.6g} million or less; the least is {reached:,.6g}")
    value = float(weights @ x)
    steps.append({"objective": aim.name, "value": value, "bound": min(value_bound, value), "ceiling_musd": ceiling})
    if progress:
        progress(f"least {aim.name} {value:,.6g} ({AIMS[aim.name]}) within {ceiling:,.6g} million")
    final = _with_row(arrays, weights, value + KEPT * abs(value) + 1e-9)
    outcome = optimise_arrays(data, final, settings, progress, start=x)
    outcome.seconds["solve"] = time.perf_counter() - started - outcome.seconds["build"]
    if outcome.held:
        steps.append({"objective": "cost_musd", "value": outcome.objective, "bound": outcome.bound})
    outcome.gap_asked = settings.gap_for(len(arrays.whole))
    return outcome, steps


def _weighed(
    method: LShaped, weights: np.ndarray, ceiling: float, known: np.ndarray, progress: Progress | None
) -> tuple[np.ndarray, float]:
    """Return a plan with little of an aim of investment within a ceiling on cost (MUSD), and a bound of the aim.

    The least of cost + p aim is sought for a price p of 1, so that a MUSD of public money counts as one of cost, and
    of less if that plan is above the ceiling; the planes of the least cost hold for all prices. No plan has less than
    ``bound`` of that sum, so one within the ceiling has (bound - ceiling) / p of the aim or more.

    weights  of the aim, shape (columns,), 0 or more
    known    the plan of least cost, shape (columns,)
    """
    arrays, settings = method.arrays, method.settings
    gap = max(settings.gap_for(len(arrays.whole)), LEAST_GAP)
    best, least = known, 0.0
    for price in PRICES:
        if weights @ best - least <= gap * max(1.0, float(weights @ best)):
            break
        of_price = LShaped.of(replace(arrays, cost=arrays.cost + price * weights), settings)
        if of_price is None:
            break
        of_price.adopt(method.kept)
        found = of_price.search(gap, settings.time_limit, best, progress)
        if found.why == "interrupted":
            raise KeyboardInterrupt
        least = max(least, (found.bound - ceiling) / price)
        if found.plan is not None and float(arrays.cost @ found.plan) + arrays.offset <= ceiling:
            return (found.plan if weights @ found.plan < weights @ best else best), least
    return best, least


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


def _least(arrays: Arrays, settings: Settings, start: np.ndarray) -> tuple[np.ndarray | None, float]:
    """Return the solution of a step, shape (columns,), and its lower bound; None if there is none.

    start  a plan to begin with, shape (columns,)
    """
    programme = Programme(arrays, settings)
    if len(arrays.whole):
        programme.offer(arrays.whole, start[arrays.whole])
    found = programme.find(seconds=settings.time_limit)
    if not found.held:
        if found.stopped == "time_limit":
            raise NoPlan("no plan was found before the search ended; allow more time")
        return None, math.nan
    return found.x, found.bound if len(arrays.whole) else programme.cost(found.x)
