"""How strict a cap could be: the lowest limit that can be kept, and the earliest year from which the asked one can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...instance.metrics import METRICS
from ..study import Declared, Value
from .search import Clock, feasible, least
from .system import System
from .words import percent

if TYPE_CHECKING:
    from ...instance.tables import Cap

AS_THEY_ARE = "as they are"
AS_EDITED = "as edited"


@dataclass(frozen=True)
class Reachable(Declared):
    """What a cap could ask for.

    asked       its limit (in its first year, if it glides)
    limit       the lowest limit that can be kept in all its years; None: not below 1, or the cap glides
    first_year  the first period from which its own limits can be kept; None: not within the horizon
    others      how the other wishes are held: ``as they are``, or ``as edited`` where that alone is not enough
    """

    HOLDS = (
        *(Value("cap", "the cap"), Value("asked", "its limit"), Value("lowest_limit", "that can be kept", "limit")),
        Value("earliest_year", "from which its own limits can be kept", "first_year"),
        Value("other_wishes", "how the others are held", "others"),
    )

    cap: str
    asked: float
    glides: bool
    limit: float | None
    first_year: int | None
    others: str

    def __str__(self) -> str:
        parts = []
        if self.limit is not None:
            parts.append(f"the lowest limit that can be kept in all its years is {percent(self.limit)}")
        elif not self.glides:
            parts.append("no limit below 100% can be kept in all its years")
        asked = "its glide" if self.glides else f"the asked {percent(self.asked)}"
        when = "in no later year of the horizon" if self.first_year is None else f"from {self.first_year} on"
        parts.append(f"{asked} can be kept {when}")
        return f"cap {self.cap}: {', '.join(parts)} (other wishes {self.others})"


def reachable(system: System, cap: Cap, amounts: np.ndarray, clock: Clock) -> Reachable:
    """What ``cap`` could ask for, the other wishes as they are or, where that is not enough, as in ``amounts``."""
    knobs = [k for k, knob in enumerate(system.knobs) if knob.cell.table == "caps" and knob.cell.key == (cap.cap,)]
    years = _years(system, cap)
    base, others = system.nothing, AS_THEY_ARE
    if not feasible(system, base, clock, without=list(years)):
        base, others = amounts.copy(), AS_EDITED
        base[knobs] = 0.0
    limit = None if cap.limit_end is not None else _lowest(system, cap, base, knobs, clock)
    return Reachable(
        cap.cap, cap.limit, cap.limit_end is not None, limit, _earliest(system, years, base, clock), others
    )


def _years(system: System, cap: Cap) -> dict[int, int]:
    """Rows of a cap -> year."""
    found = {}
    for family in METRICS:
        for index, row in system.arrays.rows.get(family, {}).items():
            limit = system.data.caps[family][index]
            if limit.cap == cap.cap:
                found[row] = system.data.nodes[limit.node].year
    return found


def _lowest(system: System, cap: Cap, base: np.ndarray, knobs: list[int], clock: Clock) -> float | None:
    if not knobs:
        return None
    start = base.copy()
    start[knobs[0]] = system.knobs[knobs[0]].most
    if not feasible(system, start, clock):
        return None
    found = cap.limit + least(system, start, knobs[0], clock)
    return found if found < 1.0 - 1e-9 else None


def _earliest(system: System, years: dict[int, int], base: np.ndarray, clock: Clock) -> int | None:
    """The first period such that the cap's rows from then on can be kept."""
    for year in sorted(set(years.values()))[1:]:
        if feasible(system, base, clock, without=[row for row, at in years.items() if at < year]):
            return year
    return None
