"""Near-optimal plans that differ as much as possible in what they build, and what each is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...language import _, n_
from ...words import commas
from .result import SOME
from .space import Plan

if TYPE_CHECKING:
    from .space import Space

NEARLY = 0.05  # relative: so nearly is a plan as different as possible


def farthest(space: Space, before: Sequence[Plan], near: Plan) -> Plan | None:
    """A plan as different as possible from those before in what it builds; None if there is none.

    near  the plan known that is most different
    """
    weights = _different(space, before)
    space.tell("a plan that differs as much as possible")
    known = space.completed(Plan(*near))
    space.seen += [] if known is None else [known]
    x, __ = space.extreme({int(space.column[i]): w for i, w in weights.items()}, most=True, gap=NEARLY)
    return None if x is None else space.plan(x)


def most_different(space: Space, known: Sequence[Plan], before: Sequence[Plan]) -> Plan:
    """Of the plans known, the one that differs most from those before."""
    weights = _different(space, before)
    return max(known, key=lambda plan: (sum(weights.get(i, 0.0) * n for i, n in plan.builds), -plan.cost))


def _different(space: Space, before: Sequence[Plan]) -> dict[int, float]:
    """Weights of starts whose sum is greater the more a plan differs from those before in what it builds."""
    weights: dict[int, float] = {}
    totals = [space.totals(Plan(*plan)) for plan in before]
    for option, starts in space.starts.items():
        most = space.options[option].max_modules
        score = sum(1.0 - 2.0 * min(1.0, total[option] / most) for total in totals) / len(before)
        weights |= dict.fromkeys(starts, score / most)
    return weights


def apart(space: Space, plan: Plan, other: Plan) -> float:
    """How far two plans differ: the sum over options of the difference in the part of its modules."""
    one, two = space.totals(plan), space.totals(other)
    return sum(abs(one[o] - two[o]) / space.options[o].max_modules for o in space.starts)


def named(space: Space, plan: Plan, least: Plan, taken: Sequence[str]) -> str:
    """What a plan builds or leaves out, against the least-cost plan, largest capex first."""
    words = []
    totals, of_least = space.totals(plan), space.totals(least)
    for option in sorted(space.starts, key=lambda o: (-space.options[o].capex_musd, o)):
        now, then = totals[option], of_least[option]
        if abs(now - then) > SOME:
            words.append(_("with {project}", project=option) if now > then else _("without {project}", project=option))
    said = commas(words[:3])
    if len(words) > 3:
        said = n_("{names} and {n} more", "{names} and {n} more", len(words) - 3, names=said)
    name, n = said or _("the same options at other times"), 2
    while name in taken:
        name, n = f"{said} ({n})", n + 1
    return name
