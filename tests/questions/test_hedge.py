"""The plan that is best against outcomes of its projects: by hand, by trying all builds, and as one large model."""

import itertools
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import TABLES, write_instance
from scipy import optimize, sparse

import planner
from planner.errors import UsageError
from planner.questions.delivery.draws import draw
from planner.questions.delivery.modules import Modules
from planner.questions.delivery.operations import Operations
from planner.questions.hedge.master import Weights
from planner.questions.hedge.sample import Sample
from planner.questions.hedge.search import Search
from planner.questions.hedge.verdict import estimate
from planner.questions.many import Processes
from planner.solving.solver import Settings

TOML = """\
schema = 1
name = "sources"
stages = ["magnet"]
[time]
years = [2026]
last_period_years = 10
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0
wacc = 0
[security]
countries_of_concern = ["CHN"]
"""


def sources(folder, projects, shortage=1000):
    """100 t/yr for 10 years are needed in AAA; projects of 100 t each (name, MUSD, chance) are the only sources."""
    tables = {
        "countries": "country,name\nAAA,Aland\nCHN,China\n",
        "materials": "material,name,stage,strategic,value_usd_per_t,surplus\nmagnet,Magnet,magnet,yes,5000,no\n",
        "processes": "process,name\npress,Press\n",
        "recipes": "process,material,role,t_per_t\npress,magnet,output,1\n",
        "facilities": "facility,name,country,status,capacity_t\n"
        + "".join(f"{name},{name},AAA,candidate,0\n" for name, _, _ in projects),
        "operations": "facility,process,opex_usd_per_t\n" + "".join(f"{name},press,0\n" for name, _, _ in projects),
        "options": "option,facility,name,module_t,capex_musd,life_years,success_probability\n"
        + "".join(f"{name},{name},{name},100,{musd},10,{chance}\n" for name, musd, chance in projects),
        "sectors": f"sector,name,shortage_usd_per_t\ncars,Cars,{shortage}\n",
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,2026,100\n",
    }
    return planner.load(write_instance(folder, tables, toml=TOML))


def modules(frame, column):
    return {r.option: getattr(r, column) for r in frame.itertuples() if getattr(r, column) > 1e-6}


def test_a_second_source_is_insurance_while_it_costs_less_than_what_it_saves(tmp_path):
    # All short: 100 t x 10 years x 1,000 USD = 1 MUSD. One source of chance 1/2: cost c + 1/2. Two: 2 c + 1/4.
    # So the second is worth its cost below 0.25 MUSD: at 0.2 two cost 0.65 against 0.7; at 0.3 one costs 0.8.
    cheap = sources(tmp_path / "cheap", [("east", 0.2, 0.5), ("west", 0.2, 0.5)])
    found = planner.hedge(cheap, outcomes=64, trial=64, gap=0.0)
    assert modules(found.builds, "trusting") in ({"east": 1.0}, {"west": 1.0})
    assert modules(found.builds, "hedged") == {"east": 1.0, "west": 1.0}
    assert found.objective_musd == pytest.approx(0.65)
    assert found.bound_musd == pytest.approx(0.65)
    assert found.saving.mean == pytest.approx(0.05)
    (second,) = found.insurance.itertuples()
    assert second.worth_musd == pytest.approx(0.05)
    assert found.gap_musd == pytest.approx(0.0, abs=1e-9)  # balanced draws: every sample is the whole
    dear = sources(tmp_path / "dear", [("east", 0.3, 0.5), ("west", 0.3, 0.5)])
    assert len(modules(planner.hedge(dear, outcomes=64, trial=0, gap=0.0).builds, "hedged")) == 1


def test_limits_on_a_group_hold_in_a_hedged_plan(tmp_path):
    # as above: one source of 0.2 MUSD costs 0.7, two of 0.3 MUSD cost 0.85
    def paired(name, musd, **limit):
        i = sources(tmp_path / name, [("east", musd, 0.5), ("west", musd, 0.5)])
        i = i.changed(
            rows={
                "groups": [{"group": "pair", "option": "east"}, {"group": "pair", "option": "west"}],
                "group_limits": [{"group": "pair", "measure": "options", **limit}],
            }
        )
        return planner.hedge(i, outcomes=64, trial=64, gap=0.0)

    one = paired("one", 0.2, max=1)
    assert len(modules(one.builds, "hedged")) == 1
    assert one.objective_musd == pytest.approx(0.7)
    both = paired("both", 0.3, min=2)
    assert modules(both.builds, "trusting") == modules(both.builds, "hedged") == {"east": 1.0, "west": 1.0}
    assert both.objective_musd == pytest.approx(0.85)


def test_a_small_size_that_costs_less_than_its_part_is_chosen(tmp_path):
    # Half of the need for 0.05 MUSD, all for 0.35, both with a chance of 1/2: 0.05 + 3/4 = 0.8 against 0.85, and 1 for
    # nothing at all. Half a module is 0.125 cheaper than half of the whole.
    i = sources(tmp_path / "sized", [("east", 0.35, 0.5)])
    row = option("east", 0.35, success_probability=0.5, integer=False)
    sizes = [{"option": "east", "size": "half", "capacity_t": 50, "capex_musd": 0.05}]
    found = planner.hedge(i.changed(rows={"options": [row], "option_sizes": sizes}), outcomes=64, trial=0, gap=0.0)
    assert modules(found.builds, "hedged") == {"east": 0.5}
    assert [found.objective_musd, found.bound_musd] == pytest.approx([0.8, 0.8])


def test_insurance_where_some_of_a_group_must_be_built(tmp_path):
    # 100 t/yr must be built. Trusting: west, the cheaper; half of its 200 t would do. East never fails: 0.95 against
    # 0.9 + 1/2. Nothing at all would cost 1, but is not allowed.
    i = sources(tmp_path / "must", [("east", 0.95, 1), ("west", 0.9, 0.5)])
    must = {
        "options": [option("west", 0.9, module_t=200, success_probability=0.5)],
        "groups": [{"group": "pair", "option": "east"}, {"group": "pair", "option": "west"}],
        "group_limits": [{"group": "pair", "measure": "capacity_t", "min": 100}],
    }
    found = planner.hedge(i.changed(rows=must), outcomes=64, trial=64, gap=0.0)
    assert modules(found.builds, "trusting") == {"west": 1.0}
    assert modules(found.builds, "hedged") == {"east": 1.0}
    (east,) = found.insurance.itertuples()
    assert (east.project, east.at_least_musd, east.worth_musd) == ("east", pytest.approx(0.45), pytest.approx(0.45))


def option(name, musd, **values):
    """Return the row of an option of `sources`."""
    named = {"option": name, "facility": name, "name": name}
    return named | {"module_t": 100, "capex_musd": musd, "life_years": 10} | values


def test_a_project_that_no_plan_can_do_without_is_no_insurance(tmp_path):
    # modules of east come half as large: two cost 0.4, one 0.2 and half of the shortage; one at least must be built
    i = sources(tmp_path / "half", [("east", 0.2, 1), ("west", 0.6, 0.5)])
    must = {
        "options": [option("east", 0.2, max_modules=2)],
        "groups": [{"group": "home", "option": "east"}],
        "group_limits": [{"group": "home", "measure": "modules", "min": 1}],
        "delivery_risk": [
            {"option": "east", "projects": "one", "share_low": 0.5, "share_mode": 0.5, "share_high": 0.5}
        ],
    }
    found = planner.hedge(i.changed(rows=must), outcomes=64, trial=64, gap=0.0)
    assert modules(found.builds, "trusting") == {"east": 1.0}
    assert modules(found.builds, "hedged") == {"east": 2.0}
    assert found.objective_musd == pytest.approx(0.4)
    assert not len(found.insurance)


def test_who_fears_the_worst_insures_what_does_not_pay_on_average(tmp_path):
    # Chance 3/4 each. One source at 0.3 MUSD: 1.3 with 1/4, else 0.3; two: 1.6 with 1/16, else 0.6; none: 1.
    # Mean: 0.3 + 1/4 = 0.55 against 0.6 + 1/16 = 0.6625. Mean of the worst half: 0.3 + 1/2 = 0.8 against 0.6 + 1/8.
    instance = sources(tmp_path / "fear", [("east", 0.3, 0.75), ("west", 0.3, 0.75)])
    mean = planner.hedge(instance, outcomes=64, trial=0, replications=0, gap=0.0)
    assert len(modules(mean.builds, "hedged")) == 1
    assert mean.objective_musd == pytest.approx(0.55)
    how = {"weight": 1.0, "alpha": 0.5, "rebuild_after": None}  # in one period nobody can answer
    worst = planner.hedge(instance, outcomes=64, trial=512, replications=2, gap=0.0, **how)
    assert len(modules(worst.builds, "hedged")) == 2
    assert worst.objective_musd == pytest.approx(0.725)
    assert worst.plans.set_index("plan")["mean_of_worst_musd"].to_dict() == pytest.approx(
        {"trusting": 0.8, "hedged": 0.725}
    )
    assert worst.saving.mean == pytest.approx(0.075)


def test_the_replications_bound_the_best_over_all_outcomes(tmp_path):
    # the true optimum is known: two sources of chance 0.6 at 0.1 MUSD: 0.2 + 0.4^2 = 0.36; three: 0.3 + 0.064 = 0.364
    instance = sources(tmp_path / "true", [(name, 0.1, 0.6) for name in ("east", "west", "north")])
    found = planner.hedge(instance, outcomes=32, trial=512, replications=6, gap=0.0, insurance=0)
    plans = found.plans.set_index("plan")
    assert plans.loc["hedged", "mean_musd"] == pytest.approx(0.36, abs=0.01)
    # on average no sample's best is dearer than the true best: the bounds lie below it, within their spread
    bounds = found.replications["bound_musd"]
    assert bounds.mean() <= 0.36 + 3.0 * bounds.std() / np.sqrt(len(bounds)) + 1e-9
    assert (found.replications["gap_musd"] >= -1e-9).all()
    assert 0.0 <= found.gap_musd <= found.gap_at_most_musd


def random_instance(folder, seed):
    rng = random.Random(seed)
    whole = rng.choice(["yes", "no"])
    tables = TABLES | {
        "facilities": (
            "facility,name,country,status,capacity_t,fixed_om_usd_per_t,startup\npit,Pit,AAA,operating,1000,10,\n"
            "works,Works,CHN,operating,500,,\nshop,Shop,BBB,operating,40,,\nsite,Site,AAA,candidate,0,300,yes\n"
            "smelter,Smelter,BBB,candidate,0,200,\n"
        ),
        "operations": (
            "facility,process,opex_usd_per_t\npit,mine,50\nworks,smelt,200\nshop,press,900\nsite,press,800\n"
            "smelter,smelt,700\n"
        ),
        "options": (
            "option,facility,name,module_t,capex_musd,life_years,lead_years,success_probability,exclusive_group,integer\n"
            f"first,site,First,{rng.randint(30, 90)},{rng.randint(5, 60) / 10},4,1,{rng.choice([0.4, 0.6, 0.8])},,yes\n"
            f"second,site,Second,{rng.randint(40, 120)},{rng.randint(5, 90) / 10},9,0,0.5,twin,yes\n"
            f"third,site,Third,80,{rng.randint(5, 90) / 10},9,0,0.9,twin,yes\n"
            f"smelting,smelter,Smelting,{rng.randint(60, 160)},{rng.randint(2, 40) / 10},9,0,0.7,,{whole}\n"
        ),
        "sectors": f"sector,name,shortage_usd_per_t\ncars,Cars,{rng.choice([9000, 20000, 60000])}\n",
        "caps": "cap,metric,first_year,limit\nhalf,exposed_share,2028,0.5\n",
        "delivery_risk": (
            "option,projects,delay_low,delay_mode,delay_high,capex_low,capex_mode,capex_high,share_low,share_mode,share_high\n"
            ",startup,0,1,3,0.9,1.2,2,0.5,0.9,1\n"
        ),
    }
    if seed % 2:  # a stockpile ties the periods together
        tables["stockpiles"] = "stockpile,country,material,max_t,holding_usd_per_t\ncellar,AAA,magnet,60,5\n"
    return planner.load(write_instance(folder, tables))


def searched(instance, outcomes, weights, seed):
    operations = Operations(instance, Settings(), called_exposed=0.0)
    sample = Sample(operations, Modules(instance), draw(instance, outcomes, seed))
    search = Search(operations, sample, weights, Settings())
    return search, search.best(np.zeros(len(sample.first)), 1e-7, None)


def extensive_form(search, weights):
    """Optimum of all outcomes in one model, by a solver of its own call; no planes, no parts.

    Columns: builds, the operations of each outcome, the value at risk, how far each outcome goes beyond it.
    """
    model, sample, recourse = search.operations.model, search.sample, search.operations.recourse
    first, matrix = recourse.first, sparse.csr_array(model.matrix)
    count, rest, outcomes = int(first.sum()), int((~first).sum()), len(sample)
    eta = count + outcomes * rest
    width = eta + 1 + outcomes
    operating = recourse.arrays.cost[~first]
    mean = (1.0 - weights.weight) / outcomes
    cost, rows, lower, upper = np.zeros(width), [], [], []
    cost[eta] = weights.weight
    cost[eta + 1 :] = weights.weight / (1.0 - weights.alpha) / outcomes
    for s in range(outcomes):
        mine = slice(count + s * rest, count + (s + 1) * rest)
        builds = matrix[:, first].tolil()
        builds[recourse.limited, :] = -sample.added[s].toarray()  # what the outcome adds instead of what was planned
        block = sparse.lil_array((matrix.shape[0], width))
        block[:, :count], block[:, mine] = builds, matrix[:, ~first]
        spent = model.cost[sample.first].copy()
        spent[sample.at_build] = sample.money[s]
        cost[:count] += mean * spent
        cost[mine] += mean * operating
        beyond = sparse.lil_array((1, width))
        beyond[0, :count], beyond[0, mine], beyond[0, eta], beyond[0, eta + 1 + s] = -spent, -operating, 1.0, 1.0
        rows += [block.tocsr(), beyond.tocsr()]
        lower += [model.row_lower, np.zeros(1)]
        upper += [model.row_upper, np.full(1, np.inf)]
    found = optimize.milp(
        cost,
        integrality=np.concatenate([model.integer[first], np.zeros(width - count)]),
        bounds=optimize.Bounds(
            np.concatenate(
                [model.col_lower[first], np.tile(model.col_lower[~first], outcomes), [-1e9], np.zeros(outcomes)]
            ),
            np.concatenate(
                [model.col_upper[first], np.tile(model.col_upper[~first], outcomes), np.full(1 + outcomes, 1e9)]
            ),
        ),
        constraints=optimize.LinearConstraint(sparse.vstack(rows), np.concatenate(lower), np.concatenate(upper)),
        options={"mip_rel_gap": 0.0},
    )
    assert found.success, found.message
    return found.fun + model.offset


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weights", [Weights(), Weights(0.5, 0.75)], ids=["mean", "worst"])
def test_parts_and_planes_agree_with_one_large_model(tmp_path, seed, weights):
    search, best = searched(random_instance(tmp_path / "random", seed), 6, weights, seed)
    large = extensive_form(search, weights)
    assert best.why == "optimal"
    assert best.value == pytest.approx(large, rel=1e-6)
    assert best.bound <= best.value + 1e-9
    assert best.bound == pytest.approx(large, rel=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_best_of_all_combinations_of_builds(tmp_path, seed):
    """Each combination is a plan of its own, evaluated outcome by outcome by ``delivery_risk``."""
    instance = random_instance(tmp_path / "random", seed)
    if not all(o.integer for o in instance.options):
        row = next(o for o in instance.options if o.option == "smelting").model_dump()
        instance = instance.with_rows("options", {k: v for k, v in row.items() if v is not None} | {"integer": True})
    search, best = searched(instance, 8, Weights(), 5)
    starts = {o: [s.year for s in search.operations.data.build if s.option == o] for o in
              ("first", "second", "third", "smelting")}  # fmt: skip
    values = []
    for choice in itertools.product(*[[None, *years] for years in starts.values()]):
        built = {(o, y): 1.0 for o, y in zip(starts, choice, strict=True) if y is not None}
        if choice[1] is not None and choice[2] is not None:
            continue  # an exclusive group
        pins = planner.Pins({(o, y): built.get((o, y), 0.0) for o, years in starts.items() for y in years})
        plan = planner.solve(instance, pins=pins, audit=False)
        values.append(planner.delivery_risk(plan, samples=8, seed=5).mean_musd)
    assert best.value == pytest.approx(min(values), rel=1e-6)


def test_the_number_of_workers_changes_nothing(tmp_path):
    instance = random_instance(tmp_path / "random", 3)
    one, two = (planner.hedge(instance, outcomes=8, trial=16, gap=0.0, workers=n) for n in (1, 2))
    assert one.outcomes.equals(two.outcomes) and one.builds.equals(two.builds)
    assert one.to_dict() == two.to_dict()


def test_other_processes_are_started_once_the_operations_have_taken_long(tmp_path, monkeypatch):
    monkeypatch.setattr("planner.questions.many.ALONE", 0.0)
    monkeypatch.setattr("planner.questions.many.WORTH", 0.0)
    monkeypatch.setattr("planner.questions.many.all_cores", lambda: 2)
    real, asked = Processes._ask_others, []
    monkeypatch.setattr(Processes, "_ask_others", lambda self, todo: asked.append(todo) or real(self, todo))
    instance = random_instance(tmp_path / "random", 2)
    beside, alone = (planner.hedge(instance, outcomes=2, trial=0, replications=0, workers=n) for n in (None, 1))
    assert asked and beside.to_dict() == alone.to_dict()


def test_a_script_needs_no_guard(tmp_path):
    sources(tmp_path / "sources", [("site", 0.2, 0.5)])
    script = tmp_path / "script.py"
    script.write_text("import planner\nplanner.hedge(planner.load('sources'), outcomes=2, workers=2)\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_closures_are_decided_with_the_builds(tmp_path):
    # An old works makes 100 t/yr for certain and costs 500 USD/t of fixed O&M: 0.5 MUSD in 10 years. A site of 0.2 MUSD
    # would do its work with a chance of 3/4. Who trusts builds it and retires the works: 0.2 MUSD, but 0.2 + 1/4 on
    # average = 0.45; so does who does not, as the works is 0.5. With twice the shortage: 0.7 against 0.5.
    for shortage, retired, cost in ((1000, True, 0.45), (2000, False, 0.5)):
        base = sources(tmp_path / f"old-{shortage}", [("site", 0.2, 0.75)], shortage=shortage)
        instance = base.changed(
            rows={
                "facilities": [{"facility": "works", "name": "Works", "country": "AAA", "status": "operating",
                                "capacity_t": 100, "fixed_om_usd_per_t": 500}],
                "operations": [{"facility": "works", "process": "press", "opex_usd_per_t": 0}],
                "closures": [{"facility": "works", "kind": "retire"}],
            }
        )  # fmt: skip
        found = planner.hedge(instance, outcomes=64, trial=0, replications=0, gap=0.0)
        assert found.objective_musd == pytest.approx(cost), shortage
        assert (modules(found.builds, "hedged") == {"site": 1.0}) is retired
        # and the plan that retires the works is told with what it risks
        trusting = planner.solve(instance)
        assert trusting.objective_musd == pytest.approx(0.2)
        risk = planner.delivery_risk(trusting, samples=64)
        assert risk.mean_musd == pytest.approx(0.2 + 0.25 * shortage / 1000)


def test_buyers_take_of_a_project_what_comes(tmp_path):
    # Works make all for 10 USD/t; a site that must be started costs 500 USD/t, and 60 t/yr of it are taken. As planned:
    # 0.2 MUSD + 10 years of 60 x 500 + 40 x 10 USD = 0.504; where it fails 0.2 + 10 x 100 x 10 = 0.21.
    instance = sources(tmp_path / "taken", [("site", 0.2, 0.5)])
    option = next(o for o in instance.options).model_dump()
    instance = instance.changed(
        rows={
            "facilities": [{"facility": "works", "name": "Works", "country": "AAA", "status": "operating",
                            "capacity_t": 100}],
            "operations": [{"facility": "works", "process": "press", "opex_usd_per_t": 10},
                           {"facility": "site", "process": "press", "opex_usd_per_t": 500}],
            "options": [{k: v for k, v in option.items() if v is not None} | {"min_modules": 1}],
            "offtakes": [{"offtake": "deal", "facility": "site", "option": "site", "material": "magnet", "take_t": 60,
                          "agreed_usd_per_t": 600, "payer": "Buyer"}],
        }
    )  # fmt: skip
    plan = planner.solve(instance)
    assert plan.objective_musd == pytest.approx(0.504)
    risk = planner.delivery_risk(plan, samples=64)
    assert risk.planned_musd == pytest.approx(0.504)
    assert risk.mean_musd == pytest.approx((0.504 + 0.21) / 2)
    assert not risk.samples["promise_broken"].any()
    # and the planes know that what must be made costs more with each module
    found = planner.hedge(instance, plan, outcomes=64, trial=0, replications=0, gap=0.0)
    assert [found.objective_musd, found.bound_musd] == pytest.approx([(0.504 + 0.21) / 2] * 2)


def test_a_plan_that_is_stopped_is_the_best_so_far(tmp_path, monkeypatch):
    instance = sources(tmp_path / "stopped", [("east", 0.2, 0.5), ("west", 0.2, 0.5)])

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.questions.hedge.master.Master.planned", stop)
    monkeypatch.setattr("planner.questions.hedge.master.Master.relaxed", stop)
    found = planner.hedge(instance, outcomes=16, trial=16)
    assert not found.complete and found.why == "interrupted"
    assert found.objective_musd == pytest.approx(0.7)  # that of the plan it began with
    assert not len(found.outcomes) and not len(found.replications) and not len(found.insurance)
    assert "Interrupted" in str(found)
    found.to_dict()


def test_stopped_before_whole_numbers_were_searched_it_is_rounded(tmp_path, monkeypatch):
    from planner.questions.hedge.search import Search as Searching

    instance = sources(tmp_path / "rounded", [("east", 0.2, 0.5), ("west", 0.2, 0.5)])

    def stop(self, relaxed, best, *_):
        relaxed.x = relaxed.x.copy()
        relaxed.x[self.sample.at_build] = 0.9  # of both sources
        raise KeyboardInterrupt

    monkeypatch.setattr(Searching, "_relax", stop)
    found = planner.hedge(instance, outcomes=16, trial=16)
    assert not found.complete and found.why == "interrupted"
    assert found.objective_musd == pytest.approx(0.65)
    assert modules(found.builds, "hedged") == {"east": 1.0, "west": 1.0}


def test_written_with_the_hedged_plan_as_a_run(tmp_path):
    instance = sources(tmp_path / "written", [("east", 0.2, 0.5), ("west", 0.2, 0.5)])
    found = planner.hedge(instance, outcomes=16, trial=16)
    found.write(tmp_path / "hedge")
    told = json.loads((tmp_path / "hedge" / "hedge.json").read_text())
    assert told["design"]["objective_musd"] == pytest.approx(0.65)
    run = planner.read_run(tmp_path / "hedge" / "plan")
    assert run.plan["instance"]["sha256"] == instance.sha256
    assert planner.audit(instance, run).ok
    assert set(run.tables["builds"]["option"]) == {"east", "west"}
    # the same trial by the other road
    risk = planner.delivery_risk(run, samples=16)
    assert risk.mean_musd == pytest.approx(0.65)


def test_a_plan_that_trusts_can_answer():
    # tests/cases 60a, A with a chance of 1/2: a failure costs 450 MUSD held to A, 54.8 if B is started at once
    two = planner.load(Path(__file__).parents[1] / "cases/60a_two_plants/instance")
    two = two.changed(without={"scenarios": {}, "disruptions": {}})
    row = next(o for o in two.options if o.option == "a")
    cells = {k: v for k, v in row.model_dump().items() if v is not None}
    two = two.with_rows("options", {**cells, "success_probability": 0.5})
    asked = {"outcomes": 8, "trial": 16, "replications": 0, "insurance": 0, "workers": 1}
    found = planner.hedge(two, **asked, rebuild_after=0)
    trusting, hedged = found.plans.itertuples()
    assert (trusting.answered_musd - 54.5) / (trusting.held_musd - 54.5) == pytest.approx(54.8 / 450.0)
    assert hedged.answered_musd <= hedged.held_musd + 1e-6 and "free to start something else 0 years" in str(found)
    # someone who knew would not build A: 100 MUSD short in two years and 8 x 0.6 for B, instead of 50 and 9 x 0.5
    assert (found.known_musd - 54.5) / (trusting.held_musd - 54.5) == pytest.approx((104.8 - 54.5) / 450.0)
    assert "that of someone who knows the outcome" in str(found)
    assert planner.hedge(two, **asked, rebuild_after=None).plans["answered_musd"].isna().all()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"outcomes": 0}, "outcomes"),
        ({"trial": 12}, "multiple of 8"),
        ({"weight": 1.5}, "weight"),
        ({"alpha": 1.0}, "alpha"),
    ],
)
def test_slips_are_told(tmp_path, asked, words):
    instance = sources(tmp_path / "slips", [("east", 0.2, 0.5)])
    with pytest.raises(UsageError, match=words):
        planner.hedge(instance, **asked)
    with pytest.raises(UsageError, match="certain"):
        planner.hedge(sources(tmp_path / "certain", [("east", 0.2, 1)]))


def test_a_saving_within_chance_has_no_sign():
    # means of 2, -1 and 2 over three groups: Student's 95 % interval is 1 -+ 4.303
    assert estimate([2.0, -1.0, 2.0]).sign == 0 and estimate([2.0]).sign == 0
    assert estimate([5.0, 6.0, 7.0]).sign == 1 and estimate([-5.0, -6.0, -7.0]).sign == -1
