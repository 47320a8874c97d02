"""What each outcome costs and leaves unserved, and the mean of the worst (conditional value at risk, CVaR)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..models.objective import unit_costs

if TYPE_CHECKING:
    from ..prepare import Prepared

Values = dict[str, dict[Any, float]]


def outcomes(prepared: Prepared, values: Values) -> list[dict[str, Any]]:
    """Return one record for each outcome, the undisturbed one and those with a scenario.

    values  family of decisions -> index -> value, of a plan
    A record has ``scenario`` (blank: undisturbed), ``probability``, ``cost_musd`` (present value) and ``unserved_t``
    (all years together).
    """
    data = prepared.data
    cost: dict[int, float] = defaultdict(float)  # MUSD a year by node
    short: dict[int, float] = defaultdict(float)  # t by node

    for family, listed, terms in unit_costs(data, [1.0] * len(data.nodes)):
        amounts = values.get(family, {})
        for i, rate in terms:
            cost[listed[i].node] += amounts.get(i, 0.0) * rate
    for d, need in enumerate(data.need):
        short[need.node] += values.get("short", {}).get(d, 0.0) * data.nodes[need.node].length * 1e3
    modules = values.get("build", {})
    sized = {of.start: values.get("excess", {}).get(i, 0.0) * of.annuity for i, of in enumerate(data.excess)}  # MUSD
    fixed = data.own_fixed_om + sum(values.get("close", {}).get(i, 0.0) * c.cost for i, c in enumerate(data.close))
    missing: dict[str, float] = defaultdict(float)
    for floor in data.stock_floor:
        node = data.nodes[floor.node]
        if floor.missing is not None and node.weight > 0.0:
            missing_kt = values.get("missing", {}).get(floor.missing, 0.0)
            missing[node.branch] += missing_kt * floor.missing_cost * node.present / node.weight
    return [
        {
            "scenario": case.scenario,
            "probability": case.probability,
            "cost_musd": fixed
            + missing[case.scenario]
            + sum(modules.get(i, 0.0) * data.build[i].cost + sized.get(i, 0.0) for i in case.starts)
            + sum(share * cost[n] * data.nodes[n].present for n, share in case.nodes),
            "unserved_t": sum(share * short[n] for n, share in case.nodes),
        }
        for case in data.outcomes
    ]


def mean_of_worst(values: Sequence[float], probabilities: Sequence[float], alpha: float) -> float:
    """Return the CVaR: the mean of the worst ``1 - alpha`` of the outcomes by probability (larger is worse).

    values, probabilities  parallel; an outcome on the border counts with the part of its probability that is needed
    NaN if all probabilities are 0.
    """
    left, total = 1.0 - alpha, 0.0
    for value, probability in sorted(zip(values, probabilities, strict=True), reverse=True):
        taken = min(left, probability)
        total += taken * value
        left -= taken
        if left <= 0.0:
            break
    return total / (1.0 - alpha - max(left, 0.0)) if left < 1.0 - alpha else math.nan
