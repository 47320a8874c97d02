"""Totals of a comparison against sums by hand: a yearly rate counts once for each year of its period."""

import json
import math
from pathlib import Path

import pytest
from pages import drawings
from places import INSTANCES, run

import planner
from planner.errors import UsageError
from planner.reporting import compare_page

DEFECTS = Path(__file__).parents[1] / "defects"


def compared(*names: str):
    found = planner.compare(*(planner.solve(planner.load(DEFECTS / name)) for name in names), names=["one", "other"])
    return found, found.totals.set_index("quantity")


def test_rates_of_long_periods_weigh_more():
    # periods of 1, 3, 5, 7 and 9 years; a cap of 50 % from the second on: 60, 66.316 ... t a year are delivered
    _, totals = compared(*["compare_period_weights/five_periods"] * 2)
    delivered = 60 * 1 + 66.316 * 3 + 85.263 * 5 + 102.857 * 7 + 106.667 * 9
    exposed = 60 * 1 + 33.158 * 3 + 42.631 * 5 + 51.429 * 7 + 53.333 * 9
    assert totals.loc["exposed share", "one"] == pytest.approx(exposed / delivered, abs=1e-5)
    assert totals.loc["short", "one"] == pytest.approx(13.985 * 7 + 54.386 * 9, abs=0.02)


def test_a_long_small_shortage_is_more_than_a_short_large_one():
    # one: 30 t in one year; other: 20 t in each of ten
    found, totals = compared("compare_period_weights/a", "compare_period_weights/b")
    assert totals.loc["short", ["one", "other"]].tolist() == pytest.approx([30, 200])
    assert totals.loc["cost", ["one", "other"]].tolist() == pytest.approx([94.2, 254.0])
    assert found.builds.empty and found.differences("builds").empty


def test_the_same_rates_in_periods_of_other_lengths_do_not_differ():
    # 100 t a year are bought from China in both; the years in common are 2026 and 2027, one period of the second plan
    tiny = planner.load(INSTANCES / "tiny").without("caps")
    longer = tiny.with_settings(years=[2026, 2028])
    found = planner.compare(planner.solve(tiny), planner.solve(longer), names=["each", "pair"])
    flows = found.flows.set_index(["origin", "destination"]).loc[("CHN", "USA")]
    assert flows[["each", "pair"]].tolist() == pytest.approx([200, 200])
    assert found.differences("flows").empty and found.years == (2026,)
    assert any("different periods" in note for note in found.notes)


def test_a_run_without_its_periods_asks_its_instance(tmp_path):
    plan = planner.solve(planner.load(DEFECTS / "compare_period_weights" / "b"))
    folder = plan.write(tmp_path / "run")
    written = json.loads((folder / "plan.json").read_text())
    del written["periods"]
    (folder / "plan.json").write_text(json.dumps(written))
    assert planner.read_run(folder).total("service", "short_t") == pytest.approx(200)
    written["instance"]["path"] = str(tmp_path / "gone")
    (folder / "plan.json").write_text(json.dumps(written))
    with pytest.raises(UsageError, match="how long its periods are"):
        planner.compare(planner.read_run(folder), plan)


def test_plans_that_build_nothing_compare_from_the_command_line(tmp_path):
    a, b = (str(DEFECTS / "compare_period_weights" / name) for name in "ab")
    done = run("compare", a, b, "--html", str(tmp_path / "page.html"))
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert "254" in done.stdout and (tmp_path / "page.html").stat().st_size > 0


def test_costs_in_other_money_carry_a_note():
    found, totals = compared("compare_of_other_money/usd_2025", "compare_of_other_money/jpy_2010")
    assert any("one in USD of 2025 at 0 % a year; other in JPY of 2010 at 10 %" in note for note in found.notes)
    drawn = drawings(compare_page(found))
    assert "rivals-dependence" in drawn and "rivals-cost" not in drawn
    assert math.isnan(totals.loc["cost", "change"]) and totals.loc["short", "change"] == 0
    same, _ = compared(*["compare_of_other_money/usd_2025"] * 2)
    assert not same.notes
