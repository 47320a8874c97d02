"""Reads from the tables of a plan what it closes of the own capacity of facilities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


Tables = Mapping[str, "pd.DataFrame"]


def closed_shares(tables: Tables) -> dict[tuple[str, int], float]:
    """Return (facility, first year of a period) -> share of own capacity that is idle or retired; empty without any."""
    shares: dict[tuple[str, int], float] = defaultdict(float)
    if "closures" in tables:
        for row in tables["closures"].itertuples():
            key = (str(row.facility), int(row.year))
            shares[key] = min(1.0, shares[key] + float(row.share))
    return dict(shares)
