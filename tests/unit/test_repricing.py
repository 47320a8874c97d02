"""Instances that are prepared one after another have the data that each would have if it were prepared alone."""

import random
from dataclasses import fields
from pathlib import Path

import pytest
from moves import moved

from planner.errors import PlannerError
from planner.instance.loading import load
from planner.models.data import ModelData
from planner.prepare import prepare, repricing
from planner.prepare.repricing import NUMBERS, Repricer

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "instances" / n for n in ("lead-and-ramp", "stock-cover", "tiny", "traced-cap", "world-2024")]
CASES = sorted(file.parent for file in (ROOT / "tests" / "cases").rglob("instance.toml"))


def assert_same(one, other):
    assert (one.instance, one.periods, one.conditions) == (other.instance, other.periods, other.conditions)
    for of in fields(ModelData):
        mine, its = getattr(one.data, of.name), getattr(other.data, of.name)
        if of.name == "caps":
            mine, its = ({metric: rows for metric, rows in caps.items() if rows} for caps in (mine, its))
        assert mine == its, of.name


@pytest.fixture
def anew(monkeypatch):
    """The instances that were prepared anew."""
    seen = []
    monkeypatch.setattr(repricing, "prepare", lambda instance: seen.append(instance) or prepare(instance))
    return seen


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_after_a_move_the_data_are_those_of_a_fresh_preparation(folder, anew):
    repricer, moves = Repricer(), 0
    for instance in moved(load(folder), 16, seed=3):
        assert_same(repricer.prepared(instance), prepare(instance))
        moves += 1
    assert len(anew) < moves / 2


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_whatever_a_case_has_the_data_after_a_change_are_those_of_a_fresh_preparation(folder):
    instance, repricer, drawn = load(folder), Repricer(), random.Random(folder.name)
    repricer.prepared(instance)
    for _ in range(12):
        table = drawn.choice(list(NUMBERS))
        factor = drawn.choice((0, 0.5, 1.3, -1)) if table.startswith("operation") else drawn.choice((0, 0.5, 1.3))
        try:
            other = instance.what_if(f"scale {table}.{NUMBERS[table]}={factor}")
        except PlannerError:  # the table is empty, or its numbers must not be 0
            continue
        assert_same(repricer.prepared(other), prepare(other))


def test_what_is_no_longer_asked_for_is_prepared_anew(anew):
    instance, repricer = load("tiny"), Repricer()
    repricer.prepared(instance)
    nothing = instance.what_if("scale demand=0")
    assert_same(repricer.prepared(nothing), prepare(nothing))
    assert anew == [instance, nothing]


def test_an_operation_that_earns_by_running_is_prepared_anew(anew):
    instance, repricer = load("tiny"), Repricer()
    repricer.prepared(instance)
    earning = instance.what_if("scale operations.opex_usd_per_t=-1")
    assert_same(repricer.prepared(earning), prepare(earning))
    assert anew == [instance, earning]
