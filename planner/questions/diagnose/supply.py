"""Why there is not more supply: the most that can be delivered to a demand, and what each possible source lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...instance.timeline import largest_capacity
from ...instance.wildcards import MovementTable
from ...language import _
from ...prepare import CLEAN, EXPOSED
from ...solving.families import WHEN
from ...words import semicolons
from .conflict import Item
from .search import Clock, solve
from .system import System
from .words import facility_capacity, sources_of, tonnes, what_and_where

if TYPE_CHECKING:
    from ...instance.tables import Facility

DEEP = 3  # steps back along the chain that are explained
WIDE = 4  # sources named at each step; also the most places that are explained one by one


def scarcities(system: System, items: Sequence[Item], limits: bool, clock: Clock) -> list[str]:
    """Return a sentence for each demand of a conflict that cannot be served in full: the most it can get, and why.

    limits  whether the conflict itself has limits that explain it; reasons are then given only where nothing can be had
    """
    sentences = []
    for (clean, time, branch), by_place in _needs(system, items).items():
        together = len(by_place) > WIDE
        groups = [[d for needs in by_place.values() for d in needs]] if together else list(by_place.values())
        for needs in groups:
            sentence = _scarcity(system, needs, clean, limits or together, clock)
            if sentence:
                when = _("branch {branch}, {when}", branch=branch, when=time) if branch else time
                sentences.append(sentence.replace("{when}", when))
    return sentences


def _scarcity(system: System, needs: Sequence[int], clean: bool, plain: bool, clock: Clock) -> str:
    """Return how much can be delivered to some demands of one time, with ``{when}`` for it; "" if enough.

    needs  positions of the demands
    clean  whether only clean material helps
    plain  leave the reasons out, unless nothing at all can be delivered
    """
    data = system.data
    asked = [data.need[d] for d in needs]
    most = _most(system, needs, clean, clock)
    total = sum(need.demand for need in asked)
    floor = sum(need.demand - need.max_short for need in asked)
    if most is None or most >= (total if clean else floor) - 1e-9:
        return ""
    first = asked[0]
    why = "" if plain and most > 1e-9 else lacks(system, first.material, first.country, clean, first.node)
    what = what_and_where((need.material, need.country) for need in asked)
    what = _("clean {material}", material=what) if clean else what
    of = {"what": what, "most": tonnes(most), "total": tonnes(total), **WHEN}
    text = (
        _("{what}, {when}: none can be had", **of)
        if most <= 1e-9
        else _("{what}, {when}: at most {most} of {total} can be had", **of)
    )
    return _because(text, why)


def _because(text: str, why: str) -> str:
    """Return a sentence with its reasons, if there are any."""
    return _("{sentence} ({reasons})", sentence=text, reasons=why) if why else text


def _needs(system: System, items: Sequence[Item]) -> dict[tuple[bool, str, str], dict[tuple[str, str], list[int]]]:
    """Return the positions of the demands of a conflict.

    They are grouped by (whether only clean material helps, year or month, branch), and there by (material, country).
    """
    data = system.data
    clean: set[int] = {data.deliver[i].need for family, i in items if family == "clean_only"}
    for cap in (data.caps["exposed_share"][i] for family, i in items if family == "exposed_share"):
        clean |= {d for part in cap.parts for d in part.total}
    found = {i for family, i in items if family in ("service", "demand")} | clean
    grouped: dict[tuple[bool, str, str], dict[tuple[str, str], list[int]]] = {}
    for d in sorted(found):
        need = data.need[d]
        node = data.nodes[need.node]
        places = grouped.setdefault((d in clean, node.when, node.branch), {})
        places.setdefault((need.material, need.country), []).append(d)
    return grouped


def _most(system: System, needs: Sequence[int], clean: bool, clock: Clock) -> float | None:
    """Return the most that can be delivered to these demands, kt/yr, with all wishes relaxed and modules divisible."""
    arrays = system.relaxed(system.everything)
    arrays.integer = np.zeros_like(arrays.integer)
    cost = np.zeros(len(arrays.cost))
    wanted = set(needs)
    for i, k in arrays.columns.get("deliver", {}).items():
        delivery = system.data.deliver[i]
        if delivery.need in wanted and (not clean or delivery.provenance != EXPOSED):
            cost[k] = -1.0
    arrays.cost = cost
    x = solve(arrays, clock)
    return None if x is None else float(-cost @ x)


def lacks(system: System, material: str, country: str, clean: bool, node: int, deep: int = DEEP) -> str:
    """Return what keeps each possible source of a material from supplying (more of) it; "" if there is none.

    country  the country that is supplied
    clean    whether only clean material helps
    node     position of the node (period and branch)
    deep     steps back along the chain that are explained
    """
    data, instance = system.data, system.instance
    year = data.nodes[node].year
    pool = next(
        (
            p
            for p in data.pools
            if (p.material, p.country, p.node) == (material, country, node)
            and p.provenance == (CLEAN if clean else EXPOSED)
            and sources_of(system, p)
        ),
        None,
    )
    lanes = MovementTable(instance.lanes, year)
    reasons = [_("only from {sources}", sources=sources_of(system, pool))] if pool is not None else []
    makers = _makers(system, material)
    for facility in makers:
        reason = _why_not(system, facility, material, country, clean, node, lanes, deep)
        if reason:
            reasons.append(reason)
    for market in (m for m in instance.markets if m.material == material):
        if clean and instance.market_exposed(market):
            continue
        if market.country != country and lanes.find(material, market.country, country) is None:
            of = {"market": market.market, "country": market.country}
            reasons.append(_("market {market} is in {country}, from where no lane leads", **of))
    if not reasons and not makers and not any(m.material == material for m in instance.markets):
        return _("nobody makes or sells {material}", material=material)
    if not reasons:
        return _("all sources are exposed") if clean else ""
    if len(reasons) > WIDE:
        reasons = [*reasons[:WIDE], _("{n} more", n=len(reasons) - WIDE)]
    return semicolons(reasons)


def _makers(system: System, material: str) -> list[Facility]:
    """Return the facilities with a process that makes the material."""
    instance = system.instance
    processes = {r.process for r in instance.recipes if r.role == "output" and r.material == material}
    names = {o.facility for o in instance.operations if o.process in processes}
    return [f for f in instance.facilities if f.facility in names]


def _why_not(
    system: System,
    facility: Facility,
    material: str,
    country: str,
    clean: bool,
    node: int,
    lanes: MovementTable,
    deep: int,
) -> str:
    """Return what keeps a facility from supplying a country, or how much it can supply at most.

    Empty if the facility lies in a country of concern while clean material is asked for, or if nothing keeps it.

    lanes  the lanes that hold in the year; the other arguments are as in `lacks`
    """
    instance, data = system.instance, system.data
    name = facility.facility
    if clean and facility.country in instance.countries_of_concern:
        return ""
    if clean and facility.concern_tie:
        return _("{facility} is tied to a country of concern", facility=name)
    if facility.country != country and lanes.find(material, facility.country, country) is None:
        return _("{facility} is in {country}, from where no lane leads", facility=name, country=facility.country)
    period = data.nodes[node].period
    limit = next((c for c in data.capacity if c.facility == name and c.node == node), None)
    if limit is not None and limit.use and (limit.own > 0.0 or limit.modules):
        return _("{head}: {parts}", head=name, parts=facility_capacity(system, name, period, limit))
    own = largest_capacity(instance, facility) > 0.0
    builds = [b for b in system.prepared.data.build if b.facility == name]
    if limit is None and not own and not builds:
        return _("{facility} has neither capacity nor an option", facility=name)
    able = own and _open(facility, data.nodes[node].year, system.prepared.periods[period].last_year)
    online = any(system.prepared.data.build[i].facility == name for i in _online(system, name, period))
    if not able and not online:
        return _("{head}: {parts}", head=name, parts=facility_capacity(system, name, period, _Idle()))
    if deep <= 1:
        return _("{facility} lacks its inputs", facility=name)
    for process in sorted({o.process for o in instance.operations if o.facility == name}):
        recipe = [r for r in instance.recipes if r.process == process]
        if not any(r.role == "output" and r.material == material for r in recipe):
            continue
        for r in recipe:
            if r.role == "input" and not _at_hand(system, r.material, facility.country, clean, node):
                why = lacks(system, r.material, facility.country, clean, node, deep - 1)
                wanted = _("clean {material}", material=r.material) if clean else r.material
                of = {"facility": name, "material": wanted, "country": facility.country}
                return _because(_("{facility} has no {material} in {country}", **of), why)
    return ""


class _Idle:
    """Stands for the capacity of a facility that cannot run: none."""

    own = 0.0
    modules: tuple[()] = ()


def _open(facility: Facility, first: int, last: int) -> bool:
    """Whether a facility has own capacity in some of the years ``first`` to ``last``."""
    opened = facility.first_year is None or facility.first_year <= last
    return opened and (facility.last_year is None or facility.last_year >= first)


def _online(system: System, facility: str, period: int) -> list[int]:
    """Return the positions of a facility's builds that can be online in a period."""
    from ...instance.timeline import module_share

    options = {o.option: o for o in system.instance.options}
    return [
        i
        for i, b in enumerate(system.data.build)
        if b.facility == facility and module_share(options[b.option], b.year, system.prepared.periods[period]) > 0.0
    ]


def _at_hand(system: System, material: str, country: str, clean: bool, node: int) -> bool:
    """Whether a country has any source of a material at a node."""
    wanted = (CLEAN,) if clean else (CLEAN, EXPOSED)
    return any(
        p.material == material and p.country == country and p.node == node and p.provenance in wanted
        and sources_of(system, p)
        for p in system.data.pools
    )  # fmt: skip
