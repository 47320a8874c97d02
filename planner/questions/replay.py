"""Policies followed through drawn futures year by year, each with only what is known by then.

A *future* is an outcome of all projects, and the scenarios of the instance that happen. A policy starts what it has
decided; that a project fails, is late, dear or small shows in the year in which it should have come online. Three kinds
of policy are compared on the same futures: a plan that is held to, a plan that is made anew at each piece of news, and
a roadmap followed through its gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..arguments import checked
from ..bands import span_of
from ..errors import UsageError
from ..instance.courses import lines
from ..instance.loading import given_instance
from ..instance.wildcards import plants_of
from ..language import N_, _, n_, translated
from ..runs.run import Run, given_run
from ..words import commas, figure_of, listed, semicolons, share_of
from .delivery.delivered import Delivered
from .delivery.draws import JointOutcome, apart, check_uncertain, draw
from .many import Finished, Many, Result, Worker
from .roadmap.result import Roadmap
from .study import COMPLETE, INSTANCE, NOTES, SETTINGS, Study, Table, Written, text_table

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance
    from ..instance.tables import Scenario
    from ..solving.solver import Progress

HELD, ANEW, GATES = N_("held"), N_("made anew at news"), N_("followed through its gates")
SURE = 1.96  # standard errors of a mean difference: 95 %


@dataclass(frozen=True)
class Replay(Study):
    """How policies fare in the same futures.

    policies  mean and spread of each policy
    futures   each policy in each future
    """

    COMMAND, MANIFEST, OF = "replay", "replay.json", "instance"
    HOLDS = (
        INSTANCE,
        COMPLETE,
        SETTINGS,
        NOTES,
        Table(
            "policies",
            "Each policy over all futures, the cheapest on average first.",
            """
            policy        | text   |       | name of the plan or roadmap, and how it is followed
            how           | text   |       | `held`, `made anew at news` or `followed through its gates`
            mean_musd     | number | MUSD  | present cost, mean
            p10_musd      | number | MUSD  | a tenth of the futures cost less
            p90_musd      | number | MUSD  | nine tenths cost less
            worst_musd    | number | MUSD  | mean of the dearest tenth
            short_t       | number | t     | short over the horizon, mean
            exposed_share | number | share | exposed of all deliveries, mean
            broken        | number | share | futures in which a service floor, least use or final stock is not kept
            beyond_musd   | number | MUSD  | mean cost beyond that of the first policy, future by future
            least_musd    | number | MUSD  | lower end of that difference: 95 % of sampling, and the gaps of both
            most_musd     | number | MUSD  | upper end
            gap           | number |       | largest relative gap of a search on the way
            """,
        ),
        Table(
            "futures",
            "Each policy in each future.",
            """
            policy         | text    |      | the policy
            future         | integer |      | number of the future, from 1
            cost_musd      | number  | MUSD | present cost
            short_t        | number  | t    | short over the horizon
            exposed_share  | number  | share | exposed of all deliveries
            promise_broken | yes/no  |      | whether a service floor, least use or final stock is not kept
            searches       | integer |      | how often the plan was made anew
            gap            | number  |      | largest relative gap of these searches
            """,
            in_manifest=False,
        ),
    )  # fmt: skip

    instance: Instance
    policies: pd.DataFrame
    futures: pd.DataFrame
    complete: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        count = self.futures["future"].nunique()
        first = self.policies.iloc[0]
        columns = [
            *((_("policy"), "<44"), (_("mean MUSD"), ">11"), ("10 %", ">10"), ("90 %", ">10")),
            *((_("worst tenth"), ">12"), (_("short t"), ">10"), (_("exposed"), ">9")),
            (" " + _("beyond the first, MUSD"), ""),
        ]
        rows = [
            (
                *(r.policy, figure_of(r.mean_musd, 6), figure_of(r.p10_musd, 6), figure_of(r.p90_musd, 6)),
                *(figure_of(r.worst_musd, 6), figure_of(r.short_t, 4), share_of(r.exposed_share)),
                "" if r.policy == first.policy else " " + span_of(r.beyond_musd, r.least_musd, r.most_musd),
            )
            for r in self.policies.itertuples()
        ]
        lines = [
            _("{instance}: {n} futures, the same for all", instance=self.instance.title, n=count),
            *text_table(columns, rows),
        ]
        lines += self.notes
        if not self.complete:
            lines.append(_("Interrupted: the futures tried so far."))
        return "\n".join(lines)


class Future(NamedTuple):
    """What happens: what becomes of each project, and scenario -> first year of those that happen."""

    projects: JointOutcome
    events: Mapping[str, int]


@dataclass(frozen=True)
class Gate:
    """A branch of a roadmap: what must have happened, and what is started then.

    event        scenario that happens; blank: it is about projects
    fails, late  options that must have failed, or be late
    builds       (option, start year) -> modules
    then         the branches that leave it, by the date of their news
    """

    event: str
    fails: frozenset[str]
    late: frozenset[str]
    builds: Mapping[tuple[str, int], float]
    then: tuple[Gate, ...]

    def opens(self, future: Future) -> bool:
        """Return whether the future has the news of this branch."""
        if self.event:
            return self.event in future.events
        outcome = future.projects
        own = [outcome[option] for option in self.fails | self.late]
        if self.fails:
            return not any(of.comes for of in own)
        return all(of.comes for of in own) and any(of.delay > 0 for of in own)

    def reached(self, future: Future) -> Gate:
        """Return the branch in which a future ends."""
        for gate in self.then:
            if gate.opens(future):
                return gate.reached(future)
        return self


@dataclass(frozen=True)
class Policy:
    """What is followed.

    name       of the plan or roadmap
    how        HELD, ANEW or GATES
    delivered  the plan; for GATES without its branches
    gates      the roadmap
    """

    name: str
    how: str
    delivered: Delivered
    gates: Gate | None = None

    @property
    def title(self) -> str:
        """Name and way."""
        return _("{name}, {how}", name=self.name, how=translated(self.how))

    @property
    def digest(self) -> list[str]:
        """What tells it apart from all other policies, but for its name."""
        return [self.how, self.delivered.digest, repr(self.gates)]

    def through(self, future: Future) -> Result:
        """Return what comes of the policy in a future, as values that JSON can hold."""
        plan, widest, searches = self.delivered, 0.0, 0
        builds = {(o.option, year): n for o, year, n in plan.builds}
        if self.gates is not None:
            builds = dict(self.gates.reached(future).builds)
        elif self.how == ANEW and plan.answer is not None:
            after = plan.answer.after
            within = lambda events: plan.answer_in(events, after)  # noqa: E731
            anew, widest, searches = plan.answer.followed(future.projects, future.events, within)
            builds = dict(anew)
        listed = [(plan.modules.options[option], year, n) for (option, year), n in sorted(builds.items()) if n > 0.0]
        return {**plan.held(future.projects, listed, frozenset(future.events)), "gap": widest, "searches": searches}


class _Policies:
    """All policies, as they are sent to other processes; a piece of work is the number of one, and a future."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies = policies

    def __call__(self) -> Worker:
        return lambda work: self.policies[work[0]].through(work[1])


@checked
def replay(
    *runs: Run | Roadmap | str | Path,
    instance: Instance | str | Path | None = None,
    samples: int = 32,
    seed: int = 0,
    rebuild_after: int | None = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Replay:
    """Follow plans and roadmaps through the same drawn futures, each with only what is known by then.

    runs           plans (such as one and its hedge), roadmaps, or their folders
    instance       the instance of the futures [that of the first plan]
    samples        futures, drawn evenly (a Sobol sequence) by success_probability and delivery_risk.csv, and by the
                   probabilities of the instance's scenarios: price paths, squeezes, outages
    seed           of the draws
    rebuild_after  years after a piece of news from which on something else may be started. None: plans are only held
    workers        processes; None: one per core, where there is enough to do. Their number changes nothing
    scheduler      address of a Dask scheduler to use instead, with the extra ``distributed``
    partial        file that keeps finished futures until all are done: a repeated call goes on from there

    A plan is followed twice: held to whatever happens, and made anew at each piece of news, as if all that is still
    unknown came as planned; what was started stays. Of options whose starts are projects of their own (`apart` in
    delivery_risk.csv) the starts that are still unknown count as they come on average. A roadmap starts what its gates
    say, and is held to between them.
    A scenario acts by the clock of years, one of months too, for the part of a year that it takes: in a future all that
    happens is laid on the plan's own periods, so that months would make each future as large as twelve. It is known
    from its first year on with all that it disrupts, and lifts caps and clean-only rules in the periods that it
    touches. Costs are those of `delivery_risk`: builds are paid for,
    operations re-solved, caps hold and shortage pays.
    Raises UsageError if no project is uncertain, if a plan does not fit the instance, or if a gate of a roadmap is
    about something else than projects that never come or are late.
    """
    if not runs or samples < 2:
        raise UsageError(f"{len(runs)} plans, samples = {samples}: expected one plan or more, and 2 or more")
    given = [_given(source) for source in runs]
    plans = [one for __, one in given if isinstance(one, Run)]
    if not plans:
        raise UsageError("expected a plan beside the roadmaps, with which they can be compared")
    known = plans[0].instance if instance is None else given_instance(instance)
    happens = [s for s in known.scenarios if s.probability > 0.0]
    if not happens:
        check_uncertain(known)
    ways = (HELD,) if rebuild_after is None else (HELD, ANEW)
    policies = []
    for name, source in given:
        if isinstance(source, Run):
            delivered = Delivered(known, source, rebuild_after)
            policies += [Policy(name, how, delivered) for how in ways]
    policies += [
        Policy(name, GATES, policies[0].delivered, _gates(known, name, source))
        for name, source in given
        if not isinstance(source, Run)
    ]
    names = [policy.title for policy in policies]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two policies are called {twice}: give their folders different names")
    draws = draw(known, samples, seed, len(happens))
    futures = [Future(draws.outcome(s), _happening(known, happens, draws.events[s])) for s in range(samples)]
    work = [(p, future) for future in futures for p in range(len(policies))]
    finished = Finished([known.sha256, "replay", rebuild_after], partial)
    keys = [finished.key([policies[p].digest, list(of.projects.items()), sorted(of.events.items())]) for p, of in work]
    with Many(
        _Policies(policies), finished, "futures", workers=workers, scheduler=scheduler, progress=progress
    ) as many:
        try:
            for __ in many.results(dict(zip(keys, work, strict=True))):
                pass
            finished.forget()
        except KeyboardInterrupt:
            if not any(all(key in finished.results for key in of) for of in _by_future(keys, len(policies))):
                raise  # not even one future was tried for all policies
    return _result(known, policies, keys, finished.results, samples, seed, rebuild_after)


def _happening(instance: Instance, scenarios: Sequence[Scenario], drawn: np.ndarray) -> dict[str, int]:
    """Return the scenarios that happen in a future, each with the first year of the horizon in which it is known.

    drawn  a number from 0 to 1 for each of the scenarios

    Scenarios that are a tree of their own (`parent`, `rebuild_after`) exclude others that leave the same course. Else
    each is independent, as in the tree that ``roadmap`` makes.
    """
    tree = any(s.parent or s.rebuild_after is not None for s in instance.scenarios)
    numbers = dict(zip((s.scenario for s in scenarios), drawn.tolist(), strict=True))
    happens: dict[str, int] = {}
    for line in sorted(lines(scenarios).values(), key=len):
        if not line or (line[0].parent and line[0].parent not in happens):
            continue
        own = line[0]
        others = [s for s in scenarios if tree and s.parent == own.parent and s.scenario != own.scenario]
        if any(s.scenario in happens for s in others):
            continue
        before = sum(s.probability for s in others if scenarios.index(s) < scenarios.index(own))
        left = (line[1].probability if len(line) > 1 else 1.0) - before
        if numbers[own.scenario] * left < own.probability:
            happens[own.scenario] = max(own.first_year, instance.years[0])
    return happens


def _by_future(keys: Sequence[str], policies: int) -> list[Sequence[str]]:
    """Return the keys of the work of each future, one for each policy."""
    return [keys[k : k + policies] for k in range(0, len(keys), policies)]


def _given(source: Run | Roadmap | str | Path) -> tuple[str, Run | Roadmap | Written]:
    """Return the name of a policy, and its plan or roadmap."""
    if isinstance(source, Roadmap):
        return "roadmap", source
    if isinstance(source, (str, Path)) and (Path(source) / Roadmap.MANIFEST).is_file():
        return Path(source).name, Roadmap.read(source)
    run = given_run(source)
    return (run.path or Path(run.instance.name)).name, run


def _gates(instance: Instance, name: str, roadmap: Roadmap | Written) -> Gate:
    """Return the tree of a roadmap with what each branch starts."""
    if instance.closures:
        raise UsageError(f"{name}: what its branches close is not recorded, so that it cannot be followed")
    tables = (roadmap.written() if isinstance(roadmap, Roadmap) else roadmap).tables
    options = {o.option for o in instance.options}
    strange = sorted({r["option"] for table in ("signed", "gates") for r in tables[table]} - options)
    if strange:
        raise UsageError(f"{name} starts {', '.join(strange)}, which {instance.name} does not have")

    def below(course: str, builds: Mapping[tuple[str, int], float]) -> tuple[Gate, ...]:
        found = []
        for row in sorted(tables["courses"], key=lambda row: (row["year"] or 0, row["scenario"])):
            if not row["scenario"] or row["parent"] != course:
                continue
            event, fails, late = _news(instance, name, row["scenario"], tables["disruptions"])
            own = dict(builds)
            for r in tables["gates"]:
                if r["scenario"] == row["scenario"]:
                    more = r["modules"] if r["action"] == "start" else -r["modules"]
                    own[r["option"], r["start_year"]] = own.get((r["option"], r["start_year"]), 0.0) + more
            found.append(Gate(event, fails, late, own, below(row["scenario"], own)))
        return tuple(found)

    signed = {(r["option"], r["start_year"]): r["modules"] for r in tables["signed"]}
    return Gate("", frozenset(), frozenset(), signed, below("", signed))


def _news(
    instance: Instance, name: str, scenario: str, rows: Sequence[Any]
) -> tuple[str, frozenset[str], frozenset[str]]:
    """Return what has happened when a branch begins: a scenario, or options that failed, and options that are late."""
    scenarios = {s.scenario for s in instance.scenarios if s.probability > 0.0}
    last = scenario if scenario in scenarios else scenario.rpartition(" + ")[2]
    if last in scenarios:
        return last, frozenset(), frozenset()
    hit: dict[str, set[str]] = {"project_failure": set(), "outage": set()}
    for row in rows:
        if row["scenario"] == scenario:
            plants = plants_of(instance, row["facility"]) if row["facility"] else frozenset()
            of = {o.option for o in instance.options if o.facility in plants}
            if row["kind"] not in hit or not of:
                hit = {}
                break
            hit[row["kind"]] |= of
    several = set().union(*hit.values()) & set(apart(instance))
    hit = {kind: of - several for kind, of in hit.items()}
    if several and not any(hit.values()):
        raise UsageError(
            f'{name}: the branch "{scenario}" is about {", ".join(sorted(several))}, of which each start comes or '
            "fails by itself (delivery_risk.csv, apart): no future tells of all of them at once"
        )
    if not hit or not any(hit.values()):
        raise UsageError(
            f'{name}: the branch "{scenario}" is about something else than projects that never come or are late, '
            "and than scenarios of the instance with a probability: the drawn futures do not tell of it"
        )
    return "", frozenset(hit["project_failure"]), frozenset(hit["outage"])


def _result(
    instance: Instance,
    policies: Sequence[Policy],
    keys: Sequence[str],
    results: Mapping[str, Result],
    samples: int,
    seed: int,
    rebuild_after: int | None,
) -> Replay:
    """Return the study of the futures that were tried for all policies."""
    import pandas as pd

    count = len(policies)
    whole = [s for s, of in enumerate(_by_future(keys, count)) if all(key in results for key in of)]
    lengths = np.array([p.length for p in policies[0].delivered.modules.span])
    futures = pd.DataFrame(
        [
            (policy.title, s + 1, r["cost"], float(np.dot(r["short"], lengths)),
             float(np.dot(r["exposed"], lengths) / max(np.dot(r["delivered"], lengths), 1e-12)),
             r["unkept"], r["searches"], r["gap"])
            for p, policy in enumerate(policies) for s in whole for r in (results[keys[s * count + p]],)
        ],
        columns=Replay.columns("futures"),
    )  # fmt: skip
    costs = {p.title: futures.loc[futures["policy"] == p.title, "cost_musd"].to_numpy() for p in policies}
    order = sorted(policies, key=lambda p: float(costs[p.title].mean()))
    rows = []
    for policy in order:
        of = futures[futures["policy"] == policy.title]
        cost, first = costs[policy.title], costs[order[0].title]
        more = cost - first
        spread = SURE * float(more.std(ddof=1)) / np.sqrt(len(more)) if len(more) > 1 else 0.0
        # a plan made anew may be dearer than the best by the gap of its search; a held one is what it is
        dearer, cheaper = (
            float((v["gap"] * v["cost_musd"]).mean()) for v in (futures[futures["policy"] == order[0].title], of)
        )
        mean = float(more.mean())
        band = (0.0, 0.0, 0.0) if policy is order[0] else (mean, mean - spread - cheaper, mean + spread + dearer)
        worst = np.sort(cost)[-max(1, round(0.1 * len(cost))) :]
        rows.append(
            (policy.title, policy.how, float(cost.mean()), *np.quantile(cost, (0.1, 0.9)).tolist(), float(worst.mean()),
             float(of["short_t"].mean()), float(of["exposed_share"].mean()), float(of["promise_broken"].mean()),
             *band, float(of["gap"].max()))
        )  # fmt: skip
    asked = {"samples": samples, "seed": seed, "rebuild_after": rebuild_after}
    table = pd.DataFrame(rows, columns=Replay.columns("policies"))
    return Replay(
        instance,
        table,
        futures,
        len(whole) == samples,
        asked,
        (*_notes(table, len(apart(instance))), *_by_years(instance)),
    )


def _by_years(instance: Instance) -> tuple[str, ...]:
    """Return a note where scenarios that may happen speak of months, which futures do not have."""
    timed = [s.scenario for s in instance.scenarios if s.probability > 0.0 and s.months is not None]
    if not timed:
        return ()
    held = [_("working stocks")] * bool(instance.working_stocks) + [_("goods under way")] * instance.has_transit
    if not held:
        return (
            _(
                "By the clock of years: of {scenarios} the part of a year counts here, and may be made up for in the "
                "rest of it. How such a disruption is felt by months is told by solve and stress.",
                scenarios=commas(timed),
            ),
        )
    return (
        _(
            "By the clock of years: of {scenarios} the part of a year counts here, and may be made up for in the rest "
            "of it, and {held} count for nothing. How such a disruption is felt by months is told by solve and stress.",
            scenarios=commas(timed),
            held=listed(held),
        ),
    )


def _notes(policies: pd.DataFrame, several: int) -> tuple[str, ...]:
    """Return which policies cannot be told apart from the cheapest, and what a plan that is made anew counts on.

    several  options of which each start is a project of its own
    """
    first = policies.iloc[0]
    near = [r.policy for r in policies.iloc[1:].itertuples() if r.least_musd <= 0.0]
    notes = (
        [
            _(
                "Not dearer than {first} for certain: {others}. More futures (--samples) would tell.",
                first=first.policy,
                others=semicolons(near),
            )
        ]
        if near
        else []
    )
    if (policies["how"] == ANEW).any():
        notes.append(
            _(
                "A plan that is made anew takes all that is unknown as planned, however unlikely it is; "
                "hedge and roadmap look ahead to what may fail."
            )
        )
        if several:
            notes.append(
                n_(
                    "Of {n} option that stands for many projects it counts on as many as come on average.",
                    "Of {n} options that stand for many projects it counts on as many as come on average.",
                    several,
                )
            )
    return tuple(notes)
