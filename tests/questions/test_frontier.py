"""The curve of cost against dependence, against hand arithmetic and fresh solves."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from builders import write_instance
from places import INSTANCES, run

import planner
from planner.errors import UsageError
from planner.questions.frontier.axis import Axis
from planner.questions.frontier.frontier import _knees
from planner.solving import parts
from planner.solving.solver import Settings


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


def test_a_step_is_told_as_a_step():
    """tiny: nothing clean can be had in 2026, so any limit below 100 % leaves its 100 t undelivered.

    Down to 50 % (the cap of 2027) a tighter limit then changes nothing.
    """
    curve = planner.frontier(planner.load(INSTANCES / "tiny"), points=6)
    second = curve.table.iloc[1]
    assert second.limit == pytest.approx(0.5) and second.short_t == pytest.approx(100.0)
    assert 0.5 < second.same_until < 1.0
    between = planner.load(INSTANCES / "tiny").with_rows(
        "caps", {"cap": "probe", "metric": "exposed_share", "limit": second.same_until}
    )
    assert planner.solve(between).objective_musd == pytest.approx(second.objective_musd)


SELLERS = {
    "countries": "country,name\nUSA,United States\nCHN,China\n",
    "materials": "material,name,stage,strategic,surplus\nmagnet,Magnet,magnet,yes,no\n",
    "processes": "process,name\npress,Press\n",
    "recipes": "process,material,role,t_per_t\npress,magnet,output,1\n",
    "facilities": (
        "facility,name,country,status,capacity_t\n"
        "china,China,CHN,operating,1000\n"
        "cheap,Cheap,USA,operating,40\n"
        "dear,Dear,USA,operating,30\n"
    ),
    "operations": "facility,process,opex_usd_per_t\nchina,press,10000\ncheap,press,20000\ndear,press,50000\n",
    "lanes": "material,origin,destination,cost_usd_per_t\n*,*,*,0\n",
    "sectors": "sector,name,shortage_usd_per_t\ncars,Cars,110000\n",
    "demand": "country,sector,material,year,demand_t\nUSA,cars,magnet,,100\n",
}
ONE_YEAR = """\
schema = 1
name = "sellers"
stages = ["magnet"]
[time]
years = [2030]
last_period_years = 1
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0
wacc = 0
[security]
countries_of_concern = ["CHN"]
"""


@pytest.fixture
def sellers(tmp_path):
    return planner.load(write_instance(tmp_path / "sellers", SELLERS, ONE_YEAR))


def test_kinks_are_where_dual_ranging_puts_them(sellers):
    """100 t from China at 10, at home 40 t at 20, then 30 t at 50 (thousand USD/t); not served: 110.

    At the limit L, with e tonnes exposed, c clean and s short: e = L (100 - s).
    A point less takes 1 t from China: 1 t x (20 - 10) = 0.01 MUSD until the 40 t are used, at L = 0.6;
    then 1 t x (50 - 10) = 0.04 MUSD until the 30 t are used too, at L = 0.3.
    Below, clean is 70 t, so e = 70 L / (1 - L); each tonne of e lost is short and costs 110 - 10 = 100.
    """
    curve = planner.frontier(sellers, points=9)
    costs = {round(r.limit, 6): r.objective_musd for r in curve.table.itertuples()}
    assert costs[1.0] == pytest.approx(1.0)  # 100 x 10
    assert costs[0.6] == pytest.approx(1.4)  # 60 x 10 + 40 x 20
    assert costs[0.3] == pytest.approx(2.6)  # 30 x 10 + 40 x 20 + 30 x 50
    assert costs[0.0] == pytest.approx(5.6)  # 40 x 20 + 30 x 50 + 30 x 110
    for r in curve.table.itertuples():
        if 0.6 + 1e-6 < r.limit < 1.0 - 1e-6:
            assert r.marginal_musd_per_point == pytest.approx(0.01)
        if 0.3 + 1e-6 < r.limit < 0.6 - 1e-6:
            assert r.marginal_musd_per_point == pytest.approx(0.04)
        if r.limit < 0.3 - 1e-6:
            exposed = 70 * r.limit / (1 - r.limit)
            assert r.objective_musd == pytest.approx((exposed * 10 + 800 + 1500 + (30 - exposed) * 110) / 1000)
            assert r.marginal_musd_per_point == pytest.approx(0.1 * 70 / (1 - r.limit) ** 2 * 0.01)
    assert curve.table.iloc[-1].usd_per_kg_clean == pytest.approx((5.6 - 1.0) / 0.07)  # 1000 USD per t: USD per kg


def test_of_plans_of_one_cost_the_curve_takes_the_least_exposed(sellers):
    """The 40 t at home cost what China's do: the least-cost plan buys them, and no limit from 60 % up costs more."""
    level = sellers.with_rows("operations", {"facility": "cheap", "process": "press", "opex_usd_per_t": 10000})
    curve = planner.frontier(level, points=5)
    first = curve.table.iloc[0]
    assert (first.limit, first.share, first.exposed_share) == pytest.approx((0.6, 0.6, 0.6))
    assert first.objective_musd == pytest.approx(1.0)


def test_the_tightest_plan_is_the_least_exposed_of_its_cost_too(tmp_path):
    """Two years, the limit in the second only: in the first the 40 t at home cost what China's do, and are bought.

    At 0 % in 2031: 40 t x 10 + 30 x 50 + 30 x 110 = 5.2 MUSD instead of 1.0, for 70 t clean instead of 40.
    """
    level = {**SELLERS, "operations": SELLERS["operations"].replace("cheap,press,20000", "cheap,press,10000")}
    two_years = ONE_YEAR.replace("years = [2030]", "years = [2030, 2031]")
    curve = planner.frontier(planner.load(write_instance(tmp_path / "level", level, two_years)), from_year=2031)
    assert curve.table.iloc[-1].limit == pytest.approx(0.0, abs=1e-9)
    assert curve.table.iloc[-1].usd_per_kg_clean == pytest.approx(4.2 / 0.03)


def test_a_glide_ends_at_the_least_limit_of_its_last_year(tmp_path):
    """Nothing clean before 2031, so 2030 stays at 100 %; in 2031 all must be served and 70 of 100 t can be clean."""
    tables = {
        **SELLERS,
        "facilities": (
            "facility,name,country,status,capacity_t,first_year\n"
            "china,China,CHN,operating,1000,\n"
            "cheap,Cheap,USA,operating,40,2031\n"
            "dear,Dear,USA,operating,30,2031\n"
        ),
        "sectors": "sector,name,shortage_usd_per_t,min_service\ncars,Cars,110000,1\n",
    }
    two_years = ONE_YEAR.replace("years = [2030]", "years = [2030, 2031]")
    instance = planner.load(write_instance(tmp_path / "later", tables, two_years))
    curve = planner.frontier(instance, from_year=2031, glide=True, points=3)
    last = curve.table.iloc[-1]
    assert last.limit == pytest.approx(0.3, abs=1e-6)
    assert last.objective_musd == pytest.approx(1.0 + 2.6)  # 100 x 10; 30 x 10 + 40 x 20 + 30 x 50


def test_the_marginal_at_the_least_limit_is_what_a_little_more_saves(sellers):
    """At 0 % any dual above 100 thousand USD per tonne keeps China out; one tonne more saves 100 of them.

    At the limit L, e = 70 L / (1 - L), so the first point of a per cent is 0.7 t.
    """
    assert planner.frontier(sellers, points=2).table.iloc[-1].marginal_musd_per_point == pytest.approx(0.07, rel=1e-5)


def test_warm_points_are_those_of_a_curve_of_their_own(sellers):
    """A limit reached from another one gives what it gives when nothing was solved before."""
    from planner.questions.frontier.axis import Axis
    from planner.questions.frontier.curve import Curve
    from planner.solving.solver import Settings

    for instance in (sellers, planner.load(INSTANCES / "tiny"), planner.load(INSTANCES / "stock-cover")):
        warm = Curve(instance, Axis("exposed_share"), Settings(), None)
        last = None
        for limit in (0.9, 0.2, 0.6, 0.0, 0.45):
            cold = Curve(instance, Axis("exposed_share"), Settings(), None).solve(limit)
            last = again = warm.solve(limit, last)
            assert again.cost == pytest.approx(cold.cost, rel=1e-9)
            assert again.bound == pytest.approx(cold.bound, rel=1e-6)


def test_an_interrupted_curve_keeps_its_points(monkeypatch, tmp_path):
    """Ctrl-C in the search for the fourth point: three are left, and the curve says that it is not whole."""
    from planner.questions.frontier.curve import Curve

    whole, solve = planner.frontier(planner.load(INSTANCES / "stock-cover"), points=6), Curve.solve
    calls = []

    def stopped(self, limit, *near):
        calls.append(limit)
        if len(calls) == 4:
            self.interrupted = True
        return solve(self, limit, *near)

    monkeypatch.setattr(Curve, "solve", stopped)
    curve = planner.frontier(planner.load(INSTANCES / "stock-cover"), points=6)
    assert len(curve.table) < len(whole.table) and not curve.complete
    assert "Interrupted: the points found so far." in str(curve)
    curve.write(tmp_path / "curve")
    assert len(pd.read_csv(tmp_path / "curve" / "frontier.csv")) == len(curve.table)
    known = whole.table["limit"].round(9).tolist()
    assert all(limit in known for limit in curve.table["limit"].round(9))


@pytest.mark.parametrize("calls_left", [1, 2, 4])
@pytest.mark.parametrize("name", ["tiny", "stock-cover"])  # with whole numbers, and without
def test_an_interrupted_curve_goes_on_from_the_points_that_are_finished(monkeypatch, tmp_path, name, calls_left):
    from planner.questions.frontier.curve import Curve

    instance, kept = planner.load(INSTANCES / name), tmp_path / "kept.jsonl"
    asked = {"points": 6, "workers": 1}
    whole, solve, calls = planner.frontier(instance, **asked), Curve.solve, []

    def stopped(self, limit, *near):
        if len(calls) == calls_left:
            self.interrupted = True
        calls.append(limit)
        return solve(self, limit, *near)

    monkeypatch.setattr(Curve, "solve", stopped)
    assert not planner.frontier(instance, partial=kept, **asked).complete
    assert len(kept.read_text().splitlines()) >= calls_left
    done = set(calls[:calls_left])
    calls = ["not to be stopped"] * 9
    again = planner.frontier(instance, partial=kept, **asked)
    assert not done & set(calls), "a finished point was solved again"
    for found, all_at_once in ((again.table, whole.table), (again.switches, whole.switches)):
        # without whole numbers a search goes on from the last basis, so the last digits may be others
        pd.testing.assert_frame_equal(found, all_at_once, rtol=1e-7, atol=1e-8)
    assert (again.knee, again.complete) == (whole.knee, True) and not kept.exists()


def test_points_with_planes_are_the_same_read_from_a_file(monkeypatch):
    from planner.questions.frontier.limited import Limited

    monkeypatch.setattr(parts, "FEWEST_COLUMNS", 1)
    monkeypatch.setattr(parts, "LARGEST_PART", 1.0)
    monkeypatch.setattr(Limited, "_rounded", lambda *_: None)  # else a dive settles such a small model
    model = Limited(planner.load(INSTANCES / "tiny"), Axis("exposed_share"), Settings(gap=1e-4), None)
    point = model.solve(0.6)
    assert point.planes.planes
    again = model.unpacked(json.loads(json.dumps(model.packed(point))))
    assert model.packed(again) == model.packed(point) and again.builds == point.builds
    assert model.solve(0.4, again, again).cost == model.solve(0.4, point, point).cost


def test_an_interrupt_in_the_search_for_the_tightest_point_keeps_the_cheapest(monkeypatch):
    from planner.errors import NoPlan
    from planner.questions.frontier.curve import Curve

    solve = Curve.solve

    def stopped(self, limit, *near):
        if not near:
            return solve(self, limit)
        self.interrupted = True
        raise NoPlan("no plan was found before the search ended (interrupted)")

    monkeypatch.setattr(Curve, "solve", stopped)
    curve = planner.frontier(planner.load(INSTANCES / "stock-cover"), points=6)
    assert len(curve.table) == 1 and not curve.complete
    assert str(curve).endswith("Interrupted: the points found so far.")


@pytest.mark.parametrize("at", [3, 4])  # after the two runs of the cheapest point
def test_an_interrupt_in_the_search_for_an_end_ends_the_curve(monkeypatch, at):
    from planner.questions.frontier.curve import Curve

    find, calls = Curve._find, []

    def stopped(self, programme, seconds=None):
        calls.append(programme)
        found = find(self, programme, seconds)
        if len(calls) < at:
            return found
        self.interrupted = True
        return replace(found, stopped="interrupted")

    monkeypatch.setattr(Curve, "_find", stopped)
    curve = planner.frontier(planner.load(INSTANCES / "stock-cover"), points=6)
    assert len(curve.table) == 1 and not curve.complete and len(calls) == at


def point(limit, cost, bound):
    """A point of which only the limit, the cost and the bound are of interest."""
    return SimpleNamespace(limit=limit, cost=cost, bound=bound)


def test_a_knee_is_told_only_where_the_slopes_differ_by_more_than_the_gaps():
    # 100 -> 110 -> 190 over 80, 40 and 0 %: 10 for the first half of the way, 80 for the second
    proven = [point(0.8, 100, 100), point(0.4, 110, 110), point(0.0, 190, 190)]
    assert _knees(proven) == (2, [2])
    # the ends may cost 60 less: then half of the way, to 110, costs 50 of 90, and the chord goes through 45
    loose = [point(0.8, 100, 60), point(0.4, 110, 110), point(0.0, 190, 150)]
    assert _knees(loose) == (None, [])
    # off by 20 the middle still lies 0.5 - 30 / 90 off the chord
    assert _knees([point(0.8, 100, 80), point(0.4, 110, 90), point(0.0, 190, 170)]) == (2, [2])


def test_points_that_may_be_the_knee_by_the_gaps_are_told():
    # off the chord by 1/4 - 5/90 at 60 %, 1/2 - 10/90 at 40 %; the last may cost 55 instead of 60: 3/4 - 55/90
    points = [
        point(0.8, 100, 100),
        point(0.6, 105, 105),
        point(0.4, 110, 110),
        point(0.2, 160, 125),
        point(0, 190, 190),
    ]
    assert _knees(points) == (3, [3, 4])  # 3/4 - 25/90 = 0.47 is more than 1/2 - 10/90 = 0.39
    points[3].bound = 160  # 3/4 - 60/90 is less
    assert _knees(points) == (3, [3])


def test_a_tighter_limit_never_costs_less_whatever_the_gaps_leave(straight):
    # README of traced-cap: 0.02 MUSD a point, proven
    for row in straight.table.itertuples():
        extra = 2.0 * (1.0 - row.limit)
        for ends in (row.extra_least_musd, row.extra_musd, row.extra_most_musd):
            assert ends == pytest.approx(extra, abs=1e-6) and ends >= 0.0


def test_the_least_limit_is_told_where_the_solver_cannot_decide_on_a_lower_one(monkeypatch):
    import sys

    from planner.errors import SolverFailed
    from planner.solving.programme import Programme

    decided, find, undecided = planner.frontier("smco-2035", points=2), Programme.find, []

    def fails(programme, **asked):
        if sys._getframe(2).f_code.co_name == "_lower_too":
            undecided.append(programme)
            raise SolverFailed("HiGHS stopped without a result: Unknown")
        return find(programme, **asked)

    monkeypatch.setattr(Programme, "find", fails)
    again = planner.frontier("smco-2035", points=2)
    assert undecided
    assert again.table["limit"].tolist() == pytest.approx(decided.table["limit"].tolist())
