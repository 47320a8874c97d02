"""Fills the limits on groups of options: what each counts, in which periods, and how much of it is allowed or asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..instance.timeline import promised
from ..instance.wildcards import options_of
from ..models.data import PLAN, Choice, GroupLimit, ModelData
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance


def add(instance: Instance, data: ModelData) -> None:
    """Fill ``data.group_limit``, and ``chosen`` with what counts options; the builds of ``data`` must be there."""
    options = {o.option: o for o in instance.options}
    members = {limit.group: options_of(instance, limit.group) for limit in instance.group_limits}
    for branch, limit in ((branch, limit) for branch in data.courses for limit in instance.group_limits):
        starts: dict[str, list[int]] = {option: [] for option in options if option in members[limit.group]}
        for i in data.starts[branch]:
            start = data.build[i]
            if start.option in starts and promised(limit, start.year):
                starts[start.option].append(i)
        if branch != PLAN and all(data.build[i].branch != branch for of in starts.values() for i in of):
            continue  # the limit is that of the course it leaves
        modules, counted = [], []
        by_cost = limit.measure == "capex_musd"
        excess = tuple(i for i, of in enumerate(data.excess) if by_cost and of.start in starts.get(of.option, ()))
        for name, of_option in starts.items():
            option = options[name]
            if limit.measure == "options":
                if of_option:
                    counted.append(len(data.chosen))
                    data.chosen.append(Choice(name, tuple(of_option), option.max_modules, True, branch))
                continue
            measures = {"modules": 1.0, "capacity_t": option.module_t * KILO, "capex_musd": option.capex_musd}
            each = measures[limit.measure]
            modules += [(i, each) for i in of_option if each > 0.0]
        unit = KILO if limit.measure == "capacity_t" else 1.0
        most = limit.max * unit if limit.max is not None and (modules or counted) else None
        data.group_limit.append(
            GroupLimit(
                limit.group, limit.measure, limit.first_year, limit.last_year, limit.min * unit, most, modules,
                tuple(counted), branch, excess,
            )
        )  # fmt: skip
