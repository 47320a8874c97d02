"""What the plan itself does in the periods of a disruption, read from the result tables of its run.

These undisturbed operations are what a disruption disturbs, and what its effects are compared with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import UsageError, did_you_mean
from ...instance.timeline import periods
from ...prepare.facts import FactSource
from ...runs.closures import closed_shares

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance

Consumer = tuple[str, str, str, int]  # country, sector, material, first year of a period


class Tabled(Protocol):
    """Anything with the result tables of a plan: a run, or only its tables."""

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]: ...


class Planned:
    """Builds, stocks and undisturbed operations of a run. A year is always the first year of a period.

    builds   (option, start year) -> modules
    closed   (facility, year) -> share of own capacity that is idle or retired, 0 to 1
    short    consumer -> demand that the plan leaves unserved, t/yr
    exposed  year -> exposed deliveries, t/yr, with what exposed material replaces

    Raises UsageError if the tables name something that the instance does not have.
    """

    def __init__(self, instance: Instance, run: Tabled) -> None:
        _check(instance, run)
        self.instance = instance
        self.tables = tables = run.tables
        self.builds = {(str(r.option), int(r.start_year)): float(r.modules) for r in tables["builds"].itertuples()}
        self.closed = closed_shares(tables)
        self.short: dict[Consumer, float] = {
            (str(r.country), str(r.sector), str(r.material), int(r.year)): float(r.short_t)
            for r in tables["service"].itertuples()
        }
        self.exposed: dict[int, float] = defaultdict(float)
        for r in tables["service"].itertuples():
            self.exposed[int(r.year)] += float(r.exposed_t)
        for r in tables["substitution"].itertuples() if "substitution" in tables else ():
            self.exposed[int(r.year)] += float(r.t) if r.provenance == "exposed" else 0.0
        self._exports: dict[tuple[str, str, int], float] = defaultdict(float)
        for r in tables["flows"].itertuples():
            self._exports[str(r.material), str(r.origin), int(r.year)] += float(r.t)
        rows = list(tables["capacity"].itertuples())
        self._capacity = {(str(r.facility), int(r.year)): float(r.capacity_t) for r in rows}
        self._used = {(str(r.facility), int(r.year)): float(r.used_t) for r in rows}
        self._costs: dict[int, float] = {}

    def capacity(self, facility: str, year: int) -> float:
        """Return the capacity of a facility online in a year, t/yr."""
        return self._capacity.get((facility, year), 0.0)

    def used(self, facility: str, year: int) -> float:
        """Return the capacity of a facility that the plan uses in a year, t/yr."""
        return self._used.get((facility, year), 0.0)

    def exports(self, material: str, country: str, year: int) -> float:
        """Return how much of a material leaves a country in a year, t/yr."""
        return self._exports.get((material, country, year), 0.0)

    def exporting(self, years: Iterable[int]) -> set[tuple[str, str]]:
        """Return the (material, country) pairs with exports in at least one of the years."""
        wanted = set(years)
        return {(material, country) for (material, country, year), t in self._exports.items() if year in wanted and t}

    def openings(self, year: int, gone: float = 0.0) -> dict[tuple[str, str], float]:
        """Return the stocks when a disruption begins: (stockpile, provenance) -> t.

        year  first year of its first period
        gone  share of that period that has gone by then: the stocks are so far on the way from one end to the other
        """
        years = self.instance.years
        at = years.index(year)
        stocks = self.tables["stocks"]

        def ends(year: int) -> dict[tuple[str, str], float]:
            rows = stocks[stocks["year"] == year].itertuples()
            return {(str(r.stockpile), str(r.provenance)): float(r.stock_t) for r in rows}

        initial = {
            (s.stockpile, "exposed" if s.initial_exposed else "clean"): s.initial_t
            for s in self.instance.stockpiles
            if s.initial_t
        }
        before, after = ends(years[at - 1]) if at else initial, ends(year) if gone else {}
        return {
            part: (1.0 - gone) * before.get(part, 0.0) + gone * after.get(part, 0.0)
            for part in dict.fromkeys((*before, *after))
        }

    def cost(self, years: Mapping[int, float]) -> float:
        """Return the present value of the plan's operating cost in some periods, MUSD, without capex and fixed O&M.

        years  first year of a period -> the share of it that counts, 0 to 1
        """
        if not self._costs:
            self._costs = self._operating_costs()
        return sum(share * self._costs[year] for year, share in years.items())

    def _operating_costs(self) -> dict[int, float]:
        """Map the first year of each period to the present value of its operating cost, MUSD (see `cost`)."""
        source = FactSource(self.instance)
        holding = {s.stockpile: s.holding_usd_per_t / 1e6 for s in self.instance.stockpiles}
        shortage = {s.sector: s.shortage_usd_per_t / 1e6 for s in self.instance.sectors}
        facts = {p.first_year: source.facts(p) for p in periods(self.instance)}
        opex = {(o.facility, o.process, year): o.opex * 1e-3 for year, of in facts.items() for o in of.operations}
        lane_use = {
            (material, origin, lane.destination, year): lane.fixed
            for year, of in facts.items()
            for (material, origin), lanes in of.lanes.items()
            for lane in lanes
            if lane.fixed
        }
        yearly: dict[int, float] = defaultdict(float)

        def add(table: str, musd: Any) -> None:
            for row in self.tables[table].itertuples():
                yearly[int(row.year)] += musd(row)

        add("activity", lambda r: opex.get((r.facility, r.process, r.year), 0.0) * r.activity_t)
        add("flows", lambda r: r.freight_musd + r.tariff_musd)
        add("purchases", lambda r: r.cost_musd)
        add("stocks", lambda r: holding[r.stockpile] * r.stock_t)
        add("service", lambda r: shortage[r.sector] * r.short_t)
        flows = self.tables["flows"]
        moved = set(zip(flows["material"], flows["origin"], flows["destination"], flows["year"], strict=True))
        for route, fixed in lane_use.items():
            yearly[route[-1]] += fixed if route in moved else 0.0
        if "sales" in self.tables:
            add("sales", lambda r: -r.revenue_musd)
        if "substitution" in self.tables:
            add("substitution", lambda r: r.cost_musd)
        if "impact_totals" in self.tables:
            add("impact_totals", lambda r: r.cost_musd if r.kind != "build" else 0.0)
        return {p.first_year: p.discount * yearly[p.first_year] for p in periods(self.instance)}


def _check(instance: Instance, run: Tabled) -> None:
    """Raise UsageError if a table of the run names an option, facility, stockpile, sector or year that is unknown."""
    known: dict[str, dict[str, set[Any]]] = {
        "builds": {"option": {o.option for o in instance.options}, "start_year": set(instance.years)},
        "capacity": {"facility": {f.facility for f in instance.facilities}, "year": set(instance.years)},
        "stocks": {"stockpile": {s.stockpile for s in instance.stockpiles}, "year": set(instance.years)},
        "service": {"sector": {s.sector for s in instance.sectors}, "year": set(instance.years)},
    }
    for table, columns in known.items():
        for column, names in columns.items():
            for value in dict.fromkeys(run.tables[table][column].tolist()):
                if value not in names:
                    hint = did_you_mean(str(value), map(str, names))
                    raise UsageError(
                        f'{table}.csv of the run has {column} "{value}", which the instance does not have; '
                        f"stress a run with the instance it was solved from {hint}".rstrip()
                    )
