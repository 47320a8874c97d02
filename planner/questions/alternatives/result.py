"""Near-optimal plans as they are told: ranges, groups, what the slack buys, and the plans themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...bands import ROUNDING, Searched, difference
from ...errors import UsageError, hinted
from ...language import _, number
from ...words import figure_of, full_stop, share_of
from ..study import COMPLETE, INSTANCE, SETTINGS, Study, Table, Value

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run


SOME = 1e-6  # modules; less is none
MOST_PAIRS = 12  # pairs of a kind that are told in the text


BUYS = {
    "least exposure": "demand not served clean, present value, kt",
    "least capex": "overnight capex, MUSD",
    "least public money": "draws on funds, MUSD",
    "least shortage": "tonnes short, present value, kt",
}


@dataclass(frozen=True, repr=False)
class Alternatives(Study):
    """Plans within a slack of the least cost.

    slack         how much dearer than the least cost a plan may be, a fraction of it
    best_musd     the least cost, MUSD present value
    bound_musd    no plan costs less, MUSD present value
    ceiling_musd  the most that a plan may cost, MUSD present value
    no_project       how the search for the least cost without any optional project ended, see HOLDS
    no_project_musd  that cost, MUSD present value; NaN without such a plan
    ranges, groups, buys, pairs, coverage, plans  the tables of the same names, see HOLDS
    """

    COMMAND, MANIFEST, OF = "alternatives", "alternatives.json", "instance"
    HOLDS = (
        INSTANCE,
        Value("slack", "how much dearer than the least cost a plan may be, a share of it"),
        Value("best_musd", "the least cost found, MUSD present value"),
        Value("bound_musd", "no plan costs less, MUSD present value"),
        Value("ceiling_musd", "the most that a plan may cost, MUSD present value"),
        Value(
            "no_project",
            "the plan of least cost without any optional project, with nothing built but `min_modules`: `optimal`; "
            "`feasible`: a cheaper one may exist; `infeasible`: there is none; `time_limit`: none was found in time",
        ),
        Value("no_project_musd", "what it costs, MUSD present value; null without such a plan"),
        Value(
            "projects_musd",
            "by how much it is dearer than the least cost found, MUSD: what all optional projects save together; with "
            "a larger slack nothing optional can be `always`",
        ),
        COMPLETE,
        SETTINGS,
        Table(
            "ranges",
            "Each option, and how much of it near-optimal plans build.",
            """
            option       | text   |         | the option
            facility     | text   |         | its facility; empty for a stockpile
            verdict      | text   |         | `always`: some of it is built in every near-optimal plan (no-regret);
                `sometimes`; `never`; `open`: so far always or never, but that is not proven
            least        | number | modules | least that a near-optimal plan builds
            most         | number | modules | most that one builds
            proven       | yes/no |         | whether both ends are proven
            latest_start | number | year    | latest first year of a period in which it can still be started first;
                blank if it is not always built, was not asked, or was not settled in time
            """,
        ),
        Table(
            "groups",
            "The groups asked for, and how much of them near-optimal plans start.",
            """
            group      | text   |      | the group as it was asked for
            least_t    | number | t    | least capacity
            most_t     | number | t    | most capacity
            least_musd | number | MUSD | least overnight cost
            most_musd  | number | MUSD | most overnight cost
            proven     | yes/no |      | whether all four are proven
            """,
        ),
        Table(
            "buys",
            "What the slack buys at most.",
            """
            aim           | text   |            | `least exposure`, `least capex`, `least public money` or
                `least shortage`
            at_least_cost | number | kt or MUSD | its value in the least-cost plan: kt (present value) or MUSD
            best          | number | kt or MUSD | its best value in a near-optimal plan
            proven        | yes/no |            | whether no better one is possible
            """,
        ),
        Table(
            "pairs",
            "Projects that are built in some near-optimal plans only, two at a time: those of the least-cost plan and "
            "the dearest. Without both in any plan they exclude each other; without neither in any, one is needed.",
            """
            one     | text | | an option
            other   | text | | another one
            both    | text | | whether a near-optimal plan builds both: `yes`, `no`, or `open`: not settled in time
            neither | text | | whether one builds neither: `yes`, `no` or `open`
            """,
        ),
        Table(
            "coverage",
            "How much of what near-optimal plans can be is shown by the plans up to and with each one of the table "
            "`plans`.",
            """
            plan         | text   |       | the plan
            apart        | number |       | how far it differs at least from each one before: the sum over options of
                the difference in the part of their modules that is built; blank for the first plan
            ranges_shown | number | share | mean, over options whose least and most differ, of the part of that range
                that lies between these plans
            pairs_shown  | number | share | part of the combinations of two projects (both, one, the other, neither)
                found in near-optimal plans that these plans show; blank without pairs
            """,
        ),
        Table(
            "plans",
            "What the least-cost plan and each alternative builds.",
            """
            plan       | text    |         | the plan's name: what it builds or leaves out against the least-cost plan
            cost_musd  | number  | MUSD    | its present cost
            option     | text    |         | what is built; empty for a plan that builds nothing
            start_year | integer | year    | when it is started
            modules    | number  | modules | how much of it
            """,
            file="alternatives.csv",
        ),
    )  # fmt: skip

    instance: Instance
    slack: float
    best_musd: float
    bound_musd: float
    ceiling_musd: float
    no_project: str
    no_project_musd: float
    ranges: pd.DataFrame
    groups: pd.DataFrame
    buys: pd.DataFrame
    pairs: pd.DataFrame
    coverage: pd.DataFrame
    plans: pd.DataFrame
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def projects_musd(self) -> float:
        """What all optional projects save together, MUSD present value; NaN if nothing is known to compare with."""
        return self.no_project_musd - self.best_musd

    @property
    def names(self) -> list[str]:
        """Names of the plans, the least-cost plan first."""
        return list(dict.fromkeys(self.plans["plan"]))

    def plan(self, name: str, **options: Any) -> Run:
        """A plan by its name, solved and audited with its builds held (options as in `solve`)."""
        from ...solving.pins import Pins
        from ..solve import solve

        rows = self.plans[self.plans["plan"] == name]
        if rows.empty:
            raise UsageError(hinted(f"no plan {name}", name, self.names))
        built = {(r.option, r.start_year): r.modules for r in rows.itertuples() if r.option}
        held = {
            (o.option, y): built.get((o.option, y), 0.0) for o in self.instance.options for y in self.instance.years
        }
        return solve(self.instance, pins=Pins(held), **options)

    def __str__(self) -> str:
        lines = [
            f"Plans within {100 * self.slack:.3g} % of the least cost: "
            f"{figure_of(self.best_musd, 6)} to {figure_of(self.ceiling_musd, 6)} MUSD"
        ]
        about = self.to_dict()
        lines.append(without_projects(about, _musd))
        if warning := too_wide(about, _musd):
            lines.append(f"Careful: {warning}")
        if self.best_musd - self.bound_musd > ROUNDING * abs(self.best_musd):
            within = (self.ceiling_musd - self.bound_musd) / max(abs(self.bound_musd), 1e-9)
            lines.append(
                f"No plan costs less than {figure_of(self.bound_musd, 6)} MUSD: by that gap, what is built in some of "
                f"them is built in some within {share_of(within)} of the least cost; the other verdicts hold"
            )
        for verdict, meaning in (
            ("always", "in every one (no-regret)"),
            ("sometimes", "in some"),
            ("never", "in none"),
            ("open", "in all or in none that were found, not proven"),
        ):
            rows = self.ranges[self.ranges["verdict"] == verdict]
            shown = [_range_words(r) for r in rows.head(40).itertuples()]
            more = f" and {len(rows) - 40} more" if len(rows) > 40 else ""
            if shown or verdict != "open":
                lines.append(f"{verdict}, {meaning}: {', '.join(shown) or 'nothing'}{more}")
        if len(self.groups):
            lines.append("Groups (least to most capacity started, t; capex, MUSD):")
            for r in self.groups.itertuples():
                proven = "" if r.proven else " (not proven)"
                money = f"{figure_of(r.least_musd, 5)} to {figure_of(r.most_musd, 5)} MUSD"
                lines.append(f"  {r.group}: {figure_of(r.least_t, 5)} to {figure_of(r.most_t, 5)} t, {money}{proven}")
        if len(self.buys):
            lines.append("What the slack buys at most:")
            for r in self.buys.itertuples():
                proven = "" if r.proven else " (not proven)"
                lines.append(
                    f"  {r.aim}: {figure_of(r.at_least_cost, 5)} -> {figure_of(r.best, 5)} ({BUYS[r.aim]}){proven}"
                )
        lines += pairs_in_words(self.pairs.to_dict("records"))
        costs = self.plans.drop_duplicates("plan").set_index("plan")["cost_musd"]
        if len(costs) > 1:
            lines.append("Plans that differ most:")
            lines += [f"  {name}: {figure_of(cost, 6)} MUSD" for name, cost in costs.items()]
            lines.append(coverage_in_words(self.coverage.to_dict("records")))
        if not self.complete:
            lines.append("Interrupted: what was found so far; ranges not asked are what the plans found show.")
        return "\n".join(lines)


def pairs_in_words(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is found of pairs, as sentences: which two exclude each other, and of which two one is needed.

    pairs  rows of the table ``pairs``
    """
    told = [
        ("Not both within the slack", [p for p in pairs if p["both"] == "no"]),
        ("One of the two at least in every plan", [p for p in pairs if p["neither"] == "no"]),
    ]
    lines = []
    for says, rows in told:
        shown = "; ".join(f"{p['one']} and {p['other']}" for p in rows[:MOST_PAIRS])
        more = f" and {len(rows) - MOST_PAIRS} more" if len(rows) > MOST_PAIRS else ""
        lines += [f"{says}: {shown}{more}"] if rows else []
    left = sum("open" in (p["both"], p["neither"]) for p in pairs)
    lines += [f"Pairs not settled in time: {left} of {len(pairs)}"] if left else []
    if pairs and not lines:
        lines.append(f"Of the {len(pairs)} pairs looked at, some plan builds both of each, and some neither")
    return lines


def coverage_in_words(coverage: Sequence[Mapping[str, Any]]) -> str:
    """How much of what near-optimal plans can be the plans told show, as a sentence; ``coverage`` is the table."""
    last = coverage[-1]
    two = last["pairs_shown"]
    said = {"share": share_of(last["ranges_shown"])}
    if two is None or two != two:
        return _("Together these plans show {share} of the ranges of the projects", **said)
    return _(
        "Together these plans show {share} of the ranges of the projects, and {pairs} of the combinations of two "
        "projects",
        **said,
        pairs=share_of(two),
    )


def without_projects(about: Mapping[str, Any], money: Callable[[float], str]) -> str:
    """What no optional project at all costs, in words.

    about  the manifest
    money  formats an amount in MUSD
    """
    if about["no_project"] == "infeasible":
        return _("Without any optional project there is no plan.")
    if about["no_project_musd"] is None:
        return _("What no optional project at all costs was not found in time.")
    without = float(about["no_project_musd"])
    if about["no_project"] != "optimal":
        return _("Without any optional project: {amount} at most, not proven.", amount=money(without))
    least = Searched(float(about["best_musd"]), float(about["bound_musd"]))
    more = difference(Searched(without, without), least).at_least_nothing().told(money)
    return _("Without any optional project: {amount}, {change}.", amount=money(without), change=more)


def too_wide(about: Mapping[str, Any], money: Callable[[float], str]) -> str:
    """Why nothing optional can be in every plan, if the slack is larger than what all projects save; "" if it is not.

    Arguments as in `without_projects`.
    """
    saved, best = about["projects_musd"], float(about["best_musd"])
    slack, rounding = float(about["ceiling_musd"]) - best, ROUNDING * abs(best)
    if saved is None or slack - saved <= rounding:
        return ""
    text = _(
        "the slack of {amount} is larger than what all optional projects save together, so a plan without any is "
        "within it, and none of them can be in every plan",
        amount=money(slack),
    )
    if saved > rounding:
        share = number(f"{saved / abs(best):.2%}")
        text = _("{sentence}; a slack below {share} can tell which are needed", sentence=text, share=share)
    return full_stop(text)


def _musd(musd: float) -> str:
    return f"{figure_of(musd, 6)} MUSD"


def _range_words(row: Any) -> str:
    span = f"{row.least:.3g}" if row.most - row.least < SOME else f"{row.least:.3g}-{row.most:.3g}"
    latest = "" if row.latest_start != row.latest_start else f", start by {row.latest_start:.0f}"
    return f"{row.option} ({span}{latest}{'' if row.proven or row.verdict == 'open' else ', ends not proven'})"
