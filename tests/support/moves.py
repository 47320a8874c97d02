"""Instances as they are after one move of the explorer's controls after another."""

import random
from itertools import chain

from planner.errors import PlannerError
from planner.exploring.controls import controls


def moved(instance, count, seed):
    """The instance after what-ifs that one move of a control after another makes."""
    drawn = random.Random(seed)
    offered = [c for c in controls(instance) if c["kind"] in ("cap", "factor")]
    state = {}
    for _ in range(count):
        control = drawn.choice(offered)
        steps = round((control["most"] - control["least"]) / control["step"])
        value = f"{control['least'] + control['step'] * drawn.randint(0, steps):.6g}"
        values = [value, str(control["first"])] if control["kind"] == "cap" else [value]
        state[control["id"]] = [p[0] + "".join(map(str.__add__, values, p[1:])) for p in control["texts"]]
        try:
            yield instance.what_if(*chain.from_iterable(state.values()))
        except PlannerError:  # not every state is an instance
            del state[control["id"]]
