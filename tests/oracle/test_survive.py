"""Outages that the plan must survive: by hand, against all outages in one model, and what cannot be survived.

The instance is that of test_families: AAA needs 100 t of magnets a year; from China they cost 21 000 USD/t, from
the plant at home (60 t a year) 30 000 USD/t. So the plan of least cost buys everything in China.
"""

import random

import pytest
from builders import write_instance
from test_families import CHINA, PILE, TABLES, TOML

import planner
from planner.instance.outages import as_scenarios, outages

# 10 t a year, ready a year after the start; 10 years of life and no interest: 0.1 MUSD for each year in use
LINES = "option,facility,name,module_t,max_modules,capex_musd,lead_years,life_years\nline,plant,Line,10,{most},1,1,10\n"
CHN_STOPS = {"outage": "country", "of": ["CHN"], "years": [2031, 2031], "level": 0.8}


def instance(folder, tables=None, survive=(), years=(2030, 2031), last=1):
    toml = TOML.format(years=list(years), last=last, rate=0.0, concern='["CHN"]')
    base = planner.load(write_instance(folder, {**TABLES, **(tables or {})}, toml))
    return base.with_settings(survive=list(survive)) if survive else base


def with_lines(folder, *rules, most=3):
    return instance(folder, {"options": LINES.format(most=most)}, rules)


def built(plan):
    return {(r.option, r.start_year): r.modules for r in plan.tables["builds"].itertuples()}


def test_a_second_source_is_built_for_the_day_when_the_first_is_lost(tmp_path):
    # free: 2 x 100 t from China = 4.2; with China lost in 2031 the plant serves 60 t, 80 t are asked: 2 lines more,
    # started in 2030, 0.1 MUSD each in the one year they are online
    i = with_lines(tmp_path / "i", CHN_STOPS)
    assert planner.solve(i.with_settings(survive=[])).objective_musd == pytest.approx(200 * CHINA)
    plan = planner.solve(i)
    assert plan.objective_musd == pytest.approx(200 * CHINA + 0.2, rel=3e-7)
    assert built(plan) == {("line", 2030): 2.0}
    found = plan.plan["survive"]
    assert (found["rounds"], found["tried"], found["included"], found["audited"]) == (2, 1, 1, True)
    assert found["cases"][0]["reached"] == {"cars": pytest.approx(0.8)}
    assert plan.plan["instance"]["sha256"] == i.sha256
    assert plan.branches == {} and "outcomes" not in plan.plan


@pytest.mark.parametrize(
    ("holding", "extra", "held"),
    [
        (1000, 20 * 0.001, 20.0),  # 20 t held over the end of 2030, then used up: only holding is paid
        (20000, 0.2, 0.0),  # 0.4 MUSD would be dearer than two lines
    ],
)
def test_stock_or_capacity_whichever_is_cheaper(tmp_path, holding, extra, held):
    i = with_lines(tmp_path / "i", CHN_STOPS).with_rows(
        "stockpiles", {**PILE, "max_t": 50, "holding_usd_per_t": holding}
    )
    plan = planner.solve(i)
    assert plan.objective_musd == pytest.approx(200 * CHINA + extra, rel=3e-7)
    stocks = plan.tables["stocks"]
    assert float(stocks.loc[stocks["year"] == 2030, "stock_t"].sum()) == pytest.approx(held, abs=1e-6)


def test_three_months_without_china_need_three_months_of_stock(tmp_path):
    # January to March 2031: 80 t a year are asked for and 60 made at home, so that 20 x 3/12 = 5 t must lie in store
    # at the end of 2030, which nobody needs otherwise: only holding is paid
    months = {"from_month": 1, "months": 3}
    i = with_lines(tmp_path / "i", {**CHN_STOPS, **months}).with_rows(
        "stockpiles", {**PILE, "max_t": 50, "holding_usd_per_t": 1000}
    )
    plan = planner.solve(i)
    assert plan.objective_musd == pytest.approx(200 * CHINA + 5 * 0.001, rel=3e-7)
    case = plan.plan["survive"]["cases"][0]
    assert (case["from_month"], case["months"], case["reached"]) == (1, 3, {"cars": pytest.approx(0.8)})
    # in October half of the plan's change of stock over the year is left: a quarter of what lies there in January
    late = i.with_settings(survive=[{**CHN_STOPS, "from_month": 10, "months": 3}])
    held = planner.solve(late).tables["stocks"].groupby("year")["stock_t"].sum()
    assert 0.25 * held.get(2030, 0.0) + 0.75 * held.get(2031, 0.0) == pytest.approx(5.0, abs=1e-5)


def test_both_clocks_agree_on_a_year_whose_months_are_alike(tmp_path):
    # 10 of 60 t come from the store, evenly or not
    rule = {**CHN_STOPS, "level": 0.6}
    i = with_lines(tmp_path / "i", rule).with_rows("stockpiles", {**PILE, "max_t": 50, "holding_usd_per_t": 1000})
    i = i.scaled("facilities", "capacity_t", 5 / 6)  # 50 t a year at home
    for clock, window in (("month", 12), ("year", None)):
        plan = planner.solve(i.with_settings(survive=[{**rule, "clock": clock}]))
        assert plan.plan["survive"]["cases"][0]["months"] == window
        assert plan.objective_musd == pytest.approx(200 * CHINA + 10 * 0.001, rel=3e-7)


def test_what_is_survived_anyway_costs_nothing(tmp_path):
    # level 0.6 is the plant's; without China nothing else is needed. Reached: 60 of 100 t
    plan = planner.solve(with_lines(tmp_path / "i", {**CHN_STOPS, "level": 0.6}))
    assert plan.objective_musd == pytest.approx(200 * CHINA)
    assert plan.plan["survive"]["rounds"] == 1 and plan.plan["survive"]["included"] == 0
    assert plan.plan["survive"]["cases"][0]["reached"] == {"cars": pytest.approx(0.6)}


def test_every_one_of_a_family(tmp_path):
    # countries that make or sell: AAA and CHN; the plant at home can be lost, China then serves all
    i = with_lines(tmp_path / "i", {"outage": "country", "years": [2031, 2031], "level": 0.8},
                   {"outage": "facility", "years": [2030, 2031], "level": 1.0})  # fmt: skip
    plan = planner.solve(i)
    cases = {(c["outage"], c["of"]): c for c in plan.plan["survive"]["cases"]}
    assert set(cases) == {("country", "AAA"), ("country", "CHN"), ("facility", "plant")}
    assert cases["country", "AAA"]["reached"]["cars"] == 1.0
    assert [k for k, c in cases.items() if c["included"]] == [("country", "CHN")]
    assert plan.objective_musd == pytest.approx(200 * CHINA + 0.2, rel=3e-7)


def test_an_export_stop_leaves_the_plants_at_work(tmp_path):
    # a plant in China may serve China's own cars when exports stop, but not when the country is lost
    plants = TABLES["facilities"] + "works,Works,CHN,operating,40\n"
    demand = TABLES["demand"] + "CHN,bikes,magnet,,40\n"
    tables = {
        "facilities": plants,
        "operations": TABLES["operations"] + "works,press,1000\n",
        "markets": "market,country,material\nmetal-aaa,AAA,metal\nmetal-chn,CHN,metal\n",
        "market_prices": "market,year,price_usd_per_t\nmetal-aaa,,10000\nmetal-chn,,10000\n",
        "sectors": TABLES["sectors"] + "bikes,Bikes,50000\n",
        "demand": demand,
    }
    rule = {"of": ["CHN"], "years": [2030, 2030], "sectors": ["bikes"], "level": 1.0}
    plan = planner.solve(instance(tmp_path / "i", tables, [{"outage": "export_stop", **rule}]))
    assert plan.plan["survive"]["cases"][0]["reached"] == {"bikes": 1.0}
    with pytest.raises(planner.PlannerError) as caught:
        planner.solve(instance(tmp_path / "j", tables, [{"outage": "country", **rule}]))
    assert caught.value.exit_code == 3
    assert "100.0% of the demand of bikes is asked, at most 0.0% can be served" in str(caught.value)


def test_rules_for_the_same_outage_hold_together(tmp_path):
    # 60 t at home without China: 0.5 of 60 t of cars and 0.5 of 40 t of bikes is 50 t; 0.8 of both is 80 t
    tables = {
        "options": LINES.format(most=3),
        "sectors": TABLES["sectors"] + "bikes,Bikes,90000\n",
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,,60\nAAA,bikes,magnet,,40\n",
    }
    rules = [{**CHN_STOPS, "sectors": ["cars"]}, {**CHN_STOPS, "sectors": ["bikes"]}]
    i = instance(tmp_path / "i", tables, rules)
    assert [o.floors for o in outages(i)] == [(("bikes", 0.8), ("cars", 0.8))]
    assert built(planner.solve(i)) == {("line", 2030): 2.0}
    alone = i.with_settings(survive=rules[:1])
    assert built(planner.solve(alone)) == {}


def test_the_floor_ends_with_the_outage(tmp_path):
    # China lost in 2031 only: 20 t of stock are enough. If the floor held in 2032 too, in which nothing is lost,
    # it would be met by China, but the branch of a stop that lasts needs twice as much
    pile = {**PILE, "max_t": 500, "holding_usd_per_t": 1000}
    years = (2030, 2031, 2032)
    one = instance(tmp_path / "i", None, [CHN_STOPS], years).with_rows("stockpiles", pile)
    two = instance(tmp_path / "j", None, [{**CHN_STOPS, "years": [2031, 2032]}], years).with_rows("stockpiles", pile)
    assert planner.solve(one).objective_musd == pytest.approx(300 * CHINA + 20 * 0.001, rel=3e-7)
    # 40 t over the end of 2030, 20 t over the end of 2031 (the plan draws none before 2032)
    assert planner.solve(two).objective_musd == pytest.approx(300 * CHINA + 40 * 0.001, rel=3e-7)


def random_instance(folder, seed):
    """Two buyers, plants that exist or can be built in four countries, stocks, a scenario; drawn at random."""
    draw = random.Random(seed)
    plants = [("plant", "AAA", 60), ("works", "CHN", 150), ("shop", "BBB", draw.choice((0, 30))), ("mill", "RUS", 0)]
    lines = [
        f"{name}-more,{name},{name},{draw.choice((15, 25, 40))},2,{draw.choice((1, 3, 6))},{draw.choice((0, 1))},6,"
        f"{'one' if seed % 3 == 0 and name in ('shop', 'mill') else ''}\n"
        for name in ("plant", "shop", "mill")
    ]
    header = "option,facility,name,module_t,max_modules,capex_musd,lead_years,life_years,exclusive_group\n"
    tables = {
        **TABLES,
        "facilities": "facility,name,country,status,capacity_t\n"
        + "".join(f"{n},{n},{c},operating,{t}\n" for n, c, t in plants),
        "operations": "facility,process,opex_usd_per_t\n"
        + "".join(f"{n},press,{draw.choice((2000, 12000, 20000))}\n" for n, _, _ in plants),
        "options": header + "".join(lines),
        "lanes": "material,origin,destination,cost_usd_per_t\n"
        "magnet,*,*,1000\nmetal,AAA,BBB,500\nmetal,CHN,*,300\nmetal,RUS,*,600\n",
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,2030,70\nAAA,cars,magnet,2033,90\n"
        "BBB,arms,magnet,,20\n",
        "sectors": TABLES["sectors"] + "arms,Arms,300000\n",
        "markets": "market,country,material\nmetal-aaa,AAA,metal\nmetal-chn,CHN,metal\nmetal-rus,RUS,metal\n",
        "market_prices": "market,year,price_usd_per_t\n"
        + "".join(f"metal-{c},,{draw.choice((4000, 9000, 15000))}\n" for c in ("aaa", "chn", "rus")),
        "stockpiles": "stockpile,country,material,max_t,initial_t,holding_usd_per_t\n"
        f"pile,AAA,magnet,60,{draw.choice((0, 10))},{draw.choice((500, 9000))}\n"
        f"heap,BBB,metal,60,0,{draw.choice((500, 9000))}\n",
        "caps": f"cap,metric,limit,limit_end\nless,exposed_share,{draw.choice((0.5, 0.9))},0.9\n",
        "scenarios": "scenario,name,probability,first_year,last_year\nslump,Slump,0.2,2032,2032\n",
        "disruptions": "scenario,kind,country,fraction\nslump,outage,CHN,0.5\n",
    }
    level = draw.choice((0.6, 0.8, 1.0))
    rules = [
        {"outage": "country", "years": [2032, 2034], "level": level, "sectors": ["cars"]},
        {"outage": "facility", "years": [2032, 2032], "level": level},
        {"outage": "stage", "of": ["CHN metal", "RUS metal"], "years": [2030, 2031], "level": draw.choice((0.5, 0.7))},
    ]
    toml = TOML.format(years=[2030, 2032, 2033], last=2, rate=0.05, concern='["CHN"]')
    return planner.load(write_instance(folder, tables, toml)).with_settings(survive=rules)


@pytest.mark.parametrize("at_once", [1, 5])
@pytest.mark.parametrize("seed", range(8))
def test_the_same_as_all_outages_in_one_model(tmp_path, monkeypatch, seed, at_once):
    monkeypatch.setattr("planner.solving.survive.AT_ONCE", at_once)
    i = random_instance(tmp_path / "i", seed)
    whole, names = as_scenarios(i, outages(i))
    try:
        extensive = planner.solve(whole, gap=0)
    except planner.PlannerError as error:
        assert error.exit_code == 3
        with pytest.raises(planner.PlannerError) as caught:
            planner.solve(i, gap=0)
        assert caught.value.exit_code == 3
        return
    plan = planner.solve(i, gap=0)
    found = plan.plan["survive"]
    assert plan.objective_musd == pytest.approx(extensive.objective_musd, rel=1e-6)
    assert found["tried"] == len(names) > found["included"]
    assert set(plan.branches) == {"slump"} and [o["scenario"] for o in plan.plan["outcomes"]] == ["", "slump"]
    # nothing is left that is not survived: each outage alone, as a scenario of an instance, with the builds of the plan
    for case, row in zip(outages(i), found["cases"], strict=True):
        assert (case.kind, case.name) == (row["outage"], row["of"])
        assert all(row["reached"][sector] >= level - 1e-6 for sector, level in row["asked"].items())
        alone, _ = as_scenarios(i, [case])
        held = planner.solve(alone, pins=planner.Pins.of(alone, plan), gap=0)
        assert held.objective_musd <= plan.objective_musd * (1 + 1e-6)


def test_the_random_instances_are_worth_comparing(tmp_path):
    extra, kinds = [], []
    for seed in range(8):
        i = random_instance(tmp_path / str(seed), seed)
        try:
            plan = planner.solve(i, gap=0)
        except planner.PlannerError:
            kinds.append("impossible")
            continue
        kinds.append("survived")
        extra.append(plan.objective_musd - planner.solve(i.with_settings(survive=[]), gap=0).objective_musd)
    assert kinds.count("survived") >= 4
    assert sum(e > 0.01 for e in extra) >= 3


def test_what_a_store_lacks_at_the_end_of_the_outage_is_in_its_cost(tmp_path):
    # 60 t must be in store at the end. With China lost throughout, the plant makes 60 t a year, all of which are
    # asked: none is left for the store, so the branch, of probability 0, is told with the cost of what is lacking
    pile = {**PILE, "max_t": 60, "final_min_t": 60}
    i = instance(tmp_path / "i", None, [{**CHN_STOPS, "years": [2030, 2031], "level": 0.6}])
    plan = planner.solve(i.with_rows("stockpiles", pile))
    assert plan.plan["survive"]["audited"]
