"""A silent HiGHS: since 1.16 its constructor writes a banner to stdout, which belongs to the result."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence

import highspy

_STDOUT = threading.Lock()  # the descriptor is one for the whole process, whatever its threads do


def new_highs() -> highspy.Highs:
    """A HiGHS instance that writes nothing."""
    with _STDOUT:
        return _without_stdout()


def _without_stdout() -> highspy.Highs:
    try:
        kept = os.dup(1)
    except OSError:  # no stdout to keep clean
        return _silent()
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.close(sink)
        return _silent()
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _silent() -> highspy.Highs:
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)  # HiGHS refuses to run where another number was used before in the same thread
    return highs


def least(
    cost: Sequence[float], rows: Iterable[tuple[float, float, Mapping[int, float]]]
) -> tuple[float, list[float]] | None:
    """Value and point of a small linear programme: min cost x, x >= 0, lower <= entries x <= upper for each row.

    rows  (lower, upper, column -> coefficient)
    None if no point is optimal. Raises RuntimeError if HiGHS does not run.
    """
    highs = new_highs()
    for unit in cost:
        highs.addCol(unit, 0.0, highspy.kHighsInf, 0, [], [])
    for lower, upper, entries in rows:
        highs.addRow(lower, upper, len(entries), list(entries), list(entries.values()))
    if highs.run() == highspy.HighsStatus.kError:
        raise RuntimeError("HiGHS did not run")
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return float(highs.getInfo().objective_function_value), list(highs.getSolution().col_value)
