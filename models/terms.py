"""Sums over neighbourhoods, which stay as short as they are written until somebody looks at a term.

A sum holds references to lists of indices and coefficients, so a model of a million terms is made in the time it takes
to make its rows, and ``planner.compiling`` reads all of it at once with numpy. To any other tool a sum is one of
Pyomo's named expressions, whose terms are made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from pyomo.core import Var
from pyomo.core.base.expression import ExpressionData
from pyomo.core.expr import LinearExpression


class Sum(ExpressionData):
    """A constant and a linear sum. The lists that are added must not change afterwards.

    families, indices, coefficients  what was added, side by side: a family, which of it, and how much of each
    """

    __slots__ = ("coefficients", "constant", "families", "indices")

    def __init__(self, constant: float = 0.0) -> None:
        super().__init__()
        del self._args_  # see __getattr__
        self.constant = constant
        self.families: list[Var] = []
        self.indices: list[Sequence[Any]] = []
        self.coefficients: list[Sequence[float]] = []

    def add(self, variable: Var, indices: Sequence[Any], factor: float = 1.0) -> Sum:
        """Add ``factor`` times the sum of ``variable`` over ``indices``."""
        if indices:
            self.families.append(variable)
            self.indices.append(indices)
            self.coefficients.append([factor] * len(indices))
        return self

    def add_terms(self, variable: Var, terms: Sequence[tuple[int, float]], factor: float = 1.0) -> Sum:
        """Add ``factor`` times the sum of coefficient times ``variable`` over ``terms``."""
        if terms:
            self.families.append(variable)
            self.indices.append([i for i, _ in terms])
            self.coefficients.append([factor * k for _, k in terms])
        return self

    def __getattr__(self, name: str) -> Any:
        """What Pyomo's named expressions hold, made on first use."""
        if name != "_args_":
            raise AttributeError(name)
        added = zip(self.families, self.indices, strict=True)
        variables = [family[i] for family, indices in added for i in indices]
        coefficients = list(chain.from_iterable(self.coefficients))
        self.set_value(LinearExpression(constant=self.constant, linear_coefs=coefficients, linear_vars=variables))
        return getattr(self, name)

    def __str__(self) -> str:
        return str(self.args[0])

    def create_node_with_local_data(self, values: Any, classtype: Any = None) -> Any:
        """With other terms it is an ordinary named expression."""
        return super().create_node_with_local_data(values, classtype or ExpressionData)
