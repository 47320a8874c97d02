"""Near-optimal plans: what must be built in all of them, what in none, and plans that differ as much as possible.

One compiled model with one row more, ``cost <= (1 + slack) best``; every cap and rule holds by construction. The range
of each option is found by minimising and maximising its modules. What a solution found on the way already shows is not
asked again; nor is what the least-cost plan shows with this one project added or left out, or what the relaxation
settles. Only what is left takes a search.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import checked, fraction
from ...errors import UsageError
from ...instance.loading import given_instance
from .result import SOME, Alternatives
from .space import Ends, Space

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ...instance.instance import Instance
    from ...solving.solver import Progress


@checked
def alternatives(
    instance: Instance | str | Path,
    *,
    slack: float | str = 0.03,
    plans: int = 3,
    groups: Sequence[str] = (),
    latest: bool = True,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Alternatives:
    """Plans whose cost is within ``slack`` (a fraction) of the least.

    plans       how many alternatives to look for, each as different as possible from all before in which options it
                builds (the sum of differences in the parts of their modules that are built)
    groups      such as ``country=USA``, ``startup=yes``, ``stage=separation``, ``option=A``: exact ends of their
                capacity and capex
    latest      ask the latest start of each option that is always built
    gap         relative gap of the least-cost solve, as in `solve`; the ends of ranges are proven, or marked
    time_limit  seconds for each search and trial [none; 30 in a model too large to be proven]; an end that was not
                proven in that time is marked

    Nothing is in every plan if one without any optional project is within the slack; so what such a plan costs, with
    nothing built but what is committed (``min_modules``), is found first, and a slack that large is warned of.

    The ceiling is (1 + slack) times the cost of the plan found, which may lie above the least by the gap. Raises
    UsageError and what `solve` raises.
    """
    instance = given_instance(instance)
    slack = fraction(slack, "slack")
    if not 0.0 <= slack < math.inf or plans < 0:
        raise UsageError(f"slack = {slack}, plans = {plans}: expected a fraction and a number of 0 or more")
    from ...solving.solver import Settings

    space = Space(instance, slack, Settings(gap, time_limit, threads, seed), progress)
    of_group = {text: space.members(text) for text in groups}
    complete = True
    chosen: list[tuple[str, np.ndarray]] = [("least cost", space.best)]
    bought: list[tuple[str, float, float, bool]] = []
    ends: dict[str, Ends] = {}
    spans: list[tuple[Any, ...]] = []
    starts: dict[str, float] = {}
    try:
        space.ranges(ends)
        if latest:
            for option, (least, _, sure, _) in ends.items():
                if least > SOME and sure:
                    starts[option] = space.latest_start(option)
        for text, options in of_group.items():
            spans.append(space.span(text, options))
        for row in space.buys():  # one by one, so that an interrupt keeps what was found
            bought.append(row)
        for _ in range(plans):
            other = space.farthest([x for _, x in chosen])
            if other is None:
                break
            chosen.append((space.name(other, [x for _, x in chosen], [n for n, _ in chosen]), other))
    except KeyboardInterrupt:
        complete = False
    built = [(name, space.solver.cost(x), *row) for name, x in chosen for row in space.started(x)]
    return Alternatives(
        instance,
        slack,
        space.best_musd,
        space.bound_musd,
        space.ceiling,
        space.no_project,
        space.no_project_musd,
        _frame("ranges", _ranges(space, ends, starts)).astype({"least": float, "most": float}),
        _frame("groups", spans),
        _frame("buys", bought),
        _frame("plans", built).astype({"modules": float}),
        complete,
        {"gap": space.gap, "time_limit": time_limit, "seed": seed},
    )


def _ranges(space: Space, ends: Mapping[str, Ends], starts: Mapping[str, float]) -> list[tuple[Any, ...]]:
    """Rows of the table ``ranges``; the range of an option not asked for yet is what the plans found show."""
    rows = []
    for option in sorted(space.options):
        known = [space.modules(x, option) for x in space.seen]
        least, most, sure_of_least, sure_of_most = ends.get(option, (min(known), max(known), False, False))
        verdict = _verdict(least, most, sure_of_least, sure_of_most)
        proven = sure_of_least and sure_of_most
        facility = space.options[option].facility
        rows.append((option, facility, verdict, least, most, proven, starts.get(option, math.nan)))
    return rows


def _verdict(least: float, most: float, sure_of_least: bool, sure_of_most: bool) -> str:
    """What is known of an option; plans that were found show ``sometimes`` whether or not the ends are proven."""
    if least <= SOME < most:
        return "sometimes"
    if least > SOME:
        return "always" if sure_of_least else "open"
    return "never" if sure_of_most else "open"


def _frame(table: str, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=Alternatives.columns(table))
