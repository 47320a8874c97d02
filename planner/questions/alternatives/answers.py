"""The questions about near-optimal plans as pieces of work, each of which is done in any process and needs no other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .different import farthest
from .ends import latest_start, pair, range_of
from .sums import buy, span

if TYPE_CHECKING:
    from ..many import Result, Worker
    from .space import Space

Piece = tuple[Any, ...]  # the name of a question, and its arguments
QUESTIONS: dict[str, Callable[..., Any]] = {
    "range": range_of,
    "latest_start": latest_start,
    "pair": pair,
    "span": span,
    "buy": buy,
    "farthest": farthest,
}


def worker(space: Space) -> Worker:
    """Return what does pieces of work."""
    return partial(answer, space)


def answer(space: Space, piece: Piece) -> Result:
    """Do a piece of work.

    Returns what it ``found``, and the further ``plans`` within the slack that were seen on the way.
    """
    space.seen = list(space.first_seen)
    name, *arguments = piece
    found = QUESTIONS[name](space, *arguments)
    return {"found": found, "plans": [space.plan(x) for x in space.seen[len(space.first_seen) :]]}
