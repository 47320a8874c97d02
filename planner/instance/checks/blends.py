"""Rules on what materials contain, and on blends: a limit must limit something that a plant makes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ...errors import Issue
from ..blend_tables import Blend
from .registry import Draft, check


@check("E333", "blends")
def limits_always_or_never(draft: Draft) -> Iterable[Issue]:
    """The limits of a series must be given in all of its rows or in none, and one of them must be given."""
    rows: defaultdict[tuple[object, ...], list[Blend]] = defaultdict(list)
    for row in draft.instance.blends:
        rows[row.identity[:-1]].append(row)
        if row.min is None and row.max is None:
            yield draft.at(row, "max", "limits nothing: min and max are blank", "give one of them")
    for group in rows.values():
        for row in group[1:]:
            for column in ("min", "max"):
                if (getattr(row, column) is None) != (getattr(group[0], column) is None):
                    expected = f"given or blank otherwise than in {draft.named(group[0])}"
                    yield draft.at(row, column, expected, "fill it in every row of the series, or in none")


@check("E334", "blends")
def blend_least_below_most(draft: Draft) -> Iterable[Issue]:
    """The least of a property must not exceed the most."""
    for row in draft.instance.blends:
        if row.min is not None and row.max is not None and row.min > row.max:
            yield draft.at(row, "min", f"more than max = {row.max:g}")


@check("E335", "blends", "contents", "operations", "recipes", "facilities")
def somebody_blends_it(draft: Draft) -> Iterable[Issue]:
    """A limit needs a plant that makes the material from something that has the property."""
    instance = draft.instance
    having = {(c.property, c.material) for c in instance.contents if c.content != 0.0}
    inputs: defaultdict[str, set[str]] = defaultdict(set)
    for recipe in instance.recipes:
        if recipe.role == "input":
            inputs[recipe.process].add(recipe.material)
    for row in instance.blends:
        makers = {r.process for r in instance.recipes if r.role == "output" and r.material == row.material}
        run = {o.process for o in instance.operations if row.facility in ("", o.facility)} & makers
        if not run:
            at = "the plant makes" if row.facility else "any plant makes"
            yield draft.at(row, "facility" if row.facility else "material", f"nothing that {at} is {row.material}")
        elif not any((row.property, material) in having for process in run for material in inputs[process]):
            yield draft.at(
                row, "property", f"no input of what makes {row.material} has it, so there is nothing to limit"
            )
