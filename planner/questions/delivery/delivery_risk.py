"""Cost, shortage and dependence of a plan over many outcomes of its projects."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import UsageError
from ...words import figure_of
from .delivered import Delivered
from .draws import Draws, check_uncertain, draw

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run

Progress = Callable[[str], None]
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class DeliveryRisk:
    """A plan in many outcomes of its projects.

    samples   one row each: cost_musd (present value), short_t (over the horizon), exposed_share (of all deliveries),
              promise_broken (a service floor, least use or final stock could not be kept)
    years     as planned, mean and quantiles by period of exposed_share and short_t
    projects  each option built: how often it fails, mean delay, and what cost and shortage are on average when it is
              worse than its median luck, less what they are when it is better (MUSD, t): what the plan hangs on
    planned_musd  present cost if all goes to plan: that of the plan
    of        digest of the plan, see `Run.digest`
    complete  False if it was interrupted
    """

    samples: pd.DataFrame
    years: pd.DataFrame
    projects: pd.DataFrame
    planned_musd: float
    alpha: float
    complete: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    of: str = ""

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

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "schema": 1,
            "of": self.of,
            "samples": len(self.samples),
            "complete": self.complete,
            "planned_musd": self.planned_musd,
            "mean_musd": self.mean_musd,
            "mean_of_worst_musd": self.worst_musd,
            "alpha": self.alpha,
            "settings": self.settings,
            "years": plain(self.years),
            "projects": plain(self.projects),
        }

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write samples.csv, years.csv, projects.csv and delivery.json."""
        from ...runs.folder import write_folder
        from ...runs.tables import to_csv

        tables = {"samples": self.samples, "years": self.years, "projects": self.projects}
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        files = {f"{name}.csv": to_csv(table) for name, table in tables.items()}
        return write_folder(Path(folder), files, "delivery.json", lambda: text, overwrite)

    def __str__(self) -> str:
        short = self.samples["short_t"]
        lines = [
            f"{len(self.samples)} outcomes of the projects: {figure_of(self.mean_musd, 6)} MUSD on average, "
            f"{figure_of(self.worst_musd, 6)} in the worst {1 - self.alpha:.0%}, "
            f"{figure_of(self.planned_musd, 6)} if all goes to plan",
            f"Short over the horizon: {figure_of(short.mean(), 4)} t on average, "
            f"a tenth of them {figure_of(short.quantile(0.9), 4)} t",
            f"In {self.samples['promise_broken'].mean():.0%} of them a service floor, least use or final stock "
            f"could not be kept",
            f"{'year':>6} {'exposed, planned':>17} {'mean':>8} {'10 %':>8} {'90 %':>8} "
            f"{'short t, mean':>14} {'90 %':>9}",
        ]
        for r in self.years.itertuples():
            lines.append(
                f"{r.year:>6} {r.exposed_share_planned:>17.1%} {r.exposed_share_mean:>8.1%} "
                f"{r.exposed_share_p10:>8.1%} {r.exposed_share_p90:>8.1%} "
                f"{figure_of(r.short_t_mean, 4):>14} {figure_of(r.short_t_p90, 4):>9}"
            )
        hung = self.projects[self.projects["cost_at_stake_musd"] > 1e-6].head(10)
        if len(hung):
            lines.append("What the plan hangs on (bad luck of a project against good luck, means):")
        for r in hung.itertuples():
            lines.append(
                f"  {r.option}: {figure_of(r.cost_at_stake_musd, 4)} MUSD, {figure_of(r.short_at_stake_t, 4)} t "
                f"(fails in {r.fails:.0%}, {r.delay_years:.1f} years late)"
            )
        if not self.complete:
            lines.append("Interrupted: the outcomes tried so far.")
        return "\n".join(lines)


def delivery_risk(
    run: Run,
    *,
    instance: Instance | None = None,
    samples: int = 128,
    seed: int = 0,
    alpha: float = 0.9,
    threads: int = 1,
    progress: Progress | None = None,
) -> DeliveryRisk:
    """Try a plan against outcomes of its projects: success_probability of options, and delivery_risk.csv.

    samples  outcomes, drawn evenly (a Sobol sequence); a power of 2 serves best
    seed     of the draws; the same seed means the same luck for every plan of the instance
    alpha    the worst outcomes are those beyond this part
    instance  another instance to try the plan in, such as one with other delivery risks [the plan's own]

    Each outcome re-solves the operations with the builds of the plan: caps and clean-only rules hold, service floors,
    least use and final stocks are broken only where they cannot be kept, and shortage pays. A project that comes late
    is paid for from when it comes, one that never comes as planned; capacity is never counted beyond the end of life
    that was planned. Of equally cheap operations (to 1 USD/t) the least exposed ones are counted.
    Raises UsageError if the instance has no delivery risk, or a run that does not fit.
    """
    from ...solving.solver import Settings

    if samples < 1 or not 0.0 <= alpha < 1.0:
        raise UsageError(f"samples = {samples}, alpha = {alpha}: expected 1 or more, and 0 <= alpha < 1")
    instance = instance or run.instance
    check_uncertain(instance)
    plan = Delivered(instance, run, Settings(threads=threads))
    draws = draw(instance, samples, seed)
    found: list[dict[str, Any]] = []
    complete, told = True, time.perf_counter()
    planned = plan.operated({})
    try:
        for s in range(samples):
            found.append(plan.operated(draws.luck(s)))
            if progress and time.perf_counter() - told > 2.0:
                told = time.perf_counter()
                progress(f"{s + 1} of {samples} outcomes")
    except KeyboardInterrupt:
        complete = False
    if not found:
        raise KeyboardInterrupt
    settings = {"samples": samples, "seed": seed}
    digest = run.digest_in(instance.sha256)
    return DeliveryRisk(
        *_frames(instance, plan, draws, found, planned), float(planned["cost"]), alpha, complete, settings, digest
    )


def _frames(
    instance: Instance, plan: Delivered, draws: Draws, found: list[dict[str, Any]], planned: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    lengths = np.array([p.length for p in plan.modules.span])
    cost = np.array([f["cost"] for f in found])
    short, exposed, delivered = (np.array([f[name] for f in found]) for name in ("short", "exposed", "delivered"))
    with np.errstate(invalid="ignore"):
        overall = (exposed @ lengths) / (delivered @ lengths)
        yearly = exposed / delivered
        as_planned = {"exposed_share": planned["exposed"] / planned["delivered"], "short_t": planned["short"]}
    tonnes = short @ lengths
    samples = pd.DataFrame(
        {
            "sample": range(1, len(found) + 1),
            "cost_musd": cost,
            "short_t": tonnes,
            "exposed_share": overall,
            "promise_broken": [f["unkept"] for f in found],
        }
    )
    years = pd.DataFrame({"year": list(instance.years)})
    for name, values in (("exposed_share", yearly), ("short_t", short)):
        by_year = pd.DataFrame(values)  # whose means pass over outcomes in which nothing was delivered
        years[f"{name}_planned"] = as_planned[name]
        years[f"{name}_mean"] = by_year.mean()
        for q in QUANTILES:
            years[f"{name}_p{round(100 * q)}"] = by_year.quantile(q)
    return samples, years, _projects(plan, draws, cost, tonnes)


def _projects(plan: Delivered, draws: Draws, cost: np.ndarray, tonnes: np.ndarray) -> pd.DataFrame:
    """What the cost and the shortage are when a project has bad luck, against good luck."""
    import pandas as pd

    rows = []
    for option in sorted({o.option for o, _, _ in plan.builds}):
        i, n = draws.options.index(option), len(cost)
        comes, delay, share = draws.comes[:n, i], draws.delay[:n, i], draws.share[:n, i]
        ends = float(plan.modules.end - plan.modules.span[0].first_year + 1)
        luck = np.where(comes, share * np.maximum(ends - delay, 0.0), 0.0)
        bad = luck < np.median(luck) if (luck < np.median(luck)).any() else luck < luck.max()
        at_stake = [float(v[bad].mean() - v[~bad].mean()) if bad.any() else 0.0 for v in (cost, tonnes)]
        late = float(delay[comes].mean()) if comes.any() else 0.0
        rows.append((option, 1.0 - float(comes.mean()), late, float(draws.capex[:n, i].mean()), *at_stake))
    columns = ["option", "fails", "delay_years", "capex_factor", "cost_at_stake_musd", "short_at_stake_t"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["cost_at_stake_musd", "option"], ascending=[False, True], ignore_index=True
    )


def plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON can hold them: what is not a number is None."""
    return [
        {k: None if isinstance(v, float) and v != v else v for k, v in row.items()} for row in table.to_dict("records")
    ]
