"""``planner stress``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from .common import AsJson, Overwrite, RunFolder, tell


def stress(
    run: RunFolder,
    instance: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="the run's instance [where it was solved from]")
    ] = None,
    families: Annotated[
        str, typer.Option(help="of country, stage (of a country), facility, scenario; comma-separated")
    ] = "country,stage,facility,scenario",
    year: Annotated[
        list[str] | None,
        typer.Option(metavar="YEAR[-LAST]", help="when it happens; repeatable [the middle period's first year]"),
    ] = None,
    severity: Annotated[float, typer.Option(help="part that is lost; half a year is 0.5 in one year")] = 1.0,
    only: Annotated[list[str] | None, typer.Option(help="a case by its name, such as CHN; repeatable")] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="also pairs of the plants that are missed most")] = False,
    delivery: Annotated[
        int | None, typer.Option(metavar="N", help="instead: N outcomes of late, dear, small and failing projects")
    ] = None,
    seed: Annotated[int, typer.Option(help="of the outcomes drawn with --delivery")] = 0,
    audit: Annotated[bool, typer.Option("--audit/--no-audit", help="recompute every case from the raw tables")] = True,
    workers: Annotated[int | None, typer.Option(help="processes [one per core]")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the tables; resumable")] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Try disruptions on a plan: builds and stocks are held, what is left serves whom it can."""
    from ..errors import UsageError
    from ..folders import check_folder
    from ..runfolder import read_run
    from ..stressing.study import MANIFEST
    from ..stressing.study import stress as try_all
    from ..whence import instance_of

    held = read_run(run)
    of = instance_of(held, instance)
    if delivery is not None:
        from ..delivery.evaluation import delivery_risk

        risk = delivery_risk(of, held, samples=delivery, seed=seed, progress=tell)
        if output is not None:
            risk.write(output, overwrite)
        print(json.dumps(risk.to_dict(), indent=1) if as_json else str(risk))
        return
    spans = []
    for text in year or []:
        match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)
        if match is None:
            raise UsageError(f'--year "{text}": expected YEAR or FIRST-LAST, such as 2028 or 2028-2029')
        spans.append((int(match[1]), int(match[2] or match[1])))
    if output is not None:
        check_folder(output, MANIFEST, overwrite)
    found = try_all(
        of,
        held,
        families=[f.strip() for f in families.split(",") if f.strip()],
        years=spans or None,
        severity=severity,
        only=only or (),
        pairs=pairs,
        audit=audit,
        workers=workers,
        partial=None if output is None else output.with_name(f".{output.name}.partial.jsonl"),
        progress=tell,
    )
    if output is not None and found.complete:
        found.write(output, overwrite)
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
    if not found.complete and output is not None:
        tell("the same command goes on from here")
