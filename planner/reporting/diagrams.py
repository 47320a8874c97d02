"""Charts in two directions: heat maps, and flows from place to place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..words import brief_number, figure_of
from .charts import Chart, Rows, Trace, layout, legend_only, of, plain, records, wrapped
from .looks import SHADES

CELL = 36  # height in px of a row of a heat map
ACROSS, DOWN = 13, 26  # characters in a line of the column names, and of the row names, of a heat map


def heat(
    rows: Rows,
    across: str,
    down: str,
    value: str,
    unit: str,
    columns: Mapping[Any, str],
    lines: Mapping[Any, str],
    **more: Any,
) -> Chart:
    """Return a heat map: names across and down, numbers in ``unit`` in the cells; the stronger the colour, the more.

    across, down    columns of the rows that tell the column and the line of a value; the largest of several is shown
    columns, lines  value of ``across``, and of ``down`` -> its name, in the order drawn
    more            further entries of the trace, such as ``zmax`` or ``colorscale``
    A cell without a value is empty. Names are the ticks of whole numbers, so that equal names stay apart.
    """
    rows = records(rows)
    cells: dict[tuple[Any, Any], float] = {}
    for r in rows:
        if (v := of(r, value)) is not None:
            cells[r[down], r[across]] = max(v, cells.get((r[down], r[across]), v))
    values = [[cells.get((line, column)) for column in columns] for line in lines]
    heads = [wrapped(c, ACROSS, 3) for c in columns.values()]
    trace = {
        "type": "heatmap",
        "x": list(range(len(columns))),
        "y": list(range(len(lines))),
        "z": values,
        "text": [["" if v is None else brief_number(v) for v in line] for line in values],
        "texttemplate": "%{text}",
        "hovertext": [
            [
                "" if v is None else f"{plain(name)}, {plain(column)}: {figure_of(v)} {plain(unit)}"
                for column, v in zip(columns.values(), line, strict=True)
            ]
            for name, line in zip(lines.values(), values, strict=True)
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
    top = {"ticktext": heads, "tickangle": 0, "side": "top", "range": [-0.5, len(columns) - 0.5]}
    side = {"ticktext": [wrapped(r, DOWN, 2) for r in lines.values()], "range": [len(lines) - 0.5, -0.5]}
    deep = max((h.count("<br>") + 1 for h in heads), default=1)
    drawn = layout(
        xaxis={**ticks, "tickvals": trace["x"], **top},
        yaxis={**ticks, "tickvals": trace["y"], **side},
        height=30 + 17 * deep + CELL * len(lines),
    )
    return Chart([trace], drawn, rows)


def heat_width(columns: int) -> int:
    """Return the least width of a heat map with so many columns, px."""
    return 8 * DOWN + 72 * columns


def flows(
    nodes: Sequence[Mapping[str, Any]],
    links: Sequence[Mapping[str, Any]],
    rows: Rows,
    *,
    pad: int,
    legend: Mapping[str, str],
    **more: Any,
) -> Chart:
    """Return a flow diagram (Sankey).

    nodes   each with ``label``, ``x`` and ``y`` (of the middle, 0 to 1), ``color`` and ``says`` (lines for the pointer)
    links   each with ``source`` and ``target`` (numbers of nodes), ``value``, ``color`` and ``says``
    pad     px between the nodes of a column
    legend  name -> colour of links and nodes that the legend explains
    more    entries of the layout
    """

    def columns(items: Sequence[Mapping[str, Any]], keys: str) -> Trace:
        values = {key: [item[key] for item in items] for key in keys.split()}
        texts = ["<br>".join(plain(line) for line in item["says"]) for item in items]
        return {**values, "customdata": texts, "hovertemplate": "%{customdata}<extra></extra>"}

    node = columns(nodes, "x y color")
    node |= {"label": [plain(n["label"]) for n in nodes], "pad": pad, "thickness": 14, "line": {"width": 0}}
    link = columns(links, "source target value color")
    told = [legend_only(name, marker={"symbol": "square", "size": 12, "color": c}) for name, c in legend.items()]
    axes = {"xaxis": {"visible": False}, "yaxis": {"visible": False}, "showlegend": True}
    drawn: Trace = {"type": "sankey", "arrangement": "fixed", "node": node, "link": link}
    return Chart([drawn, *told], layout(**axes, **more), records(rows))


# --- axes and layout ---
