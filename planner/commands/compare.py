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
    from ..errors import OutputError, UsageError
    from ..questions.compare import compare as compare_plans
    from ..runs.folder import check_folder
    from ..runs.run import MANIFEST, read_run

    if len(plans) < 2:
        raise UsageError("expected two plans or more to compare")
    if output is not None:
        check_folder(output, "compare.json", overwrite)
    if html is not None and html.exists() and not overwrite:
        raise OutputError(f"{html} exists; choose another name, or --overwrite to replace it")

    def plan_of(path: Path) -> Run:
        if (path / MANIFEST).is_file():
            return read_run(path)
        from ..questions.solve import solve

        instance = load_instance(path)
        tell(f"solving {path}")
        return solve(instance, gap=gap, time_limit=time_limit, threads=threads, seed=seed, progress=tell)

    names = [path.resolve().name for path in plans]
    found = compare_plans(*(plan_of(path) for path in plans), names=names)
    if output is not None:
        found.write(output, overwrite)
    if html is not None:
        try:
            html.write_text(found.to_html(), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{html} cannot be written: {error.strerror}") from error
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
