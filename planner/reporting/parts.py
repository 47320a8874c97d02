"""What a page is made of: sections, with figures and tables. They hold data only; `page` turns them into HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..language import N_, _
from ..words import blank, written
from .charts import Chart, Rows, Value, of, records

if TYPE_CHECKING:
    from .view import Names


@dataclass(frozen=True)
class Control:
    """A control above a figure, with which the reader chooses what it shows.

    choices  key of a choice -> its words; or words that are their own keys
    start    key of the choice shown first; None: the first
    kind     ``range`` is a slider (for years), ``select`` a list
    """

    label: str
    choices: Mapping[Any, str] | Sequence[str]
    start: Any = None
    kind: str = "select"

    @property
    def keys(self) -> list[Any]:
        """The keys of the choices."""
        return list(self.choices)

    @property
    def words(self) -> list[str]:
        """The words of the choices, which the reader sees."""
        return list(self.choices.values() if isinstance(self.choices, Mapping) else self.choices)

    @property
    def first(self) -> int:
        """The number of the choice shown first, counted from 0."""
        return 0 if self.start is None else self.keys.index(self.start)


def years(shown: Sequence[int]) -> Control:
    """Return a slider of years that starts at the last one."""
    return Control(_("Year"), {y: str(y) for y in shown}, shown[-1], "range")


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
    note      a remark below it
    least     width in px; on narrower screens the chart scrolls sideways
    aspect    ratio of height to width, up to the chart's own height; 0: always the chart's own height
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
        """The controls above it."""
        if self.controls or isinstance(self.chart, Chart):
            return self.controls
        return (Control(_("Show"), [str(key) for key in self.chart]),)

    @property
    def views(self) -> dict[str, Chart]:
        """Numbers of the choices made, joined by commas ("0,3"; "" without controls) -> chart."""
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
        """The height of the chart shown first, px."""
        return int(self.opening.layout["height"])

    @property
    def told(self) -> str:
        """The caption below the chart shown first."""
        return next(words for words in (self.caption, self.opening.caption, self.summary) if words is not None)

    @property
    def data(self) -> tuple[list[str], list[list[Any]]]:
        """The columns and the rows that are downloaded and tabulated; rows that several charts share appear once."""
        if self.rows is not None:
            rows: Sequence[Mapping[str, Any]] = records(self.rows)
        else:
            shared = {id(chart.rows): chart.rows for chart in self.views.values()}
            rows = [row for some in shared.values() for row in some]
        columns = self.columns.split() or list(dict.fromkeys(key for row in rows for key in row))
        return columns, [[blank(row.get(column)) for column in columns] for row in rows]

    def drawing(self) -> dict[str, Any]:
        """Return what the page's script needs to draw it, as JSON can hold it."""
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
        """Whether its cells are aligned to the right."""
        return self.form not in ("text", "link")

    def cell(self, row: Any) -> Any:
        """Return its value in a row; a missing text is "", a missing number None."""
        value = of(row, self.of)
        if self.numeric:
            return value
        return "" if value is None else _("yes") if value is True else _("no") if value is False else str(value)

    def written(self, value: Any) -> str:
        """Return a value of the column as text."""
        return written(value, self.form)


def project_columns(view: Names) -> tuple[Column, ...]:
    """Return the columns project, country and stage, for rows that have an ``option``."""
    return (
        Column(_("Project"), lambda r: view.project(str(r["option"]))),
        Column(_("Country"), lambda r: view.home(str(r["option"]))),
        Column(_("Stage"), lambda r: view.stage_of_project(str(r["option"]))),
    )


@dataclass(frozen=True)
class Table:
    """A table that the reader can sort.

    folded  whether the reader has to open it first; None: if it has more than 12 rows
    """

    id: str
    title: str
    rows: Rows
    columns: Sequence[Column]
    folded: bool | None = None

    @property
    def cells(self) -> list[list[Any]]:
        """Its values: a list by row of lists by column."""
        return [[column.cell(row) for column in self.columns] for row in records(self.rows)]

    @property
    def shut(self) -> bool:
        """Whether the reader has to open it."""
        return len(self.rows) > 12 if self.folded is None else self.folded


class Card(NamedTuple):
    """A project or the like, told in pairs of a word and what is to be said of it.

    place    what stands below its title
    facts    (word, what is said), without those of which nothing is to be said
    remark   what the data say of it; "": nothing
    sources  (title, address)
    """

    id: str
    title: str
    place: str
    facts: Sequence[tuple[str, str]]
    remark: str = ""
    sources: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Cards:
    """Cards that the reader opens together, under one title."""

    id: str
    title: str
    cards: Sequence[Card]


# sections whose short name is that of their id
SHORT_NAMES = (
    N_("Dependence"), N_("Origins"), N_("Chain"), N_("Map"), N_("Builds"), N_("Projects"), N_("Costs"), N_("Prices"),
    N_("Impacts"), N_("Shortages"), N_("Substitution"), N_("Funding"), N_("Outlays"), N_("Inputs"), N_("Trust"),
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, then figures and tables.

    lead      its sentences
    parts     its figures, tables and cards; None: nothing to show
    brief     its short name in the list of sections
    warnings  why to read it with care; they stand above all else
    """

    id: str
    title: str
    lead: Sequence[str]
    parts: Sequence[Figure | Table | Cards | None] = field(default_factory=tuple)
    brief: str = ""
    warnings: Sequence[str] = ()

    @property
    def shown(self) -> list[Figure | Table | Cards]:
        """Its parts without those that have nothing to show."""
        return [part for part in self.parts if part is not None]
