"""Plan how allied countries and startups supply NdFeB magnets, and what security costs.

    import planner
    instance = planner.load("instances/tiny")
    plan = planner.solve(instance)
    plan.tables["builds"]

The public names stand in ``__init__.pyi``. Each is loaded on first use, so that importing the package is quick.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
