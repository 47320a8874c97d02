"""What the explorer shows of one state after another is what a fresh solve of each gives."""

import os
import random

import pytest

import planner
from planner.errors import Infeasible
from planner.exploring.controls import controls
from planner.instance.loading import load
from planner.prepare import prepare
from planner.questions.explore import Explorer, in_order
from planner.solving.compiling import compiled
from planner.solving.warm import nearer

LONG = "PLANNER_LONG" in os.environ


def states(instance, count, seed):
    """Random states: each moves some of the sliders of the page."""
    drawn = random.Random(seed)
    offered = [c for c in controls(instance) if c["kind"] in ("cap", "factor")]
    for _ in range(count):
        texts = []
        for control in drawn.sample(offered, min(len(offered), drawn.randint(1, 3))):
            steps = round((control["most"] - control["least"]) / control["step"])
            value = f"{control['least'] + control['step'] * drawn.randint(0, steps):.6g}"
            values = [value, str(control["first"])] if control["kind"] == "cap" else [value]
            texts += [p[0] + "".join(map(str.__add__, values, p[1:])) for p in control["texts"]]
        yield in_order(texts)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("tiny", 12),
        ("lead-and-ramp", 6),
        pytest.param("allied-2040", 50, marks=pytest.mark.skipif(not LONG, reason="takes minutes: .ci/long flagship")),
    ],
)
def test_a_state_reached_from_others_is_that_of_a_fresh_solve(name, count):
    explorer = Explorer(load(name), 0.003)
    seen = 0
    for changes in states(explorer.instance, count, seed=7):
        try:
            shown = explorer.relaxed(changes)
        except Infeasible:
            with pytest.raises(Infeasible):
                planner.solve(explorer.instance.what_if(*changes), relax=True)
            continue
        fresh = planner.solve(explorer.instance.what_if(*changes), relax=True)
        assert shown.objective_musd == pytest.approx(fresh.objective_musd, rel=1e-6)
        assert explorer.cost(changes) == pytest.approx(fresh.objective_musd, rel=1e-6)
        for year, share in fresh.metrics["exposed_share"].items():
            assert shown.metrics["exposed_share"][year] == (share and pytest.approx(share, abs=1e-6))
        seen += 1
    assert seen > count / 2


def test_a_state_that_was_seen_before_is_started_from_again():
    explorer = Explorer(load("lead-and-ramp"), 0.003)
    warm = explorer._warm
    states = [("scale demand=0.7",), ("scale demand=1.4",), ("scale demand=1.1",)]
    plans = []
    for changes in states:
        warm.cost(prepare(explorer.instance.what_if(*changes)).data)
        plans.append(warm._kept[-1].start)
    again, only = (compiled(prepare(explorer.instance.what_if(*states[k])).data).relaxed for k in (0, -1))
    last, others = warm._known(warm._named(again))
    assert last.start is plans[-1]
    assert nearer(last, others, again) is plans[0]
    assert nearer(last, others, only) is None


def test_after_a_cap_comes_or_goes_the_start_has_the_rows_of_the_model():
    explorer = Explorer(load("lead-and-ramp"), 0.003)
    cap = "cap exposed_share=60%@2028"
    for changes in ((), (cap,), (), (cap, "scale demand=1.1")):
        arrays = compiled(prepare(explorer.instance.what_if(*changes) if changes else explorer.instance).data).relaxed
        if explorer._warm._kept:
            last, others = explorer._warm._known(explorer._warm._named(arrays))
            for kept in (last, *others):
                assert len(kept.start.x) == arrays.matrix.shape[1]
                assert len(kept.prices) == len(list(kept.start.basis.row_status)) == arrays.matrix.shape[0]
        explorer.cost(changes)
