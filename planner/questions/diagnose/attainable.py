"""How strict a cap or floor could be: the strictest limit that can be kept, and the year from which its own can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...instance.limits import unit_of
from ...instance.metrics import METRICS
from ...language import N_, _, number, translated
from ...words import commas
from ..study import Declared, Value
from .search import Clock, feasible, least
from .system import System
from .words import percent

if TYPE_CHECKING:
    from ...instance.tables import Cap

AS_THEY_ARE = N_("as they are")
AS_EDITED = N_("as edited")


@dataclass(frozen=True)
class Reachable(Declared):
    """What a cap could ask for.

    cap         the cap
    asked       its limit, a share (in its first year, if it glides)
    glides      whether its limit changes from year to year
    floor       whether it is a floor
    limit       the lowest limit that can be kept in all its years, of a floor the highest; None: only one that asks for
                nothing, or the cap glides
    first_year  the first period from which its own limits can be kept; None: not within the horizon
    unit        in which an impact is counted; blank: the limit is a share
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
    floor: bool = False
    unit: str = ""

    def __str__(self) -> str:
        parts = []

        def told(limit: float) -> str:
            return number(f"{limit:,.6g} {self.unit}") if self.unit else percent(limit)

        if self.limit is not None and self.floor:
            parts.append(_("the highest limit that can be kept in all its years is {limit}", limit=told(self.limit)))
        elif self.limit is not None:
            parts.append(_("the lowest limit that can be kept in all its years is {limit}", limit=told(self.limit)))
        elif not self.glides and self.floor:
            parts.append(_("no limit above 0% can be kept in all its years"))
        elif not self.glides:
            parts.append(_("no limit below 100% can be kept in all its years"))
        asked = _("its glide") if self.glides else _("the asked {limit}", limit=told(self.asked))
        if self.first_year is None:
            parts.append(_("{limit} can be kept in no later year of the horizon", limit=asked))
        else:
            parts.append(_("{limit} can be kept from {year} on", limit=asked, year=self.first_year))
        of = {"cap": self.cap, "parts": commas(parts), "others": translated(self.others)}
        return _("cap {cap}: {parts} (other wishes {others})", **of)


def reachable(system: System, cap: Cap, amounts: np.ndarray, clock: Clock) -> Reachable:
    """Return what ``cap`` could ask for.

    The other wishes are held as they are; where no plan exists then even without the cap, they are relaxed by
    ``amounts``.
    """
    relaxables = [k for k, r in enumerate(system.relaxables) if r.cell.table == "caps" and r.cell.key == (cap.cap,)]
    years = _years(system, cap)
    base, others = system.nothing, AS_THEY_ARE
    if not feasible(system, base, clock, without=list(years)):
        base, others = amounts.copy(), AS_EDITED
        base[relaxables] = 0.0
    limit = None if cap.limit_end is not None else _lowest(system, cap, base, relaxables, clock)
    earliest, floor = _earliest(system, years, base, clock), cap.sense == "min"
    unit = unit_of(system.instance, cap.cap)
    return Reachable(cap.cap, cap.limit, cap.limit_end is not None, limit, earliest, others, floor, unit)


def _years(system: System, cap: Cap) -> dict[int, int]:
    """Map each row of a cap to its year."""
    years = {}
    for family in METRICS:
        for index, row in system.arrays.rows.get(family, {}).items():
            limit = system.data.caps[family][index]
            if limit.cap == cap.cap:
                years[row] = system.data.nodes[limit.node].year
    return years


def _lowest(system: System, cap: Cap, base: np.ndarray, relaxables: list[int], clock: Clock) -> float | None:
    """Return the strictest limit that can be kept in all years, a share; None if it asks for nothing."""
    if not relaxables:
        return None
    start = base.copy()
    start[relaxables[0]] = system.relaxables[relaxables[0]].most
    if not feasible(system, start, clock):
        return None
    relaxable = system.relaxables[relaxables[0]]
    amount = least(system, start, relaxables[0], clock)
    return cap.limit + relaxable.sign * amount if amount < relaxable.most - 1e-9 else None


def _earliest(system: System, years: dict[int, int], base: np.ndarray, clock: Clock) -> int | None:
    """Return the first year from which on the cap's rows can be kept; None: from no year after its first."""
    for year in sorted(set(years.values()))[1:]:
        if feasible(system, base, clock, without=[row for row, at in years.items() if at < year]):
            return year
    return None
