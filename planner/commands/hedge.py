"""``planner hedge``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .common import AsJson, InstanceFolder, Overwrite, Seed, fraction, load_instance, tell


def hedge(
    instance: InstanceFolder,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="the plan that trusts in delivery [it is solved first]")
    ] = None,
    outcomes: Annotated[int, typer.Option(help="outcomes of the projects that the plan is best against")] = 32,
    replications: Annotated[int, typer.Option(help="other samples, which tell how far it may be from the best")] = 2,
    trial: Annotated[int, typer.Option(help="outcomes on which both plans are compared, with the same luck")] = 256,
    insurance: Annotated[int, typer.Option(metavar="N", help="worth of the N largest projects built for safety")] = 5,
    weight: Annotated[str, typer.Option(help="weight of the mean of the worst outcomes against the mean of all")] = "0",
    alpha: Annotated[str, typer.Option(help="the worst outcomes are those beyond this part")] = "90%",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for the tables; the hedged plan is in its folder plan")
    ] = None,
    overwrite: Overwrite = False,
    gap: Annotated[float, typer.Option(help="relative gap of each search")] = 0.005,
    time_limit: Annotated[float | None, typer.Option(help="seconds of each search [no limit]")] = None,
    threads: Annotated[int, typer.Option(help="operations solved beside each other; the result is the same")] = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Build more than is needed where projects may come late, dear, small or never: the best plan against outcomes."""
    from ..questions.hedge.hedge import hedge as search
    from ..questions.hedge.result import MANIFEST
    from ..runs.folder import check_folder
    from ..runs.run import read_run

    held = None if run is None else read_run(run, instance)
    of = load_instance(instance) if held is None else held.instance
    if output is not None:
        check_folder(output, MANIFEST, overwrite)
    found = search(
        of,
        held,
        outcomes=outcomes,
        replications=replications,
        trial=trial,
        insurance=insurance,
        weight=fraction(weight, "--weight"),
        alpha=fraction(alpha, "--alpha"),
        gap=gap,
        time_limit=time_limit,
        threads=threads,
        seed=seed,
        progress=tell,
    )
    if output is not None:
        found.write(output, overwrite)
    print(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
    if output is not None and not as_json:
        print(f"Plan: {output}/plan")
