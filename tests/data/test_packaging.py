"""The data as others take it: described tables, a version, a licence, and how to cite it."""

import csv
import json
import shutil
import tomllib
from pathlib import Path

import frictionless
import jsonschema
import pytest
import yaml
from places import INSTANCES, ROOT, TINY, run

from planner import convert, examples
from planner.errors import InstanceError, OutputError, UsageError

FILE = "datapackage.json"
# https://citation-file-format.github.io/1.2.0/schema.json, CC-BY-4.0
CITATION_SCHEMA = Path(__file__).with_name("cff-1.2.0.schema.json")
PACKAGES = sorted(name for name in examples() if any((INSTANCES / name).glob("*.csv")))


def problems(folder: Path) -> list[tuple[str, str]]:
    """What a reader of data packages finds wrong: table and kind of error."""
    report = frictionless.validate(str(folder / FILE))
    assert not report.errors, report.errors
    return [(task.name, error.type) for task in report.tasks for error in task.errors]


@pytest.fixture
def tiny(tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(TINY, folder)
    return folder


def change(folder: Path, table: str, old: str, new: str) -> None:
    path = folder / f"{table}.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name", PACKAGES)
def test_the_tables_of_a_shipped_instance_are_what_its_package_says(name):
    folder = INSTANCES / name
    described = {resource["path"] for resource in json.loads((folder / FILE).read_text())["resources"]}
    assert described == {path.name for path in folder.glob("*.csv")}
    assert problems(folder) == []


def test_the_facts_are_what_their_package_says():
    folder = INSTANCES / "evidence"
    described = {resource["path"] for resource in json.loads((folder / FILE).read_text())["resources"]}
    assert described == {f"{path.parent.name}/{path.name}" for path in folder.glob("*/*.csv")}
    assert problems(folder) == []


def test_the_dictionary_of_the_facts_has_no_row_too_many_and_a_unit_for_each_number():
    with (INSTANCES / "evidence" / "columns.csv").open(encoding="utf-8", newline="") as file:
        said = list(csv.DictReader(file))
    package = json.loads((INSTANCES / "evidence" / FILE).read_text())
    headers = {r["name"]: {f["name"]: f for f in r["schema"]["fields"]} for r in package["resources"]}
    everywhere = set().union(*headers.values())
    for row in said:
        assert row["column"] in (everywhere if row["table"] == "*" else {"", *headers[row["table"]]}), row
    own_unit = {"unit", "loss_unit"}  # columns that say the unit row by row
    for table, fields in headers.items():
        for name, field in fields.items():
            assert field["type"] != "number" or "unit" in field or own_unit & set(fields), (table, name)


@pytest.mark.parametrize(
    ("table", "old", "new", "kind"),
    [
        ("operations", "texas,press", "dallas,press", "foreign-key"),
        ("countries", "USA,United States", "USA,United States\nUSA,America", "primary-key"),
        ("recipes", "input,0.5", "input,half", "type-error"),
        ("recipes", "input,0.5", "input,0", "constraint-error"),  # above 0
        ("caps", "2027,0.5", "2027,-0.5", "constraint-error"),
        ("materials", "70000,yes", "70000,true", "type-error"),
        ("countries", "CHN,China", ",China", "constraint-error"),
    ],
)
def test_another_program_notices_a_wrong_cell_by_the_package(tiny, table, old, new, kind):
    change(tiny, table, old, new)
    assert (table, kind) in problems(tiny)


def test_units_and_meaning_of_a_column_stand_in_the_package():
    package = json.loads((TINY / FILE).read_text())
    facilities = next(r for r in package["resources"] if r["name"] == "facilities")
    capacity = next(f for f in facilities["schema"]["fields"] if f["name"] == "capacity_t")
    assert capacity["unit"] == "t/year" and capacity["constraints"]["minimum"] == 0
    assert "without options" in capacity["description"]


def test_an_overlay_says_so_and_refers_to_no_rows_that_stand_only_in_its_base():
    package = json.loads((INSTANCES / "stop-2028-stocks" / FILE).read_text())
    assert 'overlay of "../stop-2028"' in package["description"]
    assert not any("foreignKeys" in resource["schema"] for resource in package["resources"])


def test_the_command_keeps_what_a_user_added_beside_the_tables(tiny):
    package = json.loads((tiny / FILE).read_text())
    assert package["version"] and package["licenses"][0]["name"] == "CC-BY-4.0"
    package["licenses"] = [{"name": "CC0-1.0"}]
    package["resources"] = []
    (tiny / FILE).write_text(json.dumps(package))
    assert run("convert", tiny, tiny / FILE).returncode == 1  # it exists
    assert run("convert", tiny, tiny / FILE, "--overwrite").returncode == 0
    again = json.loads((tiny / FILE).read_text())
    assert again["licenses"] == [{"name": "CC0-1.0"}] and len(again["resources"]) == len(list(tiny.glob("*.csv")))


def test_what_cannot_be_described_is_refused_with_the_cure(tiny, tmp_path):
    with pytest.raises(UsageError, match=r"would not lie beside the tables; write .*tiny/datapackage\.json"):
        convert(tiny, tmp_path / FILE)
    with pytest.raises(OutputError, match="--overwrite"):
        convert(tiny, tiny / FILE)
    (tiny / FILE).write_text("[1, 2")
    with pytest.raises(OutputError, match="no data package; move it away"):
        convert(tiny, tiny / FILE, overwrite=True)
    (tiny / FILE).unlink()
    change(tiny, "countries", "country,name", "country,nam")
    with pytest.raises(InstanceError, match=r"countries.csv:1 .*nam.*unknown column"):
        convert(tiny, tiny / FILE)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match=r"no instance\.toml"):
        convert(empty, empty / FILE)
    (empty / "instance.toml").write_text('schema = 1\nname = "empty"\nbase = "../tiny"\n')
    with pytest.raises(UsageError, match="no table of its own"):
        convert(empty, empty / FILE)
    assert not (empty / FILE).exists()


def test_a_table_with_a_column_less_is_described_as_it_is(tiny):
    with (tiny / "countries.csv").open(newline="") as file:
        rows = [row[:2][::-1] for row in csv.reader(file)]  # the columns the other way round
    with (tiny / "countries.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    convert(tiny, tiny / FILE, overwrite=True)
    assert problems(tiny) == []


def test_how_to_cite_has_its_form_and_the_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    jsonschema.validate(citation, json.loads(CITATION_SCHEMA.read_text()))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["version"] == project["version"]
    (data,) = citation["references"]
    assert {citation["license"], data["license"]} == set(project["license"].split(" AND "))
    for name in (*PACKAGES, "evidence"):
        package = json.loads((INSTANCES / name / FILE).read_text())
        assert package["version"] == data["version"] and package["licenses"][0]["name"] == data["license"], name
    assert f"## {data['version']}" in (INSTANCES / "evidence" / "CHANGELOG.md").read_text()
    assert "Attribution 4.0 International" in (INSTANCES / "LICENSE").read_text()
