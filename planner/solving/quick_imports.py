"""Import this before scipy: Pyomo otherwise loads all of scipy, its statistics too, when any part is first imported.

That takes half as long as a small solve. Both names are private to Pyomo, hence looked for with care.
"""

from __future__ import annotations

from pyomo.common import dependencies

_finder = getattr(dependencies, "DeferredImportCallbackFinder", None)
getattr(_finder, "_callbacks", {}).pop("scipy", None)
