"""``planner cover``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .common import AsJson, Gap, InstanceFolder, Overwrite, Seed, Threads, TimeLimit, fraction, load_instance, tell


def cover(
    instance: InstanceFolder,
    against: Annotated[
        str,
        typer.Option(metavar="CASE", help="export_stop:CHN, outage:CHN/separation, outage:PLANT ... (as in stress)"),
    ],
    year: Annotated[int, typer.Option(help="when it begins, unforeseen")],
    months: Annotated[str, typer.Option(help="lengths: 1 to 12, or whole years such as 24")] = "1,3,6,12",
    level: Annotated[str, typer.Option(help="part of demand to be served in every country while it lasts")] = "90%",
    sector: Annotated[list[str] | None, typer.Option(help="only this sector; repeatable [all]")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the tables")] = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Size stocks and capacity together so that consumers are served through a stop: cost by months of cover."""
    from ..errors import UsageError
    from ..questions.cover import MANIFEST
    from ..questions.cover import cover as size
    from ..runs.folder import check_folder

    try:
        lengths = [int(m) for m in months.split(",")]
    except ValueError:
        raise UsageError(f'--months "{months}": expected whole numbers such as 1,3,6,12') from None
    if output is not None:
        check_folder(output, MANIFEST, overwrite)
    found = size(
        load_instance(instance),
        against,
        year,
        months=lengths,
        level=fraction(level, "--level"),
        sectors=sector or (),
        gap=gap,
        time_limit=time_limit,
        threads=threads,
        seed=seed,
        progress=tell,
    )
    if output is not None:
        found.write(output, overwrite)
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
