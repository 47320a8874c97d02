"""Plans side by side: nothing differs from itself, and what differs is told."""

import copy
import html
import json
import math
import re

import pytest
from pages import drawings
from places import INSTANCES, run

import planner
from planner.errors import UsageError
from planner.instance.tables import cells
from planner.reporting import compare_page


@pytest.fixture(scope="module")
def plans():
    tiny = planner.load(INSTANCES / "tiny")
    return planner.solve(tiny), planner.solve(tiny, pins=planner.Pins.parse(tiny, forbid=["texas-line"]))


def test_a_plan_does_not_differ_from_itself(plans):
    same = planner.compare(plans[0], plans[0])
    assert same.names == ("tiny", "tiny (2)")
    for table in ("totals", "dependence", "builds", "flows", "funding", "shortages"):
        assert same.differences(table).empty
        assert (getattr(same, table)["change"].fillna(0.0) == 0.0).all()


def test_what_is_built_moved_and_short_otherwise(plans):
    # README of tiny: the line makes 50 t in 2027 for 9.75 MUSD in all; without it 100 t are short under the cap
    found = planner.compare(*plans, names=["best", "none"])
    totals = found.totals.set_index("quantity")
    assert totals["best"]["cost"] == pytest.approx(9.75)
    assert totals["change"]["of which shortage"] == pytest.approx(100)
    builds = found.differences("builds").iloc[0]
    assert (builds["option"], builds["when"], builds["best"], builds["none"]) == ("texas-line", "2026 / -", 60, 0)
    flows = found.differences("flows").set_index(["material", "origin", "destination"])
    assert flows["change"]["magnet", "CHN", "USA"] == pytest.approx(-50)
    assert found.differences("shortages")["none"].tolist() == pytest.approx([100])
    assert "texas-line" in str(found)


def test_a_build_moved_in_time_is_a_difference():
    ramp = planner.load(INSTANCES / "lead-and-ramp")
    best = planner.solve(ramp)
    later = planner.solve(ramp, pins=planner.Pins.parse(ramp, force=["narva-1@2027"]))
    found = planner.compare(best, later).differences("builds")
    assert found["when"].tolist() == ["2026 / 2027"]


def test_other_horizons_are_compared_on_the_years_in_common(plans):
    other = planner.solve(planner.load(INSTANCES / "tiny").with_settings(years=[2026, 2028]).without("caps"))
    found = planner.compare(plans[0], other)
    assert found.years == (2026,) and found.notes
    assert set(found.dependence["year"]) == {2026}


def test_every_plan_is_set_against_the_base(plans):
    # without the line tiny costs 104.1, with it 9.75; three plans, of which the first and the last are the same
    found = planner.compare(plans[0], plans[1], plans[0], names=["a", "b", "c"], base="b")
    assert found.names == ("b", "a", "c")
    figures = found.figures
    assert list(figures.index) == ["b", "a", "c"] and math.isnan(figures.loc["b", "change_musd"])
    assert figures["change_musd"].tolist()[1:] == pytest.approx([-94.35, -94.35], abs=1e-4)
    # with the line 150 t of 200 t are exposed, without it 100 t of the 100 t that come
    assert figures.loc["a", "exposed_share"] == pytest.approx(0.75, abs=1e-6)
    assert figures.loc["a", "exposed_change"] == pytest.approx(-0.25, abs=1e-6)
    with pytest.raises(UsageError, match='base B: none of the plans a, b, c; did you mean "b"'):
        planner.compare(*plans, plans[0], names=["a", "b", "c"], base="B")


def test_the_text_has_a_line_for_each_plan_and_no_lines_of_zeros(plans):
    lines = str(planner.compare(plans[0], plans[1], plans[0], names=["a", "b", "c"])).splitlines()
    figures = lines[lines.index("Plans, years 2026-2027; the base is a") + 1 :][:4]
    told = [" ".join(line.split()) for line in figures]
    assert told[0] == "plan MUSD against the base exposed points capex MUSD short t"
    assert told[2:] == ["b 104.1 94.4 more 100% +25.0 0 100", "c 9.75 the same 75.0% 0 6 0"]
    assert not any("of which tariff" in line or "public" in line for line in lines)
    years = next(line for line in lines if "2026   2027" in line)
    assert years.split() == ["plan", "2026", "2027"] and lines[lines.index(years) + 1].split() == ["a", "100%", "50.0%"]


def test_start_years_that_follow_each_other_are_a_span(plans):
    ramp = planner.load(INSTANCES / "lead-and-ramp")
    option = {**cells(ramp.options[0]), "module_t": 30, "capex_musd": 3, "max_modules": 3, "max_per_year": 1}
    spread = planner.solve(ramp.with_rows("options", option))
    held = planner.solve(ramp, pins=planner.Pins.parse(ramp, forbid=["narva-1"]))
    assert planner.compare(spread, held).builds["when"].tolist() == ["2026-2028 / -"]


def test_the_page_of_many_plans_has_charts_and_a_navigation(plans, browser, tmp_path):
    many = planner.compare(*plans, *plans, plans[0], names=["a", "b", "c", "d", "e"])
    text = compare_page(many)
    assert {"rivals-positions", "rivals-cost", "rivals-dependence", "rivals-builds"} <= set(drawings(text))
    assert many.plot().data and many.plot("cost").data and many.plot("dependence", show="stage magnet").data
    file = tmp_path / "page.html"
    file.write_text(text, encoding="utf-8")
    for width in (1400, 390):
        page = browser.new_page(viewport={"width": width, "height": 900})
        said = []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.goto(file.as_uri())
        page.wait_for_selector("#rivals-positions .main-svg, #rivals-positions svg")
        links = page.eval_on_selector_all("nav a", "all => all.map(a => a.getAttribute('href'))")
        assert links[:4] == ["#plans-figures", "#plans-cost", "#plans-dependence", "#plans-builds"]
        assert all(page.query_selector(link) is not None for link in links)
        assert page.evaluate("document.documentElement.scrollWidth") <= width and not said
        page.close()


def test_names_from_an_instance_are_escaped(plans):
    html = compare_page(planner.compare(*plans, names=["<script>alert(1)</script>", "change"]))
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html
    assert "Content-Security-Policy" in html and not re.search(r'(src|href)="?https?:', html)
    assert {"rivals-cost", "rivals-dependence"} <= set(drawings(html))


def test_too_few_plans_and_no_common_year_are_refused(plans):
    with pytest.raises(UsageError, match="two plans or more"):
        planner.compare(plans[0])
    with pytest.raises(UsageError, match="no year in common"):
        planner.compare(plans[0], planner.solve(planner.load(INSTANCES / "stock-cover").with_settings(years=[2050])))


def test_the_command_takes_runs_and_instances(tmp_path, plans):
    plans[1].write(tmp_path / "none")
    page = tmp_path / "page.html"
    done = run("compare", INSTANCES / "tiny", tmp_path / "none", "--json", "-o", tmp_path / "tables", "--html", page)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["names"] == ["tiny", "none"]
    assert (tmp_path / "tables" / "builds.csv").read_text().startswith("option,facility,country,when,tiny,none,change")
    assert page.read_text().startswith("<!doctype html>")
    assert run("compare", INSTANCES / "tiny").returncode == 2
    assert run("compare", INSTANCES / "tiny", tmp_path / "absent").returncode == 2


def stopped_early(plans, bound):
    """The plan without texas-line, as if the search of tiny had ended with it at this bound."""
    run = copy.deepcopy(plans[1])
    del run.plan["settings"]["pins"]
    cost = run.objective_musd
    run.plan |= {"bound_musd": bound, "gap": (cost - bound) / cost}
    return run


def test_inside_the_gaps_no_plan_is_dearer(plans):
    # tiny costs 9.75 with the line; the other search ended at 104.1 and knows no more than that none is below 5
    early = stopped_early(plans, 5.0)
    found = planner.compare(plans[0], early, names=["best", "early"])
    assert found.bounds == pytest.approx((9.75, 5.0)) and early.objective_musd == pytest.approx(104.1, abs=1e-4)
    assert math.isnan(found.totals.set_index("quantity")["change"]["cost"])
    assert any("between 4.75 MUSD less and 94.35 MUSD more" in note for note in found.notes)
    # with the line it costs 9.75, too: 94.35 less than what was found
    assert any(note.startswith("early can be improved") and "94.35 MUSD less" in note for note in found.notes)
    text = html.unescape(compare_page(found))
    assert "cannot be told apart by cost: between 4.75 million USD less and 94.4 million USD more" in text


def test_a_plan_with_a_gap_does_not_differ_from_itself(plans):
    early = stopped_early(plans, 50.0)
    same = planner.compare(early, copy.deepcopy(early))
    assert same.totals.set_index("quantity")["change"]["cost"] == 0.0 and not any("gaps" in note for note in same.notes)
    assert "costs the same as" in compare_page(same)


def test_outside_the_gaps_the_dearer_plan_is_told_with_its_range(plans):
    # a bound of 50 leaves it dearer than 9.75 in any case, and no plan with the line's builds was missed
    found = planner.compare(plans[0], stopped_early(plans, 50.0), names=["best", "early"])
    assert found.totals.set_index("quantity")["change"]["cost"] == pytest.approx(94.35, abs=1e-4)
    assert ["94.35 MUSD more (40.25 MUSD to 94.35 MUSD)" in note for note in found.notes] == [True]


def test_a_rounding_error_is_no_change(plans):
    off = copy.deepcopy(plans[0])
    off.tables["dependence"]["share"] *= 1 - 1e-8
    off.tables["dependence"].loc[off.tables["dependence"]["year"] == 2027, "share"] -= 4e-4
    found = planner.compare(plans[0], off)
    traced = found.dependence[found.dependence["metric"] == "exposed_share"].set_index("year")["change"]
    assert traced[2026] == 0 and traced[2027] == pytest.approx(-4e-4, rel=1e-3)
    change = next(line for line in str(found).splitlines() if "change, points" in line)
    assert change.split()[2:] == ["0", "-0.04"]


def test_a_search_begins_with_a_plan_that_is_given(plans, tmp_path):
    tiny = planner.load(INSTANCES / "tiny")
    again = planner.solve(tiny, start=plans[1])
    assert again.objective_musd == pytest.approx(9.75) and again.plan["settings"]["start"] == plans[1].digest
    # a plan without the line is none where the line is committed
    committed = tiny.with_rows("options", {**cells(tiny.options[0]), "min_modules": 1})
    told = planner.solve(committed, start=plans[1]).plan["notes"]
    assert any("no plan of this instance" in note for note in told)
    later = tiny.with_rows("options", {**cells(tiny.options[0]), "first_start": 2027, "lead_years": 0})
    with pytest.raises(UsageError, match="cannot be started in 2026"):
        planner.solve(later, start=plans[0])
    with pytest.raises(UsageError, match="no builds held"):
        planner.solve(tiny, start=plans[1], objective="exposure", slack=0.1)
    plans[1].write(tmp_path / "run")
    assert planner.solve(tiny, start=tmp_path / "run").plan["settings"]["start"] == plans[1].digest
    with pytest.raises(UsageError, match="expected a run"):
        planner.solve(tiny, start=3)
    done = run("solve", str(INSTANCES / "tiny"), "-o", str(tmp_path / "again"), "--start", str(tmp_path / "run"))
    assert done.returncode == 0 and "9.75" in done.stdout
