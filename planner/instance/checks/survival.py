"""Rules on outages that the plan must survive, and on service that must hold in the branches of scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...errors import Issue, did_you_mean
from ..outages import family, losses, targets
from ..reading import SETTINGS_FILE
from ..settings import SurvivalRule
from ..timeline import YEAR, calendar_months, overlaps, undivided
from .registry import SETTINGS, Draft, check
from .windows import at_fault

_NAMED = ("countries", "facilities")
_LOST = ("countries", "materials", "recipes", "facilities", "operations", "lanes", "markets")


def _rules(draft: Draft) -> Iterator[tuple[int, SurvivalRule]]:
    """Return the outages to survive, with their numbers counted from 0."""
    return enumerate(draft.instance.survive)


def _issue(draft: Draft, number: int, key: str, value: str | None, expected: str, hint: str = "") -> Issue:
    """Return an issue at a key of an entry of ``survive`` in instance.toml; ``number`` counts the entries from 0."""
    written = draft.settings.get(("security", "survive"))
    file, line = (written.file, written.line_of(number)) if written else (SETTINGS_FILE, None)
    return Issue(file, line, f"survive.{key}", value, expected, hint)


@check("E351", SETTINGS, *_NAMED)
def known_targets(draft: Draft) -> Iterable[Issue]:
    """An outage to survive must be of something that the instance has."""
    for number, rule in _rules(draft):
        known = targets(draft.instance, rule.outage)
        for name in rule.of:
            if name not in known:
                hint = did_you_mean(name, known)
                yield _issue(draft, number, "of", name, f"unknown: expected {_EXPECTED[rule.outage]}", hint)


_EXPECTED = {
    "country": "a country or a bloc",
    "export_stop": "a country or a bloc",
    "stage": 'a country or bloc and a stage, such as "CHN separation"',
    "facility": "a facility",
}


@check("E359", SETTINGS, "lanes")
def linear_after_a_shock(draft: Draft) -> Iterable[Issue]:
    """What survives an outage is found by linear operations, which lanes that are used or not do not have."""
    lanes = [row for row in draft.instance.lanes if row.min_t or row.fixed_musd]
    for number, rule in _rules(draft) if lanes else ():
        expected = f"not with lanes of a least lot or a fixed cost ({draft.named(lanes[0])})"
        yield _issue(draft, number, "outage", rule.outage, expected, "take min_t and fixed_musd out of lanes.csv")


@check("E352", SETTINGS, "sectors", "demand")
def known_sectors(draft: Draft) -> Iterable[Issue]:
    """The sectors whose service an outage must not affect must be known, and have a demand."""
    asking = {d.sector for d in draft.instance.demand}
    known = {s.sector for s in draft.instance.sectors}
    for number, rule in _rules(draft):
        for name in rule.sectors:
            if name not in known:
                yield _issue(draft, number, "sectors", name, "unknown sector", did_you_mean(name, known))
            elif name not in asking:
                yield _issue(draft, number, "sectors", name, "the sector has no demand, so nothing can be asked for it")


@check("E353", SETTINGS)
def whole_periods(draft: Draft) -> Iterable[Issue]:
    """The years of an outage to survive must make up whole periods of the horizon: operations are yearly means."""
    begins = {p.first_year for p in draft.periods}
    ends = {p.last_year for p in draft.periods}
    for number, rule in _rules(draft):
        first, last = rule.years
        written = f"[{first}, {last}]"
        if first > last:
            yield _issue(draft, number, "years", written, "the last year is before the first")
        elif first > draft.last or last < draft.first:
            horizon = f"the horizon is {draft.first} to {draft.last}"
            yield _issue(draft, number, "years", written, f"outside the horizon; {horizon}")
        elif first not in begins or last not in ends:
            begin = max((y for y in begins if y <= first), default=draft.first)
            end = min((y for y in ends if y >= last), default=draft.last)
            expected = "expected whole periods, since what happens in a period is the mean of its years"
            yield _issue(draft, number, "years", written, expected, f"write [{begin}, {end}]")


@check("E357", SETTINGS)
def months_of_an_outage(draft: Draft) -> Iterable[Issue]:
    """The months of an outage to survive must begin and end in its first and last year, and periods must allow them."""
    for number, rule in _rules(draft):
        first, last = rule.years
        if first > last or not (rule.from_month or rule.months or rule.clock == "month"):
            continue
        key = "from_month" if rule.from_month else "months" if rule.months else "clock"
        value = str(getattr(rule, key))
        if rule.clock == "year" and key != "clock":
            yield _issue(draft, number, key, value, "means nothing with the clock of years", f"leave {key} out")
        elif (period := undivided(draft.periods, first, last)) is not None:
            long = f"the period {period.first_year} to {period.last_year} is longer"
            yield _issue(draft, number, key, value, f"months need periods of one year until the year after, but {long}")
        else:
            begin = calendar_months(first, last).start + (rule.from_month or 1) - 1
            end = begin // YEAR if rule.months is None else (begin + rule.months - 1) // YEAR
            if rule.months is not None and end != last:
                expected = f"its months end in {end}"
                yield _issue(draft, number, "years", f"[{first}, {last}]", expected, f"write [{first}, {end}]")


@check("E354", SETTINGS, *_LOST)
def something_lost(draft: Draft) -> Iterable[Issue]:
    """An outage to survive must take something away."""
    instance = draft.instance
    for number, rule in _rules(draft):
        known = targets(instance, rule.outage)
        for name in rule.of:
            if name in known and not losses(instance, rule.outage, known[name]):
                yield _issue(draft, number, "of", name, f"nothing can be lost: {_MISSED[rule.outage]}")
        if not rule.of and not family(instance, rule.outage):
            yield _issue(draft, number, "outage", rule.outage, f"nothing can be lost: {_MISSED[rule.outage]}")


_MISSED = {
    "country": "no plant there can make anything, and no lane leads out",
    "export_stop": "no lane leads out",
    "stage": "no plant there can make a material of the stage, and no lane leads out for one",
    "facility": "it can make nothing",
}


@check("E355", "branch_service", "scenarios", SETTINGS)
def floor_in_the_branch(draft: Draft) -> Iterable[Issue]:
    """A service floor must hold in some period of its branch, which begins with the scenario."""
    begins = {s.scenario: s.first_year for s in draft.instance.scenarios}
    for row in draft.instance.branch_service:
        begin = begins.get(row.scenario, draft.first)
        if not any(overlaps(row, p) for p in draft.periods if p.last_year >= begin):
            column = at_fault(row, range(begin, draft.last + 1))
            expected = f"holds in no period of the branch, which runs from {begin} to {draft.last}"
            yield draft.at(row, column, expected)
