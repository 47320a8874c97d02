"""Plans whose projects come late, dear, small or never, against arithmetic by hand."""

import math
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from builders import TABLES, write_instance

import planner
from planner.errors import UsageError
from planner.questions.delivery.delivered import Delivered
from planner.questions.delivery.draws import NEVER, draw

INSTANCES = Path(__file__).parents[2] / "instances"


@pytest.fixture(scope="module")
def ramp():
    return planner.load(INSTANCES / "lead-and-ramp")


def changed(instance, option, **columns):
    row = next(o for o in instance.options if o.option == option)
    cells = {k: v for k, v in row.model_dump().items() if v is not None}
    return instance.with_rows("options", {**cells, **columns})


def risk(option, **columns):
    return {"option": option, "projects": "one", **columns}


def certain(**at):
    """All mass at one value of each aspect named."""
    return {f"{what}_{end}": value for what, value in at.items() for end in ("low", "mode", "high")}


def test_a_certain_delay_costs_what_a_longer_lead_with_the_same_builds_costs(ramp):
    plan = planner.solve(ramp)
    late = ramp.with_rows("delivery_risk", risk("narva-1", **certain(delay=1)))
    found = planner.delivery_risk(plan, instance=late, samples=2)
    lead = next(o.lead_years for o in ramp.options)
    longer = changed(ramp, "narva-1", lead_years=lead + 1)
    same = planner.solve(longer, pins=planner.Pins.of(longer, plan))
    assert same.objective_musd > plan.objective_musd
    assert found.samples["cost_musd"].tolist() == pytest.approx([same.objective_musd] * 2, rel=1e-6)
    assert found.samples["short_t"].tolist() == pytest.approx([sum(same.metrics["short_t"].values())] * 2)


def test_as_planned_it_costs_what_the_plan_costs(ramp):
    plan = planner.solve(ramp)
    certain_capex = ramp.with_rows("delivery_risk", risk("narva-1", **certain(capex=1.0)))
    found = planner.delivery_risk(plan, instance=certain_capex, samples=4)
    assert found.planned_musd == pytest.approx(plan.objective_musd, rel=1e-6)
    assert found.mean_musd == pytest.approx(plan.objective_musd, rel=1e-6)


def test_capex_twice_as_high_costs_the_annuities_once_more(ramp):
    plan = planner.solve(ramp)
    dear = ramp.with_rows("delivery_risk", risk("narva-1", **certain(capex=2.0)))
    found = planner.delivery_risk(plan, instance=dear, samples=1)
    assert found.mean_musd == pytest.approx(plan.objective_musd + plan.metrics["cost_musd"]["capex"], rel=1e-6)


def test_failing_half_of_the_time_costs_half_of_what_failing_costs(ramp):
    plan = planner.solve(ramp)
    # never: its annuities are paid, and what it made is short
    never = planner.delivery_risk(plan, instance=changed(ramp, "narva-1", success_probability=0.0), samples=1)
    half = planner.delivery_risk(plan, instance=changed(ramp, "narva-1", success_probability=0.5), samples=64)
    assert never.samples["short_t"][0] == pytest.approx(sum(plan.metrics["demand_t"].values()))
    assert half.mean_musd == pytest.approx((never.mean_musd + plan.objective_musd) / 2, rel=1e-6)
    assert half.worst_musd == pytest.approx(never.mean_musd, rel=1e-6)
    stake = half.projects.iloc[0]
    assert stake["fails"] == pytest.approx(0.5)
    assert stake["cost_at_stake_musd"] == pytest.approx(never.mean_musd - plan.objective_musd, rel=1e-6)


def test_draws_are_even_the_same_for_every_plan_and_follow_the_triangle(ramp):
    risky = ramp.with_rows(
        "delivery_risk", risk("narva-1", delay_high=3, capex_low=0.9, capex_mode=1, capex_high=2, share_low=0.4)
    )
    draws = draw(risky, 1024, 7)
    assert draws.capex.mean() == pytest.approx((0.9 + 1 + 2) / 3, rel=1e-3)
    assert draws.share.mean() == pytest.approx((0.4 + 1 + 1) / 3, rel=1e-3)
    assert set(draws.delay[:, 0]) == {0, 1, 2, 3}
    assert (draw(risky, 1024, 7).capex == draws.capex).all()
    assert not (draw(risky, 1024, 8).capex == draws.capex).all()


def test_twins_of_one_project_share_its_fate_and_kinds_have_their_own_rows(ramp):
    twin = changed(ramp, "narva-1", exclusive_group="narva", success_probability=0.5)
    row = next(o for o in twin.options if o.option == "narva-1")
    cells = {k: v for k, v in row.model_dump().items() if v is not None}
    twin = twin.with_rows("options", {**cells, "option": "narva-1-loan"})
    twin = twin.with_rows("delivery_risk", {"option": "", "projects": "all", **certain(delay=2)})
    draws = draw(twin, 32, 0)
    mine = [draws.projects.index(o) for o in ("narva-1", "narva-1-loan")]
    assert (draws.comes[:, mine[0]] == draws.comes[:, mine[1]]).all()
    assert 0 < draws.comes[:, mine[0]].sum() < 32
    assert (draws.delay == 2).all()


def test_a_common_cause_joins_projects_and_leaves_each_as_likely():
    # two normal deviates of correlation c are both above 0 with the probability 1/4 + asin(c) / (2 pi)
    two = planner.load(Path(__file__).parents[1] / "cases/60a_two_plants/instance")
    two = two.changed(without={"scenarios": {}, "disruptions": {}}).what_if("set options.success_probability=50%")
    shape = {"delay_high": 4, "share_low": 0.5, "common_cause": "technology", "correlation": 0.6}
    joined = two.changed(rows={"delivery_risk": [{"projects": "all", **shape}]})
    alone, draws = draw(two, 8192, 1), draw(joined, 8192, 1)
    both = 0.25 + math.asin(0.6) / (2.0 * math.pi)
    assert (~alone.comes).all(axis=1).mean() == pytest.approx(0.25, abs=0.01)
    assert (~draws.comes).all(axis=1).mean() == pytest.approx(both, abs=0.01)
    assert draws.comes.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.01)
    # what is bad for one is bad for all: late, small and never, the size of one with the delay of the other
    assert draws.delay.mean() == pytest.approx(4 / 3, abs=0.05)  # of a triangular distribution from 0, most likely 0
    assert np.corrcoef(draws.delay[:, 0], draws.delay[:, 1])[0, 1] > 0.4
    assert np.corrcoef(draws.delay[:, 0], draws.share[:, 1])[0, 1] < -0.4
    assert np.corrcoef(draws.comes[:, 0], draws.share[:, 1])[0, 1] > 0.3


def test_the_row_of_an_owner_governs_its_projects(ramp):
    owned = ramp.what_if("set facilities.owner=Firm")
    rows = [{"projects": "all", **certain(delay=1)}, {"option": "Firm", "projects": "one", **certain(delay=2)}]
    assert set(draw(owned.changed(rows={"delivery_risk": rows}), 2, 0).delay.flat) == {2}


def test_a_certain_instance_has_nothing_to_draw(ramp):
    with pytest.raises(UsageError, match="every project is certain"):
        planner.delivery_risk(planner.solve(ramp), instance=ramp)


def promising(tmp_path):
    """Own shop at 900 USD/t must be used to 60 t/yr, a new site at 100 USD/t needs a project; 100 t/yr are needed."""

    tables = TABLES | {
        "facilities": (
            "facility,name,country,status,capacity_t,min_use,min_use_until\n"
            "pit,Pit,AAA,operating,1000,,\n"
            "works,Works,CHN,operating,500,,\n"
            "shop,Shop,BBB,operating,100,0.6,2030\n"
            "site,Site,AAA,candidate,0,,\n"
        ),
        "operations": (
            "facility,process,opex_usd_per_t\npit,mine,50\nworks,smelt,200\nshop,press,900\nsite,press,100\n"
        ),
        "options": (
            "option,facility,name,module_t,capex_musd,life_years,lead_years,success_probability\n"
            "first,site,First,50,0.01,10,0,0.5\n"
        ),
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,2026,100\nAAA,cars,magnet,2030,100\n",
        "sectors": "sector,name,shortage_usd_per_t,min_service\ncars,Cars,90000,0.9\n",
    }
    return planner.load(write_instance(tmp_path / "promising", tables))


def test_contracts_hold_in_every_outcome_that_lets_them(tmp_path):
    instance = promising(tmp_path)
    plan = planner.solve(instance)
    used = plan.tables["activity"].query("facility == 'shop' and year == 2026")["activity_t"].sum()
    assert used == pytest.approx(60.0)  # without its contract the shop would stand still: the site is cheaper
    found = planner.delivery_risk(plan, samples=8)
    assert found.planned_musd == pytest.approx(plan.objective_musd, rel=1e-6)
    assert not found.samples["promise_broken"].any()  # the shop alone serves all when the site fails
    assert found.samples["short_t"].max() == pytest.approx(0.0, abs=1e-6)


def test_promises_that_cannot_be_kept_are_broken_and_told(tmp_path):
    instance = promising(tmp_path).scaled("facilities", "capacity_t", 0.7, facility="shop")
    plan = planner.solve(instance)  # 42 of 70 t at the shop, the rest at the site; all served
    found = planner.delivery_risk(plan, samples=8)
    failed = found.samples[found.samples["promise_broken"]]
    assert len(failed) == 4  # of a probability of one half
    # without the site the shop makes 70 of 100 t in each of 5 years, although 90 were promised
    assert failed["short_t"].tolist() == pytest.approx([150.0] * 4)
    assert found.years["short_t_planned"].tolist() == pytest.approx([0.0] * 3, abs=1e-6)


def test_each_project_and_each_owner_of_several_never_comes(tmp_path, ramp):
    plan = planner.solve(ramp)
    never = planner.delivery_risk(plan, instance=changed(ramp, "narva-1", success_probability=0.0), samples=1)
    found = planner.failures(plan, instance=ramp)
    case = found.cases.iloc[0]
    assert (case["what"], case["name"]) == ("project", "narva-1")
    assert case["extra_musd"] == pytest.approx(never.mean_musd - plan.objective_musd, rel=1e-6)
    planned = sum(plan.metrics["short_t"].values())  # before the plant comes
    assert case["short_t"] == pytest.approx(never.samples["short_t"][0] - planned)

    # two modules of 50 t by one owner make all that is used: 100 t/yr in 5 years, nothing else makes magnets
    tables = TABLES | {
        "facilities": (
            "facility,name,owner,country,status,capacity_t\npit,Pit,,AAA,operating,1000\nworks,Works,,CHN,operating,500\n"
            "site,Site,Acme,AAA,candidate,0\nspot,Spot,Acme,AAA,candidate,0\n"
        ),
        "operations": (
            "facility,process,opex_usd_per_t\npit,mine,50\nworks,smelt,200\nsite,press,100\nspot,press,100\n"
        ),
        "options": (
            "option,facility,name,module_t,capex_musd,life_years,lead_years\n"
            "first,site,First,50,0.01,10,0\nsecond,spot,Second,50,0.01,10,0\n"
        ),
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,2026,100\nAAA,cars,magnet,2030,100\n",
    }
    instance = planner.load(write_instance(tmp_path / "owner", tables))
    cases = planner.failures(planner.solve(instance)).cases.set_index("name")
    assert cases["short_t"].to_dict() == pytest.approx({"Acme": 500.0, "first": 250.0, "second": 250.0})
    assert cases.loc["Acme", "options"] == "first second"


def test_neither_the_number_of_workers_nor_what_was_tried_before_changes_an_outcome(tmp_path):
    plan = planner.solve(promising(tmp_path))
    for question in (partial(planner.delivery_risk, samples=8), planner.failures):
        one, two = (question(plan, workers=n) for n in (1, 2))
        assert one.to_json() == two.to_json()
    large = planner.load(INSTANCES / "us-defence-2027")  # with many equally cheap operations
    tried = Delivered(large, planner.solve(large, gap=0.05, audit=False))
    elsewhere = pickle.loads(pickle.dumps(tried))
    fates = [{option.option: NEVER} for option, _, _ in tried.builds]
    assert [elsewhere.solve_outcome(fate) for fate in reversed(fates)] == [tried.solve_outcome(fate) for fate in fates][
        ::-1
    ]


def test_a_study_that_was_stopped_goes_on(tmp_path, monkeypatch):
    dear = promising(tmp_path).with_rows("delivery_risk", risk("first", capex_low=0.5, capex_mode=1, capex_high=2))
    plan = planner.solve(dear)
    kept = tmp_path / "kept.jsonl"
    whole = planner.delivery_risk(plan, samples=8, workers=1)
    real, calls = Delivered.solve_outcome, []

    def stopped(self, outcome):
        calls.append(outcome)
        if len(calls) == 5:  # the plan itself, and three outcomes
            raise KeyboardInterrupt
        return real(self, outcome)

    monkeypatch.setattr(Delivered, "solve_outcome", stopped)
    part = planner.delivery_risk(plan, samples=8, workers=1, partial=kept)
    assert not part.complete and part.samples.equals(whole.samples.head(3))
    assert len(kept.read_text().splitlines()) == 3
    rest = planner.delivery_risk(plan, samples=8, workers=1, partial=kept)
    assert rest.to_json() == whole.to_json() and not kept.exists()
    assert len(calls) == 5 + 1 + 5


@pytest.mark.parametrize(("delay", "cost"), [("half", 121.05), ("one_and_a_half", 215.4), ("two_and_a_half", 309.75)])
def test_a_delay_of_half_a_year_is_one_of_a_year(delay, cost):
    """MUSD: each year more that the plant comes later costs the same; half to even had 26.7, 215.4 and 215.4."""
    plan = planner.solve(planner.load(Path(__file__).parents[1] / "defects" / f"delay_{delay}"))
    found = planner.delivery_risk(plan, samples=4, workers=1)
    assert found.samples["cost_musd"].tolist() == pytest.approx([cost] * 4, abs=1e-3)


def test_a_failure_that_is_answered_costs_what_the_other_plant_costs_later():
    # two plants of 100 t: A from 2027 on 0.5 MUSD a year, B (started in 2027 at the earliest, lead 1) 0.6; 50 a year
    # short. A never comes: nine years short, 450. At once, seen in 2027: 2027 short, B from 2028: 50 + 8 x 0.6 = 54.8.
    # A year later: 2027 and 2028 short, B from 2029: 100 + 7 x 0.6 = 104.2
    two = planner.load(Path(__file__).parents[1] / "cases/60a_two_plants/instance")
    two = two.changed(without={"scenarios": {}, "disruptions": {}})
    plan = planner.solve(two)
    assert plan.builds == {("a", 2026): 1.0}
    at_once, later, held = (planner.failures(plan, rebuild_after=after).cases.iloc[0] for after in (0, 1, None))
    assert [row.extra_musd for row in (at_once, later, held)] == pytest.approx([450.0] * 3)
    assert (at_once.answered_musd, at_once.answer, at_once.news_year) == (pytest.approx(54.8), "b@2027", "2027")
    assert (later.answered_musd, later.answer) == (pytest.approx(104.2), "b@2028")
    assert held.answer == held.news_year == "" and held.answered_musd != held.answered_musd


def test_an_answer_is_never_dearer_than_being_held_to_the_plan(ramp):
    plan = planner.solve(ramp)
    uncertain = ramp.with_rows("delivery_risk", risk("narva-1", **certain(delay=1)))
    samples = planner.delivery_risk(plan, instance=uncertain, samples=2).samples
    assert (samples["answered_musd"] <= samples["cost_musd"] * (1 + 1e-6)).all()
    held = planner.delivery_risk(plan, instance=uncertain, samples=2, rebuild_after=None)
    assert held.samples["answered_musd"].isna().all() and held.samples["cost_musd"].equals(samples["cost_musd"])


def test_years_after_the_news_are_years_or_never(ramp):
    with pytest.raises(UsageError, match="expected 0 or more years"):
        planner.failures(planner.solve(ramp), rebuild_after=-1)


def test_breaking_a_limit_on_an_impact_weighs_by_its_part_not_by_its_unit(ramp):
    # a floor of 500 units of an impact a year, and 90 t of demand: all of it weighs as much as all of the demand
    from planner.prepare import prepare
    from planner.questions.delivery.operations import _units_of_a_kt

    demand = sum(row.demand_t for row in ramp.demand)
    given = ramp.with_rows("impacts", {"impact": "jobs", "name": "Jobs", "unit": "job"})
    given = given.with_rows("impact_factors", {"impact": "jobs", "kind": "operation", "per_t": 100})
    floor = {"cap": "jobs", "metric": "impact", "impact": "jobs", "sense": "min", "limit": 500}
    data = prepare(given.with_rows("caps", floor)).data
    asked = sum(need.demand for need in data.need if need.node == data.caps["impact"][0].node)
    assert demand and _units_of_a_kt(data, 0) == pytest.approx(0.5 / asked)
