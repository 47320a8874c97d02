"""Measures the dependence of a plan: traced end to end and by stage, against the caps, with their shadow prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..instance.metrics import METRICS
from ..instance.timeline import cap_limits
from ..instance.wildcards import members, strategic_materials
from ..models.data import PLAN
from ..prepare.caps import cap_materials, importers

if TYPE_CHECKING:
    from ..instance.tables import Cap
    from ..prepare import Prepared
    from .search import Outcome

Values = dict[str, dict[Any, float]]
Share = tuple[float, float]  # numerator and denominator, both kt/yr


class Measures:
    """Numerators and denominators of every metric at every node, from the values of one solve; all in kt/yr.

    supply     (node, material, country) -> made, less surplus, plus bought
    own        (node, material, country) -> made, less surplus
    recycled   (node, material, country) -> made by processes that restore provenance
    used       (node, material, country) -> used by processes, sold, and delivered, to replace another material too
    concern    (node, material) -> supply of countries of concern, and what tied plants elsewhere make
    moved      (node, material) -> shipments: origin, destination, amount
    delivered  node -> deliveries: country, sector, provenance, amount; swaps in kt replaced, without thrift
    """

    def __init__(self, prepared: Prepared, values: Values) -> None:
        self.instance = prepared.instance
        self.data, self.values = prepared.data, values
        of_concern = set(self.instance.countries_of_concern)
        tied = {f.facility for f in self.instance.facilities if f.concern_tie and f.country not in of_concern}
        self.supply: dict[tuple[int, str, str], float] = defaultdict(float)
        self.own: dict[tuple[int, str, str], float] = defaultdict(float)
        self.recycled: dict[tuple[int, str, str], float] = defaultdict(float)
        restoring = {p.process for p in self.instance.processes if p.restores_provenance}
        self.used: dict[tuple[int, str, str], float] = defaultdict(float)
        self.concern: dict[tuple[int, str], float] = defaultdict(float)
        self.moved: dict[tuple[int, str], list[tuple[str, str, float]]] = defaultdict(list)
        self.delivered: dict[int, list[tuple[str, str, str, float]]] = defaultdict(list)
        activity, buy = values.get("activity", {}), values.get("buy", {})
        surplus, deliver = values.get("surplus", {}), values.get("deliver", {})
        sell, ship, land = values.get("sell", {}), values.get("ship", {}), values.get("land", {})
        for pool in self.data.pools:
            made = sum(k * activity.get(a, 0.0) for a, k in pool.made)
            supply = made + sum(buy.get(k, 0.0) for k in pool.bought)
            if pool.surplus is not None:
                supply -= surplus.get(pool.surplus, 0.0)
            place = (pool.node, pool.material, pool.country)
            self.supply[place] += supply
            self.own[place] += made - (surplus.get(pool.surplus, 0.0) if pool.surplus is not None else 0.0)
            self.recycled[place] += sum(
                k * activity.get(a, 0.0) for a, k in pool.made if self.data.activity[a].process in restoring
            )
            if pool.country in of_concern:
                self.concern[pool.node, pool.material] += supply
            elif tied:
                self.concern[pool.node, pool.material] += sum(
                    k * activity.get(a, 0.0) for a, k in pool.made if self.data.activity[a].facility in tied
                )
            self.used[place] += sum(k * activity.get(a, 0.0) for a, k in pool.used) + sum(
                k * deliver.get(d, 0.0) for d, k in pool.delivered
            )
            self.used[place] += sum(sell.get(k, 0.0) for k in pool.sold)
            for i, part in pool.arriving:
                if x := part * ship.get(i, 0.0):
                    self.moved[pool.node, pool.material].append((self.data.ship[i].origin, pool.country, x))
            for i in pool.landed:
                if x := land.get(i, 0.0):
                    self.moved[pool.node, pool.material].append((self.data.land[i].origin, pool.country, x))
        for i, x in deliver.items():
            delivery = self.data.deliver[i]
            need = self.data.need[delivery.need]
            if delivery.provenance:
                self.delivered[need.node].append((need.country, need.sector, delivery.provenance, x))
        self.everyone = sorted(country_row.country for country_row in self.instance.countries)

    def exposed(self, n: int, country: str = "", sector: str = "") -> Share:
        """(kt/yr exposed, kt/yr in all) delivered at node ``n`` to a country or bloc and a sector ("": all)."""
        countries = members(self.instance, country)
        counted = [row for row in self.delivered[n] if row[0] in countries and sector in ("", row[1])]
        return sum(x for *_, q, x in counted if q == "exposed"), sum(x for *_, x in counted)

    def stage(self, n: int, materials: tuple[str, ...]) -> Share:
        """(kt/yr made or bought in countries of concern or by plants tied to them, kt/yr in all) at node ``n``."""
        total = sum(self.supply.get((n, m, c), 0.0) for m in materials for c in self.everyone)
        return sum(self.concern.get((n, m), 0.0) for m in materials), total

    def single_country(self, n: int, materials: tuple[str, ...], country: str) -> Share:
        """(kt/yr made or bought in a country, kt/yr in all) at node ``n``."""
        return sum(self.supply.get((n, m, country), 0.0) for m in materials), self.stage(n, materials)[1]

    def largest(self, n: int, materials: tuple[str, ...], count: int) -> Share:
        """(kt/yr made or bought in the ``count`` countries with most of it, kt/yr in all) at node ``n``."""
        by_country = [self.single_country(n, materials, country)[0] for country in self.everyone]
        return sum(sorted(by_country)[-count:]), self.stage(n, materials)[1]

    def imports(self, n: int, cap: Cap) -> Share:
        """(kt/yr that arrive from outside or from the origin, kt/yr used or delivered inside) at node ``n``."""
        inside = importers(self.instance, cap)
        origins = members(self.instance, cap.origin) - inside
        arriving = used = 0.0
        for m in cap_materials(self.instance, cap):
            arriving += sum(x for i, j, x in self.moved[n, m] if i in origins and j in inside)
            used += sum(self.used.get((n, m, c), 0.0) for c in inside)
        return arriving, used

    def own_part(self, n: int, cap: Cap) -> Share:
        """(kt/yr that the cap's country or bloc makes or recycles, kt/yr used or delivered there) at node ``n``."""
        places = [(n, m, c) for m in cap_materials(self.instance, cap) for c in importers(self.instance, cap)]
        part = self.recycled if cap.recycled else self.own
        return sum(part.get(p, 0.0) for p in places), sum(self.used.get(p, 0.0) for p in places)

    def impact(self, n: int, impact: str) -> float:
        """Units a year of an impact at node ``n``."""
        of = next(of for of in self.data.impacts if (of.impact, of.node) == (impact, n))
        parts = (*of.operations, ("build", of.build))
        return 1e3 * sum(units * self.values.get(f, {}).get(i, 0.0) for f, terms in parts for i, units in terms)

    def of_cap(self, n: int, cap: Cap, country: str = "") -> Share:
        """(kt/yr that the cap limits, kt/yr in all) at node ``n``; ``country`` for single_country_share."""
        materials = cap_materials(self.instance, cap)
        measured: dict[str, Callable[[], Share]] = {
            "exposed_share": lambda: self.exposed(n, cap.country, cap.sector),
            "stage_share": lambda: self.stage(n, materials),
            "single_country_share": lambda: self.single_country(n, materials, country),
            "largest_share": lambda: self.largest(n, materials, cap.largest or 1),
            "import_share": lambda: self.imports(n, cap),
            "own_share": lambda: self.own_part(n, cap),
            "impact": lambda: (self.impact(n, cap.impact), 1.0),
        }
        return measured[cap.metric]()


def quotient(share: Share, nothing: float) -> float | None:
    """Return numerator / denominator; None if the denominator is ``nothing`` t/yr or less."""
    part, total = share
    return part / total if total * 1e3 > nothing else None


def dependence(prepared: Prepared, outcome: Outcome) -> list[tuple[Any, ...]]:
    """Return the rows of dependence.csv: cap, metric, stage, material, country, sector, year, share, limit, saving.

    First every metric that needs no cap (cap "", no limit, no saving), then each cap in the years in which it holds.
    The saving is the present value, MUSD, of a limit that is higher by 0.01 (of an impact: by a unit) in that year.
    """
    instance, data = prepared.instance, prepared.data
    measured, nothing = Measures(prepared, outcome.values), instance.negligible_t
    rows: list[tuple[Any, ...]] = []
    plan_nodes = [(n, node.year) for n, node in enumerate(data.nodes) if node.branch == PLAN]
    for n, year in plan_nodes:
        rows.append(("", "exposed_share", "", "", "", "", year, quotient(measured.exposed(n), nothing), None, None))
        for stage in instance.stages:
            share = quotient(measured.stage(n, strategic_materials(instance, stage)), nothing)
            rows.append(("", "stage_share", stage, "", "", "", year, share, None, None))
        for material in instance.materials:
            if material.strategic:
                share = quotient(measured.stage(n, (material.material,)), nothing)
                rows.append(("", "stage_share", "", material.material, "", "", year, share, None, None))
    if not instance.caps:
        return rows
    saved = _savings(prepared, outcome)
    for cap in instance.caps:
        limits = cap_limits(instance, cap)
        single = cap.metric == "single_country_share"
        for n, year in plan_nodes:
            if year not in limits:
                continue
            for country in measured.everyone if single else [cap.country]:
                share = quotient(measured.of_cap(n, cap, country), nothing)
                saving = saved.get((cap.cap, year, country if single else ""), 0.0)
                rows.append(
                    (
                        cap.cap,
                        cap.metric,
                        cap.stage,
                        cap.material,
                        country,
                        cap.sector,
                        year,
                        share,
                        limits[year],
                        saving,
                    )
                )
    return rows


def _savings(prepared: Prepared, outcome: Outcome) -> dict[tuple[str, int, str], float]:
    """Return (cap, year, country) -> present value, MUSD, that a limit higher by 0.01 in that year saves.

    The country is that of single_country_share, else "". The rule is linear: shadow price times denominator.
    """
    data = prepared.data
    measured = Measures(prepared, outcome.first)
    caps = {cap.cap: cap for cap in prepared.instance.caps}
    saved: dict[tuple[str, int, str], float] = defaultdict(float)
    for family, rows in data.caps.items():
        duals = outcome.duals.get(family, {})
        for i, row in enumerate(rows):
            # a hundredth of the denominator is a point; the row of an impact is in thousand units
            total = sum(part.share * measured.of_cap(part.node, caps[row.cap], row.country)[1] for part in row.parts)
            step = 1e-3 if METRICS[family].amount else 0.01
            year = data.nodes[row.node].year
            # a limit higher by 0.01 raises the right-hand side by 0.01 of the denominator; the dual is 0 or less
            saved[row.cap, year, row.country] += max(0.0, -duals.get(i, 0.0)) * total * step
    return saved
