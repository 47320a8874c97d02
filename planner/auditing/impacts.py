"""Checks impacts: what operations and builds cause of each, and impact_totals.csv.

A tonne causes the sum of all rows of impact_factors.csv that match it; what a module causes counts in the period in
which it is started, divided by the years of the period.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

from .book import Book
from .layouts import IMPACT_TOTALS
from .operations import Operations
from .reading import Tables

USD_PER_MUSD = 1e6

Caused = dict[tuple[str, str, str, int], float]  # impact, kind, country, period -> units a year


@lru_cache(maxsize=64)  # it is asked for by every cap and year, of each month of a branch
def caused(operations: Operations) -> tuple[Caused, Caused]:
    """Return what the plan or a branch causes: the sums, and the sums of absolute amounts."""
    facts = operations.facts
    total: Caused = defaultdict(float)
    size: Caused = defaultdict(float)

    def count(kind: str, country: str, year: int, t: float, **named: str) -> None:
        for row in facts.instance.impact_factors:
            if row.kind == kind and all(getattr(row, column) in ("", value) for column, value in named.items()):
                total[row.impact, kind, country, year] += row.per_t * t
                size[row.impact, kind, country, year] += abs(row.per_t * t)

    if not facts.impacts:
        return total, size
    for a in operations.activities:
        count("operation", a.country, a.year, a.activity_t, facility=a.facility, process=a.process)
    for f in operations.flows:
        moved = {"material": f.material, "origin": f.origin, "destination": f.destination}
        count("lane", f.destination, f.year, f.t, **moved)
    for p in operations.purchases:
        count("purchase", p.country, p.year, p.t, market=p.market)
    for name, option in facts.options.items():
        for year, modules in operations.investment.modules[name].items():
            if year in operations.disturbance.years:
                country = facts.facilities[option.facility].country
                count("build", country, year, modules * option.module_t / facts.length[year], option=name)
    return total, size


def impact_of(operations: Operations, impact: str, year: int) -> tuple[float, float]:
    """Return the units of an impact in a period, a year, and the sum of their absolute amounts."""
    total, size = caused(operations)
    keys = [key for key in total if key[0] == impact and key[3] == year]
    return sum(total[key] for key in keys), sum(size[key] for key in keys)


def operating_impacts(operations: Operations) -> dict[int, float]:
    """Return period -> USD a year of the priced impacts of operations."""
    usd: dict[int, float] = defaultdict(float)
    for (impact, kind, _, year), units in caused(operations)[0].items():
        if kind != "build":
            usd[year] += units * operations.facts.impacts[impact].price_usd_per_unit
    return usd


def building_impacts(operations: Operations) -> dict[int, float]:
    """Return period -> USD a year of the priced impacts of the builds of the plan or a branch."""
    usd: dict[int, float] = defaultdict(float)
    for (impact, kind, _, year), units in caused(operations)[0].items():
        if kind == "build":
            usd[year] += units * operations.facts.impacts[impact].price_usd_per_unit
    return usd


def check_impacts(plan: Operations, tables: Tables, book: Book) -> None:
    """Check impact_totals.csv; nothing if the instance has no impacts."""
    if not plan.facts.impacts:
        return
    total, size = caused(plan)
    rows = {(row.impact, row.kind, row.country, row.year): row for row in tables.rows(IMPACT_TOTALS)}
    for key in sorted(set(total) | set(rows)):
        row, units = rows.get(key), total.get(key, 0.0)
        place = ("impact_totals.csv", *key)
        scale = max(size.get(key, 0.0), abs(row.units) if row else 0.0)
        book.equal("impacts", row.units if row else 0.0, units, scale, (*place, "units"))
        price = plan.facts.impacts[key[0]].price_usd_per_unit / USD_PER_MUSD
        book.equal("impact_cost", row.cost_musd if row else 0.0, units * price, scale * price, (*place, "cost_musd"))
