"""Floors on shares against arithmetic done by hand.

The instance and its costs are those of test_families.py; magnets are also sold at home, at 10 000 USD/t, so that only a
floor makes anybody buy in China at 21 000.
"""

import pytest
from test_families import CARS, CHINA, LANE, SHORT, costs
from test_families import base as base

import planner

MARKET = 0.010  # MUSD/t
HABIT = {"cap": "habit", "metric": "import_share", "material": "magnet", "country": "AAA", "origin": "CHN"}
HABIT |= {"sense": "min", "limit": 0.5}
CALM = {"scenario": "calm", "name": "Calm", "probability": 0.3, "first_year": 2031, "last_year": 2031}
SURGE = {"scenario": "surge", "kind": "demand_surge", "country": "AAA", "fraction": 0.2}


def at_home(base, **settings):
    """The instance with a market at home, and without its plant's metal."""
    i = base(**settings).with_rows("markets", {"market": "magnet-aaa", "country": "AAA", "material": "magnet"})
    return i.with_rows("market_prices", {"market": "magnet-aaa", "year": "", "price_usd_per_t": 10000})


def test_a_floor_falls_and_a_point_less_of_it_saves(base):
    glide = {**HABIT, "limit": 0.6, "limit_end": 0.2, "first_year": 2030, "last_year": 2032}
    i = at_home(base, years=(2030, 2031), last=2).with_rows("caps", glide)
    # 60 t from China in 2030, 40 t a year in 2031 and 2032, whose period reads the floor at its first year
    plan = costs(i, 60 * CHINA + 40 * MARKET + 2 * (40 * CHINA + 60 * MARKET))
    rows = plan.tables["dependence"]
    rows = rows[rows["cap"] == "habit"]
    assert rows["share"].tolist() == pytest.approx([0.6, 0.4])
    assert rows["limit"].tolist() == pytest.approx([0.6, 0.4])
    # a point less: 1 t a year at 11 000 USD/t, in one year and in two
    assert rows["marginal_musd_per_point"].tolist() == pytest.approx([0.011, 0.022])


def test_a_floor_holds_in_a_branch_without_disruptions_and_in_no_other(base):
    struck = {**CALM, "scenario": "surge", "name": "Surge", "probability": 0.2}
    i = at_home(base, years=(2030, 2031, 2032)).with_rows("caps", HABIT)
    i = i.with_rows("scenarios", CALM, struck).with_rows("disruptions", SURGE)
    kept = 50 * CHINA + 50 * MARKET
    # the surge needs 120 t in 2031, 100 t in 2032, and is free of the floor to the end of its branch
    plan = costs(i, kept + 0.8 * kept + 0.2 * 120 * MARKET + 0.8 * kept + 0.2 * 100 * MARKET)
    assert plan.branches["calm"]["flows"]["t"].tolist() == pytest.approx([50, 50])
    assert plan.branches["surge"]["flows"].empty
    rows = plan.tables["dependence"]
    saved = rows[rows["cap"] == "habit"]["marginal_musd_per_point"].tolist()
    assert saved == pytest.approx([0.011, 0.8 * 0.011, 0.8 * 0.011])


def test_a_floor_is_met_where_nothing_is_used(base):
    far = {**LANE, "first_year": 2031, "last_year": ""}
    i = at_home(base, years=(2030, 2031)).without("lanes", material="magnet").with_rows("lanes", far)
    # in 2030 nothing can be imported, so nothing may be used; in 2031 half is
    plan = costs(i.with_rows("caps", HABIT), 100 * SHORT + 50 * CHINA + 50 * MARKET)
    rows = plan.tables["dependence"]
    assert rows[rows["cap"] == "habit"]["share"].isna().tolist() == [True, False]
    served = i.with_rows("caps", HABIT).with_rows("sectors", {**CARS, "min_service": 0.1})
    with pytest.raises(planner.PlannerError, match="at least 50%"):
        planner.solve(served.load())


def test_a_use_that_only_a_floor_wants_is_in_the_model(base):
    # ash is bought in China and burnt at home for nothing; beside the metal of the plant it makes up half of the stage
    i = base().without("lanes", material="magnet").with_rows("lanes", {**LANE, "material": "ash"})
    i = i.with_rows("materials", {"material": "ash", "name": "Ash", "stage": "metal", "strategic": "yes"})
    i = i.with_rows("materials", {"material": "smoke", "name": "Smoke"})
    i = i.with_rows("processes", {"process": "burn", "name": "Burn"})
    i = i.with_rows("recipes", {"process": "burn", "material": "ash", "role": "input", "t_per_t": 1})
    i = i.with_rows("recipes", {"process": "burn", "material": "smoke", "role": "output", "t_per_t": 1})
    kiln = {"facility": "kiln", "name": "Kiln", "country": "AAA", "status": "operating", "capacity_t": 100}
    i = i.with_rows("facilities", kiln)
    i = i.with_rows("operations", {"facility": "kiln", "process": "burn", "opex_usd_per_t": 500})
    i = i.with_rows("markets", {"market": "ash-chn", "country": "CHN", "material": "ash"})
    i = i.with_rows("market_prices", {"market": "ash-chn", "year": "", "price_usd_per_t": 500})
    stage = {**HABIT, "material": "", "stage": "metal"}
    # a tonne of magnets costs 30 000 and the tonne of ash beside its metal 500 + 1 000 + 500 USD; 40 t are short
    costs(i.with_rows("caps", stage), 60 * 0.030 + 60 * 0.002 + 40 * SHORT)
