"""Cost, tonnes and capacity of a plan in groups: what `Run.statistics` returns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, hinted
from ..instance.finance import annuity_years, capital_recovery_factor
from ..instance.timeline import series_value
from .view import View

if TYPE_CHECKING:
    import pandas as pd

    from ..runs.run import Run

BY = ("country", "stage", "facility", "owner", "startup", "material", "provenance", "option", "year")
MEANS = ("capacity_t", "used_t")  # measures of what is there, of which no sum over years is meant
AT_ONCE = ("started_t", "capex_musd")  # measures of what happens once, which are no rates
MEASURES = (
    *("capital_musd", "fixed_om_musd", "opex_musd", "purchase_musd", "freight_musd", "tariff_musd", "shortage_musd"),
    *("made_t", "delivered_t", "short_t", *MEANS, *AT_ONCE),
)


def statistics(run: Run, by: Sequence[str] | str, years: Sequence[int] | None) -> pd.DataFrame:
    """Return measures of a plan in groups; the arguments are those of `Run.statistics`."""
    import pandas as pd

    groups = [by] if isinstance(by, str) else list(by)
    for name in groups:
        if name not in BY:
            raise UsageError(hinted(f"by = {name}: expected some of {', '.join(BY)}", name, BY))
    view = View(run.instance, run)
    counted = {year: length for year, length in view.lengths.items() if years is None or year in years}
    if not groups or not counted:
        raise UsageError("expected something to group by" if not groups else f"no period begins in {years}")
    sums: dict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: dict.fromkeys(MEASURES, 0.0))
    for measure, value, of in _measured(view):
        if of["year"] in counted:
            weight = 1.0 if "year" in groups or measure in AT_ONCE else counted[of["year"]]
            weight /= sum(counted.values()) if measure in MEANS and "year" not in groups else 1.0
            sums[tuple(of.get(name, "") for name in groups)][measure] += weight * value
    index = pd.MultiIndex.from_tuples(sorted(sums), names=groups)
    return pd.DataFrame([sums[key] for key in index], index=index, columns=list(MEASURES))


def _measured(view: View) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Yield measure, value (a rate a year, but for what happens once) and what it is grouped by."""
    instance, tables = view.instance, view.tables

    def plant(facility: str) -> dict[str, Any]:
        row = view.facilities[facility]
        startup = "yes" if row.startup else "no"
        known = {"facility": facility, "owner": row.owner, "startup": startup, "country": row.country}
        return {**known, "stage": view.stage_of_facility.get(facility, "")}

    series: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)
    for cost in instance.operation_costs:
        series[cost.facility, cost.process][cost.year] = cost.opex_usd_per_t
    own = {(row.facility, row.process): row.opex_usd_per_t for row in instance.operations}
    for r in tables["activity"].itertuples():
        key, made = (r.facility, r.process), view.stage_of_process(r.process)
        of = {**plant(r.facility), "stage": made, "year": r.year, "provenance": r.output_provenance}
        usd = series_value(series[key], r.year) if key in series else own[key]
        yield "opex_musd", usd * r.activity_t / 1e6, of
        for material in view.recipes[r.process, "output"]:
            t = view.t_per_t(r.process, material, "output", r.year) * r.activity_t
            yield "made_t", t, {**of, "material": material, "stage": view.stage_of.get(material, made)}
    for r in tables["capacity"].itertuples():
        of = {**plant(r.facility), "year": r.year}
        yield "capacity_t", r.capacity_t, of
        yield "used_t", r.used_t, of
        yield "fixed_om_musd", view.facilities[r.facility].fixed_om_usd_per_t * r.capacity_t / 1e6, of
    period = {y: first for first, length in view.lengths.items() for y in range(first, first + length)}
    for r in tables["builds"].itertuples():
        option = view.options[r.option]
        known = plant(r.facility) if r.facility in view.facilities else {"country": r.country}
        of = {**known, "option": r.option, "year": period[r.start_year]}
        yield "started_t", r.capacity_t, of
        yield "capex_musd", r.capex_musd, of
        rate = capital_recovery_factor(option.wacc if option.wacc is not None else instance.wacc, option.life_years)
        for year in annuity_years(option, r.start_year, view.end):
            first = period[year]
            yield "capital_musd", r.capex_musd * rate / view.lengths[first], {**of, "year": first}
    for r in tables["flows"].itertuples():
        of = {"country": r.destination, "material": r.material, "provenance": r.provenance, "year": r.year}
        of["stage"] = view.stage_of.get(r.material, "")
        yield "freight_musd", r.freight_musd, of
        yield "tariff_musd", r.tariff_musd, of
    for r in tables["purchases"].itertuples():
        of = {"country": r.country, "material": r.material, "provenance": r.provenance, "year": r.year}
        yield "purchase_musd", r.cost_musd, {**of, "stage": view.stage_of.get(r.material, "")}
    price = {row.sector: row.shortage_usd_per_t for row in instance.sectors}
    for r in tables["service"].itertuples():
        of = {"country": r.country, "material": r.material, "year": r.year, "stage": view.stage_of.get(r.material, "")}
        yield "delivered_t", r.clean_t, {**of, "provenance": "clean"}
        yield "delivered_t", r.exposed_t, {**of, "provenance": "exposed"}
        yield "short_t", r.short_t, of
        yield "shortage_musd", price[r.sector] * r.short_t / 1e6, of
