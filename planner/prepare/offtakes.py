"""Fills the offtakes: what facilities must make where nothing is disturbed, as buyers have promised to take it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..instance.timeline import Period, largest_capacity, module_share, own_capacity_share, promised
from ..models.data import ModelData, OfftakeLimit
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Offtake


def obliged(instance: Instance, year: int) -> dict[tuple[str, str], list[Offtake]]:
    """Return (facility, material) -> the offtakes that hold in the period that begins in ``year``."""
    result: dict[tuple[str, str], list[Offtake]] = defaultdict(list)
    for row in instance.offtakes:
        if promised(row, year):
            result[row.facility, row.material].append(row)
    return result


def add(instance: Instance, span: Sequence[Period], data: ModelData) -> None:
    """Fill ``data.offtake``; builds and operations of ``data`` must be there."""
    if not instance.offtakes:
        return
    facilities = {f.facility: f for f in instance.facilities}
    options = {o.option: o for o in instance.options}
    made = _made(data)
    for n, node in enumerate(data.nodes):
        if not node.floors_hold:
            continue
        period = span[node.period]
        for (facility, material), rows in sorted(obliged(instance, node.year).items()):
            plant = facilities[facility]
            own = own_capacity_share(instance, plant, period) if largest_capacity(instance, plant) > 0.0 else 0.0
            least = sum(row.take_t * own * KILO for row in rows if not row.option)
            per_module: dict[int, float] = defaultdict(float)
            for row in rows:
                for i in data.starts[node.branch]:
                    start = data.build[i]
                    if row.option == start.option and start.period <= node.period:
                        share = module_share(options[row.option], start.year, period)
                        per_module[i] += row.take_t * share * KILO
            modules = [(i, taken) for i, taken in per_module.items() if taken > 0.0]
            if least > 0.0 or modules:
                data.offtake.append(OfftakeLimit(facility, material, n, least, modules, made[facility, material, n]))


def _made(data: ModelData) -> dict[tuple[str, str, int], list[tuple[int, float]]]:
    """Return (facility, material, node) -> activities that make it, each with kt made per kt of activity."""
    made: dict[tuple[str, str, int], list[tuple[int, float]]] = defaultdict(list)
    for pool in data.pools:
        for a, tonnes in pool.made:
            made[data.activity[a].facility, pool.material, pool.node].append((a, tonnes))
    return made
