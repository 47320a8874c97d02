"""Roadmaps against results derived by hand, and against what must hold for every tree."""

import json
import math
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from builders import write_instance
from drawn import valid

import planner
from planner.commands import roadmap as command
from planner.errors import UsageError
from planner.questions.roadmap import worths
from planner.questions.roadmap.events import Event, Variant, by_cause
from planner.questions.roadmap.tree import grown
from planner.questions.roadmap.worths import Worths
from planner.solving import parts, search
from planner.solving.lshaped import LShaped
from planner.solving.solver import Settings

CASES = Path(__file__).parents[1] / "cases"
TWO_PLANTS = CASES / "60a_two_plants/instance"  # its README derives all numbers


def values_of(found):
    return {r.what: r.cost_musd for r in found.values.itertuples()}


@pytest.fixture(scope="module")
def two():
    return planner.roadmap(TWO_PLANTS)


def test_two_plants_sign_one_and_start_the_other_if_it_has_not_come(two):
    # README of 60a: A from 2027 on, and B in 2027 if A has not come; knowing beforehand 79.65, both whatever happens
    # 84.3, A alone 279.5, and 54.5 if A comes
    assert values_of(two) == pytest.approx(
        {"roadmap": 81.9, "foreseen": 79.65, "decided_today": 84.3, "single_plan": 279.5, "as_planned": 54.5}
    )
    assert two.signed.values.tolist() == [["now", "a", 2026, 1.0, 10.0]]
    assert two.gates.values.tolist() == [["fail", "A never comes", 2027, "start", "b", 2027, 1.0, 12.0]]
    assert "2027, 50.0%: if A never comes: start b in 2027" in str(two)
    # to decide on B today is to start it today, or never: 84.3
    assert two.waiting.values.tolist() == [["b", *[pytest.approx(2.4)] * 3]]
    costs = dict(zip(two.courses["scenario"], two.courses["cost_musd"], strict=True))
    assert costs == pytest.approx({"": 54.5, "fail": 109.3})  # 50 + 4.5 and, with B, 50 + 50 + 4.5 + 4.8


def test_a_tree_is_made_of_what_may_fail():
    # A comes with a probability of a half: the same tree, without any scenario of the instance
    uncertain = planner.load(TWO_PLANTS).changed(without={"scenarios": {}, "disruptions": {}})
    row = next(o for o in uncertain.options if o.option == "a")
    known = {k: v for k, v in row.model_dump().items() if v is not None}
    uncertain = uncertain.with_rows("options", {**known, "success_probability": 0.5})
    made = planner.roadmap(uncertain, rebuild_after=0)
    assert made.objective_musd == pytest.approx(81.9)
    assert "if a never comes: start b in 2027" in str(made)
    # a year later B would come in 2029 only, for 81.9 + (50 - 0.6)/2 = 106.6: both, whatever happens, cost 84.3
    later = planner.roadmap(uncertain, values=False)
    assert later.objective_musd == pytest.approx(84.3) and later.gates.empty
    assert later.values["what"].tolist() == ["roadmap"] and later.complete


def test_a_branch_chooses_its_size(tmp_path):
    # 60a with 45 t a year and half of B for 8 MUSD, 3.2 a year: 27 if A comes, else 45 short + 4.5 + 3.2 = 52.7
    folder = shutil.copytree(TWO_PLANTS, tmp_path / "sized")
    (folder / "option_sizes.csv").write_text("option,size,capacity_t,capex_musd\nb,half,50,8\n")
    for name, old, new in (("options", "B,100,1,yes", "B,100,1,no"), ("demand", ",100\n", ",45\n")):
        text = (folder / f"{name}.csv").read_text()
        assert text.count(old) == 1
        (folder / f"{name}.csv").write_text(text.replace(old, new))
    found = planner.roadmap(folder)
    assert found.gates.values.tolist() == [["fail", "A never comes", 2027, "start", "b", 2027, 0.5, 8.0]]
    assert found.courses["cost_musd"].tolist() == pytest.approx([27.0, 52.7])
    # both today: 4.5 + 3.2 + 22.5 + half of 22.5; knowing beforehand saves A where it fails
    assert values_of(found) == pytest.approx(
        {"roadmap": 39.85, "foreseen": 37.6, "decided_today": 41.45, "single_plan": 128.25, "as_planned": 27.0}
    )


FARM = """\
schema = 1
name = "farm"
stages = ["farm"]
[time]
years = [2026]
last_period_years = 1
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0
wacc = 0
[security]
countries_of_concern = []
"""


def farm(folder, share=1.2):
    """The farmer of Birge and Louveaux, Introduction to Stochastic Programming, 1.1, a thousand times as large.

    500 modules of 1,000 acres; a module yields 2.5, 3 and 20 kt on average, ``share`` times that if nothing strikes.
    200 kt of wheat and 240 kt of corn are needed, or bought at 238 and 210 USD/t. What is sold at 170, 150, 36 (up to
    6,000 kt) and 10 USD/t is a demand beyond all reach whose shortage costs the price, 801 MUSD if nothing is sold:
    1,500 kt x 170 + 1,800 kt x 150 + 6,000 kt x 36 + 6,000 kt x 10 USD/t.
    """
    crops = {"wheat": (150, 2.5), "corn": (230, 3.0), "beets": (260, 20.0)}
    buyers = [
        ("feed-wheat", "wheat", 238, 200), ("feed-corn", "corn", 210, 240), ("sold-wheat", "wheat", 170, 1500),
        ("sold-corn", "corn", 150, 1800), ("quota", "beets", 36, 6000), ("beyond", "beets", 10, 6000),
    ]  # fmt: skip
    tables = {
        "countries": [{"country": "AAA", "name": "A"}],
        "materials": [{"material": m, "name": m, "stage": "farm", "surplus": "yes"} for m in crops],
        "processes": [{"process": m, "name": m} for m in crops],
        "recipes": [{"process": m, "material": m, "role": "output", "t_per_t": 1} for m in crops],
        "facilities": [{"facility": m, "name": m, "country": "AAA", "status": "candidate"} for m in crops],
        "operations": [{"facility": m, "process": m} for m in crops],
        "options": [
            {"option": m, "facility": m, "name": m, "module_t": 1000 * kt * share, "max_modules": 500, "integer": "no",
             "capex_musd": usd / 1000, "life_years": 1}
            for m, (usd, kt) in crops.items()
        ],
        "groups": [{"group": "land", "option": m} for m in crops],
        "group_limits": [{"group": "land", "measure": "modules", "max": 500}],
        "sectors": [{"sector": s, "name": s, "shortage_usd_per_t": usd} for s, _, usd, _ in buyers],
        "demand": [
            {"country": "AAA", "sector": s, "material": m, "year": "", "demand_t": 1000 * kt} for s, m, _, kt in buyers
        ],
    }  # fmt: skip
    if share > 1.0:  # the mean is 1/1.2 of the best, the worst 0.8/1.2
        years = {"first_year": 2026, "last_year": 2026, "rebuild_after": "", "parent": ""}
        tables["scenarios"] = [
            {"scenario": s, "name": s, "probability": 1 / 3, **years, "rebuild_after": after}
            for s, after in (("mean", 9), ("worst", 9))
        ]
        tables["disruptions"] = [
            {"scenario": s, "kind": "outage", "country": "AAA", "fraction": f}
            for s, f in (("mean", 1 / 6), ("worst", 1 / 3))
        ]
    return planner.load(write_instance(folder, tables, FARM))


def test_the_farmer_of_birge_and_louveaux(tmp_path):
    # Profits there, in USD a thousandth as large: recourse problem 108,390, value of perfect information 7,016, and of
    # the stochastic solution 1,150, against the plan for mean yields
    mean = planner.solve(farm(tmp_path / "mean", share=1.0))
    assert mean.objective_musd == pytest.approx(801.0 - 118.6)
    found = planner.roadmap(farm(tmp_path / "farm"), plan=mean)
    assert found.objective_musd == pytest.approx(801.0 - 108.390, abs=1e-3)
    values = values_of(found)
    assert values["roadmap"] - values["foreseen"] == pytest.approx(7.016, abs=1e-3)
    assert values["single_plan"] - values["roadmap"] == pytest.approx(1.150, abs=1e-3)
    assert values["decided_today"] == pytest.approx(values["roadmap"])  # all is sown before one knows


def free(folder, seed):
    """A drawn instance without caps, floors and clean-only rules, all of whose branches may build at once; or None."""
    _, toml, tables = valid(folder, seed)
    if not tables["scenarios"] or not tables["options"]:
        return None
    tables["caps"] = []
    for table, column in (("sectors", "min_service"), ("sectors", "clean_from_year"), ("facilities", "min_use"),
                          ("facilities", "min_use_until"), ("stockpiles", "final_min_t")):  # fmt: skip
        for row in tables[table]:
            row[column] = ""
    for row in tables["scenarios"]:
        row["rebuild_after"] = 0
    write_instance(folder / "free", {name: rows for name, rows in tables.items() if rows}, toml)
    return planner.load(folder / "free")


@pytest.mark.parametrize("seed", range(24))
def test_more_freedom_never_costs_more(tmp_path, seed):
    instance = free(tmp_path / "i", seed)
    if instance is None:
        pytest.skip("nothing can happen, or nothing can be built")
    try:
        found = planner.roadmap(instance, gap=0.0)
    except planner.PlannerError as error:
        assert error.exit_code == 3
        return
    values = values_of(found)
    inf = float("inf")
    order = [
        values[w] if values[w] == values[w] else inf for w in ("foreseen", "roadmap", "decided_today", "single_plan")
    ]
    slack = 1e-6 * max(1.0, abs(found.objective_musd))
    assert all(a <= b + slack for a, b in pairwise(order)), order
    assert (found.waiting["waiting_musd"] >= -slack).all()
    expected = (found.courses["probability"] * found.courses["cost_musd"]).sum()
    assert expected == pytest.approx(found.objective_musd, rel=1e-6, abs=1e-8)


def test_without_scenarios_all_freedom_is_the_same():
    calm = planner.load(TWO_PLANTS).changed(without={"scenarios": {}, "disruptions": {}})
    of = Worths(calm, Settings(), None)
    costs = [of.foreseen().cost, of.decided_today().cost, of.held(planner.solve(calm).builds).cost]
    assert costs == pytest.approx([54.5] * 3)


def test_the_l_shaped_method_finds_the_same_roadmap(monkeypatch, two):
    monkeypatch.setattr(parts, "FEWEST_COLUMNS", 0)
    monkeypatch.setattr(parts, "LARGEST_PART", 1.0)
    monkeypatch.setattr(search, "FEWEST_COLUMNS", 0)
    split = planner.roadmap(TWO_PLANTS, gap=1e-4)
    assert values_of(split) == pytest.approx(values_of(two), rel=1e-4) and split.gates.equals(two.gates)
    assert split.waiting["waiting_musd"].tolist() == pytest.approx(two.waiting["waiting_musd"].tolist(), abs=1e-2)


def test_searches_of_one_tree_share_planes_and_find_what_they_find_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(parts, "FEWEST_COLUMNS", 0)
    monkeypatch.setattr(parts, "LARGEST_PART", 1.0)
    adopted, adopt = [], LShaped.adopt
    monkeypatch.setattr(LShaped, "adopt", lambda method, kept: (adopt(method, kept), adopted.append(method.planes)))
    for seed in range(12):
        tree = free(tmp_path / f"{seed}", seed)
        if tree is None:
            continue
        of, asked = Worths(tree, Settings(gap=1e-4), None), [None, *Worths(tree, Settings(), None).differing()]
        for option in asked:
            found, alone = of.decided_today(option), Worths(tree, Settings(gap=0.0), None).decided_today(option)
            assert found.cost == pytest.approx(alone.cost, rel=2e-4, abs=1e-6)
            assert found.bound <= alone.cost + 1e-6 * max(1.0, abs(alone.cost))
    assert any(adopted)


def test_what_waiting_is_worth_is_sought_for_as_many_projects_as_asked(two):
    none = planner.roadmap(TWO_PLANTS, waiting=0)
    assert none.waiting.empty and values_of(none) == values_of(two)
    # all decided today cost 84.3, the roadmap 81.9
    assert none.notes == (
        "For 1 project that the gates decide on it was not sought what waiting is worth (--waiting N): at most 2.4 MUSD, "
        "what it costs more at most to decide on all today.",
    )
    assert planner.roadmap(TWO_PLANTS, waiting=1).waiting.equals(two.waiting) and not two.notes
    with pytest.raises(UsageError, match="waiting = -1"):
        planner.roadmap(TWO_PLANTS, waiting=-1)


def test_a_large_tree_is_searched_to_half_a_percent_unless_a_gap_is_asked(monkeypatch):
    tree = planner.load(TWO_PLANTS)
    assert Worths(tree, Settings(), None).settings.gap is None  # few whole numbers: proven
    monkeypatch.setattr(worths, "PROVEN_UP_TO", 0)
    assert Worths(tree, Settings(), None).settings.gap == 0.005
    assert Worths(tree, Settings(gap=1e-4), None).settings.gap == 1e-4


def event(year, key, *probabilities):
    return Event((year, 1), tuple(Variant(f"{key}{i}", key, p, {}) for i, p in enumerate(probabilities)))


def test_the_most_probable_courses_are_taken():
    # a (0.5) is known before b (0.4 in two ways) and c (0.1): after a, b comes in each way with 0.5 x 0.2; b without a
    # likewise; c alone with 0.5 x 0.6 x 0.1
    events = [event(2028, "b", 0.2, 0.2), event(2027, "a", 0.5), event(2029, "c", 0.1)]
    tree, left_out = grown(events, 6)
    assert [(h.name, h.probability) for h in tree] == [
        ("a0", 0.5), ("a0 + b0", 0.1), ("a0 + b1", 0.1), ("b0", 0.1), ("b1", 0.1)
    ]  # fmt: skip
    # left out: c alone, c after a, and c after each of the other four; together c happens with 0.1
    assert left_out == pytest.approx(0.1)
    everything, nothing = grown(events, 99)
    assert len(everything) == 2 * 3 * 2 - 1 and nothing == 0.0


@pytest.mark.parametrize(("correlation", "both"), [(0.0, 1 / 4), (0.5, 1 / 3), (1.0, 1 / 2)])
def test_one_failure_makes_another_of_the_same_cause_likelier(correlation, both):
    # of two normal deviates with a correlation r both exceed their medians with 1/4 + asin(r) / (2 pi)
    assert both == pytest.approx(0.25 + math.asin(correlation) / (2 * math.pi))
    given = tuple(by_cause(0.5, correlation).tolist())
    events = [
        Event((2027 + k, 1), (Variant(name, name, 0.5, {}, given=given),), cause="lab") for k, name in enumerate("ab")
    ]
    alone = Event((2030, 1), (Variant("c", "c", 0.2, {}),))
    tree, _ = grown([*events, alone], 99)
    chance = {happening.name: happening.probability for happening in tree}
    near = {
        "a": 0.5,
        "b": 0.5 - both,
        "a + b": both,
        "c": 0.2 * both,
        "a + b + c": 0.2 * both,
        "b + c": 0.1 - 0.2 * both,
    }
    assert {name: chance.get(name, 0.0) for name in near} == pytest.approx(near, abs=2e-3)


def test_what_cannot_be_asked_is_refused():
    calm = planner.load(TWO_PLANTS).changed(without={"scenarios": {}, "disruptions": {}})
    with pytest.raises(UsageError, match="nothing is uncertain"):
        planner.roadmap(calm)
    impossible = calm.with_rows(
        "scenarios", {"scenario": "s", "name": "S", "probability": 0, "first_year": 2035, "last_year": 2035}
    )
    with pytest.raises(UsageError, match="a probability above 0"):
        planner.roadmap(impossible)
    with pytest.raises(UsageError, match="expected 2 or more"):
        planner.roadmap(TWO_PLANTS, leaves=1)


def test_an_interrupt_keeps_the_roadmap(monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Worths, "decided_today", stop)
    found = planner.roadmap(TWO_PLANTS)
    assert not found.complete and found.objective_musd == pytest.approx(81.9)
    assert found.values["what"].tolist() == ["roadmap", "foreseen"] and "Interrupted" in str(found)


def test_the_command_writes_the_roadmap_and_its_tree(tmp_path, capsys):
    command.roadmap(TWO_PLANTS, output=tmp_path / "map", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["objective_musd"] == pytest.approx(81.9) and told["complete"] is True
    assert {path.name for path in (tmp_path / "map").iterdir()} == {
        "roadmap.json", *(f"{name}.csv" for name in planner.Roadmap.tables())
    }  # fmt: skip
    assert (tmp_path / "map/gates.csv").read_text().splitlines()[1] == "fail,A never comes,2027,start,b,2027,1.0,12.0"


def test_other_questions_speak_of_the_plan_and_not_of_its_branches():
    # 60a: only the branch starts B. In the plan too it costs at least its last year, half of 0.6 MUSD
    plan = planner.solve(TWO_PLANTS)
    assert "b (AAA): building it costs 0.3 more" in str(planner.explain(plan))
    near = planner.alternatives(TWO_PLANTS, slack=0.003, workers=1)  # 0.25 MUSD are too little for that
    assert "never, in none: b" in str(near)
