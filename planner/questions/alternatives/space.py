"""The set of all near-optimal plans as one compiled model that is asked again and again."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ...errors import Infeasible, NoPlan, SolverFailed
from ...prepare import PLAN
from ...solving.programme import Programme, Ticker, with_rows
from ...solving.search import by_parts, least_cost
from ...solving.solver import PROVEN_UP_TO
from ...solving.stakes import without_projects
from ...words import figure_of
from .ceiling import Ceiling, Limit
from .near import Near
from .result import SOME

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Progress, Settings


EACH = 30.0  # seconds for each search in a model too large to be proven, unless said otherwise


NEAR = 1e-3  # relative, or of one unit: to so much an end of a sum is found in a model that falls apart


class Plan(NamedTuple):
    """What is kept of a near-optimal plan.

    cost    MUSD
    builds  position in ``data.build`` and modules of what it starts
    """

    cost: float
    builds: tuple[tuple[int, float], ...]


class Space:
    """All plans within the slack: one compiled model that is asked again and again.

    It can be pickled, so that other processes can be asked too. Every question starts from what is found here, so that
    its answer does not depend on what was asked before.

    best, best_musd, bound_musd  the plan of least cost, shape (columns,), its cost, and below which no plan is, MUSD
    no_project, no_project_musd  how the search without optional projects ended, and what such a plan costs, MUSD
    ceiling                      the most that a plan may cost, MUSD
    first_seen                   plans within it that are known from the beginning
    """

    method: Ceiling | None

    def __init__(self, instance: Instance, slack: float, settings: Settings, progress: Progress | None) -> None:
        self._compile(instance, slack, settings, progress)
        self.ticker.phase = "least cost"
        self.method = by_parts(self.solver, Ceiling)
        found = least_cost(self.solver, self.method, None, self.solver.settings.time_limit, progress)
        if found.stopped == "infeasible":
            raise Infeasible("no plan can satisfy the instance; planner diagnose tells why")
        if not found.held:
            raise NoPlan(f"no plan was found before the search ended ({found.stopped}); allow more time")
        self.tell("no optional project")
        without = without_projects(self.solver, self.data, self.each)
        self.no_project = "feasible" if without.held and not without.optimal else without.stopped
        self.no_project_musd = self.solver.cost(without.x) if without.held else math.nan
        # within the gap it may be the cheapest plan that is known
        self.best = without.x if self.no_project_musd < self.solver.cost(found.x) else found.x
        self.best_musd = self.solver.cost(self.best)
        self.bound_musd = min(found.bound, self.best_musd) if len(self.whole) else self.best_musd
        self.ceiling = self.best_musd + slack * abs(self.best_musd)
        self.first_seen = [self.best] + [without.x] * (without.held and not self.too_dear(without.x))
        if self.method is not None and self.method.stalled:
            self.method = None
        self._open()
        self.hold(self.as_best)
        if self.method is not None:  # from the bases of the parts few steps are left; from nothing it takes seconds
            self.held.start = with_rows(self.method.basis(self.best[self.method.first]), 1)  # the row of the ceiling
        self.held.begin()
        if progress:
            progress(f"least cost {figure_of(self.best_musd, 6)} million, ceiling {figure_of(self.ceiling, 6)}")

    def _compile(self, instance: Instance, slack: float, settings: Settings, progress: Progress | None) -> None:
        self.instance, self.slack, self.settings, self.progress = instance, slack, settings, progress
        self.solver = Programme.of(instance, settings)
        self.data, self.arrays = self.solver.prepared.data, self.solver.arrays
        self.whole = self.arrays.whole
        large = settings.time_limit is None and len(self.whole) > PROVEN_UP_TO
        self.each = EACH if large else settings.time_limit
        self.ticker = Ticker(progress)
        self.solver.watch(self.ticker.tick)
        self.starts: dict[str, list[int]] = defaultdict(list)
        columns = self.arrays.columns.get("build", {})
        self.column = np.array([columns[i] for i in range(len(self.data.build))], dtype=int)
        for i in self.data.starts[PLAN]:
            self.starts[self.data.build[i].option].append(i)
        self.options = {o.option: o for o in instance.options}
        self.gap = settings.gap_for(len(self.whole))

    def _open(self) -> None:
        """Set up what answers questions, once the least cost is known."""
        self.seen = list(self.first_seen)
        self.scale = 1.0 / max(1.0, float(np.abs(self.arrays.cost).max()))
        self.most = self.ceiling - self.arrays.offset
        self.row = self.solver.add_limit(self.arrays.cost, self.most, self.scale)
        # with all whole numbers held, a plan with one project more or less is tried fast
        self.held = Near(self.arrays.relaxed, self.settings, self.most, self.scale, self.each)
        self.as_best = np.round(self.best[self.column] * self.arrays.integer[self.column])

    def __reduce__(self) -> tuple[Any, ...]:
        names = ("best", "best_musd", "bound_musd", "no_project", "no_project_musd", "ceiling", "first_seen")
        known = {name: getattr(self, name) for name in names}
        method = None if self.method is None else self.method.state
        return _elsewhere, (self.instance, self.slack, self.settings, known, self.held.start, method)

    @cached_property
    def relaxed(self) -> Near:
        """Near-optimal plans without whole numbers; their ends often settle those with them."""
        return Near(self.arrays.relaxed, self.settings, self.most, self.scale, self.each)

    def tell(self, phase: str) -> None:
        """Say in the lines of progress what is looked for from now on."""
        self.ticker.phase = phase
        self.ticker.tick()

    # --- plans --------------------------------------------------------------------------------------------

    def plan(self, x: np.ndarray) -> Plan:
        """Return what is kept of a plan ``x``, shape (columns,)."""
        modules = [(i, float(x[k])) for i, k in enumerate(self.column.tolist())]
        started = ((i, float(round(n)) if self.data.build[i].integer else n) for i, n in modules if n > SOME)
        return Plan(self.solver.cost(x), tuple(started))

    def modules(self, x: np.ndarray, option: str) -> float:
        """Modules of an option over the horizon."""
        return float(sum(x[self.column[i]] for i in self.starts[option]))

    def started(self, plan: Plan) -> list[tuple[str, int, float]]:
        """Option, year and modules of what a plan starts; one blank row if it starts nothing."""
        builds = ((self.data.build[i], n) for i, n in plan.builds)
        started = [(s.option, s.year, round(n) if s.integer else n) for s, n in builds if s.branch == PLAN]
        return started or [("", 0, 0.0)]

    def totals(self, plan: Plan) -> dict[str, float]:
        """Modules of each option in a plan."""
        total = dict.fromkeys(self.starts, 0.0)
        for option, _, n in self.started(plan):
            if option:
                total[option] += n
        return total

    def completed(self, plan: Plan) -> np.ndarray | None:
        """Return a plan with all its columns, shape (columns,), with its builds held; None if that failed."""
        x = self.best.copy()
        x[self.column] = 0.0
        for i, n in plan.builds:
            x[self.column[i]] = n
        modules = x[self.column]
        rest = self.column[~self.arrays.integer[self.column]]
        self.hold(modules)
        with self.held.bounded(rest, x[rest], x[rest]):
            found = self.held.cheapest()
        return found.x if found.held and not self.too_dear(found.x) else None

    @property
    def within(self) -> float:
        """The ceiling and the solver's tolerance, MUSD."""
        return self.ceiling + 1e-6 * max(1.0, abs(self.ceiling))

    def too_dear(self, x: np.ndarray) -> bool:
        """Whether a plan costs more than the ceiling, beyond the tolerance."""
        return self.solver.cost(x) > self.within

    # --- searches -----------------------------------------------------------------------------------------

    def weights(self, weights: Mapping[int, float], most: bool = False) -> np.ndarray:
        """The weight of each column in a sum to be made least, or (``most``) to be made most."""
        aim = np.zeros(len(self.arrays.cost))
        aim[list(weights)] = [-w if most else w for w in weights.values()]
        return aim

    def aim(self, weights: Mapping[int, float], most: bool = False, gap: float = 0.0) -> tuple[np.ndarray | None, bool]:
        """The solution with the least (or most) of a weighted sum of columns within the ceiling; and if proven.

        None if there is none, or (then it is not proven) if none was found in time.
        """
        aim = self.weights(weights, most)
        near = max((x for x in self.seen if self._allowed(x)), key=lambda x: -float(aim @ x), default=None)
        self.solver.objective(aim)
        self.solver.start_from(None)
        if len(self.whole) and near is not None:
            # all of it: HiGHS was seen to take 17 s to complete whole numbers alone
            self.solver.offer(np.arange(len(near)), near)
        close = 1e-6 if gap == 0.0 else 0.0
        found = self.solver.find(gap=max(gap, 1e-6), absolute_gap=close, seconds=self.each)
        if not found.held:
            return None, found.stopped == "infeasible"
        x = found.x
        if self.too_dear(x):
            raise SolverFailed("a plan beyond the ceiling came back; please report this as a defect")
        self.seen.append(x)
        return x, found.optimal

    def extreme(
        self, weights: Mapping[int, float], most: bool = False, gap: float = 0.0
    ) -> tuple[np.ndarray | None, bool]:
        """As `_aim`, of columns of investment; by the L-shaped method, to `NEAR` of it, where the model falls apart."""
        if self.method is None or not self.method.invests(weights):
            return self.aim(weights, most, gap)
        aim = self.weights(weights, most)
        known = min(self.seen, key=lambda x: float(aim @ x))
        near = max(gap, NEAR) * max(1.0, abs(float(aim @ known)))

        best, sure = self.method.least(aim, self.ceiling, known, near, self.each)
        self.seen.append(best)
        return best, sure

    def with_whole(self, values: np.ndarray, aim: np.ndarray | None = None) -> np.ndarray | None:
        """Return the plan within the ceiling with these whole numbers, of least ``aim`` or else cost; None without one.

        values  of the whole columns
        """
        self.held.bound(self.whole, values, values)
        found = self.held.cheapest() if aim is None else self.held.least(aim)
        self.ticker.tick()
        if not found.held or self.too_dear(found.x):
            return None
        x = found.x.copy()
        x[self.whole] = values
        return x

    def possible(self, *limits: Limit) -> tuple[np.ndarray | None, bool]:
        """Return a plan within the ceiling that keeps limits on builds, and whether the answer is proven."""
        for x in self.seen:
            if all(limit.kept(x) for limit in limits):
                return x, True
        if self.method is not None:
            found, sure = self.method.possible(limits, self.within, self.each)
        else:
            found, sure = self._searched(limits)
        self.seen += [] if found is None else [found]
        return found, sure

    def _searched(self, limits: Sequence[Limit]) -> tuple[np.ndarray | None, bool]:
        """As `_possible`, by a search of the whole model for the least cost, without the row of the ceiling."""
        solver = self.solver
        solver.side(self.row, -math.inf, math.inf)
        solver.objective(self.arrays.cost)
        solver.start_from(None)
        rows = [solver.add_row(np.array(limit.columns), 1.0, limit.least, limit.most) for limit in limits]
        try:
            found = solver.find(gap=0.5 * self.slack, cutoff=self.within, seconds=self.each)
        finally:
            solver.drop_rows(rows)
            solver.side(self.row, -math.inf, self.most * self.scale)
        if found.held and not self.too_dear(found.x):
            return found.x, True
        return None, found.stopped == "infeasible" or found.bound >= self.within

    def _allowed(self, x: np.ndarray) -> bool:
        """Whether a plan found before keeps the bounds that are held now."""
        lower, upper = (side[self.column] for side in self.solver.bounds)
        builds = x[self.column]
        return bool((builds >= lower - SOME).all() and (builds <= upper + SOME).all())

    def limit(self, option: str, least: float, most: float, before: float = math.inf) -> Limit:
        """Return the limit on the modules of an option, or of those that it starts ``before`` a year."""
        starts = [i for i in self.starts[option] if self.data.build[i].year < before]
        return Limit(tuple(int(self.column[i]) for i in starts), least, most)

    # --- whole numbers ------------------------------------------------------------------------------------

    def hold(self, modules: np.ndarray) -> np.ndarray:
        """Hold the whole columns that go with these modules in ``held``; return their values."""
        values = self.whole_values(modules)
        self.held.bound(self.whole, values, values)
        return values

    def whole_values(self, modules: np.ndarray) -> np.ndarray:
        """Values of the whole columns that go with the modules of whole options; others as in the least-cost plan."""
        x = self.best.copy()
        whole = self.arrays.integer[self.column]
        x[self.column[whole]] = modules[whole]
        for i, choice in enumerate(self.data.chosen):
            k = self.arrays.columns["chosen"][i]
            if self.options[choice.option].integer:
                x[k] = 1.0 if any(modules[start] > SOME for start in choice.starts) else 0.0
        return np.round(x[self.whole])


def _elsewhere(
    instance: Instance, slack: float, settings: Settings, known: dict[str, Any], start: Any, method: Any
) -> Space:
    """Return a space in another process, with what was found in the one that was pickled."""
    space = Space.__new__(Space)
    space._compile(instance, slack, settings, None)
    for name, value in known.items():
        setattr(space, name, value)
    space.method = None
    if method is not None:
        space.method = cast(Ceiling, Ceiling.of(space.arrays, settings))
        space.method.resume(method)
    space._open()
    space.held.start, space.held.begun = start, True
    return space
