"""ModelData -> Pyomo model -> arrays -> HiGHS -> Outcome: why it stopped and what is held are two things.

The hand-over is never trusted: a single infinite coefficient has been seen to make HiGHS refuse all rows while the
interface reports an optimal plan of cost 0. Rows, columns, nonzeros and ranges are compared with what was built, and
the status of every call is checked.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from .. import models
from ..errors import SolverFailed, Unbounded, UsageError
from ..highs import new_highs
from ..models.data import EXPOSED, PLAN, ModelData
from .compiling import SMALLEST_COEFFICIENT, Arrays, compile_model

if TYPE_CHECKING:
    from .pins import Pins

PROVEN_UP_TO = 200  # integer decisions up to which the optimum is proven unless a gap is asked for
LARGE_GAP = 1e-3  # default gap of larger ones
TIE = 1e-6  # MUSD per kt (a thousandth of a USD per tonne): decides between plans of one cost, no more
COST_SLACK = 1e-7  # relative cost the least-exposure step may spend (contract §4)
LARGEST_COEFFICIENT = 1e15  # HiGHS refuses rows with larger ones
DUAL, PRIMAL = 1, 4  # values of HiGHS' option simplex_strategy
DEVEX = 1  # of simplex_dual_edge_weight_strategy: a third faster than steepest edge on these models, twice when warm
TIGHT = 1e-9  # feasibility tolerance, kt and MUSD
CRACK = 1e-6  # kt (1 kg): by how much a cap of zero is opened to see what opening it saves

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to solve.

    gap         relative MIP gap to stop at; None: proven optimal up to 200 integer decisions, else 0.1 %
    time_limit  seconds for the search; None: no limit
    threads     of the solver; fixed, since another number may give another plan of the same cost
    seed        of the solver
    """

    gap: float | None = None
    time_limit: float | None = None
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.gap is not None and not 0.0 <= self.gap < math.inf:
            raise UsageError(f"gap = {self.gap}: expected a fraction of 0 or more, 0.01 means 1 %")
        if self.time_limit is not None and not self.time_limit > 0.0:
            raise UsageError(f"time_limit = {self.time_limit}: expected seconds above 0")
        if self.threads < 1 or self.seed < 0:
            raise UsageError("threads must be 1 or more and seed 0 or more")

    def gap_for(self, integers: int) -> float:
        """The gap that applies to a model with so many integer decisions."""
        if self.gap is not None:
            return self.gap
        return 0.0 if integers <= PROVEN_UP_TO else LARGE_GAP


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


@contextmanager
def paused_garbage_collector() -> Iterator[None]:
    """No collections while millions of small objects are made that all stay alive."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def check_numbers(arrays: Arrays) -> None:
    """Stop before the hand-over if a number is not finite, or too large or too small for HiGHS."""
    for name, numbers in (("cost", arrays.cost), ("coefficient", arrays.matrix.data)):
        if not np.all(np.isfinite(numbers)) or (np.abs(numbers) >= LARGEST_COEFFICIENT).any():
            raise SolverFailed(f"the model holds a {name} that is not finite or at least 1e15; nothing was solved")
    if ((np.abs(arrays.matrix.data) <= SMALLEST_COEFFICIENT) & (arrays.matrix.data != 0.0)).any():
        raise SolverFailed("the model holds a coefficient that the solver cannot tell from 0; nothing was solved")
    for name, numbers in (
        ("right-hand side", arrays.row_lower),
        ("right-hand side", arrays.row_upper),
        ("bound", arrays.col_lower),
        ("bound", arrays.col_upper),
    ):
        finite = numbers[~np.isinf(numbers)]
        if np.isnan(finite).any() or (np.abs(finite) >= LARGEST_COEFFICIENT).any():
            raise SolverFailed(f"the model holds a {name} that is not a number or at least 1e15; nothing was solved")
    if (arrays.row_lower == np.inf).any() or (arrays.row_upper == -np.inf).any():
        raise SolverFailed("the model holds an infinite right-hand side; nothing was solved")


class Solver:
    """One HiGHS instance holding a compiled model; every call's status is checked."""

    def __init__(self, arrays: Arrays, settings: Settings) -> None:
        self.arrays = arrays
        self.allowed = math.inf
        self.highs = new_highs()
        self._options(
            threads=settings.threads,
            random_seed=settings.seed,
            small_matrix_value=SMALLEST_COEFFICIENT,
            simplex_dual_edge_weight_strategy=DEVEX,
            primal_feasibility_tolerance=TIGHT,
            dual_feasibility_tolerance=TIGHT,
            mip_feasibility_tolerance=TIGHT,
            mip_abs_gap=0.0,
            mip_rel_gap=max(settings.gap_for(int(arrays.integer.sum())), 1e-9),
        )
        self._pass()

    def _options(self, **values: Any) -> None:
        for name, value in values.items():
            self.check(self.highs.setOptionValue(name, value), f"option {name}")

    def option(self, name: str, value: Any) -> None:
        """Set a HiGHS option."""
        self._options(**{name: value})

    def allow(self, seconds: float | None) -> None:
        """How long each run may take from now on; None or infinity: as long as it takes."""
        self.allowed = math.inf if seconds is None else float(seconds)
        self.option("time_limit", self.allowed)

    def _limit(self) -> None:
        """HiGHS counts the seconds of a search for whole numbers from its start, those of an LP over all runs."""
        if self.allowed < math.inf:
            searched = highspy.HighsVarType.kInteger in self.highs.getLp().integrality_
            self.option("time_limit", self.allowed + (0.0 if searched else self.highs.getRunTime()))

    @staticmethod
    def check(status: Any, what: str) -> None:
        """Raise unless a HiGHS call went well."""
        if status != highspy.HighsStatus.kOk:
            raise SolverFailed(f"HiGHS refused: {what} ({status})")

    def _pass(self) -> None:
        a = self.arrays
        check_numbers(a)
        rows, cols = a.matrix.shape
        integrality = a.integer.astype(np.int32)
        self.check(
            self.highs.passModel(
                cols,
                rows,
                a.matrix.nnz,
                int(highspy.MatrixFormat.kColwise),
                int(highspy.ObjSense.kMinimize),
                a.offset,
                a.cost,
                a.col_lower,
                a.col_upper,
                a.row_lower,
                a.row_upper,
                a.matrix.indptr.astype(np.int32),
                a.matrix.indices.astype(np.int32),
                a.matrix.data,
                integrality,
            ),
            "the model",
        )
        held = self.highs.getLp()
        found = (self.highs.getNumRow(), self.highs.getNumCol(), self.highs.getNumNz())
        if found != (rows, cols, a.matrix.nnz):
            raise SolverFailed(
                f"HiGHS holds {found} rows, columns and nonzeros, but {(rows, cols, a.matrix.nnz)} were built"
            )
        kept = np.asarray(held.a_matrix_.value_)
        if a.matrix.nnz and not np.isclose(np.abs(kept).sum(), np.abs(a.matrix.data).sum(), rtol=1e-12):
            raise SolverFailed("HiGHS holds other coefficients than were built")
        if not np.array_equal(np.asarray(held.col_cost_), a.cost):
            raise SolverFailed("HiGHS holds other costs than were built")

    def run(self, watched: bool = True) -> str:
        """Solve; returns ``optimal``, ``time_limit``, ``interrupted``, ``infeasible``, ``unbounded`` or ``failed``.

        watched  Ctrl-C stops the search; without, a solve of milliseconds saves the thread for it, of which there is
                 one in a process, so that several solvers can run beside each other
        """
        self._limit()
        status = self._run_in_thread() if watched else self.highs.solve()
        model_status = self.highs.getModelStatus()
        kinds = highspy.HighsModelStatus
        if status == highspy.HighsStatus.kError:
            return "failed"
        return {
            kinds.kOptimal: "optimal",
            kinds.kModelEmpty: "optimal",
            kinds.kTimeLimit: "time_limit",
            kinds.kInterrupt: "interrupted",
            kinds.kInfeasible: "infeasible",
            kinds.kUnboundedOrInfeasible: "infeasible",
            kinds.kUnbounded: "unbounded",
        }.get(model_status, "failed")

    def _run_in_thread(self) -> Any:
        """Run beside the main thread, so that Ctrl-C stops the search and keeps the best plan; a second one quits."""
        self.highs.HandleUserInterrupt = True
        self.highs.startSolve()
        stopping = False
        while True:
            try:
                done, status = self.highs.wait(0.1)
                if done:
                    if stopping:  # HiGHS would go on stopping every later solve; this clears the request
                        self.highs.disableCallbacks()
                        self.highs.enableCallbacks()
                    return status
            except KeyboardInterrupt:
                if stopping:
                    raise
                stopping = True
                print("stopping; once more to quit at once", file=sys.stderr, flush=True)
                self.highs.cancelSolve()

    def change_row(self, row: int, entries: dict[int, float], upper: float) -> None:
        """Put other coefficients (column -> value) and another upper side in a row; the basis is kept."""
        for column, value in entries.items():
            status = self.highs.changeCoeff(row, column, value)
            if value or status == highspy.HighsStatus.kError:  # HiGHS warns that it drops a zero, as it should
                self.check(status, "a coefficient")
        self.check(self.highs.changeRowBounds(row, -highspy.kHighsInf, upper), "a right-hand side")

    def start_from(self, positions: np.ndarray, values: np.ndarray) -> None:
        """Offer the next search whole numbers to start from; HiGHS completes them by an LP, or drops them."""
        self.highs.setSolution(len(positions), positions.astype(np.int32), np.ascontiguousarray(values, dtype=float))

    def restore(self) -> None:
        """The cost, bounds, whole numbers and rows as they were compiled; changed coefficients stay."""
        a = self.arrays
        rows, cols = a.matrix.shape
        added = np.arange(rows, self.highs.getNumRow(), dtype=np.int32)
        if len(added):
            self.check(self.highs.deleteRows(len(added), added), "removing rows")
        everything = np.arange(cols, dtype=np.int32)
        self.check(self.highs.changeColsCost(cols, everything, a.cost), "the cost")
        self.check(self.highs.changeColsBounds(cols, everything, a.col_lower, a.col_upper), "bounds")
        whole = np.flatnonzero(a.integer).astype(np.int32)
        if len(whole):
            kinds = np.array([highspy.HighsVarType.kInteger] * len(whole))
            self.check(self.highs.changeColsIntegrality(len(whole), whole, kinds), "whole numbers")

    @property
    def has_plan(self) -> bool:
        """Whether a feasible point is held; of nothing to decide it is the empty one."""
        if self.highs.getModelStatus() == highspy.HighsModelStatus.kModelEmpty:
            return True
        return bool(self.highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible)

    def solution(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Column values, row duals, reduced costs."""
        held = self.highs.getSolution()
        return np.array(held.col_value), np.array(held.row_dual), np.array(held.col_dual)

    def run_lp(self, watched: bool = True) -> str:
        """Solve an LP; with the default tolerance, without presolve and by another algorithm before giving up."""
        stopped = self.run(watched)
        if stopped in ("optimal", "time_limit", "interrupted"):
            return stopped
        for name, value in (
            ("presolve", "off"),
            ("primal_feasibility_tolerance", 1e-7),
            ("dual_feasibility_tolerance", 1e-7),
            ("solver", "ipm"),
        ):
            self.check(self.highs.clearSolver(), "clearing")
            self.option(name, value)
            stopped = self.run(watched)
            if stopped in ("optimal", "time_limit", "interrupted"):
                return stopped
        return stopped


def optimise(
    data: ModelData, settings: Settings, progress: Progress | None = None, pins: Pins | None = None
) -> Outcome:
    """Solve: least cost, then with these builds and this cost the least exposure. ``pins`` hold builds."""
    started = time.perf_counter()
    with paused_garbage_collector():
        model = models.build(data)
        arrays = compile_model(model)
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
    solver = Solver(arrays, settings)
    built = time.perf_counter()
    integers = int(arrays.integer.sum())
    rows, cols = arrays.matrix.shape
    outcome = Outcome("failed", False, gap_asked=settings.gap_for(integers))
    outcome.size = {"rows": rows, "columns": cols, "integers": integers, "nonzeros": int(arrays.matrix.nnz)}
    if progress:
        progress(f"model: {rows:,} rows, {cols:,} columns ({integers:,} integer), {arrays.matrix.nnz:,} nonzeros")
        if integers:
            report_search(solver, progress)
    solver.allow(settings.time_limit)
    if start is not None and integers:
        whole = np.flatnonzero(arrays.integer)
        solver.start_from(whole, np.round(start[whole]))
    _solve(solver, data, integers, outcome)
    outcome.seconds = {"build": built - started, "solve": time.perf_counter() - built}
    return outcome


def report_search(solver: Solver, progress: Progress) -> None:
    last = [0.0]

    def tell(event: Any) -> None:
        seen = event.data_out
        if last[0] <= seen.running_time < last[0] + 2.0:  # it starts again with each search
            return
        last[0] = seen.running_time
        plan = f"{seen.mip_primal_bound:,.1f}" if abs(seen.mip_primal_bound) < 1e30 else "none yet"
        progress(
            f"{seen.running_time:6.1f} s  best plan {plan} MUSD, bound {seen.mip_dual_bound:,.1f}, "
            f"gap {min(seen.mip_gap, 9.99):.3%}"
        )

    solver.highs.cbMipInterrupt.subscribe(tell)  # the logging callback is silent with the solver's own log


def _solve(solver: Solver, data: ModelData, integers: int, outcome: Outcome) -> None:
    stopped = solver.run()
    if stopped in ("infeasible", "unbounded", "failed"):
        # presolve has been seen to call feasible models infeasible: believe it only without
        solver.check(solver.highs.clearSolver(), "clearing")
        solver.option("presolve", "off")
        stopped = solver.run() if integers else solver.run_lp()
        if stopped == "infeasible":
            outcome.stopped = stopped
            return
        if stopped == "unbounded":
            raise Unbounded("the cost has no lower bound: an activity, perhaps one of negative cost, pays without end")
        solver.option("presolve", "choose")
    if stopped == "failed":
        why = solver.highs.modelStatusToString(solver.highs.getModelStatus())
        raise SolverFailed(f"HiGHS stopped without a result: {why}")
    outcome.stopped = stopped
    info = solver.highs.getInfo()
    if not solver.has_plan:
        return
    outcome.held = True
    arrays = solver.arrays
    bound = float(info.mip_dual_bound) if integers else -math.inf
    solver.allow(math.inf)
    x = solver.solution()[0]
    if integers:
        fix_columns(solver, np.flatnonzero(arrays.integer), np.round(x[arrays.integer]))
        ended = solver.run_lp()
        if ended == "interrupted":  # the search was over: finishing the plan takes a moment, a second Ctrl-C quits
            ended = solver.run_lp()
        if ended != "optimal":
            raise SolverFailed("the plan found is not feasible once its whole numbers are exactly whole")
    elif stopped != "optimal":
        outcome.notes.append("stopped before the optimum; prices and marginals are not final")
    x, row_dual, col_dual = solver.solution()
    if stopped == "optimal" or integers:  # else a search that was stopped would go on
        row_dual, col_dual = _duals_beside_zero(solver, data, row_dual, col_dual)
    x = inside_bounds(x, arrays)
    cost = float(arrays.cost @ x) + arrays.offset
    outcome.first = by_family(arrays.columns, x)
    outcome.duals = by_family(arrays.rows, row_dual)
    outcome.certificate = certificate(arrays, x, row_dual, col_dual, solver)
    outcome.bound = min(bound, cost) if integers else (cost if stopped == "optimal" else bound)
    if stopped == "optimal" or integers:
        x = least_exposure(solver, data, x, cost, outcome)
    outcome.values = by_family(arrays.columns, x)
    outcome.objective = float(arrays.cost @ x) + arrays.offset


def _duals_beside_zero(
    solver: Solver, data: ModelData, row_dual: np.ndarray, col_dual: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of the duals of a solved LP with caps of zero, those that tell what a little more than nothing would save.

    A cap of zero can have any dual above that one: all of them keep it at zero. Those found with the caps opened by a
    kilogram are duals of the LP itself too.
    """
    rows = solver.arrays.rows
    zero = [
        rows[family][i]
        for family in ("exposed_share", "stage_share", "single_country_share", "import_share")
        for i, cap in enumerate(getattr(data, family))
        if cap.limit == 0.0 and i in rows.get(family, {})  # a row whose numbers are next to nothing is left out
    ]
    if not zero:
        return row_dual, col_dual
    for upper in (CRACK, 0.0):
        for row in zero:
            solver.check(solver.highs.changeRowBounds(row, -highspy.kHighsInf, upper), "the side of a cap of zero")
        if upper and solver.run() == "optimal":
            _, row_dual, col_dual = solver.solution()
    return row_dual, col_dual


def fix_columns(solver: Solver, positions: np.ndarray, values: np.ndarray) -> None:
    """Hold columns at values, and forget that they are whole numbers."""
    if not len(positions):
        return
    positions = positions.astype(np.int32)
    kinds = np.array([highspy.HighsVarType.kContinuous] * len(positions))
    solver.check(solver.highs.changeColsIntegrality(len(positions), positions, kinds), "relaxing")
    values = np.ascontiguousarray(values, dtype=float)
    solver.check(solver.highs.changeColsBounds(len(positions), positions, values, values), "fixing")


def costs_of_note(cost: np.ndarray) -> np.ndarray:
    """Positions of the costs that a row can hold; the solver cannot tell the others from 0."""
    return np.flatnonzero(np.abs(cost) > SMALLEST_COEFFICIENT).astype(np.int32)


def inside_bounds(x: np.ndarray, arrays: Arrays) -> np.ndarray:
    """Values inside their bounds: the solver may leave them outside by its tolerance."""
    return np.clip(x, arrays.col_lower, arrays.col_upper)


def exposed_deliveries(data: ModelData, arrays: Arrays) -> np.ndarray:
    """What each column adds to the present value of the exposed deliveries of the plan."""
    exposure = np.zeros(len(arrays.cost))
    for i, k in arrays.columns.get("deliver", {}).items():
        delivery = data.deliver[i]
        if delivery.provenance == EXPOSED and data.nodes[delivery.node].branch == PLAN:
            exposure[k] = data.nodes[delivery.node].present
    return exposure


def least_exposure(solver: Solver, data: ModelData, x: np.ndarray, cost: float, outcome: Outcome) -> np.ndarray:
    """Of the plans with these builds and, within 1e-7, this cost, the one with the least exposed deliveries."""
    arrays = solver.arrays
    exposure = exposed_deliveries(data, arrays)
    if not (exposure @ x > 0.0):
        return x
    builds = np.array(sorted(arrays.columns.get("build", {}).values()), dtype=int)
    fix_columns(solver, builds, x[builds])
    costly = costs_of_note(arrays.cost)
    room = COST_SLACK * abs(cost)
    everything = np.arange(len(x), dtype=np.int32)
    # among plans of the very same cost first: the dual simplex gets there soon, and leaves the slower primal little
    solver.check(solver.highs.changeColsCost(len(x), everything, arrays.cost + TIE * exposure), "the tie-break")
    solver.run_lp()
    solver.check(
        solver.highs.addRow(-highspy.kHighsInf, cost - arrays.offset + room, len(costly), costly, arrays.cost[costly]),
        "the cost row",
    )
    solver.check(solver.highs.changeColsCost(len(x), everything, exposure), "the exposure objective")
    solver.option("simplex_strategy", PRIMAL)  # the basis at hand is feasible but no longer optimal
    stopped = solver.run_lp()
    solver.option("simplex_strategy", DUAL)
    if stopped == "optimal":
        better = inside_bounds(solver.solution()[0], arrays)
        spent = float(arrays.cost @ better) + arrays.offset - cost
        if spent <= room * 1.01 + 1e-12 and exposure @ better <= exposure @ x:
            return better
        outcome.notes.append(f"the least-exposure step cost {spent:.3g} MUSD more than allowed and was dropped")
    else:
        outcome.notes.append(f"the least-exposure step ended with {stopped} and was dropped")
    return x


def certificate(
    arrays: Arrays, x: np.ndarray, row_dual: np.ndarray, col_dual: np.ndarray, solver: Solver
) -> dict[str, float]:
    """Optimality of an LP (integers fixed) from the arrays alone: largest residuals (kt, MUSD) and relative gap."""
    lp = solver.highs.getLp()
    lower, upper = np.asarray(lp.col_lower_), np.asarray(lp.col_upper_)
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


def by_family(positions: dict[str, dict[Any, int]], numbers: np.ndarray) -> dict[str, dict[Any, float]]:
    listed = numbers.tolist()
    return {name: {i: listed[k] for i, k in of.items()} for name, of in positions.items()}


def least_public_money(data: ModelData, modules: dict[int, float]) -> dict[str, dict[Any, float]]:
    """Private money and fund draws, MUSD by calendar year, that pay for the builds with the least public money."""
    arrays = compile_model(models.build_funding_split(data, modules))
    solver = Solver(arrays, Settings())
    if solver.run_lp() != "optimal":
        raise SolverFailed("the builds chosen cannot be paid for")
    return by_family(arrays.columns, solver.solution()[0])
