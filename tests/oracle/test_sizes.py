"""Sizes of plants, with what they cost derived by hand; the chain is that of test_families.

AAA needs 100 t of magnets, which cost 30 000 USD/t at home and 100 000 if they are missing. The line is 200 t for
2 MUSD, of which a smaller size is 60 t for 1 MUSD; between them 1 MUSD + (t - 60) / 140 MUSD. It lasts one year.
"""

import pytest
from test_families import HOME, LINE, PLANT, SHORT, alone, base, costs  # noqa: F401

import planner
from planner.errors import Infeasible, UsageError

LARGE = {**LINE, "option": "line", "name": "Line", "module_t": 200, "capex_musd": 2, "integer": "no", "life_years": 1}
SMALL = {"option": "line", "size": "small", "capacity_t": 60, "capex_musd": 1}


@pytest.fixture
def sized(base):  # noqa: F811
    def make(need=100, sizes=(SMALL,), years=(2030,), **columns):
        draft = alone(base(years=years)).with_rows("facilities", {**PLANT, "capacity_t": 0})
        draft = draft.with_rows("demand", {"country": "AAA", "sector": "cars", "material": "magnet", "year": "",
                                           "demand_t": need})  # fmt: skip
        return draft.with_rows("options", {**LARGE, **columns}).with_rows("option_sizes", *sizes)

    return make


@pytest.mark.parametrize(
    ("need", "musd"),
    [
        (200, 200 * HOME + 2),
        (130, 130 * HOME + 1.5),
        (60, 60 * HOME + 1),
        (30, 30 * HOME + 1),  # more than is needed, as nothing smaller can be built
        (10, 10 * SHORT),  # 1 MUSD for 0.7 saved does not pay
    ],
)
def test_the_cost_lies_on_the_line_between_sizes(sized, need, musd):
    costs(sized(need), musd)


def test_each_start_has_its_size(sized):
    # 60 t for 1 MUSD serve 2030; in 2031 the need is 120 t, for which a second start is sized alone
    draft = sized(60, years=(2030, 2031), max_modules=2)
    draft = draft.with_rows("demand", *({"country": "AAA", "sector": "cars", "material": "magnet", "year": y,
                                         "demand_t": t} for y, t in ((2030, 60), (2031, 120))))  # fmt: skip
    draft = draft.without("demand", year="")
    plan = costs(draft, 180 * HOME + 1 + 1 + 60 / 140)
    assert plan.tables["builds"]["capacity_t"].tolist() == pytest.approx([60, 120])


def test_funds_pay_what_the_size_costs(sized):
    # of 1 + 40/140 MUSD, 1 is private: the fund pays the rest
    fund = {"fund": "aid", "provider": "state", "instrument": "grant", "budget_musd": 1}
    draft = sized(private_musd=1).with_rows("funds", fund).with_rows("fund_options", {"fund": "aid", "option": "line"})
    plan = costs(draft, 100 * HOME + 1 + 40 / 140)
    assert plan.tables["funding"].groupby("source")["musd"].sum().to_dict() == pytest.approx(
        {"private": 1.0, "aid": 40 / 140}
    )
    # with a tenth of the cost from the fund and 1.1 private money, 1.1 / 0.9 are paid: 60 + 140 x 0.2222 t
    part = draft.with_rows("funds", {**fund, "max_share": 0.1}).with_rows("options", {**LARGE, "private_musd": 1.1})
    size = 60 + 140 * (1.1 / 0.9 - 1)
    costs(part, size * HOME + 1.1 / 0.9 + (100 - size) * SHORT)


def test_a_group_counts_what_the_size_costs(sized):
    draft = sized().with_rows("groups", {"group": "all", "option": "line"})
    # at most 1.2 MUSD: 60 + 0.2 x 140 = 88 t
    most = draft.with_rows("group_limits", {"group": "all", "measure": "capex_musd", "max": 1.2})
    costs(most, 88 * HOME + 1.2 + 12 * SHORT)
    # at most 90 t of capacity
    tonnes = draft.with_rows("group_limits", {"group": "all", "measure": "capacity_t", "max": 90})
    costs(tonnes, 90 * HOME + 1 + 30 / 140 + 10 * SHORT)
    with pytest.raises(Infeasible):  # no start costs less than the smallest size
        less = draft.with_rows("group_limits", {"group": "all", "measure": "capex_musd", "max": 0.9})
        planner.solve(less.with_rows("sectors", {"sector": "cars", "name": "Cars", "shortage_usd_per_t": 100000,
                                                 "min_service": 0.1}).load())  # fmt: skip


def test_a_size_is_told_and_valued(sized):
    plan = costs(sized(), 100 * HOME + 1 + 40 / 140)
    found = planner.explain(plan)
    row = found.projects.iloc[0]
    assert row["value_musd"] == pytest.approx(100 * (SHORT - HOME) - 1 - 40 / 140)
    assert row["annuity_musd"] == pytest.approx(1 + 40 / 140)


def test_what_a_size_lacks_to_enter(sized):
    # 10 t save 0.7 MUSD, the smallest size costs 1: 30 % of it must be paid, or 30 USD/kg
    instance = sized(10).load()
    assert planner.break_even(instance, "line", subsidy=True).value == pytest.approx(0.3, rel=1e-5)
    assert planner.break_even(instance, "line", premium="magnet").value == pytest.approx(30.0, rel=1e-5)


def test_near_optimal_plans_count_the_capex_of_sizes(sized):
    near = planner.alternatives(sized().load(), slack=0.001, groups=["option=line"], plans=0, workers=1)
    row = near.groups.iloc[0]
    assert row["most_musd"] >= 1 + 40 / 140 - 1e-6 and row["least_musd"] <= 1 + 40 / 140 + 1e-6


def test_projects_of_no_one_size_cannot_come_late(sized):
    instance = sized(success_probability=0.5).load()
    with pytest.raises(UsageError, match="give each size its option"):
        planner.delivery_risk(planner.solve(instance), samples=2)
