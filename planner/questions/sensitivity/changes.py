"""What is varied, row by row, and the instance with other values in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import InstanceError, UsageError, hinted
from ...instance.cells import cell_of
from ...instance.declare import joined_key
from ...instance.tables import TABLES, cells, columns
from .study_file import Change

if TYPE_CHECKING:
    from ...instance.instance import Instance


@dataclass(frozen=True, slots=True)
class Varied:
    """A change resolved in an instance: its rows, each with the value at the low and at the high end."""

    change: Change
    rows: tuple[tuple[Any, float, float], ...]

    @property
    def span(self) -> float:
        """How far it goes, as a part of its present size: (high - low) / value, over all rows; NaN if that is 0."""
        base = sum(abs(getattr(row, self.change.column)) for row, _, _ in self.rows)
        return sum(high - low for _, low, high in self.rows) / base if base else float("nan")

    def at(self, position: float) -> dict[tuple[Any, ...], tuple[Any, float]]:
        """Identity of each row -> the row and its value at ``position`` between low (0) and high (1)."""
        return {row.identity: (row, low + position * (high - low)) for row, low, high in self.rows}


def resolve(instance: Instance, change: Change) -> Varied:
    """The rows a change is about. Raises UsageError if there are none, or if they hold no such number."""
    if change.table not in TABLES:
        raise UsageError(hinted(f"change {change.name}: unknown table {change.table}", change.table, TABLES))
    known = columns(change.table)
    for column in (change.column, *change.where):
        if column not in known:
            raise UsageError(hinted(f"change {change.name}: unknown column {column} of {change.table}", column, known))
    if known[change.column].kind not in ("number", "whole"):
        raise UsageError(f"change {change.name}: {change.table}.{change.column} is not a column of numbers")
    wanted = {
        column: [_written(v) for v in (value if isinstance(value, list | tuple) else [value])]
        for column, value in change.where.items()
    }
    found = [
        row
        for row in instance.rows(change.table)
        if all(cell_of(getattr(row, column)) in values for column, values in wanted.items())
        and getattr(row, change.column) is not None
    ]
    if not found:
        said = ", ".join(f"{c} = {' or '.join(values)}" for c, values in wanted.items()) or "any value"
        raise UsageError(f"change {change.name}: no row of {change.table} with {said} has a {change.column}")
    if change.evidence:
        ranges = {(e.table, e.key, e.column): e for e in instance.evidence}
        rows = []
        for row in found:
            e = ranges.get((change.table, joined_key(row), change.column))
            if e is not None and e.low is not None and e.high is not None:
                rows.append((row, e.low, e.high))
        if not rows:
            raise UsageError(f"change {change.name}: evidence.csv has no range for {change.table}.{change.column}")
        return Varied(change, tuple(rows))
    if change.range is not None:
        return Varied(change, tuple((row, *change.range) for row in found))
    low, high = change.factor or (1.0, 1.0)
    return Varied(
        change, tuple((row, low * getattr(row, change.column), high * getattr(row, change.column)) for row in found)
    )


def _written(value: Any) -> str:
    return value if isinstance(value, str) else cell_of(value)


def varied(instance: Instance, changes: Sequence[Varied], positions: Mapping[str, float]) -> Instance:
    """The instance with changes at their positions; those not named stay as they are.

    Raises UsageError if the result is no valid instance, naming the changes.
    """
    rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for one in changes:
        if one.change.name not in positions:
            continue
        whole = columns(one.change.table)[one.change.column].kind == "whole"
        of_table = rows.setdefault(one.change.table, {})
        for identity, (row, value) in one.at(positions[one.change.name]).items():
            written = of_table.setdefault(identity, dict(cells(row)))
            written[one.change.column] = cell_of(round(value) if whole else float(value))
    try:
        return instance.changed(rows={table: list(of.values()) for table, of in rows.items()})
    except InstanceError as error:
        said = ", ".join(f"{name} at {position:.0%} of its range" for name, position in positions.items())
        raise UsageError(f"{said}: the instance is not valid\n{error}") from error
