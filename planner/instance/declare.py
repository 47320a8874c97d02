"""How a column of a table is declared: kind, unit, range, default, what it refers to and what it means."""

from collections.abc import Callable, Iterable, Mapping
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

STAGES = "stages"  # what a column may refer to besides tables: the stages of instance.toml


BLOCS = "blocs"  # and the blocs named in countries.csv


Key = tuple[str | int | None, ...]


def _column(kind: str, meaning: str, default: Any, unit: str, blank: str, more: dict[str, Any]) -> Any:
    bounds = {name: more.pop(name) for name in ("ge", "gt", "le") if name in more}
    extra = {"kind": kind, "unit": unit, "blank": blank, **more}
    return Field(default, description=meaning, json_schema_extra=extra, **bounds)


def key(meaning: str, **more: Any) -> Any:
    """The name of a thing, by which other rows refer to it."""
    return _column("key", meaning, ..., "", "", more)


def reference(to: str | tuple[str, ...], meaning: str, blank: str | None = None, **more: Any) -> Any:
    """The key of a row of another table; required unless it is said what blank means."""
    refers = (to,) if isinstance(to, str) else to
    default = ... if blank is None else ""
    return _column("reference", meaning, default, "", blank or "", {"refers": refers, **more})


def text(meaning: str, blank: str | None = None, **more: Any) -> Any:
    """Free text; required unless it is said what blank means."""
    return _column("text", meaning, ... if blank is None else "", "", blank or "", more)


def number(meaning: str, unit: str, default: Any = ..., blank: str = "", **more: Any) -> Any:
    """A finite number, by default not negative."""
    return _column("number", meaning, default, unit, blank, {"ge": None if "gt" in more else 0.0, **more})


def fraction(meaning: str, default: Any = ..., blank: str = "", **more: Any) -> Any:
    """A number between 0 and 1."""
    return _column("number", meaning, default, "fraction", blank, {"ge": 0.0, "le": 1.0, **more})


def year(meaning: str, blank: str = "", default: Any = None) -> Any:
    """A calendar year; blank means what ``blank`` says, unless the year is required."""
    return _column("whole", meaning, default, "year", blank, {"ge": 1, "le": LARGEST_WHOLE})


def whole_years(meaning: str, default: Any = ..., least: int = 0) -> Any:
    """A length of time in whole years."""
    return _column("whole", meaning, default, "years", "", {"ge": least, "le": LARGEST_WHOLE})


def flag(meaning: str, default: Any = False, blank: str = "") -> Any:
    """``yes`` or ``no``."""
    return _column("flag", meaning, default, "", blank, {})


def choice(meaning: str) -> Any:
    """One of the words in the annotation."""
    return _column("choice", meaning, ..., "", "", {})


class Row(BaseModel):
    """A row of any table."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    TABLE: ClassVar[str] = ""
    KEY: ClassVar[tuple[str, ...]] = ()
    REQUIRED: ClassVar[bool] = False
    TOGETHER: ClassVar[Mapping[tuple[str, ...], str]] = {}  # columns that together name a row of a table

    note: str = text("a remark", "none")
    active: bool = flag("an inactive row is as if it were not there, but is still checked", True)

    @property
    def identity(self) -> Key:
        """The values of the key columns."""
        return tuple(getattr(self, name) for name in self.KEY)


class CitedRow(Row):
    """A row that can name its sources: any but a source itself."""

    source: tuple[str, ...] = _column(
        "sources", "where the figures come from: ids of sources.csv, separated by ;", (), "", "not said",
        {"refers": ("sources",)},
    )  # fmt: skip


@dataclass(frozen=True)
class Column:
    """What the schema says of one column."""

    name: str
    kind: str
    required: bool
    default: Any
    blank: str
    unit: str
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
        """The function that turns a cell that is not blank into a value, or raises BadCellError."""
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
    """The key of a row as evidence.csv writes it: its parts joined by ``/``; blank parts stay empty."""
    return "/".join("" if part is None else str(part) for part in row.identity)


def _describe_column(row: type[Row], name: str) -> Column:
    info = row.model_fields[name]
    extra: dict[str, Any] = dict(info.json_schema_extra) if isinstance(info.json_schema_extra, dict) else {}
    choices = getattr(info.annotation, "__args__", ()) if extra["kind"] == "choice" else ()
    return Column(
        name=name,
        kind=extra["kind"],
        required=info.is_required(),
        default=None if info.is_required() else info.default,
        blank=extra["blank"],
        unit=extra["unit"],
        range=_range(extra["kind"], extra["unit"], info.metadata),
        refers=tuple(extra.get("refers", ())),
        wildcard=bool(extra.get("wildcard", False)),
        choices=tuple(choices),
        meaning=info.description or "",
        is_name=bool(extra.get("name", False)),
        is_folder=bool(extra.get("folder", False)),
    )


def _range(kind: str, unit: str, metadata: Iterable[Any]) -> str:
    """The range of a number in words, "" for any other column."""
    bounds = {b: getattr(m, b) for m in metadata for b in ("ge", "gt", "le") if getattr(m, b, None) is not None}
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
