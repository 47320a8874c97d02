"""Sizes of plants, with what they cost derived by hand; the chain is that of test_families.

AAA needs 100 t of magnets, which cost 30 000 USD/t at home and 100 000 if they are missing. The line is 200 t for
2 MUSD, of which a smaller size is 60 t for 1 MUSD; between them 1 MUSD + (t - 60) / 140 MUSD. It lasts one year.
"""

import pytest
from test_families import HOME, LINE, PLANT, SHORT, alone, base, costs  # noqa: F401

import planner
from planner.errors import Infeasible

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


def test_several_small_starts_may_cost_more_than_one_large(sized):
    # two starts of at most 2 MUSD each: 60 t twice cost 2, though 120 of 200 t are but 0.6 modules of 2 MUSD
    from planner.questions.explain.model import Model
    from planner.solving.solver import Settings

    instance = sized(60, years=(2030, 2031)).load()
    model = Model(instance, Settings())
    assert model.most_capital(instance.options[0]) == pytest.approx(4.0)


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


def test_a_branch_has_sizes_of_its_own(sized):
    # 60 t are needed; in 2031 the need doubles with probability 1/2, and the branch starts 120 t of 1 + 60/140 MUSD
    draft = sized(60, years=(2030, 2031), max_modules=2)
    more = {"scenario": "more", "name": "More", "probability": 0.5, "first_year": 2031, "last_year": 2031}
    draft = draft.with_rows("scenarios", {**more, "rebuild_after": 0})
    draft = draft.with_rows("disruptions", {"scenario": "more", "kind": "demand_surge", "fraction": 1})
    year = 60 * HOME + 1
    plan = costs(draft, year + 0.5 * year + 0.5 * (120 * HOME + 1 + 60 / 140))
    assert plan.branches["more"]["builds"]["capex_musd"].tolist() == pytest.approx([1, 1 + 60 / 140])
    # the starts of each course cost at most 2.2 MUSD: 1.2 are left for the branch, which buy 60 + 140 x 0.2 t
    least = year + 0.5 * year + 0.5 * (88 * HOME + 1.2 + 32 * SHORT)
    group = draft.with_rows("groups", {"group": "all", "option": "line"})
    costs(group.with_rows("group_limits", {"group": "all", "measure": "capex_musd", "max": 2.2}), least)
    paid = {**LARGE, "max_modules": 2}
    costs(draft.with_rows("options", {**paid, "private_musd": 2.2}), least)
    # a fund pays at most a tenth of 2.2 MUSD
    fund = {"fund": "aid", "provider": "state", "instrument": "grant", "budget_musd": 1, "max_share": 0.1}
    draft = draft.with_rows("funds", fund).with_rows("fund_options", {"fund": "aid", "option": "line"})
    costs(draft.with_rows("options", {**paid, "private_musd": 1.98}), least)


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


def risky(draft, **aspects):
    """The draft with a line that certainly comes so late, so dear or so small."""
    mass = {f"{what}_{end}": value for what, value in aspects.items() for end in ("low", "mode", "high")}
    return draft.with_rows("delivery_risk", {"option": "line", "projects": "one", **mass})


def test_delivery_pays_more_for_what_the_size_costs(sized):
    # 100 t of 200 cost 1 + 40/140 MUSD; at twice the capex as much once more
    instance = risky(sized(100), capex=2.0).load()
    plan = planner.solve(instance)
    found = planner.delivery_risk(plan, samples=2)
    assert found.planned_musd == pytest.approx(100 * HOME + 1 + 40 / 140)
    assert found.mean_musd == pytest.approx(100 * HOME + 2 * (1 + 40 / 140))
    # at half the share 50 t are missing
    small = planner.delivery_risk(plan, instance=risky(sized(100), share=0.5).load(), samples=2)
    assert small.mean_musd == pytest.approx(50 * HOME + 1 + 40 / 140 + 50 * SHORT)


def test_a_hedge_chooses_the_size_for_what_comes(sized):
    # half of the share comes: 200 t are built for the 100 that are needed, for 0.714 more than 100 t
    instance = risky(sized(100), share=0.5).load()
    trusting = planner.solve(instance)
    assert trusting.tables["builds"]["capacity_t"].tolist() == pytest.approx([100])
    found = planner.hedge(instance, outcomes=2, trial=16, replications=0)
    assert found.plan.tables["builds"]["capacity_t"].tolist() == pytest.approx([200])
    costs = found.plans.set_index("plan")["mean_musd"]
    assert costs["hedged"] == pytest.approx(100 * HOME + 2)
    assert costs["trusting"] == pytest.approx(50 * HOME + 1 + 40 / 140 + 50 * SHORT)
    assert found.builds["capex_change_musd"].tolist() == pytest.approx([2 - 1 - 40 / 140])


def test_an_answer_starts_a_size_of_its_own(sized):
    # half of 100 t comes in 2030; in 2031 a second start of 100 t brings the 50 t that it can at half its share
    draft = risky(sized(100, years=(2030, 2031), max_modules=2), share=0.5)
    instance = draft.load()
    found = planner.delivery_risk(planner.solve(instance), samples=2, rebuild_after=1)
    held = 2 * (50 * HOME + 1 + 40 / 140 + 50 * SHORT)
    assert found.mean_musd == pytest.approx(held)
    # the line lasts one year, so what is started in 2031 may be of 200 t: 100 t for 2 MUSD
    assert found.samples["answered_musd"].mean() == pytest.approx(held / 2 + 100 * HOME + 2)
