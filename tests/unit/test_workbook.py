"""Folder to workbook and back: nothing is lost, nothing is guessed, nothing is run."""

import csv
import shutil
import time
import zipfile
from pathlib import Path

import pytest

import planner
from planner.errors import OutputError, PlannerError, UsageError
from planner.instance.tables import TABLES
from planner.instance.workbook import convert

ROOT = Path(__file__).parents[2]
DEFECTS = ROOT / "tests" / "defects"
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


@pytest.mark.parametrize("name, file", [("misspelt", "cap.csv"), ("upper_case", "caps.CSV"), ("study", "study.toml")])
def test_a_file_that_load_does_not_know_is_refused_not_left_out(name, file, tmp_path):
    folder = DEFECTS / f"convert_{name}"
    with pytest.raises(planner.InstanceError) as refused:
        convert(folder, tmp_path / "b.xlsx")
    assert [(i.file, i.code) for i in refused.value.issues] == [(file, "E103")]
    with pytest.raises(planner.InstanceError) as by_load:
        planner.load(folder)
    assert refused.value.issues == by_load.value.issues
    assert not any(tmp_path.iterdir())


def test_nothing_in_a_folder_is_deleted_that_the_workbook_does_not_hold(tmp_path):
    folder = copy(ROOT / "instances" / "tiny", tmp_path / "i")
    (folder / "notes").mkdir()
    (folder / "notes" / "a.csv").write_text("mine")
    (folder / ".hidden.csv").write_text("mine")
    (folder / "away").symlink_to("nowhere")
    convert(folder, tmp_path / "b.xlsx")
    before = content(folder)
    (folder / "funds.csv").write_text("fund,provider,instrument,budget_musd\n")
    with pytest.raises(OutputError, match=r"holds funds\.csv, which the workbook does not"):
        convert(tmp_path / "b.xlsx", folder, overwrite=True)
    assert (folder / "funds.csv").exists()
    (folder / "funds.csv").unlink()
    convert(tmp_path / "b.xlsx", folder, overwrite=True)
    # the README, the hidden file, the link and the subfolder stay; only blank lines of settings differ
    after = content(folder)
    settings = [[line for line in of.pop("instance.toml").splitlines() if line] for of in (before, after)]
    assert (
        settings[0] == settings[1]
        and after == before
        and (folder / "README.md").exists()
        and (folder / "away").is_symlink()
    )


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_settings_come_back_with_their_comments_and_their_writing(tmp_path):
    folder = copy(ROOT / "instances" / "tiny", tmp_path / "i")
    text = """\
# who asked, and when
schema = 1
name = 'tiny'  # in single quotes
title = "a # is no comment in text"
stages = [
  "metal",   # the first
  "magnet",
]

[time] # of the plan
years = [2026, 2027]
last_period_years = 1

[finance]
currency = "USD"
price_year = 2025
# real
discount_rate = 0e0
wacc = 0.0

[security]
countries_of_concern = ["CHN"]

[[security.survive]]
outage = "facility"
years = [2027, 2027]
level = 0.1

[[security.survive]]
outage = "export_stop"
of = ["CHN"]
years = [2027, 2027]
level = 0.2

[risk]
"""
    (folder / "instance.toml").write_text(text, encoding="utf-8")
    convert(folder, tmp_path / "b.xlsx")
    convert(tmp_path / "b.xlsx", tmp_path / "back")
    assert (tmp_path / "back" / "instance.toml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", ["a\rb", "rings \x07", "_x0041_", "x" * 40_000])
def test_a_text_that_excel_changes_is_refused_with_its_place(text, tmp_path):
    folder = copy(ROOT / "instances" / "tiny", tmp_path / "i")
    with (folder / "countries.csv").open("a", encoding="utf-8", newline="") as table:
        table.write(f'X,"{text}"\n')
    try:
        convert(folder, tmp_path / "b.xlsx")
    except planner.InstanceError as refused:
        (issue,) = refused.issues
        assert (issue.file, issue.line, issue.column, issue.code) == ("countries.csv", 4, "name", "E111")
        assert not (tmp_path / "b.xlsx").exists()
    else:
        convert(tmp_path / "b.xlsx", tmp_path / "back")
        rows = list(csv.reader((tmp_path / "back" / "countries.csv").open(encoding="utf-8", newline="")))
        assert rows[-1] == ["X", text]


def test_a_cell_far_away_is_refused_at_once(tmp_path):
    # one cell in XFD1048576, the last of a sheet: 16,384 x 1,048,576 cells would have to be looked at
    started = time.perf_counter()
    with pytest.raises(planner.InstanceError, match="a cell beyond row"):
        convert(DEFECTS / "cell_far_away.xlsx", tmp_path / "out")
    assert time.perf_counter() - started < 20  # 1 s on an idle machine
    assert not (tmp_path / "out").exists()


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&b;</t></si></sst>'
)


def damaged(part, text, source, target):
    """A copy of a workbook with another text in one of its parts; None: without that part."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
            elif text is not None:
                new.writestr(name, text)
    return target


PARTS = ("xl/workbook.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet2.xml", "xl/styles.xml", "[Content_Types].xml")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("text", [None, "", "<a><b>", BOMB, "<a/>", "<a>" * 3000 + "</a>" * 3000, "\0\0"])
def test_a_workbook_with_a_damaged_part_gives_one_clear_error_or_the_whole(part, text, tmp_path):
    whole = tmp_path / "whole.xlsx"
    convert(ROOT / "instances" / "tiny", whole)
    book = damaged(part, text, whole, tmp_path / "b.xlsx")
    try:
        convert(book, tmp_path / "out")
    except PlannerError as refused:
        assert "b.xlsx" in str(refused) and not (tmp_path / "out").exists()
        assert text is not BOMB or "damaged" in str(refused)
    else:  # such as without styles, which no value needs
        assert text is not BOMB and sorted(p.name for p in (tmp_path / "out").iterdir())


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path):
    whole = tmp_path / "whole.xlsx"
    convert(ROOT / "instances" / "tiny", whole)
    book = damaged("xl/sharedStrings.xml", b" " * 210_000_000, whole, tmp_path / "b.xlsx")
    assert book.stat().st_size < 1_000_000
    with pytest.raises(UsageError, match=r"unpacks to \d+ MB; at most 200 MB"):
        convert(book, tmp_path / "out")
