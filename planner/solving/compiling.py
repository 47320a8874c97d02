"""Compiles a Pyomo model into arrays by columns, the form in which HiGHS takes a model.

The formulation writes its rows as ``models.terms.Sum``, whose lists are read with numpy, all at once; any other linear
expression is first flattened by Pyomo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from pyomo.core import ConcreteModel, Constraint, Objective, Var
from scipy import sparse

from .. import models
from ..errors import SolverFailed
from ..garbage import paused_garbage_collector
from ..models.data import ModelData
from ..models.terms import Sum

SMALLEST_COEFFICIENT = 1e-12  # HiGHS drops smaller ones
Positions = dict[str, dict[Any, int]]  # family -> index in the family -> position


class Names(NamedTuple):
    """What the columns and the rows of a model are called."""

    columns: Positions
    rows: Positions


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
    def names(self) -> Names:
        """What the columns and the rows are called."""
        return Names(self.columns, self.rows)

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
    columns = Columns(model)
    return columns.arrays(columns.compiled([objective_of(model), *rows_of(model)]))


def objective_of(model: ConcreteModel) -> Rows:
    """Return the one active objective of a model as a family of one row."""
    (objective,) = model.component_data_objects(Objective, active=True)
    return Rows(objective.local_name, [None], [_flat(objective.expr)], [None], [None])


def rows_of(model: ConcreteModel) -> list[Rows]:
    """Return the families of all active constraints of a model that have rows."""
    read = []
    for family in model.component_objects(Constraint, active=True):
        rows = Rows(family.local_name)
        for index, row in family.items():
            if row.active:
                rows.add(index, row)
        if rows.indices:
            read.append(rows)
    return read


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
class Rows:
    """A family of rows of a model, or its objective, not yet as arrays.

    name, indices  of the family
    sums           the linear expression of each row
    lower, upper   sides of each row, without the constant of its sum; None: no side
    """

    name: str
    indices: list[Any] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    lower: list[float | None] = field(default_factory=list)
    upper: list[float | None] = field(default_factory=list)

    def add(self, index: Any, row: Any) -> None:
        """Add a constraint."""
        lower, body, upper = row.to_bounded_expression()
        total = _flat(body)
        self.indices.append(index)
        self.sums.append(total)
        self.lower.append(None if lower is None else lower - total.constant)
        self.upper.append(None if upper is None else upper - total.constant)


@dataclass(slots=True)
class Block:
    """A family of rows, compiled.

    name, indices  of the family
    constant       of its first row: that of an objective
    matrix         sparse by rows (CSR), shape (rows, variables)
    lower, upper   sides of the rows, each of shape (rows,); infinite where there is none
    named          positions of families of variables, in the order of their first term
    """

    name: str
    indices: list[Any]
    constant: float
    matrix: Any
    lower: np.ndarray
    upper: np.ndarray
    named: list[int]


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


class Columns:
    """The variables of a model, numbered family after family.

    families, indices       the variables of each family
    first                   number of the first variable of each family, and the number of all; shape (families + 1,)
    lower, upper, integer   bounds, and which variables are integer (bool), each of shape (variables,)
    """

    def __init__(self, model: ConcreteModel) -> None:
        self.families = list(model.component_objects(Var))
        self.indices = [list(family.keys()) for family in self.families]
        self.first = np.cumsum([0, *map(len, self.indices)])
        self.lower, self.upper, self.integer = self._bounds()

    def compiled(self, families: Sequence[Rows]) -> list[Block]:
        """Return families of rows as blocks over these variables."""
        number = {id(family): f for f, family in enumerate(self.families)}
        matrix = self._matrix([total for rows in families for total in rows.sums], number)
        blocks, first = [], 0
        for rows in families:
            end = first + len(rows.indices)
            named = list(dict.fromkeys(number[id(family)] for total in rows.sums for family in total.families))
            lower = np.array([-np.inf if side is None else side for side in rows.lower], dtype=float)
            upper = np.array([np.inf if side is None else side for side in rows.upper], dtype=float)
            constant = rows.sums[0].constant
            blocks.append(Block(rows.name, rows.indices, constant, matrix[first:end], lower, upper, named))
            first = end
        return blocks

    def arrays(self, blocks: Sequence[Block]) -> Arrays:
        """Return an objective, which comes first, and families of rows as arrays; see `compile_model`."""
        objective, *families = blocks
        cost = objective.matrix.toarray().ravel()
        matrix = sparse.vstack([block.matrix for block in blocks], format="csr")[1:].tocsc()
        row_lower = np.concatenate([np.empty(0), *(block.lower for block in families)])
        row_upper = np.concatenate([np.empty(0), *(block.upper for block in families)])
        empty = np.bincount(matrix.indices, minlength=len(row_lower)) == 0
        stay = ~(empty & (row_lower <= 0.0) & (row_upper >= 0.0))
        used = (np.diff(matrix.indptr) > 0) | (cost != 0.0)
        first = self.first
        named = dict.fromkeys(chain.from_iterable(block.named for block in blocks))
        kept = {f: np.flatnonzero(used[first[f] : first[f + 1]]) for f in named}
        order = np.concatenate([np.empty(0, dtype=int), *(first[f] + inside for f, inside in kept.items())])
        if not stay.all():
            matrix = matrix.tocsr()[stay].tocsc()
        matrix = matrix[:, order]
        matrix.sort_indices()
        ends = np.cumsum([0, *(len(block.indices) for block in families)]).tolist()
        return Arrays(
            cost[order],
            objective.constant,
            matrix,
            row_lower[stay],
            row_upper[stay],
            self.lower[order],
            self.upper[order],
            self.integer[order],
            _positions((self.families[f].local_name, self.indices[f], inside) for f, inside in kept.items()),
            _positions(
                (block.name, block.indices, np.flatnonzero(stay[begin:end]))
                for block, begin, end in zip(families, ends[:-1], ends[1:], strict=True)
            ),
        )

    def _matrix(self, rows: list[Sum], number: Mapping[int, int]) -> Any:
        """Return the coefficients of rows, sparse by rows (CSR), shape (rows, variables).

        number  id of a family -> its position in ``families``
        """
        families = list(chain.from_iterable(row.families for row in rows))
        inside = self._places(families, list(chain.from_iterable(row.indices for row in rows)))
        coefficients = chain.from_iterable(row.coefficients for row in rows)
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
        return matrix

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

    def _bounds(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return lower bounds, upper bounds and which variables are integer (bool), each of shape (variables,)."""
        of_families = [_bounds_of(list(family.values())) for family in self.families]
        lower, upper, integer = np.concatenate([np.empty((0, 3)), *of_families]).T
        return np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper), integer > 0.0


def _bounds_of(variables: list[Any]) -> np.ndarray:
    """Return lower bound, upper bound (NaN without one) and 1 if integer, of a family; shape (variables, 3)."""
    # these names are private to Pyomo; but most families are alike, and to read each variable doubles the whole time
    kinds = {(id(v._domain), id(v._lb), id(v._ub), v._fixed) for v in variables}
    asked = variables[:1] if len(kinds) == 1 and not variables[0].fixed else variables
    read = [(*((v.value, v.value) if v.fixed else v.bounds), not v.is_continuous()) for v in asked]
    return np.broadcast_to(np.array(read, dtype=float).reshape(-1, 3), (len(variables), 3))
