"""The model of a plan that is explained, with its builds held, and how far the explanation is."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...bands import Searched
from ...errors import SolverFailed, UsageError
from ...language import _, number
from ...solving.cap_rows import Slope, slopes
from ...solving.programme import Programme, by_family
from ...solving.solver import Found, Progress, Settings
from .model import SAME, Builds, Model, Step

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...runs.run import Run

A_LITTLE = 1e-5  # kt/yr; this capacity is given to plants without any, to see what their first tonne would earn
OUT_OF_TIME, INTERRUPTED = "out of time", "interrupted"


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
