"""A model with limits on two metrics at once, probed at one pair of limits after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import NoPlan
from ...prepare import prepare
from ...solving.cap_rows import PLACEHOLDER, MetricRows
from ...solving.compiling import compiled
from ...solving.programme import Programme
from .limited import Limited

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Found, Progress, Settings
    from ..many import Result
    from .axis import Axis

SAME = 1e-9  # relative: costs that differ by less are the same

Pair = tuple[float, float]


class Probe(NamedTuple):
    """A pair of limits to be probed, see `Doubly.probe`."""

    limits: Pair
    lexicographic: bool
    price: float


class Plan(NamedTuple):
    """A plan found at a pair of limits.

    values  of the two metrics as the search counts them, 0 to 1
    bound   no plan that keeps the limits probed costs less, MUSD
    builds  option, start year and modules
    """

    values: Pair
    cost: float
    bound: float
    exposed_share: float
    short_t: float
    capex: float
    builds: tuple[tuple[str, int, float], ...]


class Doubly(Limited):
    """The model with a limit on each of two metrics.

    axes       the metrics, with the scale of impacts
    both       rows of the limits of each
    programme  the model, with whole numbers if it has any
    below      weights of how far a plan stays below the limits; float array, one value for each column
    """

    def __init__(
        self, instance: Instance, metrics: tuple[Axis, Axis], settings: Settings, progress: Progress | None
    ) -> None:
        self.instance, self.metric, self.settings = instance, metrics[0], settings
        self.progress, self.interrupted = progress, False
        capped, names = instance, []
        for metric in metrics:
            metric.check(instance)
            capped, caps = metric.capped(capped, PLACEHOLDER, PLACEHOLDER)
            names.append(caps)
        self.data = prepare(capped).data
        nodes = {n for n in range(len(self.data.nodes)) if self._counted(n)}
        arrays, self.both = compiled(self.data), []
        for metric, caps in zip(metrics, names, strict=True):
            self.both.append(MetricRows(self.data, arrays, metric.family, caps, nodes))
            arrays = self.both[-1].arrays
        upper = arrays.row_upper.copy()  # of all limits, which each search sets
        upper[[row.position for rows in self.both for row in rows.rows]] = np.inf
        self.arrays = arrays = replace(arrays, row_upper=upper)
        self.axes = []
        for metric, rows in zip(metrics, self.both, strict=True):
            rows.arrays = arrays
            self.axes.append(replace(metric, scale=1e3 * rows.most(settings)) if metric.amount else metric)
        self.whole = arrays.whole
        self.programme = Programme(arrays, settings)
        self.below = np.zeros(len(arrays.cost))
        all_demand = sum(need.demand for need in self.data.need)
        for rows in self.both:
            if rows.rows:  # how far a plan stays below the limits, at most by all that the metric could count
                most = max(abs(row.demand) for row in rows.rows) or all_demand or 1.0
                self.programme.bound([rows.excess], -most, 0.0)
                self.below[rows.excess] = 1.0 / most

    def probe(self, limits: Pair, lexicographic: bool, price: float) -> Plan | None:
        """Return the least-cost plan that keeps both limits, of equal ones one with less of the metrics; or None.

        lexicographic  whether its metrics are made least in a second search; else at a small ``price``, MUSD for
                       all of a metric
        """
        programme = self.programme
        if len(self.whole):  # several processes probe: what was probed before in this one must not matter
            programme.start_from(None)
        for rows, limit in zip(self.both, limits, strict=True):
            rows.set_limit(programme, limit)
        programme.objective(self.arrays.cost + price * self.below)
        found = self._once()
        if found is None:
            return None
        x, bound = found.x, found.bound if len(self.whole) else found.value
        cost = programme.cost(x)
        if lexicographic:
            row = programme.add_limit(self.arrays.cost, cost - self.arrays.offset + SAME * abs(cost))
            programme.objective(self.below)
            second = self._once()
            programme.drop_rows([row])
            x = x if second is None else second.x
        values = tuple(max(0.0, rows.share(x)) for rows in self.both)
        facts = self._facts(x)
        builds = tuple((*key, modules) for key, modules in sorted(facts["builds"].items()))
        of_all = facts["exposed_share"], facts["short_t"], facts["capex"]
        return Plan((values[0], values[1]), programme.cost(x), min(bound, cost), *of_all, builds)

    def _once(self) -> Found | None:
        """Search once; None if no plan keeps the limits."""
        found = self.programme.find(seconds=self.settings.time_limit)
        if found.stopped == "infeasible":
            return None
        if not found.held:
            raise NoPlan(f"no plan was found at a pair of limits before the search ended ({found.stopped})")
        return found


class Probing:
    """Makes what probes limits in this process, with the model that is there, or in another one, with its own."""

    def __init__(self, model: Doubly) -> None:
        self.model = model

    def __getstate__(self) -> Any:
        """Return what another process needs to build the same model."""
        return self.model.instance, tuple(self.model.axes), self.model.settings

    def __setstate__(self, state: Any) -> None:
        instance, axes, settings = state
        self.model = Doubly(instance, axes, settings, None)

    def __call__(self) -> Callable[[Probe], Result]:
        """Return the worker: it probes limits; the ``plan`` is None if no plan keeps them."""
        return lambda probe: {"plan": self.model.probe(*probe)}
