"""Finds the plan of an instance: first the least cost, then, with its builds and at its cost, the least exposure."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .. import models
from ..errors import SolverFailed
from ..language import _, number
from ..models.data import ModelData, Node
from .compiling import Arrays, compile_model, compiled
from .components import basis_by_components
from .lshaped import Best, LShaped
from .measures import deliveries, present
from .parts import FEWEST_COLUMNS, solve_with_builds_held
from .programme import Programme, by_family, inside_bounds
from .solver import TIGHT, Found, Progress, Settings, Standing
from .stakes import cost_without_projects

if TYPE_CHECKING:
    from .pins import Pins

TIE = 1e-6  # MUSD/kt (0.001 USD/t): a weight on exposure that only decides between plans of the same cost
LATER = 1e-6  # relative, a period: by so much less an exposed delivery counts in the least-exposure step
CENT = 1e-8  # MUSD: what the tolerances of the solver may add
COST_SLACK = 1e-7  # relative cost the least-exposure step may spend (contract §4)
LEAST_GAP = 1e-5  # relative: to less than this the planes of the L-shaped method are not exact enough
STAKE = 0.05  # part of what all optional projects save that the default gap may leave open
LEAST_USEFUL_GAP = 2e-4  # relative
ASIDE = 10.0  # seconds for the least cost without projects, which often takes a moment; else it is not told
CRACK = 1e-6  # kt/yr (1 kg): how far a cap of zero is opened to find its shadow price


@dataclass(slots=True)
class Outcome:
    """The result of a solve: a plan, its shadow prices, and how it was found.

    stopped      how the search ended: ``optimal``, ``time_limit``, ``interrupted`` or ``infeasible``
    held         whether a plan was found; without one all that follows is empty
    values       family of decisions -> index -> value (kt/yr, kt, modules, MUSD)
    first        the same after the least-cost step, to which the duals belong
    duals        family of rows -> index -> shadow price, MUSD per unit of the row, with integer decisions fixed
    objective    cost of ``values``, MUSD
    bound        lower bound, MUSD: no plan costs less
    gap_asked    relative MIP gap at which the search could stop
    size         number of rows, columns, integer columns and nonzeros
    seconds      spent to build and to solve
    certificate  residuals and gap, see `certificate`
    notes        for the user, such as a step that was dropped
    without_projects  least cost without any optional project, MUSD; NaN: there is no such plan, or it was not asked for
    relaxed      whether whole numbers may be fractions
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
    without_projects: float = math.nan
    relaxed: bool = False


def optimise(
    data: ModelData,
    settings: Settings,
    progress: Progress | None = None,
    pins: Pins | None = None,
    start: Pins | None = None,
    relax: bool = False,
) -> Outcome:
    """Solve the model: first the least cost, then, with its builds and at its cost, the least exposure.

    pins   builds that are fixed, forced or forbidden
    start  all builds of a plan from which the search begins, if they are a plan here; a note says so if they are not
    relax  whether whole numbers may be fractions
    Raises Unbounded and SolverFailed; without a plan the outcome says so.
    """
    started = time.perf_counter()
    arrays = compiled(data)
    if pins:
        pins.hold(data, arrays)
    if relax:
        arrays = arrays.relaxed
    known = None
    if start is not None:
        held = replace(arrays, col_lower=arrays.col_lower.copy(), col_upper=arrays.col_upper.copy())
        start.hold(data, held)
        known = Programme(held, settings).find(seconds=settings.time_limit)
    built = time.perf_counter() - started
    first = known.x if known and known.held else None
    outcome = optimise_arrays(data, arrays, settings, progress, first, staked=not (pins or relax) and data.risk is None)
    if relax:
        relaxation(outcome)
    if known and not known.held:
        outcome.notes.append(_("the builds to start from are no plan of this instance; the search began without them"))
    outcome.seconds["build"] += built
    return outcome


def relaxation(outcome: Outcome) -> Outcome:
    """Mark an outcome as that of the linear relaxation, and return it."""
    outcome.relaxed = True
    if outcome.held:
        outcome.notes.append(
            _(
                "this is the linear relaxation: parts of modules are built, and no plan of whole modules costs less; "
                "what it builds is no plan"
            )
        )
    return outcome


def optimise_arrays(
    data: ModelData,
    arrays: Arrays,
    settings: Settings,
    progress: Progress | None = None,
    start: np.ndarray | None = None,
    staked: bool = False,
    basis: Any = None,
) -> Outcome:
    """Solve a compiled model of ``data``, which may have further rows.

    start   a plan, shape (columns,), from which the search begins; None: no plan is known
    staked  whether to find the least cost without any optional project too
    basis   simplex basis from which a model without whole numbers is solved; None: none is known
    """
    started = time.perf_counter()
    programme = Programme(arrays, settings)
    if basis is not None:
        programme.basis = basis
    built = time.perf_counter()
    whole = arrays.whole
    rows, cols = arrays.matrix.shape
    outcome = Outcome("failed", False, gap_asked=settings.gap_for(len(whole)))
    outcome.size = {"rows": rows, "columns": cols, "integers": len(whole), "nonzeros": int(arrays.matrix.nnz)}
    if progress:
        progress(f"model: {rows:,} rows, {cols:,} columns ({len(whole):,} integer), {arrays.matrix.nnz:,} nonzeros")
    method = by_parts(programme, LShaped)
    if staked and data.build:
        aside = ASIDE if settings.time_limit is None else min(ASIDE, settings.time_limit / 10.0)
        outcome.without_projects = cost_without_projects(programme, data, method, aside)
    _solve(programme, method, data, outcome, start, progress)
    outcome.seconds = {"build": built - started, "solve": time.perf_counter() - built}
    return outcome


def _solve(
    programme: Programme,
    method: LShaped | None,
    data: ModelData,
    outcome: Outcome,
    start: np.ndarray | None,
    progress: Progress | None,
) -> None:
    """Search, solve again with integer decisions fixed (for the duals), then minimise exposure; fill ``outcome``."""
    arrays, whole = programme.arrays, programme.arrays.whole
    began, seconds = time.perf_counter(), programme.settings.time_limit
    found = least_cost(programme, method, start, seconds, progress, keep=True)
    if found.optimal and programme.settings.gap is None:
        outcome.gap_asked = worth_knowing(outcome.gap_asked, found.value, outcome.without_projects)
        programme.gap = max(outcome.gap_asked, 1e-9)
        left = None if seconds is None else seconds - (time.perf_counter() - began)
        if found.value - found.bound > programme.gap * abs(found.value) and (left is None or left > 0.0):
            found = least_cost(programme, method, found.x, left, progress, found.bound, keep=True)
    outcome.stopped = found.stopped
    if not found.held:
        return
    outcome.held = True
    if found.optimal and not len(whole) and progress:
        progress(Standing(f"least cost {found.value:,.1f} million", found.value, found.value))
    bound = found.bound
    final = found.optimal or len(whole) > 0  # an LP that was stopped before its optimum must not go on
    if len(whole):
        found = _with_whole_numbers(programme, without_idle_lanes(data, arrays, found.x), method)
    elif not found.optimal:
        outcome.notes.append(_("stopped before the optimum; prices and marginals are not final"))
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
        x = without_idle_lanes(data, arrays, least_exposure(programme, data, x, cost, outcome))
    outcome.values = by_family(arrays.columns, x)
    outcome.objective = programme.cost(x)


def worth_knowing(gap: float, cost: float, without_projects: float) -> float:
    """Return the relative gap that says enough of what projects save, at most ``gap``.

    cost              of the plan, MUSD
    without_projects  least cost without any optional project, MUSD; NaN: there is no such plan, or it is not known

    A gap as large as what all projects save would leave open which of them pay. The least useful gap is about as little
    as the costs of large models can be proven to in the time that the first search took.
    """
    if math.isnan(without_projects):
        return gap
    stake = max(0.0, without_projects - cost) / max(abs(cost), 1e-9)
    return min(gap, max(STAKE * stake, LEAST_USEFUL_GAP))


Method = TypeVar("Method", bound=LShaped)


def by_parts(programme: Programme, kind: type[Method]) -> Method | None:
    """Return the L-shaped method, of this class, for a programme; None if it has no whole numbers or no parts."""
    searched = len(programme.arrays.whole) > 0 and programme.gap >= LEAST_GAP
    return kind.of(programme.arrays, programme.settings) if searched else None


def least_cost(
    programme: Programme,
    method: LShaped | None,
    start: np.ndarray | None,
    seconds: float | None,
    progress: Progress | None,
    bound: float = -math.inf,
    keep: bool = False,
) -> Found:
    """Search the least-cost plan: by the L-shaped method where the model falls apart, then as a whole if need be.

    start    a plan that is known, shape (columns,); None: none is
    seconds  how long it may take; None: no limit
    bound    a lower bound that is known, MUSD
    keep     whether a search that Ctrl-C ends returns its best plan, instead of raising KeyboardInterrupt
    """
    whole = programme.arrays.whole
    began = time.perf_counter()
    best = Best() if method is None else method.search(programme.gap, seconds, start, progress)
    if best.why == "interrupted" and not keep:
        raise KeyboardInterrupt
    bound = max(bound, best.bound)
    nothing = np.zeros(0)
    if best.plan is not None and best.why != "stalled":
        return Found(best.why, best.plan, best.value, bound, nothing, nothing)
    if best.why == "interrupted":
        return Found(best.why, nothing, math.nan, bound, nothing, nothing)
    known = start if best.plan is None else best.plan
    if known is not None and len(whole):
        programme.offer(whole, known[whole])
    if not len(whole) and not programme.basis.valid:
        try:
            basis = basis_by_components(programme, seconds)
        except KeyboardInterrupt:
            if not keep:
                raise
            return Found("interrupted", nothing, math.nan, bound, nothing, nothing)
        if basis is not None:
            programme.basis = basis
    left = None if seconds is None else max(0.0, seconds - (time.perf_counter() - began))
    with programme.reported(progress):
        found = programme.find(seconds=left, keep=keep)
    return replace(found, bound=max(found.bound, bound))


def _with_whole_numbers(programme: Programme, x: np.ndarray, method: LShaped | None) -> Found:
    """Solve with the whole numbers of a plan, of shape (columns,), held."""
    whole = programme.arrays.whole
    programme.hold(whole, np.round(x[whole]))
    if len(x) >= FEWEST_COLUMNS:
        basis = None if method is None else method.basis(x[method.first])
        solve_with_builds_held(programme, whole, x, basis)
    return finished(programme)


def without_idle_lanes(data: ModelData, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """Return a plan, shape (columns,), in which no lane counts as used on which nothing moves.

    A search that stops at its gap may pay for such lanes, and the least exposure may move everything off one. In the
    relaxation a lane counts as used by the part of its maximum that moves.
    """
    used, ship = arrays.columns.get("used", {}), arrays.columns.get("ship", {})
    x = x.copy() if used else x
    for lane in data.lane_limit if used else ():
        if lane.used is not None:
            moved, column = [x[ship[s]] for s in lane.ship], used[lane.used]
            if not arrays.integer[column] and lane.limit > 0.0:
                x[column] = min(1.0, sum(moved) / lane.limit)
            elif max(moved) <= data.negligible:
                x[column] = 0.0
    return x


def finished(programme: Programme) -> Found:
    """Solve the linear programme that is left once integer decisions are fixed.

    This takes a moment, so one interrupt does not stop it; a second one does.
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
    """Return shadow prices (rows,) and reduced costs (columns,) that tell what opening a cap of zero would save.

    The dual of a cap of zero is not unique: every larger amount keeps the flow at zero too. So the LP is solved with
    these caps opened by a kilogram a year; its duals are also duals of the LP with caps of zero. A floor of one, which
    allows nothing else, is such a cap as well.
    """
    rows = programme.arrays.rows
    zero = [
        rows[family][i]
        for family, caps in data.caps.items()
        for i, cap in enumerate(caps)
        if cap.limit == (1.0 if cap.floor else 0.0)
        and i in rows.get(family, {})  # rows with nothing but tiny coefficients are left out
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


def soonest(node: Node) -> float:
    """Return what an exposed delivery at a node counts, years, a little less in each later period.

    Without discounting nothing else says whether the same clean tonnes in stock are used now or later.
    """
    return present(node) * (1.0 - LATER * node.period)


def least_exposure(programme: Programme, data: ModelData, x: np.ndarray, cost: float, outcome: Outcome) -> np.ndarray:
    """Return the plan with the least exposed deliveries among those with the builds of ``x`` at its cost.

    x     the plan of least cost, shape (columns,); it is returned if no better one is found
    cost  of x, MUSD; a relative excess of 1e-7 is allowed
    """
    arrays = programme.arrays
    exposure = deliveries(data, arrays, soonest)
    if not (exposure @ x > 0.0):
        return x
    builds = np.array(sorted(arrays.columns.get("build", {}).values()), dtype=int)
    programme.hold(builds, x[builds])
    room = COST_SLACK * abs(cost)
    # first among plans of exactly this cost: the dual simplex is fast, and leaves little for the slower primal simplex
    programme.objective(arrays.cost + TIE * exposure)
    try:
        programme.find(keep=True)
        programme.add_limit(arrays.cost, cost - arrays.offset + room)
        programme.objective(exposure)
        with programme.going_on():
            found = programme.find(keep=True)
    except SolverFailed as error:  # the plan of least cost is known already
        outcome.notes.append(_("the least-exposure step was dropped: {why}", why=error))
        return x
    if found.optimal:
        better = inside_bounds(found.x, arrays)
        spent = programme.cost(better) - cost
        if spent <= room * 1.01 + CENT and exposure @ better <= exposure @ x:
            return better
        outcome.notes.append(
            _(
                "the least-exposure step cost {amount} MUSD more than allowed and was dropped",
                amount=number(f"{spent:.3g}"),
            )
        )
    else:
        outcome.notes.append(_("the least-exposure step ended with {end} and was dropped", end=found.stopped))
    return x


def certificate(
    arrays: Arrays, x: np.ndarray, row_dual: np.ndarray, col_dual: np.ndarray, programme: Programme
) -> dict[str, float]:
    """Check the optimality of an LP (integers fixed) from the arrays alone.

    x, col_dual  shape (columns,); row_dual has shape (rows,)
    Returns the largest primal residual (kt, kt/yr or MUSD), the largest dual residual (MUSD per unit of a column), and
    the relative gap between primal and dual objective.
    """
    lower, upper = programme.bounds
    activity = arrays.matrix @ x
    primal = max(
        float(np.max(arrays.row_lower - activity, initial=0.0)),
        float(np.max(activity - arrays.row_upper, initial=0.0)),
    )
    stationarity = float(np.max(np.abs(arrays.cost - arrays.matrix.T @ row_dual - col_dual), initial=0.0))

    def value_of(dual: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
        side = np.where(dual > 0, low, high)
        use = (np.abs(dual) > TIGHT) & np.isfinite(side)
        return float(dual[use] @ side[use])

    dual_value = value_of(row_dual, arrays.row_lower, arrays.row_upper) + value_of(col_dual, lower, upper)
    primal_value = float(arrays.cost @ x)
    scale = max(1e-9, abs(primal_value))
    return {
        "primal_residual": primal,
        "dual_residual": stationarity,
        "relative_gap": abs(primal_value - dual_value) / scale,
    }


def least_public_money(
    data: ModelData, modules: dict[int, float], excess: dict[int, float]
) -> dict[str, dict[Any, float]]:
    """Find who pays for the builds with the least public money.

    modules  position in ``data.build`` -> modules started
    excess   position in ``data.excess`` -> MUSD, of all
    Returns ``private`` and ``fund_draw`` -> position in the list of that name -> MUSD in its calendar year.
    Raises SolverFailed if the builds cannot be paid for.
    """
    arrays = compile_model(models.build_funding_split(data, modules, excess))
    found = Programme(arrays, Settings()).find()
    if not found.held:
        raise SolverFailed("the builds chosen cannot be paid for")
    return by_family(arrays.columns, found.x)
