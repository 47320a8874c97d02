"""A second chain with the same engine: what its page says, and what follows by hand."""

import re

import pytest
from places import INSTANCES

import planner

HERE = INSTANCES / "smco-2035"
PAGE = (HERE / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plan():
    return planner.solve(planner.load(HERE), gap=1e-4)  # solve audits: no violation


@pytest.fixture(scope="module")
def free():
    return planner.solve(planner.load(HERE).what_if("set sectors.clean_from_year="), gap=1e-4)


def served(plan, year):
    rows = plan.tables["service"].query("sector == 'defence' and year == @year")
    return rows[["demand_t", "clean_t", "exposed_t", "short_t"]].sum()


def test_the_metal_plant_is_what_is_missing_in_2027(plan):
    # 100 t nameplate at 0.85; Sm2Co17 holds 0.25 t/t, over a yield of 0.72, in three decimals
    metal, need = 85.0, round(0.25 / 0.72, 3)
    missing = served(plan, 2027)
    # of SmCo5 (0.36 t/t) nothing is made, and there is more need of Sm2Co17 than metal for it: 0.8 x 324 t
    assert 0.8 * missing.demand_t > metal / need
    assert missing.clean_t == pytest.approx(metal / need, rel=1e-4)
    assert missing.short_t == pytest.approx(missing.demand_t - metal / need, rel=1e-4)
    assert missing.exposed_t == 0


def test_one_line_of_metal_ends_the_shortage(plan):
    built = plan.tables["builds"]
    assert ("lcm-samarium-line", 2026) in list(zip(built.option, built.start_year, strict=True))
    assert all(served(plan, year).short_t == pytest.approx(0, abs=1e-3) for year in range(2028, 2036))


def test_without_the_rule_nobody_buys_clean_beyond_what_contracts_make(free):
    assert all(served(free, year).short_t == pytest.approx(0, abs=1e-3) for year in range(2026, 2036))
    assert set(free.tables["builds"].option) == set()


def test_the_page_says_what_the_plans_say(plan, free):
    more = plan.objective_musd - free.objective_musd
    short = plan.tables["costs"].query("component == 'shortage'").present_musd.sum()
    told = re.search(
        r"(\d+) MUSD present value 2026-2035: (\d+) for dearer magnets, .* and (\d+) for what is short", PAGE
    )
    assert [round(more), round(more - short), round(short)] == [int(t) for t in told.groups()]
    # 3,000 USD/kg of what is short in 2027, a year from the first, at 5 per cent; less what those magnets would cost
    assert short == pytest.approx(3.0 * served(plan, 2027).short_t / 1.05, rel=1e-4)


def test_two_chains_share_mines_and_no_material():
    ours, theirs = planner.load(HERE), planner.load(INSTANCES / "allied-2040")
    assert {m.material for m in ours.materials}.isdisjoint(m.material for m in theirs.materials)
    assert {f.owner for f in ours.facilities} & {f.owner for f in theirs.facilities} >= {
        "MP Materials",
        "Lynas Rare Earths",
    }
