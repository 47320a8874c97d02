"""Folder to workbook and back: nothing is lost, nothing is guessed, nothing is run."""

import csv
import shutil
from pathlib import Path

import pytest

import planner
from planner.errors import OutputError, PlannerError
from planner.instance.tables import TABLES
from planner.instance.workbook import convert

ROOT = Path(__file__).parents[2]
INSTANCES = sorted(p.parent for p in (ROOT / "instances").glob("*/instance.toml")) + sorted(
    p.parent for p in (Path(__file__).parents[1] / "cases").glob("*/instance/instance.toml")
)


def copy(source, target):
    shutil.copytree(source, target)
    return target


@pytest.mark.parametrize("folder", INSTANCES, ids=lambda p: p.name if p.name != "instance" else p.parent.name)
def test_round_trip_keeps_every_row(folder, tmp_path):
    # beside the original, so that a relative base is found
    back = folder.parent / f".{folder.name}-round-trip-{tmp_path.name}"
    try:
        convert(folder, tmp_path / "book.xlsx")
        convert(tmp_path / "book.xlsx", back)
        first, second = planner.load(folder), planner.load(back)
        for table in TABLES:
            assert first.all_rows(table) == second.all_rows(table), table
        assert (first.years, first.wacc, first.stages) == (second.years, second.wacc, second.stages)
    finally:
        shutil.rmtree(back, ignore_errors=True)


def test_what_looks_like_something_else_stays_text(tmp_path):
    folder = copy(ROOT / "instances" / "tiny", tmp_path / "i")
    nasty = ["=1+1", "+1", "@x", "1e5", "007", "NA", "TRUE", "2026-01-01", 'a "quote", comma', "ä\tö"]
    rows = "".join(f'C{i},"{n.replace(chr(34), chr(34) * 2)}"\n' for i, n in enumerate(nasty) if "\t" not in n)
    table = folder / "countries.csv"
    table.write_text(table.read_text(encoding="utf-8") + rows, encoding="utf-8")
    convert(folder, tmp_path / "b.xlsx")
    convert(tmp_path / "b.xlsx", tmp_path / "back")
    written, back = (list(csv.reader(p.open(encoding="utf-8"))) for p in (table, tmp_path / "back" / "countries.csv"))
    assert back == written


def test_numbers_typed_into_excel_are_read_and_formulas_refused(tmp_path):
    import openpyxl

    convert(ROOT / "instances" / "tiny", tmp_path / "b.xlsx")
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    sheet = book["demand"]
    position = [c.value for c in sheet[1]].index("demand_t") + 1
    sheet.cell(2, position).value = 120
    book.save(tmp_path / "typed.xlsx")
    convert(tmp_path / "typed.xlsx", tmp_path / "typed")
    assert planner.load(tmp_path / "typed").demand[0].demand_t == 120.0
    sheet.cell(2, position).value = "=100+20"
    book.save(tmp_path / "formula.xlsx")
    with pytest.raises(planner.InstanceError, match="a formula"):
        convert(tmp_path / "formula.xlsx", tmp_path / "formula")
    assert not (tmp_path / "formula").exists()


def test_nothing_is_replaced_unasked(tmp_path):
    (tmp_path / "b.xlsx").write_text("mine")
    with pytest.raises(OutputError):
        convert(ROOT / "instances" / "tiny", tmp_path / "b.xlsx")
    assert (tmp_path / "b.xlsx").read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nonsense", b"text"])
def test_a_damaged_workbook_is_refused(content, tmp_path):
    (tmp_path / "b.xlsx").write_bytes(content)
    with pytest.raises(PlannerError):
        convert(tmp_path / "b.xlsx", tmp_path / "out")
    assert not (tmp_path / "out").exists()
