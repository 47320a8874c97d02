"""The failures of a plan: what it costs, lacks and depends on if a project, or all projects of an owner, never come."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import checked
from ...instance.loading import given_instance
from ...runs.run import given_run
from ...words import figure_of
from ..study import COMPLETE, Study, Table, Value, text_table
from .delivered import Delivered
from .draws import NEVER

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress
    from ..many import Result

PROJECT, OWNER = "project", "owner"


@dataclass(frozen=True)
class Failures(Study):
    """A plan without one of its projects, or without all projects of one owner, one after the other.

    cases         the table of the same name, see HOLDS
    planned_musd  present cost of the plan
    complete      False if it was interrupted
    """

    COMMAND, MANIFEST, OF = "stress --failing", "failures.json", "plan"
    HOLDS = (
        COMPLETE,
        Value("planned_musd", "present cost of the plan, MUSD"),
        Table(
            "cases",
            "What never comes, the dearest first; it is paid for all the same.",
            """
            what                | text   |       | `project` or `owner`
            name                | text   |       | of the project (option or exclusive group) or owner
            startup             | text   |       | `yes` if one of its plants is a startup's, else `no`
            options             | text   |       | the options that never come
            extra_musd          | number | MUSD  | present cost beyond the plan's, shortage included
            short_t             | number | t     | short beyond the plan, over the horizon
            extra_exposed_share | number | share | exposed of all deliveries, beyond the plan's
            promise_broken      | yes/no |       | whether a service floor, least use or final stock cannot be kept
            """,
            file="failures.csv",
        ),
    )  # fmt: skip

    cases: pd.DataFrame
    planned_musd: float
    complete: bool = True

    def __str__(self) -> str:
        lines = [
            f"{len(self.cases)} failures, one at a time; {figure_of(self.planned_musd, 6)} MUSD if all goes to plan"
        ]
        columns = [
            ("never comes", "<44"),
            ("extra MUSD", ">11"),
            ("short t", ">10"),
            ("exposed", ">9"),
            (" promises", ""),
        ]
        lines += text_table(columns, [_cells(r) for r in self.cases.itertuples()])
        lines.append("* startup; caps hold, so that what is missing of clean supply is short; p: percentage points")
        if not self.complete:
            lines.append("Interrupted: the cases tried so far.")
        return "\n".join(lines)


def _cells(r: Any) -> list[str]:
    """Return a row of the table ``cases`` as text."""
    star, broken = "*" if r.startup == "yes" else " ", "broken" if r.promise_broken else "kept"
    return [
        star + f"{r.name} ({r.what})"[:43],
        figure_of(r.extra_musd, 4),
        figure_of(r.short_t, 4),
        f"{100 * r.extra_exposed_share:+.1f}p",
        f" {broken}",
    ]


@checked
def failures(
    run: Run | str | Path,
    *,
    instance: Instance | str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Failures:
    """What becomes of a plan when a project never comes, or all projects of an owner do not.

    The builds are held and paid for, the operations re-solved as in :func:`planner.delivery_risk`: caps hold,
    promises are broken only where they cannot be kept, shortage pays. Options of an exclusive group are one project.

    instance   another instance to try the plan in [the plan's own]
    workers    processes; None: one per core, where there is enough to do. Their number changes nothing
    scheduler  address of a Dask scheduler to use instead, with the extra ``distributed``
    partial    file that keeps finished cases until all are done: a repeated call goes on from there

    Raises UsageError for a run that does not fit the instance.
    """
    run = given_run(run)
    instance = None if instance is None else given_instance(instance)
    import pandas as pd

    instance = instance or run.instance
    plan = Delivered(instance, run)
    startup = {f.facility: f.startup for f in instance.facilities}
    facility = {o.option: o.facility for o in instance.options}
    cases = _cases(instance, plan)
    outcomes = [dict.fromkeys(options, NEVER) for _, _, options in cases]
    results = plan.try_outcomes(
        outcomes, "failures", partial=partial, workers=workers, scheduler=scheduler, progress=progress
    )
    planned = _totals(plan, plan.planned)
    rows: list[tuple[Any, ...]] = []
    for k, result in results.items():
        what, name, options = cases[k]
        cost, short, share = (a - b for a, b in zip(_totals(plan, result), planned, strict=True))
        by_startup = any(startup[facility[o]] for o in options)
        rows.append(
            (what, name, "yes" if by_startup else "no", " ".join(options), cost, short, share, result["unkept"])
        )
    table = pd.DataFrame(rows, columns=Failures.columns("cases"))
    table = table.sort_values(["extra_musd", "what", "name"], ascending=[False, True, True], ignore_index=True)
    return Failures(table, planned[0], len(results) == len(cases))


def _totals(plan: Delivered, result: Result) -> tuple[float, float, float]:
    """Return the present cost (MUSD), what is short over the horizon (t), and the exposed share of all deliveries."""
    lengths = np.array([p.length for p in plan.modules.span])
    short, exposed, delivered = (float(np.array(result[n]) @ lengths) for n in ("short", "exposed", "delivered"))
    return result["cost"], short, exposed / delivered if delivered > 0.0 else 0.0


def _cases(instance: Instance, plan: Delivered) -> list[tuple[str, str, list[str]]]:
    """Return what can fail: (``project`` or ``owner``, its name, its options that are built).

    Only owners of several projects are listed.
    """
    owner = {f.facility: f.owner for f in instance.facilities}
    projects: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, set[str]] = defaultdict(set)
    for option, _, _ in plan.builds:
        projects[option.exclusive_group or option.option].add(option.option)
        if owner[option.facility]:
            owners[owner[option.facility]].add(option.exclusive_group or option.option)
    cases = [(PROJECT, next(iter(o)) if len(o) == 1 else name, sorted(o)) for name, o in sorted(projects.items())]
    several = {name: owned for name, owned in sorted(owners.items()) if len(owned) > 1}
    return cases + [
        (OWNER, name, sorted(set().union(*(projects[p] for p in owned)))) for name, owned in several.items()
    ]
