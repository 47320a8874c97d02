"""The optimum of a linear programme from two starts at the same time: the first to arrive ends the other.

A model that differs from the last one is solved from the last basis by the dual simplex. After some changes, such as a
looser limit, that is a long way. Another way begins at the basis of an earlier model that is more like this one. Where
none is, it is to hold the last investment first, so that the operations fall into parts of which each takes few steps,
and to free it from there. None is always the shortest, and a second core is idle while somebody waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

import numpy as np

from ..cores import all_cores
from .compiling import Arrays
from .parts import Parts
from .programme import Programme, basis_of, statuses
from .solver import Found, Settings
from .units import Units


class Start(NamedTuple):
    """Where a linear programme may start: the optimum of one like it.

    basis  of it, for this programme; see `carried`
    x      its values of the columns of this programme, shape (columns,)
    parts  basis of the parts with an investment held, the last that was found; None: none was
    """

    basis: Any
    x: np.ndarray
    parts: Any = None


class Arrived(NamedTuple):
    """An optimum, its basis, and that of the parts; see `Start`."""

    found: Found
    basis: Any
    parts: Any = None


class _Way:
    """One way to the optimum, in a thread of its own, which can be told to stop.

    parts  basis of the parts that were solved on it; None: none were
    """

    def __init__(self) -> None:
        self.parts: Any = None
        self._lock = threading.Lock()
        self._solved: Programme | None = None
        self._stopped = False

    def stop(self) -> None:
        """End what is solved now; nothing more is solved."""
        with self._lock:
            self._stopped = True
            if self._solved is not None:
                self._solved.highs.cancelSolve()

    def find(self, programme: Programme, basis: Any) -> Found:
        """Solve a programme from a basis. Raises KeyboardInterrupt if the way is told to stop.

        Costs are not perturbed: from a basis near the optimum that makes more steps than it saves.
        """
        programme.option(dual_simplex_cost_perturbation_multiplier=0.0)
        programme.basis = basis
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            programme.highs.HandleUserInterrupt = True
            self._solved = programme
        return programme.find(sure=False, watched=False)


def raced(
    arrays: Arrays, settings: Settings, last: Start, nearer: Callable[[], Start | None], alone: bool
) -> Arrived | None:
    """Return the optimum of a linear programme; None: no way arrived, and it must be solved from nothing.

    last    the last optimum
    nearer  finds an optimum that is much nearer; None: there is none
    alone   whether to go from the basis of the last optimum only, as on one core
    Ctrl-C stops all ways and raises KeyboardInterrupt.
    """
    units = Units.of(arrays)

    def from_last(way: _Way) -> Arrived | None:
        return _from_basis(way, arrays, settings, units, last)

    def from_elsewhere(way: _Way) -> Arrived | None:
        start = nearer()
        if start is not None:
            return _from_basis(way, arrays, settings, units, start)
        return _from_investment(way, arrays, settings, units, last)

    ways = [from_last] if alone or all_cores() < 2 else [from_last, from_elsewhere]
    told = [_Way() for _ in ways]
    threads = ThreadPoolExecutor(len(ways))
    going: set[Future[Arrived | None]] = {
        threads.submit(way, stopping) for way, stopping in zip(ways, told, strict=True)
    }
    try:
        while going:
            done, going = wait(going, return_when=FIRST_COMPLETED)
            for one in done:
                if (arrived := one.result()) is not None:
                    parts = next((way.parts for way in told if way.parts is not None), last.parts)
                    return arrived._replace(parts=parts)
        return None
    finally:
        for way in told:
            way.stop()
        threads.shutdown(wait=False)


def _from_basis(way: _Way, arrays: Arrays, settings: Settings, units: Units, start: Start) -> Arrived | None:
    """Go from the basis of an earlier optimum by the dual simplex."""
    return _arrived(way, Programme(arrays, settings, units), start.basis)


def _from_investment(way: _Way, arrays: Arrays, settings: Settings, units: Units, start: Start) -> Arrived | None:
    """Hold the last investment, solve the parts, and free it: each start at the bound to which its reduced cost draws.

    That basis is dual feasible, as starts are bounded on both sides.
    """
    parts = Parts.of(arrays, settings)
    if parts is None:
        return None
    first = parts.first
    x = np.clip(start.x[first], arrays.col_lower[first], arrays.col_upper[first])
    columns, rows = (np.frombuffer(of, np.uint8) for of in statuses(start.parts or start.basis))
    drawn = arrays.cost[first].copy()
    for part in parts.parts:
        parts.hold(part, part.links @ x)
        basis = basis_of(columns[part.columns], rows[part.rows])
        basis.alien = True
        found = way.find(part.programme, basis)
        if not found.optimal:
            return None
        drawn -= part.links.T @ found.duals[part.linked]
    most = (drawn < 0.0) & np.isfinite(arrays.col_upper[first])
    way.parts = parts.put_together(most)
    return _arrived(way, Programme(arrays, settings, units), way.parts)


def _arrived(way: _Way, programme: Programme, basis: Any) -> Arrived | None:
    """Return where a programme arrives from a basis; None: at no optimum."""
    found = way.find(programme, basis)
    return Arrived(found, programme.basis) if found.optimal else None
