"""The hand-over is guarded: poison is stopped, never solved."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import planner
from planner.errors import SolverFailed, UsageError

TINY = Path(__file__).parents[2] / "instances" / "tiny"


@pytest.fixture
def arrays():
    from planner.prepare import prepare
    from planner.solving.compiling import compiled

    return compiled(prepare(planner.load(TINY)).data)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e15, 1e20, 1e-13])
@pytest.mark.parametrize("where", ["cost", "matrix", "row_upper", "col_upper"])
def test_poison_is_stopped_at_the_hand_over(arrays, poison, where):
    from planner.solving.solver import Settings, Solver

    if poison == np.inf and where in ("row_upper", "col_upper"):
        pytest.skip("no limit is not poison")
    if poison == 1e-13 and where != "matrix":
        pytest.skip("a side, bound or cost may be small")
    target = arrays.matrix.data if where == "matrix" else getattr(arrays, where)
    target[0] = poison
    with pytest.raises(SolverFailed):
        Solver(arrays, Settings())


@pytest.mark.parametrize("written", ["nan", "inf", "1e400", "1e15", "1e20", "1,200", "1_000", "٣"])
def test_poison_is_stopped_at_the_border(tmp_path, written):
    import shutil

    shutil.copytree(TINY, tmp_path / "i")
    table = tmp_path / "i" / "market_prices.csv"
    table.write_text(table.read_text().replace("80000", f'"{written}"'), encoding="utf-8")
    with pytest.raises(planner.InstanceError):
        planner.load(tmp_path / "i")


def test_every_lp_plan_carries_a_certificate():
    plan = planner.solve(planner.load(TINY))
    certificate = plan.plan["certificate"]
    assert certificate["relative_gap"] < 1e-8
    assert certificate["primal_residual"] < 1e-9 and certificate["dual_residual"] < 1e-6


def test_a_time_limit_too_short_is_no_plan_or_a_plan_never_a_crash():
    try:
        plan = planner.solve(planner.load(TINY), time_limit=1e-9)
    except planner.PlannerError as error:
        assert error.exit_code == 4
    else:
        assert plan.status in ("optimal", "feasible")


@pytest.mark.parametrize(
    "asked",
    [
        {"time_limit": float("inf")},
        {"time_limit": float("nan")},
        {"seed": 99_999_999_999},
        {"threads": 100_000},
        {"objective": "exposure", "ceiling": float("inf")},
        {"objective": "exposure", "ceiling": float("nan")},
    ],
)
def test_numbers_that_mean_nothing_are_refused(asked):
    with pytest.raises(UsageError, match="expected"):
        planner.solve(planner.load(TINY), **asked)


def test_each_run_has_its_own_time(arrays):
    """HiGHS counts a search for whole numbers from its start, a linear program over all runs of its solver."""
    from planner.solving.programme import Programme
    from planner.solving.solver import Settings

    search, linear = Programme(arrays, Settings()), Programme(arrays.relaxed, Settings())
    for programme, counted in ((search, 0.0), (linear, 1.0)):
        for _ in range(3):
            before = programme.highs.getRunTime()
            programme.forget()
            assert programme.find(seconds=5.0).optimal
            limit = programme.highs.getOptionValue("time_limit")[1]
            assert limit == pytest.approx(5.0 + counted * before, abs=1e-12)
    linear.find()
    assert linear.highs.getOptionValue("time_limit")[1] == np.inf


OPTIONS = ("presolve", "solver", "primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_rel_gap")


@pytest.mark.parametrize("whole", [True, False])
def test_a_hard_search_leaves_no_option_changed(arrays, monkeypatch, whole):
    """Five attempts that fail: the last is tried looser and by interior points, and the next search as the first."""
    from planner.solving.programme import Programme
    from planner.solving.solver import Settings

    programme = Programme(arrays if whole else arrays.relaxed, Settings())
    before = [programme.highs.getOptionValue(name)[1] for name in OPTIONS]
    seen = []

    def failing(self, *_):
        seen.append([self.highs.getOptionValue(name)[1] for name in OPTIONS])
        return "failed"

    monkeypatch.setattr(Programme, "run", failing)
    with pytest.raises(SolverFailed):
        programme.find()
    assert len(seen) == (2 if whole else 5)  # as it is, without presolve, two looser tolerances, interior points
    assert seen[0] == before and seen[1][0] == "off"
    assert [programme.highs.getOptionValue(name)[1] for name in OPTIONS] == before
    monkeypatch.undo()
    assert programme.find().optimal


def test_infeasible_is_believed_only_without_presolve(arrays, monkeypatch):
    from planner.solving.programme import Programme
    from planner.solving.solver import Settings

    programme, real, calls = Programme(arrays, Settings()), Programme.run, []

    def wrong_at_first(self, *how):
        calls.append(self.highs.getOptionValue("presolve")[1])
        return "infeasible" if len(calls) == 1 else real(self, *how)

    monkeypatch.setattr(Programme, "run", wrong_at_first)
    assert programme.find().optimal and calls == ["choose", "off"]


def test_infeasible_without_presolve_is_believed_though_a_later_attempt_fails(arrays, monkeypatch):
    from planner.solving.programme import Programme
    from planner.solving.solver import Settings

    answers = iter(["infeasible"] * 4 + ["failed"])  # interior points fail
    monkeypatch.setattr(Programme, "run", lambda *_: next(answers))
    assert not Programme(arrays.relaxed, Settings()).find().optimal
    assert next(answers, None) is None


def test_plans_are_solved_from_several_threads_at_once():
    """HiGHS has one thread for searches that Ctrl-C can stop, and its banner is kept off one standard output."""
    from concurrent.futures import ThreadPoolExecutor

    instance = planner.load(TINY)
    alone = planner.solve(instance).objective_musd
    with ThreadPoolExecutor(4) as threads:
        together = [f.result().objective_musd for f in [threads.submit(planner.solve, instance) for _ in range(12)]]
    assert together == [alone] * 12


@pytest.mark.parametrize("where", ["cost", "col_upper", "row_lower", "matrix"])
def test_what_the_solver_holds_is_what_was_built(arrays, monkeypatch, where):
    """One number is changed on the way: a flipped sign has the same sum of absolute values."""
    from planner.solving import solver

    real = solver.new_highs

    class Twisted:
        def __init__(self):
            self.highs = real()

        def __getattr__(self, name):
            return getattr(self.highs, name)

        def passModel(self, *given):  # noqa: N802 (HiGHS' own name)
            given = list(given)
            place = {"cost": 6, "col_upper": 8, "row_lower": 9, "matrix": 13}[where]
            changed = given[place].copy()
            k = next(i for i, v in enumerate(changed) if np.isfinite(v) and v)
            changed[k] = changed[k] + 1.0 if where == "col_upper" else -changed[k]
            given[place] = changed
            return self.highs.passModel(*given)

    monkeypatch.setattr(solver, "new_highs", Twisted)
    with pytest.raises(SolverFailed, match="HiGHS holds another"):
        solver.Solver(arrays, solver.Settings())


def test_a_solve_does_not_load_all_of_scipy(tmp_path):
    """Statistics take half as long to load as a small solve; whichever module is first asked for, they stay out."""
    code = (
        f"import sys, planner; planner.solve(planner.load({str(TINY)!r})); "
        "print(sorted({'scipy.stats', 'scipy.spatial'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"


def knapsack(offset):
    """Things that weigh 3, 4 and 5 and cost as much; with the offset, the least cost of some that weigh 8 at least."""
    from scipy import sparse

    from planner.solving.compiling import Arrays

    weights = np.array([3.0, 4.0, 5.0])
    return Arrays(
        cost=weights, offset=offset, matrix=sparse.csc_array(weights[None, :]), row_lower=np.array([8.0]),
        row_upper=np.array([np.inf]), col_lower=np.zeros(3), col_upper=np.ones(3), integer=np.ones(3, dtype=bool),
        columns={}, rows={},
    )  # fmt: skip


@pytest.mark.parametrize("offset", [0.0, 100.0, -100.0])
@pytest.mark.parametrize("presolve", ["choose", "off"])
def test_nothing_dearer_than_a_cutoff_is_a_plan(offset, presolve):
    # the cheapest weighs 8: the things of 3 and 5
    from planner.solving.programme import Programme
    from planner.solving.solver import Settings

    programme = Programme(knapsack(offset), Settings(gap=0.0))
    programme.option(presolve=presolve)
    there = programme.find(cutoff=offset + 8.5)
    assert (there.value, there.bound) == pytest.approx((offset + 8, offset + 8))
    nothing = programme.find(cutoff=offset + 7.5)
    assert nothing.bound == pytest.approx(offset + 7.5)
    assert programme.find().value == pytest.approx(offset + 8)


def test_an_optimum_whose_rows_do_not_follow_from_its_columns_is_sought_again(arrays, monkeypatch):
    from planner.solving.solver import Settings, Solver

    least = Solver(arrays.relaxed, Settings()).find()
    again = Solver(arrays.relaxed, Settings())
    runs, told = [], again.highs.getSolution

    def run(*given):
        runs.append(given)
        return Solver.run(again, *given)

    def off_at_first():
        solution = told()
        if len(runs) == 1:
            solution.row_value = [value + 1e-3 for value in solution.row_value]
        return solution

    monkeypatch.setattr(again, "run", run)
    monkeypatch.setattr(again.highs, "getSolution", off_at_first)
    found = again.find()
    assert len(runs) == 2
    assert found.optimal and found.value == pytest.approx(least.value)
    again.find()
    assert len(runs) == 3  # what is accurate is not sought again


@pytest.mark.parametrize("comfortable", [(0.0, np.inf), (0.0, 1e-6)], ids=["as they are", "in other units"])
def test_what_a_programme_is_now_has_what_was_changed_and_added(arrays, monkeypatch, comfortable):
    from planner.solving import units
    from planner.solving.programme import Programme
    from planner.solving.solver import Settings

    monkeypatch.setattr(units, "COMFORTABLE", comfortable)
    programme = Programme(arrays, Settings())
    assert (programme.units.objective == 1.0) == (comfortable[1] == np.inf)
    programme.bound([2], 0.25, 0.5)
    programme.add_row([0, 3], [2.0, 3.0], upper=5.0)
    now = programme.now
    added = np.zeros(len(arrays.cost))
    added[[0, 3]] = 2.0, 3.0
    expected = np.vstack([arrays.matrix.toarray(), added])
    assert now.matrix.toarray() == pytest.approx(expected)
    assert now.cost == pytest.approx(arrays.cost) and now.offset == pytest.approx(arrays.offset)
    assert now.row_lower == pytest.approx(np.append(arrays.row_lower, -np.inf))
    assert now.row_upper == pytest.approx(np.append(arrays.row_upper, 5.0))
    assert (now.col_lower[2], now.col_upper[2]) == (0.25, 0.5)
    assert (now.integer == arrays.integer).all()
