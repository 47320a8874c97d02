"""Instance -> :class:`models.ModelData`: time, disruptions, reachability, sparse index lists; kt and MUSD.

This is the only place where units are converted and where it is decided which decisions exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.data import ModelData

from ..timeline import Period, horizon_end, periods
from . import caps, funding, investment, operations, risk
from .conditions import Conditions, lay_out_nodes

if TYPE_CHECKING:
    from ..instance import Instance


@dataclass(frozen=True, slots=True)
class Prepared:
    """The model's data with what is needed to read a solution back.

    periods     the periods of the instance
    conditions  what a disruption changes, for every node of ``data.nodes``
    """

    instance: Instance
    periods: tuple[Period, ...]
    data: ModelData
    conditions: tuple[Conditions, ...]


def prepare(instance: Instance) -> Prepared:
    """The data of the model of a checked instance."""
    span = periods(instance)
    data = ModelData()
    conditions = lay_out_nodes(instance, span, data)
    investment.add(instance, span, horizon_end(instance), data)
    operations.add(instance, span, conditions, data)
    caps.add(instance, span, data)
    funding.add(instance, data)
    risk.add(instance, data)
    return Prepared(instance, span, data, tuple(conditions))
