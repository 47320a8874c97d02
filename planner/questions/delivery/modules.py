"""What a module adds to capacity and to cost, by what becomes of its project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...instance.finance import annuity_years, capital_recovery_factor, discount_factor
from ...instance.timeline import horizon_end, module_share, periods
from .draws import AS_PLANNED, Luck

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import Option


class Modules:
    """Modules of an instance's options; ``span`` are its periods, ``end`` its last calendar year.

    A project that comes late is paid for from when it comes, one that never comes as planned; nothing is added beyond
    the end of life that was planned.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.options = {o.option: o for o in instance.options}
        self.span = periods(instance)
        self.end = horizon_end(instance)
        self._fixed_om = {f.facility: f.fixed_om_usd_per_t for f in instance.facilities}
        self._shares: dict[tuple[str, int, int], list[float]] = {}

    def added(self, option: str, year: int, luck: Luck = AS_PLANNED) -> list[float]:
        """Capacity that a module started in ``year`` adds, kt/yr by period."""
        of = self.options[option]
        size = of.module_t * 1e-3 * luck.share if luck.comes else 0.0
        return [size * share for share in self._share(of, year, luck.delay)]

    def cost(self, option: str, year: int, luck: Luck = AS_PLANNED) -> float:
        """Annuities and fixed O&M of a module started in ``year``, MUSD of present value over the horizon."""
        of = self.options[option]
        upkeep = 0.0 if of.stockpile else self._fixed_om[of.facility] * 1e-3  # MUSD/kt
        running = sum(upkeep * kt * p.discount for kt, p in zip(self.added(option, year, luck), self.span, strict=True))
        return running + luck.capex * self._annuities(of, year + (luck.delay if luck.comes else 0))

    def _share(self, option: Option, year: int, delay: int) -> list[float]:
        key = (option.option, year, delay)
        if key not in self._shares:
            planned = [module_share(option, year, p) for p in self.span]
            late = [module_share(option, year + delay, p) for p in self.span]
            self._shares[key] = [min(a, b) for a, b in zip(planned, late, strict=True)]
        return self._shares[key]

    def _annuities(self, option: Option, year: int) -> float:
        wacc = self.instance.wacc if option.wacc is None else option.wacc
        yearly = option.capex_musd * capital_recovery_factor(wacc, option.life_years)
        first = self.instance.years[0]
        paid = annuity_years(option, year, self.end)
        return yearly * sum(discount_factor(self.instance.discount_rate, y - first) for y in paid)
