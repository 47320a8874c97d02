"""Converts an instance folder into an Excel workbook and back, without loss.

The workbook has one sheet for each table, and the sheet ``instance`` for instance.toml; `sheets` reads it. Numbers are
written as numbers with a format by their kind, all else as text, so that Excel neither guesses a type nor runs what
looks like a formula; what is written is read back and compared. Comments of instance.toml are rows of their own.

Sheets whose names begin with ``_`` only help: ``_contents`` lists the tables with links, ``_readme`` holds README.md,
and in the workbook of an overlay ``_base TABLE`` shows the rows of its base, and ``_keys`` what its drop-downs offer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InstanceError, Issue, OutputError, PlannerError, UsageError, render
from ..writing import check_folder, whole_file, write_folder
from .cells import BadCellError, parse_number
from .declare import Column
from .instance import Instance
from .loading import based_on, load
from .reading import SETTINGS_FILE, Place, is_data, read_folder, read_toml
from .settings import BASE, describe_settings
from .sheets import (
    MOST_COLUMNS,
    MOST_ROWS,
    README,
    README_SHEET,
    SETTINGS_SHEET,
    is_book,
    letters_of,
    read_book,
    read_sheets,
    readme,
    settings_text,
)
from .tables import TABLES, cells, columns, describe

ENDING = ".xlsx"
SETTINGS_HEADER = ("section", "key", "value (as in TOML)", "meaning")
LONGEST_CELL = 32_767  # characters, of Excel
EXTRA_ROWS = 1_000  # rows below the table that get formats and drop-downs too
REQUIRED, OPTIONAL, HELP = "#F8CBAD", "#DDEBF7", "#EDEDED"  # behind the names of columns, and of sheets that only help
AMOUNT = "[>=1000]#,##0;General"  # all digits where a number is small, and thousands apart where it is large
FORMATS = {"fraction": "0.0##%", "year": "0", "years": "0", "months": "0"}  # by unit


def convert(source: Path, target: Path, overwrite: bool, progress: Callable[[str], None] | None) -> Path:
    """Convert an instance folder to a workbook, or a workbook (.xlsx or .ods) to a folder; the endings decide which.

    The arguments and errors are those of `planner.convert`, which takes runs too.
    """
    to_workbook = target.suffix.lower() == ENDING
    if to_workbook == is_book(source) or is_book(target) != to_workbook:
        raise UsageError(
            f"{source} to {target}: expected a folder and a workbook to write that ends in {ENDING}, "
            "or a workbook (.xlsx or .ods) and a folder to write"
        )
    if not source.exists():
        raise UsageError(f"{source} does not exist")
    tell = progress or (lambda line: None)
    if to_workbook:
        with whole_file(target, overwrite, (ENDING,), begins=("PK",)) as made:
            _to_workbook(source, made, tell)
        return target
    check_folder(target, SETTINGS_FILE, overwrite)
    files = files_of(source, tell)
    carried = _kept(target, files)
    settings = files.pop(SETTINGS_FILE)
    return write_folder(target, files, SETTINGS_FILE, lambda: settings, overwrite, carried)


def files_of(file: Path, tell: Callable[[str], None]) -> dict[str, str]:
    """Return file name -> text of the folder that a workbook stands for. Raises InstanceError with every problem."""
    issues: list[Issue] = []
    layer = read_book(file, "", issues)
    if errors := [issue for issue in issues if issue.severity == "error"]:
        raise InstanceError(errors, str(file))
    if issues:
        tell(f"{file}:\n{render(issues)}")
    files = {name: content.decode() for name, content in layer.contents}
    return files | ({README: text} if (text := readme(file)) else {})


def _kept(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return what stays in a folder whose tables are replaced. Raises OutputError for a table that would be lost."""
    if not folder.is_dir():
        return []
    entries = sorted(folder.iterdir())
    lost = [path.name for path in entries if is_data(path) and path.name not in files]
    if lost:
        raise OutputError(
            f"{folder} holds {', '.join(lost)}, which the workbook does not, so it is not replaced; "
            "move that elsewhere, or add its sheet to the workbook"
        )
    return [path.name for path in entries if not is_data(path) and path.name not in files]


class _Sheet(NamedTuple):
    """A sheet with a table: its header, then its rows; ``base`` marks one that shows rows of the base."""

    table: str
    rows: Sequence[Place]
    base: bool = False

    @property
    def name(self) -> str:
        return f"_base {self.table}" if self.base else self.table

    @property
    def header(self) -> tuple[str, ...]:
        return self.rows[0].header


def _to_workbook(folder: Path, file: Path, tell: Callable[[str], None]) -> None:
    """Write the workbook. Raises UsageError or InstanceError if it cannot hold what is in the folder."""
    issues: list[Issue] = []
    layer = read_folder(folder, TABLES)
    text_of = dict(layer.contents)[SETTINGS_FILE].decode("utf-8-sig")
    settings = [Place(SETTINGS_FILE, 1, SETTINGS_HEADER, SETTINGS_HEADER), *_settings_rows(text_of)]
    back, _ = settings_text([(n, list(row.cells)) for n, row in enumerate(settings, start=1)], SETTINGS_SHEET, issues)
    if read_toml(back) != read_toml(text_of):
        expected = "is written in a way that does not fit into the rows of a sheet"
        issues.append(Issue(SETTINGS_FILE, None, "", None, expected, "write each key on a line of its own", "E112"))
    written = {
        name: _Sheet(name, [Place(raw.file, raw.line, raw.header, raw.header), *(r for r in raw.rows if any(r.cells))])
        for name, raw in ((name, layer.tables[name]) for name in TABLES if name in layer.tables)
    }
    for rows in (settings, *(sheet.rows for sheet in written.values())):
        if len(rows) > MOST_ROWS or len(rows[0].header) > MOST_COLUMNS:
            limit = f"a workbook takes at most {MOST_ROWS:,} rows and {MOST_COLUMNS} columns of a table"
            issues.append(Issue(rows[0].file, None, "", None, limit, "", "E101"))
        issues += [issue for row in rows for issue in _too_long(row)]
    if issues:
        raise InstanceError(issues, str(folder))
    based = layer.settings.get(("", BASE))
    base = _base(folder, str(based.value)) if based is not None else None
    if based is not None and base is None:
        tell(f"{folder}: its base {based.value} cannot be read, so the workbook does not show the rows of the base")
    told = (folder / README).read_text(encoding="utf-8", errors="replace") if (folder / README).is_file() else ""
    _write(file, text_of, settings, written, base, told)
    found = read_sheets(file, "", [])
    expected_rows = {SETTINGS_SHEET: settings, **{name: sheet.rows for name, sheet in written.items()}}
    if changed := list(_changed(expected_rows, found)):
        raise InstanceError(changed, str(folder))


def _base(folder: Path, named: str) -> Instance | None:
    """Return the base of an overlay; None if it cannot be read, since an unfinished instance can be converted."""
    try:
        return load(based_on(folder, named))
    except PlannerError:
        return None


def _write(
    file: Path,
    toml: str,
    settings: Sequence[Place],
    written: Mapping[str, _Sheet],
    base: Instance | None,
    told: str,
) -> None:
    """Write all sheets: those of the instance, and those that help.

    toml     text of instance.toml
    written  the tables of the instance
    base     the base of an overlay, whose rows are shown
    told     text of its README
    """
    import xlsxwriter

    own, shown = dict(written), []
    if base is not None:
        held = {name: base.all_rows(name) for name in TABLES}
        for name in (name for name in TABLES if held[name]):
            header = _used(name, [cells(row) for row in held[name]])
            rows = [Place("", None, header, tuple(cells(row)[c] for c in header)) for row in held[name]]
            shown.append(_Sheet(name, [Place("", None, header, header), *rows], base=True))
            own.setdefault(name, _Sheet(name, [Place("", None, header, header)]))
    sheets = [own[name] for name in TABLES if name in own]
    keys = _keys(sheets, shown)
    guard = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    book = xlsxwriter.Workbook(str(file), guard)
    _contents(book, read_toml(toml), sheets, shown)
    _settings_sheet(book, settings)
    for sheet in sheets:
        _table_sheet(book, sheet, _ranges(sheets, keys))
    for sheet in shown:
        _table_sheet(book, sheet, {})
    if keys:
        _columns_of_keys(book, keys)
    if told:
        page = book.add_worksheet(README_SHEET)
        page.set_tab_color(HELP)
        page.set_column(0, 0, 120)
        for number, line in enumerate(told.splitlines()):
            page.write_string(number, 0, line[:LONGEST_CELL])
    book.close()


def _used(table: str, rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the columns of a table that are required, or used by some of these rows."""
    return tuple(name for name, column in columns(table).items() if column.required or any(row[name] for row in rows))


def _contents(book: Any, settings: Mapping[str, Any], sheets: Sequence[_Sheet], shown: Sequence[_Sheet]) -> None:
    """Write the sheet that lists all tables, with links, and says what the colours mean."""
    page = book.add_worksheet("_contents")
    page.set_tab_color(HELP)
    bold, link = book.add_format({"bold": True}), book.add_format({"font_color": "#0563C1", "underline": 1})
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": HELP})
    page.set_column(0, 0, 26)
    page.set_column(1, 1, 8)
    page.set_column(2, 2, 22)
    page.set_column(3, 3, 120)
    page.write_string(0, 0, str(settings.get("title") or settings.get("name") or ""), bold)
    page.write_string(1, 0, str(settings.get("description", "")))
    fills = [book.add_format({"bg_color": colour}) for colour in (REQUIRED, OPTIONAL)]
    lines = (
        ("Each sheet below is a table of the instance; the first row names its columns.", None),
        ("required column", fills[0]),
        ("optional column: a blank cell means the default, which the comment of the header tells", fills[1]),
        ("Formulas may be used: their stored values are read. Sheets whose names begin with _ are not read.", None),
        ("planner solve FILE.xlsx solves this workbook; planner convert FILE.xlsx FOLDER makes a folder of it.", None),
    )
    for row, (line, fill) in enumerate(lines, start=3):
        page.write_string(row, 0, line, fill)
    start = len(lines) + 4
    for c, title in enumerate(("sheet", "rows", "needed", "what a row is")):
        page.write_string(start, c, title, head)
    page.freeze_panes(start + 1, 0)
    page.write_url(start + 1, 0, f"internal:'{SETTINGS_SHEET}'!A1", link, SETTINGS_SHEET)
    page.write_string(start + 1, 2, "required")
    page.write_string(start + 1, 3, "The settings: years, stages, finance, countries of concern.")
    held = {sheet.table: sheet for sheet in sheets}
    bases = {sheet.table: sheet for sheet in shown}
    row = start + 2
    for table in describe():
        for sheet in (held.get(table.name), bases.get(table.name)):
            if sheet is not None:
                page.write_url(row, 0, f"internal:'{sheet.name}'!A1", link, sheet.name)
                page.write_number(row, 1, len(sheet.rows) - 1)
                needed = "" if shown else table.required
                page.write_string(row, 2, "rows of the base, to see" if sheet.base else needed)
                page.write_string(row, 3, "" if sheet.base else " ".join(table.meaning.split()))
                row += 1
        if table.name not in held:
            page.write_string(row, 0, table.name)
            page.write_string(row, 2, "not used here")
            names = ", ".join(column.name for column in table.columns)
            page.write_string(row, 3, f"{' '.join(table.meaning.split())} Columns: {names}")
            row += 1


def _settings_sheet(book: Any, settings: Sequence[Place]) -> None:
    sheet = book.add_worksheet(SETTINGS_SHEET)
    sheet.freeze_panes(1, 0)
    text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "bottom": 1})
    sheet.set_column(0, 1, 22, text)
    sheet.set_column(2, 3, 60, text)
    for r, row in enumerate(settings):
        for c, cell in enumerate(row.cells):
            if cell:
                sheet.write_string(r, c, cell, text if r else head)


def _table_sheet(book: Any, of: _Sheet, ranges: Mapping[str, str]) -> None:
    """Write a table: numbers as numbers, drop-downs for choices, comments that say what each column means."""
    sheet = book.add_worksheet(of.name)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(of.rows) - 1), len(of.header) - 1)
    if of.base:
        sheet.set_tab_color(HELP)
    for c, name in enumerate(of.header):
        column = columns(of.table).get(name)
        grey = {"font_color": "#595959"} if of.base else {}
        shape = book.add_format({"num_format": _number_format(column), **grey})
        fill = OPTIONAL if column is None or not column.required else REQUIRED
        sheet.write_string(0, c, name, book.add_format({"bold": True, "bottom": 1, "bg_color": fill}))
        longest = max(len(row.cells[c]) for row in of.rows)
        sheet.set_column(c, c, max(10, min(40, longest + 3)), shape)
        for r, row in enumerate(of.rows[1:], start=1):
            if (value := _as_number(column, row.cells[c])) is not None:
                sheet.write_number(r, c, value, shape)
            elif row.cells[c]:
                sheet.write_string(r, c, row.cells[c], shape)
        if column is None:
            continue
        parts = [column.meaning, column.unit and f"unit: {column.unit}", column.range and f"range: {column.range}"]
        parts.append("required" if column.required else f"default: {column.default_text or 'blank'}")
        sheet.write_comment(0, c, "\n".join(p for p in parts if p))
        choices = None if of.base else _choices(column, ranges)
        if choices is not None:
            rule = {"validate": "list", "source": choices, "error_type": "warning"}
            sheet.data_validation(1, c, len(of.rows) + EXTRA_ROWS, c, rule)


def _number_format(column: Column | None) -> str:
    """Return the format of Excel for the cells of a column; all but numbers are text."""
    if column is None or column.kind not in ("number", "whole"):
        return "@"
    return FORMATS.get(column.unit, "0" if column.kind == "whole" else AMOUNT)


def _as_number(column: Column | None, cell: str) -> float | None:
    """Return the number that a cell holds; None for a text, and for a number of more digits than a workbook keeps."""
    if column is None or column.kind not in ("number", "whole") or not cell:
        return None
    try:
        value = parse_number(cell)
    except BadCellError:
        return None
    return value if float(f"{value:.16G}") == value else None


def _too_long(row: Place) -> Iterator[Issue]:
    for name, cell in zip(row.header, row.cells, strict=True):
        if len(cell) > LONGEST_CELL:
            expected = f"a cell of {len(cell):,} characters does not fit into Excel, at most {LONGEST_CELL:,} do"
            yield Issue(row.file, row.line, name, cell, expected, "", "E111")


def _changed(sheets: Mapping[str, Sequence[Place]], found: Mapping[str, Sequence[Any]]) -> Iterator[Issue]:
    """Yield an issue for each cell that does not come back from the workbook as it went in."""
    for sheet, rows in sheets.items():
        known = columns(sheet) if sheet in TABLES else {}
        back = dict(found[sheet])
        for number, row in enumerate(rows, start=1):
            read = (*back.get(number, ()), *("" for _ in row.header))
            for name, cell, other in zip(row.header, row.cells, read, strict=False):
                one, two = (_as_number(known.get(name), text) for text in (cell, other))
                if cell != other and cell.strip() and (one is None or one != two):
                    expected = "Excel does not keep this text as it is"
                    yield Issue(row.file, row.line, name, cell, expected, "write it otherwise", "E111")


# --- drop-downs ----------------------------------------------------------------------------------------------


def _choices(column: Column, ranges: Mapping[str, str]) -> Any:
    """Return what a drop-down of Excel offers: flags, choices, or the keys of the table referred to; None for none."""
    if column.kind == "flag":
        return ["yes", "no"]
    if column.choices:
        return list(column.choices)
    return ranges.get(column.refers[0]) if len(column.refers) == 1 else None


def _ranges(sheets: Sequence[_Sheet], keys: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return table -> the range with its keys: in ``_keys``, if there are any, else in the table's own sheet."""
    if keys:
        places = {table: (letters_of(c), len(names)) for c, (table, names) in enumerate(keys.items())}
        return {table: f"='_keys'!${at}$2:${at}${count + 1}" for table, (at, count) in places.items()}
    found = {}
    for sheet in sheets:
        key = TABLES[sheet.table].KEY[0]
        if key in sheet.header:
            at = letters_of(sheet.header.index(key))
            found[sheet.table] = f"='{sheet.table}'!${at}$2:${at}${len(sheet.rows) + EXTRA_ROWS}"
    return found


def _keys(sheets: Sequence[_Sheet], shown: Sequence[_Sheet]) -> dict[str, list[str]]:
    """Return table -> the keys that rows of an overlay may refer to, its own and those of its base; else nothing."""
    keys: dict[str, dict[str, None]] = {}
    for sheet in (*shown, *(sheets if shown else ())):
        key = TABLES[sheet.table].KEY[0]
        if columns(sheet.table)[key].kind == "key" and key in sheet.header:
            at = sheet.header.index(key)
            keys.setdefault(sheet.table, {}).update(dict.fromkeys(row.cells[at] for row in sheet.rows[1:]))
    return {table: sorted(names) for table, names in keys.items()}


def _columns_of_keys(book: Any, keys: Mapping[str, Sequence[str]]) -> None:
    page = book.add_worksheet("_keys")
    page.hide()
    for c, (table, names) in enumerate(keys.items()):
        for r, name in enumerate((table, *names)):
            page.write_string(r, c, name)


# --- instance.toml -------------------------------------------------------------------------------------------


_KEY = re.compile(r"""((?:"(?:\\.|[^"\\])*"|'[^']*'|[\w.\s-])+?)\s*=\s*""")


def _settings_rows(text: str) -> list[Place]:
    """instance.toml as rows of its sheet: a heading has no key, a comment stands as the key, all is kept as written.

    text  valid TOML
    """
    meaning = {(s.section, s.name): s.meaning for s in describe_settings()}
    rows: list[Place] = []
    section, first = "", 1
    open_lines: list[str] = []

    def add(key: str, value: str) -> None:
        cells = (section, key, value, meaning.get((section, key), ""))
        rows.append(Place(SETTINGS_FILE, first, SETTINGS_HEADER, cells))

    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        if not open_lines:
            first, bare = number, line.strip()
            if not bare:
                continue
            if bare.startswith("#"):
                add(bare, "")
                continue
            if bare.startswith("["):
                end = bare.index("]]") + 1 if bare.startswith("[[") else bare.index("]")
                section = bare[1:end].strip()
                add("", bare[end + 1 :].strip())
                continue
        open_lines.append(line)
        written = "\n".join(open_lines)
        try:
            read_toml(written)
        except ValueError:
            continue  # the value goes on in the next line
        found = _KEY.match(written)
        if found:
            add(found[1].strip(), written[found.end() :].strip())
        open_lines = []
    return rows
