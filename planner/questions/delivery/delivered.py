"""The builds of a plan, and what becomes of the plan when they come late, dear, small or never."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from .draws import AS_PLANNED, Luck
from .modules import Modules
from .operations import Operations

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...runs.run import Run


class Delivered:
    """The builds and closures of a plan, and what becomes of them in an outcome."""

    def __init__(self, instance: Instance, run: Run, settings: Any) -> None:
        self.modules = Modules(instance)
        self.operations = Operations(instance, settings)
        builds = run.builds
        self.starts = {(s.option, s.year): i for i, s in enumerate(self.operations.data.build)}
        for option, year in sorted(builds):
            if (option, year) not in self.starts:
                raise UsageError(f"the run starts {option} in {year}, which the instance does not allow")
        self.builds = [(self.modules.options[o], y, n) for (o, y), n in sorted(builds.items()) if n > 0.0]
        self.own, self.closing = self._with_closures(instance, run)

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

    def operated(self, luck: Mapping[str, Luck]) -> dict[str, Any]:
        """Cost, shortage and deliveries when the options named have this luck and the others come as planned."""
        capacity, money = self.own.copy(), self.closing
        for option, year, count in self.builds:
            own = luck.get(option.option, AS_PLANNED)
            start = self.starts[option.option, year]
            for position, added in self.operations.tied(self.modules, start, own):
                capacity[position] += count * added
            money += count * self.modules.cost(option.option, year, own)
        result = self.operations.operated(capacity)
        return {**result._asdict(), "cost": result.cost + money}
