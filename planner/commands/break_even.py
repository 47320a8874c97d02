"""``planner break-even``."""

from __future__ import annotations

from typing import Annotated

import typer

import planner

from . import common
from .common import AsJson, Gap, InstanceFolder, Output, Overwrite, Seed, Threads, TimeLimit, asks_what_if, speaks


@speaks
@asks_what_if
def break_even(
    instance: InstanceFolder,
    option: Annotated[str, typer.Option(metavar="OPTION", help="the project")],
    price: Annotated[
        str | None, typer.Option(metavar="MATERIAL", help="the market price of it, the same in every year")
    ] = None,
    premium: Annotated[
        str | None,
        typer.Option(metavar="MATERIAL", help="what is paid beyond its worth for what the plant makes of it"),
    ] = None,
    floor: Annotated[
        str | None, typer.Option(metavar="MATERIAL", help="a guaranteed price for what the plant makes of it")
    ] = None,
    subsidy: Annotated[bool, typer.Option("--subsidy", help="the share of its capex that is paid")] = False,
    tolerance: Annotated[float, typer.Option(help="relative width to which the value is found")] = 1e-6,
    output: Output = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find the price, premium, guaranteed price or subsidy at which a project enters the plan, or leaves it.

    Examples:

    - `planner break-even allied-2040 --option vulcan-benson --subsidy`
    - `planner break-even mine --option texas-line --floor magnet`
    """
    common.check_output(planner.BreakEven, output, overwrite)
    found = planner.break_even(
        common.load_instance(instance),
        option,
        price=price,
        premium=premium,
        floor=floor,
        subsidy=subsidy,
        tolerance=tolerance,
        **common.search(gap, time_limit, threads, seed),
    )
    common.deliver(found, output, overwrite, as_json)
