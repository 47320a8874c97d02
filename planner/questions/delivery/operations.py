"""The operations of an instance for any capacities.

Caps hold; the promises of a plan are kept where they can be; demand that is not served costs its shortage cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from ...prepare import ModelData, Node, prepare_events
from ...solving.compiling import Arrays, compiled
from ...solving.measures import deliveries, shortages
from .recourse import Answer, Recourse

if TYPE_CHECKING:
    from collections.abc import Collection

    from ...instance.instance import Instance
    from ...prepare import ModelData
    from ...solving.solver import Arrays, Settings
    from .draws import ProjectOutcome
    from .modules import Modules

CALLED_EXPOSED = 1e-3  # MUSD/kt on exposed deliveries, so that of equally cheap operations the least exposed are taken
KEPT_BEFORE = 10.0  # breaking a promise costs so many times the dearest shortage; neither of the two is told as cost
BROKEN = 1e-6  # kt: promises broken by less are taken as kept


class OperationsResult(NamedTuple):
    """The result of the operations for given capacities.

    cost       MUSD of present value, without builds and closures
    short      t/yr, one number per period; so are the next two
    exposed    exposed deliveries
    delivered  all deliveries
    unkept     whether a service floor, a least use or a final stock could not be kept
    """

    cost: float
    short: np.ndarray
    exposed: np.ndarray
    delivered: np.ndarray
    unkept: bool


class Operations:
    """The operations of an instance in which no scenario happens, for any vector of capacities.

    Caps and clean-only rules hold. With ``events``, names of scenarios, these happen, see `prepare.prepare_events`.

    The promises of a plan (service floors, least use, offtakes, final stocks) come before all else. They are broken
    only where an outcome makes them impossible. So there is a solution in every outcome (relatively complete recourse),
    and the one in the planned outcome is the plan itself.

    The vector of capacities has four parts, in this order; each mapping gives the positions of one part:

    place   (facility, period) -> its capacity, kt/yr
    takes   position of an offtake in ``data`` -> what must be made for it, kt/yr
    rooms   (stockpile, period) -> the room in a store that may grow, kt
    impacts position of a cap on an impact in ``data`` -> what builds leave of its limit, thousand units a year
    own     the vector without any module
    offset  fixed O&M of own capacity, MUSD of present value
    """

    def __init__(
        self,
        instance: Instance,
        settings: Settings,
        called_exposed: float = CALLED_EXPOSED,
        events: Collection[str] = (),
    ) -> None:
        prepared = prepare_events(instance, events)
        data, self.conditions = prepared.data, prepared.conditions if events else ()  # by period
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
        built = [(i, row) for i, row in sorted(arrays.rows.get("impact", {}).items()) if data.caps["impact"][i].started]
        self.impacts = {i: len(order) + len(offtakes) + len(rooms) + k for k, (i, _) in enumerate(built)}
        limited = np.array([row for _, row in (*order, *offtakes, *rooms, *built)], dtype=int)
        self.recourse_measures = self._measures()
        self.recourse = Recourse(arrays, limited, self.recourse_measures, settings, signed=len(built))
        self.own = self.recourse.own
        self._taken: dict[int, list[tuple[int, float]]] = {}
        for i, limit in enumerate(data.offtake):
            for start, kt in limit.modules:
                self._taken.setdefault(start, []).append((i, kt))
        self.offset = arrays.offset

    def solve(self, capacity: np.ndarray) -> OperationsResult:
        """Return the operations with a vector of capacities, see the class and `Recourse.answer`."""
        return self.combined(self.recourse.answer(capacity))

    def combined(self, answers: list[Answer]) -> OperationsResult:
        """Return the result that the answers of all parts give together."""
        total = sum((a.measured for a in answers), np.zeros(2 + 3 * self.periods))
        short, exposed, delivered = total[2:].reshape(3, self.periods)
        return OperationsResult(float(total[0]) + self.offset, short, exposed, delivered, bool(total[1] > BROKEN))

    def capacity_effects(self, modules: Modules, start: int, outcome: ProjectOutcome) -> list[tuple[int, float]]:
        """Return what a module adds to the vector of capacities: (position, kt/yr or kt) pairs.

        start  position in ``data.build`` of the start of the module

        Offtakes fall in proportion to the capacity that comes: nothing is taken from a project that never does.
        """
        begun = self.data.build[start]
        option, year, facility = begun.option, begun.year, begun.facility
        planned, added = modules.added(option, year), modules.added(option, year, outcome)
        row = modules.options[option]
        for t, of in enumerate(self.conditions):  # what the events leave of it, by period
            left = of.module_factor(row, year) * (1.0 if begun.stockpile else of.capacity.get(facility, 1.0))
            added[t] *= left
        # what building causes of an impact leaves less of its limit, whatever comes of it
        caused = [(self.impacts[i], -cap.sign * k) for i, cap in enumerate(self.data.caps["impact"])
                  if i in self.impacts for s, k in cap.started if s == start]  # fmt: skip
        if begun.stockpile:
            rooms, store = self.rooms, begun.stockpile
            return [*caused, *((rooms[store, t], kt) for t, kt in enumerate(added) if kt and (store, t) in rooms)]
        # a capacity has no row where nothing can run
        effects = [*caused]
        effects += [(self.place[facility, t], kt) for t, kt in enumerate(added) if kt and (facility, t) in self.place]
        for i, taken in self._taken.get(start, ()):
            t = self.data.nodes[self.data.offtake[i].node].period
            effects.append((self.takes[i], taken * added[t] / planned[t]))
        return effects

    def _measures(self) -> Any:
        """Return what is measured in a solution, as a sparse matrix of shape (2 + 3 x periods, columns).

        The rows are cost (MUSD), promises broken (kt), then short, exposed and delivered of each period (t/yr).
        """
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
    """Return the weights that choose among operations, in addition to their cost: MUSD per unit of each column."""
    weights = deliveries(data, arrays, lambda node: called_exposed * node.present)
    breaking = list(arrays.columns["broken"].values())
    weights[breaking] = KEPT_BEFORE * max((need.shortage_cost for need in data.need), default=1.0)
    return weights


def _units_of_a_kt(data: ModelData, i: int) -> float:
    """Return by how many thousand units a limit on an impact is broken where that counts as much as a kt not served."""
    cap = data.caps["impact"][i]
    demand = sum(need.demand for need in data.need if need.node == cap.node)
    return abs(cap.limit) / demand if cap.limit and demand else 1.0


def _with_breakable_promises(data: ModelData, arrays: Arrays) -> Arrays:
    """Return the model with a column ``broken`` (kt) for each promise, so that it can be broken (an elastic model).

    The key of a column is the position of the need for a service floor, and (family, index of the row) for the others.

    Shortage beyond a service floor costs what other shortage costs, and enters the same rows. To break a limit on an
    impact by all of it counts as much as to serve nobody in its year.
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
    # a floor under an impact is a promise as well; a cap that builds alone may exceed must give way, too
    caps = enumerate(data.caps["impact"])
    promises += [("impact", i, arrays.rows["impact"][i]) for i, cap in caps if cap.floor or cap.started]
    keys += [(family, i) for family, i, _ in promises]
    kept = (
        [-_units_of_a_kt(data, i) if family == "impact" else 1.0 for family, i, _ in promises],
        ([row for *_, row in promises], range(len(promises))),
    )
    arrays = arrays.with_columns(sparse.csc_array(kept, shape=(rows, len(promises))), 0.0, 0.0, np.inf)
    broken = {key: columns + j for j, key in enumerate(keys)}
    return replace(arrays, columns=arrays.columns | {"broken": broken})
