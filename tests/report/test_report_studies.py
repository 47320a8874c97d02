"""What other commands found, on the page of a run: recognised, checked to belong to it, and told as derived by hand.

The numbers of tiny and lead-and-ramp are those of the README of each.
"""

import dataclasses
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from pages import HOSTILE, Elements, drawings, hostile_instance, opened, undrawn
from places import INSTANCES, run
from test_alternatives import four_plants
from test_hedge import sources
from test_survive import CHINA, CHN_STOPS, with_lines

import planner
from planner.errors import OutputError, ResultError, UsageError
from planner.reporting.sections import findings
from planner.reporting.studies import SHOWN, read_study
from planner.reporting.view import View

PRICE = {"name": "price", "table": "market_prices", "column": "price_usd_per_t", "where": {"market": "china-magnets"},
         "factor": [0.5, 2.0]}  # fmt: skip


@pytest.fixture(scope="module")
def tiny():
    instance = planner.load(INSTANCES / "tiny")
    return instance, planner.solve(instance)


@pytest.fixture(scope="module")
def without(tiny):
    return planner.solve(tiny[0], pins=planner.Pins(forbid=["texas-line"]))


@pytest.fixture(scope="module")
def found(tiny, without):
    """Everything that is shown of tiny, by its command."""
    instance, plan = tiny
    study = {"instance": str(INSTANCES / "tiny"), "metrics": ["objective_musd", "built:texas-line"], "change": [PRICE]}
    return {
        "frontier": planner.frontier(instance, points=3),
        "explain": planner.explain(plan),
        "alternatives": planner.alternatives(instance, slack=0.1, groups=["country=USA"]),
        "stress": planner.stress(plan, workers=1),
        "sensitivity": planner.sensitivity(study),
        "compare": planner.compare(plan, without, names=["with the line", "without"]),
    }


@pytest.fixture(scope="module")
def late():
    """lead-and-ramp with a plant that comes in half of the outcomes, its plan, and what that means."""
    ramp = planner.load(INSTANCES / "lead-and-ramp")
    row = {k: v for k, v in ramp.options[0].model_dump().items() if v is not None}
    instance = ramp.with_rows("options", {**row, "success_probability": 0.5})
    plan = planner.solve(instance)
    return instance, plan, planner.delivery_risk(plan, samples=64)


@pytest.fixture(scope="module")
def insured(tmp_path_factory):
    """Two sources of 100 t that come in nine and eight of ten outcomes: by hand, both are worth building."""
    instance = sources(tmp_path_factory.mktemp("hedge") / "sources", [("first", 0.05, 0.9), ("second", 0.06, 0.8)])
    return instance, planner.solve(instance), planner.hedge(instance, outcomes=32, trial=64, replications=2)


def page_of(tiny, *studies):
    return planner.report(tiny[1], studies)


def table(text, name):
    """The rows of a table of the page, as text."""
    body = re.search(rf'<table class="sortable" id="{name}">.*?<tbody>(.*?)</tbody>', text, re.S)[1]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)]


# --- every kind ---


@pytest.mark.parametrize("kind", ["frontier", "explain", "alternatives", "stress", "sensitivity", "compare"])
def test_a_folder_and_the_python_result_give_the_same_page(tmp_path, tiny, found, kind):
    found[kind].write(tmp_path / kind)
    from_folder = page_of(tiny, tmp_path / kind)
    assert from_folder == page_of(tiny, found[kind])
    assert from_folder == page_of(tiny, str(tmp_path / kind))
    assert from_folder != page_of(tiny)
    assert "Careful:" not in from_folder


def test_delivery_risk_from_a_folder_and_from_python(tmp_path, late):
    _instance, plan, risk = late
    risk.write(tmp_path / "risk")
    assert planner.report(plan, [risk]) == planner.report(plan, [tmp_path / "risk"])


def test_a_hedge_from_a_folder_and_from_python(tmp_path, insured):
    _instance, plan, hedged = insured
    hedged.write(tmp_path / "hedge")
    assert planner.report(plan, [hedged]) == planner.report(plan, [tmp_path / "hedge"])


def test_all_of_them_make_one_whole_page(tiny, found):
    import plotly.graph_objects as go

    text = page_of(tiny, *found.values())
    elements, drawn = Elements(text), drawings(text)
    ids = [a["id"] for _, a in elements.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in elements.of("a") if a["href"].startswith("#")} <= set(ids)
    assert {"curve", "reasons", "near-best", "losses", "sensitivity", "rivals"} <= set(ids)
    levels = [int(tag[1]) for tag, _ in elements.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for image in (a for a in elements.of("div") if a.get("role") == "img"):
        assert len(image["aria-label"]) > 20
    for spec in drawn.values():
        assert spec["columns"] and spec["rows"]
        assert all(len(row) == len(spec["columns"]) for row in spec["rows"])
        for view in spec["views"].values():
            go.Figure(view)  # refuses unknown names and values
    shown = [row[0] for row in table(text, "table-studies")]
    assert shown == [f"planner {kind}" for kind in found]


# --- what they say, by hand ---


def test_why_the_line_is_built(tiny, found):
    # without it the 50 t of clean magnets of 2027 cannot be had, so that nothing may be delivered: 4.1 + 100 = 104.1
    # MUSD, 94.35 more; a clean kilogram saves 60 - 41 = 19; 72 USD/kg (50 t of 0.6 MUSD and 60) against 40: 1.6 MUSD
    text = page_of(tiny, found["explain"])
    assert re.search(r"Without Texas line the plan costs 94\.[34] million USD more", text)
    assert "Of what binds, cap half saves most: 19 thousand USD for a point more." in text
    drawn = drawings(text)
    (bar,) = drawn["reasons-limits"]["views"]["0"]["data"]
    assert bar["x"] == pytest.approx([0.019])
    (cells,) = drawn["reasons-premiums"]["views"]["0"]["data"]
    assert cells["z"] == [[None, pytest.approx(19.0)]]
    (support,) = drawn["reasons-support"]["views"][""]["data"]
    assert support["y"] == pytest.approx([0.0, 1.6], rel=1e-5)
    value, earnings = (drawn["reasons-built"]["views"][k]["data"] for k in "01")
    assert value[0]["x"] == pytest.approx([94.35])
    assert earnings[1]["x"] == pytest.approx([0.6])  # what it costs
    (row,) = table(text, "table-support")
    assert row[3:5] == ["72", "40"] and row[6:] == ["32", "1.6"]


def test_what_an_unbuilt_project_lacks(tmp_path):
    # a plant at six times its cost: 3 annuities of 5.4 against the 12.6 that it saves; it would pay at 77.78 % of that
    ramp = planner.load(INSTANCES / "lead-and-ramp")
    row = {k: v for k, v in ramp.options[0].model_dump().items() if v is not None}
    dear = ramp.with_rows("options", {**row, "capex_musd": 54.0})
    plan = planner.solve(dear)
    assert plan.tables["builds"].empty
    text = planner.report(plan, [planner.explain(plan)])
    (bar,) = drawings(text)["reasons-entry"]["views"][""]["data"]
    assert bar["name"] == "enters below (re-solve)"
    assert bar["x"] == pytest.approx([12.6 / (3 * 5.4)], rel=1e-3)
    assert "at 78% of its capex" in text
    # built all the same it costs least when started last, in 2028: one annuity for 30 t
    assert float(table(text, "table-lacks")[0][3]) == pytest.approx(5.4 - 30 * 0.07)


def test_alternatives_tell_what_is_no_regret(tiny, found):
    text = page_of(tiny, found["alternatives"])
    assert "No regret, in every near-optimal plan: Texas line" in text
    assert "Every plan within 10% of the least cost builds Texas line." in text
    assert table(text, "table-ranges") == [
        ["Texas line", "United States", "magnet", "always", "60", "60", "60", "2026", "yes"]
    ]
    drawn = drawings(text)["near-best-ranges"]
    assert drawn["views"][""]["layout"]["annotations"][0]["text"] == "Texas line · 60 t · start by 2026"
    diamond = next(t for t in drawn["views"][""]["data"] if t["name"] == "in the least-cost plan")
    assert diamond["x"] == [1.0]
    (group,) = table(text, "table-groups")
    assert group == ["country=USA", "60", "60", "6", "6", "yes"]


def test_pairs_and_coverage_are_told_beside_the_plans(tiny):
    # without a cap nothing is needed; b and b-loan are twins, of which one is built at most
    instance = four_plants()
    study = planner.alternatives(instance, slack=0.3, plans=1)
    text = page_of((instance, planner.solve(instance)), study)
    rows = table(text, "table-pairs")
    assert len(rows) == len(study.pairs) and rows[0][2:] == ["no", "yes", "they exclude each other"]
    assert all(row[2:] == ["yes", "yes", ""] for row in rows[1:])
    assert "Together these plans show" in text and "of the ranges of the projects" in text


def test_a_slack_beyond_what_all_projects_save_is_warned_of(tiny, found):
    # without the line 104.1 instead of 9.75 MUSD, 94.35 more; 980 % of 9.75 are 95.55
    text = page_of(tiny, found["alternatives"])
    assert "Without any optional project: 104.1 million USD, 94.35 million USD more." in text
    text = page_of(tiny, planner.alternatives(tiny[0], slack=9.8, plans=0))
    assert "<strong>Careful:</strong> the slack of 95.55 million USD is larger than what all optional projects" in text
    assert "within 980% of the least cost, since all optional ones together save less." in text


def test_plans_are_named_by_what_differs(tmp_path, tiny, found):
    about = json.loads((found["alternatives"].write(tmp_path / "a") / "alternatives.json").read_text())
    about["ranges"][0] |= {"verdict": "sometimes", "least": -1e-10, "proven": False}
    about["plans"].append({"plan": "x", "cost_musd": 10.0, "option": "", "start_year": 0, "modules": 0.0})
    about["plans"].append({"plan": "y", "cost_musd": 10.5, "option": "texas-line", "start_year": 2026, "modules": 0.5})
    (tmp_path / "a" / "alternatives.json").write_text(json.dumps(about))
    text = page_of(tiny, tmp_path / "a")
    rows = table(text, "table-alternatives")
    assert [r[0] for r in rows] == ["least cost", "without Texas line", "less of Texas line"]
    assert rows[1][1:] == ["10", "0.25", "", "Texas line 60"] and rows[2][4] == "Texas line 30"
    assert "No project is built in every near-optimal plan" in text and "in every near-optimal plan found" not in text
    assert "The range of 1 project is not proven" in text
    assert table(text, "table-ranges")[0][4:6] == ["0", "60"]  # what the tolerance leaves of nothing is nothing
    about["ranges"][0] |= {"verdict": "open", "least": 1.0}
    (tmp_path / "a" / "alternatives.json").write_text(json.dumps(about))
    text = page_of(tiny, tmp_path / "a")
    assert "No project is built in every near-optimal plan found" in text and "of 1 that is open" in text


def test_stress_shows_the_worst_who_is_served_and_where(tiny, found):
    # all 100 t of 2026 come from China: 100 t lost at 1 MUSD, less the 4.1 MUSD that they would have cost
    text = page_of(tiny, found["stress"])
    drawn = drawings(text)
    lost, _, extra = (drawn["losses-worst"]["views"][str(k)]["data"][0] for k in range(3))
    assert lost["x"] == pytest.approx([100.0] * 3)
    assert extra["x"] == pytest.approx([95.9] * 3)
    names = [a["text"] for a in drawn["losses-worst"]["views"]["0"]["layout"]["annotations"]]
    assert set(names) == {
        "China exports nothing",
        "China exports nothing of the magnet stage",
        "China exports no NdFeB magnet",
    }
    served, held = (drawn["losses-served"]["views"][k]["data"][0]["z"] for k in "01")
    assert served == [[pytest.approx(0.0)]] * 3 and held == [[0]] * 3
    by_material = drawn["losses-heat"]["views"]["0,0,0"]
    assert by_material["data"][0]["z"] == [[pytest.approx(100.0)]]
    assert by_material["layout"]["xaxis"]["ticktext"] == ["China"]
    assert by_material["layout"]["yaxis"]["ticktext"] == ["NdFeB magnet"]
    by_stage = drawn["losses-heat"]["views"]["1,0,0"]
    assert by_stage["layout"]["yaxis"]["ticktext"] == ["magnet", "everything"]
    assert len(table(text, "table-cases")) == 3
    assert table(text, "table-single") == [
        ["1", "China exports nothing", "2026", "100", "95.9", "0", "magnet from CHN"]
    ]
    assert "Each case was recomputed from the raw tables, without the model: no violation." in text
    assert "Of 3 disruptions tried (in 2026, for 12 months, all of it lost), 3 leave demand undelivered." in text


def test_the_heat_map_has_a_slider_over_the_years(tiny):
    text = page_of(tiny, planner.stress(tiny[1], year=[2026, 2027], families=["material"], workers=1, survival=False))
    drawn = drawings(text)
    # 2027: half of the 100 t comes from China; the line makes 60 t at most, 10 t more than planned
    cells = [drawn["losses-heat"]["views"][f"0,0,{y}"]["data"][0]["z"] for y in (0, 1)]
    assert cells == [[[pytest.approx(100.0)]], [[pytest.approx(40.0)]]]
    figure = text[text.index('<figure class="chart" id="losses-heat"') :]
    slider = next(a for a in Elements(figure).of("input") if a.get("type") == "range")
    assert slider["data-choices"] == "2026|2027" and slider["value"] == "0"  # the worst year first
    assert "China exports no NdFeB magnet, 2026" in text


def test_a_stop_that_nobody_feels_is_said_to_be_one(tmp_path, tiny):
    stress = planner.stress(tiny[1], workers=1, survival=False)
    folder = stress.write(tmp_path / "s")
    about = json.loads((folder / "stress.json").read_text())
    for case in about["cases"]:
        case.update(lost_t=0.0, lost_musd=0.0, extra_cost_musd=0.0)
    about["faults"] = {"export_stop:CHN 2026": "balance"}
    (folder / "stress.json").write_text(json.dumps(about))
    text = page_of(tiny, folder)
    assert "None of 3 disruptions tried leaves demand undelivered that the plan serves." in text
    assert "0 leave demand undelivered that the plan serves, 0 only cost more, 3 cost nothing" in text
    assert not [name for name in drawings(text) if name.startswith("losses")]
    assert "the audit found fault with export_stop:CHN 2026: balance" in text
    assert "recomputed from the raw tables, without the model" not in text.split("Why to trust it")[0]


def test_delivery_shows_the_distribution_and_what_it_hangs_on(late):
    # in half of the outcomes the line never comes: 450 t short (45 MUSD), 2.7 of annuities; else it is the plan's 35.1
    _instance, plan, risk = late
    text = planner.report(plan, [risk])
    drawn = drawings(text)
    bars = next(t for t in drawn["delivery-cost"]["views"]["0"]["data"] if t["type"] == "bar")
    assert sum(bars["y"]) == 64 and bars["y"][0] == bars["y"][-1] == 32
    lines = {t["name"]: t["x"][0] for t in drawn["delivery-cost"]["views"]["0"]["data"] if t["type"] == "scatter"}
    assert lines["as planned"] == pytest.approx(35.1, rel=1e-6)
    assert lines["mean"] == pytest.approx((35.1 + 47.7) / 2, rel=1e-6)
    assert lines["mean of the worst 10%"] == pytest.approx(47.7, rel=1e-6)
    assert "50.0% of the outcomes cost more than planned; the mean is 6.3 million USD dearer" in text
    (stake,) = drawn["delivery-stakes"]["views"]["0"]["data"]
    assert stake["x"] == pytest.approx([47.7 - 35.1], rel=1e-6)
    assert "it hangs most on Narva line" in text
    assert {t["name"] for t in drawn["delivery-fan"]["views"]["0"]["data"]} >= {"mean", "four fifths of the outcomes"}


def test_a_roadmap_shows_its_gates_as_a_tree():
    # tests/cases/README.md, 60a: A is signed now; if it has not come in 2027, B is started; A alone costs 197.6 more
    found = planner.roadmap(Path(__file__).parents[1] / "cases/60a_two_plants/instance")
    text = planner.report(found.run, [found])
    assert "Signed now: A" in text and "A never comes" in text
    assert "start B in 2027" in text and "If A never comes (known in 2027), the roadmap says: start B in 2027." in text
    (bars,) = drawings(text)["roadmap-values"]["views"][""]["data"]
    assert sorted(bars["x"]) == pytest.approx([79.65, 81.9, 84.3, 279.5])
    assert "costs 197.6 MUSD more" in text


def test_a_hedge_shows_both_plans_on_the_same_outcomes(insured):
    """Shortage costs 1 MUSD a year of 100 t; the second source, 0.06 MUSD, is the hedge."""
    instance, plan, hedged = insured
    text = planner.report(plan, [hedged])
    drawn = drawings(text)
    lines = {t["name"]: t["y"] for t in drawn["hedge-outcomes"]["views"]["0"]["data"]}
    assert lines["trusting"] == sorted(hedged.outcomes["trusting_musd"]) and len(lines["hedged"]) == 64
    (bars,) = drawn["hedge-builds"]["views"][""]["data"]
    assert bars["x"] == pytest.approx([0.06])
    assert [row[0] for row in table(text, "table-hedge-plans")] == ["trusting", "hedged"]
    assert [row[0] for row in table(text, "table-insurance")] == ["second"]
    said = next(
        s for s in findings.sentences(View(instance, plan, (read_study(hedged, instance, plan),))) if "outcomes of" in s
    )
    # 64 outcomes in two groups are too few to know that it saves
    assert hedged.saving.sign == 0 and "by more than chance; it builds more of second" in said


def test_a_hedge_without_a_trial_is_told_as_far_as_it_goes(tmp_path, insured):
    _instance, plan, hedged = insured
    none = hedged.outcomes.iloc[:0]
    cut = dataclasses.replace(hedged, outcomes=none, insurance=hedged.insurance.iloc[:0], complete=False)
    text = planner.report(plan, [cut])
    assert "hedge-outcomes" not in drawings(text) and "interrupted before it was finished" in text


def test_the_tornado_reaches_to_both_ends(tiny, found):
    # half the price: 100 t x 21 + 50 t x 21 + 3 + 0.6 = 6.75; twice: 81 is more than the 60 that the line's last 10 t
    # cost, so 60 t are made: 100 x 81 + 40 x 81 + 60 x 60 = 14.94 + 0.6
    text = page_of(tiny, found["sensitivity"])
    view = drawings(text)["sensitivity-tornado"]["views"]["0"]
    low, high = view["data"]
    assert low["base"] == high["base"] == pytest.approx([9.75])
    assert low["x"] == pytest.approx([6.75 - 9.75]) and high["x"] == pytest.approx([15.54 - 9.75])
    assert view["layout"]["shapes"][0]["x0"] == pytest.approx(9.75)
    assert "Of the assumptions varied, price moves the cost most, from 6.75 to 15.54 MUSD present value." in text
    assert "No decision flips" in text
    assert len(table(text, "table-tornado")) == 2


@pytest.mark.parametrize("method", ["lhs", "sobol"])
def test_samples_show_their_indices(tiny, method):
    freight = {"name": "freight", "table": "lanes", "column": "cost_usd_per_t", "factor": [0.5, 1.5]}
    study = {"instance": str(INSTANCES / "tiny"), "metrics": ["objective_musd"], "change": [PRICE, freight]}
    text = page_of(tiny, planner.sensitivity({**study, "method": method, "samples": 8}, workers=1))
    view = drawings(text)["sensitivity-indices"]["views"]["0"]
    assert [t["name"] for t in view["data"]] == (["rank correlation"] if method == "lhs" else ["total", "first order"])
    assert view["layout"]["annotations"][0]["text"] == "price"  # 20 to 80 USD/kg against 0.5 to 1.5
    assert "Price weighs most in the cost" in text


def test_a_change_without_a_plan_at_its_end_says_so(tmp_path, tiny, found):
    folder = found["sensitivity"].write(tmp_path / "s")
    about = json.loads((folder / "sensitivity.json").read_text())
    about["tornado"][0].update(at_high=None, swing=None, elasticity=None)
    (folder / "sensitivity.json").write_text(json.dumps(about))
    view = drawings(page_of(tiny, folder))["sensitivity-tornado"]["views"]["0"]
    assert view["layout"]["annotations"][0]["text"] == "price · no plan at the high end"
    assert [t["name"] for t in view["data"]] == ["low end"]


def test_other_plans_stand_beside(tiny, found):
    text = page_of(tiny, found["compare"])
    drawn = drawings(text)
    assert re.search(r"“without” costs 94\.[34] million USD more than “with the line”", text)
    assert re.search(r"This plan costs 94\.[34] million USD less than the plan “without”\.", text)
    shortage = next(t for t in drawn["rivals-cost"]["views"][""]["data"] if t["name"] == "shortage")
    assert shortage["y"] == pytest.approx([0.0, 100.0])
    mine, other = drawn["rivals-dependence"]["views"]["0"]["data"]
    assert mine["name"] == "with the line (this plan)" and mine["y"] == pytest.approx([1.0, 0.5], abs=1e-5)
    assert other["y"] == [pytest.approx(1.0), None]  # nothing is delivered in 2027
    (built,) = table(text, "table-rival-builds")
    assert built == ["Texas line", "United States", "2026 / -", "60", "0", "-60"]
    assert table(text, "table-rival-shortages") == [["United States", "Cars", "NdFeB magnet", "0", "100", "100"]]


# --- whose they are ---


@pytest.mark.parametrize("kind", ["explain", "stress"])
def test_a_study_of_another_plan_is_refused(tmp_path, tiny, without, found, kind):
    folder = found[kind].write(tmp_path / kind)
    with pytest.raises(UsageError, match=rf"{kind} is of another plan than this run.*planner {kind} RUN -o"):
        planner.report(without, [folder])


def test_delivery_risk_of_another_plan_is_refused(tmp_path, tiny, late):
    with pytest.raises(UsageError, match="planner stress RUN --delivery"):
        page_of(tiny, late[2].write(tmp_path / "risk"))


def test_a_comparison_without_this_run_is_refused(tiny, late, without):
    other = planner.compare(without, without, names=["a", "b"])
    with pytest.raises(UsageError, match="compares a and b, none of which is this run"):
        page_of(tiny, other)


@pytest.mark.parametrize("kind", ["frontier", "alternatives", "sensitivity"])
def test_a_study_of_other_data_is_shown_with_a_warning(tiny, found, kind):
    dearer = tiny[0].scaled("market_prices", "price_usd_per_t", 1.1)
    text = planner.report(planner.solve(dearer), [found[kind]])
    assert '<p class="warn"><strong>Careful:</strong> computed from other data than this run' in text
    assert "computed from other data" in table(text, "table-studies")[0][1]
    ramp = planner.load(INSTANCES / "lead-and-ramp")
    text = planner.report(planner.solve(ramp), [found[kind]])
    assert "computed from another instance than this run: tiny, not lead-and-ramp" in text


def test_what_was_interrupted_says_so(tmp_path, tiny, found):
    folder = found["stress"].write(tmp_path / "s")
    about = json.loads((folder / "stress.json").read_text())
    (folder / "stress.json").write_text(json.dumps({**about, "complete": False}))
    assert "<strong>Careful:</strong> interrupted before it was finished" in page_of(tiny, folder)


def test_two_of_a_kind_are_numbered(tiny, found):
    later = planner.stress(tiny[1], year=2027, workers=1, survival=False)
    text = page_of(tiny, found["stress"], later)
    ids = [a["id"] for _, a in Elements(text).tags if "id" in a]
    assert len(ids) == len(set(ids)) and {"losses", "losses-2", "losses-heat-2", "table-cases-2"} <= set(ids)
    assert "What a stop would do (2)" in text and "Stress 2" in text


# --- folders that cannot be shown ---


def test_folders_that_hold_no_study_are_explained(tmp_path, tiny):
    with pytest.raises(OutputError, match=r"holds no study that a report can show: expected one of frontier\.json"):
        page_of(tiny, tmp_path / "nowhere")
    tiny[1].write(tmp_path / "run")
    with pytest.raises(OutputError, match="is a run; planner compare RUN"):
        page_of(tiny, tmp_path / "run")
    with pytest.raises(UsageError, match="expected a list"):
        planner.report(tiny[1], studies=tmp_path)


@pytest.mark.parametrize("manifest", [kind.MANIFEST for kind in SHOWN])
def test_a_damaged_manifest_is_explained(tmp_path, tiny, manifest):
    for content in ("", "[]", "{", "null", '{"instance": 3}', '{"of": ["x"]}'):
        (tmp_path / manifest).write_text(content)
        for name in ("frontier", "switches", "lp_bound", "by_sector", "samples"):
            (tmp_path / f"{name}.csv").write_text("point\n1\n")
        with pytest.raises(OutputError, match="cannot be read"):
            page_of(tiny, tmp_path)


def test_a_missing_file_column_or_number_is_named(tmp_path, tiny, found):
    folder = found["stress"].write(tmp_path / "s")
    whole = (folder / "by_sector.csv").read_text()
    (folder / "by_sector.csv").write_text(whole.replace("months_served", "months"))
    with pytest.raises(OutputError, match=r"by_sector\.csv has no column months_served"):
        page_of(tiny, folder)
    (folder / "by_sector.csv").write_text(whole.replace("100.0", "much"))
    with pytest.raises(OutputError, match="much"):
        page_of(tiny, folder)
    (folder / "by_sector.csv").unlink()
    with pytest.raises(OutputError, match=r"is not whole: by_sector\.csv is missing"):
        page_of(tiny, folder)


def test_another_schema_number_or_kind_of_value_is_named(tmp_path, tiny, found):
    folder = found["stress"].write(tmp_path / "s")
    manifest = folder / found["stress"].MANIFEST
    whole = manifest.read_text()
    for change, says in (
        ('"schema": 2', "has schema 2, this planner reads schema 1"),
        ('"schema": 1, "deep": ' + "[" * 100_000 + "]" * 100_000, "cannot be read"),
    ):
        manifest.write_text(whole.replace('"schema": 1', change))
        with pytest.raises(ResultError, match=says):
            page_of(tiny, folder)
    about = json.loads(whole)
    about["cases"][0]["lost_t"] = "much"
    manifest.write_text(json.dumps(about))
    with pytest.raises(ResultError, match="has lost_t = 'much', expected number"):
        page_of(tiny, folder)


# --- names from an instance ---


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "in"
    instance = hostile_instance(folder)
    plan = planner.solve(instance)
    change = {"name": HOSTILE[0], "table": "demand", "column": "demand_t", "factor": [0.9, 1.1]}
    study = {"instance": str(folder), "title": HOSTILE[0], "metrics": ["objective_musd"], "change": [change]}
    option = next(o for o in instance.options if o.option == "second")
    row = {k: v for k, v in option.model_dump().items() if v is not None}
    risky = instance.with_rows("options", {**row, "success_probability": 0.5})
    studies = [
        planner.explain(plan),
        planner.alternatives(instance, slack=0.1),
        planner.stress(plan, workers=1, survival=False, year=[2026, 2030]),
        planner.sensitivity(study),
        planner.compare(plan, planner.solve(risky), names=[HOSTILE[0], HOSTILE[1]]),
        planner.frontier(instance, points=3),
    ]
    return planner.report(plan, studies)


def test_names_stay_text(hostile):
    elements, text = Elements(hostile), hostile
    assert len(elements.of("script")) == 3  # the drawings, the chart library and the page's own
    assert not elements.of("img") and not elements.of("b")
    assert HOSTILE[0] in elements.text and HOSTILE[1] in elements.text
    for drawn in drawings(text).values():  # what the chart library gets has no tag but its own
        for tag in re.findall(r"<[^<>]*>?", json.dumps(drawn["views"])):
            assert tag in ("<b>", "</b>", "<br>", "<extra>", "</extra>")


def test_hostile_names_do_nothing_in_a_browser(tmp_path, browser, hostile):
    tab = opened(browser, tmp_path, hostile)
    assert undrawn(tab) == []
    assert tab.query_selector("#injected") is None and tab.query_selector("img") is None
    assert tab.complaints == []


# --- what a plan was made for ---


def test_another_objective_is_said_first(tiny):
    instance = tiny[0]
    plan = planner.solve(instance, objective="exposure", slack=0.1)
    sentences = findings.sentences(View(instance, plan))
    # at most 1.1 x 9.75 = 10.725
    assert sentences[0].startswith(
        "This is not the cheapest plan: of all plans that cost at most 10.72 million USD, 10% above the least cost of "
        "9.75 million USD, it has the least demand that is not served clean ("
    )
    text = planner.report(plan)
    # among the findings, in the reasons to trust it, and there again in the brief
    assert text.count("This is not the cheapest plan") == 3
    assert "no plan for these data that reaches the aim under the ceiling costs less than" in text
    keys = [(k.label, k.value) for k in findings.keys(View(instance, plan))]
    assert ("Made least", "demand that is not served clean") in keys
    assert "This is not the cheapest plan" not in planner.report(tiny[1])


def test_builds_that_were_held_are_said(tiny, without):
    text = planner.report(without)
    assert "Not all builds were free: texas-line forbidden." in text
    assert "no plan for these data that has the builds that were held costs less than" in text


def test_outages_that_are_survived_are_said(tmp_path):
    instance = with_lines(tmp_path / "i", CHN_STOPS)
    plan = planner.solve(instance)
    assert plan.objective_musd == pytest.approx(200 * CHINA + 0.2, rel=3e-7)
    text = planner.report(plan)
    assert "The plan survives 1 outage that it must ([security] survive: 1 of all plants of a country)" in text
    assert "no plan for these data that survives what it must costs less than" in text
    assert ("Survives", "1 outage") in [(k.label, k.value) for k in findings.keys(View(instance, plan))]


@pytest.mark.parametrize(("measure", "weight"), [("cost", 0.5), ("unserved", 10_300.0)])
def test_risk_that_is_weighed_in_is_said(tmp_path, measure, weight):
    instance = with_lines(tmp_path / "i").changed(
        rows={
            "scenarios": [
                {"scenario": "crisis", "name": "Crisis", "probability": 0.25, "first_year": 2031, "last_year": 2031}
            ],
            "disruptions": [
                {"scenario": "crisis", "kind": "export_stop", "country": "CHN", "material": "magnet", "fraction": 1}
            ],
        },
        settings={"weight": weight, "alpha": 0.75, "measure": measure},
    )
    plan = planner.solve(instance)
    text = planner.report(plan)
    said = next(s for s in findings.sentences(View(instance, plan)) if s.startswith("Bad outcomes weigh more"))
    assert "worst 25% of the outcomes" in said
    assert ("50% of what was made least is the mean cost" in said) == (measure == "cost")
    assert ("counts at 10,300 USD a tonne" in said) == (measure == "unserved")
    assert "comes, with risk weighed in, to" in text


# --- in a browser, and by the command ---


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_all_studies_is_drawn_and_fits(tmp_path, browser, tiny, found, width):
    text = page_of(tiny, *found.values())
    tab = opened(browser, tmp_path, text, width)
    assert undrawn(tab) == []
    assert int(tab.get_attribute("html", "data-drawn")) == len(drawings(text))
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    for control in tab.query_selector_all("select[data-control]"):
        for n in range(len(control.query_selector_all("option"))):
            control.select_option(index=n)
            tab.wait_for_timeout(20)
            assert undrawn(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.complaints == []


@pytest.mark.parametrize("of_projects", ["late", "insured"])
def test_what_projects_may_bring_is_drawn(tmp_path, browser, request, of_projects):
    _instance, plan, found = request.getfixturevalue(of_projects)
    tab = opened(browser, tmp_path, planner.report(plan, [found]), 390)
    assert undrawn(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.complaints == []


def test_the_command_takes_folders_again_and_again(tmp_path, tiny, found):
    tiny[1].write(tmp_path / "run")
    options = []
    for kind in ("explain", "alternatives", "frontier"):
        found[kind].write(tmp_path / kind)
        options += ["--with", tmp_path / kind]
    result = run("report", tmp_path / "run", "--instance", INSTANCES / "tiny", *options)
    assert result.returncode == 0, result.stderr
    text = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert {"reasons", "near-best", "curve"} <= {a["id"] for a in Elements(text).of("section")}
    result = run("report", tmp_path / "run", "--instance", INSTANCES / "tiny", "--overwrite", "--with", tmp_path)
    assert result.returncode != 0 and "holds no study that a report can show" in result.stderr
    assert "Traceback" not in result.stderr
