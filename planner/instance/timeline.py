"""Time: periods and their discounting, months, ramps, and series that are interpolated between years."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from .finance import discount_factor

if TYPE_CHECKING:
    from .courses import Line
    from .instance import Instance
    from .tables import Cap, Facility, Option, Scenario, Stockpile

YEAR = 12  # months


@dataclass(frozen=True, slots=True)
class Period:
    """A planning period.

    first_year  first calendar year
    length      number of calendar years, w_t
    discount    D_t, years: present value of 1 a year, the sum of (1+r)^-(y - y_0) over its calendar years y
    """

    first_year: int
    length: int
    discount: float

    @property
    def last_year(self) -> int:
        """Last calendar year of the period."""
        return self.first_year + self.length - 1

    @property
    def calendar(self) -> range:
        """The calendar years of the period."""
        return range(self.first_year, self.first_year + self.length)

    @property
    def months(self) -> range:
        """The calendar months of the period; see `calendar_months`."""
        return calendar_months(self.first_year, self.last_year)


def calendar_months(first_year: int, last_year: int) -> range:
    """Return the months of calendar years, both inclusive, counted so that January of the year y is 12 y.

    >>> calendar_months(2027, 2028)
    range(24324, 24348)
    """
    return range(YEAR * first_year, YEAR * (last_year + 1))


def periods(instance: Instance) -> tuple[Period, ...]:
    """Return the periods of an instance, in order; each ends before the next year of the list."""
    starts = instance.years
    ends = (*starts[1:], starts[-1] + instance.last_period_years)
    result = []
    for start, end in zip(starts, ends, strict=True):
        present = sum(discount_factor(instance.discount_rate, y - starts[0]) for y in range(start, end))
        result.append(Period(start, end - start, present))
    return tuple(result)


def horizon_end(instance: Instance) -> int:
    """Return the last calendar year of the horizon."""
    return instance.years[-1] + instance.last_period_years - 1


def ramp_share(year: int, online_year: int, ramp_years: int) -> float:
    """Return the share of nameplate available in a calendar year: 0 before ``online_year``, then rising linearly to 1.

    >>> [ramp_share(y, 2027, 2) for y in (2026, 2027, 2028, 2029)]
    [0.0, 0.5, 1.0, 1.0]
    """
    if year < online_year:
        return 0.0
    return min(1.0, (year - online_year + 1) / max(1, ramp_years))


def largest_capacity(instance: Instance, facility: Facility) -> float:
    """Return the own capacity of a facility at nameplate, t/yr: its ``capacity_t``, or the largest of its series."""
    points = instance.capacity_series.get(facility.facility)
    return facility.capacity_t if points is None else max(points.values())


def capacity_part(instance: Instance, facility: Facility, year: int) -> float:
    """Return which part of its largest capacity a facility has in a year, 0 to 1, before ramp, first and last year."""
    points = instance.capacity_series.get(facility.facility)
    if points is None:
        return 1.0
    largest = largest_capacity(instance, facility)
    return series_value(points, year) / largest if largest > 0.0 else 0.0


def own_capacity_share(instance: Instance, facility: Facility, period: Period) -> float:
    """Return the mean share of a facility's largest capacity that is there over the years of a period, 0 to 1.

    A series is read at the first year of the period, the ramp in each of its years.
    """
    return capacity_part(instance, facility, period.first_year) * ramped_share(facility, period)


def ramped_share(facility: Facility, period: Period) -> float:
    """Return the mean share of a capacity, 0 to 1, that first year, ramp and last year leave in a period."""
    total = 0.0
    for year in period.calendar:
        if facility.last_year is not None and year > facility.last_year:
            continue
        if facility.first_year is None:
            total += 1.0
        else:
            total += ramp_share(year, facility.first_year, facility.ramp_years)
    return total / period.length


def module_share(option: Option, start_year: int, period: Period) -> float:
    """Return the mean share of a module's nameplate over a period, 0 to 1, if it is started in ``start_year``."""
    age = period.first_year - start_year - option.lead_years
    return _share_of_life(age, period.length, option.ramp_years, option.life_years)


@cache
def _share_of_life(age: int, length: int, ramp_years: int, life_years: int) -> float:
    """Return the mean share of a module's nameplate over some years of its life; it is asked for again and again.

    age     in years, at the beginning of the first of these years; below 0: it is not online yet
    length  number of years
    """
    total = 0.0
    for year in range(age, min(age + length, life_years)):
        total += ramp_share(year, 0, ramp_years)
    return total / length


def start_years(option: Option, years: Iterable[int], last_calendar_year: int) -> tuple[int, ...]:
    """Return the years in which modules may start: in the option's window, and online by the end of the horizon.

    years               first calendar years of the periods
    last_calendar_year  last year of the horizon
    """
    return tuple(
        year
        for year in years
        if (option.first_start is None or year >= option.first_start)
        and (option.last_start is None or year <= option.last_start)
        and year + option.lead_years <= last_calendar_year
    )


def most_room(store: Stockpile, options: Iterable[Option], horizon: Sequence[Period], period: Period) -> float:
    """Return the most that a stockpile can hold at the end of a period with all that its options can add, t.

    options  all options of the instance
    horizon  all periods
    """
    starts = [p.first_year for p in horizon if p.first_year <= period.first_year]
    return store.max_t + sum(
        option.module_t * option.max_modules * max((module_share(option, year, period) for year in possible), default=0)
        for option in options
        if option.stockpile == store.stockpile and (possible := start_years(option, starts, horizon[-1].last_year))
    )


def series_value(points: Mapping[int | None, float], year: int) -> float:
    """Return the value of a series: linear between listed years, constant before the first and after the last.

    points  calendar year -> value; the single key None is a value for every year

    >>> series_value({2026: 1.25, 2028: 1.15}, 2027)
    1.2
    """
    if None in points:
        return points[None]
    known = sorted(y for y in points if y is not None)
    position = bisect_left(known, year)
    if position == 0:
        return points[known[0]]
    if position == len(known):
        return points[known[-1]]
    before, after = known[position - 1], known[position]
    if after == year:
        return points[after]
    return points[before] + (points[after] - points[before]) * (year - before) / (after - before)


def year_and_month(month: int) -> str:
    """Return a calendar month in figures.

    >>> year_and_month(12 * 2027 + 7)
    '2027-08'
    """
    return f"{month // YEAR}-{month % YEAR + 1:02d}"


def undivided(span: Iterable[Period], first_year: int, last_year: int) -> Period | None:
    """Return a period that cannot be divided into months, though a disruption of these years asks for it; None: none.

    It asks for periods of one year until the year after it.
    """
    return next((p for p in span if p.length > 1 and p.last_year >= first_year and p.first_year <= last_year + 1), None)


def months_of(period: Period, month: int | None) -> range:
    """Return the calendar months of a period, or of one month of it (1 to 12, of a period of one year)."""
    return period.months if month is None else period.months[month - 1 : month]


def overlap_share(months: range, window: range) -> float:
    """Return the share of some calendar months that lies in a window of calendar months, 0 to 1.

    >>> overlap_share(calendar_months(2027, 2027), range(12 * 2027 + 6, 12 * 2028))
    0.5
    """
    common = min(months.stop, window.stop) - max(months.start, window.start)
    return max(0, common) / len(months)


def disrupted_months(scenario: Scenario) -> range:
    """Return the calendar months in which the disruptions of a scenario act: whole years, or those that it names."""
    if scenario.first_month is None or scenario.months is None:
        return calendar_months(scenario.first_year, scenario.last_disrupted_year)
    first = YEAR * scenario.first_year + scenario.first_month - 1
    return range(first, first + scenario.months)


def branch_begin(scenario: Scenario, span: Sequence[Period]) -> int:
    """Return the calendar month in which a scenario's branch begins.

    It begins with the period of its first year or, of a scenario in months, with its first month; with the horizon at
    the earliest.

    span  all periods of the instance
    """
    first = disrupted_months(scenario).start
    period = next(p for p in span if first < p.months.stop)
    return max(first, period.months.start) if scenario.months is not None else period.months.start


def branch_times(line: Line, span: Sequence[Period]) -> Iterator[tuple[int, int | None]]:
    """Yield the times of a course in order: position of the period, and month 1 to 12 of its year.

    The month is None for whole periods. The years that a scenario in months touches, and the one after, are divided
    into months, in its own branch and in those that descend from it.

    line  the line of the course, see `courses.lines`; empty: the plan
    """
    begin = branch_begin(line[0], span) if line else span[0].months.start
    divided = {
        year
        for scenario in line
        if scenario.months is not None
        for year in range(branch_begin(scenario, span) // YEAR, scenario.last_disrupted_year + 2)
    }
    for t, period in enumerate(span):
        if period.first_year in divided and period.months.stop > begin:
            yield from ((t, at % YEAR + 1) for at in period.months if at >= begin)
        elif period.months.start >= begin:
            yield t, None


class Window(Protocol):
    """A row that holds in certain calendar years; None: from the beginning, or to the end, of the horizon."""

    first_year: int | None
    last_year: int | None


def overlaps(row: Window, period: Period) -> bool:
    """Return whether some calendar year of a period lies in a row's years."""
    begins = row.first_year is None or row.first_year <= period.last_year
    return begins and (row.last_year is None or period.first_year <= row.last_year)


def promised(row: Window, year: int) -> bool:
    """Return whether a promise holds in the period that begins in ``year``: only this first year counts."""
    return (row.first_year is None or row.first_year <= year) and (row.last_year is None or year <= row.last_year)


def glide_value(first_year: int, last_year: int, limit: float, limit_end: float, year: int) -> float:
    """Return the limit of a cap in ``year``, on a straight line from ``limit`` to ``limit_end``, exact at both ends.

    >>> [glide_value(2026, 2029, 0.8, 0.0, year) for year in (2026, 2029)]
    [0.8, 0.0]
    """
    if last_year == first_year or limit == limit_end:
        return limit
    gone = (year - first_year) / (last_year - first_year)
    return limit * (1.0 - gone) + limit_end * gone


def cap_limits(instance: Instance, cap: Cap) -> dict[int, float]:
    """Return first year of a period -> limit (share), for the periods whose first year lies in the cap's years."""
    first = instance.years[0] if cap.first_year is None else cap.first_year
    last = horizon_end(instance) if cap.last_year is None else cap.last_year
    end = cap.limit if cap.limit_end is None else cap.limit_end
    return {year: glide_value(first, last, cap.limit, end, year) for year in instance.years if first <= year <= last}
