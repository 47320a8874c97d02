"""Models that are compiled one after another have the arrays that each would have if it were compiled alone."""

import random
from dataclasses import fields, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from moves import moved
from pyomo.core import Constraint

from planner import models
from planner.instance.loading import load
from planner.models.data import ModelData
from planner.prepare import prepare
from planner.solving.compiling import compiled
from planner.solving.recompiling import COSTS, Recompiler

ROOT = Path(__file__).parents[2]
CASES = sorted(file.parent for file in (ROOT / "tests" / "cases").rglob("instance.toml"))
SMALL = [ROOT / "instances" / name for name in ("lead-and-ramp", "stock-cover", "tiny", "traced-cap")]


def assert_same(one, other):
    for name in ("cost", "row_lower", "row_upper", "col_lower", "col_upper", "integer"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    for name in ("indptr", "indices", "data"):
        assert np.array_equal(getattr(one.matrix, name), getattr(other.matrix, name)), name
    assert (one.offset, one.columns, one.rows) == (other.offset, other.columns, other.rows)
    assert list(chain(one.columns, one.rows)) == list(chain(other.columns, other.rows))


@pytest.mark.parametrize("folder", [*SMALL, ROOT / "instances" / "world-2024"], ids=lambda folder: folder.name)
def test_after_a_move_the_arrays_are_those_of_a_fresh_model(folder):
    recompiler = Recompiler()
    for instance in moved(load(folder), 12, seed=3):
        data = prepare(instance).data
        assert_same(recompiler.compiled(data), compiled(data))


def test_after_quite_another_model_the_arrays_are_those_of_a_fresh_model():
    recompiler = Recompiler()
    for folder in random.Random(5).sample(CASES + SMALL, len(CASES + SMALL)):
        data = prepare(load(folder)).data
        assert_same(recompiler.compiled(data), compiled(data))


@pytest.mark.parametrize("folder", CASES + SMALL, ids=lambda folder: folder.name)
def test_without_a_risk_term_no_row_depends_on_what_things_cost(folder):
    data = prepare(load(folder)).data
    if data.risk is not None:
        return
    other = replace(
        data,
        **{
            name: [record._replace(**dict.fromkeys(of, -7.5)) for record in getattr(data, name)]
            for name, of in COSTS.items()
        },
    )
    one, two = (models.build(of) for of in (data, other))
    for mine, its in zip(one.component_objects(Constraint), two.component_objects(Constraint), strict=True):
        for index in mine:
            assert str(mine[index].expr) == str(its[index].expr)


def test_a_record_of_a_list_with_costs_is_read_by_the_names_of_its_fields():
    lists = {of.name for of in fields(ModelData)}
    assert set(COSTS) <= lists
    for folder in CASES + SMALL:
        data = prepare(load(folder)).data
        for name, of in COSTS.items():
            for record in getattr(data, name)[:1]:
                assert of <= set(record._fields)
