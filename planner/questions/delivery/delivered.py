"""The builds of a plan, and the result of the plan in an outcome of its projects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...solving.solver import Settings
from ..many import Finished, Many, Result, Worker
from .answer import Answer
from .draws import JointOutcome, check_linear, fate
from .modules import Modules
from .operations import Operations

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import Option
    from ...runs.run import Run
    from ...solving.solver import Progress


class Delivered:
    """The builds and closures of a plan, whose operations can be solved in any outcome.

    rebuild_after  years after the news of an outcome from which on something else may be started; None: never
    bounded        whether a bound is sought too, below which no plan is in the outcome
    planned        the result (see `solve_outcome`) if all goes to plan. Every outcome starts from the basis of this
                   one, so that its result depends neither on the outcomes tried before nor on the process

    It can be sent to other processes and called there; the call returns the function that solves an outcome.
    Raises UsageError if the plan starts an option in a year which the instance does not allow.
    """

    def __init__(self, instance: Instance, run: Run, rebuild_after: int | None = None, bounded: bool = False) -> None:
        check_linear(instance)
        if rebuild_after is not None and rebuild_after < 0:
            raise UsageError(f"rebuild_after = {rebuild_after}: expected 0 or more years, or never")
        self.rebuild_after, self.bounded = rebuild_after, bounded
        self.modules = Modules(
            replace(instance, _content=None, _suspicions=None)
        )  # without what other processes do not need
        self.instance = self.modules.instance
        self.operations = Operations(instance, Settings())
        self._within: dict[frozenset[str], tuple[Operations, Any]] = {}
        builds = run.builds
        self.starts = {(s.option, s.year): i for i, s in enumerate(self.operations.data.build)}
        for option, year in sorted(builds):
            if (option, year) not in self.starts:
                raise UsageError(f"the run starts {option} in {year}, which the instance does not allow")
        self.builds = [(self.modules.options[o], y, n) for (o, y), n in sorted(builds.items()) if n > 0.0]
        self.own, self.closing = self._with_closures(instance, run)
        self.started = {key: n for key, n in builds.items() if n > 0.0}
        self.digest = run.digest_in(instance.sha256)
        self.answer: Answer | None = None
        if rebuild_after is not None:
            self.answer = self.answer_in(frozenset(), rebuild_after)
        self.planned = self.solve_outcome({})

    def within(self, events: frozenset[str]) -> tuple[Operations, Any]:
        """Return the operations if scenarios happen, and the vector of capacities that closures leave then."""
        if not events:
            return self.operations, self.own
        if events not in self._within:
            operations = Operations(self.instance, Settings(), events=events)
            own = operations.own.copy()
            for place, k in self.operations.place.items():
                shut = self.operations.own[k] - self.own[k]
                if shut and place in operations.place:
                    facility, t = place
                    own[operations.place[place]] -= shut * operations.conditions[t].capacity.get(facility, 1.0)
            self._within[events] = operations, own
        return self._within[events]

    def answer_in(self, events: frozenset[str], after: int) -> Answer:
        """Return the answers of the plan ``after`` years from the news on, if scenarios happen."""
        operations, own = self.within(events)
        return Answer(operations, self.modules, self.started, own, self.closing, after)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_within": {}}  # each process makes its own

    def __call__(self) -> Worker:
        return self.solve_outcome

    def _with_closures(self, instance: Instance, run: Run) -> tuple[Any, float]:
        """Return what the closures of the plan leave and cost.

        The first part is the vector of capacities that they leave, kt/yr, in the order of ``operations.own``. The
        second is their cost less the fixed cost that they avoid, MUSD of present value.
        """
        from ...instance.finance import discount_factor

        own, money = self.operations.own.copy(), 0.0
        if "closures" not in run.tables:
            return own, money
        at = {p.first_year: t for t, p in enumerate(self.modules.span)}
        for r in run.tables["closures"].itertuples():
            t = at[int(r.year)]
            if (r.facility, t) in self.operations.place:
                own[self.operations.place[r.facility, t]] -= r.closed_t * 1e-3
            money -= r.avoided_musd * self.modules.span[t].discount
            money += r.closing_musd * discount_factor(instance.discount_rate, int(r.year) - instance.years[0])
        return own, money

    def try_outcomes(
        self,
        outcomes: Sequence[JointOutcome],
        what: str,
        *,
        partial: Path | None,
        workers: int | None,
        scheduler: str | None,
        progress: Progress | None,
    ) -> dict[int, Result]:
        """Return the results of outcomes by position, in order; after a Ctrl-C those known, if there are any.

        what     name of the outcomes in lines of progress
        partial  file that keeps finished outcomes until all are done
        """
        finished = Finished([self.digest, "delivery", self.rebuild_after, self.bounded], partial)
        keys = [finished.key(list(outcome.items())) for outcome in outcomes]
        with Many(self, finished, what, workers=workers, scheduler=scheduler, progress=progress) as many:
            try:
                for _ in many.results(dict(zip(keys, outcomes, strict=True))):
                    pass
                finished.forget()
            except KeyboardInterrupt:
                if not any(key in finished.results for key in keys):
                    raise
        return {k: finished.results[key] for k, key in enumerate(keys) if key in finished.results}

    def solve_outcome(self, outcome: JointOutcome) -> Result:
        """Return the result of the plan in an outcome, and as ``answered`` of the best answer, see `Answer.to`.

        With ``bounded`` also as ``known`` the bound below which no plan is, see `Answer.known`.
        """
        known = {"known": self.answer.known(outcome)} if self.answer and self.bounded else {}
        answered = self.answer.to(outcome) if self.answer and outcome else None
        return {**self.held(outcome, self.builds), "answered": answered, **known}

    def held(
        self,
        outcome: JointOutcome,
        builds: Sequence[tuple[Option, int, float]],
        events: frozenset[str] = frozenset(),
    ) -> Result:
        """Return what comes of builds (option, start year, modules) in an outcome, as values that JSON can hold.

        events  scenarios that happen besides

        ``cost`` is in MUSD of present value; ``short``, ``exposed`` and ``delivered`` are lists of t/yr by period;
        ``unkept`` tells whether a promise of the plan is broken.
        """
        operations, own_capacity = self.within(events)
        capacity, money = own_capacity.copy(), self.closing
        for option, year, count in builds:
            own = fate(outcome, option.option, year)
            start = self.starts[option.option, year]
            for position, added in operations.capacity_effects(self.modules, start, own):
                capacity[position] += count * added
            money += count * self.modules.cost(option.option, year, own)
            if beyond := self.modules.beyond(option.option, count):
                money += beyond * self.modules.repaid(option.option, year, own)
        result = operations.solve(capacity)
        by_period = {name: getattr(result, name).tolist() for name in ("short", "exposed", "delivered")}
        return {"cost": result.cost + money, **by_period, "unkept": result.unkept}
