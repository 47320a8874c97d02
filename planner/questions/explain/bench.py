"""One compiled model, solved again and again with other bounds and costs, and the plan it is compared with."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bands import Searched
from ...errors import SolverFailed, UsageError
from ...solving.cap_rows import Slope, slopes
from ...solving.programme import Programme, by_family
from ...solving.solver import Found, Progress, Settings

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...runs.run import Run

BUILT = 1e-9  # modules; fewer are none
A_LITTLE = 1e-5  # kt/yr, capacity given to plants that have none, to see what a first tonne would earn
OUT_OF_TIME = "out of time"
SAME = 1e-9  # relative: two costs this close are one

Builds = dict[tuple[str, int], float]  # (option, start year) -> modules


@dataclass(frozen=True, eq=False)
class Step:
    """By how much a limit is eased: the sides of a row (and coefficients of a share), or the upper bound of a column.

    row, column  position of either
    more, less   by how much the upper side or bound rises, and by how much the lower side falls, in its unit
    entries      column -> by how much its coefficient in the row changes
    """

    row: int | None = None
    column: int | None = None
    more: float = 0.0
    less: float = 0.0
    entries: Mapping[int, float] = field(default_factory=dict)


class Model:
    """The model of an instance, compiled once and then solved under one change after the other.

    columns  position in ``data.build`` -> column of its modules
    starts   option -> its positions in ``data.build``
    whole    columns that hold whole numbers
    proven   whether its optima are proven, so that differences of cost are exact
    """

    def __init__(self, instance: Instance, settings: Settings) -> None:
        self.instance = instance
        self.settings = settings
        self.programme = Programme.of(instance, settings)
        self.prepared = self.programme.prepared
        self.data, self.arrays = self.prepared.data, self.programme.arrays
        self.whole = self.arrays.whole
        self.columns = self.arrays.columns.get("build", {})
        self.starts: dict[str, list[int]] = defaultdict(list)
        for i, start in enumerate(self.data.build):
            self.starts[start.option].append(i)
        self.proven = settings.gap_for(len(self.whole)) <= SAME

    def modules(self, builds: Builds) -> np.ndarray:
        """Modules by position in ``data.build``. Raises UsageError on a start that the model does not have."""
        counts = np.zeros(len(self.data.build))
        position = {(s.option, s.year): i for i, s in enumerate(self.data.build)}
        for (option, year), modules in builds.items():
            if (option, year) not in position:
                if modules > BUILT:
                    raise UsageError(f"the run starts {option} in {year}, which the instance does not permit")
                continue
            counts[position[option, year]] = modules
        return counts

    def modules_of(self, values: np.ndarray) -> np.ndarray:
        """Modules by position in ``data.build`` in column values."""
        return np.array([values[self.columns[i]] for i in range(len(self.data.build))])

    def whole_numbers(self, modules: np.ndarray) -> np.ndarray:
        """The values of the integer columns that go with ``modules``."""
        values = np.zeros(len(self.arrays.cost))
        for i, k in self.columns.items():
            values[k] = modules[i]
        chosen = self.arrays.columns.get("chosen", {})
        built = {self.data.build[i].option for i in np.flatnonzero(modules > BUILT)}
        for i, option in enumerate(self.data.chosen):
            values[chosen[i]] = 1.0 if option in built else 0.0
        return np.round(values[self.whole])

    def hold(self, modules: np.ndarray, all_builds: bool, raised: Mapping[int, float] | None = None) -> Found | None:
        """Solve with the whole numbers held, or with all builds; None if there is no plan.

        modules  by position in ``data.build``
        raised   column -> by how much its upper bound is raised
        Raises SolverFailed if the search ended otherwise.
        """
        self.programme.restore()
        if all_builds:
            self.programme.hold([self.columns[i] for i in range(len(modules))], modules)
        self.programme.hold(self.whole, self.whole_numbers(modules))
        for k, more in (raised or {}).items():
            self.programme.bound([k], self.arrays.col_lower[k], self.arrays.col_upper[k] + more)
        found = self.programme.find(seconds=self.settings.time_limit)
        if found.stopped == "infeasible":
            return None
        if not found.optimal:
            raise SolverFailed(f"the plan could not be solved again with its builds held: {found.stopped}")
        return found

    def objective(self, values: np.ndarray, cheaper: Mapping[int, float] | None = None) -> float:
        """Cost of column values, MUSD; ``cheaper`` takes an amount off the unit costs of columns."""
        cost = float(self.arrays.cost @ values) + self.arrays.offset
        return cost - sum(values[k] * amount for k, amount in (cheaper or {}).items())

    def solve(
        self,
        *,
        close: Collection[str] = (),
        lift: Collection[str] = (),
        least: tuple[str, float] | None = None,
        cheaper: Mapping[int, float] | None = None,
        start: np.ndarray | None = None,
    ) -> Found:
        """The least-cost plan under a change.

        close    options that are not built
        lift     options whose committed modules (``min_modules``) are waived
        least    an option and the modules to be built of it at least, over all its starts
        cheaper  column -> what its unit cost falls by, MUSD
        start    modules by position in ``data.build`` to start the search from
        """
        programme = self.programme
        programme.restore()
        closed = [self.columns[i] for option in close for i in self.starts[option]]
        programme.bound(closed, self.arrays.col_lower[closed], 0.0)
        if cheaper:
            cost = self.arrays.cost.copy()
            for k, amount in cheaper.items():
                cost[k] -= amount
            programme.objective(cost)
        if least is not None:
            programme.add_row([self.columns[i] for i in self.starts[least[0]]], 1.0, lower=least[1])
        waived = self._committed(lift)
        for row in waived:
            programme.side(row, 0.0, math.inf)
        try:
            if start is not None and len(self.whole):
                programme.offer(self.whole, self.whole_numbers(start))
            found = programme.find(seconds=self.settings.time_limit)
        finally:
            for row in waived:
                programme.side(row, self.arrays.row_lower[row], self.arrays.row_upper[row])
        if not found.held:
            return found
        objective = self.objective(found.x, cheaper)
        bound = found.bound if len(self.whole) or not found.optimal else objective
        return replace(found, value=objective, bound=min(bound, objective))

    def _committed(self, options: Collection[str]) -> list[int]:
        rows = self.arrays.rows.get("modules_least", {})
        return [row for i, row in rows.items() if self.data.modules[i].option in options]

    def scaled(self, option: str, factor: float) -> Model:
        """The same model with modules of an option ``factor`` times as large at the same capex."""
        arrays = self.arrays
        matrix = arrays.matrix.copy()
        cost = arrays.cost.copy()
        capacity_rows = np.array(sorted(arrays.rows.get("capacity_limit", {}).values()))
        for i in self.starts[option]:
            k = self.columns[i]
            span = slice(matrix.indptr[k], matrix.indptr[k + 1])
            matrix.data[span] *= np.where(np.isin(matrix.indices[span], capacity_rows), factor, 1.0)
            cost[k] += self.data.build[i].fixed_om * (factor - 1.0)
        other = copy(self)
        other.arrays = replace(arrays, matrix=matrix, cost=cost)
        other.programme = Programme(other.arrays, self.settings)
        return other


class Bench(Model):
    """The model of a run's instance, with the run's builds held, and what has been tried since.

    run        the plan explained
    builds     modules by position in ``data.build``
    base       its cost, MUSD; no plan is cheaper than ``floor``
    pinned     whether the run's builds were pinned; all of them are held then, else only whole modules
    x          column values; ``dual`` and ``reduced``: family -> index -> dual or reduced cost, MUSD per unit
    first      capacity limit -> dual, where plants without any capacity have a little: what a first tonne earns
    """

    def __init__(
        self,
        instance: Instance,
        run: Run,
        settings: Settings,
        progress: Progress | None = None,
        seconds: float = math.inf,
    ) -> None:
        super().__init__(instance, settings)
        self.run = run
        self.progress = progress
        self.deadline = time.perf_counter() + seconds
        self.stopped = ""  # why no more is solved again: interrupted, or out of time
        self.notes: list[str] = []
        built = run.tables["builds"]
        self.built: Builds = {(str(r.option), int(r.start_year)): float(r.modules) for r in built.itertuples()}
        self.builds = self.modules(self.built)
        self.pinned = pinned = bool(run.plan["settings"].get("pins"))
        held = self.hold(self.builds, all_builds=pinned)
        if held is None:
            raise UsageError("the builds of the run satisfy no plan of the instance; is it the run's own instance?")
        self.x = held.x
        self.dual: dict[str, dict[Any, float]] = by_family(self.arrays.rows, held.duals)
        self.reduced: dict[str, dict[Any, float]] = by_family(self.arrays.columns, held.reduced)
        self.base = self.objective(self.x)
        self.first = self._first_tonnes(pinned)
        # the bound of a pinned run is one of pinned plans only
        self.floor = self.base if pinned else min(self.base, float(run.plan["bound_musd"]))
        stated = float(run.plan["objective_musd"])
        if abs(stated - self.base) > 1e-6 * max(1.0, abs(stated)):
            self.notes.append(f"with these builds the least cost is {self.base:,.9g} MUSD, the run costs {stated:,.9g}")
        if pinned:
            self.notes.append("the run's builds were pinned; it is compared with plans that are free of the pins")

    def _first_tonnes(self, pinned: bool) -> dict[int, float]:
        """Shadow prices of capacity, MUSD per kt/yr, after every plant without any is given 1e-5 kt/yr of it.

        At zero capacity the shadow price is not unique: any from what a first tonne earns upwards is right. With a
        little capacity it is what that tonne earns.
        """
        rows = self.arrays.rows.get("capacity_limit", {})
        bare = [
            rows[n]
            for n, limit in enumerate(self.data.capacity)
            if n in rows and limit.own + sum(k * self.builds[i] for i, k in limit.modules) <= A_LITTLE
        ]
        for row in bare:
            self.programme.side(row, -math.inf, self.arrays.row_upper[row] + A_LITTLE)
        held = self.hold(self.builds, pinned) if bare else None
        for row in bare:
            self.programme.side(row, -math.inf, self.arrays.row_upper[row])
        if held is None:
            return self.dual.get("capacity_limit", {})
        return {n: float(held.duals[row]) for n, row in rows.items()}

    @property
    def searched(self) -> Searched:
        """What the plan costs, and what no plan undercuts, MUSD."""
        return Searched(self.base, self.floor)

    def eased(self, steps: Collection[Step]) -> float | None:
        """What the plan costs with its builds held where some limits are eased, MUSD; None if that was not solved."""
        programme, arrays = self.programme, self.arrays
        for step in steps:
            if step.row is not None:
                lower, upper = arrays.row_lower[step.row], arrays.row_upper[step.row]
                programme.side(step.row, lower - step.less, upper + step.more)
                programme.entries(step.row, {k: arrays.matrix[step.row, k] + v for k, v in step.entries.items()})
        try:
            found = self.hold(self.builds, self.pinned, {s.column: s.more for s in steps if s.column is not None})
        except SolverFailed:
            found = None
        for step in steps:
            if step.row is not None:
                programme.side(step.row, arrays.row_lower[step.row], arrays.row_upper[step.row])
                programme.entries(step.row, {k: arrays.matrix[step.row, k] for k in step.entries})
        return None if found is None else self.objective(found.x)

    def modules_built(self, build: int) -> float:
        """Modules built by position in ``data.build``."""
        return float(self.x[self.columns[build]])

    @property
    def has_time(self) -> bool:
        """Whether there is time for a solve of the operations alone."""
        return not self.stopped and time.perf_counter() < self.deadline

    @cached_property
    def slopes(self) -> dict[int, Slope]:
        """Row of a share -> how it changes with its limit."""
        return slopes(self.data, self.arrays)

    @cached_property
    def relaxed(self) -> Found | None:
        """The relaxation: no build is held, and none need be whole. None, with a note, if it was not solved."""
        found = Programme(self.arrays.relaxed, self.settings).find(seconds=self.settings.time_limit)
        if not found.optimal:
            self.notes.append("what money is worth is not known: the relaxation was not solved")
            return None
        return found

    @property
    def tolerance(self) -> float:
        """MUSD: two re-solved costs closer than this cannot be told apart, for the gap of the solves is that wide."""
        return max(SAME, self.settings.gap_for(len(self.whole))) * max(1.0, abs(self.base))

    @property
    def label(self) -> str:
        """What stands beside a re-solved number: that it is one, and within which gap if it is not proven."""
        return "re-solve" if self.proven else f"re-solve within {self.settings.gap_for(len(self.whole)):.2%}"

    def tell(self, line: str) -> None:
        """Hand a line of text to the caller's ``progress``, if there is one."""
        if self.progress:
            self.progress(line)

    def may_go_on(self) -> bool:
        """Whether there is time for another re-solve, and nobody interrupted."""
        if not self.stopped and time.perf_counter() > self.deadline:
            self.stopped = OUT_OF_TIME
        return not self.stopped

    def again(self, what: str, **change: Any) -> Found | None:
        """Solve this model under a change, see ``solve``; None if there is no time left, or if it was interrupted."""
        return self.ask(what, self, **change)

    def ask(self, what: str, model: Model, **change: Any) -> Found | None:
        """Solve any model under a change; None if there is no time left, or if it was interrupted.

        what  the change in words, for the line of progress
        """
        if not self.may_go_on():
            return None
        started = time.perf_counter()
        try:
            answer = model.solve(**change)
        except KeyboardInterrupt:
            self.stopped = "interrupted"
            return None
        cost = f"{answer.value:,.6g} MUSD" if answer.held else answer.stopped
        self.tell(f"{time.perf_counter() - started:6.1f} s  {what}: {cost}")
        return answer

    def changed_option(self, option: str, **cells_to_set: Any) -> Instance:
        """The instance with other cells in an option's row."""
        from ...instance.tables import cells

        row = next(o for o in self.instance.options if o.option == option)
        return self.instance.with_rows("options", {**cells(row), **cells_to_set})
