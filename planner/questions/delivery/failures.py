"""Each project, and all projects of each owner, never coming: what the plan then costs, lacks and depends on."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...words import figure_of
from .delivered import Delivered
from .delivery_risk import plain
from .draws import NEVER

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run

PROJECT, OWNER = "project", "owner"
COLUMNS = ["what", "name", "startup", "options", "extra_musd", "short_t", "extra_exposed_share", "promise_broken"]


@dataclass(frozen=True)
class Failures:
    """A plan without one of its projects, or without all projects of one owner, one after the other.

    cases  what (``project`` or ``owner``), name, startup (yes or no), options (that never come), extra_musd (present
           cost beyond the plan's, paying for what never came and for shortages), short_t (beyond the plan's, over the
           horizon), extra_exposed_share (of all deliveries, beyond the plan's), promise_broken (a service floor,
           least use or final stock cannot be kept); the dearest first
    planned_musd  present cost of the plan
    complete  False if it was interrupted
    """

    cases: pd.DataFrame
    planned_musd: float
    complete: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "schema": 1,
            "complete": self.complete,
            "planned_musd": self.planned_musd,
            "cases": plain(self.cases),
        }

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write failures.csv and failures.json."""
        from ...runs.folder import write_folder
        from ...runs.tables import to_csv

        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        files = {"failures.csv": to_csv(self.cases)}
        return write_folder(Path(folder), files, "failures.json", lambda: text, overwrite)

    def __str__(self) -> str:
        lines = [
            f"{len(self.cases)} failures, one at a time; {figure_of(self.planned_musd, 6)} MUSD if all goes to plan"
        ]
        lines.append(f"{'never comes':<44} {'extra MUSD':>11} {'short t':>10} {'exposed':>9}  promises")
        for r in self.cases.itertuples():
            star = "*" if r.startup == "yes" else " "
            lines.append(
                f"{star}{f'{r.name} ({r.what})'[:43]:<43} {figure_of(r.extra_musd, 4):>11} "
                f"{figure_of(r.short_t, 4):>10} "
                f"{100 * r.extra_exposed_share:>+8.1f}p  {'broken' if r.promise_broken else 'kept'}"
            )
        lines.append("* startup; caps hold, so that what is missing of clean supply is short; p: percentage points")
        if not self.complete:
            lines.append("Interrupted: the cases tried so far.")
        return "\n".join(lines)


def failures(
    run: Run, *, instance: Instance | None = None, threads: int = 1, progress: Callable[[str], None] | None = None
) -> Failures:
    """What becomes of a plan when a project never comes, or all projects of an owner do not.

    The builds are held and paid for, the operations re-solved as in :func:`planner.delivery_risk`: caps hold,
    promises are broken only where they cannot be kept, shortage pays. Options of an exclusive group are one project.
    instance  another instance to try the plan in [the plan's own]
    Raises UsageError for a run that does not fit the instance.
    """
    import pandas as pd

    from ...solving.solver import Settings

    instance = instance or run.instance
    plan = Delivered(instance, run, Settings(threads=threads))
    startup = {f.facility: f.startup for f in instance.facilities}
    planned = _totals(plan, plan.operated({}))
    rows: list[tuple[Any, ...]] = []
    complete, told = True, time.perf_counter()
    cases = _cases(instance, plan)
    of = {o.option: o for o in instance.options}
    try:
        for what, name, options in cases:
            result = plan.operated(dict.fromkeys(options, NEVER))
            cost, short, share = (a - b for a, b in zip(_totals(plan, result), planned, strict=True))
            young = any(startup[of[o].facility] for o in options)
            rows.append((what, name, "yes" if young else "no", " ".join(options), cost, short, share, result["unkept"]))
            if progress and time.perf_counter() - told > 2.0:
                told = time.perf_counter()
                progress(f"{len(rows)} of {len(cases)} failures")
    except KeyboardInterrupt:
        if not rows:
            raise
        complete = False
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.sort_values(["extra_musd", "what", "name"], ascending=[False, True, True], ignore_index=True)
    return Failures(table, planned[0], complete)


def _totals(plan: Delivered, result: dict[str, Any]) -> tuple[float, float, float]:
    """Present cost, t short over the horizon, and the exposed share of all deliveries."""
    lengths = np.array([p.length for p in plan.modules.span])
    delivered = float(result["delivered"] @ lengths)
    share = float(result["exposed"] @ lengths) / delivered if delivered > 0.0 else 0.0
    return float(result["cost"]), float(result["short"] @ lengths), share


def _cases(instance: Instance, plan: Delivered) -> list[tuple[str, str, list[str]]]:
    """Projects built, and the owners of several; the options of each."""
    owner = {f.facility: f.owner for f in instance.facilities}
    projects: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, set[str]] = defaultdict(set)
    for option, _, _ in plan.builds:
        projects[option.exclusive_group or option.option].add(option.option)
        if owner[option.facility]:
            owners[owner[option.facility]].add(option.exclusive_group or option.option)
    cases = [(PROJECT, next(iter(o)) if len(o) == 1 else name, sorted(o)) for name, o in sorted(projects.items())]
    several = {name: of for name, of in sorted(owners.items()) if len(of) > 1}
    return cases + [(OWNER, name, sorted(set().union(*(projects[p] for p in of)))) for name, of in several.items()]
