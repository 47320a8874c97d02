"""``planner audit``."""

from __future__ import annotations

import json

from .common import AsJson, InstanceFolder, RunFolder, load_instance


def audit(instance: InstanceFolder, run: RunFolder, as_json: AsJson = False) -> None:
    """Recompute a run from the raw tables, without the model: balances, limits, caps, money.

    Examples:

    - `planner audit allied-2040 runs/base`
    """
    from ..auditing import audit as audit_run
    from ..errors import AuditError
    from ..runs.run import read_run

    report = audit_run(load_instance(instance), read_run(run))
    print(json.dumps(report.to_dict(), indent=1) if as_json else str(report))
    if not report.ok:
        raise AuditError(f"{run} does not agree with {instance}")
