"""The instances that come with the planner are found by name, copied, and built upon."""

import pytest
from places import INSTANCES, run

import planner
from planner.errors import InstanceError, UsageError
from planner.instance import examples as module


def test_every_shipped_instance_is_an_example_and_loads_by_name():
    named = {path.parent.name for path in INSTANCES.glob("[!.]*/instance.toml")}
    assert set(planner.examples()) == named and "allied-2040" in named
    assert planner.example("tiny").sha256 == planner.load("tiny").sha256 == planner.load(INSTANCES / "tiny").sha256


def test_a_folder_goes_before_an_example_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planner.new("tiny")
    assert planner.load("tiny").sha256 != planner.example("tiny").sha256
    with pytest.raises(InstanceError, match="no such folder"):
        planner.load(tmp_path / "glide-20")  # a path is no name


def test_a_name_that_is_nearly_right_is_told():
    with pytest.raises(InstanceError, match='did you mean "allied-2040"'):
        planner.load("allied-204")
    with pytest.raises(UsageError, match=r'no example allied-204; .*did you mean "allied-2040"'):
        planner.example("allied-204")
    with pytest.raises(UsageError, match="no example"):
        planner.example("../instances/tiny")


def test_an_overlay_and_a_copy_outside_the_repository_name_the_example(tmp_path):
    overlay = planner.new(tmp_path / "mine", "tiny")
    assert 'base = "tiny"' in (overlay / "instance.toml").read_text()
    copy = planner.new(tmp_path / "copy", copy="glide-20")
    text = (copy / "instance.toml").read_text()
    assert 'base = "allied-2040"' in text and 'name = "copy"' in text and (copy / "README.md").exists()
    for table in ("caps", "demand", "options"):
        assert planner.load(copy).rows(table) == planner.example("glide-20").rows(table)
    own = planner.new(tmp_path / "own", copy=overlay)
    assert planner.load(own).demand == planner.example("tiny").demand


def test_a_base_that_is_a_folder_beside_goes_before_an_example(tmp_path):
    planner.new(tmp_path / "tiny")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "instance.toml").write_text('schema = 1\nbase = "tiny"\nname = "x"\n')
    assert planner.load(tmp_path / "x").demand == planner.example("tiny").demand  # x/tiny is none
    planner.new(tmp_path / "x" / "tiny")
    assert planner.load(tmp_path / "x").demand == planner.load(tmp_path / "tiny").demand


def test_what_new_cannot_do(tmp_path):
    with pytest.raises(UsageError, match="not both"):
        planner.new(tmp_path / "a", "tiny", copy="tiny")
    with pytest.raises(UsageError, match="did you mean"):
        planner.new(tmp_path / "b", "tiny", changes=["scale demnd=2"])
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_commands_take_names_and_list_them(tmp_path):
    listed = run("examples", cwd=tmp_path)
    assert listed.returncode == 0 and len(listed.stdout.splitlines()) == len(planner.examples())
    assert run("solve", "tiny", cwd=tmp_path).returncode == 0
    explained = run("explain", "runs/tiny", "--projects", "0", cwd=tmp_path)  # it finds the example again
    assert explained.returncode == 0, explained.stderr


def test_a_package_without_them_beside_is_no_trouble(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "folder_of_examples", lambda: tmp_path / "nowhere")
    assert module.examples() == {} and module.example_folder("tiny") is None
