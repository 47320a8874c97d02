"""The explorer as one file: its answers are those of fresh solves, between two of them it claims bounds and no more."""

import base64
import gzip
import json
import re

import pytest
from pages import Elements, hostile_instance

import planner
from planner.exploring import twin as twins
from planner.instance.examples import example_folder
from planner.questions.explore import in_order


@pytest.fixture(scope="module")
def instance():
    return planner.load(example_folder("tiny"))


@pytest.fixture(scope="module")
def text(instance):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twins, "MOST", {"cap": 5, "factor": 3})
        return twins.twin(instance, 0.0, lambda line: None)


@pytest.fixture(scope="module")
def found(text):
    return json.loads(re.search(r'<script type="application/json" id="twin">(.*?)</script>', text, re.DOTALL)[1])


def unpacked(packed):
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_answers_are_those_of_fresh_solves(instance, found):
    asked = [json.loads(key) for key in found["costs"]]
    assert len(asked) == 5 * 3 * 3
    for changes in asked[::7]:
        fresh = planner.solve(instance.what_if(*in_order(changes)) if changes else instance, relax=True)
        key = json.dumps(changes, separators=(",", ":"))
        assert found["costs"][key] == pytest.approx(
            fresh.objective_musd, rel=2e-7
        )  # before the steps that follow the cost
        numbers, sections = unpacked(found["answers"]["relaxed" + key])
        assert numbers["cost"] == pytest.approx(fresh.objective_musd, rel=1e-9) and sections["drawings"]
    # where only the limit moves there is the plan of whole projects, and the map
    alone = [changes for changes in asked if not any("scale" in change for change in changes)]
    assert {key for key in found["answers"] if key.startswith("whole")} == {
        "whole" + json.dumps(changes, separators=(",", ":")) for changes in alone
    }
    whole = unpacked(found["answers"]["whole[]"])
    assert whole[0]["cost"] == pytest.approx(9.75) and "chain-flows" in whole[1]["drawings"]


def test_places_are_where_the_cost_changes(instance):
    """Of tiny the cost changes below its own cap of one half only: no place between 50 % and 100 % is worth more."""
    axis = next(a for a in twins.axes_of(instance) if a.control["kind"] == "cap")
    explorer = twins.Explorer(instance, 0.0)
    stops = twins.stops_of(explorer, axis)
    assert stops[0] == 0 and stops[-1] == 100 and len(stops) <= twins.MOST["cap"]
    assert sum(50 < stop < 100 for stop in stops) <= 1
    costs = [explorer.cost(in_order(axis.texts(stop))) for stop in stops]
    assert costs == sorted(costs, reverse=True)


def test_it_answers_without_a_network_and_draws_no_plan_between_two_limits(browser, text, found, instance, tmp_path):
    page = tmp_path / "twin.html"
    page.write_text(text, encoding="utf-8")
    context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True, reduced_motion="reduce")
    tab, complaints = context.new_page(), []
    tab.on("console", lambda m: complaints.append(m.text))
    tab.on("pageerror", lambda e: complaints.append(str(e)))
    tab.goto(page.as_uri())
    tab.wait_for_function("() => document.querySelector('#keys dd')?.textContent === '9.75 m USD'")
    tab.wait_for_selector("#sections figure .plot .main-svg")
    slider = tab.get_by_label("Traced dependence, at most", exact=True)
    stops = sorted(float(t) for t in json.loads(tab.evaluate("document.body.dataset.facts"))["controls"][0]["stops"])
    limit = int(stops[0] + 1)
    slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('change')); }", str(limit))
    tab.wait_for_function("() => document.querySelector('#keys dt')?.textContent.startsWith('Bound')")
    assert tab.locator("#sections figure").count() == 0
    told = re.findall(r"[\d.]+", tab.inner_text("#keys dd >> nth=0"))
    year = json.loads(tab.evaluate("document.body.dataset.facts"))["controls"][0]["first"]
    fresh = planner.solve(instance.what_if(f"cap exposed_share={limit}%@{year}"), relax=True).objective_musd
    assert float(told[0]) - 1e-3 <= fresh <= float(told[-1]) + 1e-3
    tab.locator("#keys button").first.click()  # the looser limit has an answer
    tab.wait_for_selector("#sections figure .plot .main-svg")
    tab.get_by_label("Demand", exact=True).focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_function("() => document.querySelector('#status').textContent.startsWith('A bound')")
    # a shared address gives the same
    address = tab.url
    tab.get_by_role("button", name="As it is").click()
    tab.wait_for_function("() => document.querySelector('#keys dd')?.textContent === '9.75 m USD'")
    tab.goto(address)
    tab.wait_for_function("() => document.querySelector('#status').textContent.startsWith('A bound')")
    assert complaints == []
    context.close()


def test_names_of_an_instance_are_text_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(twins, "MOST", {"cap": 2, "factor": 1})
    elements = Elements(twins.twin(hostile_instance(tmp_path / "hostile"), 0.0, lambda line: None))
    assert [tag for tag, _ in elements.tags if tag in ("img", "b", "iframe")] == []
    assert len(elements.of("script")) == 4 and not any("src" in script for script in elements.of("script"))
    assert not any(name.startswith("on") for _, attributes in elements.tags for name in attributes)
