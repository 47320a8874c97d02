"""A second solver, SCIP, on the exported model: the same optimum, in whatever units the instance is written."""

from dataclasses import replace
from pathlib import Path

import pytest
from drawn import valid

import planner
from planner.solving.programme import Programme
from planner.solving.solver import Settings

INSTANCES = Path(__file__).parents[2] / "instances"
SCALED = Path(__file__).parents[1] / "defects" / "scale_small"

pyscipopt = pytest.importorskip("pyscipopt")


def by_scip(instance, file):
    """Least present cost, MUSD, by SCIP; None if it finds that there is no plan."""
    arrays = Programme.of(instance, Settings()).arrays
    Programme(replace(arrays, offset=0.0), Settings()).write_model(file)  # how a constant is read differs
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(file))
    model.optimize()
    return None if model.getStatus() == "infeasible" else model.getObjVal() + arrays.offset


def by_highs(instance):
    try:
        return planner.solve(instance, gap=0).objective_musd
    except planner.PlannerError as error:
        assert error.exit_code == 3
        return None


@pytest.mark.parametrize("name", ["tiny", "traced-cap", "lead-and-ramp", "stock-cover"])
def test_shipped_instances(tmp_path, name):
    instance = planner.load(INSTANCES / name)
    assert by_highs(instance) == pytest.approx(by_scip(instance, tmp_path / "m.mps"), rel=1e-6)


@pytest.mark.parametrize("seed", range(20, 32))
def test_drawn_instances(tmp_path, seed):
    instance, _, _ = valid(tmp_path / "drawn", seed)
    ours, theirs = by_highs(instance), by_scip(instance, tmp_path / "m.mps")
    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6)


def test_tonnages_of_a_billion_are_solved_to_the_optimum():
    """Called "proven optimal" at 450,697,829 MUSD once; CBC, SCIP and an independent program find 342,414,988."""
    plan = planner.solve(planner.load(SCALED))
    assert plan.objective_musd == pytest.approx(342_414_988, rel=1e-7)
    assert plan.status == "optimal"
