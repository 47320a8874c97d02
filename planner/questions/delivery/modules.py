"""What a module adds to capacity and to cost, depending on what becomes of its project."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ...instance.finance import annuity_years, capital_recovery_factor, discount_factor
from ...instance.timeline import horizon_end, module_share, periods
from ...prepare import ModelData, investment
from ...prepare.impacts import Impacts
from .draws import AS_PLANNED, ProjectOutcome

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import Option


class Modules:
    """Capacity and cost of the modules of an instance's options.

    span  the periods of the instance
    end   its last calendar year

    A project that comes late is paid for from when it comes, one that never comes as planned; nothing is added beyond
    the end of life that was planned.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.options = {o.option: o for o in instance.options}
        self.span = periods(instance)
        self.end = horizon_end(instance)
        self._fixed_om = {f.facility: f.fixed_om_usd_per_t for f in instance.facilities}
        data = ModelData()
        investment.add(instance, self.span, self.end, data)
        Impacts(instance).add(self.span, data)
        # MUSD of present value: what building causes is paid for at the start, whatever comes of it
        self.impacts = {(start.option, start.year): start.impact for start in data.build if start.impact}
        self._shares: dict[tuple[str, int, int], list[float]] = {}

    def news(self, option: str, year: int, outcome: ProjectOutcome) -> float:
        """Return the year in which one learns what becomes of a module started in ``year``: it should come online then.

        Infinite: it comes as planned, which is no news.
        """
        return math.inf if outcome == AS_PLANNED else year + self.options[option].lead_years

    def added(self, option: str, year: int, outcome: ProjectOutcome = AS_PLANNED) -> list[float]:
        """Return the capacity that a module started in ``year`` adds, kt/yr (a store: kt) in each period."""
        row = self.options[option]
        size = row.module_t * 1e-3 * outcome.share if outcome.comes else 0.0
        return [size * share for share in self._share(row, year, outcome.delay)]

    def cost(self, option: str, year: int, outcome: ProjectOutcome = AS_PLANNED) -> float:
        """Return the annuities, fixed O&M and priced impacts of a module started in ``year``, MUSD of present value."""
        row = self.options[option]
        upkeep = 0.0 if row.stockpile else self._fixed_om[row.facility] * 1e-3  # MUSD/kt
        running = sum(
            upkeep * kt * p.discount for kt, p in zip(self.added(option, year, outcome), self.span, strict=True)
        )
        late = outcome.delay if outcome.comes else 0
        return running + outcome.capex * self._annuities(row, year + late) + self.impacts.get((option, year), 0.0)

    def beyond(self, option: str, count: float) -> float:
        """Return what modules started at once cost overnight beyond ``capex_musd`` for each, by their size, MUSD."""
        row, points = self.options[option], self.instance.sizes.get(option)
        if not points or count <= 0.0:
            return 0.0
        sizes, capex = [t for t, _ in points], [musd for _, musd in points]
        return float(np.interp(count * row.module_t, sizes, capex)) - count * row.capex_musd

    def repaid(self, option: str, year: int, outcome: ProjectOutcome = AS_PLANNED) -> float:
        """Return the annuities of a MUSD overnight of what is started in ``year``, MUSD of present value."""
        late = outcome.delay if outcome.comes else 0
        return outcome.capex * self._recovered(self.options[option], year + late)

    def _share(self, option: Option, year: int, delay: int) -> list[float]:
        """Return the share of each period in which a module that comes ``delay`` years late is online, 0 to 1."""
        key = (option.option, year, delay)
        if key not in self._shares:
            planned = [module_share(option, year, p) for p in self.span]
            late = [module_share(option, year + delay, p) for p in self.span]
            self._shares[key] = [min(a, b) for a, b in zip(planned, late, strict=True)]
        return self._shares[key]

    def _annuities(self, option: Option, year: int) -> float:
        """Return the annuities within the horizon of a module started in ``year``, MUSD of present value."""
        return self._recovered(option, year, option.capex_musd)

    def _recovered(self, option: Option, year: int, capex: float = 1.0) -> float:
        """Return the annuities of ``capex`` (MUSD overnight) of what is started in ``year``, MUSD of present value."""
        wacc = self.instance.wacc if option.wacc is None else option.wacc
        yearly = capex * capital_recovery_factor(wacc, option.life_years)
        first = self.instance.years[0]
        paid = annuity_years(option, year, self.end)
        return yearly * sum(discount_factor(self.instance.discount_rate, y - first) for y in paid)
