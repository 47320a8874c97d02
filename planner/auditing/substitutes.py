r"""Checks substitution: what each substitute replaces of a demand, by which material, and what that costs.

.. math:: \textstyle\sum_q swap \le share \cdot demand, \qquad replaced\_t = \sum_k \sum_q swap
"""

from __future__ import annotations

from collections import defaultdict

from .book import Book
from .facts import EXPOSED, PROVENANCES, interpolated
from .layouts import SubstitutionRow
from .operations import Operations

USD_PER_MUSD = 1e6


def check_substitution(operations: Operations, book: Book) -> None:
    """Check what substitutes replace in the plan or a branch; nothing if the instance has none."""
    facts, disturbance = operations.facts, operations.disturbance
    if not facts.substitutes:
        return
    replaced: dict[tuple[str, str, str, int], float] = defaultdict(float)
    by_substitute: dict[tuple[str, str, str, str, int], float] = defaultdict(float)
    for row in operations.swaps:
        place = ("substitution.csv", row.substitute, row.country, row.sector, row.material, row.provenance, row.year)
        if wrong := _wrong(operations, row):
            book.fault("swaps", place, wrong)
        else:
            book.passed("swaps")
        replaced[row.country, row.sector, row.material, row.year] += row.t
        by_substitute[row.substitute, row.country, row.sector, row.material, row.year] += row.t
        musd = facts.substitutes[row.substitute].cost_usd_per_t * row.t / USD_PER_MUSD
        book.equal("swap_cost", row.cost_musd, musd, musd, (*place, "cost_musd"))
        since = facts.sectors[row.sector].clean_from_year
        if row.provenance == EXPOSED and since is not None and row.year >= since and not disturbance.lifted(row.year):
            book.at_most("clean_only", row.t, 0.0, row.t, (*place, "t"))
    for (substitute, country, sector, material, year), t in by_substitute.items():
        points = facts.demands.get((country, sector, material))
        demand = interpolated(points, year) * disturbance.demand_factor(country, material, year) if points else 0.0
        most = facts.demand_share(substitute, year) * demand
        book.at_most("swap_limit", t, most, demand, ("substitution.csv", substitute, country, sector, material, year))
    rows = {(row.country, row.sector, row.material, row.year): row.replaced_t for row in operations.service}
    for key in sorted(set(rows) | set(replaced)):
        t = replaced.get(key, 0.0)
        book.equal("demand", rows.get(key, 0.0), t, t, ("service.csv", *key, "replaced_t"))


def _wrong(operations: Operations, row: SubstitutionRow) -> str:
    """Return what a row says that its substitute does not allow; "" if nothing."""
    facts, substitute = operations.facts, operations.facts.substitutes[row.substitute]
    if (row.country, row.sector, row.material) not in facts.demands:
        return "there is no such demand"
    if row.material != substitute.material or row.replaced_by != substitute.replaced_by:
        taken = substitute.replaced_by or "nothing"
        return f"the substitute replaces {substitute.material} by {taken}"
    if row.country not in facts.members(substitute.country) or substitute.sector not in ("", row.sector):
        return "the substitute is not for this consumer"
    if (row.provenance in PROVENANCES) != bool(row.replaced_by):
        return "a provenance without a material, or a material without one"
    return ""
