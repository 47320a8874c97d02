"""Fills the caps: at which nodes each holds, its limit there, and which decisions it counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..instance.metrics import METRICS
from ..instance.timeline import Period, cap_limits
from ..instance.wildcards import members, strategic_materials
from ..models.data import EXPOSED, Above, ModelData, Node, ShareLimit
from .conditions import KILO

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Cap


LEAST_LIMIT = 1e-9  # a lower limit counts as 0: the solver would drop so small a coefficient


def cap_materials(instance: Instance, cap: Cap) -> tuple[str, ...]:
    """Return the materials that a cap counts: its own, or all strategic materials of its stage."""
    return (cap.material,) if cap.material else strategic_materials(instance, cap.stage)


def importers(instance: Instance, cap: Cap) -> frozenset[str]:
    """Return the importing countries of an import cap: a country, a bloc, or all that are not of the origin."""
    if cap.country:
        return members(instance, cap.country)
    return members(instance, "") - members(instance, cap.origin)


def add(instance: Instance, span: Sequence[Period], data: ModelData) -> None:
    """Fill ``data.caps``; the operations of ``data`` must be there.

    A cap has no row at a node where nothing can add to its numerator: its share is 0 in every plan, and no limit is
    below 0. A floor has none where its limit is 0, or where nothing can add to its denominator. Caps and floors that do
    not hold at a node (in the years of a disruption, say) have no row there either.
    """
    rows = _CapRows(instance, data)
    for cap in instance.caps:
        limits = cap_limits(instance, cap)
        floor = cap.sense == "min"
        for n, node in enumerate(data.nodes):
            if node.last and node.year in limits and (node.floors_hold if floor else node.caps_hold):
                limit = limits[node.year]
                if limit >= LEAST_LIMIT or not floor:
                    rows.add(cap, n, limit if limit >= LEAST_LIMIT else 0.0)


def year_of(nodes: Sequence[Node], n: int) -> list[tuple[int, float]]:
    """Return the nodes that make up the year of its last node ``n``, with their shares in a mean over the year.

    These are its months, and before them the same year of the course that its branch leaves, for as long as that runs.
    A whole period is itself alone.
    """
    if nodes[n].month is None:
        return [(n, 1.0)]
    first, parts = n, [(n, nodes[n].length)]
    while (before := nodes[first].previous) is not None and nodes[before].period == nodes[n].period:
        first = before
        parts.append((first, nodes[first].length))
    leaves = nodes[first].leaves
    return parts if leaves is None else [*parts, (leaves, nodes[first].gone)]


class _CapRows:
    """Adds the rows of caps; pools, needs and deliveries are grouped by node once.

    pools      (node, material) -> positions of pools where something is made, bought, used, delivered or sold
    needs      node -> positions of needs
    exposed    node -> positions of exposed deliveries, swaps among them
    thrift     node -> positions of swaps without a material
    tied       facilities tied to a country of concern that are not in one
    restoring  processes that restore provenance
    footprints (impact, node) -> what is caused there
    """

    def __init__(self, instance: Instance, data: ModelData) -> None:
        self.instance = instance
        self.data = data
        self.of_concern = frozenset(instance.countries_of_concern)
        self.pools: dict[tuple[int, str], list[int]] = defaultdict(list)
        for p, pool in enumerate(data.pools):
            if pool.made or pool.bought or pool.used or pool.delivered or pool.sold:
                self.pools[pool.node, pool.material].append(p)
        self.needs: dict[int, list[int]] = defaultdict(list)
        for d, need in enumerate(data.need):
            self.needs[need.node].append(d)
        self.exposed: dict[int, list[int]] = defaultdict(list)
        self.thrift: dict[int, list[int]] = defaultdict(list)
        for i, delivery in enumerate(data.deliver):
            if delivery.provenance == EXPOSED:
                self.exposed[delivery.node].append(i)
            elif not delivery.provenance:
                self.thrift[delivery.node].append(i)
        self.country = {f.facility: f.country for f in instance.facilities}
        self.footprints = {(of.impact, of.node): of for of in data.impacts}
        self.restoring = {p.process for p in instance.processes if p.restores_provenance}
        self.tied = {f.facility for f in instance.facilities if f.concern_tie} - {
            f.facility for f in instance.facilities if f.country in self.of_concern
        }

    def add(self, cap: Cap, n: int, limit: float) -> None:
        """Add the rows of a cap, with its limit (share), for the period or year in months that ends with node ``n``.

        A row is left out if nothing can add to the numerator of a cap, or to the denominator of a floor.
        """
        rows: dict[str, list[ShareLimit]] = defaultdict(list)
        for part, share in year_of(self.data.nodes, n):
            for row in self._counted(cap, part, limit):
                rows[row.country].append(row._replace(share=share, floor=cap.sense == "min"))
        for _, (row, *others) in sorted(rows.items()):
            if any(_matters(cap, part) for part in (row, *others)):
                whole = row._replace(others=tuple(others))
                of_largest = cap.metric == "largest_share"
                self.data.caps[cap.metric].append(self._with_levels(cap, whole) if of_largest else whole)

    def _counted(self, cap: Cap, n: int, limit: float) -> Iterable[ShareLimit]:
        """Return what a cap counts at node ``n``: one record or, of single_country_share, one for each country."""
        if cap.metric == "exposed_share":
            return [self._exposed_share(cap, n, limit)]
        if cap.metric == "impact":
            return [self._impact(cap, n, limit)]
        pools = [p for m in cap_materials(self.instance, cap) for p in self.pools.get((n, m), ())]
        if cap.metric == "import_share":
            return [self._import_share(cap, n, limit, pools)]
        if cap.metric == "own_share":
            return [self._own_share(cap, n, limit, pools)]
        supplied = [p for p in pools if self.data.pools[p].made or self.data.pools[p].bought]
        if cap.metric == "largest_share":
            return [ShareLimit(cap.cap, n, limit, over=tuple(supplied), total=tuple(supplied))]
        if cap.metric == "stage_share":
            return [self._stage_share(cap, n, limit, supplied)]
        return self._single_country_share(cap, n, limit, supplied)

    def _exposed_share(self, cap: Cap, n: int, limit: float) -> ShareLimit:
        data = self.data
        countries = members(self.instance, cap.country)
        needs = [
            d
            for d in self.needs.get(n, ())
            if data.need[d].country in countries and cap.sector in ("", data.need[d].sector)
        ]
        counted = set(needs)
        over = tuple(i for i in self.exposed.get(n, ()) if data.deliver[i].need in counted)
        demand = sum(data.need[d].demand for d in needs)
        thrift = tuple(i for i in self.thrift.get(n, ()) if data.deliver[i].need in counted)
        return ShareLimit(cap.cap, n, limit, over=over, total=tuple(needs), demand=demand, thrift=thrift)

    def _stage_share(self, cap: Cap, n: int, limit: float, pools: list[int]) -> ShareLimit:
        data = self.data
        over = tuple(p for p in pools if data.pools[p].country in self.of_concern)
        tied: dict[int, float] = defaultdict(float)
        for p in pools:
            for a, tonnes in data.pools[p].made:
                if data.activity[a].facility in self.tied:
                    tied[a] += tonnes
        return ShareLimit(cap.cap, n, limit, over=over, total=tuple(pools), made=tuple(sorted(tied.items())))

    def _single_country_share(self, cap: Cap, n: int, limit: float, pools: list[int]) -> Iterable[ShareLimit]:
        by_country: dict[str, list[int]] = {country: [] for country in members(self.instance, "")}
        for p in pools:
            by_country[self.data.pools[p].country].append(p)
        return (
            ShareLimit(cap.cap, n, limit, country=country, over=tuple(measured), total=tuple(pools))
            for country, measured in by_country.items()
        )

    def _with_levels(self, cap: Cap, row: ShareLimit) -> ShareLimit:
        """Return the row of a cap on the largest suppliers, after adding what each country has above the level."""
        by_country: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for part in row.parts:
            for p in part.total:
                by_country[self.data.pools[p].country].append((p, part.share))
        i, above = len(self.data.caps["largest_share"]), self.data.above
        over = tuple(range(len(above), len(above) + len(by_country)))
        above += [Above(i, country, row.node, tuple(of)) for country, of in sorted(by_country.items())]
        return row._replace(over=over, largest=cap.largest or 1)

    def _import_share(self, cap: Cap, n: int, limit: float, pools: list[int]) -> ShareLimit:
        data = self.data
        inside = importers(self.instance, cap)
        origins = members(self.instance, cap.origin) - inside
        into = [data.pools[p] for p in self._all_inside(cap, n, inside)]
        shipped = tuple(term for pool in into for term in pool.arriving if data.ship[term[0]].origin in origins)
        landed = tuple(i for pool in into for i in pool.landed if data.land[i].origin in origins)
        return ShareLimit(cap.cap, n, limit, shipped=shipped, landed=landed, total=tuple(self._used(pools, inside)))

    def _own_share(self, cap: Cap, n: int, limit: float, pools: list[int]) -> ShareLimit:
        data = self.data
        inside = members(self.instance, cap.country)
        own = [p for p in pools if data.pools[p].country in inside]
        made: dict[int, float] = defaultdict(float)
        for p in own:
            for a, tonnes in data.pools[p].made:
                if not cap.recycled or data.activity[a].process in self.restoring:
                    made[a] += tonnes
        wasted = () if cap.recycled else (data.pools[p].surplus for p in own)
        over = tuple(s for s in wasted if s is not None)
        used = self._used(pools, inside)
        return ShareLimit(cap.cap, n, limit, over=over, total=tuple(used), made=tuple(made.items()))

    def _impact(self, cap: Cap, n: int, limit: float) -> ShareLimit:
        of = self.footprints[cap.impact, n]
        made, shipped, bought, started = (tuple(terms) for terms in (of.operation, of.lane, of.purchase, of.build))
        return ShareLimit(cap.cap, n, limit * KILO, made=made, shipped=shipped, bought=bought, started=started)

    def _used(self, pools: list[int], inside: frozenset[str]) -> list[int]:
        """Return those of some pools in the countries ``inside`` in which something is used, delivered or sold."""
        of = self.data.pools
        return [p for p in pools if of[p].country in inside and (of[p].used or of[p].delivered or of[p].sold)]

    def _all_inside(self, cap: Cap, n: int, inside: frozenset[str]) -> list[int]:
        """Return the pools of the importer at a node at which something the cap counts can arrive."""
        return [
            p
            for m in cap_materials(self.instance, cap)
            for p in self.arrivals.get((n, m), ())
            if self.data.pools[p].country in inside
        ]

    @property
    def arrivals(self) -> dict[tuple[int, str], list[int]]:
        """(node, material) -> pools at which something can arrive, even if it can only be put into stock there."""
        if not hasattr(self, "_arrivals"):
            self._arrivals: dict[tuple[int, str], list[int]] = defaultdict(list)
            for p, pool in enumerate(self.data.pools):
                if pool.arriving or pool.landed:
                    self._arrivals[pool.node, pool.material].append(p)
        return self._arrivals


def _matters(cap: Cap, row: ShareLimit) -> bool:
    """Return whether something can add to the numerator of a cap, or to the denominator of a floor."""
    floor = cap.sense == "min"
    if METRICS[cap.metric].amount:
        caused = (*row.made, *row.shipped, *row.bought, *row.started)
        return floor or any(units > 0.0 for _, units in caused)
    return bool(row.total) if floor else bool(row.over or row.made or row.shipped or row.landed)
