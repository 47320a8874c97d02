"""What each project that a hedged plan builds for safety is worth: the best plan without it, on the same outcomes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from .search import Best, Search

EACH = 60.0  # seconds of each search without a project; what it leaves open stands beside its result


class Project(NamedTuple):
    """Options that are one project, and the overnight capex (MUSD) that the hedged plan spends more on it."""

    name: str
    options: tuple[str, ...]
    extra_musd: float


def extra_projects(instance: Instance, trusting: Mapping[str, float], hedged: Mapping[str, float]) -> list[Project]:
    """Projects on which a hedged plan spends more than a trusting one (modules by option), the largest first."""
    members: dict[str, list[str]] = defaultdict(list)
    for o in instance.options:
        members[o.exclusive_group or o.option].append(o.option)
    capex = {o.option: o.capex_musd for o in instance.options}
    committed = {o.option for o in instance.options if o.min_modules > 0.0}
    found = []
    for name, options in members.items():
        extra = sum(capex[o] * (hedged.get(o, 0.0) - trusting.get(o, 0.0)) for o in options)
        more = sum(hedged.get(o, 0.0) - trusting.get(o, 0.0) for o in options)
        if more > 1e-6 and not committed & set(options):
            found.append(Project(options[0] if len(options) == 1 else name, tuple(options), extra))
    return sorted(found, key=lambda p: (-p.extra_musd, p.name))


def worth(
    search: Search, best: Best, projects: list[Project], gap: float, time_limit: float | None
) -> list[tuple[Any, ...]]:
    """Rows: project, its options, extra capex, and by how much the best plan without it is dearer, MUSD.

    The last two numbers are what it is worth at least and at most, as far as the gaps of both plans tell; so each of
    these searches ends after ``EACH`` seconds at the latest. Stops at Ctrl-C with the rows known.
    """
    each = min(EACH, time_limit or EACH)
    rows: list[tuple[Any, ...]] = []
    for number, project in enumerate(projects, start=1):
        if search.progress:
            search.progress(f"without {project.name} ({number} of {len(projects)})")
        gone = _columns(search, _with_dependents(search, project.options))
        start = best.x.copy()
        start[gone] = 0.0
        search.master.forbid(gone)
        try:
            without = search.best(start, gap, each)
        finally:
            search.master.forbid(gone, forbidden=False)
        if without.why == "interrupted":
            break
        low = max(0.0, without.bound - best.value)
        rows.append((project.name, " ".join(project.options), project.extra_musd, max(low, without.value - best.value),
                     low, max(low, without.value - best.bound)))  # fmt: skip
    return rows


def _with_dependents(search: Search, options: tuple[str, ...]) -> set[str]:
    """The options and all that require one of them, near or far."""
    gone = set(options)
    requires = [(r.option, r.required) for r in search.operations.data.requires]
    while more := {option for option, required in requires if required in gone} - gone:
        gone |= more
    return gone


def _columns(search: Search, options: set[str]) -> np.ndarray:
    starts = search.operations.data.build
    return search.sample.at_build[[i for i, start in enumerate(starts) if start.option in options]]
