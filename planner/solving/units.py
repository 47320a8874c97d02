"""The units in which the solver sees a model: tonnes and money by the model's own magnitudes, in powers of two.

A solver holds rows to absolute tolerances (1e-9 here). Those suit figures around 1; in a model of a million kilotonnes
they are finer than the numbers themselves, and a MIP search has been seen to end "optimal" far from the optimum. So a
model whose largest amount lies outside a comfortable range is handed over in larger or smaller units. Factors are
powers of two, so that nothing is rounded, and 1 inside the range, so that usual models are handed over as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .compiling import Arrays
from .families import FAMILIES

COMFORTABLE = (2.0**-5, 2.0**13)  # largest amount, kt or MUSD, up to which the model's own units serve
AIM = 2.0**6  # where the largest amount comes to lie outside of it

TONNES = "kt"
MONEY = "MUSD"
UNIT_OF_COLUMNS = {
    **dict.fromkeys(
        ("activity", "ship", "buy", "sell", "deliver", "short", "collect", "put", "draw", "stock", "surplus",
         "downgrade", "run_down", "land", "missing", "nothing", "level", "above"),
        TONNES,
    ),
    **dict.fromkeys(("private", "fund_draw", "excess", "node_cost", "tail", "beyond"), MONEY),
}  # fmt: skip
UNIT_OF_ROWS = {family.name: family.side for family in FAMILIES.values()}


@dataclass(frozen=True, slots=True)
class Units:
    """Factors between the model's figures and the solver's.

    columns    by column: the model's value is that of the solver times this
    rows       by row, likewise for sides and activities of rows
    objective  likewise for the objective
    """

    columns: np.ndarray
    rows: np.ndarray
    objective: float

    @classmethod
    def of(cls, arrays: Arrays) -> Units:
        """The units that suit a compiled model."""
        rows, columns = arrays.matrix.shape
        row_kt, column_kt = (
            _of(arrays.rows, UNIT_OF_ROWS, TONNES, rows),
            _of(arrays.columns, UNIT_OF_COLUMNS, TONNES, columns),
        )
        row_money, column_money = (
            _of(arrays.rows, UNIT_OF_ROWS, MONEY, rows),
            _of(arrays.columns, UNIT_OF_COLUMNS, MONEY, columns),
        )
        kt = _factor(_sizes(arrays, row_kt, column_kt))
        money = _factor(_sizes(arrays, row_money, column_money))
        of_columns = np.where(column_kt, kt, np.where(column_money, money, 1.0))
        of_rows = np.where(row_kt, kt, np.where(row_money, money, 1.0))
        return cls(of_columns, of_rows, _factor(np.abs(arrays.cost) * of_columns))

    @classmethod
    def same(cls, arrays: Arrays) -> Units:
        """The model's own units."""
        rows, columns = arrays.matrix.shape
        return cls(np.ones(columns), np.ones(rows), 1.0)

    def part(self, rows: np.ndarray, columns: np.ndarray) -> Units:
        """The units of a part of the model, given by positions of its rows and columns."""
        return Units(self.columns[columns], self.rows[rows], self.objective)

    def of_row(self, values: np.ndarray) -> float:
        """The unit of a row to be added, of which these are the coefficients in the solver's columns."""
        largest = float(np.max(np.abs(values), initial=0.0))
        return 1.0 if self.plain or largest == 0.0 else 2.0 ** round(math.log2(largest))

    def with_row(self, unit: float) -> Units:
        """With one row more."""
        return replace(self, rows=np.append(self.rows, unit))

    def with_column(self) -> Units:
        """With one column more, in the model's own unit."""
        return replace(self, columns=np.append(self.columns, 1.0))

    def without_rows(self, rows: np.ndarray) -> Units:
        """Without some rows."""
        return replace(self, rows=np.delete(self.rows, rows))

    @property
    def plain(self) -> bool:
        """Whether the solver sees the model's own figures."""
        return bool(self.objective == 1.0 and (self.columns == 1.0).all() and (self.rows == 1.0).all())


def _of(positions: Mapping[str, Mapping[Any, int]], units: Mapping[str, str], unit: str, count: int) -> np.ndarray:
    """Which columns or rows are in a unit; bool by position."""
    chosen = np.zeros(count, dtype=bool)
    for family, of in positions.items():
        if units.get(family) == unit:
            chosen[list(of.values())] = True
    return chosen


def _sizes(arrays: Arrays, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The amounts in a unit: sides of rows, bounds, and what a whole module or plant adds in those rows."""
    by_column = arrays.matrix.tocoo()
    added = np.abs(by_column.data[rows[by_column.row] & ~columns[by_column.col]])
    sides = [arrays.row_lower[rows], arrays.row_upper[rows], arrays.col_lower[columns], arrays.col_upper[columns]]
    return np.concatenate([*map(np.abs, sides), added])


def _factor(sizes: np.ndarray) -> float:
    """The power of two by which amounts are divided, so that the largest is of a comfortable size."""
    largest = float(np.max(sizes[np.isfinite(sizes)], initial=0.0))
    if largest == 0.0 or COMFORTABLE[0] <= largest <= COMFORTABLE[1]:
        return 1.0
    return 2.0 ** round(math.log2(largest / AIM))
