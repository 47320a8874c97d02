"""Room in a store as an investment, by hand (the instance is that of test_families).

AAA needs 100 t of magnets a year; China sells at 21 thousand USD/t landed in 2030 and 61 in 2031, the home plant makes
60 t at 30. A tonne bought in 2030 for 2031 saves 40 thousand.
"""

from pathlib import Path

import pytest
from test_families import CHINA, HOME, LINE, PILE, SHORT, STOP, base, costs, crisis  # noqa: F401

import planner

DEAR = 0.061  # MUSD/t from China in 2031
TANK = {**LINE, "option": "tank", "name": "Tank", "stockpile": "pile", "module_t": 20, "life_years": 2}
UNSTORED = 100 * CHINA + 60 * HOME + 40 * DEAR
SAVED = 20 * (DEAR - CHINA)  # 0.8 MUSD


@pytest.fixture
def rising(base):  # noqa: F811
    prices = ({"market": "magnet-chn", "year": y, "price_usd_per_t": p} for y, p in ((2030, 20000), (2031, 60000)))
    draft = base(years=(2030, 2031)).without("market_prices", market="magnet-chn").with_rows("market_prices", *prices)
    return draft.with_rows("stockpiles", {**PILE, "max_t": 0})


def test_a_store_is_built_while_it_costs_less_than_it_saves(rising):
    plan = costs(rising.with_rows("options", {**TANK, "capex_musd": 0.7}), UNSTORED - SAVED + 0.7)
    assert plan.tables["builds"]["capacity_t"].tolist() == [20]
    assert plan.tables["stocks"].query("year == 2030")["stock_t"].sum() == pytest.approx(20)
    assert plan.tables["capacity"]["capacity_t"].tolist() == [60, 60]  # the plant has not grown
    costs(rising.with_rows("options", {**TANK, "capex_musd": 0.9}), UNSTORED)


def test_a_store_pays_no_upkeep_of_the_plant_and_adds_to_what_there_is(rising):
    plant = {"facility": "plant", "name": "Plant", "country": "AAA", "status": "operating", "capacity_t": 60}
    draft = rising.with_rows("facilities", {**plant, "fixed_om_usd_per_t": 100})
    draft = draft.with_rows("stockpiles", {**PILE, "max_t": 5}).with_rows("options", {**TANK, "capex_musd": 0.1})
    costs(draft, UNSTORED - 25 * (DEAR - CHINA) + 0.1 + 2 * 60 * 100e-6)


def test_half_a_store_is_built_where_it_is_divisible_and_dear_money_stops_it(rising):
    # what is short of 100 t at 21 thousand is 40 t: more than 40 t in store serve nobody
    draft = rising.with_rows("options", {**TANK, "module_t": 60, "integer": "no", "capex_musd": 0.6})
    plan = costs(draft, UNSTORED - 40 * (DEAR - CHINA) + 0.6 * 40 / 60)
    assert plan.tables["builds"]["modules"].tolist() == pytest.approx([2 / 3])


def test_the_room_holds_in_a_branch_and_under_stress(base):  # noqa: F811
    # a stop of 2031 (0.25): a tonne kept costs 21 thousand, and is worth 0.75 x 21 + 0.25 x 100
    draft = crisis(base(years=(2030, 2031)).with_rows("stockpiles", {**PILE, "max_t": 0}), 2031, 2031, 0.25, STOP)
    bare = 175 * CHINA + 0.25 * (60 * HOME + 40 * SHORT)
    gain = 20 * (0.75 * CHINA + 0.25 * SHORT - CHINA)
    draft = draft.with_rows("options", {**TANK, "capex_musd": 0.3})
    plan = costs(draft, bare - gain + 0.3)
    assert plan.branches["crisis"]["service"]["short_t"].sum() == pytest.approx(20)
    stopped = planner.stress(plan, instance=draft.load(), families=("scenario",))
    assert stopped.cases["unserved_t"].max() == pytest.approx(20)
    assert len(stopped.faults) == 0


def test_a_store_that_may_never_come(rising):
    # half of the outcomes are the plan, half pay for the tank and buy dear
    instance = rising.with_rows("options", {**TANK, "capex_musd": 0.3, "success_probability": 0.5}).load()
    plan = planner.solve(instance)
    outcomes = planner.delivery_risk(plan, samples=8).samples["cost_musd"]
    assert sorted(set(outcomes.round(6))) == pytest.approx([UNSTORED - SAVED + 0.3, UNSTORED + 0.3], rel=3e-7)
    assert outcomes.mean() == pytest.approx(UNSTORED + 0.3 - SAVED / 2, rel=3e-7)


def test_the_best_against_outcomes_leaves_a_store_that_hardly_ever_comes(rising):
    # 0.3 MUSD for a tenth of 0.8
    instance = rising.with_rows("options", {**TANK, "capex_musd": 0.3, "success_probability": 0.1}).load()
    hedged = planner.hedge(instance, outcomes=16, replications=0, trial=0, insurance=0)
    assert hedged.plan.tables["builds"].empty


def test_a_committed_store_counts_for_the_least_content():
    # tiny's 9.75, 200 t of metal at 80 thousand USD a tonne, and the tenth part of 1 MUSD for the room, which is
    # started in 2027, as the tonnes are needed at the end only
    plan = planner.solve(planner.load(Path(__file__).parents[1] / "defects" / "store_room_option"))
    assert plan.objective_musd == pytest.approx(9.75 + 200 * 0.08 + 0.1)
    assert plan.instance.warnings == ()
