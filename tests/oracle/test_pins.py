"""Builds held by the user: forced, forbidden, or as in another run."""

from pathlib import Path

import pytest

import planner
from planner.errors import Infeasible, UsageError

INSTANCES = Path(__file__).parents[2] / "instances"


@pytest.fixture(scope="module")
def ramp():
    return planner.load(INSTANCES / "lead-and-ramp")


@pytest.fixture(scope="module")
def best(ramp):
    return planner.solve(ramp)


def builds(plan):
    return {(r.option, r.start_year): r.modules for r in plan.tables["builds"].itertuples()}


def test_holding_all_builds_of_the_best_plan_costs_nothing(ramp, best):
    held = planner.solve(ramp, pins=planner.Pins.of(ramp, best))
    assert held.objective_musd == pytest.approx(best.objective_musd, rel=1e-9)
    assert builds(held) == builds(best)


def test_forbidding_what_the_best_plan_builds_costs_more_and_is_kept(ramp, best):
    option = next(iter(builds(best)))[0]
    without = planner.solve(ramp, pins=planner.Pins.parse(ramp, forbid=[option]))
    assert option not in {o for o, _ in builds(without)}
    assert without.objective_musd >= best.objective_musd
    assert without.plan["settings"]["pins"]["forbid"] == [option]


def test_forced_starts_are_started_even_when_they_lose_money(ramp, best):
    for option, year in {(o.option, y) for o in ramp.options for y in ramp.years}:
        try:
            plan = planner.solve(ramp, pins=planner.Pins.parse(ramp, force=[f"{option}@{year}"]))
        except (UsageError, Infeasible):
            continue
        assert builds(plan)[option, year] >= 1
        assert plan.objective_musd >= best.objective_musd - 1e-9 * abs(best.objective_musd)


def test_compare_shows_what_a_choice_costs_and_that_it_was_held(ramp, best):
    # README of lead-and-ramp: with the line 35.1 MUSD, without it 5 years x 90 t at 100 000 USD/t
    without = planner.solve(ramp, pins=planner.Pins.parse(ramp, forbid=["narva-1"]))
    compared = planner.compare(best, without, names=["free", "mine"])
    cost = compared.totals.set_index("quantity").loc["cost"]
    assert (cost["free"], cost["mine"], cost["change"]) == pytest.approx((35.1, 45.0, 9.9))
    assert "mine was solved with builds held: --forbid narva-1" in str(compared)


def test_only_some_years_of_a_run_are_held(ramp, best):
    first = min(y for _, y in builds(best))
    pins = planner.Pins.of(ramp, best, years=(first, first))
    assert {y for _, y in pins.fixed} == {first}


@pytest.mark.parametrize(
    ("force", "forbid", "says"),
    [
        (["nothing@2026"], [], "unknown option nothing"),
        (["half-a-name"], [], "expected OPTION@YEAR"),
        ([], ["nothing"], "unknown option nothing"),
    ],
)
def test_bad_pins_name_what_is_wrong(ramp, force, forbid, says):
    with pytest.raises(UsageError, match=says):
        planner.Pins.parse(ramp, force, forbid)


def test_impossible_starts_name_the_possible_ones():
    tiny = planner.load(INSTANCES / "tiny")
    with pytest.raises(UsageError, match=r"texas-line cannot be started in 2027; possible: 2026$"):
        planner.solve(tiny, pins=planner.Pins.parse(tiny, force=["texas-line@2027"]))
    with pytest.raises(UsageError, match="at most 1 modules can be started, not 5"):
        planner.solve(tiny, pins=planner.Pins.parse(tiny, force=["texas-line@2026:5"]))
    with pytest.raises(UsageError, match=r"it comes in whole modules, not 0\.5"):
        planner.solve(tiny, pins=planner.Pins.parse(tiny, force=["texas-line@2026:0.5"]))
    with pytest.raises(UsageError, match="both forbidden and held"):
        planner.solve(tiny, pins=planner.Pins.parse(tiny, ["texas-line@2026"], ["texas-line"]))
