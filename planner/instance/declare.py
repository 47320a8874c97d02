"""How a column of a table is declared: kind, unit, range, default, what it refers to and what it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from .cells import (
    LARGEST_WHOLE,
    BadCellError,
    cell_of,
    folder_problem,
    key_problem,
    parse_number,
    parse_whole,
    text_problem,
)
from .reading import MULTILINE_COLUMN

STAGES = "stages"  # a column may refer to the stages of instance.toml, as to a table
BLOCS = "blocs"  # or to the blocs named in countries.csv
OWNERS = "owners"  # or to the owners named in facilities.csv
NAMED_IN = {BLOCS: ("countries", "bloc"), OWNERS: ("facilities", "owner")}  # table and column that name them


LARGEST_YIELD = 1e6  # t per t: of more, a plan could not tell the activity from nothing


Key = tuple[str | int | None, ...]


def _column(kind: str, meaning: str, default: Any, unit: str, blank: str, more: dict[str, Any]) -> Any:
    """Declare a column; see `Column` for the meaning of the arguments.

    default  ... (an ellipsis): the column is required
    blank    what a blank cell means, in words
    more     ``ge``, ``gt`` and ``le``: the range; all else goes to the schema of the column
    """
    bounds = {name: more.pop(name) for name in ("ge", "gt", "le") if name in more}
    extra = {"kind": kind, "unit": unit, "blank": blank, **more}
    return Field(default, description=meaning, json_schema_extra=extra, **bounds)


def key(meaning: str, **more: Any) -> Any:
    """Declare the column with the short name by which other rows refer to a row."""
    return _column("key", meaning, ..., "", "", more)


def reference(to: str | tuple[str, ...], meaning: str, blank: str | None = None, **more: Any) -> Any:
    """Declare a column with a key of the table (or tables) ``to``; required unless ``blank`` says what blank means."""
    refers = (to,) if isinstance(to, str) else to
    default = ... if blank is None else ""
    return _column("reference", meaning, default, "", blank or "", {"refers": refers, **more})


def text(meaning: str, blank: str | None = None, **more: Any) -> Any:
    """Declare a column of free text; required unless ``blank`` says what blank means."""
    return _column("text", meaning, ... if blank is None else "", "", blank or "", more)


def number(meaning: str, unit: str, default: Any = ..., blank: str = "", **more: Any) -> Any:
    """Declare a column of finite numbers, 0 or more unless ``ge`` or ``gt`` says otherwise."""
    return _column("number", meaning, default, unit, blank, {"ge": None if "gt" in more else 0.0, **more})


def fraction(meaning: str, default: Any = ..., blank: str = "", **more: Any) -> Any:
    """Declare a column of numbers from 0 to 1."""
    return _column("number", meaning, default, "fraction", blank, {"ge": 0.0, "le": 1.0, **more})


def year(meaning: str, blank: str = "", default: Any = None) -> Any:
    """Declare a column of calendar years; ``blank`` says what blank means; a default of ... makes it required."""
    return _column("whole", meaning, default, "year", blank, {"ge": 1, "le": LARGEST_WHOLE})


def whole_years(meaning: str, default: Any = ..., least: int = 0, blank: str = "") -> Any:
    """Declare a column of lengths of time in whole years, ``least`` or more; ``blank`` says what blank means."""
    return _column("whole", meaning, default, "years", blank, {"ge": least, "le": LARGEST_WHOLE})


def whole_months(meaning: str, blank: str, most: int = LARGEST_WHOLE) -> Any:
    """Declare a column of whole numbers of calendar months, 1 to ``most``; ``blank`` says what blank means."""
    return _column("whole", meaning, None, "months", blank, {"ge": 1, "le": most})


def whole_number(meaning: str, blank: str) -> Any:
    """Declare a column of whole numbers, 1 or more; ``blank`` says what blank means."""
    return _column("whole", meaning, None, "", blank, {"ge": 1, "le": LARGEST_WHOLE})


def flag(meaning: str, default: Any = False, blank: str = "") -> Any:
    """Declare a column of ``yes`` or ``no``."""
    return _column("flag", meaning, default, "", blank, {})


def choice(meaning: str, default: Any = ...) -> Any:
    """Declare a column of one of the words in its annotation, a Literal."""
    return _column("choice", meaning, default, "", "", {})


class Row(BaseModel):
    """A row of any table.

    TABLE     name of the table
    KEY       names of the columns that make up its key
    REQUIRED  whether an instance must have the table
    UNLESS    another table with which it need not have it
    TOGETHER  columns that together are the key of a row in another table -> that table
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    TABLE: ClassVar[str] = ""
    KEY: ClassVar[tuple[str, ...]] = ()
    REQUIRED: ClassVar[bool] = False
    UNLESS: ClassVar[str] = ""
    TOGETHER: ClassVar[Mapping[tuple[str, ...], str]] = {}

    note: str = text("a remark", "none")
    active: bool = flag("an inactive row is as if it were not there, but is still checked", True)

    @property
    def identity(self) -> Key:
        """The values of the key columns."""
        return tuple(getattr(self, name) for name in self.KEY)


class CitedRow(Row):
    """A row with a column for its sources: a row of any table but sources.csv."""

    source: tuple[str, ...] = _column(
        "sources", "where the figures come from: ids of sources.csv, separated by ;", (), "", "not said",
        {"refers": ("sources",)},
    )  # fmt: skip


@dataclass(frozen=True)
class Column:
    """The schema of one column.

    kind       ``key``, ``reference``, ``text``, ``number``, ``whole``, ``flag``, ``choice`` or ``sources``
    blank      what a blank cell means, in words
    bounds     the range of a number: ``ge``, ``gt`` and ``le``, as far as there are
    range      the same, in words
    refers     tables to whose keys its cells refer
    wildcard   whether ``*`` may stand for any key
    is_name    whether its texts are names that other cells may refer to
    is_folder  whether its keys also name folders
    """

    name: str
    kind: str
    required: bool
    default: Any
    blank: str
    unit: str
    bounds: Mapping[str, float]
    range: str
    refers: tuple[str, ...]
    wildcard: bool
    choices: tuple[str, ...]
    meaning: str
    is_name: bool
    is_folder: bool

    @property
    def default_text(self) -> str:
        """The default as documentation shows it; "" for a required column."""
        if self.required:
            return ""
        if self.blank:
            return self.blank
        return cell_of(self.default)

    @cached_property
    def parse(self) -> Callable[[str], Any]:
        """The function that reads a cell that is not blank; it raises BadCellError."""
        return {
            "number": parse_number,
            "whole": parse_whole,
            "flag": self._flag,
            "choice": self._text,
            "sources": self._sources,
        }.get(self.kind, self._text)

    def _flag(self, cell: str) -> bool:
        if cell not in ("yes", "no"):
            hint = {"true": "write yes", "1": "write yes", "y": "write yes", "yes": "write yes"}.get(cell.lower(), "")
            hint = hint or {"false": "write no", "0": "write no", "n": "write no", "no": "write no"}.get(
                cell.lower(), ""
            )
            raise BadCellError("expected yes or no", hint, "E110")
        return cell == "yes"

    def _text(self, cell: str) -> str:
        problem = text_problem(cell, multiline=self.name == MULTILINE_COLUMN)
        if not problem and (self.kind == "key" or self.is_name):
            problem = key_problem(cell)
        if not problem and self.is_folder:
            problem = folder_problem(cell)
        if problem:
            stripped = cell.strip()
            hint = f'write "{stripped}"' if stripped != cell else ""
            raise BadCellError(f"expected {problem}", hint, "E111")
        return cell

    def _sources(self, cell: str) -> tuple[str, ...]:
        self._text(cell)
        ids = tuple(part.strip() for part in cell.split(";"))
        if not all(ids):
            raise BadCellError("expected ids of sources.csv, separated by ;", "an id is missing between two ;", "E111")
        if len(set(ids)) < len(ids):
            raise BadCellError("expected each source once", "", "E111")
        return ids


def joined_key(row: Row) -> str:
    """Return the key of a row as evidence.csv writes it: its parts joined by ``/``; blank parts stay empty."""
    return "/".join("" if part is None else str(part) for part in row.identity)


def _describe_column(row: type[Row], name: str) -> Column:
    info = row.model_fields[name]
    extra: dict[str, Any] = dict(info.json_schema_extra) if isinstance(info.json_schema_extra, dict) else {}
    bounds = {b: getattr(m, b) for m in info.metadata for b in ("ge", "gt", "le") if getattr(m, b, None) is not None}
    choices = getattr(info.annotation, "__args__", ()) if extra["kind"] == "choice" else ()
    return Column(
        name=name,
        kind=extra["kind"],
        required=info.is_required(),
        default=None if info.is_required() else info.default,
        blank=extra["blank"],
        unit=extra["unit"],
        bounds=bounds,
        range=_range(extra["kind"], bounds),
        refers=tuple(extra.get("refers", ())),
        wildcard=bool(extra.get("wildcard", False)),
        choices=tuple(choices),
        meaning=info.description or "",
        is_name=bool(extra.get("name", False)),
        is_folder=bool(extra.get("folder", False)),
    )


def _range(kind: str, bounds: Mapping[str, float]) -> str:
    """Return the range of a number in words, "" for any other column."""
    if kind not in ("number", "whole"):
        return ""
    if "ge" in bounds and "le" in bounds:
        return f"{bounds['ge']:g} to {bounds['le']:g}"
    if "gt" in bounds:
        most = f", at most {bounds['le']:,.0f}" if "le" in bounds else ""
        return f"above {bounds['gt']:g}{most}"
    if "ge" in bounds:
        return f"{bounds['ge']:g} or more"
    return "any"
