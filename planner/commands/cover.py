"""``planner cover``."""

from __future__ import annotations

from typing import Annotated

import typer

import planner

from ..errors import UsageError
from . import common
from .common import (
    AsJson,
    Gap,
    InstanceFolder,
    Output,
    Overwrite,
    Seed,
    Threads,
    TimeLimit,
    asks_what_if,
    share,
    speaks,
)


@speaks
@asks_what_if
def cover(
    instance: InstanceFolder,
    against: Annotated[
        str,
        typer.Option(metavar="CASE", help="export_stop:CHN, outage:CHN/separation, outage:PLANT ... (as in stress)"),
    ],
    year: Annotated[int, typer.Option(help="when it begins, unforeseen")],
    months: Annotated[str, typer.Option(help="lengths")] = "1,3,6,12",
    from_month: Annotated[int | None, typer.Option(help="month of the year in which it begins, 1 to 12 [1]")] = None,
    clock: Annotated[
        str | None, typer.Option(help="month, or year: a year as one mean [month where periods are of one year]")
    ] = None,
    level: Annotated[
        float,
        share("part of demand to be served in every country while it lasts"),
    ] = 0.9,
    sector: Annotated[list[str] | None, typer.Option(help="only this sector; repeatable [all]")] = None,
    output: Output = None,
    overwrite: Overwrite = False,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    threads: Threads = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Size stocks and capacity together so that consumers are served through a stop: cost by months of cover.

    Examples:

    - `planner cover stop-2028-stocks --against export_stop:CHN --year 2028 --months 3,6,12`
    """
    try:
        lengths = [int(m) for m in months.split(",")]
    except ValueError:
        raise UsageError(f'--months "{months}": expected whole numbers such as 1,3,6,12') from None
    common.check_output(planner.Cover, output, overwrite)
    sized = planner.cover(
        common.load_instance(instance),
        against,
        year,
        months=lengths,
        from_month=from_month,
        clock=clock,
        level=level,
        sectors=sector or (),
        **common.search(gap, time_limit, threads, seed),
    )
    common.deliver(sized, output, overwrite, as_json)
