"""Fills the builds: in which periods modules of an option may start, what they cost, and what has to come first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..instance.finance import annuity_years, capital_recovery_factor, discount_factor
from ..instance.timeline import Period, module_share, start_years
from ..models.data import Choice, ModelData, ModuleLimit, Requirement, Start
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Option


def add(instance: Instance, span: Sequence[Period], last_calendar_year: int, data: ModelData) -> None:
    """Fill ``data.build``, ``chosen``, ``modules``, ``groups`` and ``requires``."""
    fixed_om = {f.facility: f.fixed_om_usd_per_t for f in instance.facilities}
    position = {p.first_year: t for t, p in enumerate(span)}
    starts: dict[str, list[int]] = defaultdict(list)
    for option in instance.options:
        for year in start_years(option, instance.years, last_calendar_year):
            t = position[year]
            pace = float("inf") if option.max_per_year is None else option.max_per_year * span[t].length
            kept_up = sum(p.discount * module_share(option, year, p) for p in span[t:])
            starts[option.option].append(len(data.build))
            data.build.append(
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
    _limit_modules(instance, starts, data)
    for option in instance.options:
        if not option.requires:
            continue
        for start in starts[option.option]:
            t = data.build[start].period
            earlier = tuple(i for i in starts[option.requires] if data.build[i].period <= t)
            data.requires.append(Requirement(option.option, option.requires, start, option.max_modules, earlier))


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


def _limit_modules(instance: Instance, starts: dict[str, list[int]], data: ModelData) -> None:
    """Fill ``data.modules``, ``chosen`` and ``groups``; a group with one option needs no choice.

    starts  option -> positions of its builds
    """
    group_members: dict[str, list[str]] = defaultdict(list)
    for option in instance.options:
        if option.exclusive_group:
            group_members[option.exclusive_group].append(option.option)
    chosen: dict[str, int] = {}
    most = {option.option: option.max_modules for option in instance.options}
    for group, options in sorted(group_members.items()):
        if len(options) == 1:
            continue
        for name in options:
            chosen[name] = len(data.chosen)
            data.chosen.append(Choice(name, tuple(starts[name]), most[name]))
        data.groups[group] = tuple(chosen[name] for name in options)
    for option in instance.options:
        data.modules.append(
            ModuleLimit(
                option.option,
                tuple(starts[option.option]),
                option.min_modules,
                option.max_modules,
                chosen.get(option.option),
            )
        )
