"""Folder to workbook and back, and a workbook as an instance: nothing is lost, nothing is guessed, nothing is run."""

import csv
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest

import planner
from planner.errors import OutputError, PlannerError, UsageError
from planner.instance.tables import TABLES
from planner.reporting.workbook import convert

ROOT = Path(__file__).parents[2]
DEFECTS = ROOT / "tests" / "defects"
LARGE = (
    "allied-2040",
    "stop-2028",
    "made-in-usa",
    "smco-2035",
)  # a base, overlays with a what-if and with tables, another
INSTANCES = [ROOT / "instances" / name for name in ("tiny", *LARGE)] + sorted(
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


def test_numbers_typed_into_excel_are_read_and_a_formula_that_nothing_computed_is_refused(tmp_path):
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
    with pytest.raises(planner.InstanceError, match=r"demand!E2 .* a formula without a stored value"):
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


# --- a workbook as it comes back from people ---

TINY = ROOT / "instances" / "tiny"
OFFICE = shutil.which("soffice")


@pytest.fixture
def tiny_book(tmp_path):
    return convert(TINY, tmp_path / "book.xlsx")


def edited(book, change):
    """The workbook after ``change`` has been called with it, as openpyxl reads it."""
    opened = openpyxl.load_workbook(book)
    change(opened)
    opened.save(book)
    return book


def column(sheet, name):
    return next(cell.column_letter for cell in sheet[1] if cell.value == name)


def through_office(book, ending):
    """The workbook as LibreOffice saves it, with all formulas computed."""
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed (apt-get install libreoffice-calc)")
    folder = book.parent / "saved"
    home = f"-env:UserInstallation=file://{book.parent / 'office'}"
    command = [OFFICE, home, "--headless", "--convert-to", ending, "--outdir", str(folder), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder / f"{book.stem}.{ending}"


def test_a_workbook_is_an_instance_and_has_the_digest_of_its_folder(tiny_book, tmp_path):
    folder = convert(tiny_book, tmp_path / "folder")
    assert planner.load(tiny_book).sha256 == planner.load(folder).sha256
    assert planner.load(tiny_book).rows("options") == planner.load(TINY).rows("options")
    run = planner.solve(tiny_book)
    assert run.objective_musd == pytest.approx(9.75)  # derived in the README of the instance
    run.write(tmp_path / "run")
    assert planner.read_run(tmp_path / "run").instance.name == "tiny"  # the workbook is found again
    assert planner.audit(tiny_book, run).ok


def test_numbers_are_numbers_with_the_format_of_their_kind(tiny_book):
    book = openpyxl.load_workbook(tiny_book)
    limit, demand = book["caps"]["D2"], book["demand"]["E2"]
    assert (limit.value, limit.number_format) == (0.5, "0.0##%")
    assert (demand.value, demand.data_type) == (100, "n")
    assert (book["caps"]["C2"].value, book["caps"]["C2"].number_format) == (2027, "0")
    assert book["demand"]["A2"].number_format == "@"


def test_sum_works_and_a_formula_counts_with_its_stored_value(tiny_book, tmp_path):
    # 100 t for each year becomes a series of 100 t and 1.3 x 100 t = 130 t, in all 230 t
    def edit(book):
        sheet = book["demand"]
        sheet["D2"], sheet["D3"] = 2026, 2027
        for letter in "ABC":
            sheet[f"{letter}3"] = sheet[f"{letter}2"].value
        sheet["E3"] = "=E2*1.3"
        sheet["H1"] = "=SUM(E2:E3)"
        book.create_sheet("my notes")["A1"] = "to be discussed"

    saved = through_office(edited(tiny_book, edit), "xlsx")
    assert openpyxl.load_workbook(saved, data_only=True)["demand"]["H1"].value == 230
    edited_again = openpyxl.load_workbook(saved, data_only=False)
    edited_again["demand"]["H1"] = None
    edited_again.save(saved)  # openpyxl drops all stored values
    with pytest.raises(planner.InstanceError, match=r"demand!E3 .* a formula without a stored value"):
        planner.load(saved)
    instance = planner.load(through_office(saved, "ods"))  # which computes them again
    assert [(row.year, row.demand_t) for row in instance.demand] == [(2026, 100.0), (2027, 130.0)]
    told = {issue.code: str(issue) for issue in instance.warnings}
    assert "my notes" in told["W601"] and "1 formula, read by what is stored: E3" in told["W603"]


@pytest.mark.parametrize(("folder", "ending"), [("tiny", "xlsx"), ("tiny", "ods"), ("stop-2028", "ods")])
def test_what_libreoffice_saves_is_the_same_instance(folder, ending, tmp_path):
    book = convert(ROOT / "instances" / folder, tmp_path / "book.xlsx")
    for source in (through_office(book, ending), book):
        convert(source, tmp_path / source.suffix[1:] / "back", overwrite=True)
    expected = content(tmp_path / "xlsx" / "back")
    assert content(tmp_path / ending / "back") == expected and "instance.toml" in expected


def test_an_ods_that_libreoffice_wrote_is_read():
    # made from instances/tiny: demand in two rows, the second by the formula =E2*1.3; repeated and blank rows and cells
    instance = planner.load(Path(__file__).parent / "books" / "tiny.ods")
    assert [(row.year, row.demand_t) for row in instance.demand] == [(2026, 100.0), (2027, 130.0)]
    assert instance.caps[0].limit == 0.5 and instance.options[0].integer is True


def test_the_error_of_a_formula_is_refused_with_its_cell(tiny_book):
    saved = through_office(edited(tiny_book, lambda book: book["demand"].__setitem__("E2", "=1/0")), "ods")
    with pytest.raises(planner.InstanceError, match=r"demand!E2 .* of a formula; write the value"):
        planner.load(saved)


def test_a_bad_cell_is_named_as_a_spreadsheet_names_it(tiny_book):
    edited(tiny_book, lambda book: book["demand"].__setitem__("E2", "100,5"))
    with pytest.raises(planner.InstanceError) as refused:
        planner.load(tiny_book)
    (issue,) = refused.value.issues
    assert issue.place == "demand!E2" and issue.hint == "write 100.5 (a decimal point)"


def test_a_bad_setting_is_named_by_its_cell(tiny_book):
    def edit(book):
        row = next(r for r in book["instance"].iter_rows() if r[1].value == "discount_rate")
        row[2].value = "7"

    edited(tiny_book, edit)
    with pytest.raises(planner.InstanceError, match=r"instance!C\d+ +discount_rate"):
        planner.load(tiny_book)


def test_a_renamed_sheet_is_told_with_the_table_that_is_meant(tiny_book):
    edited(tiny_book, lambda book: setattr(book["demand"], "title", "Demand 2027"))
    with pytest.raises(planner.InstanceError) as refused:
        planner.load(tiny_book)
    told = {issue.code: str(issue) for issue in refused.value.issues}
    assert 'did you mean "demand"? Rename the sheet' in told["E103"]
    assert "required table is missing" in told["E106"] and "sheet demand" in told["E106"]


def test_a_sheet_may_be_written_with_capitals_and_blanks(tiny_book):
    edited(tiny_book, lambda book: setattr(book["market_prices"], "title", "Market Prices"))
    assert planner.load(tiny_book).market_prices == planner.load(TINY).market_prices


def test_two_sheets_for_one_table_are_refused(tiny_book):
    edited(tiny_book, lambda book: setattr(book.copy_worksheet(book["market_prices"]), "title", "Market Prices"))
    with pytest.raises(
        planner.InstanceError, match=r"sheet Market Prices .* a second sheet for the table market_prices"
    ):
        planner.load(tiny_book)


def test_a_title_above_the_header_is_told_and_not_read(tiny_book):
    def edit(book):
        book["demand"].insert_rows(1, 2)
        book["demand"]["A1"] = "What we need"

    edited(tiny_book, edit)
    instance = planner.load(tiny_book)
    assert instance.demand == planner.load(TINY).demand
    (told,) = [str(issue) for issue in instance.warnings if issue.code == "W602"]
    assert "row above the header, which is in row 3" in told


def test_what_stands_beside_a_table_is_refused_and_blanks_below_it_are_nothing(tiny_book):
    edited(tiny_book, lambda book: book["demand"].__setitem__("A40", "  "))
    assert planner.load(tiny_book).demand == planner.load(TINY).demand
    edited(tiny_book, lambda book: book["demand"].__setitem__("J2", 5))
    with pytest.raises(planner.InstanceError, match=r"demand!J2 .* beyond the last column"):
        planner.load(tiny_book)


def test_the_workbook_of_an_overlay_shows_its_base(tmp_path):
    folder = tmp_path / "mine"
    planner.new(folder, base=TINY)
    (folder / "sectors.csv").write_text("sector,name,shortage_usd_per_t\ncars,Cars,2000000\n")
    book = convert(folder, tmp_path / "mine.xlsx")
    opened = openpyxl.load_workbook(book)
    assert [c.value for c in opened["_base options"][2]][:2] == ["texas-line", "texas"]
    assert opened["demand"].max_row == 1 and opened["demand"]["A1"].value == "country"
    keys = {column[0].value: [c.value for c in column[1:] if c.value] for column in opened["_keys"].columns}
    assert keys["sectors"] == ["cars"] and keys["countries"] == ["CHN", "USA"]
    rules = {str(rule.sqref).split(":")[0]: rule.formula1 for rule in opened["demand"].data_validations.dataValidation}
    assert rules[f"{column(opened['demand'], 'country')}2"].startswith("'_keys'!$")
    assert planner.load(book).sha256 != planner.load(TINY).sha256
    assert planner.load(book).sectors[0].shortage_usd_per_t == 2_000_000
    back = convert(book, tmp_path / "back")
    assert sorted(p.name for p in back.iterdir()) == ["README.md", "instance.toml", "sectors.csv"]


def test_the_contents_link_to_every_table_and_the_readme_comes_back(tiny_book, tmp_path):
    opened = openpyxl.load_workbook(tiny_book)
    links = {
        cell.value: cell.hyperlink.location for row in opened["_contents"].iter_rows() for cell in row if cell.hyperlink
    }
    tables = [name for name in opened.sheetnames if not name.startswith("_")]
    assert links == {name: f"'{name}'!A1" for name in tables}
    convert(tiny_book, tmp_path / "back")
    assert (tmp_path / "back" / "README.md").read_text() == (TINY / "README.md").read_text()


def test_a_copy_and_an_overlay_of_a_workbook(tiny_book, tmp_path):
    planner.new(tmp_path / "copy", copy=tiny_book)
    planner.new(tmp_path / "over", base=tiny_book)
    assert planner.load(tmp_path / "copy").demand == planner.load(tmp_path / "over").demand == planner.load(TINY).demand


# --- the workbook of a run ---


def test_a_run_becomes_a_workbook_with_charts(tmp_path):
    run = planner.solve(TINY)
    run.write(tmp_path / "run")
    book = openpyxl.load_workbook(convert(tmp_path / "run", tmp_path / "run.xlsx"))
    figures = {row[0].value: row for row in book["figures"].iter_rows(min_row=5) if row[0].value}
    cost = figures["Cost, present value"]
    # cost and shares are derived in the README of tiny: half of 2 x 100 t is exposed in 2027, all in 2026
    assert cost[1].value == pytest.approx(9.75) and cost[2].value <= cost[1].value <= cost[3].value
    assert figures["Exposed share of deliveries"][1].value == pytest.approx(0.75)
    costs = book["costs"]
    assert sum(c.value or 0.0 for row in costs.iter_rows(min_row=2, min_col=2) for c in row) == pytest.approx(9.75)
    assert [row[7].value for row in book["builds"].iter_rows(min_row=2)] == [60]
    assert len(book["dependence"]._charts) == len(book["costs"]._charts) == len(book["largest flows"]._charts) == 1
    with pytest.raises(UsageError, match=r"ends in \.xlsx"):
        convert(tmp_path / "run", tmp_path / "folder")
