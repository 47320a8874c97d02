"""The command in a process of its own: every exit code, stdout for results, nothing half-written."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from places import CASES, ROOT, TINY, run


@pytest.fixture
def broken(tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(TINY, folder)
    table = folder / "market_prices.csv"
    table.write_text(table.read_text().replace("80000", '"80,000"'))
    return folder


def test_solve_writes_a_run_and_says_where(tmp_path):
    done = run("solve", TINY, "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert (
        "9.75 MUSD" in done.stdout
        and "texas-line" in done.stdout
        and str(tmp_path / "run") in done.stdout.replace("\n", "")
    )
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert plan["status"] == "optimal"


def test_json_is_the_only_thing_on_stdout(tmp_path):
    done = run("solve", TINY, "-o", tmp_path / "run", "--json")
    assert json.loads(done.stdout) == json.loads((tmp_path / "run" / "plan.json").read_text())


def test_same_instance_same_bytes(tmp_path):
    for name in ("a", "b"):
        assert run("solve", TINY, "-o", tmp_path / name).returncode == 0
    for path in sorted((tmp_path / "a").glob("*.csv")):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_an_existing_run_is_kept_unless_asked(tmp_path):
    run("solve", TINY, "-o", tmp_path / "run")
    again = run("solve", TINY, "-o", tmp_path / "run")
    assert again.returncode == 1 and "exists" in again.stderr and "Traceback" not in again.stderr
    assert run("solve", TINY, "-o", tmp_path / "run", "--overwrite").returncode == 0


def test_a_folder_that_is_no_run_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    done = run("solve", TINY, "-o", tmp_path / "mine", "--overwrite")
    assert done.returncode == 1 and (tmp_path / "mine" / "letter.txt").read_text() == "keep me"


def test_bad_input_is_exit_code_2_and_writes_nothing(broken, tmp_path):
    done = run("solve", broken, "-o", tmp_path / "run")
    assert done.returncode == 2 and not (tmp_path / "run").exists()
    assert "market_prices.csv:3" in done.stderr and "price_usd_per_t" in done.stderr and "80000" in done.stderr
    assert "Traceback" not in done.stderr


def test_validate_reports_json(broken):
    done = run("validate", broken, "--json")
    assert done.returncode == 2
    issue = json.loads(done.stdout)["issues"][0]
    assert (issue["file"], issue["line"], issue["value"]) == ("market_prices.csv", 3, "80,000")


@pytest.mark.parametrize(
    "arguments", [("solve",), ("solve", TINY, "--gap", "x"), ("nonsense",), ("solve", TINY, "--gap", "-1")]
)
def test_bad_usage_is_exit_code_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stderr and "Traceback" not in done.stderr


def test_a_missing_instance_is_exit_code_2(tmp_path):
    done = run("solve", tmp_path / "nowhere")
    assert done.returncode == 2 and "nowhere" in done.stderr and "Traceback" not in done.stderr


def test_infeasible_is_exit_code_3_with_the_reason(tmp_path):
    done = run("solve", CASES / "19_infeasible_floor" / "instance", "-o", tmp_path / "run")
    assert done.returncode == 3 and "min_service of sector all" in done.stderr
    assert not (tmp_path / "run").exists()


def test_audit_of_a_written_run(tmp_path):
    run("solve", TINY, "-o", tmp_path / "run")
    assert run("audit", TINY, tmp_path / "run").returncode == 0
    flows = tmp_path / "run" / "flows.csv"
    flows.write_text(flows.read_text().replace("100.0", "90.0"))
    done = run("audit", TINY, tmp_path / "run")
    assert done.returncode == 1 and "Traceback" not in done.stderr


def test_export_writes_a_model_file(tmp_path):
    assert run("export", TINY, tmp_path / "tiny.mps").returncode == 0
    assert "build_0" in (tmp_path / "tiny.mps").read_text()


def test_a_folder_named_models_is_the_users_own(tmp_path):
    hostile = tmp_path / "models"
    hostile.mkdir()
    (hostile / "__init__.py").write_text("raise SystemExit('executed')")
    done = run("solve", TINY, "-o", tmp_path / "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_best_plan_or_says_there_is_none(tmp_path, sent):
    flagship = ROOT / "instances" / "allied-2040"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "planner.cli", "solve", str(flagship), "--gap", "0", "-o", str(tmp_path / "run")]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # tests that run in the background of a shell ignore Ctrl-C, and what they start would too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        for line in process.stderr:
            if "best plan" in line:
                process.send_signal(sent)
                break
        output, errors = process.communicate(timeout=240)
    if process.returncode == 4:
        assert "no plan was found" in errors
    else:
        assert process.returncode == 0, errors
        plan = json.loads((tmp_path / "run" / "plan.json").read_text())
        assert plan["status"] == "feasible" and plan["gap"] > 0 and "not proven" in output


def test_help_is_there():
    assert "solve" in run("--help").stdout


def test_version_is_that_of_the_distribution():
    from importlib.metadata import version

    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"magnet-planner {version('magnet-planner')}\n")


@pytest.mark.parametrize("name", ["../../escaped", "..", "a/b", "C:x"])
def test_the_name_of_an_instance_does_not_decide_where_is_written(tmp_path, name):
    shutil.copytree(TINY, tmp_path / "deep" / "down" / "i")
    toml = tmp_path / "deep" / "down" / "i" / "instance.toml"
    toml.write_text(toml.read_text().replace('name = "tiny"', f'name = "{name}"'))
    done = run("solve", "i", cwd=tmp_path / "deep" / "down")
    assert done.returncode == 2 and "-o RUN" in done.stderr
    assert sorted(p.name for p in (tmp_path / "deep" / "down").iterdir()) == ["i"]
    assert run("solve", "i", "-o", "run", cwd=tmp_path / "deep" / "down").returncode == 0


FULL = Path("/dev/full")
COMMANDS = [("validate", TINY), ("validate", TINY, "--json"), ("evidence", TINY), ("--help",), ("--version",)]


def with_stdout(arguments, **where):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "planner.cli", *map(str, arguments)]
    return subprocess.run(command, env=environment, text=True, timeout=120, check=False, **where)


@pytest.mark.skipif(not FULL.exists(), reason="the system has no file that is always full")
@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: " ".join(map(str, a[::2])))
def test_a_full_disk_behind_stdout_is_one_message(arguments):
    with FULL.open("w") as full:
        done = with_stdout(arguments, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == "the result cannot be written to stdout: No space left on device\n"


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: " ".join(map(str, a[::2])))
def test_a_reader_that_has_gone_is_quiet(arguments):
    end, begin = os.pipe()
    os.close(end)
    done = with_stdout(arguments, stdout=begin, stderr=subprocess.PIPE)
    os.close(begin)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not FULL.exists(), reason="the system has no file that is always full")
def test_a_full_disk_behind_stderr_does_not_change_the_exit_code(tmp_path):
    with FULL.open("w") as full:
        assert with_stdout(("validate", tmp_path), stdout=subprocess.PIPE, stderr=full).returncode == 2


@pytest.mark.parametrize("level", ["-O", "-OO"])
def test_without_asserts_all_works_and_without_docstrings_what_needs_no_pyomo(level, tmp_path):
    def run_so(*arguments):
        command = [sys.executable, level, "-m", "planner.cli", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    for arguments in [("--help",), ("validate", TINY), ("new", tmp_path / "i"), ("convert", TINY, tmp_path / "b.xlsx")]:
        done = run_so(*arguments)
        assert done.returncode == 0, done.stderr
    done = run_so("solve", TINY, "-o", tmp_path / "run")
    if level == "-O":
        assert done.returncode == 0 and "9.75 MUSD" in done.stdout
    else:  # Pyomo itself fails on its first import
        assert done.returncode == 2 and done.stderr.startswith("python -OO drops docstrings")


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solved") / "run"
    assert run("solve", TINY, "-o", folder).returncode == 0
    return folder


@pytest.mark.parametrize(
    ("command", "options", "refused"),
    [
        (
            "stress",
            "--failing --only CHN --year 2027 --months 3",
            "--year, --months and --only do nothing with --failing",
        ),
        ("stress", "--failing --no-audit", "--audit does nothing with --failing"),
        ("stress", "--failing --seed 0", "--seed does nothing with --failing"),
        ("stress", "--failing --delivery 4", "--delivery does nothing with --failing"),
        ("stress", "--delivery 4 --k 1", "--k does nothing with --delivery"),
        ("stress", "--seed 1", "--seed does nothing without --delivery"),
        ("stress", "--k 2 --families material", "k does nothing without two plants"),
        ("stress", "--workers 1 --scheduler tcp://nobody:1", "workers does nothing with a scheduler"),
        ("stress", "--overwrite", "overwrite does nothing without a folder"),
        ("stress", "--failing --overwrite", "--overwrite does nothing where nothing is written"),
        ("explain", "--overwrite", "--overwrite does nothing where nothing is written"),
        ("compare", "RUN --gap 0.1 --seed 0", "--gap and --seed do nothing where nothing is solved"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(solved, command, options, refused):
    done = run(command, solved, *(str(solved) if word == "RUN" else word for word in options.split()))
    assert done.returncode == 2 and refused in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_years_of_another_run_in_which_no_period_begins_are_refused(solved):
    done = run("solve", TINY, "--fix-from", solved, "--fix-years", "2040", "-o", solved.parent / "fixed")
    assert done.returncode == 2 and "no period begins in 2040 to 2040" in done.stderr
