r"""Works out what scenarios change in a period: capacity, projects, demand, prices, exports, and rules they lift.

In a period, a fraction is multiplied by the share of the period's years that lie in the scenario's years. The factors
of several rows on one target are multiplied:

.. math:: \prod_d (1 - f_d\,share_t) \;\text{for losses}, \qquad \prod_d (1 + f_d\,share_t) \;\text{for surges}

A project failure lasts from the beginning of the branch to the end of the horizon, whatever the share of years. In a
branch that leaves the branch of another scenario both act.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..instance.instance import Instance
from ..instance.tables import Disruption, Option, Scenario
from .facts import Facts


class Disturbance:
    """What a scenario, and those of the branches it leaves, do in the periods of the horizon.

    Without a scenario nothing is disturbed.

    instance  in which the scenario's disruptions and service floors stand; None: the one of the facts

    line   the scenario, the one whose branch it leaves, and so on
    floors  sector -> its row of branch_service.csv
    begin  first year of the period in which the branch begins
    years  first years of the periods of the branch
    """

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
        self._share = {name: {year: self._overlap(row, year) for year in facts.years} for name, row in of.items()}
        self._first = {name: row.first_year for name, row in of.items()}
        touched = [year for year in facts.years if self.line and self._share[self.line[0].scenario][year] > 0]
        self.begin = min(touched, default=facts.last + 1) if self.line else facts.first
        self.years = tuple(year for year in facts.years if year >= self.begin)

    @property
    def undisturbed(self) -> bool:
        """Whether nothing strikes: in the plan, and in a branch of the instance without any disruption."""
        return not self.rows and not self._posed

    @property
    def rebuilds(self) -> bool:
        """Whether the branch may start something that the plan does not."""
        return any(row.rebuild_after is not None for row in self.line)

    def lifted(self, year: int) -> bool:
        """Whether caps and clean-only rules are lifted in the period.

        They are in the years of a scenario with disruptions; after a project failure for good, unless one may rebuild.
        """
        strikes = {row.scenario for row in self.rows}
        if self._posed:
            strikes |= self._share.keys()
        fails = any(row.kind == "project_failure" for row in self.rows) and not self.rebuilds
        return fails or any(self._share[name][year] > 0 for name in strikes)

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

    def _overlap(self, scenario: Scenario, year: int) -> float:
        """Return the share of a period's years, 0 to 1, that lie in those of a scenario."""
        calendar = self.facts.calendar(year)
        last = min(calendar[-1], scenario.last_year)
        return max(0, last - max(calendar[0], scenario.first_year) + 1) / len(calendar)

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
