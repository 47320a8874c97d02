"""Events, by the date of their news, as a tree of scenarios: each leaves the course of those that have happened."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .events import Event, Variant

if TYPE_CHECKING:
    from ...instance.instance import Instance

OF_SCENARIOS = ("branch_service", "disruptions", "scenarios")


@dataclass(frozen=True)
class Happening:
    """A scenario of the tree: what has happened, in the order of the news.

    variants     the events that have happened, the last one is what the scenario adds
    last         number of the last event in the order of their news
    probability  that this has happened, whatever comes later
    """

    variants: tuple[Variant, ...]
    last: int
    probability: float

    @property
    def name(self) -> str:
        """The name of its scenario, blank where nothing has happened."""
        return " + ".join(v.key for v in self.variants)


def grown(events: Sequence[Event], leaves: int) -> tuple[list[Happening], float]:
    """Return the scenarios of the tree of the most probable courses, and the probability of what is left out.

    leaves  how many courses there are at most, that in which nothing happens counted

    Events are independent. A course that is left out counts as the one before its last event.
    """
    ordered = sorted(events, key=lambda e: (e.when, e.variants[0].key))
    nothing = Happening((), -1, 1.0)
    queue = [(-h.probability, h.name, h) for h in _after(nothing, ordered)]
    heapq.heapify(queue)
    tree: list[Happening] = []
    while queue and len(tree) < leaves - 1:
        *_, happening = heapq.heappop(queue)
        tree.append(happening)
        for later in _after(happening, ordered):
            heapq.heappush(queue, (-later.probability, later.name, later))
    return tree, sum(-negative for negative, *_ in queue)


def _after(before: Happening, events: Sequence[Event]) -> list[Happening]:
    """Return what can happen next, with the probability that nothing else has happened in between."""
    found, none_yet = [], before.probability
    for k in range(before.last + 1, len(events)):
        for variant in events[k].variants:
            if variant.probability > 0.0:
                found.append(Happening((*before.variants, variant), k, none_yet * variant.probability))
        none_yet *= 1.0 - sum(variant.probability for variant in events[k].variants)
    return found


def planted(instance: Instance, tree: Sequence[Happening], rebuild_after: int) -> Instance:
    """Return the instance with the scenarios of a tree in place of its own."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in OF_SCENARIOS}
    for happening in tree:
        last = happening.variants[-1]
        above = " + ".join(v.key for v in happening.variants[:-1])
        named = {"scenario": happening.name, "name": last.title, "probability": happening.probability, "parent": above}
        rows["scenarios"].append({**last.scenario, **named, "rebuild_after": rebuild_after})
        for table, listed in last.rows.items():
            rows[table] += [{**row, "scenario": happening.name} for row in listed]
    gone: dict[str, dict[str, Any]] = {table: {} for table in OF_SCENARIOS if instance.rows(table)}
    return instance.changed(rows={table: listed for table, listed in rows.items() if listed}, without=gone)


def bare(instance: Instance) -> Instance:
    """Return the instance without any scenario."""
    gone: dict[str, dict[str, Any]] = {table: {} for table in OF_SCENARIOS if instance.rows(table)}
    return instance.changed(without=gone) if gone else instance
