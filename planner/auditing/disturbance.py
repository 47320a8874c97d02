r"""Works out what a scenario changes in a period: capacity, projects, demand, prices, exports, and rules it lifts.

In a period, a fraction is multiplied by the share of the period's years that lie in the scenario's years. The factors
of several rows on one target are multiplied:

.. math:: \prod_d (1 - f_d\,share_t) \;\text{for losses}, \qquad \prod_d (1 + f_d\,share_t) \;\text{for surges}

A project failure lasts from the beginning of the branch to the end of the horizon, whatever the share of years.

A scenario in months has branches in parts: each month of the years that it touches, and of the one year after, is a
part of its own, in which the share is 1 or 0; what comes after them is one further part.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from ..instance.instance import Instance
from ..instance.tables import Disruption, Option, Scenario
from .facts import Facts


class Disturbance:
    """What a scenario does in the periods of the horizon; without a scenario nothing is disturbed.

    instance  in which the scenario's disruptions and service floors stand; None: the one of the facts

    floors  sector -> its row of branch_service.csv
    share   first year of a period -> share of its time in which the scenario disrupts, 0 to 1; of a part that is a
            month, the share of that month
    begin   first year of the period in which the branch begins
    gone    the share of that year, 0 to 1, that has gone by then
    years   first years of the periods of the branch, or of the part
    month   of a part: the month, 1 to 12; 0: whole periods
    """

    month = 0

    def __init__(self, facts: Facts, scenario: Scenario | None = None, instance: Instance | None = None) -> None:
        self.facts = facts
        self.scenario = scenario
        self._posed = instance is not None  # a question lays the scenario on the plan, as a disruption
        asked, name = instance or facts.instance, scenario.scenario if scenario else None
        self.rows = [row for row in asked.disruptions if row.scenario == name]
        self.floors = {row.sector: row for row in asked.branch_service if row.scenario == name}
        self._hit = {year: self._overlap(12 * year, 12 * facts.length[year]) for year in facts.years}
        self.share = self._hit
        touched = [year for year in facts.years if self._hit[year] > 0]
        self.begin = facts.first if scenario is None else min(touched, default=facts.last + 1)
        self.gone = 0.0
        if self.in_months and scenario is not None and scenario.first_year == self.begin:
            self.gone = ((scenario.first_month or 1) - 1) / 12
        self.years = tuple(year for year in facts.years if year >= self.begin)
        self._failed = any(row.kind == "project_failure" for row in self.rows)

    @property
    def in_months(self) -> bool:
        """Whether the scenario lasts calendar months, so that its tables have a column for them."""
        return self.scenario is not None and self.scenario.months is not None

    def parts(self) -> list[Disturbance]:
        """Return the parts of the branch in order of time: month after month, then the whole periods."""
        if not self.in_months or not self.years:
            return [self]
        divided = [y for y in self.years if self._hit[y] > 0 or (y > self.begin and self._hit.get(y - 1, 0.0) > 0)]
        parts = []
        for year in divided:
            for month in range(1, 13):
                if year == self.begin and month - 1 < round(12 * self.gone):
                    continue
                part = copy.copy(self)
                part.month, part.years = month, (year,)
                part.share = {year: self._overlap(12 * year + month - 1, 1)}
                parts.append(part)
        rest = copy.copy(self)
        rest.years = tuple(year for year in self.years if year not in divided)
        return [*parts, rest] if rest.years else parts

    def length(self, year: int) -> float:
        """Return the length, in years, of a period or of the month that the part is."""
        return self.facts.length[year] / (12 if self.month else 1)

    def factor(self, year: int) -> float:
        """Return the present value of 1 a year, in years, that is paid in a period or in the month."""
        return self.facts.factor[year] / (12 if self.month else 1)

    @property
    def undisturbed(self) -> bool:
        return self.scenario is None

    def lifted(self, year: int) -> bool:
        """Whether clean-only rules are lifted in the period, or in the month that the part is."""
        return not self.undisturbed and (self._failed or self.share[year] > 0)

    def caps_lifted(self, year: int) -> bool:
        """Whether caps are lifted in the period: it is disrupted, if only in one of its months."""
        return not self.undisturbed and (self._failed or self._hit[year] > 0)

    @property
    def keeps_floors(self) -> bool:
        """Whether floors on shares hold: in the plan, and in a branch of the instance without any disruption."""
        return not self.rows and not self._posed

    def capacity_left(self, facility: str, year: int) -> float:
        """Return the factor, 0 to 1, that outages leave of a facility's capacity."""
        return self._left((row for row in self._of("outage") if self._hits_facility(row, facility)), year)

    def module_left(self, option: Option, start: int) -> float:
        """Return the factor, 0 to 1, that project failures leave of a module started in ``start``."""
        if self.scenario is None or start + option.lead_years < self.scenario.first_year:
            return 1.0
        left = 1.0
        for row in self._of("project_failure"):
            if self._hits_facility(row, option.facility):
                left *= 1.0 - row.fraction
        return left

    def demand_factor(self, country: str, material: str, year: int) -> float:
        """Return the factor, 1 or more, by which a demand rises."""
        factor = 1.0
        for row in self._of("demand_surge"):
            if self._in(row, country) and row.material in ("", material):
                factor *= 1.0 + row.fraction * self.share[year]
        return factor

    def price_factor(self, country: str, material: str, year: int) -> float:
        """Return the factor, 1 or more, by which a market's price rises."""
        factor = 1.0
        for row in self._of("price_surge"):
            if self._in(row, country) and self._is(row, material):
                factor *= 1.0 + row.fraction * self.share[year]
        return factor

    def export_limits(self, year: int) -> dict[tuple[str, str], float]:
        """Return (material, country) -> t/yr that may leave, for export stops in the period."""
        if self.share[year] <= 0:
            return {}
        limits = {}
        stops = self._of("export_stop")
        for material in self.facts.materials:
            for country in self.facts.countries:
                rows = [row for row in stops if self._in(row, country) and self._is(row, material)]
                if not rows:
                    continue
                left = self._left(rows, year)
                references = [row.reference_t for row in rows if row.reference_t is not None]
                if left == 0.0:
                    limits[material, country] = 0.0
                elif references:
                    limits[material, country] = left * min(references)
        return limits

    def _overlap(self, first: int, months: int) -> float:
        """Return the share of some months from ``first`` on in which the scenario disrupts; January of y is 12 y."""
        if self.scenario is None:
            return 0.0
        begin = 12 * self.scenario.first_year
        if self.scenario.months is not None:
            begin += (self.scenario.first_month or 1) - 1
            end = begin + self.scenario.months
        else:
            end = 12 * ((self.scenario.last_year or 0) + 1)
        return max(0, min(first + months, end) - max(first, begin)) / months

    def _of(self, kind: str) -> list[Disruption]:
        return [row for row in self.rows if row.kind == kind]

    def _in(self, row: Disruption, country: str) -> bool:
        return country in self.facts.members(row.country)

    def _is(self, row: Disruption, material: str) -> bool:
        return row.material in ("", material) and row.stage in ("", self.facts.materials[material].stage)

    def _hits_facility(self, row: Disruption, facility: str) -> bool:
        """Return whether a disruption names this facility (or its country), and it can make a material that is hit."""
        return (
            row.facility in ("", facility)
            and self._in(row, self.facts.facilities[facility].country)
            and any(self._is(row, material) for material in self.facts.outputs(facility))
        )

    def _left(self, rows: Iterable[Disruption], year: int) -> float:
        left = 1.0
        for row in rows:
            left *= 1.0 - row.fraction * self.share[year]
        return left
