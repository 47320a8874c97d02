"""Plan how allied countries and startups supply NdFeB magnets, and what security costs.

    import planner
    instance = planner.load("instances/tiny")
    plan = planner.solve(instance)
    plan.tables["builds"]

The public names stand in ``__init__.pyi``. Each is loaded on first use, so that importing the package is quick.
"""

from typing import Any

import lazy_loader

_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Return a public name; the version is looked up only when it is asked for."""
    if name != "__version__":
        return _public(name)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("magnet-planner")
    except PackageNotFoundError:
        return "unknown"
