"""``planner compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from ..errors import UsageError
from .common import AsJson, Gap, Overwrite, Seed, Threads, TimeLimit, check_output, deliver, load_instance, tell


def compare(
    plans: Annotated[list[Path], typer.Argument(metavar="A B ...", help="runs, or instances to be solved first")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the tables as CSV")] = None,
    html: Annotated[Path | None, typer.Option(help="page to write")] = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Compare plans side by side: cost, dependence, and what is built, moved, paid and short otherwise."""
    from ..reporting import check_file, compare_page, write_report
    from ..runs.run import MANIFEST

    if len(plans) < 2:
        raise UsageError("expected two plans or more to compare")
    check_output(planner.Comparison, output, overwrite)
    if html is not None:
        check_file(html, overwrite)

    def plan_of(path: Path) -> planner.Run:
        if (path / MANIFEST).is_file():
            return planner.read_run(path)
        instance = load_instance(path)
        tell(f"solving {path}")
        return planner.solve(instance, gap=gap, time_limit=time_limit, threads=threads, seed=seed, progress=tell)

    names = [path.resolve().name for path in plans]
    runs = [plan_of(path) for path in plans]
    comparison = planner.compare(*runs, names=names)
    deliver(comparison, output, overwrite, as_json)
    if html is not None:
        write_report(compare_page(comparison, runs[0]), html, overwrite)
