"""The worth of each project that a hedged plan builds for safety: how much dearer the best plan without it is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import Infeasible

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import Option
    from ...runs.run import Run
    from .search import Best, Search

EACH = 60.0  # seconds of each search without a project; the gap that is left is told with the result


class Project(NamedTuple):
    """A project that the hedged plan builds more of.

    options     its options; those of an exclusive group are one project
    extra_musd  overnight capex that the hedged plan spends more on it, MUSD
    """

    name: str
    options: tuple[str, ...]
    extra_musd: float


def modules_of(run: Run) -> dict[str, float]:
    """Return the modules that a run builds of each option."""
    return {str(o): float(n) for o, n in run.tables["builds"].groupby("option")["modules"].sum().items()}


def extra_capex(option: Option, trusting: Run, hedged: Run) -> float:
    """Return the overnight cost that a hedged plan spends more on an option than a trusting one, MUSD."""
    if option.option in hedged.instance.sizes:  # by the sizes of its starts
        was, now = (of.tables["builds"].groupby("option")["capex_musd"].sum() for of in (trusting, hedged))
        return float(now.get(option.option, 0.0) - was.get(option.option, 0.0))
    more = modules_of(hedged).get(option.option, 0.0) - modules_of(trusting).get(option.option, 0.0)
    return option.capex_musd * more


def extra_projects(instance: Instance, trusting: Run, hedged: Run) -> list[Project]:
    """Return the projects of which a hedged plan builds more than a trusting one, the dearest first.

    Projects that are committed anyway are left out.
    """
    was, now = modules_of(trusting), modules_of(hedged)
    members: dict[str, list[str]] = defaultdict(list)
    for o in instance.options:
        members[o.exclusive_group or o.option].append(o.option)
    capex = {o.option: extra_capex(o, trusting, hedged) for o in instance.options}
    committed = {o.option for o in instance.options if o.min_modules > 0.0}
    projects = []
    for name, options in members.items():
        extra = sum(capex[o] for o in options)
        more = sum(now.get(o, 0.0) - was.get(o, 0.0) for o in options)
        if more > 1e-6 and not committed & set(options):
            projects.append(Project(options[0] if len(options) == 1 else name, tuple(options), extra))
    return sorted(projects, key=lambda p: (-p.extra_musd, p.name))


def worth(
    search: Search, best: Best, projects: list[Project], gap: float, time_limit: float | None
) -> tuple[list[tuple[Any, ...]], bool]:
    """Return the rows of the table ``insurance``, see `Hedge`, and whether all are known: not so after a Ctrl-C.

    A row holds the project, its options, its extra capex (MUSD), by how much the best plan without it is dearer (MUSD),
    and the least and the most that this can be, given the gaps of both searches. As it is told, each search may end
    early: after ``EACH`` seconds at the latest. A project without which no plan is found has no row.

    gap         relative gap of each search
    time_limit  seconds of each search; None: ``EACH``
    """
    each = min(EACH, time_limit or EACH)
    rows: list[tuple[Any, ...]] = []
    for number, project in enumerate(projects, start=1):
        if search.progress:
            search.progress(f"without {project.name} ({number} of {len(projects)})")
        gone = _columns(search, _with_dependents(search, project.options))
        search.master.hold(gone, 0.0)
        try:
            start = _start(search, best, gone, gap, each)
            without = None if start is None else search.best(start, gap, each)
        except KeyboardInterrupt:
            return rows, False
        finally:
            search.master.release(gone)
        if without is None:
            continue
        if without.why == "interrupted":
            return rows, False
        low = max(0.0, without.bound - best.value)
        rows.append((project.name, " ".join(project.options), project.extra_musd, max(low, without.value - best.value),
                     low, max(low, without.value - best.bound)))  # fmt: skip
    return rows, True


def _start(search: Search, best: Best, gone: np.ndarray, gap: float, seconds: float) -> np.ndarray | None:
    """Return decisions without these columns to start from; None if there are none, or none are found in time."""
    data = search.operations.data
    least = [limit.least for limit in data.modules] + [limit.least for limit in data.group_limit]
    if any(least):  # others may have to take their place
        try:
            return search.master.planned(gap, seconds)[0]
        except Infeasible:
            return None
    start = best.x.copy()
    start[gone] = 0.0
    return start


def _with_dependents(search: Search, options: tuple[str, ...]) -> set[str]:
    """Return the options, and all that require one of them directly or through others."""
    gone = set(options)
    requires = [(r.option, r.required) for r in search.operations.data.requires]
    while more := {option for option, required in requires if required in gone} - gone:
        gone |= more
    return gone


def _columns(search: Search, options: set[str]) -> np.ndarray:
    """Return the columns in which these options are started, by the plan or in any outcome."""
    sample, starts = search.sample, search.operations.data.build
    places = sample.at_build[[i for i, start in enumerate(starts) if start.option in options]]
    return np.unique(np.append(places, sample.columns[:, places]))
