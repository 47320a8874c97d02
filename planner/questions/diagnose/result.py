"""The result of a diagnosis: its causes and edits, and their text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...language import _, p_
from ...words import semicolons
from ..study import COMPLETE, SECONDS, Declared, Study, Value
from .edits import Edit, applied

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.pins import Pins
    from .attainable import Reachable
    from .system import Cell


@dataclass(frozen=True)
class Cause(Declared):
    """One conflict: rows of the instance that no plan satisfies together.

    asked    demands and rules of the user in the conflict, in words, each with the place of its row
    about    the cells that set each of ``asked``; none for a rule of several rows
    scarce   the largest amount of what is asked that is possible, and why it is not more
    limits   what is available: capacities, markets, lanes, stocks, modules, money
    chain    sources and limits in the conflict, from the demand back along the supply chain
    minimal  whether it was checked that the conflict vanishes without any one of its rows (it is irreducible)
    whole    whether the conflict exists only because modules are whole; the linear relaxation has a plan
    lots     whether lanes that carry at least a lot, or nothing, are in it
    """

    HOLDS = (
        Value("asked", "demands and rules of the user in the conflict"),
        Value("scarce", "the largest amount of what is asked that is possible, and why it is not more"),
        Value("limits", "what is available: capacities, markets, lanes, stocks, modules, money"),
        Value("chain", "sources and limits in the conflict, from the demand back along the supply chain"),
        Value("minimal", "whether the conflict is known to vanish without any one of its rows"),
        Value("whole_numbers", "whether the conflict exists only because modules are whole", "whole"),
    )

    asked: tuple[str, ...]
    about: tuple[tuple[Cell, ...], ...]
    scarce: tuple[str, ...]
    limits: tuple[str, ...]
    chain: tuple[str, ...]
    minimal: bool
    whole: bool
    lots: bool = False


@dataclass(frozen=True, repr=False)
class Diagnosis(Study):
    """Whether an instance has a plan, and if not, the reasons and the least relaxation that gives it one.

    feasible   whether there is a plan; then only ``facts`` is filled
    edits      the least relaxation: cells to change; ``points`` is its hardship (see `relaxables`)
    verified   whether the instance with the edits made was solved again and has a plan; without that there are none
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
        """Return an instance with the edits made. Edits of pins are not in it; ``pins`` has the pins after them."""
        return applied(instance, self.edits)

    @property
    def status(self) -> str:
        """``feasible`` or ``infeasible``."""
        return "feasible" if self.feasible else "infeasible"

    def __str__(self) -> str:
        """Return the diagnosis as text; its first three lines name the cause and the least relaxation."""
        if self.feasible:
            exists = _("{instance} is feasible: a plan exists", instance=self.name)
            return "\n".join([exists, *(f"  {fact}" for fact in self.facts)])
        if self.outages:
            return _("{instance} has no plan: {why}", instance=self.name, why=self.outages)
        lines = _sentence(self)
        lines += _edits(self)
        for number, cause in enumerate(self.causes):
            lines += _cause(cause, number + 1 if len(self.causes) > 1 else 0)
        if self.others:
            lines += [_("Instead, each of these alone would do:"), *_cut([f"  {e}" for e in self.others])]
        if self.caps:
            lines += [_("What could be asked:"), *(f"  {c}" for c in self.caps)]
        if not self.complete:
            lines.append(_("Interrupted: there may be more conflicts and other ways out than those found until then."))
        return "\n".join(lines)


# --- as a page of text ---

AT_MOST = 12  # lines of a section


def _sentence(d: Diagnosis) -> list[str]:
    """Return the first lines: what cannot be met, and why."""
    if not d.causes:
        if d.complete:
            why = _("{instance} has no plan; what contradicts what was not found in the time allowed", instance=d.name)
        else:
            why = _("{instance} has no plan; what contradicts what was not looked for to the end", instance=d.name)
        return [why]
    first = d.causes[0]
    of = {"instance": d.name, "asked": _all_of(first.asked) or _("what is asked")}
    if not first.whole:
        text = _("{instance} has no plan: {asked}: this cannot be met", **of)
    elif first.lots:
        text = _("{instance} has no plan: {asked}: this cannot be met in whole modules and least lots", **of)
    else:
        text = _("{instance} has no plan: {asked}: this cannot be met in whole modules", **of)
    if more := _beyond(d.causes):
        text = _("{sentence}; nor, then, can {more}", sentence=text, more=_all_of(more))
    lines = [text]
    because = (*first.scarce[:2], *first.limits[:3]) or first.chain[:2]
    if because:
        lines.append(_("because {reasons}", reasons=semicolons(because)))
    return lines


def _beyond(causes: tuple[Cause, ...]) -> tuple[str, ...]:
    """Return what the later conflicts ask for and the first does not."""
    seen = {cell for cells in causes[0].about for cell in cells}
    more: list[str] = []
    for cause in causes[1:]:
        for cells, asked in zip(cause.about, cause.asked, strict=True):
            if set(cells) - seen:
                seen.update(cells)
                more.append(asked)
    return tuple(more)


def _all_of(asked: tuple[str, ...]) -> str:
    """Return at most five demands, and how many more there are, as a part of a sentence."""
    shown = asked if len(asked) <= 5 else (*asked[:5], _("{n} more below", n=len(asked) - 5))
    return p_("between demands", "; and ").join(shown)


def _edits(d: Diagnosis) -> list[str]:
    """Return the lines on the least relaxation, or on why there is none."""
    if not d.edits and d.proven:
        return [
            _("Nothing that may give way (wishes, money, dates, stores, pins) lets a plan exist: the data disagree")
        ]
    if not d.edits:
        return [_("No relaxation was found, and confirmed by solving again, in the time allowed")]
    checked = "  " + (
        _("(solved again with it: a plan exists)")
        if d.proven
        else _("(solved again with it: a plan exists; the search was cut short, a smaller one may exist)")
    )
    if len(d.edits) == 1:
        return [_("Least relaxation: {edit}", edit=d.edits[0]), checked]
    parts = [str(e) for e in d.edits[:3]]
    if len(d.edits) > 3:
        parts.append(_("and {n} more", n=len(d.edits) - 3))
    lines = [_("Least relaxation, {n} edits together: {edits}", n=len(d.edits), edits=semicolons(parts)), checked]
    if len(d.edits) > 3:
        lines += [f"  {e}" for e in d.edits]
    return lines


def _cause(cause: Cause, number: int) -> list[str]:
    """Return the lines on one conflict; ``number`` is 0 if it is the only one."""
    title = _("Conflict {n}", n=number) if number else _("The conflict")
    title = (
        _("{conflict}, of which no part can be spared:", conflict=title)
        if cause.minimal
        else _("{conflict}, perhaps not the smallest:", conflict=title)
    )
    lines = ["  " + _("asked: {what}", what=line) for line in cause.asked]
    lines += [f"  {line}" for line in cause.chain]
    lines += ["  " + _("so: {what}", what=line) for line in cause.scarce]
    return [title, *_cut(lines, 24)]


def _cut(lines: list[str], at_most: int = AT_MOST) -> list[str]:
    """Return the first lines of a section, and how many more there are."""
    return lines if len(lines) <= at_most else [*lines[:at_most], "  " + _("... {n} more", n=len(lines) - at_most)]
