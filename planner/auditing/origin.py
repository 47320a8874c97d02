r"""Checks origin.csv: of what every consumer received, in which country each stage was done.

The mix of a pool (a material of one provenance in a country and a year) is that of what flows into it: shares that come
from other pools, and shares that come with an origin of their own. Here pool after pool is replaced, wherever others
draw on it, by what it consists of itself, until only origins are left; a pool that draws on itself by a circle has

.. math::
    x = a\,x + \sum_k b_k \quad\Rightarrow\quad x = \frac{\sum_k b_k}{1 - a} = \sum_k \frac{b_k}{\sum_j b_j}

What a material tells of, and which origin a step gives, follows from the recipes by the rules that the text at the top
of `runs/origin.py` states; of its code nothing is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from .book import Book
from .facts import CLEAN, EXPOSED, Facts
from .layouts import ADJUSTMENTS, INITIAL_STOCK, ORIGIN, RECYCLED, UNKNOWN
from .operations import Operations
from .reading import Tables

Pool = tuple[str, str, str]  # material, country, provenance
Parts = dict[str, float]  # origin -> share


def check_origin(plan: Operations, tables: Tables, book: Book) -> None:
    """Check every tonnage and share of origin.csv, and that no origin is missing."""
    written = {row[:6]: row for row in tables.rows(ORIGIN)}
    expected = _expected(plan, tables)
    for key in sorted(set(written) | set(expected)):
        t, share, whole = expected.get(key, (0.0, 0.0, 1.0))
        row = written.get(key)
        place = ("origin.csv", *key)
        book.equal("origin", row.share if row else 0.0, share, 1.0, (*place, "share"))
        book.equal("origin", row.t if row else 0.0, t, whole, (*place, "t"))


def _expected(plan: Operations, tables: Tables) -> dict[tuple[Any, ...], tuple[float, float, float]]:
    """Return (country, sector, material, stage, origin, year) -> tonnes, share, and tonnes received in all."""
    facts, told = plan.facts, _Told(plan.facts)
    nothing = facts.instance.negligible_t
    stocks = {}
    for start in facts.stockpiles.values():
        whole = {stage: {INITIAL_STOCK: 1.0} for stage in told.of[start.material]}
        stocks[start.stockpile, EXPOSED if start.initial_exposed else CLEAN] = (start.initial_t, whole)
    found = {}
    for year in facts.years:
        inflow = _Inflow(told)
        inflow.fill(plan, tables, stocks, year)
        served = {key: of for key, of in _received(plan, year).items() if sum(of.values()) > nothing}
        piles = [row for row in plan.stocks if row.year == year]
        asked = {(material, country, q) for country, _, material in served for q in (CLEAN, EXPOSED)}
        asked |= {(pile.material, pile.country, pile.provenance) for pile in piles}
        mixes = inflow.mixes(asked)
        for (country, sector, material), received in served.items():
            whole_t = sum(received.values())
            for stage in told.of[material]:
                tonnes: Parts = defaultdict(float)
                for q, t in received.items():
                    mix = mixes.get((material, country, q))
                    if t > (0.0 if mix else nothing):
                        for origin, share in (mix[stage] if mix else {UNKNOWN: 1.0}).items():
                            tonnes[origin] += t * share
                traced = sum(tonnes.values())
                for origin, t in tonnes.items():
                    key = (country, sector, material, stage, origin, year)
                    found[key] = (t / traced * whole_t, t / traced, whole_t)
        for pile in piles:
            _keep(stocks, pile, mixes.get((pile.material, pile.country, pile.provenance)), facts.length[year])
    return found


def _received(plan: Operations, year: int) -> dict[tuple[str, str, str], dict[str, float]]:
    """Return (country, sector, material) -> provenance -> tonnes received, in place of another material too."""
    received: dict[tuple[str, str, str], dict[str, float]] = defaultdict(lambda: {CLEAN: 0.0, EXPOSED: 0.0})
    for row in plan.service:
        if row.year == year:
            of = received[row.country, row.sector, row.material]
            of[CLEAN] += row.clean_t
            of[EXPOSED] += row.exposed_t
    for swap in plan.swaps:
        if swap.year == year and swap.replaced_by and swap.provenance:
            taken = plan.facts.taken(swap.substitute, swap.t)
            received[swap.country, swap.sector, swap.replaced_by][swap.provenance] += taken
    return received


def _keep(stocks: dict[Any, Any], row: Any, new: dict[str, Parts] | None, years: int) -> None:
    """Mix what is put into a stock with what is left of it. ``new`` is the mix of what is put in, by stage."""
    held, old = stocks.get((row.stockpile, row.provenance), (0.0, {}))
    put, left = row.put_t * years, max(0.0, held - row.draw_t * years)
    if put > 0.0 and new is not None:
        mixed = {}
        for stage, parts in new.items():
            before = old.get(stage) if left > 0.0 else None
            origins = {*parts, *(before or {})}
            share = put / (put + left) if before else 1.0
            mixed[stage] = {o: share * parts.get(o, 0.0) + (1.0 - share) * (before or {}).get(o, 0.0) for o in origins}
        old = mixed
    stocks[row.stockpile, row.provenance] = (row.stock_t, old)


class _Told:
    """What materials tell: ``of`` material -> stages of which it is known where they were done; ``scrap`` materials."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        order = facts.stages
        self.place = {m: order.index(row.stage) if row.stage else -1 for m, row in facts.materials.items()}
        self.of: dict[str, set[str]] = {m: set(order[: at + 1]) for m, at in self.place.items()}
        self._pass_on()
        self.scrap = set()
        for process in facts.processes:
            inputs, outputs = self.names(process, "input"), self.names(process, "output")
            if len(inputs) == 1 and not self.of[inputs[0]] and any(self.place[m] > 0 for m in outputs):
                self.scrap.add(inputs[0])
        for material in self.scrap:
            self.of[material] = set(order)
        self._pass_on()

    def names(self, process: str, role: str) -> list[str]:
        return [material for material, _ in self.facts.recipe(process, role, self.facts.first)]

    def _pass_on(self) -> None:
        """Let by-products, which have no stage, tell what inputs and main products of their processes tell."""
        before = None
        while before != (before := sum(map(len, self.of.values()))):
            for process in self.facts.processes:
                outputs = self.names(process, "output")
                staged = [m for m in outputs if self.place[m] >= 0]
                known = {stage for m in (*self.names(process, "input"), *staged) for stage in self.of[m]}
                for material in outputs:
                    if self.place[material] < 0:
                        self.of[material] |= known

    def recycled(self, process: str, material: str, place: int) -> bool:
        """Return whether an input of a process whose product has its stage at ``place`` is recycled by it."""
        if not self.facts.processes[process].restores_provenance:
            return material in self.scrap
        return self.place[material] < 0 or self.place[material] >= place


class _Inflow:
    """What comes into each pool in a year, t/yr, by stage: from another pool, or with an origin of its own."""

    def __init__(self, told: _Told) -> None:
        self.told = told
        self.total: dict[Pool, float] = defaultdict(float)
        self.came: dict[str, dict[tuple[Pool, Pool | str], float]] = {
            stage: defaultdict(float) for stage in told.facts.stages
        }

    def add(self, pool: Pool, t: float, stages: Iterable[str], source: Pool | str) -> None:
        for stage in stages:
            self.came[stage][pool, source] += t

    def fill(self, plan: Operations, tables: Tables, stocks: dict[Any, Any], year: int) -> None:
        """Add all that moves in a year. ``stocks``: (stockpile, provenance) -> tonnes, and shares by stage."""
        of, place = self.told.of, self.told.place
        for flow in plan.flows:
            if flow.year == year:
                self._move(flow.material, flow.destination, flow.provenance, flow.t, flow.origin, flow.provenance)
        for row in tables.rows(ADJUSTMENTS):
            if row.year == year and row.kind == "downgrade":
                self._move(row.material, row.country, EXPOSED, row.t, row.country, CLEAN)
        for bought in plan.purchases:
            if bought.year == year:
                pool = (bought.material, bought.country, bought.provenance)
                self.total[pool] += bought.t
                for stage in of[bought.material]:
                    own = place[bought.material] >= 0 and self.told.facts.stages[place[bought.material]] == stage
                    origin = bought.country if own else RECYCLED if place[bought.material] < 0 else UNKNOWN
                    self.add(pool, bought.t, [stage], origin)
        for back in plan.returned:
            if back.year == year:
                self.total[back.material, back.country, back.provenance] += back.t
                self.add((back.material, back.country, back.provenance), back.t, of[back.material], RECYCLED)
        for stock in plan.stocks:
            if stock.year == year and stock.draw_t > 0.0:
                pool = (stock.material, stock.country, stock.provenance)
                self.total[pool] += stock.draw_t
                shares = stocks.get((stock.stockpile, stock.provenance), (0.0, {}))[1]
                for stage in of[stock.material]:
                    for origin, share in (shares.get(stage) or {UNKNOWN: 1.0}).items():
                        self.add(pool, stock.draw_t * share, [stage], origin)
        for activity in plan.activities:
            if activity.year == year:
                self._make(activity)

    def _move(self, material: str, country: str, provenance: str, t: float, origin: str, before: str) -> None:
        pool = (material, country, provenance)
        self.total[pool] += t
        self.add(pool, t, self.told.of[material], (material, origin, before))

    def _make(self, row: Any) -> None:
        """Add what an activity makes: with the origins of its inputs, or with one of its own."""
        told, facts = self.told, self.told.facts
        inputs = facts.recipe(row.process, "input", row.year)
        outputs = facts.recipe(row.process, "output", row.year)
        latest = max((told.place[m] for m, _ in outputs), default=-1)
        for material, per_t in outputs:
            pool, t = (material, row.country, row.output_provenance), per_t * row.activity_t
            self.total[pool] += t
            place = told.place[material] if told.place[material] >= 0 else latest
            recycled = {m for m, _ in inputs if told.recycled(row.process, m, place)}
            for stage in told.of[material]:
                telling = {m: k for m, k in inputs if stage in told.of[m]}
                own = place >= 0 and facts.stages[place] == stage
                if material in told.scrap:
                    self.add(pool, t, [stage], RECYCLED)
                elif own and (not telling or told.place[material] < 0 or facts.materials[material].strategic):
                    part = (
                        0.0
                        if row.country in facts.concern
                        else self._recycled_part(row.process, inputs, recycled, place)
                    )
                    self.add(pool, t * part, [stage], RECYCLED)
                    self.add(pool, t * (1.0 - part), [stage], row.country)
                elif telling:
                    for m, k in telling.items():
                        source = RECYCLED if m in recycled else (m, row.country, row.input_provenance)
                        self.add(pool, t * k / sum(telling.values()), [stage], source)
                else:
                    whole = not inputs or any(told.of[m] for m, _ in inputs)
                    self.add(pool, t, [stage], row.country if whole else RECYCLED)

    def _recycled_part(
        self, process: str, inputs: Iterable[tuple[str, float]], recycled: set[str], place: int
    ) -> float:
        """Return the part, 0 to 1, of what a process makes that is recycled: that of its inputs which tell anything."""
        telling = {m: k for m, k in inputs if self.told.of[m]}
        if telling:
            return sum(k for m, k in telling.items() if m in recycled) / sum(telling.values())
        restores = self.told.facts.processes[process].restores_provenance
        return 1.0 if list(inputs) and (restores or place > 0) else 0.0

    def mixes(self, asked: Iterable[Pool]) -> dict[Pool, dict[str, Parts]]:
        """Return the shares by stage of those of the asked pools into which something comes."""
        pools = sorted(pool for pool in asked if self.total.get(pool, 0.0) > 0.0)
        found: dict[Pool, dict[str, Parts]] = {pool: {} for pool in pools}
        for stage in self.told.facts.stages:
            telling = [pool for pool in pools if stage in self.told.of[pool[0]]]
            if telling:
                for pool, parts in zip(telling, self._origins(stage, telling), strict=True):
                    found[pool][stage] = parts
        return found

    def _origins(self, stage: str, asked: list[Pool]) -> list[Parts]:
        """Return the shares of origins of the asked pools at a stage."""
        came = self.came[stage]
        known = self._with_origin(came)
        rows: dict[Pool, dict[Pool | str, float]] = {pool: defaultdict(float) for pool in known}
        drawn: dict[Pool, set[Pool]] = defaultdict(set)  # pool -> those that draw on it
        for (pool, source), t in came.items():
            if pool in known and t > 0.0:
                kept = source if isinstance(source, str) or source in known else UNKNOWN
                rows[pool][kept] += t / self.total[pool]
                if not isinstance(kept, str):
                    drawn[kept].add(pool)
        for pool in sorted(known, key=lambda p: (len(drawn[p]), p)):
            row = rows[pool]
            row.pop(pool, None)
            whole = sum(row.values())
            for source in row:
                row[source] /= whole
            for user in sorted(drawn[pool] - {pool}):
                share = rows[user].pop(pool, 0.0)
                for source, part in row.items():
                    rows[user][source] += share * part
                    if not isinstance(source, str):
                        drawn[source].add(user)
        return [{str(o): x for o, x in rows[pool].items()} if pool in known else {UNKNOWN: 1.0} for pool in asked]

    def _with_origin(self, came: dict[tuple[Pool, Pool | str], float]) -> set[Pool]:
        """Return the pools that something with an origin reaches; what only goes round in a circle has none."""
        onward: dict[Pool | str, list[Pool]] = defaultdict(list)
        filled = {pool for (pool, _), t in came.items() if t > 0.0 and self.total[pool] > 0.0}
        for (pool, source), t in came.items():
            if t > 0.0:
                onward[source if isinstance(source, str) or source in filled else UNKNOWN].append(pool)
        reached: set[Pool] = set()
        waiting = [pool for source, to in onward.items() if isinstance(source, str) for pool in to]
        while waiting:
            pool = waiting.pop()
            if pool not in reached:
                reached.add(pool)
                waiting += onward[pool]
        return reached
