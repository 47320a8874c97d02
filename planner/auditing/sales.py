r"""Checks sales: what each buyer is sold, the least and the most of it, and what it pays.

.. math:: min \le \textstyle\sum_q sold \le max, \qquad revenue = price \cdot sold
"""

from __future__ import annotations

from .book import Book
from .facts import CLEAN, PROVENANCES
from .operations import Operations

USD_PER_MUSD = 1e6


def check_sales(operations: Operations, book: Book) -> None:
    """Check what is sold in the plan or a branch; nothing if the instance has no buyers."""
    facts, disturbance = operations.facts, operations.disturbance
    sold: dict[tuple[str, int], float] = {}
    for row in operations.sales:
        place = ("sales.csv", row.buyer, row.provenance, row.year)
        buyer = facts.buyers[row.buyer]
        allowed = (CLEAN,) if buyer.clean_only else PROVENANCES
        if (row.country, row.material) != (buyer.country, buyer.material) or row.provenance not in allowed:
            book.fault(
                "sale_rows", place, f"the buyer takes {' or '.join(allowed)} {buyer.material} in {buyer.country}"
            )
        else:
            book.passed("sale_rows")
        musd = (facts.paid(row.buyer, "price_usd_per_t", row.year) or 0.0) * row.t / USD_PER_MUSD
        book.equal("revenue", row.revenue_musd, musd, abs(musd), (*place, "revenue_musd"))
        sold[row.buyer, row.year] = sold.get((row.buyer, row.year), 0.0) + row.t
    for name in facts.buyers:
        for year in disturbance.years:
            t, where = sold.get((name, year), 0.0), ("sales.csv", name, year)
            most, least = facts.paid(name, "max_t", year), facts.paid(name, "min_t", year)
            if most is not None:
                book.at_most("sale_limit", t, most, most, where)
            if least and disturbance.undisturbed:
                book.at_least("sale_limit", t, least, least, where)
