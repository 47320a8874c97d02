r"""Checks funding: who pays the capex of options that need money, by calendar year.

.. math::
    \sum_{source} paid_{o,source,y} = \sum_{\tau \le y < \tau + \max(1, lead)}
        \frac{capex_o \, build_{o \tau}}{\max(1, lead_o)}

An option needs at least the public money that its private money does not cover, max(0, capex - private_musd). If funds
pay more than that, private money could have paid the rest in the same year.
"""

from __future__ import annotations

import itertools
from collections import defaultdict

from .book import Book
from .facts import Facts
from .investment import Investment
from .layouts import FUNDING, PRIVATE
from .reading import Tables

Point = tuple[object, ...]  # where money is, on its way from those who have it to a bill
FROM: Point = ("from",)
TO: Point = ("to",)


def check_funding(facts: Facts, tables: Tables, investment: Investment, book: Book) -> None:
    """Check the rows, the sums by calendar year, limits on private money, budgets and shares, and public money."""
    paid: dict[tuple[str, int], float] = defaultdict(float)
    by_source: dict[tuple[str, str], float] = defaultdict(float)
    by_fund: dict[str, float] = defaultdict(float)
    asks = {name for name, option in facts.options.items() if option.private_musd is not None or name in facts.funds_of}
    for row in tables.rows(FUNDING):
        place = ("funding.csv", row.option, row.source, row.year)
        paid[row.option, row.year] += row.musd
        by_source[row.option, row.source] += row.musd
        by_fund[row.source] += row.musd
        if row.option not in asks:
            book.fault("funding_rows", place, "the option has neither private_musd nor a fund")
        elif row.source == PRIVATE:
            book.passed("funding_rows")
        elif row.source not in facts.funds_of.get(row.option, ()):
            book.fault("funding_rows", place, "the option may not draw on this fund")
        else:
            fund = facts.funds[row.source]
            first = facts.first if fund.first_year is None else fund.first_year
            last = facts.last if fund.last_year is None else fund.last_year
            if first <= row.year <= last:
                book.passed("funding_rows")
            else:
                book.fault("funding_rows", place, f"the fund pays from {first} to {last} only")

    for fund_name, fund in facts.funds.items():
        drawn = by_fund.get(fund_name, 0.0)
        book.at_most("funding_budget", drawn, fund.budget_musd, fund.budget_musd, ("fund", fund_name))
    for name in sorted(asks):
        _check_option(facts, investment, name, paid, by_source, book)


def check_affordable(investment: Investment, book: Book) -> None:
    """Check that some split of private money and funds pays for what a branch starts; its run shows none.

    Who pays is a flow: from private money and the funds, through what a fund may give to an option, to the capex of an
    option in a calendar year. As much as possible is paid; nothing may be left.
    """
    facts = investment.facts
    asks = {name: option for name, option in facts.options.items() if option.private_musd is not None}
    bills: dict[tuple[str, int], float] = defaultdict(float)
    for name, option in asks.items():
        spread = max(1, option.lead_years)
        for start, modules in investment.modules[name].items():
            for year in range(start, start + spread):
                bills[name, year] += facts.capex(option, modules) / spread
    pipes: dict[Point, dict[Point, float]] = defaultdict(lambda: defaultdict(float))
    for name, option in asks.items():
        pipes[FROM][PRIVATE, name] = option.private_musd or 0.0
        for fund in facts.funds_of.get(name, ()):
            pipes[FROM][(fund,)] = facts.funds[fund].budget_musd
            pipes[(fund,)][fund, name] = facts.funds[fund].max_share * investment.capex(name)
    for (name, year), musd in bills.items():
        pipes[name, year][TO] = pipes[PRIVATE, name][name, year] = musd
        for fund in facts.funds_of.get(name, ()):
            row = facts.funds[fund]
            if (row.first_year or facts.first) <= year <= (row.last_year or facts.last):
                pipes[fund, name][name, year] = musd
    capex = sum(bills.values())
    if capex:
        book.at_most("funding_branch", capex, _greatest_flow(pipes), capex, ("builds.csv", "capex that can be paid"))


def _greatest_flow(pipes: dict[Point, dict[Point, float]]) -> float:
    """Return the most that can flow from FROM to TO, by shortest paths with room left (Edmonds and Karp, 1972).

    pipes  point -> next point -> what still fits; it is changed
    """
    total = 0.0
    while True:
        came: dict[Point, Point] = {FROM: FROM}
        queue = [FROM]
        for point in queue:
            for following, room in pipes[point].items():
                if room > 1e-12 and following not in came:
                    came[following] = point
                    queue.append(following)
        if TO not in came:
            return total
        path = [TO]
        while path[-1] != FROM:
            path.append(came[path[-1]])
        steps = list(itertools.pairwise(reversed(path)))
        fits = min(pipes[a][b] for a, b in steps)
        for a, b in steps:
            pipes[a][b] -= fits
            pipes[b][a] += fits
        total += fits


def _check_option(
    facts: Facts,
    investment: Investment,
    name: str,
    paid: dict[tuple[str, int], float],
    by_source: dict[tuple[str, str], float],
    book: Book,
) -> None:
    """Check the payments for one option.

    paid       (option, calendar year) -> MUSD
    by_source  (option, source) -> MUSD in all years
    """
    option = facts.options[name]
    spread = max(1, option.lead_years)
    spent: dict[int, float] = defaultdict(float)
    for start, modules in investment.modules[name].items():
        for year in range(start, start + spread):
            spent[year] += facts.capex(option, modules) / spread
    for year in sorted(set(spent) | {y for (o, y) in paid if o == name}):
        need, given = spent.get(year, 0.0), paid.get((name, year), 0.0)
        book.equal("funding_sum", given, need, max(need, given), ("funding.csv", name, year))

    capex = investment.capex(name)
    private = by_source.get((name, PRIVATE), 0.0)
    limit = capex if option.private_musd is None else option.private_musd
    if option.private_musd is not None:
        book.at_most("funding_private", private, limit, limit, ("option", name))
    for fund in facts.funds_of.get(name, ()):
        share = facts.funds[fund].max_share * capex
        book.at_most("funding_share", by_source.get((name, fund), 0.0), share, capex, ("fund", fund, "option", name))
    public = sum(musd for (o, source), musd in by_source.items() if o == name and source != PRIVATE)
    book.at_most("funding_least", public, max(0.0, capex - limit), capex, ("option", name, "public money"))
