"""Seconds from a moved control to the explorer's answer, over random moves of limits, demand and prices.

    python benchmarks/explore.py allied-2040 --moves 200
    python benchmarks/explore.py allied-2040 --moves 200 --slide 0.5
    python benchmarks/explore.py allied-2040 --moves 50 --check
    python benchmarks/explore.py allied-2040 --whole 12

A move changes one control of those of the page to a random place. Told are the seconds until the cost of the relaxation
is there, and until all its numbers are; and what the process has of memory. A move takes no time, so that nothing can
be asked before its end; with ``--slide`` it takes so many seconds, at an even pace, in which the cost is asked for as
the page asks for it, and the seconds count from its end. ``--check`` compares each answer with a fresh ``planner solve
--relax``. ``--whole`` asks the plan of whole projects at so many limits on traced dependence from 2032 on, spread
evenly between 10 and 70 %, and tells the seconds until it is there, within 0.3 % of the least cost.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import time
from collections.abc import Callable
from contextlib import aclosing
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
    parser.add_argument("--slide", type=float, default=0.0, help="seconds of a move")
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
    state: dict[str, float] = {}
    worker = Worker(instance, 0.003, "relaxed")
    seconds: dict[str, list[float]] = {"cost": [], "numbers": [], "all, of the processor": []}
    await answer(worker, ())
    for _ in range(asked.moves):
        control = random_.choice(offered)
        steps = round((control["most"] - control["least"]) / control["step"])
        before = state.get(control["id"], control["start"])
        after = control["least"] + control["step"] * random_.randint(0, steps)

        def at(part: float, control: dict = control, before: float = before, after: float = after) -> tuple[str, ...]:
            value = control["step"] * round((before + part * (after - before)) / control["step"])
            asked_for = {**state, control["id"]: value}
            return in_order([text for c in offered if c["id"] in asked_for for text in texts(c, asked_for[c["id"]])])

        await follow(worker, at, asked.slide)
        changes, state[control["id"]] = at(1.0), after
        spent = processor(worker)
        took, numbers = await answer(worker, changes)
        took["all, of the processor"] = processor(worker) - spent
        for what, second in took.items():
            seconds[what].append(second)
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
    status = Path(f"/proc/{worker._process.pid}/status").read_text()
    print(next(line for line in status.splitlines() if line.startswith("VmRSS")))
    worker.close()


def texts(control: dict, value: float) -> list[str]:
    """Return the what-ifs of a control at a value."""
    values = [f"{round(value, 6):g}", *([str(control["first"])] if control["kind"] == "cap" else [])]
    return [parts[0] + "".join(v + p for v, p in zip(values, parts[1:], strict=True)) for parts in control["texts"]]


async def follow(worker: Worker, at: Callable[[float], tuple[str, ...]], seconds: float) -> None:
    """Ask for the cost while a control moves, as the page does: one question after the other, where it then is.

    at  part of the way -> what-ifs
    """
    began, last = time.perf_counter(), at(0.0)
    while (part := (time.perf_counter() - began) / max(seconds, 1e-9)) < 1.0:
        if (changes := at(part)) == last:
            await asyncio.sleep(0.01)
            continue
        last = changes
        try:
            async with (
                asyncio.timeout((1.0 - part) * seconds),
                aclosing(worker.answers({"changes": changes, "moving": True})) as told,
            ):
                async for _ in told:
                    pass
        except TimeoutError:
            return


def processor(worker: Worker) -> float:
    """Return the seconds of the processor that a worker has used so far (on Linux)."""
    fields = Path(f"/proc/{worker._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def answer(worker: Worker, changes: tuple[str, ...]) -> tuple[dict[str, float], dict | None]:
    """Return the seconds until each kind of message, and the numbers; None: there is no plan."""
    began, took, numbers = time.perf_counter(), {}, None
    async for message in worker.answers({"changes": changes}):
        if message["type"] in ("cost", "numbers"):
            took[message["type"]] = time.perf_counter() - began
        if message["type"] == "numbers":
            numbers = message
    return took, numbers


if __name__ == "__main__":
    main()
