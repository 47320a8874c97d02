"""A hedge that looks ahead to answers: by hand, by all combinations of builds, and as a tree of scenarios."""

import itertools
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from builders import TABLES, write_instance
from test_hedge import random_instance

import planner
from planner.errors import UsageError
from planner.questions.delivery.answer import Answer
from planner.questions.delivery.delivered import Delivered
from planner.questions.delivery.draws import AS_PLANNED, draw
from planner.questions.delivery.modules import Modules
from planner.questions.delivery.operations import Operations
from planner.questions.hedge.master import Master, Weights
from planner.questions.hedge.sample import Sample
from planner.questions.hedge.search import Search, decisions
from planner.solving.solver import Settings

CASES = Path(__file__).parents[1] / "cases"
ALONE = {"trial": 0, "replications": 0, "insurance": 0, "gap": 0.0, "workers": 1}


def two_plants():
    """tests/cases 60a without its scenario: A comes with a chance of a half, B surely."""
    two = planner.load(CASES / "60a_two_plants/instance").changed(without={"scenarios": {}, "disruptions": {}})
    row = next(o for o in two.options if o.option == "a")
    known = {k: v for k, v in row.model_dump().items() if v is not None}
    return two.with_rows("options", {**known, "success_probability": 0.5})


def built(run):
    return sorted((r.option, r.start_year) for r in run.tables["builds"].itertuples())


def test_who_can_answer_at_once_signs_one_plant_and_answers_with_the_other():
    # Demand costs 50 MUSD a year while short, A 0.5 a year and B 0.6, both with a lead of a year; B from 2027 on.
    # A started in 2026: short in 2026, nine years of A = 54.5 if it comes. If not, seen in 2027: short in 2027 too, B
    # from 2028 on: 100 + 4.5 + 4.8 = 109.3. Mean 81.9. Who may not answer builds both: 54.5 + 4.8 or 109.3, mean 84.3.
    two = two_plants()
    ahead = planner.hedge(two, outcomes=8, **ALONE, rebuild_after=0)
    assert built(ahead.plan) == [("a", 2026)]
    assert [ahead.objective_musd, ahead.bound_musd] == pytest.approx([81.9, 81.9])
    held = planner.hedge(two, outcomes=8, **ALONE, rebuild_after=None)
    assert built(held.plan) == [("a", 2026), ("b", 2027)]
    assert [held.objective_musd, held.bound_musd] == pytest.approx([84.3, 84.3])
    # the roadmap of the same news is the same question
    assert planner.roadmap(two, rebuild_after=0).objective_musd == pytest.approx(81.9)


def test_an_answer_that_comes_too_late_is_insured_against():
    # a year later B comes in 2029: short in 2028 too, (54.5 + 158.7) / 2 = 106.6 against 84.3 for both
    ahead = planner.hedge(two_plants(), outcomes=8, **ALONE, rebuild_after=1)
    assert built(ahead.plan) == [("a", 2026), ("b", 2027)]
    assert [ahead.objective_musd, ahead.bound_musd] == pytest.approx([84.3, 84.3])


def test_an_answer_chooses_its_size():
    # 45 t a year are needed, 22.5 MUSD if short, and half of B costs 8 MUSD, 0.4 in each of eight years from 2028 on.
    # A comes: 22.5 + 4.5 = 27; it does not: 45 + 4.5 + 3.2 = 52.7; mean 39.85. Who may not answer builds half of B
    # too: 22.5 + 4.5 + 3.2 = 30.2 or 52.7, mean 41.45.
    two = two_plants()
    row = next(o for o in two.options if o.option == "b")
    b = {k: v for k, v in row.model_dump().items() if v is not None} | {"integer": False}
    need = {"country": "AAA", "sector": "all", "material": "magnet", "demand_t": 45}
    sizes = [{"option": "b", "size": "half", "capacity_t": 50, "capex_musd": 8}]
    sized = two.changed(rows={"options": [b], "option_sizes": sizes, "demand": [need]})
    for after, musd in ((0, 39.85), (None, 41.45)):
        found = planner.hedge(sized, outcomes=8, **ALONE, rebuild_after=after)
        assert [found.objective_musd, found.bound_musd] == pytest.approx([musd, musd], rel=1e-6), after


def test_the_trial_and_other_samples_answer_too():
    # Trusting and hedged both build A alone: of two outcomes of each group A comes in one, so both cost 81.9 answered.
    found = planner.hedge(two_plants(), outcomes=8, trial=16, replications=2, insurance=0, gap=0.0, workers=1,
                          rebuild_after=0)  # fmt: skip
    assert found.plans["answered_musd"].tolist() == pytest.approx([81.9, 81.9])
    assert found.plans["held_musd"].tolist() == pytest.approx([279.5, 279.5])
    assert found.saving.mean == pytest.approx(0.0, abs=1e-9)
    assert found.replications["hedged_musd"].tolist() == pytest.approx([81.9, 81.9])
    assert found.replications["gap_musd"].tolist() == pytest.approx([0.0, 0.0], abs=1e-6)


def test_insurance_is_worth_less_to_who_can_answer():
    # Without A: B from 2028 on, 100 + 8 x 0.6 = 104.8 for certain. Who cannot answer: B as insurance is worth what A
    # alone costs more, 279.5 - 84.3. Who can builds nothing more than who trusts.
    two = two_plants()
    found = planner.hedge(two, outcomes=8, **(ALONE | {"insurance": 5}), rebuild_after=None)
    assert found.insurance["worth_musd"].tolist() == pytest.approx([279.5 - 84.3])
    found = planner.hedge(two, outcomes=8, **(ALONE | {"insurance": 5}), rebuild_after=1)
    # without B nobody can answer with it either: A alone
    assert found.insurance["worth_musd"].tolist() == pytest.approx([279.5 - 84.3])
    assert not len(planner.hedge(two, outcomes=8, **(ALONE | {"insurance": 5}), rebuild_after=0).insurance)


def searched(instance, outcomes, seed, after, weights=None):
    operations = Operations(instance, Settings(), called_exposed=0.0)
    sample = Sample(operations, Modules(instance), draw(instance, outcomes, seed), after=after)
    search = Search(operations, sample, weights or Weights(), Settings())
    return search, search.best(np.zeros(sample.width), 1e-7, None)


def small(folder, seed):
    """An instance of few whole options, of which the first is late, dear and small at random."""
    instance = random_instance(folder, seed)
    rows = [{k: v for k, v in o.model_dump().items() if v is not None} | {"integer": True} for o in instance.options]
    return instance.changed(rows={"options": rows}, without={"caps": {}})


@pytest.mark.parametrize(("seed", "after"), [(0, 0), (1, 1), (2, 0), (4, 1)])
def test_the_best_of_all_combinations_of_builds_that_are_answered(tmp_path, seed, after):
    """Each combination is a plan of its own, and `Answer` searches the answer to each outcome by itself."""
    instance = small(tmp_path / "random", seed)
    search, best = searched(instance, 4, 5, after)
    never, _ = searched(instance, 4, 5, None)
    modules, draws, built = Modules(instance), draw(instance, 4, 5), search.operations.data.build
    values = []
    starts = [[i for i, s in enumerate(built) if s.option == o] for o in ("first", "second", "third", "smelting")]
    for choice in itertools.product(*[[None, *positions] for positions in starts]):
        if choice[1] is not None and choice[2] is not None:
            continue  # an exclusive group
        x = np.zeros(len(never.sample.first))
        chosen = [i for i in choice if i is not None]
        x[never.sample.at_build[chosen]] = 1.0
        costs = never.evaluate(x)[1]
        plan = {(built[i].option, built[i].year): 1.0 for i in chosen}
        answers = Answer(search.operations, modules, plan, search.operations.own, 0.0, after)
        for s in range(4):
            answer = answers.to(draws.outcome(s))
            costs[s] = costs[s] if answer is None else answer["cost"]
        values.append(costs.mean())
    assert [best.value, best.bound] == pytest.approx([min(values)] * 2, rel=1e-6)


def test_its_own_numbers_are_those_of_a_trial_of_its_plan(tmp_path):
    # the same outcomes, each answered by a search of its own
    for seed, after in ((0, 1), (3, 0), (5, 1)):
        instance = small(tmp_path / f"random-{seed}", seed)
        found = planner.hedge(instance, outcomes=4, **ALONE, rebuild_after=after)
        draws = draw(instance, 4, (0, 0, 0))
        tried = Delivered(instance, found.plan, after)
        results = [tried.solve_outcome(draws.outcome(s)) for s in range(4)]
        assert np.mean([(r["answered"] or r)["cost"] for r in results]) == pytest.approx(found.objective_musd, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weights", [Weights(), Weights(0.5, 0.75)], ids=["mean", "worst"])
def test_more_freedom_costs_no_more(tmp_path, seed, weights):
    # knowing beforehand <= answered at once <= answered two years later <= never
    instance = random_instance(tmp_path / "random", seed)
    never, later, soon = (searched(instance, 6, seed, after, weights) for after in (None, 2, 0))
    assert never[1].why == "optimal"
    tolerance = 1e-6 * never[1].value
    assert soon[1].bound <= soon[1].value + tolerance
    assert soon[1].bound <= later[1].value + tolerance and later[1].bound <= never[1].value + tolerance
    # and no plan costs less than the best one, such as that which trusts, answered or held
    for search, best in (never, later, soon):
        trusting = decisions(search.operations, search.sample, planner.solve(instance, audit=False))
        assert best.bound <= search.held(trusting, 1e-6, None).value + tolerance
    outcomes = draw(instance, 6, seed)
    alone = [searched_alone(instance, outcomes.outcome(s)) for s in range(6)]
    assert weights.of(np.array(alone)) <= soon[1].value + tolerance


def searched_alone(instance, outcome):
    """Least cost of one outcome of someone who knows it, in fractions."""
    operations = Operations(instance, Settings(), called_exposed=0.0)
    return Answer(operations, Modules(instance), {}, operations.own, 0.0, 0).known(outcome)


def as_tree(folder, seed):
    """A drawn instance of four projects, of which the first is begun in 2026 and always costs more than planned.

    That is the news, in 2027, in every outcome: so what may start otherwise, and when, does not depend on the plan.
    """
    rng = random.Random(seed)
    toml = f"""\
schema = 1
name = "tree"
stages = ["mining", "metal", "magnet"]
[time]
years = [2026, 2027, 2028, 2029, {rng.choice([2030, 2031])}, 2033]
last_period_years = 3
[finance]
currency = "USD"
price_year = 2025
discount_rate = {rng.choice([0, 0.05])}
wacc = 0.08
[security]
countries_of_concern = ["CHN"]
"""
    kinds = ["first", "second", "third"]
    options = "option,facility,name,module_t,max_modules,integer,capex_musd,life_years,lead_years,success_probability"
    options += ",min_modules,last_start,private_musd\n"
    options += "pilot,pilot,Pilot,10,1,yes,1,20,1,1,1,2026,\n"
    for name in kinds:
        whole = rng.choice(["yes", "no"])
        private = rng.choice(["", "", "12"])
        options += f"{name},{name},{name},{rng.randint(30, 90)},2,{whole},{rng.randint(10, 90) / 10},"
        options += f"{rng.randint(6, 20)},{rng.choice([1, 2])},0.5,0,,{private}\n"
    tables = TABLES | {
        "facilities": (
            "facility,name,country,status,capacity_t\npit,Pit,AAA,operating,1000\nworks,Works,CHN,operating,500\n"
            "shop,Shop,BBB,operating,40\npilot,Pilot,AAA,candidate,0\n"
            + "".join(f"{name},{name},{rng.choice(['AAA', 'BBB'])},candidate,0\n" for name in kinds)
        ),
        "operations": (
            "facility,process,opex_usd_per_t\npit,mine,50\nworks,smelt,200\nshop,press,900\npilot,press,800\n"
            + "".join(f"{name},press,{rng.randint(500, 900)}\n" for name in kinds)
        ),
        "options": options,
        "sectors": f"sector,name,shortage_usd_per_t\ncars,Cars,{rng.choice([9000, 20000, 60000])}\n",
        "delivery_risk": "option,projects,capex_low,capex_mode,capex_high\npilot,one,1.5,1.5,1.5\n",
    }
    if rng.random() < 0.7:
        tables["groups"] = "group,option\n" + "".join(f"home,{name}\n" for name in kinds)
        most = rng.choice(["modules,,,,3", "capex_musd,,2030,,15", "capacity_t,2028,,,120"])
        tables["group_limits"] = f"group,measure,first_year,last_year,min,max\nhome,{most}\n"
    if rng.random() < 0.7:
        tables["funds"] = "fund,provider,instrument,budget_musd,first_year,max_share\naid,State,grant,9,2028,0.5\n"
        tables["fund_options"] = "fund,option\n" + "".join(f"aid,{name}\n" for name in kinds)
    return planner.load(write_instance(folder, tables, toml=toml))


@pytest.mark.parametrize("seed", range(6))
def test_it_agrees_with_a_tree_of_scenarios(tmp_path, seed):
    """The outcomes written as scenarios.csv with ``rebuild_after``, and solved as one model by ``planner.solve``.

    The plan of the tree is the outcome in which all but the pilot's cost comes as planned, so one must be so.
    """
    instance = as_tree(tmp_path / "drawn", seed)
    kinds = ("first", "second", "third")

    def failing(draws):
        return Counter(tuple(k for k in kinds if draws.outcome(s)[k] != AS_PLANNED) for s in range(len(draws)))

    number = next(n for n in range(100) if () in failing(draw(instance, 6, (n, 0, 0))))
    found = planner.hedge(instance, outcomes=6, seed=number, **ALONE, rebuild_after=1)
    cases = failing(draw(instance, 6, (number, 0, 0)))
    scenarios, disruptions = [], []
    for failed, count in cases.items():
        if failed:
            name = "-".join(failed)
            scenarios.append({"scenario": name, "name": name, "probability": count / 6, "first_year": 2027,
                              "last_year": 2027, "rebuild_after": 1})  # fmt: skip
            disruptions += [{"scenario": name, "kind": "project_failure", "facility": k, "fraction": 1} for k in failed]
    pilot = next(o for o in instance.options if o.option == "pilot")
    dearer = {k: v for k, v in pilot.model_dump().items() if v is not None} | {"capex_musd": 1.5}
    tree = instance.changed(
        rows={"scenarios": scenarios, "disruptions": disruptions, "options": [dearer]}, without={"delivery_risk": {}}
    )
    plan = planner.solve(tree, gap=0.0)
    assert found.objective_musd == pytest.approx(plan.objective_musd, rel=1e-6)
    assert found.bound_musd == pytest.approx(plan.objective_musd, rel=1e-6)
    held = planner.hedge(instance, outcomes=6, seed=number, **ALONE, rebuild_after=None)
    assert found.objective_musd <= held.objective_musd * (1 + 1e-6)


def test_a_search_that_is_stopped_keeps_what_can_be_answered(monkeypatch):
    # 60a answered at once: the plan that trusts builds A and is answered with B, 81.9; held to it 279.5
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.questions.hedge.master.Master.relaxed", stop)
    answered, asked = Master.answered, []
    monkeypatch.setattr(Master, "answered", lambda *how: asked.append(how) or answered(*how))
    found = planner.hedge(two_plants(), outcomes=8, gap=0.0, workers=1, rebuild_after=0)
    assert len(asked) == 1  # each round of answers of a large instance takes a quarter of a minute
    assert not found.complete and found.why == "interrupted" and "Interrupted" in str(found)
    assert 81.9 - 1e-6 <= found.objective_musd < 279.5  # rounded, B is started where A fails
    assert not len(found.outcomes) and not len(found.replications) and not len(found.insurance)


def test_a_search_that_runs_out_of_time_says_so(monkeypatch):
    monkeypatch.setattr("planner.questions.hedge.search.Search._relax", lambda *_: None)
    found = planner.hedge(two_plants(), outcomes=8, **(ALONE | {"time_limit": 1e-9}), rebuild_after=0)
    assert found.why == "time_limit" and found.objective_musd <= 279.5 + 1e-6 and found.bound_musd <= 81.9


def test_years_before_now_are_refused():
    with pytest.raises(UsageError, match="rebuild_after = -1"):
        planner.hedge(two_plants(), rebuild_after=-1)
