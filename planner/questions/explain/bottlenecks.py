"""The bottleneck of each year: the material of which one per cent more capacity, or supply, is worth most."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ...prepare import PLAN
from .result import Explanation

if TYPE_CHECKING:
    import pandas as pd

    from .bench import Bench


def bottlenecks(bench: Bench) -> pd.DataFrame:
    """The scarcity of what makes or sells a material, by year and provenance, undiscounted; rank 1 is the bottleneck.

    The scarcity of a plant is the dual of its capacity times the capacity; joint products share it by their value at
    the plan's prices. A market's is the dual of its ``max_t`` times that. ``worth_musd_per_percent`` is a hundredth of
    the sum: what one per cent more of all that makes or sells the material would save in that year, at the margin.
    ``worth_usd_per_kg`` is the sum per kg supplied.
    """
    import pandas as pd

    data, x = bench.data, bench.x
    balance = bench.dual.get("balance", {})
    activity, buy = bench.arrays.columns.get("activity", {}), bench.arrays.columns.get("buy", {})
    worth: dict[tuple[int, str, str], float] = defaultdict(float)
    supply: dict[tuple[int, str, str], float] = defaultdict(float)
    products: dict[int, list[tuple[int, float]]] = defaultdict(list)  # activity -> pools and kt made per kt
    for p, pool in enumerate(data.pools):
        if data.nodes[pool.node].branch != PLAN:
            continue
        year = data.nodes[pool.node].year
        for a, tonnes in pool.made:
            products[a].append((p, tonnes))
            supply[year, pool.provenance, pool.material] += tonnes * x[activity[a]]
        for k in pool.bought:
            supply[year, pool.provenance, pool.material] += x[buy[k]]
    for i, dual in bench.dual.get("capacity_limit", {}).items():
        limit = data.capacity[i]
        node = data.nodes[limit.node]
        if node.branch != PLAN or dual >= 0.0:
            continue
        scarcity = -dual / node.weight
        for a, used in limit.use:
            earned = {p: tonnes * max(0.0, balance[p]) for p, tonnes in products[a] if p in balance}
            total = sum(earned.values())
            for p, part in earned.items():
                share = part / total if total > 0.0 else 1.0 / len(earned)
                pool = data.pools[p]
                worth[node.year, pool.provenance, pool.material] += scarcity * used * x[activity[a]] * share
    for i, reduced in bench.reduced.get("buy", {}).items():
        offer = data.buy[i]
        node = data.nodes[offer.node]
        if node.branch == PLAN and offer.limit is not None and reduced < 0.0:
            worth[node.year, offer.provenance, offer.material] += -reduced / node.weight * x[buy[i]]
    stage = {m.material: m.stage for m in bench.instance.materials}
    rows = []
    groups: dict[tuple[int, str], list[tuple[float, str]]] = defaultdict(list)
    for (year, provenance, material), value in worth.items():
        if value > 1e-9 and supply[year, provenance, material] > 1e-9:
            groups[year, provenance].append((value, material))
    for (year, provenance), found in sorted(groups.items()):
        for rank, (value, material) in enumerate(sorted(found, key=lambda f: (-f[0], f[1])), start=1):
            tonnes = supply[year, provenance, material]  # MUSD/kt is USD/kg
            at = (material, stage[material], tonnes * 1e3, value / tonnes, value / 100)
            rows.append((year, provenance, rank, *at, "dual"))
    return pd.DataFrame(rows, columns=Explanation.columns("bottlenecks"))
