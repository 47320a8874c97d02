"""The result of a question, which is declared once; writing, reading, documentation and reports follow from that.

Each kind of study is a class that declares what it holds, in the order of its manifest: values, and tables with every
column's kind, unit and meaning. A study's folder holds a CSV file for each table and the manifest, a JSON file.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from rich.cells import cell_len

from ..above import above
from ..arguments import checked
from ..errors import ResultError
from ..runs.tables import cells_of, plain, to_csv
from ..words import paragraphs
from ..writing import check_folder, write_folder

SCHEMA = 1  # version of the manifests
KINDS = ("text", "integer", "number", "yes/no")  # what a column can hold

Row = dict[str, Any]


class Column(NamedTuple):
    """A column of a table.

    kind  one of KINDS; all but text may be blank
    unit  such as ``t`` or ``MUSD``; ``share`` is a fraction of 1; empty if it has none
    """

    name: str
    kind: str
    unit: str
    meaning: str


class Value(NamedTuple):
    """An entry of the manifest that is not a table.

    attribute  attribute of the study that holds it, with dots for nested ones; "": its name
    """

    name: str
    meaning: str
    attribute: str = ""


class Table:
    """A table of a study.

    name         its name in the manifest and for reports
    meaning      what one row is, and in which order the rows stand
    columns      one line each: ``name | kind | unit | meaning``; a line without a bar continues the meaning above it
    file         its CSV file; "": its name with ``.csv``
    attribute    attribute of the study that holds it, a DataFrame; "": its name
    in_manifest  False if only the CSV file has it
    further      describes columns that are not declared, because they depend on what was asked
    """

    def __init__(
        self,
        name: str,
        meaning: str,
        columns: str,
        *,
        file: str = "",
        attribute: str = "",
        in_manifest: bool = True,
        further: str = "",
    ) -> None:
        self.name, self.meaning, self.in_manifest, self.further = name, meaning, in_manifest, further
        self.file, self.attribute = file or f"{name}.csv", attribute or name
        lines = re.sub(r"\n\s*(?=[^|\n]*$)", " ", columns.strip(), flags=re.M).splitlines()
        self.columns = tuple(Column(*(cell.strip() for cell in line.split("|"))) for line in lines)

    @property
    def names(self) -> list[str]:
        """The names of the declared columns, in their order."""
        return [column.name for column in self.columns]


INSTANCE = Value("instance", "name, title and sha256 of the instance", "instance.identity")
COMPLETE = Value("complete", "false if it was interrupted: then there is what was found until then")
SETTINGS = Value("settings", "what was asked")
NOTES = Value("notes", "what to know when reading it")
SECONDS = Value("seconds", "how long it took, in seconds")
OF_PLAN = Value("of", "digest of the plan and its instance, see `planner.Run.digest`")


class Declared:
    """An object with declared contents.

    HOLDS  values and tables, in the order of `to_dict`
    """

    HOLDS: ClassVar[tuple[Value | Table, ...]]

    def to_dict(self) -> Row:
        """Return what is declared, as JSON can hold it: tables are lists of rows; blank or not finite is None."""
        return {
            part.name: plain(attrgetter(part.attribute or part.name)(self))
            for part in self.HOLDS
            if isinstance(part, Value) or part.in_manifest
        }


class Study(Declared):
    """The result of a question.

    COMMAND   the command that asks the question, such as ``stress --delivery``
    MANIFEST  name of the JSON file that marks a folder as such a study
    OF        what it is a study of: an ``instance``, one ``plan``, or several ``plans``
    """

    COMMAND: ClassVar[str]
    MANIFEST: ClassVar[str]
    OF: ClassVar[Literal["instance", "plan", "plans"]]

    def __repr__(self) -> str:
        held = [(name, getattr(self, table.attribute)) for name, table in self.tables().items()]
        rows = ", ".join(f"{name} {len(frame)}" for name, frame in held if frame is not None and len(frame))
        name = getattr(getattr(self, "instance", None), "name", "")
        return f"<{type(self).__name__}{f' of {name}' if name else ''}; rows: {rows or 'none'}>"

    def _repr_html_(self) -> str:
        return paragraphs(str(self))

    def plot(self, chart: str | None = None, **choices: Any) -> Any:
        """Return a chart of what was found, as the page shows it: a figure of plotly.

        chart    id of the chart, or the end of it; None: the first one
        choices  what to choose of its controls, by their labels in lower case, such as ``show="stage magnet"``
        Raises UsageError if there is no such chart, or none at all.
        """
        return above("reporting.plots.of_study")(self, chart, choices)

    @classmethod
    def tables(cls) -> dict[str, Table]:
        """The declared tables by name."""
        return {part.name: part for part in cls.HOLDS if isinstance(part, Table)}

    @classmethod
    def columns(cls, table: str) -> list[str]:
        """The names of the declared columns of a table."""
        return cls.tables()[table].names

    def to_dict(self) -> Row:
        """What the manifest holds: see `Declared.to_dict`."""
        return {"schema": SCHEMA, **super().to_dict()}

    def to_json(self) -> str:
        """The manifest as text, which is also what the command prints with ``--json``."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def more_files(self) -> Mapping[str, str]:
        """Files of the folder besides the tables and the manifest: name, perhaps with folders, -> text."""
        return {}

    @classmethod
    def check_folder(cls, folder: str | Path, overwrite: bool = False) -> None:
        """Raise OutputError if such a study may not be written to ``folder``; to be called before the work begins."""
        check_folder(Path(folder), cls.MANIFEST, overwrite)

    @checked
    def write(self, folder: str | Path, overwrite: bool = False, more: Mapping[str, str] | None = None) -> Path:
        """Write the tables and the manifest to a folder, all of it or nothing, and return the folder.

        overwrite  replace a study of the same kind that is there
        more       further files by name, such as a page about it
        Raises OutputError if something is there and is not to be replaced, or if the folder cannot be written.
        """
        frames = ((table.file, getattr(self, table.attribute)) for table in self.tables().values())
        files = {file: to_csv(cells_of(frame)) for file, frame in frames if frame is not None and len(frame.columns)}
        return write_folder(
            Path(folder), {**files, **self.more_files(), **(more or {})}, self.MANIFEST, self.to_json, overwrite
        )

    def written(self) -> Written:
        """Return the study as it would be read back from its folder."""
        contents = {name: plain(getattr(self, table.attribute)) for name, table in self.tables().items()}
        tables = {name: rows for name, rows in contents.items() if rows is not None}
        return Written(type(self), json.loads(self.to_json()), tables)

    @classmethod
    def read(cls, folder: str | Path) -> Written:
        """Read the folder of such a study back.

        Raises ResultError if the folder holds no such study, a damaged one, or one of another version.
        """
        folder = Path(folder)
        try:
            about = json.loads((folder / cls.MANIFEST).read_text(encoding="utf-8"))
            if about.get("schema", SCHEMA) != SCHEMA:
                raise ValueError(f"{cls.MANIFEST} has schema {about['schema']!r}, this planner reads schema {SCHEMA}")
            tables = {}
            for name, table in cls.tables().items():
                if table.in_manifest and about[name] is None:
                    continue
                at = f"{name} in {cls.MANIFEST}" if table.in_manifest else table.file
                tables[name] = list(about[name]) if table.in_manifest else _rows(folder / table.file, table)
                for column in table.columns:
                    if any(column.name not in row for row in tables[name]):
                        raise ValueError(f"{at} has no column {column.name}")
                    strange = [row[column.name] for row in tables[name] if not _holds(column.kind, row[column.name])]
                    if strange:
                        said = repr(strange[0])[:40]
                        raise ValueError(f"{at} has {column.name} = {said}, expected {column.kind}")
            for value in cls.HOLDS:
                if isinstance(value, Value):
                    about[value.name]
        except FileNotFoundError as error:
            raise ResultError(f"{folder} is not whole: {Path(error.filename).name} is missing") from error
        except KeyError as error:
            raise ResultError(f"{folder} cannot be read: {cls.MANIFEST} does not hold {error}") from error
        except (OSError, ValueError, TypeError, AttributeError, RecursionError, csv.Error) as error:
            raise ResultError(f"{folder} cannot be read as a folder of planner {cls.COMMAND}: {error}") from error
        return Written(cls, about, tables)


@dataclass(frozen=True)
class Written:
    """A study as its folder holds it.

    kind    its class
    about   its manifest
    tables  rows by column; blanks are None
    """

    kind: type[Study]
    about: Row
    tables: Mapping[str, Sequence[Row]]


def text_table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], between: str = " ") -> list[str]:
    """Return a table as lines of text: the titles of the columns, then the rows.

    columns  title and width of each, such as ``>9`` (to the right) or ``<12`` (to the left)
    between  what stands between two columns

    >>> text_table([("year", ">6"), ("what", "<6")], [("2030", "magnet")])
    ['  year what  ', '  2030 magnet']
    """
    return [
        between.join(padded(cell, width) for cell, (_title, width) in zip(cells, columns, strict=True))
        for cells in ([title for title, _width in columns], *rows)
    ]


def padded(cell: str, width: str) -> str:
    """Return a cell with blanks up to its width, such as ``>9``; letters of some scripts are as wide as two."""
    if width and (wide := cell_len(cell) - len(cell)):
        width = f"{width[0]}{max(0, int(width[1:]) - wide)}"
    return format(cell, width)


def _rows(path: Path, table: Table) -> list[Row]:
    """Read the rows of a CSV file of a study."""
    text = {column.name for column in table.columns if column.kind == "text"}
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: cell if name in text else _value(cell) for name, cell in row.items()}
            for row in csv.DictReader(file, strict=True)
        ]


def _holds(kind: str, value: Any) -> bool:
    """Return whether a column of a kind can hold a value; None is a blank."""
    if value is None:
        return True
    if kind == "text":
        return isinstance(value, str)
    if kind == "yes/no":
        return isinstance(value, bool)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and (kind == "number" or float(value).is_integer())


def _value(cell: str) -> Any:
    """Return a cell as None (blank), bool, int or float."""
    if cell in ("", "True", "False"):
        return {"": None, "True": True, "False": False}[cell]
    return int(cell) if cell.lstrip("-").isdigit() else plain(float(cell))
