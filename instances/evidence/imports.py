"""Print how many magnets each region of world-2024 may import from China at hardly more than the least cost.

    python instances/evidence/imports.py

Who buys in China hardly matters to the cost of the whole world, so that one plan's imports say little; the least and
the most of them over all plans that cost at most one part in ten thousand more say what the model knows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import planner
from planner.solving.programme import Programme
from planner.solving.solver import Found, Settings

WORLD = Path(__file__).resolve().parent.parent / "world-2024"
REGIONS = {"USA": "USA", "EU": "EUU", "Japan": "JPN", "Korea": "KOR"}
SLACK = 1e-4


def imports(slack: float = SLACK) -> dict[str, tuple[float, float]]:
    """Region -> least and most t of magnets from China over the plans that cost at most ``slack`` (relative) more."""
    programme = Programme.of(planner.load(WORLD), Settings())
    cost = programme.arrays.cost
    least = float(cost @ _solved(programme).x)
    programme.add_limit(cost, least + slack * abs(least + programme.arrays.offset))
    return {name: (_end(programme, country, 1.0), _end(programme, country, -1.0)) for name, country in REGIONS.items()}


def _end(programme: Programme, country: str, sign: float) -> float:
    aim = np.zeros(len(programme.arrays.cost))
    for i, k in programme.arrays.columns["ship"].items():
        shipment = programme.prepared.data.ship[i]
        if (shipment.origin, shipment.destination) == ("CHN", country) and shipment.material.startswith("mag_"):
            aim[k] = 1.0
    programme.objective(sign * aim)
    return float(aim @ _solved(programme).x) * 1e3


def _solved(programme: Programme) -> Found:
    found = programme.find()
    if not found.optimal:
        raise SystemExit(f"the world of 2024 could not be solved ({found.stopped})")
    return found


if __name__ == "__main__":
    for region, (least, most) in imports().items():
        print(f"{region:<6} {least:>7,.0f} to {most:>7,.0f} t")
