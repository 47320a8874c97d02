"""Time every phase: ``python benchmarks/run.py --columns 10000 --columns 100000`` on synthetic instances.

``--grown ELEMENTSxCOUNTRIESxSCENARIOS`` times the flagship grown so many times (see `grow`; 1x1x0 is the flagship
itself), ``--bare`` HiGHS alone on the same arrays beside it, with three seeds. Prints seconds by phase (of the clock,
and of the processor, which other work on the machine disturbs less), how construction compares with solving, and the
peak of memory. Each size runs in a process of its own, so that the peak is its own.
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
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.solving.compiling import Arrays
    from planner.solving.search import Outcome
    from planner.solving.solver import Settings

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

PLANTS = 12  # of each stage and grade
SEEDS = (0, 1, 2)  # of bare HiGHS
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


def synthetic(folder: Path, columns: int, options: int) -> Path:
    """Generate an instance of about so many columns."""
    from generate import generate

    grades = max(1, round(columns / COLUMNS_PER_GRADE))
    plants = PLANTS if columns >= COLUMNS_PER_GRADE else max(4, round(PLANTS * columns / COLUMNS_PER_GRADE))
    return generate(folder / f"instance-{columns}", grades, plants, options)


def grown(folder: Path, size: str) -> Path:
    """Grow the flagship, by elements, countries and scenarios."""
    from grow import grow

    elements, countries, scenarios = map(int, size.split("x"))
    return grow(ROOT / "instances" / "allied-2040", folder / f"grown-{size}", elements, countries, scenarios)


def measure(name: str, folder: Path, gap: float | None, time_limit: float | None, bare: bool) -> None:
    """Solve and write one instance; print a line for each phase.

    bare  whether to solve the same arrays by HiGHS alone too, to the same gap, with its own options on one thread
    """
    import planner
    from planner import models
    from planner.garbage import paused_garbage_collector
    from planner.prepare import prepare
    from planner.runs.run import Run
    from planner.solving.compiling import compile_model
    from planner.solving.programme import Programme
    from planner.solving.search import Outcome, optimise_arrays
    from planner.solving.solution import tables
    from planner.solving.solver import Settings

    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
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
        settings = Settings(gap=gap, time_limit=time_limit or None)
        with clock.phase("hand over"):
            Programme(arrays, settings)
        rows, count = arrays.matrix.shape
        print(
            f"{name}: {count:,} columns ({int(arrays.integer.sum()):,} integer), {rows:,} rows, "
            f"{arrays.matrix.nnz:,} nonzeros",
            flush=True,
        )
        with clock.phase("solve"):
            outcome = optimise_arrays(prepared.data, arrays, settings) if time_limit != 0.0 else Outcome("built", False)
        held = outcome.held
        if held:
            with clock.phase("tables"), paused_garbage_collector():
                frames, branches = tables(prepared, outcome)
            with clock.phase("write"):
                Run({"seconds": {"write": 0.0, "total": 0.0}}, frames, branches).write(Path(scratch) / "run")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    alone: list[tuple[float, str]] = []
    if bare:
        alone = highs_alone(arrays, settings)
    print(f"  {'':12}{'clock':>10}{'processor':>12}")
    for phase, (wall, processor) in clock.phases.items():
        print(f"  {phase:12}{wall:9.2f} s{processor:10.2f} s")
    construction = clock.processor("prepare", "build", "compile", "hand over")
    print(f"  construction (prepare, build, compile, hand over) {construction:.2f} s of the processor")
    if held:
        print(f"  construction / solve = {construction / clock.processor('solve'):.2f}")
    if bare:
        times = clock.processor(*clock.phases) / median(seconds for seconds, _ in alone)
        print(f"  all phases / HiGHS alone (median of its seeds) = {times:.2f} of the processor")
        for seed, (seconds, ended) in zip(SEEDS, alone, strict=False):
            print(f"  HiGHS alone, seed {seed}: {seconds:.2f} s of the processor; {ended}")
    plan = f"objective {outcome.objective:,.3f} MUSD, gap {_gap(outcome):.2%}" if held else "no plan"
    print(f"  peak memory {peak:,.0f} MiB; {outcome.stopped}, {plan}", flush=True)


def _gap(outcome: Outcome) -> float:
    return abs(outcome.objective - outcome.bound) / max(abs(outcome.objective), 1e-9)


def highs_alone(arrays: Arrays, settings: Settings) -> list[tuple[float, str]]:
    """Solve the arrays with bare HiGHS, once for each seed; return seconds of the processor, and how it ended.

    Of one model a seed may take ten times as long as another, so one run is no measure.
    """
    return [_alone(arrays, settings, seed) for seed in (SEEDS if arrays.integer.any() else SEEDS[:1])]


def _alone(arrays: Arrays, settings: Settings, seed: int) -> tuple[float, str]:
    import highspy
    import numpy as np

    began = time.process_time()
    highs, matrix = highspy.Highs(), arrays.matrix
    options = {"output_flag": False, "threads": 1, "mip_rel_gap": settings.gap or 0.001, "random_seed": seed}
    for option, value in options.items():
        highs.setOptionValue(option, value)
    if settings.time_limit:
        highs.setOptionValue("time_limit", settings.time_limit)
    highs.passModel(
        *(matrix.shape[1], matrix.shape[0], matrix.nnz, 1, 1, arrays.offset, arrays.cost),
        *(arrays.col_lower, arrays.col_upper, arrays.row_lower, arrays.row_upper),
        *(matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data),
        arrays.integer.astype(np.int32),
    )
    highs.run()
    found = highs.getInfo()
    kind = f"gap {found.mip_gap:.3%}" if arrays.integer.any() else f"{found.simplex_iteration_count:,} iterations"
    ended = highs.modelStatusToString(highs.getModelStatus())
    return time.process_time() - began, f"{ended}, {found.objective_function_value:,.3f} MUSD, {kind}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, action="append", help="synthetic, about so many; may be repeated")
    parser.add_argument("--grown", action="append", help="the flagship grown, such as 2x2x1; may be repeated")
    parser.add_argument("--options", type=int, default=20, help="options with whole modules of a synthetic one [20]")
    parser.add_argument("--gap", type=float, help="relative gap to stop at [that of solve]")
    parser.add_argument("--time-limit", type=float, help="seconds of search [no limit]; 0: none")
    parser.add_argument("--bare", action="store_true", help="solve by HiGHS alone too")
    parser.add_argument("--keep", type=Path, help="write the instances here and leave them")
    asked = parser.parse_args()
    sizes = [("--columns", str(size)) for size in asked.columns or ()]
    sizes += [("--grown", size) for size in asked.grown or ()]
    sizes = sizes or [("--columns", "10000"), ("--columns", "100000")]
    if len(sizes) > 1:
        shared = [part for part in sys.argv[1:] if part == "--bare"]
        for option in ("options", "gap", "time_limit", "keep"):
            if (value := getattr(asked, option)) is not None:
                shared += [f"--{option.replace('_', '-')}", str(value)]
        for size in sizes:
            subprocess.run([sys.executable, __file__, *size, *shared], check=True)
        return
    with tempfile.TemporaryDirectory() as scratch:
        place, (kind, size) = asked.keep or Path(scratch), sizes[0]
        folder = grown(place, size) if kind == "--grown" else synthetic(place, int(size), asked.options)
        name = f"the flagship {size}" if kind == "--grown" else f"asked for {int(size):,} columns"
        measure(name, folder, asked.gap, asked.time_limit, asked.bare)


if __name__ == "__main__":
    main()
