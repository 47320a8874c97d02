"""A minimal conflict: rows that contradict each other, while without any one of them the others can be kept.

The rows with a dual in the elastic model prove infeasibility, so the conflict is sought among them: a set that is
infeasible while none of its parts is (an irreducible infeasible set, by QuickXplain; Junker, AAAI 2004). That the set
is infeasible, and that no member can be spared, is then checked member by member. Where the duals do not tell, or the
elastic model is itself infeasible, the conflict is sought among all rows. Where a plan with fractions of modules
exists, it is sought among the wishes and the integrality of options instead, all other rows kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ...instance.metrics import METRICS
from ...solving.compiling import Arrays
from ...solving.programme import Programme
from ...solving.solver import Settings
from .search import Clock, feasible, solve
from .system import System

WISHES = (  # families of rows; a conflict prefers to name earlier ones
    *("service", "clean_only", *METRICS, "least_use", "offtake", "stock_floor", "modules_least"),
    *("pin_force", "pin_least", "pin_most", "pin_forbid"),
    *("private_limit", "fund_budget", "fund_share", "group_least", "group_most", "exclusive_group", "requires"),
    "stock_limit",
)
UPPER = "upper:"  # prefix of a family of columns whose upper bounds are meant
WHOLE = "whole"  # family of items: that the modules of an option are whole numbers
LOT = "lot"  # family of items: that a lane carries at least a lot, or nothing
BOUNDED = ("buy", "build")  # families of columns whose upper bounds mean something
SEEN = 1e-9  # smaller duals are rounding
MOST_WHOLE = 80  # statements searched with the whole model

Item = tuple[str, Any]  # family, index
T = TypeVar("T")


@dataclass(frozen=True)
class Conflict:
    """Rows (and upper bounds of columns) that contradict each other.

    items    (family, index) of each
    whole    whether they contradict each other only because modules are whole numbers
    minimal  whether it was checked that no member can be spared
    """

    items: tuple[Item, ...]
    whole: bool
    minimal: bool


def find_conflict(system: System, amounts: np.ndarray, gains: dict[int, float], clock: Clock) -> Conflict | None:
    """Return a minimal conflict with the relaxables at ``amounts``; None if a plan exists.

    gains  for the elastic model: see `System.relaxed`
    """
    relaxed = system.relaxed(amounts)
    relaxed.integer = np.zeros_like(relaxed.integer)
    support = _support(system, amounts, gains, clock)
    if support:
        small = _Part(relaxed, system, support)
        if not small.possible(support, clock):
            items = quick_explain(support, lambda kept: not small.possible(kept, clock))
            rest_possible = all(small.possible([i for i in items if i != item], clock) for item in items)
            return Conflict(tuple(items), False, rest_possible and not small.possible(items, clock))
    if solve(relaxed, clock) is None:  # the duals did not tell
        everything = _all_items(system)
        whole = _Part(relaxed, system, everything)
        items = quick_explain(everything, lambda kept: not whole.possible(kept, clock))
        return Conflict(tuple(items), False, True)
    if feasible(system, amounts, clock):
        return None
    return _whole_conflict(system, amounts, clock)


def quick_explain(items: Sequence[T], impossible: Callable[[list[T]], bool]) -> list[T]:
    """Return a minimal part of ``items`` that is impossible; earlier items are preferred.

    impossible  tells whether some items contradict each other; all ``items`` together must
    """

    # QuickXplain: ``behind`` are items that are kept in any case, ``among`` those of which a part is sought
    def narrow(behind: list[T], changed: bool, among: list[T]) -> list[T]:
        if changed and impossible(behind):
            return []
        if len(among) == 1:
            return among
        half = len(among) // 2
        first, second = among[:half], among[half:]
        of_second = narrow(behind + first, bool(first), second)
        of_first = narrow(behind + of_second, bool(of_second), first)
        return of_first + of_second

    return narrow([], False, list(items)) if items else []


def _support(system: System, amounts: np.ndarray, gains: dict[int, float], clock: Clock) -> list[Item]:
    """Return the rows and bounds with a dual in the elastic linear programme, wishes first.

    Empty if nothing needs to be relaxed, or if the programme has no solution.
    """
    free = [k for k in range(len(system.relaxables)) if amounts[k] == 0.0]
    arrays = system.relaxed(amounts, free, gains)
    arrays.integer = np.zeros_like(arrays.integer)
    if free:  # linear in the limits of shares, the rows may need more than the cells could give
        arrays.col_upper = np.concatenate([arrays.col_upper[: -len(free)], np.full(len(free), np.inf)])
    settings = Settings(threads=clock.settings.threads, seed=clock.settings.seed)
    solution = Programme(arrays, settings).find(seconds=clock.each)
    if not solution.optimal or float(arrays.cost @ solution.x) <= 1e-7:
        return []
    families = _all_items(system)
    positions = dict(zip(families, _positions(system, families), strict=True))
    return [
        item
        for item in families
        if abs(solution.reduced[positions[item]] if item[0].startswith(UPPER) else solution.duals[positions[item]])
        > SEEN
    ]


def _all_items(system: System) -> list[Item]:
    """Return every row, wishes first, and the finite upper bounds of the families ``BOUNDED``."""
    rows, columns = system.arrays.rows, system.arrays.columns
    items: list[Item] = [(family, index) for family in WISHES for index in rows.get(family, {})]
    items += [(family, index) for family in rows if family not in WISHES for index in rows[family]]
    for family in BOUNDED:
        for index, k in columns.get(family, {}).items():
            if np.isfinite(system.arrays.col_upper[k]):
                items.append((UPPER + family, index))
    return items


def _positions(system: System, items: Sequence[Item]) -> list[int]:
    """Return the row, or for an upper bound the column, of each item."""
    rows, columns = system.arrays.rows, system.arrays.columns
    return [
        columns[family.removeprefix(UPPER)][index] if family.startswith(UPPER) else rows[family][index]
        for family, index in items
    ]


class _Part:
    """The model of some rows and bounds only, with just the columns that they touch, so that it is solved fast."""

    def __init__(self, arrays: Arrays, system: System, items: Sequence[Item]) -> None:
        self.place = dict(zip(items, _positions(system, items), strict=True))
        rows = sorted(k for item, k in self.place.items() if not item[0].startswith(UPPER))
        part = arrays.matrix.tocsr()[rows]
        columns = np.unique(part.indices)
        self.row_of = {k: i for i, k in enumerate(rows)}
        self.column_of = {int(k): i for i, k in enumerate(columns)}
        self.matrix = part[:, columns].tocsr()
        self.row_lower, self.row_upper = arrays.row_lower[rows], arrays.row_upper[rows]
        self.low, self.high = arrays.col_lower[columns], arrays.col_upper[columns].copy()
        self.bounded = [
            self.column_of[k]
            for family in BOUNDED
            for k in system.arrays.columns.get(family, {}).values()
            if k in self.column_of
        ]

    def possible(self, items: Sequence[Item], clock: Clock) -> bool:
        """Whether a point keeps all these rows and bounds."""
        rows = [self.row_of[self.place[item]] for item in items if not item[0].startswith(UPPER)]
        if not rows:
            return True
        high = self.high.copy()
        high[self.bounded] = np.inf
        for item in items:
            if item[0].startswith(UPPER) and self.place[item] in self.column_of:
                k = self.column_of[self.place[item]]
                high[k] = self.high[k]
        count = len(high)
        arrays = Arrays(
            np.zeros(count), 0.0, self.matrix[rows].tocsc(), self.row_lower[rows], self.row_upper[rows],
            self.low, high, np.zeros(count, dtype=bool), {}, {},
        )  # fmt: skip
        return solve(arrays, clock) is not None


def _whole_conflict(system: System, amounts: np.ndarray, clock: Clock) -> Conflict | None:
    """Return a minimal conflict of wishes, whole modules and least lots, all other rows kept; None without one.

    The search ends after four times the time limit of one solve; the conflict then is not known to be minimal.
    """
    by_statement: dict[Item, list[int]] = {}
    for family in WISHES:
        for index, row in system.arrays.rows.get(family, {}).items():
            by_statement.setdefault((family, index), []).append(row)
    wishes = list(by_statement)
    whole: dict[Item, list[int]] = {}
    for i, k in system.arrays.columns.get("build", {}).items():
        if system.arrays.integer[k]:
            whole.setdefault((WHOLE, system.data.build[i].option), []).append(k)
    for lane in system.data.lane_limit:
        if lane.used is not None and lane.least > 0.0:
            of = whole.setdefault((LOT, (lane.material, lane.origin, lane.destination)), [])
            of.append(system.arrays.columns["used"][lane.used])
    items = wishes + sorted(whole, key=str)
    deadline = time.perf_counter() + 4 * clock.each
    complete = [True]

    def impossible(kept: list[Item]) -> bool:
        if time.perf_counter() > deadline:
            complete[0] = False
            return False
        kept_items = set(kept)
        without = [row for item, rows in by_statement.items() if item not in kept_items for row in rows]
        arrays = system.relaxed(amounts, without=without)
        arrays.integer = arrays.integer.copy()
        for item, columns in whole.items():
            if item not in kept_items:
                arrays.integer[columns] = False
        return solve(arrays, clock) is None

    if not impossible(items):
        return None
    members = quick_explain(items, impossible)
    return Conflict(tuple(members), True, complete[0])
