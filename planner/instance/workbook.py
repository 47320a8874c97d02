"""Converts an instance folder into an Excel workbook and back, without loss.

The workbook has one sheet for each table, and the sheet ``instance`` for instance.toml. Every cell is written as text,
exactly as in the CSV file, so Excel neither guesses types nor runs what looks like a formula; what is written is read
back and compared. Numbers that a user types into Excel are read too; formulas, dates and macros are refused. Comments
of instance.toml are rows of their own. `convert` is also how a folder gets the description of its tables as a data
package.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..arguments import checked
from ..errors import InstanceError, Issue, OutputError, UsageError, did_you_mean
from ..writing import check_folder, whole_file, write_folder
from . import datapackage
from .cells import cell_of
from .reading import SETTINGS_FILE, Place, is_data, read_folder, read_toml
from .settings import describe_settings
from .tables import TABLES, columns

ENDING = ".xlsx"
SETTINGS_SHEET = "instance"
SETTINGS_HEADER = ("section", "key", "value (as in TOML)", "meaning")
LARGEST_UNPACKED = 200_000_000  # bytes; a workbook that unpacks to more is refused, as a table of that size is
MOST_ROWS, MOST_COLUMNS = 200_000, 100  # of a sheet; far above any real table, far below what would take minutes
LONGEST_CELL = 32_767  # characters, of Excel
EXTRA_ROWS = 1_000  # rows below the table that get drop-downs too


@checked
def convert(source: str | Path, target: str | Path, overwrite: bool = False) -> Path:
    """Convert an instance folder to a workbook, or a workbook to a folder; the ending ``.xlsx`` decides which.

    overwrite  whether an existing target is replaced; all in a folder that is no table and no settings is kept

    A target ``datapackage.json`` in the folder itself describes its tables for other programs, as a data package
    (Frictionless); what an older one says beside the tables, such as a licence, is kept.

    Only the folder's own files are converted, not those of its ``base``. An unfinished instance can be converted, as
    only the form of files and cells is checked. Everything is written, or nothing, and what cannot be carried over is
    refused: a file that `load` does not know, a text that Excel changes, a table in the target without a sheet.
    Raises UsageError if source and target do not fit, InstanceError if the source cannot be read, OutputError if the
    target exists or cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.name == datapackage.FILE:
        _describe(source, target, overwrite)
        return target
    to_workbook = target.suffix.lower() == ENDING
    if to_workbook == (source.suffix.lower() == ENDING):
        raise UsageError(
            f"{source} to {target}: one of the two has to end in {ENDING}, the other is a folder; "
            f"or the second is {datapackage.FILE} in the folder"
        )
    if not source.exists():
        raise UsageError(f"{source} does not exist")
    if to_workbook:
        with whole_file(target, overwrite, (ENDING,), begins="PK") as made:
            _to_workbook(source, made)
        return target
    check_folder(target, SETTINGS_FILE, overwrite)
    files = _files(source)
    carried = _kept(target, files)
    settings = files.pop(SETTINGS_FILE)
    return write_folder(target, files, SETTINGS_FILE, lambda: settings, overwrite, carried)


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
    return [path.name for path in entries if not is_data(path)]


def _describe(folder: Path, file: Path, overwrite: bool) -> None:
    """Write the description of a folder's tables beside them; what an older one says beside the tables is kept."""
    if file.parent.resolve() != folder.resolve():
        raise UsageError(f"{file} would not lie beside the tables; write {folder / datapackage.FILE}")
    kept: dict[str, Any] = {}
    if overwrite and file.is_file():
        try:
            kept = dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(f"{file} is not replaced, because it is no data package; move it away") from error
    text = datapackage.package(folder, kept)
    with whole_file(file, overwrite, (file.suffix,), begins="{") as made:
        made.write_text(text, encoding="utf-8", newline="\n")


# --- folder to workbook --------------------------------------------------------------------------------------


def _to_workbook(folder: Path, file: Path) -> None:
    """Write the workbook, with drop-downs for choices and comments that say what each column means."""
    import xlsxwriter

    issues: list[Issue] = []
    layer = read_folder(folder, TABLES)
    text_of = dict(layer.contents)[SETTINGS_FILE].decode("utf-8-sig")
    settings = [Place(SETTINGS_FILE, 1, SETTINGS_HEADER, SETTINGS_HEADER), *_settings_rows(text_of)]
    if read_toml(_settings_text([list(row.cells) for row in settings], issues)) != read_toml(text_of):
        expected = "is written in a way that does not fit into the rows of a sheet"
        issues.append(Issue(SETTINGS_FILE, None, "", None, expected, "write each key on a line of its own", "E112"))
    sheets = {SETTINGS_SHEET: settings}
    for name in TABLES:
        if name in layer.tables:
            raw = layer.tables[name]
            sheets[name] = [Place(raw.file, raw.line, raw.header, raw.header), *(r for r in raw.rows if any(r.cells))]
    for rows in sheets.values():
        if len(rows) > MOST_ROWS or len(rows[0].header) > MOST_COLUMNS:
            limit = f"a workbook takes at most {MOST_ROWS:,} rows and {MOST_COLUMNS} columns of a table"
            issues.append(Issue(rows[0].file, None, "", None, limit, "", "E101"))
        issues += [issue for row in rows for issue in _too_long(row)]
    if issues:
        raise InstanceError(issues, str(folder))
    book = xlsxwriter.Workbook(
        str(file), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    head = book.add_format({"bold": True, "bottom": 1})
    text = book.add_format({"num_format": "@"})
    heights = {name: len(rows) for name, rows in sheets.items()}
    headers = {name: list(rows[0].header) for name, rows in sheets.items()}
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row.cells):
                if cell:
                    sheet.write_string(r, c, cell, text if r else head)
        if name == SETTINGS_SHEET:
            sheet.set_column(0, 1, 22, text)
            sheet.set_column(2, 3, 60, text)
            continue
        for c, column_name in enumerate(headers[name]):
            column = columns(name).get(column_name)
            sheet.set_column(c, c, max(10, min(40, len(column_name) + 2)), text)
            if column is None:
                continue
            parts = [column.meaning, column.unit and f"unit: {column.unit}", column.range and f"range: {column.range}"]
            parts.append("required" if column.required else f"default: {column.default_text or 'blank'}")
            sheet.write_comment(0, c, "\n".join(p for p in parts if p))
            choices = _choices(column, heights, headers)
            if choices is not None:
                sheet.data_validation(
                    1,
                    c,
                    heights[name] + EXTRA_ROWS,
                    c,
                    {"validate": "list", "source": choices, "error_type": "warning"},
                )
    book.close()
    issues = _changed(sheets, _sheets(file, []))
    if issues:
        raise InstanceError(issues, str(folder))


def _too_long(row: Place) -> Iterator[Issue]:
    for name, cell in zip(row.header, row.cells, strict=True):
        if len(cell) > LONGEST_CELL:
            expected = f"a cell of {len(cell):,} characters does not fit into Excel, at most {LONGEST_CELL:,} do"
            yield Issue(row.file, row.line, name, cell, expected, "", "E111")


def _changed(sheets: Mapping[str, Sequence[Place]], found: Mapping[str, Sequence[Sequence[str]]]) -> list[Issue]:
    """Return an issue for each cell that does not come back from the workbook as it went in."""
    return [
        Issue(row.file, row.line, name, cell, "Excel does not keep this text as it is", "write it otherwise", "E111")
        for sheet, rows in sheets.items()
        for row, back in zip(rows, found[sheet], strict=True)
        for name, cell, read in zip(row.header, row.cells, back, strict=True)
        if cell != read
    ]


def _choices(column: Any, heights: dict[str, int], headers: dict[str, list[str]]) -> Any:
    """Return what a drop-down of Excel offers: flags, choices, or a range with the keys of the table referred to.

    heights, headers  table -> number of rows of its sheet, and its header
    None: the column gets no drop-down.
    """
    if column.kind == "flag":
        return ["yes", "no"]
    if column.choices:
        return list(column.choices)
    for table in column.refers:
        key = TABLES[table].KEY[0] if table in TABLES else ""
        if len(column.refers) == 1 and key in headers.get(table, ()):
            letter = _letters(headers[table].index(key))
            return f"='{table}'!${letter}$2:${letter}${heights[table] + EXTRA_ROWS}"
    return None


def _letters(position: int) -> str:
    """Excel's name of a column.

    >>> _letters(0), _letters(27)
    ('A', 'AB')
    """
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(65 + rest) + name
    return name


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


# --- workbook to folder --------------------------------------------------------------------------------------


def _files(file: Path) -> dict[str, str]:
    """Return file name -> text of the folder that a workbook stands for. Raises InstanceError with every problem."""
    issues: list[Issue] = []
    files: dict[str, str] = {}
    for name, rows in _sheets(file, issues).items():
        if name == SETTINGS_SHEET:
            files[SETTINGS_FILE] = _settings_text(rows, issues)
        elif name in TABLES:
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(rows)
            files[f"{name}.csv"] = out.getvalue()
        else:
            hint = did_you_mean(name, [*TABLES, SETTINGS_SHEET])
            issues.append(Issue(name, None, "", None, "unknown sheet", hint, "E103"))
    if SETTINGS_FILE not in files:
        issues.append(Issue(SETTINGS_SHEET, None, "", None, "this sheet is missing", "", "E103"))
    if issues:
        raise InstanceError(issues, str(file))
    return files


def _sheets(file: Path, issues: list[Issue]) -> dict[str, list[list[str]]]:
    """Return the cells of each sheet as text; problems go to ``issues``. Raises UsageError if it is damaged."""
    import openpyxl

    _check_archive(file)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        try:
            names = {sheet.title: sheet for sheet in book.worksheets}
            return {
                name: _cells(names[name], issues) if name in names else []  # a sheet with a chart has no cells
                for name in book.sheetnames
            }
        finally:
            book.close()
    except Exception as error:  # openpyxl raises many kinds for a damaged file
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise UsageError(f"{file} is damaged, or no workbook that can be read: {reason}") from None


def _check_archive(file: Path) -> None:
    """Raise UsageError if the file is not a plain workbook, before anything of it is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
            macros = any("vbaProject" in member.filename for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise UsageError(f"{file} is not an .xlsx workbook") from None
    if size > LARGEST_UNPACKED:
        raise UsageError(f"{file} unpacks to {size / 1e6:,.0f} MB; at most {LARGEST_UNPACKED / 1e6:,.0f} MB are read")
    if macros:
        raise UsageError(f"{file} holds macros; save it as a plain .xlsx")


def _cells(sheet: Any, issues: list[Issue]) -> list[list[str]]:
    """The cells of a sheet as text, cut to the width of the header, without blank rows."""
    sheet.reset_dimensions()  # as stated in the file, which may be wrong, and then every row would be as wide
    rows: list[list[str]] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number > MOST_ROWS or len(cells) > MOST_COLUMNS:
            place = f"a cell beyond row {MOST_ROWS:,} or column {_letters(MOST_COLUMNS - 1)}"
            hint = "delete what stands there; a blank cell with a format counts too"
            issues.append(Issue(sheet.title, number, "", None, place, hint, "E101"))
            break
        row = [_text(sheet.title, number, cell, issues) for cell in cells]
        if not any(row):
            continue
        if not rows:
            while row and not row[-1]:
                row.pop()
        elif any(row[len(rows[0]) :]):
            issues.append(
                Issue(sheet.title, number, "", None, "a cell beyond the last column of the header", "", "E108")
            )
        rows.append((row + [""] * len(rows[0]))[: len(rows[0])] if rows else row)
    return rows


def _text(sheet: str, number: int, cell: Any, issues: list[Issue]) -> str:
    value = cell.value
    if value is None:
        return ""
    problem = {"f": "a formula", "d": "a date", "e": "an error value"}.get(cell.data_type, "")
    if problem:
        where = f"{_letters(cell.column - 1)}{number}"
        issues.append(
            Issue(sheet, number, where, str(value), f"{problem}; expected text or a number", "write the value", "E110")
        )
        return ""
    if isinstance(value, str):
        return value
    return cell_of(value)


def _settings_text(rows: list[list[str]], issues: list[Issue]) -> str:
    """instance.toml from its sheet: keys before any section first, then each section with its rows together."""
    blocks: list[tuple[str, list[str]]] = [("", [])]
    latest = {"": 0}  # section -> position of its block; an array of tables has one block for each heading
    before = len(issues)
    for number, row in enumerate(rows[1:], start=2):
        section, key, value = (*row, "", "", "")[:3]
        if section not in latest or (not key and section.startswith("[")):
            latest[section] = len(blocks)
            blocks.append((f"[{section}]", []))
        name, lines = blocks[latest[section]]
        if not key:
            if value:
                blocks[latest[section]] = (f"{name} {value}", lines)
        elif key.startswith("#"):
            lines.append(key)
        else:
            line = f"{key} = {value}"
            if not _one_setting(line):
                expected = 'expected a value as TOML: a number, true, ["a", "b"], or text in double quotes'
                issues.append(Issue(SETTINGS_SHEET, number, key, value, expected, "", "E104"))
            lines.append(line)
    text = "\n\n".join("\n".join([name, *lines] if name else lines) for name, lines in blocks if name or lines) + "\n"
    if len(issues) == before:
        try:
            read_toml(text)
        except ValueError as error:
            issues.append(Issue(SETTINGS_SHEET, None, "", None, f"not TOML: {error}", "", "E112"))
    return text


def _one_setting(line: str) -> bool:
    """Return whether a text is one key with its value in TOML, and nothing after it."""
    try:
        found = read_toml(line)
    except ValueError:
        return False
    return len(found) == 1
