"""Time every phase on synthetic instances: ``python benchmarks/run.py --columns 10000 --columns 100000``.

Prints seconds by phase, how construction compares with solving, and the peak of memory. Each size runs in a process
of its own, so that the peak is its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

PLANTS = 12  # of each stage and grade
COLUMNS_PER_GRADE = 10_900  # about, with 20 countries, 10 periods and no options


def measure(columns: int, options: int, keep: Path | None) -> None:
    """Generate, solve and write one instance; print a line for each phase."""
    from generate import COUNTRIES, generate

    import planner
    from planner.plan import Plan
    from planner.prepare import prepare
    from planner.solution import tables
    from planner.solving import Settings, optimise

    grades = max(1, round(columns / COLUMNS_PER_GRADE))
    plants = PLANTS if columns >= COLUMNS_PER_GRADE else max(4, round(PLANTS * columns / COLUMNS_PER_GRADE))
    with tempfile.TemporaryDirectory() as scratch:
        folder = generate((keep or Path(scratch)) / f"instance-{columns}", grades, plants, options)
        marks = [time.perf_counter()]

        def mark() -> float:
            marks.append(time.perf_counter())
            return marks[-1] - marks[-2]

        instance = planner.load(folder)
        seconds = {"load": mark()}
        prepared = prepare(instance)
        seconds["prepare"] = mark()
        outcome = optimise(prepared.data, Settings())
        mark()
        seconds["build, compile, hand over"] = outcome.seconds["build"]
        seconds["solve"] = outcome.seconds["solve"]
        frames, branches = tables(prepared, outcome)
        seconds["tables"] = mark()
        plan = Plan({"seconds": {"write": 0.0, "total": 0.0}}, frames, branches)
        plan.write(Path(scratch) / "run")
        seconds["write"] = mark()
    size = outcome.size
    print(
        f"asked for {columns:,} columns: {size['columns']:,} columns ({size['integers']:,} integer), "
        f"{size['rows']:,} rows, {size['nonzeros']:,} nonzeros; {grades} grades, {plants} plants a stage, "
        f"{COUNTRIES} countries"
    )
    for name, value in seconds.items():
        print(f"  {name:27}{value:9.2f} s")
    built = seconds["prepare"] + seconds["build, compile, hand over"]
    print(f"  {'total':27}{sum(seconds.values()):9.2f} s")
    print(f"  (prepare + build, compile, hand over) / solve = {built / seconds['solve']:.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory {peak:,.0f} MiB; objective {outcome.objective:,.3f} MUSD ({outcome.stopped})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, action="append", help="about so many; may be repeated")
    parser.add_argument("--options", type=int, default=20, help="options with whole modules [20]")
    parser.add_argument("--keep", type=Path, help="write the instances here and leave them")
    asked = parser.parse_args()
    sizes = asked.columns or [10_000, 100_000]
    if len(sizes) == 1:
        measure(sizes[0], asked.options, asked.keep)
        return
    for size in sizes:
        command = [sys.executable, __file__, "--columns", str(size), "--options", str(asked.options)]
        subprocess.run(command + (["--keep", str(asked.keep)] if asked.keep else []), check=True)


if __name__ == "__main__":
    main()
