"""``planner stress``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import AuditError, UsageError
from .common import AsJson, Overwrite, RunFolder, tell


def stress(
    run: RunFolder,
    instance: Annotated[
        Path | None,
        typer.Option("--instance", metavar="FOLDER", help="where the run's instance lies [as plan.json says]"),
    ] = None,
    year: Annotated[
        list[str] | None,
        typer.Option(metavar="YEAR", help="when it comes; repeatable, or all [when most exposed tonnes are delivered]"),
    ] = None,
    years: Annotated[int, typer.Option(help="how many calendar years it lasts")] = 1,
    months: Annotated[int | None, typer.Option(help="instead: so many months of one year")] = None,
    severity: Annotated[list[float] | None, typer.Option(help="part that is lost, repeatable [1]")] = None,
    families: Annotated[
        str, typer.Option(help="what is lost, of country, stage (of a country), facility, material, scenario")
    ] = "country,stage,facility,material,scenario",
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="only this case, country, stage, facility, material, scenario; repeatable"),
    ] = None,
    k: Annotated[int, typer.Option("--k", help="also the worst losses of up to so many at once")] = 1,
    audit: Annotated[bool, typer.Option("--audit/--no-audit", help="recompute every case from the raw tables")] = True,
    survival: Annotated[
        bool, typer.Option("--survival/--no-survival", help="search how long each consumer could hold out")
    ] = True,
    workers: Annotated[int | None, typer.Option(help="processes [one per core, where it is worth it]")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="try the cases on the Dask cluster of this scheduler")
    ] = None,
    delivery: Annotated[
        int | None, typer.Option(metavar="N", help="instead: N outcomes of late, dear, small and failing projects")
    ] = None,
    failing: Annotated[
        bool, typer.Option("--failing", help="instead: each project, and all of each owner, never coming")
    ] = False,
    seed: Annotated[int, typer.Option(help="of the outcomes drawn with --delivery")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for the tables; the same command goes on where it was")
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Try disruptions on a plan one by one: builds and stocks are held, what is left serves whom it can."""
    from ..questions.stress.stress import stress as try_all
    from ..runs.run import read_run

    held = read_run(run, instance)
    if failing:
        from ..questions.delivery.failures import failures

        lost = failures(held, progress=tell)
        if output is not None:
            lost.write(output, overwrite)
        print(json.dumps(lost.to_dict(), indent=1) if as_json else str(lost))
        return
    if delivery is not None:
        from ..questions.delivery.delivery_risk import delivery_risk

        risk = delivery_risk(held, samples=delivery, seed=seed, progress=tell)
        if output is not None:
            risk.write(output, overwrite)
        print(json.dumps(risk.to_dict(), indent=1) if as_json else str(risk))
        return
    found = try_all(
        held,
        year=_years(year or [], held.instance.years),
        years=years,
        months=months,
        severity=severity or 1.0,
        families=[f.strip() for f in families.split(",") if f.strip()],
        only=only or (),
        k=k,
        audit=audit,
        survival=survival,
        workers=workers,
        scheduler=scheduler,
        folder=output,
        overwrite=overwrite,
        progress=tell,
    )
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
    if output is not None and not as_json:
        print(f"Tables: {output}")
    if found.faults:
        raise AuditError("some cases do not agree with the instance; please report this as a defect")


def _years(asked: list[str], all_years: tuple[int, ...]) -> list[int] | None:
    if "all" in asked:
        return list(all_years)
    for text in asked:
        if not text.isdecimal():
            raise UsageError(f'--year "{text}": expected a year, such as 2028, or all')
    return [int(text) for text in asked] or None
