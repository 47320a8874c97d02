"""Keeps Pyomo from loading all of scipy, statistics too, when any part of it is first imported; import before scipy.

That would take half as long as a small solve. Both names below are private to Pyomo, so they may be absent.
"""

from __future__ import annotations

import sys

from ..errors import UsageError

if sys.flags.optimize > 1:
    raise UsageError("python -OO drops docstrings, without which Pyomo cannot be imported; run it with -O or without")

from pyomo.common import dependencies

_finder = getattr(dependencies, "DeferredImportCallbackFinder", None)
getattr(_finder, "_callbacks", {}).pop("scipy", None)
