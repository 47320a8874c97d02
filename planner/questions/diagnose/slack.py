"""What a feasible instance has to spare: how much stricter each wish could be, the others as they are."""

from __future__ import annotations

import time

from .edits import UNITS, place_of
from .search import Clock, least
from .system import Knob, System

MOST = 12  # wishes looked at
TIMES = 3.0  # all of it may take so many times one solve's limit
ROUNDED = 1e-7
NO_FLOOR = "no sector has a service floor: any cap can be kept by leaving demand short, at its cost"


def slackest(system: System, clock: Clock) -> list[str]:
    """How strict each cap, floor and budget could be alone, the one with most to spare first."""
    deadline = time.perf_counter() + TIMES * clock.each
    found: list[tuple[float, str]] = []
    numbers = [k for k, knob in enumerate(system.knobs) if not knob.switch and knob.cell.table != "pins"]
    for k in numbers[:MOST]:
        if time.perf_counter() > deadline:
            break
        knob = system.knobs[k]
        value = float(knob.cell.value_in(system.instance))
        spare = -least(system, system.nothing, k, clock, lowest=-_room(system, knob, value))
        found.append((knob.weight * spare, _fact(system, knob, value, spare)))
    facts = [] if any(s.min_service for s in system.instance.sectors) else [NO_FLOOR]
    facts += [fact for _, fact in sorted(found, key=lambda f: (-f[0], f[1]))]
    left = len(numbers) - len(found)
    return [*facts, f"{left} more wishes were not looked at"] if left else facts


def _room(system: System, knob: Knob, value: float) -> float:
    """How much stricter the cell could be written at all."""
    if knob.sign > 0:
        return value
    if UNITS[knob.cell.column] == "fraction":
        return 1.0 - value
    if knob.cell.column == "final_min_t":
        return next(s.max_t for s in system.instance.stockpiles if s.stockpile == knob.cell.key[0]) - value
    return next(o.max_modules for o in system.instance.options if o.option == knob.cell.key[0]) - value


def _fact(system: System, knob: Knob, value: float, spare: float) -> str:
    file, line = place_of(system.instance, knob.cell.table, knob.cell.key)
    place = file if line is None else f"{file}:{line} {knob.cell.key[0]}"
    if spare <= ROUNDED:
        return f"{place}: {knob.cell.column} {value:.6g} could not be any stricter"
    strict = "as low as" if knob.sign > 0 else "as high as"
    return f"{place}: {knob.cell.column} {value:.6g} could alone be {strict} {value - knob.sign * spare:.6g}"
