"""``planner compare``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import AsJson, Gap, Overwrite, Seed, Threads, TimeLimit, load_instance, tell

if TYPE_CHECKING:
    from ..runs.run import Run


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
    from ..errors import UsageError
    from ..questions.compare import compare as compare_plans
    from ..reporting import check_file, compare_page, write_report
    from ..runs.folder import check_folder
    from ..runs.run import MANIFEST, read_run

    if len(plans) < 2:
        raise UsageError("expected two plans or more to compare")
    if output is not None:
        check_folder(output, "compare.json", overwrite)
    if html is not None:
        check_file(html, overwrite)

    def plan_of(path: Path) -> Run:
        if (path / MANIFEST).is_file():
            return read_run(path)
        from ..questions.solve import solve

        instance = load_instance(path)
        tell(f"solving {path}")
        return solve(instance, gap=gap, time_limit=time_limit, threads=threads, seed=seed, progress=tell)

    names = [path.resolve().name for path in plans]
    runs = [plan_of(path) for path in plans]
    found = compare_plans(*runs, names=names)
    if output is not None:
        found.write(output, overwrite)
    if html is not None:
        write_report(compare_page(found, runs[0]), html, overwrite)
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
