"""Changes the limit of caps of one dependence metric in a compiled model, without compiling it again.

A row says ``over - limit total <= 0``. With ``over = fixed x`` and ``total = demand - varying x`` this is
``fixed x + limit varying x <= limit demand``, so a new limit changes few coefficients. Each row has one further column,
the excess over the limit; it is fixed at 0, except when the least possible limit is sought.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from .. import models
from .compiling import Arrays, compile_model

if TYPE_CHECKING:
    from ..models.data import ModelData
    from .programme import Programme
    from .solver import Settings

PLACEHOLDER = 0.5  # limit of caps when compiled: no coefficient that depends on the limit is 0 or cancels


@dataclass(slots=True)
class MetricRow:
    """One row of a cap: ``fixed x + limit varying x <= limit demand``, in kt/yr.

    position  of the row in the compiled model
    fixed     column -> coefficient that does not depend on the limit
    varying   column -> coefficient per unit of the limit
    demand    right-hand side per unit of the limit, kt/yr
    year      first calendar year of its period
    weight    how far its limit has gone from ``today`` to the limit that is asked for, 0 to 1; 1 without a glide
    today     share at which the glide begins
    """

    position: int
    fixed: dict[int, float]
    varying: dict[int, float]
    demand: float
    year: int
    weight: float = 1.0
    today: float = 1.0

    def over(self, x: np.ndarray) -> float:
        """Return the numerator of the share, kt/yr; ``x`` has shape (columns,)."""
        return float(sum(value * x[column] for column, value in self.fixed.items()))

    def total(self, x: np.ndarray) -> float:
        """Return the denominator of the share, kt/yr."""
        return self.demand - float(sum(value * x[column] for column, value in self.varying.items()))

    def limit_at(self, limit: float) -> float:
        """Return the limit of this row (share) when ``limit`` is asked for."""
        return self.today + self.weight * (limit - self.today)


class MetricRows:
    """The rows of some caps of one metric, or one row for the share of demand that is not served.

    family  a metric of caps, or ``unserved``
    caps    names of the caps; of ``unserved``: empty
    nodes   nodes whose demand counts, of ``unserved`` only
    arrays  the model with these rows, and with the excess in them
    excess  position of the column of the excess
    """

    def __init__(self, data: ModelData, arrays: Arrays, family: str, caps: set[str], nodes: set[int]) -> None:
        if family == "unserved":
            self.rows, arrays = _unserved(data, arrays, nodes)
        else:
            self.rows = _shares(data, arrays, family, caps)
        self.arrays, self.excess = _with_excess(arrays, self.rows)

    def most(self, settings: Settings) -> float:
        """Return the most that the numerator of an impact can be in a year, and make this 1 of the limits from now on.

        A limit of 1 then limits nothing, as with a share. Thousand units; 1 if nothing can be above 0.
        """
        from .programme import Programme

        arrays = self.arrays.relaxed
        programme = Programme(arrays, settings)
        largest = 0.0
        for row in self.rows:
            programme.side(row.position, -np.inf, np.inf)
        for row in self.rows:
            weights = np.zeros(len(arrays.cost))
            weights[list(row.fixed)] = [-value for value in row.fixed.values()]
            programme.objective(weights)
            found = programme.find(sure=False, keep=True)
            largest = max(largest, row.over(found.x) if found.held else 0.0)
        for row in self.rows:
            row.demand = largest or 1.0
        return largest or 1.0

    def glide(self, first: int, target: int, today: float) -> None:
        """Let the limit go linearly from ``today`` (share) in the year ``first`` to the one asked for in ``target``."""
        for row in self.rows:
            row.weight = min(1.0, max(0.0, (row.year - first) / (target - first)))
            row.today = today

    def level(self, x: np.ndarray, year: int) -> float:
        """Return the largest share of the rows of a year; 0 if all their denominators are 0."""
        of_year = [row for row in self.rows if row.year == year and row.total(x) > 1e-9]
        return max((row.over(x) / row.total(x) for row in of_year), default=0.0)

    def share(self, x: np.ndarray) -> float:
        """Return the least limit, 0 or more, that a solution keeps in all rows."""
        worst = 0.0
        for row in self.rows:
            total = row.total(x)
            if total > 1e-9 and row.weight > 0.0:
                worst = max(worst, row.today + (row.over(x) / total - row.today) / row.weight)
        return worst

    def filled(self, x: np.ndarray) -> bool:
        """Return whether no row that the limit reaches has the denominator 0."""
        return all(row.total(x) > 1e-9 for row in self.rows if row.weight > 0.0)

    def set_limit(self, programme: Programme, limit: float) -> None:
        """Set another limit (share) in all rows of the model in HiGHS."""
        for row in self.rows:
            at = row.limit_at(limit)
            entries = {c: row.fixed.get(c, 0.0) + at * value for c, value in row.varying.items()}
            entries = {c: value if abs(value) > 1e-11 else 0.0 for c, value in entries.items()}
            entries[self.excess] = -row.weight
            programme.entries(row.position, entries)
            programme.side(row.position, -np.inf, at * row.demand)

    def at(self, limit: float) -> Arrays:
        """Return the model with another limit (share) in all rows."""
        arrays, where = self.arrays, [row.position for row in self.rows]
        change = np.zeros(arrays.matrix.shape[0])
        change[where] = [row.limit_at(limit) - PLACEHOLDER for row in self.rows]
        upper = arrays.row_upper.copy()
        upper[where] = [row.limit_at(limit) * row.demand for row in self.rows]
        return replace(
            arrays, matrix=sparse.csc_array(arrays.matrix + self._varying.multiply(change[:, None])), row_upper=upper
        )

    @cached_property
    def _varying(self) -> Any:
        """Entries per unit of the limit, sparse, of the shape of the matrix."""
        entries = [(row.position, column, value) for row in self.rows for column, value in row.varying.items()]
        rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
        return sparse.csr_array((values, (rows, columns)), shape=self.arrays.matrix.shape)

    def slope(self, x: np.ndarray, duals: np.ndarray) -> float:
        """Return the change of cost with the limit, MUSD per unit of share, 0 or less; ``duals`` has shape (rows,)."""
        return sum(row.weight * min(0.0, float(duals[row.position])) * row.total(x) for row in self.rows)


def _shares(data: ModelData, arrays: Arrays, family: str, caps: set[str]) -> list[MetricRow]:
    """Return the rows of caps, split into what depends on the limit and what does not."""
    limits, by_row = data.caps[family], arrays.matrix.tocsr()
    of_row = slopes(data, arrays, (family,))
    rows = []
    for i, position in arrays.rows.get(family, {}).items():
        limit, slope = limits[i], of_row.get(position)
        if limit.cap not in caps or slope is None:
            continue
        varying = dict(zip(slope.columns.tolist(), slope.values.tolist(), strict=True))
        span = slice(by_row.indptr[position], by_row.indptr[position + 1])
        fixed = dict(zip(by_row.indices[span].tolist(), by_row.data[span].tolist(), strict=True))
        for column, value in varying.items():
            fixed[column] = fixed.get(column, 0.0) - PLACEHOLDER * value
            if abs(fixed[column]) < 1e-12:
                fixed[column] = 0.0
        rows.append(MetricRow(position, fixed, varying, slope.upper, data.nodes[limit.node].year))
    return rows


class Slope(NamedTuple):
    """How the row of a share changes per unit by which its limit is eased: raised, of a floor lowered.

    columns  positions of the columns whose coefficient changes, int, shape (n,)
    values   change of these coefficients, shape (n,)
    upper    change of the right-hand side, kt/yr (of fund_share: MUSD)
    """

    columns: np.ndarray
    values: np.ndarray
    upper: float


def slopes(data: ModelData, arrays: Arrays, of: Sequence[str] = ()) -> dict[int, Slope]:
    """Return position of the row of a share -> how it changes per unit by which its limit is eased.

    The rows are compiled again with a limit that is eased by 2, and half the difference is taken; with a limit eased by
    1 coefficients could cancel, and the row be left out.

    of  names of families: metrics, or ``fund_share``; empty: all that the data have
    """
    asked = tuple(name for name in of or (*data.caps, "fund_share") if arrays.rows.get(name))
    if not asked:
        return {}
    shifted = replace(
        data,
        caps=defaultdict(
            list, {m: [cap._replace(limit=cap.limit + 2.0 * cap.sign) for cap in caps] for m, caps in data.caps.items()}
        ),
        fund_share=[part._replace(max_share=part.max_share + 2.0) for part in data.fund_share],
    )
    files = {"funding" if name == "fund_share" else name for name in asked}
    families = tuple(family for family in models.FAMILIES if family.__name__.rpartition(".")[2] in files)
    other = compile_model(models.build(shifted, families))
    place = np.zeros(other.matrix.shape[1], dtype=int)
    for family, positions in other.columns.items():
        for index, k in positions.items():
            place[k] = arrays.columns[family][index]
    before, after = arrays.matrix.tocsr(), other.matrix.tocsr()
    found = {}
    for family in asked:
        for index, row in arrays.rows[family].items():
            twin = other.rows[family][index]
            change = np.zeros(arrays.matrix.shape[1])
            first, last = after.indptr[twin], after.indptr[twin + 1]
            change[place[after.indices[first:last]]] = after.data[first:last]
            first, last = before.indptr[row], before.indptr[row + 1]
            change[before.indices[first:last]] -= before.data[first:last]
            columns = np.flatnonzero(change)
            upper = float(other.row_upper[twin] - arrays.row_upper[row]) / 2.0
            found[row] = Slope(columns, change[columns] / 2.0, upper)
    return found


def _unserved(data: ModelData, arrays: Arrays, nodes: set[int]) -> tuple[list[MetricRow], Arrays]:
    """Add a row: the kilotonnes short at the nodes, over all years, <= limit times their demand.

    Returns the row (in a list; empty without nodes) and the model with it.
    """
    fixed, demand = {}, 0.0
    for d, column in arrays.columns.get("short", {}).items():
        need = data.need[d]
        if need.node in nodes:
            length = data.nodes[need.node].length
            fixed[column] = float(length)
            demand += length * need.demand
    position, columns = arrays.matrix.shape
    where = (np.zeros(len(fixed), dtype=np.int64), np.fromiter(fixed, dtype=np.int64))
    added = sparse.coo_array((list(fixed.values()), where), shape=(1, columns))
    row = MetricRow(position, fixed, {}, demand, data.nodes[min(nodes, default=0)].year)
    return [row] if nodes else [], arrays.with_rows(added, -np.inf, demand)


def _with_excess(arrays: Arrays, rows: list[MetricRow]) -> tuple[Arrays, int]:
    """Return the model with a column, fixed at 0, that loosens every row, and the position of that column."""
    height, position = arrays.matrix.shape
    where = (np.array([row.position for row in rows], dtype=np.int64), np.zeros(len(rows), dtype=np.int64))
    added = sparse.coo_array((np.full(len(rows), -1.0), where), shape=(height, 1))
    return arrays.with_columns(added, 0.0, 0.0, 0.0), position
