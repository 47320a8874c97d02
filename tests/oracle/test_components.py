"""Linear programmes that fall apart as they are, solved component by component, against one search of the whole."""

import pytest
from drawn import valid
from places import INSTANCES

import planner
from planner.prepare import prepare
from planner.solving import components, search
from planner.solving.compiling import compiled
from planner.solving.components import basis_by_components
from planner.solving.programme import Programme
from planner.solving.solver import Settings

SPLIT = 19  # a seed whose instance falls apart


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small models are split too, and however unequal their components are."""
    monkeypatch.setattr(components, "FEWEST_COLUMNS", 0)
    monkeypatch.setattr(components, "LEAST_COMPONENT", 1)
    monkeypatch.setattr(components, "LARGEST_COMPONENT", 0.99)


def relaxed(instance):
    return compiled(prepare(instance).data).relaxed


def test_the_basis_put_together_is_optimal(tmp_path):
    split = 0
    for seed in range(30):
        instance, *_ = valid(tmp_path / f"{seed}", seed)
        arrays = relaxed(instance)
        whole = Programme(arrays, Settings()).find()
        programme = Programme(arrays, Settings())
        basis = basis_by_components(programme, None)
        if basis is None:
            continue
        split += 1
        programme.basis = basis
        found = programme.find()
        assert found.value == pytest.approx(whole.value, rel=1e-9, abs=1e-9)
        assert programme.highs.getInfo().simplex_iteration_count == 0  # nothing was left to do
    assert split >= 6


def test_a_plan_found_so_is_the_right_plan(monkeypatch):
    # README of tiny: without the cap all magnets come from China, 4.1 MUSD a year
    tiny = planner.load(INSTANCES / "tiny").without("caps")
    asked = []
    monkeypatch.setattr(search, "basis_by_components", lambda *a: asked.append(basis_by_components(*a)) or asked[-1])
    plan = planner.solve(tiny.without("options"))
    assert asked[0] is not None
    assert plan.objective_musd == pytest.approx(8.2) and planner.audit(plan.instance, plan).ok


def test_a_component_without_a_plan_leaves_the_question_to_the_whole(tmp_path):
    instance, *_ = valid(tmp_path / "i", SPLIT)
    arrays = relaxed(instance)
    short = list(arrays.columns["short"].values())
    arrays.col_upper[short] = 0.0
    arrays.col_upper[list(arrays.columns["deliver"].values())] = 0.0
    assert not Programme(arrays, Settings()).find().held
    assert basis_by_components(Programme(arrays, Settings()), None) is None


def test_an_interrupt_stops_the_components(monkeypatch, tmp_path):
    programme, stopped = Programme(relaxed(valid(tmp_path / "i", SPLIT)[0]), Settings()), []

    def interrupted(self, **_):
        self.highs.cancelSolve = lambda: stopped.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Programme, "find", interrupted)
    with pytest.raises(KeyboardInterrupt):
        basis_by_components(programme, None)
    assert stopped
