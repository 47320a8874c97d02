"""The small shipped instances against the arithmetic of their READMEs."""

from pathlib import Path

import pytest

import planner

INSTANCES = Path(__file__).parents[2] / "instances"


def test_tiny_costs_what_its_readme_derives():
    plan = planner.solve(planner.load(INSTANCES / "tiny"))
    china, texas = 40_000 + 1_000, 0.5 * 80_000 + 20_000
    expected = (100 * china + 50 * china + 50 * texas) / 1e6 + 6 / 10
    assert plan.objective_musd == pytest.approx(expected, rel=3e-7)
    assert plan.metrics["exposed_share"]["2027"] == pytest.approx(0.5, abs=1e-5)
    capped = plan.tables["dependence"].query("cap == 'half'")
    assert capped["marginal_musd_per_point"].iloc[0] == pytest.approx((texas - china) / 1e6)


def test_a_stage_cap_is_met_while_everything_is_chinese():
    instance = planner.load(INSTANCES / "traced-cap")
    plan = planner.solve(instance)
    assert plan.objective_musd == pytest.approx(100 * (25_000 + 0.5 * 60_000) / 1e6)
    assert plan.metrics["stage_share"]["magnet"]["2030"] == 0.0
    assert plan.metrics["exposed_share"]["2030"] == pytest.approx(1.0, abs=1e-5)


def test_the_traced_cap_costs_1_6_musd_more():
    instance = planner.load(INSTANCES / "traced-cap").with_rows(
        "caps", {"cap": "traced", "metric": "exposed_share", "limit": 0.2}
    )
    plan = planner.solve(instance)
    assert plan.objective_musd == pytest.approx((80 * 75_000 + 20 * 55_000) / 1e6, rel=3e-7)


def test_lead_and_ramp():
    plan = planner.solve(planner.load(INSTANCES / "lead-and-ramp"))
    assert plan.objective_musd == pytest.approx(27 + 5.4 + 2.7)
    assert plan.tables["builds"]["online_year"].tolist() == [2028]
    assert plan.tables["capacity"]["capacity_t"].tolist() == pytest.approx([30, 60, 90])


def test_stock_cover():
    plan = planner.solve(planner.load(INSTANCES / "stock-cover"))
    assert plan.objective_musd == pytest.approx(5.0 + 0.06 + 4.2)
    assert plan.metrics["cost_musd"]["holding"] == pytest.approx(0.06)
