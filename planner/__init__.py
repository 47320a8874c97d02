"""Plan how allied countries and startups supply NdFeB magnets, and what security costs.

    import planner
    instance = planner.load("instances/tiny")
    plan = planner.solve(instance)
    plan.tables["builds"]

Everything is loaded on first use, so that importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .auditing import AuditReport, audit
    from .comparison import Comparison, compare
    from .covering import Cover, cover
    from .delivery.evaluation import DeliveryRisk, delivery_risk
    from .delivery.failures import Failures, failures
    from .diagnosing import Diagnosis, diagnose
    from .errors import InstanceError, PlannerError
    from .explaining import Explanation, explain
    from .hedging.results import Hedge
    from .hedging.study import hedge
    from .instance import Instance, load
    from .near_optimal import Alternatives, alternatives
    from .origin import origin_ledger
    from .pinning import Pins
    from .plan import Plan, solve
    from .reporting import report
    from .runfolder import Run, read_run
    from .scaffold import new
    from .sourcing import Evidence, evidence
    from .stressing.study import Stress, stress
    from .studying.results import Sensitivity, sensitivity
    from .tradeoff import Frontier, frontier
    from .workbook import convert

_HOMES = {
    "load": "instance",
    "Instance": "instance",
    "solve": "plan",
    "Plan": "plan",
    "Pins": "pinning",
    "convert": "workbook",
    "frontier": "tradeoff",
    "Frontier": "tradeoff",
    "cover": "covering",
    "Cover": "covering",
    "delivery_risk": "delivery.evaluation",
    "hedge": "hedging.study",
    "Hedge": "hedging.results",
    "failures": "delivery.failures",
    "Failures": "delivery.failures",
    "DeliveryRisk": "delivery.evaluation",
    "new": "scaffold",
    "compare": "comparison",
    "Comparison": "comparison",
    "stress": "stressing.study",
    "Stress": "stressing.study",
    "alternatives": "near_optimal",
    "Alternatives": "near_optimal",
    "origin_ledger": "origin",
    "evidence": "sourcing",
    "Evidence": "sourcing",
    "sensitivity": "studying.results",
    "Sensitivity": "studying.results",
    "read_run": "runfolder",
    "Run": "runfolder",
    "diagnose": "diagnosing",
    "Diagnosis": "diagnosing",
    "explain": "explaining",
    "Explanation": "explaining",
    "report": "reporting",
    "audit": "auditing",
    "AuditReport": "auditing",
    "PlannerError": "errors",
    "InstanceError": "errors",
}

__all__ = [
    "Alternatives",
    "AuditReport",
    "Comparison",
    "Cover",
    "DeliveryRisk",
    "Diagnosis",
    "Evidence",
    "Explanation",
    "Failures",
    "Frontier",
    "Hedge",
    "Instance",
    "InstanceError",
    "Pins",
    "Plan",
    "PlannerError",
    "Run",
    "Sensitivity",
    "Stress",
    "alternatives",
    "audit",
    "compare",
    "convert",
    "cover",
    "delivery_risk",
    "diagnose",
    "evidence",
    "explain",
    "failures",
    "frontier",
    "hedge",
    "load",
    "new",
    "origin_ledger",
    "read_run",
    "report",
    "sensitivity",
    "solve",
    "stress",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
