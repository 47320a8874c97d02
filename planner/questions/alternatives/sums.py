"""The least and the most of sums over near-optimal plans: of groups of options, and of what the slack buys."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import UsageError, hinted
from ...solving.measures import capex
from ...solving.solver import PROVEN_UP_TO
from .priced import least_at_prices
from .result import BUYS
from .space import NEAR

if TYPE_CHECKING:
    from .space import Space

GROUPS = ("country", "owner", "startup", "stage", "option")


def members(space: Space, text: str) -> list[str]:
    """The options of a group as it is asked for."""
    what, _, value = text.partition("=")
    if what not in GROUPS or not value:
        expected = ", ".join(f"{g}=..." for g in GROUPS)
        raise UsageError(hinted(f'group "{text}": expected {expected}', what, GROUPS))
    facilities = {f.facility: f for f in space.instance.facilities}
    stages = {m.material: m.stage for m in space.instance.materials}
    made: dict[str, set[str]] = defaultdict(set)
    for recipe in space.instance.recipes:
        if recipe.role == "output":
            made[recipe.process].add(stages[recipe.material])
    of_facility: dict[str, set[str]] = defaultdict(set)
    for operation in space.instance.operations:
        of_facility[operation.facility] |= made[operation.process]
    known: dict[str, Callable[[Any], set[str]]] = {
        "country": lambda o: {facilities[o.facility].country},
        "owner": lambda o: {facilities[o.facility].owner},
        "startup": lambda o: {"yes" if facilities[o.facility].startup else "no"},
        "stage": lambda o: of_facility[o.facility],
        "option": lambda o: {o.option},
    }
    found = [o.option for o in space.instance.options if value in known[what](o)]
    if not found:
        values = set().union(*(known[what](o) for o in space.instance.options)) - {""}
        raise UsageError(hinted(f'group "{text}": no option', value, values))
    return found


def span(space: Space, text: str) -> tuple[Any, ...]:
    """A row of the table ``groups``: the least and the most capacity and capex of a group."""
    options = members(space, text)
    space.tell(f"least and most of {text}")
    found: list[float] = []
    proven = True
    for unit in ("module_t", "capex_musd"):
        each = {o: float(getattr(space.options[o], unit)) for o in options}
        weights = {int(space.column[i]): each[o] for o in options for i in space.starts[o]}
        if unit == "capex_musd":
            of_column = capex(space.data, space.arrays, _of(each))
            weights = {int(k): float(of_column[k]) for k in np.flatnonzero(of_column)}
        for most in (False, True):
            _, sure = space.extreme(weights, most, gap=1e-4)
            known = [sum(w * x[k] for k, w in weights.items()) for x in space.seen]
            found.append(float(max(known) if most else min(known)))
            proven &= sure
    return (text, *found, proven)


def buy(space: Space, name: str) -> tuple[str, float, float, bool, float] | None:
    """A row of the table ``buys``: aim, value at the least cost, best within the slack, whether proven, its bound."""
    overnight = capex(space.data, space.arrays, lambda option: space.options[option].capex_musd)
    aims = (space.solver.measure("unclean"), overnight, *map(space.solver.measure, ("public", "unserved")))
    of_column = dict(zip(BUYS, aims, strict=True))[name]
    weights = {int(k): float(of_column[k]) for k in np.flatnonzero(of_column)}
    if not weights:
        return None
    space.tell(f"{name} within the slack")
    at_best = _at_best(space, weights)
    if at_best <= 0.0:  # none of these sums can be less
        return name, at_best, at_best, True, at_best
    bound, sure = -math.inf, False
    if space.method is not None and not space.method.invests(weights):
        near = NEAR * max(1.0, at_best)
        bound = least_at_prices(space, of_column, near)
        sure = min(float(of_column @ x) for x in space.seen) - bound <= near
    if not sure and (bound == -math.inf or len(space.whole) <= PROVEN_UP_TO):
        _, sure = space.extreme(weights, gap=1e-4)
    best = float(min(sum(w * x[k] for k, w in weights.items()) for x in space.seen))
    bound = best if sure else bound
    return name, max(at_best, best), best, sure, max(0.0, bound) if math.isfinite(bound) else math.nan


def _at_best(space: Space, weights: Mapping[int, float]) -> float:
    """The least of a sum at the least cost: cost alone leaves open which of equal plans is meant."""
    room = 1e-7 * abs(space.best_musd)
    most = (space.ceiling - space.arrays.offset) * space.scale
    at_best = (space.best_musd + room - space.arrays.offset) * space.scale
    space.solver.side(space.row, -math.inf, at_best)
    with space.solver.bounded(space.column, *_held(space)):
        try:
            found, _ = space.aim(weights)
        finally:
            space.solver.side(space.row, -math.inf, most)
    x = space.best if found is None else found
    return float(sum(w * x[k] for k, w in weights.items()))


def _held(space: Space) -> tuple[np.ndarray, np.ndarray]:
    built = space.best[space.column].copy()
    whole = space.arrays.integer[space.column]
    built[whole] = np.round(built[whole])
    return built - 1e-9 * ~whole, built + 1e-9 * ~whole


def _of(numbers: Mapping[str, float]) -> Callable[[str], float]:
    """Return the function of an option that gives its number, 0 if it has none."""
    return lambda option: numbers.get(option, 0.0)
