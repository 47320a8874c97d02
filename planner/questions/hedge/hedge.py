"""The call ``hedge``: the plan that is best over many outcomes of its projects, against the plan that trusts them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import checked, fraction
from ...errors import UsageError
from ...instance.loading import given_instance
from ...runs.run import given_run
from .insurance import extra_capex, extra_projects, modules_of, worth
from .master import Weights
from .result import ANSWERED, Hedge
from .search import Best, Search, decisions
from .verdict import Estimate, at_most, beyond, estimate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress, Settings

GROUPS = 8  # independent groups of outcomes in a trial, from which confidence intervals are estimated
DESIGN, REPLICATION, TRIAL = 0, 1, 2  # kinds of samples, each drawn with seeds of its own


@checked
def hedge(
    instance: Instance | str | Path,
    run: Run | str | Path | None = None,
    *,
    outcomes: int = 32,
    replications: int = 2,
    trial: int = 256,
    insurance: int = 5,
    weight: float | str = 0.0,
    alpha: float | str = 0.9,
    rebuild_after: int | None = 1,
    gap: float | str = 0.005,
    time_limit: float | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Hedge:
    """Search the builds that are best against outcomes of the projects, and compare them with a plan that trusts.

    run           the plan that trusts in delivery; None: it is solved first
    outcomes      of the design, drawn evenly (a Sobol sequence) by ``success_probability`` and delivery_risk.csv
    replications  samples of as many other outcomes, each solved as well: they tell how far the plan may be
                  from the best over all outcomes (Mak, Morton and Wood, Operations Research Letters 24, 1999)
    trial         outcomes on which both plans are compared, the same for both, in 8 independent groups; 8 outcomes of
                  each are answered too, each by a search of its own, as in ``delivery_risk``
    insurance     largest projects that the hedged plan builds more, of which the worth is searched
    weight        of the mean of the worst 1 - alpha of the outcomes by cost, against the mean of all
    rebuild_after  years after the news from which on an outcome may be answered: what begins then is started as is best
                  for it. One learns of an outcome when the first project that it hits should have come online, and then
                  as a whole, as in ``delivery_risk``: a lower end. None: never, all starts are held in every outcome
    gap           relative gap of each search
    time_limit    seconds of each search; those for the insurance end after a minute at the latest
    workers       processes for the operations; None: one per core, once they have taken seconds
    scheduler     address of a Dask scheduler to use instead, with the extra ``distributed``

    Two stages: what starts before the news, and closures, are decided for all outcomes, what starts later and the
    operations for each. Rules on investment and funding hold for all that an outcome starts, with the capex that is
    planned. The later starts of the hedged plan, which no outcome of the design is held to, are those that are best if
    all comes as planned. In each outcome caps hold, promises are kept where they can be, shortage pays, as in
    ``delivery_risk``; scenarios are left out. The number of workers changes nothing: each part of the operations goes
    on from the basis at which its last round ended, wherever that was. Raises UsageError where nothing is uncertain or
    a setting cannot be, and what ``solve`` raises. Ctrl-C gives the best plan so far.
    """
    instance = given_instance(instance)
    gap, weight, alpha = fraction(gap, "gap"), fraction(weight, "weight"), fraction(alpha, "alpha")
    run = None if run is None else given_run(run)
    from ...solving.solver import Settings
    from ..delivery.modules import Modules
    from ..delivery.operations import Operations
    from ..solve import solve_unless_stopped

    _check(instance, outcomes, replications, trial, insurance, weight, alpha, rebuild_after)
    settings = Settings(gap=gap, time_limit=time_limit, threads=1, seed=seed)
    bare = _without_scenarios(instance)
    if run is None:
        if progress:
            progress("the plan that trusts in delivery")
        run = solve_unless_stopped(bare, gap=gap, seed=seed, progress=progress)
    operations = Operations(bare, settings, called_exposed=0.0)
    work = _Work(bare, operations, Modules(bare), Weights(weight, alpha), settings, outcomes, seed, rebuild_after,
                 progress)  # fmt: skip
    with operations.recourse.shared(workers, scheduler):
        search = work.search(DESIGN, 0)
        trusting = decisions(operations, search.sample, run)
        best = search.best(search.sample.spread(trusting), gap, time_limit)
        work.complete = best.why != "interrupted"
        hedged = _as_plan(instance, search, best, gap, seed, progress)
        planned = best.x[: len(trusting)]
        if rebuild_after is not None:  # the later starts are those of the plan; it was not asked for closures
            closed = planned[search.sample.at_close]
            planned = decisions(operations, search.sample, hedged)
            planned[search.sample.at_close] = closed
        tried = work.run_trial(trial, trusting, planned)
        if rebuild_after is not None:
            work.run_answers(tried, rebuild_after, (run, hedged), workers, scheduler)
        rows = work.replicated(replications, planned, best, tried)
        worths: list[tuple[Any, ...]] = []
        if work.complete and insurance:
            projects = extra_projects(bare, run, hedged)[:insurance]
            worths, work.complete = worth(search, best, projects, gap, time_limit)
    news = float(search.sample.begun(best.x).min())
    return _result(work, run, hedged, best, None if math.isinf(news) else int(news), tried, rows, worths,
                   {"outcomes": outcomes, "replications": replications, "trial": trial, "insurance": insurance,
                    "weight": weight, "alpha": alpha, "rebuild_after": rebuild_after, "gap": gap,
                    "time_limit": time_limit, "seed": seed})  # fmt: skip


def _check(
    instance: Instance, outcomes: int, replications: int, trial: int, insurance: int, weight: float, alpha: float,
    rebuild_after: int | None,
) -> None:  # fmt: skip
    """Raise UsageError if nothing is uncertain, or a setting or the instance does not fit the question."""
    from ..delivery.draws import check_linear, check_uncertain

    check_uncertain(instance)
    check_linear(instance)
    if instance.survive or instance.rows("branch_service"):
        raise UsageError(
            "an instance with [security] survive or branch_service.csv asks more of a plan than is searched here: "
            "take these out of it"
        )
    if outcomes < 1 or replications < 0 or insurance < 0:
        raise UsageError("outcomes must be 1 or more, replications and insurance 0 or more")
    if trial < 0 or trial % GROUPS:
        raise UsageError(f"trial = {trial}: expected a multiple of {GROUPS}, or 0 for none")
    if not 0.0 <= weight <= 1.0 or not 0.0 <= alpha < 1.0:
        raise UsageError(f"weight = {weight:g}, alpha = {alpha:g}: expected 0 <= weight <= 1 and 0 <= alpha < 1")
    if rebuild_after is not None and rebuild_after < 0:
        raise UsageError(f"rebuild_after = {rebuild_after}: expected 0 or more years, or never")


def _without_scenarios(instance: Instance) -> Instance:
    """Return the instance without its scenarios and all that belongs to them."""
    tables = [t for t in ("branch_service", "disruptions", "scenarios") if instance.rows(t)]
    return instance.changed(without={t: {} for t in tables}) if tables else instance


@dataclass
class _Trial:
    """The results of the trusting and the hedged plan in a trial: per group an array of shape (2 plans, outcomes).

    costs       present cost, MUSD
    objectives  the same with the weights of broken promises, MUSD
    short       short over the horizon, t
    broken      1 if a promise is broken, else 0
    known       mean of the bounds of the answered outcomes below which no plan is, MUSD
    held        cost of the answered outcomes held to each plan, MUSD: shape (2 plans, groups, outcomes), or empty
    answered    the same free to answer
    """

    costs: list[np.ndarray] = field(default_factory=list)
    known: float = math.nan
    held: list[np.ndarray] = field(default_factory=list)
    answered: list[np.ndarray] = field(default_factory=list)
    objectives: list[np.ndarray] = field(default_factory=list)
    short: list[np.ndarray] = field(default_factory=list)
    broken: list[np.ndarray] = field(default_factory=list)


@dataclass
class _Work:
    """What all steps of the study share. A Ctrl-C sets ``complete`` to False; no further step is then begun."""

    instance: Instance
    operations: Any
    modules: Any
    weights: Weights
    settings: Settings
    outcomes: int
    seed: int
    after: int | None
    progress: Progress | None
    complete: bool = True

    def search(self, kind: int, number: int) -> Search:
        """Return a search on a sample of outcomes of its own: ``number`` counts the samples of a ``kind``."""
        from ..delivery.draws import draw
        from .sample import Sample

        draws = draw(self.instance, self.outcomes, (self.seed, kind, number))
        sample = Sample(self.operations, self.modules, draws, after=self.after)
        return Search(self.operations, sample, self.weights, self.settings, self.progress)

    def tell(self, line: str) -> None:
        """Print a line of progress."""
        if self.progress:
            self.progress(line)

    def run_trial(self, trial: int, *plans: np.ndarray) -> _Trial:
        """Try plans (first-stage decisions) on ``trial`` outcomes that none of them was designed for."""
        result = _Trial()
        try:
            for group in range(GROUPS if trial and self.complete else 0):
                self.tell(f"trial: group {group + 1} of {GROUPS}")
                self._group(result, trial // GROUPS, group, plans)
        except KeyboardInterrupt:
            self.complete = False
        return result

    def run_answers(
        self, trial: _Trial, after: int, plans: Sequence[Run], workers: int | None, scheduler: str | None
    ) -> None:
        """Add what the first outcomes of each group cost if something else may be started ``after`` years."""
        from ..delivery.delivered import Delivered
        from ..delivery.draws import draw

        if not trial.costs or not self.complete:
            return
        size = trial.costs[0].shape[1]
        draws = [draw(self.instance, size, (self.seed, TRIAL, group)) for group in range(GROUPS)]
        outcomes = [of.outcome(s) for of in draws for s in range(min(ANSWERED // GROUPS, size))]
        how: dict[str, Any] = {"partial": None, "workers": workers, "scheduler": scheduler, "progress": self.progress}
        try:
            for plan in plans:
                delivered = Delivered(self.instance, plan, after, bounded=not trial.answered)
                found = list(delivered.try_outcomes(outcomes, "answers", **how).values())
                if len(found) < len(outcomes):
                    raise KeyboardInterrupt
                if not trial.answered:
                    trial.known = float(np.mean([result["known"] for result in found]))
                free = [result["answered"] or result for result in found]
                for costs, of in ((trial.held, found), (trial.answered, free)):
                    costs.append(np.array([result["cost"] for result in of]).reshape(GROUPS, -1))
        except KeyboardInterrupt:
            self.complete = False
            trial.held.clear()
            trial.answered.clear()

    def _group(self, trial: _Trial, size: int, group: int, plans: tuple[np.ndarray, ...]) -> None:
        """Add a group of ``size`` outcomes to a trial."""
        from ..delivery.draws import draw
        from .sample import Sample

        operations = self.operations
        draws = draw(self.instance, size, (self.seed, TRIAL, group))
        build = operations.data.build
        every = Sample(operations, self.modules, draws, used=())
        used = {s.option for i, s in enumerate(build) if any(x[every.at_build[i]] > 0.0 for x in plans)}
        sample = Sample(operations, self.modules, draws, used)
        closing = operations.model.cost[sample.first].copy()
        closing[sample.at_money] = 0.0
        costs, objectives, short, broken = (np.empty((len(plans), size)) for _ in range(4))
        lengths = np.array([p.length for p in self.modules.span])
        for k, x in enumerate(plans):
            answers = operations.recourse.answers([sample.capacity(s, x) for s in range(size)])
            spent = sample.spent(x) + float(closing @ x)
            for s, answered in enumerate(answers):
                combined = operations.combined(answered)
                costs[k, s] = combined.cost + spent[s]
                objectives[k, s] = sum(a.value for a in answered) + operations.offset + spent[s]
                short[k, s], broken[k, s] = combined.short @ lengths, combined.unkept
        for name, values in (("costs", costs), ("objectives", objectives), ("short", short), ("broken", broken)):
            getattr(trial, name).append(values)

    def replicated(self, count: int, plan: np.ndarray, best: Best, tried: _Trial) -> list[tuple[Any, ...]]:
        """Solve further samples, and return the rows of the table ``replications``.

        Each tells how far the hedged plan, shape (first-stage columns,), is from the best on that sample (Mak, Morton
        and Wood).
        """
        rows: list[tuple[Any, ...]] = []
        alone = tried.objectives and self.after is None
        hedged = np.concatenate([o[1] for o in tried.objectives]) if alone else best.costs
        level = float(np.quantile(hedged, self.weights.alpha))
        gap, seconds = self.settings.gap or 0.0, self.settings.time_limit
        for number in range(1, count + 1 if self.complete else 1):
            self.tell(f"replication {number} of {count}")
            try:
                search = self.search(REPLICATION, number)
                answered = search.held(plan, gap, seconds)
            except KeyboardInterrupt:
                self.complete = False
                break
            again = answered if answered.why == "interrupted" else search.best(answered.x, gap, seconds)
            if again.why == "interrupted":
                self.complete = False
                break
            value = beyond(answered.costs, level, self.weights.weight, self.weights.alpha)
            rows.append((number, value, again.bound, value - again.bound))
        return rows


def _as_plan(instance: Instance, search: Search, best: Best, gap: float, seed: int, progress: Progress | None) -> Run:
    """Return the builds of ``best`` as a plan for the case that all comes as planned; closures are chosen for it.

    So are the starts that no outcome of the design is held to.
    """
    from ...solving.pins import Pins
    from ..solve import solve

    starts = search.operations.data.build
    modules, news = best.x[search.sample.at_build], search.sample.begun(best.x).max()
    fixed = {
        (s.option, s.year): float(np.round(n) if s.integer else n)
        for s, n in zip(starts, modules.tolist(), strict=True)
        if s.year < news
    }
    if progress:
        progress("the hedged plan as it runs if all comes as planned")
    return solve(instance, pins=Pins(fixed), gap=gap, seed=seed)


def _result(
    work: _Work, run: Run, hedged: Run, best: Best, answers_from: int | None, tried: _Trial,
    rows: list[tuple[Any, ...]], worths: list[tuple[Any, ...]], settings: dict[str, Any],
) -> Hedge:  # fmt: skip
    """Return the study from its parts; ``rows`` are those of the replications, ``worths`` those of the insurance."""
    import pandas as pd

    gaps = [row[3] for row in rows]
    groups = tried.objectives if work.after is None else zip(*tried.answered, strict=True)
    objectives = [[work.weights.of(plan) for plan in group] for group in groups]
    savings = [trusting - of_hedged for trusting, of_hedged in objectives]
    nothing = float("nan")
    return Hedge(
        plan=hedged,
        builds=_builds(work.instance, run, hedged),
        plans=_plans(work, run, hedged, tried),
        outcomes=_outcomes(tried),
        insurance=pd.DataFrame(worths, columns=Hedge.columns("insurance")),
        replications=pd.DataFrame(rows, columns=Hedge.columns("replications")),
        objective_musd=best.value,
        bound_musd=best.bound,
        why=best.why,
        saving=estimate(savings) if savings else Estimate(nothing, nothing, nothing),
        gap_musd=max(0.0, float(np.mean(gaps))) if gaps else nothing,
        known_musd=tried.known,
        gap_at_most_musd=at_most(gaps) if len(gaps) > 1 else nothing,
        complete=work.complete,
        settings=settings,
        answers_from=answers_from,
    )


def _builds(instance: Instance, run: Run, hedged: Run) -> pd.DataFrame:
    import pandas as pd

    was, now = modules_of(run), modules_of(hedged)
    country = {f.facility: f.country for f in instance.facilities}
    rows = [
        (o.option, o.facility, country[o.facility], o.success_probability, was.get(o.option, 0.0),
         now.get(o.option, 0.0), now.get(o.option, 0.0) - was.get(o.option, 0.0),
         extra_capex(o, run, hedged))
        for o in instance.options
        if o.option in was or o.option in now
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=Hedge.columns("builds"))


def _plans(work: _Work, run: Run, hedged: Run, tried: _Trial) -> pd.DataFrame:
    import pandas as pd

    if not tried.costs:
        return pd.DataFrame(columns=Hedge.columns("plans"))
    worst = Weights(1.0, work.weights.alpha)
    rows = []
    for k, (name, plan) in enumerate((("trusting", run), ("hedged", hedged))):
        costs, short, broken = (
            np.concatenate([g[k] for g in groups]) for groups in (tried.costs, tried.short, tried.broken)
        )
        planned = float(plan.plan["objective_musd"])
        capex = float(plan.tables["builds"]["capex_musd"].sum())
        answered = [of[k].mean() if of else np.nan for of in (tried.held, tried.answered)]
        rows.append((name, planned, costs.mean(), worst.of(costs), short.mean(), broken.mean(), capex, *answered))
    return pd.DataFrame(rows, columns=Hedge.columns("plans"))


def _outcomes(tried: _Trial) -> pd.DataFrame:
    import pandas as pd

    rows = [
        (group, s + 1, *costs[:, s], *short[:, s])
        for group, (costs, short) in enumerate(zip(tried.costs, tried.short, strict=True), start=1)
        for s in range(costs.shape[1])
    ]
    return pd.DataFrame(rows, columns=Hedge.columns("outcomes"))
