"""Finds the cheapest plan that survives outages: solves, tries the plan, and solves again with outages it failed.

An outage that must be survived is a scenario of probability 0 with service floors. All of them together would make a
model of hundreds of branches, of which only a few matter. So each plan is tried: with its builds and stocks fixed, can
the floors be kept in every outage? The worst outages in which they cannot enter the model as branches, and it is solved
again (column and constraint generation). The last plan survives all outages, at the least cost of any plan that does.

In the model an outage is a scenario like those in the tables; in the trial it is a set of plants and exports that are
closed. The two ways share no code, so each checks the other; the audit of every outage is a third check.
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
from ..instance.timeline import YEAR, disrupted_months, months_of, overlap_share
from ..language import _, number
from ..prepare import prepare, prepare_branch
from ..prepare.under_way import sent_before
from ..prepare.working_stocks import used_before
from ..runs.closures import closed_shares
from ..runs.served import served
from ..runs.tables import Tables, by_column
from ..words import commas, semicolons
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

Frames = Mapping[str, "pd.DataFrame"]

AT_ONCE = 5  # how many outages enter the model in a round, the worst first
SURVIVED = 1e-6  # share of all floors that may be missing in an outage that counts as survived
EACH = 60.0  # seconds for each of the searches that tell why no plan survives


@dataclass
class Survivor:
    """A plan that survives every outage, and how it was found.

    tables    table -> frame of the plan; scenario -> table -> frame of the instance's own scenarios
    rounds    how often the model was solved
    tried     all outages
    included  the outages that had to enter the model
    """

    prepared: Prepared
    outcome: Outcome
    tables: tuple[Tables, dict[str, Tables]]
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
    """Find the cheapest plan that survives all outages that the instance asks for.

    prepared, outcome  the plan that need not survive anything: the first round
    pins               builds that are fixed, forced or forbidden
    Raises Infeasible with the outages that no plan survives, NoPlan if the time ends before such a plan is found.
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
    """Operations in the years of outages, with builds and stocks of a plan; an outage closes plants and exports.

    The nodes are the periods from the first year of the outages to the last; later ones do not matter for the floors.

    short    columns of what is missing below the floor of each need
    part     column of the share of all floors that is served
    weight   years of the periods of ``short``, shape (needs with a floor,)
    asked    all floors together, kt over all years
    plants   facility -> columns of its activities while an outage lasts
    exports  (material, country) -> columns of the shipments that leave meanwhile
    """

    def __init__(self, quiet: Instance, scenario: str, floors: Floors, frames: Frames, settings: Settings) -> None:
        """Prepare the model of the operations.

        quiet     the instance with one scenario that disturbs nothing and only says when the outages are
        scenario  its name
        floors    (sector, share of its demand) that must be served
        frames    the tables of the plan
        """
        self.scenario = scenario
        of = next(s for s in quiet.scenarios if s.scenario == scenario)
        begin = quiet.years.index(of.first_year)
        end = max(t for t, year in enumerate(quiet.years) if year <= of.last_disrupted_year)
        self.last_start = quiet.years[end]
        openings, closed = _openings(quiet, begin, frames), closed_shares(frames)
        if of.first_month:  # on the way from one end of the year to the other
            gone, after = (of.first_month - 1) / YEAR, _openings(quiet, begin + 1, frames)
            openings = {
                part: (1.0 - gone) * openings.get(part, 0.0) + gone * after.get(part, 0.0)
                for part in dict.fromkeys((*openings, *after))
            }
        self.prepared = prepare_branch(
            quiet,
            scenario,
            _builds(frames),
            openings,
            end,
            closed,
            served(frames),
            used_before(quiet, frames, disrupted_months(of).start),
            sent_before(quiet, frames, disrupted_months(of).start),
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
        span, window = self.prepared.periods, disrupted_months(of)
        struck = [overlap_share(months_of(span[node.period], node.month), window) > 0.0 for node in self.data.nodes]
        self.plants: dict[str, list[int]] = defaultdict(list)
        for i, a in enumerate(self.data.activity):
            if struck[a.node]:
                self.plants[a.facility].append(arrays.columns["activity"][i])
        self.exports: dict[tuple[str, str], list[int]] = defaultdict(list)
        for i, s in enumerate(self.data.ship):
            if struck[s.node]:
                self.exports[s.material, s.origin].append(arrays.columns["ship"][i])

    def _asked(self, floors: Floors) -> list[Any]:
        sectors = dict(floors)
        return [need for need in self.data.need if need.sector in sectors]

    def missing(self, take: Lost) -> tuple[float, np.ndarray]:
        """Minimise what is missing below the floors when an outage takes some plants and exports.

        Returns the tonnes missing, 0 if the floors can be kept, and the operations, shape (columns,), in kt/yr and kt.
        """
        self._aim(dict(zip(self.short, self.weight, strict=True)))
        x = self._run(take)
        missing = float(self.weight @ x[self.short]) if len(self.short) else 0.0
        return (missing * 1e3 if missing > SURVIVED * self.asked else 0.0), x[: len(self.cost)]

    def most(self, take: Lost) -> float:
        """Return the largest share of all floors that can be served at once; above 1 if more than they ask."""
        self._aim({self.part: -1.0})
        return float(self._run(take)[self.part])

    def tables(self, of_case: Instance, scenario: str, x: np.ndarray) -> tuple[dict[str, Any], float]:
        """Return operations as tables by column of the branch of a scenario, and the present value of their cost, MUSD.

        of_case  the instance with the outage as a scenario
        x        operations, shape (columns,)
        """
        x = np.clip(x, self.arrays.col_lower, self.arrays.col_upper)
        outcome = Outcome("optimal", True, values=by_family(self.arrays.columns, x))
        reader = Reader(replace(self.prepared, instance=of_case, data=_renamed(self.prepared, scenario)), outcome)
        months = bool(reader.divided)
        shown = {name: by_column(name, rows, of_case, months) for name, rows in reader.operations()[scenario].items()}
        return shown, float(self.cost @ x)

    def _aim(self, objective: Mapping[int, float]) -> None:
        cost = np.zeros(len(self.programme.whole))
        for column, value in objective.items():
            cost[column] = value
        self.programme.objective(cost)

    def _run(self, take: Lost) -> np.ndarray:
        """Solve with the plants and exports closed that an outage takes away; return the values of all columns."""
        closed = [k for name in sorted(take.facilities) for k in self.plants.get(name, ())]
        closed += [k for export in sorted(take.exports) for k in self.exports.get(export, ())]
        with self.programme.bounded(closed, self.arrays.col_lower[closed], 0.0):
            found = self.programme.find()
        if not found.optimal:
            raise SolverFailed(f"the operations in an outage could not be solved ({found.stopped})")
        return found.x


def add_floors(programme: Programme, arrays: Arrays, needs: Sequence[Any], floors: Floors) -> tuple[list[int], int]:
    """Add service floors to a model, as an elastic model: what is missing below a floor is a decision.

    Each need with a floor gets two rows: ``short - missing <= (1 - level) demand`` and
    ``short + part level demand <= demand``, with ``part`` the share of all floors that is served.
    Returns the columns of ``missing`` (kt/yr), in the order of such needs, and the column of ``part``.
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
    """Yield one model for all outages of the same time and floors, with their positions in ``cases``."""
    groups: dict[tuple[Any, Floors], list[int]] = defaultdict(list)
    for k, case in enumerate(cases):
        groups[case.when, case.floors].append(k)
    bare = _without_scenarios(instance)
    for (_when, floors), positions in groups.items():
        # the trial closes plants and exports itself; the scenario only says when the branch begins and what is lifted
        quiet, names = as_scenarios(bare, [replace(cases[positions[0]], rows=())], floors=False)
        yield Aftermath(quiet, next(iter(names)), floors, frames, settings), positions


def _missing(
    instance: Instance, cases: Sequence[Outage], takes: Sequence[Lost], frames: Frames, settings: Settings
) -> list[float]:
    """Return the tonnes missing below the floors in each outage, parallel to ``cases``; 0: it is survived."""
    missing = [0.0] * len(cases)
    for aftermath, positions in aftermaths(instance, cases, frames, settings):
        for k in positions:
            missing[k] = aftermath.missing(takes[k])[0]
    return missing


def _leading(cases: Sequence[Outage], takes: Sequence[Lost]) -> list[int]:
    """Return the positions of outages that no other of the same time and floors contains.

    A plan that survives these survives all.
    """
    groups: dict[tuple[Any, Floors], list[int]] = defaultdict(list)
    for k, case in enumerate(cases):
        groups[case.when, case.floors].append(k)
    leading = []
    for group in groups.values():
        kept: list[int] = []
        for k in sorted(group, key=lambda k: (-len(takes[k].facilities), -len(takes[k].exports), k)):
            if not any(takes[k].facilities <= takes[j].facilities and takes[k].exports <= takes[j].exports
                       for j in kept):  # fmt: skip
                kept.append(k)
        leading += kept
    return sorted(leading)


def _without_scenarios(instance: Instance) -> Instance:
    filled = [name for name in ("branch_service", "disruptions", "scenarios") if instance.rows(name)]
    return instance.changed(without={name: {} for name in filled}) if filled else instance


def _builds(frames: Frames) -> dict[tuple[str, int], float]:
    return {(str(r.option), int(r.start_year)): float(r.modules) for r in frames["builds"].itertuples()}


def _openings(instance: Instance, begin: int, frames: Frames) -> dict[tuple[str, str], float]:
    """Return (stockpile, provenance) -> t in stock at the beginning of the period at position ``begin``."""
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
    """Solve for the plan of least cost that survives some outages; each branch ends with its outage."""
    extended, names = as_scenarios(instance, cases)
    prepared = prepare(extended, {scenario: cases[k].last for scenario, k in names.items()})
    return prepared, optimise(prepared.data, settings, progress, pins)


def _told(rounds: int, count: int, cases: Sequence[Outage], failed: Mapping[int, float], outcome: Outcome) -> str:
    head = f"survive, round {rounds}: {outcome.objective:,.6g} million, {count} outages tried"
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
    """Return as text why no plan survives all of these outages.

    It names the outages that no plan survives, with the service that is possible at best; if each alone can be
    survived, outages that contradict each other.
    """
    hopeless: list[str] = []
    each_can = True
    for case in cases:
        if progress:
            progress(f"survive: how well could {case} be survived?")
        served, bound = _best(instance, [case], settings, pins)
        each_can = each_can and served >= 1.0 - SURVIVED
        if bound < 1.0 - SURVIVED:
            hopeless.append("  " + _("{head}: {parts}", head=case, parts=_levels(case, bound)))
    if hopeless:
        return "\n".join([_("no plan survives what [security] survive asks, whatever is built:"), *hopeless])
    needed = list(cases)
    for case in cases:
        fewer = [other for other in needed if other is not case]
        if progress:
            progress(f"survive: can all other outages be survived without {case}?")
        if fewer and _best(instance, fewer, settings, pins)[1] < 1.0 - SURVIVED:
            needed = fewer
    head = (
        _("each of these outages can be survived, but no plan survives all of them:")
        if each_can
        else _("no plan survives all of these outages:")
    )
    return "\n".join([head, *("  " + _("{head}: {parts}", head=case, parts=_levels(case, None)) for case in needed)])


def _levels(case: Outage, best: float | None) -> str:
    """Return as text what each sector must be served, and what is possible at best; equal sectors together.

    best  largest share of the floors that can be served; None: only what is asked
    """
    grouped: dict[float, list[str]] = defaultdict(list)
    for sector, level in case.floors:
        grouped[level].append(sector)
    parts = []
    for level, sectors in sorted(grouped.items(), reverse=True):
        asked = _("{share} of the demand of {sectors}", share=number(f"{level:.1%}"), sectors=commas(sectors))
        if best is not None:
            most = number(f"{level * best:.1%}")
            asked = _("{sentence} is asked, at most {share} can be served", sentence=asked, share=most)
        parts.append(asked)
    return semicolons(parts)


def _best(instance: Instance, cases: Sequence[Outage], settings: Settings, pins: Pins | None) -> tuple[float, float]:
    """Maximise the share of the floors that a plan serves in all of these outages at once.

    Returns the share of the best plan found, and an upper bound that no plan exceeds (infinite if unknown).
    """
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
    for part in parts[1:]:  # the first part is at most every other one, so it is the one to maximise
        programme.add_row([parts[0], part], [1.0, -1.0], upper=0.0)
    aim = np.zeros(len(programme.whole))
    aim[parts[0]] = -1.0
    programme.objective(aim)
    found = programme.find(gap=SURVIVED, seconds=min(EACH, settings.time_limit or EACH))
    served = max(0.0, float(found.x[parts[0]])) if found.held else 0.0
    if not arrays.integer.any():
        return served, served if found.optimal else math.inf
    return served, max(served, -found.bound)
