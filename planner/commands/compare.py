"""``planner compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from ..errors import UsageError
from . import common
from .common import AsJson, Gap, Output, Overwrite, Seed, Threads, TimeLimit, asked, asks_what_if, speaks


@speaks
@asks_what_if
def compare(
    context: typer.Context,
    plans: Annotated[
        list[Path],
        typer.Argument(metavar="A B ...", help="runs, or instances to be solved first; or one, and what if"),
    ],
    output: Output = None,
    base: Annotated[
        str | None, typer.Option(metavar="A", help="which of them the others are set against [the first]")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="page to write")] = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Compare plans side by side: cost, dependence, and what is built, moved, paid and short otherwise.

    With what-ifs a single plan is compared with the one after these changes.

    Examples:

    - `planner compare runs/base runs/dear --html compare.html`
    - `planner compare runs/batch/runs/* --base today`
    - `planner compare allied-2040 --without owner="MP Materials"`
    """
    from ..instance.reading import SETTINGS_FILE
    from ..instance.sheets import is_book
    from ..questions.compare.sure import improved
    from ..questions.solve import solve_unless_stopped
    from ..reporting import check_page, compare_page, write_page
    from ..runs.run import MANIFEST

    if asked() and len(plans) > 1:
        raise UsageError("what-ifs are compared with one plan: name only that")
    if not asked() and len(plans) < 2:
        raise UsageError("expected two plans or more to compare, or one and what-ifs such as --scale demand=1.3")
    common.check_output(planner.Comparison, output, overwrite, html)
    if not asked() and all((path / MANIFEST).is_file() for path in plans):
        common.refuse(context, ["gap", "time_limit", "threads", "seed"], "where nothing is solved")
    if html is not None:
        check_page(html, overwrite)

    how = common.search(gap, time_limit, threads, seed)

    def plan_of(path: Path) -> planner.Run:
        if (path / MANIFEST).exists() or (path.is_dir() and not (path / SETTINGS_FILE).exists()):
            return planner.read_run(path)
        instance = planner.load(path)
        common.tell(f"solving {path}")
        return solve_unless_stopped(instance, **how)

    names = [path.stem if is_book(path) else path.resolve().name for path in plans]
    runs = [plan_of(path) for path in plans]
    if asked():
        other = common.changed(runs[0].instance)
        common.tell(f"solving {other.name}")
        runs.append(solve_unless_stopped(other, **how))
        names.append("what-if")
    for k, run in enumerate(runs):
        if run.path is None:  # solved here, and can be solved again from a better plan
            better = [other for other in runs if improved(run, other) is not None]
            if better:
                common.tell(f"solving {names[k]} again, from a cheaper plan")
                start = min(better, key=lambda other: other.objective_musd)
                runs[k] = solve_unless_stopped(run.instance, start=start, **how)
    called = {str(path): name for path, name in zip(plans, names, strict=False)}
    comparison = planner.compare(*runs, names=names, base=None if base is None else called.get(base, base))
    common.deliver(comparison, output, overwrite, as_json)
    if html is not None:
        write_page(compare_page(comparison), html, overwrite)
