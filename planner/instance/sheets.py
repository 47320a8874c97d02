"""Reads a workbook (.xlsx or .ods) as an instance: a sheet for each table, and ``instance`` for instance.toml.

Cells become the texts that a CSV file would hold. The stored value of a formula is taken, and told; what cannot be a
value (the error of a formula, a formula that was never computed) is refused. Sheets that are no table are left alone:
those whose names begin with ``_`` silently, others with a warning.
"""

from __future__ import annotations

import csv
import datetime
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import Issue, Sheet, UsageError, nearest
from ..words import counted
from . import opendocument
from .cells import cell_of
from .opendocument import Cell
from .reading import SETTINGS_FILE, Layer, Place, RawTable, header_ok, read_settings, read_toml
from .settings import BASE
from .tables import TABLES, columns

BOOKS = (".xlsx", ".ods")
OTHER_BOOKS = (".xls", ".xlsm", ".xlsb", ".numbers")  # known as spreadsheets, but not read
SETTINGS_SHEET = "instance"
README, README_SHEET = "README.md", "_readme"
VALUE = 2  # the position of the value in a row of the sheet of settings
LARGEST_UNPACKED = 200_000_000  # bytes; a workbook that unpacks to more is refused, as a table of that size is
MOST_ROWS, MOST_COLUMNS = 200_000, 100  # of a sheet; far above any real table, far below what would take minutes
ABOVE = 20  # how far down the header of a table is looked for

Row = tuple[int, list[str]]  # number of the row in its sheet, and its cells


def is_book(path: Path) -> bool:
    """Return whether a path names a workbook, by its ending."""
    return path.suffix.lower() in BOOKS


def letters_of(position: int) -> str:
    """Return the letters of a column, which is counted from 0.

    >>> letters_of(0), letters_of(27)
    ('A', 'AB')
    """
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(65 + rest) + name
    return name


def read_book(file: Path, prefix: str, issues: list[Issue]) -> Layer:
    """Read a workbook as one layer of an instance, as `reading.read_layer` reads a folder; problems go to ``issues``.

    prefix  put before the names of its sheets in messages
    Raises UsageError if it is damaged.
    """
    layer = Layer(file, prefix)
    found = _tables(read_sheets(file, prefix, issues), prefix, issues)
    for name, rows in found.items():
        if name == SETTINGS_SHEET:
            _read_settings(layer, rows, issues)
        elif (table := _table(name, layer.file_of(name), rows, issues)) is not None:
            layer.tables[name] = table
        elif rows:
            layer.broken.add(name)
    if SETTINGS_SHEET not in found:
        issues.append(Issue(layer.file_of(SETTINGS_SHEET), None, "", None, "this sheet is missing", "", "E103"))
        layer.broken.add(SETTINGS_FILE)
    if ("", BASE) in layer.settings:  # the sheets of an overlay that hold no row are there to be filled
        layer.tables = {name: table for name, table in layer.tables.items() if table.rows}
    layer.contents += [(f"{name}.csv", _csv(table).encode()) for name, table in layer.tables.items()]
    layer.contents.sort()
    return layer


def readme(file: Path) -> str:
    """Return the text of the README that a workbook carries, "" if it has none."""
    rows = read_sheets(file, "", []).get(README_SHEET, [])
    lines = {number: cells[0] if cells else "" for number, cells in rows}
    return "".join(f"{lines.get(number, '')}\n" for number in range(1, max(lines, default=0) + 1))


def _csv(table: RawTable) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([table.header, *(row.cells for row in table.rows)])
    return out.getvalue()


# --- which sheet is which table -------------------------------------------------------------------------------


def _tables(sheets: Mapping[str, list[Row]], prefix: str, issues: list[Issue]) -> dict[str, list[Row]]:
    """Return table, or ``instance`` -> rows of its sheet; other sheets are told in ``issues``."""
    known = [*TABLES, SETTINGS_SHEET]
    found: dict[str, list[Row]] = {}
    others: dict[str, str] = {}
    for title, rows in sheets.items():
        name = _meant(title)
        if name in found:
            expected = f"a second sheet for the table {name}; there may be one"
            issues.append(Issue(Sheet(prefix + title), None, "", None, expected, "put _ before its name", "E103"))
        elif name in known and rows:
            found[name] = rows
        elif name not in known and rows and not name.startswith("_"):
            others[name] = title
    for name, title in others.items():
        meant = nearest(name, known) or next((k for k in known if name.startswith(k)), "")
        if meant and meant not in found:
            hint = f'did you mean "{meant}"? Rename the sheet, or put _ before its name to leave it out'
            issues.append(Issue(Sheet(prefix + title), None, "", None, "unknown sheet", hint, "E103"))
        else:
            told = "no table of an instance has this name; the sheet is not read"
            hint = "put _ before its name and this is not told again"
            issues.append(Issue(Sheet(prefix + title), None, "", None, told, hint, "W601", "warning"))
    return found


def _meant(title: str) -> str:
    """Return the name of a table as the title of a sheet may write it, with capitals and blanks.

    >>> _meant("Market Prices")
    'market_prices'
    """
    return title.strip().lower().replace(" ", "_")


def _table(name: str, shown: str, rows: Sequence[Row], issues: list[Issue]) -> RawTable | None:
    """Return a table from the rows of its sheet; None, with issues, if it has no usable header."""
    start = _header(name, rows)
    line, written = rows[start]
    below = [cells for _, cells in rows[start + 1 :]]
    used = [c for c, head in enumerate(written) if head or any(cells[c] for cells in below if len(cells) > c)]
    header = tuple(written[c] for c in used)
    sheet = Sheet(shown, {head: letters_of(c) for c, head in zip(used, header, strict=True)})
    if start:
        told = f"{'row' if start == 1 else 'rows'} above the header, which is in row {line}; not read"
        issues.append(Issue(sheet, rows[0][0], "", None, told, "", "W602", "warning"))
    if not header_ok(header, line, sheet, issues):
        return None
    places = []
    for number, cells in rows[start + 1 :]:
        beyond = next((c for c in range(len(written), len(cells)) if cells[c]), None)
        if beyond is not None:
            hint = "give the column a name in the header, or delete the cell"
            at = Sheet(shown, {"": letters_of(beyond)})
            issues.append(
                Issue(at, number, "", cells[beyond], "a cell beyond the last column of the header", hint, "E108")
            )
        places.append(Place(sheet, number, header, tuple(cells[c] if c < len(cells) else "" for c in used)))
    return RawTable(sheet, line, header, tuple(places))


def _header(table: str, rows: Sequence[Row]) -> int:
    """Return the position of the header: the first row that mostly names columns of the table, else the first row."""
    known = set(columns(table))
    for position, (_, cells) in enumerate(rows[:ABOVE]):
        filled = [cell for cell in cells if cell]
        if 2 * sum(cell in known for cell in filled) >= len(filled):
            return position
    return 0


# --- settings -------------------------------------------------------------------------------------------------


def _read_settings(layer: Layer, rows: Sequence[Row], issues: list[Issue]) -> None:
    """Put the settings of a workbook into its layer, each with the row where it stands."""
    sheet = Sheet(layer.prefix + SETTINGS_SHEET, {}, letters_of(VALUE))
    text, places = settings_text(rows, sheet, issues)
    settings = read_settings(text, sheet, issues) if places is not None else None
    if places is None or settings is None:
        layer.broken.add(SETTINGS_FILE)
        return
    layer.settings = {key: replace(w, line=places.get(key), lines=()) for key, w in settings.items()}
    layer.contents.append((SETTINGS_FILE, text.encode()))


def settings_text(
    rows: Sequence[Row], sheet: str, issues: list[Issue]
) -> tuple[str, dict[tuple[str, str], int] | None]:
    """Return instance.toml from its sheet, and (section, key) -> row; the rows are None if some is not TOML.

    Keys before any section come first, then each section with its rows together.
    """
    blocks: list[tuple[str, list[str]]] = [("", [])]
    latest = {"": 0}  # section -> position of its block; an array of tables has one block for each heading
    places: dict[tuple[str, str], int] = {}
    before = len(issues)
    for number, row in rows[1:]:
        section, key, value = (*row, "", "", "")[:3]
        if section not in latest or (not key and section.startswith("[")):
            latest[section] = len(blocks)
            blocks.append((f"[{section}]", []))
        name, lines = blocks[latest[section]]
        if not key:
            places[section, ""] = number
            if value:
                blocks[latest[section]] = (f"{name} {value}", lines)
        elif key.startswith("#"):
            lines.append(key)
        else:
            places[section, key] = number
            line = f"{key} = {value}"
            if not _one_setting(line):
                expected = 'expected a value as TOML: a number, true, ["a", "b"], or text in double quotes'
                issues.append(Issue(sheet, number, key, value, expected, "", "E104"))
            lines.append(line)
    text = "\n\n".join("\n".join([name, *lines] if name else lines) for name, lines in blocks if name or lines) + "\n"
    return text, places if len(issues) == before else None


def _one_setting(line: str) -> bool:
    """Return whether a text is one key with its value in TOML, and nothing after it."""
    try:
        found = read_toml(line)
    except ValueError:
        return False
    return len(found) == 1


# --- cells ----------------------------------------------------------------------------------------------------


def read_sheets(file: Path, prefix: str, issues: list[Issue]) -> dict[str, list[Row]]:
    """Return the rows of each sheet that are not blank, as text; problems go to ``issues``.

    Raises UsageError if the file is damaged or no workbook.
    """
    _check_archive(file)
    try:
        stored = (
            opendocument.sheets(file, MOST_ROWS, MOST_COLUMNS)
            if file.suffix.lower() == ".ods"
            else dict(_excel_sheets(file))
        )
    except Exception as error:  # the readers raise many kinds for a damaged file
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise UsageError(f"{file} is damaged, or no workbook that can be read: {reason}") from None
    return {name: _as_text(prefix, name, rows, issues) for name, rows in stored.items()}


def _excel_sheets(file: Path) -> Iterator[tuple[str, list[list[Cell]]]]:
    """Yield the name and the rows of each sheet of an Excel workbook.

    One look gives formulas, another one their stored values; the second is taken only if there are formulas.
    """
    import openpyxl

    def looked(values: bool) -> Iterator[tuple[str, list[list[Any]]]]:
        book = openpyxl.load_workbook(file, read_only=True, data_only=values, keep_links=False)
        try:
            with_cells = {sheet.title: sheet for sheet in book.worksheets}  # one with a chart has none
            for name in book.sheetnames:
                yield name, _first(with_cells[name]) if name in with_cells else []
        finally:
            book.close()

    written = dict(looked(values=False))
    formulas = any(c.data_type == "f" for name in written if name[:1] != "_" for row in written[name] for c in row)
    stored = dict(looked(values=True)) if formulas else written
    for name, rows in written.items():
        yield (
            name,
            [
                [
                    Cell(v.value, str(c.value) if c.data_type == "f" else "", v.data_type == "e")
                    for c, v in zip(row, there, strict=True)
                ]
                for row, there in zip(rows, stored[name], strict=True)
            ],
        )


def _first(sheet: Any) -> list[list[Any]]:
    """Return the rows of a sheet of Excel, up to one that is beyond what is read."""
    sheet.reset_dimensions()  # as stated in the file, which may be wrong, and then every row would be as wide
    rows: list[list[Any]] = []
    for cells in sheet.iter_rows():
        rows.append(list(cells[: MOST_COLUMNS + 1]))
        if len(cells) > MOST_COLUMNS or len(rows) > MOST_ROWS:
            break
    return rows


def _check_archive(file: Path) -> None:
    """Raise UsageError if the file is not a plain workbook, before anything of it is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
            macros = any("vbaProject" in member.filename for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise UsageError(f"{file} is not an {file.suffix.lower()} workbook") from None
    if size > LARGEST_UNPACKED:
        raise UsageError(f"{file} unpacks to {size / 1e6:,.0f} MB; at most {LARGEST_UNPACKED / 1e6:,.0f} MB are read")
    if macros:
        raise UsageError(f"{file} holds macros; save it as a plain .xlsx")


def _as_text(prefix: str, name: str, rows: Sequence[Sequence[Cell]], issues: list[Issue]) -> list[Row]:
    """Return the rows of a sheet that are not blank, as text; of a sheet that is not read nothing is told."""
    shown = prefix + name
    told: list[Issue] = []
    formulas: list[str] = []
    found: list[Row] = []
    for number, cells in enumerate(rows, start=1):
        if number > MOST_ROWS or len(cells) > MOST_COLUMNS:
            place = f"a cell beyond row {MOST_ROWS:,} or column {letters_of(MOST_COLUMNS - 1)}"
            hint = "delete what stands there; a blank cell with a format counts too"
            told.append(Issue(Sheet(shown), number, "", None, place, hint, "E101"))
            break
        texts = [_text(cell) for cell in cells]
        for position, cell in enumerate(cells):
            if not (cell.formula or cell.failed):
                continue
            letter = letters_of(position)
            if not cell.failed and cell.value is not None:
                formulas.append(f"{letter}{number}")
                continue
            expected, hint = f"the error {cell.value} of a formula", "write the value"
            if not cell.failed:
                expected = "a formula without a stored value"
                hint = "open the workbook, let it compute, and save it; or write the value"
            at = Sheet(shown, {"": letter})
            told.append(Issue(at, number, "", cell.formula or texts[position], expected, hint, "E110"))
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            found.append((number, texts))
    if formulas:
        more = " ..." if len(formulas) > 5 else ""
        read = f"{counted(len(formulas), 'formula')}, read by what is stored: {', '.join(formulas[:5])}{more}"
        told.append(Issue(Sheet(shown), None, "", None, read, "", "W603", "warning"))
    if _meant(name) in (*TABLES, SETTINGS_SHEET):
        issues += told
    return found


def _text(cell: Cell) -> str:
    """Return what a CSV file would hold; a cell of nothing but blanks is blank."""
    value = cell.value
    if isinstance(value, datetime.date):  # a moment too
        return str(value).removesuffix(" 00:00:00")
    if isinstance(value, str):
        return value if value.strip() else ""
    return cell_of(value)
