"""The cost of security: least cost against a limit on a dependence metric, point by point.

One model is built once. Its metric rows read ``A0 x + limit (A1 x - b) <= 0``, so another limit changes few
coefficients, and HiGHS goes on from the last basis. The end points are exact: least cost, and the least limit that
any plan can keep. Points between are placed where the curve may bend most: without whole numbers where the tangents
of two neighbours meet, with whole numbers in the middle of the largest step.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING

from ...arguments import checked
from ...bands import Searched, difference
from ...errors import UsageError
from ...instance.loading import given_instance
from .result import Frontier

if TYPE_CHECKING:
    from pathlib import Path

    from ...instance.instance import Instance
    from ...solving.solver import Progress
    from .curve import Curve, Point


BEND = 1e-6  # distance from the chord, both axes scaled to 1; less is rounding
MEASURABLE = 1e-5  # of all deliveries: the least-exposure step may shift 1e-7 of the cost


@checked
def frontier(
    instance: Instance | str | Path,
    *,
    metric: str = "exposed_share",
    from_year: int | None = None,
    glide: bool = False,
    points: int = 11,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Frontier:
    """Least cost against a limit on a dependence metric, from least cost to least dependence at any cost.

    metric      ``exposed_share``, ``stage_share:STAGE`` or ``single_country_share:STAGE`` (a material may stand for
                the stage) or ``unserved``; one common limit holds in all the years (``unserved``: in their sum)
    from_year   first calendar year from which the limit holds; None: all years
    glide       the limit goes linearly from the first year's level of the least-cost plan to the one of the point in
                ``from_year``, and stays there
    points      most points of the curve, 2 or more
    gap         relative MIP gap of each point, as in `solve`
    time_limit  seconds of search for each point
    progress    called with a line of text per point

    Caps of the instance stay in force. Raises UsageError, and what `solve` raises.
    """
    instance = given_instance(instance)
    if points < 2:
        raise UsageError(f"points = {points}: expected 2 or more")

    from ...solving.solver import Settings
    from .curve import Axis, Curve

    settings = Settings(gap=gap, time_limit=time_limit, threads=threads, seed=seed)
    started = time.perf_counter()
    curve = Curve(instance, Axis(metric, from_year, glide), settings, progress)
    found = curve.trace(points)
    return _results(curve, found, time.perf_counter() - started)


def _nondominated(found: list[Point]) -> list[Point]:
    """Points from least cost to least dependence; dearer ones at looser limits (a gap's play) are dropped."""
    kept: list[Point] = []
    for point in found:
        if not kept or point.cost < kept[-1].cost - 1e-9 * max(abs(point.cost), 1e-6):
            kept.append(point)
        else:
            kept[-1].bound = max(kept[-1].bound, min(point.bound, kept[-1].cost))
            kept[-1].same_until = max(kept[-1].same_until, point.limit, point.same_until)
    kept.reverse()
    for looser, tighter in pairwise(kept):  # what no looser plan can undercut, no tighter one can
        tighter.bound = max(tighter.bound, min(looser.bound, tighter.cost))
    return kept


def _knees(points: list[Point]) -> tuple[int | None, list[int]]:
    """Return the number of the point farthest from the chord between the ends, both axes scaled to 1.

    And, in order, all that may be it by the gaps. None, and none, unless some point lies off the chord wherever between
    their bounds and the cost found the least costs lie: only then is it certain that the slope changes.
    """
    if len(points) < 3:
        return None, []
    a, b = points[0], points[-1]
    wide = a.limit - b.limit
    if wide <= 0.0 or b.cost <= a.cost:
        return None, []

    def away(p: Point, first: float, last: float, cost: float) -> float:
        """Distance from the chord; it falls with the cost of the point, and rises with those of the ends."""
        return (a.limit - p.limit) / wide - (cost - first) / (last - first) if last > first else -math.inf

    found = [away(p, a.cost, b.cost, p.cost) for p in points]
    least = [away(p, a.bound, b.bound, p.cost) for p in points]
    most = [away(p, a.cost, b.cost, max(p.bound, a.cost)) for p in points]
    certain = [i for i, distance in enumerate(least) if distance > BEND]
    if not certain:
        return None, []
    best = max(certain, key=lambda i: found[i])
    return best + 1, [i + 1 for i in range(1, len(points) - 1) if i == best or most[i] > least[best]]


def _results(curve: Curve, found: list[Point], seconds: float) -> Frontier:
    """The points of the curve as tables; ``found`` are its solved limits, the tightest first."""
    import pandas as pd

    points = _nondominated(found)
    first = points[0]
    rows, switches = [], []
    for number, p in enumerate(points, start=1):
        extra = p.clean - first.clean
        # a tighter limit never costs less, whatever the gaps leave
        band = difference(Searched(p.cost, p.bound), Searched(first.cost, first.bound)).at_least_nothing()
        told = band.same or band.sign
        premium = band.found / extra if told and extra > MEASURABLE * (p.clean + p.exposed) else math.nan
        gap = abs(p.cost - p.bound) / max(abs(p.cost), 1e-9)
        marginal = -p.slope * 0.01 + 0.0
        rows.append(
            (number, curve.metric.name, p.limit, p.share, p.cost, p.bound, gap)  # noqa: RUF005
            + (band.found, band.least, band.most, marginal, premium)
            + (p.exposed_share, p.short_t, p.capex, p.status, max(p.limit, p.same_until))
        )
        before = points[number - 2].builds if number > 1 else p.builds
        for key in sorted({*before, *p.builds}):
            old, new = before.get(key, 0.0), p.builds.get(key, 0.0)
            if abs(new - old) > 1e-6:
                change = "on" if not old else "off" if not new else "more" if new > old else "less"
                switches.append((number, *key, abs(new - old), change))
    limits = [p.limit for p in points]
    bounds = curve.bounds(limits)
    lp_rows = [(i + 1, limits[i], bound) for i, bound in enumerate(bounds)]
    return Frontier(
        curve.instance,
        curve.metric,
        curve.today,
        pd.DataFrame(rows, columns=Frontier.columns("points")),
        pd.DataFrame(switches, columns=Frontier.columns("switches")),
        *_knees(points),
        pd.DataFrame(lp_rows, columns=Frontier.columns("bound")),
        not curve.interrupted,
        {**asdict(curve.settings), "gap": curve.settings.gap_for(len(curve.whole))},
        round(seconds, 3),
        curve.notes,
    )
