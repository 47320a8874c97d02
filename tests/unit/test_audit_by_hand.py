"""The audit passes plans written by hand (tests/cases/README.md has the derivations)."""

from pathlib import Path

import pytest
from audit_runs import hand_run

import planner

CASES = Path(__file__).parents[1] / "cases"


def case(number):
    return planner.load(next(CASES.glob(f"{number}_*")) / "instance")


def annual(years, *values):
    return dict(zip(years, values, strict=True))


def lead_ramp_life_annuity():
    years = range(2027, 2030)
    made = annual(years, 50.0, 100.0, 100.0)
    annuity = 10 * 0.08 / (1 - 1.08**-3)
    return hand_run(
        instance := case("01"),
        {
            "builds": [("unit", "plant", "AAA", 2026, 2027, 1.0, 100.0, 10.0)],
            "capacity": [("plant", "AAA", y, t, t) for y, t in made.items()],
            "activity": [("plant", "make", "AAA", "clean", "clean", y, t) for y, t in made.items()],
            "service": [
                ("AAA", "all", "magnet", y, 100.0, made.get(y, 0.0), 0.0, 100.0 - made.get(y, 0.0))
                for y in instance.years
            ],
        },
        costs={
            "capex": dict.fromkeys(years, annuity),
            "fixed_om": {y: 500 * t / 1e6 for y, t in made.items()},
            "opex": {y: 1000 * t / 1e6 for y, t in made.items()},
            "shortage": {2026: 100.0, 2027: 50.0, 2030: 100.0, 2031: 100.0},
        },
        exposed=dict.fromkeys(years, 0.0),
        stages={"magnet": dict.fromkeys(years, 0.0)},
        materials={"magnet": dict.fromkeys(years, 0.0)},
    )


def exposed_cap_with_downgrade():
    return hand_run(
        case("03"),
        {
            "capacity": [("plant", "AAA", 2026, 500.0, 100.0)],
            "activity": [
                ("plant", "make", "AAA", "clean", "clean", 2026, 60.0),
                ("plant", "make", "AAA", "exposed", "exposed", 2026, 40.0),
            ],
            "flows": [("alloy", "CHN", "AAA", "exposed", 2026, 40.0, 0.004, 0.0)],
            "purchases": [
                ("cheap", "CHN", "alloy", "exposed", 2026, 40.0, 0.2),
                ("dear", "AAA", "alloy", "clean", 2026, 60.0, 1.2),
                ("dy", "AAA", "dy", "clean", 2026, 10.0, 1.0),
            ],
            "adjustments": [("downgrade", "dy", "AAA", "clean", 2026, 4.0)],
            "service": [("AAA", "all", "magnet", 2026, 100.0, 60.0, 40.0, 0.0)],
            "dependence": [("traced", "exposed_share", "", "", "", "", 2026, 0.4, 0.4, 0.0149)],
        },
        costs={"opex": {2026: 0.1}, "freight": {2026: 0.004}, "purchase": {2026: 2.4}},
        exposed={2026: 0.4},
        stages={"metal": {2026: 40 / 110}, "magnet": {2026: 0.0}},
        materials={"alloy": {2026: 0.4}, "dy": {2026: 0.0}, "magnet": {2026: 0.0}},
    )


def funding_limit():
    return hand_run(
        instance := case("09"),
        {
            "builds": [("unit", "plant", "AAA", 2026, 2028, 1.4, 70.0, 140.0)],
            "capacity": [("plant", "AAA", y, 70.0, 70.0) for y in (2028, 2029)],
            "activity": [("plant", "make", "AAA", "clean", "clean", y, 70.0) for y in (2028, 2029)],
            "service": [
                ("AAA", "all", "magnet", y, 100.0, t, 0.0, 100.0 - t)
                for y, t in annual(instance.years, 0.0, 0.0, 70.0, 70.0).items()
            ],
            "funding": [  # 70 in each year; A pays in 2026 only
                ("unit", "a", 2026, 60.0),
                ("unit", "b", 2027, 50.0),
                ("unit", "private", 2026, 10.0),
                ("unit", "private", 2027, 20.0),
            ],
        },
        costs={
            "capex": {2028: 14.0, 2029: 14.0},
            "shortage": annual(instance.years, 100.0, 100.0, 30.0, 30.0),
        },
        exposed={2028: 0.0, 2029: 0.0},
        stages={"magnet": {2028: 0.0, 2029: 0.0}},
        materials={"magnet": {2028: 0.0, 2029: 0.0}},
    )


def no_transit():
    return hand_run(
        case("13"),
        {
            "capacity": [("b", "BBB", 2026, 30.0, 30.0)],
            "activity": [("b", "make", "BBB", "clean", "clean", 2026, 30.0)],
            "flows": [
                ("magnet", "BBB", "AAA", "clean", 2026, 30.0, 0.0003, 0.0),
                ("magnet", "CHN", "AAA", "exposed", 2026, 70.0, 0.0007, 0.175),
                ("magnet", "CHN", "BBB", "exposed", 2026, 20.0, 0.0002, 0.0),
            ],
            "purchases": [("m", "CHN", "magnet", "exposed", 2026, 90.0, 0.9)],
            "service": [
                ("AAA", "all", "magnet", 2026, 100.0, 30.0, 70.0, 0.0),
                ("BBB", "all", "magnet", 2026, 20.0, 0.0, 20.0, 0.0),
            ],
        },
        costs={
            "opex": {2026: 0.33},
            "freight": {2026: 0.0012},
            "tariff": {2026: 0.175},
            "purchase": {2026: 0.9},
        },
        exposed={2026: 0.75},
        stages={"magnet": {2026: 0.75}},
        materials={"magnet": {2026: 0.75}},
    )


def project_failure():
    instance = case("17")
    made = annual(instance.years, 40.0, 40.0, 100.0, 100.0)
    left = {2027: 40.0, 2028: 80.0, 2029: 80.0}  # 40 + half of 60 + 10 of its own

    def operations(tonnes):
        return {
            "activity": [("plant", "make", "AAA", "clean", "clean", y, t) for y, t in tonnes.items()],
            "service": [("AAA", "all", "magnet", y, 100.0, t, 0.0, 100.0 - t) for y, t in tonnes.items()],
        }

    return hand_run(
        instance,
        {
            "builds": [
                ("early", "plant", "AAA", 2026, 2026, 1.0, 40.0, 10.0),
                ("late", "plant", "AAA", 2026, 2028, 1.0, 60.0, 20.0),
            ],
            "capacity": [
                ("plant", "AAA", 2026, 40.0, 40.0),
                ("plant", "AAA", 2027, 40.0, 40.0),
                ("plant", "AAA", 2028, 110.0, 100.0),
                ("plant", "AAA", 2029, 110.0, 100.0),
            ],
            **operations(made),
        },
        costs={
            "capex": annual(instance.years, 1.0, 1.0, 3.0, 3.0),
            "fixed_om": annual(instance.years, 0.04, 0.04, 0.11, 0.11),
            "shortage": annual(instance.years, 6.0, 6.0, 0.25 * 2.0, 0.25 * 2.0),
        },
        exposed=dict.fromkeys(instance.years, 0.0),
        stages={"magnet": dict.fromkeys(instance.years, 0.0)},
        materials={"magnet": dict.fromkeys(instance.years, 0.0)},
        branches={"fail": operations(left)},
    )


def min_use_and_early_ramp():
    instance = case("20")
    bought = annual(instance.years, 75.0, 62.5, 100.0)

    def operations(tonnes):
        return {
            "activity": [
                ("plant", "make", "AAA", "clean", "clean", y, 100.0 - t) for y, t in tonnes.items() if t < 100.0
            ],
            "purchases": [("spot", "AAA", "magnet", "clean", y, t, t / 100) for y, t in tonnes.items()],
            "service": [("AAA", "all", "magnet", y, 100.0, 100.0, 0.0, 0.0) for y in tonnes],
        }

    return hand_run(
        instance,
        {
            "capacity": [
                ("plant", "AAA", 2026, 50.0, 25.0),
                ("plant", "AAA", 2027, 75.0, 37.5),
                ("plant", "AAA", 2028, 100.0, 0.0),
            ],
            **operations(bought),
        },
        costs={
            "fixed_om": annual(instance.years, 0.005, 0.0075, 0.01),
            "opex": {2026: 0.5, 2027: 0.8 * 0.75},
            "purchase": annual(instance.years, 0.75, 0.8 * 0.625 + 0.2 * 1.0, 1.0),
        },
        exposed=dict.fromkeys(instance.years, 0.0),
        stages={"magnet": dict.fromkeys(instance.years, 0.0)},
        materials={"magnet": dict.fromkeys(instance.years, 0.0)},
        branches={"s": operations({2027: 100.0, 2028: 100.0})},
    )


def import_share():
    return hand_run(
        case("22"),
        {
            "capacity": [
                ("melter", "BBB", 2026, 500.0, 105.0),
                ("press_a", "AAA", 2026, 500.0, 100.0),
                ("press_b", "BBB", 2026, 500.0, 50.0),
            ],
            "activity": [
                ("melter", "melt", "BBB", "clean", "clean", 2026, 105.0),
                ("press_a", "press", "AAA", "clean", "clean", 2026, 80.0),
                ("press_a", "press", "AAA", "exposed", "exposed", 2026, 20.0),
                ("press_b", "press", "BBB", "clean", "clean", 2026, 25.0),
                ("press_b", "press", "BBB", "exposed", "exposed", 2026, 25.0),
            ],
            "flows": [
                ("alloy", "BBB", "AAA", "clean", 2026, 80.0, 0.08, 0.0),
                ("alloy", "CHN", "AAA", "exposed", 2026, 20.0, 0.02, 0.0),
                ("alloy", "CHN", "BBB", "exposed", 2026, 25.0, 0.025, 0.0),
            ],
            "purchases": [("chn", "CHN", "alloy", "exposed", 2026, 45.0, 0.45)],
            "service": [
                ("AAA", "all", "magnet", 2026, 100.0, 80.0, 20.0, 0.0),
                ("BBB", "all", "magnet", 2026, 50.0, 25.0, 25.0, 0.0),
            ],
            "dependence": [
                ("bloc", "import_share", "metal", "", "EUR", "", 2026, 0.3, 0.3, 0.0135),
                ("member", "import_share", "", "alloy", "AAA", "", 2026, 0.2, 0.2, 0.001),
            ],
        },
        costs={"opex": {2026: 2.1}, "freight": {2026: 0.125}, "purchase": {2026: 0.45}},
        exposed={2026: 0.3},
        stages={"metal": {2026: 0.3}, "magnet": {2026: 0.0}},
        materials={"alloy": {2026: 0.3}, "magnet": {2026: 0.0}},
    )


PLANS = {
    "01": (lead_ramp_life_annuity, 319.14608540),
    "03": (exposed_cap_with_downgrade, 2.504),
    "09": (funding_limit, 288.0),
    "13": (no_transit, 1.4062),
    "17": (project_failure, 21.3),
    "20": (min_use_and_early_ramp, 3.5725),
    "22": (import_share, 2.675),
}


@pytest.mark.parametrize("number", PLANS)
def test_a_plan_written_by_hand_holds(number):
    write, objective = PLANS[number]
    run = write()
    assert run.plan["objective_musd"] == pytest.approx(objective, rel=1e-9)
    report = planner.audit(case(number), run)
    assert report.ok, str(report)


def test_more_transit_than_was_made_is_no_plan():
    # 10 t more from China to B, and 10 t of it on to A, would save 10 t of duty: 0.025 M less freight
    run = no_transit()
    run.tables["flows"]["t"] = [40.0, 60.0, 30.0]
    run.tables["service"].loc[0, ["clean_t", "exposed_t"]] = [30.0, 70.0]
    transit = planner.audit(case("13"), run).check("transit")
    assert not transit.ok
    assert transit.absolute == pytest.approx(10.0)
    assert transit.where == "magnet clean in BBB 2026"


def test_a_failed_project_counts_in_its_branch_only():
    run = project_failure()
    run.branches["fail"]["activity"]["activity_t"] = [40.0, 100.0, 100.0]
    limit = planner.audit(case("17"), run).check("capacity_limit")
    assert (limit.failed, limit.absolute) == (2, pytest.approx(20.0))
    assert limit.where == "branch fail, facility plant 2028"
