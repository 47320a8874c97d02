"""What a feasible instance has to spare: how much stricter each wish could be, the others as they are."""

from __future__ import annotations

from .search import Clock
from .system import System


def slackest(system: System, clock: Clock) -> list[str]:
    """Facts, the slackest first."""
    return []
