r"""Checks goods under way: what arrives in the months of a branch left some weeks before, and no more than left.

.. math:: \textstyle\sum_{own} part\; t \;\le\; arrived_t \;\le\; \sum_{own} part\; t + \sum_{before} part\; t

What left within the branch arrives in full; of what left before it began no more than that. ``part`` is the share of a
month, or of the period that follows the months, that lies in the time at which something left, later by the weeks of
the lane, of which 52 make twelve months. In that period no more arrives at a place than leaves for it. The course that
the branch leaves ships at the rate of the period in which the branch begins, held for as long as it takes; if it is in
months there, as in each of its months. Everywhere else goods arrive when they leave.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .book import Book
from .layouts import FlowRow
from .operations import Operations, Stretch, stretches

Route = tuple[str, str, str, str]  # material, origin, destination, provenance


class Leaving(NamedTuple):
    """What leaves in a period or a month, from the calendar month ``first`` on and before ``stop``."""

    first: float
    stop: float
    rows: list[FlowRow]


def check_under_way(parts: Sequence[Operations], left: Sequence[Stretch], book: Book) -> None:
    """Check what arrives in the plan or a branch; nothing if its instance has no lane on which goods are under way.

    parts  the plan, or the branch in its parts
    left   the whole course that the branch leaves, or that this course leaves if it begins together with it; empty:
           this is the plan
    """
    facts, disturbance = parts[0].facts, parts[0].disturbance
    if not facts.instance.has_transit:
        return
    before = _before(left, disturbance.first_month)
    earlier = [s.operations.disturbance for s in left if s.first < disturbance.first_month and s.operations]
    after_months = bool(earlier) and bool(earlier[-1].month) and not earlier[-1].undisturbed
    own: list[Leaving] = []
    for part in parts:
        book.month = month = part.disturbance.month
        for now in stretches(part.disturbance, [], [], part):
            own.append(Leaving(now.first, now.stop, _flows(now)))
            if not disturbance.undisturbed and (month or after_months):
                _check_later(now, own, before, book)
                if not month:
                    _check_refill(now, book)
            else:
                for row in _flows(now):
                    book.equal("under_way", row.arrived_t, row.t, max(row.arrived_t, row.t), _place(_route(row), now))
            after_months = bool(month)
    book.month = 0


def _flows(now: Stretch) -> list[FlowRow]:
    return [row for row in now.operations.flows if row.year == now.year] if now.operations else []


def _before(left: Sequence[Stretch], begin: int) -> list[Leaving]:
    """Return what a course ships before a branch leaves it at the calendar month ``begin``."""
    months = {s.first: bool(s.operations and s.operations.disturbance.month) for s in left}
    earlier = [s for s in left if s.first < begin]
    if not (earlier and months[earlier[-1].first]):  # a period that begins with the branch says what was under way
        earlier += [s for s in left if s.first == begin and not months[s.first]]
    found: list[Leaving] = []
    until = begin
    for stretch in reversed(earlier):
        month = months[stretch.first]
        found.append(Leaving(stretch.first if month else -math.inf, until, _flows(stretch)))
        if not month:
            break
        until = stretch.first
    return found


def _check_later(now: Stretch, own: Iterable[Leaving], before: Iterable[Leaving], book: Book) -> None:
    """Check what arrives in a month or a period on each lane."""
    arrived = {_route(row): row.arrived_t for row in _flows(now)}
    sure, more = (_coming(now, left) for left in (own, before))
    for route in sorted({*arrived, *sure, *more}):
        t, least = arrived.get(route, 0.0), sure.get(route, 0.0)
        most = least + more.get(route, 0.0)
        book.at_least("under_way", t, least, max(t, least), _place(route, now))
        book.at_most("under_way", t, most, max(t, most), _place(route, now))


def _check_refill(now: Stretch, book: Book) -> None:
    """Check that in the period after the months no more arrives at a place than leaves for it."""
    left: dict[tuple[str, str, str], float] = defaultdict(float)
    came: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in _flows(now):
        left[row.material, row.destination, row.provenance] += row.t
        came[row.material, row.destination, row.provenance] += row.arrived_t
    for place, t in sorted(came.items()):
        book.at_most("under_way", t, left[place], t, ("flows.csv", place[0], place[2], "to", place[1], now.year))


def _coming(now: Stretch, left: Iterable[Leaving]) -> dict[Route, float]:
    """Return what arrives, t a year, in a month or period of what left in others."""
    facts, coming = now.operations.facts if now.operations else None, defaultdict[Route, float](float)
    for leaving in left:
        for row in leaving.rows:
            lane = facts.lane(row.material, row.origin, row.destination, row.year) if facts else None
            later = (lane.transit_weeks if lane else 0.0) * 12.0 / 52.0
            months = min(now.stop, leaving.stop + later) - max(now.first, leaving.first + later)
            coming[_route(row)] += max(0.0, months) / (now.stop - now.first) * row.t
    return coming


def _route(row: FlowRow) -> Route:
    return row.material, row.origin, row.destination, row.provenance


def _place(route: Route, now: Stretch) -> tuple[object, ...]:
    material, origin, destination, provenance = route
    return "flows.csv", material, origin, "to", destination, provenance, now.year, "arrived_t"
