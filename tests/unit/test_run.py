"""The instance of a run is found again, or the message says what to do."""

import shutil
from pathlib import Path

import pytest

import planner
from planner.errors import InstanceError, ResultError, UsageError
from planner.runs.run import instance_of

INSTANCES = Path(__file__).parents[2] / "instances"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with instances/tiny and a run of it, solved by relative paths as on the command line."""
    shutil.copytree(INSTANCES / "tiny", tmp_path / "project" / "instances" / "tiny")
    monkeypatch.chdir(tmp_path / "project")
    planner.solve(planner.load("instances/tiny")).write("runs/tiny")
    return tmp_path / "project"


def test_the_recorded_path_is_the_one_given(project):
    run = planner.read_run("runs/tiny")
    assert run.plan["instance"]["path"] == "instances/tiny"
    assert instance_of(run).sha256 == run.plan["instance"]["sha256"]


def test_it_is_found_from_elsewhere_and_after_the_project_moved(project, monkeypatch):
    project.rename(project.parent / "moved")
    monkeypatch.chdir(project.parent)
    assert instance_of(planner.read_run("moved/runs/tiny")).name == "tiny"


def test_a_changed_instance_is_refused(project):
    with (project / "instances" / "tiny" / "demand.csv").open("a") as file:
        file.write("\n")
    with pytest.raises(UsageError, match=r"has changed since runs/tiny was solved .*--instance FOLDER"):
        instance_of(planner.read_run("runs/tiny"))
    with pytest.raises(UsageError, match=r"was not solved from instances/tiny as it is now: it has changed"):
        instance_of(planner.read_run("runs/tiny"), "instances/tiny")
    assert instance_of(planner.read_run("runs/tiny"), INSTANCES / "tiny").name == "tiny"


def test_an_instance_broken_since_counts_as_changed(project):
    (project / "instances" / "tiny" / "demand.csv").write_text("nonsense\n")
    with pytest.raises(UsageError, match="has changed"):
        instance_of(planner.read_run("runs/tiny"))


def test_a_lost_instance_and_a_wrong_one_are_told_apart(project):
    run = planner.read_run("runs/tiny")
    shutil.rmtree(project / "instances")
    with pytest.raises(UsageError, match="instance tiny of runs/tiny is not found"):
        instance_of(run)
    with pytest.raises(UsageError, match="the run is of tiny, the folder holds stock-cover"):
        instance_of(run, INSTANCES / "stock-cover")
    with pytest.raises(InstanceError):
        instance_of(run, project)


def test_a_plan_of_a_changed_instance_has_no_path(project):
    plan = planner.solve(planner.load("instances/tiny").with_settings(discount_rate=0.1))
    assert plan.plan["instance"]["path"] is None
    with pytest.raises(UsageError, match="--instance FOLDER"):
        instance_of(plan)


def test_the_builds_of_a_branch_are_read_back(tmp_path):
    case = Path(__file__).parents[1] / "cases/60a_two_plants/instance"
    plan = planner.solve(case)
    plan.write(tmp_path / "run")
    read = planner.read_run(tmp_path / "run", case)
    assert read.branches["fail"]["builds"].equals(plan.branches["fail"]["builds"])
    assert read.answers == {"fail": {("b", 2027): 1.0}}
    (tmp_path / "run/branches/fail/builds.csv").unlink()
    with pytest.raises(ResultError, match=r"branches/fail/builds.csv is missing"):
        planner.read_run(tmp_path / "run", case)


def test_tables_are_frames_when_asked_for_and_cells_before(project):
    plan = planner.read_run("runs/tiny")
    assert plan.tables.get("offtakes") is None and "offtakes" not in plan.tables and plan.tables.rows("offtakes") == []
    with pytest.raises(UsageError, match='this run has no table flow; did you mean "flows"'):
        plan.tables["flow"]
    rows, text = plan.tables.rows("dependence"), plan.files()["dependence.csv"]
    frame = plan.tables["dependence"]
    assert list(frame.columns) == list(rows[0]._fields)
    assert frame["share"].isna().any() and frame["year"].dtype == "int64" and frame["cap"].dtype == object
    assert [r.year for r in rows] == frame["year"].tolist()
    assert plan.files()["dependence.csv"] == text  # a frame is written as its cells were


def test_a_change_of_a_frame_counts_everywhere(project):
    plan = planner.read_run("runs/tiny")
    plan.tables["service"]["short_t"] += 1.0
    assert {r.short_t for r in plan.tables.rows("service")} == {1.0}
    assert not planner.audit("instances/tiny", plan).ok
    assert plan.files()["service.csv"] != planner.read_run("runs/tiny").files()["service.csv"]
