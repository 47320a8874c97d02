"""``planner validate``."""

from __future__ import annotations

import json
from typing import Any

from ..errors import InstanceError, render
from .common import AsJson, InstanceFolder, asks_what_if, changed


@asks_what_if
def validate(instance: InstanceFolder, as_json: AsJson = False) -> None:
    """Check an instance: every problem with file, line, column, value, what was expected and the nearest name.

    Examples:

    - `planner validate mine`
    - `planner validate mine.xlsx`
    """
    from ..instance.loading import load

    try:
        loaded = changed(load(instance))
    except InstanceError as error:
        if as_json:
            print(json.dumps({"ok": False, "issues": [_issue(i) for i in error.issues]}, indent=1))
        raise
    if as_json:
        print(json.dumps({"ok": True, "issues": [_issue(i) for i in loaded.warnings]}, indent=1))
        return
    if loaded.warnings:
        count = len(loaded.warnings)
        print(f"{instance}: {count} warning{'s' if count > 1 else ''}")
        print(render(loaded.warnings))
    for made in loaded.changes:
        if made.place:
            print(f"{made.place}: {made.change}: {made.did}")
    print(f"{instance}: valid; {loaded.title or loaded.name}, {loaded.years[0]}-{loaded.years[-1]}")


def _issue(issue: Any) -> dict[str, Any]:
    names = ("file", "line", "column", "value", "expected", "hint", "code", "severity")
    return {name: getattr(issue, name) for name in names}
