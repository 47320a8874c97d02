"""The set of all near-optimal plans as one compiled model that is asked again and again."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import Infeasible, NoPlan, SolverFailed, UsageError, hinted
from ...solving.measures import capex
from ...solving.programme import Programme, Ticker
from ...solving.solver import PROVEN_UP_TO
from ...solving.stakes import without_projects
from ...words import figure_of
from .near import Near
from .result import BUYS, SOME

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Progress, Settings


EACH = 30.0  # seconds for each search in a model too large to be proven, unless said otherwise


Ends = tuple[float, float, bool, bool]  # least and most modules of an option, and whether each is proven
GROUPS = ("country", "startup", "stage", "option")


class Space:
    """All plans within the slack: one compiled model with a ceiling on its cost."""

    def __init__(self, instance: Instance, slack: float, settings: Settings, progress: Progress | None) -> None:
        self.instance, self.slack, self.settings, self.progress = instance, slack, settings, progress
        self.solver = Programme.of(instance, settings)
        self.data, self.arrays = self.solver.prepared.data, self.solver.arrays
        self.whole = self.arrays.whole
        self.each = settings.time_limit
        self.ticker = Ticker(progress)
        self.ticker.phase = "least cost"
        self.solver.watch(self.ticker.tick)
        self.starts: dict[str, list[int]] = defaultdict(list)
        columns = self.arrays.columns.get("build", {})
        self.column = np.array([columns[i] for i in range(len(self.data.build))], dtype=int)
        for i, start in enumerate(self.data.build):
            self.starts[start.option].append(i)
        self.options = {o.option: o for o in instance.options}
        self.gap = settings.gap_for(len(self.whole))
        found = self.solver.find(seconds=self.each)
        if found.stopped == "infeasible":
            raise Infeasible("no plan can satisfy the instance; planner diagnose tells why")
        if not found.held:
            raise NoPlan(f"no plan was found before the search ended ({found.stopped}); allow more time")
        if self.each is None and len(self.whole) > PROVEN_UP_TO:
            self.each = EACH
        self.tell("no optional project")
        without = without_projects(self.solver, self.data, self.each)
        self.no_project = "feasible" if without.held and not without.optimal else without.stopped
        self.no_project_musd = self.solver.cost(without.x) if without.held else math.nan
        # within the gap it may be the cheapest plan that is known
        self.best = without.x if self.no_project_musd < self.solver.cost(found.x) else found.x
        self.best_musd = self.solver.cost(self.best)
        self.bound_musd = min(found.bound, self.best_musd) if len(self.whole) else self.best_musd
        self.ceiling = self.best_musd + slack * abs(self.best_musd)
        self.seen = [self.best] + [without.x] * (without.held and not self._too_dear(without.x))
        self.scale = 1.0 / max(1.0, float(np.abs(self.arrays.cost).max()))
        # without whole numbers the ends are found fast, and often settle those with them; with all of them held, a
        # plan with one project more or less is tried fast
        most = self.ceiling - self.arrays.offset
        self.row = self.solver.add_limit(self.arrays.cost, most, self.scale)
        self.relaxed, self.held = (Near(self.arrays.relaxed, settings, most, self.scale, self.each) for _ in range(2))
        self.as_best = np.round(self.best[self.column] * self.arrays.integer[self.column])
        self._hold(self.as_best)
        self.held.begin()
        if progress:
            progress(f"least cost {figure_of(self.best_musd, 6)} MUSD, ceiling {figure_of(self.ceiling, 6)}")

    def tell(self, phase: str) -> None:
        """Say in the lines of progress what is looked for from now on."""
        self.ticker.phase = phase
        self.ticker.tick()

    def _aim(
        self, weights: Mapping[int, float], most: bool = False, gap: float = 0.0
    ) -> tuple[np.ndarray | None, bool]:
        """The solution with the least (or most) of a weighted sum of columns within the ceiling; and if proven.

        None if there is none, or (then it is not proven) if none was found in time.
        """
        aim = np.zeros(len(self.arrays.cost))
        for k, weight in weights.items():
            aim[k] = -weight if most else weight
        self.solver.objective(aim)
        if len(self.whole):
            near = max((x for x in self.seen if self._allowed(x)), key=lambda x: -float(aim @ x), default=None)
            if near is not None:  # all of it: HiGHS was seen to take 17 s to complete whole numbers alone
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

    def _allowed(self, x: np.ndarray) -> bool:
        """Whether a plan found before keeps the bounds that are held now."""
        lower, upper = (side[self.column] for side in self.solver.bounds)
        builds = x[self.column]
        return bool((builds >= lower - SOME).all() and (builds <= upper + SOME).all())

    def modules(self, x: np.ndarray, option: str) -> float:
        """Modules of an option over the horizon."""
        return float(sum(x[self.column[i]] for i in self.starts[option]))

    def started(self, x: np.ndarray) -> list[tuple[str, int, float]]:
        """Option, year and modules of what a plan starts; one blank row if it starts nothing."""
        modules = [(b, float(x[k])) for b, k in zip(self.data.build, self.column, strict=True)]
        started = [(b.option, b.year, round(n) if b.integer else n) for b, n in modules if n > SOME]
        return started or [("", 0, 0.0)]

    def _too_dear(self, x: np.ndarray) -> bool:
        """Whether a plan costs more than the ceiling, beyond the solver's tolerance."""
        return self.solver.cost(x) > self.ceiling + 1e-6 * max(1.0, abs(self.ceiling))

    # --- ranges -------------------------------------------------------------------------------------------

    def ranges(self, ends: dict[str, Ends]) -> None:
        """Fill the least and the most modules of every option, and whether each is proven."""
        order = sorted(self.options, key=lambda o: -self.options[o].capex_musd)
        for number, option in enumerate(order, start=1):
            self.tell(f"range of {option}, {number} of {len(order)} options")
            if not self.starts[option]:
                ends[option] = (0.0, 0.0, True, True)
                continue
            least, sure_of_least = self._end(option, False)
            most, sure_of_most = self._end(option, True)
            if self.options[option].integer:
                least, most = round(least), round(most)
            ends[option] = (least, most, sure_of_least, sure_of_most)

    def _end(self, option: str, most: bool) -> tuple[float, bool]:
        """The most (or least) modules of an option, and whether that is proven.

        Cheap answers come first: what a plan found before shows, one project tried alone, the relaxation; the search
        with whole numbers comes last.
        """
        row = self.options[option]
        target = row.max_modules if most else row.min_modules
        for step in (None, self._try_one_project, self._search):
            sure = step is None or step(option, most)
            known = [self.modules(x, option) for x in self.seen]
            end = max(known) if most else min(known)
            if abs(end - target) <= SOME or (step == self._search and sure):
                return end, True
            if step == self._try_one_project and self._settled(option, end, most):
                return end, True
        return end, False

    def _search(self, option: str, most: bool) -> bool:
        """Ask for the end of an option's range; whether the answer is proven."""
        return self._aim({int(self.column[i]): 1.0 for i in self.starts[option]}, most=most)[1]

    def _try_one_project(self, option: str, most: bool) -> bool:
        """The least-cost plan with all of an option added, or all of it left out: one more plan if it can be paid."""
        row = self.options[option]
        if not row.integer:
            self._keep_if_possible(self.as_best, {option: -1.0 if most else 1.0})
            return False
        for starts in (self.starts[option][::-1], self.starts[option]):  # late is cheaper, but funds may end
            modules = self.as_best.copy()
            self._take_out(modules, option)
            if most:
                self._put_in(modules, option, row.max_modules, starts)
            if self._keep_if_possible(modules, {}) or not most:
                break
        return False

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
        values = self._hold(modules)
        found = self.held.least(weights) if aim else self.held.cheapest()
        self.ticker.tick()
        if not found.held:
            return False
        x = found.x
        if self._too_dear(x):
            return False
        x[self.whole] = values
        self.seen.append(x)
        return True

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

    def latest_start(self, option: str) -> float:
        """The latest period in which an always-built option can be started first; NaN if the time did not suffice."""
        self.tell(f"latest start of {option}")
        years = sorted({self.data.build[i].year for i in self.starts[option]})
        low, high = 0, len(years) - 1  # starting first in years[low] is possible
        while low < high:
            middle = (low + high + 1) // 2
            can_wait, sure = self._can_wait(option, years[middle])
            if not sure:
                return math.nan
            low, high = (middle, high) if can_wait else (low, middle - 1)
        return float(years[low])

    def _can_wait(self, option: str, year: int) -> tuple[bool, bool]:
        """Whether a plan within the slack starts nothing of an option before ``year``, and whether that is proven."""
        if any(
            not any(x[self.column[i]] > SOME and self.data.build[i].year < year for i in self.starts[option])
            for x in self.seen
        ):
            return True, True
        barred = self.column[[i for i in self.starts[option] if self.data.build[i].year < year]]
        with self.solver.bounded(barred, 0.0, 0.0):
            x, sure = self._aim({})
        return x is not None, x is not None or sure

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
            "startup": lambda o: {"yes" if facilities[o.facility].startup else "no"},
            "stage": lambda o: of_facility[o.facility],
            "option": lambda o: {o.option},
        }
        found = [o.option for o in self.instance.options if value in known[what](o)]
        if not found:
            values = set().union(*(known[what](o) for o in self.instance.options)) - {""}
            raise UsageError(hinted(f'group "{text}": no option', value, values))
        return found

    def span(self, text: str, options: Sequence[str]) -> tuple[Any, ...]:
        """A row of the table ``groups``: the least and the most capacity and capex of a group."""
        self.tell(f"least and most of {text}")
        found: list[float] = []
        proven = True
        for unit in ("module_t", "capex_musd"):
            weights = {
                int(self.column[i]): float(getattr(self.options[o], unit)) for o in options for i in self.starts[o]
            }
            for most in (False, True):
                _, sure = self._aim(weights, most, gap=1e-4)
                known = [sum(w * x[k] for k, w in weights.items()) for x in self.seen]
                found.append(float(max(known) if most else min(known)))
                proven &= sure
        return (text, *found, proven)

    # --- what the slack buys ------------------------------------------------------------------------------

    def buys(self) -> Iterator[tuple[str, float, float, bool]]:
        """Rows of the table ``buys``: aim, value at the least cost, best value within the slack, whether proven."""
        overnight = capex(self.data, self.arrays, lambda option: self.options[option].capex_musd)
        aims = (self.solver.measure("unclean"), overnight, *map(self.solver.measure, ("public", "unserved")))
        for name, of_column in zip(BUYS, aims, strict=True):
            weights = {int(k): float(of_column[k]) for k in np.flatnonzero(of_column)}
            if not weights:
                continue
            self.tell(f"{name} within the slack")
            at_best = self._at_best(weights)
            _, sure = self._aim(weights, gap=1e-4)
            best = float(min(sum(w * x[k] for k, w in weights.items()) for x in self.seen))
            yield name, max(at_best, best), best, sure

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

    def farthest(self, before: Sequence[np.ndarray]) -> np.ndarray | None:
        """A plan as different as possible from those before in what it builds; None if there is none."""
        weights: dict[int, float] = {}
        for option, starts in self.starts.items():
            most = self.options[option].max_modules
            score = sum(1.0 - 2.0 * min(1.0, self.modules(x, option) / most) for x in before) / len(before)
            for i in starts:
                weights[int(self.column[i])] = score / most
        self.tell("a plan that differs as much as possible")
        x, _ = self._aim(weights, most=True, gap=0.01)
        if x is None:
            return None
        apart = min(
            sum(abs(self.modules(x, o) - self.modules(y, o)) / self.options[o].max_modules for o in self.starts)
            for y in before
        )
        return x if apart > 1e-3 else None

    def name(self, x: np.ndarray, before: Sequence[np.ndarray], taken: Sequence[str]) -> str:
        """What a plan builds or leaves out, against the least-cost plan, largest capex first."""
        words = []
        for option in sorted(self.starts, key=lambda o: (-self.options[o].capex_musd, o)):
            now, then = self.modules(x, option), self.modules(before[0], option)
            if abs(now - then) > SOME:
                words.append(f"{'with' if now > then else 'without'} {option}")
        said = ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
        name, n = said or "the same options at other times", 2
        while name in taken:
            name, n = f"{said} ({n})", n + 1
        return name
