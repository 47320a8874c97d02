"""Why a plan is as it is: every number against hand arithmetic, or against full solves of a changed instance."""

import csv
import json
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
from builders import write_instance
from places import run as command
from test_enumeration import instance as drawn
from test_families import TABLES, TOML

import planner
from planner.bands import Searched
from planner.commands.explain import price_path
from planner.errors import OutputError, UsageError
from planner.questions.explain.bench import Bench
from planner.questions.explain.entry import by_capex
from planner.questions.explain.model import Model
from planner.questions.explain.pieces import Piece, worker
from planner.questions.explain.projects import _difference, cost_if_built, survey
from planner.solving.pins import Pins
from planner.solving.solver import Settings

ROOT = Path(__file__).parents[2]
INSTANCES = ROOT / "instances"
CASES = Path(__file__).parents[1] / "cases"


def explained(instance, **settings):
    plan = planner.solve(instance)
    return plan, planner.explain(plan, **settings)


def only(frame, **where):
    """The one row with these values."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]


@pytest.fixture(scope="module")
def ramp():
    """One line of 90 t: 30, 60 and 90 t in 2028 to 2030, each tonne saving 70 000 USD, for 0.9 MUSD a year."""
    return planner.load(INSTANCES / "lead-and-ramp")


@pytest.fixture(scope="module")
def dear(ramp):
    """The same for 45 MUSD, 4.5 a year: it saves 180 t x 0.07 = 12.6 and costs 3 x 4.5 = 13.5, so it is not built."""
    return ramp.scaled("options", "capex_musd", 5.0)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """A line that pays, its loan twin and a dearer line elsewhere; magnets cost 50 000 USD/t at the market.

    2026-2029, 100 t a year. alpha: 60 t for 10 MUSD over 10 years, runs at 20 000; with a loan for 11 MUSD.
    beta: 40 t for 10 MUSD, runs at 30 000. All are online 2027-2029.
    """
    tables = {
        **TABLES,
        "recipes": "process,material,role,t_per_t\npress,magnet,output,1\n",
        "facilities": "facility,name,country,status\nalpha,Alpha,AAA,candidate\nbeta,Beta,BBB,candidate\n",
        "operations": "facility,process,opex_usd_per_t\nalpha,press,20000\nbeta,press,30000\n",
        "lanes": "material,origin,destination,cost_usd_per_t\nmagnet,BBB,AAA,0\n",
        "markets": "market,country,material\nspot,AAA,magnet\n",
        "market_prices": "market,year,price_usd_per_t\nspot,,50000\n",
        "options": (
            "option,facility,name,module_t,capex_musd,lead_years,life_years,exclusive_group\n"
            "alpha-1,alpha,Alpha,60,10,1,10,alpha\n"
            "alpha-loan,alpha,Alpha with a loan,60,11,1,10,alpha\n"
            "beta-1,beta,Beta,40,10,1,10,\n"
        ),
    }
    toml = TOML.format(years=[2026, 2027, 2028, 2029], last=1, rate=0.0, concern='["CHN"]')
    return planner.load(write_instance(tmp_path_factory.mktemp("twins") / "twins", tables, toml))


# --- what binds ---


def test_a_point_of_a_cap_in_tiny_saves_a_tonne_at_the_premium():
    _, e = explained(planner.load(INSTANCES / "tiny"))
    # one point of 100 t is 1 t, bought for 41 000 instead of pressed for 60 000
    assert only(e.binding, kind="cap").worth_musd == pytest.approx(0.019)
    premium = only(e.premiums, material="magnet", country="USA", year=2027)
    assert premium.premium_usd_per_kg == pytest.approx(19.0)
    # without the line nothing clean is there, so half of nothing may be exposed: 100 t short at 1 MUSD, and 2026
    assert only(e.projects, option="texas-line").value_musd == pytest.approx(100.0 + 4.1 - 9.75)


def test_capacity_and_lead_time_are_ordered_by_what_a_step_saves(ramp):
    _, e = explained(ramp)
    columns = ["kind", "year", "worth_musd", "unit", "step", "saves_musd", "holds", "how"]
    found = [tuple(round(v, 6) if isinstance(v, float) else v for v in row) for row in e.binding[columns].to_numpy()]
    # a year earlier: 30 + 60 + 90 + 90 t save 18.9 for 4 x 0.9, before 12.6 for 3 x 0.9
    # a tonne more saves 0.07 MUSD in 2028, of 30 t, and in 2029, of 60 t; in 2030 nothing is short
    assert found == [
        ("lead_time", 2026, 5.4, "year", 1.0, 5.4, "", "re-solve"),
        ("capacity", 2029, 0.07, "t/yr", 6.0, 0.42, "yes", "re-solve of the step"),
        ("capacity", 2028, 0.07, "t/yr", 3.0, 0.21, "yes", "re-solve of the step"),
    ]


def test_a_rate_that_ends_within_the_step_is_not_extrapolated(ramp):
    # of 31 t in 2028 one is short: 3 t more save one tonne's 0.07 MUSD, and a kilotonne no more
    need = {"country": "EST", "sector": "cars", "material": "magnet"}
    points = ((2026, 0), (2027, 0), (2028, 31), (2029, 31))
    draft = ramp.changed(
        rows={"demand": [{**need, "year": year, "demand_t": tonnes} for year, tonnes in points]},
        without={"demand": {}},
    )
    plan = planner.solve(draft, pins=Pins.parse(draft, force=["narva-1@2026"]))
    e = planner.explain(plan)
    row = only(e.binding, kind="capacity")
    assert (row.year, row.step, row.holds) == (2028, pytest.approx(3.0), "no")
    assert (row.worth_musd, row.saves_musd) == pytest.approx((0.07, 0.07))
    assert "holds for less" in str(e)


def test_room_in_a_stockpile():
    _, e = explained(planner.load(INSTANCES / "stock-cover"))
    # a tonne bought at 40 000 and held for 2 000 saves 60 000
    assert only(e.binding, kind="stock_room").worth_musd == pytest.approx(0.018)


def test_traced_cap_binds_once_it_is_switched_on():
    instance = planner.load(INSTANCES / "traced-cap")
    _, e = explained(instance)
    assert e.binding.empty
    _, e = explained(instance.with_rows("caps", {"cap": "traced", "metric": "exposed_share", "limit": 0.2}))
    # one tonne of magnets with 0.5 t of metal at 60 000 instead of 100 000
    assert only(e.binding, kind="cap", name="traced").worth_musd == pytest.approx(0.02)
    assert only(e.premiums, material="metal", country="JPN").premium_usd_per_kg == pytest.approx(40.0)
    assert only(e.premiums, material="magnet", country="JPN").premium_usd_per_kg == pytest.approx(20.0)


def test_a_million_of_any_money_buys_a_hundredth_of_a_module():
    _, e = explained(planner.load(CASES / "09_funding_limit" / "instance"))
    money = e.binding[e.binding["unit"] == "MUSD"]
    # 0.01 x 50 t x 2 years x 1 MUSD saved for annuities of 0.01 x 10 x 2
    assert sorted(money["kind"]) == ["fund", "fund", "private_money"]
    assert money["worth_musd"].tolist() == pytest.approx([0.8] * 3)
    assert set(money["how"]) == {"dual"}


def test_a_duty_to_run_and_its_price():
    _, e = explained(planner.load(CASES / "20_min_use_and_early_ramp" / "instance"))
    duty = e.binding[e.binding["kind"] == "least_use"]
    # a tonne made at 20 000 instead of bought at 10 000; with p = 0.2 the branch of 2027 is free of it
    assert dict(zip(duty["year"], duty["worth_musd"], strict=True)) == pytest.approx({2026: 0.010, 2027: 0.008})


def test_service_floors_and_clean_only_rules_are_told_in_points(twins):
    rows = {"sector": "cars", "name": "Cars", "shortage_usd_per_t": 10000, "min_service": 1}
    _, e = explained(twins.with_rows("sectors", rows))
    # magnets cost 50 000, being short 10 000: a point of 100 t saves 1 t x 40 000 each year
    floors = e.binding[e.binding["kind"] == "min_service"]
    assert floors["worth_musd"].tolist() == pytest.approx([0.04] * 4)


def test_a_clean_only_rule_costs_the_premium(tmp_path):
    tables = {
        **TABLES,
        "sectors": "sector,name,shortage_usd_per_t,clean_from_year\ncars,Cars,100000,2026\nvans,Vans,100000,\n",
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,,100\nAAA,vans,magnet,,10\n",
    }
    toml = TOML.format(years=[2026], last=1, rate=0.0, concern='["CHN"]')
    _, e = explained(planner.load(write_instance(tmp_path / "i", tables, toml)))
    # 60 t are pressed, 40 t of the cars are short at 100 000; vans get theirs from China for 21 000
    assert only(e.binding, kind="clean_only").worth_musd == pytest.approx(0.079)


def test_every_row_says_how_it_was_obtained(ramp, twins):
    for instance in (ramp, twins):
        _, e = explained(instance)
        for name in ("binding", "entry", "earnings", "bottlenecks"):
            assert (getattr(e, name)["how"] != "").all(), name
        built = e.projects["built"] == "yes"
        assert (e.projects.loc[built, "value_how"] == "re-solve").all()
        assert (e.projects.loc[~built, "cost_if_built_how"] == "re-solve").all()
        assert (e.projects["earns_how"] != "").all()


# --- what projects are worth ---


@pytest.mark.parametrize(
    "path",
    [
        *(INSTANCES / n for n in ("tiny", "lead-and-ramp")),
        *(CASES / n / "instance" for n in ("01_lead_ramp_life_annuity", "09_funding_limit", "17_project_failure")),
    ],
    ids=lambda p: p.parent.name if p.name == "instance" else p.name,
)
def test_the_value_of_a_project_is_the_difference_of_two_full_solves(path):
    instance = planner.load(path)
    plan, e = explained(instance)
    built = e.projects[e.projects["built"] == "yes"]
    assert not built.empty
    for p in built.itertuples():
        without = planner.solve(instance, pins=Pins.parse(instance, forbid=[p.option]))
        # either solve may spend 1e-7 of its cost on less exposure
        slack = 1e-6 * max(1.0, abs(without.objective_musd))
        assert p.value_musd == pytest.approx(without.objective_musd - plan.objective_musd, rel=1e-6, abs=slack)
        assert p.value_least_musd <= p.value_musd + 1e-6 and p.value_musd <= p.value_most_musd + 1e-6


def test_a_loan_twin_takes_the_place_of_its_project(twins):
    _, e = explained(twins)
    p = only(e.projects, option="alpha-1")
    # 3 years x 60 t x 30 000 = 5.4 for 3.0 of annuities, or 3.3 with the loan
    assert p.value_musd == pytest.approx(0.3)
    assert p.also_without == "alpha-loan"
    assert p.project_value_musd == pytest.approx(2.4)
    assert p.earns_musd == pytest.approx(5.4)
    assert p.annuity_musd == pytest.approx(3.0)
    loan = only(e.projects, option="alpha-loan")
    assert (loan.built, loan.cost_if_built_musd) == ("no", pytest.approx(0.3))
    earned = e.earnings[e.earnings["option"] == "alpha-1"]
    assert earned["year"].tolist() == [2027, 2028, 2029]
    assert earned["earns_musd"].tolist() == pytest.approx([1.8] * 3)
    assert earned["annuity_musd"].tolist() == pytest.approx([1.0] * 3)


def test_a_commitment_is_waived_to_see_what_it_costs():
    _, e = explained(planner.load(CASES / "15_committed" / "instance"))
    p = e.projects[e.projects["built"] == "yes"].iloc[0]
    # 42 with two modules of the least, 3 x 10 of shortage without
    assert p.value_musd == pytest.approx(30.0 - 42.0)


# --- what the others lack ---


def test_what_a_line_lacks_by_hand(dear):
    _, e = explained(dear, exact=["narva-1"])
    mine = e.entry[e.entry["how"] == "re-solve"].set_index("change")
    assert mine.loc["capex", "threshold"] == pytest.approx(12.6 / 13.5)
    assert mine.loc["opex", "threshold"] == pytest.approx(0.9 / 180 * 1e6)  # MUSD/t -> USD/t
    # a year earlier 270 t save 18.9 for 18.0 of annuities
    assert tuple(mine.loc["earlier", ["threshold", "enters", "stays_out"]]) == (1, 1, 0)
    # (30 m + 60 m + 90) t x 0.07 = 13.5
    size = (13.5 / 0.07 - 90) / 90
    assert mine.loc["larger", "stays_out"] < size <= mine.loc["larger", "enters"]
    assert mine.loc["larger", "threshold"] == pytest.approx(size, rel=2e-3)
    p = only(e.projects, option="narva-1")
    assert (p.built, p.cost_if_built_musd) == ("no", pytest.approx(0.9))
    # a first tonne earns its 0.07 in every year, 2030 too: at least 180 t, by duals, so no more can be lacking
    assert p.earns_musd == pytest.approx(12.6)
    duals = e.entry[e.entry["how"].str.startswith("dual")].set_index("change")
    assert duals.loc["capex", "threshold"] == pytest.approx(12.6 / 13.5)
    assert duals.loc["opex", "threshold"] == pytest.approx(5000)
    assert duals.loc["larger", "threshold"] == pytest.approx(13.5 / 12.6)  # at least: 2030 has no room for more


def test_an_option_beside_others_enters_where_it_pays_for_itself(twins):
    _, e = explained(twins, exact=["beta-1"])
    mine = e.entry[(e.entry["option"] == "beta-1") & (e.entry["how"] == "re-solve")].set_index("change")
    # 3 years x 40 t x 20 000 = 2.4 for 3.0
    assert mine.loc["capex", "threshold"] == pytest.approx(0.8)
    assert mine.loc["opex", "threshold"] == pytest.approx(5000)
    assert "not even a year earlier" in mine.loc["earlier", "says"] and mine.loc["earlier", "stays_out"] == 1
    loan = only(e.entry[e.entry["how"] == "re-solve"], option="alpha-loan", change="capex")
    assert loan.threshold == pytest.approx(10 / 11)
    with_alpha = planner.explain(planner.solve(twins), exact=["alpha-loan"])
    told = with_alpha.entry[with_alpha.entry["option"] == "alpha-loan"]
    assert "the running cost of alpha is not this option's alone" in told["says"].tolist()


def tried(instance, base, option, inside):
    """Solve a changed instance in full: whether the option is built must be ``inside``, at a cost below ``base``."""
    plan = planner.solve(instance)
    assert (option in set(plan.tables["builds"]["option"])) == inside
    if inside:
        assert plan.objective_musd < base
    else:
        assert plan.objective_musd == pytest.approx(base, rel=3e-7)


def test_capex_thresholds_hold_just_above_and_just_below_in_drawn_instances(tmp_path):
    confirmed = 0
    for seed in range(8):
        instance = drawn(tmp_path / str(seed), seed)
        try:
            plan, e = explained(instance)
        except planner.PlannerError as error:
            assert error.exit_code == 3
            continue
        rows = e.entry[(e.entry["how"] == "re-solve") & (e.entry["change"] == "capex") & (e.entry["threshold"] < 1.0)]
        for row in rows.itertuples():
            for factor in (1 - 1e-4, 1 + 1e-4):
                changed = instance.scaled("options", "capex_musd", row.threshold * factor, option=row.option)
                tried(changed, plan.objective_musd, row.option, inside=factor < 1)
            confirmed += 1
    assert confirmed >= 3


def test_what_duals_say_is_lacking_is_never_too_much_beside_the_same_builds(tmp_path):
    checked = 0
    for seed in range(8):
        instance = drawn(tmp_path / str(seed), seed)
        try:
            plan, e = explained(instance, projects=0)
        except planner.PlannerError:
            continue
        for p in e.projects[e.projects["built"] == "no"].itertuples():
            lacks = p.annuity_musd + p.fixed_om_musd - p.earns_musd
            for year in instance.years:
                held = {**Pins.of(instance, plan).fixed, (p.option, year): 1.0}
                try:
                    beside = planner.solve(instance, pins=Pins(held))
                except planner.PlannerError:  # it cannot start then, or stands in the same group
                    continue
                assert beside.objective_musd - plan.objective_musd >= lacks - 1e-6 * beside.objective_musd
                checked += 1
    assert checked >= 3


def test_the_other_thresholds_hold_just_above_and_just_below(dear):
    plan, e = explained(dear, exact=["narva-1"])
    mine = e.entry[e.entry["how"] == "re-solve"].set_index("change")
    row, operation = dict(dear.options[0]), dict(dear.operations[0])
    base = plan.objective_musd
    for factor in (1 - 1e-4, 1 + 1e-4):
        opex = 30000 - mine.loc["opex", "threshold"] * factor
        tried(dear.with_rows("operations", {**operation, "opex_usd_per_t": opex}), base, "narva-1", inside=factor > 1)
    for years, inside in ((mine.loc["earlier", "enters"], True), (mine.loc["earlier", "stays_out"], False)):
        tried(dear.with_rows("options", {**row, "lead_years": int(2 - years)}), base, "narva-1", inside)
    for factor, inside in ((mine.loc["larger", "enters"], True), (mine.loc["larger", "stays_out"], False)):
        tried(dear.with_rows("options", {**row, "module_t": 90 * factor}), base, "narva-1", inside)


def test_divisible_options_enter_little_by_little(dear):
    row = next(iter(dear.options))
    divisible = dear.with_rows("options", {**dict(row), "integer": False})
    _, e = explained(divisible)
    capex = only(e.entry[e.entry["how"] == "re-solve"], change="capex")
    # each tonne of nameplate serves 1/3 + 2/3 + 1 t: the same share of its cost as the whole line
    assert capex.threshold == pytest.approx(12.6 / 13.5)
    for factor, builds in ((1 - 1e-4, True), (1 + 1e-4, False)):
        tried = planner.solve(divisible.scaled("options", "capex_musd", capex.threshold * factor))
        assert (not tried.tables["builds"].empty) == builds


def test_not_even_free_tells_what_is_lacking_then(ramp):
    # 2030 is served in full by the first line, so the second one saves nothing and costs its upkeep
    rows = {"facility": "tartu", "name": "Tartu", "country": "EST", "status": "candidate", "fixed_om_usd_per_t": 1000}
    second = {**dict(ramp.options[0]), "option": "tartu-1", "facility": "tartu", "module_t": 10, "first_start": 2028}
    operation = {"facility": "tartu", "process": "make", "opex_usd_per_t": 30000}
    late = ramp.changed({"facilities": [rows], "options": [second], "operations": [operation]})
    _, e = explained(late)
    told = only(e.entry[e.entry["how"] == "re-solve"], option="tartu-1")
    # a third of 10 t online in 2030: 3.333 t x 1000 USD
    assert told.threshold != told.threshold
    assert told.says == "not even free of capex: 0.003333 MUSD more are lacking"


def test_what_the_gap_leaves_open_is_asked_once(dear):
    # online in 2030 only: an annuity of 4.5, and 100 USD/t for 30 t, which are lacking even free of capex; far less
    # than what the gap leaves open
    row = next(iter(dear.facilities))
    costly = dear.with_rows("facilities", {**dict(row), "fixed_om_usd_per_t": 100})
    costly = costly.with_rows("operations", {**dict(dear.operations[0]), "opex_usd_per_t": 200000})
    bench = Bench(costly, planner.solve(costly), Settings(gap=0.2))
    (project,) = survey(bench)
    cost_if_built(bench, project)
    assert project.cost_if_built.found == pytest.approx(4.5 + 0.003)
    project.if_built_least = 0.0  # as a search that was stopped early leaves it
    asked = []
    bench.progress = asked.append
    (entry,) = by_capex(bench, project)
    assert len(asked) == 1
    assert entry["threshold"] == 0.0 and "at best free of capex" in entry["says"]
    assert entry["how"] == "re-solve within 20.00%"


# --- bottlenecks and price support ---


def test_the_bottleneck_is_the_plant_that_is_short(ramp):
    _, e = explained(ramp)
    first = e.bottlenecks[e.bottlenecks["rank"] == 1].set_index("year")
    # one per cent of 30 t, and of 60 t, at 0.07 MUSD
    assert first["worth_musd_per_percent"].to_dict() == pytest.approx({2028: 0.021, 2029: 0.042})
    assert first["worth_usd_per_kg"].to_dict() == pytest.approx({2028: 70.0, 2029: 70.0})
    assert set(first["how"]) == {"re-solve of the step"}


def test_a_bottleneck_is_worth_no_more_than_what_is_short(ramp):
    # 30 t of 30.1 t are made in 2028: one per cent more, 0.3 t, saves the 0.1 t that are short, at 0.07 MUSD a tonne
    need = {"country": "EST", "sector": "cars", "material": "magnet"}
    points = ((2026, 0), (2027, 0), (2028, 30.1), (2029, 30.1))
    rows = [{**need, "year": year, "demand_t": tonnes} for year, tonnes in points]
    draft = ramp.changed(rows={"demand": rows}, without={"demand": {}})
    e = planner.explain(planner.solve(draft, pins=Pins.parse(draft, force=["narva-1@2026"])))
    assert only(e.bottlenecks, rank=1, year=2028).worth_musd_per_percent == pytest.approx(0.007)


def test_a_joint_product_that_is_thrown_away_bears_no_scarcity():
    _, e = explained(planner.load(CASES / "11_joint_products_with_surplus" / "instance"))
    # 80 t of ore make 4 t of Dy worth 300 000 USD/t (the market's price) for 80 x 10 000: 0.4 MUSD, all of it Dy
    row = only(e.bottlenecks, material="dy", rank=1)
    assert row.worth_musd_per_percent == pytest.approx(0.004)
    assert (row.supply_t, row.worth_usd_per_kg) == pytest.approx((5.0, 80.0))  # a fifth tonne is bought
    assert "ndpr" not in set(e.bottlenecks["material"])


def test_price_support_of_tiny():
    tiny = planner.load(INSTANCES / "tiny")
    plan, e = explained(tiny)
    row = only(e.price_support, option="texas-line")
    # 50 t: 0.6 of annuity, 50 x 20 000 of conversion, 25 t of metal at 80 000 = 3.6 MUSD; China sells at 40
    assert (row.material, row.year, row.output_t) == ("magnet", 2027, pytest.approx(50.0, rel=1e-5))
    assert row.cost_usd_per_kg == pytest.approx(72.0)
    assert (row.market_usd_per_kg, row.market_price) == (pytest.approx(40.0), "market china-magnets")
    assert row.support_usd_per_kg == pytest.approx(32.0)
    assert row.support_musd == pytest.approx(1.6)
    dearer = planner.explain(plan, prices={"magnet": {2026: 70, 2028: 90}, "metal": 60})
    row = only(dearer.price_support, option="texas-line")
    # metal at 60: (0.6 + 1.0 + 1.5) / 50 = 62; the price of 2027 is 80, so nothing is paid
    assert (row.cost_usd_per_kg, row.market_usd_per_kg) == (pytest.approx(62.0), pytest.approx(80.0))
    assert (row.support_musd, row.market_price) == (0.0, "given")


def test_priced_impacts_are_part_of_the_levelised_cost():
    tiny = planner.load(INSTANCES / "tiny").with_rows(
        "impacts", {"impact": "co2", "name": "CO2", "unit": "t", "price_usd_per_unit": 100}
    )
    caused = ({"kind": "operation", "per_t": 5}, {"kind": "build", "per_t": 10})
    _, e = explained(tiny.with_rows("impact_factors", *({"impact": "co2", **row} for row in caused)))
    # 50 t x 5 t of CO2 and 60 t of nameplate x 10, at 100 USD: 0.025 and 0.06 MUSD over 50 t, beside 72
    row = only(e.price_support, option="texas-line")
    assert row.cost_usd_per_kg == pytest.approx(72.0 + 0.5 + 1.2)


def test_without_any_market_price_support_is_blank(ramp):
    _, e = explained(ramp)
    assert e.price_support["support_musd"].isna().all()
    # 180 t x 30 000 + 2.7 over 180 t
    assert e.price_support["cost_usd_per_kg"].tolist() == pytest.approx([45.0] * 3)
    assert "give one with --prices magnet=USD_PER_KG" in str(e)


# --- the whole ---


def test_nothing_is_solved_again_if_nothing_is_asked(ramp, monkeypatch):
    plan = planner.solve(ramp)
    monkeypatch.setattr(Model, "solve", lambda *_, **__: pytest.fail("solved again"))
    e = planner.explain(plan, projects=0)
    assert only(e.projects, option="narva-1").value_how == ""
    assert "projects were not solved again" in " ".join(e.notes)


def test_an_interrupt_keeps_what_was_found(twins, monkeypatch):
    plan = planner.solve(twins)
    done = []
    real = Bench.solve

    def solve(self, **change):
        if len(done) == 1:  # a project without its option
            raise KeyboardInterrupt
        done.append(change)
        return real(self, **change)

    monkeypatch.setattr(Model, "solve", solve)
    e = planner.explain(plan)
    p = only(e.projects, option="alpha-1")
    assert p.value_musd == pytest.approx(0.3)
    assert p.project_value_how == "not re-solved: interrupted"
    assert only(e.projects, option="beta-1").cost_if_built_how == "not re-solved: interrupted"
    assert not e.complete and "interrupted" in str(e)


def test_what_was_solved_is_kept_until_all_is_done(twins, monkeypatch, tmp_path):
    plan, kept, solved = planner.solve(twins), tmp_path / "kept.jsonl", []
    real, most = Model.solve, [100]

    def solve(self, **change):
        if len(solved) == most[0]:
            raise KeyboardInterrupt
        solved.append(change)
        return real(self, **change)

    monkeypatch.setattr(Model, "solve", solve)
    whole = planner.explain(plan, exact=["beta-1"])
    needed, most[0] = len(solved), 5
    solved.clear()
    assert not planner.explain(plan, exact=["beta-1"], partial=kept).complete
    assert len(kept.read_text().splitlines()) >= 2  # the two without alpha-1
    solved.clear()
    most[0] = needed - 2
    again = planner.explain(plan, exact=["beta-1"], partial=kept)
    assert again.complete and not kept.exists()
    for name in ("binding", "projects", "entry"):
        assert getattr(again, name).equals(getattr(whole, name)), name


def test_each_solve_is_the_same_whatever_was_solved_before(twins):
    bench = Bench(twins, planner.solve(twins), Settings())
    elsewhere = pickle.loads(pickle.dumps(bench))
    pieces = [Piece("without", ("alpha-1",)), Piece("earlier", ("alpha-1",))]
    pieces += [Piece("with", (p.option.option,), p, True) for p in survey(bench) if not p.built]
    here = [str(worker(bench)(piece)) for piece in pieces]
    assert [str(worker(elsewhere)(piece)) for piece in reversed(pieces)] == here[::-1]


def test_pinned_runs_are_told_apart(twins):
    pins = Pins.parse(twins, force=["beta-1@2026"])
    plan = planner.solve(twins, pins=pins)
    e = planner.explain(plan)
    # forced, it loses the 0.6 it lacks
    assert only(e.projects, option="beta-1").value_musd == pytest.approx(-0.6)
    assert any("pinned" in note for note in e.notes)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"exact": ["narva"]}, 'unknown option narva; did you mean "narva-1"'),
        ({"exact": ["narva-1"]}, "narva-1 is built in the run"),
        ({"prices": {"magnets": 40}}, 'unknown material magnets; did you mean "magnet"'),
        ({"prices": {"magnet": -1}}, "USD per kg, 0 or more"),
        ({"prices": {"magnet": {}}}, "USD per kg, 0 or more"),
        ({"projects": -1}, "expected 0 or more"),
        ({"prices": {"slag": 4}}, "a price of slag does nothing here"),
    ],
)
def test_bad_settings_name_what_is_wrong(ramp, settings, says):
    with pytest.raises(UsageError, match=says):
        planner.explain(planner.solve(ramp.with_rows("materials", {"material": "slag", "name": "Slag"})), **settings)


def test_prices_as_written_on_the_command_line():
    assert price_path("magnet=40.5") == ("magnet", 40.5)
    assert price_path("magnet=2026:60,2030:110") == ("magnet", {2026: 60.0, 2030: 110.0})
    for wrong in ("magnet", "magnet=", "magnet=dear", "magnet=26:60"):
        with pytest.raises(UsageError, match="expected MATERIAL=USD_PER_KG"):
            price_path(wrong)


def test_the_folder_holds_every_frame_and_is_not_replaced_unasked(ramp, tmp_path):
    _, e = explained(ramp)
    folder = e.write(tmp_path / "why")
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["explain.json", *(f"{n}.csv" for n in planner.Explanation.tables())]
    )
    assert json.loads((folder / "explain.json").read_text())["projects"][0]["value_musd"] == pytest.approx(9.9)
    with (folder / "projects.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["option"], row["start_year"], float(row["value_musd"])) == ("narva-1", "2026", pytest.approx(9.9))
    assert row["cost_if_built_musd"] == ""
    with pytest.raises(OutputError, match="exists"):
        e.write(tmp_path / "why")
    e.write(tmp_path / "why", overwrite=True)


def test_the_command_finds_the_instance_and_prints_only_the_result(tmp_path):
    folder = tmp_path / "run"
    assert command("solve", INSTANCES / "tiny", "-o", folder).returncode == 0
    done = command("explain", folder, "-o", tmp_path / "why", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Why this plan: Tiny") and "without it 94.35 more [re-solve]" in done.stdout
    assert "without texas-line" in done.stderr
    done = command("explain", folder, "--json", "--instance", INSTANCES / "tiny")
    assert json.loads(done.stdout)["objective_musd"] == pytest.approx(9.75)
    wrong = command("explain", folder, "--instance", INSTANCES / "stock-cover")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "the run is of tiny" in wrong.stderr
    assert command("explain", tmp_path / "nothing").returncode == 2


def differing(answer, base, *, min_modules=0, pinned=False):
    """What the plan is told to cost more without a project, from the ends of both searches."""
    option = SimpleNamespace(option="line", min_modules=min_modules)
    bench = SimpleNamespace(
        label="re-solve", searched=base, pinned=pinned, notes=[], instance=SimpleNamespace(options=[option])
    )
    found = SimpleNamespace(stopped="optimal", held=True, value=answer.cost, bound=answer.bound)
    return _difference(bench, found, ["line"])[0], bench.notes


def test_to_do_without_a_project_never_costs_less_than_the_best_plan_does():
    # between 95 and 100 with it, between 92 and 110 without: at least nothing, at most 15
    band, notes = differing(Searched(110.0, 92.0), Searched(100.0, 95.0))
    assert band[:3] == (10.0, 0.0, 15.0) and not notes
    assert band.told() == "between nothing and 15 MUSD more"
    # found at 98 without it: the plan of 100 is not the best one
    band, notes = differing(Searched(98.0, 96.0), Searched(100.0, 95.0))
    assert band[:3] == (0.0, 0.0, 3.0) and "can be improved: without line it costs 2 MUSD less" in notes[0]


def test_to_do_without_a_committed_project_may_cost_less():
    for how in ({"min_modules": 1}, {"pinned": True}):
        band, notes = differing(Searched(98.0, 98.0), Searched(100.0, 100.0), **how)
        assert band.told() == "2 MUSD less" and not notes
