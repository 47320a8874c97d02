"""Three objectives: least cost against limits on two metrics at once.

The search probes pairs of limits: for each it finds the least-cost plan that keeps both (the epsilon-constraint
method).

The *exact* search follows Kirlik and Sayin, A new algorithm for generating all nondominated solutions of
multiobjective discrete optimization problems, European Journal of Operational Research 232 (2014). The plane of the two
limits is a set of rectangles; the largest is probed at its loose corner, the rectangles are cut at the values of the
plan found there, and those that can hold no other plan are dropped. It ends with all non-dominated plans if there are
finitely many, as where all decisions are whole numbers.

The *covering* search suits every instance. A cell of the plane lies between a tight and a loose corner. The least cost
anywhere in it is at least the largest bound that was proven at limits as loose as its loose corner, and at most the
cost of the cheapest plan known that keeps its tight corner. The cell of which least is known is probed in the middle
and cut into four; what is left open says how good the covering is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import checked, fraction
from ...errors import Infeasible, UsageError
from ...instance.loading import given_instance
from ...language import _, number
from ...words import figure_of
from .doubly import Plan, Probe
from .surface_result import Surface, value_of

if TYPE_CHECKING:
    from pathlib import Path

    from ...instance.instance import Instance
    from ...solving.solver import Progress
    from ..many import Many
    from .axis import Axis
    from .doubly import Doubly, Pair

STEP = 1e-6  # share, or part of the most of an impact: metrics of two plans that differ by less are the same
SAME = 1e-9  # relative: costs that differ by less are the same
TIE = 1e-7  # relative to the cost: by so much at most it may grow for less of the metrics, in the covering search
AT_ONCE = 4  # most cells probed at a time, if they have whole numbers; the same however many workers there are
MOST_EXACT = 10_000  # plans at which an exact search gives up


@checked
def surface(
    instance: Instance | str | Path,
    first: str,
    second: str,
    *,
    from_year: int | None = None,
    exact: bool = False,
    points: int = 30,
    gap: float | str | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Surface:
    """Trace least cost against limits on two metrics at once.

    instance       the instance, or its folder; its own caps stay in force
    first, second  the metrics, as of `frontier`
    from_year      first calendar year in which the limits hold; None: every year
    exact          whether to find all plans that no other plan dominates, as where all decisions are whole numbers;
                   False: cover the plane of the two limits with at most so many searches
    points         how many searches of a covering; an exact search has no such limit
    gap            relative MIP gap of each search, of a covering only; None: proven up to 200 integer decisions, else
                   0.001. An exact search proves each plan
    time_limit     seconds of each search; None: no limit
    threads        threads of the solver
    seed           random seed of the solver
    workers        processes for the searches of a covering with whole numbers; None: one per core, where there is
                   enough to do. Those of an exact search need each other
    scheduler      address of a Dask scheduler to use instead, with the extra ``distributed``
    partial        file that keeps finished searches until all are done: a repeated call goes on from there
    progress       called with one line of text for each plan

    An interrupt keeps the plans found until then. Raises UsageError on unknown or equal metrics, Infeasible if the
    instance has no plan, and the errors of `solve`.
    """
    instance = given_instance(instance)
    if points < 1:
        raise UsageError(f"points = {points}: expected 1 or more")
    if first == second:
        raise UsageError(f"metric {first}: expected two different ones")
    if exact and gap is not None:
        raise UsageError("an exact search proves every plan: leave gap out")

    from ...solving.solver import Settings
    from ..many import Finished, Many
    from .axis import Axis
    from .doubly import Doubly, Probing

    settings = Settings(gap=0.0 if exact else fraction(gap, "gap"), time_limit=time_limit, threads=threads, seed=seed)
    started = time.perf_counter()
    model = Doubly(instance, (Axis(first, from_year), Axis(second, from_year)), settings, progress)
    asked = ["surface", instance.sha256, asdict(settings), first, second, from_year, exact, points]
    finished = Finished(asked, partial)
    if exact or not len(model.whole):  # one search follows from another; without whole numbers each takes a moment
        workers, scheduler = 1, None
    with Many(Probing(model), finished, "searches", workers=workers, scheduler=scheduler, again=True) as many:
        search = _Exact(model, many) if exact else _Covering(model, many, points)
        complete = True
        try:
            search.run()
        except KeyboardInterrupt:
            if not search.plans:
                raise
            complete = False
    if complete:
        finished.forget()
    return _result(instance, model, search, complete, time.perf_counter() - started)


class _Search:
    """What both searches share: the plans found, the limits of each probe and its bound."""

    def __init__(self, model: Doubly, many: Many) -> None:
        self.model, self.many = model, many
        self.plans: list[Plan] = []
        self.probes: list[tuple[Pair, float]] = []  # limits -> lower bound, infinite if no plan keeps them
        self.notes: list[str] = []

    def probe(self, of: Sequence[Pair], lexicographic: bool = False) -> list[Plan | None]:
        """Probe pairs of limits, and keep what was found, in their order.

        Raises Infeasible if there is no plan without limits.
        """
        price = TIE * abs(self.plans[0].cost) if self.plans and not lexicographic else 0.0
        work = {self.many.finished.key(["probe", *limits, price]): Probe(limits, lexicographic, price) for limits in of}
        known = dict(self.many.results(work))
        found = [known[key]["plan"] and Plan(*known[key]["plan"]) for key in work]
        for limits, plan in zip(of, found, strict=True):
            self.probes.append((limits, math.inf if plan is None else plan.bound))
            if plan is None:
                if not self.plans:
                    raise Infeasible("no plan can satisfy the instance; planner diagnose tells why")
                continue
            if self.model.progress:
                at = ", ".join(value_of(a, a.shown(v)) for a, v in zip(self.model.axes, plan.values, strict=True))
                self.model.progress(f"plan {len(self.plans) + 1} at {at}: {figure_of(plan.cost, 6)} million")
            self.plans.append(plan)
        return found

    def best(self) -> list[Plan]:
        """Return the plans that none of the others dominates, the cheapest first."""
        kept: list[Plan] = []
        for plan in sorted(self.plans, key=lambda p: (p.cost, *p.values)):
            room = SAME * max(abs(plan.cost), 1e-6)
            if not any(
                all(a <= b + STEP / 2 for a, b in zip(other.values, plan.values, strict=True))
                and other.cost <= plan.cost + room
                for other in kept
            ):
                kept.append(plan)
        return kept

    def quality(self) -> tuple[float, float, float]:
        """Return what is left open, 0 of an exact search.

        The most and the mean of what the least cost may lie below that of the cheapest plan known that keeps the
        limits, MUSD, and the part of the square of limits for which it is not known whether any plan keeps them.
        """
        return 0.0, 0.0, 0.0


class _Exact(_Search):
    """All plans that no other plan dominates; see the module."""

    def run(self) -> None:
        """Probe until no rectangle is left."""
        edge = 1.0 + 2.0 * STEP
        boxes = np.array([[0.0, 0.0, edge, edge]])  # tight corner, loose corner
        while len(boxes):
            at = int(np.argmax(boxes[:, 2] * boxes[:, 3]))
            loose = boxes[at, 2:].copy()
            (plan,) = self.probe([(float(loose[0]) - STEP, float(loose[1]) - STEP)], lexicographic=True)
            tight = np.zeros(2)
            if plan is not None:
                tight = np.array(plan.values)
                for k in (0, 1):
                    boxes = _cut(boxes, k, tight[k])
            boxes = boxes[~((boxes[:, :2] >= tight - STEP / 2).all(1) & (boxes[:, 2:] <= loose + STEP / 2).all(1))]
            if len(self.plans) >= MOST_EXACT:
                self.notes.append(
                    _("more than {n} plans are not dominated; the search ended there", n=number(f"{MOST_EXACT:,}"))
                )
                break


def _cut(boxes: np.ndarray, k: int, at: float) -> np.ndarray:
    """Cut all rectangles that a value of one metric goes through; shape (rectangles, 4)."""
    through = (boxes[:, k] < at - STEP / 2) & (at + STEP / 2 < boxes[:, 2 + k])
    lower, upper = boxes[through].copy(), boxes[through].copy()
    lower[:, 2 + k], upper[:, k] = at, at
    return np.concatenate([boxes[~through], lower, upper])


class _Covering(_Search):
    """Cells of the plane of limits, cut where least is known; see the module."""

    def __init__(self, model: Doubly, many: Many, most: int) -> None:
        super().__init__(model, many)
        self.most = most
        self.cells: list[tuple[float, float, float, float]] = [(0.0, 0.0, 1.0, 1.0)]  # tight corner, loose corner

    def run(self) -> None:
        """Probe without limits, then the cells, as often as allowed; several at a time if they have whole numbers."""
        self.probe([(1.0, 1.0)])
        left = self.most - 1
        while left:
            worth = {cell: self._worth(cell) for cell in self.cells}
            best = sorted((cell for cell in worth if worth[cell] > 0.0), key=lambda cell: -worth[cell])
            best = best[: min(left, AT_ONCE if len(self.model.whole) else 1)]
            if not best:
                break
            self.probe([((a + c) / 2, (b + d) / 2) for a, b, c, d in best])
            left -= len(best)
            for cell in best:
                self.cells.remove(cell)
                a, b, c, d = cell
                x, y = (a + c) / 2, (b + d) / 2
                self.cells += [(a, b, x, y), (x, b, c, y), (a, y, x, d), (x, y, c, d)]

    def _open(self, cell: tuple[float, float, float, float]) -> tuple[float, float]:
        """Return the most and the least that the least cost in a cell can be, MUSD; both infinite if no plan is there.

        The most is at the tight corner, infinite if no plan is known that keeps it; the least at the loose corner.
        """
        tight, loose = cell[:2], cell[2:]
        most = min((p.cost for p in self.plans if _keeps(p.values, tight)), default=math.inf)
        return most, max((bound for limits, bound in self.probes if _keeps(loose, limits)), default=-math.inf)

    def _worth(self, cell: tuple[float, float, float, float]) -> float:
        """Return the area of a cell times what is open in it, as a part of the range of costs known."""
        most, least = self._open(cell)
        if math.isinf(least):
            return 0.0
        costs = [p.cost for p in self.plans]
        wide = max(costs) - min(costs) or abs(costs[0]) or 1.0
        part = 1.0 if math.isinf(most) else (most - least) / wide
        area = (cell[2] - cell[0]) * (cell[3] - cell[1])
        return area * part if part > SAME and area > STEP * STEP else 0.0

    def quality(self) -> tuple[float, float, float]:
        """See `_Search.quality`."""
        largest = total = known = unknown = 0.0
        for cell in self.cells:
            most, least = self._open(cell)
            area = (cell[2] - cell[0]) * (cell[3] - cell[1])
            if math.isinf(most):
                unknown += 0.0 if math.isinf(least) else area
            else:
                largest, total, known = max(largest, most - least), total + area * (most - least), known + area
        return largest, total / known if known else 0.0, unknown


def _keeps(values: Pair | tuple[float, ...], limits: Pair | tuple[float, ...]) -> bool:
    return all(value <= limit + STEP / 2 for value, limit in zip(values, limits, strict=True))


def _rows(plans: list[Plan], axes: list[Axis]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of points."""
    for point, p in enumerate(plans, start=1):
        shown = (axis.shown(value) for axis, value in zip(axes, p.values, strict=True))
        gap = abs(p.cost - p.bound) / max(abs(p.cost), 1e-9)
        yield (point, *shown, p.cost, p.bound, gap, p.cost - plans[0].cost, p.exposed_share, p.short_t, p.capex)


def _result(instance: Instance, model: Doubly, search: _Search, complete: bool, seconds: float) -> Surface:
    import pandas as pd

    plans = search.best()
    builds = [(n, *built) for n, p in enumerate(plans, start=1) for built in p.builds]
    return Surface(
        instance,
        model.axes[0],
        model.axes[1],
        pd.DataFrame(_rows(plans, model.axes), columns=Surface.columns("points")),
        pd.DataFrame(builds, columns=Surface.columns("builds")),
        isinstance(search, _Exact),
        *search.quality(),
        complete,
        {**asdict(model.settings), "gap": model.settings.gap_for(len(model.whole))},
        round(seconds, 3),
        search.notes,
    )
