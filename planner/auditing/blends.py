r"""Checks blends: what the inputs of a plant bring of a property lies within its limits, per tonne made.

.. math:: min \cdot made \le content \le max \cdot made
"""

from __future__ import annotations

from collections import defaultdict

from .book import Book
from .facts import interpolated
from .operations import Operations


def check_blends(operations: Operations, book: Book) -> None:
    """Check the property of what each plant makes, in the plan or a branch; nothing if the instance has no blends."""
    facts = operations.facts
    contents = {(row.property, row.material): row.content for row in facts.instance.contents}
    series: dict[tuple[str, str, str, str], list[tuple[int, float]]] = defaultdict(list)
    for row in facts.instance.blends:
        for column in ("min", "max"):
            value = getattr(row, column)
            if value is not None:
                series[row.property, row.material, row.facility, column].append((row.year or 0, value))
    for (name, material, facility, column), points in series.items():
        made: dict[tuple[str, int], float] = defaultdict(float)
        brought: dict[tuple[str, int], float] = defaultdict(float)
        size: dict[tuple[str, int], float] = defaultdict(float)
        for a in operations.activities:
            per_t = dict(facts.recipe(a.process, "output", a.year)).get(material, 0.0)
            if not per_t or facility not in ("", a.facility):
                continue
            made[a.facility, a.year] += per_t * a.activity_t
            for taken, t_per_t in facts.recipe(a.process, "input", a.year):
                units = contents.get((name, taken), 0.0) * t_per_t * a.activity_t
                brought[a.facility, a.year] += units
                size[a.facility, a.year] += abs(units)
        for (plant, year), t in made.items():
            limit = interpolated(sorted(points), year)
            compare = book.at_least if column == "min" else book.at_most
            scale = max(size[plant, year], abs(limit) * t)
            compare("blend", brought[plant, year], limit * t, scale, ("blend", name, material, plant, year))
