"""Reads the cells of an OpenDocument spreadsheet (.ods), as LibreOffice writes it.

Libraries that read such files give a blank for a formula that failed, and do not say which cells are formulas.
"""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"


class Cell(NamedTuple):
    """A cell as it is stored.

    value    text, number, yes or no, or date; None: blank
    formula  the formula whose stored result the value is; "" for none
    failed   whether the value is an error of a formula, such as ``#DIV/0!``
    """

    value: Any = None
    formula: str = ""
    failed: bool = False


def sheets(file: Path, most_rows: int, most_columns: int) -> dict[str, list[list[Cell]]]:
    """Return the rows of each sheet, the blank ones at its end left out.

    most_rows, most_columns  one more than these is read of a sheet, so that the caller can tell that there is more
    Raises an error of the archive or of the XML reader for a damaged file.
    """
    from defusedxml.ElementTree import fromstring

    with zipfile.ZipFile(file) as archive:
        document = fromstring(archive.read("content.xml"))
    return {
        str(table.get(f"{_TABLE}name")): _rows(table, most_rows + 1, most_columns + 1)
        for table in document.iter(f"{_TABLE}table")
    }


def _rows(table: Any, most: int, widest: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    blank = 0
    for row in table.iter(f"{_TABLE}table-row"):
        cells = list(_cells(row, widest))
        while cells and cells[-1].value is None:
            cells.pop()
        times = int(row.get(f"{_TABLE}number-rows-repeated", 1))
        if not cells:
            blank += times
            continue
        rows += [[] for _ in range(min(blank, most - len(rows)))]
        rows += [cells for _ in range(min(times, most - len(rows)))]
        blank = 0
    return rows


def _cells(row: Any, most: int) -> Iterator[Cell]:
    """Yield the cells of a row, at most ``most``; one that is stored once for several columns comes several times."""
    count = 0
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        read = _cell(cell)
        for _ in range(min(int(cell.get(f"{_TABLE}number-columns-repeated", 1)), most - count)):
            count += 1
            yield read


def _cell(cell: Any) -> Cell:
    text = "\n".join(_text(p) for p in cell.findall(f"{_TEXT}p"))
    kind = cell.get(f"{_OFFICE}value-type", "")
    formula = cell.get(f"{_TABLE}formula", "")
    if cell.get(f"{_CALC}value-type") == "error":
        return Cell(text, formula, True)
    if kind in ("float", "percentage", "currency"):
        return Cell(float(cell.get(f"{_OFFICE}value")), formula)
    if kind == "boolean":
        return Cell(cell.get(f"{_OFFICE}boolean-value") == "true", formula)
    if kind == "date":
        return Cell(datetime.datetime.fromisoformat(cell.get(f"{_OFFICE}date-value")), formula)
    return Cell(text or None, formula)


def _text(element: Any) -> str:
    """Return the text of a paragraph, in which several blanks, tabs and line breaks are elements."""
    parts = [element.text or ""]
    for inner in element:
        if inner.tag == f"{_TEXT}s":
            parts.append(" " * int(inner.get(f"{_TEXT}c", 1)))
        elif inner.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            parts.append("\t" if inner.tag == f"{_TEXT}tab" else "\n")
        else:
            parts.append(_text(inner))
        parts.append(inner.tail or "")
    return "".join(parts)
