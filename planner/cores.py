"""How many cores this process may use: those that it may run on, less those of others that share its work."""

from __future__ import annotations

import multiprocessing
import os

_beside = 0  # other processes that share the work of this one


def works_beside(processes: int) -> None:
    """Leave a core to each of so many other processes that share the work of this one."""
    global _beside
    _beside = processes


def free_cores() -> int:
    """Return how many cores this process may keep busy: one if it is a worker of a pool, which has one for each."""
    return 1 if multiprocessing.parent_process() is not None else max(1, all_cores() - _beside)


def all_cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
