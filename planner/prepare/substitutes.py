"""Fills the swaps: what substitutes can replace of a demand, as deliveries of another kind, and the limits on them."""

from __future__ import annotations

from collections.abc import Mapping

from ..models.data import CLEAN, EXPOSED, Delivery, ModelData, SwapLimit
from .facts import SectorDemand
from .reach import PoolKey, Reach


def add(
    data: ModelData, d: int, asked: SectorDemand, reach: Reach, pools: Mapping[PoolKey, int], clean_only: bool
) -> None:
    """Add the swaps of one need, which must be there, and a limit for each of its substitutes.

    d           position of the need in ``data.need``
    asked       its demand, with the substitutes that can replace part of it
    pools       key -> position in ``data.pools``, at the node of the need
    clean_only  whether exposed material cannot serve it
    """
    need = data.need[d]
    for swap in asked.swaps:
        first = len(data.deliver)
        if not swap.replaced_by:
            data.deliver.append(Delivery(d, "", need.node, swap.substitute, swap.cost))
        for provenance in (CLEAN, EXPOSED):
            key = (swap.replaced_by, need.country, provenance)
            if key in reach.available and not (provenance == EXPOSED and clean_only):
                data.pools[pools[key]].delivered.append((len(data.deliver), swap.t_per_t))
                data.deliver.append(Delivery(d, provenance, need.node, swap.substitute, swap.cost))
        swaps = tuple(range(first, len(data.deliver)))
        if swaps:
            limit = swap.share * need.demand
            data.swap_limit.append(
                SwapLimit(swap.substitute, need.country, need.sector, need.material, need.node, d, limit, swaps)
            )
