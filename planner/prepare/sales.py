"""Fills the sales: what can be sold to each buyer, and the least and the most of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..models.data import CLEAN, EXPOSED, ModelData, Sale, SaleLimit
from .facts import Purchaser
from .reach import PoolKey, Reach


def add(data: ModelData, n: int, purchasers: Iterable[Purchaser], reach: Reach, pools: Mapping[PoolKey, int]) -> None:
    """Add the sales of node ``n``; what is agreed counts where floors hold.

    pools  key -> position in ``data.pools``
    """
    for of in purchasers:
        first = len(data.sell)
        for provenance in (CLEAN,) if of.clean_only else (CLEAN, EXPOSED):
            key = (of.material, of.country, provenance)
            if key in reach.available and of.most != 0.0:
                data.pools[pools[key]].sold.append(len(data.sell))
                data.sell.append(Sale(of.buyer, of.country, of.material, provenance, n, -of.price))
        sold = tuple(range(first, len(data.sell)))
        least = of.least if data.nodes[n].floors_hold else 0.0
        if sold or least > 0.0:
            data.sale_limit.append(SaleLimit(of.buyer, of.country, of.material, n, least, of.most, sold))
