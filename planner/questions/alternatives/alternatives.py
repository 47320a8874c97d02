"""Near-optimal plans: what must be built in all of them, what in none, and plans that differ as much as possible.

One compiled model with one row more, ``cost <= (1 + slack) best``; every cap and rule holds by construction. The range
of each option is found by minimising and maximising its modules. What a solution found on the way already shows is not
asked again; nor is what the least-cost plan shows with this one project added or left out, or what the relaxation
settles. Only what is left takes a search.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import Infeasible, NoPlan, SolverFailed, UsageError, did_you_mean
from ...words import figure_of

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Settings

Progress = Callable[[str], None]
MANIFEST = "alternatives.json"
SOME = 1e-6  # modules; less is none
EACH = 30.0  # seconds for each search in a model too large to be proven, unless said otherwise
TOLD_EVERY = 2.0  # seconds
GROUPS = ("country", "startup", "stage", "option")
BUYS = {
    "least exposure": "demand not served clean, present value, kt",
    "least capex": "overnight capex, MUSD",
    "least public money": "draws on funds, MUSD",
    "least shortage": "tonnes short, present value, kt",
}


@dataclass(frozen=True)
class Alternatives:
    """Plans within a slack of the least cost.

    ranges   one row an option: least and most modules over all near-optimal plans, ``verdict`` (``always``: some are
             built in every one, no-regret; ``sometimes``; ``never``; ``open``: so far always or never, but not proven),
             ``proven`` (both ends), latest_start (the latest first year of a period in which it can still be started
             first; blank if not always built or not asked)
    groups   least and most capacity (t) and capex (MUSD) of the groups asked for
    buys     what the slack buys at most: the best value of each aim, and its value in the least-cost plan
    plans    modules by option and start year of the least-cost plan and of each alternative, with its name and cost
    complete False if it was interrupted
    """

    instance: Instance
    slack: float
    best_musd: float
    ceiling_musd: float
    ranges: pd.DataFrame
    groups: pd.DataFrame
    buys: pd.DataFrame
    plans: pd.DataFrame
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of the plans, the least-cost plan first."""
        return list(dict.fromkeys(self.plans["plan"]))

    def plan(self, name: str, **options: Any) -> Run:
        """A plan by its name, solved and audited with its builds held (options as in `solve`)."""
        from ...solving.pins import Pins
        from ..solve import solve

        rows = self.plans[self.plans["plan"] == name]
        if rows.empty:
            raise UsageError(f"no plan {name}; {did_you_mean(name, self.names)}".rstrip("; "))
        built = {(r.option, r.start_year): r.modules for r in rows.itertuples() if r.option}
        held = {
            (o.option, y): built.get((o.option, y), 0.0) for o in self.instance.options for y in self.instance.years
        }
        return solve(self.instance, pins=Pins(held), **options)

    def to_dict(self) -> dict[str, Any]:
        """What alternatives.json holds."""
        tables = {"ranges": self.ranges, "groups": self.groups, "buys": self.buys, "plans": self.plans}
        found: dict[str, Any] = {
            "schema": 1,
            "instance": {
                "name": self.instance.name,
                "title": self.instance.title,
                "sha256": self.instance.sha256,
            },
            "slack": self.slack,
            "best_musd": self.best_musd,
            "ceiling_musd": self.ceiling_musd,
            "complete": self.complete,
            "settings": self.settings,
        }
        for name, table in tables.items():
            found[name] = [{k: None if v != v else v for k, v in row.items()} for row in table.to_dict("records")]
        return found

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write ranges.csv, groups.csv, buys.csv, alternatives.csv and alternatives.json."""
        from ...runs.folder import write_folder
        from ...runs.tables import to_csv

        tables = {"ranges": self.ranges, "groups": self.groups, "buys": self.buys, "alternatives": self.plans}
        files = {f"{name}.csv": to_csv(table) for name, table in tables.items()}
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        return write_folder(Path(folder), files, MANIFEST, lambda: text, overwrite)

    def __str__(self) -> str:
        lines = [
            f"Plans within {100 * self.slack:.3g} % of the least cost: "
            f"{figure_of(self.best_musd, 6)} to {figure_of(self.ceiling_musd, 6)} MUSD"
        ]
        for verdict, meaning in (
            ("always", "in every one (no-regret)"),
            ("sometimes", "in some"),
            ("never", "in none"),
            ("open", "in all or in none that were found, not proven"),
        ):
            rows = self.ranges[self.ranges["verdict"] == verdict]
            shown = [_range_words(r) for r in rows.head(40).itertuples()]
            more = f" and {len(rows) - 40} more" if len(rows) > 40 else ""
            if shown or verdict != "open":
                lines.append(f"{verdict}, {meaning}: {', '.join(shown) or 'nothing'}{more}")
        if len(self.groups):
            lines.append("Groups (least to most capacity started, t; capex, MUSD):")
            for r in self.groups.itertuples():
                proven = "" if r.proven else " (not proven)"
                money = f"{figure_of(r.least_musd, 5)} to {figure_of(r.most_musd, 5)} MUSD"
                lines.append(f"  {r.group}: {figure_of(r.least_t, 5)} to {figure_of(r.most_t, 5)} t, {money}{proven}")
        if len(self.buys):
            lines.append("What the slack buys at most:")
            for r in self.buys.itertuples():
                proven = "" if r.proven else " (not proven)"
                lines.append(
                    f"  {r.aim}: {figure_of(r.at_least_cost, 5)} -> {figure_of(r.best, 5)} ({BUYS[r.aim]}){proven}"
                )
        costs = self.plans.drop_duplicates("plan").set_index("plan")["cost_musd"]
        if len(costs) > 1:
            lines.append("Plans that differ most:")
            lines += [f"  {name}: {figure_of(cost, 6)} MUSD" for name, cost in costs.items()]
        if not self.complete:
            lines.append("Interrupted: what was found so far; ranges not asked are what the plans found show.")
        return "\n".join(lines)


def _range_words(row: Any) -> str:
    span = f"{row.least:.3g}" if row.most - row.least < SOME else f"{row.least:.3g}-{row.most:.3g}"
    latest = "" if row.latest_start != row.latest_start else f", start by {row.latest_start:.0f}"
    return f"{row.option} ({span}{latest}{'' if row.proven or row.verdict == 'open' else ', ends not proven'})"


def alternatives(
    instance: Instance,
    *,
    slack: float = 0.03,
    plans: int = 3,
    groups: Sequence[str] = (),
    latest: bool = True,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Alternatives:
    """Plans whose cost is within ``slack`` (a fraction) of the least.

    plans       how many alternatives to look for, each as different as possible from all before in which options it
                builds (the sum of differences in the parts of their modules that are built)
    groups      such as ``country=USA``, ``startup=yes``, ``stage=separation``, ``option=A``: exact ends of their
                capacity and capex
    latest      ask the latest start of each option that is always built
    gap         relative gap of the least-cost solve, as in `solve`; the ends of ranges are proven, or marked
    time_limit  seconds for each search [none; 30 in a model too large to be proven]; an end found in that time but
                not proven is marked

    The ceiling is (1 + slack) times the cost of the plan found, which may lie above the least by the gap. Raises
    UsageError and what `solve` raises.
    """
    if not 0.0 <= slack < math.inf or plans < 0:
        raise UsageError(f"slack = {slack}, plans = {plans}: expected a fraction and a number of 0 or more")
    from ...solving.solver import Settings

    space = _Space(instance, slack, Settings(gap, time_limit, threads, seed), progress)
    of_group = {text: space.members(text) for text in groups}
    complete = True
    chosen: list[tuple[str, np.ndarray]] = [("least cost", space.best)]
    bought: list[tuple[str, float, float, bool]] = []
    ends: dict[str, tuple[float, float, bool, bool]] = {}
    spans: list[tuple[str, float, float, float, float, bool]] = []
    starts: dict[str, float] = {}
    try:
        space.ranges(ends)
        if latest:
            for option, (least, _, sure, _) in ends.items():
                if least > SOME and sure:
                    starts[option] = space.latest_start(option)
        for text, options in of_group.items():
            spans.append(space.span(text, options))
        for row in space.buys():
            bought.append(row)
        for _ in range(plans):
            other = space.farthest([x for _, x in chosen])
            if other is None:
                break
            chosen.append((space.name(other, [x for _, x in chosen], [n for n, _ in chosen]), other))
    except KeyboardInterrupt:
        complete = False
    return space.result(chosen, bought, ends, spans, starts, complete)


def _verdict(least: float, most: float, sure_of_least: bool, sure_of_most: bool) -> str:
    """What is known of an option; plans that were found show ``sometimes`` whether or not the ends are proven."""
    if least <= SOME < most:
        return "sometimes"
    if least > SOME:
        return "always" if sure_of_least else "open"
    return "never" if sure_of_most else "open"


class _Space:
    """All plans within the slack: one compiled model with a ceiling on its cost."""

    def __init__(self, instance: Instance, slack: float, settings: Settings, progress: Progress | None) -> None:
        from ... import models
        from ...prepare import prepare
        from ...solving.solver import PROVEN_UP_TO, Solver, compile_model, costs_of_note, paused_garbage_collector

        self.instance, self.slack, self.settings, self.progress = instance, slack, settings, progress
        with paused_garbage_collector():
            self.data = prepare(instance).data
            self.arrays = compile_model(models.build(self.data))
        self.whole = np.flatnonzero(self.arrays.integer)
        self.each = settings.time_limit
        self.phase, self.began, self.told = "least cost", time.perf_counter(), time.perf_counter()
        self.solver = Solver(self.arrays, settings)
        self.solver.highs.cbMipInterrupt.subscribe(lambda _: self._tick())
        self.starts: dict[str, list[int]] = defaultdict(list)
        columns = self.arrays.columns.get("build", {})
        self.column = np.array([columns[i] for i in range(len(self.data.build))], dtype=int)
        for i, start in enumerate(self.data.build):
            self.starts[start.option].append(i)
        self.options = {o.option: o for o in instance.options}
        self.gap = settings.gap_for(len(self.whole))
        stopped = self._run()
        if stopped == "infeasible":
            raise Infeasible("no plan can satisfy the instance; planner diagnose tells why")
        if not self.solver.has_plan:
            raise NoPlan(f"no plan was found before the search ended ({stopped}); allow more time")
        if self.each is None and len(self.whole) > PROVEN_UP_TO:
            self.each = EACH
        self.best = self.solver.solution()[0]
        self.best_musd = self._cost(self.best)
        self.ceiling = self.best_musd + slack * abs(self.best_musd)
        self.seen = [self.best]
        cost = self.arrays.cost
        scale = 1.0 / max(1.0, float(np.abs(cost).max()))
        costly = costs_of_note(cost * scale)
        most = (self.ceiling - self.arrays.offset) * scale
        # without whole numbers the ends are found fast, and often settle those with them; with all of them held, a
        # plan with one project more or less is tried fast
        fractions = replace(self.arrays, integer=np.zeros_like(self.arrays.integer))
        self.relaxed, self.held = Solver(fractions, settings), Solver(fractions, settings)
        for solver in (self.solver, self.relaxed, self.held):
            solver.check(solver.highs.addRow(-np.inf, most, len(costly), costly, cost[costly] * scale), "the ceiling")
        if progress:
            progress(f"least cost {figure_of(self.best_musd, 6)} MUSD, ceiling {figure_of(self.ceiling, 6)}")

    def _cost(self, x: np.ndarray) -> float:
        return float(self.arrays.cost @ x) + self.arrays.offset

    def tell(self, phase: str) -> None:
        """Name what is looked for from now on."""
        self.phase = phase
        if self.progress and time.perf_counter() - self.told > TOLD_EVERY:
            self._tick(force=True)

    def _tick(self, force: bool = False) -> None:
        """A line of progress if there was none for some seconds."""
        now = time.perf_counter()
        if self.progress and (force or now - self.told > TOLD_EVERY):
            self.told = now
            self.progress(f"{now - self.began:6.1f} s  {self.phase}")

    def _run(self) -> str:
        self.solver.allow(self.each)
        stopped = self.solver.run()
        if stopped in ("infeasible", "failed"):
            self.solver.check(self.solver.highs.clearSolver(), "clearing")
            self.solver.option("presolve", "off")
            stopped = self.solver.run()
            self.solver.option("presolve", "choose")
        if stopped == "interrupted":
            raise KeyboardInterrupt
        return stopped

    def _aim(
        self, weights: Mapping[int, float], most: bool = False, gap: float = 0.0
    ) -> tuple[np.ndarray | None, bool]:
        """The solution with the least (or most) of a weighted sum of columns within the ceiling; and if proven.

        None if there is none, or (then it is not proven) if none was found in time.
        """
        count = len(self.arrays.cost)
        aim = np.zeros(count)
        for k, weight in weights.items():
            aim[k] = -weight if most else weight
        everything = np.arange(count, dtype=np.int32)
        solver = self.solver
        solver.check(solver.highs.changeColsCost(count, everything, aim), "an aim")
        solver.option("mip_rel_gap", max(gap, 1e-6))
        solver.option("mip_abs_gap", 1e-6 if gap == 0.0 else 0.0)
        if len(self.whole):
            near = max((x for x in self.seen if self._allowed(x)), key=lambda x: -float(aim @ x), default=None)
            if near is not None:  # all of it: HiGHS was seen to take 17 s to complete whole numbers alone
                solver.start_from(everything, np.where(self.arrays.integer, np.round(near), near))
        stopped = self._run()
        if stopped == "infeasible" or not solver.has_plan:
            return None, stopped == "infeasible"
        x = solver.solution()[0]
        if self._cost(x) > self.ceiling + 1e-6 * max(1.0, abs(self.ceiling)):
            raise SolverFailed("a plan beyond the ceiling came back; please report this as a defect")
        self.seen.append(x)
        return x, stopped == "optimal"

    def _allowed(self, x: np.ndarray) -> bool:
        """Whether a plan found before keeps the bounds that are held now."""
        lp = self.solver.highs.getLp()
        lower, upper = np.asarray(lp.col_lower_)[self.column], np.asarray(lp.col_upper_)[self.column]
        builds = x[self.column]
        return bool((builds >= lower - SOME).all() and (builds <= upper + SOME).all())

    def modules(self, x: np.ndarray, option: str) -> float:
        """Modules of an option over the horizon."""
        return float(sum(x[self.column[i]] for i in self.starts[option]))

    # --- ranges -------------------------------------------------------------------------------------------

    def ranges(self, ends: dict[str, tuple[float, float, bool, bool]]) -> None:
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
        """The most (or least) modules of an option, and whether that is proven."""
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
        as_best = np.round(self.best[self.column] * self.arrays.integer[self.column])
        if not row.integer:
            self._keep_if_possible(as_best, {option: -1.0 if most else 1.0})
            return False
        for starts in (self.starts[option][::-1], self.starts[option]):  # late is cheaper, but funds may end
            modules = as_best.copy()
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
        solver, count = self.held, len(self.arrays.cost)
        cost = self.arrays.cost.copy() if not aim else np.zeros(count)
        for option, factor in aim.items():
            cost[self.column[self.starts[option]]] = factor
        whole = self.whole.astype(np.int32)
        values = self._whole_values(modules)
        everything = np.arange(count, dtype=np.int32)
        solver.check(solver.highs.changeColsBounds(len(whole), whole, values, values), "the builds")
        solver.check(solver.highs.changeColsCost(count, everything, cost), "an aim")
        stopped = solver.run()
        self._tick()
        if stopped == "interrupted":
            raise KeyboardInterrupt
        if stopped != "optimal":
            return False
        x = solver.solution()[0]
        if self._cost(x) > self.ceiling + 1e-6 * max(1.0, abs(self.ceiling)):
            return False
        x[self.whole] = values
        self.seen.append(x)
        return True

    def _whole_values(self, modules: np.ndarray) -> np.ndarray:
        """Values of the whole columns that go with the modules of whole options; others as in the least-cost plan."""
        x = self.best.copy()
        whole = self.arrays.integer[self.column]
        x[self.column[whole]] = modules[whole]
        built = {self.data.build[i].option for i in np.flatnonzero(modules > SOME)}
        for i, option in enumerate(self.data.chosen):
            k = self.arrays.columns["chosen"][i]
            if self.options[option].integer:
                x[k] = 1.0 if option in built else 0.0
        return np.round(x[self.whole])

    def _within_bounds(self, modules: np.ndarray) -> bool:
        """Whether whole modules lie within the bounds of their columns."""
        k = self.column[self.arrays.integer[self.column]]
        values = modules[self.arrays.integer[self.column]]
        lower, upper = self.arrays.col_lower[k], self.arrays.col_upper[k]
        return bool((values >= lower - SOME).all() and (values <= upper + SOME).all())

    def _settled(self, option: str, known: float, most: bool) -> bool:
        """Whether the relaxation shows that no plan within the slack builds less (or more) than is known."""
        solver, count = self.relaxed, len(self.arrays.cost)
        aim = np.zeros(count)
        for i in self.starts[option]:
            aim[self.column[i]] = -1.0 if most else 1.0
        everything = np.arange(count, dtype=np.int32)
        solver.check(solver.highs.changeColsCost(count, everything, aim), "an aim")
        stopped = solver.run()
        self._tick()
        if stopped == "interrupted":
            raise KeyboardInterrupt
        if stopped != "optimal":
            return False
        end = self.modules(solver.solution()[0], option)
        if not self.options[option].integer:
            return end <= known + SOME if most else end >= known - SOME
        return math.floor(end + SOME) <= known + SOME if most else math.ceil(end - SOME) >= known - SOME

    def latest_start(self, option: str) -> float:
        """The latest period in which an always-built option can be started first, as far as the time allows to see."""
        self.tell(f"latest start of {option}")
        years = sorted({self.data.build[i].year for i in self.starts[option]})
        low, high = 0, len(years) - 1  # starting first in years[low] is possible
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._can_wait(option, years[middle]) else (low, middle - 1)
        return float(years[low])

    def _can_wait(self, option: str, year: int) -> bool:
        """Whether a plan within the slack starts nothing of an option before ``year``."""
        if any(
            not any(x[self.column[i]] > SOME and self.data.build[i].year < year for i in self.starts[option])
            for x in self.seen
        ):
            return True
        highs, check = self.solver.highs, self.solver.check
        barred = [i for i in self.starts[option] if self.data.build[i].year < year]
        for i in barred:
            check(highs.changeColBounds(int(self.column[i]), 0.0, 0.0), "a later start")
        try:
            return self._aim({})[0] is not None
        finally:
            for i in barred:
                k = int(self.column[i])
                lower, upper = float(self.arrays.col_lower[k]), float(self.arrays.col_upper[k])
                check(highs.changeColBounds(k, lower, upper), "a later start")

    # --- groups -------------------------------------------------------------------------------------------

    def members(self, text: str) -> list[str]:
        """The options of a group as it is asked for."""
        what, _, value = text.partition("=")
        if what not in GROUPS or not value:
            hint = did_you_mean(what, GROUPS)
            raise UsageError(f'group "{text}": expected {", ".join(f"{g}=..." for g in GROUPS)}; {hint}'.rstrip("; "))
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
            raise UsageError(f'group "{text}": no option; {did_you_mean(value, values)}'.rstrip("; "))
        return found

    def span(self, text: str, options: Sequence[str]) -> tuple[str, float, float, float, float, bool]:
        """Least and most capacity and capex of a group."""
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
        return (text, found[0], found[1], found[2], found[3], proven)

    # --- what the slack buys ------------------------------------------------------------------------------

    def buys(self) -> Iterator[tuple[str, float, float, bool]]:
        """(aim, value at least cost, best value within the slack, proven)."""
        data, columns = self.data, self.arrays.columns
        exposed = {
            columns["deliver"][i]: data.nodes[d.node].present
            for i, d in enumerate(data.deliver)
            if d.provenance == "exposed" and data.nodes[d.node].branch == ""
        }
        short = {
            k: data.nodes[data.need[d].node].present
            for d, k in columns.get("short", {}).items()
            if data.nodes[data.need[d].node].branch == ""
        }
        capex = {int(self.column[i]): self.options[b.option].capex_musd for i, b in enumerate(data.build)}
        public = dict.fromkeys(columns.get("fund_draw", {}).values(), 1.0)
        aims = zip(BUYS, (exposed | short, capex, public, short), strict=True)
        for name, weights in aims:
            if not weights:
                continue
            self.tell(f"{name} within the slack")
            at_best = self._at_best(weights)
            _, sure = self._aim(weights, gap=1e-4)
            best = float(min(sum(w * x[k] for k, w in weights.items()) for x in self.seen))
            yield name, max(at_best, best), best, sure

    def _at_best(self, weights: Mapping[int, float]) -> float:
        """The least of a sum at the least cost: cost alone leaves open which of equal plans is meant."""
        row = self.arrays.matrix.shape[0]
        highs, check = self.solver.highs, self.solver.check
        room = 1e-7 * abs(self.best_musd)
        most = float(highs.getRow(row)[2])
        at_best = most * (self.best_musd + room - self.arrays.offset) / (self.ceiling - self.arrays.offset)
        check(highs.changeRowBounds(row, -np.inf, at_best), "the ceiling")
        check(highs.changeColsBounds(len(self.column), self.column.astype(np.int32), *self._held()), "the builds")
        try:
            found, _ = self._aim(weights)
        finally:
            check(highs.changeRowBounds(row, -np.inf, most), "the ceiling")
            lower, upper = self.arrays.col_lower[self.column], self.arrays.col_upper[self.column]
            check(highs.changeColsBounds(len(self.column), self.column.astype(np.int32), lower, upper), "the builds")
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

    # --- result -------------------------------------------------------------------------------------------

    def result(
        self,
        chosen: Sequence[tuple[str, np.ndarray]],
        bought: Sequence[tuple[str, float, float, bool]],
        ends: Mapping[str, tuple[float, float, bool, bool]],
        spans: Sequence[tuple[str, float, float, float, float, bool]],
        starts: Mapping[str, float],
        complete: bool,
    ) -> Alternatives:
        """Everything as frames."""
        import pandas as pd

        rows = []
        for option in sorted(self.options):
            known = [self.modules(x, option) for x in self.seen]
            least, most, sure_of_least, sure_of_most = ends.get(option, (min(known), max(known), False, False))
            facility = self.options[option].facility
            verdict = _verdict(least, most, sure_of_least, sure_of_most)
            proven = sure_of_least and sure_of_most
            rows.append((option, facility, verdict, least, most, proven, starts.get(option, math.nan)))
        built = []
        for name, x in chosen:
            modules = [(self.data.build[i], float(x[self.column[i]])) for i in range(len(self.data.build))]
            started = [(b.option, b.year, round(n) if b.integer else n) for b, n in modules if n > SOME]
            built += [(name, self._cost(x), *row) for row in started or [("", 0, 0.0)]]
        return Alternatives(
            self.instance,
            self.slack,
            self.best_musd,
            self.ceiling,
            pd.DataFrame(
                rows, columns=["option", "facility", "verdict", "least", "most", "proven", "latest_start"]
            ).astype({"least": float, "most": float}),
            pd.DataFrame(spans, columns=["group", "least_t", "most_t", "least_musd", "most_musd", "proven"]),
            pd.DataFrame(bought, columns=["aim", "at_least_cost", "best", "proven"]),
            pd.DataFrame(built, columns=["plan", "cost_musd", "option", "start_year", "modules"]).astype(
                {"modules": float}
            ),
            complete,
            {"gap": self.gap, "time_limit": self.settings.time_limit, "seed": self.settings.seed},
        )
