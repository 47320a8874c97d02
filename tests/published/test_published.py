"""The planner finds the optima that others have published; docs/published.md names the sources."""

import os
from pathlib import Path

import pytest
from bleecam_case import instance as bleecam
from builders import write_instance
from published_cases import (
    BACK,
    CITIES,
    CLOSED,
    KEPT,
    RECOVERY,
    WANTED,
    WORTH,
    boats,
    distribution,
    distribution_with_choice_of_depots,
    factory,
    factory_with_choice_of_repairs,
    farmer,
    food,
    food_of_few_oils,
    mining,
    superstructure,
    warehouses,
)

import planner

POUND = 1e-6  # in the millions of the planner


def solved(folder, case, pins=None):
    settings, tables = case
    folder = write_instance(folder / "case", {name: rows for name, rows in tables.items() if rows}, settings)
    plan = planner.solve(folder, pins=pins, gap=0.0)
    assert plan.status == "optimal"
    return plan


def test_distribution_by_williams(tmp_path):
    assert solved(tmp_path, distribution()).objective_musd == pytest.approx(198_500 * POUND, rel=1e-6)


def test_distribution_with_a_choice_of_depots_by_williams(tmp_path):
    plan = solved(tmp_path, distribution_with_choice_of_depots())
    assert plan.objective_musd == pytest.approx((174_000 + CLOSED) * POUND, rel=1e-6)
    assert set(plan.tables["builds"]["option"]) == {"Exeter", "Northampton", "more room"}


def test_food_of_few_oils_by_williams(tmp_path):
    assert solved(tmp_path, food_of_few_oils()).objective_musd == pytest.approx(-100_278.7037 * POUND, rel=1e-6)


def test_factory_planning_with_a_choice_of_repairs_by_williams(tmp_path):
    plan = solved(tmp_path, factory_with_choice_of_repairs())
    assert plan.objective_musd == pytest.approx(-108_855 * POUND, rel=1e-6)


def test_food_manufacture_by_williams(tmp_path):
    assert solved(tmp_path, food()).objective_musd == pytest.approx(-107_842.5926 * POUND, rel=1e-6)


def test_factory_planning_by_williams(tmp_path):
    assert solved(tmp_path, factory()).objective_musd == pytest.approx(-93_715.1786 * POUND, rel=1e-6)


def test_mining_by_williams(tmp_path):
    assert solved(tmp_path, mining()).objective_musd == pytest.approx(-146_861_974.3642 * POUND, rel=1e-6)


def test_the_farmer_of_birge_and_louveaux(tmp_path):
    plan = solved(tmp_path, farmer())
    assert plan.objective_musd == pytest.approx(-108_390 * POUND, rel=1e-6)
    acres = plan.tables["builds"].set_index("option")["modules"].to_dict()
    assert acres == pytest.approx({"acre of wheat": 170, "acre of corn": 80, "acre of beets": 250}, rel=1e-4)


def test_what_the_farmer_would_pay_to_know_the_year(tmp_path):
    # with perfect information he has 115,406 on average: 7,016 more
    known = [solved(tmp_path / str(y), farmer((y,))).objective_musd for y in (0.8, 1.0, 1.2)]
    assert -sum(known) / 3 - 108_390 * POUND == pytest.approx(7_016 * POUND, rel=1e-3)


def test_what_the_farmer_loses_who_plans_for_the_mean_year(tmp_path):
    # the value of the stochastic solution is 1,150: with the acres of the mean year he has 107,240 on average
    mean = solved(tmp_path / "mean", farmer((1.0,)))
    assert -mean.objective_musd == pytest.approx(118_600 * POUND, rel=1e-6)
    planned = solved(tmp_path / "whole", farmer(), pins=planner.Pins(dict(mean.builds)))
    assert -planned.objective_musd == pytest.approx(107_240 * POUND, rel=1e-6)


@pytest.mark.parametrize("steps", [5, 20, 80])
def test_a_linear_demand_in_steps_comes_to_its_closed_form(tmp_path, steps):
    """Price 100 - q USD/t, cost 37: the surplus is (100 - 37)^2 / 2 at q = 63.

    Each of n steps of h = 100 / n t pays the price at its middle. What the steps lose is at most that of the one in
    which the cost lies: with a part s of it above the cost, |h^2 / 8 - ...| is never above h^2 / 8.
    """
    width = 100 / steps
    settings, tables = farmer((1.0,))
    tables = {name: tables[name] for name in ("countries",)}
    tables |= {
        "materials": [{"material": "good", "name": "Good"}],
        "processes": [{"process": "make", "name": "Make"}],
        "recipes": [{"process": "make", "material": "good", "role": "output", "t_per_t": 1}],
        "facilities": [{"facility": "works", "name": "Works", "country": "here", "status": "operating", "capacity_t": 1000}],
        "operations": [{"facility": "works", "process": "make", "opex_usd_per_t": 37}],
        "buyers": [{"buyer": f"s{i}", "country": "here", "material": "good"} for i in range(steps)],
        "buyer_prices": [
            {"buyer": f"s{i}", "price_usd_per_t": 100 - (i + 0.5) * width, "max_t": width} for i in range(steps)
        ],
    }  # fmt: skip
    plan = solved(tmp_path, (settings, tables))
    surplus, sold = -plan.objective_musd / POUND, plan.tables["sales"]["t"].sum()
    assert surplus == pytest.approx(63**2 / 2, abs=width**2 / 8 + 1e-3)
    assert sold == pytest.approx(63, abs=width / 2 + 1e-6)


def test_boats_that_come_back_of_relog(tmp_path):
    plan = solved(tmp_path, boats())
    lost = 5 * len(CITIES) * WANTED * WORTH  # what is not sold counts as lost here, in RELOG what is sold as earned
    assert plan.objective_musd == pytest.approx((4_454_165.94 + lost) * POUND, abs=0.1 * POUND)
    sold = plan.tables["service"].groupby("year")["clean_t"].sum()
    assert sold.tolist() == pytest.approx([63.15789, 71.46814, 75.88570, 76.90434, 77.27087], abs=1e-4)
    # all that comes back is recycled, which is what RELOG asks for
    back = [sum(part * sold.get(year - n, 0.0) for n, part in enumerate(BACK)) for year in sold.index]
    assert plan.tables["returned"].groupby("year")["t"].sum().tolist() == pytest.approx(back)
    # the sums of its tables of emissions: of transport, of plants
    caused = plan.tables["impact_totals"].groupby(["impact", "kind"])["units"].sum().to_dict()
    emitted = {("CO2", "lane"): 36403.2842, ("NH4", "lane"): 13854.9813, ("CO2", "operation"): 2470.30414}
    assert caused == pytest.approx(emitted, rel=1e-6)


@pytest.mark.parametrize(("by_products", "worth"), [(False, -16_440_490.52395555), (True, -16_454_574.208341438)])
def test_the_superstructure_of_prommis(tmp_path, by_products, worth):
    plan = solved(tmp_path, superstructure(by_products))
    assert plan.objective_musd == pytest.approx(-worth * POUND, rel=1e-9)
    # the lines of its plan, and the size that the largest of its years asks for
    lines = plan.tables["builds"].query("option.str.startswith('line')").set_index("option")["capacity_t"].to_dict()
    assert lines == pytest.approx({"line 2.2": 131.2720929, "line 3.3": 131.2720929}, rel=1e-6)


def test_the_cost_of_recovery_of_prommis(tmp_path):
    """The price of neodymium at which a plant earns nothing, with by-products: 261.6415514638381 USD/kg.

    What break-even finds is paid beyond the worth of the instance, of which KEPT is left when sales are paid for.
    """
    settings, tables = superstructure(by_products=True, at_will=True)
    folder = write_instance(tmp_path / "case", tables, settings)
    found = planner.break_even(folder, "line 3.3", premium="neodymium 3.3", tolerance=1e-9, gap=0.0)
    assert found.enters == "above"
    assert RECOVERY["3.3"][2] + found.value / KEPT == pytest.approx(261.6415514638381, rel=1e-8)


# --- OR-Library: the files are fetched by the reader, see docs/published.md ---

OPTIMA = {
    "cap41": 1040444.375, "cap42": 1098000.450, "cap43": 1153000.450, "cap44": 1235500.450, "cap51": 1025208.225,
    "cap61": 932615.750, "cap62": 977799.400, "cap63": 1014062.050, "cap64": 1045650.250, "cap71": 932615.750,
    "cap72": 977799.400, "cap73": 1010641.450, "cap74": 1034976.975, "cap81": 838499.288, "cap82": 910889.563,
    "cap83": 975889.563, "cap84": 1069369.525, "cap91": 796648.438, "cap92": 855733.500, "cap93": 896617.538,
    "cap94": 946051.325, "cap101": 796648.437, "cap102": 854704.200, "cap103": 893782.112, "cap104": 928941.750,
    "cap111": 826124.713, "cap112": 901377.213, "cap113": 970567.750, "cap114": 1063356.488, "cap121": 793439.563,
    "cap122": 852524.625, "cap123": 895302.325, "cap124": 946051.325, "cap131": 793439.562, "cap132": 851495.325,
    "cap133": 893076.712, "cap134": 928941.750,
}  # fmt: skip
FOLDER = Path(os.environ.get("PLANNER_ORLIB", "/nowhere"))


@pytest.mark.parametrize("name", OPTIMA)
def test_warehouses_of_the_or_library(tmp_path, name):
    found = next(FOLDER.rglob(f"{name}.txt"), None) if FOLDER.is_dir() else None
    if found is None:
        pytest.skip("set PLANNER_ORLIB to a folder with the files of the OR-Library")
    plan = solved(tmp_path, warehouses(found.read_text()))
    assert plan.objective_musd == pytest.approx(OPTIMA[name] * POUND, rel=1e-6)


def test_a_file_in_the_form_of_the_or_library(tmp_path):
    """Two stores of 30 t for 50 and 60, three customers of 10, 20 and 25 t: both are needed, for 110.

    All of the first costs 10 or 90, of the second 40 or 60, of the third 100 or 25: at best 10 + 40 + 25, and each
    store has room for it (30 and 25 t).
    """
    text = "2 3\n30 50\n30 60\n10\n10 90\n20\n40 60\n25\n100 25\n"
    assert solved(tmp_path, warehouses(text)).objective_musd == pytest.approx((110 + 75) * POUND, rel=1e-6)


# --- BLEECAM: the reader's own copy, see docs/bleecam.md ---

RARE_EARTH = Path(os.environ.get("PLANNER_BLEECAM", "/nowhere"))


@pytest.mark.parametrize(
    ("run", "optimum"),
    [({}, 410_101.8357), ({"decline": True}, 397_092.8103), ({"counted": "warming"}, 291.9070577)],
    ids=["base", "decline", "warming"],
)
def test_the_rare_earth_case_of_bleecam(tmp_path, run, optimum):
    """Thousand dollars, as published; of the least warming thousand units, by its own program."""
    if not RARE_EARTH.is_dir():
        pytest.skip("set PLANNER_BLEECAM to the folder src/bleecam/cases/rare_earth of a copy of BLEECAM")
    assert solved(tmp_path, bleecam(RARE_EARTH, **run)).objective_musd == pytest.approx(optimum * 1e-3, rel=1e-6)


def test_the_least_cost_of_bleecam_is_nearly_all_traced_to_china(tmp_path):
    if not RARE_EARTH.is_dir():
        pytest.skip("set PLANNER_BLEECAM to the folder src/bleecam/cases/rare_earth of a copy of BLEECAM")
    shares = solved(tmp_path, bleecam(RARE_EARTH)).tables["dependence"].query("year == 2029").set_index("metric")
    assert shares.loc["exposed_share", "share"] == pytest.approx(0.991, abs=5e-4)
    assert shares.loc["stage_share"].set_index("stage").loc["magnets", "share"] == 0
