"""The value at which a project enters, against hand arithmetic and against what `explain` finds."""

import json
from pathlib import Path

import pytest
from builders import write_instance
from places import run as command
from test_families import TABLES, TOML

import planner
from planner.errors import Infeasible, UsageError
from planner.instance.tables import cells

INSTANCES = Path(__file__).parents[2] / "instances"


@pytest.fixture(scope="module")
def dear():
    """A line that makes 180 t in all for 4.5 MUSD a year in three years, and saves 0.07 MUSD/t: it lacks 0.9 MUSD."""
    return planner.load(INSTANCES / "lead-and-ramp").scaled("options", "capex_musd", 5.0)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """100 t a year in 2026-2029, from a market at 50 USD/kg or from two lines that are online 2027-2029.

    alpha: 60 t for 10 MUSD over 10 years, runs at 20 USD/kg; beta: 40 t for 10 MUSD, runs at 30 and needs an input.
    """
    tables = {
        **TABLES,
        "recipes": (
            "process,material,role,t_per_t\npress,magnet,output,1\nsinter,metal,input,1\nsinter,magnet,output,1\n"
        ),
        "processes": "process,name\npress,Press\nsinter,Sinter\n",
        "facilities": "facility,name,country,status\nalpha,Alpha,AAA,candidate\nbeta,Beta,BBB,candidate\n",
        "operations": "facility,process,opex_usd_per_t\nalpha,press,20000\nbeta,sinter,0\n",
        "lanes": "material,origin,destination,cost_usd_per_t\nmagnet,BBB,AAA,0\n",
        "markets": "market,country,material\nspot,AAA,magnet\nmetal,BBB,metal\n",
        "market_prices": "market,year,price_usd_per_t\nspot,,50000\nmetal,,30000\n",
        "options": (
            "option,facility,name,module_t,capex_musd,lead_years,life_years\n"
            "alpha-1,alpha,Alpha,60,10,1,10\nbeta-1,beta,Beta,40,10,1,10\n"
        ),
    }
    toml = TOML.format(years=[2026, 2027, 2028, 2029], last=1, rate=0.0, concern='["CHN"]')
    return planner.load(write_instance(tmp_path_factory.mktemp("twins") / "twins", tables, toml))


def test_the_price_of_a_product_above_which_a_line_pays(twins):
    # alpha makes 180 t and pays 3 annuities of 1 MUSD: 20 + 3000/180 USD/kg
    found = planner.break_even(twins, "alpha-1", price="magnet")
    assert (found.value, found.enters) == (pytest.approx(20 + 3000 / 180, rel=1e-6), "above")
    assert found.least < found.value < found.most and found.most - found.least < 1e-4 * found.value
    assert found.as_is.found == pytest.approx(3.0 - 180 * 0.030)  # at 50 USD/kg it saves 30 a kg


def test_the_price_of_an_input_below_which_a_line_pays(twins):
    # beta makes 120 t from as much metal: 50 USD/kg less 3000/120
    found = planner.break_even(twins, "beta-1", price="metal")
    assert (found.value, found.enters) == (pytest.approx(50 - 25, rel=1e-6), "below")
    assert "enters below 25" in str(found)


def test_at_the_value_found_the_plan_is_indifferent(twins):
    found = planner.break_even(twins, "beta-1", price="magnet")
    for factor, built in ((0.999, False), (1.001, True)):
        row = {"market": "spot", "price_usd_per_t": found.value * 1e3 * factor}
        plan = planner.solve(twins.with_rows("market_prices", row))
        assert ("beta-1" in set(plan.tables["builds"]["option"])) is built


def test_premium_guaranteed_price_and_subsidy_say_what_is_lacking(dear):
    # 0.9 MUSD over 180 t is 5 USD/kg; over 3 annuities of 4.5 MUSD it is a fifteenth of the capex
    premium = planner.break_even(dear, "narva-1", premium="magnet")
    assert premium.value == pytest.approx(5.0, rel=1e-6) and premium.enters == "above"
    subsidy = planner.break_even(dear, "narva-1", subsidy=True)
    assert subsidy.value == pytest.approx(0.9 / 13.5, rel=1e-6)
    asked = planner.explain(planner.solve(dear), exact=["narva-1"]).entry
    explained = asked[(asked["change"] == "capex") & (asked["how"] == "re-solve")]
    assert subsidy.value == pytest.approx(1.0 - float(explained["threshold"].iloc[0]), rel=1e-4)


def test_a_guaranteed_price_pays_what_the_market_is_below_it(twins):
    # beta earns 50 a kg and needs 30 + 25: a guarantee of 55
    found = planner.break_even(twins, "beta-1", floor="magnet")
    assert found.value == pytest.approx(55.0, rel=1e-6)
    # a market that falls to 40 from 2028 on: alone it costs beta 2 x 40 t x 10 USD/kg, which the guarantee makes good
    falls = [{"market": "spot", "year": y, "price_usd_per_t": p} for y, p in ((2027, 50000), (2028, 40000))]
    changed = twins.changed(rows={"market_prices": falls}, without={"market_prices": {"market": "spot", "year": None}})
    assert planner.break_even(changed, "beta-1", floor="magnet").value == pytest.approx(55.0, rel=1e-6)


def test_a_line_that_pays_as_it_is_needs_nothing(twins):
    found = planner.break_even(twins, "alpha-1", premium="magnet")
    assert found.enters == "always" and found.value != found.value and len(found.table) == 1


def test_a_divisible_line_enters_with_a_part(twins):
    row = next(r for r in twins.options if r.option == "alpha-1")
    parts = twins.with_rows("options", {**cells(row), "integer": False})
    assert planner.break_even(parts, "alpha-1", price="magnet").value == pytest.approx(20 + 3000 / 180, rel=1e-6)


def test_the_gap_widens_what_is_certain(twins):
    exact = planner.break_even(twins, "alpha-1", price="magnet")
    loose = planner.break_even(twins, "alpha-1", price="magnet", gap=0.02)
    assert loose.least <= exact.value <= loose.most
    assert loose.notes and not exact.notes


def test_what_nothing_can_build_is_told(twins):
    rows = [{"group": "none", "option": "alpha-1"}]
    limit = {"group": "none", "measure": "options", "max": 0}
    barred = twins.changed(rows={"groups": rows, "group_limits": [limit]})
    found = planner.break_even(barred, "alpha-1", price="magnet")
    assert found.enters == "never" and "no plan can build it" in found.says


def test_without_any_plan_the_reason_is_told(twins):
    sector = {**cells(twins.sectors[0]), "min_service": 1}
    barred = twins.with_rows("sectors", sector).with_rows(
        "market_prices", {"market": "spot", "price_usd_per_t": 50000, "max_t": 1}
    )
    with pytest.raises(Infeasible, match="min_service"):
        planner.break_even(barred, "alpha-1", subsidy=True)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "ask for one of"),
        ({"price": "magnet", "subsidy": True}, "ask for one of"),
        ({"price": "magnt"}, 'did you mean "magnet"'),
        ({"premium": "metal"}, "makes no metal"),
        ({"floor": "metal"}, "makes no metal"),
        ({"subsidy": True, "tolerance": 0.0}, "above 0"),
    ],
)
def test_slips_are_told(twins, asked, words):
    with pytest.raises(UsageError, match=words):
        planner.break_even(twins, "alpha-1", **asked)


def test_an_unknown_project_is_told(twins):
    with pytest.raises(UsageError, match="alpha-1"):
        planner.break_even(twins, "alpha1", subsidy=True)


def test_the_command(tmp_path):
    asked = ["break-even", str(INSTANCES / "lead-and-ramp"), "--option", "narva-1", "--subsidy"]
    out = command(*asked, "-o", str(tmp_path / "even"))
    assert "narva-1: pays as it is" in out.stdout
    about = json.loads((tmp_path / "even" / "break_even.json").read_text())
    assert about["enters"] == "always" and about["value"] is None
