"""The set of all near-optimal plans as one compiled model that is asked again and again."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ...errors import Infeasible, NoPlan, SolverFailed, UsageError, hinted
from ...prepare import PLAN
from ...solving.measures import capex
from ...solving.programme import Programme, Ticker
from ...solving.search import by_parts, least_cost
from ...solving.solver import PROVEN_UP_TO
from ...solving.stakes import without_projects
from ...words import figure_of
from .ceiling import Ceiling, Limit
from .near import Near
from .result import BUYS, SOME

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Progress, Settings
    from ..many import Result, Worker


EACH = 30.0  # seconds for each search in a model too large to be proven, unless said otherwise


NEARLY = 0.05  # relative: so nearly is a plan as different as possible
NEAR = 1e-3  # relative, or of one unit: to so much an end of a sum is found in a model that falls apart


Ends = tuple[float, float, bool, bool]  # least and most modules of an option, and whether each is proven
GROUPS = ("country", "owner", "startup", "stage", "option")


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
        if found.stopped == "interrupted":
            raise KeyboardInterrupt
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
        self.first_seen = [self.best] + [without.x] * (without.held and not self._too_dear(without.x))
        if self.method is not None and self.method.stalled:
            self.method = None
        self._open()
        self._hold(self.as_best)
        self.held.begin()
        if progress:
            progress(f"least cost {figure_of(self.best_musd, 6)} MUSD, ceiling {figure_of(self.ceiling, 6)}")

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

    def answer(self, piece: tuple[str, ...]) -> Result:
        """Do a piece of work: the name of a method and its arguments.

        Returns what it ``found``, and the further ``plans`` within the slack that were seen on the way.
        """
        self.seen = list(self.first_seen)
        name, *arguments = piece
        found = getattr(self, name)(*arguments)
        return {"found": found, "plans": [self.plan(x) for x in self.seen[len(self.first_seen) :]]}

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

    def _completed(self, plan: Plan) -> np.ndarray | None:
        """Return a plan with all its columns, shape (columns,), with its builds held; None if that failed."""
        x = self.best.copy()
        x[self.column] = 0.0
        for i, n in plan.builds:
            x[self.column[i]] = n
        modules = x[self.column]
        rest = self.column[~self.arrays.integer[self.column]]
        self._hold(modules)
        with self.held.bounded(rest, x[rest], x[rest]):
            found = self.held.cheapest()
        return found.x if found.held and not self._too_dear(found.x) else None

    @property
    def within(self) -> float:
        """The ceiling and the solver's tolerance, MUSD."""
        return self.ceiling + 1e-6 * max(1.0, abs(self.ceiling))

    def _too_dear(self, x: np.ndarray) -> bool:
        """Whether a plan costs more than the ceiling, beyond the tolerance."""
        return self.solver.cost(x) > self.within

    # --- searches -----------------------------------------------------------------------------------------

    def _weights(self, weights: Mapping[int, float], most: bool = False) -> np.ndarray:
        """The weight of each column in a sum to be made least, or (``most``) to be made most."""
        aim = np.zeros(len(self.arrays.cost))
        aim[list(weights)] = [-w if most else w for w in weights.values()]
        return aim

    def _aim(
        self, weights: Mapping[int, float], most: bool = False, gap: float = 0.0
    ) -> tuple[np.ndarray | None, bool]:
        """The solution with the least (or most) of a weighted sum of columns within the ceiling; and if proven.

        None if there is none, or (then it is not proven) if none was found in time.
        """
        aim = self._weights(weights, most)
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
        if self._too_dear(x):
            raise SolverFailed("a plan beyond the ceiling came back; please report this as a defect")
        self.seen.append(x)
        return x, found.optimal

    def _extreme(
        self, weights: Mapping[int, float], most: bool = False, gap: float = 0.0
    ) -> tuple[np.ndarray | None, bool]:
        """As `_aim`, of columns of investment; by the L-shaped method, to `NEAR` of it, where the model falls apart."""
        if self.method is None or not self.method.invests(weights):
            return self._aim(weights, most, gap)
        aim = self._weights(weights, most)
        known = min(self.seen, key=lambda x: float(aim @ x))
        near = max(gap, NEAR) * max(1.0, abs(float(aim @ known)))

        best, sure = self.method.least(aim, self.ceiling, known, near, self.each)
        self.seen.append(best)
        return best, sure

    def _with_whole(self, values: np.ndarray, aim: np.ndarray | None = None, afar: bool = False) -> np.ndarray | None:
        """Return the plan within the ceiling with these whole numbers, of least ``aim`` or else cost; None without one.

        values  of the whole columns
        afar    whether they are not those of the least-cost plan
        """
        self.held.bound(self.whole, values, values)
        found = self.held.cheapest() if aim is None else self.held.least(aim, afar)
        self.ticker.tick()
        if not found.held or self._too_dear(found.x):
            return None
        x = found.x.copy()
        x[self.whole] = values
        return x

    def _possible(self, *limits: Limit) -> tuple[np.ndarray | None, bool]:
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
        if found.held and not self._too_dear(found.x):
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

    # --- ranges -------------------------------------------------------------------------------------------

    def range(self, option: str) -> Ends:
        """The least and the most modules of an option, and whether each is proven."""
        self.tell(f"range of {option}")
        if not self.starts[option]:
            return 0.0, 0.0, True, True
        end = self._end if self.options[option].integer else self._end_in_fractions
        (least, sure_of_least), (most, sure_of_most) = end(option, False), end(option, True)
        return least, most, sure_of_least, sure_of_most

    def _known(self, option: str, most: bool) -> float:
        """The most (or least) modules of an option in the plans that are seen."""
        return (max if most else min)(self.modules(x, option) for x in self.seen)

    def _end(self, option: str, most: bool) -> tuple[float, bool]:
        """The most (or least) whole modules of an option, and whether that is proven.

        Cheap answers come first: what a plan seen shows, one project tried alone, the relaxation.
        """
        row = self.options[option]
        target = math.floor(row.max_modules) if most else math.ceil(row.min_modules)
        known = round(self._known(option, most))
        if known != target:
            self._try_one_project(option, most)
            known = round(self._known(option, most))
        if known != target and self.method is None and self._settled(option, known, most):
            return known, True
        while known != target:
            asked = known + math.ceil((target - known) / 2) if most else known - math.ceil((known - target) / 2)
            x, sure = self._possible(self.limit(option, *((asked, math.inf) if most else (-math.inf, asked))))
            if x is not None:
                known = round(self.modules(x, option))
            elif sure:
                target = asked - 1 if most else asked + 1
            else:
                return known, False
        return known, True

    def _end_in_fractions(self, option: str, most: bool) -> tuple[float, bool]:
        """The same of an option whose modules may be fractions.

        In a model that falls apart it is searched on only where it is open whether some plan builds it, or some does
        not; else the planes tell whether the end is proven.
        """
        row = self.options[option]
        target = row.max_modules if most else row.min_modules
        if abs(self._known(option, most) - target) <= SOME:
            return self._known(option, most), True
        weights = {int(self.column[i]): -1.0 if most else 1.0 for i in self.starts[option]}
        if self.method is None:
            self._keep_if_possible(self.as_best, {option: -1.0 if most else 1.0})
            end = self._known(option, most)
            sure = abs(end - target) <= SOME or self._settled(option, end, most) or self._aim(weights)[1]
            return self._known(option, most), sure
        aim = self._weights(weights)
        plan, bound = self.method.least_with(self.best, aim, self.ceiling, 0.5 * NEAR)
        self.seen += [] if plan is None else [plan]
        end = self._known(option, most)
        sure = abs(end - target) <= SOME or abs(bound - (-end if most else end)) <= NEAR
        if not sure and not self._known(option, False) <= SOME < self._known(option, True):
            sure = self._extreme(weights)[1]
        if SOME < abs(self._known(option, most) - target) <= NEAR:  # whether nothing, or all, is built is asked exactly
            sure = self._possible(self.limit(option, *((target, math.inf) if most else (-math.inf, target))))[1]
        return self._known(option, most), sure

    def _try_one_project(self, option: str, most: bool) -> None:
        """The least-cost plan with all of an option added, or all of it left out: one more plan if it can be paid."""
        for starts in (self.starts[option][::-1], self.starts[option]):  # late is cheaper, but funds may end
            modules = self.as_best.copy()
            self._take_out(modules, option)
            if most:
                self._put_in(modules, option, self.options[option].max_modules, starts)
            if self._keep_if_possible(modules, {}) or not most:
                break

    def _take_out(self, modules: np.ndarray, option: str) -> None:
        """Build nothing of an option, nor of the whole ones that require it."""
        modules[self.starts[option]] = 0.0
        for other in self.options.values():
            if other.requires == option and other.integer and modules[self.starts[other.option]].any():
                self._take_out(modules, other.option)

    def _put_in(self, modules: np.ndarray, option: str, count: float, starts: Sequence[int]) -> None:
        """Build ``count`` modules of an option, by ``starts``, and what that requires; nothing that it excludes."""
        row = self.options[option]
        for other in self.options.values():
            if row.exclusive_group and other.exclusive_group == row.exclusive_group and other.option != option:
                self._take_out(modules, other.option)
        for i in starts:
            modules[i] = min(count, math.floor(self.data.build[i].max_modules + SOME))
            count -= modules[i]
        first = min((self.data.build[i].year for i in self.starts[option] if modules[i]), default=0)
        early = [i for i in self.starts.get(row.requires, ()) if self.data.build[i].year <= first]
        if early and not modules[early].any():  # it is built later, or not at all
            modules[self.starts[row.requires]] = 0.0
            modules[early[-1]] = 1.0

    def _keep_if_possible(self, modules: np.ndarray, aim: Mapping[str, float]) -> bool:
        """Whether there is a plan within the slack with these whole modules; it is kept among those seen.

        aim  options whose (fractional) modules are to be made least, times a factor; none: the cheapest plan
        """
        if not self._within_bounds(modules):
            return False
        weights = np.zeros(len(self.arrays.cost))
        for option, factor in aim.items():
            weights[self.column[self.starts[option]]] = factor
        x = self._with_whole(self._whole_values(modules), weights if aim else None)
        self.seen += [] if x is None else [x]
        return x is not None

    def _hold(self, modules: np.ndarray) -> np.ndarray:
        """Hold the whole columns that go with these modules in ``held``; return their values."""
        values = self._whole_values(modules)
        self.held.bound(self.whole, values, values)
        return values

    def _whole_values(self, modules: np.ndarray) -> np.ndarray:
        """Values of the whole columns that go with the modules of whole options; others as in the least-cost plan."""
        x = self.best.copy()
        whole = self.arrays.integer[self.column]
        x[self.column[whole]] = modules[whole]
        for i, choice in enumerate(self.data.chosen):
            k = self.arrays.columns["chosen"][i]
            if self.options[choice.option].integer:
                x[k] = 1.0 if any(modules[start] > SOME for start in choice.starts) else 0.0
        return np.round(x[self.whole])

    def _within_bounds(self, modules: np.ndarray) -> bool:
        """Whether whole modules lie within the bounds of their columns."""
        k = self.column[self.arrays.integer[self.column]]
        values = modules[self.arrays.integer[self.column]]
        lower, upper = self.arrays.col_lower[k], self.arrays.col_upper[k]
        return bool((values >= lower - SOME).all() and (values <= upper + SOME).all())

    def _settled(self, option: str, known: float, most: bool) -> bool:
        """Whether the relaxation shows that no plan within the slack builds less (or more) than is known."""
        aim = np.zeros(len(self.arrays.cost))
        for i in self.starts[option]:
            aim[self.column[i]] = -1.0 if most else 1.0
        found = self.relaxed.least(aim)
        self.ticker.tick()
        if not found.optimal:
            return False
        end = self.modules(found.x, option)
        if not self.options[option].integer:
            return end <= known + SOME if most else end >= known - SOME
        return math.floor(end + SOME) <= known + SOME if most else math.ceil(end - SOME) >= known - SOME

    def latest_start(self, option: str) -> float | None:
        """The latest period in which an always-built option can be started first; None if that was not settled."""
        self.tell(f"latest start of {option}")
        years = sorted({self.data.build[i].year for i in self.starts[option]})
        low, high = 0, len(years) - 1  # starting first in years[low] is possible
        while low < high:
            middle = (low + high + 1) // 2
            x, sure = self._possible(self.limit(option, 0.0, 0.0, before=years[middle]))
            if x is None and not sure:
                return None
            low, high = (middle, high) if x is not None else (low, middle - 1)
        return float(years[low])

    # --- pairs --------------------------------------------------------------------------------------------

    def pair(self, one: str, other: str, built: bool) -> bool | None:
        """Whether a plan within the slack builds both options, or (``built`` false) neither; None if not settled."""
        self.tell(f"{'both' if built else 'neither'} of {one} and {other}")
        x, sure = self._possible(*(self.limit(o, *((1.0, math.inf) if built else (0.0, 0.0))) for o in (one, other)))
        return True if x is not None else False if sure else None

    # --- groups -------------------------------------------------------------------------------------------

    def members(self, text: str) -> list[str]:
        """The options of a group as it is asked for."""
        what, _, value = text.partition("=")
        if what not in GROUPS or not value:
            expected = ", ".join(f"{g}=..." for g in GROUPS)
            raise UsageError(hinted(f'group "{text}": expected {expected}', what, GROUPS))
        facilities = {f.facility: f for f in self.instance.facilities}
        stages = {m.material: m.stage for m in self.instance.materials}
        made: dict[str, set[str]] = defaultdict(set)
        for recipe in self.instance.recipes:
            if recipe.role == "output":
                made[recipe.process].add(stages[recipe.material])
        of_facility: dict[str, set[str]] = defaultdict(set)
        for operation in self.instance.operations:
            of_facility[operation.facility] |= made[operation.process]
        known: dict[str, Callable[[Any], set[str]]] = {
            "country": lambda o: {facilities[o.facility].country},
            "owner": lambda o: {facilities[o.facility].owner},
            "startup": lambda o: {"yes" if facilities[o.facility].startup else "no"},
            "stage": lambda o: of_facility[o.facility],
            "option": lambda o: {o.option},
        }
        found = [o.option for o in self.instance.options if value in known[what](o)]
        if not found:
            values = set().union(*(known[what](o) for o in self.instance.options)) - {""}
            raise UsageError(hinted(f'group "{text}": no option', value, values))
        return found

    def span(self, text: str) -> tuple[Any, ...]:
        """A row of the table ``groups``: the least and the most capacity and capex of a group."""
        options = self.members(text)
        self.tell(f"least and most of {text}")
        found: list[float] = []
        proven = True
        for unit in ("module_t", "capex_musd"):
            each = {o: float(getattr(self.options[o], unit)) for o in options}
            weights = {int(self.column[i]): each[o] for o in options for i in self.starts[o]}
            if unit == "capex_musd":
                of_column = capex(self.data, self.arrays, _of(each))
                weights = {int(k): float(of_column[k]) for k in np.flatnonzero(of_column)}
            for most in (False, True):
                _, sure = self._extreme(weights, most, gap=1e-4)
                known = [sum(w * x[k] for k, w in weights.items()) for x in self.seen]
                found.append(float(max(known) if most else min(known)))
                proven &= sure
        return (text, *found, proven)

    # --- what the slack buys ------------------------------------------------------------------------------

    def buy(self, name: str) -> tuple[str, float, float, bool] | None:
        """A row of the table ``buys``: aim, value at the least cost, best value within the slack, whether proven."""
        overnight = capex(self.data, self.arrays, lambda option: self.options[option].capex_musd)
        aims = (self.solver.measure("unclean"), overnight, *map(self.solver.measure, ("public", "unserved")))
        of_column = dict(zip(BUYS, aims, strict=True))[name]
        weights = {int(k): float(of_column[k]) for k in np.flatnonzero(of_column)}
        if not weights:
            return None
        self.tell(f"{name} within the slack")
        at_best = self._at_best(weights)
        _, sure = self._extreme(weights, gap=1e-4)
        best = float(min(sum(w * x[k] for k, w in weights.items()) for x in self.seen))
        return name, max(at_best, best), best, sure

    def _at_best(self, weights: Mapping[int, float]) -> float:
        """The least of a sum at the least cost: cost alone leaves open which of equal plans is meant."""
        room = 1e-7 * abs(self.best_musd)
        most = (self.ceiling - self.arrays.offset) * self.scale
        at_best = (self.best_musd + room - self.arrays.offset) * self.scale
        self.solver.side(self.row, -math.inf, at_best)
        with self.solver.bounded(self.column, *self._held()):
            try:
                found, _ = self._aim(weights)
            finally:
                self.solver.side(self.row, -math.inf, most)
        x = self.best if found is None else found
        return float(sum(w * x[k] for k, w in weights.items()))

    def _held(self) -> tuple[np.ndarray, np.ndarray]:
        built = self.best[self.column].copy()
        whole = self.arrays.integer[self.column]
        built[whole] = np.round(built[whole])
        return built - 1e-9 * ~whole, built + 1e-9 * ~whole

    # --- different plans ----------------------------------------------------------------------------------

    def farthest(self, before: Sequence[Plan], near: Plan) -> Plan | None:
        """A plan as different as possible from those before in what it builds; None if there is none.

        near  the plan known that is most different
        """
        weights = self._different(before)
        self.tell("a plan that differs as much as possible")
        known = self._completed(Plan(*near))
        self.seen += [] if known is None else [known]
        x, _ = self._extreme({int(self.column[i]): w for i, w in weights.items()}, most=True, gap=NEARLY)
        return None if x is None else self.plan(x)

    def most_different(self, known: Sequence[Plan], before: Sequence[Plan]) -> Plan:
        """Of the plans known, the one that differs most from those before."""
        weights = self._different(before)
        return max(known, key=lambda plan: (sum(weights.get(i, 0.0) * n for i, n in plan.builds), -plan.cost))

    def _different(self, before: Sequence[Plan]) -> dict[int, float]:
        """Weights of starts whose sum is greater the more a plan differs from those before in what it builds."""
        weights: dict[int, float] = {}
        totals = [self.totals(Plan(*plan)) for plan in before]
        for option, starts in self.starts.items():
            most = self.options[option].max_modules
            score = sum(1.0 - 2.0 * min(1.0, total[option] / most) for total in totals) / len(before)
            weights |= dict.fromkeys(starts, score / most)
        return weights

    def apart(self, plan: Plan, other: Plan) -> float:
        """How far two plans differ: the sum over options of the difference in the part of its modules."""
        one, two = self.totals(plan), self.totals(other)
        return sum(abs(one[o] - two[o]) / self.options[o].max_modules for o in self.starts)

    def name(self, plan: Plan, least: Plan, taken: Sequence[str]) -> str:
        """What a plan builds or leaves out, against the least-cost plan, largest capex first."""
        words = []
        totals, of_least = self.totals(plan), self.totals(least)
        for option in sorted(self.starts, key=lambda o: (-self.options[o].capex_musd, o)):
            now, then = totals[option], of_least[option]
            if abs(now - then) > SOME:
                words.append(f"{'with' if now > then else 'without'} {option}")
        said = ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
        name, n = said or "the same options at other times", 2
        while name in taken:
            name, n = f"{said} ({n})", n + 1
        return name


def _of(numbers: Mapping[str, float]) -> Callable[[str], float]:
    """Return the function of an option that gives its number, 0 if it has none."""
    return lambda option: numbers.get(option, 0.0)


def worker(space: Space) -> Worker:
    """Return what does pieces of work."""
    return space.answer


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
