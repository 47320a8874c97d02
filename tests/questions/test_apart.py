"""Options that stand for many plants, of which those of each start year come or fail by themselves."""

import random
from collections import Counter

import numpy as np
import pytest
from builders import TABLES, write_instance
from scipy.stats import qmc
from test_hedge import extensive_form, random_instance
from test_hedge import searched as held_search
from test_hedge_answers import ALONE, small

import planner
from planner.errors import UsageError
from planner.questions.delivery.delivered import Delivered
from planner.questions.delivery.draws import AS_PLANNED, NEVER, ProjectOutcome, apart, draw, fate, on_average
from planner.questions.hedge.master import Weights

TOML = """\
schema = 1
name = "lines"
stages = ["magnet"]
[time]
years = {years}
last_period_years = 1
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0
wacc = 0
[security]
countries_of_concern = ["CHN"]
"""
APART = {"option": "lines", "projects": "one", "apart": True}


def lines(folder, years, module_t=50, lead=0, **risk):
    """100 t/yr are needed in AAA, at 50,000 USD a tonne short; one line a year may start, 1 MUSD over ten years."""
    tables = {
        "countries": "country,name\nAAA,Aland\nCHN,China\n",
        "materials": "material,name,stage,strategic,value_usd_per_t,surplus\nmagnet,Magnet,magnet,yes,5000,no\n",
        "processes": "process,name\npress,Press\n",
        "recipes": "process,material,role,t_per_t\npress,magnet,output,1\n",
        "facilities": "facility,name,country,status,capacity_t\nsite,Site,AAA,candidate,0\n",
        "operations": "facility,process,opex_usd_per_t\nsite,press,0\n",
        "options": (
            "option,facility,name,module_t,max_modules,max_per_year,integer,capex_musd,lead_years,life_years,"
            f"success_probability\nlines,site,Lines,{module_t},9,1,no,1,{lead},10,0.5\n"
        ),
        "sectors": "sector,name,shortage_usd_per_t\ncars,Cars,50000\n",
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,2026,100\n",
    }
    instance = planner.load(write_instance(folder, tables, toml=TOML.format(years=years)))
    return instance.with_rows("delivery_risk", {**APART, **risk}) if risk else instance


def with_option(instance, **cells):
    """The instance with another option at the site."""
    row = {k: v for k, v in instance.options[0].model_dump().items() if v is not None}
    return instance.with_rows("options", {**row, **cells})


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return lines(tmp_path_factory.mktemp("two") / "two", [2026, 2027], apart=True)


def test_the_lines_of_two_years_have_four_outcomes(two):
    # One line in 2026 and one in 2027: 0.2 and 0.1 MUSD paid by the end. A line that does not come leaves 50 t a year
    # short, 2.5 MUSD: that of 2026 in both years, that of 2027 in one. 2026 lacks the second line in any case.
    plan = planner.solve(two)
    assert plan.builds == {("lines", 2026): 1.0, ("lines", 2027): 1.0}
    found = planner.delivery_risk(plan, samples=4, rebuild_after=None)
    assert sorted(found.samples["cost_musd"]) == pytest.approx([2.8, 2.8 + 2.5, 2.8 + 5.0, 2.8 + 7.5])
    assert sorted(found.samples["short_t"]) == pytest.approx([50.0, 100.0, 150.0, 200.0])
    # of 8 lines in 4 outcomes 4 never come; the worse half has two and one, or none, of them
    (row,) = found.projects.itertuples()
    assert (row.option, row.fails, row.delay_years, row.capex_factor) == ("lines", 0.5, 0.0, 1.0)


def test_without_the_word_all_lines_come_or_none(tmp_path):
    plan = planner.solve(lines(tmp_path / "one", [2026, 2027]))
    assert plan.instance.delivery_risk == ()
    found = planner.delivery_risk(plan, samples=4, rebuild_after=None)
    assert sorted(found.samples["cost_musd"]) == pytest.approx([2.8, 2.8, 10.3, 10.3])


def test_lines_with_a_common_cause_that_explains_all_come_together(tmp_path):
    shared = {"common_cause": "permits", "correlation": 1}
    plan = planner.solve(lines(tmp_path / "cause", [2026, 2027], **shared))
    found = planner.delivery_risk(plan, samples=4, rebuild_after=None)
    assert sorted(found.samples["cost_musd"]) == pytest.approx([2.8, 2.8, 10.3, 10.3])


def test_that_nothing_of_an_option_comes_is_one_failure(two):
    (case,) = planner.failures(planner.solve(two), rebuild_after=None).cases.itertuples()
    assert (case.name, case.extra_musd, case.short_t) == ("lines", pytest.approx(7.5), pytest.approx(150.0))


def test_years_are_drawn_by_themselves_and_twins_alike(tmp_path):
    ten = lines(tmp_path / "ten", list(range(2026, 2036)), delay_high=3, capex_high=2, share_low=0.4)
    ten = with_option(ten, option="twin", exclusive_group="site")
    ten = with_option(ten, exclusive_group="site")
    draws = draw(ten, 2048, 3)
    assert set(draws.projects) == {(o, y) for o in ("lines", "twin") for y in range(2026, 2036)}
    comes, size = ({p: a[:, i] for i, p in enumerate(draws.projects)} for a in (draws.comes, draws.share))
    for year in range(2026, 2036):  # the twin has no row of its own: it comes with the other, as planned
        assert (comes["lines", year] == comes["twin", year]).all()
        assert (size["twin", year] == 1.0).all()
        assert comes["lines", year].mean() == pytest.approx(0.5, abs=0.01)
        assert size["lines", year].mean() == pytest.approx(0.8, abs=0.01)
    for a in (comes, size):
        joint = np.corrcoef(np.array([a["lines", year] for year in range(2026, 2036)], dtype=float))
        assert np.abs(joint - np.eye(10)).max() < 0.1
    # how many of ten come is binomial: variance 10 / 4
    assert np.var(sum(comes["lines", year].astype(int) for year in range(2026, 2036))) == pytest.approx(2.5, rel=0.1)
    outcome = draws.outcome(0)
    assert fate(outcome, "lines", 2026) == outcome["lines", 2026] and fate(outcome, "other", 2026) == AS_PLANNED


def test_without_the_word_projects_are_drawn_as_ever(tmp_path):
    """One coordinate of the sequence for each aspect of each project, in the order of their names."""
    instance = random_instance(tmp_path / "random", 2)
    projects = ["first", "smelting", "twin"]  # second and third are twins
    points = qmc.Sobol(4 * len(projects), scramble=True, rng=np.random.default_rng(5)).random(64)
    chance = {o.option: o.success_probability for o in instance.options}
    of = {"first": 0, "second": 2, "smelting": 1, "third": 2}
    draws = draw(instance, 64, 5)
    assert draws.projects == tuple(of)
    for i, (option, column) in enumerate(of.items()):
        assert (draws.comes[:, i] == (points[:, column] < chance[option])).all()
    said = instance.changed(rows={"delivery_risk": [{"option": "smelting", "projects": "one", "apart": False}]})
    assert (draw(said, 64, 5).capex == draws.capex).all() and (draw(said, 64, 5).comes == draws.comes).all()


def test_a_row_of_a_kind_sets_all_its_options_apart(tmp_path):
    instance = random_instance(tmp_path / "random", 2)  # a row of startups, which own the site, not the smelter
    rows = [{"projects": "startup", "delay_high": 1, "apart": True}]
    assert sorted(apart(instance.changed(rows={"delivery_risk": rows}))) == ["first", "second", "third"]
    rows.append({"projects": "all", "apart": True})
    every = apart(instance.changed(rows={"delivery_risk": rows}))
    assert every == {o: (2026, 2028, 2030) if o != "first" else (2026, 2028) for o in every} and len(every) == 4


def test_more_projects_than_the_sequence_has_coordinates_are_refused(two, monkeypatch):
    monkeypatch.setattr(qmc.Sobol, "MAXDIM", 7)
    with pytest.raises(UsageError, match=r"2 projects need 8 coordinates.* has 7: say `apart` of fewer options"):
        draw(two, 4, 0)


def of_one_year(folder, seed, split):
    """Lines that may start once a year, as one option whose years are apart, or each as an option and plant of its own.

    The pilot of 2026 always costs more than planned, so that in every outcome there is news in 2027.
    """
    rng = random.Random(seed)
    years = [2026, 2027, 2028, 2029, 2031]
    toml = TOML.replace('["magnet"]', '["mining", "metal", "magnet"]').format(years=years)
    whole, lead, size = rng.choice(["yes", "no"]), rng.choice([1, 2]), rng.randint(30, 60)
    musd, life, chance, opex = rng.randint(10, 60) / 10, rng.randint(6, 20), rng.choice([0.6, 0.8]), rng.randint(5, 8)
    plants = [f"lines-{y}" for y in years[:3]] if split else ["lines"]
    header = "option,facility,name,module_t,max_modules,max_per_year,integer,capex_musd,life_years,lead_years,"
    options = header + "success_probability,min_modules,first_start,last_start\n"
    options += f"other,other,Other,{rng.randint(30, 90)},1,,yes,{rng.randint(10, 90) / 10},9,1,0.5,0,,\n"
    options += "pilot,pilot,Pilot,10,1,,yes,1,20,1,1,1,,2026\n"
    for plant in plants:
        only = plant.removeprefix("lines-") if split else ""
        first, last = (only, only) if split else (2026, 2028)
        most = 1 if split else 3
        options += f"{plant},{plant},Lines,{size},{most},1,{whole},{musd},{life},{lead},{chance},0,{first},{last}\n"
    risk = "option,projects,apart,capex_low,capex_mode,capex_high\npilot,one,,1.5,1.5,1.5\n"
    tables = TABLES | {
        "facilities": (
            "facility,name,country,status,capacity_t\npit,Pit,AAA,operating,1000\nworks,Works,CHN,operating,500\n"
            "shop,Shop,BBB,operating,40\npilot,Pilot,AAA,candidate,0\nother,Other,BBB,candidate,0\n"
            + "".join(f"{plant},Lines,AAA,candidate,0\n" for plant in plants)
        ),
        "operations": (
            "facility,process,opex_usd_per_t\npit,mine,50\nworks,smelt,200\nshop,press,900\npilot,press,800\n"
            "other,press,700\n" + "".join(f"{plant},press,{100 * opex}\n" for plant in plants)
        ),
        "options": options,
        "sectors": f"sector,name,shortage_usd_per_t\ncars,Cars,{rng.choice([9000, 20000, 60000])}\n",
        "delivery_risk": risk if split else risk + "lines,one,yes,1,1,1\n",
    }
    return planner.load(write_instance(folder, tables, toml=toml))


def as_plants(outcome):
    """An outcome with each start of the lines as the plant that has its year in its name."""
    return {k if isinstance(k, str) else f"{k[0]}-{k[1]}": of for k, of in outcome.items()}


@pytest.mark.parametrize("seed", range(4))
def test_lines_that_are_apart_are_plants_of_one_start_each(tmp_path, seed):
    joined, split = (of_one_year(tmp_path / str(of), seed, of) for of in (False, True))
    draws, same = draw(joined, 8, seed), draw(split, 8, seed)
    assert [as_plants(draws.outcome(s)) for s in range(8)] == [same.outcome(s) for s in range(8)]
    plan = planner.solve(joined, gap=0.0)
    pins = {(f"{o}-{y}" if o == "lines" else o, y): n for (o, y), n in plan.builds.items()}
    plants = planner.solve(split, gap=0.0, pins=planner.Pins(pins))
    one, many = (planner.delivery_risk(p, samples=8, rebuild_after=1, workers=1).samples for p in (plan, plants))
    for column in ("cost_musd", "short_t", "exposed_share", "answered_musd", "answered_short_t"):
        assert one[column].tolist() == pytest.approx(many[column].tolist(), abs=1e-6), column
    held = planner.replay(plan, samples=8, rebuild_after=None, workers=1).futures
    assert held["cost_musd"].tolist() == pytest.approx(one["cost_musd"].tolist())
    ahead = [planner.hedge(i, outcomes=6, seed=seed, **ALONE, rebuild_after=1).objective_musd for i in (joined, split)]
    assert ahead[0] == pytest.approx(ahead[1], rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_a_hedge_agrees_with_a_tree_of_scenarios(tmp_path, seed):
    """The outcomes written as scenarios of plants of one start each, and solved as one model by ``planner.solve``.

    The plan of the tree is the outcome in which all but the pilot's cost comes as planned, so one must be so.
    """
    joined, split = (of_one_year(tmp_path / str(of), seed, of) for of in (False, True))
    plants = [f.facility for f in split.facilities if f.facility not in ("pit", "works", "shop", "pilot")]

    def failing(draws):
        outcomes = [as_plants(draws.outcome(s)) for s in range(len(draws))]
        return Counter(tuple(p for p in plants if of[p] != AS_PLANNED) for of in outcomes)

    number = next(n for n in range(1000) if () in failing(draw(joined, 6, (n, 0, 0))))
    found = planner.hedge(joined, outcomes=6, seed=number, **ALONE, rebuild_after=1)
    scenarios, disruptions = [], []
    for failed, count in failing(draw(joined, 6, (number, 0, 0))).items():
        if failed:
            name = "-".join(failed)
            scenarios.append({"scenario": name, "name": name, "probability": count / 6, "first_year": 2027,
                              "last_year": 2027, "rebuild_after": 1})  # fmt: skip
            disruptions += [{"scenario": name, "kind": "project_failure", "facility": p, "fraction": 1} for p in failed]
    pilot = next(o for o in split.options if o.option == "pilot")
    dearer = {k: v for k, v in pilot.model_dump().items() if v is not None} | {"capex_musd": 1.5}
    tree = split.changed(
        rows={"scenarios": scenarios, "disruptions": disruptions, "options": [dearer]}, without={"delivery_risk": {}}
    )
    plan = planner.solve(tree, gap=0.0)
    assert [found.objective_musd, found.bound_musd] == pytest.approx([plan.objective_musd] * 2, rel=1e-6)


def set_apart(instance):
    """The instance with all its options apart, at the risks that they have."""
    row = {k: v for k, v in instance.delivery_risk[0].model_dump().items() if v is not None}
    rows = [{**row, "apart": True}, {"projects": "established", "apart": True}]
    return instance.changed(rows={"delivery_risk": rows})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weights", [Weights(), Weights(0.5, 0.75)], ids=["mean", "worst"])
def test_parts_and_planes_agree_with_one_large_model(tmp_path, seed, weights):
    search, best = held_search(set_apart(random_instance(tmp_path / "random", seed)), 6, weights, seed)
    large = extensive_form(search, weights)
    assert [best.value, best.bound] == pytest.approx([large] * 2, rel=1e-6)


@pytest.mark.parametrize(("seed", "after"), [(0, 1), (3, 0), (5, 1)])
def test_the_numbers_of_a_hedge_are_those_of_a_trial_of_its_plan(tmp_path, seed, after):
    instance = set_apart(small(tmp_path / "random", seed))
    found = planner.hedge(instance, outcomes=4, **ALONE, rebuild_after=after)
    draws = draw(instance, 4, (0, 0, 0))
    tried = Delivered(instance, found.plan, after)
    results = [tried.solve_outcome(draws.outcome(s)) for s in range(4)]
    assert np.mean([(r["answered"] or r)["cost"] for r in results]) == pytest.approx(found.objective_musd, rel=1e-6)


@pytest.mark.parametrize(
    ("failing", "started"), [([2026], [2026, 2027, 2028]), ([2026, 2027], [2026, 2027, 2028, 2029])]
)
def test_who_learns_bit_by_bit_counts_on_the_average_of_lines(tmp_path, failing, started):
    # A line of 100 t serves all from the year after its start on: the plan starts one, in 2026. In 2027 it has not
    # come. One of two comes, so that two more are worth 100 t: the next years' lines. That one of these fails says
    # nothing of the next, and is answered by one more.
    years = list(range(2026, 2032))
    instance = lines(tmp_path / "late", years, module_t=100, lead=1, apart=True)
    plan = planner.solve(instance)
    assert plan.builds == {("lines", 2026): 1.0}
    tried = Delivered(instance, plan, 0)
    outcome = {("lines", y): NEVER if y in failing else AS_PLANNED for y in years}
    builds, _, searches = tried.answer.followed(outcome, {}, lambda events: tried.answer_in(events, 0))
    assert {y: n for (_, y), n in builds.items()} == pytest.approx(dict.fromkeys(started, 1.0))
    assert searches == len(failing)
    # who knows which lines come starts one that does
    assert tried.answer.to(outcome)["starts"] == [["lines", min(y for y in years[1:] if y not in failing), 1.0]]


def test_on_average_a_start_brings_its_chance_of_its_size(tmp_path):
    risky = {"delay_high": 4, "capex_low": 0.9, "capex_high": 1.7, "share_low": 0.4}
    found = on_average(lines(tmp_path / "mean", [2026, 2027], **risky))
    mean = ProjectOutcome(True, 1, pytest.approx(1.2), pytest.approx(0.5 * 0.8))
    assert found == {("lines", 2026): mean, ("lines", 2027): mean}


def test_a_roadmap_has_no_gate_for_them_and_says_so(tmp_path):
    instance = lines(tmp_path / "road", list(range(2026, 2030)), module_t=100, lead=1, apart=True)
    with pytest.raises(UsageError, match="they have no gates"):
        planner.roadmap(instance)
    mine = with_option(instance, option="mine", max_modules=1, capex_musd=0.5, integer=True)
    found = planner.roadmap(mine, rebuild_after=0, values=False)
    assert found.scenarios["scenario"].tolist() == ["mine fails"]
    assert "1 option stands for many projects" in str(found)
    plan = planner.solve(mine)
    followed = planner.replay(plan, found, samples=4, workers=1)
    assert len(followed.policies) == 3
    assert "Of 1 option that stands for many projects it counts on as many as come on average" in str(followed)
    tree = instance.changed(
        rows={
            "scenarios": [{"scenario": "none", "probability": 0.5, "first_year": 2027, "last_year": 2027,
                           "rebuild_after": 0, "name": "None"}],
            "disruptions": [{"scenario": "none", "kind": "project_failure", "facility": "site", "fraction": 1}],
        },
    )  # fmt: skip
    given = planner.roadmap(tree, values=False)
    with pytest.raises(UsageError, match='"none" is about lines, of which each start comes or fails by itself'):
        planner.replay(planner.solve(instance), given, samples=4, workers=1)
