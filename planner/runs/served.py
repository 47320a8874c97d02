"""Reads from the tables of a plan what each consumer receives of what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def served(tables: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str, str, str, int], float]:
    """Return (country, sector, material, provenance, first year of a period) -> t/yr; without what is replaced."""
    return {
        (str(r.country), str(r.sector), str(r.material), provenance, int(r.year)): float(t)
        for r in tables["service"].itertuples()
        for provenance, t in (("clean", r.clean_t), ("exposed", r.exposed_t))
        if t > 0.0
    }
