"""Rules on scenarios and disruptions: they must fall into the horizon and hit something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ...errors import Issue
from ..courses import ROUNDING
from ..tables import Scenario
from ..timeline import Period, disrupted_months, overlap_share, undivided, year_and_month
from ..wildcards import hits
from .registry import SETTINGS, Draft, check

# the columns that mean something for each kind
_TARGETS = {
    "export_stop": ("country", "stage", "material"),
    "outage": ("country", "stage", "material", "facility"),
    "project_failure": ("country", "stage", "material", "facility"),
    "demand_surge": ("country", "material"),
    "price_surge": ("country", "stage", "material"),
}


def _touched(draft: Draft, scenario: Scenario) -> list[tuple[Period, float]]:
    """Return the periods that a scenario touches, each with the largest share of a node's time, 0 to 1, that it hits.

    In a scenario in months a node is a month, which is hit as a whole.
    """
    window = disrupted_months(scenario)
    shares = ((p, overlap_share(p.months, window)) for p in draft.periods)
    return [(period, 1.0 if scenario.months else share) for period, share in shares if share > 0]


@check("E318", "scenarios", SETTINGS)
def within_the_horizon(draft: Draft) -> Iterable[Issue]:
    """A scenario must fall into the horizon."""
    for row in draft.instance.scenarios:
        horizon = f"the horizon is {draft.first} to {draft.last}"
        if row.first_year > draft.last:
            yield draft.at(row, "first_year", f"the scenario lies outside the horizon; {horizon}")
        elif row.last_disrupted_year < draft.first:
            column = "last_year" if row.months is None else "months"
            yield draft.at(row, column, f"the scenario lies outside the horizon; {horizon}")


@check("E396", "scenarios", SETTINGS)
def whole_years_or_months(draft: Draft) -> Iterable[Issue]:
    """A scenario has a last year or, in months, a first month and a number of months; then in periods of one year."""
    for row in draft.instance.scenarios:
        if row.months is None and row.first_month is None:
            if row.last_year is None:
                expected = "required: the last year, or a first_month and months instead"
                yield draft.at(row, "last_year", expected, f"write {row.first_year} for one year")
            continue
        if row.months is None or row.first_month is None:
            given, other = ("first_month", "months") if row.months is None else ("months", "first_month")
            yield draft.at(row, given, f"needs {other} beside it", f"fill in {other}, or leave both blank")
            continue
        if row.last_year is not None:
            yield draft.at(row, "last_year", "must be blank: months says how long it lasts", "leave it blank")
        period = undivided(draft.periods, row.first_year, row.last_disrupted_year)
        if period is not None and row.last_disrupted_year >= draft.first:
            column = "first_year" if period.first_year <= row.first_year else "months"
            long = f"the period {period.first_year} to {period.last_year} is longer than a year"
            expected = f"a disruption in months needs periods of one year until the year after it, but {long}"
            yield draft.at(row, column, expected, "list these years in [time] years, or use last_year")


@check("E319", "scenarios")
def probabilities(draft: Draft) -> Iterable[Issue]:
    """The probabilities of the scenarios that leave the plan must sum to less than 1: the rest is that of the plan.

    Those of the scenarios that leave the branch of another sum to at most its probability.
    """
    children: dict[str, list[Scenario]] = defaultdict(list)
    for row in draft.instance.scenarios:
        children[row.parent].append(row)
    probability = {row.scenario: row.probability for row in draft.instance.scenarios}
    for parent, rows in children.items():
        total, largest = sum(row.probability for row in rows), max(rows, key=lambda row: row.probability)
        if not parent and total >= 1.0:
            expected = f"the probabilities of all without a parent sum to {total:g}, which must be below 1"
            yield draft.at(largest, "probability", expected)
        elif total > probability.get(parent, 1.0) + ROUNDING:
            expected = f"the probabilities of all with the parent {parent} sum to {total:g}, but its own is"
            hint = "probabilities are unconditional: those of branches of a branch are parts of its own"
            yield draft.at(largest, "probability", f"{expected} {probability[parent]:g}", hint)


@check("E394", "scenarios")
def parents_in_a_circle(draft: Draft) -> Iterable[Issue]:
    """A scenario must not be its own parent, nor that of one from which it descends."""
    parent = {row.scenario: row.parent for row in draft.instance.scenarios}
    for row in draft.instance.scenarios:
        line = [row.scenario]
        while (above := parent.get(line[-1], "")) and above not in line:
            line.append(above)
        if above == row.scenario:
            yield draft.at(
                row, "parent", f"a circle of parents: {' -> '.join((*line, above))}", "leave one of them blank"
            )


@check("E395", "scenarios")
def after_the_parent(draft: Draft) -> Iterable[Issue]:
    """A branch must not begin before the branch that it leaves."""
    named = {row.scenario: row for row in draft.instance.scenarios}
    for row in draft.instance.scenarios:
        parent = named.get(row.parent)
        if parent is not None and disrupted_months(row).start < disrupted_months(parent).start:
            column = "first_year" if row.first_year < parent.first_year else "first_month"
            begin = year_and_month(disrupted_months(parent).start) if parent.months else parent.first_year
            expected = f"before its parent {row.parent}, which begins in {begin} ({draft.named(parent)})"
            yield draft.at(row, column, expected)


@check("E320", "disruptions")
def meaningful_columns(draft: Draft) -> Iterable[Issue]:
    """A column of a disruption that means nothing for its kind must be blank."""
    for row in draft.instance.disruptions:
        for column in ("country", "stage", "material", "facility"):
            if getattr(row, column) and column not in _TARGETS[row.kind]:
                yield draft.at(row, column, f"means nothing for {row.kind}, it must be blank")
        if row.reference_t is not None and row.kind != "export_stop":
            yield draft.at(row, "reference_t", f"means nothing for {row.kind}, it must be blank")


@check("E321", "disruptions", "scenarios", SETTINGS)
def reference_of_a_partial_stop(draft: Draft) -> Iterable[Issue]:
    """A partial export stop needs reference_t, the undisturbed exports of which it stops a part."""
    scenarios = {s.scenario: s for s in draft.instance.scenarios}
    for row in draft.instance.disruptions:
        if row.kind != "export_stop" or row.reference_t is not None or row.scenario not in scenarios:
            continue
        partial = [
            (period, row.fraction * share)
            for period, share in _touched(draft, scenarios[row.scenario])
            if row.fraction * share < 1.0
        ]
        if partial:
            period, stopped = partial[0]
            expected = f"required, as only {stopped:.0%} is stopped in the period from {period.first_year}"
            yield draft.at(row, "reference_t", expected, "give the undisturbed yearly exports")


_HIT = ("countries", "materials", "recipes", "facilities", "operations", "options", "lanes", "demand", "markets")


@check("E322", "disruptions", *_HIT, SETTINGS)
def hits_something(draft: Draft) -> Iterable[Issue]:
    """A disruption must hit a facility, option, demand, market or, as an export stop, a lane."""
    for row in draft.instance.disruptions:
        if not hits(draft.instance, row):
            column = next((c for c in ("facility", "material", "stage", "country") if getattr(row, c)), "kind")
            yield draft.at(row, column, f"the {row.kind} hits nothing: {_MISSED[row.kind]}")


_MISSED = {
    "export_stop": "no lane leads out of the country for such a material",
    "outage": "no such facility can make such a material",
    "project_failure": "no such facility that can make such a material has an option",
    "demand_surge": "no such demand",
    "price_surge": "no such market",
}


@check("W516", "scenarios", SETTINGS)
def whole_periods(draft: Draft) -> Iterable[Issue]:
    """A scenario that covers only part of a long period has only that part of its effect there."""
    for row in draft.instance.scenarios:
        for period, share in _touched(draft, row):
            if share < 1.0:
                column = "first_year" if row.first_year > period.first_year else "last_year"
                expected = f"covers only {share:.0%} of the period {period.first_year} to {period.last_year}"
                yield draft.at(row, column, f"{expected}, and has only that part of its effect there")


@check("W517", "scenarios")
def not_empty(draft: Draft) -> Iterable[Issue]:
    """A scenario should disrupt something, or let its branch build, or be the parent of another."""
    used = {d.scenario for d in draft.instance.disruptions if d.fraction > 0}
    used |= {row.parent for row in draft.instance.scenarios}
    for row in draft.instance.scenarios:
        if row.scenario not in used and row.rebuild_after is None:
            expected = (
                "no row of disruptions.csv with a fraction above 0, no rebuild_after, and no scenario whose parent"
            )
            yield draft.at(row, "scenario", f"{expected} it is, so nothing happens")
