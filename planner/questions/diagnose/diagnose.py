"""The diagnosis of an infeasible instance: the conflicts, and the least relaxation that gives the instance a plan.

Only wishes, money and dates may give way, and never physics; `relaxables` states the hardship of each. The edits are
exact: with them the instance has a plan, and no number of an edit could be smaller with the other edits held.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...arguments import checked
from ...instance.loading import given_instance
from .edits import Edit, applied, enough, place_of, relaxed_pins
from .result import Cause, Diagnosis

if TYPE_CHECKING:
    from pathlib import Path

    from ...instance.instance import Instance
    from ...instance.tables import Cap
    from ...solving.pins import Pins
    from ...solving.solver import Progress
    from .attainable import Reachable
    from .conflict import Conflict
    from .search import Clock, Shared
    from .system import Cell, System


__all__ = ["Diagnosis", "Edit", "diagnose"]


EACH = 60.0  # seconds for each solve, if the caller gives no time limit
MOST_CONFLICTS = 4  # conflicts that are searched for
MOST_CAPS = 3  # caps whose lowest limit and earliest year are searched for
MOST_OTHERS, MOST_OTHERS_LARGE = 12, 4  # cells that are relaxed alone, in a model that can be proven and in a large one


@checked
def diagnose(
    instance: Instance | str | Path,
    pins: Pins | None = None,
    *,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Find out why an instance has no plan, and the least relaxation that gives it one.

    instance    the instance, or its folder
    pins        builds that are held; they may be a cause too
    time_limit  seconds for each solve; None: 60. A result is marked as not proven if a search was cut short
    threads     threads of the solver
    seed        random seed of the solver
    workers     processes for what can be searched apart (starts of the relaxation, other ways out, what caps could ask
                for); None: one per core, where there is enough to do
    scheduler   address of a Dask scheduler to use instead, with the extra ``distributed``
    progress    called with lines of text

    An interrupt after the relaxation is known keeps what was found. Raises UsageError on pins that the instance does
    not permit, and on invalid settings.
    """
    instance = given_instance(instance)
    from ...solving.solver import Settings

    started = time.perf_counter()
    settings = Settings(time_limit=time_limit, threads=threads, seed=seed)

    from ..many import pool
    from .relaxables import add_relaxables
    from .search import Clock, Shared, feasible
    from .system import compile_system

    clock = Clock(EACH if time_limit is None else time_limit, settings, progress)
    clock.tell("is there a plan?")
    system = compile_system(instance, pins)
    add_relaxables(system)
    with closing(pool(partial(Shared.begin, system, clock), workers, scheduler)) as of_work:
        if not feasible(system, system.nothing, clock):
            return _explained(system, clock, Shared(of_work, clock), started)
    outages = _not_survived(instance, pins, clock)
    facts: tuple[str, ...] = ()
    if not outages:
        from .slack import slackest

        facts = tuple(slackest(system, clock))
    seconds = round(time.perf_counter() - started, 3)
    return Diagnosis(instance.name, not outages, pins=pins, facts=facts, outages=outages, seconds=seconds)


def _not_survived(instance: Instance, pins: Pins | None, clock: Clock) -> str:
    """Return in words which outages of ``[security] survive`` no plan survives; "" if all can be survived."""
    if not instance.survive:
        return ""
    from ...errors import Infeasible
    from ...prepare import prepare
    from ...solving.search import optimise
    from ...solving.survive import survive

    clock.tell("can all outages that must be survived be survived?")
    prepared = prepare(instance)
    outcome = optimise(prepared.data, clock.settings, clock.progress, pins)
    try:
        survive(instance, prepared, outcome, clock.settings, pins, clock.progress)
    except Infeasible as stuck:
        return str(stuck)
    return ""


def _explained(system: System, clock: Clock, shared: Shared, started: float) -> Diagnosis:
    """Return the diagnosis of an instance without a plan: the least relaxation, the conflicts, and other ways out.

    shared   does what can be searched apart
    started  when the diagnosis began, by `time.perf_counter`
    """
    from .search import hardship, least_relaxation

    instance, pins = system.instance, system.pins
    clock.tell(f"the least relaxation of {len(system.relaxables)} cells")
    amounts = least_relaxation(system, clock, shared)
    causes: tuple[Cause, ...] = ()
    caps: tuple[Reachable, ...] = ()
    others: tuple[Edit, ...] = ()
    changes = () if amounts is None else enough(system, amounts, clock)
    complete = False
    try:
        clock.tell("what contradicts what")
        conflicts = _conflicts(system, amounts, clock)
        cells = _cells(system, conflicts)
        causes = tuple(_cause(system, conflict, clock) for conflict in conflicts)
        clock.tell("other ways out")
        ways = [] if amounts is None else _ways(system, cells, shared)
        if amounts is not None and ways and hardship(system, ways[0]) < hardship(system, amounts) - 1e-6:
            amounts = ways[0]
            changes = enough(system, amounts, clock)
        others = tuple(e for way in ways for e in enough(system, way, clock) if len(changes) > 1 or e not in changes)
        clock.tell("what the caps could ask for")
        caps = () if amounts is None else _caps(system, cells, amounts, shared)
        complete = True
    except KeyboardInterrupt:
        clock.tell("interrupted; what was found until now is kept")
    left = relaxed_pins(pins, changes)
    verified = bool(changes) and _has_plan(applied(instance, changes), left, clock)
    if not verified:  # edits that were not confirmed by a solve are not advised
        changes, left = (), pins
    return Diagnosis(
        name=instance.name,
        feasible=False,
        edits=changes,
        points=0.0 if amounts is None or not verified else hardship(system, amounts),
        verified=verified,
        proven=not clock.cut_short,
        causes=tuple(_edited_first(cause, changes) for cause in causes),
        others=others,
        caps=caps,
        pins=left,
        complete=complete,
        seconds=round(time.perf_counter() - started, 3),
    )


def _has_plan(instance: Instance, pins: Pins | None, clock: Clock) -> bool:
    """Return whether an instance, compiled anew, has a plan with the given pins."""
    from .search import feasible
    from .system import compile_system

    system = compile_system(instance, pins)
    return feasible(system, system.nothing, clock)


def _conflicts(system: System, amounts: np.ndarray | None, clock: Clock) -> list[Conflict]:
    """Return conflicts, found one after the other: the cells of each are relaxed before the next is searched for.

    amounts  a relaxation with which there is a plan, one value for each of ``system.relaxables``; None: there is none,
             and the one conflict is that which remains with everything relaxed
    """
    from .conflict import find_conflict
    from .search import open_gains

    gains = open_gains(system, clock)[-1]
    if amounts is None:
        hard = find_conflict(system, system.everything, gains, clock)
        return [] if hard is None else [hard]
    base = system.nothing
    found: list[Conflict] = []
    while len(found) < MOST_CONFLICTS:
        conflict = find_conflict(system, base, gains, clock)
        if conflict is None:
            break
        found.append(conflict)
        blamed = [k for k in np.flatnonzero(amounts > base) if _touches(system, int(k), conflict)]
        if not blamed:
            break
        base = base.copy()
        base[blamed] = amounts[blamed]
    return found


def _touches(system: System, relaxable: int, conflict: Conflict) -> bool:
    """Return whether a relaxable cell changes a row of a conflict; ``relaxable`` is its position."""
    rows = {system.arrays.rows[family][index] for family, index in conflict.items if family in system.arrays.rows}
    return any(e.relaxable == relaxable and e.row in rows for e in system.effects)


def _cells(system: System, conflicts: Sequence[Conflict]) -> list[Cell]:
    """Return the cells that could give way in the conflicts, each once."""
    touched = [
        relaxable.cell
        for conflict in conflicts
        for k, relaxable in enumerate(system.relaxables)
        if _touches(system, k, conflict)
    ]
    return list(dict.fromkeys(touched))


def _cause(system: System, conflict: Conflict, clock: Clock) -> Cause:
    """Return a conflict in words."""
    from .conflict import LOT
    from .supply import scarcities
    from .words import merged, statements

    told = merged(statements(system, conflict.items))
    wishes = [
        (tuple(dict.fromkeys(s.cell for s in group if s.cell is not None)), text)
        for group, text in told
        if group[0].kind == "wish"
    ]
    placed = [
        (group[0].kind, f"{text}{_where(system, [s.cell for s in group if s.cell is not None])}")
        for group, text in told
    ]
    limits = tuple(text for kind, text in placed if kind == "limit")
    return Cause(
        asked=tuple(f"{text}{_where(system, cells)}" for cells, text in wishes),
        about=tuple(cells for cells, _ in wishes),
        scarce=tuple(scarcities(system, conflict.items, bool(limits), clock)),
        limits=limits,
        chain=tuple(text for kind, text in placed if kind != "wish"),
        minimal=conflict.minimal,
        whole=conflict.whole,
        lots=any(family in (LOT, "lane_least") for family, _index in conflict.items),
    )


def _edited_first(cause: Cause, changes: Sequence[Edit]) -> Cause:
    """Return a cause whose demands that are edited come first among what is asked."""
    edited = {(e.table, e.key) for e in changes}
    order = sorted(
        range(len(cause.asked)), key=lambda i: not any((cell.table, cell.key) in edited for cell in cause.about[i])
    )
    return replace(cause, asked=tuple(cause.asked[i] for i in order), about=tuple(cause.about[i] for i in order))


def _where(system: System, cells: Sequence[Cell]) -> str:
    """Return the places of cells as text, such as `` [caps.csv:2-5,9]``; each file is named once."""
    lines: dict[str, list[int]] = {}
    for cell in cells:
        if cell.table != "pins":
            file, line = place_of(system.instance, cell.table, cell.key)
            lines.setdefault(file, []).extend([] if line is None else [line])
    shown = ", ".join(f"{file}:{_in_short(of)}" if of else file for file, of in lines.items())
    return f" [{shown}]" if shown else ""


def _in_short(lines: Sequence[int]) -> str:
    """Return line numbers as text, in which consecutive numbers form a span.

    >>> _in_short([2, 5, 3, 4, 9])
    '2-5,9'
    """
    spans: list[list[int]] = []
    for line in sorted(set(lines)):
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _ways(system: System, cells: Sequence[Cell], shared: Shared) -> list[np.ndarray]:
    """Return the relaxations of one cell alone with which there is a plan, the one of least hardship first.

    Each is an array of one value for each of ``system.relaxables``.
    """
    from ...solving.solver import PROVEN_UP_TO
    from .search import hardship

    large = int(system.arrays.integer.sum()) > PROVEN_UP_TO
    found = shared.results(_way, cells[: MOST_OTHERS_LARGE if large else MOST_OTHERS])
    return sorted((way for way in found if way is not None), key=lambda amounts: hardship(system, amounts))


def _way(system: System, clock: Clock, cell: Cell) -> np.ndarray | None:
    """Return the relaxation of a cell alone with which there is a plan; None if there is none."""
    from .search import feasible, least

    amounts = system.nothing
    for k in (k for k, relaxable in enumerate(system.relaxables) if relaxable.cell == cell):
        amounts[k] = system.relaxables[k].most
        if not system.relaxables[k].switch:  # a plan may exist at a smaller amount only, such as with a stock left
            amounts[k] = least(system, amounts, k, clock)
        if feasible(system, amounts, clock):
            return amounts
    return None


def _caps(system: System, cells: Sequence[Cell], amounts: np.ndarray, shared: Shared) -> tuple[Reachable, ...]:
    """Return the lowest limit and the earliest year that can be kept, for caps that are relaxed or in conflict."""
    turned = [system.relaxables[k].cell for k in np.flatnonzero(amounts > 0.0)]
    names = dict.fromkeys(cell.key for cell in (*turned, *cells) if cell.table == "caps")
    caps = [cap for key in names for cap in system.instance.caps if (cap.cap,) == key]
    return tuple(shared.results(_cap, [(cap, amounts) for cap in caps[:MOST_CAPS]]))


def _cap(system: System, clock: Clock, asked: tuple[Cap, np.ndarray]) -> Reachable:
    """Return what a cap could ask for, with the other wishes relaxed by amounts where they have to be."""
    from .attainable import reachable

    cap, amounts = asked
    return reachable(system, cap, amounts, clock)
