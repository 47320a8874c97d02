"""Reads the files of an instance's folder into rows of text, and keeps file and line of every record.

Nothing is guessed: every cell stays text (``NA`` is Namibia), and what is not a valid CSV table is refused. Only this
file opens the files of a folder, and only `sheets` a workbook.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InstanceError, Issue, Sheet, UsageError, did_you_mean

SETTINGS_FILE = "instance.toml"
LARGEST_FILE = 200_000_000  # bytes; far above any real table, far below what would exhaust the memory
DEEPEST = 20  # levels of tables and lists in TOML; what is meant for a planner has four
TOO_DEEP = f"keys or lists are nested more than {DEEPEST} deep"
MULTILINE_COLUMN = "note"  # the one column whose cells may hold line breaks


@dataclass(frozen=True, slots=True)
class Place:
    """One record of a file as text: where it is, and its cells, parallel to the header."""

    file: str
    line: int | None
    header: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def name(self) -> str:
        """File and line, to be named in a message about another place; in a workbook sheet and row."""
        if isinstance(self.file, Sheet):
            return self.file.place("", self.line)
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def written(self, column: str) -> str | None:
        """Return the text of the cell in a column, None if the file has no such column."""
        return self.cells[self.header.index(column)] if column in self.header else None


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as text.

    line    line of the header
    ragged  records with too few or too many cells, filled up or cut to the length of the header
    sound   whether the file could be read to its end
    """

    file: str
    line: int | None
    header: tuple[str, ...]
    rows: tuple[Place, ...]
    ragged: tuple[Place, ...] = ()
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """A value of instance.toml and where it is written; ``lines`` are those of its entries, if they are tables."""

    value: Any
    file: str
    line: int | None
    lines: tuple[int, ...] = ()

    def line_of(self, entry: int) -> int | None:
        """Return the line of an entry (by its position), or that of the whole value if it is not known."""
        return self.lines[entry] if entry < len(self.lines) else self.line


@dataclass(slots=True)
class Layer:
    """One folder or workbook of an instance: itself, or one it is based on.

    prefix    put before its file names in messages: "" or, for example, ``../base/``
    settings  (section, key) -> value; the section is "" for keys before any section
    contents  (file name, bytes) of all files read, for the digest
    broken    tables that could not be read, or not to their end
    """

    folder: Path
    prefix: str
    settings: dict[tuple[str, str], Written] = field(default_factory=dict)
    tables: dict[str, RawTable] = field(default_factory=dict)
    contents: list[tuple[str, bytes]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def file_of(self, table: str) -> str:
        """Return how messages name the file of a table, which may be missing."""
        return Sheet(self.prefix + table) if self.folder.is_file() else f"{self.prefix}{table}.csv"


def read_layer(folder: Path, prefix: str, tables: Collection[str], issues: list[Issue]) -> Layer:
    """Read every ``.csv`` and ``.toml`` file of a folder; problems go to ``issues``.

    folder  an existing folder
    tables  the known table names, without ``.csv``
    """
    layer = Layer(folder, prefix)
    for path in _data_files(folder, prefix, issues):
        shown = prefix + path.name
        stem = path.name.removesuffix(".csv")
        if path.name != SETTINGS_FILE and (stem == path.name or stem not in tables):
            known = [SETTINGS_FILE, *(f"{name}.csv" for name in tables)]
            issues.append(
                Issue(
                    shown,
                    None,
                    "",
                    None,
                    "unknown file of an instance",
                    did_you_mean(path.name, known),
                    "E103",
                )
            )
            continue
        content = _content(path, shown, issues)
        text = None if content is None else _text(content, shown, issues)
        if content is None or text is None:
            layer.broken.add(path.name if path.name == SETTINGS_FILE else stem)
            continue
        layer.contents.append((path.name, content))
        if path.name == SETTINGS_FILE:
            settings = read_settings(text, shown, issues)
            if settings is None:
                layer.broken.add(SETTINGS_FILE)
            else:
                layer.settings = settings
        else:
            table = read_table(text, shown, issues)
            if table is None:
                layer.broken.add(stem)
                continue
            layer.tables[stem] = table
    return layer


def read_folder(folder: Path, tables: Collection[str]) -> Layer:
    """Read the files of one folder, without those of its base; the arguments are those of `read_layer`.

    Raises UsageError if the folder is no instance's, InstanceError for files that cannot be read.
    """
    if not (folder / SETTINGS_FILE).is_file():
        raise UsageError(f"{folder} is not an instance's folder: it has no {SETTINGS_FILE}")
    issues: list[Issue] = []
    layer = read_layer(folder, "", tables, issues)
    if issues:
        raise InstanceError(issues, str(folder))
    return layer


def _data_files(folder: Path, prefix: str, issues: list[Issue]) -> list[Path]:
    """Return the .csv and .toml files of a folder, sorted by name; hidden files and subfolders are ignored."""
    try:
        names = sorted(p.name for p in folder.iterdir())
    except OSError as error:
        issues.append(
            Issue(
                prefix or str(folder),
                None,
                "",
                None,
                f"the folder cannot be read: {_reason(error)}",
                "",
                "E100",
            )
        )
        return []
    return [folder / name for name in names if is_data(folder / name)]


def is_data(path: Path) -> bool:
    """Return whether an entry of an instance's folder is read, as a table or as settings; all others are left alone."""
    hidden = path.name.startswith((".", "~$"))  # the second is what Excel leaves beside a table that is open
    return not hidden and path.name.lower().endswith((".csv", ".toml")) and not path.is_dir()


def _content(path: Path, shown: str, issues: list[Issue]) -> bytes | None:
    """Return the bytes of a file; None, with an issue, if it is no plain file here, too large or unreadable."""
    hint = ""
    try:
        if not path.is_file():  # a pipe or device would make the reader wait for ever
            problem = "not a plain file"
        elif path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
            # messages show what is written in a table, and nobody who sends an instance should see files by its links
            problem, hint = "a link that leads out of the folder", "put the file itself here, or use base"
        elif (size := path.stat().st_size) > LARGEST_FILE:
            problem = f"too large: {size / 1e6:,.0f} MB, at most {LARGEST_FILE / 1e6:,.0f} MB are read"
        else:
            return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {_reason(error)}"
    issues.append(Issue(shown, None, "", None, problem, hint, "E101"))
    return None


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _text(content: bytes, shown: str, issues: list[Issue]) -> str | None:
    """Decode UTF-8 text; return None, with an issue that names the line, if it is not UTF-8."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        issues.append(Issue(shown, 1, "", None, "UTF-16 text", "save the file as UTF-8", "E101"))
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        issues.append(
            Issue(shown, line, "", None, f"not UTF-8 text (byte 0x{byte:02x})", "save the file as UTF-8", "E101")
        )
        return None
    position = text.find("\0")
    if position >= 0:
        line = text.count("\n", 0, position) + 1
        issues.append(Issue(shown, line, "", None, "a NUL character", "the file is damaged; save it again", "E101"))
        return None
    return text


def read_table(text: str, shown: str, issues: list[Issue]) -> RawTable | None:
    """Read CSV text; return None, with issues, if there is no usable header. ``shown`` is the file name in messages."""
    if separator := _other_separator(text):
        cure = (
            "save it as CSV UTF-8 with commas and decimal points; or keep the tables as sheets of one .xlsx workbook, "
            "which is read whatever separators the system has"
        )
        issues.append(Issue(shown, 1, "", None, f"its cells are separated by {separator}", cure, "E101"))
        return None
    records = _records(text)
    sound = True
    header: tuple[str, ...] | None = None
    header_line = 1
    rows: list[Place] = []
    ragged: list[Place] = []
    try:
        for line, cells in records:
            if header is None:
                header, header_line = tuple(cells), line
                if not header_ok(header, line, shown, issues):
                    return None
                continue
            if len(cells) != len(header):
                if not any(cells):
                    rows.append(Place(shown, line, header, ("",) * len(header)))
                    continue
                expected = f"{len(header)} cells as in the header, here are {len(cells)}"
                more = len(cells) > len(header)
                hint = "a cell that holds a comma needs quotes, and a number a decimal point" if more else ""
                issues.append(Issue(shown, line, "", None, expected, hint, "E108"))
                filled = (*cells, *("" for _ in header))[: len(header)]
                ragged.append(Place(shown, line, header, filled))
                continue
            rows.append(Place(shown, line, header, tuple(cells)))
    except csv.Error as error:
        line = records.line
        issues.append(Issue(shown, line, "", None, f"not a CSV record: {error}", "check the quotes", "E101"))
        if header is None:
            return None
        sound = False
    if header is None:
        issues.append(Issue(shown, 1, "", None, "empty file, a header row is required", "", "E102"))
        return None
    while rows and not any(rows[-1].cells):  # what a spreadsheet leaves below a table
        rows.pop()
    return RawTable(shown, header_line, header, tuple(rows), tuple(ragged), sound)


def _other_separator(text: str) -> str:
    """Return what separates the cells of a header, in words, if it is not a comma; "" if it is."""
    header = text.split("\n", 1)[0]
    words = {";": "semicolons", "\t": "tabs"}
    return "" if "," in header else next((word for mark, word in words.items() if mark in header), "")


class _records(Iterator[tuple[int, list[str]]]):  # noqa: N801 (used as a function)
    """Iterates over the records of a CSV text, each with the number of its first line; empty lines are skipped."""

    def __init__(self, text: str) -> None:
        self._reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        self.line = 1

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            self.line = self._reader.line_num + 1
            cells = next(self._reader)
            if cells:
                return self.line, cells


def header_ok(header: tuple[str, ...], line: int, shown: str, issues: list[Issue]) -> bool:
    """Return whether all columns have different names without blanks around them; else report what is wrong."""
    first: dict[str, int] = {}
    ok = True
    for number, name in enumerate(header, start=1):
        if not name:
            issues.append(Issue(shown, line, "", None, f"column {number} has no name in the header", "", "E102"))
        elif name != name.strip():
            issues.append(
                Issue(
                    shown,
                    line,
                    "",
                    name,
                    "a column name with blanks around it",
                    f'write "{name.strip()}"',
                    "E102",
                )
            )
        elif name in first:
            expected = f"duplicate column, the same as column {first[name]}"
            issues.append(Issue(shown, line, "", name, expected, "", "E102"))
        else:
            first[name] = number
            continue
        ok = False
    return ok


def read_toml(text: str) -> dict[str, Any]:
    """Read TOML text. Raises ValueError on all that cannot be read, values nested beyond any use included."""
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    inner: list[Any] = [document]  # level by level: dotted keys nest without a bound, and much else recurses
    for _ in range(DEEPEST):
        inner = [
            part
            for value in inner
            if isinstance(value, (dict, list))
            for part in (value.values() if isinstance(value, dict) else value)
        ]
    if inner:
        raise ValueError(TOO_DEEP)
    return document


def read_settings(text: str, shown: str, issues: list[Issue]) -> dict[tuple[str, str], Written] | None:
    """Read instance.toml: (section, key) -> value with its line; None, with an issue, if it is not TOML.

    A section itself has the key "" and the value None; keys before any section have the section "".
    """
    try:
        document = read_toml(text)
    except ValueError as error:
        message = str(error)
        found = re.search(r"at line (\d+)", message)
        line = int(found.group(1)) if found else None if message == TOO_DEEP else text.count("\n") + 1
        issues.append(Issue(shown, line, "", None, f"not TOML: {message}", "", "E112"))
        return None
    settings: dict[tuple[str, str], Written] = {}
    lines = _setting_lines(text)
    for name, value in document.items():
        if isinstance(value, dict):
            settings[name, ""] = Written(None, shown, lines.get((name, "")))
            for key, inner in value.items():
                at = lines.get((name, key))
                settings[name, key] = Written(inner, shown, at, _entry_lines(text, name, key, at, inner))
        else:
            at = lines.get(("", name))
            settings["", name] = Written(value, shown, at, _entry_lines(text, "", name, at, value))
    return settings


def _setting_lines(text: str) -> dict[tuple[str, str], int]:
    """Return (section, key) -> line; tomllib gives no lines, so the text is searched for the names."""
    lines: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := re.match(r"\s*\[\s*[\"']?([^\]\"']+?)[\"']?\s*\]", line):
            section = heading.group(1)
            lines.setdefault((section, ""), number)
        elif assignment := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*(?:\.\s*[\"']?([\w-]+)[\"']?\s*)?=", line):
            first, second = assignment.groups()
            lines.setdefault((first, second) if second else (section, first), number)
    return lines


def _entry_lines(text: str, section: str, key: str, line: int | None, value: Any) -> tuple[int, ...]:
    """Return the lines of the tables in a list: of their braces, or of headings such as ``[[security.survive]]``."""
    if not isinstance(value, list) or not any(isinstance(entry, dict) for entry in value):
        return ()
    numbered = list(enumerate(text.splitlines(), start=1))
    if line is None:
        names = r"\s*\.\s*".join(re.escape(part) for part in (section, key) if part)
        heading = rf"\s*\[\[\s*{names}\s*\]\]"
        return tuple(number for number, written in numbered if re.match(heading, written))
    token = r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*|(\{)'
    found = (number for number, written in numbered[line - 1 :] for m in re.finditer(token, written) if m.group(1))
    return tuple(found)[: len(value)]
