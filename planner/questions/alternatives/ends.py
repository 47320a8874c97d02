"""What all near-optimal plans build of an option: its range, its latest start, and two options at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .result import SOME
from .space import NEAR

if TYPE_CHECKING:
    from .space import Space

Ends = tuple[float, float, bool, bool]  # least and most modules of an option, and whether each is proven


def range_of(space: Space, option: str) -> Ends:
    """The least and the most modules of an option, and whether each is proven."""
    space.tell(f"range of {option}")
    if not space.starts[option]:
        return 0.0, 0.0, True, True
    end = _end if space.options[option].integer else _end_in_fractions
    (least, sure_of_least), (most, sure_of_most) = end(space, option, False), end(space, option, True)
    return least, most, sure_of_least, sure_of_most


def _known(space: Space, option: str, most: bool) -> float:
    """The most (or least) modules of an option in the plans that are seen."""
    return (max if most else min)(space.modules(x, option) for x in space.seen)


def _end(space: Space, option: str, most: bool) -> tuple[float, bool]:
    """The most (or least) whole modules of an option, and whether that is proven.

    Cheap answers come first: what a plan seen shows, one project tried alone, the relaxation.
    """
    row = space.options[option]
    target = math.floor(row.max_modules) if most else math.ceil(row.min_modules)
    known = round(_known(space, option, most))
    if known != target:
        _try_one_project(space, option, most)
        known = round(_known(space, option, most))
    if known != target and space.method is None and _settled(space, option, known, most):
        return known, True
    while known != target:
        asked = known + math.ceil((target - known) / 2) if most else known - math.ceil((known - target) / 2)
        x, sure = space.possible(space.limit(option, *((asked, math.inf) if most else (-math.inf, asked))))
        if x is not None:
            known = round(space.modules(x, option))
        elif sure:
            target = asked - 1 if most else asked + 1
        else:
            return known, False
    return known, True


def _end_in_fractions(space: Space, option: str, most: bool) -> tuple[float, bool]:
    """The same of an option whose modules may be fractions.

    In a model that falls apart it is asked first whether none of it (or the least) can do; else the planes tell whether
    the end is proven.
    """
    row = space.options[option]
    target = row.max_modules if most else row.min_modules
    if abs(_known(space, option, most) - target) <= SOME:
        return _known(space, option, most), True
    weights = {int(space.column[i]): -1.0 if most else 1.0 for i in space.starts[option]}
    if space.method is None:
        _keep_if_possible(space, space.as_best, {option: -1.0 if most else 1.0})
        end = _known(space, option, most)
        sure = abs(end - target) <= SOME or _settled(space, option, end, most) or space.aim(weights)[1]
        return _known(space, option, most), sure
    at_target = space.limit(option, *((target, math.inf) if most else (-math.inf, target)))
    if not most and space.possible(at_target)[0] is not None:
        return _known(space, option, most), True
    aim = space.weights(weights)
    near = NEAR * max(1.0, row.max_modules)
    plan, bound = space.method.least_with(space.best, aim, space.ceiling, 0.5 * near, space.each)
    space.seen += [] if plan is None else [plan]
    end = _known(space, option, most)
    sure = abs(end - target) <= SOME or abs(bound - (-end if most else end)) <= near
    if most and not sure and end <= SOME:
        sure = space.extreme(weights)[1]
    if most and SOME < abs(_known(space, option, most) - target) <= NEAR:  # whether all is built is asked exactly
        sure = space.possible(at_target)[1]
    return _known(space, option, most), sure


def _try_one_project(space: Space, option: str, most: bool) -> None:
    """The least-cost plan with all of an option added, or all of it left out: one more plan if it can be paid."""
    for starts in (space.starts[option][::-1], space.starts[option]):  # late is cheaper, but funds may end
        modules = space.as_best.copy()
        _take_out(space, modules, option)
        if most:
            put_in(space, modules, option, space.options[option].max_modules, starts)
        if _keep_if_possible(space, modules, {}) or not most:
            break


def _take_out(space: Space, modules: np.ndarray, option: str) -> None:
    """Build nothing of an option, nor of the whole ones that require it."""
    modules[space.starts[option]] = 0.0
    for other in space.options.values():
        if other.requires == option and other.integer and modules[space.starts[other.option]].any():
            _take_out(space, modules, other.option)


def put_in(space: Space, modules: np.ndarray, option: str, count: float, starts: Sequence[int]) -> None:
    """Build ``count`` modules of an option, by ``starts``, and what that requires; nothing that it excludes."""
    row = space.options[option]
    for other in space.options.values():
        if row.exclusive_group and other.exclusive_group == row.exclusive_group and other.option != option:
            _take_out(space, modules, other.option)
    for i in starts:
        modules[i] = min(count, math.floor(space.data.build[i].max_modules + SOME))
        count -= modules[i]
    first = min((space.data.build[i].year for i in space.starts[option] if modules[i]), default=0)
    early = [i for i in space.starts.get(row.requires, ()) if space.data.build[i].year <= first]
    if early and not modules[early].any():  # it is built later, or not at all
        modules[space.starts[row.requires]] = 0.0
        modules[early[-1]] = 1.0


def _keep_if_possible(space: Space, modules: np.ndarray, aim: Mapping[str, float]) -> bool:
    """Whether there is a plan within the slack with these whole modules; it is kept among those seen.

    aim  options whose (fractional) modules are to be made least, times a factor; none: the cheapest plan
    """
    if not _within_bounds(space, modules):
        return False
    weights = np.zeros(len(space.arrays.cost))
    for option, factor in aim.items():
        weights[space.column[space.starts[option]]] = factor
    x = space.with_whole(space.whole_values(modules), weights if aim else None)
    space.seen += [] if x is None else [x]
    return x is not None


def _within_bounds(space: Space, modules: np.ndarray) -> bool:
    """Whether whole modules lie within the bounds of their columns."""
    k = space.column[space.arrays.integer[space.column]]
    values = modules[space.arrays.integer[space.column]]
    lower, upper = space.arrays.col_lower[k], space.arrays.col_upper[k]
    return bool((values >= lower - SOME).all() and (values <= upper + SOME).all())


def _settled(space: Space, option: str, known: float, most: bool) -> bool:
    """Whether the relaxation shows that no plan within the slack builds less (or more) than is known."""
    aim = np.zeros(len(space.arrays.cost))
    for i in space.starts[option]:
        aim[space.column[i]] = -1.0 if most else 1.0
    found = space.relaxed.least(aim)
    space.ticker.tick()
    if not found.optimal:
        return False
    end = space.modules(found.x, option)
    if not space.options[option].integer:
        return end <= known + SOME if most else end >= known - SOME
    return math.floor(end + SOME) <= known + SOME if most else math.ceil(end - SOME) >= known - SOME


def latest_start(space: Space, option: str) -> float | None:
    """The latest period in which an always-built option can be started first; None if that was not settled."""
    space.tell(f"latest start of {option}")
    years = sorted({space.data.build[i].year for i in space.starts[option]})
    low, high = 0, len(years) - 1  # starting first in years[low] is possible
    while low < high:
        middle = (low + high + 1) // 2
        x, sure = space.possible(space.limit(option, 0.0, 0.0, before=years[middle]))
        if x is None and not sure:
            return None
        low, high = (middle, high) if x is not None else (low, middle - 1)
    return float(years[low])


def pair(space: Space, one: str, other: str, built: bool) -> bool | None:
    """Whether a plan within the slack builds both options, or (``built`` false) neither; None if not settled."""
    space.tell(f"{'both' if built else 'neither'} of {one} and {other}")
    x, sure = space.possible(*(space.limit(o, *((1.0, math.inf) if built else (0.0, 0.0))) for o in (one, other)))
    return True if x is not None else False if sure else None
