"""What a comparison says in sentences: how the plans differ, and how sure that is by the gaps of their searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...bands import WIDE, difference
from ...errors import UsageError
from ...language import _
from ...words import figure_of, listed, semicolons, share_of
from .result import SMALL_T

if TYPE_CHECKING:
    import pandas as pd

    from ...runs.run import Run

LEAST_GAP = 1e-5  # relative; smaller gaps are rarely reached in large models


def answers(names: Sequence[str], plans: Sequence[Run], totals: pd.DataFrame) -> list[str]:
    """Return for each plan but the base a sentence that tells how it differs in cost, dependence and shortage."""
    told = totals.set_index("quantity")
    said_of = []
    for name, plan in list(zip(names, plans, strict=True))[1:]:
        band = difference(plan.searched, plans[0].searched)
        said = {"plan": name, "change": band.told(), "base": names[0]}
        if band.same:
            costs = _("{plan} costs the same as {base}", **said)
        elif band.sign:
            costs = _("{plan} costs {change} than {base}", **said)
        else:
            costs = _("{plan} costs {change}", **said)
        base, other = told.loc["exposed share", [names[0], name]]
        short = told.loc["short", name] - told.loc["short", names[0]]
        parts = [costs]
        if base == base and other == other:
            parts.append(
                _("{share} of deliveries are exposed in place of {base}", share=share_of(other), base=share_of(base))
            )
        if abs(short) > SMALL_T:
            tonnes = figure_of(abs(short), 4)
            parts.append(
                _("{tonnes} t more are short", tonnes=tonnes)
                if short > 0.0
                else _("{tonnes} t less are short", tonnes=tonnes)
            )
        said_of.append(semicolons(parts))
    return said_of


def apart(plan: Run, base: Run) -> bool:
    """Return whether the gaps of the two searches settle how the least costs of the two instances compare."""
    band = difference(plan.searched, base.searched)
    return band.same or band.sign != 0 or plan.digest == base.digest


def how_sure(names: Sequence[str], plans: Sequence[Run]) -> list[str]:
    """Return notes on what the gaps of the searches leave open.

    One kind of note names a plan whose least cost cannot be told apart from that of the base, or only roughly. The
    other kind names a plan that would cost less with the builds of another one.
    """
    notes = []
    for name, plan in list(zip(names, plans, strict=True))[1:]:
        band = difference(plan.searched, plans[0].searched)
        gaps = listed([share_of(p.plan["gap"]) for p in (plans[0], plan)])
        if not apart(plan, plans[0]):
            notes.append(
                _(
                    "the gaps of the searches ({gaps}) leave open whether {plan} or {base} costs more: the least cost "
                    "of {plan} is {change}. Differences in what they build and move may come from the gaps too; "
                    "{cure}",
                    gaps=gaps,
                    plan=name,
                    base=names[0],
                    change=band.told(),
                    cure=_to_settle(band.found, plans[0], plan),
                )
            )
        elif band.sign and band.most - band.least > WIDE * abs(band.found):
            notes.append(
                _(
                    "the least cost of {plan} is {change} than that of {base}, by the gaps of the searches ({gaps})",
                    plan=name,
                    change=band.told(),
                    base=names[0],
                    gaps=gaps,
                )
            )
    for name, plan in zip(names, plans, strict=True):
        tried = ((improved(plan, by), other) for other, by in zip(names, plans, strict=True))
        cheaper = [(cost, other) for cost, other in tried if cost is not None]
        if cheaper:
            cost, other = min(cheaper)
            notes.append(
                _(
                    "{plan} can be improved: its search ended at a gap, and with the builds of {other} it costs "
                    "{amount} MUSD less; solve it again with --start and the run of {other}",
                    plan=name,
                    other=other,
                    amount=figure_of(plan.objective_musd - cost, 4),
                )
            )
    return notes


def _to_settle(found: float, base: Run, plan: Run) -> str:
    """Return what gap would settle a difference as large as was found, MUSD, and how long the searches took."""
    took = listed([_("{n} s", n=f"{p.plan['seconds']['solve']:.0f}") for p in (base, plan)])
    cost = max(abs(base.objective_musd), abs(plan.objective_musd))
    gap = 0.5 * abs(found) / cost
    if gap < LEAST_GAP:
        return _(
            "the plans that were found cost the same, so no gap settles which costs more; solved again with --gap "
            "{gap} both are known to {amount} MUSD (so far the searches took {took})",
            gap=f"{LEAST_GAP:g}",
            amount=figure_of(LEAST_GAP * cost, 2),
            took=took,
        )
    digit = 10.0 ** math.floor(math.log10(gap))
    return _(
        "a difference as large as was found, {amount} MUSD, is settled by --gap {gap} (so far the searches took "
        "{took})",
        amount=figure_of(abs(found), 4),
        gap=f"{digit * math.floor(gap / digit):.1g}",
        took=took,
    )


def improved(plan: Run, by: Run) -> float | None:
    """Return the cost of a plan's instance with the builds of another plan, MUSD; None if ``plan`` costs no more.

    plan  the plan that may be improved
    by    the plan whose builds are tried

    The builds are tried only if they can improve ``plan``: if ``by`` costs less than ``plan``, but not less than the
    lower bound of ``plan``. Plans with held builds, another objective, a risk measure or outages to survive are left
    out, since their cost is not the least cost of the instance.
    """
    room = difference(by.searched, plan.searched)
    least_cost = not plan.plan["settings"].get("pins") and not plan.plan["settings"].get("objective")
    least_cost &= "survive" not in plan.plan and "risk" not in plan.plan
    if not least_cost or room.found >= -room.rounding or room.sign or plan.lengths != by.lengths:
        return None

    from ...solving.pins import Pins
    from ...solving.programme import Programme
    from ...solving.solver import Settings

    try:
        programme = Programme.of(plan.instance, Settings(), Pins.of(plan.instance, by))
    except UsageError:  # the instance is missing or changed, or it does not permit these builds
        return None
    found = programme.find()
    cost = programme.cost(found.x) if found.held else plan.objective_musd
    return cost if cost < plan.objective_musd - room.rounding else None
