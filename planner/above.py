"""What an object shows of itself by means of layers above its own, such as its charts and its summary.

``plan.plot`` draws with the charts of the page, and ``print(plan)`` tells the summary of the command line. Imports go
one way, from the page down to the plan; so the object names what it needs, and that is looked up when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def above(place: str) -> Any:
    """Return a function or class of a layer above, by its module below ``planner`` and its name.

    >>> above("words.figure_of")(1234.5)
    '1,234'
    """
    module, _, name = place.rpartition(".")
    return getattr(import_module(f"{__package__}.{module}"), name)
