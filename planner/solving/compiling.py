"""Compiles a Pyomo model into arrays by columns, the form in which HiGHS takes a model.

The formulation writes its rows as ``models.terms.Sum``, whose lists are read with numpy, all at once; any other linear
expression is first flattened by Pyomo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
from pyomo.core import ConcreteModel, Constraint, Objective, Var
from scipy import sparse

from .. import models
from ..errors import SolverFailed
from ..models.data import ModelData
from ..models.terms import Sum
from ..prepare.memory import paused_garbage_collector

SMALLEST_COEFFICIENT = 1e-12  # HiGHS drops smaller ones
Positions = dict[str, dict[Any, int]]  # family -> index in the family -> position


@dataclass(slots=True)
class Arrays:
    """A compiled model: min cost x + offset, row_lower <= matrix x <= row_upper, col_lower <= x <= col_upper.

    matrix                sparse by columns (CSC), shape (rows, columns)
    offset                constant of the objective, MUSD
    cost                  MUSD per unit of the column, shape (columns,)
    row_lower, row_upper  sides of the rows, shape (rows,), in the unit of the row; infinite where there is none
    col_lower, col_upper  bounds of the columns, shape (columns,), in the unit of the column
    integer               bool, shape (columns,)
    columns, rows         family -> index in the family -> position
    """

    cost: np.ndarray
    offset: float
    matrix: Any
    row_lower: np.ndarray
    row_upper: np.ndarray
    col_lower: np.ndarray
    col_upper: np.ndarray
    integer: np.ndarray
    columns: Positions
    rows: Positions

    @property
    def whole(self) -> np.ndarray:
        """Positions of the integer columns, sorted."""
        return np.flatnonzero(self.integer)

    @property
    def relaxed(self) -> Arrays:
        """The linear relaxation: the same model with no column integer."""
        return replace(self, integer=np.zeros_like(self.integer))

    def with_rows(self, entries: Any, lower: Any, upper: Any) -> Arrays:
        """Return the model with further rows below its own; ``entries`` is sparse, shape (new rows, columns)."""
        matrix = sparse.vstack([self.matrix, entries]).tocsc()
        matrix.sort_indices()
        return replace(
            self,
            matrix=matrix,
            row_lower=np.append(self.row_lower, lower),
            row_upper=np.append(self.row_upper, upper),
        )

    def with_columns(self, entries: Any, cost: Any, lower: Any, upper: Any, integer: Any = False) -> Arrays:
        """Return the model with further columns after its own; ``entries`` is sparse, shape (rows, new columns)."""
        count = entries.shape[1]
        matrix = sparse.hstack([self.matrix, entries]).tocsc()
        matrix.sort_indices()
        return replace(
            self,
            matrix=matrix,
            cost=np.append(self.cost, np.broadcast_to(cost, count)),
            col_lower=np.append(self.col_lower, np.broadcast_to(lower, count)),
            col_upper=np.append(self.col_upper, np.broadcast_to(upper, count)),
            integer=np.append(self.integer, np.broadcast_to(integer, count)),
        )


def compiled(data: ModelData) -> Arrays:
    """Build the formulation of ``data`` and compile it."""
    with paused_garbage_collector():
        return compile_model(models.build(data))


def compile_model(model: ConcreteModel) -> Arrays:
    """Return the active objective and constraints of a model as arrays.

    Variables that stand in no row and cost nothing are left out, and so are rows without variables that always hold.
    Families of variables come in the order in which the objective, then the rows, first name them.
    Raises SolverFailed if an expression is not linear.
    """
    rows = _read(model)
    columns = _Columns(model)
    whole, named = columns.matrix([rows.objective, *rows.sums])
    cost = whole[:1].toarray().ravel()
    matrix = whole[1:].tocsc()
    row_lower, row_upper = rows.sides()
    empty = np.bincount(matrix.indices, minlength=len(row_lower)) == 0
    stay = ~(empty & (row_lower <= 0.0) & (row_upper >= 0.0))
    used = (np.diff(matrix.indptr) > 0) | (cost != 0.0)
    kept = {f: np.flatnonzero(used[columns.first[f] : columns.first[f + 1]]) for f in named}
    order = np.concatenate([np.empty(0, dtype=int), *(columns.first[f] + inside for f, inside in kept.items())])
    if not stay.all():
        matrix = matrix.tocsr()[stay].tocsc()
    matrix = matrix[:, order]
    matrix.sort_indices()
    lower, upper, integer = columns.bounds()
    return Arrays(
        cost[order],
        rows.objective.constant,
        matrix,
        row_lower[stay],
        row_upper[stay],
        lower[order],
        upper[order],
        integer[order],
        _positions((columns.families[f].local_name, columns.indices[f], inside) for f, inside in kept.items()),
        _positions(rows.kept(stay)),
    )


def _positions(families: Iterable[tuple[str, list[Any], np.ndarray]]) -> Positions:
    """Number the kept members of all families one after the other.

    families  name, all indices, and the positions inside the family (int array) of those that are kept
    """
    positions: Positions = {}
    first = 0
    for name, indices, kept in families:
        if len(kept) == len(indices):
            positions[name] = dict(zip(indices, range(first, first + len(indices)), strict=True))
        else:
            positions[name] = {indices[i]: k for k, i in enumerate(kept.tolist(), start=first)}
        first += len(kept)
    return {name: of for name, of in positions.items() if of}


@dataclass(slots=True)
class _Rows:
    """The objective and the constraints of a model, not yet as arrays.

    families      name and indices of each family of rows
    lower, upper  sides of each row, without the constant of its sum; None: no side
    sums          the linear expression of each row
    """

    objective: Sum
    families: list[tuple[str, list[Any]]] = field(default_factory=list)
    lower: list[float | None] = field(default_factory=list)
    upper: list[float | None] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)

    def add(self, row: Any) -> None:
        """Add a constraint."""
        lower, body, upper = row.to_bounded_expression()
        total = _flat(body)
        self.sums.append(total)
        self.lower.append(None if lower is None else lower - total.constant)
        self.upper.append(None if upper is None else upper - total.constant)

    def sides(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and the upper side of all rows, each of shape (rows,); infinite where there is none."""
        lower = np.array([-np.inf if side is None else side for side in self.lower], dtype=float)
        return lower, np.array([np.inf if side is None else side for side in self.upper], dtype=float)

    def kept(self, stay: np.ndarray) -> Iterator[tuple[str, list[Any], np.ndarray]]:
        """Yield per family its name, all its indices, and the positions inside it (int array) of the kept rows.

        stay  bool, shape (rows,)
        """
        first = 0
        for name, indices in self.families:
            yield name, indices, np.flatnonzero(stay[first : first + len(indices)])
            first += len(indices)


def _read(model: ConcreteModel) -> _Rows:
    """Collect the one active objective and all active constraints."""
    (objective,) = model.component_data_objects(Objective, active=True)
    rows = _Rows(_flat(objective.expr))
    for family in model.component_objects(Constraint, active=True):
        active = [(index, row) for index, row in family.items() if row.active]
        for _, row in active:
            rows.add(row)
        rows.families.append((family.local_name, [index for index, _ in active]))
    return rows


def _flat(expression: Any) -> Sum:
    """Return any linear expression as a sum. Raises SolverFailed if it is not linear."""
    if expression.__class__ is Sum:
        return expression
    from pyomo.repn import generate_standard_repn

    read = generate_standard_repn(expression)
    if not read.is_linear():
        raise SolverFailed(f"the model holds an expression that is not linear: {expression}")
    total = Sum(float(read.constant))
    for variable, coefficient in zip(read.linear_vars, read.linear_coefs, strict=True):
        total.add(variable.parent_component(), [variable.index()], float(coefficient))
    return total


class _Columns:
    """The variables of a model, numbered family after family.

    first  number of the first variable of each family, and the number of all; shape (families + 1,)
    """

    def __init__(self, model: ConcreteModel) -> None:
        self.families = list(model.component_objects(Var))
        self.indices = [list(family.keys()) for family in self.families]
        self.first = np.cumsum([0, *map(len, self.indices)])

    def matrix(self, rows: list[Sum]) -> tuple[Any, list[int]]:
        """Return the coefficients of all rows, and the families in the order of their first term.

        The first is sparse by rows (CSR), shape (rows, variables); the second are positions in ``families``.
        """
        families = list(chain.from_iterable(row.families for row in rows))
        inside = self._places(families, list(chain.from_iterable(row.indices for row in rows)))
        coefficients = chain.from_iterable(row.coefficients for row in rows)
        number = {id(family): f for f, family in enumerate(self.families)}
        numbers = np.fromiter(map(number.__getitem__, map(id, families)), np.int32, len(families))
        lengths = np.fromiter(map(len, inside), np.int32, len(inside))
        ends = np.concatenate([[0], np.cumsum(lengths)])
        places = self.first[np.repeat(numbers, lengths)]
        places += np.fromiter(chain.from_iterable(inside), np.int32, ends[-1])
        data = np.fromiter(chain.from_iterable(coefficients), float, ends[-1])
        row_ends = ends[np.cumsum([0, *(len(row.families) for row in rows)])]
        matrix = sparse.csr_array((data, places, row_ends), (len(rows), int(self.first[-1])))
        matrix.sum_duplicates()
        matrix.data[np.abs(matrix.data) <= SMALLEST_COEFFICIENT] = 0.0  # what rounding leaves of a factor of 0
        matrix.eliminate_zeros()
        return matrix, list(dict.fromkeys(numbers.tolist()))

    def _places(self, families: list[Var], indices: list[Sequence[Any]]) -> list[Sequence[int]]:
        """Translate indices of variables into their positions inside their families.

        families, indices  parallel: a family, and a list of its indices
        Returns lists of positions, parallel to ``indices``.
        """
        named = {
            id(family): dict(zip(known, range(len(known)), strict=True))
            for family, known in zip(self.families, self.indices, strict=True)
            if known != list(range(len(known)))
        }
        if not named:
            return indices
        return [
            part if (place := named.get(id(family))) is None else [place[i] for i in part]
            for family, part in zip(families, indices, strict=True)
        ]

    def bounds(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return lower bounds, upper bounds and which variables are integer (bool), each of shape (variables,)."""
        of_families = [_bounds(list(family.values())) for family in self.families]
        lower, upper, integer = np.concatenate([np.empty((0, 3)), *of_families]).T
        return np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper), integer > 0.0


def _bounds(variables: list[Any]) -> np.ndarray:
    """Return lower bound, upper bound (NaN without one) and 1 if integer, of a family; shape (variables, 3)."""
    # these names are private to Pyomo; but most families are alike, and to read each variable doubles the whole time
    kinds = {(id(v._domain), id(v._lb), id(v._ub), v._fixed) for v in variables}
    asked = variables[:1] if len(kinds) == 1 and not variables[0].fixed else variables
    read = [(*((v.value, v.value) if v.fixed else v.bounds), not v.is_continuous()) for v in asked]
    return np.broadcast_to(np.array(read, dtype=float).reshape(-1, 3), (len(variables), 3))
