"""The model of an instance with every wish of its user as a row of its own, and with the cells that could give way.

Wishes that the formulation writes as bounds (service floors, clean-only rules, pinned builds) are rows here, so that
all of them can be relaxed, dropped and named in one way. What a cell does to the rows is linear in the cell, but for
shares, where it multiplies what is delivered, made or used; these rows keep their slope.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from ...prepare import EXPOSED, PLAN, ModelData, Prepared, prepare
from ...solving.cap_rows import Slope, slopes
from ...solving.compiling import Arrays, compiled

if TYPE_CHECKING:
    from ...instance.declare import Key
    from ...instance.instance import Instance
    from ...solving.pins import Pins

ZERO = 1e-12  # what is left where a coefficient and a limit cancel


class Cell(NamedTuple):
    """A cell of a named row of a named table; of the table ``pins`` it is a build held in the call."""

    table: str
    key: Key
    column: str

    def value_in(self, instance: Instance) -> Any:
        """What it holds in an instance, for a cell of a table of the instance."""
        return getattr(row_of(instance, self.table, self.key), self.column)


def row_of(instance: Instance, table: str, key: Key) -> Any:
    """The row of a table of the instance with this key."""
    return next(row for row in instance.rows(table) if tuple(getattr(row, name) for name in row.KEY) == key)


def service_cell(sector: str, branch: str) -> Cell:
    """The cell that sets a sector's service floor, in the plan or in the branch of a scenario."""
    if branch == PLAN:
        return Cell("sectors", (sector,), "min_service")
    return Cell("branch_service", (branch, sector), "min_service")


@dataclass(frozen=True, slots=True)
class Knob:
    """How one cell could give way; ``amount`` below is in the unit of the cell, 0 where it stays as it is.

    weight   points of hardship per unit; a point of a cap (0.01) is one
    most     largest amount
    sign     1 if the cell rises as it gives way, -1 if it falls
    switch   whether the amount is 0 or 1
    to       of a switch: what the cell then holds, None: blank; of a step in time its year, if no later one is taken
    """

    cell: Cell
    weight: float
    most: float
    sign: float = 1.0
    switch: bool = False
    to: float | None = None


class Effect(NamedTuple):
    """A row's limit moves by ``factor`` times a knob's amount; the limit of a share if ``share``."""

    knob: int
    row: int
    factor: float
    share: bool = False


@dataclass
class System:
    """The rows, the knobs, and what the knobs do.

    arrays     all rows; cost is 0 throughout
    after      (later step, earlier step): a step in time needs the one before
    only_if    (knob, column): a switch that means nothing unless the column is 1
    """

    instance: Instance
    prepared: Prepared
    arrays: Arrays
    pins: Pins | None
    cost: np.ndarray
    knobs: list[Knob] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    slopes: dict[int, Slope] = field(default_factory=dict)
    after: list[tuple[int, int]] = field(default_factory=list)
    only_if: list[tuple[int, int]] = field(default_factory=list)

    @property
    def data(self) -> ModelData:
        """The data of the model."""
        return self.prepared.data

    @property
    def nothing(self) -> np.ndarray:
        """No knob turned."""
        return np.zeros(len(self.knobs))

    @property
    def everything(self) -> np.ndarray:
        """Every knob turned as far as it goes."""
        return np.array([k.most for k in self.knobs])

    def gain_at(self, row: int, x: np.ndarray) -> float:
        """How much ``row`` of a share gains per unit of its limit at ``x``, kt (or MUSD for a fund's share)."""
        slope = self.slopes[row]
        return float(slope.upper - slope.values @ x[slope.columns])

    def excess_at(self, row: int, x: np.ndarray) -> float:
        """How far ``row`` is beyond its upper limit at ``x``, with nothing relaxed."""
        return float(self.rows[row] @ x - self.arrays.row_upper[row])

    @cached_property
    def rows(self) -> Any:
        """The matrix by rows."""
        return self.arrays.matrix.tocsr()

    @cached_property
    def pools_made(self) -> dict[int, list[int]]:
        """Activity -> the pools that it makes something for."""
        made: dict[int, list[int]] = defaultdict(list)
        for p, pool in enumerate(self.data.pools):
            for activity, _ in pool.made:
                made[activity].append(p)
        return made

    def relaxed(
        self,
        amounts: np.ndarray,
        free: Sequence[int] = (),
        gains: Mapping[int, float] | None = None,
        without: Collection[int] = (),
    ) -> Arrays:
        """The rows with the knobs at ``amounts``; those of ``free`` become columns whose cost is their weight.

        gains    row of a share -> what it gains per unit of its limit, where a knob is free: the row is then taken
                 as linear around ``amounts``
        without  rows left out
        """
        a = self.arrays
        lower, upper = a.row_lower.copy(), a.row_upper.copy()
        position = {k: i for i, k in enumerate(free)}
        extra: list[tuple[int, int, float]] = []  # row, free column, coefficient
        changes: dict[int, float] = {}
        for knob, row, factor, share in self.effects:
            amount = float(amounts[knob])
            if share:
                changes[row] = changes.get(row, 0.0) + factor * amount
                if knob in position and gains is not None:
                    extra.append((row, position[knob], -factor * gains[row]))
                    upper[row] -= factor * gains[row] * amount
            elif knob in position:
                side = 1.0 if np.isfinite(lower[row]) else -1.0
                extra.append((row, position[knob], side * factor))
            elif np.isfinite(lower[row]):
                lower[row] -= factor * amount
            else:
                upper[row] += factor * amount
        matrix = a.matrix.copy()
        moved = {row: change for row, change in changes.items() if change}
        if moved:
            matrix = (matrix + self._slope_matrix(moved)).tocsc()
            for row, change in moved.items():
                upper[row] += change * self.slopes[row].upper
        whole, rows = a.integer, a.rows
        cost, low, high = a.cost, a.col_lower, a.col_upper
        if free:
            turned = [self.knobs[k] for k in free]
            block = sparse.csc_array(
                ([v for _, _, v in extra], ([r for r, _, _ in extra], [c for _, c, _ in extra])),
                shape=(matrix.shape[0], len(free)),
            )
            matrix = sparse.hstack([matrix, block], format="csc")
            cost = np.concatenate([cost, [k.weight for k in turned]])
            low = np.concatenate([low, np.zeros(len(free))])
            high = np.concatenate([high, [k.most for k in turned]])
            whole = np.concatenate([whole, [k.switch for k in turned]])
            matrix, lower, upper = self._ties(matrix, lower, upper, position)
        if without:
            keep = np.setdiff1d(np.arange(matrix.shape[0]), np.fromiter(without, dtype=int))
            matrix, lower, upper = matrix.tocsr()[keep].tocsc(), lower[keep], upper[keep]
            place = dict(zip(keep.tolist(), range(len(keep)), strict=True))
            rows = {f: {i: place[row] for i, row in of.items() if row in place} for f, of in rows.items()}
        matrix.data[np.abs(matrix.data) < ZERO] = 0.0
        matrix.eliminate_zeros()
        matrix.sort_indices()
        return Arrays(cost, 0.0, matrix, lower, upper, low, high, whole, a.columns, rows)

    def _slope_matrix(self, changes: Mapping[int, float]) -> Any:
        rows, columns, values = [], [], []
        for row, change in changes.items():
            slope = self.slopes[row]
            rows.append(np.full(len(slope.columns), row))
            columns.append(slope.columns)
            values.append(slope.values * change)
        shape = self.arrays.matrix.shape
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.csc_array(entries, shape=shape)

    def _ties(
        self, matrix: Any, lower: np.ndarray, upper: np.ndarray, position: Mapping[int, int]
    ) -> tuple[Any, np.ndarray, np.ndarray]:
        """Rows that tie switches to each other, and to what they speak of: first less second is at most 0."""
        own = self.arrays.matrix.shape[1]
        pairs = [(own + position[a], own + position[b]) for a, b in self.after if a in position and b in position]
        pairs += [(own + position[k], column) for k, column in self.only_if if k in position]
        if not pairs:
            return matrix, lower, upper
        count = len(pairs)
        entries = [1.0, -1.0] * count
        places = ([i for i in range(count) for _ in (0, 1)], [c for pair in pairs for c in pair])
        block = sparse.csc_array((entries, places), shape=(count, matrix.shape[1]))
        matrix = sparse.vstack([matrix, block], format="csc")
        return matrix, np.append(lower, np.full(count, -np.inf)), np.append(upper, np.zeros(count))


def compile_system(instance: Instance, pins: Pins | None) -> System:
    """The rows of an instance, with its wishes and pins as rows; no knobs yet.

    Raises UsageError on pins that cannot be held at all.
    """
    # exposed deliveries exist throughout and are ruled out by rows, so that clean_from_year can give way
    prepared = prepare(_never_clean_only(instance))
    prepared.data.risk = None  # how costs are weighed decides nothing about what is possible
    arrays = compiled(prepared.data)
    if pins:
        pins.hold(prepared.data, replace_bounds(arrays))
    cost = arrays.cost
    arrays.cost = np.zeros(len(cost))
    system = System(instance, prepared, arrays, pins, cost)
    system.slopes = slopes(prepared.data, arrays)
    _add_wishes(system)
    return system


def replace_bounds(arrays: Arrays) -> Arrays:
    """The same arrays with bounds that may be changed."""
    return replace(arrays, col_lower=arrays.col_lower.copy(), col_upper=arrays.col_upper.copy())


def _never_clean_only(instance: Instance) -> Instance:
    from ...instance.tables import cells

    rows = [s for s in instance.sectors if s.clean_from_year is not None]
    return instance.with_rows("sectors", *({**cells(row), "clean_from_year": ""} for row in rows))


def _add_wishes(system: System) -> None:
    """Service floors, clean-only rules and pins as rows: families ``service``, ``clean_only`` and ``pin_*``."""
    data, arrays = system.data, system.arrays
    new: list[tuple[str, Any, dict[int, float], float, float]] = []  # family, index, entries, lower, upper
    for d, k in arrays.columns.get("short", {}).items():
        need = data.need[d]
        if need.max_short < need.demand:
            new.append(("service", d, {k: 1.0}, -np.inf, need.max_short))
            arrays.col_upper[k] = need.demand
    clean_from = {s.sector: s.clean_from_year for s in system.instance.sectors}
    for i, k in arrays.columns.get("deliver", {}).items():
        delivery = data.deliver[i]
        node = data.nodes[delivery.node]
        since = clean_from[data.need[delivery.need].sector]
        if delivery.provenance == EXPOSED and node.rules_hold and since is not None and node.year >= since:
            new.append(("clean_only", i, {k: 1.0}, -np.inf, 0.0))
    if system.pins:
        new += _pin_rows(system, system.pins)
    if not new:
        return
    matrix = sparse.lil_array((len(new), arrays.matrix.shape[1]))
    for i, (_, _, entries, _, _) in enumerate(new):
        for column, value in entries.items():
            matrix[i, column] = value
    first = arrays.matrix.shape[0]
    for i, (family, index, _, _, _) in enumerate(new):
        arrays.rows.setdefault(family, {})[index] = first + i
    arrays.matrix = sparse.vstack([arrays.matrix, matrix], format="csc")
    arrays.row_lower = np.concatenate([arrays.row_lower, [low for *_, low, _ in new]])
    arrays.row_upper = np.concatenate([arrays.row_upper, [high for *_, high in new]])


def _pin_rows(system: System, pins: Pins) -> list[tuple[str, Any, dict[int, float], float, float]]:
    columns = system.arrays.columns.get("build", {})
    starts = {(s.option, s.year): columns[i] for i, s in enumerate(system.data.build) if i in columns}
    rows: list[tuple[str, Any, dict[int, float], float, float]] = []
    for (option, year), modules in sorted(pins.fixed.items()):
        if (option, year) in starts:
            entry = {starts[option, year]: 1.0}
            rows.append(("pin_least", (option, year), entry, modules, np.inf))
            rows.append(("pin_most", (option, year), entry, -np.inf, modules))
    for (option, year), modules in sorted(pins.force.items()):
        rows.append(("pin_force", (option, year), {starts[option, year]: 1.0}, modules, np.inf))
    for option in sorted(set(pins.forbid)):
        for (name, year), k in sorted(starts.items()):
            if name == option:
                rows.append(("pin_forbid", (option, year), {k: 1.0}, -np.inf, 0.0))
    return rows
