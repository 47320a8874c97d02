"""What a feasible instance has to spare: how much stricter each wish could be while the others stay as they are."""

from __future__ import annotations

import math
import time

from ...instance.timeline import most_room
from ...language import N_, _, number, translated
from .edits import place_of, unit_of
from .search import Clock, least
from .system import Relaxable, System

FACTS = ("max_t", "initial_t")  # what there is, not what somebody asks for
MOST = 12  # wishes looked at
TIMES = 3.0  # all solves together may take so many times the time limit of one
ROUNDED = 1e-7  # less to spare is told as none
NO_FLOOR = N_("no sector has a service floor: any cap can be kept by leaving demand short, at its cost")


def slackest(system: System, clock: Clock) -> list[str]:
    """Return a sentence for each cap, floor and budget: how strict it alone could be. Most to spare comes first."""
    deadline = time.perf_counter() + TIMES * clock.each
    spares: list[tuple[float, str]] = []  # points of hardship to spare, sentence
    numbers = [
        k
        for k, relaxable in enumerate(system.relaxables)
        if not relaxable.switch and relaxable.cell.table != "pins" and relaxable.cell.column not in FACTS
    ]
    for k in numbers[:MOST]:
        if time.perf_counter() > deadline:
            break
        relaxable = system.relaxables[k]
        value = float(relaxable.cell.value_in(system.instance))
        spare = -least(system, system.nothing, k, clock, lowest=-_room(system, relaxable, value))
        spares.append((relaxable.weight * spare, _fact(system, relaxable, value, spare)))
    facts = [] if any(s.min_service for s in system.instance.sectors) else [translated(NO_FLOOR)]
    facts += [fact for _points, fact in sorted(spares, key=lambda f: (-f[0], f[1]))]
    left = len(numbers) - len(spares)
    return [*facts, _("{n} more wishes were not looked at", n=left)] if left else facts


def _room(system: System, relaxable: Relaxable, value: float) -> float:
    """Return by how much the cell could become stricter before it leaves its range, in its unit."""
    if relaxable.sign > 0:
        return value
    if unit_of(system.instance, relaxable.cell) == "fraction":
        return 1.0 - value
    if relaxable.cell.column == "final_min_t":
        store = next(s for s in system.instance.stockpiles if s.stockpile == relaxable.cell.key[0])
        horizon = system.prepared.periods
        return most_room(store, system.instance.options, horizon, horizon[-1]) - value
    if relaxable.cell.column in ("take_t", "min", "limit", "limit_end"):
        return math.inf  # its range has no end; what can be made and sold, or built, bounds it
    return next(o.max_modules for o in system.instance.options if o.option == relaxable.cell.key[0]) - value


def _fact(system: System, relaxable: Relaxable, value: float, spare: float) -> str:
    file, line = place_of(system.instance, relaxable.cell.table, relaxable.cell.key)
    place = file if line is None else f"{file}:{line} {relaxable.cell.key[0]}"
    cell = f"{relaxable.cell.column} {number(f'{value:.6g}')}"
    if spare <= ROUNDED:
        return _("{place}: {cell} could not be any stricter", place=place, cell=cell)
    of = {"place": place, "cell": cell, "limit": number(f"{value - relaxable.sign * spare:.6g}")}
    if relaxable.sign > 0:
        return _("{place}: {cell} could alone be as low as {limit}", **of)
    return _("{place}: {cell} could alone be as high as {limit}", **of)
