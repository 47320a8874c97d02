"""Plans side by side: nothing differs from itself, and what differs is told."""

import json
import re

import pytest
from pages import drawings
from places import INSTANCES, run

import planner
from planner.errors import UsageError
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


def test_names_from_an_instance_are_escaped(plans):
    html = compare_page(planner.compare(*plans, names=["<script>alert(1)</script>", "change"]), plans[0])
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
