"""A diagnosis as it is told: causes, edits of rows, and text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..study import COMPLETE, SECONDS, Declared, Study, Value
from .edits import Edit, applied

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.pins import Pins
    from .attainable import Reachable
    from .system import Cell


@dataclass(frozen=True)
class Cause(Declared):
    """One conflict: what is asked, what there is, and the only edits of single cells that would resolve it alone.

    asked    what the user asks for, in the instance's words, each with the place of its row
    about    the cells that each of ``asked`` speaks of; none for a rule of several rows
    scarce   the most that can be had of what is asked, and why
    limits   what there is: capacities, markets, lanes, stocks, modules, money
    chain    sources and limits in the conflict, from the demand back along the chain
    minimal  whether it was checked that the conflict needs every one of its rows
    whole    whether it takes whole modules to see it
    """

    HOLDS = (
        *(Value("asked", "what is asked for"), Value("scarce", "the most that can be had of it, and why")),
        *(Value("limits", "what there is"), Value("chain", "the conflict, from the demand back along the chain")),
        Value("minimal", "whether it needs every one of its rows"),
        Value("whole_numbers", "whether it takes whole modules to see it", "whole"),
    )

    asked: tuple[str, ...]
    about: tuple[tuple[Cell, ...], ...]
    scarce: tuple[str, ...]
    limits: tuple[str, ...]
    chain: tuple[str, ...]
    minimal: bool
    whole: bool


@dataclass(frozen=True)
class Diagnosis(Study):
    """Whether an instance has a plan; if not, why, and the least that would give it one.

    feasible   whether there is a plan; then only ``facts`` is filled
    edits      the least-cost relaxation: cells to change; ``points`` is its hardship (see `knobs`)
    verified   whether the instance with the edits made was solved again and has a plan
    proven     whether every search was complete; else a smaller relaxation may exist
    complete   False if it was interrupted: what was found before is there
    causes     conflicts, each with its chain of causes
    others     edits of single cells that would do as well, each alone
    caps       the lowest limit and the earliest year at which the caps in question can be kept
    pins       the pins that are left after the edits
    facts      what is slackest in a feasible instance
    outages    which outages no plan survives, if nothing else is wrong; "" if none is asked for, or all can be
    """

    COMMAND, MANIFEST, OF = "diagnose", "diagnosis.json", "instance"
    HOLDS = (
        Value("instance", "name of the instance", "name"),
        Value("status", "`feasible` or `infeasible`"),
        Value("causes", "conflicts, each with what is asked for, what there is, and the chain of causes"),
        Value("edits", "the least-cost relaxation: cells to change"),
        Value("points", "how hard that is"),
        Value("verified", "whether the instance with the edits was solved again and has a plan"),
        Value("proven", "whether every search was complete; else a smaller relaxation may exist"),
        COMPLETE,
        Value("alternatives", "edits of single cells that would do as well, each alone", "others"),
        Value("caps", "the lowest limit and the earliest year at which the caps in question can be kept"),
        Value("facts", "what is slackest in a feasible instance"),
        Value("outages", "which outages no plan survives"),
        SECONDS,
    )

    name: str
    feasible: bool
    edits: tuple[Edit, ...] = ()
    points: float = 0.0
    verified: bool = False
    proven: bool = True
    causes: tuple[Cause, ...] = ()
    others: tuple[Edit, ...] = ()
    caps: tuple[Reachable, ...] = ()
    pins: Pins | None = None
    facts: tuple[str, ...] = ()
    outages: str = ""
    complete: bool = True
    seconds: float = field(default=0.0, compare=False)

    def applied(self, instance: Instance) -> Instance:
        """The instance with the edits made; pins that had to give way are left in ``pins``."""
        return applied(instance, self.edits)

    @property
    def status(self) -> str:
        """``feasible`` or ``infeasible``."""
        return "feasible" if self.feasible else "infeasible"

    def __str__(self) -> str:
        from .text import text

        return text(self)
