"""Rows without effect: in every period in which they hold, there is nothing that they act on.

There is one rule for all tables. For each table it states in which periods a row holds, and what the row acts on (its
base). A cap, offtake, price floor, closure, fund or scenario that holds in no period at all is an error, which the
files of these tables report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...errors import Issue
from ..impact_tables import ImpactFactor
from ..lives import back_from
from ..metrics import METRICS
from ..tables import Cap, DeliveryRisk, Disruption, PriceFloor, Sector, Substitute, Tariff, WorkingStock
from ..timeline import (
    Period,
    cap_limits,
    disrupted_months,
    module_share,
    most_room,
    overlap_share,
    overlaps,
    promised,
    series_value,
    start_years,
)
from ..use_tables import ReturnRow
from ..wildcards import ANY, MovementTable, hit_facilities, leads_out, matches_material, members, valid_in
from .keys import SERIES
from .registry import SETTINGS, Draft, check


class _Facts:
    """Facts of an instance that the rules below ask for; each is computed when it is first asked for."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.instance = draft.instance
        self._lanes: dict[int, MovementTable[Any]] = {}
        self._positive: dict[tuple[str, str, int], set[tuple[Any, ...]]] = {}

    @cached_property
    def value(self) -> dict[str, float]:
        """Material -> value_usd_per_t."""
        return {m.material: m.value_usd_per_t for m in self.instance.materials}

    @cached_property
    def scenarios(self) -> dict[str, Any]:
        """The scenarios by name."""
        return {s.scenario: s for s in self.instance.scenarios}

    def positive(self, table: str, column: str, period: Period) -> set[tuple[Any, ...]]:
        """Return the keys (without the year) of those series that are above 0 when a period begins.

        table, column  the series; a blank cell means no limit, and counts as above 0
        """
        asked = (table, column, period.first_year)
        if asked not in self._positive:
            series: dict[tuple[Any, ...], dict[int | None, float]] = defaultdict(dict)
            for row in self.instance.rows(table):
                value = getattr(row, column)
                series[row.identity[:-1]][row.year] = 1.0 if value is None else value
            self._positive[asked] = {
                key for key, points in series.items() if series_value(points, period.first_year) > 0
            }
        return self._positive[asked]

    def needs(self, period: Period) -> set[tuple[Any, ...]]:
        """Return (country, sector, material) of each demand above 0 when a period begins."""
        return self.positive("demand", "demand_t", period)

    @cached_property
    def years_of_series(self) -> dict[tuple[str, tuple[Any, ...]], list[int]]:
        """Table and key without the year of each series -> its years, in order."""
        years: dict[tuple[str, tuple[Any, ...]], list[int]] = defaultdict(list)
        for table in SERIES:
            for row in self.instance.rows(table):
                years[table, row.identity[:-1]].append(row.year)
        return years

    def lanes(self, period: Period) -> MovementTable[Any]:
        """Return the lanes that hold when a period begins."""
        if period.first_year not in self._lanes:
            self._lanes[period.first_year] = MovementTable(self.instance.lanes, period.first_year)
        return self._lanes[period.first_year]

    def moves(self, material: str, origin: str, destination: str, period: Period) -> bool:
        """Return whether a lane lets a material move from one country to another when a period begins."""
        lane = self.lanes(period).find(material, origin, destination)
        return lane is not None and lane.max_t != 0

    @cached_property
    def plants(self) -> dict[str, Any]:
        """The facilities by name."""
        return {f.facility: f for f in self.instance.facilities}

    def runs(self, facility: str, period: Period, option: str = "") -> bool:
        """Return whether a facility can have capacity in a period; with ``option``, only that of this option counts."""
        plant = self.plants[facility]
        if not option and self.draft.has_capacity(plant, period):
            return True
        return any(
            module_share(o, year, period) > 0
            for o in self.instance.options
            if o.facility == facility and not o.stockpile and option in ("", o.option)
            for year in start_years(o, self.instance.years, self.draft.last)
        )

    @cached_property
    def indices(self) -> set[str]:
        """The markets against whose prices floors and offtakes are settled."""
        instance = self.instance
        return {row.market for row in instance.price_floors} | {row.market for row in instance.offtakes}

    @cached_property
    def something_exposed(self) -> bool:
        """Whether anything can be exposed at all."""
        instance = self.instance
        concern = instance.countries_of_concern
        return (
            any(instance.market_exposed(m) for m in instance.markets)
            or any(f.country in concern or f.concern_tie for f in instance.facilities)
            or any(s.initial_exposed and s.initial_t > 0 for s in instance.stockpiles)
        )


# The functions below are bases: each returns whether there is something that a row acts on in a period.


def _sector(facts: _Facts, row: Any, period: Period) -> bool:
    """Return whether the sector of a row has a demand."""
    return any(sector == row.sector for _, sector, _ in facts.needs(period))


def _cap(facts: _Facts, row: Cap, period: Period) -> bool:
    """Return whether there is demand, exposed material or a lane that a cap could limit, as its metric requires.

    A floor needs a limit above 0, and somebody inside who can use the material.
    """
    if row.metric == "impact":
        limit = cap_limits(facts.instance, row).get(period.first_year, 0.0)
        caused = [f.per_t for f in facts.instance.impact_factors if f.impact == row.impact]
        return any(per_t > 0 for per_t in caused) if row.sense == "max" else limit > 0 and any(caused)
    if row.sense == "min":
        return cap_limits(facts.instance, row).get(period.first_year, 0.0) > 0.0 and _is_used(facts, row, period)
    if row.metric in ("exposed_share", "stage_share") and not facts.something_exposed:
        return False
    if row.metric == "exposed_share":
        places = members(facts.instance, row.country)
        return any(country in places and row.sector in ("", sector) for country, sector, _ in facts.needs(period))
    if row.metric in ("import_share", "own_share"):
        return _is_counted(facts, row, period)
    return True  # another rule reports a cap on something that nobody makes or sells


def _is_counted(facts: _Facts, row: Cap, period: Period) -> bool:
    """Return whether something can add to an import share (a lane leads in) or an own share (somebody makes it)."""
    wanted = [m.material for m in facts.instance.materials if _is_limited(row, m)]
    importers, origins = _inside(facts, row), members(facts.instance, row.origin)
    if row.metric == "own_share":
        counted = {p.process for p in facts.instance.processes if p.restores_provenance or not row.recycled}
        run = {o.process for o in facts.instance.operations if facts.plants[o.facility].country in importers}
        outputs = {r.material for r in facts.instance.recipes if r.role == "output" and r.process in counted & run}
        return bool(outputs.intersection(wanted))
    return any(
        facts.moves(material, origin, importer, period)
        for material in wanted
        for origin in sorted(origins - importers)
        for importer in sorted(importers)
    )


def _inside(facts: _Facts, row: Cap) -> frozenset[str]:
    """Return the countries whose use a cap on imports or the own share measures."""
    if row.country:
        return members(facts.instance, row.country)
    return members(facts.instance, "") - members(facts.instance, row.origin)


def _is_used(facts: _Facts, row: Cap, period: Period) -> bool:
    """Return whether somebody whom a floor asks for something uses, or demands, what it is on."""
    wanted = {m.material for m in facts.instance.materials if _is_limited(row, m)}
    inside = _inside(facts, row)
    users = {o.process for o in facts.instance.operations if facts.plants[o.facility].country in inside}
    taken = {r.material for r in facts.instance.recipes if r.role == "input" and r.process in users}
    taken |= {material for country, _, material in facts.needs(period) if country in inside}
    taken |= {b.material for b in facts.instance.buyers if b.country in inside}
    return bool(wanted & taken)


def _is_limited(row: Cap, material: Any) -> bool:
    """Return whether a cap on a material or a stage limits a material."""
    return bool(
        row.material == material.material if row.material else row.stage == material.stage and material.strategic
    )


def _substitute(facts: _Facts, row: Substitute, period: Period) -> bool:
    """Return whether there is a demand of which a substitute can replace something."""
    places = members(facts.instance, row.country)
    return (row.substitute,) in facts.positive("substitute_shares", "max_share", period) and any(
        country in places and row.sector in ("", sector) and material == row.material
        for country, sector, material in facts.needs(period)
    )


def _return(facts: _Facts, row: ReturnRow, period: Period) -> bool:
    """Return whether something can come back in a period of what was delivered, and be of use."""
    instance = facts.instance
    used = {r.material for r in instance.recipes if r.role == "input"} | {d.material for d in instance.demand}
    used |= {b.material for b in instance.buyers}
    used |= {s.replaced_by for s in instance.substitutes} | {s.material for s in instance.stockpiles}
    places = members(instance, row.country)
    return (
        row.collected > 0
        and row.returned in used
        and any(
            back_from(row, earlier.calendar, period.calendar) > 0
            and any(
                country in places and row.sector in ("", sector) and material == row.material
                for country, sector, material in facts.needs(earlier)
            )
            for earlier in facts.draft.periods
        )
    )


def _impact_factor(facts: _Facts, row: ImpactFactor, period: Period) -> bool:
    """Return whether there is an operation, lane, market or option that a factor is of."""
    instance = facts.instance
    if row.per_t == 0:
        return False
    if row.kind == "operation":
        return any(
            row.facility in ("", o.facility) and row.process in ("", o.process) and facts.runs(o.facility, period)
            for o in instance.operations
        )
    if row.kind == "purchase":
        return any(row.market in ("", market) for (market,) in facts.positive("market_prices", "max_t", period))
    if row.kind == "build":
        return any(row.option in ("", o.option) for o in instance.options)
    return any(
        facts.moves(m.material, origin.country, destination.country, period)
        for m in instance.materials
        for origin in instance.countries
        for destination in instance.countries
        if origin is not destination
        and row.material in ("", m.material)
        and row.origin in ("", origin.country)
        and row.destination in ("", destination.country)
    )


def _working_stock(facts: _Facts, row: WorkingStock, period: Period) -> bool:
    """Return whether somebody uses the material of a working stock in its country."""
    instance = facts.instance
    run = {o.process for o in instance.operations if facts.plants[o.facility].country == row.country}
    used = {r.material for r in instance.recipes if r.role == "input" and r.process in run}
    asked = {material for country, _, material in facts.needs(period) if country == row.country}
    swaps = {s.replaced_by for s in instance.substitutes if s.material in asked}
    return row.material in used | asked | swaps


def _tariff(facts: _Facts, row: Tariff, period: Period) -> bool:
    """Return whether a tariff is charged on a value above 0; a tariff of rate 0 exempts from a wider row."""
    if row.rate == 0:
        return True
    return any(value > 0 for material, value in facts.value.items() if row.material in (ANY, material))


def _price_floor(facts: _Facts, row: PriceFloor, period: Period) -> bool:
    """Return whether a price floor covers something, from a plant that can have capacity."""
    promises = (row.floor_usd_per_t > 0 or row.upside_share > 0) and row.max_t != 0
    return promises and facts.runs(row.facility, period, row.option)


def _disruption(facts: _Facts, row: Disruption, period: Period) -> bool:
    """Return whether there is a demand, market, lane, plant or project that a disruption hits."""
    instance = facts.instance
    places = members(instance, row.country)
    if row.kind == "demand_surge":
        return any(country in places and row.material in ("", m) for country, _, m in facts.needs(period))
    materials = {m.material for m in instance.materials if matches_material(row, m)}
    if row.kind == "price_surge":
        sold = {m.market for m in instance.markets if m.country in places and m.material in materials}
        return any(market in sold for (market,) in facts.positive("market_prices", "price_usd_per_t", period))
    if row.kind == "export_stop":
        return any(
            lane.material in {ANY, *materials}
            and leads_out(instance, lane, places)
            and valid_in(lane, period.first_year)
            for lane in instance.lanes
        )
    hit = hit_facilities(instance, row)
    if row.kind == "outage":
        return any(facts.runs(facility, period) for facility in sorted(hit))
    return any(
        start + option.lead_years >= facts.scenarios[row.scenario].first_year
        for option in instance.options
        if option.facility in hit
        for start in start_years(option, instance.years, facts.draft.last)
    )


def _delivery_risk(facts: _Facts, row: DeliveryRisk, period: Period) -> bool:
    """Return whether there is an option of the kind that a delivery risk is of."""
    options = facts.instance.options
    if row.projects == "one":
        return any(row.option in (o.option, facts.plants[o.facility].owner) for o in options)
    return any(
        row.projects == "all" or facts.plants[o.facility].startup == (row.projects == "startup") for o in options
    )


# The functions below return whether a row holds in a period.


def _always(facts: _Facts, row: Any, period: Period) -> bool:
    """Return True: a row without years holds in every period."""
    return True


def _by_first_year(facts: _Facts, row: Any, period: Period) -> bool:
    """Return whether the first year of a period lies in the years of a row."""
    return promised(row, period.first_year)


def _from_then_on(facts: _Facts, row: Sector, period: Period) -> bool:
    """Return whether a sector takes only clean material when a period begins."""
    return row.clean_from_year is None or row.clean_from_year <= period.first_year


def _in_branch(facts: _Facts, row: Any, period: Period) -> bool:
    """Return whether a period is of the branch of a row's scenario, and overlaps the years of the row."""
    return period.last_year >= facts.scenarios[row.scenario].first_year and overlaps(row, period)


def _while_disrupted(facts: _Facts, row: Disruption, period: Period) -> bool:
    """Return whether a period overlaps the years of a disruption's scenario."""
    return overlap_share(period.months, disrupted_months(facts.scenarios[row.scenario])) > 0


def _between_neighbours(facts: _Facts, row: Any, period: Period) -> bool:
    """Return whether a point of a series has a part in the figure of a period.

    It has one if the period begins between the points before and after it, as figures are interpolated linearly.
    """
    if row.year is None:
        return True
    years = facts.years_of_series[row.TABLE, row.identity[:-1]]
    place = years.index(row.year)
    before, after = years[:place][-1:], years[place + 1 :][:1]
    return all(year < period.first_year for year in before) and all(period.first_year < year for year in after)


@dataclass(frozen=True)
class _Rule:
    """When the rows of a table have an effect.

    column  column at which a row without effect is reported
    base    (facts, row, period) -> whether there is something that the row acts on
    says    reason for the message: what is missing
    holds   (facts, row, period) -> whether the row holds in the period
    """

    table: str
    column: str
    base: Callable[[_Facts, Any, Period], bool]
    says: str
    holds: Callable[[_Facts, Any, Period], bool] = _always


RULES = (
    _Rule("sectors", "sector", _sector, "it has no demand"),
    _Rule("sectors", "clean_from_year", _sector, "from then on no period begins in which it has demand", _from_then_on),
    _Rule("markets", "market", lambda facts, row, period: row.market in facts.indices
          or (row.market,) in facts.positive("market_prices", "max_t", period),
          "it sells nothing in any period (max_t 0), and no price floor or offtake is settled against its price"),
    _Rule("buyers", "buyer", lambda facts, row, period: (row.buyer,) in facts.positive("buyer_prices", "max_t", period),
          "it buys nothing in any period (max_t 0)"),
    _Rule("stockpiles", "max_t", lambda facts, row, period: row.initial_t > 0
          or most_room(row, facts.instance.options, facts.draft.periods, period) > 0, "it has no room"),
    _Rule("working_stocks", "country", _working_stock, "nobody uses the material there"),
    _Rule("caps", "limit", _cap, "in its years there is nothing that it limits: no demand, nothing exposed, or no lane "
          "(for a floor: its limit is 0, or nobody uses the material)", _by_first_year),
    _Rule("tariffs", "rate", _tariff, "what moves has value_usd_per_t 0", _by_first_year),
    _Rule("price_floors", "floor_usd_per_t", _price_floor, "it covers nothing, or the plant has no capacity then",
          _by_first_year),
    _Rule("offtakes", "take_t", lambda facts, row, period: row.take_t > 0, "nothing is taken", _by_first_year),
    _Rule("fund_options", "option", lambda facts, row, period: any(
          o.capex_musd > 0 for o in facts.instance.options if o.option == row.option), "it costs nothing"),
    _Rule("branch_service", "min_service", lambda facts, row, period: row.min_service > 0, "no service is asked for"),
    _Rule("branch_service", "sector", _sector, "it has no demand in these years of the branch", _in_branch),
    _Rule("disruptions", "fraction", lambda facts, row, period: row.fraction > 0, "nothing is lost, and nothing rises"),
    _Rule("disruptions", "scenario", _disruption, "in the scenario's years there is nothing that it hits",
          _while_disrupted),
    *(_Rule(table, "year", _always, "no period begins between the years of the rows before and after it",
            _between_neighbours) for table in SERIES),
    _Rule("substitutes", "substitute", _substitute, "there is no such demand, or its max_share is 0"),
    _Rule("returns", "return", _return, "nothing that is asked for comes back in the horizon, or nobody uses it"),
    _Rule("impact_factors", "per_t", _impact_factor, "it is 0, or there is nothing that it is of"),
    _Rule("delivery_risk", "projects", _delivery_risk, "no option is of this kind"),
)  # fmt: skip


@check("W518", "rows", SETTINGS, *sorted({rule.table for rule in RULES}), "options", "facilities", "lanes")
def acts_in_some_period(draft: Draft) -> Iterable[Issue]:
    """A row should have something to act on in at least one of the periods in which it holds."""
    facts = _Facts(draft)
    for rule in RULES:
        for row in draft.instance.rows(rule.table):
            held = [period for period in draft.periods if rule.holds(facts, row, period)]
            given = getattr(row, rule.column) is not None  # a blank clean_from_year, or year of a series, has no effect
            if given and not any(rule.base(facts, row, period) for period in held):
                yield draft.at(row, rule.column, f"means nothing: {rule.says}")


@check("W552", "caps", SETTINGS, *sorted({rule.table for rule in RULES}), "options", "facilities", "lanes")
def floor_within_reach(draft: Draft) -> Iterable[Issue]:
    """A floor should find something that counts: otherwise it is kept only where nothing is used."""
    facts = _Facts(draft)
    for row in draft.instance.caps:
        asked = [p for p in draft.periods if _by_first_year(facts, row, p) and _cap(facts, row, p)]
        of_share = not METRICS[row.metric].amount
        if of_share and row.sense == "min" and asked and not any(_is_counted(facts, row, p) for p in asked):
            missing = "no lane leads in" if row.metric == "import_share" else "nobody there makes it"
            if row.recycled:
                missing = "no process there that restores provenance makes it"
            yield draft.at(row, "limit", f"cannot be kept unless nothing is used: {missing}")
