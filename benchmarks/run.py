"""Time every phase on synthetic instances: ``python benchmarks/run.py --columns 10000 --columns 100000``.

Prints seconds by phase (of the clock, and of the processor, which other work on the machine disturbs less), how
construction compares with solving, and the peak of memory. Each size runs in a process of its own, so that the peak is
its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.solving.search import Outcome

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

PLANTS = 12  # of each stage and grade
COLUMNS_PER_GRADE = 10_900  # about, with 20 countries, 10 periods and no options


class Clock:
    """Seconds by phase: of the clock and of the processor."""

    def __init__(self) -> None:
        self.phases: dict[str, tuple[float, float]] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.phases[name] = (time.perf_counter() - wall, time.process_time() - processor)

    def processor(self, *names: str) -> float:
        return sum(self.phases[name][1] for name in names)


def measure(columns: int, options: int, time_limit: float | None, keep: Path | None) -> None:
    """Generate, solve and write one instance; print a line for each phase."""
    from generate import COUNTRIES, generate

    import planner
    from planner import models
    from planner.prepare import prepare
    from planner.prepare.memory import paused_garbage_collector
    from planner.runs.run import Run
    from planner.solving.compiling import compile_model
    from planner.solving.programme import Programme
    from planner.solving.search import optimise_arrays
    from planner.solving.solution import tables
    from planner.solving.solver import Settings

    grades = max(1, round(columns / COLUMNS_PER_GRADE))
    plants = PLANTS if columns >= COLUMNS_PER_GRADE else max(4, round(PLANTS * columns / COLUMNS_PER_GRADE))
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        folder = generate((keep or Path(scratch)) / f"instance-{columns}", grades, plants, options)
        with clock.phase("load"):
            instance = planner.load(folder)
        with paused_garbage_collector():
            with clock.phase("prepare"):
                prepared = prepare(instance)
            with clock.phase("build"):
                model = models.build(prepared.data)
            with clock.phase("compile"):
                arrays = compile_model(model)
        del model
        settings = Settings(time_limit=time_limit)
        with clock.phase("hand over"):
            Programme(arrays, settings)
        rows, count = arrays.matrix.shape
        print(
            f"asked for {columns:,} columns: {count:,} columns ({int(arrays.integer.sum()):,} integer), {rows:,} rows, "
            f"{arrays.matrix.nnz:,} nonzeros; {grades} grades, {plants} plants a stage, {COUNTRIES} countries"
        )
        with clock.phase("solve"):
            outcome = optimise_arrays(prepared.data, arrays, settings)
        held = outcome.held
        if held:
            with clock.phase("tables"), paused_garbage_collector():
                frames, branches = tables(prepared, outcome)
            with clock.phase("write"):
                Run({"seconds": {"write": 0.0, "total": 0.0}}, frames, branches).write(Path(scratch) / "run")
    print(f"  {'':12}{'clock':>10}{'processor':>12}")
    for name, (wall, processor) in clock.phases.items():
        print(f"  {name:12}{wall:9.2f} s{processor:10.2f} s")
    construction = clock.processor("prepare", "build", "compile", "hand over")
    print(f"  construction (prepare, build, compile, hand over) {construction:.2f} s of the processor")
    print(f"  construction / solve = {construction / clock.processor('solve'):.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    plan = f"objective {outcome.objective:,.3f} MUSD, gap {_gap(outcome):.2%}" if held else "no plan"
    print(f"  peak memory {peak:,.0f} MiB; {outcome.stopped}, {plan}", flush=True)


def _gap(outcome: Outcome) -> float:
    return abs(outcome.objective - outcome.bound) / max(abs(outcome.objective), 1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, action="append", help="about so many; may be repeated")
    parser.add_argument("--options", type=int, default=20, help="options with whole modules [20]")
    parser.add_argument("--time-limit", type=float, help="seconds of search [no limit]")
    parser.add_argument("--keep", type=Path, help="write the instances here and leave them")
    asked = parser.parse_args()
    sizes = asked.columns or [10_000, 100_000]
    if len(sizes) == 1:
        measure(sizes[0], asked.options, asked.time_limit, asked.keep)
        return
    for size in sizes:
        command = [sys.executable, __file__, "--columns", str(size), "--options", str(asked.options)]
        command += ["--keep", str(asked.keep)] if asked.keep else []
        command += ["--time-limit", str(asked.time_limit)] if asked.time_limit else []
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
