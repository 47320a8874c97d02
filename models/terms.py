"""Sums over neighbourhoods, written so that Pyomo keeps them as flat lists (3 to 5 times faster than ``sum``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyomo.core.expr.numeric_expr import LinearExpression
from pyomo.environ import Var


class Sum:
    """A linear sum under construction: coefficients and variables side by side."""

    __slots__ = ("coefficients", "variables")

    def __init__(self) -> None:
        self.coefficients: list[float] = []
        self.variables: list[Any] = []

    def add(self, variable: Var, indices: Iterable[Any], factor: float = 1.0) -> Sum:
        """Add ``factor`` times the sum of ``variable`` over ``indices``."""
        members = variable._data  # variable[i] checks its index anew each time, which takes half of the building
        for i in indices:
            self.coefficients.append(factor)
            self.variables.append(members[i])
        return self

    def add_terms(self, variable: Var, terms: Iterable[tuple[int, float]], factor: float = 1.0) -> Sum:
        """Add ``factor`` times the sum of coefficient times ``variable`` over ``terms``."""
        members = variable._data
        for i, coefficient in terms:
            self.coefficients.append(factor * coefficient)
            self.variables.append(members[i])
        return self

    @property
    def expression(self) -> LinearExpression:
        """The sum as a Pyomo expression."""
        return LinearExpression(linear_coefs=self.coefficients, linear_vars=self.variables)
