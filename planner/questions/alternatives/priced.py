r"""The least of what the operations do, such as exposed deliveries, within the ceiling: by a price on it.

Planes of the least cost say nothing of an aim :math:`e` that the operations decide. At a price :math:`\mu` on it, the
least of cost and priced aim, :math:`L(\mu) = \min c x + \mu e x`, is a search like that of the least cost, by parts. No
plan within the ceiling :math:`C` has an aim below :math:`(L(\mu) - C) / \mu`. The whole numbers of what it finds, with
the rest free, are a plan within the ceiling, or show that the price is too high.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...solving.lshaped import LShaped
from ...solving.programme import with_rows

if TYPE_CHECKING:
    from .space import Space

PRICES = 6  # so many are tried at most
FIRST = 0.5  # part of the price at which the relaxation is at the ceiling; whole numbers save less for the same money
ENOUGH = 0.1  # of what the relaxation can save: a band that is narrower is told as it is
CLOSE = 0.05  # of that too: so near is the least searched at each price


def least_at_prices(space: Space, aim: np.ndarray, near: float) -> float:
    """Look for the plan with the least ``aim x`` within the ceiling; return a bound of it, and leave plans in ``seen``.

    aim   shape (columns,); not below 0, of a model that falls apart
    near  how far from the least it may be at least, in units of the aim

    The bound is -inf if nothing is known.
    """
    method, relaxed, arrays = space.method, space.relaxed, space.arrays
    ends = time.perf_counter() + (math.inf if space.each is None else space.each)
    if method is None:
        return -math.inf
    if not relaxed.begun:
        method.begin(space.each)
        relaxed.start = with_rows(method.basis(space.best[method.first]), 1)
    found = relaxed.least(aim)
    if not found.optimal:
        return -math.inf
    bound = found.value - arrays.offset
    worth = -float(found.duals[relaxed.row]) * space.scale  # units of the aim that one more MUSD of the ceiling saves
    price, too_low, too_high = FIRST / worth if worth > 0.0 else 0.0, 0.0, math.inf
    near = max(near, ENOUGH * (min(float(aim @ x) for x in space.seen) - bound))
    for _ in range(PRICES):
        left = ends - time.perf_counter()
        known = min(space.seen, key=lambda x: float(aim @ x))
        to_save = float(aim @ known) - bound
        priced = None
        if price > 0.0 and left > 0.0 and to_save > near:
            priced = LShaped.of(replace(arrays, cost=arrays.cost + price * aim), space.settings)
        if priced is None:
            break
        total = space.solver.cost(known) + price * float(aim @ known)
        gap = price * CLOSE * to_save / max(1.0, abs(total))
        best = priced.search(gap, None if left == math.inf else left, known, None)
        if best.why == "interrupted":
            raise KeyboardInterrupt
        space.ticker.tick()
        bound = max(bound, (best.bound - space.ceiling) / price)
        if best.plan is None:
            break
        plan = space.with_whole(np.round(best.plan[space.whole]), aim)
        if plan is None:
            too_high = price
        else:
            space.seen.append(plan)
            too_low = price
        price = 2.0 * price if too_high == math.inf else 0.5 * (too_low + too_high)
    return bound
