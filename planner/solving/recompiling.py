"""Compiles one model after another; families of rows whose data stay as they were are not made again.

What a family writes follows from the data that it reads, and only the objective reads what things cost. So a family has
the rows that it had in the model before, if all that it read then is the same now but for costs. All that is not known
to be so is made anew, and the arrays are the same, number by number, as those of `compiled`.
"""

from __future__ import annotations

from dataclasses import fields
from itertools import chain, islice
from types import ModuleType
from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..garbage import paused_garbage_collector
from ..models import FAMILIES, objective, variables
from ..models.data import ModelData
from ..models.objective import RATES
from .compiling import Arrays, Block, Columns, objective_of, rows_of

COSTS = {listed: frozenset(rates.values()) for listed, rates in RATES.values()}
FIELDS = tuple(of.name for of in fields(ModelData))


class Recompiler:
    """Compiles the models of what-ifs, or any others, one after another."""

    def __init__(self) -> None:
        self._data: ModelData | None = None
        self._model = ConcreteModel()  # with the variables alone
        self._columns = Columns(self._model)
        self._read: dict[ModuleType, frozenset[str]] = {}
        self._blocks: dict[ModuleType, list[Block]] = {}

    @paused_garbage_collector()
    def compiled(self, data: ModelData) -> Arrays:
        """Return the arrays of ``data``, as `compiling.compiled` does."""
        changed, self._data = self._changed(data), None  # known again once all is made
        if variables not in self._read or self._read[variables] & changed:
            self._model = ConcreteModel()
            self._write(variables, data)
            columns = Columns(self._model)
            if columns.indices != self._columns.indices:
                changed = frozenset(FIELDS)
            self._columns = columns
        fresh = [f for f in FAMILIES if f not in self._read or self._read[f] & changed]
        objective.add(self._model, data)
        rows = [[objective_of(self._model)]]
        for family in fresh:
            self._write(family, data)
            rows.append(rows_of(self._model))
            for made in list(self._model.component_objects(Constraint)):
                self._model.del_component(made)
        self._model.del_component(self._model.cost)
        blocks = iter(self._columns.compiled(list(chain.from_iterable(rows))))
        cost = next(blocks)
        for family, written in zip(fresh, rows[1:], strict=True):
            self._blocks[family] = list(islice(blocks, len(written)))
        self._data = data
        return self._columns.arrays([cost, *chain.from_iterable(self._blocks[family] for family in FAMILIES)])

    def _write(self, family: ModuleType, data: ModelData) -> None:
        """Let a family add what it writes to the model, and keep what it reads for that."""
        reading = _Reading(data)
        family.add(self._model, reading)
        self._read[family] = frozenset(reading.read)

    def _changed(self, data: ModelData) -> frozenset[str]:
        """Return the fields that are not as they were but for costs; all of a model with a risk term."""
        before = self._data
        if before is None or before.risk is not None or data.risk is not None:
            return frozenset(FIELDS)
        return frozenset(name for name in FIELDS if not _same(name, getattr(before, name), getattr(data, name)))


class _Reading:
    """The data of a model, which keeps the names of the fields that are read of it."""

    def __init__(self, data: ModelData) -> None:
        self._data, self.read = data, set[str]()

    def __getattr__(self, name: str) -> Any:
        if name in FIELDS:
            self.read.add(name)
            return getattr(self._data, name)
        return getattr(ModelData, name).__get__(self)  # a property, which reads fields in turn


def _same(name: str, before: Any, now: Any) -> bool:
    """Whether a field of `ModelData` is as it was, but for costs."""
    if before is now:
        return True
    if name == "caps":  # a metric without caps may be there or not
        return all(before.get(metric, []) == now.get(metric, []) for metric in {*before, *now})
    if name not in COSTS or not before or len(before) != len(now):
        return bool(before == now)
    columns = zip(type(before[0])._fields, zip(*before, strict=True), zip(*now, strict=True), strict=True)
    return all(column in COSTS[name] or was == is_ for column, was, is_ in columns)
