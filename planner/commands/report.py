"""``planner report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import Overwrite, RunFolder, RunInstance, speaks


@speaks
def report(
    run: RunFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="file to write [RUN/report.html]")
    ] = None,
    studies: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            metavar="FOLDER",
            help="show too what frontier, explain, alternatives, stress, hedge, sensitivity or compare wrote with "
            "-o FOLDER; repeatable",
        ),
    ] = None,
    instance: RunInstance = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a run as one HTML file: findings, charts, tables, and why to trust it. It needs no network.

    Examples:

    - `planner report runs/base`
    - `planner report runs/base --with runs/curve --with runs/stress --overwrite`
    """
    from ..reporting import REPORT, check_page, write_page
    from ..reporting import report as report_on
    from ..runs.run import read_run

    found = read_run(run, instance)
    file = output or run / REPORT
    check_page(file, overwrite)
    print(f"{write_page(report_on(found, studies or ()), file, overwrite)}: written")
