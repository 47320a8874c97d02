"""Rules across rows and tables: one small function each, its docstring the rule in a sentence.

================  ====================================================================
file              rules on
================  ====================================================================
``references``    names that must be known, and active
``keys``          series, names used twice, movements with two rows
``windows``       years that must be in order, near the horizon, and long enough
``caps``          caps: what they limit, and that it exists
``options``       options: that they can be started, what they require
``funds``         funds: that somebody can draw on them
``disruptions``   scenarios and disruptions: that they hit something
``markets``       markets and their prices
``plants``        facilities, operations, processes, stockpiles
``loops``         recipes that feed each other
``movements``     lanes and tariffs that never govern a movement
``reachability``  what can be made, and brought where it is needed
``magnitudes``    figures far from comparable ones
================  ====================================================================

Errors (E...) refuse the instance, warnings (W...) only tell. A rule is skipped while a table that it uses has
rows that could not be read, so that one slip is not reported twice in other words.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Issue
from . import (
    caps,
    disruptions,
    funds,
    keys,
    loops,
    magnitudes,
    markets,
    movements,
    options,
    plants,
    reachability,
    references,
    windows,
)
from .registry import REGISTRY, SETTINGS, Check, Draft

__all__ = [
    "REGISTRY",
    "SETTINGS",
    "Check",
    "Draft",
    "caps",
    "disruptions",
    "funds",
    "keys",
    "loops",
    "magnitudes",
    "markets",
    "movements",
    "options",
    "plants",
    "reachability",
    "references",
    "run",
    "windows",
]


def run(draft: Draft, before: Iterable[Issue] = ()) -> list[Issue]:
    """All issues of an instance: those found ``before``, while it was read, and those of the rules.

    Names and windows (E2) come first. What breaks one of these rules is not judged again: neither its row, nor by
    rules that need its table. Warnings are given only where there is no error.
    """
    issues = list(before)
    _apply("E2", draft, set(draft.broken), issues)
    _apply("E3", draft, draft.broken | _faulty(draft, issues), issues)
    if not issues:
        _apply("W", draft, set(), issues)
    return issues


def _apply(kind: str, draft: Draft, faulty: set[str] | frozenset[str], issues: list[Issue]) -> None:
    """Run the rules of a kind that need no faulty table but the one they judge."""
    judged = {(issue.file, issue.line) for issue in issues}
    for rule in REGISTRY:
        if rule.code.startswith(kind) and not faulty.intersection(rule.needs):
            issues.extend(issue for issue in rule.issues(draft) if (issue.file, issue.line) not in judged)


def _faulty(draft: Draft, issues: list[Issue]) -> frozenset[str]:
    """Tables with a row in which an issue was found."""
    if not issues:
        return frozenset()
    places = {(issue.file, issue.line) for issue in issues}
    return frozenset(
        table
        for table, entries in draft.entries.items()
        if any((e.place.file, e.place.line) in places for e in entries.values())
    )
