"""The explanation of a plan: limits that bind, premiums of clean material, and what each project is worth or lacks.

The plan is solved again with its builds held. The shadow prices (duals) of that linear programme give the saving by one
unit more of each limit. A shadow price is a rate at the margin, and a whole project is more than that. Therefore
projects are valued by solving again without them, or with them. Every number names its source, such as ``dual`` or
``re-solve``.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ...arguments import checked, fraction
from ...bands import Band
from ...errors import UsageError, hinted
from ...language import _, number, translated
from ...runs.run import given_run
from .result import Explanation

if TYPE_CHECKING:
    from pathlib import Path

    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress
    from .support import PricePath


SOLVED_AGAIN = 3  # built projects, and unbuilt ones, that are solved again if the optimum cannot be proven
# without a number of projects from the caller, all re-solves together may take this multiple of the run's own solve,
# and at least LEAST_SECONDS
TIMES = 8.0
LEAST_SECONDS = 120.0


@checked
def explain(
    run: Run | str | Path,
    *,
    projects: int | None = None,
    exact: Collection[str] = (),
    prices: Mapping[str, PricePath] | None = None,
    gap: float | str | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain why a plan is as it is.

    run         the run, or its folder
    projects    number of built projects, of unbuilt projects and of lead times that are each solved again; None: all of
                them if the optimum can be proven, else the first 3 of each, within 8 times the run's own solve
    exact       options that are not built, for which the thresholds of all changes are found by re-solves (capex,
                running cost, years earlier, size)
    prices      market prices: material -> USD/kg, or material -> year -> USD/kg
    gap         relative MIP gap of each re-solve; None: that of the run
    time_limit  seconds of each re-solve; None: no limit
    threads     threads of the solver
    seed        random seed of the solver
    workers     processes for the solves of projects and lead times; None: one per core, where there is enough to do
    scheduler   address of a Dask scheduler to use instead, with the extra ``distributed``
    partial     file that keeps finished solves until all are done: a repeated call goes on from there
    progress    called with one line of text after each re-solve

    An interrupt keeps what was found; numbers that were not solved again say so. Raises UsageError on a run whose
    instance is missing or changed, and on unknown names.
    """
    run = given_run(run)
    gap = fraction(gap, "gap")
    import pandas as pd

    from ...solving.solver import Settings
    from ..many import Finished, Many
    from . import bottlenecks, premiums, support
    from . import projects as project_table
    from .bench import OUT_OF_TIME, Bench
    from .binding import binding, promising
    from .entry import by_duals
    from .pieces import Piece, answers, worker

    started = time.perf_counter()
    instance = run.instance
    if run.plan["settings"].get("relaxed"):
        raise UsageError("the run is a linear relaxation: what it builds is no plan that could be explained")
    _check(instance, run, projects, exact)
    paths = support.checked_paths(instance, prices)
    gap = run.plan["settings"]["gap"] if gap is None else gap
    seconds = math.inf
    if projects is None and not exact:
        seconds = max(LEAST_SECONDS, TIMES * float(run.plan["seconds"]["solve"]))
    bench = Bench(instance, run, Settings(gap, time_limit, threads, seed), progress, seconds)
    known = project_table.survey(bench)
    built = sorted((p for p in known if p.built), key=lambda p: (-p.earns, p.option.option))
    others = sorted((p for p in known if not p.built), key=lambda p: (project_table.missing_share(p), p.option.option))
    if projects is None:
        projects = len(known) if bench.proven else SOLVED_AGAIN
    chosen = {*(p.option.option for p in others[:projects]), *exact}
    own = {p.option.option: Piece("without", (p.option.option,)) for p in built[:projects]}
    whole = {p.option.option: Piece("without", p.together) for p in built[:projects]}
    entering = {p.option.option: Piece("with", (p.option.option,), p, p.option.option in exact) for p in others}
    entering = {option: piece for option, piece in entering.items() if option in chosen}
    earlier = {option: Piece("earlier", (option,)) for option in promising(bench, projects)}
    # what matters most comes first, as the time may end
    pieces = [*(of[p] for p in own for of in (own, whole)), *entering.values(), *earlier.values()]
    finished = Finished([run.digest_in(instance.sha256), asdict(bench.settings), bench.floor], partial)
    begin = functools.partial(worker, bench)
    with Many(begin, finished, "solves", workers=workers, scheduler=scheduler, progress=progress) as many:
        found = answers(bench, many, pieces)
    if not bench.stopped:
        finished.forget()
    entries = {p.option.option: by_duals(bench, p) for p in others}
    for p in known:
        option = p.option.option
        if option in own:
            p.value, p.value_how = _band(*found[own[option]])
            p.project_value, p.project_how = _band(*found[whole[option]])
        elif option in entering:
            cost, how, thresholds = found[entering[option]]
            p.cost_if_built, p.if_built_how = _band(cost, how)
            entries[option] += thresholds
    limits = binding(bench, {option: found[piece] for option, piece in earlier.items() if found[piece] is not None})
    years = project_table.earnings(bench, known)
    unsolved = len(built[projects:]) + len(others) - len(chosen)
    if unsolved > 0 and not bench.stopped:
        bench.notes.append(
            _("{n} projects were not solved again; --projects N or --exact OPTION asks for more", n=unsolved)
        )
    if bench.stopped:
        note = _("{why}: not everything was solved again; the rest is marked as such", why=translated(bench.stopped))
        if bench.stopped == OUT_OF_TIME:
            note = _("{sentence}; --projects N solves again for N, however long it takes", sentence=note)
        bench.notes.append(note)
    if not bench.proven:
        bench.notes.append(
            _(
                "re-solved costs are known to {amount} MUSD (gap of {share}); smaller differences mean nothing",
                amount=number(f"{bench.tolerance:,.3g}"),
                share=number(f"{gap:.2%}"),
            )
        )
    return Explanation(
        run,
        bench.base,
        limits,
        premiums.premiums(run),
        project_table.frame(known),
        pd.DataFrame([e for p in others for e in entries[p.option.option]], columns=Explanation.columns("entry")),
        years,
        bottlenecks.bottlenecks(bench),
        support.price_support(bench, years, paths),
        not bench.stopped,
        tuple(bench.notes),
        round(time.perf_counter() - started, 3),
        run.digest,
    )


def _band(numbers: Sequence[float], how: str) -> tuple[Band, str]:
    """Return a band, which a file has as a list, with its source."""
    return Band(*numbers), how


def _check(instance: Instance, run: Run, projects: int | None, exact: Collection[str]) -> None:
    """Raise UsageError on a negative number of projects, and on options that are unknown or built."""
    if projects is not None and projects < 0:
        raise UsageError(f"projects = {projects}: expected 0 or more")
    options = {o.option for o in instance.options}
    built = {str(o) for o in run.tables["builds"]["option"]}
    for option in exact:
        if option not in options:
            raise UsageError(hinted(f"unknown option {option}", option, options))
        if option in built:
            raise UsageError(f"{option} is built in the run; only options that are not built have thresholds to enter")
