"""Rules on risk: the weight of the worst outcomes, and the ranges of delivery risks."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Issue
from .registry import SETTINGS, Draft, check


@check("E341", SETTINGS)
def weight_below_one(draft: Draft) -> Iterable[Issue]:
    """With the measure cost, the weight of the worst outcomes is a fraction below 1, so that the mean counts too."""
    instance = draft.instance
    if instance.risk_measure == "cost" and instance.risk_weight >= 1.0:
        expected = "with the measure cost a fraction below 1, so that the mean counts too"
        yield draft.at_setting("risk", "weight", f"{instance.risk_weight:g}", expected)


@check("E342", "delivery_risk")
def ordered_ranges(draft: Draft) -> Iterable[Issue]:
    """The lowest, the most likely and the highest value of a delivery risk must not decrease."""
    for row in draft.instance.delivery_risk:
        for what in ("delay", "capex", "share"):
            low, mode, high = (getattr(row, f"{what}_{name}") for name in ("low", "mode", "high"))
            if not low <= mode <= high:
                column = f"{what}_mode" if mode < low else f"{what}_high"
                yield draft.at(row, column, f"expected {what}_low <= {what}_mode <= {what}_high")


@check("E343", "delivery_risk")
def option_or_kind(draft: Draft) -> Iterable[Issue]:
    """A delivery risk must name one option, or be of a kind of projects, but not both."""
    for row in draft.instance.delivery_risk:
        if (row.projects == "one") != bool(row.option):
            yield draft.at(row, "projects", "expected `one` together with an option, and no option with another word")


@check("E397", "delivery_risk")
def cause_with_a_correlation(draft: Draft) -> Iterable[Issue]:
    """A common cause must come with how much it explains, and the other way round."""
    for row in draft.instance.delivery_risk:
        if bool(row.common_cause) != (row.correlation > 0.0):
            column, other = ("correlation", "common_cause") if row.common_cause else ("common_cause", "correlation")
            expected = f"required beside {other}: what the projects share, and how much of the variance it explains"
            yield draft.at(row, column, expected, "fill in both, or neither")


@check("W541", SETTINGS, "scenarios")
def weight_without_scenarios(draft: Draft) -> Iterable[Issue]:
    """A risk weight needs scenarios; without them there is only one outcome, and the weight has no effect."""
    instance = draft.instance
    if instance.risk_weight > 0.0 and not instance.scenarios:
        yield draft.at_setting("risk", "weight", f"{instance.risk_weight:g}", "without scenarios it has no effect")
