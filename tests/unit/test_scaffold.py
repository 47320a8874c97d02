"""A new instance can be validated and solved at once, and nothing is ever overwritten."""

import pytest
from places import INSTANCES, run

import planner
from planner.errors import OutputError
from planner.instance.tables import TABLES


def test_a_new_instance_is_valid_solvable_and_has_every_table(tmp_path):
    folder = planner.new(tmp_path / "mine")
    instance = planner.load(folder)
    assert instance.warnings == () and instance.name == "mine"
    assert {p.stem for p in folder.glob("*.csv")} == set(TABLES)
    plan = planner.solve(instance)
    # half of 2030 must be clean, and a line takes a year: it is built
    assert plan.tables["builds"]["option"].tolist() == ["magnet-works-1"]
    assert plan.metrics["exposed_share"]["2030"] <= 0.5 + 1e-9


def test_a_new_overlay_is_its_base_under_another_name(tmp_path):
    folder = planner.new(tmp_path / "overlay", base=INSTANCES / "tiny")
    mine, base = planner.load(folder), planner.load(INSTANCES / "tiny")
    assert mine.name == "overlay" and mine.demand == base.demand


def test_what_is_there_is_never_touched(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        planner.new(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_names_are_quoted(tmp_path):
    assert planner.load(planner.new(tmp_path / 'a "quoted" name')).name == 'a "quoted" name'


def test_the_command(tmp_path):
    assert run("new", tmp_path / "mine").returncode == 0
    assert run("validate", tmp_path / "mine").returncode == 0
    assert run("new", tmp_path / "mine").returncode == 1
