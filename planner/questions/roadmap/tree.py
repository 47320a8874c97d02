"""Events, by the date of their news, as a tree of scenarios: each leaves the course of those that have happened."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .events import Event, Variant

if TYPE_CHECKING:
    from ...instance.instance import Instance

NEVER = 1e-9  # probability up to which something does not happen
OF_SCENARIOS = ("branch_service", "disruptions", "scenarios")


@dataclass(frozen=True)
class Likelihood:
    """How likely it is that something has happened, and something else has not.

    alone   of all events that share nothing with others
    shared  cause -> likelihood of its events, by how bad the cause is: shape (PARTS,), equally probable parts
    """

    alone: float = 1.0
    shared: Mapping[str, np.ndarray] = field(default_factory=dict)

    def times(self, event: Event, happens: Variant | None) -> Likelihood:
        """Return the likelihood with an event more: in which way it happens, or None: it does not."""
        if not event.cause:
            chance = happens.probability if happens else 1.0 - sum(v.probability for v in event.variants)
            return replace(self, alone=self.alone * chance)
        given = [np.array(v.given) for v in ((happens,) if happens else event.variants)]
        factor = given[0] if happens else 1.0 - np.sum(given, axis=0)
        return replace(self, shared={**self.shared, event.cause: self.shared.get(event.cause, 1.0) * factor})

    @property
    def probability(self) -> float:
        """Over all common causes, 0 to 1."""
        return self.alone * float(np.prod([np.mean(of) for of in self.shared.values()]))


@dataclass(frozen=True)
class Happening:
    """A scenario of the tree: what has happened, in the order of the news.

    variants     the events that have happened, the last one is what the scenario adds
    last         number of the last event in the order of their news
    likelihood   that this has happened, whatever comes later
    """

    variants: tuple[Variant, ...]
    last: int
    likelihood: Likelihood

    @property
    def probability(self) -> float:
        """That this has happened, whatever comes later."""
        return self.likelihood.probability

    @property
    def name(self) -> str:
        """The name of its scenario, blank where nothing has happened."""
        return " + ".join(v.key for v in self.variants)


def grown(events: Sequence[Event], leaves: int) -> tuple[list[Happening], float]:
    """Return the scenarios of the tree of the most probable courses, and the probability of what is left out.

    leaves  how many courses there are at most, that in which nothing happens counted

    Events are independent, but for those with a common cause: that one has happened, or has not, tells how bad the
    cause is, and so how probable the others are. A course that is left out counts as the one before its last event.
    """
    ordered = sorted(events, key=lambda e: (e.when, e.variants[0].key))
    nothing = Happening((), -1, Likelihood())
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
    found, none_yet = [], before.likelihood
    for k, event in enumerate(events[before.last + 1 :], start=before.last + 1):
        for variant in event.variants:
            likelihood = none_yet.times(event, variant)
            if likelihood.probability > NEVER:
                found.append(Happening((*before.variants, variant), k, likelihood))
        none_yet = none_yet.times(event, None)
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
