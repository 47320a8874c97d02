"""What binds: caps, capacities, contracts, markets, lanes, stocks, money and lead times, and what a unit more saves."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import InstanceError, PlannerError
from ...prepare import CLEAN, PLAN
from ...solving.families import FAMILIES, POINT, Family
from .bench import BUILT, Bench, Model
from .result import Explanation

if TYPE_CHECKING:
    import pandas as pd

WORTHLESS = 1e-7  # MUSD per unit; below this nothing binds

DUAL = "dual"
RELAXED = "dual, whole numbers relaxed"
MONEY = ("fund_budget", "fund_share", "private_limit")


Limit = tuple[str, str, str, int, str, float, str, str]  # a row of the table ``binding`` of `Explanation`


def binding(bench: Bench, lead_options: int) -> pd.DataFrame:
    """The limits that bind, the most valuable first. ``lead_options``: lead times to re-solve."""
    import pandas as pd

    limits = [
        *_caps(bench),
        *_floors(bench),
        *_clean_only(bench),
        *(limit for family in FAMILIES.values() if family.rows and family.kind for limit in _rows(bench, family)),
        *_lead_times(bench, lead_options),
    ]
    frame = pd.DataFrame(limits, columns=Explanation.columns("binding"))
    order = {"worth_musd": False, "kind": True, "name": True, "country": True, "year": True}
    return frame[frame["worth_musd"] > WORTHLESS].sort_values(
        list(order), ascending=list(order.values()), ignore_index=True
    )


def _caps(bench: Bench) -> list[Limit]:
    """Caps on dependence: what a hundredth more of the limit saves, as dependence.csv says."""
    rows = bench.run.tables["dependence"]
    result: list[Limit] = []
    for r in rows[(rows["cap"] != "") & (rows["marginal_musd_per_point"] > 0.0)].itertuples():
        of = r.stage or r.material or r.sector
        says = f"{r.metric}{f' of {of}' if of else ''} at most {r.limit:.4g}"
        result.append(("cap", r.cap, r.country, int(r.year), POINT, float(r.marginal_musd_per_point), DUAL, says))
    return result


def _rows(bench: Bench, family: Family) -> list[Limit]:
    """The rows of a family that bind; those of one subject and year, in the plan and its branches, are summed up."""
    home = {
        "facility": {f.facility: f.country for f in bench.instance.facilities},
        "stockpile": {s.stockpile: s.country for s in bench.instance.stockpiles},
    }
    home["option"] = {o.option: home["facility"].get(o.facility, "") for o in bench.instance.options}
    duals, how = _duals(bench, family)
    sign = 1.0 if family.less else -1.0
    worth: dict[tuple[str, str, int], float] = defaultdict(float)
    says: dict[tuple[str, str, int], str] = {}
    for i, dual in duals.items():
        row = getattr(bench.data, family.rows)[i]
        if not _counts(bench, family, i, row):
            continue
        what, of = family.home(row)
        node = bench.data.nodes[row.node] if hasattr(row, "node") else None
        year = node.year if node is not None else getattr(row, "year", 0)
        key = (family.subject(row), of if what == "country" else home[what].get(of, ""), year)
        worth[key] += max(0.0, sign * dual) * (_point(bench, row) if family.name == "fund_share" else 1.0)
        if key not in says or node is None or node.branch == PLAN:
            says[key] = family.says(row, lambda b: float(bench.x[bench.columns[b]])) + _size(bench, family, row)
    return [(family.kind, *key, family.unit, value, how, says[key]) for key, value in worth.items()]


def _counts(bench: Bench, family: Family, i: int, row: Any) -> bool:
    """Whether a row is one whose worth can be told."""
    if family.name == "capacity_limit":  # where there is none, bottlenecks and entry tell what a first tonne earns
        return bool(row.own + sum(k * bench.x[bench.columns[b]] for b, k in row.modules) > BUILT)
    if family.name == "buy":
        return row.limit is not None
    if family.name == "stock_floor":
        return bool(bench.data.nodes[row.node].branch == PLAN)
    if family.name in ("modules_most", "build"):  # whole modules are projects, told as such
        option = next(o for o in bench.instance.options if o.option == row.option)
        most = family.name == "build" and row.max_modules >= option.max_modules
        return not (option.integer or most) and (
            family.name != "build" or bool(bench.x[bench.columns[i]] >= row.max_modules - BUILT)
        )
    return True


def _size(bench: Bench, family: Family, row: Any) -> str:
    """What follows the limit of modules: their size, and that it is one of a period."""
    if family.name not in ("modules_most", "build"):
        return ""
    size = next(o.module_t for o in bench.instance.options if o.option == row.option)
    return f" of {size:,.6g} t{' started in the period' if family.name == 'build' else ''}"


def _point(bench: Bench, row: Any) -> float:
    """MUSD by which a hundredth more of a fund's share lets it pay more for what is built of an option."""
    x = bench.relaxed.x if len(bench.whole) and bench.relaxed else bench.x
    return 0.01 * float(sum(capex * x[bench.columns[b]] for b, capex in row.capex))


def _duals(bench: Bench, family: Family) -> tuple[Mapping[Any, float], str]:
    """Shadow prices (reduced costs of decisions) of a family, and how they were found.

    With whole modules the shadow price of money is 0 or undefined, so that of the linear relaxation is told instead.
    """
    if family.name not in MONEY or not len(bench.whole):
        return (bench.reduced if family.bounds else bench.dual).get(family.name, {}), DUAL
    if not bench.arrays.rows.get(family.name):
        return {}, RELAXED
    relaxed = bench.relaxed
    if relaxed is None:
        return {}, RELAXED
    return {i: float(relaxed.duals[row]) for i, row in bench.arrays.rows[family.name].items()}, RELAXED


def _floors(bench: Bench) -> list[Limit]:
    """Service floors: one point less of min_service lets a hundredth of the demand go short."""
    worth: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for d, reduced in bench.reduced.get("short", {}).items():
        need = bench.data.need[d]
        if need.max_short < need.demand:
            year = bench.data.nodes[need.node].year
            worth[need.sector, need.country, need.material, year] += max(0.0, -reduced) * need.demand * 0.01
    floor = {s.sector: s.min_service for s in bench.instance.sectors}
    return [
        ("min_service", s, c, year, POINT, value, DUAL, f"{floor[s]:.4g} of the demand for {m} must be served")
        for (s, c, m, year), value in worth.items()
    ]


def _clean_only(bench: Bench) -> list[Limit]:
    """Clean-only rules: what a point of exposed material in place of clean would save."""
    price = bench.dual.get("balance", {})
    pools = {(p.material, p.country, p.provenance, p.node): i for i, p in enumerate(bench.data.pools)}
    exposed = {d.need for d in bench.data.deliver if d.provenance != CLEAN}
    rule = {s.sector: s.clean_from_year for s in bench.instance.sectors}
    result: list[Limit] = []
    for d, need in enumerate(bench.data.need):
        node = bench.data.nodes[need.node]
        since = rule[need.sector]
        places = [pools.get((need.material, need.country, q, need.node)) for q in (CLEAN, "exposed")]
        if since is None or node.year < since or d in exposed or node.branch != PLAN or None in places:
            continue
        saved = (price[places[0]] - price[places[1]]) * need.demand * 0.01
        says = f"only clean {need.material} since {since}"
        result.append(("clean_only", need.sector, need.country, node.year, POINT, saved, DUAL, says))
    return result


# --- lead times ---


def earlier_cells(bench: Bench, option_name: str, years: int) -> dict[str, Any] | None:
    """Cells that let an option be online some years earlier; None if that would be before the horizon's start.

    The lead is shortened first, then the window of starts is opened earlier.
    """
    option = next(o for o in bench.instance.options if o.option == option_name)
    first = bench.instance.years[0]
    shorter = min(option.lead_years, years)
    opens = option.first_start if option.first_start is not None else first
    if years - shorter > max(0, opens - first):
        return None
    cells_to_set: dict[str, Any] = {"lead_years": option.lead_years - shorter}
    if years > shorter:
        cells_to_set["first_start"] = opens - (years - shorter)
    return cells_to_set


def _lead_times(bench: Bench, most: int) -> list[Limit]:
    """One year earlier online: the instance with a shorter lead, or an earlier window, solved again."""
    country = {f.facility: f.country for f in bench.instance.facilities}
    dual = bench.dual.get("capacity_limit", {})
    promising: dict[str, float] = defaultdict(float)
    first: dict[str, int] = {}
    for limit_number, limit in enumerate(bench.data.capacity):
        for i, k in limit.modules:
            if bench.builds[i] > BUILT:
                start = bench.data.build[i]
                promising[start.option] += max(0.0, -dual.get(limit_number, 0.0)) * k * bench.builds[i]
                first[start.option] = min(start.year, first.get(start.option, start.year))
    result: list[Limit] = []
    for option in sorted(promising, key=lambda o: (-promising[o], o))[:most]:
        cells_to_set = earlier_cells(bench, option, 1)
        if cells_to_set is None:
            continue
        found = _earlier(bench, option, cells_to_set)
        if found is None:
            continue
        worth, how = found
        facility = bench.data.build[bench.starts[option][0]].facility
        lead = next(o.lead_years for o in bench.instance.options if o.option == option)
        says = f"lead of {lead} years" if "first_start" not in cells_to_set else "no start before its first_start"
        result.append(("lead_time", option, country[facility], first[option], "year", worth, how, says))
    return result


def _earlier(bench: Bench, option: str, cells_to_set: dict[str, Any]) -> tuple[float, str] | None:
    """MUSD that a plan with the option online earlier saves, and how that was obtained; None if it was not solved.

    Where the best plan is not proven, the plan with the same builds is taken: it saves at least so much.
    """
    if not bench.may_go_on():
        return None
    try:
        model = Model(bench.changed_option(option, **cells_to_set), bench.settings)
    except InstanceError:
        return None
    if bench.proven:
        answer = bench.ask(f"{option} a year earlier", model, start=model.modules(bench.built))
        if answer is None or not math.isfinite(answer.value):
            return None
        return bench.base - answer.value, bench.label
    try:
        held = model.hold(model.modules(bench.built), all_builds=False)
    except KeyboardInterrupt:
        bench.stopped = "interrupted"
        return None
    except PlannerError:
        return None
    if held is None:
        return None
    cost = model.objective(held.x)
    bench.tell(f"{option} a year earlier, the same whole builds: {cost:,.6g} MUSD")
    return bench.base - cost, "re-solve, same whole builds: at least"
