"""What a page is made of: sections with figures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..words import blank, written
from .charts import Chart, Rows, Value, of, records

if TYPE_CHECKING:
    from .view import Names


@dataclass(frozen=True)
class Control:
    """A choice above a figure.

    choices  keys and their words, or words that are their own keys
    start    key that is shown first; None: the first
    kind     ``range`` is a slider (years), ``select`` a list
    """

    label: str
    choices: Mapping[Any, str] | Sequence[str]
    start: Any = None
    kind: str = "select"

    @property
    def keys(self) -> list[Any]:
        """Keys of the choices."""
        return list(self.choices)

    @property
    def words(self) -> list[str]:
        """What is read."""
        return list(self.choices.values() if isinstance(self.choices, Mapping) else self.choices)

    @property
    def first(self) -> int:
        """Number of the choice shown first."""
        return 0 if self.start is None else self.keys.index(self.start)


def years(shown: Sequence[int]) -> Control:
    """A slider of years that starts at the last one."""
    return Control("Year", {y: str(y) for y in shown}, shown[-1], "range")


@dataclass(frozen=True)
class Figure:
    """A chart on a page, or several of which the reader chooses one.

    title     states what is seen
    summary   the same for those who cannot see it, with numbers
    chart     a chart, or key of the choice (a tuple of keys with several controls) -> chart
    controls  choices above it; with several charts and none given, a list of their keys
    columns   columns of the rows that are downloaded and tabulated, separated by blanks; "": all
    rows      what is downloaded and tabulated; None: the rows of the charts
    caption   what stands below; None: the chart's own, else the summary
    least     px: on narrower screens the chart scrolls sideways
    aspect    height to width, at most the chart's height; 0: always that
    """

    id: str
    title: str
    summary: str
    chart: Chart | Mapping[Any, Chart]
    controls: tuple[Control, ...] = ()
    columns: str = ""
    rows: Rows | None = None
    caption: str | None = None
    note: str = ""
    least: int = 0
    aspect: float = 0.0

    @property
    def asked(self) -> tuple[Control, ...]:
        """The choices above it."""
        if self.controls or isinstance(self.chart, Chart):
            return self.controls
        return (Control("Show", [str(key) for key in self.chart]),)

    @property
    def views(self) -> dict[str, Chart]:
        """Numbers of the choices, joined by commas ("0,3"; "" without controls) -> chart."""
        if isinstance(self.chart, Chart):
            return {"": self.chart}
        numbers = [{key: str(n) for n, key in enumerate(control.keys)} for control in self.asked]
        found = {}
        for choice, chart in self.chart.items():
            keys = choice if len(numbers) > 1 else (choice,)
            found[",".join(number[key] for number, key in zip(numbers, keys, strict=True))] = chart
        return found

    @property
    def opening(self) -> Chart:
        """The chart shown first."""
        return self.views[",".join(str(control.first) for control in self.asked)]

    @property
    def height(self) -> int:
        """Height of what is shown first, px."""
        return int(self.opening.layout["height"])

    @property
    def told(self) -> str:
        """What stands below it at first."""
        return next(words for words in (self.caption, self.opening.caption, self.summary) if words is not None)

    @property
    def data(self) -> tuple[list[str], list[list[Any]]]:
        """Columns and rows that are downloaded and tabulated: rows that several charts share stand there once."""
        if self.rows is not None:
            rows: Sequence[Mapping[str, Any]] = records(self.rows)
        else:
            shared = {id(chart.rows): chart.rows for chart in self.views.values()}
            rows = [row for some in shared.values() for row in some]
        columns = self.columns.split() or list(dict.fromkeys(key for row in rows for key in row))
        return columns, [[blank(row.get(column)) for column in columns] for row in rows]

    def drawing(self) -> dict[str, Any]:
        """What the page's script needs."""
        columns, rows = self.data
        return {
            "views": {key: chart.to_dict() for key, chart in self.views.items()},
            "aspect": self.aspect,
            "captions": {key: chart.caption for key, chart in self.views.items() if chart.caption is not None},
            "columns": columns,
            "rows": rows,
        }


@dataclass(frozen=True)
class Column:
    """A column of a table.

    of    what stands in it: a column of the rows, its number in rows that are tuples, or a function of a row
    form  how its values are written, see `planner.words.written`
    """

    label: str
    of: Value
    form: str = "text"

    @property
    def numeric(self) -> bool:
        """Whether it is set to the right."""
        return self.form not in ("text", "link")

    def cell(self, row: Any) -> Any:
        """Its value in a row; "" for text that is missing, None for a number that is."""
        value = of(row, self.of)
        if self.numeric:
            return value
        return "" if value is None else "yes" if value is True else "no" if value is False else str(value)

    def written(self, value: Any) -> str:
        """A value of it as text."""
        return written(value, self.form)


def project_columns(view: Names) -> tuple[Column, ...]:
    """Project, country and stage of rows that have an ``option``."""
    return (
        Column("Project", lambda r: view.project(str(r["option"]))),
        Column("Country", lambda r: view.home(str(r["option"]))),
        Column("Stage", lambda r: view.stage_of_project(str(r["option"]))),
    )


@dataclass(frozen=True)
class Table:
    """A sortable table; ``folded`` ones are opened by the reader: None folds those of more than 12 rows."""

    id: str
    title: str
    rows: Rows
    columns: Sequence[Column]
    folded: bool | None = None

    @property
    def cells(self) -> list[list[Any]]:
        """Its values by row and column."""
        return [[column.cell(row) for column in self.columns] for row in records(self.rows)]

    @property
    def shut(self) -> bool:
        """Whether the reader has to open it."""
        return len(self.rows) > 12 if self.folded is None else self.folded


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, then figures and tables.

    brief     its name in the list of sections
    warnings  why to read it with care, above all else
    """

    id: str
    title: str
    lead: Sequence[str]
    parts: Sequence[Figure | Table | None] = field(default_factory=tuple)
    brief: str = ""
    warnings: Sequence[str] = ()

    @property
    def shown(self) -> list[Figure | Table]:
        """Its parts without those that have nothing to show."""
        return [part for part in self.parts if part is not None]
