"""What could give way, and how hard that is: the wishes, money and dates of an instance, never its physics.

Hardship is counted in points. The figures are a choice of ours, made so that a cap a few points too tight is blamed on
the cap, and that a committed project, a rule or a pin is given up only when nothing smaller helps:

====================================  ==========================================================
what gives way                        points
====================================  ==========================================================
a cap's or floor's limit, a fund's    1 per point (0.01)
max_share
a service floor                       2 per point of the sector's demand
min_use                               1 per point
a limit on an impact                  1 per hundredth of it
final_min_t, take_t of a plant, min_t 1 per hundredth of it
of a buyer
max_t of a stockpile                  1 per hundredth of the largest of its max_t, initial_t and final_min_t
initial_t                             2 per hundredth of the same: what lies there is a fact, room can be rented
private_musd, budget_musd             0.2 per hundredth of the capex of the dearest module paid
clean_from_year                       10 per year later
a pinned module                       15 (a forbidden option: 15)
a committed module (min_modules)      30
exclusive_group, requires             40 for an option freed from it
min, max of a group of options        40 per option, 30 per module; of capacity or capex 1 per hundredth of the limit
take_t of an option                   40: nothing is taken
====================================  ==========================================================
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...instance.metrics import METRICS
from ...instance.timeline import (
    Period,
    horizon_end,
    largest_capacity,
    module_share,
    own_capacity_share,
    promised,
    series_value,
)
from ...prepare import PLAN
from ...solving.families import FAMILIES, Family
from .system import Cell, Effect, Relaxable, System, service_cell

if TYPE_CHECKING:
    from ...instance.tables import Cap, Offtake

POINT = 100.0  # of a cell that is a fraction
SERVICE = 200.0
MONEY = 20.0
YEAR = 10.0
PIN = 15.0
RULE = 40.0
COMMITTED = 30.0
CONTENT = 2.0  # what lies in a stockpile, against its room
KT = 1e-3  # of a tonne


def add_relaxables(system: System) -> None:
    """Find all relaxable cells of a system and add them, with what they do to its rows."""
    _caps(system)
    _service(system)
    _clean_only(system)
    _offtakes(system)
    _sales(system)
    _stores(system)
    for family in FAMILIES.values():
        if family.points is not None:
            _cells(system, family)
    _rules(system)
    _groups(system)
    _money(system)
    _pins(system)


def _add(system: System, relaxable: Relaxable, effects: Iterable[tuple[int, float]], share: bool = False) -> int:
    """Add a relaxable with its effects (row, factor), and return its position."""
    position = len(system.relaxables)
    system.relaxables.append(relaxable)
    system.effects += [Effect(position, row, factor, share) for row, factor in effects]
    return position


def cap_shift(system: System, cap: Cap, year: int) -> tuple[float, float]:
    """Return how much a cap's limit in ``year`` moves per unit of its cell ``limit``, and per unit of ``limit_end``."""
    if cap.limit_end is None:
        return 1.0, 0.0
    first = system.instance.years[0] if cap.first_year is None else cap.first_year
    last = horizon_end(system.instance) if cap.last_year is None else cap.last_year
    part = 0.0 if first == last else (year - first) / (last - first)
    return 1.0 - part, part


def _caps(system: System) -> None:
    """Add the limits of caps, and those at the end of a glide: they can rise up to 1, those of floors fall to 0."""
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)  # cap -> row, year
    for family in METRICS:
        for index, row in system.arrays.rows.get(family, {}).items():
            limit = system.data.caps[family][index]
            rows[limit.cap].append((row, system.data.nodes[limit.node].year))
    for cap in system.instance.caps:
        for side, (column, value) in enumerate((("limit", cap.limit), ("limit_end", cap.limit_end))):
            unit = KT if METRICS[cap.metric].amount else 1.0  # the row of an impact is in thousand units
            effects = [(row, unit * cap_shift(system, cap, year)[side]) for row, year in rows[cap.cap]]
            effects = [(row, factor) for row, factor in effects if factor > 0.0]
            if not effects or value is None:
                continue
            most = math.inf if METRICS[cap.metric].amount else 1.0 - value
            room, sign = (value, -1.0) if cap.sense == "min" else (most, 1.0)
            point = POINT / max(value, 1.0) if METRICS[cap.metric].amount else POINT
            share = not METRICS[cap.metric].amount
            if room > 0.0:
                _add(system, Relaxable(Cell("caps", (cap.cap,), column), point, room, sign), effects, share)


def _service(system: System) -> None:
    """Add the service floors: they can fall to 0."""
    rows: dict[Cell, list[tuple[int, float]]] = defaultdict(list)
    for d, row in system.arrays.rows.get("service", {}).items():
        need = system.data.need[d]
        rows[service_cell(system, need)].append((row, need.demand))
    for cell, effects in rows.items():
        _add(system, Relaxable(cell, SERVICE, cell.value_in(system.instance), sign=-1.0), effects)


def _clean_only(system: System) -> None:
    """Add the clean-only rules: each can begin later by one period, two and so on; a step needs the step before it."""
    rows: dict[str, dict[int, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for i, row in system.arrays.rows.get("clean_only", {}).items():
        delivery = system.data.deliver[i]
        need = system.data.need[delivery.need]
        rows[need.sector][system.data.nodes[delivery.node].year].append((row, need.demand))
    years = system.instance.years
    for sector in system.instance.sectors:
        if sector.sector not in rows or sector.clean_from_year is None:
            continue
        cell = Cell("sectors", (sector.sector,), "clean_from_year")
        before, asked = None, sector.clean_from_year
        for year in (y for y in years if y >= sector.clean_from_year):
            later = next((y for y in years if y > year), None)
            until = horizon_end(system.instance) + 1 if later is None else later
            relaxable = Relaxable(cell, YEAR * (until - asked), 1.0, to=later, switch=True)
            step = _add(system, relaxable, rows[sector.sector].get(year, ()))
            if before is not None:
                system.after.append((step, before))
            before, asked = step, until


def _cells(system: System, family: Family) -> None:
    """Add the cells that ask for a least amount: each can fall to 0, and the limits of its rows with it."""
    assert family.points is not None
    column = {str(row.identity[0]): float(getattr(row, family.column)) for row in system.instance.rows(family.table)}
    rows: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for i, row in system.arrays.rows.get(family.name, {}).items():
        record = getattr(system.data, family.rows)[i]
        name = family.subject(record)
        rows[name].append((row, family.moves(record, column[name])))
    for name, effects in rows.items():
        cell = Cell(family.table, (name,), family.column)
        _add(system, Relaxable(cell, family.points(column[name]), column[name], sign=-1.0), effects)


def _stores(system: System) -> None:
    """Add the stockpiles: the room can grow without end, and what lies there at the beginning can be less."""
    rooms: dict[str, list[tuple[int, float]]] = defaultdict(list)
    contents: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for i, row in system.arrays.rows.get("stock_limit", {}).items():
        rooms[system.data.stock_limit[i].stockpile].append((row, KT))
    for i, row in system.arrays.rows.get("stock_balance", {}).items():
        part = system.data.stock[i]
        if not part.before and part.opening > 0.0:
            contents[part.stockpile].append((row, KT))
            if i in system.arrays.rows["stock_draw"]:
                contents[part.stockpile].append((system.arrays.rows["stock_draw"][i], -KT))
    for store in system.instance.stockpiles:
        point = POINT / max(store.max_t, store.initial_t, store.final_min_t, 1.0)
        name = (store.stockpile,)
        if rooms[store.stockpile]:
            _add(system, Relaxable(Cell("stockpiles", name, "max_t"), point, math.inf), rooms[store.stockpile])
        if contents[store.stockpile]:
            content = Relaxable(Cell("stockpiles", name, "initial_t"), CONTENT * point, store.initial_t, sign=-1.0)
            _add(system, content, contents[store.stockpile])


def _offtakes(system: System) -> None:
    """Add the offtakes: own capacity can give less; an option, whose row multiplies builds, can only give nothing."""
    rows = {
        (limit.facility, limit.material, system.data.nodes[limit.node].period): system.arrays.rows["offtake"][i]
        for i, limit in enumerate(system.data.offtake)
    }
    for offtake in system.instance.offtakes:
        effects = [
            (rows[offtake.facility, offtake.material, t], tonnes * 1e-3)
            for t, period in enumerate(system.prepared.periods)
            if (tonnes := _most_taken(system, offtake, period)) > 0.0
        ]
        cell = Cell("offtakes", (offtake.offtake,), "take_t")
        if offtake.option:
            _add(system, Relaxable(cell, RULE, 1.0, to=0.0, switch=True), effects)
        elif effects:
            each = [(row, most / offtake.take_t) for row, most in effects]
            _add(system, Relaxable(cell, POINT / offtake.take_t, offtake.take_t, sign=-1.0), each)


def _most_taken(system: System, offtake: Offtake, period: Period) -> float:
    """Return the most that an offtake can ask for in a period, whatever is built, t/yr."""
    if not promised(offtake, period.first_year):
        return 0.0
    if not offtake.option:
        plant = next(f for f in system.instance.facilities if f.facility == offtake.facility)
        has_some = largest_capacity(system.instance, plant) > 0.0
        return offtake.take_t * own_capacity_share(system.instance, plant, period) if has_some else 0.0
    option = next(o for o in system.instance.options if o.option == offtake.option)
    starts = [s.year for s in system.data.build if s.option == option.option and s.year <= period.first_year]
    shares = [module_share(option, year, period) for year in starts]
    return offtake.take_t * option.max_modules * max(shares, default=0.0)


def _sales(system: System) -> None:
    """Add the least amounts of buyers: each point of the series can fall to 0."""
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)  # buyer -> row, year
    for i, row in system.arrays.rows.get("sale_least", {}).items():
        limit = system.data.sale_limit[i]
        rows[limit.buyer].append((row, system.data.nodes[limit.node].year))
    series: dict[str, list[int | None]] = defaultdict(list)
    for point in system.instance.buyer_prices:
        series[point.buyer].append(point.year)
    for point in system.instance.buyer_prices:
        hat = {year: 1.0 if year == point.year else 0.0 for year in series[point.buyer]}
        effects = [(row, KT * part) for row, year in rows[point.buyer] if (part := series_value(hat, year)) > 0.0]
        if effects and point.min_t > 0.0:
            cell = Cell("buyer_prices", (point.buyer, point.year), "min_t")
            _add(system, Relaxable(cell, POINT / point.min_t, point.min_t, sign=-1.0), effects)


def _rules(system: System) -> None:
    """Add exclusive groups and requirements of options: an option can be freed of either."""
    data, arrays = system.data, system.arrays
    exclusive: dict[str, list[tuple[int, float]]] = defaultdict(list)
    chosen = {}
    for i, row in arrays.rows.get("exclusive_group", {}).items():
        for h in data.groups[i].chosen:
            exclusive[data.chosen[h].option].append((row, 1.0))
            if data.groups[i].branch == PLAN:
                chosen[data.chosen[h].option] = arrays.columns["chosen"][h]
    for option, effects in exclusive.items():
        freed = _add(system, Relaxable(Cell("options", (option,), "exclusive_group"), RULE, 1.0, switch=True), effects)
        system.only_if.append((freed, chosen[option]))
    required: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for i, row in arrays.rows.get("requires", {}).items():
        need = data.requires[i]
        required[need.option].append((row, need.max_modules))
    for option, effects in required.items():
        _add(system, Relaxable(Cell("options", (option,), "requires"), RULE, 1.0, switch=True), effects)


def _groups(system: System) -> None:
    """Add the limits on groups of options: the least can fall to 0, the most rise without end."""
    units = {"capacity_t": KT}
    for side, column, sign in (("least", "min", -1.0), ("most", "max", 1.0)):
        known: dict[Cell, int] = {}  # the limit holds in each course of starts
        for i, row in system.arrays.rows.get(f"group_{side}", {}).items():
            limit = system.data.group_limit[i]
            unit = units.get(limit.measure, 1.0)
            asked = (limit.least if side == "least" else limit.most or 0.0) / unit
            usual = asked or max((k for _, k in limit.modules), default=1.0) / unit
            weight = {"options": RULE, "modules": COMMITTED}.get(limit.measure, POINT / usual)
            cell = Cell("group_limits", (limit.group, limit.measure, limit.first_year, limit.last_year), column)
            most = asked if side == "least" else math.inf
            if cell in known:
                system.effects.append(Effect(known[cell], row, unit, False))
            else:
                known[cell] = _add(system, Relaxable(cell, weight, most, sign), [(row, unit)])


def _money(system: System) -> None:
    """Add money: private money and budgets of funds can rise; the share that a fund may pay can rise up to 1."""
    data, arrays = system.data, system.arrays
    options = {o.option: o for o in system.instance.options}
    dearest = {name: o.capex_musd * max(1.0, o.min_modules) for name, o in options.items()}
    eligible: dict[str, list[str]] = defaultdict(list)
    for fund_option in system.instance.fund_options:
        eligible[fund_option.fund].append(fund_option.option)

    known: dict[Cell, int] = {}  # each course of starts has money of its own, from the same cell

    def limit(row: int, cell: Cell, paid: Sequence[str]) -> None:
        """Add a cell of money that can rise, for the options that it pays."""
        if cell in known:
            system.effects.append(Effect(known[cell], row, 1.0, False))
            return
        most = sum(dearest[o] * max(1.0, options[o].max_modules) for o in paid)
        unit = max((dearest[o] for o in paid), default=1.0)
        known[cell] = _add(system, Relaxable(cell, MONEY / max(unit, 1e-6), most), [(row, 1.0)])

    for i, row in arrays.rows.get("private_limit", {}).items():
        option = data.private_limit[i].option
        limit(row, Cell("options", (option,), "private_musd"), [option])
    for i, row in arrays.rows.get("fund_budget", {}).items():
        fund = data.fund_limit[i].fund
        limit(row, Cell("funds", (fund,), "budget_musd"), eligible[fund])
    shares: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for i, row in arrays.rows.get("fund_share", {}).items():
        shares[data.fund_share[i].fund].append((row, 1.0))
    most_share = {f.fund: 1.0 - f.max_share for f in system.instance.funds}
    for fund, effects in shares.items():
        _add(system, Relaxable(Cell("funds", (fund,), "max_share"), POINT, most_share[fund]), effects, share=True)


def _pins(system: System) -> None:
    """Add the pins: forced and fixed modules can be fewer, fixed ones also more; forbidden options can be allowed."""
    if not system.pins:
        return
    rows = system.arrays.rows
    most = {s.option: s.max_modules for s in system.data.build}
    for (option, year), row in rows.get("pin_force", {}).items():
        held = system.pins.force[option, year]
        _add(system, Relaxable(Cell("pins", (option, year), "force"), PIN, held, sign=-1.0), [(row, 1.0)])
    for side, sign in (("pin_least", -1.0), ("pin_most", 1.0)):
        for (option, year), row in rows.get(side, {}).items():
            held = system.pins.fixed[option, year]
            room = held if sign < 0 else most[option] - held
            if room > 0.0:
                _add(system, Relaxable(Cell("pins", (option, year), "fixed"), PIN, room, sign=sign), [(row, 1.0)])
    forbidden: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for (option, _), row in rows.get("pin_forbid", {}).items():
        forbidden[option].append((row, most[option]))
    for option, effects in forbidden.items():
        _add(system, Relaxable(Cell("pins", (option,), "forbid"), PIN, 1.0, switch=True), effects)
