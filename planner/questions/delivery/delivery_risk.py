"""Cost, shortage and dependence of a plan over many outcomes of its projects."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import checked
from ...errors import UsageError
from ...instance.loading import given_instance
from ...language import _, n_, number
from ...runs.run import given_run
from ...words import figure_of, percent_of, share_of
from ..study import COMPLETE, OF_PLAN, SETTINGS, Study, Table, Value, text_table
from .delivered import Delivered
from .draws import Draws, check_uncertain, draw, project_of

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress
    from ..many import Result

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, repr=False)
class DeliveryRisk(Study):
    """A plan in many outcomes of its projects.

    planned_musd  present cost if all goes to plan: that of the plan
    alpha         the worst outcomes are those beyond this part
    of            digest of the plan, see `Run.digest`
    complete      False if it was interrupted
    The frames are the tables of the same names, see HOLDS.
    """

    COMMAND, MANIFEST, OF = "stress --delivery", "delivery.json", "plan"
    HOLDS = (
        OF_PLAN,
        Value("samples", "how many outcomes", "count"),
        COMPLETE,
        Value("planned_musd", "present cost if all goes to plan, MUSD"),
        Value("mean_musd", "mean present cost, MUSD"),
        Value("mean_of_worst_musd", "mean present cost of the worst outcomes, MUSD", "worst_musd"),
        Value("alpha", "the worst outcomes are those beyond this part"),
        SETTINGS,
        Table(
            "years",
            "Dependence and shortage by period: as planned, mean and quantiles over the outcomes.",
            """
            year                  | integer | year  | first year of the period
            exposed_share_planned | number  | share | exposed of all deliveries if all goes to plan
            exposed_share_mean    | number  | share | the same, mean of the outcomes in which something is delivered
            exposed_share_p10     | number  | share | a tenth of the outcomes have less
            exposed_share_p50     | number  | share | half of the outcomes have less
            exposed_share_p90     | number  | share | nine tenths have less
            short_t_planned       | number  | t/yr  | short if all goes to plan
            short_t_mean          | number  | t/yr  | the same, mean of the outcomes
            short_t_p10           | number  | t/yr  | a tenth of the outcomes have less
            short_t_p50           | number  | t/yr  | half of the outcomes have less
            short_t_p90           | number  | t/yr  | nine tenths have less
            """,
        ),
        Table(
            "projects",
            "Each option built, and what the plan hangs on, the most first.",
            """
            option             | text   |       | the option
            fails              | number | share | outcomes in which it never comes; of several projects (`apart` in
                delivery_risk.csv), mean part of its modules that never come
            delay_years        | number | years | mean delay where it comes
            capex_factor       | number |       | mean factor on its overnight cost
            cost_at_stake_musd | number | MUSD  | mean present cost of the outcomes in which it delivers less than its
                median, less that of the others
            short_at_stake_t   | number | t     | the same of what is short over the horizon
            """,
        ),
        Table(
            "samples",
            "Each outcome.",
            """
            sample         | integer |       | number of the outcome, from 1
            cost_musd      | number  | MUSD  | held to the plan: present cost
            short_t        | number  | t     | held to the plan: short over the horizon
            exposed_share  | number  | share | held to the plan: exposed of all deliveries
            promise_broken | yes/no  |       | held to the plan: whether a service floor, least use or final stock could
                not be kept
            answered_musd  | number  | MUSD  | free to answer: present cost (as held, of an outcome that hits nothing);
                blank if no answer was asked for
            answered_short_t | number | t    | free to answer: short over the horizon
            """,
            in_manifest=False,
        ),
    )  # fmt: skip

    samples: pd.DataFrame
    years: pd.DataFrame
    projects: pd.DataFrame
    planned_musd: float
    alpha: float
    complete: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    of: str = ""
    instance: Instance | None = field(default=None, repr=False)

    @property
    def count(self) -> int:
        """How many outcomes were tried."""
        return len(self.samples)

    @property
    def mean_musd(self) -> float:
        """Mean present cost, MUSD."""
        return float(self.samples["cost_musd"].mean())

    @property
    def worst_musd(self) -> float:
        """Mean of the worst ``1 - alpha`` of the samples by cost, MUSD."""
        from ...solving.outcomes import mean_of_worst

        costs = self.samples["cost_musd"].tolist()
        return mean_of_worst(costs, [1.0 / len(costs)] * len(costs), self.alpha)

    def __str__(self) -> str:
        short = self.samples["short_t"]
        lines = [
            _(
                "{n} outcomes of the projects: {mean} MUSD on average, {worst} in the worst {share}, {planned} if all "
                "goes to plan",
                n=len(self.samples),
                mean=figure_of(self.mean_musd, 6),
                worst=figure_of(self.worst_musd, 6),
                share=percent_of(1 - self.alpha),
                planned=figure_of(self.planned_musd, 6),
            ),
            _(
                "Short over the horizon: {mean} t on average, a tenth of them {tenth} t",
                mean=figure_of(short.mean(), 4),
                tenth=figure_of(short.quantile(0.9), 4),
            ),
            _(
                "In {share} of them a service floor, least use or final stock could not be kept",
                share=percent_of(self.samples["promise_broken"].mean()),
            ),
            *text_table(
                [
                    *((_("year"), ">6"), (_("exposed, planned"), ">17"), (_("mean"), ">8"), ("10 %", ">8")),
                    *(("90 %", ">8"), (_("short t, mean"), ">14"), ("90 %", ">9")),
                ],
                [
                    [
                        *(f"{r.year}", share_of(r.exposed_share_planned), share_of(r.exposed_share_mean)),
                        *(share_of(r.exposed_share_p10), share_of(r.exposed_share_p90)),
                        *(figure_of(r.short_t_mean, 4), figure_of(r.short_t_p90, 4)),
                    ]
                    for r in self.years.itertuples()
                ],
            ),
        ]
        hung = self.projects[self.projects["cost_at_stake_musd"] > 1e-6].head(10)
        if len(hung):
            lines.append(_("What the plan hangs on (bad outcomes of a project against good ones, means):"))
        for r in hung.itertuples():
            told = _(
                "{option}: {amount} MUSD, {tonnes} t (fails in {share}, {years} years late)",
                option=r.option,
                amount=figure_of(r.cost_at_stake_musd, 4),
                tonnes=figure_of(r.short_at_stake_t, 4),
                share=percent_of(r.fails),
                years=number(f"{r.delay_years:.1f}"),
            )
            lines.append(f"  {told}")
        if self.settings.get("rebuild_after") is not None:
            musd, tonnes = (self.samples[f"answered_{name}"].mean() for name in ("musd", "short_t"))
            lines.append(
                n_(
                    "All this is held to the plan, an upper bound. Free to start something else {n} year after a "
                    "project should have come: {amount} MUSD and {tonnes} t short on average",
                    "All this is held to the plan, an upper bound. Free to start something else {n} years after a "
                    "project should have come: {amount} MUSD and {tonnes} t short on average",
                    self.settings["rebuild_after"],
                    amount=figure_of(musd, 6),
                    tonnes=figure_of(tonnes, 4),
                )
            )
        if not self.complete:
            lines.append(_("Interrupted: the outcomes tried so far."))
        return "\n".join(lines)


@checked
def delivery_risk(
    run: Run | str | Path,
    *,
    instance: Instance | str | Path | None = None,
    samples: int = 128,
    seed: int = 0,
    alpha: float = 0.9,
    rebuild_after: int | None = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> DeliveryRisk:
    """Try a plan against outcomes of its projects: success_probability of options, and delivery_risk.csv.

    samples  outcomes, drawn evenly (a Sobol sequence); a power of 2 serves best
    seed     of the draws; the same seed means the same outcomes for every plan of the instance
    alpha    the worst outcomes are those beyond this part
    rebuild_after  years after the news from which on something else may be started; None: never. One learns of an
             outcome when the first project that it hits should have come online, and then as a whole, with what will
             come of all that is started later: a lower end (`replay` learns bit by bit). Each answer is a search with
             whole numbers, so that None is much faster
    instance  another instance to try the plan in, such as one with other delivery risks [the plan's own]
    workers    processes; None: one per core, where there is enough to do. Their number changes nothing
    scheduler  address of a Dask scheduler to use instead, with the extra ``distributed``
    partial    file that keeps finished outcomes until all are done: a repeated call goes on from there

    Each outcome re-solves the operations with the builds of the plan: caps and clean-only rules hold, service floors,
    least use and final stocks are broken only where they cannot be kept, and shortage pays. A project that comes late
    is paid for from when it comes, one that never comes as planned; capacity is never counted beyond the end of life
    that was planned. Of equally cheap operations (to 1 USD/t) the least exposed ones are counted.
    Raises UsageError if the instance has no delivery risk, or a run that does not fit.
    """
    run = given_run(run)
    instance = None if instance is None else given_instance(instance)
    if samples < 1 or not 0.0 <= alpha < 1.0:
        raise UsageError(f"samples = {samples}, alpha = {alpha}: expected 1 or more, and 0 <= alpha < 1")
    instance = instance or run.instance
    check_uncertain(instance)
    plan = Delivered(instance, run, rebuild_after)
    draws = draw(instance, samples, seed)
    outcomes = [draws.outcome(s) for s in range(samples)]
    results = plan.try_outcomes(
        outcomes, "outcomes", partial=partial, workers=workers, scheduler=scheduler, progress=progress
    )
    settings = {"samples": samples, "seed": seed, "rebuild_after": rebuild_after}
    complete = len(results) == samples
    frames = _frames(instance, plan, draws, results)
    planned = float(plan.planned["cost"])
    return DeliveryRisk(*frames, planned, alpha, complete, settings, plan.digest, instance)


def _frames(
    instance: Instance, plan: Delivered, draws: Draws, results: dict[int, Result]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the tables ``samples``, ``years`` and ``projects``; ``results`` are those of `Delivered.try_outcomes`."""
    import pandas as pd

    lengths = np.array([p.length for p in plan.modules.span])
    names = ("cost", "short", "exposed", "delivered")
    cost, short, exposed, delivered = (np.array([f[name] for f in results.values()]) for name in names)
    planned = {name: np.array(plan.planned[name]) for name in names}
    with np.errstate(invalid="ignore"):
        overall = (exposed @ lengths) / (delivered @ lengths)
        yearly = exposed / delivered
        as_planned = {"exposed_share": planned["exposed"] / planned["delivered"], "short_t": planned["short"]}
    tonnes, asked = short @ lengths, plan.rebuild_after is not None
    samples = pd.DataFrame(
        {
            "sample": [s + 1 for s in results],
            "cost_musd": cost,
            "short_t": tonnes,
            "exposed_share": overall,
            "promise_broken": [f["unkept"] for f in results.values()],
            "answered_musd": [(f["answered"] or f)["cost"] if asked else np.nan for f in results.values()],
            "answered_short_t": [
                float(np.array((f["answered"] or f)["short"]) @ lengths) if asked else np.nan for f in results.values()
            ],
        }
    )
    years = pd.DataFrame({"year": list(instance.years)})
    for name, values in (("exposed_share", yearly), ("short_t", short)):
        by_year = pd.DataFrame(values)  # its means leave out outcomes in which nothing was delivered (nan)
        years[f"{name}_planned"] = as_planned[name]
        years[f"{name}_mean"] = by_year.mean()
        for q in QUANTILES:
            years[f"{name}_p{round(100 * q)}"] = by_year.quantile(q)
    return samples, years, _projects(plan, draws, list(results), cost, tonnes)


def _projects(plan: Delivered, draws: Draws, tried: list[int], cost: np.ndarray, tonnes: np.ndarray) -> pd.DataFrame:
    """Return the table ``projects``: mean cost and shortage when a project goes badly, less those when it goes well.

    How well it goes is measured by the years and the share of capacity that it delivers within the horizon. Where each
    start of an option is a project of its own, its modules weigh them.

    tried         positions of the outcomes that were tried
    cost, tonnes  of each of these: present cost (MUSD), short over the horizon (t)
    """
    import pandas as pd

    rows = []
    column = {project: i for i, project in enumerate(draws.projects)}
    built: dict[str, dict[int, float]] = {}  # option -> column -> modules
    for o, year, modules in plan.builds:
        of = built.setdefault(o.option, {})
        i = column[project_of(column, o.option, year)]
        of[i] = of.get(i, 0.0) + modules
    for option, of in sorted(built.items()):
        part = np.array(list(of.values())) / sum(of.values())
        comes, delay, share, capex = (
            a[tried][:, list(of)] for a in (draws.comes, draws.delay, draws.share, draws.capex)
        )
        ends = float(plan.modules.end - plan.modules.span[0].first_year + 1)
        contribution = np.where(comes, share * np.maximum(ends - delay, 0.0), 0.0) @ part
        bad = (
            contribution < np.median(contribution)
            if (contribution < np.median(contribution)).any()
            else contribution < contribution.max()
        )
        at_stake = [float(v[bad].mean() - v[~bad].mean()) if bad.any() else 0.0 for v in (cost, tonnes)]
        coming = comes * part
        late = float((coming * delay).sum() / coming.sum()) if comes.any() else 0.0
        failing = 1.0 - float((comes @ part).mean())
        rows.append((option, failing, late, float((capex @ part).mean()), *at_stake))
    return pd.DataFrame(rows, columns=DeliveryRisk.columns("projects")).sort_values(
        ["cost_at_stake_musd", "option"], ascending=[False, True], ignore_index=True
    )
