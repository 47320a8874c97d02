"""The cases of the contract, derived by hand (tests/cases/README.md): every number of expected.json."""

import json
from pathlib import Path

import pytest

import planner

CASES = sorted((Path(__file__).parents[1] / "cases").glob("*/expected.json"))
NAMES = [path.parent.name for path in CASES]


def close(value, expected):
    if expected is None or value is None:
        return value is expected
    return abs(value - expected) <= 2e-6 * max(1.0, abs(expected))


@pytest.mark.parametrize("path", CASES, ids=NAMES)
def test_case_agrees_with_the_derivation(path):
    expected = json.loads(path.read_text())
    instance = planner.load(path.parent / "instance")
    if expected["status"] == "infeasible":
        with pytest.raises(planner.PlannerError) as caught:
            planner.solve(instance)
        assert caught.value.exit_code == 3
        assert "min_service of sector all: magnet in AAA, 2027" in str(caught.value)
        return
    plan = planner.solve(instance)
    assert plan.status == "optimal"
    assert plan.objective_musd == pytest.approx(expected["objective_musd"], rel=3e-7)
    metrics = plan.metrics
    for name in ("exposed_share", "short_t", "demand_t"):
        for year, value in expected[name].items():
            assert close(metrics[name][year], value), (name, year)
    for stage, by_year in expected["stage_share"].items():
        for year, value in by_year.items():
            assert close(metrics["stage_share"][stage][year], value), (stage, year)
    for component, value in metrics["cost_musd"].items():
        assert close(value, expected["cost_musd"].get(component, 0.0)), component
    assert close(metrics["capex_musd"], expected["capex_musd"])
    builds = [
        {"option": r.option, "start_year": r.start_year, "modules": pytest.approx(r.modules)}
        for r in plan.tables["builds"].itertuples()
    ]
    assert builds == expected["builds"]
    dependence = plan.tables["dependence"]
    for cap in expected["caps"]:
        rows = dependence[
            (dependence["cap"] == cap["cap"])
            & (dependence["country"] == cap["country"])
            & (dependence["year"] == cap["year"])
        ]
        assert len(rows) == 1
        assert close(float(rows["share"].iloc[0]), cap["share"])
        assert close(float(rows["limit"].iloc[0]), cap["limit"])
        assert close(float(rows["marginal_musd_per_point"].iloc[0]), cap["musd_per_point"])
    funding = plan.tables["funding"]
    assert close(float(funding.loc[funding["source"] != "private", "musd"].sum()), expected["public_musd"])
