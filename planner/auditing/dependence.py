r"""Checks dependence: the shares of a plan or branch, the caps on them, dependence.csv and the shares in plan.json.

A share is a fraction of tonnes. Caps are compared in tonnes, multiplied by the denominator:

.. math:: numerator \le limit \cdot denominator

A floor (a cap of the sense ``min``) is the other way round.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..instance.tables import Cap
from .book import Book
from .disturbance import Disturbance
from .facts import EXPOSED, PROVENANCES, Facts
from .impacts import impact_of
from .layouts import DEPENDENCE, DependenceRow, ServiceRow
from .operations import NEGLIGIBLE, Operations, Stretch
from .reading import LARGEST, Tables

Key = tuple[str, str, str, str, str, str, int]  # the key columns of dependence.csv


class Share(NamedTuple):
    """A share as its numerator and its denominator, both t/yr."""

    part: float
    whole: float
    size: float = 0.0  # of an amount that is no share: what a difference is compared with

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole > NEGLIGIBLE else math.nan

    @property
    def blank_is_fine(self) -> bool:
        """Whether the denominator is so small that rounding decides between a share and a blank."""
        return self.whole <= 10 * NEGLIGIBLE


class Shares:
    """The dependence metrics of operations."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.facts = operations.facts
        self._arrivals: dict[tuple[str, int], list[tuple[str, str, float]]] = defaultdict(list)
        self._service: dict[int, list[ServiceRow]] = defaultdict(list)
        for row in operations.service:
            self._service[row.year].append(row)
        for flow in operations.flows:
            self._arrivals[flow.material, flow.year].append((flow.origin, flow.destination, flow.arrived_t))

    def exposed(self, country: str, sector: str, year: int) -> Share:
        """Return exposed over all deliveries to a country or bloc (blank: all) and a sector (blank: all)."""
        consumers = self.facts.members(country)
        exposed = delivered = 0.0
        for row in self._service[year]:
            if row.country in consumers and sector in ("", row.sector):
                exposed += row.exposed_t
                delivered += row.clean_t + row.exposed_t
        for swap in self.operations.swaps:  # in tonnes replaced; thrift, without a provenance, is in neither sum
            if swap.year == year and swap.country in consumers and sector in ("", swap.sector) and swap.provenance:
                exposed += swap.t if swap.provenance == EXPOSED else 0.0
                delivered += swap.t
        return Share(exposed, delivered)

    def stage(self, materials: Iterable[str], year: int) -> Share:
        """Return what countries of concern make or buy, and tied plants elsewhere make, over all made or bought."""
        tied = self.operations.made_tied
        of_concern = whole = 0.0
        for material in materials:
            for country in self.facts.countries:
                own = self.operations.own(material, country, year)
                whole += own
                in_concern = country in self.facts.concern
                of_concern += own if in_concern else tied.get((material, country, year), 0.0)
        return Share(of_concern, whole)

    def single_country(self, materials: Iterable[str], year: int) -> dict[str, Share]:
        """Return for each country what is made or bought there, over all made or bought."""
        names = tuple(materials)
        own = {c: sum(self.operations.own(m, c, year) for m in names) for c in self.facts.countries}
        whole = sum(own.values())
        return {country: Share(t, whole) for country, t in own.items()}

    def imports(self, materials: Iterable[str], country: str, origin: str, year: int) -> Share:
        """Return what arrives in a country or bloc from outside (or ``origin``), over what it uses or receives."""
        everywhere = self.facts.members("")
        inside = self.facts.members(country) if country else everywhere - self.facts.members(origin)
        outside = (self.facts.members(origin) if origin else everywhere) - inside
        o = self.operations
        arriving = needed = 0.0
        for material in materials:
            for start, end, t in self._arrivals.get((material, year), ()):
                if end in inside and start in outside:
                    arriving += t
            for country_inside in sorted(inside):
                for q in PROVENANCES:
                    key = (material, country_inside, q, year)
                    needed += o.used.get(key, 0.0) + o.delivered.get(key, 0.0) + o.sold.get(key, 0.0)
        return Share(arriving, needed)

    def impact(self, impact: str, year: int) -> Share:
        """Return the units a year of an impact; the denominator is 1."""
        units, size = impact_of(self.operations, impact, year)
        return Share(units, 1.0, max(1.0, size))

    def own(self, materials: Iterable[str], cap: Cap, year: int) -> Share:
        """Return what a country or bloc makes, less surplus (or what it recycles), over what it uses or receives."""
        o = self.operations
        made = needed = 0.0
        for material in materials:
            for country in sorted(self.facts.members(cap.country)):
                made += o.recycled.get((material, country, year), 0.0) if cap.recycled else 0.0
                for q in PROVENANCES:
                    key = (material, country, q, year)
                    made += 0.0 if cap.recycled else o.made.get(key, 0.0) - o.surplus.get(key, 0.0)
                    needed += o.used.get(key, 0.0) + o.delivered.get(key, 0.0) + o.sold.get(key, 0.0)
        return Share(made, needed)


def _materials(facts: Facts, stage: str, material: str) -> tuple[str, ...]:
    return (material,) if material else facts.strategic(stage)


def _measured(shares: Shares, cap: Cap, year: int) -> dict[str, Share]:
    """Return the shares that a cap limits in a period, or that of each country, by country."""
    materials = _materials(shares.facts, cap.stage, cap.material)
    if cap.metric == "exposed_share":
        return {cap.country: shares.exposed(cap.country, cap.sector, year)}
    if cap.metric == "stage_share":
        return {cap.country: shares.stage(materials, year)}
    if cap.metric in ("single_country_share", "largest_share"):
        return shares.single_country(materials, year)
    if cap.metric == "impact":
        return {"": shares.impact(cap.impact, year)}
    if cap.metric == "own_share":
        return {cap.country: shares.own(materials, cap, year)}
    return {cap.country: shares.imports(materials, cap.country, cap.origin, year)}


def limit_of(facts: Facts, cap: Cap, year: int) -> float | None:
    """Return the limit (share) of a cap in the period that begins in ``year``; None if it does not hold in it."""
    first = facts.first if cap.first_year is None else cap.first_year
    last = facts.last if cap.last_year is None else cap.last_year
    if not first <= year <= last:
        return None
    if cap.limit_end is None or last == first:
        return cap.limit
    return cap.limit + (cap.limit_end - cap.limit) * (year - first) / (last - first)


def check_caps(parts: Sequence[Operations], before: Sequence[Stretch], book: Book) -> None:
    """Check every cap and floor, in every period in which it holds and is not lifted by a disruption.

    In a year in months the mean over the twelve months counts.

    parts   the plan, or the branch, in its parts
    before  what the course had that a branch leaves, which may have begun the year
    """
    facts, by_year = parts[0].facts, defaultdict(list)  # year -> shares, with their part of the year
    for part in parts:
        shares = Shares(part)
        for year in part.disturbance.years:
            by_year[year].append((shares, part.disturbance.length(year) / facts.length[year]))
    disturbance = parts[0].disturbance
    for earlier in before:
        if earlier.year == disturbance.begin and earlier.operations is not None:
            by_year[earlier.year].append((Shares(earlier.operations), (earlier.stop - earlier.first) / 12))
    for name, cap in facts.caps.items():
        for year, of_year in by_year.items():
            limit = limit_of(facts, cap, year)
            if limit is None or _lifted(disturbance, cap, year):
                continue
            compare = book.at_least if cap.sense == "min" else book.at_most
            for country, share in _mean(of_year, cap, year).items():
                scale = max(share.whole, share.size)
                compare(cap.metric, share.part, limit * share.whole, scale, ("cap", name, country, year))


def _mean(of_year: Sequence[tuple[Shares, float]], cap: Cap, year: int) -> dict[str, Share]:
    """Return the shares that a cap limits, as means over the parts of a year."""
    total: dict[str, Share] = defaultdict(lambda: Share(0.0, 0.0))
    for shares, part in of_year:
        for country, share in _measured(shares, cap, year).items():
            total[country] = Share(*(a + part * b for a, b in zip(total[country], share, strict=True)))
    if cap.metric == "largest_share":  # of the means, since the largest of a month may be others
        ranked = sorted(total.values(), key=lambda share: -share.part)
        return {"": Share(sum(share.part for share in ranked[: cap.largest or 1]), ranked[0].whole)}
    return total


def _lifted(disturbance: Disturbance, cap: Cap, year: int) -> bool:
    """Return whether a cap or floor does not bind in a period, because of a disruption."""
    return disturbance.caps_lifted(year) if cap.sense == "max" else not disturbance.undisturbed


def check_dependence(operations: Operations, tables: Tables, metrics: Mapping[str, Any], book: Book) -> None:
    """Check dependence.csv row by row, and the shares in plan.json."""
    facts, shares = operations.facts, Shares(operations)
    expected: dict[Key, tuple[Share, float]] = {}  # share and limit, NaN without a cap
    for year in facts.years:
        exposed = shares.exposed("", "", year)
        expected["", "exposed_share", "", "", "", "", year] = (exposed, math.nan)
        written = _of(metrics, "exposed_share", year)
        _equal_share("metrics", written, exposed, ("plan.json metrics exposed_share", year), book)
        for stage in facts.stages:
            share = shares.stage(facts.strategic(stage), year)
            expected["", "stage_share", stage, "", "", "", year] = (share, math.nan)
            by_stage = metrics.get("stage_share")
            written = _of(by_stage, stage, year) if isinstance(by_stage, Mapping) else math.inf
            _equal_share("metrics", written, share, ("plan.json metrics stage_share", stage, year), book)
        for material, row in facts.materials.items():
            if row.strategic:
                share = shares.stage((material,), year)
                expected["", "stage_share", "", material, "", "", year] = (share, math.nan)
        for name, cap in facts.caps.items():
            limit = limit_of(facts, cap, year)
            if limit is None:
                continue
            for country, share in _mean([(shares, 1.0)], cap, year).items():
                key: Key = (name, cap.metric, cap.stage, cap.material, country, cap.sector, year)
                expected[key] = (share, limit)

    rows = {row[:7]: row for row in tables.rows(DEPENDENCE)}
    for wanted, (share, limit) in expected.items():
        row_written = rows.pop(wanted, None)
        if row_written is None:
            book.fault("dependence_rows", ("dependence.csv", *wanted), "is missing")
            continue
        book.passed("dependence_rows")
        _check_row(row_written, share, limit, book)
    for unwanted in rows:
        book.fault("dependence_rows", ("dependence.csv", *unwanted), "is no share or cap that holds in that year")


def _check_row(row: DependenceRow, share: Share, limit: float, book: Book) -> None:
    place = ("dependence.csv", *row[:7])
    _equal_share("dependence", row.share, share, (*place, "share"), book)
    if math.isnan(limit) != math.isnan(row.limit):
        book.fault("dependence", (*place, "limit"), "blank with a cap, or a limit without one")
    elif not math.isnan(limit):
        book.equal("dependence", row.limit, limit, max(1.0, limit), (*place, "limit"))
    marginal = row.marginal_musd_per_point
    if not row.cap and not math.isnan(marginal):
        book.fault("marginals", place, "a marginal value without a cap")
    elif row.cap and not math.isnan(marginal):
        book.at_least("marginals", marginal, 0.0, abs(marginal), place)


def _equal_share(kind: str, value: float, share: Share, place: tuple[object, ...], book: Book) -> None:
    """Compare shares; the tolerance is wider for a small denominator, of which a missing gram is a larger part."""
    if math.isnan(value) or math.isnan(share.value):
        if math.isnan(value) == math.isnan(share.value) or share.blank_is_fine:
            book.passed(kind)
        elif math.isnan(value):
            book.fault(kind, place, f"is blank, but {share.whole:.6g} t are there; must be {share.value:.6g}")
        else:
            book.fault(kind, place, f"is {value:.6g}, but nothing is delivered or made; must be blank")
        return
    book.equal(kind, value, share.value, max(1.0 / min(1.0, share.whole), share.size), place)


def _of(values: object, name: str, year: int) -> float:
    """Return a share of plan.json by name and year; NaN for null; infinite, which is a violation, if it is missing."""
    by_year = values.get(name) if isinstance(values, Mapping) else None
    return metric(by_year, year)


def metric(by_year: object, year: int) -> float:
    """Return a number of plan.json by year; NaN for null; infinite, which is a violation, if it is missing."""
    if not isinstance(by_year, Mapping):
        return math.inf
    value = by_year.get(str(year), by_year.get(year, math.inf))
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST:
        return math.inf
    return float(value)
