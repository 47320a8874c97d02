"""Courses of events: the plan, and the branches of scenarios, each of which leaves the plan or another branch.

A course follows the one that it leaves until its own beginning, and shares with it what is started before it may start
something itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .timeline import YEAR, Period, disrupted_months

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
    """Return the first calendar year from which the starts of a scenario's branch are its own; None: none are.

    Starts are in January: one that is struck later in a year starts what is its own in the next one.
    """
    if scenario.rebuild_after is None:
        return None
    return scenario.first_year + max(scenario.rebuild_after, int((scenario.first_month or 1) > 1))


def branch_begin(scenario: Scenario, span: Sequence[Period]) -> int:
    """Return the calendar month in which a scenario's branch begins; see `calendar_months` for how they are counted.

    It begins with the period of its first year or, of a scenario in months, with its first month; with the horizon at
    the earliest.

    span  all periods of the instance
    """
    first = disrupted_months(scenario).start
    period = next(p for p in span if first < p.months.stop)
    return max(first, period.months.start) if scenario.months is not None else period.months.start


def branch_times(line: Line, span: Sequence[Period]) -> Iterator[tuple[int, int | None]]:
    """Yield the times of a course in order: position of the period, and month 1 to 12 of its year.

    The month is None for whole periods. The years that a scenario of its line in months touches, and the one after, are
    divided into months.
    """
    begin = branch_begin(line[0], span) if line else span[0].months.start
    divided = {
        year
        for scenario in line
        if scenario.months is not None
        for year in range(branch_begin(scenario, span) // YEAR, scenario.last_disrupted_year + 2)
    }
    for t, period in enumerate(span):
        if period.first_year in divided:
            yield from ((t, at % YEAR + 1) for at in period.months if at >= begin)
        elif period.months.start >= begin:
            yield t, None


def left(probability: float, taken: float) -> float:
    """Return what is left of a probability; what only rounding leaves counts as 0.

    >>> left(0.3, 0.1 + 0.2)
    0.0
    """
    rest = probability - taken
    return rest if rest > ROUNDING else 0.0
