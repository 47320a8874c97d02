"""What is not delivered, who pays for what is built, and what happens under the disruptions of the instance."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...words import counted, figure_of, share_of, tonnes_of
from ..parts import (
    CLEAN,
    CONCERN,
    Column,
    Control,
    Data,
    Figure,
    Section,
    Table,
    bars,
    layout,
    pattern,
    plain,
    year_axis,
)

if TYPE_CHECKING:
    import pandas as pd

    from ..view import View


def shortages(view: View) -> Section:
    """Tonnes short by sector and year; every shortage in a table."""
    service = view.tables["service"]
    rows = service[service["short_t"] > 1e-3]
    if rows.empty:
        return Section("shortages", "Shortages", ["None: every tonne of demand is delivered in every year."])
    short, demand = _in_all(view, service, "short_t"), _in_all(view, service, "demand_t")
    names = [s for s in view.sectors if (rows["sector"] == s).any()]
    traces = []
    for n, sector in enumerate(names):
        part = rows[rows["sector"] == sector].groupby("year")["short_t"].sum()
        traces.append(_bars(view, view.sectors[sector], part.to_dict(), n))
    figure = Figure(
        "shortages-sectors",
        f"{tonnes_of(short)} are not delivered, {share_of(short / demand)} of the demand",
        "By sector: " + ", ".join(f"{view.sectors[s]} {figure_of(_sector(view, rows, s))} t" for s in names) + ".",
        {"": traces},
        _bar_layout(view, "t a year"),
        Data(tuple(service.columns), rows.to_numpy().tolist()),
        height=360,
    )
    table = Table(
        "table-shortages",
        "Every shortage",
        (
            Column("Country"),
            Column("Sector"),
            Column("Material"),
            Column("Year", "year"),
            Column("Short, t a year", "number"),
            Column("Of demand", "share"),
        ),
        [
            (
                view.countries[r.country],
                view.sectors[r.sector],
                view.materials[r.material],
                r.year,
                r.short_t,
                r.short_t / r.demand_t,
            )
            for r in rows.itertuples()
        ],
        folded=len(rows) > 12,
    )
    return Section(
        "shortages", "Shortages", ["Demand left undelivered at the shortage cost of its sector."], [figure, table]
    )


def _in_all(view: View, rows: pd.DataFrame, column: str) -> float:
    """Tonnes over the whole horizon."""
    return float(sum(view.lengths[y] * t for y, t in zip(rows["year"], rows[column], strict=True)))


def _sector(view: View, rows: pd.DataFrame, sector: str) -> float:
    return _in_all(view, rows[rows["sector"] == sector], "short_t")


def _bars(view: View, name: str, by_year: dict[int, float], look: int) -> dict[str, Any]:
    return bars(name, view.years, view.lengths, [by_year.get(y, 0.0) for y in view.years], look, "t")


def _bar_layout(view: View, unit: str) -> dict[str, Any]:
    return layout(
        barmode="stack",
        xaxis=year_axis(view.years, view.lengths),
        yaxis={"title": {"text": plain(unit)}, "tickformat": ",~s"},
        hovermode="x unified",
        showlegend=True,
    )


def funding(view: View) -> Section:
    """Who pays the capex of what is started, by calendar year."""
    table = view.tables["funding"]
    table = table[table["musd"] > 1e-9]
    currency = view.instance.currency
    if table.empty:
        if not view.instance.funds:
            why = "The instance has no funds and limits no project's private capital"
            if any(o.private_musd is not None for o in view.instance.options):
                why = "The instance has no funds"
        else:
            why = "No project with a fund or a limit on its private capital is built"
        return Section("funding", "Who pays", [f"{why}, so there is nothing to split."])
    funds = {f.fund: f for f in view.instance.funds}
    total: dict[str, float] = defaultdict(float)
    for r in table.itertuples():
        total[r.source] += r.musd
    order = sorted(total, key=lambda s: (s != "private", -total[s], s))
    calendar = list(range(min(view.years[0], int(table["year"].min())), int(table["year"].max()) + 1))
    shown, rest = order[:7], order[7:]
    groups = [(_payer(view, s), [s]) for s in shown] + ([(f"{len(rest)} other funds", rest)] if rest else [])
    traces = []
    for n, (name, members) in enumerate(groups):
        part = table[table["source"].isin(members)].groupby("year")["musd"].sum().to_dict()
        traces.append(bars(name, calendar, {}, [part.get(y, 0.0) for y in calendar], n, f"M{currency}"))
    paid, public = sum(total.values()), sum(x for s, x in total.items() if s != "private")
    figure = Figure(
        "funding-sources",
        f"Public funds carry {view.money(public)} of {view.money(paid)}",
        "By source: " + ", ".join(f"{_payer(view, s)} {view.money(total[s])}" for s in order) + ".",
        {"": traces},
        layout(
            barmode="stack",
            xaxis=year_axis(calendar),
            yaxis={"title": {"text": f"M{plain(currency)} a year"}, "tickformat": ",~s"},
            hovermode="x unified",
            showlegend=True,
        ),
        Data(tuple(table.columns), table.to_numpy().tolist()),
        height=360,
    )
    rows = [
        (
            "private capital" if s == "private" else s,
            "" if s == "private" else funds[s].provider,
            "" if s == "private" else funds[s].instrument,
            total[s],
            None if s == "private" else funds[s].budget_musd,
            ", ".join(view.options[o].name for o in dict.fromkeys(table[table["source"] == s]["option"])),
        )
        for s in order
    ]
    listing = Table(
        "table-funding",
        "Every source of money",
        (
            Column("Source"),
            Column("Provider"),
            Column("Instrument"),
            Column(f"Paid, M{currency}", "number"),
            Column(f"Budget, M{currency}", "number"),
            Column("For"),
        ),
        rows,
    )
    lead = [
        "Capex of projects that have a fund or a limit on their private capital, as it is spent. For the builds "
        "chosen, the split uses the least public money. Other projects are wholly private and not shown."
    ]
    return Section("funding", "Who pays", lead, [figure, listing])


def _payer(view: View, source: str) -> str:
    if source == "private":
        return "private capital"
    fund = next(f for f in view.instance.funds if f.fund == source)
    return f"{fund.provider} ({source})"


def branches(view: View) -> Section | None:
    """Shortage and dependence under every disruption; None if the instance has no scenarios."""
    if not view.run.branches:
        return None
    scenarios = {s.scenario: s for s in view.instance.scenarios}
    views: dict[str, Any] = {}
    rows: list[tuple[Any, ...]] = []
    data: list[tuple[Any, ...]] = []
    names: list[str] = []
    for key, tables in view.run.branches.items():
        service = tables["service"]
        short = service.groupby("year")["short_t"].sum().to_dict()
        demand = service.groupby("year")["demand_t"].sum().to_dict()
        exposed = service.groupby("year")["exposed_t"].sum().to_dict()
        clean = service.groupby("year")["clean_t"].sum().to_dict()
        scenario = scenarios[key]
        views[str(len(names))] = [
            {**_bars(view, "clean", clean, 0), "marker": {"color": CLEAN}},
            {**_bars(view, "exposed", exposed, 0), "marker": {"color": CONCERN, "pattern": pattern(1)}},
            {**_bars(view, "not delivered", short, 0), "marker": {"color": "#000000", "pattern": pattern(3)}},
        ]
        names.append(scenario.name)
        missing = sum(view.lengths[y] * t for y, t in short.items())
        needed = sum(view.lengths[y] * t for y, t in demand.items())
        worst = max(short, key=lambda y: (short[y] / demand[y] if demand[y] else 0.0, -y), default=None)
        rows.append(
            (
                scenario.name,
                scenario.probability,
                scenario.first_year,
                scenario.last_year,
                missing,
                missing / needed if needed else None,
                worst if missing > 1e-3 else None,
                short[worst] / demand[worst] if worst is not None and missing > 1e-3 else None,
            )
        )
        data += [(key, y, demand[y], clean[y], exposed[y], short[y]) for y in sorted(demand)]
    hit = [r[0] for r in rows if r[4] > 1e-3]
    figure = Figure(
        "branches-service",
        f"Demand is left undelivered in {len(hit)} of {counted(len(rows), 'disruption')}",
        "Not delivered: " + ("; ".join(f"{r[0]} {figure_of(r[4])} t" for r in rows if r[4] > 1e-3) or "none") + ".",
        views,
        _bar_layout(view, "t a year"),
        Data(("scenario", "year", "demand_t", "clean_t", "exposed_t", "short_t"), data),
        (Control("Disruption", "select", tuple(names)),),
        height=360,
    )
    table = Table(
        "table-branches",
        "Every disruption",
        (
            Column("Disruption"),
            Column("Probability", "share"),
            Column("From", "year"),
            Column("To", "year"),
            Column("Short, t in all", "number"),
            Column("Of demand", "share"),
            Column("Worst year", "year"),
            Column("Short that year", "share"),
        ),
        rows,
    )
    lead = ["The same builds, operated under each disruption, which nobody foresees before it begins."]
    return Section("branches", "Under disruption", lead, [figure, table], "Disruptions")
