"""Print how many magnets each region of world-2024 may import from China at hardly more than the least cost.

    python instances/evidence/imports.py

Who buys in China hardly matters to the cost of the whole world, so that one plan's imports say little; the least and
the most of them over all plans that cost at most one part in ten thousand more say what the model knows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import planner
from planner import models
from planner.prepare import prepare
from planner.solving.compiling import compile_model
from planner.solving.solver import Settings, Solver

WORLD = Path(__file__).resolve().parent.parent / "world-2024"
REGIONS = {"USA": "USA", "EU": "EUU", "Japan": "JPN", "Korea": "KOR"}
SLACK = 1e-4


def imports(slack: float = SLACK) -> dict[str, tuple[float, float]]:
    """Region -> least and most t of magnets from China over the plans that cost at most ``slack`` (relative) more."""
    data = prepare(planner.load(WORLD)).data
    arrays = compile_model(models.build(data))
    solver = Solver(arrays, Settings())
    _run(solver)
    cost = float(arrays.cost @ solver.solution()[0])
    costly = np.flatnonzero(arrays.cost).astype(np.int32)
    most = cost + slack * abs(cost + arrays.offset)
    solver.check(solver.highs.addRow(-np.inf, most, len(costly), costly, arrays.cost[costly]), "the cost row")
    return {
        name: (_end(solver, data, country, 1.0), _end(solver, data, country, -1.0)) for name, country in REGIONS.items()
    }


def _end(solver: Solver, data: models.ModelData, country: str, sign: float) -> float:
    aim = np.zeros(len(solver.arrays.cost))
    for i, k in solver.arrays.columns["ship"].items():
        shipment = data.ship[i]
        if (shipment.origin, shipment.destination) == ("CHN", country) and shipment.material.startswith("mag_"):
            aim[k] = 1.0
    everything = np.arange(len(aim), dtype=np.int32)
    solver.check(solver.highs.changeColsCost(len(aim), everything, sign * aim), "the aim")
    _run(solver)
    return float(aim @ solver.solution()[0]) * 1e3


def _run(solver: Solver) -> None:
    stopped = solver.run_lp()
    if stopped != "optimal":
        raise SystemExit(f"the world of 2024 could not be solved ({stopped})")


if __name__ == "__main__":
    for region, (least, most) in imports().items():
        print(f"{region:<6} {least:>7,.0f} to {most:>7,.0f} t")
