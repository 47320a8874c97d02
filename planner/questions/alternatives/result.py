"""Near-optimal plans as they are told: ranges, groups, what the slack buys, and the plans themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...bands import ROUNDING, Searched, difference
from ...errors import UsageError, hinted
from ...language import N_, _, n_, number, translated
from ...words import commas, figure_of, full_stop, semicolons, share_of
from ..study import COMPLETE, INSTANCE, SETTINGS, Study, Table, Value

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run


SOME = 1e-6  # modules; less is none
SPANS = ("least_t", "most_t", "least_musd", "most_musd")  # columns of the table ``groups``
MOST_PAIRS = 12  # pairs of a kind that are told in the text


BUYS = {
    N_("least exposure"): N_("demand not served clean, present value, kt"),
    N_("least capex"): N_("overnight capex, MUSD"),
    N_("least public money"): N_("draws on funds, MUSD"),
    N_("least shortage"): N_("tonnes short, present value, kt"),
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
            bound         | number | kt or MUSD | no near-optimal plan has less; blank: nothing is known of that
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
            _(
                "Plans within {slack} % of the least cost: {least} to {most} MUSD",
                slack=number(f"{100 * self.slack:.3g}"),
                least=figure_of(self.best_musd, 6),
                most=figure_of(self.ceiling_musd, 6),
            )
        ]
        about = self.to_dict()
        lines.append(without_projects(about, _musd))
        if warning := too_wide(about, _musd):
            lines.append(_("Careful: {warning}", warning=warning))
        if self.best_musd - self.bound_musd > ROUNDING * abs(self.best_musd):
            within = (self.ceiling_musd - self.bound_musd) / max(abs(self.bound_musd), 1e-9)
            lines.append(
                _(
                    "No plan costs less than {amount} MUSD: by that gap, what is built in some of them is built in "
                    "some within {share} of the least cost; the other verdicts hold",
                    amount=figure_of(self.bound_musd, 6),
                    share=share_of(within),
                )
            )
        for verdict, meaning in (
            (N_("always"), _("in every one (no-regret)")),
            (N_("sometimes"), _("in some")),
            (N_("never"), _("in none")),
            (N_("open"), _("in all or in none that were found, not proven")),
        ):
            rows = self.ranges[self.ranges["verdict"] == verdict]
            shown = [_range_words(r) for r in rows.head(40).itertuples()]
            if shown or verdict != "open":
                names = _first(commas(shown), len(rows) - 40) or _("nothing")
                said = _("{verdict}, {meaning}: {names}", verdict=translated(verdict), meaning=meaning, names=names)
                lines.append(said)
        if len(self.groups):
            lines.append(_("Groups (least to most capacity started, t; capex, MUSD):"))
            for r in self.groups.itertuples():
                ends = {name: figure_of(getattr(r, name), 5) for name in SPANS}
                text = _("{group}: {least_t} to {most_t} t, {least_musd} to {most_musd} MUSD", group=r.group, **ends)
                lines.append(f"  {_proven(text, r.proven)}")
        if len(self.buys):
            lines.append(_("What the slack buys at most:"))
            for r in self.buys.itertuples():
                text = _(
                    "{aim}: {now} -> {best} ({measured})",
                    aim=translated(r.aim),
                    now=figure_of(r.at_least_cost, 5),
                    best=figure_of(r.best, 5),
                    measured=translated(BUYS[r.aim]),
                )
                if not r.proven and r.bound > 0.0:
                    text = _(
                        "{sentence}; less than {bound} is not possible", sentence=text, bound=figure_of(r.bound, 5)
                    )
                lines.append(f"  {_proven(text, r.proven)}")
        lines += pairs_in_words(self.pairs.to_dict("records"))
        costs = self.plans.drop_duplicates("plan").set_index("plan")["cost_musd"]
        if len(costs) > 1:
            lines.append(_("Plans that differ most:"))
            for name, cost in costs.items():
                lines.append("  " + _("{plan}: {amount} MUSD", plan=translated(name), amount=figure_of(cost, 6)))
            lines.append(coverage_in_words(self.coverage.to_dict("records")))
        if not self.complete:
            lines.append(_("Interrupted: what was found so far; ranges not asked are what the plans found show."))
        return "\n".join(lines)


def _first(names: str, left: int) -> str:
    """Return names, and how many of them are left out, if any are."""
    return n_("{names} and {n} more", "{names} and {n} more", left, names=names) if left > 0 else names


def _proven(text: str, proven: bool) -> str:
    return text if proven else _("{sentence} (not proven)", sentence=text)


def pairs_in_words(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is found of pairs, as sentences: which two exclude each other, and of which two one is needed.

    pairs  rows of the table ``pairs``
    """
    told = [
        (_("Not both within the slack"), [p for p in pairs if p["both"] == "no"]),
        (_("One of the two at least in every plan"), [p for p in pairs if p["neither"] == "no"]),
    ]
    lines = []
    for says, rows in told:
        shown = semicolons(_("{names} and {last}", names=p["one"], last=p["other"]) for p in rows[:MOST_PAIRS])
        lines += [_("{head}: {parts}", head=says, parts=_first(shown, len(rows) - MOST_PAIRS))] if rows else []
    left = sum("open" in (p["both"], p["neither"]) for p in pairs)
    lines += [_("Pairs not settled in time: {left} of {n}", left=left, n=len(pairs))] if left else []
    if pairs and not lines:
        lines.append(_("Of the {n} pairs looked at, some plan builds both of each, and some neither", n=len(pairs)))
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
    return _("{amount} MUSD", amount=figure_of(musd, 6))


def _range_words(row: Any) -> str:
    span = f"{row.least:.3g}" if row.most - row.least < SOME else f"{row.least:.3g}-{row.most:.3g}"
    parts = [number(span)]
    if row.latest_start == row.latest_start:
        parts.append(_("start by {year}", year=f"{row.latest_start:.0f}"))
    if not row.proven and row.verdict != "open":
        parts.append(_("ends not proven"))
    return _("{name} ({parts})", name=row.option, parts=commas(parts))
