"""One instance asked after many what-ifs: its exact relaxation in a moment, then the plan of whole projects.

The model is made anew for each, as for `planner solve`, so that both give the same numbers; what is kept between two
questions is the basis from which the next relaxation starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import Infeasible, NoPlan
from ..instance.changes import Change
from ..prepare import prepare
from ..solving.solver import Settings
from ..solving.warm import Warm
from .solve import refuse_relaxation, solve, told

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..runs.run import Run
    from ..solving.solver import Progress

ORDER = ("without", "set", "scale", "cap", "forbid", "force")  # of the verbs, as `planner solve` makes them
KEPT = 500  # costs that are remembered
NO_PLAN = "No plan can satisfy all this, even if parts of modules could be built."


class Explorer:
    """Answers for one instance, one after the other.

    instance  the instance as it is, to which each what-if is applied
    gap       relative gap at which the search for whole projects may stop
    """

    def __init__(self, instance: Instance, gap: float) -> None:
        self.instance, self.gap = instance, gap
        self._warm = Warm(Settings())
        self._costs: dict[tuple[str, ...], float | None] = {}
        self._last: tuple[tuple[str, ...], Run] | None = None

    def relaxed(self, changes: Sequence[str], progress: Progress | None = None) -> Run:
        """Return what ``planner solve --relax`` gives after these what-ifs: a bound, which no plan undercuts.

        progress  called with a line of `Standing` as soon as the cost is known, before the rest is
        Raises UsageError and InstanceError for changes that cannot be, Infeasible if even the relaxation has no plan.
        """
        instance = asked_of(self.instance, changes)
        refuse_relaxation(instance)
        prepared = prepare(instance)
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
        if self._last is None or self._last[0] != tuple(changes):
            self._last = tuple(changes), solve(asked_of(self.instance, changes), gap=self.gap, progress=progress)
        return self._last[1]

    def cost(self, changes: Sequence[str]) -> float | None:
        """Return the cost of the relaxation after these what-ifs, MUSD; None if it has no plan. Raises as `relaxed`."""
        asked = tuple(changes)
        if asked not in self._costs:
            instance = asked_of(self.instance, asked)
            refuse_relaxation(instance)
            self._costs[asked] = self._warm.cost(prepare(instance).data)
            if len(self._costs) > KEPT:
                self._costs.pop(next(iter(self._costs)))
        return self._costs[asked]


def asked_of(instance: Instance, changes: Sequence[str]) -> Instance:
    """Return an instance after what-ifs. Raises UsageError and InstanceError, see `Instance.what_if`."""
    return instance.what_if(*changes) if changes else instance


def command(instance: Instance, relaxed: bool = False) -> list[str]:
    """Return the words of the command that solves an instance with the what-ifs made after it was loaded.

    >>> from planner.instance.loading import load
    >>> command(load("tiny").what_if("scale demand=1.3"))
    ['solve', 'tiny', '--scale', 'demand=1.3']
    """
    asked = [made.change.partition(" ")[::2] for made in instance.changes if not made.place]
    words = [word for verb, text in asked for word in (f"--{verb}", text)]
    return ["solve", str(instance.path), *words, *(["--relax"] if relaxed else [])]


def in_order(changes: Sequence[str]) -> tuple[str, ...]:
    """Return what-ifs in the order in which the command line makes them, those of one verb as they are given.

    So the command, the overlay and the answer mean the same. Raises UsageError for a text that begins with no verb.

    >>> in_order(["cap exposed_share=10%@2032", " scale demand=1.3"])
    ('scale demand=1.3', 'cap exposed_share=10%@2032')
    """
    return tuple(map(str, sorted(map(Change.parse, changes), key=lambda change: ORDER.index(change.verb))))
