"""``planner concentration``."""

from __future__ import annotations

import planner

from . import common
from .common import AsJson, Output, Overwrite, RunFolder, speaks


@speaks
def concentration(
    run: RunFolder,
    output: Output = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Measure how few countries each stage hangs on: the Herfindahl-Hirschman index by stage and year.

    Examples:

    - `planner concentration runs/base`
    """
    common.check_output(planner.Concentration, output, overwrite)
    common.deliver(planner.concentration(run), output, overwrite, as_json)
