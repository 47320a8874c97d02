r"""Checks working stocks: what a branch draws from them, when, and that it is no more than firms held.

.. math:: \textstyle\sum_t w_t\, drawn_t \le weeks \cdot \frac{7}{365} (used + delivered)

What is used and delivered is that of the course which the first disrupting branch in months leaves, in the year in
which it begins or, if it begins with January, in the year before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .book import Book
from .facts import Facts
from .operations import Operations, Stretch

USD_PER_MUSD = 1e6


def replacing(facts: Facts, material: str, country: str) -> float:
    """Return what it costs to replace a tonne drawn from a working stock, USD."""
    row = facts.working_stocks.get((material, country))
    given = None if row is None else row.replace_usd_per_t
    return facts.materials[material].value_usd_per_t if given is None else given


def check_working_stocks(
    parts: Sequence[Operations], before: Sequence[Stretch], first: Operations | None, book: Book
) -> None:
    """Check what the plan or a branch draws from working stocks; nothing if the instance has none.

    parts   the plan, or the branch in its parts
    before  what the course had that a branch leaves
    first   the plan, of whose first year the stocks are if the branch begins with the horizon
    """
    facts, disturbance = parts[0].facts, parts[0].disturbance
    if not facts.working_stocks:
        return
    drawn: dict[tuple[str, str, str], float] = defaultdict(float)
    inherited = [(part.operations, part.share) for part in before if part.operations is not None]
    for part, share in [*inherited, *((part, 1.0) for part in parts)]:
        book.month = part.disturbance.month
        for row in part.run_down:
            place = ("working_stocks.csv", row.country, row.material, row.provenance, row.year)
            drawn[row.material, row.country, row.provenance] += share * part.disturbance.length(row.year) * row.t
            if (row.material, row.country) not in facts.working_stocks:
                book.at_most("stock_draw", row.t, 0.0, row.t, (*place, "there is none"))
            if not (part.disturbance.month and part.disturbance.lifted(row.year)):
                book.at_most("stock_draw", row.t, 0.0, row.t, (*place, "no disrupted month"))
            musd = replacing(facts, row.material, row.country) * row.t / USD_PER_MUSD
            book.equal("purchase", row.cost_musd, musd, musd, (*place, "cost_musd"))
    book.month = 0
    if not drawn:
        return
    filled = disturbance.filled
    begin = disturbance.begins(filled) if filled else 0
    left = [(part.operations, part.year) for part in before if part.first < begin]
    source, year = left[-1] if left else (first, facts.first)
    for (material, country, q), t in drawn.items():
        held, where = facts.working_stocks.get((material, country)), (material, country, q, year)
        use = source.used.get(where, 0.0) + source.delivered.get(where, 0.0) if source else 0.0
        most = held.weeks * 7.0 / 365.0 * use if held and filled else 0.0
        book.at_most("stock_draw", t, most, max(t, most), ("working_stocks.csv", country, material, q))
