"""Rules on substitutes: each needs a share of something that is asked for."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from .registry import Draft, check


@check("E381", "substitutes", "substitute_shares")
def has_a_share(draft: Draft) -> Iterable[Issue]:
    """Every substitute must have a share of the demand that it can replace."""
    known = {r.substitute for r in draft.instance.substitute_shares}
    for row in draft.instance.substitutes:
        if row.substitute not in known:
            expected = "nothing says how much of the demand it can replace"
            yield draft.at(row, "substitute", expected, "add a row to substitute_shares.csv")


@check("E382", "substitutes")
def another_material(draft: Draft) -> Iterable[Issue]:
    """A material is replaced by another one; thrift needs none, so tonnes per tonne mean nothing for it."""
    for row in draft.instance.substitutes:
        if row.replaced_by == row.material:
            expected = "expected another material than the one replaced"
            yield draft.at(row, "replaced_by", expected, "leave it blank for thrift")
        elif not row.replaced_by and row.t_per_t is not None:
            expected = "means nothing without replaced_by, it must be blank"
            yield draft.at(row, "t_per_t", expected, "name the material in replaced_by, or leave both blank")
