"""Scenarios of calendar months against arithmetic done by hand, and relations that hold for every one of them.

The instance and its costs are those of test_families.py: 100 t a year come from China for 21 000 USD/t; 60 t could be
made at home for 30 000, and what is missing costs 100 000.
"""

import math
import random

import pandas as pd
import pytest
from test_families import CHINA, HOME, SHORT, alone, costs
from test_families import base as base

import planner
from planner.prepare import prepare
from planner.solving.compiling import compiled

YEARS = (2030, 2031, 2032)
YEAR, STOPPED = 100 * CHINA, 60 * HOME + 40 * SHORT  # MUSD a year, undisturbed and when nothing comes from China
IDLE = {"facility": "idle", "name": "Idle", "country": "AAA", "status": "operating"}
STOP = {"kind": "export_stop", "country": "CHN", "fraction": 1}


def struck(i, row, probability=0.5, **when):
    """The instance with one disruption, which begins in ``first_year``."""
    scenario = {"scenario": "s", "name": "S", "probability": probability, **when}
    return i.with_rows("scenarios", scenario).with_rows("disruptions", {"scenario": "s", **row})


def pile(i, **columns):
    return i.with_rows("stockpiles", {"stockpile": "pile", "country": "AAA", "material": "magnet", **columns})


def held(i, weeks):
    """The instance whose users hold some weeks of magnets."""
    return i.with_rows("working_stocks", {"material": "magnet", "country": "AAA", "weeks": weeks})


@pytest.mark.parametrize("days", [1, 40, 73, 100, 365])
def test_a_stock_of_d_days_lasts_d_times_12_365ths_of_a_month(base, days):
    # with nothing else left: no plant, and a stop from March 2031 to the end of 2032
    i = pile(base(years=YEARS), initial_t=days / 365 * 100, max_t=days / 365 * 100, final_min_t=days / 365 * 100)
    i = i.without("operations", facility="plant").without("facilities", facility="plant")
    i = i.with_rows("facilities", {**IDLE, "capacity_t": 1})
    i = i.with_rows("operations", {"facility": "idle", "process": "press", "opex_usd_per_t": 9e6})
    i = struck(i, STOP, first_year=2031, first_month=3, months=22)
    rows = planner.solve(i.load()).branches["s"]["service"]
    assert rows["month"].tolist() == [*range(3, 13), *range(1, 13)]
    served = 1.0 - rows["short_t"] / rows["demand_t"]
    assert served.sum() == pytest.approx(min(22, days * 12 / 365), abs=1e-6)


@pytest.mark.parametrize("days", [1, 73, 365])
def test_a_working_stock_of_d_days_of_use_lasts_d_times_12_365ths_of_a_month(base, days):
    # the same with what firms hold: all comes from China until the stop from March 2031 to the end of 2032
    i = base(years=YEARS).without("operations", facility="plant").without("facilities", facility="plant")
    i = i.with_rows("facilities", {**IDLE, "capacity_t": 1e-6})
    i = i.with_rows("operations", {"facility": "idle", "process": "press", "opex_usd_per_t": 9e6})
    i = held(i, days / 7)
    lasts = pytest.approx(min(22, days * 12 / 365), abs=1e-6)
    plan = planner.solve(struck(i, STOP, first_year=2031, first_month=3, months=22).load())
    rows = plan.branches["s"]["service"]
    assert (1.0 - rows["short_t"] / rows["demand_t"]).sum() == lasts
    tried = planner.stress(plan, year=2031, months=22, from_month=3, only=["export_stop:CHN"])
    assert not tried.faults
    survived = tried.cases.set_index("kind").loc["export_stop", "months_survived"]
    assert survived == pytest.approx(min(22, days * 12 / 365), abs=1e-4)  # up to a millionth less counts as served


def test_a_working_stock_that_begins_with_january_is_of_the_year_before(base):
    # 60 t are needed in 2030 and 120 in 2031, of which no plant makes any: six months of the 60 last for three
    needs = ({"country": "AAA", "sector": "cars", "material": "magnet", "year": y, "demand_t": t}
             for y, t in ((2030, 60), (2031, 120)))  # fmt: skip
    i = base(years=YEARS).without("demand", sector="cars").with_rows("demand", *needs)
    i = held(i.with_rows("operations", {"facility": "plant", "process": "press", "opex_usd_per_t": 9e6}), 365 / 14)
    plan = planner.solve(struck(i, STOP, first_year=2031, first_month=1, months=12).load())
    assert plan.branches["s"]["working_stocks"]["t"].sum() / 12 == pytest.approx(30)
    assert plan.branches["s"]["service"].query("year == 2031")["short_t"].sum() / 12 == pytest.approx(90)


def test_what_one_branch_has_drawn_is_gone_in_the_one_that_leaves_it(base):
    # six weeks of use, 11.5 t; the plant makes 5 of 8.33 t a month. The stop of three months lasts for three more in
    # the branch that leaves it in April: together they draw no more than what was held
    i = struck(held(base(years=YEARS), 6), STOP, first_year=2030, first_month=1, months=3)
    on = {"scenario": "t", "name": "T", "probability": 0.25, "first_year": 2030, "first_month": 4, "months": 3}
    i = i.with_rows("scenarios", {**on, "parent": "s"}).with_rows("disruptions", {"scenario": "t", **STOP})
    plan = planner.solve(i.load())
    first, then = (plan.branches[b]["working_stocks"]["t"].sum() / 12 for b in ("s", "t"))
    # 10 t are missing in the first three months and as much in the next: what is saved in one is short in the other
    assert first == pytest.approx(10) and first + then == pytest.approx(42 / 365 * 100)


def test_working_stocks_are_counted_when_a_plan_must_hold_out(base):
    # six months without China: 20 t, of which firms hold 11.5: only the rest is stored
    i = pile(held(base(years=YEARS), 6), max_t=100, holding_usd_per_t=1000).load()
    rule = {"outage": "export_stop", "of": ["CHN"], "years": [2031, 2031], "from_month": 1, "months": 6, "level": 1.0}
    plan = planner.solve(i.with_settings(survive=[rule]))
    stocks = plan.tables["stocks"].query("year == 2030")["stock_t"].sum()
    assert stocks == pytest.approx(20 - 42 / 365 * 100, abs=1e-4)


def test_a_strategic_stock_is_released_by_its_rules(base):
    # 3.33 t a month are missing from January to June; of the 40 t in store 2 t a month may be released from March on
    rules = {"release_after_months": 2, "release_max_t": 2}
    i = struck(pile(base(years=(2030,)), initial_t=40, max_t=40, **rules), STOP, first_year=2030, first_month=1,
               months=6)  # fmt: skip
    # the plan itself is not held to the rules: it uses all 40 t. After the stop 12 t more are released
    plan = costs(i, 0.5 * 60 * CHINA + 0.5 * (30 * HOME + (20 - 8) * SHORT + (50 - 12) * CHINA))
    rows = plan.branches["s"]["stocks"].groupby("month")["draw_t"].sum() / 12
    assert rows.reindex(range(1, 7), fill_value=0.0).tolist() == pytest.approx([0, 0, 2, 2, 2, 2])
    tried = planner.stress(plan, year=2030, months=6, only=["export_stop:CHN"])
    assert not tried.faults
    assert tried.cases.set_index("kind").loc["export_stop", "unserved_t"] == pytest.approx(12)


@pytest.mark.parametrize("column", ["t", "cost_musd"])
def test_the_audit_finds_more_drawn_than_firms_held_or_paid_for(base, column):
    plan = planner.solve(struck(held(base(years=YEARS), 6), STOP, first_year=2030, first_month=7, months=6).load())
    table = plan.branches["s"]["working_stocks"]
    table.loc[0, column] += 30.0
    found = {check.kind for check in planner.audit(plan.instance, plan).checks if not check.ok}
    assert {"t": "stock_draw", "cost_musd": "purchase"}[column] in found


@pytest.mark.parametrize(("month", "words"), [(8, "before release_after_months"), (10, "above release_max_t")])
def test_the_audit_finds_what_was_released_too_early_or_too_fast(base, month, words):
    rules = {"release_after_months": 2, "release_max_t": 3}
    i = pile(base(years=(2030,)), initial_t=40, max_t=40, **rules)
    plan = planner.solve(struck(i, STOP, first_year=2030, first_month=7, months=6).load())
    table = plan.branches["s"]["stocks"]
    table.loc[table["month"] == month, "draw_t"] += 12.0
    report = planner.audit(plan.instance, plan)
    assert words in str(next(check for check in report.checks if check.kind == "stock_draw"))


def test_a_branch_begins_with_the_stock_between_those_of_two_years(base):
    # 12 t are put into the store in 2030; in October there are 9 of them, and 10 t are missing until December:
    # 1 t is short, and the 12 t that lack at the end count with their value, 5 000 USD/t
    i = pile(base(years=(2030,)), max_t=12, final_min_t=12)
    i = struck(i, STOP, first_year=2030, first_month=10, months=3)
    plan = costs(i, 0.875 * 112 * CHINA + 0.5 * (60 * HOME / 4 + SHORT + 12 * 0.005))
    assert (plan.branches["s"]["stocks"]["draw_t"] / 12).sum() == pytest.approx(9.0)


def test_a_cap_after_the_months_is_a_row_of_twelve_twelfths(base):
    cap = {"cap": "traced", "metric": "exposed_share", "limit": 0.3}
    i = struck(base(years=YEARS).with_rows("caps", cap), STOP, first_year=2030, first_month=7, months=6)
    data = prepare(i.load()).data
    arrays = compiled(data)
    rows = {data.nodes[cap.node][:3]: arrays.rows["exposed_share"][n]
            for n, cap in enumerate(data.caps["exposed_share"]) if data.nodes[cap.node].branch}  # fmt: skip
    # none in 2030; in 2031 exposed <= 0.3 (demand - short), as a mean over the months; 2032 is whole
    assert [key[1:] for key in rows] == [("s", 1, 2031)[1:], ("s", 2, 2032)[1:]]
    row = arrays.matrix.tocsr()[[rows["s", 1, 2031]]]
    assert sorted(row.data) == pytest.approx([0.3 / 12] * 12 + [1 / 12] * 12)
    assert arrays.row_upper[rows["s", 1, 2031]] == pytest.approx(0.3 * 0.1)


def test_the_largest_supplier_of_the_year_after_the_months_is_that_of_its_mean(base):
    # no country may have more than 60 t: 40 t are made at home. In the second half of 2030 the cap does not hold
    cap = {"cap": "most", "metric": "largest_share", "material": "magnet", "largest": 1, "limit": 0.6}
    i = struck(base(years=YEARS).with_rows("caps", cap), STOP, first_year=2030, first_month=7, months=6)
    year = 60 * CHINA + 40 * HOME
    costs(i, 3 * year + 0.5 * (STOPPED - year) / 2)
    data = prepare(i.load()).data
    of_2031 = [a for a in data.above if data.nodes[a.node][:3] == ("s", 1, 2031)]
    assert {a.country for a in of_2031} == {"AAA", "CHN"} and len({a.cap for a in of_2031}) == 1
    shares = [share for a in of_2031 for _, share in a.pools]
    assert shares == pytest.approx([1 / 12] * len(shares))


def test_a_blend_keeps_its_limits_in_every_month(base):
    # metal has 1 of iron, scrap 6 and is cheaper, magnets have at most 4: 3/5 of what they are made of is scrap
    i = alone(base(years=YEARS)).with_rows("materials", {"material": "scrap", "name": "Scrap"})
    i = i.with_rows("processes", {"process": "melt", "name": "Melt"})
    melt = (("scrap", "input"), ("magnet", "output"))
    i = i.with_rows("recipes", *({"process": "melt", "material": m, "role": r, "t_per_t": 1} for m, r in melt))
    i = i.with_rows("operations", {"facility": "plant", "process": "melt", "opex_usd_per_t": 20000})
    i = i.with_rows("markets", {"market": "scrap", "country": "AAA", "material": "scrap"})
    i = i.with_rows("market_prices", {"market": "scrap", "price_usd_per_t": 4000})
    iron = (("metal", 1), ("scrap", 6))
    i = i.with_rows("contents", *({"property": "iron", "material": m, "content": c} for m, c in iron))
    i = i.with_rows("blends", {"property": "iron", "material": "magnet", "max": 4})
    # for three months half of the plant's 60 t a year stands still
    outage = {"kind": "outage", "facility": "plant", "fraction": 0.5}
    year, half = 36 * 0.024 + 24 * HOME + 40 * SHORT, 18 * 0.024 + 12 * HOME + 70 * SHORT
    costs(struck(i, outage, first_year=2030, first_month=2, months=3), 3 * year + 0.5 * (half - year) / 4)


def test_clean_only_is_lifted_in_the_disrupted_months_alone(base):
    # only clean magnets, of which 40 t a year lack; but not in the two months of a rise in the price of metal, in which
    # all of them come from China
    i = base(years=YEARS).with_rows("sectors", {
        "sector": "cars", "name": "Cars", "shortage_usd_per_t": 100000, "clean_from_year": 2030})  # fmt: skip
    rise = {"kind": "price_surge", "country": "AAA", "material": "metal", "fraction": 0.1}
    i = struck(i, rise, first_year=2030, first_month=4, months=2)
    plan = costs(i, 3 * STOPPED + 0.5 * (YEAR - STOPPED) / 6)
    rows = plan.branches["s"]["service"]
    assert [(y, m) for y, m, t in zip(rows["year"], rows["month"], rows["exposed_t"], strict=True) if t > 0] == [
        (2030, 4), (2030, 5)]  # fmt: skip


def test_a_blow_that_began_before_the_horizon_goes_on_in_its_first_months(base):
    # October 2029 to March 2030: three months of the horizon; the branch begins with it, and is in months until 2031
    i = struck(base(years=YEARS), STOP, first_year=2029, first_month=10, months=6)
    plan = costs(i, 3 * YEAR + 0.5 * (STOPPED - YEAR) / 4)
    rows = plan.branches["s"]["service"]
    assert rows["month"].isna().tolist() == [False] * 24 + [True]


def test_a_blow_at_the_end_of_the_horizon_needs_no_year_after_it(base):
    i = struck(base(years=(2030,)), STOP, first_year=2030, first_month=12, months=12)
    costs(i, YEAR + 0.5 * (STOPPED - YEAR) / 12)


@pytest.mark.parametrize("seed", range(8))
def test_an_outage_never_costs_less_than_the_export_stop_that_it_implies(base, seed):
    # BBB sells nothing that it does not make itself
    draw = random.Random(seed)
    i = varied(base, draw)
    when = {"first_year": draw.choice(YEARS), "first_month": draw.randint(1, 12), "months": draw.randint(1, 20)}
    outage, stop = (
        planner.solve(struck(i, row, **when).load()).objective_musd
        for row in ({"kind": "outage", "country": "BBB", "fraction": 1}, {**STOP, "country": "BBB"})
    )
    assert outage >= stop - 1e-6 * stop


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "row",
    [
        STOP,
        {"kind": "outage", "country": "AAA", "fraction": 0.7},
        {"kind": "demand_surge", "country": "AAA", "fraction": 0.5},
        {"kind": "price_surge", "country": "CHN", "fraction": 0.5},
        {"kind": "project_failure", "country": "AAA", "fraction": 1},
    ],
    ids=lambda row: row["kind"],
)
def test_twelve_months_all_alike_are_the_year(base, seed, row):
    i = varied(base, random.Random(seed)).with_rows("options", {
        "option": "line", "facility": "plant", "name": "Line", "module_t": 20, "capex_musd": 3, "life_years": 5,
        "first_start": 2031})  # fmt: skip
    months, year = (
        planner.solve(struck(i, row, first_year=2031, **when).load(), gap=0.0).objective_musd
        for when in ({"first_month": 1, "months": 12}, {"last_year": 2031})
    )
    assert months == pytest.approx(year, rel=1e-6)


def varied(base, draw):
    """Two countries with plants, a store that costs nothing, a cap that may bind."""
    i = base(years=YEARS, rate=0.05).with_rows("facilities", {
        "facility": "works", "name": "Works", "country": "BBB", "status": "operating",
        "capacity_t": draw.randint(10, 60)})  # fmt: skip
    i = i.with_rows(
        "operations", {"facility": "works", "process": "press", "opex_usd_per_t": draw.randint(5000, 40000)}
    )
    for material, start, end in (("metal", "AAA", "BBB"), ("magnet", "BBB", "AAA")):
        i = i.with_rows("lanes", {"material": material, "origin": start, "destination": end, "cost_usd_per_t": 500})
    i = i.with_rows("caps", {"cap": "traced", "metric": "exposed_share", "limit": draw.choice((0.2, 0.5, 0.9))})
    return pile(i, initial_t=draw.randint(0, 20), max_t=20, final_min_t=draw.choice((0, 10)))


def test_a_run_in_months_is_read_back_as_it_was_written(base, tmp_path):
    plan = planner.solve(struck(base(years=YEARS), STOP, first_year=2030, first_month=7, months=6).load())
    plan.write(tmp_path / "run")
    lines = (tmp_path / "run" / "branches" / "s" / "service.csv").read_text().splitlines()
    assert lines[0] == "country,sector,material,year,month,demand_t,clean_t,exposed_t,short_t"
    # six months of 2030, the twelve of the year after, and 2032 as a whole
    assert [line.split(",")[3:5] for line in lines[1:]] == [
        *(["2030", f"{m}"] for m in range(7, 13)), *(["2031", f"{m}"] for m in range(1, 13)), ["2032", ""]]  # fmt: skip
    back = planner.read_run(tmp_path / "run")
    for name, table in plan.branches["s"].items():
        pd.testing.assert_frame_equal(back.branches["s"][name], table)
    assert planner.audit(plan.instance, back).ok


def test_a_month_that_is_none_is_refused_with_its_place(base, tmp_path):
    plan = planner.solve(struck(base(years=YEARS), STOP, first_year=2030, first_month=7, months=6).load())
    plan.write(tmp_path / "run")
    path = tmp_path / "run" / "branches" / "s" / "flows.csv"
    path.write_text(path.read_text().replace(",2031,12,", ",2031,13,"))
    with pytest.raises(planner.PlannerError, match=r'flows.csv:\d+: month = "13" is not a month, 1 to 12'):
        planner.read_run(tmp_path / "run")


def shifted(frame, column, by):
    """A copy of a table with one cell of its first month changed."""
    frame = frame.copy()
    frame.loc[frame["month"] == 7, column] += by
    return frame


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [("service", "short_t", "demand"), ("flows", "t", "balance"), ("activity", "activity_t", "balance"),
     ("stocks", "stock_t", "stock"), ("stocks", "draw_t", "stock"), ("purchases", "cost_musd", "purchase")],
)  # fmt: skip
def test_the_audit_finds_a_wrong_cell_of_a_month(base, table, column, kind):
    i = pile(base(years=YEARS), initial_t=10, max_t=10)
    plan = planner.solve(struck(i, STOP, first_year=2030, first_month=7, months=6).load())
    plan.branches["s"][table] = shifted(plan.branches["s"][table], column, 1.0)
    report = planner.audit(plan.instance, plan)
    found = {check.kind: check for check in report.checks if not check.ok}
    assert kind in found
    assert any(violation.where.startswith("branch s, month ") for violation in found[kind].violations)


def test_the_audit_finds_months_that_are_missing_or_not_to_be_there(base):
    i = struck(base(years=YEARS), STOP, first_year=2030, first_month=7, months=6).load()
    plan = planner.solve(i)
    service = plan.branches["s"]["service"]
    plan.branches["s"]["service"] = service[service["month"] != 8]
    assert not next(c for c in planner.audit(i, plan).checks if c.kind == "demand").ok
    wrong = service.copy()
    wrong.loc[wrong["month"] == 7, "month"] = 6  # of June the plan tells
    plan.branches["s"]["service"] = wrong
    keys = next(c for c in planner.audit(i, plan).checks if c.kind == "keys")
    assert "6 is no part of 2030 in this branch" in str(keys)
    plan.branches["s"]["service"] = service.drop(columns="month")
    assert not next(c for c in planner.audit(i, plan).checks if c.kind == "tables").ok


def test_the_audit_weighs_the_plan_by_the_months_that_it_lasts(base):
    # a branch from July on with half: of 2030 the plan counts three quarters
    i = struck(base(years=YEARS), STOP, first_year=2030, first_month=7, months=6).load()
    plan = planner.solve(i)
    rows = plan.tables["costs"].set_index(["component", "year"])["musd"]
    assert rows["shortage", 2030] == pytest.approx(0.5 * 0.5 * 40 * SHORT)
    assert rows["freight", 2030] == pytest.approx(0.75 * 100 * 0.001)
    assert math.isclose(sum(plan.tables["costs"]["present_musd"]), plan.objective_musd, rel_tol=1e-9)
    wrong = plan.tables["costs"].copy()
    wrong.loc[(wrong["component"] == "freight") & (wrong["year"] == 2030), "musd"] = 0.5 * 100 * 0.001
    plan.tables["costs"] = wrong
    assert not next(c for c in planner.audit(i, plan).checks if c.kind == "costs").ok
