"""Rows of the model in words: what each row asks for or permits, and which cell of the instance sets it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...instance.limits import limit_in_words
from ...instance.metrics import METRICS
from ...instance.timeline import largest_capacity, promised, start_years
from ...language import N_, _, n_, number, p_, translated
from ...prepare import CLEAN, PLAN, GroupLimit, Node, Pool, ShareLimit
from ...solving.families import FAMILIES, WHEN, in_group, modules, of_provenance, tonnes
from ...words import commas, listed, semicolons
from .conflict import LOT, UPPER, WHOLE, Item
from .system import Cell, System, service_cell


@dataclass(frozen=True)
class Statement:
    """A row of the model in words.

    kind     ``wish`` (a demand or rule of the user), ``limit`` (of what is available) or ``source`` (of a material)
    subject  statements of one kind and subject are merged into one sentence that names all their years
    when     time of the row: the first year of its period, or year and month; None for the whole horizon
    text     the sentence, with ``{when}`` in the place of the years, and for demands ``{who}`` and ``{what}``
    cell     the cell of the instance that sets the row; None if no single cell does
    rank     place in the order of statements of a kind: a higher rank is nearer to the demand, and comes first
    demand   the demand with its service floor, if the row is of one
    """

    kind: str
    subject: str
    when: str | None
    text: str
    cell: Cell | None = None
    rank: float = 0.0
    demand: Demanded | None = None


@dataclass(frozen=True)
class Demanded:
    """A demand and its service floor: ``least`` of ``demand`` must be served, both in kt/yr."""

    sector: str
    material: str
    country: str
    least: float
    demand: float


def percent(part: float) -> str:
    """Return a fraction as a percentage.

    >>> percent(0.333333333)
    '33.3333%'
    """
    return number(f"{part * 100:.6g}%")


def span(times: Iterable[str]) -> str:
    """Return years, or years and months, as text: one, two joined by ``and``, or the first and the last of more.

    >>> span(["2027"]), span(["2028", "2027"]), span(["2027", "2028", "2030"]), span(["2027-01", "2027-02", "2028"])
    ('2027', '2027 and 2028', '2027-2030', '2027-01 to 2028')
    """
    known = sorted(set(times))
    if len(known) <= 2:
        return listed(known)
    if any("-" in time for time in known):
        return _("{least} to {most}", least=known[0], most=known[-1])
    return f"{known[0]}-{known[-1]}"


def merged(statements: Sequence[Statement]) -> list[tuple[list[Statement], str]]:
    """Merge the statements of one kind and subject, and return each group with its sentence, in the given order."""
    groups: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for s in statements:
        groups[s.kind, s.subject].append(s)
    told = []
    for group in groups.values():
        text = group[0].text.replace("{when}", span(s.when for s in group if s.when is not None))
        demands = [s.demand for s in group if s.demand is not None]
        if demands:
            what = what_and_where((d.material, d.country) for d in demands)
            text = _how_much(text.replace("{who}", _who(demands)).replace("{what}", what), demands)
        told.append((group, text))
    return told


def _who(demands: Sequence[Demanded]) -> str:
    """Return the sectors of demands in words."""
    sectors = sorted({d.sector for d in demands})
    return _("sector {name}", name=sectors[0]) if len(sectors) == 1 else _("sectors {names}", names=commas(sectors))


def what_and_where(pairs: Iterable[tuple[str, str]]) -> str:
    """Return materials and countries in words, with numbers in place of long lists.

    pairs  (material, country)
    """
    known = set(pairs)
    materials, countries = sorted({m for m, _country in known}), sorted({c for _material, c in known})
    made = listed(materials) if len(materials) <= 2 else n_("{n} material", "{n} materials", len(materials))
    where = commas(countries) if len(countries) <= 3 else n_("{n} country", "{n} countries", len(countries))
    return _("{material} in {country}", material=made, country=where)


def _how_much(text: str, demands: Sequence[Demanded]) -> str:
    """Return a sentence with how much of the demand must be served, unless that differs between the demands."""
    if len({(d.least, d.demand) for d in demands}) > 1:
        return text
    least, demand = tonnes(demands[0].least), tonnes(demands[0].demand)
    return _("{sentence} ({least} of {demand})", sentence=text, least=least, demand=demand)


def statements(system: System, items: Sequence[Item]) -> list[Statement]:
    """Return the statements of rows: wishes first, then sources and limits from the demand back to the mine.

    items  (family, index) of the rows
    """
    asked = any(family in METRICS or family in ("service", "clean_only") for family, _index in items)
    # a demand is part of the sentence on its service floor or cap, and needs a sentence of its own only without one
    told = [(family, index) for family, index in items if family != "demand" or not asked]
    found = [s for family, index in told if (s := _statement(system, family, index)) is not None]
    order = {"wish": 0, "source": 1, "limit": 1}
    return sorted(found, key=lambda s: (order[s.kind], -s.rank, s.when or ""))


def _statement(system: System, family: str, index: Any) -> Statement | None:
    """Return the statement of a row; None if its family has no words."""
    if family in METRICS:
        return _cap(system, family, system.data.caps[family][index])
    if family.startswith("pin_"):
        return _pin(system, family, index)
    tell = _TELLERS.get(family)
    return tell(system, index) if tell else _told(system, family, index)


def _told(system: System, name: str, index: Any) -> Statement | None:
    """Return the statement of a row in the words of its family's record; None if the record has no words."""
    family = FAMILIES.get(name.removeprefix(UPPER))
    if family is None or family.words is None:
        return None
    row = getattr(system.data, family.rows)[index]
    text, rank = family.words(row), family.rank
    cell = Cell(family.table, (family.subject(row),), family.column) if family.table in _ONE else None
    if family.gives == "wish":
        of = {"column": family.column, "thing": translated(_ONE[family.table]), "name": family.subject(row)}
        text = _("{column} of {thing} {name}: {text}", text=text, **of)
    elif hasattr(row, "material"):
        rank += stage_rank(system, row.material)
    subject = f"{name} {text}"
    node = system.data.nodes[row.node] if hasattr(row, "node") else None
    text = text.replace("{at}", _at(node) if node else "{when}")
    when = node.when if node else str(getattr(row, "year", ""))
    return Statement(family.gives, subject, when if "{when}" in text else None, text, cell, rank)


# singulars
_ONE = {"facilities": N_("facility"), "funds": N_("fund"), "options": N_("option"), "stockpiles": N_("stockpile")}


def _at(node: Node) -> str:
    """Return the branch, if it is not the plan, and the place of the years in a sentence."""
    return _("branch {branch}, {when}", branch=node.branch, **WHEN) if node.branch != PLAN else "{when}"


def stage_rank(system: System, material: str) -> float:
    """Return the position of a material's stage in the chain, from 1; 0 if the instance gives it no stage."""
    stage = next((m.stage for m in system.instance.materials if m.material == material), "")
    return float(system.instance.stages.index(stage) + 1) if stage in system.instance.stages else 0.0


# --- wishes ---


def _service(system: System, d: int) -> Statement:
    need = system.data.need[d]
    node = system.data.nodes[need.node]
    least = need.demand - need.max_short
    text = _(
        "min_service of {who}: {what}, {at}, must be served to {share}",
        who="{who}",
        what="{what}",
        at=_at(node),
        share=percent(least / need.demand),
    )
    cell = service_cell(system, need)
    demanded = Demanded(need.sector, need.material, need.country, least, need.demand)
    return Statement("wish", f"service {text}", node.when, text, cell, 98.0, demanded)


def _clean_only(system: System, i: int) -> Statement:
    delivery = system.data.deliver[i]
    need = system.data.need[delivery.need]
    node = system.data.nodes[delivery.node]
    since = next(s.clean_from_year for s in system.instance.sectors if s.sector == need.sector)
    substitutes = {s.substitute: s.replaced_by for s in system.instance.substitutes}
    taken = substitutes.get(delivery.substitute, need.material)
    text = _(
        "clean_from_year of sector {sector}: from {year} on it takes only clean {material} ({at})",
        sector=need.sector,
        year=since,
        material=taken,
        at=_at(node),
    )
    subject = f"clean {need.sector} {taken}"
    return Statement("wish", subject, node.when, text, Cell("sectors", (need.sector,), "clean_from_year"), 99.0)


def _cap(system: System, family: str, limit: ShareLimit) -> Statement:
    node = system.data.nodes[limit.node]
    row = next(c for c in system.instance.caps if c.cap == limit.cap)
    what = translated(METRICS[family].label)
    if row.recycled:
        what = _("recycled {metric}", metric=what)
    if row.largest:
        what = _("share of the {n} largest suppliers", n=row.largest)
    if row.stage or row.material:
        what = _("{metric} of {of}", metric=what, of=row.stage or row.material)
    if row.sector:
        what = _("{metric} of sector {sector}", metric=what, sector=row.sector)
    if limit.country or row.country:
        what = _("{metric} of {of}", metric=what, of=limit.country or row.country)
    if row.origin:
        what = _("{metric} from {origin}", metric=what, origin=row.origin)
    if row.impact:
        what = f"{what} {row.impact}"
    asked = limit_in_words(system.instance, limit.cap, limit.limit * (1e3 if METRICS[family].amount else 1.0))
    of = {"cap": limit.cap, "what": what, "limit": asked, "at": _at(node)}
    text = (
        _("cap {cap}: {what} at least {limit} in {at}", **of)
        if limit.floor
        else _("cap {cap}: {what} at most {limit} in {at}", **of)
    )
    subject = f"cap {limit.cap} {limit.country} {limit.limit if row.limit_end is not None else ''}"
    return Statement("wish", subject, str(node.year), text, Cell("caps", (limit.cap,), "limit"), 100.0)


def _least_use(system: System, i: int) -> Statement:
    limit = system.data.capacity[i]
    node = system.data.nodes[limit.node]
    row = next(f for f in system.instance.facilities if f.facility == limit.facility)
    text = _(
        "min_use of facility {facility}: at least {share} of its capacity ({tonnes}) must be used in {at}",
        facility=limit.facility,
        share=percent(row.min_use),
        tonnes=tonnes(limit.least_use),
        at=_at(node),
    )
    cell = Cell("facilities", (limit.facility,), "min_use")
    return Statement("wish", f"use {limit.facility}", node.when, text, cell, 97.0)


def _offtake(system: System, i: int) -> Statement:
    limit = system.data.offtake[i]
    year = system.data.nodes[limit.node].year
    rows = [
        r
        for r in system.instance.offtakes
        if (r.facility, r.material) == (limit.facility, limit.material) and promised(r, year)
    ]
    each = []
    for r in rows:
        amount = _("{tonnes} t of {material}", tonnes=number(f"{r.take_t:,.6g}"), material=r.material)
        each.append(_("{amount} for each module of {option}", amount=amount, option=r.option) if r.option else amount)
    both = p_("between conditions", " and ")
    names = both.join(r.offtake for r in rows)
    text = _(
        "take_t of offtake {names}: {amounts} must be made by {facility} in {when}",
        names=names,
        amounts=both.join(each),
        facility=limit.facility,
        **WHEN,
    )
    cell = Cell("offtakes", (rows[0].offtake,), "take_t")
    return Statement("wish", f"taken {names}", str(year), text, cell, 97.5)


def _sale_least(system: System, i: int) -> Statement:
    limit = system.data.sale_limit[i]
    year = system.data.nodes[limit.node].year
    points = [p for p in system.instance.buyer_prices if p.buyer == limit.buyer and p.min_t > 0.0]
    nearest = min(points, key=lambda p: abs((p.year or year) - year))
    text = _(
        "min_t of buyer {buyer}: at least {limit} of {material} must be sold to it in {when}",
        buyer=limit.buyer,
        limit=tonnes(limit.least),
        material=limit.material,
        **WHEN,
    )
    cell = Cell("buyer_prices", (limit.buyer, nearest.year), "min_t")
    return Statement("wish", f"sold {limit.buyer}", str(year), text, cell, FAMILIES["sale_least"].rank)


def _exclusive(system: System, i: int) -> Statement:
    group = system.data.groups[i]
    options = commas(system.data.chosen[h].option for h in group.chosen)
    text = _("exclusive_group {group}: only one of {options} may be built", group=group.group, options=options)
    text = _in_course(text, group.branch)
    return Statement("wish", f"group {group.group}", None, text, None, 94.0)


def _in_course(text: str, branch: str) -> str:
    """Return a rule on starts with the course of which it speaks, unless that is the plan."""
    return _("{sentence} in branch {branch}", sentence=text, branch=branch) if branch != PLAN else text


def _group_most(system: System, i: int) -> Statement:
    return _group(system.data.group_limit[i], "max", "most")


def _group_least(system: System, i: int) -> Statement:
    return _group(system.data.group_limit[i], "min", "least")


def _group(limit: GroupLimit, column: str, side: str) -> Statement:
    said = in_group(limit, limit.most if side == "most" else limit.least)
    cell = Cell("group_limits", (limit.group, limit.measure, limit.first_year, limit.last_year), column)
    of = {"column": column, "group": limit.group, "what": said}
    text = (
        _("{column} of group {group}: at most {what}", **of)
        if side == "most"
        else _("{column} of group {group}: at least {what}", **of)
    )
    text = _in_course(text, limit.branch)
    return Statement("wish", f"group {column} {text}", None, text, cell, FAMILIES[f"group_{side}"].rank)


def _pin(system: System, family: str, index: tuple[str, int]) -> Statement:
    option, year = index[:2]
    pins = system.pins
    if family == "pin_forbid":
        cell = Cell("pins", (option,), "forbid")
        text = _("--forbid {option}: it is not built at all", option=option)
        return Statement("wish", f"forbid {option}", None, text, cell, 101.0)
    if family == "pin_force":
        least = modules(pins.force[index])  # type: ignore[union-attr]
        text = _(
            "--force {option}@{year}: at least {modules} started in {year}", option=option, year=year, modules=least
        )
        return Statement("wish", f"force {option} {year}", None, text, Cell("pins", index, "force"), 102.0)
    held = modules(pins.fixed[index])  # type: ignore[union-attr]
    text = _("--fix-from: of {option} exactly {modules} started in {year}", option=option, year=year, modules=held)
    return Statement("wish", f"fixed {option} {year}", None, text, Cell("pins", index, "fixed"), 102.0)


# --- what there is ---


def _balance(system: System, p: int) -> Statement:
    pool = system.data.pools[p]
    node = system.data.nodes[pool.node]
    sources = sources_of(system, pool)
    text = _(
        "{material} in {country}, {at}: from {sources}",
        material=of_provenance(pool),
        country=pool.country,
        at=_at(node),
        sources=sources or _("nowhere"),
    )
    subject = f"balance {pool.material} {pool.country} {pool.provenance} {node.branch} {sources}"
    return Statement("source", subject, node.when, text, None, stage_rank(system, pool.material) + 0.5)


def sources_of(system: System, pool: Pool) -> str:
    """Return who can supply a pool, in words: plants, markets, countries of origin, stockpiles; "" if nobody can."""
    data = system.data
    parts = sorted({data.activity[a].facility for a, _kt in pool.made})
    parts += [_("market {name}", name=name) for name in sorted({data.buy[k].market for k in pool.bought})]
    parts += [_("return {name}", name=name) for name in sorted({data.collect[i].ret for i in pool.collected})]
    origins = sorted({data.ship[s].origin for s, _kt in pool.arriving})
    parts += [_("imports from {country}", country=country) for country in origins]
    stores = sorted({data.stock[i].stockpile for i in pool.held if data.stock[i].can_draw})
    parts += [_("stockpile {name}", name=name) for name in stores]
    if pool.downgrade is not None and pool.provenance != CLEAN:
        parts.append(_("clean material used as exposed"))
    if len(parts) > 6:
        parts = [*parts[:6], _("{n} more", n=len(parts) - 6)]
    return commas(parts)


def _capacity(system: System, i: int) -> Statement:
    limit = system.data.capacity[i]
    node = system.data.nodes[limit.node]
    text = _(
        "facility {facility}, {at}: {capacity}",
        facility=limit.facility,
        at=_at(node),
        capacity=facility_capacity(system, limit.facility, node.period, limit),
    )
    made = {system.data.pools[p].material for activity, _kt in limit.use for p in system.pools_made.get(activity, ())}
    rank = max((stage_rank(system, material) for material in made), default=0.0)
    points = system.instance.capacity_series.get(limit.facility)
    cell = Cell("facilities", (limit.facility,), "capacity_t")
    if points is not None:  # the first point of the series stands for it
        cell = Cell("facility_capacity", (limit.facility, next(iter(points))), "capacity_t")
    return Statement("limit", f"capacity {limit.facility} {text}", node.when, text, cell, rank + 0.2)


def facility_capacity(system: System, facility: str, period: int, limit: Any) -> str:
    """Return the capacity of a facility in a period in words, with the options that could add to it.

    period  position of the period
    limit   its row of the family ``capacity_limit``
    """
    own = _("no own capacity")
    if limit.own > 0.0:
        own = _("at most {limit} of its own capacity", limit=tonnes(limit.own))
    year = system.prepared.periods[period].first_year
    row = next(f for f in system.instance.facilities if f.facility == facility)
    some = largest_capacity(system.instance, row) > 0.0
    if some and row.first_year is not None and row.first_year > year:
        own = _("{sentence} (it opens in {year})", sentence=own, year=row.first_year)
    if some and row.last_year is not None and row.last_year < year:
        own = _("{sentence} (it closes after {year})", sentence=own, year=row.last_year)
    parts = [own]
    for option in system.instance.options:
        if option.facility != facility:
            continue
        capacity = [k for b, k in limit.modules if system.data.build[b].option == option.option]
        if capacity:
            parts.append(
                _(
                    "option {option} adds at most {limit} per module (at most {n})",
                    option=option.option,
                    limit=tonnes(max(capacity)),
                    n=number(f"{option.max_modules:g}"),
                )
            )
        else:
            parts.append(late_option(system, option))
    return semicolons(parts)


def late_option(system: System, option: Any) -> str:
    """Return in words when an option can be online at the earliest, and the cells that set this year."""
    last = system.prepared.periods[-1].last_year
    starts = start_years(option, system.instance.years, last)
    if not starts:
        return _("option {option} cannot be started", option=option.option)
    why = [f"lead_years {option.lead_years}"]
    if option.first_start is not None:
        why.append(f"first_start {option.first_start}")
    if option.last_start is not None:
        why.append(f"last_start {option.last_start}")
    return _(
        "option {option} comes online in {year} at the earliest ({why})",
        option=option.option,
        year=starts[0] + option.lead_years,
        why=commas(why),
    )


def _stock_balance(system: System, i: int) -> Statement | None:
    part = system.data.stock[i]
    if part.before or part.opening == 0.0:
        return None
    text = _(
        "initial_t of stockpile {stockpile}: {amount} of {material} lie in {country} at the start",
        stockpile=part.stockpile,
        amount=tonnes(part.opening),
        material=of_provenance(part),
        country=part.country,
    )
    return Statement("wish", text, None, text, Cell("stockpiles", (part.stockpile,), "initial_t"), 88.0)


def _spending(system: System, i: int) -> Statement:
    option = system.data.spending[i].option
    row = next(o for o in system.instance.options if o.option == option)
    funds = sorted({f.fund for f in system.instance.fund_options if f.option == option})
    payers = _("private money alone (no fund)")
    if funds:
        payers = _("private money and {funds}", funds=commas(funds))
    text = _(
        "option {option} costs {amount} MUSD per module, to be paid by {payers}",
        option=option,
        amount=number(f"{row.capex_musd:,.6g}"),
        payers=payers,
    )
    return Statement("limit", f"cost {option}", None, text, Cell("options", (option,), "capex_musd"), 0.05)


def _whole(system: System, option: str) -> Statement:
    row = next(o for o in system.instance.options if o.option == option)
    size = number(f"{row.module_t:,.6g}")
    text = _("option {option} comes in whole modules of {size} t (integer)", option=option, size=size)
    return Statement("limit", f"whole {option}", None, text, Cell("options", (option,), "integer"), 0.1)


def _lot(system: System, movement: tuple[str, str, str]) -> Statement:
    lanes = [lane for lane in system.data.lane_limit if (lane.material, lane.origin, lane.destination) == movement]
    of, years = max(lanes, key=lambda lane: lane.least), (system.data.nodes[lane.node].when for lane in lanes)
    text = FAMILIES["lane_least"].words(of).format(at=span(years))  # type: ignore[misc]
    return Statement("limit", f"lot {movement}", None, text, None, 0.1)


_TELLERS: dict[str, Callable[[System, Any], Statement | None]] = {
    "service": _service,
    "clean_only": _clean_only,
    "least_use": _least_use,
    "offtake": _offtake,
    "exclusive_group": _exclusive,
    "group_most": _group_most,
    "group_least": _group_least,
    "balance": _balance,
    "capacity_limit": _capacity,
    "sale_least": _sale_least,
    "stock_balance": _stock_balance,
    "spending": _spending,
    WHOLE: _whole,
    LOT: _lot,
}
