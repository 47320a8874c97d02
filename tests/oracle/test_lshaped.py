"""The L-shaped method against one search of the whole model, on drawn instances and where its parts are infeasible."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from drawn import valid
from places import INSTANCES
from test_alternatives import four_plants

import planner
from planner.errors import SolverFailed
from planner.instance.tables import cells
from planner.prepare import prepare
from planner.questions.frontier.axis import Axis
from planner.questions.frontier.limited import Limited
from planner.solving import parts, search, stakes
from planner.solving.compiling import compiled
from planner.solving.lshaped import LShaped
from planner.solving.programme import Programme
from planner.solving.solver import Settings

GAP = 1e-4


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small models are split too, and however unequal their parts are."""
    monkeypatch.setattr(parts, "FEWEST_COLUMNS", 0)
    monkeypatch.setattr(parts, "LARGEST_PART", 1.0)
    monkeypatch.setattr(search, "FEWEST_COLUMNS", 0)


def both(instance):
    """What the method finds, and the least cost of the whole model (None: it has no plan), MUSD."""
    arrays, settings = compiled(prepare(instance).data), Settings(gap=GAP)
    whole = Programme(arrays, Settings(gap=0.0)).find(sure=True)
    method = LShaped.of(arrays, settings)
    best = None if method is None else method.search(GAP, None, None, None)
    return arrays, best, whole.value if whole.held else None


@pytest.mark.parametrize("seed", range(24))
def test_the_bounds_hold_and_the_plan_is_one(tmp_path, seed):
    instance, *_ = valid(tmp_path / "i", seed)
    arrays, best, least = both(instance)
    if best is None:
        pytest.skip("one part")
    slack = GAP * max(1.0, abs(least or 0.0)) + 1e-6
    if least is None:
        assert best.plan is None
        return
    assert best.bound <= least + 1e-6 * max(1.0, abs(least))
    if best.plan is not None:
        x = best.plan
        assert best.value == pytest.approx(float(arrays.cost @ x) + arrays.offset, abs=1e-6)
        off = np.maximum(arrays.row_lower - arrays.matrix @ x, arrays.matrix @ x - arrays.row_upper).max()
        assert off <= 1e-6 and (np.abs(x - np.round(x))[arrays.integer] <= 1e-9).all()
        assert best.value >= least - 1e-6 * max(1.0, abs(least))
    if best.why == "optimal":
        assert best.value <= least + slack


def test_most_drawn_instances_are_solved_by_the_method_itself(tmp_path):
    ends = []
    for seed in range(40):
        _, best, least = both(valid(tmp_path / f"{seed}", seed)[0])
        if best is not None and least is not None:
            ends.append(best.why)
    assert len(ends) >= 10 and ends.count("optimal") >= 0.6 * len(ends), ends


def test_solve_finds_the_same_cost_by_it_and_audits_the_plan(tmp_path):
    # README of tiny: 9.75 MUSD with the line
    tiny = planner.load(INSTANCES / "tiny")
    plan = planner.solve(tiny, gap=GAP)
    assert plan.objective_musd == pytest.approx(9.75) and plan.plan["gap"] <= GAP
    assert planner.audit(tiny, plan).ok


def test_what_only_investment_makes_feasible_is_found():
    """Half of 100 t must be served clean from 2027 on: without the line no plan keeps the floor."""
    tiny = planner.load(INSTANCES / "tiny").without("caps")
    floor = {**cells(tiny.sectors[0]), "min_service": 0.5, "clean_from_year": 2027}
    needed = tiny.with_rows("sectors", floor)
    _, best, least = both(needed)
    assert best.why == "optimal" and best.value == pytest.approx(least, rel=GAP)
    assert planner.solve(needed, gap=GAP).builds == {("texas-line", 2026): 1.0}


def test_a_part_that_the_solver_cannot_decide_on_may_break_its_rows_too(monkeypatch):
    tiny = planner.load(INSTANCES / "tiny").without("caps")
    floor = {**cells(tiny.sectors[0]), "min_service": 0.5, "clean_from_year": 2027}
    once, undecided = parts.Parts._once, []

    def failing(method, part, taken):
        found = once(method, part, taken)
        if found.stopped == "infeasible":
            undecided.append(part)
            raise SolverFailed("HiGHS stopped without a result: Unknown")
        return found

    monkeypatch.setattr(parts.Parts, "_once", failing)
    _, best, least = both(tiny.with_rows("sectors", floor))
    assert undecided
    assert best.why == "optimal" and best.value == pytest.approx(least, rel=GAP)


def test_no_part_is_still_being_solved_when_another_one_has_failed(monkeypatch):
    # it would be changed by the next question while HiGHS solves it, which ended the process
    method = LShaped.of(compiled(prepare(planner.load(INSTANCES / "tiny")).data), Settings(gap=GAP))
    solve, method.threads, done = method._solved, ThreadPoolExecutor(len(method.parts)), []
    assert len(method.parts) > 1

    def slow(part, taken):
        if part is method.parts[0]:
            raise SolverFailed("HiGHS stopped without a result: Unknown")
        time.sleep(0.2)
        done.append(part)
        return solve(part, taken)

    monkeypatch.setattr(method, "_solved", slow)
    with pytest.raises(SolverFailed):
        method.tried(method.nothing)
    assert len(done) == len(method.parts) - 1


def test_what_projects_save_is_left_open_where_the_solver_cannot_decide(monkeypatch):
    def fails(*_):
        raise SolverFailed("HiGHS stopped without a result: Unknown")

    monkeypatch.setattr(stakes, "without_projects", fails)
    monkeypatch.setattr(parts.Parts, "of", lambda *_: None)
    plan = planner.solve(planner.load(INSTANCES / "tiny"), gap=GAP)
    assert plan.objective_musd == pytest.approx(9.75) and plan.plan["without_projects_musd"] is None


def test_a_model_without_a_plan_is_left_to_the_search_of_the_whole(tmp_path):
    tiny = planner.load(INSTANCES / "tiny").without("caps")
    floor = {**cells(tiny.sectors[0]), "min_service": 0.9, "clean_from_year": 2027}  # the line makes 60 t
    _, best, least = both(tiny.with_rows("sectors", floor))
    assert least is None and best.plan is None and best.why == "stalled"


def test_what_all_optional_projects_save_is_told(capsys):
    # README of tiny: 9.75 MUSD with the line; 104.1 without: 100 t from China in 2026, none in 2027 at 1 MUSD a tonne
    tiny = planner.load(INSTANCES / "tiny")
    assert planner.solve(tiny).plan["without_projects_musd"] == pytest.approx(104.1)
    committed = tiny.with_rows("options", {**cells(tiny.options[0]), "min_modules": 1})
    plan = planner.solve(committed)  # nothing is optional, so nothing is saved
    assert plan.plan["without_projects_musd"] == pytest.approx(plan.objective_musd)
    held = planner.solve(tiny, pins=planner.Pins.parse(tiny, forbid=["texas-line"]))
    assert held.plan["without_projects_musd"] is None


def test_an_interrupt_keeps_the_best_plan_so_far_or_says_that_there_is_none(monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(LShaped, "_relax", stop)
    tiny = planner.load(INSTANCES / "tiny")
    plan = planner.solve(tiny, gap=GAP)  # nothing built: 104.1, see above
    assert (plan.status, plan.plan["stopped"]) == ("feasible", "interrupted")
    assert plan.objective_musd == pytest.approx(104.1) and planner.audit(tiny, plan).ok
    committed = tiny.with_rows("options", {**cells(tiny.options[0]), "min_modules": 1})  # so that this is no plan
    with pytest.raises(planner.PlannerError, match="no plan was found before the search ended"):
        planner.solve(committed, gap=GAP)


def test_points_of_a_curve_with_the_planes_of_looser_ones_are_those_of_the_whole_model(monkeypatch, tmp_path):
    """The exact least cost, found without planes, lies between bound and cost: planes of looser limits hold."""
    monkeypatch.setattr(Limited, "_rounded", lambda *_: None)  # else a dive settles most of such small models
    used = 0
    for instance in (four_plants(), *(valid(tmp_path / f"{seed}", seed)[0] for seed in range(24))):
        parts, whole = (Limited(instance, Axis("exposed_share"), Settings(gap=gap), None) for gap in (GAP, 0.0))
        looser = None
        for limit in (1.0, 0.7, 0.4, 0.2, 0.05):
            exact = whole.solve(limit) if len(whole.whole) else None
            if exact is None:
                break
            looser = parts.solve(limit, looser, looser)
            rounding = 1e-6 * max(1.0, abs(exact.cost))
            assert looser.bound - rounding <= exact.cost <= looser.cost + rounding
            assert looser.cost <= exact.cost + GAP * abs(exact.cost) + rounding
            used += looser.planes is not None
    assert used > 20  # instances with lanes that are used or not have no parts


def test_projects_are_explained_by_it_as_by_the_whole_model():
    """Costs without a project, and with one, are those of searches that are proven in the whole model."""
    plan = planner.solve(planner.load(INSTANCES / "tiny"), gap=0.0)
    exact = planner.explain(plan, gap=0.0).projects.set_index("option")
    parts = planner.explain(plan, gap=GAP, projects=9).projects.set_index("option")
    known = exact["value_musd"].notna()
    assert known.any()
    within = GAP * plan.objective_musd + 1e-6
    assert parts["value_musd"][known].to_numpy() == pytest.approx(exact["value_musd"][known].to_numpy(), abs=within)
    free = planner.solve(four_plants(), gap=0.0)  # it builds nothing
    exact, parts = (planner.explain(free, gap=gap, projects=9).projects.set_index("option") for gap in (0.0, GAP))
    known = exact["cost_if_built_musd"].notna()
    assert known.sum() >= 3
    within = GAP * free.objective_musd + 1e-6
    assert parts["cost_if_built_musd"][known].to_numpy() == pytest.approx(
        exact["cost_if_built_musd"][known].to_numpy(), abs=within
    )


def test_without_a_gap_a_large_search_ends_at_a_twentieth_of_what_projects_save(monkeypatch):
    from planner.solving import solver

    monkeypatch.setattr(solver, "PROVEN_UP_TO", 0)
    monkeypatch.setattr(solver, "LARGE_GAP", 0.9)
    told = planner.solve(planner.load(INSTANCES / "tiny")).plan
    cost, without, asked = told["objective_musd"], told["without_projects_musd"], told["settings"]["gap"]
    # the first search may have found a dearer plan, beside which projects save less
    assert 0.0 < asked <= 0.05 * (without - cost) / cost + 1e-6 < 0.9
    assert told["gap"] <= asked
    assert planner.solve(planner.load(INSTANCES / "tiny"), gap=0.9).plan["settings"]["gap"] == 0.9


@pytest.mark.parametrize(
    ("cost", "without", "gap"),
    [
        (1000.0, 1010.0, 0.0005),  # 10 of 1000 at stake: a twentieth of 1 %
        (1000.0, 2000.0, 0.001),  # a twentieth of all would be more than the usual gap
        (1000.0, 1000.0, 0.0002),  # nothing at stake, as far as is known
        (1000.0, float("nan"), 0.001),
    ],
)
def test_the_gap_worth_knowing(cost, without, gap):
    assert search.worth_knowing(0.001, cost, without) == pytest.approx(gap)
