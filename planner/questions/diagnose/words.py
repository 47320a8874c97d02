"""Rows in the words of the instance: what each asks for or allows, and of which row of which table it speaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...instance.metrics import METRICS
from ...instance.timeline import promised, start_years
from ...prepare import CLEAN, PLAN, Node, Pool, ShareLimit
from ...solving.families import FAMILIES
from .conflict import UPPER, WHOLE, Item
from .system import Cell, System


@dataclass(frozen=True)
class Statement:
    """What a row says.

    kind     ``wish`` (of the user), ``limit`` (of what there is) or ``source`` (where a material comes from)
    subject  statements of one subject in several years are told as one
    year     the year it speaks of, None for the whole horizon
    text     with ``{when}`` where the years belong; of demands with ``{who}`` and ``{what}``
    cell     the cell that could give way, None if there is none
    """

    kind: str
    subject: str
    year: int | None
    text: str
    cell: Cell | None = None
    rank: float = 0.0
    demand: Demanded | None = None


@dataclass(frozen=True)
class Demanded:
    """A demand with a floor, kt a year."""

    sector: str
    material: str
    country: str
    least: float
    demand: float


def tonnes(kt: float) -> str:
    """Kilotonnes as tonnes, to six digits.

    >>> tonnes(0.0600000001)
    '60 t'
    """
    return f"{kt * 1e3:,.6g} t"


def modules(count: float) -> str:
    """A number of modules.

    >>> modules(1), modules(2.5)
    ('1 module', '2.5 modules')
    """
    return f"{count:g} module{'' if count == 1 else 's'}"


def percent(part: float) -> str:
    """A fraction as percent.

    >>> percent(0.333333333)
    '33.3333%'
    """
    return f"{part * 100:.6g}%"


def span(years: Iterable[int]) -> str:
    """Years in short: 2027, 2027-2030 (if all of the instance's in between are meant), or listed."""
    listed = sorted(set(years))
    if len(listed) <= 2:
        return " and ".join(str(y) for y in listed)
    return f"{listed[0]}-{listed[-1]}"


def merged(statements: Sequence[Statement]) -> list[tuple[list[Statement], str]]:
    """Statements of one subject and the text that tells them once, with all their years; order is kept."""
    groups: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for s in statements:
        groups[s.kind, s.subject].append(s)
    told = []
    for group in groups.values():
        text = group[0].text.replace("{when}", span(s.year for s in group if s.year is not None))
        demands = [s.demand for s in group if s.demand is not None]
        if demands:
            text = text.replace("{who}", _who(demands)).replace(
                "{what}", what_and_where((d.material, d.country) for d in demands)
            ) + _how_much(demands)
        told.append((group, text))
    return told


def _who(demands: Sequence[Demanded]) -> str:
    sectors = sorted({d.sector for d in demands})
    return f"sector {sectors[0]}" if len(sectors) == 1 else f"sectors {', '.join(sectors)}"


def what_and_where(pairs: Iterable[tuple[str, str]]) -> str:
    """Materials and countries in short."""
    listed = set(pairs)
    materials, countries = sorted({m for m, _ in listed}), sorted({c for _, c in listed})
    made = " and ".join(materials) if len(materials) <= 2 else f"{len(materials)} materials"
    return f"{made} in {', '.join(countries) if len(countries) <= 3 else f'{len(countries)} countries'}"


def _how_much(demands: Sequence[Demanded]) -> str:
    asked = {(d.least, d.demand) for d in demands}
    return f" ({tonnes(demands[0].least)} of {tonnes(demands[0].demand)})" if len(asked) == 1 else ""


def statements(system: System, items: Sequence[Item]) -> list[Statement]:
    """The statements of rows: wishes first, then along the chain from what is delivered back to what is mined."""
    found = [s for family, index in items if (s := _statement(system, family, index)) is not None]
    order = {"wish": 0, "source": 1, "limit": 1}
    return sorted(found, key=lambda s: (order[s.kind], -s.rank, s.year or 0))


def _statement(system: System, family: str, index: Any) -> Statement | None:
    if family in METRICS:
        return _cap(system, family, system.data.caps[family][index])
    if family.startswith("pin_"):
        return _pin(system, family, index)
    tell = _TELLERS.get(family)
    return tell(system, index) if tell else _told(system, family, index)


def _told(system: System, name: str, index: Any) -> Statement | None:
    """A row of a family that has no words of its own here: what the family's record says."""
    family = FAMILIES.get(name.removeprefix(UPPER))
    if family is None or not family.gives or not family.rows:
        return None
    row = getattr(system.data, family.rows)[index]
    node = system.data.nodes[row.node] if hasattr(row, "node") else None
    subject = family.subject(row)
    when = f", {_at(node)}" if node else ""
    text = f"{family.column} of {family.table} {subject}: {family.says(row, lambda _: 0.0)}{when}"
    cell = Cell(family.table, (subject,), family.column) if family.gives == "wish" else None
    return Statement(family.gives, f"{name} {subject}", node.year if node else None, text, cell, family.rank)


def _at(node: Node) -> str:
    return f"branch {node.branch}, {{when}}" if node.branch != PLAN else "{when}"


def stage_rank(system: System, material: str) -> float:
    """How far down the chain a material is made; 0 if the instance gives it no stage."""
    stage = next((m.stage for m in system.instance.materials if m.material == material), "")
    return float(system.instance.stages.index(stage) + 1) if stage in system.instance.stages else 0.0


# --- wishes ---


def _service(system: System, d: int) -> Statement:
    need = system.data.need[d]
    node = system.data.nodes[need.node]
    least = need.demand - need.max_short
    table = "sectors" if node.branch == PLAN else "branch_service"
    key = (need.sector,) if node.branch == PLAN else (node.branch, need.sector)
    text = f"min_service of {{who}}: {{what}}, {_at(node)}, must be served to {percent(least / need.demand)}"
    cell = Cell(table, key, "min_service")
    demanded = Demanded(need.sector, need.material, need.country, least, need.demand)
    return Statement("wish", f"service {text}", node.year, text, cell, 98.0, demanded)


def _clean_only(system: System, i: int) -> Statement:
    delivery = system.data.deliver[i]
    need = system.data.need[delivery.need]
    node = system.data.nodes[delivery.node]
    since = next(s.clean_from_year for s in system.instance.sectors if s.sector == need.sector)
    text = f"clean_from_year of sector {need.sector}: from {since} on it takes only clean {need.material} ({_at(node)})"
    subject = f"clean {need.sector} {need.material}"
    return Statement("wish", subject, node.year, text, Cell("sectors", (need.sector,), "clean_from_year"), 99.0)


def _cap(system: System, family: str, limit: ShareLimit) -> Statement:
    node = system.data.nodes[limit.node]
    row = next(c for c in system.instance.caps if c.cap == limit.cap)
    of = [METRICS[family].label]
    if row.stage or row.material:
        of.append(f"of {row.stage or row.material}")
    if row.sector:
        of.append(f"of sector {row.sector}")
    if limit.country or row.country:
        of.append(f"of {limit.country or row.country}")
    if row.origin:
        of.append(f"from {row.origin}")
    text = f"cap {limit.cap}: {' '.join(of)} at most {percent(limit.limit)} in {_at(node)}"
    subject = f"cap {limit.cap} {limit.country} {limit.limit if row.limit_end is not None else ''}"
    return Statement("wish", subject, node.year, text, Cell("caps", (limit.cap,), "limit"), 100.0)


def _least_use(system: System, i: int) -> Statement:
    limit = system.data.capacity[i]
    node = system.data.nodes[limit.node]
    row = next(f for f in system.instance.facilities if f.facility == limit.facility)
    text = (
        f"min_use of facility {limit.facility}: at least {percent(row.min_use)} of its capacity "
        f"({tonnes(limit.least_use)}) must be used in {_at(node)}"
    )
    cell = Cell("facilities", (limit.facility,), "min_use")
    return Statement("wish", f"use {limit.facility}", node.year, text, cell, 97.0)


def _offtake(system: System, i: int) -> Statement:
    limit = system.data.offtake[i]
    year = system.data.nodes[limit.node].year
    rows = [
        r
        for r in system.instance.offtakes
        if (r.facility, r.material) == (limit.facility, limit.material) and promised(r, year)
    ]
    names = " and ".join(r.offtake for r in rows)
    each = [f"{r.take_t:,.6g} t of {r.material}{f' for each module of {r.option}' if r.option else ''}" for r in rows]
    text = f"take_t of offtake {names}: {' and '.join(each)} must be made by {limit.facility} in {{when}}"
    cell = Cell("offtakes", (rows[0].offtake,), "take_t")
    return Statement("wish", f"taken {names}", year, text, cell, 97.5)


def _stock_floor(system: System, i: int) -> Statement:
    floor = system.data.stock_floor[i]
    text = f"final_min_t of stockpile {floor.stockpile}: at least {tonnes(floor.floor)} must be left at the end"
    cell = Cell("stockpiles", (floor.stockpile,), "final_min_t")
    return Statement("wish", f"left {floor.stockpile}", None, text, cell, 96.0)


def _modules_least(system: System, i: int) -> Statement:
    limit = system.data.modules[i]
    text = f"min_modules of option {limit.option}: at least {modules(limit.least)} must be built"
    return Statement("wish", f"least {limit.option}", None, text, Cell("options", (limit.option,), "min_modules"), 95.0)


def _exclusive(system: System, group: str) -> Statement:
    options = ", ".join(system.data.chosen[h] for h in system.data.groups[group])
    text = f"exclusive_group {group}: only one of {options} may be built"
    return Statement("wish", f"group {group}", None, text, None, 94.0)


def _requires(system: System, i: int) -> Statement:
    need = system.data.requires[i]
    text = f"requires of option {need.option}: {need.required} must be started first or in the same period"
    cell = Cell("options", (need.option,), "requires")
    return Statement("wish", f"requires {need.option}", None, text, cell, 93.0)


def _private(system: System, i: int) -> Statement:
    limit = system.data.private_limit[i]
    text = f"private_musd of option {limit.option}: it can raise at most {limit.limit:,.6g} MUSD of private money"
    cell = Cell("options", (limit.option,), "private_musd")
    return Statement("wish", f"private {limit.option}", None, text, cell, 92.0)


def _fund_budget(system: System, i: int) -> Statement:
    limit = system.data.fund_limit[i]
    text = f"budget_musd of fund {limit.fund}: it has at most {limit.budget:,.6g} MUSD"
    return Statement("wish", f"fund {limit.fund}", None, text, Cell("funds", (limit.fund,), "budget_musd"), 91.0)


def _fund_share(system: System, i: int) -> Statement:
    part = system.data.fund_share[i]
    text = f"max_share of fund {part.fund}: it pays at most {percent(part.max_share)} of {part.option}"
    cell = Cell("funds", (part.fund,), "max_share")
    return Statement("wish", f"share {part.fund} {part.option}", None, text, cell, 90.0)


def _pin(system: System, family: str, index: tuple[str, int]) -> Statement:
    option, year = index
    pins = system.pins
    if family == "pin_forbid":
        cell = Cell("pins", (option,), "forbid")
        return Statement("wish", f"forbid {option}", None, f"--forbid {option}: it is not built at all", cell, 101.0)
    if family == "pin_force":
        text = f"--force {option}@{year}: at least {modules(pins.force[index])} started in {year}"  # type: ignore[union-attr]
        return Statement("wish", f"force {option} {year}", None, text, Cell("pins", index, "force"), 102.0)
    text = f"--fix-from: of {option} exactly {modules(pins.fixed[index])} started in {year}"  # type: ignore[union-attr]
    return Statement("wish", f"fixed {option} {year}", None, text, Cell("pins", index, "fixed"), 102.0)


# --- what there is ---


def _balance(system: System, p: int) -> Statement:
    pool = system.data.pools[p]
    node = system.data.nodes[pool.node]
    sources = sources_of(system, pool)
    text = f"{pool.provenance} {pool.material} in {pool.country}, {_at(node)}: from {sources or 'nowhere'}"
    subject = f"balance {pool.material} {pool.country} {pool.provenance} {node.branch} {sources}"
    return Statement("source", subject, node.year, text, None, stage_rank(system, pool.material) + 0.5)


def sources_of(system: System, pool: Pool) -> str:
    """Who can supply a place: plants, markets, countries, stock; "" if nobody."""
    data = system.data
    parts = sorted({data.activity[a].facility for a, _ in pool.made})
    parts += sorted({f"market {data.buy[k].market}" for k in pool.bought})
    parts += [f"imports from {o}" for o in sorted({data.ship[s].origin for s in pool.arriving})]
    parts += sorted({f"stockpile {data.stock[i].stockpile}" for i in pool.held if data.stock[i].can_draw})
    if pool.downgrade is not None and pool.provenance != CLEAN:
        parts.append("clean material used as exposed")
    if len(parts) > 6:
        parts = [*parts[:6], f"{len(parts) - 6} more"]
    return ", ".join(parts)


def _capacity(system: System, i: int) -> Statement:
    limit = system.data.capacity[i]
    node = system.data.nodes[limit.node]
    text = f"facility {limit.facility}, {_at(node)}: {facility_capacity(system, limit.facility, node.period, limit)}"
    made = [
        m.material
        for m in system.instance.materials
        if any(system.data.pools[p].material == m.material for p in _pools_made(system, limit.use))
    ]
    rank = max((stage_rank(system, m) for m in made), default=0.0)
    return Statement("limit", f"capacity {limit.facility} {text}", node.year, text, None, rank + 0.2)


def _pools_made(system: System, use: Sequence[tuple[int, float]]) -> list[int]:
    if not hasattr(system, "_made_by"):
        made: dict[int, list[int]] = defaultdict(list)
        for p, pool in enumerate(system.data.pools):
            for a, _ in pool.made:
                made[a].append(p)
        system._made_by = made  # type: ignore[attr-defined]
    return [p for a, _ in use for p in system._made_by.get(a, ())]  # type: ignore[attr-defined]


def facility_capacity(system: System, facility: str, period: int, limit: Any) -> str:
    """What a facility can make in a period and why not more."""
    own = f"at most {tonnes(limit.own)} of its own capacity" if limit.own > 0.0 else "no own capacity"
    parts = [own]
    year = system.prepared.periods[period].first_year
    row = next(f for f in system.instance.facilities if f.facility == facility)
    if row.capacity_t > 0.0 and row.first_year is not None and row.first_year > year:
        parts[0] += f" (it opens in {row.first_year})"
    if row.capacity_t > 0.0 and row.last_year is not None and row.last_year < year:
        parts[0] += f" (it closes after {row.last_year})"
    for option in system.instance.options:
        if option.facility != facility:
            continue
        capacity = [k for b, k in limit.modules if system.data.build[b].option == option.option]
        if capacity:
            parts.append(
                f"option {option.option} adds at most {tonnes(max(capacity))} per module"
                f" (at most {option.max_modules:g})"
            )
        else:
            parts.append(late_option(system, option))
    return "; ".join(parts)


def late_option(system: System, option: Any) -> str:
    """When an option can first be online, and what keeps it."""
    last = system.prepared.periods[-1].last_year
    starts = start_years(option, system.instance.years, last)
    if not starts:
        return f"option {option.option} cannot be started"
    why = [f"lead_years {option.lead_years}"]
    if option.first_start is not None:
        why.append(f"first_start {option.first_start}")
    if option.last_start is not None:
        why.append(f"last_start {option.last_start}")
    return f"option {option.option} comes online in {starts[0] + option.lead_years} at the earliest ({', '.join(why)})"


def _buy(system: System, k: int) -> Statement:
    offer = system.data.buy[k]
    node = system.data.nodes[offer.node]
    text = f"market {offer.market} sells at most {tonnes(offer.limit or 0.0)} of {offer.material} in {_at(node)}"
    rank = stage_rank(system, offer.material) + 0.3
    return Statement("limit", f"market {offer.market} {offer.limit}", node.year, text, None, rank)


def _build(system: System, i: int) -> Statement:
    start = system.data.build[i]
    text = f"option {start.option}: at most {modules(start.max_modules)} can be started in {{when}}"
    return Statement("limit", f"build {start.option} {start.max_modules}", start.year, text, None, 0.1)


def _modules_most(system: System, i: int) -> Statement:
    limit = system.data.modules[i]
    text = f"option {limit.option}: at most {modules(limit.most)} in all (max_modules)"
    return Statement("limit", f"most {limit.option}", None, text, None, 0.1)


def _lane_limit(system: System, i: int) -> Statement:
    lane = system.data.lane_limit[i]
    node = system.data.nodes[lane.node]
    text = (
        f"lanes: at most {tonnes(lane.limit)} of {lane.material} move from {lane.origin} to {lane.destination} "
        f"in {_at(node)}"
    )
    rank = stage_rank(system, lane.material) + 0.4
    return Statement("limit", f"lane {lane.material} {lane.origin} {lane.destination}", node.year, text, None, rank)


def _export_stop(system: System, i: int) -> Statement:
    stop = system.data.export_stop[i]
    node = system.data.nodes[stop.node]
    text = f"scenario {stop.scenario}: at most {tonnes(stop.limit)} of {stop.material} leave {stop.country} in {{when}}"
    rank = stage_rank(system, stop.material) + 0.4
    return Statement("limit", f"stop {stop.scenario} {stop.material} {stop.country}", node.year, text, None, rank)


def _stock_balance(system: System, i: int) -> Statement | None:
    part = system.data.stock[i]
    if part.previous is not None or part.opening == 0.0:
        return None
    text = f"stockpile {part.stockpile} holds {tonnes(part.opening)} of {part.provenance} {part.material} at the start"
    return Statement("limit", f"opening {part.stockpile}", None, text, None, stage_rank(system, part.material) + 0.3)


def _stock_limit(system: System, i: int) -> Statement:
    limit = system.data.stock_limit[i]
    text = f"stockpile {limit.stockpile} has room for {tonnes(limit.limit)} (max_t)"
    return Statement("limit", f"room {limit.stockpile}", None, text, None, 0.3)


def _spending(system: System, i: int) -> Statement:
    option = system.data.spending[i].option
    row = next(o for o in system.instance.options if o.option == option)
    funds = sorted({f.fund for f in system.instance.fund_options if f.option == option})
    payers = f"private money and {', '.join(funds)}" if funds else "private money alone (no fund)"
    text = f"option {option} costs {row.capex_musd:,.6g} MUSD per module, to be paid by {payers}"
    return Statement("limit", f"cost {option}", None, text, None, 0.05)


def _transit(system: System, i: int) -> Statement:
    limit = system.data.transit[i]
    node = system.data.nodes[limit.node]
    text = f"no re-export: {limit.material} that arrives in {limit.country} does not leave it ({_at(node)})"
    rank = stage_rank(system, limit.material) + 0.1
    return Statement("limit", f"transit {limit.material} {limit.country}", node.year, text, None, rank)


def _whole(system: System, option: str) -> Statement:
    row = next(o for o in system.instance.options if o.option == option)
    text = f"option {option} comes in whole modules of {row.module_t:,.6g} t (integer)"
    return Statement("limit", f"whole {option}", None, text, None, 0.1)


_TELLERS: dict[str, Callable[[System, Any], Statement | None]] = {
    "service": _service,
    "clean_only": _clean_only,
    "least_use": _least_use,
    "offtake": _offtake,
    "stock_floor": _stock_floor,
    "modules_least": _modules_least,
    "exclusive_group": _exclusive,
    "requires": _requires,
    "private_limit": _private,
    "fund_budget": _fund_budget,
    "fund_share": _fund_share,
    "balance": _balance,
    "capacity_limit": _capacity,
    "modules_most": _modules_most,
    "lane_limit": _lane_limit,
    "export_stop": _export_stop,
    "stock_balance": _stock_balance,
    "stock_limit": _stock_limit,
    "spending": _spending,
    "transit_limit": _transit,
    WHOLE: _whole,
    UPPER + "buy": _buy,
    UPPER + "build": _build,
}
