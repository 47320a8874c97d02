"""Fills the sizes: for each start of an option with sizes, the steps from one size to the next and what they cost."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ..models.data import ModelData, Sized, SizeStep
from .investment import annuity_present

if TYPE_CHECKING:
    from ..instance.instance import Instance


def add(instance: Instance, last_calendar_year: int, data: ModelData) -> None:
    """Fill ``data.fill`` and ``data.excess``; the builds of ``data`` must be there."""
    options = {o.option: o for o in instance.options}
    for i, start in enumerate(data.build):
        sizes = instance.sizes.get(start.option)
        if not sizes:
            continue
        option = options[start.option]
        steps: list[int] = []
        for (small, cheap), (large, dear) in pairwise([(0.0, 0.0), *sizes]):
            share = (large - small) / option.module_t
            more = dear - cheap - share * option.capex_musd
            before = steps[-1] if steps else None
            steps.append(len(data.fill))
            data.fill.append(SizeStep(start.option, start.year, share, more, before, large == option.module_t))
        each = option.model_copy(update={"capex_musd": 1.0})
        annuity = annuity_present(instance, each, start.year, last_calendar_year)
        data.excess.append(Sized(start.option, start.year, i, annuity, tuple(steps), start.probability))
