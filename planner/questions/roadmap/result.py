"""The roadmap as a study: its tables and its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...bands import span_of
from ...language import N_, _, translated
from ...words import figure_of, listed, semicolons, share_of
from ..study import COMPLETE, INSTANCE, NOTES, SECONDS, SETTINGS, Study, Table, Value, text_table

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run

NOW, SURE, CALM = "now", "whatever happens", "as long as nothing happens"
TITLES = {
    "roadmap": N_("This roadmap"),
    "foreseen": N_("Knowing beforehand what happens"),
    "decided_today": N_("All starts decided today"),
    "single_plan": N_("Today's plan, whatever happens"),
    "as_planned": N_("Today's plan, if nothing happens"),
}


@dataclass(frozen=True, repr=False)
class Roadmap(Study):
    """What to sign now, and what to decide at which news.

    run          the plan, with the builds of each branch
    tree         the instance with the scenarios of the tree
    signed       starts of the plan
    gates        what each branch starts otherwise than the course it leaves
    courses      the tree
    values       expected cost under more or less freedom
    waiting      what it is worth to decide on each project only when one knows more
    scenarios, disruptions  rows of the tree as the tables of an instance have them
    """

    COMMAND, MANIFEST, OF = "roadmap", "roadmap.json", "instance"
    HOLDS = (
        INSTANCE,
        COMPLETE,
        SETTINGS,
        Value("objective_musd", "expected present cost of the roadmap, MUSD"),
        Value("bound_musd", "no roadmap of this tree costs less, MUSD"),
        Value("gap", "relative gap of the search"),
        Value("left_out", "probability of courses that the tree leaves out; each counts as that before its last event"),
        NOTES,
        SECONDS,
        Table(
            "signed",
            "What the plan starts, by year.",
            """
            when       | text    |      | `now` (the first period), `whatever happens` (before any branch may start
                something otherwise), or `as long as nothing happens`
            option     | text    |      | the option
            start_year | integer | year | first calendar year of the period in which it is started
            modules    | number  |      | how many modules
            capex_musd | number  | MUSD | overnight cost
            """,
        ),
        Table(
            "gates",
            "What is started otherwise in a branch than on the course that it leaves.",
            """
            scenario    | text    |       | the scenario of the tree
            news        | text    |       | what has happened
            year        | integer | year  | when one learns of it
            action      | text    |       | `start` or `do not start`
            option      | text    |       | the option
            start_year  | integer | year  | when
            modules     | number  |       | how many modules more, or fewer
            capex_musd  | number  | MUSD  | overnight cost of these modules
            """,
        ),
        Table(
            "courses",
            "The tree: each course of events, after the one that it leaves.",
            """
            scenario    | text    |       | the scenario; blank: nothing happens
            parent      | text    |       | the course that it leaves; blank: that in which nothing happens
            news        | text    |       | what happens
            year        | integer | year  | when one learns of it; blank where nothing happens
            reached     | number  | share | probability that it comes to this, whatever happens later
            probability | number  | share | probability that it ends here
            cost_musd   | number  | MUSD  | present cost of the course
            short_t     | number  | t     | what it leaves short over the horizon
            """,
        ),
        Table(
            "values",
            "Expected present cost of the tree, with more or less freedom than the roadmap has.",
            """
            what             | text   |      | `roadmap`; `foreseen`: if one knew beforehand what happens;
                `decided_today`: if all starts had to be decided before any news; `single_plan`: if today's plan is
                followed whatever happens; `as_planned`: what that plan costs if nothing happens
            cost_musd        | number | MUSD | expected present cost; blank: not possible, or not asked
            bound_musd       | number | MUSD | it is not less
            extra_musd       | number | MUSD | beyond the roadmap's, between the plans found: minus the value of perfect
                information; the value of answering; the value of the stochastic solution
            extra_least_musd | number | MUSD | the same at least, as the gaps of both searches allow
            extra_most_musd  | number | MUSD | the same at most
            """,
        ),
        Table(
            "waiting",
            "What it is worth to decide on a project only when one knows more, the most first.",
            """
            option       | text   |      | the option
            waiting_musd | number | MUSD | expected cost if its starts are all decided today, less that of the roadmap;
                not below 0, since a roadmap may decide today too
            least_musd   | number | MUSD | the same at least, as the gaps of both searches allow
            most_musd    | number | MUSD | the same at most
            """,
        ),
        Table(
            "scenarios",
            "The scenarios of the tree, as scenarios.csv of an instance has them.",
            """
            scenario      | text    |       | short name
            name          | text    |       | name in full
            probability   | number  | share | probability that it comes to this
            first_year    | integer | year  | first calendar year
            last_year     | integer | year  | last calendar year; blank in months
            first_month   | integer |       | first month; blank: whole years
            months        | integer |       | how many months; blank: whole years
            rebuild_after | integer | years | years after which the branch may start something otherwise
            parent        | text    |       | the scenario whose branch it leaves
            """,
            in_manifest=False,
        ),
        Table(
            "disruptions",
            "What each scenario of the tree disrupts, as disruptions.csv of an instance has it.",
            """
            scenario    | text   |       | the scenario
            kind        | text   |       | what happens
            country     | text   |       | country or bloc that is hit
            stage       | text   |       | stage of the materials that are hit
            material    | text   |       | material that is hit
            facility    | text   |       | facility that is hit
            fraction    | number | share | part that is lost, or by which demand or price rises
            reference_t | number | t     | undisturbed yearly exports
            """,
            in_manifest=False,
        ),
    )  # fmt: skip

    run: Run
    instance: Instance
    tree: Instance
    signed: pd.DataFrame
    gates: pd.DataFrame
    courses: pd.DataFrame
    values: pd.DataFrame
    waiting: pd.DataFrame
    scenarios: pd.DataFrame
    disruptions: pd.DataFrame
    left_out: float = 0.0
    complete: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def objective_musd(self) -> float:
        """Expected present cost of the roadmap, MUSD."""
        return self.run.objective_musd

    @property
    def bound_musd(self) -> float:
        """No roadmap of this tree costs less, MUSD."""
        return self.run.searched.bound

    @property
    def gap(self) -> float:
        """Relative gap of the search."""
        return float(self.run.plan["gap"])

    def __str__(self) -> str:
        lines = [
            _(
                "{instance}: a roadmap over {n} courses of events",
                instance=self.instance.title,
                n=len(self.courses),
            ),
            _(
                "Expected cost {amount} MUSD present value (gap {share})",
                amount=figure_of(self.objective_musd, 6),
                share=share_of(self.gap, 2),
            ),
        ]
        if self.left_out > 0.0:
            lines.append(
                _(
                    "Courses of {share} probability are left out: --leaves N takes more in",
                    share=share_of(self.left_out),
                )
            )
        for when, title in (
            (NOW, _("Sign now")),
            (SURE, _("Later, whatever happens")),
            (CALM, _("As long as nothing happens")),
        ):
            rows = self.signed[self.signed["when"] == when]
            if len(rows):
                lines.append(_("{head}: {parts}", head=title, parts=_started(rows)))
        lines.append(_("Gates:"))
        lines += self._branches("", "  ") or ["  " + _("none")]
        lines += self._worths()
        lines += self.notes
        if not self.complete:
            lines.append(_("Interrupted: what was found until then."))
        return "\n".join(lines)

    def _branches(self, parent: str, indent: str) -> list[str]:
        """Return the branches that leave a course as text, each with those that leave it below."""
        lines = []
        for r in self.courses.itertuples():
            if r.scenario and r.parent == parent:
                told = _(
                    "{year}, {share}: if {news}: {answer}",
                    year=r.year,
                    share=share_of(r.reached),
                    news=r.news,
                    answer=self.answer(r.scenario),
                )
                lines.append(indent + told)
                lines += self._branches(r.scenario, indent + "    ")
        return lines

    def answer(self, scenario: str) -> str:
        """What a branch starts otherwise than the course that it leaves, in words."""
        rows = self.gates[self.gates["scenario"] == scenario]
        parts = [
            words.format(names=_started(of))
            for action, words in (("start", _("start {names}")), ("do not start", _("do not start {names}")))
            if len(of := rows[rows["action"] == action])
        ]
        return semicolons(parts) or _("go on as before")

    def _worths(self) -> list[str]:
        """Return the values as lines of text."""
        known = self.values[self.values["cost_musd"].notna()]
        lines = text_table(
            [("", "<34"), ("MUSD", ">11"), (_("beyond the roadmap"), ">20")],
            [
                (
                    translated(TITLES[r.what]),
                    figure_of(r.cost_musd, 6),
                    "" if r.what in ("roadmap", "as_planned") else _span(r),
                )
                for r in known.itertuples()
            ],
        )
        waited = self.waiting[self.waiting["most_musd"] > 1e-6]
        if len(waited):
            lines.append(_("To wait for news is worth (MUSD):"))
        for r in waited.head(10).itertuples():
            worth = span_of(r.waiting_musd, r.least_musd, r.most_musd)
            lines.append("  " + _("{head}: {parts}", head=r.option, parts=worth))
        return lines


def _span(r: Any) -> str:
    return span_of(r.extra_musd, r.extra_least_musd, r.extra_most_musd)


def _started(rows: pd.DataFrame) -> str:
    """Return the dearest starts in words: option in year, with the number of modules if it is not 1."""
    dearest = rows.sort_values("capex_musd", ascending=False, kind="stable")
    return listed(
        [
            _("{option} in {year}", option=r.option, year=r.start_year)
            if r.modules == 1.0
            else _("{option} x {modules} in {year}", option=r.option, modules=figure_of(r.modules), year=r.start_year)
            for r in dearest.itertuples()
        ]
    )
