"""The terminal as people use it: completion, groups, examples, near names, percentages, opening and giving again."""

import json
import re
import shlex
import subprocess
import sys
from importlib import import_module

import pytest
import typer
from places import ROOT, TINY, run

from planner.cli import application
from planner.commands import COMMANDS

ALL = [name for names in COMMANDS.values() for name in names]


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solved") / "run"
    assert run("solve", TINY, "--gap", "0.5%", "-o", folder, "--overwrite").returncode == 0
    return folder


def test_every_file_of_the_folder_is_a_command_in_one_group():
    files = {p.stem for p in (ROOT / "planner" / "commands").glob("*.py")} - {"__init__", "common"}
    assert sorted(ALL) == sorted(files)


@pytest.mark.parametrize("name", ALL)
def test_the_examples_of_a_command_are_commands(name):
    told = getattr(import_module(f"planner.commands.{name}"), name).__doc__
    examples = re.findall(r"- `planner (.+)`", told)
    assert examples
    for example in examples:
        command, *words = shlex.split(example)
        assert command == name.replace("_", "-")
        asked = typer.main.get_command(application(command)).commands[command]
        asked.make_context(command, words)  # raises for what it does not know


def test_the_help_has_groups_examples_and_defaults():
    told = run("--help").stdout
    places = [told.index(f"─ {group} ─") for group in COMMANDS]
    assert places == sorted(places)
    solve = " ".join(run("solve", "--help").stdout.replace("│", " ").split())
    assert "[no limit]" in solve and "[runs/NAME]" in solve and "planner solve allied-2040 --gap 0.5%" in solve


def test_a_share_is_read_alike_everywhere(solved, tmp_path):
    assert json.loads((solved / "plan.json").read_text())["settings"]["gap"] == 0.005
    done = run("solve", TINY, "--gap", "5x", "-o", tmp_path / "run")
    assert done.returncode == 2 and "expected a percentage such as 3%" in done.stderr
    done = run("stress", solved, "--severity", "50%", "--only", "CHN", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["settings"]["severity"] == [0.5]


def test_a_command_is_recorded_and_given_again(solved, tmp_path):
    words = json.loads((solved / "plan.json").read_text())["command"]
    assert words == ["solve", str(TINY), "--gap", "0.5%"]  # neither where the run goes, nor that it may replace one
    done = run("rerun", solved)
    assert done.returncode == 1 and "--overwrite" in done.stderr
    done = run("rerun", solved, "-o", tmp_path / "again")
    assert done.returncode == 0 and f"planner solve {TINY} --gap 0.5%" in done.stderr, done.stderr
    assert json.loads((tmp_path / "again" / "plan.json").read_text())["command"] == words
    done = run("rerun", tmp_path / "again", "--overwrite")
    assert done.returncode == 0 and "9.75 MUSD" in done.stdout


def test_a_run_without_a_command_says_so(solved, tmp_path):
    import planner

    planner.read_run(solved).write(tmp_path / "run")
    manifest = tmp_path / "run" / "plan.json"
    plan = json.loads(manifest.read_text())
    del plan["command"]
    manifest.write_text(json.dumps(plan))
    done = run("rerun", tmp_path / "run", "--overwrite")
    assert done.returncode == 2 and "does not record a command" in done.stderr


def test_open_writes_the_page_and_shows_it(solved, monkeypatch):
    monkeypatch.setenv("BROWSER", "echo opened %s")
    done = run("open", solved)
    page = solved / "report.html"
    assert done.returncode == 0 and page.is_file()
    assert f"opened {page.as_uri()}" in done.stdout and str(page) in done.stdout
    written = page.stat().st_mtime_ns
    assert run("open", solved).returncode == 0 and page.stat().st_mtime_ns == written  # it is not written again
    assert run("open", solved, "--language", "ja").returncode == 0
    assert 'lang="ja"' in (solved / "report-ja.html").read_text(encoding="utf-8")  # beside the English one
    assert page.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("solve", "instances/tny"), 'did you mean "instances/tiny"?'),
        (("solve", "tinny"), 'did you mean "tiny"?'),
        (("sensitivity", "studies/lead-and-ram.toml"), 'did you mean "studies/lead-and-ramp.toml"?'),
    ],
)
def test_a_misspelt_file_is_told_with_the_one_that_is_meant(arguments, meant):
    done = run(*arguments, cwd=ROOT)
    assert done.returncode == 2 and meant in done.stderr


def test_a_misspelt_run_is_told_with_the_one_that_is_meant(solved):
    done = run("explain", solved.parent / "rum")
    assert done.returncode == 2 and f'did you mean "{solved}"?' in done.stderr


def test_the_shell_completes_names_of_instances(monkeypatch):
    monkeypatch.setenv("COMP_WORDS", "planner solve lead-")
    monkeypatch.setenv("COMP_CWORD", "2")
    monkeypatch.setenv("_PLANNER_COMPLETE", "complete_bash")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    start = "import sys; sys.argv[0] = 'planner'; from planner.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["lead-and-ramp"]
    assert "--install-completion" in run("--help").stdout
