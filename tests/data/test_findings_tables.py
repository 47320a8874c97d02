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


class Stub:
    """Runs of which only what a table reads is there."""

    def __init__(self, plans, tables):
        self.plans, self.tables = plans, tables

    def plan(self, name):
        return self.plans[name]

    def table(self, study, name):
        return self.tables[study, name]

    more = findings.Runs.more


def test_a_project_is_counted_at_the_ends_where_it_is_built_whatever_the_middle_plan_has():
    tiny = planner.solve("tiny")
    names = [view + end for view in findings.VIEWS for end in ("", "-50", "-20")]
    tornado = pd.DataFrame({"change": ["a", "b"]})

    def counted(rows):
        flips = pd.DataFrame(rows, columns=["change", "end", "option", "modules_base", "modules"])
        runs = Stub(dict.fromkeys(names, tiny), {("sensitivity", "flips"): flips, ("sensitivity", "tornado"): tornado})
        return findings.regrets(runs)[1][1:]

    assert counted([]) == ("4", "nowhere")
    assert counted([("a", "low", "texas-line", 1.0, 0.0)]) == ("3", "a, low")
    assert counted([("a", "low", "texas-line", 0.0, 1.0)]) == ("1", "a, high; b, low; b, high")


def test_the_figures_of_an_overlays_answer_are_those_of_its_run_and_its_words_stay():
    plan = planner.solve("tiny")
    runs = Stub({"x": plan, "allied-2040": plan}, {})
    metrics = {"exposed_share": {"2030": 0.5, "2035": 0.25, "2040": 0.0}, "capex_musd": 1234.0}
    plan.plan["metrics"] = metrics
    text = (
        "as 5 MUSD\n\n**Answer** (day, `planner solve x`): {cost} MUSD, against {there} of {base}: {more}; {shares} "
        "% exposed in 2030, 2035, 2040 ({others} % there); {capex} MUSD of capex, as said.\n\nas 5 MUSD\n"
    )
    old = {
        "cost": "9,999",
        "there": "1",
        "more": "2 to 3 more",
        "shares": "1, 2 and 3",
        "others": "4, 5, 6",
        "capex": "7",
    }
    new = {"cost": "10", "there": "10", "more": "no finding (0 to 0)", "shares": "50, 25, 0", "others": "50, 25, 0"}
    page = findings.answer(runs, "x", text.format(base=findings.BASE, **old))
    assert page == text.format(base=findings.BASE, capex="1,234", **new)
