"""Floors on shares against arithmetic done by hand.

The instance and its costs are those of test_families.py; magnets are also sold at home, at 10 000 USD/t, so that only a
floor makes anybody buy in China at 21 000.
"""

import csv
import io

import pytest
from test_families import CARS, CHINA, HOME, LANE, OWN, PLANT, SHORT, costs
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


def test_a_point_less_of_a_floor_of_one(base):
    # everything must come from China; a point less lets 1 t come from home, which is 11 000 USD/t cheaper
    plan = costs(at_home(base).with_rows("caps", {**HABIT, "limit": 1}), 100 * CHINA)
    rows = plan.tables["dependence"]
    assert rows[rows["cap"] == "habit"]["marginal_musd_per_point"].tolist() == pytest.approx([0.011])


# --- own production -------------------------------------------------------------------------------------------


def test_a_cap_on_the_own_share(base):
    i = at_home(base).with_rows("lanes", {**LANE, "material": "metal"}).without("markets", market="magnet-aaa")
    i = i.without("market_prices", market="magnet-aaa").without("lanes", material="magnet")
    # without magnets from China 60 t are pressed; at most 40 % of their metal may be own, so the rest is bought
    i = i.with_rows("processes", {"process": "smelt", "name": "Smelt"})
    i = i.with_rows("recipes", {"process": "smelt", "material": "metal", "role": "output", "t_per_t": 1})
    smelter = {"facility": "smelter", "name": "Smelter", "country": "AAA", "status": "operating", "capacity_t": 100}
    i = i.with_rows("facilities", smelter)
    i = i.with_rows("operations", {"facility": "smelter", "process": "smelt", "opex_usd_per_t": 4000})
    cap = {**OWN, "sense": "max", "material": "metal", "limit": 0.4}
    costs(i.with_rows("caps", cap), 60 * 0.020 + 24 * 0.004 + 36 * 0.010 + 40 * SHORT)


def test_own_production_for_others_counts_even_if_they_only_use_it_up(base):
    # AAA's smelter makes metal for BBB, where it is burnt; AAA itself uses 60 t of bought metal, which is cheaper
    i = base().without("lanes", material="magnet").with_rows("lanes", {**LANE, "material": "metal", "origin": "AAA"})
    i = i.without("lanes", material="metal").with_rows(
        "lanes", {**LANE, "material": "metal", "origin": "AAA", "destination": "BBB"}
    )
    i = i.with_rows("materials", {"material": "smoke", "name": "Smoke"})
    i = i.with_rows("processes", {"process": "burn", "name": "Burn"}, {"process": "smelt", "name": "Smelt"})
    i = i.with_rows(
        "recipes",
        {"process": "smelt", "material": "metal", "role": "output", "t_per_t": 1},
        {"process": "burn", "material": "metal", "role": "input", "t_per_t": 1},
        {"process": "burn", "material": "smoke", "role": "output", "t_per_t": 1},
    )
    i = i.with_rows(
        "facilities",
        {"facility": "kiln", "name": "Kiln", "country": "BBB", "status": "operating", "capacity_t": 100},
        {"facility": "smelter", "name": "Smelter", "country": "AAA", "status": "operating", "capacity_t": 200},
    )
    i = i.with_rows(
        "operations",
        {"facility": "kiln", "process": "burn", "opex_usd_per_t": 0},
        {"facility": "smelter", "process": "smelt", "opex_usd_per_t": 12000},
    )
    floor = {**OWN, "material": "metal", "limit": 1}
    # 60 t of own metal at 12 000 instead of 10 000 USD/t, rather than as much beside it for the kiln
    costs(i.with_rows("caps", floor), 60 * 0.032 + 40 * SHORT)
    # if the press can only take bought metal of another kind, the stage is kept by what the kiln burns
    i = i.with_rows("materials", {"material": "alloy", "name": "Alloy", "stage": "metal", "strategic": "yes"})
    i = i.without("recipes", process="press", material="metal")
    i = i.with_rows("recipes", {"process": "press", "material": "alloy", "role": "input", "t_per_t": 1})
    i = i.without("markets", market="metal-aaa").without("market_prices", market="metal-aaa")
    i = i.with_rows("markets", {"market": "alloy-aaa", "country": "AAA", "material": "alloy"})
    i = i.with_rows("market_prices", {"market": "alloy-aaa", "year": "", "price_usd_per_t": 10000})
    costs(i.with_rows("caps", {**OWN, "stage": "metal", "limit": 1}), 60 * HOME + 60 * 0.013 + 40 * SHORT)


def test_what_is_recycled_counts_even_if_it_is_thrown_away(base):
    # scrap is bought at 1 000 and renewed at 2 000 USD/t to metal that the press cannot take: it is of another kind
    i = base().without("lanes", material="magnet")
    i = i.with_rows("materials", {"material": "scrap", "name": "Scrap"})
    i = i.with_rows("materials", {"material": "alloy", "name": "Alloy", "stage": "metal", "strategic": "yes"})
    i = i.with_rows("processes", {"process": "renew", "name": "Renew", "restores_provenance": "yes"})
    i = i.with_rows(
        "recipes",
        {"process": "renew", "material": "scrap", "role": "input", "t_per_t": 1},
        {"process": "renew", "material": "alloy", "role": "output", "t_per_t": 1},
    )
    recycler = {"facility": "recycler", "name": "Recycler", "country": "AAA", "status": "operating", "capacity_t": 100}
    i = i.with_rows("facilities", recycler)
    i = i.with_rows("operations", {"facility": "recycler", "process": "renew", "opex_usd_per_t": 2000})
    i = i.with_rows("markets", {"market": "scrap-aaa", "country": "AAA", "material": "scrap"})
    i = i.with_rows("market_prices", {"market": "scrap-aaa", "year": "", "price_usd_per_t": 1000})
    floor = {**OWN, "stage": "metal", "limit": 0.25, "recycled": "yes"}
    # 60 t of metal are used, a quarter of them recycled
    costs(i.with_rows("caps", floor), 60 * HOME + 15 * 0.003 + 40 * SHORT)


def test_three_benchmarks_are_three_rows(base):
    # of its own use a bloc mines 10 %, processes 40 % and recycles 25 %; 100 t of metal are used, made of ore or scrap
    tables = {
        "countries": "country,name,bloc\nAAA,Aland,EUR\nBBB,Bland,EUR\nCHN,China,\n",
        "materials": (
            "material,name,stage,strategic\nore,Ore,metal,no\nmetal,Metal,metal,yes\nscrap,Scrap,,no\n"
            "magnet,Magnet,magnet,no\n"
        ),
        "processes": ("process,name,restores_provenance\nmine,Mine,\nsmelt,Smelt,\nrenew,Renew,yes\npress,Press,\n"),
        "recipes": (
            "process,material,role,t_per_t\nmine,ore,output,1\nsmelt,ore,input,1\nsmelt,metal,output,1\n"
            "renew,scrap,input,1\nrenew,metal,output,1\npress,metal,input,1\npress,magnet,output,1\n"
        ),
        "facilities": (
            "facility,name,country,status,capacity_t\npit,Pit,AAA,operating,500\nsmelter,Smelter,BBB,operating,500\n"
            "recycler,Recycler,BBB,operating,500\npress,Press,AAA,operating,500\n"
        ),
        "operations": (
            "facility,process,opex_usd_per_t\npit,mine,9000\nsmelter,smelt,1000\nrecycler,renew,20000\npress,press,0\n"
        ),
        "lanes": "material,origin,destination,cost_usd_per_t\n*,*,*,0\n",
        "sectors": "sector,name,shortage_usd_per_t\ncars,Cars,100000\n",
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,,100\n",
        "markets": "market,country,material\nore-chn,CHN,ore\nmetal-chn,CHN,metal\nscrap-bbb,BBB,scrap\n",
        "market_prices": "market,year,price_usd_per_t\nore-chn,,3000\nmetal-chn,,2000\nscrap-bbb,,0\n",
    }
    i = base()
    i.tables = {name: list(csv.DictReader(io.StringIO(text))) for name, text in tables.items()}
    floor = {"metric": "own_share", "country": "EUR", "sense": "min"}
    i = i.with_rows(
        "caps",
        {**floor, "cap": "mined", "material": "ore", "limit": 0.1},
        {**floor, "cap": "processed", "stage": "metal", "limit": 0.4},
        {**floor, "cap": "recycled", "stage": "metal", "limit": 0.25, "recycled": "yes"},
    )
    # 25 t renewed at 20 000; 15 t smelted, so that 40 t are made, of ore of which a tenth is the bloc's own at 9 000
    # and the rest costs 3 000; 60 t of metal bought at 2 000 USD/t
    costs(i, 25 * 0.020 + 15 * 0.001 + 1.5 * 0.009 + 13.5 * 0.003 + 60 * 0.002)


def test_the_curve_of_own_production_rises_from_the_least_cost_to_the_most_that_can_be_made(base):
    # the press makes at most 60 of 100 t, all to be served: a point of floor costs 1 t at 9 000 USD, from none to 60 %
    served = base().with_rows("sectors", {**CARS, "min_service": 1})
    curve = planner.frontier(served.load(), metric="own_share:magnet:AAA", points=2)
    points = curve.table
    assert points["limit"].tolist() == pytest.approx([0.0, 0.6])
    assert points["share"].tolist() == pytest.approx([0.0, 0.6])
    assert points["objective_musd"].tolist() == pytest.approx([100 * CHINA, 40 * CHINA + 60 * HOME])
    assert points["marginal_musd_per_point"].tolist() == pytest.approx([0.0, 0.009])
    again = curve.plan(2)
    assert again.objective_musd == pytest.approx(40 * CHINA + 60 * HOME, rel=1e-6)
    longer = base(years=(2030, 2031)).with_rows("sectors", {**CARS, "min_service": 1})
    glide = planner.frontier(longer.load(), metric="own_share:magnet:AAA", from_year=2031, glide=True, points=2)
    assert glide.today == pytest.approx(0.0)
    assert glide.table["limit"].tolist() == pytest.approx([0.0, 0.6])
    assert glide.table["objective_musd"].tolist() == pytest.approx([200 * CHINA, 140 * CHINA + 60 * HOME])
    imports = planner.frontier(served.load(), metric="import_share:magnet:AAA", points=2).table
    assert imports["limit"].tolist() == pytest.approx([1.0, 0.4])
    for wrong in ("own_share:magnet", "own_share:magnet:ZZZ", "own_share:magnet:AAA:new", "stage_share:magnet:AAA"):
        with pytest.raises(planner.PlannerError, match="expected"):
            planner.frontier(base().load(), metric=wrong)


def test_the_curve_ends_where_nothing_is_used_if_nothing_need_be(base):
    # the press runs from 2031 on: a floor in every year leaves nothing to use in 2030, all at 100 000 USD/t short;
    # then all that is used in 2031 can be own: 60 t, with 40 t short
    i = base(years=(2030, 2031)).with_rows("facilities", {**PLANT, "first_year": 2031})
    points = planner.frontier(i.load(), metric="own_share:magnet:AAA", points=2).table
    assert points["limit"].tolist() == pytest.approx([0.0, 1.0])
    assert points["objective_musd"].tolist() == pytest.approx([200 * CHINA, 140 * SHORT + 60 * HOME])


def test_a_floor_that_binds_is_told_as_one(base, tmp_path):
    from io import StringIO

    from planner.questions.summary import show

    i = base().with_rows("caps", {**OWN, "material": "magnet", "limit": 0.45}).load()
    plan = planner.solve(i)
    row = planner.explain(plan).binding.iloc[0]
    assert (row["kind"], row["name"], row["country"], row["year"]) == ("floor", "own", "AAA", 2030)
    assert row["says"] == "own_share of magnet at least 0.45"
    assert row["saves_musd"] == pytest.approx(0.009)  # the operations again, with a floor of 44 %
    assert "a point less" in str(planner.explain(plan))
    text = StringIO()
    show(i, plan, tmp_path, file=text, width=200)
    assert "of a floor (>=) one point less" in text.getvalue()
    assert "own AAA 2030: >= 45.0% -> 0.009" in text.getvalue()
    page = planner.report(plan)
    assert "One percentage point less on the cap “own”" in page
    assert "own (floor)" in page
