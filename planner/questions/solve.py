"""Solve an instance: the cheapest plan, audited, with all that is told of it."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from ..arguments import checked, fraction
from ..errors import Infeasible, NoPlan, SolverFailed, UsageError
from ..instance.loading import given_instance
from ..language import _
from ..runs.manifest import SCHEMA
from ..runs.run import Run, given_run
from ..runs.tables import Tables, components
from ..words import blank

if TYPE_CHECKING:
    from pathlib import Path

    from ..instance.instance import Instance
    from ..prepare import Prepared
    from ..solving.aims import Aim
    from ..solving.pins import Pins
    from ..solving.search import Outcome
    from ..solving.solver import Progress, Settings
    from ..solving.survive import Survivor


@checked
def solve(
    instance: Instance | str | Path,
    *,
    gap: float | str | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    pins: Pins | None = None,
    start: Run | str | Path | None = None,
    objective: str = "cost",
    slack: float | str | None = None,
    ceiling: float | None = None,
    relax: bool = False,
    audit: bool = True,
    progress: Progress | None = None,
    load_seconds: float = 0.0,
) -> Run:
    """Solve an instance.

    gap         relative MIP gap to stop at; None: proven up to 200 integer decisions, else 0.001, or if that is less a
                twentieth of what all optional projects save, but not below 0.0002
    time_limit  seconds of search; None: no limit
    threads     solver threads (fixed and recorded: another number may give another plan of the same cost)
    seed        solver seed
    pins        builds to hold, see `Pins`
    start       a plan whose builds the search begins with, such as one of an instance with fewer choices: if they are a
                plan here, the one found costs no more
    objective   ``cost``; or under a ceiling on cost ``public`` (least money of funds) or ``exposure`` (least exposed
                deliveries), then the least cost that reaches it; plan.json tells what each step reached
    slack       the ceiling as a fraction over the least cost
    ceiling     or as MUSD of present value
    relax       solve the linear relaxation: parts of modules may be built, and of options that exclude each other. No
                plan costs less; what it builds is no plan
    audit       recompute the plan from the raw tables, and raise AuditError if it does not hold
    progress    called with lines of text while a long search runs
    load_seconds  what reading the instance took, to be recorded with the other times

    Raises UsageError on settings and pins that cannot be, Infeasible (with the reason in the instance's words),
    NoPlan, Unbounded, SolverFailed, AuditError.
    """
    instance = given_instance(instance)
    if pins is not None and not hasattr(pins, "hold"):
        raise UsageError(f"pins: expected planner.Pins, not {type(pins).__name__}; see Pins.parse")
    gap, slack = fraction(gap, "gap"), fraction(slack, "slack")

    from ..prepare import prepare
    from ..solving.aims import optimise_for
    from ..solving.pins import Pins
    from ..solving.search import optimise
    from ..solving.solver import Settings

    settings = Settings(gap=gap, time_limit=time_limit, threads=threads, seed=seed)
    aim = _aim(objective, slack, ceiling)
    known = None if start is None else given_run(start)
    if relax and (aim is not None or known is not None):
        raise UsageError("relax: only for the least cost, and without a start")
    if relax:
        refuse_relaxation(instance)
    if known is not None and (aim is not None or pins):
        raise UsageError("a start is for the objective cost, with no builds held")
    if aim is not None and instance.survive:
        raise UsageError(f"objective {aim.name}: not with outages that must be survived ([security] survive)")
    started = time.perf_counter()
    prepared = prepare(instance)
    ready = time.perf_counter() - started
    steps: list[dict[str, Any]] = []
    if aim is None:
        begin = None if known is None else Pins.of(instance, known)
        outcome = optimise(prepared.data, settings, progress, pins, begin, relax)
    else:
        outcome, steps = optimise_for(aim, prepared.data, settings, progress, pins)
    outcome.seconds["build"] += ready
    if pins is not None and (others := instance.other_choices(pins.forbid)):
        outcome.notes.append(_("{others}: forbid them too if none of the group is to be built", others=others))
    if outcome.stopped == "infeasible":
        from .diagnose.diagnose import diagnose

        how: dict[str, Any] = {"time_limit": time_limit, "threads": threads, "seed": seed, "progress": progress}
        found = diagnose(instance, pins, workers=1, **how)  # one solve is the work of one process
        raise Infeasible(str(found), found)
    if not outcome.held:
        raise NoPlan(f"no plan was found before the search ended ({outcome.stopped}); allow more time")
    survivor = None
    if instance.survive:
        from ..solving.survive import survive

        survivor = survive(instance, prepared, outcome, settings, pins, progress)
        prepared, outcome = survivor.prepared, survivor.outcome
    plan = told(prepared, outcome, settings, survivor=survivor, load_seconds=load_seconds, pins=pins, start=known)
    if aim is not None:
        plan.plan["settings"]["objective"] = {"name": aim.name, "slack": aim.slack, "ceiling_musd": aim.ceiling}
        plan.plan["stages"] = steps
    if audit:
        _audit(instance, plan)
    if survivor:
        plan.plan["survive"] = _confirm(instance, plan, survivor, settings, audit)
    plan.plan["seconds"]["total"] = round(load_seconds + time.perf_counter() - started, 3)
    return plan


def solve_unless_stopped(instance: Instance, **how: Any) -> Run:
    """Return the plan of an instance as `solve` does, for a study. Raises KeyboardInterrupt if Ctrl-C ended the search.

    A plan that was cut short is worth keeping, but a study that took it for an answer would go on.
    """
    plan = solve(instance, **how)
    if plan.plan["stopped"] == "interrupted":
        raise KeyboardInterrupt
    return plan


def refuse_relaxation(instance: Instance) -> None:
    """Raise UsageError if an instance has rules that its linear relaxation cannot tell."""
    if instance.survive or instance.option_sizes:
        raise UsageError("relax: not with outages that must be survived, nor with sizes of options")


def told(
    prepared: Prepared,
    outcome: Outcome,
    settings: Settings,
    *,
    survivor: Survivor | None = None,
    load_seconds: float = 0.0,
    pins: Pins | None = None,
    start: Run | None = None,
) -> Run:
    """Return what a search found as a run, not yet audited.

    survivor  what the search for outages that must be survived found; None: there was none
    The other arguments are as in `solve`; ``start`` is the plan from which the search began.
    """
    from ..garbage import paused_garbage_collector
    from ..runs.origin import ledger
    from ..solving.solution import tables

    instance = prepared.instance
    with paused_garbage_collector():
        frames, branches = survivor.tables if survivor else tables(prepared, outcome)
        frames["origin"] = ledger(instance, frames)
        if instance.price_floors or instance.offtakes:
            from ..runs.outlays import outlays

            frames.update(outlays(instance, frames))
        about = _summary(prepared, settings, outcome, frames, load_seconds, pins, start)
        return Run(about, frames, branches, None, instance)


def _aim(objective: str, slack: float | None, ceiling: float | None) -> Aim | None:
    from ..solving.aims import Aim

    if objective != "cost":
        return Aim(objective, slack, ceiling)
    if slack is not None or ceiling is not None:
        raise UsageError("a slack or a ceiling on cost is for the objectives public and exposure")
    return None


def _audit(instance: Instance, plan: Run) -> None:
    from ..auditing import audit
    from ..errors import AuditError

    report = audit(instance, plan)
    plan.plan["audit"] = report.to_dict()
    if not report.ok:
        raise AuditError(f"the plan does not agree with the instance; please report this as a defect\n{report}")


def _confirm(instance: Instance, plan: Run, survivor: Survivor, settings: Settings, audited: bool) -> dict[str, Any]:
    """Try every outage once more on the plan as it is told in its tables, and what plan.json says of it.

    audited  recompute each from the raw tables too; raises AuditError if one does not hold
    """
    from ..auditing import BranchAudit
    from ..errors import AuditError
    from ..instance.outages import as_scenarios, lost
    from ..solving.survive import aftermaths

    of_cases, names = as_scenarios(instance, survivor.tried)
    scenario_of = {k: scenario for scenario, k in names.items()}
    auditor = BranchAudit(instance, plan.tables) if audited else None
    rows: dict[int, dict[str, Any]] = {}
    for aftermath, positions in aftermaths(instance, survivor.tried, plan.tables, settings):
        for k in positions:
            case = survivor.tried[k]
            take = lost(instance, case)
            missing, x = aftermath.missing(take)
            if missing > 0.0:
                raise SolverFailed(f"the plan should survive {case}, but {missing:.3g} t are missing")
            if auditor:
                shown, cost = aftermath.tables(of_cases, scenario_of[k], x)
                report = auditor.audit(of_cases, scenario_of[k], shown, cost, aftermath.last_start)
                if not report.ok:
                    raise AuditError(f"{case} is not survived by the rules; please report this as a defect\n{report}")
            part = aftermath.most(take)
            rows[k] = {
                "outage": case.kind,
                "of": case.name,
                "first_year": case.first,
                "last_year": case.last,
                "from_month": case.window.start % 12 + 1 if case.window else None,
                "months": len(case.window) if case.window else None,
                "asked": dict(case.floors),
                "reached": {sector: _tidy(part * level) for sector, level in case.floors},
                "included": case in survivor.included,
            }
    return {
        "rounds": survivor.rounds,
        "tried": len(survivor.tried),
        "included": len(survivor.included),
        "audited": audited,
        "cases": [rows[k] for k in sorted(rows)],
    }


def _tidy(share: float) -> float:
    return round(min(1.0, share), 9)


def _summary(
    prepared: Prepared,
    settings: Settings,
    outcome: Outcome,
    frames: Tables,
    load_seconds: float,
    pins: Pins | None,
    start: Run | None,
) -> dict[str, Any]:
    """The content of plan.json, but for what is only known when the run is written."""
    instance = prepared.instance
    objective = float(sum(frames.cells("costs")["present_musd"]))
    bound = objective - max(0.0, outcome.objective - outcome.bound)  # with a risk weight the gap is that of the whole
    gap = abs(objective - bound) / max(abs(objective), 1e-9)
    proven = outcome.stopped == "optimal" or gap <= outcome.gap_asked
    return {
        "schema": SCHEMA,
        "instance": {
            **instance.identity,
            # as it was given, so that runs written to different folders have the same bytes
            "path": None if instance.path is None else instance.path.as_posix(),
            **({"changes": [made._asdict() for made in instance.changes]} if instance.changes else {}),
        },
        "periods": {str(p.first_year): p.length for p in prepared.periods},
        "money": {
            "currency": instance.currency,
            "price_year": instance.price_year,
            "discount_rate": instance.discount_rate,
        },
        "versions": _versions(),
        "settings": {
            **asdict(settings),
            "gap": outcome.gap_asked,
            **({"pins": pins.to_dict()} if pins else {}),
            **({"start": start.digest} if start else {}),
            **({"relaxed": True} if outcome.relaxed else {}),
        },
        "status": "optimal" if proven else "feasible",
        "stopped": outcome.stopped,
        "objective_musd": objective,
        "bound_musd": bound,
        "gap": gap,
        "without_projects_musd": blank(outcome.without_projects),
        "seconds": {
            "load": round(load_seconds, 3),
            "build": round(outcome.seconds["build"], 3),
            "solve": round(outcome.seconds["solve"], 3),
            "write": 0.0,
            "total": 0.0,
        },
        "size": outcome.size,
        "metrics": _metrics(instance, frames),
        "certificate": outcome.certificate,
        **_risk(prepared, outcome),
        "notes": outcome.notes,
    }


def _risk(prepared: Prepared, outcome: Outcome) -> dict[str, Any]:
    """What each course of events costs, and the mean of the worst; nothing without scenarios."""
    from ..solving.outcomes import mean_of_worst, outcomes

    if not prepared.instance.scenarios:
        return {}
    courses = outcomes(prepared, outcome.values)
    found: dict[str, Any] = {"outcomes": courses}
    risk = prepared.data.risk
    if risk is not None:
        column = "cost_musd" if risk.measure == "cost" else "unserved_t"
        found["risk"] = {
            "measure": risk.measure,
            "weight": prepared.instance.risk_weight,
            "alpha": risk.alpha,
            column.replace(risk.measure, "mean_of_worst"): mean_of_worst(
                [c[column] for c in courses], [c["probability"] for c in courses], risk.alpha
            ),
            "objective_musd": outcome.objective,
            "bound_musd": outcome.bound,
        }
    return found


def _metrics(instance: Instance, frames: Tables) -> dict[str, Any]:
    """Shares by year and stage, tonnes short and demanded (t/yr), and money (MUSD), from the tables of the plan."""
    years = [str(y) for y in instance.years]
    exposed: dict[str, float | None] = dict.fromkeys(years)
    stages: dict[str, dict[str, float | None]] = {s: dict.fromkeys(years) for s in instance.stages}
    for row in frames.rows("dependence"):
        share = None if row.share != row.share else row.share
        if row.cap == "" and row.metric == "exposed_share":
            exposed[str(row.year)] = share
        elif row.cap == "" and row.stage:
            stages[row.stage][str(row.year)] = share
    short, demand = dict.fromkeys(years, 0.0), dict.fromkeys(years, 0.0)
    for row in frames.rows("service"):
        short[str(row.year)] += row.short_t
        demand[str(row.year)] += row.demand_t
    cost = dict.fromkeys(components(instance), 0.0)
    for row in frames.rows("costs"):
        cost[row.component] += row.present_musd
    return {
        "exposed_share": exposed,
        "stage_share": stages,
        "short_t": {y: t if t > instance.negligible_t else 0.0 for y, t in short.items()},
        "demand_t": demand,
        "capex_musd": float(sum(frames.cells("builds")["capex_musd"])),
        "cost_musd": cost,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name, package in (("planner", "magnet-planner"), ("pyomo", "pyomo"), ("highspy", "highspy")):
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
