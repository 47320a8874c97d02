"""One instance asked after many what-ifs: its exact relaxation in a moment, then the plan of whole projects.

The model is the one of `planner solve`, so that both give the same numbers. Between two questions are kept: what of the
model stays the same, and optima, from which the next relaxation starts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Infeasible, NoPlan, UsageError
from ..instance.changes import Change
from ..prepare import PLAN
from ..prepare.repricing import Repricer
from ..solving.programme import with_rows
from ..solving.solver import Settings
from ..solving.warm import Warm
from .alternatives.near import Near
from .solve import refuse_relaxation, solve, told

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..runs.run import Run
    from ..solving.solver import Progress

ORDER = ("without", "set", "scale", "cap", "forbid", "force")  # of the verbs, as `planner solve` makes them
KEPT = 500  # costs that are remembered
PLANS = 8  # plans of whole projects that are remembered
SOME = 1e-6  # modules; fewer are none
OUTSIDE = "Nothing within the slack has all that is held: hold less, or allow a larger slack."
NO_PLAN = "No plan can satisfy all this, even if parts of modules could be built."


class Explorer:
    """Answers for one instance, one after the other.

    instance  the instance as it is, to which each what-if is applied
    gap       relative gap at which the search for whole projects may stop
    alone     whether relaxations are solved on one core, while the others have other work
    """

    def __init__(self, instance: Instance, gap: float, alone: bool = False) -> None:
        self.instance, self.gap = instance, gap
        self._repricer, self._warm = Repricer(), Warm(Settings(), alone)
        self._costs: dict[tuple[str, ...], float | None] = {}
        self._plans: dict[tuple[str, ...], Run] = {}

    def relaxed(self, changes: Sequence[str], progress: Progress | None = None) -> Run:
        """Return what ``planner solve --relax`` gives after these what-ifs: a bound, which no plan undercuts.

        progress  called with a line of `Standing` as soon as the cost is known, before the rest is
        Raises UsageError and InstanceError for changes that cannot be, Infeasible if even the relaxation has no plan.
        """
        instance = asked_of(self.instance, changes)
        refuse_relaxation(instance)
        prepared = self._repricer.prepared(instance)
        outcome = self._warm.relaxed(prepared.data, progress)
        if outcome.stopped == "infeasible":
            raise Infeasible(NO_PLAN)
        if not outcome.held:
            raise NoPlan(f"the search ended without an answer ({outcome.stopped})")
        return told(prepared, outcome, Settings())

    def whole(self, changes: Sequence[str], progress: Progress | None = None) -> Run:
        """Return the plan of whole projects after these what-ifs, as `solve` gives it, within the gap.

        progress  called with lines of text, of which those of `Standing` hold the best plan and the bound so far
        Raises what `solve` raises.
        """
        asked = tuple(changes)
        if asked not in self._plans:
            self._plans[asked] = solve(asked_of(self.instance, asked), gap=self.gap, progress=progress)
            if len(self._plans) > PLANS:
                self._plans.pop(next(iter(self._plans)))
        return self._plans[asked]

    def cost(self, changes: Sequence[str]) -> float | None:
        """Return the cost of the relaxation after these what-ifs, MUSD; None if it has no plan. Raises as `relaxed`."""
        asked = tuple(changes)
        if asked not in self._costs:
            instance = asked_of(self.instance, asked)
            refuse_relaxation(instance)
            self._costs[asked] = self._warm.cost(self._repricer.prepared(instance).data)
            if len(self._costs) > KEPT:
                self._costs.pop(next(iter(self._costs)))
        return self._costs[asked]

    def freedom(
        self, changes: Sequence[str], slack: float, held: Mapping[str, float]
    ) -> Iterator[tuple[str, float, float]]:
        """Yield each project with the least and the most modules of it in what costs little more, in the relaxation.

        slack  how much more than the least cost of the relaxation it may cost, relative
        held   option -> modules that are started of it in all
        Projects that the cheapest of these builds come first. Raises as `relaxed`, and Infeasible if nothing within
        the slack has what is held.
        """
        instance = asked_of(self.instance, changes)
        refuse_relaxation(instance)
        data = self._repricer.prepared(instance).data
        arrays, basis = self._warm.begun(data)
        columns: dict[str, list[int]] = {}
        for i, k in arrays.columns.get("build", {}).items():
            if data.build[i].branch == PLAN:
                columns.setdefault(data.build[i].option, []).append(k)
        if unknown := sorted(set(held) - set(columns)):
            raise UsageError(f"no module of {unknown[0]} can be started")
        near = Near(arrays, Settings(), math.inf, 1.0 / max(1.0, float(np.abs(arrays.cost).max())), None)
        rows = [near.add_row(columns[option], 1.0) for option in held]
        near.start = with_rows(basis, 1 + len(rows))
        free = near.begin()
        if not free.optimal:
            raise Infeasible(NO_PLAN)
        near.ceiling = (free.value + slack * abs(free.value) - arrays.offset) * near.scale
        for row, modules in zip(rows, held.values(), strict=True):
            near.side(row, modules, modules)
        cheapest = near.begin() if held else free
        if not cheapest.optimal or near.dearer(cheapest):
            raise Infeasible(OUTSIDE)
        built = {option: float(cheapest.x[of].sum()) for option, of in columns.items()}
        for option, modules in sorted(built.items(), key=lambda known: (known[1] <= SOME, known[0])):
            least, most = modules, modules
            for sign in (1.0, -1.0):
                if option in held or (sign > 0.0 and modules <= SOME):
                    continue
                aim = np.zeros(len(arrays.cost))
                aim[columns[option]] = sign
                found = near.least(aim)
                if found.optimal:
                    end = float(found.x[columns[option]].sum())
                    least, most = (min(least, end), most) if sign > 0.0 else (least, max(most, end))
            yield option, least, most


def asked_of(instance: Instance, changes: Sequence[str]) -> Instance:
    """Return an instance after what-ifs. Raises UsageError and InstanceError, see `Instance.what_if`."""
    return instance.what_if(*changes) if changes else instance


def command(instance: Instance, gap: float | None) -> list[str]:
    """Return the words of the command that solves an instance with the what-ifs made after it was loaded.

    gap  of the search for whole projects, relative; None: the relaxation

    >>> from planner.instance.loading import load
    >>> command(load("tiny").what_if("scale demand=1.3"), None)
    ['solve', 'tiny', '--scale', 'demand=1.3', '--relax']
    """
    asked = [made.change.partition(" ")[::2] for made in instance.changes if not made.place]
    words = [word for verb, text in asked for word in (f"--{verb}", text)]
    return ["solve", str(instance.path), *words, *(["--relax"] if gap is None else ["--gap", f"{gap:g}"])]


def in_order(changes: Sequence[str]) -> tuple[str, ...]:
    """Return what-ifs in the order in which the command line makes them, those of one verb as they are given.

    So the command, the overlay and the answer mean the same. Raises UsageError for a text that begins with no verb.

    >>> in_order(["cap exposed_share=10%@2032", " scale demand=1.3"])
    ('scale demand=1.3', 'cap exposed_share=10%@2032')
    """
    return tuple(map(str, sorted(map(Change.parse, changes), key=lambda change: ORDER.index(change.verb))))
