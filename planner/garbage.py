"""When Python looks for circles of garbage: seldom in a process of the planner's own, not while a model is built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 10_000  # after so many it looks; with the 700 of Python it takes a tenth of a short command or study


def seldom_collected() -> None:
    """Let Python look less often in this process, and never through what is there now."""
    gc.set_threshold(NEW_OBJECTS)
    gc.freeze()


@contextmanager
def paused_garbage_collector() -> Iterator[None]:
    """Stop the garbage collector inside the block, in which millions of small objects are made that all stay alive."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
