"""Disruptions tried on a plan, against arithmetic by hand and against full solves with the same scenario."""

import json
from dataclasses import replace
from itertools import combinations

import pandas as pd
import pytest
from builders import TABLES, TOML, write_instance
from places import INSTANCES, run

import planner
import planner.auditing
from planner.auditing import BranchAudit
from planner.auditing.facts import Facts
from planner.errors import OutputError, UsageError
from planner.questions.stress.cases import SCENARIO, Shock, cases, with_case
from planner.questions.stress.planned import Planned
from planner.questions.stress.trial import Trials

CASES = INSTANCES.parent / "tests" / "cases"


def near(value):
    """Within what the plan's least-exposure step may shift of its stocks (1e-7 of the cost)."""
    return pytest.approx(value, rel=1e-4)


def solved(name, **settings):
    instance = planner.load(INSTANCES / name)
    return instance, planner.solve(instance, **settings)


@pytest.fixture(scope="module")
def tiny():
    return solved("tiny")


@pytest.fixture(scope="module")
def cover():
    return solved("stock-cover")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two plants, a market and a stockpile in three countries, in periods of two years."""
    tables = {
        **TABLES,
        "stockpiles": "stockpile,country,material,initial_t,max_t,holding_usd_per_t\nheap,BBB,metal,30,60,1\n",
    }
    instance = planner.load(write_instance(tmp_path_factory.mktemp("small") / "instance", tables))
    return instance, planner.solve(instance)


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """The same in periods of one year, with a smaller stockpile of magnets beside."""
    heaps = "stockpile,country,material,initial_t,max_t,final_min_t\nheap,BBB,metal,30,60,0\npile,AAA,magnet,20,20,20\n"
    toml = TOML.replace("years = [2026, 2028, 2030]", "years = [2026, 2027, 2028, 2029, 2030]")
    folder = tmp_path_factory.mktemp("single") / "instance"
    instance = planner.load(write_instance(folder, {**TABLES, "stockpiles": heaps}, toml))
    return instance, planner.solve(instance)


def only(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def stop(instance, plan, **options):
    found = planner.stress(plan, families=["country"], only=["export_stop:CHN"], **options)
    assert not found.faults and found.complete
    return only(found.cases, kind="export_stop"), found


# --- by hand ----------------------------------------------------------------------------------------------


def test_without_china_the_line_at_home_serves_its_capacity(tiny):
    # 2027: the line makes 60 t at 60 000, China's 50 t of the plan are gone: 40 t short at 1 MUSD
    #   branch                    60 x 0.06 + 40 x 1           = 43.6
    #   nothing lost, no cap      100 from China x 0.041       =  4.1
    #   plan                      50 x 0.06 + 50 x 0.041       =  5.05
    lost, found = stop(*tiny, year=2027, clock="year")
    assert (lost["unserved_t"], lost["lost_t"]) == pytest.approx((40, 40))
    assert lost["lost_musd"] == pytest.approx(40)
    assert lost["cost_musd"] == pytest.approx(43.6)
    assert lost["extra_cost_musd"] == pytest.approx(43.6 - 4.1)
    assert lost["over_plan_musd"] == pytest.approx(43.6 - 5.05)
    # a tonne more from China would save 1 000 000 - 41 000 USD
    assert lost["decisive"] == "magnet from CHN" and lost["decisive_usd_per_kg"] == pytest.approx(959)
    cars = only(found.by_sector, case="export_stop:CHN", sector="cars")
    # what comes meets 60 % of the demand: 7.2 months. A stop of m months leaves 50 (1 - m/12) t from China, and
    # 60 + 50 (1 - m/12) >= 100 up to 2.4 months
    assert cars["months_served"] == pytest.approx(7.2)
    assert cars["months_survived"] == 2
    assert cars["demand_t"] == pytest.approx(100)


def test_twelve_months_cost_what_the_year_costs_but_no_month_is_served_for_another(tiny):
    months, found = stop(*tiny, year=2027)
    year, _ = stop(*tiny, year=2027, clock="year")
    for column in ("unserved_t", "lost_t", "lost_musd", "cost_musd", "extra_cost_musd", "over_plan_musd"):
        assert months[column] == pytest.approx(year[column]), column
    # 60 % of every month can be served, so that the first is served in part and no other counts
    cars = only(found.by_sector, case="export_stop:CHN", sector="cars")
    assert cars["months_served"] == pytest.approx(0.6) and cars["months_survived"] == pytest.approx(0.6)
    assert months["months_survived"] == pytest.approx(0.6) and months["from_month"] == 1


def test_stocks_and_a_plant_hold_out_for_four_months_and_a_tenth(cover):
    # 2027 begins with 30 t; 8.33 t are asked for a month, of which Busan makes 0.83: the stock gives 7.5 for 4 months,
    # and Busan alone a tenth of the fifth. Of 50 t in six months 5 + 30 are served; from July on China serves again
    six, found = stop(*cover, year=2027, months=6)
    assert six["lost_t"] == near(15) and six["unserved_t"] == near(15)
    assert only(found.by_sector, case="export_stop:CHN")["months_survived"] == near(4.1)
    assert six["months_survived"] == near(4.1)
    # nine tenths of 8.33 are 7.5: less 0.83 of Busan 6.67 a month for 4.5 months, of the last half and a ninth
    level, _ = stop(*cover, year=2027, months=6, level=0.9)
    assert level["months_survived"] == near(4 + (30 - 4 * 20 / 3 + 10 / 12) / 7.5)
    # in the middle of the year the plan has used half of its 30 t, so that 15 t last for two months
    july, _ = stop(*cover, year=2027, months=6, from_month=7)
    assert july["months_survived"] == near(2.1)


def test_a_squeeze_lets_a_share_of_the_normal_exports_out_and_none_before_the_first_licences(tiny):
    # in 2027 the plan buys 50 t in China and makes 50 at home, where there is room for 60; 40 % of 50 t are 20 t a year
    squeezed, found = stop(*tiny, year=2027, squeeze=0.4)
    assert squeezed["lost_t"] == near(100 - 60 - 20) and squeezed["severity"] == pytest.approx(0.6)
    assert set(found.cases["kind"]) == {"export_stop", "none"}
    # six weeks are 1.38 months: nothing comes in January, 62 % of the 20 / 12 t in February
    waited, found = stop(*tiny, year=2027, squeeze=0.4, wait=6)
    comes = 11 - (6 * 7 * 12 / 365 - 1)  # months of 20 / 12 t
    assert waited["lost_t"] == near(40 - 20 * comes / 12)
    assert waited["lost_t"] > squeezed["lost_t"]
    # to wait longer than it lasts is a full stop
    full, _ = stop(*tiny, year=2027, squeeze=0.4, wait=20, months=3)
    assert full["lost_t"] == near(stop(*tiny, year=2027, months=3)[0]["lost_t"])


def test_the_time_to_survive_falls_with_severity_length_and_what_is_lost(single):
    _, plan = single
    kept = {}
    for severity in (0.3, 0.7, 1.0):
        for months in (1, 4, 9, 15):
            found = planner.stress(plan, year=2027, months=months, from_month=5, severity=severity, k=2).cases
            for case, survived in zip(found["case"], found["months_survived"], strict=True):
                if case != "none":
                    kept[severity, months, case] = survived
    cases_tried = {case for *_, case in kept}
    assert any(" + " in case for case in cases_tried) and len(set(kept.values())) > 5
    for (severity, months, case), survived in kept.items():
        for other in (0.3, 0.7, 1.0):
            for longer in (1, 4, 9, 15):
                for more in cases_tried:
                    worse = set(case.split(" + ")) <= set(more.split(" + ")) and other >= severity and longer >= months
                    if worse and (other, longer, more) in kept:
                        assert kept[other, longer, more] <= survived + 1e-6


def test_an_outage_of_a_country_without_markets_never_costs_less_than_the_stop_of_its_exports(single):
    _, plan = single
    selling = {"BBB", "EUR"}  # the market for metal is there, which no outage of plants closes
    compared = 0
    for options in ({"months": 5, "from_month": 4}, {"months": 14, "from_month": 11}, {"months": 1}):
        found = planner.stress(plan, year=2027, **options).cases.set_index("case")
        for case in found.index:
            kind, _, target = case.partition(":")
            outage = f"outage:{target}"
            if kind == "export_stop" and outage in found.index and target.partition("/")[0] not in selling:
                compared += 1
                for column in ("lost_t", "lost_musd", "extra_cost_musd"):
                    assert found[column][outage] >= found[column][case] - 1e-6, (case, column)
    assert compared >= 6


def test_long_periods_are_tried_by_the_clock_of_years_and_the_study_says_so(small):
    _, plan = small
    found = planner.stress(plan, year=2028, only=["AAA"])
    assert found.settings["clock"] == "year" and any("by the clock of years" in note for note in found.notes)
    with pytest.raises(UsageError, match=r"needs periods of one year .* but the period 2028 to 2029 is longer"):
        planner.stress(plan, year=2028, clock="month")


def test_a_plan_with_no_china_at_all_is_unmoved_by_a_chinese_stop(tiny):
    instance, _ = tiny
    home = instance.scaled("options", "module_t", 2).scaled("caps", "limit", 0)  # a line of 120 t, nothing exposed
    plan = planner.solve(home)
    assert plan.metrics["exposed_share"]["2027"] == 0
    lost, found = stop(home, plan, year=2027)
    assert lost["lost_t"] == 0 and lost["over_plan_musd"] == pytest.approx(0, abs=1e-9)
    assert lost["least_months_survived"] == 12 and lost["decisive"] == ""
    # with the cap lifted and nothing lost the branch would rather buy 100 t in China: 4.1 against 6.0 MUSD
    assert only(found.cases, case="none")["over_plan_musd"] == pytest.approx(4.1 - 6.0)


def test_a_plan_with_all_from_china_serves_exactly_its_stock(cover):
    instance, _ = cover
    instance = instance.scaled("facilities", "capacity_t", 0)
    plan = planner.solve(instance)
    # 2027 begins with 30 t, 100 t are asked for: 3.6 months
    lost, found = stop(instance, plan, year=2027)
    assert lost["lost_t"] == near(70)
    assert only(found.by_sector, case="export_stop:CHN")["months_served"] == near(12 * 30 / 100)
    # 2026 begins with 5 t; what the plan would have put aside for 2027 is bought in 2027, at 60 000
    lost, found = stop(instance, plan, year=2026)
    assert lost["lost_t"] == near(95)
    assert lost["cost_musd"] == near(95 * 1 + 100 * 0.06)
    assert only(found.by_sector, case="export_stop:CHN")["months_served"] == near(12 * 5 / 100)


def test_half_a_stop_and_half_a_year_of_it(cover):
    # the plan buys 70 t in 2027; half of them, 30 t of stock and 10 t of Busan leave 25 t short
    half, found = stop(*cover, year=2027, severity=0.5, clock="year")
    assert half["lost_t"] == near(25)
    assert half["cost_musd"] == near(35 * 0.06 + 10 * 0.07 + 25)
    assert only(found.by_sector, case="export_stop:CHN")["months_served"] == near(12 * 75 / 100)
    six, found = stop(*cover, year=2027, months=6, clock="year")
    assert six["lost_t"] == near(25) and six["months"] == 6
    # 25 t are 3 months of demand, so 3 of the 6 months are served
    cars = only(found.by_sector, case="export_stop:CHN")
    assert cars["months_served"] == near(6 - 3)
    # Busan's 10 t make up for 10 / 70 of the year's purchases: 1.7 months
    assert cars["months_survived"] == 1


def test_an_outage_of_two_years_is_counted_in_both(tiny):
    instance, plan = tiny
    both, found = stop(instance, plan, year=2026, years=2)
    assert both["lost_t"] == pytest.approx(100 + 40)
    cars = only(found.by_sector, case="export_stop:CHN")
    assert cars["months_served"] == 0 and cars["demand_t"] == pytest.approx(200)


def test_a_scenario_with_service_that_must_hold_can_be_impossible(tiny):
    instance, plan = tiny
    scenario = {"scenario": "s", "name": "S", "probability": 0.1, "first_year": 2027, "last_year": 2027}
    stopped = {"scenario": "s", "kind": "export_stop", "country": "CHN", "fraction": 1}
    floor = {"scenario": "s", "sector": "cars", "min_service": 0.9}
    strict = instance.changed(rows={"scenarios": [scenario], "disruptions": [stopped], "branch_service": [floor]})
    found = planner.stress(plan, instance=strict, families=["scenario"])
    assert only(found.cases, case="scenario:s")["status"] == "infeasible"
    with pytest.raises(UsageError, match="year and months do nothing for scenarios"):
        planner.stress(plan, instance=strict, only=["s"], year=2026, months=3)


# --- against full solves ----------------------------------------------------------------------------------


def inside(instance, case, probability):
    rows = [row.model_dump(exclude={"note", "source", "active"}) for row in case.rows]
    scenario = {"scenario": SCENARIO, "name": "S", "probability": probability}
    clock = {"first_month": case.from_month, "months": case.months} if case.from_month else {"last_year": case.last}
    return instance.changed(
        rows={
            "scenarios": [{**scenario, "first_year": case.first, **clock}],
            "disruptions": [{**row, "scenario": SCENARIO} for row in rows],
        }
    )


def held(plan):
    """Stockpile and year -> t; in which of two years the clean part is used can be a tie (stock-cover)."""
    totals = plan.tables["stocks"].groupby(["stockpile", "year"])["stock_t"].sum()
    return {key: t for key, t in totals.items() if t > 1e-6}


@pytest.mark.parametrize("name", ["tiny", "cover", "small"])
@pytest.mark.parametrize("shock", [
    Shock(1.0, 2027), Shock(0.4, 2027), Shock(0.9, 2026, 2), Shock(1.0, 2027, months=5),
    Shock(1.0, 2026, from_month=1), Shock(0.6, 2026, months=4, from_month=10),
    Shock(0.9, 2026, months=13, from_month=6),
])  # fmt: skip
def test_each_case_is_the_branch_of_a_full_solve(name, shock, request):
    """The objective with the case at probability p is the plan's, and p times what the branch costs more than it."""
    if name == "small" and shock.from_month:
        pytest.skip("its periods are longer than a year")
    instance, plan = request.getfixturevalue(name)
    found = planner.stress(
        plan, year=shock.year, years=shock.years, months=shock.months, severity=shock.severity, survival=False,
        from_month=shock.from_month or None, clock="month" if shock.from_month else "year",
    )  # fmt: skip
    assert found.audited and not found.faults
    listed = cases(instance, Planned(instance, plan), ("country", "facility", "material"), [shock])
    compared = 0
    for case in listed:
        if not case.rows:
            continue
        p = 1e-4
        whole = planner.solve(inside(instance, case, p), pins=planner.Pins.of(instance, plan))
        assert held(whole) == pytest.approx(held(plan), abs=1e-6)
        tried = only(found.cases, case=case.name)
        difference = (whole.objective_musd - plan.objective_musd) / p
        assert tried["over_plan_musd"] == pytest.approx(difference, rel=1e-4, abs=2e-3)
        lengths = dict(zip(instance.years, (*instance.years[1:], instance.years[-1] + 1), strict=True))
        service = whole.branches[SCENARIO]["service"]
        service = service[service["year"] <= tried["until_year"]]
        divided = service["month"].notna() if "month" in service else [False] * len(service)
        short = sum(
            r.short_t * (1 / 12 if month else lengths[r.year] - r.year)
            for r, month in zip(service.itertuples(), divided, strict=True)
        )
        assert tried["unserved_t"] == pytest.approx(short, abs=1e-5)
        compared += 1
    assert compared >= 2


def test_scenarios_of_every_kind_are_the_branches_of_the_run(small):
    instance, _ = small
    rows = [
        {"scenario": "stop", "kind": "export_stop", "country": "AAA", "fraction": 1},
        {"scenario": "dark", "kind": "outage", "country": "EUR", "fraction": 0.7},
        {"scenario": "dark", "kind": "demand_surge", "country": "AAA", "fraction": 0.5},
        {"scenario": "dear", "kind": "price_surge", "country": "EUR", "fraction": 2},
        {"scenario": "never", "kind": "project_failure", "country": "AAA", "stage": "magnet", "fraction": 1},
        {"scenario": "never", "kind": "outage", "facility": "shop", "fraction": 0.5},
    ]
    years = {"stop": (2028, 2030), "dark": (2029, 2029), "dear": (2026, 2028), "never": (2028, 2028)}
    scenarios = [
        {"scenario": s, "name": s, "probability": 0.05, "first_year": a, "last_year": b} for s, (a, b) in years.items()
    ]
    floors = [{"scenario": "stop", "sector": "cars", "min_service": 0.01}]
    instance = instance.changed(rows={"scenarios": scenarios, "disruptions": rows, "branch_service": floors})
    plan = planner.solve(instance)
    found = planner.stress(plan, families=["scenario"])
    assert not found.faults
    lengths = {2026: 2, 2028: 2, 2030: 1}
    costs = {course["scenario"]: course["cost_musd"] for course in plan.plan["outcomes"]}
    for name in years:
        tried = only(found.cases, case=f"scenario:{name}")
        service = plan.branches[name]["service"]
        short = sum(r.short_t * lengths[r.year] for r in service.itertuples())
        assert tried["unserved_t"] == pytest.approx(short, abs=1e-5)
        # the course with the scenario costs what the undisturbed one costs, and what the branch costs more
        assert tried["over_plan_musd"] == pytest.approx(costs[name] - costs[""], rel=1e-6, abs=1e-6)


def test_a_scenario_that_disrupts_nothing_is_no_case(small):
    instance, _ = small
    calm = {"scenario": "calm", "name": "Calm", "probability": 0.1, "first_year": 2028, "last_year": 2028}
    again = instance.with_rows("scenarios", {**calm, "rebuild_after": 0})
    found = planner.stress(planner.solve(again), year=2028)
    assert not any(name.startswith("scenario:") for name in found.cases["case"])


def test_longer_or_severer_never_serves_more(small):
    _instance, plan = small
    for options in (
        [{"severity": s} for s in (0.2, 0.5, 0.8, 1.0)],
        [{"months": m} for m in (1, 4, 7, 12)],
        [{"years": n} for n in (1, 2, 3)],
    ):
        before = None
        for option in options:
            found = planner.stress(plan, year=2028, survival=False, **option)
            now = {r.case: (r.unserved_t, r.cost_musd) for r in found.cases.itertuples() if r.kind != "none"}
            if before is not None:
                assert set(before) <= set(now)
                for case, (short, cost) in before.items():
                    if "years" not in option:  # a longer branch has more periods, whose cost is counted
                        assert now[case][1] >= cost - 1e-6
                    assert now[case][0] >= short - 1e-6
            before = now


# --- several at once --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def twins(tiny):
    """Two plants of 100 t in the USA, of which one is enough, and one of 20 t; no lane from China."""
    instance, _ = tiny
    instance = instance.changed(without={"options": {}, "caps": {}, "lanes": {}})
    plants = {"one": 100, "two": 100, "three": 20}
    rows = {
        "facilities": [
            {"facility": f, "name": f, "country": "USA", "status": "operating", "capacity_t": c}
            for f, c in plants.items()
        ],
        "operations": [{"facility": f, "process": "press", "opex_usd_per_t": 20000 + i} for i, f in enumerate(plants)],
    }
    instance = instance.changed(rows=rows)
    return instance, planner.solve(instance)


def test_the_worst_pair_is_found_where_no_single_loss_hurts(twins):
    found = planner.stress(twins[1], year=2027, families=["facility"], k=3)
    assert found.cases[found.cases["kind"] == "outage"]["lost_t"].max() == 0
    worst = found.worst_of_k[found.worst_of_k["k"] == 2].iloc[0]
    assert worst["case"] == "outage:one + outage:two" and worst["lost_t"] == pytest.approx(80) and worst["exhaustive"]
    # the first two plants are 200 of 220 t
    assert only(found.worst_of_k, k=3)["lost_t"] == pytest.approx(100)
    assert "worst 2 plants of all (2027): outage:one + outage:two" in str(found)


def test_a_search_by_leaning_finds_the_pair_too(twins, monkeypatch):
    from planner.questions.stress import stress as study

    monkeypatch.setattr(study, "SETS", 0)
    monkeypatch.setattr(study, "BEAM", 1)  # one single case, extended by itself and by what it leans on
    found = planner.stress(twins[1], year=2027, families=["facility"], k=2)
    assert found.worst_of_k.iloc[0]["lost_t"] == pytest.approx(80)
    assert not found.worst_of_k["exhaustive"].any()


def test_pairs_lose_at_least_what_either_does(small):
    found = planner.stress(small[1], year=2028, families=["country"], k=2, survival=False)
    single = {r.case: r.lost_musd for r in found.cases.itertuples() if r.kind == "export_stop"}
    pairs = {r.case: r.lost_musd for r in found.worst_of_k.itertuples()}
    assert set(pairs) == {f"{a} + {b}" for a, b in combinations(sorted(single), 2)}
    for name, lost in pairs.items():
        assert lost >= max(single[part] for part in name.split(" + ")) - 1e-9


# --- studies ----------------------------------------------------------------------------------------------


def test_the_heat_map_has_each_export_in_each_year(tiny):
    found = planner.stress(tiny[1], year=[2026, 2027])
    assert list(found.heat.columns) == ["material", "country", "2026", "2027"]
    assert found.heat.iloc[0].tolist() == ["magnet", "CHN", pytest.approx(100), pytest.approx(40)]
    assert found.n_minus_1["rank"].tolist() == list(range(1, len(found.n_minus_1) + 1))


def test_by_default_the_year_with_most_exposed_deliveries(tiny):
    assert set(planner.stress(tiny[1], families=["country"]).cases["year"]) == {2026}  # 100 t, against 50 t in 2027


def test_processes_give_what_one_process_gives(small):
    alone = planner.stress(small[1], year=[2026, 2028], workers=1, k=2)
    beside = planner.stress(small[1], year=[2026, 2028], workers=2, k=2)
    assert alone.cases.equals(beside.cases) and alone.by_sector.equals(beside.by_sector)


def test_a_study_goes_on_where_it_was(tiny, tmp_path, monkeypatch):
    folder = tmp_path / "study"
    tried = []
    real = Trials.run_case

    def interrupted(self, case):
        if len(tried) == 3:
            raise KeyboardInterrupt
        tried.append(case.name)
        return real(self, case)

    monkeypatch.setattr(Trials, "run_case", interrupted)
    first = planner.stress(tiny[1], year=2027, workers=1, folder=folder)
    assert not first.complete and len(first.cases) == 3
    assert json.loads((folder / "stress.json").read_text())["complete"] is False
    with (folder / "finished.jsonl").open("a") as file:
        file.write('{"key": "torn')
    monkeypatch.setattr(Trials, "run_case", lambda self, case: tried.append(case.name) or real(self, case))
    whole = planner.stress(tiny[1], year=2027, workers=1, folder=folder)
    assert whole.complete and len(tried) == len(set(tried)) == len(whole.cases)
    assert whole.cases.equals(planner.stress(tiny[1], year=2027, workers=1).cases)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study"]
    tried.clear()
    planner.stress(tiny[1], year=2027, workers=1, folder=folder)
    assert tried == []
    planner.stress(tiny[1], year=2027, severity=0.5, workers=1, folder=folder)  # another severity is another case
    assert tried


def test_what_a_killed_study_had_finished_is_used(tiny, tmp_path, monkeypatch):
    folder = tmp_path / "study"
    planner.stress(tiny[1], year=2027, workers=1, folder=folder)
    (folder / "finished.jsonl").rename(tmp_path / ".study.partial.jsonl")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    monkeypatch.setattr(Trials, "run_case", lambda self, case: pytest.fail("it is known already"))
    assert planner.stress(tiny[1], year=2027, workers=1, folder=folder).complete


def test_results_of_another_plan_are_not_replaced_unasked(tiny, cover, tmp_path):
    planner.stress(tiny[1], year=2027, folder=tmp_path / "study")
    with pytest.raises(OutputError, match="exists"):
        planner.stress(cover[1], year=2027, folder=tmp_path / "study")
    planner.stress(cover[1], year=2027, folder=tmp_path / "study", overwrite=True)


def test_the_audit_of_a_branch_sees_what_is_wrong(tiny):
    instance, plan = tiny
    case = next(c for c in cases(instance, Planned(instance, plan), ("country",), [Shock(1.0, 2027)]) if c.rows)
    of_case = with_case(instance, case)
    # the plan's own operations as the branch: it ships what is stopped
    tables = {
        name: plan.tables[name][plan.tables[name]["year"] == 2027].reset_index(drop=True)
        for name in ("activity", "flows", "purchases", "service", "stocks", "adjustments")
    }
    auditor = BranchAudit(instance, plan.tables)
    report = auditor.audit(of_case, SCENARIO, tables, 5.05)
    assert [check.kind for check in report.checks if not check.ok] == ["export_stop"]
    report = auditor.audit(of_case, SCENARIO, tables, 5.06)
    assert [check.kind for check in report.checks if not check.ok] == ["export_stop", "objective"]
    # what one branch violates does not stand in the report of the next, in which nothing is stopped
    assert auditor.audit(replace(of_case, disruptions=()), SCENARIO, tables, 5.05).ok


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_every_case_is_audited_in_full(name, request, monkeypatch):
    instance, plan = request.getfixturevalue(name)
    calls, looked_up = [], []
    monkeypatch.setattr(planner.auditing, "Facts", lambda instance: looked_up.append(instance) or Facts(instance))

    def kept(auditor, *given):
        calls.append((given, audit(auditor, *given)))
        return calls[-1][1]

    audit = BranchAudit.audit
    monkeypatch.setattr(BranchAudit, "audit", kept)
    found = planner.stress(plan, workers=1)
    assert len(calls) == len(found.cases) > 2
    assert len(looked_up) == 1  # all cases share what does not change between them
    for (of_case, scenario, tables, cost, until), report in calls:
        # the report does not depend on the cases before, nor on the form of the tables
        frames = {table: pd.DataFrame(columns) for table, columns in tables.items()}
        alone = audit(BranchAudit(instance, plan.tables), of_case, scenario, frames, cost, until)
        assert alone.to_dict() == report.to_dict()
        # its six tables, and builds and stocks of the plan: each is there, and each of its cells is looked at
        assert report.check("tables").comparisons == 6 + 2
        sizes = [len(columns) * len(columns["year"]) for columns in tables.values()]
        sizes += [plan.tables["builds"].size, plan.tables["stocks"].size]
        assert report.check("values").comparisons == sum(sizes)
        # each consumer of each year: what is asked, and that it is delivered or short
        assert report.check("demand").comparisons == 2 * len(tables["service"]["year"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"families": ["contry"]}, "did you mean"),
        ({"only": ["export_stop:CHM"]}, 'did you mean "export_stop:CHN"'),
        ({"only": ["../../etc/passwd\x1b[31m"]}, "no case"),
        ({"only": [""]}, "no case"),
        ({"year": 2050}, "2026 to 2027"),
        ({"severity": 0.0}, "above 0"),
        ({"severity": float("nan")}, "above 0"),
        ({"severity": 1.5}, "up to 1"),
        ({"years": 0}, "1 or more"),
        ({"months": 13, "clock": "year"}, "1 to 12"),
        ({"months": 6, "years": 2, "clock": "year"}, "1 to 12 in one year"),
        ({"months": 0}, "expected 1 or more"),
        ({"months": 6, "years": 2}, "instead of years"),
        ({"from_month": 13}, "expected 1 to 12"),
        ({"from_month": 3, "clock": "year"}, "from_month does nothing by the clock of years"),
        ({"squeeze": 1.0}, "0 to below 1"),
        ({"squeeze": 0.5, "severity": 0.5}, "not both"),
        ({"wait": 4}, "wait does nothing without a squeeze"),
        ({"squeeze": 0.5, "wait": -1}, "0 or more"),
        ({"squeeze": 0.5, "wait": 4, "clock": "year"}, "needs the clock of months"),
        ({"clock": "week"}, 'unknown clock "week"'),
        ({"level": 1.5}, "above 0, up to 1"),
        ({"level": 0.5, "clock": "year"}, "level does nothing"),
        ({"k": 0}, "1 or more"),
        ({"workers": 0}, "1 or more"),
        ({"families": ["scenario"]}, "nothing to try"),
        ({"families": []}, "nothing to try"),
    ],
)
def test_what_cannot_be_asked_is_explained(tiny, options, says):
    with pytest.raises(UsageError, match=says):
        planner.stress(tiny[1], **options)


def test_a_run_of_another_instance_is_refused(tiny, cover):
    with pytest.raises(UsageError, match="does not have"):
        planner.stress(cover[1], instance=tiny[0])


def test_the_command(tmp_path):
    assert run("solve", INSTANCES / "tiny", "-o", tmp_path / "run").returncode == 0
    done = run("stress", tmp_path / "run", "--year", "2027", "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cases"][0]["case"] == "export_stop:CHN"
    assert (tmp_path / "out" / "by_sector.csv").is_file()
    assert "export_stop:CHN" in run("stress", tmp_path / "run", "--year", "all", "--months", "6").stdout
    for options in (["--year", "soon"], ["--families", "nothing"], ["--only", "nobody"], ["--instance", tmp_path]):
        done = run("stress", tmp_path / "run", *options)
        assert done.returncode == 2 and "Traceback" not in done.stderr


def test_an_owner_is_asked_for_by_name():
    # all plants of the country belong to one firm; China sells at most 50 t, so that without them 50 of 100 t are lost
    changes = ("set facilities.owner=Firm where country=USA", "set market_prices.max_t=50")
    tiny = planner.load(INSTANCES / "tiny").what_if(*changes)
    plan = planner.solve(tiny)
    cases = planner.stress(plan, year=2027, only=["Firm", "outage:USA"]).cases.set_index("case")
    assert cases.loc["outage:Firm", "family"] == "owner"
    assert cases.loc["outage:Firm", "lost_t"] == pytest.approx(cases.loc["outage:USA", "lost_t"])
    assert cases.loc["outage:Firm", "lost_t"] == pytest.approx(50)
    every = planner.stress(plan, year=2027)
    assert not every.cases["case"].str.contains("Firm").any()  # not unless it is asked for
    assert "outage:Firm" in set(planner.stress(plan, year=2027, families=["owner"]).cases["case"])


@pytest.fixture(scope="module")
def two_plants():
    """Two plants, of which A alone is built: B is dearer. Without any plant a year costs 50 MUSD."""
    instance = planner.load(CASES / "60a_two_plants" / "instance")
    gone = {"scenarios": {"scenario": "fail"}, "disruptions": {"scenario": "fail"}}
    return planner.solve(instance.changed(without=gone))


@pytest.mark.parametrize("clock", ["month", "year"])
@pytest.mark.parametrize(
    ("after", "answered", "lost"), [(0, 50 + 8 * 0.6, 100), (1, 100 + 7 * 0.6, 200), (9, 450, 900)]
)
def test_an_outage_that_is_answered_costs_what_the_other_plant_costs(two_plants, clock, after, answered, lost):
    # A stands still from 2027 to 2035: held to the plan 9 x 50 MUSD. B, 12 MUSD over 20 years, is online a year after
    # its start, which is in 2027 at the earliest, or so many years later; after the horizon's end it helps nobody
    found = planner.stress(two_plants, year=2027, years=9, clock=clock, rebuild_after=after, only=["outage:a"])
    case = found.cases.set_index("kind").loc["outage"]
    assert case["extra_cost_musd"] == near(450)
    assert (case["answered_musd"], case["answered_lost_t"]) == (near(answered), near(lost))
    assert ("in place of 450" in str(found)) == (after < 9) and not found.faults
    assert pd.isna(found.cases.set_index("kind").loc["none", "answered_musd"])


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        ("builds", lambda rows: [(*row[:5], row[5] + 1.0, *row[6:]) for row in rows], "module"),
        ("service", lambda rows: [(*row[:-1], row[-1] + 1.0) for row in rows], "short_t"),
        ("activity", lambda rows: rows[1:], "must be 100 t"),
    ],
)
def test_an_answer_is_audited_as_what_is_held_is(two_plants, monkeypatch, part, change, said):
    from planner.questions.stress import answered

    class Wrong(answered.Reader):
        def operations(self):
            return {
                branch: {name: change(rows) if name == part and branch else rows for name, rows in tables.items()}
                for branch, tables in super().operations().items()
            }

    monkeypatch.setattr(answered, "Reader", Wrong)
    asked = {"year": 2027, "years": 9, "only": ["outage:a"], "workers": 1}
    (fault,) = planner.stress(two_plants, **asked).faults.values()
    assert fault.startswith("answered: ") and said in fault
    assert not planner.stress(two_plants, **asked, audit=False).faults


def test_an_outage_that_is_over_before_anything_comes_is_not_answered(two_plants, tmp_path):
    found = planner.stress(two_plants, year=2027, years=2, only=["outage:a"], folder=tmp_path / "stress")
    case = found.cases.set_index("kind").loc["outage"]
    assert case["extra_cost_musd"] == case["answered_musd"] == near(100) and pd.isna(case["answered_gap"])
    assert "Nothing that is started 1 year after the blow is online in time" in str(found)
    never = planner.stress(two_plants, year=2027, years=2, only=["outage:a"], rebuild_after=None)
    assert never.cases["answered_musd"].isna().all() and "blow" not in str(never)
    with pytest.raises(UsageError, match="rebuild_after = -1"):
        planner.stress(two_plants, rebuild_after=-1)
