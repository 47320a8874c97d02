"""The curve of cost against dependence, against hand arithmetic and fresh solves."""

import json

import pandas as pd
import pytest
from test_command_line import INSTANCES, run

import planner
from planner.errors import UsageError


@pytest.fixture(scope="module")
def straight():
    return planner.frontier(planner.load(INSTANCES / "traced-cap"), points=5)


def test_a_straight_curve_runs_from_least_cost_to_least_dependence(straight):
    # README of traced-cap: all exposed 5.5 MUSD; all clean 7.5 MUSD; so a point costs 0.02 MUSD
    first, last = straight.table.iloc[0], straight.table.iloc[-1]
    assert (first.limit, first.objective_musd) == pytest.approx((1.0, 5.5))
    assert (last.limit, last.objective_musd) == pytest.approx((0.0, 7.5))
    for row in straight.table.itertuples():
        assert row.objective_musd == pytest.approx(7.5 - 2.0 * row.limit, rel=1e-7)
        if row.point > 1:
            assert row.marginal_musd_per_point == pytest.approx(0.02)
    assert straight.knee is None


def test_premium_is_extra_cost_per_extra_clean_kilogramme(straight):
    # 2 MUSD more for 100 t clean: 20 USD/kg
    assert straight.table.iloc[-1].usd_per_kg_clean == pytest.approx(20.0)


@pytest.mark.parametrize("name", ["tiny", "stock-cover", "traced-cap"])
def test_each_point_costs_what_a_fresh_solve_with_its_cap_costs(name):
    curve = planner.frontier(planner.load(INSTANCES / name), points=6)
    costs = curve.table["objective_musd"].tolist()
    limits = curve.table["limit"].tolist()
    assert costs == sorted(costs) and limits == sorted(limits, reverse=True)
    for row in curve.table.itertuples():
        fresh = planner.solve(curve.instance_at(row.point))
        assert fresh.objective_musd == pytest.approx(row.objective_musd, rel=1e-6)
        assert row.bound_musd <= row.objective_musd + 1e-9
        assert row.exposed_share <= row.limit + 1e-6


def test_bends_of_the_stock_are_found_where_dual_ranging_puts_them():
    """stock-cover: the stock's clean tonnes are bought at 20, 40 and 60 thousand USD a point, in that order.

    A fine grid of fresh solves gives the slopes; every slope of it must be seen by some point of the curve.
    """
    instance = planner.load(INSTANCES / "stock-cover")
    curve = planner.frontier(instance, points=12)
    cap = {"cap": "probe", "metric": "exposed_share"}
    grid = [0.975, 0.96, 0.945, 0.93, 0.9, 0.88]
    costs = [planner.solve(instance.with_rows("caps", {**cap, "limit": x})).objective_musd for x in grid]
    slopes = {round((b - a) / (x - y) / 100, 4) for a, b, x, y in zip(costs, costs[1:], grid, grid[1:], strict=False)}
    seen = {round(m, 4) for m in curve.table["marginal_musd_per_point"]}
    exact = {s for s in slopes if round(s, 2) == s}
    assert exact and exact <= seen


def test_the_least_dependence_is_the_least_a_cap_can_ask():
    instance = planner.load(INSTANCES / "stock-cover")
    floor = instance.with_rows("sectors", *[{**_cells(s), "min_service": 0.9} for s in instance.sectors])
    curve = planner.frontier(floor, points=3)
    least = curve.table.iloc[-1].limit
    assert least > 0.01
    planner.solve(floor.with_rows("caps", {"cap": "probe", "metric": "exposed_share", "limit": least + 1e-6}))
    with pytest.raises(planner.PlannerError):
        planner.solve(floor.with_rows("caps", {"cap": "probe", "metric": "exposed_share", "limit": least - 1e-5}))


def _cells(row):
    return {name: value for name, value in row.model_dump().items() if value is not None}


def test_whole_numbers_never_undercut_their_relaxation():
    curve = planner.frontier(planner.load(INSTANCES / "tiny"), points=6)
    assert len(curve.lp_table) == len(curve.table)
    assert (curve.lp_table["bound_musd"].to_numpy() <= curve.table["objective_musd"].to_numpy() * (1 + 1e-8)).all()


def test_a_glide_begins_at_the_level_of_today_and_ends_at_the_limit():
    instance = planner.load(INSTANCES / "tiny")
    curve = planner.frontier(instance, from_year=2027, glide=True, points=3)
    assert curve.today == pytest.approx(1.0)
    caps = {c.cap: c for c in curve.instance_at(len(curve.table)).caps}
    assert caps["glide"].limit == pytest.approx(1.0)
    assert caps["glide"].limit_end == pytest.approx(curve.table.iloc[-1].limit, abs=1e-8)
    for point in curve.table["point"]:
        fresh = planner.solve(curve.instance_at(point))
        assert fresh.objective_musd == pytest.approx(curve.table.iloc[point - 1].objective_musd, rel=1e-6)


@pytest.mark.parametrize(
    ("metric", "of"), [("stage_share", "metal"), ("single_country_share", "metal"), ("unserved", "")]
)
def test_other_metrics_are_kept_too(metric, of):
    curve = planner.frontier(planner.load(INSTANCES / "tiny"), metric=f"{metric}:{of}".rstrip(":"), points=4)
    shares, limits = curve.table["share"].to_numpy(), curve.table["limit"].to_numpy()
    assert (shares <= limits + 1e-6).all()


def test_switches_name_what_is_built_otherwise():
    curve = planner.frontier(planner.load(INSTANCES / "tiny").without("caps"), points=6)
    plans = {p: curve.plan(p) for p in curve.table["point"]}
    for switch in curve.switches.itertuples():
        built = {(r.option, r.start_year): r.modules for r in plans[switch.point].tables["builds"].itertuples()}
        assert ((switch.option, switch.start_year) in built) == (switch.change in ("on", "more", "less"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"metric": "exposed_shar"}, "did you mean"),
        ({"metric": "exposed_share:magnet"}, "leave :magnet out"),
        ({"metric": "stage_share:magnt"}, "did you mean"),
        ({"from_year": 2090}, "expected a year up to"),
        ({"glide": True}, "a glide needs"),
        ({"points": 1}, "expected 2 or more"),
    ],
)
def test_what_cannot_be_asked_is_explained(options, says):
    with pytest.raises(UsageError, match=says):
        planner.frontier(planner.load(INSTANCES / "tiny"), **options)


def test_the_page_of_the_command_shows_the_curve(tmp_path):
    page = tmp_path / "page.html"
    assert run("frontier", INSTANCES / "stock-cover", "--points", 5, "--report", page).returncode == 0
    assert "curve-cost" in page.read_text()
    assert run("frontier", INSTANCES / "stock-cover", "--points", 5, "--report", page).returncode == 1


def test_the_command_writes_the_curve_and_its_runs(tmp_path):
    done = run("frontier", INSTANCES / "traced-cap", "--points", 3, "-o", tmp_path / "curve", "--runs", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "curve" / "frontier.json").read_text())
    table = pd.read_csv(tmp_path / "curve" / "frontier.csv")
    assert len(table) == 3
    for point in table["point"]:
        cost = planner.read_run(tmp_path / "curve" / "runs" / f"point-{point:02d}").plan["objective_musd"]
        assert cost == pytest.approx(table["objective_musd"][point - 1], rel=1e-6)
    assert run("frontier", INSTANCES / "traced-cap", "-o", tmp_path / "curve").returncode == 1
    assert run("frontier", INSTANCES / "traced-cap", "--metric", "nothing").returncode == 2
