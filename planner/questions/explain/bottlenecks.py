"""The bottleneck of each year: the material for which one per cent more capacity or market supply saves most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...prepare import PLAN
from .binding import DUAL, SOLVED
from .model import Step
from .result import Explanation

if TYPE_CHECKING:
    import pandas as pd

    from .bench import Bench

PERCENT = 0.01  # the step: one per cent of the capacity and market supply of a material


def bottlenecks(bench: Bench) -> pd.DataFrame:
    """Return the table ``bottlenecks`` of `Explanation`: materials ranked by scarcity, by year and provenance.

    The scarcity of a plant is the shadow price of its capacity times the capacity; joint products share it in
    proportion to their value at the plan's prices. The scarcity of a market is the shadow price of its ``max_t`` times
    ``max_t``. All values are undiscounted. ``worth_usd_per_kg`` is the scarcity of all plants and markets of the
    material per kg supplied, a rate. ``worth_musd_per_percent`` is the saving in that year by one per cent more of all
    of them. For the bottleneck (rank 1) this is solved again, as the rate may hold for less than one per cent. For the
    others it is a hundredth of the scarcity, which is an upper bound.
    """
    import pandas as pd

    data, x = bench.data, bench.x
    balance = bench.dual.get("balance", {})
    activity, buy = bench.arrays.columns.get("activity", {}), bench.arrays.columns.get("buy", {})
    worth: dict[tuple[int, str, str], float] = defaultdict(float)
    supply: dict[tuple[int, str, str], float] = defaultdict(float)
    products: dict[int, list[tuple[int, float]]] = defaultdict(list)  # activity -> (pool, kt made per kt of activity)
    for p, pool in enumerate(data.pools):
        if data.nodes[pool.node].branch != PLAN:
            continue
        year = data.nodes[pool.node].year
        for a, tonnes in pool.made:
            products[a].append((p, tonnes))
            supply[year, pool.provenance, pool.material] += tonnes * x[activity[a]]
        for k in pool.bought:
            supply[year, pool.provenance, pool.material] += x[buy[k]]
    # (year, provenance, material) -> one per cent more of each plant and market -> upper bound of the saving, MUSD
    makers: dict[tuple[int, str, str], dict[Step, float]] = defaultdict(dict)
    rows = bench.arrays.rows.get("capacity_limit", {})
    for i, dual in bench.dual.get("capacity_limit", {}).items():
        limit = data.capacity[i]
        node = data.nodes[limit.node]
        if node.branch != PLAN or dual >= 0.0:
            continue
        scarcity = -dual / node.weight
        whole = limit.own + sum(k * bench.builds[b] for b, k in limit.modules)
        for a, used in limit.use:
            earned = {p: tonnes * max(0.0, balance[p]) for p, tonnes in products[a] if p in balance}
            total = sum(earned.values())
            for p, part in earned.items():
                share = part / total if total > 0.0 else 1.0 / len(earned)
                pool = data.pools[p]
                key = node.year, pool.provenance, pool.material
                worth[key] += scarcity * used * x[activity[a]] * share
                makers[key][Step(row=rows[i], more=PERCENT * whole)] = -dual * PERCENT * whole
    for i, reduced in bench.reduced.get("buy", {}).items():
        offer = data.buy[i]
        node = data.nodes[offer.node]
        if node.branch == PLAN and offer.limit is not None and reduced < 0.0:
            key = node.year, offer.provenance, offer.material
            worth[key] += -reduced / node.weight * x[buy[i]]
            makers[key][Step(column=buy[i], more=PERCENT * offer.limit)] = -reduced * PERCENT * offer.limit
    stage = {m.material: m.stage for m in bench.instance.materials}
    table = []
    groups: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
    for (year, provenance, material), value in worth.items():
        if value > 1e-9 and supply[year, provenance, material] > 1e-9:
            groups[year, provenance][material] = PERCENT * value
    for (year, provenance), found in sorted(groups.items()):
        solved: set[str] = set()
        while (first := _ranked(found)[0]) not in solved and bench.has_time:
            step = makers[year, provenance, first]
            cost = bench.eased(list(step))
            solved.add(first)
            if cost is not None:
                found[first] *= min(1.0, max(0.0, bench.base - cost) / sum(step.values()))
        for rank, material in enumerate(_ranked(found), start=1):
            tonnes = supply[year, provenance, material]  # MUSD/kt is USD/kg
            at = (material, stage[material], tonnes * 1e3, worth[year, provenance, material] / tonnes, found[material])
            table.append((year, provenance, rank, *at, SOLVED if material in solved else DUAL))
    return pd.DataFrame(table, columns=Explanation.columns("bottlenecks"))


def _ranked(worths: Mapping[str, float]) -> list[str]:
    """Return the materials, the one for which one per cent more saves most first.

    worths  material -> saving by one per cent more, MUSD
    """
    return sorted(worths, key=lambda material: (-worths[material], material))
