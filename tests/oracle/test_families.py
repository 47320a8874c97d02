"""Every family of the model against arithmetic done by hand, in an instance where the family binds.

All start from one instance: AAA needs 100 t of magnets a year. A magnet bought in China and brought to AAA costs
20 000 + 1 000 = 21 000 USD/t (exposed); pressed at home 10 000 for metal + 20 000 = 30 000 USD/t (clean, at most
60 t a year); being short costs 100 000 USD/t. Nothing is discounted unless a test says so.
"""

import csv
import io
import json
import math

import pytest
from builders import write_instance

import planner
from planner import models
from planner.instance.tables import TABLES as TABLE_CLASSES

CHINA, HOME, SHORT = 0.021, 0.030, 0.100  # MUSD/t

TOML = """\
schema = 1
name = "oracle"
stages = ["metal", "magnet"]
[time]
years = {years}
last_period_years = {last}
[finance]
currency = "USD"
price_year = 2025
discount_rate = {rate}
wacc = 0.0
[security]
countries_of_concern = {concern}
"""
TABLES = {
    "countries": "country,name\nAAA,Aland\nBBB,Bland\nCHN,China\nRUS,Russia\n",
    "materials": (
        "material,name,stage,strategic,value_usd_per_t,surplus\n"
        "metal,Metal,metal,yes,1000,yes\n"
        "magnet,Magnet,magnet,yes,5000,no\n"
    ),
    "processes": "process,name\npress,Press\n",
    "recipes": "process,material,role,t_per_t\npress,metal,input,1\npress,magnet,output,1\n",
    "facilities": "facility,name,country,status,capacity_t\nplant,Plant,AAA,operating,60\n",
    "operations": "facility,process,opex_usd_per_t\nplant,press,20000\n",
    "lanes": "material,origin,destination,cost_usd_per_t\nmagnet,CHN,AAA,1000\n",
    "sectors": "sector,name,shortage_usd_per_t\ncars,Cars,100000\n",
    "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,,100\n",
    "markets": "market,country,material\nmetal-aaa,AAA,metal\nmagnet-chn,CHN,magnet\n",
    "market_prices": "market,year,price_usd_per_t\nmetal-aaa,,10000\nmagnet-chn,,20000\n",
}
PLANT = {"facility": "plant", "name": "Plant", "country": "AAA", "status": "operating", "capacity_t": 60}
LANE = {"material": "magnet", "origin": "CHN", "destination": "AAA", "cost_usd_per_t": 1000}
CARS = {"sector": "cars", "name": "Cars", "shortage_usd_per_t": 100000}
PILE = {"stockpile": "pile", "country": "AAA", "material": "magnet"}
LINE = {"facility": "plant", "life_years": 10, "integer": "yes"}

ORACLES = {}
SOLVE = {"audit": True}


def oracle(family):
    """Register a test as an oracle of a family."""

    def register(test):
        ORACLES.setdefault(family, []).append(test)
        return test

    return register


def names(family):
    return family.__name__.rsplit(".", 1)[-1]


class Draft:
    """An instance being written: tables of rows that can be replaced by key, before anything is checked."""

    def __init__(self, folder, settings, tables):
        self.folder, self.settings, self.tables = folder, settings, tables

    def with_rows(self, table, *rows):
        key = TABLE_CLASSES[table].KEY
        kept = {tuple(str(row.get(k, "")) for k in key): row for row in (*self.tables.get(table, ()), *rows)}
        return Draft(self.folder, self.settings, {**self.tables, table: list(kept.values())})

    def without(self, table, **where):
        kept = [row for row in self.tables[table] if any(row.get(k, "") != v for k, v in where.items())]
        return Draft(self.folder, self.settings, {**self.tables, table: kept})

    def load(self):
        folder = self.folder / f"instance-{len(list(self.folder.iterdir()))}"
        tables = {name: rows for name, rows in self.tables.items() if rows}
        return planner.load(write_instance(folder, tables, TOML.format(**self.settings)))


@pytest.fixture
def base(tmp_path):
    def make(years=(2030,), last=1, rate=0.0, concern=("CHN",)):
        tables = {name: list(csv.DictReader(io.StringIO(text))) for name, text in TABLES.items()}
        settings = {"years": list(years), "last": last, "rate": rate, "concern": json.dumps(concern)}
        return Draft(tmp_path, settings, tables)

    return make


def costs(draft, musd):
    """Solve (and audit) an instance, and compare the cost."""
    plan = planner.solve(draft.load(), **SOLVE)
    assert plan.objective_musd == pytest.approx(musd, rel=3e-7)
    return plan


def alone(instance):
    """Without the lane from China, AAA has its own plant only."""
    return instance.without("lanes", material="magnet")


# --- operations -----------------------------------------------------------------------------------------------


@oracle("balance")
def test_balance_metal_limits_magnets(base):
    i = alone(base()).with_rows("recipes", {"process": "press", "material": "metal", "role": "input", "t_per_t": 1.25})
    i = i.with_rows("market_prices", {"market": "metal-aaa", "year": "", "price_usd_per_t": 10000, "max_t": 50})
    # 50 t of metal / 1.25 = 40 t of magnets
    plan = costs(i, 50 * 0.010 + 40 * 0.020 + 60 * SHORT)
    prices = plan.tables["prices"].set_index(["material", "provenance"])["usd_per_t"]
    assert prices["magnet", "clean"] == pytest.approx(100_000)
    assert prices["metal", "clean"] == pytest.approx((100_000 - 20_000) / 1.25)


def test_a_price_is_blank_where_nothing_passes(base):
    # China's magnets are the cheapest at 21 thousand USD landed, so the home plant stands, but for the grams that a
    # ten-millionth of the cost buys, and nobody else needs metal: what a tonne of either were worth is not determined
    i = base().with_rows("market_prices", {"market": "metal-aaa", "year": "", "price_usd_per_t": 15000})
    plan = costs(i, 100 * CHINA)
    prices = plan.tables["prices"].set_index(["material", "country", "provenance"])["usd_per_t"]
    assert prices["magnet", "AAA", "exposed"] == pytest.approx(CHINA * 1e6)
    assert all(math.isnan(prices[material, "AAA", "clean"]) for material in ("metal", "magnet"))


@oracle("surplus")
def test_surplus_what_was_brought_in_cannot_be_wasted_to_loosen_a_cap(base):
    i = base(concern=("CHN", "RUS"))
    i = i.with_rows("processes", {"process": "smelt", "name": "Smelt"})
    i = i.with_rows("recipes", {"process": "smelt", "material": "metal", "role": "output", "t_per_t": 1})
    for name, country in (("china", "CHN"), ("russia", "RUS")):
        i = i.with_rows("facilities", {**PLANT, "facility": name, "country": country, "capacity_t": 1000})
        i = i.with_rows("operations", {"facility": name, "process": "smelt", "opex_usd_per_t": 1000})
    i = i.with_rows("markets", {"market": "metal-bbb", "country": "BBB", "material": "metal"})
    i = i.with_rows("market_prices", {"market": "metal-bbb", "year": "", "price_usd_per_t": 500})
    for origin, destination in (("CHN", "AAA"), ("BBB", "RUS")):
        i = i.with_rows(
            "lanes",
            {**LANE, "material": "metal", "origin": origin, "destination": destination, "cost_usd_per_t": 0},
        )
    i = i.with_rows(
        "stockpiles", {**PILE, "country": "RUS", "material": "metal", "max_t": 1, "holding_usd_per_t": 10**6}
    )
    # metal itself is in demand
    i = i.without("demand", material="magnet").with_rows(
        "demand", {"country": "AAA", "sector": "cars", "material": "metal", "year": "", "demand_t": 100}
    )
    i = i.with_rows("caps", {"cap": "half", "metric": "stage_share", "stage": "metal", "limit": 0.5})
    # half of it from China at 1 000, half at home at 10 000 USD/t; if Russia could throw away metal bought in BBB
    # its part of the stage would be negative: 100 x 1 000 + 50 x 500 = 0.125 MUSD
    costs(i, 50 * 0.001 + 50 * 0.010)


@oracle("transit")
def test_transit_a_tariff_cannot_be_dodged_by_re_export(base):
    i = base().with_rows("tariffs", {"material": "magnet", "origin": "CHN", "destination": "AAA", "rate": 2})
    i = i.with_rows("lanes", {**LANE, "destination": "BBB"}, {**LANE, "origin": "BBB"})
    i = i.with_rows("markets", {"market": "magnet-bbb", "country": "BBB", "material": "magnet", "exposed": "yes"})
    i = i.with_rows("market_prices", {"market": "magnet-bbb", "year": "", "price_usd_per_t": 40000, "max_t": 5})
    # direct: 21 000 + 2 x 5 000 = 31 000 USD/t, more than at home; by way of BBB it would be 22 000
    costs(i, 60 * HOME + 40 * (CHINA + 0.010))


@oracle("capacity")
def test_capacity_own(base):
    costs(alone(base()), 60 * HOME + 40 * SHORT)


@oracle("capacity")
def test_capacity_of_modules_is_the_mean_of_a_long_period(base):
    i = alone(base(last=4)).with_rows(
        "options",
        {
            **LINE,
            "option": "line",
            "name": "Line",
            "module_t": 20,
            "capex_musd": 10,
            "lead_years": 1,
            "ramp_years": 2,
        },
    )
    # 2030..2033: 0, 1/2, 1, 1 of 20 t, mean 12.5 t; the annuity of 10/10 MUSD is paid in three years
    home = 60 + 12.5
    plan = costs(i, 4 * (home * HOME + (100 - home) * SHORT) + 3 * 1.0)
    assert plan.tables["capacity"]["capacity_t"].tolist() == pytest.approx([72.5])


@oracle("capacity")
def test_capacity_ends_with_the_life_of_a_module_and_the_last_year_of_a_plant(base):
    i = alone(base(last=4)).with_rows("facilities", {**PLANT, "last_year": 2030})
    i = i.with_rows(
        "options",
        {**LINE, "option": "line", "name": "Line", "module_t": 20, "capex_musd": 2, "life_years": 2},
    )
    # own: 60 t in 1 of 4 years = 15 t; module: 20 t in 2 of 4 years = 10 t; annuity 1 MUSD in two years
    costs(i, 4 * (25 * HOME + 75 * SHORT) + 2 * 1.0)


@oracle("least_use")
def test_least_use_runs_a_plant_that_china_undercuts(base):
    plan = costs(base().with_rows("facilities", {**PLANT, "min_use": 0.5}), 30 * HOME + 70 * CHINA)
    assert plan.tables["capacity"]["used_t"].tolist() == pytest.approx([30])


@oracle("least_use")
def test_least_use_ends(base):
    i = base(years=(2030, 2031)).with_rows("facilities", {**PLANT, "min_use": 0.5, "min_use_until": 2030})
    costs(i, (30 * HOME + 70 * CHINA) + 100 * CHINA)


TAKEN = {"offtake": "army", "facility": "plant", "material": "magnet", "agreed_usd_per_t": 1, "payer": "Army"}


@oracle("offtake")
def test_an_offtake_runs_a_plant_that_china_undercuts(base):
    i = base(years=(2030, 2031)).with_rows("offtakes", {**TAKEN, "take_t": 20, "last_year": 2030})
    costs(i, (20 * HOME + 80 * CHINA) + 100 * CHINA)


@oracle("offtake")
def test_an_offtake_of_an_option_takes_from_each_of_its_modules(base):
    # two of them are committed: 2 x 15 t in the second year, on top of 20 t of the plant's own
    line = {**LINE, "option": "line", "name": "Line", "module_t": 20, "capex_musd": 2, "lead_years": 1}
    i = base(years=(2030, 2031)).with_rows("options", {**line, "min_modules": 2, "max_modules": 2, "first_start": 2030})
    i = i.with_rows("offtakes", {**TAKEN, "take_t": 20}, {**TAKEN, "offtake": "navy", "option": "line", "take_t": 15})
    costs(i, (20 * HOME + 80 * CHINA) + (50 * HOME + 50 * CHINA) + 2 * 0.2)


@oracle("lanes")
def test_lanes_maximum(base):
    costs(base().with_rows("lanes", {**LANE, "max_t": 70}), 70 * CHINA + 30 * HOME)


@oracle("demand")
def test_demand_is_served(base):
    costs(base(), 100 * CHINA)


@oracle("demand")
def test_demand_service_floor(base):
    i = alone(base()).with_rows("facilities", {**PLANT, "capacity_t": 100})
    i = i.with_rows("sectors", {**CARS, "shortage_usd_per_t": 25000, "min_service": 0.8})
    costs(i, 80 * HOME + 20 * 0.025)


@oracle("demand")
def test_demand_clean_only(base):
    i = base().with_rows("sectors", {**CARS, "clean_from_year": 2030})
    costs(i, 60 * HOME + 40 * SHORT)


@oracle("stocks")
def test_stocks_room_and_final_minimum(base):
    i = base(years=(2030, 2031)).with_rows(
        "market_prices",
        {"market": "magnet-chn", "year": 2030, "price_usd_per_t": 20000},
        {"market": "magnet-chn", "year": 2031, "price_usd_per_t": 50000},
    )
    i = i.without("market_prices", market="magnet-chn", year="")
    stocked = i.with_rows("stockpiles", {**PILE, "max_t": 40, "holding_usd_per_t": 500})
    # 40 t put aside in 2030, then 60 t at home instead of 51 000 USD/t from China
    costs(stocked, 140 * CHINA + 40 * 0.0005 + 60 * HOME)
    kept = i.with_rows("stockpiles", {**PILE, "max_t": 40, "holding_usd_per_t": 500, "final_min_t": 10})
    costs(kept, 140 * CHINA + 40 * 0.0005 + 60 * HOME + 10 * 0.051 + 10 * 0.0005)


@oracle("stocks")
def test_stocks_in_a_long_period_last_for_all_its_years(base):
    i = alone(base(last=4)).with_rows("stockpiles", {**PILE, "initial_t": 80, "max_t": 80})
    # 80 t over four years: 20 t a year
    costs(i, 4 * (60 * HOME + 20 * SHORT))


# --- caps -----------------------------------------------------------------------------------------------------


@oracle("exposed_share")
def test_exposed_share(base):
    plan = costs(
        base().with_rows("caps", {"cap": "half", "metric": "exposed_share", "limit": 0.5}),
        50 * (CHINA + HOME),
    )
    row = plan.tables["dependence"].query("cap == 'half'").iloc[0]
    assert row["share"] == pytest.approx(0.5, abs=1e-6)
    assert row["marginal_musd_per_point"] == pytest.approx(HOME - CHINA)


@oracle("exposed_share")
def test_exposed_share_glides(base):
    i = base(years=(2030, 2031, 2032)).with_rows(
        "caps", {"cap": "glide", "metric": "exposed_share", "limit": 1, "limit_end": 0.4}
    )
    costs(i, sum(n * CHINA + (100 - n) * HOME for n in (100, 70, 40)))


@oracle("exposed_share")
def test_exposed_share_shortage_is_no_delivery(base):
    i = base().with_rows("caps", {"cap": "half", "metric": "exposed_share", "limit": 0.25})
    # at most 60 t clean, so exposed <= 0.25 (60 + exposed): 20 t; the other 20 t are short
    costs(i, 60 * HOME + 20 * CHINA + 20 * SHORT)


@oracle("stage_share")
def test_stage_share(base):
    i = base().with_rows("caps", {"cap": "half", "metric": "stage_share", "stage": "magnet", "limit": 0.5})
    costs(i, 50 * (CHINA + HOME))


@oracle("stage_share")
def test_stage_share_counts_tied_plants_elsewhere(base):
    i = base().with_rows("facilities", {**PLANT, "concern_tie": "yes"})
    i = i.with_rows("markets", {"market": "magnet-bbb", "country": "BBB", "material": "magnet"})
    i = i.with_rows("market_prices", {"market": "magnet-bbb", "year": "", "price_usd_per_t": 60000})
    i = i.with_rows("lanes", {**LANE, "origin": "BBB"}, {**LANE, "max_t": 20})
    i = i.with_rows("caps", {"cap": "half", "metric": "stage_share", "material": "magnet", "limit": 0.5})
    # China 20 t and the tied plant 30 t make the half that may be exposed
    costs(i, 20 * CHINA + 30 * HOME + 50 * 0.061)


@oracle("single_country_share")
def test_single_country_share(base):
    i = base().with_rows("caps", {"cap": "one", "metric": "single_country_share", "material": "magnet", "limit": 0.7})
    costs(i, 70 * CHINA + 30 * HOME)


@oracle("import_share")
def test_import_share(base):
    i = base().with_rows(
        "caps",
        {"cap": "home", "metric": "import_share", "material": "magnet", "country": "AAA", "limit": 0.7},
    )
    costs(i, 70 * CHINA + 30 * HOME)


@oracle("import_share")
def test_import_share_of_an_origin(base):
    i = base().with_rows("markets", {"market": "magnet-bbb", "country": "BBB", "material": "magnet"})
    i = i.with_rows("market_prices", {"market": "magnet-bbb", "year": "", "price_usd_per_t": 24000})
    i = i.with_rows("lanes", {**LANE, "origin": "BBB"})
    i = i.with_rows(
        "caps", {"cap": "home", "metric": "import_share", "material": "magnet", "origin": "CHN", "limit": 0.7}
    )
    costs(i, 70 * CHINA + 30 * 0.025)


# --- investment and funding -----------------------------------------------------------------------------------


@oracle("investment")
def test_investment_exclusive_group(base):
    i = alone(base()).with_rows(
        "demand", {"country": "AAA", "sector": "cars", "material": "magnet", "year": "", "demand_t": 120}
    )
    i = i.with_rows(
        "options",
        {**LINE, "option": "a", "name": "A", "module_t": 20, "capex_musd": 1, "exclusive_group": "site"},
        {**LINE, "option": "b", "name": "B", "module_t": 40, "capex_musd": 3, "exclusive_group": "site"},
    )
    plan = costs(i, 100 * HOME + 20 * SHORT + 0.3)
    assert plan.tables["builds"]["option"].tolist() == ["b"]


@oracle("investment")
def test_investment_committed_modules(base):
    i = base().with_rows(
        "options",
        {
            **LINE,
            "option": "a",
            "name": "A",
            "module_t": 20,
            "capex_musd": 1,
            "min_modules": 2,
            "max_modules": 3,
        },
    )
    costs(i, 100 * CHINA + 2 * 0.1)


@oracle("investment")
def test_investment_requires(base):
    i = alone(base()).with_rows(
        "options",
        {**LINE, "option": "permit", "name": "Permit", "module_t": 0.001, "capex_musd": 20},
        {**LINE, "option": "line", "name": "Line", "module_t": 20, "capex_musd": 1, "requires": "permit"},
    )
    # the line saves 20 x 70 000 = 1.4 MUSD and costs 0.1, but what it needs costs 2 MUSD a year
    costs(i, 60 * HOME + 40 * SHORT)


@oracle("funding")
def test_funding_private_money_and_a_funds_share(base):
    i = alone(base()).with_rows(
        "options",
        {
            **LINE,
            "option": "line",
            "name": "Line",
            "module_t": 20,
            "capex_musd": 3,
            "max_modules": 2,
            "private_musd": 4,
        },
    )
    i = i.with_rows(
        "funds",
        {"fund": "aid", "provider": "A", "instrument": "grant", "budget_musd": 9, "max_share": 0.25},
    ).with_rows("fund_options", {"fund": "aid", "option": "line"})
    # 3 n <= 4 + 0.25 x 3 n leaves one module of 3 MUSD; it needs no public money
    plan = costs(i, 80 * HOME + 20 * SHORT + 0.3)
    assert plan.tables["funding"]["source"].tolist() == ["private"]


@oracle("funding")
def test_funding_budget_and_years(base):
    i = alone(base(years=(2030, 2031, 2032))).with_rows(
        "options",
        {**LINE, "option": "line", "name": "Line", "module_t": 20, "capex_musd": 3, "max_modules": 2}
        | {"private_musd": 2, "lead_years": 2, "integer": "no"},
    )
    i = i.with_rows(
        "funds",
        {"fund": "aid", "provider": "A", "instrument": "loan", "budget_musd": 9, "last_year": 2030},
    ).with_rows("fund_options", {"fund": "aid", "option": "line"})
    # half of 3 n falls into 2030 and half into 2031, where the fund is over: 1.5 n <= 2, n = 4/3, online in 2032
    more = 20 * 4 / 3
    plan = costs(i, 2 * (60 * HOME + 40 * SHORT) + (60 + more) * HOME + (40 - more) * SHORT + 4 / 3 * 0.3)
    paid = plan.tables["funding"].groupby("source")["musd"].sum()
    assert paid["aid"] == pytest.approx(2) and paid["private"] == pytest.approx(2)


# --- branches -------------------------------------------------------------------------------------------------


def crisis(draft, first, last, probability, *disruptions):
    """The draft with a scenario in the years first..last."""
    draft = draft.with_rows(
        "scenarios",
        {
            "scenario": "crisis",
            "name": "Crisis",
            "probability": probability,
            "first_year": first,
            "last_year": last,
        },
    )
    return draft.with_rows("disruptions", *({"scenario": "crisis", "fraction": 1, **row} for row in disruptions))


STOP = {"kind": "export_stop", "country": "CHN", "material": "magnet"}


@oracle("export_stop")
def test_export_stop_takes_a_share_of_the_reference_for_the_share_of_the_period(base):
    i = crisis(base(last=4), 2032, 2033, 0.25, {**STOP, "fraction": 0.5, "reference_t": 80})
    # two of four years: (1 - 0.5 x 0.5) x 80 = 60 t a year may leave
    plan = costs(i, 4 * (0.75 * 100 * CHINA + 0.25 * (60 * CHINA + 40 * HOME)))
    assert plan.branches["crisis"]["flows"]["t"].tolist() == pytest.approx([60])


@oracle("export_stop")
def test_export_stops_multiply_and_the_least_reference_counts(base):
    i = crisis(
        base(),
        2030,
        2030,
        0.5,
        {**STOP, "fraction": 0.5, "reference_t": 400},
        {"kind": "export_stop", "country": "CHN", "stage": "magnet", "fraction": 0.25, "reference_t": 160},
    )
    # 0.5 x 0.75 x 160 = 60 t
    costs(i, 0.5 * 100 * CHINA + 0.5 * (60 * CHINA + 40 * HOME))


@oracle("capacity")
def test_outage(base):
    i = crisis(alone(base()), 2030, 2030, 0.1, {"kind": "outage", "country": "AAA", "fraction": 0.5})
    costs(i, 0.9 * (60 * HOME + 40 * SHORT) + 0.1 * (30 * HOME + 70 * SHORT))


@oracle("capacity")
def test_failed_projects_stay_failed_to_the_end(base):
    i = alone(base(years=(2030, 2031, 2032))).with_rows(
        "options",
        {**LINE, "option": "line", "name": "Line", "module_t": 20, "capex_musd": 10, "lead_years": 1},
    )
    i = crisis(i, 2031, 2031, 0.1, {"kind": "project_failure", "facility": "plant", "fraction": 0.5})
    before = 60 * HOME + 40 * SHORT
    after, failed = 80 * HOME + 20 * SHORT, 70 * HOME + 30 * SHORT
    costs(i, before + 2 * 1.0 + 2 * (0.9 * after + 0.1 * failed))


@oracle("demand")
def test_demand_surge(base):
    i = crisis(base(last=2), 2031, 2035, 0.1, {"kind": "demand_surge", "country": "AAA", "fraction": 1})
    # one of two years: 100 (1 + 1 x 0.5) = 150 t
    costs(i, 2 * (0.9 * 100 + 0.1 * 150) * CHINA)


@oracle("demand")
def test_price_surge(base):
    i = crisis(base(), 2030, 2030, 0.1, {"kind": "price_surge", "country": "CHN", "fraction": 1})
    costs(i, 0.9 * 100 * CHINA + 0.1 * (60 * HOME + 40 * 0.041))


@oracle("demand")
def test_a_service_floor_and_min_use_do_not_bind_a_branch(base):
    i = base().with_rows("facilities", {**PLANT, "min_use": 0.5})
    i = i.with_rows("sectors", {**CARS, "min_service": 1})
    i = crisis(i, 2030, 2030, 0.2, STOP, {"kind": "outage", "facility": "plant"})
    costs(i, 0.8 * (30 * HOME + 70 * CHINA) + 0.2 * 100 * SHORT)


@oracle("demand")
def test_clean_only_is_lifted_while_the_scenario_lasts(base):
    i = base(years=(2030, 2031)).with_rows("sectors", {**CARS, "clean_from_year": 2030})
    i = crisis(i, 2030, 2030, 0.1, {"kind": "outage", "facility": "plant"})
    home = 60 * HOME + 40 * SHORT
    costs(i, 0.9 * 2 * home + 0.1 * (100 * CHINA + home))


@oracle("exposed_share")
def test_a_cap_is_lifted_while_the_scenario_lasts_and_counts_in_the_marginal_after(base):
    i = base(years=(2030, 2031)).with_rows("caps", {"cap": "half", "metric": "exposed_share", "limit": 0.5})
    i = crisis(i, 2030, 2030, 0.1, {"kind": "outage", "facility": "plant"})
    half = 50 * (CHINA + HOME)
    plan = costs(i, 0.9 * 2 * half + 0.1 * (100 * CHINA + half))
    saved = plan.tables["dependence"].query("cap == 'half'").set_index("year")["marginal_musd_per_point"]
    assert saved[2030] == pytest.approx(0.9 * (HOME - CHINA))
    assert saved[2031] == pytest.approx(1.0 * (HOME - CHINA))


@oracle("stocks")
def test_stock_missing_at_the_end_of_a_branch_is_paid_once_at_its_value(base):
    i = base(last=3, rate=0.1).with_rows("stockpiles", {**PILE, "initial_t": 50, "max_t": 50, "final_min_t": 50})
    plan = costs(
        crisis(i, 2030, 2032, 0.25, STOP),
        (1 + 1 / 1.1 + 1 / 1.21) * (0.75 * 100 * CHINA + 0.25 * (60 * HOME + (40 - 50 / 3) * SHORT))
        + 0.25 * 50 * 0.005 / 1.1**3,
    )
    row = plan.tables["costs"].query("component == 'shortage'").iloc[-1]
    present = 1 + 1 / 1.1 + 1 / 1.21
    missing = 0.25 * 50 * 0.005 / 1.1**3
    assert row["musd"] == pytest.approx(0.25 * (40 - 50 / 3) * SHORT + missing / present)


@oracle("stocks")
def test_a_branch_starts_from_the_plans_stocks(base):
    i = base(years=(2030, 2031)).with_rows("stockpiles", {**PILE, "max_t": 40, "holding_usd_per_t": 1000})
    # 40 t are put aside in 2030, before anyone knows; the plan then uses them up, as does the branch
    costs(
        crisis(i, 2031, 2031, 0.25, STOP),
        140 * CHINA + 40 * 0.001 + 0.75 * 60 * CHINA + 0.25 * 60 * HOME,
    )


@oracle("stocks")
def test_a_branch_from_the_first_period_starts_from_the_initial_stocks(base):
    i = base(years=(2030, 2031)).with_rows(
        "stockpiles", {**PILE, "initial_t": 10, "max_t": 40, "holding_usd_per_t": 1000}
    )
    # the plan cannot fill the pile for a branch that begins with it
    costs(
        crisis(i, 2030, 2031, 0.25, STOP),
        0.75 * (190 * CHINA) + 0.25 * (2 * 60 * HOME + 70 * SHORT),
    )


@oracle("working_stocks")
def test_a_working_stock_bridges_five_weeks_of_use(base):
    # firms hold 5 weeks of the 100 t of 2030; in the first half of 2031 20 t are missing without China, and what is
    # drawn costs its value, 5 000 USD/t
    i = base(years=(2030, 2031)).with_rows("working_stocks", {"material": "magnet", "country": "AAA", "weeks": 5})
    when = {"first_year": 2031, "first_month": 1, "months": 6}
    i = i.with_rows("scenarios", {"scenario": "crisis", "name": "Crisis", "probability": 0.25, **when})
    i = i.with_rows("disruptions", {"scenario": "crisis", "fraction": 1, **STOP})
    held = 35 / 365 * 100
    plan = costs(i, 0.25 * (30 * HOME + (20 - held) * SHORT + held * 0.005 + 50 * CHINA) + 1.75 * 100 * CHINA)
    rows = plan.branches["crisis"]["working_stocks"]
    assert rows["t"].sum() / 12 == pytest.approx(held) and set(rows["provenance"]) == {"exposed"}
    assert plan.tables["working_stocks"].empty
    assert plan.tables["costs"].query("component == 'working_stock'")["musd"].sum() == pytest.approx(
        0.25 * held * 0.005
    )


@oracle("under_way")
def test_what_left_before_a_stop_still_arrives(base):
    # six and a half weeks are a month and a half: of the stop from July on all of July and half of August arrive,
    # for nothing. The plant makes 100/24 t in the rest of August, and 5 of the 100/12 t of each month after it
    i = base().with_rows("lanes", {**LANE, "transit_weeks": 6.5})
    when = {"first_year": 2030, "first_month": 7, "months": 6}
    i = i.with_rows("scenarios", {"scenario": "crisis", "name": "Crisis", "probability": 0.5, **when})
    i = i.with_rows("disruptions", {"scenario": "crisis", "fraction": 1, **STOP})
    crisis = (100 / 24 + 4 * 5) * HOME + 4 * (100 / 12 - 5) * SHORT
    costs(i, 0.75 * 100 * CHINA + 0.5 * crisis)


@oracle("least_use")
def test_a_branch_counts_with_its_probability_from_its_beginning_on(base):
    i = base(years=(2030, 2032), last=1, rate=0.1).with_rows("facilities", {**PLANT, "min_use": 0.5})
    first, second = 1 + 1 / 1.1, 1 / 1.21
    kept = 30 * HOME + 70 * CHINA
    costs(
        crisis(i, 2032, 2032, 0.25, STOP),
        first * kept + second * (0.75 * kept + 0.25 * (60 * HOME + 40 * SHORT)),
    )


# --- risk -----------------------------------------------------------------------------------------------------


def risky(base, weight, measure="cost"):
    """A crisis in 2031 with probability 0.25; what is stored against it costs 21 + 30 thousand USD a tonne.

    A stored tonne is worth 0.75 x 21 + 0.25 x 100 = 40.75 thousand on average, and 100 thousand in the crisis.
    """
    i = base(years=(2030, 2031)).with_rows("stockpiles", {**PILE, "max_t": 40, "holding_usd_per_t": 30000})
    i = crisis(i, 2031, 2031, 0.25, STOP)
    loaded = i.load()
    return planner.solve(loaded.with_settings(weight=weight, alpha=0.75, measure=measure), **SOLVE)


UNSTORED = 100 * CHINA + 0.75 * 100 * CHINA + 0.25 * (60 * HOME + 40 * SHORT)
STORED = 140 * CHINA + 40 * 0.030 + 0.75 * 60 * CHINA + 0.25 * 60 * HOME


@oracle("risk")
def test_the_worst_quarter_weighed_half_pays_for_the_stock(base):
    # mean: 51 > 40.75, not stored; half mean, half worst: 51 < 0.5 x 40.75 + 0.5 x 100 = 70.4, stored
    assert risky(base, 0.0).objective_musd == pytest.approx(UNSTORED)
    plan = risky(base, 0.5)
    assert plan.objective_musd == pytest.approx(STORED)
    worst = 140 * CHINA + 40 * 0.030 + 60 * HOME  # the crisis is just the worst quarter
    assert plan.plan["risk"]["mean_of_worst_musd"] == pytest.approx(worst)
    assert plan.plan["risk"]["objective_musd"] == pytest.approx(0.5 * STORED + 0.5 * worst)
    assert plan.plan["gap"] <= 2e-7  # what the least-exposure step may spend


KEPT_UP = {**PLANT, "fixed_om_usd_per_t": 500}  # 0.03 MUSD a year
IDLE = {"facility": "plant", "kind": "idle"}


@oracle("closing")
def test_a_plant_that_is_not_needed_is_idle_and_saves_its_fixed_cost(base):
    # all 100 t come from China; closing the plant once avoids 60 t x 500 USD
    i = base().with_rows("facilities", KEPT_UP)
    costs(i, 100 * CHINA + 0.03)
    plan = costs(i.with_rows("closures", IDLE), 100 * CHINA)
    row = plan.tables["closures"].iloc[0]
    assert (row["share"], row["closed_t"], row["avoided_musd"]) == pytest.approx((1.0, 60.0, 0.03))
    assert plan.tables["capacity"]["capacity_t"].tolist() == pytest.approx([0.0], abs=1e-3)


def test_idle_and_retired_are_together_no_more_than_the_plant(base):
    i = base().with_rows("facilities", KEPT_UP).with_rows("closures", IDLE, {**IDLE, "kind": "retire"})
    costs(i, 100 * CHINA)


@oracle("closing")
def test_a_plant_that_cannot_run_closes_once_and_no_more(base):
    # nobody sells metal: the plant has nothing to do, and no row of capacity holds its closing back
    i = base().with_rows("facilities", KEPT_UP).with_rows("closures", IDLE)
    costs(i.without("market_prices", market="metal-aaa").without("markets", market="metal-aaa"), 100 * CHINA)


def test_a_contract_keeps_the_part_of_the_plant_that_it_needs(base):
    # 30 t are made at home; the other 30 t of capacity are idle
    i = base().with_rows("facilities", {**KEPT_UP, "min_use": 0.5}).with_rows("closures", IDLE)
    plan = costs(i, 30 * HOME + 70 * CHINA + 30 * 500e-6)
    assert plan.tables["closures"]["share"].tolist() == pytest.approx([0.5])


def test_retiring_pays_if_it_costs_less_than_what_is_avoided_until_the_end(base):
    # half of 500 USD is avoided, in 3 years from 2030 (undiscounted): 750 USD a tonne; from 2031 on only 500
    i = base(years=(2030, 2031), last=2).with_rows("facilities", KEPT_UP)

    def retire(**columns):
        row = {"facility": "plant", "kind": "retire", "avoided_share": 0.5, **columns}
        return i.with_rows("closures", row)

    kept = 3 * (100 * CHINA + 0.03)
    plan = costs(retire(closing_usd_per_t=700), kept - 60 * 50e-6)
    assert plan.tables["closures"]["closing_musd"].tolist() == pytest.approx([0.042, 0.0])
    costs(retire(closing_usd_per_t=800), kept)
    costs(retire(closing_usd_per_t=700, first_year=2031), kept)
    costs(retire(closing_usd_per_t=400, first_year=2031), kept - 60 * 100e-6)


def test_what_closes_later_is_discounted_from_its_year(base):
    # 2031 at 10 %: 60 t x (500 - 200) USD / 1.1
    i = base(years=(2030, 2031), rate=0.1).with_rows("facilities", KEPT_UP)
    row = {"facility": "plant", "kind": "retire", "first_year": 2031, "closing_usd_per_t": 200}
    costs(i.with_rows("closures", row), (100 * CHINA + 0.03) * (1 + 1 / 1.1) - 60 * 300e-6 / 1.1)


def test_idle_comes_back_when_it_is_needed_and_what_retired_does_not(base):
    # in 2031 nothing comes from China: 60 t from home, 40 t short; the plant is idle in 2030 only
    i = base(years=(2030, 2031)).with_rows("facilities", KEPT_UP)
    i = alone(i).with_rows("lanes", {**LANE, "last_year": 2030})
    i = i.with_rows("closures", IDLE, {**IDLE, "kind": "retire"})
    plan = costs(i, 100 * CHINA + 60 * HOME + 40 * SHORT + 0.03)
    assert plan.tables["closures"][["kind", "year"]].values.tolist() == [["idle", 2030]]
    retired = planner.solve(i.without("closures", kind="idle").load())
    assert retired.objective_musd == pytest.approx(plan.objective_musd + 0.03)


def test_what_is_idle_does_not_help_in_a_crisis(base):
    # the stop (p = 0.01) is not worth keeping the plant for: 0.01 x 60 t x 70 thousand = 42 thousand USD a year,
    # while 60 t x 2 000 = 120 thousand are avoided; in the branch then all 100 t are short
    i = base(years=(2030, 2031)).with_rows("facilities", {**PLANT, "fixed_om_usd_per_t": 2000})
    i = crisis(i.with_rows("closures", IDLE), 2031, 2031, 0.01, STOP)
    plan = costs(i, 100 * CHINA + 0.99 * 100 * CHINA + 0.01 * 100 * SHORT)
    stopped = planner.stress(plan, instance=i.load(), families=("scenario",))
    assert stopped.cases["unserved_t"].max() == pytest.approx(100)
    assert [row["cost_musd"] for row in plan.plan["outcomes"]] == pytest.approx(
        [200 * CHINA, 100 * CHINA + 100 * SHORT]
    )


def test_a_point_above_a_cap_of_zero_saves_shortage_less_what_it_costs_from_china(base):
    # 60 t from home, 40 t short; 1 % of 60 t delivered comes from China instead of being short: 0.6 x (100 - 21)
    # thousand USD. At zero any larger dual would do for the solver, such as the whole price of shortage.
    i = base().with_rows("caps", {"cap": "none", "metric": "exposed_share", "limit": 0})
    plan = costs(i, 60 * HOME + 40 * SHORT)
    marginal = plan.tables["dependence"].query("cap == 'none'")["marginal_musd_per_point"]
    assert marginal.tolist() == pytest.approx([0.6 * (SHORT - CHINA)])
    assert plan.plan["certificate"]["relative_gap"] < 1e-9


@oracle("substitution")
def test_thrift_replaces_no_more_than_its_share(base):
    # a fifth of the demand can be done without, at 5 000 USD/t
    thrift = {"substitute": "thrift", "name": "Thinner magnets", "material": "magnet", "cost_usd_per_t": 5000}
    i = base().with_rows("substitutes", thrift)
    i = i.with_rows("substitute_shares", {"substitute": "thrift", "max_share": 0.2})
    costs(i, 80 * CHINA + 20 * 0.005)


@oracle("sales")
def test_a_buyer_takes_what_pays_up_to_its_most(base):
    # 22 000 for what China makes for 21 000: 40 t, which is all that it takes
    i = base().with_rows("buyers", {"buyer": "abroad", "country": "AAA", "material": "magnet"})
    i = i.with_rows("buyer_prices", {"buyer": "abroad", "price_usd_per_t": 22000, "max_t": 40})
    costs(i, 100 * CHINA - 40 * (0.022 - CHINA))
    # at 5 000 nothing pays, but 10 t are agreed
    i = i.with_rows("buyer_prices", {"buyer": "abroad", "price_usd_per_t": 5000, "min_t": 10, "max_t": 40})
    costs(i, 110 * CHINA - 10 * 0.005)


@oracle("sizes")
def test_the_size_of_a_plant_is_decided(base):
    # the line is 200 t for 2 MUSD at most, and 60 t for 1 at least: 100 t cost 1 + 40/140 MUSD
    line = {
        **LINE,
        "option": "line",
        "name": "Line",
        "module_t": 200,
        "capex_musd": 2,
        "integer": "no",
        "life_years": 1,
    }
    i = alone(base()).with_rows("facilities", {**PLANT, "capacity_t": 0}).with_rows("options", line)
    i = i.with_rows("option_sizes", {"option": "line", "size": "small", "capacity_t": 60, "capex_musd": 1})
    plan = costs(i, 100 * HOME + 1 + 40 / 140)
    built = plan.tables["builds"].iloc[0]
    assert (built["capacity_t"], built["capex_musd"]) == (pytest.approx(100), pytest.approx(1 + 40 / 140))


@oracle("largest_share")
def test_the_two_largest_suppliers_have_at_most_a_share(base):
    # China at 21 000, Russia at 25 000, home at 30 000 USD/t. The two largest of three may have 80 %: the third, the
    # smallest, has at least 20 t, and no more than that of the dearest is taken
    i = base(concern=("CHN", "RUS")).with_rows("markets", {"market": "rus", "country": "RUS", "material": "magnet"})
    i = i.with_rows("market_prices", {"market": "rus", "price_usd_per_t": 24000})
    i = i.with_rows("lanes", {**LANE, "origin": "RUS"})
    i = i.with_rows("caps", {"cap": "two", "metric": "largest_share", "material": "magnet", "largest": 2, "limit": 0.8})
    # x from China, y from Russia, 20 from home, x + y = 80 and y >= 20
    plan = costs(i, 60 * CHINA + 20 * 0.025 + 20 * HOME)
    row = plan.tables["dependence"].query("cap == 'two'").iloc[0]
    assert row["share"] == pytest.approx(0.8)
    # a point more lets 1 t less come from Russia and 1 t less from home, both from China instead
    assert row["marginal_musd_per_point"] == pytest.approx((0.025 - CHINA) + (HOME - CHINA))


@oracle("blends")
def test_a_blend_keeps_its_limits(base):
    # a cheap metal of 6 per tonne at 4 000 and the dear one of 1 at 10 000 USD/t; magnets have between 3 and 4
    i = alone(base()).with_rows("materials", {"material": "scrap", "name": "Scrap"})
    i = i.with_rows("processes", {"process": "melt", "name": "Melt"})
    i = i.with_rows("recipes", *({"process": "melt", "material": m, "role": role, "t_per_t": 1}
                                 for m, role in (("scrap", "input"), ("magnet", "output"))))  # fmt: skip
    i = i.with_rows("operations", {"facility": "plant", "process": "melt", "opex_usd_per_t": 20000})
    i = i.with_rows("markets", {"market": "scrap", "country": "AAA", "material": "scrap"})
    i = i.with_rows("market_prices", {"market": "scrap", "price_usd_per_t": 4000})
    i = i.with_rows("contents", *({"property": "iron", "material": m, "content": c}
                                  for m, c in (("metal", 1), ("scrap", 6))))  # fmt: skip
    i = i.with_rows("blends", {"property": "iron", "material": "magnet", "min": 3, "max": 4})
    # at most 4: s of scrap with 6 s + (60 - s) = 240, that is 36 t
    costs(i, 36 * 0.024 + 24 * HOME + 40 * SHORT)
    dear = i.with_rows("market_prices", {"market": "scrap", "price_usd_per_t": 40000})
    # at least 3: 6 s + (60 - s) = 180, that is 24 t
    costs(dear, 24 * 0.060 + 36 * HOME + 40 * SHORT)


@oracle("returns")
def test_no_more_is_collected_than_comes_back(base):
    # a tenth of the 100 t comes back as metal a year later, and saves 10 000 USD/t: 60 t of magnets are pressed anyway
    row = {"return": "old", "material": "magnet", "returned": "metal", "collected": 0.1, "mean_life_years": 1}
    i = alone(base(years=(2030, 2031))).with_rows("returns", row)
    costs(i, 60 * HOME * 2 + 40 * SHORT * 2 - 6 * 0.010)  # of the 60 t delivered


@oracle("impact")
def test_a_cap_on_emissions_turns_from_the_market_to_the_plant(base):
    # 20 units a tonne from China, 5 at home, 900 in all: 20 e + 5 (100 - e) <= 1 100
    factor = {"impact": "co2", "kind": "operation", "per_t": 5}
    i = base().with_rows("impacts", {"impact": "co2", "name": "Emissions", "unit": "t CO2"})
    i = i.with_rows("impact_factors", factor, {"impact": "co2", "kind": "lane", "per_t": 20})
    i = i.with_rows("caps", {"cap": "air", "metric": "impact", "impact": "co2", "limit": 1100})
    costs(i, 40 * CHINA + 60 * HOME)


@oracle("risk")
def test_a_price_on_the_worst_shortage_pays_for_the_stock_from_10250_usd_on(base):
    # 51 - 40.75 = 10.25 thousand USD a tonne
    assert risky(base, 10_200.0, "unserved").objective_musd == pytest.approx(UNSTORED)
    plan = risky(base, 10_300.0, "unserved")
    assert plan.objective_musd == pytest.approx(STORED)
    assert plan.plan["risk"]["mean_of_worst_t"] == pytest.approx(0.0, abs=1e-6)


def test_the_mean_of_the_worst_takes_part_of_the_outcome_on_the_border():
    from planner.solving.outcomes import mean_of_worst

    # worst 30 %: all of the 0.2 at 10, and 0.1 of the 0.5 at 4
    assert mean_of_worst([4.0, 1.0, 10.0], [0.5, 0.3, 0.2], 0.7) == pytest.approx((0.2 * 10 + 0.1 * 4) / 0.3)
    assert mean_of_worst([4.0, 1.0, 10.0], [0.5, 0.3, 0.2], 0.0) == pytest.approx(2 + 0.3 + 2)


def test_service_that_must_hold_in_a_branch_is_stored_for(base):
    # 60 t of home plant and 20 t of stock serve 80 % in the crisis, though the stock loses money on average
    i = base(years=(2030, 2031)).with_rows("stockpiles", {**PILE, "max_t": 40, "holding_usd_per_t": 30000})
    i = crisis(i, 2031, 2031, 0.25, STOP)
    i = i.with_rows("branch_service", {"scenario": "crisis", "sector": "cars", "min_service": 0.8})
    stored = 120 * CHINA + 20 * 0.030 + 0.75 * 80 * CHINA + 0.25 * (60 * HOME + 20 * SHORT)
    plan = costs(i, stored)
    assert plan.branches["crisis"]["service"]["short_t"].tolist() == pytest.approx([20])
    with pytest.raises(planner.PlannerError, match="no plan"):
        planner.solve(i.with_rows("stockpiles", {**PILE, "max_t": 10}).load())


# --- own production, and groups of options ------------------------------------------------------------------------

OWN = {"cap": "own", "metric": "own_share", "country": "AAA", "sense": "min"}


@oracle("own_share")
def test_a_floor_on_the_own_share_and_what_a_point_of_it_saves(base):
    # of 100 t of magnets 45 t are pressed at home at 30 000, the others bought in China at 21 000 USD/t
    plan = costs(base().with_rows("caps", {**OWN, "material": "magnet", "limit": 0.45}), 45 * HOME + 55 * CHINA)
    own = plan.tables["dependence"].set_index("cap").loc["own"]
    assert own["share"] == pytest.approx(0.45)
    assert own["marginal_musd_per_point"] == pytest.approx(0.009)


SAVED = 20 * (SHORT - HOME)  # MUSD a year by a line of 20 t: 1.4


def lines(draft, **capex):
    """The instance with some lines of 20 t, by name with the capex of each, MUSD."""
    draft = alone(draft).with_rows("facilities", {**PLANT, "capacity_t": 0})
    rows = [{**LINE, "option": name, "name": name, "module_t": 20, "capex_musd": musd} for name, musd in capex.items()]
    draft = draft.with_rows("options", *rows)
    return draft.with_rows("groups", *({"group": "all", "option": name} for name in capex))


def limited(draft, measure, **cells):
    return draft.with_rows("group_limits", {"group": "all", "measure": measure, **cells})


@oracle("groups")
def test_at_most_so_many_options(base):
    i = lines(base(), a=1, b=2, c=3)
    nothing = 100 * SHORT
    costs(i, nothing - 3 * SAVED + 0.6)
    costs(limited(i, "options", max=2), nothing - 2 * SAVED + 0.3)
    costs(limited(i, "options", max=0), nothing)


# --- every family has one -------------------------------------------------------------------------------------


def test_every_family_has_an_oracle():
    assert set(ORACLES) == {names(family) for family in models.FAMILIES}


@pytest.mark.parametrize("family", models.FAMILIES, ids=names)
def test_its_oracles_notice_that_a_family_is_missing(family, base, monkeypatch):
    """An oracle that still held without the family would say nothing about it."""
    monkeypatch.setattr(models, "FAMILIES", tuple(f for f in models.FAMILIES if f is not family))
    monkeypatch.setitem(SOLVE, "audit", False)
    noticed = 0
    for test in ORACLES[names(family)]:
        try:
            test(base)
        except (AssertionError, planner.PlannerError):
            noticed += 1
    assert noticed
