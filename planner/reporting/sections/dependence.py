"""Dependence over time, traced and by stage, against the caps, and what a point more of each would save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...words import share_of
from ..parts import (
    BLACK,
    DASHES,
    MARKERS,
    STAGES,
    Column,
    Control,
    Data,
    Figure,
    Section,
    Table,
    layout,
    plain,
    year_axis,
)

if TYPE_CHECKING:
    import pandas as pd

    from ..view import View

METRICS = {
    "exposed_share": "traced",
    "stage_share": "stage",
    "single_country_share": "single country",
    "import_share": "imports",
}


def section(view: View) -> Section:
    """Traced and stage shares by year; each cap against its share; the table of caps."""
    parts: list[Figure | Table] = [_shares(view)]
    caps = view.tables["dependence"]
    caps = caps[caps["cap"] != ""]
    lead = [
        "Traced: share of the delivered tonnes for which some step of the chain was made in, bought from or tied to "
        f"{view.concern_name}. By stage: share of what is made or bought at that stage alone. A stage can look safe "
        "while what goes into it is not; the traced line shows it.",
        "All shares are of the chain in this instance, not of the world.",
    ]
    if caps.empty:
        lead.append("The instance sets no cap on dependence.")
    else:
        parts += [_caps(view, caps), _cap_table(view, caps)]
    return Section("dependence", "Dependence over time", lead, parts)


def _line(name: str, shares: dict[int, float], years: tuple[int, ...], colour: str, n: int | None) -> dict[str, Any]:
    first = n is None
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": list(years),
        "y": [shares.get(y) for y in years],
        "line": {"color": colour, "width": 4 if first else 2, "dash": "solid" if n is None else DASHES[n % 5]},
        "marker": {"symbol": "circle" if n is None else MARKERS[n % len(MARKERS)], "size": 8 if first else 7},
        "hovertemplate": "%{y:.1%}",
    }


def _limit(name: str, limits: dict[int, float], years: tuple[int, ...], colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [y for y in years if y in limits],
        "y": [limits[y] for y in years if y in limits],
        "marker": {"symbol": "line-ew", "size": 16, "line": {"width": 3, "color": colour}, "color": colour},
        "hovertemplate": "%{y:.1%}",
    }


def _shares(view: View) -> Figure:
    years = view.years
    table = view.tables["dependence"]
    own = table[table["cap"] == ""]
    traced = _line("traced, end to end", view.exposed_share, years, BLACK, None)
    stages, limits = [traced], _limits(table, "exposed_share", "")
    extra = [_limit("cap on traced", limits, years, BLACK)] if limits else []
    for n, (stage, shares) in enumerate(view.stage_share.items()):
        colour = STAGES[n % len(STAGES)]
        stages.append(_line(plain(stage), shares, years, colour, n))
        limits = _limits(table, "stage_share", stage)
        if limits:
            extra.append(_limit(f"cap on {plain(stage)}", limits, years, colour))
    by_material = [traced]
    rows = own[(own["metric"] == "stage_share") & (own["material"] != "")]
    for n, (material, part) in enumerate(rows.groupby("material", sort=False)):
        shares = {r.year: r.share for r in part.itertuples() if r.share == r.share}
        by_material.append(_line(plain(view.materials[material]), shares, years, STAGES[n % len(STAGES)], n))
    shown = [y for line in stages + extra for y in line["y"] if y is not None]
    most = max(shown, default=0.0)
    return Figure(
        "dependence-shares",
        _title(view),
        _summary(view),
        {"0": stages + extra, "1": by_material},
        layout(
            xaxis=year_axis(years),
            yaxis={"tickformat": ".0%", "range": [0, max(0.1, 1.08 * most)]},
            hovermode="x unified",
        ),
        Data(
            ("metric", "stage", "material", "year", "share"),
            [(r.metric, r.stage, r.material, r.year, r.share) for r in own.itertuples()],
        ),
        (Control("Show", "select", ("Traced and stages", "Traced and materials")),),
        height=420,
    )


def _limits(table: pd.DataFrame, metric: str, stage: str) -> dict[int, float]:
    """The tightest cap on all of a metric, by year."""
    rows = table[
        (table["cap"] != "")
        & (table["metric"] == metric)
        & (table["stage"] == stage)
        & (table["material"] == "")
        & (table["country"] == "")
        & (table["sector"] == "")
    ]
    found: dict[int, float] = {}
    for r in rows.itertuples():
        found[r.year] = min(r.limit, found.get(r.year, 1.0))
    return found


def _title(view: View) -> str:
    shares = view.exposed_share
    if not shares:
        return "Nothing is delivered, so there is no dependence to trace"
    first, last = min(shares), max(shares)
    if first == last:
        return f"Traced dependence on {view.concern_name} is {share_of(shares[first])} in {first}"
    ends = [f"{share_of(shares[y])} in {y}" for y in (first, last)]
    return f"Traced dependence on {view.concern_name}: {', '.join(ends)}"


def _summary(view: View) -> str:
    parts = []
    for name, shares in (("Traced", view.exposed_share), *view.stage_share.items()):
        if shares:
            first, last = min(shares), max(shares)
            parts.append(f"{name} {share_of(shares[first])} in {first}, {share_of(shares[last])} in {last}")
    return "; ".join(parts) + "." if parts else "Nothing is delivered."


def _caps(view: View, caps: pd.DataFrame) -> Figure:
    """One view per cap: its share (of the nearest countries where there are many) and its limit."""
    views: dict[str, Any] = {}
    names: list[str] = []
    for cap, rows in caps.groupby("cap", sort=False):
        traces = []
        limits = {r.year: r.limit for r in rows.itertuples()}
        near = rows.groupby("country", sort=False)["share"].max().sort_values(ascending=False).head(5).index
        for n, country in enumerate(near):
            part = rows[rows["country"] == country]
            shares = {r.year: r.share for r in part.itertuples() if r.share == r.share}
            name = plain(view.countries.get(country, country) or "share")
            traces.append(_line(name, shares, view.years, STAGES[n % len(STAGES)], n))
        traces.append(_limit("limit", limits, view.years, BLACK))
        views[str(len(names))] = traces
        names.append(cap)
    binding = sorted(set(caps[caps["marginal_musd_per_point"] > 1e-9]["cap"]))
    return Figure(
        "dependence-caps",
        f"Caps against what the plan reaches: {len(binding)} of {len(names)} bind in some year",
        f"Binding: {', '.join(binding) if binding else 'none'}.",
        views,
        layout(
            xaxis=year_axis(view.years),
            yaxis={"tickformat": ".0%", "rangemode": "tozero"},
            hovermode="x unified",
            showlegend=True,
        ),
        Data(tuple(caps.columns), caps.to_numpy().tolist()),
        (Control("Cap", "select", tuple(names), names.index(binding[0]) if binding else 0),),
        height=340,
    )


def _cap_table(view: View, caps: pd.DataFrame) -> Table:
    rows = []
    for r in caps.itertuples():
        if r.metric == "single_country_share" and not (r.share == r.share and r.share > 0.75 * r.limit):
            continue  # countries far from the limit say nothing
        what = " ".join(
            filter(
                None,
                (
                    METRICS.get(r.metric, r.metric),
                    r.stage or view.materials.get(r.material, ""),
                    view.countries.get(r.country, r.country),
                    view.sectors.get(r.sector, ""),
                ),
            )
        )
        rows.append((r.cap, what, r.year, r.share, r.limit, r.marginal_musd_per_point))
    return Table(
        "table-caps",
        f"Every cap and year, with what one percentage point more would save (million {view.instance.currency}, "
        "present value)",
        (
            Column("Cap"),
            Column("Of"),
            Column("Year", "year"),
            Column("Share", "share"),
            Column("Limit", "share"),
            Column(f"Saving per point, M{view.instance.currency}", "number"),
        ),
        rows,
        folded=len(rows) > 12,
    )
