"""Goods under way against arithmetic done by hand, and relations that hold for every instance.

The instance and its costs are those of test_families.py: 100 t a year come from China for 21 000 USD/t; 60 t could be
made at home for 30 000, and what is missing costs 100 000. Six and a half weeks are a month and a half: 52 weeks are
twelve months.
"""

import random

import pytest
from test_families import CHINA, HOME, LANE, SHORT, costs
from test_families import base as base
from test_months import STOP, pile, struck

import planner

YEARS = (2030, 2031, 2032, 2033)
THREE = {"first_year": 2031, "first_month": 7, "months": 3}


def sailing(i, weeks, **columns):
    """The instance whose goods from China are under way for some weeks."""
    return i.with_rows("lanes", {**LANE, "transit_weeks": weeks, **columns})


def arrived(plan, year=2031):
    """Month -> what arrives in it from China in the branch, as a share of what is needed."""
    flows = plan.branches["s"]["flows"].query("origin == 'CHN' and year == @year")
    by_month = flows.groupby("month")["arrived_t"].sum() / 100
    return [round(float(by_month.get(month, 0.0)), 6) for month in range(1, 13)]


def test_a_stop_is_felt_and_ends_as_much_later_as_goods_are_under_way(base):
    # no exports in July, August and September. What left in June arrives until the middle of August; what leaves from
    # October on arrives from the middle of November on: half of August and November, all of September and October
    # lack. No more than 100 t a year fit on the lane, so that October cannot send for all of November
    plan = costs(
        struck(sailing(base(years=YEARS), 6.5, max_t=100), STOP, **THREE),
        (1 + 0.5 + 0.5 * 0.5 + 2) * 100 * CHINA
        # the branch buys nothing in three of the six months; a month needs 100/12 t, of which the plant makes 5
        + 0.5 * (25 * CHINA + (2 * 50 / 12 + 2 * 5) * HOME + 2 * (100 / 12 - 5) * SHORT),
    )
    assert arrived(plan)[6:] == [1, 0.5, 0, 0, 0.5, 1]
    assert arrived(plan, 2032) == [1] * 12
    service = plan.branches["s"]["service"].query("year == 2031").set_index("month")["short_t"] / 12
    assert service[service > 1e-9].to_dict() == pytest.approx({9: 100 / 12 - 5, 10: 100 / 12 - 5})
    # the plan itself counts in years: there goods arrive when they leave
    assert (plan.tables["flows"]["arrived_t"] == plan.tables["flows"]["t"]).all()


def test_the_last_shipments_of_a_plant_still_arrive(base):
    # the same if the Chinese plant is lost instead: 100 t are pressed there, from metal, in place of the market's
    i = (
        sailing(base(years=YEARS), 6.5)
        .without("markets", market="magnet-chn")
        .without("market_prices", market="magnet-chn")
    )
    i = i.with_rows("markets", {"market": "metal-chn", "country": "CHN", "material": "metal"})
    i = i.with_rows("market_prices", {"market": "metal-chn", "price_usd_per_t": 5000})
    press = {"facility": "baotou", "name": "Baotou", "country": "CHN", "status": "operating", "capacity_t": 100}
    i = i.with_rows("facilities", press)
    i = i.with_rows("operations", {"facility": "baotou", "process": "press", "opex_usd_per_t": 15000})
    plan = planner.solve(struck(i, {"kind": "outage", "facility": "baotou", "fraction": 1}, **THREE).load())
    assert arrived(plan)[6:] == [1, 0.5, 0, 0, 0.5, 1]


def test_what_nobody_can_use_of_what_arrives_is_lost(base):
    # the home plant presses metal from Bland, two months under way; when it fails in July, what comes until the end of
    # August has no use: no store takes it, and nobody else needs it
    i = (
        base(years=(2030, 2031, 2032))
        .without("markets", market="metal-aaa")
        .without("market_prices", market="metal-aaa")
    )
    i = i.without("lanes", origin="CHN").with_rows(
        "lanes",
        {"material": "metal", "origin": "BBB", "destination": "AAA", "cost_usd_per_t": 0, "transit_weeks": 26 / 3},
    )
    i = i.with_rows("markets", {"market": "metal-bbb", "country": "BBB", "material": "metal"})
    i = i.with_rows("market_prices", {"market": "metal-bbb", "price_usd_per_t": 10000})
    outage = {"kind": "outage", "facility": "plant", "fraction": 1}
    plan = planner.solve(struck(i, outage, first_year=2030, first_month=7, months=6).load())
    rows = plan.branches["s"]["flows"].query("year == 2030").set_index("month")
    # two months before it runs again metal for it leaves once more
    assert (rows["t"] > 1e-6).to_dict() == {11: True, 12: True}
    assert (rows["arrived_t"] == 0.0).all()
    made = plan.branches["s"]["activity"].query("year == 2031").set_index("month")["activity_t"]
    assert made.tolist() == pytest.approx([60] * 12)


@pytest.mark.parametrize("seed", range(6))
def test_a_stop_to_the_end_costs_less_the_longer_its_goods_are_under_way(base, seed):
    # more of what left before arrives, and what would leave later is stopped whatever the weeks
    r = random.Random(f"under way {seed}")
    when = {"first_year": 2031, "first_month": r.randint(1, 12)}
    when["months"] = 12 * 2 - when["first_month"] + 1
    weeks = sorted(round(r.uniform(0, 51), 1) for _ in range(4))
    found = [planner.solve(struck(sailing(base(years=YEARS[:3]), w), STOP, **when).load()) for w in [0, *weeks]]
    money = [plan.objective_musd for plan in found]
    assert money == sorted(money, reverse=True) and money[0] > money[-1] + 1e-3


@pytest.mark.parametrize("seed", range(6))
def test_as_long_as_what_left_before_arrives_a_stop_takes_nothing(base, seed):
    r = random.Random(f"first months {seed}")
    when = {"first_year": 2031, "first_month": r.randint(1, 12), "months": r.randint(1, 12)}
    weeks = r.uniform(4, 51)
    i = base(years=YEARS)
    # demand grows, and Bland sells a little too, all as long under way
    i = i.without("demand", sector="cars").with_rows(
        "demand",
        *({"country": "AAA", "sector": "cars", "material": "magnet", "year": y, "demand_t": 50 * (y - 2029)}
          for y in YEARS),
    )  # fmt: skip
    i = i.with_rows("markets", {"market": "magnet-bbb", "country": "BBB", "material": "magnet"})
    i = i.with_rows("market_prices", {"market": "magnet-bbb", "price_usd_per_t": 25000, "max_t": 30})

    def lanes(weeks):
        with_bland = i.with_rows("lanes", {**LANE, "origin": "BBB", "transit_weeks": weeks})
        return struck(sailing(with_bland, weeks), STOP, **when)

    def short(plan):
        rows = plan.branches["s"]["service"].dropna(subset=["month"])
        return [float(t) for t in rows.sort_values(["year", "month"])["short_t"]]

    late, at_once = (short(planner.solve(lanes(w).load())) for w in (weeks, 0))
    months = int(min(weeks * 12 / 52, 12 - when["first_month"] + 1))  # of the year of the blow
    assert late[:months] == pytest.approx([0.0] * months, abs=1e-6)
    assert all(t <= before + 1e-6 for t, before in zip(late[:months], at_once, strict=False))
    assert sum(late) > 0.0


def test_by_the_clock_of_years_nothing_changes(base):
    i = struck(base(years=YEARS), STOP, first_year=2031, last_year=2031)
    at_once, late = (planner.solve(draft.load()) for draft in (i, sailing(i, 40)))
    assert late.objective_musd == at_once.objective_musd
    flows = late.branches["s"]["flows"]
    assert (flows["arrived_t"] == flows["t"]).all()
    assert flows.drop(columns="arrived_t").equals(at_once.branches["s"]["flows"])
    assert "arrived_t" not in at_once.tables["flows"] and "arrived_t" not in at_once.branches["s"]["flows"]


def test_stress_counts_what_is_under_way(base):
    # stopped for six months from January: in 2031 nothing lacks in the first three, and then for six 3.33 t each
    plan = planner.solve(sailing(base(years=YEARS), 13).load())
    tried = planner.stress(plan, year=2031, months=6, only=["export_stop:CHN"])
    assert not tried.faults
    case = tried.cases.set_index("kind").loc["export_stop"]
    assert case["lost_t"] == pytest.approx(20)
    assert case["months_survived"] == pytest.approx(3.6, abs=1e-4)  # the plant serves 60 % of the fourth
    at_once = planner.stress(planner.solve(base(years=YEARS).load()), year=2031, months=6, only=["export_stop:CHN"])
    assert at_once.cases.set_index("kind").loc["export_stop", "months_survived"] == pytest.approx(0.6, abs=1e-4)


def test_stress_agrees_with_the_branch_of_the_model(base):
    i = sailing(base(years=YEARS), 6.5)
    branch = planner.solve(struck(i, STOP, **THREE).load()).branches["s"]["service"].query("year < 2033")
    tried = planner.stress(planner.solve(i.load()), year=2031, from_month=7, months=3, only=["export_stop:CHN"])
    assert not tried.faults
    short = branch["short_t"].sum() / 12
    assert tried.cases.set_index("kind").loc["export_stop", "lost_t"] == pytest.approx(short) and short > 1.0


def test_a_plan_that_must_hold_out_counts_on_what_is_under_way(base):
    # a year without China: 60 t are made at home, s are drawn from the store, and what left before, for three months,
    # is a quarter of the 100 - s that the plan, which needs no store at its end, would bring in that year: s = 20 of 40
    i = pile(sailing(base(years=YEARS), 13), max_t=100, holding_usd_per_t=1000).load()
    rule = {"outage": "export_stop", "of": ["CHN"], "years": [2031, 2031], "from_month": 1, "months": 12, "level": 1.0}
    plan = planner.solve(i.with_settings(survive=[rule]))
    assert plan.tables["stocks"].query("year == 2030")["stock_t"].sum() == pytest.approx(20, abs=1e-4)
    found = planner.cover(i, "export_stop:CHN", 2031, months=[12], level=1.0)
    assert found.table.set_index("months").loc[12, "stock_t"] == pytest.approx(20, abs=1e-4)


def test_what_is_under_way_counts_as_an_import_when_it_arrives(base):
    # Aland may use at most 80 t from China; the stop of November and December 2030 takes January and half of February
    # 2031 with it, in which caps hold again as means over the year: of what arrives then, not of what leaves
    i = sailing(base(years=YEARS), 6.5).with_rows(
        "caps", {"cap": "c", "metric": "import_share", "material": "magnet", "country": "AAA", "limit": 0.8}
    )
    plan = planner.solve(struck(i, STOP, first_year=2030, first_month=11, months=2).load())
    flows = plan.branches["s"]["flows"].query("year == 2031")
    served = plan.branches["s"]["service"].query("year == 2031")
    used = float((served["clean_t"] + served["exposed_t"]).sum() / 12)
    assert flows["arrived_t"].sum() / 12 <= 0.8 * used + 1e-6
    assert flows["t"].sum() / 12 > flows["arrived_t"].sum() / 12 + 1.0


@pytest.mark.parametrize(("month", "by"), [(8, 10.0), (12, -10.0), (9, 5.0)])
def test_the_audit_finds_what_arrives_too_early_or_not_at_all(base, month, by):
    plan = planner.solve(struck(sailing(base(years=YEARS), 6.5), STOP, **THREE).load())
    table = plan.branches["s"]["flows"]
    rows = table["month"] == month
    if not rows.any():  # a month in which nothing moves has no row
        row = {**table.iloc[0].to_dict(), "month": month, "t": 0.0, "freight_musd": 0.0, "tariff_musd": 0.0}
        table.loc[len(table)] = {**row, "year": 2031, "arrived_t": 0.0}
        table = plan.branches["s"]["flows"] = table.sort_values(["year", "month"], ignore_index=True)
        rows = table["month"] == month
    table.loc[rows, "arrived_t"] += by
    found = {check.kind for check in planner.audit(plan.instance, plan).checks if not check.ok}
    assert "under_way" in found


def test_a_branch_that_leaves_another_in_its_months_receives_what_that_one_sent(base):
    # the stop of three months goes on for three more: as if it were one of six
    i = sailing(base(years=YEARS), 6.5)
    six = planner.solve(struck(i, STOP, first_year=2031, first_month=4, months=6).load())
    i = struck(i, STOP, first_year=2031, first_month=4, months=3)
    on = {"scenario": "t", "name": "T", "probability": 0.25, "first_year": 2031, "first_month": 7, "months": 3}
    i = i.with_rows("scenarios", {**on, "parent": "s"}).with_rows("disruptions", {"scenario": "t", **STOP})
    both = planner.solve(i.load())
    whole = six.branches["s"]["service"].query("month >= 7 or year > 2031")["short_t"].sum()
    assert both.branches["t"]["service"]["short_t"].sum() == pytest.approx(whole)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({"squeeze": [0.0, 0.5], "wait": 6, "months": 12}, False),
        ({"years": 4}, True),
        ({"from_month": 9, "months": 7}, False),
        ({"year": 2038, "months": 12}, False),  # to the end of the horizon
    ],
)
def test_every_case_and_answer_with_goods_under_way_is_sound(base, asked, answered):
    i = pile(sailing(base(years=range(2030, 2039)), 6.5), max_t=30, initial_t=5, holding_usd_per_t=1)
    i = i.with_rows("working_stocks", {"material": "magnet", "country": "AAA", "weeks": 3, "replace_usd_per_t": 25000})
    more = {"option": "more", "facility": "plant", "name": "More", "module_t": 20, "capex_musd": 1, "lead_years": 1}
    plan = planner.solve(i.with_rows("options", {**more, "life_years": 10, "max_modules": 2}).load())
    tried = planner.stress(plan, **{"year": 2031, **asked}, only=["export_stop:CHN"], workers=1)
    assert not tried.faults
    worst = tried.cases.query("kind == 'export_stop'").iloc[0]
    assert worst["lost_t"] > 1.0 and (worst["answered_musd"] < worst["extra_cost_musd"] - 1e-6) == answered
