"""The reader refuses whatever is not plainly a table, names the place, and says what to write instead."""

import os
import subprocess
import sys

import pytest
from builders import TABLES, TOML, edited, write_instance

from planner.errors import InstanceError, Issue, UsageError, in_order, nearest, printable, render
from planner.instance import reading
from planner.instance.cells import BadCellError, parse_number, parse_whole
from planner.instance.loading import load
from planner.instance.settings import describe_settings
from planner.instance.tables import TABLES as SCHEMA
from planner.instance.tables import describe
from planner.questions.asked_file import read_asked
from planner.questions.sensitivity.study_file import StudyFile
from planner.reporting.workbook import convert


def refused(folder):
    with pytest.raises(InstanceError) as caught:
        load(folder)
    return caught.value.issues


def refused_tables(tmp_path, **tables):
    return refused(write_instance(tmp_path / "small", {**TABLES, **tables}))


def only(issues):
    assert len(issues) == 1, [str(i) for i in issues]
    return issues[0]


# --- numbers ---


@pytest.mark.parametrize(
    ("cell", "value"),
    [("0", 0.0), ("-0", 0.0), ("+1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E-3", 0.001), ("007", 7.0)],
)
def test_numbers_that_are_read(cell, value):
    assert parse_number(cell) == value
    assert str(parse_number(cell)) == str(value)  # no negative zero


@pytest.mark.parametrize(
    ("cell", "cure"),
    [
        ("1,200", "write 1200 (no thousands separator)"),
        ("1,234,567.5", "write 1234567.5 (no thousands separator)"),
        ("1_000", "write 1000 (no thousands separator)"),
        ("1'000", "write 1000 (no thousands separator)"),
        ("1\u202f000", "write 1000 (no thousands separator)"),
        ("1.200,5", "write 1200.5 (no thousands separator, a decimal point)"),
        ("0,5", "write 0.5 (a decimal point)"),
        ("12 %", "write 0.12"),
        ("$12", "write 12, the unit is in the column's name"),
        ("12 t", "write 12, the unit is in the column's name"),
        ("\u0661\u0662", "write 12, in ASCII digits"),
        ("\uff11\uff12", "write 12, in ASCII digits"),
        ("\u22125", "write -5, with an ASCII minus sign"),
        ("nan", "leave the cell blank if nothing is known and the column has a default"),
        ("N/A", "leave the cell blank if nothing is known and the column has a default"),
        ("inf", "leave the cell blank for no limit, where the column allows it"),
        ("-Infinity", "leave the cell blank for no limit, where the column allows it"),
        ("0x10", ""),
        ("1.2.3", ""),
        ("1e", ""),
        ("--1", ""),
        ("O.5", ""),
    ],
)
def test_numbers_that_are_refused(cell, cure):
    with pytest.raises(BadCellError) as caught:
        parse_number(cell)
    assert (caught.value.expected, caught.value.hint) == ("not a number", cure)


@pytest.mark.parametrize("cell", ["1e400", "1e15", "-1e15", "9" * 400])
def test_numbers_that_a_solver_would_lose_are_refused(cell):
    with pytest.raises(BadCellError, match="too large"):
        parse_number(cell)


def test_a_number_that_would_be_read_as_zero_is_refused():
    with pytest.raises(BadCellError, match="too small"):
        parse_number("1e-400")
    assert parse_number("0e-400") == 0.0


@pytest.mark.parametrize(
    ("cell", "cure"),
    [("2026.0", "write 2026"), ("2026.5", ""), ("2,026", "write 2026 (no thousands separator)"), ("x", "")],
)
def test_whole_numbers_that_are_refused(cell, cure):
    with pytest.raises(BadCellError) as caught:
        parse_whole(cell)
    assert (caught.value.expected, caught.value.hint) == ("not a whole number", cure)


# --- cells ---

POISON = [
    ("facilities", 2, "capacity_t", "1,000", "E108", None),  # unquoted: one cell too many
    ("facilities", 2, "capacity_t", '"1,000"', "E104", "capacity_t"),
    ("facilities", 2, "capacity_t", "-1", "E105", "capacity_t"),
    ("facilities", 2, "capacity_t", "NaN", "E104", "capacity_t"),
    ("facilities", 2, "capacity_t", " 5", "E111", "capacity_t"),
    ("facilities", 2, "first_year", "2026.0", "E104", "first_year"),
    ("facilities", 2, "first_year", "20260", "E105", "first_year"),
    ("facilities", 2, "first_year", "9" * 5000, "E104", "first_year"),
    ("facilities", 2, "min_use", "65", "E105", "min_use"),
    ("facilities", 2, "status", "Operating", "E110", "status"),
    ("facilities", 2, "startup", "true", "E110", "startup"),
    ("facilities", 2, "active", "TRUE", "E110", "active"),
    ("facilities", 2, "name", "", "E106", "name"),
    ("facilities", 2, "name", " Pit", "E111", "name"),
    ("facilities", 2, "name", '"two\nlines"', "E111", "name"),
    ("facilities", 2, "name", "Pit\x1b[31m", "E111", "name"),
    ("facilities", 6, "facility", "=1+1", "E111", "facility"),
    ("facilities", 6, "facility", "*", "E111", "facility"),
    ("facilities", 6, "facility", "a;b", "E111", "facility"),
    ("facilities", 6, "facility", "a\u200bb", "E111", "facility"),
    ("facilities", 6, "facility", "cafe\u0301", "E111", "facility"),
    ("facilities", 6, "facility", "", "E106", "facility"),
    ("facilities", 2, "source", "a;;b", "E111", "source"),
    ("recipes", 2, "t_per_t", "0", "E105", "t_per_t"),
    ("recipes", 2, "t_per_t", "1e7", "E105", "t_per_t"),
    ("options", 2, "module_t", "0", "E105", "module_t"),
    ("options", 2, "life_years", "0", "E105", "life_years"),
    ("options", 2, "capex_musd", "-5", "E105", "capex_musd"),
    ("operations", 2, "capacity_per_t", "0", "E105", "capacity_per_t"),
    ("sectors", 2, "shortage_usd_per_t", "", "E106", "shortage_usd_per_t"),
    ("sectors", 2, "min_service", "1.5", "E105", "min_service"),
    ("countries", 2, "latitude", "91", "E105", "latitude"),
]


@pytest.mark.parametrize(
    ("table", "line", "column", "cell", "code", "at"), POISON, ids=[f"{p[2]}-{p[3]!r:.12}" for p in POISON]
)
def test_a_poisoned_cell_is_refused(tmp_path, table, line, column, cell, code, at):
    new = TABLES[table] + f"{cell},New,AAA,operating,5\n"  # a bad key in a new row, so that no reference dangles
    text = new if line == 6 else edited(table, line, **{column: cell})
    issue = only(refused_tables(tmp_path, **{table: text}))
    assert (issue.file, issue.line, issue.code) == (f"{table}.csv", line, code)
    assert at is None or issue.column == at


def test_the_message_names_the_value_and_the_cure(tmp_path):
    issue = only(refused_tables(tmp_path, facilities=edited("facilities", 2, capacity_t='"1,200"')))
    assert str(issue) == (
        'facilities.csv:2 capacity_t = "1,200" not a number; write 1200 (no thousands separator) [E104]'
    )
    issue = only(refused_tables(tmp_path, facilities=edited("facilities", 2, min_use="65")))
    assert issue.expected == "out of range, expected 0 to 1"
    assert issue.hint == "write 0.65 for 65 %"


def test_disruptions_lose_at_most_everything_but_surges_may_double(tmp_path):
    scenarios = "scenario,name,probability,first_year,last_year\ns,S,0.1,2026,2030\n"
    header = "scenario,kind,country,fraction\n"
    issue = only(refused_tables(tmp_path, scenarios=scenarios, disruptions=header + "s,outage,CHN,1.5\n"))
    assert (issue.column, issue.code) == ("fraction", "E105")
    tables = {**TABLES, "scenarios": scenarios, "disruptions": header + "s,demand_surge,AAA,1.5\n"}
    assert load(write_instance(tmp_path / "other", tables)).disruptions[0].fraction == 1.5


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", ".", "a:b", "con", "NUL.x", "x" * 101])
def test_a_scenario_must_be_able_to_name_a_folder(tmp_path, name):
    scenarios = f"scenario,name,probability,first_year,last_year\n{name},S,0.1,2026,2030\n"
    issue = only(refused_tables(tmp_path, scenarios=scenarios))
    assert (issue.column, issue.code) == ("scenario", "E111")


def test_na_is_namibia(tmp_path):
    tables = {name: text.replace("AAA", "NA") for name, text in TABLES.items()}
    instance = load(write_instance(tmp_path / "small", tables))
    assert [c.country for c in instance.countries] == ["BBB", "CHN", "NA"]


def test_all_slips_of_one_row_are_told(tmp_path):
    row = "pit,,AAA,operating,-5,x\n"
    text = "facility,name,country,status,capacity_t,first_year\n" + row
    issues = refused_tables(
        tmp_path,
        facilities=TABLES["facilities"].replace("pit,Pit,AAA,operating,1000\n", ""),
    )
    assert {i.code for i in issues} == {"E201"}  # operations.csv still names it
    found = {(i.column, i.code) for i in refused_tables(tmp_path, facilities=text)}
    assert {("name", "E106"), ("capacity_t", "E105"), ("first_year", "E104")} <= found


def test_a_row_that_cannot_be_read_is_still_known(tmp_path):
    # nobody complains that the facility of that row is unknown
    only(refused_tables(tmp_path, facilities=edited("facilities", 2, capacity_t="many")))
    only(refused_tables(tmp_path, facilities=TABLES["facilities"].replace("operating,1000", "operating,1000,7")))


# --- tables ---


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("", 1, "E102"),
        ("\n\n", 1, "E102"),
        ("sector,sector,name,shortage_usd_per_t\nc,c,Cars,1\n", 1, "E102"),
        ("sector,name,shortage_usd_per_t,\ncars,Cars,1,\n", 1, "E102"),
        ("sector, name,shortage_usd_per_t\ncars,Cars,1\n", 1, "E102"),
        ("sector,name,shortage_usd_per_ton\ncars,Cars,1\n", 1, "E107"),
        ("sector,name\ncars,Cars\n", 1, "E106"),
        ("sector,name,shortage_usd_per_t\ncars,Cars\n", 2, "E108"),
        ("sector,name,shortage_usd_per_t\ncars,Cars,1,\n", 2, "E108"),
        ("sector,name,shortage_usd_per_t\ncars,Cars,1\n\ncars,Again,2\n", 4, "E109"),
        ("sector,name,shortage_usd_per_t\n,,\ncars,Cars,1\n", 2, "E106"),
        ("sector;name;shortage_usd_per_t\ncars;Cars;1,5\n", 1, "E101"),
        ("sector\tname\tshortage_usd_per_t\ncars\tCars\t1\n", 1, "E101"),
        ('sector,name,shortage_usd_per_t\ncars,"Cars,1\n', 2, "E101"),
        ('sector,name,shortage_usd_per_t\ncars,"Cars"x,1\n', 2, "E101"),
        ("sector,name,shortage_usd_per_t\ncars," + "x" * 200_000 + ",1\n", 2, "E101"),
    ],
)
def test_a_table_that_is_none(tmp_path, text, line, code):
    issues = refused_tables(tmp_path, sectors=text)
    assert (f"sectors.csv:{line}", code) in [(i.place, i.code) for i in issues], [str(i) for i in issues]


@pytest.mark.parametrize("below", [",,\n,,\n", ",\n", ",,,,\n"])
def test_blank_rows_that_a_spreadsheet_leaves_below_a_table_are_nothing(tmp_path, below):
    folder = write_instance(tmp_path / "small")
    before = load(folder).sectors
    table = folder / "sectors.csv"
    table.write_text(table.read_text().rstrip("\n") + "\n" + below)
    assert load(folder).sectors == before


def test_tables_separated_by_semicolons_are_one_problem_each(tmp_path):
    folder = write_instance(tmp_path / "small")
    for table in folder.glob("*.csv"):
        table.write_text(table.read_text().replace(",", ";"))
    issues = refused(folder)
    assert {(i.place, i.expected) for i in issues} == {
        (f"{table.name}:1", "its cells are separated by semicolons") for table in folder.glob("*.csv")
    }
    assert all("save it as CSV UTF-8 with commas and decimal points" in i.hint for i in issues)


def test_what_excel_leaves_beside_an_open_table_is_ignored(tmp_path):
    folder = write_instance(tmp_path / "small")
    (folder / "~$demand.csv").write_bytes(b"\x05user")
    load(folder)


def test_a_duplicate_names_both_lines(tmp_path):
    text = TABLES["sectors"] + "\ncars,Again,2\n"
    issue = only(refused_tables(tmp_path, sectors=text))
    assert issue.line == 4
    assert issue.expected == "duplicate key (sector cars), the same as in line 2"


def test_a_misspelt_column_and_file_are_recognised(tmp_path):
    issues = refused_tables(tmp_path, sectors="sector,name,shortage_usd_per_ton\ncars,Cars,1\n")
    assert 'did you mean "shortage_usd_per_t"?' in [i.hint for i in issues]
    issue = only(refused_tables(tmp_path, demands=TABLES["demand"]))
    assert (issue.file, issue.hint, issue.code) == ("demands.csv", 'did you mean "demand.csv"?', "E103")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"sector,name,shortage_usd_per_t\ncars,C\xe4rs,1\n", 2),
        ("sector,name,shortage_usd_per_t\ncars,Cars,1\n".encode("utf-16"), 1),
        (b"sector,name,shortage_usd_per_t\ncars,Ca\0rs,1\n", 2),
    ],
)
def test_bytes_that_are_no_text(tmp_path, content, line):
    folder = write_instance(tmp_path / "small")
    (folder / "sectors.csv").write_bytes(content)
    issue = only(refused(folder))
    assert (issue.place, issue.code) == (f"sectors.csv:{line}", "E101")


def test_bom_crlf_blank_lines_quotes_and_notes_are_fine(tmp_path):
    folder = write_instance(tmp_path / "small")
    text = '\ufeffsector,name,shortage_usd_per_t,note\r\n\r\ncars,"Cars, ""new""",90000,"two\r\nlines"\r\n'
    (folder / "sectors.csv").write_bytes(text.encode())
    toml = "\ufeff" + TOML.replace("\n", "\r\n")
    (folder / "instance.toml").write_bytes(toml.encode())
    row = load(folder).sectors[0]
    assert (row.name, row.note) == ('Cars, "new"', "two\r\nlines")


def test_lines_are_physical_lines(tmp_path):
    text = 'sector,name,shortage_usd_per_t,note\ncars,Cars,90000,"a\nb\nc"\nwind,Wind,x,\n'
    assert only(refused_tables(tmp_path, sectors=text)).line == 5


def test_only_tables_and_settings_are_read(tmp_path):
    folder = write_instance(tmp_path / "small")
    before = load(folder).sha256
    (folder / "README.md").write_text("about")
    (folder / ".hidden.csv").write_text("x")
    (folder / "old").mkdir()
    (folder / "old" / "demand.csv").write_text("x")
    assert load(folder).sha256 == before
    (folder / "Demand.CSV").write_text("x")
    assert only(refused(folder)).code == "E103"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    folder = write_instance(tmp_path / "small")
    os.mkfifo(folder / "caps.csv")
    assert only(refused(folder)).expected == "not a plain file"


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_FILE", 300)
    folder = write_instance(tmp_path / "small")
    (folder / "caps.csv").write_text("x" * 301)
    assert any(i.file == "caps.csv" and "too large" in i.expected for i in refused(folder))


def test_a_missing_table_is_named(tmp_path):
    folder = write_instance(tmp_path / "small")
    (folder / "sectors.csv").unlink()
    issue = only(refused(folder))
    assert (issue.file, issue.expected, issue.code) == ("sectors.csv", "required table is missing", "E106")


def test_a_folder_that_is_no_instance(tmp_path):
    assert only(refused(tmp_path / "nowhere")).expected == "no such folder or workbook"
    assert only(refused(tmp_path)).expected == "no instance: the folder has no instance.toml"
    (tmp_path / "file").write_text("")
    assert only(refused(tmp_path / "file")).expected == "neither a folder nor a workbook (.xlsx or .ods)"
    (tmp_path / "old.xls").write_text("")
    assert only(refused(tmp_path / "old.xls")).expected.endswith("; save it as .xlsx")


def test_a_misspelt_folder_names_the_one_beside_it(tmp_path):
    folder = write_instance(tmp_path / "small")
    assert only(refused(tmp_path / "smal")).hint == f'did you mean "{folder}"?'


# --- instance.toml ---


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "code"),
    [
        ("schema = 1", "schema = 2", 1, "schema", "E113"),
        ("schema = 1", "schema = true", 1, "schema", "E113"),
        ("schema = 1\n", "", None, "schema", "E106"),
        ('name = "small"', "name = 5", 2, "name", "E113"),
        ('name = "small"', 'nmae = "small"', 2, "nmae", "E113"),
        ('"mining", "metal"', '"mining", "mining"', 3, "stages", "E113"),
        ('["mining", "metal", "magnet"]', "[]", 3, "stages", "E113"),
        ("[time]", "[times]", 4, "times", "E113"),
        ("[2026, 2028, 2030]", "[2026, 2026, 2030]", 5, "years", "E113"),
        ("[2026, 2028, 2030]", "[]", 5, "years", "E113"),
        ("[2026, 2028, 2030]", "[2026.0]", 5, "years", "E113"),
        ("[2026, 2028, 2030]", "2026", 5, "years", "E113"),
        ("last_period_years = 1", "last_period_years = 0", 6, "last_period_years", "E113"),
        ("discount_rate = 0.05", "discount_rate = 5", 10, "discount_rate", "E113"),
        ("discount_rate = 0.05", "discount_rate = nan", 10, "discount_rate", "E113"),
        ("discount_rate = 0.05", "discount_rate = true", 10, "discount_rate", "E113"),
        ("wacc = 0.08", 'wacc = "0.08"', 11, "wacc", "E113"),
        ("wacc = 0.08\n", "", None, "wacc", "E106"),
        ("wacc = 0.08", "wacc = 0.08\nyears = [2026]", 12, "years", "E113"),
        ("price_year = 2025", "price_year = 2025-01-01", 9, "price_year", "E113"),
        ('["CHN"]', '"CHN"', 13, "countries_of_concern", "E113"),
        ('["CHN"]', '["CHN", "CHN"]', 13, "countries_of_concern", "E113"),
        ("wacc = 0.08", "wacc = ", 11, "", "E112"),
        ("wacc = 0.08", "wacc = 0.08\nwacc = 0.09", 12, "", "E112"),
        ("schema = 1", "schema = 1\ntime = 5", None, "", "E112"),
        ("schema = 1", "x = " + "[" * 5000, None, "", "E112"),
        ("schema = 1", "schema = " + "9" * 5000, None, "", "E112"),
    ],
)
def test_a_slip_in_the_settings_is_found(tmp_path, old, new, line, column, code):
    assert old in TOML
    issues = refused(write_instance(tmp_path / "small", toml=TOML.replace(old, new)))
    found = [(i.line, i.column, i.code) for i in issues if i.file == "instance.toml"]
    if line is None and code == "E112":
        assert {c for _, _, c in found} == {code}
    else:
        assert (line, column, code) in found, [str(i) for i in issues]


def test_an_empty_list_of_countries_of_concern_is_fine(tmp_path):
    folder = write_instance(tmp_path / "small", toml=TOML.replace('["CHN"]', "[]"))
    assert load(folder).countries_of_concern == ()


# --- messages ---


def test_the_error_is_a_list_of_aligned_lines(tmp_path):
    tables = {
        **TABLES,
        "facilities": edited("facilities", 2, capacity_t='"1,200"'),
        "recipes": edited("recipes", 4, material="metl"),
    }
    folder = write_instance(tmp_path / "small", tables)
    with pytest.raises(InstanceError) as caught:
        load(folder)
    assert caught.value.exit_code == 2
    assert str(caught.value).splitlines() == [
        f"{folder}: 2 problems, nothing was solved",
        '  facilities.csv:2  capacity_t = "1,200"  not a number; write 1200 (no thousands separator)  [E104]',
        '  recipes.csv:4     material = "metl"     unknown material; did you mean "metal"?  [E201]',
    ]


def test_at_most_fifty_issues_are_shown():
    issues = [Issue("a.csv", line, "x", "y", "wrong", "", "E104") for line in range(60, 0, -1)]
    text = render(in_order(issues))
    assert text.splitlines()[0].startswith("  a.csv:1 ")
    assert len(text.splitlines()) == 51
    assert text.endswith("... and 10 more")


def test_control_characters_reach_no_terminal():
    assert printable("a\x1b[31m\u202eb") == "a\\x1b[31m\\u202eb"
    assert "\x1b" not in str(Issue("a.csv", 1, "x", "\x1b[2J", "wrong", "", "E104"))


def test_nearest_names():
    assert nearest("chn", ["CHN", "CHE"]) == "CHN"
    assert nearest("zzz", ["CHN"]) == ""


# --- the whole ---


def test_the_description_covers_every_column_with_a_meaning():
    tables = describe()
    assert [table.name for table in tables] == list(SCHEMA)
    for table in tables:
        assert table.meaning
        assert set(table.key) <= {c.name for c in table.columns}
        for column in table.columns:
            assert column.meaning, (table.name, column.name)
            assert column.required or column.default_text or column.kind == "text", (table.name, column.name)
            if column.name.endswith(("_t", "_usd_per_t", "_musd")):
                assert column.unit, (table.name, column.name)
    assert all(setting.meaning for setting in describe_settings())


def test_loading_needs_neither_pandas_nor_pyomo(tmp_path):
    folder = write_instance(tmp_path / "small")
    code = (
        f"import sys; from planner.instance.loading import load; load({str(folder)!r}); "
        "print(sorted({'pandas', 'pyomo', 'highspy', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- what must not end the reader ---


@pytest.mark.parametrize("text", [".".join(["a"] * 5000) + " = 1\n", "a = " + "[" * 5000 + "]" * 5000 + "\n"])
def test_settings_nested_thousands_deep_are_one_error(tmp_path, text):
    folder = write_instance(tmp_path / "small", TABLES, TOML + text)
    issue = only([i for i in refused(folder) if i.code == "E112"])
    assert issue.expected == "not TOML: keys or lists are nested more than 20 deep"
    with pytest.raises(InstanceError, match="nested more than 20 deep"):
        convert(folder, tmp_path / "b.xlsx")
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(UsageError, match=r"study\.toml is not TOML: keys or lists are nested"):
        read_asked(StudyFile, tmp_path / "study.toml")


@pytest.mark.parametrize("name", ["sectors.csv", "instance.toml"])
def test_a_link_out_of_the_folder_shows_nothing_of_its_target(tmp_path, name):
    folder = write_instance(tmp_path / "small")
    (tmp_path / "private").write_text("user,secret-of-another\n")
    (folder / name).unlink()
    (folder / name).symlink_to("../private")
    issues = refused(folder)
    assert [(i.file, i.code) for i in issues if "link" in i.expected] == [(name, "E101")]
    assert "secret" not in str(InstanceError(issues))


def test_a_link_within_the_folder_and_a_linked_folder_or_base_are_read(tmp_path):
    folder = write_instance(tmp_path / "small")
    (folder / "sectors.csv").rename(folder / "mine")
    (folder / "sectors.csv").symlink_to("mine")
    (tmp_path / "linked").symlink_to("small")
    write_instance(tmp_path / "over", {}, 'name = "over"\nbase = "../linked"\n')
    assert load(tmp_path / "linked").sectors == load(folder).sectors == load(tmp_path / "over").sectors != ()
