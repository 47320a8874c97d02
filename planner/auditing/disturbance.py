r"""Works out what scenarios change in a period: capacity, projects, demand, prices, exports, and rules they lift.

In a period, a fraction is multiplied by the share of the period's years that lie in the scenario's years. The factors
of several rows on one target are multiplied:

.. math:: \prod_d (1 - f_d\,share_t) \;\text{for losses}, \qquad \prod_d (1 + f_d\,share_t) \;\text{for surges}

A project failure lasts from the beginning of the branch to the end of the horizon, whatever the share of years. In a
branch that leaves the branch of another scenario both act.

A scenario in months has branches in parts: each month of the years that it touches, and of the one year after, is a
part of its own, in which the share is 1 or 0; what comes after them is one further part.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

from ..instance.instance import Instance
from ..instance.tables import Disruption, Option, Scenario
from .facts import Facts


class Disturbance:
    """What a scenario, and those whose branches it descends from, do; without a scenario nothing is disturbed.

    instance  in which the scenario's disruptions and service floors stand; None: the one of the facts

    line    the scenario, the one whose branch it leaves, and so on
    floors  sector -> its row of branch_service.csv
    share   scenario of the line -> first year of a period -> share of its time in which it disrupts, 0 to 1; of a part
            that is a month, the share of that month
    begin   first year of the period in which the branch begins
    gone    the share of that year, 0 to 1, that has gone by then
    years   first years of the periods of the branch, or of the part
    blow    calendar month in which the first disruption on the line begins to act; January of y is 12 y
    filled  the scenario with whose branch working stocks begin to be drawn down: the first on the line in months that
            disrupts; None: there is none
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
        above = scenario
        while above is not None:
            self.line.append(above)
            above = named.get(above.parent)
        of = {row.scenario: row for row in self.line}
        self.rows = [row for row in asked.disruptions if row.scenario in of]
        self.floors = {r.sector: r for r in asked.branch_service if scenario and r.scenario == scenario.scenario}
        self._first = {name: row.first_year for name, row in of.items()}
        self._hit = {
            name: {year: _overlap(row, 12 * year, 12 * facts.length[year]) for year in facts.years}
            for name, row in of.items()
        }
        self.share = self._hit
        touched = [year for year in facts.years if scenario and self._hit[scenario.scenario][year] > 0]
        self.begin = facts.first if scenario is None else min(touched, default=facts.last + 1)
        self.gone = 0.0
        if scenario is not None and scenario.months is not None and scenario.first_year == self.begin:
            self.gone = ((scenario.first_month or 1) - 1) / 12
        self.years = tuple(year for year in facts.years if year >= self.begin)
        disrupts = {row.scenario for row in self.rows}
        striking = [row for row in self.line if row.scenario in disrupts] or self.line[:1]
        self.blow = self.begins(striking[-1]) if striking else 0
        timed = [row for row in striking if row.months is not None]
        self.filled = timed[-1] if timed else None

    def begins(self, scenario: Scenario) -> int:
        """Return the calendar month in which the branch of a scenario of the line begins; January of y is 12 y."""
        hit = self._hit[scenario.scenario]
        year = min((y for y in self.facts.years if hit[y] > 0), default=self.facts.last + 1)
        within = scenario.months is not None and scenario.first_year == year
        return 12 * year + ((scenario.first_month or 1) - 1 if within else 0)

    @property
    def divided(self) -> tuple[int, ...]:
        """The years that are divided into months: those that a scenario in months touches, and the one after."""
        hits = [self._hit[row.scenario] for row in self.line if row.months is not None]
        return tuple(y for y in self.years if any(hit[y] > 0 or hit.get(y - 1, 0.0) > 0 for hit in hits))

    @property
    def in_months(self) -> bool:
        """Whether some years of the branch are in months, so that its tables have a column for them."""
        return bool(self.divided)

    def parts(self) -> list[Disturbance]:
        """Return the parts of the branch in order of time: months, and whole periods before, between or after them."""
        divided, parts = self.divided, []
        for year in self.years if divided else ():
            for month in range(1, 13) if year in divided else (0,):
                if year == self.begin and month and month - 1 < round(12 * self.gone):
                    continue
                part = copy.copy(self)
                part.month, part.years = month, (year,)
                if month:
                    part.share = {row.scenario: {year: _overlap(row, 12 * year + month - 1, 1)} for row in self.line}
                parts.append(part)
        return parts or [self]

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
        """Whether clean-only rules are lifted in the period, or in the month that the part is."""
        return self._lifted(self.share, year)

    def caps_lifted(self, year: int) -> bool:
        """Whether caps are lifted in the period: it is disrupted, if only in one of its months."""
        return self._lifted(self._hit, year)

    def _lifted(self, share: Mapping[str, Mapping[int, float]], year: int) -> bool:
        """Return whether a scenario with disruptions acts; after a project failure for good, unless one may rebuild."""
        strikes = set(share) if self._posed else {row.scenario for row in self.rows}
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
                factor *= 1.0 + row.fraction * self.share[row.scenario][year]
        return factor

    def price_factor(self, country: str, material: str, year: int) -> float:
        """Return the factor, 1 or more, by which a market's price rises."""
        factor = 1.0
        for row in self._of("price_surge"):
            if self._in(row, country) and self._is(row, material):
                factor *= 1.0 + row.fraction * self.share[row.scenario][year]
        return factor

    def export_limits(self, year: int) -> dict[tuple[str, str], float]:
        """Return (material, country) -> t/yr that may leave, for export stops in the period."""
        limits = {}
        stops = [row for row in self._of("export_stop") if self.share[row.scenario][year] > 0]
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

    @property
    def first_month(self) -> int:
        """The calendar month in which the plan or the branch begins; January of y is 12 y."""
        return 12 * self.begin + round(12 * self.gone)

    def _of(self, kind: str) -> list[Disruption]:
        return [row for row in self.rows if row.kind == kind]

    def _in(self, row: Disruption, country: str) -> bool:
        return country in self.facts.members(row.country)

    def _is(self, row: Disruption, material: str) -> bool:
        return row.material in ("", material) and row.stage in ("", self.facts.materials[material].stage)

    def _hits_facility(self, row: Disruption, facility: str) -> bool:
        """Return whether a disruption names this facility, its owner or country, and it makes what is hit.

        A name that is the key of a facility means this one alone, even if an owner is called the same.
        """
        known = self.facts.facilities
        own = facility if row.facility in known else known[facility].owner
        return (
            row.facility in ("", own)
            and self._in(row, self.facts.facilities[facility].country)
            and any(self._is(row, material) for material in self.facts.outputs(facility))
        )

    def _left(self, rows: Iterable[Disruption], year: int) -> float:
        left = 1.0
        for row in rows:
            left *= 1.0 - row.fraction * self.share[row.scenario][year]
        return left


def _overlap(scenario: Scenario, first: int, months: int) -> float:
    """Return the share of some months from ``first`` on in which a scenario disrupts; January of y is 12 y."""
    begin = 12 * scenario.first_year
    if scenario.months is not None:
        begin += (scenario.first_month or 1) - 1
        end = begin + scenario.months
    else:
        end = 12 * ((scenario.last_year or 0) + 1)
    return max(0, min(first + months, end) - max(first, begin)) / months
