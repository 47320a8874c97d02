"""Disruptions tried on a plan, against arithmetic by hand and against full solves with the same scenario."""

import json

import pytest
from test_command_line import INSTANCES, run

import planner
from planner.errors import UsageError
from planner.stressing.branch import as_instance
from planner.stressing.cases import SCENARIO


def solved(name, **changes):
    instance = planner.load(INSTANCES / name)
    return instance, planner.solve(instance, **changes)


@pytest.fixture(scope="module")
def tiny():
    return solved("tiny")


def only(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_without_china_the_line_at_home_serves_its_capacity(tiny):
    # README of tiny: 60 t of the line, 100 t asked in 2027: 40 t short at 1 MUSD, less what buying them cost
    found = planner.stress(*tiny, years=[(2027, 2027)])
    lost = only(found.cases, case="CHN")
    assert lost["unserved_t"] == pytest.approx(40)
    assert lost["least_months"] == pytest.approx(12 * 60 / 100)
    assert lost["decisive"] == "magnet from CHN 2027"
    assert found.audited and found.complete


def test_a_plan_with_no_china_at_all_is_unmoved_by_its_loss():
    instance, plan = solved("lead-and-ramp")
    china = instance.with_rows("countries", {"country": "CHN", "name": "China"}).with_rows(
        "facilities", {"facility": "idle", "name": "Idle", "country": "CHN", "status": "operating", "capacity_t": 1}
    )
    makes = instance.operations[0].process
    china = china.with_rows("operations", {"facility": "idle", "process": makes, "opex_usd_per_t": 1})
    plan = planner.solve(china)
    lost = only(planner.stress(china, plan, families=["country"]).cases, case="CHN")
    assert lost["unserved_t"] == pytest.approx(0) and lost["extra_cost_musd"] == pytest.approx(0, abs=1e-9)


def test_a_plan_with_all_from_china_serves_exactly_its_stock():
    instance, plan = solved("stock-cover")
    blow = instance.years[1]
    stock = plan.tables["stocks"]
    held = float(stock.loc[stock["year"] == instance.years[0], "stock_t"].sum())
    found = planner.stress(instance, plan, families=["country"], years=[(blow, blow)], only=["CHN"])
    asked = found.consumers["demand_t"].sum()
    clean = plan.tables["flows"].query("origin != 'CHN' and year == @blow")["t"].sum()
    assert held > 0
    capacity = sum(f.capacity_t for f in instance.facilities if f.country != "CHN")
    assert clean <= capacity + 1e-6
    served = asked - found.consumers["short_t"].sum()
    assert served == pytest.approx(held + capacity)
    assert only(found.survival, sector=instance.sectors[0].sector)["months_served"] == pytest.approx(
        12 * served / asked
    )


@pytest.mark.parametrize(("severity", "last"), [(1.0, 2027), (0.5, 2027), (1.0, 2026)])
def test_a_case_costs_what_the_branch_of_a_full_solve_costs(severity, last):
    """The scenario inside the plan, too unlikely to change the plan's builds and stocks, leaves the same short."""
    instance, plan = solved("stock-cover")
    first = last
    found = planner.stress(instance, plan, families=["country"], years=[(first, last)], severity=severity, only=["CHN"])
    year = max(y for y in instance.years if y <= first)
    exports = plan.tables["flows"].query("origin == 'CHN' and year == @year").groupby("material")["t"].sum()
    rows = (
        [{"kind": "outage", "country": "CHN", "fraction": severity}]
        if any(f.country == "CHN" for f in instance.facilities)
        else []
    )
    rows += [
        {"kind": "export_stop", "country": "CHN", "material": m, "fraction": severity, "reference_t": t}
        for m, t in exports.items()
    ]
    inside = as_instance(instance, first, last, rows)
    scenario = {"scenario": SCENARIO, "name": "S", "probability": 1e-3, "first_year": first, "last_year": last}
    inside = inside.with_rows("scenarios", scenario)
    whole = planner.solve(inside, pins=planner.Pins.of(inside, plan))
    assert whole.tables["stocks"]["stock_t"].tolist() == pytest.approx(plan.tables["stocks"]["stock_t"].tolist())
    branch = whole.branches[SCENARIO]["service"]
    touched = branch[branch["year"] == year]["short_t"].sum()
    assert only(found.cases, case="CHN")["short_t"] == pytest.approx(touched, abs=1e-6)


def test_more_is_never_better(tiny):
    worst = 0.0
    for severity in (0.25, 0.5, 0.75, 1.0):
        found = planner.stress(*tiny, families=["country"], years=[(2027, 2027)], severity=severity, only=["CHN"])
        now = found.cases["short_t"][0]
        assert now >= worst - 1e-9
        worst = now
    both = planner.stress(*tiny, families=["country"], years=[(2026, 2027)], only=["CHN"]).cases["short_t"][0]
    assert both >= worst


def test_scenarios_of_the_instance_are_cases_too(tiny):
    instance, _ = tiny
    instance = instance.changed(
        rows={
            "scenarios": [
                {"scenario": "surge", "name": "S", "probability": 0.1, "first_year": 2027, "last_year": 2027}
            ],
            "disruptions": [{"scenario": "surge", "kind": "outage", "country": "USA", "fraction": 1}],
        }
    )
    plan = planner.solve(instance)
    found = planner.stress(instance, plan, families=["scenario", "country"], years=[(2027, 2027)])
    surge, usa = only(found.cases, case="surge"), only(found.cases, case="USA")
    assert surge["short_t"] == pytest.approx(usa["short_t"])


def test_processes_give_what_one_process_gives(tiny):
    alone = planner.stress(*tiny, years=[(2026, 2026), (2027, 2027)], workers=1)
    beside = planner.stress(*tiny, years=[(2026, 2026), (2027, 2027)], workers=2)
    assert alone.cases.equals(beside.cases) and alone.survival.equals(beside.survival)
    assert list(alone.heat.columns) == ["case", "2026", "2027"]


def test_a_study_goes_on_from_what_is_kept(tiny, tmp_path, monkeypatch):
    from planner.stressing import study

    partial = tmp_path / "partial.jsonl"
    tried = []
    real = study.Trials.run_case

    def failing(self, case):
        if len(tried) == 3:
            raise KeyboardInterrupt
        tried.append(case.name)
        return real(self, case)

    monkeypatch.setattr(study.Trials, "run_case", failing)
    first = planner.stress(*tiny, partial=partial, workers=1)
    assert not first.complete and len(first.cases) == 3 and partial.is_file()
    monkeypatch.setattr(study.Trials, "run_case", lambda self, case: tried.append(case.name) or real(self, case))
    whole = planner.stress(*tiny, partial=partial, workers=1)
    assert whole.complete and len(tried) == len(set(tried)) == len(whole.cases) and not partial.exists()
    assert whole.cases.equals(planner.stress(*tiny, workers=1).cases)


def test_pairs_of_plants():
    instance, plan = solved("tiny")
    assert planner.stress(instance, plan, pairs=True).complete


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"families": ["contry"]}, "did you mean"),
        ({"only": ["CHM"]}, "no case CHM"),
        ({"years": [(2050, 2050)]}, "expected years within"),
        ({"severity": 0.0}, "expected a fraction"),
    ],
)
def test_what_cannot_be_asked_is_explained(tiny, options, says):
    with pytest.raises(UsageError, match=says):
        planner.stress(*tiny, **options)


def test_the_command(tmp_path):
    assert run("solve", INSTANCES / "tiny", "-o", tmp_path / "run").returncode == 0
    done = run("stress", tmp_path / "run", "--year", "2027", "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cases"][0]["case"] == "CHN"
    assert (tmp_path / "out" / "survival.csv").is_file()
    assert run("stress", tmp_path / "run", "--year", "soon").returncode == 2
    assert run("stress", tmp_path / "run", "--families", "nothing").returncode == 2
