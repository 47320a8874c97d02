"""What a plan closes of plants' own capacity, read from its tables, and what that costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..instance.finance import discount_factor
from ..instance.timeline import periods

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance

Tables = Mapping[str, "pd.DataFrame"]


def closed_shares(tables: Tables) -> dict[tuple[str, int], float]:
    """(facility, first year of a period) -> share of own capacity that is idle or retired; none without closures."""
    shares: dict[tuple[str, int], float] = defaultdict(float)
    if "closures" in tables:
        for row in tables["closures"].itertuples():
            key = (str(row.facility), int(row.year))
            shares[key] = min(1.0, shares[key] + float(row.share))
    return dict(shares)


def closing_cost(instance: Instance, tables: Tables) -> float:
    """Present cost of a plan's closures, MUSD: what closing costs, less the fixed O&M that it avoids."""
    if "closures" not in tables:
        return 0.0
    length_discounted = {p.first_year: p.discount for p in periods(instance)}
    return sum(
        float(row.closing_musd) * discount_factor(instance.discount_rate, int(row.year) - instance.years[0])
        - float(row.avoided_musd) * length_discounted[int(row.year)]
        for row in tables["closures"].itertuples()
    )
