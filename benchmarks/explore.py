"""Seconds from a moved control to the explorer's answer, over random moves of limits, demand and prices.

    python benchmarks/explore.py allied-2040 --moves 200
    python benchmarks/explore.py allied-2040 --moves 50 --check
    python benchmarks/explore.py allied-2040 --whole 12

A move changes one control of those of the page to a random place. Told are the seconds until the cost of the relaxation
is there, and until all its numbers are, by the clock and of the processor; and every 100 moves the memory of the
process. ``--check`` compares each answer with a fresh ``planner solve --relax``. ``--whole`` asks the plan of whole
projects at so many limits on traced dependence from 2032 on, spread evenly between 10 and 70 %, and tells the seconds
until it is there, within 0.3 % of the least cost.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

import planner
from planner.exploring.controls import controls
from planner.exploring.workers import Worker
from planner.questions.explore import in_order

KINDS = ("cap", "factor")


def main() -> None:
    """Read the arguments and move."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance")
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--whole", type=int, metavar="LIMITS")
    asked = parser.parse_args()
    asyncio.run(whole(asked) if asked.whole else moved(asked))


async def whole(asked: argparse.Namespace) -> None:
    """Ask plans of whole projects at limits and print how long they take."""
    worker, seconds = Worker(planner.load(asked.instance), 0.003, "whole"), []
    for share in np.linspace(0.7, 0.1, asked.whole + 1)[:-1]:
        took, numbers = await answer(worker, (f"cap exposed_share={share:.3f}@2032",))
        seconds.append(took.get("numbers", math.inf))
        gap = numbers["gap"] if numbers else math.nan
        print(f"at most {share:.1%} from 2032 on: {seconds[-1]:.1f} s, gap {gap:.2%}", flush=True)
    print(f"in under 20 s: {sum(s < 20.0 for s in seconds)} of {len(seconds)}")
    worker.close()


async def moved(asked: argparse.Namespace) -> None:
    """Move controls at random and print how long the answers take."""
    instance, random_ = planner.load(asked.instance), random.Random(asked.seed)
    offered = [c for c in controls(instance) if c["kind"] in KINDS and c["main"] and c["group"] != "money"]
    state: dict[str, list[str]] = {}
    worker = Worker(instance, 0.003, "relaxed")
    seconds: dict[str, list[float]] = defaultdict(list)
    await answer(worker, ())
    for move in range(1, asked.moves + 1):
        control = random_.choice(offered)
        steps = round((control["most"] - control["least"]) / control["step"])
        value = round(control["least"] + control["step"] * random_.randint(0, steps), 6)
        values = [f"{value:g}", *([str(control["first"])] if control["kind"] == "cap" else [])]
        state[control["id"]] = [
            parts[0] + "".join(v + p for v, p in zip(values, parts[1:], strict=True)) for parts in control["texts"]
        ]
        changes = in_order([text for texts in state.values() for text in texts])
        took, numbers = await answer(worker, changes)
        for what, at in took.items():
            seconds[what].append(at)
        if move % 100 == 0 or move == asked.moves:
            print(f"after {move} moves: {memory(worker):,.0f} MB", flush=True)
        if asked.check and numbers:
            fresh = planner.solve(instance.what_if(*changes), relax=True, audit=False)
            off = abs(numbers["cost"] / fresh.objective_musd - 1.0)
            shares = numbers["metrics"]["exposed_share"], fresh.metrics["exposed_share"]
            apart = max(abs((shares[0][y] or 0.0) - (shares[1][y] or 0.0)) for y in shares[0])
            print(f"cost off by {off:.1e}, traced dependence by {apart:.1e}: {'; '.join(changes)}", flush=True)
    for what, all_ in seconds.items():
        told = ", ".join(
            f"{name} {np.percentile(all_, p):.2f}" for name, p in (("median", 50), ("95 %", 95), ("most", 100))
        )
        print(f"seconds until {what}: {told} ({len(all_)} moves)")
    worker.close()


def processor(worker: Worker) -> float:
    """Return the seconds of the processor that a worker has used so far (on Linux)."""
    fields = Path(f"/proc/{worker._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(worker: Worker) -> float:
    """Return the megabytes of memory that a worker has (on Linux)."""
    lines = Path(f"/proc/{worker._process.pid}/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024.0


async def answer(worker: Worker, changes: tuple[str, ...]) -> tuple[dict[str, float], dict | None]:
    """Return the seconds until each kind of message, and the numbers; None: there is no plan."""
    await worker.ready()
    began, spent, took, numbers = time.perf_counter(), processor(worker), {}, None
    async for message in worker.answers({"changes": changes}):
        if message["type"] in ("cost", "numbers"):
            took[message["type"]] = time.perf_counter() - began
            took[f"{message['type']}, of the processor"] = processor(worker) - spent
        if message["type"] == "numbers":
            numbers = message
    return took, numbers


if __name__ == "__main__":
    main()
