"""Keeps Pyomo from loading all of scipy, statistics too, when any part of it is first imported; import before scipy.

That would take half as long as a small solve. Both names below are private to Pyomo, so they may be absent.
"""

from __future__ import annotations

from pyomo.common import dependencies

_finder = getattr(dependencies, "DeferredImportCallbackFinder", None)
getattr(_finder, "_callbacks", {}).pop("scipy", None)
