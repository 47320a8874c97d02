"""The least relaxation as edits of named rows, in numbers that a user can type and at which a plan really exists."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...instance import limits
from ...instance.cells import cell_of
from ...instance.tables import TABLES, cells
from ...language import N_, _, n_, number, translated
from ...solving.pins import Pins
from .search import Clock, feasible
from .system import row_of

if TYPE_CHECKING:
    from ...instance.declare import Key
    from ...instance.instance import Instance
    from .system import Cell, Relaxable, System

GRID = 1e6  # new values are written in millionths, rounded towards feasibility
ALMOST = 0.05  # millionths: so little is first taken for solver noise and not rounded up
LOOSENED = (0.0, 1.0, 2.0, 5.0, 20.0, 100.0)  # roundings that are tried in turn: see ``loosen`` of `edits`


@dataclass(frozen=True)
class Edit:
    """One cell to change.

    table     the table; ``pins`` for a pinned build, whose ``file`` then is the option of the command line
    file      file of the row, and ``line`` its line; ``(changed)`` and None for a row changed in a script
    key       values of the key columns
    old, new  values; None is a blank cell, or for a pin that it is dropped
    amount    by how much the cell is relaxed, in ``unit``
    points    hardship of that (see `relaxables`)
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
        """The values of the key, joined by commas."""
        return ",".join("" if part is None else str(part) for part in self.key)

    def __str__(self) -> str:
        if self.table == "pins":
            change = _("dropped")
            if self.new is not None:
                new = number(f"{self.new:.10g}")
                change = _("{old} -> {new} modules", old=number(f"{self.old:g}"), new=new)
            return _("{head}: {parts}", head=self.file, parts=change)
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        row = "" if self.file.endswith("(changed)") else f" {self.row}"
        change = f"{self.column} {_shown(self.old)} -> {_shown(self.new)}"
        return _measured(self, _("{head}: {parts}", head=f"{place}{row}", parts=change))

    def to_dict(self) -> dict[str, Any]:
        """Return the edit as JSON can hold it; the key is a mapping of column to value."""
        columns = ("option", "year") if self.table == "pins" else TABLES[self.table].KEY
        return {**vars(self), "key": dict(zip(columns, self.key, strict=False))}


def _shown(value: Any) -> str:
    return _("(blank)") if value is None or value == "" else cell_of(value)


def _measured(edit: Edit, text: str) -> str:
    """Return an edit in words with how large it is, where that says more."""
    if edit.unit == "fraction":
        return _("{sentence} ({n} points)", sentence=text, n=number(f"{edit.amount * 100:.6g}"))
    if edit.table == "caps" or edit.unit in ("t", "MUSD", *COUNTS):
        unit = translated(edit.unit.removesuffix("s") if edit.amount == 1 else edit.unit)
        return _("{sentence} ({n} {unit})", sentence=text, n=number(f"{edit.amount:,.6g}"), unit=unit)
    if edit.unit == "years" and edit.new is not None:
        return n_("{sentence} (a year later)", "{sentence} ({n} years later)", round(edit.amount), sentence=text)
    return text


COUNTS = (N_("modules"), N_("options"))  # units of edits whose words are of a language
UNITS = {  # column -> unit of its edits
    **dict.fromkeys(("limit", "limit_end", "min_service", "min_use", "max_share"), "fraction"),
    **dict.fromkeys(("final_min_t", "take_t", "max_t", "min_t", "initial_t"), "t"),
    **dict.fromkeys(("private_musd", "budget_musd"), "MUSD"),
    **dict.fromkeys(("min_modules", "force", "fixed"), "modules"),
    **dict.fromkeys(("exclusive_group", "requires", "forbid"), "rule"),
    "clean_from_year": "years",
}
GROUP_UNITS = {"options": "options", "modules": "modules", "capacity_t": "t", "capex_musd": "MUSD"}  # by measure


def unit_of(instance: Instance, cell: Cell) -> str:
    """Return the unit in which an edit of a cell is told."""
    if cell.table == "caps":
        return limits.unit_of(instance, str(cell.key[0])) or UNITS[cell.column]
    return GROUP_UNITS[str(cell.key[1])] if cell.table == "group_limits" else UNITS[cell.column]


def edits(system: System, amounts: np.ndarray, loosen: float = 0.0) -> tuple[Edit, ...]:
    """Return the edits that relax the cells by ``amounts``, the one of most hardship first.

    loosen  how values are rounded to millionths. 0: towards feasibility, apart from solver noise; 1: always towards
            feasibility; n > 1: n - 1 millionths further
    """
    changes: list[Edit] = []
    last_step: dict[Any, Relaxable] = {}
    for k, relaxable in enumerate(system.relaxables):
        if relaxable.cell.column == "clean_from_year" and amounts[k] > 0.5:
            last_step[relaxable.cell] = relaxable
    for k, relaxable in enumerate(system.relaxables):
        if amounts[k] <= 0.0 or (relaxable.cell in last_step and last_step[relaxable.cell] is not relaxable):
            continue
        steps = [
            i
            for i, other in enumerate(system.relaxables)
            if other.cell == relaxable.cell and relaxable.cell in last_step
        ]
        points = sum(system.relaxables[i].weight * amounts[i] for i in steps or [k])
        changes.append(_edit(system, relaxable, float(amounts[k]), float(points), loosen))
    return tuple(sorted(changes, key=lambda e: (-e.points, e.table, e.row, e.column)))


def _edit(system: System, relaxable: Relaxable, amount: float, points: float, loosen: float) -> Edit:
    """Return the edit of one cell.

    amount  by how much it is relaxed, in its unit, before rounding
    points  hardship of it, with that of earlier steps of the same date
    """
    table, key, column = relaxable.cell
    old = _old(system, relaxable)
    new: Any
    if relaxable.switch:
        new = relaxable.to
        amount = abs(float(new - old)) if new is not None else 1.0
    else:
        new = _typed(old + relaxable.sign * amount, relaxable.sign, old, relaxable.most, loosen)
        if table == "pins" and new <= 0.0 and column == "force":
            new = None
        amount = abs(old - (0.0 if new is None else new))
    file, line = place_of(system.instance, table, key, column)
    return Edit(table, file, line, key, column, old, new, amount, unit_of(system.instance, relaxable.cell), points)


def _old(system: System, relaxable: Relaxable) -> Any:
    """Return the value of the cell before the edit; modules for a pin, True for a forbidden option."""
    table, key, column = relaxable.cell
    if table == "pins" and system.pins is not None:
        pinned: Mapping[Any, float] = {"force": system.pins.force, "fixed": system.pins.fixed}.get(column, {})
        return pinned.get(key, True)
    return relaxable.cell.value_in(system.instance)


def _typed(value: float, sign: float, old: float, most: float, loosen: float) -> float:
    """Round ``value`` to millionths towards feasibility, within the range of the cell.

    sign, most  as in `Relaxable`
    loosen      as in `edits`
    """
    almost = 0.0 if loosen else ALMOST
    further = max(0.0, loosen - 1.0)
    if sign > 0:
        return min(old + most, (math.ceil(value * GRID - almost) + further) / GRID)
    return max(old - most, (math.floor(value * GRID + almost) - further) / GRID)


def enough(system: System, amounts: np.ndarray, clock: Clock) -> tuple[Edit, ...]:
    """Return the edits, rounded no further than is needed for a plan to exist; none where no plan was found."""
    if not np.isfinite(amounts).all():
        return ()
    for loosen in LOOSENED:
        changes = edits(system, amounts, loosen)
        if feasible(system, _amounts(system, amounts, changes), clock):
            return changes
    return ()


def _amounts(system: System, amounts: np.ndarray, changes: Sequence[Edit]) -> np.ndarray:
    """Return the amounts after rounding."""
    rounded = amounts.copy()
    typed = {(e.table, e.key, e.column): e.amount for e in changes}
    for k in np.flatnonzero(amounts > 0.0):
        cell = system.relaxables[k].cell
        if not system.relaxables[k].switch:
            rounded[k] = typed[cell.table, cell.key, cell.column]
    return rounded


def place_of(instance: Instance, table: str, key: Key, column: str = "") -> tuple[str, int | None]:
    """Return file and line of a row; for a pin the option of the command line, and None."""
    if table == "pins":
        option = {"force": "--force", "fixed": "--fix-from", "forbid": "--forbid"}[column]
        return f"{option} {'@'.join(str(part) for part in key)}", None
    place = instance.place(table, key)
    return place.file, place.line


def applied(instance: Instance, changes: Sequence[Edit]) -> Instance:
    """Return the instance with the edits made; edits of pins do not concern it."""
    rows: dict[str, dict[Key, dict[str, Any]]] = {}
    for edit in changes:
        if edit.table == "pins":
            continue
        row = rows.setdefault(edit.table, {}).setdefault(edit.key, dict(cells(row_of(instance, edit.table, edit.key))))
        row[edit.column] = cell_of(edit.new)
    if not rows:
        return instance
    return instance.changed(rows={table: list(by_key.values()) for table, by_key in rows.items()})


def relaxed_pins(pins: Pins | None, changes: Sequence[Edit]) -> Pins | None:
    """Return the pins with the edits made."""
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
        pinned = fixed if edit.column == "fixed" else force
        if edit.new is None:
            pinned.pop((option, int(edit.key[1])), None)  # type: ignore[arg-type]
        else:
            pinned[option, int(edit.key[1])] = edit.new  # type: ignore[arg-type]
    return Pins(fixed, force, tuple(sorted(forbid)))
