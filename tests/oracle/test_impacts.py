"""Impacts in small chains whose cost is derived by hand; the chain is that of test_families.

AAA needs 100 t of magnets a year: from China at 21 000 USD/t, pressed at home at 30 000 (at most 60 t), short at
100 000.
"""

import pytest
from test_families import CARS, CHINA, HOME, LINE, PLANT, SHORT, STOP, base, costs, crisis  # noqa: F401

import planner

CO2 = {"impact": "co2", "name": "Emissions", "unit": "t CO2"}
JOBS = {"impact": "jobs", "name": "Jobs", "unit": "persons"}
CAP = {"cap": "air", "metric": "impact", "impact": "co2"}


def causing(draft, impact, *factors):
    draft = draft.with_rows("impacts", impact)
    return draft.with_rows("impact_factors", *({"impact": impact["impact"], **factor} for factor in factors))


def test_all_rows_that_match_add_up(base):  # noqa: F811
    # any operation 2, of the plant 3 more, pressing 1 less: 4 a tonne; moving 0.5, and what is bought in China 7
    i = causing(
        base(), {**CO2, "price_usd_per_unit": 100},
        {"kind": "operation", "per_t": 2}, {"kind": "operation", "facility": "plant", "per_t": 3},
        {"kind": "operation", "process": "press", "per_t": -1}, {"kind": "lane", "per_t": 0.5},
        {"kind": "purchase", "market": "magnet-chn", "per_t": 7},
    )  # fmt: skip
    plan = costs(i, 100 * (CHINA + 7.5 * 100e-6))
    rows = plan.tables["impact_totals"]
    assert rows.loc[rows["units"] > 1e-2, ["kind", "country", "units"]].values.tolist() == [
        ["lane", "AAA", pytest.approx(50, rel=1e-5)], ["purchase", "CHN", pytest.approx(700, rel=1e-5)],
    ]  # fmt: skip
    # a price at which home is cheaper: 9 000 / 3.5 = 2 571 USD a unit
    dear = i.with_rows("impacts", {**CO2, "price_usd_per_unit": 2600})
    costs(dear, 40 * (CHINA + 7.5 * 2600e-6) + 60 * (HOME + 4 * 2600e-6))


def test_a_credit_makes_it_worthwhile_to_run_for_nothing(base):  # noqa: F811
    # a burner uses metal at 10 000 USD/t and makes nothing that is needed; its credit of 60 units at 200 USD pays
    i = causing(base(), {**CO2, "price_usd_per_unit": 200}, {"kind": "operation", "facility": "burner", "per_t": -60})
    i = i.with_rows("processes", {"process": "burn", "name": "Burn"})
    i = i.with_rows("recipes", {"process": "burn", "material": "metal", "role": "input", "t_per_t": 1})
    i = i.with_rows("facilities", {**PLANT, "facility": "burner", "name": "Burner", "capacity_t": 25})
    i = i.with_rows("operations", {"facility": "burner", "process": "burn", "opex_usd_per_t": 0})
    costs(i, 100 * CHINA - 25 * (0.012 - 0.010))
    # under a cap it pays without a price: each tonne burnt makes room for 60 units
    capped = i.with_rows("impacts", CO2).with_rows("impact_factors", {"impact": "co2", "kind": "lane", "per_t": 20})
    capped = capped.with_rows("caps", {**CAP, "limit": 800})
    # 20 e - 60 b <= 800 with e = 100: b = 20 t of metal
    costs(capped, 100 * CHINA + 20 * 0.010)


def test_a_credit_on_what_is_bought_makes_it_worthwhile_to_use_it_up(base):  # noqa: F811
    # metal may be pressed only into magnets that are needed; melted to slag, it uses up what earns 15 000 when bought
    i = causing(base(), {**CO2, "price_usd_per_unit": 1000}, {"kind": "purchase", "market": "metal-aaa", "per_t": -15})
    i = i.with_rows("materials", {"material": "slag", "name": "Slag"})
    i = i.with_rows("processes", {"process": "melt", "name": "Melt"})
    i = i.with_rows(
        "recipes",
        {"process": "melt", "material": "metal", "role": "input", "t_per_t": 1},
        {"process": "melt", "material": "slag", "role": "output", "t_per_t": 1},
    )
    i = i.with_rows("facilities", {**PLANT, "facility": "melter", "name": "Melter", "capacity_t": 10})
    i = i.with_rows("operations", {"facility": "melter", "process": "melt", "opex_usd_per_t": 1000})
    # home's magnets then cost 15 000: 60 t; melting earns 4 000 a tonne
    costs(i, 60 * 0.015 + 40 * CHINA - 10 * 0.004)


def test_a_floor_asks_for_the_least_and_a_point_is_a_unit(base):  # noqa: F811
    # 0.5 persons a tonne pressed: 20 persons are 40 t
    i = causing(base(), JOBS, {"kind": "operation", "per_t": 0.5})
    i = i.with_rows("caps", {"cap": "work", "metric": "impact", "impact": "jobs", "sense": "min", "limit": 20})
    plan = costs(i, 40 * HOME + 60 * CHINA)
    row = plan.tables["dependence"].query("cap == 'work'").iloc[0]
    assert (row["share"], row["limit"]) == (pytest.approx(20), 20)
    assert row["marginal_musd_per_point"] == pytest.approx(2 * (HOME - CHINA))
    binding = planner.explain(plan).binding.query("name == 'work'").iloc[0]
    assert (binding["kind"], binding["unit"]) == ("impact_floor", "unit")
    assert binding["saves_musd"] == pytest.approx(2 * (HOME - CHINA)) and "at least 20 persons" in binding["says"]
    assert "a unit less" in str(planner.explain(plan))


def test_what_building_causes_is_spread_over_its_period_and_counts_in_its_cap(base):  # noqa: F811
    # a line of 40 t for nothing: 3 units a tonne of nameplate, 120 in all, 60 a year in the period of two years
    line = {**LINE, "option": "line", "name": "Line", "module_t": 40, "max_modules": 1, "capex_musd": 0}
    i = base(years=(2030, 2032), last=1, rate=0.1).with_rows("options", line)
    i = i.without("lanes", material="magnet")
    i = causing(i, {**CO2, "price_usd_per_unit": 1000}, {"kind": "build", "option": "line", "per_t": 3})
    years = 1 + 1 / 1.1 + 1 / 1.21
    plan = costs(i, 100 * HOME * years + 60 * 0.001 * (1 + 1 / 1.1))
    assert plan.tables["impact_totals"].values.tolist() == [
        ["co2", "build", "AAA", 2030, pytest.approx(60), pytest.approx(0.06)]
    ]
    # with 59 a year it cannot be started in 2030; in 2032 the year has all 120
    late = i.with_rows("impacts", CO2).with_rows("caps", {**CAP, "limit": 59, "last_year": 2031})
    costs(late, (60 * HOME + 40 * SHORT) * (1 + 1 / 1.1) + 100 * HOME / 1.21)
    committed = late.with_rows("options", {**line, "min_modules": 1, "last_start": 2030})
    with pytest.raises(planner.PlannerError, match=r"cap air: impact co2 at most 59 t CO2") as caught:
        planner.solve(committed.load())
    assert "limit 59 -> 60 (1 t CO2)" in str(caught.value)


def test_the_least_relaxation_of_a_floor_out_of_reach_is_enough(base):  # noqa: F811
    # 60 t at home give 30 persons
    i = causing(base(), JOBS, {"kind": "operation", "per_t": 0.5})
    i = i.with_rows("caps", {"cap": "work", "metric": "impact", "impact": "jobs", "sense": "min", "limit": 45}).load()
    found = planner.diagnose(i)
    assert "limit 45 -> 30 (15 persons)" in str(found)
    assert planner.solve(i.with_rows("caps", {"cap": "work", "metric": "impact", "impact": "jobs", "sense": "min",
                                              "limit": 30})).status == "optimal"  # fmt: skip


def test_in_a_branch_caps_hold_after_the_disruption_and_floors_in_none(base):  # noqa: F811
    # co2: 20 a tonne moved, at most 1 600: 80 t from China, 20 t from home; jobs: 30 t from home in the plan
    i = causing(base(years=(2030, 2031)), CO2, {"kind": "lane", "per_t": 20})
    i = causing(i, JOBS, {"kind": "operation", "per_t": 1}).with_rows("caps", {**CAP, "limit": 1600})
    i = i.with_rows("caps", {"cap": "work", "metric": "impact", "impact": "jobs", "sense": "min", "limit": 30})
    i = crisis(i, 2030, 2030, 0.25, {"kind": "demand_surge", "country": "AAA", "fraction": 0.1})
    plan = 70 * CHINA + 30 * HOME
    # in the surge all 110 t come from China; a year later the cap holds again, the floor does not
    solved = costs(i, 0.75 * 2 * plan + 0.25 * (110 * CHINA + 80 * CHINA + 20 * HOME))
    tested = planner.stress(solved, families=("scenario",))
    assert tested.faults == {} and set(tested.cases["status"]) == {"optimal"}


def test_a_frontier_limits_an_impact_in_its_own_units(base):  # noqa: F811
    # from China 20, from home 5: from 2 000 down to 300 + 40 x 20 = 1 100 at 600 USD a unit, then shortage
    i = causing(base(), CO2, {"kind": "lane", "per_t": 20}, {"kind": "operation", "per_t": 5}).load()
    curve = planner.frontier(i, metric="impact:co2", points=5)
    table = curve.table
    assert table["limit"].iloc[0] == pytest.approx(2000) and table["limit"].iloc[-1] == pytest.approx(0, abs=1e-3)
    assert table["objective_musd"].iloc[0] == pytest.approx(100 * CHINA)
    between = table[(table["limit"] > 1101) & (table["limit"] < 1999)]
    assert between["marginal_musd_per_point"].tolist() == pytest.approx([(HOME - CHINA) / 15] * len(between))
    point = int(between["point"].iloc[0]) if len(between) else 2
    at = float(table.loc[table["point"] == point, "limit"].iloc[0])
    assert curve.plan(point).tables["impact_totals"]["units"].sum() == pytest.approx(at, rel=1e-6)
    assert "impact:co2" in str(curve) and planner.report(planner.solve(i), [curve])
    for wrong in ("impact", "impact:co", "impact:co2:x"):
        with pytest.raises(planner.PlannerError, match="impact"):
            planner.frontier(i, metric=wrong)


def test_projects_that_fail_leave_what_building_them_caused(base):  # noqa: F811
    # two lines of 20 t, 1 unit a tonne of nameplate each: 40 of the 50 units are gone, 10 are left for 20 t moved
    line = {**LINE, "option": "line", "name": "Line", "module_t": 20, "max_modules": 2, "capex_musd": 0.01,
            "success_probability": 0.5}  # fmt: skip
    i = causing(base(), CO2, {"kind": "build", "per_t": 1}, {"kind": "lane", "per_t": 0.5})
    i = i.with_rows("options", line).with_rows("caps", {**CAP, "limit": 50})
    i = i.with_rows("options", {**line, "min_modules": 2})
    plan = costs(i, 20 * CHINA + 80 * HOME + 2 * 0.001)
    risk = planner.delivery_risk(plan, samples=8, workers=1)
    short = sorted(set(risk.samples["short_t"].round(6)))
    assert short == [0.0, 20.0]  # where they fail 60 t come from home and 20 t from China
    assert not risk.samples["promise_broken"].any()
    assert planner.hedge(i.load(), outcomes=4, trial=8, replications=2).plan.status in ("optimal", "feasible")


def test_the_limit_of_a_share_stays_below_one(base):  # noqa: F811
    wrong = base().with_rows("caps", {"cap": "c", "metric": "exposed_share", "limit": 1.5})
    with pytest.raises(planner.InstanceError, match="out of range, expected 0 to 1 for exposed_share"):
        wrong.load()
