"""The tables of docs/findings.md are written from runs; the page has a place for each."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

import planner
from planner.bands import Band

TOP = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("findings_tables", TOP / "docs/reproduce/findings.py")
assert SPEC is not None and SPEC.loader is not None
findings = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(findings)


def test_page_has_a_place_for_every_table_and_no_other():
    page = findings.PAGE.read_text("utf-8")
    assert sorted(found[2] for found in findings.TABLE.finditer(page)) == sorted(findings.TABLES)


def test_every_run_that_a_table_reads_is_asked_by_the_script():
    script = (TOP / "docs/reproduce/findings.sh").read_text("utf-8")
    prices = script.split("for price in ")[1].split(";")[0].split()
    assert [int(p) for p in prices] == list(findings.PRICES)
    assert set(findings.POLICIES) <= set(script.replace("(", " ").replace(")", " ").split())


def test_step_tells_between_which_prices_a_project_begins_to_pay():
    none = [0.0] * len(findings.PRICES)
    late = [*none[:4], *[1.0] * (len(none) - 4)]
    part = [1.0, 1.0, *none[2:]]
    assert findings.step(none, 0.01) == "-"
    assert findings.step(late, 0.01) == "80 to 92"
    assert findings.step(part, 0.01) == "50 or less, until 60"


def test_a_difference_within_the_gaps_is_no_finding():
    assert findings.told(Band(10.0, -20.0, 30.0, 0.0)) == "no finding (-20 to 30)"
    assert findings.told(Band(10.0, 5.0, 1230.0, 0.0)) == "5 to 1,230"
    assert findings.told(Band(-10.0, -30.0, -5.0, 0.0)) == "5 to 30 less"


def test_words_of_a_row_are_kept():
    before = "| overlay | MUSD | what it says |\n|---|---|---|\n| a | 1 | as it was |\n"
    written = findings.markdown([("overlay", "MUSD", "what it says"), ("a", "2", ""), ("b", "3", "")], before)
    assert written.splitlines()[2:] == ["| a | 2 | as it was |", "| b | 3 |  |"]


def test_a_point_costs_what_lies_between_two_rows(tmp_path: Path):
    curve = planner.frontier("traced-cap", points=3)
    curve.write(tmp_path / "curve")
    rows = findings.curve(findings.Runs(tmp_path))
    table = pd.read_csv(tmp_path / "curve" / "frontier.csv")
    points = table[["limit", "objective_musd"]].to_numpy()
    slope = (points[1, 1] - points[0, 1]) / (points[0, 0] - points[1, 0]) / 100
    assert float(rows[2][3].replace(",", "")) == pytest.approx(slope, abs=0.51)
