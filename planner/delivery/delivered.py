"""The builds of a plan, and what becomes of the plan when they come late, dear, small or never."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..timeline import (
    annuity_years,
    capital_recovery_factor,
    discount_factor,
    horizon_end,
    module_share,
    periods,
)
from .draws import AS_PLANNED, Luck
from .operations import HeldOperations

if TYPE_CHECKING:
    from ..instance import Instance
    from ..schema import Option


class Delivered:
    """The builds of a plan, and what becomes of them in an outcome."""

    def __init__(self, instance: Instance, builds: Mapping[tuple[str, int], float], settings: Any) -> None:
        self.instance = instance
        self.span = periods(instance)
        self.end = horizon_end(instance)
        self.operations = HeldOperations(instance, builds, settings)
        options = {o.option: o for o in instance.options}
        self.builds = [(options[o], y, n) for (o, y), n in sorted(builds.items()) if n > 0.0]
        self.fixed_om = {f.facility: f.fixed_om_usd_per_t for f in instance.facilities}
        self._shares: dict[tuple[str, int, int], list[float]] = {}

    def shares(self, option: Option, year: int, delay: int) -> list[float]:
        """Share of nameplate by period when a module comes ``delay`` years late; nothing after its planned end."""
        key = (option.option, year, delay)
        if key not in self._shares:
            planned = [module_share(option, year, p) for p in self.span]
            late = [module_share(option, year + delay, p) for p in self.span]
            self._shares[key] = [min(a, b) for a, b in zip(planned, late, strict=True)]
        return self._shares[key]

    def operated(self, luck: Mapping[str, Luck]) -> dict[str, Any]:
        """Cost, shortage and deliveries when the options named have this luck and the others come as planned."""
        more: dict[tuple[str, int], float] = defaultdict(float)
        money = 0.0
        for option, year, count in self.builds:
            planned = self.shares(option, year, 0)
            own = luck.get(option.option, AS_PLANNED)
            delivered = [own.share * x if own.comes else 0.0 for x in self.shares(option, year, own.delay)]
            for t, (was, now) in enumerate(zip(planned, delivered, strict=True)):
                if now != was:
                    more[option.facility, t] += count * option.module_t * 1e-3 * (now - was)
                upkeep = self.fixed_om[option.facility] * option.module_t * 1e-6
                money += count * upkeep * now * self.span[t].discount
            money += count * own.capex * self._annuities(option, year + (own.delay if own.comes else 0))
        result = self.operations.solve(more)
        return {
            "cost": result.cost + money,
            "short": result.short,
            "exposed": result.exposed,
            "delivered": result.delivered,
            "unkept": result.unkept,
        }

    def _annuities(self, option: Option, year: int) -> float:
        wacc = self.instance.wacc if option.wacc is None else option.wacc
        yearly = option.capex_musd * capital_recovery_factor(wacc, option.life_years)
        paid = annuity_years(option, year, self.end)
        first = self.instance.years[0]
        return yearly * sum(discount_factor(self.instance.discount_rate, y - first) for y in paid)
