r"""Checks funding: who pays the capex of options that need money, by calendar year.

.. math::
    \sum_{source} paid_{o,source,y} = \sum_{\tau \le y < \tau + \max(1, lead)}
        \frac{capex_o \, build_{o \tau}}{\max(1, lead_o)}

An option needs at least the public money that its private money does not cover, max(0, capex - private_musd). If funds
pay more than that, private money could have paid the rest in the same year.
"""

from __future__ import annotations

from collections import defaultdict

from .book import Book
from .facts import Facts
from .investment import Investment
from .layouts import FUNDING, PRIVATE
from .reading import Tables


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
