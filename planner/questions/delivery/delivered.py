"""The builds of a plan, and what becomes of the plan when they come late, dear, small or never."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...solving.solver import Settings
from ..many import Finished, Many, Result, Worker
from .draws import AS_PLANNED, Luck
from .modules import Modules
from .operations import Operations

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress

Fate = Mapping[str, Luck]  # of the options named; the others come as planned


class Delivered:
    """The builds and closures of a plan, and what becomes of them in an outcome.

    planned  what `operated` tells if all goes to plan. Every outcome starts from the basis of this one, so that its
             result depends neither on the outcomes tried before nor on the process. It can be sent to others; called
             there, it gives what tries an outcome.
    """

    def __init__(self, instance: Instance, run: Run) -> None:
        self.modules = Modules(replace(instance, _content=None, warnings=()))  # what others need of it
        self.operations = Operations(instance, Settings())
        builds = run.builds
        self.starts = {(s.option, s.year): i for i, s in enumerate(self.operations.data.build)}
        for option, year in sorted(builds):
            if (option, year) not in self.starts:
                raise UsageError(f"the run starts {option} in {year}, which the instance does not allow")
        self.builds = [(self.modules.options[o], y, n) for (o, y), n in sorted(builds.items()) if n > 0.0]
        self.own, self.closing = self._with_closures(instance, run)
        self.digest = run.digest_in(instance.sha256)
        self.planned = self.operated({})

    def __call__(self) -> Worker:
        return self.operated

    def _with_closures(self, instance: Instance, run: Run) -> tuple[Any, float]:
        """Capacities that closures leave, and what these cost less what they avoid, MUSD of present value."""
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

    def tried(
        self,
        fates: Sequence[Fate],
        what: str,
        *,
        partial: Path | None,
        workers: int | None,
        scheduler: str | None,
        progress: Progress | None,
    ) -> dict[int, Result]:
        """Results of outcomes by position, in order; after a Ctrl-C those known, if there are any.

        partial  file that keeps finished outcomes until all are done
        """
        finished = Finished([self.digest, "delivery"], partial)
        keys = [finished.key(sorted(fate.items())) for fate in fates]
        with Many(self, finished, what, workers=workers, scheduler=scheduler, progress=progress) as many:
            try:
                for _ in many.results(dict(zip(keys, fates, strict=True))):
                    pass
                finished.forget()
            except KeyboardInterrupt:
                if not any(key in finished.results for key in keys):
                    raise
        return {k: finished.results[key] for k, key in enumerate(keys) if key in finished.results}

    def operated(self, luck: Fate) -> Result:
        """Cost (MUSD), and short, exposed and delivered by period (t/yr), when the options named have this luck."""
        capacity, money = self.own.copy(), self.closing
        for option, year, count in self.builds:
            own = luck.get(option.option, AS_PLANNED)
            start = self.starts[option.option, year]
            for position, added in self.operations.tied(self.modules, start, own):
                capacity[position] += count * added
            money += count * self.modules.cost(option.option, year, own)
        result = self.operations.operated(capacity)
        by_period = {name: getattr(result, name).tolist() for name in ("short", "exposed", "delivered")}
        return {"cost": result.cost + money, **by_period, "unkept": result.unkept}
