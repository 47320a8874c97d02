"""Turned knobs as edits of named rows, in numbers that a user can type and that really suffice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...instance.cells import cell_of
from ...instance.tables import TABLES, cells
from ...solving.pins import Pins
from .search import Clock, feasible
from .system import row_of

if TYPE_CHECKING:
    from ...instance.declare import Key
    from ...instance.instance import Instance
    from .system import Knob, System

GRID = 1e6  # new values are written in millionths, rounded towards feasibility
ALMOST = 0.05  # of a millionth: taken for solver noise, not rounded up, if that is enough
LOOSENED = (0.0, 1.0, 2.0, 5.0, 20.0, 100.0)  # roundings tried: to the nearest, up, and millionths further


@dataclass(frozen=True)
class Edit:
    """One cell to change.

    table     the table; ``pins`` for a build held in the call, whose ``file`` is the option of the command line
    file      as read, ``line`` its line; ``(changed)`` and None for a row changed in a script
    key       values of the key columns
    old, new  values; None is a blank cell, or for a pin that it is dropped
    amount    how far it gives way, in ``unit``
    points    how hard that is (see `knobs`)
    """

    table: str
    file: str
    line: int | None
    key: Key
    column: str
    old: Any
    new: Any
    amount: float
    unit: str
    points: float

    @property
    def row(self) -> str:
        """The key as text."""
        return ",".join("" if part is None else str(part) for part in self.key)

    def __str__(self) -> str:
        if self.table == "pins":
            change = "dropped" if self.new is None else f"{self.old:g} -> {self.new:.10g} modules"
            return f"{self.file}: {change}"
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        row = "" if self.file.endswith("(changed)") else f" {self.row}"
        return f"{place}{row}: {self.column} {_shown(self.old)} -> {_shown(self.new)}{_measure(self)}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        columns = ("option", "year") if self.table == "pins" else TABLES[self.table].KEY
        return {**vars(self), "key": dict(zip(columns, self.key, strict=False))}


def _shown(value: Any) -> str:
    return "(blank)" if value is None or value == "" else cell_of(value)


def _measure(edit: Edit) -> str:
    if edit.unit == "fraction":
        return f" ({edit.amount * 100:.6g} points)"
    if edit.unit in ("t", "MUSD", "modules"):
        return f" ({edit.amount:,.6g} {edit.unit.removesuffix('s') if edit.amount == 1 else edit.unit})"
    if edit.unit == "years" and edit.new is not None:
        return f" ({edit.amount:.0f} years later)" if edit.amount != 1 else " (a year later)"
    return ""


UNITS = {  # column -> unit of its edits
    **dict.fromkeys(("limit", "limit_end", "min_service", "min_use", "max_share"), "fraction"),
    **dict.fromkeys(("final_min_t", "take_t"), "t"),
    **dict.fromkeys(("private_musd", "budget_musd"), "MUSD"),
    **dict.fromkeys(("min_modules", "force", "fixed"), "modules"),
    **dict.fromkeys(("exclusive_group", "requires", "forbid"), "rule"),
    "clean_from_year": "years",
}


def edits(system: System, amounts: np.ndarray, loosen: float = 0.0) -> tuple[Edit, ...]:
    """The edits that turn the knobs by ``amounts``, the hardest first.

    loosen  0 to round, but for solver noise, up; 1 to round up; 2 and more for millionths further
    """
    found: list[Edit] = []
    last_step: dict[Any, Knob] = {}
    for k, knob in enumerate(system.knobs):
        if knob.cell.column == "clean_from_year" and amounts[k] > 0.5:
            last_step[knob.cell] = knob
    for k, knob in enumerate(system.knobs):
        if amounts[k] <= 0.0 or (knob.cell in last_step and last_step[knob.cell] is not knob):
            continue
        steps = [i for i, other in enumerate(system.knobs) if other.cell == knob.cell and knob.cell in last_step]
        points = sum(system.knobs[i].weight * amounts[i] for i in steps or [k])
        found.append(_edit(system, knob, float(amounts[k]), float(points), loosen))
    return tuple(sorted(found, key=lambda e: (-e.points, e.table, e.row, e.column)))


def _edit(system: System, knob: Knob, amount: float, points: float, loosen: float) -> Edit:
    table, key, column = knob.cell
    old = _old(system, knob)
    new: Any
    if knob.switch:
        new = knob.to
        amount = abs(float(new - old)) if new is not None else 1.0
    else:
        new = _typed(old + knob.sign * amount, knob.sign, old, knob.most, loosen)
        if table == "pins" and new <= 0.0 and column == "force":
            new = None
        amount = abs(old - (0.0 if new is None else new))
    file, line = place_of(system.instance, table, key, column)
    return Edit(table, file, line, key, column, old, new, amount, UNITS[column], points)


def _old(system: System, knob: Knob) -> Any:
    table, key, column = knob.cell
    if table == "pins" and system.pins is not None:
        held: Mapping[Any, float] = {"force": system.pins.force, "fixed": system.pins.fixed}.get(column, {})
        return held.get(key, True)
    return knob.cell.value_in(system.instance)


def _typed(value: float, sign: float, old: float, most: float, loosen: float) -> float:
    """A value in millionths, on the feasible side of ``value`` (at first but for solver noise), within its range."""
    almost = 0.0 if loosen else ALMOST
    further = max(0.0, loosen - 1.0)
    if sign > 0:
        return min(old + most, (math.ceil(value * GRID - almost) + further) / GRID)
    return max(old - most, (math.floor(value * GRID + almost) - further) / GRID)


def enough(system: System, amounts: np.ndarray, clock: Clock) -> tuple[Edit, ...]:
    """The edits, rounded no further than is needed for a plan to exist."""
    for loosen in LOOSENED:
        found = edits(system, amounts, loosen)
        if feasible(system, _amounts(system, amounts, found), clock):
            return found
    return edits(system, amounts)


def _amounts(system: System, amounts: np.ndarray, changes: Sequence[Edit]) -> np.ndarray:
    """The knobs' amounts after rounding."""
    rounded = amounts.copy()
    typed = {(e.table, e.key, e.column): e.amount for e in changes}
    for k in np.flatnonzero(amounts > 0.0):
        cell = system.knobs[k].cell
        if not system.knobs[k].switch:
            rounded[k] = typed[cell.table, cell.key, cell.column]
    return rounded


def place_of(instance: Instance, table: str, key: Key, column: str = "") -> tuple[str, int | None]:
    """File and line of a row; for a pin the option of the command line."""
    if table == "pins":
        option = {"force": "--force", "fixed": "--fix-from", "forbid": "--forbid"}[column]
        return f"{option} {'@'.join(str(part) for part in key)}", None
    place = instance.place(table, key)
    return place.file, place.line


def applied(instance: Instance, changes: Sequence[Edit]) -> Instance:
    """The instance with the edits made; those of pins are not its own."""
    rows: dict[str, dict[Key, dict[str, Any]]] = {}
    for edit in changes:
        if edit.table == "pins":
            continue
        row = rows.setdefault(edit.table, {}).setdefault(edit.key, dict(cells(row_of(instance, edit.table, edit.key))))
        row[edit.column] = cell_of(edit.new)
    if not rows:
        return instance
    return instance.changed(rows={table: list(of.values()) for table, of in rows.items()})


def relaxed_pins(pins: Pins | None, changes: Sequence[Edit]) -> Pins | None:
    """The pins with the edits made."""
    if pins is None:
        return None
    fixed, force, forbid = dict(pins.fixed), dict(pins.force), set(pins.forbid)
    for edit in changes:
        if edit.table != "pins":
            continue
        option = str(edit.key[0])
        if edit.column == "forbid":
            if edit.new is None:
                forbid.discard(option)
            continue
        held = fixed if edit.column == "fixed" else force
        if edit.new is None:
            held.pop((option, int(edit.key[1])), None)  # type: ignore[arg-type]
        else:
            held[option, int(edit.key[1])] = edit.new  # type: ignore[arg-type]
    return Pins(fixed, force, tuple(sorted(forbid)))
