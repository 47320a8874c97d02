r"""Works out what scenarios change in a period: capacity, projects, demand, prices, exports, and rules they lift.

In a period, a fraction is multiplied by the share of the period's years that lie in the scenario's years. The factors
of several rows on one target are multiplied:

.. math:: \prod_d (1 - f_d\,share_t) \;\text{for losses}, \qquad \prod_d (1 + f_d\,share_t) \;\text{for surges}

A project failure lasts from the beginning of the branch to the end of the horizon, whatever the share of years. In a
branch that leaves the branch of another scenario both act.

A branch in months has parts: each month of the years that a scenario of its line in months touches, and of the one year
after, is a part of its own, in which shares are 1 or 0; the whole periods after them are one further part.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from ..instance.instance import Instance
from ..instance.tables import Disruption, Option, Scenario
from .facts import Facts


class Disturbance:
    """What a scenario, and those of the branches it leaves, do in the periods of the horizon.

    Without a scenario nothing is disturbed.

    instance  in which the scenario's disruptions and service floors stand; None: the one of the facts

    line    the scenario, the one whose branch it leaves, and so on
    floors  sector -> its row of branch_service.csv
    begin   first year of the period in which the branch begins
    gone    months of that year, 0 to 11, that have gone by then
    years   first years of the periods of the branch, or of the part
    month   of a part: the month, 1 to 12; 0: whole periods
    """

    month = 0

    def __init__(self, facts: Facts, scenario: Scenario | None = None, instance: Instance | None = None) -> None:
        self.facts = facts
        self.scenario = scenario
        self._posed = instance is not None  # a question lays the scenario on the plan, as a disruption
        asked = instance or facts.instance
        named = {row.scenario: row for row in asked.scenarios}
        self.line: list[Scenario] = []
        while scenario is not None:
            self.line.append(scenario)
            scenario = named.get(scenario.parent)
        of = {row.scenario: row for row in self.line}
        self.rows = [row for row in asked.disruptions if row.scenario in of]
        self.floors = {r.sector: r for r in asked.branch_service if self.line and r.scenario == self.line[0].scenario}
        self._hit = {name: {y: self._overlap(row, 12 * y, 12 * facts.length[y]) for y in facts.years}
                     for name, row in of.items()}  # fmt: skip
        self._share = self._hit
        self._first = {name: row.first_year for name, row in of.items()}
        own = self.line[0] if self.line else None
        touched = [year for year in facts.years if own and self._hit[own.scenario][year] > 0]
        self.begin = min(touched, default=facts.last + 1) if own else facts.first
        self.gone = (own.first_month or 1) - 1 if own and own.first_year == self.begin else 0
        self.years = tuple(year for year in facts.years if year >= self.begin)

    @property
    def in_months(self) -> bool:
        """Whether a scenario of the line lasts calendar months, so that the tables have a column for them."""
        return any(row.months is not None for row in self.line)

    def parts(self) -> list[Disturbance]:
        """Return the parts of the branch in order of time: month after month, then the whole periods."""
        if not self.in_months or not self.years:
            return [self]
        divided = [year for year in self.years if any(self._divides(row, year) for row in self.line)]
        parts = []
        for year in divided:
            for month in range(1, 13):
                if year == self.begin and month <= self.gone:
                    continue
                part = copy.copy(self)
                part.month, part.years = month, (year,)
                part._share = {r.scenario: {year: self._overlap(r, 12 * year + month - 1, 1)} for r in self.line}
                parts.append(part)
        rest = copy.copy(self)
        rest.years = tuple(year for year in self.years if year not in divided)
        return [*parts, rest] if rest.years else parts

    def _divides(self, row: Scenario, year: int) -> bool:
        """Return whether a scenario of the line divides a year into months: it touches it, or the one before."""
        touched = self._hit[row.scenario]
        return row.months is not None and (touched[year] > 0 or touched.get(year - 1, 0.0) > 0)

    def there(self, year: int, month: int) -> float:
        """Return the share of a period (month 0), or of a month of it, in which the branch has begun, 0 or 1 mostly."""
        if year != self.begin:
            return float(year > self.begin)
        return float(month > self.gone) if month else 1.0 - self.gone / 12

    def length(self, year: int) -> float:
        """Return the length, in years, of a period or of the month that the part is."""
        return self.facts.length[year] / (12 if self.month else 1)

    def factor(self, year: int) -> float:
        """Return the present value of 1 a year, in years, that is paid in a period or in the month."""
        return self.facts.factor[year] / (12 if self.month else 1)

    @property
    def undisturbed(self) -> bool:
        """Whether nothing strikes: in the plan, and in a branch of the instance without any disruption."""
        return not self.rows and not self._posed

    @property
    def rebuilds(self) -> bool:
        """Whether the branch may start something that the plan does not."""
        return any(row.rebuild_after is not None for row in self.line)

    def lifted(self, year: int) -> bool:
        """Whether clean-only rules are lifted in the period, or in the month that the part is.

        They are in the time of a scenario with disruptions; after a project failure for good, unless one may rebuild.
        """
        return self._lifts(self._share, year)

    def caps_lifted(self, year: int) -> bool:
        """Whether caps are lifted in the period: likewise, but in a whole year of which some month is disrupted."""
        return self._lifts(self._hit, year)

    def _lifts(self, share: dict[str, dict[int, float]], year: int) -> bool:
        strikes = {row.scenario for row in self.rows}
        if self._posed:
            strikes |= share.keys()
        fails = any(row.kind == "project_failure" for row in self.rows) and not self.rebuilds
        return fails or any(share[name][year] > 0 for name in strikes)

    def capacity_left(self, facility: str, year: int) -> float:
        """Return the factor, 0 to 1, that outages leave of a facility's capacity."""
        return self._left((row for row in self._of("outage") if self._hits_facility(row, facility)), year)

    def module_left(self, option: Option, start: int) -> float:
        """Return the factor, 0 to 1, that project failures leave of a module started in ``start``."""
        left = 1.0
        for row in self._of("project_failure"):
            late = start + option.lead_years >= self._first[row.scenario]
            if late and self._hits_facility(row, option.facility):
                left *= 1.0 - row.fraction
        return left

    def demand_factor(self, country: str, material: str, year: int) -> float:
        """Return the factor, 1 or more, by which a demand rises."""
        factor = 1.0
        for row in self._of("demand_surge"):
            if self._in(row, country) and row.material in ("", material):
                factor *= 1.0 + row.fraction * self._share[row.scenario][year]
        return factor

    def price_factor(self, country: str, material: str, year: int) -> float:
        """Return the factor, 1 or more, by which a market's price rises."""
        factor = 1.0
        for row in self._of("price_surge"):
            if self._in(row, country) and self._is(row, material):
                factor *= 1.0 + row.fraction * self._share[row.scenario][year]
        return factor

    def export_limits(self, year: int) -> dict[tuple[str, str], float]:
        """Return (material, country) -> t/yr that may leave, for export stops in the period."""
        limits = {}
        stops = [row for row in self._of("export_stop") if self._share[row.scenario][year] > 0]
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

    @staticmethod
    def _overlap(scenario: Scenario, first: int, months: int) -> float:
        """Return the share of some months from ``first`` on in which a scenario disrupts; January of year y is 12 y."""
        begin = 12 * scenario.first_year + (scenario.first_month or 1) - 1
        end = begin + scenario.months if scenario.months else 12 * ((scenario.last_year or 0) + 1)
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
            left *= 1.0 - row.fraction * self._share[row.scenario][year]
        return left
