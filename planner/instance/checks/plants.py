"""Facilities, operations, processes and stockpiles."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from ..tables import Operation, OperationCost
from ..timeline import own_capacity_share
from .registry import SETTINGS, Draft, check


@check("E326", "processes", "recipes")
def has_a_recipe(draft: Draft) -> Iterable[Issue]:
    """A process must have a row in recipes.csv."""
    known = {r.process for r in draft.instance.recipes}
    for row in draft.instance.processes:
        if row.process not in known:
            yield draft.at(row, "process", "nothing goes in or comes out", "add rows to recipes.csv")


@check("E327", "stockpiles")
def content_fits(draft: Draft) -> Iterable[Issue]:
    """What a stockpile must hold at the end must fit in."""
    for row in draft.instance.stockpiles:
        if row.final_min_t > row.max_t:
            yield draft.at(row, "final_min_t", f"more than max_t = {row.max_t:g}")


@check("W537", "stockpiles")
def opening_fits(draft: Draft) -> Iterable[Issue]:
    """What a stockpile holds at the beginning should fit in: what does not must be drawn in the first period."""
    for row in draft.instance.stockpiles:
        if row.initial_t > row.max_t:
            yield draft.at(row, "initial_t", f"more than max_t = {row.max_t:g}, so the rest must be drawn at once")


@check("W519", "stockpiles")
def missing_content_costs(draft: Draft) -> Iterable[Issue]:
    """In a branch, tonnes missing at the end cost the material's value, which should not be 0."""
    value = {m.material: m.value_usd_per_t for m in draft.instance.materials}
    for row in draft.instance.stockpiles:
        if row.final_min_t > 0 and value[row.material] == 0:
            expected = f"{row.material} has value_usd_per_t 0, so in a branch missing tonnes cost nothing"
            yield draft.at(row, "final_min_t", expected)


@check("W520", "facilities")
def can_do_something(draft: Draft) -> Iterable[Issue]:
    """A facility should have an operation."""
    able = {o.facility for o in draft.instance.operations} | {o.facility for o in draft.instance.options if o.stockpile}
    for row in draft.instance.facilities:
        if row.facility not in able:
            yield draft.at(row, "facility", "no row of operations.csv, so it does nothing")


@check("W521", "facilities", SETTINGS)
def has_capacity(draft: Draft) -> Iterable[Issue]:
    """A facility should have capacity within the horizon: its own or that of an option."""
    grows = {o.facility for o in draft.instance.options}
    for row in draft.instance.facilities:
        if row.facility in grows:
            continue
        if row.capacity_t == 0:
            yield draft.at(row, "capacity_t", "neither own capacity nor an option, so it does nothing")
        elif not any(own_capacity_share(row, period) > 0 for period in draft.periods):
            column = "first_year" if row.first_year is not None and row.first_year > draft.last else "last_year"
            yield draft.at(row, column, "no capacity within the horizon, and no option")


@check("W522", "processes")
def somebody_runs_it(draft: Draft) -> Iterable[Issue]:
    """A process should be run by some facility."""
    run = {o.process for o in draft.instance.operations}
    for row in draft.instance.processes:
        if row.process not in run:
            yield draft.at(row, "process", "no facility runs it")


@check("W523", "operations")
def costs_are_costs(draft: Draft) -> Iterable[Issue]:
    """A negative running cost is a credit, which is rare."""
    rows: tuple[Operation | OperationCost, ...] = (
        *draft.instance.operations,
        *draft.instance.operation_costs,
    )
    for row in rows:
        if row.opex_usd_per_t < 0:
            yield draft.at(row, "opex_usd_per_t", "a negative cost is a credit; is that meant?")


@check("W524", "materials")
def used_somewhere(draft: Draft) -> Iterable[Issue]:
    """A material should be made, used, bought or needed."""
    instance = draft.instance
    known = {r.material for r in instance.recipes} | {d.material for d in instance.demand}
    known |= {m.material for m in instance.markets} | {s.material for s in instance.stockpiles}
    for row in instance.materials:
        if row.material not in known:
            yield draft.at(row, "material", "nobody makes, uses, sells or needs it")
