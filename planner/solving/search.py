"""The plan of an instance: least cost, then with these builds and this cost the least exposure."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import models
from ..errors import SolverFailed
from ..models.data import ModelData
from .compiling import Arrays, compile_model, compiled
from .measures import deliveries
from .programme import Found, Programme, by_family, inside_bounds
from .solver import TIGHT, Progress, Settings

if TYPE_CHECKING:
    from .pins import Pins


TIE = 1e-6  # MUSD per kt (a thousandth of a USD per tonne): decides between plans of one cost, no more
COST_SLACK = 1e-7  # relative cost the least-exposure step may spend (contract §4)


CRACK = 1e-6  # kt (1 kg): by how much a cap of zero is opened to see what opening it saves


@dataclass(slots=True)
class Outcome:
    """What came out.

    stopped    ``optimal``, ``time_limit``, ``interrupted`` or ``infeasible``
    held       whether a plan is held
    values     family -> index -> value, kt and MUSD
    first      the same of the least-cost step; duals belong to it
    duals      family -> row index -> dual of the least-cost step, integers fixed
    objective  MUSD, of ``values``; ``bound``: no plan is cheaper
    """

    stopped: str
    held: bool
    values: dict[str, dict[Any, float]] = field(default_factory=dict)
    first: dict[str, dict[Any, float]] = field(default_factory=dict)
    duals: dict[str, dict[Any, float]] = field(default_factory=dict)
    objective: float = math.nan
    bound: float = math.nan
    gap_asked: float = 0.0
    size: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    certificate: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def optimise(
    data: ModelData, settings: Settings, progress: Progress | None = None, pins: Pins | None = None
) -> Outcome:
    """Solve: least cost, then with these builds and this cost the least exposure. ``pins`` hold builds."""
    started = time.perf_counter()
    arrays = compiled(data)
    if pins:
        pins.hold(data, arrays)
    built = time.perf_counter() - started
    outcome = optimise_arrays(data, arrays, settings, progress)
    outcome.seconds["build"] += built
    return outcome


def optimise_arrays(
    data: ModelData,
    arrays: Arrays,
    settings: Settings,
    progress: Progress | None = None,
    start: np.ndarray | None = None,
) -> Outcome:
    """Solve a compiled model of ``data`` (perhaps with rows more); ``start`` is a plan to begin the search with."""
    started = time.perf_counter()
    programme = Programme(arrays, settings)
    built = time.perf_counter()
    whole = arrays.whole
    rows, cols = arrays.matrix.shape
    outcome = Outcome("failed", False, gap_asked=settings.gap_for(len(whole)))
    outcome.size = {"rows": rows, "columns": cols, "integers": len(whole), "nonzeros": int(arrays.matrix.nnz)}
    if progress:
        progress(f"model: {rows:,} rows, {cols:,} columns ({len(whole):,} integer), {arrays.matrix.nnz:,} nonzeros")
        if len(whole):
            programme.report_search(progress)
    if start is not None and len(whole):
        programme.offer(whole, start[whole])
    _solve(programme, data, outcome)
    outcome.seconds = {"build": built - started, "solve": time.perf_counter() - built}
    return outcome


def _solve(programme: Programme, data: ModelData, outcome: Outcome) -> None:
    arrays, whole = programme.arrays, programme.arrays.whole
    found = programme.find(seconds=programme.settings.time_limit, keep=True)
    outcome.stopped = found.stopped
    if not found.held:
        return
    outcome.held = True
    bound = found.bound
    final = found.optimal or len(whole) > 0  # else a linear programme that was stopped would go on
    if len(whole):
        programme.hold(whole, np.round(found.x[whole]))
        found = finished(programme)
    elif not found.optimal:
        outcome.notes.append("stopped before the optimum; prices and marginals are not final")
    row_dual, col_dual = found.duals, found.reduced
    if final:
        row_dual, col_dual = _duals_beside_zero(programme, data, row_dual, col_dual)
    x = inside_bounds(found.x, arrays)
    cost = programme.cost(x)
    outcome.first = by_family(arrays.columns, x)
    outcome.duals = by_family(arrays.rows, row_dual)
    outcome.certificate = certificate(arrays, x, row_dual, col_dual, programme)
    outcome.bound = min(bound, cost) if len(whole) else (cost if found.optimal else bound)
    if final:
        x = least_exposure(programme, data, x, cost, outcome)
    outcome.values = by_family(arrays.columns, x)
    outcome.objective = programme.cost(x)


def finished(programme: Programme) -> Found:
    """The linear programme that is left once whole numbers are held.

    The search is over, so that an interrupt does not end it: finishing takes a moment. A second one quits.
    """
    found = programme.find(keep=True)
    if found.stopped == "interrupted":
        found = programme.find(keep=True)
    if not found.optimal:
        raise SolverFailed("the plan found is not feasible once its whole numbers are exactly whole")
    return found


def _duals_beside_zero(
    programme: Programme, data: ModelData, row_dual: np.ndarray, col_dual: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of the duals of a solved LP with caps of zero, those that tell what a little more than nothing would save.

    A cap of zero can have any dual above that one: all of them keep it at zero. Those found with the caps opened by a
    kilogram are duals of the LP itself too.
    """
    rows = programme.arrays.rows
    zero = [
        rows[family][i]
        for family, caps in data.caps.items()
        for i, cap in enumerate(caps)
        if cap.limit == 0.0 and i in rows.get(family, {})  # a row whose numbers are next to nothing is left out
    ]
    if not zero:
        return row_dual, col_dual
    for upper in (CRACK, 0.0):
        for row in zero:
            programme.side(row, -math.inf, upper)
        if upper:
            found = programme.find(sure=False, keep=True)
            if found.optimal:
                row_dual, col_dual = found.duals, found.reduced
    return row_dual, col_dual


def least_exposure(programme: Programme, data: ModelData, x: np.ndarray, cost: float, outcome: Outcome) -> np.ndarray:
    """Of the plans with these builds and, within 1e-7, this cost, the one with the least exposed deliveries."""
    arrays = programme.arrays
    exposure = deliveries(data, arrays)
    if not (exposure @ x > 0.0):
        return x
    builds = np.array(sorted(arrays.columns.get("build", {}).values()), dtype=int)
    programme.hold(builds, x[builds])
    room = COST_SLACK * abs(cost)
    # among plans of the very same cost first: the dual simplex gets there soon, and leaves the slower primal little
    programme.objective(arrays.cost + TIE * exposure)
    try:
        programme.find(keep=True)
        programme.add_limit(arrays.cost, cost - arrays.offset + room)
        programme.objective(exposure)
        with programme.going_on():
            found = programme.find(keep=True)
    except SolverFailed as error:  # the plan of least cost is held already
        outcome.notes.append(f"the least-exposure step was dropped: {error}")
        return x
    if found.optimal:
        better = inside_bounds(found.x, arrays)
        spent = programme.cost(better) - cost
        if spent <= room * 1.01 + 1e-12 and exposure @ better <= exposure @ x:
            return better
        outcome.notes.append(f"the least-exposure step cost {spent:.3g} MUSD more than allowed and was dropped")
    else:
        outcome.notes.append(f"the least-exposure step ended with {found.stopped} and was dropped")
    return x


def certificate(
    arrays: Arrays, x: np.ndarray, row_dual: np.ndarray, col_dual: np.ndarray, programme: Programme
) -> dict[str, float]:
    """Optimality of an LP (integers fixed) from the arrays alone: largest residuals (kt, MUSD) and relative gap."""
    lower, upper = programme.bounds
    activity = arrays.matrix @ x
    primal = max(
        float(np.max(arrays.row_lower - activity, initial=0.0)),
        float(np.max(activity - arrays.row_upper, initial=0.0)),
    )
    stationarity = float(np.max(np.abs(arrays.cost - arrays.matrix.T @ row_dual - col_dual), initial=0.0))

    def held(dual: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
        side = np.where(dual > 0, low, high)
        use = (np.abs(dual) > TIGHT) & np.isfinite(side)
        return float(dual[use] @ side[use])

    dual_value = held(row_dual, arrays.row_lower, arrays.row_upper) + held(col_dual, lower, upper)
    primal_value = float(arrays.cost @ x)
    scale = max(1e-9, abs(primal_value))
    return {
        "primal_residual": primal,
        "dual_residual": stationarity,
        "relative_gap": abs(primal_value - dual_value) / scale,
    }


def least_public_money(data: ModelData, modules: dict[int, float]) -> dict[str, dict[Any, float]]:
    """Private money and fund draws, MUSD by calendar year, that pay for the builds with the least public money."""
    arrays = compile_model(models.build_funding_split(data, modules))
    found = Programme(arrays, Settings()).find()
    if not found.held:
        raise SolverFailed("the builds chosen cannot be paid for")
    return by_family(arrays.columns, found.x)
