"""The rules across rows and tables; each rule is a small function whose docstring states it in one sentence.

================  ====================================================================
file              rules on
================  ====================================================================
``references``    names that must be known, and active
``keys``          series, names used twice, movements with two rows
``windows``       years that must be in order and near the horizon, and ramps
``caps``          caps, which must limit something that exists
``options``       options, which must be able to start, and what they require
``groups``        groups of options, whose limits must be possible
``funds``         funds, on which some option must be able to draw
``closures``      closures, which need own capacity and should avoid a cost
``offtakes``      offtakes, whose material a plant must make
``price_floors``  price floors, whose material a plant must make
``substitutes``   substitutes, which need a share of the demand
``returns``       what comes back after its use
``impacts``       impacts, and what causes them
``blends``        what materials contain, and limits on it
``risk``          the risk weight, and ranges of delivery risks
``disruptions``   scenarios and disruptions, which must hit something
``survival``      outages to survive, and service in branches
``markets``       markets and buyers, and their prices
``plants``        facilities, operations, processes, materials, stockpiles
``loops``         recipes that feed each other
``evidence``      ranges of numbers, which must exist
``effect``        rows without effect, as there is nothing that they act on
``movements``     lanes and tariffs, which should govern a movement
``reachability``  what can be made, and brought where it is needed
``magnitudes``    figures far from comparable ones
``registry``      how a rule is written and registered; it has no rules
================  ====================================================================

An instance with an error (E...) is refused; a warning (W...) is only reported. A rule is skipped if a table that it
uses has rows that could not be read, so that one mistake is not reported twice. Rules that warn run only if nothing
else was found, and when somebody asks for what they find.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

from ...errors import Issue
from .registry import REGISTRY, SETTINGS, Check, Draft

__all__ = ["REGISTRY", "SETTINGS", "Check", "Draft", "run"]

for _file in iter_modules(__path__):  # each file registers its rules
    import_module(f".{_file.name}", __name__)


def run(draft: Draft, before: Iterable[Issue] = ()) -> list[Issue]:
    """Return all issues of an instance but suspicions: those found ``before``, while it was read, and those of rules.

    Rules about names and windows (E2) run first. A row with an issue is not reported again by later rules, and rules
    that need its table do not run.
    """
    issues = list(before)
    issues += _found("E2", draft, draft.broken)
    judged = {(issue.file, issue.line) for issue in issues}
    found = _found("E3", draft, draft.broken | _faulty(draft, issues))
    return issues + [issue for issue in found if (issue.file, issue.line) not in judged]


def suspicions(draft: Draft) -> list[Issue]:
    """Return what the rules that warn (W) find in an instance without any issue."""
    return _found("W", draft, draft.broken)


def _found(kind: str, draft: Draft, faulty: frozenset[str]) -> list[Issue]:
    """Return what the rules of a kind find; rules that need a table of ``faulty`` do not run."""
    rules = (rule for rule in REGISTRY if rule.code.startswith(kind) and not faulty.intersection(rule.needs))
    return [issue for rule in rules for issue in rule.issues(draft)]


def _faulty(draft: Draft, issues: list[Issue]) -> frozenset[str]:
    """Return the tables that have a row with an issue."""
    if not issues:
        return frozenset()
    places = {(issue.file, issue.line) for issue in issues}
    return frozenset(
        table
        for table, entries in draft.entries.items()
        if any((e.place.file, e.place.line) in places for e in entries.values())
    )
