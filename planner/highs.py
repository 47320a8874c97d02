"""A silent HiGHS: since 1.16 its constructor writes a banner to stdout, which belongs to the result."""

from __future__ import annotations

import os

import highspy


def new_highs() -> highspy.Highs:
    """A HiGHS instance that writes nothing."""
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
