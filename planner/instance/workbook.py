"""Converts an instance folder into an Excel workbook and back, without loss.

The workbook has one sheet for each table, and the sheet ``instance`` for instance.toml. Every cell is written as text,
exactly as in the CSV file, so Excel neither guesses types nor runs what looks like a formula. Numbers that a user
types into Excel are read back too; formulas, dates and macros are refused.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from ..errors import InstanceError, Issue, OutputError, UsageError, did_you_mean
from .cells import cell_of
from .reading import SETTINGS_FILE
from .settings import describe_settings
from .tables import TABLES, columns

SETTINGS_SHEET = "instance"
LARGEST_UNPACKED = 500_000_000  # bytes; a workbook that unpacks to more is refused
LONGEST_CELL = 32_767  # characters, of Excel
EXTRA_ROWS = 1_000  # rows below the table that get drop-downs too


def convert(source: str | Path, target: str | Path, overwrite: bool = False) -> Path:
    """Convert an instance folder to a workbook, or a workbook to a folder; the ending ``.xlsx`` decides which.

    overwrite  whether an existing target is replaced; files in a folder that are not tables are kept

    Only the folder's own files are converted, not those of its ``base``. An unfinished instance can be converted, as
    only the form of files and cells is checked. Everything is written, or nothing.
    Raises UsageError if source and target do not fit, InstanceError if the source cannot be read, OutputError if the
    target exists or cannot be written.
    """
    source, target = Path(source), Path(target)
    to_workbook = target.suffix.lower() == ".xlsx"
    if to_workbook == (source.suffix.lower() == ".xlsx"):
        raise UsageError(f"{source} to {target}: one of the two has to end in .xlsx, the other is a folder")
    if not source.exists():
        raise UsageError(f"{source} does not exist")
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; choose another name, or --overwrite to replace it")
    if target.exists() and not to_workbook and not (target / SETTINGS_FILE).is_file():
        raise OutputError(f"{target} is not an instance's folder, so it is not replaced")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
            made = Path(name) / target.name
            (_to_workbook if to_workbook else _to_folder)(source, made)
            if target.is_dir():
                _carry_other_files(target, made)
                shutil.move(target, Path(name) / "replaced")
            made.replace(target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def _carry_other_files(old: Path, new: Path) -> None:
    """Copy the files that are not tables (a README, say) when a folder is replaced."""
    for path in old.iterdir():
        if path.suffix.lower() not in (".csv", ".toml"):
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, new / path.name)


# --- folder to workbook --------------------------------------------------------------------------------------


def _to_workbook(folder: Path, file: Path) -> None:
    """Write the workbook, with drop-downs for choices and comments that say what each column means."""
    import xlsxwriter

    if not (folder / SETTINGS_FILE).is_file():
        raise UsageError(f"{folder} is not an instance's folder: it has no {SETTINGS_FILE}")
    tables = {p.stem: _read_csv(p) for p in sorted(folder.glob("*.csv")) if p.stem in TABLES}
    try:
        settings = tomllib.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InstanceError([Issue(SETTINGS_FILE, None, "", None, str(error), "", "E104")], str(folder)) from None
    book = xlsxwriter.Workbook(
        str(file), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    head = book.add_format({"bold": True, "bottom": 1})
    text = book.add_format({"num_format": "@"})
    _settings_sheet(book, settings, head, text)
    heights = {name: len(rows) for name, rows in tables.items()}
    headers = {name: rows[0] for name, rows in tables.items()}
    for name in TABLES:
        if name not in tables:
            continue
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for r, row in enumerate(tables[name]):
            for c, cell in enumerate(row):
                if len(cell) > LONGEST_CELL:
                    raise OutputError(
                        f"{name}.csv, row {r + 1}: a cell of {len(cell):,} characters does not fit into Excel"
                    )
                if cell:
                    sheet.write_string(r, c, cell, text if r else head)
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


def _settings_sheet(book: Any, settings: dict[str, Any], head: Any, text: Any) -> None:
    sheet = book.add_worksheet(SETTINGS_SHEET)
    meaning = {(s.section, s.name): s.meaning for s in describe_settings()}
    rows = [("section", "key", "value (as in TOML)", "meaning")]
    for key, value in settings.items():
        if isinstance(value, dict):
            rows += [(key, k, _toml(v), meaning.get((key, k), "")) for k, v in value.items()]
        else:
            rows.append(("", key, _toml(value), meaning.get(("", key), "")))
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            sheet.write_string(r, c, cell, text if r else head)
    sheet.set_column(0, 1, 22, text)
    sheet.set_column(2, 3, 60, text)
    sheet.freeze_panes(1, 0)


def _toml(value: Any) -> str:
    """A value as TOML; text as a basic string, which JSON writes in the same way."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return str(value)


def _read_csv(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InstanceError([Issue(path.name, None, "", None, str(error), "", "E101")], str(path.parent)) from None
    if not rows:
        raise InstanceError([Issue(path.name, 1, "", None, "a header row is missing", "", "E102")], str(path.parent))
    return rows


# --- workbook to folder --------------------------------------------------------------------------------------


def _to_folder(file: Path, folder: Path) -> None:
    """Write the sheets of a workbook as the files of a new folder. Raises InstanceError with every problem found."""
    import openpyxl

    _check_archive(file)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
    except Exception as error:  # openpyxl raises many kinds for a damaged file
        raise UsageError(f"{file} is not a workbook that can be read: {error}") from None
    issues: list[Issue] = []
    folder.mkdir()
    try:
        for sheet in book.worksheets:
            rows = _cells(sheet, issues)
            if sheet.title == SETTINGS_SHEET:
                _write(folder / SETTINGS_FILE, _settings_text(rows, issues))
            elif sheet.title in TABLES:
                out = io.StringIO()
                csv.writer(out, lineterminator="\n").writerows(rows)
                _write(folder / f"{sheet.title}.csv", out.getvalue())
            else:
                hint = did_you_mean(sheet.title, [*TABLES, SETTINGS_SHEET])
                issues.append(Issue(sheet.title, None, "", None, "unknown sheet", hint, "E103"))
        if SETTINGS_SHEET not in book.sheetnames:
            issues.append(Issue(SETTINGS_SHEET, None, "", None, "this sheet is missing", "", "E103"))
    finally:
        book.close()
    if issues:
        raise InstanceError(issues, str(file))


def _check_archive(file: Path) -> None:
    """Raise UsageError if the file is not a plain workbook, before anything of it is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
            macros = any("vbaProject" in member.filename for member in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        raise UsageError(f"{file} is not an .xlsx workbook") from None
    if size > LARGEST_UNPACKED:
        raise UsageError(f"{file} unpacks to {size / 1e6:,.0f} MB; at most {LARGEST_UNPACKED / 1e6:,.0f} MB are read")
    if macros:
        raise UsageError(f"{file} holds macros; save it as a plain .xlsx")


def _cells(sheet: Any, issues: list[Issue]) -> list[list[str]]:
    """The cells of a sheet as text, cut to the width of the header, without blank rows."""
    rows: list[list[str]] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
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
    """instance.toml from its sheet: keys before any section first."""
    sections: dict[str, list[str]] = {"": []}
    for number, row in enumerate(rows[1:], start=2):
        section, key, value = (*row, "", "", "")[:3]
        line = f"{key} = {value}"
        try:
            tomllib.loads(line)
        except tomllib.TOMLDecodeError:
            expected = 'expected a value as TOML: a number, true, ["a", "b"], or text in double quotes'
            issues.append(Issue(SETTINGS_SHEET, number, key, value, expected, "", "E104"))
            continue
        sections.setdefault(section, []).append(line)
    parts = ["\n".join(sections.pop(""))]
    parts += [f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items()]
    return "\n".join(part for part in parts if part) + "\n"


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
