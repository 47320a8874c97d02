"""What is not delivered, who pays for what is built, and what happens under the disruptions of the instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...instance.timeline import disrupted_months, year_and_month
from ...language import N_, _, n_, p_, translated
from ...words import commas, figure_of, share_of, told, tonnes_of
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
        return Section("shortages", _("Shortages"), [_("None: every tonne of demand is delivered in every year.")])
    short, demand = _in_all(view, service, "short_t"), _in_all(view, service, "demand_t")
    names = {s: name for s, name in view.sectors.items() if (rows["sector"] == s).any()}
    by_sector = {s: _in_all(view, rows[rows["sector"] == s], "short_t") for s in names}
    said = [_("{name} {tonnes} t", name=name, tonnes=figure_of(by_sector[s])) for s, name in names.items()]
    figure = Figure(
        "shortages-sectors",
        _("{tonnes} are not delivered, {share} of the demand", tonnes=tonnes_of(short), share=share_of(short / demand)),
        _("By sector: {parts}.", parts=commas(said)),
        stacked(
            rows, "year", "short_t", "sector", "t", groups=[(name, [s]) for s, name in names.items()],
            years=view.years, lengths=view.lengths, height=360,
        ),
    )  # fmt: skip
    table = Table(
        "table-shortages",
        _("Every shortage"),
        rows,
        (
            Column(_("Country"), lambda r: view.countries[r["country"]]),
            Column(_("Sector"), lambda r: view.sectors[r["sector"]]),
            Column(_("Material"), lambda r: view.materials[r["material"]]),
            Column(_("Year"), "year", "year"),
            Column(_("Short, t a year"), "short_t", "number"),
            Column(_("Of demand"), lambda r: r["short_t"] / r["demand_t"], "share"),
        ),
    )
    lead = [_("Demand left undelivered at the shortage cost of its sector.")]
    return Section("shortages", _("Shortages"), lead, [figure, table])


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
        _(
            "Another material, or thrift, can replace part of a demand. What is replaced counts as served; another "
            "material counts in the traced dependence by the tonnes that it replaces, thrift counts in no share."
        )
    ]
    if rows.empty:
        return Section("substitution", _("Replaced by substitutes"), [*lead, _("The plan replaces nothing.")])
    named = {s.substitute: s.name for s in view.instance.substitutes}
    used = [s for s in named if (rows["substitute"] == s).any()]
    whole, demand = _in_all(view, rows, "t"), _in_all(view, view.tables["service"], "demand_t")
    by_substitute = {s: _in_all(view, rows[rows["substitute"] == s], "t") for s in used}
    said = [_("{name} {tonnes} t", name=named[s], tonnes=figure_of(t)) for s, t in by_substitute.items()]
    figure = Figure(
        "substitution-years",
        _(
            "{tonnes} are replaced, {share} of the demand",
            tonnes=tonnes_of(whole),
            share=share_of(whole / demand if demand else 0.0),
        ),
        _("By substitute: {parts}.", parts=commas(said)),
        stacked(
            rows, "year", "t", "substitute", "t", groups=[(named[s], [s]) for s in used], years=view.years,
            lengths=view.lengths, height=360,
        ),
    )  # fmt: skip
    table = Table(
        "table-substitution",
        _("Everything that is replaced"),
        rows,
        (
            Column(_("Substitute"), lambda r: named[r["substitute"]]),
            Column(_("Country"), lambda r: view.countries[r["country"]]),
            Column(_("Sector"), lambda r: view.sectors[r["sector"]]),
            Column(_("Replaced"), lambda r: view.materials[r["material"]]),
            Column(_("By"), lambda r: view.materials.get(r["replaced_by"], "")),
            Column(_("Provenance"), lambda r: translated(r["provenance"])),
            Column(_("Year"), "year", "year"),
            Column(_("t a year"), "t", "number"),
            Column(_("{unit} a year", unit=view.musd), "cost_musd", "number"),
        ),
    )
    return Section("substitution", _("Replaced by substitutes"), lead, [figure, table])


INSTRUMENTS = (N_("grant"), N_("loan"), N_("equity"))


def funding(view: View) -> Section:
    """Who pays the capex of what is started, by calendar year."""
    table = view.tables["funding"]
    table = table[table["musd"] > 1e-9]
    if table.empty:
        if not view.instance.funds:
            why = _("The instance has no funds and limits no project's private capital, so there is nothing to split.")
            if any(o.private_musd is not None for o in view.instance.options):
                why = _("The instance has no funds, so there is nothing to split.")
        else:
            why = _("No project with a fund or a limit on its private capital is built, so there is nothing to split.")
        return Section("funding", _("Who pays"), [why])
    funds = {f.fund: f for f in view.instance.funds}
    total = {str(s): float(musd) for s, musd in table.groupby("source")["musd"].sum().items()}
    names = {s: f"{funds[s].provider} ({s})" if s in funds else _("private capital") for s in total}
    order = sorted(total, key=lambda s: (s != "private", -total[s], s))
    shown, rest = order[:7], order[7:]
    calendar = range(min(view.years[0], int(table["year"].min())), int(table["year"].max()) + 1)
    paid, public = sum(total.values()), sum(x for s, x in total.items() if s != "private")
    groups = [
        *((names[s], [s]) for s in shown),
        *([(n_("{n} other funds", "{n} other funds", len(rest)), rest)] if rest else []),
    ]
    figure = Figure(
        "funding-sources",
        _("Public funds carry {amount} of {whole}", amount=view.money(public), whole=view.money(paid)),
        _("By source: {parts}.", parts=commas(f"{names[s]} {view.money(total[s])}" for s in order)),
        stacked(table, "year", "musd", "source", view.musd, groups=groups, years=calendar, height=360),
    )

    def about(source: str, column: str) -> Any:
        return getattr(funds[source], column) if source in funds else None

    def projects(source: str) -> str:
        return commas(view.options[o].name for o in dict.fromkeys(table[table["source"] == source]["option"]))

    listing = Table(
        "table-funding",
        _("Every source of money"),
        order,
        (
            Column(_("Source"), lambda s: s if s in funds else _("private capital")),
            Column(_("Provider"), lambda s: about(s, "provider")),
            Column(_("Instrument"), lambda s: translated(funds[s].instrument) if s in funds else None),
            Column(_("Paid, {unit}", unit=view.musd), lambda s: total[s], "number"),
            Column(_("Budget, {unit}", unit=view.musd), lambda s: about(s, "budget_musd"), "number"),
            Column(p_("projects", "For"), projects),
        ),
        folded=False,
    )
    lead = [
        _(
            "Capex of projects that have a fund or a limit on their private capital, as it is spent. For the builds "
            "chosen, the split uses the least public money. Other projects are wholly private and not shown."
        )
    ]
    return Section("funding", _("Who pays"), lead, [figure, listing])


def branches(view: View) -> Section | None:
    """Shortage and dependence under every disruption; None if the instance has no scenarios."""
    if not view.run.branches:
        return None
    scenarios = {s.scenario: s for s in view.instance.scenarios}
    answers = view.run.answers
    charts: dict[str, Chart] = {}
    rows = []
    for key, tables in view.run.branches.items():
        parts = {"clean_t": _("clean"), "exposed_t": _("exposed"), "short_t": _("not delivered")}
        if "replaced_t" in tables["service"]:
            parts["replaced_t"] = _("replaced")
        months = _months(tables["service"])
        by_year = tables["service"].groupby("year")[["demand_t", *parts]].sum()
        by_year = by_year.div([months.get(year, 1) for year in by_year.index], axis=0)  # the mean over the months
        lasts = {year: months[year] / 12 if year in months else view.lengths[year] for year in by_year.index}
        found = [{"scenario": key, **r} for r in records(by_year.sort_index().reset_index())]
        charts[key] = stacked(
            found, "year", parts, unit="t",
            looks={_("clean"): Look(CLEAN), _("exposed"): Look(CONCERN, "/"), _("not delivered"): Look(BLACK, "x"),
                   _("replaced"): Look(GREEN, ".")},
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
        n_(
            "Demand is left undelivered in {hit} of {n} disruption",
            "Demand is left undelivered in {hit} of {n} disruptions",
            len(rows),
            hit=len(hit),
        ),
        told(
            _("Not delivered"),
            [_("{name} {tonnes} t", name=r["scenario"].name, tonnes=figure_of(r["missing"])) for r in hit],
        ),
        charts,
        (Control(_("Disruption"), names),),
    )
    table = Table(
        "table-branches",
        _("Every disruption"),
        rows,
        (
            Column(_("Disruption"), lambda r: r["scenario"].name),
            Column(_("Probability"), lambda r: r["scenario"].probability, "share"),
            Column(p_("time", "From"), lambda r: _ends(r["scenario"])[0]),
            Column(p_("time", "To"), lambda r: _ends(r["scenario"])[1]),
            Column(_("Short, t in all"), "missing", "number"),
            Column(_("Of demand"), "of_demand", "share"),
            Column(_("Worst year"), "worst", "year"),
            Column(_("Short that year"), "worst_share", "share"),
            *([Column(_("Started otherwise"), "answer")] if answers else ()),
        ),
        folded=False,
    )
    lead = [_("The same builds, operated under each disruption, which nobody foresees before it begins.")]
    if answers:
        lead = [
            _(
                "Operations under each disruption, which nobody foresees before it begins. Some branches may start "
                "something otherwise some years after the blow; all else is built as on the course that they leave."
            )
        ]
    if any(_months(tables["service"]) for tables in view.run.branches.values()):
        lead.append(
            _(
                "Where a disruption lasts calendar months, a year stands for the mean of those of its months that come "
                "after the disruption began, and the tonnes in all are those of these months."
            )
        )
    return Section("branches", _("Under disruption"), lead, [figure, table], _("Disruptions"))


def _answer(view: View, more: Mapping[tuple[str, int], float]) -> str:
    """Return in words what a branch starts otherwise than the course that it leaves."""
    said = []
    for (option, year), n in more.items():
        start = {"project": view.project(option), "year": year}
        said.append(_("{project} in {year}", **start) if n > 0.0 else _("not {project} in {year}", **start))
    return commas(said)


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
