"""Goods that come back after their use, in small chains derived by hand; the base is the chain of test_families.

AAA needs 100 t of magnets a year. From China they cost 21 000 USD/t (exposed). What comes back is scrap, of which one
tonne makes a tonne of clean magnets for 1 000 USD in a plant of 500 t in AAA; so each tonne collected saves 20 000.
"""

import pickle

import pytest
from test_families import CHINA, SHORT, STOP, base, costs, crisis  # noqa: F401

import planner

RENEWED = 0.001  # MUSD/t
SCRAP = {"material": "scrap", "name": "Scrap"}


def back(draft, **columns):
    """The draft with a plant that renews scrap, and a row of returns.csv."""
    draft = draft.with_rows("materials", SCRAP).with_rows(
        "processes", {"process": "renew", "name": "Renew", "restores_provenance": "yes"}
    )
    draft = draft.with_rows(
        "recipes",
        {"process": "renew", "material": "scrap", "role": "input", "t_per_t": 1},
        {"process": "renew", "material": "magnet", "role": "output", "t_per_t": 1},
    )
    plant = {"facility": "renewer", "name": "Renewer", "country": "AAA", "status": "operating", "capacity_t": 500}
    draft = draft.with_rows("facilities", plant)
    draft = draft.with_rows("operations", {"facility": "renewer", "process": "renew", "opex_usd_per_t": 1000})
    row = {"return": "old", "material": "magnet", "returned": "scrap", "collected": 0.5, "mean_life_years": 1}
    return draft.with_rows("returns", {**row, **columns})


def test_what_was_renewed_comes_back_again(base):  # noqa: F811
    # 50 t come back of the 100 t of each year before, whatever these were made of
    plan = costs(back(base(years=(2030, 2031, 2032))), 300 * CHINA - 2 * 50 * (CHINA - RENEWED))
    rows = plan.tables["returned"]
    assert rows[rows["t"] > 1e-3].values.tolist() == [
        ["old", "AAA", "scrap", "clean", 2032, pytest.approx(25.0)],
        ["old", "AAA", "scrap", "exposed", 2031, pytest.approx(50.0)],
        ["old", "AAA", "scrap", "exposed", 2032, pytest.approx(25.0)],
    ]
    origin = plan.tables["origin"].query("stage == 'magnet' and year == 2031")
    assert origin.set_index("origin")["t"].round(3).to_dict() == {"recycled": 50.0, "CHN": 50.0}


@pytest.mark.parametrize(("mean", "years"), [(0.4, 0), (0.5, 1), (1.4, 1), (1.5, 2), (2.5, 3)])
def test_half_a_year_is_rounded_up(base, mean, years):  # noqa: F811
    # of four years, 4 - n can take back; in the year itself x = 0.5 (x + y) with x + y = 100
    plan = costs(
        back(base(years=(2030, 2031, 2032, 2033)), mean_life_years=mean),
        400 * CHINA - (4 - years) * 50 * (CHINA - RENEWED),
    )
    assert set(plan.tables["returned"]["year"]) == set(range(2030 + years, 2034))


def test_periods_of_several_years_count_pairs_of_years(base):  # noqa: F811
    # periods 2030-32 and 2033-34, life 2: into the first only 2030 -> 2032, one of three years; into the second
    # 2031 -> 2033 and 2032 -> 2034, both of its two years
    i = back(base(years=(2030, 2033), last=2), mean_life_years=2)
    saved = 3 * (50 / 3) * (CHINA - RENEWED) + 2 * 50 * (CHINA - RENEWED)
    plan = costs(i, 500 * CHINA - saved)
    assert plan.tables["returned"].groupby("year")["t"].sum().tolist() == pytest.approx([50 / 3, 50.0])


def test_what_cannot_be_used_is_left_where_it_is(base):  # noqa: F811
    # the renewer is small, and scrap may not be thrown away; it cannot be thrown away even where it might
    i = back(base(years=(2030, 2031))).with_rows("materials", {**SCRAP, "surplus": "no"})
    plant = {"facility": "renewer", "name": "Renewer", "country": "AAA", "status": "operating", "capacity_t": 10}
    costs(i.with_rows("facilities", plant), 200 * CHINA - 10 * (CHINA - RENEWED))


def test_scrap_leaves_by_lanes_and_pays_tariffs(base):  # noqa: F811
    # only Bland renews; a lane costs 2 000, a tariff of 50 % on a value of 4 000 as much again, and magnets come back
    plant = {"facility": "renewer", "name": "Renewer", "country": "BBB", "status": "operating", "capacity_t": 500}
    i = back(base(years=(2030, 2031))).with_rows("facilities", plant)
    i = i.with_rows("materials", {**SCRAP, "value_usd_per_t": 4000})
    i = i.with_rows(
        "lanes",
        {"material": "scrap", "origin": "AAA", "destination": "BBB", "cost_usd_per_t": 2000},
        {"material": "magnet", "origin": "BBB", "destination": "AAA", "cost_usd_per_t": 1000},
    )
    i = i.with_rows("tariffs", {"material": "scrap", "origin": "AAA", "destination": "BBB", "rate": 0.5})
    costs(i, 200 * CHINA - 50 * (CHINA - RENEWED - 0.002 - 0.002 - 0.001))


def test_the_sector_and_the_country_of_a_return_count(base):  # noqa: F811
    i = back(base(years=(2030, 2031)), sector="ships", country="AAA")
    i = i.with_rows("sectors", {"sector": "ships", "name": "Ships", "shortage_usd_per_t": 100000})
    i = i.with_rows("demand", {"country": "AAA", "sector": "ships", "material": "magnet", "year": "", "demand_t": 40})
    costs(i, 280 * CHINA - 20 * (CHINA - RENEWED))


def test_a_branch_takes_back_what_the_plan_delivered_before_it(base):  # noqa: F811
    # in 2031 nothing comes from China: 50 t come back of the plan's 100, 50 t are short (no metal is sold); in 2032
    # half of the 50 t that were delivered in the branch come back
    i = back(base(years=(2030, 2031, 2032))).without("market_prices", market="metal-aaa")
    i = i.without("markets", market="metal-aaa")
    i = crisis(i, 2031, 2032, 0.25, STOP)
    plan = 50 * (RENEWED + CHINA)
    branch = 50 * (RENEWED + SHORT) + 25 * RENEWED + 75 * SHORT
    solved = costs(i, 100 * CHINA + 0.75 * 2 * plan + 0.25 * branch)
    assert solved.branches["crisis"]["returned"].groupby("year")["t"].sum().tolist() == pytest.approx([50.0, 25.0])
    # and so does a stress test of its own, in other processes too
    tested = planner.stress(solved, families=("scenario",), workers=2)
    assert tested.faults == {}
    assert tested.cases.query("case == 'scenario:crisis'")["cost_musd"].tolist() == pytest.approx([branch])


def test_what_is_replaced_does_not_come_back(base):  # noqa: F811
    i = back(base(years=(2030, 2031)))
    i = i.with_rows("substitutes", {"substitute": "thrift", "name": "Thrift", "material": "magnet"})
    i = i.with_rows("substitute_shares", {"substitute": "thrift", "year": "", "max_share": 0.2})
    # 80 t are delivered; replacing is free
    costs(i, 160 * CHINA - 40 * (CHINA - RENEWED))


def test_a_strategic_material_that_comes_back_is_warned_of_and_drawn(base):  # noqa: F811
    i = back(base(years=(2030, 2031))).with_rows("materials", {**SCRAP, "stage": "metal", "strategic": "yes"})
    plan = costs(i, 200 * CHINA - 50 * (CHINA - RENEWED))
    assert [w.code for w in i.load().warnings] == ["W572"]
    assert planner.report(plan)


def test_explain_tells_what_more_that_came_back_would_save(base):  # noqa: F811
    plan = planner.solve(back(base(years=(2030, 2031))).load())
    binding = planner.explain(plan).binding.query("kind == 'return'")
    assert set(zip(binding["name"], binding["year"], strict=True)) <= {("old clean", 2031), ("old exposed", 2031)}
    assert set(binding["worth_musd"].round(9)) == {round(CHINA - RENEWED, 9)}


def test_a_row_of_returns_is_sent_to_other_processes(base):  # noqa: F811
    row = back(base(years=(2030, 2031))).load().returns[0]
    assert pickle.loads(pickle.dumps(row)) == row and row.called == "old"


def test_extreme_shapes_stay_numbers():
    from types import SimpleNamespace as Row

    from planner.instance.lives import life_share

    for mean, shape in ((0.001, 0.01), (1000.0, 0.01), (1000.0, 1000.0), (0.001, 1000.0), (5.0, 30.0)):
        shares = [life_share(Row(mean_life_years=mean, shape=shape), n) for n in range(200)]
        assert all(0.0 <= share <= 1.0 for share in shares)
        assert sum(shares) <= 1.0 + 1e-12
