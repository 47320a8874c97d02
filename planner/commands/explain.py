"""``planner explain``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

import planner

from ..errors import UsageError
from ..questions.many import partial_file
from . import common
from .common import (
    AsJson,
    Gap,
    Output,
    Overwrite,
    RunFolder,
    RunInstance,
    Scheduler,
    Seed,
    Threads,
    TimeLimit,
    Workers,
    speaks,
)

if TYPE_CHECKING:
    from ..questions.explain.support import PricePath


@speaks
def explain(
    run: RunFolder,
    instance: RunInstance = None,
    projects: Annotated[
        int | None,
        typer.Option(help="solve again for so many built and unbuilt projects and lead times [all, large plans 3]"),
    ] = None,
    exact: Annotated[
        list[str] | None,
        typer.Option("--exact", metavar="OPTION", help="find all that an unbuilt option lacks; repeatable"),
    ] = None,
    prices: Annotated[
        list[str] | None,
        typer.Option(
            "--prices",
            metavar="MATERIAL=USD_PER_KG",
            help="market price for price support, or MATERIAL=2026:60,2030:110; repeatable",
        ),
    ] = None,
    output: Output = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a plan is as it is: what binds, what clean costs more, what each project is worth or lacks.

    Examples:

    - `planner explain runs/base -o runs/why`
    - `planner explain runs/base --exact texas-line --prices magnet=60`
    """
    common.check_output(planner.Explanation, output, overwrite)
    explanation = planner.explain(
        planner.read_run(run, instance),
        projects=projects,
        exact=exact or (),
        prices=dict(price_path(text) for text in prices or ()),
        workers=workers,
        scheduler=scheduler,
        partial=None if output is None else partial_file(output),
        **common.search(gap, time_limit, threads, seed),
    )
    common.deliver(explanation, output, overwrite, as_json)
    if not explanation.complete and output is not None:
        common.tell("the same command with --overwrite goes on from here")


def price_path(text: str) -> tuple[str, PricePath]:
    """``MATERIAL=USD_PER_KG`` or ``MATERIAL=YEAR:USD_PER_KG,...`` as material and price path."""
    material, _, value = text.partition("=")
    number = r"\d+(?:\.\d+)?"
    if re.fullmatch(number, value):
        return material, float(value)
    if re.fullmatch(rf"\d{{4}}:{number}(?:,\d{{4}}:{number})*", value):
        return material, {int(part[:4]): float(part[5:]) for part in value.split(",")}
    raise UsageError(f'--prices "{text}": expected MATERIAL=USD_PER_KG or MATERIAL=2026:60,2030:110')
