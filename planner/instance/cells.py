"""Reads the text of a cell as a number, a key or a text, and says what is wrong with a bad one."""

import math
import re
import unicodedata
from typing import Any

ANY = "*"


LARGEST_NUMBER = 1e15  # solvers treat larger figures as infinite, and drop the row that has them


LARGEST_WHOLE = 9999  # for calendar years, and for lead, ramp and life in years


class BadCellError(ValueError):
    """A cell is not written as its column needs; ``expected``, ``hint`` and ``code`` are those of an `Issue`."""

    def __init__(self, expected: str, hint: str = "", code: str = "E104") -> None:
        super().__init__(expected)
        self.expected, self.hint, self.code = expected, hint, code


_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


_FOLDER_FORBIDDEN = set('/\\:*?"<>|')


_FOLDER_RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}


def parse_number(cell: str) -> float:
    """Read a finite decimal number in ASCII digits, with a dot and perhaps an exponent. Raises BadCellError.

    >>> parse_number("1.5e3")
    1500.0
    """
    if not _NUMBER.fullmatch(cell):
        raise BadCellError("not a number", _number_cure(cell))
    value = float(cell)
    if not math.isfinite(value) or abs(value) >= LARGEST_NUMBER:
        raise BadCellError("too large a number, it must be below 1e15")
    if value == 0.0:
        if any(c in "123456789" for c in re.split("[eE]", cell)[0]):
            raise BadCellError("too small a number, it would be read as 0")
        return 0.0
    return value


def parse_whole(cell: str) -> int:
    """Read a whole number. Raises BadCellError.

    >>> parse_whole("2026")
    2026
    """
    if _WHOLE.fullmatch(cell):
        if len(cell) > 16:
            raise BadCellError("too large a number, it must be below 1e15")
        return int(cell)
    try:
        value = parse_number(cell)
    except BadCellError as bad:
        raise BadCellError("not a whole number", bad.hint or "") from None
    raise BadCellError("not a whole number", f"write {value:.0f}" if value.is_integer() else "")


def _number_cure(cell: str) -> str:
    """Return what to write instead of a text that is not a number, "" if it is not clear what is meant."""
    bare = cell.replace("\u2212", "-")
    if any(c.isdigit() and not c.isascii() for c in bare):
        bare = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in bare)
        return f"write {bare}, in ASCII digits" if _NUMBER.fullmatch(bare) else "write ASCII digits"
    if bare != cell and _NUMBER.fullmatch(bare):
        return f"write {bare}, with an ASCII minus sign"
    if re.fullmatch(r"[+-]?\d{1,3}([,_' \u00a0\u202f]\d{3})+(\.\d+)?", bare):
        return f"write {re.sub(r'[^0-9.+-]', '', bare)} (no thousands separator)"
    if re.fullmatch(r"[+-]?\d+(_\d+)+(\.\d+)?", bare):
        return f"write {bare.replace('_', '')} (no thousands separator)"
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?", bare):
        return f"write {bare.replace('.', '').replace(',', '.')} (no thousands separator, a decimal point)"
    if re.fullmatch(r"[+-]?\d*,\d+", bare):
        return f"write {bare.replace(',', '.')} (a decimal point)"
    if percent := re.fullmatch(r"([+-]?\d+(?:\.\d+)?) ?%", bare):
        return f"write {float(percent.group(1)) / 100:.10g}"
    if unit := re.fullmatch(r"[$€£]? ?([+-]?\d+(?:\.\d+)?) ?(?![eE]$)[A-Za-z$€£/]*", bare):
        return f"write {unit.group(1)}, the unit is in the column's name"
    if bare.lower() in {"nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "?", "tbd"}:
        return "leave the cell blank if nothing is known and the column has a default"
    if bare.lower().lstrip("+-") in {"inf", "infinity", "∞"}:
        return "leave the cell blank for no limit, where the column allows it"
    return ""


def text_problem(cell: str, multiline: bool) -> str:
    """Return what a text should be if it is not valid, "" if it is; ``multiline`` allows line breaks."""
    if cell != cell.strip():
        return "text without blanks around it"
    if cell.isprintable():
        return ""
    allowed = "\n\t\r" if multiline else ""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in cell):
        return "text without control characters or line breaks"
    return ""


def key_problem(cell: str) -> str:
    """Return what a key should be if it is not valid, "" if it is."""
    if not cell.isprintable():
        return "a key of printable characters, without line breaks or invisible ones"
    if cell == ANY:
        return "a key, not *, which means anything"
    if ";" in cell:
        return "a key without ; which separates keys"
    if cell[:1] in ("=", "+", "-", "@"):
        return "a key that does not begin with = + - or @, which a spreadsheet takes for a formula"
    if not cell.isascii() and not unicodedata.is_normalized("NFC", cell):
        return "a key in composed (NFC) Unicode"
    return ""


def folder_problem(cell: str) -> str:
    """Return what a key that also names a folder should be if it is not valid, "" if it is."""
    if _FOLDER_FORBIDDEN & set(cell) or cell.endswith(".") or cell.split(".")[0].lower() in _FOLDER_RESERVED:
        return "a key that can name a folder, without / \\ : and the like"
    if len(cell.encode()) > 100:
        return "a key that can name a folder, at most 100 bytes long"
    return ""


def cell_of(value: Any) -> str:
    """Return a value as the text of a cell, which reads back as exactly that value; "" for None.

    >>> cell_of(1200.0), cell_of(True), cell_of(("a", "b"))
    ('1200', 'yes', 'a;b')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        return ";".join(str(part) for part in value)
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_NUMBER:
        return str(int(value))
    return str(value)
