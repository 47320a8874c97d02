"""What a page is made of: sections with figures and tables; colours; how numbers and names are written."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..words import blank, brief_number, figure_of, shortened

# Okabe and Ito's palette, told apart by people with any kind of colour vision
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY = "#8A8F98"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, BLACK, GREY)
DASHES = ("dot", "dash", "dashdot", "longdash", "longdashdot", "solid")
MARKERS = ("square", "diamond", "triangle-up", "cross", "x", "star")
PATTERNS = ("", "/", ".", "x", "\\", "-", "+", "|")
STAGES = (SKY, ORANGE, GREEN, BLUE, PURPLE, YELLOW)  # a stage has one colour on the whole page
SHADES = ((0.0, "#f4f6f8"), (0.02, "#fde8d7"), (0.35, "#f5a66b"), (0.7, "#d55e00"), (1.0, "#7a2e00"))  # none to much
CONCERN, CLEAN = VERMILLION, BLUE  # exposed and clean, wherever both are shown


@dataclass(frozen=True)
class Data:
    """Rows behind a figure, as they are downloaded. A column has its unit in its name, such as ``made_t``."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Control:
    """A choice above a figure: ``range`` is a slider (years), ``select`` a list; ``start`` is shown first."""

    label: str
    kind: str
    choices: tuple[str, ...]
    start: int = 0


@dataclass(frozen=True)
class Figure:
    """A chart.

    title    states what is seen
    summary  the same for those who cannot see it, with numbers
    caption  what stands below; None: the summary
    captions view -> what stands below it instead, where it changes with the controls
    views    choice of every control, joined by commas ("0,3"; "" without controls) -> traces, or a mapping with
             ``data`` and ``layout`` for what also changes in the layout; a height in it goes before ``height``
    least    px: on narrower screens the chart scrolls sideways
    aspect   height to width, at most ``height``; 0: always ``height``
    """

    id: str
    title: str
    summary: str
    views: Mapping[str, Any]
    layout: Mapping[str, Any]
    data: Data
    controls: tuple[Control, ...] = ()
    height: int = 380
    least: int = 0
    note: str = ""
    caption: str | None = None
    aspect: float = 0.0
    captions: Mapping[str, str] = field(default_factory=dict)

    def drawing(self) -> dict[str, Any]:
        """What the page's script needs."""
        return {
            "layout": dict(self.layout),
            "views": dict(self.views),
            "height": self.height,
            "aspect": self.aspect,
            "captions": dict(self.captions),
            "columns": list(self.data.columns),
            "rows": [[blank(v) for v in row] for row in self.data.rows],
        }


@dataclass(frozen=True)
class Column:
    """A column of a table. ``form`` says how its values are written, see `written`."""

    label: str
    form: str = "text"

    @property
    def numeric(self) -> bool:
        """Whether it is set to the right."""
        return self.form not in ("text", "link")


@dataclass(frozen=True)
class Table:
    """A sortable table; ``folded`` ones are opened by the reader."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, then figures and tables.

    brief     its name in the list of sections
    warnings  why to read it with care, above all else
    """

    id: str
    title: str
    lead: Sequence[str]
    parts: Sequence[Figure | Table] = field(default_factory=tuple)
    brief: str = ""
    warnings: Sequence[str] = ()


def plain(text: str) -> str:
    """Text for the chart library, which would read tags and entities in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def bars(
    name: str, years: Sequence[int], lengths: Mapping[int, int], values: Sequence[float], look: int, unit: str
) -> dict[str, Any]:
    """One series of stacked bars, each as wide as its period. ``look`` chooses colour and pattern."""
    wide = any(lengths.get(y, 1) > 1 for y in years)
    return {
        "type": "bar",
        "name": plain(name),
        "x": list(years),
        "y": list(values),
        "width": [0.86 * lengths.get(y, 1) for y in years],
        "offset": 0 if wide else -0.43,
        "marker": {"color": SERIES[look % len(SERIES)], "pattern": pattern(look)},
        "hovertemplate": f"%{{y:,.4~g}} {plain(unit)}",
    }


def pattern(look: int) -> dict[str, Any]:
    """Fine white hatching, so that bars are told apart without colour too."""
    shape = PATTERNS[look % len(PATTERNS)]
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "#ffffff", "size": 7, "solidity": 0.16}


RUNG = 44  # px of a row of a chart whose names stand above their bars
NAMED = 54  # characters of a name that fit above a bar on a phone


def rungs(names: Sequence[str], axis: Mapping[str, Any], legend: bool = False, **more: Any) -> dict[str, Any]:
    """Layout of horizontal bars, one row a name, which stands above its bar: long names fit on a phone too.

    The bars have ``y`` 0, 1, ... from the top, and ``**BAR``; two beside each other ``**UPPER`` and ``**LOWER``.
    """
    labels = [
        {
            "x": 0,
            "xref": "paper",
            "y": row - 0.27,
            "yref": "y",
            "xanchor": "left",
            "showarrow": False,
            "align": "left",
            "font": {"size": 12},
            "bgcolor": "rgba(255,255,255,0.8)",  # above lines that cross it
            "text": plain(shortened(name, NAMED)),
        }
        for row, name in enumerate(names)
    ]
    return layout(
        xaxis=axis,
        yaxis={"visible": False, "range": [len(names) - 0.45, -0.6], "fixedrange": True},
        annotations=labels,
        showlegend=legend,
        height=75 + RUNG * len(names) + (45 if legend else 0),
        barmode="overlay",
        **more,
    )


def amounts(title: str, values: Sequence[float]) -> dict[str, Any]:
    """An axis of amounts from zero; thousands are short only where there are some, for 800m would be 0.8."""
    large = max((abs(v) for v in values), default=0.0) >= 1e4
    return {
        "title": {"text": plain(title), "standoff": 12},
        "tickformat": ",~s" if large else ",~g",
        "rangemode": "tozero",
    }


BAR: dict[str, Any] = {"type": "bar", "orientation": "h", "width": 0.4, "offset": -0.07}
UPPER: dict[str, Any] = {**BAR, "width": 0.2}
LOWER: dict[str, Any] = {**UPPER, "offset": 0.15}


CELL = 36  # px of a row of a heat map
ACROSS, DOWN = 13, 26  # characters in a line of the names of its columns and rows


def grid(
    columns: Sequence[str], rows: Sequence[str], values: Sequence[Sequence[float | None]], unit: str, **more: Any
) -> dict[str, Any]:
    """A view of a heat map: names across and down, numbers in the cells, darker is more; None is an empty cell.

    Names are the ticks of whole numbers, so that equal names stay apart.
    """
    across, down = list(range(len(columns))), list(range(len(rows)))
    trace = {
        "type": "heatmap",
        "x": across,
        "y": down,
        "z": [[blank(v) for v in line] for line in values],
        "text": [["" if v is None or v != v else brief_number(v) for v in line] for line in values],
        "texttemplate": "%{text}",
        "hovertext": [
            [
                "" if v is None or v != v else f"{plain(row)}, {plain(column)}: {figure_of(v)} {plain(unit)}"
                for column, v in zip(columns, line, strict=True)
            ]
            for row, line in zip(rows, values, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "colorscale": SHADES,
        **more,
    }
    ticks = {"tickmode": "array", "showgrid": False, "zeroline": False, "ticks": ""}
    heads = [wrapped(c, ACROSS, 3) for c in columns]
    lines = max((h.count("<br>") + 1 for h in heads), default=1)
    return {
        "data": [trace],
        "layout": layout(
            xaxis={
                **ticks,
                "tickvals": across,
                "ticktext": heads,
                "tickangle": 0,
                "side": "top",
                "range": [-0.5, len(columns) - 0.5],
            },
            yaxis={
                **ticks,
                "tickvals": down,
                "ticktext": [wrapped(r, DOWN, 2) for r in rows],
                "range": [len(rows) - 0.5, -0.5],
            },
            height=30 + 17 * lines + CELL * len(rows),
        ),
    }


def grid_width(columns: int) -> int:
    """The least width of a heat map, px."""
    return 8 * DOWN + 72 * columns


def wrapped(text: str, width: int, most: int) -> str:
    """A name in at most so many lines, for the chart library.

    >>> wrapped("United States of America", 11, 3), wrapped("Sintered magnets, grade H", 11, 2)
    ('United<br>States of<br>America', 'Sintered<br>magnets,…')
    """
    lines = textwrap.wrap(text, width, break_long_words=True) or [""]
    if len(lines) > most:
        lines = [*lines[: most - 1], shortened(f"{lines[most - 1]}…", width)]
    return "<br>".join(plain(line) for line in lines)


def layout(**more: Any) -> dict[str, Any]:
    """What all charts share: fonts, quiet axes, no dragging, so that a finger scrolls the page."""
    axis = {"fixedrange": True, "gridcolor": "#e6e8eb", "zerolinecolor": "#9aa0a8", "automargin": True}
    common: dict[str, Any] = {
        "font": {"family": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif", "size": 13, "color": "#1b1f24"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "dragmode": False,
        "hoverlabel": {"align": "left"},
        # at the foot of the chart: rows of a legend push the axis up instead of lying on it
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
    }
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(common.get(name), dict):
            common[name] = {**common[name], **value}
        else:
            common[name] = value
    return common


def year_axis(years: Sequence[int], lengths: Mapping[int, int] | None = None) -> dict[str, Any]:
    """An axis of calendar years with whole numbers only; ``lengths`` for bars, which reach to their period's end."""
    first, last = years[0], years[-1]
    wide = lengths is not None and max(lengths.values()) > 1
    end = last + lengths[last] - 1 if lengths is not None and wide else last
    step = max(1, math.ceil((end - first) / 7))
    before, after = (0.1, 1.0) if wide else (0.6, 0.6)
    span = [first - before, end + after]
    axis = {"tickmode": "linear", "tick0": first, "dtick": step, "tickformat": "d", "range": span}
    return {**axis, "ticklabelstandoff": 4}
