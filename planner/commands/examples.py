"""``planner examples``."""

from __future__ import annotations


def examples() -> None:
    """List the instances that come with the planner; their names can stand wherever an instance is asked for.

    Examples:

    - `planner examples`
    """
    from ..instance.examples import examples as listed

    found = listed()
    width = max(map(len, found))
    for name, title in found.items():
        print(f"{name:{width}}  {title}")
