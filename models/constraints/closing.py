r"""Closing: of a plant's own capacity no more can be idle or retired than there is.

.. math:: \sum_{c \text{ in force in } t} e_c \le 1 \qquad \forall (f, t)

==============  ==============  =======  =====================================================
symbol          code            unit     meaning
==============  ==============  =======  =====================================================
e               ``m.close``     share    decided: part of the own capacity that is closed
c in force      ``group``        --      what is idle in t, and what was retired in t or before
==============  ==============  =======  =====================================================

Dual: the saving, in MUSD (present value), if more of the plant could be closed than there is of it: what closing it
is worth beyond the capacity that is lost.
"""

from __future__ import annotations

from typing import Any

from pyomo.core import ConcreteModel, Constraint

from ..data import ModelData
from ..terms import Sum


def add(m: ConcreteModel, data: ModelData) -> None:
    """Add ``m.closing[i]``, one row per plant that may close and period."""

    def rule(m: ConcreteModel, i: int) -> Any:
        return Sum().add(m.close, data.closed[i]) <= 1.0

    m.closing = Constraint(range(len(data.closed)), rule=rule, doc="closed at most once")
