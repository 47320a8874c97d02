r"""Checks returns: what is collected after its use is no more than comes back of what was delivered.

Of what was delivered in calendar year a, the share s(b - a) comes back in calendar year b. All of it after the mean
life, half a year rounded up; or, with a shape k, as a Weibull distribution of the life says:

.. math::
    s(n) = F(n + 0.5) - F(\max(0, n - 0.5)), \qquad F(x) = 1 - e^{-(x/\lambda)^k}, \qquad
    \lambda = mean / \Gamma(1 + 1/k)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

from ..instance.use_tables import ReturnRow
from .book import Book
from .facts import CLEAN, EXPOSED
from .layouts import ServiceRow
from .operations import Operations, Stretch

Delivered = dict[tuple[str, str, str, str], dict[int, float]]  # consumer -> period -> t a year


def check_returns(parts: Sequence[Operations], before: Sequence[Stretch], book: Book) -> None:
    """Check what is collected in the plan or a branch; nothing if the instance has no returns.

    parts   the plan, or the branch, in its parts
    before  what the course had that a branch leaves: what it delivered may come back in the branch
    """
    facts = parts[0].facts
    if not facts.returns:
        return
    earlier: Delivered = defaultdict(lambda: defaultdict(float))
    for stretch in before:
        for row in stretch.service:
            _deliver(earlier, row, (stretch.stop - stretch.first) / (12 * facts.length[stretch.year]))
    for part in parts:
        delivered: Delivered = defaultdict(lambda: defaultdict(float))
        for consumer, by_year in earlier.items():
            # what comes back in the year of its delivery does so in its month, and is not of another month
            later = {year: t for year, t in by_year.items() if year < part.disturbance.years[0]}
            delivered[consumer].update(later)
        for row in part.service:
            _deliver(delivered, row, 1.0)
            _deliver(earlier, row, 1.0 / 12.0 if part.disturbance.month else 1.0)
        book.month = part.disturbance.month
        _check_part(part, delivered, book)
    book.month = 0


def _deliver(delivered: Delivered, row: ServiceRow, share: float) -> None:
    for provenance, t in ((CLEAN, row.clean_t), (EXPOSED, row.exposed_t)):
        delivered[row.country, row.sector, row.material, provenance][row.year] += share * t


def _check_part(operations: Operations, delivered: Delivered, book: Book) -> None:
    facts = operations.facts
    collected: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for back in operations.returned:
        place = ("returned.csv", back.return_, back.country, back.provenance, back.year)
        row_of = facts.returns[back.return_]
        if back.material != row_of.returned or back.country not in facts.members(row_of.country):
            book.fault("returned_rows", place, "is not what comes back, or not where it comes back")
        else:
            book.passed("returned_rows")
        collected[back.return_, back.country, back.provenance, back.year] += back.t
    for (name, country, provenance, year), t in collected.items():
        terms, most = facts.returns[name], 0.0
        share = _share(terms)
        for (at, sector, material, q), by_year in delivered.items():
            if (at, q, material) != (country, provenance, terms.material) or terms.sector not in ("", sector):
                continue
            for then, tonnes in by_year.items():
                most += tonnes * sum(share(b - a) for a in facts.calendar(then) for b in facts.calendar(year))
        most *= terms.t_per_t * terms.collected / facts.length[year]
        book.at_most("returned", t, most, max(t, most), ("returned.csv", name, country, provenance, year))


def _share(terms: ReturnRow) -> Callable[[int], float]:
    """Return the function: years since delivery -> share that comes back, 0 to 1."""
    if terms.shape is None:
        life = int(terms.mean_life_years + 0.5)
        return lambda n: 1.0 if n == life else 0.0
    k, mean = terms.shape, terms.mean_life_years

    def gone(age: float) -> float:
        # (age / scale)^k, with the scale as its logarithm
        exponent = k * (math.log(age / mean) + math.lgamma(1.0 + 1.0 / k)) if age > 0.0 else -math.inf
        return 1.0 - math.exp(-math.exp(min(exponent, 700.0)))

    return lambda n: gone(n + 0.5) - gone(max(0.0, n - 0.5)) if n >= 0 else 0.0
