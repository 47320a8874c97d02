r"""Traces where delivered tonnes come from: in which country each stage of them was done, through the plan's flows.

All that flows into a pool (a material in a country, clean and exposed apart, in a year) mixes, and all that leaves it
has that mix. For a pool i, a stage s and an origin o, the share of the pool's tonnes of which s was done in o is

.. math::
    x_{iso} = \frac{1}{T_i} \Bigl( \sum_{j \to i} t_{ji}\, x_{jso} + \sum_{e \to i} t_{ei}\, [o = o_{es}] \Bigr),
    \qquad T_i = \sum_{j \to i} t_{ji} + \sum_{e \to i} t_{ei}

with t the tonnes a year that come from other pools j (shipments, downgrades, what is made of their material) or from
sources e with an origin of their own. Lanes and recycling make circles, so this is one sparse linear system for each
stage and year. The shares of a pool sum to 1.

A material "tells of" a stage if the country in which that stage was done is known for its tonnes:

======================  ==============================================================================================
tonne                   origin
======================  ==============================================================================================
made, its own stage     the country where it is made; a material that is not strategic keeps what its inputs tell.
                        Of what is recycled: ``recycled``, unless that is done in a country of concern
made, an earlier stage  the mix of the inputs that tell of that stage, by tonnes; where none does: the country of the
                        process if it has no inputs, or inputs of some stage (it then does all steps itself), else
                        ``recycled``
by-product              without a stage of its own: what the main product of its process tells. Swarf so keeps the
                        origins of the metal it was cut from, and hands them to what is made of it
bought, its own stage   the market's country; earlier stages ``unknown``; without a stage of its own ``recycled``
back after its use      ``recycled``, all stages
in stock at first       ``initial stock``; later draws have the mix of the stock at the end of the period before
======================  ==============================================================================================

Recycled is what a process makes that restores provenance, but for its part of inputs from an earlier stage; and what is
made of scrap: material without a stage of which alone something beyond the first stage can be made, and which no
process of the chain yields. Other material without a stage (acids, binders) tells nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..instance.timeline import periods, series_value
from .tables import Tables, table

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from ..instance.instance import Instance
    from .run import Run
    from .tables import Cells

RECYCLED = "recycled"
UNKNOWN = "unknown"
INITIAL_STOCK = "initial stock"
NOISE = 1e-12  # shares below this come from rounding and are left out
MANY = 50  # pools of one stage and year, above which only the shares that are not 0 are stored

CLEAN, EXPOSED = "clean", "exposed"


class Pool(NamedTuple):
    """A material of one provenance in a country, whose tonnes mix within a year."""

    material: str
    country: str
    provenance: str


Mix = dict[str, float]  # origin -> share
Mixes = dict[Pool, list[Mix]]  # one mix for each stage; empty if the material does not tell of the stage


def origin_ledger(run: Run | str | Path) -> pd.DataFrame:
    """Return the origins of what every consumer received: the table ``origin`` of a run.

    Columns: country and sector of the consumer, material, stage, origin (a country, or ``recycled``, ``unknown``,
    ``initial stock``), year (first of the period), t (delivered tonnes a year of which the stage was done there) and
    share (of the consumer's tonnes of that material in that year; the shares of a stage sum to 1). It is worked out
    from the run's tables and the instance's recipes, of the plan, not of its branches.
    """
    from .run import given_run

    run = given_run(run)
    return Tables({"origin": ledger(run.instance, run.tables)})["origin"]


def ledger(instance: Instance, tables: Tables) -> Cells:
    """Return the same as `origin_ledger`, as column -> cells, from an instance and the tables of a plan.

    tables  ``activity``, ``flows``, ``purchases``, ``service``, ``stocks`` and ``adjustments``, and those of further
            deliveries that the instance allows
    """
    chain = _Chain.of(instance)
    years = {name: _by_year(tables.rows(name)) for name in ("activity", "flows", "purchases", "adjustments")}
    if instance.returns:
        years["returned"] = _by_year(tables.rows("returned"))
    taken = deliveries(instance, tables)
    stocks = _Stocks(instance, chain, _by_year(tables.rows("stocks")))
    rows: list[tuple[Any, ...]] = []
    for period in periods(instance):
        year = period.first_year
        inflow = _inflow(chain, {name: rows_of.get(year, []) for name, rows_of in years.items()}, year)
        stocks.draw(inflow, year)
        mixes = _mixes(inflow, len(chain.stages))
        stocks.close(mixes, year, period.length)
        rows += _delivered(chain, mixes, taken.get(year, {}), year, instance.negligible_t)
    return table("origin", rows)


Consumer = tuple[str, str, str]  # country, sector, material


def deliveries(instance: Instance, tables: Tables) -> dict[int, dict[Consumer, dict[str, float]]]:
    """Return year -> consumer -> provenance -> t/yr that it takes, as what it asks for or in place of another material.

    tables  ``service``, and ``substitution`` where the instance has substitutes
    """
    taken: dict[int, dict[Consumer, dict[str, float]]] = defaultdict(
        lambda: defaultdict(lambda: dict.fromkeys((CLEAN, EXPOSED), 0.0))
    )
    for r in tables.rows("service"):
        of = taken[r.year][r.country, r.sector, r.material]
        of[CLEAN] += r.clean_t
        of[EXPOSED] += r.exposed_t
    per_t = {s.substitute: s.t_per_t or 1.0 for s in instance.substitutes}
    for r in tables.rows("substitution"):
        if r.replaced_by:
            taken[r.year][r.country, r.sector, r.replaced_by][r.provenance] += per_t[r.substitute] * r.t
    return taken


def _by_year(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.year].append(row)
    return found


# --- what a material can tell ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chain:
    """Recipes, and of which stages each material tells.

    position   material -> position of its stage, -1 without one
    strategic  strategic materials
    restores   processes that restore provenance
    concern    countries of concern
    recipes    (process, role) -> materials with t per t of activity, or a series of it by year
    scrap      materials that count as scrap, see the module's docstring
    tells      material -> positions of the stages it tells of
    """

    stages: tuple[str, ...]
    position: Mapping[str, int]
    strategic: frozenset[str]
    restores: frozenset[str]
    concern: frozenset[str]
    recipes: Mapping[tuple[str, str], tuple[tuple[str, float | dict[int | None, float]], ...]]
    scrap: frozenset[str]
    tells: Mapping[str, frozenset[int]]

    @classmethod
    def of(cls, instance: Instance) -> _Chain:
        """Return the chain of an instance."""
        order = {stage: i for i, stage in enumerate(instance.stages)}
        position = {m.material: order.get(m.stage, -1) for m in instance.materials}
        series: dict[tuple[str, str, str], dict[int | None, float]] = defaultdict(dict)
        for y in instance.recipe_yields:
            series[y.process, y.material, y.role][y.year] = y.t_per_t
        recipes: dict[tuple[str, str], list[tuple[str, float | dict[int | None, float]]]] = defaultdict(list)
        for r in instance.recipes:
            recipes[r.process, r.role].append((r.material, series.get((r.process, r.material, r.role), r.t_per_t)))
        sides = {
            p.process: tuple([m for m, _ in recipes.get((p.process, role), ())] for role in ("input", "output"))
            for p in instance.processes
        }
        tells = {m: frozenset(range(at + 1)) for m, at in position.items()}
        _spread(sides, position, tells)
        scrap = {
            inputs[0]
            for inputs, outputs in sides.values()
            if len(inputs) == 1 and not tells[inputs[0]] and any(position[m] > 0 for m in outputs)
        }
        tells.update({m: frozenset(order.values()) for m in scrap})
        _spread(sides, position, tells)
        return cls(
            instance.stages,
            position,
            frozenset(m.material for m in instance.materials if m.strategic),
            frozenset(p.process for p in instance.processes if p.restores_provenance),
            frozenset(instance.countries_of_concern),
            {key: tuple(rows) for key, rows in recipes.items()},
            frozenset(scrap),
            tells,
        )

    def amounts(self, process: str, role: str, year: int) -> list[tuple[str, float]]:
        """Return the materials of one side of a recipe, each with tonnes per tonne of activity in a year."""
        rows = self.recipes.get((process, role), ())
        return [(m, series_value(t, year) if isinstance(t, dict) else t) for m, t in rows]

    def main_stage(self, process: str) -> int:
        """Return the position of the latest stage of what a process makes, -1 if none of it has a stage."""
        return max((self.position[m] for m, _ in self.recipes.get((process, "output"), ())), default=-1)

    def recycles(self, process: str, material: str, stage: int) -> bool:
        """Return whether a process that makes material of ``stage`` recycles its input ``material``."""
        if process in self.restores:
            return not 0 <= self.position[material] < stage
        return material in self.scrap

    def recycled_part(self, process: str, inputs: list[tuple[str, float]], stage: int) -> float:
        """Return the share, 0 to 1, of what a process makes at a stage that counts as recycled.

        It is the share of recycled inputs, by tonnes, among the inputs that tell of any stage.
        """
        telling = [(m, k) for m, k in inputs if self.tells[m]]
        if not telling:
            return 1.0 if inputs and (process in self.restores or stage > 0) else 0.0
        recycled = sum(k for m, k in telling if self.recycles(process, m, stage))
        return recycled / sum(k for _, k in telling)


def _spread(
    sides: Mapping[str, tuple[list[str], ...]], position: Mapping[str, int], tells: dict[str, frozenset[int]]
) -> None:
    """Let materials without a stage tell of all stages that inputs and main products of their processes tell of."""
    changed = True
    while changed:
        changed = False
        for inputs, outputs in sides.values():
            known = frozenset().union(*(tells[m] for m in inputs), *(tells[m] for m in outputs if position[m] >= 0))
            for m in outputs:
                if position[m] < 0 and not known <= tells[m]:
                    tells[m] |= known
                    changed = True


# --- what flows into the pools of a year ----------------------------------------------------------------------------


@dataclass
class _Inflow:
    """What comes into the pools in a year, t/yr.

    total  pool -> t/yr
    moved  stage -> (to pool, from pool) -> t/yr; the stage None means all stages that the material tells of
    own    stage -> (pool, origin) -> t/yr that come with an origin of their own
    """

    tells: Mapping[str, frozenset[int]]
    total: dict[Pool, float] = field(default_factory=lambda: defaultdict(float))
    moved: dict[int | None, dict[tuple[Pool, Pool], float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    own: dict[int, dict[tuple[Pool, str], float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )

    def add(self, pool: Pool, t: float) -> None:
        """Add ``t`` to what comes in; its origins are added separately for each stage."""
        self.total[pool] += t

    def move(self, pool: Pool, source: Pool, t: float) -> None:
        """Add ``t`` that comes from another pool and has its mix."""
        self.add(pool, t)
        self.moved[None][pool, source] += t


def _inflow(chain: _Chain, rows: Mapping[str, Iterable[Any]], year: int) -> _Inflow:
    inflow = _Inflow(chain.tells)
    for r in rows["flows"]:
        inflow.move(Pool(r.material, r.destination, r.provenance), Pool(r.material, r.origin, r.provenance), r.t)
    for r in rows["adjustments"]:
        if r.kind == "downgrade":
            inflow.move(Pool(r.material, r.country, EXPOSED), Pool(r.material, r.country, CLEAN), r.t)
    for r in rows["purchases"]:
        pool, at = Pool(r.material, r.country, r.provenance), chain.position[r.material]
        inflow.add(pool, r.t)
        for s in chain.tells[r.material]:
            inflow.own[s][pool, RECYCLED if at < 0 else r.country if s == at else UNKNOWN] += r.t
    for r in rows.get("returned", ()):
        pool = Pool(r.material, r.country, r.provenance)
        inflow.add(pool, r.t)
        for s in chain.tells[r.material]:
            inflow.own[s][pool, RECYCLED] += r.t
    for r in rows["activity"]:
        _made(chain, r, year, inflow)
    return inflow


def _made(chain: _Chain, run: Any, year: int, inflow: _Inflow) -> None:
    """Add what an activity (a row ``run`` of activity.csv) makes: with own origins, or with the mixes of its inputs."""
    inputs = chain.amounts(run.process, "input", year)
    main = chain.main_stage(run.process)
    for material, per_t in chain.amounts(run.process, "output", year):
        pool, t = Pool(material, run.country, run.output_provenance), per_t * run.activity_t
        inflow.add(pool, t)
        if material in chain.scrap:
            for s in chain.tells[material]:
                inflow.own[s][pool, RECYCLED] += t
            continue
        at = chain.position[material]
        own_stage = at if at >= 0 else main
        recycled = {m for m, _ in inputs if chain.recycles(run.process, m, own_stage)}
        for s in chain.tells[material]:
            sources = [(m, k) for m, k in inputs if s in chain.tells[m]]
            if s == own_stage and (not sources or at < 0 or material in chain.strategic):
                part = 0.0 if run.country in chain.concern else chain.recycled_part(run.process, inputs, own_stage)
                inflow.own[s][pool, RECYCLED] += t * part
                inflow.own[s][pool, run.country] += t * (1.0 - part)
                continue
            whole = sum(k for _, k in sources)
            for m, k in sources:
                if m in recycled:
                    inflow.own[s][pool, RECYCLED] += t * k / whole
                else:
                    inflow.moved[s][pool, Pool(m, run.country, run.input_provenance)] += t * k / whole
            if not sources:
                does_all = not inputs or any(chain.tells[m] for m, _ in inputs)
                inflow.own[s][pool, run.country if does_all else RECYCLED] += t


def _mixes(inflow: _Inflow, stages: int) -> Mixes:
    """Return the mixes of all pools that something comes into; ``stages`` is the number of stages."""
    pools = sorted(pool for pool, t in inflow.total.items() if t > 0.0)
    mixes: Mixes = {pool: [{} for _ in range(stages)] for pool in pools}
    for s in range(stages):
        telling = [pool for pool in pools if s in inflow.tells[pool.material]]
        if telling:
            moved = [*inflow.moved[None].items(), *inflow.moved[s].items()]
            for pool, mix in zip(telling, _solve(telling, moved, inflow.own[s], inflow.total), strict=True):
                mixes[pool][s] = mix
    return mixes


def _solve(
    pools: list[Pool],
    moved: Iterable[tuple[tuple[Pool, Pool], float]],
    own: Mapping[tuple[Pool, str], float],
    total: Mapping[Pool, float],
) -> list[Mix]:
    """Return the mixes of pools at one stage, parallel to ``pools``.

    It solves (I - M) X = B, with M of shape (pools, pools), X and B of shape (pools, origins); each row is divided by
    what comes into its pool, so all entries are shares.
    """
    import numpy as np

    number = {pool: i for i, pool in enumerate(pools)}
    count = len(pools)
    links = [(number[to], number.get(source, -1), t / total[to]) for (to, source), t in moved if to in number]
    given: dict[tuple[int, str], float] = defaultdict(float)
    for (pool, origin), t in own.items():
        given[number[pool], origin] += t / total[pool]
    for i, j, share in links:
        if j < 0:  # from a pool into which nothing comes: its rows were too small to be written
            given[i, UNKNOWN] += share
    inner = [(i, j, share) for i, j, share in links if j >= 0]
    for i in sorted(set(range(count)) - _fed({i for (i, _), share in given.items() if share > 0.0}, inner)):
        given[i, UNKNOWN] += 1.0  # a circle without a source
        inner = [link for link in inner if link[0] != i]
    origins = sorted({origin for _, origin in given})
    column = {origin: k for k, origin in enumerate(origins)}
    right = np.zeros((count, len(origins)))
    for (i, origin), share in given.items():
        right[i, column[origin]] += share
    if count <= MANY:
        left = np.eye(count)
        for i, j, share in inner:
            left[i, j] -= share
        shares = np.linalg.solve(left, right)
    else:  # scipy's solver takes longer to import than all of a small plan
        from scipy.sparse import coo_array, eye_array
        from scipy.sparse.linalg import splu

        rows, columns, values = zip(*inner, strict=True) if inner else ((), (), ())
        shares = splu((eye_array(count) - coo_array((values, (rows, columns)), (count, count))).tocsc()).solve(right)
    return [_mix(origins, row) for row in shares]


def _fed(sourced: set[int], links: Iterable[tuple[int, int, float]]) -> set[int]:
    """Return the positions of pools that something with an origin reaches.

    sourced  positions of pools with an origin of their own
    links    (to pool, from pool, share)
    """
    onward: dict[int, list[int]] = defaultdict(list)
    for i, j, share in links:
        if share > 0.0:
            onward[j].append(i)
    reached, waiting = set(sourced), list(sourced)
    while waiting:
        for i in onward[waiting.pop()]:
            if i not in reached:
                reached.add(i)
                waiting.append(i)
    return reached


def _mix(origins: list[str], shares: np.ndarray) -> Mix:
    kept = {origin: share for origin, share in zip(origins, shares.tolist(), strict=True) if share > NOISE}
    whole = sum(kept.values())
    return {origin: share / whole for origin, share in kept.items()}


# --- stocks and deliveries ------------------------------------------------------------------------------------------


class _Stocks:
    """Keeps the mix of every stock from period to period.

    _held  (stockpile, provenance) -> t at the end of the period before
    _mix   (stockpile, provenance) -> a mix for each stage
    """

    def __init__(self, instance: Instance, chain: _Chain, rows: Mapping[int, Iterable[Any]]) -> None:
        self._chain = chain
        self._rows = rows
        self._held: dict[tuple[str, str], float] = {}
        self._mix: dict[tuple[str, str], list[Mix]] = {}
        for s in instance.stockpiles:
            key = (s.stockpile, EXPOSED if s.initial_exposed else CLEAN)
            self._held[key] = s.initial_t
            tells = chain.tells[s.material]
            self._mix[key] = [{INITIAL_STOCK: 1.0} if n in tells else {} for n in range(len(chain.stages))]

    def draw(self, inflow: _Inflow, year: int) -> None:
        """Add what is drawn from stocks to the inflow of its pools, with the mix of the stock."""
        for r in self._rows.get(year, ()):
            if r.draw_t > 0.0:
                pool = Pool(r.material, r.country, r.provenance)
                inflow.add(pool, r.draw_t)
                mix = self._mix.get((r.stockpile, r.provenance))
                for s in self._chain.tells[r.material]:
                    for origin, share in (mix[s] if mix else {UNKNOWN: 1.0}).items():
                        inflow.own[s][pool, origin] += r.draw_t * share

    def close(self, mixes: Mixes, year: int, length: int) -> None:
        """Update the mixes to the end of a period of ``length`` years: what was left, and what was put in."""
        for r in self._rows.get(year, ()):
            key = (r.stockpile, r.provenance)
            put = length * r.put_t
            left = max(0.0, self._held.get(key, 0.0) - length * r.draw_t)
            new = mixes.get(Pool(r.material, r.country, r.provenance))
            if put > 0.0 and new is not None:
                old = self._mix.get(key, [{} for _ in new])
                self._mix[key] = [_blend(a, left, b, put) for a, b in zip(old, new, strict=True)]
            self._held[key] = r.stock_t


def _blend(old: Mix, left: float, new: Mix, put: float) -> Mix:
    if not old or left == 0.0:
        return new
    origins = [*old, *(o for o in new if o not in old)]
    return {o: (old.get(o, 0.0) * left + new.get(o, 0.0) * put) / (left + put) for o in origins}


def _delivered(
    chain: _Chain, mixes: Mixes, taken: Mapping[Consumer, Mapping[str, float]], year: int, nothing: float
) -> list[tuple[Any, ...]]:
    """Return the rows of the table ``origin`` for a year; deliveries have the mixes of their pools.

    taken  consumer -> provenance -> t/yr
    """
    result: list[tuple[Any, ...]] = []
    for (country, sector, material), tonnes_of in taken.items():
        whole = sum(tonnes_of.values())
        if whole <= nothing:
            continue
        parts = [(mixes.get(Pool(material, country, q)), t) for q, t in tonnes_of.items()]
        parts = [(mix, t) for mix, t in parts if t > (nothing if mix is None else 0.0)]
        for s in sorted(chain.tells[material]):
            tonnes: dict[str, float] = defaultdict(float)
            for mix, t in parts:
                for origin, share in (mix[s] if mix else {UNKNOWN: 1.0}).items():
                    tonnes[origin] += t * share
            traced = sum(tonnes.values())
            result += [
                (country, sector, material, chain.stages[s], origin, year, t / traced * whole, t / traced)
                for origin, t in tonnes.items()
            ]
    return result
