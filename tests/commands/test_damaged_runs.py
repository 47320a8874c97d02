"""A run's folder damaged in many ways, asked by every command that reads runs: one clear message, never a traceback.

The run is of an instance in which every rule is at work: branches, stocks, funds, caps, closures, floors, offtakes.
"""

import csv
import io
import json
import os
import shutil
from contextlib import suppress

import pytest
from audit_runs import EVERYTHING, EVERYTHING_TOML
from builders import write_instance
from typer.testing import CliRunner

import planner
from planner.cli import application
from planner.errors import AuditError, PlannerError, ResultError
from planner.runs.manifest import read_manifest

LONG = pytest.mark.skipif("PLANNER_LONG" not in os.environ, reason="takes a minute each: .ci/long flagship")
NAMED = ("option", "facility", "country", "process", "material", "market", "sector", "stockpile", "component", "metric")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    risk = "option,projects,delay_low,delay_mode,delay_high\n,all,0,1,2\n"
    tables = {
        name: text for name, text in EVERYTHING.items() if name != "option_sizes"
    }  # projects with sizes are certain
    # outcomes of projects are compared by linear operations, so no lane is used or not
    tables["lanes"] = tables["lanes"].replace(",5,0.05,", ",,,")
    assert "0.05" not in tables["lanes"]
    write_instance(folder / "instance", {**tables, "delivery_risk": risk}, EVERYTHING_TOML)
    planner.solve(planner.load(folder / "instance")).write(folder / "good")
    return folder


def commands(project, run):
    """Every command that reads a run."""
    instance, good, out = project / "instance", project / "good", project / "out"
    return {
        "audit": ["audit", instance, run],
        "report": ["report", run, "-o", out / "page.html", "--overwrite"],
        "compare": ["compare", run, good, "--html", out / "beside.html", "--overwrite"],
        "compare as second": ["compare", good, run],
        "explain": ["explain", run, "--projects", "0"],
        "stress": ["stress", run, "--year", "2027", "--only", "export_stop:CHN"],
        "delivery": ["stress", run, "--delivery", "1", "--rebuild-after", "never"],
        "failing": ["stress", run, "--failing", "--rebuild-after", "never"],
        "evidence": ["evidence", instance, "--run", run],
        "solve": ["solve", instance, "--fix-from", run, "-o", out / "again", "--overwrite"],
        "diagnose": ["diagnose", instance, "--fix-from", run],
        "hedge": [
            "hedge",
            instance,
            "--run",
            run,
            "--outcomes",
            "2",
            "--trial",
            "8",
            "--replications",
            "0",
            "--insurance",
            "0",
            "--rebuild-after",
            "never",
        ],
    }


def ask(project, run, which=None):
    """Ask every command (or some) of a run; return command -> error, None where there is an answer."""
    found = {}
    for name, command in commands(project, run).items():
        if which is None or name in which:
            result = CliRunner().invoke(application(), [str(word) for word in command])
            error = result.exception
            if isinstance(error, SystemExit):
                error = None if error.code in (0, None) else error
            if error is not None and not isinstance(error, PlannerError):
                raise AssertionError(f"{name}: {error!r}\n{result.output}") from error
            found[name] = error
    return found


def damage(project, tmp_path, change):
    """A copy of the run with one change."""
    run = tmp_path / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(project / "good", run)
    change(run)
    return run


def refused_by_all(project, run, says=""):
    """Every command ends with exit code 2 and one message, which names the run."""
    for name, error in ask(project, run).items():
        told_once(error, run, says, name)


def refused(run, says=""):
    """The run is not read, which every command does in the same way (those of `refused_by_all` show it)."""
    with pytest.raises(ResultError) as error:
        assert planner.read_run(run).instance
    told_once(error.value, run, says)


def told_once(error, run, says, name=""):
    assert isinstance(error, ResultError) and error.exit_code == 2, (name, error)
    assert str(run) in str(error) and says in str(error), (name, error)
    assert len(str(error).splitlines()) == 1 and len(str(error)) < 600, error


def files_of(run):
    return sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())


def tables_of(run):
    return [name for name in files_of(run) if name.endswith(".csv")]


def rows_of(path):
    return list(csv.reader(io.StringIO(path.read_text())))


def write_rows(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def test_the_whole_run_is_answered_by_every_command(project):
    answers = ask(project, project / "good")
    assert not any(answers.values()), {name: str(error) for name, error in answers.items() if error}


OPTIONAL = ("origin.csv",)  # runs written before there was such a table lack it


def told(project, run, name, says=""):
    """The run is not read; for one of its tables every command is asked."""
    if name in ("plan.json", "branches/failure/flows.csv"):
        refused_by_all(project, run, says)
    else:
        refused(run, says)


def test_each_file_removed_emptied_or_cut(project, tmp_path):
    for name in files_of(project / "good"):
        if name.startswith("branches/stop/"):
            continue  # as those of the other branch
        # a table that is gone, has no header, or is cut within its header
        for change in (lambda file: file.unlink(), lambda file: file.write_text(""), lambda file: cut(file, 5)):
            run = damage(project, tmp_path, lambda run, change=change, name=name: change(run / name))
            if (run / name).exists() or name not in OPTIONAL:
                told(project, run, name, name.split("/")[-1].removesuffix(".csv"))
        run = damage(project, tmp_path, lambda run, name=name: binary(run / name))
        told(project, run, name)


def cut(file, size):
    file.write_bytes(file.read_bytes()[:size])


def binary(file):
    file.write_bytes(b"\xff\xfe\x00" + file.read_bytes())


@LONG
def test_a_column_renamed_or_a_number_made_something_else(project, tmp_path):
    seen = set()
    for name in tables_of(project / "good"):
        rows = rows_of(project / "good" / name)
        if len(rows) < 2 or ("/" in name and not name.endswith("failure/flows.csv")):
            continue  # one reader reads all tables of branches
        seen.add(name)
        numeric = [c for c, cell in enumerate(rows[1]) if cell.replace(".", "").replace("-", "").isdigit()]
        for column in range(len(rows[0])):
            changed = [list(row) for row in rows]
            changed[0][column] += "s"
            run = damage(project, tmp_path, lambda run, name=name, rows=changed: write_rows(run / name, rows))
            told(project, run, name, "expected the columns")
        for text in ("much", "nan", "inf", "1e999", "[0]"):
            changed = [list(row) for row in rows]
            changed[1][numeric[-1]] = text
            run = damage(project, tmp_path, lambda run, name=name, rows=changed: write_rows(run / name, rows))
            told(project, run, name, f'{name.split("/")[-1]}:2: {rows[0][numeric[-1]]} = "{text}" is not a')
        for ragged in (rows[1][:-1], [*rows[1], "0"]):
            run = damage(
                project, tmp_path, lambda run, n=name, r=ragged, rows=rows: write_rows(run / n, [rows[0], r, *rows[2:]])
            )
            told(project, run, name, f"expected {len(rows[0])} cells")
        run = damage(project, tmp_path, lambda run, n=name, rows=rows: write_rows(run / n, [*rows, rows[1]]))
        told(project, run, name, "the same row as in line 2")
    assert {
        "builds.csv",
        "flows.csv",
        "stocks.csv",
        "closures.csv",
        "offtakes.csv",
        "branches/failure/flows.csv",
    } <= seen


@LONG
def test_a_name_that_the_instance_does_not_have(project, tmp_path):
    for name in tables_of(project / "good"):
        rows = rows_of(project / "good" / name)
        for column, title in enumerate(rows[0]):
            if len(rows) < 2 or title not in (*NAMED, "provenance", "kind", "origin"):
                continue
            if "/" in name and name != "branches/failure/flows.csv":
                continue  # one reader reads all tables of branches
            if (name, title) == ("origin.csv", "origin"):
                continue  # also origins that are no country
            changed = [list(row) for row in rows]
            changed[1][column] = "nobody"
            run = damage(project, tmp_path, lambda run, name=name, rows=changed: write_rows(run / name, rows))
            with pytest.raises(ResultError, match="does not fit its instance") as error:
                assert planner.read_run(run).instance
            told_once(error.value, run, f'{name} {title} = "nobody"')
            if name in ("builds.csv", "costs.csv", "branches/failure/flows.csv") and column == 0:
                answers = ask(project, run)
                assert isinstance(answers["audit"], AuditError), (name, title)
                for reading in ("report", "explain", "stress", "failing"):
                    assert isinstance(answers[reading], ResultError), (name, title, reading)


def test_a_year_in_which_no_period_begins(project, tmp_path):
    for name in tables_of(project / "good"):
        rows = rows_of(project / "good" / name)
        for title in {"year", "start_year"}.intersection(rows[0]) if len(rows) > 1 and name != "funding.csv" else ():
            changed = [list(row) for row in rows]
            changed[1][rows[0].index(title)] = "1999"
            run = damage(project, tmp_path, lambda run, name=name, rows=changed: write_rows(run / name, rows))
            told(project, run, name, f"{name} {title} = 1999, where no period begins")


@LONG
def test_tables_without_rows_are_answered_or_refused_and_the_audit_tells(project, tmp_path):
    # no reader can know by the table alone that rows are missing; the audit does
    for name in tables_of(project / "good"):
        rows = rows_of(project / "good" / name)
        if (len(rows) > 1 and not name.startswith("branches/")) or name == "branches/stop/flows.csv":
            run = damage(project, tmp_path, lambda run, n=name, rows=rows: write_rows(run / n, rows[:1]))
            answers = ask(
                project, run, {"audit", "explain"} if "/" in name else {"audit", "report", "compare", "explain"}
            )
            if name != "prices.csv":  # what is at the margin is the solver's claim
                assert isinstance(answers["audit"], AuditError), name


def test_another_schema_number_is_told_with_both(project, tmp_path):
    for schema in (2, 0, "1", None, True, [1], "gone"):

        def change(plan, schema=schema):
            plan["schema"] = schema
            if schema == "gone":
                del plan["schema"]

        run = edited(project, tmp_path, change)
        refused_by_all(project, run, "this planner reads schema 1")


def edited(project, tmp_path, change):
    """A copy of the run with another content of plan.json."""

    def on(run):
        plan = json.loads((run / "plan.json").read_text())
        change(plan)
        (run / "plan.json").write_text(json.dumps(plan))

    return damage(project, tmp_path, on)


def parts(value, path=()):
    """Every path to a value in JSON, but inside the audit's list of checks after its first."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, part in value.items():
            yield from parts(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value[:1]):
            yield from parts(part, (*path, number))


@LONG
def test_each_key_of_the_manifest_removed_or_of_another_type(project, tmp_path):
    plan = json.loads((project / "good" / "plan.json").read_text())
    run = edited(project, tmp_path, lambda plan: None)
    good = planner.read_run(project / "good")
    answered = 0
    for path in parts(plan):
        for other in ("gone", "text", [["deep"]]):
            changed = json.loads(json.dumps(plan))
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            if other == "gone":
                del inner[path[-1]]
            else:
                inner[path[-1]] = other
            (run / "plan.json").write_text(json.dumps(changed))
            try:
                read_manifest(run / "plan.json")
            except ResultError as error:
                told_once(error, run, "plan.json")
                continue
            answered += 1
            found = planner.read_run(run)
            with suppress(PlannerError):  # such as another digest: the instance is not found
                assert planner.compare(found, good)
                if len(path) <= 2 and other == "gone":  # what lies deeper is shown as it is
                    assert planner.report(found)
    assert answered > 20  # such as another title, or a key that older runs lack


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"schema": 1, "metrics": ' + '{"a": ' * 100_000 + "1" + "}" * 100_001,
        "null",
        "[]",
        "{",
        '{"schema": 1}',
        '{"schema": NaN}',
        "1" * 5000,
    ],
    ids=["deep list", "deep tables", "null", "list", "cut", "only a schema", "nan", "long number"],
)
def test_a_manifest_of_something_else(project, tmp_path, text):
    refused_by_all(project, damage(project, tmp_path, lambda run: (run / "plan.json").write_text(text)))


def test_numbers_in_the_manifest_that_are_not_finite(project, tmp_path):
    for number in ("NaN", "Infinity", "-Infinity", "1e999"):
        text = (project / "good" / "plan.json").read_text()
        at = text.index('"objective_musd": ') + len('"objective_musd": ')
        changed = text[:at] + number + text[text.index(",", at) :]
        refused_by_all(project, damage(project, tmp_path, lambda run, t=changed: (run / "plan.json").write_text(t)))


def test_what_a_file_manager_leaves_is_no_branch_and_a_stray_one_is_told(project, tmp_path):
    def leave(run):
        (run / "branches" / ".DS_Store").write_text("x")
        (run / "branches" / ".hidden").mkdir()
        (run / "branches" / "notes.txt").write_text("x")

    answers = ask(project, damage(project, tmp_path, leave))
    assert not any(answers.values()), {name: str(error) for name, error in answers.items() if error}
    run = damage(project, tmp_path, lambda run: (run / "branches" / "old").mkdir())
    refused_by_all(project, run, "branches/old/activity.csv is missing")
    copied = damage(project, tmp_path, lambda run: shutil.copytree(run / "branches" / "stop", run / "branches" / "old"))
    assert "branches/old is of no scenario" in str(ask(project, copied, {"report"})["report"])
    gone = damage(project, tmp_path, lambda run: shutil.rmtree(run / "branches" / "stop"))
    assert "branches/stop is missing" in str(ask(project, gone, {"explain"})["explain"])
    assert isinstance(ask(project, gone, {"audit"})["audit"], AuditError)


def test_folders_where_files_are_expected(project, tmp_path):
    for name in ("plan.json", "flows.csv", "branches/stop/flows.csv"):

        def swap(run, name=name):
            (run / name).unlink()
            (run / name).mkdir()

        refused_by_all(project, damage(project, tmp_path, swap))
    run = damage(project, tmp_path, lambda run: (shutil.rmtree(run / "branches"), (run / "branches").write_text("x")))
    assert isinstance(ask(project, run, {"report"})["report"], ResultError)
