"""Fills the builds: in which periods modules of an option may start, what they cost, and what has to come first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..instance.courses import first_own_start, left, lines
from ..instance.finance import annuity_years, capital_recovery_factor, discount_factor
from ..instance.timeline import Period, module_share, start_years
from ..models.data import PLAN, Choice, ExclusiveGroup, ModelData, ModuleLimit, Requirement, Start
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Option


def add(instance: Instance, span: Sequence[Period], last_calendar_year: int, data: ModelData) -> None:
    """Fill ``data.build``, ``starts``, ``chosen``, ``modules``, ``groups`` and ``requires``.

    A branch that may build has starts of its own from a year on, and shares the earlier ones with the course it leaves.
    """
    data.build = _starts(instance, span, last_calendar_year)
    data.starts = {PLAN: tuple(range(len(data.build)))}
    for branch, line in lines(instance.scenarios).items():
        if not line:
            continue
        scenario = line[0]
        begin, starts = first_own_start(scenario), list(data.starts[scenario.parent])
        for k, i in enumerate(starts):
            start = data.build[i]
            if begin is not None and start.year >= begin:
                data.build[i] = start._replace(probability=left(start.probability, scenario.probability))
                starts[k] = len(data.build)
                data.build.append(start._replace(branch=branch, probability=scenario.probability))
        data.starts[branch] = tuple(starts)
    for branch in data.courses:
        _limit_course(instance, branch, data)


def _starts(instance: Instance, span: Sequence[Period], last_calendar_year: int) -> list[Start]:
    """Return the starts of the plan."""
    fixed_om = {f.facility: f.fixed_om_usd_per_t for f in instance.facilities}
    position = {p.first_year: t for t, p in enumerate(span)}
    starts = []
    for option in instance.options:
        for year in start_years(option, instance.years, last_calendar_year):
            t = position[year]
            pace = float("inf") if option.max_per_year is None else option.max_per_year * span[t].length
            kept_up = sum(p.discount * module_share(option, year, p) for p in span[t:])
            starts.append(
                Start(
                    option=option.option,
                    facility=option.facility,
                    period=t,
                    year=year,
                    max_modules=min(option.max_modules, pace),
                    integer=option.integer,
                    annuity=annuity_present(instance, option, year, last_calendar_year),
                    fixed_om=0.0
                    if option.stockpile
                    else fixed_om[option.facility] * KILO * option.module_t * KILO * kept_up,
                    stockpile=option.stockpile,
                )
            )
    return starts


def annuity_present(instance: Instance, option: Option, start_year: int, last_calendar_year: int) -> float:
    """Return the present value, MUSD per module, of the annuities that are paid within the horizon.

    start_year          first calendar year of the period in which the module is started
    last_calendar_year  last year of the horizon
    """
    wacc = instance.wacc if option.wacc is None else option.wacc
    yearly = option.capex_musd * capital_recovery_factor(wacc, option.life_years)
    first = instance.years[0]
    return yearly * sum(
        discount_factor(instance.discount_rate, year - first)
        for year in annuity_years(option, start_year, last_calendar_year)
    )


def starts_of(data: ModelData, branch: str) -> tuple[dict[str, list[int]], set[str]]:
    """Return option -> positions of its starts in a course, and the options that the course starts by itself.

    What a course shares with the one that it leaves is limited there.
    """
    starts: dict[str, list[int]] = defaultdict(list)
    for i in data.starts[branch]:
        starts[data.build[i].option].append(i)
    return starts, {option for option, of in starts.items() if any(data.build[i].branch == branch for i in of)}


def _limit_course(instance: Instance, branch: str, data: ModelData) -> None:
    """Fill the limits on the starts of a course; a group with one option needs no choice."""
    starts, own = starts_of(data, branch)
    members: dict[str, list[str]] = defaultdict(list)
    for option in instance.options:
        if option.exclusive_group:
            members[option.exclusive_group].append(option.option)
    groups = {g: names for g, names in members.items() if len(names) > 1 and (branch == PLAN or own & {*names})}
    limited = own.union(*groups.values())
    chosen: dict[str, int] = {}
    most = {option.option: option.max_modules for option in instance.options}
    for group, names in sorted(groups.items()):
        for name in names:
            chosen[name] = len(data.chosen)
            data.chosen.append(Choice(name, tuple(starts[name]), most[name], branch=branch))
        data.groups.append(ExclusiveGroup(group, branch, tuple(chosen[name] for name in names)))
    for option in instance.options:
        name = option.option
        if branch == PLAN or name in limited:
            limit = name, tuple(starts[name]), option.min_modules, option.max_modules, chosen.get(name), branch
            data.modules.append(ModuleLimit(*limit))
        for i in starts[name] if option.requires else ():
            if data.build[i].branch == branch:
                earlier = (k for k in starts[option.requires] if data.build[k].period <= data.build[i].period)
                data.requires.append(Requirement(name, option.requires, i, option.max_modules, tuple(earlier)))
