"""The linear relaxation: a bound below every plan, with fractions of modules, that the audit recomputes."""

import pytest
from drawn import valid
from places import INSTANCES

import planner
from planner.errors import PlannerError, UsageError


@pytest.mark.parametrize("seed", range(40, 60))
def test_it_costs_no_more_than_any_plan_and_as_much_as_parts_of_modules(tmp_path, seed):
    instance, *_ = valid(tmp_path / "i", seed)
    instance = instance.changed(without={"option_sizes": {}}) if instance.option_sizes else instance
    try:
        bound = planner.solve(instance, relax=True)  # and audits it
    except PlannerError as error:
        assert error.exit_code == 3
        with pytest.raises(PlannerError):
            planner.solve(instance)
        return
    try:
        plan = planner.solve(instance, gap=0.0)
    except PlannerError as error:
        assert error.exit_code == 3
    else:
        assert bound.objective_musd <= plan.objective_musd + 1e-6 * abs(plan.objective_musd)
    if instance.options and not instance.groups and not any(o.exclusive_group for o in instance.options):
        divisible = planner.solve(instance.what_if("set options.integer=no"), gap=0.0)
        assert bound.objective_musd == pytest.approx(divisible.objective_musd, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("name", ["tiny", "lead-and-ramp"])
def test_without_choices_it_is_the_plan_of_divisible_modules(name):
    instance = planner.load(INSTANCES / name)
    bound = planner.solve(instance, relax=True)
    divisible = planner.solve(instance.what_if("set options.integer=no"), gap=0.0)
    assert bound.objective_musd == pytest.approx(divisible.objective_musd, rel=1e-9)
    assert name != "tiny" or any(n != round(n) for n in bound.builds.values())
    assert "no plan of whole modules costs less" in bound.plan["notes"][0]


def test_a_relaxation_is_not_held_and_a_fraction_in_a_plan_is_still_a_fault(tmp_path):
    instance = planner.load(INSTANCES / "tiny")
    bound = planner.solve(instance, relax=True)
    with pytest.raises(UsageError, match="the run is a linear relaxation"):
        planner.Pins.of(instance, bound)
    with pytest.raises(UsageError, match="no plan that could be explained"):
        planner.explain(bound)
    assert "linear relaxation: a bound" in " ".join(planner.compare(planner.solve(instance), bound).notes)
    assert "This is the linear relaxation" in planner.report(bound)
    with pytest.raises(UsageError, match="only for the least cost"):
        planner.solve(instance, relax=True, objective="exposure", slack=0.1)
    del bound.plan["settings"]["relaxed"]
    assert {check.kind for check in planner.audit(instance, bound).checks if not check.ok} == {"build_modules"}
