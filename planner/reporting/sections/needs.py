"""What is not delivered, who pays for what is built, and what happens under the disruptions of the instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...instance.timeline import disrupted_months, year_and_month
from ...words import counted, figure_of, share_of, told, tonnes_of
from ..charts import Chart, records, stacked
from ..looks import BLACK, CLEAN, CONCERN, GREEN, Look
from ..parts import Column, Control, Figure, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ...instance.tables import Scenario
    from ..view import View


def shortages(view: View) -> Section:
    """Tonnes short by sector and year; every shortage in a table."""
    service = view.tables["service"]
    rows = service[service["short_t"] > 1e-3]
    if rows.empty:
        return Section("shortages", "Shortages", ["None: every tonne of demand is delivered in every year."])
    short, demand = _in_all(view, service, "short_t"), _in_all(view, service, "demand_t")
    names = {s: name for s, name in view.sectors.items() if (rows["sector"] == s).any()}
    said = [f"{name} {figure_of(_in_all(view, rows[rows['sector'] == s], 'short_t'))} t" for s, name in names.items()]
    figure = Figure(
        "shortages-sectors",
        f"{tonnes_of(short)} are not delivered, {share_of(short / demand)} of the demand",
        f"By sector: {', '.join(said)}.",
        stacked(
            rows, "year", "short_t", "sector", "t", groups=[(name, [s]) for s, name in names.items()],
            years=view.years, lengths=view.lengths, height=360,
        ),
    )  # fmt: skip
    table = Table(
        "table-shortages",
        "Every shortage",
        rows,
        (
            Column("Country", lambda r: view.countries[r["country"]]),
            Column("Sector", lambda r: view.sectors[r["sector"]]),
            Column("Material", lambda r: view.materials[r["material"]]),
            Column("Year", "year", "year"),
            Column("Short, t a year", "short_t", "number"),
            Column("Of demand", lambda r: r["short_t"] / r["demand_t"], "share"),
        ),
    )
    lead = ["Demand left undelivered at the shortage cost of its sector."]
    return Section("shortages", "Shortages", lead, [figure, table])


def _in_all(view: View, rows: pd.DataFrame, column: str) -> float:
    """Tonnes over the whole horizon."""
    return float(sum(view.lengths[y] * t for y, t in zip(rows["year"], rows[column], strict=True)))


def substitution(view: View) -> Section | None:
    """What substitutes replace, by year; None if the instance has none."""
    if "substitution" not in view.tables:
        return None
    rows = view.tables["substitution"]
    rows = rows[rows["t"] > 1e-3]
    lead = [
        "Another material, or thrift, can replace part of a demand. What is replaced counts as served; another "
        "material counts in the traced dependence by the tonnes that it replaces, thrift counts in no share."
    ]
    if rows.empty:
        return Section("substitution", "Replaced by substitutes", [*lead, "The plan replaces nothing."])
    named = {s.substitute: s.name for s in view.instance.substitutes}
    used = [s for s in named if (rows["substitute"] == s).any()]
    whole, demand = _in_all(view, rows, "t"), _in_all(view, view.tables["service"], "demand_t")
    said = [f"{named[s]} {figure_of(_in_all(view, rows[rows['substitute'] == s], 't'))} t" for s in used]
    figure = Figure(
        "substitution-years",
        f"{tonnes_of(whole)} are replaced, {share_of(whole / demand if demand else 0.0)} of the demand",
        f"By substitute: {', '.join(said)}.",
        stacked(
            rows, "year", "t", "substitute", "t", groups=[(named[s], [s]) for s in used], years=view.years,
            lengths=view.lengths, height=360,
        ),
    )  # fmt: skip
    table = Table(
        "table-substitution",
        "Everything that is replaced",
        rows,
        (
            Column("Substitute", lambda r: named[r["substitute"]]),
            Column("Country", lambda r: view.countries[r["country"]]),
            Column("Sector", lambda r: view.sectors[r["sector"]]),
            Column("Replaced", lambda r: view.materials[r["material"]]),
            Column("By", lambda r: view.materials.get(r["replaced_by"], "")),
            Column("Provenance", "provenance"),
            Column("Year", "year", "year"),
            Column("t a year", "t", "number"),
            Column(f"{view.musd} a year", "cost_musd", "number"),
        ),
    )
    return Section("substitution", "Replaced by substitutes", lead, [figure, table])


def funding(view: View) -> Section:
    """Who pays the capex of what is started, by calendar year."""
    table = view.tables["funding"]
    table = table[table["musd"] > 1e-9]
    if table.empty:
        if not view.instance.funds:
            why = "The instance has no funds and limits no project's private capital"
            if any(o.private_musd is not None for o in view.instance.options):
                why = "The instance has no funds"
        else:
            why = "No project with a fund or a limit on its private capital is built"
        return Section("funding", "Who pays", [f"{why}, so there is nothing to split."])
    funds = {f.fund: f for f in view.instance.funds}
    total = {str(s): float(musd) for s, musd in table.groupby("source")["musd"].sum().items()}
    names = {s: f"{funds[s].provider} ({s})" if s in funds else "private capital" for s in total}
    order = sorted(total, key=lambda s: (s != "private", -total[s], s))
    shown, rest = order[:7], order[7:]
    calendar = range(min(view.years[0], int(table["year"].min())), int(table["year"].max()) + 1)
    paid, public = sum(total.values()), sum(x for s, x in total.items() if s != "private")
    groups = [*((names[s], [s]) for s in shown), *([(f"{len(rest)} other funds", rest)] if rest else [])]
    figure = Figure(
        "funding-sources",
        f"Public funds carry {view.money(public)} of {view.money(paid)}",
        "By source: " + ", ".join(f"{names[s]} {view.money(total[s])}" for s in order) + ".",
        stacked(table, "year", "musd", "source", view.musd, groups=groups, years=calendar, height=360),
    )

    def about(source: str, column: str) -> Any:
        return getattr(funds[source], column) if source in funds else None

    def projects(source: str) -> str:
        return ", ".join(view.options[o].name for o in dict.fromkeys(table[table["source"] == source]["option"]))

    listing = Table(
        "table-funding",
        "Every source of money",
        order,
        (
            Column("Source", lambda s: s if s in funds else "private capital"),
            Column("Provider", lambda s: about(s, "provider")),
            Column("Instrument", lambda s: about(s, "instrument")),
            Column(f"Paid, {view.musd}", lambda s: total[s], "number"),
            Column(f"Budget, {view.musd}", lambda s: about(s, "budget_musd"), "number"),
            Column("For", projects),
        ),
        folded=False,
    )
    lead = [
        "Capex of projects that have a fund or a limit on their private capital, as it is spent. For the builds "
        "chosen, the split uses the least public money. Other projects are wholly private and not shown."
    ]
    return Section("funding", "Who pays", lead, [figure, listing])


def branches(view: View) -> Section | None:
    """Shortage and dependence under every disruption; None if the instance has no scenarios."""
    if not view.run.branches:
        return None
    scenarios = {s.scenario: s for s in view.instance.scenarios}
    answers = view.run.answers
    charts: dict[str, Chart] = {}
    rows = []
    for key, tables in view.run.branches.items():
        parts = {"clean_t": "clean", "exposed_t": "exposed", "short_t": "not delivered"}
        if "replaced_t" in tables["service"]:
            parts["replaced_t"] = "replaced"
        months = _months(tables["service"])
        by_year = tables["service"].groupby("year")[["demand_t", *parts]].sum()
        by_year = by_year.div([months.get(year, 1) for year in by_year.index], axis=0)  # the mean over the months
        lasts = {year: months[year] / 12 if year in months else view.lengths[year] for year in by_year.index}
        found = [{"scenario": key, **r} for r in records(by_year.sort_index().reset_index())]
        charts[key] = stacked(
            found, "year", parts, unit="t",
            looks={"clean": Look(CLEAN), "exposed": Look(CONCERN, "/"), "not delivered": Look(BLACK, "x"),
                   "replaced": Look(GREEN, ".")},
            years=view.years, lengths=view.lengths, height=360,
        )  # fmt: skip
        part = {r["year"]: r["short_t"] / r["demand_t"] if r["demand_t"] else 0.0 for r in found}
        missing = sum(lasts[r["year"]] * r["short_t"] for r in found)
        needed = sum(lasts[r["year"]] * r["demand_t"] for r in found)
        worst = max(part, key=lambda y: (part[y], -y), default=None) if missing > 1e-3 else None
        rows.append(
            {"scenario": scenarios[key], "missing": missing, "of_demand": missing / needed if needed else None,
             "worst": worst, "worst_share": None if worst is None else part[worst],
             "answer": _answer(view, answers.get(key, {}))}
        )  # fmt: skip
    names = {key: scenarios[key].name for key in charts}
    hit = [r for r in rows if r["missing"] > 1e-3]
    figure = Figure(
        "branches-service",
        f"Demand is left undelivered in {len(hit)} of {counted(len(rows), 'disruption')}",
        told("Not delivered", (f"{r['scenario'].name} {figure_of(r['missing'])} t" for r in hit)),
        charts,
        (Control("Disruption", names),),
    )
    table = Table(
        "table-branches",
        "Every disruption",
        rows,
        (
            Column("Disruption", lambda r: r["scenario"].name),
            Column("Probability", lambda r: r["scenario"].probability, "share"),
            Column("From", lambda r: _ends(r["scenario"])[0]),
            Column("To", lambda r: _ends(r["scenario"])[1]),
            Column("Short, t in all", "missing", "number"),
            Column("Of demand", "of_demand", "share"),
            Column("Worst year", "worst", "year"),
            Column("Short that year", "worst_share", "share"),
            *([Column("Started otherwise", "answer")] if answers else ()),
        ),
        folded=False,
    )
    lead = ["The same builds, operated under each disruption, which nobody foresees before it begins."]
    if answers:
        lead = [
            "Operations under each disruption, which nobody foresees before it begins. Some branches may start "
            "something otherwise some years after the blow; all else is built as on the course that they leave."
        ]
    if any(_months(tables["service"]) for tables in view.run.branches.values()):
        lead.append(
            "Where a disruption lasts calendar months, a year stands for the mean of those of its months that come "
            "after the disruption began, and the tonnes in all are those of these months."
        )
    return Section("branches", "Under disruption", lead, [figure, table], "Disruptions")


def _answer(view: View, more: Mapping[tuple[str, int], float]) -> str:
    """Return in words what a branch starts otherwise than the course that it leaves."""
    told = (f"{'' if n > 0.0 else 'not '}{view.project(option)} in {year}" for (option, year), n in more.items())
    return ", ".join(told)


def _months(service: pd.DataFrame) -> dict[int, int]:
    """Return year -> how many months of it a branch has, for the years that it divides into months."""
    if "month" not in service:
        return {}
    divided = service.dropna(subset="month")
    return {int(year): int(count) for year, count in divided.groupby("year")["month"].nunique().items()}


def _ends(scenario: Scenario) -> tuple[str, str]:
    """Return the first and the last year of a disruption, or year and month such as ``2027-08``."""
    if scenario.months is None:
        return f"{scenario.first_year}", f"{scenario.last_disrupted_year}"
    window = disrupted_months(scenario)
    return year_and_month(window.start), year_and_month(window.stop - 1)
