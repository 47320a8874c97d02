"""Ranked rows as horizontal bars, with the ends of ranges, marks and a line across."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..words import shortened
from .charts import (
    Chart,
    Rows,
    Trace,
    Value,
    layout,
    of,
    plain,
    pointer_text,
    points,
    records,
)
from .looks import BLACK, BLUE, INK, PAPER, VEIL, Look

RUNG = 44  # height in px of a row of `ranked`, where names stand above their bars
NAMED = 54  # characters of a name that fit above a bar on a phone


class Bar(NamedTuple):
    """A kind of bar in `ranked`. Values are columns or functions of a row; where a value is None there is no bar.

    to     where the bar ends
    name   its name in the legend; "": it is not in the legend
    look   colour and pattern
    start  where it begins; None: at zero
    ends   least and most possible value, drawn as a thin line (an error bar)
    text   text at its end, from its value
    says   lines that the pointer shows, the first of several bold; or what it shows in the form of plotly; "": nothing
    where  column and value of the rows that have such a bar; None: all rows
    """

    to: Value
    name: str = ""
    look: Look = Look(BLUE)
    start: Value | None = None
    ends: tuple[Value, Value] | None = None
    text: Callable[[float], str] | None = None
    says: Callable[[Any], Sequence[str]] | str = "%{x:,.4~g}"
    where: tuple[str, Any] | None = None


class Mark(NamedTuple):
    """Diamonds in the rows of `ranked`.

    at    positions of the diamonds of a row, and the lines that the pointer shows at each
    name  in the legend; "": not in it
    """

    at: Callable[[Any], Sequence[tuple[float, Sequence[str]]]]
    name: str = ""


def ranked(
    rows: Rows,
    name: Value,
    bars: Sequence[Bar],
    axis: Mapping[str, Any],
    *,
    most: int = 15,
    beside: bool = False,
    marks: Mark | None = None,
    line: float | None = None,
    **more: Any,
) -> Chart:
    """Return horizontal bars, one per row; the name stands above its bar, so that long names fit on a phone too.

    rows    in the order drawn, from the top; only the first ``most`` are drawn
    name    column or function of what stands above each bar
    bars    kinds of bars; they lie over each other, or with ``beside`` two of them lie below each other
    axis    in the form of plotly, such as what `amounts` returns
    marks   diamonds in addition to the bars
    line    value at which a line crosses all rows; None: no line
    more    further entries of the layout
    """
    rows = records(rows)
    shown = list(enumerate(rows[:most]))
    traces = []
    for k, bar in enumerate(bars):
        own_rows = [(n, r) for n, r in shown if bar.where is None or r[bar.where[0]] == bar.where[1]]
        own_rows = [(n, r) for n, r in own_rows if of(r, bar.to) is not None]
        place = {"width": 0.2, "offset": 0.15 if k else -0.07} if beside else {"width": 0.4, "offset": -0.07}
        if own_rows:
            traces.append(_bar(bar, own_rows, {**place, "width": 0.26, "offset": 0.02} if marks else place))
    if marks:
        diamonds = [(at, n + 0.15, pointer_text(says)) for n, r in shown for at, says in marks.at(r)]
        x, y, says = zip(*diamonds, strict=True) if diamonds else ((), (), ())
        diamond = {"symbol": "diamond", "size": 10, "color": INK, "line": {"color": PAPER, "width": 1}}
        named = {"name": plain(marks.name), "showlegend": bool(marks.name)}
        traces.append(points(x, y, "markers", says, marker=diamond, **named))
    legend = sum(t.get("name", "") != "" for t in traces) > 1 or any(b.where for b in bars)
    names = [of(r, name) for _, r in shown]
    crossing = {"type": "line", "x0": line, "x1": line, "y0": 0, "y1": 1, "yref": "paper", "line": {"color": BLACK}}
    labels = {"xref": "paper", "yref": "y", "xanchor": "left", "showarrow": False, "align": "left",
              "font": {"size": 12}, "bgcolor": VEIL}  # above lines that cross it  # fmt: skip
    drawn = layout(
        xaxis=axis,
        yaxis={"visible": False, "range": [len(names) - 0.45, -0.6], "fixedrange": True},
        annotations=[
            {"x": 0, "y": n - 0.27, "text": plain(shortened(words, NAMED)), **labels} for n, words in enumerate(names)
        ],
        showlegend=legend,
        height=75 + RUNG * len(names) + (45 if legend else 0),
        barmode="overlay",
        **({} if line is None else {"shapes": [crossing]}),
        **more,
    )
    return Chart(traces, drawn, rows)


def _bar(bar: Bar, own_rows: Sequence[tuple[int, Any]], place: Trace) -> Trace:
    """Return a kind of bars as a series of plotly.

    own_rows  the rows that have such a bar, each with its position from the top
    place     width and offset of the bars, in the form of plotly
    """
    rows = [r for _, r in own_rows]
    values = [of(r, bar.to) for r in rows]
    trace = {"type": "bar", "orientation": "h", "y": [n for n, _ in own_rows], **place, "name": plain(bar.name),
             "marker": bar.look.marker(), "showlegend": bool(bar.name)}  # fmt: skip
    if bar.start is not None:
        starts = [of(r, bar.start) for r in rows]
        trace |= {"base": starts, "x": [v - s for v, s in zip(values, starts, strict=True)]}
    else:
        trace["x"] = values
    if bar.ends:
        least, most = ([of(r, end) for r in rows] for end in bar.ends)
        trace["error_x"] = {
            "symmetric": False,
            "array": [max(0.0, m - v) for m, v in zip(most, values, strict=True)],
            "arrayminus": [max(0.0, v - m) for m, v in zip(least, values, strict=True)],
            "color": INK,
            "thickness": 1.5,
        }
    if bar.text:
        trace |= {"text": [plain(bar.text(v)) for v in values], "textposition": "auto"}
    if bar.says == "":
        return {**trace, "hoverinfo": "skip"}
    if isinstance(bar.says, str):
        return {**trace, "hovertemplate": bar.says + ("" if bar.name else "<extra></extra>")}
    hover = {"customdata": [pointer_text(bar.says(r)) for r in rows], "hovertemplate": "%{customdata}<extra></extra>"}
    return {**trace, **hover}
