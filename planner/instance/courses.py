"""Courses of events: the plan, and the branches of scenarios, each of which leaves the plan or another branch.

A course follows the one that it leaves until its own beginning, and shares with it what is started before it may start
something itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tables import Scenario

PLAN = ""  # the course that nothing disturbs

Line = tuple["Scenario", ...]  # a scenario, the one whose branch it leaves, and so on to one that leaves the plan

ROUNDING = 1e-12  # probability that rounding may leave of one that is used up


def lines(scenarios: Sequence[Scenario]) -> dict[str, Line]:
    """Return course -> its line, each after the course that it leaves; the plan, first, has an empty line."""
    known = {s.scenario: s for s in scenarios}
    found: dict[str, Line] = {PLAN: ()}

    def add(scenario: Scenario) -> None:
        if scenario.scenario not in found:
            if scenario.parent:
                add(known[scenario.parent])
            found[scenario.scenario] = (scenario, *found[scenario.parent])

    for scenario in scenarios:
        add(scenario)
    return found


def rebuilds(line: Line) -> bool:
    """Return whether a course has starts that are not those of the plan: it or one that it descends from may build."""
    return any(scenario.rebuild_after is not None for scenario in line)


def first_own_start(scenario: Scenario) -> int | None:
    """Return the first calendar year from which the starts of a scenario's branch are its own; None: none are."""
    if scenario.rebuild_after is None:
        return None
    # what begins within a year can be answered in the next one at the earliest
    within = scenario.first_month is not None and scenario.first_month > 1
    return scenario.first_year + max(scenario.rebuild_after, 1 if within else 0)


def left(probability: float, taken: float) -> float:
    """Return what is left of a probability; what only rounding leaves counts as 0.

    >>> left(0.3, 0.1 + 0.2)
    0.0
    """
    rest = probability - taken
    return rest if rest > ROUNDING else 0.0
