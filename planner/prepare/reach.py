"""Finds which flows can matter at a node: first forward from the sources, then backward from the uses.

An operation can run with clean inputs and with exposed ones: two variants. The exposed variant exists only where at
least one of its inputs can really be exposed; clean inputs beside it are then downgraded. To use only clean inputs as
exposed would never be better than to keep them clean, since nothing rewards exposure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from ..models.data import CLEAN, EXPOSED
from .facts import Operation, PeriodFacts

Place = tuple[str, str]  # material, country
PoolKey = tuple[str, str, str]  # material, country, provenance: a pool of a node


@dataclass(slots=True)
class Reach:
    """The decisions that can matter at a node.

    variants   (position in ``facts.operations``, provenance of the inputs) of operations that can run and are of use
    available  pools that material can reach, with that provenance from its source on
    sourced    pools in which material is made, bought or collected, so that it may be shipped from there
    needed     pools from which some use, or a stockpile, can take
    pools      all pools that get a balance, sorted: those needed, and those in which kept variants make something
    """

    variants: list[tuple[int, str]] = field(default_factory=list)
    available: set[PoolKey] = field(default_factory=set)
    sourced: set[PoolKey] = field(default_factory=set)
    needed: set[PoolKey] = field(default_factory=set)
    pools: list[PoolKey] = field(default_factory=list)


def made_provenance(operation: Operation, provenance: str) -> str:
    """Return the provenance of what an operation makes from inputs of ``provenance``."""
    if operation.concern:
        return EXPOSED
    return CLEAN if operation.restores else provenance


def explore(
    facts: PeriodFacts,
    able: Set[str],
    stocked: Iterable[PoolKey],
    stockpiles: Iterable[Place],
    forced: Set[int],
    clean_only: bool,
    back: Iterable[PoolKey] = (),
) -> Reach:
    """Find what can matter at a node.

    able        facilities that may have capacity
    stocked     pools that may have something in stock when the period begins
    stockpiles  (material, country) with a stockpile, which can take whatever gets there
    forced      positions of operations that are kept even if nothing needs their products
    clean_only  whether sectors that take clean material only are held to it
    back        pools into which something can come back of what was delivered
    """
    reach = Reach()
    possible = _forward(facts, able, stocked, back, reach)
    _backward(facts, possible, stockpiles, forced, clean_only, reach)
    reach.pools = sorted(reach.needed | set(_made(facts, reach)))
    return reach


def _made(facts: PeriodFacts, reach: Reach) -> Iterator[PoolKey]:
    """Yield the pools in which the variants that were kept make something."""
    for i, provenance in reach.variants:
        operation = facts.operations[i]
        for material, _ in operation.outputs:
            yield material, operation.country, made_provenance(operation, provenance)


def _forward(
    facts: PeriodFacts, able: Set[str], stocked: Iterable[PoolKey], back: Iterable[PoolKey], reach: Reach
) -> set[tuple[int, str]]:
    """Follow material from its sources; fill ``available`` and ``sourced`` of ``reach``.

    Returns the variants that can run: (position in ``facts.operations``, provenance of the inputs).
    """
    available, sourced = reach.available, reach.sourced
    users: dict[Place, list[int]] = defaultdict(list)
    for i, operation in enumerate(facts.operations):
        if operation.facility in able:
            for material, _ in operation.inputs:
                users[material, operation.country].append(i)
    possible: set[tuple[int, str]] = set()
    queue: list[Place] = []

    def arrive(key: PoolKey) -> None:
        if key not in available:
            available.add(key)
            queue.append(key[:2])

    def source(material: str, country: str, provenance: str) -> None:
        key = (material, country, provenance)
        if key in sourced:
            return
        sourced.add(key)
        arrive(key)
        for lane in facts.lanes.get((material, country), ()):
            arrive((material, lane.destination, provenance))

    def try_to_run(i: int) -> None:
        operation = facts.operations[i]
        if (i, EXPOSED) in possible and (operation.concern or (i, CLEAN) in possible):
            return  # one more input changes nothing
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

    for key in stocked:
        arrive(key)
    for key in back:
        source(*key)
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
    """Follow uses back to the sources; fill ``needed`` and ``variants`` of ``reach``.

    possible  the variants that can run, as found on the way forward
    """
    available, sourced, needed = reach.available, reach.sourced, reach.needed
    makers: dict[PoolKey, list[tuple[int, str]]] = defaultdict(list)
    for i, provenance in sorted(possible):
        operation = facts.operations[i]
        made = made_provenance(operation, provenance)
        for material, _ in operation.outputs:
            makers[material, operation.country, made].append((i, provenance))
    incoming: dict[PoolKey, list[PoolKey]] = defaultdict(list)
    for material, origin, provenance in sourced:
        for lane in facts.lanes.get((material, origin), ()):
            incoming[material, lane.destination, provenance].append((material, origin, provenance))
    kept: set[tuple[int, str]] = set()
    queue: list[PoolKey] = []

    def need(key: PoolKey) -> None:
        if key not in needed:
            needed.add(key)
            queue.append(key)

    def keep(variant: tuple[int, str]) -> None:
        if variant in kept:
            return
        kept.add(variant)
        operation = facts.operations[variant[0]]
        for material, _ in operation.inputs:
            need((material, operation.country, variant[1]))

    for sector_demand in facts.demands:
        for material in (sector_demand.material, *(swap.replaced_by for swap in sector_demand.swaps)):
            place = (material, sector_demand.country)
            if (*place, CLEAN) in available:
                need((*place, CLEAN))
            if (*place, EXPOSED) in available and not (clean_only and sector_demand.clean_only):
                need((*place, EXPOSED))
    for buyer in facts.purchasers:
        for provenance in (CLEAN,) if buyer.clean_only else (CLEAN, EXPOSED):
            if (key := (buyer.material, buyer.country, provenance)) in available and buyer.most != 0.0:
                need(key)
    for place in stockpiles:
        for provenance in (CLEAN, EXPOSED):
            if (*place, provenance) in available:
                need((*place, provenance))
    for i, provenance in possible:
        if i in forced:
            keep((i, provenance))
    while queue:
        material, country, provenance = key = queue.pop()
        for variant in makers[key]:
            keep(variant)
        for before in incoming[key]:
            need(before)
        if provenance == EXPOSED and (material, country, CLEAN) in available:
            need((material, country, CLEAN))
    reach.variants = sorted(kept)
