"""Gives a compiled model to HiGHS and runs it: time limits, Ctrl-C, and the one rule for trying again.

HiGHS has been seen to refuse all rows for a single infinite coefficient, while its interface reported an optimal plan
of cost 0. So numbers, rows, columns, nonzeros and costs that HiGHS has are compared with those that were built, and the
status of every call is checked.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from ..errors import SolverFailed, Unbounded, UsageError
from ..quiet_highs import new_highs
from .compiling import SMALLEST_COEFFICIENT, Arrays, Positions
from .units import Units

PROVEN_UP_TO = 200  # integer decisions up to which the default gap is 0: the optimum is proven
LARGE_GAP = 1e-3  # default relative MIP gap of models with more
MOST_THREADS = 256  # HiGHS starts as many as it is told, and does not come to work with very many
MOST_SEED = 2**31 - 1  # the largest that HiGHS takes
ENDED = ("optimal", "time_limit", "interrupted")  # after one of these the search is not tried again
LARGEST_COEFFICIENT = 1e15  # HiGHS refuses rows with larger ones
DUAL, PRIMAL = 1, 4  # values of HiGHS' option simplex_strategy
DEVEX = 1  # value of HiGHS' option simplex_dual_edge_weight_strategy: a third faster here than steepest edge
TIGHT = 1e-9  # feasibility tolerance, in kt, kt/yr and MUSD
INACCURATE = 1e-7  # of a row, or kt, MUSD: a solution that is off by more is solved once more


Progress = Callable[[str], None]


class Standing(str):
    """A line of progress that tells how a search stands.

    best   cost of the best plan known, MUSD; infinite: none is
    bound  lower bound, MUSD
    """

    def __init__(self, _: str, best: float, bound: float) -> None:
        self.best, self.bound = best, bound

    def __new__(cls, told: str, best: float, bound: float) -> Standing:
        """Make a line of the text ``told``."""
        return super().__new__(cls, told)

    @classmethod
    def of(cls, told: str, best: float, bound: float) -> Standing:
        """Return the line ``told`` with best plan, bound and gap behind it, as far as they are known."""
        known = "no plan yet"
        if math.isfinite(best):
            known = f"best plan {best:,.1f} million"
        if math.isfinite(bound):
            known += f", bound {bound:,.1f}"
        if math.isfinite(best) and math.isfinite(bound):
            known += f", gap {(best - bound) / max(abs(best), 1e-9):.3%}"
        return cls(told + known, best, bound)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to solve.

    gap         relative MIP gap at which the search may stop; None: 0 up to 200 integer decisions, else 0.001
                (`worth_knowing` tells when a plan is searched to less)
    time_limit  seconds for the search; None: no limit
    threads     threads of the solver; another number may give another plan of the same cost
    seed        random seed of the solver
    """

    gap: float | None = None
    time_limit: float | None = None
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.gap is not None and not 0.0 <= self.gap < math.inf:
            raise UsageError(f"gap = {self.gap}: expected a fraction of 0 or more, 0.01 means 1 %")
        if self.time_limit is not None and not 0.0 < self.time_limit < math.inf:
            raise UsageError(f"time_limit = {self.time_limit}: expected seconds above 0, or none for no limit")
        if not 1 <= self.threads <= MOST_THREADS:
            raise UsageError(f"threads = {self.threads}: expected 1 to {MOST_THREADS}")
        if not 0 <= self.seed <= MOST_SEED:
            raise UsageError(f"seed = {self.seed}: expected 0 to {MOST_SEED}")

    def gap_for(self, integers: int) -> float:
        """Return the relative MIP gap for a model with so many integer decisions."""
        if self.gap is not None:
            return self.gap
        return 0.0 if integers <= PROVEN_UP_TO else LARGE_GAP


@dataclass(frozen=True, slots=True)
class Found:
    """The result of one search.

    stopped   ``optimal``, ``time_limit``, ``interrupted`` or ``infeasible`` (without retries also ``unbounded`` and
              ``failed``)
    x         values of the columns (kt/yr, kt, modules, MUSD), shape (columns,): of the best plan found, the incumbent;
              empty if none was found
    value     objective of x, its constant included; NaN without a plan
    bound     lower bound: no plan has a smaller objective; -inf if nothing is known
    duals     shadow prices of the rows, shape (rows,), in units of the objective per unit of the row; of a linear
              programme only
    reduced   reduced costs of the columns, shape (columns,), per unit of the column; of a linear programme only
    """

    stopped: str
    x: np.ndarray
    value: float
    bound: float
    duals: np.ndarray
    reduced: np.ndarray

    @property
    def held(self) -> bool:
        """Whether a plan was found."""
        return not math.isnan(self.value)

    @property
    def optimal(self) -> bool:
        """Whether the plan is proven to be optimal, to the gap asked for."""
        return self.stopped == "optimal"


def check_numbers(arrays: Arrays) -> None:
    """Raise SolverFailed if a number of the model is not finite, or too large or too small for HiGHS."""
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
    for name, lower, upper, names in (
        ("right-hand side", arrays.row_lower, arrays.row_upper, arrays.rows),
        ("bound", arrays.col_lower, arrays.col_upper, arrays.columns),
    ):
        wrong = np.flatnonzero((lower == np.inf) | (upper == -np.inf))
        if len(wrong):
            raise SolverFailed(
                f"the model holds an infinite {name} at {_named(names, int(wrong[0]))}; nothing was solved"
            )


def _named(positions: Positions, place: int) -> str:
    """A row or column by its family and index."""
    return next(
        (f"{family} {i}" for family, of in positions.items() for i, k in of.items() if k == place), f"number {place}"
    )


class Solver:
    """A HiGHS of its own with a compiled model; the status of every call is checked.

    arrays       the model as it was compiled; changes are made in HiGHS only
    whole        bool, shape (columns,): which columns are integer now
    gap          relative MIP gap of the settings
    interrupted  whether a Ctrl-C has ended a search
    """

    def __init__(self, arrays: Arrays, settings: Settings, units: Units | None = None) -> None:
        self.arrays, self.settings = arrays, settings
        self.units = Units.of(arrays) if units is None else units
        self.whole = arrays.integer.copy()
        self.interrupted = False
        self._read: np.ndarray | None = None
        self.altered: set[int] = set()  # rows of which coefficients are not as compiled
        self.gap = max(settings.gap_for(int(arrays.integer.sum())), 1e-9)
        self.highs = new_highs()
        self.option(
            threads=settings.threads,
            random_seed=settings.seed,
            small_matrix_value=SMALLEST_COEFFICIENT,
            simplex_dual_edge_weight_strategy=DEVEX,
            primal_feasibility_tolerance=TIGHT,
            dual_feasibility_tolerance=TIGHT,
            mip_feasibility_tolerance=TIGHT,
            mip_abs_gap=0.0,
            mip_rel_gap=self.gap,
        )
        self._hand_over()

    def option(self, **values: Any) -> None:
        """Set options of HiGHS by their names."""
        for name, value in values.items():
            self.check(self.highs.setOptionValue(name, value), f"option {name}")

    @staticmethod
    def check(status: Any, what: str) -> None:
        """Raise SolverFailed unless the status that a call of HiGHS returned is ok; ``what`` names the call."""
        if status != highspy.HighsStatus.kOk:
            raise SolverFailed(f"HiGHS refused: {what} ({status})")

    def _hand_over(self) -> None:
        """Pass the model to HiGHS and compare what it then has with what was built. Raises SolverFailed."""
        a, units = self.arrays, self.units
        check_numbers(a)
        rows, cols = a.matrix.shape
        matrix = a.matrix.copy()
        matrix.data = matrix.data * np.repeat(units.columns, np.diff(matrix.indptr)) / units.rows[matrix.indices]
        if not units.plain:  # what becomes next to nothing in other units is nothing
            matrix.data[np.abs(matrix.data) <= SMALLEST_COEFFICIENT] = 0.0
            matrix.eliminate_zeros()
        cost = a.cost * units.columns / units.objective
        self.check(
            self.highs.passModel(
                cols,
                rows,
                matrix.nnz,
                int(highspy.MatrixFormat.kColwise),
                int(highspy.ObjSense.kMinimize),
                a.offset / units.objective,
                cost,
                a.col_lower / units.columns,
                a.col_upper / units.columns,
                a.row_lower / units.rows,
                a.row_upper / units.rows,
                matrix.indptr.astype(np.int32),
                matrix.indices.astype(np.int32),
                matrix.data,
                a.integer.astype(np.int32),
            ),
            "the model",
        )
        held = self.highs.getLp()
        found = (self.highs.getNumRow(), self.highs.getNumCol(), self.highs.getNumNz())
        if found != (rows, cols, matrix.nnz):
            raise SolverFailed(
                f"HiGHS holds {found} rows, columns and nonzeros, but {(rows, cols, matrix.nnz)} were built"
            )
        for what, is_held, built, names in (
            ("cost", held.col_cost_, cost, a.columns),
            ("lower bound", held.col_lower_, a.col_lower / units.columns, a.columns),
            ("upper bound", held.col_upper_, a.col_upper / units.columns, a.columns),
            ("lower side", held.row_lower_, a.row_lower / units.rows, a.rows),
            ("upper side", held.row_upper_, a.row_upper / units.rows, a.rows),
            ("coefficient in the column", held.a_matrix_.value_, matrix.data, None),
        ):
            other = np.flatnonzero(np.asarray(is_held) != built)
            if len(other):
                k = int(other[0])
                place = k if names is not None else int(np.searchsorted(matrix.indptr, k, side="right")) - 1
                raise SolverFailed(f"HiGHS holds another {what} than was built: {_named(names or a.columns, place)}")

    def run(self, seconds: float = math.inf, watched: bool = True) -> str:
        """Solve once: ``optimal``, ``time_limit``, ``interrupted``, ``infeasible``, ``unbounded`` or ``failed``.

        seconds  how long it may take
        watched  whether Ctrl-C stops the search. That needs a second thread, of which HiGHS has one in a process;
                 without it a solve of milliseconds is faster, and several solvers can run at the same time
        """
        self._read = None
        # HiGHS starts its clock anew for each MIP; for LPs it adds up the time of all runs
        counted = 0.0 if self.whole.any() or seconds == math.inf else self.highs.getRunTime()
        self.option(time_limit=seconds + counted)
        # Ctrl-C reaches the main thread only, and HiGHS has one thread for searches that can be stopped
        main = threading.current_thread() is threading.main_thread()
        status = self._run_in_thread() if watched and main else self.highs.run()
        self.interrupted |= self.highs.getModelStatus() == highspy.HighsModelStatus.kInterrupt
        if status == highspy.HighsStatus.kError:
            return "failed"
        kinds = highspy.HighsModelStatus
        return {
            kinds.kOptimal: "optimal",
            kinds.kModelEmpty: "optimal",
            kinds.kTimeLimit: "time_limit",
            kinds.kInterrupt: "interrupted",
            kinds.kInfeasible: "infeasible",
            kinds.kUnboundedOrInfeasible: "infeasible",
            kinds.kUnbounded: "unbounded",
        }.get(self.highs.getModelStatus(), "failed")

    def _run_in_thread(self) -> Any:
        """Run in a second thread; return the status of HiGHS.

        A first Ctrl-C stops the search and keeps the incumbent, the best plan found; a second one quits.
        """
        self.highs.HandleUserInterrupt = True
        self.highs.startSolve()
        stopping = False
        while True:
            try:
                done, status = self.highs.wait(0.1)
                if done:
                    if stopping:  # this clears the request; else HiGHS would stop every later solve too
                        self.highs.disableCallbacks()
                        self.highs.enableCallbacks()
                    return status
            except KeyboardInterrupt:
                if stopping:
                    raise
                stopping = True
                print("stopping; once more to quit at once", file=sys.stderr, flush=True)
                self.highs.cancelSolve()

    def find(
        self,
        *,
        gap: float | None = None,
        absolute_gap: float = 0.0,
        cutoff: float = math.inf,
        seconds: float | None = None,
        sure: bool = True,
        watched: bool = True,
        keep: bool = False,
    ) -> Found:
        """Solve with the objective that is set.

        gap           relative MIP gap at which the search may stop; None: that of the settings
        absolute_gap  the same in units of the objective
        cutoff        a MIP is searched for solutions up to this objective only: the bound is at most this, and if it
                      is this, there is no cheaper one
        seconds       how long each attempt may take; None: no limit
        sure          whether to try again before reporting that there is no plan; False: the first answer counts
        watched       whether Ctrl-C can stop the search; see `Solver.run`
        keep          whether an interrupted search returns its best plan, instead of raising KeyboardInterrupt

        Raises Unbounded, and SolverFailed if HiGHS gives no result; both only if ``sure``.
        """
        allowed = math.inf if seconds is None else seconds
        self.option(
            mip_rel_gap=self.gap if gap is None else max(gap, 1e-9),
            mip_abs_gap=absolute_gap / self.units.objective,
            objective_bound=cutoff / self.units.objective,
        )
        stopped = self.run(allowed, watched)
        if self.whole.any() and stopped in ENDED and self.has_plan and not self._consistent:
            self.forget()
            stopped = self.run(allowed, watched)
        if not self.whole.any() and stopped == "optimal" and not self._accurate:
            stopped = self._sharpened(allowed, watched)
        if sure and stopped not in ENDED:
            stopped = self._again(allowed, watched)
        if sure and stopped == "unbounded":
            raise Unbounded("the cost has no lower bound: an activity, perhaps one of negative cost, pays without end")
        if sure and stopped == "failed":
            why = self.highs.modelStatusToString(self.highs.getModelStatus())
            raise SolverFailed(f"HiGHS stopped without a result: {why}")
        if stopped == "interrupted" and not keep:
            raise KeyboardInterrupt
        found = self._found(stopped)
        return replace(found, bound=min(found.bound, cutoff))

    def _again(self, seconds: float, watched: bool) -> str:
        """Try again: without presolve; a linear programme then with looser tolerances, then by interior points.

        Presolve has been seen to call feasible models infeasible, so infeasibility counts only without it. All options
        are set back afterwards. Returns how the last attempt ended that did not fail, as `Solver.run` does.
        """
        attempts: list[dict[str, Any]] = [{"presolve": "off"}]
        if not self.whole.any():
            attempts += [
                {"primal_feasibility_tolerance": 1e-7},
                {"dual_feasibility_tolerance": 1e-7},
                {"solver": "ipm"},
            ]
        stopped = "failed"
        try:
            for options in attempts:
                self.forget()
                self.option(**options)
                ended = self.run(seconds, watched)
                if ended != "failed":  # interior points have been seen to fail where the simplex proves infeasibility
                    stopped = ended
                if stopped in ENDED:
                    break
        finally:
            self.option(
                presolve="choose",
                solver="choose",
                primal_feasibility_tolerance=TIGHT,
                dual_feasibility_tolerance=TIGHT,
            )
        return stopped

    def _sharpened(self, seconds: float, watched: bool) -> str:
        """Solve once more a linear programme whose solution is not accurate: from its basis, then from nothing."""
        basis = self.highs.getBasis()
        self.forget()
        self.check(self.highs.setBasis(basis), "a basis")
        stopped = self.run(seconds, watched)
        if stopped == "optimal" and not self._accurate:
            self.forget()
            self.option(presolve="off")
            stopped = self.run(seconds, watched)
            self.option(presolve="choose")
        return stopped

    @property
    def _columns(self) -> np.ndarray:
        """Values of the columns after the last run, in the units of HiGHS; read once, since HiGHS lists them slowly."""
        if self._read is None:
            self._read = np.array(self.highs.getSolution().col_value)
        return self._read

    @property
    def _accurate(self) -> bool:
        """Whether the columns of the solution that HiGHS has give the rows that it says.

        After thousands of steps from a basis, an optimum was seen of which a row of some tonnes was off by a
        ten-thousandth, while HiGHS told no infeasibility. Rows that were changed or added are not looked at.
        """
        matrix, units = self.arrays.matrix, self.units
        rows, columns = matrix.shape
        said = np.array(self.highs.getSolution().row_value)[:rows] * units.rows[:rows]
        if len(said) < rows:  # some were removed
            return True
        off = np.abs(matrix @ (self._columns[:columns] * units.columns[:columns]) - said)
        off[list(self.altered)] = 0.0
        return bool((off <= INACCURATE * np.maximum(1.0, np.abs(said))).all())

    def _found(self, stopped: str) -> Found:
        """Return what HiGHS has after a search that ended with ``stopped``."""
        held = stopped == "optimal" or (stopped in ENDED and self.has_plan)
        solution = self.highs.getSolution()
        units = self.units
        value = float(self.highs.getObjectiveValue()) * units.objective if held else math.nan
        if self.whole.any():
            bound = float(self.highs.getInfo().mip_dual_bound) * units.objective
        else:
            bound = value if stopped == "optimal" else -math.inf
        x = self._columns * units.columns if held else np.zeros(0)
        duals, reduced = np.array(solution.row_dual), np.array(solution.col_dual)
        if len(duals) != len(units.rows):  # of a MIP, or none yet
            duals, reduced = np.zeros(len(units.rows)), np.zeros(len(units.columns))
        return Found(
            stopped, x, value, bound, duals * units.objective / units.rows, reduced * units.objective / units.columns
        )

    @property
    def _consistent(self) -> bool:
        """Whether the solution that HiGHS has costs what HiGHS says.

        Where presolve left nothing to search, HiGHS has been seen to return the solution that it was offered, beside
        the objective of a better one.
        """
        held, said = self.highs.getLp(), float(self.highs.getObjectiveValue())
        is_ = float(np.asarray(held.col_cost_) @ self._columns) + held.offset_
        return abs(is_ - said) <= 1e-6 * max(1.0, abs(said))

    def forget(self) -> None:
        """Forget basis and solution: the next search starts from nothing."""
        self.check(self.highs.clearSolver(), "clearing")

    @property
    def has_plan(self) -> bool:
        """Whether HiGHS has a feasible solution; an empty model has the empty one."""
        if self.highs.getModelStatus() == highspy.HighsModelStatus.kModelEmpty:
            return True
        return bool(self.highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible)
