"""Near-optimal plans against every plan there is."""

import itertools
import json
import math
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from places import INSTANCES, run

import planner
from planner.errors import SolverFailed, UsageError
from planner.questions.alternatives import answers
from planner.questions.alternatives.alternatives import _verdict
from planner.questions.alternatives.answers import answer
from planner.questions.alternatives.ends import latest_start, put_in
from planner.questions.alternatives.near import Near
from planner.questions.alternatives.priced import least_at_prices
from planner.questions.alternatives.space import Space
from planner.solving import parts
from planner.solving.programme import Programme
from planner.solving.solver import Settings

ROW = {"integer": True, "life_years": 10, "lead_years": 0, "name": "N"}


def four_plants():
    """tiny with three plants more, two of them twins of one project, one that needs another."""
    tiny = planner.load(INSTANCES / "tiny").without("caps")
    process = tiny.operations[0].process
    options = [
        {"option": "a", "facility": "fa", "module_t": 20, "max_modules": 2, "capex_musd": 3},
        {"option": "b", "facility": "fb", "module_t": 30, "max_modules": 1, "capex_musd": 2, "exclusive_group": "g"},
        {"option": "b-loan", "facility": "fb", "module_t": 30, "max_modules": 1, "capex_musd": 1.5,
         "exclusive_group": "g", "requires": "a"},
    ]  # fmt: skip
    facilities = [
        {"facility": f, "name": f, "country": "USA", "status": "candidate", "startup": f == "fa"} for f in ("fa", "fb")
    ]
    operations = [{"facility": f, "process": process, "opex_usd_per_t": 30000} for f in ("fa", "fb")]
    return tiny.changed(
        rows={"facilities": facilities, "operations": operations, "options": [{**ROW, **o} for o in options]}
    )


@pytest.fixture(scope="module")
def four():
    return four_plants()


def every_plan(instance):
    """Cost and modules of every combination of starts that has a plan."""
    starts = []
    for option in instance.options:
        for year in instance.years:
            if year + option.lead_years <= instance.years[-1] + instance.last_period_years - 1:
                starts.append((option.option, year, int(option.max_modules)))
    found = []
    for counts in itertools.product(*(range(most + 1) for _, _, most in starts)):
        built = {(o, y): float(n) for (o, y, _), n in zip(starts, counts, strict=True)}
        try:
            plan = planner.solve(instance, pins=planner.Pins(built), audit=False)
        except planner.PlannerError:
            continue
        found.append((plan.objective_musd, built))
    return found


@pytest.fixture(scope="module")
def plans_of_four(four):
    return every_plan(four)


@pytest.fixture(params=[False, True], ids=["whole", "in parts"])
def in_parts(request, monkeypatch):
    """Whether the model is taken apart by years, as a large one is; the settings that let it be."""
    if not request.param:
        return {}
    monkeypatch.setattr(parts, "FEWEST_COLUMNS", 1)
    return {"gap": 1e-5}


@pytest.mark.parametrize("slack", [0.0, 0.05, 0.15])
def test_ranges_are_those_of_every_plan_within_the_slack(four, plans_of_four, slack, in_parts):
    groups = ["stage=magnet", "option=a", "startup=yes"]
    found = planner.alternatives(four, slack=slack, groups=groups, plans=2, **in_parts)
    best = min(cost for cost, _ in plans_of_four)
    assert found.best_musd == pytest.approx(best)
    near = [built for cost, built in plans_of_four if cost <= best * (1 + slack) + 1e-9]

    def modules(built, option):
        return sum(n for (o, _), n in built.items() if o == option)

    for row in found.ranges.itertuples():
        counts = [modules(built, row.option) for built in near]
        assert (row.least, row.most) == (min(counts), max(counts)), row.option
        assert row.proven
        assert row.verdict == ("always" if min(counts) else "sometimes" if max(counts) else "never")
        if row.verdict == "always":
            latest = max(min(y for (o, y), n in b.items() if o == row.option and n) for b in near)
            assert row.latest_start == latest
    group = found.groups.set_index("group")
    capacity = [20 * modules(b, "a") for b in near]
    assert (group["least_t"]["option=a"], group["most_t"]["option=a"]) == pytest.approx((min(capacity), max(capacity)))
    assert group["most_musd"]["startup=yes"] == pytest.approx(max(3 * modules(b, "a") for b in near))


@pytest.mark.parametrize("slack", [0.05, 0.15, 0.3])
def test_pairs_are_those_of_every_plan_within_the_slack(four, plans_of_four, slack, in_parts):
    found = planner.alternatives(four, slack=slack, plans=0, latest=False, **in_parts)
    best = min(cost for cost, _ in plans_of_four)
    near = [built for cost, built in plans_of_four if cost <= best * (1 + slack) + 1e-9]
    sets = [{o for (o, _), n in built.items() if n} for built in near]
    sometimes = found.ranges.loc[found.ranges["verdict"] == "sometimes", "option"]
    assert len(found.pairs) == math.comb(len(sometimes), 2)
    for row in found.pairs.itertuples():
        two = {row.one, row.other}
        assert row.both == ("yes" if any(two <= built for built in sets) else "no"), two
        assert row.neither == ("yes" if any(not two & built for built in sets) else "no"), two
    if slack == 0.3:  # twins are never built both
        assert "Not both within the slack: b and b-loan" in str(found)


def test_coverage_is_what_the_plans_told_show(four):
    found = planner.alternatives(four, slack=0.15, plans=3)
    most = {o.option: o.max_modules for o in four.options}
    plans = [
        {o: rows.loc[rows["option"] == o, "modules"].sum() for o in most}
        for _, rows in found.plans.groupby("plan", sort=False)
    ]
    assert found.coverage["plan"].tolist() == found.names
    ends = {r.option: r.most - r.least for r in found.ranges.itertuples() if r.most > r.least}
    for n, row in enumerate(found.coverage.itertuples()):
        shown = plans[: n + 1]
        spans = [(max(p[o] for p in shown) - min(p[o] for p in shown)) / ends[o] for o in ends]
        assert row.ranges_shown == pytest.approx(sum(spans) / len(spans))
        if n:
            apart = min(sum(abs(plans[n][o] - p[o]) / most[o] for o in most) for p in plans[:n])
            assert row.apart == pytest.approx(apart) and apart > 0
    assert found.coverage["ranges_shown"].is_monotonic_increasing and found.coverage["pairs_shown"].between(0, 1).all()
    assert "Together these plans show" in str(found)


def test_what_was_searched_is_kept_until_all_is_done(four, tmp_path, monkeypatch):
    kept, whole, done = tmp_path / "kept.jsonl", planner.alternatives(four, slack=0.15), []

    def stopped(space, piece):
        if len(done) == 6:
            raise KeyboardInterrupt
        done.append(piece)
        return answer(space, piece)

    monkeypatch.setattr(answers, "answer", stopped)
    assert not planner.alternatives(four, slack=0.15, partial=kept).complete
    monkeypatch.setattr(answers, "answer", lambda space, piece: done.append(piece) or answer(space, piece))
    again = planner.alternatives(four, slack=0.15, partial=kept)
    assert again.to_json() == whole.to_json() and not kept.exists()
    assert len(done) == len(set(done))


def test_a_search_is_the_same_wherever_it_is_done_and_whatever_was_asked_before(four, in_parts):
    space = Space(four, 0.15, Settings(**in_parts), None)
    elsewhere = pickle.loads(pickle.dumps(space))
    plan = space.plan(space.best)
    pieces = [*(("range", o) for o in space.options), ("pair", "a", "b", True), ("latest_start", "a")]
    pieces += [("span", "stage=magnet"), ("buy", "least capex"), ("buy", "least exposure"), ("farthest", (plan,), plan)]
    here = [answer(space, piece) for piece in pieces]
    assert [answer(elsewhere, piece) for piece in reversed(pieces)] == here[::-1]


def test_every_plan_named_is_audited_and_within_the_slack(four):
    found = planner.alternatives(four, slack=0.15, plans=3)
    assert len(found.names) >= 2 and found.names[0] == "least cost"
    for name in found.names:
        plan = found.plan(name)  # audited in solve
        assert plan.objective_musd <= found.ceiling_musd * (1 + 1e-9)
        assert plan.objective_musd <= found.plans.set_index("plan").loc[[name], "cost_musd"].iloc[0] * (1 + 1e-6)
    assert all("a" in name or "b" in name for name in found.names[1:])


def test_the_slack_buys_less_exposure(four):
    found = planner.alternatives(four, slack=0.15, plans=0).buys.set_index("aim")
    assert found["best"]["least exposure"] < found["at_least_cost"]["least exposure"]
    nothing = planner.alternatives(four, slack=0.0, plans=0).buys.set_index("aim")
    assert nothing["best"]["least exposure"] == pytest.approx(nothing["at_least_cost"]["least exposure"], rel=1e-4)


@pytest.mark.parametrize("slack", [0.05, 0.15, 0.3])
def test_the_least_exposure_that_is_sought_at_prices_lies_within_their_band(four, slack, monkeypatch):
    whole = planner.alternatives(four, slack=slack, plans=0).buys.set_index("aim").loc["least exposure"]
    assert whole.proven and whole.best == whole.bound
    monkeypatch.setattr(parts, "FEWEST_COLUMNS", 1)
    space = Space(four, slack, Settings(gap=1e-5), None)
    aim = space.solver.measure("unclean")
    bound, best = least_at_prices(space, aim, 0.0), min(float(aim @ x) for x in space.seen)
    room = 2e-4 * whole.best
    assert 0.0 < bound <= whole.best + room and whole.best <= best + room
    assert all(space.solver.cost(x) <= space.within for x in space.seen)
    if slack == 0.3:
        assert best < 0.8 * whole.at_least_cost


@pytest.mark.parametrize("failing", ["the master", "a part"])
def test_what_the_solver_cannot_decide_is_open(four, monkeypatch, failing):
    monkeypatch.setattr(parts, "FEWEST_COLUMNS", 1)
    space = Space(four, 0.15, Settings(gap=1e-5), None)
    limit, ceiling = space.limit("a", 2.0, math.inf), space.ceiling
    assert space.method.possible([limit], ceiling, None)[0] is not None

    def failed(*_, **__):
        raise SolverFailed("HiGHS stopped without a result: Unknown")

    if failing == "the master":
        monkeypatch.setattr(space.method.master, "find", failed)
    else:
        monkeypatch.setattr(space.method, "_once", failed)
    assert space.method.possible([limit], ceiling, None) == (None, False)
    aim = space.weights({int(space.column[i]): -1.0 for i in space.starts["a"]})
    assert not space.method.least(aim, ceiling, space.best, 1e-3, None)[1]
    assert space.method.least_with(space.best, aim, ceiling, 1e-3, None)[0] is None or failing == "the master"


def test_a_band_of_the_least_exposure_is_told(four):
    found = planner.alternatives(four, slack=0.15, plans=0)
    open_ = found.buys.assign(proven=False, bound=0.123)
    assert "less than 0.123 is not possible (not proven)" in str(replace(found, buys=open_))


@pytest.fixture(scope="module")
def divisible():
    """tiny with a line of any size, and a whole plant that nobody can pay for."""
    tiny = planner.load(INSTANCES / "tiny")
    line = {k: v for k, v in tiny.options[0].model_dump().items() if v is not None}
    options = [{**line, "integer": False}, {**line, "option": "palace", "capex_musd": 100}]
    return tiny.without("options").changed(rows={"options": options})


def test_the_ends_of_a_line_of_any_size(divisible, in_parts):
    # least cost: 50 t of the line at 0.01 MUSD of capex a t, 4.1 + 3.0 + 2.05 + 0.5 = 9.65 MUSD; 1 % are 0.0965 MUSD
    # most: a larger line stands idle, which costs 0.6 MUSD a module: 50 / 60 + 0.0965 / 0.6
    # least: a clean tonne less is one exposed less too by the cap, so 2 t are short at 1 MUSD; saved are 0.06 + 0.041
    # MUSD, and 0.01 of capex: 1.889 MUSD a t
    # a whole palace costs 10 MUSD a year
    found = planner.alternatives(divisible, slack=0.01, plans=0, **in_parts).ranges.set_index("option")
    line, palace = found.loc["texas-line"], found.loc["palace"]
    room = 5e-4 if in_parts else 1e-6  # modules: planes find an end to half a thousandth of a module
    assert line["least"] == pytest.approx((50 - 0.0965 / 1.889) / 60, abs=room) and line["proven"]
    assert line["most"] == pytest.approx(50 / 60 + 0.0965 / 0.6, abs=room)
    assert palace["verdict"] == "never" and palace["proven"]


def test_a_line_of_any_size_that_some_plan_leaves_out_is_not_always_built(divisible, in_parts):
    # with 50 t of the line 9.65 MUSD, as above; without it 104.1 MUSD, see the README of tiny, which is 94.45 or 9.79
    # times 9.65 more: a slack of 9.8 leaves room for no line at all, and the least is 0, not nearly 0
    found = planner.alternatives(divisible, slack=9.8, plans=0, **in_parts).ranges.set_index("option")
    assert (found.loc["texas-line", "least"], found.loc["texas-line", "verdict"]) == (0.0, "sometimes")


def test_an_answer_does_not_depend_on_what_was_asked_before(divisible):
    space = Space(divisible, 0.01, Settings(), None)
    aims = np.zeros((2, len(space.arrays.cost)))
    aims[:, space.column[space.starts["texas-line"]]] = [[1.0], [-1.0]]
    first = space.held.least(aims[0]).x
    space.held.least(aims[1])
    space.held.cheapest()
    assert (space.held.least(aims[0]).x == first).all()


def test_what_no_optional_project_costs_and_a_slack_beyond_it(tmp_path):
    # tiny costs 9.75 MUSD; without the line nothing clean comes in 2027, so by the cap nothing at all: 4.1 + 100 MUSD
    tiny = planner.load(INSTANCES / "tiny")
    found = planner.alternatives(tiny, plans=0)
    assert (found.no_project, found.no_project_musd) == ("optimal", pytest.approx(104.1))
    assert found.projects_musd == pytest.approx(94.35)
    assert "Without any optional project: 104.1 MUSD, 94.35 MUSD more." in str(found) and "Careful" not in str(found)
    about = json.loads((found.write(tmp_path / "found") / "alternatives.json").read_text())
    assert (about["no_project_musd"], about["projects_musd"]) == pytest.approx((104.1, 94.35))
    # 94.35 / 9.75 = 967.69 %: with more than that the line is in some plans only
    wide = planner.alternatives(tiny, slack=9.7, plans=0)
    assert wide.ranges["verdict"].tolist() == ["sometimes"]
    assert "Careful: the slack of 94.575 MUSD is larger" in str(wide) and "below 967.69% can tell" in str(wide)


def test_what_is_committed_is_no_optional_project():
    # at most a fifth of 2027 exposed: 80 t clean of two lines, 4.1 + 4.8 + 0.82 + 1.2 = 10.92 MUSD; with the committed
    # line alone 60 t clean and 15 exposed, 25 short: 4.1 + 3.6 + 0.615 + 25 + 0.6 = 33.915 MUSD
    tiny = planner.load(INSTANCES / "tiny")
    line = {k: v for k, v in tiny.options[0].model_dump().items() if v is not None}
    cap = {k: v for k, v in tiny.caps[0].model_dump().items() if v is not None}
    rows = {"options": [{**line, "max_modules": 2, "min_modules": 1}], "caps": [{**cap, "limit": 0.2}]}
    found = planner.alternatives(tiny.changed(rows=rows), slack=0.0, plans=0)
    assert found.best_musd == pytest.approx(10.92) and found.no_project_musd == pytest.approx(33.915)
    assert found.ranges[["least", "most"]].iloc[0].tolist() == [2, 2]  # afterwards it is free again


def test_without_any_optional_project_there_may_be_no_plan():
    # everything must be served, half of it clean, which only the line is
    tiny = planner.load(INSTANCES / "tiny")
    sector = {k: v for k, v in tiny.sectors[0].model_dump().items() if v is not None}
    found = planner.alternatives(tiny.changed(rows={"sectors": [{**sector, "min_service": 1.0}]}), plans=0)
    assert found.no_project == "infeasible" and found.to_dict()["no_project_musd"] is None
    assert "Without any optional project there is no plan." in str(found)


def test_no_project_is_the_least_cost_where_the_search_stopped_at_a_dearer_plan(monkeypatch):
    # without the cap 200 t from China are the least, 8.2 MUSD; the line standing idle in 2027 costs 0.6 more
    search = Programme.find

    def early(self, **options):
        monkeypatch.setattr(Programme, "find", search)
        with self.bounded(list(self.arrays.columns["build"].values()), 1.0, 1.0):
            return search(self, **options)

    monkeypatch.setattr(Programme, "find", early)
    found = planner.alternatives(planner.load(INSTANCES / "tiny").without("caps"), slack=0.05, plans=0)
    assert found.best_musd == found.no_project_musd == pytest.approx(8.2) and found.projects_musd == 0.0


def test_every_search_has_the_time_allowed(divisible, monkeypatch):
    asked = []
    search = Programme.run
    monkeypatch.setattr(Programme, "run", lambda self, s, w: asked.append((type(self), s)) or search(self, s, w))
    planner.alternatives(divisible, slack=0.01, plans=1, time_limit=60)
    assert {kind for kind, _ in asked} == {Programme, Near}
    assert all(59 < seconds <= 60 for _, seconds in asked)


def test_what_runs_out_of_time_is_open(divisible, monkeypatch):
    space = Space(divisible, 0.01, Settings(), None)
    monkeypatch.setattr(Programme, "run", lambda *_: "time_limit")
    ends = {o: answer(space, ("range", o))["found"] for o in space.options}
    # of the line nothing is known but the plan of least cost, of the palace that it is in none, the least there is
    assert ends["texas-line"] == (pytest.approx(50 / 60), pytest.approx(50 / 60), False, False)
    assert ends["palace"] == (0, 0, True, False)
    assert [_verdict(*ends[o]) for o in ("texas-line", "palace")] == ["open", "open"]


def test_a_latest_start_that_was_not_settled_in_time_is_not_told(four, monkeypatch):
    # the plans seen start the line in 2026; whether one can wait until 2027 takes a search
    space = Space(four, 0.0, Settings(), None)
    early, late = space.column[space.starts["a"]]
    begun = space.best.copy()
    begun[[early, late]] = 1.0, 0.0
    space.seen = [begun]
    assert latest_start(space, "a") == 2027
    space.seen = [begun]
    monkeypatch.setattr(Programme, "run", lambda *_: "time_limit")
    assert latest_start(space, "a") is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"slack": -0.1}, "expected a fraction"),
        ({"groups": ["stages=magnet"]}, 'expected country=..., .*did you mean "stage"'),
        ({"groups": ["stage=magnets"]}, 'did you mean "magnet"'),
    ],
)
def test_what_cannot_be_asked_is_explained(four, options, says):
    with pytest.raises(UsageError, match=says):
        planner.alternatives(four, **options)


@pytest.mark.parametrize(("name", "built"), [("all_free", 1), ("shortage_free", 0)])
def test_plans_that_cost_nothing(name, built):
    # all_free: without the line 100 t are short at 1 MUSD each; shortage_free: a module costs money, a shortage none
    defects = Path(__file__).parents[1] / "defects"
    found = planner.alternatives(planner.load(defects / "alternatives_zero_cost" / name), slack=0.03)
    line = found.ranges.set_index("option").loc["texas-line"]
    assert found.ceiling_musd == pytest.approx(0.0, abs=1e-9)
    assert (line["least"], line["most"]) == (built, built)


def test_the_command(tmp_path):
    out = tmp_path / "out"
    done = run("alternatives", INSTANCES / "tiny", "--slack", "5%", "-o", out, "--runs", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / "alternatives.json").read_text())
    assert planner.read_run(out / "runs" / "plan-0").plan["status"] == "optimal"
    assert run("alternatives", INSTANCES / "tiny", "--slack", "much").returncode == 2


def test_a_slack_is_told_beside_the_gap_of_the_least_cost(four):
    # ten per cent over a plan of 110, while none is known to cost more than 100: 121 is 21 % above that
    found = planner.alternatives(four, slack=0.1, plans=0, latest=False)
    assert found.bound_musd == pytest.approx(found.best_musd, rel=1e-6) and "No plan costs less" not in str(found)
    loose = replace(found, best_musd=110.0, bound_musd=100.0, ceiling_musd=121.0)
    assert "built in some within 21.0% of the least cost" in str(loose)


def test_a_plan_beyond_the_ceiling_is_told_by_its_cost(divisible):
    # with the palace the plan costs 9.65 + 10 - 0.5 (the line is not needed): solved as if there were no ceiling
    space = Space(divisible, 0.01, Settings(), None)
    modules = space.as_best.copy()
    put_in(space, modules, "palace", 1.0, space.starts["palace"])
    space.hold(modules)
    found = space.held.cheapest()
    assert found.optimal and space.solver.cost(found.x) == pytest.approx(19.15)
    assert space.held.least(space.arrays.cost).stopped == "infeasible"  # a ceiling holds for every other aim
