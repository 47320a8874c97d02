"""The result of ``hedge``: the hedged plan, what it builds more, what that costs and saves, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...bands import ROUNDING, Band
from ...words import figure_of, share_of
from ..study import COMPLETE, SETTINGS, Study, Table, Value, text_table
from .verdict import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run

ANSWERED = 64  # outcomes of a trial, of all its groups, that are answered; each answer is a search with whole numbers


@dataclass(frozen=True, repr=False)
class Hedge(Study):
    """The plan that is best against a sample of outcomes of its projects, against the plan that trusts in delivery.

    plan          the hedged plan, as it runs if all comes as planned: a plan as of ``solve``
    objective_musd, bound_musd  of the design: the objective of the hedged plan on its own sample, and a lower bound
                  that holds for every plan on this sample; both free to answer if ``rebuild_after`` allows it
    why           why the search of the design ended, see `Best`
    answers_from  first year in which an outcome of the design may start something else: what starts before is decided
                  now; None: never
    saving        objective of the trusting plan less that of the hedged one in the trial, with its 95 % interval: free
                  to answer, on the answered outcomes, if ``rebuild_after`` allows it, else held to the plan, on all
    gap_musd      estimate of how far the hedged plan is from the best over all outcomes; ``gap_at_most_musd`` with 95 %
    known_musd    mean over the answered outcomes of the trial: no plan costs less on them, whatever it starts
    complete      False if it was interrupted; what is missing then is empty
    The frames are the tables of the same names, see HOLDS.
    """

    COMMAND, MANIFEST, OF = "hedge", "hedge.json", "instance"
    HOLDS = (
        Value("instance", "name, title, sha256 and path of the instance", "identity"),
        SETTINGS,
        COMPLETE,
        Value("design", "objective of the hedged plan on its own sample and a bound of it, MUSD, free to answer if "
              "`rebuild_after` allows it; why the search ended; `answers_from`: what starts before this year is "
              "decided now, not there without an answer"),
        Value("gap_musd", "estimate of how far the hedged plan is from the best over all outcomes, MUSD"),
        Value("gap_at_most_musd", "the same at most, with 95 %"),
        Value("known_musd", "bound of the mean cost of the answered outcomes for all plans, MUSD: "
              "of someone who knows the outcome and may build in fractions; blank without an answer"),
        Value("saving_musd", "what the hedged plan saves in the trial: mean, low and high end with 95 %; free to "
              "answer, on the answered outcomes, or without an answer held to the plan, on all", "saving"),
        Table(
            "plans",
            "The plan that trusts in delivery, and the hedged one, in the trial: on the same outcomes, for which "
            "neither was designed. All but the last column is held to the plan.",
            """
            plan               | text   |       | `trusting` or `hedged`
            planned_musd       | number | MUSD  | present cost if all goes to plan
            mean_musd          | number | MUSD  | mean present cost
            mean_of_worst_musd | number | MUSD  | mean present cost of the worst outcomes
            short_t            | number | t     | mean of what is short over the horizon
            promise_broken     | number | share | outcomes in which a promise could not be kept
            capex_musd         | number | MUSD  | overnight cost of what is built
            held_musd          | number | MUSD  | mean present cost of the answered outcomes, 8 of each group, held to
                the plan; blank without an answer, as the next
            answered_musd      | number | MUSD  | the same free to answer: something else may be started `rebuild_after`
                years after a project should have come
            """,
        ),
        Table(
            "builds",
            "Each option that one of the two plans builds.",
            """
            option              | text   |         | the option
            facility            | text   |         | its facility
            country             | text   |         | where it is
            success_probability | number | share   | with which it comes
            trusting            | number | modules | in the plan that trusts in delivery
            hedged              | number | modules | in the hedged plan
            change              | number | modules | the difference
            capex_change_musd   | number | MUSD    | the same at overnight cost
            """,
        ),
        Table(
            "insurance",
            "Each project of which the hedged plan builds more, and what it is worth on the outcomes of the design. "
            "Those that are committed, or without which no plan is found, are left out.",
            """
            project          | text   |      | the project
            options          | text   |      | its options
            extra_capex_musd | number | MUSD | overnight cost of what is built more
            worth_musd       | number | MUSD | by how much the best plan without it is dearer
            at_least_musd    | number | MUSD | the same at least, as the gaps of the searches allow
            at_most_musd     | number | MUSD | the same at most
            """,
        ),
        Table(
            "replications",
            "Further samples, which tell how far the hedged plan may be from the best.",
            """
            sample      | integer |      | number of the sample
            hedged_musd | number  | MUSD | objective of the hedged plan on it
            bound_musd  | number  | MUSD | no plan is below this on it
            gap_musd    | number  | MUSD | the difference
            """,
        ),
        Table(
            "outcomes",
            "The outcomes of the trial, held to the plans.",
            """
            group            | integer |      | independent groups of outcomes
            outcome          | integer |      | number within the group
            trusting_musd    | number  | MUSD | present cost of the trusting plan
            hedged_musd      | number  | MUSD | present cost of the hedged plan
            trusting_short_t | number  | t    | short over the horizon in the trusting plan
            hedged_short_t   | number  | t    | short over the horizon in the hedged plan
            """,
            in_manifest=False,
        ),
    )  # fmt: skip

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
    known_musd: float
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)
    answers_from: int | None = None

    @property
    def instance(self) -> Instance:
        """The instance of the hedged plan."""
        return self.plan.instance

    @property
    def identity(self) -> dict[str, Any]:
        """Name, title, sha256 and path of the instance, as the hedged plan has them."""
        return dict(self.plan.plan["instance"])

    @property
    def design(self) -> dict[str, Any]:
        """How far the search on the sample of the design came, MUSD."""
        told = {"objective_musd": self.objective_musd, "bound_musd": self.bound_musd, "stopped": self.why}
        return told if self.answers_from is None else {**told, "answers_from": self.answers_from}

    def more_files(self) -> dict[str, str]:
        """The hedged plan as a run, in the folder ``plan``."""
        files = {f"plan/{name}": text for name, text in self.plan.files().items()}
        return {**files, "plan/plan.json": self.plan.to_json()}

    def __str__(self) -> str:
        return "\n".join([*self._of_design(), *self._of_trial(), *self._of_builds(), *self._of_insurance()])

    def _of_design(self) -> list[str]:
        """Return lines on the search: its objective and bound, and how far the plan may be from the best."""
        asked = self.settings
        measure = "mean cost"
        if asked["weight"]:
            measure = (
                f"{1 - asked['weight']:.0%} mean cost, {asked['weight']:.0%} mean of the worst {1 - asked['alpha']:.0%}"
            )
        gap = (self.objective_musd - self.bound_musd) / max(abs(self.objective_musd), 1e-9)
        lines = [
            f"{self.identity['title'] or self.identity['name']}: "
            f"best against {asked['outcomes']} outcomes of its projects ({measure}){self._answering}",
            f"On these: {figure_of(self.objective_musd, 6)} MUSD, "
            f"no plan is below {figure_of(self.bound_musd, 6)} ({share_of(gap, 2)})",
        ]
        if self.answers_from is not None:
            lines.append(
                f"What starts before {self.answers_from} is decided now. What the plan starts later is for outcomes "
                "without news by then, and for the case that all comes as planned"
            )
        if self.gap_musd == self.gap_musd:
            sure = self.gap_at_most_musd
            most = f", with 95 % at most {figure_of(sure, 4)} ({share_of(sure / self.objective_musd, 2)})"
            most = most if sure == sure else ""
            lines.append(f"Over all outcomes: about {figure_of(self.gap_musd, 4)} MUSD from the best plan{most}")
        if not self.complete:
            lines.append("Interrupted: the best plan so far, and what is known of it.")
        return lines

    @property
    def _answering(self) -> str:
        """How the outcomes of the design may be answered, in words."""
        after = self.settings["rebuild_after"]
        if after is None:
            return ""
        return f", free to start something else {after} year(s) after a project should have come"

    def _of_trial(self) -> list[str]:
        """Return lines that compare both plans on the outcomes of the trial."""
        if not len(self.outcomes):
            return []
        worst = f"worst {1 - self.settings['alpha']:.0%}"
        known = self.plans[self.plans["answered_musd"].notna()]
        held = ", held to the plan" if len(known) else ""
        lines = [f"Both on {len(self.outcomes)} other outcomes, the same for both{held} (MUSD):"]
        columns = [
            *(("  plan", "<12"), ("as planned", ">11"), ("mean", ">9"), (worst, ">10"), ("short t", ">9")),
            ("overnight", ">10"),
        ]
        lines += text_table(
            columns,
            [
                (
                    *(f"  {r.plan}", figure_of(r.planned_musd, 6), figure_of(r.mean_musd, 6)),
                    *(figure_of(r.mean_of_worst_musd, 6), figure_of(r.short_t, 4), figure_of(r.capex_musd, 6)),
                )
                for r in self.plans.itertuples()
            ],
        )
        if len(known):
            told = (
                f"{r.plan} {figure_of(r.answered_musd, 6)} ({figure_of(r.held_musd, 6)})" for r in known.itertuples()
            )
            lines.append(
                f"Free to answer (held to the plan), mean of {min(ANSWERED, len(self.outcomes))} of them: "
                f"{', '.join(told)}; no plan is below {figure_of(self.known_musd, 6)}, that of someone who knows the "
                "outcome"
            )
        s = self.saving
        sure = f" (95 %: {figure_of(s.low, 5)} to {figure_of(s.high, 5)})" if s.low == s.low else ""
        free = "Free to answer, the" if len(known) else "The"
        saves = f"{free} hedged plan saves {figure_of(s.mean, 5)}{sure}"
        if not s.sign:
            saves = f"Whether the hedged plan saves anything is not known from so few: {figure_of(s.mean, 5)}{sure}"
        elif s.sign < 0:
            saves = f"{free} hedged plan costs {figure_of(-s.mean, 5)} more{sure}"
        lines.append(saves)
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
        lines = ["Worth as insurance: what the best plan without it costs (MUSD; at least and at most by the gaps):"]
        for r in self.insurance.itertuples():
            band = Band(r.worth_musd, r.at_least_musd, r.at_most_musd, ROUNDING * abs(self.objective_musd))
            lines.append(
                f"  {r.project}: {band.told(lambda musd: figure_of(musd, 4))} "
                f"for {figure_of(r.extra_capex_musd, 4)} more overnight"
            )
        return lines
