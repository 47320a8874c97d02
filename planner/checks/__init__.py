"""Rules across rows and tables: one small function each, its docstring the rule in a sentence.

======================  ============================================================
file                    rules on
======================  ============================================================
``references``          names that must be known, and active
``keys``                series, names used twice, movements with two rows
``windows``             years that must be in order, or near the horizon
``caps``                caps: what they limit, and that it exists
``options``             options: that they can be started, what they require
``funds``               funds: that somebody can draw on them
``disruptions``         scenarios and disruptions: that they hit something
``markets``             markets and their prices
``plants``              facilities, operations, recipes, stockpiles
``loops``               recipes that feed each other
``movements``           lanes and tariffs that never govern a movement
``reachability``        what can be made and brought where it is needed
``magnitudes``          figures far from comparable ones
======================  ============================================================

Errors (E...) refuse the instance, warnings (W...) only tell. A rule is skipped while a table that it uses has rows that
could not be read, so that one slip is not reported twice in other words.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Issue
from .registry import REGISTRY, SETTINGS, Check, Draft

__all__ = ["REGISTRY", "SETTINGS", "Check", "Draft", "run"]


def run(draft: Draft, before: Iterable[Issue] = ()) -> list[Issue]:
    """All issues of an instance: those found ``before``, while reading it, and those of the rules.

    References come first. What breaks one is not judged again: neither its row, nor by rules on other tables that
    would need it. Warnings are given only where there is no error.
    """
    issues = list(before)
    broken = set(draft.broken)
    for rule in _of_kind("E2"):
        if not broken.intersection(rule.uses[1:]) and (SETTINGS not in rule.uses or SETTINGS not in broken):
            issues.extend(rule.issues(draft))
    return issues


def _of_kind(start: str) -> list[Check]:
    return [rule for rule in REGISTRY if rule.code.startswith(start)]
