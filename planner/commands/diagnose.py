"""``planner diagnose``."""

from __future__ import annotations

from typing import Annotated

import typer

import planner

from ..errors import Infeasible
from . import common
from .common import (
    AsJson,
    FixFrom,
    Forbid,
    Force,
    InstanceFolder,
    Scheduler,
    Seed,
    Threads,
    Workers,
    asks_what_if,
    speaks,
)


@speaks
@asks_what_if
def diagnose(
    instance: InstanceFolder,
    fix_from: FixFrom = None,
    force: Force = None,
    forbid: Forbid = None,
    time_limit: Annotated[float | None, typer.Option(help="seconds for each solve [60]")] = None,
    threads: Threads = 1,
    seed: Seed = 0,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Tell why an instance has no plan, and the least relaxation that gives it one (exit code 3), or that it has.

    Examples:

    - `planner diagnose mine`
    - `planner diagnose mine --force texas-line@2026`
    """
    loaded = common.load_instance(instance)
    pins = planner.Pins.parse(loaded, force or (), forbid or ())
    if fix_from is not None:
        pins = planner.Pins.of(loaded, planner.read_run(fix_from)) | pins
    diagnosis = planner.diagnose(
        loaded,
        pins,
        time_limit=time_limit,
        threads=threads,
        seed=seed,
        workers=workers,
        scheduler=scheduler,
        **common.progress(),
    )
    common.deliver(diagnosis, None, False, as_json)
    if not diagnosis.feasible:
        raise Infeasible(f"{loaded.name}: no plan exists", diagnosis)
