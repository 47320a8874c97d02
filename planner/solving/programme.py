"""One compiled model that is solved again and again; only this file and solver.py below it call HiGHS.

A `Programme` has the model of an instance, or arrays derived from it. Its caller may fix and free builds, change rows
and bounds for a while, or minimise another measure; all but coefficients and sides of rows can be restored. `find`
solves, and returns why the search ended and the solution it then has.
"""

from __future__ import annotations

import copyreg
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import highspy
import numpy as np
from scipy import sparse

from ..errors import OutputError
from ..prepare import prepare
from . import measures
from .compiling import SMALLEST_COEFFICIENT, Arrays, Names, Positions, compiled
from .solver import DUAL, PRIMAL, Progress, Settings, Solver, Standing

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..prepare import Prepared
    from .pins import Pins

Number = TypeVar("Number", int, float)

EVERY = 2.0  # seconds between lines of progress


def basis_of(columns: Any, rows: Any) -> Any:
    """Return a simplex basis from the status of each column and row: numbers of HiGHS in bytes or lists."""
    basis = highspy.HighsBasis()
    basis.valid, basis.alien = True, False
    basis.col_status, basis.row_status = ([STATUSES[k] for k in bytearray(of)] for of in (columns, rows))
    return basis


def statuses(basis: Any) -> tuple[bytes, bytes]:
    """Return the status of each column and of each row in a basis, as numbers of HiGHS."""
    return bytes(map(int, basis.col_status)), bytes(map(int, basis.row_status))


def carried(basis: Any, of: Names, to: Names) -> Any:
    """Return the basis of one model as a basis to start another one from, by the names of columns and rows.

    What the other model alone has begins at its lower bound, a row of it in the basis. HiGHS mends what is then too
    many or too few.
    """
    if of == to:
        return basis
    of_columns, of_rows = statuses(basis)
    columns = _carried(of_columns, of.columns, to.columns, AT_LOWER)
    rows = _carried(of_rows, of.rows, to.rows, BASIC)
    made = basis_of(columns, rows)
    made.alien = True
    return made


def carried_values(x: np.ndarray, of: Positions, to: Positions) -> np.ndarray:
    """Return values of the columns, or of the rows, of one model as those of another one, by name; 0 for all others."""
    return x if of == to else np.array(_carried(x.tolist(), of, to, 0.0))


def with_rows(basis: Any, count: int) -> Any:
    """Return a basis to start from for the same model with so many rows more; None: there is none."""
    if basis is None:
        return None
    columns, rows = statuses(basis)
    made = basis_of(columns, [*rows, *[BASIC] * count])
    made.alien = True
    return made


def _carried(held: Sequence[Number], of: Positions, to: Positions, new: Number) -> list[Number]:
    """Return what the names of one model hold by the positions of another one; ``new``: what no name of it holds."""
    found = [new] * sum(map(len, to.values()))
    for family, positions in to.items():
        known = of.get(family, {})
        for index, k in positions.items():
            if (before := known.get(index)) is not None:
                found[k] = held[before]
    return found


STATUS = highspy.HighsBasisStatus
STATUSES = [STATUS(k) for k in range(5)]  # by their numbers; to look one up is faster than to make it
AT_LOWER, BASIC, AT_UPPER = int(STATUS.kLower), int(STATUS.kBasic), int(STATUS.kUpper)

# so that a search can go on in another process
copyreg.pickle(highspy.HighsBasis, lambda b: (basis_of, statuses(b)))


class Programme(Solver):
    """A compiled model in a HiGHS of its own, to be solved again and again.

    arrays    the model as it was compiled, to which `restore` goes back
    prepared  the data of the instance; only set by `of`

    Arguments ``columns`` and ``rows`` are positions (int, or a sequence of int); values and bounds are one number for
    all of them, or one for each.
    """

    prepared: Prepared

    @classmethod
    def of(cls, instance: Instance, settings: Settings, pins: Pins | None = None) -> Programme:
        """Return the least-cost model of an instance; ``pins`` narrow the bounds of builds for good."""
        prepared = prepare(instance)
        arrays = compiled(prepared.data)
        if pins:
            pins.hold(prepared.data, arrays)
        programme = cls(arrays, settings)
        programme.prepared = prepared
        return programme

    # --- what is asked ------------------------------------------------------------------------------------

    def offer(self, columns: np.ndarray, values: np.ndarray) -> None:
        """Offer HiGHS a first plan for the next MIP: values of some columns, which it completes or else ignores."""
        values = np.where(self.whole[columns], np.round(values), values)
        values = np.ascontiguousarray(values / self.units.columns[columns], dtype=float)
        self.highs.setSolution(len(columns), columns.astype(np.int32), values)

    def cost(self, x: np.ndarray) -> float:
        """Return the objective as compiled, MUSD, of a solution ``x`` of shape (columns,)."""
        return float(self.arrays.cost @ x) + self.arrays.offset

    @property
    def now(self) -> Arrays:
        """The model as it is now, with all rows that were added; it has no names."""
        held, units = self.highs.getLp(), self.units
        matrix = held.a_matrix_
        by_row = matrix.format_ == highspy.MatrixFormat.kRowwise
        made = (sparse.csr_array if by_row else sparse.csc_array)(
            (np.array(matrix.value_), np.array(matrix.index_), np.array(matrix.start_)),
            shape=(len(units.rows), len(units.columns)),
        )
        return Arrays(
            cost=np.array(held.col_cost_) * units.objective / units.columns,
            offset=held.offset_ * units.objective,
            matrix=sparse.csc_array(made.multiply(units.rows[:, np.newaxis]).multiply(1.0 / units.columns)),
            row_lower=np.array(held.row_lower_) * units.rows,
            row_upper=np.array(held.row_upper_) * units.rows,
            col_lower=np.array(held.col_lower_) * units.columns,
            col_upper=np.array(held.col_upper_) * units.columns,
            integer=self.whole.copy(),
            columns={},
            rows={},
        )

    # --- what is made least -------------------------------------------------------------------------------

    def measure(self, name: str) -> np.ndarray:
        """Return the weights of a measure, shape (columns,), by its name in the table of `measures`.

        ``capex`` is not among them, since it needs costs: see `measures.capex`.
        """
        data, arrays = self.prepared.data, self.arrays
        if name == "cost":
            return arrays.cost
        if name == "public":
            return measures.public_money(data, arrays)
        exposed, unserved = measures.deliveries(data, arrays), measures.shortages(data, arrays)
        return {"exposed": exposed, "unserved": unserved, "unclean": exposed + unserved}[name]

    def objective(self, weights: np.ndarray) -> None:
        """Minimise ``weights x`` from now on; one weight for each column. The constant of the model stays."""
        weights = np.ascontiguousarray(weights * self.units.columns / self.units.objective, dtype=float)
        columns = np.arange(len(weights), dtype=np.int32)
        self.check(self.highs.changeColsCost(len(weights), columns, weights), "an objective")

    # --- bounds -------------------------------------------------------------------------------------------

    def bound(self, columns: Any, lower: Any, upper: Any) -> None:
        """Set the bounds of columns."""
        columns = np.asarray(columns, dtype=np.int32)
        if len(columns):
            units = self.units.columns[columns]
            lower, upper = (
                np.ascontiguousarray(np.broadcast_to(side, len(columns)) / units, dtype=float)
                for side in (lower, upper)
            )
            self.check(self.highs.changeColsBounds(len(columns), columns, lower, upper), "bounds")

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds that hold now, each of shape (columns,)."""
        held = self.highs.getLp()
        return np.asarray(held.col_lower_) * self.units.columns, np.asarray(held.col_upper_) * self.units.columns

    @contextmanager
    def bounded(self, columns: Any, lower: Any, upper: Any) -> Iterator[None]:
        """Set the bounds of columns inside the block; after it those of ``arrays`` hold again."""
        self.bound(columns, lower, upper)
        try:
            yield
        finally:
            places = np.asarray(columns, dtype=int)
            self.bound(places, self.arrays.col_lower[places], self.arrays.col_upper[places])

    def integers(self, columns: Any, whole: bool) -> None:
        """Make columns integer (``whole``) or continuous."""
        columns = np.asarray(columns, dtype=np.int32)
        if len(columns):
            kind = highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous
            kinds = np.array([kind] * len(columns))
            self.check(self.highs.changeColsIntegrality(len(columns), columns, kinds), "whole numbers")
            self.whole[columns] = whole

    def hold(self, columns: Any, values: Any) -> None:
        """Fix columns at values and make them continuous, until `restore`."""
        self.integers(columns, False)
        self.bound(columns, values, values)

    # --- rows ---------------------------------------------------------------------------------------------

    def side(self, rows: Any, lower: Any, upper: Any) -> None:
        """Set the lower and the upper sides of rows."""
        rows = np.atleast_1d(np.asarray(rows, dtype=np.int32))
        if len(rows):
            units = self.units.rows[rows]
            lower, upper = (
                np.ascontiguousarray(np.broadcast_to(side, len(rows)) / units, dtype=float) for side in (lower, upper)
            )
            changed = self.highs.changeRowsBounds(len(rows), rows, lower, upper)  # type: ignore[attr-defined]
            self.check(changed, "the sides of rows")

    def entries(self, row: int, values: Mapping[int, float]) -> None:
        """Set coefficients (column -> value) of a row; the basis is kept."""
        self.altered.add(row)
        for column, value in values.items():
            value = value * self.units.columns[column] / self.units.rows[row]
            status = self.highs.changeCoeff(row, column, value)
            if value or status == highspy.HighsStatus.kError:  # HiGHS warns that it drops a zero, as it should
                self.check(status, "a coefficient")

    def add_row(self, columns: Any, values: Any, lower: float = -math.inf, upper: float = math.inf) -> int:
        """Add the row ``lower <= values x <= upper``; return its position."""
        columns = np.asarray(columns, dtype=np.int32)
        values = np.broadcast_to(values, len(columns)) * self.units.columns[columns]
        unit = self.units.of_row(values)
        values = np.ascontiguousarray(values / unit, dtype=float)
        self.check(self.highs.addRow(lower / unit, upper / unit, len(columns), columns, values), "a row")
        self.units = self.units.with_row(unit)
        return int(self.highs.getNumRow()) - 1

    def add_column(self, lower: float, upper: float) -> int:
        """Add a column without cost that stands in no row yet; return its position."""
        nothing = (0, np.array([], dtype=np.int32), np.array([]))
        self.check(self.highs.addCol(0.0, lower, upper, *nothing), "a column")
        self.whole = np.append(self.whole, False)
        self.units = self.units.with_column()
        return int(self.highs.getNumCol()) - 1

    def drop_rows(self, rows: Any) -> None:
        """Remove rows; the positions of those after them become smaller."""
        rows = np.asarray(rows, dtype=np.int32)
        if len(rows):
            self.check(self.highs.deleteRows(len(rows), rows), "removing rows")
            if (rows < self.arrays.matrix.shape[0]).any():
                self.altered.update(range(self.arrays.matrix.shape[0]))
            self.units = self.units.without_rows(rows)

    def add_limit(self, weights: np.ndarray, most: float, scale: float = 1.0) -> int:
        """Add the row ``weights x <= most``; return its position.

        weights  shape (columns,); those too small for the solver are left out
        scale    factor on both sides, for coefficients of a better size
        """
        scaled = weights * scale
        columns = np.flatnonzero(np.abs(scaled) > SMALLEST_COEFFICIENT)
        return self.add_row(columns, scaled[columns], upper=most * scale)

    def restore(self) -> None:
        """Restore cost, bounds and integer columns as compiled, and remove rows that were added.

        Coefficients and sides of rows that were changed stay as they are.
        """
        a = self.arrays
        self.drop_rows(np.arange(a.matrix.shape[0], self.highs.getNumRow()))
        self.objective(a.cost)
        self.bound(np.arange(len(a.cost)), a.col_lower, a.col_upper)
        self.integers(a.whole, True)

    # --- the basis ----------------------------------------------------------------------------------------

    @property
    def basis(self) -> Any:
        """The simplex basis that HiGHS has now; it can be set again later."""
        return self.highs.getBasis()

    @basis.setter
    def basis(self, basis: Any) -> None:
        self.check(self.highs.setBasis(basis), "a basis")

    def start_from(self, basis: Any) -> None:
        """Start the next search from a basis, or from nothing (None), whatever was solved before.

        Without clearing, factors and weights of earlier steps stay, and a degenerate programme may end elsewhere.
        """
        self.forget()
        if basis is not None:
            self.basis = basis

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Use the primal simplex inside the block.

        It needs few steps after a change of the objective, as the solution that HiGHS has stays feasible. Perturbed
        bounds were seen to take four times as many, so they are not perturbed.
        """
        self.option(simplex_strategy=PRIMAL, primal_simplex_bound_perturbation_multiplier=0.0)
        try:
            yield
        finally:
            self.option(simplex_strategy=DUAL, primal_simplex_bound_perturbation_multiplier=1.0)

    # --- to see and to write ------------------------------------------------------------------------------

    def watch(self, tick: Any) -> None:
        """Call ``tick()`` often while a MIP is searched."""
        self.highs.cbMipInterrupt.subscribe(lambda _: tick())

    @contextmanager
    def reported(
        self, progress: Progress | None, told: Callable[[str, float, float], str] = Standing.of
    ) -> Iterator[None]:
        """Report every two seconds of the MIP searches inside the block.

        told  gives the line, from its beginning (the seconds of the search), the best plan and the bound, MUSD
        """
        if progress is None:
            yield
            return
        last = [0.0]

        def tell(event: Any) -> None:
            seen = event.data_out
            if last[0] <= seen.running_time < last[0] + EVERY:  # the running time begins at 0 in each search
                return
            last[0] = seen.running_time
            best, bound = (side * self.units.objective for side in (seen.mip_primal_bound, seen.mip_dual_bound))
            best = best if abs(seen.mip_primal_bound) < 1e30 else math.inf
            progress(told(f"{seen.running_time:.0f} s: ", best, bound))

        self.highs.cbMipInterrupt.subscribe(tell)  # the logging callback is silent with the solver's own log
        try:
            yield
        finally:
            self.highs.cbMipInterrupt.unsubscribe(tell)

    def write_model(self, file: Path) -> None:
        """Write the model, in the solver's units, as MPS or LP by the file's ending; names are family_index."""
        for family, positions in self.arrays.columns.items():
            for index, k in positions.items():
                self.highs.passColName(k, f"{family}_{index}".replace(" ", "_"))
        for family, positions in self.arrays.rows.items():
            for index, k in positions.items():
                self.highs.passRowName(k, f"{family}_{index}".replace(" ", "_"))
        if self.highs.writeModel(str(file)) == highspy.HighsStatus.kError:
            raise OutputError(f"{file} cannot be written")


class Ticker:
    """Reports again every two seconds what a long study is doing (``phase``)."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.phase = progress, ""
        self.began = self.told = time.perf_counter()

    def tick(self) -> None:
        """Report the phase if nothing was reported for two seconds."""
        now = time.perf_counter()
        if self.progress and now - self.told > EVERY:
            self.told = now
            self.progress(f"{now - self.began:6.1f} s  {self.phase}")


def inside_bounds(x: np.ndarray, arrays: Arrays) -> np.ndarray:
    """Return ``x``, shape (columns,), clipped to its bounds; the solver may exceed them by its tolerance."""
    return np.clip(x, arrays.col_lower, arrays.col_upper)


def by_family(positions: Mapping[str, Mapping[Any, int]], numbers: np.ndarray) -> dict[str, dict[Any, float]]:
    """Sort numbers of columns or rows by family: family -> index in the family -> number.

    positions  family -> index -> position in ``numbers``, as in `Arrays`
    """
    listed = numbers.tolist()
    return {name: {i: listed[k] for i, k in of.items()} for name, of in positions.items()}
