"""``planner stress``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import planner

from ..errors import AuditError, UsageError
from ..language import _
from ..questions.many import partial_file
from .common import (
    AsJson,
    Overwrite,
    RunFolder,
    RunInstance,
    Scheduler,
    Workers,
    asked,
    asks_what_if,
    changed,
    check_output,
    deliver,
    progress,
    refuse,
    share,
    speaks,
    tell,
    years_after,
)

OF_DISRUPTIONS = (
    "year",
    "years",
    "months",
    "from_month",
    "clock",
    "level",
    "severity",
    "squeeze",
    "wait",
    "families",
    "only",
    "k",
    "audit",
    "survival",
)


@speaks
@asks_what_if
def stress(
    context: typer.Context,
    run: RunFolder,
    instance: RunInstance = None,
    year: Annotated[
        list[str] | None,
        typer.Option(metavar="YEAR", help="when it comes; repeatable, or all [when most exposed tonnes are delivered]"),
    ] = None,
    years: Annotated[int, typer.Option(help="how many calendar years it lasts")] = 1,
    months: Annotated[int | None, typer.Option(help="instead: how many months it lasts")] = None,
    from_month: Annotated[int | None, typer.Option(help="month of the year in which it begins, 1 to 12 [1]")] = None,
    clock: Annotated[
        str | None, typer.Option(help="month, or year: a year as one mean [month where periods are of one year]")
    ] = None,
    level: Annotated[
        float,
        share("part of what the plan serves that a consumer who holds out gets"),
    ] = 1.0,
    severity: Annotated[
        list[float] | None,
        share("part that is lost, such as 50%; repeatable [all]"),
    ] = None,
    squeeze: Annotated[
        list[float] | None,
        share("instead: exports only, of which this share is still licensed; repeatable"),
    ] = None,
    wait: Annotated[float, typer.Option(metavar="WEEKS", help="of a squeeze: weeks until the first licences")] = 0.0,
    families: Annotated[
        str, typer.Option(help="what is lost, of country, stage (of a country), facility, material, scenario, owner")
    ] = "country,stage,facility,material,scenario",
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="only this case, country, stage, plant, material, owner, scenario; repeatable"
        ),
    ] = None,
    k: Annotated[int, typer.Option("--k", help="also the worst losses of up to so many at once")] = 1,
    audit: Annotated[
        bool, typer.Option("--audit/--no-audit", help="recompute every case and answer from the raw tables")
    ] = True,
    survival: Annotated[
        bool, typer.Option("--survival/--no-survival", help="search how long each consumer could hold out")
    ] = True,
    workers: Workers = None,
    scheduler: Scheduler = None,
    delivery: Annotated[
        int | None, typer.Option(metavar="N", help="instead: N outcomes of late, dear, small and failing projects")
    ] = None,
    failing: Annotated[
        bool, typer.Option("--failing", help="instead: each project, and all of each owner, never coming")
    ] = False,
    rebuild_after: Annotated[
        str,
        typer.Option(
            metavar="YEARS", help="something else may be started so long after the blow or the news; or never"
        ),
    ] = "1",
    seed: Annotated[int, typer.Option(help="of the outcomes drawn with --delivery")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for the tables; the same command goes on where it was")
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Try disruptions on a plan one by one: builds and stocks are held, what is left serves whom it can.

    With what-ifs the plan is tried in its instance after these changes.

    Examples:

    - `planner stress runs/base --year 2030 --months 6 -o runs/stress`
    - `planner stress runs/base --only "Lynas Rare Earths"`
    - `planner stress runs/base --delivery 128`
    """
    if failing or delivery is not None:
        which = "with --failing" if failing else "with --delivery"
        refuse(context, [*OF_DISRUPTIONS, *(["delivery", "seed"] if failing else [])], which)
    else:
        refuse(context, ["seed"], "without --delivery or --failing")
    plan = planner.read_run(run, instance)
    other = changed(plan.instance) if asked() else None
    if failing or delivery is not None:
        check_output(planner.Failures if failing else planner.DeliveryRisk, output, overwrite)
        partial = None if output is None else partial_file(output)
        found: planner.Failures | planner.DeliveryRisk
        how: dict[str, Any] = {
            "workers": workers,
            "scheduler": scheduler,
            "partial": partial,
            **progress(),
            "instance": other,
        }
        how["rebuild_after"] = years_after(rebuild_after)
        if delivery is None or failing:
            found = planner.failures(plan, **how)
        else:
            found = planner.delivery_risk(plan, samples=delivery, seed=seed, **how)
        deliver(found, output, overwrite, as_json)
        if not found.complete and output is not None:
            tell("the same command with --overwrite goes on from here")
        return
    tested = planner.stress(
        plan,
        year=_years(year or [], plan.instance.years),
        years=years,
        months=months,
        from_month=from_month,
        clock=clock,
        level=level,
        severity=severity or 1.0,
        squeeze=squeeze,
        wait=wait,
        families=[f.strip() for f in families.split(",") if f.strip()],
        only=only or (),
        k=k,
        rebuild_after=years_after(rebuild_after),
        audit=audit,
        survival=survival,
        workers=workers,
        scheduler=scheduler,
        folder=output,
        overwrite=overwrite,
        **progress(),
        instance=other,
    )
    deliver(tested, None, overwrite, as_json)  # it is written already
    if output is not None and not as_json:
        print(_("Tables: {folder}", folder=output))
    if tested.faults:
        raise AuditError("some cases do not agree with the instance; please report this as a defect")


def _years(asked: list[str], all_years: tuple[int, ...]) -> list[int] | None:
    if asked == ["all"]:
        return list(all_years)
    for text in asked:
        if not text.isdecimal():
            raise UsageError(f'--year "{text}": expected a year, such as 2028, or all alone')
    return [int(text) for text in asked] or None
