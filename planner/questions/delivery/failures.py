"""The failures of a plan: what it costs, lacks and depends on if a project, or all projects of an owner, never come."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import checked
from ...instance.loading import given_instance
from ...language import N_, _, n_, number, translated
from ...runs.run import given_run
from ...words import figure_of
from ..study import COMPLETE, Study, Table, Value, text_table
from .delivered import Delivered
from .draws import NEVER, JointOutcome

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress
    from ..many import Result

PROJECT, OWNER = N_("project"), N_("owner")
MOST_TOLD = 10  # answers in the text


@dataclass(frozen=True, repr=False)
class Failures(Study):
    """A plan without one of its projects, or without all projects of one owner, one after the other.

    cases          the table of the same name, see HOLDS
    planned_musd   present cost of the plan
    rebuild_after  years from the news on after which something else may be started; None: never
    complete       False if it was interrupted
    """

    COMMAND, MANIFEST, OF = "stress --failing", "failures.json", "plan"
    HOLDS = (
        COMPLETE,
        Value("planned_musd", "present cost of the plan, MUSD"),
        Value("rebuild_after", "years from the news on after which something else may be started; null: never"),
        Table(
            "cases",
            "What never comes, the dearest first; it is paid for all the same. Held to the plan, all other builds stay "
            "as planned, which is an upper bound of what it costs. Free to answer, what the plan has not started by "
            "`rebuild_after` years after the news may be built otherwise: what a government would face.",
            """
            what                | text   |       | `project` or `owner`
            name                | text   |       | of the project (option or exclusive group) or owner
            startup             | text   |       | `yes` if one of its plants is a startup's, else `no`
            options             | text   |       | the options that never come
            extra_musd          | number | MUSD  | held to the plan: present cost beyond the plan's, shortage included
            short_t             | number | t     | held to the plan: short beyond the plan, over the horizon
            extra_exposed_share | number | share | held to the plan: exposed of all deliveries, beyond the plan's
            promise_broken      | yes/no |       | held to the plan: whether a service floor, least use or final stock
                cannot be kept
            news_year           | text   |       | when one learns of it: the year in which the first of them should
                have come online; blank without an answer, as all that follows
            answered_musd       | number | MUSD  | free to answer: present cost beyond the plan's
            answered_short_t    | number | t     | free to answer: short beyond the plan, over the horizon
            answered_gap        | number |       | relative gap of the search for the answer
            answer              | text   |       | what is started beyond the plan: option@year, with modules if not 1
            """,
            file="failures.csv",
        ),
    )  # fmt: skip

    cases: pd.DataFrame
    planned_musd: float
    complete: bool = True
    rebuild_after: int | None = None

    def __str__(self) -> str:
        lines = [
            _(
                "{n} failures, one at a time; {amount} MUSD if all goes to plan",
                n=len(self.cases),
                amount=figure_of(self.planned_musd, 6),
            )
        ]
        answered = self.rebuild_after is not None
        columns = [
            (_("never comes"), "<44"),
            (_("extra MUSD"), ">11"),
            (_("short t"), ">10"),
            (_("exposed"), ">9"),
            *(((_("answered"), ">11"), (_("short t"), ">10")) if answered else ()),
            (" " + _("promises"), ""),
        ]
        lines += text_table(columns, [_cells(r, answered) for r in self.cases.itertuples()])
        lines.append(_("* startup; caps hold, so that what is missing of clean supply is short; p: percentage points"))
        if answered:
            lines.append(
                n_(
                    "extra MUSD is held to the plan, an upper bound; answered is what is faced if one learns of it "
                    "when it should have come, and may start something else {n} year later",
                    "extra MUSD is held to the plan, an upper bound; answered is what is faced if one learns of it "
                    "when it should have come, and may start something else {n} years later",
                    self.rebuild_after,
                )
                if self.rebuild_after
                else _(
                    "extra MUSD is held to the plan, an upper bound; answered is what is faced if one learns of it "
                    "when it should have come, and may start something else at once"
                )
            )
            for r in self.cases[self.cases["answer"] != ""].head(MOST_TOLD).itertuples():
                lines.append("  " + _("{head}: {parts}", head=r.name, parts=r.answer))
        if not self.complete:
            lines.append(_("Interrupted: the cases tried so far."))
        return "\n".join(lines)


def _cells(r: Any, answered: bool) -> list[str]:
    """Return a row of the table ``cases`` as text."""
    star, broken = "*" if r.startup == "yes" else " ", _("broken") if r.promise_broken else _("kept")
    return [
        star + _("{name} ({parts})", name=r.name, parts=translated(r.what))[:43],
        figure_of(r.extra_musd, 4),
        figure_of(r.short_t, 4),
        number(f"{100 * r.extra_exposed_share:+.1f}p"),
        *((figure_of(r.answered_musd, 4), figure_of(r.answered_short_t, 4)) if answered else ()),
        f" {broken}",
    ]


@checked
def failures(
    run: Run | str | Path,
    *,
    instance: Instance | str | Path | None = None,
    rebuild_after: int | None = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Failures:
    """What becomes of a plan when a project never comes, or all projects of an owner do not.

    The builds are held and paid for, the operations re-solved as in :func:`planner.delivery_risk`: caps hold,
    promises are broken only where they cannot be kept, shortage pays. Options of an exclusive group are one project,
    and of an option nothing comes at all, even if its starts are projects of their own (`apart` in delivery_risk.csv).
    That is an upper bound. With ``rebuild_after`` it is also told what it costs if it is answered: one learns of it in
    the year in which the project should have come online, and what is not started by so many years later is free.

    instance       another instance to try the plan in [the plan's own]
    rebuild_after  years, 0 or more; None: nothing is started otherwise
    workers        processes; None: one per core, where there is enough to do. Their number changes nothing
    scheduler      address of a Dask scheduler to use instead, with the extra ``distributed``
    partial        file that keeps finished cases until all are done: a repeated call goes on from there

    Raises UsageError for a run that does not fit the instance.
    """
    run = given_run(run)
    instance = None if instance is None else given_instance(instance)
    import pandas as pd

    instance = instance or run.instance
    plan = Delivered(instance, run, rebuild_after)
    startup = {f.facility: f.startup for f in instance.facilities}
    facility = {o.option: o.facility for o in instance.options}
    cases = _cases(instance, plan)
    outcomes: list[JointOutcome] = [dict.fromkeys(options, NEVER) for __, __, options in cases]
    results = plan.try_outcomes(
        outcomes, "failures", partial=partial, workers=workers, scheduler=scheduler, progress=progress
    )
    planned = _totals(plan, plan.planned)
    rows: list[tuple[Any, ...]] = []
    for k, result in results.items():
        what, name, options = cases[k]
        cost, short, share = (a - b for a, b in zip(_totals(plan, result), planned, strict=True))
        by_startup = any(startup[facility[o]] for o in options)
        held = what, name, "yes" if by_startup else "no", " ".join(options), cost, short, share, result["unkept"]
        rows.append((*held, *_answered(plan, result["answered"], planned)))
    table = pd.DataFrame(rows, columns=Failures.columns("cases"))
    table = table.sort_values(["extra_musd", "what", "name"], ascending=[False, True, True], ignore_index=True)
    return Failures(table, planned[0], len(results) == len(cases), rebuild_after)


def _answered(plan: Delivered, answer: Result | None, planned: tuple[float, float, float]) -> tuple[Any, ...]:
    """Return the last cells of a row of the table ``cases``: the best answer, beside what was planned."""
    if answer is None:
        return "", np.nan, np.nan, np.nan, ""
    cost, short, __ = _totals(plan, answer)
    starts = (f"{o}@{y}" + (f":{n:g}" if n != 1.0 else "") for o, y, n in answer["starts"])
    return str(answer["news"]), cost - planned[0], short - planned[1], answer["gap"], " ".join(starts)


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
    for option, _year, _modules in plan.builds:
        projects[option.exclusive_group or option.option].add(option.option)
        if owner[option.facility]:
            owners[owner[option.facility]].add(option.exclusive_group or option.option)
    cases = [(PROJECT, next(iter(o)) if len(o) == 1 else name, sorted(o)) for name, o in sorted(projects.items())]
    several = {name: owned for name, owned in sorted(owners.items()) if len(owned) > 1}
    return cases + [
        (OWNER, name, sorted(set().union(*(projects[p] for p in owned)))) for name, owned in several.items()
    ]
