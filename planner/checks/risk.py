"""The weight of the worst outcomes: that it means something."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Issue
from .registry import SETTINGS, Draft, check


@check("E341", SETTINGS)
def weight_below_one(draft: Draft) -> Iterable[Issue]:
    """With the measure cost, the weight of the worst outcomes is a fraction below 1, so that the mean counts too."""
    instance = draft.instance
    if instance.risk_measure == "cost" and instance.risk_weight >= 1.0:
        expected = "with the measure cost a fraction below 1, so that the mean counts too"
        yield draft.at_setting("risk", "weight", f"{instance.risk_weight:g}", expected)


@check("W541", SETTINGS, "scenarios")
def weight_without_scenarios(draft: Draft) -> Iterable[Issue]:
    """Without scenarios there is one outcome only, and a risk weight on cost changes nothing."""
    instance = draft.instance
    if instance.risk_weight > 0.0 and not instance.scenarios:
        yield draft.at_setting("risk", "weight", f"{instance.risk_weight:g}", "without scenarios it has no effect")
