"""Fills the blends: for each plant and node what its activities bring of a property, and the limits on it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ..instance.timeline import series_value
from ..models.data import BlendLimit, ModelData

if TYPE_CHECKING:
    from ..instance.instance import Instance


def add(instance: Instance, data: ModelData) -> None:
    """Fill ``data.blend``; the activities and pools of ``data`` must be there."""
    if not instance.blends:
        return
    contents = {(c.property, c.material): c.content for c in instance.contents}
    limits: dict[tuple[str, str, str], dict[str, dict[int | None, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in instance.blends:
        for side, value in (("least", row.min), ("most", row.max)):
            if value is not None:
                limits[row.property, row.material, row.facility][side][row.year] = value
    made: dict[str, dict[int, float]] = defaultdict(dict)  # material -> activity -> kt/kt
    taken: dict[int, list[tuple[str, float]]] = defaultdict(list)  # activity -> material, kt/kt
    for pool in data.pools:
        for a, kt in pool.made:
            made[pool.material][a] = kt
        for a, kt in pool.used:
            taken[a].append((pool.material, kt))
    for (name, material, facility), series in limits.items():
        at: dict[tuple[str, int], list[int]] = defaultdict(list)  # plant, node -> activities that make the material
        for a in made[material]:
            activity = data.activity[a]
            if facility in ("", activity.facility):
                at[activity.facility, activity.node].append(a)
        for (plant, node), activities in sorted(at.items()):
            brought = [(a, sum(kt * contents.get((name, m), 0.0) for m, kt in taken[a])) for a in activities]
            least, most = (
                series_value(series[side], data.nodes[node].year) if side in series else None
                for side in ("least", "most")
            )
            out = tuple((a, made[material][a]) for a in activities)
            data.blend.append(BlendLimit(name, material, plant, node, least, most, tuple(brought), out))
