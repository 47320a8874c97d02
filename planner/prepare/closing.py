"""Fills the closures of own capacity: what may close when, what that costs, and which fixed O&M it avoids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..instance.finance import discount_factor
from ..instance.timeline import Period, capacity_part, largest_capacity, own_capacity_share
from ..models.data import Closing, ModelData
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance


def add(instance: Instance, span: Sequence[Period], data: ModelData) -> None:
    """Fill ``data.close`` and ``data.closed``.

    A closure exists for each row of closures.csv and each period in the row's years in which own capacity is there.
    """
    facilities = {f.facility: f for f in instance.facilities}
    in_force: dict[tuple[str, int], list[int]] = defaultdict(list)
    for row in instance.closures:
        facility = facilities[row.facility]
        largest = largest_capacity(instance, facility)
        avoided = row.avoided_share * facility.fixed_om_usd_per_t * largest * KILO * KILO
        share = [own_capacity_share(instance, facility, p) for p in span]
        for t, period in enumerate(span):
            year = period.first_year
            if share[t] == 0.0 or not (row.first_year or year) <= year <= (row.last_year or year):
                continue
            gone = range(t, len(span) if row.kind == "retire" else t + 1)
            saved = avoided * sum(span[s].discount * share[s] for s in gone)
            paid = row.closing_usd_per_t * largest * capacity_part(instance, facility, year) * KILO * KILO
            paid *= discount_factor(instance.discount_rate, year - span[0].first_year)
            for s in gone:
                if share[s] > 0.0:
                    in_force[row.facility, s].append(len(data.close))
            data.close.append(Closing(row.facility, row.kind, t, gone[-1], paid - saved))
    data.closed = [tuple(members) for members in in_force.values()]
