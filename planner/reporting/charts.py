"""Charts from rows and column names.

Each function takes rows (a list of mappings, or a DataFrame) and the names of their columns, and returns a `Chart`:
what is drawn, and the rows behind it, from which a page makes the download and the table below the chart. In a notebook
``stacked(rows, "year", "made_t", "country", "t").to_plotly()`` shows it. Colours and patterns of series are in `looks`.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..language import _, present
from ..words import blank, shortened
from .looks import BLACK, BLUE, FONTS, FONTS_OF, GRID, INK, SKY, VERMILLION, ZERO, Look, look

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHARES = {"tickformat": ".0%", "rangemode": "tozero"}  # an axis of shares, in the form of plotly

Rows = Any  # a sequence of mappings from column to value, or a DataFrame
Value = str | int | Callable[[Any], Any]  # a column, a position in a row that is a tuple, or a function of a row
Trace = dict[str, Any]  # a series in the form of plotly
Groups = Sequence[tuple[str, Collection[Any]]]  # name of a group, and the values that belong to it


@dataclass(frozen=True)
class Chart:
    """A chart in the form of plotly, with the rows that it is drawn from.

    traces   series in the form of plotly
    layout   axes, legend and height (px) in the form of plotly
    rows     what it is drawn from, one mapping per row; a column has its unit in its name, such as ``made_t``
    caption  caption below it, where it is one of several charts of a figure; None: that of the figure
    """

    traces: Sequence[Trace]
    layout: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]] = ()
    caption: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return ``data`` and ``layout`` as plotly and its JavaScript library read them."""
        return {"data": [dict(trace) for trace in self.traces], "layout": dict(self.layout)}

    def to_plotly(self) -> go.Figure:
        """Return a figure of plotly, which a notebook shows."""
        import plotly.graph_objects

        return plotly.graph_objects.Figure(self.to_dict())


def records(rows: Rows) -> list[dict[str, Any]]:
    """Return rows as mappings, whether they are given as such or as a DataFrame."""
    if isinstance(rows, list):
        return rows  # the same list, so that it can be seen which charts share it
    return rows.to_dict("records") if hasattr(rows, "columns") else list(rows)


def of(row: Any, value: Value) -> Any:
    """Return a value of a row: a column, a position or a function of it; None for a number that is not finite."""
    return blank(value(row) if callable(value) else row[value] if isinstance(value, int) else row.get(value))


def plain(text: Any) -> str:
    """Return text with tags and entities escaped, as the chart library would interpret them."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def points(x: Sequence[Any], y: Sequence[Any], mode: str, says: Sequence[str] = (), **more: Any) -> Trace:
    """Return a series of markers, lines or text; ``says`` is what the pointer shows at each point, in plotly's text."""
    shown: Trace = {"customdata": list(says), "hovertemplate": "%{customdata}<extra></extra>"}
    hover = shown if says else {"hoverinfo": "skip"}
    return {"type": "scatter", "mode": mode, "x": list(x), "y": list(y), **hover, **more}


def legend_only(name: str, **drawn: Any) -> Trace:
    """Return a series that stands in the legend and draws nothing; ``drawn`` is its look, in the form of plotly."""
    mode = "lines" if "line" in drawn else "markers"
    return points([None], [None], mode, name=plain(name), showlegend=True, **drawn)


def bar(name: str, x: Sequence[Any], y: Sequence[Any], marker: Trace, hover: str, **more: Any) -> Trace:
    """Return a series of bars; ``hover`` is what the pointer shows, in the form of plotly."""
    return {"type": "bar", "name": plain(name), "x": x, "y": y, "marker": marker, "hovertemplate": hover, **more}


# --- by year ---


def largest(totals: Mapping[Any, float], names: Callable[[Any], str], most: int, rest: Callable[[int], str]) -> Groups:
    """Return groups for `stacked`: each of the largest alone, and all others together.

    totals  value -> its total, by which it is ranked
    names   name of a value
    most    how many are shown alone
    rest    name of the others, from their number

    >>> largest({"JPN": 5.0, "USA": 9.0, "AUS": 1.0}, str.lower, 1, lambda n: f"{n} others")
    [('usa', ['USA']), ('2 others', ['JPN', 'AUS'])]
    """
    order = sorted(totals, key=lambda k: (-totals[k], k))
    shown, others = order[:most], order[most:]
    return [*((names(k), [k]) for k in shown), *([(rest(len(others)), others)] if others else [])]


def _series(
    rows: Sequence[Any], x: str, y: str | Mapping[str, str], by: Value | None, groups: Groups | None
) -> list[tuple[str, dict[Any, float]]]:
    """Return the name of each series and its sums by x; the arguments are those of `stacked`."""
    if isinstance(y, str):
        keys = ["" if by is None else of(r, by) for r in rows]
        groups = groups or [(str(k), [k]) for k in dict.fromkeys(keys)]
        cells_of = [(n, [(r, y) for r, k in zip(rows, keys, strict=True) if k in members]) for n, members in groups]
    else:
        cells_of = [(name, [(r, column) for r in rows]) for column, name in y.items()]
    series = []
    for name, cells in cells_of:
        sums: dict[Any, float] = {}
        for row, column in cells:
            if (value := of(row, column)) is not None:
                sums[row[x]] = sums.get(row[x], 0.0) + value
        series.append((name, sums))
    return series


def stacked(
    rows: Rows,
    x: str,
    y: str | Mapping[str, str],
    by: Value | None = None,
    unit: str = "",
    *,
    groups: Groups | None = None,
    looks: Mapping[str, Look] | None = None,
    years: Sequence[int] = (),
    lengths: Mapping[int, int] | None = None,
    height: int = 380,
) -> Chart:
    """Return stacked bars of amounts per year.

    x        column of years
    y        column of amounts in ``unit`` per year, or mapping from columns to the name of each
    by       column, or function of a row, whose values are stacked on each other
    groups   groups of values of ``by``, in the order stacked; other values are not drawn. None: each value is a group
    looks    name of a group -> its look; the others get the next free look
    years    years of the axis; default: those of the rows
    lengths  first year of a period -> its length in years: bars are as wide as their period
    height   px
    """
    rows = records(rows)
    years = list(years) or sorted({r[x] for r in rows})
    wide = any((lengths or {}).get(v, 1) > 1 for v in years)
    place = {"width": [0.86 * (lengths or {}).get(v, 1) for v in years], "offset": 0 if wide else -0.43}
    traces, totals = [], dict.fromkeys(years, 0.0)
    for n, (name, values) in enumerate(_series(rows, x, y, by, groups)):
        y_values, marker = [values.get(v, 0.0) for v in years], (looks or {}).get(name, look(n)).marker()
        traces.append(bar(name, years, y_values, marker, f"%{{y:,.4~g}} {plain(unit)}", **place))
        totals = {v: t + abs(values.get(v, 0.0)) for v, t in totals.items()}
    axes = {"xaxis": year_axis(years, lengths), "yaxis": amounts(_("{unit} a year", unit=unit), totals.values())}
    drawn = layout(**axes, barmode="relative", hovermode="x unified", showlegend=True, height=height)
    return Chart(traces, drawn, rows)


def lines(
    rows: Rows,
    x: str,
    y: str | Mapping[str, str],
    by: Value | None = None,
    *,
    yaxis: Mapping[str, Any],
    xaxis: Mapping[str, Any] | None = None,
    groups: Groups | None = None,
    looks: Mapping[str, Look] | None = None,
    xs: Sequence[Any] = (),
    hover: str = "%{y:.1%}",
    height: int = 380,
) -> Chart:
    """Return lines, by year if no other axis is given.

    x, y, by, groups, looks, height  as in `stacked`; a line has a gap where there is no value
    xaxis, yaxis                     in the form of plotly, such as `SHARES` or what `amounts` gives
    xs                               values of the axis; default: those of the rows
    hover                            what the pointer shows, in the form of plotly
    """
    rows = records(rows)
    xs = list(xs) or list(dict.fromkeys(r[x] for r in rows))
    traces = []
    for n, (name, values) in enumerate(_series(rows, x, y, by, groups)):
        drawn = (looks or {}).get(name, look(n))
        known = [v for v in xs if v in values] if drawn.dash == "none" else xs
        series = {"x": known, "y": [values.get(v) for v in known], **drawn.line()}
        traces.append({"type": "scatter", "name": plain(name), **series, "hovertemplate": hover})
    axis = year_axis(xs) if xaxis is None else xaxis
    more = {} if xaxis is not None else {"hovermode": "x unified"}
    return Chart(traces, layout(xaxis=axis, yaxis=yaxis, showlegend=True, height=height, **more), rows)


def fan(
    rows: Rows,
    x: str,
    low: str,
    high: str,
    middle: str,
    planned: str,
    yaxis: Mapping[str, Any],
    *,
    hover: str = "%{y:.1%}",
    height: int = 400,
) -> Chart:
    """Return a band by year with two lines in it.

    low, high  columns of the ends of the band: the 10th and the 90th percentile
    middle     column of the mean
    planned    column of what was planned
    yaxis      in the form of plotly
    """
    rows = records(rows)
    drawn = lines(
        rows, x,
        {low: _("a tenth below"), high: _("four fifths of the outcomes"), middle: _("mean"), planned: _("as planned")},
        yaxis=yaxis, hover=hover, height=height,
        looks={_("mean"): Look(BLUE), _("as planned"): Look(BLACK, "", "dash", "diamond", 2, 7)},
    )  # fmt: skip
    below, above, *others = drawn.traces
    edge = {"mode": "lines", "line": {"width": 0}}
    below = {**below, **edge, "showlegend": False}
    above = {**above, **edge, "fill": "tonexty", "fillcolor": "rgba(86,180,233,0.35)"}
    shown = [trace for trace in others if any(v is not None for v in trace["y"])]
    return Chart([below, above, *shown], drawn.layout, rows)


def spread(
    rows: Rows, value: str, title: str, marks: Sequence[tuple[str, float, str]], *, form: str = ",~s", most: int = 24
) -> Chart:
    """Return a histogram of values in at most ``most`` classes.

    value  column of the values, with its unit in ``title``
    marks  lines across it: name, value, and what the pointer shows
    form   number format of the axis, as plotly writes it
    """
    rows = records(rows)
    values = [float(v) for r in rows if (v := of(r, value)) is not None]
    left, counts, width = _classes(values, most)
    middles, wide = [a + width / 2 for a in left], width * 0.96 if width else max(1.0, abs(left[0])) * 0.01
    outcomes = _("outcomes")
    bars = bar(
        outcomes,
        middles,
        counts,
        {"color": SKY},
        f"%{{y}} {outcomes}<extra></extra>",
        width=[wide] * len(left),
    )
    styles = [(BLACK, "solid"), (BLUE, "dash"), (VERMILLION, "dot")] if len(marks) > 1 else [(BLACK, "dash")]
    marked = [
        {"type": "scatter", "name": plain(name), "x": [at, at], "y": [0, max(counts) * 1.05],
         **Look(colour, dash=dash, size=0).line(), "hovertemplate": f"{plain(name)}: {words}<extra></extra>"}
        for (name, at, words), (colour, dash) in zip(marks, styles, strict=False)
    ]  # fmt: skip
    axis = {"title": {"text": plain(title), "standoff": 12}, "tickformat": form, "nticks": 7}
    return Chart(
        [bars, *marked], layout(xaxis=axis, yaxis={"title": {"text": _("outcomes")}}, showlegend=True, height=380), rows
    )


def _classes(values: Sequence[float], most: int) -> tuple[list[float], list[int], float]:
    """Return the left ends of equal classes, how many values are in each, and the width of a class."""
    low, high = min(values), max(values)
    number = min(most, max(1, round(math.sqrt(len(values)) * 1.5)))
    width = (high - low) / number
    if width <= 1e-9 * max(1.0, abs(high)):
        return [low], [len(values)], 0.0
    counts = [0] * number
    for v in values:
        counts[min(number - 1, int((v - low) / width))] += 1
    return [low + n * width for n in range(number)], counts, width


def columns(
    rows: Rows,
    whole: Mapping[str, str],
    totals: Mapping[str, str],
    yaxis: Mapping[str, Any],
    called: Callable[[Any], str],
) -> Chart:
    """Return stacked bars side by side, each with its total above.

    rows    the parts that are stacked, one per row
    whole   column with the amounts of a bar -> name of the bar
    totals  the same column -> text above the bar
    yaxis   in the form of plotly, such as what `amounts` returns
    called  name of a part, from its row
    """
    rows = records(rows)
    at = list(range(len(whole)))
    traces = [
        bar(called(r), at, [of(r, c) for c in whole], look(n).marker(), "%{y:,.4~g}", width=0.6)
        for n, r in enumerate(rows)
    ]
    tops = [sum(max(0.0, of(r, c) or 0.0) for r in rows) for c in whole]
    above: Trace = {"text": [totals[c] for c in whole], "textposition": "top center", "showlegend": False}
    traces.append(points(at, tops, "text", **above))
    ticks = [wrapped(name, 16, 3) for name in whole.values()]
    xaxis = {"tickmode": "array", "tickvals": at, "ticktext": ticks, "zeroline": False}
    drawn = layout(barmode="stack", xaxis=xaxis, yaxis=yaxis, hovermode="x unified", showlegend=True, height=430)
    return Chart(traces, drawn, rows)


def positions(
    rows: Rows, x: str, y: str, low: str, name: str, xaxis: Mapping[str, Any], yaxis: Mapping[str, Any], *, says: Value
) -> Chart:
    """Return a named marker for each row, with a line down to the least that its height may be.

    x, y          columns of the place
    low           column of the lower end of its height
    name          column of its name
    xaxis, yaxis  in the form of plotly
    says          what the pointer shows, in lines
    """
    rows = [r for r in records(rows) if of(r, x) is not None and of(r, y) is not None]
    traces = []
    for n, r in enumerate(rows):
        down = max(0.0, of(r, y) - (of(r, low) if of(r, low) is not None else of(r, y)))
        reach = {"type": "data", "symmetric": False, "array": [0.0], "arrayminus": [down]}
        marker = {"size": 14, "symbol": look(n).symbol, "color": look(n).colour}
        told = pointer_text(of(r, says))
        place: Trace = {"text": [plain(shortened(str(r[name]), 24))], "textposition": "top center"}
        traces.append(points([of(r, x)], [of(r, y)], "markers+text", [told], marker=marker, error_y=reach, **place))
    return Chart(traces, layout(xaxis=xaxis, yaxis=yaxis, hovermode="closest", showlegend=False, height=430), rows)


def shares(
    rows: Rows, share: str, down: str, by: str, names: Sequence[str], groups: Groups, looks: Mapping[str, Look]
) -> Chart:
    """Return parts of a whole as horizontal bars, stacked from left to right.

    share   column of the shares, 0 to 1
    down    column whose values, ``names``, each have a bar of their own
    by      column of the parts
    groups  groups of values of ``by``, in the order stacked
    looks   name of a group -> its look
    """
    rows = records(rows)
    series, y = _series(rows, down, share, by, groups), [plain(n) for n in names]
    traces = [
        bar(name, [sums.get(n, 0.0) for n in names], y, looks[name].marker(), "%{x:.1%}", orientation="h")
        for name, sums in series
    ]
    drawn = layout(
        barmode="stack",
        xaxis={"tickformat": ".0%", "range": [0, 1.001]},
        yaxis={"autorange": "reversed", "type": "category", "ticklabelstandoff": 4},
        legend={"traceorder": "normal"},
        hovermode="y unified",
        showlegend=True,
        height=120 + 62 * len(names),
    )
    return Chart(traces, drawn, rows)


# --- names ---


def pointer_text(words: Sequence[str]) -> str:
    """Return lines as the text that the pointer shows; the first of several is bold."""
    first, *rest = (plain(w) for w in words if w)
    return "<br>".join([f"<b>{first}</b>", *rest]) if rest else first


def wrapped(text: str, width: int, most: int) -> str:
    """Return a name in at most ``most`` lines of ``width`` characters, for the chart library.

    >>> wrapped("United States of America", 11, 3), wrapped("Sintered magnets, grade H", 11, 2)
    ('United<br>States of<br>America', 'Sintered<br>magnets,…')
    """
    wrapped_lines = textwrap.wrap(text, width, break_long_words=True) or [""]
    if len(wrapped_lines) > most:
        wrapped_lines = [*wrapped_lines[: most - 1], shortened(f"{wrapped_lines[most - 1]}…", width)]
    return "<br>".join(plain(line) for line in wrapped_lines)


def amounts(title: str, values: Collection[float]) -> Trace:
    """Return an axis of amounts from zero; only if some are 10,000 or more are prefixes used, as 0.8 would be 800m."""
    large = max((abs(v) for v in values), default=0.0) >= 1e4
    words = {"text": plain(title), "standoff": 12}
    return {"title": words, "tickformat": ",~s" if large else ",~g", "rangemode": "tozero"}


def year_axis(years: Sequence[int], lengths: Mapping[int, int] | None = None) -> Trace:
    """Return an axis of calendar years, with whole numbers only.

    lengths  first year of a period -> its length in years, for bars that are as wide as their period
    """
    first, last = years[0], years[-1]
    wide = bool(lengths) and max((lengths or {}).values()) > 1
    end = last + (lengths or {}).get(last, 1) - 1 if wide else last
    step = max(1, math.ceil((end - first) / 7))
    before, after = (0.1, 1.0) if wide else (0.6, 0.6)
    span = [first - before, end + after]
    axis = {"tickmode": "linear", "tick0": first, "dtick": step, "tickformat": "d", "range": span}
    return {**axis, "ticklabelstandoff": 4}


def layout(**more: Any) -> Trace:
    """Return a layout: what all charts share, with ``more``. Charts cannot be dragged, so a finger scrolls the page."""
    axis = {"fixedrange": True, "gridcolor": GRID, "zerolinecolor": ZERO, "automargin": True}
    common: Trace = {
        "font": {"family": FONTS_OF.get(present().code, FONTS), "size": 13, "color": INK},
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
    if signs := present().signs:
        common["separators"] = f"{signs[ord('.')]}{signs[ord(',')]}"
    for name, value in more.items():
        shared = common.get(name)
        common[name] = {**shared, **value} if isinstance(shared, dict) and isinstance(value, Mapping) else value
    return common
