"""A plan that survives outages: solved, tried, and solved again with the outages that it did not survive.

An outage that must be survived is a scenario of probability 0 with a service floor. All of them at once would make a
model of hundreds of branches, of which a few decide. So each plan is tried: with its builds and stocks held, can the
floor be kept in every outage? The worst that cannot go into the model as branches, which is then solved again (column
and constraint generation); the end is a plan that survives all, at the least cost that any such plan can have.

In the model an outage is a scenario as anybody could write it; in the trial it is a set of plants and movements that
are closed. The two roads share no code, so that they check each other; the audit of every outage is a third.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Infeasible, NoPlan, SolverFailed
from ..instance.outages import Floors, Lost, Outage, as_scenarios, lost, outages
from ..prepare import prepare, prepare_branch
from ..runs.closures import closed_shares
from ..runs.tables import frame
from .compiling import Arrays, compiled
from .programme import Programme, by_family
from .search import Outcome, optimise
from .solution import Reader, tables

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance
    from ..prepare import Prepared
    from .pins import Pins
    from .solver import Progress, Settings

Frames = dict[str, "pd.DataFrame"]

AT_ONCE = 5  # outages that enter the model in a round, the worst first
SURVIVED = 1e-6  # part of what is asked for that may be missing
EACH = 60.0  # seconds for each of the searches that tell why no plan survives


@dataclass
class Survivor:
    """A plan that survives every outage, and how it was found.

    tables    of the plan and of the instance's own scenarios
    included  the outages that had to enter the model
    """

    prepared: Prepared
    outcome: Outcome
    tables: tuple[Frames, dict[str, Frames]]
    rounds: int
    tried: tuple[Outage, ...]
    included: tuple[Outage, ...]


def survive(
    instance: Instance,
    prepared: Prepared,
    outcome: Outcome,
    settings: Settings,
    pins: Pins | None = None,
    progress: Progress | None = None,
) -> Survivor:
    """From a plan that need not survive anything to the cheapest one that survives all that the instance asks.

    prepared, outcome  of the instance without its outages; they are the first round
    Raises Infeasible with the outages that no plan survives, NoPlan if the time is over before one is found.
    """
    cases = outages(instance)
    takes = [lost(instance, case) for case in cases]
    leading = _leading(cases, takes)
    own = {s.scenario for s in instance.scenarios}
    included: list[int] = []
    rounds, seconds = 1, dict(outcome.seconds)
    while True:
        frames, branches = tables(prepared, outcome)
        missing = _missing(instance, [cases[k] for k in leading], [takes[k] for k in leading], frames, settings)
        failed = {k: t for k, t in zip(leading, missing, strict=True) if t > 0.0}
        if progress:
            progress(_told(rounds, len(cases), cases, failed, outcome))
        if not failed:
            break
        if stuck := sorted(failed.keys() & set(included)):
            raise SolverFailed(f"the plan should survive {cases[stuck[0]]}, but {failed[stuck[0]]:.3g} t are missing")
        if outcome.stopped in ("time_limit", "interrupted"):
            raise NoPlan(_unfinished(outcome, failed, cases))
        included += sorted(failed, key=lambda k: (-failed[k], k))[:AT_ONCE]
        left = None if settings.time_limit is None else settings.time_limit - seconds["solve"]
        if left is not None and left <= 0.0:
            raise NoPlan(_unfinished(outcome, failed, cases))
        prepared, outcome = _solved(instance, [cases[k] for k in included], replace(settings, time_limit=left), pins,
                                    progress)  # fmt: skip
        rounds += 1
        for part, spent in outcome.seconds.items():
            seconds[part] = seconds.get(part, 0.0) + spent
        if outcome.stopped == "infeasible":
            raise Infeasible(_why(instance, [cases[k] for k in included], settings, pins, progress))
        if not outcome.held:
            raise NoPlan(_unfinished(outcome, failed, cases))
    outcome.seconds = seconds
    prepared.data.outcomes = [o for o in prepared.data.outcomes if o.scenario == "" or o.scenario in own]
    shown = {scenario: of_branch for scenario, of_branch in branches.items() if scenario in own}
    return Survivor(
        replace(prepared, instance=instance), outcome, (frames, shown), rounds, cases,
        tuple(cases[k] for k in sorted(included)),
    )  # fmt: skip


# --- one plan, every outage ----------------------------------------------------------------------------------


class Aftermath:
    """Operations in the years of outages, builds and stocks being those of a plan; plants and movements are closed.

    data.nodes are the periods from the first year of the outages to the last; what comes later cannot undo a service.
    """

    def __init__(self, quiet: Instance, scenario: str, floors: Floors, frames: Frames, settings: Settings) -> None:
        self.scenario = scenario
        first, last = next((s.first_year, s.last_year) for s in quiet.scenarios if s.scenario == scenario)
        begin = quiet.years.index(first)
        end = max(t for t, year in enumerate(quiet.years) if year <= last)
        self.last_start = quiet.years[end]
        self.prepared = prepare_branch(
            quiet, scenario, _builds(frames), _openings(quiet, begin, frames), end, closed_shares(frames)
        )
        arrays = compiled(self.prepared.data)
        self.data = self.prepared.data
        builds = _builds(frames)
        for i, k in arrays.columns.get("build", {}).items():
            start = self.data.build[i]
            arrays.col_lower[k] = arrays.col_upper[k] = builds[start.option, start.year]
            arrays.cost[k] = 0.0
        arrays.integer[:] = False
        self.cost = arrays.cost
        self.arrays = replace(arrays, cost=np.zeros(len(arrays.cost)), offset=0.0)
        self.programme = Programme(self.arrays, settings)
        self.short, self.part = add_floors(self.programme, self.arrays, self.data.need, floors)
        lengths = {n: node.length for n, node in enumerate(self.data.nodes)}
        self.weight = np.array([float(lengths[need.node]) for need in self._asked(floors)])
        self.asked = sum(
            lengths[need.node] * need.demand * level
            for need in self.data.need
            for sector, level in floors
            if sector == need.sector
        )
        self.plants: dict[str, list[int]] = defaultdict(list)
        for i, a in enumerate(self.data.activity):
            self.plants[a.facility].append(arrays.columns["activity"][i])
        self.exports: dict[tuple[str, str], list[int]] = defaultdict(list)
        for i, s in enumerate(self.data.ship):
            self.exports[s.material, s.origin].append(arrays.columns["ship"][i])

    def _asked(self, floors: Floors) -> list[Any]:
        sectors = dict(floors)
        return [need for need in self.data.need if need.sector in sectors]

    def missing(self, take: Lost) -> tuple[float, np.ndarray]:
        """Tonnes by which the floors cannot be kept, 0 where they can, and the operations that come nearest."""
        self._aim(dict(zip(self.short, self.weight, strict=True)))
        x = self._run(take)
        missing = float(self.weight @ x[self.short]) if len(self.short) else 0.0
        return (missing * 1e3 if missing > SURVIVED * self.asked else 0.0), x[: len(self.cost)]

    def most(self, take: Lost) -> float:
        """The part of all floors together that can be served; above 1 where there is more than is asked."""
        self._aim({self.part: -1.0})
        return float(self._run(take)[self.part])

    def tables(self, of_case: Instance, scenario: str, x: np.ndarray) -> tuple[Frames, float]:
        """Operations as tables of the branch of a scenario, and their present cost, MUSD."""
        x = np.clip(x, self.arrays.col_lower, self.arrays.col_upper)
        outcome = Outcome("optimal", True, values=by_family(self.arrays.columns, x))
        reader = Reader(replace(self.prepared, instance=of_case, data=_renamed(self.prepared, scenario)), outcome)
        shown = {name: frame(name, rows) for name, rows in reader.operations()[scenario].items()}
        return shown, float(self.cost @ x)

    def _aim(self, objective: Mapping[int, float]) -> None:
        cost = np.zeros(len(self.programme.whole))
        for column, value in objective.items():
            cost[column] = value
        self.programme.objective(cost)

    def _run(self, take: Lost) -> np.ndarray:
        """Column values with what an outage takes away closed."""
        closed = [k for name in sorted(take.facilities) for k in self.plants.get(name, ())]
        closed += [k for export in sorted(take.exports) for k in self.exports.get(export, ())]
        with self.programme.bounded(closed, self.arrays.col_lower[closed], 0.0):
            found = self.programme.find()
        if not found.optimal:
            raise SolverFailed(f"the operations in an outage could not be solved ({found.stopped})")
        return found.x


def add_floors(programme: Programme, arrays: Arrays, needs: Sequence[Any], floors: Floors) -> tuple[list[int], int]:
    """Columns for what is missing below the floor of each need, and for the part of all floors that is served.

    Two rows a need: ``short - missing <= (1 - level) demand`` and ``short + part level demand <= demand``.
    """
    levels = dict(floors)
    part = programme.add_column(0.0, 1.0 / max(levels.values()))
    columns: list[int] = []
    for d, need in enumerate(needs):
        if need.sector in levels:
            level, short = levels[need.sector], arrays.columns["short"][d]
            columns.append(programme.add_column(0.0, math.inf))
            programme.add_row([short, columns[-1]], [1.0, -1.0], upper=(1.0 - level) * need.demand)
            programme.add_row([short, part], [1.0, level * need.demand], upper=need.demand)
    return columns, part


def aftermaths(
    instance: Instance, cases: Sequence[Outage], frames: Frames, settings: Settings
) -> Iterable[tuple[Aftermath, list[int]]]:
    """One model for all outages of the same years and floors, with the positions of these."""
    groups: dict[tuple[int, int, Floors], list[int]] = defaultdict(list)
    for k, case in enumerate(cases):
        groups[case.first, case.last, case.floors].append(k)
    bare = _without_scenarios(instance)
    for (_, _, floors), positions in groups.items():
        # the trial closes plants and exports itself: the scenario says only when the branch begins, and what is lifted
        quiet, names = as_scenarios(bare, [replace(cases[positions[0]], rows=())], floors=False)
        yield Aftermath(quiet, next(iter(names)), floors, frames, settings), positions


def _missing(
    instance: Instance, cases: Sequence[Outage], takes: Sequence[Lost], frames: Frames, settings: Settings
) -> list[float]:
    """Tonnes by which each outage is not survived."""
    found = [0.0] * len(cases)
    for aftermath, positions in aftermaths(instance, cases, frames, settings):
        for k in positions:
            found[k] = aftermath.missing(takes[k])[0]
    return found


def _leading(cases: Sequence[Outage], takes: Sequence[Lost]) -> list[int]:
    """Outages that no other of the same years and floors contains: who survives these survives all."""
    groups: dict[tuple[int, int, Floors], list[int]] = defaultdict(list)
    for k, case in enumerate(cases):
        groups[case.first, case.last, case.floors].append(k)
    found = []
    for group in groups.values():
        kept: list[int] = []
        for k in sorted(group, key=lambda k: (-len(takes[k].facilities), -len(takes[k].exports), k)):
            if not any(takes[k].facilities <= takes[j].facilities and takes[k].exports <= takes[j].exports
                       for j in kept):  # fmt: skip
                kept.append(k)
        found += kept
    return sorted(found)


def _without_scenarios(instance: Instance) -> Instance:
    filled = [name for name in ("branch_service", "disruptions", "scenarios") if instance.rows(name)]
    return instance.changed(without={name: {} for name in filled}) if filled else instance


def _builds(frames: Frames) -> dict[tuple[str, int], float]:
    return {(str(r.option), int(r.start_year)): float(r.modules) for r in frames["builds"].itertuples()}


def _openings(instance: Instance, begin: int, frames: Frames) -> dict[tuple[str, str], float]:
    """(stockpile, provenance) -> t at the beginning of a period, given by its position."""
    if begin == 0:
        return {
            (s.stockpile, "exposed" if s.initial_exposed else "clean"): s.initial_t
            for s in instance.stockpiles
            if s.initial_t
        }
    stocks = frames["stocks"]
    before = stocks[stocks["year"] == instance.years[begin - 1]]
    return {(str(r.stockpile), str(r.provenance)): float(r.stock_t) for r in before.itertuples() if r.stock_t > 0.0}


def _renamed(prepared: Prepared, scenario: str) -> Any:
    nodes = [node._replace(branch=scenario) for node in prepared.data.nodes]
    return replace(prepared.data, nodes=nodes)


# --- the plan again, with outages ----------------------------------------------------------------------------


def _solved(
    instance: Instance, cases: Sequence[Outage], settings: Settings, pins: Pins | None, progress: Progress | None
) -> tuple[Prepared, Outcome]:
    """The plan of least cost that survives some outages. Their branches end with them: later nothing is asked."""
    extended, names = as_scenarios(instance, cases)
    prepared = prepare(extended, {scenario: cases[k].last for scenario, k in names.items()})
    return prepared, optimise(prepared.data, settings, progress, pins)


def _told(rounds: int, count: int, cases: Sequence[Outage], failed: Mapping[int, float], outcome: Outcome) -> str:
    head = f"survive, round {rounds}: {outcome.objective:,.6g} MUSD, {count} outages tried"
    if not failed:
        return f"{head}, all survived"
    worst = max(failed, key=lambda k: (failed[k], -k))
    return f"{head}, {len(failed)} not survived, worst {cases[worst]} ({failed[worst]:,.4g} t missing)"


def _unfinished(outcome: Outcome, failed: Mapping[int, float], cases: Sequence[Outage]) -> str:
    worst = max(failed, key=lambda k: (failed[k], -k))
    return (
        f"the search ended ({outcome.stopped}) before a plan was found that survives every outage; the last one "
        f"did not survive {cases[worst]}; allow more time"
    )


# --- why no plan survives ------------------------------------------------------------------------------------


def _why(
    instance: Instance, cases: Sequence[Outage], settings: Settings, pins: Pins | None, progress: Progress | None
) -> str:
    """The outages that no plan survives, with the best that one can do; else those that none survives together."""
    hopeless: list[str] = []
    each_can = True
    for case in cases:
        if progress:
            progress(f"survive: how well could {case} be survived?")
        served, bound = _best(instance, [case], settings, pins)
        each_can = each_can and served >= 1.0 - SURVIVED
        if bound < 1.0 - SURVIVED:
            hopeless.append(f"  {case}: {_levels(case, bound)}")
    if hopeless:
        return "\n".join(["no plan survives what [security] survive asks, whatever is built:", *hopeless])
    needed = list(cases)
    for case in cases:
        fewer = [other for other in needed if other is not case]
        if progress:
            progress(f"survive: do the others contradict each other without {case}?")
        if fewer and _best(instance, fewer, settings, pins)[1] < 1.0 - SURVIVED:
            needed = fewer
    head = "each of these outages can be survived, but no plan survives all of them:"
    listed = [f"  {case}: {_levels(case, None)}" for case in needed]
    return "\n".join([head if each_can else "no plan survives all of these outages:", *listed])


def _levels(case: Outage, best: float | None) -> str:
    """What is asked for, and what can be had at best, by sector; sectors of the same figures together."""
    grouped: dict[float, list[str]] = defaultdict(list)
    for sector, level in case.floors:
        grouped[level].append(sector)
    parts = []
    for level, sectors in sorted(grouped.items(), reverse=True):
        asked = f"{level:.1%} of the demand of {', '.join(sectors)}"
        parts.append(asked if best is None else f"{asked} is asked, at most {level * best:.1%} can be served")
    return "; ".join(parts)


def _best(instance: Instance, cases: Sequence[Outage], settings: Settings, pins: Pins | None) -> tuple[float, float]:
    """The largest part of the floors of all these outages that a plan was found to serve, and that none exceeds."""
    extended, names = as_scenarios(instance, cases, floors=False)
    prepared = prepare(extended, {scenario: cases[k].last for scenario, k in names.items()})
    arrays = compiled(prepared.data)
    if pins:
        pins.hold(prepared.data, arrays)
    arrays = replace(arrays, cost=np.zeros(len(arrays.cost)), offset=0.0)
    programme = Programme(arrays, settings)
    parts = []
    for scenario, k in names.items():
        nodes = {n for n, node in enumerate(prepared.data.nodes) if node.branch == scenario}
        needs = [need if need.node in nodes else need._replace(sector="") for need in prepared.data.need]
        parts.append(add_floors(programme, arrays, needs, cases[k].floors)[1])
    for part in parts[1:]:  # all are the first one, so that one number is to be made large
        programme.add_row([parts[0], part], [1.0, -1.0], upper=0.0)
    aim = np.zeros(len(programme.whole))
    aim[parts[0]] = -1.0
    programme.objective(aim)
    found = programme.find(gap=SURVIVED, seconds=min(EACH, settings.time_limit or EACH))
    served = max(0.0, float(found.x[parts[0]])) if found.held else 0.0
    if not arrays.integer.any():
        return served, served if found.optimal else math.inf
    return served, max(served, -found.bound)
