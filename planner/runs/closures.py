"""What a plan closes of plants' own capacity, read from its tables, and what that costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


Tables = Mapping[str, "pd.DataFrame"]


def closed_shares(tables: Tables) -> dict[tuple[str, int], float]:
    """(facility, first year of a period) -> share of own capacity that is idle or retired; none without closures."""
    shares: dict[tuple[str, int], float] = defaultdict(float)
    if "closures" in tables:
        for row in tables["closures"].itertuples():
            key = (str(row.facility), int(row.year))
            shares[key] = min(1.0, shares[key] + float(row.share))
    return dict(shares)
