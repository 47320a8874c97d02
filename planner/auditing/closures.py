"""Checks closures of own capacity: that they are allowed, at most the whole, lasting where retired, and their money."""

from __future__ import annotations

from collections import defaultdict

from ..instance.tables import Closure
from .book import Book
from .facts import Facts
from .layouts import CLOSURES
from .reading import Tables

USD_PER_MUSD = 1e6


class Closures:
    """The closures of a run, from its closures.csv; none if the instance allows none."""

    def __init__(self, facts: Facts, tables: Tables) -> None:
        self.facts = facts
        self.rows = tables.rows(CLOSURES) if facts.instance.closures else []
        self._share: dict[tuple[str, int], float] = defaultdict(float)
        for row in self.rows:
            self._share[row.facility, row.year] += row.share

    def share(self, facility: str, year: int) -> float:
        """Return the share of own capacity, 0 to 1, that is closed in the period that begins in ``year``."""
        return self._share.get((facility, year), 0.0)

    def avoided(self, facility: str, year: int) -> float:
        """Return the fixed O&M, MUSD a year, that closures avoid; the rest of it goes on."""
        plant = self.facts.facilities[facility]
        own = self.facts.own(plant, year)
        terms = {str(row.kind): row.avoided_share for row in self.facts.instance.closures if row.facility == facility}
        return sum(
            terms.get(row.kind, 0.0) * row.share * own * plant.fixed_om_usd_per_t / USD_PER_MUSD
            for row in self.rows
            if (row.facility, row.year) == (facility, year)
        )

    def paid(self) -> dict[tuple[str, str, int], float]:
        """Return (facility, kind, first year of a period) -> MUSD paid for what closes in that period."""
        prices = {(r.facility, str(r.kind)): r.closing_usd_per_t for r in self.facts.instance.closures}
        result = {}
        for (facility, kind), shares in self.by_term().items():
            plant, before = self.facts.facilities[facility], 0.0
            for year in sorted(shares):
                price, capacity = prices.get((facility, kind), 0.0), self.facts.nameplate(plant, year)
                result[facility, kind, year] = price * capacity * (shares[year] - before) / USD_PER_MUSD
                before = shares[year]
        return result

    def by_term(self) -> dict[tuple[str, str], dict[int, float]]:
        """Return (facility, kind) -> first year of a period -> share of own capacity."""
        shares: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        for row in self.rows:
            shares[row.facility, row.kind][row.year] = row.share
        return shares


def check_closures(facts: Facts, closures: Closures, book: Book) -> None:
    """Check every row of closures.csv against the rules in the instance; the costs are checked with costs.csv."""
    terms = {(row.facility, str(row.kind)): row for row in facts.instance.closures}
    paid = closures.paid()
    for row in closures.rows:
        place, term = ("closures.csv", row.facility, row.kind, row.year), terms.get((row.facility, row.kind))
        if term is None:
            book.fault("closures", place, "the instance does not allow it to close so")
            continue
        plant = facts.facilities[row.facility]
        own = facts.own(plant, row.year)
        book.at_most("closures", closures.share(row.facility, row.year), 1.0, 1.0, place)
        book.equal("closures", row.closed_t, row.share * own, own, (*place, "closed_t"))
        avoided = term.avoided_share * row.share * own * plant.fixed_om_usd_per_t / USD_PER_MUSD
        book.equal("closures", row.avoided_musd, avoided, avoided, (*place, "avoided_musd"))
        due = paid[row.facility, row.kind, row.year]
        book.equal("closures", row.closing_musd, due, abs(due), (*place, "closing_musd"))
    for (facility, kind), shares in closures.by_term().items():
        if (facility, kind) in terms:
            _check_years(facts, terms[facility, kind], shares, book)


def _check_years(facts: Facts, term: Closure, shares: dict[int, float], book: Book) -> None:
    """Check that closures begin within their years, and that what is retired stays retired."""
    first = facts.first if term.first_year is None else term.first_year
    last = facts.last if term.last_year is None else term.last_year
    plant, before = facts.facilities[term.facility], 0.0
    for year in facts.years:
        if facts.own(plant, year) == 0.0:
            continue
        place, share = ("closures.csv", term.facility, term.kind, year), shares.get(year, 0.0)
        if not first <= year <= last:
            book.at_most("closures", share, before, 1.0, (*place, f"begun outside {first} to {last}"))
        if term.kind == "retire":
            book.at_least("closures", share, before, 1.0, (*place, "retired for good"))
            before = share
