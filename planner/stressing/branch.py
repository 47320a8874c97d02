"""Operations after a blow: builds and stocks are the plan's, one compiled model for each moment of the blow.

Losses of capacity and stops of exports change only sides of rows and bounds of shipments, so that HiGHS goes on from
the solution of the case before. Whatever else a scenario does gets a model of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from models.data import ModelData

from ..errors import SolverFailed
from ..matching import hit_facilities
from .cases import SCENARIO, Case

if TYPE_CHECKING:
    from ..instance import Instance
    from ..prepare import Prepared
    from ..prepare.operations import Openings
    from ..solving import Settings

Builds = Mapping[tuple[str, int], float]
NONE = {"kind": "outage", "fraction": 0.0}  # a scenario must do something; this loses nothing


def as_instance(instance: Instance, first: int, last: int, rows: list[dict[str, Any]]) -> Instance:
    """The instance with a case as one more scenario, of probability 0: the plan's cost does not change."""
    return instance.changed(
        rows={
            "scenarios": [
                {"scenario": SCENARIO, "name": SCENARIO, "probability": 0.0, "first_year": first, "last_year": last}
            ],
            "disruptions": [{"scenario": SCENARIO, **row} for row in rows],
        }
    )


def stopped_exports(instance: Instance, case: Case) -> list[tuple[str, str]]:
    """(material, country) whose exports a case stops: all of a country, or of a stage of it; none for one plant."""
    if case.facility:
        return []
    leaves = {(lane.material, lane.origin) for lane in instance.lanes if lane.destination != case.country}
    return [
        (m.material, case.country)
        for m in instance.materials
        if (not case.stage or m.stage == case.stage)
        and any((name, origin) in leaves for name in (m.material, "*") for origin in (case.country, "*"))
    ]


def disruption_rows(
    instance: Instance, case: Case, references: Mapping[tuple[str, str], float]
) -> list[dict[str, Any]]:
    """A case as rows of disruptions.csv, but their scenario.

    references  undisturbed exports of (material, country), t/yr, of which the part not lost may leave
    """
    rows = [case.outage] if _makes(instance, case) else []
    for material, country in stopped_exports(instance, case):
        reference = references.get((material, country), 0.0)
        stop = {"kind": "export_stop", "country": country, "material": material, "fraction": case.severity}
        rows.append({**stop, "reference_t": reference})
    return rows


def _makes(instance: Instance, case: Case) -> bool:
    return bool(hit_facilities(instance, _as_row(case)))


def _as_row(case: Case) -> Any:
    from ..schema import Disruption

    return Disruption(
        scenario=SCENARIO, kind="outage", country=case.country, stage=case.stage, material="", facility=case.facility,
        fraction=case.severity, reference_t=None, note="",
    )  # fmt: skip


class Branch:
    """Operations from the beginning of the scenario SCENARIO of ``instance`` to the end of the horizon.

    capacity_rows  position in ``data.capacity`` -> row;  ``ships``: position in ``data.ship`` -> column
    """

    def __init__(self, instance: Instance, builds: Builds, openings: Openings, settings: Settings) -> None:
        import models

        from ..prepare import prepare_branch
        from ..solving import Solver, compile_model, paused_garbage_collector

        with paused_garbage_collector():
            self.prepared: Prepared = prepare_branch(instance, SCENARIO, openings)
            data: ModelData = self.prepared.data
            arrays = compile_model(models.build(data))
        self.instance, self.data, self.arrays = instance, data, arrays
        columns = arrays.columns.get("build", {})
        arrays.integer[:] = False
        self.modules = np.zeros(len(data.build))
        for i, start in enumerate(data.build):
            self.modules[i] = builds.get((start.option, start.year), 0.0)
            arrays.cost[columns[i]] = 0.0
            arrays.col_lower[columns[i]] = arrays.col_upper[columns[i]] = self.modules[i]
        for family in ("modules_least", "modules_most", "exclusive_group", "requires"):
            for row in arrays.rows.get(family, {}).values():
                arrays.row_lower[row], arrays.row_upper[row] = -np.inf, np.inf
        arrays.offset = 0.0  # own fixed O&M does not change
        self.solver = Solver(arrays, settings)
        self.capacity_rows = arrays.rows.get("capacity_limit", {})
        self.ships = arrays.columns.get("ship", {})

    def solve(self) -> np.ndarray:
        """Values of the least-cost operations."""
        stopped = self.solver.run_lp()
        if stopped == "interrupted":
            raise KeyboardInterrupt
        if stopped != "optimal":
            raise SolverFailed(f"the operations after a disruption could not be solved ({stopped})")
        return np.clip(self.solver.solution()[0], self.arrays.col_lower, self.arrays.col_upper)

    @contextmanager
    def disrupted(self, case: Case, references: Mapping[tuple[str, str], float]) -> Iterator[None]:
        """Losses of a case, for as long as the context lasts; shares of years as in the contract."""
        from ..timeline import overlap_share

        highs, check = self.solver.highs, self.solver.check
        lost = [
            case.severity * overlap_share(self.prepared.periods[node.period], case.first, case.last)
            for node in self.data.nodes
        ]
        hit = hit_facilities(self.instance, _as_row(case))
        changed: list[int] = []
        for i, limit in enumerate(self.data.capacity):
            if limit.facility in hit and lost[limit.node] > 0.0:
                built = sum(k * self.modules[b] for b, k in limit.modules)
                left = (1.0 - lost[limit.node]) * (limit.own + built) - built
                check(highs.changeRowBounds(self.capacity_rows[i], -np.inf, left), "a capacity")
                changed.append(i)
        before = highs.getNumRow()
        stopped = set(stopped_exports(self.instance, case))
        leaving: dict[tuple[int, str, str], list[int]] = defaultdict(list)
        for i, s in enumerate(self.data.ship):
            if (s.material, s.origin) in stopped and lost[s.node] > 0.0:
                leaving[s.node, s.material, s.origin].append(self.ships[i])
        for (n, material, origin), columns in leaving.items():
            most = (1.0 - lost[n]) * references.get((material, origin), 0.0) * 1e-3
            ones = np.ones(len(columns))
            check(highs.addRow(-np.inf, most, len(columns), np.array(columns, dtype=np.int32), ones), "a stop")
        try:
            yield
        finally:
            for i in changed:
                check(highs.changeRowBounds(self.capacity_rows[i], -np.inf, self.data.capacity[i].own), "a capacity")
            added = np.arange(before, highs.getNumRow(), dtype=np.int32)
            if len(added):
                check(highs.deleteRows(len(added), added), "removing stops")
