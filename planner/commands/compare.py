"""``planner compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from ..errors import UsageError
from . import common
from .common import AsJson, Gap, Output, Overwrite, Seed, Threads, TimeLimit


def compare(
    plans: Annotated[list[Path], typer.Argument(metavar="A B ...", help="runs, or instances to be solved first")],
    output: Output = None,
    html: Annotated[Path | None, typer.Option(help="page to write")] = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Compare plans side by side: cost, dependence, and what is built, moved, paid and short otherwise."""
    from ..instance.reading import SETTINGS_FILE
    from ..reporting import check_page, compare_page, write_page
    from ..runs.run import MANIFEST

    if len(plans) < 2:
        raise UsageError("expected two plans or more to compare")
    common.check_output(planner.Comparison, output, overwrite)
    if html is not None:
        check_page(html, overwrite)

    def plan_of(path: Path) -> planner.Run:
        if (path / MANIFEST).exists() or not (path / SETTINGS_FILE).exists():
            return planner.read_run(path)
        instance = common.load_instance(path)
        common.tell(f"solving {path}")
        return planner.solve(instance, **common.search(gap, time_limit, threads, seed))

    names = [path.resolve().name for path in plans]
    runs = [plan_of(path) for path in plans]
    comparison = planner.compare(*runs, names=names)
    common.deliver(comparison, output, overwrite, as_json)
    if html is not None:
        write_page(compare_page(comparison, runs[0]), html, overwrite)
