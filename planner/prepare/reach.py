"""Which flows can matter at a node: forward from sources, backward from uses.

Only true exposure is followed forward. Clean material that would be used as exposed for no reason is never better
than the same material kept clean (nothing in the contract rewards exposure), so an exposed twin of an operation
exists only where at least one of its inputs is really exposed; clean inputs beside it are downgraded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from ..models.data import CLEAN, EXPOSED
from .facts import Operation, PeriodFacts

Place = tuple[str, str]  # material, country
Spot = tuple[str, str, str]  # material, country, provenance


@dataclass(slots=True)
class Reach:
    """The decisions that can matter at a node.

    variants     (position in ``facts.operations``, provenance of the inputs) that can run and are of use
    available    spots that something can arrive at, truly of that provenance
    sourced      spots where material is made or bought, so that it may leave
    needed       spots that some use or sink can take from
    spots        every spot that gets a balance, sorted: where something is needed, or made on the way
    """

    variants: list[tuple[int, str]] = field(default_factory=list)
    available: set[Spot] = field(default_factory=set)
    sourced: set[Spot] = field(default_factory=set)
    needed: set[Spot] = field(default_factory=set)
    spots: list[Spot] = field(default_factory=list)


def made_provenance(operation: Operation, provenance: str) -> str:
    """Provenance of what an operation makes from inputs of ``provenance``."""
    if operation.concern:
        return EXPOSED
    return CLEAN if operation.restores else provenance


def explore(
    facts: PeriodFacts,
    able: Set[str],
    stocked: Iterable[Spot],
    stockpiles: Iterable[Place],
    forced: Set[int],
    clean_only: bool,
) -> Reach:
    """Find what can matter at a node.

    able        facilities that may have capacity
    stocked     what may be in stock when the period begins
    stockpiles  places with a stockpile: a sink for whatever gets there
    forced      positions of operations to be kept though nothing needs their products
    clean_only  whether clean-only rules hold
    """
    reach = Reach()
    possible = _forward(facts, able, stocked, reach)
    _backward(facts, possible, stockpiles, forced, clean_only, reach)
    reach.spots = sorted(reach.needed | set(_made(facts, reach)))
    return reach


def _made(facts: PeriodFacts, reach: Reach) -> Iterator[Spot]:
    """Where something is made."""
    for i, provenance in reach.variants:
        operation = facts.operations[i]
        for material, _ in operation.outputs:
            yield material, operation.country, made_provenance(operation, provenance)


def _forward(facts: PeriodFacts, able: Set[str], stocked: Iterable[Spot], reach: Reach) -> set[tuple[int, str]]:
    """Everything that can be made or arrive; returns the operation variants that can run."""
    available, sourced = reach.available, reach.sourced
    users: dict[Place, list[int]] = defaultdict(list)
    for i, operation in enumerate(facts.operations):
        if operation.facility in able:
            for material, _ in operation.inputs:
                users[material, operation.country].append(i)
    possible: set[tuple[int, str]] = set()
    queue: list[Place] = []

    def arrive(spot: Spot) -> None:
        if spot not in available:
            available.add(spot)
            queue.append(spot[:2])

    def source(material: str, country: str, provenance: str) -> None:
        spot = (material, country, provenance)
        if spot in sourced:
            return
        sourced.add(spot)
        arrive(spot)
        for lane in facts.lanes.get((material, country), ()):
            arrive((material, lane.destination, provenance))

    def try_to_run(i: int) -> None:
        operation = facts.operations[i]
        here = operation.country
        clean = [(m, here, CLEAN) in available for m, _ in operation.inputs]
        exposed = [(m, here, EXPOSED) in available for m, _ in operation.inputs]
        some_way = all(c or e for c, e in zip(clean, exposed, strict=True))
        variants = []
        if not operation.concern and all(clean):
            variants.append(CLEAN)
        if some_way and (operation.concern or any(exposed)):
            variants.append(EXPOSED)
        for provenance in variants:
            if (i, provenance) not in possible:
                possible.add((i, provenance))
                for material, _ in operation.outputs:
                    source(material, here, made_provenance(operation, provenance))

    for spot in stocked:
        arrive(spot)
    for offer in facts.offers:
        if offer.limit != 0.0:
            source(offer.material, offer.country, EXPOSED if offer.exposed else CLEAN)
    for i, operation in enumerate(facts.operations):
        if not operation.inputs and operation.facility in able:
            try_to_run(i)
    while queue:
        for i in users[queue.pop()]:
            try_to_run(i)
    return possible


def _backward(
    facts: PeriodFacts,
    possible: set[tuple[int, str]],
    stockpiles: Iterable[Place],
    forced: Set[int],
    clean_only: bool,
    reach: Reach,
) -> None:
    """Mark the spots something can be taken from, and the operation variants of use."""
    available, sourced, needed = reach.available, reach.sourced, reach.needed
    makers: dict[Spot, list[tuple[int, str]]] = defaultdict(list)
    for i, provenance in sorted(possible):
        operation = facts.operations[i]
        made = made_provenance(operation, provenance)
        for material, _ in operation.outputs:
            makers[material, operation.country, made].append((i, provenance))
    incoming: dict[Spot, list[Spot]] = defaultdict(list)
    for material, origin, provenance in sourced:
        for lane in facts.lanes.get((material, origin), ()):
            incoming[material, lane.destination, provenance].append((material, origin, provenance))
    kept: set[tuple[int, str]] = set()
    queue: list[Spot] = []

    def need(spot: Spot) -> None:
        if spot not in needed:
            needed.add(spot)
            queue.append(spot)

    def keep(variant: tuple[int, str]) -> None:
        if variant in kept:
            return
        kept.add(variant)
        operation = facts.operations[variant[0]]
        for material, _ in operation.inputs:
            need((material, operation.country, variant[1]))

    for wish in facts.wishes:
        place = (wish.material, wish.country)
        if (*place, CLEAN) in available:
            need((*place, CLEAN))
        if (*place, EXPOSED) in available and not (clean_only and wish.clean_only):
            need((*place, EXPOSED))
    for place in stockpiles:
        for provenance in (CLEAN, EXPOSED):
            if (*place, provenance) in available:
                need((*place, provenance))
    for i, provenance in possible:
        if i in forced:
            keep((i, provenance))
    while queue:
        material, country, provenance = spot = queue.pop()
        for variant in makers[spot]:
            keep(variant)
        for before in incoming[spot]:
            need(before)
        if provenance == EXPOSED and (material, country, CLEAN) in available:
            need((material, country, CLEAN))
    reach.variants = sorted(kept)
