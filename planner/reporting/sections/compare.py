"""This plan beside others: cost by part, dependence by year, and what is built, paid and short otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...words import capital, figure_of, listed, share_of
from ..parts import (
    DASHES,
    MARKERS,
    SERIES,
    Column,
    Control,
    Data,
    Figure,
    Section,
    Table,
    amounts,
    layout,
    pattern,
    plain,
    wrapped,
    year_axis,
)
from .builds import name_of

if TYPE_CHECKING:
    from ..studies import Row, Study
    from ..view import View

SOME_T, SOME_MUSD, SOME_SHARE = 0.5, 1e-6, 1e-6
MOST = 200  # rows of a table


def section(view: View, study: Study) -> Section:
    """Totals, cost by part, dependence, and the differences."""
    names = _names(study)
    mine = _mine(view, study)
    years = study.about["years"]
    lead = [
        f"{capital(listed([_quoted(n, mine) for n in names]))}, over {years[0]}-{years[-1]}. Changes are of "
        f"{_quoted(names[-1])} against {_quoted(names[0])}."
    ]
    lead += [f"Note: {note}" for note in study.about.get("notes", ())]
    parts: list[Figure | Table] = [_cost_chart(view, study, names, mine)]
    dependence = _dependence(view, study, names, mine)
    parts += [dependence] if dependence else []
    parts.append(_totals(study, names, mine))
    currency = view.instance.currency
    for name, title, least in (
        ("builds", "Built otherwise, t a year", SOME_MUSD),
        ("funding", f"Paid otherwise, M{currency}", SOME_MUSD),
        ("shortages", "Short otherwise, t a year summed over periods", SOME_T),
        ("flows", "Moved otherwise, t a year summed over periods", SOME_T),
    ):
        table = _differences(view, study, name, title, least)
        parts += [table] if table else []
    return Section("rivals", "Beside other plans", lead, parts, "Compared", study.warnings)


def _names(study: Study) -> list[str]:
    return [str(n) for n in study.about["names"]]


def _mine(view: View, study: Study) -> str:
    """The name of this page's plan among those compared."""
    this = view.run.digest
    return _names(study)[list(study.about["of"]).index(this)]


def _called(name: str, mine: str) -> str:
    return f"{name} (this plan)" if name == mine else name


def _quoted(name: str, mine: str = "") -> str:
    return f"“{name}” (this plan)" if name == mine else f"“{name}”"


def _cost_chart(view: View, study: Study, names: Sequence[str], mine: str) -> Figure:
    parts = [r for r in study.tables["totals"] if str(r["quantity"]).startswith("of which ")]
    total = next(r for r in study.tables["totals"] if r["quantity"] == "cost")
    shown = [r for r in parts if any(abs(r[n] or 0.0) > SOME_MUSD for n in names)]
    at = list(range(len(names)))
    traces = [
        {
            "type": "bar",
            "name": plain(str(r["quantity"]).removeprefix("of which ")),
            "x": at,
            "y": [r[n] for n in names],
            "width": 0.6,
            "marker": {"color": SERIES[k % len(SERIES)], "pattern": pattern(k)},
            "hovertemplate": "%{y:,.4~g}",
        }
        for k, r in enumerate(shown)
    ]
    traces.append(
        {
            "type": "scatter",
            "mode": "text",
            "x": at,
            "y": [sum(max(0.0, r[n] or 0.0) for r in shown) for n in names],
            "text": [figure_of(total[n], 4) for n in names],
            "textposition": "top center",
            "showlegend": False,
            "hoverinfo": "skip",
        }
    )
    change = (total[names[-1]] or 0.0) - (total[names[0]] or 0.0)
    return Figure(
        "rivals-cost",
        f"{_quoted(names[-1])} costs {_more(view, change)} than {_quoted(names[0])}",
        "Cost: " + "; ".join(f"{_called(n, mine)} {view.money(total[n], 4)}" for n in names) + ".",
        {"": traces},
        layout(
            barmode="stack",
            xaxis={
                "tickmode": "array",
                "tickvals": at,
                "ticktext": [wrapped(_called(n, mine), 16, 3) for n in names],
                "zeroline": False,
            },
            yaxis=amounts(f"M{view.instance.currency} present value", [total[n] or 0.0 for n in names]),
            hovermode="x unified",
            showlegend=True,
        ),
        Data(("quantity", *names), [(r["quantity"], *(r[n] for n in names)) for r in (total, *shown)]),
        height=430,
    )


def _dependence(view: View, study: Study, names: Sequence[str], mine: str) -> Figure | None:
    """Share by year of each plan: traced, or of one stage."""
    by: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for r in study.tables["dependence"]:
        if r["metric"] in ("exposed_share", "stage_share"):
            by[str(r["metric"]), str(r["stage"] or "")].append(r)
    keys = [k for k in (("exposed_share", ""), *(("stage_share", s) for s in view.instance.stages)) if k in by]
    if not keys:
        return None
    years = [int(y) for y in study.about["years"]]
    views: dict[str, Any] = {}
    for k, key in enumerate(keys):
        rows = {int(r["year"]): r for r in by[key]}
        views[str(k)] = [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": plain(_called(name, mine)),
                "x": years,
                "y": [rows[y][name] if y in rows else None for y in years],
                "line": {
                    "color": SERIES[n % len(SERIES)],
                    "width": 4 if name == mine else 2,
                    "dash": "solid" if name == mine else DASHES[n % 5],
                },
                "marker": {"symbol": MARKERS[n % len(MARKERS)], "size": 8},
                "hovertemplate": "%{y:.1%}",
            }
            for n, name in enumerate(names)
        ]
    last = max(by[keys[0]], key=lambda r: r["year"])
    said = [f"{_called(n, mine)} {share_of(last[n])}" for n in names if last[n] is not None]
    kind = "Traced dependence" if keys[0][0] == "exposed_share" else f"Dependence of {keys[0][1]}"
    return Figure(
        "rivals-dependence",
        f"{kind} in {last['year']}: {listed(said, 4)}",
        f"In {last['year']}: {', '.join(said)}.",
        views,
        layout(
            xaxis=year_axis(years),
            yaxis={"tickformat": ".0%", "rangemode": "tozero"},
            hovermode="x unified",
            showlegend=True,
        ),
        Data(
            ("metric", "stage", "year", *names),
            [(*key, r["year"], *(r[n] for n in names)) for key in keys for r in by[key]],
        ),
        (Control("Show", "select", tuple("traced, end to end" if not s else f"stage {s}" for _, s in keys)),),
        height=380,
    )


def _columns(names: Sequence[str], mine: str, form: str = "number") -> tuple[Column, ...]:
    return (*(Column(_called(n, mine), form) for n in names), Column("Change", form))


def _change(row: Row, names: Sequence[str]) -> float | None:
    first, last = row[names[0]], row[names[-1]]
    return None if first is None or last is None else last - first


def _totals(study: Study, names: Sequence[str], mine: str) -> Table:
    return Table(
        "table-rivals",
        "In all",
        (Column("What"), Column("Unit"), *_columns(names, mine)),
        [(r["quantity"], r["unit"], *(r[n] for n in names), _change(r, names)) for r in study.tables["totals"]],
    )


def _differences(view: View, study: Study, table: str, title: str, least: float) -> Table | None:
    """The rows in which the plans differ, the largest first; None if there are none."""
    names, mine = _names(study), _mine(view, study)

    def spread(row: Row) -> float:
        values = [row[n] or 0.0 for n in names]
        return max(values) - min(values)

    rows = [r for r in study.tables[table] if spread(r) > least or " / " in str(r.get("when", ""))]
    if not rows:
        return None
    rows.sort(key=spread, reverse=True)
    keys = [k for k in rows[0] if k not in (*names, "change", "facility")]
    more = f" (the largest {MOST} of {len(rows):,})" if len(rows) > MOST else ""
    return Table(
        f"table-rival-{table}",
        f"{title}{more}",
        (*(Column({"when": "Starts"}.get(k, k.capitalize())) for k in keys), *_columns(names, mine)),
        [(*(_word(view, k, r[k]) for k in keys), *(r[n] for n in names), _change(r, names)) for r in rows[:MOST]],
        folded=len(rows) > 12,
    )


def _word(view: View, key: str, value: Any) -> str:
    text = str(value or "")
    if key == "option":
        return name_of(view, text)
    known = {"country": view.countries, "origin": view.countries, "destination": view.countries,
             "sector": view.sectors, "material": view.materials}  # fmt: skip
    return known[key].get(text, text) if key in known else text


def in_words(view: View, study: Study) -> str:
    """What this plan costs against the first of the others."""
    names, mine = _names(study), _mine(view, study)
    total = next(r for r in study.tables["totals"] if r["quantity"] == "cost")
    other = next((n for n in names if n != mine), None)
    if other is None or total[other] is None or total[mine] is None:
        return ""
    return f"This plan costs {_more(view, total[mine] - total[other])} than the plan {_quoted(other)}."


def _more(view: View, change: float) -> str:
    return f"{view.money(abs(change))} {'more' if change >= 0 else 'less'}"
