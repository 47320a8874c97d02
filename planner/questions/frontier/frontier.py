"""The cost of security: the Pareto frontier of least cost against a limit on a dependence metric.

The frontier is traced by the epsilon-constraint method: for each limit the least-cost plan is found. The model is
compiled once. Its metric rows read ``A0 x + limit (A1 x - b) <= 0``, so a new limit changes only a few coefficients,
and HiGHS continues from the last basis. Both end points are exact: the least cost, and the least limit that any plan
can keep. The points between are placed where the curve may bend most. Without integer variables that is where the
tangents of two neighbouring points meet; with integer variables it is the middle of the largest step.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING

from ...arguments import checked, fraction
from ...bands import Searched, difference
from ...errors import UsageError
from ...instance.loading import given_instance
from .result import Frontier

if TYPE_CHECKING:
    from pathlib import Path

    from ...instance.instance import Instance
    from ...solving.solver import Progress
    from .curve import Curve, Point


BEND = 1e-6  # distance from the chord, with both axes scaled to 1; a smaller distance is rounding
# part of all deliveries by which clean deliveries must grow for a cost per kg: the least-exposure step of a solve may
# spend 1e-7 of the cost, so that a smaller growth means nothing
MEASURABLE = 1e-5


@checked
def frontier(
    instance: Instance | str | Path,
    *,
    metric: str = "exposed_share",
    from_year: int | None = None,
    glide: bool = False,
    points: int = 11,
    gap: float | str | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Frontier:
    """Trace least cost against a limit on a dependence metric, from the least cost to the least dependence.

    instance    the instance, or its folder; its own caps stay in force
    metric      ``exposed_share``, ``stage_share:STAGE``, ``single_country_share:STAGE``,
                ``import_share:STAGE:COUNTRY``, ``own_share:STAGE:COUNTRY`` (with ``:recycled`` behind it only what is
                recycled), ``impact:NAME`` (limits are then units a year) or ``unserved``; a material may take the place
                of a stage, a bloc that of a country. The same limit holds in every year; that on ``own_share`` is a
                floor, ``unserved`` is limited in the sum of the years
    from_year   first calendar year in which the limit holds; None: every year
    glide       whether the limit falls linearly, from the metric in the first year of the least-cost plan to the limit
                of the point in ``from_year``, and stays there
    points      largest number of points, 2 or more
    gap         relative MIP gap of each point; None: proven up to 200 integer decisions, else 0.001
    time_limit  seconds of search for each point; None: no limit
    threads     threads of the solver
    seed        random seed of the solver
    workers     processes for points with whole numbers; None: one per core, where there is enough to do
    scheduler   address of a Dask scheduler to use instead, with the extra ``distributed``
    partial     file that keeps finished points until all are done: a repeated call goes on from there
    progress    called with one line of text for each point

    An interrupt keeps the points found until then. Raises UsageError on an unknown metric or on arguments that
    contradict each other, and the errors of `solve`.
    """
    instance = given_instance(instance)
    gap = fraction(gap, "gap")
    if points < 2:
        raise UsageError(f"points = {points}: expected 2 or more")

    from ...solving.solver import Settings
    from ..many import Finished
    from .axis import Axis
    from .curve import Curve

    settings = Settings(gap=gap, time_limit=time_limit, threads=threads, seed=seed)
    started = time.perf_counter()
    finished = Finished(["frontier", instance.sha256, asdict(settings), metric, from_year, glide, points], partial)
    curve = Curve(instance, Axis(metric, from_year, glide), settings, progress, finished)
    found = curve.trace(points, workers, scheduler)
    if not curve.interrupted:
        finished.forget()
    return _results(curve, found, time.perf_counter() - started)


def _nondominated(found: list[Point]) -> list[Point]:
    """Return the non-dominated points, from the least cost to the least dependence.

    found  solved points, the tightest limit first

    A point is dominated if one at a tighter limit costs no more, which the gaps of the searches permit. Its bound and
    its limit are passed on to the point that dominates it.
    """
    kept: list[Point] = []
    for point in found:
        if not kept or point.cost < kept[-1].cost - 1e-9 * max(abs(point.cost), 1e-6):
            kept.append(point)
        else:
            kept[-1].bound = max(kept[-1].bound, min(point.bound, kept[-1].cost))
            kept[-1].same_until = max(kept[-1].same_until, point.limit, point.same_until)
    kept.reverse()
    for looser, tighter in pairwise(kept):  # a lower bound at a looser limit is one at a tighter limit too
        tighter.bound = max(tighter.bound, min(looser.bound, tighter.cost))
    return kept


def _knees(points: list[Point]) -> tuple[int | None, list[int]]:
    """Return the number of the knee, and the numbers of all points that may be the knee given the gaps.

    points  non-dominated points, from the least cost to the least dependence

    The knee is the point farthest below the chord between the two ends, with both axes scaled to 1. Points are numbered
    from 1. Each least cost lies between the bound and the cost of its point. A point counts only if it lies below the
    chord for all such costs, since only then the slope certainly changes. Without such a point the result is None and
    an empty list.
    """
    if len(points) < 3:
        return None, []
    a, b = points[0], points[-1]
    wide = a.limit - b.limit
    if wide <= 0.0 or b.cost <= a.cost:
        return None, []

    def away(p: Point, first: float, last: float, cost: float) -> float:
        """Return how far a point of this cost lies below the chord between ends of the costs ``first`` and ``last``."""
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
    """Return the result of a traced curve.

    curve    the curve, with its notes and settings
    found    its solved points, the tightest limit first
    seconds  time spent
    """
    import pandas as pd

    points = _nondominated(found)
    first = points[0]
    rows, switches, shown = [], [], curve.metric.shown
    for number, p in enumerate(points, start=1):
        extra = p.clean - first.clean
        # a tighter limit cannot lower the least cost, whatever the gaps leave open
        base = Searched(first.cost, first.cost if p is first else first.bound)
        band = difference(Searched(p.cost, p.cost if p is first else p.bound), base).at_least_nothing()
        told = band.same or band.sign
        premium = band.found / extra if told and extra > MEASURABLE * (p.clean + p.exposed) else math.nan
        gap = abs(p.cost - p.bound) / max(abs(p.cost), 1e-9)
        step = 1.0 / curve.metric.scale if curve.metric.amount else 0.01  # a unit, or a point
        marginal = -p.slope * step + 0.0
        rows.append(
            (number, curve.metric.name, shown(p.limit), shown(p.share), p.cost, p.bound, gap)  # noqa: RUF005
            + (band.found, band.least, band.most, marginal, premium)
            + (p.exposed_share, p.short_t, p.capex, p.status, shown(max(p.limit, p.same_until)))
        )
        before = points[number - 2].builds if number > 1 else p.builds
        for key in sorted({*before, *p.builds}):
            old, new = before.get(key, 0.0), p.builds.get(key, 0.0)
            if abs(new - old) > 1e-6:
                change = "on" if not old else "off" if not new else "more" if new > old else "less"
                switches.append((number, *key, abs(new - old), change))
    limits = [p.limit for p in points]
    bounds = curve.bounds(points)
    lp_rows = [(i + 1, shown(limits[i]), bound) for i, bound in enumerate(bounds)]
    return Frontier(
        curve.instance,
        curve.metric,
        shown(curve.today) if curve.metric.glide else curve.today,
        pd.DataFrame(rows, columns=Frontier.columns("points")),
        pd.DataFrame(switches, columns=Frontier.columns("switches")),
        *_knees(points),
        pd.DataFrame(lp_rows, columns=Frontier.columns("bound")),
        not curve.interrupted,
        {**asdict(curve.settings), "gap": curve.settings.gap_for(len(curve.whole))},
        round(seconds, 3),
        curve.notes,
    )
