"""``Sum``: a linear expression that is quick to build and that Pyomo understands.

A sum only keeps the lists of indices and coefficients that were added to it. So the time to build a model depends on
the number of its rows, not of its terms, and ``planner.solving.compiling`` reads all the lists at once with numpy. For
any other tool a sum is a named expression of Pyomo; its terms are made when the tool asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from pyomo.core import Var
from pyomo.core.base.expression import ExpressionData
from pyomo.core.expr import LinearExpression


class Sum(ExpressionData):
    """A constant plus a linear sum of decisions. The lists that are added must not change afterwards.

    families      the indexed variables, one for each call that added something
    indices       for each of them, which of its indices
    coefficients  for each of them, the coefficients, parallel to its indices
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
        """Add ``factor`` times the sum of ``variable[i]`` over ``indices``; return the sum itself."""
        if indices:
            self.families.append(variable)
            self.indices.append(indices)
            self.coefficients.append([factor] * len(indices))
        return self

    def add_terms(self, variable: Var, terms: Sequence[tuple[int, float]], factor: float = 1.0) -> Sum:
        """Add ``factor`` times the sum of coefficient times ``variable[i]`` over ``terms``; return the sum itself.

        terms  pairs of index i and coefficient
        """
        if terms:
            self.families.append(variable)
            self.indices.append([i for i, _ in terms])
            self.coefficients.append([factor * k for _, k in terms])
        return self

    def __getattr__(self, name: str) -> Any:
        """Make the attribute ``_args_``, in which Pyomo's named expressions hold their terms, on first use."""
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
        """Return a copy with other terms: an ordinary named expression of Pyomo."""
        return super().create_node_with_local_data(values, classtype or ExpressionData)
