"""The whole solves of an explanation as pieces of work, each of which is done in any process and needs no other.

A piece has the name of what is asked and its arguments; its result is plain, so that it can be kept in a file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..many import Result
from . import entry
from .bench import INTERRUPTED
from .binding import a_year_earlier
from .projects import Project, cost_if_built, value_without

if TYPE_CHECKING:
    from ...bands import Band
    from ..many import Many, Worker
    from .bench import Bench


@dataclass(frozen=True)
class Piece:
    """A piece of work.

    kind     ``without`` some options, ``with`` a project that is not built, or an option a year ``earlier``
    options  the options that it is about
    project  of the kind ``with`` only
    exact    of the kind ``with``: whether all changes are tried with which it would enter, or that of capex only
    """

    kind: str
    options: tuple[str, ...]
    project: Project | None = field(default=None, compare=False)
    exact: bool = False

    @property
    def described(self) -> list[Any]:
        """The piece as JSON can hold it."""
        return [self.kind, self.options, None if self.project is None else self.project.start, self.exact]


def worker(bench: Bench) -> Worker:
    """Return what does pieces of work on a bench."""
    return partial(_done, bench)


def answers(bench: Bench, many: Many, pieces: Collection[Piece]) -> dict[Piece, Any]:
    """Return what each piece found; of those that the time or an interrupt left undone, a result that says so."""
    by_key = {many.finished.key(piece.described): piece for piece in pieces}
    known: dict[str, Result] = {}
    try:
        for key, result in many.results(by_key):
            known[key] = result
            bench.stopped = bench.stopped or result["unfinished"]
    except KeyboardInterrupt:
        bench.stopped = INTERRUPTED
    results = {key: known.get(key) or _done(bench, piece) for key, piece in by_key.items()}
    bench.notes += [note for result in results.values() for note in result["notes"]]
    return {by_key[key]: result["found"] for key, result in results.items()}


def _done(bench: Bench, piece: Piece) -> Result:
    """Do a piece. What is ``found`` depends on its kind, see the functions that are called."""
    before = len(bench.notes)
    found: Any = None
    if piece.kind == "earlier":
        found = a_year_earlier(bench, *piece.options)
    elif piece.kind == "without":
        found = value_without(bench, piece.options)
    elif piece.project is not None:
        found = _with(bench, piece.project, piece.exact)
    notes = bench.notes[before:]
    del bench.notes[before:]
    return {"found": found, "notes": notes, "unfinished": bench.stopped}


def _with(bench: Bench, project: Project, exact: bool) -> tuple[Band, str, list[entry.Entry]]:
    """Return what building a project costs, the source, and its thresholds: of capex only, or of all changes."""
    cost_if_built(bench, project)
    found = entry.by_capex(bench, project)
    if exact and project.plan is not None:
        found += entry.by_running_cost(bench, project)
        found += entry.by_years(bench, project)
        found += entry.by_size(bench, project)
    return project.cost_if_built, project.if_built_how, found
