"""The arrays given to HiGHS against Pyomo's own compiler, and against rows read by hand."""

from pathlib import Path

import numpy as np
import pytest
from pyomo.core import ConcreteModel, Constraint, NonNegativeIntegers, NonNegativeReals, Objective, Var, value
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

import planner
from planner import models
from planner.errors import SolverFailed
from planner.models.terms import Sum
from planner.prepare import prepare
from planner.solving.compiling import compile_model

ROOT = Path(__file__).parents[2]
LARGE = ("world-2024",)  # of the shipped ones; the rest are small or as this
SMALL = ("lead-and-ramp", "stock-cover", "tiny", "traced-cap")
INSTANCES = [
    *(ROOT / "instances" / name for name in (*LARGE, *SMALL)),
    *sorted(file.parent for file in (ROOT / "tests" / "cases").rglob("instance.toml")),
]


def by_name(arrays):
    """Everything in an Arrays, by family and index instead of by position."""
    columns = {k: (family, i) for family, of in arrays.columns.items() for i, k in of.items()}
    rows = {k: (family, i) for family, of in arrays.rows.items() for i, k in of.items()}
    terms = arrays.matrix.tocoo()
    return (
        {
            columns[k]: column
            for k, column in enumerate(
                zip(arrays.cost, arrays.col_lower, arrays.col_upper, arrays.integer, strict=True)
            )
        },
        {rows[k]: sides for k, sides in enumerate(zip(arrays.row_lower, arrays.row_upper, strict=True))},
        {(rows[r], columns[c]): v for r, c, v in zip(terms.row, terms.col, terms.data, strict=True)},
    )


def by_pyomo(model):
    """The same from Pyomo's standard form."""
    form = LinearStandardFormCompiler().write(model, mixed_form=True)
    columns = [(v.parent_component().local_name, v.index()) for v in form.columns]
    rows = [(row.constraint.parent_component().local_name, row.constraint.index()) for row in form.rows]
    cost = form.c.todense().ravel()
    terms = form.A.tocoo()
    inf = float("inf")
    return (
        {
            columns[k]: (
                cost[k],
                -inf if v.bounds[0] is None else v.bounds[0],
                inf if v.bounds[1] is None else v.bounds[1],
                not v.is_continuous(),
            )
            for k, v in enumerate(form.columns)
        },
        {
            rows[k]: (-inf if row.bound_type > 0 else form.rhs[k], inf if row.bound_type < 0 else form.rhs[k])
            for k, row in enumerate(form.rows)
        },
        {(rows[r], columns[c]): v for r, c, v in zip(terms.row, terms.col, terms.data, strict=True)},
    )


@pytest.mark.parametrize("folder", INSTANCES, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_the_arrays_are_those_of_pyomos_own_compiler(folder):
    model = models.build(prepare(planner.load(folder)).data)
    read, written = by_name(compile_model(model)), by_pyomo(model)
    assert read[0] == written[0]
    assert read[1] == written[1]
    assert read[2].keys() == written[2].keys()
    assert np.array([read[2][term] for term in written[2]]) == pytest.approx(
        np.array(list(written[2].values())), rel=1e-15, abs=0.0
    )


@pytest.fixture
def model():
    """min x0 + 2 x1 + 5, with rows of every kind; y[7] is fixed, w has no index, z stands nowhere."""
    m = ConcreteModel()
    m.x = Var(range(3), domain=NonNegativeReals, bounds={0: (0, 4), 1: (None, 9), 2: (1, None)})
    m.y = Var([7, 3], domain=NonNegativeIntegers)
    m.w = Var(bounds=(-1, 1))
    m.z = Var()
    m.y[7].fix(6)
    m.cost = Objective(expr=Sum(5.0).add(m.x, [0]).add_terms(m.x, [(1, 2.0)]))
    m.flat = Constraint([1, 2], rule=lambda m, i: Sum(1.0).add(m.x, [0, 2], 0.5).add(m.y, [3, 7], -1.0) <= i)
    m.plain = Constraint(expr=(2.0, m.x[0] + 3 * m.x[2] + 1.0, 8.0))
    m.other = Constraint(expr=m.x[1] + m.y[3] + 4 * m.w >= m.x[2])
    m.none = Constraint(expr=Sum(1.0).add(m.x, [0]).add(m.x, [0], -1.0) >= 0.5)  # 1 >= 0.5: holds, and says nothing
    m.off = Constraint(expr=m.x[0] <= 1.0)
    m.off.deactivate()
    return m


def test_rows_of_every_kind(model):
    arrays = compile_model(model)
    columns, rows, terms = by_name(arrays)
    inf = float("inf")
    assert arrays.offset == 5.0
    assert columns == {
        ("x", 0): (1.0, 0.0, 4.0, False),
        ("x", 1): (2.0, 0.0, 9.0, False),
        ("x", 2): (0.0, 1.0, inf, False),
        ("y", 7): (0.0, 6.0, 6.0, True),
        ("y", 3): (0.0, 0.0, inf, True),
        ("w", None): (0.0, -1.0, 1.0, False),
    }
    assert rows == {
        ("flat", 1): (-inf, 0.0),
        ("flat", 2): (-inf, 1.0),
        ("plain", None): (1.0, 7.0),
        ("other", None): (-inf, 0.0),
    }
    flat = {("x", 0): 0.5, ("x", 2): 0.5, ("y", 3): -1.0, ("y", 7): -1.0}
    assert terms == {
        **{(("flat", i), column): k for i in (1, 2) for column, k in flat.items()},
        (("plain", None), ("x", 0)): 1.0,
        (("plain", None), ("x", 2)): 3.0,
        (("other", None), ("x", 2)): 1.0,
        (("other", None), ("x", 1)): -1.0,
        (("other", None), ("y", 3)): -1.0,
        (("other", None), ("w", None)): -4.0,
    }


def test_a_row_that_nothing_can_fulfil_stays():
    m = ConcreteModel()
    m.x = Var([0])
    m.cost = Objective(expr=Sum().add(m.x, [0]))
    m.never = Constraint(expr=Sum().add(m.x, [0]).add(m.x, [0], -1.0) >= 1.0)
    arrays = compile_model(m)
    assert arrays.matrix.shape == (1, 1) and arrays.matrix.nnz == 0
    assert arrays.row_lower.tolist() == [1.0]


def test_what_is_not_linear_is_refused(model):
    model.curved = Constraint(expr=model.x[0] * model.x[1] <= 1.0)
    with pytest.raises(SolverFailed, match="not linear"):
        compile_model(model)


def test_a_sum_is_an_ordinary_expression_to_others(model):
    for i, amount in enumerate((4.0, 1.0, 2.0)):
        model.x[i].set_value(amount)
    model.y[3].set_value(1)
    assert str(model.flat[1].body) == "1.0 + 0.5*x[0] + 0.5*x[2] - y[3] - y[7]"
    assert value(model.flat[1].body) == 1.0 + 0.5 * 4.0 + 0.5 * 2.0 - 1.0 - 6.0
    assert value(model.cost) == 5.0 + 4.0 + 2.0 * 1.0
    assert np.isfinite(compile_model(model).cost).all()
