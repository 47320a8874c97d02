"""Policies in drawn futures, against arithmetic by hand and against what knows everything beforehand."""

from pathlib import Path

import pytest

import planner
from planner.errors import UsageError
from planner.questions.delivery.draws import draw
from planner.questions.replay import _happening

CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture(scope="module")
def two():
    """Plant A, 0.5 MUSD a year, comes with one half; B, 0.6 MUSD a year, can be started from 2027 on."""
    case = planner.load(CASES / "60a_two_plants/instance").changed(without={"scenarios": {}, "disruptions": {}})
    return case.what_if("set options.success_probability=50% where option=a")


@pytest.fixture(scope="module")
def plan(two):
    return planner.solve(two)


def means(found):
    return found.policies.set_index("how")["mean_musd"]


@pytest.mark.parametrize(("after", "answered"), [(0, 54.8), (1, 104.2)])
def test_held_anew_and_by_gates_cost_what_they_cost_by_hand(two, plan, after, answered):
    # in one of two futures A never comes: held to the plan nine years are short, 450 MUSD; what an answer costs is
    # derived in test_delivery
    roadmap = planner.roadmap(two, rebuild_after=after, values=False)
    found = planner.replay(plan, roadmap, samples=2, rebuild_after=after)
    cost = plan.objective_musd
    assert means(found)["held"] == pytest.approx(cost + 450.0 / 2)
    assert means(found)["made anew at news"] == pytest.approx(cost + answered / 2)
    # a roadmap that looks ahead may start B in time, and costs what it says
    assert means(found)["followed through its gates"] == pytest.approx(roadmap.objective_musd)
    assert roadmap.objective_musd <= cost + answered / 2 + 1e-6
    assert found.futures.groupby("policy")["searches"].max().max() == 1
    assert "2 futures" in str(found)


def test_a_roadmap_is_read_from_its_folder(two, plan, tmp_path):
    roadmap = planner.roadmap(two, values=False)
    folder = roadmap.write(tmp_path / "road")
    inside, outside = (planner.replay(plan, source, samples=4).policies for source in (roadmap, folder))
    assert set(outside["policy"]) - set(inside["policy"]) == {"road, followed through its gates"}
    assert outside["mean_musd"].tolist() == inside["mean_musd"].tolist()


def test_nobody_who_learns_bit_by_bit_does_better_than_one_who_knows_at_the_first_news(two):
    # three plants that may all fail, so that news comes in several years
    every = two.what_if("set options.success_probability=50%", "set options.lead_years=2 where option=b")
    plan = planner.solve(every)
    found = planner.replay(plan, samples=8, rebuild_after=0, workers=1)
    anew = found.futures[found.futures["policy"].str.endswith("news")]["cost_musd"].to_numpy()
    held = found.futures[found.futures["policy"].str.endswith("held")]["cost_musd"].to_numpy()
    known = planner.delivery_risk(plan, samples=8, rebuild_after=0, workers=1).samples
    assert held == pytest.approx(known["cost_musd"].to_numpy())
    assert (anew >= known["answered_musd"].to_numpy() * (1 - 1e-6)).all()
    outcomes = draw(every, 8, 0)
    assert (anew[outcomes.comes.all(axis=1)] == pytest.approx(plan.objective_musd)) or not outcomes.comes.all(
        axis=1
    ).any()


def test_the_first_policy_is_compared_future_by_future(plan):
    found = planner.replay(plan, samples=16)
    costs = found.futures.pivot(index="future", columns="policy", values="cost_musd")
    first, other = found.policies.iloc[0], found.policies.iloc[1]
    assert (first.beyond_musd, first.least_musd, first.most_musd) == (0.0, 0.0, 0.0)
    assert other.beyond_musd == pytest.approx((costs[other.policy] - costs[first.policy]).mean())
    assert other.least_musd <= other.beyond_musd <= other.most_musd


def test_a_replay_goes_on_where_it_was_stopped(plan, tmp_path):
    kept = tmp_path / "kept.jsonl"
    whole = planner.replay(plan, samples=4, workers=1, partial=kept)
    assert not kept.exists()
    assert whole.to_json() == planner.replay(plan, samples=4, workers=2).to_json()


def test_what_cannot_be_followed_is_told(two, plan, tmp_path):
    certain = two.what_if("set options.success_probability=100%")
    with pytest.raises(UsageError, match="every project is certain"):
        planner.replay(plan, instance=certain)
    with pytest.raises(UsageError, match="a plan beside the roadmaps"):
        planner.replay(planner.roadmap(two, values=False))
    with pytest.raises(UsageError, match="two policies are called"):
        planner.replay(plan, plan)
    tree = two.changed(
        rows={
            "scenarios": [
                {"scenario": "dear", "name": "Dear", "probability": 0.5, "first_year": 2028, "last_year": 2029,
                 "rebuild_after": 1}
            ]
        }
    )  # fmt: skip
    with pytest.raises(UsageError, match='the branch "dear" is about something else'):
        planner.replay(plan, planner.roadmap(tree, values=False))


@pytest.fixture(scope="module")
def fire(two):
    """A is certain to come, but burns down with one half in 2027, for good."""
    rows = {"scenarios": [{"scenario": "fire", "name": "Fire", "probability": 0.5, "first_year": 2027,
                           "last_year": 2035, "rebuild_after": 0}],
            "disruptions": [{"scenario": "fire", "kind": "outage", "facility": "a", "fraction": 1}]}  # fmt: skip
    return two.what_if("set options.success_probability=100% where option=a").changed(rows=rows)


@pytest.mark.parametrize(("after", "answered"), [(0, 54.8), (1, 104.2)])
def test_an_outage_that_may_come_is_followed_like_a_project_that_fails(fire, after, answered):
    # held to A nine years are short with one half; who starts B in 2027 has it in 2028, see above
    calm = planner.solve(fire.changed(without={"scenarios": {}, "disruptions": {}}))
    roadmap = planner.roadmap(fire, values=False)
    found = planner.replay(calm, roadmap, instance=fire, samples=4, rebuild_after=after, workers=1)
    assert means(found)["held"] == pytest.approx(54.5 + 450.0 / 2)
    assert means(found)["made anew at news"] == pytest.approx(54.5 + answered / 2)
    # the roadmap's own tree may answer at once, whatever a plan made anew may
    assert means(found)["followed through its gates"] == pytest.approx(roadmap.objective_musd) == pytest.approx(81.9)


def test_scenarios_of_months_act_by_the_year_and_say_so(fire):
    # A burns from July 2027 to June 2028: half of either year, 25 MUSD each; B, answered in time, costs more
    when = {"first_year": 2027, "last_year": None, "first_month": 7, "months": 12, "rebuild_after": None}
    half = fire.changed(rows={"scenarios": [{**fire.rows("scenarios")[0].model_dump(include={"scenario", "name"}),
                                             "probability": 0.5, **when}]})  # fmt: skip
    calm = planner.solve(half.changed(without={"scenarios": {}, "disruptions": {}}))
    found = planner.replay(calm, instance=half, samples=4, rebuild_after=None, workers=1)
    assert means(found)["held"] == pytest.approx(54.5 + 50.0 / 2)
    assert "By the clock of years: of fire the part of a year counts here" in str(found)
    assert "working stocks" not in str(found)


def test_a_price_that_rises_and_a_squeeze_cost_what_they_cost_by_hand():
    # in 2027 100 t come from China at 60,000 USD/t: 6 MUSD. If the price doubles, 10 t are made at 70,000 instead: 10.8
    # + 0.7. If half of the 100 t leave, 50 x 0.06 + 0.7 + 40 short at 1 MUSD; both: 50 x 0.12 + 0.7 + 40
    korea = planner.load(CASES.parents[1] / "instances/stock-cover").changed(without={"stockpiles": {}})
    of_2027 = {"first_year": 2027, "last_year": 2027, "name": "x"}
    scenarios = [{"scenario": name, "probability": p, **of_2027} for name, p in (("dear", 0.5), ("squeeze", 0.25))]
    kinds = [("dear", "price_surge", 1, ""), ("squeeze", "export_stop", 0.5, 100)]
    rows = [
        {"scenario": name, "kind": kind, "country": "CHN", "fraction": part, "reference_t": t}
        for name, kind, part, t in kinds
    ]
    happening = korea.changed(rows={"scenarios": scenarios, "disruptions": rows})
    plan = planner.solve(korea)
    found = planner.replay(plan, instance=happening, samples=16, rebuild_after=None, workers=1)
    extra = (found.futures["cost_musd"] - plan.objective_musd).round(4).abs()
    # independent of each other: of 16 futures 8 are dear and 4 are squeezed, 2 of them both
    assert extra.value_counts().to_dict() == {0.0: 6, 5.5: 6, 37.7: 2, 40.7: 2}


def test_scenarios_that_exclude_each_other_never_happen_together(two):
    scenarios = [
        {"scenario": name, "name": name, "probability": p, "first_year": year, "last_year": 2035, "parent": parent}
        for name, p, year, parent in (("a", 0.5, 2027, ""), ("b", 0.25, 2028, ""), ("c", 0.125, 2029, "a"))
    ]
    rows = [{"scenario": name, "kind": "outage", "facility": "a", "fraction": 0.5} for name in "abc"]
    tree = two.changed(rows={"scenarios": scenarios, "disruptions": rows})
    points = draw(tree, 256, 0, 3).events
    seen = [frozenset(_happening(tree, tree.scenarios, drawn)) for drawn in points]
    counts = {of: seen.count(of) for of in seen}
    # c is a quarter of a; b is half of what a leaves
    near = {frozenset(): 64, frozenset("a"): 96, frozenset("ac"): 32, frozenset("b"): 64}
    assert counts == {of: pytest.approx(count, abs=6) for of, count in near.items()}
