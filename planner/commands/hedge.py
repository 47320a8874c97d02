"""``planner hedge``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner

from . import common
from .common import AsJson, InstanceFolder, Overwrite, Scheduler, Seed, Workers, asks_what_if, share


@asks_what_if
def hedge(
    instance: InstanceFolder,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="the plan that trusts in delivery [it is solved first]")
    ] = None,
    outcomes: Annotated[int, typer.Option(help="outcomes of the projects that the plan is best against")] = 32,
    replications: Annotated[int, typer.Option(help="other samples, which tell how far it may be from the best")] = 2,
    trial: Annotated[int, typer.Option(help="other outcomes, on which both plans are compared")] = 256,
    insurance: Annotated[int, typer.Option(metavar="N", help="worth of the N largest projects built for safety")] = 5,
    weight: Annotated[
        float,
        share("weight of the mean of the worst outcomes against the mean of all"),
    ] = 0.0,
    alpha: Annotated[float, share("the worst outcomes are those beyond this part")] = 0.9,
    rebuild_after: Annotated[
        str,
        typer.Option(metavar="YEARS", help="something else may be started so long after the news, or never"),
    ] = "1",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for the tables; the hedged plan is in its folder plan")
    ] = None,
    overwrite: Overwrite = False,
    gap: Annotated[float, share("relative gap of each search")] = 0.005,
    time_limit: Annotated[float | None, typer.Option(help="seconds of each search [no limit]")] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Build more than is needed where projects may come late, dear, small or never: the best plan against outcomes.

    Examples:

    - `planner hedge glide-20 --outcomes 32 --gap 0.6% -o runs/hedge`
    """
    trusting = None if run is None else planner.read_run(run, instance)
    loaded = common.load_instance(instance) if trusting is None else trusting.instance
    common.check_output(planner.Hedge, output, overwrite)
    hedged = planner.hedge(
        loaded,
        trusting,
        outcomes=outcomes,
        replications=replications,
        trial=trial,
        insurance=insurance,
        weight=weight,
        alpha=alpha,
        rebuild_after=common.years_after(rebuild_after),
        gap=gap,
        time_limit=time_limit,
        workers=workers,
        scheduler=scheduler,
        seed=seed,
        **common.progress(),
    )
    common.deliver(hedged, output, overwrite, as_json)
    if output is not None and not as_json:
        print(f"Plan: {output}/plan")
