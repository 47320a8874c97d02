"""What binds: caps, capacities, contracts, markets, lanes, stocks, money and lead times, and what a unit more saves."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import InstanceError, PlannerError
from ...prepare import CLEAN, PLAN
from ...solving.programme import Programme
from .bench import BUILT, Bench, Model

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["kind", "name", "country", "year", "unit", "worth_musd", "how", "says"]
WORTHLESS = 1e-7  # MUSD per unit; below this nothing binds

DUAL = "dual"
RELAXED = "dual, whole numbers relaxed"
POINT = "point"


class Limit(NamedTuple):
    """A limit that binds.

    kind   what is limited
    name   key of the row of the instance that says so
    year   first year of the period; 0 for a limit over the whole horizon
    unit   the natural unit of the limit
    worth  MUSD, present value and expected over branches, that one unit more saves
    how    ``dual`` (a rate at the margin) or ``re-solve`` (the difference of two solves)
    says   the limit in words
    """

    kind: str
    name: str
    country: str
    year: int
    unit: str
    worth: float
    how: str
    says: str


def binding(bench: Bench, lead_options: int) -> pd.DataFrame:
    """The limits that bind, the most valuable first. ``lead_options``: lead times to re-solve."""
    import pandas as pd

    found = [
        *_caps(bench),
        *_capacities(bench),
        *_contracts(bench),
        *_offtakes(bench),
        *_floors(bench),
        *_clean_only(bench),
        *_markets(bench),
        *_lanes(bench),
        *_stocks(bench),
        *_exports(bench),
        *_modules(bench),
        *_money(bench),
        *_lead_times(bench, lead_options),
    ]
    kept = sorted(
        (limit for limit in found if limit.worth > WORTHLESS),
        key=lambda limit: (-limit.worth, limit.kind, limit.name, limit.country, limit.year),
    )
    return pd.DataFrame(kept, columns=COLUMNS)


def _caps(bench: Bench) -> list[Limit]:
    """As in dependence.csv: the saving of 0.01 more limit."""
    rows = bench.run.tables["dependence"]
    result = []
    for r in rows[(rows["cap"] != "") & (rows["marginal_musd_per_point"] > 0.0)].itertuples():
        of = r.stage or r.material or r.sector
        says = f"{r.metric}{f' of {of}' if of else ''} at most {r.limit:.4g}"
        result.append(Limit("cap", r.cap, r.country, int(r.year), POINT, float(r.marginal_musd_per_point), DUAL, says))
    return result


def _capacities(bench: Bench) -> list[Limit]:
    country = {f.facility: f.country for f in bench.instance.facilities}
    worth: dict[tuple[str, int], float] = defaultdict(float)
    there: dict[tuple[str, int], float] = defaultdict(float)
    dual = bench.dual.get("capacity_limit", {})
    for i, limit in enumerate(bench.data.capacity):
        node = bench.data.nodes[limit.node]
        amount = limit.own + sum(k * bench.x[bench.columns[b]] for b, k in limit.modules)
        if amount > BUILT:
            worth[limit.facility, node.year] += max(0.0, -dual.get(i, 0.0))
            if node.branch == PLAN:
                there[limit.facility, node.year] = amount
    return [
        Limit("capacity", f, country[f], year, "kt/yr", value, DUAL, f"capacity of {there[f, year] * 1e3:,.6g} t")
        for (f, year), value in worth.items()
    ]


def _contracts(bench: Bench) -> list[Limit]:
    country = {f.facility: f.country for f in bench.instance.facilities}
    result = []
    for i, dual in bench.dual.get("least_use", {}).items():
        limit = bench.data.capacity[i]
        year = bench.data.nodes[limit.node].year
        says = f"min_use asks for {limit.least_use * 1e3:,.6g} t"
        result.append(Limit("least_use", limit.facility, country[limit.facility], year, "kt/yr", dual, DUAL, says))
    return result


def _offtakes(bench: Bench) -> list[Limit]:
    country = {f.facility: f.country for f in bench.instance.facilities}
    result = []
    for i, dual in bench.dual.get("offtake", {}).items():
        taken = bench.data.offtake[i]
        tonnes = taken.least + sum(k * bench.x[bench.columns[b]] for b, k in taken.modules)
        says = f"{tonnes * 1e3:,.6g} t are to be taken"
        name, year = f"{taken.facility} {taken.material}", bench.data.nodes[taken.node].year
        result.append(Limit("offtake", name, country[taken.facility], year, "kt/yr", dual, DUAL, says))
    return result


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
        Limit("min_service", s, c, year, POINT, value, DUAL, f"{floor[s]:.4g} of the demand for {m} must be served")
        for (s, c, m, year), value in worth.items()
    ]


def _clean_only(bench: Bench) -> list[Limit]:
    """Clean-only rules: what a point of exposed material in place of clean would save."""
    price = bench.dual.get("balance", {})
    pools = {(p.material, p.country, p.provenance, p.node): i for i, p in enumerate(bench.data.pools)}
    exposed = {d.need for d in bench.data.deliver if d.provenance != CLEAN}
    rule = {s.sector: s.clean_from_year for s in bench.instance.sectors}
    result = []
    for d, need in enumerate(bench.data.need):
        node = bench.data.nodes[need.node]
        since = rule[need.sector]
        places = [pools.get((need.material, need.country, q, need.node)) for q in (CLEAN, "exposed")]
        if since is None or node.year < since or d in exposed or node.branch != PLAN or None in places:
            continue
        saved = (price[places[0]] - price[places[1]]) * need.demand * 0.01
        says = f"only clean {need.material} since {since}"
        result.append(Limit("clean_only", need.sector, need.country, node.year, POINT, saved, DUAL, says))
    return result


def _markets(bench: Bench) -> list[Limit]:
    worth: dict[tuple[str, str, int], float] = defaultdict(float)
    says: dict[tuple[str, str, int], str] = {}
    for i, reduced in bench.reduced.get("buy", {}).items():
        offer = bench.data.buy[i]
        if offer.limit is not None:
            key = (offer.market, offer.country, bench.data.nodes[offer.node].year)
            worth[key] += max(0.0, -reduced)
            says[key] = f"sells at most {offer.limit * 1e3:,.6g} t of {offer.material}"
    return [Limit("market", *key, "kt/yr", value, DUAL, says[key]) for key, value in worth.items()]


def _lanes(bench: Bench) -> list[Limit]:
    worth: dict[tuple[str, str, int], float] = defaultdict(float)
    says: dict[tuple[str, str, int], str] = {}
    for i, dual in bench.dual.get("lane_limit", {}).items():
        lane = bench.data.lane_limit[i]
        name = f"{lane.material} {lane.origin}-{lane.destination}"
        key = (name, lane.destination, bench.data.nodes[lane.node].year)
        worth[key] += max(0.0, -dual)
        says[key] = f"at most {lane.limit * 1e3:,.6g} t move"
    return [Limit("lane", *key, "kt/yr", value, DUAL, says[key]) for key, value in worth.items()]


def _stocks(bench: Bench) -> list[Limit]:
    country = {s.stockpile: s.country for s in bench.instance.stockpiles}
    result = []
    for i, dual in bench.dual.get("stock_limit", {}).items():
        room = bench.data.stock_limit[i]
        year = bench.data.nodes[room.node].year
        most = room.limit + sum(k * bench.builds[b] for b, k in room.modules)
        says = f"holds at most {most * 1e3:,.6g} t"
        result.append(Limit("stock_room", room.stockpile, country[room.stockpile], year, "kt", -dual, DUAL, says))
    for i, dual in bench.dual.get("stock_floor", {}).items():
        floor = bench.data.stock_floor[i]
        if bench.data.nodes[floor.node].branch == PLAN:
            says = f"final_min_t of {floor.floor * 1e3:,.6g} t"
            year = bench.data.nodes[floor.node].year
            result.append(Limit("stock_floor", floor.stockpile, country[floor.stockpile], year, "kt", dual, DUAL, says))
    return result


def _exports(bench: Bench) -> list[Limit]:
    result = []
    for i, dual in bench.dual.get("export_stop", {}).items():
        stop = bench.data.export_stop[i]
        says = f"at most {stop.limit * 1e3:,.6g} t of {stop.material} leave under {stop.scenario}"
        year = bench.data.nodes[stop.node].year
        result.append(Limit("export_stop", stop.scenario, stop.country, year, "kt/yr", -dual, DUAL, says))
    return result


def _modules(bench: Bench) -> list[Limit]:
    """How many modules, and how many a year, of options that are divisible; whole ones are projects."""
    country = {f.facility: f.country for f in bench.instance.facilities}
    options = {o.option: o for o in bench.instance.options}
    result = []
    for i, dual in bench.dual.get("modules_most", {}).items():
        option = options[bench.data.modules[i].option]
        if not option.integer:
            says = f"at most {option.max_modules:g} modules of {option.module_t:,.6g} t"
            place = country[option.facility]
            result.append(Limit("max_modules", option.option, place, 0, "module", -dual, DUAL, says))
    for i, reduced in bench.reduced.get("build", {}).items():
        start = bench.data.build[i]
        option = options[start.option]
        at_most = start.max_modules < option.max_modules and bench.x[bench.columns[i]] >= start.max_modules - BUILT
        if not option.integer and at_most:
            says = f"at most {start.max_modules:g} modules of {option.module_t:,.6g} t started in the period"
            place = country[option.facility]
            result.append(Limit("max_per_year", option.option, place, start.year, "module", -reduced, DUAL, says))
    return result


def _money(bench: Bench) -> list[Limit]:
    """Funds and private money, by the relaxation where whole projects are bought: a lump's margin is 0 or no rate."""
    rows = bench.arrays.rows
    if not rows.get("fund_budget") and not rows.get("private_limit"):
        return []
    data, how = bench.data, DUAL
    funds, private = bench.dual.get("fund_budget", {}), bench.dual.get("private_limit", {})
    if len(bench.whole):
        how = RELAXED
        relaxed = Programme(bench.arrays.relaxed, bench.settings).find(seconds=bench.settings.time_limit)
        if not relaxed.optimal:
            bench.notes.append("what money is worth is not known: the relaxation was not solved")
            return []
        funds = {i: relaxed.duals[k] for i, k in rows.get("fund_budget", {}).items()}
        private = {i: relaxed.duals[k] for i, k in rows.get("private_limit", {}).items()}
    country = {o.option: f.country for o in bench.instance.options for f in bench.instance.facilities
               if f.facility == o.facility}  # fmt: skip
    result = []
    for i, dual in funds.items():
        fund = data.fund_limit[i]
        says = f"budget of {fund.budget:,.6g} MUSD"
        result.append(Limit("fund", fund.fund, "", 0, "MUSD", -float(dual), how, says))
    for i, dual in private.items():
        own = data.private_limit[i]
        says = f"private money of {own.limit:,.6g} MUSD"
        result.append(Limit("private_money", own.option, country[own.option], 0, "MUSD", -float(dual), how, says))
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
    result = []
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
        result.append(Limit("lead_time", option, country[facility], first[option], "year", worth, how, says))
    return result


def _earlier(bench: Bench, option: str, cells_to_set: dict[str, Any]) -> tuple[float, str] | None:
    """What a plan with the option online earlier saves; with the same builds where the best is not proven."""
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
