"""What a disruption costs if it can be answered: some years after the blow, something else may be started.

Held to the plan, a disruption costs an upper bound. Free to answer, all starts from ``after`` years on are decided
again, knowing how long it lasts, within all limits on starts, groups, funds and private money; what the plan has
started by then stays. An answer is sought only where something started in time can be online before the disruption is
over: one that ends earlier leaves nothing to answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...instance.courses import first_own_start
from ...instance.timeline import YEAR, horizon_end, overlap_share, periods, start_years
from ...prepare import prepare_branch
from ...prepare.under_way import sent_before
from ...prepare.working_stocks import used_before
from ...runs.served import served
from ...runs.tables import MONTH, by_column
from ...solving.compiling import compiled
from ...solving.lshaped import LShaped
from ...solving.programme import Programme, by_family
from ...solving.search import Outcome, by_parts, least_cost
from ...solving.solution import Reader
from .cases import NOTHING, Case, with_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...auditing import BranchAudit
    from ...instance.instance import Instance
    from ...prepare import Node, Prepared
    from ...solving.compiling import Arrays
    from ...solving.solver import Found, Settings
    from ..many import Result
    from .planned import Planned


def free_from(instance: Instance, case: Case, after: int) -> int:
    """Return the first calendar year from which something else may be started in a case."""
    scenario = with_case(instance, case).scenarios[0]
    begin = first_own_start(scenario.model_copy(update={"rebuild_after": after}))
    assert begin is not None
    return begin


def answerable(instance: Instance, case: Case, after: int) -> bool:
    """Return whether something started after the blow can be online before a case is over.

    A case in which projects fail is left to the question of failing projects, which knows what their news is.
    """
    if case.kind == NOTHING or case.fails:
        return False
    begin, end = free_from(instance, case, after), horizon_end(instance)
    return any(
        year + option.lead_years <= case.last
        for option in instance.options
        for year in start_years(option, instance.years, end)
        if year >= begin
    )


def answer(
    instance: Instance, planned: Planned, case: Case, after: int, settings: Settings, auditor: BranchAudit | None = None
) -> Result:
    """Return what the best answer to a case saves, and what is lost then.

    ``saved_musd`` is the present value that it saves of what the case costs with all starts held to the plan, 0 or
    more; ``answered_lost_t`` the demand not served beyond the plan, to the horizon's end; ``answered_gap`` the relative
    gap of the search; ``audit`` what the auditor finds wrong in the best answer, "" if nothing. The numbers are None if
    no plan was found.

    auditor  of the plan; None: the answer is not audited
    """
    prepared = _prepared(instance, planned, case, after)
    data, begin = prepared.data, free_from(instance, case, after)
    arrays = compiled(data)
    builds = arrays.columns.get("build", {})
    lower, upper, started = arrays.col_lower.copy(), arrays.col_upper.copy(), np.zeros(len(arrays.cost))
    for i, k in builds.items():
        started[k] = planned.builds.get((data.build[i].option, data.build[i].year), 0.0)
        if data.build[i].year < begin:
            lower[k] = upper[k] = started[k]
    for i, k in arrays.columns.get("chosen", {}).items():
        of = [builds[s] for s in data.chosen[i].starts if s in builds]
        started[k] = float(bool(started[of].max(initial=0.0) > 0.0))
    held = _searched(replace(arrays, col_lower=_at(lower, builds, started), col_upper=_at(upper, builds, started)),
                     started, settings)  # fmt: skip
    free = _searched(replace(arrays, col_lower=lower, col_upper=upper), started, settings)
    if not (held.held and free.held):
        return {"saved_musd": None, "answered_lost_t": None, "answered_gap": None, "audit": ""}
    best = free if free.value < held.value else held
    short = arrays.columns.get("short", {})
    lost = 0.0
    for d, need in enumerate(data.need):
        node = data.nodes[need.node]
        usual = planned.short.get((need.country, need.sector, need.material, node.year), 0.0)
        lost += max(0.0, float(best.x[short[d]]) * 1e3 - usual) * node.length
    gap = max(0.0, free.value - free.bound) / max(abs(free.value), 1e-9)
    wrong = "" if auditor is None else _audited(auditor, prepared, arrays, best.x, started, bool(case.from_month))
    return {"saved_musd": held.value - best.value, "answered_lost_t": lost, "answered_gap": gap, "audit": wrong}


def _audited(
    auditor: BranchAudit, prepared: Prepared, arrays: Arrays, x: np.ndarray, started: np.ndarray, months: bool
) -> str:
    """Return what the independent audit finds wrong in an answer, at most three violations; "" if nothing.

    x        value of each column, shape (columns,)
    started  the same of the plan, as far as starts are meant
    months   whether its clock is the month
    """
    x = np.clip(x, arrays.col_lower, arrays.col_upper)
    reader = Reader(prepared, Outcome("optimal", True, values=by_family(arrays.columns, x)))
    scenario = prepared.instance.scenarios[0].scenario
    tables = {
        table: by_column(
            table,
            each_month(prepared.data.nodes, prepared.instance, table, rows) if months else rows,
            prepared.instance,
            months,
        )
        for table, rows in reader.operations()[scenario].items()
    }
    starts = [k for family in ("build", "excess") for k in arrays.columns.get(family, {}).values()]
    building, planned = (float(arrays.cost[starts] @ of[starts]) for of in (x, started))
    total = float(arrays.cost @ x) + arrays.offset
    report = auditor.audit(prepared.instance, scenario, tables, total - building, more_musd=building - planned)
    return "; ".join(str(violation) for violation in report.violations[:3])


def each_month(
    nodes: Sequence[Node], instance: Instance, table: str, rows: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Return the rows of a table with those of months that stand for others like them repeated for these."""
    columns = list(by_column(table, [], instance, months=True))
    if MONTH not in columns:
        return rows
    at = columns.index(MONTH)
    counts = {(n.year, n.month): round(YEAR * n.length) for n in nodes if n.month}
    return [
        (*row[:at], row[at] + k if row[at] else None, *row[at + 1 :])
        for row in rows
        for k in range(counts.get((row[at - 1], row[at]), 1))
    ]


def _prepared(instance: Instance, planned: Planned, case: Case, after: int) -> Prepared:
    """Return the model of the branch of a case to the end of the horizon, all of whose starts are decided.

    Its instance says that something else may be started ``after`` years after the blow.
    """
    of_case = with_case(instance, case)
    first, *others = of_case.scenarios
    of_case = replace(of_case, scenarios=(first.model_copy(update={"rebuild_after": after}), *others))
    begin = case.window.start
    period = next(p for p in periods(instance) if overlap_share(p.months, case.window) > 0.0)
    gone = max(0, begin - period.months.start) / YEAR if case.from_month else 0.0
    tied = instance.stockpiles or instance.returns or instance.working_stocks or instance.has_transit
    return prepare_branch(
        of_case,
        of_case.scenarios[0].scenario,
        planned.builds,
        planned.openings(period.first_year, gone),
        closed=planned.closed,
        served=served(planned.tables),
        used=used_before(instance, planned.tables, begin),
        sent=sent_before(instance, planned.tables, begin),
        together=not tied and not case.wait,
        free=True,
    )


def _at(bounds: np.ndarray, builds: dict[int, int], started: np.ndarray) -> np.ndarray:
    """Return bounds of columns, shape (columns,), with those of all builds at what the plan starts."""
    columns = list(builds.values())
    bounds = bounds.copy()
    bounds[columns] = started[columns]
    return bounds


def _searched(arrays: Arrays, started: np.ndarray, settings: Settings) -> Found:
    programme = Programme(arrays, settings)
    return least_cost(programme, by_parts(programme, LShaped), started, None, None)
