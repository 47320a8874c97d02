"""Named what-ifs of one or several instances: their numbers side by side, and each a run."""

import json

import pytest
from places import TINY, run

import planner
from planner.errors import UsageError
from planner.questions.many import partial_file

FILE = """\
instance = "tiny"
title = "What moves tiny"
[[scenario]]
name = "as it is"
[[scenario]]
name = "more demand"
what_if = ["scale demand=1.3"]
[[scenario]]
name = "no line"
what_if = ["forbid texas-line"]
[[scenario]]
name = "cannot be"
what_if = ["forbid texas-line", "set sectors.min_service=1", "cap exposed_share=0%@2027"]
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    file = tmp_path_factory.mktemp("batch") / "batch.toml"
    file.write_text(FILE)
    return planner.batch(file, workers=1)


def test_costs_are_those_of_the_readme_and_differences_are_to_the_first(found):
    # README of tiny: 9.75 MUSD; with 130 t in 2027 and 2026 what compare tells (60 t from the line, 60 from China);
    # without the line China delivers 100 t in 2026 for 4.1, and under the cap nothing in 2027: 100 t short at 1 MUSD
    table = found.table.set_index("scenario")
    assert table.loc["as it is", "cost_musd"] == pytest.approx(9.75)
    assert table.loc["no line", "cost_musd"] == pytest.approx(104.1)
    assert table.loc["no line", "more_musd"] == pytest.approx(104.1 - 9.75)
    assert table.loc["no line", "short_t"] == pytest.approx(100) and table.loc["no line", "exposed_share"] == 1.0
    assert table.loc["cannot be", "status"] == "infeasible" and "has no plan" in table.loc["cannot be", "why"]
    assert table["more_musd"].isna().tolist() == [True, False, False, True]
    assert "94.35" in str(found) and "infeasible" in str(found)


def test_each_is_a_run_that_can_be_read_and_asked(found, tmp_path):
    folder = found.write(tmp_path / "out")
    more = planner.read_run(folder / "runs" / "more demand")
    assert more.instance.changes[0].change == "scale demand=1.3" and more.instance.name == "more demand"
    assert planner.audit(more.instance, more).ok
    assert not (folder / "runs" / "cannot be").exists()
    assert planner.compare(folder / "runs" / "as it is", more).names == ("tiny", "more demand")
    again = planner.Batch.read(folder)
    assert [row["scenario"] for row in again.tables["scenarios"]] == ["as it is", "more demand", "no line", "cannot be"]


def test_several_workers_give_the_same(found, tmp_path):
    other = planner.batch({"instance": str(TINY), **_keys()}, workers=2)
    same = [name for name in found.table.columns if name != "instance"]
    assert other.table[same].equals(found.table[same])


def _keys():
    import tomllib

    return {key: value for key, value in tomllib.loads(FILE).items() if key != "instance"}


def test_an_interrupted_batch_goes_on_from_what_is_finished(tmp_path, monkeypatch):
    from planner.questions import solve as module

    solve, asked = module.solve, []

    def twice(instance, **how):
        asked.append(instance.name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return solve(instance, **how)

    monkeypatch.setattr(module, "solve", twice)
    partial = partial_file(tmp_path / "out")
    half = planner.batch({"instance": "tiny", **_keys()}, workers=1, partial=partial)
    assert not half.complete and half.table["scenario"].tolist() == ["as it is", "more demand"]
    whole = planner.batch({"instance": "tiny", **_keys()}, workers=1, partial=partial)
    assert whole.complete and len(whole.table) == 4 and not partial.exists()
    assert asked[3:] == ["no line", "cannot be"]


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        (FILE.replace("scale demand", "scale demnd"), 'scenario more demand: .*did you mean "demand"'),
        (FILE.replace('tiny"', 'tny"', 1), 'no such folder or workbook; did you mean "tiny"'),
        (FILE.replace("what_if", "whatif", 1), 'unknown key scenario.2..whatif; did you mean "what_if"'),
        (FILE.replace("as it is", "no line"), "the scenario no line is there twice"),
        (FILE.replace("as it is", "a/b"), "names the folder of its run"),
        (FILE.replace('instance = "tiny"', ""), "has no instance"),
        ("instance = ", "is not TOML"),
    ],
)
def test_all_that_is_wrong_is_told_before_anything_is_solved(tmp_path, text, cure):
    file = tmp_path / "batch.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=cure):
        planner.batch(file)


def test_the_command_writes_tables_and_runs(tmp_path):
    (tmp_path / "b.toml").write_text(FILE)
    done = run("batch", "b.toml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    about = json.loads((tmp_path / "out" / "batch.json").read_text())
    assert about["complete"] and len(about["of"]) == 3
    assert run("explain", "out/runs/no line", "--projects", "0", cwd=tmp_path).returncode == 0
