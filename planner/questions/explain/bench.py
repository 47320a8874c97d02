"""The model of a plan that is explained: it is compiled once, and solved again with other bounds, sides and costs."""

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
from scipy import sparse

from ...bands import Searched
from ...errors import SolverFailed, UsageError
from ...language import _, number
from ...prepare import PLAN
from ...solving.blocks import first_stage
from ...solving.cap_rows import Slope, slopes
from ...solving.lshaped import LShaped, Planes
from ...solving.parts import FEWEST_COLUMNS
from ...solving.programme import Programme, by_family
from ...solving.search import by_parts, least_cost
from ...solving.solver import Found, Progress, Settings

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import Option
    from ...runs.run import Run

BUILT = 1e-9  # modules; a smaller number counts as none
SLIVER = 1e-7  # modules by which a size may lie below another and count as it
A_LITTLE = 1e-5  # kt/yr; this capacity is given to plants without any, to see what their first tonne would earn
OUT_OF_TIME, INTERRUPTED = "out of time", "interrupted"
SAME = 1e-9  # relative; two costs that differ by less count as equal

Builds = dict[tuple[str, int] | tuple[str, int, str], float]  # option, start year, scenario of a branch -> modules


@dataclass(frozen=True, eq=False)
class Step:
    """A change that eases one limit: of a row, or of the upper bound of a column.

    row, column  position of the row, or else of the column
    more         rise of the upper side of the row, or of the upper bound of the column, in the unit of the model
    less         fall of the lower side of the row, in the unit of the model
    entries      column -> change of its coefficient in the row; a cap on a share has its limit in the coefficients
    """

    row: int | None = None
    column: int | None = None
    more: float = 0.0
    less: float = 0.0
    entries: Mapping[int, float] = field(default_factory=dict)


class Model:
    """The model of an instance, compiled once and then solved under one change at a time.

    programme  the compiled model and its solver
    prepared   the instance as model data, ``data``
    arrays     matrix, sides, bounds and costs of the compiled model
    columns    position in ``data.build`` -> column of its modules
    starts     option -> its positions in ``data.build``
    whole      positions of the integer columns; integer array
    lanes      those of them that tell whether a lane is used, and ``used`` their values when builds were held last
    basis      basis from which every linear programme of this model starts; None: from nothing. So no answer depends
               on what was solved before
    proven     whether optima are proven, so that differences between costs are exact
    """

    basis: Any = None

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
        self.lanes = np.array(sorted(self.arrays.columns.get("used", {}).values()), dtype=int)
        self.used = np.zeros(len(self.lanes))
        self.proven = settings.gap_for(len(self.whole)) <= SAME

    def planned(self, option: str) -> list[int]:
        """Return those of an option's ``starts`` that are the plan's, not those that a branch decides on."""
        return [i for i in self.starts[option] if self.data.build[i].branch == PLAN]

    def modules(self, builds: Builds) -> np.ndarray:
        """Return the modules of builds by position in ``data.build``; float array of its length.

        Raises UsageError on a start that the model does not permit.
        """
        counts = np.zeros(len(self.data.build))
        position = {start.key: i for i, start in enumerate(self.data.build)}
        for key, modules in builds.items():
            if key in position:
                counts[position[key]] = modules
            elif len(key) == 2 and modules > BUILT:  # a branch has in its table what it shares too
                raise UsageError(f"the run starts {key[0]} in {key[1]}, which the instance does not permit")
        return counts

    def modules_of(self, values: np.ndarray) -> np.ndarray:
        """Return the modules of a solution by position in ``data.build``; float array of its length.

        values  one value for each column
        """
        return np.array([values[self.columns[i]] for i in range(len(self.data.build))])

    def whole_numbers(self, modules: np.ndarray) -> np.ndarray:
        """Return the values of the integer columns that belong to given modules.

        modules  by position in ``data.build``

        Returns a float array of the length of ``whole``.
        """
        values = np.zeros(len(self.arrays.cost))
        for i, k in self.columns.items():
            values[k] = modules[i]
        chosen = self.arrays.columns.get("chosen", {})
        for i, choice in enumerate(self.data.chosen):
            values[chosen[i]] = 1.0 if any(modules[start] > BUILT for start in choice.starts) else 0.0
        full = self.arrays.columns.get("full", {})
        for of in self.data.excess:
            reached = 0.0
            for k in of.steps:
                reached += self.data.fill[k].share
                if k in full:
                    values[full[k]] = 1.0 if modules[of.start] > reached - SLIVER else 0.0
        values[self.lanes] = self.used
        return np.round(values[self.whole])

    def capital(self, option: str) -> dict[int, float]:
        """Return column -> present value of the capital cost of an option, MUSD per unit of the column."""
        starts = ((self.columns[i], self.data.build[i]) for i in self.starts[option])
        cost = {column: start.annuity * start.probability for column, start in starts}
        sized = ((i, of) for i, of in enumerate(self.data.excess) if of.option == option)
        return cost | {self.arrays.columns["excess"][i]: of.annuity * of.probability for i, of in sized}

    def most_capital(self, option: Option) -> float:
        """Return a present value of capital cost that no plan's modules of an option exceed, MUSD.

        A start of an option with sizes costs at most what its largest size costs, but several small ones together may
        cost more than as many modules would.
        """
        starts = self.starts[option.option]
        dearest = max((self.data.build[i].annuity * self.data.build[i].probability for i in starts), default=0.0)
        return dearest * (len(starts) if option.option in self.instance.sizes else option.max_modules)

    def least_modules(self, option: Option) -> float:
        """Return the least of an option that is built, modules: one, or of an option with sizes its smallest size."""
        sizes = self.instance.sizes.get(option.option)
        return min(sizes[0][0] / option.module_t if sizes else 1.0, option.max_modules)

    def hold(self, modules: np.ndarray, all_builds: bool, raised: Mapping[int, float] | None = None) -> Found | None:
        """Solve for the operations with the builds held; None if there is no plan with these builds.

        modules     by position in ``data.build``
        all_builds  whether modules of divisible options are held too, and not only the integer columns
        raised      column -> rise of its upper bound, in the unit of the column

        Raises SolverFailed if the solve ends neither with an optimum nor with a proof that there is no plan.
        """
        self.programme.restore()
        if all_builds:
            self.programme.hold([self.columns[i] for i in range(len(modules))], modules)
        built = np.setdiff1d(self.whole, self.lanes)
        self.programme.hold(built, self.whole_numbers(modules)[np.isin(self.whole, built)])
        for k, more in (raised or {}).items():
            self.programme.bound([k], self.arrays.col_lower[k], self.arrays.col_upper[k] + more)
        if len(self.lanes):  # first which of them are used, then the rest, whose shadow prices are asked for
            chosen = self.programme.find(seconds=self.settings.time_limit)
            if not chosen.held:
                return None
            self.used = np.round(chosen.x[self.lanes])
            self.programme.hold(self.lanes, self.used)
        self.programme.start_from(self.basis)
        if self.basis is None and not all_builds and len(self.arrays.cost) >= FEWEST_COLUMNS:
            rest = [k for i, k in self.columns.items() if not self.arrays.integer[k]]
            values = [modules[i] for i, k in self.columns.items() if not self.arrays.integer[k]]
            with self.programme.bounded(rest, values, values):  # from there the rest takes few steps
                self.programme.find(sure=False, seconds=self.settings.time_limit)
        found = self.programme.find(seconds=self.settings.time_limit)
        if found.stopped == "infeasible":
            return None
        if not found.optimal:
            raise SolverFailed(f"the plan could not be solved again with its builds held: {found.stopped}")
        return found

    def objective(self, values: np.ndarray, cheaper: Mapping[int, float] | None = None) -> float:
        """Return the present value of the cost of a solution, MUSD.

        values   one value for each column
        cheaper  column -> amount that is taken off its unit cost, MUSD per unit
        """
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
        """Find the least-cost plan under a change, and return it with its cost and lower bound, MUSD.

        close    options that must not be built
        lift     options whose committed modules (``min_modules``) are waived
        least    an option, and the least number of its modules that must be built over all its starts
        cheaper  column -> amount by which its unit cost falls, MUSD per unit
        start    modules by position in ``data.build``, tried as an incumbent

        Returns what the search found; ``held`` of it is False if it ended without a plan.
        """
        programme = self.programme
        programme.restore()
        programme.start_from(None if len(self.whole) else self.basis)
        closed = [self.columns[i] for option in close for i in self.starts[option]]
        programme.bound(closed, self.arrays.col_lower[closed], 0.0)
        cost = self.arrays.cost.copy()
        for k, amount in (cheaper or {}).items():
            cost[k] -= amount
        if cheaper:
            programme.objective(cost)
        built = None if least is None else [self.columns[i] for i in self.planned(least[0])]
        if least is not None and built is not None:
            programme.add_row(built, 1.0, lower=least[1])
        waived = self._committed(lift)
        for row in waived:
            programme.side(row, 0.0, math.inf)
        method = self._by_parts(cost, closed, waived, built, 0.0 if least is None else least[1])
        known = None
        if start is not None and len(self.whole):
            known = np.zeros(len(cost))
            known[list(self.columns.values())] = start
            known[self.whole] = self.whole_numbers(start)
        try:
            found = least_cost(programme, method, known, self.settings.time_limit, None)
        finally:
            for row in waived:
                programme.side(row, self.arrays.row_lower[row], self.arrays.row_upper[row])
        if found.stopped == "interrupted":
            raise KeyboardInterrupt
        if not found.held:
            return found
        objective = self.objective(found.x, cheaper)
        bound = found.bound if len(self.whole) or not found.optimal else objective
        return replace(found, value=objective, bound=min(bound, objective))

    @cached_property
    def _planes(self) -> Planes | None:
        """Planes of the L-shaped method from a search of this model; None if it does not fall apart into parts."""
        method = by_parts(self.programme, LShaped)
        if method is not None:
            best = method.search(self.programme.gap, self.settings.time_limit, None, None)
            if best.why == "interrupted":
                raise KeyboardInterrupt
        return None if method is None else method.kept

    def _by_parts(
        self, cost: np.ndarray, closed: list[int], waived: list[int], built: list[int] | None, least: float
    ) -> LShaped | None:
        """Return the L-shaped method for the model under a change, with the planes of the model as it is.

        cost    of each column, MUSD per unit
        closed  columns that are held at 0
        waived  rows that need no longer be kept
        built   columns of which ``least`` must be built together; None: there is no such rule

        A change of investment alone leaves the operations, and so the planes below their costs, as they are. None if
        the model does not fall apart, or if costs of operations change.
        """
        arrays = self.arrays
        if not closed and not waived and built is None and (cost == arrays.cost).all():
            return by_parts(self.programme, LShaped)
        if not len(self.whole) or self._planes is None:
            return None
        if (cost != arrays.cost)[~first_stage(arrays)].any():
            return None
        upper, row_lower, row_upper = arrays.col_upper.copy(), arrays.row_lower.copy(), arrays.row_upper.copy()
        upper[closed] = np.minimum(upper[closed], 0.0)
        row_lower[waived], row_upper[waived] = 0.0, math.inf
        changed = replace(arrays, cost=cost, col_upper=upper, row_lower=row_lower, row_upper=row_upper)
        if built is not None:
            row = sparse.coo_array((np.ones(len(built)), (np.zeros(len(built), dtype=int), built)), (1, len(cost)))
            changed = changed.with_rows(row, least, math.inf)
        method = LShaped.of(changed, self.settings)
        if method is not None:
            method.adopt(self._planes)
        return method

    def _committed(self, options: Collection[str]) -> list[int]:
        """Return the positions of the rows that require committed modules (``min_modules``) of some options."""
        rows = self.arrays.rows.get("modules_least", {})
        return [row for i, row in rows.items() if self.data.modules[i].option in options]

    def scaled(self, option: str, factor: float) -> Model:
        """Return the model in which modules of an option are ``factor`` times as large at the same capex.

        factor  on capacity and fixed O&M of a module, above 0
        """
        arrays = self.arrays
        matrix = arrays.matrix.copy()
        cost = arrays.cost.copy()
        capacity_rows = np.array(sorted(arrays.rows.get("capacity_limit", {}).values()))
        for i in self.starts[option]:
            k = self.columns[i]
            span = slice(matrix.indptr[k], matrix.indptr[k + 1])
            matrix.data[span] *= np.where(np.isin(matrix.indices[span], capacity_rows), factor, 1.0)
            cost[k] += self.data.build[i].probability * self.data.build[i].fixed_om * (factor - 1.0)
        other = copy(self)
        vars(other).pop("_planes", None)  # they are of modules as they were
        other.arrays = replace(arrays, matrix=matrix, cost=cost)
        other.programme = Programme(other.arrays, self.settings)
        return other


class Bench(Model):
    """The model of a run's instance, solved with the builds of the run held, and the state of the explanation.

    It can be pickled: another process then has what solving again needs, but neither ``run`` nor ``x`` and its duals.

    run       the run whose plan is explained
    built     (option, start year) -> modules of the run
    builds    modules of the run by position in ``data.build``; float array
    base      least cost with these builds, MUSD
    floor     lower bound of the cost of any plan, MUSD
    pinned    whether the run was solved with held builds; all its builds are held then, and else only integer columns
    x         solution with the builds held; float array, one value for each column
    dual      family -> index -> shadow price of the row, MUSD per unit of its side
    reduced   family -> index -> reduced cost of the column, MUSD per unit
    first     index of a capacity limit -> its shadow price, where plants without any capacity are given a little; this
              is what a first tonne would earn
    deadline  time by `time.time`, which is the same in other processes, after which nothing is solved again
    stopped   why nothing more is solved again: ``interrupted`` or ``out of time``; "" while solving may go on
    notes     sentences that a reader of the explanation should know
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
        self.deadline = time.time() + seconds
        self.stopped = ""
        self.notes: list[str] = []
        built = run.tables["builds"]
        self.built: Builds = {(str(r.option), int(r.start_year)): float(r.modules) for r in built.itertuples()}
        for scenario, tables in run.branches.items():
            for r in tables["builds"].itertuples() if "builds" in tables else ():
                self.built[str(r.option), int(r.start_year), scenario] = float(r.modules)
        self.builds = self.modules(self.built)
        self.pinned = pinned = bool(run.plan["settings"].get("pins"))
        held = self.hold(self.builds, all_builds=pinned)
        if held is None:
            raise UsageError("the builds of the run satisfy no plan of the instance; is it the run's own instance?")
        self.x = held.x
        self.basis = self.programme.basis
        self.dual: dict[str, dict[Any, float]] = by_family(self.arrays.rows, held.duals)
        self.reduced: dict[str, dict[Any, float]] = by_family(self.arrays.columns, held.reduced)
        self.base = self.objective(self.x)
        self.first = self._first_tonnes(pinned)
        # the bound of a run with held builds holds only for plans with these builds
        self.floor = self.base if pinned else min(self.base, float(run.plan["bound_musd"]))
        stated = float(run.plan["objective_musd"])
        if abs(stated - self.base) > 1e-6 * max(1.0, abs(stated)):
            self.notes.append(
                _(
                    "with these builds the least cost is {least} MUSD, the run costs {amount}",
                    least=number(f"{self.base:,.9g}"),
                    amount=number(f"{stated:,.9g}"),
                )
            )
        if pinned:
            self.notes.append(_("the run's builds were pinned; it is compared with plans that are free of the pins"))

    def __reduce__(self) -> tuple[Any, ...]:
        names = ("built", "builds", "base", "floor", "pinned", "basis", "deadline", "stopped")
        return _elsewhere, (self.instance, self.settings, {name: getattr(self, name) for name in names})

    def _first_tonnes(self, pinned: bool) -> dict[int, float]:
        """Return the shadow price of each capacity limit, MUSD per kt/yr, with a little capacity where there is none.

        At zero capacity the shadow price is not unique: every value from the earnings of a first tonne upwards is
        valid. So each plant without capacity is given 1e-5 kt/yr, at which the shadow price is what that tonne earns.
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
        """The cost of the plan and the lower bound of the cost of any plan, MUSD."""
        return Searched(self.base, self.floor)

    def eased(self, steps: Collection[Step]) -> float | None:
        """Return the least cost with the builds held and some limits eased, MUSD; None if the solve failed."""
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
        """Return the modules that the plan builds at a position in ``data.build``."""
        return float(self.x[self.columns[build]])

    @property
    def has_time(self) -> bool:
        """Whether there is time for another solve of the operations; the explanation goes on without it if not."""
        return not self.stopped and time.time() < self.deadline

    @cached_property
    def slopes(self) -> dict[int, Slope]:
        """For each row that caps a share, how its coefficients and side change with the limit."""
        return slopes(self.data, self.arrays)

    @cached_property
    def relaxed(self) -> Found | None:
        """The solution of the linear relaxation, in which no build is held; None, with a note, if it was not solved."""
        programme = Programme(self.arrays.relaxed, self.settings)
        programme.start_from(self.basis)  # of the operations as they are; from nothing it takes nine times as long
        found = programme.find(seconds=self.settings.time_limit)
        if not found.optimal:
            self.notes.append(_("the worth of money is not known, because the linear relaxation was not solved"))
            return None
        return found

    @property
    def tolerance(self) -> float:
        """The gap of the re-solves in MUSD: two re-solved costs that are closer than this cannot be told apart."""
        return max(SAME, self.settings.gap_for(len(self.whole))) * max(1.0, abs(self.base))

    @property
    def label(self) -> str:
        """The source stated beside a re-solved number, with the relative gap if optima are not proven."""
        return "re-solve" if self.proven else f"re-solve within {self.settings.gap_for(len(self.whole)):.2%}"

    def tell(self, line: str) -> None:
        """Report a line of progress, if the caller wants progress."""
        if self.progress:
            self.progress(line)

    def may_go_on(self) -> bool:
        """Return whether another plan may be solved; if the time is used up, record that as the reason to stop."""
        if not self.stopped and time.time() > self.deadline:
            self.stopped = OUT_OF_TIME
        return not self.stopped

    def again(self, what: str, **change: Any) -> Found | None:
        """Solve this model under a change, as `ask` does.

        what    the change in words, for the line of progress
        change  arguments of `Model.solve`
        """
        return self.ask(what, self, **change)

    def ask(self, what: str, model: Model, **change: Any) -> Found | None:
        """Solve a model under a change; None if there is no time left, or if the solve was interrupted.

        what    the change in words, for the line of progress
        model   this model, or that of a changed instance
        change  arguments of `Model.solve`
        """
        if not self.may_go_on():
            return None
        started = time.perf_counter()
        try:
            answer = model.solve(**change)
        except KeyboardInterrupt:
            self.stopped = INTERRUPTED
            return None
        cost = f"{answer.value:,.6g} million" if answer.held else answer.stopped
        self.tell(f"{time.perf_counter() - started:6.1f} s  {what}: {cost}")
        return answer

    def changed_option(self, option: str, **cells_to_set: Any) -> Instance:
        """Return the instance with some cells of an option's row replaced. Raises InstanceError if that is invalid."""
        from ...instance.tables import cells

        row = next(o for o in self.instance.options if o.option == option)
        return self.instance.with_rows("options", {**cells(row), **cells_to_set})


def _elsewhere(instance: Instance, settings: Settings, state: dict[str, Any]) -> Bench:
    """Return a bench in another process, with the state of the one that was pickled."""
    bench = Bench.__new__(Bench)
    Model.__init__(bench, instance, settings)
    bench.progress, bench.notes = None, []
    for name, value in state.items():
        setattr(bench, name, value)
    return bench
