"""Each way of a race against a fresh solve, on drawn instances whose prices and demand are changed."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from drawn import valid

from planner.prepare import prepare
from planner.solving import parts, race
from planner.solving.compiling import compiled
from planner.solving.programme import Programme
from planner.solving.solver import Settings
from planner.solving.units import Units

WAYS = [race._from_basis, race._from_investment]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small models are split too, and however unequal their parts are."""
    monkeypatch.setattr(parts, "FEWEST_COLUMNS", 0)
    monkeypatch.setattr(parts, "LARGEST_PART", 1.0)


def changed(arrays, seed):
    """The same model with each cost changed by up to a half, and all amounts by one factor: it has a plan too."""
    drawn = np.random.default_rng(seed)
    sides = ("row_lower", "row_upper", "col_lower", "col_upper")
    factor = drawn.uniform(0.5, 1.5)
    more = {side: getattr(arrays, side) * factor for side in sides}
    return replace(arrays, cost=arrays.cost * drawn.uniform(0.5, 1.5, len(arrays.cost)), **more)


def states(tmp_path, count):
    """Relaxations, each with the optimum of another one from which it starts."""
    for seed in range(count):
        arrays = compiled(prepare(valid(tmp_path / f"{seed}", seed)[0]).data).relaxed
        first = Programme(arrays, Settings())
        found = first.find()
        if found.optimal:
            other = changed(arrays, seed)
            yield other, race.Start(first.basis, found.x), Programme(other, Settings()).find()


def test_whichever_way_arrives_is_at_the_optimum(tmp_path):
    arrived = [0, 0]
    for (arrays, start, fresh), (k, way) in itertools.product(states(tmp_path, 24), enumerate(WAYS)):
        end = way(race._Way(), arrays, Settings(), Units.of(arrays), start)
        if end is None:
            continue
        arrived[k] += 1
        assert fresh.optimal
        assert end.found.value == pytest.approx(fresh.value, rel=1e-9, abs=1e-9)
        again = Programme(arrays, Settings())
        again.basis = end.basis
        assert again.find().value == pytest.approx(fresh.value, rel=1e-9, abs=1e-9)
        assert again.highs.getInfo().simplex_iteration_count == 0
    assert min(arrived) >= 8, arrived


def test_from_the_basis_of_its_parts_the_investment_leads_to_the_optimum_too(tmp_path):
    again = 0
    for arrays, start, fresh in states(tmp_path, 12):
        first, second = race._Way(), race._Way()
        race._from_investment(first, arrays, Settings(), Units.of(arrays), start)
        if first.parts is not None:
            other = start._replace(parts=first.parts)
            end = race._from_investment(second, arrays, Settings(), Units.of(arrays), other)
            assert end.found.value == pytest.approx(fresh.value, rel=1e-9, abs=1e-9)
            again += 1
    assert again >= 4


def test_a_race_ends_at_the_optimum_or_at_none(tmp_path):
    for arrays, start, fresh in states(tmp_path, 8):
        end = race.raced(arrays, Settings(), start, lambda: None, alone=False)
        assert (end is not None) == fresh.optimal
        assert end is None or end.found.value == pytest.approx(fresh.value, rel=1e-9, abs=1e-9)


def test_a_way_that_was_stopped_solves_nothing(tmp_path):
    arrays, start, _ = next(states(tmp_path, 8))
    way = race._Way()
    way.stop()
    with pytest.raises(KeyboardInterrupt):
        race._from_basis(way, arrays, Settings(), Units.of(arrays), start)


def test_a_defect_of_a_way_is_told(tmp_path, monkeypatch):
    def broken(*_):
        raise ValueError("a defect")

    monkeypatch.setattr(race, "_from_basis", broken)
    monkeypatch.setattr(race, "_from_investment", lambda *_: None)
    arrays, start, _ = next(states(tmp_path, 8))
    with pytest.raises(ValueError, match="a defect"):
        race.raced(arrays, Settings(), start, lambda: None, alone=False)
