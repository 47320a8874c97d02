"""The operations of a plan for any capacities: caps hold, promises are kept where they can be, shortage pays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from ...prepare import ModelData, Node, prepare
from ...solving.compiling import Arrays, compiled
from ...solving.measures import deliveries, shortages
from .recourse import Answer, Recourse

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...prepare import ModelData
    from ...solving.solver import Arrays, Settings
    from .draws import Luck
    from .modules import Modules

CALLED_EXPOSED = 1e-3  # MUSD/kt: the least exposed of equally cheap operations; taken out of the cost again
KEPT_BEFORE = 10.0  # a promise of the plan counts so many times the dearest shortage; taken out of the cost again
BROKEN = 1e-6  # kt: less is rounding


class Operated(NamedTuple):
    """One re-solve. cost in MUSD without that of builds and closures; the others t/yr by period.

    unkept  whether a service floor, a least use or a final stock could not be kept
    """

    cost: float
    short: np.ndarray
    exposed: np.ndarray
    delivered: np.ndarray
    unkept: bool


class Operations:
    """The undisturbed operations for any capacities. Caps and clean-only rules hold and shortage pays.

    The promises of a plan (service floors, least use, offtakes, final stocks) are kept before all else and broken only
    where an outcome makes them impossible, so that every outcome can be lived with and the planned one is the plan.
    ``place`` maps (facility, period) to the position of its capacity, ``takes`` an offtake of ``data`` to that of what
    must be made for it, ``rooms`` (stockpile, period) to that of the room in a store that may grow (kt). ``own`` are
    these without modules, ``offset`` is the fixed O&M of own capacity (MUSD).
    """

    def __init__(self, instance: Instance, settings: Settings, called_exposed: float = CALLED_EXPOSED) -> None:
        if instance.scenarios:
            tables = ("branch_service", "disruptions", "scenarios")
            instance = instance.changed(without={name: {} for name in tables if instance.rows(name)})
        data = prepare(instance).data
        arrays = _with_breakable_promises(data, compiled(data))
        self.data = data
        self.periods = max(node.period for node in data.nodes) + 1
        # the model as it was compiled, and with the weights that choose among its operations
        self.model, arrays = arrays, replace(arrays, cost=arrays.cost + _weights(data, arrays, called_exposed))
        order = sorted(arrays.rows.get("capacity_limit", {}).items())
        self.place = {(data.capacity[i].facility, data.nodes[data.capacity[i].node].period): k
                      for k, (i, _) in enumerate(order)}  # fmt: skip
        offtakes = sorted(arrays.rows.get("offtake", {}).items())
        self.takes = {i: len(order) + k for k, (i, _) in enumerate(offtakes)}
        rooms = sorted(arrays.rows.get("stock_limit", {}).items())
        rooms = [(i, row) for i, row in rooms if data.stock_limit[i].modules]
        self.rooms = {(data.stock_limit[i].stockpile, data.nodes[data.stock_limit[i].node].period): k
                      for k, (i, _) in enumerate(rooms, start=len(order) + len(offtakes))}  # fmt: skip
        limited = np.array([row for _, row in (*order, *offtakes, *rooms)], dtype=int)
        self.recourse = Recourse(arrays, limited, self._measures(), settings)
        self.own = self.recourse.own
        self._taken: dict[int, list[tuple[int, float]]] = {}
        for i, limit in enumerate(data.offtake):
            for start, kt in limit.modules:
                self._taken.setdefault(start, []).append((i, kt))
        self.offset = arrays.offset

    def operated(self, capacity: np.ndarray) -> Operated:
        """Operations with these capacities, kt/yr in the order of ``place``; see `Recourse.answer`."""
        return self.told(self.recourse.answer(capacity))

    def told(self, answers: list[Answer]) -> Operated:
        """The answers of all parts together."""
        total = sum((a.measured for a in answers), np.zeros(2 + 3 * self.periods))
        short, exposed, delivered = total[2:].reshape(3, self.periods)
        return Operated(float(total[0]) + self.offset, short, exposed, delivered, bool(total[1] > BROKEN))

    def tied(self, modules: Modules, start: int, luck: Luck) -> list[tuple[int, float]]:
        """Positions of what a module of a start of ``data`` adds to, with what it adds in kt/yr.

        Buyers take of what comes, in proportion: nothing of a project that never does.
        """
        of = self.data.build[start]
        option, year, facility = of.option, of.year, of.facility
        planned, added = modules.added(option, year), modules.added(option, year, luck)
        if of.stockpile:
            rooms = self.rooms
            return [(rooms[of.stockpile, t], kt) for t, kt in enumerate(added) if kt and (of.stockpile, t) in rooms]
        # a capacity has no row where nothing can run
        found = [(self.place[facility, t], kt) for t, kt in enumerate(added) if kt and (facility, t) in self.place]
        for i, taken in self._taken.get(start, ()):
            t = self.data.nodes[self.data.offtake[i].node].period
            found.append((self.takes[i], taken * added[t] / planned[t]))
        return found

    def _measures(self) -> Any:
        """Rows: cost, promises broken (kt), then short, exposed and delivered (t/yr) of each period."""
        data, count = self.data, self.periods
        rows = np.zeros((2 + 3 * count, len(self.model.cost)))
        rows[0] = self.model.cost
        for t in range(count):

            def tonnes(node: Node, period: int = t) -> float:
                return 1e3 if node.period == period else 0.0

            rows[2 + t] = shortages(data, self.model, tonnes)
            rows[2 + count + t] = deliveries(data, self.model, tonnes)
            rows[2 + 2 * count + t] = deliveries(data, self.model, tonnes, "")
        for key, k in self.model.columns["broken"].items():
            rows[1, k] = 1.0
            if isinstance(key, int):  # a broken service floor is a shortage too
                rows[2 + data.nodes[data.need[key].node].period, k] = 1e3
        return sparse.csr_array(rows)


def _weights(data: ModelData, arrays: Arrays, called_exposed: float) -> np.ndarray:
    """What chooses among operations beyond their cost, MUSD per unit."""
    found = deliveries(data, arrays, lambda node: called_exposed * node.present)
    breaking = list(arrays.columns["broken"].values())
    found[breaking] = KEPT_BEFORE * max((need.shortage_cost for need in data.need), default=1.0)
    return found


def _with_breakable_promises(data: ModelData, arrays: Arrays) -> Arrays:
    """The model with a column ``broken`` for each promise: of service by position of the need, of others by row.

    Shortage beyond a service floor costs what shortage costs, and counts in all that the shortage below it counts in.
    """
    rows, columns = arrays.matrix.shape
    floors = [d for d, need in enumerate(data.need) if need.max_short < need.demand]
    keys: list[Any] = list(floors)
    if floors:
        places = np.array([arrays.columns["short"][d] for d in floors])
        room = np.array([data.need[d].demand - data.need[d].max_short for d in floors])
        arrays = arrays.with_columns(arrays.matrix[:, places], arrays.cost[places], 0.0, room)
    promises = [
        (family, i, row)
        for family in ("least_use", "offtake", "stock_floor")
        for i, row in arrays.rows.get(family, {}).items()
    ]
    keys += [(family, i) for family, i, _ in promises]
    kept = ([1.0] * len(promises), ([row for *_, row in promises], range(len(promises))))
    arrays = arrays.with_columns(sparse.csc_array(kept, shape=(rows, len(promises))), 0.0, 0.0, np.inf)
    broken = {key: columns + j for j, key in enumerate(keys)}
    return replace(arrays, columns=arrays.columns | {"broken": broken})
