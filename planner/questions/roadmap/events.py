"""What can happen to a plan: the instance's own scenarios, and projects that never come, or come late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...instance.tables import cells
from ...instance.timeline import horizon_end, start_years
from ...language import _, n_
from ..delivery.draws import apart, draw, risk_of
from ..delivery.failures import PROJECT, failures

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import Option
    from ...runs.run import Run

PARTS = 2048  # equally probable parts of a common cause, from the best to the worst
DRAWS = 1024  # of the delays of projects, for how probable it is that one is late, and by how much
LEAST = 0.01  # probability: less likely events are left out


@dataclass(frozen=True)
class Variant:
    """One way in which an event can happen.

    key          short name
    title        in words
    probability  0 to 1, if the event has not happened before
    given        the same by how bad the cause is that its event shares with others, see `by_cause`; empty: it has none
    scenario     cells of its row of scenarios.csv but for names, probability and parent
    rows         table -> rows of its disruptions (and service floors), without the scenario
    """

    key: str
    title: str
    probability: float
    scenario: Mapping[str, Any]
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    given: tuple[float, ...] = ()


@dataclass(frozen=True)
class Event:
    """Something of which one learns at a date whether it happens.

    when      year and month of the news
    cause     what it has in common with others, a name; how bad that is all its variants depend on
    variants  the ways in which it can happen; their probabilities sum to 1 at most
    """

    when: tuple[int, int]
    variants: tuple[Variant, ...]
    cause: str = ""


def by_cause(probability: float, correlation: float) -> np.ndarray:
    """Return how probable something bad is, by how bad its common cause is; shape (PARTS,), equally probable parts.

    probability  over all of them, 0 to 1
    correlation  part of the variance that the cause explains, 0 to 1, as in delivery_risk.csv (a Gaussian copula)

    >>> [round(float(by_cause(0.3, correlation).mean()), 2) for correlation in (0.0, 0.5, 1.0)]
    [0.3, 0.3, 0.3]
    """
    from scipy.stats import norm

    bad = norm.ppf((np.arange(PARTS) + 0.5) / PARTS)
    own = max(1e-9, 1.0 - correlation) ** 0.5
    found: np.ndarray = norm.sf((norm.isf(probability) - correlation**0.5 * bad) / own)
    return found


def of_scenarios(instance: Instance) -> list[Event]:
    """Return the instance's own scenarios, each an event by itself."""
    found = []
    for row in instance.scenarios:
        kept = {k: v for k, v in cells(row).items() if k not in ("scenario", "name", "probability", "parent")}
        rows = {
            table: [{k: v for k, v in cells(r).items() if k != "scenario"} for r in instance.rows(table)
                    if r.scenario == row.scenario]
            for table in ("disruptions", "branch_service")
        }  # fmt: skip
        variant = Variant(row.scenario, row.name or row.scenario, row.probability, kept, rows)
        found.append(Event((row.first_year, row.first_month or 1), (variant,)))
    return found


def of_projects(instance: Instance, plan: Run, most: int) -> list[Event]:
    """Return the projects of a plan that may fail or come late, those on which most hangs first.

    most  how many of them
    One learns of a project in the first year in which it could be online. What hangs on it is the probability that it
    never comes times what that would cost, all else built as planned. Options whose starts are projects of their own
    are left out: that none of them comes is not probable, and one of them is no news of the others.
    """
    several = apart(instance)
    chance = {o.option: o.success_probability for o in instance.options}
    draws = draw(instance, DRAWS, 0)
    delay = dict(zip(draws.projects, np.asarray(draws.delay).T, strict=True))
    options = {o.option: o for o in instance.options}
    stakes: list[tuple[float, str, Event]] = []
    cases = failures(plan, instance=instance, rebuild_after=None, workers=1).cases
    for case in cases[cases["what"] == PROJECT].itertuples():
        of = [options[name] for name in case.options.split()]
        if any(o.option in several for o in of):
            continue
        fails = 1.0 - min(chance[o.option] for o in of)
        late = max((delay[o.option] for o in of), key=lambda years: float(years.mean()))
        event = _project(instance, str(case.name), of, fails, late)
        if event is not None:
            stakes.append((-fails * case.extra_musd, str(case.name), event))
    return [event for *__, event in sorted(stakes, key=lambda s: s[:2])[:most]]


def _project(instance: Instance, name: str, options: Sequence[Option], fails: float, late: np.ndarray) -> Event | None:
    """Return the event of a project; None if it is certain to come as planned, or cannot come in the horizon.

    late  years of delay in outcomes in which it comes
    """
    end = horizon_end(instance)
    starts = [year + o.lead_years for o in options for year in start_years(o, instance.years, end)]
    if not starts:
        return None
    first, variants = min(starts), []
    plants = sorted({o.facility for o in options})
    risk = risk_of(instance, min(options, key=lambda o: o.success_probability))
    never = slow = np.zeros(0)
    if risk.common_cause:
        never = by_cause(fails, risk.correlation)
        slow = (1.0 - never) * by_cause(float((late > 0).mean()), risk.correlation)
    if fails >= LEAST:
        rows = [{"kind": "project_failure", "facility": plant, "fraction": 1} for plant in plants]
        years = {"first_year": first, "last_year": first}
        variants.append(
            Variant(
                f"{name} fails",
                _("{project} never comes", project=name),
                fails,
                years,
                {"disruptions": rows},
                tuple(never.tolist()),
            )
        )
    own = {f.facility for f in instance.facilities if f.capacity_t > 0.0}
    own |= {row.facility for row in instance.facility_capacity}
    delayed = (1.0 - fails) * float((late > 0).mean())
    if delayed >= LEAST and not own & set(plants):  # a delay is an outage of what has no capacity of its own
        length = max(1, round(float(late[late > 0].mean())))
        rows = [{"kind": "outage", "facility": plant, "fraction": 1} for plant in plants]
        years = {"first_year": first, "last_year": min(end, first + length - 1)}
        title = n_("{project} is {n} year late", "{project} is {n} years late", length, project=name)
        variants.append(Variant(f"{name} late", title, delayed, years, {"disruptions": rows}, tuple(slow.tolist())))
    return Event((first, 1), tuple(variants), risk.common_cause) if variants else None
