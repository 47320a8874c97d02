"""The call `roadmap`: a small tree of what can happen, solved as one instance, and what it says to do when."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...arguments import checked, fraction
from ...bands import Searched, difference
from ...errors import UsageError
from ...instance.courses import first_own_start, lines
from ...instance.loading import given_instance
from ...language import _, n_
from ...runs.run import given_run
from ...solving.solver import Settings
from ...words import commas, figure_of
from ..delivery.draws import apart, uncertain
from ..solve import solve, solve_unless_stopped
from .events import of_projects, of_scenarios
from .result import CALM, NOW, SURE, Roadmap
from .tree import bare, grown, planted
from .worths import NONE, Worths

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress

CERTAIN = "nothing is uncertain: give scenarios.csv a probability above 0, success_probability, or delivery_risk.csv"
MOST_WAITING = 5  # projects of a large tree for which is sought what waiting is worth; each takes a minute or two
NO_GATES = "only projects that come or fail start by start are uncertain (delivery_risk.csv, apart): they have no gates"


@checked
def roadmap(
    instance: Instance | str | Path,
    *,
    leaves: int = 8,
    rebuild_after: int = 1,
    plan: Run | str | Path | None = None,
    values: bool = True,
    waiting: int | None = None,
    gap: float | str | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Roadmap:
    """Find what to sign now, and what to decide at which news.

    If a scenario of the instance has ``parent`` or ``rebuild_after``, its scenarios are the tree, as they stand. Else a
    tree is made of what can happen, by the date of the news: the scenarios of the instance, and projects of today's
    plan that never come (``success_probability``) or come late (``delivery_risk.csv``), those on which most hangs
    first. Events are independent, but for projects with a common cause.
    One learns of a project in the first year in which it could be online. Options whose starts are projects of their
    own (`apart` in delivery_risk.csv) have no gates: the tree counts all of them as coming, and a note says so.

    leaves         courses of events in a tree that is made, at most; the most probable ones are taken
    rebuild_after  years after the news from which on a branch of such a tree may start something otherwise
    plan           today's plan, to be followed whatever happens [the best one if nothing happens]
    values         whether to find too what answering, knowing beforehand and waiting are worth; some more searches
    waiting        projects for which is sought what waiting is worth, those first on which most capex hangs at the
                   gates [all up to 200 integer decisions, else 5]
    gap            relative gap of each search of the tree [proven up to 200 integer decisions, else 0.005]
    time_limit, threads, seed  of each search, as in `solve`

    Raises UsageError if nothing uncertain is known, and what `solve` raises. An interrupt keeps the best so far.
    """
    instance = given_instance(instance)
    gap = fraction(gap, "gap")
    if leaves < 2 or rebuild_after < 0:
        raise UsageError(f"leaves = {leaves}, rebuild_after = {rebuild_after}: expected 2 or more, and 0 or more")
    if waiting is not None and waiting < 0:
        raise UsageError(f"waiting = {waiting}: expected a number of projects, 0 or more")
    started = time.perf_counter()
    how: dict[str, Any] = {
        "gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed, "progress": progress
    }  # fmt: skip
    calm = bare(instance)
    is_tree = any(s.parent or s.rebuild_after is not None for s in instance.scenarios)
    if not is_tree and not uncertain(instance) and not any(s.probability > 0.0 for s in instance.scenarios):
        raise UsageError(CERTAIN)
    if progress:
        progress("roadmap: today's plan, if nothing happens")
    today = solve_unless_stopped(calm, audit=False, **how) if plan is None else given_run(plan)
    tree, left_out = instance, 0.0
    if not is_tree:
        happenings, left_out = grown([*of_scenarios(instance), *of_projects(calm, today, leaves - 1)], leaves)
        if not happenings:
            raise UsageError(NO_GATES if apart(instance) else CERTAIN)
        tree = planted(instance, happenings, rebuild_after)
    if progress:
        progress(f"roadmap: a tree of {len(tree.scenarios) + 1} courses")
    of = Worths(tree, Settings(gap=gap, time_limit=time_limit, threads=threads, seed=seed), progress)
    how["gap"] = of.settings.gap
    run = solve(tree, **how)
    worths = _Worths(of, today, run, (MOST_WAITING if of.large else None) if waiting is None else waiting)
    if values and run.plan.get("stopped") != "interrupted":
        worths.find()
    asked = {"leaves": leaves, "rebuild_after": rebuild_after, "gap": of.settings.gap, "time_limit": time_limit}
    return Roadmap(
        run,
        instance,
        tree,
        *_starts(tree, run),
        _courses(tree, run),
        worths.values(),
        worths.waiting(),
        *_scenarios(tree),
        left_out,
        (worths.complete or not values) and run.plan.get("stopped") != "interrupted",
        asked,
        (*_notes(instance, is_tree), *worths.notes()),
        round(time.perf_counter() - started, 1),
    )


def _notes(instance: Instance, given: bool) -> tuple[str, ...]:
    """Return what a reader should know of the tree; ``given``: it is the instance's own."""
    notes = []
    if causes := sorted({row.common_cause for row in instance.delivery_risk} - {""}):
        notes.append(
            _(
                "Projects share causes ({causes}): that one has disappointed makes it likelier that the next does, and "
                "the probabilities of the tree count with that.",
                causes=commas(causes),
            )
        )
    if not given and (several := len(apart(instance))):
        notes.append(
            n_(
                "{n} option stands for many projects that come or fail by themselves: it has no gate, and all that is "
                "started of it counts as coming. stress --delivery and hedge count with their chance.",
                "{n} options stand for many projects that come or fail by themselves: they have no gates, and all that "
                "is started of them counts as coming. stress --delivery and hedge count with their chance.",
                several,
            )
        )
    return tuple(notes)


class _Worths:
    """The values of a roadmap as far as they were found."""

    def __init__(self, of: Worths, today: Run, run: Run, most: int | None) -> None:
        self.of, self.today, self.run = of, today, run
        self.undecided = self._undecided()
        self.asked = self.undecided[:most]
        self.found: dict[str, Searched] = {"roadmap": run.searched}
        self.waited: dict[str, Searched] = {}
        self.complete = False

    def find(self) -> None:
        """Find all, until a Ctrl-C."""
        of = self.of
        try:
            questions: dict[str, Callable[[], Searched]] = {
                "foreseen": of.foreseen,
                "decided_today": of.decided_today,
                "single_plan": lambda: of.held(self.today.builds),
            }
            for what, ask in questions.items():
                self.found[what] = ask()
            self.found["as_planned"] = self.today.searched
            for k, option in enumerate(self.asked, start=1):
                if of.progress:
                    of.progress(f"roadmap: waiting, {k} of {len(self.asked)}")
                self.waited[option] = of.decided_today(option)
            self.complete = True
        except KeyboardInterrupt:
            pass

    def _undecided(self) -> list[str]:
        """Return the options that the courses do not all start alike, those first on which most capex hangs at gates.

        Only for these there is something to wait for.
        """
        hanging: dict[str, float] = defaultdict(float)
        chance = {s.scenario: s.probability for s in self.of.tree.scenarios}
        capex = self.run.otherwise("capex_musd")
        for scenario, more in self.run.answers.items():
            for start in more:
                hanging[start[0]] += chance[scenario] * abs(capex[scenario][start])
        return sorted(hanging, key=lambda option: (-hanging[option], option))

    def notes(self) -> list[str]:
        """Return what a reader should know of projects of which it was not sought what waiting is worth."""
        left = len(self.undecided) - len(self.waited)
        if not left or not self.complete or self.found["decided_today"] == NONE:
            return []
        most = difference(self.found["decided_today"], self.found["roadmap"])[2]
        return [
            n_(
                "For {n} project that the gates decide on it was not sought what waiting is worth (--waiting N): "
                "at most {most} MUSD, what it costs more at most to decide on all today.",
                "For {n} projects that the gates decide on it was not sought what waiting is worth (--waiting N): "
                "for each at most {most} MUSD, what it costs more at most to decide on all today.",
                left,
                most=figure_of(most),
            )
        ]

    def values(self) -> pd.DataFrame:
        """Return the table ``values``."""
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        for what, found in self.found.items():
            more = difference(found, self.found["roadmap"])
            if what == "roadmap":
                rows.append((what, *found, 0.0, 0.0, 0.0))
            elif found == NONE:
                rows.append((what, *[float("nan")] * 5))
            else:
                rows.append((what, *found, *more[:3]))
        return pd.DataFrame(rows, columns=Roadmap.columns("values"))

    def waiting(self) -> pd.DataFrame:
        """Return the table ``waiting``; no value is below 0, as a roadmap may decide today too."""
        import pandas as pd

        worth = {o: difference(f, self.found["roadmap"])[:3] for o, f in self.waited.items() if f != NONE}
        rows = [(option, *(max(0.0, side) for side in band)) for option, band in worth.items()]
        table = pd.DataFrame(rows, columns=Roadmap.columns("waiting"))
        order = ["waiting_musd", "most_musd", "option"]
        return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _starts(tree: Instance, run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables ``signed`` and ``gates``."""
    import pandas as pd

    answers = [year for s in tree.scenarios if (year := first_own_start(s)) is not None]
    answer = min(answers, default=tree.years[-1] + 1)
    signed = [
        (NOW if r.start_year == tree.years[0] else SURE if r.start_year < answer else CALM, *r)
        for r in run.tables["builds"][["option", "start_year", "modules", "capex_musd"]]
        .sort_values(["start_year", "option"])
        .itertuples(index=False)
    ]
    rows, capex = {s.scenario: s for s in tree.scenarios}, run.otherwise("capex_musd")
    gates = [
        (
            scenario,
            row.name or scenario,
            row.first_year,
            action,
            option,
            year,
            abs(n),
            abs(capex[scenario][option, year]),
        )
        for scenario, more in run.answers.items()
        for row in (rows[scenario],)
        for (option, year), n in more.items()
        for action in ("start" if n > 0.0 else "do not start",)
    ]
    return pd.DataFrame(signed, columns=Roadmap.columns("signed")), pd.DataFrame(
        gates, columns=Roadmap.columns("gates")
    )


def _courses(tree: Instance, run: Run) -> pd.DataFrame:
    """Return the table ``courses``."""
    import pandas as pd

    told = {o["scenario"]: o for o in run.plan["outcomes"]}
    rows: list[tuple[Any, ...]] = []
    for scenario, line in lines(tree.scenarios).items():
        of, row = told[scenario], line[0] if line else None
        news, year = (row.name or scenario, row.first_year) if row else (_("nothing happens"), None)
        reached = row.probability if row else 1.0
        costs = of["probability"], of["cost_musd"], of["unserved_t"]
        rows.append((scenario, row.parent if row else "", news, year, reached, *costs))
    table = pd.DataFrame(rows, columns=Roadmap.columns("courses"))
    return table.astype({"year": "Int64"})


def _scenarios(tree: Instance) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scenarios of the tree and what they disrupt, as the tables of an instance have them."""
    import pandas as pd

    found = []
    for name in ("scenarios", "disruptions"):
        columns = Roadmap.columns(name)
        table = pd.DataFrame([[getattr(r, c) for c in columns] for r in tree.rows(name)], columns=columns)
        whole = [c.name for c in Roadmap.tables()[name].columns if c.kind == "integer"]
        found.append(table.astype(dict.fromkeys(whole, "Int64")))
    return found[0], found[1]
