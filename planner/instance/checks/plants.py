"""Rules on facilities, operations, processes, materials and stockpiles."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from ..tables import Operation, OperationCost, Stockpile
from ..timeline import Period, largest_capacity, most_room
from .registry import SETTINGS, Draft, check
from .windows import at_fault


@check("E326", "processes", "recipes")
def has_a_recipe(draft: Draft) -> Iterable[Issue]:
    """A process must have a row in recipes.csv."""
    known = {r.process for r in draft.instance.recipes}
    for row in draft.instance.processes:
        if row.process not in known:
            yield draft.at(row, "process", "the process has no inputs and no outputs", "add rows to recipes.csv")


@check("E327", "stockpiles", "options", SETTINGS)
def content_fits(draft: Draft) -> Iterable[Issue]:
    """The least final content of a stockpile must fit in, with all the room that options can add."""
    for row in draft.instance.stockpiles:
        if row.final_min_t > _room(draft, row, draft.periods[-1]):
            yield draft.at(row, "final_min_t", f"more than {_room_in_words(draft, row, draft.periods[-1])}")


@check("W537", "stockpiles", "options", SETTINGS)
def opening_fits(draft: Draft) -> Iterable[Issue]:
    """The initial content of a stockpile should fit in; the rest must be drawn in the first period."""
    for row in draft.instance.stockpiles:
        if row.initial_t > _room(draft, row, draft.periods[0]):
            room = _room_in_words(draft, row, draft.periods[0])
            yield draft.at(row, "initial_t", f"more than {room}, so the rest must be drawn at once")


def _room(draft: Draft, row: Stockpile, period: Period) -> float:
    """Return the most that a stockpile can hold at the end of a period, t."""
    return most_room(row, draft.instance.options, draft.periods, period)


def _room_in_words(draft: Draft, row: Stockpile, period: Period) -> str:
    """Return the room of a stockpile at the end of a period in words."""
    added = _room(draft, row, period) - row.max_t
    return f"max_t = {row.max_t:g}" + (f" and the {added:g} t that options can add by then" if added else "")


@check("W519", "stockpiles")
def missing_content_costs(draft: Draft) -> Iterable[Issue]:
    """In a branch, tonnes missing at the end cost the material's value, which should not be 0."""
    value = {m.material: m.value_usd_per_t for m in draft.instance.materials}
    for row in draft.instance.stockpiles:
        if row.final_min_t > 0 and value[row.material] == 0:
            expected = f"{row.material} has value_usd_per_t 0, so in a branch missing tonnes cost nothing"
            yield draft.at(row, "final_min_t", expected)


@check("W539", "working_stocks", "materials", "markets", "market_prices")
def replacing_costs(draft: Draft) -> Iterable[Issue]:
    """What is drawn from a working stock must be replaced, which should cost no less than any market asks for it."""
    value = {m.material: m.value_usd_per_t for m in draft.instance.materials}
    sold = {m.market: m.material for m in draft.instance.markets}
    cheapest: dict[str, float] = {}
    for price in draft.instance.market_prices:
        material = sold[price.market]
        cheapest[material] = min(price.price_usd_per_t, cheapest.get(material, price.price_usd_per_t))
    for row in draft.instance.working_stocks:
        usd, asked = value[row.material], cheapest.get(row.material, 0.0)
        if row.replace_usd_per_t is not None:
            usd = row.replace_usd_per_t
        if usd == 0.0 or usd < asked:
            market = f", and the cheapest market asks {asked:,.6g}" if usd < asked else ""
            expected = f"replacing a tonne of {row.material} costs {usd:,.6g}{market}: drawing it pays without need"
            yield draft.at(row, "replace_usd_per_t", expected, "write what a tonne costs in normal times, delivered")


@check("W520", "facilities", "options")
def can_do_something(draft: Draft) -> Iterable[Issue]:
    """A facility should have an operation."""
    able = {o.facility for o in draft.instance.operations} | _keepers(draft)
    for row in draft.instance.facilities:
        if row.facility not in able:
            yield draft.at(row, "facility", "no row of operations.csv, so it does nothing")


@check("W521", "facilities", "facility_capacity", "options", SETTINGS)
def has_capacity(draft: Draft) -> Iterable[Issue]:
    """A facility that runs something should have capacity within the horizon: its own or that of an option."""
    grows = {o.facility for o in draft.instance.options if not o.stockpile}
    runs = {o.facility for o in draft.instance.operations}
    for row in draft.instance.facilities:
        if row.facility in grows or row.facility in _keepers(draft) - runs:
            continue
        if largest_capacity(draft.instance, row) == 0:
            yield draft.at(row, "capacity_t", "neither own capacity nor an option, so it does nothing")
        elif not any(draft.has_capacity(row, period) for period in draft.periods):
            column = at_fault(row, range(draft.first, draft.last + 1))
            yield draft.at(row, column, "no capacity within the horizon, and no option")


@check("E372", "facilities", "facility_capacity")
def one_capacity(draft: Draft) -> Iterable[Issue]:
    """A facility whose capacity is a series in facility_capacity.csv must leave its own capacity_t blank."""
    series = {row.facility: row for row in reversed(draft.instance.facility_capacity)}
    for row in draft.instance.facilities:
        place = draft.place(row)
        in_a_file = place.line is not None and bool(place.written("capacity_t"))  # elsewhere a default is written out
        if row.facility in series and (row.capacity_t or in_a_file):
            other = draft.named(series[row.facility])
            yield draft.at(row, "capacity_t", f"{other} gives the capacity of this facility by year", "leave it blank")


def _keepers(draft: Draft) -> set[str]:
    """Return the facilities with an option that enlarges a stockpile."""
    return {o.facility for o in draft.instance.options if o.stockpile}


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
    rows: tuple[Operation | OperationCost, ...] = (*draft.instance.operations, *draft.instance.operation_costs)
    for row in rows:
        if row.opex_usd_per_t < 0:
            yield draft.at(row, "opex_usd_per_t", "a negative cost is a credit; is that meant?")


@check("W524", "materials")
def used_somewhere(draft: Draft) -> Iterable[Issue]:
    """A material should be made, used, bought or needed."""
    instance = draft.instance
    known = {r.material for r in instance.recipes} | {d.material for d in instance.demand}
    known |= {m.material for m in instance.markets} | {b.material for b in instance.buyers}
    known |= {s.material for s in instance.stockpiles}
    known |= {s.replaced_by for s in instance.substitutes} | {r.returned for r in instance.returns}
    for row in instance.materials:
        if row.material not in known:
            yield draft.at(row, "material", "nobody makes, uses, sells or needs it")
