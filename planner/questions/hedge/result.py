"""What is found: the hedged plan, what it builds more, what that costs and saves, and how sure that is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...words import figure_of
from ..delivery.delivery_risk import plain
from .verdict import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from ...runs.run import Run

MANIFEST = "hedge.json"
BUILDS = ["option", "facility", "country", "success_probability", "trusting", "hedged", "change", "capex_change_musd"]
PLANS = ["plan", "planned_musd", "mean_musd", "mean_of_worst_musd", "short_t", "promise_broken", "capex_musd"]
OUTCOMES = ["group", "outcome", "trusting_musd", "hedged_musd", "trusting_short_t", "hedged_short_t"]
INSURANCE = ["project", "options", "extra_capex_musd", "worth_musd", "at_least_musd", "at_most_musd"]
REPLICATIONS = ["sample", "hedged_musd", "bound_musd", "gap_musd"]


@dataclass(frozen=True)
class Hedge:
    """The plan that is best against a sample of outcomes of its projects, against the plan that trusts in delivery.

    plan          the hedged plan, as it runs if all comes as planned: a plan as of ``solve``
    builds        modules of each option that one of the two builds, in both plans, and overnight capex beyond the
                  trusting plan's (MUSD)
    plans         ``trusting`` and ``hedged``: present cost if all goes to plan, mean and mean of the worst over the
                  outcomes of the trial, mean tonnes short over the horizon, part of the outcomes in which a promise
                  could not be kept, overnight capex
    outcomes      the trial, the same luck for both: present cost and tonnes short
    insurance     each project built more than in the trusting plan: by how much the best plan without it is dearer,
                  on the outcomes of the design; and at least and at most, as far as the gaps of the searches tell
    replications  samples of other luck: the objective of the hedged plan, a bound for the best plan of that sample
    objective_musd, bound_musd  of the design: what the hedged plan reaches on its own sample, and what none undercuts
    saving        objective of the trusting plan less that of the hedged one in the trial, with its 95 % interval
    gap_musd      estimate of how far the hedged plan is from the best over all outcomes; ``gap_at_most_musd`` with 95 %
    complete      False if it was interrupted; what is missing then is empty
    """

    plan: Run
    builds: pd.DataFrame
    plans: pd.DataFrame
    outcomes: pd.DataFrame
    insurance: pd.DataFrame
    replications: pd.DataFrame
    objective_musd: float
    bound_musd: float
    why: str
    saving: Estimate
    gap_musd: float
    gap_at_most_musd: float
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the plan and the outcomes, as JSON can hold it."""
        shown = (self.gap_musd, self.gap_at_most_musd)
        gap, at_most = (None if v != v else v for v in shown)
        return {
            "schema": 1,
            "instance": self.plan.plan["instance"],
            "settings": self.settings,
            "complete": self.complete,
            "design": {"objective_musd": self.objective_musd, "bound_musd": self.bound_musd, "stopped": self.why},
            "gap_musd": gap,
            "gap_at_most_musd": at_most,
            "saving_musd": self.saving.to_list(),
            "plans": plain(self.plans),
            "builds": plain(self.builds),
            "insurance": plain(self.insurance),
            "replications": plain(self.replications),
        }

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write hedge.json, a table for each frame, and the hedged plan as a run in the folder ``plan``."""
        from ...runs.folder import write_folder
        from ...runs.tables import to_csv

        names = ("builds", "plans", "outcomes", "insurance", "replications")
        files = {f"{name}.csv": to_csv(getattr(self, name)) for name in names}
        files |= {f"plan/{name}": text for name, text in self.plan.files().items()}
        files["plan/plan.json"] = self.plan.to_json()
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        return write_folder(Path(folder), files, MANIFEST, lambda: text, overwrite)

    def __str__(self) -> str:
        return "\n".join([*self._of_design(), *self._of_trial(), *self._of_builds(), *self._of_insurance()])

    def _of_design(self) -> list[str]:
        asked = self.settings
        measure = "mean cost"
        if asked["weight"]:
            measure = (
                f"{1 - asked['weight']:.0%} mean cost, {asked['weight']:.0%} mean of the worst {1 - asked['alpha']:.0%}"
            )
        gap = (self.objective_musd - self.bound_musd) / max(abs(self.objective_musd), 1e-9)
        lines = [
            f"{self.plan.plan['instance']['title'] or self.plan.plan['instance']['name']}: "
            f"best against {asked['outcomes']} outcomes of its projects ({measure})",
            f"On these: {figure_of(self.objective_musd, 6)} MUSD, "
            f"no plan is below {figure_of(self.bound_musd, 6)} ({gap:.2%})",
        ]
        if self.gap_musd == self.gap_musd:
            sure = self.gap_at_most_musd
            most = (
                f", with 95 % at most {figure_of(sure, 4)} ({sure / self.objective_musd:.2%})" if sure == sure else ""
            )
            lines.append(f"Over all outcomes: about {figure_of(self.gap_musd, 4)} MUSD from the best plan{most}")
        if not self.complete:
            lines.append("Interrupted: the best plan so far, and what is known of it.")
        return lines

    def _of_trial(self) -> list[str]:
        if not len(self.outcomes):
            return []
        worst = f"worst {1 - self.settings['alpha']:.0%}"
        lines = [f"Both on {len(self.outcomes)} other outcomes, the same for both (MUSD):"]
        lines.append(f"  {'plan':<10} {'as planned':>11} {'mean':>9} {worst:>10} {'short t':>9} {'overnight':>10}")
        for r in self.plans.itertuples():
            lines.append(
                f"  {r.plan:<10} {figure_of(r.planned_musd, 6):>11} {figure_of(r.mean_musd, 6):>9} "
                f"{figure_of(r.mean_of_worst_musd, 6):>10} "
                f"{figure_of(r.short_t, 4):>9} {figure_of(r.capex_musd, 6):>10}"
            )
        s = self.saving
        sure = f" (95 %: {figure_of(s.low, 5)} to {figure_of(s.high, 5)})" if s.low == s.low else ""
        lines.append(f"The hedged plan saves {figure_of(s.mean, 5)}{sure}")
        broken = self.plans["promise_broken"].tolist()
        if max(broken) > 0.0:
            lines.append(
                f"Promises are broken in {broken[0]:.0%} of them by the trusting, {broken[1]:.0%} by the hedged"
            )
        return lines

    def _of_builds(self) -> list[str]:
        changed = self.builds[self.builds["change"].abs() > 1e-6]
        if not len(changed):
            return ["Nothing is built otherwise."]
        more, less = changed[changed["change"] > 0.0], changed[changed["change"] < 0.0]
        extra = changed["capex_change_musd"].sum()
        lines = [
            f"Built otherwise: {len(more)} options more, {len(less)} less, {extra:+,.5g} MUSD overnight; the largest:"
        ]
        for r in (
            changed.reindex(changed["capex_change_musd"].abs().sort_values(ascending=False).index).head(16).itertuples()
        ):
            lines.append(
                f"  {r.option}: {figure_of(r.trusting, 4)} -> {figure_of(r.hedged, 4)} modules, "
                f"{'+' if r.capex_change_musd > 0 else ''}{figure_of(r.capex_change_musd, 4)} MUSD "
                f"(comes with {r.success_probability:.0%})"
            )
        return lines

    def _of_insurance(self) -> list[str]:
        if not len(self.insurance):
            return []
        lines = ["Worth as insurance: the best plan without it is dearer by (MUSD; at least, at most by the gaps):"]
        for r in self.insurance.itertuples():
            lines.append(
                f"  {r.project}: {figure_of(r.worth_musd, 4)} "
                f"({figure_of(r.at_least_musd, 4)} to {figure_of(r.at_most_musd, 4)}) "
                f"for {figure_of(r.extra_capex_musd, 4)} more overnight"
            )
        return lines
