"""A tornado (or the indices of many samples) as one page without network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .result import Sensitivity

LOW, HIGH = "#0072b2", "#d55e00"  # Okabe and Ito: told apart by colour-blind readers
AT_MOST = 25  # bars of one chart


def page(found: Sensitivity) -> str:
    """The page as text; names are escaped."""
    import plotly.io

    title = found.study.title or f"Sensitivity of {found.study.instance}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(title)}</title>",
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:auto;padding:1rem}"
        "h1{font-size:1.4rem}h2{font-size:1.1rem}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
    ]
    with_library: bool = True
    for metric in found.study.metrics:
        figure = _tornado(found, metric) if found.study.method == "one-at-a-time" else _indices(found, metric)
        parts.append(f"<h2>{escape(metric)}</h2>")
        if figure is None:
            parts.append("<p>No chart: some samples have no plan, or nothing varies.</p>")
            continue
        parts.append(plotly.io.to_html(figure, include_plotlyjs=with_library, full_html=False, validate=False))
        with_library = False
    return "".join([*parts, "</body></html>\n"])


def _bars(names: list[str], traces: list[dict[str, Any]], **layout: Any) -> dict[str, Any]:
    return {
        "data": [{"type": "bar", "orientation": "h", "y": [escape(n) for n in names], **trace} for trace in traces],
        "layout": {
            "height": 120 + 34 * len(names),
            "margin": {"l": 20, "r": 20, "t": 20, "b": 60},
            "yaxis": {"automargin": True, "autorange": "reversed"},
            "font": {"family": "system-ui, sans-serif", "size": 14},
            "legend": {"orientation": "h"},
            **layout,
        },
    }


def _tornado(found: Sensitivity, metric: str) -> dict[str, Any] | None:
    rows = found.tornado[found.tornado["metric"] == metric]
    rows = rows.reindex(rows["swing"].abs().sort_values(ascending=False, na_position="last").index).head(AT_MOST)
    base = found.base[metric]
    if base != base or rows.empty:
        return None
    traces = []
    for column, name, colour in (("at_low", "low end", LOW), ("at_high", "high end", HIGH)):
        traces.append(
            {
                "name": name,
                "base": base,
                "x": [None if v != v else float(v) - base for v in rows[column]],
                "customdata": [None if v != v else float(v) for v in rows[column]],
                "hovertemplate": "%{y}: %{customdata:,.5~g}<extra>" + name + "</extra>",
                "marker": {"color": colour, "pattern": {"shape": "" if column == "at_low" else "/"}},
            }
        )
    return _bars(rows["change"].tolist(), traces, barmode="overlay", xaxis={"title": {"text": escape(metric)}})


def _indices(found: Sensitivity, metric: str) -> dict[str, Any] | None:
    if found.indices.empty:
        return None
    rows = found.indices[found.indices["metric"] == metric]
    key = "rank_correlation" if found.study.method == "lhs" else "total"
    rows = rows.sort_values(key, ascending=False, key=abs).head(AT_MOST)
    if rows.empty:
        return None
    traces = [{"name": key.replace("_", " "), "x": rows[key].tolist(), "marker": {"color": LOW}}]
    if key == "total":
        traces[0]["error_x"] = {"array": rows["total_half_width"].tolist()}
        traces.append({"name": "first", "x": rows["first"].tolist(), "marker": {"color": HIGH}})
    return _bars(rows["change"].tolist(), traces, barmode="group")
