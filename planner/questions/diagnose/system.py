"""The elastic model of an instance: every wish of its user is a row of its own, and cells of the tables can give way.

Wishes that the formulation writes as bounds (service floors, clean-only rules, pinned builds) are rows here, so that
all of them can be relaxed, dropped and named in the same way. The limit of a row is linear in the cell that sets it.
The exception are shares, where the cell multiplies what is delivered, made or used; for these rows the slope (how the
row changes with the cell) is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from ...prepare import EXPOSED, ModelData, Need, Prepared, prepare
from ...solving.cap_rows import Slope, slopes
from ...solving.compiling import Arrays, compiled

if TYPE_CHECKING:
    from ...instance.declare import Key
    from ...instance.instance import Instance
    from ...solving.pins import Pins

ZERO = 1e-12  # a smaller coefficient is rounding, left where two numbers cancel


class Cell(NamedTuple):
    """A cell: the row with a key in a table of the instance, and a column.

    The table ``pins`` stands for builds that the call fixes, forces or forbids.
    """

    table: str
    key: Key
    column: str

    def value_in(self, instance: Instance) -> Any:
        """Return the value of the cell in an instance; not for a cell of ``pins``."""
        return getattr(row_of(instance, self.table, self.key), self.column)


def row_of(instance: Instance, table: str, key: Key) -> Any:
    """Return the row of a table of the instance with this key."""
    return next(row for row in instance.rows(table) if tuple(getattr(row, name) for name in row.KEY) == key)


def service_cell(system: System, need: Need) -> Cell:
    """Return the cell that sets the service floor of a need: its sector's own or, in a branch, that of the branch."""
    node = system.data.nodes[need.node]
    own = next(s.min_service for s in system.instance.sectors if s.sector == need.sector)
    if node.floors_hold and need.max_short >= (1.0 - own) * need.demand:  # nothing disturbs it, or asks for more
        return Cell("sectors", (need.sector,), "min_service")
    return Cell("branch_service", (node.branch, need.sector), "min_service")


@dataclass(frozen=True, slots=True)
class Relaxable:
    """A cell that may be relaxed, and how.

    The *amount* by which it is relaxed is in the unit of the cell; 0 leaves the cell as it is.

    weight   points of hardship per unit of the amount; relaxing a cap by 0.01 (one percentage point) costs 1
    most     largest amount
    sign     1 if the cell rises as it is relaxed, -1 if it falls
    switch   whether the amount can only be 0 or 1
    to       new value of the cell if a switch is set, None: blank. A date that can be delayed has one switch per step;
             the cell then holds the year of the last step that is set
    """

    cell: Cell
    weight: float
    most: float
    sign: float = 1.0
    switch: bool = False
    to: float | None = None


class Effect(NamedTuple):
    """What a relaxable does to a row: its limit moves by ``factor`` times the amount.

    relaxable  position of the relaxable in `System.relaxables`
    row        row of the matrix; its lower limit falls, of an equation both, or else its upper limit rises
    share      whether the row limits a share; ``factor`` then moves the share, not the right-hand side
    """

    relaxable: int
    row: int
    factor: float
    share: bool = False


@dataclass
class System:
    """The elastic model: its rows, the relaxables, and what each of these does to the rows.

    Vectors called ``amounts`` have one entry per relaxable, in the unit of its cell.

    arrays     all rows and columns; the cost is 0 throughout
    cost       the cost of the columns in the model of the plan, MUSD per unit
    slopes     row of a share -> its slope
    after      (later step, earlier step) of a date: the later one may be set only with the earlier one
    only_if    (relaxable, column): the switch may be set only if the column is 1
    """

    instance: Instance
    prepared: Prepared
    arrays: Arrays
    pins: Pins | None
    cost: np.ndarray
    relaxables: list[Relaxable] = field(default_factory=list)
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
        """The amounts with nothing relaxed."""
        return np.zeros(len(self.relaxables))

    @property
    def everything(self) -> np.ndarray:
        """The amounts with everything relaxed as far as it goes."""
        return np.array([k.most for k in self.relaxables])

    def gain_at(self, row: int, x: np.ndarray) -> float:
        """Return how much room ``row`` of a share gains per unit of its limit at the point ``x``, kt (a fund: MUSD)."""
        slope = self.slopes[row]
        return float(slope.upper - slope.values @ x[slope.columns])

    def excess_at(self, row: int, x: np.ndarray) -> float:
        """Return how far ``row`` is beyond its upper limit at the point ``x``, with nothing relaxed."""
        return float(self.rows[row] @ x - self.arrays.row_upper[row])

    @cached_property
    def rows(self) -> Any:
        """The matrix of all rows, stored by rows (CSR)."""
        return self.arrays.matrix.tocsr()

    @cached_property
    def pools_made(self) -> dict[int, list[int]]:
        """Position of an activity -> positions of the pools that it makes something for."""
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
        """Return the model with the relaxables at ``amounts``.

        free     positions of relaxables that become columns instead (elastic variables), appended in this order; the
                 cost of each is its weight
        gains    row of a share -> room that it gains per unit of its limit. Where a relaxable of ``free`` is a share,
                 its rows are not linear in it; they are linearised around ``amounts`` with these gains
        without  rows that are left out
        """
        a = self.arrays
        lower, upper = a.row_lower.copy(), a.row_upper.copy()
        position = {k: i for i, k in enumerate(free)}
        extra: list[tuple[int, int, float]] = []  # row, free column, coefficient
        changes: dict[int, float] = {}
        for relaxable, row, factor, share in self.effects:
            amount = float(amounts[relaxable])
            if share:
                changes[row] = changes.get(row, 0.0) + factor * amount
                if relaxable in position and gains is not None:
                    extra.append((row, position[relaxable], -factor * gains[row]))
                    upper[row] -= factor * gains[row] * amount
            elif relaxable in position:
                side = 1.0 if np.isfinite(lower[row]) else -1.0
                extra.append((row, position[relaxable], side * factor))
            elif np.isfinite(lower[row]):
                upper[row] -= factor * amount if lower[row] == upper[row] else 0.0
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
            opened = [self.relaxables[k] for k in free]
            block = sparse.csc_array(
                ([v for _, _, v in extra], ([r for r, _, _ in extra], [c for _, c, _ in extra])),
                shape=(matrix.shape[0], len(free)),
            )
            matrix = sparse.hstack([matrix, block], format="csc")
            cost = np.concatenate([cost, [k.weight for k in opened]])
            low = np.concatenate([low, np.zeros(len(free))])
            high = np.concatenate([high, [k.most for k in opened]])
            whole = np.concatenate([whole, [k.switch for k in opened]])
            matrix, lower, upper = self._with_rules_for_switches(matrix, lower, upper, position)
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
        """Return the change of the matrix if the limits of shares change: row -> change of its limit."""
        rows, columns, values = [], [], []
        for row, change in changes.items():
            slope = self.slopes[row]
            rows.append(np.full(len(slope.columns), row))
            columns.append(slope.columns)
            values.append(slope.values * change)
        shape = self.arrays.matrix.shape
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.csc_array(entries, shape=shape)

    def _with_rules_for_switches(
        self, matrix: Any, lower: np.ndarray, upper: np.ndarray, position: Mapping[int, int]
    ) -> tuple[Any, np.ndarray, np.ndarray]:
        """Add the rows of ``after`` and ``only_if``: first column less second is at most 0. Returns matrix and limits.

        position  relaxable -> its position among the free ones
        """
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
    """Return the system of an instance, with its wishes and pins as rows; it has no relaxables yet.

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
    """Return the same arrays with bounds of their own, which may be changed."""
    return replace(arrays, col_lower=arrays.col_lower.copy(), col_upper=arrays.col_upper.copy())


def _never_clean_only(instance: Instance) -> Instance:
    """Return the instance without clean_from_year in any sector."""
    from ...instance.tables import cells

    rows = [s for s in instance.sectors if s.clean_from_year is not None]
    return instance.with_rows("sectors", *({**cells(row), "clean_from_year": ""} for row in rows))


def _add_wishes(system: System) -> None:
    """Add service floors, clean-only rules and pins as rows: families ``service``, ``clean_only`` and ``pin_*``."""
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
    """Return the pins as rows: family, index, entries (column -> coefficient), lower and upper limit (modules)."""
    columns = system.arrays.columns.get("build", {})
    starts = {s.key: columns[i] for i, s in enumerate(system.data.build) if i in columns}
    rows: list[tuple[str, Any, dict[int, float], float, float]] = []
    for (option, year), modules in sorted(pins.fixed.items()):
        if (option, year) in starts:
            entry = {starts[option, year]: 1.0}
            rows.append(("pin_least", (option, year), entry, modules, np.inf))
            rows.append(("pin_most", (option, year), entry, -np.inf, modules))
    for (option, year), modules in sorted(pins.force.items()):
        rows.append(("pin_force", (option, year), {starts[option, year]: 1.0}, modules, np.inf))
    for option in sorted(set(pins.forbid)):
        for key, k in sorted(starts.items()):
            if key[0] == option:
                rows.append(("pin_forbid", key, {k: 1.0}, -np.inf, 0.0))
    return rows
